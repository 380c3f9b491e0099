"""Questions of a recall quiz: a number, a name that stands in the notebook, or a listed option."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

import numpy

from remix_utils.checks.compare import plain

TOLERANCE = 1e-6  # of the value; a quiz asks for numbers that are remembered, not measured


@dataclass(frozen=True)
class Question:
    """One question: how an answer is read, the form asked for, and a sentence if it is wrong."""

    read: Callable[[object], object]
    form: str
    says: str
    options: tuple[str, ...] = ()
    tolerance: float = TOLERANCE
    also: tuple[object, ...] = ()

    def accepts(self, given: object, right: object) -> bool:
        """Whether the answer is the right one, in any spelling of its form."""
        return any(self._equal(self.read(given), self.read(each)) for each in (right, *self.also))

    def _equal(self, given: object, right: object) -> bool:
        if isinstance(given, float) and isinstance(right, float):
            return abs(given - right) <= self.tolerance * max(1.0, abs(right))
        return given is not None and given == right


def number(*, says: str, within: float = TOLERANCE, also: tuple[object, ...] = ()) -> Question:
    """Asks for a number, in any spelling; `within` is the tolerance, relative above 1.

    >>> asked = number(says="Half of them.")
    >>> [asked.accepts(each, 0.5) for each in (0.5, "1/2", "50 %", ".5", "half")]
    [True, True, True, True, True]
    """
    return Question(read_number, "a number", says, tolerance=within, also=also)


def name(*, says: str, also: tuple[object, ...] = ()) -> Question:
    """Asks for a name that stands in the notebook; `also` lists further names of the same thing.

    >>> name(says="Which paths?").accepts("K composition", "k-composition")
    True
    """
    return Question(read_name, "a name from the notebook", says, also=also)


def option(*options: str, says: str) -> Question:
    """Asks for one of the options that the question lists.

    >>> asked = option("shrinks", "grows", says="Rounding in float64 is smaller.")
    >>> asked.accepts(" Shrinks. ", "shrinks"), asked.read("gets smaller")
    (True, None)
    """
    listed = ", ".join(map(repr, options))
    return Question(
        lambda given: _chosen(given, options), f"one of {listed}", says, options=options
    )


def _chosen(given: object, options: tuple[str, ...]) -> str | None:
    """The option that an answer names, alone or among other words; None if that is unclear."""
    spelled = {read_name(each): each for each in options}
    if read_name(given) in spelled:
        return spelled[read_name(given)]
    if not isinstance(given, str):
        return None
    words = set(_normal(given).replace("-", " ").split())
    if words & NEGATIONS:
        return None
    named = [each for each in options if set(_normal(each).replace("-", " ").split()) <= words]
    return named[0] if len(named) == 1 else None


NEGATIONS = {"not", "no", "never", "neither"}
ORDINAL = re.compile(r"(\d+)(st|nd|rd|th)")
WORDS = {
    "none": 0, "nothing": 0, "zero": 0, "one": 1, "once": 1, "two": 2, "twice": 2, "three": 3,
    "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "eleven": 11,
    "twelve": 12, "sixteen": 16, "thirty two": 32, "sixty four": 64, "half": 0.5,
    "a half": 0.5, "one half": 0.5, "a quarter": 0.25, "one quarter": 0.25, "a third": 1 / 3,
    "one third": 1 / 3,
}  # fmt: skip


def read_number(given: object) -> float | None:
    """Returns the number in an answer; None where there is none.

    >>> read_number("−1"), read_number("6.93 nats"), read_number("2^10"), read_number("196,606")
    (-1.0, 6.93, 1024.0, 196606.0)
    >>> read_number("position 6"), read_number("the 6th"), read_number("6 or 7")
    (6.0, 6.0, None)
    """
    form = plain(given)
    if isinstance(form, numpy.ndarray):
        is_one = form.size == 1 and form.dtype.kind in "iufb"
        return float(form.reshape(())) if is_one else None
    if not isinstance(form, str):
        return None
    words = _normal(form).replace("minus ", "-").split()
    if NEGATIONS & set(words):
        return None
    for start in range(len(words)):  # "position 6" and "6.93 nats": the other words are no numbers
        for stop in range(len(words), start, -1):
            found = _number_in(" ".join(words[start:stop]))
            if found is not None:
                others = words[:start] + words[stop:]
                return found if not any(map(_is_number, others)) else None
    return None


def _is_number(word: str) -> bool:
    return _number_in(word) is not None


def _number_in(text: str) -> float | None:
    """The number that a text spells out."""
    bare = (
        text.strip("~≈= ")
        .rstrip(". ")
        .removeprefix("about ")
        .removeprefix("some ")
        .removesuffix(" times")
    )
    if bare in WORDS:
        return float(WORDS[bare])
    if ordinal := ORDINAL.fullmatch(bare):
        return float(ordinal[1])
    share = 0.01 if bare.endswith("%") else 1.0
    bare = bare.removesuffix("%").replace(",", "").replace(" ", "").replace("**", "^")
    try:
        if "^" in bare:
            base, power = bare.split("^")
            return share * float(base) ** float(power.strip("()"))
        if "/" in bare:
            above, below = bare.split("/")
            return share * float(above) / float(below)
        return share * float(bare)
    except (ValueError, ZeroDivisionError, OverflowError):
        return None


def read_name(given: object) -> str | None:
    """Returns a name without regard to case, hyphens, spaces, quotes and a leading article.

    >>> read_name("`K-composition`") == read_name("the K composition")
    True
    """
    form = plain(given)
    if isinstance(form, numpy.ndarray) and form.size == 1 and form.dtype.kind in "iuf":
        form = f"{form.reshape(())[()]:g}"
    if not isinstance(form, str):
        return None
    words = _normal(form).replace("-", " ").replace("_", " ").split()
    while words and words[0] in ("the", "its", "at", "in", "by"):
        words = words[1:]
    kept = [letter for letter in "".join(words) if letter.isalnum() or letter in ".^*/"]
    return "".join(kept) or None


def _normal(text: str) -> str:
    """One form of each letter and minus sign, lower case, no quotes or full stop at the ends."""
    folded = unicodedata.normalize("NFKC", text).translate({0x2212: "-", 0x2013: "-", 0x2010: "-"})
    return folded.casefold().strip().strip("`'\"“”‘’ ").rstrip(".!? ")
