"""The scrubbed graph: each claim's image on its own rows, everything between computed again."""

from __future__ import annotations

from collections.abc import Callable

from remix_utils.graph.buffer import Buffer
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Placeholder, Sample
from remix_utils.graph.ops import sample
from remix_utils.graph.walk import children_first, rebuild, substitute
from remix_utils.scrub.draws import Rows
from remix_utils.scrub.hypothesis import Reading

Elsewhere = Callable[[Node, str], Node]  # a node on the rows drawn under a name


def unlifted(rows: Rows) -> Elsewhere:
    """Nodes computed anew for each name, from inputs that are sampled."""
    done: dict[str, dict[Node, Node]] = {}

    def elsewhere(node: Node, name: str) -> Node:
        known = done.setdefault(name, {})
        inputs = [each for each in children_first(node) if isinstance(each.op, Placeholder) and each not in known]
        return substitute([node], {each: sample(each, rows[name]) for each in inputs}, known)[0]

    return elsewhere


def lifted(rows: Rows) -> Elsewhere:
    """Nodes computed once on the population, from which each name samples."""
    return lambda node, name: sample(node, rows[name])


def build(reading: Reading, elsewhere: Elsewhere) -> Node:
    """The scrubbed graph of a hypothesis, from a way to have a node on other rows."""
    built: dict[tuple, Node] = {}
    for (interp, image), region in reversed(reading.regions.items()):
        if not interp.children:
            built[interp, image] = elsewhere(image, interp.name)
            continue
        names = reading.unclaimed(interp)
        done = {place: built[interp.children[owner], place[0]] for place, owner in region.claimed.items()}
        for place, children in region.between.items():
            beside = {c: elsewhere(c, names[c]) if c in names else c for c in children if isinstance(c, Node)}
            done[place] = place[0].with_children([beside[c] if isinstance(c, Node) else done[c] for c in children])
        built[interp, image] = done[region.start]
    return built[reading.hypothesis, reading.graph]


def labelled(graph: Node, rows: Rows) -> Node:
    """The graph with every sample named after what it samples and the first name under which its rows were drawn."""
    names: dict[Buffer, str] = {}
    for name, drawn in rows.items():
        names.setdefault(Buffer(drawn, copy=False), name)

    def rule(node: Node, original: Node) -> Node:
        if not isinstance(node.op, Sample):
            return node
        return node.named(f"{node.children[0].name} on {names[node.op.rows]}")

    return rebuild([graph], rule)[0]
