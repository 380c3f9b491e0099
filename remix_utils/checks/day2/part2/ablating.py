"""What it costs to lose a head (d2.2.2), and several at once (d2.2.3)."""

from __future__ import annotations

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch
from remix_utils.checks.day2.taken_away import every_head, losses, run, ways_of_ablating, without
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.circuits.loss import token_loss


def standard_error(values):
    return values.std().item() / len(values) ** 0.5


def clean_losses(case):
    return losses(case, run(case, {})["logits"])


def losses_without(case, heads, how, data):
    return losses(case, without(case, heads, how, data)["logits"])


def _paired(lost):
    """Mean and standard error over rows of what is lost at every token [row, place]."""
    return lost.mean().item(), standard_error(lost.mean(1))


# --- d2.2.2 -----------------------------------------------------------------------------------------------------------


def _costs(summary=_paired, heads=every_head, gone=lambda case, head: [head], key="{}.{}", way=lambda how: how):
    def costs(case, how, data):
        clean = clean_losses(case)
        lost = {head: losses_without(case, gone(case, head), way(how), data) - clean for head in heads(case)}
        return {key.format(*head): summary(each) for head, each in lost.items()}

    return plain_torch(costs)


def _unpaired(case, how, data):
    clean, found = clean_losses(case).mean(1), {}
    for head in every_head(case):
        lost = losses_without(case, [head], how, data).mean(1)
        error = (standard_error(lost) ** 2 + standard_error(clean) ** 2) ** 0.5
        found["{}.{}".format(*head)] = (lost.mean() - clean.mean()).item(), error
    return found


def _not_compared(case, how, data):
    return {"{}.{}".format(*head): _paired(losses_without(case, [head], how, data)) for head in every_head(case)}


def _before(case, head):
    """All the heads up to this one."""
    return [each for each in every_head(case) if each <= head]


def _whole_layer(case, head):
    return [each for each in every_head(case) if each[0] == head[0]]


def use_costs(function, case, how, data):
    if is_plain(function):
        return function(case, how, data)
    found = function(case.node, token_loss, {"tokens": case.tokens}, how, data)
    if not isinstance(found, dict):
        raise Wrong(f'it gives {describe(plain(found))}, expected a dict such as {{"0.3": (mean, error)}}.')
    return found


@exercise("d2.2.2")
def _(answer, seed, reference):
    mistakes = [
        ("the error takes the two losses for independent: subtract row by row, and then take the error.",
         plain_torch(_unpaired)),
        ("these are the losses without the heads: subtract the loss with all of them.", plain_torch(_not_compared)),
        ("the sign is turned: what is *added* is the loss without the head less the one with it.",
         _costs(lambda lost: _paired(-lost))),
        ("whatever is asked for, zeros are put: hand `how` and `data` on.", _costs(way=lambda how: "zero")),
        ("the error counts every token as independent: take the mean of a row first.",
         _costs(lambda lost: (lost.mean().item(), standard_error(lost.flatten())))),
        ("this is the standard deviation over rows: divide by the square root of their number.",
         _costs(lambda lost: (lost.mean().item(), lost.mean(1).std().item()))),
        ("the error is divided by the number of rows: by its square root, please.",
         _costs(lambda lost: (lost.mean().item(), lost.mean(1).std().item() / len(lost)))),
        ("the error is missing: give a mean and a standard error for each head.",
         _costs(lambda lost: lost.mean().item())),
        ("every head takes its whole layer along: split the layers into heads first.", _costs(gone=_whole_layer)),
        ("the heads pile up: each graph lacks also those before it. Ablate each in the whole graph.",
         _costs(gone=_before)),
        ("only the heads of layer 0 are there.", _costs(heads=lambda case: [h for h in every_head(case) if not h[0]])),
        ('the keys are not "layer.head", such as "0.3".', _costs(key="blocks.{}.attn.head.{}.out")),
    ]  # fmt: skip
    cases = ways_of_ablating(seed, 2, rows=4)
    judged(answer, seed, reference, use=use_costs, cases=cases, oracle=_costs(), mistakes=mistakes, tolerance=CLOSE)


# --- d2.2.3 -----------------------------------------------------------------------------------------------------------


def some_groups(seed):
    """Pairs within a layer in each way; and heads of three layers, put to zero."""
    pairs = [
        (case, [(layer, 0), (layer, 1)], how, data)
        for layer, (case, how, data) in zip((0, 1, 0), ways_of_ablating(seed, 2, rows=4), strict=True)
    ]
    case, how, data = ways_of_ablating(seed + 50, 3, rows=4)[0]
    return [*pairs, (case, [(0, 1), (1, 0), (2, 1)], how, data)]


def _extra(combine, summary=_paired):
    """From the losses [row, place]: with all heads, without them together, without each."""

    def interaction(case, heads, how, data):
        clean, together = clean_losses(case), losses_without(case, heads, how, data)
        alone = [losses_without(case, [head], how, data) for head in heads]
        return summary(combine(clean, together, alone))

    return plain_torch(interaction)


def _beyond(clean, together, alone):
    return together - clean - sum(each - clean for each in alone)


def _independent(case, heads, how, data):
    clean, together = clean_losses(case), losses_without(case, heads, how, data)
    costs = [each.mean(1) - clean.mean(1) for each in
             (together, *(losses_without(case, [head], how, data) for head in heads))]  # fmt: skip
    mean = costs[0].mean() - sum(cost.mean() for cost in costs[1:])
    return mean.item(), sum(standard_error(cost) ** 2 for cost in costs) ** 0.5


def use_group(function, case, heads, how, data):
    if is_plain(function):
        return function(case, heads, how, data)
    return function(case.node, token_loss, {"tokens": case.tokens}, heads, how, data)


@exercise("d2.2.3")
def _(answer, seed, reference):
    mistakes = [
        ("this is the cost of all heads together: take off what each costs alone.",
         _extra(lambda clean, together, alone: together - clean)),
        ("the sign is turned: together less the sum of the parts, above 0 where they cover for each other.",
         _extra(lambda *given: -_beyond(*given))),
        ("losses are subtracted, not costs: the clean loss goes off *each* of them, together and alone.",
         _extra(lambda clean, together, alone: together - sum(alone))),
        ("the clean loss is taken off once only: it goes off together, and off each alone.",
         _extra(lambda clean, together, alone: together - clean - sum(alone))),
        ("only what each costs alone is added up: take it off what they cost together.",
         _extra(lambda clean, together, alone: sum(each - clean for each in alone))),
        ("the mean of the single costs is taken off: their sum, please.",
         _extra(lambda clean, together, alone: together - clean - sum(each - clean for each in alone) / len(alone))),
        ("the error takes the costs for independent: combine them row by row, and then take the error.",
         plain_torch(_independent)),
        ("the error counts every token as independent: take the mean of a row first.",
         _extra(_beyond, lambda extra: (extra.mean().item(), standard_error(extra.flatten())))),
        ("this is the standard deviation over rows: divide by the square root of their number.",
         _extra(_beyond, lambda extra: (extra.mean().item(), extra.mean(1).std().item()))),
        ("the error is missing: give a mean and a standard error.", _extra(_beyond, lambda extra: extra.mean().item())),
    ]  # fmt: skip
    cases, oracle = some_groups(seed), _extra(_beyond)
    judged(answer, seed, reference, use=use_group, cases=cases, oracle=oracle, mistakes=mistakes, tolerance=CLOSE)
