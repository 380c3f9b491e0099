"""Text whose tokens are coloured by a value each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import torch

from remix_utils.errors import BoundsError, PlotError, ShapeError
from remix_utils.plot.interactive import (
    MIXED,
    InteractivePicture,
    drawing_of,
    interactive,
    readable,
)
from remix_utils.plot.picture import legend, visible
from remix_utils.plot.style import DIVERGING, SEQUENTIAL, colour_at, decimals, ink_on, scale
from remix_utils.plot.values import numbers, one_each, tensor

# What one points at is read in one fixed place, at the top right: nothing covers the text or is
# cut off at its edge.
STYLE = """<style>
.remix-token { padding: 2px var(--apart); border-right: 1px solid #fff; white-space: pre-wrap;
  cursor: default }
.remix-token:hover { outline: 2px solid #E69F00 }
.remix-token:hover::after { content: attr(data-value); position: absolute; right: 12px; top: 12px;
  background: #222; color: #fff; padding: 3px 10px; white-space: pre; font-size: 13px }
</style>"""
LEAST_LOG_PROB = -5.0  # circuitsvis colours no log-probability below it
PROBABLE = ("#ffffff", "#ff0000")  # circuitsvis's colours for log-probabilities
TOOLTIP = 80  # pixels under a text, where circuitsvis shows a token's value


@dataclass(frozen=True)
class ColourScale:
    """The colours of the values from `low` to `high`, and the unit of the values.

    >>> ColourScale(("#ffffff", "#000000"), 0.0, 2.0, "nats").colour(2.0)
    '#000000'
    """

    stops: tuple[str, ...]
    low: float
    high: float
    unit: str

    def colour(self, value: float | None) -> str:
        """Returns the colour of a value, and white for no value."""
        if value is None:
            return "#ffffff"
        return colour_at((value - self.low) / (self.high - self.low), self.stops)

    def legend(self, stops: tuple[str, ...], towards: str = "to right") -> str:
        """Returns a legend with these colours for the same values."""
        digits = decimals(max(abs(self.low), abs(self.high)))
        extent = self.high - self.low
        ticks = {place: f"{self.low + place * extent:.{digits}f}" for place in (0.0, 0.5, 1.0)}
        return legend(ticks, stops, self.unit, towards)


def tokens(
    tokens: Sequence[str], values: torch.Tensor | Sequence[float | None], title: str, unit: str
) -> InteractivePicture:
    """Draws a text with circuitsvis, each token coloured by its value; None is no value.

    White is zero, blue is more, red is below zero. Point at a token to read its value. Use
    `plot.token_log_probs` instead for a model's predictions, with the most probable tokens. A text
    of 128 tokens takes 20 kB. The first picture of circuitsvis in a notebook embeds its
    JavaScript, 1.3 MB, and asks no outside host. Without JavaScript there is a static view.

    >>> from remix_utils import plot
    >>> plot.tokens(["The", " cat", " sat"], [None, 5.25, 2.0], "Loss per token", "nats")
    Loss per token (nats)
    The · cat 5.25 · sat 2.00

    Raises ShapeError for a wrong number of values, NanError, and PlotError when all are None.
    """
    given = _plain(values, title)
    tokens = one_each(tokens, len(given), "tokens", "values")
    known = [value for value in given if value is not None]
    if not known:
        raise PlotError(
            f"{title!r} has 0 values for {len(tokens)} tokens.",
            fix="give at least one token a value.",
        )
    colours = ColourScale(*scale(min(known), max(known)), unit)
    labels = [_label(value, decimals(colours.high)) for value in given]
    from circuitsvis.tokens import colored_tokens

    drawing = drawing_of(
        colored_tokens(
            [_spaced(token, _are_words(tokens)) for token in tokens],
            given,
            min_value=-colours.high,
            max_value=colours.high,
            negative_color=DIVERGING[0],
            positive_color=SEQUENTIAL[-1],
        )
    )
    white_is_zero = ("#ffffff", SEQUENTIAL[-1])
    if colours.low < 0:
        white_is_zero = (DIVERGING[0], *white_is_zero)
    still = colours.legend(colours.stops) + _coloured(tokens, given, labels, colours)
    text = _as_text(title, unit, tokens, labels)
    mixed = colours.legend(white_is_zero, MIXED)
    return interactive(title, drawing, still, text, mixed, TOOLTIP)


def token_log_probs(
    tokens: torch.Tensor,
    log_probs: torch.Tensor,
    to_string: Callable[[int], str],
    title: str = "Log-probability of each token",
    top_k: int = 10,
) -> InteractivePicture:
    """Draws a text with circuitsvis, each token coloured by the log-probability that it had.

    Row i of `log_probs` [seq, vocab] predicts token i + 1 of `tokens` [seq], so the first token has
    none and is left out. Red is probable; −5 nats and less are white. Point at a token to read
    its rank, with 0 for the most probable token, and the `top_k` most probable tokens at its
    place. Use `plot.tokens` instead for any other value of a token.

    >>> from remix_utils import plot
    >>> log_probs = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    >>> plot.token_log_probs(torch.tensor([0, 1]), log_probs, ["The", " cat"].__getitem__)
    Log-probability of each token (nats)
    cat -0.29, rank 0

    Raises ShapeError when tokens and log-probabilities do not fit, BoundsError for a token outside
    the vocabulary, NanError, and PlotError when rows are no log-probabilities.
    """
    ids, rows = _checked_log_probs(tokens, log_probs, title)
    top_k = min(top_k, rows.shape[1])
    from circuitsvis.logits import token_log_probs as render

    read = [to_string(token) for token in ids.tolist()]
    words = _are_words(read)
    drawing = drawing_of(render(ids, rows, lambda token: _spaced(to_string(int(token)), words), top_k=top_k))
    known = drawing.props["correctTokenLogProb"]
    ranks = drawing.props["correctTokenRank"]
    labels = [f"{value:.2f}, rank {rank}" for value, rank in zip(known, ranks, strict=True)]
    colours = ColourScale(PROBABLE, LEAST_LOG_PROB, 0.0, "log-probability (nats)")
    table = _guess_table(read[1:], labels, rows[:-1].topk(top_k, dim=1), to_string)
    still = colours.legend(PROBABLE) + _coloured(read[1:], known, labels, colours) + table
    text = _as_text(title, "nats", read[1:], labels)
    return interactive(title, drawing, still, text, colours.legend(PROBABLE, MIXED))


def _plain(values: torch.Tensor | Sequence[float | None], title: str) -> list[Any]:
    """The values as Python's floats, all finite, with None for no value."""
    if isinstance(values, torch.Tensor):
        values = values.detach().flatten().tolist()
    plain: list[Any] = list(values)
    places = [place for place, value in enumerate(plain) if value is not None]
    for place, value in zip(places, numbers([plain[n] for n in places], title), strict=True):
        plain[place] = value
    return plain


def _label(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _checked_log_probs(tokens: torch.Tensor, log_probs: torch.Tensor, title: str) -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.as_tensor(tokens).detach().cpu()
    rows = tensor(log_probs, title)
    if ids.ndim != 1 or rows.ndim != 2 or len(ids) != len(rows) or len(ids) < 2:
        raise ShapeError(
            f"Tokens of {list(ids.shape)} with log-probabilities of {list(rows.shape)}.",
            fix="give tokens [seq] and log-probabilities [seq, vocab] of 2 tokens or more.",
        )
    low, high = int(ids.min()), int(ids.max())
    if low < 0 or high >= rows.shape[1]:
        raise BoundsError(
            f"Tokens from {low} to {high} with a vocabulary of {rows.shape[1]}.",
            fix="give log-probabilities over the whole vocabulary of these tokens.",
        )
    total = rows.exp().sum(1)
    if (total - 1).abs().max() > 0.01:
        raise PlotError(
            f"The probabilities of a row sum to 1, these from {total.min():g} to {total.max():g}.",
            fix="give logits.log_softmax(dim=-1).",
        )
    return ids, rows


def _are_words(tokens: list[str]) -> bool:
    """Tells words, which are set apart, from pieces of text that bring their own spaces."""
    return not any(" " in token for token in tokens)


def _spaced(token: str, words: bool) -> str:
    """A token for circuitsvis, with a space after a word and a new line after a line break."""
    after = "\n" if "\n" in token else " " if words else ""
    return readable(token) + after


def _coloured(tokens: list[str], values: Sequence[float | None], labels: list[str], colours: ColourScale) -> str:
    """The text as HTML without JavaScript."""
    apart = _are_words(tokens)
    spans = []
    for place, (token, value, label) in enumerate(zip(tokens, values, labels, strict=True)):
        shown, colour = visible(token), colours.colour(value)
        note = f"{place}: {shown!r}  " + (f"{label} {colours.unit}" if label else "no value")
        spans.append(
            f'<span class="remix-token" data-value="{escape(note)}" style="background:{colour}; '
            f'color:{ink_on(colour)}">{escape(shown)}</span>'
        )
        if "\n" in token:
            spans.append("<br>")
        elif apart:
            spans.append("<wbr>")
    look = "font-size:15px; line-height:1.9; overflow-wrap:anywhere; --apart:"
    return f'{STYLE}<div style="{look}{"4px" if apart else "0"}">{"".join(spans)}</div>'


def _guess_table(
    tokens: list[str],
    labels: list[str],
    most: torch.return_types.topk,
    to_string: Callable[[int], str],
) -> str:
    """The most probable tokens at each place, behind one click that needs no JavaScript."""
    rows = []
    for place, (token, label) in enumerate(zip(tokens, labels, strict=True)):
        guesses = " · ".join(
            f"{to_string(guess)!r} {value:.2f}"
            for guess, value in zip(most.indices[place].tolist(), most.values[place].tolist(), strict=True)
        )
        cells = (str(place + 1), repr(token), label, guesses)
        rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
    names = ("place", "token", "log-probability", "most probable tokens")
    head = "".join(f"<th>{name}</th>" for name in names)
    return (
        '<details style="margin-top:8px"><summary>The most probable tokens at each place</summary>'
        f"<table><tr>{head}</tr>{''.join(rows)}</table></details>"
    )


def _as_text(title: str, unit: str, tokens: list[str], labels: list[str]) -> str:
    pairs = zip(tokens, labels, strict=True)
    words = " · ".join(f"{visible(token).strip()} {label}".strip() for token, label in pairs)
    return f"{title} ({unit})\n{words}"
