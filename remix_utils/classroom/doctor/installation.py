"""Python, and the packages of the lock: their versions, and whether their files are there."""

from __future__ import annotations

import csv
import importlib
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import metadata, util
from pathlib import Path
from typing import Any, NamedTuple

from remix_utils.classroom.doctor.finding import Finding
from remix_utils.errors import counted

ROOT = Path(__file__).resolve().parents[3]
OLDEST, NEWEST = (3, 11), (3, 14)
SHOWN = 3  # faults in one line


class Locked(NamedTuple):
    """A line of the lock: a package, and the version that it has to have."""

    name: str
    version: str


def check_python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Tells whether the Python that runs this is one that the lock is for.

    >>> check_python((3, 12, 1))
    Finding(fact='Python 3.12.1', fix='')
    """
    fact = "Python " + ".".join(map(str, version))
    if OLDEST <= version[:2] <= NEWEST:
        return Finding(fact)
    return Finding(f"{fact}; the lock is for 3.11 to 3.14", fix="install Python 3.11, then: make lab PYTHON=python3.11")


def read_lock(root: Path = ROOT) -> list[Locked]:
    """Returns the lines of the lock that apply to this machine; none where there is no lock."""
    path, applies = root / "requirements.txt", _marker_reader()
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    matches = [re.match(r"([\w.-]+)==([^\s;]+)\s*(?:;\s*(.+))?$", line) for line in lines]
    return [Locked(match[1], match[2]) for match in matches if match and (not match[3] or applies(match[3]))]


def _marker_reader() -> Callable[[str], bool]:
    """Reads a marker by `packaging`, or by the copy in pip; without both, lines with markers are passed over."""
    for name in ("packaging.markers", "pip._vendor.packaging.markers"):
        try:
            module: Any = importlib.import_module(name)
            return lambda marker: module.Marker(marker).evaluate()
        except Exception:  # missing, or broken in whatever way
            continue
    return lambda marker: False


def check_lock(root: Path = ROOT, installed: Callable[[str], str] = metadata.version) -> Finding:
    """Tells whether every package of the lock is installed in the version that the lock says.

    >>> check_lock(Path("/nowhere")).fact
    'no lock beside this installation, so versions are not compared'
    """
    wanted = read_lock(root)
    if not wanted:
        return Finding("no lock beside this installation, so versions are not compared")
    faults = [fault for fault in (_fault(each, installed) for each in wanted) if fault]
    if not faults:
        return Finding(f"{len(wanted)} packages, as locked")
    return Finding(
        f"{len(faults)} of {len(wanted)} packages are not as locked: {_some(faults)}",
        fix=f"{sys.executable} -m pip install -r {root / 'requirements.txt'}",
    )


def _fault(wanted: Locked, installed: Callable[[str], str]) -> str:
    try:
        version = installed(wanted.name)
    except metadata.PackageNotFoundError:
        return f"{wanted.name} is missing"
    except Exception:
        version = None
    if not isinstance(version, str):
        return f"the metadata of {wanted.name} cannot be read"
    return "" if version.partition("+")[0] == wanted.version else f"{wanted.name} is {version}"


def _some(faults: list[str]) -> str:
    more = f" and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
    return ", ".join(faults[:SHOWN]) + more


def check_files(root: Path = ROOT) -> Iterator[Finding]:
    """Finds packages of which files are gone while their metadata say that they are installed."""
    total, bad = 0, 0
    for name, version in read_lock(root):
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # another finding says so
        listed = _listed(distribution)
        gone = [path for path in listed if not os.path.exists(str(distribution.locate_file(path)))]
        total += len(listed)
        if gone:
            bad += 1
            fact = f"{len(gone):,} of {counted(len(listed), 'file')} of {name} are gone, such as {gone[0]}"
            yield Finding(fact, fix=reinstall(name, version))
    if total and not bad:
        yield Finding(f"{counted(total, 'file')} of these packages are where they were installed")


def _listed(distribution: metadata.Distribution) -> list[str]:
    """Returns the files that were installed, without compiled ones, which Python makes and removes as it likes.

    `distribution.files` will not do: from Python 3.12 on, and wherever `importlib_metadata` was imported, it leaves out
    the files that are gone.
    """
    rows = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    return [row[0] for row in rows if row and not row[0].endswith(".pyc")]


def reinstall(name: str, version: str | None = None) -> str:
    """Returns the command that installs one package afresh."""
    pinned = f"{name}=={version}" if version else name
    return f"{sys.executable} -m pip install --force-reinstall --no-deps {pinned}"


def check_grader() -> Finding:
    """Tells whether nbgrader is there, and `alembic`, which it runs by name.

    >>> check_grader().fact.startswith("nbgrader")
    True
    """
    if util.find_spec("nbgrader") is None:
        return Finding("nbgrader is missing", fix=f"{sys.executable} -m pip install nbgrader")
    if shutil.which("alembic") is None:
        here = Path(sys.executable).parent
        return Finding("nbgrader needs `alembic`, which is not on PATH", fix=f'export PATH="{here}:$PATH"')
    return Finding(f"nbgrader {metadata.version('nbgrader')}, with alembic")
