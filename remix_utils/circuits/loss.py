"""Loss by token, and how much lower it is late in a sequence than early."""

from __future__ import annotations

from remix_utils.circuits.network import Estimate, Network, Tokens, bind
from remix_utils.errors import BoundsError, DataError, ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, index
from remix_utils.graph.select import find, find_one
from remix_utils.graph.selector import at

Where = int | slice


def token_loss(graph: Node) -> Node:
    """The loss of predicting each token from those before it, in nats, as a node `loss` [seq − 1] of its `tokens`.

    Entry i is about token i + 1. As part of the graph it can be indexed, and no logits are kept.

    >>> import torch
    >>> from remix_utils import evaluate
    >>> from remix_utils.models.transformer import untrained
    >>> loss = token_loss(untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=20).graph(seq=6))
    >>> loss, evaluate(loss, {"tokens": torch.zeros(3, 6, dtype=torch.long)}).shape
    (Add 'loss' [5], torch.Size([3, 5]))

    Raises MatchError for a graph without logits or tokens, ShapeError for one that predicts no tokens.
    """
    logits = find(graph, "logits")[0]
    tokens = find_one(graph, at("tokens", op="placeholder"))
    if len(logits.shape) != 2 or logits.shape[0] < 2:
        raise ShapeError(
            f"{logits!r} predict no next token.",
            fix="give a language model's graph of 2 tokens or more.",
            shape=logits.shape,
        )
    logits = apply("log_softmax", index(logits, slice(0, logits.shape[0] - 1)), name="log_probabilities")
    return add(apply("pick", logits, index(tokens, slice(1, tokens.shape[0]))), weights=[-1], name="loss")


def in_context(network: Network, tokens: Tokens, early: Where = 50, late: Where = 500) -> Estimate:
    """The loss at late tokens less the loss at early ones, in nats: below 0 for a model that learns from its context.

    `early` and `late` are tokens of the sequence, by number or as slices of them, 0 excepted, which nothing predicts
    (Olsson et al. 2022 take the 50th and the 500th).

    >>> import torch
    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=20)
    >>> score = in_context(model, torch.zeros(3, 16, dtype=torch.long), early=slice(1, 4), late=slice(12, 16))
    >>> score.mean.shape, score.se.shape
    (torch.Size([]), torch.Size([]))

    Raises BoundsError for tokens outside the sequence, DataError for padded rows, in which numbers mean nothing.
    """
    graph, inputs = bind(network, tokens)
    if "mask" in inputs and not inputs["mask"].all():
        padded = int((~inputs["mask"].bool()).any(-1).sum())
        raise DataError(
            f"{padded} of {len(inputs['mask'])} rows are padded.", fix="give rows of one length.", rows=padded
        )
    loss = token_loss(graph)
    parts = evaluate([index(loss, _places(where, loss.shape[0] + 1)) for where in (early, late)], inputs)
    before, after = (part.reshape(len(part), -1).mean(1) for part in parts)
    return Estimate.over_rows(after - before)


def _places(where: Where, seq: int) -> list[int]:
    """The entries of the loss that are about these tokens."""
    chosen = list(range(seq))[where] if isinstance(where, slice) else [where]
    if not chosen or not all(1 <= token < seq for token in chosen):
        raise BoundsError(
            f"The loss at tokens {where} of {seq}.", fix=f"choose some from 1 to {seq - 1}.", where=str(where), seq=seq
        )
    return [token - 1 for token in chosen]
