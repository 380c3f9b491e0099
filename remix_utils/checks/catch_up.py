"""Rejoining the room: working versions of everything earlier in the day, without reading a solution."""

from __future__ import annotations

import ast
import contextlib
import io
import sys

from remix_utils.checks.attempt import held
from remix_utils.checks.masters import cells_before, closure, statements


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
    """The names that the exercises before `id` define, with their values, in the order of the day."""
    cells = cells_before(id)
    wanted: dict[str, None] = {}
    for each in statements(cell for cell in cells if "exercise" in cell.marks and not _is_quiz(cell.marks)):
        wanted |= dict.fromkeys(sorted(each.makes | each.touches))
    source = "\n".join(closure(statements(cells), wanted))
    space: dict[str, object] = {"__name__": f"before_{id.replace('.', '_')}"}
    with held([]), contextlib.redirect_stdout(io.StringIO()):
        exec(compile(ast.parse(source), f"<what comes before {id}>", "exec"), space)
    return {name: space[name] for name in wanted if name in space}


def _is_quiz(marks: dict[str, object]) -> bool:
    return str(marks.get("exercise")).endswith(".quiz")
