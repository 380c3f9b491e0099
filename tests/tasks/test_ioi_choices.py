"""What IOI prompts may be drawn from: templates and words are looked at before anything is drawn."""

import re

import pytest

from remix_utils.errors import DataError
from remix_utils.tasks import ioi


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ("After {A} and {second} met, {subject} spoke to", r"has the field {A}, which prompts do not fill"),
        ("After {firs} and {second} met, {subject} spoke to", "nearest: 'first'"),
        ("After {first} and {second} met, {S} spoke to", r"fix: use {first}, {second}, {subject}, {place}, {object}"),
        ("After {} and {second} met, {subject} spoke to", r"has the field {}"),
        ("After {0} and {second} met, {subject} spoke to", r"has the field {0}"),
        ("After {first.upper} and {second} met, {subject} spoke to", r"has the field {first.upper}"),
        ("After {first:>9} and {second} met, {subject} spoke to", r"has the field {first:>9}"),
        ("After {first!r} and {second} met, {subject} spoke to", r"has the field {first!r}"),
        ("After {first} met, {subject} spoke to", r"has no {second}"),
        ("After {first} and {second} met, he spoke to", r"has no {subject}"),
        ("After {first} and {second met, {subject} spoke to", "write {{ and }} for braces"),
        ("After {first} and {second}} met, {subject} spoke to", "cannot be read: Single '}'"),
        ("After {first} and {second} met, {subject} spoke to ", "with a space at an end"),
        ("", "hold '', which is no text"),
        (None, "hold None, which is no text"),
    ],
)
def test_templates_that_cannot_be_filled_are_refused(template, message):
    """Each field that is unknown, formatted or missing is named, before anything is drawn and wherever it is read."""
    with pytest.raises(DataError, match=re.escape(message.replace("\\", ""))):
        ioi.prompts(3, templates=[*ioi.TEMPLATES, template])
    if template and "at an end" not in message:
        with pytest.raises(DataError, match=re.escape(message.replace("\\", ""))):
            ioi.Prompt(template, "Mary", "John", "John", "store", "drink", "ABBA").pieces()


def test_a_field_may_come_again():
    """A name, a place or an object that a template repeats has its position where it stands first."""
    form = (
        "After {first} and {second} reached the {place}, the {place}, {subject} handed the {object} to {subject}. "
        "Soon {first} stopped to"
    )
    prompts = ioi.prompts(20, seed=2, templates=[form])
    data = ioi.dataset(prompts, pad=0)
    for row, prompt in enumerate(prompts):
        first = {"ABBA": "IO", "BABA": "S1"}[prompt.order]
        assert prompt.text.endswith(f"to {prompt.S2}. Soon {getattr(prompt, first)} stopped to")
        tokens = data["tokens"][row][data["mask"][row]].tolist()
        assert tokens[: int(data["position.place"][row]) + 1].count(data["token.place"][row]) == 1
        assert tokens.count(data["token.place"][row]) == 2
        assert ioi.VOCABULARY[data["tokens"][row, data["position.S2"][row]]] == prompt.S2


def test_some_prompts_without_an_object_are_refused():
    """A role that only some of the prompts have would have no position in the others."""
    prompts = ioi.prompts(
        30, templates=["When {first} and {second} reached the {place}, {subject} handed it to", *ioi.TEMPLATES[:2]]
    )
    with pytest.raises(DataError, match=r"of 30 prompts have no object, as in 'When .*\n  fix: make one dataset"):
        ioi.dataset(prompts, pad=0)


@pytest.mark.parametrize("kind", ["names", "places", "objects", "templates"])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("Mary", "from a list or a tuple, and got a str"),
        ({"Mary", "John"}, "from a list or a tuple, and got a set"),
        (["Mary", "John", "Mary"], "hold 'Mary' more than once"),
        (["Mary", " John"], "fix: write 'John'"),
        (["Mary", 3], "hold 3, which is no text"),
        ([], "need at least"),
    ],
)  # fmt: skip
def test_words_to_draw_from_are_looked_at(kind, given, message):
    """Names, places, objects and templates come in an order, each once, without spaces around them."""
    with pytest.raises(DataError, match=f"{kind}|{kind[:-1]}") as refusal:
        ioi.prompts(3, **{kind: given})
    assert message in str(refusal.value)


def test_one_name_is_not_enough():
    """A prompt has two names."""
    with pytest.raises(DataError, match="Prompts need at least 2 names, and got 1"):
        ioi.prompts(3, names=["Mary"])


def test_a_part_that_holds_nothing_is_refused():
    """With few names all pairs may be in one part: drawing from the other ends with a word instead of never."""
    for seed in range(6):
        names = ioi.NAMES[2 * seed : 2 * seed + 2]
        parts = []
        for part in ("train", "held-out"):
            try:
                parts.append(len(ioi.prompts(3, seed, part, names=names, templates=ioi.TEMPLATES[:1])))
            except DataError as refusal:
                assert f"No pair of these 2 names is in the part {part!r} for any of 1 template" in str(refusal)
        assert parts == [3]
