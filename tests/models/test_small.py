"""The small transformers: weights, a card with a configuration, and what reads text are all that is needed."""

from hashlib import sha256

import pytest
import torch
from safetensors.torch import save
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from remix_utils.graph.evaluate import evaluate
from remix_utils.models.model import ModelError
from remix_utils.models.small import Bytes, load
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import parens
from remix_utils.tasks.ioi.vocabulary import VOCABULARY

TEXT = ["The old mill turned all night. Nobody in Quellbrook slept — café, naïve, 12.5 % 🙂\n\n  “So?” said Ysolde."]


def byte_level(size=300):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer.to_str().encode("utf-8")


def publish(folder, name, steps=(), extra="", **sizes):
    """A card and weights as training writes them."""
    table = {"n_layers": 2, "n_heads": 2, "d_model": 16, **sizes}

    def write(stem, seed):
        data = save(
            {key: value.half() for key, value in Transformer(TransformerConfig(**table), seed).state_dict().items()}
        )
        (folder / f"{stem}.safetensors").write_bytes(data)
        return sha256(data).hexdigest()

    lines = [f'sha256 = "{write(name, 0)}"', extra, "[config]"]
    lines += [
        f"{key} = {str(value).lower() if isinstance(value, bool) else repr(value)}" for key, value in table.items()
    ]
    for step in steps:
        lines += ["[[checkpoints]]", f"step = {step}", f'sha256 = "{write(f"{name}.step-{step}", step)}"']
    (folder / f"{name}.toml").write_text("\n".join(lines), encoding="utf-8")


@pytest.fixture
def induction(tmp_path):
    """A folder with a language model, two checkpoints of it, and its tokenizer."""
    data = byte_level()
    (tmp_path / "induction-2l.tokenizer.json").write_bytes(data)
    checksum = f'tokenizer_sha256 = "{sha256(data).hexdigest()}"'
    publish(tmp_path, "induction-2l", (10, 20), checksum, n_ctx=32, d_vocab=300, positions="shortformer")
    return tmp_path


def test_a_language_model_reads_text_and_has_checkpoints(induction):
    """Text goes to tokens, through the graph and back; a checkpoint has other weights and the same tokenizer."""
    model = load("induction-2l", folder=induction)
    read = model.tokenize("slept all night")
    assert model.decode(read) == "slept all night" and read.dtype == torch.int64
    logits = evaluate(model.graph(seq=len(read)), {"tokens": read})
    torch.testing.assert_close(logits, model.module()(read[None])[0], atol=1e-5, rtol=1e-5)
    assert model.checkpoints == (10, 20)
    early = load("induction-2l", step=10, folder=induction)
    assert not torch.equal(early.weights["embed.W_E"], model.weights["embed.W_E"])
    assert early.tokenize("night").tolist() == model.tokenize("night").tolist()


@pytest.mark.parametrize("text", [*TEXT, "", " ", "completely other words\t¿qué?", "日本"])
def test_any_text_comes_back_as_it_was(text):
    """A byte-level BPE loses nothing, not even what it never saw."""
    reader = Bytes(byte_level())
    assert reader.decode(reader.encode(text)) == text and max(reader.encode(text), default=0) < 300


@pytest.mark.parametrize("fault", ["absent", "changed", "without a checksum"])
def test_a_tokenizer_that_is_not_the_cards_is_refused(induction, fault):
    """Tokens would silently mean something else."""
    path, card = induction / "induction-2l.tokenizer.json", induction / "induction-2l.toml"
    if fault == "absent":
        path.unlink()
    elif fault == "changed":
        path.write_bytes(byte_level(290))
    else:
        card.write_text(card.read_text().replace("tokenizer_sha256", "tokenizer_was"))
    with pytest.raises(ModelError, match=r"'induction-2l\.tokenizer\.json' (has sha256|cannot be read)"):
        load("induction-2l", folder=induction)


@pytest.mark.parametrize("name", ["parens", "parens-planted"])
def test_a_classifier_of_parentheses_reads_a_string(tmp_path, name):
    """A string becomes [start], its parentheses, [end] and [pad]; the graph takes the task's own columns."""
    sizes = {"n_ctx": parens.LENGTH, "d_vocab": 5, "d_mlp": 8, "d_out": 2, "causal": False, "unembed_bias": True}
    publish(tmp_path, name, **sizes)
    model, data = load(name, folder=tmp_path), parens.describe(["(())", "())(()"])
    assert torch.equal(model.tokenize("(())"), data["tokens"][0]) and model.decode(data["tokens"][1]) == "())(()"
    logits = evaluate(model.graph(seq=parens.LENGTH, mask=True), data)
    torch.testing.assert_close(logits, model.module()(data["tokens"], data["mask"]), atol=1e-5, rtol=1e-5)


def test_a_word_level_model_keeps_the_words_it_was_trained_with(tmp_path):
    """Without a vocabulary on the card the task's words are meant; with one, those."""
    publish(tmp_path, "ioi-small", n_ctx=24, d_vocab=len(VOCABULARY))
    model = load("ioi-small", folder=tmp_path)
    name = VOCABULARY[5]
    assert model.tokenize(name).tolist() == [5] and model.decode(torch.tensor([5])) == name
    publish(tmp_path, "ioi-small-b", (), 'vocabulary = ["[pad]", "Ada", "left", "."]', n_ctx=24, d_vocab=4)
    assert load("ioi-small-b", folder=tmp_path).tokenize("Ada left.").tolist() == [1, 2, 3]


def test_a_tokenizer_of_another_size_is_refused(tmp_path):
    """A vocabulary that grew after training is noticed."""
    publish(tmp_path, "ioi-small", n_ctx=24, d_vocab=len(VOCABULARY) - 1)
    with pytest.raises(ModelError, match=f"knows {len(VOCABULARY)} tokens, its configuration says"):
        load("ioi-small", folder=tmp_path)


def test_weights_of_another_configuration_are_refused(tmp_path):
    """The first weight that does not fit is named, with both shapes."""
    publish(tmp_path, "parens", n_ctx=42, d_vocab=5)
    card = tmp_path / "parens.toml"
    card.write_text(card.read_text().replace("d_model = 16", "d_model = 32"))
    with pytest.raises(
        ModelError, match=r"weight 'blocks\.0\.attn\.W_K' is \[2, 16, 8\], in its configuration \[2, 32, 16\]"
    ):
        load("parens", folder=tmp_path)
