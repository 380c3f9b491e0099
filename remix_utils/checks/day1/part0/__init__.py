"""The checks of day 1, part 0: a transformer from nothing."""

from remix_utils.checks.day1.part0 import attending, axes, blocks, norms, predicting, reading, recall

__all__ = ["attending", "axes", "blocks", "norms", "predicting", "reading", "recall"]
