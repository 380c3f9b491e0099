"""Draws a hypothesis over a small graph: every node in the colour of the row that it reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

import plotly.graph_objects as go

from remix_utils.errors import PlotError
from remix_utils.graph.node import Node
from remix_utils.graph.walk import children_first
from remix_utils.plot.layers import Layout, layered
from remix_utils.plot.style import COLOURS, INK
from remix_utils.scrub.hypothesis import Reading, preorder

AGAIN = "computed again"
MOST = 40  # nodes of a graph that can still be read as a picture
PITCH, BOX, BETWEEN = 58, 38, 14  # from layer to layer, the height of a node, and the least gap, in pixels
GREY = "#8a8a8a"


class Laid(NamedTuple):
    """A hypothesis over its graph: the rows that each node reads, their colours, and the layout."""

    rows: dict[Node, list[str]]
    claimed: frozenset[Node]
    colours: dict[str, str]
    widths: dict[Node, float]
    layout: Layout

    @property
    def height(self) -> int:
        """The height of the picture in pixels."""
        return PITCH * self.layout.depth

    def colour(self, name: str) -> str:
        """The colour of a row, grey if no node reads it or if others read several rows."""
        return self.colours.get(name, GREY)


def laid(reading: Reading) -> Laid:
    """Returns the picture of a hypothesis over its graph; nodes that read no input are left out.

    Raises PlotError for a graph of more than 40 nodes.
    """
    nodes = [node for node in children_first(reading.graph) if reading.inputs[node]]
    if len(nodes) > MOST:
        raise PlotError(
            f"The graph has {len(nodes)} nodes, and {MOST} are the most that can be drawn.",
            fix="leave out graph=, and read show(hypothesis.on(graph)).",
        )
    rows = rows_read(reading)
    claimed = frozenset(image for _, image in reading.regions)
    widths = {node: _width(node, rows[node]) for node in nodes}
    layout = layered(nodes, {node: width + BETWEEN for node, width in widths.items()})
    return Laid(rows, claimed, _colours(reading, rows), widths, layout)


def _colours(reading: Reading, rows: Mapping[Node, Sequence[str]]) -> dict[str, str]:
    """Returns a colour for each row that is read, in the order of the tree, with others before children."""
    is_read = {name for names in rows.values() for name in names}
    names: dict[str, None] = {}
    for interp, _ in preorder(reading.hypothesis):
        names |= dict.fromkeys([interp.name, *reading.unclaimed(interp).values()])
    kept = [name for name in names if name in is_read]
    return {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(kept)}


def rows_read(reading: Reading) -> dict[Node, list[str]]:
    """Returns the names under which each node's rows are drawn; AGAIN stands for its own children's rows.

    >>> from remix_utils import Exact, Interp, at, placeholder
    >>> x = placeholder("x", ())
    >>> list(rows_read(Interp("input", at("x"), Exact()).on(x)).values())
    [['input']]
    """
    found: dict[Node, list[str]] = {}

    def read(node: Node, name: str) -> None:
        if name not in found.setdefault(node, []):
            found[node].append(name)

    for interp, _ in preorder(reading.hypothesis):
        beside = reading.unclaimed(interp)
        for region in reading.of(interp):
            read_whole = beside if interp.children else {region.image: interp.name}
            for node, _ in region.between if interp.children else ():
                read(node, AGAIN)
            for top, name in read_whole.items():
                for node in children_first(top):
                    read(node, name)
    return found


def row_text(name: str) -> str:
    """The row of a name in words.

    >>> row_text("odd"), row_text("output.others"), row_text("output.others.up")
    ("odd's row", "output's others", "output's others: up")
    """
    owner, others, node = name.partition(".others")
    if not others:
        return f"{name}'s row"
    return f"{owner}'s others" + node.replace(".", ": ", 1)


def _below(rows: Sequence[str]) -> str:
    """The second line of a node."""
    if len(rows) > 2:
        return f"{len(rows)} rows"
    return ", ".join(name if name == AGAIN else row_text(name) for name in rows)


def _width(node: Node, rows: Sequence[str]) -> float:
    """The width of a node's box, in pixels, for a name of 13 pixels above rows of 10."""
    return max(44.0, 14 + 8.4 * len(node.name), 14 + 5.4 * len(_below(rows)))


def add_graph(figure: go.Figure, drawn: Laid, row: int) -> None:
    """Draws the graph into a row of the figure: lines first, boxes over them, texts on top."""
    place = {"row": row, "col": 1}
    for line in drawn.layout.lines:
        path = "M" + "L".join(f"{x:g},{layer}" for x, layer in line)
        figure.add_shape(type="path", path=path, line={"color": GREY, "width": 1.5}, layer="below", **place)
    for node in drawn.layout.places:
        _add_box(figure, drawn, node, place)
    nodes = list(drawn.layout.places)
    figure.add_scatter(
        x=[drawn.layout.places[node][0] for node in nodes],
        y=[drawn.layout.places[node][1] for node in nodes],
        text=[_text(node, drawn.rows[node]) for node in nodes],
        hovertext=[f"{node.name}: {'; '.join(map(_hover, drawn.rows[node]))}" for node in nodes],
        hoverinfo="text",
        mode="text",
        showlegend=False,
        **place,
    )
    hidden = {"visible": False, "fixedrange": True, **place}
    edges = [x + side * drawn.widths[node] / 2 for node, (x, _) in drawn.layout.places.items() for side in (-1, 1)]
    figure.update_xaxes(range=[min(edges) - 8, max(edges) + 8], **hidden)
    figure.update_yaxes(range=[drawn.layout.depth - 0.5, -0.5], **hidden)


def _text(node: Node, rows: Sequence[str]) -> str:
    return f"<b>{escape(node.name)}</b><br><span style='font-size:10px'>{escape(_below(rows), quote=False)}</span>"


def _hover(name: str) -> str:
    return "computed again from its children" if name == AGAIN else f"reads {row_text(name)}"


def _add_box(figure: go.Figure, drawn: Laid, node: Node, place: Mapping[str, int]) -> None:
    """One band of colour for each row that the node reads, in a frame that is thick around a claimed node."""
    x, layer = drawn.layout.places[node]
    width, rows = drawn.widths[node], drawn.rows[node]
    whole = {"type": "rect", "xsizemode": "pixel", "ysizemode": "pixel", "xanchor": x, "yanchor": layer}
    whole |= {"y0": -BOX / 2, "y1": BOX / 2, "layer": "below", **place}
    for number, name in enumerate(rows):
        left = -width / 2 + number * width / len(rows)
        fill = tint(drawn.colour(name))
        figure.add_shape(x0=left, x1=left + width / len(rows), fillcolor=fill, line={"width": 0}, **whole)
    thick = 3 if node in drawn.claimed else 1
    figure.add_shape(x0=-width / 2, x1=width / 2, line={"color": INK, "width": thick}, **whole)


def tint(colour: str) -> str:
    """A colour mixed with white, so that ink on it stays legible.

    >>> tint("#000000")
    '#b2b2b2'
    """
    parts = [int(colour[place : place + 2], 16) for place in (1, 3, 5)]
    return "#" + "".join(f"{round(0.3 * part + 0.7 * 255):02x}" for part in parts)
