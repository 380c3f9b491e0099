"""Answers to d1.4.5 and d1.4.6: the paths of a transformer whose attention is held, and two heads in a row."""

import torch

from remix_utils import add, array, at, einsum, find, index, split, update
from remix_utils.circuits import path_expansion
from remix_utils.graph.rules import RULES

# --- d1.4.5 -----------------------------------------------------------------------------------------------------------


def by_the_readings(graph):
    """The library's own expansion, a dict from path to node."""
    return add(*path_expansion(graph).values(), name="logits")


def broadcasts(node):
    return node.op.kind == "add" and any(child.shape != node.shape for child in node.children)


def spread(node):
    """Every term once for each position."""
    terms = []
    for child in node.children:
        if child.shape != node.shape:
            words = ["d", "d_head e"][len(child.shape) - 1]
            child = einsum(f"seq, {words} -> seq {words}", array(torch.ones(node.shape[0])), child, name=child.name)
        terms.append(child)
    return add(*terms, weights=node.op.weights, name=node.name)


def expanded(heads=True, norms=("*.ln1", "ln_final"), wide=spread):
    def path_terms(graph):
        graph = split(graph, "blocks.*.attn_out", "head") if heads else graph
        for norm in norms:
            graph = RULES["expand_layernorm"](graph, norm)
        graph = update(graph, broadcasts, wide) if wide else graph
        return RULES["expand_paths"](graph, "logits")

    return path_terms


def one_by_one(graph):
    """Every norm on its own, last first; indices, if any, in between."""
    for name in reversed([node.name for node in find(graph, at("*.ln1") | at("ln_final"))]):
        graph = RULES["expand_layernorm"](graph, name)
    graph = update(split(graph, "blocks.*.attn_out", "head"), broadcasts, spread)
    whole = RULES["expand_paths"](graph, "logits")
    return add(*whole.children[::-1], weights=whole.op.weights[::-1])


def without_biases(graph):
    whole = expanded()(graph)
    return add(*[term for term in whole.children if "embed" in term.name])


# --- d1.4.6 -----------------------------------------------------------------------------------------------------------


def by_letters(first, second):
    return [einsum("qm,mk->qk", second[0], first[0]), einsum("ab,bc->ac", first[1], second[1])]


def by_entries(first, second):
    """The same, one row of the pattern after another."""
    pattern, _ = by_letters(first, second)
    flip = array(torch.eye(pattern.shape[0], dtype=pattern.dtype))
    return einsum("q k, k l -> q l", pattern, flip), by_letters(first, second)[1]


def product(*slots, patterns=("q m, m k -> q k", "f m, m t -> f t")):
    def virtual_head(first, second):
        heads = first, second
        pairs = [[heads[slot][part] for slot in slots[part]] for part in (0, 1)]
        return tuple(einsum(pattern, *pair) for pattern, pair in zip(patterns, pairs, strict=True))

    return virtual_head


WRONG = [
    ("d1.4.5", expanded(heads=False), "a whole layer, and not one head"),
    ("d1.4.5", expanded(norms=("ln_final",)), "Open every ln1"),
    ("d1.4.5", expanded(wide=None), "one path leads to"),
    ("d1.4.5", lambda graph: add(graph), "ln_final is still whole"),
    ("d1.4.5", without_biases, "it departs"),
    ("d1.4.5", lambda graph: index(graph, (slice(None), slice(None))), "expected an add"),
    ("d1.4.6", product((0, 1), (0, 1)), "the patterns are in the wrong order"),
    ("d1.4.6", product((1, 0), (1, 0)), "the OV circuits are in the wrong order"),
    ("d1.4.6", product((0, 1), (1, 0)), "both products are in the wrong order"),
    ("d1.4.6", product((1, 0), (0, 1), patterns=("q k, q k -> q k", "f m, m t -> f t")), "attending in two steps"),
    ("d1.4.6", lambda first, second: second, "the second head alone"),
    ("d1.4.6", lambda first, second: by_letters(first, second)[0], "expected two nodes"),
]

RIGHT = [
    ("d1.4.5", by_the_readings),
    ("d1.4.5", one_by_one),
    ("d1.4.6", by_letters),
    ("d1.4.6", by_entries),
]
