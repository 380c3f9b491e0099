"""How we fail: every error names the place, states the fact with its numbers, and ends with one way out."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class RemixError(ValueError):
    """The base of every error here: a fact, a fix, and the numbers as attributes.

    >>> error = ShapeError("Add 'x': axis 0 is 3 in 'a' but 4 in 'b'.", fix="index one of them.", left=3)
    >>> error.left, str(error).endswith("fix: index one of them.")
    (3, True)
    """

    def __init__(self, fact: str, *, fix: str, **facts: object):
        self.fact, self.fix, self.facts = fact, fix, facts
        self.__dict__.update(facts)
        super().__init__(f"{fact}\n  fix: {fix}")

    def __reduce__(self):
        return _restore, (type(self), self.fact, self.fix, self.facts)


def _restore(kind: type[RemixError], fact: str, fix: str, facts: dict) -> RemixError:
    """Errors cross process boundaries when an evaluation runs in a pool."""
    return kind(fact, fix=fix, **facts)


class PatternError(RemixError):
    """A pattern, an index or a glob that cannot be read."""


class ShapeError(RemixError):
    """Two shapes that should agree and do not."""


class DtypeError(RemixError):
    """A tensor of the wrong dtype."""


class BoundsError(RemixError):
    """An index or a row outside what it indexes."""


class NodeError(RemixError):
    """Something that is not a well-formed node: a wrong type, a cycle, a changed buffer."""


class FunctionError(RemixError):
    """A function that `apply` does not know, or that fails on these children."""


class SampleError(RemixError):
    """Resampled and plain rows used together, or resampling twice."""


class MatchError(RemixError):
    """A selector that finds nothing, or more than it should."""


class RewriteError(RemixError):
    """A rewrite that does not apply where it was asked to."""


class InputError(RemixError):
    """Inputs that do not fit the graph: missing, empty, of unequal length."""


class NanError(RemixError):
    """A NaN, in an input or born on the way."""


class MemoryLimitError(RemixError):
    """A memory limit that not even one row at a time can meet."""


class DataError(RemixError):
    """A dataset, a feature or a draw that cannot be used."""


class PlotError(RemixError):
    """Numbers that a picture cannot show as they are."""


def kind_of(value: object) -> str:
    """What a value is, for a sentence.

    >>> kind_of([1]), kind_of(1), kind_of(None)
    ('a list', 'an int', 'None')
    """
    kind = type(value).__name__
    return "None" if value is None else f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"


def reason(problem: BaseException) -> str:
    """What another library's error says, in one line; its class where it says nothing.

    >>> reason(ValueError("no such row\\nTraceback: ...")), reason(AssertionError())
    ('no such row', 'AssertionError')
    """
    return (str(problem).strip() or type(problem).__name__).splitlines()[0].rstrip(".")


def counted(number: int, word: str) -> str:
    """A number of things, for a sentence.

    >>> counted(1, "node"), counted(2, "axis")
    ('1 node', '2 axes')
    """
    plural = {"axis": "axes", "index": "indices"}.get(word, f"{word}s")
    return f"{number:,} {word if number == 1 else plural}"


def nearest(name: str, known: Iterable[str], most: int = 3) -> str:
    """The known names closest to `name`, as the end of a sentence.

    >>> nearest("tokns", ["tokens", "mask"])
    "nearest: 'tokens'"
    """
    known = sorted(set(known))
    close = get_close_matches(name, known, n=most, cutoff=0.4) or known[:most]
    return "nearest: " + ", ".join(map(repr, close)) if close else "there are none"
