"""Layernorm opened up, and folded into what reads it."""

from __future__ import annotations

import torch

from remix_utils.errors import RewriteError
from remix_utils.graph.axes import axis_names
from remix_utils.graph.linear import Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply
from remix_utils.graph.ops import add, apply, array, einsum
from remix_utils.graph.rewrite import update
from remix_utils.graph.walk import rebuild, refused


def expand_layernorm(graph: Node, which: object) -> Node:
    """A layernorm becomes linear operations and one scale: centre, divide by the scale, multiply, shift.

    An RMSNorm is only divided and multiplied.

    >>> x, one = array([1.0, 3.0], "x"), array([1.0, 1.0], "one")
    >>> expand_layernorm(apply("layernorm", x, one, one, name="ln"), "ln").children
    (Einsum 'ln.scaled' [2], Array 'one' [2])

    Raises RewriteError for a node that is neither.
    """
    return update(graph, which, _expand_layernorm)


def _expand_layernorm(node: Node) -> Node:
    kind = node.op.function if isinstance(node.op, Apply) else ""
    if kind not in ("layernorm", "rmsnorm"):
        raise refused("expand_layernorm", node, "a layernorm or an RMSNorm")
    x, weight, *rest = node.children
    bias, eps = (rest[0], rest[1:]) if kind == "layernorm" else (None, rest)
    axes, name = axis_names(x.shape), node.name
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
            raise refused("fold_layernorm", node, "a layernorm")
        norms.add(node)
        return node

    graph = update(graph, which, mark)
    if graph in norms:
        raise RewriteError(
            f"fold_layernorm: nothing reads {graph.place}.",
            fix="select a layernorm that einsums read.",
            place=graph.place,
        )
    return rebuild([graph], lambda node, original: _fold(node, original, norms))[0]


def _fold(node: Node, original: Node, norms: set[Node]) -> Node:
    slots = [i for i, child in enumerate(original.children) if child in norms]
    if not slots:
        return node
    if not isinstance(node.op, Einsum) or len(node.children) != 2 or len(slots) != 1:
        raise RewriteError(
            f"fold_layernorm: {node!r} reads {original.children[slots[0]].name!r} and is no einsum of two factors.",
            fix="leave that layernorm as it is, or rewrite its reader first.",
            place=node.place,
            children=len(node.children),
        )
    (slot,) = slots
    norm, matrix = node.children[slot], node.children[1 - slot]
    words, other = node.op.parsed.inputs[slot], node.op.parsed.inputs[1 - slot]
    if matrix.space is not None or words[-1] not in other:
        raise RewriteError(
            f"fold_layernorm: {node!r} does not multiply axis {words[-1]!r} of {norm.name!r} by a fixed matrix.",
            fix="leave that layernorm as it is.",
            place=node.place,
            axis=words[-1],
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
