"""Tokens and positions as vectors: d1.0.10 and d1.0.11."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.small_transformers import random_weights, stream
from remix_utils.checks.exercise import Mistake, exercise


def sentences(seed, d_mlp=0):
    """Tokens in which some occur twice, with the weights of a small network."""
    numbers = torch.Generator().manual_seed(seed)
    return [(torch.randint(8, shape, generator=numbers), random_weights(seed, d_mlp)) for shape in ((2, 6), (3, 8))]


exercise(
    "d1.0.10",
    cases=sentences,
    oracle=lambda tokens, weights: F.one_hot(tokens, 13).float() @ weights["embed.W_E"],
    mistakes=[
        Mistake(
            "this picks columns: a token has a row of the table, W_E[tokens].",
            lambda tokens, weights: weights["embed.W_E"].T[tokens],
        ),
        Mistake(
            "this is the row of the position, not of the token: index the table with tokens.",
            lambda tokens, weights: weights["embed.W_E"][: tokens.shape[1]].expand(len(tokens), -1, -1),
        ),
        Mistake(
            "these are columns of the unembedding: a token is read with embed.W_E.",
            lambda tokens, weights: weights["unembed.W_U"].T[tokens],
        ),
        Mistake(
            "positions are in it already: here the tokens alone are asked for.",
            lambda tokens, weights: weights["embed.W_E"][tokens] + weights["pos_embed.W_pos"][: tokens.shape[1]],
        ),
        Mistake(
            "the batch is lost: this is the embedding of the first row alone.",
            lambda tokens, weights: weights["embed.W_E"][tokens[0]],
        ),
    ],
)

exercise(
    "d1.0.11",
    cases=lambda seed: [
        (stream(seed, seq, batch), random_weights(seed, 0)) for seq, batch in ((6, 2), (5, 5), (11, 1))
    ],
    oracle=lambda x, weights: torch.stack(
        [torch.stack([v + weights["pos_embed.W_pos"][i] for i, v in enumerate(row)]) for row in x]
    ),
    mistakes=[
        Mistake(
            "the last positions of the table were taken: counting begins at 0.",
            lambda x, weights: x + weights["pos_embed.W_pos"][-x.shape[1] :],
        ),
        Mistake(
            "each row of the batch got one position: it is the second axis of x that counts positions.",
            lambda x, weights: x + weights["pos_embed.W_pos"][: len(x), None],
        ),
        Mistake(
            "counting begins at 1 here: the first token is at position 0.",
            lambda x, weights: x + weights["pos_embed.W_pos"].roll(-1, 0)[: x.shape[1]],
        ),
        Mistake(
            "the whole table was added, and it has n_ctx rows: take as many as x has positions.",
            lambda x, weights: x + weights["pos_embed.W_pos"],
        ),
        Mistake(
            "these are the positions alone: add them to x.",
            lambda x, weights: weights["pos_embed.W_pos"][: x.shape[1]].expand_as(x),
        ),
    ],
)
