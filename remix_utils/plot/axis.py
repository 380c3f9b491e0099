"""The axes of a chart: where a value is in pixels, which ticks are shown, and how much room they need."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil, floor, log10
from typing import Any, NamedTuple

LETTER = 7.8  # the mean width of a letter in pixels, at size 13, in a wide font
Given = Mapping[str, Any]  # a part of a figure, in plotly's words
Ticks = list[tuple[float, str]]  # values and their texts


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
