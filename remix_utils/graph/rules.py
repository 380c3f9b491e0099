"""Rewrites that keep values: each a small named rule, listed in RULES and proved on random graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch

from remix_utils.errors import RewriteError, ShapeError
from remix_utils.graph.expand import expand_paths
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.narrow import sink
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Index, Sample
from remix_utils.graph.ops import add, apply, array, einsum, sample
from remix_utils.graph.rewrite import split, update
from remix_utils.graph.walk import children_first, rebuild


def distribute(graph: Node, which: object) -> Node:
    """An einsum over a sum becomes the sum of einsums: (a + b) c = a c + b c.

    The first child that is an add is distributed; terms that broadcast are summed as they stand, so they must have the
    whole shape. Apply it again for another child.

    >>> x, y, w = array([1.0], "x"), array([2.0], "y"), array([3.0], "w")
    >>> [node.name for node in distribute(einsum("i, i ->", add(x, y), w, name="dot"), "dot").children]
    ['dot.x', 'dot.y']

    Raises RewriteError for a node that is no einsum over an add, or whose add broadcasts.
    """
    return update(graph, which, _distribute)


def _distribute(node: Node) -> Node:
    slot = next((i for i, child in enumerate(node.children) if isinstance(child.op, Add)), None)
    if not isinstance(node.op, Einsum) or slot is None:
        raise _refuse("distribute", node, "an einsum with an add among its children")
    total = node.children[slot]
    for term in total.children:
        if term.shape != total.shape:
            raise RewriteError(
                f"distribute: {total.place} {list(total.shape)} broadcasts {term.name!r} {list(term.shape)}.",
                fix="give the term the whole shape first, with an einsum against ones.",
            )
    before, after = node.children[:slot], node.children[slot + 1 :]
    terms = [Node(node.op, (*before, term, *after), f"{node.name}.{term.name}") for term in total.children]
    return add(*terms, weights=total.op.weights, name=node.name)  # type: ignore[attr-defined]


def flatten(graph: Node, which: object) -> Node:
    """An add of adds becomes one add of all the terms, weights multiplied.

    >>> x, y = array([1.0], "x"), array([2.0], "y")
    >>> flatten(add(x, add(x, y, weights=[2, 3]), name="sum"), "sum").op.weights
    (1.0, 2.0, 3.0)

    Raises RewriteError for a node that is no add with an add among its children.
    """

    def rule(node: Node) -> Node:
        if not isinstance(node.op, Add) or not any(isinstance(child.op, Add) for child in node.children):
            raise _refuse("flatten", node, "an add with an add among its children")
        terms: list[tuple[Node, float]] = []
        for child, weight in zip(node.children, node.op.weights, strict=True):
            inner = zip(child.children, child.op.weights, strict=True) if isinstance(child.op, Add) else [(child, 1.0)]
            terms.extend((term, weight * own) for term, own in inner)
        return add(*[term for term, _ in terms], weights=[weight for _, weight in terms], name=node.name)

    return update(graph, which, rule)


def residual(graph: Node, which: object, estimate: Node) -> Node:
    """A node becomes an estimate of it plus what the estimate misses: x = e + (x - e).

    >>> x, e = array([3.0], "x"), array([2.0], "e")
    >>> [node.name for node in residual(x, "x", e).children]
    ['e', 'x.rest']

    Raises ShapeError for an estimate of another shape or dtype.
    """

    def rule(node: Node) -> Node:
        if (estimate.shape, estimate.dtype) != (node.shape, node.dtype):
            raise ShapeError(
                f"residual: the estimate {estimate!r} is not like {node!r}.", fix="give it the node's shape and dtype."
            )
        return add(estimate, add(node, estimate, weights=[1, -1], name=f"{node.name}.rest"), name=node.name)

    return update(graph, which, rule)


def project(graph: Node, which: object, direction: torch.Tensor) -> Node:
    """A node becomes its part along a direction of its last axis plus the part orthogonal to it.

    `direction` is [d], or [directions, d] for the span of several; it need not be normalised.

    >>> x = array([3.0, 4.0], "x")
    >>> [node.name for node in project(x, "x", torch.tensor([2.0, 0.0])).children]
    ['x.along', 'x.across']

    Raises ShapeError for another length, RewriteError for a direction of length zero.
    """
    rows = torch.as_tensor(direction)
    rows = rows if rows.ndim == 2 else rows.reshape(1, -1)

    def rule(node: Node) -> Node:
        if not node.shape or rows.shape[1] != node.shape[-1]:
            raise ShapeError(
                f"project: directions {list(rows.shape)} for {node!r}.", fix="give one number for each last-axis entry."
            )
        if bool((rows.norm(dim=1) == 0).any()):
            raise RewriteError(f"project: a direction for {node.place} is zero.", fix="leave it out.")
        basis = torch.linalg.svd(rows.double(), full_matrices=False)
        kept = basis.Vh[basis.S[0] * 1e-12 < basis.S]
        matrix = array((kept.T @ kept).to(node.dtype), f"{node.name}.projection")
        axes = _axes(node.shape)
        onto = f"{axes}, {axes.split()[-1]} to -> {' '.join([*axes.split()[:-1], 'to'])}"
        along = einsum(onto, node, matrix, name=f"{node.name}.along")
        return add(along, add(node, along, weights=[1, -1], name=f"{node.name}.across"), name=node.name)

    return update(graph, which, rule)


def expand_layernorm(graph: Node, which: object) -> Node:
    """A layernorm becomes linear operations and one scale: centre, divide by the scale, multiply, shift.

    An RMSNorm is only divided and multiplied.

    >>> x, one = array([1.0, 3.0], "x"), array([1.0, 1.0], "one")
    >>> sorted(node.name for node in children_first(expand_layernorm(apply("layernorm", x, one, one, name="ln"), "ln")))
    ['ln', 'ln.centred', 'ln.centring', 'ln.inverse', 'ln.normalized', 'ln.scale', 'ln.scaled', 'one', 'x']

    Raises RewriteError for a node that is neither.
    """
    return update(graph, which, _expand_layernorm)


def _expand_layernorm(node: Node) -> Node:
    kind = node.op.function if isinstance(node.op, Apply) else ""
    if kind not in ("layernorm", "rmsnorm"):
        raise _refuse("expand_layernorm", node, "a layernorm or an RMSNorm")
    x, weight, *rest = node.children
    bias, eps = (rest[0], rest[1:]) if kind == "layernorm" else (None, rest)
    axes, name = _axes(x.shape), node.name
    *lead, last = axes.split()
    scale = apply(f"{kind}_scale", x, *eps, name=f"{name}.scale")
    inverse = apply("reciprocal", scale, name=f"{name}.inverse")
    if bias is not None:
        matrix = torch.eye(node.shape[-1], dtype=x.dtype) - 1 / node.shape[-1]
        centring = array(matrix, f"{name}.centring")
        x = einsum(f"{axes}, {last} to -> {' '.join([*lead, 'to'])}", x, centring, name=f"{name}.centred")
    normalized = einsum(f"{axes}, {' '.join([*lead, 'one'])} -> {axes}", x, inverse, name=f"{name}.normalized")
    if bias is None:
        return einsum(f"{axes}, {last} -> {axes}", normalized, weight, name=name)
    scaled = einsum(f"{axes}, {last} -> {axes}", normalized, weight, name=f"{name}.scaled")
    return add(scaled, bias, name=name)


def fold_layernorm(graph: Node, which: object) -> Node:
    """Einsums that read a selected layernorm take its weight and bias over: x̂·(w∘W) + b·W.

    >>> x, w, b = array([1.0, 3.0], "x"), array([2.0, 2.0], "w"), array([1.0, 1.0], "b")
    >>> graph = einsum("i, i ->", apply("layernorm", x, w, b, name="ln"), array([1.0, 2.0], "W"), name="out")
    >>> [node.name for node in fold_layernorm(graph, "ln").children]
    ['out.folded', 'out.bias']

    Raises RewriteError for a node that is no layernorm, or has a reader that is no einsum with a fixed factor.
    """
    norms: set[Node] = set()

    def mark(node: Node) -> Node:
        if not (isinstance(node.op, Apply) and node.op.function == "layernorm") or node.children[1].shape == ():
            raise _refuse("fold_layernorm", node, "a layernorm")
        norms.add(node)
        return node

    graph = update(graph, which, mark)
    if graph in norms:
        raise RewriteError(f"fold_layernorm: nothing reads {graph.place}.", fix="select a layernorm that einsums read.")
    return rebuild([graph], lambda node, original: _fold(node, original, norms))[0]


def _fold(node: Node, original: Node, norms: set[Node]) -> Node:
    slots = [i for i, child in enumerate(original.children) if child in norms]
    if not slots:
        return node
    if not isinstance(node.op, Einsum) or len(node.children) != 2 or len(slots) != 1:
        raise RewriteError(
            f"fold_layernorm: {node!r} reads {original.children[slots[0]].name!r} and is no einsum of two factors.",
            fix="leave that layernorm as it is, or rewrite its reader first.",
        )
    (slot,) = slots
    norm, matrix = node.children[slot], node.children[1 - slot]
    words, other = node.op.parsed.inputs[slot], node.op.parsed.inputs[1 - slot]
    if matrix.space is not None or words[-1] not in other:
        raise RewriteError(
            f"fold_layernorm: {node!r} does not multiply axis {words[-1]!r} of {norm.name!r} by a fixed matrix.",
            fix="leave that layernorm as it is.",
        )
    x, weight, bias, *eps = norm.children
    ones, zeros = torch.ones(norm.shape[-1], dtype=x.dtype), torch.zeros(norm.shape[-1], dtype=x.dtype)
    plain = apply("layernorm", x, array(ones), array(zeros), *eps, name=f"{norm.name}.normalized")
    folded = einsum(
        f"{words[-1]}, {' '.join(other)} -> {' '.join(other)}", weight, matrix, name=f"{matrix.name}.folded"
    )
    pair = (plain, folded) if slot == 0 else (folded, plain)
    shift = Einsum(type(node.op.parsed)(((words[-1],), other), tuple(w for w in node.op.parsed.output if w in other)))
    shift = Node(shift, (bias, matrix), f"{node.name}.bias")
    main = Node(node.op, pair, f"{node.name}.folded")
    missing = {word: size for word, size in zip(words, norm.shape, strict=True) if word not in other}
    return add(main, _stretch(shift, missing, node.op.parsed.output) if missing else shift, name=node.name)


def _stretch(shift: Node, missing: dict[str, int], full: tuple[str, ...]) -> Node:
    """The bias once for every entry of the axes it lacks, those that are summed over included."""
    ones = array(torch.ones([*missing.values()], dtype=shift.dtype))
    own = " ".join(shift.op.parsed.output)  # type: ignore[attr-defined]
    return einsum(f"{own}, {' '.join(missing)} -> {' '.join(full)}", shift, ones, name=shift.name)


def push_index(graph: Node, which: object) -> Node:
    """An index passes below the operation it stands on: (a + b)[i] = a[i] + b[i].

    >>> x, y = array([1.0, 2.0], "x"), array([3.0, 4.0], "y")
    >>> from remix_utils import index
    >>> [node.op.kind for node in push_index(index(add(x, y), 0, name="first"), "first").children]
    ['index', 'index']

    Raises RewriteError for a node that is no index, or stands on an axis that its operation needs whole.
    """

    def rule(node: Node) -> Node:
        if not isinstance(node.op, Index):
            raise _refuse("push_index", node, "an index")
        (child,) = node.children
        if not child.children or child.op.push(child, node.op.entries) is None:
            raise RewriteError(
                f"push_index: {node.place} stands on {child!r}, which needs an indexed axis whole.",
                fix="index an axis that the operation treats entry by entry.",
            )
        return sink(child, node.op.entries, lambda each: node.name if each is child else None)

    return update(graph, which, rule)


def lift(graph: Node, which: object = None) -> Node:
    """Each sample moves up as far as it can stand: f(sample(x, r)) = sample(f(x), r), rows being independent.

    >>> from remix_utils import placeholder
    >>> x = placeholder("x", (3,))
    >>> lift(apply("relu", sample(x, torch.tensor([0, 0])))).op.kind
    'sample'

    Raises RewriteError for a graph without samples.
    """
    if not any(isinstance(node.op, Sample) for node in children_first(graph)):
        raise RewriteError(f"lift: there is no sample below {graph.name!r}.", fix="lift graphs that resample.")

    def rule(node: Node, original: Node) -> Node:
        varying = [child for child in node.children if child.space is not None]
        draws = {child.op.rows for child in varying if isinstance(child.op, Sample)}
        if isinstance(node.op, Sample) or len(draws) != 1 or not all(isinstance(c.op, Sample) for c in varying):
            return node
        below = [child.children[0] if isinstance(child.op, Sample) else child for child in node.children]
        return sample(Node(node.op, below, node.name), draws.pop().tensor)

    return rebuild([graph], rule)[0]


def _axes(shape: tuple[int, ...]) -> str:
    return " ".join(f"axis{i}" for i in range(len(shape)))


def _refuse(rule: str, node: Node, wanted: str) -> RewriteError:
    return RewriteError(f"{rule} needs {wanted}, and got {node!r}.", fix="select other nodes; find(graph, at(op=...)).")


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
