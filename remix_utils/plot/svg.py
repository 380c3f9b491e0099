"""The parts of a chart as elements of SVG: texts, lines, symbols, bars, points, and entries of a legend."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Any

from remix_utils.plot.axis import Axis, Given
from remix_utils.plot.style import INK


def tag(name: str, inside: str = "", **attributes: object) -> str:
    """Returns an element of SVG; `_` in the name of an attribute stands for `-`, and None leaves it out.

    >>> tag("line", x1=0, x2=10.0, stroke_width=2)
    '<line x1="0" x2="10" stroke-width="2"/>'
    """
    given = ((key.replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    plain = ((key, f"{value:.5g}" if isinstance(value, float) else str(value)) for key, value in given)
    head = name + "".join(f' {key}="{escape(value)}"' for key, value in plain)
    return f"<{head}>{inside}</{name}>" if inside else f"<{head}/>"


def words(text: str, x: float, y: float, anchor: str = "middle", size: float = 13, **attributes: object) -> str:
    """Returns text as SVG with its lines centred about a height; the text has plotly's few tags of HTML.

    >>> "bold" in words("<b>0.3</b><br>odd's row", 10, 20)
    True
    """
    lines = [_styled(line) for line in text.split("<br>")]
    spans = [
        tag("tspan", line, x=float(x), y=float(y + size * (1.25 * (row - (len(lines) - 1) / 2) + 0.35)))
        for row, line in enumerate(lines)
    ]
    given = {"text_anchor": anchor, "font_size": None if size == 13 else size}
    return tag("text", "".join(spans), **(given | attributes))


def _styled(line: str) -> str:
    """A line of text with plotly's tags as those of SVG; any other tag is shown as it is written."""
    line = escape(unescape(re.sub("<(/?(?:b|i|span)(?: style='[^']*')?)>", "\0\\1\1", line)), quote=False)
    for name, style in (("b", "font-weight:bold"), ("i", "font-style:italic")):
        line = line.replace(f"\0{name}\1", f'<tspan style="{style}">').replace(f"\0/{name}\1", "</tspan>")
    line = re.sub("\0span style='([^']*)'\1", '<tspan style="\\1">', line)
    return line.replace("\0/span\1", "</tspan>")


# Each within a square from -1 to 1.
SYMBOLS = {
    "circle": "M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0Z",
    "square": "M-1 -1H1V1H-1Z",
    "diamond": "M0 -1.3L1.3 0L0 1.3L-1.3 0Z",
    "cross": "M-.4 -1.2H.4V-.4H1.2V.4H.4V1.2H-.4V.4H-1.2V-.4H-.4Z",
    "triangle-up": "M0 -1.1L1.15 .9H-1.15Z",
    "x": "M-1.1 -.6L-.6 -1.1L0 -.5L.6 -1.1L1.1 -.6L.5 0L1.1 .6L.6 1.1L0 .5L-.6 1.1L-1.1 .6L-.5 0Z",
}


HATCHES = {"/": "M-2 2L2 -2M0 8L8 0M6 10L10 6", "x": "M0 0L8 8M8 0L0 8", "-": "M0 4H8", "+": "M0 4H8M4 0V8"}
HATCHES["."] = "M3 4H5"  # each on a square of 8 by 8
GAP = (-1.0, -1.0)  # the place of a value that is not there, outside every picture
DASHES = {"dash": "9 5", "dot": "3 4", "dashdot": "9 4 3 4", "longdash": "14 5", "longdashdot": "14 4 3 4"}


def pen(given: Given) -> dict[str, Any]:
    """Returns the attributes of a line, in plotly's words, for an element of SVG.

    >>> pen({"color": "#000000", "dash": "dot"})["stroke_dasharray"]
    '3 4'
    """
    dash = DASHES.get(given.get("dash", ""))
    return {"fill": "none", "stroke": given["color"], "stroke_width": given.get("width", 2), "stroke_dasharray": dash}


def rule(letter: str, place: float, across: Axis, colour: str) -> str:
    """Returns a line at a place of the x or the y axis, across the whole panel.

    >>> rule("x", 5.0, Axis("y", {}, []), "#000000")
    '<path d="M5 0V1" stroke="#000000"/>'
    """
    d = (
        f"M{place:g} {across.start:g}V{across.end:g}"
        if letter == "x"
        else f"M{across.start:g} {place:g}H{across.end:g}"
    )
    return tag("path", d=d, stroke=colour)


def symbol(name: str, x: float, y: float, size: float, colour: str, hover: str = "") -> str:
    """Returns a marker of a scatter as SVG, with the text that a reader sees on pointing at it.

    >>> symbol("square", 5, 5, 8, "#000000").startswith("<path d=")
    True
    """
    place = f"translate({x:.5g} {y:.5g}) scale({size / 2:g})"
    return tag("path", tag("title", escape(hover)) if hover else "", d=SYMBOLS[name], transform=place, fill=colour)


def paint(marker: Given) -> tuple[str, str]:
    """Returns the definition of a bar's colour and hatching, if any, and its fill.

    >>> paint({"color": "#000000"})
    ('', '#000000')
    """
    colour, shape = marker["color"], marker.get("pattern", {}).get("shape", "")
    if not shape:
        return "", colour
    name = f"hatch-{list(HATCHES).index(shape)}-{colour[1:]}"  # the same in every figure that has it
    square = tag("rect", width=8, height=8, fill=colour) + tag(
        "path", d=HATCHES[shape], stroke="#fff", stroke_width=1.5
    )
    return tag("pattern", square, id=name, width=8, height=8, patternUnits="userSpaceOnUse"), f"url(#{name})"


def error_bar(letter: str, place: float, one: float, other: float) -> str:
    """Returns the bar of an error along the x or the y axis, between two places.

    >>> error_bar("y", 5.0, 1.0, 2.0)
    '<path d="M5 1V2M2 1h6M2 2h6" stroke="#222222" stroke-width="1.5"/>'
    """
    d = f"M{place:g} {one:g}V{other:g}M{place - 3:g} {one:g}h6M{place - 3:g} {other:g}h6"
    if letter == "x":
        d = f"M{one:g} {place:g}H{other:g}M{one:g} {place - 3:g}v6M{other:g} {place - 3:g}v6"
    return tag("path", d=d, stroke=INK, stroke_width=1.5)


def errors_of(trace: Given, letter: str) -> list[float]:
    """Returns the standard errors of a trace along an axis, 0 where there is none.

    >>> errors_of({"y": [1.0, 2.0], "error_y": {"array": ["none", 0.5]}}, "y")
    [0.0, 0.5]
    """
    given = trace.get(f"error_{letter}", {}).get("array") or [0.0] * len(trace[letter])
    return [error if isinstance(error, float | int) else 0.0 for error in given]


def bar_trace(trace: Given, x: Axis, y: Axis, width: float, shift: float) -> str:
    """Returns one group of bars with their errors, `width` wide and `shift` to the right of their names."""
    definition, fill = paint(trace["marker"])
    parts = [definition]
    for name, value, error in zip(trace["x"], trace["y"], errors_of(trace, "y"), strict=True):
        middle = x.number(name) + shift
        left, right = x.place(middle - width / 2), x.place(middle + width / 2)
        top, bottom = sorted((y.place(0), y.place(value)))
        hover = tag("title", escape(f"{trace.get('name') or ''} {name}: {value:.4g}".strip()))
        box = {"x": left, "y": top, "width": right - left, "height": bottom - top}
        parts.append(tag("rect", hover, **box, fill=fill, opacity=trace.get("opacity")))
        if error:
            parts.append(error_bar("y", (left + right) / 2, y.place(value - error), y.place(value + error)))
    return "".join(parts)


def scatter_trace(trace: Given, x: Axis, y: Axis) -> str:
    """Returns the line of a scatter, or the band that it encloses, and its points with texts and errors."""
    points = [
        GAP if value is None else (x.place(value), y.place(other))
        for value, other in zip(trace["x"], trace["y"], strict=True)
    ]
    parts = []
    if "lines" in trace["mode"]:
        path = "".join(" " if (across, down) == GAP else f"L{across:.5g} {down:.5g}" for across, down in points)
        path = re.sub(r"(^| )L", "M", path)
        if trace.get("fill") == "toself":
            parts.append(tag("path", d=path, fill=trace["fillcolor"], opacity=trace.get("opacity")))
        else:
            parts.append(tag("path", d=path, **pen(trace["line"])))
    if trace["mode"] == "lines":
        return parts[0]
    errors, marker = errors_of(trace, "x"), trace.get("marker", {})
    for place, (across, down) in enumerate(points):
        if error := errors[place]:
            parts.append(error_bar("x", down, x.place(trace["x"][place] - error), x.place(trace["x"][place] + error)))
        if "markers" in trace["mode"]:
            look = marker.get("symbol", "circle"), across, down, marker["size"], point_colour(trace, place)
            parts.append(symbol(*look, trace["hovertext"][place] if trace.get("hovertext") else ""))
        if "text" in trace["mode"]:
            beside = "right" in trace.get("textposition", "")
            parts.append(words(trace["text"][place], across + 10 * beside, down, "start" if beside else "middle"))
    return "".join(parts)


def point_colour(trace: Given, place: int) -> str:
    """Returns the colour of one point of a scatter: its own, that of all, or that of their line.

    >>> point_colour({"marker": {}, "line": {"color": "#000000"}}, 0)
    '#000000'
    """
    colour = trace["marker"].get("color") or trace["line"]["color"]
    return colour if isinstance(colour, str) else colour[place]


def stretched(address: str, left: float, top: float, right: float, bottom: float) -> str:
    """Returns a picture whose pixels become large squares, as an element of SVG.

    >>> stretched("data:", 0.0, 0.0, 10.0, 10.0)[:20]
    '<image href="data:" '
    """
    box = {"x": left, "y": top, "width": right - left, "height": bottom - top, "preserveAspectRatio": "none"}
    return tag("image", href=address, **box, style="image-rendering:pixelated")


def legend_entry(trace: Given, x: float, y: float) -> str:
    """Returns the name of a trace beside a sample of it.

    >>> "digits-a" in legend_entry({"type": "bar", "name": "digits-a", "marker": {"color": "#000000"}}, 0.0, 0.0)
    True
    """
    name = words(escape(trace["name"], quote=False), x + 26, y, "start")
    if trace["type"] == "bar":
        definition, fill = paint(trace["marker"])
        return definition + tag("rect", x=x, y=y - 6, width=20, height=12, fill=fill) + name
    parts = []
    if "lines" in trace["mode"]:
        parts.append(tag("path", d=f"M{x:g} {y:g}h20", **pen(trace["line"])))
    if "markers" in trace["mode"]:
        parts.append(symbol(trace["marker"]["symbol"], x + 10, y, trace["marker"]["size"], point_colour(trace, 0)))
    return "".join(parts) + name


def extent(trace: Given, axis: Axis) -> tuple[float, float]:
    """Returns the values between which an axis shows a trace, with some room around points.

    >>> extent({"type": "bar", "y": [2.0]}, Axis("y", {}, []))
    (0.0, 2.12)
    """
    if trace["type"] == "heatmap":
        return -0.5, len(trace["z"][0] if axis.letter == "x" else trace["z"]) - 0.5
    pairs = zip(trace[axis.letter], errors_of(trace, axis.letter), strict=True)
    ends = [axis.number(value) + each for value, error in pairs if value is not None for each in (-error, error)]
    low, high = min(ends, default=0.0), max(ends, default=1.0)
    if trace["type"] == "bar" and axis.letter == "x":
        half = trace.get("width", 1) / 2
        return low - half, high + half
    if trace["type"] == "bar":
        low, high = min(low, 0.0), max(high, 0.0)
        return low * 1.06, high * 1.06
    room = 0.06 * (high - low) if axis.letter == "y" or "markers" in trace["mode"] else 0.0
    return low - room, high + room
