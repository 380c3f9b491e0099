"""The words and the sentence frames of the stories, as they stand in the files of this folder."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
WORDS: dict[str, list[str]] = tomllib.loads((FOLDER / "words.toml").read_text(encoding="utf-8"))
COMMON = "common"


@dataclass(frozen=True)
class Beat:
    """One step of a story: frames of which one is taken, in a new paragraph or not, in every story or in half."""

    frames: tuple[str, ...]
    opens: bool
    optional: bool


@dataclass(frozen=True)
class Shape:
    """A kind of story: what its invented word is the name of, and its beats in order."""

    term: str
    beats: tuple[Beat, ...]


def plural(noun: str) -> str:
    """More than one of a regular noun.

    >>> plural("fox"), plural("pony"), plural("donkey")
    ('foxes', 'ponies', 'donkeys')
    """
    if re.search(r"(s|x|z|ch|sh)$", noun):
        return noun + "es"
    return re.sub(r"(?<![aeiou])y$", "ie", noun) + "s"


def with_articles(text: str) -> str:
    """A text in which every "a" before a vowel is "an"; our words are such that the letter decides.

    >>> with_articles("A oak, a elm and a birch.")
    'An oak, an elm and a birch.'
    """
    return re.sub(r"\b([Aa]) (?=[aeiouAEIOU])", r"\1n ", text)


def _sections(name: str) -> list[tuple[str, tuple[str, ...]]]:
    """The headings of a file, each with the frames under it."""
    found: list[tuple[str, list[str]]] = []
    for line in (FOLDER / "shapes" / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line[:1] in ("=", "+") or line.startswith("term "):
            found.append((line, []))
        elif line and not line.startswith("#"):
            found[-1][1].append(line.replace("|", "\n"))
    return [(heading, tuple(frames)) for heading, frames in found]


def _shape(name: str) -> Shape:
    (term, _), *sections = _sections(name)
    beats = []
    for heading, frames in sections:
        mark, title = heading[0], heading[1:].removesuffix("?").strip()
        beats.append(Beat(SHARED.get(title.removeprefix("@"), frames), mark == "=", heading.endswith("?")))
    return Shape(term.removeprefix("term "), tuple(beats))


SHARED = {heading.removeprefix("= "): frames for heading, frames in _sections(COMMON)}
SHAPES = {path.stem: _shape(path.stem) for path in sorted((FOLDER / "shapes").glob("*.txt")) if path.stem != COMMON}
