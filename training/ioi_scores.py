"""What the IOI models can do, and which heads do it: logit differences, and how much of them a head is good for."""

from __future__ import annotations

from itertools import product

import torch

from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find_one
from remix_utils.graph.selector import at
from remix_utils.intervene import path_patch
from remix_utils.models.model import Model
from remix_utils.tasks import ioi

LOOKS = (("END", "IO"), ("END", "S1"), ("END", "S2"), ("END", "article"), ("S2", "S1"))
# The ways that a head's output takes: all of them, the direct one to the logits, or through what a later head reads.
WAYS = {
    "total": lambda out: out,
    "direct": lambda out: out.avoiding(at("blocks.*.ln1") | at("blocks.*.ln2")),
    "through queries": lambda out: at("blocks.*.attn.head.*.q") >> out,
    "through keys": lambda out: at("blocks.*.attn.head.*.k") >> out,
    "through values": lambda out: at("blocks.*.attn.head.*.v") >> out,
}


def difference(logits: torch.Tensor, data) -> torch.Tensor:
    """The logit of the IO less that of the subject, of logits [rows, d_vocab] at the end: [rows]."""
    return (logits.gather(1, data["token.IO"][:, None]) - logits.gather(1, data["token.S"][:, None]))[:, 0]


@torch.no_grad()
def margins(network: torch.nn.Module, prompts: ioi.Prompts) -> torch.Tensor:
    """The logit difference of each prompt, [rows]."""
    found = torch.empty(len(prompts))
    for data in ioi.groups(prompts):
        logits = network(data["tokens"].to(network.embed.W_E.device), fast=True)[:, -1].cpu()
        found[data["row"]] = difference(logits, data)
    return found


def figures(margin: torch.Tensor) -> dict[str, float]:
    """How often the IO is ahead, and by how much, with standard errors."""
    right = (margin > 0).double()
    return {
        "prompts": len(margin),
        "io_over_s": round(right.mean().item(), 4),
        "io_over_s_se": round(error(right), 4),
        "logit_difference": round(margin.mean().item(), 3),
        "logit_difference_se": round(error(margin), 3),
    }


def error(values: torch.Tensor) -> float:
    return values.std().item() / len(values) ** 0.5


def effects(model: Model, prompts: ioi.Prompts, seed: int = 0) -> dict[str, torch.Tensor]:
    """By way, the share [layer, head] of the mean logit difference that is lost when a head sees three other people.

    Noising: on that way its output is that on the same sentence about others (`Prompts.abc`), all else stays clean.
    """
    others, heads = prompts.abc(seed), list(product(range(model.config["n_layers"]), range(model.config["n_heads"])))
    lost: dict[tuple, float] = dict.fromkeys(product(WAYS, heads), 0.0)
    whole = 0.0
    for data in ioi.groups(prompts):
        inputs = {"tokens": data["tokens"], "others": ioi.dataset(others[data["row"]])["tokens"]}
        clean, *noised = evaluate(
            [index(graph, (-1,)) for graph in _variants(model, heads, *data["tokens"].shape[1:])], inputs
        )
        before = difference(clean, data)
        whole += before.sum().item()
        for key, logits in zip(lost, noised, strict=True):
            lost[key] += (before - difference(logits, data)).sum().item()
    shape = (model.config["n_layers"], model.config["n_heads"])
    return {way: torch.tensor([lost[way, head] / whole for head in heads]).reshape(shape) for way in WAYS}


def _variants(model: Model, heads: list[tuple[int, int]], seq: int) -> list[Node]:
    """The graph, and for each way and head the graph in which others are seen; where no such way exists, the graph."""
    graph = split(model.graph(seq), "blocks.*.attn_out", "head")
    other = placeholder("others", (seq,), torch.long)
    last = model.config["n_layers"] - 1
    found = [graph]
    for way, (layer, head) in product(WAYS, heads):
        out = at(f"blocks.{layer}.attn.head.{head}.out")
        exists = layer < last or not way.startswith("through")
        found.append(path_patch(graph, WAYS[way](out), {"tokens": other}) if exists else graph)
    return found


def attention(model: Model, prompts: ioi.Prompts) -> dict[str, torch.Tensor]:
    """The mean share of attention [layer, head] from the end to names and the object's article, and from S2 to S1."""
    layers = range(model.config["n_layers"])
    totals: dict[str, torch.Tensor] = {}
    for data in ioi.groups(prompts):
        graph, rows = model.graph(data["tokens"].shape[1]), torch.arange(len(data))
        seen = evaluate([find_one(graph, f"blocks.{layer}.attn.pattern") for layer in layers], data)
        place = {role: data[f"position.{role}"] for role in ioi.ROLES} | {"article": data["position.object"] - 1}
        for query, key in LOOKS:
            each = torch.stack([pattern[rows, :, place[query], place[key]].sum(0) for pattern in seen])
            totals[f"{query} to {key}"] = totals.get(f"{query} to {key}", 0) + each
    return {name: total / len(prompts) for name, total in totals.items()}
