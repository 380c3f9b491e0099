"""Einsums over sums: d1.3.2 (distribute) and d1.3.3 (multiply_out)."""

from __future__ import annotations

import itertools
import math

from remix_utils.checks.day1.random_graphs import Draw
from remix_utils.checks.day1.rewriting import graphs, judged, outcome, rewritten, terms, weighed
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, einsum

# --- d1.3.2 -----------------------------------------------------------------------------------------------------------


def einsums_over_sums(seed, several=False):
    """Einsums that read a sum: first, last, in the middle, twice, besides another sum."""
    draw = Draw(seed)
    matrix, square = draw.total([(4, 3)] * 3), draw.total([(3, 3)] * 2)
    plain, single = draw.total([(5, 4)] * 2, weights=False), draw.total([(4,)])
    every = [
        einsum("i j, j k -> i k", matrix, draw.array(3, 2), name="first"),
        einsum("i j, j k -> i k", draw.array(3, 3), square, name="last"),
        einsum("s d, e d, e -> s e", draw.curve(2, 3), matrix, draw.x(4), name="in the middle"),
        einsum("s d -> d s", plain, name="alone"),
        einsum("d, d ->", single, draw.x(4), name="a sum of one"),
        einsum("i j, k j -> i k", matrix, draw.total([(2, 3)] * 2), name="two sums"),
        einsum("i j, i j -> i", matrix, matrix, name="squares"),
        einsum("i, i, i -> i", draw.x(4), single, draw.total([(4,)] * 4, weights=False), name="three factors"),
    ]
    return [(graph,) for graph in graphs(seed, *every)]


def _distributed(function, graph):
    result = rewritten(function, graph)
    if result.op.kind != "add":
        raise Wrong(
            f"the result is an {result.op.kind}, expected an add: the sum of one einsum for each term.",
            fix="put the einsums into add(*terms, weights=...).",
        )
    parts = terms(result)
    return {
        **outcome(graph, result),
        "the number of terms": len(parts),
        "the terms": weighed(graph, parts),
    }


def _first_sum(node):
    return next(i for i, child in enumerate(node.children) if child.op.kind == "add")


def _put(node, slot, term):
    return Node(node.op, (*node.children[:slot], term, *node.children[slot + 1 :]))


def _distribute(node, slot=None):
    slot = _first_sum(node) if slot is None else slot
    total = node.children[slot]
    return add(*(_put(node, slot, term) for term in total.children), weights=total.op.weights)


def _weights_lost(node):
    return add(*_distribute(node).children)


def _weights_twice(node):
    total = node.children[_first_sum(node)]
    scaled = [add(term, weights=[w]) for term, w in zip(total.children, total.op.weights, strict=True)]
    return add(*(_put(node, _first_sum(node), term) for term in scaled), weights=total.op.weights)


def _always_first(node):
    slot = _first_sum(node)
    total, others = node.children[slot], [child for i, child in enumerate(node.children) if i != slot]
    return add(*(einsum(node.op.pattern, t, *others) for t in total.children), weights=total.op.weights)


def _every_reading(node):
    total = node.children[_first_sum(node)]
    swapped = [[term if child is total else child for child in node.children] for term in total.children]
    return add(*(Node(node.op, children) for children in swapped), weights=total.op.weights)


def _last_sum(node):
    return _distribute(node, max(i for i, child in enumerate(node.children) if child.op.kind == "add"))


def _all_pairs(node):
    choices = [terms(child) for child in node.children]
    picks = list(itertools.product(*choices))
    products = [Node(node.op, [term for term, _ in pick]) for pick in picks]
    return add(*products, weights=[math.prod(weight for _, weight in pick) for pick in picks])


def _factors_dropped(node):
    total = node.children[_first_sum(node)]
    words = node.op.pattern.split("->")[0].split(",")[_first_sum(node)]
    return add(*(einsum(f"{words} -> {node.op.pattern.split('->')[1]}", term) for term in total.children))


@exercise("d1.3.2")
def _(answer, seed, reference):
    mistakes = [
        (
            "the weights of the sum are lost: (2 a - b) w is 2 (a w) - b w. Pass weights=total.op.weights on.",
            _weights_lost,
        ),
        ("the weights come in twice, in the terms and again in the new add: once is enough.", _weights_twice),
        (
            "each term is put first, wherever the sum stood: keep the factors in their order, as the pattern "
            "reads them.",
            _always_first,
        ),
        (
            "a sum that is read twice is exchanged in both places: a² + b² is not (a + b)². Exchange the child at one "
            "position, and not every child that `is` the sum.",
            _every_reading,
        ),
        ("of two sums the last one is distributed, and the first was asked for.", _last_sum),
        ("every sum is distributed, and only the first was asked for. The next exercise wants them all.", _all_pairs),
        ("the other factors are gone: each term is still multiplied by all of them.", _factors_dropped),
    ]
    cases = einsums_over_sums(seed)
    judged(answer, seed, reference, use=_distributed, cases=cases, oracle=_distribute, mistakes=mistakes)


# --- d1.3.3 -----------------------------------------------------------------------------------------------------------


def _side_by_side(node):
    """Term i of one sum with term i of the next, as far as the shortest goes."""
    choices = [terms(child) if child.op.kind == "add" else itertools.repeat((child, 1.0)) for child in node.children]
    picks = list(zip(*choices, strict=False))
    products = [Node(node.op, [term for term, _ in pick]) for pick in picks]
    return add(*products, weights=[math.prod(weight for _, weight in pick) for pick in picks])


def _weights(combine):
    def wrong(node):
        picks = list(itertools.product(*(terms(child) for child in node.children)))
        products = [Node(node.op, [term for term, _ in pick]) for pick in picks]
        return add(*products, weights=[combine([weight for _, weight in pick]) for pick in picks])

    return wrong


@exercise("d1.3.3")
def _(answer, seed, reference):
    mistakes = [
        (
            "terms are paired off one by one: (a + b)(c + d) has four products, and this makes two. "
            "itertools.product gives every choice.",
            _side_by_side,
        ),
        ("only one of the sums is multiplied out: no term may hold a sum of the old children.", _distribute),
        ("the weights are lost: the weight of a product is the product of the weights.", _weights(lambda w: 1.0)),
        ("the weights of a product are added: (2 a)(3 b) is 6 a b.", _weights(sum)),
        ("a product has the weight of its first factor's term alone.", _weights(lambda w: w[0])),
    ]
    cases = einsums_over_sums(seed)
    judged(answer, seed, reference, use=_distributed, cases=cases, oracle=_all_pairs, mistakes=mistakes)
