"""GPT-NeoX (Black et al. 2022), Pythia among them, by transformers' names."""

from __future__ import annotations

from typing import Any

from remix_utils.models.families.family import Family, Named, Source, activation, frequencies, linear, norm, rotary
from remix_utils.models.transformer_config import TransformerConfig


def config(name: str, theirs: Any) -> TransformerConfig:
    """Rotary positions on a part of each head; attention and MLP side by side, unless it says otherwise."""
    return TransformerConfig(
        n_layers=theirs.num_hidden_layers,
        n_heads=theirs.num_attention_heads,
        d_model=theirs.hidden_size,
        n_ctx=theirs.max_position_embeddings,
        d_vocab=theirs.vocab_size,
        d_mlp=theirs.intermediate_size,
        activation=activation(name, theirs.hidden_act),
        norm_eps=theirs.layer_norm_eps,
        parallel=theirs.use_parallel_residual,
        attn_bias=theirs.attention_bias,
        tied=theirs.tie_word_embeddings,
        **rotary(name, theirs, theirs.rope_parameters.get("partial_rotary_factor", 1.0)),
    )


def weights(source: Source, theirs: Any, ours: TransformerConfig) -> Named:
    """Its matrices are [out, in]; queries, keys and values lie together, head by head."""
    heads = (ours.n_heads, ours.d_head)
    yield "embed.W_E", source.take("embed_in.weight")
    yield "rotary.frequencies", frequencies(theirs, ours)
    for layer in range(ours.n_layers):
        block, their = f"blocks.{layer}", f"layers.{layer}"
        attn = f"{their}.attention"
        yield from norm(source, f"{block}.ln1", f"{their}.input_layernorm")
        weight = source.take(f"{attn}.query_key_value.weight").unflatten(0, (heads[0], 3, heads[1]))
        bias = (
            source.take(f"{attn}.query_key_value.bias").unflatten(0, (heads[0], 3, heads[1]))
            if ours.attn_bias
            else None
        )
        for number, letter in enumerate("QKV"):
            shift = None if bias is None else bias[:, number]
            yield from linear(f"{block}.attn", letter, weight[:, number].transpose(1, 2), shift)
        out = source.take(f"{attn}.dense.weight").T.unflatten(0, heads)
        yield from linear(f"{block}.attn", "O", out, source.take(f"{attn}.dense.bias") if ours.attn_bias else None)
        yield from norm(source, f"{block}.ln2", f"{their}.post_attention_layernorm")
        for letter, part in (("in", "dense_h_to_4h"), ("out", "dense_4h_to_h")):
            matrix, shift = (source.take(f"{their}.mlp.{part}.{kind}") for kind in ("weight", "bias"))
            yield from linear(f"{block}.mlp", letter, matrix.T, shift)
    yield from norm(source, "ln_final", "final_layer_norm")


NEOX = Family("gpt_neox.", config, weights, ("lm_head.weight", "embed_out.weight"))
