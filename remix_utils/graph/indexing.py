"""Indices as values: an integer, a span or picked rows for each axis, made from what Python's brackets take."""

from __future__ import annotations

from functools import lru_cache
from numbers import Integral
from typing import NamedTuple

import torch

from remix_utils.errors import DtypeError, PatternError, counted
from remix_utils.graph.axes import Shape, span, whole_number
from remix_utils.graph.buffer import Buffer


class Span(NamedTuple):
    """A slice of a known axis."""

    start: int
    step: int
    length: int

    @classmethod
    @lru_cache(maxsize=4096)
    def of(cls, start: int, step: int, length: int) -> Span:
        """The span of its entries, so that what takes the same is the same."""
        return cls(start if length else 0, step if length > 1 else 1, length)

    @property
    def last(self) -> int:
        """The last position taken, of at least one."""
        return self.start + self.step * (self.length - 1)

    def as_slice(self) -> slice:
        """The slice that Python's brackets take; its stop is next to the last position, so never far outside."""
        if not self.length:
            return slice(0, 0)
        stop = self.last + (1 if self.step > 0 else -1)
        return slice(self.start, None if stop < 0 else stop, self.step)


Entry = int | Span | Buffer
At = tuple[Entry, ...]


def read(at: object, shape: Shape, place: str) -> At:
    """One entry an axis, checked against `shape`; axes left out at the end are taken whole."""
    at = at if isinstance(at, tuple) else (at,)
    if len(at) > len(shape):
        raise PatternError(
            f"{place}: {counted(len(at), 'index')} for {counted(len(shape), 'axis')} {list(shape)}.",
            fix="leave some out; batch axes are not indexed.",
            place=place,
            indices=len(at),
            axes=len(shape),
        )
    entries = [_entry(entry, size, axis, place) for axis, (entry, size) in enumerate(zip(at, shape, strict=False))]
    return (*entries, *whole(shape[len(at) :]))


def _entry(entry: object, size: int, axis: int, place: str) -> Entry:
    if isinstance(entry, bool):
        raise PatternError(
            f"{place}: axis {axis} is indexed with {entry}.",
            fix="use integers, or mask.nonzero()[:, 0].",
            place=place,
            axis=axis,
            entry=entry,
        )
    if isinstance(entry, Integral):
        return whole_number(int(entry), size, axis, place)
    if isinstance(entry, slice):
        return Span.of(*span(entry, size, axis, place))
    if isinstance(entry, Span | Buffer):
        return entry
    if isinstance(entry, torch.Tensor) and entry.ndim == 0 and entry.dtype == torch.long:
        return whole_number(int(entry), size, axis, place)
    return _picks(entry, size, axis, place)


def _picks(entry: object, size: int, axis: int, place: str) -> Buffer:
    try:
        rows = torch.as_tensor(entry)
    except (TypeError, ValueError, RuntimeError):
        raise PatternError(
            f"{place}: axis {axis} is indexed with {entry!r}.",
            fix="use an integer, a slice, or a one-dimensional tensor of integers for each axis.",
            place=place,
            axis=axis,
            entry=repr(entry),
        ) from None
    if rows.dtype != torch.long and rows.numel():
        raise DtypeError(
            f"{place}: the index of axis {axis} is {rows.dtype}, not torch.int64.",
            fix="use mask.nonzero()[:, 0]." if rows.dtype == torch.bool else "add .long().",
            place=place,
            axis=axis,
            dtype=rows.dtype,
        )
    if rows.ndim != 1:
        raise PatternError(
            f"{place}: the index of axis {axis} has {counted(rows.ndim, 'axis')} {list(rows.shape)}.",
            fix="index each axis with its own one-dimensional tensor.",
            place=place,
            axis=axis,
            axes=rows.ndim,
        )
    for row in (rows.min().item(), rows.max().item()) if rows.numel() else ():
        whole_number(int(row), size, axis, place)
    return Buffer(torch.where(rows < 0, rows + size, rows).long())


def check(at: At, shape: Shape, place: str) -> None:
    """Refuse an index that was made for another shape and reaches outside this one."""
    if len(at) != len(shape):
        raise PatternError(
            f"{place}: {counted(len(at), 'index')} for {counted(len(shape), 'axis')} {list(shape)}.",
            fix="index the new node anew.",
            place=place,
            indices=len(at),
            axes=len(shape),
        )
    for axis, (entry, size) in enumerate(zip(at, shape, strict=True)):
        ends = (entry,) if isinstance(entry, int) else (entry.start, entry.last) if isinstance(entry, Span) else ()
        if isinstance(entry, Buffer) and entry.tensor.numel():
            ends = (int(entry.tensor.max()),)
        for position in ends if length(entry) != 0 else ():
            whole_number(position, size, axis, place)


@lru_cache(maxsize=4096)
def whole(shape: Shape) -> At:
    """The index that takes everything."""
    return tuple(Span.of(0, 1, size) for size in shape)


def is_whole(at: At, shape: Shape) -> bool:
    return all(type(entry) is Span and entry == (0, 1, size) for entry, size in zip(at, shape, strict=True))


def length(entry: Entry) -> int | None:
    """How many entries are left of the axis, or None when the axis goes."""
    if type(entry) is int:
        return None
    return entry.length if type(entry) is Span else entry.tensor.shape[0]  # type: ignore[union-attr]


def shape_after(at: At) -> Shape:
    return tuple(size for entry in at if (size := length(entry)) is not None)


def positions(entry: Span | Buffer) -> torch.Tensor:
    """The positions an entry takes, as a tensor [length]."""
    if isinstance(entry, Buffer):
        return entry.tensor
    return entry.start + entry.step * torch.arange(entry.length)


def compose(first: At, second: At) -> At:
    """The index that does `first`, then `second` on what is left.

    >>> compose(read((slice(1, 5), 2), (6, 3), ""), read(0, (4,), ""))
    (1, 2)
    """
    rest = iter(second)
    return tuple(entry if isinstance(entry, int) else _compose_axis(entry, next(rest)) for entry in first)


def _compose_axis(first: Span | Buffer, second: Entry) -> Entry:
    if isinstance(second, int):
        return int(positions(first)[second]) if isinstance(first, Buffer) else first.start + first.step * second
    if isinstance(first, Span) and isinstance(second, Span):
        return Span.of(first.start + first.step * second.start, first.step * second.step, second.length)
    return Buffer(positions(first)[positions(second)])


def take(value: torch.Tensor, at: At, batch_axes: int) -> torch.Tensor:
    """Index each axis on its own, after the batch axes."""
    for axis in reversed(range(len(at))):
        entry, dim = at[axis], axis + batch_axes
        if isinstance(entry, int):
            value = value.select(dim, entry)
        elif isinstance(entry, Span):
            value = _take_span(value, entry, dim)
        else:
            value = value.index_select(dim, entry.tensor.to(value.device))
    return value


def _take_span(value: torch.Tensor, entry: Span, dim: int) -> torch.Tensor:
    if entry.step < 0:
        return value.index_select(dim, positions(entry).to(value.device))
    if entry == (0, 1, value.shape[dim]):
        return value
    return value[(slice(None),) * dim + (entry.as_slice(),)]


def text(at: At) -> str:
    """The index as one would write it."""

    def one(entry: Entry) -> str:
        if isinstance(entry, int):
            return str(entry)
        if isinstance(entry, Buffer):
            return repr(entry)
        bounds = entry.as_slice()
        step = "" if bounds.step in (None, 1) else f":{bounds.step}"
        return f"{bounds.start}:{'' if bounds.stop is None else bounds.stop}{step}"

    return ", ".join(map(one, at))
