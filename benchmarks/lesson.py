"""A part of the course as a cohort sees it: its two notebooks, and which exercise rests on which."""

from __future__ import annotations

import ast
import copy
import functools
import json
import re
from collections.abc import Iterator
from pathlib import Path

from benchmarks.mishaps import is_check
from remix_utils.checks import bundle
from remix_utils.checks.lesson import without_marks
from remix_utils.checks.part import Part
from remix_utils.classroom.grading.plan import points_of

DAYS = ("day1_graphs", "day2_induction")


class Lesson:
    """A part of the course: its two notebooks, and which exercise rests on which."""

    def __init__(self, course: Path, day: str, packed: Path):
        self.day, self.part = day, Part(bundle.read(packed))
        self.name = self.part.bundle.name
        self.reference = json.loads((course / "solutions" / day / f"{self.name}.ipynb").read_text())
        self.student = json.loads((course / day / f"{self.name}.ipynb").read_text())
        self.points = points_of(self.part.bundle)
        self.ids = list(self.points)

    def hole(self, id: str, whole: dict) -> dict:
        return next(cell for cell in whole["cells"] if cell["id"] == id.replace(".", "-"))

    def source(self, id: str, whole: dict) -> str:
        return "".join(self.hole(id, whole)["source"])

    def solved(self, ids: list[str]) -> dict:
        """Returns the student's notebook with the reference's answers to some exercises."""
        done = copy.deepcopy(self.student)
        for id in ids:
            self.hole(id, done)["source"] = without_marks(self.source(id, self.reference))
        return done

    @functools.cached_property
    def rest_on(self) -> dict[str, set[str]]:
        """For each exercise the later ones that may rest on it, by the names in all cells between."""
        return {id: set(self._later(id)) for id in self.ids}

    def _later(self, id: str) -> Iterator[str]:
        tainted, seen = made(self.source(id, self.reference)), False
        for cell in self.reference["cells"]:
            seen = seen or cell["id"] == id.replace(".", "-")
            text = "".join(cell["source"])
            if not seen or cell["cell_type"] != "code" or not mentioned(text) & tainted:
                continue
            own = cell["id"].removesuffix("-check").replace("-", ".")
            if own in self.points and own != id:
                yield own
            if not is_check(cell):
                tainted |= made(text)

    @functools.cached_property
    def leaves(self) -> list[str]:
        """The functions to write on which no other exercise rests."""
        return [id for id in self.ids if not self.rest_on[id] and self.is_function(id)]

    def is_function(self, id: str) -> bool:
        source = self.source(id, self.student)
        return source.count("raise NotImplementedError()") == 1 and bool(re.search(r"^def ", source, re.MULTILINE))


def made(source: str) -> set[str]:
    """Returns the names that a cell binds at its top level."""
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(each.asname or each.name).split(".")[0] for each in node.names}
        else:
            stored = (each for each in ast.walk(node) if isinstance(each, ast.Name))
            names |= {each.id for each in stored if isinstance(each.ctx, ast.Store)}
    return names


def mentioned(source: str) -> set[str]:
    """Returns the names that a cell's code reads anywhere."""
    return {each.id for each in ast.walk(ast.parse(source)) if isinstance(each, ast.Name)}


def lessons(course: Path, days: tuple[str, ...] = DAYS) -> list[Lesson]:
    """Returns the parts of the days in their order."""
    found = []
    for day in days:
        folder = course / "solutions" / day / "checks"
        paths = sorted(folder.glob("part*_*.remix"), key=bundle.part_number)
        found += [Lesson(course, day, path) for path in paths]
    return found
