"""A part at work: its exercises, and the answers that its reference solutions give."""

from __future__ import annotations

import ast
import contextlib
import functools
import io
from collections.abc import Iterable
from textwrap import dedent
from types import ModuleType
from typing import Any

from remix_utils.checks.attempt import held
from remix_utils.checks.bundle import Bundle, find_part, split_id
from remix_utils.checks.exercise import Exercise, ExerciseError, Variant, collecting
from remix_utils.checks.lesson import Cell, change_holes, without_marks
from remix_utils.checks.sources import load_modules, run
from remix_utils.checks.statements import Statement, closure, statements
from remix_utils.errors import nearest


class Part:
    """A part of a day: what its exercises ask, and what their references answer."""

    def __init__(self, bundle: Bundle):
        self.bundle, self.id = bundle, bundle.part
        self._spaces: dict[tuple[str, frozenset[str]], dict[str, Any]] = {}

    @functools.cached_property
    def _checks(self) -> tuple[ModuleType, dict[str, Exercise]]:
        package = f"remix_checks_{self.id.replace('.', '_')}_{self.bundle.version}"
        with collecting() as found:
            return load_modules(package, self.bundle.sources, self.bundle.name), found

    @property
    def module(self) -> ModuleType:
        """The checks of the part, executed."""
        return self._checks[0]

    @property
    def exercises(self) -> dict[str, Exercise]:
        """The exercises by id, in the lesson's order."""
        return self._checks[1]

    def exercise(self, id: str) -> Exercise:
        """Returns the exercise of that id. ExerciseError if it has no check."""
        if self.is_written(id):
            raise ExerciseError(
                f"{id} is a written answer: people read it, no check does.",
                fix="write it in the cell below its question.",
            )
        if id not in self.exercises:
            raise ExerciseError(
                f"There is no exercise {id!r}.",
                fix=f"write the id as the heading has it ({nearest(id, self.exercises)}).",
            )
        return self.exercises[id]

    def is_written(self, id: str) -> bool:
        """Returns whether an exercise is answered in prose, which people grade."""
        return any(cell.marks.get("answer") == id for cell in self.bundle.cells)

    # --- cells --------------------------------------------------------------------------------

    def position(self, mark: str, id: str) -> int:
        """Returns the place of the cell with this mark and id."""
        for place, cell in enumerate(self.bundle.cells):
            if cell.marks.get(mark) == id:
                return place
        known = [str(cell.marks[mark]) for cell in self.bundle.cells if mark in cell.marks]
        raise ExerciseError(
            f"There is no {mark} {id!r} in part {self.id}.",
            fix=f"write the id as the heading has it ({nearest(id, known)}).",
        )

    def before(self, place: int) -> list[Statement]:
        """Returns the statements of the day that stand before a cell of this part."""
        earlier = [each for part in self.bundle.earlier() for each in in_cells(part.cells)]
        return [*earlier, *in_cells(self.bundle.cells[:place])]

    # --- answers ------------------------------------------------------------------------------

    def answer_text(self, id: str) -> str:
        """Returns the expression that the check is called with; every variant is read by it."""
        call = ast.parse(self.bundle.cells[self.position("check", id)].source).body[0]
        return ast.unparse(call.value.args[1])  # type: ignore[attr-defined]

    def reference(self, id: str) -> Any:
        """Returns the answer that the reference solution gives."""
        return self.answer(id, Variant())

    def answer(self, id: str, variant: Variant) -> Any:
        """Returns the answer that the reference solution, or a variant of it, gives.

        It is made in a namespace of its own, from the statements that it rests on and no others.
        """
        text, given = self.answer_text(id), variant.answer
        source = dedent(given) if isinstance(given, str) else self.changed(id, variant)
        space = dict(self._names_for(id, source, text))
        run(source, space, f"<{id}>")
        if given is not None and not isinstance(given, str):
            space[last_name(text)] = given
        first, last = self.position("exercise", id) + 1, self.position("check", id)
        between = in_cells(self.bundle.cells[first:last])
        run("\n".join(closure(between, reads(text))), space, f"<between {id} and its check>")
        return eval(compile(text, f"<answer to {id}>", "eval"), space)

    def typed(self, id: str, variant: Variant) -> str | None:
        """Returns the cell in which a pair would write a variant; None where it is a value."""
        if isinstance(variant.answer, str):
            return dedent(variant.answer).strip("\n")
        return without_marks(self.changed(id, variant)) if variant.answer is None else None

    def changed(self, id: str, variant: Variant) -> str:
        """Returns the exercise's cell with the variant's edits made in its solution."""
        counts = [0] * len(variant.edits)

        def change(solution: str) -> str:
            for place, (old, new, _) in enumerate(variant.edits):
                counts[place] += solution.count(old)
                solution = solution.replace(old, new)
            return solution

        cell = self.bundle.cells[self.position("exercise", id)]
        source = change_holes(cell.source, change)
        for count, (old, _, times) in zip(counts, variant.edits, strict=True):
            if count != times:
                raise ExerciseError(
                    f"{id}: the edit of {old!r} matches {count} times, and {times} was declared.",
                    fix="look at the mistake again beside the solution as it is now.",
                )
        return source

    def _names_for(self, id: str, source: str, text: str) -> dict[str, Any]:
        """The names that an answer takes from the cells before its exercise."""
        known = self.before(self.position("exercise", id))
        made = frozenset().union(*(each.makes | each.touches for each in known))
        # A name that the answer makes itself is not taken from an earlier cell that used it too.
        own = frozenset().union(*(each.makes for each in statements([Cell("code", source, {}, 0)])))
        wanted = made & (reads(source) | (reads(text) - own))
        if (id, wanted) not in self._spaces:
            self._spaces[id, wanted] = values(closure(known, wanted), f"<before {id}>")
        return self._spaces[id, wanted]


def in_cells(cells: Iterable[Cell]) -> list[Statement]:
    """Returns the statements of cells, solutions included."""
    bare = (Cell(cell.kind, without_marks(cell.source), cell.marks, cell.line) for cell in cells)
    return statements(bare)


def reads(source: str) -> frozenset[str]:
    """Returns the names that a text reads, now or later.

    >>> sorted(reads("def double(n):\\n    return scaled(n)"))
    ['scaled']
    """
    found = statements([Cell("code", source, {}, 0)])
    return frozenset().union(*(each.reads | each.reads_later for each in found))


def last_name(text: str) -> str:
    """Returns the name that an answer stands under.

    >>> last_name("(ours, subtract)")
    'subtract'
    """
    return [node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)][-1]


def values(sources: Iterable[str], name: str) -> dict[str, Any]:
    """Runs statements in a fresh namespace, in silence, and returns it."""
    space: dict[str, Any] = {}
    with held([]), contextlib.redirect_stdout(io.StringIO()):
        run("\n".join(sources), space, name)
    return space


PARTS: dict[tuple[str, str], Part] = {}


def load(id: str) -> Part:
    """Loads the part of an exercise as the participant has it, once."""
    return load_part(split_id(id)[0])


def load_part(part: str) -> Part:
    """Loads a part such as d1.2."""
    bundle = find_part(part)
    return PARTS.setdefault((bundle.part, bundle.version), Part(bundle))


def given(part: str, *names: str) -> tuple:
    """Returns objects that a part hands out for an experiment, without showing their source.

    >>> given("d1.0", "specimen_a")[0].__name__
    'specimen_a'
    """
    module = load_part(part).module
    return tuple(getattr(module, name) for name in names)
