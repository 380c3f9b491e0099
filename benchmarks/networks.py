"""A network of GPT-2's shape: its forward pass, its memory, and its edited variants, beside plain torch modules."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch

from benchmarks.gpt2 import Block, Network, Sizes, build_graph
from benchmarks.measure import Allocations, Floor, Row, agree, in_turn
from benchmarks.scale import Scale
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find_one
from remix_utils.intervene import ablate


@lru_cache(maxsize=1)
def network(sizes: Sizes) -> Network:
    return Network(sizes)


def tokens(scale: Scale, *shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(scale.network.vocabulary, shape, generator=torch.Generator().manual_seed(seed))


def forward(scale: Scale) -> list[Row]:
    """All logits, beside the same steps as modules and beside torch's own attention, which hides the pattern."""
    plain = network(scale.network)
    graph = build_graph(plain, scale.seq)
    inputs = {"tokens": tokens(scale, scale.batch, scale.seq)}
    rows = []
    for beside, fused in (("torch modules", False), ("torch modules, attention fused", True)):
        work = f"forward pass, all logits, {scale.batch} × {scale.seq} tokens"
        plain.fuse(fused)
        difference = agree(work, evaluate(graph, inputs), plain(inputs["tokens"]))
        times = in_turn(scale.repetitions, lambda: evaluate(graph, inputs), lambda: plain(inputs["tokens"]))
        rows.append(Row(work, *times, beside, "s", difference))
    plain.fuse(False)
    return rows


def memory(scale: Scale) -> list[Row]:
    """The most bytes of activations that the body holds at once, beside hooks that keep what every module gives."""
    plain = network(scale.network)
    stream = find_one(build_graph(plain, scale.seq), f"blocks.{scale.network.layers - 1}.resid_post")
    inputs = {"tokens": tokens(scale, scale.batch, scale.seq)}
    with Allocations() as library:
        value = evaluate(stream, inputs)
    with keeping_everything(plain), Allocations() as beside:
        difference = agree("memory", value, plain.body(inputs["tokens"]))
    work = f"memory of activations, body, {scale.batch} × {scale.seq} tokens"
    floor = Floor("ratio", least=25, text="25 ×")
    return [Row(work, [library.peak], [beside.peak], "hooks that keep everything", "bytes", difference, floor)]


@contextmanager
def keeping_everything(plain: Network) -> Iterator[list[torch.Tensor]]:
    """Hooks on every step that keep its output, as a cache of all activations does."""
    kept: list[torch.Tensor] = []
    steps = [module for module in plain.modules() if isinstance(module, Block) or not list(module.children())]
    handles = [step.register_forward_hook(lambda module, given, output: kept.append(output)) for step in steps]
    yield kept
    for handle in handles:
        handle.remove()


def variants(scale: Scale) -> list[Row]:
    """Every head set to zero, a graph each; two in every layer are compared with hooks."""
    sizes, plain = scale.network, network(scale.network)
    graph = build_graph(plain, scale.seq)
    stream = find_one(graph, f"blocks.{sizes.layers - 1}.resid_post")

    def build() -> list[Node]:
        edited = []
        for layer in range(sizes.layers):
            heads = split(stream, f"blocks.{layer}.attn_out", "head")
            names = [f"blocks.{layer}.attn.head.{head}.out" for head in range(sizes.heads)]
            edited.extend(ablate(heads, name, "zero") for name in names)
        return edited

    inputs = {"tokens": tokens(scale, 1, scale.seq)}
    chosen = [(layer, head) for layer in range(sizes.layers) for head in (0, sizes.heads - 1)]
    built = build()
    values = evaluate([built[layer * sizes.heads + head] for layer, head in chosen], inputs)
    hooked = torch.stack([_without(plain, inputs["tokens"], layer, head) for layer, head in chosen])
    work = f"build {len(built)} variants, one head edited in each"
    difference = agree(work, torch.stack(values), hooked)
    (times,) = in_turn(scale.repetitions, build)
    return [Row(work, times, [], "", "s", difference, Floor("library", most=0.5, text="0.5 s"))]


def _without(plain: Network, given: torch.Tensor, layer: int, head: int) -> torch.Tensor:
    def silence(module: torch.nn.Module, inputs: object, z: torch.Tensor) -> torch.Tensor:
        z = z.clone()
        z[:, :, head] = 0
        return z

    handle = plain.blocks[layer].attention.z.register_forward_hook(silence)
    stream = plain.body(given)
    handle.remove()
    return stream
