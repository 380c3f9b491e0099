"""Rows: each name has its own stream, draws keep the laws they promise, and enumeration has every case."""

import pytest
import torch

from remix_utils.data import Dataset, Exact, Fixed, Matching, Uniform, feature
from remix_utils.graph.ops import add, apply, placeholder
from remix_utils.graph.selector import at
from remix_utils.scrub.draws import Stream, enumerated
from remix_utils.scrub.hypothesis import HypothesisError, Interp
from remix_utils.scrub.scrubbing import scrub

X = placeholder("x", ())
PARTS = [apply(name, X, name=name) for name in ("relu", "tanh", "sigmoid", "square")]
SUM = add(*PARTS, name="sum")
DATA = Dataset(x=torch.arange(12.0) - 6)
MANY = 24_000


@feature
def sixth(data):
    return data["x"].long() % 6


@feature
def third(data):
    return data["x"].long() % 3


def relu(draw, *children, **options):
    return Interp("relu", at("relu"), draw, children, **options)


def rows(*children, draw=None, n=1000, seed=0, others=None, shared="together"):
    hypothesis = Interp("sum", at("sum"), draw or Exact(), children, others or Uniform(), shared)
    return scrub(SUM, hypothesis, DATA, n, seed).rows


def chi_square(drawn, expected):
    """Pearson's statistic of rows against probabilities."""
    expected = torch.as_tensor(expected).double() * len(drawn)
    counts = drawn.bincount(minlength=len(expected)).double()
    assert not counts[expected == 0].any()
    return float(((counts - expected) ** 2 / expected)[expected > 0].sum())


def test_adding_a_node_leaves_all_other_draws_alone():
    """Beside a node, or below it: what was drawn under the old names is drawn again."""
    tanh = Interp("tanh", at("tanh"), Uniform())
    before = rows(relu(Matching(third)))
    for after in (rows(relu(Matching(third)), tanh), rows(tanh, relu(Matching(third)))):
        assert all(torch.equal(after[name], before[name]) for name in before)


def test_a_name_a_seed_and_nothing_else_make_a_stream():
    """Equal names and seeds draw alike in other hypotheses; another name or seed draws differently."""
    first, other = rows(relu(Uniform())), rows(relu(Uniform()), seed=1)
    assert torch.equal(first["relu"], rows(relu(Uniform()), draw=Uniform())["relu"])
    named = rows(Interp("another", at("relu"), Uniform()))
    assert not torch.equal(first["relu"], other["relu"]) and not torch.equal(first["relu"], named["another"])
    assert not torch.equal(first["relu"], first["sum.others"])
    seeds = {Stream(name, Uniform(), None).generator(seed).initial_seed() for name in "abc" for seed in range(20)}
    assert len(seeds) == 60


def test_references_are_drawn_alike_whatever_the_hypothesis():
    """So that two hypotheses are compared on the same references; uniformly, also more of them than there are rows."""
    assert torch.equal(rows(relu(Uniform()))["reference"], rows(draw=Matching(sixth))["reference"])
    assert chi_square(rows(n=MANY)["reference"], torch.full((12,), 1 / 12)) < 31.3  # 0.999 of chi-square with 11


@pytest.mark.parametrize("draw", [Uniform(), Matching(third), Matching(sixth), Exact()])
def test_a_draw_keeps_the_marginal_of_a_uniform_reference(draw):
    """Agreeing with a uniform reference, by any feature, gives every row equally often; also in two steps."""
    found = rows(Interp("tanh", at("tanh"), Exact()), relu(draw), draw=Matching(sixth), n=MANY)
    for name in ("reference", "sum", "relu", "tanh"):
        assert chi_square(found[name], torch.full((12,), 1 / 12)) < 31.3


def test_matching_a_feature_then_a_function_of_it_is_matching_the_function():
    """Sixths determine thirds: the pair of reference and row has the law of the second alone, all 12 x 12 cells."""
    found = rows(relu(Matching(third)), draw=Matching(sixth), n=MANY)
    same = (torch.arange(12)[:, None] - torch.arange(12)) % 3 == 0
    cells = found["reference"] * 12 + found["relu"]
    assert chi_square(cells, same.flatten() / (12 * 4)) < 83  # 0.999 of chi-square with 47
    assert chi_square(found["sum"] * 12 + found["relu"], same.flatten() / (12 * 4)) < 83


def test_others_share_a_row_or_have_one_each():
    """Together one name for all, apart one for each node that is read, drawn independently."""
    together, apart = rows(relu(Exact())), rows(relu(Exact()), shared="apart")
    assert set(together) == {"reference", "sum", "relu", "sum.others"}
    own = {f"sum.others.{name}" for name in ("tanh", "sigmoid", "square")}
    assert set(apart) == {"reference", "sum", "relu"} | own
    assert len({tuple(apart[name].tolist()) for name in own}) == 3


def test_nodes_of_one_name_are_told_apart():
    """Where others that are drawn apart are called the same, they are counted."""
    graph = add(apply("relu", X, name="part"), apply("tanh", X, name="part"), apply("abs", X, name="own"), name="sum")
    hypothesis = Interp("sum", at("sum"), Exact(), [Interp("own", at("own"), Exact())], shared="apart")
    assert {"sum.others.part", "sum.others.part.2"} <= set(scrub(graph, hypothesis, DATA, 5).rows)


def test_fixed_rows_of_the_root_are_the_references():
    """Others are drawn for them as for any reference."""
    chosen = torch.tensor([3, 3, 8])
    found = rows(relu(Fixed(chosen.flip(0))), draw=Fixed(chosen), n=3)
    assert torch.equal(found["reference"], chosen) and torch.equal(found["relu"], chosen.flip(0))


def test_enumeration_has_every_case_with_its_probability():
    """Reference x 4 rows of its third x 2 of its sixth, all alike; and with sizes that differ, weights that do."""
    hypothesis = Interp("sum", at("sum"), Matching(third), [relu(Matching(sixth))], others=Exact())
    cases, weights = enumerated(hypothesis.on(SUM), DATA)
    table = torch.stack([cases[name] for name in ("reference", "sum", "relu")], 1)
    assert len(table) == 12 * 4 * 2 == len(table.unique(dim=0))
    assert torch.equal(weights, torch.full_like(weights, 1 / 96))
    few = Dataset(x=torch.tensor([0.0, 3.0, 1.0]))
    cases, weights = enumerated(Interp("sum", at("sum"), Matching(third)).on(SUM), few)
    expected = {(0, 0): 1 / 6, (0, 1): 1 / 6, (1, 0): 1 / 6, (1, 1): 1 / 6, (2, 2): 1 / 3}
    pairs = zip(cases["reference"].tolist(), cases["sum"].tolist(), strict=True)
    assert dict(zip(pairs, weights.tolist(), strict=True)) == pytest.approx(expected)


def test_enumeration_leaves_out_what_nothing_reads():
    """The row of a node whose children are all drawn regardless of it makes no cases."""
    hypothesis = Interp("sum", at("sum"), Exact(), [relu(Uniform())])
    cases, _ = enumerated(hypothesis.on(SUM), DATA)
    assert set(cases) == {"reference", "relu", "sum.others"} and len(cases["reference"]) == 12**3


def test_enumeration_keeps_fixed_rows_in_step():
    """Each reference keeps the row that was fixed for it, however many cases it becomes."""
    chosen = torch.arange(12).flip(0)
    hypothesis = Interp("sum", at("sum"), Exact(), [relu(Fixed(chosen))])
    cases, _ = enumerated(hypothesis.on(SUM), DATA)
    assert len(cases["relu"]) == 144 and torch.equal(cases["relu"], chosen[cases["reference"]])


def test_too_many_cases_are_refused():
    """With their number and the most there may be, before any work."""
    hypothesis = Interp("sum", at("sum"), Uniform(), [relu(Uniform()), Interp("tanh", at("tanh"), Uniform())])
    with pytest.raises(HypothesisError, match="1,728 cases up to 'relu', and 1,000 are the most"):
        enumerated(hypothesis.on(SUM), DATA, most=1000)
