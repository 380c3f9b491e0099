"""The difference of two logits as a node is that of the logits, for every kind of network."""

import pytest
import torch

from remix_utils.circuits.difference import logit_difference, word_score
from remix_utils.errors import BoundsError, MatchError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find
from remix_utils.intervene import path_patch
from tests.models.small_transformers import EVERY_KIND, loaded, network, tokens

GIVEN = tokens(rows=3, seq=9)
INPUTS = {"tokens": GIVEN, "token.IO": torch.tensor([1, 0, 1]), "token.S": torch.tensor([0, 1, 1])}


def of_logits(logits):
    rows = torch.arange(len(logits))
    return logits[rows, INPUTS["token.IO"]] - logits[rows, INPUTS["token.S"]]


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("position", [-1, 4])
def test_it_equals_the_difference_of_the_modules_logits(kind, position):
    """At the end and in the middle, to 1e-5, with biases or without; a classifier has one position."""
    expected = network(kind)(GIVEN)
    expected = expected if expected.ndim == 2 else expected[:, position]
    found = evaluate(logit_difference(loaded(kind).graph(seq=9), position=position), INPUTS)
    torch.testing.assert_close(found, of_logits(expected), atol=1e-5, rtol=1e-5)


def test_a_sweep_reads_it_as_it_reads_the_logits():
    """A head's path patch changes the node as it changes the logits, and the node needs no other logit."""
    model = loaded("gpt2")
    graph = split(model.graph(seq=9), "blocks.*.attn_out", "head")
    other = {"tokens": placeholder("other", (9,), torch.long)}
    inputs = {**INPUTS, "other": tokens(rows=3, seq=9, seed=1)}
    patched = evaluate(path_patch(logit_difference(graph), model.head(0, 1), other), inputs)
    whole = evaluate(path_patch(graph, model.head(0, 1), other), inputs)
    torch.testing.assert_close(patched, of_logits(whole[:, -1]), atol=1e-5, rtol=1e-5)
    assert find(logit_difference(graph), "logits", missing="ok") == []


def test_a_position_that_is_not_there_and_a_graph_without_logits_are_refused():
    """Position 9 of 9 does not exist, and a placeholder has no logits."""
    with pytest.raises(BoundsError):
        logit_difference(loaded("gpt2").graph(seq=9), position=9)
    with pytest.raises(MatchError):
        logit_difference(placeholder("x", (3,)))


@pytest.mark.parametrize("kind", EVERY_KIND)
@pytest.mark.parametrize("position", [-1, 4])
def test_a_word_score_is_the_weighted_sum_of_the_modules_logits(kind, position):
    """Of three words that differ by row, at the end and in the middle, with biases or without."""
    words = {"candidates": torch.tensor([[1, 0, 1], [0, 1, 1], [1, 1, 0]]), "weights": torch.randn(3, 3)}
    logits = network(kind)(GIVEN)
    logits = logits if logits.ndim == 2 else logits[:, position]
    expected = (logits.gather(1, words["candidates"]) * words["weights"]).sum(1)
    found = evaluate(word_score(loaded(kind).graph(seq=9), 3, position=position), INPUTS | words)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)
