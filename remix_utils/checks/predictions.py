"""Guesses before surprising runs, kept until the day closes with predicted beside measured."""

from __future__ import annotations

import math
import re
from html import escape

from remix_utils.checks import progress
from remix_utils.checks.compare import describe, plain
from remix_utils.errors import RemixError, kind_of, reason

Row = dict[str, str]


class PredictionError(RemixError):
    """A prediction or a measurement that cannot be kept."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


def predict(id: str, guess: object, what: str) -> None:
    """Stores a guess, made before the run that answers it; `...` only gets a reminder.

    PredictionError for an id, a guess or a description that cannot be kept.

    >>> predict("d0.1.p1", ..., "accuracy points left")
    d0.1.p1: no guess yet (accuracy points left). Put any guess in place of the dots.
    """
    _require_id(id)
    if not isinstance(what, str) or len(what) > progress.LONGEST_TEXT:
        raise PredictionError(
            f"{id}: the description is {_size(what)}, expected a text of at most "
            f"{progress.LONGEST_TEXT} letters.",
            fix='say in a few words what is predicted: predict("d1.1.p1", 40, "points left").',
        )
    if guess is ... or guess is None:
        progress.record("predict", id, what=what)
        print(f"{id}: no guess yet ({what}). Put any guess in place of the dots.")
        return
    text = _kept_text(id, guess)
    before = _rows().get(id, {})
    progress.record("predict", id, what=what, guess=text)
    print(f"{id}: predicted {text} ({what}){_replaces(before, text)}.")


def measured(id: str, value: object, error: float | None = None) -> None:
    """Puts what was measured (and its standard error) beside what was predicted.

    PredictionError for an id or a value that cannot be kept, and for an error that is no number.

    >>> measured("d0.1.p1", 12.56, 0.309)
    d0.1.p1: measured 12.6 ± 0.3; there was no prediction.
    """
    _require_id(id)
    found = (
        _kept_text(id, value)
        if error is None
        else _with_error(_number(id, value), _number(id, error))
    )
    progress.record("measured", id, value=found)
    kept = _rows().get(id, {})
    said = (
        f"predicted {kept['predicted']} ({kept['what']})"
        if "predicted" in kept
        else "there was no prediction"
    )
    print(f"{id}: measured {found}; {said}.")


class Predictions:
    """A table of guesses and measurements: one row each."""

    def __init__(self, rows: list[tuple[str, ...]]):
        self.rows = rows

    def __repr__(self) -> str:
        rows = [("", "what", "predicted", "measured"), *self.rows]
        widths = [max(len(row[i]) for row in rows) for i in range(4)]
        return "\n".join(
            "  ".join(text.ljust(n) for text, n in zip(row, widths, strict=True)).rstrip()
            for row in rows
        )

    def _repr_html_(self) -> str:
        def line(cells: tuple, tag: str) -> str:
            return (
                "<tr>"
                + "".join(f"<{tag} style='text-align:left'>{escape(c)}</{tag}>" for c in cells)
                + "</tr>"
            )

        rows = [line(row, "td") for row in self.rows]
        return f"<table>{line(('', 'what', 'predicted', 'measured'), 'th')}{''.join(rows)}</table>"


def predictions(day: str) -> Predictions:
    """Predicted beside measured, for a day (`d1`) or a part (`d1.2`), as far as they were made.

    >>> predictions("d0.9").rows
    []
    """
    chosen = [
        (id, kept) for id, kept in sorted(_rows().items(), key=_place) if id.startswith(f"{day}.")
    ]
    return Predictions(
        [
            (id, *(kept.get(name, "–") for name in ("what", "predicted", "measured")))
            for id, kept in chosen
        ]
    )


def _rows() -> dict[str, Row]:
    """What is known of each prediction. The last guess wins; dots that run again remove none."""
    rows: dict[str, Row] = {}
    columns = {"what": "what", "guess": "predicted", "value": "measured"}
    for event in progress.own_events():
        if event["event"] in ("predict", "measured"):
            kept = {columns[name]: text for name, text in event.items() if name in columns}
            rows.setdefault(event["id"], {}).update(kept)
    return rows


def _replaces(before: Row, text: str) -> str:
    """What is said of an earlier guess that a new one takes the place of."""
    if before.get("predicted", text) == text:
        return ""
    late = ", after the measurement" if "measured" in before else ""
    return f"; it replaces {before['predicted']}{late}"


def _place(item: tuple[str, object]) -> list[int]:
    """p10 stands after p2."""
    return [int(number) for number in re.findall(r"\d+", item[0])]


def _with_error(value: float, error: float) -> str:
    """As many digits as the error allows."""
    digits = max(0, -math.floor(math.log10(error))) if 0 < error < math.inf else 2
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    form = plain(value)
    if getattr(form, "ndim", None) == 0:
        return _in_digits(form[()])  # pyright: ignore
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else describe(form)


def _in_digits(number: float | complex) -> str:
    """Three digits, and all digits of a large number, which nobody guesses in powers of ten."""
    large = not isinstance(number, complex) and 1e3 <= abs(number) < 1e12
    return f"{number:,.0f}" if large else f"{number:.3g}"


# What is refused, before it is kept.


def _require_id(id: object) -> None:
    if not (isinstance(id, str) and re.fullmatch(r"d\d{1,2}\.\d{1,2}\.p\w{1,9}", id)):
        shown = repr(id[:40]) if isinstance(id, str) else kind_of(id)
        raise PredictionError(
            f"{shown} names no prediction.",
            fix='write its id as the notebook had it, such as predict("d1.2.p3", ...).',
        )


def _kept_text(id: str, value: object) -> str:
    """A guess or a measurement as a line of text, and the end left out where it is long."""
    try:
        text = " ".join(_text(value).split())
    except Exception as problem:
        raise PredictionError(
            f"{id}: {kind_of(value)} cannot be written down here "
            f"({type(problem).__name__}, {reason(problem)}).",
            fix="give a number, a text, or a list of them.",
        ) from problem
    longest = progress.LONGEST_TEXT
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _number(id: str, value: object) -> float:
    try:
        return float(plain(value))  # pyright: ignore
    except Exception as problem:
        raise PredictionError(
            f"{id}: a measurement with an error needs two numbers, and one of them is "
            f"{_size(value)}.",
            fix='give the number and its standard error, such as measured("d1.1.p1", 12.5, 0.3).',
        ) from problem


def _size(value: object) -> str:
    if not isinstance(value, str):
        return kind_of(value)
    return repr(value) if len(value) <= 40 else f"a text of {len(value):,} letters"
