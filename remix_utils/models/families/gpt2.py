"""GPT-2 (Radford et al. 2019), by transformers' names."""

from __future__ import annotations

from typing import Any

from remix_utils.models.families.family import Family, Named, Source, activation, linear, norm, require
from remix_utils.models.transformer_config import TransformerConfig


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
    heads = (ours.n_heads, ours.d_head)
    yield "embed.W_E", source.take("wte.weight")
    yield "pos_embed.W_pos", source.take("wpe.weight")
    for layer in range(ours.n_layers):
        block, their = f"blocks.{layer}", f"h.{layer}"
        yield from norm(source, f"{block}.ln1", f"{their}.ln_1")
        weight, bias = source.take(f"{their}.attn.c_attn.weight"), source.take(f"{their}.attn.c_attn.bias")
        for letter, matrix, shift in zip("QKV", weight.chunk(3, 1), bias.chunk(3), strict=True):
            by_head = matrix.unflatten(1, heads).transpose(0, 1)
            yield from linear(f"{block}.attn", letter, by_head, shift.unflatten(0, heads))
        out = source.take(f"{their}.attn.c_proj.weight").unflatten(0, heads)
        yield from linear(f"{block}.attn", "O", out, source.take(f"{their}.attn.c_proj.bias"))
        yield from norm(source, f"{block}.ln2", f"{their}.ln_2")
        for letter, part in (("in", "c_fc"), ("out", "c_proj")):
            parts = (source.take(f"{their}.mlp.{part}.{kind}") for kind in ("weight", "bias"))
            yield from linear(f"{block}.mlp", letter, *parts)
    yield from norm(source, "ln_final", "ln_f")


GPT2 = Family("transformer.", config, weights)
