"""Grading that somebody stops."""

import os
import signal
import subprocess
import sys
import time

from tests.grading.tiny_course import DAY, hand_in, solved, write_course


def test_ctrl_c_while_judges_start_is_one_line(tmp_path):
    """The terminal sends it to all processes of a command; only the first one says something."""
    folder = tmp_path
    _, reference, student = write_course(folder)
    (folder / DAY).mkdir()
    (folder / DAY / "part1_tiny.ipynb").write_text("{}")
    hand_in(tmp_path / "submitted", "ann", solved(student, reference))
    where = ["--submitted", tmp_path / "submitted", "--results", tmp_path / "g", "--gradebook", tmp_path / "b.db"]
    command = [sys.executable, "-P", "-u", "-m", "remix_utils", "grade", DAY, *map(str, where)]
    both = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=folder, text=True, start_new_session=True, **both) as grading:
        assert "1 notebooks to judge" in grading.stdout.readline()
        time.sleep(3)  # until the judging process imports its libraries
        os.killpg(grading.pid, signal.SIGINT)
        told = grading.stdout.read()
    assert "Traceback" not in told and "Stopped." in told
    assert grading.returncode == 130
