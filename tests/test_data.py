"""Datasets, features and draws: rows stay together, and a draw keeps what it promises to keep."""

import pickle
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from remix_utils.data import Dataset, Exact, Feature, Fixed, Matching, Uniform, feature
from remix_utils.errors import DataError
from tests.refusals import Mistake, assert_well_made, error_of, judged, raise_sites, raised_at

ROWS = 5
DATA = Dataset(x=torch.arange(15.0).reshape(ROWS, 3), label=torch.tensor([0, 1, 0, 2, 0]))


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@feature
def label(data):
    return data["label"]


DRAWS = {
    "exact": Exact(),
    "uniform": Uniform(),
    "matching": Matching(label),
    "fixed": Fixed(torch.tensor([4, 4, 0, 1, 2, 3, 0])),
}
REFERENCE = torch.tensor([0, 1, 2, 3, 4, 0, 0])  # more rows than the data has


# ---------------------------------------------------------------- datasets


def test_a_dataset_is_its_columns():
    """Columns come by name, from a mapping, from keywords or from both, in the order in which they were given."""
    data = Dataset({"x": torch.zeros(2, 3)}, label=torch.ones(2))
    assert list(data.columns) == ["x", "label"] and len(data) == 2
    assert torch.equal(data["label"], torch.ones(2))
    assert ("x" in data, "y" in data) == (True, False)
    assert repr(data) == "Dataset of 2 rows: x [3], label []"


@pytest.mark.parametrize("name", ["columns", "self", "which", "name with spaces"])
def test_no_name_is_reserved(name):
    """A column may be called what a parameter of ours is called."""
    assert torch.equal(Dataset(**{name: torch.ones(2)})[name], torch.ones(2))


@pytest.mark.parametrize(
    ("which", "expected"),
    [
        (0, [0]),
        (-1, [4]),
        (np.int64(3), [3]),
        (torch.tensor(2), [2]),
        (slice(1, 3), [1, 2]),
        (slice(None, None, 2), [0, 2, 4]),
        ([4, 0, 0], [4, 0, 0]),
        ((1, -2), [1, 3]),
        (range(2), [0, 1]),
        (np.array([2, 1]), [2, 1]),
        (torch.tensor([3, -1]), [3, 4]),
        (torch.tensor([3, 1], dtype=torch.uint8), [3, 1]),
        (torch.tensor([True, False, False, True, False]), [0, 3]),
    ],
)
def test_rows_are_chosen_as_in_torch(which, expected):
    """Whole numbers, slices, lists, tensors and masks choose the same rows of all columns; one row is a dataset too."""
    chosen = DATA[which]
    assert all(torch.equal(chosen[name], DATA[name][torch.tensor(expected)]) for name in DATA.columns)


def test_one_by_one_the_rows_are_the_dataset():
    """Iteration gives datasets of a row each, which joined are the whole."""
    single = list(DATA)
    assert [len(each) for each in single] == [1] * ROWS
    assert torch.equal(torch.cat([each["x"] for each in single]), DATA["x"])


def test_the_columns_handed_out_are_not_the_dataset():
    """Whoever takes a column out of the mapping takes none from the dataset."""
    DATA.columns.clear()
    assert list(DATA.columns) == ["x", "label"]


def test_a_dataset_goes_to_another_process():
    """Pickled and restored it is the same."""
    restored = pickle.loads(pickle.dumps(DATA))
    assert all(torch.equal(restored[name], DATA[name]) for name in DATA.columns)


# ---------------------------------------------------------------- features


def test_a_feature_is_named_after_its_function():
    """The function's name, also through a second wrapping; its labels are a tensor, whatever the function gives."""
    assert label.name == "label" and feature(label) is label
    assert torch.equal(feature(lambda data: [1] * len(data))(DATA), torch.ones(ROWS, dtype=torch.long))
    assert torch.equal(label(DATA[[3, 0]]), torch.tensor([2, 0]))


# ---------------------------------------------------------------- draws


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_is_its_seed(name):
    """The same generator gives the same rows: one row of the data for each reference, as whole numbers."""
    rows = DRAWS[name].rows(DATA, REFERENCE, generator())
    assert torch.equal(rows, DRAWS[name].rows(DATA, REFERENCE, generator()))
    assert rows.dtype == torch.long and rows.shape == REFERENCE.shape
    assert 0 <= rows.min() <= rows.max() < ROWS


@pytest.mark.parametrize("name", ["uniform", "matching"])
def test_another_seed_is_another_draw(name):
    """And a generator that has been used goes on, rather than beginning again."""
    reference = torch.arange(ROWS).repeat(20)
    used = generator()
    draws = [DRAWS[name].rows(DATA, reference, each) for each in (generator(1), used, used)]
    assert not any(torch.equal(left, right) for left, right in pairwise(draws))


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_leaves_what_it_was_given_alone(name):
    """Writing to the drawn rows changes neither the reference nor the draw."""
    reference = REFERENCE.clone()
    first = DRAWS[name].rows(DATA, reference, generator())
    kept = first.clone()
    first.zero_()
    assert torch.equal(reference, REFERENCE)
    assert torch.equal(DRAWS[name].rows(DATA, reference, generator()), kept)


def test_exact_and_fixed_draw_what_they_say():
    """The reference itself, and the rows that were given."""
    assert torch.equal(Exact().rows(DATA, REFERENCE, generator()), REFERENCE)
    assert torch.equal(DRAWS["fixed"].rows(DATA, REFERENCE, generator()), DRAWS["fixed"].chosen)
    assert DRAWS["fixed"] != Fixed(DRAWS["fixed"].chosen)  # a draw, not a tensor that is compared entry by entry


def within_noise(rows: torch.Tensor, probabilities: torch.Tensor) -> bool:
    """Whether each row came as often as it should, to five standard deviations."""
    expected = probabilities.double() * len(rows)
    deviation = (expected * (1 - probabilities)).sqrt()
    return bool(((rows.bincount(minlength=len(expected)) - expected).abs() <= 5 * deviation).all())


def test_uniform_draws_every_row_alike_whatever_the_reference():
    """Each of five rows comes a fifth of the time, though the reference is always the same."""
    rows = Uniform().rows(DATA, torch.zeros(50_000, dtype=torch.long), generator())
    assert within_noise(rows, torch.full((ROWS,), 1 / ROWS))


def test_matching_draws_every_row_of_the_reference_label_alike():
    """Label 0 is on rows 0, 2 and 4: each comes a third of the time, the reference included, and no other row comes."""
    rows = Matching(label).rows(DATA, torch.full((50_000,), 2), generator())
    assert within_noise(rows, torch.tensor([1 / 3, 0, 1 / 3, 0, 1 / 3]))


def test_matching_keeps_the_distribution_of_the_data():
    """If references are drawn from the data alike, so are the rows: resampling changes no node's own distribution."""
    reference = Uniform().rows(DATA, torch.zeros(50_000, dtype=torch.long), generator(1))
    assert within_noise(Matching(label).rows(DATA, reference, generator(2)), torch.full((ROWS,), 1 / ROWS))


@given(
    labels=st.lists(st.integers(-2, 2), min_size=1, max_size=12),
    kind=st.sampled_from([torch.long, torch.bool, torch.float32, torch.int8]),
    seed=st.integers(0, 5),
)
def test_matching_never_changes_the_label(labels, kind, seed):
    """Whatever the labels are, every drawn row has that of its reference."""
    values = torch.tensor(labels).to(kind)
    data = Dataset(value=values)
    reference = torch.randint(len(data), (40,), generator=generator(seed))
    rows = Matching(lambda data: data["value"]).rows(data, reference, generator(seed))
    assert torch.equal(values[rows], values[reference])


def test_a_label_may_have_parts_that_agree_together():
    """Two parts that agree one by one on different rows are no match: only a row alone with its pair is drawn."""
    data = Dataset(a=torch.tensor([0, 0, 1, 1, 1]), b=torch.tensor([0, 1, 0, 1, 1]))
    both = Matching(lambda data: torch.stack([data["a"], data["b"]], 1))
    rows = both.rows(data, torch.arange(5).repeat(100), generator()).reshape(100, 5)
    assert torch.equal(rows[:, :3], torch.tensor([0, 1, 2]).expand(100, 3))
    assert set(rows[:, 3:].flatten().tolist()) == {3, 4}


def test_a_draw_may_be_from_some_rows_only():
    """Given as rows or as a mask: those alone are drawn, all alike, and matches are looked for among them."""
    reference = torch.zeros(50_000, dtype=torch.long)
    for among in ([0, 3, 4], torch.tensor([True, False, False, True, True])):
        assert within_noise(Uniform(among).rows(DATA, reference, generator()), torch.tensor([1, 0, 0, 1, 1]) / 3)
        rows = Matching(label, among).rows(DATA, reference + 2, generator())
        assert within_noise(rows, torch.tensor([1, 0, 0, 0, 1]) / 2)
    assert Uniform([0, 3, 4]) == Uniform(torch.tensor([True, False, False, True, True])) != Uniform()


@pytest.mark.parametrize("name", DRAWS)
def test_a_draw_knows_what_it_may_draw(name):
    """Every row of its support comes, and no other."""
    support = DRAWS[name].support(DATA, REFERENCE)
    drawn = [set() for _ in REFERENCE]
    for seed in range(100):
        for rows, row in zip(drawn, DRAWS[name].rows(DATA, REFERENCE, generator(seed)).tolist(), strict=True):
            rows.add(row)
    spans = zip(support.start.tolist(), support.size.tolist(), strict=True)
    assert drawn == [set(support.rows[start : start + size].tolist()) for start, size in spans]


# ---------------------------------------------------------------- what is refused


def fixed(*rows: int) -> object:
    return Fixed(torch.tensor(rows)).rows(DATA, torch.tensor([0, 1]), generator())


MISTAKES = {
    "no columns": Mistake(DataError, ("one column",), lambda: Dataset()),
    "a list as a column": Mistake(DataError, ("'x'", "a list"), lambda: Dataset(x=[1, 2])),
    "a number as a column": Mistake(DataError, ("'x'", "number"), lambda: Dataset(x=torch.tensor(1.0))),
    "columns of unequal length": Mistake(
        DataError, ("'x': 2", "'y': 3"), lambda: Dataset(x=torch.ones(2), y=torch.ones(3))
    ),
    "no rows": Mistake(DataError, ("0 rows", "'x'"), lambda: Dataset(x=torch.ones(0, 3))),
    "a mask without a row": Mistake(DataError, ("0 rows",), lambda: DATA[torch.zeros(ROWS, dtype=torch.bool)]),
    "an empty list of rows": Mistake(DataError, ("0 rows",), lambda: DATA[[]]),
    "a column that is not there": Mistake(DataError, ("'lable'", "'label'"), lambda: DATA["lable"]),
    "a row past the end": Mistake(DataError, ("Row 5", "5 rows"), lambda: DATA[5]),
    "rows past the end": Mistake(DataError, ("Row -6", "5 rows"), lambda: DATA[torch.tensor([0, -6])]),
    "half rows": Mistake(DataError, ("float32", "[2]", "5"), lambda: DATA[torch.tensor([0.0, 1.5])]),
    "a mask of another length": Mistake(DataError, ("bool", "[2]", "5"), lambda: DATA[torch.tensor([True, False])]),
    "None as a row": Mistake(DataError, ("None", "5"), lambda: DATA[None]),
    "a feature that is no function": Mistake(DataError, ("a str",), lambda: feature("label")),
    "a feature without labels": Mistake(
        DataError, ("'nothing'", "None"), lambda: Feature("nothing", lambda data: None)(DATA)
    ),
    "a feature of another length": Mistake(
        DataError, ("'short'", "[2]", "5 rows"), lambda: Feature("short", lambda data: torch.ones(2))(DATA)
    ),
    "a feature with NaN": Mistake(
        DataError, ("'root'", "row 1"), lambda: Feature("root", lambda data: (0.5 - data["label"]).sqrt())(DATA)
    ),
    "a match on NaN": Mistake(
        DataError,
        ("row 1",),
        lambda: Matching(lambda data: (0.5 - data["label"]).sqrt()).rows(DATA, REFERENCE, generator()),
    ),
    "too few fixed rows": Mistake(DataError, ("[1]", "2 references"), lambda: fixed(0)),
    "fixed rows past the end": Mistake(DataError, ("row 5", "5 rows"), lambda: fixed(0, 5)),
    "no rows to draw among": Mistake(DataError, ("int64", "[0]"), lambda: Uniform(among=torch.arange(0))),
    "a mask to draw among that is true nowhere": Mistake(
        DataError, ("[0]",), lambda: Matching(label, DATA["x"][0] < 0)
    ),
    "rows to draw among past the end": Mistake(
        DataError, ("Row 5", "5 rows"), lambda: Uniform(among=[0, 5]).rows(DATA, REFERENCE, generator())
    ),
    "a reference with which no row agrees": Mistake(
        DataError,
        ("row 3", "2", "'label'", "3 rows"),
        lambda: Matching(label, [0, 1, 2]).rows(DATA, REFERENCE, generator()),
    ),
    "negative fixed rows": Mistake(DataError, ("row -1", "5 rows"), lambda: fixed(3, -1)),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_gets_its_message(name, snapshot):
    """The message names the column, feature or row and the numbers, and is word for word what it was."""
    assert judged(MISTAKES[name]) == snapshot
    assert_well_made(error_of(MISTAKES[name].made))


def test_no_error_goes_untested():
    """Every `raise` of the room is reached by a mistake above."""
    reached = {place for mistake in MISTAKES.values() for place in raised_at(error_of(mistake.made))}
    assert sorted(raise_sites("data") - reached) == []
