"""The words: einsum patterns and indices as text and integers, and the shapes they lead to."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from remix_utils.errors import BoundsError, PatternError, ShapeError, counted

Shape = tuple[int, ...]


class Pattern(NamedTuple):
    """An einsum pattern, parsed: the axis words of each operand and of the output."""

    inputs: tuple[tuple[str, ...], ...]
    output: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(" ".join(words) for words in self.inputs) + " -> " + " ".join(self.output)

    def without(self, word: str) -> Pattern:
        """The pattern with one axis word taken out everywhere."""
        return Pattern(
            tuple(tuple(w for w in words if w != word) for words in self.inputs),
            tuple(w for w in self.output if w != word),
        )


@lru_cache(maxsize=4096)
def parse(pattern: str, ranks: tuple[int, ...]) -> Pattern:
    """Read an einsum pattern written in words (`"seq d, d e -> seq e"`) or in letters (`"sd,de->se"`).

    A pattern without a space inside any operand is read as letters when that fits the operands' ranks.

    >>> parse("sd,de->se", (2, 2)) == parse("s d, d e -> s e", (2, 2))
    True

    Raises PatternError for a missing arrow, an odd character, a repeated or unknown output axis, a wrong count.
    """
    sides = pattern.split("->") if isinstance(pattern, str) else []
    if len(sides) != 2:
        raise PatternError(
            f"Einsum pattern {pattern!r} needs one '->', and has {max(len(sides) - 1, 0)}.",
            fix="write it as 'axes of a, axes of b -> axes of the result'.",
            pattern=pattern,
        )
    operands = [side.split() for side in sides[0].split(",")]
    output = sides[1].split()
    everything = [*operands, output]
    in_letters = all(len(words) <= 1 for words in everything) and [sum(map(len, w)) for w in operands] == list(ranks)
    if in_letters:
        operands, output = [list("".join(words)) for words in operands], list("".join(output))
    parsed = Pattern(tuple(map(tuple, operands)), tuple(output))
    _check_pattern(pattern, parsed, ranks)
    return parsed


def _check_pattern(text: str, pattern: Pattern, ranks: tuple[int, ...]) -> None:
    odd = [w for words in (*pattern.inputs, pattern.output) for w in words if not re.fullmatch(r"[^\W\d]\w*", w)]
    if odd:
        raise PatternError(
            f"Einsum pattern {text!r}: {odd[0]!r} is not an axis name.",
            fix="use words or letters, separated by spaces or not at all; batch axes need no '...'.",
            pattern=text,
            axis=odd[0],
        )
    if len(pattern.inputs) != len(ranks):
        raise PatternError(
            f"Einsum pattern {text!r} describes {counted(len(pattern.inputs), 'operand')}, "
            f"but {counted(len(ranks), 'node')} came with it.",
            fix="write one comma-separated group of axes for each node.",
            pattern=text,
            operands=len(pattern.inputs),
            nodes=len(ranks),
        )
    known = {word for words in pattern.inputs for word in words}
    for word in pattern.output:
        if word not in known:
            raise PatternError(
                f"Einsum pattern {text!r}: output axis {word!r} is in no operand.",
                fix=f"take {word!r} out of the right-hand side, or name it on the left.",
                pattern=text,
                axis=word,
            )
        if pattern.output.count(word) > 1:
            raise PatternError(
                f"Einsum pattern {text!r}: output axis {word!r} appears {pattern.output.count(word)} times.",
                fix="name each output axis once.",
                pattern=text,
                axis=word,
            )


@lru_cache(maxsize=16384)
def broadcast(shapes: tuple[Shape, ...]) -> Shape | None:
    """The shape that per-example shapes broadcast to, aligned at their last axes, or None.

    >>> broadcast(((4, 3), (3,), (1, 1))), broadcast(((4,), (3,)))
    ((4, 3), None)
    """
    rank = max(map(len, shapes))
    result = []
    for axis in range(-rank, 0):
        sizes = {shape[axis] for shape in shapes if len(shape) >= -axis} - {1}
        if len(sizes) > 1:
            return None
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def axis_names(shape: Shape) -> str:
    """A word for each axis, where the rewritten pattern has none.

    >>> axis_names((4, 3))
    'axis0 axis1'
    """
    return " ".join(f"axis{i}" for i in range(len(shape)))


def whole_number(entry: int, size: int, axis: int, place: str) -> int:
    """An integer index, counted from the front and checked.

    >>> whole_number(-1, 4, 0, "Index 'x'")
    3
    """
    if not -size <= entry < size:
        raise BoundsError(
            f"{place}: index {entry} is outside axis {axis}, which has {size} entries.",
            fix=f"use an index from {-size} to {size - 1}." if size else "index another axis; this one is empty.",
            index=entry,
            size=size,
            place=place,
            axis=axis,
        )
    return entry % size


def span(entry: slice, size: int, axis: int, place: str) -> tuple[int, int, int]:
    """A slice as (start, step, length); bounds past the end are an error, not a silent clip.

    >>> span(slice(1, None, 2), 6, 0, "Index 'x'")
    (1, 2, 3)
    """
    for bound in (entry.start, entry.stop):
        if bound is not None and not -size <= bound <= size:
            raise BoundsError(
                f"{place}: slice bound {bound} is outside axis {axis}, which has {size} entries.",
                fix=f"use bounds from {-size} to {size}.",
                index=bound,
                size=size,
                place=place,
                axis=axis,
            )
    if entry.step == 0:
        raise PatternError(
            f"{place}: a slice cannot have step 0.",
            fix="use a step of 1 or more, or a negative one.",
            place=place,
            axis=axis,
        )
    rows = range(*entry.indices(size))
    return rows.start, rows.step, len(rows)


def same_size(word: str, sizes: list[tuple[int, str, Shape]], place: str, pattern: str) -> None:
    """Refuse an axis word that stands for different sizes in different operands."""
    first, *others = sizes
    for other in others:
        if other[0] != first[0]:
            raise ShapeError(
                f"{place}: axis {word!r} is {first[0]} in {first[1]} {list(first[2])} "
                f"but {other[0]} in {other[1]} {list(other[2])}.\n  pattern: {pattern.strip()!r}",
                fix="give the axes different words, or index one child to the same length.",
                axis=word,
                left=first[0],
                right=other[0],
                place=place,
                pattern=pattern,
            )
