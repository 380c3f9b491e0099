"""Copying: whether a head raises the logit of the token that it attends to."""

from __future__ import annotations

import torch

from remix_utils.circuits.network import ROWS, Estimate, Network, Tokens, bind, by_head, room, stacked
from remix_utils.circuits.stream import head_outputs, readout, split_heads
from remix_utils.circuits.weights import full_ov, reads, unembedding, writes
from remix_utils.errors import ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.functions import Function
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply
from remix_utils.graph.ops import einsum, placeholder
from remix_utils.graph.select import find_one
from remix_utils.graph.selector import at
from remix_utils.models.model import Model

LENGTH = 25  # of the random tokens, where none are given


def copying(network: Network, tokens: Tokens | None = None, seed: int = 0) -> Estimate:
    """How much of what a head raises is the token that it attends to most, from 0 to 1 (Olsson et al. 2022).

    What a head adds to the logits of the tokens that it attends to is taken less its mean over them, where that is
    positive; the score is the share of the one with the most attention, over queries that have a choice. Tokens are 25
    different random ones, drawn by `seed`, if none are given. The paper stretches this share to −1 ... 1.

    >>> from remix_utils.models.transformer import untrained
    >>> copying(untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)).mean.shape
    torch.Size([2, 4])

    Raises ShapeError for a classifier, whose outputs are no tokens.
    """
    graph, inputs = bind(network, _different_tokens(network, seed) if tokens is None else tokens)
    graph = split_heads(graph)
    read = readout(graph)
    if read.position is not None:
        raise ShapeError(
            f"{read.logits!r} are no logits of tokens.",
            fix="ask this of a model that predicts tokens.",
            shape=read.logits.shape,
        )
    rows, seq = inputs["tokens"].shape
    real, counted = inputs.get("mask", torch.ones_like(inputs["tokens"])).float(), placeholder("counted", (seq,))
    directions = read.directions(find_one(graph, at("tokens", op="placeholder")))
    patterns, nodes = by_head(graph, "pattern"), {}
    for (layer, head), output in head_outputs(graph).items():
        if (layer, (head,)) in patterns:
            raised = einsum("query d_model, token d_model -> query token", output, directions)
            nodes[layer, head] = Node(Apply(SHARE), (raised, patterns[layer, (head,)], counted), "copying")
    values = evaluate(list(nodes.values()), {**inputs, "counted": real})
    return Estimate.over_rows(stacked({key: value.expand(rows) for key, value in zip(nodes, values, strict=True)}))


def copying_eigenvalues(model: Model, folded: bool = True) -> torch.Tensor:
    """Σ λ / Σ |λ| over the eigenvalues of each head's full OV circuit, [layer, head], between −1 and 1.

    It is 1 where the logits of whatever is attended to rise, and −1 where they fall (Elhage et al. 2021).

    >>> from remix_utils.models.transformer import untrained
    >>> copying_eigenvalues(untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)).shape
    torch.Size([2, 4])

    Raises ShapeError for a classifier, ModelError for a model without attention heads.
    """
    model.head(0, 0)
    _predicts_tokens(model)
    around = unembedding(model, folded) @ model.weights["embed.W_E"]  # [d_model, d_model]: once for all heads
    rows = []
    for layer in range(model.config["n_layers"]):
        heads = [(layer, head) for head in range(model.config["n_heads"])]
        small = torch.stack([writes(model, head) @ around @ reads(model, "V", head, folded) for head in heads])
        found = torch.linalg.eigvals(small.double())
        rows.append(found.sum(-1).real / found.abs().sum(-1).clamp(min=torch.finfo(torch.float64).tiny))
    return torch.stack(rows).to(around.dtype)


def copying_accuracy(model: Model, k: int = 1, rows: torch.Tensor | None = None, folded: bool = True) -> torch.Tensor:
    """How often the token attended to is among the k whose logits each full OV circuit raises most, [layer, head].

    `rows` asks for some tokens only. Of two heads together: `(full_ov(...) + full_ov(...)).top_k_accuracy(k)`.

    >>> from remix_utils.models.transformer import untrained
    >>> copying_accuracy(untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20), k=20).min()
    tensor(1.)

    Raises ShapeError for a classifier, or more k than tokens; ModelError for a model without attention heads.
    """
    model.head(0, 0)
    _predicts_tokens(model)
    layers, heads = range(model.config["n_layers"]), range(model.config["n_heads"])
    circuits = ([full_ov(model, (layer, head), folded=folded) for head in heads] for layer in layers)
    return torch.stack([torch.stack([each.top_k_accuracy(k, rows) for each in row]) for row in circuits])


def _predicts_tokens(model: Model) -> None:
    if model.config["d_out"]:
        raise ShapeError(
            f"{model.name!r} has {model.config['d_out']} outputs, and reads {model.config['d_vocab']} tokens.",
            fix="ask this of a model that predicts tokens.",
            outputs=model.config["d_out"],
            tokens=model.config["d_vocab"],
        )


def _different_tokens(network: Network, seed: int) -> torch.Tensor:
    longest, vocab = room(network)
    seq = min(longest, vocab, LENGTH) if isinstance(network, Model) else min(longest, vocab)
    generator = torch.Generator().manual_seed(seed)
    return torch.stack([torch.randperm(vocab, generator=generator)[:seq] for _ in range(ROWS)])


def _share(raised: torch.Tensor, pattern: torch.Tensor, counted: torch.Tensor) -> torch.Tensor:
    """From one head's logits [query, token] of the tokens at every position, its attention, the queries that count."""
    allowed = pattern > 0
    choices = allowed.sum(-1)
    mean = (raised * allowed).sum(-1, keepdim=True) / choices.unsqueeze(-1)
    above = ((raised - mean) * allowed).relu()
    most = pattern.argmax(-1, keepdim=True)
    share = above.gather(-1, most).squeeze(-1) / above.sum(-1).clamp(min=torch.finfo(above.dtype).tiny)
    weight = counted * (choices > 1)
    return (share * weight).sum(-1) / weight.sum(-1).clamp(min=1)


SHARE = Function("copying_share", _share, whole=(2, 2, 1))
