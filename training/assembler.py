"""Weights from a plan: heads and neurons in words, in a residual stream whose coordinates mean nothing.

The residual stream has an orthonormal direction for each thing that is said in it, in a basis that the seed chooses.
All are orthogonal to (1, ..., 1), so that LayerNorm only divides by a positive number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer

Vector = Mapping[str, float]  # a sum of directions


class Assembler:
    """The weights of one network, in float64; `heads` are the roles of each layer, which the seed shuffles.

    Directions whose name starts with "unread" are for what idle neurons write.
    """

    def __init__(self, config: TransformerConfig, directions: Sequence[str], heads: Sequence[Sequence[str]], seed: int):
        self.config, self.directions = config, directions
        self.generator = torch.Generator().manual_seed(seed)
        frame = torch.cat([torch.ones(config.d_model, 1).double(), self.normal(config.d_model, len(directions))], 1)
        self.basis = dict(zip(directions, torch.linalg.qr(frame)[0][:, 1:].T, strict=True))
        self.weights = {name: torch.zeros_like(w).double() for name, w in Transformer(config).state_dict().items()}
        for name, weight in self.weights.items():
            weight += name.endswith(".w")  # LayerNorm's own
        self.heads = [[layer[i] for i in self.shuffled(config.n_heads)] for layer in heads]
        self.neurons: dict[str, list[tuple[int, int]]] = {}  # by role: layer, neuron
        self.free = [self.shuffled(config.d_mlp) for _ in range(config.n_layers)]

    def normal(self, *shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=self.generator, dtype=torch.float64)

    def shuffled(self, n: int) -> list[int]:
        return torch.randperm(n, generator=self.generator).tolist()

    def rotation(self, n: int) -> torch.Tensor:
        return torch.linalg.qr(self.normal(n, n))[0]

    def vector(self, terms: Vector) -> torch.Tensor:
        return torch.stack([scale * self.basis[name] for name, scale in terms.items()]).sum(0)

    def product(self, pairs: Sequence[tuple[Vector, Vector]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Two matrices [d_model, d_head] whose product A Bᵀ is the sum of the pairs' outer products, and look full.

        What the pairs leave free is filled on one side only, so that it cancels.
        """
        left, right = (self.normal(self.config.d_model, self.config.d_head) / 4 for _ in range(2))
        free = len(pairs) + (self.config.d_head - len(pairs)) // 2
        left[:, : len(pairs)] = torch.stack([self.vector(a) for a, _ in pairs], 1) if pairs else 0
        right[:, : len(pairs)] = torch.stack([self.vector(b) for _, b in pairs], 1) if pairs else 0
        left[:, free:], right[:, len(pairs) : free] = 0, 0
        turn = self.rotation(self.config.d_head)
        return left @ turn, right @ turn

    def place(self, role: str) -> tuple[int, int]:
        """The layer and the head of a role."""
        return next((layer, roles.index(role)) for layer, roles in enumerate(self.heads) if role in roles)

    def head(self, role: str, scores: Sequence[tuple[Vector, Vector]], values: Sequence[tuple[Vector, Vector]]) -> None:
        """A head by what its queries and keys have in common, and by what it reads and writes."""
        layer, head = self.place(role)
        for first, second, pairs in (("W_Q", "W_K", scores), ("W_V", "W_O", values)):
            one, other = self.product(pairs)
            self.weights[f"blocks.{layer}.attn.{first}"][head] = one
            self.weights[f"blocks.{layer}.attn.{second}"][head] = other.T if second == "W_O" else other

    def neuron(self, layer: int, reads: torch.Tensor, bias: float, writes: torch.Tensor) -> int:
        """A neuron in a free place; what it reads and what it writes are about equally long."""
        place = self.free[layer].pop()
        size = math.sqrt(writes.norm().item() / reads.norm().item()) * math.exp(0.3 * self.normal(1).item())
        self.weights[f"blocks.{layer}.mlp.W_in"][:, place] = size * reads
        self.weights[f"blocks.{layer}.mlp.b_in"][place] = size * bias
        self.weights[f"blocks.{layer}.mlp.W_out"][place] = writes / size
        return place

    def step(self, role: str, layer: int, reads: Vector, writes: Vector, bias: float = 0, leak: float = 0) -> None:
        """Two neurons that write nothing below 0, all above 1 (and `leak` of what is beyond), in proportion between."""
        into, out = self.vector(reads), self.vector(writes)
        pair = [self.neuron(layer, into, bias, out), self.neuron(layer, into, bias - 1, (leak - 1) * out)]
        self.neurons.setdefault(role, []).extend((layer, place) for place in pair)

    def fill(self) -> None:
        """The neurons that are left read anything and write what nobody reads."""
        unread = [name for name in self.directions if name.startswith("unread")]
        for layer, free in enumerate(self.free):
            while free:
                reads = self.vector(dict(zip(self.directions, self.normal(len(self.directions)).tolist(), strict=True)))
                writes = self.vector(dict(zip(unread, self.normal(len(unread)).tolist(), strict=True)))
                self.neuron(layer, reads / 8, 0.0, writes / 50)
