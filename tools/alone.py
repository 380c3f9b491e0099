"""One set-up at a time in a folder, on every system. Standard library only."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.installing import SetupError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None
try:
    import msvcrt
except ImportError:  # everywhere else
    msvcrt = None


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Keep a second set-up out; the system lets go however we end."""
    (root / "build").mkdir(exist_ok=True)
    file = os.open(root / "build" / "setup.lock", os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _lock(file)
        yield
    except BlockingIOError:
        raise SetupError("Another set-up is at work in this folder.", "wait until it ends, then try again.") from None
    finally:
        os.close(file)


def _lock(file: int) -> None:
    """BlockingIOError where another process holds the lock. A system without locks goes on without one."""
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    elif msvcrt is not None:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            raise BlockingIOError from None
