"""Graphs in the participants' own classes: how the checks of part 2 build them and read them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from remix_utils.checks.exercise import Wrong
from remix_utils.errors import kind_of

CLASSES = ("Node", "Placeholder", "Array", "Add", "Relu", "Einsum")
MOST_NODES = 20_000  # a graph that grows beyond this replaces something again and again

# --- building -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Build:
    """Makes nodes in a participant's classes."""

    classes: dict[str, Any]

    def node(self, kind: str, details: Sequence, children: Sequence, name: str) -> Any:
        return self.classes["Node"](self.classes[kind](*details), tuple(children), name)

    def x(self, name: str, *size: int) -> Any:
        return self.node("Placeholder", [size], (), name)

    def array(self, value: torch.Tensor, name: str) -> Any:
        return self.node("Array", [value], (), name)

    def add(self, *children: Any, name: str) -> Any:
        return self.node("Add", [], children, name)

    def relu(self, child: Any, name: str) -> Any:
        return self.node("Relu", [], [child], name)

    def einsum(self, pattern: str, *children: Any, name: str) -> Any:
        return self.node("Einsum", [pattern], children, name)


def _diamond(make: Build, numbers: torch.Generator) -> Any:
    """one block with a skip, in which `both` and `x` are read twice"""
    x = make.x("x", 3)
    both = make.add(x, make.array(torch.randn(3, generator=numbers), "bias"), name="both")
    return make.add(make.relu(both, "active"), both, x, name="total")


def _ladder(make: Build, numbers: torch.Generator) -> Any:
    """five blocks with skips, one above the other"""
    stream = make.x("x", 2)
    for block in "abcde":
        stream = make.add(stream, make.relu(stream, f"block {block}"), name=f"stream {block}")
    return stream


def _network(make: Build, numbers: torch.Generator) -> Any:
    """two inputs, a hidden layer and a skip"""
    x, other = make.x("x", 4), make.x("other", 4)
    w, v, skip = (
        make.array(torch.randn(size, generator=numbers), name)
        for name, size in {"w": (5, 4), "v": (2, 5), "skip w": (2, 4)}.items()
    )
    mixed = make.add(x, other, name="mixed")
    hidden = make.relu(make.einsum("hidden i, i -> hidden", w, mixed, name="inner"), "hidden")
    out = make.einsum("o hidden, hidden -> o", v, hidden, name="out")
    return make.add(out, make.einsum("o i, i -> o", skip, x, name="skip"), name="logits")


def _namesakes(make: Build, numbers: torch.Generator) -> Any:
    """two sums called sum and two arrays called bias"""
    x = make.x("x", 3)
    one, two = (make.array(torch.randn(3, generator=numbers), "bias") for _ in range(2))
    active = make.relu(make.add(x, one, name="sum"), "active")
    return make.add(active, make.add(x, two, name="sum"), name="total")


def _shadow(make: Build, numbers: torch.Generator) -> Any:
    """an input, a constant and their sum, all called x"""
    constant = make.array(torch.randn(3, generator=numbers), "x")
    return make.add(make.x("x", 3), constant, name="x")


def _siblings(make: Build, numbers: torch.Generator) -> Any:
    """two sums with one Add and one name, as after an edit"""
    x, bias = make.x("x", 3), make.array(torch.randn(3, generator=numbers), "bias")
    one = make.add(x, bias, name="sum")
    two = make.classes["Node"](one.op, (x, make.relu(one, "active")), "sum")
    return make.add(one, two, name="total")


def _input(make: Build, numbers: torch.Generator) -> Any:
    """an input and nothing else"""
    return make.x("x", 3)


def _twice(make: Build, numbers: torch.Generator) -> Any:
    """a sum that reads one node as its first and its third child"""
    active = make.relu(make.x("x", 3), "active")
    bias = make.array(torch.randn(3, generator=numbers), "bias")
    return make.add(active, bias, active, name="double")


def _square(make: Build, numbers: torch.Generator) -> Any:
    """a matrix product that reads one matrix as both of its factors"""
    moved = make.add(make.x("x", 3, 3), make.array(torch.eye(3), "eye"), name="moved")
    return make.einsum("i j, j k -> i k", moved, moved, name="square")


def _table(make: Build, numbers: torch.Generator) -> Any:
    """a constant [4, 3] added to an input [3]"""
    active = make.relu(make.x("x", 3), "active")
    table = make.array(torch.randn(4, 3, generator=numbers), "table")
    return make.relu(make.add(active, table, name="both"), "end")


def _constant(make: Build, numbers: torch.Generator) -> Any:
    """a graph that reads no input"""
    return make.relu(make.array(torch.randn(3, generator=numbers), "bias"), "active")


RULES = {
    rule.__name__.strip("_"): rule
    for rule in (
        _diamond, _ladder, _network, _namesakes, _shadow, _siblings, _twice, _square, _table,
        _constant, _input,
    )
}


@dataclass(frozen=True)
class Recipe:
    """A graph that can be built in anybody's classes, always with the same numbers."""

    name: str
    seed: int

    @property
    def __name__(self) -> str:
        return f"{self.name} ({RULES[self.name].__doc__})"

    def build(self, make: Build) -> Any:
        return RULES[self.name](make, torch.Generator().manual_seed(self.seed))

    def inputs(self, graph: Any, again: int = 0) -> dict[str, torch.Tensor]:
        """Draws a value for each placeholder, another one for each `again`."""
        numbers = torch.Generator().manual_seed(self.seed + 1 + again)
        free = [node for node in below(graph) if node.op.kind == "placeholder"]
        return {node.name: torch.randn(tuple(node.shape), generator=numbers) for node in free}


def recipes(seed: int, *names: str) -> list[tuple[Recipe]]:
    """Lists cases of one argument: the named graphs."""
    return [(Recipe(name, seed),) for name in names]


# --- reading --------------------------------------------------------------------------------------


def below(graph: Any) -> list[Any]:
    """Lists each node once, children first."""
    order: dict[int, Any] = {}
    stack = [(graph, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            order.setdefault(id(node), node)
        elif id(node) not in order:
            stack += [(node, True), *((child, False) for child in reversed(node.children))]
        if len(stack) + len(order) > MOST_NODES:
            raise Wrong(
                "The graph has grown beyond 20,000 nodes. Is something replaced again and again?"
            )
    return list(order.values())


def labels(graph: Any) -> dict[str, Any]:
    """Returns the nodes by name, children first; the second node called sum is `sum (2)`."""
    counts: Counter[str] = Counter()
    found = {}
    for node in below(graph):
        counts[node.name] += 1
        number = counts[node.name]
        found[node.name if number == 1 else f"{node.name} ({number})"] = node
    return found


def values(graph: Any, inputs: dict[str, torch.Tensor]) -> dict[int, torch.Tensor]:
    """Returns the value of every node, by the node's id."""
    known: dict[int, torch.Tensor] = {}
    for node in below(graph):
        if node.op.kind != "placeholder":
            known[id(node)] = node.op.run(*(known[id(child)] for child in node.children))
        elif node.name in inputs:
            known[id(node)] = inputs[node.name]
        else:
            raise Wrong(
                f"The graph reads an input {node.name!r}. It may only read "
                f"{' and '.join(map(repr, inputs))}."
            )
    return known


def value_of(graph: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    return values(graph, inputs)[id(graph)]


def require_node(result: Any) -> Any:
    """Returns the result of an edit. Wrong if it is no node."""
    if not hasattr(result, "op"):
        raise Wrong(f"The result is {kind_of(result)}. Return a node, the root of the new graph.")
    return result


def after_edit(
    graph: Any, edit: Callable[[], Any], inputs: dict[str, torch.Tensor]
) -> tuple[Any, dict[str, Any]]:
    """Edits a graph, and returns the new graph with facts about it and about the original graph."""
    wires = _wiring(graph)
    result = require_node(edit())
    nodes, kept = below(result), {id(node) for node, *_ in wires}
    return result, {
        "the original graph is unchanged": _wiring(graph) == wires,
        "the value": value_of(result, inputs),
        "the names": ", ".join(sorted(node.name for node in nodes)),
        "nodes shared with the original graph": sum(id(node) in kept for node in nodes),
    }


def _wiring(graph: Any) -> list[tuple]:
    """A graph's nodes and their children, as objects."""
    return [(node, node.op, node.name, node.children) for node in below(graph)]


def rebuilt(graph: Any, old: Any, new: Any) -> Any:
    """Returns the graph with `new` in place of `old`; unchanged nodes are the same objects."""
    done: dict[int, Any] = {}
    for node in below(graph):
        children = tuple(done[id(child)] for child in node.children)
        same = all(a is b for a, b in zip(children, node.children, strict=True))
        done[id(node)] = node if same else type(node)(node.op, children, node.name)
        if node is old:
            done[id(node)] = new
    return done[id(graph)]


def renamed(graph: Any) -> Any:
    """Returns the graph in which every node but the inputs has a name of its own."""
    new: dict[int, Any] = {}
    for label, node in labels(graph).items():
        name = node.name if node.op.kind == "placeholder" else f"node {label}"
        new[id(node)] = type(node)(node.op, [new[id(child)] for child in node.children], name)
    return new[id(graph)]


@contextlib.contextmanager
def counted(classes: dict[str, Any], graph: Any) -> Iterator[Counter[str]]:
    """Counts how often each node of the graph is computed inside the block, by name."""
    names = {id(node.op): node.name for node in below(graph)}
    counts: Counter[str] = Counter()
    kinds = [classes[name] for name in CLASSES[2:]]
    originals = [kind.run for kind in kinds]

    def watched(original: Callable) -> Callable:
        def run(self: Any, *arguments: Any) -> Any:
            counts[names.get(id(self), "another node")] += 1
            return original(self, *arguments)

        return run

    try:
        for kind, original in zip(kinds, originals, strict=True):
            kind.run = watched(original)
        yield counts
    finally:
        for kind, original in zip(kinds, originals, strict=True):
            kind.run = original
