"""Grading a cohort: each submission gets its due, no cheat pays, nobody pays for another."""

import copy
import hashlib
import multiprocessing
import sqlite3
import subprocess
import sys
import textwrap

import nbformat
import pytest
from nbconvert.filters import markdown2html
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.coursedir import CourseDirectory

from remix_utils.classroom.grading import cohort as rooms
from remix_utils.classroom.grading import gradebook, judges, sandbox, workers
from remix_utils.classroom.grading.cohort import Cohort, GradingError
from remix_utils.classroom.grading.sandbox import SandboxError
from remix_utils.classroom.grading.workers import Nursery
from tests.grading.hostile import BAD, BY_HEART, CHEATS
from tests.grading.tiny_course import DAY, hand_in, points, solved, stripped, write_course, wrote


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    return (folder, *write_course(folder))


def cohort_of(folder, day, **more):
    told = []
    made = Cohort(DAY, day / "checks", folder / "submitted", folder / "grading", folder / "gradebook.db", **more)
    made.say = told.append
    return made


def scores(path):
    """{student: {cell: (auto, manual)}} as the gradebook has them."""
    query = (
        "select student.id, base_cell.name, grade.auto_score, grade.manual_score from grade "
        "join submitted_notebook on grade.notebook_id = submitted_notebook.id "
        "join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id "
        "join student on submitted_assignment.student_id = student.id join base_cell on grade.cell_id = base_cell.id"
    )
    found = {}
    with sqlite3.connect(path) as book:
        for student, cell, auto, manual in book.execute(query):
            found.setdefault(student, {})[cell] = (auto, manual)
    return found


@pytest.fixture(scope="module")
def graded(course, tmp_path_factory):
    """One batch of everything; what each must get, and what it got."""
    _, day, reference, student = course
    folder = tmp_path_factory.mktemp("grading")
    right, handed = solved(student, reference), folder / "submitted"
    due = {"a right": [2, 3], "untouched": [0, 0], "z victim": [2, 3]}
    hand_in(handed, "a right", right)
    hand_in(handed, "untouched", student)
    hand_in(handed, "z victim", right)
    for name, source in CHEATS.items():
        hand_in(
            handed, f"cheat {name}", wrote(right, d9_1_1=textwrap.dedent(source) + BY_HEART * ("double" not in source))
        )
        due[f"cheat {name}"] = [0, 0]
    for name, (source, points_due) in BAD.items():
        hand_in(handed, f"bad {name}", wrote(right, d9_1_1=source))
        due[f"bad {name}"] = points_due
    copied = copy.deepcopy(right)
    copied.cells += [type(cell)(cell, id=f"{cell.id}-pasted") for cell in copy.deepcopy(right.cells[1:3])]
    without = copy.deepcopy(right)
    without.cells = [cell for cell in without.cells if cell.id != "d9-1-1"]
    others = {
        "copied": (copied, [2, 3]),
        "without a hole": (without, [0, 0]),
        "stripped": (stripped(right), [2, 3]),
        "byte order mark": (b"\xef\xbb\xbf" + stripped(right).encode(), [2, 3]),
        "broken": ("{half a notebook", [0, 0]),
        "not UTF-8": (b"\xff\xfe{}", [0, 0]),
        "no cells": ("{}", [0, 0]),
        "deep JSON": ("[" * 100_000, [0, 0]),
        "large": (b" " * (21 * 2**20), [0, 0]),
        "many cells": ('{"cells": [' + '{"cell_type": "code"},' * 10**5 + "{}]}", [0, 0]),
    }
    for name, (notebook, points_due) in others.items():
        hand_in(handed, name, notebook)
        due[name] = points_due
    hand_in(handed, "second download", right, "part1_tiny (1).ipynb")
    due["second download"] = [2, 3]
    link = handed / "a link" / DAY / "part1_tiny.ipynb"
    link.parent.mkdir(parents=True)
    link.symlink_to(handed / "a right" / DAY / "part1_tiny.ipynb")
    due["a link"] = [0, 0]
    (handed / "a folder" / DAY / "part1_tiny.ipynb").mkdir(parents=True)
    due["a folder"] = [0, 0]
    results = cohort_of(folder, day).grade()
    return folder, day, due, results


def test_each_gets_its_due(graded):
    """Honest, clumsy, broken and hostile submissions in one batch; the fork bomb may get anything but more."""
    _, _, due, results = graded
    got = points(results)
    assert got.pop("bad fork bomb") in ([0, 0], [2, 3], [2, 0], [0, 3])
    del due["bad fork bomb"]
    assert got == due


def test_no_cheat_pays_and_each_zero_has_its_reason(graded):
    """A sentence stands beside every point that is missing."""
    for result in graded[3]:
        for each in result["verdicts"]:
            assert each["points"] == each["most"] or each["sentence"], result["student"]


def test_the_known_mistake_is_told(graded):
    """The judge's sentence is that of the notebook."""
    (square,) = [result for result in graded[3] if result["student"] == "bad square"]
    assert square["verdicts"][0]["sentence"] == "That is the square."
    assert square["verdicts"][0]["mistake"] == 0


def test_start_at_and_solution_stand_beside_the_score(graded):
    """They are found by their calls, and comments are none."""
    taken = {result["student"]: result["verdicts"][0]["brought"] for result in graded[3]}
    assert taken["cheat solution"] == "solution"
    assert taken["a right"] == ""


def test_the_gradebook_has_the_judges_points(graded):
    """Checks are scored, written answers wait for people."""
    folder, _, _, results = graded
    book = scores(folder / "gradebook.db")
    for result in results:
        own = book[result["student"]]
        assert [own[f"d9-1-{n}-check"][0] for n in (1, 2)] == [each["points"] for each in result["verdicts"]]
        assert own["d9-1-3"] == (None, None)


def test_a_page_shows_everything_as_text(graded):
    """No tag of a submission is on the page, and no reference."""
    folder, _, _, results = graded
    for result in results:
        page = (folder / "grading" / "feedback" / result["student"] / f"{DAY}.html").read_text()
        assert "<script" not in page and "http" not in page
        assert "return n + n" not in page and "return double(n) + 1" not in page


def test_formgrader_shows_texts_with_their_marks_and_no_markup(course, tmp_path):
    """A written answer can have no tag, link or picture, and each check and each answer has its field for points."""
    _, day, reference, student = course
    right = solved(student, reference)
    answer = "<script>alert(1)</script> **bold** `a[0] ` [x](javascript:a) ![y](http://y) [z][w]\n\n[w]: http://z"
    next(cell for cell in right.cells if cell.id == "d9-1-3").source = answer
    hand_in(tmp_path / "submitted", "ann", right)
    cohort_of(tmp_path, day, sandboxed=False, processes=1).grade()
    shown = nbformat.read(tmp_path / "autograded" / "ann" / DAY / "part1_tiny.ipynb", 4)
    marked = {cell.metadata.nbgrader.grade_id: cell for cell in shown.cells if "nbgrader" in cell.metadata}
    points = {name: (cell.metadata.nbgrader.points, cell.metadata.nbgrader.solution) for name, cell in marked.items()}
    assert points == {"d9-1-1-check": (2, False), "d9-1-2-check": (3, False), "d9-1-3": (1, True)}
    (tmp_path / "submitted" / "ann" / DAY / "timestamp.txt").write_text("2026-11-28 10:00:00.5 UTC\n")
    cohort_of(tmp_path, day, sandboxed=False, processes=1).grade()
    formgrader = NbGraderAPI(CourseDirectory(root=str(tmp_path)))
    assert formgrader.get_autograded_students(DAY) == {"ann"}  # it shows no points of others
    page = markdown2html(marked["d9-1-3"].source)
    assert "<strong>bold</strong>" in page and "<code>a[0] </code>" in page.replace("\u200b", "")
    assert "<script" not in page and "<img" not in page and 'javascript:a"' not in page and ">z<" not in page


def test_nothing_is_judged_twice_and_a_hand_given_mark_stays(graded, monkeypatch):
    """A second run judges nothing; what is handed in again is judged again, alone."""
    folder, day, _, results = graded
    with sqlite3.connect(folder / "gradebook.db") as book:
        book.execute(
            "update grade set manual_score = 0.5 where cell_id in (select id from base_cell where name='d9-1-3')"
        )
    started = []
    monkeypatch.setattr(rooms, "Queue", lambda tasks, *more: started.append(tasks))
    again = cohort_of(folder, day).grade()
    assert started == []
    assert points(again) == points(results)
    assert all(own["d9-1-3"] == (None, 0.5) for own in scores(folder / "gradebook.db").values())


def test_marks_of_a_formgrader_that_stays_open_are_kept(graded):
    """It keeps its connection: marks from before and after the next grading are kept, and stand on the pages."""
    folder, day, _, _ = graded
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as formgrader:
        for student, mark in (("a right", 0.25), ("z victim", 0.75)):
            grade = formgrader.find_grade("d9-1-3", "part1_tiny", DAY, student)
            grade.manual_score = mark
            comment = formgrader.find_comment("d9-1-3", "part1_tiny", DAY, student)
            comment.manual_comment = "Why <b>so</b>?"
            formgrader.db.commit()
            cohort_of(folder, day).grade()
    book = scores(folder / "gradebook.db")
    assert (book["a right"]["d9-1-3"][1], book["z victim"]["d9-1-3"][1]) == (0.25, 0.75)
    page = (folder / "grading" / "feedback" / "a right" / f"{DAY}.html").read_text()
    assert "<td>d9.1.3</td><td class='points'>0.25 / 1</td><td><pre>Why &lt;b&gt;so&lt;/b&gt;?" in page


def test_a_gradebook_is_written_whole_or_not_at_all(tmp_path, course, monkeypatch):
    """An entry that fails leaves the gradebook as it was, though nbgrader commits after each one."""
    _, day, reference, student = course
    hand_in(tmp_path / "submitted", "ann", solved(student, reference))
    cohort_of(tmp_path, day, sandboxed=False, processes=1).grade()
    before = scores(tmp_path / "gradebook.db")
    hand_in(tmp_path / "submitted", "bob", student)
    hand_in(tmp_path / "submitted", "cyd", student)
    enter = gradebook._enter

    def fails_at_cyd(book, day, notebook, result):
        assert result["student"] != "cyd"
        enter(book, day, notebook, result)

    monkeypatch.setattr(gradebook, "_enter", fails_at_cyd)
    with pytest.raises(AssertionError):
        cohort_of(tmp_path, day, sandboxed=False, processes=1).grade()
    assert scores(tmp_path / "gradebook.db") == before
    monkeypatch.undo()
    cohort_of(tmp_path, day).grade()
    assert list(scores(tmp_path / "gradebook.db")) == ["ann", "bob", "cyd"]


def test_a_folder_that_is_no_students_is_named(course, tmp_path):
    """A link to another student's folder, and a hidden one, are not graded, and grading says so."""
    _, day, _, student = course
    hand_in(tmp_path / "submitted", "ann", student)
    hand_in(tmp_path / "submitted", ".bob", student)
    (tmp_path / "submitted" / "cyd").symlink_to(tmp_path / "submitted" / "ann")
    cohort, told = cohort_of(tmp_path, day, processes=1), []
    cohort.say = told.append
    assert list(points(cohort.grade())) == ["ann"]
    assert [line.partition(" ")[0] for line in told if "left out" in line] == ["'.bob'", "'cyd'"]


def test_a_day_without_submissions_is_refused(course, tmp_path):
    """The sentence says where submissions belong."""
    with pytest.raises(GradingError, match="Nothing is handed in"):
        cohort_of(tmp_path, course[1]).grade()


class Broken(judges.Slot):
    """A judging process that cannot judge."""

    def __init__(self, sandboxed):
        self.pipe, theirs = multiprocessing.Pipe()
        theirs.send_bytes(b'{"trouble": "No worker works.", "fix": "mend it."}')
        self.task, self.since, self.end = None, 0.0, lambda: None


def test_a_machine_on_which_no_worker_works_is_an_error_and_no_zero(course, tmp_path, monkeypatch):
    """Nothing is kept, so that the next run judges everybody."""
    _, day, reference, student = course
    hand_in(tmp_path / "submitted", "ann", solved(student, reference))
    monkeypatch.setattr(judges, "Slot", Broken)
    with pytest.raises(SandboxError, match="No worker works"):
        cohort_of(tmp_path, day).grade()
    assert not (tmp_path / "grading" / "done").exists()


def test_workers_are_tried_before_they_judge(monkeypatch):
    """A worker whose known answer is wrong ends the grading."""
    Nursery(sandboxed=False).close()
    monkeypatch.setitem(workers.PROOF_PLAN, "text", "two")
    with pytest.raises(SandboxError, match="does not work"):
        Nursery(sandboxed=False)


def test_the_command_grades_a_day(course, tmp_path):
    """From a terminal, in the course's folder, which holds a remix_utils of its own."""
    folder, _, reference, student = course
    (folder / DAY).mkdir(exist_ok=True)
    (folder / DAY / "part1_tiny.ipynb").write_text("{}")
    (folder / "remix_utils").mkdir()
    (folder / "remix_utils" / "__init__.py").write_text("raise ImportError('from the current folder')")
    hand_in(tmp_path / "submitted", "ann", solved(student, reference))
    where = ["--submitted", tmp_path / "submitted", "--results", tmp_path / "g", "--gradebook", tmp_path / "b.db"]
    command = [sys.executable, "-P", "-m", "remix_utils", "grade", DAY, *map(str, where), "--processes", "1"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "ann d9.1: 5 / 5" in done.stdout
    assert (tmp_path / "g" / f"{DAY}.csv").read_text().count("\n") == 3
    assert hashlib.sha256((tmp_path / "b.db").read_bytes()).hexdigest()


def test_a_system_without_forks_or_namespaces_is_named(monkeypatch):
    """Grading says what is missing, before any answer runs."""
    monkeypatch.setattr(sandbox.sys, "platform", "darwin")
    with pytest.raises(SandboxError, match="no sandbox for darwin"):
        sandbox.nursery([], -1)
    sandbox.die_with_parent()
    monkeypatch.delattr(workers.os, "fork")
    with pytest.raises(SandboxError, match="darwin cannot"):
        Nursery()
