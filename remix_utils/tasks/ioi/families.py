"""Whole sentences to train on: the task itself, and families that keep a model from cheap tricks."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import product

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError, nearest
from remix_utils.tasks.ioi.prompt import prompts
from remix_utils.tasks.ioi.vocabulary import (
    AGAIN,
    NAMES,
    PAD,
    SUBJECT_TEMPLATES,
    TEMPLATES,
    TOKENIZER,
    TRAIN_TEMPLATES,
)
from remix_utils.tasks.stream import Stream

FAMILIES = ("ioi", "mixed", "crowded", "abc", "subject")


def _mixed() -> tuple[str, ...]:
    """Every opening of the templates of training, up to the names, with every middle and every end that fit it."""
    parts = [
        re.fullmatch("(.*)({first} and {second}.*)([,.] .*{subject}.*)", form) for form in TEMPLATES[:TRAIN_TEMPLATES]
    ]
    openings, middles, ends = zip(*(part.groups() for part in parts if part), strict=True)
    whole = ("".join(pieces) for pieces in product(openings, middles, ends))
    return tuple(form for form in whole if form.count("{place}") == form.count("{object}") == 1)


MIXED = _mixed()
# A slot is one token; after it come the answer and the full stop.
LONGEST = 2 + max(
    len(TOKENIZER.encode(re.sub(r"{\w+}", NAMES[0], form)))
    for form in (*TEMPLATES, *SUBJECT_TEMPLATES, *(AGAIN + form for form in MIXED))
)


def sentences(
    n: int,
    seed: int = 0,
    part: str | None = "train",
    split: int = 0,
    families: Mapping[str, float] | None = None,
    answer_weight: float = 3.0,
) -> Dataset:
    """Sentences with their answers, as word tokens, with the weight that each token's loss should have.

    `families` gives each its share: "ioi"; "mixed", with the opening, the middle and the end of three templates, of
    which there are a thousand; "crowded", a mixed one after a sentence about somebody else; "abc", where a third person
    gives and the answer is either of the first two at random, so that nothing can be certain of it; "subject", where
    the answer is whoever was named twice. The default is 3 "ioi" : 1 "abc" : 1 "subject". Names and templates are
    those of `part`, as for `prompts`; mixed ones are for training only.

    Columns: `tokens` [rows, seq], to the last full stop, then [pad]; `weight` [rows, seq], of predicting that token
    from those before it: 0 for the first and for [pad], `answer_weight` for the answer, 1 elsewhere; `position.answer`,
    `token.answer` and `family` [rows].

    >>> from remix_utils.tasks import ioi
    >>> data = ioi.sentences(3, seed=2)
    >>> ioi.TOKENIZER.decode(data["tokens"][0, :8].tolist()), data["weight"][0, 17:21]
    ('Outside the restaurant, Michelle and Richard stopped', tensor([1., 3., 1., 0.]))

    Raises DataError for an unknown family, for mixed ones in another part than training, for shares that are negative
    or all zero, and as `prompts` does.
    """
    shares = {"ioi": 3.0, "abc": 1.0, "subject": 1.0} if families is None else dict(families)
    _require(shares, n, part)
    stream = Stream("ioi sentences", seed)
    family = torch.tensor([stream.weigh(list(shares.values())) for _ in range(n)])
    tokens = torch.full((n, LONGEST), TOKENIZER.encode(PAD)[0])
    end = torch.zeros(n, dtype=torch.int64)
    for number, name in enumerate(shares):
        rows = (family == number).nonzero()[:, 0].tolist()
        for row, (text, answer) in zip(rows, _texts(name, len(rows), stream, part, split), strict=True):
            numbers = TOKENIZER.encode(f"{text} {answer}.")
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


def _require(shares: Mapping[str, float], n: int, part: str | None) -> None:
    for family in shares:
        if family not in FAMILIES:
            raise DataError(f"IOI has no family {family!r}; {nearest(family, FAMILIES)}.", fix="leave it out.")
    if any(share < 0 for share in shares.values()) or not sum(shares.values()):
        raise DataError(f"The shares of the families are {shares}.", fix="make one of them positive and none negative.")
    if part not in (None, "train") and {"mixed", "crowded"} & set(shares):
        raise DataError(f"There are no mixed templates in the part {part!r}.", fix='mix those of "train".', part=part)
    if n < 1:
        raise DataError(f"{n} sentences were asked for.", fix="ask for at least one.")


def _texts(family: str, n: int, stream: Stream, part: str | None, split: int) -> list[tuple[str, str]]:
    """Prompts of a family with their answers."""
    if not n:
        return []
    templates = {"subject": SUBJECT_TEMPLATES, "mixed": MIXED, "crowded": MIXED}.get(family, TEMPLATES)
    drawn = prompts(n, stream.below(2**32), part, split, templates=templates)
    if family == "abc":
        drawn = drawn.flip("S2", seed=stream.below(2**32))
        return [(prompt.text, stream.choose((prompt.IO, prompt.S1))) for prompt in drawn]
    if family != "crowded":
        return list(zip(drawn.texts, drawn.answers, strict=True))
    others = [stream.choose([name for name in NAMES if name not in (prompt.IO, prompt.S1)]) for prompt in drawn]
    return [(AGAIN.format(name=name) + prompt.text, prompt.IO) for name, prompt in zip(others, drawn, strict=True)]
