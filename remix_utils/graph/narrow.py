"""Compute only what is asked for: every index moves down to where it saves work."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from remix_utils.graph import indexing
from remix_utils.graph.indexing import At
from remix_utils.graph.node import Node, Op
from remix_utils.graph.operations import Index
from remix_utils.graph.walk import children_first

Want = dict[At, None]  # an ordered set
Recipe = tuple[Op | None, list[tuple[Node, At]]]  # no operation: the part itself


def distinct(roots: Sequence[Node]) -> list[Node]:
    """The same roots with equal computations made one node, whatever their names."""
    first: dict[bytes, Node] = {}
    order = children_first(*roots)
    twins = {node: twin for node in order if (twin := first.setdefault(node.key, node)) is not node}
    if not twins:
        return list(roots)
    done: dict[bytes, Node] = {}
    for node in first.values():
        done[node.key] = node.with_children([done[child.key] for child in node.children])
    return [done[root.key] for root in roots]


def narrow(roots: Sequence[Node]) -> list[Node]:
    """Equal roots in which a node that is only read in part is only computed in part.

    Parents are visited before children, so that all that is asked of a node is known when its turn comes: once any
    reader wants all of it, it is computed once and sliced; otherwise each index passes below it, if the operation
    lets it and the parts are together smaller than the whole.
    """
    roots = distinct(roots)
    order = children_first(*roots)
    if not any(node.op.kind == "index" for node in order):
        return roots
    wanted: dict[Node, Want] = {node: {} for node in order}
    for root in roots:
        wanted[root][indexing.whole(root.shape)] = None
    recipes: dict[tuple[Node, At], Recipe] = {}
    for node in reversed(order):
        for at, recipe in _recipes(node, wanted[node]).items():
            recipes[node, at] = recipe
            for child, inner in recipe[1]:
                wanted[child][inner] = None
    made: dict[tuple[Node, At], Node] = {}
    for node in order:
        full = indexing.whole(node.shape)
        for at in sorted(wanted[node], key=lambda at, full=full: at != full):
            made[node, at] = _make(node, recipes[node, at], made)
    return distinct([made[root, indexing.whole(root.shape)] for root in roots])


def _recipes(node: Node, want: Want) -> dict[At, Recipe]:
    """For each wanted part: the operation, and which parts of which nodes it reads."""
    if isinstance(node.op, Index):
        return {at: (None, [(node.children[0], indexing.compose(node.op.entries, at))]) for at in want}
    full = indexing.whole(node.shape)
    if full not in want and node.children and sum(_size(at) for at in want) < node.size:
        pushed = {at: node.op.push(node, at) for at in want}
        if all(recipe is not None for recipe in pushed.values()):
            return pushed  # type: ignore[return-value]
    want[full] = None
    parts = {at: (Index(at), [(node, full)]) for at in want if at != full}
    return {**parts, full: (node.op, [(child, indexing.whole(child.shape)) for child in node.children])}


def _make(node: Node, recipe: Recipe, made: dict[tuple[Node, At], Node]) -> Node:
    operation, parts = recipe
    children = [made[part] for part in parts]
    if operation is None:
        return children[0]
    return node.with_children(children) if operation is node.op else Node(operation, children, node.name)


def _size(at: At) -> int:
    size = 1
    for length in indexing.shape_after(at):
        size *= length
    return size


def sink(node: Node, at: At, name: Callable[[Node], str | None]) -> Node:
    """The node indexed by `at`, the index as deep as operations let it among the nodes that `name` gives a new name.

    Every (node, index) pair is visited once, however many paths lead to it.
    """
    done: dict[tuple[Node, At], Node] = {}
    stack = [(node, at)]
    while stack:
        here, entries = pair = stack[-1]
        called = here.name if here.name == here.op.kind else name(here)  # a node without a name is its parent's
        if pair in done or indexing.is_whole(entries, here.shape):
            done.setdefault(pair, here)
            stack.pop()
            continue
        if isinstance(here.op, Index) and called == here.op.kind:  # an index without a name is passed through
            part = (here.children[0], indexing.compose(here.op.entries, entries))
            if part not in done:
                stack.append(part)
                continue
            stack.pop()
            done[pair] = done[part]
            continue
        pushed = here.op.push(here, entries) if called is not None and here.children else None
        waiting = [part for part in pushed[1] if part not in done] if pushed else []
        if waiting:
            stack.extend(waiting)
            continue
        stack.pop()
        operation, parts = pushed or (Index(entries), [])
        done[pair] = Node(operation, [done[part] for part in parts] or [here], called or here.name)
    return done[node, at]
