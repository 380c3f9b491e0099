"""Sweeps of path patches, built and evaluated, beside hooks on transformers' model of the same weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_

import torch

from benchmarks.gpt2 import build_graph
from benchmarks.measure import Floor, Row, agree, seconds
from benchmarks.networks import network
from benchmarks.scale import Scale
from benchmarks.theirs import Changes, Head, Hooked, gpt2, llama, sent, to_queries
from remix_utils import models
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, einsum, index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find_one
from remix_utils.graph.selector import Selector, at
from remix_utils.intervene import path_patch
from remix_utils.models.smollm2 import kept
from remix_utils.models.transformer import untrained

HEADS, MLPS = at("*.attn.head.*.out"), at("*.mlp_out")
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Sweep:
    """A kind of sweep: the way from a sender, what is measured, and whether hooks hold the MLPs."""

    target: str
    measured: Callable[[Node], Node]
    floor: Floor | None
    way: Callable[[Selector], Selector]
    mlps_held: bool = True
    receivers: tuple[Head, ...] = ()

    def build(self, graph: Node, heads: Sequence[Head]) -> list[Node]:
        """A graph for each sender, with corrupted tokens on the way; only layers of senders and receivers are split."""
        corrupted = {"tokens": placeholder("corrupted", find_one(graph, "tokens").shape, torch.long)}
        apart = {f"blocks.{layer}.attn_out" for layer, _ in (*heads, *self.receivers)}
        root = self.measured(split(graph, apart, "head"))
        return [path_patch(root, self.way(at(out(head))), corrupted) for head in heads]

    def hooked(self, hooked: Hooked, inputs: Tensors, caches: Sequence[Changes], sender: Head) -> torch.Tensor:
        """One or two passes on the clean prompts: the sender gives what it gave on the corrupted ones."""
        changes = sent(hooked, *caches, sender, self.mlps_held)
        run = partial(to_queries, receivers=self.receivers) if self.receivers else Hooked.logits
        logits = run(hooked, inputs["tokens"], changes)
        if self.measured is last_logits:
            return logits
        rows = torch.arange(len(logits))
        return logits[rows, inputs["right"]] - logits[rows, inputs["wrong"]]


def out(head: Head) -> str:
    return f"blocks.{head[0]}.attn.head.{head[1]}.out"


def difference(graph: Node) -> Node:
    """The logit of `right` minus that of `wrong` at the last position; no other logit is computed."""
    normalized, table = graph.children
    right, wrong = (apply("embed", placeholder(name, (), torch.long), table) for name in ("right", "wrong"))
    direction = add(right, wrong, weights=[1, -1], name="direction")
    return einsum("d, d ->", index(normalized, -1), direction, name="logit difference")


def last_logits(graph: Node) -> Node:
    return index(graph, -1)


def directly(sender: Selector) -> Selector:
    """Through the stream alone."""
    return sender.avoiding(HEADS | MLPS)


def through_mlps(sender: Selector) -> Selector:
    """Through the stream and the MLPs above, which are computed again at the last position.

    Those are most of the operations: at the same speed for each, a sweep is at most 48 times faster than hooks.
    """
    return sender.avoiding(HEADS)


def into_queries(receivers: tuple[Head, ...]) -> Sweep:
    """From the senders into the queries of three heads, and on from there by every way."""
    names = [out(head).removesuffix("out") + "q" for head in receivers]
    queries = reduce(or_, map(at, names))
    floor = Floor("ratio", least=10, text="10 ×")
    return Sweep(
        "the queries of three heads", difference, floor, lambda sender: queries >> directly(sender), True, receivers
    )


SWEEPS = (
    Sweep("logit difference", difference, Floor("ratio", least=60, text="60 ×"), directly),
    Sweep("all logits", last_logits, Floor("ratio", least=15, text="15 ×"), directly),
    Sweep("logit difference, MLPs too", difference, None, through_mlps, False),
)


def of_gpt2(scale: Scale) -> list[Row]:
    """Heads → logits and → queries in a network of GPT-2's shape."""
    plain, sizes = network(scale.network), scale.network
    heads = [(layer, head) for layer in range(sizes.layers) for head in range(sizes.heads)]
    graph = build_graph(plain, scale.prompt_seq)
    late = sizes.layers * 3 // 4
    receivers = ((late, sizes.heads // 2), (late, sizes.heads * 3 // 4), (min(late + 1, sizes.layers - 1), 0))
    return _rows(scale, "GPT-2's shape", graph, gpt2(plain), heads, receivers, scale.prompts, sizes.vocabulary)


def of_smollm2(scale: Scale) -> list[Row]:
    """The same in SmolLM2, or in a tiny network of its shape; nothing where its file is not in the cache."""
    if scale.small_llama is None and not kept().is_file():
        print("SmolLM2 is not on this machine, so its sweeps are left out: `remix model smollm2` fetches it.")
        return []
    model = models.load("smollm2") if scale.small_llama is None else untrained(**scale.small_llama)
    layers, per_layer = model.config["n_layers"], model.config["n_heads"]
    heads = [(layer, head) for layer in range(layers) for head in range(per_layer)]
    late = layers * 23 // 30
    receivers = tuple((late, head) for head in range(3))
    graph, prompts = model.graph(seq=scale.prompt_seq), scale.prompts // 2 + 1
    return _rows(scale, "SmolLM2", graph, llama(model), heads, receivers, prompts, model.config["d_vocab"])


def _rows(
    scale: Scale,
    name: str,
    graph: Node,
    hooked: Hooked,
    heads: Sequence[Head],
    receivers: tuple[Head, ...],
    prompts: int,
    vocabulary: int,
) -> list[Row]:
    shape = (prompts, scale.prompt_seq)
    shapes = {"tokens": shape, "corrupted": shape, "right": shape[:1], "wrong": shape[:1]}
    generator = torch.Generator().manual_seed(0)
    inputs = {name: torch.randint(vocabulary, sizes, generator=generator) for name, sizes in shapes.items()}
    measure = partial(_row, scale, name, graph, hooked, inputs)
    earlier = [head for head in heads if head[0] < min(layer for layer, _ in receivers)]
    return [*(measure(sweep, heads) for sweep in SWEEPS), measure(into_queries(receivers), earlier)]


def _row(
    scale: Scale, name: str, graph: Node, hooked: Hooked, inputs: Tensors, sweep: Sweep, heads: Sequence[Head]
) -> Row:
    """With hooks a sweep takes a clean and a corrupted pass, and one or two more for each head.

    These all cost the same: some are run, and the sweep is counted at their mean.
    """
    rows, seq = inputs["tokens"].shape
    work = f"path patching, {name}, {len(heads)} heads → {sweep.target}, {rows} × {seq} tokens"
    run = [heads[round(place)] for place in torch.linspace(0, len(heads) - 1, scale.passes).tolist()]
    library, beside, difference = [], [], 0.0
    for _ in range(scale.sweeps):
        taken, swept = seconds(lambda: evaluate(sweep.build(graph, heads), inputs))
        caching, caches = seconds(lambda: [hooked.values(inputs[which]) for which in ("tokens", "corrupted")])
        times, found = zip(*[seconds(partial(sweep.hooked, hooked, inputs, caches, head)) for head in run], strict=True)
        library.append(taken)
        beside.append(caching + len(heads) * sum(times) / len(run))
        difference = max(
            difference, agree(work, torch.stack([swept[heads.index(head)] for head in run]), torch.stack(found))
        )
    passes = f"hooks, 2 + {len(heads) * (1 + bool(sweep.receivers))} passes of transformers, {len(run)} heads timed"
    return Row(work, library, beside, passes, "s", difference, sweep.floor)
