"""Chains with skip connections: few nodes, exponentially many paths."""

import time
from collections.abc import Callable

import torch

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, placeholder

WIDTH = 3
WEIGHT = array(torch.eye(WIDTH, dtype=torch.float64) / 2, "w")
ONES = array(torch.ones(WIDTH, dtype=torch.float64), "ones")


def mlp(x: Node, name: str) -> Node:
    return apply("tanh", linear(x, f"{name}.pre"), name=f"{name}.post")


def linear(x: Node, name: str) -> Node:
    return einsum("i, i j -> j", x, WEIGHT, name=name)


def normed(x: Node, name: str) -> Node:
    return linear(apply("layernorm", x, ONES, ONES, name=f"{name}.ln"), name)


def skip_chain(layers: int, step: Callable[[Node, str], Node] = mlp, start: Node | None = None) -> Node:
    """x ← x + step(x) over and over: 2 ** layers paths lead from the end to the input."""
    x = placeholder("x", (WIDTH,), torch.float64) if start is None else start
    for layer in range(layers):
        x = add(x, step(x, f"{layer}"), name=f"{layer}.resid")
    return x


def seconds(work: Callable[[], object]) -> float:
    """The best of three runs, in the processor's own time: other programs are not on the bill."""

    def once() -> float:
        start = time.process_time()
        work()
        return time.process_time() - start

    return min(once() for _ in range(3))


def grows_linearly(work: Callable[[int], Callable[[], object]]) -> bool:
    """Whether work on 60 layers takes under a second, and not much more than twice that on 30.

    `work(layers)` prepares, and returns what is to be timed. If every layer doubled it, it would never end.
    """
    short, long = seconds(work(30)), seconds(work(60))
    return long < 1 and long < 5 * short + 0.02
