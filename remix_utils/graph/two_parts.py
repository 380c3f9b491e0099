"""A node as a sum of two parts: an estimate and its error, or along a direction and across it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container
from itertools import chain, count

import torch

from remix_utils.errors import RewriteError, ShapeError
from remix_utils.graph.axes import axis_names
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, array, einsum
from remix_utils.graph.rewrite import update
from remix_utils.graph.walk import children_first, rebuild

Namer = Callable[[str], str]  # a name that no node has, made from the one that is wanted
Parts = Callable[[Node, Node, Namer], tuple[Node, Node]]


def residual(graph: Node, which: object, estimate: Node) -> Node:
    """A node becomes an estimate of it plus what the estimate misses: x = e + (x - e).

    The sum has the node's name, and the node itself is then `x.original`. Where other uses of the
    node stay as they were, these keep the name, and the sum is `x.sum`.

    >>> x, e = array([3.0], "x"), array([2.0], "e")
    >>> whole = residual(x, "x", e)
    >>> [node.name for node in whole.children], whole.children[1].children[0].name
    (['e', 'x.rest'], 'x.original')

    Raises ShapeError for an estimate of another shape or dtype.
    """
    old = set(children_first(graph))
    names = {node.name for node in old}
    if estimate not in old and estimate.name in names:
        estimate = estimate.named(_free(f"{estimate.name}.estimate", names))
    depends_on = set(children_first(estimate))

    def parts(node: Node, original: Node, fresh: Namer) -> tuple[Node, Node]:
        if (estimate.shape, estimate.dtype) != (node.shape, node.dtype):
            raise ShapeError(
                f"residual: the estimate {estimate!r} is not like {node!r}.",
                fix="give it the node's shape and dtype.",
                place=node.place,
                left=estimate.shape,
                right=node.shape,
            )
        close = _reading(estimate, node, original, names, fresh) if node in depends_on else estimate
        return close, add(original, close, weights=[1, -1], name=fresh(f"{node.name}.rest"))

    return _in_two(graph, which, parts, {node.name for node in depends_on})


def project(graph: Node, which: object, direction: torch.Tensor) -> Node:
    """A node becomes its part along a direction of its last axis plus the part orthogonal to it.

    `direction` is [d], or [directions, d] for the span of several; it need not be normalised. The
    names are as in `residual`: the sum has the node's name, and the node itself is `x.original`.

    >>> x = array([3.0, 4.0], "x")
    >>> [node.name for node in project(x, "x", torch.tensor([2.0, 0.0])).children]
    ['x.along', 'x.across']

    Raises ShapeError for another length, RewriteError for a direction of length zero.
    """
    rows = torch.as_tensor(direction)
    rows = rows if rows.ndim == 2 else rows.reshape(1, -1)

    def parts(node: Node, original: Node, fresh: Namer) -> tuple[Node, Node]:
        if not node.shape or rows.shape[1] != node.shape[-1]:
            raise ShapeError(
                f"project: directions {list(rows.shape)} for {node!r}.",
                fix="give one number for each last-axis entry.",
                place=node.place,
                left=rows.shape[1],
                right=node.shape[-1:],
            )
        if bool((rows.norm(dim=1) == 0).any()):
            fact = f"project: a direction for {node.place} is zero."
            raise RewriteError(fact, fix="leave it out.", place=node.place)
        basis = torch.linalg.svd(rows.double(), full_matrices=False)
        kept = basis.Vh[basis.S[0] * 1e-12 < basis.S]
        matrix = array((kept.T @ kept).to(node.dtype), fresh(f"{node.name}.projection"))
        axes = axis_names(node.shape)
        onto = f"{axes}, {axes.split()[-1]} to -> {' '.join([*axes.split()[:-1], 'to'])}"
        along = einsum(onto, original, matrix, name=fresh(f"{node.name}.along"))
        return along, add(original, along, weights=[1, -1], name=fresh(f"{node.name}.across"))

    return _in_two(graph, which, parts, set())


def _reading(estimate: Node, node: Node, original: Node, names: set[str], fresh: Namer) -> Node:
    """An estimate that depends on the node, reading the node as it was, with names of its own."""

    def rule(new: Node, old: Node) -> Node:
        if old is node:
            return original
        if new is old or old.name not in names:
            return new
        return new.named(fresh(f"{old.name}.estimate"))

    return rebuild([estimate], rule)[0]


def _in_two(graph: Node, which: object, parts: Parts, others: set[str]) -> Node:
    """The selected nodes as sums of parts, where no name stands for more nodes than before."""
    old = children_first(graph)
    before = Counter(node.name for node in old)
    result = _rewritten(graph, which, parts, before.keys() | others, set())
    after = Counter(node.name for node in children_first(result))
    shared = {name for name, uses in before.items() if after[name] > uses}
    return _rewritten(graph, which, parts, before.keys() | others, shared) if shared else result


def _rewritten(graph: Node, which: object, parts: Parts, names: set[str], shared: set[str]) -> Node:
    """One pass; nodes with a shared name keep it, since they are still used elsewhere."""
    taken = set(names)

    def fresh(wanted: str) -> str:
        name = _free(wanted, taken)
        taken.add(name)
        return name

    def rule(node: Node) -> Node:
        stays = node.name in shared
        original = node if stays else node.named(fresh(f"{node.name}.original"))
        name = fresh(f"{node.name}.sum") if stays else node.name
        return add(*parts(node, original, fresh), name=name)

    return update(graph, which, rule)


def _free(wanted: str, taken: Container[str]) -> str:
    """The name that is wanted, with a number where it is taken."""
    numbered = (f"{wanted}.{number}" for number in count(2))
    return next(name for name in chain([wanted], numbered) if name not in taken)
