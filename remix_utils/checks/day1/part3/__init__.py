"""The checks of day 1, part 3: rewrites."""

from remix_utils.checks.day1.part3 import comparing, floats, functions, indices, parts, recall, sinking, sums

__all__ = ["comparing", "floats", "functions", "indices", "parts", "recall", "sinking", "sums"]
