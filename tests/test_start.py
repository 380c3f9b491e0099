"""A day in a folder of one's own: copied once, never written over, and told what has changed in the course since."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from remix_utils import cli
from remix_utils.classroom import commands, course, start
from remix_utils.classroom.course import RECORD, CourseError, find_course, find_desk, find_notebook, read_day
from tests.conftest import write_part

ROOT = Path(__file__).parents[1]
DAY = "day2_induction"
NAME = "part1_see.ipynb"


def snapshot(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def mend(day: Path, edition: str = "2") -> None:
    """What a new release does to a part: one exercise is other, one is new, and the checks are other."""
    write_part(day, "part1_see", {"d2-1-1": f"edition {edition}", "d2-1-2-check": "new"}, edition)


@pytest.fixture
def own(small_course, capsys) -> Path:
    """The day, copied, and worked on."""
    assert cli.main(["start", "2"]) == 0
    folder = small_course / "work" / DAY
    notebook = json.loads((folder / NAME).read_text())
    notebook["cells"][0]["source"] = ["mine"]
    (folder / NAME).write_text(json.dumps(notebook))
    (folder / "scratch.ipynb").write_text("{}")
    capsys.readouterr()
    return folder


def test_a_day_is_copied_with_its_checks(small_course, capsys):
    """Notebooks and packed checks byte for byte, without what is hidden; and one is told where, and what to do next."""
    (small_course / DAY / ".remix").mkdir()
    (small_course / DAY / ".remix" / "x").touch()
    (small_course / DAY / "data").mkdir()
    (small_course / DAY / "data" / "words.txt").write_text("a b")
    assert cli.main(["start", DAY]) == 0
    given = {name: data for name, data in snapshot(small_course / DAY).items() if not name.startswith(".")}
    copied = snapshot(small_course / "work" / DAY)
    assert copied.pop(RECORD.as_posix()) and copied == given and len(given) == 3
    said = capsys.readouterr().out
    assert f"yours now, in {small_course / 'work' / DAY}" in said and said.endswith("Next: remix lab day2\n")


def test_git_ignores_the_folder():
    """In the course's own repository."""
    asked = subprocess.run(["git", "-C", str(ROOT), "check-ignore", f"work/{DAY}/{NAME}"], capture_output=True)
    assert asked.returncode == 0


def test_an_update_touches_nothing_and_says_what_changed(small_course, own, capsys):
    """Which notebooks, at which exercises; files of one's own, edited or not, stay as they are, to the byte."""
    before = snapshot(own)
    mend(small_course / DAY)
    write_part(small_course / DAY, "part2_work", {"d2-2-1": "x"})
    assert cli.main(["start", "2"]) == 0
    said = capsys.readouterr().out
    assert f"  {NAME}, at d2.1.1, d2.1.2\n" in said and f"remix start {DAY} --new" in said
    assert f"Copied to {own}: part2_work.ipynb." in said
    after = snapshot(own)
    assert {name: data for name, data in before.items() if after[name] != data and name != RECORD.as_posix()} == {}
    assert set(after) - set(before) == {"part2_work.ipynb", "checks/part2_work.remix"}


def test_a_new_version_comes_under_another_name(small_course, own, capsys):
    """With its checks; it is told once, the next one gets the next name, and the lab opens the newest."""
    mine = (own / NAME).read_bytes()
    for edition, name in (("2", "part1_see-2.ipynb"), ("3", "part1_see-3.ipynb")):
        mend(small_course / DAY, edition)
        assert cli.main(["start", "2", "--new"]) == 0
        assert f"{name} is the course's new version; {NAME} is as you left it." in capsys.readouterr().out
        assert (own / name).read_bytes() == (small_course / DAY / NAME).read_bytes()
        assert (own / "checks" / "part1_see.remix").read_bytes() == f"checks {edition} of part1_see".encode()
        assert find_notebook(own, None).name == name
        assert cli.main(["start", "2", "--new"]) == 0
        assert "the course has not changed since" in capsys.readouterr().out
    assert (own / NAME).read_bytes() == mine


def test_an_unchanged_course_is_said_to_be_so(own, capsys):
    """Whatever a participant has done in the folder."""
    before = snapshot(own)
    assert cli.main(["start", "2"]) == 0
    assert "the course has not changed since" in capsys.readouterr().out
    assert snapshot(own) == before


def test_a_changed_check_is_told_with_its_notebook(small_course, own, capsys):
    """Where no cell is other, it is the checks that are."""
    source = json.loads((small_course / DAY / NAME).read_text())["cells"][0]["source"][0]
    write_part(small_course / DAY, "part1_see", {"d2-1-1": source}, "2")
    assert cli.main(["start", "2"]) == 0
    assert f"  {NAME}, in its checks\n" in capsys.readouterr().out


def test_a_notebook_that_is_gone_comes_back_and_one_that_is_withdrawn_stays(small_course, own, capsys):
    """Removed here: copied again. Removed from the course: kept here, and said."""
    (own / NAME).rename(own / "renamed.ipynb")
    assert cli.main(["start", "2"]) == 0
    assert f"Copied to {own}: {NAME}." in capsys.readouterr().out
    write_part(small_course / DAY, "part9_last", {})
    (small_course / DAY / NAME).unlink()
    assert cli.main(["start", "2"]) == 0
    assert f"{NAME} is no longer part of the course; yours stays." in capsys.readouterr().out
    assert (own / NAME).exists() and (own / "renamed.ipynb").exists()


@pytest.mark.parametrize("record", ["", "[]", '{"format": 1, "files": [1]}', '{"format": 9, "files": {}}', None])
def test_without_its_record_nothing_is_lost(record, small_course, own, capsys):
    """A record that is gone or damaged leaves files alone that are other than the course's."""
    if record is None:
        (own / RECORD).unlink()
    else:
        (own / RECORD).write_text(record)
    before = (own / NAME).read_bytes()
    assert cli.main(["start", "2"]) == 0
    assert f"  {NAME}, in places that are not known\n" in capsys.readouterr().out
    assert (own / NAME).read_bytes() == before


def test_the_lab_opens_the_participants_folder(small_course, monkeypatch, capsys):
    """It is made on the first day, and shown alone; on an update the lab says so and opens the same notebook."""
    opened = []
    monkeypatch.setattr(commands, "open_lab", lambda *asked, **how: opened.append(asked[:3]) or 0)
    assert cli.main(["lab", "d2.1"]) == 0
    desk = small_course / "work"
    assert opened[-1] == (desk / DAY / NAME, desk, small_course)
    assert f"{DAY} is yours now" in capsys.readouterr().out
    assert sorted(path.name for path in desk.iterdir()) == [DAY]
    mend(small_course / DAY)
    assert cli.main(["lab", "2"]) == 0
    assert f"new versions of {NAME}; yours stay. See: remix start {DAY}" in capsys.readouterr().out
    assert opened[-1] == (desk / DAY / NAME, desk, small_course)
    assert cli.main(["lab", "2", "--all"]) == 0
    assert opened[-1] == (small_course / DAY / NAME, small_course, small_course)


def test_a_released_folder_is_already_ones_own(small_course, monkeypatch):
    """Where nbgrader gave out a day and there is no source of the course, the lab opens that; `start` still copies."""
    shutil.rmtree(small_course / "solutions")
    opened = []
    monkeypatch.setattr(commands, "open_lab", lambda *asked, **how: opened.append(asked[:3]) or 0)
    assert cli.main(["lab", "2"]) == 0
    assert opened[-1] == (small_course / DAY / NAME, small_course, small_course)
    assert not (small_course / "work").exists()
    assert cli.main(["start", "2"]) == cli.main(["lab", "2"]) == 0
    assert opened[-1][0] == small_course / "work" / DAY / NAME


def test_the_folder_may_be_anywhere(small_course, tmp_path, monkeypatch):
    """By --work, by REMIX_WORK, or by standing in it; also when the course is gone."""
    desk = tmp_path / "my folder ü"
    opened = []
    monkeypatch.setattr(commands, "open_lab", lambda *asked, **how: opened.append(asked[:3]) or 0)
    assert cli.main(["start", "2", "--work", str(desk)]) == cli.main(["lab", "2", "--work", str(desk)]) == 0
    assert opened[-1] == (desk / DAY / NAME, desk, small_course)
    monkeypatch.setenv("REMIX_WORK", str(desk))
    assert cli.main(["lab", "2"]) == 0 and opened[-1][1] == desk
    monkeypatch.delenv("REMIX_WORK")
    shutil.rmtree(small_course)
    monkeypatch.chdir(desk / DAY)
    monkeypatch.setattr(course, "find_course", lambda: find_course(clone=tmp_path))
    assert cli.main(["lab", "2"]) == 0 and opened[-1] == (desk / DAY / NAME, desk, desk)


def test_a_pair_that_gives_its_names_gives_them_once(small_course, monkeypatch, capsys):
    """They are kept in its folder, are one line of visible characters, and reach the kernels."""
    pairs = []
    monkeypatch.setattr(commands, "open_lab", lambda *asked, pair, **how: pairs.append(pair) or 0)
    assert cli.main(["lab", "2"]) == 0 and "The work of" not in capsys.readouterr().out
    assert cli.main(["lab", "2", "--pair", "Ada,\x1b[2J\nBo" + "o" * 100]) == 0
    assert cli.main(["lab", "2"]) == 0
    assert "The work of Ada, [2J Boooo" in capsys.readouterr().out
    assert pairs == ["", pairs[1], pairs[1]] and len(pairs[1]) == 80


@pytest.mark.parametrize("asked", ["1", "day1", "day1_graphs", "day1_graphs/", "D1", "d1.1", "d1.1.4"])
def test_a_day_has_many_spellings(small_course, asked):
    """However the day is written, its first part opens; part 0 only when asked for."""
    assert find_notebook(*read_day(asked, small_course)).name == "part1_hooks.ipynb"


def test_a_part_can_be_asked_for(small_course):
    """`d1.2` is part 2 of day 1, and `d1.0` its preparation."""
    assert find_notebook(*read_day("d1.2", small_course)).name == "part2_graph.ipynb"
    assert find_notebook(*read_day("1.0", small_course)).name == "part0_transformer.ipynb"


@pytest.mark.parametrize("asked", ["7", "d1.9", "monday", "", "../day1", "1/2", "x" * 10**5])
def test_a_day_that_is_not_there_names_those_that_are(small_course, asked):
    """The error lists the days, and shows how one is asked for."""
    with pytest.raises(CourseError, match="day1_graphs, day2_induction") as error:
        read_day(asked, small_course)
    assert "remix lab d1.2" in error.value.fix and error.value.asked == asked and len(str(error.value)) < 300


def test_the_course_is_found_from_anywhere_in_it(small_course, own, tmp_path):
    """From its folder, from below, and from a participant's folder in it, which is no course itself."""
    for here in (small_course, small_course / DAY, own, own.parent, small_course / "solutions" / "day1_graphs"):
        assert find_course(here, clone=tmp_path / "none") == small_course
    assert find_course(tmp_path, clone=small_course) == small_course
    with pytest.raises(CourseError, match="No day of the course is in"):
        find_course(tmp_path, clone=tmp_path / "none")
    assert find_desk(small_course, own) == own.parent
    assert find_desk(small_course, small_course / DAY) == small_course / "work"


def test_a_notebook_with_a_conflict_is_not_copied(small_course, capsys):
    """As git leaves it after a pull; the message names the file and the command that restores it."""
    (small_course / DAY / NAME).write_text("<<<<<<< HEAD\n{}\n=======\n{}\n>>>>>>> theirs\n")
    assert cli.main(["start", "2"]) == 2
    said = capsys.readouterr().err
    assert NAME in said and f"fix: restore it from the release: git checkout -- {DAY}." in said
    assert not (small_course / "work").exists()


def test_a_folder_that_cannot_be_written_is_named(small_course, tmp_path, monkeypatch, capsys):
    """A file in its place, or a full disk: one sentence with a fix, and no half of a notebook is left."""
    (tmp_path / "file").touch()
    assert cli.main(["start", "2", "--work", str(tmp_path / "file")]) == 2
    assert "fix: free space there" in capsys.readouterr().err

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(start.os, "fsync", full)
    assert cli.main(["start", "2"]) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert [path for path in (small_course / "work").rglob("*") if path.is_file()] == []


def test_no_file_is_written_over_however_late_it_comes(small_course, monkeypatch):
    """One that appears between the look and the write is kept; also on a disk without links."""
    for links in (True, False):
        target = small_course / f"late-{links}"
        target.write_text("theirs")
        if not links:
            monkeypatch.setattr(start.os, "link", lambda *_: (_ for _ in ()).throw(OSError(95, "not supported")))
        with pytest.raises(FileExistsError):
            start.put(b"ours", target)
        assert target.read_text() == "theirs"
        start.put(b"ours", small_course / f"new-{links}")
        assert (small_course / f"new-{links}").read_bytes() == b"ours"
    assert list(small_course.glob(".*")) == []


def test_the_courses_own_folder_is_refused(small_course, capsys):
    """A copy of a day onto itself would be no copy."""
    assert cli.main(["start", "2", "--work", str(small_course)]) == 2
    assert "is the course's own folder" in capsys.readouterr().err
