"""Answers that come with the participants' own classes, `(ours, function)`: taken apart, called, and judged."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch

from remix_utils.checks.exercise import Exercise, Mistake, Wrong
from remix_utils.checks.judge import judge_by_oracle
from remix_utils.checks.own_graphs import RULES, TOY, WORDS, Build, Words, below, value_of, wiring


def handed_in(answer: Any, name: str) -> tuple[Words, Callable]:
    """A pair `(ours, function)`, whose classes build a graph."""
    whole = (
        isinstance(answer, tuple | list) and len(answer) == 2 and isinstance(answer[0], dict) and callable(answer[1])
    )
    if not whole or not all(word in answer[0] for word in WORDS):
        raise Wrong(f"the answer is no pair of our classes and a function: hand in (ours, {name}).")
    words, function = answer
    _require_current(words, getattr(function, "__globals__", {}))
    try:
        below(RULES["network"](Build(words), torch.Generator().manual_seed(0)))
    except Exception as error:
        raise Wrong(
            f"the classes of exercises 1 to 6 are not written yet, or do not build a graph ({type(error).__name__}).",
            fix='finish them, or write start_at("d1.2.7"), and run the cell that makes `ours` again.',
        ) from error
    return words, function


def _require_current(words: Words, names: dict[str, Any]) -> None:
    """A class that is run again is another class, and `ours` still holds the one before."""
    stale = [word for word in WORDS if isinstance(names.get(word), type) and names[word] is not words[word]]
    if stale:
        raise Wrong(
            f"{stale[0]} was run again after `ours` was made, which holds the old one.",
            fix="run the cell that makes `ours` again, and then whatever builds graphs.",
        )


Use = Callable[..., Any]
SHOWN = {"recipe": "graph"}  # how a message calls what a function was tried on


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
    parameters = list(inspect.signature(use).parameters.values())[2:]
    asked_about = inspect.Signature([each.replace(name=SHOWN.get(each.name, each.name)) for each in parameters])
    said: list[Wrong] = []

    def using(its_words: Words, its: Callable, speak: bool = False) -> Callable:
        def used(*case: Any) -> Any:
            try:
                return use(its_words, its, *case)
            except Wrong as wrong:
                said.extend([wrong] * speak)
                raise

        used.__signature__ = asked_about  # type: ignore[attr-defined]
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


def changed(result: Any, before: Any, wires: list[tuple], inputs: dict[str, torch.Tensor], name: str) -> dict[str, Any]:
    """What became of a graph: its value, its names, what it shares with the one before, and whether that is whole."""
    if not hasattr(result, "op"):
        raise Wrong(f"{name} gives a {type(result).__name__}, expected the root of the new graph.")
    kept = {id(node) for node in below(before)}
    nodes = below(result)
    return {
        "whether the graph before is as it was": wiring(before) == wires,
        "the value": value_of(result, inputs),
        "the names": sorted(node.name for node in nodes),
        "the number of nodes shared with the graph before": sum(id(node) in kept for node in nodes),
    }


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
