"""Day 2, part 4, where its notebook does less than it can: models from a folder, and a training of some steps."""

import pytest
import torch

from remix_utils.checks.part import values
from remix_utils.checks.statements import closure
from remix_utils.models.transformer import untrained
from tests.checks.lessons import PARTS
from tests.models.foreign_models import original

NAMES = ("survey", "detect", "strongest", "train", "vital_signs")


@pytest.fixture(scope="module")
def lesson():
    """The functions of the part, as its reference has them."""
    part = PARTS["d2.4"]
    return values(closure(part.before(len(part.bundle.cells)), NAMES), "<day 2, part 4>")


def test_the_survey_runs_unchanged_on_a_folder(lesson, tmp_path, capsys):
    """A GPT-2 that was saved here is measured like a model that ships; what is not there gets one line."""
    original("gpt2").save_pretrained(tmp_path / "gpt2")
    names = [str(tmp_path / "gpt2"), str(tmp_path), "induction-2l"]
    found = lesson["survey"](names, lesson["detect"])
    assert list(found) == [names[0], names[2]]
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(f"{tmp_path}: ")
    mean, error = found[names[0]]["prefix"]
    assert mean.shape == error.shape and 0 < mean.max() < 1
    assert lesson["strongest"](found["induction-2l"]["prefix"][0], 0.4) == ["1.3", "1.1"]
    assert lesson["strongest"](found["induction-2l"]["previous"][0], 0.4) == ["0.0"]


def test_a_model_of_ones_own_is_trained(lesson):
    """In some steps a small one learns which tokens there are; each state is a model by itself, the first untouched."""
    sizes = {
        "n_layers": 2,
        "n_heads": 2,
        "d_model": 16,
        "n_ctx": 32,
        "d_vocab": 50,
        "positions": "shortformer",
    }
    text = torch.arange(500) % 7
    states = list(lesson["train"](text, minutes=0, least=100, rate=1e-2, **sizes))
    assert [step for step, *_ in states] == [50, 100]
    signs = [
        lesson["vital_signs"](state, text[None, :32], torch.randint(50, (4, 32)))["stories"].mean()
        for state in (untrained(**sizes), *(state for *_, state in states))
    ]
    assert signs[0] > signs[1] + 1 > signs[2] + 1


def test_training_stops_when_its_time_is_up(lesson):
    """Minutes count once the least number of steps is done; the last state is given whatever its number."""
    sizes = {
        "n_layers": 1,
        "n_heads": 1,
        "d_model": 8,
        "n_ctx": 32,
        "d_vocab": 9,
        "positions": "shortformer",
    }
    steps = [step for step, *_ in lesson["train"](torch.zeros(99, dtype=torch.long), minutes=0, least=7, **sizes)]
    assert steps == [7]
