"""The sizes and choices that make one transformer: everything about it but its weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

from remix_utils.errors import nearest
from remix_utils.models.model import ModelError

Positions = Literal["learned", "shortformer", "rotary", "none"]
Activation = Literal["relu", "gelu", "gelu_tanh", "silu"]
Norm = Literal["layernorm", "rmsnorm", "none"]


@dataclass(frozen=True)
class TransformerConfig:
    """One pre-norm transformer.

    `d_mlp=0` leaves the MLPs out; `n_kv_heads` below `n_heads` shares keys and values between heads. Positions are
    "learned" (added to the embedding), "shortformer" (added to what queries and keys read, after the norm, and to
    nothing else: Press et al. 2021), "rotary" (on the first `rotary_dim` entries of queries and keys) or "none". With
    `qk_norm` each head's queries and keys are normalised by an RMSNorm before they are rotated. With
    `d_out` the network is a classifier: [d_out] logits read at position 0, in place of [seq, d_vocab].

    >>> config = TransformerConfig(n_layers=2, n_heads=8, d_model=256, n_ctx=128, d_vocab=1024)
    >>> config.d_head, config.n_kv_heads, config.rotary_dim
    (32, 8, 32)

    Raises ModelError for sizes that do not fit each other and for choices that do not exist.
    """

    n_layers: int
    n_heads: int
    d_model: int
    n_ctx: int
    d_vocab: int
    d_head: int = 0  # 0: d_model / n_heads
    n_kv_heads: int = 0  # 0: n_heads
    d_mlp: int = 0
    d_out: int = 0
    positions: Positions = "learned"
    rotary_dim: int = 0  # 0: d_head
    rotary_base: float = 10_000.0
    causal: bool = True
    activation: Activation = "relu"
    gated: bool = False
    norm: Norm = "layernorm"
    norm_eps: float = 1e-5
    tied: bool = False
    parallel: bool = False
    qk_norm: bool = False
    attn_bias: bool = True
    mlp_bias: bool = True
    unembed_bias: bool = False

    def __post_init__(self):
        put = object.__setattr__
        put(self, "d_head", self.d_head or self.d_model // max(self.n_heads, 1))
        put(self, "n_kv_heads", self.n_kv_heads or self.n_heads)
        put(self, "rotary_dim", self.rotary_dim or self.d_head)
        for name in ("n_layers", "n_heads", "d_model", "d_head", "n_ctx", "d_vocab"):
            if getattr(self, name) < 1:
                raise _refuse(f"{name} is {getattr(self, name)}", f"give {name} a whole number, 1 or more")
        for name, kind in (("positions", Positions), ("activation", Activation), ("norm", Norm)):
            if getattr(self, name) not in get_args(kind):
                raise _refuse(f"{name} is {getattr(self, name)!r}", f"use one of {', '.join(get_args(kind))}")
        if self.n_heads % self.n_kv_heads:
            raise _refuse(
                f"{self.n_heads} heads share {self.n_kv_heads} keys and values",
                "make n_heads a multiple of n_kv_heads",
            )
        if self.positions == "rotary" and (self.rotary_dim % 2 or self.rotary_dim > self.d_head):
            raise _refuse(
                f"rotary_dim is {self.rotary_dim}, d_head {self.d_head}", "use an even rotary_dim of at most d_head"
            )
        if self.tied and self.d_out:
            raise _refuse("a classifier has no unembedding to tie", "leave out tied or d_out")

    @property
    def n_logits(self) -> int:
        """How many logits are read: the vocabulary, or a classifier's outputs."""
        return self.d_out or self.d_vocab

    @classmethod
    def read(cls, table: Mapping[str, Any]) -> TransformerConfig:
        """The configuration written on a card, as a mapping; ModelError for an entry that means nothing.

        >>> TransformerConfig.read({"n_layers": 1, "n_heads": 1, "d_model": 4, "n_ctx": 8, "d_vocab": 3}).d_head
        4
        """
        known = [field.name for field in fields(cls)]
        if unknown := sorted(set(table) - set(known)):
            raise _refuse(f"{unknown[0]!r} is no entry; {nearest(unknown[0], known)}", "correct the [config] table")
        if missing := [name for name in known[:5] if name not in table]:
            raise _refuse(f"{missing[0]!r} is missing", "add it to the [config] table")
        return cls(**table)


def _refuse(fact: str, fix: str) -> ModelError:
    return ModelError(f"TransformerConfig: {fact}.", fix=f"{fix}.")
