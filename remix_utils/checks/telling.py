"""How a message writes arguments: small values in full, large ones by their shape, each by name."""

from __future__ import annotations

import inspect
import types
from collections.abc import Mapping, Sequence
from typing import Any

import numpy
import torch

from remix_utils.graph.node import Node
from remix_utils.graph.selector import Selector

MOST_NUMBERS = 12  # a tensor of more entries is told by its shape
MOST_LETTERS = 160  # so is anything whose text is longer


def argument_names(function: Any, count: int, skip: int = 0, also: Any = None) -> list[str]:
    """Returns the names of a function's parameters for `count` arguments, `skip` of them left out.

    Where it takes any number of arguments, the names of the function `also` stand in their places.

    >>> argument_names(lambda tokens, k=1: None, 2)
    ['tokens', 'k']
    >>> argument_names(lambda answer, *case: None, 2, skip=1, also=lambda tokens, k: None)
    ['tokens', 'k']
    """
    names = parameters(function)[skip:]
    if len(names) < count:
        names += parameters(also)[len(names) :]
    names += [f"argument {place + 1}" for place in range(len(names), count)]
    return names[:count]


def parameters(function: Any) -> list[str]:
    """Returns the names of the parameters; of an answer that is a pair, those of its function."""
    if isinstance(function, tuple):
        function = next((each for each in reversed(function) if callable(each)), None)
    try:
        found = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return []
    return [each.name for each in found if each.kind is not each.VAR_POSITIONAL]


def told(names: Sequence[str], case: tuple) -> str:
    """Returns the arguments of a call, for the end of a sentence.

    >>> told(["tokens", "k"], (torch.arange(3), 1))
    'tokens=[0, 1, 2], k=1'
    """
    return ", ".join(f"{name}={written(value)}" for name, value in zip(names, case, strict=True))


def written(value: Any) -> str:
    """Returns a value as a reader would type it; a large one by its shape or its kind.

    >>> written((2, 3)), written(True), written(torch.zeros(30, 4)), written({"a": torch.ones(2)})
    ('(2, 3)', 'True', 'a tensor [30, 4]', "{'a': [1, 1]}")
    """
    if isinstance(value, torch.Tensor):
        return _tensor(value)
    if isinstance(value, numpy.ndarray | numpy.generic):
        return _tensor(torch.as_tensor(value)) if value.dtype.kind in "biuf" else str(value)
    if isinstance(value, Node):
        return f"the graph {value.name!r} {list(value.shape)}"
    if isinstance(value, Selector):
        return _short(repr(value), value)
    if isinstance(value, float):
        return number(value)
    if isinstance(value, str | bool | int | complex | range | slice | torch.dtype) or value is None:
        return _short(repr(value), value)
    if hasattr(value, "__name__") and not isinstance(value, types.ModuleType):
        return str(value.__name__)  # a function; a case that says how messages call it
    if isinstance(value, Mapping):
        items = ", ".join(f"{key!r}: {written(item)}" for key, item in value.items())
        return _short("{" + items + "}", value)
    if isinstance(value, list | tuple | set | frozenset):
        return _short(_items(value), value)
    return f"{_article(type(value).__name__)}"


def _items(value: Any) -> str:
    items = ", ".join(written(each) for each in value)
    if isinstance(value, tuple):
        return f"({items},)" if len(value) == 1 else f"({items})"
    return f"[{items}]" if isinstance(value, list) else "{" + items + "}"


def _tensor(value: torch.Tensor) -> str:
    if value.numel() > MOST_NUMBERS or value.layout != torch.strided:
        return f"a tensor {list(value.shape)}"
    return _nested(value.detach().cpu().tolist())


def _nested(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_nested, value)) + "]"
    return str(value) if isinstance(value, bool) else number(value)


def number(value: complex) -> str:
    """Returns a number with six significant digits.

    >>> number(0.1 + 0.2), number(3), number(131072.0)
    ('0.3', '3', '131072')
    """
    return str(value) if isinstance(value, int) else f"{value:.6g}"


def _short(text: str, value: Any) -> str:
    if len(text) <= MOST_LETTERS:
        return text
    size = f" of {len(value)}" if hasattr(value, "__len__") else ""
    return _article(type(value).__name__) + size


def _article(kind: str) -> str:
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
