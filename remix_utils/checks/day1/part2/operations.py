"""The operations, one at a time: d1.2.1 to d1.2.3."""

from __future__ import annotations

from itertools import zip_longest

import torch

from remix_utils.checks.day1.handed_in import or_refused, run_and_look
from remix_utils.checks.day1.probes import compare
from remix_utils.checks.exercise import Mistake, Wrong, equal, exercise


def require_class(answer: object, name: str) -> None:
    if not isinstance(answer, type):
        raise Wrong(f"the answer is a {type(answer).__name__}, expected the class {name} itself.")


# --- d1.2.1 -----------------------------------------------------------------------------------------------------------


@exercise("d1.2.1")
def _(answer, seed, reference):
    require_class(answer, "Array")
    numbers = torch.Generator().manual_seed(seed)
    for size in [(3,), (), (2, 5)]:
        source = torch.randn(size, generator=numbers)
        before = source.clone()
        made = answer(source)
        if not callable(made.shape):
            raise Wrong("self.shape is a value now, which hides the method shape(): keep the tensor, and nothing else.")
        shape = made.shape()
        if isinstance(shape, int):
            raise Wrong(f"shape() of a tensor of shape {list(size)} is the number {shape}: give all sizes, as a tuple.")
        equal(shape, size, f"shape() of a tensor of shape {list(size)}")
        equal(made.run(), before, f"run() of a tensor of shape {list(size)}")
        source += 1
        if torch.equal(torch.as_tensor(made.run()), source):
            raise Wrong(
                "after `w += 1`, the Array of w has changed too: it holds the caller's tensor. Keep a copy of it."
            )
        equal(made.run(), before, "run() after the caller has changed their own tensor")
        if not torch.equal(source, before + 1):
            raise Wrong("the caller's tensor was changed: copy it, and leave it as it is.")


# --- d1.2.2 -----------------------------------------------------------------------------------------------------------


def _shapes(seed):
    size = 3 + seed % 4
    return [
        ((size,), (size,)),
        ((2, size), (size,)),
        ((size,), (2, 5, size)),
        ((size, 1), (1, 4)),
        ((2, 1, 4), (size, 1)),
        ((), (size,)),
        ((size,), (size, size + 1)),
        ((2, size), (2,)),
        ((2, size), (size,), (1,), (7, 1, 1)),
        ((size, 2), (size, 2)),
        ((size,),),
    ]


def _sum_shape(*shapes):
    """Size by size from the last axis on."""
    result: list[int] = []
    for sizes in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise ValueError
        result.append(wide.pop() if wide else 1)
    return tuple(reversed(result))


def _from_the_left(*shapes):
    return tuple(reversed(_sum_shape(*(tuple(reversed(shape)) for shape in shapes))))


def _largest(*shapes):
    return tuple(reversed([max(sizes) for sizes in zip_longest(*map(reversed, shapes), fillvalue=1)]))


def _no_stretch(*shapes):
    if any(len({*sizes} - {None}) > 1 for sizes in zip_longest(*map(reversed, shapes))):
        raise ValueError
    return max(shapes, key=len)


def _equal_only(*shapes):
    if len(set(shapes)) > 1:
        raise ValueError
    return shapes[0]


SHAPE_MISTAKES = [
    Mistake("the shapes are aligned at their first axes: align them at their last ones.", _from_the_left),
    Mistake("sizes that do not fit are not refused: raise ValueError where two sizes differ and none is 1.", _largest),
    Mistake("an axis of size 1 is not stretched: it fits every size.", _no_stretch),
    Mistake("this is the longest shape: each axis has the size of whoever is not 1.", lambda *s: max(s, key=len)),
    Mistake("only equal shapes are accepted: missing axes count as 1, and size 1 fits every size.", _equal_only),
]


@exercise("d1.2.2")
def _(answer, seed, reference):
    require_class(answer, "Add")
    compare(
        lambda *shapes: answer().shape(*shapes),
        seed,
        None if reference is None else lambda *shapes: reference().shape(*shapes),
        call=or_refused,
        cases=_shapes,
        oracle=_sum_shape,
        mistakes=SHAPE_MISTAKES,
    )
    compare(
        lambda *values: answer().run(*values),
        seed,
        None,
        call=run_and_look,
        cases=_summands,
        oracle=lambda *values: torch.stack(torch.broadcast_tensors(*values)).sum(0),
        mistakes=[
            Mistake("run adds the first two values only: a sum has any number.", lambda *v: v[0] + v[1 % len(v)]),
            Mistake(
                "run gives one number: add the tensors to each other, entry by entry.",
                lambda *v: sum(map(torch.sum, v)),
            ),
            Mistake("run writes the sum into its first value, which other nodes read too.", _add_in_place),
            Mistake(
                "torch.stack wants equal shapes: add the tensors to each other, and they broadcast.",
                lambda *values: torch.stack(values).sum(0),
            ),
        ],
    )


def _summands(seed):
    numbers = torch.Generator().manual_seed(seed)
    shapes = [[(2, 3), (2, 3), (2, 3)], [(2, 3), (3,)], [(4, 1), (3,), ()], [(5,), (5,)]]
    return [tuple(torch.randn(size, generator=numbers) for size in group) for group in shapes]


def _add_in_place(*values):
    first = values[0]
    for value in values[1:]:
        first += value
    return first


# --- d1.2.3 -----------------------------------------------------------------------------------------------------------


def _relu_values(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [(torch.randn(size, generator=numbers),) for size in [(6,), (2, 5), ()]] + [(torch.zeros(3),)]


@exercise("d1.2.3")
def _(answer, seed, reference):
    require_class(answer, "Relu")
    for size in [(4,), (), (2, 3)]:
        equal(answer().shape(size), size, f"shape({size}): relu leaves the shape as it is")
    compare(
        lambda value: answer().run(value),
        seed,
        None if reference is None else lambda value: reference().run(value),
        call=run_and_look,
        cases=_relu_values,
        oracle=lambda value: torch.where(value > 0, value, torch.zeros_like(value)),
        mistakes=[
            Mistake("this is the absolute value: what is below 0 becomes 0.", torch.abs),
            Mistake("this is the sign, 0 or 1: what is above 0 stays what it is.", lambda value: (value > 0).float()),
            Mistake("the signs are turned round: keep what is above 0.", lambda value: value.clamp(max=0)),
            Mistake("run writes into the value that it is given, which other nodes read too.", torch.relu_),
        ],
    )
