"""The sentence of a known mistake, from the checks of the course; never a line of anybody's code."""

from __future__ import annotations

import contextlib
import io

from remix_utils.checks.bundle import read
from remix_utils.checks.part import Part
from remix_utils.classroom.board.catalogue import Catalogue
from remix_utils.classroom.board.standing import Mistake

OTHER_EDITION = "A known mistake of another edition of the course."
NO_SENTENCE = "A known mistake, whose sentence is not on this machine."


class Sentences:
    """Finds the sentences of mistakes. The checks of a part are loaded once, when they are first needed.

    >>> Sentences(Catalogue({})).find(Mistake("d1.1.1", "", 0, 3))
    'A known mistake, whose sentence is not on this machine.'
    """

    def __init__(self, catalogue: Catalogue):
        self._catalogue = catalogue
        self._parts: dict[str, Part | None] = {}

    def find(self, mistake: Mistake) -> str:
        """Returns the sentence that names a mistake to its pair."""
        part = self._part(mistake.id.rpartition(".")[0])
        if part is None:
            return NO_SENTENCE
        if part.bundle.version != mistake.edition:
            return OTHER_EDITION
        known = part.exercises[mistake.id].mistakes if mistake.id in part.exercises else ()
        return known[mistake.number].says if mistake.number < len(known) else NO_SENTENCE

    def _part(self, name: str) -> Part | None:
        if name not in self._parts:
            self._parts[name] = None
            path = self._catalogue.files.get(name)
            # Checks are code that may fail in any way on this machine; the board goes on without their sentences.
            with contextlib.suppress(Exception), contextlib.redirect_stdout(io.StringIO()):
                part = Part(read(path)) if path else None
                if part is not None:
                    _ = part.exercises
                self._parts[name] = part
        return self._parts[name]
