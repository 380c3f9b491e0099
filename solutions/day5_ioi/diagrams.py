"""The pictures of day 5, which its masters show as ![alt text](diagram:name)."""

import itertools

from remix_utils.models import smollm2
from tools.drawing import Arrow, Drawing
from tools.plates import Box, text

# --- part 1 ---------------------------------------------------------------------------------------


def roles() -> Drawing:
    """Draws a prompt with the role under each of its names, and the word that should follow."""
    middle, below = 70, 150
    words = [("After", 60, ""), ("Mary", 150, "IO"), ("and", 225, ""), ("John", 300, "S1")]
    words += [("went to the store,", 430, ""), ("John", 560, "S2"), ("gave a drink", 665, "")]
    words += [("to", 755, "END")]
    colours = {"IO": "green", "S1": "orange", "S2": "orange", "END": "blue"}
    parts = []
    for word, x, role in words:
        if not role:
            parts.append(text(word, (x, middle)))
            continue
        box = Box(word, (x, middle), colours[role], (64, 40))
        label = Box(role, (x, below), colours[role], (60, 34))
        parts += [box, label, Arrow(label.side("top"), box.side("bottom"), role=colours[role])]
    answer = Box("Mary?", (755, 230), "green", (80, 40))
    parts += [answer, Arrow(label.side("bottom"), answer.side("top"))]
    return Drawing("A prompt and its roles: the model answers after END", tuple(parts))


# --- part 2 ---------------------------------------------------------------------------------------


def patching() -> Drawing:
    """Draws two runs, and the one stream that goes from the other run into the clean one."""
    above, below, parts = 70, 190, []
    runs = ((above, "other run", "orange", "IO at S2"), (below, "clean run", "green", "S at S2"))
    streams = []
    for y, name, role, prompt in runs:
        start = Box(f"{name}\n{prompt}", (80, y), role, (120, 54))
        first = Box("first blocks", (255, y), "grey", (120, 44))
        stream = Box("stream at S2", (425, y), role, (130, 44))
        parts += [start, first, stream, Arrow(start.side("right"), first.side("left"))]
        parts.append(Arrow(first.side("right"), stream.side("left"), dashed=y == below))
        streams.append(stream)
    later = Box("later blocks", (588, below), "grey", (122, 44))
    result = Box("difference", (735, below), "blue", (116, 44))
    patch = Arrow(streams[0].side("bottom"), streams[1].side("top"), "patch", role="orange")
    parts += [later, result, patch, Arrow(streams[1].side("right"), later.side("left"))]
    parts.append(Arrow(later.side("right"), result.side("left")))
    return Drawing("A patch takes one stream from another run, at one position", tuple(parts))


# --- part 3 ---------------------------------------------------------------------------------------


def path_patch() -> Drawing:
    """Draws a head on two prompts, of which one reader sees ABC and all others the prompt."""
    high, low = 60, 180
    on_abc = Box("head on\nABC", (100, high), "orange", (140, 54))
    on_prompt = Box("head on the\nprompt", (100, low), "green", (140, 54))
    queries = Box("queries of the\nname movers", (400, high), "orange", (170, 54))
    others = Box("other heads\nand MLPs", (400, low), "green", (170, 54))
    logits = Box("logits", (690, 120), "blue", (110, 44))
    arrows = (
        Arrow(on_abc.side("right"), queries.side("left"), role="orange"),
        Arrow(queries.side("right"), logits.side("left"), role="orange"),
        Arrow(on_prompt.side("right"), others.side("left"), role="green"),
        Arrow(on_prompt.side("bottom"), logits.side("bottom"), role="green", bent=True),
    )
    parts = (on_abc, on_prompt, queries, others, logits, *arrows)
    return Drawing("A path patch changes what one reader sees", parts)


# --- part 4 ---------------------------------------------------------------------------------------


def self_repair() -> Drawing:
    """Draws the parts of the difference with the name movers and without them, as rows of bars."""
    high, low = 70, 210
    parts = [text("before", (50, high)), text("movers\nknocked out", (60, low))]
    parts += [
        Box("name movers", (210, high), "green", (170, 44)),
        Box("other parts", (410, high), "blue", (210, 44)),
        Box("minus negative heads", (624, high), "orange", (200, 44)),
        Box("other parts, scaled up", (250, low), "blue", (250, 44)),
        Box("minus negative", (459, low), "orange", (148, 44)),
    ]
    scale = text("divided by a smaller scale", (250, low + 50))
    quiet = text("they have less to push down", (690, 150))
    arrow = Arrow(parts[4].side("bottom"), parts[6].side("top"), role="orange")
    return Drawing("What makes up for the name movers", (*parts, arrow, scale, quiet))


# --- part 5 ---------------------------------------------------------------------------------------


def claims() -> Drawing:
    """Draws the stages of the circuit, with the number of each claim at the arrow it is about."""
    y, low = 90, 210
    duplicate = Box("duplicate", (69, y), "grey", (114, 44))
    induction = Box("induction", (226, y), "grey", (114, 44))
    inhibition = Box("S-inhibition", (392, y), "orange", (136, 44))
    movers = Box("name movers", (568, y), "green", (136, 44))
    result = Box("difference", (735, y), "blue", (114, 44))
    name = Box("IO's name", (568, low), "green", (120, 40))
    row = [duplicate, induction, inhibition, movers, result]
    arrows = [Arrow(a.side("right"), b.side("left")) for a, b in itertools.pairwise(row)]
    arrows.append(Arrow(name.side("top"), movers.side("bottom"), role="green"))
    marks = [("5", 147), ("3, 4", 480), ("1, 6", 657)]
    labels = [text(label, (x, y - 40)) for label, x in marks]
    labels += [text("2", (595, 150)), text("queries", (480, y + 44)), text("values", (640, 172))]
    return Drawing("Six claims about the circuit, each at its arrow", (*row, name, *arrows, *labels))


# --- part 6 ---------------------------------------------------------------------------------------


def two_by_two() -> Drawing:
    """Draws the table of two causes, with an arrow for the effect of each."""
    left, right, high, low = 150, 480, 80, 220
    same = Box("same token,\nsame position", (left, high), "green", (180, 56))
    token = Box("another token,\nsame position", (right, high), "orange", (180, 56))
    position = Box("same token,\ninverted position", (left, low), "blue", (180, 56))
    both = Box("another token,\ninverted position", (right, low), "pink", (180, 56))
    arrows = (
        Arrow(same.side("right"), token.side("left"), "token", role="orange"),
        Arrow(position.side("right"), both.side("left"), "token", role="orange"),
        Arrow(same.side("bottom"), position.side("top"), "position", role="blue"),
        Arrow(token.side("bottom"), both.side("top"), "position", role="blue"),
    )
    above = text("effect of each cause, averaged over the other", (315, 24))
    return Drawing("Two causes in one table", (same, token, position, both, *arrows, above))


def circuit() -> Drawing:
    """Draws SmolLM2's circuit with the figures of its full run, in logits, at the arrows."""
    measured = smollm2.measured()

    def figure(*names: str) -> str:
        return f"{sum(measured[f'paths.{name}'][0] for name in names):.2f}".replace("-", "−")

    top, middle, low = 70, 190, 310
    movers = ("direct.23.0", "direct.23.1", "direct.23.2", "direct.23.7")
    previous = Box("previous token\n16.0 11.1 1.2 ...", (83, top), "grey", (146, 50))
    duplicate = Box("duplicate token\n8.1 9.2 5.6 ...", (83, low), "grey", (146, 50))
    induction = Box("induction\n17.4 17.5", (263, top), "grey", (110, 50))
    mlp = Box("MLP 17", (263, middle), "pink", (110, 44))
    senders = Box("S-inhibition\n20.0 19.2", (430, middle), "orange", (120, 50))
    copiers = Box("name movers\n23.0 .1 .2 .7", (607, middle), "green", (130, 50))
    lowers = Box("lowers S\n23.3", (500, top), "green", (100, 50))
    at_end = Box("reads END\n29.1", (619, top), "green", (106, 50))
    negative = Box("negative\n24.4 29.0", (607, low), "pink", (120, 50))
    logits = Box("logits", (757, middle), "blue", (66, 44))
    queries = figure("queries.20.0", "queries.19.2")
    against = figure("direct.24.4", "direct.29.0")
    up = {"role": "green"}
    arrows = (
        Arrow(previous.side("right"), induction.side("left"), figure("early.previous, induction keys")),
        Arrow(induction.side("bottom"), mlp.side("top"), figure("values.MLP 17.17.4")),
        Arrow(induction.side("right"), senders.side("top"), figure("early.induction, direct")),
        Arrow(mlp.side("right"), senders.side("left"), figure("values.MLP 17")),
        Arrow(duplicate.side("right"), senders.side("bottom"), figure("early.duplicate, direct")),
        Arrow(senders.side("right"), copiers.side("left"), queries),
        Arrow(copiers.side("right"), logits.side("left"), figure(*movers), **up),
        Arrow(lowers.side("top"), logits.side("top"), figure("direct.23.3"), bent=True, **up),
        Arrow(at_end.side("right"), logits.side("top"), figure("direct.29.1"), **up),
        Arrow(negative.side("right"), logits.side("bottom"), against, role="pink"),
    )
    sides = (text("keys", (182, 112)), text("values", (340, 152)), text("queries", (516, 152)))
    early_boxes = (previous, duplicate, induction, mlp, senders)
    late_boxes = (copiers, lowers, at_end, negative, logits)
    title = "The circuit of SmolLM2, with its measured effects"
    return Drawing(title, (*early_boxes, *late_boxes, *arrows, *sides))
