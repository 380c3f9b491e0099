"""Handwritten digits: scikit-learn's 1,797 images of 8 × 8 pixels, split by a seed."""

from __future__ import annotations

from functools import lru_cache

import torch
from sklearn.datasets import load_digits

from remix_utils.data import Dataset
from remix_utils.errors import DataError

PARTS = ("train", "test")
TEST_ROWS = 600
SIDE = 8
DARKEST = 16.0  # the files hold whole numbers from 0 to 16


@lru_cache(maxsize=1)
def _everything() -> tuple[torch.Tensor, torch.Tensor]:
    pixels, digits = load_digits(return_X_y=True)
    return torch.tensor(pixels, dtype=torch.float32) / DARKEST, torch.tensor(digits, dtype=torch.int64)


def images(part: str = "test", seed: int = 0) -> Dataset:
    """The images and labels of one part, as columns `x` [rows, 64] from 0 to 1 and `label` [rows].

    >>> from remix_utils.tasks import digits
    >>> test = digits.images("test")
    >>> tuple(test["x"].shape), len(digits.images("train"))
    ((600, 64), 1197)

    Raises DataError for a part that is neither "train" nor "test".
    """
    if part not in PARTS:
        raise DataError(f"Digits has no part {part!r}.", fix='ask for "train" or "test".', part=part)
    x, label = _everything()
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    rows = order[:TEST_ROWS] if part == "test" else order[TEST_ROWS:]
    return Dataset(x=x[rows], label=label[rows])
