"""The attention views of circuitsvis, for a few heads on a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import torch

from remix_utils.errors import PlotError
from remix_utils.plot.interactive import (
    MIXED,
    Drawing,
    InteractivePicture,
    drawing_of,
    interactive,
    readable,
)
from remix_utils.plot.patterns import (
    AXES,
    TICKS,
    UNIT,
    is_causal,
    pattern_images,
    pattern_weights,
    row_sum_warning,
    strongest,
)
from remix_utils.plot.picture import legend, visible
from remix_utils.plot.style import SEQUENTIAL
from remix_utils.plot.values import one_each

MOST = 2**16  # weights in one view: 16 heads on 64 tokens take 4.5 s to appear
MOST_COLOUR = SEQUENTIAL[-1]
# circuitsvis gives the large pattern the width of its canvas, which has the width of the pattern:
# when a page changes its size, both can become 0.
WIDE = """<style>
[data-remix-circuitsvis] [style*="aspect-ratio"] { width: 100% !important }
</style>"""


def attention_heads(
    tokens: Sequence[str],
    patterns: torch.Tensor,
    names: Sequence[str],
    title: str = "Attention heads",
) -> InteractivePicture:
    """Draws attention patterns [heads, query, key] with circuitsvis, one head large below the rest.

    Use this view for a few heads of a sentence, where you read single weights off named axes.
    Measured in Chromium on 2 cores, 4 heads on 16 tokens take 14 kB and appear in 0.2 s,
    8 heads on 32 tokens take 64 kB and 1 s, and 16 heads on 128 tokens would take 1.4 MB and 10 s.
    `plot.attention` draws those in 0.1 s, so use `plot.attention` for all heads of a long passage.

    The colour follows the weight itself. The first picture of circuitsvis in a notebook embeds its
    JavaScript, 1.3 MB, and asks no outside host. Without JavaScript there is a static view.

    >>> from remix_utils import plot
    >>> pattern = torch.tensor([[[1.0, 0.0], [0.75, 0.25]]])
    >>> plot.attention_heads(["The", " cat"], pattern, ["0.3"])
    Attention heads
    0.3: ' cat' (1) → 'The' (0) 0.75; ' cat' (1) → ' cat' (1) 0.25

    Raises ShapeError when tokens, patterns and names do not fit, NanError, and PlotError for
    weights outside [0, 1] or more weights than circuitsvis can draw in a few seconds.
    """
    from circuitsvis.attention import attention_heads as render

    weights, names = _checked(tokens, patterns, names)
    rendered = render(
        weights.round(decimals=3),
        [readable(str(token)) for token in tokens],
        names,
        max_value=1.0,
        min_value=-1.0,
        positive_color=MOST_COLOUR,
        mask_upper_tri=is_causal(weights),
    )
    scale = legend({0.0: "0", 0.5: "0.5", 1.0: "1"}, ("#ffffff", MOST_COLOUR), UNIT, MIXED)
    return _picture(title, tokens, weights, names, drawing_of(rendered), WIDE + scale + AXES)


def attention_patterns(
    tokens: Sequence[str],
    patterns: torch.Tensor,
    names: Sequence[str],
    title: str = "Attention patterns",
) -> InteractivePicture:
    """Draws attention patterns [heads, query, key] with circuitsvis, above the coloured passage.

    Use this view to see which tokens of a sentence several heads attend to, each head in a hue of
    its own. It is the slowest view: 4 heads on 16 tokens take 2.5 s to appear, where
    `plot.attention_heads` takes 0.2 s. `plot.attention` has a coloured passage too and draws
    16 heads on 128 tokens in 0.1 s.

    >>> from remix_utils import plot
    >>> pattern = torch.tensor([[[1.0, 0.0], [0.75, 0.25]]])
    >>> plot.attention_patterns(["The", " cat"], pattern, ["0.3"])
    Attention patterns
    0.3: ' cat' (1) → 'The' (0) 0.75; ' cat' (1) → ' cat' (1) 0.25

    Raises the errors of `plot.attention_heads`.
    """
    from circuitsvis.attention import attention_patterns as render

    weights, names = _checked(tokens, patterns, names)
    rendered = render([readable(str(token)) for token in tokens], weights.round(decimals=3))
    # This view of circuitsvis counts its heads from 0 and takes no names.
    heads = " · ".join(f"head {place} is {escape(name)}" for place, name in enumerate(names))
    return _picture(title, tokens, weights, names, drawing_of(rendered), f"<div>{heads}</div>")


def _checked(tokens: Sequence[str], patterns: torch.Tensor, names: Sequence[str]) -> tuple[torch.Tensor, list[str]]:
    weights = pattern_weights(patterns, tokens)
    if weights.numel() > MOST:
        raise PlotError(
            f"{weights.numel():,} weights are more than the {MOST:,} that circuitsvis draws in a few seconds.",
            fix="show them with plot.attention, or show fewer heads.",
        )
    return weights, one_each(names, len(weights), "head names", "heads")


def _picture(
    title: str,
    tokens: Sequence[str],
    weights: torch.Tensor,
    names: list[str],
    drawing: Drawing,
    explained: str,
) -> InteractivePicture:
    """Joins circuitsvis's view with a static view that holds the same patterns and tokens."""
    shown = [visible(str(token)) for token in tokens]
    lines = strongest(weights, shown, names)
    warning = row_sum_warning(weights)
    passage = " ".join(f"{escape(token)}<sub>{place}</sub>" for place, token in enumerate(shown))
    still = (
        legend(TICKS, SEQUENTIAL, UNIT)
        + AXES
        + warning
        + pattern_images(weights, names)
        + f'<div style="margin-top:8px">Tokens: {passage}</div>'
        + "<div>The largest weights, query → key:</div>"
        + "".join(f"<div>{escape(line)}</div>" for line in lines)
    )
    text = "\n".join([title, *lines])
    return interactive(title, drawing, still, text, explained + warning)
