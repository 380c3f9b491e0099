"""Whether two graphs compute the same, and where they part."""

import pytest
import torch
from hypothesis import given, settings

from remix_utils.errors import SampleError, ShapeError
from remix_utils.graph.equality import random_inputs, same_value
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import update
from remix_utils.graph.walk import rebuild
from tests.graph.random_graphs import graphs

X = placeholder("x", (3,))


@settings(max_examples=25)
@given(graphs(samples=True))
def test_a_graph_is_the_same_as_itself_and_as_a_copy(graph):
    """Other objects under other names compute the same; with a number added they do not."""
    (copy,) = rebuild([graph], lambda node, original: node.named("other"))
    assert same_value(graph, copy, tolerance=0)
    assert not same_value(graph, add(graph, array(torch.ones((), dtype=torch.float64))))


def test_it_is_true_or_false_and_says_where():
    """A difference is reported with its size and the first node where the graphs part, below which all is equal."""
    hidden = apply("relu", add(X, array(torch.ones(3)), name="pre"), name="hidden")
    graph = einsum("i ->", hidden, name="out")
    other = update(graph, "hidden", lambda node: apply("abs", node.children[0], name="hidden"))
    found = same_value(graph, other)
    assert not found and found.same is False and found.where == "hidden" and found.difference > 0
    assert "first at 'hidden'" in repr(found)
    assert same_value(graph, graph) and repr(same_value(graph, graph)).startswith("same value")


def test_a_name_that_several_nodes_have_is_no_place():
    """A name that does not tell nodes apart is passed over; at the latest the graphs part at the root (trap 5)."""
    left = add(array(torch.ones(3)), array(torch.zeros(3)), X, name="sum")
    right = add(array(torch.zeros(3)), array(torch.full((3,), 3.0)), X, name="sum")
    assert same_value(left, right).where == "sum"


def test_differences_are_relative_to_the_largest_value():
    """One part in a million counts or not by the tolerance, whatever the size; below 1 differences are absolute."""
    big = array(torch.tensor([1e6, 0.0]))
    assert same_value(big, add(big, array(torch.tensor([1.0, 1.0]))), tolerance=2e-6)
    assert not same_value(big, add(big, array(torch.tensor([1.0, 1.0]))), tolerance=5e-7)
    small = array(torch.tensor([1e-6]))
    assert same_value(small, array(torch.tensor([2e-6])))


def test_infinities_are_equal_to_themselves_only():
    """Equal infinities do not differ, and an infinity differs from a number."""
    infinite, finite = array(torch.tensor([torch.inf, 1.0])), array(torch.tensor([0.0, 1.0]))
    assert same_value(infinite, add(infinite, weights=[1])) and not same_value(infinite, finite)
    assert not same_value(finite, infinite)


def test_given_inputs_are_used():
    """Graphs that are equal only on some inputs are equal on these."""
    inputs = {"x": torch.rand(4, 3)}
    assert same_value(apply("relu", X), apply("abs", X), inputs) and not same_value(apply("relu", X), apply("abs", X))


def test_a_seed_gives_the_same_inputs():
    """Random inputs depend on the seed alone."""
    first, again, other = (random_inputs([X], seed)["x"] for seed in (0, 0, 1))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_tokens_fit_the_table_they_are_looked_up_in():
    """Random tokens stay below the size of the smallest table that they reach, also after indices and joins."""
    tokens, few = placeholder("tokens", (4,), torch.long), placeholder("few", (2,), torch.long)
    joined = concat([index(tokens, slice(0, 3)), few], axis=0)
    node = apply("embed", sample(joined, torch.tensor([0, 5])), array(torch.randn(5, 2)))
    inputs = random_inputs([node, apply("pick", array(torch.randn(2, 7)), few)])
    assert {name: tensor.max().item() < 5 for name, tensor in inputs.items()} == {"tokens": True, "few": True}
    assert all(len(tensor) >= 6 for tensor in inputs.values())  # row 5 is drawn
    assert same_value(node, node)
    assert evaluate(node, inputs).shape == (2, 5, 2)


def test_a_mask_is_true_or_false():
    """Random masks hold both."""
    mask = random_inputs([placeholder("mask", (40,), torch.bool)])["mask"]
    assert mask.dtype == torch.bool and set(mask.unique().tolist()) == {True, False}


def test_graphs_of_different_shapes_or_draws_are_not_compared():
    """Both are refused with the two nodes, rather than broadcast."""
    with pytest.raises(ShapeError, match="differ in shape"):
        same_value(X, placeholder("y", (4,)))
    with pytest.raises(SampleError, match="4 drawn rows"):
        same_value(X, sample(X, torch.tensor([0, 1, 1, 0])))


def test_everything_is_compared_even_the_empty():
    """Graphs of no numbers are the same."""
    assert same_value(index(X, slice(0, 0)), index(X, slice(3, None)))
