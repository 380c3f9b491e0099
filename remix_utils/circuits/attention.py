"""Detectors: what a head attends to, as one number for each head, [layer, head]."""

from __future__ import annotations

from collections.abc import Mapping

import torch
import torch.nn.functional as F

from remix_utils.circuits.network import Estimate, Network, Tokens, bind, per_head
from remix_utils.errors import DataError, ShapeError
from remix_utils.graph.node import Node
from remix_utils.graph.ops import einsum, placeholder

Inputs = Mapping[str, torch.Tensor]


def attention_to(network: Network, tokens: Tokens, targets: torch.Tensor) -> Estimate:
    """How much of its attention each head pays to the targets, a probability, over the queries that have any.

    `targets` is true where a query's key counts: [query, key], or [rows, query, key] where it differs by row. The
    network is a model, or the graph of one after an intervention; a head that was ablated has 0.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> score = attention_to(model, torch.zeros(3, 16, dtype=torch.long), torch.ones(16, 16))
    >>> score.mean.shape, bool(score.mean.allclose(torch.ones(2, 4)))
    (torch.Size([2, 4]), True)

    Raises ShapeError for targets of another shape, DataError when no query has a target.
    """
    graph, inputs = bind(network, tokens)
    return _attention_to(graph, inputs, targets)


def prefix_matching(network: Network, tokens: Tokens | None = None, seed: int = 0) -> Estimate:
    """How much each head attends to what followed an earlier occurrence of the current token (Olsson et al. 2022).

    On random tokens said twice, which are drawn by `seed` if no tokens are given, these are the keys one fewer than a
    copy's length back. An induction head has a score near 1.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=50, d_vocab=20)
    >>> prefix_matching(model).mean.shape
    torch.Size([2, 4])

    Raises DataError when no token occurs twice.
    """
    graph, inputs = bind(network, tokens, seed)
    followed = F.pad(_same(inputs)[..., :-1], (1, 0))
    return _attention_to(graph, inputs, followed.tril(-1))


def duplicate_token(network: Network, tokens: Tokens | None = None, seed: int = 0) -> Estimate:
    """How much each head attends to earlier occurrences of the current token.

    >>> from remix_utils.models.transformer import untrained
    >>> duplicate_token(untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=50, d_vocab=20)).mean.shape
    torch.Size([1, 2])

    Raises DataError when no token occurs twice.
    """
    graph, inputs = bind(network, tokens, seed)
    return _attention_to(graph, inputs, _same(inputs).tril(-1))


def previous_token(network: Network, tokens: Tokens | None = None, seed: int = 0) -> Estimate:
    """How much each head attends to the token just before.

    >>> from remix_utils.models.transformer import untrained
    >>> previous_token(untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=50, d_vocab=20)).mean.shape
    torch.Size([1, 2])
    """
    graph, inputs = bind(network, tokens, seed)
    query, key = _places(inputs)
    return _attention_to(graph, inputs, key == query - 1)


def current_token(network: Network, tokens: Tokens | None = None, seed: int = 0) -> Estimate:
    """How much each head attends to the current token itself, the first left out: a causal head has no choice there.

    >>> from remix_utils.models.transformer import untrained
    >>> current_token(untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=50, d_vocab=20)).mean.shape
    torch.Size([1, 2])
    """
    graph, inputs = bind(network, tokens, seed)
    query, key = _places(inputs)
    return _attention_to(graph, inputs, (key == query) & (query > 0))


def first_token(network: Network, tokens: Tokens | None = None, seed: int = 0) -> Estimate:
    """How much each head attends to the first token, from the others: where heads look that have nothing to do.

    >>> from remix_utils.models.transformer import untrained
    >>> first_token(untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=50, d_vocab=20)).mean.shape
    torch.Size([1, 2])
    """
    graph, inputs = bind(network, tokens, seed)
    query, key = _places(inputs)
    return _attention_to(graph, inputs, (key == 0) & (query > 0))


def _attention_to(graph: Node, inputs: Inputs, targets: torch.Tensor) -> Estimate:
    rows, seq = inputs["tokens"].shape
    if tuple(targets.shape) not in ((seq, seq), (rows, seq, seq)):
        raise ShapeError(
            f"Targets {list(targets.shape)} for tokens {[rows, seq]}.",
            fix=f"give [{seq}, {seq}] or [{rows}, {seq}, {seq}], queries before keys.",
            given=tuple(targets.shape),
            seq=seq,
        )
    if "mask" in inputs:
        targets = targets.bool() & inputs["mask"].unsqueeze(-1) & inputs["mask"].unsqueeze(-2)
    queries = targets.bool().any(-1).sum(-1)  # how many have a target
    some = (queries > 0).expand(rows)
    if not some.any():
        raise DataError("No query has a target.", fix="give tokens in which some do, such as repeated ones.")
    share = targets.float() / queries.clamp(min=1)[..., None, None]
    weights = placeholder("targets", (seq, seq))

    def measure(pattern: Node) -> Node:
        head = "head " if len(pattern.shape) == 3 else ""
        return einsum(f"{head}query key, query key -> {head}", pattern, weights)

    return Estimate.over_rows(per_head(graph, {**inputs, "targets": share}, measure)[some])


def _same(inputs: Inputs) -> torch.Tensor:
    """Where query and key are the same token, [rows, query, key]; padding is like nothing."""
    tokens = inputs["tokens"]
    same = tokens.unsqueeze(-1) == tokens.unsqueeze(-2)
    return same & inputs["mask"].unsqueeze(-2) if "mask" in inputs else same


def _places(inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
    """Positions of queries [..., query, 1] and of keys [..., 1, key], counted from the first real token."""
    tokens = inputs["tokens"]
    real = inputs["mask"] if "mask" in inputs else torch.ones_like(tokens[0])
    places = real.long().cumsum(-1) - 1
    return places.unsqueeze(-1), places.unsqueeze(-2)
