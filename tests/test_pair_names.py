"""The names of a pair reach its work from a notebook, from a terminal and from the Lab, whoever started the kernel."""

import json
import os

import pytest

from remix_utils import cli
from remix_utils.checks import pair as names_of
from remix_utils.checks import place, progress
from remix_utils.checks.pair import FILE, LONGEST, PairError, known_names, pair
from remix_utils.classroom.board.lines import Lines

HOSTILE = {
    "a terminal's codes": ("Ada\x1b[2J", "Ada [2J"),
    "lines": ("Ada\r\n\nBo\t", "Ada Bo"),
    "a direction turned round": ("Ada\u202eoB", "Ada oB"),
    "half a character": ("Ada\ud800", "Ada"),
    "zeros": ("\0Ada\0", "Ada"),
    "a page": ("<b>Ada</b>", "<b>Ada</b>"),  # shown as text, as the board's tests hold
    "a long one": ("A" * 10_000, "A" * LONGEST),
}


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder of work with two days; the kernel was started beside the notebooks of the first, by a Hub."""
    for name in ("day1_graphs", "day2_induction"):
        (tmp_path / name).mkdir()
    monkeypatch.setattr(place, "START", tmp_path / "day1_graphs")
    monkeypatch.setattr(progress, "PENDING", [])
    for name in ("REMIX_PAIR", "REMIX_FOLDER", "REMIX_WORK"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


def recorded() -> list[str]:
    """The names on each event of the folder of notebooks."""
    return [event.get("pair", "") for event in progress.Record(place.START / ".remix").new()]


def test_a_pair_gives_its_names_in_a_cell(desk, capsys):
    """The events after the cell carry both names, those before it none; the last names hold."""
    progress.record("solution", "d1.1.1")
    pair("Ada", "Grace")
    progress.record("solution", "d1.1.2")
    pair("Ada", "Bo")
    progress.record("solution", "d1.1.3")
    assert recorded() == ["", "Ada, Grace", "Ada, Bo"]
    assert capsys.readouterr().out == "The work of Ada, Grace.\nThe work of Ada, Bo.\n"


def test_without_names_a_pair_is_told_how_to_give_them(desk, capsys):
    """And nothing is written; afterwards the names that hold are said."""
    pair()
    printed = capsys.readouterr().out
    assert printed.startswith("No names are given.") and "remix pair Ada Grace" in printed
    assert not (place.START / FILE).exists()
    pair("Ada")
    pair()
    assert capsys.readouterr().out == "The work of Ada.\n" * 2


def test_a_pair_gives_its_names_in_a_terminal_of_the_hub(desk, monkeypatch, capsys):
    """In its home they hold for every day that it fetched there; a day's own later names hold for that day."""
    monkeypatch.chdir(desk)
    assert cli.main(["pair", "Ada", "Grace"]) == 0
    assert capsys.readouterr().out == "The work of Ada, Grace.\n"
    for day in ("day1_graphs", "day2_induction"):
        monkeypatch.setattr(place, "START", desk / day)
        assert known_names() == "Ada, Grace"
    pair("Bo")
    os.utime(desk / FILE, (1e9, 1e9))
    assert known_names() == "Bo"
    monkeypatch.setattr(place, "START", desk / "day1_graphs")
    assert known_names() == "Ada, Grace"


def test_the_names_of_remix_pair_are_found_in_a_folder_of_ones_own(small_course, monkeypatch):
    """Wherever in the course the command is typed, and also where the folder of work is named."""
    assert cli.main(["start", "2"]) == cli.main(["pair", "Ada", "Grace"]) == 0
    monkeypatch.setattr(place, "START", small_course / "work" / "day2_induction")
    assert known_names() == "Ada, Grace"
    assert cli.main(["pair", "Bo", "--work", "elsewhere"]) == 0
    assert (small_course / "elsewhere" / FILE).read_text() == "Bo"


def test_names_given_to_the_lab_hold_until_others_are_given(desk, monkeypatch):
    """REMIX_PAIR stands for a Lab whose folder cannot keep names."""
    monkeypatch.setenv("REMIX_PAIR", "Ada\x1b[2J")
    assert known_names() == "Ada [2J"
    pair("Bo")
    assert known_names() == "Bo"


@pytest.mark.parametrize(("given", "kept"), HOSTILE.values(), ids=HOSTILE)
def test_odd_names_become_one_line_of_visible_characters(given, kept, desk, capsys):
    """At the door, and again where a file was written by something else."""
    pair(given)
    assert capsys.readouterr().out == f"The work of {kept}.\n" and (place.START / FILE).read_text() == kept
    (place.START / FILE).write_bytes(given.encode(errors="surrogatepass")[:2000])
    assert known_names().replace("�", "") == kept


@pytest.mark.parametrize("given", ["", "\n", "\x1b", "\u200b"])
def test_names_that_cannot_be_seen_are_refused(given, desk):
    """With the way out, and the names that hold stay."""
    pair("Ada")
    with pytest.raises(PairError, match="fix: "):
        pair(given, given)
    assert known_names() == "Ada"


def test_names_that_are_no_texts_are_refused(desk, capsys):
    """As a list of both names, which one may try first."""
    with pytest.raises(PairError, match=r'fix: give them as texts: pair\("Ada", "Grace"\)'):
        pair(["Ada", "Grace"])
    assert cli.main(["pair", ""]) == 2 and "fix: " in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(desk):
    """The names are not kept, and the error tells where."""
    (place.START / ".remix").write_text("in the way")
    with pytest.raises(PairError, match=r"pair\.txt: .*\n  fix: "):
        pair("Ada")


def test_what_is_no_file_of_names_is_passed_over(desk):
    """A folder, a pipe that nobody writes, ten megabytes, no text."""
    path = place.START / FILE
    path.mkdir(parents=True)
    assert known_names() == ""
    path.rmdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(path)
        assert known_names() == ""
        path.unlink()
    path.write_bytes(b"A" * 10_000_000)
    assert known_names() == "A" * LONGEST
    path.write_bytes(bytes(range(128, 256)))
    assert "\n" not in known_names()


def test_the_board_shows_the_names_of_a_pair_on_a_hub(desk, monkeypatch):
    """From the folder that the Hub gives each pair in the cohort's."""
    monkeypatch.setenv("REMIX_FOLDER", str(desk / "progress" / "pair7"))
    pair("Ada", "Grace")
    progress.record("check", "d1.1.1", verdict="right", seconds=0.1, edition="a")
    assert [(event.pair, event.id) for event in Lines(desk / "progress").new()] == [("Ada, Grace", "d1.1.1")]


def test_the_file_of_names_holds_nothing_else(desk):
    """And an event without names has no field for them."""
    progress.record("solution", "d1.1.1")
    line = next((place.START / ".remix" / "progress").glob("*.jsonl")).read_text()
    assert "pair" not in json.loads(line)
    pair("Ada", "Grace")
    assert (place.START / names_of.FILE).read_text() == "Ada, Grace"
