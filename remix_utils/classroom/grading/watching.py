"""Torch's own watchers across the pipe: what the judge's check counts is done in the worker.

A check may look at the functions that torch runs inside an answer (the largest tensor, the random
numbers drawn). Then the worker notes the functions and the sizes of what they make, and the judge
shows them to the watchers as tensors without data.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch.overrides import TorchFunctionMode, _get_current_function_mode_stack
from torch.utils._python_dispatch import (
    TorchDispatchMode,
    _disable_current_modes,
    _get_current_dispatch_mode_stack,
)

MOST = 20_000


def watchers() -> tuple[list, list]:
    """Returns the watchers of functions and of operations that are on."""
    return list(_get_current_function_mode_stack()), list(_get_current_dispatch_mode_stack())


@contextlib.contextmanager
def unwatched() -> Iterator[None]:
    """What the judge itself does inside the block is not the answer's."""
    with torch._C.DisableTorchFunction(), _disable_current_modes():
        yield


class Note(Counter):
    """How often each function made a tensor of each size."""

    def add(self, function: Any, result: Any) -> None:
        name = str(getattr(function, "__name__", ""))[:80]
        for each in result if isinstance(result, tuple | list) else [result]:
            if isinstance(each, torch.Tensor) and each.layout == torch.strided:
                own = each.untyped_storage().nbytes() // max(each.element_size(), 1)
                self[name, str(each.dtype).removeprefix("torch."), tuple(each.shape), own] += 1


class NotedFunctions(TorchFunctionMode):
    def __init__(self) -> None:
        super().__init__()
        self.note = Note()

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        self.note.add(func, result)
        return result


class NotedOperations(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.note = Note()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.note.add(function, result)
        return result


@contextlib.contextmanager
def noted(kinds: list[str]) -> Iterator[list[Note]]:
    """Notes what torch does inside the block, for the kinds of watchers that are asked for."""
    modes = [NotedFunctions()] * ("functions" in kinds) + [NotedOperations()] * (
        "operations" in kinds
    )
    with contextlib.ExitStack() as stack:
        for mode in modes:
            stack.enter_context(mode)
        yield [mode.note for mode in modes]


def listed(note: Note) -> list:
    return [
        [name, dtype, list(shape), own, count] for (name, dtype, shape, own), count in note.items()
    ]


def show(watchers: list, method: str, listed: list) -> None:
    """Shows the watchers what the worker noted."""
    left = MOST
    for name, dtype, shape, own, count in listed[:MOST]:
        base = torch.empty(int(own), dtype=getattr(torch, str(dtype)), device="meta")
        made = base.as_strided([int(size) for size in shape], [0] * len(shape))

        def function(*arguments: Any, made: torch.Tensor = made, **named: Any) -> torch.Tensor:
            return made

        function.__name__ = str(name)
        for _ in range(min(int(count), left)):
            for watcher in watchers:
                getattr(watcher, method)(function, (), (), {})
        left -= min(int(count), left)
