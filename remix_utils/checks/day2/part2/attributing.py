"""Direct logit attribution in plain torch: d2.2.1."""

from __future__ import annotations

import torch

from remix_utils.checks.exercise import Mistake, exercise

NORM, READ = "ln_final.w", "unembed.W_U"


def some_parts(seed):
    """Parts of a stream, its scale, weights, and pairs of tokens."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, places, width, kinds in ((2, 3, 6, 9), (3, 2, 5, 7)):
        parts = {name: torch.randn(rows, places, width, generator=numbers) + 0.5 for name in ("embed", "0.1", "1.0")}
        weights = {
            NORM: 1 + torch.rand(width, generator=numbers),
            "ln_final.b": torch.randn(width, generator=numbers),
            READ: torch.randn(width, kinds, generator=numbers),
        }
        scale = 1 + torch.rand(rows, places, 1, generator=numbers)
        answers = torch.randint(kinds, (rows, places), generator=numbers)
        others = (answers + 1 + torch.randint(kinds - 1, (rows, places), generator=numbers)) % kinds
        cases.append((parts, scale, weights, answers, others))
    return cases


def _each(centred=lambda part: part - part.mean(-1, keepdim=True), weight=lambda weights: weights[NORM],
          over=lambda scale, part: scale, sign=lambda right, wrong: right - wrong,
          bias=lambda weights: 0.0):  # fmt: skip
    """Every logit of every part, of which two are compared."""

    def attribute(parts, scale, weights, answers, others):
        found = {}
        for name, part in parts.items():
            normed = centred(part) / over(scale, part) * weight(weights) + bias(weights)
            logits = normed @ weights[READ]
            right, wrong = (logits.gather(-1, tokens[..., None])[..., 0] for tokens in (answers, others))
            found[name] = sign(right, wrong)
        return found

    return attribute


def _own_scale(scale, part):
    return (part.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()


def _weight_first(parts, scale, weights, *tokens):
    weighed = {name: part * weights[NORM] for name, part in parts.items()}
    return _each(weight=lambda weights: 1.0)(weighed, scale, weights, *tokens)


exercise(
    "d2.2.1",
    cases=some_parts,
    oracle=_each(),
    tolerance=1e-4,
    mistakes=[
        Mistake("the parts are not centred: layernorm takes off the mean over d_model, of each part as of the sum.",
                _each(centred=lambda part: part)),
        Mistake("layernorm's weight is missing: what is centred and scaled is multiplied by ln_final.w.",
                _each(weight=lambda weights: 1.0)),
        Mistake("the weight comes before the centring: layernorm centres first.",
                _weight_first),
        Mistake("every part is divided by a scale of its own: the scale is that of the whole stream, held.",
                _each(over=_own_scale)),
        Mistake("the scale multiplies: layernorm divides by it.", _each(over=lambda scale, part: 1 / scale)),
        Mistake("the scale is left out: layernorm divides by it.", _each(over=lambda scale, part: 1.0)),
        Mistake("this is the logit of the answer alone: take the other one's off.",
                _each(sign=lambda right, wrong: right)),
        Mistake("the sign is turned: the answer's logit less the other one's.",
                _each(sign=lambda right, wrong: wrong - right)),
        Mistake("the two logits are added: their difference is asked for.",
                _each(sign=lambda right, wrong: right + wrong)),
        Mistake("the bias of layernorm is in every part: it is nobody's, and would be counted once for each.",
                _each(bias=lambda weights: weights["ln_final.b"])),
        Mistake("this is the mean over rows and places: keep [row, place].",
                lambda *case: {name: value.mean() for name, value in _each()(*case).items()}),
    ],
)  # fmt: skip
