"""Which files of a folder are read: those that transformers reads, or none."""

import itertools
import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from remix_utils.models.catalogue import load
from remix_utils.models.model import ModelError
from tests.models.foreign_models import ARCHITECTURES, TOKENS, original, save

INDEX = "model.safetensors.index.json"


@pytest.fixture
def auto():
    """Logits of a folder's model as transformers reads it."""
    from transformers import AutoModelForCausalLM

    def logits(folder):
        with torch.no_grad():
            return AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager")(TOKENS).logits

    return logits


def one(folder, kind, seed):
    save(original(kind, seed=seed), folder)


def shards(folder, kind, seed):
    save(original(kind, seed=seed), folder, max_shard_size="12KB")


def beside(folder, other, pattern="*", rename=str):
    for path in other.glob(pattern):
        shutil.copy(path, folder / rename(path.name))


def agrees(folder, auto):
    torch.testing.assert_close(load(str(folder)).module()(TOKENS), auto(folder), atol=1e-4, rtol=1e-4)


# What lies beside a model, from another one of the same shape.
LEFT_OVERS = {
    "other weights": (one, "model.safetensors", lambda name: "model_ema.safetensors"),
    "a variant": (one, "model.safetensors", lambda name: "model.fp16.safetensors"),
    "shards without an index": (shards, "model-*", str),
    "shards and their index": (shards, "model*", str),
    "an index alone": (shards, INDEX, str),
    "another framework's file": (one, "model.safetensors", lambda name: "consolidated.safetensors"),
}


@pytest.mark.parametrize(("kind", "what"), list(itertools.product(ARCHITECTURES, LEFT_OVERS)))
def test_a_whole_model_is_read_without_what_lies_beside_it(kind, what, tmp_path, auto):
    """Beside model.safetensors nothing else is read, an index included: that is transformers' rule."""
    made, pattern, rename = LEFT_OVERS[what]
    one(tmp_path / "model", kind, 0)
    made(tmp_path / "other", kind, 1)
    beside(tmp_path / "model", tmp_path / "other", pattern, rename)
    agrees(tmp_path / "model", auto)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_shards_are_read_by_their_index_alone(kind, tmp_path, auto):
    """Weights that the index does not name are not read."""
    shards(tmp_path / "model", kind, 0)
    one(tmp_path / "other", kind, 1)
    beside(tmp_path / "model", tmp_path / "other", "model.safetensors", lambda name: "model_ema.safetensors")
    agrees(tmp_path / "model", auto)


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_each_missing_shard_is_named(kind, tmp_path):
    """With its index and without, the error names the file that is missing, and no other."""
    shards(tmp_path, kind, 0)
    for path in sorted(tmp_path.glob("model-*"))[:-1]:
        data = path.read_bytes()
        path.unlink()
        for _ in ("with the index", "without"):
            with pytest.raises(ModelError, match=rf"{path.name} of \d+ files is missing") as caught:
                load(str(tmp_path))
            assert caught.value.file == path.name
            if (tmp_path / INDEX).exists():
                (tmp_path / INDEX).rename(tmp_path / "kept")
        (tmp_path / "kept").rename(tmp_path / INDEX)
        path.write_bytes(data)


def test_a_full_set_of_shards_needs_no_index(tmp_path, auto):
    """Their numbers say that none is missing; shards of two sets are refused with both names."""
    shards(tmp_path, "llama", 0)
    expected = auto(tmp_path)
    (tmp_path / INDEX).unlink()
    torch.testing.assert_close(load(str(tmp_path)).module()(TOKENS), expected, atol=1e-4, rtol=1e-4)
    save_file({"x": torch.ones(1)}, tmp_path / "model-00001-of-00099.safetensors")
    with pytest.raises(ModelError, match=r"model-\d+-of-000\d\d.* and model-\d+-of-000\d\d.* two sets"):
        load(str(tmp_path))


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_two_files_with_one_weight_are_refused(kind, tmp_path):
    """A weight that two of the files hold has two values, so both files are named."""
    shards(tmp_path, kind, 0)
    first, second, *_ = sorted(tmp_path.glob("model-*"))
    save_file({**load_file(first), **load_file(second)}, second)
    with pytest.raises(ModelError, match=f"{first.name} and {second.name} both hold the weight"):
        load(str(tmp_path))


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("weight_map", ["null", "[]", "{}", '"model"', '{"a": null}', '{"a": 3}', '{"a": "../a"}'])
def test_an_index_that_is_none_is_refused(weight_map, whole, tmp_path):
    """Whether it is read or not, a damaged index is a damaged folder."""
    one(tmp_path, "gpt2", 0)
    (tmp_path / INDEX).write_text(f'{{"metadata": {{}}, "weight_map": {weight_map}}}')
    if not whole:
        (tmp_path / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"index\.json cannot be read"):
        load(str(tmp_path))


@pytest.mark.parametrize("file", ["adapter_config.json", "adapter_model.safetensors", "adapter_model.bin"])
@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_an_adapter_is_refused(kind, file, tmp_path):
    """An adapter changes the weights beside it; the error says how to merge it."""
    one(tmp_path, kind, 0)
    (tmp_path / file).write_text(json.dumps({"peft_type": "LORA"}))
    with pytest.raises(ModelError, match=rf"holds an adapter \({file}\)(.|\n)*merge_and_unload"):
        load(str(tmp_path))


def test_a_configuration_that_names_its_weights_is_refused(tmp_path):
    """transformers would read that file in place of model.safetensors."""
    one(tmp_path, "gpt2", 0)
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "transformers_weights": "other.safetensors"}))
    with pytest.raises(ModelError, match=r"'other\.safetensors' \(transformers_weights\)"):
        load(str(tmp_path))


@pytest.mark.parametrize("file", ["model.fp16.safetensors", "model_ema.safetensors", "weights.safetensors"])
def test_a_file_of_another_name_is_not_taken_for_the_model(file, tmp_path):
    """The error names the file that is there."""
    one(tmp_path, "gpt2", 0)
    (tmp_path / "model.safetensors").rename(tmp_path / file)
    with pytest.raises(ModelError, match=f"has no model.safetensors, only {file}"):
        load(str(tmp_path))
