"""What the page shows: the rows of all pairs, what the room has in common, and its swap clock."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from remix_utils.classroom.asking import LONGEST_SWAP
from remix_utils.classroom.board.catalogue import Catalogue, guessed
from remix_utils.classroom.board.lines import Event, Lines
from remix_utils.classroom.board.standing import (
    AHEAD,
    IDLE,
    RECENT,
    RIGHT,
    WRONG,
    Mistake,
    Row,
    commonest_mistake,
    row_of,
    totals,
)

MOST_DESKS = 500
MOST_EVENTS = 20_000  # of a desk

SIGNS = {WRONG: "w", RIGHT: "r"}  # and "h" for right after help
NO_SENTENCE_YET = ""


class Room:
    """A cohort at work, as far as its events tell.

    >>> room = Room(Catalogue({"d1.1": ("d1.1.1",)}))
    >>> sorted(room.add([Event(5.0, "0a", "check", "d1.1.1", "right")]))
    ['0a']
    >>> room.page_row("0a")["cells"]
    [[0, 'r', 0]]
    """

    def __init__(self, catalogue: Catalogue):
        self.catalogue, self._guessing = catalogue, not catalogue.parts
        self._events: dict[str, set[Event]] = {}
        self.rows: dict[str, Row] = {}
        self.refused: set[Event] = set()  # events that have no place on the board
        self.swap: dict[str, float] | None = None
        self.sentences: dict[Mistake, str] = {}  # without the number of pairs

    def add(self, events: Iterable[Event]) -> set[str]:
        """Takes events in and returns the desks whose rows changed. Events that are known change nothing."""
        changed = set()
        for event in events:
            known = self._events.get(event.desk)
            if known is not None and event in known:
                continue
            if not self._has_place(event, known):
                if len(self.refused) < MOST_EVENTS:
                    self.refused.add(event)
                continue
            self._events.setdefault(event.desk, set()).add(event)
            changed.add(event.desk)
        if self._guessing and changed:
            changed |= self._guess()
        for desk in changed:
            self.rows[desk] = row_of(desk, self._events[desk], self.catalogue)
        return changed

    def _has_place(self, event: Event, known: set[Event] | None) -> bool:
        if known is None and len(self._events) >= MOST_DESKS:
            return False
        if known is not None and len(known) >= MOST_EVENTS:
            return False
        return self._guessing or event.kind != "check" or event.id in self.catalogue.places

    def _guess(self) -> set[str]:
        """Without a course, the exercises are those that were tried; a new one moves the others."""
        ids = {event.id for events in self._events.values() for event in events if event.kind == "check"}
        found = guessed(id for id in ids if id.count(".") == 2)
        if found == self.catalogue:
            return set()
        self.catalogue = found
        return set(self._events)

    # --- what is sent to the page -------------------------------------------------------------

    def page_row(self, desk: str) -> dict[str, Any]:
        """Returns a row as the page has it: each cell as its column, its sign and the number of wrong checks."""
        row, places = self.rows[desk], self.catalogue.places
        return {
            "desk": desk,
            "name": row.name,
            "first": row.first,
            "last": row.last,
            "at": row.at,
            "stuck": {"id": row.stuck.id, "since": row.stuck.since} if row.stuck else None,
            "cells": [[places[id], SIGNS.get(cell.state, "h"), cell.wrong] for id, cell in sorted(row.cells.items())],
        }

    def columns(self) -> list[list]:
        """Returns the parts with their exercises."""
        return [[part, list(exercises)] for part, exercises in self.catalogue.parts.items()]

    def summary(self, now: float, lines: Lines) -> dict[str, Any]:
        """Returns what concerns the whole room."""
        return {
            "mistake": self._mistake(now),
            "totals": totals(self.rows.values(), self.catalogue),
            "notices": self._notices(now, lines),
            "swap": self.swap,
            "idle": IDLE,
            "recent": RECENT,
        }

    def mistake(self, now: float) -> Mistake | None:
        """Returns the commonest mistake now."""
        return commonest_mistake((event for events in self._events.values() for event in events), now)

    def _mistake(self, now: float) -> dict[str, Any] | None:
        found = self.mistake(now)
        if found is None:
            return None
        sentence = self.sentences.get(found._replace(pairs=0), NO_SENTENCE_YET)
        return {"id": found.id, "pairs": found.pairs, "says": sentence}

    def _notices(self, now: float, lines: Lines) -> list[str]:
        found = list(lines.notices)
        if lines.dropped:
            found.append(f"Dropped {_count(lines.dropped, 'line')} that cannot be read as events.")
        if self.refused:
            found.append(f"Dropped {_count(len(self.refused), 'event')} of unknown exercises, or beyond the limits.")
        ahead = sum(row.last > now + AHEAD for row in self.rows.values())
        if ahead:
            found.append(f"The clock of {_count(ahead, 'pair')} runs ahead of this machine's.")
        return found

    def set_swap(self, minutes: object, now: float) -> bool:
        """Starts the swap clock, or stops it with 0; False for anything that is no number of minutes."""
        if type(minutes) is not int or not 0 <= minutes <= LONGEST_SWAP:
            return False
        self.swap = {"minutes": minutes, "since": now} if minutes else None
        return True


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
