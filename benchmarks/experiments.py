"""A sweep of ablations of a small network, beside the same with hooks."""

from __future__ import annotations

import torch
from torch import nn

from benchmarks.measure import Row, agree, in_turn
from benchmarks.scale import Scale
from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.intervene import ablate
from remix_utils.tasks import digits


def ablating(scale: Scale) -> list[Row]:
    """A small network's hidden layer resampled many times over: a sweep in which torch has little to do."""
    model = models.load("digits-a")
    graph, module = model.graph(), model.module()
    images = digits.images()[: scale.images]

    def library() -> torch.Tensor:
        edited = [ablate(graph, "hidden", "resample", images, seed=draw) for draw in range(scale.draws)]
        return torch.stack(evaluate(edited, {"x": images["x"]}))

    def hooks() -> torch.Tensor:
        return torch.stack([_resampled(module, images["x"], draw) for draw in range(scale.draws)])

    work = f"resample digits' hidden layer, {scale.draws} draws × {scale.images} images"
    difference = agree(work, library(), hooks())
    return [Row(work, *in_turn(scale.repetitions, library, hooks), "hooks, 2 passes a draw", "s", difference)]


def _resampled(module: nn.Module, x: torch.Tensor, seed: int) -> torch.Tensor:
    """A pass on other rows to record the hidden layer, and one that reads the record."""
    rows = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    kept: list[torch.Tensor] = []
    handle = module.hidden.register_forward_hook(lambda layer, given, output: kept.append(output))
    module(x[rows])
    handle.remove()
    handle = module.hidden.register_forward_hook(lambda layer, given, output: kept[0])
    logits = module(x)
    handle.remove()
    return logits
