"""A node in parts: d1.3.4 (residual), d1.3.11 (split_sum) and d1.3.12 (project)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch

from remix_utils.checks.day1.random_graphs import Draw
from remix_utils.checks.day1.rewriting import graphs, judged, outcome, rewritten, terms, weighed, weights_of
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.ops import add, array, einsum, index

# --- d1.3.4 -----------------------------------------------------------------------------------------------------------


def estimates(seed):
    """Nodes and estimates of them: alike, fixed, in need of broadcasting, and the node's own child."""
    draw = Draw(seed)
    alike, stream = draw.node(3), draw.curve(4, 3)
    block = add(stream, draw.curve(4, 3), name="block")
    pairs = [(alike, draw.node(3)), (draw.curve(4, 3), draw.array(3)), (stream, draw.x(4, 1)), (block, stream)]
    pairs += [(draw.x(2), draw.product(2)), (index(stream, 0, name="first"), draw.array(3))]
    cases = graphs(seed, *(add(node, estimate) for node, estimate in pairs))
    return [(type(c)(node, c.inputs), estimate) for c, (node, estimate) in zip(cases, pairs, strict=True)]


def _estimated(function, graph, estimate):
    result = rewritten(function, graph, estimate)
    if result.op.kind != "add" or len(result.children) != 2:
        parts = len(result.children) if result.op.kind == "add" else 1
        raise Wrong(
            f"the result has {parts} part{'s' * (parts != 1)}, expected two: the estimate, and a node of its own for "
            "the rest, so that either can be replaced.",
            fix="make the rest first: add(node, estimate, weights=[1, -1]).",
        )
    parts = list(zip(result.children, weights_of(result), strict=True))
    return {**outcome(graph, result), "estimate and rest": weighed(graph, parts)}


def _residual(node, estimate):
    return add(estimate, add(node, estimate, weights=[1, -1]))


@exercise("d1.3.4")
def _(answer, seed, reference):
    mistakes = [
        ("this is e + x: the rest is what the estimate misses, x - e.", lambda node, e: add(e, node)),
        (
            "the rest has the wrong sign: e + (e - x) is not x.",
            lambda node, e: add(e, add(e, node, weights=[1, -1])),
        ),
        (
            "the estimate is subtracted twice: the rest comes back with weight 1, x = e + (x - e).",
            lambda node, e: add(e, add(node, e, weights=[1, -1]), weights=[-1, 1]),
        ),
        ("both signs are plus: give the inner add weights=[1, -1].", lambda node, e: add(e, add(node, e))),
        (
            "estimate and rest are exchanged: the estimate is the first child.",
            lambda node, e: add(add(node, e, weights=[1, -1]), e),
        ),
    ]
    judged(answer, seed, reference, use=_estimated, cases=estimates(seed), oracle=_residual, mistakes=mistakes)


# --- d1.3.11 ----------------------------------------------------------------------------------------------------------


def sums_over_axes(seed):
    """Einsums that sum over an axis, alone or with others, in one factor, in several, and twice in one."""
    draw = Draw(seed)
    out = einsum("s head d, head d e -> s e", draw.curve(3, 4, 2), draw.array(4, 2, 5), name="out")
    logits = einsum("digit hidden, hidden -> digit", draw.array(4, 3), draw.curve(3), name="logits")
    mixed = einsum("head k, head k, head -> k", draw.x(3, 3), draw.array(3, 3), draw.x(3), name="mixed")
    pairs = [(out, "head"), (out, "d"), (logits, "hidden"), (mixed, "head")]
    pairs += [(einsum("i, i ->", draw.x(3), draw.node(3), name="dot"), "i")]
    pairs += [(einsum("i j -> j", draw.x(3, 2), name="column sums"), "i")]
    pairs += [(einsum("i i k -> k", draw.array(3, 3, 2), name="diagonal sum"), "i")]
    cases = graphs(seed, *(node for node, _ in pairs))
    return [(graph, axis) for graph, (_, axis) in zip(cases, pairs, strict=True)]


def _summed(function, graph, axis):
    result = rewritten(function, graph, axis)
    if result.op.kind != "add":
        raise Wrong(f"the result is an {result.op.kind}, expected an add with one term for each entry of {axis!r}.")
    parts = terms(result)
    return {
        "the number of terms": len(parts),
        "the terms": weighed(graph, parts),
        **outcome(graph, result),
    }


def _split_sum(rows: Callable[[int], Iterable[int]] = range, every=True, index_it=True):
    def split(node, axis):
        left, right = node.op.pattern.split("->")
        words = [each.split() for each in left.split(",")]
        first = next(i for i, each in enumerate(words) if axis in each)
        size = node.children[first].shape[words[first].index(axis)]
        chosen = [place for place, each in enumerate(words) if axis in each and (every or place == first)]
        rest = [" ".join(w for w in each if w != axis or place not in chosen) for place, each in enumerate(words)]
        pattern = f"{', '.join(rest)} -> {right}" if index_it else node.op.pattern
        return add(*(einsum(pattern, *_at(node, words, axis, i, chosen, index_it)) for i in rows(size)))

    return split


def _at(node, words, axis, i, chosen, index_it):
    if not index_it:
        return node.children
    entries = [tuple(i if w == axis else slice(None) for w in each) for each in words]
    return [index(c, entries[p]) if p in chosen else c for p, c in enumerate(node.children)]


def _copies(node, axis):
    whole = _split_sum(index_it=False)(node, axis)
    return add(*whole.children, weights=[1 / len(whole.children)] * len(whole.children))


@exercise("d1.3.11")
def _(answer, seed, reference):
    mistakes = [
        (
            "only one factor is indexed, and the other is still summed over the whole axis: term i needs entry i of "
            "every factor that has the axis.",
            _split_sum(every=False),
        ),
        (
            "the last entry is missing: the terms are fewer than the axis has entries.",
            _split_sum(lambda n: range(n - 1)),
        ),
        ("one entry is summed twice: index -1 is the last entry again.", _split_sum(lambda n: range(-1, n))),
        ("the terms are not in the order of the entries.", _split_sum(lambda n: range(n - 1, -1, -1))),
        ("every term is the whole sum: index the factors.", _split_sum(index_it=False)),
        ("these are equal shares of the sum: term i is what entry i contributes.", _copies),
    ]
    cases = sums_over_axes(seed)
    judged(answer, seed, reference, use=_summed, cases=cases, oracle=_split_sum(), mistakes=mistakes)


# --- d1.3.12 ----------------------------------------------------------------------------------------------------------


def directions(seed):
    """Nodes with one to three axes, and directions that are not of length 1."""
    draw = Draw(seed)
    nodes = [draw.x(4), draw.curve(3, 4), draw.node(4, 4), draw.product(2, 3, 4), draw.array(2)]
    return [(graph, (2 + draw.whole(2)) * draw.tensor(graph.node.shape[-1])) for graph in graphs(seed, *nodes)]


def _projected(function, graph, direction):
    result = rewritten(function, graph, direction)
    if result.op.kind != "add" or len(result.children) != 2:
        raise Wrong("the result is not a sum of two nodes, expected add(along, across).")
    pairs = list(zip(result.children, weights_of(result), strict=True))
    along, across = weighed(graph, pairs)
    return {**outcome(graph, result), "along": along, "across": across}


def _project(length=lambda d: d.norm() ** 2, sign=-1, swap=False, axis=-1):
    def project(node, direction):
        letters = "abcd"[: len(node.shape)]
        onto = letters.replace(letters[axis], "z")
        matrix = array(torch.outer(direction, direction) / length(direction))
        along = einsum(f"{letters}, {letters[axis]}z -> {onto}", node, matrix, name="along")
        across = add(node, along, weights=[1, sign], name="across")
        return add(across, along) if swap else add(along, across)

    return project


@exercise("d1.3.12")
def _(answer, seed, reference):
    mistakes = [
        (
            "the direction is not normalised, and so the two parts, which still add up to x, are not orthogonal: "
            "divide the direction by its length first.",
            _project(lambda d: 1.0),
        ),
        (
            "the direction is divided by its length once, and it comes in twice, in x·u and in (x·u) u: normalise it "
            "first, and use u in both places.",
            _project(lambda d: d.norm()),
        ),
        ("across is x plus along: it is what is left, x - along.", _project(sign=1)),
        ("along and across are exchanged: along is the first child.", _project(swap=True)),
        ("it is the first axis that is projected: directions live on the last one.", _project(axis=0)),
    ]
    judged(answer, seed, reference, use=_projected, cases=directions(seed), oracle=_project(), mistakes=mistakes)
