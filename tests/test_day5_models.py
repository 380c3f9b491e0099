"""Day 5 runs from its first cell to its last on any model; smollm2's turn is among the reference notebooks."""

import io
from pathlib import Path

import pytest

from remix_utils import models
from remix_utils.tasks import ioi
from tests import tiny_gpt2
from tests.models.test_gpt2_small import BESIDE_OTHERS
from tools.figures import run_master

LESSONS = sorted(Path(__file__).parents[1].glob("solutions/day5_ioi/part*.py"))
each_part = pytest.mark.parametrize("master", LESSONS, ids=[master.stem for master in LESSONS])


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """A folder with a random GPT-2, whose name is no reason to take it for GPT-2-small."""
    return tiny_gpt2.save(tmp_path_factory.mktemp("models") / "gpt2-tiny")


def run(master, model, monkeypatch, printed=None):
    """The names that a part leaves when it has run on a model."""
    monkeypatch.setenv("REMIX_MODEL", str(model))
    monkeypatch.delenv("REMIX_FULL", raising=False)
    return run_master(master, printed)


def test_every_word_of_the_task_is_one_token_of_the_tiny_model(tiny):
    """Names, places and objects, so that the tiny model reads all prompts that GPT-2 reads."""
    encode = models.load(str(tiny)).tokenizer.encode
    assert len(ioi.names(encode)) == len(ioi.NAMES)
    assert (len(ioi.places(encode)), len(ioi.objects(encode))) == (len(ioi.PLACES), len(ioi.OBJECTS))


@each_part
def test_a_part_runs_on_a_random_gpt2(master, tiny, monkeypatch):
    """A model without any of the circuit's stages: the cells say so and go on, without figures of GPT-2-small."""
    printed = io.StringIO()
    left = run(master, tiny, monkeypatch, printed)
    assert left["model"].config["n_layers"] == tiny_gpt2.SIZES["n_layer"] and left["full_run"]
    assert "gpt2-tiny" in left["model"].name
    assert master.stem in BESIDE_OTHERS or "published" not in printed.getvalue()
    assert len(printed.getvalue()) > 1000


@each_part
def test_a_part_runs_on_the_shipped_model(master, monkeypatch):
    """ioi-small has a shorter circuit, and is what a machine without a network has."""
    left = run(master, "ioi-small", monkeypatch)
    assert left["model"].name == "ioi-small" and left["full_run"]
