"""Guesses before surprising runs, kept until the day closes with predicted beside measured."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
from html import escape
from pathlib import Path

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.progress import folder

KEPT: dict[str, dict[str, str]] = {}


def predict(id: str, guess: object, what: str) -> None:
    """Stores a guess, made before the run that answers it; `...` only gets a reminder.

    >>> predict("d0.1.p1", ..., "accuracy points left")
    d0.1.p1: no guess yet (accuracy points left). Put any guess in place of the dots.
    """
    if guess is ... or guess is None:
        print(f"{id}: no guess yet ({what}). Put any guess in place of the dots.")
        _keep(id, what=what)
        return
    _keep(id, what=what, predicted=_text(guess))
    print(f"{id}: predicted {_text(guess)} ({what}).")


def measured(id: str, value: object, error: float | None = None) -> None:
    """Put what was measured (and its standard error) beside what was predicted.

    >>> measured("d0.1.p1", 12.56, 0.309)
    d0.1.p1: measured 12.6 ± 0.3; there was no prediction.
    """
    found = _text(value) if error is None else _with_error(float(plain(value)), float(plain(error)))  # pyright: ignore
    kept = _keep(id, measured=found)
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
        (id, kept) for id, kept in sorted(_load().items(), key=_place) if id.startswith(f"{day}.")
    ]
    return Predictions(
        [
            (id, *(kept.get(name, "–") for name in ("what", "predicted", "measured")))
            for id, kept in chosen
        ]
    )


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
        return f"{form[()]:.3g}"  # pyright: ignore
    return ", ".join(map(_text, value)) if isinstance(value, list | tuple) else describe(form)


def _file() -> Path:
    """Beside the notebook, so that all parts of a day share it."""
    return folder() / "predictions.json"


def _load() -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    with contextlib.suppress(OSError, ValueError):
        found = json.loads(_file().read_text(encoding="utf-8"))
    return {**(found if isinstance(found, dict) else {}), **KEPT}


def _keep(id: str, **facts: str) -> dict[str, str]:
    """In memory, and in the file where one can be written."""
    everything = _load()
    KEPT[id] = everything[id] = {**everything.get(id, {}), **facts}
    with contextlib.suppress(OSError):
        path = _file()
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(everything, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(fresh, path)
    return KEPT[id]
