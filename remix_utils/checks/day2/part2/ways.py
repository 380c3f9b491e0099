"""A head ablated in some of its uses: patterns left as they were (d2.2.6), or one side of them only (d2.2.7)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged, rewritten
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, said
from remix_utils.checks.day2.taken_away import patterns, run, ways_of_ablating, without
from remix_utils.checks.exercise import exercise
from remix_utils.errors import MatchError


def _logits(case, heads, how, data, held=None):
    return without(case, heads, how, data, held)["logits"]


def _clean(case):
    return run(case, {})


# --- d2.2.6 -----------------------------------------------------------------------------------------------------------


def some_heads(seed):
    """Heads of first and middle layers, in each way; one of a last layer, for which both ablations are the same."""
    cases = ways_of_ablating(seed, 2, 3)
    places = ((0, 1), (1, 0), (0, 0), (1, 1), (1, 1), (0, 1))
    return [(case, *place, how, data) for place, (case, how, data) in zip(places, cases, strict=True)]


def _kept(heads=lambda layer, head: [(layer, head)], way=lambda how: how):
    return lambda case, layer, head, how, data: _logits(
        case, heads(layer, head), way(how), data, patterns(_clean(case))
    )


def _full(case, layer, head, how, data):
    return _logits(case, [(layer, head)], how, data)


def _only_patterns(case, layer, head, how, data):
    gone = patterns(without(case, [(layer, head)], how, data))
    return run(case, {}, gone)["logits"]


def _only_directly(case, layer, head, how, data):
    clean, gone = _clean(case), without(case, [(layer, head)], how, data)
    change = gone[f"blocks.{layer}.resid_post"] - clean[f"blocks.{layer}.resid_post"]
    stream = clean[f"blocks.{len(case.network.blocks) - 1}.resid_post"]
    return case.network.unembed(case.network.ln_final(stream + change))


def _through_heads(case, layer, head, how, data):
    """Everything but the direct way."""
    gone = without(case, [(layer, head)], how, data)
    clean = _clean(case)
    change = gone[f"blocks.{layer}.resid_post"] - clean[f"blocks.{layer}.resid_post"]
    stream = gone[f"blocks.{len(case.network.blocks) - 1}.resid_post"]
    return case.network.unembed(case.network.ln_final(stream - change))


def use_head(function, case, layer, head, how, data):
    if is_plain(function):
        return said(case, function(case, layer, head, how, data))
    return said(case, rewritten(function, case, layer, head, how, data))


@exercise("d2.2.6")
def _(answer, seed, reference):
    mistakes = [
        ("this is the full ablation: later patterns are worked out again without the head. Avoid them.", _full),
        ("the other way round: only the patterns miss the head, and what is moved is as it was.", _only_patterns),
        ("only the direct way to the logits is ablated: the values of later heads read the head, too, and pass no "
         "pattern.", _only_directly),
        ("the direct way to the logits still has the head: only patterns keep it.", _through_heads),
        ("the whole layer is ablated: split it, and choose the head.",
         _kept(lambda layer, head: [(layer, 0), (layer, 1)])),
        ("it is another head of the layer.", _kept(lambda layer, head: [(layer, 1 - head)])),
        ("whatever is asked for, zeros are put: hand `how` and `data` on.", _kept(way=lambda how: "zero")),
        ("nothing has changed: these are the clean logits.", lambda case, *rest: _clean(case)["logits"]),
    ]  # fmt: skip
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    cases, oracle = some_heads(seed), plain_torch(_kept())
    judged(answer, seed, reference, use=use_head, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)


# --- d2.2.7 -----------------------------------------------------------------------------------------------------------

SIDES = "qkv"


def some_sides(seed):
    """Every side, in each way."""
    cases = ways_of_ablating(seed, 2)
    return [
        (case, side, head, how, data) for head, side, (case, how, data) in zip((1, 0, 1), SIDES, cases, strict=True)
    ]


def _read_by(
    sides=lambda side: side, head=lambda head: [head], readers=lambda value, clean: value, way=lambda how: how
):
    """Layer 1's queries, keys or values come from a run without the head."""

    def one_side(case, side, number, how, data):
        clean, gone = _clean(case), without(case, [(0, each) for each in head(number)], way(how), data)
        names = [f"blocks.1.attn.{each}" for each in sides(side)]
        return run(case, {}, {name: readers(gone[name], clean[name]) for name in names})["logits"]

    return one_side


def _first_reader(value, clean):
    """Axes of the module's q: [batch, seq, head, d_head]."""
    return torch.cat([value[:, :, :1], clean[:, :, 1:]], 2)


def _all_uses(case, side, head, how, data):
    return _full(case, 0, head, how, data)


def _turned_round(*case):
    raise MatchError("nothing is reached that way", fix="none.")


def use_side(function, case, side, head, how, data):
    if is_plain(function):
        return said(case, function(case, side, head, how, data))
    return said(case, rewritten(function, case, side, head, how, data))


@exercise("d2.2.7")
def _(answer, seed, reference):
    other_sides = {"q": "kv", "k": "qv", "v": "qk"}
    exchanged = {"q": "k", "k": "q", "v": "v"}
    mistakes = [
        ("this is the full ablation: everybody reads the head as ablated.", _all_uses),
        ("queries, keys and values all read it as ablated: one side was asked for.", _read_by(lambda side: SIDES)),
        ("the other sides are ablated, and this one is as it was.", _read_by(other_sides.__getitem__)),
        ("queries and keys are exchanged.", _read_by(exchanged.__getitem__)),
        ("only one head of layer 1 reads it as ablated: a star in the name takes all of them.",
         _read_by(readers=_first_reader)),
        ("the whole layer 0 is ablated: choose the head below the reader.", _read_by(head=lambda head: [0, 1])),
        ("it is another head of layer 0.", _read_by(head=lambda head: [1 - head])),
        ("whatever is asked for, zeros are put: hand `how` and `data` on.", _read_by(way=lambda how: "zero")),
        ("nothing is found that way: a >> b is b, reached below a. The reader in layer 1 comes first.", _turned_round),
        ("nothing has changed: these are the clean logits.", lambda case, *rest: _clean(case)["logits"]),
    ]  # fmt: skip
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    cases, oracle = some_sides(seed), plain_torch(_read_by())
    judged(answer, seed, reference, use=use_side, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)
