"""The words of the task, and a tokenizer that has one token for each."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from string import Formatter

from remix_utils.errors import DataError, nearest

WORDS = tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))
NAMES, PLACES, OBJECTS = (tuple(WORDS[kind]) for kind in ("names", "places", "objects"))
TRAIN_TEMPLATES = len(WORDS["templates"])
TEMPLATES = (*WORDS["templates"], *WORDS["unseen"])
SUBJECT_TEMPLATES = tuple(WORDS["subject"])
AGAIN = WORDS["again"]
PAD = "[pad]"

PARTS_OF_TEXT = re.compile(r"\[\w+\]|\w+|[^\w\s]")


def _vocabulary() -> tuple[str, ...]:
    literals = " ".join(
        text for form in (*TEMPLATES, *SUBJECT_TEMPLATES, AGAIN) for text, *_ in Formatter().parse(form)
    )
    return (PAD, *NAMES, *PLACES, *OBJECTS, *sorted(set(PARTS_OF_TEXT.findall(literals))))


class WordTokenizer:
    """One token for each word and each punctuation mark; spaces are not kept.

    >>> tokenizer = WordTokenizer(["[pad]", "John", "left", "."])
    >>> tokenizer.encode("John left."), tokenizer.decode([1, 2, 3])
    ([1, 2, 3], 'John left.')
    """

    def __init__(self, vocabulary: Sequence[str]):
        self.vocabulary = tuple(vocabulary)
        self._number = {word: number for number, word in enumerate(self.vocabulary)}

    def encode(self, text: str) -> list[int]:
        """The numbers of the words of a text.

        Raises DataError for a word that the vocabulary does not have.
        """
        try:
            return [self._number[word] for word in PARTS_OF_TEXT.findall(text)]
        except KeyError as unknown:
            raise DataError(
                f"The word {unknown.args[0]!r} is not in the vocabulary; {nearest(unknown.args[0], self._number)}.",
                fix="use its words only.",
                word=unknown.args[0],
            ) from None

    def decode(self, tokens: Sequence[int]) -> str:
        """The words that these numbers stand for, with a space before each but the first and punctuation."""
        return re.sub(r" ([^\w\s\[])", r"\1", " ".join(self.vocabulary[token] for token in tokens))


VOCABULARY = _vocabulary()
TOKENIZER = WordTokenizer(VOCABULARY)
