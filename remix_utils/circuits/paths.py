"""Paths: with attention held fixed a transformer without MLPs is a sum over chains of heads."""

from __future__ import annotations

from remix_utils.circuits.network import Head, by_head, head_of
from remix_utils.circuits.stream import NORMS, split_heads
from remix_utils.errors import MatchError
from remix_utils.graph.expand import expand_paths
from remix_utils.graph.layernorm import expand_layernorm
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply
from remix_utils.graph.ops import add, einsum, index
from remix_utils.graph.select import find, find_one

Path = tuple[str | Head, ...]


def path_expansion(graph: Node, which: object = "logits", most: int = 10_000) -> dict[Path, Node]:
    """A node as the sum over the paths that lead to it, patterns and norm scales held at their values.

    A path is where it starts and the heads it passes: `("embed",)` is the direct path, `("embed", (0, 3), (1, 4))` a
    virtual attention head. Biases are starts of their own, and so are MLPs, which are not linear. Their sum equals the
    node (Elhage et al. 2021).

    >>> from remix_utils.models.transformer import untrained
    >>> graph = untrained(n_layers=2, n_heads=2, d_model=8, n_ctx=16, d_vocab=5, positions="shortformer").graph(seq=6)
    >>> paths = path_expansion(graph)
    >>> [path for path in paths if path[0] == "embed"][:4]
    [('embed',), ('embed', (0, 0)), ('embed', (0, 1)), ('embed', (1, 0))]

    Raises MatchError unless one node is selected, RewriteError when there is nothing to expand or more than `most`
    paths: they multiply with every layer.
    """
    target = find_one(split_heads(graph), which)
    if find(target, _is_norm, missing="ok"):
        target = expand_layernorm(target, _is_norm)
    expanded = expand_paths(target, target, most=most)
    groups: dict[Path, list[tuple[Node, float]]] = {}
    for term, weight in zip(expanded.children, expanded.op.weights, strict=True):  # type: ignore[attr-defined]
        groups.setdefault(_path(term.name), []).append((term, weight))
    return {
        path: add(*[term for term, _ in terms], weights=[weight for _, weight in terms], name=_title(path))
        for path, terms in groups.items()
    }


def virtual_pattern(graph: Node, *heads: Head) -> Node:
    """The attention pattern [query, key] of a virtual attention head: those of its heads, one after the other.

    >>> from remix_utils.models.transformer import untrained
    >>> graph = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20).graph(seq=6)
    >>> virtual_pattern(graph, (0, 3), (1, 2))
    Einsum 'pattern 0.3 1.2' [6, 6]

    Raises MatchError for a head that is not in the graph.
    """
    whole = pattern_of(graph, heads[0])
    for head in heads[1:]:
        whole = einsum("query middle, middle key -> query key", pattern_of(graph, head), whole)
    return whole.named("pattern " + " ".join(f"{layer}.{head}" for layer, head in heads))


def pattern_of(graph: Node, head: Head) -> Node:
    """One head's attention pattern [query, key]."""
    layer, number = head
    found = by_head(graph, "pattern")
    if (layer, (number,)) in found:
        return found[layer, (number,)]
    if (layer, None) in found and 0 <= number < found[layer, None].shape[0]:
        return index(found[layer, None], number)
    raise MatchError(f"No attention pattern of head {layer}.{number}.", fix="name a head of the graph.", head=head)


def _path(name: str) -> Path:
    """From a term's name, which lists the nodes on the way from the end to the start."""
    *way, start = name.split(" < ")
    start = start.removesuffix(".broadcast")  # a bias, written out to the shape of its sum
    return (start, *(head for step in reversed(way) if (head := head_of(step)) is not None))


def _title(path: Path) -> str:
    return " > ".join(step if isinstance(step, str) else f"{step[0]}.{step[1]}" for step in path)


def _is_norm(node: Node) -> bool:
    return isinstance(node.op, Apply) and node.op.function in NORMS
