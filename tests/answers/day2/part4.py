"""Answers to d2.4.1 to d2.4.4 and the quiz; and those of the whole part, gathered."""

import statistics
from bisect import bisect

import torch

from tests.answers.day2 import part4_models

# --- d2.4.1 -----------------------------------------------------------------------------------------------------------


def by_statistics(before, after):
    """Without torch."""
    each = [b - a for a, b in zip(before.tolist(), after.tolist(), strict=True)]
    return [statistics.mean(each), statistics.stdev(each) / len(each) ** 0.5]


def unpaired(before, after):
    error = lambda rows: rows.std() / len(rows) ** 0.5
    return after.mean() - before.mean(), (error(before) ** 2 + error(after) ** 2) ** 0.5


def turned_round(before, after):
    return by_statistics(after, before)


def of_one_row(before, after):
    return (after - before).mean(), (after - before).std()


def divided_by_n(before, after):
    return (after - before).mean(), (after - before).std() / len(after)


def population(before, after):
    each = (after - before).tolist()
    return statistics.mean(each), statistics.pstdev(each) / len(each) ** 0.5


def spread_of_after(before, after):
    return (after - before).mean(), after.std() / len(after) ** 0.5


# --- d2.4.2 and d2.4.3 ------------------------------------------------------------------------------------------------


def by_tensors(steps, values, size=torch.abs, over=True):
    """Differences of both lists, divided."""
    slopes = torch.tensor(values).diff() / (torch.tensor(steps).diff() if over else 1)
    place = size(slopes).argmax().item()
    return [steps[place], steps[place + 1]]


def places(steps, values):
    start, end = by_tensors(steps, values)
    return steps.index(start), steps.index(end)


def middle(steps, values):
    return sum(by_tensors(steps, values)) / 2


def from_behind(steps, scores, least):
    """Back from the end, as long as the score is high enough."""
    kept = None
    for step, score in zip(reversed(steps), reversed(scores), strict=True):
        if score < least:
            break
        kept = step
    return kept


def by_running_minimum(steps, scores, least):
    """The least of all later scores never falls, so it may be searched."""
    lowest = [min(scores[place:]) for place in range(len(scores))]
    place = bisect([low >= least for low in lowest], False)
    return steps[place] if place < len(steps) else None


def first_touch(steps, scores, least):
    for step, score in zip(steps, scores, strict=True):
        if score >= least:
            return step
    return None


def last_touch(steps, scores, least):
    return max((step for step, score in zip(steps, scores, strict=True) if score >= least), default=None)


def strictly(steps, scores, least):
    return from_behind(steps, scores, least + 1e-9)


def place_of(steps, scores, least):
    found = from_behind(steps, scores, least)
    return None if found is None else steps.index(found)


def step_before(steps, scores, least):
    place = place_of(steps, scores, least)
    return None if place is None else steps[max(place - 1, 0)]


def always_something(steps, scores, least):
    found = from_behind(steps, scores, least)
    return steps[-1] if found is None else found


# --- d2.4.4 -----------------------------------------------------------------------------------------------------------


def by_update(early, late, beginnings):
    """A copy, written into."""
    mixed = dict(early)
    mixed.update({name: late[name] for name in late for start in beginnings if name[: len(start)] == start})
    return mixed


def anywhere(early, late, beginnings):
    return {name: late[name] if any(part in name for part in beginnings) else early[name] for name in early}


def whole_names(early, late, beginnings):
    return {name: late[name] if name in beginnings else early[name] for name in early}


def only_new(early, late, beginnings):
    return {name: value for name, value in late.items() if name.startswith(tuple(beginnings))}


def into_early(early, late, beginnings):
    for name in early:
        if name.startswith(tuple(beginnings)):
            early[name].copy_(late[name])
    return early


RECALL = {"stories": "rise", "slope": 0.002, "early": "K-composition", "pressed": "0.0", "error": "the difference"}

WRONG = [
    *part4_models.WRONG,
    ("d2.4.1", unpaired, "nothing to do with each other"),
    ("d2.4.1", turned_round, "the sign is turned round"),
    ("d2.4.1", of_one_row, "standard deviation of one row"),
    ("d2.4.1", divided_by_n, "by its root, please"),
    ("d2.4.1", population, "by n and not by n - 1"),
    ("d2.4.1", spread_of_after, "error is that of the rows after"),
    ("d2.4.2", lambda *case: by_tensors(*case, over=False), "however long it took"),
    ("d2.4.2", lambda *case: by_tensors(*case, size=torch.clone), "only rises count"),
    ("d2.4.2", lambda *case: by_tensors(*case, size=torch.neg), "only falls count"),
    ("d2.4.2", places, "places in the list"),
    ("d2.4.2", middle, "this is the middle"),
    ("d2.4.2", lambda *case: by_tensors(*case)[0], "give both"),
    ("d2.4.3", first_touch, "it may fall back"),
    ("d2.4.3", last_touch, "the last step at which"),
    ("d2.4.3", strictly, "at least means >="),
    ("d2.4.3", place_of, "the place in the list"),
    ("d2.4.3", step_before, "this is the step before"),
    ("d2.4.3", always_something, "None is asked for"),
    ("d2.4.3", lambda *case: None, "whatever it is asked"),
    ("d2.4.4", lambda early, late, beginnings: by_update(late, early, beginnings), "early and late are exchanged"),
    ("d2.4.4", anywhere, "anywhere in a name"),
    ("d2.4.4", whole_names, "asks for the whole name"),
    ("d2.4.4", only_new, "a model needs all of them"),
    ("d2.4.4", into_early, "changes its input"),
    ("d2.4.4", lambda early, late, beginnings: by_update(early, late, beginnings[:1]), "only the first"),
    ("d2.4.quiz", RECALL | {"stories": "fall"}, "the sign of the change"),
    ("d2.4.quiz", RECALL | {"slope": 0.4}, "a difference over a distance"),
    ("d2.4.quiz", RECALL | {"early": "the prefix score"}, "climbed by step 2,000"),
    ("d2.4.quiz", RECALL | {"pressed": "1.1"}, "which head paid"),
    ("d2.4.quiz", RECALL | {"error": "the losses"}, "before the spread"),
]

RIGHT = [
    *part4_models.RIGHT,
    ("d2.4.1", by_statistics),
    ("d2.4.2", by_tensors),
    ("d2.4.3", from_behind),
    ("d2.4.3", by_running_minimum),
    ("d2.4.4", by_update),
    ("d2.4.quiz", RECALL | {"stories": "It rose.", "slope": "0.4/200", "early": "K composition"}),
]
