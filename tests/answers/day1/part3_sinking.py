"""Answers to d1.3.10: an index to the bottom of a graph."""

from remix_utils import Node, add, apply, index
from tests.answers.day1.part3_indices import (
    push_add_reversed,
    push_apply_by_names,
    push_array_by_evaluating,
    push_einsum_with_slices,
)

PUSH = {
    "array": push_array_by_evaluating,
    "add": push_add_reversed,
    "einsum": push_einsum_with_slices,
    "apply": push_apply_by_names,
}


def sink_with_a_stack(node):
    """Top down: what is wanted of whom; then bottom up."""
    done, stack = {}, [node]
    while stack:
        here = stack[-1]
        key = here.children[0], repr(here.op.at)
        pushed = pushed_once(here) if key not in done else None
        waiting = [c for c in indices_in(pushed) if (c.children[0], repr(c.op.at)) not in done] if pushed else []
        if waiting:
            stack += waiting
            continue
        stack.pop()
        if key not in done:
            done[key] = rebuilt(pushed, done) if pushed else here
    return done[node.children[0], repr(node.op.at)]


def pushed_once(node):
    try:
        return PUSH[node.children[0].op.kind](node)
    except (KeyError, ValueError):
        return None


def indices_in(node):
    if node.op.kind == "index":
        return [node]
    return [found for child in node.children if child.op.kind in ("index", "add") for found in indices_in(child)]


def rebuilt(node, done):
    if node.op.kind == "index":
        return done[node.children[0], repr(node.op.at)]
    return Node(node.op, [rebuilt(c, done) if c.op.kind in ("index", "add") else c for c in node.children], node.name)


def sink_without_memory(node):
    pushed = pushed_once(node)
    if pushed is None:
        return node
    return below(pushed, sink_without_memory)


def below(node, rule):
    if node.op.kind == "index":
        return rule(node)
    return Node(node.op, [below(c, rule) if c.op.kind in ("index", "add") else c for c in node.children], node.name)


def one_step(node):
    return pushed_once(node) or node


def past_softmax(node):
    child = node.children[0]
    if child.op.kind == "apply" and child.op.function == "softmax":
        return apply("softmax", index(child.children[0], node.op.at))
    return sink_with_a_stack(node)


def sink_through_everything(node, known=None):
    known = {} if known is None else known
    child = node.children[0]
    key = child, str(node.op.at)
    if key not in known:
        pushed = past_softmax(node) if child.op.kind == "apply" else pushed_once(node)
        known[key] = node if pushed is None else below(pushed, lambda each: sink_through_everything(each, known))
    return known[key]


def values_for_good(node):
    return add(node)


WRONG = [
    ("d1.3.10", sink_without_memory, "Remember each (child, index)"),
    ("d1.3.10", one_step, "an index could still move"),
    ("d1.3.10", sink_through_everything, "has passed softmax's own axis"),
    ("d1.3.10", values_for_good, "an index could still move"),
]

RIGHT = [
    ("d1.3.10", sink_with_a_stack),
]
