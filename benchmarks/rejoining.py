"""How long a pair waits for `start_at`, from every exercise of every part."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from benchmarks.measure import Floor, Row, seconds
from benchmarks.scale import Scale
from remix_utils.checks.bundle import from_master
from remix_utils.checks.catch_up import waiting_at
from remix_utils.checks.part import Part

MASTERS = Path(__file__).resolve().parents[1] / "solutions"
WORK = "start_at in a notebook, the slowest of {} exercises ({})"


def slowest(scale: Scale) -> Iterator[Row]:
    """The slowest rejoin in a notebook whose imports are done, three times in a fresh namespace."""
    paths = sorted(MASTERS.glob("day*_*/part*_*.py"))[: scale.lessons]
    parts = [Part(from_master(path)) for path in paths]
    places = [(part, place) for part in parts for place in places_of(part)]
    for part in parts:
        rejoin(part, places_of(part)[-1])  # imports are not on the bill
    times = {at: seconds(partial(rejoin, *at))[0] for at in places}
    part, place = max(times, key=times.__getitem__)
    again = [seconds(partial(rejoin, part, place))[0] for _ in range(3)]
    name = part.bundle.cells[place].marks["exercise"]
    yield Row(WORK.format(len(places), name), again, (), "", "s", 0.0, Floor("library", most=5.0, text="5 s"))


def places_of(part: Part) -> list[int]:
    """Returns where the exercises of a part stand among its cells."""
    return [place for place, cell in enumerate(part.bundle.cells) if "exercise" in cell.marks]


def rejoin(part: Part, place: int) -> dict[str, object]:
    """Returns the names that stand in a notebook after `start_at`."""
    waiting = waiting_at(part, place, "start_at")
    return waiting.take(waiting.tools)
