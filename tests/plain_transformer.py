"""A small transformer computed by plain torch, step by step, in which any step can be edited: what hooks do."""

from collections.abc import Callable, Mapping

import torch
import torch.nn.functional as F

from benchmarks.gpt2 import Block, Network, Sizes

SIZES = Sizes(layers=3, heads=2, d_head=4, vocabulary=13, longest=6)
SEQ = 6
Values = dict[str, torch.Tensor]


def network() -> Network:
    """Random weights, large enough that every edit shows."""
    made = Network(SIZES, seed=1)
    for weights in made.parameters():
        weights.mul_(12)
    return made


def tokens(rows: int, seed: int) -> torch.Tensor:
    return torch.randint(SIZES.vocabulary, (rows, SEQ), generator=torch.Generator().manual_seed(seed))


def values(plain: Network, given: torch.Tensor, edits: Mapping[str, Callable] | None = None) -> Values:
    """Every named step on tokens [batch, seq]; `edits[name]` is given the step's value, and what it returns goes on."""
    kept: Values = {}

    def step(name: str, value: torch.Tensor) -> torch.Tensor:
        kept[name] = (edits or {}).get(name, lambda same: same)(value)
        return kept[name]

    embed = step("embed", plain.tokens.weight[given])
    stream = step("blocks.0.resid_pre", embed + plain.positions.weight[: given.shape[1]])
    for layer, block in enumerate(plain.blocks):
        stream = _block(block, stream, f"blocks.{layer}", step)
    step("logits", plain.ln_final(stream) @ plain.tokens.weight.T)
    return kept


def _block(block: Block, stream: torch.Tensor, name: str, step: Callable) -> torch.Tensor:
    read = step(f"{name}.ln1.normalized", block.ln1(stream))
    batch, seq, d_model = read.shape
    heads = block.attention.heads
    weights, biases = block.attention.qkv.weight.split(d_model), block.attention.qkv.bias.split(d_model)
    q, k, v = (
        step(f"{name}.attn.{part}", (read @ weight.T + bias).view(batch, seq, heads, d_model // heads))
        for part, weight, bias in zip("qkv", weights, biases, strict=True)
    )
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / q.shape[-1] ** 0.5
    future = torch.ones(seq, seq, dtype=torch.bool).triu(1)
    pattern = step(f"{name}.attn.pattern", scores.masked_fill(future, -torch.inf).softmax(-1))
    z = step(f"{name}.attn.z", torch.einsum("bhqk,bkhd->bqhd", pattern, v))
    written = step(f"{name}.attn_out", z.flatten(2) @ block.attention.out.weight.T)
    middle = step(f"{name}.resid_mid", stream + written + block.attention.out.bias)
    post = step(f"{name}.mlp.post", F.gelu(block.up(block.ln2(middle)), approximate="tanh"))
    out = step(f"{name}.mlp_out", post @ block.down.weight.T)
    return step(f"{name}.resid_post", middle + out + block.down.bias)
