"""Llama (Touvron et al. 2023) and its like, Mistral and Qwen2, by transformers' names."""

from __future__ import annotations

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
from remix_utils.models.transformer_config import TransformerConfig


def config(name: str, theirs: Any) -> TransformerConfig:
    """RMSNorm, gated MLPs, rotary positions; sequences end where a sliding window would begin to matter."""
    share = theirs.rope_parameters.get("partial_rotary_factor", 1.0)
    require(name, {f"its rotary positions cover {share:.0%} of each head": share != 1})
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
        attn_bias=theirs.model_type == "qwen2" or getattr(theirs, "attention_bias", False),
        mlp_bias=getattr(theirs, "mlp_bias", False),
        tied=theirs.tie_word_embeddings,
        **rotary(name, theirs),
    )


def weights(source: Source, theirs: Any, ours: TransformerConfig) -> Named:
    """Its matrices are [out, in]; keys and values may be fewer than queries."""
    yield "embed.W_E", source.take("embed_tokens.weight")
    yield "rotary.frequencies", frequencies(theirs, ours)
    for layer in range(ours.n_layers):
        block, their = f"blocks.{layer}", f"layers.{layer}"
        attn, mlp = f"{their}.self_attn", f"{their}.mlp"
        yield from norm(source, f"{block}.ln1", f"{their}.input_layernorm")
        for letter, count in (("Q", ours.n_heads), ("K", ours.n_kv_heads), ("V", ours.n_kv_heads)):
            heads, part = (count, ours.d_head), f"{attn}.{letter.lower()}_proj"
            shift = source.take(f"{part}.bias").unflatten(0, heads) if ours.attn_bias else None
            by_head = source.take(f"{part}.weight").unflatten(0, heads).transpose(1, 2)
            yield from linear(f"{block}.attn", letter, by_head, shift)
        out = source.take(f"{attn}.o_proj.weight").T.unflatten(0, (ours.n_heads, ours.d_head))
        shift = source.take(f"{attn}.o_proj.bias") if f"{attn}.o_proj.bias" in source else torch.zeros(ours.d_model)
        yield from linear(f"{block}.attn", "O", out, shift if ours.attn_bias else None)
        yield from norm(source, f"{block}.ln2", f"{their}.post_attention_layernorm")
        for letter, part in (("gate", "gate_proj"), ("in", "up_proj"), ("out", "down_proj")):
            shift = source.take(f"{mlp}.{part}.bias") if ours.mlp_bias else None
            yield from linear(f"{block}.mlp", letter, source.take(f"{mlp}.{part}.weight").T, shift)
    yield from norm(source, "ln_final", "norm")


LLAMA = Family("model.", config, weights)
