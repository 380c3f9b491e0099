"""The pictures of day 4, which its masters show as ![alt text](diagram:name)."""

from tools.drawing import Arrow, Drawing
from tools.plates import Box, text


# --- part 1 ---------------------------------------------------------------------------------------


def two_horizons() -> Drawing:
    """Draws a string with its depth from either end, orange where the depth is below zero."""
    string, from_left, from_right = "())(()", (1, 0, -1, 0, 1, 0), (0, 1, 0, -1, 0, 1)
    characters = [Box(each, (190 + 78 * place, 90), size=(52, 40)) for place, each in enumerate(string)]
    above, below = _depths(from_left, 30), _depths(from_right, 150)
    left = Box("from the left,\n( is up", (70, 30), size=(134, 52))
    right = Box("from the right,\n) is up", (715, 150), size=(140, 52))
    reads = [
        Arrow(left.side("right"), above[0].side("left")),
        Arrow(right.side("left"), below[-1].side("right")),
    ]
    return Drawing("Two horizons over one string", (*characters, *above, *below, left, right, *reads))


def _depths(values: tuple[int, ...], height: float) -> list[Box]:
    """Returns a box for each depth, orange where it is below zero."""
    boxes = []
    for place, depth in enumerate(values):
        role = "blue"
        if depth < 0:
            role = "orange"
        boxes.append(Box(str(depth).replace("-", "−"), (190 + 78 * place, height), role, (52, 34)))
    return boxes


# --- part 2 ---------------------------------------------------------------------------------------


def into_position_0() -> Drawing:
    """Draws the parts of a late head's output at position 0, and what flows into its values."""
    logits = Box("logits", (250, 40), size=(100, 40))
    output = Box("output of head 2.1 at position 0", (250, 210), size=(310, 40))
    mlp = Box("MLP 2", (470, 125), size=(100, 40))
    pattern = Box("pattern", (120, 300), "orange", (110, 40))
    values = Box("values", (420, 300), "blue", (110, 40))
    query = Box("query at\nposition 0", (60, 400), "orange", (110, 52))
    keys = Box("keys at all\npositions", (190, 400), "orange", (120, 52))
    stream = Box("the stream at all positions", (420, 400), "blue", (260, 40))
    names = ("everything\nearlier", "head 1.0", "head 1.1", "MLP 1")
    writers = [
        Box(name, (250 + 125 * place, 500), size=(110, 52 if place == 0 else 40))
        for place, name in enumerate(names)
    ]
    boxes = [logits, mlp, output, pattern, values, query, keys, stream, *writers]
    arrows = [
        Arrow(output.side("top"), logits.side("bottom")),
        Arrow(output.side("right"), mlp.side("bottom"), bent=True),
        Arrow(mlp.side("top"), logits.side("right"), bent=True),
        Arrow(pattern.side("top"), output.side("bottom", 0.25), role="orange"),
        Arrow(values.side("top"), output.side("bottom", 0.75), role="blue"),
        Arrow(query.side("top"), pattern.side("bottom", 0.25), role="orange"),
        Arrow(keys.side("top"), pattern.side("bottom", 0.75), role="orange"),
        Arrow(stream.side("top"), values.side("bottom"), role="blue"),
    ]
    for place, writer in enumerate(writers):
        arrows.append(Arrow(writer.side("top"), stream.side("bottom", 0.1 + 0.25 * place)))
    return Drawing("What flows into position 0 of a late head", (*boxes, *arrows))


# --- part 3 ---------------------------------------------------------------------------------------


def published_roles() -> Drawing:
    """Draws the published claim: the heads that the logits read, and the string that each reads."""
    logits = Box("logits", (390, 40), size=(100, 40))
    agreeing = "a string that\nagrees on the\n{}"
    claims = [
        ("head 1.0", agreeing.format("count test"), "blue", logits.side("left")),
        ("head 2.0", agreeing.format("count test"), "blue", logits.side("bottom", 0.3)),
        ("head 2.1", agreeing.format("right horizon"), "green", logits.side("bottom", 0.7)),
        ("everything else", "any string", "pink", logits.side("right")),
    ]
    parts = [logits]
    for place, (name, row, role, end) in enumerate(claims):
        middle = 95 + 197 * place
        part, string = Box(name, (middle, 140), size=(150, 40)), Box(row, (middle, 250), role, (150, 74))
        parts += [part, string, Arrow(string.side("top"), part.side("bottom"), role=role)]
        parts += [Arrow(part.side("top"), end, bent=place in (0, 3))]
    return Drawing("The published claim about three heads", tuple(parts))


# --- part 4 ---------------------------------------------------------------------------------------


def planted_model() -> Drawing:
    """Draws the circuit of the planted model at left, and the decoy beside it."""
    large = (200, 52)
    tokens = Box("tokens", (390, 560), size=(100, 40))
    shares = Box("two heads of layer 0:\nshares of ( and )", (235, 465), "green", large)
    marks = Box("MLP 0: where the\nright horizon fails", (120, 365), "blue", large)
    gathers = Box("a head of layer 1\ngathers the marks", (120, 265), "blue", large)
    more = Box("MLP 1: more )\nthan ( in all", (350, 315), "orange", large)
    moves = [
        Box("a head of layer 2\nmoves it to 0", (x, 165), role, large)
        for x, role in ((120, "blue"), (350, "orange"))
    ]
    either = Box("MLP 2: unbalanced,\nif one test fails", (235, 75), "green", large)
    logits = Box("logits", (470, 75), size=(100, 40))
    reads = [(tokens, shares), (shares, marks), (shares, more), (marks, gathers), (gathers, moves[0])]
    reads += [(more, moves[1]), (moves[0], either), (moves[1], either)]
    arrows = [Arrow(low.side("top"), high.side("bottom")) for low, high in reads]
    arrows += [Arrow(either.side("right"), logits.side("left"))]
    circuit = [tokens, shares, marks, gathers, more, *moves, either, logits]
    return Drawing("The planted model and its decoy", (*circuit, *arrows, *_decoy(tokens)))


def _decoy(tokens: Box) -> list[Box | Arrow]:
    """Returns the parts of the decoy, from the tokens up to its end."""
    labels = {
        465: "two heads of layer 0:\nfirst token, excess",
        315: "MLP 0 and MLP 1:\nalmost the label",
        165: "head 2.0, at position 0:\nthe largest writer",
    }
    parts = [Box(label, (640, height), "pink", (210, 52)) for height, label in labels.items()]
    pairs = zip([tokens, *parts], parts, strict=False)
    arrows = [Arrow(low.side("top"), high.side("bottom"), role="pink") for low, high in pairs]
    return [*parts, *arrows, text("the answer does not use it", (640, 120))]
