"""Each distinct computation runs once, wherever it runs, and says where a NaN was born."""

import multiprocessing
import pickle
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import torch
from hypothesis import given, settings

from remix_utils.errors import FunctionError, InputError, NanError
from remix_utils.graph import execute
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.functions import register
from remix_utils.graph.narrow import narrow
from remix_utils.graph.ops import add, apply, array, einsum, placeholder, sample
from remix_utils.graph.rewrite import replace
from remix_utils.graph.select import find
from remix_utils.graph.walk import children_first, rebuild
from tests.graph.random_graphs import bindings, graphs, plain
from tests.graph.transformer import tokens, transformer

X = placeholder("x", (3,))


@pytest.fixture(scope="module")
def processes():
    """Two fresh processes that know only what they are sent."""
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        yield pool


@contextmanager
def counted():
    """How often an operation is run under each name."""
    counts, original = Counter(), execute._value
    with pytest.MonkeyPatch.context() as patch:

        def value(step, children):
            counts[step.name.split("'")[1]] += 1
            return original(step, children)

        patch.setattr(execute, "_value", value)
        yield counts


@pytest.fixture
def runs():
    with counted() as counts:
        yield counts


@settings(max_examples=25)
@given(graphs())
def test_each_distinct_key_runs_once(graph):
    """Equal computations run once whatever they are called, in one graph or in a list of several (trap 5)."""
    (twin,) = rebuild([graph], lambda node, original: node.named(node.name + "'"))
    with counted() as counts:
        first, second = evaluate([graph, twin], bindings(graph))
    distinct = {node.key for node in children_first(*narrow([graph])) if node.op.kind not in ("array", "placeholder")}
    assert sum(counts.values()) == len(distinct)
    torch.testing.assert_close(first, second)


def test_lists_and_dicts_share_their_work(runs):
    """Variants of a graph compute what they have in common once, as a list and as a dict, and rows in chunks."""
    graph = transformer()
    variants = [replace(graph, {z: add(z, weights=[0])}) for z in find(graph, "blocks.1.attn.z")] * 3
    evaluate(graph, tokens(4))
    alone = Counter(runs)
    for together in ([graph, *variants], {str(i): node for i, node in enumerate([graph, *variants])}):
        runs.clear()
        evaluate(together, tokens(4))
        assert all(runs[name] == alone[name] for name in runs if name.startswith("blocks.0"))
        assert runs["logits"] == 2  # as it is, and without heads in block 1: three variants are one computation
    runs.clear()
    evaluate(graph, tokens(4), batch_size=2)
    assert runs["logits"] == 2 * alone["logits"] == 2


def test_what_is_fixed_runs_once_for_all_chunks(runs):
    """Products of weights are not computed again for each chunk of rows."""
    w = array(torch.randn(3, 3))
    node = einsum("i, i j -> j", X, einsum("i j, j k -> i k", w, w, name="OV"), name="out")
    evaluate(node, {"x": torch.randn(10, 3)}, batch_size=1)
    assert (runs["OV"], runs["out"]) == (1, 10)


def test_every_branch_shares_the_pass_on_the_population(runs):
    """However many draws read it, what lies below them runs once for all (trap 4)."""
    below = apply("tanh", X, name="below")
    branches = [sample(below, torch.tensor(rows)) for rows in ([0, 1], [2, 2], [1, 0])]
    evaluate(add(*branches, name="above"), {"x": torch.randn(3, 3)})
    assert (runs["below"], runs["above"]) == (1, 1)


def test_values_go_after_their_last_use():
    """When an operation runs, no value is alive that nothing will read; sources too are let go (trap 12)."""
    steps = [X]
    for number in range(5):
        steps.append(apply("tanh", steps[-1], name=f"step {number}"))
    program = execute.compile(steps, [X], [steps[-1]], set(steps))
    assert [step.drops for step in program.steps] == [(0,), (1,), (2,), (3,), (4,)]
    given = [torch.randn(2, 3)]
    (value,) = execute.run(program, given)
    assert given == [] and value.shape == (2, 3)


@pytest.mark.parametrize("batch_size", [None, 1, 3])
def test_threads_and_processes_give_the_same(processes, batch_size):
    """Chunks on other processes, that import everything anew, or on threads: the same values in the same order."""
    graph, rows = transformer(), torch.tensor([3, 3, 0, 6])
    nodes = {
        "logits": graph,
        "drawn": apply("softmax", sample(graph, rows)),
        "pattern": find(graph, "*.1.*.pattern")[0],
    }
    expected = evaluate(nodes, tokens(7), batch_size=batch_size)
    with ThreadPoolExecutor(2) as threads:
        for executor in (threads, processes):
            found = evaluate(nodes, tokens(7), batch_size=batch_size, executor=executor)
            assert list(found) == list(expected)
            for label, value in expected.items():
                torch.testing.assert_close(found[label], value, rtol=1e-12, atol=1e-12)


def test_random_graphs_survive_the_journey(processes):
    """Any graph, any operation: what a process is sent holds all that it needs."""

    @settings(max_examples=10)
    @given(graphs(samples=True))
    def on_random_graphs(graph):
        inputs = bindings(graph)
        expected = plain(graph, inputs)
        torch.testing.assert_close(evaluate(graph, inputs, batch_size=2, executor=processes), expected)
        torch.testing.assert_close(evaluate(pickle.loads(pickle.dumps(graph)), inputs), expected)

    on_random_graphs()


def test_parameters_may_travel(processes):
    """Weights that require gradients are sent without them."""
    weight = torch.nn.Parameter(torch.randn(3))
    node, x = einsum("i, i ->", X, array(weight)), torch.randn(4, 3).requires_grad_()
    value = evaluate(node, {"x": x}, batch_size=2, executor=processes)
    torch.testing.assert_close(value, (x @ weight).detach())


def test_errors_come_back_from_processes(processes):
    """A NaN born elsewhere is the same named error here, with its facts."""
    node = apply("log", X, name="log")
    with pytest.raises(NanError, match="Apply 'log'") as refusal:
        evaluate(node, {"x": -torch.ones(4, 3)}, batch_size=1, executor=processes)
    assert refusal.value.count == 3 and "fix: " in str(refusal.value)


def test_gradients_do_not_pass_through_executors(processes):
    """Asking for both is refused, with what to leave out."""
    with pytest.raises(InputError, match="leave out executor= or grad=True"):
        evaluate(X, {"x": torch.ones(2, 3)}, executor=processes, grad=True)


def test_a_nan_is_named_where_it_is_born():
    """The error names the first node that made a NaN out of none, how many, where, and what it was given."""
    born = apply("log", add(X, array(torch.tensor([1.0, -2.0, 1.0]))), name="born")
    node = apply("relu", add(born, X), name="later")
    with pytest.raises(NanError, match=r"Apply 'born' \[3\]: 2 of 6 values are NaN, first at \[0, 1\]") as refusal:
        evaluate(node, {"x": torch.ones(2, 3)})
    assert (refusal.value.count, refusal.value.position) == (2, [0, 1])
    assert "range over -1 to 2" in str(refusal.value)


def test_infinities_are_no_nans():
    """−∞ may mask scores, and only a row that is masked everywhere is an error."""
    scores = torch.tensor([[0.0, -torch.inf], [-torch.inf, -torch.inf]])
    node = apply("softmax", placeholder("scores", (2,)))
    assert evaluate(node, {"scores": scores[:1]}).tolist() == [[1.0, 0.0]]
    with pytest.raises(NanError):
        evaluate(node, {"scores": scores})
    opposite = torch.tensor([[torch.inf, -torch.inf]])  # whose sum is a NaN
    x = placeholder("x", (2,))
    assert evaluate(add(x, x), {"x": opposite}).equal(opposite)


def test_nans_are_looked_for_in_all_that_is_given():
    """An input or a fixed tensor that holds a NaN is refused by its name, before it spreads."""
    with pytest.raises(NanError, match=r"Input 'x' is NaN at \[1, 2\]"):
        evaluate(X, {"x": torch.tensor([[0.0, 0, 0], [0, 0, torch.nan]])})
    with pytest.raises(NanError, match="Array 'w'"):
        evaluate(add(X, array(torch.tensor([0.0, torch.nan, 0.0]), "w")), {"x": torch.ones(2, 3)})


def test_a_function_that_fails_says_where():
    """What a function raises comes back as an error that names the node and what it was given."""

    armed = []

    def fails(x):
        if armed:
            raise ArithmeticError("no more, please")
        return x

    register("fails", fails)
    node = apply("fails", X, name="asked")
    armed.append(True)
    with pytest.raises(FunctionError, match=r"Apply 'asked' .*: no more, please; its children range over 1 to 1"):
        evaluate(node, {"x": torch.ones(2, 3)})
