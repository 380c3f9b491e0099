"""Workers for the judge: started from a warm nursery, watched by their CPU clock, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remix_utils.checks.attempt import RUNNING, TimeLimit
from remix_utils.checks.watch import TICK, queued
from remix_utils.classroom.grading import sandbox
from remix_utils.classroom.grading.judge_peer import JudgePeer
from remix_utils.classroom.grading.wire import READ, WORKER, Channel, Gone, WireError, cpu_clock

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
START = 120.0  # seconds that a nursery may take to import its libraries
ENDING = 20.0  # seconds that it may take to end
WAITING = 30.0  # seconds that a worker may sleep or wait for one exercise
CPU = 600.0  # seconds of CPU after which the system ends a worker
PROOF = 20.0  # seconds of CPU for a trial of a worker
PROOF_PLAN = {"before": [], "hole": "two = 2", "between": [], "text": "two + two"}
HOME = str(Path(__file__).resolve().parents[3])  # where this package lies


class Worker:
    """One worker, and the judge's end of its pipe."""

    def __init__(self, process: int, end: socket.socket, given: Any):
        self.process, self.clock = process, cpu_clock(process)
        self.handle = handle_of(process)
        self.allowed, self.waited, self.before = 0.0, 0.0, (0.0, 0.0, 0.0)
        self.slept = 0.0  # seconds of waiting in all
        self.peer = JudgePeer(Channel(end, look=self.look), given)
        self.started = self.clock()

    def allow(self, cpu: float) -> None:
        """Allows so many more seconds of CPU from now on."""
        self.allowed, self.waited = self.clock() + cpu, 0.0

    def look(self, waiting: bool) -> None:
        """Ends a question that takes too long. TimeLimit, which a check tells as it should."""
        for watch in getattr(RUNNING, "watches", ()):
            watch.waited = 0.0  # the judge waits for the worker, which has clocks of its own
        now = self.clock(), time.monotonic(), queued(self.process)
        ran, passed, ready = (new - old for new, old in zip(now, self.before, strict=True))
        self.before = now
        if waiting:  # and not in the time that the judge took, or waited for a CPU
            idle = min(max(passed - ran - ready, 0.0), 2 * TICK)
            self.waited, self.slept = self.waited + idle, self.slept + idle
        if now[0] > self.allowed:
            raise TimeLimit
        if self.waited > WAITING:
            raise Gone("it was stopped: it sleeps, or waits.", fix="compute, and do not wait.")

    def end(self) -> None:
        """Kills the worker, and with it all its children."""
        self.peer.channel.close()
        with contextlib.suppress(ProcessLookupError):
            if self.handle is None:
                os.kill(self.process, signal.SIGKILL)
            else:
                signal.pidfd_send_signal(self.handle, signal.SIGKILL)
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None

    def spent(self) -> float:
        """Returns the seconds that the answer has computed and waited."""
        return self.clock() - self.started + self.slept


class Nursery:
    """The warm process that workers are forked from."""

    def __init__(self, sandboxed: bool = True, readable: tuple[str, ...] = ()):
        if not hasattr(os, "fork"):
            raise sandbox.SandboxError(
                f"Workers are forked, which {sys.platform} cannot.",
                fix="grade on Linux or macOS; Windows has WSL.",
            )
        ours, theirs = socket.socketpair(socket.AF_UNIX)
        paths = [*sandbox.installation(), *readable] if sandboxed else None
        asked = {"socket": theirs.fileno(), "readable": paths, "cpu": CPU}
        one = dict.fromkeys(THREADS, "1")
        self.program = subprocess.Popen(
            program("nursery", json.dumps(asked)),
            env={**_plain_environment(), **one},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        self.control = ours
        self.control.settimeout(START)
        try:
            self._read()
            self.prove()
        except sandbox.SandboxError:
            self.close()
            raise

    def worker(self, given: Any = None) -> Worker:
        """Starts a worker."""
        ours, theirs = socket.socketpair()
        socket.send_fds(self.control, [WORKER], [theirs.fileno()])
        theirs.close()
        return Worker(self._read()["process"], ours, given)

    def read_ahead(self, texts: Sequence[str]) -> None:
        """Lets the nursery read a lesson's cells, so that no worker must. Solutions stay here."""
        with tempfile.TemporaryFile() as file:
            file.write(json.dumps(texts).encode())
            file.seek(0)
            socket.send_fds(self.control, [READ], [file.fileno()])
            self._read()

    def prove(self) -> None:
        """Lets a worker answer a question with a known answer. SandboxError where it does not."""
        worker = self.worker()
        try:
            worker.allow(PROOF)
            right = worker.peer.ask("answer", PROOF_PLAN) == 4
            why = "its answer to 2 + 2 is wrong."
        except (Gone, WireError, TimeLimit) as end:
            right, why = False, str(end).partition("\n")[0] or "it takes too long."
        finally:
            worker.end()
        if not right:
            raise sandbox.SandboxError(
                f"A worker that was tried does not work: {why}", fix=sandbox.FIX
            )

    def close(self) -> None:
        """Ends the nursery: by the end of its socket, or else by force."""
        self.control.close()
        try:
            self.program.wait(ENDING)
        except subprocess.TimeoutExpired:
            self.program.kill()
            self.program.wait()

    def _read(self) -> dict:
        try:
            message = json.loads(self.control.recv(65536) or b'{"trouble": "it has ended."}')
        except TimeoutError:
            message = {"trouble": f"it said nothing for {START:.0f} s."}
        if message.get("trouble"):
            raise sandbox.SandboxError(
                f"No worker can be started. {message['trouble']}".partition("\n  fix: ")[0],
                fix=sandbox.FIX,
            )
        return message


def program(module: str, *arguments: str) -> list[str]:
    """Returns the command that runs a module of this package, with HOME as its PYTHONPATH.

    -P: the current folder may hold another remix_utils, such as the course's.
    """
    return [sys.executable, "-P", "-m", f"remix_utils.classroom.grading.{module}", *arguments]


def handle_of(process: int) -> int | None:
    """Returns a handle on a process, whose number may be another's after its end; None without."""
    try:
        return os.pidfd_open(process)
    except (AttributeError, OSError):  # not on this system, or it has ended already
        return None


def _plain_environment() -> dict[str, str]:
    """What a worker may know of the grader's environment."""
    kept = ("PATH", "LANG", "LC_ALL", "VIRTUAL_ENV", "PYTHONHASHSEED")
    own = {name: os.environ[name] for name in kept if name in os.environ}
    return {**own, "PYTHONPATH": HOME}
