"""One call under a limit of its own CPU time, which leaves nothing changed behind it."""

import builtins
import itertools
import logging
import os
import random
import signal
import subprocess
import sys
import threading
import time
import warnings
from types import SimpleNamespace

import numpy
import pytest
import torch

from remix_utils.checks import attempt as module
from remix_utils.checks import watch as clocks
from remix_utils.checks.attempt import attempt
from remix_utils.checks.watch import TICK, Watch, queued
from tests.checks.endless import LIMIT, SPIN, Loop, as_on_windows, by_cpu_time, compute, everywhere


@pytest.fixture
def loop():
    """A loop that ends after the test, also in a thread that the attempt abandoned."""
    made = Loop()
    yield made
    made.ended.set()


SWALLOWING = [each for name, each in vars(Loop).items() if name.startswith("swallow")]
STOPPED = [Loop.spin, Loop.spin_without_gradients, Loop.swallow, Loop.swallow_twice, Loop.wait]


@everywhere
@pytest.mark.parametrize("endless", [Loop.spin, *SWALLOWING])
def test_an_endless_loop_is_stopped(place, endless, loop):
    """A loop that swallows exceptions is stopped as well, and has neither a value nor an error."""
    outcome = place(lambda: attempt(endless, loop, seconds=LIMIT))
    assert loop.goes_on()
    assert (outcome.late, outcome.value, outcome.error) == ("cpu", None, None)
    assert outcome.seconds > LIMIT


def test_a_swallowed_exception_is_followed_by_another(loop, monkeypatch):
    """The next line raises again, so no timer has to ring inside the `except` block."""
    monkeypatch.setattr(module, "AGAIN", module.TICK)
    code = "while True:\n try: spin(); break\n except BaseException: pass"
    assert attempt(exec, code, {"spin": loop.spin}, seconds=LIMIT).late == "cpu"
    assert loop.goes_on()


def test_the_thread_of_a_late_call_ends(loop):
    """Only a thread that swallows every exception is abandoned."""
    before = set(threading.enumerate())
    as_on_windows(lambda: attempt(loop.spin, seconds=LIMIT))
    assert loop.goes_on()
    assert set(threading.enumerate()) <= before


@everywhere
def test_waiting_is_stopped_by_the_backstop(place, loop):
    """Waiting uses no CPU time, so the backstop ends it, and the outcome says that it waited."""
    outcome = place(lambda: attempt(loop.wait, seconds=30, backstop=0.3))
    assert loop.goes_on()
    assert outcome.late == "wait"


def looks_at(monkeypatch, times, passed, ready=0.0):
    """What a watch with a backstop of a second says after some looks, on clocks made for the test."""
    wall, queue = itertools.count(0, passed), itertools.count(0, ready)
    time = SimpleNamespace(monotonic=lambda: next(wall), thread_time=lambda: 0.0)
    monkeypatch.setattr(clocks, "time", time)
    monkeypatch.setattr(clocks, "queued", lambda thread: next(queue))
    watch = Watch(seconds=2.0, backstop=1.0)
    for _ in range(times):
        watch.look()
    return watch.late


def test_no_verdict_depends_on_a_busy_machine(monkeypatch):
    """An hour in the queue for a CPU is no wait, and neither is an hour in which all stood still."""
    assert looks_at(monkeypatch, 1000, passed=3.6, ready=3.6) == ""
    assert looks_at(monkeypatch, 1, passed=3600.0) == ""


def test_a_wait_ends_on_a_busy_machine_too(monkeypatch):
    """The part of the time that a thread is not in the queue counts, and all of it on a free one."""
    assert looks_at(monkeypatch, 1000, passed=3.6, ready=3.59) == "wait"
    assert looks_at(monkeypatch, 30, passed=TICK) == "wait"


@pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="only Linux tells the queue")
def test_the_queue_of_a_thread_grows_on_a_busy_machine():
    """Beside four processes on the same CPU, a thread is ready for longer than it runs."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    others = [subprocess.Popen([sys.executable, "-S", "-c", SPIN]) for _ in range(4)]
    try:
        start = queued(threading.get_native_id())
        compute(0.3)
        ready = queued(threading.get_native_id()) - start
    finally:
        for other in others:
            other.kill()
            other.wait()
        os.sched_setaffinity(0, before)
    assert ready > 0.15


@by_cpu_time
def test_waiting_does_not_count(place):
    """An answer may wait longer than its limit, because the limit counts CPU time."""
    outcome = place(lambda: attempt(time.sleep, 2 * LIMIT, seconds=LIMIT))
    assert outcome.late == ""
    assert outcome.seconds < LIMIT


def test_wall_time_counts_where_no_clock_can_be_read(loop):
    """Without alarms and without the thread's clock, the limit counts the wall time of the call."""
    passed = as_on_windows(lambda: attempt(time.sleep, LIMIT, seconds=30))
    stopped = as_on_windows(lambda: attempt(loop.wait, seconds=LIMIT))
    assert passed.late == ""
    assert passed.seconds >= 0.9 * LIMIT
    assert loop.goes_on()
    assert stopped.late == "cpu"


@by_cpu_time
def test_a_busy_machine_does_not_matter(place):
    """The limit counts the call's own CPU time, here beside four processes that spin."""
    others = [subprocess.Popen([sys.executable, "-S", "-c", SPIN]) for _ in range(4)]
    try:
        outcome = place(lambda: attempt(compute, 0.3, seconds=1.0))
    finally:
        for other in others:
            other.kill()
            other.wait()
    assert (outcome.value, outcome.late) == ("done", "")
    assert 0.3 <= outcome.seconds < 1.0


@everywhere
def test_an_outer_limit_stops_an_inner_call(place, loop):
    """The outer limit is over first, so the inner call has no outcome and the outer one is late."""
    inner = []

    def nested():
        inner.append(attempt(loop.spin, seconds=30))

    outcome = place(lambda: attempt(nested, seconds=LIMIT))
    assert loop.goes_on()
    assert outcome.late == "cpu"
    assert inner == []


@by_cpu_time
def test_an_outer_limit_goes_on_after_an_inner_call(place, loop):
    """A late inner call does not end the outer one; its time counts, and the outer limit holds."""
    inner = []

    def nested():
        inner.append(attempt(loop.spin, seconds=LIMIT))
        return "after"

    def nested_and_endless():
        nested()
        loop.spin()

    passed = place(lambda: attempt(nested, seconds=30))
    stopped = place(lambda: attempt(nested_and_endless, seconds=4 * LIMIT))
    assert loop.goes_on()
    assert (passed.value, passed.late) == ("after", "")
    assert passed.seconds >= inner[0].seconds > LIMIT
    assert (stopped.late, inner[1].late) == ("cpu", "cpu")


@pytest.fixture
def foreign():
    """An alarm handler of other code: the list of the times it rang."""
    rang = []
    before = signal.signal(signal.SIGALRM, lambda *_: rang.append(time.monotonic()))
    yield rang
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize("endless", [Loop.spin, Loop.swallow])
def test_a_foreign_timer_is_put_back(foreign, endless, loop):
    """Handler, remaining time and interval are those of before, also after a stopped call."""
    handler = signal.getsignal(signal.SIGALRM)
    signal.setitimer(signal.ITIMER_REAL, 1000, 7)
    assert attempt(endless, loop, seconds=LIMIT).late == "cpu"
    left, interval = signal.getitimer(signal.ITIMER_REAL)
    assert signal.getsignal(signal.SIGALRM) is handler
    assert 0 < left < 1000 - LIMIT / 2
    assert interval == pytest.approx(7)


def test_a_foreign_timer_that_is_due_rings_after_the_call(foreign):
    """The alarm does not interrupt the call, and is not lost."""
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    outcome = attempt(lambda: compute(0.3) and foreign[:])
    end = time.monotonic() + 60
    while not foreign and time.monotonic() < end:
        time.sleep(0.01)
    assert outcome.value == []
    assert len(foreign) == 1


@everywhere
def test_input_is_refused_at_once(place, monkeypatch):
    """A check has no answer for `input()`, and the notebook's own `input` comes back."""

    def notebook_input(prompt=""):
        return "typed"

    monkeypatch.setattr(builtins, "input", notebook_input)
    outcome = place(lambda: attempt(lambda: input("your name: ")))
    assert isinstance(outcome.error, RuntimeError)
    assert str(outcome.error) == "it asked for input(), which a check cannot give"
    assert builtins.input is notebook_input


@everywhere
def test_every_failure_becomes_part_of_the_outcome(place):
    """Errors, sys.exit and StopIteration are outcomes."""
    assert isinstance(place(lambda: attempt(lambda: 1 / 0)).error, ZeroDivisionError)
    assert isinstance(place(lambda: attempt(next, iter([]))).error, StopIteration)
    assert str(place(lambda: attempt(sys.exit, 3)).error) == "it called sys.exit(3)"


def noisy():
    warnings.warn("careful", stacklevel=1)
    print("on stderr", file=sys.stderr)
    os.write(2, b"on descriptor 2\n")
    logging.getLogger("library").warning("logged")
    return {}["missing"]


@everywhere
def test_noise_is_held_back(place, capfd):
    """Warnings, stderr and descriptor 2 are collected, also from a call that fails."""
    outcome = place(lambda: attempt(noisy))
    assert isinstance(outcome.error, KeyError)
    assert outcome.noise[0] == "UserWarning: careful"
    assert sorted(outcome.noise[1:]) == ["on descriptor 2", "on stderr"]
    assert capfd.readouterr().err == ""


def draw():
    return torch.rand(2).tolist(), numpy.random.rand(), random.random()


@everywhere
def test_global_generators_are_seeded(place):
    """Equal seeds give equal draws, whatever was drawn before."""
    first = place(lambda: attempt(draw, seed=3))
    draw()
    second, other = place(lambda: [attempt(draw, seed=3), attempt(draw, seed=4)])
    assert first.value == second.value != other.value


def global_state():
    """Everything that an attempt changes for the time of the call."""
    return {
        "generators": (torch.get_rng_state().tolist(), random.getstate()),
        "numpy": numpy.random.get_state()[1].tolist(),
        "warnings": (warnings.filters[:], warnings.showwarning),
        "logging": logging.root.manager.disable,
        "stderr": (sys.stderr, os.fstat(2).st_dev, os.fstat(2).st_ino),
        "input": builtins.input,
        "gradients": torch.is_grad_enabled(),
        "alarm": (signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)),
        "tracing": (sys.gettrace(), sys._getframe(1).f_trace),
    }


@everywhere
@pytest.mark.parametrize("endless", STOPPED)
def test_a_stopped_call_leaves_everything_as_it_was(place, endless, loop):
    """Generators, warnings, stderr, logging, input, gradients, alarms and tracing are put back."""

    def nested():
        draw()
        torch.set_grad_enabled(False)
        attempt(compute, LIMIT / 4)
        endless(loop)

    logging.disable(logging.INFO)
    before = global_state()
    outcome = place(lambda: attempt(nested, seconds=LIMIT, backstop=4 * LIMIT))
    after = global_state()
    logging.disable(logging.NOTSET)
    assert outcome.late
    assert after == before
