"""The checks of day 2, part 4: how it came to be."""

from remix_utils.checks.day2.part4 import elsewhere, exchanging, recall, rows, timing

__all__ = ["elsewhere", "exchanging", "recall", "rows", "timing"]
