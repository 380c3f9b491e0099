"""Two layernorms with one fault each, which day 1, part 0 diagnoses from the outside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch

CALLS: Counter[str] = Counter()  # a diagnosis that calls its specimen is no diagnosis


def without_source(function: Callable) -> Callable:
    """Returns the function without a file to its code, so that no traceback shows its lines."""
    function.__code__ = function.__code__.replace(co_filename="<specimen>")
    return function


@without_source
def specimen_a(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Returns a layernorm of x [..., d_model] that has one fault.

    >>> specimen_a(torch.tensor([1.0, -1.0]), torch.ones(2), torch.zeros(2)).shape
    torch.Size([2])
    """
    CALLS["specimen_a"] += 1
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True)
    return (x - mean) * torch.rsqrt(variance + eps) * w + b


@without_source
def specimen_b(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Returns a layernorm of x [..., d_model] that has one fault.

    >>> specimen_b(torch.tensor([1.0, -1.0]), torch.ones(2), torch.zeros(2)).shape
    torch.Size([2])
    """
    CALLS["specimen_b"] += 1
    variance, mean = torch.var_mean(x, dim=-1, keepdim=True, correction=0)
    return (x - mean) / (variance.sqrt() + eps) * w + b
