"""Means, their errors, and what is recovered: right in 95 of 100 runs, also where draws share rows."""

import pickle
from math import inf, isinf

import pytest
import torch

from remix_utils.data import Dataset, Exact, Matching, Uniform, feature
from remix_utils.errors import DataError
from remix_utils.graph.ops import add, apply, einsum, placeholder
from remix_utils.graph.selector import at
from remix_utils.graph.show import show
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.result import Estimate, ScrubResult
from remix_utils.scrub.scrubbing import scrub

X = placeholder("x", (), torch.float64)
A, B = apply("tanh", X, name="a"), apply("sigmoid", X, name="b")
GRAPH = add(einsum(", ->", A, B, name="product"), A, name="output")
DATA = Dataset(x=torch.randn(8, generator=torch.Generator().manual_seed(0), dtype=torch.float64))
RUNS, DRAWS = 1000, 400


@feature
def sign(data):
    return data["x"] > 0


def loss(output, reference):
    return (output - reference["x"].tanh()) ** 2


HYPOTHESES = {
    "model": Interp("output", at("output"), Exact()),
    "hypothesis": Interp("output", at("output"), Exact(), [Interp("a", at("a"), Matching(sign))]),
    "baseline": Interp("output", at("output"), Uniform()),
}
EXACT = scrub(GRAPH, HYPOTHESES, DATA, "all", metric=loss)


def made(values, reference=None, exact=False) -> ScrubResult:
    values = torch.as_tensor(values, dtype=torch.float64)
    rows = {"reference": torch.arange(len(values)) if reference is None else torch.tensor(reference)}
    return ScrubResult("made", values, torch.full((len(values),), 1 / len(values)), A, rows, exact)


def covers(found: list[Estimate], truth: float) -> float:
    """The share of intervals of 1.96 standard errors that hold the truth."""
    return sum(abs(value - truth) <= 1.96 * value.se for value in found) / len(found)


def test_an_interval_covers_the_expectation_in_95_of_100_runs():
    """A thousand runs of 400 draws from 8 rows: the mean of a scrub, of the baseline, and the share recovered."""
    runs = [scrub(GRAPH, HYPOTHESES, DATA, DRAWS, seed, loss) for seed in range(RUNS)]
    for name in ("hypothesis", "baseline"):
        assert 0.93 <= covers([Estimate(run[name].mean, run[name].se) for run in runs], EXACT[name].mean) <= 0.97
    shares = [run["hypothesis"].recovered(run["model"], run["baseline"]) for run in runs]
    truth = EXACT["hypothesis"].recovered(EXACT["model"], EXACT["baseline"])
    assert 0.93 <= covers(shares, truth) <= 0.97 and truth.se == 0
    others = [scrub(GRAPH, HYPOTHESES["baseline"], DATA, DRAWS, seed + RUNS, loss) for seed in range(RUNS)]
    shares = [run["hypothesis"].recovered(EXACT["model"], other) for run, other in zip(runs, others, strict=True)]
    assert 0.93 <= covers(shares, truth) <= 0.97


def test_recovered_is_a_share_of_the_way():
    """Half-way, all of it, none, beyond, and the wrong way; of losses and of accuracies."""
    for value, share in ((0.5, 0.5), (0.0, 1.0), (1.0, 0.0), (-0.5, 1.5), (2.0, -1.0)):
        assert made([value]).recovered(0.0, 1.0) == share
        assert made([1 - value]).recovered(1.0, 0.0) == share


def test_the_error_of_a_share_counts_all_three():
    """Numbers have none; on the same references differences are taken first; on others variances add up."""
    values = made([1.0, 2.0, 4.0, 5.0])
    assert values.recovered(0.0, 10.0).se == pytest.approx(values.se / 10)
    assert values.recovered(made([0.0] * 4), made([10.0] * 4)).se == pytest.approx(values.se / 10)
    along = made([11.0, 12.0, 14.0, 15.0])  # moves with the values: their distance is always 10
    share = values.recovered(made([0.0, 1.0, 3.0, 4.0]), along)
    assert share == pytest.approx(10 / 11) and share.se == pytest.approx(0, abs=1e-12)
    apart = values.recovered(0.0, made([11.0, 12.0, 14.0, 15.0], reference=[4, 5, 6, 7]))
    variance = values.se**2 + (1 - apart) ** 2 * values.se**2
    assert apart.se == pytest.approx(variance**0.5 / 13)


def test_where_baseline_and_model_are_equal_nothing_can_be_recovered():
    """The error has both."""
    with pytest.raises(DataError, match=r"both 0.5: there is nothing to recover"):
        made([1.0]).recovered(0.5, made([0.5]))


def test_of_one_draw_the_error_is_unknown():
    """Infinite rather than nothing or NaN; that of an enumeration is zero."""
    assert isinf(made([1.0]).se) and made([1.0]).recovered(0.0, 2.0).se == inf
    assert made([1.0, 3.0], exact=True).se == 0 and made([1.0, 3.0], exact=True).mean == 2


def test_an_estimate_is_a_number_with_its_error():
    """It counts, compares, prints and travels."""
    estimate = Estimate(0.25, se=0.0125)
    assert estimate > 0.2 and 2 * estimate == 0.5 and repr(estimate) == "0.250 ± 0.013"
    restored = pickle.loads(pickle.dumps(estimate))
    assert (restored, restored.se) == (0.25, 0.0125)


def test_a_result_reads_as_text():
    """The mean with its error, then the hypothesis with its paths and how many draws moved."""
    text = show(scrub(GRAPH, HYPOTHESES["hypothesis"], DATA, 400, metric=loss))
    mean, root, child, *_ = text.splitlines()
    assert mean.startswith("output: 0.") and " ± 0.0" in mean and mean.endswith("(400 draws)")
    assert root == "output: exact, 0% moved, at('output')"
    assert child.startswith("  a: matching sign, ") and child.endswith("% moved, at('a')")
    assert show(EXACT["model"]).splitlines()[0].endswith("(exactly, 8 cases)")
