"""Fixed tensors: whose memory they take, and when."""

import pytest
import torch

from benchmarks.measure import Allocations
from remix_utils.graph.buffer import Buffer


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.complex64])
@pytest.mark.parametrize("place", [None, 0, 999])
def test_a_nan_is_found_wherever_it_is(dtype, place):
    """The last of many values counts as much as the first, and without one there is none."""
    values = torch.randn(1000).to(dtype)
    if place is not None:
        values[place] = float("nan")
    assert Buffer(values).has_nan == (place is not None)


def test_looking_for_a_nan_takes_no_memory_of_that_size():
    """Weights are searched without a mask beside them."""
    weights = Buffer(torch.zeros(100_000))
    with Allocations() as made:
        assert not weights.has_nan
    assert made.peak < 100


def test_what_holds_no_numbers_holds_no_nan():
    """Integers, truth values and nothing at all."""
    assert not any(Buffer(value).has_nan for value in (torch.arange(3), torch.tensor([True]), torch.zeros(0, 4)))
