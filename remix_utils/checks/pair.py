"""The names of a pair, as far as it gives them: in a notebook, or by `remix pair` and `remix lab`.

They are kept in `.remix/pair.txt`, beside the notebooks or in the folder above. A kernel reads them
whoever started it, and an event of progress carries them from the moment they are given.
"""

from __future__ import annotations

import os
import stat
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from remix_utils.checks import place
from remix_utils.errors import RemixError

FILE = Path(".remix") / "pair.txt"
LONGEST = 80  # letters of all names together
WAYS = 'To give them: pair("Ada", "Grace"), or in a terminal: remix pair Ada Grace'
MOST_BYTES = 1024  # of the file: names that were kept have fewer
# A pipe in the file's place would keep a check waiting.
FLAGS = os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_CLOEXEC", "O_BINARY"))


class PairError(RemixError):
    """Names that cannot be read by people, or cannot be kept."""


def pair(*names: str) -> None:
    """Puts the names of a pair on its work: `pair("Ada", "Grace")`. Without names, prints them.

    Raises PairError for names that nobody can see and for a folder that cannot be written.
    """
    give(names, place.START)


def give(names: Sequence[str], folder: Path) -> None:
    """Keeps names, if there are any, in a folder of work, and prints those that hold there."""
    if names:
        keep(joined(names), folder)
    known = known_names(folder)
    print(f"The work of {known}." if known else f"No names are given. {WAYS}")


def joined(names: Sequence[str]) -> str:
    """Returns names as one line.

    >>> joined(("Ada", "Grace "))
    'Ada, Grace'

    Raises PairError where nothing of them can be seen.
    """
    if not all(isinstance(name, str) for name in names):
        raise PairError(
            f"The names are {names!r}.", fix='give them as texts: pair("Ada", "Grace").'
        )
    kept = clean(", ".join(filter(None, map(clean, names))))
    if not kept:
        raise PairError(
            "These names have no visible character.", fix='give some: pair("Ada", "Grace").'
        )
    return kept


def clean(names: str) -> str:
    """Returns names as one line of visible characters.

    >>> clean("Ada,\\n\\x1b[1m Bo ")
    'Ada, [1m Bo'
    """
    kept = "".join(" " if unicodedata.category(each)[0] in "CZ" else each for each in names)
    return " ".join(kept.split())[:LONGEST].strip()


def keep(names: str, folder: Path) -> None:
    """Keeps names in a folder of work. PairError where it cannot be written."""
    path = folder / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(names, encoding="utf-8")
    except OSError as problem:
        raise PairError(
            f"The names cannot be kept in {path}: {problem.strerror}.",
            fix="let that folder be written, or set REMIX_PAIR before JupyterLab starts.",
        ) from problem


def kept_in(folder: Path) -> tuple[float, str]:
    """Returns when names were kept in a folder, and the names; '' where there are none."""
    try:
        number = os.open(folder / FILE, FLAGS)
        with open(number, "rb") as file:
            facts = os.fstat(number)
            if not stat.S_ISREG(facts.st_mode):
                return 0.0, ""
            return facts.st_mtime, clean(file.read(MOST_BYTES).decode(errors="replace"))
    except OSError:
        return 0.0, ""


def known_names(folder: Path | None = None) -> str:
    """Returns the names given last, beside the notebooks or above; else those of REMIX_PAIR."""
    here = folder or place.START
    given = [each for each in map(kept_in, (here, here.parent)) if each[1]]
    return max(given)[1] if given else clean(os.environ.get("REMIX_PAIR", ""))
