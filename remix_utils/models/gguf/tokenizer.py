"""The tokenizer that a GGUF file's metadata describe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers

from remix_utils.models.model import ModelError

# How a text is cut before the merges, by the name in the metadata. The patterns are those that the
# models were trained with.
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
CONTROL, USER_DEFINED = 3, 4


def _cut(pattern: str) -> list[pre_tokenizers.PreTokenizer]:
    return [
        pre_tokenizers.Split(Regex(pattern), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ]


BYTE_LEVEL = pre_tokenizers.ByteLevel(add_prefix_space=False)
CUTS = {
    "gpt-2": [BYTE_LEVEL],
    "smollm": [pre_tokenizers.Digits(individual_digits=True), BYTE_LEVEL],
    "llama-bpe": _cut(LLAMA3),
    "qwen2": _cut(QWEN2),
}


class Text:
    """Turns text into a model's tokens, and tokens into text.

    >>> Text("tiny", {"tokenizer.ggml.model": "llama"}).encode("a")
    Traceback (most recent call last):
    remix_utils.models.model.ModelError: 'tiny': its tokenizer is of the kind 'llama', cut by None.
      fix: tokenize with the original tokenizer; the graph reads its tokens.

    Raises ModelError when it is used, for a tokenizer of a kind that is not built here.
    """

    def __init__(self, name: str, metadata: dict[str, Any]):
        self.name, self.metadata = name, metadata
        self._built: Tokenizer | None = None

    @property
    def own(self) -> Tokenizer:
        """The tokenizer, built when it is first used."""
        if self._built is None:
            self._built = build(self.name, self.metadata)
        return self._built

    def encode(self, text: str) -> list[int]:
        """Returns the tokens, after those that the model wants before every text.

        Raises ModelError for a character that the vocabulary lacks, as it would be lost.
        """
        tokens = self.own.encode(text).ids
        if self.decode(tokens) != text:
            lost = next(c for c in text if self.decode(self.own.encode(c).ids) != c)
            raise ModelError(
                f"{self.name!r}: its tokenizer has no tokens for {lost!r}.",
                fix="take it out of the text.",
            )
        if self.metadata.get("tokenizer.ggml.add_bos_token", False):
            tokens = [self.metadata["tokenizer.ggml.bos_token_id"], *tokens]
        return tokens

    def decode(self, tokens: Sequence[int]) -> str:
        """Returns the text of tokens, special tokens included."""
        return self.own.decode(list(tokens), skip_special_tokens=False)


def build(name: str, metadata: dict[str, Any]) -> Tokenizer:
    """Builds a byte-level BPE; ModelError for another kind of tokenizer."""
    kind, cut = (metadata.get(f"tokenizer.ggml.{key}") for key in ("model", "pre"))
    if kind != "gpt2" or cut not in CUTS:
        raise ModelError(
            f"{name!r}: its tokenizer is of the kind {kind!r}, cut by {cut!r}.",
            fix="tokenize with the original tokenizer; the graph reads its tokens.",
        )
    tokens = metadata["tokenizer.ggml.tokens"]
    merges = [tuple(pair.split(" ")) for pair in metadata["tokenizer.ggml.merges"]]
    vocabulary = {token: number for number, token in enumerate(tokens)}
    if unknown := [pair for pair in merges if "".join(pair) not in vocabulary]:
        raise ModelError(
            f"{name!r}: its tokenizer has no token {''.join(unknown[0])!r}, which a merge makes.",
            fix="take the file from its source once more.",
        )
    # Llama 3 takes a piece that is in its vocabulary whole, without a look at the merges.
    built = Tokenizer(models.BPE(vocabulary, merges, ignore_merges=cut == "llama-bpe"))
    built.pre_tokenizer = pre_tokenizers.Sequence(CUTS[cut])
    built.decoder = decoders.ByteLevel()
    kinds = zip(tokens, metadata.get("tokenizer.ggml.token_type", ()), strict=False)
    added = [(token, kind) for token, kind in kinds if kind in (CONTROL, USER_DEFINED)]
    built.add_tokens(
        [AddedToken(token, special=kind == CONTROL, normalized=False) for token, kind in added]
    )
    return built
