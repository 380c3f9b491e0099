"""The judging processes, and the tasks that they take one after the other."""

from __future__ import annotations

import dataclasses
import json
import multiprocessing
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from remix_utils.checks import bundle
from remix_utils.checks.part import Part
from remix_utils.classroom.grading import slot
from remix_utils.classroom.grading.sandbox import SandboxError
from remix_utils.classroom.grading.slot import Task
from remix_utils.classroom.grading.workers import HOME, program

PART_SECONDS = 1800.0  # after which one part of one student is given up
ENDING = 60.0  # seconds that a judging process may take to end
TRIES = 2  # for a part during which a judging process ends
LOST = "The judging process ended while it was judged; it is tried again at the next run."
Result = dict[str, Any]


def line(count: int, total: int, result: Result) -> str:
    """Returns the line that is said of a result."""
    points = sum(each["points"] for each in result["verdicts"])
    most = sum(each["most"] for each in result["verdicts"])
    place = f"{count} of {total}"
    return f"  {place}: {result['student']} {result['part']}: {points:g} / {most:g}"


class Queue:
    """Tasks, and the judging processes that take one after the other."""

    def __init__(
        self,
        tasks: Sequence[Task],
        processes: int,
        sandboxed: bool,
        keep: Callable[[Result], Result],
        say: Callable[[str], object],
    ):
        self.waiting, self.total = list(tasks)[::-1], len(tasks)
        self.processes, self.sandboxed, self.keep, self.say = processes, sandboxed, keep, say
        self.tried: dict[str, int] = {}
        self.slots: dict[Connection, Slot] = {}

    def run(self) -> list[Result]:
        """Judges every task; each result is written as soon as it is there."""
        results: list[Result] = []
        try:
            while self.waiting or any(each.task for each in self.slots.values()):
                self.fill()
                for result in self.arrived():
                    results.append(result)
                    self.say(line(len(results), self.total, result))
        finally:
            for each in self.slots.values():
                each.end()
        return results

    def fill(self) -> None:
        wanted = min(self.processes, len(self.waiting) + self.busy())
        while len(self.slots) < wanted:
            each = Slot(self.sandboxed)
            self.slots[each.pipe] = each

    def next_for(self, each: Slot) -> Task | None:
        """The next task: of the part that the process has at hand, or else that no other has."""
        others = {other.checks for other in self.slots.values() if other is not each}
        for fits in (
            lambda task: task.checks == each.checks,
            lambda task: task.checks not in others,
        ):
            for place in reversed(range(len(self.waiting))):
                if fits(self.waiting[place]):
                    return self.waiting.pop(place)
        return self.waiting.pop() if self.waiting else None

    def busy(self) -> int:
        return sum(each.task is not None for each in self.slots.values())

    def arrived(self) -> Iterator[Result]:
        """The results that have come; a process that is free gets the next task."""
        for pipe in wait(list(self.slots), timeout=1.0):
            each = self.slots[pipe]  # type: ignore[index]
            try:
                result = each.answer()
            except (EOFError, OSError):
                yield from self.lost(each)
                continue
            if result is not None:
                yield self.keep(result)
            each.take(self.next_for(each))
        for each in list(self.slots.values()):
            if each.task and time.monotonic() - each.since > PART_SECONDS:
                yield from self.lost(each)

    def lost(self, each: Slot) -> Iterator[Result]:
        """A judging process has ended, or hangs: its task is tried once more, then it gets zero."""
        del self.slots[each.pipe]
        each.end()
        task = each.task
        if task is None:
            raise SandboxError(
                "A judging process did not start.",
                fix="run remix doctor; where no sandbox can be had, add --without-sandbox.",
            )
        self.tried[task.key] = self.tried.get(task.key, 0) + 1
        if self.tried[task.key] < TRIES:
            self.waiting.append(task)
        else:
            yield lost(task)


class Slot:
    """A judging process, and the task that it has."""

    def __init__(self, sandboxed: bool):
        self.pipe, theirs = multiprocessing.Pipe()
        asked = [str(theirs.fileno()), "sandboxed" if sandboxed else "open"]
        self.process = subprocess.Popen(
            program("slot", *asked),
            env={**os.environ, "PYTHONPATH": HOME},
            pass_fds=[theirs.fileno()],
            start_new_session=True,  # Ctrl-C is for this process, which ends that one
        )
        theirs.close()
        self.task: Task | None = None
        self.checks = ""  # of the part that it has at hand
        self.since = time.monotonic()

    def take(self, task: Task | None) -> None:
        self.task, self.since = task, time.monotonic()
        if task is not None:
            self.checks = task.checks
            self.pipe.send_bytes(json.dumps(dataclasses.asdict(task)).encode())

    def answer(self) -> Result | None:
        """What the process sends next: a result, or None when it is ready for the first task."""
        said = self.pipe.recv_bytes()
        if said == b"ready":
            return None
        found = json.loads(said)
        if "trouble" in found:
            raise SandboxError(found["trouble"], fix=found["fix"])
        return found

    def end(self) -> None:
        """Ends the process: by the end of its pipe, or else by force."""
        self.pipe.close()
        try:
            self.process.wait(0.0 if self.task else ENDING)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def lost(task: Task) -> Result:
    """Zeros for a part that could not be judged. They are not kept: the next run tries again."""
    return slot.result(task, slot.nothing(Part(bundle.read(Path(task.checks))), LOST))
