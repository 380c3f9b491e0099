"""Plain forms: equal data compares equal however it is wrapped, and nothing else does."""

import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from remix_utils.checks.compare import NodeForm, difference, plain
from remix_utils.graph.ops import add, array, placeholder

numbers = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=6)


def part(got, expected, tolerance=1e-5):
    """The sentence about two values, or None."""
    found = difference(plain(got), plain(expected), tolerance)
    return found and found.sentence()


@given(numbers)
def test_wrapping_is_forgotten(values):
    """A list, a tuple, an array, a tensor, and a list of scalars hold the same numbers."""
    for wrapped in (
        tuple(values),
        numpy.array(values),
        torch.tensor(values).double(),
        [numpy.float64(v) for v in values],
    ):
        assert part(wrapped, values) is None
        assert part(values, wrapped) is None


@given(numbers, st.integers(0, 5), st.floats(0.01, 10))
def test_one_changed_number_is_found_at_its_place(values, at, change):
    """The first place that differs is named, with both numbers."""
    at %= len(values)
    other = [value + change * max(1, abs(value)) * (i == at) for i, value in enumerate(values)]
    found = difference(plain(other), plain(values))
    assert found is not None
    assert found.where == f"[{at}]"
    assert found.direction == "too large"


class Liar:
    """Equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


class LyingFloat(float):
    """A number that calls itself equal to everything, and near everything."""

    def __eq__(self, other):
        return True

    __hash__ = float.__hash__

    def __add__(self, other):
        return 1.0

    __sub__ = __rsub__ = __abs__ = __float__ = __add__


class LyingText(str):
    """Text that calls itself equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = str.__hash__

    def __str__(self):
        return "right"


class LyingTensor(torch.Tensor):
    """A tensor whose every operation gives the right answer."""

    @classmethod
    def __torch_function__(cls, function, types, arguments=(), options=None):
        return torch.ones(())


@pytest.mark.parametrize(
    ("liar", "expected"),
    [
        (Liar(), 1.0),
        (LyingFloat(7), 1.0),
        (LyingText("wrong"), "right"),
        (torch.zeros(2).as_subclass(LyingTensor), [1, 1]),
    ],
)
def test_an_object_that_calls_itself_equal_is_not_believed(liar, expected):
    """Types are coerced by the base class before anything is compared."""
    assert part(liar, expected) is not None
    assert part([liar], [expected]) is not None
    assert part({"a": liar}, {"a": expected}) is not None


def test_what_differs_is_said_in_words():
    """Shape, kind, length, missing and extra entries each have their sentence."""
    assert part(torch.zeros(2, 3), torch.zeros(2)) == "expected shape [2], got shape [2, 3]"
    assert part("text", torch.zeros(2)) == "expected an array of shape [2], got 'text'"
    assert part({"a": 1}, {"a": 1, "b": 2}) == "expected an entry 'b', got no entry 'b'"
    assert part({"a": 1, "c": 1}, {"a": 1}) == "expected no entry of that name, got an entry 'c'"
    assert part(["x", "y"], ["x"]) == "expected 1 item, got 2 items"
    assert part({"a": ["x", [1, 2]]}, {"a": ["x", [1, 3]]}) == "expected 3, got 2, at ['a'][1][1]"
    assert part(Liar(), "text") == "expected 'text', got an object of type Liar"
    assert part(1.0000000001, 1, tolerance=0) == "expected 1, got 1.0000000001"


def test_numbers_at_the_edges():
    """NaN equals NaN, infinity itself; one number in a list stands for the number; large integers are exact."""
    nan, infinity = float("nan"), float("inf")
    assert part([nan, infinity, -infinity], [nan, infinity, -infinity]) is None
    assert part(nan, 1.0) == "expected 1, got nan"
    assert part(1.0, nan) is not None
    assert part(infinity, 1.0) is not None
    assert part(1.0, infinity) is not None
    assert part(infinity, -infinity) is not None
    assert part(torch.tensor([3.0]), 3) is None
    assert part([3.0, 3.0], 3) is not None
    assert part(2**60 + 1, 2**60) is not None
    assert part(True, 1) is None
    assert part(torch.tensor([1 + 2j]), [1 + 2j]) is None
    assert part([], []) is None
    assert part([torch.ones(2), torch.ones(3)], [[1, 1], [1, 1, 1]]) is None
    assert part({1, 2}, {2, 1}) is None
    assert part(torch.ones(2, dtype=torch.bfloat16, requires_grad=True), [1, 1]) is None


def test_graphs_compare_by_value():
    """Names and spelling do not count; a graph that computes something else is told by how much."""
    x = placeholder("x", [2])
    one, same, other = (
        add(x, array(torch.ones(2) * n, "shift"), name=name) for n, name in ((1, "a"), (1, "b"), (3, "a"))
    )
    assert isinstance(plain(one), NodeForm)
    assert part(one, same) is None
    assert part(add(array([1.0, 1.0]), x), one) is None
    assert "not the right graph: on random inputs it is off by " in part(other, one)
    assert part(x, one) is not None
    assert part(placeholder("x", [3]), one) == "expected the graph 'a' of shape [2], got the graph 'x' of shape [3]"
    assert part([1, 1], one) == "expected the graph 'a' of shape [2], got an array of shape [2]"


def test_the_expected_value_can_be_held_back():
    """Where a value is the whole answer, the reader learns the direction only."""
    found = difference(plain(41.0), plain(39.2))
    assert found is not None
    assert found.sentence(reveal=False) == "41 is too large"


@pytest.mark.parametrize(
    ("got", "expected", "by_size"),
    [
        (torch.ones(2), torch.ones(3), True),
        ([1, "a"], [1, "a", "b"], True),
        ({"a": 1}, {"a": 1, "b": 2}, True),
        ({"a": 1, "all": 3}, {"a": 1}, False),
        ([1, 2], {"a": 1}, False),
        ([1, 2], [1, 3], False),
    ],
)
def test_a_difference_in_size_is_one_of_shape_or_number(got, expected, by_size):
    """Such a difference is told with the sizes of the check, and others are not."""
    assert difference(plain(got), plain(expected)).by_size is by_size


def test_nothing_is_called_an_empty_list():
    """An empty list has no shape that a reader knows of."""
    assert difference(plain(None), plain([])).expected == "an empty list"
