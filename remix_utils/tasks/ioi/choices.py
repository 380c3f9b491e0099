"""The words and the templates that prompts are drawn from, checked before anything is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from string import Formatter

from remix_utils.errors import DataError, counted, kind_of, nearest

NAME_FIELDS = ("first", "second", "subject")
FIELDS = (*NAME_FIELDS, "place", "object")


def checked_words(kind: str, words: Sequence[str], least: int = 1) -> tuple[str, ...]:
    """Returns words of a kind, such as "names" or "templates", as a tuple that holds each once.

    >>> checked_words("names", ["Ann", "Bo"], least=2)
    ('Ann', 'Bo')

    Raises DataError for fewer than `least`, for one twice, for anything that is no list or tuple of
    words, and for a word with a space before or after it.
    """
    if isinstance(words, str) or not isinstance(words, Sequence):
        raise DataError(
            f"Prompts draw their {kind} from a list or a tuple, and got {kind_of(words)}.",
            fix=f"pass {kind}= as a list, whose order the seed can use.",
            given=type(words).__name__,
        )
    for word in words:
        if not isinstance(word, str) or not word.strip():
            fact = f"The {kind} hold {word!r}, which is no text."
            raise DataError(fact, fix="leave it out.", word=word)
        if word != word.strip():
            fact = f"The {kind} hold {word!r}, with a space at an end."
            raise DataError(fact, fix=f"write {word.strip()!r}.", word=word)
    if twice := [word for word in dict.fromkeys(words) if words.count(word) > 1]:
        fact = f"The {kind} hold {twice[0]!r} more than once."
        raise DataError(fact, fix="keep it once.", word=twice[0])
    if len(words) < least:
        needed = counted(least, kind.removesuffix("s"))
        raise DataError(
            f"Prompts need at least {needed}, and got {len(words)}.",
            fix=f"pass more {kind}.",
            given=len(words),
            least=least,
        )
    return tuple(words)


@lru_cache(maxsize=4096)
def parts_of(template: str) -> tuple[tuple[str, str | None], ...]:
    """Returns the literal texts of a template, each with the field that follows it.

    >>> parts_of("{first} met {second}, {subject} said")
    (('', 'first'), (' met ', 'second'), (', ', 'subject'), (' said', None))

    Raises DataError for a field that the task does not have, a field that is more than a name in
    braces, a brace without its partner, and a template that does not name both people and then the
    subject.
    """
    try:
        parsed = list(Formatter().parse(template))
    except ValueError as problem:
        raise DataError(
            f"The template {template!r} cannot be read: {problem}.",
            fix="write {{ and }} for braces that are meant as text.",
            template=template,
        ) from None
    for _, field, form, conversion in parsed:
        if field is not None and (field not in FIELDS or form or conversion):
            extra = (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
            raise _unknown_field(template, field, extra)
    fields = {field for _, field, *_ in parsed}
    if missing := [field for field in NAME_FIELDS if field not in fields]:
        raise DataError(
            f"The template {template!r} has no {{{missing[0]}}}.",
            fix="use {first} and {second} for two people, then {subject} for the one named again.",
            template=template,
            field=missing[0],
        )
    return tuple((literal, field) for literal, field, *_ in parsed)


def _unknown_field(template: str, field: str, extra: str) -> DataError:
    known = ", ".join(f"{{{each}}}" for each in FIELDS)
    return DataError(
        f"The template {template!r} has the field {{{field + extra}}}, which prompts do not fill; "
        f"{nearest(field, FIELDS)}.",
        fix=f"use {known}.",
        template=template,
        field=field,
    )
