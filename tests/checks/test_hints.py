"""The ladder of hints unfolds one step a call, and ends at the solution."""

import json

import pytest

from remix_utils.checks import hints
from remix_utils.checks.exercise import ExerciseError
from remix_utils.checks.hints import hint, solution

pytestmark = pytest.mark.usefixtures("course")


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """A kernel in which nothing was asked yet."""
    monkeypatch.setattr(hints, "CLIMBED", {})
    monkeypatch.setattr(hints, "ASKED", set())


def test_hints_unfold_one_rung_a_call():
    """Folded in a notebook, titled with the reader's confusion; text in a terminal; then the solution."""
    first = hint("d9.1.1")._repr_markdown_()
    assert "<summary>Help, it is all zeros</summary>" in first
    assert "Gather" not in first
    assert "an approach" in first
    assert "Gather" in repr(hint("d9.1.1"))
    last = [repr(hint("d9.1.1")).splitlines()[-1] for _ in range(2)]
    assert last == ['That was the last hint. solution("d9.1.1") shows how we wrote it.'] * 2


def test_an_exercise_without_hints_says_so():
    """A quiz is answered from memory; a wrong id names the nearest."""
    with pytest.raises(ExerciseError, match="has no hints"):
        hint("d9.1.quiz")
    with pytest.raises(ExerciseError, match=r"nearest: 'd9\.1\.1'"):
        hint("d9.1.11")


def test_a_solution_is_shown_when_it_is_asked_for_twice(capsys, tmp_path):
    """The first call says what it means; the record notes the second."""
    solution("d9.1.1")
    said = capsys.readouterr().out
    assert "return hidden[rows]" not in said
    assert "progress record" in said
    solution("d9.1.1")
    said = capsys.readouterr().out
    assert "    return hidden[rows]" in said
    assert "SOLUTION" not in said
    (path,) = (tmp_path / ".remix" / "progress").glob("*.jsonl")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["solution"]


def test_a_written_answer_is_shown_with_its_grading(capsys, tmp_path):
    """It has no check and no hints; the first call asks for the reader's own answer, the second is noted."""
    solution("d9.1.4")
    said = capsys.readouterr().out
    assert "d9.1.4 is a written answer" in said
    assert "hand it in first" in said
    assert "Because." not in said
    solution("d9.1.4")
    said = capsys.readouterr().out
    assert said == "Because.\n\n*Grading, 1.5 points.* Give all of them for a reason.\n"
    (path,) = (tmp_path / ".remix" / "progress").glob("*.jsonl")
    assert [json.loads(line)["event"] for line in path.read_text().splitlines()] == ["solution"]
