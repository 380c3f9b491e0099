"""GPT-2, GPT-NeoX and Llama as ours: transformers' own numbers under our names, or a refusal that says why."""

import json

import pytest
import torch

from remix_utils.errors import InputError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find_one
from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from tests.models.foreign_models import ARCHITECTURES, KINDS, TOKENS, close, original


@pytest.mark.parametrize("kind", KINDS)
def test_logits_and_inner_values_are_those_of_transformers(kind, tmp_path):
    """Logits, residual stream, attention patterns and every layer's output equal the original's, to 1e-5."""
    theirs = original(kind)
    theirs.save_pretrained(tmp_path)
    layers = getattr(theirs.base_model, "h", None) or theirs.base_model.layers
    seen = {}
    for number, layer in enumerate(layers):
        attention = next(part for name, part in layer.named_children() if name in ("attn", "attention", "self_attn"))
        attention.register_forward_hook(lambda p, i, o, n=number: seen.__setitem__(f"blocks.{n}.attn_out", o[0]))
        layer.mlp.register_forward_hook(lambda p, i, o, n=number: seen.__setitem__(f"blocks.{n}.mlp_out", o))
    out = theirs(TOKENS, output_hidden_states=True, output_attentions=True)
    seen |= {"logits": out.logits, "ln_final": out.hidden_states[-1]}
    for number in (0, 1):
        seen[f"blocks.{number}.resid_pre"] = out.hidden_states[number]
        seen[f"blocks.{number}.attn.pattern"] = out.attentions[number]
    model = load(str(tmp_path))
    graph = model.graph(seq=12)
    for name, value in evaluate({name: find_one(graph, name) for name in seen}, {"tokens": TOKENS}).items():
        torch.testing.assert_close(
            value, seen[name], atol=1e-5, rtol=1e-5, msg=lambda text, name=name: f"{name}: {text}"
        )
    close(model.module()(TOKENS), out.logits)
    close(evaluate(split(graph, "blocks.*.attn_out", "head"), {"tokens": TOKENS}), out.logits)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_padding_on_the_left_changes_nothing(kind, tmp_path):
    """A padded row has the logits that it has alone, and those of transformers with the positions that belong to it."""
    theirs = original(kind)
    theirs.save_pretrained(tmp_path)
    model, mask = load(str(tmp_path)), torch.ones(3, 12, dtype=torch.bool)
    mask[1, :5] = False
    padded = evaluate(model.graph(seq=12, mask=True), {"tokens": TOKENS, "mask": mask})
    close(padded[1, 5:], evaluate(model.graph(seq=7), {"tokens": TOKENS[1, 5:]}))
    places = (mask.long().cumsum(-1) - 1).clamp(min=0)
    expected = theirs(TOKENS, attention_mask=mask.long(), position_ids=places).logits
    close(padded[mask], expected[mask])


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_mask_with_padding_is_read_or_refused(kind, tmp_path):
    """A graph without a mask refuses padding wherever it would count; a mask without padding is allowed, and so are
    other columns and nodes that padding does not change."""
    original(kind).save_pretrained(tmp_path)
    model, mask = load(str(tmp_path)), torch.ones(3, 12, dtype=torch.bool)
    graph, whole = model.graph(seq=12), {"tokens": TOKENS, "mask": mask, "label": torch.arange(3)}
    expected = evaluate(graph, {"tokens": TOKENS})
    close(evaluate(graph, whole), expected)
    padded = {**whole, "mask": mask.index_fill(1, torch.arange(3), False)}
    for given in (padded, {**padded, "mask": padded["mask"].long()}):
        for node in (graph, find_one(graph, "blocks.0.attn.pattern"), [graph, find_one(graph, "embed")]):
            with pytest.raises(InputError, match=r"padding in 3 of 3 rows(.|\n)*mask=True"):
                evaluate(node, given)
        close(evaluate(find_one(graph, "embed"), given), model.weights["embed.W_E"][TOKENS])
    assert (evaluate(model.graph(seq=12, mask=True), padded) - expected)[:, -1].abs().max() > 1e-3


def test_sequences_end_where_a_sliding_window_would_matter(tmp_path):
    """Within the window attention is whole, and beyond it the graph is refused."""
    original("mistral").save_pretrained(tmp_path)
    model = load(str(tmp_path))
    assert model.graph(seq=20).shape == (20, 37)
    with pytest.raises(ModelError, match="sequences of 1 to 20 tokens"):
        model.graph(seq=21)


def test_half_precision_is_widened(tmp_path):
    """Weights stored in bfloat16 are computed with in float32."""
    theirs = original("llama").bfloat16()
    theirs.save_pretrained(tmp_path)
    model = load(str(tmp_path))
    assert {value.dtype for value in model.weights.values()} == {torch.float32}
    from transformers import LlamaForCausalLM

    widened = LlamaForCausalLM.from_pretrained(tmp_path, dtype=torch.float32, attn_implementation="eager")
    close(model.module()(TOKENS), widened(TOKENS).logits.detach())


def change(folder, **entries):
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


@pytest.mark.parametrize(
    ("kind", "entries", "message"),
    [
        ("gpt2", {"model_type": "bert"}, "is of the kind 'bert'"),
        ("gpt2", {"model_type": "t5"}, "is of the kind 't5'"),
        ("gpt2", {"model_type": None}, "is of the kind None"),
        ("gpt2", {"quantization_config": {"bits": 4}}, "is quantised"),
        ("gpt2", {"activation_function": "mish"}, "its activation is 'mish'"),
        ("gpt2", {"scale_attn_by_inverse_layer_idx": True}, "scales attention by layer"),
        ("gpt2", {"n_layer": "two"}, r"config\.json cannot be read"),
        ("gpt2", {"n_layer": 3}, r"no weight 'h\.2\.ln_1\.weight'"),
        ("gpt2", {"n_layer": 1}, r"hold 'h\.1\.\w"),
        ("gpt2", {"vocab_size": 38}, r"weight 'wte\.weight' is \[37, 32\], in its configuration \[38, 32\]"),
        ("gpt2", {"tie_word_embeddings": False}, r"no weight 'lm_head\.weight'"),
        ("llama", {"rope_parameters": {"rope_type": "yarn", "factor": 4.0, "rope_theta": 1e4}}, "scaled by 'yarn'"),
        ("llama", {"rope_parameters": {"rope_type": "dynamic", "factor": 4.0, "rope_theta": 1e4}}, "by 'dynamic'"),
    ],
)
def test_what_our_transformer_does_not_do_is_refused(kind, entries, message, tmp_path):
    """Another kind of model, a part that we lack, or weights that do not fit: the error says which."""
    original(kind).save_pretrained(tmp_path)
    change(tmp_path, **entries)
    with pytest.raises(ModelError, match=message):
        load(str(tmp_path))
