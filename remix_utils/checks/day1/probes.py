"""What the checks of day 1 share: small networks to experiment on, and functions that are judged by their use."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from remix_utils.checks.exercise import Exercise, Mistake, Wrong
from remix_utils.checks.judge import judge_by_oracle
from remix_utils.models.digits import DigitsNetwork

Edit = Callable[[torch.Tensor], torch.Tensor]


def networks(seed: int) -> list[tuple[DigitsNetwork, torch.Tensor]]:
    """Small untrained networks of several sizes, each with a batch of inputs that fits it."""
    torch.manual_seed(seed)
    sizes = ((6, 4, 3, 5), (9, 5, 2, 7))
    return [
        (DigitsNetwork(i, hidden, out).requires_grad_(False), torch.randn(rows, i)) for i, hidden, out, rows in sizes
    ]


def with_rows(seed: int) -> list[tuple]:
    """Networks and inputs, with a draw of rows in which some occur twice and some never."""
    cases = networks(seed)
    return [(network, x, torch.randint(len(x), (len(x),))) for network, x in cases]


def activations(seed: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    """Recorded activations [rows, d] and an output [batch, d] to edit."""
    torch.manual_seed(seed)
    return [(torch.rand(6, 4) * 3, torch.rand(3, 4)), (torch.randn(5, 7), torch.randn(5, 7))]


def hooks_on(network: nn.Module) -> int:
    """How many hooks the network's layers carry, of either kind."""
    return sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in network.modules())


def observed(function: Callable, network: nn.Module, *arguments: object) -> dict[str, object]:
    """What the function returns, and what it leaves behind on the network."""
    return {"value": function(network, *arguments), "hooks left on the network": hooks_on(network)}


def compare(
    answer: object,
    seed: int,
    reference: object,
    *,
    call: Callable,
    cases: Callable[[int], Sequence[tuple]],
    oracle: Callable,
    mistakes: Sequence[Mistake] = (),
    tolerance: float = 1e-5,
) -> None:
    """Judge a function by what `call(function, *case)` does with it, for answers that return edits or set hooks."""
    if not callable(answer):
        raise Wrong(f"the answer is a {type(answer).__name__}, expected a function: pass it without calling it.")

    def used(function: Callable) -> Callable:
        return lambda *case: call(function, *case)

    known = tuple(Mistake(each.message, used(each.answer)) for each in mistakes)  # type: ignore[arg-type]
    asked = Exercise("here", ("", 0), cases, used(oracle), known, tolerance)
    judge_by_oracle(asked, used(answer), seed, used(reference) if callable(reference) else None)


def layer_by_layer(network: DigitsNetwork, x: torch.Tensor) -> dict[str, torch.Tensor]:
    """Every layer's output, computed without hooks."""
    inner = x @ network.inner.weight.T + network.inner.bias
    hidden = inner.clamp(min=0)
    return {"x": x, "inner": inner, "hidden": hidden, "out": hidden @ network.out.weight.T}


def logits_of(network: DigitsNetwork, hidden_reads: torch.Tensor, skip_reads: torch.Tensor) -> torch.Tensor:
    """Logits when each of the two paths reads an input of its own."""
    return layer_by_layer(network, hidden_reads)["out"] + skip_reads @ network.skip.T


def edited(network: DigitsNetwork, layer: str, edit: Edit, x: torch.Tensor) -> torch.Tensor:
    """Logits with one layer's output edited, computed without hooks."""
    value = edit(layer_by_layer(network, x)[layer])
    if layer == "x":
        return logits_of(network, value, value)
    hidden = value.clamp(min=0) if layer == "inner" else value
    return (value if layer == "out" else hidden @ network.out.weight.T) + x @ network.skip.T


def leaky(network: nn.Module, layer: str, hook: Callable, x: torch.Tensor) -> torch.Tensor:
    """A run whose hook stays on."""
    network.get_submodule(layer).register_forward_hook(hook)
    return network(x)
