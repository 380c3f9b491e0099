"""Which exercises of day 5 a test compares with hooks, and which compute nothing on a model."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

MASTERS = sorted((Path(__file__).parents[2] / "solutions" / "day5_ioi").glob("part*.py"))

# A new exercise belongs here, with its reason, or to a test that `@compares("its id")`.
WITHOUT_MODEL = {
    "d5.1.1": "finds positions among tokens",
    "d5.1.2": "changes a dict of words",
    "d5.1.3": "compares two sets of tokens",
    "d5.1.5": "errors of a mean",
    "d5.1.6": "means of groups",
    "d5.2.3": "a test of means; the heads' parts are those of d5.2.2",
    "d5.2.5": "a ratio and its errors; the patches are those of d5.2.4",
    "d5.3.9": "counts passes",
    "d5.5.2": "a feature of a data set's columns",
    "d5.5.5": "a verdict on three numbers",
    "d5.5.10": "a correlation of ranks",
    "d5.6.2": "a verdict on two values with errors",
    "d5.6.6": "an exact test of two lists of booleans",
    "d5.6.7": "a mean with its larger error",
}


def compares(*ids: str) -> Callable:
    """Marks a test as one that compares these exercises with hooks on transformers' model."""

    def mark(test: Callable) -> Callable:
        test.exercises = ids
        return test

    return mark


def exercises() -> list[str]:
    """All exercises of day 5 that are checked, without the quizzes."""
    text = "".join(master.read_text(encoding="utf-8") for master in MASTERS)
    return [id for id in re.findall(r'^# %% check="(\S+)"', text, re.M) if "quiz" not in id]
