"""Rejoining the room: every name that the rest of a part reads, without reading a solution."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence
from typing import Any

from tqdm.auto import tqdm

from remix_utils.checks import progress
from remix_utils.checks.attempt import held
from remix_utils.checks.bundle import split_id
from remix_utils.checks.part import Part, in_cells, load_part
from remix_utils.checks.sources import run
from remix_utils.checks.statements import Statement, bring

PATIENCE = 3.0  # seconds of silence before a rejoin shows how far it is


def rejoin(id: str, space: dict[str, Any]) -> None:
    """Puts every name that the rest of a part reads into a namespace.

    Statements of the day that these names rest on are run with the reference solutions; the
    others are not.
    """
    needed, names = what_to_bring(id)
    made = run_all(id, needed)
    found = {name: made[name] for name in names if name in made}
    replaced = [name for name in found if _is_own(space, name)]
    space.update(found)
    if found:
        progress.record("start_at", id)
    print(_sentence(id, list(found), replaced))


def what_to_bring(id: str) -> tuple[list[Statement], list[str]]:
    """Returns the statements that the rest of a part rests on, in order, and the names to bring."""
    part, place = _place(id)
    before = part.before(place)
    return bring(before, in_cells(part.bundle.cells[place:]))


def _place(id: str) -> tuple[Part, int]:
    """The part, and the cell at which the reader goes on."""
    if isinstance(id, str) and id.count(".") == 1:
        return load_part(id), 0
    part = load_part(split_id(id)[0])
    for mark in ("exercise", "answer"):
        for place, cell in enumerate(part.bundle.cells):
            if cell.marks.get(mark) == id:
                return part, place
    return part, part.position("exercise", id)


def run_all(id: str, needed: Sequence[Statement]) -> dict[str, Any]:
    """Runs statements in a namespace of their own, in silence; a bar appears if it takes long."""
    space: dict[str, Any] = {"__name__": "start_at"}
    bar = tqdm(
        total=len(needed),
        desc=f"start_at {id}",
        delay=PATIENCE,
        leave=False,
        unit="step",
        file=sys.stdout,
    )
    with bar:
        for statement in needed:
            with held([]), contextlib.redirect_stdout(io.StringIO()):
                run(statement.text, space, f"<before {id}>")
            bar.update()
    return space


def _is_own(space: dict[str, Any], name: str) -> bool:
    """Whether a function or class of the reader's own stands under the name."""
    value = space.get(name)
    return callable(value) and getattr(value, "__module__", None) == space.get(
        "__name__", "__main__"
    )


def _sentence(id: str, names: list[str], replaced: list[str]) -> str:
    if not names:
        return f"start_at {id}: nothing is needed from earlier exercises."
    said = f"start_at {id}: {', '.join(names)}."
    if replaced:
        said += f"\n  These replace your own: {', '.join(replaced)}. Run your cells to have yours."
    return said
