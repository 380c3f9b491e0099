"""Small transformers without some of their heads, run in plain torch: what graphs that ablate are judged against."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.transformer_cases import Case, transformers

Head = tuple[int, int]
Held = Mapping[str, torch.Tensor]


def run(case: Case, instead: Mapping[Head, torch.Tensor], held: Held | None = None) -> dict[str, torch.Tensor]:
    """What every module says, where some heads' z are others [batch, seq, d_head], and some modules' values are held.

    >>> (case,) = transformers(0, 2)
    >>> run(case, {})["logits"].shape
    torch.Size([2, 6, 13])
    """

    def exchange(layer: int):
        def hook(module: Any, inputs: Any, z: torch.Tensor) -> torch.Tensor:
            z = z.clone()
            for (of, head), value in instead.items():
                if of == layer:
                    z[:, :, head] = value
            return z

        return hook

    with ExitStack() as hooks:
        for layer in {layer for layer, _ in instead}:
            module = case.network.get_submodule(f"blocks.{layer}.attn.z")
            hooks.callback(module.register_forward_hook(exchange(layer)).remove)
        for name, value in (held or {}).items():
            module = case.network.get_submodule(name)
            hooks.callback(module.register_forward_hook(lambda module, inputs, out, value=value: value).remove)
        return case.watched()


def replacement(case: Case, head: Head, how: str, data: Held) -> torch.Tensor:
    """What stands in the place of a head's z: zeros, its mean over the data, or its value on the data's first row."""
    layer, number = head
    z = case.watched(data["tokens"])[f"blocks.{layer}.attn.z"][:, :, number]
    return {"zero": torch.zeros_like(z[0]), "mean": z.mean(0), "resample": z[0]}[how]


def without(case: Case, heads: list[Head], how: str, data: Held, held: Held | None = None) -> dict[str, torch.Tensor]:
    """A run without the heads, all at once."""
    return run(case, {head: replacement(case, head, how, data) for head in heads}, held)


def patterns(seen: Held) -> dict[str, torch.Tensor]:
    """The attention patterns of a run."""
    return {name: value for name, value in seen.items() if name.endswith(".attn.pattern")}


def losses(case: Case, logits: torch.Tensor) -> torch.Tensor:
    """The loss of each token but the first [row, place]."""
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), case.tokens[:, 1:], reduction="none")


def every_head(case: Case) -> list[Head]:
    """All its heads, in order."""
    config = case.network.config
    return [(layer, head) for layer in range(config.n_layers) for head in range(config.n_heads)]


def ways_of_ablating(seed: int, *layers: int, rows: int = 3) -> list[tuple[Case, str, dict[str, torch.Tensor]]]:
    """Each way, on a transformer of each depth; data for resampling is one row, so that the draw is known.

    >>> [how for _, how, _ in ways_of_ablating(0, 2)]
    ['zero', 'mean', 'resample']
    """
    cases = []
    for place, how in enumerate(("zero", "mean", "resample")):
        for case in transformers(seed + 7 * place, *layers, rows=rows):
            data = case.inputs["other"]
            cases.append((case, how, {"tokens": data[:1] if how == "resample" else data}))
    return cases
