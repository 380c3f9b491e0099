"""Frames of plain data over a socket: JSON with binary pieces, and a limit on everything.

No pickle: reading a frame makes numbers, texts, lists and bytes, whatever the other end sends.
"""

from __future__ import annotations

import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from typing import Any

from remix_utils.errors import RemixError

HEAD = struct.Struct("!4sIQI")  # magic, pieces, bytes of all pieces, bytes of the JSON text
READ, WORKER = b"read", b"start"  # a nursery is asked to read a lesson's cells, or for a worker
MAGIC = b"rmx1"
MOST_BYTES = 256 * 2**20
MOST_TEXT = 32 * 2**20
MOST_PIECES = 100_000
TICK = 0.05  # seconds between two looks at the other end's clock


class WireError(RemixError):
    """The other end sent what is no frame, or too much of it."""


class Gone(RemixError):
    """The other end has ended."""


class Channel:
    """One end of a socket that carries frames."""

    def __init__(self, end: socket.socket, look: Callable[[bool], object] | None = None):
        """`look` is called around a wait with False, and with True while nothing comes."""
        self.end, self.look = end, look
        self.end.setblocking(look is None)

    def send(self, message: Any, pieces: list[bytes]) -> None:
        """Sends one frame."""
        text = json.dumps(message, separators=(",", ":")).encode()
        sizes = struct.pack(f"!{len(pieces)}Q", *map(len, pieces))
        total = sum(map(len, pieces))
        head = HEAD.pack(MAGIC, len(pieces), total, len(text))
        small = b"".join([head, sizes, text, *(pieces if total < 65536 else [])])
        for part in [small] if total < 65536 else [small, *pieces]:
            self._write(memoryview(part))

    def receive(self) -> tuple[Any, list[memoryview]]:
        """Returns the next frame: its message and its pieces. WireError, or Gone at the end."""
        magic, count, total, length = HEAD.unpack(self._read(HEAD.size))
        if magic != MAGIC or count > MOST_PIECES or length > MOST_TEXT or total > MOST_BYTES:
            raise refused(f"a frame of {length:,} + {total:,} bytes in {count:,} pieces")
        sizes = struct.unpack(f"!{count}Q", self._read(8 * count))
        if sum(sizes) != total:
            raise refused("pieces that do not add up")
        try:
            message = json.loads(bytes(self._read(length)))
        except (ValueError, RecursionError) as error:
            raise refused(f"a text that is no JSON ({type(error).__name__})") from None
        return message, [self._read(size) for size in sizes]

    def close(self) -> None:
        self.end.close()

    def _write(self, data: memoryview) -> None:
        while data:
            try:
                sent = self.end.send(data)
            except BlockingIOError:
                self._wait(select.POLLOUT)
                continue
            except OSError as error:
                raise gone() from error
            data = data[sent:]

    def _read(self, count: int) -> memoryview:
        """Exactly so many bytes; room is made as they come, never for what is only announced."""
        data = bytearray()
        while len(data) < count:
            try:
                more = self.end.recv(min(count - len(data), 2**20))
            except BlockingIOError:
                self._wait(select.POLLIN)
                continue
            except OSError as error:
                raise gone() from error
            if not more:
                raise gone()
            data += more
        return memoryview(data)

    def _wait(self, event: int) -> None:
        waiting = select.poll()
        waiting.register(self.end.fileno(), event)
        look = self.look or _nothing
        look(False)
        while not waiting.poll(1000 * TICK):
            look(True)
        look(False)


def _nothing(waiting: bool) -> None:
    """Nobody looks."""


def refused(what: str) -> WireError:
    return WireError(f"The worker sent {what}.", fix="hand in answers, and leave the worker alone.")


def gone() -> Gone:
    return Gone(
        "the process of the answer has ended.",
        fix="leave out os._exit, and use less memory.",
    )


def cpu_clock(process: int) -> Callable[[], float]:
    """Returns a clock of the CPU seconds that another process has used; 0 once it has ended."""
    number = (~process << 3) | 2  # clock_getcpuclockid of Linux, which Python does not offer

    def seconds() -> float:
        try:
            return time.clock_gettime(number)
        except OSError:
            return 0.0

    return seconds if os.name == "posix" else lambda: 0.0
