"""Differences of logits as a node: what a sweep of interventions is measured by."""

from __future__ import annotations

import torch

from remix_utils.circuits.stream import readout
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, einsum, index, placeholder


def logit_difference(graph: Node, answers: str = "token.IO", others: str = "token.S", position: int = -1) -> Node:
    """Builds the graph of one logit minus another at a position, [] for each row, in logits.

    The inputs `answers` and `others` [rows] say which tokens these are, and are columns of `ioi.dataset`. No other
    logit is computed, which is what makes a sweep of path patches over a large vocabulary fast.

    >>> from remix_utils import evaluate
    >>> from remix_utils.models.transformer import untrained
    >>> graph = untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=20).graph(seq=6)
    >>> inputs = {"tokens": torch.arange(6)[None], "token.IO": torch.tensor([3]), "token.S": torch.tensor([4])}
    >>> logits = evaluate(graph, inputs)[0, -1]
    >>> bool(torch.isclose(evaluate(logit_difference(graph), inputs)[0], logits[3] - logits[4], atol=1e-5))
    True

    Raises MatchError for a graph without logits, BoundsError for a position that it does not have.
    """
    read = readout(graph)
    stream = read.product.children[0]
    stream = stream if read.position is not None else index(stream, position)
    terms: dict[Node, float] = {}
    for name, sign in ((answers, 1.0), (others, -1.0)):
        token = placeholder(name, (), torch.long)
        terms[einsum("d_model, d_model ->", stream, read.unembedding(token))] = sign
        if read.bias is not None:
            terms[apply("embed", token, read.bias)] = sign
    return add(*terms, weights=list(terms.values()), name="logit_difference")


def word_score(
    graph: Node, words: int, candidates: str = "candidates", weights: str = "weights", position: int = -1
) -> Node:
    """Builds the graph of a weighted sum of the logits of some next words at a position, [] for each row, in logits.

    The inputs `candidates` and `weights` [rows, words] say which tokens are compared and how. Where the weights of a
    row sum to 0, what raises all logits alike has no part in it. No other logit is computed.

    >>> from remix_utils import evaluate
    >>> from remix_utils.models.transformer import untrained
    >>> graph = untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=20).graph(seq=6)
    >>> inputs = {"tokens": torch.arange(6)[None], "candidates": torch.tensor([[3, 4, 5]])}
    >>> logits = evaluate(graph, inputs)[0, -1]
    >>> found = evaluate(word_score(graph, 3), inputs | {"weights": torch.tensor([[1.0, -0.5, -0.5]])})[0]
    >>> bool(torch.isclose(found, logits[3] - (logits[4] + logits[5]) / 2, atol=1e-5))
    True

    Raises MatchError for a graph without logits, BoundsError for a position that it does not have.
    """
    read = readout(graph)
    stream = read.product.children[0]
    stream = stream if read.position is not None else index(stream, position)
    tokens, weight = placeholder(candidates, (words,), torch.long), placeholder(weights, (words,))
    logits = einsum("d_model, word d_model -> word", stream, read.unembedding(tokens))
    if read.bias is not None:
        logits = add(logits, apply("embed", tokens, read.bias))
    return einsum("word, word ->", logits, weight, name="word_score")
