"""What of the population's pass is stored for the draws, and what each draw computes again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

import torch

from remix_utils.data import Dataset
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.evaluate import plan
from remix_utils.graph.memory import size_in_bytes
from remix_utils.graph.node import Node, postorder
from remix_utils.graph.operations import Sample
from remix_utils.graph.ops import sample
from remix_utils.graph.rules import lift
from remix_utils.graph.walk import children_first, rebuild

SHARES = (1.0, 0.9, 0.2, 0.0)  # of a value's size: what is larger is computed again together with it
MARGIN = 1.2  # what is stored must also be written and gathered, and that takes its time
LARGEST = 12  # stored values that are looked at in each round

Stands = frozenset[Node]


def lift_where_it_pays(graphs: Mapping[str, Node], data: Dataset, memory: int) -> dict[str, Node]:
    """Graphs, to be evaluated together, with samples as high as they should stand.

    The population's pass is over all rows that any sample reads, and what samples stand on is stored for them. A node
    is computed there if as many rows are asked of it, counting each of the distinct draws that read it; otherwise its
    samples move down to what it reads. So they do, too, while what is stored takes more than `memory` bytes: each time
    where the fewest operations must be done again for a byte that is saved.
    """
    graphs = {label: lift(graph) if _samples([graph]) else graph for label, graph in graphs.items()}
    if not _samples(graphs.values()):
        return graphs
    costs, made = Costs(list(graphs.values())), {}
    stands = costs.paying()
    if stands != costs.everything:  # what is read in part costs less than it counts
        at_inputs = frozenset(node for node in costs.everything if not node.children)
        again, once = (costs.of(each).flops for each in (at_inputs, stands))
        if once * MARGIN < again:
            made = {each: _lowered(graphs, each) for each in (at_inputs, stands)}
            again, once = (plan(each, data).flops for each in made.values())
        stands = stands if once * MARGIN < again else at_inputs
    now = costs.of(stands)
    while now.bytes > memory:
        best: tuple[float, Stands, Cost] | None = None
        for fewer in costs.fewer(stands, now):
            cost = costs.of(fewer)
            price = (cost.flops - now.flops) / max(now.bytes - cost.bytes, 1)
            if cost.bytes < now.bytes and (best is None or price < best[0]):
                best = price, fewer, cost
        if best is None:
            break
        _, stands, now = best
    return made.get(stands) or _lowered(graphs, stands)


def _samples(graphs: Iterable[Node]) -> list[Node]:
    return [node for node in children_first(*graphs) if isinstance(node.op, Sample)]


class Cost(NamedTuple):
    """What is stored for all rows that are read, in bytes and which nodes, and all operations."""

    bytes: int
    flops: float
    stored: tuple[Node, ...]


class Costs:
    """What a choice of nodes for samples to stand on would cost."""

    def __init__(self, graphs: list[Node]):
        samples = _samples(graphs)
        draws = list(dict.fromkeys(_rows(node) for node in samples))
        self.lengths = [len(rows.tensor) for rows in draws]
        self.read = len(torch.cat([rows.tensor for rows in draws]).unique())
        number = {rows: 1 << place for place, rows in enumerate(draws)}
        first: dict[bytes, Node] = {}  # equal computations are done once
        self.twin = {node: first.setdefault(node.key, node) for node in children_first(*graphs) if node.space == -1}
        self.parents_first = list(reversed(first.values()))
        self.everything = frozenset(self.parents_first)
        self.tops: dict[Node, int] = {}  # for each node, the draws that sample it, as bits
        for node in samples:
            top = self.twin[node.children[0]]
            self.tops[top] = self.tops.get(top, 0) | number[_rows(node)]

    def paying(self) -> Stands:
        """The nodes of which as many rows are asked, over all draws that read them, as are read of anything."""
        asked = dict(self.tops)
        for node in self.parents_first:
            for child in self.below(node):
                asked[child] = asked.get(child, 0) | asked.get(node, 0)
        return frozenset(node for node, by in asked.items() if not node.children or self.rows(by) >= self.read)

    def rows(self, draws: int) -> int:
        return sum(length for place, length in enumerate(self.lengths) if draws >> place & 1)

    def below(self, node: Node) -> list[Node]:
        return [self.twin[child] for child in node.children if child.space == -1]

    def of(self, stands: Stands) -> Cost:
        """Nodes that stand are computed for all rows that are read, those above for each draw."""
        again, once = dict(self.tops), set()
        flops, stored = 0.0, []
        for node in self.parents_first:
            by, stand = again.get(node, 0), node in stands
            if by and stand:
                stored.append(node)
                once.add(node)
            if node in once:
                once.update(self.below(node))
                flops += self.read * node.op.flops(node)
            if by and not stand:
                flops += self.rows(by) * node.op.flops(node)
                for child in self.below(node):
                    again[child] = again.get(child, 0) | by
        held = sum(size_in_bytes(node) for node in stored if node.children)  # inputs are there anyway
        return Cost(held * self.read, flops, tuple(stored))

    def fewer(self, stands: Stands, now: Cost) -> Iterator[Stands]:
        """The same without one that is stored, nor what lies between it and the smaller values it is computed from."""
        largest = sorted((node for node in now.stored if node.children), key=size_in_bytes, reverse=True)[:LARGEST]
        for node in largest:
            for share in SHARES:
                most = share * size_in_bytes(node)
                kept = lambda each, most=most: not each.children or each in now.stored or size_in_bytes(each) <= most
                passed = postorder(self.below(node), lambda each, kept=kept: () if kept(each) else self.below(each))
                yield stands - {node, *(each for each in passed if not kept(each))}


def _rows(node: Node) -> Buffer:
    return node.op.rows  # type: ignore[attr-defined]


def _lowered(graphs: Mapping[str, Node], stands: Stands) -> dict[str, Node]:
    """Each sample moved down to nodes that stand."""
    keys = {node.key for node in stands}
    done: dict[tuple[Node, Buffer], Node] = {}

    def below(node: Node) -> tuple[Node, ...]:
        return () if node.key in keys or node.space is None else node.children

    def rule(node: Node, original: Node) -> Node:
        if not isinstance(node.op, Sample):
            return node
        rows = node.op.rows
        for each in postorder([node.children[0]], below):
            if (each, rows) not in done:
                children = [done[child, rows] for child in below(each)]
                done[each, rows] = each.with_children(children) if children else sample(each, rows.tensor)
        return done[node.children[0], rows]

    return dict(zip(graphs, rebuild(list(graphs.values()), rule), strict=True))
