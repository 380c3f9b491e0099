"""What families of models share: taking weights from files, naming them as ours, refusing what we do not have."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from remix_utils.models.model import ModelError
from remix_utils.models.transformer_config import Activation, TransformerConfig
from remix_utils.models.transformer_module import Rotary

Named = Iterator[tuple[str, torch.Tensor]]
Readers = Mapping[str, Callable[[], torch.Tensor]]

ACTIVATIONS: dict[str, Activation] = {
    "gelu": "gelu",
    "gelu_new": "gelu_tanh",
    "gelu_fast": "gelu_tanh",
    "gelu_pytorch_tanh": "gelu_tanh",
    "relu": "relu",
    "silu": "silu",
    "swish": "silu",
}
PLAIN_ROTARY = ("default", "linear", "llama3")  # one frequency for each pair of entries, whatever the length


class Source:
    """A model's weights by the names in its files, each read when it is taken, as float32."""

    def __init__(self, name: str, readers: Readers, prefix: str):
        """`prefix` stands before the names of the body's weights; a body that was saved alone lacks it."""
        self.name, self.prefix = name, prefix
        self.readers = {key.removeprefix(prefix): read for key, read in readers.items()}
        self.left = dict.fromkeys(self.readers)

    def __contains__(self, key: str) -> bool:
        return key in self.readers

    def take(self, key: str) -> torch.Tensor:
        """The weight; ModelError when it is not there or not finite."""
        if key not in self:
            raise ModelError(
                f"{self.name!r}: its files hold no weight {key!r}.",
                fix="download it again, as a causal language model with its unembedding.",
                weight=key,
            )
        self.left.pop(key, None)
        value = self.readers[key]().float()
        # A sum is finite where every entry is, but for an overflow, and takes a tenth of the time.
        if not bool(value.sum().isfinite()) and not bool(value.isfinite().all()):
            raise ModelError(f"{self.name!r}: weight {key!r} is not finite.", fix="download it again.", weight=key)
        return value

    def finish(self, ignored: tuple[str, ...]) -> None:
        """ModelError when a weight was not taken, unless its name ends in one of these."""
        for key in self.left:
            if not key.endswith(ignored):
                raise ModelError(
                    f"{self.name!r}: its files hold {key!r}, which a model of its kind does not have.",
                    fix="take the plain causal language model, not an adapter or a changed one.",
                    weight=key,
                )


@dataclass(frozen=True)
class Family:
    """One shape of model: what its configuration means, which of its weights are ours, and what its files are called.

    `unembed` are the names that its unembedding has had; `ignored` ends the names of buffers that old files hold.
    """

    prefix: str
    config: Callable[[str, Any], TransformerConfig]
    weights: Callable[[Source, Any, TransformerConfig], Named]
    unembed: tuple[str, ...] = ("lm_head.weight",)
    ignored: tuple[str, ...] = (".attn.bias", ".masked_bias", ".attention.bias", ".inv_freq")

    def convert(self, name: str, readers: Readers, theirs: Any, ours: TransformerConfig) -> dict[str, torch.Tensor]:
        """All weights under our names; ModelError for one that is missing, not finite, or has no meaning here."""
        source = Source(name, readers, self.prefix)
        weights = dict(self.weights(source, theirs, ours))
        if not ours.tied:
            key = next((key for key in self.unembed if key in source), self.unembed[0])
            weights["unembed.W_U"] = source.take(key).T
        source.finish((*self.ignored, *self.unembed))
        return weights


def require(name: str, faults: Mapping[str, bool]) -> None:
    """ModelError for the first fault that holds."""
    for fault, holds in faults.items():
        if holds:
            raise ModelError(
                f"{name!r}: {fault}, which this transformer does not do.",
                fix="choose a model of its kind without it.",
            )


def activation(name: str, given: str) -> Activation:
    require(name, {f"its activation is {given!r}": given not in ACTIVATIONS})
    return ACTIVATIONS[given]


def rotary(name: str, config: Any, share: float = 1.0) -> dict[str, Any]:
    """The entries of a configuration with rotary positions on this share of each head."""
    rope = config.rope_parameters
    kind = rope.get("rope_type", "default")
    require(name, {f"its rotary positions are scaled by {kind!r}": kind not in PLAIN_ROTARY})
    d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    sizes = {"d_head": d_head, "rotary_dim": int(d_head * share), "rotary_base": float(rope["rope_theta"])}
    return {"positions": "rotary", **sizes}


def frequencies(theirs: Any, ours: TransformerConfig) -> torch.Tensor:
    """The angle by which each pair of entries turns from one position to the next, scaled as the model says."""
    kind = theirs.rope_parameters.get("rope_type", "default")
    if kind == "default":
        return Rotary(ours).frequencies
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    return ROPE_INIT_FUNCTIONS[kind](theirs, torch.device("cpu"))[0].float()


def linear(ours: str, letter: str, weight: torch.Tensor, bias: torch.Tensor | None) -> Named:
    yield f"{ours}.W_{letter}", weight
    if bias is not None:
        yield f"{ours}.b_{letter}", bias


def norm(source: Source, ours: str, theirs: str) -> Named:
    yield f"{ours}.w", source.take(f"{theirs}.weight")
    if f"{theirs}.bias" in source:
        yield f"{ours}.b", source.take(f"{theirs}.bias")
