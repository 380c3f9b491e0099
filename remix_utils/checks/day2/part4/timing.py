"""Changes over training: paired differences (d2.4.1), the steepest place (2), the first step to stay (3)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.exercise import Mistake, exercise

# --- d2.4.1 -----------------------------------------------------------------------------------------------------------


def twice_measured(seed):
    """Rows that differ much more from each other than from themselves."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, shift in ((24, -0.3), (9, 0.2), (40, 0.0)):
        before = 3 + torch.randn(rows, generator=numbers)
        cases.append((before, before + shift + 0.1 * torch.randn(rows, generator=numbers)))
    return cases


def _paired(sign=1, error=lambda d: d.std() / len(d) ** 0.5, mean=lambda d: d.mean()):
    def change(before, after):
        difference = sign * (after - before)
        return mean(difference).item(), error(difference).item()

    return change


def _unpaired(before, after):
    spread = (before.var() / len(before) + after.var() / len(after)).sqrt()
    return (after.mean() - before.mean()).item(), spread.item()


exercise(
    "d2.4.1",
    cases=twice_measured,
    oracle=_paired(),
    mistakes=[
        Mistake("the mean is right, and the error is that of two sets of rows that have nothing to do with each other. "
                "These are the same rows: take the difference first, and its spread.", _unpaired),
        Mistake("the sign is turned round: what fell is below zero, after less before.", _paired(-1)),
        Mistake("the second value is the standard deviation of one row's change: divide by the root of how many there "
                "are.", _paired(error=lambda d: d.std())),
        Mistake("the standard deviation is divided by the number of rows: by its root, please.",
                _paired(error=lambda d: d.std() / len(d))),
        Mistake("the second value is the variance of the mean: take the root.",
                _paired(error=lambda d: d.var() / len(d))),
        Mistake("the spread is divided by n and not by n - 1: torch's .std() does it right by itself.",
                _paired(error=lambda d: d.std(correction=0) / len(d) ** 0.5)),
        Mistake("the error is that of the rows after: it is the difference whose spread is asked for.",
                lambda before, after: ((after - before).mean().item(), (after.std() / len(after) ** 0.5).item())),
        Mistake("this is the sum of the changes: take their mean.", _paired(mean=lambda d: d.sum())),
    ],
)  # fmt: skip

# --- d2.4.2 -----------------------------------------------------------------------------------------------------------


def curves(seed):
    """A steep fall beside a long wait, a steep rise after a slow fall, a steep fall after a rise."""
    shift = (seed % 7) / 10
    return [
        ([0, 1000, 1100, 1150, 4000], [7 + shift, 7.0 + shift, 6.8 + shift, 5.0 + shift, 1.0 + shift]),
        ([0, 10, 30, 40, 100], [0.9, 0.8, 0.7, 0.9 + shift, 0.1]),
        ([5, 6, 8, 16, 17], [0.0, 0.3, 0.9, 3.9, 3.2 - shift]),
    ]


def _slopes(steps, values, size=abs, divide=True):
    pairs = zip(steps, steps[1:], values, values[1:], strict=False)
    return [(size(b - a) / ((end - start) if divide else 1), start, end) for start, end, a, b in pairs]


def _steepest(best=max, give=lambda found: found[1:], **how):
    return lambda steps, values: give(best(_slopes(steps, values, **how), key=lambda each: each[0]))


def _places(steps, values):
    start, _ = _steepest()(steps, values)
    return steps.index(start), steps.index(start) + 1


exercise(
    "d2.4.2",
    cases=curves,
    oracle=_steepest(),
    mistakes=[
        Mistake("this is the largest difference, however long it took: divide by the number of steps between.",
                _steepest(divide=False)),
        Mistake("only rises count here: a curve may fall, too. Take the size of the slope.",
                _steepest(size=lambda slope: slope)),
        Mistake("only falls count here: a curve may rise, too. Take the size of the slope.",
                _steepest(size=lambda slope: -slope)),
        Mistake("these are places in the list: give the steps that stand there.", _places),
        Mistake("this is where the curve is flattest.", _steepest(min)),
        Mistake("this is one step: give both, from which and to which.", _steepest(give=lambda found: found[1])),
        Mistake("this is one step: give both, from which and to which.", _steepest(give=lambda found: found[2])),
        Mistake("this is the middle: give both steps, from which and to which.",
                _steepest(give=lambda found: (found[1] + found[2]) / 2)),
        Mistake("the slope itself is in the result: give the two steps alone.", _steepest(give=lambda found: found)),
    ],
)  # fmt: skip

# --- d2.4.3 -----------------------------------------------------------------------------------------------------------

NEVER = "no step"


def arrivals(seed):
    """One that comes and goes first, one that was always there, one that never stays, one that meets the line."""
    low = 0.01 * (seed % 9)
    return [
        ([0, 100, 300, 350, 900], [low, 0.7, 0.2, 0.6, 0.9], 0.5),
        ([0, 50, 60], [0.8, 0.9, 0.7], 0.6),
        ([0, 10, 20], [low, 0.9, 0.3], 0.5),
        ([0, 10, 20, 40], [low, 0.4, 0.5, 0.75], 0.5),
        ([0, 10, 20, 30], [low, low, low, 0.9], 0.5),
    ]


def use_arrival(function, steps, scores, least):
    found = function([*steps], [*scores], least)
    return NEVER if found is None else found


def _first_to_stay(enough=lambda score, least: score >= least, give=lambda steps, place: steps[place]):
    def first(steps, scores, least):
        for place in range(len(steps)):
            if all(enough(score, least) for score in scores[place:]):
                return give(steps, place)
        return None

    return first


def _first_touch(steps, scores, least):
    return next((step for step, score in zip(steps, scores, strict=True) if score >= least), None)


def _last_touch(steps, scores, least):
    return _first_touch(steps[::-1], scores[::-1], least)


def _before(steps, place):
    return steps[max(place - 1, 0)]


@exercise("d2.4.3")
def _(answer, seed, reference):
    mistakes = [
        ("it gives None, whatever it is asked: not written yet, or without a return.", lambda *case: None),
        ("this is the first time that the score is high enough: it may fall back later.", _first_touch),
        ("this is the last step at which the score is high enough: ask from when on it always is.", _last_touch),
        (
            "a score that is exactly `least` counts as too low here: at least means >=.",
            _first_to_stay(lambda score, least: score > least),
        ),
        (
            "this is the place in the list: give the step that stands there.",
            _first_to_stay(give=lambda s, place: place),
        ),
        ("this is the step before: the last at which it was *not* there to stay.", _first_to_stay(give=_before)),
        (
            "this is from when on the score is below the line: it is to be at least `least`.",
            _first_to_stay(lambda score, least: score < least),
        ),
        (
            "where it never stays, None is asked for, and not the last step.",
            lambda steps, scores, least: (
                _first_to_stay()(steps, scores, least) or (0 if scores[0] >= least else steps[-1])
            ),
        ),
    ]
    cases = arrivals(seed)
    judged(answer, seed, reference, use=use_arrival, cases=cases, oracle=_first_to_stay(), mistakes=mistakes)
