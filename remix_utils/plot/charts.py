"""Charts over numbers: bars, lines, training curves, scatter, histogram."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from math import log10

import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from remix_utils.errors import PlotError
from remix_utils.plot.style import COLOURS, INK, MARKERS, PATTERNS, finish
from remix_utils.plot.values import Estimate, Numbers, estimates, numbers, one_each, tensor

BINS = 40
NO_ERROR = "none"  # plotly would draw null as an error of 0
DENSE = 40  # lines with more points than this have dashes for markers
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def bars(groups: Mapping[str, Mapping[str, Estimate]], title: str, y: str, x: str = "") -> go.Figure:
    """Grouped bars: one colour a group, one cluster a label; an estimate with a standard error gets a band of ± 1.

    >>> from remix_utils import plot
    >>> plot.bars({"digits-a": {"zero": 96.0, "resample": (91.1, 1.0)}}, "Ablations", "accuracy (%)").data[0].name
    'digits-a'

    Raises NanError that names the group.
    """
    figure = go.Figure()
    for (name, given), colour, pattern in zip(groups.items(), cycle(COLOURS), cycle(PATTERNS), strict=False):
        values, errors = estimates(given.values(), f"Group {name!r}")
        figure.add_bar(
            name=name,
            x=[str(label) for label in given],
            y=values,
            error_y={"array": [error or NO_ERROR for error in errors], "color": INK, "visible": any(errors)},
            marker={"color": colour, "pattern": {"shape": pattern, "fillmode": "overlay", "fgcolor": "white"}},
        )
    figure.update_layout(barmode="group", bargap=0.25, showlegend=len(groups) > 1)
    return finish(figure, title, x, y).update_xaxes(type="category")


def lines(
    positions: Sequence[float], series: Mapping[str, Sequence[Estimate]], title: str, x: str, y: str
) -> go.Figure:
    """Lines over shared positions; estimates with standard errors get a shaded band of ± 1.

    >>> from remix_utils import plot
    >>> figure = plot.lines([0, 1], {"digits-b": [(96.8, 0.7), (13.1, 1.4)]}, "Dose", "dose", "accuracy (%)")
    >>> len(figure.data)
    2

    Raises ShapeError when a series and the positions differ in length, NanError that names the series.
    """
    return curves(positions, {y: series}, title, x)


def curves(
    steps: Sequence[float],
    panels: Mapping[str, Mapping[str, Sequence[Estimate]]],
    title: str,
    x: str,
    log: bool = False,
    marks: Mapping[str, float] | None = None,
) -> go.Figure:
    """Training curves: a panel for each quantity, over shared steps, with named vertical lines at `marks`.

    A panel's name is its vertical axis, with the unit. A series keeps its colour in every panel.

    >>> from remix_utils import plot
    >>> panels = {"loss (nats)": {"train": [7.6, 4.1, 3.0]}, "prefix score": {"1.4": [0.0, 0.1, 0.8]}}
    >>> figure = plot.curves([1, 10, 100], panels, "Training", "step", log=True, marks={"phase change": 40})
    >>> [trace.name for trace in figure.data]
    ['train', '1.4']

    Raises ShapeError when a series and the steps differ in length, NanError that names the series, and PlotError
    when a logarithmic axis would have to show a step of 0 or less.
    """
    places = numbers(steps, "The positions")
    marks = {name: float(value) for name, value in (marks or {}).items()}
    if log and min([*places, *marks.values()], default=1.0) <= 0:
        least = min([*places, *marks.values()])
        raise PlotError(f"A logarithmic axis cannot show {least:g}.", fix="leave it out, or pass log=False.")
    figure = make_subplots(max(len(panels), 1), 1, shared_xaxes=True, vertical_spacing=0.06)
    names = list(dict.fromkeys(name for series in panels.values() for name in series))
    for row, (quantity, series) in enumerate(panels.items(), 1):
        for name, given in series.items():
            _add_line(figure, row, name, names.index(name), places, given)
        figure.update_yaxes(title_text=quantity, row=row, col=1)
    if log:
        figure.update_xaxes(type="log", dtick=1, exponentformat="none", separatethousands=True)
    _add_marks(figure, marks, places, log)
    figure.update_layout(showlegend=len(names) > 1)
    finish(figure, title, height=400 if len(panels) < 2 else 210 * len(panels))
    return figure.update_xaxes(title_text=x, row=max(len(panels), 1), col=1)


def _add_line(
    figure: go.Figure, row: int, name: str, look: int, places: list[float], given: Sequence[Estimate]
) -> None:
    """One series in one panel: its band, if it has errors, below its line."""
    one_each([""] * len(given), len(places), f"values of {name!r}", "positions")
    values, errors = estimates(given, f"Series {name!r}")
    colour = COLOURS[look % len(COLOURS)]
    if any(errors):
        low = [value - error for value, error in zip(values, errors, strict=True)]
        high = [value + error for value, error in zip(values, errors, strict=True)]
        band = {"fill": "toself", "fillcolor": colour, "opacity": 0.2, "line": {"width": 0}, "hoverinfo": "skip"}
        figure.add_scatter(
            x=places + places[::-1],
            y=high + low[::-1],
            mode="lines",
            legendgroup=name,
            showlegend=False,
            row=row,
            col=1,
            **band,
        )
    figure.add_scatter(
        name=name,
        x=places,
        y=values,
        mode="lines" if len(places) > DENSE else "lines+markers",
        line={"color": colour, "width": 2, "dash": DASHES[look % len(DASHES)] if len(places) > DENSE else "solid"},
        marker={"symbol": MARKERS[look % len(MARKERS)], "size": 8},
        legendgroup=name,
        showlegend=next(figure.select_traces({"name": name}), None) is None,
        row=row,
        col=1,
    )


def scatter(
    horizontal: Numbers,
    vertical: Numbers,
    names: Sequence[str],
    title: str,
    x: str,
    y: str,
    groups: Sequence[str] | None = None,
    diagonal: bool = False,
) -> go.Figure:
    """Points with a name each, which the reader sees on pointing at one; a colour and a shape for each group.

    `diagonal` draws the line on which both values are equal.

    >>> from remix_utils import plot
    >>> heads = ["0.0", "0.1", "1.0"]
    >>> figure = plot.scatter([0.1, 0.2, 2.0], [0.1, 0.3, 1.8], heads, "Two measures", "ablated", "patched")
    >>> list(figure.data[0].hovertext)
    ['0.0', '0.1', '1.0']

    Raises ShapeError when values, names or groups differ in number, and NanError.
    """
    across, up = numbers(horizontal, f"{title}, {x}"), numbers(vertical, f"{title}, {y}")
    names = one_each(names, len(across), "names", "points")
    one_each([""] * len(up), len(across), "vertical values", "horizontal ones")
    groups = one_each(groups, len(across), "groups", "points") if groups is not None else [""] * len(across)
    figure = go.Figure()
    if diagonal and across:
        ends = [min(across + up), max(across + up)]
        figure.add_scatter(
            x=ends, y=ends, mode="lines", line={"color": "#999999", "dash": "dot"}, name="equal", hoverinfo="skip"
        )
    kinds = list(dict.fromkeys(groups))
    for look, kind in enumerate(kinds):
        rows = [row for row, group in enumerate(groups) if group == kind]
        figure.add_scatter(
            name=kind,
            showlegend=bool(kind),
            x=[across[row] for row in rows],
            y=[up[row] for row in rows],
            hovertext=[names[row] for row in rows],
            mode="markers",
            marker={"color": COLOURS[look % len(COLOURS)], "symbol": MARKERS[look % len(MARKERS)], "size": 9},
        )
    figure.update_layout(showlegend=len(kinds) > 1 or diagonal, hovermode="closest")
    return finish(figure, title, x, y, height=460)


def histogram(groups: Mapping[str, Numbers], title: str, x: str, marks: Mapping[str, float] | None = None) -> go.Figure:
    """How often each value occurs, in bins that all groups share, with vertical lines at the values named in `marks`.

    >>> from remix_utils import plot
    >>> plot.histogram({"switch": torch.tensor([0.0, 2.0])}, "A switch", "activation", {"mean": 1.0}).data[0].name
    'switch'

    Raises NanError that names the group, and PlotError when a group is empty.
    """
    given = {name: tensor(values, f"Group {name!r}").flatten() for name, values in groups.items()}
    if empty := [name for name, values in given.items() if not len(values)]:
        raise PlotError(f"Group {empty[0]!r} has 0 values.", fix="give every group at least one value.")
    if not given:
        raise PlotError("A histogram of 0 groups.", fix="give at least one group of values.")
    low = min(values.min().item() for values in given.values())
    high = max(values.max().item() for values in given.values())
    edges = torch.linspace(low, high if high > low else low + 1, BINS + 1, dtype=torch.float64)
    figure = go.Figure()
    for (name, values), colour in zip(given.items(), cycle(COLOURS), strict=False):
        figure.add_bar(
            name=name,
            x=((edges[:-1] + edges[1:]) / 2).tolist(),
            y=torch.histogram(values, edges).hist.tolist(),
            width=(edges[1] - edges[0]).item(),
            marker={"color": colour},
            opacity=0.65 if len(given) > 1 else 1.0,
        )
    _add_marks(figure, marks or {}, [low, high])
    figure.update_layout(barmode="overlay", showlegend=len(groups) > 1)
    return finish(figure, title, x, "count")


def _add_marks(figure: go.Figure, marks: Mapping[str, float], places: list[float], log: bool = False) -> None:
    """Named vertical lines through all panels, each name lower than the one before, and turned inwards."""
    for look, (name, given) in enumerate(marks.items()):
        value, *ends = numbers([float(given), min(places, default=1.0), max(places, default=1.0)], f"Mark {name!r}")
        figure.add_vline(value, line={"color": INK, "dash": "dash", "width": 1.5})
        # on a logarithmic axis plotly wants a label's logarithm, but a line's plain value
        place, low, high = (log10(each) for each in (value, *ends)) if log else (value, *ends)
        figure.add_annotation(
            text=name,
            x=place,
            y=1,
            yref="paper",
            xanchor="left" if place < (low + high) / 2 else "right",
            yanchor="top",
            yshift=-20 * look,
            showarrow=False,
            bgcolor="white",
        )
