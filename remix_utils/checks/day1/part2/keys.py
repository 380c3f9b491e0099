"""Equal computations under any name: d1.2.20."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.handed_in import judged
from remix_utils.checks.exercise import exercise
from remix_utils.checks.own_graphs import Build, below


def _pairs(words, seed):
    """Pairs of graphs by what is the same or different in them."""
    make = Build(words)
    value = torch.randn(3, generator=torch.Generator().manual_seed(seed))
    x, other = make.x("x", 3), make.x("other", 3)
    b, again, more = make.array(value, "b"), make.array(value.clone(), "b"), make.array(value + 1, "b")
    wide, tall = make.array(torch.zeros(2, 3), "zeros"), make.array(torch.zeros(3, 2), "zeros")
    square = make.array(torch.zeros(3, 3), "zeros")
    long, longer = torch.zeros(2000), torch.zeros(2000)
    longer[1000] = 1
    return {
        "one sum under two names": (make.add(x, b, name="sum"), make.add(x, b, name="total")),
        "two arrays of equal numbers": (b, again),
        "sums of them": (make.add(x, b, name="sum"), make.add(x, again, name="sum")),
        "two arrays of different numbers": (b, more),
        "sums of those": (make.relu(make.add(x, b, name="s"), "r"), make.relu(make.add(x, more, name="s"), "r")),
        "two arrays that differ in the sixth digit": (b, make.array(value + 1e-5, "b")),
        "two long arrays that differ in one number": (make.array(long, "b"), make.array(longer, "b")),
        "zeros of shapes [2, 3] and [3, 2]": (wide, tall),
        "two placeholders": (x, other),
        "a sum and a relu": (make.add(x, name="y"), make.relu(x, "y")),
        "two einsum patterns": (
            make.einsum("i j, j -> i", square, x, name="y"),
            make.einsum("i j, i -> j", square, x, name="y"),
        ),
        "a tower of forty blocks, built twice": (_tower(make), _tower(make)),
    }


def _tower(make):
    stream = make.x("x", 2)
    for block in range(40):
        stream = make.add(stream, make.relu(stream, f"relu {block}"), name=f"stream {block}")
    return stream


def _same_keys(words, function, seed):
    return {text: bool(function(one) == function(two)) for text, (one, two) in _pairs(words, seed).items()}


def _own(node, values=True):
    op = node.op
    if op.kind == "array":
        return str(list(node.shape)) + (repr(op.value.tolist()) if values else "")
    return {"placeholder": node.name}.get(op.kind, getattr(op, "pattern", ""))


def _keys(entry):
    """A key function, from what each node itself adds; equal parts get equal numbers."""
    numbers: dict[tuple, int] = {}

    def key(graph):
        known = {}
        for node in below(graph):
            text = (entry(node), node.op.kind, *(known[id(child)] for child in node.children))
            known[id(node)] = numbers.setdefault(text, len(numbers))
        return known[id(graph)]

    return key


NUMBERS = "the numbers in an array are no part of the key: they decide what is computed."


@exercise("d1.2.20")
def _(answer, seed, reference):
    mistakes = [
        (
            "the name is part of the key: one computation under two names must have one key (a placeholder's name "
            "stays: it says which input is read).",
            _keys(lambda node: node.name + _own(node)),
        ),
        (NUMBERS, _keys(lambda node: _own(node, values=False))),
        (NUMBERS, _keys(lambda node: "" if node.op.kind == "array" else _own(node))),
        (
            "the text of a tensor is short of digits, and of most numbers if it is long: take value.tolist().",
            _keys(lambda node: repr(node.op.value) if node.op.kind == "array" else _own(node)),
        ),
        ("objects are compared, not what they compute: two arrays of equal numbers must have one key.", _keys(id)),
        (
            "the shape of an array is no part of the key: the same numbers in another shape are another array.",
            _keys(lambda node: repr(node.op.value.flatten().tolist()) if node.op.kind == "array" else _own(node)),
        ),
        ("two inputs have one key: a placeholder is what its name says.", _keys(_without_inputs)),
        ("the pattern of an einsum is no part of the key.", _keys(lambda n: "" if n.op.kind == "einsum" else _own(n))),
        (
            "the children are no part of the key: two nodes are equal only if what they read is equal.",
            lambda graph: (graph.op.kind, _own(graph)),
        ),
    ]
    judged(answer, "key", seed, reference, use=_same_keys, cases=[(seed,)], oracle=_keys(_own), mistakes=mistakes)


def _without_inputs(node):
    return "" if node.op.kind == "placeholder" else _own(node)
