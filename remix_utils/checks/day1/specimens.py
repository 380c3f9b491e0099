"""Two layernorms with a fault each, for day 1, part 0 to diagnose from the outside. Looking in here is giving up."""

from __future__ import annotations

import torch


def specimen_a(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """A layernorm of x [..., d_model], nearly.

    >>> specimen_a(torch.tensor([1.0, -1.0]), torch.ones(2), torch.zeros(2)).shape
    torch.Size([2])
    """
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + eps) * w + b


def specimen_b(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """A layernorm of x [..., d_model], nearly.

    >>> specimen_b(torch.tensor([1.0, -1.0]), torch.ones(2), torch.zeros(2)).shape
    torch.Size([2])
    """
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return (x - mean) / (variance.sqrt() + eps) * w + b
