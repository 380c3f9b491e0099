"""Loss by token equals cross-entropy, and the in-context score is a difference of two of them."""

import pytest
import torch
import torch.nn.functional as F

from remix_utils.circuits.loss import in_context, token_loss
from remix_utils.errors import BoundsError, DataError, MatchError, ShapeError
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.ops import index
from remix_utils.graph.select import find_one
from remix_utils.models.catalogue import load
from tests.models.small_transformers import KINDS, loaded, network, tokens

GIVEN = tokens(rows=5, seq=16)
LANGUAGE = [kind for kind in KINDS if kind != "classifier"]


def cross_entropy(kind, given):
    """[rows, seq − 1], in nats."""
    logits = network(kind)(given)[:, :-1]
    return F.cross_entropy(logits.transpose(1, 2), given[:, 1:], reduction="none")


@pytest.mark.parametrize("kind", LANGUAGE)
def test_the_loss_is_cross_entropy(kind):
    """Entry i is the surprise at token i + 1, in nats."""
    loss = evaluate(token_loss(loaded(kind).graph(seq=16)), {"tokens": GIVEN})
    torch.testing.assert_close(loss, cross_entropy(kind, GIVEN), atol=1e-5, rtol=1e-5)


def test_asking_for_one_token_computes_less():
    """As part of the graph, the loss at one token needs the logits of one position."""
    loss = token_loss(loaded("shortformer", d_vocab=500).graph(seq=16))
    assert plan(index(loss, 3), {"tokens": GIVEN}).flops < 0.7 * plan(loss, {"tokens": GIVEN}).flops


def test_the_score_is_late_less_early():
    """Over tokens by number or by slice, with the standard error over rows; of a graph as of its model."""
    loss = cross_entropy("shortformer", GIVEN)
    score = in_context(loaded("shortformer"), GIVEN, early=2, late=15)
    values = loss[:, 14] - loss[:, 1]
    torch.testing.assert_close(score.mean, values.mean(), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(score.se, values.std() / 5**0.5, atol=1e-5, rtol=1e-4)
    values = loss[:, 11:15].mean(1) - loss[:, 0:3].mean(1)
    for each in (loaded("shortformer"), loaded("shortformer").graph(seq=16)):
        score = in_context(each, GIVEN, early=slice(1, 4), late=slice(-4, None))
        torch.testing.assert_close(score.mean, values.mean(), atol=1e-5, rtol=1e-5)


def test_what_has_no_loss_is_refused():
    """Tokens outside the sequence, a classifier, one token alone, a network that reads none."""
    model = loaded("shortformer")
    for early, late in ((50, 500), (0, 3), (1, 16), (-1, 3), (slice(0, 3), 5), (slice(4, 4), 5)):
        with pytest.raises(BoundsError, match="of 16"):
            in_context(model, GIVEN, early, late)
    for graph in (loaded("classifier").graph(seq=16), model.graph(seq=1)):
        with pytest.raises(ShapeError, match="predict no next token"):
            token_loss(graph)
    mask = torch.ones(5, 16, dtype=torch.bool)
    mask[2, 0] = False
    with pytest.raises(DataError, match="1 of 5 rows are padded"):
        in_context(model, {"tokens": GIVEN, "mask": mask}, 1, 3)
    with pytest.raises(MatchError):
        token_loss(load("digits-a").graph())
    assert find_one(token_loss(model.graph(seq=4)), "loss").shape == (3,)
