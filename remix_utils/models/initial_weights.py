"""Weights of a transformer before training."""

from __future__ import annotations

import math

import torch
from torch import nn

from remix_utils.models.transformer_config import TransformerConfig


def draw(network: nn.Module, config: TransformerConfig, seed: int) -> None:
    """Draws matrices normal with standard deviation 0.8 / √d_model, biases zero, norm weights one."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            kind = name.rsplit(".", 1)[-1]
            if kind == "W_pos" and config.positions == "shortformer":
                parameter.copy_(sinusoids(config.n_ctx, config.d_model))
            elif kind.startswith("W_"):
                parameter.normal_(0, 0.8 / math.sqrt(config.d_model), generator=generator)
            else:
                parameter.fill_(1.0 if kind == "w" else 0.0)


def sinusoids(n_ctx: int, d_model: int) -> torch.Tensor:
    """Sines and cosines [n_ctx, d_model], of the size of a normalised residual (Vaswani et al. 2017)."""
    evens, places = (torch.arange(0, end, step, dtype=torch.float32) for end, step in ((d_model, 2), (n_ctx, 1)))
    angles = places.unsqueeze(-1) * 10_000.0 ** (-evens / d_model)
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(-2)[:, :d_model]
