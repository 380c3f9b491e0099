"""The `remix` command: help that can be read, a doctor whose findings have fixes, and the Lab on the right day."""

import json
import re
import shutil
import socket
import sys
from importlib import metadata
from pathlib import Path
from typing import ClassVar

import pytest

from remix_utils import cli
from remix_utils.classroom import doctor, lab
from remix_utils.classroom.doctor import Finding
from remix_utils.classroom.lab import LabError


@pytest.fixture
def course(tmp_path) -> Path:
    """Two days, the first with its preparation."""
    for name in (
        "day1_graphs/part0_transformer",
        "day1_graphs/part1_hooks",
        "day1_graphs/part2_graph",
        "day2_induction/part1_see",
    ):
        path = tmp_path / f"{name}.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


@pytest.fixture
def listener():
    """A port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_remix_alone_prints_help(capsys):
    """Without a command one reads what there is, and that is no failure."""
    assert cli.main([]) == 0
    printed = capsys.readouterr().out
    assert "doctor" in printed and "lab" in printed and "Start with: remix lab" in printed


def test_the_doctor_prints_every_finding_and_every_fix(monkeypatch, capsys):
    """A bad finding is followed by its fix, and the command fails; without one it says what to do next."""
    monkeypatch.setattr(cli, "examine", lambda: [Finding("one is well"), Finding("two is not", fix="mend it.")])
    assert cli.main(["doctor"]) == 1
    assert "BAD  two is not\n       fix: mend it.\n1 of these" in capsys.readouterr().out
    monkeypatch.setattr(cli, "examine", lambda: [Finding("one is well")])
    assert cli.main(["doctor"]) == 0
    assert "Next: remix lab" in capsys.readouterr().out


def test_this_installation_is_sound():
    """The doctor finds nothing to mend where the tests run."""
    assert [finding for finding in doctor.examine() if not finding.good] == []


def test_a_version_that_is_not_the_locks_is_named(tmp_path):
    """Missing and other versions are listed, with the command that installs the lock; markers are honoured."""
    lock = tmp_path / "requirements.txt"
    lock.write_text("# the lock\nnumpy==2.4.6\ntorch==2.13.0\nabsent==1.0\nwinonly==1 ; sys_platform == 'win32'\n")

    def installed(name: str) -> str:
        if name == "absent":
            raise metadata.PackageNotFoundError(name)
        return {"numpy": "2.4.5", "torch": "2.13.0+cpu"}[name]

    finding = doctor.check_lock(tmp_path, installed)
    assert finding.fact == "2 of 3 packages are not as locked: numpy is 2.4.5, absent is missing"
    assert finding.fix.endswith(f"-m pip install -r {lock}")


def test_a_folder_that_cannot_be_written_has_a_fix(tmp_path):
    """Where notebooks cannot be saved, the doctor says so before the Lab does."""
    finding = doctor.check_writing(tmp_path / "absent")
    assert "cannot be written" in finding.fact and "chown" in finding.fix


def test_a_grader_without_alembic_has_a_fix(monkeypatch):
    """nbgrader runs alembic by name: when PATH lacks it, the fix is the PATH that has it."""
    monkeypatch.setattr(shutil, "which", lambda name: None)
    finding = doctor.check_grader()
    assert "alembic" in finding.fact and finding.fix.startswith("export PATH=")


def test_a_python_outside_the_lock_has_a_fix():
    """The doctor knows the same range of Pythons as set-up."""
    assert not doctor.check_python((3, 10, 1)).good
    assert not doctor.check_python((3, 15, 0)).good


def test_a_taken_port_is_no_fault_while_another_is_free(listener):
    """The next port is taken, and the finding says which; when all are taken there is a fix."""
    finding = doctor.check_port(listener, 50)
    assert finding.good and f"({listener} is taken)" in finding.fact
    assert "jupyter server stop" in doctor.check_port(listener, 1).fix


def test_lab_takes_the_next_port_and_says_which(listener, monkeypatch, capsys, course):
    """`remix lab` on a taken port goes on, on a free one, and ends with what to do next."""
    opened = []
    monkeypatch.setattr(cli, "find_notebook", lambda day: lab.find_notebook(day, course))
    monkeypatch.setattr(cli, "open_lab", lambda notebook, port, browser: opened.append((notebook.name, port)) or 0)
    assert cli.main(["lab", "--port", str(listener)]) == 0
    [(name, port)] = opened
    printed = capsys.readouterr().out
    assert name == "part1_hooks.ipynb" and port > listener
    assert f"Port {listener} is taken; using {port}." in printed and "Next: make lab" in printed


@pytest.mark.parametrize("asked", ["1", "day1", "day1_graphs", "day1_graphs/", "D1", "d1.1"])
def test_a_day_has_many_spellings(course, asked):
    """However the day is written, its first part opens; part 0 only when asked for."""
    assert lab.find_notebook(asked, course).name == "part1_hooks.ipynb"


def test_a_part_can_be_asked_for(course):
    """`d1.2` is part 2 of day 1, and `d1.0` its preparation."""
    assert lab.find_notebook("d1.2", course).name == "part2_graph.ipynb"
    assert lab.find_notebook("1.0", course).name == "part0_transformer.ipynb"


@pytest.mark.parametrize("asked", ["7", "d1.9", "monday", ""])
def test_a_day_that_is_not_there_names_those_that_are(course, asked):
    """The error lists the days, and shows how one is asked for."""
    with pytest.raises(LabError, match="day1_graphs, day2_induction") as error:
        lab.find_notebook(asked, course)
    assert "remix lab d1.2" in error.value.fix and error.value.asked == asked


class Child:
    """Stands in for JupyterLab: it listens at once, and ends when it is waited for."""

    started: ClassVar = []

    def __init__(self, command, cwd, env):
        self.started.append((command, env["JUPYTER_TOKEN"]))
        self.door = socket.create_server(("127.0.0.1", int(re.search(r"port=(\d+)", " ".join(command))[1])))

    def poll(self):
        return None

    def wait(self):
        self.door.close()
        return 0


def test_the_token_is_not_on_the_command_line(course, monkeypatch, capsys):
    """Everyone on the machine can read a command line: the token goes through the environment, and is printed once."""
    monkeypatch.setattr(lab.subprocess, "Popen", Child)
    port = doctor.free_port(8899)
    assert lab.open_lab(lab.find_notebook("2", course), port, browser=False) == 0
    command, token = Child.started[-1]
    assert not any(token in part for part in command) and "--no-browser" in command
    assert f"http://localhost:{port}/lab/tree/day2_induction/part1_see.ipynb?token={token}" in capsys.readouterr().out


def test_no_address_is_given_before_it_answers(course, monkeypatch, capsys):
    """Where JupyterLab ends before it listens, nobody is sent to an address, and its status is ours."""
    ended = ["-c", "import time; time.sleep(0.3); raise SystemExit(3)"]
    monkeypatch.setattr(lab, "lab_command", lambda *asked: [sys.executable, *ended, "--LabApp.default_url=/lab"])
    assert lab.open_lab(lab.find_notebook("2", course), doctor.free_port(8899)) == 3
    assert "http" not in capsys.readouterr().out


def test_the_lab_shows_what_a_participant_needs(course):
    """The settings that come with the course are given to JupyterLab: no news, no grader's panels, no other tools."""
    command = lab.lab_command(lab.find_notebook("1", course), 8899)
    [folder] = [part.partition("=")[2] for part in command if part.startswith("--LabApp.app_settings_dir=")]
    settings = {path.stem: json.loads(path.read_text()) for path in Path(folder).iterdir()}
    assert settings["overrides"]["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert "@jupyter/nbgrader:formgrader" in settings["page_config"]["disabledExtensions"]
    assert "@jupyter/nbgrader:validate-assignment" not in settings["page_config"]["disabledExtensions"]
