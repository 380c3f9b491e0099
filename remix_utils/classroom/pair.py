"""The names of a pair, from a terminal: `remix pair Ada Grace` and `remix lab --pair "Ada, Grace"`."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from remix_utils.checks.pair import PairError, clean, give, keep, kept_in
from remix_utils.classroom.course import CourseError, find_places


def pair_of(desk: Path, given: str | None) -> str:
    """Returns the names that a pair gives now, or gave before in its folder; '' for one that gave none."""
    names = clean(given or os.environ.get("REMIX_PAIR", ""))
    if not names:
        return kept_in(desk)[1]
    with contextlib.suppress(PairError):  # REMIX_PAIR brings them to the kernels of this Lab
        keep(names, desk)
    return names


def give_names(names: list[str], work: str | None) -> None:
    """Keeps the names where the participant works, and prints those that hold."""
    try:
        desk = find_places(work)[1]
    except CourseError:
        desk = Path.cwd()
    give(names, desk if work or desk.is_dir() else Path.cwd())
