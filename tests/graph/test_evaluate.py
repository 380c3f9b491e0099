"""Evaluation gives what plain torch gives, however it goes about it."""

import itertools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.data import Dataset
from remix_utils.errors import InputError, NanError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Op
from remix_utils.graph.ops import add, apply, array, bound, concat, einsum, index, placeholder, sample
from remix_utils.graph.rewrite import replace
from remix_utils.graph.rules import lift
from remix_utils.graph.walk import children_first
from tests.graph.random_graphs import ROWS, STEPS, bindings, graphs, plain, varies

X = placeholder("x", (3,))


def kinds():
    """Of all operations that graphs are made of; an experiment may have one of its own, to end with."""
    return {each.kind for each in Op.__subclasses__() if each.__module__.startswith("remix_utils.graph.")}


def test_random_graphs_hold_every_operation():
    """An operation that is not in the random graphs is tested by none of what follows."""
    seen = set()

    @settings(max_examples=60)
    @given(graphs(samples=True))
    def look(graph):
        seen.update(node.op.kind for node in children_first(graph))

    look()
    assert seen == kinds() == {*STEPS, "array", "placeholder", "sample"}


@settings(max_examples=80)
@given(graphs(), st.integers(0, 2))
def test_a_value_is_that_of_plain_torch(graph, alone):
    """On any graph, with any inputs bound once for all rows, the rows are those of a recursion in plain torch."""
    inputs = bindings(graph, alone=alone)
    torch.testing.assert_close(evaluate(graph, inputs), plain(graph, inputs))


@settings(max_examples=60)
@given(graphs(samples=True), st.integers(1, 5))
def test_a_resampled_value_is_that_of_plain_torch(graph, batch_size):
    """Resampled rows are those of the population, in chunks of any size, lifted or not."""
    inputs = bindings(graph)
    expected = plain(graph, inputs)
    torch.testing.assert_close(evaluate(graph, inputs), expected)
    torch.testing.assert_close(evaluate(graph, inputs, batch_size=batch_size), expected)
    if any(node.op.kind == "sample" for node in children_first(graph)):
        torch.testing.assert_close(evaluate(lift(graph), inputs), expected)


@settings(max_examples=25)
@given(graphs())
def test_chunks_make_no_difference(graph):
    """The value is the same, to the bit of a rounding, for every chunk size from one row to more than all."""
    inputs = bindings(graph, rows=5)
    whole = evaluate(graph, inputs)
    for batch_size in range(1, 8):
        torch.testing.assert_close(evaluate(graph, inputs, batch_size=batch_size), whole, rtol=1e-12, atol=1e-12)


@settings(max_examples=25)
@given(graphs(samples=True))
def test_nodes_evaluated_together_have_the_values_they_have_alone(graph):
    """A node gives a tensor, a list a list, a dict a dict by label, all with the same values."""
    nodes, inputs = [*children_first(graph), graph], bindings(graph)
    alone = [evaluate(node, inputs) for node in nodes]
    together = evaluate(nodes, inputs)
    labelled = evaluate({f"label {i}": node for i, node in enumerate(nodes)}, inputs)
    assert isinstance(together, list) and list(labelled) == [f"label {i}" for i in range(len(nodes))]
    torch.testing.assert_close(together, alone)
    torch.testing.assert_close(list(labelled.values()), alone)


def test_nothing_evaluates_to_nothing():
    """An empty list gives an empty list, an empty dict an empty dict."""
    assert (evaluate([]), evaluate({})) == ([], {})


@settings(max_examples=40)
@given(graphs(), st.integers(1, 3))
def test_a_batch_as_long_as_a_sequence_changes_nothing(graph, rows):
    """Rows never broadcast against an example's own axes, though all of them have the same few sizes (trap 7)."""
    inputs = bindings(graph, rows=3)
    fewer = {name: tensor[:rows] for name, tensor in inputs.items()}
    expected = plain(graph, inputs)
    torch.testing.assert_close(evaluate(graph, fewer), expected[:rows] if varies(graph, inputs) else expected)


def test_ranks_are_aligned_after_the_rows():
    """[B, d] + [s, d] is [B, s, d] per example, where plain torch adds row b to position b if B = s (trap 7)."""
    rows, positions = torch.randn(4, 3), torch.randn(4, 3)
    value = evaluate(add(X, array(positions)), {"x": rows})
    assert value.shape == (4, 4, 3) and (rows + positions).shape == (4, 3)
    torch.testing.assert_close(value, rows[:, None] + positions)


def test_several_batch_axes_come_back_as_they_went_in():
    """Inputs [2, 5, ...] give [2, 5, ...]."""
    x = torch.randn(2, 5, 3)
    torch.testing.assert_close(evaluate(apply("relu", X), {"x": x}), x.relu())
    assert evaluate(apply("relu", X), {"x": x[0, 0]}).shape == (3,)


def test_what_depends_on_no_rows_has_none():
    """Products of weights come back unbatched, whatever they are evaluated with."""
    weight = array(torch.randn(3, 3))
    ov = einsum("i j, j k -> i k", weight, weight, name="OV")
    result = evaluate({"ov": ov, "out": einsum("i, i j -> j", X, ov)}, {"x": torch.randn(50, 3)}, batch_size=1)
    assert result["ov"].shape == (3, 3) and result["out"].shape == (50, 3)


def test_the_shape_of_a_result_does_not_depend_on_how_little_is_computed():
    """An index that keeps only what is fixed still has rows, as the node that it indexes has."""
    joined = concat([array(torch.tensor([7.0])), X], axis=0)
    x = torch.randn(5, 3)
    first, _ = evaluate([index(joined, 0), joined], {"x": x})
    assert torch.equal(evaluate(index(joined, 0), {"x": x}), torch.full((5,), 7.0)) and first.shape == (5,)
    drawn = index(concat([array(torch.tensor([7.0])), sample(X, torch.tensor([0, 1]))], axis=0), 0)
    assert torch.equal(evaluate(drawn, {"x": x}), torch.full((2,), 7.0))
    with pytest.raises(InputError, match="'x' is not bound"):
        evaluate(index(joined, 0))


def test_a_dataset_is_bound_by_its_columns():
    """Columns that no placeholder reads are allowed."""
    data = Dataset(x=torch.randn(4, 3), label=torch.arange(4))
    torch.testing.assert_close(evaluate(apply("relu", X), data), data["x"].relu())


def test_nodes_may_bring_rows_of_their_own():
    """A placeholder that holds its rows needs no input, and fixes how many rows there are."""
    rows = torch.randn(4, 3)
    own = bound(X, rows, "x.own")
    torch.testing.assert_close(evaluate(add(own, X), {"x": torch.ones(4, 3)}), rows + 1)
    torch.testing.assert_close(evaluate(own), rows)
    with pytest.raises(InputError, match="brings 4 rows of its own, the inputs have 5"):
        evaluate(add(own, X), {"x": torch.ones(5, 3)})
    spare = bound(X, rows, "x.own", spare=True)
    torch.testing.assert_close(evaluate(add(spare, X), {"x": torch.ones(2, 3)}), rows[:2] + 1)
    with pytest.raises(NanError, match="brings NaN along, first at"):
        evaluate(apply("relu", bound(X, torch.tensor([[0.0, torch.nan, 0.0]] * 2), "x.own")))


@settings(max_examples=30)
@given(graphs())
def test_gradients_are_those_of_plain_torch(graph):
    """With grad=True gradients flow to the inputs, through chunks too; without it none are recorded (trap 13)."""
    inputs = bindings(graph)
    leaves = [tensor.requires_grad_() for tensor in inputs.values() if tensor.is_floating_point()]
    assert not evaluate(graph, inputs).requires_grad

    def gradients(value):
        """Zero, rather than none, for an input that the value does not depend on."""
        total = value.square().sum() + sum(0 * leaf.sum() for leaf in leaves)
        return torch.autograd.grad(total, leaves) if leaves else ()

    expected = gradients(plain(graph, inputs))
    for batch_size in (None, 2):
        torch.testing.assert_close(gradients(evaluate(graph, inputs, grad=True, batch_size=batch_size)), expected)


def test_gradients_reach_the_weights():
    """An array made from a parameter passes gradients on to it, and a parameter in a graph is no hindrance without."""
    weight = torch.nn.Parameter(torch.randn(3))
    node = einsum("i, i ->", X, array(weight))
    x = torch.randn(5, 3)
    assert not evaluate(node, {"x": x}).requires_grad
    evaluate(node, {"x": x}, grad=True).sum().backward()
    torch.testing.assert_close(weight.grad, x.sum(0))


def test_results_share_memory_with_nothing():
    """Writing to a result changes no input, no fixed tensor and no other result (trap 12)."""
    x, w = torch.randn(4, 3), array(torch.randn(3))
    inputs = {"x": x.clone()}
    nodes = [X, w, index(X, slice(0, 2)), add(X), add(X), einsum("i -> i", X), add(X, w), add(X, w)]
    before = [value.clone() for value in evaluate(nodes, inputs)]
    results = evaluate(nodes, inputs)
    for value in results:
        value.fill_(100)
    assert torch.equal(inputs["x"], x)
    torch.testing.assert_close(evaluate(nodes, inputs), before)
    small = evaluate(index(apply("exp", placeholder("y", (1000,))), 0), {"y": torch.randn(2, 1000)})
    assert small.untyped_storage().nbytes() == small.nbytes


@settings(max_examples=30)
@given(graphs())
def test_evaluating_changes_no_input_and_no_graph(graph):
    """Sums are accumulated in place only in buffers of their own, never in a child's (trap 12)."""
    inputs = bindings(graph)
    before = {name: tensor.clone() for name, tensor in inputs.items()}
    first = evaluate([*children_first(graph)], inputs)
    assert all(torch.equal(inputs[name], before[name]) for name in inputs)
    torch.testing.assert_close(evaluate([*children_first(graph)], inputs), first, rtol=0, atol=0)
    torch.testing.assert_close(first, [plain(node, inputs) for node in children_first(graph)])


def test_a_sweep_is_one_call():
    """Variants of a graph, evaluated by one call with a list, are each as if alone; ROWS rows serve them all."""
    parts = [apply("tanh", einsum("i, i j -> j", X, array(torch.randn(3, 3))), name=f"head.{i}") for i in range(4)]
    graph = add(X, *parts, name="resid")
    variants = [replace(graph, {part: array(torch.zeros(3))}) for part in parts]
    x = torch.randn(ROWS, 3)
    for part, value in zip(parts, evaluate(variants, {"x": x}), strict=True):
        torch.testing.assert_close(value, plain(graph, {"x": x}) - plain(part, {"x": x}))


@pytest.mark.parametrize("seconds", [0.1, 1.0])
def test_progress_shows_the_time_left_where_it_takes_long(capsys, monkeypatch, seconds):
    """Eight chunks of a second each get a bar that says how far it is; of a tenth, none; and none unasked."""
    clock = itertools.count()
    monkeypatch.setattr("tqdm.std.time", lambda: next(clock) * seconds)
    evaluate(apply("relu", X), {"x": torch.randn(8, 3)}, batch_size=1)
    assert capsys.readouterr().out == ""
    evaluate(apply("relu", X), {"x": torch.randn(8, 3)}, batch_size=1, progress=True)
    shown = capsys.readouterr().out
    assert ("so far" in shown and " left" in shown and "50%" in shown) == (seconds == 1)
