"""Judging one answer: raise Wrong with the fault and its place, or return its warnings."""

from __future__ import annotations

import copy
import functools
import linecache
import os
import traceback
from collections.abc import Sequence
from typing import Any

import numpy
import torch

from remix_utils.checks.attempt import Outcome, attempt, unwritten
from remix_utils.checks.compare import describe, difference, plain
from remix_utils.checks.exercise import Exercise, Wrong
from remix_utils.checks.part import Part
from remix_utils.checks.telling import argument_names, told, written
from remix_utils.errors import kind_of

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UNWRITTEN = "not written yet"
REFERENCE_SECONDS = 60.0  # a reference that loops is the course's fault, and still must end


class Trial:
    """One exercise on the cases of one seed; outcomes of reference and mistakes are kept."""

    def __init__(self, part: Part, asked: Exercise, seed: int = 0):
        torch.broadcast_shapes((1,), (1,))  # imports sympy the first time, which is nobody's answer
        self.part, self.asked, self.seed = part, asked, seed
        drawn: Sequence = [()] if asked.cases is None else asked.cases(seed)
        self.cases = [case if isinstance(case, tuple) else (case,) for case in drawn]
        self.reference = None if asked.free else part.reference(asked.id)
        self._mistakes: dict[int, list[Outcome]] = {}

    def outcomes(self, answer: Any, seconds: float) -> list[Outcome]:
        """Calls an answer on each case, on copies of its arguments, within one limit for all."""
        made = []
        for case in self.cases:
            arguments = copied(case)
            outcome = attempt(self._use, answer, arguments, seconds=seconds, seed=self.seed)
            outcome.changed = self._changed(arguments, case)
            made.append(outcome)
            seconds = max(seconds - outcome.seconds, 0.05)
            if outcome.late or unwritten(outcome.error):
                break
        return made

    def _use(self, answer: Any, case: tuple) -> Any:
        if self.asked.use is not None:
            return self.asked.use(answer, *case)
        return answer if self.asked.cases is None else answer(*case)

    @functools.cached_property
    def expected(self) -> list[Outcome]:
        """The outcomes of the reference; an error that `raises` does not name is raised."""
        if self.asked.free:
            return [Outcome(value=True) for _ in self.cases]
        made = self.outcomes(self.reference, REFERENCE_SECONDS)
        if made and made[-1].late:
            raise TimeoutError(f"the reference of {self.asked.id} was stopped: {made[-1].late}")
        for outcome in made:
            if outcome.error is not None and not isinstance(outcome.error, self.asked.raises):
                raise outcome.error
        return made

    def known_mistake(self, outcomes: list[Outcome]) -> int | None:
        """Returns the number of the mistake that does on every case what an answer does.

        Where there are errors only, their words must be the same, as many faults end in errors of
        one kind. Otherwise, the same words count before the same kind alone.
        """
        by_error_alone = all(each.error is not None for each in outcomes)
        alike = []
        for number in range(len(self.asked.mistakes)):
            theirs = self.outcomes_of_mistake(number)
            if len(theirs) != len(outcomes):
                continue
            pairs = list(zip(outcomes, theirs, strict=True))
            if all(self.same(own, other) for own, other in pairs):
                if all(words(own.error) == words(other.error) for own, other in pairs):
                    return number
                if not by_error_alone:
                    alike.append(number)
        return alike[0] if alike else None

    def outcomes_of_mistake(self, number: int) -> list[Outcome]:
        """Returns what a known mistake does on each case."""
        if number not in self._mistakes:
            variant = self.asked.mistakes[number].variant
            answer = self.part.answer(self.asked.id, variant)
            self._mistakes[number] = self.outcomes(answer, self.asked.seconds)
        return self._mistakes[number]

    def same(self, own: Outcome, other: Outcome) -> bool:
        """Whether two calls gave the same value, or raised the same kind of error."""
        if own.late or other.late:
            return bool(own.late and other.late)
        if own.error is not None or other.error is not None:
            return type(own.error) is type(other.error)
        return difference(plain(own.value), plain(other.value), self.asked.tolerance) is None

    def agrees(self, outcome: Outcome, expected: Outcome) -> bool:
        """Whether a call is right: the reference's value, or an error of the same kind."""
        if outcome.late or unwritten(outcome.error) or isinstance(outcome.error, Wrong):
            return False  # Wrong is a ValueError too, which an exercise may ask for
        if expected.error is not None:
            return isinstance(outcome.error, type(expected.error))
        if outcome.error is not None:
            return False
        found = difference(plain(outcome.value), plain(expected.value), self.asked.tolerance)
        return found is None

    def place(self, case: tuple) -> str:
        """Returns the arguments of a case, for the end of a sentence."""
        return f", for {told(self.names(case), case)}" if case else ""

    def named(self, case: tuple) -> dict[str, Any]:
        """Returns the arguments of a case by name."""
        return dict(zip(self.names(case), case, strict=True))

    def names(self, case: tuple) -> list[str]:
        """Returns the names of a case's arguments: those of `use`, then those of the reference."""
        if self.asked.use is None:
            return argument_names(self.reference, len(case))
        return argument_names(self.asked.use, len(case), skip=1, also=self.reference)

    def _changed(self, arguments: tuple, case: tuple) -> str:
        for (name, was), now in zip(self.named(case).items(), arguments, strict=True):
            if differs(now, was):
                return name
        return ""


def judge(part: Part, asked: Exercise, answer: object, seed: int = 0) -> list[str]:
    """Raises Wrong, or returns the lines that the answer printed to stderr or warned of."""
    if answer is None or answer is Ellipsis:
        raise Wrong(f"{UNWRITTEN}: the answer is {describe(answer)}.")
    if asked.questions:
        return judge_quiz(asked, answer, part.reference(asked.id))
    return judge_outcomes(Trial(part, asked, seed), answer)


def judge_outcomes(trial: Trial, answer: object) -> list[str]:
    """Compares an answer with the reference on every case; Wrong at the first that differs."""
    if callable(trial.reference) and not callable(answer):
        kind = "class" if isinstance(trial.reference, type) else "function"
        raise Wrong(
            f"the answer is {describe(plain(answer))}, expected a {kind}: "
            "pass it without calling it."
        )
    expected = trial.expected  # before the answer, which may write into what both are given
    outcomes = trial.outcomes(answer, trial.asked.seconds)
    for place, (own, right) in enumerate(zip(outcomes, expected, strict=False)):
        if not trial.agrees(own, right):
            _explain(trial, outcomes, place, right)
    changed = next((outcome.changed for outcome in outcomes if outcome.changed), "")
    if changed:
        raise Wrong(
            f"the value is right, but the function changes its input: {changed} is not what it "
            "was before the call.",
            fix="work on a copy (x = x.clone()), or build a new value.",
        )
    return list(dict.fromkeys(line for outcome in outcomes for line in outcome.noise))


def judge_quiz(asked: Exercise, answer: object, right: dict[str, object]) -> list[str]:
    """Looks at every question, so that one message holds all that is left to recall."""
    if not isinstance(answer, dict):
        raise Wrong(f"the answer is {kind_of(answer)}, expected a dict from question to answer.")
    unknown = [name for name in answer if name not in asked.questions]
    if unknown:
        raise Wrong(f"there is no question {unknown[0]!r}; they are {', '.join(asked.questions)}.")
    empty = [name for name in asked.questions if _is_empty(answer.get(name))]
    if empty:
        raise Wrong(f"{UNWRITTEN}: {', '.join(map(repr, empty))}.")
    wrong = []
    for name, question in asked.questions.items():
        if question.read(answer[name]) is None:
            wrong.append(f"{name}: {written(answer[name])} is not {question.form}.")
        elif not question.accepts(answer[name], right[name]):
            wrong.append(f"{name}: {question.says}")
    if wrong:
        raise Wrong("\n  ".join(wrong))
    return []


def _is_empty(given: object) -> bool:
    return given is None or given is Ellipsis or (isinstance(given, str) and not given.strip())


def _explain(trial: Trial, outcomes: list[Outcome], at: int, expected: Outcome) -> None:
    """Raises Wrong: unwritten, too slow, refused, a known mistake, or the first difference."""
    own, place, asked = outcomes[at], trial.place(trial.cases[at]), trial.asked
    facts: dict[str, Any] = {"inputs": trial.named(trial.cases[at])}
    if isinstance(own.error, Wrong):
        raise Wrong(own.error.fact, fix=own.error.fix, **{**facts, **own.error.facts})
    if unwritten(own.error):
        raise Wrong(f"{UNWRITTEN}.")
    if own.late == "wait":
        raise Wrong(f"it was stopped after a minute{place}: does it sleep, or wait for something?")
    if own.late:
        raise Wrong(
            f"it was stopped after {asked.seconds:g} s of computing{place}: "
            "is there a loop that does not end?",
            **facts,
        )
    if all(each.error is None and (each.value is None or each.value is ...) for each in outcomes):
        raise Wrong(f"{UNWRITTEN}, or without a return: it gives {describe(own.value)}.")
    number = trial.known_mistake(outcomes)
    if number is not None:
        raise Wrong(asked.mistakes[number].says, mistake=number, **facts)
    raise Wrong(_departure(trial, own, expected, place), **facts)


def _departure(trial: Trial, own: Outcome, expected: Outcome, place: str) -> str:
    """One sentence about the first case that is wrong, and a second one about the check's sizes."""
    sizes = f" {trial.asked.sizes}" if trial.asked.sizes else ""
    if expected.error is not None:
        kind = type(expected.error).__name__
        got = f"raised {_said(own.error)}" if own.error else f"gave {describe(plain(own.value))}"
        return f"this had to raise {kind}, and it {got}{place}."
    if own.error is not None:
        return f"it raised {_said(own.error)}{place}.{sizes}{_line(own.error)}"
    found = difference(plain(own.value), plain(expected.value), trial.asked.tolerance)
    assert found is not None
    if not any(trial.cases):
        return f"{found.sentence(reveal=False)}."
    at = f", at {found.where}" if found.where else ""
    changed = f" It also changes its input {own.changed}." if own.changed else ""
    by_size = sizes if found.by_size else ""
    return f"expected {found.expected}, got {found.got}{at}{place}.{by_size}{changed}"


def words(error: BaseException | None) -> str:
    """Returns what an error says; a recursion says by accident where it was at the end."""
    return "" if error is None or isinstance(error, RecursionError) else str(error)


def _said(error: BaseException | None) -> str:
    """The kind of an error and its fact, without the fix that a library's error ends with."""
    assert error is not None
    text = str(error).partition("\n  fix: ")[0].strip().rstrip(".")
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _line(error: BaseException) -> str:
    """The last line of the answer's own code in the traceback."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if _is_answer(each.filename)]
    if not own:
        return ""
    text = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
    return f"\n  in {own[-1].name}, line {own[-1].lineno}: {text}" if text else ""


def _is_answer(filename: str) -> bool:
    """Whether a frame may be the participant's own; texts that run from memory are the course's."""
    library = filename.startswith((HERE, "<")) and not filename.startswith("<ipython-input")
    return not library and "site-packages" not in filename and "/lib/python" not in filename


def copied(value: Any) -> Any:
    """Returns the value on storage of its own, so that an answer that writes into it is found out.

    >>> copied([1, {"a": 2}])
    [1, {'a': 2}]
    """
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, numpy.ndarray | torch.nn.Module | set):
        return copy.deepcopy(value)
    return value


def differs(now: Any, was: Any) -> bool:
    """Tells whether an argument is no longer what it was, in its entries, its type or its weights.

    >>> differs([1, torch.ones(2).double()], [1, torch.ones(2)])
    True
    """
    if isinstance(was, list | tuple):
        return len(now) != len(was) or any(map(differs, now, was))
    if isinstance(was, dict):
        return now.keys() != was.keys() or any(differs(now[key], was[key]) for key in was)
    if isinstance(was, torch.nn.Module):
        return differs(now.state_dict(), was.state_dict())
    if isinstance(was, torch.Tensor | numpy.ndarray | set):
        kinds = getattr(now, "dtype", None), getattr(was, "dtype", None)
        return kinds[0] != kinds[1] or difference(plain(now), plain(was), 0.0) is not None
    return now is not was and now != was
