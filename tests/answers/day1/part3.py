"""Answers to d1.3.13 to d1.3.15 and the quiz; and those of the whole part, gathered."""

import math

import torch

from remix_utils import add, array, at, evaluate, find, placeholder, replace
from tests.answers.day1 import part3_indices, part3_sinking, part3_sums
from tests.answers.day1.part3_sums import apart_with_numpy

# --- d1.3.13 ----------------------------------------------------------------------------------------------------------


def step_by_nextafter(value, dtype):
    here = torch.tensor(abs(value), dtype=dtype)
    return (torch.nextafter(here, torch.tensor(torch.inf, dtype=dtype)) - here).item()


def step_by_frexp(value, dtype):
    _, exponent = math.frexp(value)
    return math.ldexp(torch.finfo(dtype).eps, exponent - 1)


def step_in_float32(value, dtype):
    return step_by_nextafter(value, torch.float32)


# --- d1.3.14 ----------------------------------------------------------------------------------------------------------


def double(graph):
    new = {}
    for leaf in find(graph, at(op="array") | at(op="placeholder")):
        is_array = leaf.op.kind == "array"
        new[leaf] = array(leaf.op.value.double()) if is_array else placeholder(leaf.name, leaf.shape, torch.float64)
    return replace(graph, new)


def verdict(limit, doubled=True, relative=True):
    def is_bug(before, after, inputs):
        if doubled:
            before, after = double(before), double(after)
            inputs = {name: value.double() for name, value in inputs.items()}
        scale = float(abs(evaluate(before, inputs)).max()) if relative else 1.0
        return apart_with_numpy(before, after, inputs) / scale > limit

    return is_bug


def is_bug_by_norms(before, after, inputs):
    doubled = {name: value.double() for name, value in inputs.items()}
    left, right = evaluate(double(before), doubled), evaluate(double(after), doubled)
    return int((left - right).norm() / left.norm() > 1e-7)


# --- d1.3.15 ----------------------------------------------------------------------------------------------------------


def balanced_by_halves(node):
    """Top down: the sum of the sums of two halves, weights on the last adds."""
    terms = list(zip(node.children, node.op.weights, strict=True))

    def halves(part):
        if len(part) <= 2:
            return add(*[term for term, _ in part], weights=[weight for _, weight in part])
        middle = len(part) // 2
        return add(halves(part[:middle]), halves(part[middle:]))

    return halves(terms)


def chain(node):
    total = add(node.children[0], weights=node.op.weights[:1])
    for child, weight in zip(node.children[1:], node.op.weights[1:], strict=True):
        total = add(total, child, weights=[1, weight])
    return total


def in_threes(node):
    level = [add(child, weights=[weight]) for child, weight in zip(node.children, node.op.weights, strict=True)]
    while len(level) > 1:
        level = [add(*level[i : i + 3]) for i in range(0, len(level), 3)]
    return level[0]


def balanced_without_weights(node):
    level = list(node.children)
    while len(level) > 1:
        level = [add(*level[i : i + 2]) for i in range(0, len(level), 2)]
    return level[0]


def the_odd_one_lost(node):
    level = [add(child, weights=[weight]) for child, weight in zip(node.children, node.op.weights, strict=True)]
    while len(level) > 1:
        level = [add(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return level[0]


RECALL = {"terms": 12, "axes": 2, "softmax": "last", "parts": "orthogonal", "rounding": "shrinks"}

WRONG = [
    *part3_sums.WRONG,
    *part3_indices.WRONG,
    *part3_sinking.WRONG,
    ("d1.3.13", lambda value, dtype: torch.finfo(dtype).eps, "eps is the step at 1"),
    ("d1.3.13", lambda value, dtype: abs(value) * torch.finfo(dtype).eps, "right at powers of two only"),
    ("d1.3.13", lambda value, dtype: torch.finfo(dtype).eps * 2 ** math.ceil(math.log2(abs(value))), "rounded down."),
    ("d1.3.13", step_in_float32, "the dtype is not looked at"),
    ("d1.3.13", lambda value, dtype: torch.finfo(dtype).eps * value, "expected a number above 0"),
    ("d1.3.14", verdict(1e-5, doubled=False, relative=False), "in absolute terms: of large numbers"),
    ("d1.3.14", verdict(1e-5, doubled=False), "but still in float32"),
    ("d1.3.14", verdict(1e-5), "but still with 1e-5"),
    ("d1.3.14", verdict(1e-5, relative=False), "small numbers with a bug"),
    ("d1.3.14", verdict(0.0), "also float64 rounds"),
    ("d1.3.14", lambda *case: not verdict(1e-8)(*case), "turned round"),
    ("d1.3.15", chain, "a chain is no better"),
    ("d1.3.15", in_threes, "an add still has 3 children"),
    ("d1.3.15", balanced_without_weights, "weigh each term first"),
    ("d1.3.15", the_odd_one_lost, "goes on to the next level"),
    ("d1.3.quiz", RECALL | {"terms": 7}, "every term of one sum meets"),
    ("d1.3.quiz", RECALL | {"axes": 3}, "an integer takes its axis away"),
    ("d1.3.quiz", RECALL | {"softmax": "first"}, "which axis does it sum over"),
    ("d1.3.quiz", RECALL | {"parts": "parallel"}, "holds for any number times u"),
    ("d1.3.quiz", RECALL | {"rounding": "grows"}, "stays as it is in float64"),
]

RIGHT = [
    *part3_sums.RIGHT,
    *part3_indices.RIGHT,
    *part3_sinking.RIGHT,
    ("d1.3.13", step_by_nextafter),
    ("d1.3.13", step_by_frexp),
    ("d1.3.14", is_bug_by_norms),
    ("d1.3.15", balanced_by_halves),
    ("d1.3.quiz", {**RECALL, "softmax": "The last axis", "parts": "Perpendicular", "rounding": "It shrinks."}),
]
