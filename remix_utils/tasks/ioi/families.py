"""Whole sentences to train on: the task itself, and families that keep a model from cheap tricks."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError, nearest
from remix_utils.tasks.ioi.prompt import prompts
from remix_utils.tasks.ioi.vocabulary import NAMES, PAD, START, SUBJECT_TEMPLATES, TEMPLATES, TOKENIZER
from remix_utils.tasks.stream import Stream

FAMILIES = ("ioi", "abc", "subject")
# A slot is one token; around it stand [start], the answer and the full stop.
LONGEST = 3 + max(len(TOKENIZER.encode(re.sub(r"{\w+}", NAMES[0], form))) for form in (*TEMPLATES, *SUBJECT_TEMPLATES))


def sentences(
    n: int,
    seed: int = 0,
    part: str | None = "train",
    split: int = 0,
    families: Mapping[str, float] | None = None,
    answer_weight: float = 3.0,
) -> Dataset:
    """Sentences with their answers, as word tokens, with the weight that each token's loss should have.

    `families` gives each its share: "ioi"; "abc", where a third person gives and the answer is either of the first two
    at random, so that nothing can be certain of it; "subject", where the answer is whoever was named twice. The default
    is 3 : 1 : 1. Names and templates are those of `part`, as for `prompts`.

    Columns: `tokens` [rows, seq], from [start] to the last full stop, then [pad]; `weight` [rows, seq], of predicting
    that token from those before it: 0 for [start] and [pad], `answer_weight` for the answer, 1 elsewhere;
    `position.answer`, `token.answer` and `family` [rows].

    >>> from remix_utils.tasks import ioi
    >>> data = ioi.sentences(3, seed=2)
    >>> ioi.TOKENIZER.decode(data["tokens"][0, :9].tolist()), data["weight"][0, -7:]
    ('[start] Outside the restaurant, Michelle and Richard stopped', tensor([1., 3., 1., 0., 0., 0., 0.]))

    Raises DataError for an unknown family, shares that are negative or all zero, and as `prompts` does.
    """
    shares = {"ioi": 3.0, "abc": 1.0, "subject": 1.0} if families is None else dict(families)
    _require(shares, n)
    stream = Stream("ioi sentences", seed)
    family = torch.tensor([stream.weigh(list(shares.values())) for _ in range(n)])
    tokens = torch.full((n, LONGEST), TOKENIZER.encode(PAD)[0])
    end = torch.zeros(n, dtype=torch.int64)
    for number, name in enumerate(shares):
        rows = (family == number).nonzero()[:, 0].tolist()
        for row, (text, answer) in zip(rows, _texts(name, len(rows), stream, part, split), strict=True):
            numbers = TOKENIZER.encode(f"{START} {text} {answer}.")
            tokens[row, : len(numbers)] = torch.tensor(numbers)
            end[row] = len(numbers) - 2
    weight = (tokens != tokens.new_tensor(TOKENIZER.encode(PAD))).float()
    weight[:, 0] = 0
    weight[torch.arange(n), end] = answer_weight
    named = torch.tensor([FAMILIES.index(name) for name in shares])[family]
    answers = tokens[torch.arange(n), end]
    return Dataset(
        {"tokens": tokens, "weight": weight, "position.answer": end, "token.answer": answers, "family": named}
    )


def _require(shares: Mapping[str, float], n: int) -> None:
    for family in shares:
        if family not in FAMILIES:
            raise DataError(f"IOI has no family {family!r}; {nearest(family, FAMILIES)}.", fix="leave it out.")
    if any(share < 0 for share in shares.values()) or not sum(shares.values()):
        raise DataError(f"The shares of the families are {shares}.", fix="make one of them positive and none negative.")
    if n < 1:
        raise DataError(f"{n} sentences were asked for.", fix="ask for at least one.")


def _texts(family: str, n: int, stream: Stream, part: str | None, split: int) -> list[tuple[str, str]]:
    """Prompts of a family with their answers."""
    if not n:
        return []
    templates = SUBJECT_TEMPLATES if family == "subject" else TEMPLATES
    drawn = prompts(n, stream.below(2**32), part, split, templates=templates)
    if family != "abc":
        return list(zip(drawn.texts, drawn.answers, strict=True))
    drawn = drawn.flip("S2", seed=stream.below(2**32))
    return [(prompt.text, stream.choose((prompt.IO, prompt.S1))) for prompt in drawn]
