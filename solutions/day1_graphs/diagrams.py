"""The pictures of day 1, which its masters show as ![alt text](diagram:name)."""

from itertools import pairwise

from tools.drawing import Arrow, Drawing, Stream
from tools.plates import Box, Point, plus, text


def split_axis() -> Drawing:
    """Draws an axis of four entries, split into two heads the right way and the wrong way."""
    rows, roles = [60, 106, 152], ("blue", "orange")
    whole = []
    for row, y in enumerate(rows):
        whole += _cells([4 * row, 4 * row + 1], (130, y), "blue")
        whole += _cells([4 * row + 2, 4 * row + 3], (222, y), "orange")
    right = Box("reshape,\nthen permute", at=(395, 20), role="green")
    wrong = Box("reshape only", at=(395, 192))
    parts = [*whole, right, wrong]
    parts += [text(f"position {row}", (100, y), hold="right") for row, y in enumerate(rows)]
    for head, x in enumerate((520, 660)):
        parts += [text(f"head {head}", (x + 23, top), role=roles[head]) for top in (-60, 112)]
        for row in range(3):
            entries = [4 * row + 2 * head, 4 * row + 2 * head + 1]
            parts += _cells(entries, (x, -26 + 46 * row), roles[head])
            entries = [6 * head + 2 * row, 6 * head + 2 * row + 1]
            parts += _cells(entries, (x, 146 + 46 * row), roles[entries[0] // 2 % 2])
    for step, y in ((right, 20), (wrong, 192)):
        parts.append(Arrow(whole[7].side("right"), step.side("left"), bent=True))
        parts.append(Arrow(step.side("right"), Point(498, y, (-1, 0))))
    return Drawing("Four entries are split into two heads", tuple(parts))


def _cells(entries: list[int], at: tuple[float, float], role: str) -> list[Box]:
    """Returns a row of numbered cells, the first one centred at a place."""
    x, y = at
    return [
        Box(str(entry), at=(x + 46 * column, y), role=role, size=(44, 44), corner=2)
        for column, entry in enumerate(entries)
    ]


def attention_shapes() -> Drawing:
    """Draws one attention head, from the vectors that it reads to the vectors that it writes."""
    small, wide = (100, 50), (160, 56)
    q_input = Box("q_input", at=(50, 40), role="blue", size=small)
    k_input = Box("k_input", at=(50, 140), role="orange", size=small)
    v_input = Box("v_input", at=(50, 300), role="green", size=small)
    queries = Box("queries\n[query, d_head]", at=(270, 40), role="blue", size=wide)
    keys = Box("keys\n[key, d_head]", at=(270, 140), role="orange", size=wide)
    values = Box("values\n[key, d_head]", at=(270, 300), role="green", size=wide)
    scores = Box("scores\n[query, key]", at=(490, 90), size=(130, 56))
    pattern = Box("pattern\n[query, key]", at=(490, 200), size=(130, 56))
    z = Box("z, average of values\n[query, d_head]", at=(650, 300), role="green", size=(200, 56))
    output = Box("output of the head\n[query, d_model]", at=(650, 410), size=(200, 56))
    parts = [
        *(q_input, k_input, v_input, queries, keys, values, scores, pattern, z, output),
        Arrow(q_input.side("right"), queries.side("left"), "W_Q", role="blue"),
        Arrow(k_input.side("right"), keys.side("left"), "W_K", role="orange"),
        Arrow(v_input.side("right"), values.side("left"), "W_V", role="green"),
        Arrow(queries.side("right"), scores.side("top"), role="blue", bent=True),
        Arrow(keys.side("right"), scores.side("left"), role="orange", bent=True),
        Arrow(scores.side("bottom"), pattern.side("top"), "mask, softmax"),
        Arrow(pattern.side("right"), z.side("top", 0.6), "weights", bent=True, label_at=0.3),
        Arrow(values.side("right"), z.side("left"), role="green"),
        Arrow(z.side("bottom"), output.side("top"), "W_O"),
    ]
    return Drawing("The shapes in an attention head", tuple(parts))


def one_block() -> Drawing:
    """Draws a transformer block, whose attention and MLP read the residual stream and add to it."""
    stream = Stream(x=90, bottom=500, top=20)
    size = (110, 44)
    ln1 = Box("ln1", at=(250, 430), size=size)
    placed = plus((430, 430))
    positions = Box("positions", at=(430, 510), role="green", size=size)
    attention = Box("attention", at=(610, 340), role="blue", size=(150, 50))
    ln2 = Box("ln2", at=(250, 190), size=size)
    mlp = Box("MLP", at=(610, 190), role="orange", size=(150, 50))
    first, second = plus((stream.x, 260)), plus((stream.x, 90))
    parts = [
        *(stream, ln1, placed, positions, attention, ln2, mlp, first, second),
        text("residual stream\nbefore the block", (stream.x, 525)),
        text("residual stream\nafter the block", (stream.x, -5)),
        Arrow(stream.side("right", 430), ln1.side("left"), "reads"),
        Arrow(ln1.side("right"), placed.side("left")),
        Arrow(positions.side("top"), placed.side("bottom"), role="green"),
        Arrow(placed.side("right"), attention.side("bottom"), "queries, keys", bent=True, label_at=0.3),
        Arrow(ln1.side("top"), attention.side("left"), "values", bent=True),
        Arrow(attention.side("top"), first.side("right"), "adds", role="blue", bent=True),
        Arrow(stream.side("right", 190), ln2.side("left"), "reads"),
        Arrow(ln2.side("right"), mlp.side("left")),
        Arrow(mlp.side("top"), second.side("right"), "adds", role="orange", bent=True),
    ]
    return Drawing("A transformer block", tuple(parts))


def two_paths() -> Drawing:
    """Draws the digits networks, whose logits depend on the image by two paths."""
    size = (120, 60)
    x = Box("x\nimage [64]", at=(60, 130), size=size)
    inner = Box("inner\nlinear [16]", at=(210, 60), role="blue", size=size)
    hidden = Box("hidden\nrelu [16]", at=(360, 60), role="blue", size=size)
    out = Box("out\nlinear [10]", at=(510, 60), role="blue", size=size)
    skip = Box("skip\nmatrix [10]", at=(360, 200), role="orange", size=size)
    total = plus((620, 130))
    logits = Box("logits [10]", at=(730, 130), size=(110, 60))
    parts = [
        *(x, inner, hidden, out, skip, total, logits),
        Arrow(x.side("top"), inner.side("left"), role="blue", bent=True),
        Arrow(inner.side("right"), hidden.side("left"), role="blue"),
        Arrow(hidden.side("right"), out.side("left"), role="blue"),
        Arrow(out.side("right"), total.side("top"), role="blue", bent=True),
        Arrow(x.side("bottom"), skip.side("left"), role="orange", bent=True),
        Arrow(skip.side("right"), total.side("bottom"), role="orange", bent=True),
        Arrow(total.side("right"), logits.side("left")),
        text("the path through 16 hidden neurons", (360, 10), role="blue"),
        text("the skip connection", (360, 250), role="orange"),
    ]
    return Drawing("The two paths of the digits networks", tuple(parts))


def three_ablations() -> Drawing:
    """Draws a hidden layer of three neurons on three images, and the layer under three ablations."""
    layer, roles, rows = [[3, 0, 5], [1, 4, 2], [2, 2, 8]], ["blue", "orange", "green"], [2, 0, 2]
    before = _table(layer, roles, middle=(130, 262))
    parts = [text(f"image {image}", (100, 216 + 46 * image), hold="right") for image in range(3)]
    parts += before
    for name, values, colours, y in (
        ("zero", [[0, 0, 0]] * 3, ["grey"] * 3, 92),
        ("mean of the\ntraining images", [[2, 1, 4]] * 3, ["grey"] * 3, 262),
        ("resample with\nrows 2, 0, 2", [layer[i] for i in rows], [roles[i] for i in rows], 432),
    ):
        after = _table(values, colours, middle=(620, y))
        label_at = 0.75 if y == 262 else 0.84  # halfway along the last straight stretch
        start, end = before[5].side("right"), after[3].side("left")
        parts += [*after, Arrow(start, end, name, bent=True, label_at=label_at)]
    return Drawing("A hidden layer on three images, under three ablations", tuple(parts))


def _table(values: list[list[int]], roles: list[str], middle: tuple[float, float]) -> list[Box]:
    """Returns three rows of three cells, the first cell of the middle row centred at a place."""
    x, y = middle
    rows = zip(values, roles, (y - 46, y, y + 46), strict=True)
    return [cell for numbers, role, height in rows for cell in _cells(numbers, (x, height), role)]


def one_of_two_paths() -> Drawing:
    """Draws a hook on x, which changes both paths, beside the experiment that changes one path."""
    hooked = Box("x,\nresampled", at=(60, 130), role="orange", size=(110, 60))
    x = Box("x", at=(465, 60), role="blue", size=(110, 60))
    other = Box("other x", at=(465, 200), role="orange", size=(110, 60))
    got = _two_branches(190, "orange")
    wanted = _two_branches(600, "blue")
    parts = [
        *(hooked, x, other, *got, *wanted),
        text("a hook on x", (185, -5)),
        text("the experiment that we want", (600, -5)),
        Arrow(hooked.side("top"), got[0].side("left"), role="orange", bent=True),
        Arrow(hooked.side("bottom"), got[1].side("left"), role="orange", bent=True),
        Arrow(x.side("right"), wanted[0].side("left"), role="blue"),
        Arrow(other.side("right"), wanted[1].side("left"), role="orange"),
    ]
    return Drawing("A hook on x, and the experiment on one path", tuple(parts))


def _two_branches(x: float, role: str) -> list[Box | Arrow]:
    """Returns hidden in a role, skip in orange, and their arrows to a sum and the logits."""
    hidden = Box("hidden", at=(x, 60), role=role, size=(90, 50))
    skip = Box("skip", at=(x, 200), role="orange", size=(90, 50))
    total = plus((x + 75, 130))
    logits = Box("logits", at=(x + 155, 130), size=(76, 44))
    return [
        hidden,
        skip,
        total,
        logits,
        Arrow(hidden.side("right"), total.side("top"), role=role, bent=True),
        Arrow(skip.side("right"), total.side("bottom"), role="orange", bent=True),
        Arrow(total.side("right"), logits.side("left")),
    ]


def residual_stream() -> Drawing:
    """Draws a two-layer attention-only transformer, its heads beside the residual stream."""
    stream = Stream(x=220, bottom=460, top=100)
    size = (170, 36)
    tokens = Box("tokens [64]", at=(stream.x, 550), size=size)
    embed = Box("embed [64, 256]", at=(stream.x, 478), size=size)
    unembed = Box("ln_final, W_U", at=(stream.x, 82), size=size)
    logits = Box("logits [64, 1024]", at=(stream.x, 10), size=size)
    parts = [
        *(stream, tokens, embed, unembed, logits),
        Arrow(tokens.side("top"), embed.side("bottom")),
        Arrow(unembed.side("top"), logits.side("bottom")),
        text("blocks.0.resid_pre", (200, 435), hold="right"),
        text("blocks.0.resid_post", (200, 280), hold="right"),
        text("blocks.1.resid_post", (200, 125), hold="right"),
        *_layer(0, "blue", stream, bottom=435),
        *_layer(1, "orange", stream, bottom=280),
    ]
    return Drawing("The residual stream of a two-layer attention-only transformer", tuple(parts))


def _layer(layer: int, role: str, stream: Stream, bottom: float) -> list[Box | Arrow]:
    """Returns a layer's heads, which read the stream at the bottom and write to it above."""
    y = bottom - 55
    total = plus((stream.x, bottom - 110))
    first, *others = heads = [
        Box(f"head {layer}.0", at=(400, y), role=role, size=(90, 36)),
        Box(f"head {layer}.1", at=(510, y), role=role, size=(90, 36)),
        Box("…", at=(595, y), role=role, size=(40, 36)),
        Box(f"head {layer}.7", at=(680, y), role=role, size=(90, 36)),
    ]
    start, end = stream.side("right", bottom), total.side("right")
    return [
        *(total, *heads, text(f"layer {layer}", (745, y), hold="left", role=role)),
        Arrow(start, first.side("bottom"), "reads", role, bent=True, label_at=0.3),
        Arrow(first.side("top"), end, "writes", role, bent=True, label_at=0.7),
        *(Arrow(start, head.side("bottom"), role=role, bent=True) for head in others),
        *(Arrow(head.side("top"), end, role=role, bent=True) for head in others),
    ]


def network_nodes() -> Drawing:
    """Draws the digits network as a graph, in which every node has arrows to its children."""
    nodes = {
        "logits": Box("logits", (400, 20)),
        "out": Box("out", (230, 100), "blue"),
        "skip.product": Box("skip.product", (600, 100), "orange"),
        "out.weight": Box("out.weight", (110, 185)),
        "hidden": Box("hidden", (300, 185), "blue"),
        "inner": Box("inner", (300, 265), "blue"),
        "inner.product": Box("inner.product", (230, 350), "blue"),
        "inner.bias": Box("inner.bias", (410, 350)),
        "inner.weight": Box("inner.weight", (110, 440)),
        "x": Box("x", (600, 440), "green"),
        "skip": Box("skip", (500, 185)),
    }
    reads = {
        "logits": ["out", "skip.product"],
        "out": ["out.weight", "hidden"],
        "hidden": ["inner"],
        "inner": ["inner.product", "inner.bias"],
        "inner.product": ["inner.weight", "x"],
        "skip.product": ["skip", "x"],
    }
    note = text("two nodes read x", (640, 440), hold="left", role="green")
    return Drawing("The digits network as a graph", (*nodes.values(), note, *_reading(nodes, reads)))


def _reading(nodes: dict[str, Box], reads: dict[str, list[str]], role: str = "grey") -> list[Arrow]:
    """Returns an arrow from each reader down to each node that it reads."""
    return [
        Arrow(nodes[reader].side("bottom"), nodes[child].side("top"), role=role)
        for reader, children in reads.items()
        for child in children
    ]


def edit_shares() -> Drawing:
    """Draws a graph before and after an edit, and the node that both graphs share."""
    size = (80, 40)
    nodes = {
        "total": Box("total", (150, 60), "blue", size),
        "left": Box("left", (60, 150), "blue", size),
        "a": Box("a", (60, 240), "blue", size),
        "new total": Box("total", (450, 60), "orange", size),
        "new left": Box("left", (540, 150), "orange", size),
        "b": Box("b", (540, 240), "orange", size),
        "right": Box("right", (300, 150), size=size),
    }
    old = {"total": ["left", "right"], "left": ["a"]}
    new = {"new total": ["new left", "right"], "new left": ["b"]}
    notes = [
        text("before the edit", (150, 10), role="blue"),
        text("after the edit", (450, 10), role="orange"),
        text("shared", (300, 200)),
    ]
    arrows = [*_reading(nodes, old, "blue"), *_reading(nodes, new, "orange")]
    return Drawing("An edit builds new nodes and shares the others", (*nodes.values(), *notes, *arrows))


def patch_one_path() -> Drawing:
    """Draws a graph before and after the path through its skip is patched."""
    before, after = _skip_graph(0, "blue"), _skip_graph(430, "orange")
    after["x_other"] = Box("x_other", (700, 290), "orange")
    after["x"] = Box("x", (490, 290))
    rest = {"logits": ["out"], "out": ["hidden"], "hidden": ["x"], "skip.product": ["skip"]}
    parts = [*before.values(), *after.values()]
    for nodes, end, role in ((before, "x", "blue"), (after, "x_other", "orange")):
        parts += _reading(nodes, rest)
        for reader, child in (("logits", "skip.product"), ("skip.product", end)):
            start, tip = nodes[reader].side("bottom"), nodes[child].side("top")
            parts.append(Arrow(start, tip, "child 1", role))
    notes = [text("before", (165, -25), role="blue"), text("after", (595, -25), role="orange")]
    return Drawing("One path is patched, and the others stay", (*parts, *notes))


def _skip_graph(x: float, role: str) -> dict[str, Box]:
    """Returns the nodes of the digits networks that a patch of the skip path concerns."""
    return {
        "logits": Box("logits", (x + 165, 20), role),
        "out": Box("out", (x + 60, 110)),
        "hidden": Box("hidden", (x + 60, 200)),
        "skip.product": Box("skip.product", (x + 270, 110), role),
        "skip": Box("skip", (x + 175, 200)),
        "x": Box("x", (x + 270, 290)),
    }


def distribute() -> Drawing:
    """Draws a product with a sum, and the sum of products that it equals."""
    product = Box("(2a − b) w\neinsum", at=(150, 40), role="blue", size=(120, 54))
    inner = Box("2a − b\nadd", at=(80, 150), role="orange", size=(100, 54))
    a, b, w = (Box(name, at) for name, at in (("a", (30, 250)), ("b", (130, 250)), ("w", (220, 150))))
    outer = Box("2 (a w) − b w\nadd", at=(580, 40), role="orange", size=(150, 54))
    first = Box("a w\neinsum", at=(480, 150), role="blue", size=(100, 54))
    second = Box("b w\neinsum", at=(680, 150), role="blue", size=(100, 54))
    new = {name: Box(name, (x, 250)) for name, x in (("a", 430), ("w", 580), ("b", 730))}
    reads = [(product, inner), (product, w), (inner, a), (inner, b), (outer, first)]
    reads += [(outer, second), (first, new["a"]), (first, new["w"])]
    reads += [(second, new["w"]), (second, new["b"])]
    parts = [
        *(product, inner, a, b, w, outer, first, second, *new.values()),
        *(Arrow(reader.side("bottom"), read.side("top")) for reader, read in reads),
        Arrow(product.side("right"), outer.side("left"), "distribute", role="green"),
    ]
    return Drawing("An einsum over a sum, and the sum of einsums", tuple(parts))


def along_and_across() -> Drawing:
    """Draws a vector as its part along a direction and its part across it."""
    origin = Box("0", at=(40, 240))
    foot = Box("(x · u) u", at=(420, 240), role="orange")
    x = Box("x", at=(420, 40), role="blue")
    parts = [
        *(origin, foot, x),
        Arrow(origin.side("right"), foot.side("left"), "along", role="orange"),
        Arrow(foot.side("top"), x.side("bottom"), "across", role="green"),
        Arrow(origin.side("top"), x.side("left"), role="blue"),
        text("direction u, length 1", (230, 290)),
    ]
    return Drawing("A vector is its part along a direction plus its part across", tuple(parts))


def push_index() -> Drawing:
    """Draws an index that is pushed through relu, and one that softmax refuses."""
    columns = [
        _tower(60, ["index 2", "relu", "x"], "all numbers\nare computed"),
        _tower(270, ["relu", "index 2", "x"], "one number\nis computed"),
        _tower(480, ["index 0:3", "softmax", "scores"], ""),
        _tower(710, ["softmax", "index 0:3", "scores"], "sums of\nthree terms only"),
    ]
    before, after, wanted, wrong = (column[1] for column in columns)
    parts = [
        *(part for column in columns for part in column),
        Arrow(before.side("right"), after.side("left"), "push", role="green"),
        Arrow(wanted.side("right"), wrong.side("left"), "refused", role="orange", dashed=True),
    ]
    return Drawing("An index is pushed through relu, and softmax refuses it", tuple(parts))


def _tower(x: float, labels: list[str], note: str) -> list[Box | Arrow]:
    """Returns three nodes above each other, of which each reads the one below, and a note."""
    boxes = []
    for label, y in zip(labels, (40, 130, 220), strict=True):
        role = "orange" if label.startswith("index") else "blue"
        boxes.append(Box(label, (x, y), role if y < 220 else "grey", size=(100, 40)))
    arrows = [Arrow(one.side("bottom"), other.side("top")) for one, other in pairwise(boxes)]
    notes = [text(note, (x, 285))] if note else []
    return [*boxes, *arrows, *notes]


def head_to_logits() -> Drawing:
    """Draws head 0.0 on another text along its direct path, and on the prompt through layer 1."""
    other = Box("head 0.0\non the other text", at=(80, 50), role="orange", size=(160, 56))
    own = Box("head 0.0\non the prompt", at=(80, 170), role="blue", size=(160, 56))
    norm = Box("blocks.1.ln1", at=(248, 170), role="blue", size=(120, 40))
    heads = Box("heads 1.0 to 1.7", at=(408, 170), role="blue", size=(150, 40))
    total = plus((515, 50))
    unembed = Box("ln_final, W_U", at=(620, 50), size=(130, 40))
    logits = Box("logits", at=(745, 50), size=(80, 40))
    parts = [
        *(other, own, norm, heads, total, unembed, logits),
        Arrow(other.side("right"), total.side("left"), "direct path", role="orange"),
        Arrow(own.side("right"), norm.side("left"), role="blue"),
        Arrow(norm.side("right"), heads.side("left"), role="blue"),
        Arrow(heads.side("right"), total.side("bottom"), role="blue", bent=True),
        Arrow(total.side("right"), unembed.side("left")),
        Arrow(unembed.side("right"), logits.side("left")),
    ]
    return Drawing("Head 0.0 is patched along its direct path to the logits", tuple(parts))


def virtual_head() -> Drawing:
    """Draws two heads in a row, and the virtual head that leads from the key to the query."""
    key = Box("x at the key", at=(90, 250), size=(120, 40))
    middle = Box("middle position", at=(360, 150), size=(150, 40))
    query = Box("query", at=(640, 50), size=(90, 40))
    parts = [
        *(key, middle, query),
        Arrow(key.side("right"), middle.side("bottom"), "first head", "blue", bent=True, label_at=0.3),
        Arrow(middle.side("right"), query.side("bottom"), "second head", "orange", bent=True, label_at=0.3),
        Arrow(key.side("top"), query.side("left"), "virtual head", "green", dashed=True, bent=True),
    ]
    return Drawing("Two heads in a row move a vector like one head", tuple(parts))
