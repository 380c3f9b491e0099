"""How we fail: a fact, its numbers, one way out, in whatever process."""

import inspect
import pickle
import threading

import pytest

from remix_utils import errors
from remix_utils.errors import RemixError, counted, kind_of, nearest, reason
from tests.refusals import assert_well_made

KINDS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, Exception)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_error_is_one_of_ours_and_a_value_error(kind):
    """Code that catches RemixError, or ValueError, catches them all; each class says what it is for."""
    error = kind("Add 'x': 3 in 'a' but 4 in 'b'.", fix="index one of them.", left=3, right=4)
    assert isinstance(error, RemixError) and isinstance(error, ValueError)
    assert str(error) == "Add 'x': 3 in 'a' but 4 in 'b'.\n  fix: index one of them."
    assert (error.left, error.right, error.facts) == (3, 4, {"left": 3, "right": 4})
    assert kind.__doc__.endswith(".") or kind is RemixError
    assert_well_made(error)


def test_a_subclass_of_another_room_travels_as_itself():
    """Models, checks and the classroom have errors of their own; they too come back from a worker as what they were."""
    from remix_utils.models.model import ModelError

    assert_well_made(ModelError("No such model.", fix="name another.", name="x"))


def test_a_fact_that_cannot_travel_says_so_where_it_is_sent():
    """The error is not silently stripped of what does not pickle."""
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(RemixError("It broke.", fix="mend it.", lock=threading.Lock()))


@pytest.mark.parametrize(
    ("name", "known", "expected"),
    [
        ("tokns", ["mask", "tokens"], "nearest: 'tokens'"),
        ("zzz", ["b", "a"], "nearest: 'a', 'b'"),
        ("x", [], "there are none"),
        ("hidden", ["hidden1", "hidden2", "hidden3", "hidden4", "hidden1"], "nearest: 'hidden4', 'hidden3', 'hidden2'"),
    ],
)
def test_nearest_names_what_is_close_or_what_there_is(name, known, expected):
    """Close names first, at most three, each once; if none is close the first of all; if there are none, that."""
    assert nearest(name, known) == expected


def test_words_for_a_sentence():
    """Things with their article, numbers with their plural, other people's errors in one line."""
    assert [kind_of(value) for value in ([], 1, None, "", KINDS[0])] == ["a list", "an int", "None", "a str", "a type"]
    assert [counted(n, word) for n, word in ((0, "row"), (1, "axis"), (2, "index"), (1000, "axis"))] == [
        *("0 rows", "1 axis", "2 indices", "1,000 axes")
    ]
    assert reason(ValueError("first.\nsecond")) == "first"
    assert reason(KeyError()) == "KeyError"
    assert reason(ValueError("\n")) == "ValueError"
