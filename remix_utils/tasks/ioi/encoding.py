"""Reading with any tokenizer: what an encode must be, and where one word lies among its tokens."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence

from remix_utils.errors import DataError, kind_of

Encode = Callable[[str], Sequence[int]]


def one_token(encode: Encode, before: str, text: str, role: str, word: str) -> int:
    """Returns the position of the word that ends a text, from the tokens of the text before it.

    >>> one_token(str.split, "After", "After Mary", "IO", "Mary")
    Traceback (most recent call last):
    remix_utils.errors.DataError: encode gave a list for 'After', not a list of whole numbers.
      fix: pass a function from a text to its token numbers, such as model.tokenizer.encode.

    Raises DataError for a word of several tokens, or none.
    """
    start, read = numbers_of(encode, before), numbers_of(encode, text)
    require_beginning(read, start, before, text)
    parts = len(read) - len(start)
    if parts != 1:
        kind = {"place": "places", "object": "objects"}.get(role, "names")
        fix = f"draw prompts(..., {kind}=ioi.{kind}(encode)), the {kind} that are single tokens."
        if not text.removesuffix(word).endswith(" "):
            fix = "put a word and a space before it in the template: many are one token only there."
        raise DataError(
            f"The {role} {word!r} is {parts} tokens in {text!r}, not 1.",
            fix=fix,
            word=word,
            role=role,
        )
    return len(start)


def require_beginning(tokens: Sequence[int], start: Sequence[int], part: str, whole: str) -> None:
    """Checks that the tokens of a text begin with those of its first part.

    >>> require_beginning([1, 2, 3], [1, 2], "After", "After Mary")

    Raises DataError where they do not.
    """
    if start != tokens[: len(start)]:
        raise DataError(
            f"The tokens of {part!r} are not the first of {whole!r}.",
            fix="pass an encode that adds nothing at the end of a text, and end each word of a "
            "template with a space or a mark.",
        )


def numbers_of(encode: Encode, text: str) -> list[int]:
    """Returns the token numbers of a text as plain whole numbers.

    >>> import torch
    >>> numbers_of(lambda text: torch.tensor([len(word) for word in text.split()]), "After Mary")
    [5, 4]

    Raises DataError for an encode that gives anything but a flat row of whole numbers.
    """
    read = encode(text)
    try:
        return [operator.index(number) for number in read]
    except TypeError:
        raise DataError(
            f"encode gave {kind_of(read)} for {text!r}, not a list of whole numbers.",
            fix="pass a function from a text to its token numbers, such as model.tokenizer.encode.",
            given=type(read).__name__,
        ) from None
