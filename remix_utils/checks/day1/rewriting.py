"""Rewrites of the library's graphs, judged: both sides evaluated in float64 on random graphs, and looked at."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from remix_utils.checks.exercise import Exercise, Mistake, Wrong
from remix_utils.checks.judge import judge_by_oracle
from remix_utils.graph.equality import random_inputs
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import index
from remix_utils.graph.show import line
from remix_utils.graph.walk import children_first

EXACT = 1e-9  # float64 on small graphs: rounding stays far below, mistakes far above
REFUSED = "a refusal (ValueError)"


@dataclass(frozen=True)
class Graph:
    """A node to rewrite; errors show the node and its children."""

    node: Node
    inputs: dict[str, torch.Tensor] = field(default_factory=dict)

    @property
    def __name__(self) -> str:
        return "\n".join([line(self.node), *("  " + line(child) for child in self.node.children)]) + "\n "


def graphs(seed: int, *nodes: Node) -> list[Graph]:
    """Cases, each with random inputs of its own."""
    return [Graph(node, random_inputs([node], seed + i)) for i, node in enumerate(nodes)]


def indexed(seed: int, *pairs: tuple[Node, object]) -> list[tuple[Graph]]:
    """Cases of one argument: each node under its index."""
    return [(graph,) for graph in graphs(seed, *(index(node, at) for node, at in pairs))]


def judged(
    answer: object,
    seed: int,
    reference: object,
    *,
    use: Callable[..., Any],
    cases: Sequence[tuple],
    oracle: Callable,
    mistakes: Sequence[tuple[str, Callable]],
    tolerance: float = EXACT,
) -> None:
    """Judge a function by what `use(function, *case)` finds; what `use` itself calls Wrong comes before all else."""
    if not callable(answer):
        raise Wrong(f"the answer is a {type(answer).__name__}, expected a function: pass it without calling it.")
    said: list[Wrong] = []

    def using(function: Callable, speak: bool = False) -> Callable:
        @functools.wraps(function, updated=())
        def used(*case: Any) -> Any:
            try:
                return use(function, *case)
            except Wrong as wrong:
                said.extend([wrong] * speak)
                raise

        return used

    known = tuple(Mistake(message, using(wrong)) for message, wrong in mistakes)
    asked = Exercise("here", ("", 0), lambda seed: cases, using(oracle), known, tolerance)
    try:
        judge_by_oracle(asked, using(answer, speak=True), seed, using(reference) if callable(reference) else None)
    except Wrong:
        if said:
            raise said[0] from None
        raise


def rewritten(function: Callable, graph: Graph, *more: object) -> Node:
    """What the function makes of the node: a new node, the old graph untouched."""
    before = _wiring(graph.node)
    result = function(graph.node, *more)
    place = f"on\n{graph.__name__.rstrip()}\n "
    if _wiring(graph.node) != before:
        raise Wrong(f"{place} the graph before was written into: build new nodes above the old ones.")
    if result is None or result is ...:
        raise Wrong("not written yet, or without a return.")
    if type(result) is not Node:
        raise Wrong(f"{place} it gives a {type(result).__name__}, expected a node.")
    if result is graph.node:
        raise Wrong(f"{place} nothing has changed: it gives the node that it was given.")
    return result


def or_refused(function: Callable, graph: Graph) -> Node | str:
    """The rewritten node, or that it was refused."""
    try:
        return rewritten(function, graph)
    except Wrong:
        raise
    except ValueError:
        return REFUSED


def no_longer(graph: Graph, result: Node, kind: str) -> Node:
    """The result, unless an index still stands on the operation that it should have passed."""
    (child,) = graph.node.children
    for node in children_first(result):
        if node.op.kind == "index" and any(each is child or each.key == child.key for each in node.children):
            raise Wrong(
                f"an index still stands on the {kind}: {line(node)}, over {line(child)}. Index what is below it."
            )
    return result


def values(graph: Graph, *nodes: Node) -> list[torch.Tensor]:
    """What each node says on the case's inputs, with a row for every input row also where no input is read."""
    missing = {each.name for node in nodes for each in _free(node)} - {*graph.inputs}
    if missing:
        raise Wrong(f"the result reads inputs that the graph before did not: {', '.join(sorted(missing))}.")
    rows = max([len(each) for each in graph.inputs.values()], default=1)
    found = evaluate(list(nodes), {name: graph.inputs[name] for name in _names(nodes)})
    return [value.expand(rows, *node.shape) for value, node in zip(found, nodes, strict=True)]


def outcome(graph: Graph, result: Node) -> dict[str, Any]:
    """What a rewrite must keep."""
    return {"the shape": str(list(result.shape)), "the value": values(graph, result)[0]}


def terms(node: Node) -> list[tuple[Node, float]]:
    """The terms of a sum and of the sums in it, each with its weight; a node that is no sum is its own term."""
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
    return [(id(each), id(each.op), each.name, tuple(map(id, each.children))) for each in children_first(node)]
