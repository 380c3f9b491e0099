"""The checks of day 2, part 2: heads taken away, whole or on one of their paths."""

from remix_utils.checks.day2.part2 import ablating, attributing, expanding, recall, scoring, ways

__all__ = ["ablating", "attributing", "expanding", "recall", "scoring", "ways"]
