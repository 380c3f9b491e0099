"""Every exercise of day 5 is compared with hooks on transformers' GPT-2, or computes nothing on a model."""

from importlib import import_module
from pathlib import Path

from tests.parity.exercises import WITHOUT_MODEL, exercises

TESTS = [path.stem for path in sorted(Path(__file__).parent.glob("test_part*.py"))]


def compared():
    """The exercises that the tests of this folder name."""
    found = []
    for name in TESTS:
        for test in vars(import_module(f"tests.parity.{name}")).values():
            found += getattr(test, "exercises", ())
    return found


def test_every_exercise_of_day_5_is_in_one_list():
    """A new exercise has a test that `compares` it, or a reason in WITHOUT_MODEL."""
    known = {*compared(), *WITHOUT_MODEL}
    assert [id for id in exercises() if id not in known] == []
    assert [id for id in known if id not in exercises()] == []


def test_no_exercise_is_in_both_lists():
    """An exercise with a reason to have no test has none."""
    assert set(compared()) & set(WITHOUT_MODEL) == set()
    assert all(WITHOUT_MODEL.values())
