"""Random tokens said twice: nothing predicts the first copy, and only looking back predicts the second."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError


def draw(
    n: int,
    length: int,
    vocab: int | Sequence[int],
    start: int | None = None,
    seed: int = 0,
    copies: int = 2,
) -> Dataset:
    """Rows of `length` random tokens followed by the same again, as Olsson et al. 2022 measure induction heads.

    `vocab` is how many tokens there are, each equally likely, or the list of those to draw from; `start` is a token to
    put in front. Columns: `tokens` [rows, seq], where seq is `copies` × `length` and one more with a start token, and
    `second` [rows], the position at which the second copy starts.

    >>> data = draw(1, length=3, vocab=100, start=7)
    >>> data["tokens"], data["second"]
    (tensor([[ 7, 44, 39, 33, 44, 39, 33]]), tensor([4]))

    Raises DataError for no rows, no tokens, or fewer than two copies.
    """
    known = torch.arange(vocab) if isinstance(vocab, int) else torch.as_tensor(vocab)
    for name, value, least in (("n", n, 1), ("length", length, 1), ("vocab", len(known), 1), ("copies", copies, 2)):
        if value < least:
            raise DataError(f"Repeated tokens with {name} {value}.", fix=f"ask for at least {least}.", **{name: value})
    drawn = torch.randint(len(known), (n, length), generator=torch.Generator().manual_seed(seed))
    front = torch.full((n, int(start is not None)), 0 if start is None else start)
    return Dataset(
        tokens=torch.cat([front, known[drawn].repeat(1, copies)], 1),
        second=torch.full((n,), front.shape[1] + length),
    )
