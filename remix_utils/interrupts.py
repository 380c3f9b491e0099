"""Ctrl-C in a program: it ends with one line, while Python still imports as well as at the very end."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType

STOPPED = 130


class Interrupts:
    """Notes Ctrl-C, which then raises KeyboardInterrupt as usual; the second one ends the process at once.

    What an interrupted import prints on its way out is no news, and is not shown. After the block, while Python shuts
    down, Ctrl-C does nothing. A program that was started with Ctrl-C ignored goes on ignoring it.
    """

    def __init__(self) -> None:
        self.came = False

    def __enter__(self) -> Interrupts:
        if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)
        return self

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self.came:
            os._exit(STOPPED)
        self.came = True
        sys.unraisablehook = lambda _: None
        raise KeyboardInterrupt

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
