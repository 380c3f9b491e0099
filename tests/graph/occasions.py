"""How each rule is called: a random graph in which it applies to the nodes named target, and its other arguments."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, concat, einsum, index, placeholder, sample
from tests.graph.random_graphs import ROWS, STEPS, Sketch

Occasion = tuple[Node, tuple]


def words(node: Node) -> list[str]:
    return [f"axis{number}" for number in range(len(node.shape))]


def varying(sketch: Sketch) -> Node:
    """A node with an axis at least, that depends on an input."""
    node = sketch.old()
    if not node.shape:
        node = einsum(", wide -> wide", node, sketch.array((2,)))
    return node if node.space == -1 else add(node, placeholder(sketch.fresh(), node.shape, torch.float64))


def summed(sketch: Sketch, name: str = "sum") -> Node:
    """A weighted sum of like terms."""
    first = varying(sketch)
    terms = [first, apply("tanh", first), sketch.array(first.shape)]
    return add(*terms, weights=[sketch.one_of(1, -2), 0.5, 3], name=name)


def thinner(sketch: Sketch, shape: tuple[int, ...]) -> Node:
    """Numbers of a shape that broadcasts: without some of the first axes, and with others of size 1."""
    own = shape[sketch.whole(len(shape) + 1) :]
    return sketch.array(tuple(sketch.one_of(1, size) for size in own))


def broadcasting(sketch: Sketch) -> Node:
    """A weighted sum in which some terms broadcast, of which some vary."""
    whole = summed(sketch)
    thin = [thinner(sketch, whole.shape) for _ in range(2)]
    row = placeholder(sketch.fresh(), thin[0].shape, torch.float64)
    terms = sketch.draw(st.permutations([*thin, row, *whole.children]))
    return add(*terms, weights=[sketch.one_of(1, -2) for _ in terms], name="sum")


def times(sketch: Sketch, node: Node, name: str) -> Node:
    """A node times a fixed matrix; some of its axes are summed over, some shared with the matrix, and one is new."""
    axes = words(node)
    sizes = {**dict(zip(axes, node.shape, strict=True)), "new": 2}
    own = [axis for axis in axes[:-1] if sketch.whole(2)] + [axes[-1], "new"]
    output = [axis for axis in sizes if sketch.whole(3)]
    matrix = sketch.array(tuple(sizes[axis] for axis in own))
    return einsum(f"{' '.join(axes)}, {' '.join(own)} -> {' '.join(output)}", node, matrix, name=name)


def layernorm(sketch: Sketch) -> Node:
    x = varying(sketch)
    return apply("layernorm", x, sketch.array(x.shape[-1:]), sketch.array(x.shape[-1:]), name="target")


def distribute(sketch: Sketch) -> Occasion:
    return times(sketch, sketch.one_of(summed, broadcasting)(sketch), "target"), ()


def expand_layernorm(sketch: Sketch) -> Occasion:
    return layernorm(sketch), ()


def expand_paths(sketch: Sketch) -> Occasion:
    x = sketch.one_of(summed, broadcasting)(sketch)
    axes = " ".join(words(x))
    linear = einsum(f"{axes}, {axes} -> {axes}", x, sketch.array(x.shape), name="linear")
    pattern = apply("softmax", x, name="attn.pattern")
    mixed = einsum(f"{axes}, {axes} -> {axes}", pattern, add(linear, x, name="resid"), name="mixed")
    return add(linear, mixed, weights=[1, -1], name="target"), ()


def flatten(sketch: Sketch) -> Occasion:
    inner = summed(sketch)
    return add(inner, inner.children[0], inner, weights=[2, -1, 0.5], name="target"), ()


def fold_layernorm(sketch: Sketch) -> Occasion:
    return times(sketch, layernorm(sketch), "reader"), ()


def lift(sketch: Sketch) -> Occasion:
    node = sample(varying(sketch), torch.tensor([sketch.whole(ROWS) for _ in range(4)]))
    sketch.sampled, sketch.pool = True, [node, sketch.array((2, 3))]
    return apply("softmax", add(node, apply("abs", node)), name="target"), ()


def project(sketch: Sketch) -> Occasion:
    node = apply("tanh", varying(sketch), name="target")
    return node, (sketch.tensor((sketch.one_of(1, 2), node.shape[-1])),)


def push_index(sketch: Sketch) -> Occasion:
    x = summed(sketch)
    below = sketch.one_of(x, apply("relu", x), concat([x, x], 0), index(x, slice(None, None, -1)))
    axes = " ".join(words(x))
    below = sketch.one_of(below, einsum(f"{axes}, {axes} -> {axes}", x, sketch.array(x.shape)))
    size = below.shape[0]
    at = sketch.whole(2 * size) - size if below.op.kind == "concat" else sketch.entry(size)
    return index(below, at, name="target"), ()


def residual(sketch: Sketch) -> Occasion:
    node = apply("tanh", varying(sketch), name="target")
    return node, (sketch.array(node.shape),)


def split(sketch: Sketch) -> Occasion:
    """Along an axis that is summed over, or one that stays, into single entries or a group in any order."""
    node = times(sketch, varying(sketch), "target")
    axis = sketch.one_of(*(word for part in node.op.parsed.inputs for word in part))
    size = next(
        size
        for part, child in zip(node.op.parsed.inputs, node.children, strict=True)
        for word, size in zip(part, child.shape, strict=True)
        if word == axis
    )
    order = sketch.draw(st.permutations(range(size)))
    return node, (axis, sketch.one_of(None, [order], [order[:1], order[1:]] if size > 1 else None))


OCCASIONS: dict[str, Callable[[Sketch], Occasion]] = {
    "distribute": distribute,
    "expand_layernorm": expand_layernorm,
    "expand_paths": expand_paths,
    "flatten": flatten,
    "fold_layernorm": fold_layernorm,
    "lift": lift,
    "project": project,
    "push_index": push_index,
    "residual": residual,
    "split": split,
}


@st.composite
def occasions(draw: st.DrawFn, rule: str, steps: int = 4) -> Occasion:
    """A graph that computes on with what the rule is applied to, and the rule's arguments after the selector."""
    sketch = Sketch(draw)
    for _ in range(steps):
        sketch.pool.append(getattr(sketch, sketch.one_of(*STEPS))())
    node, rest = OCCASIONS[rule](sketch)
    sketch.pool.append(node)
    for _ in range(2):
        sketch.pool.append(getattr(sketch, sketch.one_of(*STEPS))())
    ends = [sketch.pool[-1], node]
    return add(*(einsum(f"{' '.join(words(end))} ->", end) for end in ends), name="top"), rest
