"""nbgrader's exchange between accounts: a submission is read by instructors alone, and counts as its owner's."""

import getpass
import logging
import os
import shutil
import stat
import sys
from datetime import UTC, datetime

import pytest
from nbgrader.api import Gradebook
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import ExchangeFetchFeedback
from traitlets.config import Config

from remix_utils.classroom.exchange import LONG_AGO, MOST_FILES, GuardedCollect, PageRelease, SealedSubmit

DAY = "day1_graphs"
ME = getpass.getuser()
LATE = "2026-11-28 10:00:00.0 UTC"


@pytest.fixture(scope="module")
def empty_gradebook(tmp_path_factory):
    """A gradebook without anything in it, which nbgrader takes seconds to make."""
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        # nbgrader runs alembic by name.
        patch.setenv("PATH", os.path.dirname(sys.executable), prepend=os.pathsep)
        Gradebook(f"sqlite:///{path}", "remix").close()
    return path


@pytest.fixture
def course(tmp_path, monkeypatch, empty_gradebook):
    """An exchange with `inbound`, a course, and an account's home with one day in it."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "data"))
    for folder in (f"home/{DAY}/checks", "exchange/remix/inbound", f"exchange/remix/outbound/{DAY}", "course"):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(empty_gradebook, tmp_path / "course")
    (tmp_path / "home" / DAY / "part1.ipynb").write_text("mine")
    (tmp_path / "home" / DAY / "checks" / "part1.remix").write_text("checks")
    os.chmod(tmp_path / "exchange", 0o777)
    monkeypatch.chdir(tmp_path / "home")
    return tmp_path


def transfer(kind, course):
    """Runs one of the exchange's actions for the day."""
    config = Config({"Exchange": {"root": str(course / "exchange")}})
    place = CourseDirectory(config=config, root=str(course / "course"), course_id="remix", assignment_id=DAY)
    action = kind(coursedir=place, authenticator=Authenticator(config=config), config=config)
    action.start()
    return action


def put_in(course, name, files):
    """Puts a folder into `inbound` by hand, as an account may."""
    folder = course / "exchange/remix/inbound" / name
    folder.mkdir()
    for each, text in files.items():
        (folder / each).write_text(text)
    return folder


def collected(course):
    """Names and texts of what was collected, by the student that it counts for."""
    base = course / "course" / "submitted"
    return {
        student.name: {
            path.relative_to(student / DAY).as_posix(): path.read_text()
            for path in student.rglob("*")
            if path.is_file() and not path.is_symlink()
        }
        for student in base.iterdir()
    }


def test_a_submission_is_closed_to_others(course):
    """No file or folder of it has a permission for others; stock nbgrader opens it to everybody."""
    transfer(SealedSubmit, course)
    (submission,) = (course / "exchange/remix/inbound").iterdir()
    paths = [submission, *submission.rglob("*")]
    assert {path.name for path in paths} > {"part1.ipynb", "part1.remix", "submission_secret.txt"}
    assert [path for path in paths if path.stat().st_mode & stat.S_IRWXO] == []


def test_every_file_of_a_submission_has_the_group_of_inbound(course):
    """Also the two that nbgrader writes last: without the secret no instructor could return feedback."""
    inbound, groups = course / "exchange/remix/inbound", {os.getegid(), *os.getgroups()}
    if os.geteuid() == 0:
        groups.add(65534)
    os.chown(inbound, -1, max(groups))
    inbound.chmod(0o2733)
    for path in (course / "home" / DAY, course / "home" / DAY / "checks"):
        path.chmod(0o755)
    transfer(SealedSubmit, course)
    (submission,) = inbound.iterdir()
    assert {path.name: path.stat().st_gid for path in submission.rglob("*") if path.stat().st_gid != max(groups)} == {}
    assert stat.S_IMODE((submission / "submission_secret.txt").stat().st_mode) == 0o640


def test_a_submission_arrives_whole(course):
    """What was submitted is collected under the account's name, with its time and its secret."""
    transfer(SealedSubmit, course)
    (submission,) = (course / "exchange/remix/inbound").iterdir()
    secret = (submission / "submission_secret.txt").read_text()
    transfer(GuardedCollect, course)
    files = collected(course)[ME]
    assert files["part1.ipynb"] == "mine"
    assert files["checks/part1.remix"] == "checks"
    assert files["submission_secret.txt"] == secret
    assert files["timestamp.txt"] == submission.name.split("+")[2]


def test_a_submission_in_another_name_is_its_owners(course, caplog):
    """The account that owns the folder is the student, whatever the folder's name says."""
    put_in(course, f"victim+{DAY}+2099-01-01 00:00:00.0 UTC+x", {"part1.ipynb": "forged"})
    with caplog.at_level(logging.WARNING):
        transfer(GuardedCollect, course)
    assert list(collected(course)) == [ME]
    assert f"named after victim but owned by {ME}" in caplog.text


@pytest.mark.parametrize("name", ["soon+x", "", "2026-99-99 99:99:99 UTC+x", "9" * 40, "2999-01-01 00:00:00.0 UTC+x"])
def test_no_name_stops_the_batch(course, name):
    """A submission whose name holds no time, or one to come, is older than every other one."""
    put_in(course, f"{ME}+{DAY}+{name}", {"part1.ipynb": "without a time"})
    put_in(course, f"{ME}+{DAY}+{LATE}+x", {"part1.ipynb": "in time"})
    transfer(GuardedCollect, course)
    assert collected(course)[ME]["part1.ipynb"] == "in time"


def test_nothing_is_followed_out_of_a_submission(course, caplog):
    """Links to files and folders, and a pipe, are left out, and the log says so of what pretended to be a file."""
    secret = course / "course" / "solutions"
    secret.mkdir()
    (secret / "part1.ipynb").write_text("the solution")
    folder = put_in(course, f"{ME}+{DAY}+{LATE}+x", {"own.ipynb": "mine", "timestamp.txt": "never", "empty": ""})
    (folder / "part1.ipynb").symlink_to(secret / "part1.ipynb")
    (folder / "solutions").symlink_to(secret)
    os.mkfifo(folder / "pipe")
    with caplog.at_level(logging.WARNING):
        transfer(GuardedCollect, course)
    files = collected(course)[ME]
    assert sorted(files) == ["empty", "own.ipynb", "submission_secret.txt", "timestamp.txt"]
    assert files["timestamp.txt"] == LATE
    assert len(files["submission_secret.txt"]) == 128
    assert "part1.ipynb of" in caplog.text and "pipe of" in caplog.text
    assert [path for path in (course / "course/submitted").rglob("*") if path.is_symlink()] == []


def test_a_submission_that_is_a_link_is_empty(course):
    """A link in `inbound` to a folder of somebody's brings nothing of that folder."""
    (course / f"exchange/remix/inbound/{ME}+{DAY}+{LATE}+x").symlink_to(course / "home" / DAY)
    transfer(GuardedCollect, course)
    assert sorted(collected(course)[ME]) == ["submission_secret.txt", "timestamp.txt"]


def test_a_submission_has_an_end(course, caplog):
    """Too many files, and a file that is too large, are not collected."""
    many = {f"file{number:04}": "" for number in range(MOST_FILES + 5)}
    folder = put_in(course, f"{ME}+{DAY}+{LATE}+x", many)
    with open(folder / "a_large_file", "wb") as large:
        large.truncate(100_001 * 1000)
    with caplog.at_level(logging.WARNING):
        transfer(GuardedCollect, course)
    files = collected(course)[ME]
    assert "a_large_file" not in files
    assert len(files) <= MOST_FILES + 2
    assert "too large" in caplog.text


def test_a_later_submission_replaces_the_earlier_one(course):
    """Collecting again with update takes the newer one, whatever stood in the older one's timestamp.txt."""
    put_in(course, f"{ME}+{DAY}+2026-11-28 09:00:00.0 UTC+x", {"part1.ipynb": "first", "timestamp.txt": "garbage"})
    transfer(GuardedCollect, course)
    put_in(course, f"{ME}+{DAY}+{LATE}+y", {"part1.ipynb": "second"})
    transfer(type("Again", (GuardedCollect,), {"update": True}), course)
    assert collected(course)[ME]["part1.ipynb"] == "second"


def test_a_released_page_reaches_its_student_alone(course, caplog):
    """The sender fetches the page that was graded; the page of a student without a secret is not released."""
    transfer(SealedSubmit, course)
    transfer(GuardedCollect, course)
    for student in (ME, "nobody-else"):
        page = course / "course/grading/feedback" / student / f"{DAY}.html"
        page.parent.mkdir(parents=True)
        page.write_text(f"the page of {student}")
    with caplog.at_level(logging.WARNING):
        transfer(PageRelease, course)
    released = course / "exchange/remix/feedback"
    assert released.stat().st_mode & 0o777 == 0o711
    assert [(path.read_text(), path.stat().st_mode & 0o777) for path in released.iterdir()] == [
        (f"the page of {ME}", 0o644)
    ]
    assert "nobody-else is not released" in caplog.text
    transfer(ExchangeFetchFeedback, course)
    (fetched,) = (course / "home" / DAY / "feedback").rglob("*.html")
    assert fetched.name == "part1.html" and fetched.read_text() == f"the page of {ME}"


def test_the_time_long_ago_is_before_any_course():
    """What stands for a missing time sorts before every real one."""
    assert datetime.strptime(LONG_AGO, "%Y-%m-%d %H:%M:%S %Z").replace(tzinfo=UTC) < datetime(2000, 1, 1, tzinfo=UTC)
