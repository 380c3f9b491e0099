"""JupyterLab, opened on the day one asks for."""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from remix_utils.errors import RemixError

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = Path(__file__).resolve().parent / "settings"  # no news, no index of extensions, no tools of the grader


class LabError(RemixError):
    """A day that is not there, or no port to open it on."""


def find_notebook(day: str = "1", root: Path = ROOT) -> Path:
    """The notebook to open for `1`, `day1`, `day1_graphs`, or for a part, `d1.2`. LabError where there is none.

    >>> find_notebook("9")
    Traceback (most recent call last):
    ...
    remix_utils.classroom.lab.LabError: There is no notebook for '9'; ...
    """
    asked = re.fullmatch(r"(?:day|d)?(\d)(?:_\w+/?)?(?:\.(\d))?", day.strip().lower())
    there = sorted(root.glob("day?_*/part*.ipynb"))
    if asked:
        number, part = asked.groups()
        # Part 0 prepares for the course: it opens when asked for by name.
        found = [path for path in there if path.match(f"day{number}_*/part{part or '[1-9]'}*.ipynb")]
        if found:
            return found[0]
    days = ", ".join(sorted({path.parent.name for path in there})) or "none"
    raise LabError(
        f"There is no notebook for {day!r}; the days here are: {days}.",
        fix="name a day or a part of one: remix lab 1, remix lab d1.2.",
        asked=day,
    )


def lab_command(notebook: Path, port: int, browser: bool = True) -> list[str]:
    """How JupyterLab is started: this Python's own, in the folder of the course, on a port known to be free.

    >>> lab_command(ROOT / "day1_graphs" / "part1.ipynb", 8889)[-1]
    '--LabApp.default_url=/lab/tree/day1_graphs/part1.ipynb'
    """
    root = notebook.parents[1]
    return [
        *(sys.executable, "-m", "jupyterlab"),
        *([] if browser else ["--no-browser"]),
        *("--log-level=ERROR", "--LabApp.log_level=ERROR"),
        "--ServerApp.answer_yes=True",  # one Ctrl-C stops it, without a question
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LanguageServerManager.autodetect=False",  # it would run npm and other tools that it finds
        "--KernelManager.transport_encryption=auto",  # a machine may have other users
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(root).as_posix()}",
    ]


def open_lab(notebook: Path, port: int, browser: bool = True) -> int:
    """Run JupyterLab until it is stopped, and return its exit status."""
    token = secrets.token_hex(16)
    command = lab_command(notebook, port, browser)
    address = command[-1].partition("=")[2]
    print(f"Starting JupyterLab on {notebook.parent.name}/{notebook.name} ...", flush=True)
    # The token travels in the environment: a command line can be read by everyone on the machine.
    child = subprocess.Popen(command, cwd=notebook.parents[1], env={**os.environ, "JUPYTER_TOKEN": token})
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the child too; it ends, and we say goodbye
    try:
        if _listens(child, port):
            print("It is ready. If no browser window appears, go to")
            print(f"  http://localhost:{port}{address}?token={token}")
            print(
                "Run the first cell with Shift-Enter. Ctrl-C here stops JupyterLab; saved notebooks stay.", flush=True
            )
        return child.wait()
    finally:
        signal.signal(signal.SIGINT, before)


def _listens(child: subprocess.Popen, port: int) -> bool:
    """Wait until somebody can be let in; False if JupyterLab ends instead."""
    while child.poll() is None:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False
