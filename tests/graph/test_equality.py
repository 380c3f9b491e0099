"""Whether two graphs compute the same, and where they part."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from remix_utils.errors import SampleError, ShapeError
from remix_utils.graph.equality import random_inputs, same_value
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import replace, update
from remix_utils.graph.rules import distribute
from remix_utils.graph.select import find_one
from remix_utils.graph.walk import children_first, rebuild
from tests.graph.random_graphs import graphs
from tests.graph.skip_chains import WIDTH, grows_linearly, skip_chain

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


def led_to(graph, where):
    """The node that a comparison names, from a name of its own down through the children."""
    name, *slots = where.split(", child ")
    (node,) = [each for each in children_first(graph) if each.name == name] if name != graph.name else [graph]
    for slot in slots:
        node = node.children[int(slot)]
    return node


@settings(max_examples=150)
@given(graphs(), st.data())
def test_the_part_that_differs_is_named(graph, data):
    """Whatever fixed tensor of a graph is changed, and however often its name occurs, the comparison names it."""
    arrays = [node for node in children_first(graph) if node.op.kind == "array" and node.dtype.is_floating_point]
    chosen = data.draw(st.sampled_from(arrays or [None]))
    assume(chosen is not None)
    name = data.draw(st.sampled_from([chosen.name, "another"]))
    found = same_value(graph, replace(graph, {chosen: array(chosen.op.value + 1, name)}))
    assert found or led_to(graph, found.where) is chosen


CHANGES = {
    "weights": lambda node: add(*node.children, weights=[2.0] * len(node.children), name=node.name),
    "a term more": lambda node: add(*node.children, array(torch.ones(3), "more"), name=node.name),
    "a term less": lambda node: add(*node.children[1:], name=node.name),
    "another operation": lambda node: apply("tanh", node, name=node.name),
    "terms under other names": lambda node: add(*[c.named("new") for c in node.children], node, name=node.name),
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("repeated", [False, True])
def test_a_part_that_is_built_otherwise_is_named(change, repeated):
    """Where terms come and go or weights change, that sum is the part, and not the root, also if names repeat."""
    names = ["part"] * 4 if repeated else ["one", "two", "part", "four"]
    one, two = apply("tanh", X, name=names[0]), apply("abs", X, name=names[1])
    part = add(one, two, name=names[2])
    graph = einsum("i ->", apply("square", apply("gelu", part, name=names[3]), name="square"), name="top")
    found = same_value(graph, replace(graph, {part: CHANGES[change](part)}))
    assert not found and led_to(graph, found.where) is part
    assert found.where == ("square, child 0, child 0" if repeated else "part")


@pytest.mark.parametrize("swap", ["add", "einsum"])
def test_children_in_another_order_are_no_difference(swap):
    """Of a sum or a product whose children stand in another order, only the child that changed is named."""
    x, y, w = placeholder("x", (3,)), array(torch.ones(3), "y"), array(torch.full((3,), 2.0), "w")
    new = array(torch.zeros(3), "new")

    def product(*nodes, name):
        return einsum(f"{', '.join('i' for _ in nodes)} -> i", *nodes, name=name)

    build = {"add": add, "einsum": product}[swap]
    assert same_value(build(x, y, w, name="top"), build(w, x, y, name="top"))
    assert same_value(build(x, y, w, name="top"), build(new, x, y, name="top")).where == "w"
    assert same_value(build(x, y, w, name="top"), build(y.named("w"), x, new.named("y"), name="top")).where == "w"
    again = add(y, weights=[1], name="y")  # the same value, computed otherwise: paired by its name
    assert same_value(build(y, w, name="top"), build(new.named("w"), again, name="top")).where == "w"


def test_a_rewritten_graph_is_compared_by_names():
    """Where the graphs are not built alike, the names that both have lead on to the part that differs."""
    w, bad = array(torch.randn(3, 2), "w"), array(torch.randn(3, 2), "w")
    first, second = apply("tanh", X, name="first"), apply("abs", X, name="second")
    product = einsum("i, i o -> o", add(first, second, name="sum"), w, name="out")
    top = einsum("o ->", product, name="top")
    apart = distribute(top, "out")
    assert same_value(top, apart)
    assert same_value(top, replace(apart, {w: bad})).where == "w"
    assert same_value(top, update(apart, "second", lambda node: apply("square", X, name="second"))).where == "second"
    assert same_value(top, update(apart, "out", lambda node: node.children[0].named("out"))).where == "sum"


def test_names_that_mean_something_else_do_not_mislead():
    """A node of the same name that differs, and that the rest makes up for, is not named."""
    y = array(torch.ones(3), "y")
    left = add(apply("tanh", X, name="a"), apply("abs", X, name="b"), y, name="top")
    right = add(apply("abs", X, name="a"), apply("tanh", X, name="b"), y.named("z"), name="top")
    assert same_value(left, right)
    changed = replace(right, {right.children[2]: array(torch.zeros(3), "z")})
    assert same_value(left, changed).where == "y"
    assert same_value(apply("square", left, name="f"), apply("tanh", right, name="f")).where == "f"


def test_parts_of_other_shapes_or_rows_are_passed_over():
    """Where nodes in the same place or of the same name cannot be compared, their reader is named."""
    w = torch.randn(2, 3)
    wide, tall = array(w, "w"), array(w.T.contiguous() + 1, "w")
    left, right = einsum("i j -> j", wide, name="top"), einsum("j i -> j", tall, name="top")
    assert same_value(left, right).where == "top"
    rows = torch.tensor([0, 2, 2, 1])
    early = einsum("i -> i", apply("tanh", sample(X, rows), name="hidden"), name="top")
    late = add(sample(apply("tanh", X, name="hidden"), rows, name="drawn"), weights=[2], name="top")
    assert same_value(early, late).where == "top"


def test_comparing_deep_graphs_is_linear():
    """Chains of skips, in which every layer differs, are compared pair by pair and not path by path (trap 1)."""

    def work(layers):
        graph = skip_chain(layers)
        other = replace(graph, {find_one(graph, "x"): placeholder("y", (WIDTH,), torch.float64)})
        return lambda: same_value(graph, other)

    assert grows_linearly(work)


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
