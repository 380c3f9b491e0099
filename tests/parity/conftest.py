"""Each part of day 5, run on a tiny random GPT-2 in double precision, beside transformers' own model of its weights."""

import os
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from remix_utils import models
from remix_utils.graph import ops
from tests import tiny_gpt2
from tests.parity.hooked import Hooked
from tools.figures import run_master

LESSONS = Path(__file__).parents[2] / "solutions" / "day5_ioi"


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """A folder with a random GPT-2, as transformers saves one."""
    return tiny_gpt2.save(tmp_path_factory.mktemp("models") / "gpt2-tiny")


@pytest.fixture(scope="module")
def double():
    """Makes a lesson compute in double precision, though it says `.float()` and the model's file is single."""
    load, before = models.load, torch.get_default_dtype()

    def load_double(name, step=None):
        model = load(name, step)
        weights = model.weights.items()
        return replace(model, weights={key: value.double() for key, value in weights})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(models, "load", load_double)
        patch.setattr(torch.Tensor, "float", torch.Tensor.double)
        patch.setattr(ops.placeholder, "__defaults__", (torch.float64,))
        torch.set_default_dtype(torch.float64)
        yield
        torch.set_default_dtype(before)


@pytest.fixture(scope="module")
def hooked(tiny):
    """transformers' model of the same weights."""
    return Hooked(tiny)


@pytest.fixture(scope="module")
def lesson(request, tiny, double):
    """The names that the module's part leaves when it has run, its exercises' answers among them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REMIX_MODEL", str(tiny))
        patch.delenv("REMIX_FULL", raising=False)
        left = run_master(LESSONS / f"{request.module.LESSON}.py")
    assert os.fspath(tiny) == left["model"].name
    return SimpleNamespace(**left)


@pytest.fixture(scope="module")
def clean(lesson, hooked):
    """The hooks' run on the part's prompts."""
    return hooked.see(lesson.data["tokens"], lesson.data["mask"])


@pytest.fixture(scope="module")
def abc(lesson, hooked):
    """The hooks' run on the other prompts of the part."""
    return hooked.see(lesson.both["other.tokens"], lesson.data["mask"])


@pytest.fixture
def agree(record_property):
    """Compares our values with those of the hooks, and records the largest difference."""
    found = [0.0]

    def compare(ours, theirs):
        ours, theirs = torch.as_tensor(ours), torch.as_tensor(theirs)
        assert ours.dtype == theirs.dtype == torch.float64
        assert ours.shape == theirs.shape
        size, off = float(theirs.abs().max()), float((ours - theirs).abs().max())
        assert size > 1e-6, "nothing to compare"
        found[0] = max(found[0], off)
        assert off < 1e-9
        assert off < 1e-6 * size

    yield compare
    record_property("largest difference", found[0])
