"""Guesses are kept beside what was measured, across kernels and parts of a day, and nothing can spoil them."""

import multiprocessing
import os
from pathlib import Path

import numpy
import pytest
import torch

from remix_utils.checks import place, progress
from remix_utils.checks.predictions import PredictionError, measured, predict, predictions


@pytest.fixture(autouse=True)
def fresh(tmp_path, monkeypatch):
    """A kernel that has just started beside a notebook."""
    monkeypatch.delenv("REMIX_FOLDER", raising=False)
    monkeypatch.delenv("REMIX_PAIR", raising=False)
    new_kernel(monkeypatch, tmp_path / "day9")


def new_kernel(monkeypatch, folder):
    """Forgets what only the memory of a kernel holds."""
    folder.mkdir(exist_ok=True)
    monkeypatch.setattr(place, "START", folder)
    monkeypatch.setattr(progress, "PENDING", [])
    monkeypatch.setattr(progress, "TOLD", set())
    monkeypatch.setattr(progress, "TORN", set())


def files() -> list[Path]:
    return sorted((place.START / ".remix" / "progress").glob("*.jsonl"))


def test_a_guess_stands_beside_what_was_measured(monkeypatch, capsys):
    """In another kernel of the same folder too; dots are a reminder, and p10 stands after p2."""
    predict("d9.1.p10", 40, "points left")
    predict("d9.1.p2", ..., "points <lost>")
    predict("d9.2.p1", "head 5", "which head")
    new_kernel(monkeypatch, place.START)
    measured("d9.1.p10", 12.345, 0.51)
    measured("d9.1.p2", 7)
    said = capsys.readouterr().out
    assert "d9.1.p2: no guess yet" in said
    assert "measured 12.3 ± 0.5; predicted 40 (points left)" in said
    assert "measured 7; there was no prediction." in said
    table = predictions("d9")
    assert table.rows == [
        ("d9.1.p2", "points <lost>", "–", "7"),
        ("d9.1.p10", "points left", "40", "12.3 ± 0.5"),
        ("d9.2.p1", "which head", "head 5", "–"),
    ]
    assert "points &lt;lost&gt;" in table._repr_html_()
    assert repr(table).splitlines()[2].split()[-3:] == ["12.3", "±", "0.5"]
    assert len(predictions("d9.1").rows) == 2


def test_the_last_guess_wins(monkeypatch):
    """Whichever kernel made it, and also when clocks stand still; dots that are run again take none away."""
    monkeypatch.setattr(progress.time, "time", lambda: 1e9)
    for guess in (1, 99, 2):
        predict("d9.1.p1", guess, "points")
    predict("d9.1.p1", ..., "points")
    assert predictions("d9").rows == [("d9.1.p1", "points", "2", "–")]


def test_a_guess_that_replaces_another_one_says_so(capsys):
    """Also when the measurement was there already; the same guess again replaces nothing."""
    for guess in (40, 40, 30):
        predict("d9.1.p1", guess, "points")
    measured("d9.1.p1", 35)
    predict("d9.1.p1", 35, "points")
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "d9.1.p1: predicted 40 (points)."
    assert lines[2] == "d9.1.p1: predicted 30 (points); it replaces 40."
    assert lines[4] == "d9.1.p1: predicted 35 (points); it replaces 30, after the measurement."


def test_large_numbers_are_written_out():
    """A guess of 131,071 is no 1.31e+05."""
    predict("d9.1.p1", 131071, "numbers")
    measured("d9.1.p1", -16380.0)
    assert predictions("d9").rows == [("d9.1.p1", "numbers", "131,071", "-16,380")]


def guess_often(folder, number):
    """What one of several kernels does."""
    place.START = folder
    for n in range(100):
        predict(f"d9.{number}.p{n}", n, "points")


def test_kernels_at_work_at_once_lose_nothing():
    """Three processes with a hundred guesses each, in one folder, and after them there are three hundred."""
    spawn = multiprocessing.get_context("spawn")
    kernels = [spawn.Process(target=guess_often, args=(place.START, number)) for number in (1, 2, 3)]
    for kernel in kernels:
        kernel.start()
    for kernel in kernels:
        kernel.join()
    rows = predictions("d9").rows
    assert len(rows) == 300
    assert all(id.rpartition("p")[2] == guess for id, _, guess, _ in rows)
    assert len(files()) == 3


@pytest.mark.parametrize("damage", [b'{"time": 1, "eve', b"\xff\xfe\n", b"[]\n", b"{}\n", b"null\n", b"\x00" * 99_999])
def test_a_damaged_line_costs_only_itself(damage):
    """What stands before and after it is read."""
    predict("d9.1.p1", 1, "points")
    (path,) = files()
    whole = path.read_bytes()
    path.write_bytes(damage + b"\n" + whole + damage)
    assert predictions("d9").rows == [("d9.1.p1", "points", "1", "–")]


BAD_IDS = [None, 3, "", "p1", "d9.1", "d9.1.1", "d9.1.p1 ", "../p1", ["d9.1.p1"], {}, b"d9.1.p1"]
BAD_IDS.append("d9.1.p" + "1" * 10**6)


@pytest.mark.parametrize("id", BAD_IDS, ids=lambda id: repr(id)[:12])
def test_a_bad_id_is_refused_and_poisons_nothing(id):
    """The message is short and has a fix, nothing is written, and the next prediction works."""
    for call in (lambda: predict(id, 3, "x"), lambda: measured(id, 3), lambda: measured(id, 3, 1)):
        with pytest.raises(PredictionError, match="names no prediction") as refused:
            call()
        assert "fix: write its id" in str(refused.value) and len(str(refused.value)) < 200
    assert files() == []
    predict("d9.1.p1", 3, "x")
    assert predictions("d9").rows == [("d9.1.p1", "x", "3", "–")]


class Unprintable:
    """A value that cannot be printed."""

    def __repr__(self):
        raise OSError("no")

    __str__ = __repr__


def test_what_cannot_be_printed_is_named_by_its_kind():
    """A guess may be any object, and no object of a pair's own breaks the table."""
    predict("d9.1.p1", Unprintable(), "x")
    predict("d9.1.p2", [1, Unprintable()], "x")
    named = "an object of type Unprintable"
    assert [row[2] for row in predictions("d9").rows] == [named, f"1, {named}"]


def test_what_cannot_be_written_down_is_refused():
    """A list that holds itself has no end; the message has a fix, and nothing is written."""
    endless: list = []
    endless.append(endless)
    for call in (lambda: predict("d9.1.p1", endless, "x"), lambda: measured("d9.1.p1", endless)):
        with pytest.raises(PredictionError, match="cannot be written down here") as refused:
            call()
        assert "fix: give a number" in str(refused.value)
    assert files() == []


@pytest.mark.parametrize("pair", [("abc", "def"), (3, "def"), (None, 2), ([1, 2], 0.1), (torch.zeros(2), 1)])
def test_an_error_belongs_to_a_number(pair):
    """Text and lists have none, and the fix shows how it is written."""
    with pytest.raises(PredictionError, match="needs two numbers") as refused:
        measured("d9.1.p1", *pair)
    assert 'measured("d1.1.p1", 12.5, 0.3)' in str(refused.value)


@pytest.mark.parametrize("what", [None, 3, "x" * 10**6])
def test_a_description_is_a_short_text(what):
    """Anything else is refused at the door."""
    with pytest.raises(PredictionError, match="expected a text of at most 300 letters"):
        predict("d9.1.p1", 3, what)


def test_numbers_of_all_kinds_and_long_texts_are_kept():
    """Arrays and tensors of one number as numbers; of a long text the beginning."""
    for n, guess in enumerate([1, 2.5, True, numpy.float32(0.1), torch.tensor(3), [1, 2.5], "x" * 10**6, "two\nlines"]):
        predict(f"d9.1.p{n}", guess, "all")
    guesses = [row[2] for row in predictions("d9").rows]
    assert guesses[:6] == ["1", "2.5", "1", "0.1", "3", "1, 2.5"]
    assert (len(guesses[6]), guesses[6][-1], guesses[7]) == (300, "…", "two lines")


def test_the_folder_does_not_move(tmp_path, monkeypatch):
    """An answer that changes the working directory takes no guess away, also where REMIX_FOLDER is relative."""
    for shared in (None, "shared"):
        if shared:
            monkeypatch.setenv("REMIX_FOLDER", shared)
        predict("d9.1.p1", 1, "points")
        monkeypatch.chdir(tmp_path)
        predict("d9.1.p2", 2, "points")
        assert len(predictions("d9").rows) == 2
    assert not (tmp_path / ".remix").exists() and not (tmp_path / "shared").exists()
    assert (place.START / "shared" / "progress").is_dir()


def test_pairs_that_share_a_folder_have_their_own_guesses(tmp_path, monkeypatch):
    """REMIX_FOLDER gathers a cohort; each pair sees its predictions alone."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / "cohort"))
    for name, guess in (("one", 1), ("two", 2)):
        new_kernel(monkeypatch, tmp_path / name)
        predict("d9.1.p1", guess, "points")
    assert predictions("d9").rows == [("d9.1.p1", "points", "2", "–")]
    new_kernel(monkeypatch, tmp_path / "one")
    assert predictions("d9").rows == [("d9.1.p1", "points", "1", "–")]
    assert len(list((tmp_path / "cohort" / "progress").iterdir())) == 2


def test_where_nothing_can_be_written_it_is_said_once_and_work_goes_on(monkeypatch, capsys):
    """Guesses last as long as the kernel, and are written as soon as they can be."""
    (place.START / ".remix").write_text("a file in the way")
    for n in range(3):
        predict(f"d9.1.p{n}", n, "points")
    said = capsys.readouterr().out
    assert said.count("cannot be written") == said.count("fix: ") == 1
    assert len(predictions("d9").rows) == 3
    (place.START / ".remix").unlink()
    measured("d9.1.p0", 5)
    new_kernel(monkeypatch, place.START)
    assert [row[2:] for row in predictions("d9").rows] == [("0", "5"), ("1", "–"), ("2", "–")]


def test_a_shared_folder_that_goes_away_costs_no_guess(tmp_path, monkeypatch, capsys):
    """While it cannot be written, the guesses lie beside the notebook."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / "cohort"))
    predict("d9.1.p1", 1, "points")
    (tmp_path / "cohort").rename(tmp_path / "gone")
    (tmp_path / "cohort").write_text("")
    predict("d9.1.p2", 2, "points")
    assert "cohort: Not a directory" in capsys.readouterr().out
    assert [row[0] for row in predictions("d9").rows] == ["d9.1.p2"]
    (tmp_path / "cohort").unlink()
    (tmp_path / "gone").rename(tmp_path / "cohort")
    assert [row[0] for row in predictions("d9").rows] == ["d9.1.p1", "d9.1.p2"]


def test_a_disk_that_fills_up_tears_a_line_and_not_the_next(monkeypatch, capsys):
    """After space was made, the line that was cut off is written again, and both are read."""
    predict("d9.1.p1", 1, "points")
    (path,) = files()

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *_):
            self.file.close()

        def write(self, data):
            return self.file.write(data[: len(data) // 2])

    real = Path.open

    def opened(path, mode="r", **how):
        file = real(path, mode, **how)
        return Full(file) if "a" in mode else file

    monkeypatch.setattr(Path, "open", opened)
    predict("d9.1.p2", 2, "points")
    assert "No space left on device" in capsys.readouterr().out
    monkeypatch.setattr(Path, "open", real)
    predict("d9.1.p3", 3, "points")
    assert path.read_bytes().count(b'"predict"') == 4
    new_kernel(monkeypatch, place.START)
    assert [row[2] for row in predictions("d9").rows] == ["1", "2", "3"]


def test_a_process_that_was_forked_has_a_file_of_its_own():
    """Its number is in the name of the file, and no name of a person or a machine is."""
    name = progress.file_name()
    assert str(os.getpid()) in name.split("-")
    assert os.uname().nodename not in name and (os.environ.get("USER") or "/") not in name
