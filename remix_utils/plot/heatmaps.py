"""Matrices as coloured cells: any matrix, a value for each head of each layer, grey images."""

from __future__ import annotations

from collections.abc import Sequence
from math import isqrt
from textwrap import wrap

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from remix_utils.errors import ShapeError
from remix_utils.plot.axis import LETTER, ticks
from remix_utils.plot.style import decimals, finish, scale
from remix_utils.plot.values import one_each, tensor

MOST_COLUMNS, MOST_ROWS = 16, 24  # up to here a cell has room for its number
SIDE = 90  # of an image, in screen pixels
BESIDE = {"x": 1, "xpad": 12, "ypad": 0, "len": 1, "thickness": 14, "outlinewidth": 0}  # the bar of colours


def heatmap(
    values: torch.Tensor, rows: Sequence[str], columns: Sequence[str], title: str, unit: str, x: str = "", y: str = ""
) -> go.Figure:
    """A matrix [rows, columns] as coloured cells, with their numbers where there is room.

    Grey is zero, blue is more, red is below zero. Names may repeat, as tokens do.

    >>> from remix_utils import plot
    >>> plot.heatmap(torch.eye(2), ["a", "b"], ["c", "d"], "Two by two", "points").data[0].zmax
    1.0

    Raises ShapeError when the names do not fit the matrix, and NanError.
    """
    values = tensor(values, title)
    if values.ndim != 2 or tuple(values.shape) != (len(rows), len(columns)) or not values.numel():
        raise ShapeError(
            f"A heatmap of {list(values.shape)} with {len(rows)} row and {len(columns)} column names.",
            fix="name every row and every column once.",
        )
    rows, columns = [str(row) for row in rows], [str(column) for column in columns]
    colours, low, high = scale(values.min().item(), values.max().item())
    gap = 1 if max(len(rows), len(columns)) <= 50 else 0
    roomy = len(columns) <= MOST_COLUMNS and len(rows) <= MOST_ROWS
    cells = go.Heatmap(
        z=values.tolist(),
        colorscale=[[place / (len(colours) - 1), colour] for place, colour in enumerate(colours)],
        zmin=low,
        zmax=high,
        xgap=gap,
        ygap=gap,
        texttemplate=f"%{{z:.{decimals(high)}f}}" if roomy else None,
        customdata=[[[row, column] for column in columns] for row in rows],
        hovertemplate=f"{y} %{{customdata[0]}}<br>{x} %{{customdata[1]}}<br>%{{z:.4g}} {unit}<extra></extra>",
    )
    tall = max(130, len(rows) * min(30, max(6, 640 // len(rows))))
    marks = ticks(low, high, max(4, tall // 45))
    cells.colorbar = {"tickvals": [value for value, _ in marks], "ticktext": [text for _, text in marks], **BESIDE}
    figure = finish(go.Figure(cells), title, x, y, height=60 + tall)
    _add_unit(figure, wrap(unit, max(12, tall // 8)), LETTER * max(len(text) for _, text in marks))
    figure.update_xaxes(showgrid=False, zeroline=False, **_ticks(columns, 36))
    return figure.update_yaxes(autorange="reversed", showgrid=False, zeroline=False, **_ticks(rows, 40))


def _add_unit(figure: go.Figure, lines: list[str], beside: float) -> None:
    """Writes the unit to the right of the colours' ticks; plotly's own title of a bar of colours touches them."""
    left = BESIDE["xpad"] + BESIDE["thickness"] + beside + 10
    place = {"x": 1, "xref": "paper", "xanchor": "left", "xshift": left, "y": 0.5, "yref": "paper"}
    figure.add_annotation(text="<br>".join(lines), textangle=90, showarrow=False, **place)
    figure.update_layout(margin={"r": left + 18 * len(lines) + 6})


def _ticks(names: list[str], most: int) -> dict:
    """Positions and names for an axis; every second, third ... name where there are too many to read."""
    step = -(-len(names) // most)
    apart = {"ticks": "outside", "ticklen": 4, "tickcolor": "white"}
    return {"tickvals": list(range(0, len(names), step)), "ticktext": names[::step], **apart}


def heads(values: torch.Tensor, title: str, unit: str) -> go.Figure:
    """One value for each attention head [layers, heads]: a row a layer, a column a head.

    >>> from remix_utils import plot
    >>> plot.heads(torch.rand(2, 8), "Induction score", "probability").layout.yaxis.title.text
    'layer'

    Raises ShapeError unless there are two axes, and NanError.
    """
    values = torch.as_tensor(values)
    if values.ndim != 2:
        raise ShapeError(f"Values of heads have shape {list(values.shape)}.", fix="give [layers, heads].")
    layers, width = (list(map(str, range(size))) for size in values.shape)
    return heatmap(values, layers, width, title, unit, x="head", y="layer")


def images(pixels: torch.Tensor, captions: Sequence[str] = (), title: str = "", per_row: int = 8) -> go.Figure:
    """Square grey images [n, side * side], pixels from 0 to 1, side by side, each under its caption.

    >>> from remix_utils import plot
    >>> len(plot.images(torch.zeros(3, 64), ["3", "8", "1"], "Three digits").data)
    3

    Raises ShapeError for rows that are not square images, and for a wrong number of captions; NanError.
    """
    pixels = tensor(pixels, title or "Images")
    side = isqrt(pixels.shape[-1]) if pixels.ndim == 2 else 0
    if not len(pixels) or side == 0 or side * side != pixels.shape[-1]:
        raise ShapeError(f"Images have shape {list(pixels.shape)}.", fix="give [n, side * side], one image a row.")
    captions = one_each(captions, len(pixels), "captions", "images") if captions else []
    columns = min(per_row, len(pixels))
    rows = -(-len(pixels) // columns)
    across, down = columns * (SIDE + 10) - 10, rows * (SIDE + 30) - 30
    figure = make_subplots(
        rows, columns, subplot_titles=captions or None, horizontal_spacing=10 / across, vertical_spacing=30 / down
    )
    for place, image in enumerate(pixels.reshape(-1, side, side)):
        picture = go.Heatmap(z=image.tolist(), zmin=0, zmax=1, colorscale="Greys", showscale=False)
        figure.add_trace(picture, place // columns + 1, place % columns + 1)
    finish(figure, title)
    figure.update_xaxes(visible=False, constrain="domain")
    figure.update_yaxes(visible=False, autorange="reversed", constrain="domain")
    figure.for_each_yaxis(lambda axis: axis.update(scaleanchor=axis.anchor))  # square pixels
    beside = max(20, 420 - across)  # a title needs this much
    return figure.update_layout(
        height=down + 85, width=across + 15 + beside, margin={"t": 70, "b": 15, "l": 15, "r": beside}
    )
