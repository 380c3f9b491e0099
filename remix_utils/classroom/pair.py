"""The names of a pair, as far as it gives them."""

from __future__ import annotations

import contextlib
import os
import unicodedata
from pathlib import Path

LONGEST = 80


def pair_of(desk: Path, given: str | None) -> str:
    """Returns the names that a pair gives now, or gave before in its folder; '' for one that gave none."""
    path = desk / ".remix" / "pair.txt"
    names = clean(given or os.environ.get("REMIX_PAIR", ""))
    with contextlib.suppress(OSError, ValueError):
        if not names:
            return clean(path.read_text(encoding="utf-8"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(names, encoding="utf-8")
    return names


def clean(names: str) -> str:
    """Returns names as one line of visible characters.

    >>> clean("Ada,\\n\\x1b[1m Bo ")
    'Ada, [1m Bo'
    """
    kept = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in names)
    return " ".join(kept.split())[:LONGEST].strip()
