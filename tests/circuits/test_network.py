"""Estimates: means over rows with their standard errors, over rows and over groups of rows."""

import math

import torch

from remix_utils.circuits.network import Estimate

VALUES = torch.randn(60, 2, generator=torch.Generator().manual_seed(0))
GROUPS = torch.arange(60) % 6


def test_over_rows_is_the_deviation_over_the_root_of_their_number():
    """Mean and error of each column equal torch's own, and one row has no error."""
    found = Estimate.over_rows(VALUES)
    torch.testing.assert_close(found.mean, VALUES.mean(0))
    torch.testing.assert_close(found.se, VALUES.std(0) / math.sqrt(60))
    assert bool(Estimate.over_rows(VALUES[:1]).se.isnan().all())


def test_over_groups_of_one_size_is_the_deviation_of_their_means():
    """With 6 groups of 10 rows it is the deviation of the 6 means over √6, whatever the groups are called."""
    found = Estimate.over_groups(VALUES, 7 * GROUPS - 3)
    means = torch.stack([VALUES[group == GROUPS].mean(0) for group in range(6)])
    torch.testing.assert_close(found.mean, VALUES.mean(0))
    torch.testing.assert_close(found.se, means.std(0) / math.sqrt(6))


def test_over_groups_of_one_row_each_is_over_rows():
    """Rows that are groups by themselves have the error over rows, and one group alone has none."""
    torch.testing.assert_close(Estimate.over_groups(VALUES, torch.arange(60)).se, Estimate.over_rows(VALUES).se)
    assert bool(Estimate.over_groups(VALUES, torch.zeros(60)).se.isnan().all())


def test_over_groups_covers_the_truth_where_rows_of_a_group_go_together():
    """With unequal groups that share a part, two errors cover the true mean about 95 times in 100; over rows, fewer."""
    generator = torch.Generator().manual_seed(1)
    covered = {"rows": 0, "groups": 0}
    groups = torch.arange(30).repeat_interleave(torch.arange(30) % 3 + 2)
    for _ in range(400):
        shared = torch.randn(30, generator=generator)[groups]
        values = shared + 0.5 * torch.randn(len(groups), generator=generator)
        for name, found in (("rows", Estimate.over_rows(values)), ("groups", Estimate.over_groups(values, groups))):
            covered[name] += bool(found.mean.abs() < 2 * found.se)
    assert covered["groups"] > 0.9 * 400 > 0.85 * 400 > covered["rows"]
