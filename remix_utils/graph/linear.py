"""The linear operations, einsum and add: what rewrites take apart and put together."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch

from remix_utils.errors import DtypeError, NodeError, PatternError, ShapeError, counted
from remix_utils.graph.axes import Pattern, Shape, broadcast, same_size
from remix_utils.graph.indexing import At, Span
from remix_utils.graph.node import Node, Op


@dataclass(frozen=True, slots=True)
class Einsum(Op):
    """Products summed over the axes that the output does not name."""

    parsed: Pattern
    kind = "einsum"

    @property
    def pattern(self) -> str:
        return str(self.parsed)

    def infer(self, children, place):
        dtype = one_dtype(children, place)
        sizes: dict[str, int] = {}
        for words, child in zip(self.parsed.inputs, children, strict=True):
            if len(words) != len(child.shape):
                raise ShapeError(
                    f"{place}: {child.name!r} {list(child.shape)} has {counted(len(child.shape), 'axis')}, "
                    f"the pattern gives it {len(words)}.\n  pattern: {self.pattern.strip()!r}",
                    fix="name each axis of each child; batch axes are not named.",
                    place=place,
                    pattern=self.pattern,
                    axes=len(child.shape),
                    words=len(words),
                )
            for word, size in zip(words, child.shape, strict=True):
                if sizes.setdefault(word, size) != size:
                    same_size(word, _where(self.parsed, word, children), place, self.pattern)
        return tuple(map(sizes.__getitem__, self.parsed.output)), dtype

    def run(self, values, batched):
        return torch.einsum(_equation(self.parsed, tuple(batched)), *values)

    def push(self, node, at):
        taken = dict(zip(self.parsed.output, at, strict=True))
        pattern = self.parsed
        for word, entry in taken.items():
            if isinstance(entry, int):
                pattern = pattern.without(word)
        children = [
            (child, tuple(taken.get(word, Span(0, 1, size)) for word, size in zip(words, child.shape, strict=True)))
            for words, child in zip(self.parsed.inputs, node.children, strict=True)
        ]
        return Einsum(pattern), children

    def content(self):
        return f"einsum {_canonical(self.parsed)}".encode()

    def flops(self, node):
        sizes: dict[str, int] = {}
        for words, child in zip(self.parsed.inputs, node.children, strict=True):
            sizes.update(zip(words, child.shape, strict=True))
        return max(2 * (len(node.children) - 1), 1) * math.prod(sizes.values())


def _where(pattern: Pattern, word: str, children: Sequence[Node]) -> list[tuple[int, str, Shape]]:
    return [
        (child.shape[axis], repr(child.name), child.shape)
        for words, child in zip(pattern.inputs, children, strict=True)
        for axis, other in enumerate(words)
        if other == word
    ]


@lru_cache(maxsize=4096)
def _letters(pattern: Pattern) -> tuple[list[str], str]:
    words = list(dict.fromkeys(word for words in pattern.inputs for word in words))
    if len(words) > len(string.ascii_letters) - 1:
        raise PatternError(
            f"Einsum pattern {str(pattern)!r} has {len(words)} axes.",
            fix="use at most 51.",
            pattern=str(pattern),
            axes=len(words),
        )
    letter = dict(zip(words, string.ascii_letters, strict=False))
    return ["".join(letter[w] for w in words) for words in pattern.inputs], "".join(letter[w] for w in pattern.output)


@lru_cache(maxsize=4096)
def _canonical(pattern: Pattern) -> str:
    """The pattern with its axes renamed in order, so that the choice of words is not content."""
    inputs, output = _letters(pattern)
    return ",".join(inputs) + "->" + output


@lru_cache(maxsize=4096)
def _equation(pattern: Pattern, batched: tuple[bool, ...]) -> str:
    inputs, output = _letters(pattern)
    terms = ["Z" + term if has_rows else term for term, has_rows in zip(inputs, batched, strict=True)]
    return ",".join(terms) + "->" + ("Z" if any(batched) else "") + output


@dataclass(frozen=True, slots=True)
class Add(Op):
    """A weighted sum, broadcasting per-example shapes."""

    weights: tuple[float, ...]
    kind = "add"

    def infer(self, children, place):
        dtype = one_dtype(children, place)
        if not dtype.is_floating_point and not dtype.is_complex and any(w != int(w) for w in self.weights):
            raise DtypeError(
                f"{place}: weights {list(self.weights)} on {dtype}.",
                fix="use whole weights or floats.",
                place=place,
                dtype=dtype,
                weights=self.weights,
            )
        shape = broadcast(tuple(child.shape for child in children))
        if shape is None:
            parts = ", ".join(f"{child.name!r} {list(child.shape)}" for child in children)
            raise ShapeError(
                f"{place}: shapes do not broadcast: {parts}.",
                fix="shapes are per example and align at their last axes; rearrange one child with an einsum.",
                place=place,
                shapes=[child.shape for child in children],
            )
        return shape, dtype

    def run(self, values, batched):
        rank = max(value.ndim - has_rows for value, has_rows in zip(values, batched, strict=True))
        total, own = None, False
        for value, has_rows, weight in zip(values, batched, self.weights, strict=True):
            weight = weight if value.is_floating_point() or value.is_complex() else int(weight)
            value = align(value, rank) if has_rows else value
            if total is None:
                total, own = (value, False) if weight == 1 else (value * weight, True)
            elif own and broadcast((total.shape, value.shape)) == total.shape:  # torch's own imports sympy first
                total.add_(value, alpha=weight)
            else:
                total, own = torch.add(total, value, alpha=weight), True
        return total

    def push(self, node, at):
        return self, [(child, broadcast_index(at, child.shape, node.shape)) for child in node.children]

    def flops(self, node):
        return 2 * len(node.children) * node.size


def align(value: torch.Tensor, rank: int) -> torch.Tensor:
    """Pad the example's axes after the row axis, so that rows never broadcast against another axis."""
    missing = rank + 1 - value.ndim
    return value.reshape(value.shape[0], *[1] * missing, *value.shape[1:]) if missing else value


def broadcast_index(at: At, shape: Shape, onto: Shape) -> At:
    """The index of a child that was broadcast: its own axes only, and those of size 1 stay as they are."""
    lead = len(onto) - len(shape)
    entries = []
    for entry, size, full in zip(at[lead:], shape, onto[lead:], strict=True):
        stretched = size == 1 and full != 1
        entries.append((0 if isinstance(entry, int) else Span(0, 1, 1)) if stretched else entry)
    return tuple(entries)


def one_dtype(children: Sequence[Node], place: str) -> torch.dtype:
    """The dtype that all children share; DtypeError when they do not."""
    if not children:
        raise NodeError(f"{place} has no children.", fix="give it at least one node.", place=place)
    dtypes = {child.dtype for child in children}
    if len(dtypes) > 1:
        parts = ", ".join(f"{child.name!r} is {child.dtype}" for child in children)
        raise DtypeError(
            f"{place}: one dtype is needed, but {parts}.",
            fix="convert a tensor before wrapping it.",
            place=place,
            dtypes=[child.dtype for child in children],
        )
    return dtypes.pop()
