"""A lesson as its master writes it: percent text read as cells, and holes with solutions."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remix_utils.errors import RemixError

HEADER = re.compile(
    r"# %%+(?P<title>[^\[=]*?)(?:\[(?P<kind>markdown|raw)\])?"
    r"(?P<marks>(?:\s+\w+=(?:\"[^\"]*\"|\S+))*)\s*$"
)
MARK = re.compile(r"(\w+)=(\"[^\"]*\"|\S+)")
HOLE = re.compile(
    r"^[ \t]*### BEGIN SOLUTION[ \t]*\n(.*?)^[ \t]*### END SOLUTION[ \t]*\n?",
    re.MULTILINE | re.DOTALL,
)


class MasterError(RemixError):
    """A master that is not there, or that cannot be read."""


@dataclass(frozen=True)
class Cell:
    """One cell of a lesson: its text, and its header's marks (exercise, check, answer, points)."""

    kind: str
    source: str
    marks: dict[str, object]
    line: int


def read_master(path: Path) -> list[Cell]:
    """Returns the cells of a percent file; MasterError for a header that cannot be read.

    Text before the first header belongs to no cell.
    """
    cells, header, body = [], None, []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), "# %%"], 1):
        if not re.match(r"# %%+(\s|$)", line):
            body.append(line)
            continue
        if header is not None:
            cells.append(_cell(header, body, path))
        header, body = (number, line), []
    return cells


def _cell(header: tuple[int, str], body: list[str], path: Path) -> Cell:
    number, line = header
    found = HEADER.match(line)
    marks = None if found is None else _marks(found["marks"])
    if found is None or marks is None:
        raise MasterError(
            f"{path.name}, line {number}: this header cannot be read: {line}",
            fix='write it like: # %% [markdown] answer="d1.2.3" points=2',
        )
    kind = found["kind"] or "code"
    if kind != "code":
        body = [text.removeprefix("#").removeprefix(" ") for text in body]
    return Cell(kind, "\n".join(body).strip("\n"), marks, number)


def _marks(text: str) -> dict[str, object] | None:
    try:
        return {name: json.loads(value) for name, value in MARK.findall(text)}
    except json.JSONDecodeError:
        return None


def master_paths(folder: Path) -> list[Path]:
    """Returns the masters of a day's folder in the order of its parts."""
    return sorted(folder.glob("part*_*.py"), key=part_number)


def part_number(path: Path) -> int:
    """Returns the number of a part.

    >>> part_number(Path("solutions/day1_graphs/part3_rewrites.py"))
    3
    """
    return int(path.stem.split("_")[0].removeprefix("part"))


def part_id(path: Path) -> str:
    """Returns the id of the part that a file belongs to.

    >>> part_id(Path("solutions/day1_graphs/part3_rewrites.py"))
    'd1.3'
    """
    day = re.match(r"day(\d+)_", path.parent.name)
    if day is None:
        raise MasterError(
            f"{path}: the folder of a day is named like day1_graphs.", fix="rename the folder."
        )
    return f"d{day[1]}.{part_number(path)}"


def holes(source: str) -> list[str]:
    """Returns the solutions of an exercise cell, each as it stands between its marks."""
    return [found[1] for found in HOLE.finditer(source)]


def change_holes(source: str, change: Callable[[str], str]) -> str:
    """Returns an exercise cell with each solution changed, and without the marks."""
    return HOLE.sub(lambda found: change(found[1]), source)


def without_marks(source: str) -> str:
    """Returns the text of an exercise cell without the lines that mark a solution.

    >>> without_marks("### BEGIN SOLUTION\\nx = 1\\n### END SOLUTION")
    'x = 1\\n'
    """
    return change_holes(source, str)
