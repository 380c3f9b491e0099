"""A question of a quiz reads an answer in any spelling of its form, and nothing else."""

import numpy
import pytest
import torch

from remix_utils.checks.questions import name, number, option, read_number

NUMBERS = {
    0.5: [
        0.5,
        "0.5",
        ".5",
        "1/2",
        "50 %",
        "50%",
        "half",
        "a half",
        " 0.50 ",
        "`0.5`",
        torch.tensor(0.5),
        numpy.float32(0.5),
    ],
    -1.0: [-1, "-1", "−1", "–1", "-1.0", "'-1'", "-1.", "- 1", [-1], "−1.0 nats"],
    6.93: [
        6.93,
        "6.93",
        "6.93 nats",
        "about 6.93",
        "≈ 6.93",
        "~6.93",
        "6.93.",
        "= 6.93",
        "“6.93”",
        "6.930",
    ],
    1024.0: [
        1024,
        "1024",
        "1,024",
        "2^10",
        "2**10",
        "2 ^ 10",
        "1024 tokens",
        "1024.0",
        "1e3 ",
        "1024 times",
    ][:8],
    0.0: [0, "0", "zero", "none", "nothing", "0.0", "-0", False, "0 %", "Zero."],
    2.0: [
        2,
        "two",
        "Two.",
        "twice",
        "2 heads",
        "2.0",
        "4/2",
        "2 times",
        torch.tensor([2]),
        "200 %",
    ],
}


@pytest.mark.parametrize("right", NUMBERS)
def test_a_number_is_read_in_any_spelling(right):
    """Signs, separators, fractions, powers, per cents, words and units."""
    asked = number(says="Count again.")
    assert [each for each in NUMBERS[right] if not asked.accepts(each, right)] == []
    others = [value for value in NUMBERS if value != right]
    assert not any(asked.accepts(other, right) for other in others)


@pytest.mark.parametrize(
    "given",
    ["length-1", "", "x", None, ..., {}, [1, 2], torch.ones(2), "1/0", "softmax", "2^", object()]
    + ["6 or 7", "not 6", "layer 1, head 4", "one in six"],
)
def test_other_things_are_no_number(given):
    """They are told to be none, and never taken for a wrong one."""
    assert read_number(given) is None


def test_words_around_a_number_do_not_count():
    """Units behind it, what it numbers in front of it, and ordinals."""
    for given in ("position 6", "the 6th", "6 tokens", "about 6 of them"):
        assert read_number(given) == 6, given
    assert read_number("minus 3 nats") == -3


def test_a_name_is_read_without_regard_to_case_hyphens_and_spaces():
    """Quotes and a leading article do not count either."""
    asked = name(says="Which one?", also=("0.0 keys",))
    spellings = [
        "K-composition",
        "k composition",
        "K composition.",
        "`K-composition`",
        "the K-composition",
        "k_composition",
    ]
    spellings += [
        "Kcomposition",
        " K - composition ",
        "“K‑composition”".replace("‑", "-"),
        "0.0 Keys",
    ]
    assert [each for each in spellings if not asked.accepts(each, "K-composition")] == []
    assert not asked.accepts("Q-composition", "K-composition")
    assert asked.accepts(0.5, "0.5")
    assert not asked.accepts("0.6", "0.5")


def test_an_option_is_chosen_alone_or_among_other_words():
    """Two options, a negation and anything else choose none."""
    asked = option("zero", "mean", "A B", "B A", says="Which?")
    for spelling in (
        "mean",
        "Mean.",
        "mean ablation",
        "the mean",
        "'mean'",
        "a mean-ablation",
        "MEAN",
        " mean ",
        "`mean`",
        "by the mean",
    ):
        assert asked.accepts(spelling, "mean"), spelling
    assert asked.accepts("AB", "A B") and asked.accepts("b a", "B A") and not asked.accepts("A B", "B A")
    for spelling in ("not mean", "zero or mean", "average", 3, None, ""):
        assert asked.read(spelling) is None, spelling
