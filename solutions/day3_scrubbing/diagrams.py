"""The pictures of day 3, which its masters show as ![alt text](diagram:name)."""

from tools.drawing import Arrow, Drawing
from tools.plates import Box, text

# --- part 1 ---------------------------------------------------------------------------------------

OUTPUT, HALVES, TERMS, SIGNS = 40, 120, 200, 290  # the heights of the toy's nodes
DRAWN, PARENT, REFERENCE = 385, 480, 570  # the heights of the rows that are drawn


def rows_of_a_scrub() -> Drawing:
    """Draws the toy graph on the rows of a hypothesis: solid what is read, dashed what agrees."""
    output = Box("output", (400, OUTPUT), size=(90, 40))
    left, right = (Box(name, (x, HALVES), size=(90, 40)) for name, x in (("left", 220), ("right", 580)))
    odd = Box("odd", (120, TERMS), "blue", (90, 40))
    up, down = (Box(name, (x, TERMS), "pink", (90, 40)) for name, x in (("up", 310), ("down", 480)))
    same = Box("same", (660, TERMS), size=(90, 40))
    b, c = Box("b", (590, SIGNS), "green", (60, 40)), Box("c", (730, SIGNS), "orange", (60, 40))
    reads = [
        *((left, output), (right, output), (odd, left), (up, left), (down, right), (same, right)),
        *((b, same), (c, same)),
    ]
    nodes = [output, left, right, odd, up, down, same, b, c]
    arrows = [Arrow(low.side("top"), high.side("bottom")) for low, high in reads]
    rows, agreements = _drawn_rows(odd, up, down, b, c)
    note = text("a solid arrow is a value that is read · a dashed arrow is a feature that must agree", (400, 625))
    title = "One draw of a causal scrub: which node reads which row"
    return Drawing(title, (*nodes, *arrows, *rows, *agreements, note))


def _drawn_rows(odd: Box, up: Box, down: Box, b: Box, c: Box) -> tuple[list, list[Arrow]]:
    """Returns the rows with the arrows to their readers, and the arrows of what they agree with."""
    own = Box("odd's row", (120, DRAWN), "blue", (110, 40))
    others = Box("others' row:\nany row", (395, DRAWN), "pink", (130, 52))
    of_b, of_c = Box("b's row", (590, DRAWN), "green", (90, 40)), Box("c's row", (730, DRAWN), "orange", (90, 40))
    of_same = Box("same's row", (660, PARENT), size=(120, 40))
    reference = Box("reference", (260, REFERENCE), size=(120, 40))
    pairs = [(own, odd, "blue"), (of_b, b, "green"), (of_c, c, "orange")]
    read = [Arrow(row.side("top"), node.side("bottom"), role=role) for row, node, role in pairs]
    read += [Arrow(others.side("top", 0.25), up.side("bottom"), role="pink")]
    read += [Arrow(others.side("top", 0.75), down.side("bottom"), role="pink")]
    agrees = [
        Arrow(reference.side("left"), own.side("bottom"), "the parity of a", "blue", dashed=True, bent=True),
        Arrow(reference.side("right"), of_same.side("bottom"), "whether b = c", dashed=True, bent=True),
        Arrow(of_same.side("top", 0.2), of_b.side("bottom"), "b", "green", dashed=True),
        Arrow(of_same.side("top", 0.8), of_c.side("bottom"), "c", "orange", dashed=True),
    ]
    return [own, others, of_b, of_c, of_same, reference, *read], agrees


# --- part 2 ---------------------------------------------------------------------------------------


def textbook() -> Drawing:
    """Draws the textbook hypothesis of induction: the sides of the heads, and the rows that they read."""
    logits, heads = Box("logits", (390, 40), size=(100, 40)), Box("heads 1.1 and 1.3", (390, 125), size=(180, 40))
    rest = Box("everything else:\nreference", (640, 40), "blue", (170, 52))
    sources = {"q": "embedding:\nreference", "k": "head 0.0:\nreference", "v": "embedding:\nreference"}
    parts = [logits, heads, rest, Arrow(heads.side("top"), logits.side("bottom"))]
    parts += [Arrow(rest.side("left"), logits.side("right"), role="blue")]
    for place, (side, source) in enumerate(sources.items()):
        middle = 130 + 260 * place
        node = Box(side, (middle, 215), size=(60, 40))
        claimed = Box(source, (middle - 64, 320), "blue", (122, 52))
        others = Box("all else:\nanother text", (middle + 64, 320), "pink", (122, 52))
        to_heads = Arrow(node.side("top"), heads.side(("left", "bottom", "right")[place]), bent=True)
        parts += [node, claimed, others, to_heads]
        parts += [Arrow(claimed.side("top"), node.side("bottom", 0.25), role="blue")]
        parts += [Arrow(others.side("top"), node.side("bottom", 0.75), role="pink")]
    return Drawing("The textbook hypothesis about induction heads", tuple(parts))


# --- part 3 ---------------------------------------------------------------------------------------


def two_equal_means() -> Drawing:
    """Draws the loss of four examples, clean and scrubbed: unchanged at left, cancelling at right."""
    clean = (2, 3, 1, 2)
    parts = [text("a claim that is true", (190, 20)), text("a claim that is false", (590, 20))]
    for left, scrubbed in ((60, clean), (460, (3, 2, 0, 3))):
        parts += [text("clean", (left - 15, 70)), text("scrubbed", (left - 15, 190))]
        for column, (before, after) in enumerate(zip(clean, scrubbed, strict=True)):
            parts += _example(left + 55 + 52 * column, before, after)
        parts += [Box("mean 2", (left + 285, 70)), Box("mean 2", (left + 285, 190))]
    return Drawing("Two scrubs with one mean loss", tuple(parts))


def _example(x: float, before: int, after: int) -> list[Box | Arrow]:
    """Returns one example's clean and scrubbed loss, and the arrow between them."""
    role = {1: "orange", 0: "grey", -1: "green"}[after - before]
    clean, scrubbed = Box(str(before), (x, 70), size=(40, 40)), Box(str(after), (x, 190), role, (40, 40))
    return [clean, scrubbed, Arrow(clean.side("bottom"), scrubbed.side("top"), role=role)]
