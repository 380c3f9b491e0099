"""One call of an answer, under a limit of its own CPU time, with its warnings and stderr held back.

A loop in C that never looks at signals, such as sum(range(10**11)), cannot be stopped from inside
its process. In a notebook a restart of the kernel ends the loop, and a grader kills the process.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import dis
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
from types import FrameType

import numpy
import torch

from remix_utils.checks import watch as clocks
from remix_utils.checks.watch import BACKSTOP, TICK, Watch

AGAIN = 1e-5  # seconds from a swallowed TimeLimit to the next: soon enough to hit an `except` block
TRIES = 20  # exceptions sent to a late thread before it is abandoned
LIBRARIES = ("site-packages", "dist-packages", os.path.dirname(torch.__file__))
OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # may be installed there as well
FILES = (__file__, clocks.__file__)  # whose frames are no answer's
RUNNING = threading.local()  # `watches` of the calls that a thread is inside, the outermost first


class TimeLimit(BaseException):
    """Raised inside a call that takes too long; no `except Exception` catches it."""


@dataclass
class Outcome:
    """The value or the error of one call, and the lines it printed on stderr or warned of.

    `late` is "cpu" for a call that computed too long, "wait" for one that slept or waited, else "".
    """

    value: object = None
    error: Exception | None = None
    late: str = ""
    seconds: float = 0.0
    noise: list[str] = field(default_factory=list)
    changed: str = ""


def attempt(
    function: Callable,
    *arguments: object,
    seconds: float = 2.0,
    seed: int = 0,
    backstop: float = BACKSTOP,
) -> Outcome:
    """Calls a function with seeded generators and limited time; failures are part of the outcome.

    >>> attempt(lambda x: x / 0, 1).error
    ZeroDivisionError('division by zero')
    """
    outcome, watch = Outcome(), Watch(seconds, backstop)
    around = getattr(RUNNING, "watches", ())
    RUNNING.watches = (*around, watch)
    try:
        with held(outcome.noise), _isolated(seed):
            _fill(outcome, function, arguments, watch)
    finally:
        RUNNING.watches = around
    outcome.seconds = watch.used
    return outcome


def _fill(outcome: Outcome, function: Callable, arguments: tuple, watch: Watch) -> None:
    main = threading.current_thread() is threading.main_thread()
    # A handler that C code installed reads as None, and Python could not put it back.
    alarm = main and hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is not None
    run = _by_alarm if alarm else _by_thread
    try:
        outcome.value = run(function, arguments, watch)
    except TimeLimit:
        if not watch.late and any(outer.late for outer in RUNNING.watches):
            raise  # the limit of a call around this one
        outcome.late = "cpu"
    except SystemExit as error:
        outcome.error = RuntimeError(f"it called sys.exit({error.code!r})")
    except Exception as error:
        outcome.error = error
    if watch.late:  # a function may swallow TimeLimit, and then return or raise another error
        outcome.value, outcome.error, outcome.late = None, None, watch.late


def unwritten(error: BaseException | None) -> bool:
    """Returns whether an error is a stub's own `raise NotImplementedError()`.

    torch raises the same class for an operation without a kernel. That error has a message.

    >>> unwritten(NotImplementedError("no kernel")), unwritten(None)
    (False, False)
    """
    if type(error) is not NotImplementedError or error.args or error.__traceback__ is None:
        return False
    last = error.__traceback__
    while last.tb_next is not None:
        last = last.tb_next
    code = last.tb_frame.f_code
    by_raise = dis.opname[code.co_code[last.tb_lasti]] == "RAISE_VARARGS"
    library = any(part in code.co_filename for part in LIBRARIES)
    return by_raise and (not library or code.co_filename.startswith(OWN))


def _by_alarm(function: Callable, arguments: tuple, watch: Watch) -> object:
    before, traced = signal.getsignal(signal.SIGALRM), sys.gettrace()
    outer, started = signal.getitimer(signal.ITIMER_REAL), time.monotonic()
    watch.start(time.thread_time)
    try:
        signal.signal(signal.SIGALRM, _ring)
        signal.setitimer(signal.ITIMER_REAL, TICK, TICK)
        watch.active = True
        return function(*arguments)
    finally:
        watch.active = False  # first: Python handles no signal before the next call or jump
        sys.settrace(traced)
        watch.look()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        if outer[0]:  # the timer of a limit around this one, or of other code
            left = max(outer[0] - (time.monotonic() - started), 0.001)
            signal.setitimer(signal.ITIMER_REAL, left, outer[1])


def _ring(number: int, frame: FrameType | None) -> None:
    """Ends the answer if its limit is over, or a limit around it; setup and cleanup go on."""
    known = any(watch.late for watch in RUNNING.watches)
    late = [watch.look() for watch in RUNNING.watches]  # a nested limit stops no clock
    raising = frame is not None and frame.f_code in (_ring.__code__, _raise_on_line.__code__)
    if raising or not any(late) or not RUNNING.watches[-1].active:
        return
    if known:  # an earlier TimeLimit was swallowed, or is still on its way out
        while frame is not None and frame.f_code.co_filename not in FILES:
            frame.f_trace = _raise_on_line
            frame = frame.f_back
        sys.settrace(_raise_on_line)
        signal.setitimer(signal.ITIMER_REAL, AGAIN, TICK)
    raise TimeLimit


def _raise_on_line(frame: FrameType, event: str, argument: object) -> Callable | None:
    """Raises on the next line of a frame: a TimeLimit from an `except` block leaves its `try`."""
    if event == "line":
        signal.setitimer(signal.ITIMER_REAL, AGAIN, TICK)  # raising turns the tracing off
        raise TimeLimit
    # A new frame, such as the exit of a `with` block, may finish.
    return None if event == "call" else _raise_on_line


def _by_thread(function: Callable, arguments: tuple, watch: Watch) -> object:
    result: dict[str, object] = {}
    ready, around = threading.Event(), RUNNING.watches

    def work() -> None:
        RUNNING.watches = around
        watch.start(_clock_of_this_thread())
        ready.set()
        with contextlib.suppress(TimeLimit):  # one that arrives after the call has ended
            try:
                result["value"] = function(*arguments)
            except BaseException as error:
                result["error"] = error
            watch.look()

    if len(around) > 1 and hasattr(time, "pthread_getcpuclockid"):
        around[-2].elsewhere.append(watch)
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        ready.wait()
        while thread.is_alive() and not watch.look():
            thread.join(TICK)
    finally:
        _stop(thread)  # also if a limit around this one is over, or the stop button was pressed
    if "error" in result:
        raise result["error"]  # pyright: ignore
    return result.get("value")


def _clock_of_this_thread() -> Callable[[], float]:
    """Returns a CPU clock that other threads can read, or wall time on systems without one."""
    if not hasattr(time, "pthread_getcpuclockid"):
        return time.monotonic
    number = time.pthread_getcpuclockid(threading.get_ident())
    return lambda: time.clock_gettime(number)


def _stop(thread: threading.Thread) -> None:
    """Raises TimeLimit in a thread until it ends; a thread that swallows every one is abandoned."""
    for _ in range(TRIES):
        if not thread.is_alive():
            return
        number, error = ctypes.c_ulong(thread.ident or 0), ctypes.py_object(TimeLimit)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(number, error)
        thread.join(TICK)


def _refuse(*_: object) -> str:
    raise RuntimeError("it asked for input(), which a check cannot give")


@contextlib.contextmanager
def _isolated(seed: int) -> Iterator[None]:
    """Seeds the global generators and refuses `input()`; puts back both and the gradient mode."""
    with contextlib.ExitStack() as stack:
        stack.callback(random.setstate, random.getstate())
        stack.callback(numpy.random.set_state, numpy.random.get_state())
        stack.callback(torch.set_rng_state, torch.get_rng_state())
        stack.callback(torch.set_grad_enabled, torch.is_grad_enabled())  # a stop may cut no_grad
        stack.callback(setattr, builtins, "input", builtins.input)
        random.seed(seed)
        numpy.random.seed(seed % 2**32)
        torch.manual_seed(seed)
        builtins.input = _refuse
        yield


@contextlib.contextmanager
def held(noise: list[str]) -> Iterator[None]:
    """Collects warnings and stderr, since nbgrader gives 0 points to a cell that writes to stderr.

    >>> with held(noise := []): warnings.warn("careful")
    >>> noise
    ['UserWarning: careful']
    """
    text = io.StringIO()
    with warnings.catch_warnings(record=True) as caught, _stderr(text):
        warnings.simplefilter("always")
        yield
    noise += dict.fromkeys(f"{each.category.__name__}: {each.message}" for each in caught)
    noise += [line for line in text.getvalue().splitlines() if line.strip()][:5]


@contextlib.contextmanager
def _stderr(text: io.StringIO) -> Iterator[None]:
    """Collects stderr, and the text that libraries write to file descriptor 2; logging is off."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.redirect_stderr(text))
        stack.callback(logging.disable, logging.root.manager.disable)
        logging.disable(logging.CRITICAL)  # handlers made earlier keep the real stderr
        try:
            file = stack.enter_context(tempfile.TemporaryFile())
            kept = os.dup(2)
        except OSError:  # no stderr at all, or no temporary directory
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
