"""The other operations: sources, indexing, joining, functions and resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import torch

from remix_utils.errors import FunctionError, ShapeError, kind_of, reason
from remix_utils.graph import indexing
from remix_utils.graph.axes import Shape, broadcast
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.functions import Function
from remix_utils.graph.indexing import At, Span
from remix_utils.graph.linear import Add, broadcast_index, one_dtype
from remix_utils.graph.node import Op


@dataclass(frozen=True, slots=True)
class Placeholder(Op):
    """An input, found by its own name; `rows` are its values where an experiment brings its own data along."""

    input: str
    shape: Shape
    dtype: torch.dtype
    rows: Buffer | None = None
    spare: bool = False  # more rows than asked for are all right: draws that do not depend on the reference
    like: str | None = None  # the input in whose place they stand, which says how many are asked for
    kind = "placeholder"

    def infer(self, children, place):
        return self.shape, self.dtype

    def flops(self, node):
        return 0

    def content(self):
        rows = self.rows.digest if self.rows else b""
        return f"placeholder {self.input} {self.shape} {self.dtype} {self.spare} ".encode() + rows


@dataclass(frozen=True, slots=True)
class Array(Op):
    """A fixed tensor."""

    buffer: Buffer
    kind = "array"

    @property
    def value(self) -> torch.Tensor:
        """A copy of the tensor."""
        return self.buffer.tensor.clone()

    def infer(self, children, place):
        return tuple(self.buffer.tensor.shape), self.buffer.tensor.dtype

    def run(self, values, batched):
        return self.buffer.tensor

    def flops(self, node):
        return 0

    def content(self):
        return b"array " + self.buffer.digest


@dataclass(frozen=True, slots=True)
class Index(Op):
    """Some entries of each axis, every axis on its own."""

    entries: At
    kind = "index"

    @property
    def at(self) -> tuple[int | slice | torch.Tensor, ...]:
        """The index as Python's brackets take it."""
        return tuple(
            entry.as_slice() if isinstance(entry, Span) else entry if isinstance(entry, int) else entry.tensor.clone()
            for entry in self.entries
        )

    def infer(self, children, place):
        (child,) = children
        indexing.check(self.entries, child.shape, place)
        return indexing.shape_after(self.entries), child.dtype

    def run(self, values, batched):
        return indexing.take(values[0], self.entries, int(batched[0]))

    def push(self, node, at):
        (child,) = node.children
        return Index(indexing.compose(self.entries, at)), [(child, indexing.whole(child.shape))]

    def flops(self, node):
        return 0

    def content(self):
        parts = [entry.digest if isinstance(entry, Buffer) else repr(entry).encode() for entry in self.entries]
        return b"index " + b" ".join(parts)


@dataclass(frozen=True, slots=True)
class Concat(Op):
    """Children one after another along an axis."""

    axis: int
    kind = "concat"

    def infer(self, children, place):
        dtype = one_dtype(children, place)
        shapes = [child.shape for child in children]
        rest = {shape[: self.axis] + shape[self.axis + 1 :] for shape in shapes if len(shape) > self.axis}
        if len(rest) != 1 or any(len(shape) != len(shapes[0]) for shape in shapes):
            parts = ", ".join(f"{child.name!r} {list(child.shape)}" for child in children)
            raise ShapeError(
                f"{place}: shapes must agree outside axis {self.axis}: {parts}.",
                fix="give all children the same other axes.",
                place=place,
                shapes=shapes,
            )
        total = sum(shape[self.axis] for shape in shapes)
        return (*shapes[0][: self.axis], total, *shapes[0][self.axis + 1 :]), dtype

    def run(self, values, batched):
        if any(batched):
            rows = next(value.shape[0] for value, has_rows in zip(values, batched, strict=True) if has_rows)
            values = [v if has_rows else v.expand(rows, *v.shape) for v, has_rows in zip(values, batched, strict=True)]
        return torch.cat(list(values), dim=self.axis + any(batched))

    def push(self, node, at):
        entry = at[self.axis]
        if isinstance(entry, Span) and entry == (0, 1, node.shape[self.axis]):
            spans = [(child, Span(0, 1, child.shape[self.axis])) for child in node.children]
            return self._moved(at), [(child, (*at[: self.axis], s, *at[self.axis + 1 :])) for child, s in spans]
        if not isinstance(entry, int):
            return None
        for child in node.children:
            if entry < child.shape[self.axis]:
                inner = (*at[: self.axis], entry, *at[self.axis + 1 :])
                return Add((1.0,)), [(child, inner)]
            entry -= child.shape[self.axis]
        return None

    def _moved(self, at: At) -> Concat:
        return Concat(self.axis - sum(isinstance(entry, int) for entry in at[: self.axis]))

    def flops(self, node):
        return 0


@dataclass(frozen=True, slots=True)
class Apply(Op):
    """A function from the table, one example at a time."""

    entry: Function
    kind = "apply"

    @property
    def function(self) -> str:
        return self.entry.name

    def infer(self, children, place):
        signature = tuple((child.shape, child.dtype) for child in children)
        try:
            return _result(self.entry, signature)
        except Exception as problem:
            parts = ", ".join(map(repr, children))
            raise FunctionError(
                f"{place}: {self.function!r} refuses {parts}: {reason(problem)}.",
                fix="give it children of the shapes and dtypes it takes; shapes are per example.",
                place=place,
                function=self.function,
            ) from problem

    def run(self, values, batched):
        if not any(batched):
            return self.entry.run(*values)
        return torch.vmap(self.entry.run, in_dims=tuple(0 if has_rows else None for has_rows in batched))(*values)

    def push(self, node, at):
        shapes = [child.shape for child in node.children]
        leads = [shape[: max(len(shape) - self.entry.whole_axes(i), 0)] for i, shape in enumerate(shapes)]
        lead = broadcast(tuple(leads))
        if lead is None or node.shape[: len(lead)] != lead:
            return None
        if not indexing.is_whole(at[len(lead) :], node.shape[len(lead) :]):
            return None
        inner = [broadcast_index(at[: len(lead)], own, lead) for own in leads]
        kept = [entries + indexing.whole(shape[len(entries) :]) for entries, shape in zip(inner, shapes, strict=True)]
        return self, list(zip(node.children, kept, strict=True))

    def content(self):
        return f"apply {self.entry.name} {self.entry.version}".encode()

    def flops(self, node):
        return 5 * node.size


@lru_cache(maxsize=4096)
def _result(entry: Function, signature: tuple[tuple[Shape, torch.dtype], ...]) -> tuple[Shape, torch.dtype]:
    """Shape and dtype found by running the function: on one zero seen everywhere, or, where that would be much work,
    without data, which takes a second to import; and on real zeros when it cannot do with either.
    """
    try:
        if math.prod(signature[0][0]) <= 2**20:
            value = entry.run(*[torch.zeros((), dtype=dtype).expand(shape) for shape, dtype in signature])
        else:
            value = entry.run(*[torch.empty(shape, dtype=dtype, device="meta") for shape, dtype in signature])
    except Exception:
        value = entry.run(*[torch.zeros(shape, dtype=dtype) for shape, dtype in signature])
    if not isinstance(value, torch.Tensor):
        raise TypeError(f"it returned {kind_of(value)}, not a tensor")
    return tuple(value.shape), value.dtype


@dataclass(frozen=True, slots=True)
class Sample(Op):
    """A node's value on other rows of the population."""

    rows: Buffer
    kind = "sample"

    @property
    def draws(self):
        return self.rows.tensor.shape[0]

    def infer(self, children, place):
        return children[0].shape, children[0].dtype

    def run(self, values, batched):
        """Where the child is the same on every row; drawing rows is the evaluation's business."""
        return values[0]

    def push(self, node, at):
        return self, [(node.children[0], at)]

    def flops(self, node):
        return 0

    def content(self):
        return b"sample " + self.rows.digest
