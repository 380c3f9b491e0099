"""Graphs in the participants' own classes: what the checks of part 2 build them with, and how they read them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from remix_utils.checks.exercise import Wrong

WORDS = ("Node", "Placeholder", "Array", "Add", "Relu", "Einsum")
Words = dict[str, Any]


# --- a vocabulary of our own, for oracles and for known mistakes ------------------------------------------------------


class ToyOp:
    """An operation; `details` tells two operations of one kind apart."""

    def __init__(self, kind: str, *details: Any):
        self.kind, self.details = kind, details

    def __getattr__(self, name: str) -> Any:
        wanted = {"value": "array", "pattern": "einsum", "size": "placeholder"}
        if name in wanted and self.__dict__.get("kind") == wanted[name]:
            return self.details[0]
        raise AttributeError(name)

    def shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        if self.kind == "placeholder":
            return tuple(self.details[0])
        if self.kind == "array":
            return tuple(self.details[0].shape)
        return tuple(self.run(*(torch.zeros(shape) for shape in shapes)).shape)

    def run(self, *values: torch.Tensor) -> torch.Tensor:
        if self.kind == "array":
            return self.details[0]
        if self.kind == "add":
            return sum(values[1:], values[0])
        return values[0].clamp(min=0) if self.kind == "relu" else contraction(*read_pattern(self.details[0]), *values)


class ToyNode:
    """A node as the lesson has it: op, children, name, and the shape that follows."""

    def __init__(self, op: Any, children: Sequence[Any] = (), name: str = ""):
        self.op, self.children, self.name = op, tuple(children), name
        self.shape = op.shape(*(child.shape for child in self.children))


def _toy(kind: str) -> type:
    def start(self: ToyOp, *details: Any) -> None:
        ToyOp.__init__(self, kind, *details)

    return type(kind.capitalize(), (ToyOp,), {"__init__": start, "run": ToyOp.run})


TOY: Words = {"Node": ToyNode, **{word: _toy(word.lower()) for word in WORDS[1:]}}


def read_pattern(pattern: str) -> tuple[list[list[str]], list[str]]:
    """The words of each operand and of the result."""
    left, _, right = pattern.partition("->")
    return [side.split() for side in left.split(",")], right.split()


def contraction(inputs: Sequence[Sequence[str]], output: Sequence[str], *values: torch.Tensor) -> torch.Tensor:
    """The product summed over what the output does not name, by numpy's einsum on numbered axes."""
    number = {word: place for place, word in enumerate(dict.fromkeys(word for words in inputs for word in words))}
    operands: list[Any] = []
    for words, value in zip(inputs, values, strict=True):
        operands += [torch.as_tensor(value).double().numpy(), [number[word] for word in words]]
    return torch.as_tensor(numpy.einsum(*operands, [number[word] for word in output])).to(torch.float32)


# --- building -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Build:
    """Makes nodes in somebody's classes."""

    words: Words

    def node(self, kind: str, details: tuple, children: Sequence[Any], name: str) -> Any:
        return self.words["Node"](self.words[kind](*details), tuple(children), name)

    def x(self, name: str, *size: int) -> Any:
        return self.node("Placeholder", (tuple(size),), (), name)

    def array(self, value: Any, name: str) -> Any:
        return self.node("Array", (torch.as_tensor(value, dtype=torch.float32),), (), name)

    def add(self, *children: Any, name: str) -> Any:
        return self.node("Add", (), children, name)

    def relu(self, child: Any, name: str) -> Any:
        return self.node("Relu", (), (child,), name)

    def einsum(self, pattern: str, *children: Any, name: str) -> Any:
        return self.node("Einsum", (pattern,), children, name)


class Recipe:
    """A graph that can be built in any vocabulary, always with the same numbers."""

    def __init__(self, name: str, rule: Callable[[Build, torch.Generator], Any], seed: int):
        # The name is how a message calls the graph.
        self.__name__ = f"{name} ({(rule.__doc__ or '').rstrip('.')})"
        self.rule, self.seed = rule, seed

    def __call__(self, words: Words) -> Any:
        return self.rule(Build(words), torch.Generator().manual_seed(self.seed))

    def inputs(self, again: int = 0) -> dict[str, torch.Tensor]:
        """A value for each placeholder; another one for each `again`."""
        numbers = torch.Generator().manual_seed(self.seed + 1 + again)
        free = [node for node in below(self(TOY)) if node.op.kind == "placeholder"]
        return {node.name: torch.randn(node.shape, generator=numbers) for node in free}


def _diamond(make: Build, numbers: torch.Generator) -> Any:
    """One block with a skip: `both` is read twice, and so is `x`."""
    x = make.x("x", 3)
    both = make.add(x, make.array(torch.randn(3, generator=numbers), "bias"), name="both")
    return make.add(make.relu(both, "active"), both, x, name="total")


def _ladder(make: Build, numbers: torch.Generator) -> Any:
    """Five blocks with skips, one above the other: 32 ways down."""
    stream = make.x("x", 2)
    for block in "abcde":
        stream = make.add(stream, make.relu(stream, f"block {block}"), name=f"stream {block}")
    return stream


def _network(make: Build, numbers: torch.Generator) -> Any:
    """Two inputs, a hidden layer and a skip."""
    x, other = make.x("x", 4), make.x("other", 4)
    weight, skip = (make.array(torch.randn(size, 4, generator=numbers), n) for n, size in (("w", 5), ("skip w", 2)))
    seen = make.add(x, other, name="seen")
    hidden = make.relu(make.einsum("hidden i, i -> hidden", weight, seen, name="inner"), "hidden")
    out = make.einsum(
        "o hidden, hidden -> o", make.array(torch.randn(2, 5, generator=numbers), "v"), hidden, name="out"
    )
    return make.add(out, make.einsum("o i, i -> o", skip, x, name="skip"), name="logits")


def _namesakes(make: Build, numbers: torch.Generator) -> Any:
    """Different nodes under one name."""
    x = make.x("x", 3)
    first, second = (make.array(torch.randn(3, generator=numbers), "bias") for _ in range(2))
    return make.add(make.relu(make.add(x, first, name="sum"), "relu"), make.add(x, second, name="sum"), name="end")


def _twice(make: Build, numbers: torch.Generator) -> Any:
    """A sum that reads the same node twice."""
    x = make.x("x", 3)
    active = make.relu(x, "active")
    return make.add(active, make.array(torch.randn(3, generator=numbers), "bias"), active, name="double")


def _table(make: Build, numbers: torch.Generator) -> Any:
    """A constant with one axis more than the input; its first axis may be as long as a batch."""
    active = make.relu(make.x("x", 3), "active")
    return make.relu(make.add(active, make.array(torch.randn(4, 3, generator=numbers), "table"), name="both"), "end")


RULES = {
    "table": _table,
    "diamond": _diamond,
    "network": _network,
    "ladder": _ladder,
    "namesakes": _namesakes,
    "twice": _twice,
}


def recipes(seed: int, *names: str) -> list[Recipe]:
    """The named graphs; all of them without a name."""
    return [Recipe(name, RULES[name], seed) for name in names or RULES]


# --- reading ----------------------------------------------------------------------------------------------------------


def below(graph: Any) -> list[Any]:
    """Each node once, children first."""
    order: dict[int, Any] = {}
    stack = [(graph, False)]
    while stack:
        node, leaving = stack.pop()
        if leaving:
            order.setdefault(id(node), node)
        elif id(node) not in order:
            stack += [(node, True), *((child, False) for child in reversed(node.children))]
        if len(stack) + len(order) > 20_000:
            raise Wrong("the graph has grown beyond 20,000 nodes: is something replaced again and again?")
    return list(order.values())


def values(graph: Any, inputs: dict[str, torch.Tensor]) -> dict[int, torch.Tensor]:
    """What every node says, by the node's id."""
    known: dict[int, torch.Tensor] = {}
    for node in below(graph):
        if node.op.kind == "placeholder":
            if node.name not in inputs:
                raise Wrong(f"the graph reads an input {node.name!r}, expected {' and '.join(map(repr, inputs))}.")
            known[id(node)] = inputs[node.name]
        else:
            known[id(node)] = node.op.run(*(known[id(child)] for child in node.children))
    return known


def value_of(graph: Any, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    return values(graph, inputs)[id(graph)]


def the(graph: Any, name: str) -> Any:
    """The first node of this name."""
    return next(node for node in below(graph) if node.name == name)


def like(node: Any, children: Sequence[Any], name: str | None = None) -> Any:
    """The same operation on other children, in the class that the node came in."""
    return type(node)(node.op, tuple(children), node.name if name is None else name)


def wiring(graph: Any) -> list[tuple]:
    """A graph's nodes and who reads whom, by identity: what no answer may change."""
    return [(id(node), id(node.op), node.name, tuple(map(id, node.children))) for node in below(graph)]


def rebuilt(words: Words, graph: Any, new: dict[int, Callable[[Any], Any]]) -> Any:
    """The graph with some nodes replaced, everything else kept as it is; `new` by id."""
    done: dict[int, Any] = {}
    for node in below(graph):
        children = tuple(done[id(child)] for child in node.children)
        same = all(a is b for a, b in zip(children, node.children, strict=True))
        fresh = node if same else words["Node"](node.op, children, node.name)
        done[id(node)] = new[id(node)](fresh) if id(node) in new else fresh
    return done[id(graph)]


@contextlib.contextmanager
def counted(words: Words, graph: Any) -> Iterator[Counter[str]]:
    """How often each node of the graph is computed inside the block, by name."""
    names = {id(node.op): node.name for node in below(graph)}
    counts: Counter[str] = Counter()
    kinds = [words[word] for word in WORDS[2:]]
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
