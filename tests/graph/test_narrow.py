"""Only what is asked for is computed, and each part of it once."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.graph import indexing
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.narrow import distinct, narrow, sink
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder
from remix_utils.graph.select import find
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first, rebuild
from tests.graph.random_graphs import bindings, graphs, plain
from tests.graph.skip_chains import grows_linearly, skip_chain
from tests.graph.test_indexing import indices
from tests.graph.transformer import tokens, transformer

X = placeholder("x", (5, 3), torch.float64)


def elementwise(x, name):
    return apply("tanh", x, name=f"{name}.post")


@settings(max_examples=50)
@given(graphs(), st.data())
def test_an_index_means_the_same_however_deep_it_goes(graph, data):
    """A graph indexed at its root has the values of the whole graph, indexed by plain torch."""
    nodes = [index(graph, data.draw(indices(graph.shape))) for _ in range(2)]
    inputs = bindings(graph)
    torch.testing.assert_close(evaluate(nodes, inputs), [plain(node, inputs) for node in nodes])
    torch.testing.assert_close(evaluate([*nodes, graph], inputs), [plain(node, inputs) for node in [*nodes, graph]])


@settings(max_examples=30)
@given(graphs(), st.data())
def test_sinking_an_index_keeps_the_value(graph, data):
    """An index that sinks among nodes of any names gives what it gives above them."""
    node = index(graph, data.draw(indices(graph.shape)))
    stop = data.draw(st.sampled_from(["", "a", "b", "attn"]))
    sunk = sink(graph, node.op.entries, lambda node: None if stop and node.name.startswith(stop) else f"{node.name}'")
    inputs = bindings(graph)
    torch.testing.assert_close(evaluate(sunk, inputs), plain(node, inputs))


@settings(max_examples=25)
@given(graphs())
def test_equal_computations_become_one_node(graph):
    """No two nodes of what is evaluated have the same key, and there are as many as there were keys (trap 5)."""
    (twin,) = rebuild([graph], lambda node, original: node.named("other"))
    first, second = distinct([graph, twin])
    assert first is second and first.key == graph.key
    keys = [node.key for node in children_first(first)]
    assert len(set(keys)) == len(keys) and set(keys) == {node.key for node in children_first(graph)}


def test_one_logit_costs_one_column():
    """An index passes through the unembedding and the last layer's positions: the metric in the graph makes the
    forward pass cheaper (trap 11)."""
    graph = transformer(vocab=1000)
    whole, part = (plan(node, tokens(4, vocab=1000)).flops for node in (graph, index(graph, (-1, 3))))
    assert part < whole / 4
    (unembedding,) = [node for node in children_first(*narrow([index(graph, (-1, 3))])) if node.name == "logits"]
    assert (unembedding.shape, [child.shape for child in unembedding.children]) == ((), [(8,), (8,)])


def test_a_reader_that_wants_all_makes_it_once():
    """A node that is read whole by anybody is computed whole and sliced, not computed again in part."""
    node = apply("tanh", X, name="node")
    part, all_of_it = narrow([index(node, 0), node])
    assert part.op.kind == "index" and part.children[0] is all_of_it


def test_parts_that_are_more_than_the_whole_are_taken_from_it():
    """Three overlapping slices are cut from one computation; two small ones are computed by themselves."""
    node = apply("tanh", X, name="node")
    many = narrow([index(node, slice(i, i + 3)) for i in range(3)])
    assert len({part.children[0] for part in many}) == 1 and {part.op.kind for part in many} == {"index"}
    few = narrow([index(node, 0), index(node, 4)])
    assert [part.op.kind for part in few] == ["apply", "apply"]


def test_what_needs_an_axis_whole_keeps_it():
    """Softmax is narrowed to one query, and not to one key (trap 9)."""
    pattern = apply("softmax", einsum("q d, k d -> q k", X, X), name="pattern")
    (query,), (key,) = narrow([index(pattern, 1)]), narrow([index(pattern, (slice(None), 1))])
    assert (query.op.kind, query.children[0].shape) == ("apply", (5,))
    assert (key.op.kind, key.children[0].shape) == ("index", (5, 5))


def test_a_stretched_axis_is_not_indexed():
    """Where a child of size 1 was broadcast an index takes its only entry (trap 9)."""
    wide = add(X, placeholder("row", (1, 3), torch.float64), array(torch.randn((), dtype=torch.float64)))
    inputs = bindings(wide)
    for entry in (3, slice(2, None), torch.tensor([4, 4, 0])):
        node = index(wide, (entry, 1))
        torch.testing.assert_close(evaluate(node, inputs), plain(node, inputs))


def test_one_entry_of_a_concat_is_one_of_its_parts():
    """The other parts are not computed at all."""
    parts = [apply("tanh", placeholder(f"x{i}", (2,), torch.float64), name=f"part {i}") for i in range(3)]
    (narrowed,) = narrow([index(concat(parts, 0), 3)])
    assert not find(narrowed, "part 0", missing="ok") and find(narrowed, "part 1")[0].shape == ()


def test_pushing_an_index_is_linear():
    """Down a chain of skips each pair of node and index is visited once, not once for each path (trap 1)."""

    def narrowing(layers):
        graph = skip_chain(layers, elementwise, start=X)
        return lambda: narrow([index(graph, (i % 5, i % 3)) for i in range(4)])

    def sinking(layers):
        graph = skip_chain(layers, elementwise, start=X)
        entries = indexing.read((1, 2), graph.shape, "x")
        return lambda: sink(graph, entries, lambda node: "x")

    assert grows_linearly(narrowing) and grows_linearly(sinking)
    graph = skip_chain(60, elementwise, start=X)
    sunk = sink(graph, indexing.read((1, 2), graph.shape, "x"), lambda node: "x")
    assert len(children_first(sunk)) == len(children_first(graph)) + 1 and len(find(sunk, at(op="index"))) == 1
