"""The metric as the last node of the scrubbed graph, so that outputs are judged, and let go, a chunk at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError, kind_of
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.node import Node, Op
from remix_utils.graph.operations import Placeholder
from remix_utils.graph.ops import sample

Metric = Callable[[torch.Tensor, Dataset], torch.Tensor]  # output [draws, *shape], reference -> [draws]


@dataclass(frozen=True, eq=False)
class Judge(Op):
    """A metric on an output and the number of its reference row."""

    metric: Metric
    data: Dataset
    kind = "judge"

    def infer(self, children, place):
        return (), torch.float64

    def content(self):
        return f"judge {id(self.metric)} {id(self.data)}".encode()

    def run(self, values, batched):
        output, reference = values
        found = self.metric(output, self.data[reference])
        if not isinstance(found, torch.Tensor) or found.shape != reference.shape:
            given = list(found.shape) if isinstance(found, torch.Tensor) else kind_of(found)
            raise DataError(
                f"The metric gave {given} for {len(reference)} draws, not one number each.",
                fix="return a tensor [draws]; the mean over draws is taken for you.",
                given=given,
                draws=len(reference),
            )
        return found.double()


def metric_for(graph: Node, metric: Metric | None) -> Metric:
    """The metric, or the output itself where there is none.

    Raises DataError where there is none for an output that is not one number.
    """
    if metric is None and graph.shape:
        raise DataError(
            f"{graph.name!r} is {list(graph.shape)} an example, not one number.",
            fix="pass metric=, a function of the output and the reference rows that gives one number a draw.",
            name=graph.name,
            shape=graph.shape,
        )
    return metric or _as_it_is


def _as_it_is(output: torch.Tensor, reference: Dataset) -> torch.Tensor:
    return output


def judge(output: Node, metric: Metric, data: Dataset, reference: torch.Tensor) -> Node:
    """The metric's value for each draw, beside the reference rows."""
    rows = Buffer(torch.arange(len(data)))
    numbers = Node(Placeholder("reference row", (), torch.long, rows), (), "reference row")
    return Node(Judge(metric, data), [output, sample(numbers, reference)], "metric")
