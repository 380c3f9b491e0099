"""How every picture looks: colours that a colour-blind reader can tell apart, one colour scale, layout and axes."""

from __future__ import annotations

import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from math import ceil, floor, log10
from re import findall
from struct import pack
from textwrap import wrap
from typing import Any, NamedTuple

import plotly.graph_objects as go

# Okabe and Ito's palette; the patterns and markers say the same thing to whoever sees no colour at all.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
PATTERNS = ("", "/", ".", "x", "-", "+")
MARKERS = ("circle", "square", "diamond", "cross", "triangle-up", "x")

# ColorBrewer's RdBu: grey is zero, blue is more, red is below zero. What is never negative uses the upper half.
DIVERGING = ("#67001f", "#b2182b", "#d6604d", "#f4a582", "#fddbc7", "#f0f0f0")
SEQUENTIAL = ("#f0f0f0", "#d1e5f0", "#92c5de", "#4393c3", "#2166ac", "#053061")
DIVERGING = (*DIVERGING, *SEQUENTIAL[1:])
INK = "#222222"
LETTER = 7.8  # the mean width of a letter in pixels, at size 13, in a wide font

Given = Mapping[str, Any]  # a part of a figure, in plotly's words
Ticks = list[tuple[float, str]]  # values and their texts


def finish(figure: go.Figure, title: str, x: str = "", y: str = "", height: int = 400) -> go.Figure:
    """The figure with its title, its axes' names with units, and the one layout that all pictures share.

    `height` is that of the axes with their names; what stands above them is added.

    >>> finish(go.Figure(), "Loss", "step", "loss (nats)").layout.xaxis.title.text
    'step'
    """
    title_lines = wrap(title, 90)
    above = 22 + 20 * len(title_lines) + (24 if figure.layout.showlegend else 0)
    figure.update_layout(
        template="plotly_white",
        font={"size": 13, "color": INK},
        title={"text": "<br>".join(title_lines), "font": {"size": 16}, "x": 0, "xref": "paper"},
        legend={"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"},
        height=height + above,
        margin={"t": above, "b": 55, "l": 65, "r": 20},
    )
    # plotly puts the first of several lines ten pixels higher than a single line
    pad = 14 if len(title_lines) < 2 else 24
    figure.update_layout(title={"y": 1, "yref": "container", "yanchor": "top", "pad": {"t": pad}})
    figure.update_xaxes(title={"standoff": 12}, automargin=True, autotickangles=[0, -45, -90])
    figure.update_yaxes(title={"standoff": 12}, automargin=True)
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def colour_at(fraction: float, stops: Sequence[str] = SEQUENTIAL) -> str:
    """The colour at a place from 0 to 1 on a scale.

    >>> colour_at(0.0), colour_at(1.0)
    ('#f0f0f0', '#053061')
    """
    place = min(max(fraction, 0.0), 1.0) * (len(stops) - 1)
    index = min(floor(place), len(stops) - 2)
    low, high = ([int(stop[i : i + 2], 16) for i in (1, 3, 5)] for stop in stops[index : index + 2])
    return "#" + "".join(f"{round(a + (b - a) * (place - index)):02x}" for a, b in zip(low, high, strict=True))


def hexadecimal(colour: str) -> str:
    """Returns a colour in hexadecimal, also where plotly writes its three parts in decimal numbers.

    >>> hexadecimal("rgb(0,255,16)")
    '#00ff10'
    """
    return colour if colour.startswith("#") else "#" + bytes(map(int, findall(r"\d+", colour))).hex()


def ink_on(colour: str) -> str:
    """Black or white, whichever stands out more from a colour.

    >>> ink_on("#053061"), ink_on("#f0f0f0")
    ('#ffffff', '#000000')
    """
    return max(("#000000", "#ffffff"), key=lambda ink: contrast(ink, colour))


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, from 1 to 21, as the accessibility guidelines define it.

    >>> contrast("#000000", "#ffffff")
    21.0
    """
    dark, light = sorted(_luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def scale(least: float, most: float) -> tuple[tuple[str, ...], float, float]:
    """Colours with the values of their ends: symmetric about zero if anything is negative, else from zero up.

    >>> scale(-1.0, 3.0)[1:], scale(0.0, 3.0)[1:]
    ((-3.0, 3.0), (0.0, 3.0))
    """
    largest = max(abs(least), abs(most)) or 1.0
    return (DIVERGING, -largest, largest) if least < 0 else (SEQUENTIAL, 0.0, largest)


def decimals(largest: float) -> int:
    """How many decimals make numbers up to `largest` readable: three digits, at least two decimals below one.

    >>> [decimals(size) for size in (0.004, 0.9, 5.2, 91.1, 230.0)]
    [4, 2, 2, 1, 0]
    """
    return next((n for n, size in ((0, 100), (1, 10), (2, 0.1), (3, 0.01)) if largest >= size), 4)


def png(levels: Sequence[Sequence[int]], palette: Sequence[str], least: int = 1) -> str:
    """Returns a picture of palette indices [rows, columns] as an address that holds the whole PNG.

    Each index becomes a square of pixels, so that the picture is at least `least` pixels wide.

    >>> png([[0, 1], [1, 0]], ["#ffffff", "#000000"])[:27]
    'data:image/png;base64,iVBOR'
    """
    each = -(-least // len(levels[0]))
    # Each row begins with its filter, none.
    rows = [b"\0" + bytes(level for level in row for _ in range(each)) for row in levels for _ in range(each)]
    chunks = (
        (b"IHDR", pack(">IIBBBBB", len(rows[0]) - 1, len(rows), 8, 3, 0, 0, 0)),
        (b"PLTE", bytes.fromhex("".join(palette).replace("#", ""))),
        (b"IDAT", zlib.compress(b"".join(rows), 9)),
        (b"IEND", b""),
    )
    parts = (pack(">I", len(body)) + kind + body + pack(">I", zlib.crc32(kind + body)) for kind, body in chunks)
    picture = b"\x89PNG\r\n\x1a\n" + b"".join(parts)
    return f"data:image/png;base64,{b64encode(picture).decode()}"


def ticks(low: float, high: float, most: int) -> Ticks:
    """Returns round values between two others, at most about `most` of them, each with its text.

    >>> ticks(-0.1, 1.05, 4)
    [(0.0, '0'), (0.5, '0.5'), (1.0, '1')]
    """
    rough = (high - low) / max(most, 1)
    power = 10.0 ** floor(log10(rough))
    step = next(size for size in (power, 2 * power, 5 * power, 10 * power) if size >= rough)
    values = [round(place * step, 12) for place in range(ceil(low / step), floor(high / step) + 1)]
    return [(value, f"{value:,.10g}".replace("-", "\u2212")) for value in values]


class Axis(NamedTuple):
    """An axis: x or y, what plotly was told, its names if it has any, the values at its ends, the pixels there.

    >>> Axis("x", {}, [], 0.0, 10.0, 100.0, 200.0).place(5)
    150.0
    """

    letter: str
    given: Given
    names: list[str]
    low: float = 0.0
    high: float = 1.0
    start: float = 0.0
    end: float = 1.0

    def number(self, value: float | str) -> float:
        """Returns a value as a number: the place of a name, or the logarithm on a logarithmic axis."""
        if isinstance(value, str):
            return float(self.names.index(value))
        return log10(value) if self.given.get("type") == "log" else float(value)

    def place(self, value: float | str) -> float:
        """Returns where a value is, in pixels."""
        return self.start + (self.number(value) - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self) -> Ticks:
        """Returns values and their texts, few enough to be read; none on an axis that is hidden."""
        if not self.given.get("visible", True):
            return []
        if "tickvals" in self.given:
            return list(zip(self.given["tickvals"], self.given["ticktext"], strict=True))
        if self.names:
            return [(float(place), name) for place, name in enumerate(self.names)]
        low, high = sorted((self.low, self.high))
        if self.given.get("type") == "log":
            return [(10.0**power, f"{10.0**power:,.10g}") for power in range(ceil(low), floor(high) + 1)]
        return ticks(low, high, int(abs(self.end - self.start)) // (100 if self.letter == "x" else 50))

    def labels(self) -> Ticks:
        """Returns the ticks whose texts are shown; none where another panel below shows them."""
        return self.ticks() if self.given.get("showticklabels", True) else []

    def turn(self) -> int:
        """Returns by how many degrees the texts below a panel are turned, so that they do not overlap."""
        marks = self.labels()
        if self.letter == "y" or len(marks) < 2:
            return 0
        apart = abs(self.place(marks[1][0]) - self.place(marks[0][0]))
        if max(len(text) for _, text in marks) * LETTER < apart:
            return 0
        return 45 if apart > 18 else 90

    def reach(self) -> float:
        """Returns how far the ticks' texts reach away from the panel, in pixels."""
        longest = max((len(text) for _, text in self.labels()), default=0) * LETTER
        if self.letter == "y" or not longest:
            return longest
        return {0: 18.0, 45: 0.71 * longest + 12, 90: longest}[self.turn()]

    def room(self) -> float:
        """Returns the room that the axis needs beside its panel, in pixels; 0 if the axis is hidden."""
        if not self.given.get("visible", True):
            return 0.0
        title = self.given["title"].get("text", "")
        return 14 + self.reach() + (22 + 16 * title.count("<br>") if title else 0)
