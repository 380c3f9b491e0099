"""Answers of the form `(ours, function)`: a function together with the classes it is written in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remix_utils.checks.exercise import Wrong

from .own_graphs import CLASSES, Build, Recipe


def handed_in(answer: Any) -> tuple[Build, Callable]:
    """Takes a pair apart, into a maker of nodes in the participant's classes and the function.

    Wrong for anything but a pair, for classes that were run again since `ours` was made, and for
    classes that do not build a graph.
    """
    if not _is_pair(answer):
        name = getattr(answer, "__name__", "the function")
        raise Wrong(f"Hand in your classes together with the function, as (ours, {name}).")
    classes, function = answer
    _require_current(classes, getattr(function, "__globals__", {}))
    _require_written(Build(classes))
    return Build(classes), function


def _is_pair(answer: Any) -> bool:
    if not isinstance(answer, tuple | list) or len(answer) != 2:
        return False
    classes, function = answer
    return isinstance(classes, dict) and {*CLASSES} <= {*classes} and callable(function)


def _require_current(classes: dict[str, Any], names: dict[str, Any]) -> None:
    """A class that is run again is another class, and `ours` still holds the one before."""
    for name in CLASSES:
        if isinstance(names.get(name), type) and names[name] is not classes[name]:
            raise Wrong(
                f"The class {name} was run again after `ours` was made, so `ours` holds the old class.",
                fix="run the cell of `ours` again, and then the cells that build graphs.",
            )


def _require_written(make: Build) -> None:
    try:
        Recipe("network", 0).build(make)
    except Exception as error:
        raise Wrong(
            "The classes of exercises 1 to 6 are not finished, or they do not build a graph "
            f"({type(error).__name__}).",
            fix='finish them, or write start_at("d1.2.7"), and run the cell of `ours`.',
        ) from error
