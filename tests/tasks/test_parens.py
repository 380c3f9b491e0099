"""Parentheses: the tests agree with brute force, and the random strings are the same on every machine."""

from collections import Counter
from hashlib import sha256

import pytest
import torch

from remix_utils.errors import DataError
from remix_utils.tasks import TASKS, parens

ALL = parens.every(12)
STRINGS = parens.decode(ALL["tokens"])


def partners(text: str) -> bool:
    """Balanced by another route: strike out "()" until nothing is left."""
    while "()" in text:
        text = text.replace("()", "")
    return not text


def test_every_string_is_there_once():
    """Up to length 12 there are 4 + 16 + ... + 4,096 strings."""
    assert "parens" in TASKS
    assert len(STRINGS) == len(set(STRINGS)) == sum(2**n for n in range(2, 13, 2))


def test_labels_agree_with_striking_out_pairs():
    """Count and horizon test together find the balanced strings: 1, 2, 5, 14, 42, 132, as text and as tokens."""
    assert ALL["label"].tolist() == [int(partners(text)) for text in STRINGS]
    assert ALL["label"].tolist() == [int(parens.is_balanced(text)) for text in STRINGS]
    lengths = Counter(ALL["length"][ALL["label"] == 1].tolist())
    assert lengths == {2: 1, 4: 2, 6: 5, 8: 14, 10: 42, 12: 132}


def test_features_agree_with_the_text():
    """Each feature column says what its test says of the string."""
    assert ALL["count_ok"].tolist() == [parens.count_test(text) for text in STRINGS]
    assert ALL["horizon_ok"].tolist() == [parens.horizon_test(text) for text in STRINGS]
    assert ALL["left_ok"].tolist() == [parens.left_horizon_test(text) for text in STRINGS]
    assert ALL["starts_open"].tolist() == [text[0] == "(" for text in STRINGS]
    assert ALL["length"].tolist() == [len(text) for text in STRINGS]


def test_the_horizon_is_where_the_proportion_passes_one_half():
    """Proportions are those of the suffixes, and the horizon test is that none is above 1/2."""
    share = parens.open_proportion(ALL["tokens"])
    assert torch.equal((share <= 0.5).all(1), ALL["horizon_ok"])
    for row in range(0, len(STRINGS), 97):
        text = STRINGS[row]
        expected = [text[start:].count("(") / len(text[start:]) for start in range(len(text))]
        assert share[row, 1 : len(text) + 1].tolist() == pytest.approx(expected)
        assert share[row, len(text) + 1 :].sum() == 0 and share[row, 0] == share[row, 1]


def test_the_left_horizon_is_the_right_one_in_a_mirror():
    """A string read backwards, with each parenthesis turned, passes from the right what it passed from the left."""
    mirrored = [text[::-1].translate(str.maketrans("()", ")(")) for text in STRINGS]
    assert parens.describe(mirrored)["horizon_ok"].tolist() == ALL["left_ok"].tolist()
    assert [parens.horizon_test(text) for text in mirrored] == ALL["left_ok"].tolist()


def test_both_horizons_imply_the_count():
    """Balanced is what passes both horizons; every other pair of verdicts occurs, with and without the count."""
    left, right, label = ALL["left_ok"], ALL["horizon_ok"], ALL["label"] == 1
    assert torch.equal(left & right, label)
    verdicts = Counter(zip(left.tolist(), right.tolist(), ALL["count_ok"].tolist(), strict=True))
    fails = {(False, False, True), (False, False, False), (True, False, False), (False, True, False)}
    assert set(verdicts) == fails | {(True, True, True)}


@pytest.mark.parametrize("longest", [30, 40])
def test_the_left_horizon_holds_on_long_strings_too(longest):
    """On random strings up to 40, odd ones among them, the column is the test that reads the text."""
    drawn = parens.decode(parens.draw(300, seed=longest)["tokens"])
    strings = [text[: longest - row % 2] for row, text in enumerate(drawn) if len(text) > 1]
    expected = [parens.left_horizon_test(text) for text in strings]
    assert parens.describe(strings)["left_ok"].tolist() == expected and 0 < sum(expected) < len(expected)


def test_strings_survive_their_encoding():
    """decode(encode(strings)) gives the strings back, odd and longest ones too; the mask is true on them."""
    strings = ["(", ")()", "(" * 40, *STRINGS[:50]]
    tokens = parens.encode(strings)
    assert tokens.shape == (len(strings), parens.LENGTH) and parens.decode(tokens) == strings
    mask = parens.describe(strings)["mask"]
    assert mask.sum(1).tolist() == [len(text) + 2 for text in strings] and bool(mask[:, 0].all())


def test_proportions_are_the_published_ones():
    """Of 100,000 strings 26.4 % are balanced, 39.5 % and 39.3 % pass a test, 62 % start open: to 3 errors."""
    data = parens.draw(100_000, seed=5)
    published = {"label": 0.264, "count_ok": 0.395, "horizon_ok": 0.393, "starts_open": 0.62}
    for column, share in published.items():
        error = (share * (1 - share) / len(data)) ** 0.5
        assert abs(data[column].double().mean() - share) < 3 * error, column
    lengths = torch.bincount(data["length"], minlength=41)
    assert lengths[1::2].sum() == 0 and lengths[2::2].min() > 3000 and lengths[4::2].min() > 4700


def test_both_hard_negatives_are_there_at_every_length():
    """At every length some strings fail only one test, and from length 6 some of them start with "(" too."""
    data = parens.draw(100_000, seed=6)
    for length in range(2, 41, 2):
        here = data[(data["length"] == length).nonzero()[:, 0]]
        for other, failed in (("count_ok", "horizon_ok"), ("horizon_ok", "count_ok")):
            only = here[other] & ~here[failed]
            assert only.sum() > 200
            assert length < 6 or (only & here["starts_open"]).sum() > 50


def test_half_of_the_failures_are_narrow():
    """Of the long strings that fail only the count test, half or more have exactly two ")" too many."""
    data = parens.draw(50_000, seed=7)
    only_count = data["horizon_ok"] & ~data["count_ok"] & (data["length"] >= 20)
    excess = [text.count(")") - text.count("(") for text in parens.decode(data["tokens"][only_count])]
    share = excess.count(2) / len(excess)
    assert 0.5 < share < 0.75 and max(excess) > 10


def test_strings_of_one_kind_come_out_equally_often():
    """Each of the 42 balanced strings of length 10 is drawn, none more than chance allows."""
    data = parens.draw(100_000, seed=8)
    rows = (data["label"] == 1) & (data["length"] == 10)
    drawn = Counter(parens.decode(data["tokens"][rows]))
    assert len(drawn) == 42
    mean = rows.sum().item() / 42
    chi_squared = sum((count - mean) ** 2 / mean for count in drawn.values())
    assert chi_squared < 75  # 41 degrees of freedom: one seed in a thousand


def test_the_parts_share_no_long_string():
    """No string of 14 or more is in both parts, a quarter of them is held out, and both have the same proportions."""
    train, held_out = (set(parens.decode(parens.draw(30_000, 9, part)["tokens"])) for part in parens.PARTS)
    assert max(map(len, train & held_out)) < parens.SHARED_BELOW
    long = parens.draw(30_000, seed=10)
    tokens = long["tokens"][long["length"] >= 30]
    assert abs(parens._part(tokens, 0).double().mean() - 0.25) < 0.01
    held = parens.draw(30_000, 11, "held-out")
    assert abs(held["label"].double().mean() - 0.264) < 0.01 and abs(held["starts_open"].double().mean() - 0.62) < 0.01


def test_another_split_holds_out_other_strings():
    """The split is chosen by its own seed, not by that of the draw."""
    held = parens.draw(2000, 12, "held-out", split=1)
    long = held["tokens"][held["length"] >= 20]
    assert parens._part(long, 1).all() and 0.15 < parens._part(long, 0).double().mean() < 0.35


@pytest.mark.parametrize(
    ("part", "golden"),
    [
        (None, "782ffab2c1c4f571"),
        ("train", "6ef0008f19816661"),
        ("held-out", "422672faa8747bd2"),
    ],
)
def test_the_strings_are_those_of_their_seed(part, golden):
    """The same strings on every machine: their sha256."""
    text = "\n".join(parens.decode(parens.draw(5000, 0, part)["tokens"]))
    assert sha256(text.encode()).hexdigest()[:16] == golden


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: parens.encode(["()", "(]"]), "String 1 has ']'"),
        (lambda: parens.encode([""]), "String 0 has 0 parentheses; 1 to 40 fit"),
        (lambda: parens.encode(["(" * 41]), "String 0 has 41 parentheses"),
        (lambda: parens.describe(torch.zeros(2, 40, dtype=torch.int64)), r"not torch.int64 \[rows, 42\]"),
        (lambda: parens.describe(parens.encode(["()", "()"]).roll(1, 1)), "row 0 are not"),
        (lambda: parens.describe(parens.encode(["()"]).where(torch.arange(42) != 3, parens.PAD)), "row 0 are not"),
        (lambda: parens.every(20), "up to length 20"),
        (lambda: parens.draw(5, part="test"), 'ask for "train" or "held-out"'),
        (lambda: parens.draw(0), "0 strings were asked for"),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    """Foreign characters, lengths that do not fit, tokens of another form and unknown parts are named errors."""
    with pytest.raises(DataError, match=message):
        call()
