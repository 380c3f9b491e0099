"""The pictures of day 1, which its masters show as ![alt text](diagram:name)."""

from tools.drawing import Arrow, Drawing, Stream
from tools.plates import Box, plus, text


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
