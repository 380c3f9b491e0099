"""Weights are read with their card, or not at all."""

import shutil

import pytest
import torch

from remix_utils.models.catalogue import MODELS, load
from remix_utils.models.model import SHIPPED, Model, ModelError, shipped


@pytest.fixture
def folder(tmp_path):
    for path in SHIPPED.glob("digits-a.*"):
        shutil.copy(path, tmp_path)
    return tmp_path


def test_an_unknown_model_names_the_nearest():
    """A typing error is answered with the name that was probably meant."""
    with pytest.raises(ModelError, match="nearest: 'digits-a'"):
        load("digit-a")


def test_a_wrong_checksum_is_an_error(folder):
    """One changed byte in the weights is found, and both checksums are named."""
    path = folder / "digits-a.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError, match=r"its weights have sha256 .*, its card says") as caught:
        shipped("digits-a", folder)
    assert caught.value.found != caught.value.expected


@pytest.mark.parametrize("suffix", [".safetensors", ".toml"])
def test_a_missing_file_is_an_error(folder, suffix):
    """Weights without their card are not read, nor a card without its weights."""
    (folder / f"digits-a{suffix}").unlink()
    with pytest.raises(ModelError, match="cannot be read"):
        shipped("digits-a", folder)


def test_a_card_without_a_checksum_is_an_error(folder):
    """A card that cannot vouch for the weights is no card."""
    (folder / "digits-a.toml").write_text('name = "digits-a"\n')
    with pytest.raises(ModelError, match="sha256"):
        shipped("digits-a", folder)


def test_every_model_has_weights_and_a_card():
    """The catalogue and the folder of weights list the same models, within 25 MB."""
    assert {path.stem for path in SHIPPED.glob("*.safetensors")} == set(MODELS)
    assert {path.stem for path in SHIPPED.glob("*.toml")} == set(MODELS)
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) < 25e6


class Letters:
    """A tokenizer: one token a letter."""

    def encode(self, text):
        return [ord(letter) - ord("a") for letter in text]

    def decode(self, tokens):
        return "".join(chr(token + ord("a")) for token in tokens)


def test_a_model_that_reads_text_has_tokens_heads_and_lengths():
    """Sequence lengths and heads are checked against the configuration; text goes to tokens and back."""
    config = {"n_ctx": 16, "n_layers": 2, "n_heads": 3}
    model = Model(
        "letters",
        config,
        {},
        build_graph=lambda weights, config, seq: seq,
        build_module=lambda weights, config: torch.nn.Identity(),
        tokenizer=Letters(),
        selector=lambda layer, head: f"blocks.{layer}.attn.head.{head}.out",
    )
    assert model.graph(seq=16) == 16 and model.head(1, 2) == "blocks.1.attn.head.2.out"
    assert model.decode(model.tokenize("cab")) == "cab" and model.tokenize("cab").tolist() == [2, 0, 1]
    for ask in (lambda: model.graph(), lambda: model.graph(seq=17), lambda: model.head(2, 0), lambda: model.head(0, 3)):
        with pytest.raises(ModelError, match="fix: "):
            ask()
