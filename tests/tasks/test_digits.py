"""The handwritten digits: the same images and the same split on every machine."""

import pytest
import torch

from remix_utils.errors import DataError
from remix_utils.tasks import TASKS, digits


def test_the_parts_have_their_sizes_and_their_range():
    """1,197 images to train and 600 to test, pixels from 0 to 1, labels from 0 to 9."""
    train, test = digits.images("train"), digits.images("test")
    assert (len(train), len(test)) == (1197, 600)
    assert (train["x"].min(), train["x"].max()) == (0, 1)
    assert train["x"].dtype == torch.float32 and set(test["label"].tolist()) == set(range(10))


def test_no_image_is_in_both_parts():
    """Together the parts hold each of the 1,797 images once."""
    x, _ = digits._everything()
    both = torch.cat([digits.images("train")["x"], digits.images("test")["x"]])
    assert sorted(both.tolist()) == sorted(x.tolist())


def test_the_split_is_that_of_its_seed():
    """The same seed gives the same rows, another seed others; the first rows are what they were when we trained."""
    assert torch.equal(digits.images("test", 1)["x"], digits.images("test", 1)["x"])
    assert not torch.equal(digits.images("test", 0)["x"], digits.images("test", 1)["x"])
    assert digits.images("test")["label"][:8].tolist() == [6, 5, 5, 7, 9, 9, 8, 4]


def test_labels_stay_with_their_images():
    """Shuffling moves image and label together."""
    x, label = digits._everything()
    known = {tuple(pixels): digit for pixels, digit in zip(x.tolist(), label.tolist(), strict=True)}
    test = digits.images("test")
    assert all(known[tuple(p)] == d for p, d in zip(test["x"].tolist(), test["label"].tolist(), strict=True))


def test_an_unknown_part_is_refused():
    """A part that does not exist is an error that names the two that do."""
    with pytest.raises(DataError, match='fix: ask for "train" or "test"'):
        digits.images("validation")


def test_the_list_names_every_task():
    """Each task in the list is a module of the package."""
    assert "digits" in TASKS
