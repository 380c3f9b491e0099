"""What every network offers, and how weights are read: never without their card, never with a wrong checksum."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as read_safetensors

from remix_utils.errors import RemixError
from remix_utils.graph.node import Node

SHIPPED = Path(__file__).parent / "weights"


class ModelError(RemixError):
    """A model that does not exist, has no such part, or whose weights are not the ones on its card."""


@dataclass(frozen=True)
class Model:
    """A network: its weights and configuration, and how to build it as a graph and as a torch module.

    `weights` are tensors by name, `config` is its sizes, `card` is where it comes from; `tokenizer` has `encode` and
    `decode`, or is None for a network that reads no text. `selector(layer, head)` finds an attention head.

    >>> from remix_utils import models
    >>> model = models.load("digits-b")
    >>> model.config["d_hidden"], sorted(model.weights)
    (16, ['inner.bias', 'inner.weight', 'out.weight', 'skip'])
    """

    name: str
    config: Mapping[str, Any]
    weights: Mapping[str, torch.Tensor] = field(repr=False)
    build_graph: Callable[..., Node] = field(repr=False)
    build_module: Callable[..., torch.nn.Module] = field(repr=False)
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tokenizer: Any = field(default=None, repr=False)
    selector: Callable[[int, int], Any] | None = field(default=None, repr=False)

    def graph(self, seq: int | None = None) -> Node:
        """The network as a graph, for sequences of length `seq` where it reads sequences.

        >>> from remix_utils import models
        >>> models.load("digits-a").graph().name
        'logits'

        Raises ModelError for a length that the network does not take, and for a missing one that it needs.
        """
        longest = self.config.get("n_ctx")
        if longest is None and seq is not None:
            raise ModelError(f"{self.name!r} reads no sequence, but seq={seq}.", fix="call graph() without seq.")
        if longest is None:
            return self.build_graph(self.weights, self.config)
        if seq is None or not 1 <= seq <= longest:
            raise ModelError(
                f"{self.name!r} reads sequences of 1 to {longest} tokens, but seq={seq}.",
                fix=f"call graph(seq=n) with n from 1 to {longest}.",
                seq=seq,
                longest=longest,
            )
        return self.build_graph(self.weights, self.config, seq)

    def module(self) -> torch.nn.Module:
        """The same network as a fresh `torch.nn.Module`, with its own copy of the weights, for hooks.

        >>> from remix_utils import models
        >>> models.load("digits-a").module()(torch.zeros(2, 64)).shape
        torch.Size([2, 10])
        """
        return self.build_module(self.weights, self.config)

    def head(self, layer: int, head: int) -> Any:
        """A selector for one attention head.

        >>> from remix_utils import models
        >>> models.load("digits-a").head(0, 1)
        Traceback (most recent call last):
        remix_utils.models.model.ModelError: 'digits-a' has no attention heads.
          fix: select its nodes by name, with at("...").

        Raises ModelError when there is no such head.
        """
        layers, heads = self.config.get("n_layers", 0), self.config.get("n_heads", 0)
        if self.selector is None or not heads:
            raise ModelError(f"{self.name!r} has no attention heads.", fix='select its nodes by name, with at("...").')
        if not (0 <= layer < layers and 0 <= head < heads):
            raise ModelError(
                f"{self.name!r} has no head {layer}.{head}.",
                fix=f"use a layer from 0 to {layers - 1} and a head from 0 to {heads - 1}.",
                layer=layer,
                head=head,
            )
        return self.selector(layer, head)

    def tokenize(self, text: str) -> torch.Tensor:
        """The tokens of a text, [seq].

        >>> from remix_utils import models
        >>> models.load("digits-a").tokenize("seven")
        Traceback (most recent call last):
        remix_utils.models.model.ModelError: 'digits-a' reads no text.
          fix: give it inputs of its own kind; its card says which.

        Raises ModelError for a network without a tokenizer.
        """
        return torch.tensor(self._reader().encode(text), dtype=torch.int64)

    def decode(self, tokens: torch.Tensor) -> str:
        """The text of tokens [seq].

        Raises ModelError for a network without a tokenizer.
        """
        return self._reader().decode(tokens.tolist())

    def _reader(self) -> Any:
        if self.tokenizer is None:
            raise ModelError(
                f"{self.name!r} reads no text.", fix="give it inputs of its own kind; its card says which."
            )
        return self.tokenizer


def shipped(name: str, folder: Path = SHIPPED) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The weights of a shipped network and its card, once the bytes agree with the card's sha256.

    >>> weights, card = shipped("digits-a")
    >>> card["name"], weights["skip"].shape
    ('digits-a', torch.Size([10, 64]))

    Raises ModelError when either file is missing or unreadable, and when the checksum is another.
    """
    restore = "restore both files from the release: git checkout -- remix_utils/models/weights"
    try:
        card = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        data = (folder / f"{name}.safetensors").read_bytes()
        expected = card["sha256"]
    except (OSError, KeyError, tomllib.TOMLDecodeError) as problem:
        raise ModelError(f"{name!r}: its weights or its card cannot be read ({problem}).", fix=restore) from problem
    found = sha256(data).hexdigest()
    if found != expected:
        raise ModelError(
            f"{name!r}: its weights have sha256 {found[:12]}..., its card says {expected[:12]}....",
            fix=restore,
            found=found,
            expected=expected,
        )
    return read_safetensors(data), card
