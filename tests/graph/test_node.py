"""Nodes: frozen, checked when they are made, and keyed by what they compute."""

import copy
import io
import os
import pickle
import sys
from contextlib import redirect_stdout
from pathlib import Path
from subprocess import run

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.errors import NodeError, SampleError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.linear import Add
from remix_utils.graph.node import Node, Op
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import replace
from remix_utils.graph.select import find
from remix_utils.graph.walk import children_first, rebuild
from tests.graph.random_graphs import bindings, graphs

X = placeholder("x", (4, 3))


def test_a_node_is_its_operation_children_and_name():
    """Node(op, children, name) is all there is; shape, dtype and key follow from it."""
    y = array(torch.ones(3), "y")
    node = Node(Add((1.0, 2.0)), [X, y], "sum")
    assert (node.op.weights, node.children, node.name) == ((1.0, 2.0), (X, y), "sum")
    assert (node.shape, node.dtype, node.size, node.op.kind) == ((4, 3), torch.float32, 12, "add")
    assert node.key == add(X, y, weights=[1, 2]).key and len(node.key) == 16
    assert repr(node) == "Add 'sum' [4, 3]" and Node(Add((1.0,)), [X]).name == "add"


def test_a_node_cannot_be_changed():
    """Setting or deleting a field is refused, and there is no room for a new one."""
    for change in (
        lambda: setattr(X, "name", "y"),
        lambda: setattr(X, "new", 1),
        lambda: delattr(X, "children"),
        lambda: setattr(X.op, "shape", (1,)),
    ):
        with pytest.raises((NodeError, AttributeError, TypeError)):
            change()
    assert X.name == "x" and not hasattr(X, "__dict__")


def test_children_must_be_nodes():
    """A tensor among the children is refused with a way out."""
    with pytest.raises(NodeError, match="array"):
        Node(Add((1.0,)), [torch.ones(3)])


@settings(max_examples=50)
@given(graphs(), st.data())
def test_names_never_enter_the_key(graph, data):
    """Whatever nodes are called, equal computations have equal keys, and stay nodes of their own (trap 5)."""
    names = data.draw(st.lists(st.text(max_size=3), min_size=1, max_size=3))
    numbers = iter(range(10**6))
    (renamed,) = rebuild([graph], lambda node, original: node.named(names[next(numbers) % len(names)]))
    assert renamed.key == graph.key and renamed is not graph
    if graph.name != renamed.name:
        assert find(renamed, lambda node: node is renamed) == [renamed]


@settings(max_examples=50)
@given(graphs(), graphs())
def test_equal_keys_mean_equal_values(first, second):
    """Among all nodes of two random graphs, those with the same key have the same value, and a node whose child was
    replaced by another value has another key."""
    inputs = bindings(first)
    of = {}
    for node in children_first(first):
        value = evaluate(node, inputs)
        torch.testing.assert_close(of.setdefault(node.key, value), value, rtol=0, atol=0)
    leaf = children_first(second)[0]
    if leaf.dtype == torch.float64:
        assert replace(second, {leaf: array(torch.full(leaf.shape, 77.0, dtype=torch.float64))}).key != second.key


DIFFERENT = {
    "order of children": lambda: (add(X, add(X, X)), add(add(X, X), X)),
    "weights": lambda: (add(X, weights=[1]), add(X, weights=[2])),
    "a negative zero": lambda: (array(0.0), array(-0.0)),
    "values": lambda: (array([1.0, 2.0]), array([2.0, 1.0])),
    "shapes of the same bytes": lambda: (array([[1.0, 2.0]]), array([[1.0], [2.0]])),
    "dtypes of the same bytes": lambda: (array(torch.zeros(2)), array(torch.zeros(2, dtype=torch.int32))),
    "dtypes of inputs": lambda: (placeholder("x", (3,)), placeholder("x", (3,), torch.float64)),
    "inputs": lambda: (placeholder("x", (3,)), placeholder("y", (3,))),
    "patterns": lambda: (einsum("i j, i j -> i", X, X), einsum("i j, i j -> j", X, X)),
    "entries": lambda: (index(X, 1), index(X, 2)),
    "axes": lambda: (concat([X, X], 0), concat([X, X], 1)),
    "functions": lambda: (apply("relu", X), apply("abs", X)),
    "rows": lambda: (sample(X, torch.tensor([0, 1])), sample(X, torch.tensor([1, 0]))),
}


@pytest.mark.parametrize("what", DIFFERENT)
def test_what_can_change_the_value_is_in_the_key(what):
    """Every constant, shape and dtype tells nodes apart (trap 10)."""
    one, other = DIFFERENT[what]()
    assert one.key != other.key


def test_what_cannot_change_the_value_is_not():
    """The words of a pattern and the way an index is written are no content."""
    assert (
        einsum("i j, j k -> i k", X, array(torch.ones(3, 2))).key
        == einsum("seq d, d e -> seq e", X, array(torch.ones(3, 2))).key
    )
    assert index(X, -1).key == index(X, 3).key == index(X, (3, slice(None))).key
    assert index(X, slice(0, 3)).key == index(X, slice(None, -1)).key


PROGRAM = """
import torch
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
x, w = placeholder("x", (4, 3)), array(torch.arange(6.0).reshape(3, 2) / 7, "w")
product = einsum("seq d, d e -> seq e", x, w)
drawn = sample(concat([index(product, (slice(None, None, 2), torch.tensor([1, 0]))), product], 0), torch.tensor([3, 1]))
print(apply("softmax", add(drawn, drawn, weights=[0.1, 3])).key.hex())
"""


def test_equal_construction_gives_equal_keys_in_another_process():
    """A key depends on content alone: not on addresses, hash seeds or the order of imports."""
    command, env = [sys.executable, "-c", PROGRAM], {**os.environ, "PYTHONHASHSEED": "1"}
    there = run(command, capture_output=True, text=True, check=True, env=env, cwd=Path(__file__).parents[2]).stdout
    here = io.StringIO()
    with redirect_stdout(here):
        exec(PROGRAM, {})
    assert there == here.getvalue() and len(there.strip()) == 32


@settings(max_examples=25)
@given(graphs(samples=True))
def test_a_copy_is_the_same_computation(graph):
    """Pickled or deep-copied, a graph is another object with the same key, names and shapes."""
    for other in (pickle.loads(pickle.dumps(graph)), copy.deepcopy(graph)):
        assert other is not graph and other.key == graph.key
        pairs = list(zip(children_first(other), children_first(graph), strict=True))
        assert all((a.name, a.shape, a.dtype, a.space) == (b.name, b.shape, b.dtype, b.space) for a, b in pairs)


@settings(max_examples=25)
@given(graphs(samples=True))
def test_rebuilding_on_like_children_is_building_anew(graph):
    """A node put on children of the same shapes knows of itself what it would know if it were made from nothing."""
    (twin,) = rebuild([graph], lambda node, original: Node(node.op, node.children, node.name))
    for node, new in zip(children_first(graph), children_first(twin), strict=True):
        alike = node.with_children(new.children)
        assert (alike.shape, alike.dtype, alike.space, alike.key) == (new.shape, new.dtype, new.space, new.key)
    assert graph.with_children(graph.children) is graph


def test_drawn_and_undrawn_rows_are_not_mixed():
    """A node that would read both is refused, with how to say what is meant; so is drawing twice (trap 8)."""
    rows = torch.tensor([0, 1, 1])
    with pytest.raises(SampleError, match=r"'x' has 3 drawn rows, 'x' has the inputs' own rows"):
        add(sample(X, rows), X)
    with pytest.raises(SampleError, match=r"has 3 drawn rows, .* has 2 drawn rows"):
        add(sample(X, rows), sample(X, rows[:2]))
    with pytest.raises(SampleError, match="is resampled already"):
        sample(apply("relu", sample(X, rows)), rows)
    assert add(sample(X, rows), array(torch.ones(3))).space == 3  # what is fixed goes with anything


def test_nested_draws_are_composed_when_they_are_made():
    """Rows of rows are rows: sample(x, r[s]) is what a sample of a sample would be (trap 8)."""
    rows, more, x = torch.tensor([2, 0, 1]), torch.tensor([1, 1]), torch.randn(3, 4, 3)
    torch.testing.assert_close(evaluate(sample(X, rows[more]), {"x": x}), x[rows][more])


def test_an_operation_must_say_what_it_does():
    """The base class refuses to guess."""
    for ask in (lambda: Node(Op(), ()), lambda: Op().run([], [])):
        with pytest.raises(TypeError, match="Op does not say"):
            ask()
    assert Op().push(X, ()) is None
