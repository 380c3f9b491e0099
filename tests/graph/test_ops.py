"""Each constructor gives what plain torch gives, and knows its shape beforehand."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.linear import align
from remix_utils.graph.ops import add, apply, array, bound, concat, einsum, index, placeholder, sample
from remix_utils.graph.walk import children_first
from tests.graph.random_graphs import bindings, graphs, plain, varies

X = placeholder("x", (4, 3))
x = torch.randn(5, 4, 3, generator=torch.Generator().manual_seed(0))


@settings(max_examples=60)
@given(graphs(samples=True))
def test_shapes_and_dtypes_are_known_beforehand(graph):
    """What a node says of itself when it is built is what its value has, after the rows."""
    inputs = bindings(graph)
    for node in children_first(graph):
        value = evaluate(node, inputs)
        assert value.dtype == node.dtype
        assert tuple(value.shape[varies(node, inputs) :]) == node.shape


def test_a_placeholder_is_found_by_its_own_name():
    """Shapes are per example, a number is one axis, dtypes are torch's; renaming a node does not rename its input."""
    node = placeholder("tokens", 7, torch.long)
    assert (node.shape, node.dtype, node.op.kind, node.op.input) == ((7,), torch.long, "placeholder", "tokens")
    renamed = X.named("other")
    torch.testing.assert_close(evaluate(renamed, {"x": x}), x)


def test_an_array_holds_numbers_of_any_kind():
    """Tensors, numbers and lists; the value given back is a copy."""
    assert [array(value).shape for value in (1.0, [1, 2], torch.ones(2, 3))] == [(), (2,), (2, 3)]
    assert array(3).dtype == torch.int64 and array(torch.ones(2, dtype=torch.bool)).dtype == torch.bool
    node = array([1.0, 2.0])
    node.op.value.fill_(9)
    assert evaluate(node).tolist() == [1.0, 2.0]


@pytest.mark.parametrize(
    "pattern, shapes",
    [
        ("s d, d e -> s e", [(4, 3), (3, 2)]),
        ("sd,de->se", [(4, 3), (3, 2)]),
        ("i j -> j i", [(4, 3)]),
        ("i j -> ", [(4, 3)]),
        ("i i -> i", [(3, 3)]),
        ("i i -> ", [(3, 3)]),
        ("i j, j k, k l -> i l", [(2, 3), (3, 4), (4, 2)]),
        ("i, j -> j i", [(2,), (3,)]),
        ("i, i -> ", [(3,), (3,)]),
        (", i -> i", [(), (3,)]),
    ],
)
def test_an_einsum_is_torchs(pattern, shapes):
    """Sums, products, outer products, diagonals and transposes, in words or letters, with rows and without."""
    letters = pattern.replace(" ", "")
    tensors = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    node = einsum(pattern, *map(array, tensors))
    torch.testing.assert_close(evaluate(node), torch.einsum(letters, *tensors))
    rows = torch.randn(5, *shapes[0], dtype=torch.float64)
    left, right = letters.split("->")
    node = einsum(pattern, placeholder("rows", shapes[0], torch.float64), *map(array, tensors[1:]))
    torch.testing.assert_close(evaluate(node, {"rows": rows}), torch.einsum(f"Z{left}->Z{right}", rows, *tensors[1:]))


def test_weights_need_no_special_case():
    """An einsum with weights stored [head, d_head, d_model] is the linear layer with the same weights (trap 14)."""
    w = torch.randn(2, 3, 3)
    q = einsum("seq model, head d model -> seq head d", X, array(w))
    linear = torch.nn.functional.linear(x, w.reshape(6, 3))
    torch.testing.assert_close(evaluate(q, {"x": x}), linear.unflatten(-1, (2, 3)))


@settings(max_examples=60)
@given(st.lists(st.lists(st.sampled_from([1, 3]), max_size=3), min_size=1, max_size=4), st.data())
def test_a_sum_broadcasts_examples_not_rows(shapes, data):
    """Any shapes that broadcast, any weights, with rows or without: the sum of the examples, row by row (trap 7)."""
    numbers = st.lists(st.sampled_from([1.0, -1.0, 0.5, 0.0]), min_size=len(shapes), max_size=len(shapes))
    weights = data.draw(st.none() | numbers)
    nodes = [placeholder(f"x{i}", shape, torch.float64) for i, shape in enumerate(shapes)]
    inputs = {
        node.op.input: torch.randn((3, *node.shape) if data.draw(st.booleans()) else node.shape, dtype=torch.float64)
        for node in nodes
    }
    node = add(*nodes, weights=weights)
    torch.testing.assert_close(evaluate(node, inputs), plain(node, inputs))


def test_one_residual_stream_is_one_sum():
    """Any number of terms in one node, each read once; integers add with whole weights."""
    terms = [array(torch.randn(4, 3)) for _ in range(50)]
    torch.testing.assert_close(evaluate(add(*terms)), torch.stack([term.op.value for term in terms]).sum(0))
    assert evaluate(add(array([1, 2]), array([3, 4]), weights=[2, -1])).tolist() == [-1, 0]


def test_rows_are_aligned_before_other_axes():
    """A value [rows, d] that meets one of rank 3 is padded to [rows, 1, 1, d] (trap 7)."""
    value = torch.randn(5, 3)
    assert align(value, 3).shape == (5, 1, 1, 3) and align(value, 1) is value


def test_accumulating_never_writes_to_a_child():
    """The first term of a sum, and values that others read too, are as they were (trap 12)."""
    a, b = apply("exp", X, name="a"), apply("tanh", X, name="b")
    for weights in (None, [1, 1, 1], [2, 3, -1]):
        total, first, second = evaluate([add(a, b, a, weights=weights), a, b], {"x": x})
        torch.testing.assert_close((first, second), (x.exp(), x.tanh()))
        w = weights or [1, 1, 1]
        torch.testing.assert_close(total, w[0] * x.exp() + w[1] * x.tanh() + w[2] * x.exp())


def test_a_concat_is_torchs():
    """Along any axis, counted from either end, with rows or without."""
    fixed = torch.randn(2, 3)
    node = concat([X, array(fixed), X], axis=-2, name="joined")
    torch.testing.assert_close(evaluate(node, {"x": x}), torch.cat([x, fixed.expand(5, 2, 3), x], 1))
    assert node.shape == (10, 3) and node.op.axis == 0
    torch.testing.assert_close(evaluate(concat([array(fixed)] * 2, 1)), torch.cat([fixed] * 2, 1))


def test_a_sample_is_its_child_on_other_rows():
    """Rows may repeat, and be left out; what no row changes is its own sample."""
    rows = torch.tensor([4, 0, 0])
    torch.testing.assert_close(evaluate(sample(X, rows), {"x": x}), x[rows])
    fixed = array([1.0], "w")
    assert sample(fixed, rows) is fixed and sample(fixed, rows, name="other").name == "other"
    torch.testing.assert_close(evaluate(sample(X, rows), {"x": x[0]}), x[0])  # an input without rows is the same on all


def test_names_are_given_or_taken_over():
    """Without a name a node is called after its operation; an index and a sample after what they stand on."""
    assert [node.name for node in (add(X), einsum("i j -> j i", X), apply("relu", X), array(1.0), concat([X], 0))] == [
        "add",
        "einsum",
        "relu",
        "array",
        "concat",
    ]
    assert index(X, 0).name == sample(X, torch.tensor([0])).name == "x"
    assert index(X, 0, name="first").name == "first"


def test_bound_rows_become_part_of_the_graph():
    """Rows that an experiment brings along; a single row is the same for all."""
    one, many = bound(X, x[:1], "one"), bound(X, x, "many")
    assert (one.op.kind, many.op.kind) == ("array", "placeholder")
    torch.testing.assert_close(evaluate(add(one, many)), x[0] + x)
    other = bound(X, x + 1, "many")
    assert other.key != many.key and many.key == bound(X, x.clone(), "many").key
