"""The process that workers are forked from: libraries are imported once, no answer runs here.

    python -m remix_utils.classroom.grading.nursery OPTIONS

It is asked over a socket, with the end of a worker's pipe, and says the number of each process.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import socket
import sys
import time

import torch

from remix_utils.classroom.grading import answering, calls, sandbox
from remix_utils.classroom.grading.peer import ROOM
from remix_utils.classroom.grading.wire import READ, Channel, Gone, WireError
from remix_utils.classroom.grading.worker_peer import WorkerPeer

WARM = ("numpy", "remix_utils", "remix_utils.circuits", "remix_utils.plot", "remix_utils.models",
        "remix_utils.tasks", "remix_utils.models.digits", "remix_utils.models.transformer",
        "remix_utils.tasks.ioi", "remix_utils.tasks.parens", "remix_utils.checks.predictions",
        "tqdm.auto")  # fmt: skip


ENDING = 2.0  # seconds that workers have to end


def main(number: int, readable: list[str] | None, cpu: float) -> None:
    """Forks a worker for each frame that comes, until the socket closes."""
    sandbox.die_with_parent()
    sandbox.first_to_go()
    control = socket.socket(fileno=number)
    torch.set_num_threads(1)
    for name in WARM:
        with contextlib.suppress(ImportError):
            __import__(name)
    torch.broadcast_shapes((1,), (1,))  # imports sympy the first time
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY) if readable is not None else -1
    trouble = ""
    if readable is not None:
        try:
            sandbox.nursery(readable, proc)
        except (sandbox.SandboxError, OSError) as error:
            trouble = str(error)
        sandbox.die_with_parent()  # again: another user's process does not
    gc.collect()
    gc.freeze()
    control.send(json.dumps({"trouble": trouble}).encode())
    while not trouble:
        message, ends, _, _ = socket.recv_fds(control, 64, 1)
        if not message:
            end()
            return
        reap()
        if message == READ:
            read_ahead(ends[0])
            control.send(b"{}")
            continue
        keeper = os.fork()
        if keeper == 0:
            keep(control, ends[0], proc, cpu)
        os.close(ends[0])


def read_ahead(file: int) -> None:
    """Reads a lesson's own cells, which most of the workers will need."""
    with os.fdopen(file) as listed:
        answering.in_texts(json.load(listed))
    gc.collect()
    gc.freeze()


def reap() -> bool:
    """Counts the time of workers that have ended as mine; tells whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG) != (0, 0):
            pass
    except ChildProcessError:
        return False
    return True


def end() -> None:
    """Waits a moment for workers that are ending; whatever runs on dies with this process."""
    deadline = time.monotonic() + ENDING
    while reap() and time.monotonic() < deadline:
        time.sleep(0.01)


def keep(control: socket.socket, end: int, proc: int, cpu: float) -> None:
    """Starts one worker, tells its number, and waits for its end."""
    sandbox.die_with_parent()
    try:
        child = sandbox.apart(proc) if proc >= 0 else os.fork()
    except (sandbox.SandboxError, OSError) as error:
        control.send(json.dumps({"trouble": str(error)}).encode())
        os._exit(1)
    if child == 0:
        work(control, end, proc, cpu)
    os.close(end)
    control.send(json.dumps({"process": child}).encode())
    os.waitpid(child, 0)
    os._exit(0)


def work(control: socket.socket, end: int, proc: int, cpu: float) -> None:
    """A worker: it has its end of the pipe and nothing else, and serves until the judge ends."""
    status = 1
    try:
        control.close()
        end = _alone_with(end)
        if proc >= 0:
            os.chdir(sandbox.DESK)
            os.environ.update(HOME=sandbox.DESK, TMPDIR=sandbox.DESK)
        else:
            sandbox.die_with_parent()
        sandbox.limits(cpu)
        sys.setrecursionlimit(sys.getrecursionlimit() + ROOM)
        if proc >= 0:
            sandbox.give_up_rights()
            calls.refuse_the_rest()
        peer = WorkerPeer(Channel(socket.socket(fileno=end)), answering.answer)
        answering.disarm(lambda part, *names: peer.ask("given", (part, names)))
        peer.serve_all()
    except (Gone, WireError):
        status = 0
    finally:
        os._exit(status)


def _alone_with(end: int) -> int:
    """Closes every other file; nothing is read from or written to the terminal."""
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(end, 3)
    for number in (0, 1, 2):
        os.dup2(nothing, number)
    os.closerange(4, 65536)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it lives as long as the process
    return 3


if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    main(asked["socket"], asked["readable"], asked["cpu"])
    os._exit(0)  # at once: the libraries have nothing to put away
