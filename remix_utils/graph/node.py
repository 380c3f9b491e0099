"""The noun: one immutable node, made of an operation, its children and a name."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NoReturn, final

import torch

from remix_utils.errors import NodeError, SampleError, kind_of
from remix_utils.graph.axes import Shape


class Op:
    """What differs between operations; each is a frozen value that knows the rules below.

    `infer` gives the shape and dtype of the result (and refuses children that do not fit), `run` computes it from
    tensors with `rows` leading, `push` moves an index below the operation or returns None, `content` is everything
    about the operation that can change the value.
    """

    __slots__ = ()
    kind = ""

    def infer(self, children: tuple[Node, ...], place: str) -> tuple[Shape, torch.dtype]:
        raise TypeError(f"{type(self).__name__} does not say its shape")

    def run(self, values: Sequence[torch.Tensor], batched: Sequence[bool]) -> torch.Tensor:
        """The value; `batched[i]` says whether child i has a leading axis of rows."""
        raise TypeError(f"{type(self).__name__} does not say how to run")

    def push(self, node: Node, at: tuple) -> tuple[Op, list[tuple[Node, tuple]]] | None:
        """An operation on indexed children that equals the node indexed by `at`, or None."""
        return None

    def content(self) -> bytes:
        return repr(self).encode()

    def flops(self, node: Node) -> int:
        """Floating-point operations for one row."""
        return node.size

    @property
    def draws(self) -> int | None:
        """How many rows the operation draws, when it resamples; None otherwise."""
        return None


@final
class Node:
    """One step of a computation: `Node(op, children, name)`; shapes and dtypes are per example.

    Nodes are made by the constructors of `graph.ops`, never changed, compared by identity. `key` is a hash of the
    content, names left out: equal keys mean equal values.

    >>> from remix_utils import array, add
    >>> x = array(torch.ones(3), "x")
    >>> add(x, x, name="twice").shape
    (3,)
    """

    __slots__ = ("op", "children", "name", "shape", "dtype", "space", "_key", "_below", "_echoes", "__weakref__")
    op: Op
    children: tuple[Node, ...]
    name: str
    shape: Shape
    dtype: torch.dtype
    space: int | None  # rows its value has: None the same for all, -1 those of the inputs, otherwise the draws
    _key: bytes | None
    _below: tuple[Node, ...] | None  # every node below, children first, once somebody has walked them
    _echoes: dict | None  # what was made by putting this node in the place of another, while somebody else holds it

    def __init__(self, op: Op, children: Sequence[Node] = (), name: str | None = None):
        children = tuple(children)
        put = object.__setattr__
        put(self, "op", op)
        put(self, "name", op.kind if name is None else name)
        for child in children:
            if type(child) is not Node:
                raise NodeError(
                    f"{self.place}: a child is {kind_of(child)}, not a node.",
                    fix="wrap tensors and numbers with array(...).",
                    place=self.place,
                    given=type(child).__name__,
                )
        put(self, "children", children)
        shape, dtype = op.infer(children, self.place)
        put(self, "shape", shape)
        put(self, "dtype", dtype)
        put(self, "space", _space(self))
        put(self, "_key", None)
        put(self, "_below", None)
        put(self, "_echoes", None)

    def __setattr__(self, field: str, value: object) -> NoReturn:
        raise NodeError(
            f"{self.place} cannot be changed.",
            fix="build a new node, or use update(...) or replace(...).",
            place=self.place,
            field=field,
        )

    __delattr__ = __setattr__  # type: ignore[assignment]

    @property
    def place(self) -> str:
        """How errors call this node."""
        return f"{self.op.kind.capitalize()} {self.name!r}"

    @property
    def size(self) -> int:
        """Elements in one example."""
        size = 1
        for length in self.shape:
            size *= length
        return size

    @property
    def key(self) -> bytes:
        """The hash of what is computed: operation, constants, dtypes and children, and no names."""
        if self._key is None:
            ready = all(child._key is not None for child in self.children)
            for node in [self] if ready else unkeyed(self):
                digest = hashlib.blake2b(node.op.content(), digest_size=16)
                for child in node.children:
                    digest.update(child._key)  # type: ignore[arg-type]
                object.__setattr__(node, "_key", digest.digest())
        return self._key  # type: ignore[return-value]

    def with_children(self, children: Sequence[Node]) -> Node:
        """This node on other children: itself when they are the same objects."""
        if len(children) != len(self.children):
            return Node(self.op, children, self.name)
        changed = [(new, old) for new, old in zip(children, self.children, strict=True) if new is not old]
        if not changed:
            return self
        if all(type(new) is Node and _signature(new) == _signature(old) for new, old in changed):
            return self._alike(tuple(children))
        return Node(self.op, children, self.name)

    def _alike(self, children: tuple[Node, ...]) -> Node:
        """This node on children of the same shapes, dtypes and rows, for which nothing need be worked out again."""
        node = object.__new__(Node)
        put = object.__setattr__
        put(node, "op", self.op)
        put(node, "children", children)
        put(node, "name", self.name)
        put(node, "shape", self.shape)
        put(node, "dtype", self.dtype)
        put(node, "space", self.space)
        put(node, "_key", None)
        put(node, "_below", None)
        put(node, "_echoes", None)
        return node

    def named(self, name: str) -> Node:
        """The same computation under another name."""
        return Node(self.op, self.children, name)

    def __repr__(self) -> str:
        dtype = "" if self.dtype == torch.float32 else f" {str(self.dtype).removeprefix('torch.')}"
        return f"{self.place} {list(self.shape)}{dtype}"

    def __reduce__(self) -> tuple[Any, ...]:
        return Node, (self.op, self.children, self.name)


def _signature(node: Node) -> tuple[Shape, torch.dtype, int | None]:
    """All that an operation may ask of a child before it runs."""
    return node.shape, node.dtype, node.space


def _space(node: Node) -> int | None:
    drawn = node.op.draws
    spaces: set[int] = {child.space for child in node.children if child.space is not None}
    if drawn is not None:
        if any(space >= 0 for space in spaces):
            raise SampleError(
                f"{node.place} resamples {node.children[0].name!r}, which is resampled already.",
                fix="compose the rows first: sample(node, rows[more_rows]).",
                place=node.place,
                child=node.children[0].name,
            )
        return drawn
    if len(spaces) > 1:
        parts = ", ".join(f"{child.name!r} {whose_rows(child)}" for child in node.children if child.space is not None)
        raise SampleError(
            f"{node.place} mixes rows that do not correspond: {parts}.",
            fix="sample every child with the same number of rows (torch.arange(n) keeps a child's own rows).",
            place=node.place,
            spaces=sorted(spaces),
        )
    return spaces.pop() if spaces else (-1 if node.op.kind == "placeholder" else None)


def whose_rows(node: Node) -> str:
    """Which rows a node's value has, for a sentence."""
    return "has the inputs' own rows" if node.space == -1 else f"has {node.space} drawn rows"


def unkeyed(root: Node) -> list[Node]:
    """The nodes below `root` without a key yet, children first; a cycle made by force is an error."""
    return postorder([root], lambda node: [] if node._key is not None else node.children, keep=lambda n: n._key is None)


def postorder(roots: Sequence[Node], below, keep=lambda node: True) -> list[Node]:
    """Each node once, after everything `below` it; iterative, so that depth does not matter."""
    done: set[int] = set()
    open_: set[int] = set()
    order: list[Node] = []
    stack: list[tuple[Node, bool]] = [(root, False) for root in reversed(roots)]
    while stack:
        node, leaving = stack.pop()
        identity = id(node)
        if leaving:
            open_.discard(identity)
            done.add(identity)
            if keep(node):
                order.append(node)
        elif identity in open_:
            raise NodeError(
                f"{node.place} is its own descendant: the graph has a cycle.",
                fix="build the graph with the constructors; they cannot make a cycle.",
                place=node.place,
            )
        elif identity not in done:
            open_.add(identity)
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(below(node)) if id(child) not in done)
    return order
