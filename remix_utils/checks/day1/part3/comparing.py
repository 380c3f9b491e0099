"""Comparing two graphs: d1.3.1 (apart) and d1.3.14 (is_bug)."""

from __future__ import annotations

import math

import torch

from remix_utils.checks.day1.random_graphs import Draw
from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.exercise import Mistake, exercise
from remix_utils.graph.equality import random_inputs
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, array, einsum, placeholder
from remix_utils.graph.walk import children_first, substitute

# --- d1.3.1 -----------------------------------------------------------------------------------------------------------


def two_graphs(seed):
    """Pairs that differ: below everywhere, above everywhere, in one entry, by shape, by rows, and not at all."""
    draw = Draw(seed)
    x, y = draw.x(3), draw.x(2, 3)
    one, spot = torch.ones(3).double(), torch.tensor([0.0, 0.0, 1.75]).double()
    fixed = draw.array(3)
    pairs = [
        (x, add(x, array(one * 0.5), name="higher")),
        (add(x, array(one * 0.5), name="higher"), x),
        (y, add(y, array(spot), weights=[1, -2], name="at one place")),
        (add(x, y, name="sum"), add(y, x, weights=[1, 1], name="sum turned round")),
        (x, einsum("i, j -> j i", x, array(torch.ones(1).double()), name="one axis more")),
        (fixed, add(fixed, x, weights=[1, 0], name="fixed, read with x")),
        *((draw.x(2, 3), draw.x(2, 3)) for _ in range(4)),
    ]
    return [(a, b, random_inputs([a, b], seed + i)) for i, (a, b) in enumerate(pairs)]


def _apart(before, after, inputs):
    if before.shape != after.shape:
        return math.inf
    left, right = (evaluate(node, inputs, batch_size=1).double() for node in (before, after))
    return (left - right).abs().amax()


def _by(measure):
    def wrong(before, after, inputs):
        if before.shape != after.shape:
            return math.inf
        left, right = evaluate([before, after], inputs)
        return measure(left, right)

    return wrong


def _without_shapes(before, after, inputs):
    left, right = evaluate([before, after], inputs)
    return (left - right).abs().max()


def _shapes_of_values(before, after, inputs):
    left, right = evaluate([before, after], inputs)
    return math.inf if left.shape != right.shape else (left - right).abs().max()


SIGNED = "a difference below zero counts as small: take the size of each difference (.abs()) before the largest."


def _distance(function, before, after, inputs):
    distance = float(function(before, after, inputs))
    return "math.inf" if distance == math.inf else distance


@exercise("d1.3.1")
def _(answer, seed, reference):
    mistakes = [
        (SIGNED, _by(lambda left, right: (left - right).max())),
        (SIGNED, _by(lambda left, right: (right - left).max())),
        (
            "this is the mean of the differences: one wrong entry in a thousand would pass. Take the largest.",
            _by(lambda left, right: (left - right).abs().mean()),
        ),
        (
            "this is the sum of the differences, which grows with the number of entries. Take the largest.",
            _by(lambda left, right: (left - right).abs().sum()),
        ),
        (
            "two nodes of different shapes are subtracted, and broadcasting compares everything with everything: "
            "give math.inf when before.shape and after.shape differ.",
            _without_shapes,
        ),
        (
            "a node that reads no input has a value without rows, and is called different for it: compare the shapes "
            "of the nodes, not those of the values.",
            _shapes_of_values,
        ),
        (
            "only the first row of the inputs is compared.",
            lambda before, after, inputs: _apart(before, after, {name: rows[:1] for name, rows in inputs.items()}),
        ),
    ]
    judged(answer, seed, reference, use=_distance, cases=two_graphs(seed), oracle=_apart, mistakes=mistakes)


# --- d1.3.14 ----------------------------------------------------------------------------------------------------------


def pairs_of_graphs(seed):
    """Rewrites in float32, right and wrong, of large numbers, of small ones, and of cancelling ones."""
    draw = Draw(seed)
    pairs = [
        _distributed(draw, 1.0, 0.0),
        _distributed(draw, 1e4, 0.0),
        _distributed(draw, 1e-3, 0.0),
        _distributed(draw, 1.0, 2e-6),
        _distributed(draw, 1e4, 2e-6),
        _distributed(draw, 1e-3, 0.05),
        _distributed(draw, 1.0, 0.5),
        _roundabout(draw, 1e6),
        _roundabout(draw, 10.0),
    ]
    return [(a, b, random_inputs([a, b], seed)) for a, b in pairs]


def _distributed(draw, scale, fault):
    """(x + y) w and x w + y w, where the second sum's last weight is off by `fault`."""
    x, y = (placeholder(draw.name("x"), (8,)) for _ in range(2))
    w = array((scale * draw.tensor(8, 5)).float(), "w")
    large, small = (array((scale**0.5 * draw.tensor(8)).float(), name) for name in ("a", "b"))
    terms = [einsum("i, i -> i", x, large, name="xa"), einsum("i, i -> i", y, small, name="yb")]
    before = einsum("i, i k -> k", add(*terms), w, name="before")
    after = [einsum("i, i k -> k", term, w) for term in terms]
    return before, add(*after, weights=[1, 1 + fault], name="after")


def _roundabout(draw, far):
    """x and e + (x - e), with e far away."""
    x = placeholder(draw.name("x"), (6,))
    e = array((far * (1 + draw.tensor(6).abs())).float(), "e")
    return x, add(e, add(x, e, weights=[1, -1], name="rest"), name="after")


def in_double(graph):
    """The same computation in float64."""
    leaves = [node for node in children_first(graph) if node.op.kind in ("array", "placeholder")]
    wider = {
        leaf: placeholder(leaf.name, leaf.shape, torch.float64)
        if leaf.op.kind == "placeholder"
        else array(leaf.op.value.double(), leaf.name)  # type: ignore[attr-defined]
        for leaf in leaves
    }
    return substitute([graph], wider)[0]


def _gap(before, after, inputs, double, relative):
    if double:
        before, after = in_double(before), in_double(after)
        inputs = {name: value.double() for name, value in inputs.items()}
    left, right = (evaluate(node, inputs) for node in (before, after))
    return float((left - right).abs().max()) / (float(left.abs().max()) if relative else 1.0)


def _verdict(double, relative, limit):
    return lambda before, after, inputs: _gap(before, after, inputs, double, relative) > limit


exercise(
    "d1.3.14",
    cases=pairs_of_graphs,
    oracle=_verdict(double=True, relative=True, limit=1e-8),
    mistakes=[
        Mistake(
            "1e-5 in float32, in absolute terms: of large numbers a right rewrite is called a bug, and of small ones "
            "a bug is passed. Compute both sides in float64, and divide by the size of the values.",
            _verdict(double=False, relative=False, limit=1e-5),
        ),
        Mistake(
            "relative to the size of the values, but still in float32: rounding that e + (x - e) makes large is called "
            "a bug, and a bug of two parts in a million hides in the rounding. Compute both sides in float64.",
            _verdict(double=False, relative=True, limit=1e-5),
        ),
        Mistake(
            "in float64, but still with 1e-5: what float64 could have shown is waved through. Its rounding is a "
            "half-billionth of that of float32, and the limit may shrink with it.",
            _verdict(double=True, relative=True, limit=1e-5),
        ),
        Mistake(
            "in float64, but in absolute terms: small numbers with a bug differ by little. "
            "Divide by the size of the values.",
            _verdict(double=True, relative=False, limit=1e-5),
        ),
        Mistake("the verdict is turned round: True is a bug.",
                lambda *case: not _verdict(double=True, relative=True, limit=1e-8)(*case)),
        Mistake("any difference at all is called a bug: also float64 rounds.", _verdict(True, False, 0.0)),
        Mistake("any difference at all is called a bug, and float32 rounds.", _verdict(False, False, 0.0)),
    ],
)  # fmt: skip
