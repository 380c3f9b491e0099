"""Configurations as transformers reads them, without transformers."""

import json
import subprocess
import sys
import warnings

import pytest
import torch

from remix_utils.models.catalogue import load
from remix_utils.models.families.family import frequencies
from remix_utils.models.families.settings import unreadable
from remix_utils.models.hub import FAMILIES
from remix_utils.models.model import ModelError
from tests.models.foreign_models import ARCHITECTURES, COMMON, GPT2, LLAMA3, original, save

KINDS = {"gpt2": "GPT2", "gpt_neox": "GPTNeoX", "llama": "Llama", "mistral": "Mistral", "phi3": "Phi3"}
KINDS |= {"qwen2": "Qwen2", "qwen3": "Qwen3"}
ROTARY = [kind for kind in KINDS if kind != "gpt2"]
NULL = ("n_inner", "num_key_value_heads", "head_dim", "sliding_window")  # entries that may be null
LINEAR = {"rope_type": "linear", "factor": 4.0}
# Ways in which files of different ages write the same things.
SPELLINGS = {
    "base at the top": {"rope_theta": 500.0},
    "base within": {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    "base twice": {"rope_theta": 700.0, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    "no scaling": {"rope_scaling": None, "rope_theta": 500.0},
    "NeoX's names": {"rotary_emb_base": 500, "rotary_pct": 0.5},
    "a share": {"partial_rotary_factor": 0.5},
    "a share within": {"rope_parameters": {"rope_type": "default", "rope_theta": 500.0, "partial_rotary_factor": 0.5}},
    "linear": {"rope_scaling": LINEAR},
    "linear, old": {"rope_scaling": {"type": "linear", "factor": 2.0}},
    "linear, new": {"rope_parameters": {**LINEAR, "rope_theta": 500.0}},
    "both": {"rope_scaling": LINEAR, "rope_parameters": {"rope_type": "default", "rope_theta": 500.0}},
    "llama 3": {"rope_scaling": LLAMA3, "rope_theta": 500.0},
    "llama 3 without its length": {
        "rope_scaling": {name: value for name, value in LLAMA3.items() if not name.startswith("original")}
    },
    "llama 3, its length at the top": {"rope_scaling": LLAMA3, "original_max_position_embeddings": 32},
    "a window": {"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 1},
    "a window that no layer has": {"sliding_window": 8, "use_sliding_window": True, "max_window_layers": 2},
    "a window that is not used": {"sliding_window": 8, "use_sliding_window": False, "max_window_layers": 0},
    "a window by layer": {
        "sliding_window": 8,
        "use_sliding_window": True,
        "layer_types": ["full_attention", "sliding_attention"],
    },
    "general names": {"hidden_size": 64, "num_attention_heads": 2, "num_hidden_layers": 3},
}


def tables(kind):
    """Configurations of a kind: nothing, everything, each entry left out, each that may be null, each spelling."""
    whole = GPT2 if kind == "gpt2" else {**COMMON, "num_key_value_heads": 2}
    yield {}
    yield whole
    for entry in whole:
        yield {name: value for name, value in whole.items() if name != entry}
    for entry in NULL:
        yield {**whole, entry: None}
    for spelling in SPELLINGS.values():
        if kind != "gpt2" or not any(entry.startswith("rope") for entry in spelling):
            yield {**whole, **spelling}


def theirs(kind, table, folder):
    """transformers' configuration, or its reason to refuse one."""
    from transformers import AutoConfig

    (folder / "config.json").write_text(json.dumps({"model_type": kind, **table}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # about the older spellings
        try:
            return AutoConfig.from_pretrained(folder)
        except Exception as problem:
            return problem


@pytest.mark.parametrize("kind", KINDS)
def test_each_entry_is_what_transformers_makes_of_it(kind, tmp_path):
    """Defaults, older names and null: every entry that we read has transformers' value, or is refused."""
    compared = 0
    for table in tables(kind):
        expected = theirs(kind, table, tmp_path)
        try:
            found = FAMILIES[kind].settings("m", {"model_type": kind, **table})
            FAMILIES[kind].config("m", found)
        except ModelError:
            continue
        assert not isinstance(expected, Exception), f"{table}: {expected}"
        for entry, value in vars(found).items():
            if entry == "sliding_window" and kind.startswith("qwen"):
                windows = {expected.sliding_window for layer in expected.layer_types if layer == "sliding_attention"}
                assert value == (windows.pop() if windows else None), table
            elif entry == "rope_parameters":
                # A length for Llama 3's scaling is settled later: see the frequencies below.
                shared = value.keys() & expected.rope_parameters.keys() - {"original_max_position_embeddings"}
                assert {"rope_type", "rope_theta"} <= shared, table
                assert {name: value[name] for name in shared} == {n: expected.rope_parameters[n] for n in shared}, table
            elif entry == "head_dim":
                derived = expected.hidden_size // expected.num_attention_heads
                assert (value or derived) == (getattr(expected, entry, None) or derived), table
            elif entry != "output_bias":
                assert value == getattr(expected, entry), (entry, table)
            compared += 1
    assert compared > 100


@pytest.mark.parametrize("kind", ROTARY)
def test_frequencies_are_those_of_transformers(kind, tmp_path):
    """Plain, linear and Llama 3's rotary frequencies equal those that transformers' own module computes."""
    from importlib import import_module

    room = import_module(f"transformers.models.{kind}.modeling_{kind}")
    read: list[str] = []
    for name, spelling in SPELLINGS.items():
        table = {**COMMON, "num_key_value_heads": 2, **spelling}
        expected = theirs(kind, table, tmp_path)
        try:
            settings = FAMILIES[kind].settings("m", {"model_type": kind, **table})
            ours = FAMILIES[kind].config("m", settings)
        except ModelError:
            continue
        read.append(name)
        turns = getattr(room, f"{KINDS[kind]}RotaryEmbedding")(expected).inv_freq
        torch.testing.assert_close(
            frequencies(settings, ours), turns, atol=0, rtol=1e-6, msg=lambda text, name=name: f"{name}: {text}"
        )
    assert len(read) >= 7


@pytest.mark.parametrize("value", ["3", 3.5, True, [3], {"a": 3}, None])
@pytest.mark.parametrize("kind", KINDS)
def test_a_number_that_is_none_is_refused(kind, value):
    """A text, a fraction, a list or nothing where a whole number belongs."""
    entry = "n_layer" if kind == "gpt2" else "num_hidden_layers"
    with pytest.raises(ModelError, match=rf"config\.json cannot be read \({entry} is "):
        FAMILIES[kind].settings("m", {entry: value})


@pytest.mark.parametrize(
    ("kind", "entries", "message"),
    [
        ("llama", {"rope_theta": "large"}, "rope_theta is 'large'"),
        ("llama", {"rope_theta": None}, "rope_theta is None"),
        ("llama", {"rope_scaling": "linear"}, "rope_parameters are 'linear'"),
        ("llama", {"rope_scaling": {"rope_type": "linear"}}, "'linear' lack 'factor'"),
        ("llama", {"rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, "lack 'low_freq_factor'"),
        ("llama", {"rope_parameters": {"full_attention": {"rope_theta": 1e4}}}, "rope_parameters are"),
        ("llama", {"partial_rotary_factor": 0.5}, "cover 50% of each head"),
        ("phi3", {"rope_scaling": {"type": "longrope", "short_factor": [], "long_factor": []}}, "by 'longrope'"),
        ("qwen3", {"layer_types": ["full_attention"]}, "for 2 layers"),
        ("qwen2", {"layer_types": ["full_attention", "chunked_attention"]}, "for 2 layers"),
        ("qwen2", {"layer_types": ["full_attention", "sliding_attention"]}, "there is no sliding_window"),
    ],
)
def test_positions_and_windows_that_make_no_sense_are_refused(kind, entries, message):
    """The error names the entry."""
    with pytest.raises(ModelError, match=message):
        FAMILIES[kind].config("m", FAMILIES[kind].settings("m", {"model_type": kind, **COMMON, **entries}))
    assert unreadable("m", "x").file == "config.json"


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_loading_imports_nothing_of_transformers(kind, tmp_path):
    """Weights and configuration are read without the library that takes seconds to import."""
    save(original(kind), tmp_path)
    program = (
        f"import sys; from remix_utils import models; models.load({str(tmp_path)!r}).graph(seq=3);"
        "print({'transformers', 'huggingface_hub', 'tokenizers'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_a_null_quantisation_is_none(kind, tmp_path):
    """Some files say that there is no quantisation."""
    save(original(kind), tmp_path)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "quantization_config": None}))
    assert load(str(tmp_path)).graph(seq=4).shape == (4, 37)
