"""Editing a graph: along paths, by replacement, and by splitting a node into parts; the original stays as it was."""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence

import torch

from remix_utils.errors import MatchError, NodeError, RewriteError, kind_of, nearest
from remix_utils.graph import indexing
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.narrow import sink
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, concat, index
from remix_utils.graph.select import find, no_match, require_names, states
from remix_utils.graph.selector import Match, selector
from remix_utils.graph.walk import checked, children_first, substitute

Parts = Iterable[int | Iterable[int]]  # each an entry of the axis, or several that stay together
Groups = list[list[int]]

SYNONYMS = {"head": ("heads", "h"), "position": ("pos", "seq", "query", "q", "s")}


def update(graph: Node, which: object, function: Callable[[Node], Node]) -> Node:
    """Put `function(node)` in the place of each selected node, along the selected paths only.

    Other uses of a shared node stay as they were; what lies above is built again; where selected nodes lie below each
    other, the lower ones are updated first.

    >>> from remix_utils import add, apply, array, at
    >>> x = array([1.0], "x")
    >>> graph = add(apply("relu", x), x, name="sum")
    >>> [child.name for child in update(graph, at(op="add").child(1), lambda node: array([2.0], "y")).children]
    ['relu', 'y']

    Raises MatchError when nothing is selected, NodeError when the function returns no node.
    """
    chosen = selector(which)
    if isinstance(chosen, Match):
        return _update_nodes(graph, find(graph, chosen), function)
    require_names(graph, chosen)
    arrived = states(graph, chosen)
    if not any(chosen.accepts(state) for each in arrived.values() for state in each):
        raise no_match(graph, which)
    done: dict[tuple[Node, Hashable], Node] = {}
    built: dict[tuple[Node, tuple[Node, ...]], Node] = {}
    updated: dict[Node, Node] = {}
    for node in children_first(graph):
        for state, steps in arrived[node].items() if node in arrived else ():
            children = tuple(done.get(step, step[0]) for step in steps)
            if (new := built.get((node, children))) is None:
                new = built[node, children] = node.with_children(children)
            if chosen.accepts(state):
                if new not in updated:
                    updated[new] = checked(function(new), node)
                new = updated[new]
            done[node, state] = new
    return done[graph, chosen.start(graph)]


def _update_nodes(graph: Node, hits: Sequence[Node], function: Callable[[Node], Node]) -> Node:
    """Every use of some nodes: only what stands above them is built again."""
    chosen = set(hits)
    done: dict[Node, Node] = {}
    for node in children_first(graph):
        if node in chosen or not done.keys().isdisjoint(node.children):
            new = node.with_children([done.get(child, child) for child in node.children])
            done[node] = checked(function(new), node) if node in chosen else new
    return done[graph]


def replace(graph: Node, new: Mapping[Node, Node]) -> Node:
    """Put nodes in the place of others, all at once: new parts keep what they were built from.

    >>> from remix_utils import add, array
    >>> x, y = array([1.0], "x"), array([2.0], "y")
    >>> replace(add(x, y), {x: add(x, x, name="2x")}).children[0].children[0] is x
    True

    Raises MatchError for an old node that is not in the graph, NodeError for keys or values that are not nodes.
    """
    for node in (*new.keys(), *new.values()):
        if type(node) is not Node:
            raise NodeError(f"replace was given {kind_of(node)}.", fix="map nodes to nodes.", given=type(node).__name__)
    order = children_first(graph)
    for node in new.keys() - set(order):
        raise MatchError(
            f"{node!r} is not in the graph below {graph.name!r}; {nearest(node.name, [n.name for n in order])}.",
            fix="take the old one from find(graph, ...): nodes are found by identity.",
            place=node.place,
            graph=graph.place,
        )
    return substitute([graph], new)[0]


def split(graph: Node, which: object, axis: str | int, parts: Parts | None = None) -> Node:
    """Split the selected nodes along an axis: a sum over an axis becomes an add of its parts, others a concat.

    So does an add with one term that sums over the axis: a product and its bias, which stays a term of its own.

    `axis` is a word of the einsum (`"head"`), `"position"` (the axis of positions, else the first one) or a number;
    `parts` groups its entries, as in `[0, [1, 2]]`, each alone if nothing is said. Indices sink as far as they go, so
    that a head's own queries, keys and values are nodes: `blocks.1.attn_out` splits into `blocks.1.attn.head.5.out` and
    so on.

    >>> from remix_utils import array, einsum
    >>> z, w = array([[1.0], [2.0]], "z"), array([[3.0], [4.0]], "w")
    >>> graph = split(einsum("head d, head d ->", z, w, name="attn_out"), "attn_out", "head")
    >>> [node.name for node in graph.children]
    ['attn.head.0.out', 'attn.head.1.out']

    Raises RewriteError for a node without that axis, or parts that do not cover it once; MatchError for no node.
    """
    groups = None if parts is None else _read_parts(parts)
    return update(graph, which, lambda node: _split_node(node, axis, groups))


def _split_node(node: Node, axis: str | int, parts: Groups | None) -> Node:
    axis = _word(node, axis)
    if _sums_over(node, axis):
        return _split_sum(node, str(axis), parts)
    if isinstance(node.op, Add) and sum(_sums_over(child, axis) for child in node.children) == 1:
        return _split_term(node, str(axis), parts)
    place = _axis_of(node, axis)
    groups = _groups(node, axis, node.shape[place], parts)
    pieces = []
    for group in groups:
        at = tuple(slice(None) if a != place else _entry(group, keep=True) for a in range(len(node.shape)))
        entries = indexing.read(at, node.shape, node.place)
        pieces.append(sink(node, entries, _namer(node, str(axis), group)))
    return _ordered(concat(pieces, place, name=node.name), groups, place)


def _word(node: Node, axis: str | int) -> str | int:
    """An einsum's own word for heads or positions, where it has one, or that over which a term of an add sums."""
    terms = node.children if isinstance(node.op, Add) else (node,)
    words = {word for each in terms if isinstance(each.op, Einsum) for part in each.op.parsed.inputs for word in part}
    if isinstance(node.op, Add):
        words = {word for word in words if any(_sums_over(each, word) for each in terms)}
    return next((word for word in (axis, *SYNONYMS.get(axis, ())) if word in words), axis)  # type: ignore[arg-type]


def _sums_over(node: Node, axis: str | int) -> bool:
    pattern = node.op.parsed if isinstance(node.op, Einsum) else None
    return pattern is not None and axis not in pattern.output and any(axis in words for words in pattern.inputs)


def _split_term(node: Node, word: str, parts: Groups | None) -> Node:
    terms: list[tuple[Node, float]] = []
    for child, weight in zip(node.children, node.op.weights, strict=True):  # type: ignore[attr-defined]
        pieces = _split_sum(child.named(node.name), word, parts).children if _sums_over(child, word) else (child,)
        terms.extend((piece, weight) for piece in pieces)
    return add(*[term for term, _ in terms], weights=[weight for _, weight in terms], name=node.name)


def _split_sum(node: Node, word: str, parts: Groups | None) -> Node:
    pattern = node.op.parsed  # type: ignore[attr-defined]
    sizes = [
        c.shape[words.index(word)] for words, c in zip(pattern.inputs, node.children, strict=True) if word in words
    ]
    pieces = []
    for group in _groups(node, word, sizes[0], parts):
        entry, name = _entry(group), _namer(node, word, group)
        children = []
        for words, child in zip(pattern.inputs, node.children, strict=True):
            at = tuple(entry if w == word else slice(None) for w in words)
            children.append(sink(child, indexing.read(at, child.shape, node.place), name))
        piece = Einsum(pattern.without(word)) if isinstance(entry, int) else node.op
        pieces.append(Node(piece, children, name(node)))
    return add(*pieces, name=node.name)


def _axis_of(node: Node, axis: str | int) -> int:
    rank = len(node.shape)
    if isinstance(axis, int) and -rank <= axis < rank:
        return axis % rank
    if isinstance(node.op, Einsum) and axis in node.op.parsed.output:
        return node.op.parsed.output.index(axis)  # type: ignore[arg-type]
    if axis == "position" and rank:
        return 0
    known = sorted({w for ws in node.op.parsed.inputs for w in ws}) if isinstance(node.op, Einsum) else [*range(rank)]
    raise RewriteError(
        f"{node!r} has no axis {axis!r}; it has {known}.",
        fix="name an axis of the einsum, or give its number.",
        place=node.place,
        axis=axis,
    )


def _groups(node: Node, axis: object, size: int, parts: Groups | None) -> Groups:
    groups = [[i] for i in range(size)] if parts is None else parts
    if sorted(i for group in groups for i in group) != list(range(size)) or not all(groups):
        raise RewriteError(
            f"{node.place}: parts {groups} do not cover the {size} entries of axis {axis!r} once each.",
            fix=f"divide 0 to {size - 1} among the parts.",
            place=node.place,
            parts=groups,
            size=size,
        )
    return groups


def _read_parts(parts: Parts) -> Groups:
    """Parts as lists of entries, where an entry by itself is a part of one."""
    groups = []
    for part in _each(parts, parts):
        entry = _whole(part)
        group = [entry] if entry is not None else [_whole(each) for each in _each(part, parts)]
        if None in group:
            raise _no_parts(parts)
        groups.append(group)
    return groups  # type: ignore[return-value]


def _each(several: object, parts: object) -> list:
    if not isinstance(several, Iterable) or getattr(several, "ndim", 1) == 0:
        raise _no_parts(parts)
    return list(several)


def _whole(entry: object) -> int | None:
    """A plain whole number, or None for anything else: a truth value is no entry."""
    if isinstance(entry, bool) or getattr(entry, "dtype", None) == torch.bool:
        return None
    try:
        return operator.index(entry)  # type: ignore[arg-type]
    except TypeError:
        return None


def _no_parts(parts: object) -> RewriteError:
    return RewriteError(
        f"split: parts={parts!r} are not whole numbers or lists of them.",
        fix="divide the entries of the axis into parts, as in parts=[0, [1, 2]].",
        parts=parts,
    )


def _entry(group: list[int], keep: bool = False) -> int | slice | list[int]:
    if len(group) == 1 and not keep:
        return group[0]
    consecutive = group == list(range(group[0], group[-1] + 1))
    return slice(group[0], group[-1] + 1) if consecutive else group


def _ordered(joined: Node, groups: list[list[int]], axis: int) -> Node:
    """The concat with its entries back in their old order."""
    order = [i for group in groups for i in group]
    if order == sorted(order):
        return joined
    back = sorted(range(len(order)), key=order.__getitem__)
    return index(joined, (*[slice(None)] * axis, back), name=joined.name)


def _namer(node: Node, axis: str, group: list[int]) -> Callable[[Node], str | None]:
    """Names for a part: `stem.head.5.q` for what stood at `stem.q`, `.out` for what stood at `stem_out`."""
    stem = node.name.removesuffix("_out")
    part = f"{stem}.{axis}.{'-'.join(map(str, group))}"

    def name(each: Node) -> str | None:
        if each is node:
            return f"{part}.out" if stem != node.name else part
        return part + each.name.removeprefix(stem) if each.name.startswith(stem + ".") else None

    return name
