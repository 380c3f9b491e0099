"""IOI with tokenizers of every kind: words are single tokens after a space, and answers are read in their context."""

import re
from functools import lru_cache

import pytest
import torch
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    trainers,
)

from remix_utils.errors import DataError
from remix_utils.tasks import ioi
from remix_utils.tasks.ioi.vocabulary import AGAIN

# A name that opens a sentence, and templates without an object or a place: forms of one's own.
NAME_FIRST = "{first} and {second} went to the {place}, and {subject} gave a {object} to"
NO_OBJECT = "After {first} and {second} met at the {place}, {subject} waved to"
NO_PLACE = "Then {first} and {second} had a {object}. {subject} gave it to"
OWN_WORDS = " ".join(re.sub(r"{\w+}", "", form) for form in (NAME_FIRST, NO_OBJECT, NO_PLACE))
KNOWN = [*ioi.NAMES[::2], *ioi.PLACES[::2], *ioi.OBJECTS[::2]]
LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.,"


def corpus() -> list[str]:
    """Sentences in which every second name, place and object is frequent, and the others never occur."""
    literals = [re.sub(r"{\w+}", "", form) for form in (*ioi.TEMPLATES, AGAIN)]
    return [f"{text} {word}" for word in KNOWN for text in (*literals, OWN_WORDS, "A")]


def byte_pairs() -> Tokenizer:
    """GPT-2's kind: a word owns the space before it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=1200, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def pieces(prepend: str) -> Tokenizer:
    """Llama's kind: a space is a mark at the front of a word, which the first word has or lacks."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Metaspace(prepend_scheme=prepend), pre_tokenizers.Punctuation()]
    )
    trainer = trainers.BpeTrainer(vocab_size=1200, initial_alphabet=list(LETTERS), show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def unigrams() -> Tokenizer:
    """T5's kind: the likeliest pieces."""
    words = {word for text in corpus() for word in re.findall(r"\w+", text)}
    vocabulary = [("[unk]", 0.0), *((letter, -9.0) for letter in "▁" + LETTERS)]
    vocabulary += [(f"▁{word}", -8.0) for word in sorted(words)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
    return tokenizer


def word_pieces() -> Tokenizer:
    """BERT's kind: spaces are not kept, capitals neither."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[unk]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    trainer = trainers.WordPieceTrainer(
        vocab_size=900,
        initial_alphabet=list(LETTERS),
        show_progress=False,
        special_tokens=["[unk]"],
    )
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


def whole_words() -> Tokenizer:
    """Words of a fixed list; every other word is the one unknown token."""
    tokenizer = Tokenizer(models.WordLevel(unk_token="[unk]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.WordLevelTrainer(vocab_size=1000, special_tokens=["[unk]"], show_progress=False)
    tokenizer.train_from_iterator(corpus(), trainer)
    return tokenizer


KINDS = {
    "byte pairs": byte_pairs,
    "pieces, first word marked": lambda: pieces("first"),
    "pieces, first word bare": lambda: pieces("never"),
    "unigrams": unigrams,
    "word pieces": word_pieces,
    "whole words": whole_words,
}


@lru_cache
def trained(kind: str) -> Tokenizer:
    return KINDS[kind]()


@pytest.fixture(params=[(kind, start) for kind in KINDS for start in (False, True)], ids=str)
def encode(request):
    """An encode of each kind, with and without a token that begins every text."""
    kind, start = request.param
    tokenizer = trained(kind)
    number = tokenizer.get_vocab_size()
    return lambda text: [number] * start + tokenizer.encode(text).ids


def in_context(encode, words: tuple[str, ...]) -> dict[str, list[int]]:
    """What a word adds to the tokens of a text, the same after each of three texts."""
    fronts = ("After", "When Mary and", "It was late when the")
    read = {}
    for word in words:
        added = {tuple(encode(f"{front} {word}")[len(encode(front)) :]) for front in fronts}
        (read[word],) = added
    return read


def test_the_words_are_those_that_are_one_token_of_their_own(encode):
    """By brute force: one token more than the text before, which no other word and no nonsense has."""
    for among, choose in ((ioi.NAMES, ioi.names), (ioi.PLACES, ioi.places), (ioi.OBJECTS, ioi.objects)):
        read = in_context(encode, (*among, "Wkzvq"))
        lone = {word for word in among if len(read[word]) == 1 and list(read.values()).count(read[word]) == 1}
        found = choose(encode)
        assert set(found) == lone and list(found) == [word for word in among if word in lone]
        assert 0 < len(found) < len(among)
        for other in set(among) - set(found):  # alone of its kind, an unknown word has its token to itself
            assert choose(encode, among=(other, *found[1:3])) == found[1:3]


def drawn(encode, template: str | None = None, n: int = 40):
    """Prompts whose names, places and objects are single tokens."""
    return ioi.prompts(
        n,
        seed=3,
        templates=[template] if template else ioi.TEMPLATES,
        names=ioi.names(encode),
        places=ioi.places(encode),
        objects=ioi.objects(encode),
    )


def test_prompts_of_such_words_can_be_read(encode):
    """Every template, flip, swap and sentence in front: the tokens of a role are its word's, the answer's too."""
    words = in_context(encode, (*ioi.NAMES, *ioi.PLACES, *ioi.OBJECTS))
    clean = drawn(encode)
    changes = (clean, clean.abc(), clean.flip("S2").again("IO"), clean.swap("IO", "S"), clean.flip("order"))
    for prompts in changes:
        data = ioi.dataset(prompts, encode, pad=0)
        for row, prompt in enumerate(prompts):
            for role in ("IO", "S1", "S2", "place", "object"):
                expected = words[getattr(prompt, role)]
                assert [int(data["tokens"][row, data[f"position.{role}"][row]])] == list(expected)
                assert [int(data[f"token.{role}"][row])] == list(expected)
            assert (int(data["token.answer"][row]),) == words[prompt.answer]


@pytest.mark.parametrize("template", [NAME_FIRST, NO_OBJECT, NO_PLACE])
def test_the_answer_is_the_next_token(encode, template):
    """In templates of one's own, the answer's token is the one after the prompt, or it is refused."""
    prompts = drawn(encode, template)
    try:
        data = ioi.dataset(prompts, encode, pad=0)
    except DataError as refusal:
        assert template == NAME_FIRST and "put a word and a space before it" in str(refusal)
        return
    for row, prompt in enumerate(prompts):
        for role, name in (("IO", prompt.IO), ("S", prompt.S2), ("answer", prompt.answer)):
            whole = encode(f"{prompt.text} {name} .")
            length = int(data["mask"][row].sum())
            assert whole[:length] == data["tokens"][row][data["mask"][row]].tolist()
            assert int(data[f"token.{role}"][row]) == whole[length]
    assert ("position.object" in data) == ("{object}" in template)
    assert ("token.place" in data) == ("{place}" in template)


def test_a_name_at_the_front_is_another_token_than_the_answer():
    """Where words own their space, a template that begins with a name has two tokens for one name, told apart."""
    numbers: dict[str, int] = {}

    def encode(text):
        return [numbers.setdefault(part, len(numbers)) for part in re.findall(r" ?\w+| ?[^\w\s]", text)]

    prompts = ioi.prompts(60, seed=1, templates=[NAME_FIRST])
    data = ioi.dataset(prompts, encode, pad=0)
    abba = data["order"] == 0
    words = {number: part for part, number in numbers.items()}
    answers = [words[number] for number in data["token.answer"].tolist()]
    assert answers == [f" {prompt.IO}" for prompt in prompts]
    assert torch.equal(data["token.answer"], data["token.IO"])
    at_io = data["tokens"][torch.arange(60), data["position.IO"]]
    assert torch.equal(at_io != data["token.answer"], abba) and bool(abba.any()) and not bool(abba.all())


def test_changes_stay_within_the_names_of_the_prompts(encode):
    """Flips, swaps, ABC prompts, slices and sentences in front use no name that the prompts were not drawn from."""
    names = ioi.names(encode)[:8]
    clean = ioi.prompts(30, seed=5, names=names)
    changed = [clean.flip(role, seed=seed) for role in ("IO", "S", "S1", "S2") for seed in (0, 1)]
    changed += [clean.abc(seed=1), clean.swap("IO", "S1"), clean[3:9].flip("IO"), clean[[1, 2]].abc().again("S")]
    changed += [clean.flip("IO").flip("S").flip("IO", seed=2)]
    for prompts in changed:
        used = {word for text in prompts.texts for word in re.findall(r"\w+", text)} & set(ioi.NAMES)
        assert used <= set(names) and prompts.names == names
    assert {prompt.IO for prompt in clean} == set(names)


@pytest.mark.parametrize("size", [2, 3, 4, 5])
def test_fresh_names_run_out_with_a_word(size):
    """A prompt of two names can be flipped as often as names are left, and the next flip says that none is."""
    prompts = ioi.prompts(5, names=ioi.NAMES[:size])
    for flip in range(size - 2):
        prompts = prompts.flip("IO", seed=flip)
    with pytest.raises(DataError, match=f"needs a fresh name, .* has had {size} of {size}"):
        prompts.flip("S")


@pytest.mark.parametrize("convert", [list, tuple, torch.tensor, lambda ids: torch.tensor(ids).numpy()])
def test_an_encode_may_give_any_row_of_whole_numbers(convert):
    """Lists, tuples, tensors and arrays of numbers are read alike."""
    prompts = ioi.prompts(20, seed=4)
    data = ioi.dataset(prompts, lambda text: convert(ioi.TOKENIZER.encode(text)), pad=0)
    expected = ioi.dataset(prompts, pad=0)
    assert all(torch.equal(column, data[name]) for name, column in expected.columns.items())
    assert len(ioi.groups(prompts, lambda text: convert(ioi.TOKENIZER.encode(text)))) == len(ioi.groups(prompts))


def with_end(text: str) -> list[int]:
    return [*ioi.TOKENIZER.encode(text), 0]


def letters(text: str) -> list[int]:
    return [ord(letter) for letter in text]


def no_names(text: str) -> list[int]:
    """One number for all the names, as for words that a tokenizer does not know."""
    return [999 if ioi.VOCABULARY[number] in ioi.NAMES else number for number in ioi.TOKENIZER.encode(text)]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ioi.names(with_end), "pass an encode that adds nothing at the end of a text"),
        (lambda: ioi.names(letters), "None of 120 names is one token of its own"),
        (lambda: ioi.places(no_names, among=["Mary", "John"]), "None of 2 places is one token"),
        (lambda: ioi.names(no_names), "None of 120 names"),
        (lambda: ioi.objects(lambda text: {"input_ids": [1]}), "encode gave a dict for 'After'"),
        (lambda: ioi.objects(lambda text: [[1, 2]]), "encode gave a list for 'After', not a list of whole"),
        (lambda: ioi.names(lambda text: torch.ones(3)), "encode gave a Tensor"),
        (lambda: ioi.names(lambda text: None), "encode gave None for 'After'"),
        (lambda: ioi.dataset(ioi.prompts(9), no_names, pad=0), "are the same token, 999, in "),
        (lambda: ioi.dataset(ioi.prompts(9), lambda text: None, pad=0), "such as model.tokenizer.encode"),
        (lambda: ioi.dataset(ioi.prompts(9), letters, pad=0), r"fix: draw prompts\(..., objects=ioi.objects\(encode\)"),
    ],
)  # fmt: skip
def test_tokenizers_that_do_not_fit_are_refused(call, message):
    """What an encode gives is looked at, and the refusal says which words or which function to take instead."""
    with pytest.raises(DataError, match=message):
        call()


@pytest.mark.parametrize("kind", ["names", "places", "objects"])
def test_a_word_in_pieces_is_refused_with_its_kind(kind):
    """A name, a place or an object of two tokens is named, with the list to draw from."""

    def encode(text):
        return ioi.TOKENIZER.encode(text.replace("Maryjane", "Mary John").replace("toolbox", "box key"))

    words = {"names": ["Maryjane", "Anna"], "places": ["toolbox"], "objects": ["toolbox"]}[kind]
    prompts = ioi.prompts(4, **{kind: words})
    with pytest.raises(
        DataError, match=rf"is 2 tokens in .*\n  fix: draw prompts\(\.\.\., {kind}=ioi.{kind}\(encode\)"
    ):
        ioi.dataset(prompts, encode, pad=0)
