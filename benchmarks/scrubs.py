"""Causal scrubs on the shipped models: beside one plain forward pass, and beside a pass for every draw."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F

from benchmarks.measure import Floor, Row, agree, in_turn
from benchmarks.scale import Scale
from remix_utils import models
from remix_utils.data import Dataset, Exact, Matching, feature
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub, treeify
from remix_utils.tasks import parens, repeated

Metric = Callable[[torch.Tensor, Dataset], torch.Tensor]
Side = Callable[[], torch.Tensor]


def induction(scale: Scale) -> list[Row]:
    """The textbook about two induction heads, each with rows of its own for all that it does not name: 7 draws."""
    graph, data = language(scale.scrubbed, scale.scrubbed_seq)
    module = models.load("induction-2l").module()

    def plain() -> torch.Tensor:
        return token_loss(module(data["tokens"]), data)

    return _beside("scrub, induction, 7 draws", 1.3, graph, textbook(), data, token_loss, plain, scale)


def language(rows: int, seq: int) -> tuple[Node, Dataset]:
    """The model with its heads as nodes, and random tokens said twice."""
    graph = split(models.load("induction-2l").graph(seq=seq), "blocks.*.attn_out", "head")
    return graph, repeated.draw(rows, seq // 2, 1024, seed=0)


def textbook() -> Interp:
    """Queries and values from the embedding, keys through the previous-token head."""
    embed, previous = at("embed").avoiding("blocks.0.attn_out"), at("blocks.0.attn.head.0.out")
    heads = []
    for head in (1, 3):
        parts = [
            Interp(
                f"{head}.{letter}",
                at(f"blocks.1.attn.head.{head}.{letter}"),
                Exact(),
                [Interp(f"{head}.{letter} reads", previous if letter == "k" else embed, Exact())],
            )
            for letter in "qkv"
        ]
        heads.append(Interp(f"head 1.{head}", at(f"blocks.1.attn.head.{head}.out"), Exact(), parts, others=None))
    return Interp("logits", at("logits"), Exact(), heads, others=Exact())


def token_loss(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """The loss of every token but the first, in nats, on average over each row [rows]."""
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), reference["tokens"][:, 1:], reduction="none").mean(1)


def balance(scale: Scale) -> list[Row]:
    """The count in heads 1.0, 1.1 and 2.0, and the horizon at every position that head 2.1 reads: 50 draws."""
    data, module = parens.draw(scale.strings, seed=0), models.load("parens").module()

    def plain() -> torch.Tensor:
        return label_loss(module(data["tokens"], data["mask"]), data)

    return _beside("scrub, parens, 50 draws", 0.9, by_place(), by_position(), data, label_loss, plain, scale)


def by_place() -> Node:
    """The model with its heads as nodes, and the positions that head 2.1 reads."""
    graph = split(models.load("parens").graph(seq=parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
    return split(graph, at("blocks.2.attn.head.1.out") >> at("blocks.2.ln1"), "position")


def by_position() -> Interp:
    """Each position of head 2.1 agrees on whether the suffix from there on is above the horizon."""
    count = Matching(feature(lambda data: data["count_ok"]))
    heads = [
        Interp(name, at(f"blocks.{name[0]}.attn.head.{name[2]}.out").avoiding(at("*.out") | at("*.mlp_out")), count)
        for name in ("1.0", "1.1", "2.0")
    ]
    places = [
        Interp(f"position {place}", at(f"blocks.2.ln1.position.{place}"), Matching(_horizon(place)))
        for place in range(parens.LENGTH)
    ]
    late = Interp("2.1", at("blocks.2.attn.head.1.out").avoiding("*.mlp_out"), Exact(), places)
    return Interp("logits", at("logits"), Exact(), [*heads, late])


def _horizon(place: int) -> Callable[[Dataset], torch.Tensor]:
    return lambda data: parens.open_proportion(data["tokens"])[:, place] > 0.5


def label_loss(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    return F.cross_entropy(logits, reference["label"], reduction="none")


def _beside(
    work: str, most: float, graph: Node, hypothesis: Interp, data: Dataset, metric: Metric, plain: Side, scale: Scale
) -> list[Row]:
    """A scrub with as many references as there are rows, beside a pass over them and one for each draw."""
    library, unlifted, difference = _sides(work, graph, hypothesis, data, len(data), metric)
    work = f"{work}, {len(data):,} rows"
    scrubbed, passes = in_turn(scale.repetitions, library, plain)
    (trees,) = in_turn(1, unlifted)
    floor = Floor("ratio", least=1 / most, text=f"at most {most} × a pass")
    return [
        Row(work, scrubbed, passes, "one forward pass, torch modules", "s", difference, floor),
        Row(work, scrubbed, trees, "unlifted: each draw by itself", "s", difference),
    ]


def _sides(
    work: str, graph: Node, hypothesis: Interp, data: Dataset, n: int, metric: Metric
) -> tuple[Side, Side, float]:
    """The scrub, the same without lifting, and by how much their values differ."""
    reference = data[scrub(graph, hypothesis, data, n, metric=metric).rows["reference"]]

    def library() -> torch.Tensor:
        return scrub(graph, hypothesis, data, n, metric=metric).per_example

    def unlifted() -> torch.Tensor:
        return metric(evaluate(treeify(graph, hypothesis, data, n), data), reference).double()

    return library, unlifted, agree(work, library(), unlifted())


def few(scale: Scale) -> list[Row]:
    """Few references from many rows, where a pass over the rows would be a waste."""
    rows = []
    graph, data = language(scale.population, scale.scrub_seq)
    cases = [("induction", graph, textbook(), data, token_loss)]
    cases.append(("parens", by_place(), by_position(), parens.draw(scale.strings_at_hand, seed=0), label_loss))
    for name, graph, hypothesis, data, metric in cases:
        for n in scale.few:
            work = f"scrub, {name}, {n:,} references from {len(data):,} rows"
            library, unlifted, difference = _sides(work, graph, hypothesis, data, n, metric)
            floor = Floor("ratio", least=1 / 1.2, text="at most 1.2 × unlifted")
            times = in_turn(scale.repetitions, library, unlifted)
            rows.append(Row(work, *times, "unlifted: each draw by itself", "s", difference, floor))
    return rows


MEASURED = """
import resource, sys, torch
from benchmarks.scrubs import {prepared}
from remix_utils.scrub.scrubbing import scrub
torch.set_num_threads(1)
graph, hypothesis, data, metric = {prepared}(*map(int, sys.argv[1:]))
scrub(graph, hypothesis, data, len(data), metric=metric)
taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
print(taken, file=sys.stderr)  # a long scrub shows its progress on stdout
"""


def sequences(rows: int, seq: int) -> tuple[Node, Interp, Dataset, Metric]:
    graph, data = language(rows, seq)
    return graph, textbook(), data, token_loss


def strings(rows: int) -> tuple[Node, Interp, Dataset, Metric]:
    return by_place(), by_position(), parens.draw(rows, seed=0), label_loss


def memory(scale: Scale) -> list[Row]:
    """The most memory that a scrub takes in a process of its own, with all that is loaded."""
    many = f"memory of a scrub, induction, {scale.sequences:,} rows of {scale.scrub_seq} tokens, all that is loaded"
    few = f"memory of a scrub, parens, 50 draws, {scale.strings:,} rows, all that is loaded"
    return [
        _memory(many, 6 * 2**30, "6 GiB", "sequences", scale.sequences, scale.scrub_seq),
        _memory(few, 1.2e9, "1.2 GB", "strings", scale.strings),
    ]


def _memory(work: str, most: float, text: str, prepared: str, *sizes: int) -> Row:
    command = [sys.executable, "-c", MEASURED.format(prepared=prepared), *map(str, sizes)]
    taken = float(subprocess.run(command, stderr=subprocess.PIPE, check=True, text=True).stderr)
    return Row(work, [taken], [], "", "bytes", 0.0, Floor("library", most=most, text=text))
