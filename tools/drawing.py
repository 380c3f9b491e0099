"""Draws diagrams as SVG: streams and arrows, and the picture that holds them and `tools.plates`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import dist

from tools.plates import FONT, ROLES, SIDES, SMALL, Box, DiagramError, Point, number, require_role

Place = tuple[float, float]  # x and y
HEAD = 9  # the length of an arrow's head
MARGIN = 6


@dataclass(frozen=True)
class Stream:
    """Draws a residual stream, a thick vertical line that runs upwards; arrows join it anywhere.

    >>> Stream(x=50, bottom=200, top=20).side("right", y=90)
    Point(x=53.0, y=90, out=(1, 0))
    """

    x: float
    bottom: float
    top: float
    role: str = "grey"
    width: float = 6

    def __post_init__(self):
        require_role(self.role)

    @property
    def frame(self) -> tuple[float, float, float, float]:
        return self.x - self.width / 2, self.top, self.x + self.width / 2, self.bottom

    def side(self, name: str, y: float) -> Point:
        """Returns the point at a height on the left or the right of the stream."""
        return Point(self.x + SIDES[name][0] * self.width / 2, y, SIDES[name])

    def svg(self) -> str:
        x, top, bottom = number(self.x), number(self.top), number(self.bottom)
        return f'<path d="M{x} {bottom}V{top}" {stroke(self.role, self.width)}/>'


@dataclass(frozen=True)
class Arrow:
    """Draws an arrow between two points, straight, or leaving both outwards with round bends.

    >>> start, end = Box("a", (0, 0)).side("right"), Box("b", (100, 40)).side("bottom")
    >>> Arrow(start, end, "reads", bent=True).corners[1]
    (100.0, 0.0)
    """

    start: Point
    end: Point
    label: str = ""
    role: str = "grey"
    dashed: bool = False
    bent: bool = False
    radius: float = 16  # of a bend
    depth: float = 40  # how far an arrow between two sides of one direction goes beyond them
    label_at: float = 0.5  # where the label stands, as a share of the way

    def __post_init__(self):
        require_role(self.role)
        length = dist(self.corners[0], self.corners[-1])
        if length < HEAD:
            raise DiagramError(
                f"The ends of arrow {self.label!r} are {length:g} apart; its head needs {HEAD}.",
                fix="leave more room between the things that it joins.",
            )

    @property
    def corners(self) -> list[Place]:
        """Returns the ends of the arrow with its bends between them, as if these were sharp."""
        bends = self._bends() if self.bent else []
        return [(self.start.x, self.start.y), *bends, (self.end.x, self.end.y)]

    def _bends(self) -> list[Place]:
        """Returns one bend between sides at a right angle, else two, or none on a straight line."""
        start, end = self.start, self.end
        (start_across, start_down), (end_across, end_down) = start.out, end.out
        if start_across and end_down:
            return [(end.x, start.y)]
        if start_down and end_across:
            return [(start.x, end.y)]
        if start_across:
            x = self._middle(start.x, end.x, start_across, end_across)
            bends = [(x, start.y), (x, end.y)]
        else:
            y = self._middle(start.y, end.y, start_down, end_down)
            bends = [(start.x, y), (end.x, y)]
        return bends if bends[0] != bends[1] else []

    def _middle(self, start: float, end: float, start_out: int, end_out: int) -> float:
        """Returns the coordinate of the stretch between two bends: halfway, or beyond both ends."""
        if start_out != end_out:
            return (start + end) / 2
        if start_out > 0:
            return max(start, end) + self.depth
        return min(start, end) - self.depth

    def place(self, share: float) -> Place:
        """Returns the place after a share of the way."""
        corners = self.corners
        lengths = [dist(*ends) for ends in pairwise(corners)]
        rest = share * sum(lengths)
        for (one, two), length in zip(pairwise(corners), lengths, strict=True):
            if rest <= length:
                return towards(one, two, rest)
            rest -= length
        return corners[-1]

    @property
    def plate(self) -> Box | None:
        """Returns the arrow's label on its plate; None for an arrow without one."""
        if not self.label:
            return None
        place = self.place(self.label_at)
        return Box(self.label, place, self.role, font=SMALL, padding=6, corner=4, edge=1)

    @property
    def frame(self) -> tuple[float, float, float, float]:
        across, down = zip(*self.corners, strict=True)
        return min(across), min(down), max(across), max(down)

    def svg(self) -> str:
        corners = self.corners
        tip, base = corners[-1], towards(corners[-1], corners[-2], HEAD)
        line = f"M{pair(corners[0])}"
        for before, corner, after in zip(corners, corners[1:], corners[2:], strict=False):
            # Half of each stretch at most belongs to the bend at one of its ends.
            radius = min(self.radius, dist(before, corner) / 2, dist(corner, after) / 2)
            enter, leave = towards(corner, before, radius), towards(corner, after, radius)
            line += f"L{pair(enter)}Q{pair(corner)} {pair(leave)}"
        aside = (base[1] - tip[1]) / 2, (tip[0] - base[0]) / 2
        wings = [(base[0] + n * aside[0], base[1] + n * aside[1]) for n in (-1, 1)]
        head = "L".join(pair(point) for point in (tip, *wings))
        dashes = ' stroke-dasharray="6 4"' if self.dashed else ""
        return (
            f'<path d="{line}L{pair(base)}" {stroke(self.role, 2)}{dashes}/>\n'
            f'<path d="M{head}Z" fill="{ROLES[self.role][0]}"/>'
        )


@dataclass(frozen=True)
class Drawing:
    """Holds the parts of a diagram, and a title of a few words for readers of the SVG alone.

    >>> Drawing("One box", (Box("x", at=(0, 0)),)).svg().splitlines()[1]
    '<title>One box</title>'
    """

    title: str
    parts: tuple[Box | Arrow | Stream, ...]

    @property
    def plates(self) -> list[Box]:
        """Returns everything that carries text."""
        labels = [part.plate for part in self.parts if isinstance(part, Arrow) and part.plate]
        return [part for part in self.parts if isinstance(part, Box)] + labels

    def svg(self) -> str:
        """Returns the picture as SVG, with streams below arrows and labels on top."""
        frames = [shape.frame for shape in (*self.parts, *self.plates)]
        left, top = (min(frame[side] for frame in frames) - MARGIN for side in (0, 1))
        width = max(frame[2] for frame in frames) + MARGIN - left
        height = max(frame[3] for frame in frames) + MARGIN - top
        size = f'width="{number(width)}" height="{number(height)}"'
        view = f'viewBox="{number(left)} {number(top)} {number(width)} {number(height)}"'
        lines = [part for kind in (Stream, Arrow) for part in self.parts if isinstance(part, kind)]
        return "\n".join(
            [
                f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {view}>',
                f"<title>{escape(self.title, quote=False)}</title>",
                f'<g font-family="{FONT}" text-anchor="middle">',
                *(shape.svg() for shape in (*lines, *self.plates)),
                "</g></svg>",
            ]
        )


def pair(point: Place) -> str:
    return f"{number(point[0])} {number(point[1])}"


def towards(one: Place, two: Place, length: float) -> Place:
    """Returns the place at a distance from one place, in the direction of another.

    >>> towards((0, 0), (0, 10), 3)
    (0.0, 3.0)
    """
    share = length / dist(one, two)
    return one[0] + share * (two[0] - one[0]), one[1] + share * (two[1] - one[1])


def stroke(role: str, width: float) -> str:
    return f'fill="none" stroke="{ROLES[role][0]}" stroke-width="{number(width)}"'
