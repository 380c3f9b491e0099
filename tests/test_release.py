"""A folder that nbgrader released and remix_utils from its wheel are all that a participant needs."""

import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from remix_utils.checks.bundle import from_master
from remix_utils.checks.lesson import holes
from tests.checks.lessons import MASTERS
from tools import lessons

ROOT = Path(__file__).parents[1]
DAYS = sorted({path.parent.name for path in MASTERS})

# What a participant does, in a process that sees neither the repository nor any folder `solutions`.
SESSION = """
import contextlib, io, json, sys
from pathlib import Path
import remix_utils
from remix_utils import check, hint, solution, start_at
from remix_utils.checks.harness import CheckFailed
from remix_utils.checks.part import load_part
from remix_utils.checks.predictions import measured, predict, predictions

assert Path(remix_utils.__file__).is_relative_to(sys.argv[1]), remix_utils.__file__
said = {}
for part in sys.argv[2].split():
    ids = [str(c.marks["check"]) for c in load_part(part).bundle.cells if "check" in c.marks]
    for id in ids:
        try:
            check(id, ...)
        except CheckFailed as error:
            assert "not written yet" in str(error), error
        check(id, load_part(part).reference(id))
        if not id.endswith("quiz"):
            assert len(hint(id).rungs) == 3
        with contextlib.redirect_stdout(io.StringIO()) as text:
            solution(id)
        assert "BEGIN" not in text.getvalue() and "once more" in text.getvalue()
    with contextlib.redirect_stdout(io.StringIO()) as text:
        solution(ids[0])
    said[part] = text.getvalue()
    start_at(part)
    start_at(ids[-1])
    predict(f"{part}.p1", 3, "points")
    measured(f"{part}.p1", 4)
    assert len(predictions(part).rows) == 1
print(json.dumps(said))
"""


def released(day, folder):
    """A day's folder as nbgrader's own command releases it, and nothing else of the course."""
    course = folder / "course"
    shutil.copytree(ROOT / "solutions" / day, course / "solutions" / day)
    shutil.copy(ROOT / "nbgrader_config.py", course)
    environment = {**os.environ, "PYTHONWARNINGS": "ignore", "HOME": str(folder)}
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", day]
    done = subprocess.run(command, cwd=course, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    shutil.move(course / day, folder / day)
    shutil.rmtree(course)
    return folder / day


@pytest.mark.parametrize("day", DAYS)
def test_a_released_folder_and_the_wheel_are_enough(day, tmp_path, wheel):
    """Checks, hints, solutions, predictions and rejoining work there, and no solution stands in the clear."""
    folder = released(day, tmp_path)
    assert not list(tmp_path.rglob("solutions"))
    assert_nothing_in_the_clear(folder, day)
    parts = " ".join(from_master(path).part for path in MASTERS if path.parent.name == day)
    environment = {**os.environ, "PYTHONPATH": str(wheel), "HOME": str(tmp_path)}
    environment.pop("REMIX_CHECKS", None)
    command = [sys.executable, "-c", SESSION, str(wheel), parts]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    shown = json.loads(done.stdout.splitlines()[-1])
    assert sorted(shown) == sorted(parts.split())
    assert all(text.strip() for text in shown.values())
    records = "".join(path.read_text() for path in folder.glob(".remix/progress/*.jsonl"))
    assert records.count('"event": "solution"') == len(shown)
    assert_a_copy_can_be_made(folder, environment)


def assert_a_copy_can_be_made(folder, environment):
    """`remix start` finds the released day from the folder that holds it, and copies all of it but the record."""
    command = [sys.executable, "-m", "remix_utils", "start", folder.name]
    done = subprocess.run(command, cwd=folder.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    own = folder.parent / "work" / folder.name
    files = [path for path in folder.rglob("*") if path.is_file() and ".remix" not in path.parts]
    given = {path.relative_to(folder): path for path in files}
    assert given and all((own / name).read_bytes() == path.read_bytes() for name, path in given.items())


def assert_nothing_in_the_clear(folder, day):
    """No line of any solution, in any released file, as text or as escaped text."""
    masters = [path for path in MASTERS if path.parent.name == day]
    page = "\n".join(student_page(path) for path in masters)
    lines = {line for path in masters for line in solution_lines(path, page)}
    assert lines
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            shown = [line for line in lines if line.encode() in content]
            assert shown == [], path
            assert b"SOLUTION" not in content
            assert path.suffix == ".ipynb" or lzma.decompress(content)


def student_page(master):
    """All that a participant reads in a part, before it is solved."""
    student = lessons.student_notebook(lessons.reference_notebook(master))
    return "\n".join(cell.source for cell in student.cells)


def solution_lines(master, page):
    """The lines of the reference solutions that stand nowhere on the day's pages, as JSON writes them."""
    cells = from_master(master).cells
    for cell in cells:
        if "exercise" not in cell.marks:
            continue
        for solution in holes(cell.source):
            for line in textwrap.dedent(solution).split("\n"):
                text = line.strip()
                if len(text) > 12 and text not in page and not re.fullmatch(r"\W*", text):
                    yield json.dumps(text)[1:-1]
