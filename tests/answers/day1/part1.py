"""Day 1, part 1: wrong answers with a piece of the message that each must meet, and right ones written differently."""

from tests.answers.day1 import part1_layers, part1_paths

WRONG = [*part1_layers.WRONG, *part1_paths.WRONG]
RIGHT = [*part1_layers.RIGHT, *part1_paths.RIGHT]
