"""Attention in three steps: d1.0.12 (the mask), d1.0.13 (scores) and d1.0.14 (what is moved)."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.probes import compare
from remix_utils.checks.day1.small_transformers import random_weights, stream
from remix_utils.checks.exercise import Mistake, exercise

# --- d1.0.12 ----------------------------------------------------------------------------------------------------------


def use_mask(function, scores):
    """Any very negative number will do; what counts is the pattern, and that the past is left alone."""
    masked = function(scores)
    past = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    return {"the pattern after softmax": masked.softmax(-1), "the visible scores": torch.where(past, masked, 0.0)}


def _filled(scores, hidden, value=-torch.inf):
    return scores.masked_fill(hidden(torch.ones(scores.shape[-2:], dtype=torch.bool)), value)


def _as_library(scores):
    places = torch.arange(scores.shape[-1])
    return torch.where(places[None, :] <= places[:, None], scores, -torch.inf)


@exercise("d1.0.12")
def _(answer, seed, reference):
    numbers = torch.Generator().manual_seed(seed)
    cases = lambda seed: [(3 * torch.randn(shape, generator=numbers),) for shape in ((1, 2, 4, 4), (2, 3, 6, 6))]
    mistakes = [
        Mistake("the future got the score 0, and exp(0) is 1: a score that means never is minus infinity.", torch.tril),
        Mistake(
            "the past is hidden, and the future is seen: key > query is what must go.",
            lambda s: _filled(s, lambda ones: ones.tril(-1)),
        ),
        Mistake(
            "a token may look at itself: the diagonal stays, triu(1).", lambda s: _filled(s, lambda ones: ones.triu())
        ),
        Mistake("nothing is hidden.", lambda s: s),
        Mistake(
            "the next token is still seen: hide from the first place above the diagonal on, triu(1).",
            lambda s: _filled(s, lambda ones: ones.triu(2)),
        ),
        Mistake("this is the pattern already: softmax comes later.", lambda s: _as_library(s).softmax(-1)),
    ]
    compare(answer, seed, reference, call=use_mask, cases=cases, oracle=_as_library, mistakes=mistakes)


# --- d1.0.13 and d1.0.14 ----------------------------------------------------------------------------------------------


def attention_cases(seed, inputs):
    """What queries, keys (and values) read, which is not the same; weights; a layer."""
    cases = []
    for i, layer in enumerate((0, 1, 1)):
        reads = [stream(seed + 10 * i + j, seq=(6, 5, 8)[i], batch=(2, 1, 3)[i]) / 2 for j in range(inputs)]
        cases.append((*reads, random_weights(seed + i), layer))
    return cases


def _part(x, weights, layer, letter, bias=True):
    """Queries, keys or values [batch, head, seq, d_head], one head after another."""
    name = f"blocks.{layer}.attn"
    matrices, biases = weights[f"{name}.W_{letter}"], weights[f"{name}.b_{letter}"]
    return torch.stack([x @ m + (b if bias else 0) for m, b in zip(matrices, biases, strict=True)], dim=1)


def _products(q_input, k_input, weights, layer, bias=True):
    q, k = _part(q_input, weights, layer, "Q", bias), _part(k_input, weights, layer, "K", bias)
    return q @ k.transpose(-1, -2)


def _scores(q_input, k_input, weights, layer):
    return _products(q_input, k_input, weights, layer) / 5**0.5


exercise(
    "d1.0.13",
    cases=lambda seed: attention_cases(seed, 2),
    oracle=_scores,
    tolerance=1e-4,
    mistakes=[
        Mistake("the scores are not scaled: divide by the root of d_head.", _products),
        Mistake(
            "the scores are divided by d_head: by its square root, please.",
            lambda q, k, weights, layer: _products(q, k, weights, layer) / 5,
        ),
        Mistake(
            "the root is that of d_model: the vectors that are multiplied have d_head entries.",
            lambda q, k, weights, layer: _products(q, k, weights, layer) / 8**0.5,
        ),
        Mistake(
            "queries and keys have biases, b_Q and b_K: add them before multiplying.",
            lambda q, k, weights, layer: _products(q, k, weights, layer, bias=False) / 5**0.5,
        ),
        Mistake(
            "rows and columns are exchanged: the axes are batch head query key.",
            lambda q, k, weights, layer: _scores(q, k, weights, layer).transpose(-1, -2),
        ),
        Mistake(
            "keys were made from what queries read: they have an input of their own.",
            lambda q, k, weights, layer: _scores(q, q, weights, layer),
        ),
        Mistake(
            "the weights are those of layer 0, whatever the layer.",
            lambda q, k, weights, layer: _scores(q, k, weights, 0),
        ),
        Mistake(
            "the axes come as batch query key head, or with head in another place: batch head query key.",
            lambda q, k, weights, layer: _scores(q, k, weights, layer).permute(0, 2, 3, 1),
        ),
    ],
)


def _attention(q, k, v, weights, layer, causal=True, softmax_over=-1, b_V=True, share=1.0, biases=1):
    name = f"blocks.{layer}.attn"
    scores = _scores(q, k, weights, layer)
    pattern = (_as_library(scores) if causal else scores).softmax(softmax_over) if softmax_over else scores.tril()
    z = pattern @ _part(v, weights, layer, "V", b_V)
    out = torch.einsum("bhse,hed->bsd", z, weights[f"{name}.W_O"])
    return share * out + biases * weights[f"{name}.b_O"]


def _by_torch(q_input, k_input, v_input, weights, layer):
    q, k, v = (_part(x, weights, layer, letter) for x, letter in zip((q_input, k_input, v_input), "QKV", strict=True))
    z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    out = torch.einsum("bhse,hed->bsd", z, weights[f"blocks.{layer}.attn.W_O"])
    return out + weights[f"blocks.{layer}.attn.b_O"]


def _wrongly(**how):
    return lambda q, k, v, weights, layer: _attention(q, k, v, weights, layer, **how)


exercise(
    "d1.0.14",
    cases=lambda seed: attention_cases(seed, 3),
    oracle=_by_torch,
    tolerance=1e-4,
    mistakes=[
        Mistake(
            "softmax went over queries: each query shares out one unit of attention over its keys, the last axis.",
            _wrongly(softmax_over=-2),
        ),
        Mistake("the future is seen: mask the scores before softmax.", _wrongly(causal=False)),
        Mistake(
            "b_O is missing: it is added once, after the heads are summed.",
            _wrongly(biases=0),
        ),
        Mistake(
            "b_O was added for each head: once is enough.",
            _wrongly(biases=2),
        ),
        Mistake(
            "the heads were averaged: they are summed.",
            _wrongly(share=0.5),
        ),
        Mistake(
            "values were made from what keys read: they have an input of their own, without positions.",
            lambda q, k, v, weights, layer: _by_torch(q, k, k, weights, layer),
        ),
        Mistake(
            "b_V is missing.",
            _wrongly(b_V=False),
        ),
        Mistake(
            "softmax is missing: scores are no weights yet.",
            _wrongly(softmax_over=None),
        ),
    ],
)
