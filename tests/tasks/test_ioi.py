"""Indirect object identification: roles are found in any encoding, flips change what they say, parts stay apart."""

import re
from collections import Counter
from hashlib import sha256

import pytest
import torch

from remix_utils.errors import DataError
from remix_utils.tasks import TASKS, ioi
from remix_utils.tasks.ioi.families import MIXED
from remix_utils.tasks.ioi.prompt import _held_out

PROMPTS = ioi.prompts(400, seed=1)
SINGLE = {*ioi.NAMES, *ioi.PLACES, *ioi.OBJECTS}
PIECES: dict[str, int] = {}


def letters(text: str) -> list[int]:
    """An encoding like a language model's: a start token, and words other than the task's in several pieces."""
    words = re.findall(r" ?\w+|[^\w\s]", text)
    pieces = [word if word.strip() in SINGLE else list(word) for word in words]
    flat = [piece for each in pieces for piece in ([each] if isinstance(each, str) else each)]
    return [0] + [PIECES.setdefault(piece, len(PIECES) + 1) for piece in flat]


def digest(lines) -> str:
    """The beginning of the sha256 of lines of text."""
    return sha256("\n".join(lines).encode()).hexdigest()[:16]


def test_there_is_enough_of_everything():
    """15 templates of which 3 are kept from training, at least 99 names, 20 places and 20 objects, none twice."""
    assert "ioi" in TASKS
    assert len(set(ioi.TEMPLATES)) == 15 and ioi.TRAIN_TEMPLATES == 12
    assert len(ioi.NAMES) >= 99 and len(ioi.PLACES) >= 20 and len(ioi.OBJECTS) >= 20
    assert len(SINGLE) == len(ioi.NAMES) + len(ioi.PLACES) + len(ioi.OBJECTS)


def test_prompts_are_even():
    """Every template, order, name, place and object is drawn about as often as the others of its kind."""
    rows = ioi.prompts(6000, seed=2).rows
    for values, kinds in (
        ([row.template for row in rows], 15),
        ([row.order for row in rows], 2),
        ([row.IO for row in rows], len(ioi.NAMES)),
        ([row.place for row in rows], len(ioi.PLACES)),
        ([row.object for row in rows], len(ioi.OBJECTS)),
    ):
        counts, mean = Counter(values), 6000 / kinds
        assert len(counts) == kinds and all(abs(count - mean) < 5 * mean**0.5 for count in counts.values())


def test_a_prompt_names_the_subject_twice_and_the_answer_once():
    """ABBA names the IO first, BABA the subject; the word that is missing is the IO."""
    for prompt in PROMPTS:
        named = [word for word in re.findall(r"\w+", prompt.text) if word in ioi.NAMES]
        a, b = prompt.IO, prompt.S2
        assert named == ([a, b, b] if prompt.order == "ABBA" else [b, a, b])
        assert prompt.answer == a != b and {prompt.S1} == {b} and not prompt.text.endswith(" ")
        assert prompt.text.split()[0] not in ioi.NAMES


@pytest.mark.parametrize("encode", [ioi.TOKENIZER.encode, letters])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("change", ["none", "again", "abc"])
def test_roles_are_found_in_any_encoding(encode, side, change):
    """At the position of a role stands its word, whatever the tokenizer and wherever the padding."""
    prompts = {"none": PROMPTS, "again": PROMPTS.again("IO"), "abc": PROMPTS.abc()}[change]
    data = ioi.dataset(prompts, encode, pad=10**6, side=side)
    start = len(encode(""))
    rows = torch.arange(len(prompts))
    for role in ("IO", "S1", "S2", "place", "object"):
        words = [getattr(prompt, role) for prompt in prompts]
        expected = torch.tensor([encode(" " + word)[start] for word in words])
        assert torch.equal(data["tokens"][rows, data[f"position.{role}"]], expected)
        assert torch.equal(data[f"token.{role}"], expected)
    assert torch.equal(data["position.S1+1"], data["position.S1"] + 1)
    assert torch.equal(data["position.IO"] < data["position.S1"], data["order"] == 0)
    assert bool((data["position.S1"] < data["position.S2"]).all())
    assert data["tokens"][rows, data["position.END"]].tolist() == [encode(text)[-1] for text in prompts.texts]


@pytest.mark.parametrize("encode", [ioi.TOKENIZER.encode, letters])
def test_padding_hides_nothing(encode):
    """Under the mask are exactly the tokens of the text; END is the last of them, at −1 when padded on the left."""
    left, right = (ioi.dataset(PROMPTS, encode, pad=10**6, side=side) for side in ("left", "right"))
    for row, text in enumerate(PROMPTS.texts):
        assert left["tokens"][row][left["mask"][row]].tolist() == encode(text)
        assert right["tokens"][row, : len(encode(text))].tolist() == encode(text)
    assert set(left["position.END"].tolist()) == {left["tokens"].shape[1] - 1}
    assert torch.equal(right["position.END"], right["mask"].sum(1) - 1)


def test_groups_hold_every_row_once():
    """One dataset for each length, nothing padded, and `row` leads back to the prompts."""
    groups = ioi.groups(PROMPTS)
    assert sorted(row for data in groups for row in data["row"].tolist()) == list(range(len(PROMPTS)))
    for data in groups:
        assert bool(data["mask"].all())
        for row, tokens in zip(data["row"].tolist(), data["tokens"].tolist(), strict=True):
            assert tokens == ioi.TOKENIZER.encode(PROMPTS[row].text)
            assert ioi.TEMPLATES[data[data["row"].tolist().index(row)]["template"]] == PROMPTS[row].template


@pytest.mark.parametrize(("role", "changed"), [("IO", "IO"), ("S", "S1 S2"), ("S1", "S1"), ("S2", "S2")])
def test_a_random_flip_changes_its_role_only(role, changed):
    """Each place of the role gets one and the same name that was not in the prompt; everything else stays."""
    flipped = PROMPTS.flip(role, seed=4)
    for old, new in zip(PROMPTS, flipped, strict=True):
        names = {getattr(new, place) for place in changed.split()}
        assert len(names) == 1 and not names & {old.IO, old.S1, old.S2}
        for field in {"template", "IO", "S1", "S2", "place", "object", "order"} - set(changed.split()):
            assert getattr(old, field) == getattr(new, field)


def test_flips_compose_without_meeting():
    """One flip after another never brings back a name, so ABC prompts have three names of their own."""
    for old, new in zip(PROMPTS, PROMPTS.flip("IO").flip("S").flip("IO", seed=1).abc(), strict=True):
        assert len({new.IO, new.S1, new.S2}) == 3 and not {new.IO, new.S1, new.S2} & {old.IO, old.S1}
        assert len(new.before) == 3 * 6


def test_the_order_flips_back():
    """Flipping the order twice gives the same prompts; once, the names change places and the roles with them."""
    flipped = PROMPTS.flip("order")
    assert flipped.flip("order") == PROMPTS and flipped.answers == PROMPTS.answers
    data, other = (ioi.dataset(each, pad=0) for each in (PROMPTS, flipped))
    assert torch.equal(data["position.IO"], other["position.S1"]) and torch.equal(data["token.IO"], other["token.IO"])
    assert torch.equal(data["order"], 1 - other["order"])


def test_swaps_keep_the_places():
    """Exchanging IO and S1 gives the text of the other order, with the roles where they were; twice, the old one."""
    swapped = PROMPTS.swap("IO", "S1")
    assert swapped.texts == PROMPTS.flip("order").texts and swapped.flip("order") != PROMPTS
    assert swapped.swap("IO", "S1") == PROMPTS == PROMPTS.swap("IO", "S").swap("IO", "S")
    assert all(
        new.S2 == old.IO and new.S1 == old.S1 for old, new in zip(PROMPTS, PROMPTS.flip("S2", "IO"), strict=True)
    )


def test_one_more_sentence_names_its_role():
    """`again` names the IO or the subject once more, in front."""
    for role, index in (("IO", 2), ("S", 3)):
        for prompt in PROMPTS[:20].again(role):
            name = prompt.IO if role == "IO" else prompt.S2
            assert prompt.text.startswith(f"Today {name} ") and len(re.findall(rf"\b{name}\b", prompt.text)) == index


def test_flips_need_no_global_seed():
    """Nothing here reads or moves torch's own generator, and the same seed gives the same prompts."""
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    first = ioi.prompts(50, 3).flip("S", seed=9), ioi.sentences(20, 1)["tokens"]
    assert torch.equal(torch.random.get_rng_state(), before)
    torch.manual_seed(1)
    assert first[0] == ioi.prompts(50, 3).flip("S", seed=9) != ioi.prompts(50, 3).flip("S", seed=8)
    assert torch.equal(first[1], ioi.sentences(20, 1)["tokens"])


def test_the_parts_share_no_pair_with_its_template():
    """No template with two names, in either order, is both trained on and held out; a fifth of all is held out."""
    combinations = [
        {(row.template, frozenset((row.IO, row.S1))) for row in ioi.prompts(4000, 5, part).rows}
        for part in ("train", "held-out")
    ]
    assert not combinations[0] & combinations[1]
    everything = ioi.prompts(4000, 6, templates=ioi.TEMPLATES[:12]).rows
    share = sum(_held_out(r.template, r.IO, r.S1, 0) for r in everything) / 4000
    assert abs(share - 0.2) < 0.03


def test_unseen_templates_are_unseen_and_their_words_are_not():
    """Training uses twelve templates and all the words of the other three."""
    assert {row.template for row in ioi.prompts(300, 7, "train").rows} == set(ioi.TEMPLATES[:12])
    assert {row.template for row in ioi.prompts(300, 7, "unseen").rows} == set(ioi.TEMPLATES[12:])
    trained = ioi.sentences(3000, 8)["tokens"]
    unseen = torch.tensor([n for text in ioi.prompts(200, 9, "unseen").texts for n in ioi.TOKENIZER.encode(text)])
    assert bool(torch.isin(unseen, trained).all())


def test_the_vocabulary_is_what_the_sentences_are_made_of():
    """Each word of the vocabulary is used, and texts survive their encoding."""
    families = {"ioi": 3, "crowded": 1, "subject": 1}
    used = ioi.sentences(4000, 10, part=None, families=families)["tokens"].unique().tolist()
    assert used == list(range(len(ioi.VOCABULARY)))
    for text in PROMPTS.again("S").texts:
        assert ioi.TOKENIZER.decode(ioi.TOKENIZER.encode(text)) == text


def test_sentences_weigh_their_answers():
    """The last full stop follows the answer, which weighs what one says; padding and the first word weigh nothing."""
    data = ioi.sentences(500, 11, answer_weight=7)
    for tokens, weight, end in zip(data["tokens"], data["weight"], data["position.answer"], strict=True):
        words = [ioi.VOCABULARY[number] for number in tokens.tolist()]
        length = words.index("[pad]") if "[pad]" in words else len(words)
        assert words[length - 1] == "." and words[end] in ioi.NAMES and end == length - 2
        assert weight[0] == 0 and weight[end] == 7 and weight[length:].sum() == 0
        assert weight.sum() == 7 + length - 2
    assert torch.equal(data["token.answer"], data["tokens"][torch.arange(500), data["position.answer"]])


def test_families_answer_as_they_say():
    """IOI answers with who was named once, also mixed; subject with who was named twice, ABC with either, evenly."""
    data = ioi.sentences(4000, 12, families=dict.fromkeys(ioi.FAMILIES, 1))
    positions = Counter()
    for row in data:
        words = ioi.TOKENIZER.decode(row["tokens"][0].tolist()).replace(".", " ").replace(",", " ").split()
        *named, answer = [word for word in words if word in ioi.NAMES]
        family = ioi.FAMILIES[row["family"]]
        assert named.count(answer) == (2 if family == "subject" else 1)
        assert len(set(named)) == (3 if family in ("abc", "crowded") else 2)
        positions[family, named.index(answer) - (family == "crowded")] += 1
    assert {place for _, place in positions} == {0, 1} and all(
        abs(positions[family, 0] - positions[family, 1]) < 120 for family in ioi.FAMILIES
    )


def test_mixed_templates_are_made_of_those_of_training():
    """Each begins like one and ends like another, has one object and every name; no template of the others is one."""
    trained = set(ioi.TEMPLATES[: ioi.TRAIN_TEMPLATES])
    for form in MIXED:
        opening, rest = form.split("{first}")
        assert any(each.startswith(opening + "{first}") for each in trained)
        assert any(each.endswith(rest[-8:]) for each in trained)
        assert all(form.count(slot) == 1 for slot in ("{first}", "{second}", "{subject}", "{place}", "{object}"))
    assert trained < set(MIXED) and set(MIXED).isdisjoint(ioi.TEMPLATES[ioi.TRAIN_TEMPLATES :])
    assert len(set(MIXED)) == len(MIXED) > 1000


def test_the_texts_are_those_of_their_seed():
    """The same vocabulary, prompts, flips and sentences on every machine: their sha256."""
    assert digest(ioi.VOCABULARY) == "2c34858a510e00ac"
    assert digest(ioi.prompts(500, 0).texts) == "8f7199116191006c"
    assert digest(ioi.prompts(500, 0, "held-out").abc(seed=3).texts) == "3c74cb0a20080004"
    assert digest(map(str, ioi.sentences(500, 0)["tokens"].tolist())) == "3ec9f747d66291fd"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ioi.prompts(2, part="test"), "IOI has no part 'test'"),
        (lambda: ioi.prompts(2, order="AABB"), "IOI has no order 'AABB'"),
        (lambda: ioi.prompts(0), "0 prompts were asked for"),
        (lambda: ioi.prompts(2, part="unseen", templates=ioi.TEMPLATES[:2]), "None of the 2 templates"),
        (lambda: PROMPTS.flip("END"), "No name has the role 'END'"),
        (lambda: PROMPTS.flip("S2", to="S"), "fix: use one of 'IO', 'S1', 'S2'"),
        (lambda: PROMPTS.swap("IO", "place"), "No name has the role 'place'"),
        (lambda: ioi.dataset(PROMPTS), "The prompts have 13 to 22 tokens"),
        (lambda: ioi.dataset(PROMPTS[:0]), "There are 0 prompts"),
        (lambda: ioi.dataset(PROMPTS, pad=0, side="top"), "no side 'top'"),
        (lambda: ioi.dataset(PROMPTS, lambda text: [ord(c) for c in text], pad=0), r"is \d+ tokens in"),
        (lambda: ioi.dataset(PROMPTS, lambda text: [*ioi.TOKENIZER.encode(text), 0], pad=0), "are not the first of"),
        (lambda: ioi.TOKENIZER.encode("Mary handd"), "The word 'handd' is not in the vocabulary; nearest: 'handed'"),
        (lambda: ioi.sentences(0), "0 sentences were asked for"),
        (lambda: ioi.sentences(2, families={"abd": 1}), "IOI has no family 'abd'; nearest: 'abc'"),
        (lambda: ioi.sentences(2, families={"abc": 0}), "make one of them positive"),
        (lambda: ioi.sentences(2, families={"abc": -1, "ioi": 2}), "none negative"),
        (lambda: ioi.sentences(2, part="unseen", families={"mixed": 1}), "no mixed templates in the part .unseen."),
    ],
)
def test_what_cannot_be_is_refused(call, message):
    """Unknown parts, orders, roles, sides, words and families, and tokenizers that cut a name in two."""
    with pytest.raises(DataError, match=message):
        call()
