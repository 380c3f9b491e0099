"""The residual stream at its end: who wrote to it, and how the logits are read from it."""

from __future__ import annotations

from dataclasses import dataclass

from remix_utils.circuits.network import Head, by_head, head_of
from remix_utils.errors import MatchError, ShapeError
from remix_utils.graph.broadcast import broadcast_to
from remix_utils.graph.layernorm import expand_layernorm
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Index
from remix_utils.graph.ops import add, apply, einsum, index
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find, find_one
from remix_utils.graph.selector import at
from remix_utils.graph.walk import substitute

SUMS = ("resid_pre", "resid_mid", "resid_post", "attn_out")
NORMS = ("layernorm", "rmsnorm")


def head_outputs(graph: Node) -> dict[Head, Node]:
    """What each head (layer, head) adds to the residual stream, as nodes [seq, d_model].

    >>> from remix_utils.models.transformer import untrained
    >>> head_outputs(untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20).graph(seq=6))[1, 3]
    Einsum 'blocks.1.attn.head.3.out' [6, 32]

    Raises MatchError for a graph without attention heads, or whose heads stand in groups.
    """
    found = by_head(split_heads(graph), "out").values()
    return {head: node for node in found if (head := head_of(node.name)) is not None}


def split_heads(graph: Node) -> Node:
    """The graph with each attention layer's output as the sum of its heads', where it is not so already."""

    def whole(node: Node) -> bool:
        parts = (node, *(child for child in node.children if child.name == f"{node.name}.product"))
        return node.name.endswith(".attn_out") and any(map(_sums_heads, parts))

    return split(graph, at(whole), "head") if find(graph, whole, missing="ok") else graph


def _sums_heads(node: Node) -> bool:
    pattern = node.op.parsed if isinstance(node.op, Einsum) else None
    return pattern is not None and "head" in sum(pattern.inputs, ()) and "head" not in pattern.output


def components(graph: Node) -> dict[str, Node]:
    """Everything that was added to the residual stream by its end, by name, as nodes [seq, d_model]; they sum to it.

    Those are the embedding, positions where they are added to it, every head, the biases of attention, and every MLP.

    >>> from remix_utils.models.transformer import untrained
    >>> graph = untrained(n_layers=1, n_heads=2, d_model=8, n_ctx=16, d_vocab=20).graph(seq=6)
    >>> list(components(graph))
    ['embed', 'pos_embed', 'blocks.0.attn.head.0.out', 'blocks.0.attn.head.1.out', 'blocks.0.attn.b_O']

    Raises MatchError for a graph without logits.
    """
    stream = readout(split_heads(graph)).stream
    terms: dict[str, list[tuple[Node, float]]] = {}
    stack = [(stream, 1.0)]
    while stack:
        node, weight = stack.pop()
        if isinstance(node.op, Add) and node.name.rsplit(".", 1)[-1] in SUMS:
            below = zip(node.children, node.op.weights, strict=True)
            stack.extend((child, weight * own) for child, own in reversed(list(below)))
        else:
            terms.setdefault(node.name, []).append((broadcast_to(node, stream.shape).named(node.name), weight))
    return {name: _sum(name, parts) for name, parts in terms.items()}


def _sum(name: str, parts: list[tuple[Node, float]]) -> Node:
    if len(parts) == 1 and parts[0][1] == 1:
        return parts[0][0]
    return add(*[node for node, _ in parts], weights=[weight for _, weight in parts], name=name)


@dataclass(frozen=True)
class Readout:
    """How a graph reads its logits: the residual stream at its end, the norm, the matrix, the bias."""

    logits: Node
    product: Node  # the einsum of the normalised stream and W_U
    bias: Node | None
    norm: Node | None
    stream: Node
    position: int | None  # where a classifier reads

    def directions(self, tokens: Node) -> Node:
        """For each token the direction [..., d_model] along which the stream, over its scale, raises its logit."""
        rows = self.unembedding(tokens)
        if self.norm is None:
            return rows
        lead = "token " * len(tokens.shape)
        rows = einsum(f"{lead}d_model, d_model -> {lead}d_model", rows, self.norm.children[1], name="W_U.weighted")
        centring = find(expand_layernorm(self.norm, self.norm), "*.centring", missing="ok")
        if centring:
            rows = einsum(f"{lead}d_model, d_model to -> {lead}to", rows, centring[0], name="W_U.folded")
        return rows

    def offsets(self, tokens: Node) -> list[Node]:
        """What is added to each token's logit whatever the stream is: the biases of the norm and of the unembedding."""
        found = []
        if self.norm is not None and self.norm.op.function == "layernorm":  # type: ignore[attr-defined]
            lead = "token " * len(tokens.shape)
            rows = self.unembedding(tokens)
            found.append(einsum(f"{lead}d_model, d_model -> {lead}", rows, self.norm.children[2], name="ln_final.b"))
        return [*found, apply("embed", tokens, self.bias, name="b_U")] if self.bias is not None else found

    def inverse(self) -> Node | None:
        """One over the scale that the norm divides by, [seq, 1]."""
        return find_one(expand_layernorm(self.norm, self.norm), "*.inverse") if self.norm is not None else None

    def unembedding(self, tokens: Node) -> Node:
        """For each token the row of W_U that the normalised stream is multiplied by, [..., d_model]."""
        table, words = self.product.children[1], self.product.op.parsed.inputs[1]  # type: ignore[attr-defined]
        if words[1] != "d_model":
            table = einsum("d_model token -> token d_model", table, name=table.name)
        return apply("embed", tokens, table, name="W_U")


def readout(graph: Node) -> Readout:
    """How a graph reads its logits; MatchError if it has none."""
    logits = find(graph, "logits")[0]
    product = next((node for node in (logits, *logits.children) if isinstance(node.op, Einsum)), None)
    if product is None:
        raise MatchError(
            f"{logits!r} is not read from a residual stream.", fix="give a transformer's graph.", place=logits.place
        )
    bias = next((node for node in logits.children if isinstance(logits.op, Add) and node is not product), None)
    x = product.children[0]
    entry = x.op.entries[0] if isinstance(x.op, Index) and len(product.shape) == 1 else None
    position = entry if isinstance(entry, int) else None
    x = x if position is None else x.children[0]
    norm = x if isinstance(x.op, Apply) and x.op.function in NORMS else None
    return Readout(logits, product, bias, norm, norm.children[0] if norm else x, position)


def direct_logits(graph: Node, node: Node) -> Node:
    """What a node [seq, d_model] adds to the logits directly, as a node like them, with the last norm's scale held.

    Over all `components` these sum to the logits, but for the biases of the norm and of the unembedding.

    >>> from remix_utils.models.transformer import untrained
    >>> graph = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20).graph(seq=6)
    >>> direct_logits(graph, head_outputs(graph)[1, 3])
    Einsum 'blocks.1.attn.head.3.out.logits' [6, 20]

    Raises MatchError for a graph without logits, ShapeError for a node of another shape than the stream's.
    """
    read = readout(graph)
    if (node.shape, node.dtype) != (read.stream.shape, read.stream.dtype):
        raise ShapeError(
            f"{node!r} is not like {read.stream!r}.",
            fix="give a node that is added to the stream.",
            left=node.shape,
            right=read.stream.shape,
        )
    x = node
    if read.norm is not None:
        linear = expand_layernorm(read.norm, read.norm)
        linear = linear.children[0] if isinstance(linear.op, Add) else linear  # without the bias
        inverse = find_one(linear, "*.inverse")
        x = substitute([linear], {read.stream: node, inverse: inverse})[0]
    x = x if read.position is None else index(x, read.position)
    return read.product.with_children([x, read.product.children[1]]).named(f"{node.name}.logits")
