"""With attention held fixed: every path a term (d1.4.5), and two heads in a row one head (d1.4.6)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

import torch

from remix_utils.checks.day1.random_graphs import Draw
from remix_utils.checks.day1.rewriting import Graph, judged, outcome, rewritten, terms, values, weighed
from remix_utils.checks.day1.transformer_cases import CLOSE, said, transformers
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.equality import random_inputs
from remix_utils.graph.node import Node
from remix_utils.graph.ops import einsum

# --- d1.4.5 -----------------------------------------------------------------------------------------------------------


def _read(norm, x, stream):
    """A layernorm of part of a stream: centred, over the scale of the whole, weighed; without the bias."""
    scale = (stream.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    return (x - x.mean(-1, keepdim=True)) / scale * norm.w


def _through(case, seen, layer, head, x):
    """What a head makes of a part of the stream that it reads, its pattern held."""
    block = case.network.blocks[layer]
    value = _read(block.ln1, x, seen[f"blocks.{layer}.resid_pre"]) @ block.attn.W_V[head]
    return seen[f"blocks.{layer}.attn.pattern"][:, head] @ value @ block.attn.W_O[head]


def path_values(case):
    """What every path from the embedding adds to the logits, by the heads that it passes."""
    seen, network = case.watched(), case.network
    heads = list(itertools.product(range(len(network.blocks)), range(network.config.n_heads)))
    found = {(): seen["embed"]}
    for layer, head in heads:
        below = {way: x for way, x in found.items() if not way or way[-1][0] < layer}
        found |= {(*way, (layer, head)): _through(case, seen, layer, head, x) for way, x in below.items()}
    stream = seen[f"blocks.{len(network.blocks) - 1}.resid_post"]
    return {way: network.unembed(_read(network.ln_final, x, stream)) for way, x in found.items()}


def _has(parts, value):
    return any(torch.allclose(part, value, rtol=1e-3, atol=1e-3) for part in parts)


def _title(way):
    return " > ".join(["embed", *(f"{layer}.{head}" for layer, head in way), "logits"])


def _require_paths(case, parts):
    """Every path from the embedding is a term; what is missing says which step was left out."""
    wanted = path_values(case)
    missing = [way for way, value in wanted.items() if not _has(parts, value)]
    if not missing:
        return
    sums = [way for way in missing if len(way) == 1 and _has(parts, _both_heads(wanted, way))]
    if () in missing:
        raise Wrong(
            "the embedding's own path to the logits is no term: ln_final is still whole, or its scale is not held. "
            "Open it with RULES['expand_layernorm']."
        )
    if sums:
        raise Wrong("a term is a whole layer, and not one head: split attn_out into heads first.")
    raise Wrong(
        f"the path {_title(missing[0])} is no term: what the heads read has not been expanded. Open every ln1, and "
        "give all terms of a sum its whole shape, or a path stops where a bias is added."
    )


def _both_heads(wanted, way):
    layer = way[0][0]
    return sum(value for other, value in wanted.items() if len(other) == 1 and other[0][0] == layer)


def _as_it_was(graph):
    """The oracle: the graph before."""
    return graph


def use_expansion(function, graph):
    if function is _as_it_was:
        return outcome(graph, graph.node)
    result = rewritten(function, graph)
    if result.op.kind != "add":
        raise Wrong(f"the result is an {result.op.kind}, expected an add: one term for each path.")
    found = outcome(graph, result)
    parts = weighed(graph, terms(result))
    if not torch.allclose(torch.stack(parts).sum(0), values(graph, graph.node)[0], atol=CLOSE, rtol=CLOSE):
        return found
    _require_paths(graph, parts)
    return found


@exercise("d1.4.5")
def _(answer, seed, reference):
    cases = [(case,) for case in transformers(seed, 2, 1)]
    judged(answer, seed, reference, use=use_expansion, cases=cases, oracle=_as_it_was, mistakes=[], tolerance=CLOSE)


# --- d1.4.6 -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heads(Graph):
    """Two heads in a row on a random stream: what the second writes of what the first has written."""

    stream: Node = field(kw_only=True)
    first: tuple[Node, Node] = field(kw_only=True)
    second: tuple[Node, Node] = field(kw_only=True)

    @property
    def __name__(self) -> str:
        return f"two random heads in a row, {self.stream.shape[0]} positions, d_model {self.stream.shape[1]}"


def two_heads(seed):
    """A stream, and pairs (pattern, OV) in which every matrix is another one."""
    cases = []
    for seq, width in ((4, 3), (3, 5), (4, 4)):
        draw = Draw(seed + seq * width)
        stream = draw.x(seq, width)
        first, second = ((draw.x(seq, seq), draw.array(width, width)) for _ in range(2))
        after_one = einsum("query key, key from, from to -> query to", first[0], stream, first[1])
        whole = einsum("query key, key from, from to -> query to", second[0], after_one, second[1], name="two heads")
        inputs = random_inputs([whole], seed)
        cases.append((Heads(whole, inputs, stream=stream, first=first, second=second),))
    return cases


def use_heads(function, graph):
    made = function(graph.first, graph.second)
    if not isinstance(made, tuple | list) or [type(node) for node in made] != [Node, Node]:
        raise Wrong("expected two nodes: the pattern [query, key] and the OV circuit [d_model, d_model].")
    pattern, ov = made
    seq, width = graph.stream.shape
    square = [list(node.shape) for node in made]
    if square != [[seq] * 2, [width] * 2]:
        wanted = f"{[seq] * 2} for the pattern and {[width] * 2} for OV"
        raise Wrong(f"the shapes are {square[0]} and {square[1]}, expected {wanted}.")
    one = einsum("query key, key from, from to -> query to", pattern, graph.stream, ov, name="one head")
    return said(graph, one)


def _virtual(pattern, ov):
    return lambda first, second: (einsum(pattern, second[0], first[0]), einsum(ov, first[1], second[1]))


RIGHT = "query middle, middle key -> query key", "from middle, middle to -> from to"
ORDER = (
    "the second head looks from the query to a position in the middle, and the first from there to the key. "
    "Write the pattern with the words query, middle and key."
)


@exercise("d1.4.6")
def _(answer, seed, reference):
    mistakes = [
        (f"the patterns are in the wrong order: {ORDER}", _virtual("m k, q m -> q k", RIGHT[1])),
        ("the OV circuits are in the wrong order: what is read passes the first head's first.",
         _virtual(RIGHT[0], "m t, f m -> f t")),
        (f"both products are in the wrong order: {ORDER}", _virtual("m k, q m -> q k", "m t, f m -> f t")),
        ("the patterns are multiplied entry by entry: attending in two steps is a product of matrices.",
         _virtual("q k, q k -> q k", RIGHT[1])),
        ("the OV circuits are multiplied entry by entry: one map after the other is a product of matrices.",
         _virtual(RIGHT[0], "f t, f t -> f t")),
        ("the pattern is transposed: its rows are queries.", _virtual("q m, m k -> k q", RIGHT[1])),
        ("this is the second head alone.", lambda first, second: second),
        ("this is the first head alone.", lambda first, second: first),
    ]  # fmt: skip
    cases = two_heads(seed)
    judged(answer, seed, reference, use=use_heads, cases=cases, oracle=_virtual(*RIGHT), mistakes=mistakes)
