"""From prompts to tokens, with the position of every role, for any tokenizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError
from remix_utils.tasks.ioi.prompt import ORDERS, Prompt, Prompts
from remix_utils.tasks.ioi.vocabulary import TEMPLATES, TOKENIZER

ROLES = ("IO", "S1", "S1+1", "S2", "place", "object", "END")
WORD_ROLES = ("IO", "S1", "S2", "place", "object")
Encode = Callable[[str], Sequence[int]]


def dataset(prompts: Prompts, encode: Encode = TOKENIZER.encode, pad: int | None = None, side: str = "left") -> Dataset:
    """Prompts as tokens, with the position of each role.

    Columns: `tokens` [rows, seq]; `mask` [rows, seq], false at padding; `position.IO`, `.S1`, `.S1+1`, `.S2`, `.place`,
    `.object` and `.END` (the last token), each [rows]; `token.IO`, `token.S` (the name at S2), `token.S1`, `token.S2`,
    `token.place`, `token.object` and `token.answer` [rows]; `template` and `order` (0 for ABBA, 1 for BABA) [rows].

    `encode` turns a text into numbers; without it, one word is one token. Prompts of different lengths need a number
    to `pad` with, at the "left" or the "right", or `groups`.

    >>> from remix_utils.tasks import ioi
    >>> data = ioi.dataset(ioi.prompts(2, seed=1, templates=ioi.TEMPLATES[:1]))
    >>> data["position.S2"], ioi.TOKENIZER.decode(data["token.IO"].tolist())
    (tensor([9, 9]), 'Keith Edward')

    Raises DataError for a word with a role that is not one token, for an encoding of the whole that does not begin like
    that of its parts, and for different lengths without `pad`.
    """
    if side not in ("left", "right"):
        raise DataError(f"There is no side {side!r} to pad.", fix='pad "left" or "right".', side=side)
    if not len(prompts):
        raise DataError("There are 0 prompts.", fix="keep at least one row.")
    read = [_read(prompt, encode) for prompt in prompts]
    lengths = [len(tokens) for tokens, _ in read]
    longest = max(lengths)
    if pad is None and min(lengths) < longest:
        raise DataError(
            f"The prompts have {min(lengths)} to {longest} tokens.",
            fix="pass pad=, or use groups, which gives one dataset for each length.",
        )
    shifts = [longest - length if side == "left" else 0 for length in lengths]
    tokens = torch.full((len(read), longest), 0 if pad is None else pad)
    mask = torch.zeros(len(read), longest, dtype=torch.bool)
    for row, ((numbers, _), shift) in enumerate(zip(read, shifts, strict=True)):
        tokens[row, shift : shift + len(numbers)] = torch.tensor(numbers)
        mask[row, shift : shift + len(numbers)] = True
    position = {
        role: torch.tensor([places[role] + shift for (_, places), shift in zip(read, shifts, strict=True)])
        for role in ROLES
    }
    return Dataset({"tokens": tokens, "mask": mask, **_columns(prompts, tokens, position)})


def groups(prompts: Prompts, encode: Encode = TOKENIZER.encode) -> list[Dataset]:
    """The same as `dataset`, as one dataset for each length, the shortest first, with nothing padded.

    The column `row` says which of the prompts each row is.

    >>> from remix_utils.tasks import ioi
    >>> [tuple(data["tokens"].shape) for data in ioi.groups(ioi.prompts(9))]
    [(2, 14), (1, 15), (1, 17), (3, 19), (2, 20)]

    Raises DataError as `dataset` does.
    """
    lengths = torch.tensor([len(encode(text)) for text in prompts.texts])
    found = []
    for length in lengths.unique():
        rows = (lengths == length).nonzero()[:, 0]
        found.append(Dataset({**dataset(prompts[rows], encode).columns, "row": rows}))
    return found


def _columns(prompts: Prompts, tokens: torch.Tensor, position: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    words = {role: tokens.gather(1, position[role][:, None])[:, 0] for role in WORD_ROLES}
    is_s = torch.tensor([prompt.answer != prompt.IO for prompt in prompts])
    words |= {"S": words["S2"], "answer": torch.where(is_s, words["S2"], words["IO"])}
    known = {template: number for number, template in enumerate(TEMPLATES)}
    return {
        **{f"position.{role}": places for role, places in position.items()},
        **{f"token.{role}": numbers for role, numbers in words.items()},
        "template": torch.tensor([known.get(prompt.template, -1) for prompt in prompts]),
        "order": torch.tensor([ORDERS.index(prompt.order) for prompt in prompts]),
    }


def _read(prompt: Prompt, encode: Encode) -> tuple[list[int], dict[str, int]]:
    """The tokens of a prompt and the position of each role among them, counted from the tokens of what comes before."""
    tokens, text, places = list(encode(prompt.text)), "", {}
    for piece, role in prompt.pieces():
        before, text = text, text + piece
        if role is None:
            continue
        read = list(encode(text))
        if read != tokens[: len(read)]:
            raise DataError(
                f"The tokens of {text!r} are not the first of {prompt.text!r}.",
                fix="pass an encode that adds nothing at the end of a text.",
            )
        parts = len(read) - len(encode(before.rstrip()))
        if parts != 1:
            raise DataError(
                f"The {role} {piece!r} is {parts} tokens in {prompt.text!r}, not 1.",
                fix="use words that this tokenizer has.",
                word=piece,
                role=role,
            )
        places[role] = len(read) - 1
    return tokens, {**places, "S1+1": places["S1"] + 1, "END": len(tokens) - 1}
