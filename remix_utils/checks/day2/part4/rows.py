"""Rows to train on, half of them random and said again: d2.4.5."""

from __future__ import annotations

import torch

from remix_utils.checks.exercise import Wrong, equal, exercise

VOCAB, SEQ, N, LEAST = 500, 60, 17, 8
MOST = 2 * SEQ // 5


@exercise("d2.4.5")
def _(answer, seed, reference):
    text = torch.arange(VOCAB, 3 * VOCAB)  # no token of it is a random one, and each says where it stands
    state = torch.get_rng_state()
    draw = lambda each: torch.as_tensor(answer(text, N, SEQ, VOCAB, torch.Generator().manual_seed(each)))
    rows, again, other = draw(seed), draw(seed), draw(seed + 1)
    if rows.shape != (N, SEQ):
        raise Wrong(f"it gives {list(rows.shape)}, expected [n, seq], here {[N, SEQ]}.")
    if rows.is_floating_point():
        raise Wrong(f"the tokens are {rows.dtype}: they are numbers of rows in a table, torch.long.")
    if not torch.equal(rows, again):
        raise Wrong("with the same generator it gives other rows the second time: draw everything from it.")
    if torch.equal(rows, other):
        raise Wrong("whatever the generator, it gives the same rows.")
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("it draws from torch's global generator: hand generator= to every draw.")
    _require_halves(rows)
    several = torch.cat([rows, other, *(draw(seed + each) for each in range(2, 12))])
    random = several[:, 0] < VOCAB
    _require_periods(several[random])
    _require_passages(several[~random], text)
    if reference is not None:
        equal(list(reference(text, 4, 30, VOCAB, torch.Generator()).shape), [4, 30], "the reference's shape")


def _require_halves(rows):
    """The first n // 2 rows are random, the others of the text."""
    random = rows < VOCAB
    if (random.any(1) & ~random.all(1)).any():
        raise Wrong("a row is half random and half text: each row is one of the two.")
    first = random.all(1)
    if first.sum() != N // 2:
        raise Wrong(f"{int(first.sum())} of {N} rows are random, expected n // 2, here {N // 2}.")
    if not first[: N // 2].all():
        raise Wrong("random rows come first, and passages after them.")


def _require_periods(rows):
    """Each random row repeats itself, with a period of its own."""
    periods = [_period(row) for row in rows]
    if None in periods:
        raise Wrong(f"a random row does not come again within 2 seq / 5, here {MOST} tokens: repeat it to the end.")
    low, high = min(periods), max(periods)  # type: ignore[type-var]
    if low < LEAST:
        raise Wrong(f"a row has period {low}: {LEAST} is the shortest.")
    if len(set(periods)) == 1:
        raise Wrong(
            f"every row has the period {low}: a head could learn to look back by so much. Draw one for each row."
        )
    if len({tuple(periods[place : place + N // 2]) for place in range(0, len(periods), N // 2)}) > 1 and all(
        len(set(periods[place : place + N // 2])) == 1 for place in range(0, len(periods), N // 2)
    ):
        raise Wrong("the rows of one batch share their period: draw one for each row, [n // 2, 1].")
    if high < MOST - 3 or low > LEAST + 3:
        raise Wrong(f"the periods are from {low} to {high}, expected all from {LEAST} to {MOST}.")
    if len({tuple(row[:LEAST].tolist()) for row in rows}) < len(rows):
        raise Wrong("two random rows hold the same tokens: draw each row anew.")
    if rows.max() < 0.8 * VOCAB:
        raise Wrong(f"the largest of {rows.numel()} random tokens is {int(rows.max())}, of {VOCAB}: use all of them.")


def _period(row):
    """The shortest distance at which the whole row repeats; None where it does not within the longest allowed."""
    return next((gap for gap in range(1, MOST + 1) if torch.equal(row[gap:], row[:-gap])), None)


def _require_passages(rows, text):
    """Each passage is a piece of the text as it stands there, from a place of its own."""
    if not torch.equal(rows, rows[:, :1] + torch.arange(SEQ)):
        raise Wrong("a passage is not as it stands in the text: take seq tokens in a row.")
    starts = rows[:, 0] - text[0]
    if len(starts.unique()) < len(starts) // 2:
        raise Wrong("passages begin at the same place of the text: draw a place for each.")
    if starts.min() > len(text) // 4 or starts.max() < len(text) // 2:
        raise Wrong(
            f"passages begin between {int(starts.min())} and {int(starts.max())} of {len(text)}: use all of the text."
        )
