"""What an exercise is: registered here by the files of each day, judged by the harness."""

from __future__ import annotations

import importlib
import pkgutil
import re
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from remix_utils.checks.compare import difference, plain
from remix_utils.errors import RemixError, nearest

Answers = str | int | float | bool | Sequence


class ExerciseError(RemixError):
    """An exercise that is not there, or is badly declared."""


class Wrong(RemixError):
    """Raised by a free-form check: what is wrong, at the first place where it departs.

    >>> raise Wrong("The tree printer shows a shared node twice.")
    Traceback (most recent call last):
    ...
    remix_utils.checks.exercise.Wrong: The tree printer shows a shared node twice.
      fix: walk the hints of this exercise.
    """

    def __init__(self, fact: str, *, fix: str = "walk the hints of this exercise.", **facts: object):
        super().__init__(fact, fix=fix, **facts)


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer, a function or a value, and what to say to whoever gives it."""

    message: str
    answer: object


@dataclass(frozen=True)
class Exercise:
    """One exercise. The harness reads the fields of its form: a function or value, a free check, or a quiz."""

    id: str
    origin: tuple[str, int]
    cases: Callable[[int], Sequence[tuple]] | None = None
    oracle: object = None
    mistakes: tuple[Mistake, ...] = ()
    tolerance: float = 1e-5
    body: Callable[[object, int, object], None] | None = None
    questions: tuple[tuple[str, Answers, str], ...] = ()
    seconds: float = 2.0


EXERCISES: dict[str, Exercise] = {}
NO_ARGUMENTS: Sequence[tuple] = ((),)


def exercise(
    id: str,
    *,
    cases: Callable[[int], Sequence[tuple]] | None = None,
    oracle: object = None,
    mistakes: Sequence[Mistake] = (),
    tolerance: float = 1e-5,
    seconds: float = 2.0,
) -> Any:
    """Register an exercise by its oracle; without one, decorate the check `(answer, seed, reference)`.

    `cases(seed)` lists the arguments of each call; left out, the answer is a value. ExerciseError for a bad id.

    >>> exercise("d0.0.1", cases=lambda seed: [(2,), (seed,)], oracle=lambda n: n * n)
    >>> find_exercise("d0.0.1").tolerance
    1e-05
    """
    origin = _caller()
    if oracle is not None:
        cases = cases or (lambda seed: NO_ARGUMENTS)
        _keep(Exercise(id, origin, cases, oracle, tuple(mistakes), tolerance, seconds=seconds))
        return None
    if cases is not None or mistakes:
        raise ExerciseError(
            f"{id}: cases and mistakes are compared with an oracle, and there is none.",
            fix="pass oracle=, or raise Wrong(...) in a decorated check.",
        )

    def keep(body: Callable[[object, int, object], None]) -> Callable:
        _keep(Exercise(id, origin, body=body, tolerance=tolerance, seconds=seconds))
        return body

    return keep


def quiz(id: str, questions: Sequence[tuple[str, Answers, str]]) -> None:
    """Register a recall quiz: (question, accepted answers, message when wrong); the answer is a dict by question.

    >>> quiz("d0.0.quiz", [("nodes", [4, "four"], "Count the shared node once.")])
    """
    _keep(Exercise(id, _caller(), questions=tuple(questions)))


def equal(got: object, expected: object, what: str, tolerance: float = 1e-5, reveal: bool = True) -> None:
    """Wrong, naming `what` and the first place where they part, unless both hold the same data.

    >>> equal([1, 2], (1.0, 2.0), "the totals")
    """
    found = difference(plain(got), plain(expected), tolerance)
    if found:
        raise Wrong(f"{what}: {found.sentence(reveal)}.", got=found.got, expected=found.expected, where=found.where)


def find_exercise(id: str) -> Exercise:
    """The exercise of that id: `d1.2.3` is in checks/day1/part2.py. ExerciseError if there is none."""
    place = re.fullmatch(r"d(\d+)\.(\d+)\.(\w+)", id)
    if place and id not in EXERCISES:
        name = f"remix_utils.checks.day{place[1]}.part{place[2]}"
        try:
            rooms = getattr(importlib.import_module(name), "__path__", [])
            for room in pkgutil.iter_modules(rooms):  # a part too large for one file is a folder
                importlib.import_module(f"{name}.{room.name}")
        except ModuleNotFoundError as error:
            if not name.startswith(str(error.name)):
                raise
    if id not in EXERCISES:
        raise ExerciseError(
            f"There is no exercise {id!r}.", fix=f"write it as the heading has it ({nearest(id, EXERCISES)}).", asked=id
        )
    return EXERCISES[id]


def _caller() -> tuple[str, int]:
    frame = sys._getframe(2)
    return frame.f_code.co_filename, frame.f_lineno


def _keep(exercise: Exercise) -> None:
    if not re.fullmatch(r"d\d+\.\d+\.\w+", exercise.id):
        raise ExerciseError(
            f"{exercise.id!r} does not say day, part and exercise.", fix="write it like d1.2.3 or d1.2.quiz."
        )
    EXERCISES[exercise.id] = exercise
