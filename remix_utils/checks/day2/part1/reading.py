"""The graph of a language model, read: where positions arrive (d2.1.1), and where every head looks (d2.1.5)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import Graph, judged
from remix_utils.checks.day1.transformer_cases import CLOSE, is_plain, plain_torch, transformers
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.errors import MatchError
from remix_utils.graph.node import Node
from remix_utils.graph.select import find_one
from remix_utils.models.transformer import untrained

# --- d2.1.1 -----------------------------------------------------------------------------------------------------------

KINDS = ("shortformer", "learned", "rotary")
NAMES = ("blocks.0.attn.q", "blocks.0.attn.v", "blocks.1.attn.k", "blocks.1.attn.v", "blocks.0.resid_pre", "logits")


def models_and_names(seed):
    """Models whose positions go to queries and keys, into the stream, and to angles; nodes in all of them."""
    sizes = {"n_layers": 2, "n_heads": 2, "d_model": 8, "n_ctx": 11, "d_vocab": 13, "seed": seed}
    graphs = {kind: Graph(untrained(**sizes, positions=kind).graph(seq=5), {}) for kind in KINDS}
    return [(graphs[kind], name) for kind in KINDS for name in NAMES]


def _reaches(node, passes=lambda node: not node.name.endswith(".pattern")):
    """Whether a walk down from the node meets `pos_embed`."""
    stack = [node]
    while stack:
        each = stack.pop()
        if each.name == "pos_embed":
            return True
        stack += [child for child in each.children if passes(child)]
    return False


def use_question(function, graph, name):
    if is_plain(function):
        return function(graph, name)
    found = function(graph.node, name)
    if found is None or isinstance(found, Node):
        raise Wrong("it gives no yes or no: return True or False (a list that may be empty will do).")
    return bool(found)


def _or_error(graph, name):
    if not _reaches(find_one(graph.node, name)):
        raise MatchError("nothing found", fix="none.")
    return True


@exercise("d2.1.1")
def _(answer, seed, reference):
    mistakes = [
        ("paths through attention patterns count, too: avoid \"*.pattern\".",
         lambda g, name: _reaches(find_one(g.node, name), lambda node: True)),
        ("it looks below the logits, whatever the name: find the node first, and search below that.",
         lambda g, name: _reaches(g.node)),
        ("it looks below the logits, and patterns count: find the node first, and avoid \"*.pattern\".",
         lambda g, name: _reaches(g.node, lambda node: True)),
        ("finding nothing is an answer here, and find makes an error of it, unless it is told missing=\"ok\".",
         _or_error),
        ("yes and no are exchanged.", lambda g, name: not _reaches(find_one(g.node, name))),
        ("only the node's own children are looked at: a path may be long.",
         lambda g, name: any(child.name == "pos_embed" for child in find_one(g.node, name).children)),
        ("it is always no.", lambda g, name: False),
        ("it is always yes.", lambda g, name: True),
    ]  # fmt: skip
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    oracle = plain_torch(lambda g, name: _reaches(find_one(g.node, name)))
    judged(answer, seed, reference, use=use_question, cases=models_and_names(seed), oracle=oracle, mistakes=known)


# --- d2.1.5 -----------------------------------------------------------------------------------------------------------


def _patterns(graph, part="pattern"):
    """Of every layer, [row, head, query, key]."""
    seen = graph.watched()
    return [seen[f"blocks.{layer}.attn.{part}"] for layer in range(len(graph.network.blocks))]


def use_tokens(function, graph):
    if is_plain(function):
        return function(graph)
    found = function(graph.node, graph.tokens)
    several = found if isinstance(found, list | tuple) else [found]
    if any(isinstance(each, Node) for each in several):
        raise Wrong("these are nodes: evaluate them on the tokens.")
    return found


@exercise("d2.1.5")
def _(answer, seed, reference):
    mistakes = [
        ("layers come first: the first axis is the row, the second the layer.",
         lambda g: torch.stack(_patterns(g), 0)),
        ("heads come before layers: the axes are row, layer, head, query, key.",
         lambda g: torch.stack(_patterns(g), 2)),
        ("these are the patterns of one layer: find selects those of all.", lambda g: _patterns(g)[-1]),
        ("these are the patterns of layer 0: find selects those of all.", lambda g: _patterns(g)[0]),
        ("these are the scores, before softmax and mask.", lambda g: torch.stack(_patterns(g, "scores"), 1)),
        ("layers and heads are one axis: keep them apart.", lambda g: torch.cat(_patterns(g), 1)),
        ("the rows are averaged: keep one pattern for each row.", lambda g: torch.stack(_patterns(g), 1).mean(0)),
        ("this is the first row alone.", lambda g: torch.stack(_patterns(g), 1)[0]),
        ("queries and keys are exchanged: the query comes before the key, and each query's attention sums to 1.",
         lambda g: torch.stack(_patterns(g), 1).mT),
    ]  # fmt: skip
    known = [(message, plain_torch(wrong)) for message, wrong in mistakes]
    oracle = plain_torch(lambda g: torch.stack(_patterns(g), 1))
    cases = [(case,) for case in transformers(seed, 2, 3, rows=4)]
    judged(answer, seed, reference, use=use_tokens, cases=cases, oracle=oracle, mistakes=known, tolerance=CLOSE)
