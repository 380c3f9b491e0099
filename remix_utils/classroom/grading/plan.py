"""What a worker must run for one exercise: the hole, and the cells that it rests on."""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from remix_utils.checks.bundle import Bundle
from remix_utils.checks.lesson import Cell, without_marks
from remix_utils.checks.part import Part

STUB = "raise NotImplementedError()  # your code here"
CALL = re.compile(r"\b(start_at|solution)\s*\(\s*['\"](d\d+\.\d+(?:\.\w+)?)['\"]")


@dataclass(frozen=True)
class Submitted:
    """A submission's code cells in their order, and the place of each exercise's cell."""

    cells: tuple[str, ...] = ()
    holes: Mapping[str, int] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()  # what was found and mended


@dataclass(frozen=True)
class Brought:
    """Which exercises were skipped by start_at, and which solutions were shown."""

    skipped: frozenset[str]
    shown: frozenset[str]


def brought(submitted: Submitted, part: Part) -> Brought:
    """Finds the exercises that a submission took from the course in place of writing them.

    An exercise is skipped where `start_at` of a later one is called and its hole is as it came.
    """
    order = exercises_of(part.bundle)
    calls = [call for text in submitted.cells for call in calls_in(text)]
    skipped: set[str] = set()
    for name, id in calls:
        if name == "start_at" and id in order:
            skipped.update(order[: order.index(id)])
    written = {id for id, place in submitted.holes.items() if STUB not in submitted.cells[place]}
    shown = {id for name, id in calls if name == "solution" and id in order}
    return Brought(frozenset(skipped - written), frozenset(shown))


def calls_in(text: str) -> list[tuple[str, str]]:
    """Returns the calls of start_at and solution in a cell; comments do not count.

    >>> calls_in('start_at("d1.2")  # or start_at("d1.2.9")')
    [('start_at', 'd1.2')]
    """
    return CALL.findall(without_comments(text)) if CALL.search(text) else []


def without_comments(text: str) -> str:
    """Returns a cell's text without its comments; the text itself if it cannot be read."""
    try:
        found = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError, ValueError):
        return re.sub(r"#.*", "", text)
    return " ".join(each.string for each in found if each.type != tokenize.COMMENT)


def exercises_of(bundle: Bundle) -> list[str]:
    """Returns the ids of a part's exercises in the lesson's order."""
    return [str(cell.marks["exercise"]) for cell in bundle.cells if "exercise" in cell.marks]


def points_of(bundle: Bundle) -> dict[str, float]:
    """Returns the points of each check."""
    return {
        str(cell.marks["check"]): float(str(cell.marks.get("points", 0)))
        for cell in bundle.cells
        if "check" in cell.marks
    }


def plan_for(id: str, submitted: Submitted, part: Part, skipped: frozenset[str]) -> dict:
    """Returns what a worker is told: the texts before the hole, the hole, and the answer's name.

    The course's own cells come first where a submission lacks them: earlier parts of the day, and
    given cells that were deleted. A skipped exercise comes as the course has it, and so does one
    that `start_at` has replaced before the hole, since the answer was written with that one.
    """
    place = submitted.holes[id]
    cells = list(submitted.cells)
    for each in (skipped | replaced(submitted, part, place)) - {id}:
        if each in submitted.holes:
            cells[submitted.holes[each]] = _source(part, each)
    earlier = [text for each in part.bundle.earlier() for text in _texts(each.cells)]
    given = [text for text in _given(part.bundle, id) if text not in cells]
    return {
        "before": [*earlier, *given, *cells[:place]],
        "hole": cells[place],
        "between": between(part, id),
        "text": part.answer_text(id),
    }


def replaced(submitted: Submitted, part: Part, place: int) -> set[str]:
    """Returns the exercises before a cell that `start_at` of a later one has replaced by then."""
    order = exercises_of(part.bundle)
    found = set()
    for each, at in submitted.holes.items():
        calls = [call for text in submitted.cells[at + 1 : place] for call in calls_in(text)]
        later = [id for name, id in calls if name == "start_at" and id in order]
        if each in order and any(order.index(each) < order.index(id) for id in later):
            found.add(each)
    return found


def between(part: Part, id: str) -> list[str]:
    """The course's cells between a hole and its check."""
    first, last = part.position("exercise", id) + 1, part.position("check", id)
    return _texts(part.bundle.cells[first:last])


def _source(part: Part, id: str) -> str:
    return without_marks(part.bundle.cells[part.position("exercise", id)].source)


def _given(bundle: Bundle, id: str) -> list[str]:
    """The course's given cells before an exercise: none of them holds a solution."""
    found = []
    for cell in bundle.cells:
        if cell.marks.get("exercise") == id:
            return found
        if cell.kind == "code" and not cell.marks:
            found.append(cell.source)
    return found


def shown_cells(bundle: Bundle) -> list[str]:
    """Returns the cells that everybody is given, here and in earlier parts; no solution."""
    cells = [cell for each in (*bundle.earlier(), bundle) for cell in each.cells]
    return [cell.source for cell in cells if cell.kind == "code" and not cell.marks]


def _texts(cells: Sequence[Cell]) -> list[str]:
    return [without_marks(cell.source) for cell in cells if cell.kind == "code"]
