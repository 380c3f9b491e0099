"""Thin matrices as pairs of factors: their product, their rank, and the tensors made on the way."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch.overrides import TorchFunctionMode

from remix_utils.checks.exercise import Wrong


class Pair(NamedTuple):
    A: torch.Tensor
    B: torch.Tensor


class Thin(Pair):
    """A pair of factors for an answer to read, by name or unpacked; messages show its shapes."""

    @property
    def __name__(self):
        return f"factors {list(self.A.shape)} and {list(self.B.shape)}"


def drawn(numbers, rows, rank, columns):
    """A random thin matrix."""
    A = torch.randn(rows, rank, generator=numbers) + 0.3
    return Thin(A, torch.randn(rank, columns, generator=numbers) + 0.2)


def copying(numbers, size, rank, share):
    """A square thin matrix whose diagonal is raised, or lowered where the share is negative."""
    A = torch.randn(size, rank, generator=numbers)
    return Thin(A, share * A.T + torch.randn(rank, size, generator=numbers))


class Watch(TorchFunctionMode):
    """Notes the largest tensor that any function makes; a view counts as its storage."""

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
    """Returns the function's value; Wrong where it makes a tensor of more than so many entries."""
    with Watch() as watch:
        result = function(*arguments)
    if watch.most > limit:
        raise Wrong(
            f"On the way it makes a tensor {watch.shape}, as large as the table that the factors "
            "avoid.",
            fix="change the brackets, so that thin matrices meet first.",
        )
    return result


def pair(result, rank=None):
    """Returns the product of a pair of factors and its shape; Wrong where the answer is no pair."""
    if result is None or result is ...:
        return result
    if isinstance(result, torch.Tensor):
        shape = list(result.shape)
        raise Wrong(f"It gives one tensor {shape}. Return the two factors, Factors(A, B).")
    A, B = factors(result)
    if A.ndim != 2 or B.ndim != 2 or A.shape[1] != B.shape[0]:
        raise Wrong(f"The factors are {list(A.shape)} and {list(B.shape)}, which have no product.")
    if rank is not None and A.shape[1] > rank:
        raise Wrong(f"There are {A.shape[1]} columns between the factors, and {rank} are enough.")
    return {"the shape of the product": (A.shape[0], B.shape[1]), "the product": A @ B}


def factors(result):
    named = hasattr(result, "A") and hasattr(result, "B")
    parts = (result.A, result.B) if named else result
    is_pair = isinstance(parts, tuple | list) and len(parts) == 2
    if not is_pair or not all(isinstance(part, torch.Tensor) for part in parts):
        raise Wrong(f"It gives a {type(result).__name__}, expected two factors: Factors(A, B).")
    return parts
