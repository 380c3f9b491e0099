"""What of the population's pass is stored for the draws, and what each draw computes again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch

from remix_utils.graph.buffer import Buffer
from remix_utils.graph.memory import size_in_bytes
from remix_utils.graph.node import Node, postorder
from remix_utils.graph.operations import Sample
from remix_utils.graph.ops import sample
from remix_utils.graph.rules import lift
from remix_utils.graph.walk import children_first, rebuild

DEAREST = 2.0**40  # operations that one computes again rather than store a byte


def lift_where_it_pays(graphs: Mapping[str, Node], memory: int) -> dict[str, Node]:
    """Graphs, to be evaluated together, with samples as high as they should stand.

    The population's pass is over all rows that any sample reads, and what samples stand on is stored for them. A node
    is computed there if as many rows are asked of it, counting each of the distinct draws that read it; otherwise its
    samples move down to what it reads. So they do, too, until what is stored takes no more than `memory` bytes: first
    where the fewest operations must be done again for each byte.
    """
    graphs = {label: lift(graph) if _samples([graph]) else graph for label, graph in graphs.items()}
    samples = _samples(graphs.values())
    if not samples:
        return graphs
    costs = Costs(list(graphs.values()), samples)
    price, stands = 0.0, costs.stands(0.0)
    while costs.stored_bytes(stands) > memory and price < DEAREST:
        price = price * 2 or 2.0**-10
        stands = costs.stands(price)
    return {label: _lowered(graph, stands) for label, graph in graphs.items()}


def _samples(graphs: Iterable[Node]) -> list[Node]:
    return [node for node in children_first(*graphs) if isinstance(node.op, Sample)]


class Costs:
    """How many rows are read of each node of the population, and what it costs to store or to compute them."""

    def __init__(self, graphs: list[Node], samples: list[Node]):
        order = children_first(*graphs)
        self.tops = [node.children[0] for node in samples]
        self.population = [node for node in order if node.space == -1]
        self.read = len(torch.cat([_rows(node).tensor for node in samples]).unique())
        self.draws: dict[bytes, set[Buffer]] = {}
        for node in reversed(order):
            if isinstance(node.op, Sample):
                self.draws.setdefault(node.children[0].key, set()).add(node.op.rows)
            for child in node.children if node.space == -1 else ():
                self.draws.setdefault(child.key, set()).update(self.draws.get(node.key, ()))

    def asked(self, node: Node) -> int:
        """Rows, over all distinct draws that read the node."""
        return sum(len(rows.tensor) for rows in self.draws.get(node.key, ()))

    def stands(self, price: float) -> set[Node]:
        """The nodes on which samples may stand when a stored byte costs as much as `price` operations."""
        found: set[Node] = set()
        cheapest: dict[Node, float] = {}
        for node in self.population:
            stored = price * size_in_bytes(node) * self.read
            again = self.asked(node) * node.op.flops(node) + sum(cheapest.get(child, 0.0) for child in node.children)
            if not node.children or (self.asked(node) >= self.read and stored <= again):
                found.add(node)
            cheapest[node] = stored if node in found else again
        return found

    def stored_bytes(self, stands: set[Node]) -> int:
        """What is stored when samples move down to nodes that stand."""
        below = postorder(self.tops, lambda node: () if node in stands else node.children)
        stored = {node.key: size_in_bytes(node) for node in below if node in stands}
        return sum(stored.values()) * self.read


def _rows(node: Node) -> Buffer:
    return node.op.rows  # type: ignore[attr-defined]


def _lowered(graph: Node, stands: set[Node]) -> Node:
    """Each sample moved down to nodes that stand."""
    done: dict[tuple[Node, Buffer], Node] = {}

    def below(node: Node) -> tuple[Node, ...]:
        return () if node in stands or node.space is None else node.children

    def rule(node: Node, original: Node) -> Node:
        if not isinstance(node.op, Sample):
            return node
        rows = node.op.rows
        for each in postorder([node.children[0]], below):
            if (each, rows) not in done:
                children = [done[child, rows] for child in below(each)]
                done[each, rows] = each.with_children(children) if children else sample(each, rows.tensor)
        return done[node.children[0], rows]

    return rebuild([graph], rule)[0]
