"""Graphs themselves: building, holding, searching and rewriting them, beside the plainest Python that does it."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import partial

import torch

from benchmarks.measure import Floor, Row, agree, in_turn
from benchmarks.scale import Scale
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder
from remix_utils.graph.rewrite import split, update
from remix_utils.graph.select import find
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first

WIDTH = 4
REVERSED = (slice(None, None, -1),)


@dataclass(frozen=True, slots=True)
class Bare:
    """The fields of a node, without any check."""

    op: str
    children: tuple
    name: str
    shape: tuple[int, ...]
    dtype: torch.dtype


def _matrix() -> torch.Tensor:
    return torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(0))).Q


def nodes_of(count: int) -> Node:
    """A long graph, a quarter of its nodes of each kind: the stream forgets half of itself a step."""
    stream = x = placeholder("x", (WIDTH,))
    matrix = array(_matrix(), "matrix")
    for step in range(count // 4):
        product = einsum("i, i j -> j", stream, matrix, name=f"steps.{step}.product")
        post = apply("relu", product, name=f"steps.{step}.post")
        turned = index(post, REVERSED, name=f"steps.{step}.turned")
        stream = add(stream, turned, x, weights=[0.5, 0.1, 0.5], name=f"steps.{step}.resid")
    return stream


def bare_of(count: int) -> Bare:
    """The same graph, of dataclasses."""
    stream = x = Bare("placeholder", (), "x", (WIDTH,), torch.float32)
    matrix = Bare("array", (), "matrix", (WIDTH, WIDTH), torch.float32)
    for step in range(count // 4):
        product = Bare("i, i j -> j", (stream, matrix), f"steps.{step}.product", (WIDTH,), torch.float32)
        post = Bare("relu", (product,), f"steps.{step}.post", (WIDTH,), torch.float32)
        turned = Bare("index", (post,), f"steps.{step}.turned", (WIDTH,), torch.float32)
        stream = Bare("add", (stream, turned, x), f"steps.{step}.resid", (WIDTH,), torch.float32)
    return stream


def computed(count: int) -> float:
    """By how much the graph's value differs from the same steps in torch."""
    stream = x = torch.linspace(-1, 1, WIDTH)
    for _ in range(count // 4):
        stream = 0.5 * stream + 0.1 * torch.relu(stream @ _matrix()).flip(0) + 0.5 * x
    return agree("building nodes", evaluate(nodes_of(count), {"x": x}), stream)


def nodes(scale: Scale) -> list[Row]:
    """How many nodes a second are built, and how many bytes each takes once hashed and walked."""
    count, difference = scale.nodes, computed(scale.nodes)
    times = in_turn(scale.repetitions, lambda: nodes_of(count), lambda: bare_of(count))
    rates = [[count / each for each in side] for side in times]
    sizes = [[_bytes(build, count)] for build in (_used, bare_of)]
    beside = "frozen dataclasses, nothing checked"
    fast = Floor("library", least=100_000, text="100,000 nodes/s")
    small = Floor("library", most=400, text="400 bytes")
    return [
        Row(f"build {count:,} nodes", *rates, beside, "nodes/s", difference, fast),
        Row("memory of a node, hashed and walked", *sizes, beside, "bytes", difference, small),
    ]


def _used(count: int) -> Node:
    graph = nodes_of(count)
    assert graph.key and children_first(graph)
    return graph


def _bytes(build: Callable[[int], object], count: int) -> float:
    gc.collect()
    tracemalloc.start()
    graph = build(count)
    gc.collect()
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    del graph
    return size / count


def finding(scale: Scale) -> list[Row]:
    """By name, by predicate and by path, beside a loop over a list of the nodes that is at hand."""
    graph = nodes_of(scale.nodes)
    listed = list(children_first(graph))
    upper = f"steps.{scale.nodes // 8}.resid"
    cases = [
        ("name", at("steps.1*.post"), lambda: [n for n in listed if fnmatchcase(n.name, "steps.1*.post")]),
        ("predicate", at(lambda n: n.op.kind == "add"), lambda: [n for n in listed if n.op.kind == "add"]),
        ("path", at(upper) >> at("steps.1*.post"), lambda: _below(listed, upper, "steps.1*.post")),
    ]
    place = {node: float(number) for number, node in enumerate(listed)}
    floor = Floor("library", most=0.1, text="100 ms")
    rows = []
    for how, selector, loop in cases:
        work = f"find by {how} among {len(listed):,} nodes"
        search = partial(find, graph, selector)
        difference = agree(work, *(torch.tensor([place[node] for node in side()]) for side in (search, loop)))
        times = in_turn(scale.repetitions, search, loop)
        rows.append(Row(work, *times, "a loop over a list", "s", difference, floor))
    return rows


def _below(listed: list[Node], upper: str, pattern: str) -> list[Node]:
    """The nodes of some name below another, parents before children."""
    reached = {child for node in listed if node.name == upper for child in node.children}
    for node in reversed(listed):
        if node in reached:
            reached.update(node.children)
    return [node for node in listed if node in reached and fnmatchcase(node.name, pattern)]


HALVES = ([0, 1], [2, 3])


def rewriting(scale: Scale) -> list[Row]:
    """A skip chain: one input changed along the paths that avoid the middle layer, every layer split in two."""
    middle = scale.layers // 2
    x, other = placeholder("x", (WIDTH,)), placeholder("other", (WIDTH,))
    weights = [[array(_matrix() * (-1) ** (layer + part), "W") for part in (0, 1)] for layer in range(scale.layers)]
    chain = _chain(x, weights)

    def rewrite() -> Node:
        changed = update(chain, at("x").avoiding(f"layers.{middle}.out"), lambda node: other)
        return split(changed, "layers.*.out", "hidden", HALVES)

    def anew() -> Node:
        clean = _layer(_chain(x, weights[:middle], halved=True), middle, weights[middle], halved=True)
        return _chain(other, weights, halved=True, fixed={middle: clean})

    inputs = {"x": torch.linspace(-1, 1, WIDTH), "other": torch.linspace(2, 0, WIDTH)}
    work = f"rewrite a skip chain of {scale.layers} layers"
    difference = agree(work, evaluate(rewrite(), inputs), evaluate(anew(), inputs))
    times = in_turn(scale.repetitions, rewrite, anew)
    return [Row(work, *times, "built anew by hand", "s", difference, Floor("library", most=1.0, text="1 s"))]


def _chain(stream: Node, weights: list[list[Node]], halved: bool = False, fixed: dict[int, Node] | None = None) -> Node:
    for layer, pair in enumerate(weights):
        out = (fixed or {}).get(layer) or _layer(stream, layer, pair, halved)
        stream = add(stream, out, name=f"layers.{layer}.resid")
    return stream


def _layer(stream: Node, layer: int, weights: list[Node], halved: bool) -> Node:
    one, zero = array(torch.ones(WIDTH), "one"), array(torch.zeros(WIDTH), "zero")
    normalized = apply("layernorm", stream, one, zero, name=f"layers.{layer}.normalized")
    hidden = apply("relu", einsum("d, hidden d -> hidden", normalized, weights[0]), name=f"layers.{layer}.hidden")
    parts = [slice(part[0], part[-1] + 1) for part in HALVES] if halved else [slice(None)]
    outs = [
        einsum("hidden, d hidden -> d", index(hidden, part), index(weights[1], (slice(None), part))) for part in parts
    ]
    return add(*outs, name=f"layers.{layer}.out") if halved else outs[0].named(f"layers.{layer}.out")
