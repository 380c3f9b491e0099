"""Day 2, part 1: wrong answers with a piece of the message that each must meet, and right ones written differently."""

from tests.answers.day2 import part1_attention, part1_losses, part1_tokens

WRONG = [*part1_losses.WRONG, *part1_attention.WRONG, *part1_tokens.WRONG]
RIGHT = [*part1_losses.RIGHT, *part1_attention.RIGHT, *part1_tokens.RIGHT]
