"""Draws attention patterns: every head at a glance, and one head large beside its text."""

from __future__ import annotations

import json
import zlib
from base64 import b64encode
from collections.abc import Sequence
from pathlib import Path

import torch

from remix_utils.errors import PlotError
from remix_utils.plot.patterns import (
    AXES,
    PALETTE,
    TICKS,
    UNIT,
    is_causal,
    pattern_images,
    pattern_weights,
    row_sum_warning,
    strongest,
)
from remix_utils.plot.picture import Picture, frame, legend, visible
from remix_utils.plot.style import SEQUENTIAL, ink_on
from remix_utils.plot.values import one_each

SCRIPT = Path(__file__).with_suffix(".js")
MOST = 2**22  # weights in one view: 16 heads on 512 tokens
ZOOM = """
<div class="zoom" style="display:none; border-top:1px solid #ddd; margin-top:12px; padding-top:8px">
<div class="reading" style="font-size:14px; white-space:pre; height:22px; overflow:hidden"></div>
<div style="display:flex; gap:20px; flex-wrap:wrap; align-items:flex-start">
<div style="max-height:620px; max-width:560px; overflow:auto">
<canvas class="matrix" style="cursor:crosshair">
</canvas></div>
<div style="flex:1; min-width:210px">
<div style="margin-bottom:8px">Colour the text by <select class="direction">
<option value="keys">where this token looks</option>
<option value="queries">which tokens look at it</option></select>
<div style="color:#666; font-size:12px">Point at a token. Click to hold it, then point at others.
</div></div>
<div class="passage" style="font-size:14px; line-height:1.8; max-height:500px; padding:2px;
overflow:auto; overflow-wrap:anywhere"></div>
</div></div></div>
"""


def attention(
    tokens: Sequence[str], patterns: torch.Tensor, names: Sequence[str], title: str = "Attention patterns"
) -> Picture:
    """Draws attention patterns [heads, query, key] of one text, all heads small and one head large.

    Use this view for all heads of a long passage, and `plot.attention_heads` for a few heads of a
    sentence. Measured in Chromium on 2 cores, 16 heads on 128 tokens are 225 kB and appear in
    0.1 s here, and are 1.4 MB and take 10 s to appear with circuitsvis.

    The colour follows the square root of the weight, so that an even spread over many tokens still
    shows. The view is part of what the notebook saves, and is whole without JavaScript.

    >>> from remix_utils import plot
    >>> pattern = torch.tensor([[[1.0, 0.0], [0.75, 0.25]]])
    >>> plot.attention(["The", " cat"], pattern, ["0.3"])
    Attention patterns
    0.3: ' cat' (1) → 'The' (0) 0.75; ' cat' (1) → ' cat' (1) 0.25

    Raises ShapeError when tokens, patterns and names do not fit, NanError, and PlotError for
    weights outside [0, 1].
    """
    weights = pattern_weights(patterns, tokens)
    if weights.numel() > MOST:
        raise PlotError(
            f"{weights.numel():,} weights are more than the {MOST:,} that one view can hold.",
            fix="show fewer heads, or part of the text: patterns[:, :256, :256] and tokens[:256].",
        )
    names = one_each(names, len(weights), "head names", "heads")
    tokens = [visible(str(token)) for token in tokens]
    body = (
        legend(TICKS, SEQUENTIAL, UNIT)
        + AXES
        + row_sum_warning(weights)
        + pattern_images(weights, names)
        + ZOOM
        + f'<script class="given" type="application/json">{_data(tokens, weights, names)}</script>'
        + f"<script>{SCRIPT.read_text(encoding='utf-8')}</script>"
    )
    text = "\n".join([title, *strongest(weights, tokens, names)])
    return Picture(frame(title, body, "data-remix-attention"), text)


def _data(tokens: list[str], weights: torch.Tensor, names: list[str]) -> str:
    """What the script draws, as JSON inside HTML."""
    given = {
        "tokens": tokens,
        "names": names,
        "causal": is_causal(weights),
        "palette": PALETTE,
        "inks": [ink_on(colour) for colour in PALETTE],
        "thousandths": _packed((weights * 1000).round()),
    }
    return json.dumps(given, ensure_ascii=False).replace("<", "\\u003c")


def _packed(thousandths: torch.Tensor) -> str:
    return b64encode(zlib.compress(thousandths.numpy().astype("<u2").tobytes(), 9)).decode()
