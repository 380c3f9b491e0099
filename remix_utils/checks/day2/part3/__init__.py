"""The checks of day 2, part 3: the circuit in the weights."""

from remix_utils.checks.day2.part3 import algebra, composing, copies, looking, recall

__all__ = ["algebra", "composing", "copies", "looking", "recall"]
