"""Losses by token, by copy, and late less early: d2.1.2, d2.1.3 and d2.1.4."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F

from remix_utils.checks.exercise import Mistake, exercise

# --- d2.1.2 -----------------------------------------------------------------------------------------------------------


def _predicted(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [
        (2 * torch.randn(*shape, 7, generator=numbers), torch.randint(7, shape, generator=numbers))
        for shape in ((2, 5), (3, 3), (1, 8))
    ]


def _surprise(logits, tokens):
    return F.cross_entropy(logits.flatten(0, 1), tokens.flatten(), reduction="none").reshape(tokens.shape)


def _next(logits, tokens):
    return _surprise(logits[:, :-1], tokens[:, 1:])


exercise(
    "d2.1.2",
    cases=_predicted,
    oracle=_next,
    mistakes=[
        Mistake("this is the loss of the token that is read: the logits at i are about token i + 1.",
                lambda logits, tokens: _surprise(logits, tokens)[:, :-1]),
        Mistake("this is the loss of the token that is read, without the first: the logits at i are about token i + 1.",
                lambda logits, tokens: _surprise(logits, tokens)[:, 1:]),
        Mistake("this is the loss of every token that is read, one too many: drop the last logits and the first token.",
                _surprise),
        Mistake("the sign is missing: a log-probability is below 0, and the loss is minus that.",
                lambda *case: -_next(*case)),
        Mistake("these are probabilities: the loss is minus their logarithm.", lambda *case: (-_next(*case)).exp()),
        Mistake("the logits were taken as they are: log_softmax makes log-probabilities of them.",
                lambda logits, tokens: -logits[:, :-1].gather(-1, tokens[:, 1:, None])[..., 0]),
        Mistake("this is the mean: keep one number for each token but the first.", lambda *case: _next(*case).mean()),
        Mistake("these are bits: the natural logarithm gives nats.", lambda *case: _next(*case) / math.log(2)),
        Mistake("an axis of length 1 is left over from gather: take it off with [..., 0].",
                lambda *case: _next(*case)[..., None]),
    ],
)  # fmt: skip


# --- d2.1.3 -----------------------------------------------------------------------------------------------------------


def _said_twice(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [(5 * torch.rand(rows, 2 * length, generator=numbers), length) for rows, length in ((3, 4), (2, 7), (4, 5))]


def _mean(losses, first, last):
    """The mean loss of tokens first ... last − 1, counted as they stand in the row."""
    return torch.stack([losses[:, token - 1] for token in range(first, last)]).mean(0)


def _copies(first=(1, 1), second=(2, 1)):
    """Both means; the pairs shift the first and the last token of each copy."""

    def means(losses, length):
        return (
            _mean(losses, first[0], length + first[1]),
            _mean(losses, length + second[0], 2 * length + second[1]),
        )

    return means


_right = _copies()

exercise(
    "d2.1.3",
    cases=_said_twice,
    oracle=_right,
    mistakes=[
        Mistake("the second copy's first token is in it: nobody can know that the copy begins there. It is token "
                "length + 1, entry `length`.", _copies(second=(1, 1))),
        Mistake("the second copy begins one token late: only its first token is left out.", _copies(second=(3, 1))),
        Mistake("the first copy lacks its first token: the end-of-text token in front predicts it, as entry 0.",
                _copies(first=(2, 1))),
        Mistake("the first copy lacks its last token: it has `length` tokens, entries 0 to length - 1.",
                _copies(first=(1, 0))),
        Mistake("the first token of the second copy is counted to the first: `length` losses are about the first copy.",
                _copies(first=(1, 2))),
        Mistake("the second copy lacks its last token.", _copies(second=(2, 0))),
        Mistake("the copies are exchanged: the first one comes first.", lambda *case: _right(*case)[::-1]),
        Mistake("these are one number each: take the mean within every row, and keep the rows.",
                lambda *case: [each.mean() for each in _right(*case)]),
        Mistake("this is the mean over rows: take it over tokens, and keep the rows.",
                lambda losses, length: (losses[:, :length].mean(0), losses[:, length + 1 :].mean(0))),
        Mistake("these are sums: divide by the number of tokens.",
                lambda losses, length: (losses[:, :length].sum(1), losses[:, length + 1 :].sum(1))),
    ],
)  # fmt: skip


# --- d2.1.4 -----------------------------------------------------------------------------------------------------------


def _long_texts(seed):
    """Rows that differ a great deal among themselves, so that it matters that the difference is taken within a row."""
    numbers = torch.Generator().manual_seed(seed)
    return [
        (3 * torch.rand(rows, 1, generator=numbers) + torch.rand(rows, seq, generator=numbers), early, late)
        for rows, seq, early, late in ((6, 12, range(2, 5), range(8, 13)), (5, 20, range(1, 8), range(11, 16)))
    ]


def _parts(losses, early, late, shift=1):
    return [torch.stack([losses[:, token - shift] for token in tokens], 1) for tokens in (early, late)]


def _score(losses, early, late, shift=1, sign=1):
    before, after = _parts(losses, early, late, shift)
    change = [sign * (b.mean().item() - a.mean().item()) for a, b in zip(before, after, strict=True)]
    mean = sum(change) / len(change)
    return mean, (sum((each - mean) ** 2 for each in change) / (len(change) - 1) / len(change)) ** 0.5


def _clipped(losses, early, late):
    """As entries: the last token may not be there."""
    return [losses[:, tokens.start : tokens.stop] for tokens in (early, late)]


def _as_entries(losses, early, late):
    before, after = (part.mean(1) for part in _clipped(losses, early, late))
    return (after - before).mean(), (after - before).std() / len(losses) ** 0.5


def _with_error(error):
    def score(*case):
        before, after = _parts(*case)
        return _score(*case)[0], error(before, after)

    return score


def _within(before, after):
    return after.mean(1) - before.mean(1)


exercise(
    "d2.1.4",
    cases=_long_texts,
    oracle=_score,
    mistakes=[
        Mistake("the places are off by one: token 21 is entry 20.", _as_entries),
        Mistake("the sign is turned: it is the late loss less the early one, below 0 where context helps.",
                lambda *case: _score(*case, sign=-1)),
        Mistake("the error treats early and late as independent: take the difference within each row first.",
                _with_error(lambda a, b: ((a.mean(1).var() + b.mean(1).var()) / len(a)) ** 0.5)),
        Mistake("the error counts every token as independent: average within the row first.",
                _with_error(lambda a, b: (a.var() / a.numel() + b.var() / b.numel()) ** 0.5)),
        Mistake("this is the standard deviation over rows: divide by the square root of their number.",
                _with_error(lambda a, b: _within(a, b).std())),
        Mistake("the error is divided by the number of rows: by its square root, please.",
                _with_error(lambda a, b: _within(a, b).std() / len(a))),
        Mistake("the deviation is that of the rows at hand: an estimate divides by their number less one, as std() "
                "does.", _with_error(lambda a, b: _within(a, b).std(correction=0) / len(a) ** 0.5)),
        Mistake("these are the scores of the rows: give their mean, and its standard error.",
                lambda *case: _within(*_parts(*case))),
        Mistake("the error is missing: give the mean and its standard error.", lambda *case: _score(*case)[0]),
    ],
)  # fmt: skip
