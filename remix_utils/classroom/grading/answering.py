"""What a worker does with a submission: it runs a hole, and what the hole rests on, as source."""

from __future__ import annotations

import ast
import functools
import importlib
import re
import sys
import types
from collections.abc import Sequence
from typing import Any

from remix_utils.checks.lesson import Cell, MasterError
from remix_utils.checks.part import reads
from remix_utils.checks.sources import run
from remix_utils.checks.statements import Statement, chosen, statements

MAGIC = re.compile(r"^\s*(%|!|\?)|\?\s*$")
NAME = "answer"
LESSON = (  # what a lesson imports and grading changes
    "remix_utils",
    "remix_utils.checks.door",
    "remix_utils.checks.edge_budget",
    "remix_utils.checks.part",
    "remix_utils.checks.predictions",
)


def answer(plan: dict) -> Any:
    """Returns the value that a check is called with.

    `before` are the texts of the cells before the hole, `hole` its own, `between` those up to its
    check, and `text` is the expression that the check is given.
    """
    known = in_texts(plan["before"])
    space: dict[str, Any] = {"__name__": NAME}
    hole, text = without_magics(plan["hole"]), plan["text"]
    own = frozenset().union(*(each.makes for each in in_texts([hole])))
    made = frozenset().union(*(each.makes | each.touches for each in known))
    wanted = made & (reads(hole) | (reads(text) - own))
    for place, each in enumerate(chosen(known, wanted)):
        run(each.text, space, f"<answer, statement {place + 1} before>")
    run(hole, space, "<answer>")
    for place, each in enumerate(chosen(in_texts(plan["between"]), reads(text))):
        run(each.text, space, f"<answer, statement {place + 1} after>")
    return eval(compile(text, "<answer to check>", "eval"), space)


def in_texts(texts: Sequence[str]) -> list[Statement]:
    """Returns the statements of cells; a cell that is no Python makes nothing."""
    return [each for text in texts for each in in_text(text)]


@functools.cache
def in_text(text: str) -> tuple[Statement, ...]:
    """Returns the statements of one cell, read once; workers know what their nursery read."""
    try:
        return tuple(statements([Cell("code", without_magics(text), {}, 0)]))
    except (MasterError, ValueError, RecursionError, MemoryError):
        return ()


def without_magics(text: str) -> str:
    """Returns the Python in a cell: lines for IPython become `pass`."""
    try:
        ast.parse(text)
        return text
    except (SyntaxError, ValueError):
        lines = text.split("\n")
        return "\n".join("pass" if MAGIC.search(line) else line for line in lines)


def disarm(given: Any) -> None:
    """Puts harmless functions in the place of those that a lesson calls and grading does not.

    `given` hands out what an experiment examines; the judge keeps it, and runs it when called.
    """
    index, door, edge_budget, part, predictions = map(importlib.import_module, LESSON)
    quiet = types.SimpleNamespace(
        check=Check(), hint=_nothing, solution=_nothing, start_at=_nothing
    )
    for module in (index, door):
        for name, value in vars(quiet).items():
            if hasattr(module, name):
                setattr(module, name, value)
    for name in ("predict", "measured", "predictions"):
        setattr(predictions, name, _nothing)
    part.given = given  # type: ignore[attr-defined]
    edge_budget.EdgeBudget._file = lambda self: None
    sys.modules["remix_utils.checks.harness"] = quiet  # type: ignore[assignment]
    sys.modules["remix_utils.checks.hints"] = quiet  # type: ignore[assignment]


class Check:
    """Stands for `check` while an answer is made."""

    def __call__(self, *arguments: Any, **named: Any) -> None:
        """Only the judge judges."""

    inputs = source = __call__


def _nothing(*arguments: Any, **named: Any) -> None:
    """What a lesson shows is of no use here."""
