"""`remix lab`: the right notebook, a token that nobody reads, and no server that stays behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import ClassVar

import pytest

from remix_utils import cli
from remix_utils.classroom import commands, lab
from remix_utils.classroom.course import find_notebook
from remix_utils.classroom.ports import free_port

PATIENCE = 600  # seconds, for a machine that has other work


class Child:
    """Stands in for JupyterLab: it listens at once, and ends when it is waited for."""

    started: ClassVar = []

    def __init__(self, command, cwd, env, **how):
        self.started.append((command, env["JUPYTER_TOKEN"], cwd))
        (port,) = [part.partition("=")[2] for part in command if part.startswith("--ServerApp.port=")]
        self.door = socket.create_server(("127.0.0.1", int(port)))
        self.stdin = SimpleNamespace(close=lambda: None, closed=False)

    def poll(self):
        return None

    def wait(self):
        self.door.close()
        return 0


def notebook(course: Path) -> Path:
    return find_notebook(course / "day2_induction", None)


def test_the_token_is_not_on_the_command_line(small_course, monkeypatch, capsys):
    """Everyone on the machine can read a command line: the token goes through the environment, and is printed once."""
    monkeypatch.setattr(lab.subprocess, "Popen", Child)
    port = free_port(8899)
    assert lab.open_lab(notebook(small_course), small_course, small_course, port, browser=False) == 0
    command, token, _ = Child.started[-1]
    assert not any(token in part for part in command) and "--no-browser" in command
    assert f"http://localhost:{port}/lab/tree/day2_induction/part1_see.ipynb?token={token}" in capsys.readouterr().out


def test_no_address_is_given_before_it_answers(small_course, monkeypatch, capsys):
    """Where JupyterLab ends before it listens, nobody is sent to an address, and its status is ours."""
    ended = ["-c", "import time; time.sleep(0.3); raise SystemExit(3)"]
    monkeypatch.setattr(lab, "lab_command", lambda *asked: [sys.executable, *ended, "--LabApp.default_url=/lab"])
    assert lab.open_lab(notebook(small_course), small_course, small_course, free_port(8899)) == 3
    assert "http" not in capsys.readouterr().out


def test_the_lab_shows_what_a_participant_needs(small_course):
    """The settings that come with the course are given to JupyterLab: no news, no grader's panels, no other tools."""
    command = lab.lab_command(notebook(small_course), small_course, 8899)
    [folder] = [part.partition("=")[2] for part in command if part.startswith("--LabApp.app_settings_dir=")]
    settings = {path.stem: json.loads(path.read_text()) for path in Path(folder).iterdir()}
    assert settings["overrides"]["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"
    assert "@jupyter/nbgrader:formgrader" in settings["page_config"]["disabledExtensions"]
    assert "@jupyter/nbgrader:validate-assignment" not in settings["page_config"]["disabledExtensions"]


def test_lab_takes_the_next_port_and_says_which(listener, monkeypatch, capsys, small_course):
    """`remix lab` on a taken port goes on, on a free one, and ends with what to do next."""
    opened = []
    monkeypatch.setattr(commands, "open_lab", lambda *asked, **how: opened.append(asked) or 0)
    assert cli.main(["lab", "--port", str(listener)]) == 0
    [(path, _, _, port)] = opened
    printed = capsys.readouterr().out
    assert path.name == "part1_hooks.ipynb" and port > listener
    assert f"Port {listener} is taken; using {port}." in printed and "Next: make lab" in printed


def test_where_no_port_is_free_there_is_a_fix(monkeypatch, small_course, capsys):
    """Also at the end of the ports, where there is no next one."""
    with socket.socket() as last:
        last.bind(("127.0.0.1", 65535))
        last.listen()
        assert cli.main(["lab", "--port", "65535"]) == 2
    assert "fix: stop old servers" in capsys.readouterr().err


@pytest.fixture
def opened(small_course):
    """A real JupyterLab with a kernel at work, started by `remix lab` as a terminal would."""
    port = free_port(9200)
    environment = {**os.environ, "HOME": str(small_course), "JUPYTER_PLATFORM_DIRS": "0"}
    command = [sys.executable, "-m", "remix_utils", "lab", "--no-browser", "--port", str(port)]
    process = subprocess.Popen(
        command, cwd=small_course, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    said = []
    for line in process.stdout:
        said.append(line)
        if "token=" in line:
            break
    else:
        pytest.fail("".join(said))
    yield process, line.strip()
    process.kill()
    process.communicate()


def start_kernel(address: str) -> int:
    """Starts a kernel on the server, and returns its process."""
    from urllib.parse import urlsplit
    from urllib.request import Request, urlopen

    url = urlsplit(address)
    api = f"{url.scheme}://{url.netloc}/api/kernels?{url.query}"
    with urlopen(Request(api, data=b'{"name": "python3"}', method="POST"), timeout=PATIENCE) as reply:
        id = json.load(reply)["id"]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                words = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if f"kernel-{id}".encode() in words:
                return int(folder.name)
        time.sleep(0.1)
    raise AssertionError("no kernel started")


def gone(pid: int) -> bool:
    """Waits for the end of a process; one that nobody waited for has ended too."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="no /proc here, so servers were not looked for")
@pytest.mark.parametrize("name", ["SIGKILL", "SIGTERM"])
def test_no_server_and_no_kernel_stays_behind(name, opened):
    """Whether `remix lab` is killed, or asked to end as a closed terminal and Ctrl-C ask it."""
    process, address = opened
    kernel = start_kernel(address)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    process.send_signal(getattr(signal, name))
    assert all(gone(int(child)) for child in children) and children
    assert gone(kernel)
    said = process.communicate(timeout=PATIENCE)[0]
    assert "remix_utils/classroom" not in said  # a kernel may be cut short in its own start
    if name != "SIGKILL":
        assert process.returncode == 0 and "JupyterLab has stopped. Next: make lab" in said


def test_ctrl_c_before_it_listens_is_no_traceback(small_course):
    """While JupyterLab is still being imported."""
    command = [sys.executable, "-m", "remix_utils", "lab", "--no-browser", "--port", str(free_port(9300))]
    process = subprocess.Popen(command, cwd=small_course, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    for line in process.stdout:
        if line.startswith("Starting JupyterLab"):
            break
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    said = process.communicate(timeout=PATIENCE)[0]
    assert "Traceback" not in said and "JupyterLab has stopped" in said
