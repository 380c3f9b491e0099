"""Training goes on after a kill as if nothing had happened, and what it publishes can be loaded."""

import json
import signal
import subprocess
import sys
import tomllib
from dataclasses import asdict, replace
from pathlib import Path

import pytest
import torch

from remix_utils.models.model import shipped
from training import digits as training
from training import run as shared

SHORT = replace(training.RECIPES["digits-b"], steps=60)

# Dies by a real kill: in the middle of a step, or with half a checkpoint written.
DYING = """
import json, os, signal, sys
from pathlib import Path
from training import digits, run

def die():
    os.kill(os.getpid(), signal.SIGKILL)

class Dying(digits.DigitsRun):
    checkpoint_every = 20

    def loss(self):
        return die() if self.step == 33 and sys.argv[3] == "in a step" else super().loss()

def half(state, path):
    whole(state, path)
    if state["step"] == 40:
        path.write_bytes(path.read_bytes()[:1000])
        die()

if sys.argv[3] == "in a checkpoint":
    whole, run.torch.save = run.torch.save, half
Dying("digits-b", digits.Recipe(**json.loads(sys.argv[2])), Path(sys.argv[1])).train()
"""


class Often(training.DigitsRun):
    checkpoint_every = 20
    snapshots = (10, 30)


def train(folder, recipe=SHORT):
    run = Often("digits-b", recipe, folder)
    resumed = run.resume()
    first = run.step
    run.train()
    return run, resumed and first


@pytest.mark.parametrize("when", ["in a step", "in a checkpoint"])
def test_a_killed_run_goes_on_where_it_was(tmp_path, when):
    """Killed and started again, the weights and the log are those of one whole run."""
    command = [sys.executable, "-c", DYING, tmp_path / "killed", json.dumps(asdict(SHORT)), when]
    dead = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True)
    assert dead.returncode == -signal.SIGKILL, dead.stderr
    again, first = train(tmp_path / "killed")
    whole, _ = train(tmp_path / "whole")
    assert first == 20 and again.log == whole.log and len(whole.log) == 3
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, again.network.state_dict()[name]), name


def test_a_checkpoint_of_another_recipe_is_not_used(tmp_path):
    """A changed recipe starts from the beginning."""
    train(tmp_path)
    run, resumed = train(tmp_path, replace(SHORT, batch=64))
    assert not resumed and run.step == 60


def test_seeds_keep_their_own_checkpoints(tmp_path):
    """Training a second seed does not touch what the first has reached."""
    first, _ = train(tmp_path)
    kept = first.checkpoint.read_bytes()
    train(tmp_path, replace(SHORT, seed=1))
    assert first.checkpoint.read_bytes() == kept


def test_what_is_published_can_be_loaded(tmp_path, capsys):
    """The card that a script writes vouches for the weights beside it, and says how they were made."""
    recipes = {"digits-b": SHORT}
    where = ["--runs", str(tmp_path / "runs"), "--into", str(tmp_path / "weights")]
    shared.main(recipes, Often, training.card, ["digits-b", "--seed", "3", *where])
    weights, card = shipped("digits-b", tmp_path / "weights")
    trained, _ = train(tmp_path / "runs", replace(SHORT, seed=3))
    assert torch.equal(weights["skip"], trained.network.skip)
    earlier, _ = shipped("digits-b", tmp_path / "weights", step=30)
    assert [entry["step"] for entry in card["checkpoints"]] == [10, 30]
    assert 0 < (earlier["skip"] - weights["skip"]).abs().max() < 1
    assert card["training"]["steps"] == 60 and card["training"]["seed"] == 3
    assert card["log"]["step"] == [20, 40, 60] and card["metrics"]["as it is"] > 0
    assert "published" in capsys.readouterr().out


def test_an_unknown_name_trains_nothing(tmp_path, capsys):
    """A name without a recipe is refused, with the names that there are."""
    with pytest.raises(SystemExit):
        shared.main(training.RECIPES, Often, training.card, ["digits-c", "--runs", str(tmp_path)])
    assert "digits-a, digits-b" in capsys.readouterr().err


def test_a_card_reads_back_as_it_was_written():
    """Text with quotes and lines, numbers, lists of lists, tables in tables and lists of tables survive."""
    table = {
        "said": 'a "word"\nand ½ more',
        "numbers": [1, 2.5, 1e-7],
        "edges": [["a", "b"], ["c", "d"]],
        "yes": True,
        "by": {"a kind": {"mean": 0.5}, "none": []},
        "checkpoints": [{"step": 1, "sha256": "a"}, {"step": 2, "sha256": "b"}],
    }
    assert tomllib.loads(shared.toml(table)) == table


@pytest.mark.parametrize("name", training.RECIPES)
def test_shipped_weights_have_the_recipe_that_is_in_the_script(name):
    """Nobody changed a recipe and forgot to train."""
    card, recipe = shipped(name)[1], asdict(training.RECIPES[name])
    assert card["leans_on"] == recipe.pop("leans_on")
    assert {key: card["training"][key] for key in recipe} == recipe
