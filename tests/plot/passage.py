"""A passage and attention patterns for the pictures."""

import torch


def causal(heads, seq):
    """Random attention patterns [heads, query, key] in which no query attends to a later key."""
    scores = 3 * torch.randn(heads, seq, seq, generator=torch.Generator().manual_seed(0))
    return scores.masked_fill(torch.ones(seq, seq).triu(1) > 0, float("-inf")).softmax(-1)


def words(count):
    """Tokens with spaces, line breaks, and characters that HTML reads as markup."""
    kinds = (" Mary", " and", " <b>John", " went", "\n", "&amp;")
    return [kinds[place % len(kinds)] for place in range(count)]
