"""The lines that kernels append to the files of a cohort, read as they come, whatever the files hold."""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from remix_utils.checks.pair import clean
from remix_utils.checks.progress import READ_AT_ONCE, Reading, parse, whole_lines

# Below the folder that is watched. On a Hub each pair has a folder of its own in it.
PLACES = (".", "progress", ".remix/progress", "*/.remix/progress", "*/progress")
LARGEST_FILE = 64 << 20  # bytes; a kernel's file of a week has less than one million
MOST_FILES = 2000
ID = re.compile(r"d\d{1,2}\.\d{1,2}(\.[a-z0-9_]{1,12})?", re.ASCII)
DESK = re.compile(r"[0-9a-f]{1,16}")
FLAGS = sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_CLOEXEC", "O_BINARY"))


class Event(NamedTuple):
    """One thing that a pair did. Events are ordered by their times, then by everything else."""

    time: float
    desk: str
    kind: str
    id: str
    verdict: str = ""
    edition: str = ""
    mistake: int = -1  # the number of a known mistake
    pair: str = ""


def event_of(line: bytes) -> Event | None:
    """Returns the event of a line, or None for a line that the board cannot use.

    >>> event_of(b'{"time": 1, "event": "solution", "id": "d1.2.3", "desk": "0a"}').kind
    'solution'
    >>> event_of(b'{"time": 1, "event": "solution", "id": "<b>", "desk": "0a"}') is None
    True
    """
    facts = parse(line)
    if facts is None or not ID.fullmatch(facts["id"]) or not DESK.fullmatch(facts["desk"]):
        return None
    mistake, edition = facts.get("mistake"), facts.get("edition")
    return Event(
        float(facts["time"]),
        facts["desk"],
        facts["event"],
        facts["id"],
        facts.get("verdict", ""),
        edition if isinstance(edition, str) and len(edition) <= 64 else "",
        mistake if mistake is not None and 0 <= mistake < 1000 else -1,
        clean(facts.get("pair", "")),
    )


class Lines:
    """The events of a folder's files. Each call of `new` reads the bytes that were added since the last one.

    Files that are links, pipes or unreadable are left alone, and `notices` says so.

    >>> Lines(Path("nowhere")).new()
    []
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._readings: dict[Path, Reading] = {}
        self._refused: dict[str, list[str]] = {}

    @property
    def dropped(self) -> int:
        """How many lines were torn, malformed or too long."""
        return sum(reading.dropped for reading in self._readings.values())

    @property
    def notices(self) -> list[str]:
        """What an instructor should know about files that are not read."""
        return [
            f"{reason}: {clean(', '.join(sorted(names)[:3]))}"
            + (f" and {len(names) - 3} more" if len(names) > 3 else "")
            for reason, names in sorted(self._refused.items())
        ]

    def new(self) -> list[Event]:
        """Returns the events that were added."""
        self._refused = {}
        found: list[Event] = []
        paths = self._paths()
        for path in paths[:MOST_FILES]:
            try:
                found += self._events(path)
            except OSError as problem:
                self._refuse(f"Not read ({problem.strerror})", path)
        for path in paths[MOST_FILES:]:
            self._refuse(f"Not read (more than {MOST_FILES} files)", path)
        return found

    def _refuse(self, reason: str, path: Path) -> None:
        self._refused.setdefault(reason, []).append(path.name or str(path))

    def _paths(self) -> list[Path]:
        """The files of progress. A folder that is not there yet has none; one that is closed is named."""
        try:
            os.scandir(self.folder).close()
        except OSError as problem:
            self._refuse(f"The folder cannot be read ({problem.strerror})", self.folder)
            return []
        found = []
        for place in PLACES:
            for folder in sorted(self.folder.glob(place)) if "*" in place else [self.folder / place]:
                with contextlib.suppress(FileNotFoundError, NotADirectoryError):
                    found += self._files(folder)
        return found

    def _files(self, folder: Path) -> list[Path]:
        try:
            return [folder / name for name in sorted(os.listdir(folder)) if name.endswith(".jsonl")]
        except PermissionError as problem:
            self._refuse(f"The folder cannot be read ({problem.strerror})", folder)
            return []

    def _events(self, path: Path) -> Iterator[Event]:
        if path.is_symlink():  # it may lead to any file of the reader's
            self._refuse("Not read (a link)", path)
            return
        reading = self._readings.setdefault(path, Reading())
        for line in self._added(path, reading):
            event = event_of(line)
            if event is not None:
                yield event
            elif line.strip():
                reading.dropped += 1

    def _added(self, path: Path, reading: Reading) -> list[bytes]:
        """The whole lines that were added, as far as one round reads."""
        number = os.open(path, os.O_RDONLY | FLAGS)  # without waiting, also where a pipe has come in its place
        with open(number, "rb", buffering=0) as file:
            facts = os.fstat(number)
            if not stat.S_ISREG(facts.st_mode):
                self._refuse("Not read (no plain file)", path)
                return []
            _begin_again_if_replaced(file, facts, reading)
            if reading.offset >= LARGEST_FILE:
                self._refuse(f"Read up to {LARGEST_FILE >> 20} MB", path)
                return []
            if facts.st_size == reading.offset:
                return []
            file.seek(reading.offset)
            data = file.read(READ_AT_ONCE)
        return whole_lines(data, reading)


def _begin_again_if_replaced(file, facts: os.stat_result, reading: Reading) -> None:
    """A file that shrank, or is another one, is read from its start; events that are known count once."""
    same = (facts.st_dev, facts.st_ino) == reading.identity and facts.st_size >= reading.offset
    if same and reading.seam:
        file.seek(reading.offset - len(reading.seam))
        same = file.read(len(reading.seam)) == reading.seam
    if not same:
        reading.__init__(identity=(facts.st_dev, facts.st_ino))
