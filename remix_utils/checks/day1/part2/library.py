"""The same question, asked of the library: d1.2.19."""

from __future__ import annotations

import torch

from remix_utils.checks.exercise import Mistake, exercise
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, array, einsum, placeholder
from remix_utils.graph.rewrite import replace
from remix_utils.graph.select import find_one
from remix_utils.graph.selector import at
from remix_utils.models import digits


def _graphs(seed: int) -> list[tuple[Node]]:
    torch.manual_seed(seed)
    networks = [digits.DigitsNetwork(d_hidden=d_hidden) for d_hidden in (16, 5)]
    weights = [{name: array(value, name) for name, value in each.state_dict().items()} for each in networks]
    return [(digits.graph(each, {"d_input": 64}),) for each in weights]


def _by_hand(graph: Node, name: str = "x_other") -> Node:
    """The two terms of the logits, the second one made anew."""
    product = einsum("digit pixel, pixel -> digit", find_one(graph, "skip"), placeholder(name, (64,)))
    return add(find_one(graph, "out"), product)


def _everywhere(graph: Node) -> Node:
    return replace(graph, {find_one(graph, "x"): placeholder("x_other", (64,))})


def _hidden_instead(graph: Node) -> Node:
    return add(find_one(_everywhere(graph), "out"), find_one(graph, "skip.product"))


exercise(
    "d1.2.19",
    cases=_graphs,
    oracle=_by_hand,
    mistakes=[
        Mistake(
            'both paths read x_other: at("x") is every path to x. Say which one: a >> b is "b, reached below a".',
            _everywhere,
        ),
        Mistake("it is the hidden path that reads x_other here, and the skip reads x.", _hidden_instead),
        Mistake(
            "the graph computes what it did before: return what path_patch gives, and give it another input than x.",
            lambda graph: graph,
        ),
        Mistake("the new input is not called x_other.", lambda graph: _by_hand(graph, "other")),
        Mistake(
            "the selector matches no path. Read a >> b from the root down: x lies below skip.product (and skip alone "
            "is the array of weights).",
            lambda graph: find_one(graph, at("x") >> at("skip.product")),
        ),
    ],
)
