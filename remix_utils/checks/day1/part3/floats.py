"""Rounding: d1.3.13 (step_at) and d1.3.15 (balanced)."""

from __future__ import annotations

import math

import torch

from remix_utils.checks.day1.random_graphs import Draw
from remix_utils.checks.day1.rewriting import graphs, judged, outcome, rewritten
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.ops import add
from remix_utils.graph.walk import children_first

# --- d1.3.13 ----------------------------------------------------------------------------------------------------------


def numbers(seed):
    """Large and small, negative, on a power of two and just off it, in two precisions."""
    draw = Draw(seed)
    fixed = [1.0, 0.1, 256.0, 1000.0, -3.0, 1e-4, 0.5]
    drawn = [float(10 ** (2 * draw.tensor())) for _ in range(4)]
    return [(value, dtype) for value in fixed + drawn for dtype in (torch.float32, torch.float64)]


def _power(function, value, dtype):
    """Steps are too small to be compared as they are."""
    step = float(function(value, dtype))
    if not 0 < step < math.inf:
        raise Wrong(f"the step at {value} is {step}, expected a number above 0.")
    return {"the step as a power of two": math.log2(step)}


def _next_less_this(value, dtype):
    here = torch.tensor(abs(value), dtype=dtype)
    return torch.nextafter(here, torch.tensor(math.inf, dtype=dtype)) - here


def _eps(rule):
    return lambda value, dtype: torch.finfo(dtype).eps * rule(abs(value))


@exercise("d1.3.13")
def _(answer, seed, reference):
    mistakes = [
        ("eps is the step at 1. Between 256 and 512 the step is 256 times as large.", _eps(lambda v: 1.0)),
        (
            "eps times the value is right at powers of two only: between one power and the next the step stays "
            "the same.",
            _eps(lambda v: v),
        ),
        (
            "this is the step above the next power of two: 2 ** floor(log2(|value|)), rounded down.",
            _eps(lambda v: 2.0 ** math.ceil(math.log2(v))),
        ),
        ("the power of two is rounded to the nearest: round it down.", _eps(lambda v: 2.0 ** round(math.log2(v)))),
        (
            "the dtype is not looked at: float64 has steps 2 ** 29 times smaller.",
            lambda value, dtype: _next_less_this(value, torch.float32),
        ),
        ("eps is added instead of multiplied.", _eps(lambda v: 1 + 2.0 ** math.floor(math.log2(v)))),
    ]
    judged(
        answer,
        seed,
        reference,
        use=_power,
        cases=numbers(seed),
        oracle=_next_less_this,
        mistakes=mistakes,
        tolerance=1e-6,
    )


# --- d1.3.15 ----------------------------------------------------------------------------------------------------------


def long_sums(seed):
    draw = Draw(seed)
    counts = (2, 3, 4, 5, 8, 9, 33)
    return [(graph,) for graph in graphs(seed, *(draw.total([(3,)] * n, weights=n != 4) for n in counts))]


def _in_pairs(function, graph):
    result = rewritten(function, graph)
    count = len(graph.node.children)
    before = {*children_first(graph.node)}
    adds = [node for node in children_first(result) if node.op.kind == "add" and node not in before]
    widest = max([len(node.children) for node in adds], default=0)
    if widest > 2:
        raise Wrong(f"an add still has {widest} children, expected two at most.")
    found, most = _depth(result, before), math.ceil(math.log2(count))
    if found > most:
        raise Wrong(
            f"{count} terms are added in {found} levels, expected {most}: a chain is no better than one long add. "
            "Add neighbours, then the sums of neighbours, until one is left."
        )
    return outcome(graph, result)


def _depth(node, before):
    """Levels of adding above the old terms; an add of one child only weighs it."""
    levels = {}
    for each in children_first(node):
        below = max([levels[child] for child in each.children], default=0)
        levels[each] = 0 if each in before else below + (each.op.kind == "add" and len(each.children) > 1)
    return levels[node]


def _balanced(weigh="once"):
    def balanced(node):
        weights = dict(zip(node.children, node.op.weights, strict=True))
        level = [add(c, weights=[w]) if weigh != "never" else c for c, w in weights.items()]
        level = list(node.children) if weigh == "at the end" else level
        while len(level) > 1:
            rest = level[len(level) // 2 * 2 :] if weigh != "odd one lost" else []
            level = [add(*pair) for pair in zip(level[::2], level[1::2], strict=False)] + rest
        return level[0]

    return balanced


@exercise("d1.3.15")
def _(answer, seed, reference):
    mistakes = [
        ("the weights of the sum are lost: weigh each term first, add(term, weights=[w]).", _balanced("never")),
        ("with an odd number of terms the last one is lost: it goes on to the next level as it is.",
         _balanced("odd one lost")),
    ]  # fmt: skip
    judged(answer, seed, reference, use=_in_pairs, cases=long_sums(seed), oracle=_balanced(), mistakes=mistakes)
