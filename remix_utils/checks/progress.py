"""What a pair did, one JSON line an event: what `predictions` and the instructor's board read.

The folder is `.remix` beside the notebook, or the one that REMIX_FOLDER names for a cohort. There,
each kernel appends to a file of its own, `progress/DESK-HOST-PID-START.jsonl`, and no line is ever
changed or removed, so that two kernels of one notebook lose nothing. A line is a JSON object with

    time      seconds since 1970, growing from line to line of a file
    event     "check", "start_at", "solution", "predict" or "measured"
    id        the exercise (d1.2.3), the part (d1.2) or the prediction (d1.2.p1)
    desk      8 digits that stand for the user and the notebook's folder, in all of its kernels
    pair      the names that the pair gave last; left out where it gave none

and further, for some events,

    verdict   of a check: "right", "wrong" or "unwritten"
    seconds   of a check: how long judging took
    edition   of a check: the version of the part's checks, for which a mistake's number holds
    mistake   of a wrong answer: the number of the known mistake in the exercise's list, or null
    what, guess     of predict; without `guess` where the dots were left
    value     of measured

It never holds code, nor a name that was not given. `Record` reads the lines, and counts those that
it cannot use.
"""

from __future__ import annotations

import errno
import getpass
import json
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from remix_utils.checks import place
from remix_utils.checks.pair import known_names

Event = dict[str, Any]
EVENTS = {"check", "start_at", "solution", "predict", "measured"}
VERDICTS = {"right", "wrong", "unwritten"}
LONGEST_LINE = 8192  # bytes
READ_AT_ONCE = 1 << 20  # bytes of a file
SEAM = 64  # bytes before the place where reading goes on
LONGEST_TEXT = 300  # letters of a guess, or of anything else that a person wrote

STARTED = time.time()
PENDING: list[Event] = []  # events that could not be written yet
TOLD: set[Path] = set()  # folders of which a reader knows that they cannot be written
TORN: set[Path] = set()  # files that end in the middle of a line
LAST = [0.0]  # the time of the last event


def folder() -> Path:
    """Returns the folder of progress and predictions: beside the notebooks, or REMIX_FOLDER."""
    return place.START / (os.environ.get("REMIX_FOLDER") or ".remix")


def folders() -> list[Path]:
    """Returns where events may be written: the folder, then the one beside the notebooks."""
    return list(dict.fromkeys([folder(), place.START / ".remix"]))


def desk() -> str:
    """Returns 8 digits that stand for the user and the notebook's folder, and tell no name."""
    # A hub starts a user on one host today, and on another tomorrow.
    user = os.environ.get("JUPYTERHUB_USER")
    if not user:
        try:
            user = f"{getpass.getuser()}@{platform.node()}"
        except (OSError, KeyError, ImportError):  # a user without a name
            user = platform.node()
    return _digits(f"{user}:{place.START}")


def _digits(text: str) -> str:
    return sha256(text.encode(errors="replace")).hexdigest()[:8]


def file_name() -> str:
    """Returns the name of this kernel's file; a process that was forked from it has another one."""
    return f"{desk()}-{_digits(platform.node())}-{os.getpid()}-{int(STARTED):x}.jsonl"


def record(event: str, id: str, **facts: object) -> None:
    """Appends one event to this kernel's file.

    Where nothing can be written, one sentence says so, work goes on, and the event is kept in
    memory until it can be written.
    """
    LAST[0] = max(round(time.time(), 6), round(LAST[0] + 1e-6, 6))
    names = known_names()
    shared = {
        "time": LAST[0],
        "event": event,
        "id": id,
        "desk": desk(),
        **({"pair": names} if names else {}),
    }
    PENDING.append({**shared, **facts})
    while PENDING and _write(json.dumps(PENDING[0])):
        del PENDING[0]


def _write(line: str) -> bool:
    return any(append(each / "progress" / file_name(), line, each) for each in folders())


def append(path: Path, line: str, home: Path) -> bool:
    """Appends one line to a file and returns whether it could; says once that it could not."""
    data = f"{line}\n".encode()
    if path in TORN:
        data = b"\n" + data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open(
            "ab", buffering=0
        ) as file:  # one call of the system, so that threads do not mix their lines
            if file.write(data) != len(data):
                TORN.add(path)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as problem:
        _tell(home, problem)
        return False
    TORN.discard(path)
    return True


def _tell(home: Path, problem: OSError) -> None:
    if home not in TOLD:
        TOLD.add(home)
        print(
            f"Progress and predictions cannot be written in {home}: {problem.strerror}. "
            "Work goes on, and this kernel remembers them until they can be written.\n"
            "  fix: free space there and let it be written, or set REMIX_FOLDER to another folder "
            "before JupyterLab starts."
        )


@dataclass
class Reading:
    """How far a file has been read."""

    identity: tuple[int, int] = (0, 0)
    offset: int = 0  # bytes that are done with
    seam: bytes = b""  # the last of them; they tell whether the file is still the same
    skipping: bool = False  # the file ends in a line that is too long
    dropped: int = 0  # lines that are no events


def whole_lines(data: bytes, reading: Reading) -> list[bytes]:
    """Returns the whole lines of what was added, and notes how far they go.

    A line without its end is left for later; one that is too long counts as one line that is no
    event.
    """
    *lines, rest = data.split(b"\n")
    used = len(data) - len(rest)
    if lines and reading.skipping:
        lines, reading.skipping = lines[1:], False
    if len(rest) >= LONGEST_LINE or reading.skipping:
        used = len(data)
        reading.dropped += not reading.skipping
        reading.skipping = True
    reading.offset += used
    reading.seam = (reading.seam + data[:used])[-SEAM:]
    return [line if len(line) < LONGEST_LINE else b"too long" for line in lines]


class Record:
    """The events of a folder's files. Each call of `new` reads what was added since the last one.

    `dropped` counts the lines that were no events: torn, malformed, or too long.
    """

    def __init__(self, folder: Path, desk: str = ""):
        self.folder, self.pattern = folder / "progress", f"{desk}*.jsonl"
        self._readings: dict[Path, Reading] = {}

    @property
    def dropped(self) -> int:
        return sum(reading.dropped for reading in self._readings.values())

    def new(self) -> list[Event]:
        """Returns the events that were added, in the order of their times."""
        found = []
        for path in sorted(self.folder.glob(self.pattern)):
            try:
                if path.is_file():  # a pipe would keep us waiting
                    found += self._events(path)
            except OSError:  # gone in the meantime, or not ours to read
                continue
        return sorted(found, key=lambda event: event["time"])

    def _events(self, path: Path) -> Iterator[Event]:
        reading = self._readings.setdefault(path, Reading())
        for line in self._lines(path, reading):
            event = parse(line)
            if event is not None:
                yield event
            elif line.strip():
                reading.dropped += 1

    def _lines(self, path: Path, reading: Reading) -> Iterator[bytes]:
        with path.open("rb") as file:
            file.seek(reading.offset)
            while data := file.read(READ_AT_ONCE):
                before = reading.offset
                yield from whole_lines(data, reading)
                if reading.offset == before:  # a line without its end
                    return
                file.seek(reading.offset)


def parse(line: bytes) -> Event | None:
    """Returns the event of a line, or None for a line that is none.

    >>> parse(b'{"time": 1, "event": "solution", "id": "d1.2.3", "desk": "0a"}')["id"]
    'd1.2.3'
    >>> parse(b'{"time": 1, "event": "solu') is None
    True
    """
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if (
        not isinstance(event, dict)
        or not _is_one_of(event.get("event"), EVENTS)
        or not _is_number(event.get("time"))
    ):
        return None
    texts = [
        event.get("id"),
        event.get("desk"),
        *(event.get(name, "") for name in ("pair", "what", "guess", "value")),
    ]
    good = (
        all(isinstance(text, str) and len(text) <= LONGEST_TEXT for text in texts)
        and _is_number(event.get("seconds", 0))
        and _is_one_of(event.get("verdict", "right"), VERDICTS)
        and (event.get("mistake") is None or type(event["mistake"]) is int)
    )
    return event if good else None


def _is_one_of(value: object, known: set[str]) -> bool:
    return isinstance(value, str) and value in known


def _is_number(value: object) -> bool:
    """Whether a value is a number below 1e11; NaN is below no number."""
    return type(value) in (int, float) and abs(value) < 1e11  # type: ignore[arg-type]


def own_events() -> list[Event]:
    """Returns the events of this folder of notebooks, written or not, from all of its kernels."""
    found, shared = list(PENDING), folder()
    for each in folders():
        found += Record(
            each, desk() if each == shared and os.environ.get("REMIX_FOLDER") else ""
        ).new()
    return sorted(found, key=lambda event: event["time"])
