"""Axes, multiplied, summed and rearranged: d1.0.1 to d1.0.6."""

from __future__ import annotations

import torch

from remix_utils.checks.exercise import Mistake, exercise


def draws(seed, *shapes):
    """One tensor of normal numbers for each shape."""
    numbers = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=numbers) for shape in shapes)


# --- d1.0.1 to d1.0.3 -------------------------------------------------------------------------------------------------

exercise(
    "d1.0.1",
    cases=lambda seed: [draws(seed, (5, 3)), draws(seed + 1, (4, 4))],
    oracle=lambda x: [sum(entry * entry for entry in row) for row in x.tolist()],
    mistakes=[
        Mistake(
            'everything was summed: an axis that the output names is kept. Name "s" there.', lambda x: (x * x).sum()
        ),
        Mistake(
            "these are sums of squares over positions: the axis that is kept is the first, seq.",
            lambda x: (x * x).sum(0),
        ),
        Mistake("nothing was squared: x stands in the pattern twice.", lambda x: x.sum(-1)),
        Mistake("these are lengths: the square root was not asked for.", lambda x: x.norm(dim=-1)),
        Mistake("these are the squares: leave d_model out of the output, and it is summed.", lambda x: x * x),
    ],
)

exercise(
    "d1.0.2",
    cases=lambda seed: [
        draws(seed, (2, 3, 4), (4, 4)),
        draws(seed + 1, (3, 3, 3), (3, 3)),
        draws(seed, (1, 5, 4), (4, 2)),
    ],
    oracle=lambda x, matrix: torch.stack([torch.stack([matrix.T @ row for row in each]) for each in x]),
    mistakes=[
        Mistake(
            "the matrix is read the wrong way round: its first axis is the one that x shares with it.",
            lambda x, matrix: x @ matrix.T,
        ),
        Mistake(
            "the axes d_model of x and of the matrix have two letters, so each is summed by itself: one axis, one "
            "letter.",
            lambda x, matrix: torch.einsum("bsd,io->bso", x, matrix),
        ),
        Mistake(
            "positions were summed too: an axis that the output leaves out is summed.",
            lambda x, matrix: torch.einsum("bsi,io->bo", x, matrix),
        ),
        Mistake(
            "the axes come in another order: the output says the order, batch seq d_out.",
            lambda x, matrix: torch.einsum("bsi,io->bos", x, matrix),
        ),
    ],
)


def _cosines(x):
    unit = x / x.norm(dim=-1, keepdim=True)
    return unit @ unit.T


exercise(
    "d1.0.3",
    cases=lambda seed: [draws(seed, (5, 3)), draws(seed + 1, (3, 3))],
    oracle=lambda x: torch.stack([torch.stack([torch.dot(one, other) for other in x]) for one in x]),
    mistakes=[
        Mistake(
            "this compares entries of the vectors with each other, not positions: what is summed is d_model.",
            lambda x: x.T @ x,
        ),
        Mistake(
            "this compares each position with itself only: with one letter for both, there is one axis. Two "
            "positions, two letters.",
            lambda x: (x * x).sum(-1),
        ),
        Mistake(
            "off the diagonal nothing was compared: two positions need two letters, on the left as well.",
            lambda x: torch.diag((x * x).sum(-1)),
        ),
        Mistake(
            "d_model has two letters, so each vector was summed by itself: share one letter between the operands.",
            lambda x: torch.outer(x.sum(-1), x.sum(-1)),
        ),
        Mistake("these are cosines: the dot products were asked for, not normalised.", _cosines),
    ],
)


# --- d1.0.4 to d1.0.6 -------------------------------------------------------------------------------------------------


def _split(x, heads):
    return torch.stack(x.chunk(heads, dim=-1), dim=1)


exercise(
    "d1.0.4",
    cases=lambda seed: [(*draws(seed, (2, 4, 8)), 4), (*draws(seed + 1, (1, 3, 6)), 2), (*draws(seed, (3, 2, 4)), 2)],
    oracle=_split,
    tolerance=0,
    mistakes=[
        Mistake(
            "the shape is right, and the numbers are not where they belong: reshape only cuts and glues neighbours. "
            "Cut the last axis first, and then permute.",
            lambda x, heads: x.reshape(x.shape[0], heads, x.shape[1], -1),
        ),
        Mistake(
            "the last axis was cut the other way: the head is the slow part of it, (head d_head).",
            lambda x, heads: x.unflatten(-1, (-1, heads)).permute(0, 3, 1, 2),
        ),
        Mistake(
            "the axes are cut, but still in the order batch seq head d_head: permute them.",
            lambda x, heads: x.unflatten(-1, (heads, -1)),
        ),
        Mistake(
            "batch and head are exchanged: permute(0, 2, 1, 3) keeps the batch in front.",
            lambda x, heads: x.unflatten(-1, (heads, -1)).permute(2, 0, 1, 3),
        ),
    ],
)

exercise(
    "d1.0.5",
    cases=lambda seed: [draws(seed, (2, 4, 4, 2)), draws(seed + 1, (1, 2, 3, 3)), draws(seed, (3, 2, 5, 1))],
    oracle=lambda x: torch.cat(x.unbind(1), dim=-1),
    tolerance=0,
    mistakes=[
        Mistake(
            "the heads were glued without being moved: permute first, so that head and d_head are neighbours.",
            lambda x: x.reshape(x.shape[0], x.shape[2], -1),
        ),
        Mistake(
            "d_head became the slow part of the last axis: the order is (head d_head).",
            lambda x: x.permute(0, 2, 3, 1).flatten(-2),
        ),
        Mistake("the axes are permuted, and not yet glued: make one of the last two.", lambda x: x.transpose(1, 2)),
        Mistake("the heads were added up: they stand side by side.", lambda x: x.sum(1)),
    ],
)

exercise(
    "d1.0.6",
    cases=lambda seed: [draws(seed, (2, 4, 3), (4, 3, 5)), draws(seed + 1, (1, 3, 3), (3, 3, 3))],
    oracle=lambda x, matrices: torch.stack([x @ matrix for matrix in matrices], dim=2),
    mistakes=[
        Mistake(
            "the heads were summed: an axis that the output leaves out is gone. Keep head.",
            lambda x, matrices: x @ matrices.sum(0),
        ),
        Mistake(
            "the axes come as batch head seq d_head: the output says the order, batch seq head d_head.",
            lambda x, matrices: torch.stack([x @ matrix for matrix in matrices], dim=1),
        ),
        Mistake(
            "seq and head share a letter, so position 0 went through head 0 only, and so on: two axes, two letters.",
            lambda x, matrices: torch.einsum("bsd,sde->bse", x, matrices),
        ),
        Mistake(
            "d_model has two letters, so x was summed by itself: share one letter between the operands.",
            lambda x, matrices: torch.einsum("bsd,hie->bshe", x, matrices),
        ),
    ],
)
