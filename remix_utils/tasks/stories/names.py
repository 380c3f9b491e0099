"""Invented people, places and words: several tokens each, and new in every story."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from remix_utils.tasks.stream import Stream

SYLLABLES: dict[str, list[str]] = tomllib.loads(Path(__file__).with_name("names.toml").read_text(encoding="utf-8"))
TITLES = {"he": ("Mr", "Doctor", "Captain", "Professor"), "she": ("Mrs", "Miss", "Doctor", "Captain", "Professor")}
SIBLINGS = {"he": "brother", "she": "sister"}
KIN = ({"he": "cousin", "she": "cousin"}, {"he": "friend", "she": "friend"}, SIBLINGS)


@dataclass(frozen=True)
class Person:
    """Somebody in a story, with the words that stand for them.

    >>> someone = person(Stream("example", 4), "she")
    >>> str(someone), someone.full, someone.mr, someone.He
    ('Dandistine', 'Dandistine Witherby', 'Mrs Witherby', 'She')
    """

    first: str
    family: str
    he: str
    title: str
    kin: str  # what they are to the other one
    him: str
    his: str
    himself: str

    def __str__(self) -> str:
        return self.first

    @property
    def full(self) -> str:
        """First and family name."""
        return f"{self.first} {self.family}"

    @property
    def mr(self) -> str:
        """Title and family name."""
        return f"{self.title} {self.family}"

    @property
    def He(self) -> str:
        """The pronoun, at the beginning of a sentence."""
        return self.he.capitalize()

    @property
    def His(self) -> str:
        """Whose something is, at the beginning of a sentence."""
        return self.his.capitalize()


def person(stream: Stream, he: str, kin: str = "friend") -> Person:
    """Somebody who is "he" or "she"."""
    words = {"he": ("him", "his", "himself"), "she": ("her", "her", "herself")}[he]
    middle = "".join(stream.choose_several(SYLLABLES["middle"], 1 + stream.below(4) // 3))
    first = (_join(stream, "initial") + middle + _join(stream, he)).capitalize()
    return Person(first, _join(stream, "root", "link", "family"), he, stream.choose(TITLES[he]), kin, *words)


def people(stream: Stream) -> tuple[Person, Person, Person]:
    """The two people of a story, of whom one is "he" and the other "she", and a third."""
    he, other = stream.choose_several(("he", "she"), 2)
    kin = stream.choose(KIN)
    a, b, c = person(stream, he, kin[he]), person(stream, other, kin[other]), person(stream, stream.choose((he, other)))
    return a, replace(b, family=a.family) if kin is SIBLINGS else b, c


def town(stream: Stream) -> str:
    """The name of a place.

    >>> town(Stream("example", 1)), town(Stream("example", 2))
    ('Jessominster', 'Great Luntawich')
    """
    return f"{stream.choose(SYLLABLES['before'])} {_join(stream, 'root', 'link', 'town')}".strip()


def pet(stream: Stream) -> str:
    """The name of an animal.

    >>> pet(Stream("example", 1))
    'Rittin'
    """
    consonant = stream.choose("bdglmnpst")
    start = stream.choose("BDFGHJKLMNPRTWZ") + stream.choose("aeiou")
    return start + 2 * consonant + _join(stream, "pet")


def term(stream: Stream, kind: str) -> str:
    """A word for a tool, a machine, a plant, a dish, a creature, a game or a wind that does not exist.

    >>> term(Stream("example", 1), "tool"), term(Stream("example", 1), "creature")
    ('bloraneedle', 'bloranose')
    """
    stem, ending = _join(stream, "stem"), _join(stream, kind)
    return (
        stem + stream.choose(("", "", "el", "er") if ending[0] in "aeiou" else ("", "", "a", "el", "er", "i")) + ending
    )


def _join(stream: Stream, *parts: str) -> str:
    return "".join(stream.choose(SYLLABLES[part]) for part in parts)
