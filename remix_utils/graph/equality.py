"""Whether two graphs compute the same, and where they part if not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from remix_utils.errors import SampleError, ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node, whose_rows
from remix_utils.graph.operations import Apply, Concat, Index, Placeholder, Sample
from remix_utils.graph.schedule import Inputs
from remix_utils.graph.walk import children_first


@dataclass(frozen=True)
class Comparison:
    """True or false, the largest difference, and the first node where the graphs part: at the latest, the root."""

    same: bool
    difference: float
    where: str | None

    def __bool__(self) -> bool:
        return self.same

    def __repr__(self) -> str:
        if self.same:
            return f"same value (largest difference {self.difference:.2g})"
        place = f", first at {self.where!r}" if self.where else ""
        return f"different: by {self.difference:.2g}{place}"


def same_value(a: Node, b: Node, inputs: Inputs | None = None, tolerance: float = 1e-5, seed: int = 0) -> Comparison:
    """Compare two graphs on random inputs (or on the ones given): true or false, and it says where they part.

    Differences are relative to the largest value, or absolute below 1. The place is a name that occurs once in each.

    >>> from remix_utils import add, array
    >>> x = array([1.0], "x")
    >>> same_value(add(x, x), add(x, weights=[2]))
    same value (largest difference 0)

    Raises ShapeError for graphs of different shapes, SampleError for different numbers of draws.
    """
    if a.shape != b.shape:
        raise ShapeError(
            f"same_value: {a!r} and {b!r} differ in shape.",
            fix="compare nodes of the same shape.",
            left=a.shape,
            right=b.shape,
        )
    if None not in (a.space, b.space) and a.space != b.space:
        raise SampleError(
            f"same_value: {a!r} {whose_rows(a)}, {b!r} {whose_rows(b)}.",
            fix="sample both, or neither.",
            left=a.space,
            right=b.space,
        )
    inputs = random_inputs([a, b], seed) if inputs is None else inputs
    left, right = evaluate([a, b], inputs)
    difference = _apart(left, right)
    if difference <= tolerance:
        return Comparison(True, difference, None)
    return Comparison(False, difference, _first_difference(a, b, inputs, tolerance))


def _apart(left: torch.Tensor, right: torch.Tensor) -> float:
    if not left.numel():
        return 0.0
    left, right = torch.broadcast_tensors(left.double(), right.double())
    gap = torch.where(left == right, 0.0, (left - right).abs())  # equal infinities do not differ
    finite = left[left.isfinite()].abs()
    return float(gap.max() / max(float(finite.max()) if len(finite) else 1.0, 1.0))


def _first_difference(a: Node, b: Node, inputs: Inputs, tolerance: float) -> str:
    here, there = _by_name(a), _by_name(b)
    pairs = [(n, there[name]) for name, n in here.items() if name in there and there[name].shape == n.shape]
    pairs = [(left, right) for left, right in pairs if left.key != right.key and left.space == right.space]
    values = evaluate([node for pair in pairs for node in pair], inputs)
    for (node, _), left, right in zip(pairs, values[::2], values[1::2], strict=True):
        if _apart(left, right) > tolerance:
            return node.name
    return a.name


def _by_name(root: Node) -> dict[str, Node]:
    """The nodes that a name alone can tell."""
    order = children_first(root)
    count = Counter(node.name for node in order)
    return {node.name: node for node in order if count[node.name] == 1}


def random_inputs(roots: list[Node], seed: int = 0) -> dict[str, torch.Tensor]:
    """Random rows for every placeholder: normal numbers, and integers small enough for the tables they index."""
    order = children_first(*roots)
    generator = torch.Generator().manual_seed(seed)
    sampled = [int(node.op.rows.tensor.max()) + 1 for node in order if isinstance(node.op, Sample)]
    own = [len(n.op.rows.tensor) for n in order if isinstance(n.op, Placeholder) and n.op.rows is not None]
    count = min(own) if own else max([3, *sampled])
    inputs, below = {}, _tables(order)
    for node in order:
        if isinstance(node.op, Placeholder) and node.op.rows is None:
            shape = (count, *node.shape)
            if node.dtype.is_floating_point:
                inputs[node.op.input] = torch.randn(shape, generator=generator, dtype=torch.float64).to(node.dtype)
            else:
                most = 2 if node.dtype == torch.bool else below[node]
                inputs[node.op.input] = torch.randint(most, shape, generator=generator).to(node.dtype)
    return inputs


def _tables(order: Sequence[Node]) -> dict[Node, int]:
    """For each node the smallest table that its entries, perhaps rearranged on the way, look something up in."""
    below = dict.fromkeys(order, 2**15)
    for reader in reversed(order):
        for slot, child in enumerate(reader.children):
            size = 2**15
            if isinstance(reader.op, Index | Concat | Sample):
                size = below[reader]
            elif isinstance(reader.op, Apply) and (reader.op.function, slot) in (("embed", 0), ("pick", 1)):
                table = reader.children[1 - slot]
                size = table.shape[0] if reader.op.function == "embed" else table.shape[-1]
            below[child] = min(below[child], size)
    return below
