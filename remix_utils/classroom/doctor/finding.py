"""What the doctor says of an installation: one line, and the way out where it is bad."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from remix_utils.errors import reason


class Finding(NamedTuple):
    """One fact about the installation; a bad one has a fix.

    >>> Finding("Python 3.9", fix="install Python 3.11.").good
    False
    """

    fact: str
    fix: str = ""

    @property
    def good(self) -> bool:
        return not self.fix


Examination = Callable[[], Finding | Iterable[Finding]]


def findings_of(what: str, examination: Examination) -> Iterator[Finding]:
    """Yields what one examination finds; its own failure is a finding too, and the next one still runs.

    >>> next(findings_of("the lock", lambda: 1 / 0)).fact
    'the lock cannot be examined: ZeroDivisionError, division by zero'
    """
    try:
        found = examination()
        yield from [found] if isinstance(found, Finding) else found
    except Exception as problem:
        fact = f"{what} cannot be examined: {type(problem).__name__}, {reason(problem)}"
        yield Finding(fact, fix="mend what else is bad, then: remix doctor")
