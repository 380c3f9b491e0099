"""Where the course is, which days it has, and where a participant works on them."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from remix_utils.errors import RemixError

CLONE = Path(__file__).resolve().parents[2]  # the course, where the package runs from a clone of it
RECORD = Path(".remix") / "given.json"  # in a day that `remix start` copied


class CourseError(RemixError):
    """A course, a day or a part of one that is not there."""


class Day(NamedTuple):
    """A day as somebody asks for it: its folder in the course, and the number of a part, if any."""

    folder: Path
    part: str | None


def days(folder: Path) -> list[Path]:
    """Returns the folders of a course's days, in their order."""
    return [path for path in sorted(folder.glob("day[0-9]*_*")) if any(path.glob("part*.ipynb"))]


def is_desk(folder: Path) -> bool:
    """Tells whether a folder holds days that `remix start` copied there."""
    return any((day / RECORD).exists() for day in days(folder))


def find_course(here: Path | None = None, clone: Path = CLONE) -> Path:
    """Returns the folder of the course: this folder or one above it, else the clone of the package.

    Raises CourseError where there is none, as after `pip install` without any day.
    """
    start = (here or Path.cwd()).resolve()
    for folder in (*_above(start), clone):
        if days(folder) and not is_desk(folder):
            return folder
    raise CourseError(
        f"No day of the course is in {start}, nor in a folder above it.",
        fix="go to the folder that holds day1_graphs, or clone the course there: cd FOLDER.",
    )


def _above(start: Path) -> Iterator[Path]:
    """A folder and those above it; the masters' days in `solutions` are not the participants'."""
    for folder in (start, *start.parents):
        if folder.name != "solutions":
            yield folder


def find_desk(course: Path | None, here: Path | None = None, named: str | None = None) -> Path:
    """Returns the folder in which a participant works: one that is named, the one around us, or `work`.

    A name is given by `--work` or by the environment variable REMIX_WORK.
    """
    start = (here or Path.cwd()).resolve()
    name = named or os.environ.get("REMIX_WORK")
    if name:
        return start / Path(name).expanduser()
    around = next((folder for folder in _above(start) if is_desk(folder)), None)
    return around or (course or start) / "work"


def find_places(work: str | None = None) -> tuple[Path, Path]:
    """Returns the folder of the course, and the one in which the participant works.

    They are the same where nothing is left of a course but a folder that was copied from it.
    """
    try:
        course = find_course()
    except CourseError:
        desk = find_desk(None, named=work)
        if not is_desk(desk):
            raise
        return desk, desk
    return course, find_desk(course, named=work)


def is_source(course: Path) -> bool:
    """Tells whether the course is its source, which an update changes, and not a released folder."""
    return (course / "solutions").is_dir() or (course / ".git").exists()


def read_day(asked: str, course: Path) -> Day:
    """Finds `1`, `day1`, `day1_graphs`, or a part such as `d1.2`, or an exercise such as `d1.2.3`.

    Raises CourseError for a day or a part that the course does not have.
    """
    there = days(course)
    match = re.fullmatch(r"(?:day|d)?(\d+)(?:_\w+/?)?(?:\.(\d+))?(?:\.\w+)?", asked.strip().lower())
    number, part = match.groups() if match else (None, None)
    for day in there:
        if number and day.name.startswith(f"day{number}_") and (part is None or list(day.glob(f"part{part}_*.ipynb"))):
            return Day(day, part)
    names = ", ".join(day.name for day in there) or "none"
    raise CourseError(
        f"There is no notebook for {asked[:40]!r}; the days here are: {names}.",
        fix="name a day or a part of one, such as 1 or d1.2: remix lab d1.2.",
        asked=asked,
    )


def find_notebook(day: Path, part: str | None) -> Path:
    """Returns the notebook of a part, or of the first part that is not preparation, in its newest edition.

    Raises CourseError where the folder has no such notebook.
    """
    patterns = (f"part{part}_*.ipynb",) if part else ("part[1-9]*.ipynb", "part0*.ipynb")
    for pattern in patterns:
        there = sorted(day.glob(pattern), key=lambda path: (path.stem.partition("_")[0], -edition(path)))
        if there:
            return there[0]
    raise CourseError(
        f"There is no notebook of part {part or 1} in {day}.",
        fix=f"bring it back: remix start {day.name}.",
    )


def edition(path: Path) -> int:
    """Returns 1 for the file that the course gave first, 2 for the next one beside it.

    >>> edition(Path("part1_see.ipynb")), edition(Path("part1_see-2.ipynb"))
    (1, 2)
    """
    number = re.search(r"-(\d{1,4})$", path.stem)
    return int(number[1]) if number else 1
