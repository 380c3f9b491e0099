"""Frames that no honest worker sends are refused, and what an answer does to a judge ends with its fork."""

import contextlib
import errno
import faulthandler
import os
import signal
import socket

import numpy
import pytest
import torch

from remix_utils import array
from remix_utils.checks import bundle
from remix_utils.checks.part import Part
from remix_utils.classroom.grading import arrays, calls, failures, forks
from remix_utils.classroom.grading import referee as rooms
from remix_utils.classroom.grading.judge_peer import JudgePeer
from remix_utils.classroom.grading.plan import Submitted
from remix_utils.classroom.grading.referee import Referee
from remix_utils.classroom.grading.wire import Channel, WireError
from remix_utils.classroom.grading.workers import Nursery
from tests.checks.lessons import PARTS
from tests.grading.tiny_course import write_course

NEWS = {"kind": "value", "body": None, "things": [], "changed": [], "hooks": [], "shown": []}


def turned(output):
    return output.flip(0)


class Holder:
    """An object of a check."""

    children, name = (), "held"


@contextlib.contextmanager
def a_judge():
    """A judge, and the worker's end of its pipe."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield JudgePeer(Channel(ours)), Channel(theirs)


def weights(name, form):
    return {"changed": [[1, ["weights", [[name, form]]]]]}


FRAMES = {
    "globals of a judge's function": (turned, weights("__globals__", ["dict", [["torch", 0]]])),
    "the content of a judge's module": (torch.nn.ReLU(), weights("_forward_hooks", ["dict", []])),
    "a weight that is none": (torch.nn.ReLU(), {"changed": [[1, ["dict", []]]]}),
    "another node below a node": (array([1.0], "x"), {"changed": [[1, ["node", None, [], "y"]]]}),
    "another name of an object": (Holder(), {"changed": [[1, ["node", None, [], "y"]]]}),
    "a value that changes": (turned, {"things": [[1, ["list", 0]], [1, ["list", 6]]]}),
    "an endless range": (turned, {"body": ["range", 0, 10**12, 1]}),
    "a tuple of many names": (turned, {"body": ["named", "a", ["b"] * 10_000, []]}),
}


@pytest.mark.parametrize("frame", FRAMES)
def test_a_hostile_frame_is_refused(frame):
    """It raises WireError, and the judge's object stays as it was."""
    target, news = FRAMES[frame]
    globals_before = dict(globals())
    with a_judge() as (judge, worker):
        judge.number(target, content=True)
        worker.send({**NEWS, **news}, [])
        with pytest.raises(WireError):
            judge.receive()
    assert globals() == globals_before
    assert getattr(target, "name", "held") in ("held", "x")


def test_a_random_state_beyond_its_memory_is_refused():
    """numpy would read numbers from behind the state."""
    pieces = []
    facts = arrays.from_states(arrays.random_states(), lambda data: pieces.append(data) or len(pieces) - 1)
    arrays.set_states(facts, pieces)
    for position in (625, -1):
        facts[1][2] = position
        with pytest.raises(WireError, match="random state"):
            arrays.set_states(facts, pieces)
    assert 0 <= numpy.random.get_state()[2] <= 624


def test_what_a_fork_writes_into_stays_there():
    """The judge's own objects are as they were."""
    kept = {"seen": []}
    assert forks.in_a_fork(lambda: kept["seen"].append(1) or {"seen": kept["seen"]}, cpu=20) == {"seen": [1]}
    assert kept == {"seen": []}


def endless():
    while True:
        pass


def large():
    return {"size": len(bytearray(2 * forks.MEMORY))}


def dies():
    faulthandler.disable()
    os.kill(os.getpid(), signal.SIGSEGV)


@pytest.mark.parametrize("judgement", [endless, large, dies])
def test_a_fork_beyond_its_limits_is_told_by_nothing(judgement, capfd):
    """One that computes on, takes much memory or crashes costs one judgement."""
    assert forks.in_a_fork(judgement, cpu=1) is None


def test_a_fork_that_others_end_is_an_error():
    """It is no zero: somebody ended it, such as a machine without memory."""
    with pytest.raises(forks.ForkLost):
        forks.in_a_fork(lambda: os.kill(os.getpid(), signal.SIGKILL), cpu=20)


@pytest.mark.parametrize("machine", calls.MACHINES)
def test_the_filter_of_system_calls_allows_threads_and_refuses_the_rest(machine):
    """Each call gets its answer from the filter, run here line by line as the system runs it."""
    column, own = calls.MACHINES[machine]
    refused, missing = calls.REFUSE | errno.EPERM, calls.REFUSE | errno.ENOSYS

    lines = calls.program(machine)

    def answer(number, first=0, table=own):
        facts, value, place = {calls.NUMBER: number, calls.MACHINE: table, calls.FIRST: first}, 0, 0
        tests = {
            calls.EQUAL: lambda operand: value == operand,
            calls.AT_LEAST: lambda operand: value >= operand,
            calls.HAS: lambda operand: value & operand,
        }
        while True:
            code, yes, no, operand = lines[place]
            if code == calls.RETURN:
                return operand
            if code == calls.LOAD:
                value = facts[operand]
            else:
                place += yes if tests[code](operand) else no
            place += 1

    for numbers in calls.REFUSED.values():
        assert numbers[column] is None or answer(numbers[column]) == refused
    assert answer(calls.CLONE3[column]) == missing
    assert answer(calls.CLONE[column], first=17) == refused
    assert answer(calls.CLONE[column], first=0x3D0F00) == calls.ALLOW  # as pthread_create asks
    assert answer(calls.SOCKET[column], first=2) == refused
    assert answer(calls.SOCKET[column], first=1) == calls.ALLOW
    assert answer(calls.OTHER_TABLE + 57) == refused
    assert answer(0) == calls.ALLOW
    assert answer(0, table=0x40000003) == calls.KILL


@pytest.fixture(scope="module")
def referee(tmp_path_factory):
    """A judge of the tiny part."""
    day, _, _ = write_course(tmp_path_factory.mktemp("course"))
    nursery = Nursery(sandboxed=False)
    yield Referee(Part(bundle.read(day / "checks" / "part1_tiny.remix")), nursery, (5,))
    nursery.close()


RIGHT = ("def double(n):\n    return n + n", "def twice_and_one(n):\n    return double(n) + 1")
HOLES = {"d9.1.1": 0, "d9.1.2": 1}


def test_answers_that_wait_together_are_given_up(referee, monkeypatch):
    """Many short sleeps cost their own part, and the next submission has its time again."""
    monkeypatch.setattr(rooms, "PATIENCE", 0.5)
    slow = ("import time\ntime.sleep(1)\n" + RIGHT[0], RIGHT[1])
    found = referee.verdicts(Submitted(slow, HOLES))
    assert [(each.points, each.sentence) for each in found] == [(2, ""), (0, rooms.OVER)]
    monkeypatch.undo()
    assert [each.points for each in referee.verdicts(Submitted(RIGHT, HOLES))] == [2, 3]


@pytest.mark.parametrize(
    ("error", "said"),
    [(SystemExit(1), rooms.STRAINED), (MemoryError(), rooms.STRAINED), (TypeError("no order"), "TypeError: no order")],
)
def test_a_comparison_that_fails_costs_one_exercise(referee, monkeypatch, error, said):
    """The judge goes on, whatever comparing an answer ends in."""

    def fails(trial, answer):
        raise error

    monkeypatch.setattr(rooms, "judge_outcomes", fails)
    found = referee.verdicts(Submitted(RIGHT, HOLES))
    assert [each.points for each in found] == [0, 0] and all(said in each.sentence for each in found)
    monkeypatch.undo()
    assert [each.points for each in referee.verdicts(Submitted(RIGHT, HOLES))] == [2, 3]


def test_a_lesson_hands_out_nothing_ahead_of_time():
    """The planted circuit is the answer to one exercise, and data for the cells after it."""
    part = PARTS["d4.4"]
    assert rooms.given_names(part, "d4.4.4") == rooms.given_names(part, "d4.4.5") == frozenset()
    assert rooms.given_names(part, "d4.4.9") == {"CIRCUIT"}
    assert rooms.given_names(part, "d4.4.10") == {"CIRCUIT", "FIRST", "SECOND"}


def test_a_verdict_of_a_check_is_no_error_of_an_answer():
    """Wherever the judge imports it: otherwise an answer could write what the check says."""
    for name in ("Wrong", "TimeLimit"):
        assert failures.known_class("remix_utils.classroom.grading.referee", name) is None
    assert failures.known_class("builtins", "ValueError") is ValueError
