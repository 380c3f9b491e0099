"""A cohort of sixty on two real days: what each student hands in, and what is due for it.

Dues are stated by construction: a right answer gets its points, an untouched one none, a known mistake none and its
sentence. An exercise that rests on a broken one has no due of its own (None) where nothing else tells it.
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import cheats, mishaps
from benchmarks.lesson import Lesson, made
from remix_utils.checks.lesson import without_marks

ODD_NAMES = ("ann lee", "=cmd()", "<script>alert(1)", "o'neil; rm -rf ~", "a..%2f..%2froot", "$(touch remix-was-here)")
# The other right answer is a list, which the cells below it on the page cannot take.
ONLY_FOR_ITS_CHECK = ("d2.1.9",)
Due = float | None


@dataclass
class Handed:
    """A notebook that is handed in, with the points that are due for each exercise, and sentences."""

    whole: dict
    due: dict[str, Due]
    sentences: dict[str, str] = field(default_factory=dict)
    data: bytes | None = None  # where the file is not that notebook


# --- honest notebooks -----------------------------------------------------------------------------------------


def solved(lesson: Lesson, ids: list[str] | None = None) -> Handed:
    """The reference's answers to these exercises, or to all; the others as they were."""
    ids = lesson.ids if ids is None else ids
    return Handed(lesson.solved(ids), {id: lesson.points[id] * (id in ids) for id in lesson.ids})


def partly(lesson: Lesson, share: float = 0.5) -> Handed:
    return solved(lesson, lesson.ids[: round(share * len(lesson.ids))])


def differently(lesson: Lesson, number: int = 0) -> Handed:
    """Another right answer to each exercise that has one, as the course's own tests know it."""
    handed = solved(lesson)
    for id in lesson.ids:
        right = [each for each in lesson.part.exercise(id).right if isinstance(each.answer, str)]
        if right and id not in ONLY_FOR_ITS_CHECK:
            source = lesson.part.typed(id, right[number % len(right)]) or ""
            needed = made(without_marks(lesson.source(id, lesson.reference)))
            if not lesson.rest_on[id] or needed <= made(source):
                lesson.hole(id, handed.whole)["source"] = source
    return handed


def mistaken(lesson: Lesson, number: int, ids: list[str] | None = None) -> Handed:
    """A known mistake in each exercise on which nothing rests, or in these; the others right."""
    handed = solved(lesson)
    ids = [id for id in lesson.ids if not lesson.rest_on[id]] if ids is None else ids
    for id in ids:
        texts = list(mistakes(lesson, id))
        if texts:
            source, says = texts[number % len(texts)]
            lesson.hole(id, handed.whole)["source"] = source
            handed.due |= dict.fromkeys(lesson.rest_on[id]) | {id: 0.0}
            handed.sentences[id] = says
    return handed


def mistakes(lesson: Lesson, id: str) -> Iterator[tuple[str, str]]:
    """The cells with the known mistakes of an exercise, and their sentences."""
    for each in lesson.part.exercise(id).mistakes:
        text = lesson.part.typed(id, each.variant)
        if text is not None:
            yield text, each.says


# --- the others -----------------------------------------------------------------------------------------------


def cheating(lesson: Lesson, name: str) -> Handed:
    """A blank notebook with the same cheat in each hole."""
    handed = solved(lesson, [])
    for place, id in enumerate(lesson.ids):
        stub = lesson.source(id, lesson.student)
        source = cheats.cheating(name, stub, sorted(made(stub)))
        source = source.replace("@ID@", id).replace("@PART@", lesson.part.id)
        lesson.hole(id, handed.whole)["source"] = source.replace("@NEXT@", [*lesson.ids, id][place + 1])
    return handed


def bad(lesson: Lesson, name: str, place: int = 0) -> Handed:
    """A right notebook with one thing wrong in it."""
    handed = solved(lesson)
    if name in mishaps.FILES:
        make, share = mishaps.FILES[name]
        handed.data = make(handed.whole)
        handed.due = {id: share * points for id, points in lesson.points.items()}
        return handed
    if name in mishaps.IN_A_CELL:
        first = {"cell_type": "code", "id": "mine", "metadata": {}, "outputs": [], "execution_count": None}
        handed.whole["cells"].insert(0, {**first, "source": mishaps.IN_A_CELL[name]})
        return handed
    id = lesson.leaves[place % len(lesson.leaves)]
    hole = lesson.hole(id, handed.whole)
    if name in mishaps.BESIDE_THE_ANSWER:
        code, share = mishaps.BESIDE_THE_ANSWER[name]
        hole["source"] = f"{code}\n{hole['source']}"
    else:
        code, share = mishaps.IN_THE_ANSWER[name]
        hole["source"] = begun(lesson.source(id, lesson.reference), code)
    handed.due[id] = None if share is None else share * lesson.points[id]
    return handed


def begun(source: str, code: str) -> str:
    """Returns a reference's cell with more code at the beginning of its (last) solution."""
    before, mark, after = source.rpartition("### BEGIN SOLUTION")
    indent = before.rpartition("\n")[2]
    return without_marks(before + mark + "\n" + textwrap.indent(code.strip("\n"), indent) + after)


def rooted(lesson: Lesson, code: str | None) -> Handed:
    """A right notebook whose first function is untouched, or does something else; others rest on it."""
    handed = solved(lesson)
    id = next(id for id in lesson.ids if lesson.rest_on[id] and lesson.is_function(id))
    source = lesson.source(id, lesson.student)
    stub = "raise NotImplementedError()  # your code here"
    lesson.hole(id, handed.whole)["source"] = source.replace(stub, code or stub)
    handed.due |= dict.fromkeys(lesson.rest_on[id]) | {id: 0.0}
    return handed


BAD = [*mishaps.IN_THE_ANSWER, *mishaps.BESIDE_THE_ANSWER, *mishaps.IN_A_CELL, *mishaps.FILES]
PEERS = {  # whatever is wrong in the first function, the exercises that rest on it get the same
    "first untouched": None,
    "first raises": "raise ValueError('mine')",
    "first leaves": "import os; os._exit(0)",
}
Cohort = dict[str, dict[str, Handed]]  # student → part → notebook


def cohort(course: list[Lesson], students: int = 63) -> Cohort:
    """Returns what each student hands in for each part, and its due."""
    made: Cohort = {"reference": {each.part.id: solved(each) for each in course}}
    made["blank"] = {each.part.id: solved(each, []) for each in course}
    made["second blank"] = {each.part.id: bad_checks(each) for each in course}
    for share in (0.5, 0.25):
        made[f"partly {share}"] = {each.part.id: partly(each, share) for each in course}
    for number in range(3):
        made[f"differently {number}"] = {each.part.id: differently(each, number) for each in course}
    for number in range(6):
        made[f"mistaken {number}"] = {each.part.id: mistaken(each, number) for each in course}
    for name, code in PEERS.items():
        made[name] = {each.part.id: rooted(each, code) for each in course}
    for name in cheats.CHEATS:
        made[f"cheat {name}"] = {each.part.id: cheating(each, name) for each in course}
    others = students - len(made)
    for number in range(others):
        name = ODD_NAMES[number] if number < len(ODD_NAMES) else f"bad {number}"
        made[name] = {each.part.id: solved(each) for each in course}
    names = list(made)[-others:]
    for place, (name, lesson, which) in enumerate(_places(names, course)):
        made[name][lesson.part.id] = bad(lesson, which, place)
    return made


def _places(names: list[str], course: list[Lesson]) -> Iterator[tuple[str, Lesson, str]]:
    """Who hands in which bad notebook: at least one of each kind, and most parts of each student right."""
    per_student = -(-len(BAD) // len(names))
    for number, which in enumerate(BAD):
        student = number // per_student
        step = len(course) // per_student
        yield names[student], course[(student + number % per_student * step) % len(course)], which


def bad_checks(lesson: Lesson) -> Handed:
    """An untouched notebook whose checks print ok."""
    handed = solved(lesson, [])
    handed.whole = mishaps.edited_checks(handed.whole)
    return handed


def write(course: list[Lesson], handed: Cohort, places: dict[str, Path]) -> dict[str, dict[str, Due]]:
    """Writes all notebooks; returns the dues, {student: {exercise: points}}."""
    dues: dict[str, dict[str, Due]] = {}
    for student, parts in handed.items():
        dues[student] = {}
        for lesson in course:
            if lesson.part.id in parts:
                each = parts[lesson.part.id]
                path = places["SUBMITTED"] / student / lesson.day / f"{lesson.name}.ipynb"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(each.data if each.data is not None else filled(each.whole, lesson, places))
                dues[student] |= each.due
    return dues


def filled(whole: dict, lesson: Lesson, places: dict[str, Path]) -> bytes:
    text = json.dumps(whole).replace("@DAY@", lesson.day)
    for name, path in places.items():
        text = text.replace(f"@{name}@", str(path))
    return text.encode()


def odd_places(course: list[Lesson], submitted: Path) -> dict[str, dict[str, Due]]:
    """Replaces files of the last students by what is no notebook, or lies elsewhere; returns the new dues."""
    reference, changed = submitted / "reference", {}
    for number, (student, act) in enumerate(mishaps.ODD_PLACES.items()):
        changed[student] = {}
        for lesson in course:
            path = submitted / student / lesson.day / f"{lesson.name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            there = reference / lesson.day / f"{lesson.name}.ipynb"
            chosen = number % 2 == int(lesson.part.id.split(".")[1]) % 2
            path.write_bytes(there.read_bytes())
            share = act(path, there) if chosen else 1
            changed[student] |= {id: share * points for id, points in lesson.points.items()}
    return changed
