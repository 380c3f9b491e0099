"""Judging through an executor, such as that of a Dask cluster that sees the same folders."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, as_completed
from typing import Any

from remix_utils.classroom.grading.judges import PART_SECONDS, TRIES, Result, Slot, line, lost
from remix_utils.classroom.grading.sandbox import SandboxError
from remix_utils.classroom.grading.slot import Task
from remix_utils.errors import RemixError

PATIENCE = 30.0  # seconds for a scheduler to answer
RETRIES = 3  # of a task whose machine is lost
ONE_AT_A_TIME = threading.Lock()
SLOTS: dict[bool, Slot] = {}  # the judging process of this one, by whether it has a sandbox


class ClusterError(RemixError):
    """No cluster can be reached."""


@contextlib.contextmanager
def cluster_at(address: str) -> Iterator[Executor]:
    """The executor of a Dask cluster, by the address of its scheduler."""
    try:
        from distributed import Client  # type: ignore[import-not-found]
    except ImportError:
        raise ClusterError(
            "Dask is not installed here.", fix="pip install 'remix-utils[cluster]'"
        ) from None
    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise ClusterError(
            f"No Dask scheduler answers at {address[:100]} ({type(error).__name__}).",
            fix="dask scheduler, then on each machine dask worker ADDRESS --nthreads 1.",
        ) from None
    with client:
        yield client.get_executor(retries=RETRIES)


def judge_through(
    executor: Executor,
    tasks: Sequence[Task],
    sandboxed: bool,
    keep: Callable[[Result], Result],
    say: Callable[[str], object],
) -> list[Result]:
    """Judges every task somewhere; each result is written here, as soon as it has come."""
    asked: dict[Future, Task] = {
        executor.submit(judge_here, dataclasses.asdict(task), sandboxed): task for task in tasks
    }
    results: list[Result] = []
    try:
        for future in as_completed(asked):
            result = future.result()
            results.append(keep(result) if result else lost(asked[future]))
            say(line(len(results), len(tasks), results[-1]))
    finally:
        for future in asked:
            future.cancel()
    return results


def judge_here(asked: dict[str, Any], sandboxed: bool) -> Result | None:
    """Judges one task in a process beside this one, which stays warm; None where it ends twice."""
    task = Task(**{**asked, "seeds": tuple(asked["seeds"])})
    with ONE_AT_A_TIME:
        for _ in range(TRIES):
            try:
                return _judged(task, sandboxed)
            except (EOFError, OSError):
                SLOTS.pop(sandboxed).end()
            except SandboxError:
                SLOTS.pop(sandboxed).end()
                raise
    return None


def _judged(task: Task, sandboxed: bool) -> Result | None:
    if sandboxed not in SLOTS:
        SLOTS[sandboxed] = Slot(sandboxed)
        SLOTS[sandboxed].answer()
    SLOTS[sandboxed].take(task)
    if not SLOTS[sandboxed].pipe.poll(PART_SECONDS):
        raise TimeoutError  # an OSError: the process hangs
    return SLOTS[sandboxed].answer()
