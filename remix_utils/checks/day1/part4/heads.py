"""One head: what it writes (d1.4.1) and where it looks (d1.4.2)."""

from __future__ import annotations

from remix_utils.checks.day1.rewriting import judged, rewritten
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, said, transformers
from remix_utils.checks.exercise import exercise


def some_heads(seed):
    """Heads of both places, in layers that are first, in the middle and last."""
    two, three = transformers(seed, 2, 3)
    return [(two, 0, 1), (two, 1, 0), (three, 1, 1), (three, 2, 0)]


def use_head(function, graph, layer, head):
    result = function(graph, layer, head) if is_plain(function) else rewritten(function, graph, layer, head)
    return said(graph, result)


def _judge(answer, seed, reference, oracle, mistakes):
    cases = some_heads(seed)
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    judged(
        answer, seed, reference, use=use_head, cases=cases, oracle=plain_torch(oracle), mistakes=known, tolerance=CLOSE
    )


# --- d1.4.1 -----------------------------------------------------------------------------------------------------------


def _head(graph, layer, head):
    return graph.head(layer, head)


def _z(graph, layer, head):
    return graph.watched()[f"blocks.{layer}.attn.z"]


@exercise("d1.4.1")
def _(answer, seed, reference):
    mistakes = [
        (
            "the layer's bias b_O is in it: that is added once a layer, and belongs to no head.",
            lambda g, layer, head: g.head(layer, head) + g.network.blocks[layer].attn.b_O,
        ),
        ("this is the whole layer: all its heads and the bias.", lambda g, layer, head: _whole(g, layer)),
        ("the head is right and the layer is not.", lambda g, layer, head: g.head(1 - layer if layer < 2 else 0, head)),
        ("it is always a head of layer 0.", lambda g, layer, head: g.head(0, head)),
        ("it is another head of the layer.", lambda g, layer, head: g.head(layer, 1 - head)),
        (
            "this is z [seq, d_head], what the head has gathered: W_O is still to come.",
            lambda g, layer, head: _z(g, layer, head)[:, :, head],
        ),
        (
            "this is a row of the layer's output: attn_out has no axis of heads, since it is their sum. "
            "Split that sum first.",
            lambda g, layer, head: _whole(g, layer)[:, head],
        ),
        (
            "these are all the other heads: find the one.",
            lambda g, layer, head: g.head(layer, 1 - head) + g.network.blocks[layer].attn.b_O,
        ),
    ]
    _judge(answer, seed, reference, _head, mistakes)


def _whole(graph, layer):
    return graph.watched()[f"blocks.{layer}.attn_out"]


# --- d1.4.2 -----------------------------------------------------------------------------------------------------------


def _pattern(graph, layer, head):
    return _patterns(graph, layer)[:, head]


def _patterns(graph, layer, part="pattern"):
    return graph.watched()[f"blocks.{layer}.attn.{part}"]


@exercise("d1.4.2")
def _(answer, seed, reference):
    mistakes = [
        (
            "these are the scores, before softmax and before the future is hidden.",
            lambda g, layer, head: _patterns(g, layer, "scores")[:, head],
        ),
        (
            "softmax was taken of scores that still see the future: the graph has the pattern, masked and all.",
            lambda g, layer, head: _patterns(g, layer, "scores")[:, head].softmax(-1),
        ),
        (
            "rows and columns are exchanged: a row is a query, and sums to 1.",
            lambda g, layer, head: _pattern(g, layer, head).transpose(-1, -2),
        ),
        (
            "this is the mean over the heads, and no head looks like it.",
            lambda g, layer, head: _patterns(g, layer).mean(1),
        ),
        (
            "this is one query of every head: the first axis of a pattern is the head.",
            lambda g, layer, head: _patterns(g, layer)[:, :, head],
        ),
        ("these are the patterns of all heads: index the first axis.", lambda g, layer, head: _patterns(g, layer)),
        ("it is another head of the layer.", lambda g, layer, head: _pattern(g, layer, 1 - head)),
        ("it is always a head of layer 0.", lambda g, layer, head: _pattern(g, 0, head)),
    ]
    _judge(answer, seed, reference, _pattern, mistakes)
