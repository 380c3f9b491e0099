"""The ladder of hints: each call unfolds one more rung, titled with the reader's own confusion."""

from __future__ import annotations

import tomllib
from pathlib import Path

from remix_utils.checks.exercise import ExerciseError
from remix_utils.errors import nearest

RUNGS = ("a nudge", "an approach", "almost the code")
CLIMBED: dict[str, int] = {}


class Hint:
    """The rungs of a ladder that are unfolded so far; a notebook shows them folded, a terminal as text."""

    def __init__(self, id: str, rungs: list[list[str]], climbed: int):
        self.id, self.rungs, self.climbed = id, rungs, climbed

    def _left(self) -> str:
        left = len(self.rungs) - self.climbed
        return f'hint("{self.id}") again: {RUNGS[-left]}.' if left else "That was the last rung."

    def _repr_markdown_(self) -> str:
        shown = [
            f"<details><summary>{title}</summary>\n\n{text}\n\n</details>" for title, text in self.rungs[: self.climbed]
        ]
        return "\n\n".join([*shown, f"*{self._left()}*"])

    def __repr__(self) -> str:
        shown = [f"{title}\n{text}" for title, text in self.rungs[: self.climbed]]
        return "\n\n".join([*shown, self._left()])


def hint(id: str) -> Hint:
    """The next rung of an exercise's ladder, under those seen before. ExerciseError if there is no ladder.

    >>> hint("d1.1.none")
    Traceback (most recent call last):
    ...
    remix_utils.checks.exercise.ExerciseError: There is no hint for 'd1.1.none'...
    """
    known = ladders(id.split(".")[0].removeprefix("d"))
    if id not in known:
        raise ExerciseError(
            f"There is no hint for {id!r}.", fix=f"write it as the heading has it ({nearest(id, known)}).", asked=id
        )
    CLIMBED[id] = min(CLIMBED.get(id, 0) + 1, len(known[id]))
    return Hint(id, known[id], CLIMBED[id])


def ladders(day: str) -> dict[str, list[list[str]]]:
    """The ladders of a day, by exercise: lists of [title, text]. Empty for a day without hints."""
    paths = sorted(Path(__file__).with_name(f"day{day}").glob("*.toml")) if day.isdecimal() else []
    tables = (tomllib.loads(path.read_text(encoding="utf-8")) for path in paths)
    return {id: rungs for table in tables for id, rungs in _flat(table, "")}


def _flat(table: dict, prefix: str):
    """`[d1.1.3]` is read by TOML as tables in tables."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        elif name == "ladder":
            yield prefix.rstrip("."), value
