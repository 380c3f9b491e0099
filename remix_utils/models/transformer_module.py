"""The transformer as a torch module: to train, and to hook at the places that the graph calls by the same names."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn

from remix_utils.models.initial_weights import draw
from remix_utils.models.model import ModelError
from remix_utils.models.transformer_config import TransformerConfig

ACTIVATIONS = {
    "relu": F.relu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
}


class Transformer(nn.Module):
    """The network of a configuration, its weights drawn by `seed`, or left as they come with None.

    Weights have the field's names and axes: `blocks.0.attn.W_Q` [head, d_model, d_head], `blocks.0.mlp.W_in`
    [d_model, d_mlp], `unembed.W_U` [d_model, d_vocab]. Each value that the graph names is the output of a module of
    that name: `blocks.0.attn.pattern` [batch, head, query, key], `blocks.0.resid_post` [batch, seq, d_model].

    >>> config = TransformerConfig(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=5)
    >>> network = Transformer(config, seed=0)
    >>> network(torch.zeros(3, 16, dtype=torch.long)).shape
    torch.Size([3, 16, 5])
    """

    def __init__(self, config: TransformerConfig, seed: int | None = 0):
        super().__init__()
        self.config = config
        self.embed = Embed(config)
        if config.positions in ("learned", "shortformer"):
            self.pos_embed = PosEmbed(config)
        if config.positions == "rotary":
            self.rotary = Rotary(config)
        self.blocks = nn.ModuleList(Block(config) for _ in range(config.n_layers))
        self.ln_final = norm(config)
        self.unembed = Unembed(config)
        self.logits = nn.Identity()
        if seed is not None:
            draw(self, config, seed)

    def forward(self, tokens: torch.Tensor, mask: torch.Tensor | None = None, fast: bool = False) -> torch.Tensor:
        """Logits [batch, seq, d_vocab] of tokens [batch, seq], or a classifier's [batch, d_out].

        `mask` [batch, seq] is true at real tokens. A causal network then counts positions from the first real one,
        so that padding belongs on the left; on the right it needs no mask. With `fast` attention is computed in one
        piece, for training: scores and patterns then have no value to hook.

        Raises ModelError for more tokens than `n_ctx`, as the graph does.
        """
        config, seq = self.config, tokens.shape[1]
        if not 1 <= seq <= config.n_ctx:
            raise ModelError(
                f"The network reads sequences of 1 to {config.n_ctx} tokens, but these have {seq}.",
                fix=f"give at most {config.n_ctx} tokens a row.",
                seq=seq,
                longest=config.n_ctx,
            )
        x = self.embed(tokens)
        places = positions(mask) if config.causal and mask is not None else torch.arange(seq, device=tokens.device)
        p = self.pos_embed(places) if config.positions in ("learned", "shortformer") else None
        turn = self.rotary(places) if config.positions == "rotary" else None
        allowed = visible(seq, config.causal, mask, tokens.device)
        if config.positions == "learned":
            x = x + p
        for block in self.blocks:
            x = block(x, p if config.positions == "shortformer" else None, turn, allowed, fast)
        x = self.ln_final(x)
        x = x[:, 0] if config.d_out else x
        return self.logits(self.unembed(x, self.embed.W_E.T if config.tied else None))


class Embed(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.W_E = _weight(config.d_vocab, config.d_model)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return F.embedding(tokens, self.W_E)


class PosEmbed(nn.Module):
    """Vectors of positions [seq, d_model], or [batch, seq, d_model] where rows count differently."""

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.W_pos = _weight(config.n_ctx, config.d_model)

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return self.W_pos[places]


class Rotary(nn.Module):
    """The angles [seq, 1, rotary_dim / 2] by which queries and keys are turned (Su et al. 2021)."""

    frequencies: torch.Tensor

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.register_buffer("frequencies", rotary_frequencies(config))

    def forward(self, places: torch.Tensor) -> torch.Tensor:
        return (places.unsqueeze(-1) * self.frequencies).unsqueeze(-2)


def rotary_frequencies(config: TransformerConfig) -> torch.Tensor:
    """The angle by which each pair of entries turns from one position to the next [rotary_dim / 2], not scaled."""
    # On the meta device torch would import sympy for `arange`, which takes a second.
    exponents = torch.arange(0, config.rotary_dim, 2, dtype=torch.float32, device="cpu") / config.rotary_dim
    return 1.0 / config.rotary_base**exponents  # as transformers rounds it


class Block(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.resid_pre = nn.Identity()
        self.ln1 = norm(config)
        if config.positions == "shortformer":
            self.q_input, self.k_input = nn.Identity(), nn.Identity()
        self.attn = Attention(config)
        self.attn_out = nn.Identity()
        if config.d_mlp:
            if not config.parallel:
                self.resid_mid = nn.Identity()
            self.ln2 = norm(config)
            self.mlp = MLP(config)
            self.mlp_out = nn.Identity()
        self.resid_post = nn.Identity()

    def forward(self, x, p, turn, allowed, fast):
        x = self.resid_pre(x)
        read = self.ln1(x)
        q_input, k_input = (read, read) if p is None else (self.q_input(read + p), self.k_input(read + p))
        attn_out = self.attn_out(self.attn(q_input, k_input, read, turn, allowed, fast))
        if not self.config.d_mlp:
            return self.resid_post(x + attn_out)
        mid = x if self.config.parallel else self.resid_mid(x + attn_out)
        mlp_out = self.mlp_out(self.mlp(self.ln2(mid)))
        return self.resid_post(x + attn_out + mlp_out if self.config.parallel else mid + mlp_out)


class Attention(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        d_model, d_head = config.d_model, config.d_head
        heads, shared, bias = config.n_heads, config.n_kv_heads, config.attn_bias
        self.W_Q, self.b_Q = _weight(heads, d_model, d_head), _bias(bias, heads, d_head)
        self.W_K, self.b_K = _weight(shared, d_model, d_head), _bias(bias, shared, d_head)
        self.W_V, self.b_V = _weight(shared, d_model, d_head), _bias(bias, shared, d_head)
        self.W_O, self.b_O = _weight(heads, d_head, d_model), _bias(bias, d_model)
        self.q, self.k, self.v = nn.Identity(), nn.Identity(), nn.Identity()
        if config.qk_norm:
            self.q_norm, self.k_norm = RMSNorm(config, d_head), RMSNorm(config, d_head)
        if config.positions == "rotary":
            self.rot_q, self.rot_k = nn.Identity(), nn.Identity()
        self.scores, self.pattern, self.z = nn.Identity(), nn.Identity(), nn.Identity()

    def forward(self, q_input, k_input, v_input, turn, allowed, fast):
        q = self.q(_project(q_input, self.W_Q, self.b_Q))
        k = self.k(_project(k_input, self.W_K, self.b_K))
        v = self.v(_project(v_input, self.W_V, self.b_V))
        if self.config.qk_norm:
            q, k = self.q_norm(q), self.k_norm(k)
        if turn is not None:
            q, k = self.rot_q(rotate(q, turn)), self.rot_k(rotate(k, turn))
        z = self.z(self._fast(q, k, v, allowed) if fast else self._attend(q, k, v, allowed))
        return F.linear(z.flatten(-2), self.W_O.flatten(0, 1).T, self.b_O)

    def _attend(self, q, k, v, allowed):
        """Queries [batch, query, head, d_head] look at keys and values [batch, key, head, d_head]."""
        group = self.config.n_heads // self.config.n_kv_heads
        if group > 1:
            k, v = k.repeat_interleave(group, 2), v.repeat_interleave(group, 2)
        scores = self.scores((q / math.sqrt(self.config.d_head)).transpose(1, 2) @ k.permute(0, 2, 3, 1))
        if allowed is not None:
            scores = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
        pattern = self.pattern(scores.softmax(-1))
        return (pattern @ v.transpose(1, 2)).transpose(1, 2)

    def _fast(self, q, k, v, allowed):
        q, k, v = (each.transpose(1, 2) for each in (q, k, v))
        only_causal = self.config.causal and allowed is not None and allowed.ndim == 2
        z = F.scaled_dot_product_attention(
            q, k, v, None if only_causal else allowed, is_causal=only_causal, enable_gqa=q.shape[1] != k.shape[1]
        )
        return z.transpose(1, 2)


class MLP(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.config = config
        d_model, d_mlp, bias = config.d_model, config.d_mlp, config.mlp_bias
        self.W_in, self.b_in = _weight(d_model, d_mlp), _bias(bias, d_mlp)
        self.W_out, self.b_out = _weight(d_mlp, d_model), _bias(bias, d_model)
        self.pre, self.post = nn.Identity(), nn.Identity()
        if config.gated:
            self.W_gate, self.b_gate = _weight(d_model, d_mlp), _bias(bias, d_mlp)
            self.pre_linear = nn.Identity()

    def forward(self, x):
        act = ACTIVATIONS[self.config.activation]
        linear = F.linear(x, self.W_in.T, self.b_in)
        if self.config.gated:
            pre, linear = self.pre(F.linear(x, self.W_gate.T, self.b_gate)), self.pre_linear(linear)
            post = self.post(act(pre) * linear)
        else:
            post = self.post(act(self.pre(linear)))
        return F.linear(post, self.W_out.T, self.b_out)


class Unembed(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        if not config.tied:
            self.W_U = _weight(config.d_model, config.n_logits)
        self.b_U = _bias(config.unembed_bias, config.n_logits)

    def forward(self, x, tied_to=None):
        return F.linear(x, (self.W_U if tied_to is None else tied_to).T, self.b_U)


class LayerNorm(nn.Module):
    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.eps = config.norm_eps
        self.w, self.b = _weight(config.d_model), _weight(config.d_model)

    def forward(self, x):
        return F.layer_norm(x, x.shape[-1:], self.w, self.b, self.eps)


class RMSNorm(nn.Module):
    def __init__(self, config: TransformerConfig, size: int = 0):
        super().__init__()
        self.eps = config.norm_eps
        self.w = _weight(size or config.d_model)

    def forward(self, x):
        return F.rms_norm(x, x.shape[-1:], self.w, self.eps)


def norm(config: TransformerConfig) -> nn.Module:
    return {"layernorm": LayerNorm, "rmsnorm": RMSNorm, "none": lambda config: nn.Identity()}[config.norm](config)


def positions(mask: torch.Tensor) -> torch.Tensor:
    """Positions counted from the first real token of each row; those of padding mean nothing."""
    return (mask.long().cumsum(-1) - 1).clamp(min=0)


def visible(seq: int, causal: bool, mask: torch.Tensor | None, device: torch.device) -> torch.Tensor | None:
    """Which keys a query may look at: [query, key], with a mask [batch, 1, query or 1, key], or None for all."""
    earlier = torch.ones(seq, seq, dtype=torch.bool, device=device).tril() if causal else None
    if mask is None:
        return earlier
    real = mask.bool()[:, None, None, :]
    return real if earlier is None else real & earlier


def rotate(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """Turn entry i and entry i + n of the last axis by angle i of n; entries from 2n on stay."""
    n = angles.shape[-1]
    cos, sin = angles.cos(), angles.sin()
    first, second = x[..., :n], x[..., n : 2 * n]
    return torch.cat([first * cos - second * sin, second * cos + first * sin, x[..., 2 * n :]], -1)


def _weight(*shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape, dtype=torch.float32))  # whatever torch's default is


def _bias(present: bool, *shape: int) -> nn.Parameter | None:
    return _weight(*shape) if present else None


def _project(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
    """[batch, seq, d_model] by [head, d_model, d_head] → [batch, seq, head, d_head], as one matrix product."""
    heads, d_model, d_head = weight.shape
    flat = weight.transpose(1, 2).reshape(heads * d_head, d_model)
    return F.linear(x, flat, None if bias is None else bias.flatten()).unflatten(-1, (heads, d_head))
