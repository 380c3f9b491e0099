"""Text whose tokens are coloured by a value each."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import torch

from remix_utils.errors import PlotError
from remix_utils.plot.picture import Picture, frame, legend, visible
from remix_utils.plot.style import colour_at, decimals, ink_on, scale
from remix_utils.plot.values import numbers, one_each

# What one points at is read in one fixed place, at the top right: nothing covers the text or is cut off at its edge.
STYLE = """<style>
.remix-token { padding: 2px var(--apart); border-right: 1px solid #fff; white-space: pre-wrap; cursor: default }
.remix-token:hover { outline: 2px solid #E69F00 }
.remix-token:hover::after { content: attr(data-value); position: absolute; right: 12px; top: 12px; background: #222;
  color: #fff; padding: 3px 10px; white-space: pre; font-size: 13px }
</style>"""


def tokens(tokens: Sequence[str], values: torch.Tensor | Sequence[float | None], title: str, unit: str) -> Picture:
    """A text, each token coloured by its value, which the reader sees on pointing at it; None for no value.

    Grey is zero, blue is more, red is below zero.

    >>> from remix_utils import plot
    >>> plot.tokens(["The", " cat", " sat"], [None, 5.25, 2.0], "Loss per token", "nats")
    Loss per token (nats)
    The · cat 5.25 · sat 2.00

    Raises ShapeError for a wrong number of values, NanError, and PlotError when no token has a value.
    """
    given = values.detach().flatten().tolist() if isinstance(values, torch.Tensor) else list(values)
    tokens = one_each(tokens, len(given), "tokens", "values")
    known = numbers([value for value in given if value is not None], title)
    if not known:
        raise PlotError(f"{title!r} has 0 values for {len(tokens)} tokens.", fix="give at least one token a value.")
    colours, low, high = scale(min(known), max(known))
    digits = decimals(high)
    shown = ["" if value is None else f"{value:.{digits}f}" for value in given]
    apart = not any(" " in token for token in tokens)  # words, not pieces of text that bring their own spaces
    spans = []
    for place, (token, value, label) in enumerate(zip(tokens, given, shown, strict=True)):
        colour = "#ffffff" if value is None else colour_at((value - low) / (high - low), colours)
        note = f"{place}: {visible(token)!r}  {label} {unit}" if label else f"{place}: {visible(token)!r}  no value"
        spans.append(
            f'<span class="remix-token" data-value="{escape(note)}" style="background:{colour}; '
            f'color:{ink_on(colour)}">{escape(visible(token))}</span>'
            + ("<br>" if "\n" in token else "<wbr>" if apart else "")
        )
    ticks = {place: f"{low + place * (high - low):.{digits}f}" for place in (0.0, 0.5, 1.0)}
    look = f"font-size:15px; line-height:1.9; overflow-wrap:anywhere; --apart:{'4px' if apart else '0'}"
    body = f'<div style="{look}">{"".join(spans)}</div>'
    text = " · ".join(f"{visible(token).strip()} {label}".strip() for token, label in zip(tokens, shown, strict=True))
    return Picture(frame(title, STYLE + legend(ticks, colours, unit) + body), f"{title} ({unit})\n{text}")
