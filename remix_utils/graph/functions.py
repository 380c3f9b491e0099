"""The functions that `apply` knows: each works on one example, and says which trailing axes it needs whole."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

import torch
import torch.nn.functional as F

from remix_utils.errors import FunctionError, nearest


@dataclass(frozen=True)
class Function:
    """A named function of per-example tensors; `whole[i]` trailing axes of child i are mixed, the rest are parallel."""

    name: str
    run: Callable[..., torch.Tensor] = field(compare=False)
    whole: int | tuple[int, ...] = 0
    version: int = 0

    def whole_axes(self, child: int) -> int:
        if isinstance(self.whole, int):
            return self.whole
        return self.whole[min(child, len(self.whole) - 1)]


def _layernorm(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor, eps: torch.Tensor | float = 1e-5
) -> torch.Tensor:
    return F.layer_norm(x, x.shape[-1:], weight, bias, float(eps))


def _layernorm_scale(x: torch.Tensor, eps: torch.Tensor | float = 1e-5) -> torch.Tensor:
    """What layernorm divides by: the root of variance + eps, with its axis kept."""
    return (x.var(-1, correction=0, keepdim=True) + eps).sqrt()


def _rmsnorm(x: torch.Tensor, weight: torch.Tensor, eps: torch.Tensor | float = 1e-5) -> torch.Tensor:
    return F.rms_norm(x, x.shape[-1:], weight, float(eps))


def _rmsnorm_scale(x: torch.Tensor, eps: torch.Tensor | float = 1e-5) -> torch.Tensor:
    """What rmsnorm divides by: the root of the mean square + eps, with its axis kept."""
    return (x.square().mean(-1, keepdim=True) + eps).sqrt()


def _masked_softmax(scores: torch.Tensor, *allowed: torch.Tensor) -> torch.Tensor:
    """Softmax over the last axis where every mask holds; where none does, over all of it, so that no NaN is born."""
    lowest = torch.finfo(scores.dtype).min
    for mask in allowed:
        scores = scores.masked_fill(~mask, lowest)
    return scores.softmax(-1)


def _positions(mask: torch.Tensor) -> torch.Tensor:
    """Positions counted from the first true entry; 0 before it."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)


def _rotary_angles(positions: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """Angles [seq, 1, frequency]; the axis of size 1 is there for heads."""
    return (positions.unsqueeze(-1) * frequencies).unsqueeze(-2)


def _rotary(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Turn entry i and entry i + n of the last axis by angle i of n; entries from 2n on stay (Su et al. 2021)."""
    n = angles.shape[-1]
    cos, sin = angles.cos(), angles.sin()
    first, second = x[..., :n], x[..., n : 2 * n]
    return torch.cat([first * cos - second * sin, second * cos + first * sin, x[..., 2 * n :]], -1)


def _embed(tokens: torch.Tensor, table: torch.Tensor) -> torch.Tensor:
    rows = table.index_select(0, tokens.reshape(-1))  # unlike table[tokens], it does not count -1 from the end
    return rows.reshape(tokens.shape + table.shape[1:])


def _pick(values: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """The entry of the last axis that `places` names."""
    return values.gather(-1, places.unsqueeze(-1)).squeeze(-1)


_table: dict[str, Function] = {
    name: Function(name, run, whole)
    for name, run, whole in [
        ("abs", torch.abs, 0),
        ("exp", torch.exp, 0),
        ("gelu", F.gelu, 0),
        ("gelu_tanh", partial(F.gelu, approximate="tanh"), 0),
        ("log", torch.log, 0),
        ("reciprocal", torch.reciprocal, 0),
        ("relu", torch.relu, 0),
        ("sigmoid", torch.sigmoid, 0),
        ("silu", F.silu, 0),
        ("sqrt", torch.sqrt, 0),
        ("square", torch.square, 0),
        ("tanh", torch.tanh, 0),
        ("softmax", partial(torch.softmax, dim=-1), 1),
        ("log_softmax", partial(torch.log_softmax, dim=-1), 1),
        ("layernorm", _layernorm, 1),
        ("layernorm_scale", _layernorm_scale, 1),
        ("rmsnorm", _rmsnorm, 1),
        ("rmsnorm_scale", _rmsnorm_scale, 1),
        ("masked_softmax", _masked_softmax, 1),
        ("positions", _positions, 1),
        ("rotary", _rotary, 1),
        ("rotary_angles", _rotary_angles, (0, 1)),
        ("embed", _embed, (0, 2)),
        ("pick", _pick, (1, 0)),
    ]
}


def register(name: str, function: Callable[..., torch.Tensor], whole: int | tuple[int, ...] = 0) -> None:
    """Add a function that `apply` can use: it is given one example at a time, without the batch axes.

    `whole` says how many trailing axes it mixes (softmax: 1), for all children or for each. Registering a name again
    serves new nodes only: nodes built before keep the function they were built with.

    >>> from remix_utils import apply, array
    >>> register("cube", lambda x: x**3)
    >>> apply("cube", array(torch.ones(2))).shape
    (2,)

    Raises FunctionError for something that cannot be called, or a count of axes that is not one.
    """
    counts = (whole,) if isinstance(whole, int) else tuple(whole)
    if not isinstance(name, str) or not callable(function):
        raise FunctionError(
            f"register({name!r}, ...) needs a name and a function.", fix="pass a text and a callable.", name=name
        )
    if not all(isinstance(count, int) and count >= 0 for count in counts):
        raise FunctionError(
            f"register({name!r}): whole is {whole!r}.",
            fix="give the number of trailing axes, 0 or more.",
            name=name,
            whole=whole,
        )
    before = _table.get(name)
    _table[name] = Function(name, function, whole, before.version + 1 if before else 0)


def function_named(name: str) -> Function:
    """The function registered under `name`; FunctionError with the nearest names if there is none."""
    if not isinstance(name, str):
        raise FunctionError(
            f"apply takes a function's name, not {name!r}.", fix="register it first, then use its name.", function=name
        )
    if name not in _table:
        raise FunctionError(
            f"apply knows no function {name!r}; {nearest(name, _table)}.",
            fix=f"correct the name, or add it with register({name!r}, function).",
            function=name,
        )
    return _table[name]


def function_names() -> list[str]:
    """Every function that `apply` knows, in order."""
    return sorted(_table)
