"""Finding cards: what was found about a behaviour of a model, what it rests on, and what would refute it."""

from remix_utils.classroom.findings.card import Figure, Finding, FindingError
from remix_utils.classroom.findings.index import save_index
from remix_utils.classroom.findings.page import save_card

__all__ = ["Figure", "Finding", "FindingError", "save_card", "save_index"]
