"""Whether two graphs compute the same, and where they part if not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch

from remix_utils.errors import SampleError, ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node, whose_rows
from remix_utils.graph.operations import Apply, Concat, Index, Placeholder, Sample
from remix_utils.graph.schedule import Inputs
from remix_utils.graph.walk import children_first

Pair = tuple[Node, Node]


@dataclass(frozen=True)
class Comparison:
    """True or false, the largest difference, and the part that differs: below it, the graphs compute the same.

    The part is a name, or the way to it from a node whose name is its own: "sum, child 1".
    """

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

    Differences are relative to the largest value, or absolute below 1. The graphs are compared part by part where they
    are built alike, and by the names that occur once in each where they are not.

    >>> from remix_utils import add, array
    >>> x = array([1.0], "x")
    >>> same_value(add(x, x), add(x, weights=[2]))
    same value (largest difference 0)
    >>> same_value(add(x, array([2.0], "y"), name="sum"), add(x, array([5.0], "y"), name="sum"))
    different: by 1, first at 'y'

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
    """The part that differs: as far down as the graphs are built alike, and further by names that are in both."""
    steps: list[tuple[int | None, Pair]] = [(None, (a, b))]
    while True:
        alike = _built_alike(*steps[-1][1])
        differing = _differing(alike, inputs, tolerance)
        while further := [(slot, pair) for slot, pair in alike[steps[-1][1]] or () if pair in differing]:
            steps.append(further[0])
        if alike[steps[-1][1]] is not None:
            break
        left, right = steps[-1][1]
        named = _same_names(left, right)
        differing = _differing(named, inputs, tolerance)
        first = next((pair for pair in named if pair in differing), None)
        if first is None:
            break
        steps.append((None, first))
    return _text(a, steps)


def _text(root: Node, steps: Sequence[tuple[int | None, Pair]]) -> str:
    """A name that one node has, or such a name and the numbers of the children that lead on from there."""
    count = Counter(node.name for node in children_first(root))
    text = ""
    for slot, (node, _) in reversed(steps):
        if slot is None or count[node.name] == 1:
            return node.name + text
        text = f", child {slot}{text}"
    return text


def _differing(pairs: Iterable[Pair], inputs: Inputs, tolerance: float) -> set[Pair]:
    """The pairs of nodes whose values can be compared and differ."""
    pairs = [pair for pair in pairs if _comparable(*pair)]
    values = evaluate([node for pair in pairs for node in pair], inputs)
    compared = zip(pairs, values[::2], values[1::2], strict=True)
    return {pair for pair, left, right in compared if _apart(left, right) > tolerance}


def _comparable(left: Node, right: Node) -> bool:
    spaces = {left.space, right.space} - {None}
    return left.key != right.key and left.shape == right.shape and len(spaces) < 2


def _built_alike(a: Node, b: Node) -> dict[Pair, list[tuple[int, Pair]] | None]:
    """Each pair of nodes in the same place, with the pairs of their children; None where these do not correspond."""
    found: dict[Pair, list[tuple[int, Pair]] | None] = {}
    partner: dict[Node, Node] = {}
    waiting = [(a, b)]
    while waiting:
        left, right = pair = waiting.pop()
        if pair in found:
            continue
        if partner.setdefault(left, right) is right:
            found[pair] = _corresponding(left, right)
            waiting.extend(child for _, child in found[pair] or ())
        else:
            found[pair] = []  # compared, but not looked into twice
    return found


def _corresponding(left: Node, right: Node) -> list[tuple[int, Pair]] | None:
    """The children that differ, in pairs: by name where one of each has it, the others in their order."""
    if left.op.kind != right.op.kind or len(left.children) != len(right.children):
        return None
    keys = {child.key for child in left.children} & {child.key for child in right.children}
    here = [(slot, child) for slot, child in enumerate(left.children) if child.key not in keys]
    there = [child for child in right.children if child.key not in keys]
    if len(here) != len(there):
        return None
    named = {child.name: child for child in there}
    if len(named) == len({child.name for _, child in here} & named.keys()) == len(there):
        there = [named[child.name] for _, child in here]
    return [(slot, (child, other)) for (slot, child), other in zip(here, there, strict=True)]


def _same_names(a: Node, b: Node) -> list[Pair]:
    """Pairs of nodes below two others that a name alone can tell, children first."""
    here, there = _by_name(a), _by_name(b)
    pairs = [(node, there[name]) for name, node in here.items() if name in there]
    return [(left, right) for left, right in pairs if left is not a and right is not b]


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
