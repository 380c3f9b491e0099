"""Weights are read with their card, or not at all."""

import shutil
from dataclasses import replace
from hashlib import sha256

import pytest
import torch
from safetensors.torch import save

from remix_utils.errors import NodeError
from remix_utils.graph.evaluate import evaluate
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
    with pytest.raises(ModelError, match=r"digits-a.safetensors' has sha256 .*, its card says") as caught:
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
    fetched = {"smollm2"}
    for kind, names in (("safetensors", set(MODELS) - fetched), ("toml", set(MODELS))):
        assert {path.name.split(".")[0] for path in SHIPPED.glob(f"*.{kind}")} == names
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
        build_graph=lambda arrays, config, seq, mask: (seq, mask),
        build_module=lambda weights, config: torch.nn.Identity(),
        tokenizer=Letters(),
        selector=lambda layer, head: f"blocks.{layer}.attn.head.{head}.out",
    )
    assert model.graph(seq=16) == (16, False) and model.graph(seq=2, mask=True) == (2, True)
    assert model.head(1, 2) == "blocks.1.attn.head.2.out"
    assert model.decode(model.tokenize("cab")) == "cab" and model.tokenize("cab").tolist() == [2, 0, 1]
    for ask in (lambda: model.graph(), lambda: model.graph(seq=17), lambda: model.head(2, 0), lambda: model.head(0, 3)):
        with pytest.raises(ModelError, match="fix: "):
            ask()


def test_checkpoints_are_read_by_their_step(folder):
    """A card lists the steps; each has a file and a checksum of its own, and half precision is widened."""
    weights = {name: tensor.half() for name, tensor in load("digits-b").weights.items()}
    data = save(weights)
    (folder / "digits-a.step-20.safetensors").write_bytes(data)
    with (folder / "digits-a.toml").open("a") as card:
        card.write(f'[[checkpoints]]\nstep = 20\nsha256 = "{sha256(data).hexdigest()}"\n')
    found, card = shipped("digits-a", folder, step=20)
    assert {value.dtype for value in found.values()} == {torch.float32}
    torch.testing.assert_close(found["skip"], load("digits-b").weights["skip"], atol=1e-3, rtol=1e-3)
    assert replace(load("digits-a"), card=card).checkpoints == (20,)
    with pytest.raises(ModelError, match="no checkpoint at step 30; it has those at 20"):
        shipped("digits-a", folder, step=30)
    with pytest.raises(ModelError, match="no checkpoint at step 30; it has none"):
        load("digits-a", step=30)
    (folder / "digits-a.step-20.safetensors").write_bytes(data[:-1])
    with pytest.raises(ModelError, match="has sha256"):
        shipped("digits-a", folder, step=20)


def test_weights_changed_in_place_are_noticed():
    """Graphs share memory with `weights`; one that would compute with changed weights refuses."""
    model = load("digits-a")
    graph = model.graph()
    model.weights["skip"].zero_()
    with pytest.raises(NodeError, match="changed in place"):
        evaluate(graph, {"x": torch.zeros(1, 64)})
