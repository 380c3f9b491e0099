"""Repeated random tokens: the copies agree, and they are the same on every machine."""

from hashlib import sha256

import pytest
import torch

from remix_utils.errors import DataError
from remix_utils.tasks import TASKS, repeated


@pytest.mark.parametrize("start", [None, 50])
@pytest.mark.parametrize("copies", [2, 4])
def test_copies_agree(start, copies):
    """From `second` on, each token is the one a copy's length before; a start token stands only in front."""
    data = repeated.draw(6, length=9, vocab=50, start=start, copies=copies)
    front = int(start is not None)
    assert "repeated" in TASKS and data["tokens"].shape == (6, front + 9 * copies)
    assert data["second"].tolist() == [front + 9] * 6
    assert torch.equal(data["tokens"][:, front + 9 :], data["tokens"][:, front:-9])
    assert (data["tokens"] == 50).sum() == 6 * front


def test_tokens_are_even():
    """Every token is drawn about equally often, and of a list only its own."""
    counts = repeated.draw(400, 25, vocab=20)["tokens"].flatten().bincount() / 2
    assert len(counts) == 20 and (counts - 500).abs().max() < 5 * 500**0.5
    assert repeated.draw(40, 25, vocab=[3, 8, 5])["tokens"].unique().tolist() == [3, 5, 8]


def test_the_tokens_are_those_of_their_seed():
    """The same tokens on every machine, others with another seed."""
    text = " ".join(map(str, repeated.draw(50, 40, 1024)["tokens"].flatten().tolist()))
    assert sha256(text.encode()).hexdigest()[:16] == "af7265259f8a3061"
    first, other = (repeated.draw(5, 40, 1024, seed=seed)["tokens"] for seed in (0, 1))
    assert not torch.equal(first, other)


@pytest.mark.parametrize("wrong", [{"n": 0}, {"length": 0}, {"vocab": 0}, {"vocab": []}, {"copies": 1}])
def test_what_cannot_be_is_refused(wrong):
    """Nothing to say, or nothing to say it with, is an error that names what is missing."""
    with pytest.raises(DataError, match=f"with {next(iter(wrong))} [01]"):
        repeated.draw(**{"n": 2, "length": 5, "vocab": 9} | wrong)
