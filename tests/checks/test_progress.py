"""The record of progress as its readers see it: whole lines in the order of their times, whatever stands between."""

import json
import os
from pathlib import Path

import pytest

from remix_utils.checks import place, progress
from remix_utils.checks.progress import LONGEST_LINE, Record, parse


@pytest.fixture
def log(tmp_path) -> Path:
    """The file of a kernel."""
    (tmp_path / "progress").mkdir()
    return tmp_path / "progress" / "0a-0b-1-2.jsonl"


def line(n: int, **facts) -> bytes:
    event = {"time": 1e9 + n, "event": "check", "id": f"d1.1.{n}", "desk": "0a", "verdict": "right", **facts}
    return json.dumps(event).encode() + b"\n"


def ids(events) -> list[str]:
    return [event["id"] for event in events]


def test_a_reader_gets_each_event_once_and_in_order(log, tmp_path):
    """From all files, also those that come later; half a line is read when its other half is there."""
    record = Record(tmp_path)
    assert record.new() == []
    log.write_bytes(line(3) + line(5) + line(7)[:20])
    log.with_name("other.jsonl").write_bytes(line(4))
    assert ids(record.new()) == ["d1.1.3", "d1.1.4", "d1.1.5"]
    assert record.new() == []
    with log.open("ab") as file:
        file.write(line(7)[20:])
    log.with_name("third.jsonl").write_bytes(line(6))
    assert ids(record.new()) == ["d1.1.6", "d1.1.7"]
    assert record.dropped == 0


BAD = {
    "torn": line(1)[:30] + b"\n",
    "not UTF-8": b"\xff\xfe{}\n",
    "zeros": b"\x00" * 100 + b"\n",
    "a list": b"[1, 2]\n",
    "a number": b"1e999\n",
    "nested": b"[" * 5000 + b"\n",
    "nothing known": b'{"time": 1}\n',
    "another event": line(1, event="rm -rf"),
    "an event that is a list": line(1, event=["check"]),
    "a verdict that is a list": line(1, verdict=["right"]),
    "a time of 400 digits": line(1, time=10**400),
    "no time": line(1, time=None),
    "a time that is no number": line(1, time="now"),
    "a time that is NaN": line(1, time=float("nan")),
    "a time without end": line(1, time=float("inf")),
    "a time that is true": line(1, time=True),
    "an id that is a list": line(1, id=["d1.1.1"]),
    "an id that is long": line(1, id="d" * 301),
    "another verdict": line(1, verdict="<script>"),
    "a mistake that is text": line(1, mistake="1"),
    "seconds that are text": line(1, seconds="1"),
    "a pair that is an object": line(1, pair={"a": 1}),
    "a digit too many": b'{"time": ' + b"9" * 5000 + b"}\n",
    "too long": line(1, guess="x" * LONGEST_LINE),
    "a megabyte": b"x" * 10**6 + b"\n",
}


@pytest.mark.parametrize("kind", BAD)
def test_a_bad_line_is_dropped_and_counted(kind, log, tmp_path):
    """Once each, wherever it stands, and its neighbours are read."""
    log.write_bytes(line(1) + BAD[kind] + line(2) + BAD[kind])
    record = Record(tmp_path)
    assert ids(record.new()) == ["d1.1.1", "d1.1.2"]
    assert record.dropped == 2
    with log.open("ab") as file:
        file.write(line(3))
    assert ids(record.new()) == ["d1.1.3"] and record.dropped == 2


def test_a_line_without_end_is_one_bad_line(log, tmp_path):
    """However often it is looked at while it grows; what follows its end is read."""
    record = Record(tmp_path)
    for _ in range(5):
        with log.open("ab") as file:
            file.write(b"x" * 3 * LONGEST_LINE)
        assert record.new() == []
    with log.open("ab") as file:
        file.write(b"\n" + line(1))
    assert ids(record.new()) == ["d1.1.1"] and record.dropped == 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here, so none was read")
def test_what_is_no_file_is_passed_over(log, tmp_path):
    """A pipe, a folder, a link to nowhere or to an endless device."""
    os.mkfifo(log.with_name("pipe.jsonl"))
    log.with_name("folder.jsonl").mkdir()
    log.with_name("nowhere.jsonl").symlink_to("nothing")
    log.with_name("zero.jsonl").symlink_to("/dev/zero")
    log.write_bytes(line(1))
    assert ids(Record(tmp_path).new()) == ["d1.1.1"]


def test_every_event_that_is_written_is_read(tmp_path, monkeypatch):
    """With the names that a pair gave, as far as they are one short line, and no others."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path))
    monkeypatch.setattr(progress, "PENDING", [])
    monkeypatch.delenv("REMIX_PAIR", raising=False)
    progress.record("solution", "d1.1.1")
    monkeypatch.setenv("REMIX_PAIR", "Ada \n Bo" + "😀" * 100)
    for event, facts in {
        "check": {"verdict": "wrong", "seconds": 0.1, "edition": "ab", "mistake": 1},
        "start_at": {},
        "predict": {"what": "é" * 300, "guess": "\ud800" * 300},
        "measured": {"value": "1"},
    }.items():
        progress.record(event, "d1.1.1", **facts)
    record = Record(tmp_path)
    events = record.new()
    assert [event["event"] for event in events] == ["solution", "check", "start_at", "predict", "measured"]
    assert "pair" not in events[0] and events[1]["pair"].startswith("Ada Bo😀") and len(events[1]["pair"]) == 80
    assert record.dropped == 0


def test_times_grow_though_a_clock_goes_back(tmp_path, monkeypatch):
    """So that the last guess of a kernel stays the last one."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path))
    clock = [2e9, 2e9, 1e9, 2e9 + 1]
    monkeypatch.setattr(progress, "LAST", [0.0])
    monkeypatch.setattr(progress.time, "time", lambda: clock.pop(0))
    for n in range(4):
        progress.record("solution", f"d1.1.{n}")
    assert ids(Record(tmp_path).new()) == ["d1.1.0", "d1.1.1", "d1.1.2", "d1.1.3"]


def test_a_desk_is_the_same_in_all_kernels_of_a_folder_and_no_other(tmp_path, monkeypatch):
    """On a hub for as long as the user is the same, whatever machine the kernel runs on."""
    monkeypatch.setattr(place, "START", tmp_path / "a")
    here = progress.desk()
    assert progress.desk() == here
    monkeypatch.setattr(place, "START", tmp_path / "b")
    assert progress.desk() != here
    monkeypatch.setenv("JUPYTERHUB_USER", "ada")
    on_hub = progress.desk()
    monkeypatch.setattr(progress.platform, "node", lambda: "elsewhere")
    assert progress.desk() == on_hub
    monkeypatch.setenv("JUPYTERHUB_USER", "bo")
    assert progress.desk() != on_hub


def test_the_format_is_documented():
    """Every field that a reader may meet stands in the room's docstring."""
    event = {"time": 1, "event": "predict", "id": "d1.1.p1", "desk": "0a", "what": "x", "guess": "1", "pair": "Ada"}
    check = {**event, "event": "check", "verdict": "right", "seconds": 1, "edition": "a"}
    for known in (event, check, {**check, "mistake": None}, {**event, "event": "measured", "value": "1"}):
        assert parse(json.dumps(known).encode()) == known
        assert [name for name in known if f" {name}" not in progress.__doc__] == []
