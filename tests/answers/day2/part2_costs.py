"""Answers to d2.2.2 and d2.2.3: what is lost with a head, and with several."""

import torch

from remix_utils import ablate, at, evaluate, find, split
from remix_utils.circuits import head_outputs


def name_of(layer, head):
    return f"blocks.{layer}.attn.head.{head}.out"


def standard(values):
    return values.std() / len(values) ** 0.5


def summary(lost):
    """Of losses added [row, place]."""
    return lost.mean(), standard(lost.mean(1))


# --- d2.2.2 -----------------------------------------------------------------------------------------------------------


def one_by_one(
    of=summary, gone=lambda place: [place], heads=lambda all_heads: all_heads, key="{}.{}", way=lambda how: how
):
    """Every head in an evaluation of its own."""

    def head_costs(graph, measure, inputs, how, data):
        apart = split(graph, "blocks.*.attn_out", "head")
        clean, found = evaluate(measure(graph), inputs), {}
        for place in heads(list(head_outputs(apart))):
            without = apart
            for each in gone(place):
                without = ablate(without, name_of(*each), way(how), data)
            found[key.format(*place)] = of(evaluate(measure(without), inputs) - clean)
        return found

    return head_costs


def as_tensors(graph, measure, inputs, how, data):
    """All at once, rows first; the measure's mean is taken at the very end."""
    apart = split(graph, "blocks.*.attn_out", "head")
    heads = list(head_outputs(apart))
    losses = torch.stack(evaluate([measure(each) for each in (apart, *(
        ablate(apart, name_of(*place), how, data) for place in heads))], inputs)).mean(-1)  # fmt: skip
    lost = losses[1:] - losses[0]
    means, errors = lost.mean(1).tolist(), lost.std(1).div(lost.shape[1] ** 0.5).tolist()
    return {f"{l}.{h}": [mean, error] for (l, h), mean, error in zip(heads, means, errors, strict=True)}


def unpaired(graph, measure, inputs, how, data):
    apart = split(graph, "blocks.*.attn_out", "head")
    clean, found = evaluate(measure(graph), inputs).mean(1), {}
    for layer, head in head_outputs(apart):
        loss = evaluate(measure(ablate(apart, name_of(layer, head), how, data)), inputs).mean(1)
        found[f"{layer}.{head}"] = loss.mean() - clean.mean(), (standard(loss) ** 2 + standard(clean) ** 2).sqrt()
    return found


def not_compared(graph, measure, inputs, how, data):
    apart = split(graph, "blocks.*.attn_out", "head")
    return {
        "{}.{}".format(*place): summary(evaluate(measure(ablate(apart, name_of(*place), how, data)), inputs))
        for place in head_outputs(apart)
    }


def piling_up(graph, measure, inputs, how, data):
    apart = split(graph, "blocks.*.attn_out", "head")
    clean, found = evaluate(measure(apart), inputs), {}
    everything = None
    for place in head_outputs(apart):
        everything = at(name_of(*place)) if everything is None else everything | at(name_of(*place))
        lost = evaluate(measure(ablate(apart, everything, how, data)), inputs) - clean
        found["{}.{}".format(*place)] = summary(lost)
    return found


# --- d2.2.3 -----------------------------------------------------------------------------------------------------------


def several(combine, of=summary):
    """From the losses [row, place]: clean, without all, without each."""

    def interaction(graph, measure, inputs, heads, how, data):
        apart = split(graph, "blocks.*.attn_out", "head")
        wanted = [name_of(*place) for place in heads]
        all_of_them = at(lambda node: node.name in wanted)
        assert len(find(apart, all_of_them)) == len(heads)
        clean, together, *alone = (
            evaluate(measure(each), inputs)
            for each in [apart, *(ablate(apart, which, how, data) for which in [all_of_them, *wanted])]
        )
        return of(combine(clean, together, alone))

    return interaction


def beyond(clean, together, alone):
    return together - clean - sum(each - clean for each in alone)


def in_turn(graph, measure, inputs, heads, how, data):
    """All of them by ablating one after the other."""
    apart = split(graph, "blocks.*.attn_out", "head")
    together = apart
    for place in heads:
        together = ablate(together, name_of(*place), how, data)
    graphs = [apart, together, *(ablate(apart, name_of(*place), how, data) for place in heads)]
    losses = torch.stack(evaluate([measure(each) for each in graphs], inputs)).mean(-1)
    extra = losses[1] - losses[2:].sum(0) + (len(heads) - 1) * losses[0]
    return torch.stack([extra.mean(), standard(extra)])


WRONG = [
    ("d2.2.2", unpaired, "takes the two losses for independent"),
    ("d2.2.2", not_compared, "subtract the loss with all of them"),
    ("d2.2.2", one_by_one(lambda lost: summary(-lost)), "the sign is turned"),
    ("d2.2.2", one_by_one(way=lambda how: "zero"), "whatever is asked for, zeros are put"),
    ("d2.2.2", one_by_one(lambda lost: (lost.mean(), standard(lost.flatten()))), "counts every token as independent"),
    ("d2.2.2", one_by_one(lambda lost: (lost.mean(), lost.mean(1).std())), "this is the standard deviation over rows"),
    ("d2.2.2", one_by_one(lambda lost: lost.mean()), "the error is missing"),
    ("d2.2.2", one_by_one(gone=lambda place: [(place[0], 0), (place[0], 1)]), "takes its whole layer along"),
    ("d2.2.2", piling_up, "the heads pile up"),
    ("d2.2.2", one_by_one(heads=lambda found: found[:2]), "only the heads of layer 0"),
    ("d2.2.2", one_by_one(key="blocks.{}.attn.head.{}.out"), 'the keys are not "layer.head"'),
    ("d2.2.2", lambda *case: list(as_tensors(*case).values()), "expected a dict such as"),
    ("d2.2.3", several(lambda clean, together, alone: together - clean), "the cost of all heads together"),
    ("d2.2.3", several(lambda *losses: -beyond(*losses)), "the sign is turned"),
    ("d2.2.3", several(lambda clean, together, alone: together - sum(alone)), "losses are subtracted, not costs"),
    ("d2.2.3", several(lambda clean, together, alone: together - clean - sum(alone)), "is taken off once only"),
    (
        "d2.2.3",
        several(lambda clean, together, alone: together - clean - torch.stack(alone).mean(0) + clean),
        "the mean of the single costs",
    ),
    ("d2.2.3", several(beyond, lambda extra: (extra.mean(), standard(extra.flatten()))), "every token as independent"),
    ("d2.2.3", several(beyond, lambda extra: (extra.mean(), extra.mean(1).std())), "the standard deviation over rows"),
    ("d2.2.3", several(beyond, lambda extra: extra.mean()), "the error is missing"),
]

RIGHT = [
    ("d2.2.2", one_by_one()),
    ("d2.2.2", as_tensors),
    ("d2.2.3", several(beyond)),
]
