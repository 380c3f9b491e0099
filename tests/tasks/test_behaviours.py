"""Ready behaviours: prompts beside their counterfactuals, as tokens, for any tokenizer."""

import re
from dataclasses import replace

import pytest
import torch

from remix_utils.errors import DataError
from remix_utils.tasks.behaviours import BEHAVIOURS, Prompt, dataset, in_front, prompts, ready
from remix_utils.tasks.ioi.vocabulary import TOKENIZER
from tests import tiny_gpt2

PLAIN = Prompt("After Mary and John", "After Kate and John", (" went",), (" met",), "Mary", 0)


def digits(text):
    """Words with their space are tokens, and so is each digit, as in SmolLM2."""
    return [hash(piece) for piece in re.findall(r" ?[A-Za-z']+|\d|\W", text)]


def pairs(text):
    """Words with their space are tokens, and so are two digits, as GPT-2 reads most years."""
    return [hash(piece) for piece in re.findall(r" ?[A-Za-z']+|\d\d|\W", text)]


@pytest.fixture(scope="module")
def encode():
    """A byte-pair tokenizer trained on the task of indirect objects."""
    made = tiny_gpt2.tokenizer()
    return lambda text: made.encode(text).ids


def readable(encode):
    return [(name, encode) for name in ready(encode)]


def test_a_tokenizer_says_what_it_can_read(encode):
    """The word tokenizers know sentences about names; one of English words reads all, if there is room."""
    assert ready(TOKENIZER.encode) == ready(encode) == ("mentioned", "induction", "subject")
    assert ready(digits) == ready(pairs) == tuple(BEHAVIOURS)
    assert ready(digits, longest=20) == ("gender", "induction")


def test_a_counterfactual_changes_the_fact_and_nothing_before_it(encode):
    """As many tokens, another one at the fact, the same before it, and right words that differ from wrong ones."""
    for name, read in [*readable(TOKENIZER.encode), *readable(encode), *readable(digits), *readable(pairs)]:
        drawn = prompts(name, read, each=4, seed=3)
        data = dataset(drawn, read)
        assert len(drawn) == 4 * BEHAVIOURS[name][0] and data["mask"][:, -1].all()
        for row, place in enumerate(data["position.fact"].tolist()):
            assert torch.equal(data["tokens"][row, :place], data["other.tokens"][row, :place])
            assert data["tokens"][row, place] != data["other.tokens"][row, place]
        assert (data["right"].sum(1) >= 1).all() and (~data["right"]).sum(1).min() >= 1


def test_the_same_fact_has_the_same_answers(encode):
    """Rows of one template and fact may be exchanged: the same words are right in both."""
    for name, read in [*readable(TOKENIZER.encode), *readable(encode), *readable(digits), *readable(pairs)]:
        seen = {}
        for prompt in prompts(name, read, each=30, seed=4, facts=4):
            assert seen.setdefault((prompt.template, prompt.fact), prompt.right) == prompt.right
        if name != "greater-than":
            facts = [sum(template == number for template, _ in seen) for number in range(BEHAVIOURS[name][0])]
            assert max(facts) <= 4, name


def test_a_seed_decides_everything():
    """The same seed gives the same prompts, another seed others."""
    one, again, other = (prompts("mentioned", TOKENIZER.encode, 2, seed) for seed in (5, 5, 6))
    assert one == again and one != other


def test_years_in_digits_and_in_pairs():
    """By digits, the tens decide, the own decade included; by pairs, every later year is right."""
    for prompt in prompts("greater-than", digits, each=6, seed=2):
        assert prompt.right == tuple(str(digit) for digit in range(int(prompt.fact), 10))
    for prompt in prompts("greater-than", pairs, each=6, seed=2):
        assert prompt.right == tuple(f"{year:02}" for year in range(int(prompt.fact) + 1, 100))
        assert prompt.other.count(f"{prompt.text[-2:]}01") == 1


def test_a_sentence_in_front_is_the_same_for_both_texts():
    """Misleading and control have one form, and the prompt is otherwise the same."""
    drawn = prompts("subject", TOKENIZER.encode, each=2)
    for kind in ("misleading", "control"):
        for before, after in zip(drawn, in_front(drawn, kind), strict=True):
            front = getattr(before, kind)
            assert (after.text, after.other) == (front + before.text, front + before.other)
            assert replace(after, text=before.text, other=before.other) == before


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ([], "0 prompts"),
        ([replace(PLAIN, other="After Kate")], "4 tokens and its counterfactual"),
        ([replace(PLAIN, other=PLAIN.text)], "4 tokens and its counterfactual"),
        ([replace(PLAIN, wrong=(" went away",))], "not 1 of its own"),
        ([replace(PLAIN, wrong=(" went",))], "are one token"),
        ([PLAIN, replace(PLAIN, wrong=(" met", " and"))], "2 to 3 next words"),
    ],
)
def test_prompts_that_cannot_be_compared_are_refused(wrong, message):
    """Other lengths, no difference, next words that are cut, equal, or of other numbers."""
    with pytest.raises(DataError, match=message + r"(.|\n)*fix: "):
        dataset(wrong, digits)


def test_what_is_not_there_is_refused():
    """An unknown behaviour names the nearest one; a tokenizer without the words, and a prompt without a sentence."""
    with pytest.raises(DataError, match=r"nearest: 'gender'(.|\n)*fix: "):
        prompts("gendre", TOKENIZER.encode, 1)
    with pytest.raises(DataError, match=r"fix: "):
        prompts("greater-than", TOKENIZER.encode, 1)
    with pytest.raises(DataError, match=r"at least one(.|\n)*"):
        prompts("subject", TOKENIZER.encode, 0)
    with pytest.raises(DataError, match=r"no control sentence(.|\n)*fix: "):
        in_front([PLAIN], "control")
    with pytest.raises(DataError, match=r"There is no sentence(.|\n)*fix: "):
        in_front([PLAIN], "behind")
