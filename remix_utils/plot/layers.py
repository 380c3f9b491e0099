"""Places the nodes of a small graph in layers: each node below all nodes that read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from remix_utils.graph.node import Node

BEND_WIDTH = 24.0  # the room that a line takes where it passes a layer


class Bend(NamedTuple):
    """A place where the line from a reader to a child passes a layer between the two."""

    reader: Node
    child: Node
    layer: int


class Layout(NamedTuple):
    """Where each node stands, as (x, layer), and each line as the places that it runs through."""

    places: dict[Node, tuple[float, int]]
    lines: list[list[tuple[float, int]]]
    depth: int


def layered(nodes: Sequence[Node], width: Mapping[Node, float]) -> Layout:
    """Returns the layout of nodes that are listed children first, as wide as `width` says.

    A line that passes a layer gets a place there, so that it runs between nodes and not behind them.

    >>> from remix_utils.graph.ops import apply, placeholder
    >>> x = placeholder("x", ())
    >>> y = apply("relu", x, name="y")
    >>> layered([x, y], {x: 40.0, y: 40.0}).lines
    [[(0.0, 0), (0.0, 1)]]
    """
    layer = _depths(nodes)
    routes = _routes(nodes, layer)
    x = _columns(routes, layer, width)
    lines = [[(x[each], _layer(each, layer)) for each in route] for route in routes]
    return Layout({node: (x[node], layer[node]) for node in nodes}, lines, 1 + max(layer.values()))


def _depths(nodes: Sequence[Node]) -> dict[Node, int]:
    """Returns the layer of each node, one below the lowest of its readers."""
    layer = dict.fromkeys(nodes, 0)
    for node in reversed(nodes):
        for child in node.children:
            if child in layer:
                layer[child] = max(layer[child], layer[node] + 1)
    return layer


def _routes(nodes: Sequence[Node], layer: Mapping[Node, int]) -> list[list[Node | Bend]]:
    """Returns each line from a reader to its child, with a bend in every layer between them."""
    routes: list[list[Node | Bend]] = []
    for reader in reversed(nodes):
        for child in dict.fromkeys(each for each in reader.children if each in layer):
            bends = [Bend(reader, child, between) for between in range(layer[reader] + 1, layer[child])]
            routes.append([reader, *bends, child])
    return routes


def _layer(each: Node | Bend, layer: Mapping[Node, int]) -> int:
    return each.layer if isinstance(each, Bend) else layer[each]


def _columns(
    routes: Sequence[Sequence[Node | Bend]], layer: Mapping[Node, int], width: Mapping[Node, float]
) -> dict[Node | Bend, float]:
    """Returns the x of each node and bend, layer by layer: as near as possible to the mean of its readers'."""
    above: dict[Node | Bend, list[Node | Bend]] = {each: [] for each in layer}
    for route in routes:
        for reader, child in pairwise(route):
            above.setdefault(child, []).append(reader)
    x: dict[Node | Bend, float] = {}
    for number in range(1 + max(layer.values())):
        here = [each for each in above if _layer(each, layer) == number]
        wanted = {each: _mean([x[reader] for reader in above[each]]) for each in here}
        ordered = sorted(here, key=wanted.__getitem__)
        widths = [BEND_WIDTH if isinstance(each, Bend) else width[each] for each in ordered]
        x.update(zip(ordered, spread([wanted[each] for each in ordered], widths), strict=True))
    return x


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0


def spread(wanted: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Returns places in order that do not overlap, as near as possible to those that are wanted.

    Neighbours that would overlap are merged into a block, which stands at the mean of its wishes.

    >>> spread([0.0, 0.0, 90.0], [40.0, 40.0, 40.0])
    [-20.0, 20.0, 90.0]
    """
    offsets = [0.0]
    for left, right in pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2)
    blocks: list[list[float]] = []
    for place, offset in zip(wanted, offsets, strict=False):
        blocks.append([place - offset])
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            last = blocks.pop()
            blocks[-1] += last
    starts = [_mean(block) for block in blocks for _ in block]
    return [start + offset for start, offset in zip(starts, offsets, strict=False)]
