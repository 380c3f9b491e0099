"""Pictures of pixels, small enough to stand in a page."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Sequence
from struct import pack


def png(levels: Sequence[Sequence[int]], palette: Sequence[str], least: int = 1) -> str:
    """Returns a picture of palette indices [rows, columns] as an address that holds the whole PNG.

    Each index becomes a square of pixels, so that the picture is at least `least` pixels wide.

    >>> png([[0, 1], [1, 0]], ["#ffffff", "#000000"])[:27]
    'data:image/png;base64,iVBOR'
    """
    each = -(-least // len(levels[0]))
    # Each row begins with its filter, none.
    rows = [b"\0" + bytes(level for level in row for _ in range(each)) for row in levels for _ in range(each)]
    chunks = (
        (b"IHDR", pack(">IIBBBBB", len(rows[0]) - 1, len(rows), 8, 3, 0, 0, 0)),
        (b"PLTE", bytes.fromhex("".join(palette).replace("#", ""))),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    parts = (pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    picture = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    return f"data:image/png;base64,{b64encode(picture).decode()}"
