"""Answers that live in a process of their own: a fork of the test, asked over a pipe."""

import contextlib
import os
import signal
import socket
import warnings

from remix_utils.checks.attempt import RUNNING, TimeLimit
from remix_utils.checks.exercise import Wrong
from remix_utils.checks.judge import judge, judge_outcomes
from remix_utils.classroom.grading.judge_peer import JudgePeer
from remix_utils.classroom.grading.wire import Channel, Gone, cpu_clock
from remix_utils.classroom.grading.worker_peer import WorkerPeer


@contextlib.contextmanager
def answers_apart(make, seconds=60.0):
    """A peer whose worker makes an answer from whatever it is asked with, and may compute so long."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        warnings.simplefilter("ignore")  # here they would be errors; a worker has no such rule
        with contextlib.suppress(BaseException):
            WorkerPeer(Channel(theirs), make).serve_all()
        os._exit(0)
    theirs.close()
    clock = cpu_clock(child)

    def look(waiting):
        for watch in getattr(RUNNING, "watches", ()):
            watch.waited = 0.0  # this process waits for the other, which has a clock of its own
        if clock() > seconds:
            raise TimeLimit

    try:
        yield JudgePeer(Channel(ours, look=look))
    finally:
        ours.close()
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


def verdict(part, trial, answer):
    """The sentence about an answer; None if it is right."""
    try:
        if trial.asked.questions or answer is None or answer is ...:
            judge(part, trial.asked, answer)
        else:
            judge_outcomes(trial, answer)
    except Wrong as wrong:
        return wrong.fact
    except Gone as gone:
        return gone.fact
    return None
