"""The files of a cohort as the board reads them: nothing that stands in one of them stops the others."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remix_utils.checks.progress import LONGEST_LINE
from remix_utils.classroom.board import lines as reading
from remix_utils.classroom.board.catalogue import Catalogue
from remix_utils.classroom.board.lines import Lines, Reading, event_of, whole_lines
from remix_utils.classroom.board.room import Room

COURSE = Catalogue({"d1.1": tuple(f"d1.1.{n}" for n in range(1, 10))})


def line(n: int = 1, **facts) -> bytes:
    event = {"time": 1e9 + n, "event": "check", "id": f"d1.1.{n}", "desk": "0a", "verdict": "wrong", **facts}
    return json.dumps(event).encode() + b"\n"


@pytest.fixture
def log(tmp_path) -> Path:
    """The file of a kernel, in a folder of progress."""
    (tmp_path / "progress").mkdir()
    return tmp_path / "progress" / "0a-0b-1-2.jsonl"


def ids(events) -> list[str]:
    return [event.id for event in events]


HOSTILE = {
    "HTML for an id": line(id="<script>alert(1)</script>"),
    "a path for an id": line(id="../../etc/passwd"),
    "letters of another script for digits": line(id="d١.1.1"),
    "HTML for a desk": line(desk="<b>"),
    "no desk": line(desk=None),
    "a desk of 300 digits": line(desk="0" * 300),
    "an event that is a list": line(event=["check"]),
    "a verdict that is an object": line(verdict={}),
    "a time of 400 digits": line(time=10**400),
    "a time that is NaN": line(time=float("nan")),
    "a time without end": line(time=float("inf")),
    "a mistake that is a text": line(mistake="3"),
    "a pair that is a list": line(pair=["Ada"]),
    "ten megabytes": b'{"time": 1, "pair": "' + b"x" * 10_000_000 + b'"}\n',
    "nested 100,000 deep": b"[" * 100_000 + b"\n",
    "nested as deep as a line may be": b'{"a":' * 1600 + b"\n",
    "a number of 8,000 digits": b"9" * 8000 + b"\n",
    "no text": bytes(range(128, 256)) + b"\n",
    "zeros": b"\0" * 5000 + b"\n",
    "two objects": line()[:-1] + line(),
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_a_line_that_is_no_event_costs_itself_and_is_counted(log, tmp_path, hostile):
    """The lines before and after it are read, whatever it is."""
    log.write_bytes(line(2) + hostile + line(3))
    lines, found = Lines(tmp_path), []
    for _ in range(12):
        found += lines.new()
    assert (ids(found), lines.dropped) == (["d1.1.2", "d1.1.3"], 1)


def test_what_is_odd_and_harmless_is_kept():
    """Names lose their control characters and surrogates; numbers that name no mistake name none."""
    assert event_of(line(pair="Ada\n\x1b[2J \ud800 Bo\u202e")).pair == "Ada [2J Bo"
    assert event_of(line(mistake=-5)).mistake == event_of(line(mistake=10**30)).mistake == -1
    assert event_of(line(edition=["e"])).edition == ""
    assert event_of(line(pair="<b>Ada</b>")).pair == "<b>Ada</b>"  # the page sets it as text


PIECE = st.one_of(
    st.sampled_from([*(each for each in HOSTILE.values() if len(each) < 10_000), b"\n", b"   \n"]),
    st.builds(
        line,
        st.integers(1, 9),
        desk=st.sampled_from(["0a", "0b"]),
        verdict=st.sampled_from(["right", "wrong", "unwritten"]),
        mistake=st.none() | st.integers(0, 2),
    ),
    st.builds(lambda n, length: line(n)[:-1] + b" " * length + b"\n", st.integers(1, 9), st.integers(8060, 8140)),
)


@given(st.lists(PIECE, max_size=12).map(b"".join), st.lists(st.integers(0, 20_000), max_size=12))
def test_reading_in_pieces_gives_what_reading_at_once_gives(data, cuts):
    """Wherever a write is cut, in the midst of a line or of a letter, the standing comes out the same."""
    whole, torn = Reading(), Reading()
    at_once = whole_lines(data, whole)
    one_by_one = []
    for end in [*sorted(min(cut, len(data)) for cut in cuts), len(data)]:
        one_by_one += whole_lines(data[torn.offset : end], torn)
    assert (torn.offset, torn.skipping, torn.seam) == (whole.offset, whole.skipping, whole.seam)

    def standing(lines: list[bytes], dropped: int):
        events = [event_of(each) for each in lines]
        room = Room(COURSE)
        room.add(event for event in events if event)
        return room.rows, dropped + sum(
            not event and bool(each.strip()) for event, each in zip(events, lines, strict=True)
        )

    assert standing(one_by_one, torn.dropped) == standing(at_once, whole.dropped)


@given(
    st.permutations(
        [line(n, desk=desk, verdict=v) for n in (1, 2) for desk in ("0a", "0b") for v in ("right", "wrong")]
    )
)
def test_the_order_of_files_does_not_matter(shuffled):
    """The standing rests on the events and their times, not on when they were read."""
    room, other = Room(COURSE), Room(COURSE)
    room.add(map(event_of, shuffled))
    for each in sorted(shuffled):
        other.add([event_of(each)])
    assert room.rows == other.rows


def test_half_a_line_waits_for_its_other_half(log, tmp_path):
    """It is neither read nor counted before its end is there, and is then read once."""
    lines = Lines(tmp_path)
    log.write_bytes(line(1) + line(2)[:25])
    assert (ids(lines.new()), ids(lines.new()), lines.dropped) == (["d1.1.1"], [], 0)
    with log.open("ab") as file:
        file.write(line(2)[25:])
    assert (ids(lines.new()), lines.new(), lines.dropped) == (["d1.1.2"], [], 0)


def test_a_file_that_shrinks_or_is_replaced_is_read_again(log, tmp_path):
    """By a shorter file, by another file of the same length, and in place; what was known counts once."""
    lines, room = Lines(tmp_path), Room(COURSE)
    log.write_bytes(line(1) + b"no event\n" + line(2))
    room.add(lines.new())
    log.write_bytes(line(3))
    assert ids(lines.new()) == ["d1.1.3"] and lines.dropped == 0
    log.write_bytes(line(4) + line(5))  # longer, and not what it was
    assert ids(lines.new()) == ["d1.1.4", "d1.1.5"]
    new = log.with_name("new")
    new.write_bytes(line(4) + line(6))
    os.replace(new, log)
    again = lines.new()
    assert ids(again) == ["d1.1.4", "d1.1.6"]
    room.add(again)
    room.add(again)
    assert room.rows["0a"].cells["d1.1.4"].wrong == 1


def test_links_pipes_and_folders_are_named_and_not_read(log, tmp_path):
    """Nobody is kept waiting, and a link leads the board nowhere."""
    log.write_bytes(line(1))
    secret = tmp_path / "secret"
    secret.write_bytes(line(2))
    log.with_name("link.jsonl").symlink_to(secret)
    log.with_name("dangling.jsonl").symlink_to(tmp_path / "nowhere")
    log.with_name("folder.jsonl").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(log.with_name("pipe.jsonl"))
    lines = Lines(tmp_path)
    assert ids(lines.new()) == ["d1.1.1"]
    said = " ".join(lines.notices)
    assert all(name in said for name in ("link.jsonl", "dangling.jsonl", "folder.jsonl"))
    assert "pipe.jsonl" in said or not hasattr(os, "mkfifo")


def test_what_may_not_be_read_is_named(log, tmp_path, monkeypatch):
    """As a system says it that refuses to open a file or to list a folder."""
    log.write_bytes(line(1))
    log.with_name("closed.jsonl").touch()
    real, listdir = os.open, os.listdir

    def opens(path, *rest, **more):
        if Path(path).name == "closed.jsonl":
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)

    def lists(path):
        if Path(path) == tmp_path / ".remix" / "progress":
            raise PermissionError(13, "Permission denied")
        return listdir(path)

    monkeypatch.setattr(reading.os, "open", opens)
    monkeypatch.setattr(reading.os, "listdir", lists)
    lines = Lines(tmp_path)
    assert ids(lines.new()) == ["d1.1.1"]
    assert lines.notices == [
        "Not read (Permission denied): closed.jsonl",
        "The folder cannot be read (Permission denied): progress",
    ]


def test_a_folder_that_is_not_there_is_said_until_it_is(tmp_path):
    """The board may start before the cohort does."""
    lines = Lines(tmp_path / "cohort")
    assert lines.new() == []
    assert "cannot be read (No such file or directory): cohort" in lines.notices[0]
    (tmp_path / "cohort" / "progress").mkdir(parents=True)
    (tmp_path / "cohort" / "progress" / "0a.jsonl").write_bytes(line(1))
    assert ids(lines.new()) == ["d1.1.1"] and lines.notices == []


def test_a_gigabyte_is_read_in_small_pieces_and_not_to_its_end(log, tmp_path, monkeypatch):
    """One round reads little of it, other files go on, and the page says where reading ended."""
    log.write_bytes(line(1))
    big = log.with_name("zz.jsonl")
    with big.open("wb") as file:
        file.truncate(1 << 30)  # zeros, which take no space
    monkeypatch.setattr(reading, "LARGEST_FILE", 4 << 20)
    lines = Lines(tmp_path)
    assert ids(lines.new()) == ["d1.1.1"]
    for _ in range(8):
        assert lines.new() == []
    with log.open("ab") as file:
        file.write(line(2))
    assert ids(lines.new()) == ["d1.1.2"]
    assert lines.notices == ["Read up to 4 MB: zz.jsonl"]
    assert lines.dropped == 1
    assert len(b"\0" * LONGEST_LINE) < reading.READ_AT_ONCE


@pytest.mark.parametrize("place", ["progress", ".remix/progress", "day1_graphs/.remix/progress"])
def test_folders_of_a_cohort_and_of_ones_own_are_found(tmp_path, place):
    """A cohort shares one folder; a desk has one beside each day's notebooks."""
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / place / "0a.jsonl").write_bytes(line(1))
    assert ids(Lines(tmp_path).new()) == ids(Lines(tmp_path / place).new()) == ["d1.1.1"]
