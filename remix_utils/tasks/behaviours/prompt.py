"""A prompt of any behaviour, beside its counterfactual, and as tokens for any tokenizer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError
from remix_utils.tasks.ioi.encoding import Encode, numbers_of

FRONTS = ("misleading", "control")


@dataclass(frozen=True)
class Prompt:
    """One prompt: its text, a counterfactual of as many tokens, and the next words to compare.

    `fact` is what the answer depends on: prompts with the same fact and template have the same right
    answers. `misleading` and `control` are sentences of one form to put in front; the first one
    suggests a wrong answer. Answers begin with a space where the next word does.

    >>> prompt = Prompt("Ann is", "Bob is", (" she",), (" he",), fact="she", template=0)
    >>> prompt.text, prompt.right
    ('Ann is', (' she',))
    """

    text: str
    other: str
    right: tuple[str, ...]
    wrong: tuple[str, ...]
    fact: str
    template: int
    misleading: str = ""
    control: str = ""


def in_front(prompts: Sequence[Prompt], kind: str) -> list[Prompt]:
    """Returns the prompts after their "misleading" or their "control" sentence.

    >>> prompt = Prompt("Ann is", "Bob is", (" she",), (" he",), "she", 0, control="Eve is here. ")
    >>> in_front([prompt], "control")[0].text
    'Eve is here. Ann is'

    Raises DataError for another kind, and for a prompt without such a sentence.
    """
    if kind not in FRONTS:
        raise DataError(f"There is no sentence {kind!r} to put in front.", fix='use "misleading" or "control".')
    found = []
    for prompt in prompts:
        front = getattr(prompt, kind)
        if not front:
            raise DataError(f"The prompt {prompt.text!r} has no {kind} sentence.", fix=f"give it one, {kind}=....")
        found.append(replace(prompt, text=front + prompt.text, other=front + prompt.other))
    return found


def dataset(prompts: Sequence[Prompt], encode: Encode, pad: int = 0) -> Dataset:
    """Returns prompts as tokens, padded at the left, with the tokens of the next words to compare.

    Columns: `tokens` and `other.tokens` [rows, seq]; `mask` [rows, seq], false at padding;
    `candidates` [rows, words], the tokens of right and wrong next words, and `right` [rows, words],
    true at the right ones; `position.fact` [rows], the first position at which the two texts differ;
    `template` and `fact` [rows], the facts numbered in the order of the alphabet.

    >>> from remix_utils.tasks.ioi.vocabulary import TOKENIZER
    >>> prompt = Prompt("After Mary and John", "After Kate and John", (" went",), (" met",), "Mary", 0)
    >>> data = dataset([prompt], TOKENIZER.encode)
    >>> data["position.fact"], data["right"]
    (tensor([1]), tensor([[ True, False]]))

    Raises DataError for no prompts, texts of different length or without a difference, a next word
    that is not one token, and rows with different numbers of next words.
    """
    if not prompts:
        raise DataError("There are 0 prompts.", fix="keep at least one.")
    read = [_read(prompt, encode) for prompt in prompts]
    require_same_count([len(candidates) for *_, candidates in read])
    seq = max(len(tokens) for tokens, *_ in read)
    columns = {name: torch.full((len(read), seq), pad) for name in ("tokens", "other.tokens")}
    mask = torch.zeros(len(read), seq, dtype=torch.bool)
    fact_at = []
    for row, (tokens, other, _) in enumerate(read):
        columns["tokens"][row, seq - len(tokens) :] = torch.tensor(tokens)
        columns["other.tokens"][row, seq - len(tokens) :] = torch.tensor(other)
        mask[row, seq - len(tokens) :] = True
        fact_at.append(int((columns["tokens"][row] != columns["other.tokens"][row]).nonzero()[0]))
    facts = sorted({prompt.fact for prompt in prompts})
    right = [[word in prompt.right for word in _words(prompt)] for prompt in prompts]
    return Dataset(
        {
            **columns,
            "mask": mask,
            "candidates": torch.tensor([candidates for *_, candidates in read]),
            "right": torch.tensor(right),
            "position.fact": torch.tensor(fact_at),
            "template": torch.tensor([prompt.template for prompt in prompts]),
            "fact": torch.tensor([facts.index(prompt.fact) for prompt in prompts]),
        }
    )


def require_same_count(counts: Sequence[int]) -> None:
    """Raises DataError where rows compare different numbers of next words."""
    if len(set(counts)) > 1:
        raise DataError(
            f"The prompts compare {min(counts)} to {max(counts)} next words.",
            fix="give each prompt as many right and wrong words together.",
        )


def next_token(encode: Encode, text: str, word: str) -> int:
    """Returns the token of a next word after a text; DataError where it is not one token.

    >>> next_token(lambda text: [ord(letter) for letter in text], "ab", "c")
    99
    """
    before, after = numbers_of(encode, text), numbers_of(encode, text + word)
    if after[: len(before)] != before or len(after) != len(before) + 1:
        parts = len(after) - len(before)
        raise DataError(
            f"The next word {word!r} is {parts} tokens after {text!r}, not 1 of its own.",
            fix="compare words that are single tokens.",
            word=word,
        )
    return after[-1]


def _words(prompt: Prompt) -> tuple[str, ...]:
    return (*prompt.right, *prompt.wrong)


def _read(prompt: Prompt, encode: Encode) -> tuple[list[int], list[int], list[int]]:
    """The tokens of the text, of the counterfactual, and of the next words."""
    tokens, other = numbers_of(encode, prompt.text), numbers_of(encode, prompt.other)
    if len(tokens) != len(other) or tokens == other:
        raise DataError(
            f"{prompt.text!r} is {len(tokens)} tokens and its counterfactual {prompt.other!r} {len(other)}.",
            fix="give a counterfactual of as many tokens that differs in at least one.",
        )
    candidates = [next_token(encode, prompt.text, word) for word in _words(prompt)]
    if len(set(candidates)) != len(candidates):
        raise DataError(f"Two next words of {prompt.text!r} are one token.", fix="compare words that differ.")
    return tokens, other, candidates
