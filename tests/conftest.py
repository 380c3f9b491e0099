"""What every test shares: one torch thread, Ctrl-C that arrives, and one profile for hypothesis."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PATIENCE = 120  # seconds for the processes of a cluster to start
LOCAL = ("--host", "127.0.0.1", "--no-dashboard")

# Two torch threads on busy cores are up to ten times slower than one; torch reads this when it is first imported.
for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ[name] = "1"

# A job in the background is started with Ctrl-C ignored, and so would be every program that a test starts.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

from hypothesis import settings  # noqa: E402 - after the threads are set

from tools.wheel import installed_wheel  # noqa: E402

# A deadline fails on a busy machine, not on a wrong program; a fixed seed makes a failure everybody's failure.
settings.register_profile("remix", deadline=None, derandomize=True)
settings.load_profile("remix")


# Importing this plugin hides modules from the process for good, so the search for doctests passes it over.
collect_ignore = ["linux_hidden.py"]

# Files with tests of 20 seconds and more. These begin first, and the short ones share out what is left between workers.
LONGEST = (
    "test_catch_up.py",
    "test_grades.py",
    "test_release.py",
    "test_rehearsal.py",
    "test_browser.py",
    "test_elsewhere.py",
    "test_doctor.py",
    "test_smollm2.py",
    "test_benchmarks.py",
    "test_cohort.py",
    "test_every_exercise.py",
)


def pytest_collection_modifyitems(items):
    """Puts the longest tests first, in the order of the list; the others stay in theirs."""
    rank = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.name, len(LONGEST)))


def pytest_terminal_summary(terminalreporter):
    """Figures that tests record (`record_property`), added up over the lessons; and what was not run, and why."""
    counts = {}
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, value in getattr(report, "user_properties", []):
            if isinstance(value, int):
                counts[name] = counts.get(name, 0) + value
    for name, value in counts.items():
        terminalreporter.write_line(f"{value} {name}")
    for reason in sorted({report.longrepr[2] for report in terminalreporter.stats.get("skipped", [])}):
        terminalreporter.write_line(f"NOT RUN: {reason.removeprefix('Skipped: ')}", yellow=True)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """A folder that holds remix_utils as its wheel installs it, and nothing else."""
    return installed_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def listener():
    """A port that somebody listens on."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


@pytest.fixture
def small_course(tmp_path, monkeypatch) -> Path:
    """Two days in a course's source, the first with its preparation; we stand in its folder."""
    course = tmp_path / "course"
    for name in (
        "day1_graphs/part0_transformer",
        "day1_graphs/part1_hooks",
        "day1_graphs/part2_graph",
        "day2_induction/part1_see",
    ):
        day, _, stem = name.partition("/")
        write_part(course / day, stem, {f"d{day[3]}-{stem[4]}-1": "raise NotImplementedError()"})
    (course / "solutions" / "day1_graphs").mkdir(parents=True)
    monkeypatch.chdir(course)
    for name in ("REMIX_WORK", "REMIX_FOLDER", "REMIX_PAIR"):
        monkeypatch.delenv(name, raising=False)
    return course


def write_part(day: Path, stem: str, cells: dict[str, str], edition: str = "1") -> None:
    """A notebook with these cells by id, and its packed checks."""
    (day / "checks").mkdir(parents=True, exist_ok=True)
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    made = [{**code, "id": id, "source": [source]} for id, source in cells.items()]
    facts = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"remix": {"checks": edition}}, "cells": made}
    (day / f"{stem}.ipynb").write_text(json.dumps(facts), encoding="utf-8")
    (day / "checks" / f"{stem}.remix").write_bytes(f"checks {edition} of {stem}".encode())


# Stands in for the Python that builds: `-m venv` copies it into place, and `-m pip` does what PIP_DOES says.
PYTHON = """#!/bin/sh
case "$*" in
  "-m venv"*) mkdir -p "$3/bin" "$3/lib/python3.11/site-packages" && cp "$0" "$3/bin/python" ;;
  *--version*) ;;
  *"-r requirements.txt"*)
    eval "$PIP_DOES"
    echo "Collecting numpy==2.4.6"; echo "Installing collected packages: numpy, torch"
    mkdir -p .venv/lib/python3.11/site-packages/numpy-2.4.6.dist-info ;;
esac
"""


@pytest.fixture
def clone(tmp_path, monkeypatch) -> Path:
    """A repository to set up, with a Python that takes no time."""
    root = tmp_path / "clone"
    root.mkdir()
    for name in ("requirements.txt", "pyproject.toml"):
        (root / name).write_bytes((ROOT / name).read_bytes())
    python = tmp_path / "python"
    python.write_text(PYTHON)
    python.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(python))
    monkeypatch.setenv("REMIX_TORCH_INDEX", "none")
    monkeypatch.delenv("PIP_DOES", raising=False)
    return root


@pytest.fixture
def cluster(tmp_path):
    """A client, and the two workers of its scheduler; none has a nanny that would start it again."""
    distributed = pytest.importorskip("distributed", reason="no Dask here (pip install 'remix-utils[cluster]')")
    file, started = tmp_path / "scheduler.json", []
    client = None

    def start(module, *arguments):
        command = [sys.executable, "-m", f"distributed.cli.{module}", "--scheduler-file", str(file), *LOCAL, *arguments]
        with open(tmp_path / f"{module}{len(started)}.log", "w") as log:
            started.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT))
        return started[-1]

    try:
        start("dask_scheduler", "--port", "0")
        end = time.monotonic() + PATIENCE
        while not file.exists():
            assert time.monotonic() < end, (tmp_path / "dask_scheduler0.log").read_text()
            time.sleep(0.1)
        workers = [start("dask_worker", "--nthreads", "1", "--no-nanny") for _ in range(2)]
        client = distributed.Client(scheduler_file=str(file), timeout=PATIENCE)
        client.wait_for_workers(2, timeout=PATIENCE)
        yield client, workers
    finally:
        if client is not None:
            client.close()
        for process in started:
            process.kill()
            process.wait()
