"""Draws figures once more as SVG, so that exported and printed pages keep them without plotly and without a network.

JupyterLab draws a figure with plotly, from its data. The notebook's file holds this SVG beside the data, and `jupyter
nbconvert` and "Save and Export Notebook As" use it. The module knows the parts of figures that this package uses: bars,
scatters, heatmaps, and the lines, boxes and texts over them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape
from itertools import product
from re import fullmatch, sub
from typing import NamedTuple

import plotly.graph_objects as go
import plotly.io
from plotly.io.base_renderers import MimetypeRenderer

from remix_utils.plot.axis import LETTER, Axis, Given
from remix_utils.plot.picture import Picture
from remix_utils.plot.png import png
from remix_utils.plot.style import INK, colour_at, hexadecimal, ink_on
from remix_utils.plot.svg import bar_trace, extent, legend_entry, pen, rule, scatter_trace, stretched, tag, words

WIDTH = 860
SVG = "http://www.w3.org/2000/svg"  # a name, which no browser asks for
FONT = "'Open Sans', Arial, 'DejaVu Sans', sans-serif"
GRID, ZERO = "#ebf0f8", "#b8c4d6"
PAPER = {f"{letter}paper": Axis(letter, {"visible": False}, []) for letter in "xy"}
LEVELS = 256  # of a scale of colours
NOTE = "This figure has no still picture. Open the notebook in JupyterLab and run its cell."


class Sheet(NamedTuple):
    """A figure with its axes by plotly's short names, among them those of all its panels together, and its size."""

    figure: Given
    axes: dict[str, Axis]
    width: float
    height: float

    def at(self, ref: str, letter: str, value: float) -> float:
        """Where a value is, in pixels, on an axis (x2), along its panel (x2 domain) or along all panels (paper)."""
        name, _, of_panel = ref.partition(" ")
        axis = self.axes[letter + name if name == "paper" else name]
        return axis.start + value * (axis.end - axis.start) if of_panel else axis.place(value)

    def of(self, part: Given) -> tuple[Axis, Axis]:
        """The axes of a trace, and of the panel of an axis."""
        return self.axes[part.get("xaxis", "x")], self.axes[part.get("yaxis", "y")]


def still(figure: go.Figure) -> Picture:
    """Returns a figure of this package as SVG, which needs neither plotly nor JavaScript.

    >>> from remix_utils import plot
    >>> plot.still(plot.lines([0, 1], {"a": [3.0, 2.0]}, "Loss", "step", "nats"))
    Loss
    """
    given = figure.to_dict()
    return Picture(svg(given), _plain(given["layout"]["title"]["text"]))


class StillRenderer(MimetypeRenderer):
    """Puts the SVG of each figure that is shown beside its data."""

    def to_mimebundle(self, fig_dict: Given) -> dict[str, str]:
        try:
            return {"image/svg+xml": svg(fig_dict)}  # unlike HTML, it passes every sanitizer
        except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError):
            # A figure from elsewhere can have parts that we do not know. JupyterLab must still show it.
            return {"text/plain": NOTE}


def show_still() -> None:
    """Has notebooks hold the SVG of each figure, where plotly would leave its data alone in them."""
    plotly.io.renderers["still"] = StillRenderer()
    if plotly.io.renderers.default in ("plotly_mimetype", "vscode"):
        plotly.io.renderers.default += "+still"


def svg(figure: Given) -> str:
    """Returns a figure, as plotly describes it, as SVG.

    >>> from remix_utils import plot
    >>> svg(plot.bars({"": {"a": 1.0}}, "One bar", "points").to_dict()).count("<title>")
    2
    """
    layout, sheet = figure["layout"], _sheet(figure)
    shapes = {"below": "", "above": ""}
    for shape in layout.get("shapes", ()):
        shapes[shape.get("layer", "above")] += _shape(sheet, shape)
    title = layout["title"]["text"]
    parts = [
        tag("title", escape(_plain(title))),
        tag("rect", width="100%", height="100%", fill="#fff"),
        *(_grid(sheet, axis) for axis in sheet.axes.values()),
        shapes["below"],
        *(TRACES[trace["type"]](sheet, trace) for trace in figure["data"]),
        shapes["above"],
        *(_labels(sheet, axis) for axis in sheet.axes.values()),
        *(_note(sheet, note) for note in layout.get("annotations", ())),
        *(legend_entry(trace, sheet.axes["xpaper"].start + x, y) for x, y, trace in _legend(figure)),
        words(title, sheet.axes["xpaper"].start, 24 + 10 * title.count("<br>"), "start", 16),
    ]
    look = f"max-width:100%; height:auto; font:13px {FONT}; background:#fff"
    size = {"width": sheet.width, "height": sheet.height, "viewBox": f"0 0 {sheet.width:g} {sheet.height:g}"}
    inside = sub("[\\x00-\\x1f]", " ", "".join(parts))  # XML has no control characters
    return tag("svg", inside, xmlns=SVG, **size, role="img", fill=INK, style=look)


def _plain(text: str) -> str:
    return sub("<[^>]*>", " ", text)


def _sheet(figure: Given) -> Sheet:
    """The axes with room around the panels for their texts; the panels are as large as plotly makes them."""
    layout, margin = figure["layout"], figure["layout"]["margin"]
    width, down = layout.get("width", WIDTH), layout["height"] - margin["t"] - margin["b"]
    top = max([margin["t"], *(y + 16 for _, y, _ in _legend(figure))])
    axes = [_axis(figure, name.replace("axis", "")) for name in layout if fullmatch(r"[xy]axis\d*", name)]
    first = _spread(axes, margin["l"], width - margin["r"], top, top + down)
    left = max((axis.room() for axis in first.values() if axis.letter == "y"), default=0) or margin["l"]
    placed = _spread(axes, left, width - margin["r"], top, top + down)
    below = max((axis.room() for axis in placed.values() if axis.letter == "x"), default=0) or margin["b"]
    return Sheet(figure, placed, width, top + down + below)


def _spread(axes: Iterable[tuple[str, Axis]], left: float, right: float, top: float, bottom: float) -> dict[str, Axis]:
    """The axes with their places in pixels, and two axes from 0 to 1 for all panels together."""
    placed = {}
    for short, axis in (*axes, *PAPER.items()):
        begin, size = (left, right - left) if short[0] == "x" else (bottom, top - bottom)
        low, high = axis.given.get("domain", (0, 1))
        placed[short] = axis._replace(start=begin + low * size, end=begin + high * size)
    return placed


def _axis(figure: Given, short: str) -> tuple[str, Axis]:
    """An axis with its names and the values at its ends, over all the panels that share it."""
    layout, letter = figure["layout"], short[0]
    given = layout[f"{letter}axis{short[1:]}"]

    def group(name: str) -> str:
        return layout[f"{letter}axis{name[1:]}"].get("matches", name)

    traces = [each for each in figure["data"] if group(each.get(f"{letter}axis", letter)) == group(short)]
    values = [value for trace in traces if trace["type"] != "heatmap" for value in trace[letter]]
    axis = Axis(letter, given, list(dict.fromkeys(value for value in values if isinstance(value, str))))
    found = [end for trace in traces for end in extent(trace, axis)]
    lines = [shape for shape in layout.get("shapes", ()) if shape["type"] == "line" and shape.get("xref") == short]
    found += [axis.number(line["x0"]) for line in lines]
    low, high = given.get("range") or (min(found, default=0.0), max(found, default=1.0))
    low, high = (high, low) if given.get("autorange") == "reversed" else (low, high)
    return short, axis._replace(low=low, high=high if high != low else low + 1)


def _across(sheet: Sheet, axis: Axis) -> Axis:
    """The other axis of an axis's panel."""
    return sheet.axes[axis.given.get("anchor", "y" if axis.letter == "x" else "x")]


def _grid(sheet: Sheet, axis: Axis) -> str:
    """The lines across the panel at each tick of an axis of numbers, the one at zero darker."""
    if axis.names or not axis.given.get("showgrid", True):
        return ""
    return "".join(
        rule(axis.letter, axis.place(value), _across(sheet, axis), ZERO if value == 0 else GRID)
        for value, _ in axis.ticks()
    )


def _labels(sheet: Sheet, axis: Axis) -> str:
    """The ticks' texts and the title of an axis."""
    if not axis.given.get("visible", True):
        return ""
    edge, middle, turn = _across(sheet, axis).start, (axis.start + axis.end) / 2, axis.turn()
    title, parts = axis.given["title"].get("text", ""), []
    for value, text in axis.labels():
        place, text = axis.place(value), escape(text, quote=False)
        if axis.letter == "y":
            parts.append(words(text, edge - 7, place, "end"))
        elif turn:
            parts.append(words(text, place, edge + 8, "end", transform=f"rotate(-{turn} {place:g} {edge + 8:g})"))
        else:
            parts.append(words(text, place, edge + 14))
    if axis.letter == "x":
        return "".join(parts) + words(title, middle, edge + axis.reach() + 20, size=14)
    x = edge - axis.reach() - 20
    return "".join(parts) + words(title, x, middle, size=14, transform=f"rotate(-90 {x:g} {middle:g})")


def _legend(figure: Given) -> Iterator[tuple[float, float, Given]]:
    """The traces that the legend names, each with its place: from the panels' left edge, and from the top."""
    layout = figure["layout"]
    x, y = 0.0, layout["margin"]["t"] - 16.0
    for trace in figure["data"] if layout.get("showlegend") else ():
        if trace.get("name") and trace.get("showlegend", True):
            size = 40 + LETTER * len(trace["name"])
            if x and x + size > layout.get("width", WIDTH) - 90:
                x, y = 0.0, y + 20
            yield x, y, trace
            x += size


def _bars(sheet: Sheet, trace: Given) -> str:
    """One group of bars, beside those of the other groups or over them."""
    layout, groups = sheet.figure["layout"], [each for each in sheet.figure["data"] if each["type"] == "bar"]
    count = 1 if layout["barmode"] == "overlay" else len(groups)
    width = trace.get("width", (1 - layout.get("bargap", 0.2)) / count)
    place = next(place for place, each in enumerate(groups) if each is trace) if count > 1 else 0
    return bar_trace(trace, *sheet.of(trace), width, (place - (count - 1) / 2) * width)


def _scatter(sheet: Sheet, trace: Given) -> str:
    """Points and lines between them."""
    return scatter_trace(trace, *sheet.of(trace))


def _heatmap(sheet: Sheet, trace: Given) -> str:
    """Cells in their colours, gaps between them, their numbers, and the scale of colours beside them."""
    x, y = sheet.of(trace)
    low, span, cells = trace["zmin"], trace["zmax"] - trace["zmin"], trace["z"]
    stops = [hexadecimal(colour) for _, colour in trace["colorscale"]]
    palette = [colour_at(level / (LEVELS - 1), stops) for level in range(LEVELS)]
    levels = [[min(max(round((cell - low) / span * (LEVELS - 1)), 0), LEVELS - 1) for cell in row] for row in cells]
    rows, columns = len(cells), len(cells[0])
    corners = x.place(-0.5), y.place(-0.5), x.place(columns - 0.5), y.place(rows - 0.5)
    parts = [stretched(png(levels, palette), *corners)]
    if trace.get("xgap"):
        parts += [rule("x", x.place(place + 0.5), y, "#fff") for place in range(columns - 1)]
        parts += [rule("y", y.place(place + 0.5), x, "#fff") for place in range(rows - 1)]
    if template := trace.get("texttemplate"):
        digits = template.removeprefix("%{z:").removesuffix("}")
        for row, column in product(range(rows), range(columns)):
            text = f"{cells[row][column]:{digits}}".replace("-", "\u2212")
            parts.append(words(text, x.place(column), y.place(row), size=12, fill=ink_on(palette[levels[row][column]])))
    if trace.get("showscale", True):
        parts.append(_scale(trace, palette, x.end + trace["colorbar"]["xpad"], y))
    return "".join(parts)


def _scale(trace: Given, palette: list[str], left: float, beside: Axis) -> str:
    """The colours of a heatmap with their values, from below upwards."""
    given, (top, bottom) = trace["colorbar"], sorted((beside.start, beside.end))
    axis = Axis("y", given, [], trace["zmin"], trace["zmax"], bottom, top)
    right = left + given["thickness"]
    bar = stretched(png([[level] for level in reversed(range(LEVELS))], palette), left, top, right, bottom)
    return bar + "".join(words(text, right + 4, axis.place(value), "start") for value, text in axis.ticks())


def _shape(sheet: Sheet, shape: Given) -> str:
    """A line, a box or a path that stands among the panels."""
    line = shape["line"]
    xref, yref = shape.get("xref", "x"), shape.get("yref", "y")
    if shape["type"] == "path":
        places = [each.split(",") for each in shape["path"].removeprefix("M").split("L")]
        points = (f"{sheet.at(xref, 'x', float(x)):.5g} {sheet.at(yref, 'y', float(y)):.5g}" for x, y in places)
        return tag("path", d="M" + "L".join(points), **pen(line))
    if shape.get("xsizemode") == "pixel":
        x, y = sheet.at(xref, "x", shape["xanchor"]), sheet.at(yref, "y", shape["yanchor"])
        left, right, bottom, top = x + shape["x0"], x + shape["x1"], y - shape["y0"], y - shape["y1"]
    else:
        left, right = (sheet.at(xref, "x", shape[end]) for end in ("x0", "x1"))
        bottom, top = (sheet.at(yref, "y", shape[end]) for end in ("y0", "y1"))
    if shape["type"] == "line":
        return tag("path", d=f"M{left:.5g} {bottom:.5g}L{right:.5g} {top:.5g}", **pen(line))
    width = line.get("width", 2)
    look = {"fill": shape.get("fillcolor", "none"), "stroke": line["color"] if width else None, "stroke_width": width}
    return tag("rect", x=left, y=top, width=right - left, height=bottom - top, **look)


def _note(sheet: Sheet, note: Given) -> str:
    """A text that stands among the panels, on white if plotly gives it a ground, or turned beside them."""
    text, size = note["text"], note.get("font", {}).get("size", 13)
    ref, place = note.get("xref", "x"), note["x"]
    if ref != "paper" and sheet.axes[ref].given.get("type") == "log":
        place = 10.0**place  # plotly wants a text's logarithm, but the value of all else
    x = sheet.at(ref, "x", place) + note.get("xshift", 0)
    y = sheet.at(note.get("yref", "y"), "y", note["y"]) - note.get("yshift", 0)
    if note.get("textangle"):
        x += 8 * (text.count("<br>") + 1)
        return words(text, x, y, size=size, transform=f"rotate({note['textangle']} {x:g} {y:g})")
    y += {"top": 10, "bottom": -10}.get(note.get("yanchor", ""), 0)
    anchor, shift = {"left": ("start", 3), "right": ("end", -3)}.get(note.get("xanchor", ""), ("middle", 0))
    halo = {"stroke": "#fff", "stroke_width": 4, "paint_order": "stroke"} if "bgcolor" in note else {}
    return words(text, x + shift, y, anchor, size, **halo)


TRACES = {"bar": _bars, "scatter": _scatter, "heatmap": _heatmap}
show_still()
