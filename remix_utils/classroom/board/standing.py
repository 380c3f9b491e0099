"""Where each pair stands: computed from its events alone, in whatever order they were read."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from remix_utils.classroom.board.catalogue import Catalogue
from remix_utils.classroom.board.lines import Event

WRONG, RIGHT, HELPED = "wrong", "right", "helped"
IDLE = 600.0  # seconds without any event
RECENT = 900.0  # seconds in which mistakes are counted
AHEAD = 60.0  # seconds by which a clock may run ahead before it is named


@dataclass
class Cell:
    """How one pair did in one exercise."""

    state: str
    wrong: int = 0  # checks that were not right, before the first one that was


class Stuck(NamedTuple):
    """The exercise of the last wrong check, and the time since which no check was right."""

    id: str
    since: float


@dataclass
class Row:
    """How one pair did."""

    desk: str
    name: str = ""
    first: float = 0.0
    last: float = 0.0
    at: str = ""  # the exercise that it worked on last
    stuck: Stuck | None = None
    cells: dict[str, Cell] = field(default_factory=dict)


def row_of(desk: str, events: Iterable[Event], catalogue: Catalogue) -> Row:
    """Returns where a pair stands after its events.

    >>> Row("0a") == row_of("0a", [], Catalogue({}))
    True
    """
    row, helped, open_since, latest = Row(desk), set(), {}, ""
    for event in sorted(events):
        row.first, row.last = row.first or event.time, event.time
        row.name = event.pair or row.name
        if event.kind in ("solution", "start_at"):
            given = {event.id} if event.kind == "solution" else set(catalogue.skipped(event.id))
            helped |= given
            open_since = {id: time for id, time in open_since.items() if id not in given}
        elif event.kind == "check" and event.id in catalogue.places:
            row.at = event.id
            if event.verdict == "right":
                open_since = {}  # no longer stuck: the pair goes on
            _judged(row.cells, event, event.id in helped)
            if event.verdict == "wrong" and row.cells[event.id].state == WRONG:
                latest = event.id
                open_since.setdefault(event.id, event.time)
    if latest in open_since:
        row.stuck = Stuck(latest, min(open_since.values()))
    return row


def _judged(cells: dict[str, Cell], event: Event, helped: bool) -> None:
    """An exercise that was right stays right; a stub that is not written yet was not tried."""
    cell = cells.get(event.id)
    if cell is not None and cell.state != WRONG:
        return
    if event.verdict == "right":
        wrong = cell.wrong if cell is not None else 0
        cells[event.id] = Cell(HELPED if helped else RIGHT, wrong)
    elif event.verdict == "wrong":
        cells[event.id] = Cell(WRONG, 1 + (cell.wrong if cell is not None else 0))


class Mistake(NamedTuple):
    """A known mistake of an exercise, in an edition of its checks, and how many pairs made it."""

    id: str
    edition: str
    number: int
    pairs: int


def commonest_mistake(events: Iterable[Event], now: float) -> Mistake | None:
    """Returns the known mistake that most pairs made in the last 15 minutes, or None.

    >>> commonest_mistake([Event(100.0, "0a", "check", "d1.1.1", "wrong", "e", 2)], now=200.0)
    Mistake(id='d1.1.1', edition='e', number=2, pairs=1)
    """
    desks, times = defaultdict(set), Counter()
    for event in events:
        if event.kind == "check" and event.verdict == "wrong" and event.mistake >= 0 and event.time > now - RECENT:
            key = (event.id, event.edition, event.mistake)
            desks[key].add(event.desk)
            times[key] += 1
    if not desks:
        return None
    best = max(desks, key=lambda key: (len(desks[key]), times[key], key))
    id, edition, number = best
    return Mistake(id, edition, number, len(desks[best]))


def totals(rows: Iterable[Row], catalogue: Catalogue) -> dict[str, dict[str, int]]:
    """Returns, for each part that was begun, its pairs, and how many of their exercises are right.

    >>> totals([], Catalogue({}))
    {}
    """
    part_of = {id: part for part, exercises in catalogue.parts.items() for id in exercises}
    found: dict[str, dict[str, int]] = {}
    for row in rows:
        right = Counter(part_of[id] for id, cell in row.cells.items() if cell.state != WRONG)
        for part in {part_of[id] for id in row.cells}:
            total = found.setdefault(part, {"pairs": 0, "right": 0, "all": 0})
            total["pairs"] += 1
            total["right"] += right[part]
            total["all"] += len(catalogue.parts[part])
    return found
