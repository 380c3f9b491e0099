"""Causal scrubbing: how well a graph does when everything a hypothesis calls irrelevant is drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, overload

import torch

from remix_utils.data import Dataset, Fixed
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.scrub.draws import REFERENCE, Rows, enumerated
from remix_utils.scrub.faults import draw_checked, read_checked
from remix_utils.scrub.hypothesis import Interp, Reading
from remix_utils.scrub.judge import Metric, judge, metric_for
from remix_utils.scrub.moved import Distances
from remix_utils.scrub.result import ScrubResult
from remix_utils.scrub.storing import lift_where_it_pays
from remix_utils.scrub.tree import build, labelled, lifted, unlifted

Data = Dataset | Mapping[str, torch.Tensor]

STORED = 3 * 2**30  # bytes of the population's values


@overload
def scrub(
    graph: Node, hypothesis: Interp, data: Data, n: int | str, seed: int = 0, metric: Metric | None = None
) -> ScrubResult: ...
@overload
def scrub(
    graph: Node, hypothesis: Mapping[str, Interp], data: Data, n: int | str, seed: int = 0, metric: Metric | None = None
) -> dict[str, ScrubResult]: ...
@overload
def scrub(
    graph: Node, hypothesis: Interp, data: Data, n: int | str, seed: int = 0, *, metric: Mapping[str, Metric]
) -> dict[str, ScrubResult]: ...
@overload
def scrub(
    graph: Node,
    hypothesis: Mapping[str, Interp],
    data: Data,
    n: int | str,
    seed: int = 0,
    *,
    metric: Mapping[str, Metric],
) -> dict[str, dict[str, ScrubResult]]: ...
def scrub(graph, hypothesis, data, n, seed=0, metric=None):
    """The metric when everything that a hypothesis calls irrelevant is drawn anew, `n` times (Chan et al. 2022).

    Each draw has a reference row of `data`, uniformly chosen, and for each name of the hypothesis a row as its draw
    says, from a stream of its own: equal names draw alike in other hypotheses. `metric(output, reference)` judges some
    draws at a time, output [draws, *shape] beside a Dataset of their reference rows, and gives one number a draw;
    without it the output must be one. `n` may be more than the rows there are; `n="all"` enumerates every case.

    Hypotheses in a dict give results by name, computed together: they share all passes over the data. Metrics in a dict
    give a result for each, `result["loss"]`, or `results["mine"]["loss"]` with hypotheses in a dict, on the same draws.

    With two datasets, references from one and all else from the other, join them: fix the root's rows, which are then
    the references, to those of the first, and draw among those of the second. (For a row of the second for each of the
    first, in step, use `others=Fixed(rows)`.)

    >>> from remix_utils import Exact, Fixed, Uniform, add, apply, at, placeholder
    >>> x = placeholder("x", ())
    >>> graph = add(apply("relu", x, name="left"), apply("tanh", x, name="right"), name="sum")
    >>> data = {"x": torch.cat([torch.tensor([1.0, 2.0]), torch.tensor([0.0, 0.0])])}
    >>> left = Interp("left", at("left"), Exact())
    >>> result = scrub(graph, Interp("sum", at("sum"), Fixed(torch.arange(2)), [left], Uniform(among=[2, 3])), data, 2)
    >>> result.mean, result.rows["sum.others"] >= 2
    (1.5, tensor([True, True]))

    Raises HypothesisError with all faults of a hypothesis, DataError for a metric that does not fit.
    """
    data = data if isinstance(data, Dataset) else Dataset(data)
    hypotheses = hypothesis if isinstance(hypothesis, Mapping) else {"": hypothesis}
    metrics = metric if isinstance(metric, Mapping) else {"": metric}
    metrics = {name: metric_for(graph, each) for name, each in metrics.items()}
    drawn = {label: _drawn(graph, each, data, n, seed) for label, each in hypotheses.items()}
    built = {label: build(each.reading, lifted(each.rows)) for label, each in drawn.items()}
    stored = lift_where_it_pays(built, data, STORED)
    graphs = {label: labelled(each, drawn[label].rows) for label, each in stored.items()}
    judged = {
        (label, name): judge(each, one, data, drawn[label].rows[REFERENCE])
        for label, each in graphs.items()
        for name, one in metrics.items()
    }
    values = dict(zip(judged, evaluate(list(judged.values()), data, progress=True), strict=True))
    results = {
        label: {name: each.result(values[label, name], graphs[label], graph, data) for name in metrics}
        for label, each in drawn.items()
    }
    if not isinstance(metric, Mapping):
        results = {label: each[""] for label, each in results.items()}
    return results if isinstance(hypothesis, Mapping) else results[""]


class _Drawn(NamedTuple):
    """A hypothesis read in a graph, rows by name, and the probability of each draw."""

    reading: Reading
    rows: Rows
    weights: torch.Tensor
    exact: bool

    def result(self, values: torch.Tensor, graph: Node, clean: Node, data: Dataset) -> ScrubResult:
        name, text = self.reading.hypothesis.name, self.reading.text(self.rows)
        reference = self.rows[REFERENCE]
        distances = Distances(graph, clean, data, reference)
        return ScrubResult(name, values.cpu(), self.weights, graph, self.rows, self.exact, text, distances)


def _drawn(graph: Node, hypothesis: Interp, data: Dataset, n: int | str, seed: int) -> _Drawn:
    reading = read_checked(graph, hypothesis, data, n)
    root = hypothesis.draw
    draws = n if isinstance(n, int) else len(root.chosen) if isinstance(root, Fixed) else len(data)
    rows = draw_checked(reading, data, draws, seed)
    if n == "all":
        return _Drawn(reading, *enumerated(reading, data), exact=True)
    return _Drawn(reading, rows, torch.full((draws,), 1 / draws, dtype=torch.float64), exact=False)


def treeify(graph: Node, hypothesis: Interp, data: Data, n: int, seed: int = 0) -> Node:
    """The scrubbed graph with nothing shared: every claim a copy of its part of the graph, down to sampled inputs.

    It reads the rows that `scrub` draws, and has the value of its graph; `lift` makes it that graph.
    Here one sees what a hypothesis means; it costs one forward pass for every node of it.

    >>> from remix_utils import Exact, at, apply, placeholder, show
    >>> graph = apply("relu", placeholder("x", ()), name="out")
    >>> print(show(treeify(graph, Interp("out", at("out"), Exact()), {"x": torch.ones(3)}, 2)))
    out [] = relu
      x on reference [] = sample 2 rows [0, 0]
        x [] = placeholder

    Raises HypothesisError like `scrub`.
    """
    data = data if isinstance(data, Dataset) else Dataset(data)
    drawn = _drawn(graph, hypothesis, data, n, seed)
    return labelled(build(drawn.reading, unlifted(drawn.rows)), drawn.rows)
