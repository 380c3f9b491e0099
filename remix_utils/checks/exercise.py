"""The form of an exercise: how it is tried, which mistakes are known, and the ladder of hints."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from remix_utils.checks.questions import Question
from remix_utils.errors import RemixError

Cases = Callable[[int], Sequence[tuple]]
Rungs = tuple[tuple[str, str], ...]


class ExerciseError(RemixError):
    """An exercise that does not exist, or that is badly declared."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


class Wrong(RemixError):
    """Raised by the `use` of an exercise for a fault that no comparison of values can name.

    >>> raise Wrong("The tree printer shows a shared node twice.")
    Traceback (most recent call last):
    ...
    remix_utils.checks.exercise.Wrong: The tree printer shows a shared node twice.
      fix: read the hints of this exercise.
    """

    FIX = "read the hints of this exercise."

    def __init__(self, fact: str, *, fix: str = FIX, **facts: object):
        super().__init__(fact, fix=fix, **facts)


@dataclass(frozen=True)
class Variant:
    """Another answer to an exercise: edits of the reference solution, a source text, or a value."""

    edits: tuple[tuple[str, str, int], ...] = ()
    answer: object = None


@dataclass(frozen=True)
class Mistake:
    """A known wrong answer, and the sentence that names it."""

    says: str
    variant: Variant


def edit(old: str, new: str, *, says: str, times: int = 1) -> Mistake:
    """Declares a mistake as one edit of the reference solution, which must match `times` times.

    >>> edit(".mean(-1)", ".sum(-1)", says="This is a sum over queries. Take the mean.").says
    'This is a sum over queries. Take the mean.'
    """
    return Mistake(says, Variant(edits=((old, new, times),)))


def edits(*changes: tuple, says: str) -> Mistake:
    """Declares a mistake as several edits, each (old, new) or (old, new, times), in this order.

    >>> edits(("a", "b"), ("c", "d", 2), says="Two slips.").variant.edits
    (('a', 'b', 1), ('c', 'd', 2))
    """
    full = tuple((old, new, *(rest or [1])) for old, new, *rest in changes)
    return Mistake(says, Variant(edits=full))  # pyright: ignore[reportArgumentType]


def instead(answer: object, *, says: str) -> Mistake:
    """Declares a mistake as an answer of its own: a source text, a function, or a value.

    A text replaces the exercise's cell and may use every name of the lesson. A function or a
    value stands under the name that the check is called with.

    >>> instead("def double(n):\\n    return n", says="Nothing was doubled.").says
    'Nothing was doubled.'
    """
    return Mistake(says, Variant(answer=answer))


@dataclass(frozen=True)
class Exercise:
    """One exercise, as `exercise` and `quiz` declare it."""

    id: str
    cases: Cases | None = None
    use: Callable | None = None
    raises: tuple[type[Exception], ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    right: tuple[Variant, ...] = ()
    hints: Rungs = ()
    tolerance: float = 1e-5
    seconds: float = 2.0
    sizes: str = ""
    free: bool = False
    questions: Mapping[str, Question] = field(default_factory=dict)


COLLECTED: list[dict[str, Exercise]] = []


@contextlib.contextmanager
def collecting() -> Iterator[dict[str, Exercise]]:
    """Gathers the exercises that are declared inside the block, by id."""
    found: dict[str, Exercise] = {}
    COLLECTED.append(found)
    try:
        yield found
    finally:
        COLLECTED.pop()


def exercise(
    id: str,
    *,
    cases: Cases | None = None,
    use: Callable | None = None,
    raises: type[Exception] | tuple[type[Exception], ...] = (),
    mistakes: Sequence[Mistake] = (),
    right: Sequence[object] = (),
    hints: Sequence[tuple[str, str]] = (),
    tolerance: float = 1e-5,
    seconds: float = 2.0,
    sizes: str = "",
    free: bool = False,
) -> None:
    """Declares how an exercise is judged, beside the reference solution in the lesson's master.

    `cases(seed)` lists the arguments of each call; without it the answer is a value.
    `use(answer, *case)` returns the data that are compared; without it the answer is called.
    `raises` names the errors that the reference may raise on a case, which an answer must then
    raise too. `sizes` tells which sizes the check uses where they are not the lesson's. With
    `free`, many answers are right: `use` alone judges, and returns True or raises Wrong.

    ExerciseError for an id that names no day, part and exercise, or that is declared twice.

    >>> with collecting() as found:
    ...     exercise("d0.0.1", cases=lambda seed: [(2,), (seed,)])
    >>> found["d0.0.1"].tolerance
    1e-05
    """
    kinds = raises if isinstance(raises, tuple) else (raises,)
    others = tuple(Variant(answer=each) for each in right)
    _keep(
        Exercise(
            id,
            cases,
            use,
            kinds,
            tuple(mistakes),
            others,
            tuple(hints),
            tolerance,
            seconds,
            sizes,
            free,
        )
    )


def quiz(id: str, *, hints: Sequence[tuple[str, str]] = (), **questions: Question) -> None:
    """Declares a recall quiz; the reference solution in the master holds the right answers.

    >>> from remix_utils.checks.questions import number
    >>> with collecting() as found:
    ...     quiz("d0.0.quiz", nodes=number(says="Count the shared node once."))
    >>> list(found["d0.0.quiz"].questions)
    ['nodes']
    """
    _keep(Exercise(id, hints=tuple(hints), questions=questions))


def _keep(declared: Exercise) -> None:
    if not re.fullmatch(r"d\d+\.\d+\.\w+", declared.id):
        raise ExerciseError(
            f"{declared.id!r} does not say day, part and exercise.",
            fix="write it like d1.2.3 or d1.2.quiz.",
        )
    if not COLLECTED:
        raise ExerciseError(
            f"{declared.id} is declared outside a lesson.",
            fix="declare it in solutions/dayN_x/checks/partK_name.py.",
        )
    if declared.id in COLLECTED[-1]:
        raise ExerciseError(f"{declared.id} is declared twice.", fix="declare it once.")
    COLLECTED[-1][declared.id] = declared
