"""Two models' cards side by side: the figures that several models share, for each behaviour."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from remix_utils.classroom.findings.card import Figure, Finding

Shared = dict[str, dict[str, Figure]]


def shared_figures(cards: Iterable[Finding], behaviour: str) -> Shared:
    """Returns the figures of one behaviour that at least two models have, by name and then by model.

    >>> texts = {"behaviour": "induction", "claim": "A.", "does_not_show": "B.", "refuted_by": "C."}
    >>> cards = [Finding(model=name, figures=[Figure("score", 1.0, 0.1, over="rows")], **texts) for name in "ab"]
    >>> {name: list(models) for name, models in shared_figures(cards, "induction").items()}
    {'score': ['a', 'b']}
    """
    found: Shared = {}
    for card in cards:
        if card.behaviour == behaviour:
            for figure in card.figures:
                found.setdefault(figure.name, {}).setdefault(card.model, figure)
    return {name: models for name, models in found.items() if len(models) > 1}


def beside(cards: Iterable[Finding]) -> str:
    """Returns a table for each behaviour with figures of several models; everything of the cards is escaped.

    >>> beside([])
    ''
    """
    cards = list(cards)
    parts = []
    for behaviour in dict.fromkeys(card.behaviour for card in cards):
        shared = shared_figures(cards, behaviour)
        if shared:
            parts.append(f"<h2>{escape(behaviour)}: the same way?</h2>{_table(shared)}")
    return f"<section>{''.join(parts)}</section>" if parts else ""


def _table(shared: Shared) -> str:
    models = list(dict.fromkeys(model for figures in shared.values() for model in figures))
    lines = ["<tr><th>figure</th>" + "".join(f"<th>{escape(model)}</th>" for model in models) + "</tr>"]
    for name, figures in shared.items():
        cells = "".join(f'<td class="number">{_value(figures.get(model))}</td>' for model in models)
        lines.append(f"<tr><td>{escape(name)}</td>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"


def _value(figure: Figure | None) -> str:
    """A figure with its error and unit, or a dash for a model without it."""
    if figure is None:
        return "–"
    return f"{figure.value:.4g} ± {figure.se:.2g} {escape(figure.unit)}".rstrip()
