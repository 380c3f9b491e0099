"""The paths of a transformer, by how many heads they pass: d2.2.4."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged, rewritten
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, said, transformers
from remix_utils.checks.exercise import exercise
from remix_utils.graph.ops import add


def some_orders(seed):
    """Two layers and three, every order that there is."""
    two, three = transformers(seed, 2, 3)
    return [(two, 0), (two, 1), (two, 2), (three, 1), (three, 2), (three, 0)]


def _scaled(norm, x, whole):
    """A part of a stream, centred, over the scale of the whole, weighed; without the bias."""
    scale = (whole.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    return (x - x.mean(-1, keepdim=True)) / scale * norm.w


def by_order(case, biases=True):
    """What the paths of each order add to the logits: the stream split by how many heads a term has passed."""
    seen, network = case.watched(), case.network
    streams = [seen["embed"]]
    for layer, block in enumerate(network.blocks):
        whole, pattern = seen[f"blocks.{layer}.resid_pre"], seen[f"blocks.{layer}.attn.pattern"]
        moved = []
        for order, stream in enumerate(streams):
            read = _scaled(block.ln1, stream, whole) + (block.ln1.b if biases and order == 0 else 0)
            value = torch.einsum("bsd,hde->bhse", read, block.attn.W_V)
            value = value + (block.attn.b_V[None, :, None] if biases and order == 0 else 0)
            moved.append(torch.einsum("bhqk,bhke,hed->bqd", pattern, value, block.attn.W_O))
        streams = [first + second for first, second in _aligned(streams, moved)]
        streams[0] = streams[0] + (block.attn.b_O if biases else 0)
    read = [_scaled(network.ln_final, stream, whole_stream(case, seen)) for stream in streams]
    read[0] = read[0] + (network.ln_final.b if biases else 0)
    return [each @ network.unembed.W_U for each in read]


def _aligned(streams, moved):
    nothing = torch.zeros_like(streams[0])
    return zip([*streams, nothing], [nothing, *moved], strict=True)


def whole_stream(case, seen):
    return seen[f"blocks.{len(case.network.blocks) - 1}.resid_post"]


def _up_to(chosen=lambda order: slice(0, order + 1), biases=True):
    def orders(case, order):
        terms = by_order(case, biases)[chosen(order)]
        return torch.stack(terms).sum(0) if terms else add()

    return plain_torch(orders)


def _live(case, order):
    """Later layers put to zero, and the scales worked out again."""
    if order == 0:
        return case.network.unembed(case.network.ln_final(case.network.embed(case.tokens)))
    return torch.stack(by_order(case)[: order + 1]).sum(0)


def use_order(function, case, order):
    if is_plain(function):
        return said(case, function(case, order))
    return said(case, rewritten(function, case, order))


@exercise("d2.2.4")
def _(answer, seed, reference):
    mistakes = [
        ("these are the paths of exactly this order: take those of fewer heads along.",
         _up_to(lambda order: slice(order, order + 1))),
        ("it goes one order too far: a path's entry 0 is its start, so it passes len(path) - 1 heads.",
         _up_to(lambda order: slice(0, order + 2))),
        ("it stops one order too early: the path (\"embed\",) passes no head, its length is 1.",
         _up_to(lambda order: slice(0, order))),
        ("the paths that start at biases are missing: they are starts like the embedding.", _up_to(biases=False)),
        ("these are the paths of more heads than that.", _up_to(lambda order: slice(order + 1, None))),
        ("all paths are in it, whatever the order: these are the whole logits.", _up_to(lambda order: slice(None))),
        ("the scales of the layernorms are worked out again: the terms of the expansion hold them.",
         plain_torch(_live)),
    ]  # fmt: skip
    cases, oracle = some_orders(seed), _up_to()
    judged(answer, seed, reference, use=use_order, cases=cases, oracle=oracle, mistakes=mistakes, tolerance=CLOSE)
