"""`check("d1.1.3", answer)` accepts an answer in one line, or names the fault and its place."""

from __future__ import annotations

import inspect
import time

from remix_utils.checks import progress
from remix_utils.checks.bundle import foreign_notebook
from remix_utils.checks.exercise import Wrong
from remix_utils.checks.judge import UNWRITTEN, judge
from remix_utils.checks.part import Part, load
from remix_utils.errors import RemixError

WARNED: set[str] = set()
FAILED: dict[str, dict[str, object]] = {}


class CheckFailed(RemixError):
    """An answer that is not right yet; a notebook shows its message, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


class Check:
    """`check(id, answer)` prints one line or raises CheckFailed."""

    def __call__(self, id: str, answer: object = None, *, seed: int = 0) -> None:
        """Judges an answer on inputs drawn from the seed, against the reference solution."""
        part = load(id)
        self._warn(part)
        asked = part.exercise(id)
        started = time.perf_counter()
        try:
            noise = judge(part, asked, answer, seed)
        except Wrong as wrong:
            facts = dict(wrong.facts)
            FAILED[id] = facts.pop("inputs", {})  # type: ignore[assignment]
            verdict = "unwritten" if wrong.fact.startswith(UNWRITTEN) else "wrong"
            self._record(part, id, verdict, started, mistake=facts.get("mistake"))
            message = f"{id}: {wrong.fact}"
            raise CheckFailed(message, fix=_fix(id, wrong), exercise=id, **facts) from None
        self._record(part, id, "right", started)
        print(f"✓ {id}" + (", also on new inputs" if seed else ""))
        for line in noise[:3]:
            print(f"  while it ran: {line}")

    def inputs(self, id: str) -> dict[str, object]:
        """Returns the arguments, by name, of the case on which an exercise's last check failed.

        >>> check.inputs("d1.1.3")
        {}
        """
        return FAILED.get(id, {})

    def source(self, id: str) -> None:
        """Prints how an exercise is judged: its inputs, and how an answer is used on them."""
        print(source_of(load(id), id))

    def _record(self, part: Part, id: str, verdict: str, started: float, **facts: object) -> None:
        seconds, edition = round(time.perf_counter() - started, 3), part.bundle.version
        progress.record("check", id, verdict=verdict, seconds=seconds, edition=edition, **facts)

    def _warn(self, part: Part) -> None:
        """One sentence, once, where the notebook and the checks are of different editions."""
        if part.id not in WARNED:
            WARNED.add(part.id)
            sentence = foreign_notebook(part.bundle)
            if sentence:
                print(sentence)


check = Check()


def source_of(part: Part, id: str) -> str:
    """Returns the source of an exercise's cases and use; of a quiz, the form of each answer."""
    asked = part.exercise(id)
    if asked.questions:
        return "\n".join(f"{name}: {question.form}" for name, question in asked.questions.items())
    pieces = [inspect.getsource(each) for each in (asked.cases, asked.use) if each is not None]
    first = f"# {id}: an answer is compared with the reference solution, on the inputs below."
    last = f"# It is also compared with {len(asked.mistakes)} known mistakes."
    return "\n\n".join([first, *(piece.rstrip() for piece in pieces), last])


def _fix(id: str, wrong: Wrong) -> str:
    ladder = f'hint("{id}") gives a nudge; check.source("{id}") shows what is tested.'
    return ladder if wrong.fix == Wrong.FIX else f"{wrong.fix} Otherwise, {ladder}"
