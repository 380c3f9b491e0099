"""The checks of day 1, part 2: build your own graph."""

from remix_utils.checks.day1.part2 import (
    building,
    changing,
    evaluating,
    keys,
    library,
    operations,
    patching,
    patterns,
    reading,
    recall,
)

__all__ = [
    "building",
    "changing",
    "evaluating",
    "keys",
    "library",
    "operations",
    "patching",
    "patterns",
    "reading",
    "recall",
]
