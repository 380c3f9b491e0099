"""A network of GPT-2's shape with random weights, twice: as plain torch modules and as a graph."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, placeholder


@dataclass(frozen=True)
class Sizes:
    """GPT-2 small, if nothing is said."""

    layers: int = 12
    heads: int = 12
    d_head: int = 64
    vocabulary: int = 50257
    longest: int = 64

    @property
    def d_model(self) -> int:
        return self.heads * self.d_head


class Attention(nn.Module):
    """Every step that an experiment wants to see is a module, so that it can be hooked."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        self.heads = sizes.heads
        self.qkv = nn.Linear(sizes.d_model, 3 * sizes.d_model)
        self.scores, self.pattern, self.z = nn.Identity(), nn.Softmax(-1), nn.Identity()
        self.out = nn.Linear(sizes.d_model, sizes.d_model)
        self.fused = False  # whether torch's own kernel computes scores, pattern and z out of sight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """[batch, seq, d_model] to the same; z is [batch, seq, head, d_head]."""
        batch, seq, d_model = x.shape
        q, k, v = (part.view(batch, seq, self.heads, -1).transpose(1, 2) for part in self.qkv(x).split(d_model, -1))
        if self.fused:
            z = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        else:
            future = torch.ones(seq, seq, dtype=torch.bool).triu(1)
            scores = (q @ k.mT / q.shape[-1] ** 0.5).masked_fill(future, -torch.inf)  # [batch, head, query, key]
            z = self.pattern(self.scores(scores)) @ v
        return self.out(self.z(z.transpose(1, 2)).reshape(batch, seq, d_model))


class Block(nn.Module):
    """Attention, then an MLP, each read through a layernorm and added to the stream."""

    def __init__(self, sizes: Sizes):
        super().__init__()
        d_model = sizes.d_model
        self.ln1, self.attention, self.ln2 = nn.LayerNorm(d_model), Attention(sizes), nn.LayerNorm(d_model)
        self.up, self.gelu, self.down = (
            nn.Linear(d_model, 4 * d_model),
            nn.GELU("tanh"),
            nn.Linear(4 * d_model, d_model),
        )
        self.middle = nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.middle(x + self.attention(self.ln1(x)))
        return x + self.down(self.gelu(self.up(self.ln2(x))))


class Network(nn.Module):
    """GPT-2: token and position embeddings, blocks, a last layernorm, and the token embedding again to read out."""

    def __init__(self, sizes: Sizes = Sizes(), seed: int = 0):
        super().__init__()
        torch.manual_seed(seed)
        self.sizes = sizes
        self.tokens = nn.Embedding(sizes.vocabulary, sizes.d_model)
        self.positions = nn.Embedding(sizes.longest, sizes.d_model)
        self.blocks = nn.ModuleList(Block(sizes) for _ in range(sizes.layers))
        self.ln_final = nn.LayerNorm(sizes.d_model)
        for weights in self.parameters():
            nn.init.normal_(weights, std=0.02 if weights.ndim > 1 else 0.1)
        self.requires_grad_(False)

    def body(self, tokens: torch.Tensor) -> torch.Tensor:
        """The stream after the last block, [batch, seq, d_model], of tokens [batch, seq]."""
        x = self.tokens(tokens) + self.positions.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x)
        return x

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Logits [batch, seq, vocabulary]."""
        return self.ln_final(self.body(tokens)) @ self.tokens.weight.T

    def fuse(self, fused: bool) -> None:
        for block in self.blocks:
            block.attention.fused = fused


def build_graph(network: Network, seq: int) -> Node:
    """The same network as a graph, from the placeholder `tokens` [seq] to `logits` [seq, vocabulary]."""
    tokens = placeholder("tokens", (seq,), torch.long)
    embedding = array(network.tokens.weight, "W_E")
    positions = array(network.positions.weight[:seq], "pos_embed")
    stream = add(apply("embed", tokens, embedding, name="embed"), positions, name="blocks.0.resid_pre")
    for layer, block in enumerate(network.blocks):
        stream = _block(block, stream, f"blocks.{layer}")
    normalized = _layernorm(network.ln_final, stream, "ln_final")
    return einsum("seq d, vocabulary d -> seq vocabulary", normalized, embedding, name="logits")


def _block(block: Block, stream: Node, name: str) -> Node:
    attention_out, bias = _attention(block.attention, _layernorm(block.ln1, stream, f"{name}.ln1"), f"{name}.attn")
    stream = add(stream, attention_out, bias, name=f"{name}.resid_mid")
    x = _layernorm(block.ln2, stream, f"{name}.ln2")
    pre = einsum("seq d, mlp d -> seq mlp", x, array(block.up.weight, f"{name}.mlp.W_in"), name=f"{name}.mlp.product")
    pre = add(pre, array(block.up.bias, f"{name}.mlp.b_in"), name=f"{name}.mlp.pre")
    post = apply("gelu_tanh", pre, name=f"{name}.mlp.post")
    out = einsum("seq mlp, d mlp -> seq d", post, array(block.down.weight, f"{name}.mlp.W_out"), name=f"{name}.mlp_out")
    return add(stream, out, array(block.down.bias, f"{name}.mlp.b_out"), name=f"{name}.resid_post")


def _attention(attention: Attention, x: Node, name: str) -> tuple[Node, Node]:
    """What the heads write, and the bias that belongs to none of them."""
    seq, d_model = x.shape
    weights = attention.qkv.weight.view(3, attention.heads, -1, d_model)
    biases = attention.qkv.bias.view(3, attention.heads, -1)
    q, k, v = (
        add(
            einsum(
                "seq d, head h d -> seq head h", x, array(weight, f"{name}.W_{part}"), name=f"{name}.{part}.product"
            ),
            array(bias, f"{name}.b_{part}"),
            name=f"{name}.{part}",
        )
        for part, weight, bias in zip("qkv", weights, biases, strict=True)
    )
    mask = array(torch.full((seq, seq), -torch.inf).triu(1), "causal")
    products = einsum("query head h, key head h -> head query key", q, k, name=f"{name}.products")
    scores = add(products, mask, weights=[weights.shape[2] ** -0.5, 1], name=f"{name}.scores")
    pattern = apply("softmax", scores, name=f"{name}.pattern")
    z = einsum("head query key, key head h -> query head h", pattern, v, name=f"{name}.z")
    out = array(attention.out.weight.view(d_model, attention.heads, -1), f"{name}.W_O")
    written = einsum("query head h, d head h -> query d", z, out, name=f"{name}_out")
    return written, array(attention.out.bias, f"{name}.b_O")


def _layernorm(norm: nn.LayerNorm, x: Node, name: str) -> Node:
    return apply(
        "layernorm", x, array(norm.weight, f"{name}.w"), array(norm.bias, f"{name}.b"), name=f"{name}.normalized"
    )
