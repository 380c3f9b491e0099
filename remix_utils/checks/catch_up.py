"""Rejoining the room: every name that the rest of a part reads, without reading a solution.

In a notebook, imports and functions come at once, and a value when the first cell reads it: what it
rests on is run then, with the reference solutions. Elsewhere everything comes at once.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from remix_utils.checks import progress
from remix_utils.checks.bundle import split_id
from remix_utils.checks.part import Part, in_cells, load_part
from remix_utils.checks.statements import bring
from remix_utils.checks.waiting import Waiting

FOLLOWED: list[Callable[[], None]] = []  # ends the rejoin before this one


def rejoin(id: str, space: dict[str, Any]) -> None:
    """Puts every name that the rest of a part reads into a namespace.

    Statements of the day that these names rest on are run with the reference solutions; the
    others are not.
    """
    while FOLLOWED:
        FOLLOWED.pop()()
    waiting, shell = what_to_bring(id), _shell_of(space)
    names = list(waiting.names)
    replaced = [name for name in names if _is_own(space, name)]
    space.update(waiting.take(waiting.tools if shell else names))
    if names:
        progress.record("start_at", id)
    print(_sentence(id, names, list(waiting.names), replaced))
    if waiting.names:
        _follow(shell, waiting, space)


def what_to_bring(id: str) -> Waiting:
    """Returns the names that the rest of a part reads, which wait for their statements."""
    part, place = _place(id)
    return waiting_at(part, place, id)


def waiting_at(part: Part, place: int, id: str) -> Waiting:
    """Returns the names that the cells of a part from a place on read; `id` is shown as it runs."""
    before = part.before(place)
    return Waiting(id, before, bring(before, in_cells(part.bundle.cells[place:]))[1])


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


def _shell_of(space: dict[str, Any]) -> Any:
    """The notebook's shell, which knows when a cell begins; None where no cells are run."""
    loaded = sys.modules.get("IPython")
    shell = loaded.get_ipython() if loaded else None
    return shell if shell is not None and shell.user_ns is space else None


def _follow(shell: Any, waiting: Waiting, space: dict[str, Any]) -> None:
    """Brings each value before the first cell that reads it."""

    def before_cell(info: Any) -> None:
        space.update(waiting.before_cell(shell.transform_cell(info.raw_cell)))

    def end() -> None:
        shell.events.unregister("pre_run_cell", before_cell)

    shell.events.register("pre_run_cell", before_cell)
    FOLLOWED.append(end)


def _is_own(space: dict[str, Any], name: str) -> bool:
    """Whether a function or class of the reader's own stands under the name."""
    value = space.get(name)
    return callable(value) and getattr(value, "__module__", None) == space.get(
        "__name__", "__main__"
    )


def _sentence(id: str, names: list[str], later: list[str], replaced: list[str]) -> str:
    if not names:
        return f"start_at {id}: nothing is needed from earlier exercises."
    here = [name for name in names if name not in later]
    said = f"start_at {id}: {', '.join(here)}." if here else f"start_at {id}."
    if later:
        said += f"\n  Computed when a cell first uses them: {', '.join(later)}."
    if replaced:
        said += f"\n  These replace your own: {', '.join(replaced)}. Run your cells to have yours."
    return said
