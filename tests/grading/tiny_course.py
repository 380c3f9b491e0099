"""A day of one small part, and submissions of it: honest ones, bad ones, and cheats."""

import copy
import json

import nbformat

from remix_utils.checks import bundle
from tools import lessons

DAY = "day9_x"
MASTER = '''# %%
import math
from remix_utils.checks.harness import check
# %% exercise="d9.1.1"
def double(n):
    """Twice n."""
    ### BEGIN SOLUTION
    return n + n
    ### END SOLUTION
# %% check="d9.1.1" points=2
check("d9.1.1", double)
# %%
1 / 0  # an experiment, which grading does not run
# %% exercise="d9.1.2"
def twice_and_one(n):
    """One more than twice n."""
    ### BEGIN SOLUTION
    return double(n) + 1
    ### END SOLUTION
# %% check="d9.1.2" points=3
check("d9.1.2", twice_and_one)
# %% [markdown] answer="d9.1.3" points=1
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
'''
CHECKS = """from remix_utils.checks.exercise import exercise, edit

SQUARE = [edit("n + n", "n * n", says="That is the square.")]

exercise("d9.1.1", cases=lambda seed: [(3,), (seed,)], mistakes=SQUARE, seconds=0.2)
exercise("d9.1.2", cases=lambda seed: [(3,), (seed,)], seconds=0.2)
"""


def write_course(folder):
    """The day's master, checks and packed checks; returns its folder and the notebooks."""
    day = folder / "solutions" / DAY
    (day / "checks").mkdir(parents=True)
    master = day / "part1_tiny.py"
    master.write_text(MASTER)
    (day / "checks" / "part1_tiny.py").write_text(CHECKS)
    packed = bundle.packed(bundle.from_master(master))
    (day / "checks" / "part1_tiny.remix").write_bytes(packed)
    reference = lessons.reference_notebook(master)
    return day, reference, lessons.student_notebook(reference)


def solved(student, reference):
    """A student's notebook with the reference's holes."""
    done = copy.deepcopy(student)
    for ours, theirs in zip(done.cells, reference.cells, strict=True):
        if ours.metadata.get("nbgrader", {}).get("solution"):
            ours.source = theirs.source
    return done


def wrote(notebook, **holes):
    """The notebook with other holes, each named like d9_1_1."""
    done = copy.deepcopy(notebook)
    for name, source in holes.items():
        next(cell for cell in done.cells if cell.id == name.replace("_", "-")).source = source
    return done


def hand_in(folder, student, notebook, name="part1_tiny.ipynb"):
    """Puts a notebook, or whatever bytes, where submissions lie."""
    path = folder / student / DAY / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = notebook if isinstance(notebook, bytes | str) else nbformat.writes(notebook)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def points(results):
    """{student: [points of each exercise]}"""
    return {result["student"]: [each["points"] for each in result["verdicts"]] for result in results}


def stripped(notebook):
    """The notebook without any metadata, as some tools write it."""
    whole = json.loads(nbformat.writes(notebook))
    for cell in whole["cells"]:
        cell["metadata"] = {}
    return json.dumps({**whole, "metadata": {}})
