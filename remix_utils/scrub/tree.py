"""The scrubbed graph: each claim's image on its own rows, everything between computed again."""

from __future__ import annotations

from collections.abc import Callable

import torch

from remix_utils.graph.node import Node, postorder
from remix_utils.graph.operations import Placeholder, Sample
from remix_utils.graph.ops import sample
from remix_utils.graph.rules import lift
from remix_utils.graph.walk import children_first, rebuild, substitute
from remix_utils.scrub.draws import Rows, others
from remix_utils.scrub.reading import Place, Reading

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
        drawn = others(reading, interp)
        done: dict[Place, Node] = {place: built[owner, place[0]] for place, owner in region.claimed.items()}
        for place, children in region.between.items():
            new = [
                done[c] if not isinstance(c, Node) else elsewhere(c, drawn[c]) if c in drawn else c for c in children
            ]
            done[place] = place[0].with_children(new)
        built[interp, image] = done[next(reversed(region.between))]
    return built[reading.hypothesis, reading.graph]


def labelled(graph: Node, rows: Rows) -> Node:
    """The graph with every sample named after what it samples and the names under which its rows were drawn."""
    names: dict[object, list[str]] = {}
    for name, drawn in rows.items():
        names.setdefault(_content(drawn), []).append(name)

    def rule(node: Node, original: Node) -> Node:
        if not isinstance(node.op, Sample):
            return node
        return node.named(f"{node.children[0].name} on {' = '.join(names[_content(node.op.rows.tensor)])}")

    return rebuild([graph], rule)[0]


def _content(rows: torch.Tensor) -> bytes:
    return rows.numpy().tobytes()


def lift_where_it_pays(graph: Node) -> Node:
    """Samples as high as they can stand, but no node computed for more rows of the population than ask for it.

    The population's pass is over all rows that any sample reads. A node for which fewer are asked, counting each of the
    distinct draws that read it, is cheaper to compute once for each draw, and its samples move down to what it reads.
    """
    if not any(isinstance(node.op, Sample) for node in children_first(graph)):
        return graph
    graph = lift(graph)
    order = children_first(graph)
    samples = [node for node in order if isinstance(node.op, Sample)]
    read = len(torch.cat([node.op.rows.tensor for node in samples]).unique())  # type: ignore[attr-defined]
    asked: dict[Node, set] = {}
    for node in reversed(order):
        if isinstance(node.op, Sample):
            asked.setdefault(node.children[0], set()).add(node.op.rows)
        for child in node.children if node.space == -1 else ():
            asked.setdefault(child, set()).update(asked[node])
    draws = samples[0].op.draws or 0
    pays = {node for node, by in asked.items() if not node.children or len(by) * draws >= read}
    return _lowered(graph, pays)


def _lowered(graph: Node, pays: set[Node]) -> Node:
    """Each sample moved down to nodes whose lifting pays."""
    done: dict[tuple[Node, object], Node] = {}

    def rule(node: Node, original: Node) -> Node:
        if not isinstance(node.op, Sample):
            return node
        rows = node.op.rows
        stands = lambda each: each in pays or each.space is None
        for each in postorder([node.children[0]], lambda each: () if stands(each) else each.children):
            if (each, rows) not in done:
                below = [] if stands(each) else [done[child, rows] for child in each.children]
                done[each, rows] = each.with_children(below) if below else sample(each, rows.tensor)
        return done[node.children[0], rows]

    return rebuild([graph], rule)[0]
