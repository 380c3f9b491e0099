"""Who looks where: positions (d2.3.8), queries and keys by who wrote them (9), QK through another head (10)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.day1.small_transformers import random_weights
from remix_utils.checks.day2.folding import D_HEAD, VOCAB, fold
from remix_utils.checks.day2.thin import pair, within
from remix_utils.checks.exercise import Mistake, exercise

# --- d2.3.8 -----------------------------------------------------------------------------------------------------------


def places(seed):
    """Heads of both layers, and lengths from a few positions to all that there are."""
    chosen = (0, 0, 1, 6), (1, 1, 0, 11), (2, 0, 0, 4)
    return [(random_weights(seed + which, d_mlp=0), layer, head, seq) for which, layer, head, seq in chosen]


def _side(weights, letter, layer, head, seq):
    return weights["pos_embed.W_pos"][:seq] @ weights[f"blocks.{layer}.attn.W_{letter}"][head]


def _scores(weights, layer, head, seq, scale=D_HEAD**-0.5):
    query, key = (_side(weights, letter, layer, head, seq) for letter in "QK")
    return query @ key.T * scale


def _hidden(scores, value=float("-inf"), triangle=1):
    seq = len(scores)
    return scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(triangle), value)


def _pattern(weights, layer, head, seq):
    return _hidden(_scores(weights, layer, head, seq)).softmax(-1)


def _of_layernorms(weights, layer, head, seq):
    """As if positions were part of the stream."""
    query, key = (
        weights["pos_embed.W_pos"][:seq]
        @ fold(weights, f"blocks.{layer}.ln1", weights[f"blocks.{layer}.attn.W_{a}"][head])
        for a in "QK"
    )
    return _hidden(query @ key.T * D_HEAD**-0.5).softmax(-1)


exercise(
    "d2.3.8",
    cases=places,
    oracle=_pattern,
    mistakes=[
        Mistake("these are scores: a pattern has softmax over the keys.", lambda *case: _hidden(_scores(*case))),
        Mistake("these are scores: hide the future, and take softmax over the keys.", _scores),
        Mistake("queries see the future: hide the keys above the diagonal, before softmax.",
                lambda *case: _scores(*case).softmax(-1)),
        Mistake("the future has the score 0, and exp(0) is 1: it wants minus infinity.",
                lambda *case: _hidden(_scores(*case), 0.0).softmax(-1)),
        Mistake("the future was hidden after softmax: then rows do not sum to 1.",
                lambda *case: _hidden(_scores(*case).softmax(-1), 0.0)),
        Mistake("softmax went over queries: each query has one unit of attention to give, over the last axis.",
                lambda *case: _hidden(_scores(*case)).softmax(0).nan_to_num()),
        Mistake("a query does not see itself: the diagonal stays, triu(1).",
                lambda *case: _hidden(_scores(*case), torch.finfo(torch.float32).min, 0).softmax(-1)),
        Mistake("the scores are not divided by the root of d_head.",
                lambda *case: _hidden(_scores(*case, scale=1.0)).softmax(-1)),
        Mistake("the scores are divided by d_head: by its root, please.",
                lambda *case: _hidden(_scores(*case, scale=1 / D_HEAD)).softmax(-1)),
        Mistake("query and key are exchanged: W_Q is the row's.",
                lambda *case: _hidden(_scores(*case).T).softmax(-1)),
        Mistake("the layernorm is folded in: in this model positions are added after it.", _of_layernorms),
        Mistake("the head is always one of layer 0.", lambda w, layer, head, seq: _pattern(w, 0, head, seq)),
    ],
)  # fmt: skip

# --- d2.3.9 -----------------------------------------------------------------------------------------------------------


def texts(seed):
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for which, layer, head, sources in ((0, 1, 0, 4), (1, 1, 1, 3), (2, 0, 1, 4)):
        parts = torch.randn(sources, 6, 8, generator=numbers)
        cases.append((random_weights(seed + which, d_mlp=0), layer, head, parts))
    return cases


def _by_source(bias="last", scale=D_HEAD**-0.5, letters="QK", pattern="aqd,bkd->abqk"):
    def scores(weights, layer, head, parts):
        sides = []
        for letter in letters:
            side = parts @ weights[f"blocks.{layer}.attn.W_{letter}"][head]
            b = weights[f"blocks.{layer}.attn.b_{letter}"][head]
            if bias == "last":
                side = torch.cat([side[:-1], side[-1:] + b])
            sides.append(side + b if bias == "all" else side)
        return torch.einsum(pattern, *sides) * scale

    return scores


def _future_hidden(value):
    def hidden(*case):
        scores = _by_source()(*case)
        seq = scores.shape[-1]
        return scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(1), value)

    return hidden


exercise(
    "d2.3.9",
    cases=texts,
    oracle=_by_source(),
    tolerance=1e-4,
    mistakes=[
        Mistake("b_Q and b_K are left out, so that the shares do not sum to the score: the last source carries them.",
                _by_source(bias="none")),
        Mistake("every source has the biases: then they count as often as there are sources. The last one carries "
                "them.", _by_source(bias="all")),
        Mistake("the scores are not divided by the root of d_head.", _by_source(scale=1.0)),
        Mistake("the key's source comes first: [query source, key source, query, key].",
                _by_source(pattern="aqd,bkd->baqk")),
        Mistake("the places are exchanged: [query source, key source, query, key].",
                _by_source(pattern="aqd,bkd->abkq")),
        Mistake("W_Q and W_K are exchanged.", _by_source(letters="KQ")),
        Mistake("each source meets itself only: a query from one source may meet a key from any other.",
                _by_source(pattern="aqd,akd->aqk")),
        Mistake("the sources are summed: keep one axis for who wrote the query, one for who wrote the key.",
                _by_source(pattern="aqd,bkd->qk")),
        Mistake("the future is hidden: leave that for later, or the shares do not sum.", _future_hidden(0.0)),
        Mistake("the future is hidden: leave that for later, or the shares do not sum.",
                _future_hidden(float("-inf"))),
        Mistake("the head is always head 0 of its layer.",
                lambda weights, layer, head, parts: _by_source()(weights, layer, 0, parts)),
    ],
)  # fmt: skip

# --- d2.3.10 ----------------------------------------------------------------------------------------------------------


def circuits(seed):
    numbers = torch.Generator().manual_seed(seed)
    pairs = (0, 0, 1), (1, 1, 0), (2, 1, 1)
    return [
        (random_weights(seed + which, d_mlp=0), torch.randn(VOCAB, 8, generator=numbers), previous, induction)
        for which, previous, induction in pairs
    ]


def use_composed(function, weights, asks, previous, induction):
    return pair(within(VOCAB**2 - 1, function, weights, asks, previous, induction), D_HEAD)


def _composed(fold_0=True, fold_1=True, scale=D_HEAD**-0.5, through=True, keys_from=None, asks_from=None):
    def circuit(weights, asks, previous, induction):
        embed = weights["embed.W_E"]
        W_Q, W_K = (weights[f"blocks.1.attn.W_{letter}"][induction] for letter in "QK")
        W_V = weights["blocks.0.attn.W_V"][previous]
        if fold_1:
            W_Q, W_K = (fold(weights, "blocks.1.ln1", matrix) for matrix in (W_Q, W_K))
        if fold_0:
            W_V = fold(weights, "blocks.0.ln1", W_V)
        keys = asks if keys_from == "asks" else embed
        keys = keys @ W_V @ weights["blocks.0.attn.W_O"][previous] if through else keys
        return (embed if asks_from == "embed" else asks) @ W_Q * scale, (keys @ W_K).T

    return circuit


@exercise("d2.3.10")
def _(answer, seed, reference):
    mistakes = [
        ("the layernorms are left out: layer 0 and layer 1 both read through theirs.", _composed(False, False)),
        ("layer 0's layernorm is left out: W_V reads through it.", _composed(fold_0=False)),
        ("layer 1's layernorm is left out: W_Q and W_K read through it.", _composed(fold_1=False)),
        ("the scores are not divided by the root of d_head.", _composed(scale=1.0)),
        (
            "the key comes from the embedding without a detour: it is head 0.previous that writes it.",
            _composed(through=False),
        ),
        ("the key's side begins with `asks`, too: that is the query's table.", _composed(keys_from="asks")),
        ("the query's side begins with the embedding: it is to begin with `asks`.", _composed(asks_from="embed")),
        (
            "this is the transpose: a row is the query's token, a column the token before the key.",
            lambda *case: tuple(each.T for each in reversed(_composed()(*case))),
        ),
        (
            "the two heads are exchanged: `previous` is in layer 0, `induction` in layer 1.",
            lambda weights, asks, previous, induction: _composed()(weights, asks, induction, previous),
        ),
    ]
    cases = circuits(seed)
    oracle = _composed()
    judged(answer, seed, reference, use=use_composed, cases=cases, oracle=oracle, mistakes=mistakes, tolerance=1e-4)
