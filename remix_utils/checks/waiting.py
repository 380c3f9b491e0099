"""Names of earlier cells that wait until a cell reads them: then what they rest on is run.

Statements run in a namespace of their own, each once. An earlier statement that would undo what a
later one has done there is not run after it: another namespace begins for it, in order again.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tqdm.auto import tqdm

from remix_utils.checks.attempt import held
from remix_utils.checks.lesson import Cell, MasterError
from remix_utils.checks.sources import run
from remix_utils.checks.statements import Names, Statement, needs, places, rooms_of, statements

PATIENCE = 3.0  # seconds of silence before a bar shows how far a rejoin is


@dataclass
class Run:
    """A namespace, and the places of the statements that were run in it."""

    space: dict[str, Any] = field(default_factory=lambda: {"__name__": "start_at"})
    done: set[int] = field(default_factory=set)


class Waiting:
    """The names that a pair has not read yet, and the statements of the day before its place."""

    def __init__(self, id: str, before: Sequence[Statement], names: Iterable[str]):
        self.id, self.before = id, before
        self.names = dict.fromkeys(names)
        self._rooms = rooms_of(before)
        read = (each.reads | each.reads_later for each in before)
        # A name that is read nowhere else is the variable of one loop.
        self._told_apart = self._varying() & frozenset(self.names).union(*read)
        self._runs: list[Run] = []

    @functools.cached_property
    def tools(self) -> list[str]:
        """The names that rest on imports and definitions alone."""
        return [name for name in self.names if all(each.is_tool for each in self._under(name))]

    def _under(self, name: str) -> list[Statement]:
        return [self.before[place] for place in places(self.before, [name])]

    def take(self, wanted: Iterable[str]) -> dict[str, Any]:
        """Returns the values of those of the wanted names that wait; they wait no longer."""
        taken = [name for name in self.names if name in set(wanted)]
        needed = set(places(self.before, taken))
        found = self._run_for(needed)
        new = sorted(needed - found.done)
        run_all(self.id, [self.before[place] for place in new], found.space)
        found.done |= needed
        self.forget(taken)
        return {name: found.space[name] for name in taken if name in found.space}

    def _run_for(self, needed: set[int]) -> Run:
        """The run that has done most of what is needed and can go on, or a new one."""
        for each in sorted(self._runs, key=lambda each: -len(each.done & needed)):
            if not any(self._comes_too_late(place, each.done) for place in needed - each.done):
                return each
        self._runs.append(Run())
        return self._runs[-1]

    def forget(self, names: Iterable[str]) -> None:
        """Lets names wait no longer: a cell has made its own."""
        for name in names:
            self.names.pop(name, None)

    def _comes_too_late(self, place: int, done: set[int]) -> bool:
        early = self.before[place]
        return any(self._clash(early, self.before[late]) for late in done if late > place)

    def _clash(self, early: Statement, late: Statement) -> bool:
        """Whether the order of two statements matters."""
        first, second = early.changes(self._rooms), late.changes(self._rooms)
        return bool(((first & late.mentions) | (second & early.mentions)) & self._told_apart)

    def _varying(self) -> Names:
        """The names that are not made by one statement, or by the same one in several parts."""
        makers: dict[str, set[str]] = {}
        for each in self.before:
            for name in each.changes(self._rooms):
                makers.setdefault(name, set()).add(_maker(each, name))
        return frozenset(name for name, known in makers.items() if len(known) > 1)

    def before_cell(self, source: str) -> dict[str, Any]:
        """Returns the values that a cell reads, before it runs."""
        try:
            cell = statements([Cell("code", source, {}, 0)])
        except MasterError:  # Python will say what is wrong with it
            return {}
        wanted = needs(cell) & self.names.keys()
        if "get_ipython()" in source:  # a magic holds its cell as a text
            wanted |= self.names.keys() & set(re.findall(r"\w+", source))
        touched = frozenset().union(*(each.touches for each in cell))
        found = self.take({*wanted, *self._resting_on(touched)})
        self.forget(touched.union(*(each.makes for each in cell)))
        return found

    def _resting_on(self, touched: Names) -> list[str]:
        """The names whose statements read something that a cell is about to change in its place."""
        known = set(self.names).union(*(run.space for run in self._runs))
        shared = touched & known
        if not shared:
            return []
        return [
            name for name in self.names if any(shared & each.reads for each in self._under(name))
        ]


def _maker(statement: Statement, name: str) -> str:
    """The text that makes a name: of an import, the piece of that name alone."""
    node = ast.parse(statement.text).body[0] if statement.is_tool else None
    if isinstance(node, ast.Import | ast.ImportFrom):
        for each in node.names:
            if (each.asname or each.name) == name:
                return f"{getattr(node, 'module', None)}: {each.name}"
    return statement.text


def run_all(id: str, needed: Sequence[Statement], space: dict[str, Any]) -> None:
    """Runs statements in a namespace, in silence; a bar appears if it takes long."""
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
