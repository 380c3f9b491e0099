"""JupyterLab, opened on the day one asks for."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from remix_utils.classroom.ports import free_port
from remix_utils.errors import RemixError

SETTINGS = Path(__file__).resolve().parent / "settings"  # no news, no index of extensions, no tools of the grader


class LabError(RemixError):
    """No port on which JupyterLab could be opened."""


def choose_port(first: int) -> int:
    """Returns the first free port from one on, and says so where it is another; LabError where none is free."""
    port = free_port(first)
    if port is None:
        raise LabError(f"No port from {first} on is free.", fix="stop old servers: jupyter server stop.")
    if port != first:
        print(f"Port {first} is taken; using {port}.")
    return port


def lab_command(notebook: Path, root: Path, port: int, browser: bool = True) -> list[str]:
    """Returns how JupyterLab is started: by this Python, showing one folder, on a port known to be free.

    >>> lab_command(Path("/c/day1_graphs/part1.ipynb"), Path("/c"), 8889)[-1]
    '--LabApp.default_url=/lab/tree/day1_graphs/part1.ipynb'
    """
    return [
        *(sys.executable, "-m", "remix_utils.classroom.server"),
        *([] if browser else ["--no-browser"]),
        *("--log-level=ERROR", "--LabApp.log_level=ERROR"),
        "--ServerApp.answer_yes=True",  # one Ctrl-C stops it, without a question
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={root}"),
        f"--LabApp.app_settings_dir={SETTINGS}",
        "--LanguageServerManager.autodetect=False",  # it would run npm and other tools that it finds
        "--HTMLExporter.filters=clean_html=remix_utils.classroom.sanitizing.clean_html",  # its own leaves no heading
        "--KernelManager.transport_encryption=auto",  # a machine may have other users
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
        f"--LabApp.default_url=/lab/tree/{notebook.relative_to(root).as_posix()}",
    ]


def open_lab(notebook: Path, root: Path, course: Path, port: int, browser: bool = True, pair: str = "") -> int:
    """Runs JupyterLab on the files of a folder until it is stopped, and returns its exit status."""
    token = secrets.token_hex(16)
    command = lab_command(notebook, root, port, browser)
    address = command[-1].partition("=")[2]
    print(f"Starting JupyterLab on {notebook.parent.name}/{notebook.name} ...", flush=True)
    # The token travels in the environment: a command line can be read by everyone on the machine. The server runs in
    # the course's folder, in which nbgrader's validator looks for its settings.
    environment = {**os.environ, "JUPYTER_TOKEN": token, "REMIX_PAIR": pair}
    # A session of its own: Ctrl-C comes to us alone, and the end of the pipe is the one way in which the server stops.
    child = subprocess.Popen(command, cwd=course, env=environment, stdin=subprocess.PIPE, start_new_session=True)
    with _stopping(child):
        if _listens(child, port):
            print("It is ready. If no browser window appears, go to")
            print(f"  http://localhost:{port}{address}?token={token}")
            print(
                "Run the first cell with Shift-Enter. Ctrl-C here stops JupyterLab; saved notebooks stay.", flush=True
            )
        return child.wait()


@contextmanager
def _stopping(child: subprocess.Popen) -> Iterator[None]:
    """Ends the server when we are asked to end, or fail; being asked a second time, at once."""
    pipe = child.stdin
    assert pipe is not None

    def stop(*_: object) -> None:
        if pipe.closed:
            child.kill()
        with suppress(OSError):
            pipe.close()

    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        with suppress(OSError):
            pipe.close()
        child.wait()
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _listens(child: subprocess.Popen, port: int) -> bool:
    """Waits until somebody can be let in; False if JupyterLab ends instead."""
    while child.poll() is None:
        try:
            socket.create_connection(("localhost", port), timeout=1).close()
            return True
        except OSError:
            time.sleep(0.1)
    return False
