"""The attention view: every head's pattern at a glance, one of them large, beside the text it reads."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path
from struct import pack

import torch

from remix_utils.errors import PlotError, ShapeError
from remix_utils.plot.picture import Picture, frame, legend, visible
from remix_utils.plot.style import SEQUENTIAL, colour_at, ink_on
from remix_utils.plot.values import one_each, tensor

SCRIPT = Path(__file__).with_suffix(".js")
LEVELS = 64
PALETTE = [colour_at(level / (LEVELS - 1)) for level in range(LEVELS)]
MOST = 2**22  # weights in one view: 16 heads on 512 tokens
TICKS = (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)
ZOOM = """
<div class="zoom" style="display:none; border-top:1px solid #ddd; margin-top:12px; padding-top:8px">
<div class="reading" style="font-size:14px; white-space:pre; height:22px; overflow:hidden"></div>
<div style="display:flex; gap:20px; flex-wrap:wrap; align-items:flex-start">
<div style="max-height:620px; max-width:560px; overflow:auto"><canvas class="matrix" style="cursor:crosshair">
</canvas></div>
<div style="flex:1; min-width:210px">
<div style="margin-bottom:8px">Colour the text by <select class="direction">
<option value="keys">where this token looks</option><option value="queries">which tokens look at it</option></select>
<div style="color:#666; font-size:12px">Point at a token. Click to hold it, then point at others.</div></div>
<div class="passage" style="font-size:14px; line-height:1.8; max-height:500px; padding:2px;
overflow:auto; overflow-wrap:anywhere"></div>
</div></div></div>
"""


def attention(
    tokens: Sequence[str], patterns: torch.Tensor, names: Sequence[str], title: str = "Attention patterns"
) -> Picture:
    """Attention patterns [heads, query, key] of one text: all heads small, and the chosen one large beside the text.

    The colour follows the square root of the weight, so that an even spread over many tokens still shows. Rows that
    do not sum to 1 are drawn, and the picture says so. The view is part of what the notebook saves, and without
    JavaScript all patterns are still there.

    >>> from remix_utils import plot
    >>> pattern = torch.tensor([[[1.0, 0.0], [0.75, 0.25]]])
    >>> plot.attention(["The", " cat"], pattern, ["0.3"])
    Attention patterns
    0.3: ' cat' (1) → 'The' (0) 0.75; ' cat' (1) → ' cat' (1) 0.25

    Raises ShapeError when tokens, patterns and names do not fit, NanError, and PlotError for weights outside [0, 1].
    """
    weights = _weights(patterns, tokens)
    names = one_each(names, len(weights), "head names", "heads")
    tokens = [visible(str(token)) for token in tokens]
    causal = not weights.triu(1).any()
    given = {
        "tokens": tokens,
        "names": names,
        "causal": causal,
        "palette": PALETTE,
        "inks": [ink_on(colour) for colour in PALETTE],
        "thousandths": _packed((weights * 1000).round()),
    }
    data = json.dumps(given, ensure_ascii=False).replace("<", "\\u003c")
    notes = "rows: the token that looks (query) · columns: the token looked at (key)"
    body = (
        legend({tick**0.5: f"{tick:g}" for tick in TICKS}, SEQUENTIAL, "attention weight (probability)")
        + f'<div style="color:#666; font-size:12px">{notes}</div>'
        + _warning(weights)
        + _small(weights, names, causal)
        + ZOOM
        + f'<script class="given" type="application/json">{data}</script>'
        + f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    )
    return Picture(frame(title, body, "data-remix-attention"), f"{title}\n{_strongest(weights, tokens, names)}")


def _weights(patterns: torch.Tensor, tokens: Sequence[str]) -> torch.Tensor:
    shape = list(torch.as_tensor(patterns).shape)
    if len(shape) != 3 or 0 in shape or shape[1:] != [len(tokens)] * 2:
        raise ShapeError(
            f"Patterns of {shape} for {len(tokens)} tokens.",
            fix="give patterns [heads, seq, seq] with one token a position; one pattern alone is pattern[None].",
        )
    weights = tensor(patterns, "Attention patterns")
    low, high = weights.min().item(), weights.max().item()
    if low < -1e-4 or high > 1 + 1e-4:
        raise PlotError(
            f"Attention weights lie between 0 and 1, these between {low:g} and {high:g}.",
            fix="give the pattern after softmax; plot.heatmap shows any matrix.",
        )
    if weights.numel() > MOST:
        raise PlotError(
            f"{weights.numel():,} weights are more than the {MOST:,} that one view can hold.",
            fix="show fewer heads, or a part of the text: patterns[:, :256, :256] and tokens[:256].",
        )
    return weights.clamp(0, 1)


def _warning(weights: torch.Tensor) -> str:
    """Says so when rows are no distributions: an ablated head, or a softmax over the wrong axis."""
    sums = weights.sum(-1)
    wrong = int(((sums - 1).abs() > 0.01).sum())
    if not wrong:
        return ""
    says = f"{wrong} of {sums.numel()} rows do not sum to 1: their sums go from {sums.min():.2f} to {sums.max():.2f}."
    return f'<div style="border-left:4px solid #D55E00; padding-left:8px; margin:6px 0">{says}</div>'


def _small(weights: torch.Tensor, names: list[str], causal: bool) -> str:
    """All patterns as pictures with their names, for every reader, with JavaScript or without."""
    heads, seq, _ = weights.shape
    columns = next((n for n in (8, 7, 6, 5, 4) if heads % n == 0), min(heads, 8))
    levels = (weights.sqrt() * (LEVELS - 1)).round()
    if causal:
        levels = levels.masked_fill(torch.ones(seq, seq).triu(1) > 0, LEVELS)
    figures = (
        f'<figure style="margin:0; padding:3px; outline:none"><figcaption>{escape(name)}</figcaption>'
        f'<img alt="attention pattern of head {escape(name)}" style="display:block; width:100%" '
        f'src="data:image/png;base64,{b64encode(_png(level)).decode()}"></figure>'
        for name, level in zip(names, levels, strict=True)
    )
    grid = (
        f"display:grid; grid-template-columns:repeat({columns}, minmax(0, 1fr)); gap:4px; max-width:{220 * columns}px"
    )
    return f'<div style="{grid}; margin-top:6px">{"".join(figures)}</div>'


def _png(levels: torch.Tensor) -> bytes:
    """A square picture of places in the palette [seq, seq], at least 100 wide; the last place is white."""
    each = -(-100 // len(levels))
    levels = levels.repeat_interleave(each, 0).repeat_interleave(each, 1)
    side = len(levels)
    palette = bytes.fromhex("".join(PALETTE).replace("#", "") + "ffffff")
    rows = torch.cat([torch.zeros(side, 1), levels], dim=1).to(torch.uint8)  # each row begins with its filter, none
    chunks = (
        (b"IHDR", pack(">IIBBBBB", side, side, 8, 3, 0, 0, 0)),
        (b"PLTE", palette),
        (b"IDAT", zlib.compress(rows.numpy().tobytes(), 9)),
        (b"IEND", b""),
    )
    parts = (pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def _packed(thousandths: torch.Tensor) -> str:
    return b64encode(zlib.compress(thousandths.numpy().astype("<u2").tobytes(), 9)).decode()


def _strongest(weights: torch.Tensor, tokens: list[str], names: list[str], most: int = 3) -> str:
    """A line for each head: its largest weights. The first token, which may have no choice, is left out."""
    first = min(1, len(tokens) - 1)
    lines = []
    for name, pattern in zip(names, weights, strict=True):
        top = pattern[first:].flatten().topk(min(most, pattern[first:].numel()))
        pairs = ((first + place // len(tokens), place % len(tokens)) for place in top.indices.tolist())
        each = (
            f"{tokens[query]!r} ({query}) → {tokens[key]!r} ({key}) {weight:.2f}"
            for (query, key), weight in zip(pairs, top.values.tolist(), strict=True)
        )
        lines.append(f"{name}: " + "; ".join(each))
    return "\n".join(lines)
