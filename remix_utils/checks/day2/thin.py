"""Thin matrices handed in as pairs of factors: what they are a product of, how thick they are, and what was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch.overrides import TorchFunctionMode

from remix_utils.checks.exercise import Wrong


class Pair(NamedTuple):
    A: torch.Tensor
    B: torch.Tensor


class Thin(Pair):
    """A pair of factors for an answer to read, by name or unpacked; messages show its shapes.

    >>> Thin(torch.ones(4, 1), torch.ones(1, 3)).__name__
    'factors [4, 1] and [1, 3]'
    """

    @property
    def __name__(self) -> str:
        return f"factors {list(self.A.shape)} and {list(self.B.shape)}"


def drawn(numbers: torch.Generator, rows: int, rank: int, columns: int) -> Thin:
    """A random thin matrix.

    >>> drawn(torch.Generator(), 4, 1, 3).__name__
    'factors [4, 1] and [1, 3]'
    """
    return Thin(torch.randn(rows, rank, generator=numbers) + 0.3, torch.randn(rank, columns, generator=numbers) + 0.2)


def copying(numbers: torch.Generator, size: int, rank: int, share: float) -> Thin:
    """A square thin matrix whose diagonal is raised, or lowered where the share is negative."""
    A = torch.randn(size, rank, generator=numbers)
    return Thin(A, share * A.T + torch.randn(rank, size, generator=numbers))


class Watch(TorchFunctionMode):
    """Inside, the largest tensor that any function makes is noted; a view counts as what it is a view of."""

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


def within(limit: int, function: Callable, *arguments: Any) -> Any:
    """What the function gives; Wrong where it makes a tensor of more than so many entries.

    >>> within(10, torch.add, torch.ones(2), 1)
    tensor([2., 2.])
    """
    with Watch() as watch:
        result = function(*arguments)
    if watch.most > limit:
        raise Wrong(
            f"on the way it makes a tensor {watch.shape}, as large as what the factors are there to avoid.",
            fix="change the brackets, so that thin meets thin first.",
        )
    return result


def pair(result: Any, rank: int | None = None) -> dict[str, Any]:
    """What a pair of factors is a product of, and how many columns stand between them; Wrong where it is no pair."""
    if result is None or result is ...:
        raise Wrong("not written yet, or without a return.")
    if isinstance(result, torch.Tensor):
        raise Wrong(f"it gives one tensor {list(result.shape)}: return the two factors, Factors(A, B).")
    A, B = _both(result)
    if A.ndim != 2 or B.ndim != 2 or A.shape[1] != B.shape[0]:
        raise Wrong(f"the factors are {list(A.shape)} and {list(B.shape)}, which have no product.")
    if rank is not None and A.shape[1] > rank:
        raise Wrong(f"there are {A.shape[1]} columns between the factors, and {rank} are enough.")
    return {"the shape of the product": str([A.shape[0], B.shape[1]]), "the product": A @ B}


def _both(result: Any) -> Sequence[torch.Tensor]:
    parts = (result.A, result.B) if hasattr(result, "A") and hasattr(result, "B") else result
    if not isinstance(parts, tuple | list) or len(parts) != 2 or not all(isinstance(p, torch.Tensor) for p in parts):
        raise Wrong(f"it gives a {type(result).__name__}, expected two factors: Factors(A, B).")
    return parts
