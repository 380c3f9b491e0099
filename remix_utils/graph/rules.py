"""Rewrites that keep values: each a small named rule, listed in RULES and proved on random graphs."""

from __future__ import annotations

from collections.abc import Callable

from remix_utils.errors import RewriteError
from remix_utils.graph.broadcast import broadcast_to
from remix_utils.graph.expand import expand_paths
from remix_utils.graph.layernorm import expand_layernorm, fold_layernorm
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.narrow import sink
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Index, Sample
from remix_utils.graph.ops import add, sample
from remix_utils.graph.rewrite import split, update
from remix_utils.graph.two_parts import project, residual
from remix_utils.graph.walk import children_first, rebuild, refused


def distribute(graph: Node, which: object) -> Node:
    """An einsum over a sum becomes the sum of einsums: (a + b) c = a c + b c.

    The first child that is an add is distributed; apply it again for another child. A term that broadcasts is written
    out to the shape of the add first, so that every product sums over the same axes.

    >>> from remix_utils import array, einsum
    >>> x, y, w = array([1.0], "x"), array([2.0], "y"), array([3.0], "w")
    >>> [node.name for node in distribute(einsum("i, i ->", add(x, y), w, name="dot"), "dot").children]
    ['dot.x', 'dot.y']

    Raises RewriteError for a node that is no einsum over an add.
    """
    return update(graph, which, _distribute)


def _distribute(node: Node) -> Node:
    slot = next((i for i, child in enumerate(node.children) if isinstance(child.op, Add)), None)
    if not isinstance(node.op, Einsum) or slot is None:
        raise refused("distribute", node, "an einsum with an add among its children")
    total = node.children[slot]
    before, after = node.children[:slot], node.children[slot + 1 :]
    terms = [
        Node(node.op, (*before, broadcast_to(term, total.shape), *after), f"{node.name}.{term.name}")
        for term in total.children
    ]
    return add(*terms, weights=total.op.weights, name=node.name)  # type: ignore[attr-defined]


def flatten(graph: Node, which: object) -> Node:
    """An add of adds becomes one add of all the terms, weights multiplied.

    >>> from remix_utils import array
    >>> x, y = array([1.0], "x"), array([2.0], "y")
    >>> flatten(add(x, add(x, y, weights=[2, 3]), name="sum"), "sum").op.weights
    (1.0, 2.0, 3.0)

    Raises RewriteError for a node that is no add with an add among its children.
    """

    def rule(node: Node) -> Node:
        if not isinstance(node.op, Add) or not any(isinstance(child.op, Add) for child in node.children):
            raise refused("flatten", node, "an add with an add among its children")
        terms: list[tuple[Node, float]] = []
        for child, weight in zip(node.children, node.op.weights, strict=True):
            inner = zip(child.children, child.op.weights, strict=True) if isinstance(child.op, Add) else [(child, 1.0)]
            terms.extend((term, weight * own) for term, own in inner)
        return add(*[term for term, _ in terms], weights=[weight for _, weight in terms], name=node.name)

    return update(graph, which, rule)


def push_index(graph: Node, which: object) -> Node:
    """An index passes below the operation it stands on: (a + b)[i] = a[i] + b[i].

    >>> from remix_utils import array
    >>> x, y = array([1.0, 2.0], "x"), array([3.0, 4.0], "y")
    >>> from remix_utils import index
    >>> [node.op.kind for node in push_index(index(add(x, y), 0, name="first"), "first").children]
    ['index', 'index']

    Raises RewriteError for a node that is no index, or stands on an axis that its operation needs whole.
    """

    def rule(node: Node) -> Node:
        if not isinstance(node.op, Index):
            raise refused("push_index", node, "an index")
        (child,) = node.children
        if not child.children or child.op.push(child, node.op.entries) is None:
            raise RewriteError(
                f"push_index: {node.place} stands on {child!r}, which needs an indexed axis whole.",
                fix="index an axis that the operation treats entry by entry.",
                place=node.place,
                child=child.place,
            )
        return sink(child, node.op.entries, lambda each: node.name if each is child else None)

    return update(graph, which, rule)


def lift(graph: Node, which: object = None) -> Node:
    """Each sample moves up as far as it can stand: f(sample(x, r)) = sample(f(x), r), rows being independent.

    Terms of an add that are sampled alike are summed below their sample.

    >>> import torch
    >>> from remix_utils import apply, placeholder
    >>> x = placeholder("x", (3,))
    >>> lift(apply("relu", sample(x, torch.tensor([0, 0])))).op.kind
    'sample'

    Raises RewriteError for a graph without samples.
    """
    if not any(isinstance(node.op, Sample) for node in children_first(graph)):
        raise RewriteError(
            f"lift: there is no sample below {graph.name!r}.", fix="lift graphs that resample.", place=graph.place
        )

    def rule(node: Node, original: Node) -> Node:
        varying = [child for child in node.children if child.space is not None]
        draws = {child.op.rows for child in varying if isinstance(child.op, Sample)}
        if isinstance(node.op, Sample) or len(draws) != 1 or not all(isinstance(c.op, Sample) for c in varying):
            return _sum_alike(node) if isinstance(node.op, Add) else node
        below = [child.children[0] if isinstance(child.op, Sample) else child for child in node.children]
        return sample(Node(node.op, below, node.name), draws.pop().tensor)

    return rebuild([graph], rule)[0]


def _sum_alike(node: Node) -> Node:
    """An add with those of its terms that are sampled by the same rows summed before they are sampled."""
    weights: tuple[float, ...] = node.op.weights  # type: ignore[attr-defined]
    groups: dict[object, list[tuple[Node, float]]] = {}
    for child, weight in zip(node.children, weights, strict=True):
        groups.setdefault(child.op.rows if isinstance(child.op, Sample) else child, []).append((child, weight))
    if not any(len(group) > 1 and isinstance(group[0][0].op, Sample) for group in groups.values()):
        return node
    terms: list[tuple[Node, float]] = []
    for group in groups.values():
        if len(group) == 1 or not isinstance(group[0][0].op, Sample):
            terms += group
            continue
        below = add(*[term.children[0] for term, _ in group], weights=[w for _, w in group], name=f"{node.name}.part")
        terms.append((sample(below, group[0][0].op.rows.tensor), 1.0))
    return add(*[term for term, _ in terms], weights=[weight for _, weight in terms], name=node.name)


RULES: dict[str, Callable[..., Node]] = {
    "distribute": distribute,
    "expand_layernorm": expand_layernorm,
    "expand_paths": expand_paths,
    "flatten": flatten,
    "fold_layernorm": fold_layernorm,
    "lift": lift,
    "project": project,
    "push_index": push_index,
    "residual": residual,
    "split": split,
}
