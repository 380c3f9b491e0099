"""Chains with skip connections: few nodes, exponentially many paths."""

import time
from collections.abc import Callable

import torch

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, placeholder

WIDTH = 3


def skip_chain(layers: int, function: str | None = "tanh") -> Node:
    """x ← x + f(x) over and over: 2 ** layers paths lead from the end to the input; without a function, f is linear."""
    x = placeholder("x", (WIDTH,), torch.float64)
    weight = array(torch.eye(WIDTH, dtype=torch.float64) / 2, "w")
    for layer in range(layers):
        inner = einsum("i, i j -> j", x, weight, name=f"{layer}.pre")
        x = add(x, apply(function, inner, name=f"{layer}.post") if function else inner, name=f"{layer}.resid")
    return x


def seconds(work: Callable[[], object]) -> float:
    """The best of three runs, since other processes disturb some of them."""

    def once() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return min(once() for _ in range(3))


def grows_linearly(work: Callable[[int], Callable[[], object]]) -> bool:
    """Whether work on 60 layers takes under a second, and not much more than twice that on 30.

    `work(layers)` prepares, and returns what is to be timed. If every layer doubled it, it would never end.
    """
    short, long = seconds(work(30)), seconds(work(60))
    return long < 1 and long < 5 * short + 0.02
