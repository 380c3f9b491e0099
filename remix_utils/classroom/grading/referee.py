"""The judge: it runs the check of each exercise on what a worker answers. Scores come from here."""

from __future__ import annotations

import ast
import contextlib
import dataclasses
import functools
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from remix_utils.checks.attempt import TimeLimit, held, unwritten
from remix_utils.checks.exercise import Exercise, Wrong
from remix_utils.checks.judge import UNWRITTEN, Trial, judge, judge_outcomes
from remix_utils.checks.part import Part
from remix_utils.classroom.grading.forks import STRAINED, in_a_fork
from remix_utils.classroom.grading.plan import Submitted, brought, plan_for, points_of, shown_cells
from remix_utils.classroom.grading.wire import Gone, WireError
from remix_utils.classroom.grading.workers import Nursery, Worker

SLOWER = 10  # how many times the limit of a notebook an answer may compute here
JUDGING = 60.0  # seconds of CPU for comparing an answer, which are the judge's own
MOST_SAID = 4000  # letters of a sentence
PATIENCE = 600.0  # seconds that the answers of one part may compute and wait together
OVER = f"It was not judged: the answers before it took {PATIENCE / 60:.0f} minutes."
UNJUDGED = "It could not be judged"
MAKING = 20.0  # seconds of CPU for the cells that an answer rests on


@dataclass(frozen=True)
class Verdict:
    """One exercise: points, and a sentence where they are not full."""

    id: str
    points: float
    most: float
    sentence: str = ""
    mistake: int | None = None
    brought: str = ""


class Referee:
    """Judges submissions of one part, one exercise after the other, in workers of a nursery."""

    def __init__(self, part: Part, nursery: Nursery, seeds: Sequence[int]):
        self.part, self.nursery, self.seeds = part, nursery, tuple(seeds)
        self.trials: dict[tuple[str, int], Trial] = {}
        self.wrong: set[str] = set()  # exercises that somebody wrote, and got wrong
        self.spent = 0.0  # seconds of the answers of one submission
        nursery.read_ahead(shown_cells(part.bundle))

    def verdicts(self, submitted: Submitted) -> list[Verdict]:
        """Returns a verdict for each exercise of the part that has a check."""
        taken = brought(submitted, self.part)
        self.spent = 0.0
        found = []
        for id, most in points_of(self.part.bundle).items():
            if id in taken.skipped:
                found.append(
                    Verdict(id, 0.0, most, "It was skipped by start_at.", None, "start_at")
                )
            elif id not in submitted.holes:
                found.append(Verdict(id, 0.0, most, "Its cell was not handed in."))
            elif self.spent > PATIENCE:
                found.append(Verdict(id, 0.0, most, OVER))
            else:
                verdict = self.verdict(id, most, plan_for(id, submitted, self.part, taken.skipped))
                shown = "solution" if id in taken.shown else ""
                found.append(dataclasses.replace(verdict, brought=shown))
        return found

    def verdict(self, id: str, most: float, plan: dict) -> Verdict:
        """Judges one exercise, in a worker and a fork of its own."""
        with held([]), contextlib.redirect_stdout(io.StringIO()):
            self.prepare(id)
        worker = self.nursery.worker(functools.partial(self.given, id))
        try:
            found = in_a_fork(lambda: self.timed(id, plan, worker), self.allowed(id))
        finally:
            worker.end()
        if found is None or found["gone"]:
            self.nursery.prove()  # or it is the machine's fault, and no zero
        self.spent += self.allowed(id) if found is None else found["spent"]
        if found is None:
            return Verdict(id, 0.0, most, f"{UNJUDGED}: {STRAINED}")
        if found["right"]:
            return Verdict(id, most, most)
        if not found["sentence"].startswith(UNWRITTEN):
            self.wrong.add(id)
        return Verdict(id, 0.0, most, found["sentence"], found["mistake"])

    def prepare(self, id: str) -> None:
        """Runs the reference, and the known mistakes if somebody was wrong, for all submissions."""
        asked = self.part.exercise(id)
        if asked.questions:
            self.part.reference(id)
            return
        for seed in self.seeds:
            trial = self.trial(asked, seed)
            for number in range(len(asked.mistakes)) if id in self.wrong else ():
                trial.outcomes_of_mistake(number)

    def allowed(self, id: str) -> float:
        """The seconds of CPU that judging may take, beside those of the worker."""
        return JUDGING + 2 * SLOWER * self.part.exercise(id).seconds * len(self.seeds)

    def timed(self, id: str, plan: dict, worker: Worker) -> dict[str, Any]:
        """Returns what is found, with the seconds that it took the answer and the judge."""
        began = time.process_time()
        found = self.judged(id, plan, worker)
        return {**found, "spent": worker.spent() + time.process_time() - began}

    def judged(self, id: str, plan: dict, worker: Worker) -> dict[str, Any]:
        """Returns what is found, as plain data; errors of the check are no one else's fault."""
        found = {"right": False, "gone": False, "mistake": None}
        try:
            with held([]), contextlib.redirect_stdout(io.StringIO()):
                self.check(id, plan, worker)
        except Wrong as wrong:
            mistake = wrong.facts.get("mistake")
            number = mistake if isinstance(mistake, int) else None
            return {**found, "sentence": wrong.fact[:MOST_SAID], "mistake": number}
        except (Gone, WireError) as end:
            return {**found, "sentence": f"{UNJUDGED}: {end.fact}"[:MOST_SAID], "gone": True}
        except TimeLimit:
            return {**found, "sentence": "Its cells were stopped: they compute too long."}
        except (MemoryError, RecursionError):
            return {**found, "sentence": f"{UNJUDGED}: {STRAINED}"}
        except Exception as error:  # an answer that no comparison is made for
            said = f"{UNJUDGED}: comparing it ends in {type(error).__name__}: {error}"
            return {**found, "sentence": said.partition("\n")[0][:MOST_SAID]}
        return {**found, "right": True, "sentence": ""}

    def check(self, id: str, plan: dict, worker: Worker) -> None:
        """Raises Wrong at the first seed on which the answer is wrong."""
        worker.allow(MAKING)
        try:
            answer = worker.peer.ask("answer", plan)
        except (Gone, WireError, TimeLimit):
            raise
        except BaseException as error:
            raise Wrong(_why_none(error)) from error
        asked = self.part.exercise(id)
        for seed in self.seeds:
            worker.allow(SLOWER * asked.seconds)
            self.judge(asked, answer, seed, worker)
            if worker.peer.ended:
                raise Gone(worker.peer.ended, fix="look at the first error.")

    def judge(self, asked: Exercise, answer: Any, seed: int, worker: Worker) -> None:
        if asked.questions or answer is None or answer is ...:
            judge(self.part, asked, answer, seed)
        else:
            judge_outcomes(self.trial(asked, seed), answer)

    def trial(self, asked: Exercise, seed: int) -> Trial:
        """The cases of an exercise and what the reference does on them, for all submissions."""
        if (asked.id, seed) not in self.trials:
            slower = dataclasses.replace(asked, seconds=SLOWER * asked.seconds)
            trial = Trial(self.part, slower, seed)
            _ = trial.expected
            self.trials[asked.id, seed] = trial
        return self.trials[asked.id, seed]

    def given(self, id: str, part: str, names: list[str]) -> Any:
        """What a lesson hands out before an exercise; later, that may be the answer itself."""
        if part != self.part.id or not set(names) <= given_names(self.part, id):
            raise LookupError(f"{part} hands out no {', '.join(names)[:80]} before {id}")
        return tuple(getattr(self.part.module, name) for name in names)


def _why_none(error: BaseException) -> str:
    if unwritten(error):
        return f"{UNWRITTEN}."
    said = str(error).partition("\n  fix: ")[0].strip()[:300]
    line = getattr(error, "line_of_answer", "")
    return f"its cells raised {type(error).__name__}: {said}" + (f"\n  {line}" if line else "")


def given_names(part: Part, id: str) -> frozenset[str]:
    """Returns the names that a part's own cells before a check ask for with `given(part, ...)`."""
    names: set[str] = set()
    for cell in part.bundle.cells[: part.position("check", id)]:
        if cell.kind != "code" or "given(" not in cell.source:
            continue
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "given":
                names |= {
                    str(each.value) for each in node.args[1:] if isinstance(each, ast.Constant)
                }
    return frozenset(names)
