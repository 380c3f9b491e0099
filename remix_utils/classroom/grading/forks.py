"""A judgement in a process of its own: whatever an answer brings about in the judge ends with it.

The fork has all that the judge has loaded. Its memory and CPU time are bounded, so that an answer
which is large to compare costs its own points, and what is written into the judge's objects is
written into those of the fork.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remix_utils.classroom.grading.sandbox import die_with_parent

MEMORY = 4 * 2**30  # bytes beyond what the judge has already
MOST_BYTES = 2**20  # of what a fork tells
STRAINED = "comparing it takes too much memory or time."


class ForkLost(RuntimeError):
    """A fork was ended from outside, which is nobody's fault here."""


def in_a_fork(judgement: Callable[[], dict[str, Any]], cpu: float) -> dict[str, Any] | None:
    """Returns what a judgement returns in a fork; None where the fork has gone beyond its limits.

    >>> in_a_fork(lambda: {"points": 2}, cpu=10)
    {'points': 2}
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        _tell(judgement, writing, cpu)
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as end:
            said = end.read(MOST_BYTES)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in (signal.SIGKILL, signal.SIGTERM):
        raise ForkLost("a judgement was ended from outside")
    return json.loads(said) if status == 0 else None


def _tell(judgement: Callable[[], dict[str, Any]], writing: int, cpu: float) -> None:
    status = 1
    try:
        die_with_parent()
        _limit(cpu)
        with os.fdopen(writing, "wb") as end:
            end.write(json.dumps(judgement()).encode())
        status = 0
    finally:
        os._exit(status)


def _limit(cpu: float) -> None:
    import resource  # not on every system; without it there is no grading either

    used = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    bounds = {resource.RLIMIT_CPU: int(used + cpu) + 1, resource.RLIMIT_CORE: 0}
    if os.path.exists("/proc/self/statm"):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        bounds[resource.RLIMIT_AS] = pages * resource.getpagesize() + MEMORY
    for kind, bound in bounds.items():
        _, most = resource.getrlimit(kind)
        soft = bound if most == resource.RLIM_INFINITY else min(bound, most)
        resource.setrlimit(kind, (soft, most))
