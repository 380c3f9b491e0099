"""Rejoining the room: working versions of everything earlier in the day, without reading a solution."""

from __future__ import annotations

import ast
import contextlib
import io
import sys

from remix_utils.checks.attempt import held
from remix_utils.checks.masters import Cell, cells_before, closure, imported, statements


def start_at(id: str) -> None:
    """Put working versions of all that comes before a part (or an exercise) of the day into the caller's namespace.

    Use it on top of a part, or when an earlier exercise stands in the way: `start_at("d1.2")`.

    >>> start_at("d1.1")
    start_at d1.1: nothing comes before it.

    MasterError where the course's masters, or that part, are not to be found.
    """
    space = sys._getframe(1).f_globals
    made = earlier(id)
    space.update(made)
    names = ", ".join(made) if made else "nothing comes before it"
    print(f"start_at {id}: {names}.")


def earlier(id: str) -> dict[str, object]:
    """The names that the exercises before `id` define, with their values, in the order of the day.

    Cells marked `given=true` count too. What the part of `id` imports keeps the meaning that it has there.
    """
    before = cells_before(id[: id.rindex(".")] if id.count(".") == 2 else id)
    own = cells_before(id)[len(before) :]
    kept = imported(id)
    made = _values(before, [name for name in _defined(before) if name not in kept])
    return made | _values([*before, *own], _defined(own)) if own else made


def _defined(cells: list[Cell]) -> list[str]:
    """The names that are made in exercises and in given cells."""
    names: dict[str, None] = {}
    for each in statements(cell for cell in cells if _counts(cell.marks)):
        names |= dict.fromkeys(sorted(each.makes | each.touches))
    return list(names)


def _counts(marks: dict[str, object]) -> bool:
    return "given" in marks or ("exercise" in marks and not str(marks["exercise"]).endswith(".quiz"))


def _values(cells: list[Cell], names: list[str]) -> dict[str, object]:
    """What the names mean after the cells, of which only those statements run that the names rest on."""
    source = "\n".join(closure(statements(cells), names))
    space: dict[str, object] = {"__name__": "earlier"}
    with held([]), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(ast.parse(source), "<what comes before>", "exec"), space)
    return {name: space[name] for name in names if name in space}
