"""Indices mean what Python's brackets mean, one axis at a time."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from remix_utils.errors import BoundsError, PatternError
from remix_utils.graph import indexing
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import array, index, placeholder
from tests.graph.random_graphs import plain_index


@st.composite
def entries(draw, size):
    """An integer, a slice or picked rows of an axis."""
    bound = st.none() | st.integers(-size, size)
    slices = st.builds(slice, bound, bound, st.sampled_from([None, 1, 2, 3, -1, -2]))
    if not size:
        return draw(slices)
    inside = st.integers(-size, size - 1)
    return draw(slices | inside | st.lists(inside, max_size=4).map(lambda rows: torch.tensor(rows, dtype=torch.long)))


@st.composite
def indices(draw, shape):
    """An index of a tensor of that shape; trailing axes may be left out."""
    return tuple(draw(entries(size)) for size in shape[: draw(st.integers(0, len(shape)))])


@given(st.data(), st.lists(st.integers(1, 5), max_size=3))
def test_each_axis_is_indexed_as_brackets_would(data, shape):
    """Integers, slices with any step, and picked rows give what torch gives for one axis after the other."""
    x = torch.arange(float(torch.tensor(shape).prod())).reshape(shape)
    at = data.draw(indices(shape))
    node = index(array(x), at)
    torch.testing.assert_close(evaluate(node), plain_index(x, at), rtol=0, atol=0)
    assert node.shape == tuple(plain_index(x, at).shape)


@given(st.data(), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_index_past_index_commutes(data, shape):
    """An index of an index is one index: taking both at once equals taking one after the other (trap 9)."""
    x = torch.arange(float(torch.tensor(shape).prod())).reshape(shape)
    first = indexing.read(data.draw(indices(shape)), tuple(shape), "x")
    between = indexing.shape_after(first)
    second = indexing.read(data.draw(indices(between)), between, "x")
    both = indexing.compose(first, second)
    one_by_one = indexing.take(indexing.take(x, first, 0), second, 0)
    torch.testing.assert_close(indexing.take(x, both, 0), one_by_one, rtol=0, atol=0)
    assert indexing.shape_after(both) == tuple(one_by_one.shape)


@given(st.data(), st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_an_index_can_be_read_back(data, shape):
    """`op.at` holds what brackets take, and makes the same index again, also where a step leaps past the end."""
    node = index(placeholder("x", shape), data.draw(indices(shape)))
    assert index(placeholder("x", shape), node.op.at).key == node.key


def test_a_step_may_leap_past_the_end():
    """Every other entry of five are three entries."""
    assert evaluate(index(array(torch.arange(5)), slice(None, None, 2))).tolist() == [0, 2, 4]


def test_numbers_from_numpy_are_numbers():
    """An integer that NumPy made is an integer, and so is a tensor without axes."""
    x = array(torch.arange(5))
    assert evaluate(index(x, np.int64(3))) == evaluate(index(x, torch.tensor(3))) == 3


def test_trailing_axes_may_be_left_out():
    """What is not indexed is taken whole, and a single entry needs no tuple."""
    x = torch.randn(3, 4, 5)
    torch.testing.assert_close(evaluate(index(array(x), 1)), x[1])
    torch.testing.assert_close(evaluate(index(array(x), (slice(1, 3), torch.tensor([3, 0])))), x[1:3][:, [3, 0]])


def test_an_index_outlives_its_node_only_where_it_fits():
    """On another child an index keeps its meaning, or is refused with both numbers if it reaches outside."""
    node = index(placeholder("x", (6, 2)), (slice(1, 6, 2), 1))
    assert node.with_children([placeholder("y", (9, 2))]).shape == (3,)
    with pytest.raises(BoundsError, match="index 5 is outside axis 0, which has 4 entries"):
        node.with_children([placeholder("y", (4, 2))])
    with pytest.raises(PatternError, match="2 indices for 3 axes"):
        node.with_children([placeholder("y", (6, 2, 2))])
    with pytest.raises(BoundsError, match="index 5"):
        index(placeholder("x", (6,)), torch.tensor([0, 5])).with_children([placeholder("y", (5,))])


@pytest.mark.parametrize("at", [slice(0, 0), slice(3, None), torch.tensor([], dtype=torch.long)])
def test_nothing_may_be_asked_for(at):
    """An index that takes no entries leaves an axis of length 0."""
    assert evaluate(index(array(torch.arange(3)), at)).shape == (0,)


def test_text_is_what_one_would_write():
    """An index is shown as its brackets would be typed."""
    entries = indexing.read((1, slice(None, None, 2), slice(2, None, -1), torch.tensor([2, 0])), (2, 3, 3, 3), "x")
    assert indexing.text(entries) == "1, 0:3:2, 2::-1, [2, 0]"
