"""One head's way to the logits on other tokens: by a graph (d1.4.8) and by hooks (d1.4.9)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.probes import hooks_on
from remix_utils.checks.day1.rewriting import judged, rewritten
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, said, transformers
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.ops import placeholder


def some_senders(seed):
    """Heads of first, middle and last layers: the last ones have no way to the logits but the direct one."""
    two, three = transformers(seed, 2, 3)
    return [(two, 0, 1), (two, 1, 0), (three, 1, 1), (three, 0, 0)]


def _by_streams(graph, layer, head, to=None):
    """The stream at the end, in which one head's own term is exchanged: no run in between is needed."""
    clean, other = graph.watched(), graph.watched(graph.inputs["other"])
    stream = clean[f"blocks.{len(graph.network.blocks) - 1}.resid_post"]
    heads = [(layer, head)] if to is None else to(graph, layer, head)
    change = sum(graph.head(*each, other) - graph.head(*each, clean) for each in heads)
    return graph.network.unembed(graph.network.ln_final(stream + change))


def _everywhere(graph, layer, head, heads=None):
    """The head on the other tokens, as everybody above it reads it."""
    clean, other = graph.watched(), graph.watched(graph.inputs["other"])
    chosen = [head] if heads is None else heads(graph)
    change = sum(graph.head(layer, each, other) - graph.head(layer, each, clean) for each in chosen)
    hook = graph.network.blocks[layer].attn_out.register_forward_hook(lambda module, inputs, out: out + change)
    try:
        return graph.network(graph.tokens)
    finally:
        hook.remove()


def _through_others(graph, layer, head):
    """All ways but the direct one."""
    clean, other = graph.watched(), graph.watched(graph.inputs["other"])
    change = graph.head(layer, head, other) - graph.head(layer, head, clean)
    stream = _stream_everywhere(graph, layer, head) - change
    return graph.network.unembed(graph.network.ln_final(stream))


def _stream_everywhere(graph, layer, head):
    seen = {}
    last = graph.network.blocks[-1].resid_post
    hook = last.register_forward_hook(lambda module, inputs, out: seen.update(out=out))
    try:
        _everywhere(graph, layer, head)
    finally:
        hook.remove()
    return seen["out"]


def _all_in_layer(graph, layer, head):
    return [(layer, each) for each in range(graph.network.config.n_heads)]


def _all_heads(graph):
    return range(graph.network.config.n_heads)


def _turned_round(graph, layer, head):
    """Everything on the other tokens but this one path."""
    clean, other = graph.watched(), graph.watched(graph.inputs["other"])
    stream = other[f"blocks.{len(graph.network.blocks) - 1}.resid_post"]
    change = graph.head(layer, head, clean) - graph.head(layer, head, other)
    return graph.network.unembed(graph.network.ln_final(stream + change))


def _by_logits(graph, layer, head):
    """The change of the logits with the scale of the clean run."""
    seen, other = graph.watched(), graph.watched(graph.inputs["other"])
    stream = seen[f"blocks.{len(graph.network.blocks) - 1}.resid_post"]
    change = graph.head(layer, head, other) - graph.head(layer, head, seen)
    centred = (change - change.mean(-1, keepdim=True)) / (stream.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    return seen["logits"] + graph.network.unembed(centred * graph.network.ln_final.w)


MISTAKES = [
    (
        "every reader of the head gets the other tokens' value: also the layers above it. Only the logits' own "
        "reading was asked for.",
        _everywhere,
    ),
    ("this is the way through other heads: the direct one was asked for.", _through_others),
    (
        "all the heads of the layer are on the other tokens, and only one was asked for.",
        lambda graph, layer, head: _by_streams(graph, layer, head, _all_in_layer),
    ),
    (
        "all the heads of the layer are on the other tokens, in all their ways.",
        lambda graph, layer, head: _everywhere(graph, layer, head, _all_heads),
    ),
    ("the whole network reads the other tokens.", lambda graph, *head: graph.network(graph.inputs["other"])),
    (
        "the other way round: everything is on the other tokens except this head's own way. That is denoising, and "
        "noising was asked for.",
        _turned_round,
    ),
    ("nothing has changed: these are the clean logits.", lambda graph, *head: graph.network(graph.tokens)),
    ("the scale of ln_final is that of the clean run: what lies above the head is worked out again.", _by_logits),
    ("it is another head of the layer.", lambda graph, layer, head: _by_streams(graph, layer, 1 - head)),
]


# --- d1.4.8 -----------------------------------------------------------------------------------------------------------


def use_path(function, graph, layer, head):
    if is_plain(function):
        return said(graph, function(graph, layer, head))
    other = placeholder("other", (graph.seq,), torch.long)
    return said(graph, rewritten(function, graph, layer, head, other))


@exercise("d1.4.8")
def _(answer, seed, reference):
    known = [(message, plain_torch(wrong)) for message, wrong in MISTAKES]
    cases, oracle = some_senders(seed), plain_torch(_by_streams)
    judged(answer, seed, reference, use=use_path, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)


# --- d1.4.9 -----------------------------------------------------------------------------------------------------------


def kept(graph, tokens):
    """What the exercise's `record` keeps of a run."""
    seen = graph.watched(tokens)
    return {name: value for name, value in seen.items() if name.endswith((".attn.z", ".attn_out"))}


def use_hooks(function, graph, layer, head):
    if is_plain(function):
        return said(graph, function(graph, layer, head))
    clean, corrupted = kept(graph, graph.tokens), kept(graph, graph.inputs["other"])
    before = {name: value.clone() for name, value in [*clean.items(), *((f"{k}'", v) for k, v in corrupted.items())]}
    logits = function(graph.network, graph.tokens, clean, corrupted, layer, head)
    if left := hooks_on(graph.network):
        raise Wrong(f"{left} hooks are still on the network: `with hooked(...)` takes its own off.")
    now = [*clean.items(), *((f"{k}'", v) for k, v in corrupted.items())]
    if changed := [name for name, value in now if not torch.equal(value, before[name])]:
        raise Wrong(f"the recorded {changed[0].rstrip(chr(39))!r} was written into: work on a clone.")
    if not isinstance(logits, torch.Tensor):
        raise Wrong(f"it gives a {type(logits).__name__}, expected the logits [batch, seq, d_vocab].")
    return said(graph, logits)


@exercise("d1.4.9")
def _(answer, seed, reference):
    known = [(message, plain_torch(wrong)) for message, wrong in MISTAKES]
    cases, oracle = some_senders(seed), plain_torch(_by_streams)
    judged(answer, seed, reference, use=use_hooks, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)
