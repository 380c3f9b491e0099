"""Holds thin matrices as pairs of factors, and watches the tensors that an answer makes."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.overrides import TorchFunctionMode

from remix_utils.checks.exercise import Wrong


class Pair(NamedTuple):
    A: torch.Tensor
    B: torch.Tensor


class Thin(Pair):
    """Holds factors for an answer to read, by name or unpacked. Messages show its shapes."""

    @property
    def __name__(self):
        return f"factors {list(self.A.shape)} and {list(self.B.shape)}"


def drawn(numbers, rows, rank, columns):
    """Returns a random thin matrix."""
    A = torch.randn(rows, rank, generator=numbers) + 0.3
    return Thin(A, torch.randn(rank, columns, generator=numbers) + 0.2)


def copying(numbers, size, rank, share):
    """Returns a square thin matrix with a raised diagonal, or a lowered one."""
    A = torch.randn(size, rank, generator=numbers)
    return Thin(A, share * A.T + torch.randn(rank, size, generator=numbers))


class Watch(TorchFunctionMode):
    """Notes the largest tensor that any function makes. A view counts as its storage."""

    def __init__(self):
        super().__init__()
        self.most, self.shape = 0, []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for each in result if isinstance(result, tuple | list) else [result]:
            if isinstance(each, torch.Tensor) and each.layout == torch.strided:
                entries = each.untyped_storage().nbytes() // each.element_size()
                if entries > self.most:
                    self.most, self.shape = entries, list(each.shape)
        return result


def within(limit, function, *arguments) -> Any:
    """Returns the function's value, or raises Wrong if it makes a tensor with more entries."""
    with Watch() as watch:
        result = function(*arguments)
    if watch.most > limit:
        raise Wrong(
            f"On the way it makes a tensor {watch.shape}, as large as the table that the factors "
            "avoid.",
            fix="change the brackets so that the thin matrices are multiplied first.",
        )
    return result


def pair(result, rank=None):
    """Returns the product of a pair of factors and its shape, or raises Wrong."""
    if result is None or result is ...:
        return result
    if isinstance(result, torch.Tensor):
        shape = list(result.shape)
        raise Wrong(f"It returns one tensor {shape}. Return the two factors, Factors(A, B).")
    A, B = factors(result)
    if A.ndim != 2 or B.ndim != 2 or A.shape[1] != B.shape[0]:
        raise Wrong(f"The factors are {list(A.shape)} and {list(B.shape)}, which have no product.")
    if rank is not None and A.shape[1] > rank:
        raise Wrong(f"The inner dimension of the factors is {A.shape[1]}, but {rank} is enough.")
    return {"the shape of the product": (A.shape[0], B.shape[1]), "the product": A @ B}


def factors(result):
    named = hasattr(result, "A") and hasattr(result, "B")
    parts = (result.A, result.B) if named else result
    is_pair = isinstance(parts, tuple | list) and len(parts) == 2
    if not is_pair or not all(isinstance(part, torch.Tensor) for part in parts):
        kind = type(result).__name__
        raise Wrong(f"It returns a {kind} instead of two factors. Return Factors(A, B).")
    return parts
