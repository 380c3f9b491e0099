"""The ladder of hints, and the solution at its end."""

from __future__ import annotations

from remix_utils.checks import progress
from remix_utils.checks.exercise import ExerciseError, Rungs
from remix_utils.checks.lesson import without_marks
from remix_utils.checks.part import load

RUNGS = ("a nudge", "an approach", "almost the code")
CLIMBED: dict[str, int] = {}
ASKED: set[str] = set()


class Hint:
    """The rungs of a ladder unfolded so far; a notebook shows them folded, a terminal as text."""

    def __init__(self, id: str, rungs: Rungs, climbed: int):
        self.id, self.rungs, self.climbed = id, rungs, climbed

    def _left(self) -> str:
        left = len(self.rungs) - self.climbed
        if left:
            return f'hint("{self.id}") again: {RUNGS[-left]}.'
        return f'That was the last hint. solution("{self.id}") shows how we wrote it.'

    def _repr_markdown_(self) -> str:
        shown = [
            f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"
            for title, text in self.rungs[: self.climbed]
        ]
        return "\n\n".join([*shown, f"*{self._left()}*"])

    def __repr__(self) -> str:
        shown = [f"{title}\n{text}" for title, text in self.rungs[: self.climbed]]
        return "\n\n".join([*shown, self._left()])


def hint(id: str) -> Hint:
    """Returns the next hint of an exercise, under those seen before.

    ExerciseError if the exercise has no hints.
    """
    rungs = load(id).exercise(id).hints
    if not rungs:
        raise ExerciseError(
            f"{id} has no hints.", fix="read its part again; a quiz is answered from memory."
        )
    CLIMBED[id] = min(CLIMBED.get(id, 0) + 1, len(rungs))
    return Hint(id, rungs, CLIMBED[id])


def solution(id: str) -> None:
    """Prints the reference solution of an exercise, when it is asked for a second time.

    For a written answer, that is our sample answer and how it is graded. The first call says what
    it means to open a solution; the progress record notes the second.
    """
    if id not in ASKED:
        print(notice(id, f'call solution("{id}") once more.'))
        ASKED.add(id)
        return
    show_solution(id)


def notice(id: str, again: str) -> str:
    """Returns what it means to open a solution, and how it is then shown.

    ExerciseError for an id that names no exercise with a solution.
    """
    _solution_of(id)
    if load(id).is_written(id):
        return (
            f"{id} is a written answer. This shows our sample answer and how yours is graded, and "
            "the progress record will say so.\n"
            f"Write your own answer and hand it in first. To see ours: {again}"
        )
    return (
        f"This shows our solution of {id}, and the progress record will say so.\n"
        f'hint("{id}") gives less away. To see the solution: {again}'
    )


def show_solution(id: str) -> None:
    """Prints the reference solution of an exercise; the progress record notes it."""
    source = _solution_of(id)
    progress.record("solution", id)
    print(source)


def _solution_of(id: str) -> str:
    part = load(id)
    mark = "answer" if part.is_written(id) else "exercise"
    cell = part.bundle.cells[part.position(mark, id)]
    return without_marks(cell.source).rstrip()
