"""GPT-2 (Radford et al. 2019), by transformers' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remix_utils.models.families.family import Family, Named, Source, activation, linear, norm, require
from remix_utils.models.families.settings import Entries, read_settings
from remix_utils.models.transformer_config import TransformerConfig

ENTRIES: Entries = {
    "vocab_size": (int, 50257),
    "n_positions": (int, 1024),
    "n_embd": (int, 768),
    "n_layer": (int, 12),
    "n_head": (int, 12),
    "n_inner": (int | None, None),
    "activation_function": (str, "gelu_new"),
    "layer_norm_epsilon": (float, 1e-5),
    "scale_attn_weights": (bool, True),
    "scale_attn_by_inverse_layer_idx": (bool, False),
    "add_cross_attention": (bool, False),
    "tie_word_embeddings": (bool, True),
}
RENAMED = {
    "hidden_size": "n_embd",
    "max_position_embeddings": "n_positions",
    "num_attention_heads": "n_head",
    "num_hidden_layers": "n_layer",
}


def settings(name: str, table: Mapping[str, Any]) -> Any:
    """Its config.json, with transformers' defaults."""
    return read_settings(name, table, ENTRIES, RENAMED)


def config(name: str, theirs: Any) -> TransformerConfig:
    """Learned positions, a bias everywhere, the unembedding tied unless it says otherwise."""
    faults = {
        "it scales attention by layer": theirs.scale_attn_by_inverse_layer_idx,
        "it does not scale attention": not theirs.scale_attn_weights,
        "it has cross-attention": theirs.add_cross_attention,
    }
    require(name, faults)
    return TransformerConfig(
        n_layers=theirs.n_layer,
        n_heads=theirs.n_head,
        d_model=theirs.n_embd,
        n_ctx=theirs.n_positions,
        d_vocab=theirs.vocab_size,
        d_mlp=theirs.n_inner or 4 * theirs.n_embd,
        activation=activation(name, theirs.activation_function),
        norm_eps=theirs.layer_norm_epsilon,
        tied=theirs.tie_word_embeddings,
    )


def weights(source: Source, theirs: Any, ours: TransformerConfig) -> Named:
    """Its matrices are [in, out], the three of attention side by side."""
    heads, d_model, wide = (ours.n_heads, ours.d_head), ours.d_model, ours.n_heads * ours.d_head
    why = f"{ours.n_heads} heads of {ours.d_head}"
    yield "embed.W_E", source.take("wte.weight", ours.d_vocab, d_model)
    yield "pos_embed.W_pos", source.take("wpe.weight", ours.n_ctx, d_model)
    for layer in range(ours.n_layers):
        block, their = f"blocks.{layer}", f"h.{layer}"
        attn = f"{their}.attn"
        yield from norm(source, f"{block}.ln1", f"{their}.ln_1", d_model)
        weight = source.take(f"{attn}.c_attn.weight", d_model, 3 * wide, because=why)
        bias = source.take(f"{attn}.c_attn.bias", 3 * wide, because=why)
        for letter, matrix, shift in zip("QKV", weight.chunk(3, 1), bias.chunk(3), strict=True):
            by_head = matrix.unflatten(1, heads).transpose(0, 1)
            yield from linear(f"{block}.attn", letter, by_head, shift.unflatten(0, heads))
        out = source.take(f"{attn}.c_proj.weight", wide, d_model, because=why).unflatten(0, heads)
        yield from linear(f"{block}.attn", "O", out, source.take(f"{attn}.c_proj.bias", d_model))
        yield from norm(source, f"{block}.ln2", f"{their}.ln_2", d_model)
        sizes = {"in": ("c_fc", d_model, ours.d_mlp), "out": ("c_proj", ours.d_mlp, d_model)}
        for letter, (part, inner, outer) in sizes.items():
            matrix = source.take(f"{their}.mlp.{part}.weight", inner, outer)
            yield from linear(f"{block}.mlp", letter, matrix, source.take(f"{their}.mlp.{part}.bias", outer))
    yield from norm(source, "ln_final", "ln_f", d_model)


GPT2 = Family("transformer.", settings, config, weights, embed="wte.weight")
