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

Nodes = tuple[Node, ...]


class Distances:
    """Computes how far a scrub moves selected nodes from their clean values, [draws].

    It remembers what it has computed, by the nodes that are selected, since every hypothesis is
    compared with the same baseline.

    >>> from remix_utils.graph.ops import add, placeholder
    >>> x, rows = placeholder("x", ()), torch.tensor([1, 1])
    >>> data = Dataset(x=torch.tensor([1.0, 3.0]))
    >>> distances = Distances(add(sample(x, rows), name="sum"), add(x, name="sum"), data, 1 - rows)
    >>> distances("x")
    tensor([4., 4.], dtype=torch.float64)
    """

    def __init__(self, scrubbed: Node, clean: Node, data: Dataset, reference: torch.Tensor):
        self.scrubbed, self.clean = scrubbed, clean
        self.data, self.reference = data, reference
        self.known: dict[tuple[Nodes, Nodes], torch.Tensor] = {}

    def __call__(self, which: object) -> torch.Tensor:
        """Returns the squared distances; MatchError for a selector that matches nothing."""
        chosen = tuple(find(self.clean, which)), tuple(find(self.scrubbed, which))
        if chosen not in self.known:
            self.known[chosen] = self.between(*chosen)
        return self.known[chosen]

    def between(self, clean: Nodes, scrubbed: Nodes) -> torch.Tensor:
        """Returns the squared distance between clean and scrubbed values of nodes of one name, [draws].

        The distances of several nodes are added. Where the scrubbed graph reads a node on the rows
        of several names, the mean over these counts.
        """
        on_reference = {node.name: sample(node, self.reference) for node in clean}
        on_draws: dict[str, list[Node]] = {}
        for node in read_by_draws(self.scrubbed, set(scrubbed)):
            name = node.children[0].name if isinstance(node.op, Sample) else node.name
            on_draws.setdefault(name, []).append(node)
        wanted = [*on_reference.values(), *(node for nodes in on_draws.values() for node in nodes)]
        values = dict(zip(wanted, evaluate(wanted, self.data), strict=True))
        total = torch.zeros(len(self.reference), dtype=torch.float64)
        for name, nodes in on_draws.items():
            expected = values[on_reference[name]].double()
            apart = [(values[node].double() - expected).square() for node in nodes]
            sums = [each.reshape(len(self.reference), -1).sum(-1) for each in apart]
            total += torch.stack(sums).mean(0)
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
