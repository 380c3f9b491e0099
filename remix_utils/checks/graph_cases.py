"""Graphs to rewrite, with inputs, and the facts about a rewritten graph that a check compares."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from remix_utils.checks.exercise import Wrong
from remix_utils.errors import kind_of
from remix_utils.graph.equality import random_inputs
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import index
from remix_utils.graph.show import line
from remix_utils.graph.walk import children_first

EXACT = 1e-9  # float64 on small graphs: rounding stays far below, mistakes far above


@dataclass(frozen=True)
class Graph:
    """A node to rewrite, with inputs; messages show it in one line."""

    node: Node
    inputs: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def __name__(self) -> str:
        return line(self.node)


def graphs(seed: int, *nodes: Node) -> list[Graph]:
    """Cases, each with random inputs of its own."""
    return [Graph(node, random_inputs([node], seed + i)) for i, node in enumerate(nodes)]


def indexed(seed: int, *pairs: tuple[Node, object]) -> list[tuple[Graph]]:
    """Cases of one argument: each node under its index."""
    return [(graph,) for graph in graphs(seed, *(index(node, at) for node, at in pairs))]


def rewritten(function: Callable, graph: Graph, *more: object, same: bool = False) -> Any:
    """Returns the function's new node, made without writing into the graph.

    Wrong for anything but a node, and for the node that was given, unless `same` allows it.
    """
    before = _wiring(graph.node)
    result = function(graph.node, *more)
    if _wiring(graph.node) != before:
        raise Wrong("The graph before was written into. Build new nodes above the old ones.")
    if result is None or result is ...:
        raise NotImplementedError
    if type(result) is not Node:
        raise Wrong(f"It gives {kind_of(result)}, expected a node.")
    if result is graph.node and not same:
        raise Wrong("Nothing has changed: this is the node that was given.")
    return result


def no_longer(graph: Graph, result: Node, kind: str) -> Node:
    """The result, unless an index still stands on the operation that it should have passed."""
    (child,) = graph.node.children
    for node in children_first(result):
        if node.op.kind == "index" and any(
            each is child or each.key == child.key for each in node.children
        ):
            raise Wrong(
                f"An index still stands on the {kind}: {line(node)}, over {line(child)}. "
                "Index the nodes below it."
            )
    return result


def values(graph: Graph, *nodes: Node) -> list[torch.Tensor]:
    """Each node's value on the case's inputs, with a row for every input row."""
    missing = {each.name for node in nodes for each in _free(node)} - {*graph.inputs}
    if missing:
        raise Wrong(
            f"the result reads inputs that the graph before did not: {', '.join(sorted(missing))}."
        )
    rows = max([len(each) for each in graph.inputs.values()], default=1)
    found = evaluate(list(nodes), {name: graph.inputs[name] for name in _names(nodes)})
    return [value.expand(rows, *node.shape) for value, node in zip(found, nodes, strict=True)]


def outcome(graph: Graph, result: Node) -> dict[str, Any]:
    """What a rewrite must keep."""
    return {"the shape": str(list(result.shape)), "the value": values(graph, result)[0]}


def terms(node: Node) -> list[tuple[Node, float]]:
    """The terms of a sum and of the sums in it, each with its weight."""
    if node.op.kind != "add":
        return [(node, 1.0)]
    pairs = zip(node.children, weights_of(node), strict=True)
    return [(term, weight * own) for child, weight in pairs for term, own in terms(child)]


def weights_of(node: Node) -> tuple[float, ...]:
    """The weights of an add."""
    return node.op.weights  # type: ignore[attr-defined]


def weighed(graph: Graph, pairs: Sequence[tuple[Node, float]]) -> list[torch.Tensor]:
    """The terms' values, with their weights."""
    found = values(graph, *(node for node, _ in pairs))
    return [value * weight for value, (_, weight) in zip(found, pairs, strict=True)]


def _free(node: Node) -> list[Node]:
    return [each for each in children_first(node) if each.op.kind == "placeholder"]


def _names(nodes: Sequence[Node]) -> set[str]:
    return {each.name for node in nodes for each in _free(node)}


def _wiring(node: Node) -> list[tuple]:
    return [
        (id(each), id(each.op), each.name, tuple(map(id, each.children)))
        for each in children_first(node)
    ]
