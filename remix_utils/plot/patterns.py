"""Checks attention patterns [heads, query, key], and shows them as still pictures and as text."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import torch

from remix_utils.errors import PlotError, ShapeError
from remix_utils.plot.png import png
from remix_utils.plot.style import colour_at
from remix_utils.plot.values import tensor

LEVELS = 64
PALETTE = [colour_at(level / (LEVELS - 1)) for level in range(LEVELS)]
TICKS = {weight**0.5: f"{weight:g}" for weight in (0.0, 0.01, 0.1, 0.25, 0.5, 1.0)}
UNIT = "attention weight (probability)"
AXES = (
    '<div style="color:#666; font-size:12px">'
    "rows: the token that attends (query) · columns: the token attended to (key)</div>"
)


def pattern_weights(patterns: torch.Tensor, tokens: Sequence[str]) -> torch.Tensor:
    """Returns attention weights between 0 and 1 in double precision, [heads, query, key].

    >>> pattern_weights(torch.ones(1, 1, 1), ["The"])
    tensor([[[1.]]], dtype=torch.float64)

    Raises ShapeError when patterns and tokens do not fit, NanError, and PlotError outside [0, 1].
    """
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
    return weights.clamp(0, 1)


def is_causal(weights: torch.Tensor) -> bool:
    """Tells whether no query attends to a later key.

    >>> is_causal(torch.eye(2)[None]), is_causal(torch.eye(2).flip(0)[None])
    (True, False)
    """
    return not weights.triu(1).any()


def row_sum_warning(weights: torch.Tensor) -> str:
    """Returns a warning in HTML when rows do not sum to 1, as after a softmax over the wrong axis.

    >>> row_sum_warning(torch.eye(2)[None])
    ''
    """
    sums = weights.sum(-1)
    wrong = int(((sums - 1).abs() > 0.01).sum())
    if not wrong:
        return ""
    extent = f"their sums go from {sums.min():.2f} to {sums.max():.2f}."
    return (
        '<div style="border-left:4px solid #D55E00; padding-left:8px; margin:6px 0">'
        f"{wrong} of {sums.numel()} rows do not sum to 1: {extent}</div>"
    )


def pattern_images(weights: torch.Tensor, names: list[str]) -> str:
    """Returns all patterns as pictures with their names, which need no JavaScript.

    >>> pattern_images(torch.eye(2)[None], ["0.3"]).count("<img")
    1
    """
    heads, seq, _ = weights.shape
    columns = next((n for n in (8, 7, 6, 5, 4) if heads % n == 0), min(heads, 8))
    levels = (weights.sqrt() * (LEVELS - 1)).round()
    if is_causal(weights):
        levels = levels.masked_fill(torch.ones(seq, seq).triu(1) > 0, LEVELS)
    figures = (
        '<figure style="margin:0; padding:3px; outline:none">'
        f"<figcaption>{escape(name)}</figcaption>"
        f'<img alt="attention pattern of head {escape(name)}" style="display:block; width:100%" '
        f'src="{png(level.int().tolist(), [*PALETTE, "#ffffff"], least=100)}"></figure>'
        for name, level in zip(names, levels, strict=True)
    )
    grid = (
        f"display:grid; grid-template-columns:repeat({columns}, minmax(0, 1fr)); gap:4px; max-width:{220 * columns}px"
    )
    return f'<div style="{grid}; margin-top:6px">{"".join(figures)}</div>'


def strongest(weights: torch.Tensor, tokens: list[str], names: list[str], most: int = 3) -> list[str]:
    """Returns the largest weights of each head as a line of text, without the first token's row.

    A causal head gives all of the first token's attention to that token, so the row is no finding.

    >>> strongest(torch.tensor([[[1.0, 0.0], [0.75, 0.25]]]), ["The", " cat"], ["0.3"], most=1)
    ["0.3: ' cat' (1) → 'The' (0) 0.75"]
    """
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
    return lines
