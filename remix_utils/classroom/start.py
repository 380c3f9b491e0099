"""A day in a folder of one's own, which updates of the course leave alone.

The folder's `.remix/given.json` says what was copied into it, so that a later `start` can tell what has changed in
the course since. No file that is there is ever written over, except `checks/`, which nobody edits.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from remix_utils.classroom.course import RECORD, CourseError
from remix_utils.classroom.writing import draft, replace
from remix_utils.errors import reason

FORMAT = 1
Given = dict[str, str]  # of one file: the sha256 of its bytes, and of each cell's source by the cell's id


@dataclass
class Started:
    """What a `start` found and did; each list has the names of files in the day's folder."""

    folder: Path
    copied: list[str] = field(default_factory=list)
    changed: dict[str, str] = field(default_factory=dict)  # where each has changed in the course
    beside: dict[str, str] = field(default_factory=dict)  # the new version of each, under its own name
    withdrawn: list[str] = field(default_factory=list)
    first: bool = False


def start(day: Path, folder: Path, new: bool = False) -> Started:
    """Copies a day's files that are not in a folder yet, and says which others have changed since they were copied.

    With `new`, the course's version of those is put beside them under another name.

    Raises CourseError for a day that cannot be read, and for a folder that cannot be written or lies in the course's.
    """
    try:
        return _start(day, folder, new)
    except OSError as problem:
        raise CourseError(
            f"{day.name} cannot be copied to {folder}: {problem.strerror or reason(problem)}.",
            fix="free space there and let it be written, or name another folder: --work FOLDER.",
        ) from problem


def changed(day: Path, folder: Path) -> list[str]:
    """Returns the notebooks that have changed in the course since they were copied; writes nothing."""
    known, given = read_record(folder), files(day)
    names = [name for name in given if name.endswith(".ipynb") and name in known]
    return [name for name in names if known[name].get("sha256") != sha256(given[name].read_bytes()).hexdigest()]


def _start(day: Path, folder: Path, new: bool) -> Started:
    if folder.resolve() == day.resolve():
        raise CourseError(f"{folder} is the course's own folder.", fix="name another one: --work FOLDER.")
    done, known, given = Started(folder, first=not (folder / RECORD).exists()), read_record(folder), files(day)
    contents = {name: path.read_bytes() for name, path in given.items()}
    facts = {name: describe(given[name], data) for name, data in contents.items()}
    for name, data in contents.items():
        target, was = folder / name, known.get(name, {})
        if not os.path.lexists(target):
            put(data, target)
            done.copied.append(name)
        elif facts[name]["sha256"] not in (was.get("sha256"), sha256(target.read_bytes()).hexdigest()):
            if not new:
                done.changed[name] = places(was, facts[name])
                continue
            if is_check(name):
                replace(target, data)
            else:
                done.beside[name] = put_beside(data, target)
        known[name] = facts[name]
    for name in [*done.copied, *done.beside]:
        refresh_check(name, contents, folder)
    done.changed = {name: where for name, where in done.changed.items() if not is_check(name)}
    done.withdrawn = [name for name in known if name not in given]
    write_record(folder, known)
    return done


def files(day: Path) -> dict[str, Path]:
    """Returns the files of a day that a participant needs, by their name in it; hidden ones are left out."""
    found = {}
    for path in sorted(day.rglob("*")):
        name = path.relative_to(day).as_posix()
        if path.is_file() and not any(part.startswith((".", "__")) for part in name.split("/")):
            found[name] = path
    return found


def is_check(name: str) -> bool:
    return name.startswith("checks/")


def refresh_check(name: str, contents: Mapping[str, bytes], folder: Path) -> None:
    """Gives a notebook that has just come the checks of its edition."""
    check = f"checks/{Path(name).stem}.remix"
    if name.endswith(".ipynb") and check in contents:
        replace(folder / check, contents[check])


def describe(path: Path, data: bytes) -> Given:
    """Returns what the record keeps of a file. CourseError for a notebook that cannot be read."""
    facts = {"sha256": sha256(data).hexdigest()}
    if path.suffix != ".ipynb":
        return facts
    try:
        cells = enumerate(json.loads(data)["cells"])
        sources = {str(cell.get("id", place)): "".join(cell["source"]) for place, cell in cells}
    except (ValueError, KeyError, TypeError, AttributeError) as problem:
        if not path.name.startswith("part"):
            return facts  # a file of somebody's own
        raise CourseError(
            f"{path} is no notebook that can be read ({reason(problem)}).",
            fix=f"restore it from the release: git checkout -- {path.parent.name}.",
        ) from problem
    return facts | {id: sha256(source.encode()).hexdigest()[:12] for id, source in sources.items()}


def places(was: Given, now: Given) -> str:
    """Says where two editions of a notebook differ.

    >>> places({"sha256": "a", "d2-1-1": "b"}, {"sha256": "c", "d2-1-1": "d"})
    'at d2.1.1'
    """
    if not was:
        return "in places that are not known"
    ids = [id for id in {**was, **now} if id != "sha256" and was.get(id) != now.get(id)]
    if not ids:
        return "in its checks"
    found = [re.match(r"(d\d+)-(\d+)-([^-]+)", id) for id in ids]
    return "at " + ", ".join(dict.fromkeys(".".join(each.groups()) if each else "its beginning" for each in found))


# Files that are written whole or not at all.


def put(data: bytes, target: Path) -> None:
    """Writes a new file; FileExistsError where there is one of that name."""
    fresh = draft(data, target)
    try:
        os.link(fresh, target)  # refuses to replace, as a rename would
    except FileExistsError:
        raise
    except OSError:  # a disk without links
        with target.open("xb") as file:
            file.write(data)
    finally:
        fresh.unlink(missing_ok=True)


def put_beside(data: bytes, target: Path) -> str:
    """Writes a file under the next name that is free, and returns this name."""
    for number in range(2, 1000):
        name = f"{target.stem}-{number}{target.suffix}"
        with contextlib.suppress(FileExistsError):
            put(data, target.with_name(name))
            return name
    raise CourseError(f"There are 999 versions of {target.name}.", fix=f"remove some of them from {target.parent}.")


def read_record(folder: Path) -> dict[str, Given]:
    """Returns what was copied into a folder; nothing where the record is missing or damaged."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        given = record["files"] if record["format"] == FORMAT else {}
        return {str(name): dict(facts) for name, facts in given.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def write_record(folder: Path, known: Mapping[str, Given]) -> None:
    text = json.dumps({"format": FORMAT, "files": known}, indent=1, sort_keys=True)
    replace(folder / RECORD, text.encode())
