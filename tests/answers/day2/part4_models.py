"""Answers to d2.4.5 to d2.4.7: rows to train on, and detectors on other models."""

import torch

from remix_utils import models
from remix_utils.errors import RemixError

# --- d2.4.5 -----------------------------------------------------------------------------------------------------------


def row_by_row(text, n, seq, vocab, generator, period=None, start=None, said=None, reach=None):
    """Python lists, a row at a time; what may be odd about them is an argument."""
    draw = lambda low, high: int(torch.randint(low, high, (1,), generator=generator))
    rows, said = [], n // 2 if said is None else said
    for row in range(n):
        if row < said:
            length = draw(8, 2 * seq // 5 + 1) if period is None else period(draw, seq)
            first = [draw(0, reach or vocab) for _ in range(length)]
            rows.append((first * seq)[:seq])
        else:
            begin = draw(0, len(text) - seq + 1) if start is None else start
            rows.append(text[begin : begin + seq].tolist())
    return torch.tensor(rows)


def odd(**what):
    def rows(text, n, seq, vocab, generator):
        return row_by_row(text, n, seq, vocab, generator, **what)

    return rows


def one_period_for_all(text, n, seq, vocab, generator):
    length = int(torch.randint(8, 2 * seq // 5 + 1, (1,), generator=generator))
    return row_by_row(text, n, seq, vocab, generator, period=lambda draw, seq: length)


def passages_first(*case):
    rows = row_by_row(*case)
    return torch.cat([rows[case[1] // 2 :], rows[: case[1] // 2]])


def from_the_global_generator(text, n, seq, vocab, generator):
    passing = torch.Generator().manual_seed(int(torch.randint(10**6, (1,))))
    return row_by_row(text, n, seq, vocab, passing)


def passages_shuffled(*case):
    rows = row_by_row(*case)
    half = case[1] // 2
    return torch.cat([rows[:half], rows[half:].flip(1)])


def by_take_along(text, n, seq, vocab, generator):
    """Positions folded back, by remainders."""
    half = n // 2
    length = torch.randint(8, 2 * seq // 5 + 1, (half,), generator=generator)
    drawn = torch.randint(0, vocab, (half, seq), generator=generator)
    said = torch.stack([row[torch.arange(seq).remainder(gap)] for row, gap in zip(drawn, length, strict=True)])
    begin = torch.randint(0, len(text) - seq, (n - half,), generator=generator)
    return torch.cat([said, text.unfold(0, seq, 1)[begin]])


# --- d2.4.6 -----------------------------------------------------------------------------------------------------------


def in_two_steps(names, measure):
    """First ask, then keep what was not refused."""

    def ask(name):
        try:
            return [measure(models.load(name))]
        except RemixError as refusal:
            print(name, "could not be asked:", refusal.fact)
            return []

    asked = {name: ask(name) for name in names}
    return {name: value[0] for name, value in asked.items() if value}


def stops(names, measure):
    return {name: measure(models.load(name)) for name in names}


def without_a_word(names, measure):
    found = {}
    for name in names:
        try:
            found[name] = measure(models.load(name))
        except RemixError:
            continue
    return found


def swallows_all(names, measure):
    found = {}
    for name in names:
        try:
            found[name] = measure(models.load(name))
        except Exception as problem:
            print(name, getattr(problem, "fact", problem))
    return found


def whole_error(names, measure):
    found = {}
    for name in names:
        try:
            found[name] = measure(models.load(name))
        except RemixError as refusal:
            print(name, refusal)
    return found


def with_none(names, measure):
    return {name: in_two_steps([name], measure).get(name) for name in names}


def breaks_off(names, measure):
    found = {}
    try:
        for name in names:
            found[name] = measure(models.load(name))
    except RemixError as refusal:
        print(name, refusal.fact)
    return found


def only_names(names, measure):
    found = {}
    for name in names:
        try:
            found[name] = measure(models.load(name))
        except RemixError:
            print(name)
    return found


def unmeasured(names, measure):
    return {name: models.load(name) for name in in_two_steps(names, measure)}


# --- d2.4.7 -----------------------------------------------------------------------------------------------------------


def by_sort(scores, least, keep=torch.ge, descending=True, name="{0}.{1}"):
    """All heads in order, and then those that are high enough."""
    flat = scores.flatten()
    order = flat.argsort(descending=descending).tolist()
    return tuple(name.format(*divmod(place, scores.shape[1])) for place in order if keep(flat[place], least))


def in_order_of_layers(scores, least):
    return [f"{layer}.{head}" for layer, head in (scores >= least).nonzero().tolist()]


def as_pairs(scores, least):
    return [[int(part) for part in name.split(".")] for name in by_sort(scores, least)]


def as_numbers(scores, least):
    return [float(name) for name in by_sort(scores, least)]


WRONG = [
    ("d2.4.5", one_period_for_all, "share their period"),
    ("d2.4.5", odd(period=lambda draw, seq: 20), "a head could learn to look back"),
    ("d2.4.5", odd(period=lambda draw, seq: draw(2, seq // 3)), "8 is the shortest"),
    ("d2.4.5", odd(period=lambda draw, seq: draw(8, seq)), "does not come again within"),
    ("d2.4.5", odd(period=lambda draw, seq: draw(8, 13)), "expected all from"),
    ("d2.4.5", odd(start=0), "same place of the text"),
    ("d2.4.5", odd(said=3), "expected n // 2"),
    ("d2.4.5", odd(reach=100), "use all of them"),
    ("d2.4.5", passages_first, "random rows come first"),
    ("d2.4.5", passages_shuffled, "not as it stands in the text"),
    ("d2.4.5", from_the_global_generator, "other rows the second time"),
    ("d2.4.5", lambda *case: row_by_row(*case).T, "expected [n, seq]"),
    ("d2.4.6", stops, "it stopped at a model"),
    ("d2.4.6", without_a_word, "left out without a word"),
    ("d2.4.6", swallows_all, "was swallowed"),
    ("d2.4.6", whole_error, "lines about one model"),
    ("d2.4.6", with_none, "has an entry None"),
    ("d2.4.6", breaks_off, "and it could be asked"),
    ("d2.4.6", only_names, "a name and no reason"),
    ("d2.4.6", unmeasured, "not what `measure(model)` gives"),
    ("d2.4.7", in_order_of_layers, "in the order of their layers"),
    ("d2.4.7", lambda *case: by_sort(*case, descending=False), "the best head comes last"),
    ("d2.4.7", lambda *case: by_sort(*case, keep=torch.gt), "at least means >="),
    ("d2.4.7", lambda *case: by_sort(*case, name="{1}.{0}"), "layer and head are exchanged"),
    ("d2.4.7", as_pairs, "these are pairs of numbers"),
    ("d2.4.7", as_numbers, "two heads"),
    ("d2.4.7", lambda *case: by_sort(*case, keep=torch.lt), "the heads *below*"),
]

RIGHT = [
    ("d2.4.5", row_by_row),
    ("d2.4.5", by_take_along),
    ("d2.4.6", in_two_steps),
    ("d2.4.7", by_sort),
]
