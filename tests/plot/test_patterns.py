"""Attention patterns are checked before they are shown."""

import torch

from remix_utils.plot.patterns import is_causal, pattern_weights, row_sum_warning, strongest
from tests.plot.passage import causal


def test_rounding_noise_is_no_error():
    """Half precision leaves weights a hair outside [0, 1], which are clamped."""
    weights = pattern_weights(torch.tensor([[[1.00005, -0.00005], [0.5, 0.5]]]), ["a", "b"])
    assert weights.min() == 0 and weights.max() == 1


def test_one_weight_on_a_later_key_ends_causality():
    """Of any head."""
    weights = causal(2, 5)
    assert is_causal(weights)
    weights[1, 2, 3] = 0.01
    assert not is_causal(weights)


def test_the_first_row_is_left_out_unless_it_is_the_only_one():
    """A causal head's first token can only attend to itself."""
    assert strongest(torch.tensor([[[1.0, 0.0], [0.6, 0.4]]]), ["a", "b"], ["h"], most=1) == [
        "h: 'b' (1) → 'a' (0) 0.60"
    ]
    assert strongest(torch.ones(1, 1, 1), ["a"], ["h"]) == ["h: 'a' (0) → 'a' (0) 1.00"]


def test_the_warning_counts_rows():
    """Rows within a hundredth of 1 are in order."""
    weights = torch.tensor([[[1.0, 0.0], [0.5, 0.495]]])
    assert row_sum_warning(weights) == ""
    assert "1 of 2 rows" in row_sum_warning(weights * torch.tensor([1.0, 0.9])[None, :, None])
