"""Running one chunk: a flat list of steps that another process can be sent, freed as it goes, checked for NaN."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

import torch

from remix_utils.errors import FunctionError, NanError, RemixError, reason
from remix_utils.graph.node import Node, Op


@dataclass(frozen=True)
class Step:
    """One operation: the slots it reads, whether each has rows, the slots nobody needs afterwards."""

    op: Op
    name: str
    reads: tuple[int, ...]
    batched: tuple[bool, ...]
    drops: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """Steps that fill slots one after another, after the slots given as sources."""

    given: int
    steps: tuple[Step, ...]
    keep: tuple[int, ...]


def compile(nodes: Sequence[Node], given: Sequence[Node], keep: Sequence[Node], batched: set[Node]) -> Program:
    """The program that computes `nodes` (children first) from the `given` ones and keeps some."""
    slot = {node: number for number, node in enumerate(given)}
    todo = [node for node in nodes if node not in slot]
    slot |= {node: number for number, node in enumerate(todo, start=len(slot))}
    kept = {slot[node] for node in keep}
    last = {slot[child]: step for step, node in enumerate(todo) for child in node.children}
    drops: dict[int, list[int]] = {}
    for number, step in last.items():
        if number not in kept:
            drops.setdefault(step, []).append(number)
    steps = tuple(
        Step(
            node.op,
            repr(node),
            tuple(slot[child] for child in node.children),
            tuple(child in batched for child in node.children),
            tuple(drops.get(step, ())),
        )
        for step, node in enumerate(todo)
    )
    return Program(len(given), steps, tuple(slot[node] for node in keep))


def run(program: Program, given: list[torch.Tensor], grad: bool = False) -> list[torch.Tensor]:
    """The kept values; NanError names the first step that made a NaN out of none.

    The list of sources is emptied, so that nobody holds a source for longer than it is read.
    """
    values: list = [*given, *[None] * len(program.steps)]
    given.clear()
    with torch.set_grad_enabled(grad):
        for number, step in enumerate(program.steps, start=program.given):
            children = [values[read] for read in step.reads]
            value = _value(step, children)
            if value.is_floating_point() and value.numel() and has_nan(value):
                raise _nan_error(step, value, children)
            values[number] = value
            for read in step.drops:
                values[read] = None
    return [values[number] for number in program.keep]


def _value(step: Step, children: list[torch.Tensor]) -> torch.Tensor:
    try:
        return step.op.run(children, step.batched)
    except Exception as problem:
        if isinstance(problem, RemixError | MemoryError):
            raise
        raise FunctionError(
            f"{step.name}: {reason(problem)}; {_ranges(children)}.",
            fix="give it values that it takes: evaluate its children to see what it was given.",
            step=step.name,
        ) from problem


def _ranges(children: Sequence[torch.Tensor]) -> str:
    ends = [
        f"{child.min().item():.4g} to {child.max().item():.4g}"
        for child in children
        if child.numel() and not child.is_complex()
    ]
    return f"its children range over {', '.join(ends)}" if ends else "it is fixed"


def has_nan(value: torch.Tensor) -> bool:
    """One pass without a mask of the same size: a sum with a NaN is NaN, though one of infinities may be so too.

    A sum takes half the time of a maximum, which only settles the doubt.
    """
    value = value.detach()
    return isnan(value.sum().item()) and isnan(value.max().item())


def _nan_error(step: Step, value: torch.Tensor, children: Sequence[torch.Tensor]) -> NanError:
    where = value.isnan().nonzero()[0].tolist()
    return NanError(
        f"{step.name}: {int(value.isnan().sum())} of {value.numel()} values are NaN, first at {where} (rows first); "
        f"{_ranges(children)}.",
        fix="keep logarithms, divisions and all-masked softmax rows away from it.",
        count=int(value.isnan().sum()),
        position=where,
        step=step.name,
    )
