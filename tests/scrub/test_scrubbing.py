"""Laws that hold for every scrub: what is exact, what is a mean, and how the two lie to each other."""

import inspect
import itertools
import operator

import pytest
import torch

from remix_utils.data import Dataset, Exact, Fixed, Matching, Uniform, feature
from remix_utils.errors import DataError, FunctionError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub, treeify
from tests.graph.transformer import tokens, transformer
from tests.scrub.published import last, parity

X = placeholder("x", (3,), torch.float64)
ROWS = 8
DATA = Dataset(
    x=torch.randn(ROWS, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64),
    label=torch.arange(ROWS) % 2,
)
A, B, C = (
    einsum("i, i ->", apply(name, X), array(torch.tensor(weights, dtype=torch.float64)), name=letter)
    for name, letter, weights in (("tanh", "a", [1, 2, -1]), ("relu", "b", [-1, 1, 1]), ("square", "c", [1, 0, 2]))
)
TOTAL = add(A, B, C, name="total")
PRODUCT = einsum(", ->", A, B, name="product")


@feature
def label(data):
    return data["label"]


def node(name, draw, *children, **options):
    return Interp(name, at(name), draw, children, **options)


HYPOTHESES = {
    "one part": node("total", Exact(), node("a", Exact())),
    "a feature": node("total", Matching(label), node("a", Exact()), node("b", Matching(label))),
    "apart": node("total", Exact(), node("a", Matching(label)), others=Matching(label), shared="apart"),
    "everything": node("total", Uniform()),
}


def test_the_calls_have_the_signatures_that_other_code_relies_on():
    """Their parameters, in order, and the defaults."""
    for function, expected in (
        (scrub, "(graph, hypothesis, data, n, seed=0, metric=None)"),
        (treeify, "(graph, hypothesis, data, n, seed=0)"),
    ):
        parameters = [p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()]
        assert str(inspect.Signature(parameters)) == expected
    fields = "(name, at, draw, children=(), others=<factory>, shared='together')"
    parameters = [p.replace(annotation=p.empty) for p in inspect.signature(Interp).parameters.values()]
    assert str(inspect.Signature(parameters)) == fields


def square(output, reference):
    return (output - reference["label"]) ** 2


@pytest.mark.parametrize("name", HYPOTHESES)
def test_enumeration_is_what_the_mean_over_draws_comes_to(name):
    """Over 60 seeds of 200 draws each: every mean within 4 standard errors of the expectation, and so is their mean."""
    exact = scrub(TOTAL, HYPOTHESES[name], DATA, "all", metric=square)
    assert exact.se == 0 and exact.exact
    runs = [scrub(TOTAL, HYPOTHESES[name], DATA, 200, seed, square) for seed in range(60)]
    assert all(abs(run.mean - exact.mean) < 4 * run.se for run in runs)
    means = torch.tensor([run.mean for run in runs])
    assert abs(means.mean() - exact.mean) < 4 * means.std() / 60**0.5


def test_with_every_draw_exact_it_is_the_model_bitwise():
    """The output of each reference row, and not one bit of rounding: lifted, and with every claim computed apart."""
    graph, data = transformer(), Dataset(tokens(10))
    hypothesis = Interp(
        "logits",
        at("logits"),
        Exact(),
        [Interp("q", at("blocks.1.attn.q"), Exact(), [Interp("early", at("blocks.0.mlp_out"), Exact())], Exact())],
        Exact(),
    )
    result = scrub(graph, hypothesis, data, 300, metric=lambda output, reference: output[:, 0, 0])
    model = evaluate(graph, data)
    assert len(result.rows["reference"].unique()) == 10
    assert torch.equal(evaluate(result.graph, data), model[result.rows["reference"]])
    assert torch.equal(result.per_example, model[result.rows["reference"], 0, 0])
    enumerated = scrub(graph, hypothesis, data, "all", metric=lambda output, reference: output[:, 0, 0])
    assert torch.equal(enumerated.per_example, model[:, 0, 0])


def test_a_resampled_root_is_the_double_sum_over_the_data():
    """The model's output on any row beside the reference on any other: the baseline of labels permuted."""
    output = evaluate(TOTAL, DATA)
    expected = sum(square(value, {"label": DATA["label"]}).mean() for value in output) / ROWS
    assert scrub(TOTAL, HYPOTHESES["everything"], DATA, "all", metric=square).mean == pytest.approx(float(expected))


@pytest.mark.parametrize("name", HYPOTHESES)
def test_a_sum_keeps_its_mean_under_any_hypothesis(name):
    """Each term keeps its own distribution, and the mean of a sum asks for no more."""
    assert scrub(TOTAL, HYPOTHESES[name], DATA, "all").mean == pytest.approx(float(evaluate(TOTAL, DATA).mean()))


def test_products_factor_for_separate_draws_and_not_for_a_shared_one():
    """E[ab] becomes E[a] E[b] where a and b are drawn apart, within a label where they agree on it."""
    a, b = evaluate([A, B], DATA)
    apart = node("product", Exact(), node("a", Uniform()), node("b", Uniform()), others=None)
    shared = node("product", Exact(), Interp("both", at("a") | at("b"), Uniform()), others=None)
    expected = {"apart": a.mean() * b.mean(), "shared": (a * b).mean()}
    labels = DATA["label"]
    within = node("product", Exact(), node("a", Matching(label)), node("b", Matching(label)), others=None)
    expected["within"] = sum(
        (labels == v).double().mean() * a[labels == v].mean() * b[labels == v].mean() for v in (0, 1)
    )
    found = scrub(PRODUCT, {"apart": apart, "shared": shared, "within": within}, DATA, "all")
    assert {name: result.mean for name, result in found.items()} == pytest.approx(
        {k: float(v) for k, v in expected.items()}
    )
    assert len({round(float(value), 6) for value in expected.values()}) == 3


def test_others_may_be_drawn_together_or_apart():
    """b and c read one row or two: their product's mean tells the two apart."""
    graph = einsum(", , ->", A, B, C, name="product")
    a, b, c = evaluate([A, B, C], DATA)
    together, apart = (
        scrub(graph, node("product", Exact(), node("a", Exact()), shared=shared), DATA, "all").mean
        for shared in ("together", "apart")
    )
    assert together == pytest.approx(float(a.mean() * (b * c).mean()))
    assert apart == pytest.approx(float(a.mean() * b.mean() * c.mean()))


def test_whose_mask_holds_is_part_of_the_hypothesis():
    """A padding mask is an input: others bring theirs along, unless a child claims it."""
    scores, mask = placeholder("scores", (4,)), placeholder("mask", (4,), torch.bool)
    graph = apply("masked_softmax", scores, mask, name="pattern")
    lengths = torch.tensor([1, 2, 3, 4])
    data = Dataset(scores=torch.zeros(4, 4), mask=torch.arange(4) < lengths[:, None], length=lengths)

    def first(output, reference):
        return output[:, 0] - 1 / reference["length"]

    ours = node("pattern", Exact(), node("scores", Uniform()), node("mask", Exact()), others=None)
    theirs = node("pattern", Exact(), node("scores", Exact()))
    found = scrub(graph, {"ours": ours, "theirs": theirs}, data, 50, metric=first)
    assert "for mask" in str(theirs.on(graph))
    assert found["ours"].per_example.abs().max() == 0 and found["theirs"].per_example.abs().max() > 0.1


def test_the_graph_computes_the_outputs_again():
    """`evaluate(result.graph, data)` judged on the references is what the result says, draw for draw."""
    result = scrub(TOTAL, HYPOTHESES["a feature"], DATA, 100, metric=square)
    again = square(evaluate(result.graph, DATA), DATA[result.rows["reference"]])
    torch.testing.assert_close(result.per_example, again)
    assert result.mean == pytest.approx(float(again.mean()))
    assert result.se == pytest.approx(float(again.std() / 10))


def test_a_plain_mapping_of_tensors_is_data():
    """And n may exceed its rows by far."""
    data = {name: DATA[name] for name in ("x", "label")}
    result = scrub(TOTAL, HYPOTHESES["one part"], data, 1000, metric=square)
    assert torch.equal(result.per_example, scrub(TOTAL, HYPOTHESES["one part"], DATA, 1000, metric=square).per_example)


def test_hypotheses_together_are_each_as_alone():
    """The same draws and values, by name, in order."""
    found = scrub(TOTAL, HYPOTHESES, DATA, 50, 3, square)
    assert list(found) == list(HYPOTHESES)
    for name, hypothesis in HYPOTHESES.items():
        alone = scrub(TOTAL, hypothesis, DATA, 50, 3, square)
        torch.testing.assert_close(found[name].per_example, alone.per_example)


def test_a_metric_is_judged_in_chunks_beside_its_references(monkeypatch):
    """However many draws are judged at a time, each stands beside its own reference; no chunk is empty."""
    monkeypatch.setattr("remix_utils.graph.evaluate.DEFAULT_MEMORY", 2**16)
    seen = []

    def metric(output, reference):
        seen.append(len(output))
        assert len(output) == len(reference)
        return (output - evaluate(TOTAL, reference)).abs()

    found = scrub(TOTAL, node("total", Exact(), node("a", Exact()), others=Exact()), DATA, 5000, metric=metric)
    assert found.per_example.max() < 1e-12
    assert sum(seen) == 5000 and len(seen) > 1 and min(seen) > 0


@pytest.mark.parametrize(
    ("metric", "kind", "words"),
    [
        (lambda output, reference: output.mean(), DataError, r"gave \[\] for 20 draws"),
        (lambda output, reference: None, DataError, "gave None for 20 draws"),
        (lambda output, reference: output @ output[:3], FunctionError, "Judge 'metric'"),
        (lambda output, reference: reference["lable"], DataError, "No column 'lable'; nearest: 'label'"),
    ],
)
def test_a_metric_that_does_not_fit_is_refused(metric, kind, words):
    """It gives one number a draw; what it raises itself is passed on with the place."""
    with pytest.raises(kind, match=words):
        scrub(TOTAL, HYPOTHESES["one part"], DATA, 20, metric=metric)


def test_an_output_that_is_no_number_needs_a_metric():
    """And one that is, needs none."""
    with pytest.raises(DataError, match=r"'x' is \[3\] an example"):
        scrub(X, Interp("x", at("x"), Uniform()), DATA, 5)


def test_a_seed_is_all_the_chance_there_is():
    """The same seed gives the same numbers; importing, or what ran before, matters not."""
    torch.manual_seed(1)
    first = scrub(TOTAL, HYPOTHESES["apart"], DATA, 20, 5)
    torch.manual_seed(2)
    state = torch.get_rng_state()
    assert torch.equal(first.per_example, scrub(TOTAL, HYPOTHESES["apart"], DATA, 20, 5).per_example)
    assert torch.equal(state, torch.get_rng_state())
    assert not torch.equal(first.per_example, scrub(TOTAL, HYPOTHESES["apart"], DATA, 20, 6).per_example)


def test_features_read_any_column_of_the_data():
    """Two features of a transformer's tokens, one below the other."""
    graph, data = transformer(layers=1), Dataset(tokens(30))
    hypothesis = node(
        "logits", Matching(parity), Interp("out", at("blocks.0.attn_out").avoiding("*.mlp_out"), Matching(last))
    )
    found = scrub(graph, hypothesis, data, 100, metric=lambda output, reference: output[:, -1, 0]).rows
    assert torch.equal(parity(data)[found["reference"]], parity(data)[found["logits"]])
    assert torch.equal(last(data)[found["logits"]], last(data)[found["out"]])
    assert not torch.equal(parity(data)[found["logits"]], parity(data)[found["out"]])


def test_fixed_rows_are_as_many_as_draws():
    """Two datasets joined, each reference with a row of the other in step."""
    clean, corrupted = torch.arange(4), torch.arange(4, 8)
    hypothesis = node("total", Fixed(clean), node("a", Exact()), others=Fixed(corrupted))
    result = scrub(TOTAL, hypothesis, DATA, 4)
    (a, b, c) = evaluate([A, B, C], DATA)
    torch.testing.assert_close(result.per_example, a[:4] + b[4:] + c[4:])
    assert operator.eq(*(scrub(TOTAL, hypothesis, DATA, n).mean for n in (4, "all")))


def test_a_long_scrub_shows_the_time_left(capsys, monkeypatch):
    """A bar, where chunks take seconds; nothing where they do not."""
    monkeypatch.setattr("remix_utils.graph.evaluate.DEFAULT_MEMORY", 2**16)
    for seconds in (0, 1):
        clock = itertools.count()
        monkeypatch.setattr("tqdm.std.time", lambda clock=clock, seconds=seconds: next(clock) * seconds)
        scrub(TOTAL, HYPOTHESES["one part"], DATA, 5000)
        assert (" left" in capsys.readouterr().out) == bool(seconds)
