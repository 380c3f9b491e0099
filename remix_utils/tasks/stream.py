"""A stream of choices from a seed: the same on every machine and with every Python."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from hashlib import sha256
from itertools import accumulate
from random import Random
from typing import TypeVar

T = TypeVar("T")


class Stream:
    """Choices that depend on the words and numbers of a key, and on nothing else.

    Of Python's generator only `random()` is promised to give the same numbers in every version, so only that is used.

    >>> stream = Stream("example", 0)
    >>> stream.below(10), stream.choose("abc"), stream.choose_several("abcdef", 3), stream.weigh([1, 1, 2])
    (4, 'b', ['f', 'e', 'a'], 2)
    """

    def __init__(self, *key: object):
        self._random = Random(int.from_bytes(sha256("/".join(map(str, key)).encode()).digest(), "big")).random

    def below(self, bound: int) -> int:
        """A whole number from 0 to `bound` − 1."""
        return int(self._random() * bound)

    def choose(self, among: Sequence[T]) -> T:
        """One of them."""
        return among[self.below(len(among))]

    def weigh(self, weights: Sequence[float]) -> int:
        """The place of one of these weights, each in proportion to its size."""
        bounds = list(accumulate(weights))
        return min(bisect_right(bounds, self._random() * bounds[-1]), len(bounds) - 1)

    def choose_several(self, among: Sequence[T], count: int) -> list[T]:
        """So many different places of a sequence, in random order."""
        left = list(among)
        return [left.pop(self.below(len(left))) for _ in range(count)]
