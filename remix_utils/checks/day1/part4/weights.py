"""Circuits in the weights, from token to token: d1.4.10."""

from __future__ import annotations

from remix_utils.checks.day1.small_transformers import random_weights
from remix_utils.checks.exercise import Mistake, exercise

A = "blocks.{}.attn.W_{}"


def some_weights(seed):
    """Heads of both layers, of two networks."""
    return [
        (random_weights(seed + place, d_mlp=0), layer, head) for place, layer, head in ((0, 0, 1), (0, 1, 0), (1, 1, 1))
    ]


def _parts(weights, layer, head):
    return [weights[A.format(layer, letter)][head] for letter in "QKVO"]


def _qk(weights, layer, head, scale=5**-0.5):
    q, k, _, _ = _parts(weights, layer, head)
    return (weights["embed.W_E"] @ q) @ (weights["embed.W_E"] @ k).T * scale


def _ov(weights, layer, head):
    _, _, v, o = _parts(weights, layer, head)
    return weights["embed.W_E"] @ v @ o @ weights["unembed.W_U"]


def _both(qk=_qk, ov=_ov):
    return lambda weights, layer, head: (qk(weights, layer, head), ov(weights, layer, head))


def _keys_first(weights, layer, head):
    return _qk(weights, layer, head).T


def _read_first(weights, layer, head):
    return _ov(weights, layer, head).T


def _to_the_stream(weights, layer, head):
    _, _, v, o = _parts(weights, layer, head)
    return weights["embed.W_E"] @ v @ o


def _in_the_stream(weights, layer, head):
    q, k, v, o = _parts(weights, layer, head)
    return q @ k.T / 5**0.5, v @ o


exercise(
    "d1.4.10",
    cases=some_weights,
    oracle=_both(),
    tolerance=1e-4,
    mistakes=[
        Mistake("QK is not scaled: a score is divided by the root of d_head.", _both(lambda *c: _qk(*c, scale=1.0))),
        Mistake("QK is divided by d_head: by its square root, please.", _both(lambda *c: _qk(*c, scale=0.2))),
        Mistake("the root in QK is that of d_model: queries and keys have d_head entries.",
                _both(lambda *c: _qk(*c, scale=8**-0.5))),
        Mistake("QK is transposed: a row is the query's token, a column the key's.", _both(_keys_first)),
        Mistake("OV is transposed: a row is the token that is attended to, a column the logit.", _both(ov=_read_first)),
        Mistake("both are transposed: rows are the query's token in QK, and the token attended to in OV.",
                _both(_keys_first, _read_first)),
        Mistake("these are OV and QK: QK comes first.", lambda *c: (_ov(*c), _qk(*c))),
        Mistake("OV ends in the residual stream: W_U is still to come.", _both(ov=_to_the_stream)),
        Mistake("the weights are those of layer 0, whatever the layer.", lambda w, layer, head: _both()(w, 0, head)),
        Mistake("these are the weights of another head.", lambda w, layer, head: _both()(w, layer, 1 - head)),
        Mistake("these are the circuits in the residual stream [d_model, d_model]: put the tokens at both ends.",
                _in_the_stream),
    ],
)  # fmt: skip
