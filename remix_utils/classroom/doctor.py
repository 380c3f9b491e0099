"""Is this installation sound? Every answer is one line, and every bad one comes with its fix."""

from __future__ import annotations

import shutil
import socket
import sys
import tempfile
from collections.abc import Callable, Iterable
from importlib import metadata, util
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement

from remix_utils.models.smollm2 import kept

ROOT = Path(__file__).resolve().parents[2]
OLDEST, NEWEST = (3, 11), (3, 14)
FIRST_PORT, PORTS = 8888, 100


class Finding(NamedTuple):
    """One fact about the installation; a bad one has a fix.

    >>> Finding("Python 3.9", fix="install Python 3.11.").good
    False
    """

    fact: str
    fix: str = ""

    @property
    def good(self) -> bool:
        return not self.fix


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """The Python that runs this is one that the lock is for.

    >>> check_python((3, 12, 1))
    Finding(fact='Python 3.12.1', fix='')
    """
    fact = "Python " + ".".join(map(str, version))
    if OLDEST <= version[:2] <= NEWEST:
        return Finding(fact)
    return Finding(f"{fact}; the lock is for 3.11 to 3.14", fix="install Python 3.11, then: make lab PYTHON=python3.11")


def check_lock(root: Path = ROOT, installed: Callable[[str], str] = metadata.version) -> Finding:
    """Every package of the lock that applies here is installed in the version it says.

    >>> check_lock(Path("/nowhere")).fact
    'no lock beside this installation, so versions are not compared'
    """
    lock = root / "requirements.txt"
    if not lock.exists():
        return Finding("no lock beside this installation, so versions are not compared")
    lines = [line for line in lock.read_text().splitlines() if line.strip() and not line.startswith("#")]
    wanted = [one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate()]
    faults = [fault for fault in (_fault(one, installed) for one in wanted) if fault]
    if not faults:
        return Finding(f"{len(wanted)} packages, as locked")
    more = f" and {len(faults) - 3} more" if len(faults) > 3 else ""
    return Finding(
        f"{len(faults)} of {len(wanted)} packages are not as locked: {', '.join(faults[:3])}{more}",
        fix=f"{sys.executable} -m pip install -r {lock}",
    )


def _fault(wanted: Requirement, installed: Callable[[str], str]) -> str:
    try:
        version = installed(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is missing"
    return "" if wanted.specifier.contains(version, prereleases=True) else f"{wanted.name} is {version}"


def check_writing(root: Path = ROOT) -> Finding:
    """Notebooks can be saved where they lie.

    >>> check_writing(Path(tempfile.gettempdir())).good
    True
    """
    try:
        with tempfile.TemporaryFile(dir=root):
            return Finding(f"{root} can be written")
    except OSError as error:
        return Finding(f"{root} cannot be written: {error.strerror}", fix=f"sudo chown -R $USER {root}")


def free_port(first: int = FIRST_PORT, ports: int = PORTS) -> int | None:
    """The first port on this machine that nobody listens on, or None.

    >>> free_port() >= FIRST_PORT
    True
    """
    for port in range(first, first + ports):
        with socket.socket() as candidate:
            candidate.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                candidate.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return None


def check_port(first: int = FIRST_PORT, ports: int = PORTS) -> Finding:
    """JupyterLab has a port to listen on; a taken one is no fault as long as another is free.

    >>> check_port().good
    True
    """
    port = free_port(first, ports)
    if port is None:
        last = first + ports - 1
        return Finding(f"ports {first} to {last} are all taken", fix=f"stop old servers: jupyter server stop {first}")
    return Finding(f"port {port} is free" + (f" ({first} is taken)" if port != first else ""))


def check_grader() -> Finding:
    """nbgrader is there, and so is `alembic`, which it runs by name.

    >>> check_grader().fact.startswith("nbgrader")
    True
    """
    if util.find_spec("nbgrader") is None:
        return Finding("nbgrader is missing", fix=f"{sys.executable} -m pip install -r {ROOT / 'requirements.txt'}")
    if shutil.which("alembic") is None:
        here = Path(sys.executable).parent
        return Finding("nbgrader needs `alembic`, which is not on PATH", fix=f'export PATH="{here}:$PATH"')
    return Finding(f"nbgrader {metadata.version('nbgrader')}, with alembic")


def check_model() -> Finding:
    """The real language model is here; without it the lessons run on the models that ship.

    >>> check_model().good
    True
    """
    if kept().is_file():
        return Finding("smollm2, a real language model, is here")
    return Finding("smollm2, a real language model, is not here (to fetch its 93 MB: remix model smollm2)")


def examine() -> Iterable[Finding]:
    """All findings, the cheap ones first, each as soon as it is known.

    >>> next(iter(examine())).fact.startswith("Python")
    True
    """
    for check in (check_python, check_lock, check_writing, check_port, check_grader, check_model):
        yield check()
