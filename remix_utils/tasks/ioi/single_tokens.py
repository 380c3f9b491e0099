"""The words that a tokenizer has as single tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from remix_utils.errors import DataError, counted
from remix_utils.tasks.ioi.choices import checked_words
from remix_utils.tasks.ioi.encoding import Encode, numbers_of, require_beginning
from remix_utils.tasks.ioi.vocabulary import NAMES, OBJECTS, PLACES

# The words follow one that every tokenizer of English has, and a space; the second is one that none
# has, and that is read as the token for unknown words where there is such a token.
BEFORE = "After"
NO_WORD = "Xqzvkj"


def names(encode: Encode, among: Sequence[str] = NAMES) -> tuple[str, ...]:
    """Returns the names that are one token after a space, each a token of its own.

    >>> from remix_utils.tasks import ioi
    >>> len(ioi.names(ioi.TOKENIZER.encode)), ioi.names(ioi.TOKENIZER.encode, among=["Ann", "Mary"])
    (120, ('Mary',))

    Raises DataError where none of them is, and for an encode that adds something at the end.
    """
    return _single(encode, among, "names")


def places(encode: Encode, among: Sequence[str] = PLACES) -> tuple[str, ...]:
    """Returns the places that are one token after a space, each a token of its own.

    >>> from remix_utils.tasks import ioi
    >>> ioi.places(ioi.TOKENIZER.encode, among=["store", "igloo", "park"])
    ('store', 'park')

    Raises DataError as `names` does.
    """
    return _single(encode, among, "places")


def objects(encode: Encode, among: Sequence[str] = OBJECTS) -> tuple[str, ...]:
    """Returns the objects that are one token after a space, each a token of its own.

    >>> from remix_utils.tasks import ioi
    >>> len(ioi.objects(ioi.TOKENIZER.encode))
    24

    Raises DataError as `names` does.
    """
    return _single(encode, among, "objects")


def _single(encode: Encode, among: Sequence[str], kind: str) -> tuple[str, ...]:
    words = checked_words(kind, among)
    start = numbers_of(encode, BEFORE)
    unknown = _token(encode, NO_WORD, start)
    tokens = {word: _token(encode, word, start) for word in words}
    count = Counter(tokens.values())
    own = {token for token, uses in count.items() if uses == 1} - {None, unknown}
    found = tuple(word for word in words if tokens[word] in own)
    if not found:
        tried = counted(len(words), kind.removesuffix("s"))
        raise DataError(
            f"None of {tried} is one token of its own after a space.",
            fix="pass words that this tokenizer has, among=[...].",
            kind=kind,
            words=len(words),
        )
    return found


def _token(encode: Encode, word: str, start: list[int]) -> int | None:
    """The token of a word after a space, or None for several and for a word that is refused."""
    try:
        read = numbers_of(encode, f"{BEFORE} {word}")
    except DataError:
        return None
    require_beginning(read, start, BEFORE, f"{BEFORE} {word}")
    return read[-1] if len(read) == len(start) + 1 else None
