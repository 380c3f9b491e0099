"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace(target: Path, data: bytes) -> None:
    """Writes a file whole or not at all; a link in its place is replaced, never followed."""
    os.replace(draft(data, target), target)


def draft(data: bytes, target: Path) -> Path:
    """Returns a file beside the target that holds the data, on the disk."""
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
    return fresh
