"""Which exercises the course has, in the order in which a pair meets them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from remix_utils.checks.bundle import read
from remix_utils.checks.exercise import ExerciseError

MOST_GUESSED = 400  # exercises, where no course tells which there are


@dataclass(frozen=True)
class Catalogue:
    """The parts of a course with their exercises, and the files that hold their checks."""

    parts: dict[str, tuple[str, ...]]
    files: dict[str, Path] = field(default_factory=dict)

    @cached_property
    def places(self) -> dict[str, int]:
        """The place of every exercise, counted over the whole course."""
        ids = [id for exercises in self.parts.values() for id in exercises]
        return {id: place for place, id in enumerate(ids)}

    def skipped(self, id: str) -> list[str]:
        """Returns the exercises that `start_at(id)` leaves behind: those of the day before it, without part 0.

        >>> Catalogue({"d1.1": ("d1.1.1", "d1.1.2"), "d1.2": ("d1.2.1",)}).skipped("d1.2")
        ['d1.1.1', 'd1.1.2']
        """
        part = ".".join(id.split(".")[:2])
        day, number = part.split(".")
        own = self.parts.get(part, ())
        before = own[: own.index(id)] if id in own else ()
        earlier = [
            each
            for other, exercises in self.parts.items()
            if other.startswith(f"{day}.") and 0 < int(other.split(".")[1]) < int(number)
            for each in exercises
        ]
        return [*earlier, *before]


def read_catalogue(course: Path) -> Catalogue:
    """Reads the exercises of a course from the checks beside its notebooks."""
    parts, files = {}, {}
    for path in sorted(course.glob("day[0-9]*_*/checks/part*.remix"), key=lambda path: natural(path.as_posix())):
        try:
            bundle = read(path)
        except ExerciseError:  # a damaged part costs its own columns only
            continue
        exercises = [cell.marks["check"] for cell in bundle.cells if "check" in cell.marks]
        parts[bundle.part], files[bundle.part] = tuple(exercises), path
    return Catalogue(parts, files)


def guessed(ids: Iterable[str]) -> Catalogue:
    """Returns the exercises that were tried, for a machine without the course.

    >>> guessed(["d1.1.10", "d1.1.9"]).parts
    {'d1.1': ('d1.1.9', 'd1.1.10')}
    """
    parts: dict[str, tuple[str, ...]] = {}
    for id in sorted(ids, key=natural)[:MOST_GUESSED]:
        part = id.rpartition(".")[0]
        parts[part] = (*parts.get(part, ()), id)
    return Catalogue(parts)


def natural(text: str) -> list[tuple[bool, int, str]]:
    """Returns a key that sorts 9 before 10, and numbers before words.

    >>> sorted(["d1.1.quiz", "d1.1.10", "d1.1.9"], key=natural)
    ['d1.1.9', 'd1.1.10', 'd1.1.quiz']
    """
    pieces = re.findall(r"\d+|\D+", text)
    return [(not piece.isdigit(), int(piece) if piece.isdigit() else 0, piece) for piece in pieces]
