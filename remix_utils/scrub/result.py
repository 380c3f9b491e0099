"""What a scrub found: a mean with its standard error, and how much of the model's performance it recovers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from math import inf, sqrt

import torch

from remix_utils.errors import DataError
from remix_utils.graph.node import Node
from remix_utils.scrub.draws import REFERENCE


class Estimate(float):
    """A number that knows its standard error.

    >>> Estimate(0.25, se=0.01)
    0.250 ± 0.010
    """

    se: float

    def __new__(cls, value: float, se: float = 0.0):
        made = super().__new__(cls, value)
        made.se = se
        return made

    def __getnewargs__(self):
        return float(self), self.se

    def __repr__(self) -> str:
        return f"{float(self):.3f} ± {self.se:.3f}"


@dataclass(frozen=True, eq=False)
class ScrubResult:
    """The metric under a hypothesis: `mean`, its standard error `se`, and one number a draw, `per_example` [draws].

    `graph` is the scrubbed graph (`evaluate(result.graph, data)` computes the outputs again) and `rows[name]` [draws]
    the rows that each node of the hypothesis read, `rows["reference"]` those on which the metric judges.

    Draws are independent of each other, each made of a reference and all that is drawn for it. So `se` is the deviation
    of `per_example` over the square root of their number, though they read the same rows now and then. It says how far
    `mean` may be from the exact expectation over these data (that of `n="all"`, whose `se` is 0), not over others.

    The late heads of the model of parentheses, claimed to run one horizon test each, from the right and from the left:

    >>> from remix_utils import Exact, Interp, Matching, Uniform, at, models, scrub, split
    >>> from remix_utils.data import feature
    >>> from remix_utils.tasks import parens
    >>> data = parens.draw(500)
    >>> graph = split(models.load("parens").graph(seq=parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
    >>> def agree(head, column):
    ...     way = at(f"blocks.{head[0]}.attn.head.{head[2]}.out").avoiding("*.head.*.out")  # to the output, or MLPs
    ...     return Interp(head, way, Matching(feature(lambda data: data[column])))
    >>> tests = {"2.0": "horizon_ok", "2.1": "left_ok"}
    >>> claims = {"model": Interp("logits", at("logits"), Exact()), "random": Interp("logits", at("logits"), Uniform())}
    >>> claims["tests"] = Interp("logits", at("logits"), Exact(), [agree(*each) for each in tests.items()])
    >>> loss = lambda logits, reference: -logits.log_softmax(-1).gather(-1, reference["label"][:, None])[:, 0]
    >>> found = scrub(graph, claims, data, 500, metric=loss)
    >>> found["tests"].recovered(found["model"], found["random"]) > 0.75
    True
    """

    name: str
    per_example: torch.Tensor
    weights: torch.Tensor = field(repr=False)  # the probability of each draw [draws]
    graph: Node = field(repr=False)
    rows: dict[str, torch.Tensor] = field(repr=False)
    exact: bool = False
    reading: str = field(default="", repr=False)
    distances: Callable[[object], torch.Tensor] | None = field(default=None, repr=False)  # of selected nodes [draws]

    @property
    def mean(self) -> float:
        return float((self.weights * self.per_example).sum())

    @property
    def se(self) -> float:
        return 0.0 if self.exact else _error(self.per_example)

    def recovered(self, model: float | ScrubResult, baseline: float | ScrubResult) -> Estimate:
        """The share of the way from the baseline to the model: (mean − baseline) / (model − baseline).

        It is 1 where scrubbing changes nothing, 0 at the baseline, and may lie outside. Its error counts that of all
        three; results on the same references are compared reference by reference, and numbers have no error.

        Raises DataError where model and baseline are equal.
        """
        whole = _mean(model) - _mean(baseline)
        if whole == 0:
            raise DataError(
                f"Model and baseline are both {_mean(model):.6g}: there is nothing to recover.",
                fix="take a baseline that is worse than the model.",
                model=_mean(model),
                baseline=_mean(baseline),
            )
        share = (self.mean - _mean(baseline)) / whole
        terms = [(self, 1.0), (model, -share), (baseline, share - 1)]
        return Estimate(share, _error_of_sum(terms) / abs(whole))

    def moved(self, which: object, baseline: ScrubResult) -> Estimate:
        """How much the hypothesis leaves free at a node: E|scrubbed − clean|² / E|baseline − clean|².

        It is 0 where the hypothesis frees nothing, and 1 where it frees as much as the baseline. A hypothesis that
        recovers everything and frees nothing has said little. `which` selects nodes, in the graph and in its scrubbed
        versions. Results on the same references are compared reference by reference.

        >>> from remix_utils import Exact, Interp, Uniform, add, apply, at, placeholder, scrub
        >>> x = placeholder("x", ())
        >>> graph = add(apply("relu", x, name="left"), apply("tanh", x, name="right"), name="sum")
        >>> claims = {"half": Interp("sum", at("sum"), Exact(), [Interp("left", at("left"), Exact())])}
        >>> found = scrub(graph, claims | {"random": Interp("sum", at("sum"), Uniform())}, {"x": torch.rand(9)}, 99)
        >>> found["half"].moved("left", found["random"]), found["half"].moved("right", found["random"]) > 0.5
        (0.000 ± 0.000, True)

        Raises MatchError for a selector that matches nothing, and DataError where the baseline moves nothing.
        """
        own, other = self._distances(which), baseline._distances(which)
        whole = float((baseline.weights * other).sum())
        if whole == 0:
            raise DataError(
                f"The baseline {baseline.name!r} moves nothing at {which!r}, so there is nothing to compare with.",
                fix="take a baseline that draws what this node reads.",
            )
        share = float((self.weights * own).sum()) / whole
        terms = [(replace(self, per_example=own), 1.0), (replace(baseline, per_example=other), -share)]
        return Estimate(share, _error_of_sum(terms) / whole)

    def _distances(self, which: object) -> torch.Tensor:
        if self.distances is None:
            raise DataError(f"The result {self.name!r} has no graph to compare with.", fix="take it from scrub.")
        return self.distances(which)

    def __str__(self) -> str:
        how = f"exactly, {len(self.per_example)} cases" if self.exact else f"{len(self.per_example)} draws"
        return f"{self.name}: {self.mean:.4f} ± {self.se:.4f} ({how})\n{self.reading}"


def _mean(value: float | ScrubResult) -> float:
    return value.mean if isinstance(value, ScrubResult) else float(value)


def _error(values: torch.Tensor) -> float:
    """The standard error of a mean of independent draws; of one draw nothing is known."""
    return float(values.std() / sqrt(len(values))) if len(values) > 1 else inf


def _error_of_sum(terms: list[tuple[float | ScrubResult, float]]) -> float:
    """The standard error of a weighted sum of means, those on the same references being drawn together."""
    groups: list[tuple[torch.Tensor, torch.Tensor]] = []
    for value, weight in terms:
        if not isinstance(value, ScrubResult) or value.exact:
            continue
        reference, part = value.rows[REFERENCE], weight * value.per_example
        for place, (known, total) in enumerate(groups):
            if torch.equal(known, reference):
                groups[place] = (known, total + part)
                break
        else:
            groups.append((reference, part))
    return sqrt(sum(_error(total) ** 2 for _, total in groups))
