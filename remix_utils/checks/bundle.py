"""One compressed file a part: its cells and the source of its checks, as a participant has them.

A clone holds the file beside the student notebooks, and so does a folder that nbgrader released.
It is compressed so that nobody reads a solution by accident. It is not secret.
"""

from __future__ import annotations

import functools
import hashlib
import json
import lzma
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from remix_utils.checks import place
from remix_utils.checks.exercise import ExerciseError
from remix_utils.checks.lesson import Cell, master_paths, part_id, part_number, read_master
from remix_utils.errors import nearest

FORMAT = 1
COURSE = "REMIX_CHECKS"  # at grading: the folder whose checks judge, whatever was handed in


@dataclass(frozen=True)
class Bundle:
    """A part of a day: its cells and the sources of its checks, by module name."""

    part: str
    name: str
    cells: tuple[Cell, ...]
    sources: Mapping[str, str]
    folder: Path

    @functools.cached_property
    def text(self) -> str:
        """Everything that the file holds, the same on every machine."""
        cells = [[cell.kind, cell.source, cell.marks, cell.line] for cell in self.cells]
        facts = {"format": FORMAT, "part": self.part, "name": self.name}
        return json.dumps({**facts, "cells": cells, "sources": dict(self.sources)}, sort_keys=True)

    @property
    def version(self) -> str:
        """Changes with the lesson or its checks; a notebook carries the version of its build."""
        return hashlib.sha256(self.text.encode()).hexdigest()[:12]

    def earlier(self) -> list[Bundle]:
        """Returns the parts of the day before this one, except part 0, on which no part rests."""
        own = int(self.part.split(".")[1])
        names = self.folder.glob("part*_*.remix")
        paths = sorted((path for path in names if 0 < part_number(path) < own), key=part_number)
        return [read(path) for path in paths]


@dataclass(frozen=True)
class MasterBundle(Bundle):
    """A part as its master and its checks' source say, for the build and the tests."""

    def earlier(self) -> list[Bundle]:
        own = int(self.part.split(".")[1])
        paths = [path for path in master_paths(self.folder) if 0 < part_number(path) < own]
        return [from_master(path) for path in paths]


@functools.cache
def from_master(path: Path) -> MasterBundle:
    """Gathers a part from `partK_name.py`, `checks/partK_name.py` and what the checks share."""
    shared = [each for each in path.parent.glob("checks/*.py") if not each.stem.startswith("part")]
    own = path.parent / "checks" / path.name
    sources = {each.stem: each.read_text(encoding="utf-8") for each in sorted(shared)}
    if own.exists():
        sources[path.stem] = own.read_text(encoding="utf-8")
    return MasterBundle(part_id(path), path.stem, tuple(read_master(path)), sources, path.parent)


def packed(bundle: Bundle) -> bytes:
    """Returns the bytes of a part's file."""
    return lzma.compress(bundle.text.encode(), preset=9)


@functools.cache
def read(path: Path) -> Bundle:
    """Reads a part's file. ExerciseError for a damaged one, or one of another format."""
    try:
        facts = json.loads(lzma.decompress(path.read_bytes()))
        cells = tuple(Cell(*each) for each in facts["cells"])
        known = facts["format"]
    except (OSError, lzma.LZMAError, ValueError, KeyError, TypeError) as error:
        raise ExerciseError(
            f"{path.name} beside the notebook cannot be read ({type(error).__name__}).",
            fix="copy it again from the course, with the folder `checks` that it lies in.",
        ) from error
    if known != FORMAT:
        raise ExerciseError(
            f"{path.name} has format {known}, and this remix_utils reads format {FORMAT}.",
            fix="install the remix_utils that came with these notebooks.",
        )
    return Bundle(facts["part"], facts["name"], cells, facts["sources"], path.parent)


def find_part(part: str) -> Bundle:
    """Finds the checks of a part, such as d2.1: beside the notebook, then beside its neighbours.

    At grading only the course's own folder counts, which the environment variable REMIX_CHECKS
    names. ExerciseError where the file is missing.
    """
    number = part.partition(".")[2]
    known = set()
    for folder in _folders():
        for path in sorted(folder.glob(f"part{number}_*.remix")):
            if read(path).part == part:
                return read(path)
        known |= {read(path).part for path in folder.glob("part*_*.remix")}
    if known:
        raise ExerciseError(
            f"There is no part {part!r} in the course.",
            fix=f"name one that is ({nearest(part, known)}).",
        )
    raise ExerciseError(
        f"The checks of {part} are missing: no folder `checks` is in {place.START}.",
        fix="copy the folder `checks` of that day here, and restart the kernel.",
    )


def _folders() -> Iterator[Path]:
    """The folders that may hold checks, the nearest first, each once."""
    if os.environ.get(COURSE):
        yield from sorted(Path(os.environ[COURSE]).glob("day*/checks"))
        return
    seen: set[Path] = set()
    here = place.START
    # A day that `remix start` copied lies two folders below the course, which has the other days.
    around = [
        (here, "day*/checks"),
        (here.parent, "day*/checks"),
        (here.parent.parent, "day*/checks"),
    ]
    for base, pattern in ((here, "checks"), *around):
        for folder in sorted(base.glob(pattern)):
            if folder not in seen:
                seen.add(folder)
                yield folder


def split_id(id: object) -> tuple[str, str]:
    """Splits the id of an exercise into its part and its place.

    >>> split_id("d2.1.4")
    ('d2.1', '4')
    """
    found = re.fullmatch(r"(d\d+\.\d+)\.(\w+)", id) if isinstance(id, str) else None
    if found is None:
        raise ExerciseError(
            f"{id!r} names no exercise.", fix='write it as the heading has it, such as "d1.2.3".'
        )
    return found[1], found[2]


def foreign_notebook(bundle: Bundle) -> str:
    """Returns a sentence if the notebooks here were built with other checks than these; else ''."""
    versions = {}
    for path in sorted(place.START.glob("*.ipynb")):
        try:
            facts = json.loads(path.read_text(encoding="utf-8"))["metadata"].get("remix", {})
        except (OSError, ValueError, KeyError, AttributeError):
            continue
        if isinstance(facts, dict) and facts.get("part") == bundle.part:
            versions[path.name] = facts.get("checks")
    if not versions or bundle.version in versions.values():
        return ""
    return (
        f"{next(iter(versions))} and its checks are of different editions of the course; a check "
        "may ask for something else than the page. fix: take both from the same release."
    )
