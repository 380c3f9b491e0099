"""Fixed tensors: whose memory they take, and when."""

import pytest
import torch

from benchmarks.measure import Allocations
from remix_utils.errors import NodeError
from remix_utils.graph import buffer
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, array, einsum, index, placeholder, sample


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.complex64])
@pytest.mark.parametrize("place", [None, 0, 999])
def test_a_nan_is_found_wherever_it_is(dtype, place):
    """The last of many values counts as much as the first, and without one there is none."""
    values = torch.randn(1000).to(dtype)
    if place is not None:
        values[place] = float("nan")
    assert Buffer(values).has_nan == (place is not None)


def test_looking_for_a_nan_takes_no_memory_of_that_size():
    """Weights are searched without a mask beside them."""
    weights = Buffer(torch.zeros(100_000))
    with Allocations() as made:
        assert not weights.has_nan
    assert made.peak < 100


def test_what_holds_no_numbers_holds_no_nan():
    """Integers, truth values and nothing at all."""
    assert not any(Buffer(value).has_nan for value in (torch.arange(3), torch.tensor([True]), torch.zeros(0, 4)))


def test_changing_the_source_never_changes_a_graph():
    """A tensor is copied on entry: writing to it afterwards changes no value and no key (trap 10)."""
    source = torch.ones(3)
    node, key = array(source), array(torch.ones(3)).key
    source.fill_(7)
    assert evaluate(node).tolist() == [1, 1, 1] and node.key == key
    view = torch.arange(6.0).reshape(2, 3)
    node = array(view.T)
    view.zero_()
    assert evaluate(node).tolist() == [[0, 3], [1, 4], [2, 5]]


def test_changing_the_copy_is_an_error():
    """Writing by force into what a graph holds is found out when it is next used (trap 10)."""
    node = array(torch.ones(3))
    node.op.buffer.tensor.add_(1)
    with pytest.raises(NodeError, match="changed in place"):
        evaluate(node)
    with pytest.raises(NodeError, match="fix: "):
        _ = node.key


def test_rows_and_indices_are_copied_too():
    """Rows that are drawn and entries that are picked stay as they were given (trap 10)."""
    rows, picks = torch.tensor([0, 1]), torch.tensor([2, 2])
    x = placeholder("x", (3,))
    node = index(sample(x, rows), picks)
    rows.fill_(0), picks.fill_(0)
    assert evaluate(node, {"x": torch.arange(6.0).reshape(2, 3)}).tolist() == [[2, 2], [5, 5]]


def test_content_is_hashed_once_and_only_when_asked_for(monkeypatch):
    """Building a graph hashes nothing; a key hashes each tensor once, and a second key nothing more (trap 10)."""
    hashed = []
    original = buffer.hashlib.blake2b
    monkeypatch.setattr(buffer.hashlib, "blake2b", lambda *a, **k: hashed.append(1) or original(*a, **k))
    weights = [array(torch.randn(3)) for _ in range(4)]
    graph = add(*weights)
    assert hashed == []
    before = len(hashed)
    _ = graph.key
    once = len(hashed) - before
    assert once == 4 + 5  # four tensors, five nodes
    _ = (graph.key, add(graph, *weights).key)
    assert len(hashed) == once + 1  # the new node


@pytest.mark.parametrize(
    "dtype", [torch.float16, torch.bfloat16, torch.float64, torch.int8, torch.bool, torch.complex64]
)
def test_equal_content_is_equal(dtype):
    """Buffers compare by values, shape and dtype, whatever the memory layout, in every dtype."""
    values = (torch.arange(6).reshape(2, 3) % 2).to(dtype)
    assert Buffer(values) == Buffer(values.T.contiguous().T) and hash(Buffer(values)) == hash(Buffer(values.clone()))
    assert Buffer(values) != Buffer(values.reshape(3, 2)) and Buffer(values) != Buffer(values.flip(0))


def test_tensors_made_in_inference_mode_may_be_used():
    """What inference made can still enter a graph through which gradients flow (trap 13)."""
    with torch.inference_mode():
        made = torch.ones(3)
    x = torch.ones(2, 3, requires_grad=True)
    node = einsum("i, i ->", placeholder("x", (3,)), array(made))
    evaluate(node, {"x": x}, grad=True).sum().backward()
    assert x.grad.tolist() == [[1, 1, 1]] * 2
