"""All findings about an installation, each as soon as it is known, and none in the way of another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from remix_utils.classroom.doctor.finding import Finding, findings_of
from remix_utils.classroom.doctor.installation import (
    ROOT,
    check_files,
    check_grader,
    check_lock,
    check_python,
    read_lock,
    reinstall,
)
from remix_utils.classroom.doctor.machine import check_port, check_sandbox, check_writing
from remix_utils.classroom.doctor.weights import PACKAGE, check_smollm2, check_weights

PATIENCE = 900.0  # seconds for all imports and forward passes, on a machine that has other work
MOST_TRIALS = 5


def examine(folders: list[Path]) -> Iterator[Finding | str]:
    """Yields all findings, the cheap ones first, and between them, as text, what is examined now.

    The folders are those in which a participant writes.
    """
    yield from examine_quickly(folders)
    yield "the port"
    yield from findings_of("the port", check_port)
    yield "the grader"
    yield from findings_of("the grader", check_grader)
    yield from findings_of("the sandbox", check_sandbox)
    yield "smollm2"
    yield from findings_of("smollm2", check_smollm2)
    yield "the files of all packages"
    yield from findings_of("the packages' files", check_files)
    yield from try_out()


def examine_quickly(folders: list[Path]) -> Iterator[Finding]:
    """Yields what can be found in a second, without importing any package."""
    yield from findings_of("Python", check_python)
    yield from findings_of("the lock", check_lock)
    yield from findings_of("the weights", check_weights)
    for folder in folders:
        yield from findings_of(f"{folder}", lambda folder=folder: check_writing(folder))


def try_out() -> Iterator[Finding | str]:
    """Yields what `trial` finds. What ends its process is a finding, and a new one goes on without it."""
    fatal: list[str] = []
    known: set[Finding] = set()
    for _ in range(MOST_TRIALS):
        before = len(fatal)
        for found in _one_trial(fatal):
            if isinstance(found, str):
                yield found
            elif found not in known:
                known.add(found)
                yield found
        if len(fatal) == before:
            return


def _one_trial(fatal: list[str]) -> Iterator[Finding | str]:
    """Yields the findings of one process, and adds to `fatal` what ended it."""
    versions, doing, done = dict(read_lock(ROOT)), {"begins": "the start of Python"}, False
    with _started(fatal) as process:
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            for line in process.stdout or ():
                said = _read(line)
                done = done or "done" in said
                if "begins" in said:
                    doing = said
                    yield said["begins"]
                elif "fact" in said:
                    yield Finding(said["fact"], fix=said.get("fix") or _reinstall(said, versions))
        finally:
            timer.cancel()
            if not done:
                process.kill()
    if not done:
        fatal.append(doing["begins"])
        fix = _reinstall(doing, versions) or "mend the findings above, then: remix doctor"
        yield Finding(f"{doing['begins']} ends Python (status {process.returncode})", fix=fix)


def _reinstall(said: dict, versions: dict[str, str]) -> str:
    name = said.get("package")
    return reinstall(name, versions.get(name)) if name else ""


def _started(left_out: list[str]) -> subprocess.Popen:
    paths = [str(PACKAGE.parent), os.environ.get("PYTHONPATH", "")]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONWARNINGS": "ignore"}
    return subprocess.Popen(
        [sys.executable, "-m", "remix_utils.classroom.doctor.trial", *left_out],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        errors="replace",
    )


def _read(line: str) -> dict:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
