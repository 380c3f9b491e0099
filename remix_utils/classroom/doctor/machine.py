"""What the machine gives: disks that can be written, a port, a sandbox."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

from remix_utils.classroom.doctor.finding import Finding
from remix_utils.classroom.ports import FIRST_PORT, PORTS, free_port

NOTEBOOK = 4_000_000  # bytes of a notebook with its figures
# The namespaces of which `remix grade` makes its sandbox, tried by the program that makes the same ones.
SANDBOX = ("unshare", "--user", "--map-root-user", "--mount", "--pid", "--net", "--fork", "true")


def check_writing(folder: Path) -> Finding:
    """Tells whether a notebook can be saved in a folder, by writing as many bytes to its disk.

    >>> import tempfile
    >>> check_writing(Path(tempfile.gettempdir())).good
    True
    """
    trial = folder / f".remix-doctor-{os.getpid()}"
    try:
        try:
            with trial.open("wb") as file:
                file.write(bytes(NOTEBOOK))
                file.flush()
                os.fsync(file.fileno())
        finally:
            trial.unlink(missing_ok=True)
    except OSError as error:
        return Finding(f"{folder} cannot be written: {error.strerror}", fix=_writing_fix(folder, error.errno))
    return Finding(f"{folder} can be written")


def _writing_fix(folder: Path, number: int | None) -> str:
    if number in (errno.ENOSPC, getattr(errno, "EDQUOT", None)):
        return f"free space on the disk of {folder} (100 MB will do)"
    if number == errno.ENOENT:
        return "go to a folder that is there"
    if number == errno.EROFS:
        return "clone the course onto a disk that is not read-only"
    if sys.platform == "win32":
        return f"give yourself the right to write in {folder} (Properties, Security)"
    return f"sudo chown -R $USER {folder}"


def check_port(first: int = FIRST_PORT, ports: int = PORTS) -> Finding:
    """Tells whether JupyterLab has a port; a taken one is no fault as long as another is free.

    >>> check_port().good
    True
    """
    port = free_port(first, ports)
    if port is None:
        last = first + ports - 1
        return Finding(f"ports {first} to {last} are all taken", fix=f"stop old servers: jupyter server stop {first}")
    return Finding(f"port {port} is free" + (f" ({first} is taken)" if port != first else ""))


def check_sandbox() -> Finding:
    """Says which sandbox `remix grade` would have here. None is no fault: participants do not grade.

    >>> check_sandbox().good
    True
    """
    program = shutil.which(SANDBOX[0])
    if program and _works([program, *SANDBOX[1:]]):
        return Finding("for grading, submissions can be locked up in namespaces of Linux")
    return Finding(
        "no sandbox is here, which matters only where submissions are graded (remix grade says what is missing)"
    )


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
