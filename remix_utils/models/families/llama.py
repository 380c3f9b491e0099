"""Llama (Touvron et al. 2023) and its like, Mistral, Qwen2 and Qwen3, by transformers' names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import torch

from remix_utils.models.families.family import (
    Family,
    Named,
    Source,
    activation,
    frequencies,
    linear,
    norm,
    require,
    rotary,
)
from remix_utils.models.families.settings import Entries, read_settings, rope_parameters, window
from remix_utils.models.transformer_config import TransformerConfig

ENTRIES: Entries = {
    "vocab_size": (int, 32000),
    "hidden_size": (int, 4096),
    "intermediate_size": (int, 11008),
    "num_hidden_layers": (int, 32),
    "num_attention_heads": (int, 32),
    "num_key_value_heads": (int | None, None),
    "head_dim": (int | None, None),
    "hidden_act": (str, "silu"),
    "max_position_embeddings": (int, 2048),
    "rms_norm_eps": (float, 1e-6),
    "attention_bias": (bool, False),
    "mlp_bias": (bool, False),
    "tie_word_embeddings": (bool, False),
}
# What differs between the kinds; None stands for an entry that the kind does not have.
MISTRAL_ENTRIES = {
    "intermediate_size": (int, 14336),
    "num_key_value_heads": (int, 8),
    "max_position_embeddings": (int, 4096 * 32),
    "sliding_window": (int | None, 4096),
    "attention_bias": None,
    "mlp_bias": None,
}
QWEN2_ENTRIES = {
    "vocab_size": (int, 151936),
    "intermediate_size": (int, 22016),
    "num_key_value_heads": (int | None, 32),
    "max_position_embeddings": (int, 32768),
    "use_sliding_window": (bool, False),
    "sliding_window": (int | None, 4096),
    "max_window_layers": (int, 28),
    "attention_bias": None,
    "mlp_bias": None,
}
QWEN3_ENTRIES = {**QWEN2_ENTRIES, "head_dim": (int, 128), "attention_bias": (bool, False)}


def settings(name: str, table: Mapping[str, Any], changes: Mapping[str, Any]) -> Any:
    """Its config.json, with transformers' defaults."""
    entries = {entry: kind for entry, kind in {**ENTRIES, **changes}.items() if kind is not None}
    theirs = read_settings(name, table, entries)
    theirs.num_key_value_heads = theirs.num_key_value_heads or theirs.num_attention_heads
    longest = {"max_position_embeddings": theirs.max_position_embeddings}
    theirs.rope_parameters = rope_parameters(name, {**table, **longest})
    by_layer = theirs.model_type == "mistral" and table.get("layer_types") is not None
    require(name, {"its layers differ in attention (layer_types), as Ministral's do": by_layer})
    if "use_sliding_window" in entries:
        theirs.sliding_window = window(name, table, theirs)
    theirs.output_bias = getattr(theirs, "attention_bias", False)
    return theirs


def config(name: str, theirs: Any) -> TransformerConfig:
    """RMSNorm, gated MLPs, rotary positions; sequences end where a sliding window would begin to matter."""
    share = theirs.rope_parameters.get("partial_rotary_factor", 1.0)
    require(name, {f"its rotary positions cover {share:.0%} of each head": share != 1})
    return shaped(name, theirs)


def shaped(name: str, theirs: Any, share: float = 1.0) -> TransformerConfig:
    """The configuration of a network like Llama whose rotary positions are on this share of each head."""
    longest = theirs.max_position_embeddings
    return TransformerConfig(
        n_layers=theirs.num_hidden_layers,
        n_heads=theirs.num_attention_heads,
        n_kv_heads=theirs.num_key_value_heads,
        d_model=theirs.hidden_size,
        n_ctx=min(getattr(theirs, "sliding_window", None) or longest, longest),
        d_vocab=theirs.vocab_size,
        d_mlp=theirs.intermediate_size,
        activation=activation(name, theirs.hidden_act),
        gated=True,
        norm="rmsnorm",
        norm_eps=theirs.rms_norm_eps,
        qk_norm=theirs.model_type == "qwen3",
        attn_bias=theirs.model_type == "qwen2" or getattr(theirs, "attention_bias", False),
        mlp_bias=getattr(theirs, "mlp_bias", False),
        tied=theirs.tie_word_embeddings,
        **rotary(name, theirs, share),
    )


def weights(source: Source, theirs: Any, ours: TransformerConfig) -> Named:
    """Its matrices are [out, in]; keys and values may be fewer than queries."""
    yield "embed.W_E", source.take("embed_tokens.weight", ours.d_vocab, ours.d_model)
    yield "rotary.frequencies", frequencies(theirs, ours)
    for layer in range(ours.n_layers):
        block, their = f"blocks.{layer}", f"layers.{layer}"
        mlp = f"{their}.mlp"
        yield from norm(source, f"{block}.ln1", f"{their}.input_layernorm", ours.d_model)
        yield from _attention(source, f"{block}.attn", f"{their}.self_attn", theirs, ours)
        yield from norm(source, f"{block}.ln2", f"{their}.post_attention_layernorm", ours.d_model)
        d_mlp, d_model = ours.d_mlp, ours.d_model
        sizes = {
            "gate": ("gate_proj", d_mlp, d_model),
            "in": ("up_proj", d_mlp, d_model),
            "out": ("down_proj", d_model, d_mlp),
        }
        for letter, (part, outer, inner) in sizes.items():
            shift = source.take(f"{mlp}.{part}.bias", outer) if ours.mlp_bias else None
            yield from linear(f"{block}.mlp", letter, source.take(f"{mlp}.{part}.weight", outer, inner).T, shift)
    yield from norm(source, "ln_final", "norm", ours.d_model)


def _attention(source: Source, attn: str, their: str, theirs: Any, ours: TransformerConfig) -> Named:
    for letter, count in (("Q", ours.n_heads), ("K", ours.n_kv_heads), ("V", ours.n_kv_heads)):
        heads, part = (count, ours.d_head), f"{their}.{letter.lower()}_proj"
        size, readers = count * ours.d_head, "query" if letter == "Q" else "key and value"
        why = f"{count} {readers} heads of {ours.d_head}"
        shift = source.take(f"{part}.bias", size, because=why).unflatten(0, heads) if ours.attn_bias else None
        weight = source.take(f"{part}.weight", size, ours.d_model, because=why)
        yield from linear(attn, letter, weight.unflatten(0, heads).transpose(1, 2), shift)
    for letter in "qk" if ours.qk_norm else "":
        yield f"{attn}.{letter}_norm.w", source.take(f"{their}.{letter}_norm.weight", ours.d_head)
    heads, why = (ours.n_heads, ours.d_head), f"{ours.n_heads} heads of {ours.d_head}"
    out = source.take(f"{their}.o_proj.weight", ours.d_model, heads[0] * heads[1], because=why).T.unflatten(0, heads)
    # Qwen2 has a bias on queries, keys and values only; a file of llama.cpp shows by itself which there are.
    biased = getattr(theirs, "output_bias", f"{their}.o_proj.bias" in source)
    none = torch.zeros(ours.d_model, dtype=torch.float32)
    shift = source.take(f"{their}.o_proj.bias", ours.d_model) if biased else none
    yield from linear(attn, "O", out, shift if ours.attn_bias else None)


LLAMA = Family("model.", partial(settings, changes={}), config, weights)
MISTRAL = replace(LLAMA, settings=partial(settings, changes=MISTRAL_ENTRIES))
QWEN2 = replace(LLAMA, settings=partial(settings, changes=QWEN2_ENTRIES))
QWEN3 = replace(LLAMA, settings=partial(settings, changes=QWEN3_ENTRIES))
