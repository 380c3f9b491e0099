"""Every head taken away in its turn, in three ways: d1.4.7."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged, values
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, transformers
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.data import Dataset
from remix_utils.graph.node import Node
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find
from remix_utils.intervene import ablate


def ways_of_ablating(seed):
    """Each way; data of a single row for resampling, so that the draw is known."""
    several, one = transformers(seed, 2, rows=3)[0], transformers(seed + 7, 3, rows=1)[0]
    ways = (several, "zero"), (several, "mean"), (one, "resample")
    return [(case, how, {"tokens": case.inputs["other"]}) for case, how in ways]


def run_without(case, layer, change):
    """The logits when a layer's output is changed."""
    hook = case.network.blocks[layer].attn_out.register_forward_hook(lambda module, inputs, out: out + change)
    try:
        return case.network(case.tokens)
    finally:
        hook.remove()


INSTEAD = {
    "zero": lambda own, other: torch.zeros_like(own),
    "mean": lambda own, other: other.mean(0).expand_as(own),
    "resample": lambda own, other: other,
}


def _each(instead=INSTEAD, heads=lambda case: every_head(case), key="{}.{}"):
    """Each head's output exchanged: `instead(own, on the data)` [batch, seq, d_model]."""

    def runs(case, how, data):
        found, seen, on_data = {}, case.watched(), case.watched(case.inputs["other"])
        for place in heads(case):
            own, other = case.head(*place, seen), case.head(*place, on_data)
            found[key.format(*place)] = run_without(case, place[0], instead[how](own, other) - own)
        return found

    return plain_torch(runs)


def every_head(case):
    config = case.network.config
    return [(layer, head) for layer in range(config.n_layers) for head in range(config.n_heads)]


def use_sweep(function, graph, how, data):
    if is_plain(function):
        return function(graph, how, data)
    result = function(graph.node, how, Dataset(data))
    if not isinstance(result, dict) or not all(type(node) is Node for node in result.values()):
        raise Wrong(f'it gives a {type(result).__name__}, expected a dict from "0.3" to the graph without head 0.3.')
    return dict(zip(map(str, result), values(graph, *result.values()), strict=True))


def _always(how):
    return dict.fromkeys(INSTEAD, INSTEAD[how])


def _by_layer(graph, how, data):
    """All heads of a layer at once."""
    split_up = split(graph, "blocks.*.attn_out", "head")
    return {
        f"{layer}.{head}": ablate(split_up, f"blocks.{layer}.attn.head.*.out", how, data)
        for layer, head in _heads_in(split_up)
    }


def _piling_up(graph, how, data):
    """Each graph without all the heads before it as well."""
    found, graph = {}, split(graph, "blocks.*.attn_out", "head")
    for layer, head in _heads_in(graph):
        graph = ablate(graph, f"blocks.{layer}.attn.head.{head}.out", how, data)
        found[f"{layer}.{head}"] = graph
    return found


def _heads_in(graph):
    names = [node.name.split(".") for node in find(graph, "blocks.*.attn.head.*.out")]
    return sorted((int(name[1]), int(name[4])) for name in names)


@exercise("d1.4.7")
def _(answer, seed, reference):
    mistakes = [
        ("whatever is asked for, the heads are put to zero: hand `how` on.", _each(_always("zero"))),
        (
            "the mean is taken over positions, too: a head may have a mean for each position.",
            _each(INSTEAD | {"mean": lambda own, other: other.mean((0, 1)).expand_as(own)}),
        ),
        ("every graph lacks all the heads of a layer: split the layers first, and ablate one head.", _by_layer),
        (
            "the heads pile up: every graph lacks also those before it. Ablate each in the graph as it was.",
            _piling_up,
        ),
        (
            "only the heads of layer 0 are there.",
            _each(heads=lambda case: [head for head in every_head(case) if head[0] == 0]),
        ),
        ("the keys are not of the form \"layer.head\", such as \"0.3\".", _each(key="blocks.{}.attn.head.{}.out")),
        ("the graphs are not named after the heads that they lack: layer and head are exchanged, or the order is.",
         _each(key="{1}.{0}")),
    ]  # fmt: skip
    cases = ways_of_ablating(seed)
    judged(answer, seed, reference, use=use_sweep, cases=cases, oracle=_each(), mistakes=mistakes, tolerance=CLOSE)
