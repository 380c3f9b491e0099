"""What a pair did, one JSON line an event, one file a kernel; never code, never a name."""

from __future__ import annotations

import contextlib
import json
import os
import time
from pathlib import Path

from remix_utils.checks.place import START

KERNEL = f"{int(time.time()):x}-{os.getpid()}"


def folder() -> Path:
    """Returns the folder of progress and predictions: beside the notebooks, or REMIX_FOLDER."""
    return Path(os.environ.get("REMIX_FOLDER") or START / ".remix")


def record(event: str, id: str, **facts: object) -> None:
    """Appends one event to this kernel's file; where nothing can be written, work goes on."""
    line = json.dumps({"time": round(time.time(), 3), "event": event, "id": id, **facts})
    with contextlib.suppress(OSError):
        path = folder() / "progress" / f"{KERNEL}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
