"""What induction-2l can do, measured with hooks on its module: losses in nats, attention as shares of one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import repeated

LENGTH = 50  # of the random tokens that are said twice
EARLY, LATE = slice(20, 60), slice(200, 299)  # positions whose tokens the in-context score compares


@torch.no_grad()
def losses(network: nn.Module, tokens: torch.Tensor) -> torch.Tensor:
    """What each token costs, given those before it: [row, seq - 1]."""
    return torch.cat(
        [
            F.cross_entropy(network(rows, fast=True)[:, :-1].transpose(1, 2), rows[:, 1:], reduction="none")
            for rows in tokens.to(network.embed.W_E.device).split(50)
        ]
    )


@torch.no_grad()
def patterns(network: Transformer, tokens: torch.Tensor) -> list[torch.Tensor]:
    """What the heads of each layer look at: [row, head, query, key]."""
    found: list[torch.Tensor] = []
    hooks = [
        block.attn.pattern.register_forward_hook(lambda module, inputs, out: found.append(out))
        for block in network.blocks
    ]
    network(tokens.to(network.embed.W_E.device))
    for hook in hooks:
        hook.remove()
    return found


def previous_token(network: Transformer, tokens: torch.Tensor) -> torch.Tensor:
    """Attention to the token before: [row, layer, head]."""
    return torch.stack([p.diagonal(-1, 2, 3).mean(-1) for p in patterns(network, tokens)], 1)


def prefix_matching(network: Transformer, tokens: torch.Tensor) -> torch.Tensor:
    """In the second copy, attention to what followed the first occurrence: [row, layer, head] (Olsson et al. 2022)."""
    return torch.stack([p.diagonal(1 - LENGTH, 2, 3)[..., 2:].mean(-1) for p in patterns(network, tokens)], 1)


def said_twice(network: Transformer, rows: int, seed: int = 0) -> torch.Tensor:
    """Random tokens [row, 1 + 2 LENGTH] after an end of text."""
    return repeated.draw(rows, LENGTH, network.config.d_vocab, start=0, seed=seed)["tokens"]


def copies(cost: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """What such tokens cost at first, and said again but for the first of them: each [row]."""
    return cost[:, :LENGTH].mean(1), cost[:, LENGTH + 1 :].mean(1)


def in_context(cost: torch.Tensor) -> torch.Tensor:
    """How much more later tokens cost than early ones: [row], negative where context helps."""
    return cost[:, LATE].mean(1) - cost[:, EARLY].mean(1)


def excerpts(tokens: torch.Tensor, seq: int, rows: int) -> torch.Tensor:
    """Rows [row, seq] from all over a text, each after an end of text."""
    starts = torch.linspace(0, len(tokens) - seq, rows).long()
    body = tokens[starts[:, None] + torch.arange(seq - 1)].long()
    return torch.cat([torch.zeros(rows, 1, dtype=torch.long), body], 1)


@contextmanager
def without(network: Transformer, layer: int, heads: Iterable[int], text: torch.Tensor) -> Iterator[None]:
    """Inside, what heads of a layer move is the same everywhere: its mean over a text [row, seq]."""
    z, chosen, seen = network.blocks[layer].attn.z, list(heads), []
    with torch.no_grad(), _hooked(z, lambda module, inputs, out: seen.append(out.mean((0, 1)))):
        network(text.to(network.embed.W_E.device))

    def replace(module, inputs, out):
        out = out.clone()
        out[:, :, chosen] = seen[0][chosen]
        return out

    with _hooked(z, replace):
        yield


@contextmanager
def _hooked(module: nn.Module, hook) -> Iterator[None]:
    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def glance(network: Transformer, english: torch.Tensor) -> dict[str, float]:
    """The figures that the log of a training shows; of the heads of a layer, the best."""
    text, twice = excerpts(english, 300, 40), said_twice(network, 32)
    cost, (first, second) = losses(network, text), copies(losses(network, twice))
    found = {"english": cost, "in_context": in_context(cost), "first_copy": first, "second_copy": second}
    found = {name: value.mean() for name, value in found.items()}
    for layer, (before, match) in enumerate(
        zip(previous_token(network, text[:8]).mean(0), prefix_matching(network, twice).mean(0), strict=True)
    ):
        found |= {f"previous_token_{layer}": before.max(), f"prefix_matching_{layer}": match.max()}
    return {name: round(value.item(), 4) for name, value in found.items()}


def figures(network: Transformer, english: torch.Tensor, told: torch.Tensor) -> dict:
    """The figures of a card, with standard errors over rows; `english` and `told` are rows of held-out text."""
    twice, before = said_twice(network, 256, seed=1), previous_token(network, english[:60])
    on_english, on_stories, (first, second) = (
        losses(network, english),
        losses(network, told),
        copies(losses(network, twice)),
    )
    matching, movers = prefix_matching(network, twice), (before.mean(0)[0] > 0.3).nonzero().flatten().tolist()
    with without(network, 0, movers, english[:60]):
        left = prefix_matching(network, twice)
    best = matching.mean(0)[1].argmax()
    return {
        "english_loss": estimate(on_english.mean(1)),
        "stories_loss": estimate(on_stories.mean(1)),
        "in_context_english": estimate(in_context(on_english)),
        "in_context_stories": estimate(in_context(on_stories)),
        "first_copy": estimate(first),
        "second_copy": estimate(second),
        "second_copy_gains": estimate(first - second),
        "previous_token_best": estimate(before[:, 0, before.mean(0)[0].argmax()]),
        "prefix_matching_best": estimate(matching[:, 1, best]),
        "previous_token_heads": movers,
        "prefix_matching_without_them": estimate(left[:, 1, left.mean(0)[1].argmax()]),
        "previous_token": table(before),
        "prefix_matching": table(matching),
    }


def estimate(values: torch.Tensor) -> dict[str, float]:
    """A mean and its standard error."""
    return {"mean": round(values.mean().item(), 4), "se": round(values.std().item() / len(values) ** 0.5, 4)}


def table(values: torch.Tensor) -> list[list[float]]:
    """Means over rows, by layer and head."""
    return [[round(value, 3) for value in layer] for layer in values.mean(0).tolist()]
