"""Whole experiments: a sweep of path patches and a sweep of ablations, beside the same with hooks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import nn

from benchmarks.gpt2 import Network, build_graph
from benchmarks.measure import Floor, Row, agree, in_turn, seconds
from benchmarks.networks import network, tokens
from benchmarks.scale import Scale
from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, einsum, index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find_one
from remix_utils.graph.selector import at
from remix_utils.intervene import ablate, path_patch
from remix_utils.tasks import digits

Head = tuple[int, int]
Tensors = dict[str, torch.Tensor]


def patching(scale: Scale) -> list[Row]:
    """Each head's effect on the logit difference through the stream and the MLPs, the other heads held (noising).

    With hooks a sweep takes a clean pass, a corrupted pass and one more a head. These all cost the same: some are run,
    and the sweep is counted at their mean.
    """
    plain, sizes = network(scale.network), scale.network
    shape = (scale.prompts, scale.prompt_seq)
    inputs = {"tokens": tokens(scale, *shape), "corrupted": tokens(scale, *shape, seed=1)}
    inputs |= {"right": tokens(scale, scale.prompts, seed=2), "wrong": tokens(scale, scale.prompts, seed=3)}
    heads = [(layer, head) for layer in range(sizes.layers) for head in range(sizes.heads)]
    run = [heads[round(place)] for place in torch.linspace(0, len(heads) - 1, scale.passes).tolist()]
    graph = build_graph(plain, scale.prompt_seq)
    library, beside, difference = [], [], 0.0
    work = f"path patching, {len(heads)} heads → logit difference, {scale.prompts} × {scale.prompt_seq} tokens"
    for _ in range(scale.sweeps):
        taken, swept = seconds(partial(sweep, graph, inputs, heads))
        caching, caches = seconds(lambda: [head_outputs(plain, inputs[name]) for name in ("tokens", "corrupted")])
        times, hooked = zip(*[seconds(partial(hooked_pass, plain, inputs, caches, head)) for head in run], strict=True)
        library.append(taken)
        beside.append(caching + len(heads) * sum(times) / len(run))
        chosen = torch.stack([swept[heads.index(head)] for head in run])
        difference = max(difference, agree(work, chosen, torch.stack(hooked)))
    floor = Floor("ratio", least=60, text="60 ×")
    return [
        Row(work, library, beside, f"hooks, 2 + {len(heads)} passes, {len(run)} of these timed", "s", difference, floor)
    ]


def sweep(graph: Node, inputs: Tensors, heads: Sequence[Head]) -> list[torch.Tensor]:
    """The logit difference [prompts] with each head patched: graphs edited, then evaluated together."""
    graph = split(graph, "blocks.*.attn_out", "head")
    unembedding = find_one(graph, "W_E")
    right, wrong = (apply("embed", placeholder(name, (), torch.long), unembedding) for name in ("right", "wrong"))
    direction = add(right, wrong, weights=[1, -1], name="direction")
    end = index(find_one(graph, "ln_final.normalized"), -1, name="end")
    difference = einsum("d, d ->", end, direction, name="logit difference")
    corrupted = {"tokens": placeholder("corrupted", find_one(graph, "tokens").shape, torch.long)}
    patched = [
        path_patch(difference, at(f"blocks.{layer}.attn.head.{head}.out").avoiding("*.attn.head.*.out"), corrupted)
        for layer, head in heads
    ]
    return evaluate(patched, inputs)


def head_outputs(plain: Network, given: torch.Tensor) -> list[torch.Tensor]:
    """What every head gives before the output projection, a tensor [batch, seq, head, d_head] a layer."""
    kept: list[torch.Tensor] = []
    places = [block.attention.z for block in plain.blocks]
    handles = [place.register_forward_hook(lambda module, read, z: kept.append(z)) for place in places]
    plain(given)
    for handle in handles:
        handle.remove()
    return kept


def hooked_pass(plain: Network, inputs: Tensors, caches: Sequence[list[torch.Tensor]], sender: Head) -> torch.Tensor:
    """One pass on the clean prompts: the sender gives what it gave on the corrupted ones, other heads their own."""
    clean, corrupted = caches
    held = [z.clone() for z in clean]
    held[sender[0]][:, :, sender[1]] = corrupted[sender[0]][:, :, sender[1]]
    handles = [
        block.attention.z.register_forward_hook(lambda module, read, z, new=new: new)
        for block, new in zip(plain.blocks, held, strict=True)
    ]
    logits = plain(inputs["tokens"])[:, -1]
    for handle in handles:
        handle.remove()
    rows = torch.arange(len(logits))
    return logits[rows, inputs["right"]] - logits[rows, inputs["wrong"]]


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
