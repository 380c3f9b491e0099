"""Training goes on after a kill as if nothing had happened."""

from dataclasses import replace

import pytest
import torch

from remix_utils.models.model import shipped
from training import digits as training

SHORT = replace(training.RECIPES["digits-b"], steps=60)


@pytest.fixture(autouse=True)
def often(monkeypatch):
    monkeypatch.setattr(training, "CHECKPOINT_EVERY", 20)


def train(folder, recipe=SHORT, stop_after=None):
    """Train in a folder; with `stop_after`, die in the step after it, as a kill would have it."""
    run = training.Run("digits-b", recipe, folder)
    resumed = run.resume()
    if stop_after is not None:
        update = run.update

        def dying(x, label):
            if run.step == stop_after:
                raise KeyboardInterrupt
            return update(x, label)

        run.update = dying
    run.train()
    return run, resumed


def test_a_killed_run_goes_on_where_it_was(tmp_path):
    """Killed between two checkpoints and started again, the weights and the log are those of one whole run."""
    with pytest.raises(KeyboardInterrupt):
        train(tmp_path / "killed", stop_after=33)
    again, resumed = train(tmp_path / "killed")
    whole, _ = train(tmp_path / "whole")
    assert resumed and again.log == whole.log
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_not_used(tmp_path):
    """A changed recipe starts from the beginning."""
    train(tmp_path)
    run, resumed = train(tmp_path, replace(SHORT, seed=1))
    assert not resumed and run.step == 60


def test_what_is_published_can_be_loaded(tmp_path):
    """The card that training writes vouches for the weights beside it, and says how they were made."""
    run, _ = train(tmp_path)
    training.publish(run, tmp_path / "weights")
    weights, card = shipped("digits-b", tmp_path / "weights")
    assert torch.equal(weights["skip"], run.network.skip)
    assert card["training"]["steps"] == 60 and len(card["log"]) == 3 and card["metrics"]["as it is"] > 0


def test_shipped_weights_have_the_recipe_that_is_in_the_script():
    """Nobody changed a recipe and forgot to train."""
    for name, recipe in training.RECIPES.items():
        card = shipped(name)[1]
        assert card["leans_on"] == recipe.leans_on
        said = {key: value for key, value in card["training"].items() if key != "torch"}
        assert said == {key: value for key, value in vars(recipe).items() if key != "leans_on"}
