"""A pair goes from the wheel and a released day to grades and feedback; `make rehearsal` plays the whole week."""

import pytest

from tools.playing import Try, tries
from tools.rehearsal import ROOT, Rehearsal

SHORT = [ROOT / "solutions" / "day4_parens" / f"{name}.py" for name in ("part1_backwards", "part2_inside")]


@pytest.fixture(scope="module")
def played(tmp_path_factory, wheel) -> Rehearsal:
    """Two parts of a day, played."""
    rehearsal = Rehearsal(tmp_path_factory.mktemp("rehearsal"), wheel, SHORT)
    rehearsal.run()
    return rehearsal


def test_two_parts_of_a_day_go_as_they_should(played):
    """Right, wrong and missing answers are told apart by checks, progress, board and grades, and guesses are kept."""
    assert played.faults == []
    kinds = {each.kind for each in played.tried().values()}
    assert kinds == {"right", "wrong", "missing"}
    said = "\n".join(played.page)
    for line in (
        "Released: ",
        "The work of Ada, Grace.",
        "Progress: ",
        "Board: 1 folders",
        "Findings: 1 cards",
        "Grades",
    ):
        assert line in said


def test_a_rehearsal_notices_what_is_not_as_it_should_be(played, monkeypatch):
    """Where one answer is taken for another kind than it was, progress, board and grades each say so."""
    first = next(id for id, each in played.plans["d4.1"].items() if each.kind == "right")
    monkeypatch.setitem(played.plans["d4.1"], first, Try("missing"))
    looks = (
        played.look_at_progress,
        lambda: played.compare_board(played.shown),
        lambda: played.compare("day4_parens"),
    )
    for look in looks:
        monkeypatch.setattr(played, "faults", [])
        look()
        assert [fault for fault in played.faults if first in fault] != []


def test_every_part_has_answers_of_each_kind(played):
    """And a wrong answer is one that the check knows by its number."""
    for plan in map(tries, played.parts.values()):
        assert {each.kind for each in plan.values()} == {"right", "wrong", "missing"}
        assert all((each.mistake is not None) == (each.kind == "wrong") for each in plan.values())
