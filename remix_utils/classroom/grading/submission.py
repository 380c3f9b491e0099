"""Submissions as they were handed in: read once, before any of them runs; known by their ids."""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remix_utils.classroom.grading.plan import Submitted

MOST_TIME = 100  # characters
MOST_BYTES = 20 * 2**20
MOST_NOTEBOOKS = 50
MOST_CELLS = 2_000  # each is shown and told to workers, at many times its length in the file
GRADE_ID = re.compile(r"d(\d+)-(\d+)-(\w+?)(-check)?")


@dataclass(frozen=True)
class Found:
    """One notebook of one student: its bytes, or the reason why there are none."""

    student: str
    file: str
    data: bytes = b""
    trouble: str = ""
    modified: float = 0.0

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data + self.trouble.encode()).hexdigest()


def students(folder: Path, day: str) -> Iterator[str]:
    """Returns the students who handed in something for a day; links are no students."""
    yield from (path.name for path in _handed_in(folder, day) if _is_student(path))


def left_out(folder: Path, day: str) -> Iterator[str]:
    """Returns the names of folders with a day in them that are no students'."""
    yield from (path.name for path in _handed_in(folder, day) if not _is_student(path))


def _handed_in(folder: Path, day: str) -> list[Path]:
    return sorted(path for path in folder.iterdir() if (path / day).is_dir())


def _is_student(path: Path) -> bool:
    hidden = path.name.startswith(".") or not path.name.isprintable()
    return not path.is_symlink() and not hidden


def notebooks(folder: Path, student: str, day: str) -> Iterator[Found]:
    """Reads a student's notebooks of a day one by one, whatever they are called.

    Of very many, those that were changed last are read.
    """
    place = folder / student / day
    if place.is_symlink():
        yield Found(student, day, trouble="The folder is a link to another place.")
        return
    paths = [path for path in place.iterdir() if path.suffix == ".ipynb"]
    last = sorted(paths, key=lambda path: path.lstat().st_mtime)[-MOST_NOTEBOOKS:]
    yield from (_read(student, path) for path in sorted(last))


def time_of(folder: Path, student: str, day: str) -> str:
    """Returns the time that nbgrader's exchange has noted of a submission, or ""."""
    found = _read(student, folder / student / day / "timestamp.txt")
    return found.data[:MOST_TIME].decode("ascii", "replace").strip()


def _read(student: str, path: Path) -> Found:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        why = "It is a link." if path.is_symlink() else f"It cannot be read ({error.strerror})."
        return Found(student, path.name, trouble=why)
    facts = os.fstat(file)
    if not stat.S_ISREG(facts.st_mode):
        os.close(file)
        return Found(student, path.name, trouble="It is no file.")
    with os.fdopen(file, "rb") as opened:
        if facts.st_size > MOST_BYTES:
            size = f"{facts.st_size / 2**20:,.0f} MB, and {MOST_BYTES // 2**20} MB are read."
            return Found(student, path.name, trouble=f"It has {size}")
        return Found(student, path.name, opened.read(MOST_BYTES), modified=facts.st_mtime)


def cells_of(data: bytes) -> list[dict[str, Any]]:
    """Returns the cells of a notebook. ValueError with a sentence for what is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError("It is not written in UTF-8.") from None
    try:
        cells = json.loads(text)["cells"]
    except (ValueError, RecursionError):
        raise ValueError("It is no notebook: its JSON is broken.") from None
    except (KeyError, TypeError):
        raise ValueError("It is no notebook: it has no cells.") from None
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise ValueError("It is no notebook: its cells are no list of cells.")
    if len(cells) > MOST_CELLS:
        raise ValueError(f"It has {len(cells):,} cells, and {MOST_CELLS:,} are read.")
    return cells


def source_of(cell: dict[str, Any]) -> str:
    """Returns the text of a cell, which may be a text or a list of lines."""
    source = cell.get("source", "")
    lines = source if isinstance(source, list) else [source]
    return "".join(line for line in lines if isinstance(line, str))


def grade_id(cell: dict[str, Any]) -> str:
    """Returns what nbgrader calls a cell, by its metadata; where they are gone, by its own id."""
    metadata = cell.get("metadata")
    marks = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    for found in (marks.get("grade_id") if isinstance(marks, dict) else None, cell.get("id")):
        if isinstance(found, str) and GRADE_ID.fullmatch(found):
            return found
    return ""


def part_of(cells: list[dict[str, Any]]) -> str:
    """Returns the part that most graded cells belong to, such as d1.2; "" where there are none."""
    found = [GRADE_ID.fullmatch(grade_id(cell)) for cell in cells]
    parts = Counter(f"d{each[1]}.{each[2]}" for each in found if each)
    return parts.most_common(1)[0][0] if parts else ""


def submitted(cells: list[dict[str, Any]], part: str) -> Submitted:
    """Returns the code cells of a submission and the places of its holes; the last copy counts."""
    texts: list[str] = []
    holes: dict[str, int] = {}
    remarks: list[str] = []
    start = part.replace(".", "-") + "-"
    for cell in cells:
        id = grade_id(cell)
        if cell.get("cell_type") != "code" or id.endswith("-check"):
            continue
        if id.startswith(start):
            name = id.replace("-", ".")
            if name in holes:
                remarks.append(f"{name} is there more than once; the last copy counts.")
            holes[name] = len(texts)
        texts.append(source_of(cell))
    return Submitted(tuple(texts), holes, tuple(dict.fromkeys(remarks)))
