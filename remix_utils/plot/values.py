"""What a picture is given: plain finite numbers, or an error that says which is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch

from remix_utils.errors import NanError, ShapeError

Estimate = float | tuple[float, float]  # a value, or a value and its standard error
Numbers = torch.Tensor | Sequence[float]


def tensor(values: Numbers, what: str) -> torch.Tensor:
    """The values in double precision, on the CPU, all finite.

    >>> tensor([1.0, 2.0], "A line")
    tensor([1., 2.], dtype=torch.float64)

    Raises NanError that names the first NaN or infinity and its place.
    """
    values = torch.as_tensor(values, dtype=torch.float64).detach().cpu()
    bad = (~values.isfinite()).nonzero().tolist()
    if bad:
        raise NanError(
            f"{what}: {len(bad)} of {values.numel()} values are not finite, first {values[tuple(bad[0])]} at {bad[0]}.",
            fix="find where they arise, or leave them out of the picture.",
            count=len(bad),
            place=bad[0],
        )
    return values


def numbers(values: Numbers, what: str) -> list[float]:
    """The values as one flat list.

    >>> numbers(torch.ones(2, 1), "A line")
    [1.0, 1.0]
    """
    return tensor(values, what).flatten().tolist()


def estimates(given: Iterable[Estimate], what: str) -> tuple[list[float], list[float]]:
    """Values and standard errors, 0 where none is given.

    >>> estimates([1.0, (2.0, 0.5)], "A bar")
    ([1.0, 2.0], [0.0, 0.5])
    """
    pairs = [each if isinstance(each, tuple) else (each, 0.0) for each in given]
    errors = numbers([float(error) for _, error in pairs], f"{what}, standard errors")
    return numbers([float(value) for value, _ in pairs], what), errors


def one_each(names: Sequence[str], count: int, what: str, of: str) -> list[str]:
    """The names as text, one for each of `count` things.

    >>> one_each(["0.1", "0.2"], 2, "head names", "heads")
    ['0.1', '0.2']

    Raises ShapeError with both numbers.
    """
    if len(names) != count:
        raise ShapeError(
            f"{len(names)} {what} for {count} {of}.",
            fix=f"give as many {what} as there are {of}.",
            names=len(names),
            count=count,
        )
    return [str(name) for name in names]
