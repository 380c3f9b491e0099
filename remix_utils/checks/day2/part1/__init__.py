"""The checks of day 2, part 1: what a language model does, and which heads do it, as numbers."""

from remix_utils.checks.day2.part1 import attending, choosing, losses, reading, recall

__all__ = ["attending", "choosing", "losses", "reading", "recall"]
