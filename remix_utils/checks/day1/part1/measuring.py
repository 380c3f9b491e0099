"""Numbers from edited runs: d1.1.5, d1.1.7, d1.1.12 and d1.1.13."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.probes import compare
from remix_utils.checks.exercise import Mistake, exercise

# --- d1.1.5 -----------------------------------------------------------------------------------------------------------


def _by_image(correct):
    rates = [100 * sum(column) / len(column) for column in correct.float().T.tolist()]
    mean = sum(rates) / len(rates)
    spread = (sum((rate - mean) ** 2 for rate in rates) / (len(rates) - 1)) ** 0.5
    return mean, spread / len(rates) ** 0.5


def _hits(seed):
    """Some images easy, some hard: the same in every draw, which is what makes draws no new evidence."""
    torch.manual_seed(seed)
    return [(torch.rand(draws, rows) < torch.rand(rows) ** 0.5,) for draws, rows in ((12, 300), (1, 400), (5, 250))]


exercise(
    "d1.1.5",
    cases=_hits,
    oracle=_by_image,
    tolerance=0.01,
    mistakes=[
        Mistake(
            "the error counts every draw as a new image, which makes it too small: average over draws (dim 0) first.",
            lambda c: (100 * c.float().mean(), 100 * c.float().std() / c.numel() ** 0.5),
        ),
        Mistake(
            "this is the standard deviation over images: divide by the square root of their number.",
            lambda c: (100 * c.float().mean(), 100 * c.float().mean(0).std()),
        ),
        Mistake(
            "these are shares from 0 to 1: both numbers are asked for in per cent.",
            lambda c: (c.float().mean(), c.float().mean(0).std() / c.shape[1] ** 0.5),
        ),
        Mistake(
            "the error is divided by the number of images: divide by its square root.",
            lambda c: (100 * c.float().mean(), 100 * c.float().mean(0).std() / c.shape[1]),
        ),
        Mistake(
            "the error is divided by the square root of the number of draws: the independent items are the images.",
            lambda c: (100 * c.float().mean(), 100 * c.float().mean(0).std() / c.shape[0] ** 0.5),
        ),
    ],
)


# --- d1.1.7 -----------------------------------------------------------------------------------------------------------


def _steps(hidden):
    return hidden[:, 0] + 2 * (hidden[:, 1] > 0.5).float() - hidden[:, 2] ** 2


def _slopes(hidden):
    return hidden @ torch.tensor([2.0, -1.0, 0.5])


def _tiny_runs(seed):
    torch.manual_seed(seed)
    edits = [torch.zeros_like, lambda hidden: hidden.mean(0).expand_as(hidden), lambda hidden: hidden.flip(0)]
    return [(network, torch.randn(9, 3), edit) for network in (_steps, _slopes) for edit in edits]


exercise(
    "d1.1.7",
    cases=_tiny_runs,
    oracle=lambda network, hidden, edit: (
        sum(
            abs(after - before)
            for after, before in zip(network(edit(hidden)).tolist(), network(hidden).tolist(), strict=True)
        )
        / len(hidden)
    ),
    mistakes=[
        Mistake(
            "rises and falls cancel here: take the absolute change of each row before the mean.",
            lambda network, hidden, edit: (network(edit(hidden)) - network(hidden)).mean(),
        ),
        Mistake(
            "rises and falls cancel here: the absolute value comes before the mean, not after it.",
            lambda network, hidden, edit: (network(edit(hidden)) - network(hidden)).mean().abs(),
        ),
        Mistake(
            "this is how far the hidden layer moved: ask how far the network's *output* moved.",
            lambda network, hidden, edit: (edit(hidden) - hidden).abs().mean(),
        ),
        Mistake(
            "this edits the output of the network: edit its hidden layer, and then run it.",
            lambda network, hidden, edit: (edit(network(hidden)[:, None])[:, 0] - network(hidden)).abs().mean(),
        ),
        Mistake(
            "this is the mean *squared* change: take the absolute value.",
            lambda network, hidden, edit: ((network(edit(hidden)) - network(hidden)) ** 2).mean(),
        ),
        Mistake(
            "this is one number for each row: take their mean.",
            lambda network, hidden, edit: (network(edit(hidden)) - network(hidden)).abs(),
        ),
    ],
)


# --- d1.1.12 and d1.1.13 ----------------------------------------------------------------------------------------------


def _two_terms(seed):
    """Logits that are sums of two terms, as the two paths of the network give them."""
    torch.manual_seed(seed)
    cases = []
    for rows in (3, 6):
        hidden, skip, other_hidden, other_skip = torch.randn(4, rows, 10)
        cases.append((hidden + skip, hidden + other_skip, other_hidden + skip))
    return cases


def _fourth(clean, skip, hidden):
    """Each experiment's change, added to the clean logits one after the other."""
    return torch.stack([clean, skip - clean, hidden - clean]).sum(0)


exercise(
    "d1.1.12",
    cases=_two_terms,
    oracle=_fourth,
    mistakes=[
        Mistake(
            "the terms that were *not* resampled are still in here: each experiment kept one clean term.",
            lambda clean, skip, hidden: skip + hidden,
        ),
        Mistake("this is the average of the two experiments.", lambda clean, skip, hidden: (skip + hidden) / 2),
        Mistake(
            "these are the two changes alone: add them to the clean logits.",
            lambda clean, skip, hidden: skip + hidden - 2 * clean,
        ),
        Mistake(
            "the signs are turned round: resampling both moves the logits in the direction of the single experiments.",
            lambda clean, skip, hidden: 3 * clean - skip - hidden,
        ),
    ],
)


def _mix_and_use(maker, rows, dose, output):
    return maker(rows, dose)(output)


def _mixtures(seed):
    torch.manual_seed(seed)
    return [(torch.randint(5, (5,)), dose, torch.randn(5, 5)) for dose in (0.0, 0.25, 0.6, 1.0)]


def _mixed(rows, dose):
    return lambda output: torch.lerp(output, torch.stack([output[row] for row in rows.tolist()]), dose)


@exercise("d1.1.13")
def _(answer, seed, reference):
    mistakes = [
        Mistake(
            "the doses are exchanged: dose 0 leaves the image's own activations.",
            lambda rows, dose: lambda output: dose * output + (1 - dose) * output[rows],
        ),
        Mistake(
            "the other image is added on top: its own part shrinks to (1 - dose).",
            lambda rows, dose: lambda output: output + dose * output[rows],
        ),
        Mistake("this replaces, whatever the dose: mix the two rows.", lambda rows, dose: lambda output: output[rows]),
        Mistake(
            "this exchanges neurons: rows chooses images, the first axis.",
            lambda rows, dose: lambda output: (1 - dose) * output + dose * output[:, rows],
        ),
    ]
    compare(answer, seed, reference, call=_mix_and_use, cases=_mixtures, oracle=_mixed, mistakes=mistakes)
