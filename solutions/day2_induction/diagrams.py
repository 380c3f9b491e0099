"""The pictures of day 2, which its masters show as ![alt text](diagram:name)."""

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
