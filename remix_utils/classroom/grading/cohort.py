"""Grading a day for a whole cohort: read everything, judge what is new, write marks and pages.

    grading/snapshot/<student>/<day>/<part>.ipynb   as it was when grading began
    grading/done/<student>/<day>/<part>.json        one result, written by rename
    grading/feedback/<student>/<day>.html           grading/<day>.csv           gradebook.db

A result is kept under the hash of the submission and the version of the course. So grading that was
killed goes on where it was, and what is handed in again is judged again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import Any

from remix_utils.checks import bundle
from remix_utils.checks.bundle import Bundle
from remix_utils.checks.part import Part
from remix_utils.classroom.grading import feedback, gradebook, slot, submission
from remix_utils.classroom.grading.elsewhere import judge_through
from remix_utils.classroom.grading.judges import Queue
from remix_utils.classroom.grading.slot import Task
from remix_utils.classroom.writing import replace
from remix_utils.errors import RemixError

GRADER = "3"  # changes when the judge would judge otherwise


class GradingError(RemixError):
    """A day that cannot be graded: no such day, or nothing handed in."""


@dataclasses.dataclass
class Cohort:
    """One day's submissions, and the folders that grading reads and writes."""

    day: str
    checks: Path  # the packed checks of the day, from the course
    submitted: Path
    grading: Path
    gradebook: Path
    processes: int = 2
    sandboxed: bool = True
    say: Callable[[str], object] = print
    executor: Executor | None = None  # such as a Dask client's

    def grade(self) -> list[dict[str, Any]]:
        """Judges what is new, writes gradebook, pages and table, and returns all results."""
        bundles = self.bundles()
        tasks, results = self.snapshot(bundles)
        self.say(f"{len(tasks)} notebooks to judge, {len(results)} are judged already.")
        if tasks:
            results += self.judged(tasks)
        results.sort(key=lambda result: (result["student"], result["part"]))
        self.write(bundles, results)
        return results

    def judged(self, tasks: list[Task]) -> list[dict[str, Any]]:
        """Judges tasks here, or through the executor where there is one."""
        if self.executor is not None:
            return judge_through(self.executor, tasks, self.sandboxed, self.keep, self.say)
        return Queue(tasks, self.processes, self.sandboxed, self.keep, self.say).run()

    def bundles(self) -> dict[str, Bundle]:
        """The parts of the day by id, from the course."""
        paths = sorted(self.checks.glob("part*_*.remix"), key=bundle.part_number)
        found = {each.part: each for each in map(bundle.read, paths)}
        if not found:
            raise GradingError(
                f"There are no checks of {self.day} in {self.checks}.",
                fix="name a day of the course, such as day2_induction, from the course's folder.",
            )
        return found

    # --- reading ----------------------------------------------------------------------------------

    def snapshot(self, bundles: dict[str, Bundle]) -> tuple[list[Task], list[dict[str, Any]]]:
        """Copies what was handed in; returns what is to judge, and what is judged already."""
        if not self.submitted.is_dir() or not any(submission.students(self.submitted, self.day)):
            raise GradingError(
                f"Nothing is handed in for {self.day} in {self.submitted}.",
                fix=f"put notebooks into {self.submitted}/STUDENT/{self.day}/.",
            )
        for name in submission.left_out(self.submitted, self.day):
            self.say(f"{name!a} is left out: it is a link, or a name with odd characters.")
        tasks, results = [], []
        seeds = (self.seed(),)
        for student in submission.students(self.submitted, self.day):
            newest = self.newest(student, bundles)
            for part, each in bundles.items():
                task, done = self.task(student, each, newest.get(part), seeds)
                if done is not None:
                    results.append(done)
                elif task is not None:
                    tasks.append(task)
        tasks.sort(key=lambda task: list(bundles).index(task.part))  # a judge keeps a part warm
        return tasks, results

    def newest(self, student: str, bundles: dict[str, Bundle]) -> dict[str, submission.Found]:
        """The notebook of each part, known by the ids inside; the one that was changed last."""
        found: dict[str, submission.Found] = {}
        for each in submission.notebooks(self.submitted, student, self.day):
            part = _part_in(each) or _part_by_name(each.file, bundles)
            if part in bundles and (part not in found or found[part].modified < each.modified):
                found[part] = each
        return found

    def task(
        self, student: str, part: Bundle, found: submission.Found | None, seeds: tuple[int, ...]
    ) -> tuple[Task | None, dict[str, Any] | None]:
        """A task for a notebook that is new; the result of one that was judged, or cannot be."""
        digest = found.digest if found else "nothing"
        key = hashlib.sha256(f"{GRADER} {part.version} {seeds} {digest}".encode()).hexdigest()
        done = read_result(self.done(student, part.part))
        if done is not None and done.get("key") == key:
            return None, done
        copy = self.grading / "snapshot" / student / self.day / f"{part.name}.ipynb"
        path = str((part.folder / f"{part.name}.remix").absolute())
        task = Task(student, part.part, path, str(copy.absolute()), key, seeds)
        if found is None or found.trouble:
            why = found.trouble if found else "It was not handed in."
            return None, self.keep(slot.result(task, slot.nothing(Part(part), why)))
        replace(copy, found.data)
        return task, None

    def seed(self) -> int:
        """The seed of this cohort's hidden inputs, drawn once and kept beside the results."""
        path = self.grading / "seed"
        if not path.exists():
            replace(path, str(secrets.randbelow(10**6) + 1).encode())
        return int(path.read_text(encoding="ascii"))

    # --- writing ----------------------------------------------------------------------------------

    def done(self, student: str, part: str) -> Path:
        return self.grading / "done" / student / self.day / f"{part}.json"

    def keep(self, result: dict[str, Any]) -> dict[str, Any]:
        """Writes one result, whole or not at all."""
        text = json.dumps(result, indent=1).encode()
        replace(self.done(result["student"], result["part"]), text)
        return result

    def write(self, bundles: dict[str, Bundle], results: Sequence[dict[str, Any]]) -> None:
        """Writes the gradebook, a page for each student, and the table."""
        students = dict.fromkeys(result["student"] for result in results)
        times = {each: submission.time_of(self.submitted, each, self.day) for each in students}
        gradebook.write(self.gradebook, self.day, list(bundles.values()), results, times)
        replace(self.grading / f"{self.day}.csv", feedback.table(results).encode())
        marks = gradebook.marks(self.gradebook, self.day)
        for student in students:
            own = [result for result in results if result["student"] == student]
            page = self.grading / "feedback" / student / f"{self.day}.html"
            replace(page, feedback.page(self.day, own, marks[student]).encode())
            for part in bundles.values():
                self.show(student, part)

    def show(self, student: str, part: Bundle) -> None:
        """Writes a notebook as Formgrader shows it, beside the gradebook."""
        copy = self.grading / "snapshot" / student / self.day / f"{part.name}.ipynb"
        try:
            cells = submission.cells_of(copy.read_bytes())
        except (OSError, ValueError):
            return
        text = gradebook.readable(cells, part, submission.source_of, submission.grade_id)
        folder = self.gradebook.parent / "autograded" / student / self.day
        replace(folder / f"{part.name}.ipynb", text.encode())


def _part_in(found: submission.Found) -> str:
    if found.trouble:
        return ""
    try:
        return submission.part_of(submission.cells_of(found.data))
    except ValueError:
        return ""


def _part_by_name(file: str, bundles: dict[str, Bundle]) -> str:
    """The part that a notebook is called after, where its ids cannot be read."""
    return next((part for part, each in bundles.items() if file.startswith(each.name)), "")


def read_result(path: Path) -> dict[str, Any] | None:
    """Returns a result that was kept; None where there is none, or a damaged one."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
