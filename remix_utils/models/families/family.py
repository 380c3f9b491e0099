"""What families of models share: taking weights from files, naming them as ours, refusing what we do not have."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch

from remix_utils.models.families.settings import unreadable
from remix_utils.models.model import ModelError
from remix_utils.models.transformer_config import Activation, TransformerConfig
from remix_utils.models.transformer_module import rotary_frequencies

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
# Those with one frequency for each pair of entries, whatever the length, and the numbers that they need.
PLAIN_ROTARY = {
    "default": (),
    "linear": ("factor",),
    "llama3": ("factor", "low_freq_factor", "high_freq_factor"),
}


class Source:
    """A model's weights by the names in its files, each read when it is taken, as float32."""

    def __init__(self, name: str, readers: Readers, prefix: str):
        """`prefix` stands before the names of the body's weights; a body that was saved alone lacks it."""
        self.name, self.prefix = name, prefix
        self.readers = {key.removeprefix(prefix): read for key, read in readers.items()}
        self.left = dict.fromkeys(self.readers)
        if twice := [key for key in readers if key.startswith(prefix) and key.removeprefix(prefix) in readers]:
            raise ModelError(
                f"{name!r}: its files hold both {twice[0]!r} and {twice[0].removeprefix(prefix)!r}.",
                fix="save it anew with save_pretrained, from the one that is meant.",
                weight=twice[0],
            )

    def __contains__(self, key: str) -> bool:
        return key in self.readers

    def take(self, key: str, *shape: int, because: str = "") -> torch.Tensor:
        """The weight; ModelError when it is not there, not finite, or not of the configuration's shape.

        `because` says which of the configuration's numbers make that shape.
        """
        if key not in self:
            raise ModelError(
                f"{self.name!r}: its files hold no weight {key!r}.",
                fix="download it again, as a causal language model with its unembedding.",
                weight=key,
            )
        self.left.pop(key, None)
        raw = self.readers[key]()
        if tuple(raw.shape) != shape:
            raise ModelError(
                f"{self.name!r}: weight {key!r} is {list(raw.shape)}, in its configuration {list(shape)}"
                + (f" ({because})." if because else "."),
                fix="put the weights and the config.json of one model into the folder.",
                weight=key,
                found=tuple(raw.shape),
                expected=shape,
            )
        if not raw.is_floating_point():
            raise ModelError(
                f"{self.name!r}: weight {key!r} holds {str(raw.dtype).removeprefix('torch.')}, no floating point.",
                fix="choose a model that is not quantised.",
                weight=key,
            )
        value = raw.float()
        # A sum is finite where every entry is, but for an overflow, and takes a tenth of the time.
        if not bool(value.sum().isfinite()) and not bool(value.isfinite().all()):
            raise ModelError(f"{self.name!r}: weight {key!r} is not finite.", fix="download it again.", weight=key)
        return value

    def put(self, key: str, value: torch.Tensor) -> None:
        """Make a part of a weight that was taken a weight of its own."""
        self.readers[key] = lambda: value
        self.left[key] = None

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

    `settings` reads a config.json as transformers does, `config` makes ours of it. `embed` is the name of the
    embedding, `unembed` are the names that its unembedding has had; `ignored` ends the names of buffers that old files
    hold.
    """

    prefix: str
    settings: Callable[[str, Mapping[str, Any]], Any]
    config: Callable[[str, Any], TransformerConfig]
    weights: Callable[[Source, Any, TransformerConfig], Named]
    embed: str = "embed_tokens.weight"
    unembed: tuple[str, ...] = ("lm_head.weight",)
    ignored: tuple[str, ...] = (".attn.bias", ".masked_bias", ".attention.bias", ".inv_freq")

    def convert(self, name: str, readers: Readers, theirs: Any, ours: TransformerConfig) -> dict[str, torch.Tensor]:
        """All weights under our names; ModelError for one that is missing, not finite, or has no meaning here."""
        source = Source(name, readers, self.prefix)
        held = self._unembeddings(source)
        if ours.tied and held and self.embed not in source:
            source.readers[self.embed] = source.readers[held[0]]
        weights = dict(self.weights(source, theirs, ours))
        if not ours.tied:
            key = held[0] if held else self.unembed[0]
            weights["unembed.W_U"] = source.take(key, ours.d_vocab, ours.d_model).T
        source.finish((*self.ignored, *self.unembed))
        return weights

    def tied(self, name: str, readers: Readers, says: bool) -> bool:
        """Returns whether embedding and unembedding are one: not where files hold both and they differ.

        That is transformers' rule, whatever the configuration `says`.
        """
        source = Source(name, readers, self.prefix)
        held = self._unembeddings(source)
        if not says or not held or self.embed not in source:
            return says
        embedding, unembedding = source.readers[self.embed](), source.readers[held[0]]()
        return embedding.shape == unembedding.shape and bool((embedding == unembedding).all())

    def _unembeddings(self, source: Source) -> list[str]:
        held = [key for key in self.unembed if key in source]
        if len(held) > 1:
            raise ModelError(
                f"{source.name!r}: its files hold both {held[0]!r} and {held[1]!r}, two names of the unembedding.",
                fix="save it anew with save_pretrained, from the one that is meant.",
                weight=held[0],
            )
        return held


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
    if lacking := [entry for entry in PLAIN_ROTARY[kind] if entry not in rope]:
        raise unreadable(name, f"rope_parameters of the type {kind!r} lack {lacking[0]!r}")
    d_head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    sizes = {"d_head": d_head, "rotary_dim": int(d_head * share), "rotary_base": float(rope["rope_theta"])}
    return {"positions": "rotary", **sizes}


def frequencies(theirs: Any, ours: TransformerConfig) -> torch.Tensor:
    """The angle by which each pair of entries turns from one position to the next, scaled as the model says."""
    rope = theirs.rope_parameters
    scale = {"default": lambda plain, rope: plain, "linear": _slower, "llama3": _llama3}
    return scale[rope.get("rope_type", "default")](rotary_frequencies(ours), rope)


def _slower(plain: torch.Tensor, rope: Mapping[str, Any]) -> torch.Tensor:
    return plain / rope["factor"]


def _llama3(plain: torch.Tensor, rope: Mapping[str, Any]) -> torch.Tensor:
    """Slow turns are slowed down further, fast ones are kept, and those between are blended (Llama 3, 2024)."""
    length, low, high = (
        rope[entry] for entry in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor")
    )
    turns = length * plain / (2 * math.pi)
    kept = ((turns - low) / (high - low)).clamp(0, 1)
    return (1 - kept) * plain / rope["factor"] + kept * plain


def linear(ours: str, letter: str, weight: torch.Tensor, bias: torch.Tensor | None) -> Named:
    yield f"{ours}.W_{letter}", weight
    if bias is not None:
        yield f"{ours}.b_{letter}", bias


def norm(source: Source, ours: str, theirs: str, size: int) -> Named:
    yield f"{ours}.w", source.take(f"{theirs}.weight", size)
    if f"{theirs}.bias" in source:
        yield f"{ours}.b", source.take(f"{theirs}.bias", size)
