"""Answers to d1.3.1 to d1.3.4, d1.3.11 and d1.3.12: sums, and nodes in parts."""

import math
from functools import reduce

import torch

from remix_utils import Node, add, array, einsum, evaluate, index

# --- d1.3.1 -----------------------------------------------------------------------------------------------------------


def apart_with_numpy(before, after, inputs):
    if tuple(before.shape) != tuple(after.shape):
        return float("inf")
    left, right = (evaluate(node, inputs).numpy() for node in (before, after))
    return abs(left - right).max()


def largest_signed(before, after, inputs):
    left, right = evaluate([before, after], inputs)
    return math.inf if before.shape != after.shape else max((right - left).flatten().tolist())


def mean_distance(before, after, inputs):
    if before.shape != after.shape:
        return math.inf
    return (evaluate(before, inputs) - evaluate(after, inputs)).abs().mean().item()


def total_distance(before, after, inputs):
    if before.shape != after.shape:
        return math.inf
    return torch.dist(*torch.broadcast_tensors(*evaluate([before, after], inputs)), p=1).item()


def any_shapes(before, after, inputs):
    return (evaluate(before, inputs) - evaluate(after, inputs)).abs().max().item()


def shapes_of_tensors(before, after, inputs):
    left, right = evaluate([before, after], inputs)
    return (left - right).abs().max().item() if left.shape == right.shape else math.inf


def first_row(before, after, inputs):
    return apart_with_numpy(before, after, {name: value[:1] for name, value in inputs.items()})


# --- d1.3.2 and d1.3.3 ------------------------------------------------------------------------------------------------


def first_sum(node):
    slot = [child.op.kind for child in node.children].index("add")
    return slot, node.children[slot]


def swapped(node, slot, term):
    children = list(node.children)
    children[slot] = term
    return einsum(node.op.pattern, *children)


def distribute_by_scaling(node):
    """The weights as factors, and the sum as a chain of adds of two."""
    slot, total = first_sum(node)
    terms = []
    for term, weight in zip(total.children, total.op.weights, strict=True):
        left, right = node.op.pattern.split("->")
        factor = array(torch.tensor(weight, dtype=node.dtype))
        children = [*node.children[:slot], term, *node.children[slot + 1 :], factor]
        terms.append(einsum(f"{left}, ->{right}", *children))
    return reduce(add, terms) if len(terms) > 1 else add(*terms)


def distribute_without_weights(node):
    slot, total = first_sum(node)
    return add(*[swapped(node, slot, term) for term in total.children])


def distribute_in_front(node):
    slot, total = first_sum(node)
    others = node.children[:slot] + node.children[slot + 1 :]
    return add(*[einsum(node.op.pattern, term, *others) for term in total.children], weights=total.op.weights)


def distribute_every_reading(node):
    _, total = first_sum(node)
    terms = []
    for term in total.children:
        terms.append(einsum(node.op.pattern, *[term if child is total else child for child in node.children]))
    return add(*terms, weights=total.op.weights)


def distribute_the_last(node):
    slot = max(i for i, child in enumerate(node.children) if child.op.kind == "add")
    total = node.children[slot]
    return add(*[swapped(node, slot, term) for term in total.children], weights=total.op.weights)


def distribute_nothing(node):
    return einsum(node.op.pattern, *node.children)


def written_into(node):
    slot, total = first_sum(node)
    children = list(node.children)
    children[slot] = total.children[0]
    object.__setattr__(node, "children", tuple(children))
    return add(node)


def right_distribute(node, slot=None):
    slot = first_sum(node)[0] if slot is None else slot
    total = node.children[slot]
    return add(*[swapped(node, slot, term) for term in total.children], weights=total.op.weights)


def multiply_out_step_by_step(node):
    """Distribute the first sum, then the sums in its terms, and flatten as we go."""
    old = {child for child in node.children if child.op.kind == "add"}
    done, todo = [], [(node, 1.0)]
    while todo:
        each, weight = todo.pop(0)
        slot = next((i for i, child in enumerate(each.children) if child in old), None)
        if slot is None:
            done.append((each, weight))
            continue
        total = each.children[slot]
        new = [(swapped(each, slot, t), weight * w) for t, w in zip(total.children, total.op.weights, strict=True)]
        todo = new + todo
    return add(*[term for term, _ in done], weights=[weight for _, weight in done])


def pairs_of_terms(node):
    sums = [list(zip(c.children, c.op.weights, strict=True)) for c in node.children if c.op.kind == "add"]
    terms, weights = [], []
    for picks in zip(*sums, strict=False):
        left = list(picks)
        terms.append(einsum(node.op.pattern, *[left.pop(0)[0] if c.op.kind == "add" else c for c in node.children]))
        weights.append(math.prod(weight for _, weight in picks))
    return add(*terms, weights=weights)


def all_without_weights(node):
    return add(*multiply_out_step_by_step(node).children)


def all_with_added_weights(node):
    sums = [[(t, w) for t, w in zip(c.children, c.op.weights, strict=True)] if c.op.kind == "add" else [(c, 1.0)]
            for c in node.children]  # fmt: skip
    choices = [[]]
    for each in sums:
        choices = [[*choice, pair] for choice in choices for pair in each]
    terms = [einsum(node.op.pattern, *[t for t, _ in choice]) for choice in choices]
    return add(*terms, weights=[sum(w for _, w in choice) for choice in choices])


# --- d1.3.4 -----------------------------------------------------------------------------------------------------------


def residual_with_a_weighed_rest(node, estimate):
    return add(estimate, add(estimate, node, weights=[1, -1]), weights=[1, -1])


def flat(node, estimate):
    return add(estimate, node, estimate, weights=[1, 1, -1])


# --- d1.3.11 and d1.3.12 ----------------------------------------------------------------------------------------------


def split_with_slices(node, axis):
    """Slices of length 1 keep the axis, and the einsum sums over its one entry."""
    sides = [side.split() for side in node.op.pattern.split("->")[0].split(",")]
    side, child = next((s, c) for s, c in zip(sides, node.children, strict=True) if axis in s)
    terms = []
    for i in range(child.shape[side.index(axis)]):
        at = [tuple(slice(i, i + 1) if w == axis else slice(None) for w in s) for s in sides]
        children = [index(c, entries) for c, entries in zip(node.children, at, strict=True)]
        terms.append(einsum(node.op.pattern, *children))
    return add(*terms)


def split_one_factor(node, axis):
    left, right = node.op.pattern.split("->")
    sides = [side.split() for side in left.split(",")]
    place = next(i for i, side in enumerate(sides) if axis in side)
    child, side = node.children[place], sides[place]
    sides[place] = [word for word in side if word != axis]
    pattern = ", ".join(map(" ".join, sides)) + " -> " + right
    terms = []
    for i in range(child.shape[side.index(axis)]):
        children = list(node.children)
        children[place] = index(child, tuple(i if word == axis else slice(None) for word in side))
        terms.append(einsum(pattern, *children))
    return add(*terms)


def without_the_last(node, axis):
    return add(*split_with_slices(node, axis).children[:-1])


def one_twice(node, axis):
    terms = split_with_slices(node, axis).children
    return add(terms[-1], *terms)


def equal_shares(node, axis):
    count = len(split_with_slices(node, axis).children)
    copies = [Node(node.op, node.children, f"share {i}") for i in range(count)]
    return add(*copies, weights=[1 / count] * count)


def project_with_a_matrix(node, direction):
    letters = "abc"[: len(node.shape) - 1]
    matrix = torch.outer(direction, direction) / (direction @ direction)
    rest = torch.eye(len(direction), dtype=matrix.dtype) - matrix
    pattern = f"{' '.join(letters)} d, d e -> {' '.join(letters)} e"
    return add(einsum(pattern, node, array(matrix)), einsum(pattern, node, array(rest)))


def project_by(scale):
    def project(node, direction):
        lead = " ".join("abc"[: len(node.shape) - 1])
        u = array(direction * scale(direction))
        along = einsum(f"{lead} d, d, e -> {lead} e", node, u, u)
        return add(along, add(node, along, weights=[1, -1]))

    return project


def project_exchanged(node, direction):
    whole = project_with_a_matrix(node, direction)
    return add(*reversed(whole.children))


def only_along(node, direction):
    return project_with_a_matrix(node, direction).children[0]


def project_reflected(node, direction):
    along = project_with_a_matrix(node, direction).children[0]
    return add(along, add(node, along))


WRONG = [
    ("d1.3.1", largest_signed, "counts as small"),
    ("d1.3.1", mean_distance, "mean of the differences"),
    ("d1.3.1", total_distance, "grows with the number of entries"),
    ("d1.3.1", any_shapes, "broadcasting compares everything"),
    ("d1.3.1", shapes_of_tensors, "called different for it"),
    ("d1.3.1", first_row, "only the first row"),
    ("d1.3.2", distribute_without_weights, "the weights of the sum are lost"),
    ("d1.3.2", distribute_in_front, "each term is put first"),
    ("d1.3.2", distribute_every_reading, "exchanged in both places"),
    ("d1.3.2", distribute_the_last, "the last one is distributed"),
    ("d1.3.2", multiply_out_step_by_step, "every sum is distributed"),
    ("d1.3.2", distribute_nothing, "the result is an einsum"),
    ("d1.3.2", lambda node: node, "nothing has changed"),
    ("d1.3.2", written_into, "was written into"),
    ("d1.3.3", pairs_of_terms, "paired off one by one"),
    ("d1.3.3", right_distribute, "only one of the sums"),
    ("d1.3.3", all_without_weights, "the weight of a product is the product"),
    ("d1.3.3", all_with_added_weights, "weights of a product are added"),
    ("d1.3.4", lambda node, estimate: add(estimate, node), "this is e + x"),
    ("d1.3.4", flat, "has 3 parts, expected two"),
    ("d1.3.4", lambda node, e: add(e, add(e, node, weights=[1, -1])), "the rest has the wrong sign"),
    ("d1.3.4", lambda node, e: add(add(node, e, weights=[1, -1]), e), "the estimate is the first child"),
    ("d1.3.4", lambda node, e: add(e, add(node, e)), "both signs are plus"),
    ("d1.3.11", split_one_factor, "only one factor is indexed"),
    ("d1.3.11", without_the_last, "the last entry is missing"),
    ("d1.3.11", one_twice, "summed twice"),
    ("d1.3.11", equal_shares, "equal shares"),
    ("d1.3.11", lambda node, axis: einsum(node.op.pattern, *node.children), "expected an add with one term"),
    ("d1.3.12", project_by(lambda d: 1.0), "the direction is not normalised"),
    ("d1.3.12", project_by(lambda d: 1 / d.norm() ** 0.5), "divided by its length once"),
    ("d1.3.12", project_exchanged, "along and across are exchanged"),
    ("d1.3.12", only_along, "not a sum of two nodes"),
    ("d1.3.12", project_reflected, "across is x plus along"),
]

RIGHT = [
    ("d1.3.1", apart_with_numpy),
    ("d1.3.2", distribute_by_scaling),
    ("d1.3.3", multiply_out_step_by_step),
    ("d1.3.4", residual_with_a_weighed_rest),
    ("d1.3.11", split_with_slices),
    ("d1.3.12", project_with_a_matrix),
    ("d1.3.12", project_by(lambda d: 1 / d.square().sum().sqrt())),
]
