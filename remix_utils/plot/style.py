"""How every picture looks: colours that a colour-blind reader can tell apart, one colour scale, one layout."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from re import findall
from textwrap import wrap

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
