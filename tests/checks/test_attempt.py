"""One call of somebody's function: nothing it does gets past the limits."""

import logging
import os
import random
import sys
import threading
import time
import warnings

import numpy
import pytest
import torch

from remix_utils.checks.attempt import TimeLimit, attempt, limited


def test_an_endless_loop_is_stopped_even_when_it_swallows_exceptions():
    """The alarm rings again and again."""
    start = time.monotonic()
    outcome = attempt(endless_but_polite, seconds=0.2)
    assert outcome.late
    assert time.monotonic() - start < 5
    assert attempt(lambda: 3).value == 3


def endless_but_polite():
    """Swallows one exception of any kind, not all of them."""
    for _ in range(2):
        try:
            while True:
                sum(range(1000))
        except:  # noqa: E722 - what a reader may write
            pass
    return "swallowed twice"


def test_sleeping_is_stopped_by_the_wall_clock():
    """A call that uses no time of its own is not waited for without end."""
    assert attempt(time.sleep, 60, seconds=0.1).late


def test_the_limit_holds_in_threads_too():
    """Where no alarm can ring, a second thread is interrupted."""
    caught = []

    def work():
        try:
            limited(endless_but_polite, (), 0.05)
        except TimeLimit as error:
            caught.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join(10)
    assert len(caught) == 1


def test_warnings_and_stderr_are_held_back(capfd):
    """nbgrader gives 0 points to a test cell that writes to stderr, by whichever door."""

    def noisy():
        warnings.warn("careful", stacklevel=1)
        print("printed", file=sys.stderr)
        os.write(2, b"from a library\n")
        logging.getLogger("somebody").warning("logged")
        return 1

    logging.getLogger("somebody").addHandler(handler := logging.StreamHandler(sys.stderr))
    outcome = attempt(noisy)
    logging.getLogger("somebody").removeHandler(handler)
    assert outcome.value == 1
    assert outcome.noise == ["UserWarning: careful", "printed", "from a library"]
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("leave", [sys.exit, lambda: sys.exit(3), lambda: 1 / 0, lambda: [][0]])
def test_leaving_by_any_door_is_an_outcome(leave):
    """An exception, or sys.exit, is reported and not raised."""
    assert attempt(leave).error is not None


def test_an_interrupt_goes_through():
    """Whoever presses the stop button is heard."""

    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        attempt(interrupted)


def test_global_generators_are_seeded_and_put_back():
    """A verdict does not depend on what ran before, and changes nothing for what runs after."""
    state = torch.get_rng_state()
    draws = [attempt(lambda: (torch.rand(1), numpy.random.rand(), random.random())).value for _ in range(2)]
    assert draws[0] == draws[1]
    assert torch.equal(state, torch.get_rng_state())
