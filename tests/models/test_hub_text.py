"""Tokenizers from elsewhere: whole, or refused by the file that is missing."""

import itertools
import json

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from remix_utils.models import hub
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from tests.models.foreign_models import ARCHITECTURES, original, save

TEXT = "ab <|im_start|>né"
LETTERS = {letter: number for number, letter in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()))}
VOCABULARY = {**LETTERS, "ab": 256, "<|endoftext|>": 257}
FILES = {
    "vocab.json": json.dumps(VOCABULARY),
    "merges.txt": "#version: 0.2\na b\n",
    "added_tokens.json": json.dumps({"<|im_start|>": 258}),
    "special_tokens_map.json": json.dumps(
        {"bos_token": {"content": "<|endoftext|>"}, "additional_special_tokens": ["<|im_start|>"]}
    ),
    "tokenizer_config.json": json.dumps({"tokenizer_class": "GPT2Tokenizer", "add_prefix_space": False}),
}


def model(folder, kind="gpt2", vocab_size=260):
    save(original(kind, vocab_size=vocab_size), folder)
    return folder


def byte_level(folder, vocabulary, first=None):
    """Write a tokenizer.json with one token for each letter of the vocabulary."""
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    if first:
        made.add_special_tokens([first])
        made.post_processor = processors.TemplateProcessing(
            single=f"{first} $A", special_tokens=[(first, made.token_to_id(first))]
        )
    made.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "PreTrainedTokenizerFast"}')


def test_its_own_tokenizer_comes_along(tmp_path):
    """Text goes to the model's tokens and back; one that is damaged is refused."""
    byte_level(model(tmp_path), LETTERS)
    network = load(str(tmp_path))
    tokens = network.tokenize(" Mary, né .")
    assert network.decode(tokens) == network.decode(tokens.tolist()) == " Mary, né ."
    assert network.tokenize("abc").shape == (3,) and network.tokenize("").shape == (0,)
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer\.json cannot be read"):
        load(str(tmp_path)).tokenize("ab")


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_folder_without_a_tokenizer_says_so(kind, tmp_path):
    """Neither way can be gone, and the error names the file."""
    network = load(str(model(tmp_path, kind)))
    for ask in (lambda: network.tokenize("ab"), lambda: network.decode([1, 2])):
        with pytest.raises(ModelError, match=r"reads no text: the folder .* has no tokenizer\.json"):
            ask()


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_part_of_a_tokenizer_is_right_or_refused(kind, tmp_path):
    """Whatever files are missing, the tokens are those of the files that are there, or there are none."""
    model(tmp_path, kind)
    plain = [*(LETTERS[letter] for letter in "<|im_start|>")]
    right = ([256, 220, 258, 77, 127, 102], [256, 220, *plain, 77, 127, 102])
    for count in range(len(FILES) + 1):
        for present in itertools.combinations(FILES, count):
            for file in FILES:
                (tmp_path / file).unlink(missing_ok=True)
            for file in present:
                (tmp_path / file).write_text(FILES[file])
            try:
                tokens = load(str(tmp_path)).tokenize(TEXT).tolist()
            except ModelError:
                tokens = None
            named = {"added_tokens.json", "special_tokens_map.json"} & set(present)
            whole = {"vocab.json", "merges.txt"} <= set(present) and named != {"special_tokens_map.json"}
            assert tokens in (None, right["added_tokens.json" not in present]) and (whole or tokens is None), present


@pytest.mark.parametrize("kind", [kind for kind in ARCHITECTURES if kind not in ("mistral", "phi3")])
def test_the_whole_tokenizer_is_read_without_tokenizer_json(kind, tmp_path):
    """Older files hold a vocabulary and its merges; for Mistral and Phi-3 transformers itself reads no such files."""
    model(tmp_path, kind)
    for file, text in FILES.items():
        (tmp_path / file).write_text(text)
    assert load(str(tmp_path)).tokenize(TEXT).tolist() == [256, 220, 258, 77, 127, 102]


@pytest.mark.parametrize(
    ("missing", "message"),
    [
        ("merges.txt", "vocab.json without merges.txt"),
        ("vocab.json", "merges.txt without vocab.json"),
        ("added_tokens.json", r"no added_tokens.json, though special_tokens_map.json names the token '<\|im_start\|>'"),
    ],
)
def test_the_missing_file_is_named(missing, message, tmp_path):
    """The error says which part of the tokenizer is not there."""
    model(tmp_path)
    for file, text in FILES.items():
        if file != missing:
            (tmp_path / file).write_text(text)
    with pytest.raises(ModelError, match=message):
        load(str(tmp_path)).tokenize(TEXT)


@pytest.mark.parametrize("first", [None, "<s>"])
@pytest.mark.parametrize("text", ["xyz", "x", "\u00e9", " "])
def test_a_text_never_becomes_no_tokens(text, first, tmp_path):
    """A vocabulary without the letters of a text is refused, even if a token stands before every text."""
    byte_level(model(tmp_path), {"a": 0, "b": 1}, first)
    network = load(str(tmp_path))
    assert network.tokenize("ab").tolist() == ([2] if first else []) + [0, 1]
    with pytest.raises(ModelError, match="makes no token"):
        network.tokenize(text)


def test_a_letter_that_gets_lost_is_named(tmp_path):
    """Part of a text does not vanish either."""
    byte_level(model(tmp_path), {"a": 0, "b": 1})
    with pytest.raises(ModelError, match="makes no token of 'x' in 'abxab'"):
        load(str(tmp_path)).tokenize("abxab")


def test_tokens_that_the_network_does_not_have_are_refused(tmp_path):
    """The tokenizer of a larger model is told by its first token outside the vocabulary."""
    byte_level(model(tmp_path, vocab_size=40), LETTERS)
    network = load(str(tmp_path))
    assert network.tokenize("!!").tolist() == [LETTERS["!"]] * 2
    with pytest.raises(ModelError, match=rf"makes token {LETTERS['z']} of '!z', but the network has 40 tokens"):
        network.tokenize("!z")


def test_all_files_of_a_tokenizer_are_asked_for():
    """Files that no pattern matches would be left on the hub, and the tokens would be others."""
    assert {*FILES, "tokenizer.json", "tokenizer.model"} <= set(hub.FILES)
