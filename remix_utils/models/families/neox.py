"""GPT-NeoX (Black et al. 2022), Pythia among them, by transformers' names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

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
from remix_utils.models.families.settings import Entries, read_settings, rope_parameters
from remix_utils.models.transformer_config import TransformerConfig

ENTRIES: Entries = {
    "vocab_size": (int, 50432),
    "hidden_size": (int, 6144),
    "num_hidden_layers": (int, 44),
    "num_attention_heads": (int, 64),
    "intermediate_size": (int, 24576),
    "hidden_act": (str, "gelu"),
    "max_position_embeddings": (int, 2048),
    "layer_norm_eps": (float, 1e-5),
    "use_parallel_residual": (bool, True),
    "attention_bias": (bool, True),
    "head_dim": (int | None, None),
    "tie_word_embeddings": (bool, False),
}


def settings(name: str, table: Mapping[str, Any]) -> Any:
    """Its config.json, with transformers' defaults."""
    theirs = read_settings(name, table, ENTRIES)
    needed = {"rotary_pct": 0.25, **table, "max_position_embeddings": theirs.max_position_embeddings}
    theirs.rope_parameters = rope_parameters(name, needed, "rotary_emb_base", "rotary_pct")
    return theirs


def config(name: str, theirs: Any) -> TransformerConfig:
    """Rotary positions on a part of each head; attention and MLP side by side, unless it says otherwise."""
    d_head = theirs.hidden_size // max(theirs.num_attention_heads, 1)
    require(name, {f"its head_dim is {theirs.head_dim}, not {d_head}": theirs.head_dim not in (None, d_head)})
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
    heads, d_model, wide = (ours.n_heads, ours.d_head), ours.d_model, ours.n_heads * ours.d_head
    why = f"{ours.n_heads} heads of {ours.d_head}"
    yield "embed.W_E", source.take("embed_in.weight", ours.d_vocab, d_model)
    yield "rotary.frequencies", frequencies(theirs, ours)
    for layer in range(ours.n_layers):
        block, their = f"blocks.{layer}", f"layers.{layer}"
        attn = f"{their}.attention"
        yield from norm(source, f"{block}.ln1", f"{their}.input_layernorm", d_model)
        joint = source.take(f"{attn}.query_key_value.weight", 3 * wide, d_model, because=why)
        weight, bias = joint.unflatten(0, (heads[0], 3, heads[1])), None
        if ours.attn_bias:
            joint = source.take(f"{attn}.query_key_value.bias", 3 * wide, because=why)
            bias = joint.unflatten(0, (heads[0], 3, heads[1]))
        for number, letter in enumerate("QKV"):
            shift = None if bias is None else bias[:, number]
            yield from linear(f"{block}.attn", letter, weight[:, number].transpose(1, 2), shift)
        out = source.take(f"{attn}.dense.weight", d_model, wide, because=why).T.unflatten(0, heads)
        shift = source.take(f"{attn}.dense.bias", d_model) if ours.attn_bias else None
        yield from linear(f"{block}.attn", "O", out, shift)
        yield from norm(source, f"{block}.ln2", f"{their}.post_attention_layernorm", d_model)
        sizes = {"in": ("dense_h_to_4h", ours.d_mlp, d_model), "out": ("dense_4h_to_h", d_model, ours.d_mlp)}
        for letter, (part, outer, inner) in sizes.items():
            matrix = source.take(f"{their}.mlp.{part}.weight", outer, inner)
            yield from linear(f"{block}.mlp", letter, matrix.T, source.take(f"{their}.mlp.{part}.bias", outer))
    yield from norm(source, "ln_final", "final_layer_norm", d_model)


NEOX = Family(
    "gpt_neox.", settings, config, weights, embed="embed_in.weight", unembed=("lm_head.weight", "embed_out.weight")
)
