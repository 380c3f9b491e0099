"""Path expansion: with attention patterns and layernorm scales held fixed a transformer is linear, a sum over paths."""

from __future__ import annotations

from remix_utils.errors import RewriteError
from remix_utils.graph.broadcast import broadcast_to
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Index
from remix_utils.graph.ops import add
from remix_utils.graph.rewrite import update
from remix_utils.graph.select import find
from remix_utils.graph.selector import selector
from remix_utils.graph.walk import children_first

FROZEN = selector("*.pattern") | selector("*.scale") | selector("*.inverse")
Term = tuple[Node, float]


def expand_paths(graph: Node, which: object, frozen: object = FROZEN, most: int = 10_000) -> Node:
    """A node becomes the sum over the paths that lead to it, through everything linear.

    What `frozen` selects (attention patterns and layernorm scales, if nothing is said) counts as a fixed factor. Terms
    are named after the path, and their sum equals the node (A Mathematical Framework for Transformer Circuits, 2021).
    A term that a sum broadcasts is written out to the whole shape, under its name with `.broadcast`.

    >>> from remix_utils import array, einsum, placeholder
    >>> x, w = placeholder("x", (1,)), array([2.0], "w")
    >>> once = add(x, einsum("i, i -> i", x, w, name="once"))
    >>> [n.name for n in expand_paths(add(once, einsum("i, i -> i", once, w, name="twice"), name="y"), "y").children]
    ['x', 'once < x', 'twice < x', 'twice < once < x']

    Raises RewriteError when there is nothing to expand, or more than `most` paths, counted before any is built.
    """
    fixed = set(find(graph, frozen, missing="ok"))
    names = {node.name for node in fixed}
    return update(graph, which, lambda node: _expand(node, names, most))


def _expand(root: Node, frozen: set[str], most: int) -> Node:
    order = children_first(root)
    fixed = {node for node in order if node.space is None or (node.name in frozen and node is not root)}
    open_slots: dict[Node, list[int]] = {root: [] if root in fixed else _open_slots(root, fixed)}
    for node in reversed(order):  # only what a path passes: below a frozen node there may be ever so many
        for slot in open_slots.get(node, ()):
            child = node.children[slot]
            open_slots[child] = [] if child in fixed else _open_slots(child, fixed)
    order = [node for node in order if node in open_slots]
    counts: dict[Node, int] = {}
    for node in order:
        counts[node] = sum(counts[node.children[slot]] for slot in open_slots[node]) or 1
    if counts[root] > most:
        raise RewriteError(
            f"expand_paths: {counts[root]:,} paths lead to {root.name!r}, more than {most:,}.",
            fix="select a node further down, freeze more, or allow most=... paths.",
            paths=counts[root],
            most=most,
        )
    if counts[root] == 1:
        raise RewriteError(
            f"expand_paths: one path leads to {root!r}.", fix="select a node above a sum.", place=root.place, paths=1
        )
    terms: dict[Node, list[Term]] = {}
    for node in order:
        terms[node] = [term for slot in open_slots[node] for term in _through(node, slot, terms)] or [(node, 1.0)]
    parts = terms[root]
    return add(*[term for term, _ in parts], weights=[weight for _, weight in parts], name=root.name)


def _open_slots(node: Node, fixed: set[Node]) -> list[int]:
    """The children in which the node is linear: all of an add's, an index's one, an einsum's one that varies."""
    if isinstance(node.op, Index):
        return [0]
    if isinstance(node.op, Add):
        return list(range(len(node.children)))
    if isinstance(node.op, Einsum):
        varying = [slot for slot, child in enumerate(node.children) if child not in fixed]
        return varying if len(varying) == 1 else []
    return []


def _through(node: Node, slot: int, terms: dict[Node, list[Term]]) -> list[Term]:
    child = node.children[slot]
    if isinstance(node.op, Add):
        return [(broadcast_to(term, node.shape), weight * node.op.weights[slot]) for term, weight in terms[child]]
    return [(_along(node, slot, term), weight) for term, weight in terms[child]]


def _along(node: Node, slot: int, term: Node) -> Node:
    children = [*node.children[:slot], term, *node.children[slot + 1 :]]
    name = term.name if isinstance(node.op, Index) else f"{node.name} < {term.name}"
    return Node(node.op, children, name)
