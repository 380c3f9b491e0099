"""Endless loops of every kind, and the places where a call may run."""

import signal
import threading
import time
import warnings

import pytest
import torch

LIMIT = 0.2
SPIN = "import time\nend = time.monotonic() + 60\nwhile time.monotonic() < end: pass"


def on_the_main_thread(function):
    return function()


def in_a_thread(function):
    """Runs a function off the main thread and returns its value."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function()))
    thread.start()
    thread.join()
    return found[0]


def as_on_windows(function):
    """Runs a function on the main thread without alarms and without clocks of other threads."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delattr(signal, "setitimer", raising=False)
        patch.delattr(time, "pthread_getcpuclockid", raising=False)
        return function()


everywhere = pytest.mark.parametrize("place", [on_the_main_thread, in_a_thread, as_on_windows])
by_cpu_time = pytest.mark.parametrize("place", [on_the_main_thread, in_a_thread])


class Loop:
    """Goes on for a minute, so that a limit that fails ends in an assertion and not in a hang."""

    def __init__(self):
        self.end, self.ended = time.monotonic() + 60, threading.Event()

    def goes_on(self):
        return time.monotonic() < self.end and not self.ended.is_set()

    def spin(self):
        while self.goes_on():
            pass

    def spin_without_gradients(self):
        with torch.no_grad():
            self.spin()

    def wait(self):
        self.ended.wait(60)

    def swallow(self):
        while self.goes_on():
            try:
                self.spin()
            except:  # noqa: E722
                continue

    def swallow_every_class(self):
        while self.goes_on():
            try:
                self.spin()
            except BaseException:
                continue

    def swallow_twice(self):
        while self.goes_on():
            try:
                try:
                    self.spin()
                except BaseException:
                    continue
            except BaseException:
                continue

    def swallow_in_finally(self):
        exec(compile_quietly(FINALLY), {"loop": self})

    def swallow_and_return(self):
        try:
            self.spin()
        except BaseException:
            return "swallowed"

    def swallow_and_raise(self):
        try:
            self.spin()
        except BaseException:
            raise ValueError("swallowed") from None


FINALLY = """
while loop.goes_on():
    try:
        loop.spin()
    finally:
        continue
"""


def compile_quietly(text):
    """Compiles a text; Python 3.14 warns of a `continue` that leaves a `finally` block."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return compile(text, "<answer>", "exec")


def compute(seconds):
    """Uses CPU time of this thread."""
    start = time.thread_time()
    while time.thread_time() - start < seconds:
        pass
    return "done"
