"""The small transformers that ship: a configuration on a card, weights beside it, and what turns text into tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from remix_utils.models import transformer
from remix_utils.models.model import SHIPPED, Model, ModelError, checked, shipped
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.tasks import parens
from remix_utils.tasks.ioi.vocabulary import VOCABULARY, WordTokenizer


class Bytes:
    """A byte-level BPE, read from the JSON that the tokenizers library writes; any text comes back as it was."""

    def __init__(self, data: bytes):
        from tokenizers import Tokenizer  # only models that read text need it

        self._tokenizer = Tokenizer.from_str(data.decode("utf-8"))
        self.size = self._tokenizer.get_vocab_size()

    def encode(self, text: str) -> list[int]:
        return self._tokenizer.encode(text).ids

    def decode(self, tokens: Sequence[int]) -> str:
        return self._tokenizer.decode(list(tokens), skip_special_tokens=False)


class Parens:
    """One token for each parenthesis, [start] and [end] around them, [pad] up to the length that the model reads."""

    def encode(self, text: str) -> list[int]:
        return parens.encode([text])[0].tolist()

    def decode(self, tokens: Sequence[int]) -> str:
        return parens.decode(torch.tensor([tokens]))[0]


def _bytes(name: str, card: Mapping[str, Any], folder: Path) -> tuple[Any, int]:
    reader = Bytes(checked(folder / f"{name}.tokenizer.json", card.get("tokenizer_sha256")))
    return reader, reader.size


def _parens(name: str, card: Mapping[str, Any], folder: Path) -> tuple[Any, int]:
    return Parens(), len(parens.VOCABULARY)


def _words(name: str, card: Mapping[str, Any], folder: Path) -> tuple[Any, int]:
    """The words on the card, which are those it was trained with; a card without any means the task's."""
    words = card.get("vocabulary", VOCABULARY)
    return WordTokenizer(words), len(words)


# name: what reads its text, and how many tokens that knows
READERS: dict[str, Callable[[str, Mapping[str, Any], Path], tuple[Any, int]]] = {
    "induction-2l": _bytes,
    "parens": _parens,
    "parens-planted": _parens,
    "ioi-small": _words,
    "ioi-small-b": _words,
}


def load(name: str, step: int | None = None, folder: Path = SHIPPED) -> Model:
    """One of the small transformers, at the end of its training or at a step of it.

    Beside the files of `shipped`, a model with a byte-level BPE has `name.tokenizer.json`, and `tokenizer_sha256` on
    its card; a word-level one may have its `vocabulary` there.

    Raises ModelError when its weights or its tokenizer are missing, are not those of its card, or do not fit its
    configuration.
    """
    weights, card = shipped(name, folder, step)
    config = TransformerConfig.read(card.get("config", {}))
    tokenizer, size = READERS[name](name, card, folder)
    if size != config.d_vocab:
        raise ModelError(
            f"{name!r}: its tokenizer knows {size} tokens, its configuration says {config.d_vocab}.",
            fix="publish weights and tokenizer together.",
        )
    return transformer.model(name, weights, config, card, tokenizer)
