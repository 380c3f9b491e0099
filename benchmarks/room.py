"""A place to grade in: `remix grade` as an instructor starts it, its results, and the traces that it must not leave."""

from __future__ import annotations

import hashlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import mishaps
from remix_utils.classroom.grading import gradebook, slot

ROOT = Path(__file__).resolve().parents[1]
PROCESSES = 2
OPEN = ("/", "/tmp", "/var/tmp", "/dev/shm", "/root", "/home", "/usr", "/etc", "/run", "/mnt")
ONE = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")


class Room:
    """A folder for one benchmark: submissions, results, gradebook, and a home that attacks may look for."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.submitted, self.grading = folder / "submitted", folder / "grading"
        self.gradebook, self.home = folder / "gradebook.db", folder / "home"
        self.home.mkdir(parents=True)
        (self.home / ".bashrc").write_text("# mine\n")
        self.places = {"COURSE": ROOT, "SUBMITTED": self.submitted, "GRADING": self.grading,
                       "GRADEBOOK": self.gradebook, "HOME": self.home}  # fmt: skip

    def start(self, day: str) -> subprocess.Popen:
        """Starts `remix grade` as an instructor does."""
        asked = ["--submitted", self.submitted, "--results", self.grading, "--gradebook", self.gradebook]
        command = [sys.executable, "-P", "-m", "remix_utils", "grade", day, *map(str, asked)]
        environment = {**os.environ, **ONE, "HOME": str(self.home), "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1",
                       "PYTHONDONTWRITEBYTECODE": "1"}  # fmt: skip
        return subprocess.Popen(
            [*command, "--processes", str(PROCESSES)],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def grade(self, day: str, each: Callable[[], object] = lambda: None) -> tuple[float, float]:
        """Grades a day, calls `each` after each notebook; returns seconds of CPU and of the wall clock."""
        before, start = cpu_of_children(), time.monotonic()
        with self.start(day) as running:
            for line in running.stdout or ():
                if line.startswith("  "):
                    each()
                else:
                    print(f"  {line}", end="", flush=True)
        if running.returncode:
            raise SystemExit(f"remix grade {day} has ended with {running.returncode}.")
        return cpu_of_children() - before, time.monotonic() - start

    def results(self) -> dict[str, dict]:
        """What was judged, {student: {exercise: verdict}}."""
        found: dict[str, dict] = {}
        for path in self.grading.glob("done/*/*/*.json"):
            result = json.loads(path.read_text())
            mine = found.setdefault(result["student"], {})
            mine |= {verdict["id"]: verdict for verdict in result["verdicts"]}
        return found

    def scores(self, path: Path | None = None) -> dict[tuple[str, str], float | None]:
        """What the gradebook has, by student and exercise."""
        with gradebook.Gradebook(f"sqlite:///{path or self.gradebook}", gradebook.COURSE) as book:
            return {
                (submission.student.id, grade.name): grade.auto_score
                for assignment in book.assignments
                for submission in assignment.submissions
                for notebook in submission.notebooks
                for grade in notebook.grades
            }


def cpu_of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


# --- traces ---------------------------------------------------------------------------------------------------------


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else "none"


def listing(room: Room) -> dict[str, str]:
    """What an attack could touch: the course, submissions, home, and names anywhere that bear the mark."""
    found = {}
    for folder in (ROOT, room.submitted, room.home):
        for path in sorted(folder.rglob("*")):
            name = str(path)
            if "/.git/" in name or "__pycache__" in name or "/.venv" in name or "_cache/" in name:
                continue
            plain = path.is_file() and not path.is_symlink() and path.stat().st_size < mishaps.LARGE
            found[name] = digest(path) if plain else f"{path.lstat().st_mode} {path.lstat().st_size}"
    for place in (*map(Path, OPEN), room.folder, room.folder.parent):
        found |= {str(path): "marked" for path in place.glob(f"*{mishaps.MARKER}*")}
    return found


def left_running() -> list[str]:
    """The processes of this grading that still run."""
    mine = f"PYTHONPATH={ROOT}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            if b"classroom.grading" in command and mine in (path / "environ").read_bytes().split(b"\0"):
                found.append(path.name)
        except OSError:
            continue
    return found


def left_folders() -> list[str]:
    """The folders of judging processes that nobody has locked any more."""
    found = []
    for path in Path(tempfile.gettempdir()).glob(f"{slot.FOLDER}*"):
        file = os.open(path, os.O_RDONLY)
        if slot.locked(file):
            found.append(path.name)
        os.close(file)
    return found
