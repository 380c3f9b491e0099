"""Weights and configuration of foreign models held against each other, weight by weight."""

import itertools
import json

import numpy
import pytest
import torch
from safetensors.torch import load_file, save_file

from remix_utils.graph.evaluate import evaluate
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from tests.models.foreign_models import ARCHITECTURES, KINDS, TOKENS, close, original, save

BASE = {"gpt2": "transformer.", "neox": "gpt_neox."}
NUMBERS = {
    "gpt2": ("n_embd", "n_head", "n_inner", "n_positions", "n_layer", "vocab_size"),
    "llama": (
        "hidden_size",
        "num_attention_heads",
        "num_key_value_heads",
        "head_dim",
        "intermediate_size",
        "num_hidden_layers",
        "vocab_size",
    ),
}


def edit(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def rewrite(folder, change):
    path = folder / "model.safetensors"
    save_file({key: value.contiguous() for key, value in change(load_file(path)).items()}, path, {"format": "pt"})


@pytest.fixture
def auto():
    """Logits of a folder's model as transformers reads it."""
    from transformers import AutoModelForCausalLM

    def logits(folder):
        with torch.no_grad():
            return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")(TOKENS).logits

    return logits


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_weight_of_another_shape_is_named_with_both(kind, tmp_path):
    """Each weight of each family, with a row more: the error holds its name, its shape and the configuration's."""
    save(original(kind), tmp_path)
    whole = load_file(tmp_path / "model.safetensors")
    for key, value in whole.items():
        longer = torch.cat([value, value[:1]])
        save_file({**whole, key: longer}, tmp_path / "model.safetensors")
        with pytest.raises(ModelError) as caught:
            load(str(tmp_path))
        assert caught.value.weight in key and f"is {list(longer.shape)}, in its configuration" in str(caught.value)
        assert (caught.value.found, caught.value.expected) == (tuple(longer.shape), tuple(value.shape))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_number_of_a_configuration_is_held_against_the_weights(kind, tmp_path, auto):
    """A number that is another is refused by name, or it is one that transformers reads the same way."""
    save(original(kind), tmp_path)
    table = json.loads((tmp_path / "config.json").read_text())
    for entry, factor in itertools.product(NUMBERS.get(kind, NUMBERS["llama"]), (2, 0.5, 0.3)):
        edit(tmp_path, **{**table, entry: max(int((table.get(entry) or 8) * factor), 1)})
        try:
            found = load(str(tmp_path)).module()(TOKENS)
        except ModelError as error:
            assert error.fix
        else:
            torch.testing.assert_close(found, auto(tmp_path), atol=1e-4, rtol=1e-4, msg=lambda text, e=entry: e + text)


@pytest.mark.parametrize(("kind", "says"), list(itertools.product(ARCHITECTURES, (True, False))))
def test_an_unembedding_in_the_file_is_read_as_transformers_reads_it(kind, says, tmp_path, auto):
    """Whatever the configuration says, an unembedding that differs from the embedding is not tied to it."""
    save(original(kind, tie_word_embeddings=False), tmp_path)
    edit(tmp_path, tie_word_embeddings=says)
    model = load(str(tmp_path))
    torch.testing.assert_close(model.module()(TOKENS), auto(tmp_path), atol=1e-4, rtol=1e-4)
    close(evaluate(model.graph(seq=12), {"tokens": TOKENS}), model.module()(TOKENS))
    assert model.config["tied"] is False


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_unembedding_that_is_the_embedding_is_tied(kind, tmp_path, auto):
    """Both may be in the file, or the unembedding alone: one matrix is read."""
    theirs = original(kind, tie_word_embeddings=True)
    save(theirs, tmp_path)
    (embedding,) = [
        key
        for key in load_file(tmp_path / "model.safetensors")
        if key.endswith(("wte.weight", "embed_in.weight", "embed_tokens.weight"))
    ]
    rewrite(tmp_path, lambda held: {**held, "lm_head.weight": held[embedding].clone()})
    for change in (lambda held: held, lambda held: {key: value for key, value in held.items() if key != embedding}):
        rewrite(tmp_path, change)
        model = load(str(tmp_path))
        assert model.config["tied"] is True
        torch.testing.assert_close(model.module()(TOKENS), auto(tmp_path), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_two_names_of_one_weight_are_refused(kind, tmp_path):
    """With its family's prefix and without, a weight would be read once only."""
    save(original(kind), tmp_path)
    prefix = BASE.get(kind, "model.")
    key = next(key for key in load_file(tmp_path / "model.safetensors") if key.startswith(prefix))
    rewrite(tmp_path, lambda held: {**held, key.removeprefix(prefix): held[key] + 1})
    with pytest.raises(ModelError, match=f"hold both '{key}' and '{key.removeprefix(prefix)}'"):
        load(str(tmp_path))


def test_two_names_of_the_unembedding_are_refused(tmp_path):
    """GPT-NeoX's was called embed_out once."""
    save(original("neox"), tmp_path)
    rewrite(
        tmp_path, lambda held: {**held, "lm_head.weight": torch.ones(37, 32), "embed_out.weight": torch.ones(37, 32)}
    )
    with pytest.raises(ModelError, match=r"both 'lm_head\.weight' and 'embed_out\.weight'"):
        load(str(tmp_path))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_whole_numbers_are_no_weights(kind, tmp_path):
    """A quantised weight that no configuration tells of is not taken for its value."""
    save(original(kind), tmp_path)
    key = next(key for key in load_file(tmp_path / "model.safetensors") if "mlp" in key)
    rewrite(tmp_path, lambda held: {**held, key: held[key].to(torch.int8)})
    with pytest.raises(ModelError, match="holds int8, no floating point"):
        load(str(tmp_path))


def test_a_bias_that_the_kind_does_not_have_is_refused(tmp_path):
    """Qwen2's attention output has no bias, and Llama's has one where the others have."""
    save(original("qwen2"), tmp_path / "qwen2")
    key = "model.layers.0.self_attn.o_proj.bias"
    rewrite(tmp_path / "qwen2", lambda held: {**held, key: torch.ones(32)})
    with pytest.raises(ModelError, match=r"hold 'layers\.0\.self_attn\.o_proj\.bias'"):
        load(str(tmp_path / "qwen2"))
    save(original("llama", attention_bias=True), tmp_path / "llama")
    rewrite(tmp_path / "llama", lambda held: {name: value for name, value in held.items() if name != key})
    with pytest.raises(ModelError, match=r"hold no weight 'layers\.0\.self_attn\.o_proj\.bias'"):
        load(str(tmp_path / "llama"))


@pytest.mark.parametrize("kind", KINDS)
def test_graph_and_module_refuse_the_same_lengths(kind, tmp_path):
    """Up to n_ctx both run and agree; beyond it, where a window or the positions end, both refuse."""
    save(original(kind, max_position_embeddings=16), tmp_path)
    model, tokens = load(str(tmp_path)), torch.arange(40).remainder(37).repeat(2, 1)
    longest = model.config["n_ctx"]
    assert longest == 16
    close(model.module()(tokens[:, :16]), evaluate(model.graph(seq=16), {"tokens": tokens[:, :16]}))
    for length in (0, 17, 40):
        for ask in (lambda n=length: model.graph(seq=n), lambda n=length: model.module()(tokens[:, :n])):
            with pytest.raises(ModelError, match="reads sequences of 1 to 16 tokens") as caught:
                ask()
            assert (caught.value.seq, caught.value.longest) == (length, 16)


@pytest.mark.parametrize("kind", ["mistral", "phi3", "qwen2", "qwen3"])
def test_module_ends_where_a_window_would_matter(kind, tmp_path, auto):
    """Within the window the logits are transformers', one token beyond it there is an error."""
    layers = {"use_sliding_window": True, "max_window_layers": 1} if kind.startswith("qwen") else {}
    save(original(kind, sliding_window=12, **layers), tmp_path)
    module = load(str(tmp_path)).module()
    torch.testing.assert_close(module(TOKENS), auto(tmp_path), atol=1e-4, rtol=1e-4)
    with pytest.raises(ModelError, match="1 to 12 tokens, but these have 13"):
        module(torch.zeros(1, 13, dtype=torch.long))


@pytest.mark.parametrize("number", [numpy.int64(12), numpy.int8(12), numpy.uint16(12), torch.tensor(12)])
def test_whole_numbers_of_other_libraries_are_lengths(number, tmp_path):
    """A length may come from numpy or torch; True, 12.0 and "12" are none."""
    save(original("gpt2"), tmp_path)
    model = load(str(tmp_path))
    assert model.graph(seq=number).key == model.graph(seq=12).key
    for wrong in (True, 12.0, numpy.float64(12), "12", None):
        with pytest.raises(ModelError, match="1 to 64 tokens, but seq="):
            model.graph(seq=wrong)


@pytest.fixture
def default_dtype():
    yield torch.set_default_dtype
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(("kind", "dtype"), list(itertools.product(KINDS, (torch.float64, torch.bfloat16))))
def test_the_default_dtype_changes_nothing(kind, dtype, tmp_path, default_dtype):
    """Weights, graph and module are float32, to the last bit, whatever torch's default is."""
    save(original(kind), tmp_path)

    def values():
        model = load(str(tmp_path))
        return [*model.weights.values(), evaluate(model.graph(seq=12), {"tokens": TOKENS}), model.module()(TOKENS)]

    before = values()
    default_dtype(dtype)
    for value, expected in zip(values(), before, strict=True):
        assert value.dtype == torch.float32 and torch.equal(value, expected)
