"""Path expansion: a node as the sum over the paths that lead to it."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.errors import RewriteError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.expand import expand_paths
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder
from remix_utils.graph.select import find, paths
from tests.graph.random_graphs import bindings, graphs, plain
from tests.graph.skip_chains import WIDTH, linear, seconds, skip_chain


@settings(max_examples=60)
@given(graphs(steps=6), st.data())
def test_the_sum_over_paths_is_the_node(graph, data):
    """Whatever is frozen, and whether terms are paths of a residual stream or of a product, the value stays."""
    frozen = data.draw(st.sampled_from(["a", "b", "resid", lambda node: node.op.kind == "apply"]))
    try:
        expanded = expand_paths(graph, lambda node: node is graph, frozen=frozen, most=200)
    except RewriteError:
        return
    inputs = bindings(graph)
    assert expanded.op.kind == "add" and len(expanded.children) > 1
    torch.testing.assert_close(evaluate(expanded, inputs), plain(graph, inputs))


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_a_linear_chain_has_a_term_for_each_path(layers):
    """x + Wx over and over expands into 2 ** layers terms, one for each path, each named after its path."""
    graph = skip_chain(layers, step=linear)
    terms = expand_paths(graph, f"{layers - 1}.resid").children
    assert len(terms) == len(paths(graph, "x")) == 2**layers
    assert len({term.name for term in terms}) == 2**layers
    inputs = {"x": torch.randn(4, WIDTH, dtype=torch.float64)}
    eigenvalue = 1.5**layers  # W is half of the identity
    torch.testing.assert_close(evaluate(add(*terms), inputs), inputs["x"] * eigenvalue)


def test_weights_of_sums_multiply_along_a_path():
    """A path's weight is the product of the weights of the sums that it passes."""
    x, y = placeholder("x", (1,)), placeholder("y", (1,))
    graph = add(add(x, y, weights=[2, 3]), y, weights=[5, 7], name="top")
    assert expand_paths(graph, "top").op.weights == (10.0, 15.0, 7.0)


def test_frozen_patterns_make_attention_linear():
    """With its pattern frozen an attention output is linear in its values: one term a source, through OV only."""
    x = add(placeholder("embed", (4, 2)), placeholder("pos_embed", (4, 2)), name="resid")
    scores = einsum("q d, k d -> q k", x, x, name="attn.scores")
    pattern = apply("softmax", scores, name="attn.pattern")
    out = einsum("q k, k d -> q d", pattern, x, name="attn_out")
    terms = expand_paths(add(x, out, name="post"), "post").children
    assert [term.name for term in terms] == ["embed", "pos_embed", "attn_out < embed", "attn_out < pos_embed"]


def test_without_freezing_what_multiplies_itself_stays_whole():
    """A product of two varying factors is no path: it is one term."""
    x = add(placeholder("a", (2,)), placeholder("b", (2,)))
    product = einsum("i, i -> i", x, x, name="square")
    assert [t.name for t in expand_paths(add(x, product, name="top"), "top").children] == ["a", "b", "square"]


def test_indices_are_passed():
    """An index is linear: its terms are indexed, and named after the path below it."""
    x, w = add(placeholder("a", (3,)), placeholder("b", (3,)), name="sum"), array([2.0], "w")
    second = index(x, slice(1, 2), name="second")
    terms = expand_paths(second, "second").children
    assert [(term.op.kind, term.name) for term in terms] == [("index", "a"), ("index", "b")]
    above = expand_paths(einsum("i, i -> i", second, w, name="doubled"), "doubled").children
    assert [term.name for term in above] == ["doubled < a", "doubled < b"]


@pytest.mark.parametrize("shape", [(3,), (1, 3), (4, 1), (1, 1), ()])
def test_paths_pass_sums_that_broadcast(shape):
    """A bias is a path of its own, as often as the sum broadcasts it, also below a product."""
    x, bias = placeholder("x", (4, 3)), placeholder("bias", shape)
    total = add(x, bias, weights=[1, -2], name="sum")
    product = einsum("s i, i o -> s o", total, array(torch.randn(3, 2), "w"), name="out")
    graph = add(product, placeholder("last", (2,)), name="top")
    terms = expand_paths(graph, "top")
    assert [term.name for term in terms.children] == ["out < x", "out < bias.broadcast", "last.broadcast"]
    inputs = {"x": torch.randn(5, 4, 3), "bias": torch.randn(5, *shape), "last": torch.randn(5, 2)}
    torch.testing.assert_close(*evaluate([terms, graph], inputs))


def test_a_stream_of_sums_that_broadcast_has_a_term_for_each_path():
    """With a bias after every layer, n linear layers have 2 ** (n + 1) − 1 paths: each bias goes on as x does."""
    matrix = array(torch.eye(3) / 2, "w")
    stream = placeholder("x", (4, 3))
    for layer in range(4):
        out = einsum("s i, i o -> s o", stream, matrix, name=f"{layer}.out")
        stream = add(stream, out, array(torch.full((3,), float(layer)), f"{layer}.b"), name=f"{layer}.resid")
    terms = expand_paths(stream, "3.resid")
    assert len({term.name for term in terms.children}) == len(terms.children) == 2**5 - 1
    inputs = {"x": torch.randn(2, 4, 3)}
    torch.testing.assert_close(*evaluate([terms, stream], inputs))


def test_paths_are_counted_before_any_is_built():
    """2 ** 60 paths are refused at once, with their number."""
    graph = skip_chain(60, step=linear)

    def refused():
        with pytest.raises(RewriteError, match=f"{2**60:,} paths"):
            expand_paths(graph, "59.resid")

    assert seconds(refused) < 1


def test_what_lies_below_a_frozen_node_costs_nothing():
    """Two paths above a frozen pattern are two terms, however many lead to the pattern itself (trap 1)."""
    deep = skip_chain(60, step=linear)
    pattern = apply("softmax", deep, name="attn.pattern")
    (x,) = find(deep, "x")
    graph = add(x, einsum("i, i -> i", pattern, x, name="out"), name="top")
    assert [term.name for term in expand_paths(graph, "top").children] == ["x", "out < x"]
    assert seconds(lambda: expand_paths(graph, "top")) < 1


def test_nothing_to_expand_is_an_error():
    """A node that one path leads to, and a node that is fixed, are refused with a way out."""
    for graph in (apply("relu", placeholder("x", (2,)), name="top"), add(array([1.0]), array([2.0]), name="top")):
        with pytest.raises(RewriteError, match="one path leads to"):
            expand_paths(graph, "top")
