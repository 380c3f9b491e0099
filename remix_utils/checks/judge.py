"""Judging one answer: raise Wrong with what is wrong and where, or return what the answer said on the side."""

from __future__ import annotations

import copy
import inspect
import linecache
import os
import traceback
from collections.abc import Sequence
from typing import Any

import numpy
import torch

from remix_utils.checks.attempt import Outcome, attempt
from remix_utils.checks.compare import Difference, describe, difference, plain
from remix_utils.checks.exercise import Exercise, Mistake, Wrong

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
UNWRITTEN = "not written yet"
REFERENCE_SECONDS = 30.0


def judge(asked: Exercise, answer: object, seed: int = 0, reference: object = None) -> list[str]:
    """Raise Wrong, or return what the answer said on the side (warnings, lines on stderr)."""
    if answer is None or answer is Ellipsis:
        raise Wrong(f"{UNWRITTEN}: the answer is {describe(answer)}.")
    if asked.questions:
        return judge_quiz(asked, answer)
    if asked.body is not None:
        return judge_freely(asked, answer, seed, reference)
    return judge_by_oracle(asked, answer, seed, reference)


def judge_quiz(asked: Exercise, answer: object) -> list[str]:
    """Every question is looked at, so that one reads all that is left to recall."""
    if not isinstance(answer, dict):
        raise Wrong(f"the answer is {describe(plain(answer))}, expected a dict from question to answer.")
    missing = [name for name, _, _ in asked.questions if isinstance(_word(answer.get(name, "")), type(Ellipsis))]
    if missing:
        raise Wrong(f"{UNWRITTEN}: {', '.join(map(repr, missing))}.")
    wrong = [
        f"{name}: {message}" for name, accepted, message in asked.questions if not recalled(answer[name], accepted)
    ]
    if wrong:
        raise Wrong("\n  ".join(wrong))
    return []


def recalled(given: object, accepted: object) -> bool:
    """Whether the answer is an accepted one: letters and digits count, case and punctuation do not.

    >>> recalled("Mean-ablation. ", ["mean ablation"]), recalled("12.0", 12), recalled("two", [1, "one"])
    (True, True, False)
    """
    several = accepted if isinstance(accepted, Sequence) and not isinstance(accepted, str) else [accepted]
    return any(_word(given) == _word(each) for each in several)


def _word(answer: object) -> object:
    """A number, or letters and digits; Ellipsis where nothing was answered."""
    form = plain(answer)
    text = str(form[()]) if isinstance(form, numpy.ndarray) and form.ndim == 0 else form
    if not isinstance(text, str):
        return ... if form is None or form is ... else object()
    if not text.strip():
        return ...
    try:
        return round(float(text.strip().rstrip("%")), 9)
    except ValueError:
        return "".join(letter for letter in text.casefold() if letter.isalnum())


def judge_freely(asked: Exercise, answer: object, seed: int, reference: object) -> list[str]:
    """Run the exercise's own check; what the answer raises inside it is reported like a wrong value."""
    assert asked.body is not None
    outcome = attempt(asked.body, answer, seed, reference, seconds=asked.seconds, seed=seed)
    if isinstance(outcome.error, Wrong):
        raise outcome.error
    _require_value(outcome, "")
    return outcome.noise


def judge_by_oracle(asked: Exercise, answer: object, seed: int, reference: object) -> list[str]:
    """Call the answer on every case, and compare with the oracle's value (and the reference's)."""
    assert asked.cases is not None
    cases = [case if isinstance(case, tuple) else (case,) for case in asked.cases(seed)]
    has_arguments = any(cases)
    if has_arguments and not callable(answer):
        raise Wrong(f"the answer is {describe(plain(answer))}, expected a function: pass it without calling it.")
    expected = [_expected(asked.oracle, case, seed) for case in cases]
    outcomes, changed = call_all(answer, cases, asked.seconds, seed)
    at = next((i for i, (o, e) in enumerate(zip(outcomes, expected, strict=False)) if not agrees(o, e, asked)), None)
    if at is None and reference is not None:
        expected = [_expected(reference, case, seed) for case in cases]
        at = next((i for i, (o, e) in enumerate(zip(outcomes, expected, strict=True)) if not agrees(o, e, asked)), None)
    if at is not None:
        place = f" on {_case_text(asked.oracle, cases[at])}" if has_arguments else ""
        _explain(asked, cases, outcomes, seed, place)
        raise Wrong(_departure(outcomes[at], expected[at], asked.tolerance, place, has_arguments) + changed)
    if changed:
        raise Wrong(changed.strip(), fix="work on a copy (x = x.clone()), or build a new value.")
    return [line for outcome in outcomes for line in outcome.noise]


def call_all(answer: object, cases: list[tuple], seconds: float, seed: int) -> tuple[list[Outcome], str]:
    """One outcome a case, within one time limit for all; and a sentence if the answer changed an argument."""
    outcomes, changed = [], ""
    for case in cases:
        arguments = copied(case)
        outcome = attempt(answer, *arguments, seconds=seconds, seed=seed) if callable(answer) else Outcome(value=answer)
        outcomes.append(outcome)
        seconds -= outcome.seconds / 5  # wall time, so a busy machine may stretch it
        if isinstance(outcome.error, NotImplementedError) or outcome.late:
            break
        touched = [i for i, (now, was) in enumerate(zip(arguments, case, strict=True)) if _differs(now, was)]
        if touched and not changed:
            changed = f" It changes its input: {_parameters(answer, case)[touched[0]]} is not what it was before."
    return outcomes, changed


def agrees(outcome: Outcome, expected: object, asked: Exercise) -> bool:
    if outcome.error is not None or outcome.late:
        return False
    return difference(plain(outcome.value), expected, asked.tolerance) is None


def _explain(asked: Exercise, cases: list[tuple], outcomes: list[Outcome], seed: int, place: str) -> None:
    """Raise what is known about this answer: unwritten, too slow, or equal to a known mistake on every case."""
    for outcome in outcomes:
        if isinstance(outcome.error, NotImplementedError) or outcome.late:
            _require_value(outcome, place)
        if outcome.error is None and (outcome.value is None or outcome.value is Ellipsis):
            raise Wrong(f"{UNWRITTEN}, or without a return: it gives {describe(outcome.value)}.")
    for mistake in asked.mistakes:
        if made(mistake, cases, outcomes, asked, seed):
            raise Wrong(mistake.message, mistake=asked.mistakes.index(mistake))


def made(mistake: Mistake, cases: list[tuple], outcomes: list[Outcome], asked: Exercise, seed: int) -> bool:
    """Whether the mistaken answer does the same on every case: the same value, or the same kind of error."""
    for case, outcome in zip(cases, outcomes, strict=True):
        theirs = call_all(mistake.answer, [case], asked.seconds, seed)[0][0]
        if type(theirs.error) is not type(outcome.error) or theirs.late:
            return False
        if outcome.error is None and difference(plain(outcome.value), plain(theirs.value), asked.tolerance):
            return False
    return True


def _departure(outcome: Outcome, expected: object, tolerance: float, place: str, reveal: bool) -> str:
    """The first place where the answer parts from the right one; never the whole of a value that is the answer."""
    _require_value(outcome, place)
    found: Difference | None = difference(plain(outcome.value), expected, tolerance)
    assert found is not None
    return f"it departs{place}, {found.sentence(reveal)}." if place else f"{found.sentence(reveal)}."


def _require_value(outcome: Outcome, place: str) -> None:
    """Wrong if the call gave no value: too slow, unwritten, or an error, told with the line that raised it."""
    if outcome.late:
        raise Wrong(f"it was stopped{place} after {outcome.seconds:.0f} s: is there a loop that does not end?")
    if isinstance(outcome.error, NotImplementedError):
        raise Wrong(f"{UNWRITTEN}.")
    if outcome.error is not None:
        error = outcome.error
        said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        raise Wrong(f"it raised {said}{place}{_line(error)}", raised=type(error).__name__) from error


def _line(error: BaseException) -> str:
    """The last line of the answer's own code in the traceback."""
    frames = [each for each in traceback.extract_tb(error.__traceback__) if not each.filename.startswith(HERE)]
    own = [each for each in frames if "site-packages" not in each.filename and "/lib/python" not in each.filename]
    if not own:
        return ""
    text = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()
    return f"\n  in {own[-1].name}, line {own[-1].lineno}: {text}" if text else ""


def copied(value: Any) -> Any:
    """The value on storage of its own, so that an answer that writes into it is found out."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if isinstance(value, list | tuple) and type(value) in (list, tuple):
        return type(value)(copied(item) for item in value)
    if type(value) is dict:
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, numpy.ndarray | torch.nn.Module | set):
        return copy.deepcopy(value)
    return value


def _differs(now: object, was: object) -> bool:
    if isinstance(was, torch.Tensor | numpy.ndarray | list | tuple | dict | set):
        return difference(plain(now), plain(was), 0.0) is not None and not isinstance(plain(was), type(None))
    return False


def _expected(oracle: object, case: tuple, seed: int) -> object:
    """The plain form of the right value. An oracle that fails is the course's fault and raises as it is."""
    if not callable(oracle):
        return plain(oracle)
    outcome = attempt(oracle, *copied(case), seconds=REFERENCE_SECONDS, seed=seed)
    if outcome.error is not None:
        raise outcome.error
    return plain(outcome.value)


def _parameters(function: Any, case: tuple) -> list[str]:
    """What the function calls its arguments."""
    try:
        names = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        names = []
    return [*names, *(f"argument {i + 1}" for i in range(len(names), len(case)))]


def _case_text(oracle: object, case: tuple) -> str:
    """`hidden [3, 4], rows [3]`: what the answer was called with, by shape."""
    names = _parameters(oracle, case)
    forms = [(name, plain(value)) for name, value in zip(names, case, strict=False)]
    return ", ".join(
        f"{name} {list(form.shape)}"
        if isinstance(form, numpy.ndarray) and form.ndim
        else f"{name}={_short(form, value)}"
        for (name, form), value in zip(forms, case, strict=True)
    )


def _short(form: object, value: object) -> str:
    return getattr(value, "__name__", None) or describe(form)
