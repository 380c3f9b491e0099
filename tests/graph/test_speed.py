"""Catastrophes of speed only, with bounds that a busy machine keeps; memory to the byte. Figures are in benchmarks."""

import tracemalloc

import pytest
import torch

from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder
from remix_utils.graph.rewrite import replace, split, update
from remix_utils.graph.select import find, paths
from remix_utils.graph.selector import at
from tests.graph.skip_chains import seconds
from tests.graph.transformer import tokens, transformer

X, W = placeholder("x", (4, 3)), array(torch.ones(3, 3), "W")
ONE_MORE = {
    "add": lambda node, name: add(node, X, name=name),
    "apply": lambda node, name: apply("tanh", node, name=name),
    "concat": lambda node, name: concat([node], 0, name=name),
    "difference": lambda node, name: add(node, X, weights=[1, -1], name=name),
    "einsum": lambda node, name: einsum("seq d, d e -> seq e", node, W, name=name),
    "index": lambda node, name: index(node, slice(None), name=name),
}


def chain(kind, length):
    node = X
    for number in range(length):
        node = ONE_MORE[kind](node, f"blocks.{number}.resid")
    return node


@pytest.mark.parametrize("kind", ONE_MORE)
def test_nodes_are_built_fast(kind):
    """Far above 10,000 a second (an idle machine builds 100,000 and more)."""
    assert seconds(lambda: chain(kind, 2_000)) < 0.2


@pytest.mark.parametrize("kind", ONE_MORE)
def test_a_node_takes_less_than_400_bytes(kind):
    """Its name, shape, operation and children included, also once it has been walked; 60 more when it has a key."""
    chain(kind, 10)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    graph = chain(kind, 10_000)
    find(graph, "x")
    walked = tracemalloc.get_traced_memory()[0] - before
    _ = graph.key
    keyed = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert walked < 400 * 10_000 and keyed < 460 * 10_000


def test_finding_among_ten_thousand_nodes_is_immediate():
    """By name, operation, predicate and path, well under a second."""
    graph = chain("einsum", 10_000)
    for which in ("blocks.77.*", at(op="einsum"), at(lambda node: node.name == "W"), at("blocks.9000.*") >> "x"):
        assert seconds(lambda which=which: find(graph, which)) < 0.5
    assert len(paths(graph, "x")) == 1


def test_edits_of_ten_thousand_nodes_are_immediate():
    """Updating along a path, replacing and keying are done in a second or two."""
    graph = chain("add", 10_000)
    (middle,) = find(graph, "blocks.5000.resid")
    assert seconds(lambda: replace(graph, {middle: X})) < 1
    assert seconds(lambda: update(graph, at("blocks.3.resid").child(1), lambda node: node.named("other"))) < 2
    assert seconds(lambda: chain("add", 10_000).key) < 3


def test_a_sweep_over_heads_is_built_and_evaluated_in_one_go():
    """A variant of a model of 6 layers for each of its 48 heads: a second to build, a second or two to evaluate."""
    graph = split(transformer(layers=6, heads=8, d_model=16), "blocks.*.attn_out", "head")
    zero = array(torch.zeros(6, 2, dtype=torch.float64))
    zs = find(graph, "*.attn.head.*.z")

    def build():
        return [replace(graph, {z: zero}) for z in zs]

    assert len(zs) == 48 and seconds(build) < 2
    logits = [index(variant, (-1, 3)) for variant in build()]
    assert seconds(lambda: evaluate(logits, tokens(2))) < 5


def test_a_key_is_hashed_in_one_pass():
    """Hashing a large tensor takes a fraction of a second: it is content that is hashed, once (trap 10)."""
    node = array(torch.zeros(4_000_000))
    assert seconds(lambda: node.key) < 1
