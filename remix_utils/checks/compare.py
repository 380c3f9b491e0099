"""Plain forms of answers, and the first place where two of them differ.

An answer is never asked whether it equals something: it is turned into data, and data are compared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy
import torch

from remix_utils.errors import RemixError, counted
from remix_utils.graph.equality import same_value
from remix_utils.graph.node import Node


@dataclass(frozen=True)
class NodeForm:
    """A graph: equal to one that has the same value, whatever it is made of."""

    node: Node

    @property
    def text(self) -> str:
        return f"graph {self.node.name!r} of shape {list(self.node.shape)}"


@dataclass(frozen=True)
class Stranger:
    """A value of a type that no answer should have; it equals nothing."""

    text: str


@dataclass(frozen=True)
class Difference:
    """The first place where two values differ, and how."""

    where: str
    got: str
    expected: str
    direction: str = "not what is expected"
    by_size: bool = False  # in a shape, or in how many there are

    def sentence(self, reveal: bool = True) -> str:
        """Returns `expected 0.25, got 0.5, at [0, 2]`; if nothing is revealed, the direction."""
        if not reveal:
            place = f"at {self.where}: " if self.where else ""
            return f"{place}{self.got} is {self.direction}"
        return f"expected {self.expected}, got {self.got}" + (
            f", at {self.where}" if self.where else ""
        )


def plain(value: object) -> object:
    """Returns the data in a value: arrays for numbers (also in lists), text, lists and dicts.

    >>> plain([torch.tensor(1), 2.0])
    array([1., 2.])
    """
    if value is None or value is Ellipsis:
        return value
    if isinstance(value, torch.Tensor):
        return _from_tensor(value)
    if isinstance(value, numpy.ndarray | numpy.generic) and not isinstance(value, str | bytes):
        return _from_array(numpy.array(value, subok=False))
    if isinstance(value, bool | int | float | complex):
        return _from_array(numpy.array(_number(value)))
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Node):
        return NodeForm(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in dict(value).items()}
    if isinstance(value, Set):
        return _gather(sorted((plain(item) for item in value), key=repr))
    if isinstance(value, Sequence | range) and not isinstance(value, bytes):
        return _gather([plain(item) for item in value])
    return Stranger(type(value).__name__)


def _from_tensor(value: torch.Tensor) -> object:
    # A subclass may override anything; as_subclass gives the tensor underneath.
    with torch._C.DisableTorchFunctionSubclass():
        bare = torch.Tensor.as_subclass(value, torch.Tensor).detach().cpu()
        bare = bare.to_dense() if bare.layout != torch.strided else bare
        bare = bare.resolve_conj().resolve_neg()
        return _from_array((bare.double() if bare.is_floating_point() else bare).numpy())


def _from_array(value: numpy.ndarray) -> object:
    if value.dtype.kind == "b":
        return value  # a bool is shown as a bool; it equals 0 or 1
    if value.dtype.kind in "iu":
        whole = numpy.float64 if value.dtype == numpy.uint64 else numpy.int64
        return value.astype(whole)
    if value.dtype.kind in "fc":
        return value.astype(numpy.complex128 if value.dtype.kind == "c" else numpy.float64)
    if value.dtype.kind == "U":
        return _gather([plain(item) for item in value.tolist()]) if value.ndim else str(value)
    return (
        _gather([plain(item) for item in value.tolist()])
        if value.ndim
        else Stranger(str(value.dtype))
    )


def _number(value: complex) -> complex:
    """The number in a subclass of a number, by the base class's own arithmetic."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int.__add__(value, 0)
    return float.__add__(value, 0.0) if isinstance(value, float) else complex.__add__(value, 0j)


def _gather(items: list) -> object:
    """Equally shaped numbers become one array."""
    if not items:
        return numpy.zeros(0)
    if (
        all(isinstance(item, numpy.ndarray) for item in items)
        and len({item.shape for item in items}) == 1
    ):
        return numpy.stack(items)
    return items


def describe(form: object) -> str:
    """Returns a few words for a plain form, never the numbers of a whole array.

    >>> describe(plain(torch.zeros(3, 4)))
    'an array of shape [3, 4]'
    """
    if isinstance(form, numpy.ndarray):
        if form.ndim == 0:
            return number_text(form[()])
        if form.shape == (0,):
            return "an empty list"
        return f"an array of shape {list(form.shape)}"
    if isinstance(form, str):
        return repr(form if len(form) <= 60 else form[:57] + "...")
    if isinstance(form, NodeForm):
        return f"the {form.text}"
    if isinstance(form, Stranger):
        return f"an object of type {form.text}"
    if isinstance(form, list | dict):
        return f"{'a list' if isinstance(form, list) else 'a dict'} of {len(form)}"
    return "..." if form is Ellipsis else str(form)


def number_text(value) -> str:
    bare = value.item() if isinstance(value, numpy.generic) else value
    return str(bare) if isinstance(bare, int) else f"{bare:.6g}"


def difference(
    got: object, expected: object, tolerance: float = 1e-5, where: str = ""
) -> Difference | None:
    """Returns the first place where two plain forms differ, or None.

    Numbers may differ by tolerance × max(1, |expected|).

    >>> difference(plain([1.0, 2.0]), plain((1, 2.5))).sentence()
    'expected 2.5, got 2, at [1]'
    """
    if isinstance(expected, numpy.ndarray):
        # A list that holds a single number is accepted for that number.
        if isinstance(got, numpy.ndarray) and expected.ndim == 0 and got.size == 1:
            got = got.reshape(())
        return _array_difference(got, expected, tolerance, where)
    if isinstance(expected, dict) and isinstance(got, dict):
        return _dict_difference(got, expected, tolerance, where)
    if (
        isinstance(expected, list)
        and isinstance(got, list | numpy.ndarray)
        and getattr(got, "ndim", 1)
    ):
        if len(got) != len(expected):
            return Difference(
                where,
                counted(len(got), "item"),
                counted(len(expected), "item"),
                "the wrong number of them",
                by_size=True,
            )
        pairs = enumerate(zip(got, expected, strict=True))
        return _first(difference(plain(g), e, tolerance, f"{where}[{i}]") for i, (g, e) in pairs)
    if isinstance(got, NodeForm) and isinstance(expected, NodeForm):
        return _graph_difference(got, expected, tolerance, where)
    if type(got) is type(expected) and not isinstance(got, Stranger) and got == expected:
        return None
    return Difference(where, describe(got), describe(expected))


def _graph_difference(
    got: NodeForm, expected: NodeForm, tolerance: float, where: str
) -> Difference | None:
    """Two graphs on the same random inputs."""
    if got.node.key == expected.node.key:
        return None
    try:
        found = same_value(got.node, expected.node, tolerance=tolerance)
    except RemixError as error:
        return Difference(
            where, f"the {got.text}", f"the {expected.text}", f"not the right graph ({error.fact})"
        )
    if found:
        return None
    place = f", and first at {found.where!r}" if found.where else ""
    told = f"not the right graph: on random inputs it is off by {found.difference:.2g}{place}"
    return Difference(where, f"the {got.text}, {told}", "one that computes the same", told)


def _first(found) -> Difference | None:
    return next((each for each in found if each is not None), None)


def _dict_difference(got: dict, expected: dict, tolerance: float, where: str) -> Difference | None:
    for key in expected:
        if key not in got:
            return Difference(where, f"no entry {key!r}", f"an entry {key!r}", "missing", True)
    for key in got:
        if key not in expected:
            return Difference(where, f"an entry {key!r}", "no entry of that name", "one too many")
    return _first(
        difference(got[key], expected[key], tolerance, f"{where}[{key!r}]") for key in expected
    )


def _array_difference(
    got: object, expected: numpy.ndarray, tolerance: float, where: str
) -> Difference | None:
    if not isinstance(got, numpy.ndarray):
        what = "a number" if expected.ndim == 0 else describe(expected)
        return Difference(
            where,
            describe(got),
            what,
            f"no {'number' if expected.ndim == 0 else 'array of numbers'}",
        )
    if got.shape != expected.shape:
        return Difference(
            where,
            f"shape {list(got.shape)}",
            f"shape {list(expected.shape)}",
            "not the right shape",
            by_size=True,
        )
    if got.dtype.kind in "ib" and expected.dtype.kind in "ib":
        wrong = got != expected
    else:
        with numpy.errstate(invalid="ignore"):
            near = numpy.isfinite(expected) & (
                abs(got - expected) <= tolerance * numpy.maximum(1, abs(expected))
            )
        wrong = ~(near | (got == expected) | (numpy.isnan(got) & numpy.isnan(expected)))
    if not wrong.any():
        return None
    at = tuple(int(i) for i in numpy.argwhere(wrong)[0])
    left, right = got[at].item(), expected[at].item()
    place = where + (str(list(at)) if at else "")
    texts = (number_text(left), number_text(right))
    texts = texts if texts[0] != texts[1] else (repr(left), repr(right))
    return Difference(place, *texts, _direction(left, right))


def _direction(left: complex, right: complex) -> str:
    if isinstance(left, complex) or isinstance(right, complex) or left != left or right != right:
        return "not what is expected"
    return "too large" if left > right else "too small"
