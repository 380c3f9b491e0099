"""What a picture is given arrives unrounded, or is refused by name."""

import pytest
import torch

from remix_utils.errors import NanError
from remix_utils.plot.values import estimates, numbers


def test_python_numbers_arrive_unrounded():
    """91.1 stays 91.1, which single precision would not keep."""
    assert numbers([91.1, 0.3], "x") == [91.1, 0.3]
    assert estimates([91.1, (0.3, torch.tensor(0.5))], "x") == ([91.1, 0.3], [0.0, 0.5])


def test_tensors_of_any_kind_are_taken():
    """Half precision, integers, and tensors that require gradients."""
    for given in (
        torch.ones(2, dtype=torch.bfloat16),
        torch.ones(2, dtype=torch.int64),
        torch.ones(2).requires_grad_(),
    ):
        assert numbers(given, "x") == [1.0, 1.0]


def test_the_first_nan_is_named():
    """The error says what, how many, and where."""
    with pytest.raises(NanError, match=r"Scores: 2 of 4 values are not finite, first nan at \[0, 1\]") as caught:
        numbers(torch.tensor([[0.0, float("nan")], [1.0, float("inf")]]), "Scores")
    assert caught.value.place == [0, 1] and caught.value.count == 2
