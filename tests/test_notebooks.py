"""From master to notebook: what is committed is what is built, and nothing that a student should not see gets out."""

import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import nbformat
import pytest

from remix_utils.checks.lesson import read_master
from tools import notebooks

ROOT = Path(__file__).parents[1]
MASTERS = sorted(ROOT.glob("solutions/day*_*/part*_*.py"))
NAMES = [f"{path.parent.name}/{path.stem}" for path in MASTERS]

TINY = '''# %% [markdown]
# # A tiny part
# %%
offset = 1
# %% exercise="d9.1.1"
def double(n: int) -> int:
    """Twice n."""
    ### BEGIN SOLUTION
    secret = n + n  # the solution's own line
    return secret
    ### END SOLUTION
# %% check="d9.1.1" points=2
check("d9.1.1", double)
# %%
double(4)
# %% [markdown] answer="d9.1.2" points=1
# **Why?**
#
# ### BEGIN SOLUTION
# Because the secret is out.
# ### END SOLUTION
'''

CHECKS = """from remix_utils.checks.exercise import edit, exercise

exercise("d9.1.1", cases=lambda seed: [(3,)], mistakes=[edit("n + n", "n", says="Nothing is doubled.")])
"""


@pytest.fixture
def course(tmp_path):
    """A course of one tiny part."""
    (tmp_path / "solutions" / "day9_x" / "checks").mkdir(parents=True)
    (tmp_path / "solutions" / "day9_x" / "part1_tiny.py").write_text(TINY)
    (tmp_path / "solutions" / "day9_x" / "checks" / "part1_tiny.py").write_text(CHECKS)
    return tmp_path


def student_path(course):
    return course / "day9_x" / "part1_tiny.ipynb"


@cache
def built():
    """What the masters build, by name; a participant may have worked in the notebooks that lie here."""
    return {str(path.relative_to(ROOT)): text for path, text in notebooks.built(ROOT)}


def student_of(master):
    return nbformat.reads(built()[f"{master.parent.name}/{master.stem}.ipynb"], as_version=4)


def committed(name):
    """The file as git has it; None outside a repository, and for what is not in it."""
    shown = subprocess.run(["git", "show", f"HEAD:{name}"], cwd=ROOT, capture_output=True)
    return None if shown.returncode else shown.stdout.decode(errors="replace")


def test_what_is_committed_is_what_the_masters_build():
    """Byte for byte, and no notebook is left without a master: `make notebooks` before a commit.

    A notebook in which somebody works differs here, and is still the one that was committed.
    """
    assert [name for name in notebooks.differing(ROOT) if committed(name) != built().get(name)] == []


def test_building_elsewhere_gives_the_same_bytes(tmp_path):
    """Nothing random, no time, no path enters a notebook: another process, folder, hash seed and day build the same."""
    shutil.copytree(
        ROOT / "solutions",
        tmp_path / "solutions",
        ignore=shutil.ignore_patterns("*.ipynb", "*.remix"),
    )
    code = f"from pathlib import Path; from tools import notebooks; notebooks.build(Path({str(tmp_path)!r}))"
    environment = {
        **os.environ,
        "PYTHONHASHSEED": "1",
        "TZ": "Pacific/Kiritimati",
        "LC_ALL": "C",
        "PYTHONWARNINGS": "",
    }
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True)
    paths = tmp_path.rglob("*.ipynb")
    assert {str(path.relative_to(tmp_path)): path.read_text(encoding="utf-8") for path in paths} == built()


@pytest.mark.parametrize("master", MASTERS, ids=NAMES)
def test_no_student_notebook_gives_anything_away(master):
    """No solution, no hidden test, no output, no count of a run, no path of some machine."""
    student = student_of(master)
    text = "\n".join(cell.source for cell in student.cells)
    assert not re.search(r"BEGIN SOLUTION|END SOLUTION|HIDDEN TESTS|reference=", text)
    assert not re.search(r"/home/|/root\b|/Users/|/tmp/|[A-Z]:\\\\", json.dumps(student))
    assert str(ROOT) not in json.dumps(student)
    assert all(not cell.get("outputs") and cell.get("execution_count") is None for cell in student.cells)
    by_id = {cell.id: cell.source for cell in student.cells}
    for cell in read_master(master):
        for solution in re.findall(r"### BEGIN SOLUTION\n(.*?)\n\s*### END SOLUTION", cell.source, re.DOTALL):
            own = by_id[str(cell.marks.get("exercise") or cell.marks["answer"]).replace(".", "-")]
            assert textwrap.dedent(solution).strip() not in textwrap.dedent(text)
            left = [line.strip() for line in solution.split("\n") if len(line.strip()) > 8]
            assert [line for line in left if line in own] == []


@pytest.mark.parametrize("master", MASTERS, ids=NAMES)
def test_every_check_has_hidden_tests_and_every_exercise_a_stub(master):
    """The reference notebook tests more than the student sees; the student's holes say that they are holes."""
    reference = nbformat.reads(built()[f"solutions/{master.parent.name}/{master.stem}.ipynb"], as_version=4)
    student = student_of(master)
    for theirs, ours in zip(student.cells, reference.cells, strict=True):
        facts = ours.metadata.get("nbgrader", {})
        if facts.get("grade") and not facts["solution"]:
            assert "### BEGIN HIDDEN TESTS" in ours.source
            assert theirs.source in ours.source
        if facts.get("solution") and ours.cell_type == "code":
            assert "raise NotImplementedError()  # your code here" in theirs.source


def test_a_master_becomes_two_notebooks(course, capsys):
    """The reference beside the master, the student's in the day's folder; ids from the marks."""
    assert notebooks.main([], course) == 0
    assert capsys.readouterr().out.splitlines() == [
        "built solutions/day9_x/part1_tiny.ipynb",
        "built day9_x/part1_tiny.ipynb",
        "built solutions/day9_x/checks/part1_tiny.remix",
        "built day9_x/checks/part1_tiny.remix",
    ]
    student = nbformat.read(student_path(course), as_version=4)
    ids = ["part1-0", "part1-1", "d9-1-1", "d9-1-1-check", "d9-1-1-check-1", "d9-1-2"]
    assert [cell.id for cell in student.cells] == ids
    assert student.cells[2].source.endswith("    raise NotImplementedError()  # your code here")
    assert student.cells[3].source == 'check("d9.1.1", double)'
    assert student.cells[5].source == "**Why?**\n\n*Your answer here.*"
    assert [cell.metadata.get("editable") for cell in student.cells[2:4]] == [None, False]
    assert "secret" not in student_path(course).read_text()
    reference = nbformat.read(course / "solutions" / "day9_x" / "part1_tiny.ipynb", as_version=4)
    assert "secret = n + n" in reference.cells[2].source
    assert notebooks.main(["--check"], course) == 0
    assert notebooks.main([], course) == 0
    assert capsys.readouterr().out.splitlines() == ["Every notebook is what its master builds."] * 2


def test_check_fails_on_every_difference(course, capsys):
    """A changed master, an edited notebook, a missing one, and one whose master is gone."""
    notebooks.main([], course)
    master = course / "solutions" / "day9_x" / "part1_tiny.py"
    master.write_text(TINY.replace("offset = 1", "offset = 2"))
    assert notebooks.main(["--check"], course) == 1
    master.write_text(TINY)
    assert notebooks.main(["--check"], course) == 0
    text = student_path(course).read_text()
    student_path(course).write_text(text.replace("A tiny part", "A small part"))
    assert notebooks.differing(course) == ["day9_x/part1_tiny.ipynb"]
    student_path(course).unlink()
    assert notebooks.differing(course) == ["day9_x/part1_tiny.ipynb"]
    student_path(course).write_text(text)
    (course / "day9_x" / "part2_orphan.ipynb").write_text(text)
    assert notebooks.differing(course) == ["day9_x/part2_orphan.ipynb"]
    (course / "day9_x" / "part2_orphan.ipynb").unlink()
    (course / "day9_x" / "checks" / "part1_tiny.remix").write_bytes(b"torn")
    assert notebooks.differing(course) == ["day9_x/checks/part1_tiny.remix"]
    checks = course / "solutions" / "day9_x" / "checks" / "part1_tiny.py"
    checks.write_text(CHECKS + "# another edition\n")
    assert len(notebooks.differing(course)) == 4  # both notebooks carry the version of their checks


def test_a_students_work_is_never_lost(course, capsys):
    """What somebody wrote into a notebook is kept beside the new one; their other files are not touched."""
    notebooks.main([], course)
    own = course / "day9_x" / "notes.txt"
    own.write_text("mine")
    master = course / "solutions" / "day9_x" / "part1_tiny.py"
    for number in (1, 2):
        worked = nbformat.read(student_path(course), as_version=4)
        worked.cells[2].source = f"def double(n): return {number} * n"
        nbformat.write(worked, student_path(course))
        master.write_text(TINY.replace("offset = 1", f"offset = 1{number}"))
        capsys.readouterr()
        assert notebooks.main([], course) == 0
        assert f"(your work is in part1_tiny.kept{number}.ipynb)" in capsys.readouterr().out
        assert f"return {number} * n" in (course / "day9_x" / f"part1_tiny.kept{number}.ipynb").read_text()
    assert own.read_text() == "mine"
    assert notebooks.differing(course) == []
    student_path(course).write_text("{half a notebook")
    notebooks.main([], course)
    assert (course / "day9_x" / "part1_tiny.kept3.ipynb").read_text() == "{half a notebook"


def test_an_unworked_notebook_is_replaced_without_a_copy(course):
    """An author who builds all day gathers no rubbish."""
    notebooks.main([], course)
    (course / "solutions" / "day9_x" / "part1_tiny.py").write_text(TINY.replace("offset = 1", "offset = 2"))
    notebooks.main([], course)
    assert sorted(path.name for path in (course / "day9_x").iterdir()) == [
        "checks",
        "part1_tiny.ipynb",
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('check="d9.1.1" points=2', 'check="d9.1.1"', "the check d9.1.1 has no points"),
        (
            'answer="d9.1.2" points=1',
            'answer="d9.1.2" points="x"',
            "the answer d9.1.2 has no points",
        ),
        ('answer="d9.1.2"', 'answer="d9.1.1"', "marked twice: d9-1-1"),
        ('check("d9.1.1", double)', 'check("d9.1.7", double)', "does not call it"),
        ('check("d9.1.1", double)', 'check("d9.1.1", double)\ndouble(4)', "does more than that"),
        ("n + n  #", "2 * n  #", "the edit of 'n + n' matches 0 times"),
        ('"d9.1.1"', '"d9.1.3"', "checks d9.1.3 where checks/part1_tiny.py declares d9.1.1"),
        ('# %% exercise="d9.1.1"', "# %% exercise=d9.1.1", "this header cannot be read"),
    ],
)
def test_a_faulty_master_is_named_and_nothing_is_written(course, capsys, old, new, told):
    """Everything is built before the first file is replaced."""
    notebooks.main([], course)
    before = {path: path.read_bytes() for path in course.rglob("*.ipynb")}
    master = course / "solutions" / "day9_x" / "part1_tiny.py"
    master.write_text(TINY.replace(old, new))
    assert notebooks.main([], course) == 2
    assert told in capsys.readouterr().err
    assert {path: path.read_bytes() for path in course.rglob("*.ipynb")} == before
