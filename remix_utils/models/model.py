"""What every network offers, and how weights are read: never without their card, never with a wrong checksum."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from hashlib import file_digest, sha256
from operator import index
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as read_safetensors

from remix_utils.errors import RemixError
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Array
from remix_utils.graph.selector import at

SHIPPED = Path(__file__).parent / "weights"
RESTORE = "restore the files from the release: git checkout -- remix_utils/models/weights"


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
    build_graph: Callable[..., Node] = field(repr=False)  # from the weights as nodes, the configuration, seq and mask
    build_module: Callable[..., torch.nn.Module] = field(repr=False)
    card: Mapping[str, Any] = field(default_factory=dict, repr=False)
    tokenizer: Any = field(default=None, repr=False)
    selector: Callable[[int, int], Any] | None = field(default=None, repr=False)
    head_name: Callable[[int, int], str] | None = field(default=None, repr=False)

    @cached_property
    def arrays(self) -> dict[str, Node]:
        """The weights as nodes, by name; they share memory with `weights`, which a graph refuses once it is changed.

        >>> from remix_utils import models
        >>> models.load("digits-a").arrays["skip"]
        Array 'skip' [10, 64]
        """
        return {name: Node(Array(Buffer(value, copy=False)), (), name) for name, value in self.weights.items()}

    @property
    def checkpoints(self) -> tuple[int, ...]:
        """The training steps whose weights are there too: `load(name, step=...)`.

        >>> from remix_utils import models
        >>> models.load("digits-a").checkpoints
        ()
        """
        return tuple(entry["step"] for entry in self.card.get("checkpoints", ()))

    def graph(self, seq: int | None = None, mask: bool = False) -> Node:
        """The network as a graph, for sequences of length `seq` where it reads sequences.

        With `mask` it reads the placeholder `mask` [seq] too, true at real tokens and false at padding.

        >>> from remix_utils import models
        >>> models.load("digits-a").graph().name
        'logits'

        Raises ModelError for a length that the network does not take, and for a missing one that it needs.
        """
        longest = self.config.get("n_ctx")
        if longest is None and (seq is not None or mask):
            raise ModelError(f"{self.name!r} reads no sequence, but {seq=}, {mask=}.", fix="call graph() alone.")
        if longest is None:
            return self.build_graph(self.arrays, self.config)
        whole = seq if isinstance(seq, int) else _whole(seq)
        if whole is None or isinstance(seq, bool) or not 1 <= whole <= longest:
            raise ModelError(
                f"{self.name!r} reads sequences of 1 to {longest} tokens, but seq={seq}.",
                fix=f"call graph(seq=n) with n from 1 to {longest}.",
                seq=seq,
                longest=longest,
            )
        return self.build_graph(self.arrays, self.config, whole, mask)

    def to(self, device: torch.device | str) -> Model:
        """The same network with its weights on another device, for many evaluations of inputs that lie there.

        >>> from remix_utils import models
        >>> models.load("digits-a").to("cpu").weights["skip"].device
        device(type='cpu')
        """
        return replace(self, weights={name: value.to(device) for name, value in self.weights.items()})

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

    def heads(self, pairs: Iterable[tuple[int, int]]) -> Any:
        """One selector for several attention heads, each as (layer, head); all of them must be in the graph.

        >>> from remix_utils.models.transformer import untrained
        >>> untrained(n_layers=2, n_heads=4, d_model=8, n_ctx=16, d_vocab=5).heads([(0, 1), (1, 3)])
        at({'blocks.0.attn.head.1.out', 'blocks.1.attn.head.3.out'})

        Raises ModelError when there is no such head, and for no head at all.
        """
        wanted = list(pairs)
        for layer, head in wanted:
            self.head(layer, head)  # refuses what is no head
        if not wanted or self.head_name is None:
            raise ModelError(
                f"{self.name!r} was asked for {len(wanted)} heads.", fix="give at least one (layer, head)."
            )
        return at({self.head_name(layer, head) for layer, head in wanted})

    def tokenize(self, text: str) -> torch.Tensor:
        """The tokens of a text, [seq].

        >>> from remix_utils import models
        >>> models.load("digits-a").tokenize("seven")
        Traceback (most recent call last):
        remix_utils.models.model.ModelError: 'digits-a' reads no text.
          fix: give it inputs of its own kind; its card says which.

        Raises ModelError for a network without a tokenizer, for a text that becomes no tokens, and for a token that
        the network does not have.
        """
        reader, d_vocab = self._reader(), self.config.get("d_vocab")
        found = reader.encode(text)
        tokens = torch.tensor(found, dtype=torch.int64)
        if text and not found:
            raise ModelError(
                f"{self.name!r}: its tokenizer makes no tokens of {text[:40]!r}.",
                fix="put all files of its tokenizer beside it, or give tokens in place of text.",
                text=text,
            )
        if d_vocab and tokens.numel() and int(tokens.max()) >= d_vocab:
            raise ModelError(
                f"{self.name!r}: its tokenizer makes token {int(tokens.max())} of {text[:40]!r}, "
                f"but the network has {d_vocab} tokens.",
                fix="put the network's own tokenizer beside it.",
                token=int(tokens.max()),
                d_vocab=d_vocab,
            )
        return tokens

    def decode(self, tokens: torch.Tensor) -> str:
        """The text of tokens [seq].

        Raises ModelError for a network without a tokenizer.
        """
        return self._reader().decode(torch.as_tensor(tokens).tolist())

    def _reader(self) -> Any:
        if self.tokenizer is None:
            raise ModelError(
                f"{self.name!r} reads no text.", fix="give it inputs of its own kind; its card says which."
            )
        return self.tokenizer


def _whole(value: Any) -> int | None:
    """A whole number of another library, such as numpy's, as an int."""
    try:
        return index(value)
    except TypeError:
        return None


def shipped(name: str, folder: Path = SHIPPED, step: int | None = None) -> tuple[dict[str, torch.Tensor], dict]:
    """The weights of a shipped network, at the end of training or at a step, and its card, once checksums agree.

    Beside `name.toml`, the card, lie `name.safetensors`, whose sha256 is on the card, and `name.step-500.safetensors`
    for each of its `[[checkpoints]]` (`step`, `sha256`). Weights in half precision are widened to float32.

    >>> weights, card = shipped("digits-a")
    >>> card["name"], weights["skip"].shape
    ('digits-a', torch.Size([10, 64]))

    Raises ModelError when a file is missing or unreadable, a checksum is another, or there is no such step.
    """
    try:
        card = tomllib.loads((folder / f"{name}.toml").read_text(encoding="utf-8"))
        sums = {None: card["sha256"], **{entry["step"]: entry["sha256"] for entry in card.get("checkpoints", ())}}
    except (OSError, KeyError, tomllib.TOMLDecodeError) as problem:
        raise ModelError(f"{name!r}: its card cannot be read ({problem}).", fix=RESTORE) from problem
    if step not in sums:
        steps = ", ".join(str(known) for known in sums if known is not None)
        raise ModelError(
            f"{name!r} has no checkpoint at step {step}; it has {f'those at {steps}' if steps else 'none'}.",
            fix="leave out step=, or give one of those.",
            step=step,
        )
    stem = name if step is None else f"{name}.step-{step}"
    weights = read_safetensors(checked(folder / f"{stem}.safetensors", sums[step]))
    return {key: value.float() if value.is_floating_point() else value for key, value in weights.items()}, card


def checked(path: Path, expected: str | None) -> bytes:
    """The bytes of a shipped file; ModelError when it cannot be read or its sha256 is not the expected one."""
    try:
        data = path.read_bytes()
    except OSError as problem:
        raise ModelError(f"{path.name!r} cannot be read ({problem}).", fix=RESTORE) from problem
    found = sha256(data).hexdigest()
    if found != expected:
        raise ModelError(
            f"{path.name!r} has sha256 {found[:12]}..., its card says {str(expected)[:12]}....",
            fix=RESTORE,
            found=found,
            expected=expected,
        )
    return data


def file_sha256(path: Path) -> str:
    """The sha256 of a file, read a piece at a time."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
