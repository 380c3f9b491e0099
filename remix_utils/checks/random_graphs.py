"""Seeded random graphs in float64, of the shapes that an exercise needs."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import torch

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, placeholder

LETTERS = "ijklmn"


def picks(*rows: int) -> torch.Tensor:
    """Rows picked one by one."""
    return torch.tensor(rows)


class Draw:
    """Random nodes, all from one seed: `Draw(0).node(3, 4)` is some computation of shape [3, 4].

    >>> Draw(0).node(3, 4).shape
    (3, 4)
    """

    def __init__(self, seed: int):
        self.numbers = torch.Generator().manual_seed(seed)
        self.counts = itertools.count()

    def tensor(self, *shape: int) -> torch.Tensor:
        return torch.randn(shape, generator=self.numbers, dtype=torch.float64)

    def whole(self, most: int) -> int:
        """A whole number below `most`."""
        return int(torch.randint(most, (), generator=self.numbers))

    def weights(self, count: int) -> list[float]:
        """Weights that are neither 0 nor 1."""
        return [round(2 + float(self.tensor()) / 4, 3) * (-1) ** place for place in range(count)]

    def name(self, stem: str) -> str:
        return f"{stem}{next(self.counts)}"

    def x(self, *shape: int) -> Node:
        return placeholder(self.name("x"), shape, torch.float64)

    def array(self, *shape: int) -> Node:
        return array(self.tensor(*shape), self.name("w"))

    def node(self, *shape: int, depth: int = 2) -> Node:
        """A random computation: an input, a constant, a function, a sum or a product."""
        kind = self.whole(5) if depth else self.whole(2)
        if kind == 0:
            return self.x(*shape)
        if kind == 1:
            return self.array(*shape)
        if kind == 2:
            return self.curve(*shape, depth=depth - 1)
        if kind == 3:
            parts = [self.node(*shape, depth=depth - 1) for _ in range(2)]
            return add(*parts, weights=self.weights(2), name=self.name("sum"))
        return self.product(*shape, depth=depth - 1)

    def curve(self, *shape: int, depth: int = 1) -> Node:
        """An elementwise function of something."""
        function = ("relu", "tanh", "sigmoid")[self.whole(3)]
        return apply(function, self.node(*shape, depth=depth), name=self.name(function))

    def product(self, *shape: int, depth: int = 1) -> Node:
        """Something times a matrix, or times numbers of its own shape."""
        axes = " ".join(LETTERS[: len(shape)])
        factor = self.array(*shape)
        return einsum(
            f"{axes}, {axes} -> {axes}",
            self.node(*shape, depth=depth),
            factor,
            name=self.name("product"),
        )

    def total(self, shapes: Sequence[tuple[int, ...]], weights: bool = True) -> Node:
        """A sum of nodes of these shapes, none of which is a sum itself."""
        parts = [(self.x, self.array, self.curve)[self.whole(3)](*shape) for shape in shapes]
        return add(
            *parts, weights=self.weights(len(parts)) if weights else None, name=self.name("sum")
        )
