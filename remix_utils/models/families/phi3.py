"""Phi-3 (Abdin et al. 2024): a Llama whose matrices lie together in the files, by transformers' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remix_utils.models.families import llama
from remix_utils.models.families.family import Family, Named, Source, require
from remix_utils.models.transformer_config import TransformerConfig

CHANGES = {
    "vocab_size": (int, 32064),
    "hidden_size": (int, 3072),
    "intermediate_size": (int, 8192),
    "max_position_embeddings": (int, 4096),
    "rms_norm_eps": (float, 1e-5),
    "sliding_window": (int | None, None),
    "attention_bias": None,
    "mlp_bias": None,
}


def settings(name: str, table: Mapping[str, Any]) -> Any:
    """Its config.json, with transformers' defaults."""
    return llama.settings(name, table, CHANGES)


def config(name: str, theirs: Any) -> TransformerConfig:
    """Llama's, with rotary positions on all of each head or on a part of it, and not scaled."""
    scaled = theirs.rope_parameters["rope_type"]
    require(name, {f"its rotary positions are scaled by {scaled!r}": scaled != "default"})
    return llama.shaped(name, theirs, theirs.rope_parameters.get("partial_rotary_factor", 1.0))


def weights(source: Source, theirs: Any, ours: TransformerConfig) -> Named:
    """Queries, keys and values lie above each other in one matrix, and so do an MLP's gate and its input."""
    queries, keys = ours.n_heads * ours.d_head, ours.n_kv_heads * ours.d_head
    why = f"{ours.n_heads} query and {ours.n_kv_heads} key and value heads of {ours.d_head}"
    for layer in range(ours.n_layers):
        attn, mlp = f"layers.{layer}.self_attn", f"layers.{layer}.mlp"
        joint = source.take(f"{attn}.qkv_proj.weight", queries + 2 * keys, ours.d_model, because=why)
        for letter, part in zip("qkv", joint.split([queries, keys, keys]), strict=True):
            source.put(f"{attn}.{letter}_proj.weight", part)
        joint = source.take(f"{mlp}.gate_up_proj.weight", 2 * ours.d_mlp, ours.d_model)
        for word, part in zip(("gate", "up"), joint.chunk(2), strict=True):
            source.put(f"{mlp}.{word}_proj.weight", part)
    yield from llama.weights(source, theirs, ours)


PHI3 = Family("model.", settings, config, weights)
