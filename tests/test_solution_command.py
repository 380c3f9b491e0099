"""`remix solution`: what `solution(...)` does in a notebook, from a terminal, with the same record."""

import json

import pytest

from remix_utils import cli
from remix_utils.checks import hints, place, progress
from remix_utils.checks.hints import solution
from tests.checks.small_course import write_course


@pytest.fixture
def day(tmp_path, monkeypatch):
    """The day's folder of a small course, as the course's own."""
    folder = write_course(tmp_path / "course")
    (folder / "part1_gather.ipynb").write_text("{}")
    monkeypatch.chdir(tmp_path / "course")
    monkeypatch.setattr(place, "START", place.START)  # put back afterwards
    monkeypatch.setattr(hints, "ASKED", set())
    monkeypatch.setattr(progress, "PENDING", [])
    for name in ("REMIX_FOLDER", "REMIX_CHECKS", "REMIX_WORK"):
        monkeypatch.delenv(name, raising=False)
    return folder


def events(folder):
    paths = (folder / ".remix" / "progress").glob("*.jsonl")
    return [json.loads(line)["event"] for path in paths for line in path.read_text().splitlines()]


def test_it_says_what_it_means_and_shows_it_when_that_is_confirmed(day, capsys):
    """The same sentences, the same solution and the same line in the record as in a notebook."""
    assert cli.main(["solution", "d9.1.1"]) == 0
    notice = capsys.readouterr().out
    assert notice.endswith("To see the solution: remix solution d9.1.1 --yes\n") and events(day) == []
    assert cli.main(["solution", "d9.1.1", "--yes"]) == 0
    shown = capsys.readouterr().out
    assert "return hidden[rows]" in shown and events(day) == ["solution"]
    solution("d9.1.1")
    assert capsys.readouterr().out.splitlines()[:-1] == notice.splitlines()[:-1]
    solution("d9.1.1")
    assert capsys.readouterr().out == shown and events(day) == ["solution"] * 2


def test_a_written_answer_is_shown_with_its_grading(day, capsys):
    """It has no check, and its sample answer is opened as a solution is."""
    assert cli.main(["solution", "d9.1.4"]) == 0
    assert "hand it in first" in capsys.readouterr().out and events(day) == []
    assert cli.main(["solution", "d9.1.4", "--yes"]) == 0
    assert "*Grading, 1.5 points.*" in capsys.readouterr().out and events(day) == ["solution"]


def test_the_record_lies_where_the_participant_works(day, tmp_path, monkeypatch):
    """In the day's copy, wherever in the course the command is typed; before there is one, beside the notebooks."""
    own = tmp_path / "course" / "work" / day.name
    (own / "checks").mkdir(parents=True)
    for path in (day / "checks").glob("*.remix"):
        (own / "checks" / path.name).write_bytes(path.read_bytes())
    for here in (tmp_path / "course", own):
        monkeypatch.chdir(here)
        assert cli.main(["solution", "d9.1.1", "--yes"]) == 0
    assert events(own) == ["solution"] * 2 and events(day) == []


@pytest.mark.parametrize("id", ["d9.1.99", "d7.1.1", "here", "", "../d9.1.1"])
def test_an_id_without_a_solution_is_named(id, day, capsys):
    """Status 2, a fix, nothing in the record, and no traceback."""
    for confirmed in ([], ["--yes"]):
        assert cli.main(["solution", id, *confirmed]) == 2
        said = capsys.readouterr()
        assert said.out == "" and "\n  fix: " in said.err
    assert events(day) == []
