"""The clocks of one call: the CPU time that it used, and the time that it slept or waited."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

# A busy machine stretches wall time, so the limit counts the answer's CPU time. The backstop is for
# sleeping and waiting, which use no CPU. It counts neither time in the queue for a CPU nor a pause
# of the whole machine.
BACKSTOP = 60.0
TICK = 0.05  # seconds between two looks at the clock


class Watch:
    """The clocks of one call: the CPU time of its thread, and the time that it slept or waited."""

    def __init__(self, seconds: float, backstop: float):
        self.seconds, self.backstop = seconds, backstop
        self.active = False  # whether the answer runs, rather than the setup or cleanup around it
        self.elsewhere: list[Watch] = []  # calls inside this one that run in threads of their own
        self.start(time.thread_time)

    def start(self, clock: Callable[[], float]) -> None:
        """Starts counting from now, by the CPU clock of the thread that runs the answer."""
        self.used, self.waited, self.late, self._clock = 0.0, 0.0, "", clock
        self._thread = threading.get_native_id()
        self._cpu, self._wall, self._queued = clock(), time.monotonic(), queued(self._thread)

    def look(self) -> bool:
        """Returns whether the call is late now, or was late before."""
        before = self.used, self._wall, self._queued
        with contextlib.suppress(OSError):  # the clock of a thread that has ended: keep its last
            own = self._clock() - self._cpu
            self.used = own + sum(inner.used for inner in self.elsewhere)
        self._wall, self._queued = time.monotonic(), queued(self._thread)
        ran, passed, ready = (
            now - then
            for now, then in zip((self.used, self._wall, self._queued), before, strict=True)
        )
        ran = 0.0 if self._clock is time.monotonic else ran  # no CPU clock can be read
        # Looks come every TICK. A longer gap is a machine that stood still, or one long call in C.
        self.waited += min(max(passed - ran - ready, 0.0), 2 * TICK)
        if not self.late and self.used > self.seconds:
            self.late = "cpu"
        elif not self.late and self.waited > self.backstop:
            self.late = "wait"
        return bool(self.late)


def queued(task: int) -> float:
    """Returns the seconds for which a thread or a process was ready and had no CPU.

    0 where no system tells.

    >>> queued(threading.get_native_id()) >= 0
    True
    """
    try:
        with open(f"/proc/{task}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0
