"""Choices from a seed: even, and the same on every machine."""

from collections import Counter

from remix_utils.tasks.stream import Stream


def test_choices_are_those_of_their_key():
    """The same key gives the same choices, whatever kind of number the seed is; another key gives others."""
    first = [Stream("a", 0).below(1000), *Stream("a", 0).choose_several(range(100), 3)]
    assert first == [Stream("a", "0").below(1000), *Stream("a", 0).choose_several(range(100), 3)]
    assert [Stream("stream", seed).below(10**9) for seed in (0, 1, -1)] == [277191965, 890376004, 249750562]


def test_numbers_are_even():
    """Each number below a bound comes equally often, to five standard errors, and none beyond."""
    stream = Stream("even")
    counts = Counter(stream.below(7) for _ in range(7000))
    assert set(counts) == set(range(7)) and all(abs(count - 1000) < 5 * 1000**0.5 for count in counts.values())


def test_weights_are_kept():
    """Places come in proportion to their weights, and never where the weight is 0."""
    stream = Stream("weights")
    counts = Counter(stream.weigh([1, 0, 3, 0]) for _ in range(4000))
    assert set(counts) == {0, 2} and abs(counts[2] - 3000) < 5 * 750**0.5


def test_several_are_different_places():
    """Several choices are of different places, in every order, and leave the sequence as it was."""
    stream, letters = Stream("several"), ["a", "b", "c"]
    orders = Counter(tuple(stream.choose_several(letters, 3)) for _ in range(600))
    assert letters == ["a", "b", "c"] and len(orders) == 6 and min(orders.values()) > 60
    assert sorted(stream.choose_several(["x", "x", "y"], 3)) == ["x", "x", "y"]
