"""Whether two graphs compute the same, and where they part if not."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from remix_utils.errors import ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Placeholder, Sample
from remix_utils.graph.schedule import Inputs
from remix_utils.graph.walk import children_first


@dataclass(frozen=True)
class Comparison:
    """True or false, the largest difference, and the first named node where the graphs part."""

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

    Differences are relative to the largest value, or absolute below 1.

    >>> from remix_utils import add, array
    >>> x = array([1.0], "x")
    >>> same_value(add(x, x), add(x, weights=[2]))
    same value (largest difference 0)

    Raises ShapeError for graphs of different shapes.
    """
    if a.shape != b.shape:
        raise ShapeError(f"same_value: {a!r} and {b!r} differ in shape.", fix="compare nodes of the same shape.")
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


def _first_difference(a: Node, b: Node, inputs: Inputs, tolerance: float) -> str | None:
    there = {node.name: node for node in children_first(b)}
    pairs = [(n, there[n.name]) for n in children_first(a) if n.name in there and there[n.name].shape == n.shape]
    pairs = [(left, right) for left, right in pairs if left.key != right.key and left.space == right.space]
    values = evaluate([node for pair in pairs for node in pair], inputs)
    for (node, _), left, right in zip(pairs, values[::2], values[1::2], strict=True):
        if _apart(left, right) > tolerance:
            return node.name
    return None


def random_inputs(roots: list[Node], seed: int = 0) -> dict[str, torch.Tensor]:
    """Random rows for every placeholder: normal numbers, and integers small enough for the tables they index."""
    order = children_first(*roots)
    generator = torch.Generator().manual_seed(seed)
    sampled = [int(node.op.rows.tensor.max()) + 1 for node in order if isinstance(node.op, Sample)]
    own = [len(n.op.rows.tensor) for n in order if isinstance(n.op, Placeholder) and n.op.rows is not None]
    count = min(own) if own else max([3, *sampled])
    inputs = {}
    for node in order:
        if isinstance(node.op, Placeholder) and node.op.rows is None:
            shape = (count, *node.shape)
            if node.dtype.is_floating_point:
                inputs[node.op.input] = torch.randn(shape, generator=generator, dtype=torch.float64).to(node.dtype)
            else:
                most = 2 if node.dtype == torch.bool else _bound(node, order)
                inputs[node.op.input] = torch.randint(most, shape, generator=generator).to(node.dtype)
    return inputs


def _bound(node: Node, order: list[Node]) -> int:
    """The smallest table that the placeholder looks something up in."""
    sizes = [2**15]
    for reader in order:
        if isinstance(reader.op, Apply) and node in reader.children and reader.op.function in ("embed", "pick"):
            table = reader.children[1] if reader.op.function == "embed" else reader.children[0]
            sizes.append(table.shape[0] if reader.op.function == "embed" else table.shape[-1])
    return min(sizes)
