"""From prompts to tokens, with the position of every role, for any tokenizer."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError
from remix_utils.tasks.ioi.encoding import Encode, numbers_of, one_token, require_beginning
from remix_utils.tasks.ioi.prompt import ORDERS, Prompt, Prompts
from remix_utils.tasks.ioi.vocabulary import TEMPLATES, TOKENIZER

ROLES = ("IO", "S1", "S1+1", "S2", "place", "object", "END")
WORD_ROLES = ("IO", "S1", "S2", "place", "object")


def dataset(prompts: Prompts, encode: Encode = TOKENIZER.encode, pad: int | None = None, side: str = "left") -> Dataset:
    """Prompts as tokens, with the position of each role.

    Columns: `tokens` [rows, seq]; `mask` [rows, seq], false at padding; `position.IO`, `.S1`, `.S1+1`, `.S2`, `.place`,
    `.object` and `.END` (the last token), each [rows]; `token.S1`, `token.S2`, `token.place` and `token.object`, the
    tokens at those positions; `token.IO`, `token.S` (the name at S2) and `token.answer`, the tokens of these names as
    the next word after the prompt, whose logits at END are compared; `template` and `order` (0 for ABBA, 1 for BABA).
    Templates without a place or an object have no columns for it.

    `encode` turns a text into numbers; without it, one word is one token. Prompts of different lengths need a number
    to `pad` with, at the "left" or the "right", or `groups`.

    >>> from remix_utils.tasks import ioi
    >>> data = ioi.dataset(ioi.prompts(2, seed=1, templates=ioi.TEMPLATES[:1]))
    >>> data["position.S2"], ioi.TOKENIZER.decode(data["token.IO"].tolist())
    (tensor([9, 9]), 'Keith Edward')

    Raises DataError for a word with a role that is not one token, for two names that are the same token, for an
    encoding of the whole that does not begin like that of its parts, for different lengths without `pad`, and for
    templates of which only some have a place or an object.
    """
    if side not in ("left", "right"):
        raise DataError(f"There is no side {side!r} to pad.", fix='pad "left" or "right".', side=side)
    if not len(prompts):
        raise DataError("There are 0 prompts.", fix="keep at least one row.")
    read = [_read(prompt, encode) for prompt in prompts]
    _require_same_roles(prompts, [set(places) for _, places, _ in read])
    lengths = [len(tokens) for tokens, *_ in read]
    longest = max(lengths)
    if pad is None and min(lengths) < longest:
        raise DataError(
            f"The prompts have {min(lengths)} to {longest} tokens.",
            fix="pass pad=, or use groups, which gives one dataset for each length.",
        )
    shifts = [longest - length if side == "left" else 0 for length in lengths]
    tokens = torch.full((len(read), longest), 0 if pad is None else pad)
    mask = torch.zeros(len(read), longest, dtype=torch.bool)
    for row, ((numbers, *_), shift) in enumerate(zip(read, shifts, strict=True)):
        tokens[row, shift : shift + len(numbers)] = torch.tensor(numbers)
        mask[row, shift : shift + len(numbers)] = True
    position = {
        role: torch.tensor([places[role] + shift for (_, places, _), shift in zip(read, shifts, strict=True)])
        for role in ROLES
        if role in read[0][1]
    }
    names = {role: torch.tensor([answers[role] for *_, answers in read]) for role in ("IO", "S", "answer")}
    return Dataset({"tokens": tokens, "mask": mask, **_columns(prompts, tokens, position, names)})


def groups(prompts: Prompts, encode: Encode = TOKENIZER.encode) -> list[Dataset]:
    """The same as `dataset`, as one dataset for each length, the shortest first, with nothing padded.

    The column `row` says which of the prompts each row is.

    >>> from remix_utils.tasks import ioi
    >>> [tuple(data["tokens"].shape) for data in ioi.groups(ioi.prompts(9))]
    [(2, 14), (1, 15), (1, 17), (3, 19), (2, 20)]

    Raises DataError as `dataset` does.
    """
    lengths = torch.tensor([len(numbers_of(encode, text)) for text in prompts.texts])
    found = []
    for length in lengths.unique():
        rows = (lengths == length).nonzero()[:, 0]
        found.append(Dataset({**dataset(prompts[rows], encode).columns, "row": rows}))
    return found


def _require_same_roles(prompts: Prompts, roles: Sequence[set[str]]) -> None:
    for missing in set.union(*roles) - set.intersection(*roles):
        without = [prompt.template for prompt, each in zip(prompts, roles, strict=True) if missing not in each]
        raise DataError(
            f"{len(without)} of {len(roles)} prompts have no {missing}, as in {without[0]!r}.",
            fix=f"make one dataset of the templates with {{{missing}}} and one of those without.",
            role=missing,
            rows=len(without),
        )


def _columns(
    prompts: Prompts, tokens: torch.Tensor, position: dict[str, torch.Tensor], names: dict[str, torch.Tensor]
) -> dict[str, torch.Tensor]:
    at_roles = {role: tokens.gather(1, position[role][:, None])[:, 0] for role in WORD_ROLES if role in position}
    known = {template: number for number, template in enumerate(TEMPLATES)}
    return {
        **{f"position.{role}": places for role, places in position.items()},
        **{f"token.{role}": numbers for role, numbers in (at_roles | names).items()},
        "template": torch.tensor([known.get(prompt.template, -1) for prompt in prompts]),
        "order": torch.tensor([ORDERS.index(prompt.order) for prompt in prompts]),
    }


def _read(prompt: Prompt, encode: Encode) -> tuple[list[int], dict[str, int], dict[str, int]]:
    """The tokens of a prompt, the position of each role among them, and the tokens of the names as its next word."""
    tokens, text, places = numbers_of(encode, prompt.text), "", {}
    for piece, role in prompt.pieces():
        before, text = text, text + piece
        if role is not None:
            places[role] = one_token(encode, before.rstrip(), text, role, piece)
            require_beginning(tokens, numbers_of(encode, text), text, prompt.text)
    names = {"IO": prompt.IO, "S": prompt.S2, "answer": prompt.answer}
    answers = {}
    for role, name in names.items():
        longer = f"{prompt.text} {name}"
        answers[role] = numbers_of(encode, longer)[one_token(encode, prompt.text, longer, role, name)]
    if prompt.IO != prompt.S2 and answers["IO"] == answers["S"]:
        raise DataError(
            f"The names {prompt.IO!r} and {prompt.S2!r} are the same token, {answers['S']}, in {prompt.text!r}.",
            fix="draw prompts(..., names=ioi.names(encode)), names with a token of their own.",
            token=answers["S"],
        )
    return tokens, {**places, "S1+1": places["S1"] + 1, "END": len(tokens) - 1}, answers
