"""The checks of day 1, part 4: a transformer as a graph."""

from remix_utils.checks.day1.part4 import ablating, heads, logits, patching, paths, recall, weights

__all__ = ["ablating", "heads", "logits", "patching", "paths", "recall", "weights"]
