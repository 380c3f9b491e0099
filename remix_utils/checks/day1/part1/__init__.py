"""The checks of day 1, part 1: hooks and their limit."""

from remix_utils.checks.day1.part1 import editing, measuring, paths

__all__ = ["editing", "measuring", "paths"]
