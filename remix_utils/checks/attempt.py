"""One call of somebody's function: under a time limit, with its warnings and its stderr held back."""

from __future__ import annotations

import contextlib
import ctypes
import io
import logging
import os
import random
import signal
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy
import torch

# A busy machine stretches wall time: what counts is the thread's own time, and wall time only when it is far above.
PATIENCE = 5


class TimeLimit(BaseException):
    """Raised inside a call that takes too long; no `except Exception` catches it."""


@dataclass
class Outcome:
    """What one call did: `value`, or `error`; and what it said on the side."""

    value: object = None
    error: Exception | None = None
    late: bool = False
    seconds: float = 0.0
    noise: list[str] = field(default_factory=list)


def attempt(function: Callable, *arguments: object, seconds: float = 2.0, seed: int = 0) -> Outcome:
    """Call the function with seeded global generators; every failure becomes part of the outcome.

    >>> attempt(lambda x: x / 0, 1).error
    ZeroDivisionError('division by zero')
    """
    outcome = Outcome()
    start = time.perf_counter()
    with held(outcome.noise), seeded(seed):
        try:
            outcome.value = limited(function, arguments, seconds)
        except TimeLimit:
            outcome.late = True
        except SystemExit as error:
            outcome.error = RuntimeError(f"it called sys.exit({error.code!r})")
        except Exception as error:
            outcome.error = error
    outcome.seconds = time.perf_counter() - start
    return outcome


def limited(function: Callable, arguments: tuple, seconds: float) -> object:
    """The function's value, or TimeLimit; by an alarm where there is one, otherwise by a thread."""
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return _by_alarm(function, arguments, seconds)
    return _by_thread(function, arguments, seconds)


def _by_alarm(function: Callable, arguments: tuple, seconds: float) -> object:
    used, wall, running, late = time.thread_time(), time.monotonic(), True, False

    def ring(*_: object) -> None:
        nonlocal late
        late = time.thread_time() - used > seconds or time.monotonic() - wall > PATIENCE * seconds
        if running and late:
            raise TimeLimit

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.05, 0.05)  # again and again: a bare `except:` may swallow the first
    try:
        value = function(*arguments)
        if late:  # it swallowed the alarm and went on
            raise TimeLimit
        return value
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before or signal.SIG_DFL)


def _by_thread(function: Callable, arguments: tuple, seconds: float) -> object:
    result: dict[str, object] = {}

    def work() -> None:
        try:
            result["value"] = function(*arguments)
        except BaseException as error:
            result["error"] = error

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(PATIENCE * seconds)
    late = thread.is_alive()
    for _ in range(20):
        if not thread.is_alive():
            break
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeLimit))
        thread.join(0.05)
    if late:
        raise TimeLimit
    if "error" in result:
        raise result["error"]  # pyright: ignore
    return result["value"]


@contextlib.contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Global generators start from the seed, and are put back: a verdict does not depend on what ran before."""
    kept = torch.get_rng_state(), numpy.random.get_state(), random.getstate()
    torch.manual_seed(seed)
    numpy.random.seed(seed % 2**32)
    random.seed(seed)
    try:
        yield
    finally:
        torch.set_rng_state(kept[0])
        numpy.random.set_state(kept[1])
        random.setstate(kept[2])


@contextlib.contextmanager
def held(noise: list[str]) -> Iterator[None]:
    """Collect warnings and stderr into `noise`: nbgrader gives 0 points to a test cell that writes to stderr."""
    text, level = io.StringIO(), logging.root.manager.disable
    with warnings.catch_warnings(record=True) as caught, contextlib.redirect_stderr(text), _descriptor(text):
        warnings.simplefilter("always")
        logging.disable(logging.CRITICAL)  # handlers made earlier keep the real stderr
        try:
            yield
        finally:
            logging.disable(level)
    noise += dict.fromkeys(f"{each.category.__name__}: {each.message}" for each in caught)
    noise += [line for line in text.getvalue().splitlines() if line.strip()][:5]


@contextlib.contextmanager
def _descriptor(text: io.StringIO) -> Iterator[None]:
    """What libraries write to file descriptor 2 by themselves."""
    with contextlib.ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            kept = os.dup(2)
        except OSError:  # no stderr at all, or nowhere to keep it
            yield
            return
        stack.callback(os.close, kept)
        stack.callback(os.dup2, kept, 2)
        if sys.__stderr__:
            sys.__stderr__.flush()
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            file.seek(0)
            text.write(file.read(100_000).decode(errors="replace"))
