"""A Llama-shaped model from a GGUF file, by the code that reads it from transformers' files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch

from remix_utils.models import transformer
from remix_utils.models.families.llama import LLAMA
from remix_utils.models.gguf.file import GGUF, Stored, damaged, read
from remix_utils.models.gguf.tokenizer import Text
from remix_utils.models.model import Model, ModelError

ARCHITECTURES = ("llama", "qwen2", "qwen3")
# transformers' names of a block's weights: those of the file
WITHIN = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
AROUND = {"model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output"}
SCALES = "rope_freqs.weight"  # by how much each rotary frequency is slowed down, as Llama 3 does


def load(name: str, path: Path, card: dict[str, Any] | None = None) -> Model:
    """Loads a model of the architecture llama (Mistral is one), qwen2 or qwen3.

    Raises ModelError for a file that is damaged, of another architecture, in an unknown
    quantisation, or with weights that its configuration has no place for.
    """
    file = read(path)
    theirs = configuration(name, path, file)
    ours = LLAMA.config(name, theirs)
    readers = by_their_names(file, theirs)
    weights = LLAMA.convert(name, readers, theirs, ours)
    if SCALES in file.tensors:
        weights["rotary.frequencies"] = weights["rotary.frequencies"] / file.tensors[SCALES].read()
    card = {"name": name, "file": str(path), **(card or {})}
    return transformer.model(name, weights, ours, card, Text(name, file.metadata))


def configuration(name: str, path: Path, file: GGUF) -> SimpleNamespace:
    """Returns what the metadata say, by the names of transformers' configurations."""
    kind = file.metadata.get("general.architecture")
    if kind not in ARCHITECTURES:
        raise ModelError(
            f"{name!r} has the architecture {kind!r}; those that are read are "
            f"{', '.join(ARCHITECTURES)}.",
            fix="choose a Llama-shaped model.",
            kind=kind,
        )

    def entry(key: str, *otherwise: Any) -> Any:
        if f"{kind}.{key}" not in file.metadata and not otherwise:
            raise damaged(path, f"its metadata have no {kind}.{key}")
        return file.metadata.get(f"{kind}.{key}", *otherwise)

    d_model, n_heads = entry("embedding_length"), entry("attention.head_count")
    n_kv_heads = entry("attention.head_count_kv", n_heads)
    d_head = entry("attention.key_length", d_model // n_heads)
    scaling = entry("rope.scaling.type", "none")
    rope = {"rope_theta": entry("rope.freq_base", 10_000.0), "rope_type": "default"}
    if scaling != "none":
        rope |= {"rope_type": scaling, "factor": entry("rope.scaling.factor")}
    rope["partial_rotary_factor"] = entry("rope.dimension_count", d_head) / d_head
    return SimpleNamespace(
        model_type=kind,
        num_hidden_layers=entry("block_count"),
        num_attention_heads=n_heads,
        num_key_value_heads=n_kv_heads,
        head_dim=d_head,
        hidden_size=d_model,
        intermediate_size=entry("feed_forward_length"),
        max_position_embeddings=entry("context_length"),
        sliding_window=entry("attention.sliding_window", None),
        vocab_size=file.tensors["token_embd.weight"].shape[0],
        hidden_act="silu",
        rms_norm_eps=entry("attention.layer_norm_rms_epsilon"),
        attention_bias="blk.0.attn_q.bias" in file.tensors,
        mlp_bias="blk.0.ffn_up.bias" in file.tensors,
        tie_word_embeddings="output.weight" not in file.tensors,
        rope_parameters=rope,
    )


def by_their_names(file: GGUF, theirs: SimpleNamespace) -> dict[str, Callable[[], torch.Tensor]]:
    """Returns how to read each weight, by the names of transformers' files."""
    names = {f"{ours}.": f"{their}." for their, ours in AROUND.items()}
    for layer in range(theirs.num_hidden_layers):
        names |= {
            f"blk.{layer}.{ours}.": f"model.layers.{layer}.{their}."
            for their, ours in WITHIN.items()
        }
    readers = {}
    for key, stored in file.tensors.items():
        if key != SCALES:
            stem, _, part = key.rpartition(".")
            readers[names.get(f"{stem}.", f"{stem}.") + part] = reader(stored, theirs)
    return readers


def reader(stored: Stored, theirs: SimpleNamespace) -> Callable[[], torch.Tensor]:
    """Returns how to read a weight; queries and keys of a llama file are put back in order.

    The file interleaves the two halves of each rotary pair, transformers and we keep them apart.
    """
    heads = {"attn_q": theirs.num_attention_heads, "attn_k": theirs.num_key_value_heads}
    count = heads.get(stored.name.split(".")[-2])
    if theirs.model_type != "llama" or count is None:
        return stored.read

    def in_order() -> torch.Tensor:
        weight = stored.read()
        pairs = weight.unflatten(0, (count, -1, 2))
        return pairs.transpose(1, 2).reshape(weight.shape)

    return in_order
