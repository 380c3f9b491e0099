"""How much memory values take, and for how long: what a plan says before anything runs."""

from __future__ import annotations

from collections.abc import Sequence, Set
from inspect import isfunction

from remix_utils.graph.buffer import Buffer
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Index

ROWS = "*"  # stands for the axis of rows among an einsum's words
NONE: Set[Node] = frozenset()


def peak(
    nodes: Sequence[Node], keep: Sequence[Node], lent: Set[Node] = NONE, batched: Set[Node] = NONE
) -> tuple[int, int]:
    """The most bytes that values of one row hold at once, and what is needed for a moment however many rows there are.

    Values are freed after their last use, except those to `keep`; views count with their owner, `lent` nodes not at
    all. What functions written in Python need beside their result is taken to be as much again; what products of three
    and more factors have in between is not known.
    """
    owner: dict[Node, Node] = {}
    last: dict[Node, int] = {}
    for step, node in enumerate(nodes):
        owner[node] = owner.get(node.children[0], node) if is_view(node) else node
        for child in node.children:
            if child in owner:
                last[owner[child]] = step
        last.setdefault(owner[node], step)
    for node in keep:
        last[owner[node]] = len(nodes)
    ends: dict[int, list[Node]] = {}
    for node, step in last.items():
        ends.setdefault(step, []).append(node)
    size = {node: 0 if node in lent else size_in_bytes(node) for node in last}
    live = most = once = 0
    for step, node in enumerate(nodes):
        live += size[node] if owner[node] is node else 0
        for_rows, for_once = scratch(node, batched)
        most, once = max(most, live + for_rows), max(once, for_once)
        live -= sum(size[each] for each in ends.get(step, ()))
    return most, once


def size_in_bytes(node: Node) -> int:
    return node.size * node.dtype.itemsize


def is_view(node: Node) -> bool:
    """Whether the value shares its child's storage."""
    if isinstance(node.op, Index):
        return not any(isinstance(e, Buffer) or (not isinstance(e, int) and e.step < 0) for e in node.op.entries)
    if isinstance(node.op, Einsum):
        return len(node.children) == 1 and set(node.op.parsed.inputs[0]) == set(node.op.parsed.output)
    return isinstance(node.op, Add) and node.op.weights == (1.0,)


def scratch(node: Node, batched: Set[Node]) -> tuple[int, int]:
    """Bytes that running a node takes beside its value, for each row (its own rows) and once."""
    if isinstance(node.op, Apply):
        run = getattr(node.op.entry.run, "func", node.op.entry.run)
        return (size_in_bytes(node), 0) if isfunction(run) else (0, 0)
    if not isinstance(node.op, Einsum) or len(node.children) != 2:
        return 0, 0
    copied = [child for slot, child in enumerate(node.children) if _is_copied(node, slot, batched)]
    for_rows = sum(size_in_bytes(child) for child in copied if child in batched or node not in batched)
    return for_rows, sum(map(size_in_bytes, copied)) - for_rows


def _is_copied(node: Node, slot: int, batched: Set[Node]) -> bool:
    """Whether torch lays a factor out anew: axes that a matrix product takes as one must lie side by side."""
    pattern, child = node.op.parsed, node.children[slot]  # type: ignore[attr-defined]
    words, others = pattern.inputs[slot], pattern.inputs[1 - slot]
    size = dict(zip(words, child.shape, strict=True))
    names = [ROWS if axis is None else words[axis] for axis in _order(child, batched)]
    names = [name for name in names if size.get(name) != 1]
    shared = {*others, *([ROWS] if node.children[1 - slot] in batched else [])}
    output = [ROWS, *pattern.output]
    summed = [name for name in words if name in shared and name not in output and name in names]
    if not summed:
        return False  # an elementwise product
    own = [[name for name in output if name in names and (name in shared) == both] for both in (True, False)]
    return not all(_side_by_side(group, names) for group in (*own, summed))


def _side_by_side(group: list[str], names: list[str]) -> bool:
    start = names.index(group[0]) if group else 0
    return names[start : start + len(group)] == group


def _order(node: Node, batched: Set[Node]) -> list[int | None]:
    """A value's axes as they lie in memory, None being the rows: a product leaves those of a factor together."""
    axes = [*([None] if node in batched else []), *range(len(node.shape))]
    if not isinstance(node.op, Einsum) or len(node.children) != 2:
        return axes
    left, right = node.op.parsed.inputs

    def factor(axis: int | None) -> int:
        if axis is None:
            has_rows = [child in batched for child in node.children]
            return 0 if all(has_rows) else 2 - has_rows[0]
        word = node.op.parsed.output[axis]  # type: ignore[attr-defined]
        return 0 if word in left and word in right else 2 - (word in left)

    return sorted(axes, key=factor)
