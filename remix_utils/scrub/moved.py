"""How far a scrub moves a value from what that value is on the reference."""

from __future__ import annotations

import torch

from remix_utils.data import Dataset
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Sample
from remix_utils.graph.ops import sample
from remix_utils.graph.select import find
from remix_utils.graph.walk import children_first


def squared_distance(
    scrubbed: Node, clean: Node, data: Dataset, reference: torch.Tensor, which: object
) -> torch.Tensor:
    """Returns the squared distance between scrubbed and clean values of the selected nodes, [draws].

    The distances of several nodes are added. Where the scrubbed graph reads a node on the rows of
    several names, the mean over these counts.

    >>> from remix_utils.graph.ops import add, placeholder
    >>> x, rows = placeholder("x", ()), torch.tensor([1, 1])
    >>> data = Dataset(x=torch.tensor([1.0, 3.0]))
    >>> squared_distance(add(sample(x, rows), name="sum"), add(x, name="sum"), data, 1 - rows, "x")
    tensor([4., 4.], dtype=torch.float64)

    Raises MatchError for a selector that matches nothing in one of the graphs.
    """
    on_reference = {node.name: sample(node, reference) for node in find(clean, which)}
    on_draws: dict[str, list[Node]] = {}
    for node in read_by_draws(scrubbed, set(find(scrubbed, which))):
        name = node.children[0].name if isinstance(node.op, Sample) else node.name
        on_draws.setdefault(name, []).append(node)
    wanted = [*on_reference.values(), *(node for nodes in on_draws.values() for node in nodes)]
    values = dict(zip(wanted, evaluate(wanted, data), strict=True))
    total = torch.zeros(len(reference), dtype=torch.float64)
    for name, nodes in on_draws.items():
        expected = values[on_reference[name]].double()
        apart = [(values[node].double() - expected).square() for node in nodes]
        total += torch.stack([each.reshape(len(reference), -1).sum(-1) for each in apart]).mean(0)
    return total


def read_by_draws(scrubbed: Node, chosen: set[Node]) -> list[Node]:
    """Returns the chosen nodes as draws read them, on their own rows or sampled from the population.

    A node below a sample has one value a row of the population, and a draw reads that of the row
    that the sample names. The sample may stand higher than the node.
    """
    reading: dict[Node, dict[Buffer | None, None]] = {scrubbed: {None: None}}
    found = []
    for node in reversed(children_first(scrubbed)):
        for rows in reading[node]:
            if node in chosen:
                found.append(node if rows is None else sample(node, rows.tensor))
            below = node.op.rows if isinstance(node.op, Sample) else rows
            for child in node.children:
                reading.setdefault(child, {})[below] = None
    return found
