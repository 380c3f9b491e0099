"""A small transformer as a graph, with the field's names for its nodes, to select, split and evaluate."""

import torch

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, placeholder


def transformer(layers: int = 2, seq: int = 6, d_model: int = 8, heads: int = 2, vocab: int = 11) -> Node:
    """Logits [seq, vocab] of tokens [seq], in float64."""
    generator = torch.Generator().manual_seed(0)

    def weight(name: str, *shape: int) -> Node:
        return array(torch.randn(shape, generator=generator, dtype=torch.float64) / shape[-1] ** 0.5, name)

    def attention(x: Node, block: str) -> Node:
        attn, d_head = f"{block}.attn", d_model // heads
        q, k, v = (
            einsum(
                "seq model, head model d -> seq head d",
                x,
                weight(f"{attn}.W_{letter.upper()}", heads, d_model, d_head),
                name=f"{attn}.{letter}",
            )
            for letter in "qkv"
        )
        product = einsum("query head d, key head d -> head query key", q, k, name=f"{attn}.product")
        scores = add(product, causal, weights=[d_head**-0.5, 1], name=f"{attn}.scores")
        pattern = apply("softmax", scores, name=f"{attn}.pattern")
        z = einsum("head query key, key head d -> query head d", pattern, v, name=f"{attn}.z")
        out = weight(f"{attn}.W_O", heads, d_head, d_model)
        return einsum("seq head d, head d model -> seq model", z, out, name=f"{block}.attn_out")

    def mlp(x: Node, block: str) -> Node:
        pre = einsum(
            "seq model, model mlp -> seq mlp", x, weight(f"{block}.mlp.W_in", d_model, 16), name=f"{block}.pre"
        )
        post = apply("gelu", pre, name=f"{block}.mlp.post")
        return einsum("seq mlp, mlp model -> seq model", post, weight("W_out", 16, d_model), name=f"{block}.mlp_out")

    def normalized(x: Node, name: str) -> Node:
        return apply("layernorm", x, weight(f"{name}.w", d_model), weight(f"{name}.b", d_model), name=name)

    causal = array(torch.full((seq, seq), -1e9, dtype=torch.float64).triu(1), "causal")
    tokens = placeholder("tokens", (seq,), torch.long)
    embed = apply("embed", tokens, weight("W_E", vocab, d_model), name="embed")
    x = add(embed, weight("pos_embed", seq, d_model), name="blocks.0.resid_pre")
    for layer in range(layers):
        block = f"blocks.{layer}"
        mid = add(x, attention(normalized(x, f"{block}.ln1.normalized"), block), name=f"{block}.resid_mid")
        x = add(mid, mlp(normalized(mid, f"{block}.ln2.normalized"), block), name=f"{block}.resid_post")
    final = normalized(x, "ln_final.normalized")
    return einsum("seq model, model vocab -> seq vocab", final, weight("W_U", d_model, vocab), name="logits")


def tokens(rows: int, seq: int = 6, vocab: int = 11) -> dict[str, torch.Tensor]:
    return {"tokens": torch.randint(vocab, (rows, seq), generator=torch.Generator().manual_seed(1))}
