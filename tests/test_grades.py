"""From notebook to grade, in real kernels: the reference earns every point, and one bad notebook stops nobody."""

import copy
import dataclasses
import json
import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import nbformat
import pytest

from remix_utils.checks import bundle
from tools import lessons, notebooks

ROOT = Path(__file__).parents[1]
MASTERS = sorted(ROOT.glob("solutions/day*_*/part*_*.py"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in MASTERS]
DAYS = sorted({path.parent.name for path in MASTERS})
VALIDATE = """
import json, sys
from nbgrader.validator import Validator
from traitlets.config import Config
backstop = Config(Execute={"timeout": 900})  # as in nbgrader_config.py, for a machine that has other work
print(json.dumps(Validator(validate_all=sys.argv[2] == "all", config=backstop).validate(sys.argv[1])))
"""
GRADES = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    marks = {}
    for submission in book.assignments[0].submissions:
        grades = [grade for notebook in submission.notebooks for grade in notebook.grades]
        cells = {f"{grade.notebook.name}/{grade.name}": [grade.auto_score, grade.max_score] for grade in grades}
        marks[submission.student.id] = cells
print(json.dumps(marks))
"""


def run(*command, cwd, package=None):
    """A process of its own, as nbgrader is used: its warnings are not ours, its output is."""
    environment = {
        **os.environ,
        "PYTHONWARNINGS": "ignore",
        "JUPYTER_PLATFORM_DIRS": "1",
        "HOME": str(cwd),
    }
    environment.pop("REMIX_CHECKS", None)
    if package:
        environment["PYTHONPATH"] = str(package)
    done = subprocess.run([sys.executable, *command], cwd=cwd, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def validated(path, cells="graded", package=None):
    """The verdict of nbgrader's Validate button: {} is a pass. Written answers, which people read, are left out."""
    status, out, err = run("-c", VALIDATE, path.name, cells, cwd=path.parent, package=package)
    assert status == 0, err
    verdict = json.loads(out.splitlines()[-1])
    failed = [each for each in verdict.pop("failed", []) if each["error"] != "You did not provide a response."]
    return verdict | ({"failed": failed} if failed else {})


@cache
def built():
    """The notebooks that the masters build: participants may have worked in those that lie here."""
    return dict(notebooks.built(ROOT))


@cache
def packed():
    """The files of checks that the sources build."""
    return {path: bundle.packed(made) for path, made in notebooks.packed(ROOT)}


def lay_out(path, folder):
    """A built notebook in a folder of its own, with the checks of its day beside it."""
    (folder / "checks").mkdir()
    for checks, content in packed().items():
        if checks.parent.parent == path.parent:
            (folder / "checks" / checks.name).write_bytes(content)
    (folder / path.name).write_text(built()[path], encoding="utf-8")
    return folder / path.name


def count_checks(path):
    cells = nbformat.read(path, as_version=4).cells
    return sum(1 for cell in cells if cell.id.endswith("-check"))


@pytest.mark.parametrize("master", MASTERS, ids=NAMES)
def test_every_reference_notebook_earns_full_marks(master, tmp_path, wheel):
    """In a kernel of its own, with the package from its wheel; no cell of it fails, or writes to stderr."""
    path = lay_out(master.with_suffix(".ipynb"), tmp_path)
    assert validated(path, "all", package=wheel) == {}


@pytest.mark.parametrize("master", MASTERS, ids=NAMES)
def test_every_check_of_an_untouched_notebook_fails(master, tmp_path):
    """As a student presses Validate before writing a line."""
    path = lay_out(notebooks.student_path(master), tmp_path)
    verdict = validated(path)
    assert set(verdict) == {"failed"}
    assert len(verdict["failed"]) == count_checks(path)


def course_of(folder, source):
    """A course with this repository's settings and a day's folder, released by nbgrader itself."""
    day = source.name
    shutil.copytree(source, folder / "solutions" / day)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    status, _, err = run("-m", "nbgrader", "generate_assignment", day, cwd=folder)
    assert status == 0, err
    return folder


def solved(student, reference):
    """A student's notebook in which the holes are filled as the reference fills them."""
    done = copy.deepcopy(student)
    for ours, theirs in zip(done.cells, reference.cells, strict=True):
        if ours.metadata.get("nbgrader", {}).get("solution"):
            ours.source = theirs.source
    return done


def hand_in(course, day, student, name, notebook):
    path = course / "submitted" / student / day / f"{name}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(notebook if isinstance(notebook, str) else nbformat.writes(notebook))


def graded(course, day):
    """{student: {cell: [score, maximum]}} after one batch."""
    _, out, err = run("-m", "nbgrader", "autograde", day, cwd=course)
    status, marks, _ = run("-c", GRADES, cwd=course)
    assert status == 0, out + err
    return json.loads(marks)


@pytest.mark.parametrize("day", DAYS)
def test_real_grading_gives_the_reference_every_point(day, tmp_path):
    """nbgrader's own release and batch, hidden tests and all; notebooks and packed checks alone reach the students."""
    masters = [path for path in MASTERS if path.parent.name == day]
    course = course_of(tmp_path, ROOT / "solutions" / day)
    for master in masters:
        reference = nbformat.read(master.with_suffix(".ipynb"), as_version=4)
        student = nbformat.read(course / day / f"{master.stem}.ipynb", as_version=4)
        assert student.cells == lessons.student_notebook(reference).cells
        hand_in(course, day, "reference", master.stem, solved(student, reference))
    released = {path.relative_to(course / day).as_posix() for path in (course / day).rglob("*") if path.is_file()}
    assert released == {f"{master.stem}.ipynb" for master in masters} | {
        f"checks/{master.stem}.remix" for master in masters
    }
    marks = graded(course, day)["reference"]
    checks = {cell: score for cell, score in marks.items() if cell.endswith("-check")}
    assert len(checks) == sum(count_checks(master.with_suffix(".ipynb")) for master in masters)
    assert {cell: score for cell, score in checks.items() if score[0] != score[1]} == {}


TINY = '''# %%
from remix_utils.checks.harness import check
# %% exercise="d9.1.1"
def double(n):
    """Twice n."""
    ### BEGIN SOLUTION
    return n + n
    ### END SOLUTION
# %% check="d9.1.1" points=2
check("d9.1.1", double)
# %% exercise="d9.1.2"
def square(n):
    """n times n."""
    ### BEGIN SOLUTION
    return n * n
    ### END SOLUTION
# %% check="d9.1.2" points=3
check("d9.1.2", square)
# %% [markdown] answer="d9.1.3" points=1
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
'''
TINY_CHECKS = """from remix_utils.checks.exercise import exercise

exercise("d9.1.1", cases=lambda seed: [(3,), (seed,)])
exercise("d9.1.2", cases=lambda seed: [(3,), (seed,)])
"""
FORGED_CHECKS = TINY_CHECKS.replace("[(3,), (seed,)]", "[(3,), (0,)]")
BY_HEART = "def double(n):\n    return {0: 0, 3: 6}[n]"
NOISY = (
    'import sys, warnings\ndef double(n):\n    warnings.warn("w")\n    print("e", file=sys.stderr)\n    return 2 * n'
)
LIAR = "class Yes:\n    __eq__ = lambda self, other: True\ndef double(n):\n    return Yes()"
ENDLESS = "def double(n):\n    while True:\n        pass"


def wrote(student, source):
    """The notebook with another first answer."""
    done = copy.deepcopy(student)
    next(cell for cell in done.cells if cell.id == "d9-1-1").source = source
    return done


def without(student, *ids):
    done = copy.deepcopy(student)
    done.cells = [cell for cell in done.cells if cell.id not in ids]
    return done


def forge(course, student):
    """Hand in checks of one's own: at grading the course's count."""
    folder = course / "submitted" / student / "day9_x" / "checks"
    folder.mkdir()
    tiny = bundle.from_master(course.parent / "solutions" / "day9_x" / "part1_tiny.py")
    forged = dataclasses.replace(tiny, sources={"part1_tiny": FORGED_CHECKS})
    (folder / "part1_tiny.remix").write_bytes(bundle.packed(forged))


def test_one_bad_notebook_costs_nobody_else_a_point(tmp_path):
    """Copied, deleted and edited tests, stderr, endless loops, lies, broken files: each gets its due, in one batch."""
    (tmp_path / "solutions" / "day9_x" / "checks").mkdir(parents=True)
    (tmp_path / "solutions" / "day9_x" / "part1_tiny.py").write_text(TINY)
    (tmp_path / "solutions" / "day9_x" / "checks" / "part1_tiny.py").write_text(TINY_CHECKS)
    notebooks.build(tmp_path)
    course = course_of(tmp_path / "course", tmp_path / "solutions" / "day9_x")
    reference = nbformat.read(tmp_path / "solutions" / "day9_x" / "part1_tiny.ipynb", as_version=4)
    untouched = nbformat.read(course / "day9_x" / "part1_tiny.ipynb", as_version=4)
    right = solved(untouched, reference)
    copied = copy.deepcopy(right)
    copied.cells += [type(cell)(cell, id=f"{cell.id}-pasted") for cell in copy.deepcopy(right.cells[1:3])]
    edited = copy.deepcopy(untouched)
    edited.cells[2].source = "2"
    patched = wrote(right, BY_HEART + "\ncheck = lambda *arguments, **named: None")
    handed_in = {
        "right": (right, [2, 3]),
        "untouched": (untouched, [0, 0]),
        "by_heart": (wrote(right, BY_HEART), [0, 3]),
        "patched": (patched, [0, 3]),
        "noisy": (wrote(right, NOISY), [2, 3]),
        "liar": (wrote(right, LIAR), [0, 3]),
        "endless": (wrote(right, ENDLESS), [0, 3]),
        "copied": (copied, [2, 3]),
        "deleted": (without(right, "d9-1-1-check"), [2, 3]),
        "deleted_both": (without(right, "d9-1-1", "d9-1-1-check"), [0, 3]),
        "edited": (edited, [0, 0]),
        "forged": (wrote(right, BY_HEART), [0, 3]),
        "broken": ("{half a notebook", [None, None]),
    }
    for student, (notebook, _) in handed_in.items():
        hand_in(course, "day9_x", student, "part1_tiny", notebook)
    forge(course, "forged")
    marks = graded(course, "day9_x")
    scores = {
        student: [marks.get(student, {}).get(f"part1_tiny/d9-1-{n}-check", [0])[0] for n in (1, 2)]
        for student in handed_in
    }
    assert scores == {student: due for student, (_, due) in handed_in.items()}
