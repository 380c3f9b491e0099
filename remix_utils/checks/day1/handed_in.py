"""Answers that come with the participants' own classes, `(ours, function)`: taken apart, called, and judged."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from remix_utils.checks.exercise import Exercise, Mistake, Wrong
from remix_utils.checks.judge import judge_by_oracle
from remix_utils.checks.own_graphs import RULES, TOY, WORDS, Build, Words, below


def handed_in(answer: Any, name: str) -> tuple[Words, Callable]:
    """A pair `(ours, function)`, whose classes build a graph."""
    whole = (
        isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[0], dict) and callable(answer[1])
    )
    if not whole or not all(word in answer[0] for word in WORDS):
        raise Wrong(f"the answer is no pair of our classes and a function: hand in (ours, {name}).")
    words, function = answer
    try:
        below(RULES["network"](Build(words), torch.Generator().manual_seed(0)))
    except Exception as error:
        raise Wrong(
            f"the classes of exercises 1 to 6 are not written yet, or do not build a graph ({type(error).__name__}).",
            fix='finish them, or write start_at("d1.2.7"), and run the cell that makes `ours` again.',
        ) from error

    return words, function


Use = Callable[..., Any]


def judged(
    answer: Any,
    name: str,
    seed: int,
    reference: Any,
    *,
    use: Use,
    cases: Sequence[tuple],
    oracle: Callable,
    mistakes: Sequence[tuple[str, Callable]],
    tolerance: float = 1e-5,
) -> None:
    """Judge a pair `(ours, function)` by what `use(words, function, *case)` finds; mistakes run in the same classes."""
    words, function = handed_in(answer, name)
    said: list[Wrong] = []

    def using(its_words: Words, its: Callable, speak: bool = False) -> Callable:
        def used(*case: Any) -> Any:
            try:
                return use(its_words, its, *case)
            except Wrong as wrong:
                said.extend([wrong] * speak)
                raise

        return used

    known = tuple(Mistake(message, using(words, wrong)) for message, wrong in mistakes)
    asked = Exercise("here", ("", 0), lambda seed: cases, using(TOY, oracle), known, tolerance)
    theirs = None if reference is None else using(*handed_in(reference, name))
    try:
        judge_by_oracle(asked, using(words, function, speak=True), seed, theirs)
    except Wrong:
        if said:
            raise said[0] from None
        raise


REFUSED = "an error"


def or_refused(function: Callable, *arguments: Any) -> Any:
    """What the function gives, or that it refuses."""
    try:
        return function(*arguments)
    except (NotImplementedError, AttributeError, NameError):  # no refusal: unfinished, or a slip
        raise
    except Exception:
        return REFUSED


def run_and_look(function: Callable, *arguments: torch.Tensor) -> dict[str, Any]:
    """What the function gives, and whether the tensors that it was given are as they were."""
    before = [each.clone() for each in arguments]
    value = function(*arguments)
    return {
        "the value": value,
        "whether its inputs are as they were": all(map(torch.equal, before, arguments)),
    }
