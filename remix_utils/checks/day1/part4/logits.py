"""From the stream to the logits: the direct path (d1.4.3), and what one part of the stream adds (d1.4.4)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged, rewritten
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, said, transformers
from remix_utils.checks.exercise import exercise
from remix_utils.circuits.stream import components
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import array

# --- d1.4.3 -----------------------------------------------------------------------------------------------------------


def use_graph(function, graph):
    return said(graph, function(graph) if is_plain(function) else rewritten(function, graph))


def _unembedded(graph, stream):
    network = graph.network
    return network.unembed(network.ln_final(stream))


def _direct(graph):
    return _unembedded(graph, graph.network.embed(graph.tokens))


def _with_biases(graph):
    biases = sum(block.attn.b_O for block in graph.network.blocks)
    return _unembedded(graph, graph.network.embed(graph.tokens) + biases)


def _one_layer(silent):
    """A transformer in which one layer says nothing."""

    def wrong(graph):
        layer = silent % len(graph.network.blocks)
        hook = graph.network.blocks[layer].attn_out.register_forward_hook(lambda module, inputs, out: out * 0)
        try:
            return graph.network(graph.tokens)
        finally:
            hook.remove()

    return wrong


def _without_embedding(graph):
    return _unembedded(graph, graph.watched()["ln_final"] * 0)


def _mean_heads(graph):
    seen = graph.watched()
    written = sum(seen[f"blocks.{layer}.attn_out"].mean(0) for layer in range(len(graph.network.blocks)))
    return _unembedded(graph, graph.network.embed(graph.tokens) + written)


@exercise("d1.4.3")
def _(answer, seed, reference):
    mistakes = [
        (
            "the heads are silent, but the biases b_O of the attention layers still speak: take all of attn_out away.",
            _with_biases,
        ),
        ("only layer 0 is silent: a layer after it still moves tokens about.", _one_layer(0)),
        ("only the last layer is silent: the layer below it still speaks.", _one_layer(-1)),
        (
            "the final layernorm is left out, or keeps the scale of the whole stream: the direct path has a stream of "
            "its own, and ln_final reads that.",
            lambda graph: graph.network.unembed(graph.network.embed(graph.tokens)),
        ),
        (
            "the final layernorm is left out, or keeps the scale of the whole stream: the direct path has a stream of "
            "its own, and ln_final reads that.",
            lambda graph: _adds(graph, graph.network.embed(graph.tokens)) + _bias(graph),
        ),
        ("it is the embedding that was taken away: keep it, and silence the attention layers.", _without_embedding),
        ("attention is at its mean, and a mean still says something: put zeros there.", _mean_heads),
        ("this is what attention adds: the direct path is the rest.", lambda graph: _logits(graph) - _direct(graph)),
    ]
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    cases = [(case,) for case in transformers(seed, 2, 3, 1)]
    oracle = plain_torch(_direct)
    judged(answer, seed, reference, use=use_graph, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)


def _logits(graph):
    return graph.watched()["logits"]


# --- d1.4.4 -----------------------------------------------------------------------------------------------------------


def parts_of_streams(seed):
    """Heads, the embedding and a constant, of transformers of two depths."""
    cases = []
    for case in transformers(seed, 2, 3):
        nodes = components(case.node)
        chosen = [nodes[name] for name in ("blocks.1.attn.head.0.out", "embed", "blocks.0.attn.head.1.out")]
        numbers = torch.Generator().manual_seed(seed)
        chosen.append(array(torch.randn(case.seq, 8, generator=numbers), "some part"))
        cases += [(case, node) for node in chosen]
    return cases


def use_part(function, graph, part):
    return said(graph, function(graph, part) if is_plain(function) else rewritten(function, graph, part))


def _value(graph, part):
    value = evaluate(part, {"tokens": graph.tokens})
    return value.expand(len(graph.tokens), *part.shape)


def _scale(x):
    return (x.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()


def _stream(graph):
    return graph.watched()[f"blocks.{len(graph.network.blocks) - 1}.resid_post"]


def _adds(graph, x, centre=True, scale=True, weight=True):
    """What a part x [batch, seq, d_model] adds to the logits, with steps of the layernorm left out."""
    norm = graph.network.ln_final
    x = x - x.mean(-1, keepdim=True) if centre else x
    x = x / _scale(_stream(graph)) if scale else x
    return graph.network.unembed(x * norm.w if weight else x)


def _bias(graph):
    return graph.network.unembed(graph.network.ln_final.b)


def _by(**choices):
    return lambda graph, part: _adds(graph, _value(graph, part), **choices)


def _own_scale(graph, part):
    norm = graph.network.ln_final
    return graph.network.unembed(norm(_value(graph, part)) - norm.b)


def _without_it(graph, part):
    stream = _stream(graph)
    return _unembedded(graph, stream) - _unembedded(graph, stream - _value(graph, part))


OWN = (
    "the part is divided by a scale of its own, as if it were the whole stream: the parts then do not sum to the "
    "logits. Hold the scale that the whole stream has, by mapping ln_final.inverse to itself."
)
BIAS = "the bias of ln_final is in every part, and would be counted as often as there are parts: put zeros there."


@exercise("d1.4.4")
def _(answer, seed, reference):
    mistakes = [
        (OWN, _own_scale),
        (f"{OWN} And {BIAS}", lambda graph, part: _unembedded(graph, _value(graph, part))),
        (BIAS, lambda graph, part: _adds(graph, _value(graph, part)) + _bias(graph)),
        ("ln_final is left out: its centring, scale and weight.", _by(centre=False, scale=False, weight=False)),
        ("the scale is left out.", _by(scale=False)),
        ("the part is not centred: layernorm takes the mean over d_model away.", _by(centre=False)),
        ("the weight of ln_final is left out.", _by(weight=False)),
        (
            "this is the difference that removing the part makes, and then the scale changes too: hold it.",
            _without_it,
        ),
        ("these are the logits of the whole stream.", lambda graph, part: _unembedded(graph, _stream(graph))),
    ]
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    cases, oracle = parts_of_streams(seed), plain_torch(_by())
    judged(answer, seed, reference, use=use_part, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)
