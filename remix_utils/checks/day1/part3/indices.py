"""Indices that move down: d1.3.5 (shape_after), d1.3.6 (push_array) and d1.3.7 (push_add)."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from remix_utils.checks.day1.random_graphs import Draw, picks
from remix_utils.checks.day1.rewriting import indexed, judged, no_longer, outcome, rewritten
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.ops import add, array, index

ALL = slice(None)

# --- d1.3.5 -----------------------------------------------------------------------------------------------------------


def shapes_and_indices(seed):
    """Every kind of entry, alone and together, and axes that are left out."""
    draw = Draw(seed)
    size = 7 + draw.whole(3)
    low = 1 + draw.whole(3)
    pairs = [
        ((size, 3, 4), (2,)),
        ((size,), (slice(low, low + 4, 2),)),
        ((size, 5), (slice(low, None), -1)),
        ((size,), (slice(None, None, -1),)),
        ((size,), (slice(5, 1, -2),)),
        ((size,), (slice(0, 5, 2),)),
        ((size,), (slice(-3, -1),)),
        ((4, size), (0, picks(0, 0, 5, 1))),
        ((4, size, 2), (picks(3), slice(None, -low), picks(1, 0, 1))),
        ((2, 3), (1, -1)),
        ((5,), (slice(2, 2),)),
        ((2, 3, size), ()),
    ]
    return [(shape, Entries(at)) for shape, at in pairs]


@dataclass(frozen=True)
class Entries:
    """An index as an argument: errors write it as brackets would."""

    at: tuple

    @property
    def __name__(self):
        return str(tuple(each.tolist() if torch.is_tensor(each) else each for each in self.at))


def _left(function, shape, entries):
    return function(shape, entries.at)


def _entries(shape, at):
    return list(zip(shape, (*at, *[ALL] * (len(shape) - len(at))), strict=True))


def _shape_after(shape, at):
    """By picking the positions of each axis."""
    value = torch.zeros(shape, dtype=torch.bool)
    for axis, (size, entry) in reversed(list(enumerate(_entries(shape, at)))):
        if isinstance(entry, int):
            value = value.select(axis, entry)
        else:
            rows = torch.arange(size).tolist()[entry] if isinstance(entry, slice) else entry.tolist()
            value = value.index_select(axis, torch.tensor(rows, dtype=torch.long))
    return tuple(value.shape)


def _lengths(of_slice, of_integer=(), rest=True):
    """A rule for slices, what an integer leaves, and whether axes left out are kept."""

    def wrong(shape, at):
        sizes = []
        for size, entry in _entries(shape, at) if rest else list(zip(shape, at, strict=False)):
            if isinstance(entry, int):
                sizes += of_integer
            else:
                sizes.append(of_slice(entry, size) if isinstance(entry, slice) else len(entry))
        return tuple(sizes)

    return wrong


def _true_length(entry, size):
    return len(range(*entry.indices(size)))


def _stop_less_start(entry, size):
    return (size if entry.stop is None else entry.stop) - (entry.start or 0)


def _without_step(entry, size):
    start, stop, _ = entry.indices(size)
    return abs(stop - start)


def _rounded_down(entry, size):
    start, stop, step = entry.indices(size)
    return (stop - start) // step


@exercise("d1.3.5")
def _(answer, seed, reference):
    mistakes = [
        (
            "an integer leaves an axis of length 1, as if it were i:i+1: an integer takes its axis away.",
            _lengths(_true_length, of_integer=(1,)),
        ),
        ("axes that the index leaves out are lost: they are taken whole.", _lengths(_true_length, rest=False)),
        (
            "a slice has length stop - start only when both are given, count from the front, and the step is 1: "
            "slice.indices(size) knows the rest.",
            _lengths(_stop_less_start),
        ),
        ("the step of a slice is not looked at: 1:5:2 takes two entries.", _lengths(_without_step)),
        ("the length of a slice is rounded down: 0:5:2 takes entries 0, 2 and 4.", _lengths(_rounded_down)),
    ]
    cases = shapes_and_indices(seed)
    judged(answer, seed, reference, use=_left, cases=cases, oracle=_shape_after, mistakes=mistakes)


# --- d1.3.6 -----------------------------------------------------------------------------------------------------------


def indexed_arrays(seed):
    draw = Draw(seed)
    return indexed(
        seed,
        (draw.array(5), (draw.whole(5),)),
        (draw.array(5, 4), (slice(1, 4),)),
        (draw.array(5, 4, 3), (slice(0, 3, 2), -1)),
        (draw.array(5, 4), (picks(0, 0, 3), 1)),
        (draw.array(4, 5, 3), (picks(1, 0, 3), picks(4, 4, 2))),
        (draw.array(4, 5), (picks(2, 1), picks(0, 1, 4))),
        (draw.array(3, 4), (1, 2)),
        (draw.array(6, 4), (slice(None, None, -1), slice(3, 0, -2))),
    )


def _array_made(function, graph):
    result = no_longer(graph, rewritten(function, graph), "array")
    if result.op.kind != "array":
        raise Wrong(f"the result is an {result.op.kind}, expected an array: the entries are known, so take them now.")
    return outcome(graph, result)


def axis_by_axis(value, at):
    """The entries of a tensor, every axis on its own."""
    for axis in reversed(range(value.ndim)):
        rows = at[axis] if torch.is_tensor(at[axis]) else torch.arange(value.shape[axis]).numpy()[at[axis]].copy()
        value = value.select(axis, int(rows)) if rows.ndim == 0 else value.index_select(axis, torch.as_tensor(rows))
    return value


def _push_array(node):
    return array(axis_by_axis(node.children[0].op.value, node.op.at))


def _torch_brackets(node):
    return array(node.children[0].op.value[node.op.at])


def _forward_slices(at):
    return tuple(picks(*range(each.start, -1 if each.stop is None else each.stop, each.step))
                 if isinstance(each, slice) and each.step < 0 else each for each in at)  # fmt: skip


def _paired(node):
    return array(node.children[0].op.value[_forward_slices(node.op.at)])


def _forwards(node):
    """Integers that take their axis away, while the next axis is still counted from the old front."""
    value = node.children[0].op.value
    for axis, entry in enumerate(_forward_slices(node.op.at)):
        value = value[(ALL,) * axis + (entry,)]
    return array(value)


BRACKETS = (
    "torch's brackets pair two index tensors off, value[[1, 0], [4, 2]] is two numbers, and they refuse negative "
    "steps; here every axis is indexed on its own. Take one axis after the other."
)


@exercise("d1.3.6")
def _(answer, seed, reference):
    mistakes = [
        (BRACKETS, _torch_brackets),
        (BRACKETS, _paired),
        (
            "an integer takes its axis away, and then the next axes have other numbers: begin with the last axis.",
            _forwards,
        ),
        ("the array is as it was: index its value.", lambda node: array(node.children[0].op.value)),
    ]
    judged(answer, seed, reference, use=_array_made, cases=indexed_arrays(seed), oracle=_push_array, mistakes=mistakes)


# --- d1.3.7 -----------------------------------------------------------------------------------------------------------


def indexed_sums(seed):
    """Sums of alike terms, of terms with fewer axes, and of terms with axes of size 1."""
    draw = Draw(seed)
    alike, table = draw.total([(5, 3)] * 3), draw.total([(5, 3), (3,)])
    columns, square = draw.total([(4, 1), (4, 3), (1, 3)]), draw.total([(3, 3), (3,)])
    return indexed(
        seed,
        (alike, (draw.whole(5),)),
        (alike, (slice(1, 4), picks(2, 2, 0))),
        (table, (2,)),
        (table, (slice(None), 1)),
        (square, (2, slice(0, 2))),
        (columns, (3, slice(1, 3))),
        (columns, (slice(1, 3), 2)),
        (columns, (picks(3, 0, 0), slice(None, None, -1))),
        (draw.total([(4, 1), (1,)], weights=False), (slice(0, 2), 0)),
        (draw.total([(2, 1, 3), (4, 3), ()]), (1, -1, slice(1, 3))),
    )


def _sum_indexed(function, graph):
    return outcome(graph, no_longer(graph, rewritten(function, graph), "sum"))


def _own(at, child, total, single=None):
    """The part of an index that is a term's own; `single` is what an axis of size 1 gets that was stretched."""
    shape, own = child.shape, at[len(at) - len(child.shape) :]
    full = total.shape[len(at) - len(shape) :]
    return tuple(
        single(entry) if single and n == 1 != m else entry for entry, n, m in zip(own, shape, full, strict=True)
    )


def _push_sum(at_of, weights=True):
    def push(node):
        (total,) = node.children
        parts = [index(child, at_of(node.op.at, child, total)) for child in total.children]
        return add(*parts, weights=total.op.weights if weights else None)

    return push


def _broadcast(entry):
    return 0 if isinstance(entry, int) else slice(0, 1)


_push_add = _push_sum(lambda at, child, total: _own(at, child, total, _broadcast))


@exercise("d1.3.7")
def _(answer, seed, reference):
    mistakes = [
        (
            "every term gets the whole index, also one that has fewer axes: shapes are aligned at their last axes, so "
            "a term with two axes gets the last two entries.",
            _push_sum(lambda at, child, total: at),
        ),
        (
            "a term with fewer axes gets the first entries of the index, and needs the last ones: shapes are aligned "
            "at their last axes.",
            _push_sum(lambda at, child, total: at[: len(child.shape)]),
        ),
        (
            "an axis of size 1 that broadcasts is indexed like the others, out of its bounds: it holds one entry, "
            "which stands for all of them.",
            _push_sum(_own),
        ),
        (
            "an integer must take a broadcast axis away too: 0 for an integer, slice(0, 1) for anything else.",
            _push_sum(lambda at, child, total: _own(at, child, total, lambda entry: slice(0, 1))),
        ),
        (
            "a broadcast axis is always taken away: only an integer does that, a slice leaves an axis of size 1.",
            _push_sum(lambda at, child, total: _own(at, child, total, lambda entry: 0)),
        ),
        (
            "the weights of the sum are lost: pass weights=total.op.weights on.",
            _push_sum(lambda at, child, total: _own(at, child, total, _broadcast), weights=False),
        ),
    ]
    judged(answer, seed, reference, use=_sum_indexed, cases=indexed_sums(seed), oracle=_push_add, mistakes=mistakes)
