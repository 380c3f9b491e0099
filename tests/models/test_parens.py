"""The parens classifier is as good as its card says, by the card's measures, and those are what they are called."""

from dataclasses import asdict, replace

import pytest
import torch
import torch.nn.functional as F

from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import parens
from training import parens as training

HELD_OUT = parens.draw(20_000, seed=2, part="held-out")
TINY = replace(training.RECIPES["parens"], steps=6, batch=8, strings=300)


@pytest.fixture(scope="module")
def trained():
    return models.load("parens")


@pytest.fixture(scope="module")
def margin(trained):
    return training.margins(trained.module(), HELD_OUT)


def test_it_knows_balanced_from_unbalanced(trained, margin):
    """On 20,000 strings that it was not trained on, it is right 999 times in 1,000, with little doubt."""
    found, said = training.figures(margin), trained.card["metrics"]["held_out"]
    assert found["accuracy"] >= 0.999 and found["loss"] < 0.01
    assert found["loss"] == pytest.approx(said["loss"], abs=2e-5) and abs(found["wrong"] - said["wrong"]) <= 1


def test_it_is_good_at_every_kind_of_string(trained, margin):
    """Balanced strings, and each way to fail: the figures on the card are those of the strings."""
    said = trained.card["metrics"]["by_kind"]
    for kind, found in training.by_kind(margin, HELD_OUT).items():
        assert found["accuracy"] >= 0.995, kind
        assert found["strings"] == said[kind]["strings"] and abs(found["wrong"] - said[kind]["wrong"]) <= 1, kind
    assert sum(part["strings"] for part in said.values()) == len(HELD_OUT)


def test_the_graph_says_what_the_module_says(trained):
    """With padding masked, the graph's two logits are those of the network that was trained."""
    data = HELD_OUT[:50]
    inputs = {name: data[name] for name in ("tokens", "mask")}
    logits = evaluate(trained.graph(parens.LENGTH, mask=True), inputs)
    torch.testing.assert_close(logits, trained.module()(**inputs), atol=1e-4, rtol=1e-4)


def test_the_attention_on_the_card_is_measured(trained):
    """What the card says of each head comes from the patterns of 2,000 strings."""
    found = training.attention(trained.module(), HELD_OUT[:2000])
    for measure, said in trained.card["metrics"]["attention"].items():
        torch.testing.assert_close(torch.tensor(found[measure]), torch.tensor(said), atol=2e-3, rtol=0)


def test_shipped_weights_have_the_recipe_that_is_in_the_script(trained):
    """Nobody changed the recipe or the sizes and forgot to train."""
    recipe = asdict(training.RECIPES["parens"])
    assert {key: trained.card["training"][key] for key in recipe} == recipe
    assert trained.card["config"] == training.SIZES


def test_figures_are_cross_entropy_and_accuracy():
    """From margins come the loss and the accuracy that plain torch finds in the logits, and their standard errors."""
    network, data = Transformer(TransformerConfig.read(training.SIZES), seed=3), HELD_OUT[:300]
    with torch.no_grad():
        logits = network(data["tokens"], data["mask"])
    found = training.figures(training.margins(network, data))
    losses = F.cross_entropy(logits, data["label"], reduction="none")
    right = (logits.argmax(-1) == data["label"]).float()
    assert found["loss"] == pytest.approx(losses.mean().item(), abs=2e-6)
    assert found["accuracy"] == pytest.approx(right.mean().item(), abs=2e-6)
    assert found["loss_se"] == pytest.approx(losses.std().item() / 300**0.5, abs=2e-6)
    assert found["wrong"] == 300 - right.sum() and found["strings"] == 300


def test_attention_is_called_even_where_it_is():
    """Without queries every head is even; with a query for position 1, all of position 0's attention goes there."""
    network = Transformer(TransformerConfig.read(training.SIZES)).requires_grad_(False)
    for block in network.blocks:
        block.attn.W_Q.zero_()
    data = HELD_OUT[:100]
    even = training.attention(network, data)
    shares = (1 / data["mask"].sum(1)).mean().item()
    assert even["distance_from_even"] == [[0, 0]] * 3
    assert torch.tensor(even["position_0_to_1"]) == pytest.approx(torch.full((3, 2), shares).numpy(), abs=1e-3)
    network.pos_embed.W_pos[1] = 50 * torch.eye(56)[0]  # LayerNorm leaves about √56 of it
    network.blocks[0].attn.W_K.zero_()[1, 0, 0] = 10
    network.blocks[0].attn.b_Q[1, 0] = 10
    found = training.attention(network, data)
    assert found["position_0_to_1"][0][1] == 1 and found["position_0_to_1"][0][0] < 0.5
    assert found["distance_from_even"][0][1] > 0.8 and found["distance_from_even"][0][0] == 0


def test_a_training_goes_on_where_it_was(tmp_path):
    """Its strings are drawn again and its batches go on from the checkpoint: the weights are those of one run."""
    whole = training.ParensRun("parens", TINY, tmp_path / "whole")
    whole.train()
    broken = training.ParensRun("parens", TINY, tmp_path / "broken")
    for _ in range(3):
        broken.update()
    broken.save()
    again = training.ParensRun("parens", TINY, tmp_path / "broken")
    assert again.resume() and again.step == 3
    again.train()
    for name, weight in whole.network.state_dict().items():
        assert torch.equal(weight, again.network.state_dict()[name]), name
