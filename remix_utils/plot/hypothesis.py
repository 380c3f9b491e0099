"""Draws a causal scrub: the hypothesis as a tree with its draws, over its graph, and each example's loss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from remix_utils.data import Draw
from remix_utils.errors import PlotError
from remix_utils.graph.node import Node
from remix_utils.plot.charts import scatter
from remix_utils.plot.over_graph import Laid, add_graph, laid
from remix_utils.plot.style import COLOURS, INK, MARKERS, finish
from remix_utils.scrub.hypothesis import Interp, draw_text
from remix_utils.scrub.result import ScrubResult

DRAWS = ("Exact", "Matching", "Fixed", "Uniform")  # from the least that may change to the most
SAID = {"Exact": "exact", "Matching": "matching a feature", "Fixed": "fixed rows", "Uniform": "any row"}
LINE = 26  # height of a node, in pixels
LOSSES, GAP, BELOW = 60, 30, 55  # heights of the losses, between the panels, and of the margin below them
STEPS, TEXT = 8, 5  # how many steps to the right the picture has, and how many a name with its draw takes


class Place(NamedTuple):
    """A node of the picture: its text, its text on hovering, its row and draw, and where it hangs."""

    text: str
    hover: str
    row: str
    draw: Draw
    depth: int
    above: int | None


def hypothesis(
    claim: Interp,
    title: str,
    result: ScrubResult | None = None,
    model: ScrubResult | float | None = None,
    baseline: ScrubResult | float | None = None,
    x: str = "loss (nats)",
    graph: Node | None = None,
) -> go.Figure:
    """Draws a hypothesis as a tree: each node with its draw, and others below the node whose others they are.

    With its `result`, the picture says how often each draw moved to another row than the one it had to agree with. With
    `model` and `baseline` too, it shows where the loss lies between theirs, and the share recovered, ± standard errors.

    With a small `graph`, the hypothesis is also laid over it. Each node has the colour of the row that it reads, which
    is the colour of this row in the tree, and several colours if it is read on several rows. Grey nodes are computed
    again from their children. A thick frame marks a node that a claim is about.

    >>> from remix_utils import Exact, at, plot
    >>> claim = Interp("sum", at("sum"), Exact(), [Interp("left", at("left"), Exact())])
    >>> figure = plot.hypothesis(claim, "Only the left term matters")
    >>> [text.strip() for trace in figure.data for text in trace.text or ()]
    ['<b>sum</b>  exact', '<b>left</b>  exact', '<i>others</i>  uniform, together']

    Raises PlotError for one of `model` and `baseline` without the other, or both without a result, and for a graph of
    more than 40 nodes.
    """
    given = [each is not None for each in (model, baseline)]
    if any(given) and not (all(given) and result is not None):
        raise PlotError(
            "What is recovered needs the result, the model's and the baseline's loss.",
            fix="pass result=, model= and baseline=, or none of the last two.",
        )
    drawn = laid(claim.on(graph)) if graph is not None else None
    places = list(_places(claim, result, 0, None, None))
    figure, height = _panels(len(places), drawn, losses=all(given))
    _add_tree(figure, places, drawn)
    if drawn is not None:
        add_graph(figure, drawn, row=2)
    if result is not None and model is not None and baseline is not None:
        share = result.recovered(model, baseline)
        title = f"{title}: {share:.1%} ± {share.se:.1%} recovered"
        _add_losses(figure, {"model": model, "this hypothesis": result, "baseline": baseline}, x, row=3 if drawn else 2)
    elif result is not None:
        title = f"{title}: {result.mean:.3g} ± {result.se:.1g}, {x}"
    figure.update_layout(showlegend=drawn is None, hovermode="closest")
    return finish(figure, title, height=height)


def _panels(lines: int, drawn: Laid | None, losses: bool) -> tuple[go.Figure, int]:
    """Returns the empty figure, with a row for the tree, the graph and the losses, and its height."""
    heights = [LINE * (lines + 1)]
    if drawn is not None:
        heights.append(drawn.height)
    if losses:
        heights.append(LOSSES)
    gaps = GAP * (len(heights) - 1)
    total = sum(heights) + gaps
    figure = make_subplots(len(heights), 1, row_heights=heights, vertical_spacing=GAP / total if gaps else 0)
    return figure, total + BELOW


def _places(
    node: Interp, result: ScrubResult | None, depth: int, above: int | None, parent: Interp | None, number: int = 0
) -> Iterator[Place]:
    """The node, its children and its others, each with the number of the place that it hangs from."""
    moved = _moved(result, node.name, parent.name if parent else "reference")
    text = f"<b>{escape(node.name)}</b>  {escape(draw_text(node.draw))}{moved}"  # a feature may be a <lambda>
    yield Place(text, repr(node.selector), node.name, node.draw, depth, above)
    count = 1
    for child in node.children:
        for place in _places(child, result, depth + 1, number, node, number + count):
            yield place
            count += 1
    if node.children and node.others is not None:
        moved = _moved(result, node.others_name, node.name)
        text = f"<i>others</i>  {escape(draw_text(node.others))}, {node.shared}{moved}"
        yield Place(text, f"all else that {node.name} reads", node.others_name, node.others, depth + 1, number)


def _moved(result: ScrubResult | None, name: str, given: str) -> str:
    """The share of rows that are not those given; over all of its names, where others are drawn apart."""
    if result is None:
        return ""
    drawn = [rows for known, rows in result.rows.items() if known == name or known.startswith(f"{name}.")]
    if not name.endswith(".others"):
        drawn = [result.rows[name]] if name in result.rows else []
    if not drawn or given not in result.rows:
        return ""
    return f", {(torch.stack(drawn) != result.rows[given]).double().mean():.0%} moved"


def _add_tree(figure: go.Figure, places: Sequence[Place], drawn: Laid | None) -> None:
    """Draws one line a node, indented by its depth, with an elbow to the node that it hangs from."""
    across: list[float | None] = []
    down: list[float | None] = []
    for row, place in enumerate(places):
        if place.above is not None:
            across += [place.depth - 1, place.depth - 1, place.depth, None]
            down += [place.above, row, row, None]
    figure.add_scatter(
        x=across, y=down, mode="lines", line={"color": "#999999"}, hoverinfo="skip", showlegend=False, row=1, col=1
    )
    for look, kind in enumerate(DRAWS):
        rows = [row for row, place in enumerate(places) if type(place.draw).__name__ == kind]
        colours = COLOURS[look] if drawn is None else [drawn.colour(places[row].row) for row in rows]
        figure.add_scatter(
            name=SAID[kind],
            x=[places[row].depth for row in rows],
            y=rows,
            text=[f"\u00a0{places[row].text}" for row in rows],  # clear of its marker
            hovertext=[places[row].hover for row in rows],
            hoverinfo="text",
            mode="markers+text",
            textposition="middle right",
            marker={"color": colours, "symbol": MARKERS[look], "size": 12},
            showlegend=bool(rows),
            row=1,
            col=1,
        )
    hidden = {"visible": False, "fixedrange": True, "row": 1, "col": 1}
    figure.update_xaxes(range=[-0.3, max(STEPS, max(place.depth for place in places) + TEXT)], **hidden)
    figure.update_yaxes(range=[len(places) - 0.5, -0.5], **hidden)


def _add_losses(figure: go.Figure, losses: dict[str, ScrubResult | float], x: str, row: int) -> None:
    """Shows where the loss lies between the model's and the baseline's."""
    results = {
        name: (each.mean, each.se) if isinstance(each, ScrubResult) else (each, 0.0) for name, each in losses.items()
    }
    figure.add_scatter(
        x=[mean for mean, _ in results.values()],
        y=list(results),
        error_x={"array": [se for _, se in results.values()], "color": INK},
        mode="markers",
        marker={"color": INK, "size": 9},
        showlegend=False,
        row=row,
        col=1,
    )
    figure.update_xaxes(title_text=x, row=row, col=1)
    figure.update_yaxes(autorange="reversed", row=row, col=1)


def per_example(
    scrubbed: ScrubResult,
    clean: ScrubResult,
    title: str,
    unit: str = "loss (nats)",
    groups: Sequence[str] | None = None,
) -> go.Figure:
    """Each draw's loss under a hypothesis against the model's own on the same reference; on the line nothing changed.

    Errors of opposite sign cancel in a mean, and not here (Scheurer et al. 2023). `groups` names a group for each draw.

    >>> import torch
    >>> from remix_utils import Exact, Uniform, at, placeholder, plot, scrub
    >>> x, data = placeholder("x", ()), {"x": torch.tensor([0.0, 1.0])}
    >>> clean, other = (scrub(x, Interp("x", at("x"), draw), data, 50) for draw in (Exact(), Uniform()))
    >>> plot.per_example(other, clean, "Another row for each").data[1].hovertext[0]
    'row 0'

    Raises PlotError for results on different references.
    """
    reference = scrubbed.rows["reference"]
    if not torch.equal(reference, clean.rows["reference"]):
        raise PlotError(
            f"{len(reference)} draws and {len(clean.rows['reference'])} are not on the same references.",
            fix="scrub both with the same data, n and seed.",
        )
    names = [f"row {row}" for row in reference.tolist()]
    return scatter(
        clean.per_example,
        scrubbed.per_example,
        names,
        title,
        f"model's {unit}",
        f"scrubbed {unit}",
        groups,
        diagonal=True,
    )
