"""Small transformers as graphs to rewrite, each beside its network, which hooks watch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from remix_utils.checks.graph_cases import Graph, outcome
from remix_utils.checks.small_transformers import network, small_model
from remix_utils.models.transformer_module import Transformer

CLOSE = 1e-4  # float32: a few hundred roundings of values up to a hundred
Values = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Case(Graph):
    """The logits of a random attention-only transformer, tokens to read, and the network itself."""

    network: Transformer = field(kw_only=True)

    @property
    def __name__(self) -> str:
        config = self.network.config
        sizes = f"{config.n_layers} layers of {config.n_heads} heads, {self.seq} tokens"
        return f"a random transformer of {sizes}"

    @property
    def seq(self) -> int:
        return self.node.shape[0]

    @property
    def tokens(self) -> torch.Tensor:
        return self.inputs["tokens"]

    def watched(self, tokens: torch.Tensor | None = None) -> Values:
        """Returns the value of every module of the network, by its name."""
        seen: Values = {}
        hooks = [
            module.register_forward_hook(
                lambda module, inputs, value, name=name: seen.update({name: value})
            )
            for name, module in self.network.named_modules()
        ]
        try:
            self.network(self.tokens if tokens is None else tokens)
        finally:
            for hook in hooks:
                hook.remove()
        return seen


def transformers(seed: int, *layers: int, rows: int = 2) -> list[Case]:
    """One for each number of layers, on a few random tokens, and as many `other` ones.

    Each has a head more and a token fewer than the one before, so that no size can be counted on.

    >>> [case.node.shape for case in transformers(0, 2, 3)]
    [(6, 13), (5, 13)]
    """
    cases, numbers = [], torch.Generator().manual_seed(seed)
    for place, depth in enumerate(layers):
        seq, model = 6 - place, small_model(seed + place, 0, depth, n_heads=2 + place)
        tokens, other = (torch.randint(13, (rows, seq), generator=numbers) for _ in range(2))
        cases.append(
            Case(
                model.graph(seq=seq),
                {"tokens": tokens, "other": other},
                network=network(model.weights),
            )
        )
    return cases


def said(case: Case, result: Any) -> Any:
    """Returns the value of a rewritten graph on the case's tokens; of a tensor, its entries."""
    if isinstance(result, torch.Tensor):
        return {"the shape": str(list(result.shape[1:])), "the value": result}
    return outcome(case, result)
