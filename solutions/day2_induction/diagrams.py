"""The pictures of day 2, which its masters show as ![alt text](diagram:name)."""

from itertools import pairwise

from tools.drawing import Arrow, Drawing, Stream
from tools.plates import Box, plus, text, tokens

LAYER_0 = 310  # the heights of head 0.0, of the heads' keys and queries, of values and outputs
MATCH = 180
MOVE = 120


def induction() -> Drawing:
    """Draws induction on A B … A: what the heads move above, where they attend below."""
    first, after = tokens(["A", "B"], at=(40, 400), step=260)
    gap, second = tokens(["…", "A"], at=(510, 400), step=210)
    at_first = Stream(first.at[0], bottom=378, top=294)
    at_after = Stream(after.at[0], bottom=378, top=104)
    at_second = Stream(second.at[0], bottom=378, top=62)
    parts = [
        *(at_first, at_after, at_second, first, after, gap, second),
        *_previous_token_head(at_first, at_after),
        *_induction_heads(at_after, at_second),
        *_attention(first, after, second),
        Box("predicts B", at=(second.at[0], 40), size=(120, 44)),
        text("solid: what moves · dashed: where a head attends", (380, 510)),
    ]
    return Drawing("Induction: a previous-token head, then two induction heads", tuple(parts))


def _previous_token_head(source: Stream, target: Stream) -> list[Box | Arrow | Stream]:
    """Returns head 0.0, which moves A to B; from there A goes up the stream to the keys."""
    head = Box("head 0.0", at=(141, LAYER_0), role="green", size=(100, 44))
    total = plus((target.x, LAYER_0))
    note = "K-composition:\nhead 0.0 writes\nwhat the keys read"
    return [
        *(head, total, Stream(target.x, bottom=LAYER_0, top=MATCH, role="green")),
        Arrow(source.side("right", LAYER_0), head.side("left"), "A", "green", label_at=0.4),
        Arrow(head.side("right"), total.side("left"), "after A", "green", label_at=0.44),
        text(note, (280, 225), hold="right", role="green"),
    ]


def _induction_heads(source: Stream, target: Stream) -> list[Box | Arrow]:
    """Returns the heads 1.1 and 1.3, whose query A matches the key, and which move B."""
    middle = (MATCH + MOVE) / 2
    heads = Box("heads\n1.1 and 1.3", at=(510, middle), role="blue", size=(120, 100))
    total = plus((target.x, MOVE))
    key, value = source.side("right", MATCH), source.side("right", MOVE)
    query, output = target.side("left", MATCH), heads.side("right", 0.2)
    return [
        *(heads, total),
        Arrow(key, heads.side("left", 0.8), "key: after A", "green", label_at=0.45),
        Arrow(value, heads.side("left", 0.2), "value: B", "blue", label_at=0.45),
        Arrow(query, heads.side("right", 0.8), "query: A", "blue", label_at=0.45),
        Arrow(output, total.side("left"), "B", "blue", label_at=0.45),
    ]


def _attention(first: Box, after: Box, second: Box) -> list[Arrow]:
    """Returns the two arrows of induction, each from the query's token to the key's."""
    style = {"dashed": True, "bent": True, "depth": 44}
    before, later = after.side("bottom", 0.25), after.side("bottom", 0.75)
    return [
        Arrow(before, first.side("bottom"), "0.0 attends", "green", **style),
        Arrow(second.side("bottom"), later, "1.1 and 1.3 attend", "blue", **style),
    ]


def positions() -> Drawing:
    """Draws where positions enter a layer of the model: in queries and keys, and not in values."""
    stream = Box("residual stream", at=(70, 120), size=(150, 50))
    pos_embed = Box("pos_embed", at=(260, 10), role="orange", size=(116, 44))
    total = plus((260, 90))
    queries = Box("queries", at=(400, 60), role="orange", size=(90, 44))
    keys = Box("keys", at=(400, 120), role="orange", size=(90, 44))
    values = Box("values", at=(400, 200), role="blue", size=(90, 44))
    pattern = Box("pattern", at=(550, 90), role="orange", size=(90, 44))
    output = Box("output", at=(690, 145), size=(90, 44))
    parts = [
        *(stream, pos_embed, total, queries, keys, values, pattern, output),
        Arrow(stream.side("right", 0.3), total.side("left"), bent=True),
        Arrow(pos_embed.side("bottom"), total.side("top"), role="orange"),
        Arrow(total.side("right", 0.3), queries.side("left"), role="orange", bent=True),
        Arrow(total.side("right", 0.7), keys.side("left"), role="orange", bent=True),
        Arrow(stream.side("bottom"), values.side("left"), role="blue", bent=True),
        Arrow(queries.side("right"), pattern.side("left", 0.3), role="orange", bent=True),
        Arrow(keys.side("right"), pattern.side("left", 0.7), role="orange", bent=True),
        Arrow(pattern.side("right"), output.side("top"), role="orange", bent=True),
        Arrow(values.side("right"), output.side("bottom"), role="blue", bent=True),
    ]
    return Drawing("Positions enter queries and keys only", tuple(parts))


def losses() -> Drawing:
    """Draws which logits and which token each loss is made of."""
    step, parts = 150, []
    read = tokens([f"token {place}" for place in range(5)], at=(50, 190), step=step)
    logits = tokens([f"logits {place}" for place in range(5)], at=(50, 20), step=step)
    for below, above in zip(read, logits, strict=True):
        parts += [below, above, Arrow(below.side("top"), above.side("bottom"))]
    for place in range(4):
        loss = Box(f"loss {place}", at=(50 + step * (place + 0.5), 105), role="blue", size=(76, 40))
        predicted, actual = logits[place].side("bottom", 0.85), read[place + 1].side("top", 0.15)
        parts += [loss, Arrow(predicted, loss.side("top"), role="blue")]
        parts.append(Arrow(actual, loss.side("bottom"), role="blue"))
    return Drawing("Each loss compares logits with the next token", tuple(parts))


def detectors() -> Drawing:
    """Draws the cells of an attention pattern over which each of three detectors averages."""
    letters, size, start = "ABCD", (92, 46), (120, 70)
    parts = []
    for place, letter in enumerate(letters):
        column, row = start[0] + 100 * place, start[1] + 54 * place
        parts.append(Box(letter, at=(column, 10), size=(44, 40), corner=4))
        parts.append(Box(letter, at=(30, row), size=(44, 40), corner=4))
        for key in range(place + 1):
            label, role = _detected(place, key)
            at = (start[0] + 100 * key, row)
            parts.append(Box(label, at=at, role=role, size=size, padding=4, corner=2))
    query, key = Box("query", at=(-40, 10), size=(70, 40)), Box("key", at=(-40, -50), size=(70, 40))
    down, across = parts[1].side("left"), parts[0].side("top")
    parts += [query, key, Arrow(query.side("bottom"), down, bent=True)]
    parts.append(Arrow(key.side("right"), across, bent=True))
    return Drawing("Three detectors in an attention pattern", tuple(parts))


def _detected(query: int, key: int) -> tuple[str, str]:
    """Returns the label and the colour of one cell of the pattern."""
    if query == 0:
        return "left out", "grey"
    if query == key:
        return "current", "blue"
    if query == key + 1:
        return ("previous\nand first", "pink") if key == 0 else ("previous", "green")
    return ("first", "orange") if key == 0 else ("other", "grey")


def repeated_tokens() -> Drawing:
    """Draws where a head at the second A may attend, and what an induction head then raises."""
    row = tokens(list("ABCABC"), at=(40, 150), step=120)
    numbers = [text(str(place), (box.at[0] - 10, 112)) for place, box in enumerate(row)]
    first, after, again = row[0], row[1], row[3]
    raised = Box("raises the\nlogit of B", at=(400, 20), role="blue", size=(120, 60))
    near, far = again.side("bottom", 0.3), again.side("bottom", 0.7)
    start = after.side("top", 0.8)
    style = {"dashed": True, "bent": True}
    parts = [
        *(*row, *numbers, raised),
        Arrow(near, after.side("bottom"), "prefix matching", "green", depth=40, **style),
        Arrow(far, first.side("bottom"), "same token", "grey", depth=90, **style),
        Arrow(start, raised.side("left"), "copying", "blue", bent=True, label_at=0.6),
    ]
    return Drawing("Prefix matching and copying on repeated tokens", tuple(parts))


def one_part() -> Drawing:
    """Draws how one part of the residual stream becomes a share of a logit difference."""
    stream = Box("whole stream", at=(330, 20), size=(136, 44))
    columns = Box("column of the answer\nminus column of the other", at=(598, 20), role="orange")
    steps = ["one part", "subtract\nits mean", "divide by\nthe scale", "multiply by\nln_final.w"]
    steps += ["dot\nproduct", "share of the\ndifference"]
    places = [(62 + 134 * step, 130) for step in range(6)]
    pairs = zip(steps, places, strict=True)
    boxes = [Box(label, place, "blue", (112, 56), padding=6) for label, place in pairs]
    parts = [stream, columns, *boxes]
    for before, after in pairwise(boxes):
        parts.append(Arrow(before.side("right"), after.side("left"), role="blue"))
    parts.append(Arrow(stream.side("bottom"), boxes[2].side("top"), "scale"))
    parts.append(Arrow(columns.side("bottom"), boxes[4].side("top"), "W_U", "orange"))
    return Drawing("One part's share of a logit difference", tuple(parts))


def path_orders() -> Drawing:
    """Draws a path without heads, one through a single head, and one through two heads."""
    parts = [
        *_path(110, {}, 'order 0: ("embed",)'),
        *_path(370, {"head 1.3": 100}, 'order 1: ("embed", (1, 3))'),
        *_path(640, {"head 0.6": 180, "head 1.3": 100}, 'order 2: ("embed", (0, 6), (1, 3))'),
    ]
    return Drawing("Paths of order 0, 1 and 2", tuple(parts))


def _path(x: float, heads: dict[str, float], note: str) -> list[Box | Arrow]:
    """Returns a column from embed through heads at their heights to the logits."""
    size = (100, 44)
    boxes = [Box("embed", (x, 260), size=size)]
    boxes += [Box(head, (x, y), "blue", size) for head, y in heads.items()]
    boxes.append(Box("logits", (x, 20), size=size))
    ends = [(below.side("top"), above.side("bottom")) for below, above in pairwise(boxes)]
    arrows = [Arrow(start, end, role="blue") for start, end in ends]
    return [*boxes, *arrows, text(note, (x, 310))]


def uses_of_a_head() -> Drawing:
    """Draws the uses of a head of layer 0: through patterns, as values, and directly."""
    head = Box("head 0.0", at=(60, 150), size=(100, 44))
    queries = Box("queries", at=(250, 30), role="green", size=(90, 44))
    keys = Box("keys", at=(250, 100), role="green", size=(90, 44))
    values = Box("values", at=(250, 190), role="blue", size=(90, 44))
    pattern = Box("pattern", at=(390, 65), role="green", size=(90, 44))
    later = Box("output of a head\nof layer 1", at=(590, 130), size=(156, 60))
    logits = Box("logits", at=(745, 190), size=(80, 44))
    attend, move = pattern.side("right"), values.side("right")
    parts = [
        *(head, queries, keys, values, pattern, later, logits),
        Arrow(head.side("top"), queries.side("left"), role="green", bent=True),
        Arrow(head.side("right", 0.2), keys.side("left"), role="green", bent=True),
        Arrow(head.side("right", 0.8), values.side("left"), role="blue", bent=True),
        Arrow(head.side("bottom"), logits.side("bottom"), "directly", "blue", bent=True),
        Arrow(queries.side("right"), pattern.side("left", 0.3), role="green", bent=True),
        Arrow(keys.side("right"), pattern.side("left", 0.7), role="green", bent=True),
        Arrow(attend, later.side("top"), "where to attend", "green", bent=True, label_at=0.42),
        Arrow(move, later.side("bottom"), "content", "blue", bent=True, label_at=0.4),
        Arrow(later.side("right"), logits.side("top"), bent=True),
    ]
    return Drawing("The uses of a head of layer 0", tuple(parts))


def thin_matrices() -> Drawing:
    """Draws a table from tokens to logits as the product of a tall matrix and a flat one."""
    table = Box("table\n1,024 × 1,024", at=(110, 130), size=(200, 200), corner=2)
    tall = Box("A\n1,024\n× 32", at=(330, 130), role="green", size=(84, 200), corner=2)
    flat = Box("B\n32 × 1,024", at=(550, 130), role="blue", size=(200, 60), corner=2)
    parts = [
        *(table, tall, flat),
        text("=", (249, 130)),
        text("×", (411, 130)),
        text("row: a token that the head attends to\ncolumn: a logit", (110, 260)),
    ]
    for factor, label, y in ((tall, "W_E W_V", 280), (flat, "W_O W_U", 210)):
        source = Box(label, (factor.at[0], y), factor.role, padding=6)
        parts += [source, Arrow(source.side("top"), factor.side("bottom"), role=factor.role)]
    return Drawing("A table as a product of two thin matrices", tuple(parts))


def two_heads() -> Drawing:
    """Draws the matrices between two tokens and a score of head 1.1, through head 0.0."""
    asks = ["token at\nthe query", "asks", "W_Q of 1.1", "query"]
    holds = ["token before\nthe key", "W_E", "W_V of 0.0", "W_O of 0.0", "W_K of 1.1", "key"]
    upper = _chain(asks, [62, 300, 532, 640], 40, "blue")
    lower = _chain(holds, [62, 162, 267, 401, 532, 640], 170, "green")
    score = Box("score\nof 1.1", at=(730, 105), size=(84, 60))
    ends = [(upper[3].side("right"), score.side("top")), (lower[5].side("right"), score.side("bottom"))]
    parts = [*upper, *lower, score]
    for row, role in ((upper, "blue"), (lower, "green")):
        arrows = [(before.side("right"), after.side("left")) for before, after in pairwise(row)]
        parts += [Arrow(start, end, role=role) for start, end in arrows]
    for (start, end), role in zip(ends, ("blue", "green"), strict=True):
        parts.append(Arrow(start, end, role=role, bent=True))
    return Drawing("A score of head 1.1 through head 0.0", tuple(parts))


def _chain(labels: list[str], places: list[float], y: float, role: str) -> list[Box]:
    """Returns boxes in a row, at their places."""
    pairs = zip(labels, places, strict=True)
    return [Box(label, (x, y), role, padding=6) for label, x in pairs]


def checkpoints() -> Drawing:
    """Draws the steps at which the model was saved, and magnifies those around the change."""
    saved = [0, 500, 1000, 2000, 2500, 3000, 3500, 4500, 6000]
    close = [2900, 3000, 3075, 3125, 3175, 3250]
    line = [_step(step, 40 + 84 * place, 130) for place, step in enumerate(saved)]
    near = [_step(step, 166 + 98 * place, 30, "orange") for place, step in enumerate(close)]
    parts = [*line, *near]
    for row, role in ((line, "grey"), (near, "orange")):
        joined = [(before.side("right"), after.side("left")) for before, after in pairwise(row)]
        parts += [Arrow(start, end, role=role) for start, end in joined]
    parts.append(Arrow(line[5].side("top"), near[3].side("bottom"), "close together", "orange", True))
    return Drawing("The checkpoints of one training", tuple(parts))


def _step(step: int, x: float, y: float, role: str = "grey") -> Box:
    """Returns the plate of one checkpoint."""
    return Box(f"{step:,}", (x, y), role, (54, 32), padding=2)
