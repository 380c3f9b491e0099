"""Calls across the pipe from inside torch.vmap: the rows go over together."""

from __future__ import annotations

from typing import Any

import torch

from remix_utils.errors import RemixError

functorch: Any = torch._C._functorch  # type: ignore[attr-defined]


def depth(value: Any) -> int:
    """How many levels of torch.vmap a value is inside."""
    count = 0
    while isinstance(value, torch.Tensor) and functorch.is_batchedtensor(value):
        value, count = functorch.get_unwrapped(value), count + 1
    return count


def unwrapped(arguments: tuple) -> tuple[list, list, int]:
    """Returns the arguments with their rows, the axis of rows in each, and the level of vmap."""
    if max(depth(each) for each in arguments) > 1:
        raise RemixError("vmap inside vmap reaches a check.", fix="use one.")
    bare, axes, level = [], [], 0
    for each in arguments:
        if depth(each):
            bare.append(functorch.get_unwrapped(each))
            axes.append(functorch.maybe_get_bdim(each))
            level = functorch.maybe_get_level(each)
        else:
            bare.append(each)
            axes.append(None)
    return bare, axes, level


def wrapped(value: Any, level: int) -> Any:
    """Returns a result, whose first axis has the rows, as vmap expects it."""
    return functorch._add_batch_dim(value, 0, level) if isinstance(value, torch.Tensor) else value
