"""Patterns and indices as text and integers."""

import sys
from pathlib import Path
from subprocess import run

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.errors import BoundsError, PatternError, ShapeError
from remix_utils.graph.axes import broadcast, parse, same_size, span, whole_number

letters = st.sampled_from("abcd")


@st.composite
def patterns(draw):
    """The axis words of some operands and of a result made from them, in words of any length."""
    word = dict(zip("abcd", draw(st.permutations(["seq", "d_model", "h", "x1"])), strict=True))
    inputs = draw(st.lists(st.lists(letters, max_size=4), min_size=1, max_size=3))
    known = sorted({letter for part in inputs for letter in part})
    output = draw(st.lists(st.sampled_from(known), unique=True)) if known else []
    return inputs, output, word


@given(patterns())
def test_words_and_letters_are_read_alike(pattern):
    """A pattern in words, and the same in letters without spaces, have the same axes; both are read back from text."""
    inputs, output, word = pattern
    ranks = tuple(map(len, inputs))
    in_letters = ",".join(map("".join, inputs)) + "->" + "".join(output)
    in_words = ", ".join(" ".join(map(word.get, part)) for part in inputs) + " -> " + " ".join(map(word.get, output))
    parsed = parse(in_words, ranks)
    assert parsed.inputs == tuple(tuple(map(word.get, part)) for part in inputs)
    assert parse(str(parsed), ranks) == parsed
    assert parse(in_letters, ranks).inputs == tuple(map(tuple, inputs))
    assert parse(in_letters, ranks).output == tuple(output)


def test_one_word_is_a_word_where_the_rank_says_so():
    """`seq -> seq` is one axis for a vector, and three for a tensor of three axes."""
    assert parse("seq -> seq", (1,)).inputs == (("seq",),)
    assert parse("seq -> seq", (3,)).inputs == (("s", "e", "q"),)


@pytest.mark.parametrize(
    "pattern, ranks, what",
    [
        ("i j", (2,), "'->'"),
        ("i -> j -> k", (1,), "2"),
        ("i j, j k -> i k", (2,), "2 operands"),
        ("i -> j", (1,), "'j'"),
        ("i j -> i i", (2,), "2 times"),
        ("... i -> i", (2,), "'...'"),
        ("3 i -> i", (2,), "'3'"),
        (7, (2,), "7"),
    ],
)
def test_a_pattern_that_cannot_be_read_says_why(pattern, ranks, what):
    """Each fault is named with its place or number, and a way out."""
    with pytest.raises(PatternError, match="fix: ") as refusal:
        parse(pattern, ranks)
    assert what in str(refusal.value)


def test_a_word_can_be_taken_out():
    """`without` forgets an axis everywhere."""
    assert str(parse("i j, j k -> i k", (2, 2)).without("j")) == "i, k -> i k"


@given(st.lists(st.lists(st.integers(0, 3), max_size=3).map(tuple), min_size=1, max_size=3))
def test_shapes_broadcast_as_in_torch(shapes):
    """Per-example shapes align at their last axes; where torch refuses, so do we."""
    try:
        expected = tuple(torch.broadcast_shapes(*shapes))
    except RuntimeError:
        expected = None
    assert broadcast(tuple(shapes)) == expected


@settings(max_examples=200)
@given(st.integers(0, 6), st.data())
def test_a_span_is_what_a_slice_takes(size, data):
    """Start, step and length give the entries that Python's slice gives, within bounds."""
    bounds = st.none() | st.integers(-size, size)
    entry = slice(data.draw(bounds), data.draw(bounds), data.draw(st.sampled_from([None, 1, 2, 3, -1, -2])))
    start, step, length = span(entry, size, 0, "x")
    assert [start + step * i for i in range(length)] == list(range(size))[entry]


def test_bounds_are_not_clipped():
    """A slice or an index outside its axis is an error with both numbers, where Python would shorten it."""
    with pytest.raises(BoundsError, match="slice bound 7 is outside axis 2, which has 6 entries") as refusal:
        span(slice(2, 7), 6, 2, "Index 'x'")
    assert (refusal.value.index, refusal.value.size) == (7, 6)
    with pytest.raises(BoundsError, match="this one is empty"):
        whole_number(0, 0, 0, "Index 'x'")
    with pytest.raises(PatternError, match="step 0"):
        span(slice(None, None, 0), 6, 0, "Index 'x'")
    assert [whole_number(entry, 4, 0, "x") for entry in (-4, -1, 0, 3)] == [0, 3, 0, 3]


def test_a_word_has_one_size():
    """The error names the word, both sizes, both nodes with their shapes, and the pattern."""
    sizes = [(64, "'q'", (12, 64)), (64, "'v'", (64,)), (32, "'k'", (12, 32))]
    with pytest.raises(ShapeError) as refusal:
        same_size("h", sizes, "Einsum 'x'", "q h, k h -> q k")
    assert (refusal.value.axis, refusal.value.left, refusal.value.right) == ("h", 64, 32)
    assert all(
        part in str(refusal.value) for part in ("'h'", "'q'", "'k'", "[12, 64]", "[12, 32]", "'q h, k h -> q k'")
    )


def test_words_need_no_torch():
    """Reading patterns loads no tensors: the room can be used, and read, by itself."""
    code = """
import sys, types
house = sys.modules["remix_utils"] = types.ModuleType("remix_utils")
house.__path__ = ["remix_utils"]
import remix_utils.graph.axes
sys.exit("torch" in sys.modules)
"""
    assert run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], timeout=600).returncode == 0
