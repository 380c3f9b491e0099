"""From MLP to logits: d1.0.15 to d1.0.18."""

from __future__ import annotations

import functools
from typing import Any

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.small_transformers import network, random_weights, stream
from remix_utils.checks.exercise import Mistake, exercise
from remix_utils.models.catalogue import load
from remix_utils.models.transformer_module import visible


@functools.cache
def _trained(name):
    """The weights of a network that ships."""
    return dict(load(name).weights)


def _library(weights) -> Any:
    """The library's network; pyright does not know the modules in it."""
    return network(weights)


# --- d1.0.15 ----------------------------------------------------------------------------------------------------------


def _neurons(x, weights, layer, act=torch.relu, into=True, out=True):
    name = f"blocks.{layer}.mlp"
    pre = x @ weights[f"{name}.W_in"] + (weights[f"{name}.b_in"] if into else 0)
    return act(pre) @ weights[f"{name}.W_out"] + (weights[f"{name}.b_out"] if out else 0)


exercise(
    "d1.0.15",
    cases=lambda seed: [
        *((stream(seed + layer), random_weights(seed), layer) for layer in (0, 1)),
        (stream(seed, d_model=56), _trained("parens"), 1),
    ],
    oracle=_neurons,
    tolerance=1e-4,
    mistakes=[
        Mistake(
            "there is no relu in it, so this is one matrix, written as two.",
            lambda x, weights, layer: _neurons(x, weights, layer, act=lambda pre: pre),
        ),
        Mistake(
            "b_in is missing: it decides from where on a neuron is on.",
            lambda x, weights, layer: _neurons(x, weights, layer, into=False),
        ),
        Mistake("b_out is missing.", lambda x, weights, layer: _neurons(x, weights, layer, out=False)),
        Mistake(
            "b_in was added after relu: it belongs before.",
            lambda x, weights, layer: _neurons(
                x, weights, layer, act=lambda pre: pre.relu() + weights[f"blocks.{layer}.mlp.b_in"], into=False
            ),
        ),
        Mistake(
            "relu stands at the end as well, so nothing can be taken away from the stream: only neurons have it.",
            lambda x, weights, layer: _neurons(x, weights, layer).relu(),
        ),
        Mistake(
            "x is in the result: what an MLP writes is added to the stream later, by the block.",
            lambda x, weights, layer: x + _neurons(x, weights, layer),
        ),
        Mistake("this is gelu: our networks have relu.", lambda x, weights, layer: _neurons(x, weights, layer, F.gelu)),
    ],
)


# --- d1.0.16 ----------------------------------------------------------------------------------------------------------


def _block(x, weights, layer, positions=True, values=False, early=False, norm="ln2"):
    """The library's parts, put together rightly or not."""
    parts = _library(weights).blocks[layer]
    place = weights["pos_embed.W_pos"][: x.shape[1]] if positions else 0.0
    allowed = visible(x.shape[1], True, None, x.device)
    read = parts.ln1(x)
    mid = x + parts.attn(read + place, read + place, read + place if values else read, None, allowed, False)
    if not parts.config.d_mlp:
        return mid
    return mid + parts.mlp(getattr(parts, norm)(x if early else mid))


def _without_stream(x, weights, layer):
    return _block(x, weights, layer) - x


def _norm_in_stream(x, weights, layer):
    parts = _library(weights).blocks[layer]
    place, allowed = weights["pos_embed.W_pos"][: x.shape[1]], visible(x.shape[1], True, None, x.device)
    read = parts.ln1(x)
    mid = read + parts.attn(read + place, read + place, read, None, allowed, False)
    return parts.ln2(mid) + parts.mlp(parts.ln2(mid)) if parts.config.d_mlp else mid


def _no_norm(x, weights, layer):
    parts = _library(weights).blocks[layer]
    place, allowed = weights["pos_embed.W_pos"][: x.shape[1]], visible(x.shape[1], True, None, x.device)
    mid = x + parts.attn(x + place, x + place, x, None, allowed, False)
    return mid + parts.mlp(mid) if parts.config.d_mlp else mid


def _attention_alone(x, weights, layer):
    kept = {name: value for name, value in weights.items() if ".mlp." not in name and ".ln2." not in name}
    return _block(x, kept, layer)


exercise(
    "d1.0.16",
    cases=lambda seed: [
        (stream(seed + i, seq), random_weights(seed + i, d_mlp), layer)
        for i, (seq, d_mlp, layer) in enumerate(((6, 12, 1), (5, 0, 0), (4, 12, 0)))
    ],
    oracle=lambda x, weights, layer: _library(weights).blocks[layer](
        x, weights["pos_embed.W_pos"][: x.shape[1]], None, visible(x.shape[1], True, None, x.device), False
    ),
    tolerance=1e-4,
    mistakes=[
        Mistake("the stream itself is lost: attention and MLP are *added* to x.", _without_stream),
        Mistake(
            "the stream was replaced by its normalised self: read a normalised copy, and add to the stream.",
            _norm_in_stream,
        ),
        Mistake("attention and MLP read the stream as it is: they read it through ln1 and ln2.", _no_norm),
        Mistake(
            "values read positions too: only queries and keys do.",
            lambda x, weights, layer: _block(x, weights, layer, values=True),
        ),
        Mistake(
            "nobody reads positions: queries and keys read with_positions(...).",
            lambda x, weights, layer: _block(x, weights, layer, positions=False),
        ),
        Mistake(
            "the MLP reads the stream before attention has written: it comes second.",
            lambda x, weights, layer: _block(x, weights, layer, early=True),
        ),
        Mistake(
            "the MLP reads through ln1: it has a layernorm of its own, ln2.",
            lambda x, weights, layer: _block(x, weights, layer, norm="ln1"),
        ),
        Mistake("there is no MLP in it: some blocks have one.", _attention_alone),
    ],
)


# --- d1.0.17 and d1.0.18 ----------------------------------------------------------------------------------------------


def _unembedded(x, weights):
    net = _library(weights)
    return net.unembed(net.ln_final(x))


exercise(
    "d1.0.17",
    cases=lambda seed: [(stream(seed + i, seq), random_weights(seed + i, 0)) for i, seq in enumerate((6, 3))],
    oracle=_unembedded,
    tolerance=1e-4,
    mistakes=[
        Mistake("the final layernorm is missing, ln_final.", lambda x, weights: x @ weights["unembed.W_U"]),
        Mistake(
            "these are probabilities: logits are what comes before softmax.",
            lambda x, weights: _unembedded(x, weights).softmax(-1),
        ),
        Mistake(
            "these are log-probabilities: logits are what comes before softmax.",
            lambda x, weights: _unembedded(x, weights).log_softmax(-1),
        ),
        Mistake(
            "this multiplies by the embedding: here the unembedding has a matrix of its own.",
            lambda x, weights: _library(weights).ln_final(x) @ weights["embed.W_E"].T,
        ),
        Mistake(
            "only the last position is left: every position predicts its next token.",
            lambda x, weights: _unembedded(x, weights)[:, -1],
        ),
        Mistake(
            "this is the layernorm of a block: the final one is called ln_final.",
            lambda x, weights: _library(weights).unembed(_library(weights).blocks[0].ln1(x)),
        ),
    ],
)


def _texts(seed):
    """Tokens for random networks of two and three layers, and for the real one."""
    numbers = torch.Generator().manual_seed(seed)
    small = [
        (torch.randint(13, (2, 7), generator=numbers), random_weights(seed + n, d_mlp, n))
        for n, d_mlp in ((2, 12), (3, 0))
    ]
    return [*small, (torch.randint(1024, (2, 20), generator=numbers), _trained("induction-2l"))]


def _through(tokens, weights, layers=None, positions=0):
    """The library's blocks, in this order; positions times so much in the stream."""
    net = _library(weights)
    place = weights["pos_embed.W_pos"][: tokens.shape[1]]
    allowed = visible(tokens.shape[1], True, None, tokens.device)
    x = weights["embed.W_E"][tokens] + positions * place
    for layer in layers(len(net.blocks)) if layers else range(len(net.blocks)):
        x = net.blocks[layer](x, place, None, allowed, False)
    return net.unembed(net.ln_final(x))


exercise(
    "d1.0.18",
    cases=_texts,
    oracle=lambda tokens, weights: _library(weights)(tokens),
    tolerance=1e-4,
    mistakes=[
        Mistake(
            "positions are in the stream: in this network only queries and keys read them, inside the block.",
            lambda tokens, weights: _through(tokens, weights, positions=1),
        ),
        Mistake(
            "only the first block has run: a network has as many as its weights name.",
            lambda tokens, weights: _through(tokens, weights, layers=lambda n: range(1)),
        ),
        Mistake(
            "two blocks have run, whatever the number of layers: count them.",
            lambda tokens, weights: _through(tokens, weights, layers=lambda n: range(2)),
        ),
        Mistake(
            "the last block has not run: range(n) goes up to n - 1 by itself.",
            lambda tokens, weights: _through(tokens, weights, layers=lambda n: range(n - 1)),
        ),
        Mistake(
            "every layer is layer 0: hand `layer` on to the block.",
            lambda tokens, weights: _through(tokens, weights, layers=lambda n: [0] * n),
        ),
        Mistake(
            "the blocks run from the top down: layer 0 reads the embedding.",
            lambda tokens, weights: _through(tokens, weights, layers=lambda n: reversed(range(n))),
        ),
        Mistake(
            "each block reads the embedding: it reads what the block before it returned.",
            lambda tokens, weights: _through(tokens, weights, layers=lambda n: [n - 1]),
        ),
    ],
)
