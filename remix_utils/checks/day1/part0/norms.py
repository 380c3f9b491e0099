"""A layernorm, and two that are not quite: d1.0.7 to d1.0.9."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from remix_utils.checks.day1.probes import compare
from remix_utils.checks.day1.specimens import specimen_a, specimen_b
from remix_utils.checks.exercise import Mistake, Wrong, exercise


def _centred(x):
    return x - x.mean(-1, keepdim=True)


def _variance(x, correction=0):
    return x.var(-1, keepdim=True, correction=correction)


def _right(x, w, b, eps):
    return F.layer_norm(x, x.shape[-1:], w, b, eps)


def streams(seed):
    """Ordinary, tiny and off-centre vectors of several widths, some of them in a batch; and two sizes of eps."""
    numbers = torch.Generator().manual_seed(seed)
    kinds = (((2, 3, 4), 1.0, 0.5, 1e-5), ((3, 3), 2.0, 1.0, 0.1), ((5,), 0.003, 0.0, 1e-5), ((2, 6), 0.01, 0.02, 1e-4))
    return [
        (
            size * torch.randn(shape, generator=numbers) + middle,
            1 + torch.rand(shape[-1], generator=numbers),
            torch.randn(shape[-1], generator=numbers),
            eps,
        )
        for shape, size, middle, eps in kinds
    ]


exercise(
    "d1.0.7",
    cases=streams,
    oracle=_right,
    mistakes=[
        Mistake(
            "the variance is divided by d_model - 1, as .var and .std do by themselves: average the squares.",
            specimen_a,
        ),
        Mistake(
            "eps stands beside the square root: it belongs under it, sqrt(variance + eps).",
            specimen_b,
        ),
        Mistake(
            "the mean was not taken away from what is divided: centre x first.",
            lambda x, w, b, eps: x / (_variance(x) + eps).sqrt() * w + b,
        ),
        Mistake(
            "this divides by the variance: divide by its square root.",
            lambda x, w, b, eps: _centred(x) / (_variance(x) + eps) * w + b,
        ),
        Mistake(
            "eps is missing: a vector of equal entries would be divided by 0, and small ones come out too large.",
            lambda x, w, b, eps: _centred(x) / _variance(x).sqrt() * w + b,
        ),
        Mistake(
            "w multiplies b as well: scale first, then add b.",
            lambda x, w, b, eps: (_centred(x) / (_variance(x) + eps).sqrt() + b) * w,
        ),
        Mistake("w and b are not used.", lambda x, w, b, eps: _centred(x) / (_variance(x) + eps).sqrt()),
        Mistake(
            "mean and variance are those of all vectors together: each vector has its own, over the last axis.",
            lambda x, w, b, eps: (x - x.mean()) / (x.var(correction=0) + eps).sqrt() * w + b,
        ),
    ],
)

HEALTHY = "this is a healthy layernorm, and the specimen differs from it: find an x on which they differ."
SUSPECTS = {
    "the specimen has its eps under the root: on tiny vectors you and it part.": specimen_b,
    "the specimen averages with another number than yours: look at vectors of 2 or 3 entries.": specimen_a,
    "the specimen uses eps: on tiny vectors you and it part.": lambda x, w, b, eps: (
        _centred(x) / _variance(x).sqrt() * w + b
    ),
    "the specimen does subtract the mean: add 100 to x, and nothing changes.": lambda x, w, b, eps: (
        x / (_variance(x) + eps).sqrt() * w + b
    ),
    "the specimen adds b after scaling: give it w = 0 and see what is left.": lambda x, w, b, eps: (
        (_centred(x) / (_variance(x) + eps).sqrt() + b) * w
    ),
    "the specimen treats each vector by itself: change one row, and the others stay.": lambda x, w, b, eps: (
        (x - x.mean()) / (x.var(correction=0) + eps).sqrt() * w + b
    ),
}


def diagnosed(answer, seed, reference, specimen, also):
    """A diagnosis does what the specimen does, on any input, without asking it."""
    if answer is specimen or specimen.__name__ in getattr(getattr(answer, "__code__", None), "co_names", ()):
        raise Wrong("this asks the patient: write down what it computes.")
    known = [Mistake(HEALTHY, _right), *also]
    known += [Mistake(message, suspect) for message, suspect in SUSPECTS.items() if suspect is not specimen]
    compare(answer, seed, reference, call=use, cases=streams, oracle=specimen, mistakes=known)


def use(function, x, w, b, eps):
    """The function on a case."""
    return function(x, w, b, eps)


@exercise("d1.0.8")
def _(answer, seed, reference):
    also = [
        Mistake(
            "the right suspect, but the root of eps went astray: the specimen has eps under the root.",
            lambda x, w, b, eps: _centred(x) / (_variance(x, 1).sqrt() + eps) * w + b,
        ),
        Mistake(
            "the ratio is turned round: is the specimen larger or smaller than a healthy one?",
            lambda x, w, b, eps: _centred(x) / (_variance(x) * (len(w) - 1) / len(w) + eps).sqrt() * w + b,
        ),
    ]
    diagnosed(answer, seed, reference, specimen_a, also)


@exercise("d1.0.9")
def _(answer, seed, reference):
    also = [
        Mistake(
            "on tiny vectors the specimen comes out larger than yours: the root of eps is much larger than eps.",
            lambda x, w, b, eps: _centred(x) / (_variance(x).sqrt() + eps**0.5) * w + b,
        ),
        Mistake(
            "eps was added to the whole: the specimen adds it to what it divides by.",
            lambda x, w, b, eps: _centred(x) / _variance(x).sqrt() * w + b + eps,
        ),
    ]
    diagnosed(answer, seed, reference, specimen_b, also)
