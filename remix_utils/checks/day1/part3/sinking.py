"""An index to the bottom of a graph: d1.3.10 (sink)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.random_graphs import Draw
from remix_utils.checks.day1.rewriting import indexed, judged, outcome, rewritten
from remix_utils.checks.exercise import Wrong, exercise
from remix_utils.graph.indexing import is_whole
from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.graph.walk import children_first


def tower(seed, blocks):
    """A stream of blocks with skips, [6, 3]; positions mix in none of them."""
    draw = Draw(seed)
    stream = placeholder("x", (6, 3), torch.float64)
    for block in range(blocks):
        weight = array(draw.tensor(3, 3) / 4, f"w{block}")
        inside = apply("relu", einsum("s d, d e -> s e", stream, weight, name=f"read{block}"), name=f"block{block}")
        stream = add(stream, inside, name=f"stream{block}")
    return stream


def indexed_towers(seed):
    """A sum, a stop at softmax's own axis, a way past softmax, and two towers with skips."""
    draw = Draw(seed)
    mixed = apply("softmax", einsum("s d -> d s", tower(seed, 1), name="turned"), name="pattern")
    past = apply("softmax", add(tower(seed + 1, 1), draw.array(3), name="biased"), name="pattern")
    return indexed(
        seed,
        (add(draw.x(4, 3), draw.array(3), weights=[2, -1], name="sum"), (2,)),
        (einsum("d s, d e -> e s", mixed, draw.array(3, 2), name="out"), (slice(0, 1), 3)),
        (past, (slice(1, 3),)),
        (tower(seed, 6), (slice(5, 6),)),
        (tower(seed, 60), (draw.whole(6),)),
    )


def _as_it_was(node):
    """The oracle: the graph before."""
    return node


def _sunk(function, graph):
    if function is _as_it_was:
        return outcome(graph, graph.node)
    before = len(children_first(graph.node))
    if before > 100:  # where twice as much in every block would never end, say so on a small one
        _sunk(function, *indexed(0, (tower(0, 6), (slice(5, 6),)))[0])
    result = rewritten(function, graph)
    order = children_first(result)
    if len(order) > 10 * before:
        raise Wrong(
            f"a graph of {before} nodes has become one of {len(order):,}: what two readers want of one child is worked "
            "out twice, and twice again in every block. Remember each (child, index) that was pushed."
        )
    stuck = [node.children[0] for node in order if node.op.kind == "index" and _movable(node)]
    if stuck:
        raise Wrong(
            f"an index could still move: it stands on {stuck[0].name!r}, which is an {stuck[0].op.kind}. "
            "Push what has been pushed, until it stands on an input or is refused."
        )
    widths = {node.shape[-1:] for node in children_first(graph.node) if _mixes(node)}
    if any(_mixes(node) and node.shape[-1:] not in widths for node in order):
        raise Wrong("the index has passed softmax's own axis: what push_apply refuses must stay where it is.")
    return outcome(graph, result)


def _mixes(node):
    return node.op.kind == "apply" and node.op.function == "softmax"


def _movable(node):
    """Whether the index could move further down."""
    (child,) = node.children
    if _mixes(child):
        return is_whole(node.op.entries[-1:], child.shape[-1:])
    return child.op.kind in ("add", "einsum", "array", "apply")


@exercise("d1.3.10")
def _(answer, seed, reference):
    judged(answer, seed, reference, use=_sunk, cases=indexed_towers(seed), oracle=_as_it_was, mistakes=[])
