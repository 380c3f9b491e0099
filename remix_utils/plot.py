"""Pictures: plotly figures with titles, named axes and units, in colours that a colour-blind reader can tell apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import isqrt

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from remix_utils.errors import ShapeError

# Okabe and Ito's palette; the patterns and markers say the same thing to whoever sees no colour at all.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
PATTERNS = ("", "/", ".", "x", "-", "+")
MARKERS = ("circle", "square", "diamond", "cross", "triangle-up", "x")
FONT = {"size": 13}

Estimate = float | tuple[float, float]  # a value, or a value and its standard error


def bars(groups: Mapping[str, Mapping[str, Estimate]], title: str, y: str, x: str = "") -> go.Figure:
    """Grouped bars: one colour a group, one cluster a label; an estimate with a standard error gets a band of ± 1.

    >>> from remix_utils import plot
    >>> plot.bars({"digits-a": {"zero": 96.0, "resample": (91.1, 1.0)}}, "Ablations", "accuracy (%)").data[0].name
    'digits-a'
    """
    figure = go.Figure()
    for (name, estimates), colour, pattern in zip(groups.items(), cycle(COLOURS), cycle(PATTERNS), strict=False):
        values, errors = _split(list(estimates.values()))
        figure.add_bar(
            name=name,
            x=list(estimates),
            y=values,
            error_y={"array": [error or None for error in errors], "color": "#333333", "visible": any(errors)},
            marker={"color": colour, "pattern": {"shape": pattern}},
        )
    figure.update_layout(barmode="group", showlegend=len(groups) > 1)
    return _finish(figure, title, x, y)


def lines(
    positions: Sequence[float], series: Mapping[str, Sequence[Estimate]], title: str, x: str, y: str
) -> go.Figure:
    """Lines over shared positions; estimates with standard errors get a shaded band of ± 1.

    >>> from remix_utils import plot
    >>> figure = plot.lines([0, 1], {"digits-b": [(96.8, 0.7), (13.1, 1.4)]}, "Dose", "dose", "accuracy (%)")
    >>> len(figure.data)
    2

    Raises ShapeError when a series and the positions differ in length.
    """
    figure, positions = go.Figure(), [float(each) for each in positions]
    for (name, estimates), colour, marker in zip(series.items(), cycle(COLOURS), cycle(MARKERS), strict=False):
        if len(estimates) != len(positions):
            raise ShapeError(
                f"Line {name!r} has {len(estimates)} values for {len(positions)} positions.",
                fix="give every line one value for each position.",
            )
        values, errors = _split(estimates)
        if any(errors):
            low = [value - error for value, error in zip(values, errors, strict=True)]
            high = [value + error for value, error in zip(values, errors, strict=True)]
            band = {"fill": "toself", "fillcolor": colour, "opacity": 0.2, "line": {"width": 0}, "hoverinfo": "skip"}
            figure.add_scatter(x=positions + positions[::-1], y=high + low[::-1], showlegend=False, **band)
        style = {"line": {"color": colour}, "marker": {"symbol": marker, "size": 8}}
        figure.add_scatter(name=name, x=positions, y=values, mode="lines+markers", **style)
    figure.update_layout(showlegend=len(series) > 1)
    return _finish(figure, title, x, y)


def histogram(
    groups: Mapping[str, torch.Tensor], title: str, x: str, marks: Mapping[str, float] | None = None
) -> go.Figure:
    """How often each value occurs, with vertical lines at the values named in `marks`.

    >>> from remix_utils import plot
    >>> plot.histogram({"switch": torch.tensor([0.0, 2.0])}, "A switch", "activation", {"mean": 1.0}).data[0].name
    'switch'
    """
    figure = go.Figure()
    for (name, values), colour in zip(groups.items(), cycle(COLOURS), strict=False):
        figure.add_histogram(name=name, x=_plain(values), nbinsx=40, marker={"color": colour}, opacity=0.75)
    for (name, value), colour in zip((marks or {}).items(), cycle(COLOURS[::-1]), strict=False):
        figure.add_vline(value, line={"color": colour, "dash": "dash"}, annotation_text=name)
    figure.update_layout(barmode="overlay", showlegend=len(groups) > 1)
    return _finish(figure, title, x, "count")


def images(pixels: torch.Tensor, captions: Sequence[str] = (), title: str = "", per_row: int = 8) -> go.Figure:
    """Square grey images [n, side * side], side by side, each under its caption.

    >>> from remix_utils import plot
    >>> len(plot.images(torch.zeros(3, 64), ["3", "8", "1"], "Three digits").data)
    3

    Raises ShapeError for rows that are not square images, and for a wrong number of captions.
    """
    pixels = torch.as_tensor(pixels).detach().float()
    side = isqrt(pixels.shape[-1]) if pixels.ndim == 2 else 0
    if not len(pixels) or side == 0 or side * side != pixels.shape[-1]:
        raise ShapeError(f"Images have shape {list(pixels.shape)}.", fix="give [n, side * side], one image a row.")
    if captions and len(captions) != len(pixels):
        raise ShapeError(f"{len(captions)} captions for {len(pixels)} images.", fix="give one caption for each image.")
    columns = min(per_row, len(pixels))
    rows = -(-len(pixels) // columns)
    figure = make_subplots(rows, columns, subplot_titles=list(captions) or None, horizontal_spacing=0.02)
    for place, image in enumerate(pixels.reshape(-1, side, side)):
        picture = go.Heatmap(z=image.tolist(), zmin=0, zmax=1, colorscale="Greys", showscale=False)
        figure.add_trace(picture, place // columns + 1, place % columns + 1)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", constrain="domain")
    figure.for_each_yaxis(lambda axis: axis.update(scaleanchor=axis.anchor))  # square pixels
    size = {"height": 90 + 100 * rows, "width": 30 + 95 * columns}
    figure.update_layout(title=title, template="plotly_white", font=FONT, margin={"t": 75, "b": 15, "l": 15, "r": 15})
    figure.update_layout(**size)
    return figure


def heatmap(
    values: torch.Tensor, rows: Sequence[str], columns: Sequence[str], title: str, unit: str, x: str = "", y: str = ""
) -> go.Figure:
    """A matrix [rows, columns] as coloured cells with their numbers; blue below zero, red above.

    >>> from remix_utils import plot
    >>> plot.heatmap(torch.eye(2), ["a", "b"], ["c", "d"], "Two by two", "points").data[0].zmax
    1.0

    Raises ShapeError when the names do not fit the matrix.
    """
    values = torch.as_tensor(values).detach().float()
    if tuple(values.shape) != (len(rows), len(columns)):
        raise ShapeError(
            f"A heatmap of {list(values.shape)} with {len(rows)} row and {len(columns)} column names.",
            fix="name every row and every column once.",
        )
    largest = float(values.abs().max()) or 1.0
    cells = go.Heatmap(
        z=values.tolist(),
        x=list(columns),
        y=list(rows),
        colorscale="RdBu_r",
        zmin=-largest,
        zmax=largest,
        texttemplate="%{z:.2f}",
        colorbar={"title": unit},
    )
    figure = _finish(go.Figure(cells), title, x, y)
    return figure.update_yaxes(autorange="reversed")


def _plain(values: torch.Tensor | Sequence[float]) -> list[float]:
    return torch.as_tensor(values).detach().flatten().tolist()


def _split(estimates: Sequence[Estimate]) -> tuple[list[float], list[float]]:
    pairs = [each if isinstance(each, tuple) else (each, 0.0) for each in estimates]
    return [float(value) for value, _ in pairs], [float(error) for _, error in pairs]


def _finish(figure: go.Figure, title: str, x: str, y: str) -> go.Figure:
    figure.update_layout(title=title, template="plotly_white", font=FONT, height=380, margin={"t": 60, "b": 50})
    figure.update_xaxes(title=x)
    figure.update_yaxes(title=y)
    return figure
