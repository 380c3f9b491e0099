"""Draws labels on plates as SVG: boxes, texts, rows of tokens, and the mark of a sum.

Coordinates are pixels, x to the right and y down. JupyterLab shows a diagram as an image, which
cannot know the theme of the page around it. A drawing therefore has no background, its lines have
colours that stand out on white and on black, and every label has a light plate of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from math import ceil

from remix_utils.errors import RemixError, nearest

# The line and the plate of each role. A line needs a contrast of at least 3 on white and on the
# dark page of JupyterLab, #111111. These colours of Okabe and Ito's palette have it, and a grey.
ROLES = {
    "grey": ("#7a7a7a", "#f3f3f3"),
    "blue": ("#0072b2", "#e3f0f8"),
    "orange": ("#d55e00", "#fdeadd"),
    "green": ("#009e73", "#dff5ed"),
    "pink": ("#cc79a7", "#fbecf4"),
}
INK = "#1a1a1a"
FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"
# Widths of characters as shares of the font's size. They are those of DejaVu Sans, rounded up: of
# the fonts in FONT it is the widest, so a label that fits its plate here fits with all of them.
WIDTHS = {" '.,ijlIJ|:;/·’": 0.34, 'f-()[]tr!"': 0.46, "ABCDGHKNOQRUVXZ&": 0.79}
WIDTHS |= {"mwMW@%#+<=>~^×→≥−…": 1.0}
OTHER_WIDTH = 0.64
LINE = 1.3  # the height of a line of text, as a share of the font's size
BODY, SMALL = 15, 13  # font sizes
SIDES = {"left": (-1, 0), "right": (1, 0), "top": (0, -1), "bottom": (0, 1)}


class DiagramError(RemixError):
    """A diagram that cannot be drawn, or that a lesson shows and no function draws."""


def require_role(role: str) -> None:
    """Checks that a role has colours."""
    if role not in ROLES:
        fact = f"There is no role {role!r}; {nearest(role, ROLES)}."
        raise DiagramError(fact, fix="use one of the roles in tools/plates.py.")


def text_width(line: str, font: int) -> float:
    """Returns the width of a line of text in the widest font that may show it.

    >>> round(text_width("il", 100)), round(text_width("mw", 100))
    (68, 200)
    """
    shares = {letter: share for letters, share in WIDTHS.items() for letter in letters}
    return font * sum(shares.get(letter, OTHER_WIDTH) for letter in line)


def number(value: float) -> str:
    """Returns a coordinate to a tenth of a pixel, so that a drawing has the same bytes anywhere."""
    return f"{round(value, 1) + 0:g}"  # adding zero turns -0.0 into 0.0


@dataclass(frozen=True)
class Point:
    """Names a place where an arrow may start or end, and the direction outwards from there."""

    x: float
    y: float
    out: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Box:
    r"""Draws a label on a plate, centred at a place; without a size the plate fits the label.

    >>> box = Box("hidden\nrelu [16]", at=(100, 50), size=(90, 50))
    >>> box.frame, box.side("right")
    ((55.0, 25.0, 145.0, 75.0), Point(x=145.0, y=50.0, out=(1, 0)))
    """

    label: str
    at: tuple[float, float]
    role: str = "grey"
    size: tuple[float, float] | None = None
    font: int = BODY
    padding: int = 10
    corner: float = 8
    edge: float = 2  # the width of the plate's outline; 0 leaves it out

    def __post_init__(self):
        require_role(self.role)
        least, given = self.least_size, self.size or self.least_size
        if given[0] < least[0] or given[1] < least[1]:
            raise DiagramError(
                f"The box {self.label!r} is {given[0]:g} × {given[1]:g}, but its label needs "
                f"{least[0]:g} × {least[1]:g}.",
                fix="give the box that size, shorten the label, or leave the size out.",
            )

    @property
    def lines(self) -> list[str]:
        return self.label.split("\n")

    @property
    def least_size(self) -> tuple[int, int]:
        """Returns the smallest size that leaves the padding around the label."""
        width = max(text_width(line, self.font) for line in self.lines)
        height = len(self.lines) * self.font * LINE
        return ceil(width + 2 * self.padding), ceil(height + self.padding)

    @property
    def frame(self) -> tuple[float, float, float, float]:
        """Returns the left, top, right and bottom of the plate."""
        (x, y), (width, height) = self.at, self.size or self.least_size
        return x - width / 2, y - height / 2, x + width / 2, y + height / 2

    def side(self, name: str, along: float = 0.5) -> Point:
        """Returns a point on one side, `along` of the way from its left or upper end."""
        left, top, right, bottom = self.frame
        x, y = left + along * (right - left), top + along * (bottom - top)
        places = {"left": (left, y), "right": (right, y), "top": (x, top), "bottom": (x, bottom)}
        return Point(*places[name], SIDES[name])

    def svg(self) -> str:
        left, top, right, bottom = self.frame
        line, plate = ROLES[self.role]
        outline = f' stroke="{line}" stroke-width="{number(self.edge)}"' if self.edge else ""
        place = f'x="{number(left)}" y="{number(top)}" rx="{number(self.corner)}"'
        size = f'width="{number(right - left)}" height="{number(bottom - top)}"'
        rows = [f'<rect {place} {size} fill="{plate}"{outline}/>']
        # A text is placed by its baseline, which is a third of its size below its middle.
        first = self.at[1] + self.font * (0.35 - LINE * (len(self.lines) - 1) / 2)
        for row, content in enumerate(self.lines):
            place = f'x="{number(self.at[0])}" y="{number(first + row * self.font * LINE)}"'
            style = f'font-size="{self.font}" fill="{INK}"'
            rows.append(f"<text {place} {style}>{escape(content, quote=False)}</text>")
        return "\n".join(rows)


def text(label: str, at: tuple[float, float], hold: str = "middle", role: str = "grey") -> Box:
    """Returns a note in small letters, without an outline, held at its middle, left or right end.

    >>> text("layer 0", (10, 0), hold="left").frame[0]
    10.0
    """
    note = Box(label, at, role, font=SMALL, padding=6, corner=4, edge=0)
    half = note.least_size[0] / 2
    shift = {"middle": 0, "left": half, "right": -half}[hold]
    return replace(note, at=(at[0] + shift, at[1]))


def tokens(labels: Sequence[str], at: tuple[float, float], step: float) -> list[Box]:
    """Returns a row of equal boxes, the first one centred at a place, each a step to the right.

    >>> [box.at for box in tokens(["A", "B"], at=(40, 20), step=60)]
    [(40, 20), (100, 20)]
    """
    places = [(at[0] + step * column, at[1]) for column in range(len(labels))]
    width = max(44, *(Box(label, at).least_size[0] for label in labels))
    pairs = zip(labels, places, strict=True)
    return [Box(label, place, size=(width, 44), corner=4) for label, place in pairs]


def plus(at: tuple[float, float]) -> Box:
    """Returns the round mark of a place where arrows are added up.

    >>> plus((50, 50)).side("left").x
    36.0
    """
    return Box("+", at, size=(28, 28), padding=4, corner=14)
