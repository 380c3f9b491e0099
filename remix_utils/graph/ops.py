"""The constructors: plain functions that make nodes, and refuse what does not fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import torch

from remix_utils.errors import BoundsError, DtypeError, NodeError, ShapeError, counted, kind_of
from remix_utils.graph import indexing
from remix_utils.graph.axes import parse
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.functions import Function, function_named
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Array, Concat, Index, Placeholder, Sample


def placeholder(name: str, shape: Sequence[int], dtype: torch.dtype = torch.float32) -> Node:
    """An input: free until `evaluate` binds it, with one leading axis for the rows or none; `shape` is per example.

    >>> placeholder("tokens", (10,), torch.long)
    Placeholder 'tokens' [10] int64

    Raises ShapeError for a shape that is not made of whole numbers, DtypeError for a dtype that is not torch's.
    """
    sizes = (shape,) if isinstance(shape, int) else tuple(shape)
    if not all(isinstance(size, int) and size >= 0 for size in sizes):
        raise ShapeError(
            f"Placeholder {name!r}: {shape!r} is no shape.",
            fix="give one whole number for each axis.",
            name=name,
            shape=shape,
        )
    if not isinstance(dtype, torch.dtype):
        raise DtypeError(
            f"Placeholder {name!r}: {dtype!r} is no dtype of torch.",
            fix="give a torch dtype, such as torch.float32.",
            name=name,
            dtype=dtype,
        )
    return Node(Placeholder(str(name), sizes, dtype), (), str(name))


def array(value: object, name: str | None = None) -> Node:
    """A fixed tensor (or numbers, as torch.as_tensor takes them), copied, so that later changes to it do not matter.

    >>> array([1.0, 2.0], "weights")
    Array 'weights' [2]

    Raises NodeError for something that is not numbers.
    """
    try:
        tensor = torch.as_tensor(value)
    except (TypeError, ValueError, RuntimeError):
        raise NodeError(
            f"Array {name!r}: {kind_of(value)} is not numbers.",
            fix="pass a tensor.",
            name=name,
            given=type(value).__name__,
        ) from None
    return Node(Array(Buffer(tensor)), (), name)


def einsum(pattern: str, *nodes: Node, name: str | None = None) -> Node:
    """Multiply nodes and sum over the axes that the right-hand side does not name; words or letters.

    >>> x, w = placeholder("x", (5, 3)), array(torch.ones(3, 4), "w")
    >>> einsum("seq d, d e -> seq e", x, w, name="xw")
    Einsum 'xw' [5, 4]

    Raises PatternError for a pattern that cannot be read, ShapeError for axes that differ, DtypeError for mixed dtypes.
    """
    nodes = _nodes(nodes, "Einsum", name)
    return Node(_einsum(pattern, tuple(len(node.shape) for node in nodes)), nodes, name)


@lru_cache(maxsize=4096)
def _einsum(pattern: str, ranks: tuple[int, ...]) -> Einsum:
    return Einsum(parse(pattern, ranks))


def add(*nodes: Node, weights: Sequence[float] | None = None, name: str | None = None) -> Node:
    """A weighted sum of any number of nodes; per-example shapes broadcast, aligned at their last axes.

    >>> x, y = placeholder("x", (5, 3)), placeholder("y", (3,))
    >>> add(x, y, weights=[1, -1], name="difference").shape
    (5, 3)

    Raises ShapeError for shapes that do not broadcast or a wrong number of weights, DtypeError for mixed dtypes.
    """
    nodes = _nodes(nodes, "Add", name)
    if weights is None:
        return Node(_plain_add(len(nodes)), nodes, name)
    weights = tuple(float(weight) for weight in weights)
    if len(weights) != len(nodes):
        raise ShapeError(
            f"Add {name or 'add'!r}: {counted(len(weights), 'weight')} for {counted(len(nodes), 'node')}.",
            fix="give one weight for each node.",
            name=name,
            weights=len(weights),
            nodes=len(nodes),
        )
    return Node(_add(weights), nodes, name)


@lru_cache(maxsize=256)
def _plain_add(count: int) -> Add:
    return Add((1.0,) * count)


@lru_cache(maxsize=1024)
def _add(weights: tuple[float, ...]) -> Add:
    return Add(weights)


def index(node: Node, at: object, name: str | None = None) -> Node:
    """Some entries of a node: an integer, a slice or a one-dimensional LongTensor for each axis, each on its own.

    `evaluate` computes only what the index keeps, wherever that saves work.

    >>> x = placeholder("x", (5, 3, 4))
    >>> index(x, (-1, slice(0, 2), torch.tensor([3, 3, 0]))).shape
    (2, 3)

    Raises BoundsError outside an axis (slices are not clipped), PatternError or DtypeError for what is no index.
    """
    (node,) = _nodes((node,), "Index", name)
    entries = indexing.read(at, node.shape, f"Index {name or node.name!r}")
    return Node(Index(entries), (node,), name or node.name)


def concat(nodes: Sequence[Node], axis: int, name: str | None = None) -> Node:
    """Nodes one after another along an axis.

    >>> concat([placeholder("x", (2, 3)), placeholder("y", (1, 3))], axis=0).shape
    (3, 3)

    Raises ShapeError when the other axes differ, BoundsError for an axis that is not there.
    """
    nodes = _nodes(nodes, "Concat", name)
    rank = len(nodes[0].shape) if nodes else 0
    if nodes and not -rank <= axis < rank:
        raise BoundsError(
            f"Concat {name or 'concat'!r}: axis {axis} of {counted(rank, 'axis')}.",
            fix=f"use an axis from {-rank} to {rank - 1}." if rank else "join nodes that have axes.",
            name=name,
            axis=axis,
            axes=rank,
        )
    return Node(Concat(axis % rank if rank else 0), nodes, name)


def apply(function: str, *nodes: Node, name: str | None = None) -> Node:
    """A function from the table on some nodes: everything that is not linear; `register` adds functions.

    >>> x = placeholder("x", (5, 3))
    >>> apply("softmax", x).shape, apply("embed", placeholder("t", (5,), torch.long), array(torch.ones(9, 2))).shape
    ((5, 3), (5, 2))

    Raises FunctionError for a function that is not in the table or refuses these children.
    """
    nodes = _nodes(nodes, "Apply", name or str(function))
    return Node(_apply(function_named(function)), nodes, name or function)


@lru_cache(maxsize=1024)
def _apply(function: Function) -> Apply:
    return Apply(function)


def sample(node: Node, rows: torch.Tensor, name: str | None = None) -> Node:
    """The node's value on other rows of the population: `rows` [draws] counts into the rows bound at evaluation.

    A node that depends on no input is the same on every row, and is returned as it is.

    >>> sample(placeholder("x", (3,)), torch.tensor([0, 0, 1])).space
    3

    Raises SampleError for a node that is sampled already, BoundsError for negative rows, DtypeError for other dtypes.
    """
    (node,) = _nodes((node,), "Sample", name)
    rows = torch.as_tensor(rows)
    place = f"Sample {name or node.name!r}"
    if rows.dtype != torch.long or rows.ndim != 1:
        raise DtypeError(
            f"{place}: rows are {rows.dtype} {list(rows.shape)}.",
            fix="give a LongTensor [draws].",
            place=place,
            dtype=rows.dtype,
            shape=tuple(rows.shape),
        )
    if not len(rows):
        raise BoundsError(f"{place}: 0 rows are drawn.", fix="draw at least one row.", place=place, rows=0)
    if rows.min() < 0:
        raise BoundsError(
            f"{place}: row {rows.min().item()} is negative.", fix="count rows from 0.", place=place, row=int(rows.min())
        )
    if node.space is None:
        return node.named(name) if name else node
    return Node(Sample(Buffer(rows)), (node,), name or node.name)


def bound(node: Node, rows: torch.Tensor, name: str, spare: bool = False) -> Node:
    """A placeholder like `node` that brings its own rows [rows, *shape] along; with one row, the same for all."""
    if len(rows) == 1:
        return Node(Array(Buffer(rows[0])), (), name)
    like: str = node.op.input  # type: ignore[attr-defined]
    return Node(Placeholder(name, node.shape, node.dtype, Buffer(rows), spare, like), (), name)


def _nodes(nodes: Sequence[Node], kind: str, name: str | None) -> tuple[Node, ...]:
    nodes = tuple(nodes)
    for node in nodes:
        if type(node) is not Node:
            raise NodeError(
                f"{kind} {name or kind.lower()!r}: {kind_of(node)} was given where a node is needed.",
                fix="wrap tensors and numbers with array(...).",
                name=name,
                given=type(node).__name__,
            )
    return nodes
