"""Layernorms taken into the matrices that read them, in the random transformers of `checks/day1`."""

from __future__ import annotations

from collections.abc import Mapping

import torch

VOCAB, D_HEAD = 13, 5  # of those transformers


def fold(
    weights: Mapping[str, torch.Tensor], norm: str, matrix: torch.Tensor, weigh: bool = True, centre: bool = True
) -> torch.Tensor:
    """A matrix [d_model, n] with a layernorm's weight and centring taken in, or one of them left out.

    >>> fold({"ln.w": torch.tensor([2.0, 1.0])}, "ln", torch.ones(2, 1))
    tensor([[ 0.5000],
            [-0.5000]])
    """
    matrix = weights[f"{norm}.w"][:, None] * matrix if weigh else matrix
    return matrix - matrix.mean(0) if centre else matrix
