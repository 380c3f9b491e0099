"""One judging process: a nursery, and the parts that it has judged so far, kept warm.

python -P -m remix_utils.classroom.grading.slot PIPE sandboxed|open
"""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import sys
import tempfile
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import torch

from remix_utils.checks import bundle
from remix_utils.checks.part import Part
from remix_utils.classroom.grading import submission
from remix_utils.classroom.grading.peer import ROOM
from remix_utils.classroom.grading.plan import points_of
from remix_utils.classroom.grading.referee import Referee, Verdict
from remix_utils.classroom.grading.sandbox import SandboxError, die_with_parent
from remix_utils.classroom.grading.workers import Nursery

FOLDER = "remix-grade-"


@dataclasses.dataclass(frozen=True)
class Task:
    """One student's notebook of one part, as it lies in the snapshot."""

    student: str
    part: str
    checks: str  # the packed checks of the course
    notebook: str
    key: str
    seeds: tuple[int, ...]


def main(pipe: Connection, sandboxed: bool) -> None:
    """Judges tasks until the pipe closes; says when it is ready, and what keeps it from judging."""
    die_with_parent()
    torch.set_num_threads(1)
    sys.setrecursionlimit(sys.getrecursionlimit() + ROOM)
    folder = shared_folder()
    try:
        judge_all(pipe, Nursery(sandboxed, (folder,)))
    except SandboxError as error:
        pipe.send_bytes(json.dumps({"trouble": error.fact, "fix": error.fix}).encode())
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def judge_all(pipe: Connection, nursery: Nursery) -> None:
    """Judges each task that comes, until the pipe closes."""
    referees: dict[tuple, Referee] = {}
    try:
        pipe.send_bytes(b"ready")
        while True:
            task = Task(**json.loads(pipe.recv_bytes()))
            known = (task.checks, *task.seeds)
            if known not in referees:
                referees.clear()  # tasks come part by part
                part = Part(bundle.read(Path(task.checks)))
                referees[known] = Referee(part, nursery, task.seeds)
            pipe.send_bytes(json.dumps(judged(task, referees[known])).encode())
    except (EOFError, BrokenPipeError):  # at either end of a message
        return
    finally:
        nursery.close()


def shared_folder() -> str:
    """Returns the folder of this process's temporary files, which its workers can read.

    A check may make a folder and give its path to an answer.
    """
    sweep(tempfile.gettempdir())
    folder = owned_folder()
    os.chmod(folder, 0o755)
    tempfile.tempdir = folder
    make = tempfile.mkdtemp

    def readable(*arguments: Any, **named: Any) -> str:
        made = make(*arguments, **named)
        os.chmod(made, 0o755)
        return made

    tempfile.mkdtemp = readable
    return folder


def owned_folder() -> str:
    """Returns a new folder with a lock on it, which the system opens when this process ends."""
    while True:
        folder = tempfile.mkdtemp(prefix=FOLDER)
        file = os.open(folder, os.O_RDONLY)
        if locked(file) and os.path.exists(folder):
            return folder
        os.close(file)  # another process swept it away before it had its lock


def sweep(place: str) -> None:
    """Removes the folders of judging processes that were killed."""
    for path in Path(place).glob(f"{FOLDER}*"):
        try:
            file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        except OSError:
            continue
        if locked(file):
            shutil.rmtree(path, ignore_errors=True)
        os.close(file)


def locked(file: int) -> bool:
    """Locks a folder; tells whether nobody else has it."""
    import fcntl  # not on every system; there is no grading without it

    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def judged(task: Task, referee: Referee) -> dict[str, Any]:
    """Returns the result of one task."""
    try:
        cells = submission.cells_of(Path(task.notebook).read_bytes())
    except ValueError as error:
        return result(task, nothing(referee.part, str(error)))
    taken = submission.submitted(cells, task.part)
    return result(task, referee.verdicts(taken), taken.remarks)


def nothing(part: Part, why: str) -> list[Verdict]:
    """A zero for each exercise of a part, with one reason."""
    return [Verdict(id, 0.0, most, why) for id, most in points_of(part.bundle).items()]


def result(task: Task, verdicts: list[Verdict], remarks: tuple[str, ...] = ()) -> dict[str, Any]:
    """What is kept of a task that is done."""
    return {
        "key": task.key,
        "student": task.student,
        "part": task.part,
        "verdicts": [
            {**dataclasses.asdict(each), "sentence": writable(each.sentence)} for each in verdicts
        ],
        "remarks": list(remarks),
    }


def writable(sentence: str) -> str:
    r"""Returns a sentence that a file can hold: an answer's error may tell half a character.

    >>> writable("one half: \ud800")
    'one half: \\ud800'
    """
    return sentence.encode("utf-8", "backslashreplace").decode()


if __name__ == "__main__":
    main(Connection(int(sys.argv[1])), sys.argv[2] == "sandboxed")
    os._exit(0)  # at once: the libraries have nothing to put away
