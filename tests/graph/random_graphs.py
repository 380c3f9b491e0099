"""Random graphs in float64 that use every operation, and their values by plain torch, one example at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import torch
from hypothesis import strategies as st

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.walk import children_first
from tests.graph.formulas import FORMULAS

SIZES = (1, 2, 3)  # small, and equal to the numbers of rows, so that a batch axis taken for another would be noticed
NAMES = ("a", "b", "attn.q", "attn_out", "resid")  # few, so that names occur twice
WORDS = ("seq", "d", "head", "key", "e")
ROWS = 3
STEPS = ("einsum", "add", "index", "concat", "apply")
MORE_CHILDREN = {"softmax": 0, "log_softmax": 0, "layernorm_scale": 0, "layernorm": 2, "rmsnorm": 1}
FUNCTIONS = sorted(set(FORMULAS) - {"masked_softmax", "positions", "rotary", "rotary_angles"})  # these need masks

# ---------------------------------------------------------------- values, without the engine


def plain_einsum(pattern: str, values: list[torch.Tensor]) -> torch.Tensor:
    """Every operand stretched over every axis word, multiplied, and summed over the words that do not come out."""
    left, right = pattern.split("->")
    inputs, output = [part.split() for part in left.split(",")], right.split()
    words = list(dict.fromkeys([*output, *(word for part in inputs for word in part)]))
    product = torch.ones((), dtype=values[0].dtype)
    for part, value in zip(inputs, values, strict=True):
        for word in [word for word, count in Counter(part).items() if count > 1]:
            while part.count(word) > 1:  # a diagonal, which torch puts last
                first, second = [axis for axis, each in enumerate(part) if each == word][:2]
                value = value.diagonal(dim1=first, dim2=second)
                part = [each for axis, each in enumerate(part) if axis not in (first, second)] + [word]
        order = sorted(range(len(part)), key=lambda axis, part=part: words.index(part[axis]))
        sizes = dict(zip(part, value.shape, strict=True))
        product = product * value.permute(order).reshape([sizes.get(word, 1) for word in words])
    return product.sum(tuple(range(len(output), len(words)))) if len(words) > len(output) else product


def plain_index(value: torch.Tensor, at: tuple) -> torch.Tensor:
    """The last axis first, so that those before it keep their number."""
    for axis in reversed(range(len(at))):
        rows = torch.arange(value.shape[axis])
        if isinstance(at[axis], int):
            value = value.select(axis, at[axis])
        else:
            chosen = rows[at[axis]] if isinstance(at[axis], torch.Tensor) else rows.tolist()[at[axis]]
            value = value.index_select(axis, torch.as_tensor(chosen, dtype=torch.long))
    return value


def varies(node: Node, inputs: Mapping[str, torch.Tensor]) -> bool:
    """Whether a batched input lies below."""
    return any(
        each.op.rows is not None or inputs[each.op.input].ndim > len(each.shape)
        for each in children_first(node)
        if each.op.kind == "placeholder"
    )


def plain(root: Node, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The value of a node by recursion, each row for itself: no batch axes, no chunks, no rewriting."""
    known: dict[tuple[Node, int], torch.Tensor] = {}

    def value(node: Node, row: int) -> torch.Tensor:
        if (node, row) not in known:
            known[node, row] = compute(node, row)
        return known[node, row]

    def compute(node: Node, row: int) -> torch.Tensor:
        op = node.op
        if op.kind == "placeholder":
            tensor = inputs[op.input] if op.rows is None else op.rows.tensor
            return tensor[row] if tensor.ndim > len(node.shape) else tensor
        if op.kind == "sample":
            return value(node.children[0], int(op.rows.tensor[row]))
        values = [value(child, row) for child in node.children]
        if op.kind == "array":
            return op.value
        if op.kind == "einsum":
            return plain_einsum(op.pattern, values)
        if op.kind == "add":
            return sum(each * weight for each, weight in zip(values, op.weights, strict=True))
        if op.kind == "index":
            return plain_index(values[0], op.at)
        if op.kind == "concat":
            return torch.cat(values, op.axis)
        return FORMULAS.get(op.function, op.entry.run)(*values)

    if not varies(root, inputs):
        return value(root, 0)
    return torch.stack([value(root, row) for row in range(ROWS if root.space < 0 else root.space)])


# ---------------------------------------------------------------- graphs


class Sketch:
    """Nodes drawn one after another, each from those before it."""

    def __init__(self, draw: st.DrawFn):
        self.draw = draw
        self.count = 0
        self.sampled = False
        self.pool = [self.placeholder() for _ in range(2)] + [self.array(self.shape())]

    def one_of(self, *choices):
        return self.draw(st.sampled_from(choices))

    def whole(self, most: int) -> int:
        return self.draw(st.integers(0, most - 1))

    def shape(self, rank: int | None = None) -> tuple[int, ...]:
        return tuple(self.one_of(*SIZES) for _ in range(self.whole(4) if rank is None else rank))

    def name(self) -> str:
        return self.one_of(*NAMES)

    def fresh(self) -> str:
        self.count += 1
        return f"x{self.count}"

    def tensor(self, shape: tuple[int, ...]) -> torch.Tensor:
        return torch.randn(shape, generator=torch.Generator().manual_seed(self.whole(50)), dtype=torch.float64)

    def old(self, fits=lambda node: True) -> Node:
        """A node that is there already, the later the likelier; an array if none fits."""
        fitting = [node for node in self.pool if fits(node)]
        if not fitting:
            return self.array(next(shape for shape in ((2, 3), (3,), ()) if fits(array(torch.zeros(shape)))))
        return fitting[-1 - self.whole(min(len(fitting), 5))]

    def placeholder(self) -> Node:
        return placeholder(self.fresh(), self.shape(), torch.float64)

    def array(self, shape: tuple[int, ...]) -> Node:
        return array(self.tensor(shape), self.name())

    def einsum(self) -> Node:
        nodes, sizes, groups = [], {}, []
        for _ in range(1 + self.whole(3)):
            node = self.old()
            groups.append([self.word(size, sizes) for size in node.shape])
            nodes.append(node)
        output = [word for word in sizes if self.whole(3)][:3]
        output = self.draw(st.permutations(output))
        return einsum(f"{', '.join(map(' '.join, groups))} -> {' '.join(output)}", *nodes, name=self.name())

    def word(self, size: int, sizes: dict[str, int]) -> str:
        """An axis word of that size: an old one (perhaps of the same operand: a diagonal), or a new one."""
        old = [word for word, known in sizes.items() if known == size]
        new = [word for word in (*WORDS, *(f"w{i}" for i in range(9))) if word not in sizes][:1]
        word = self.one_of(*old, *new)
        sizes[word] = size
        return word

    def add(self) -> Node:
        first = self.old()
        nodes = [first, *(self.old(lambda node: broadcasts(node.shape, first.shape)) for _ in range(self.whole(3)))]
        nodes = [node if broadcasts(node.shape, first.shape) else first for node in nodes]
        weights = [self.one_of(1.0, -1.0, 0.5, 0.0, 2.0) for _ in nodes] if self.whole(2) else None
        try:
            return add(*nodes, weights=weights, name=self.name())
        except ValueError:  # each goes with the first one, but not with each other
            return add(first, first, name=self.name())

    def index(self) -> Node:
        node = self.old(lambda node: node.shape != ())
        entries = tuple(self.entry(size) for size in node.shape[: 1 + self.whole(len(node.shape))])
        return index(node, entries, name=self.name())

    def entry(self, size: int) -> object:
        kind = self.one_of("int", "slice", "picks", "all")
        if kind == "int":
            return self.whole(2 * size) - size
        if kind == "picks":
            return torch.tensor([self.whole(2 * size) - size for _ in range(1 + self.whole(3))])
        if kind == "all":
            return slice(None)
        start = self.whole(size)
        return slice(start, None, 1 + self.whole(2)) if self.whole(2) else slice(start, None, -1)

    def concat(self) -> Node:
        first = self.old(lambda node: node.shape != ())
        axis = self.whole(len(first.shape))

        def fits(node: Node) -> bool:
            same = len(node.shape) == len(first.shape)
            return same and all(a == b for i, (a, b) in enumerate(zip(node.shape, first.shape)) if i != axis)  # noqa: B905

        others = [node for node in self.pool if fits(node)] or [first]
        nodes = [first, *(self.one_of(*others) for _ in range(self.whole(2)))]
        return concat(nodes, self.one_of(axis, axis - len(first.shape)), name=self.name())

    def apply(self) -> Node:
        function = self.one_of(*FUNCTIONS)
        x = self.old(lambda node: node.shape != () or function not in (*MORE_CHILDREN, "pick"))
        if function == "embed":
            table = self.old(lambda node: len(node.shape) in (1, 2))
            return apply("embed", self.integers(table.shape[0]), table, name=self.name())
        if function == "pick":
            return apply("pick", x, self.integers(x.shape[-1], x.shape[:-1]), name=self.name())
        if function in MORE_CHILDREN:
            more = [self.array(x.shape[-1:]) for _ in range(MORE_CHILDREN[function])]
            return apply(function, x, *more, name=self.name())
        x = apply("tanh", x, name=self.name())  # within -1 and 1, so that powers stay small
        if function in ("log", "sqrt", "reciprocal"):
            x = add(apply("square", x), array(torch.ones(x.shape, dtype=torch.float64)), name=self.name())
        return apply(function, x, name=self.name())

    def integers(self, most: int, shape: tuple[int, ...] | None = None) -> Node:
        shape = self.shape(self.whole(3)) if shape is None else shape
        tokens = placeholder(f"{self.fresh()} below {most}", shape, torch.long)
        picks = torch.randint(most, shape, generator=torch.Generator().manual_seed(self.whole(50)))
        return array(picks, self.name()) if self.sampled else self.one_of(tokens, array(picks, self.name()))

    def sample(self, draws: int) -> Node:
        node = self.old(lambda node: node.space in (None, -1))
        return sample(node, torch.tensor([self.whole(ROWS) for _ in range(draws)]), name=self.name())


def broadcasts(left: tuple[int, ...], right: tuple[int, ...]) -> bool:
    return all(a == b or 1 in (a, b) for a, b in zip(left[::-1], right[::-1], strict=False))


@st.composite
def graphs(draw: st.DrawFn, steps: int = 8, samples: bool = False) -> Node:
    """A graph of some `steps` operations on two placeholders and an array; with `samples`, resampled on the way."""
    sketch = Sketch(draw)
    for _ in range(steps // 2 if samples else steps):
        sketch.pool.append(getattr(sketch, sketch.one_of(*STEPS))())
    if samples:
        draws = sketch.one_of(2, 3, 4)
        sketch.sampled = True
        sketch.pool = [sketch.sample(draws) for _ in range(3)]
        for _ in range(steps // 2):
            sketch.pool.append(getattr(sketch, sketch.one_of(*STEPS))())
    return sketch.pool[-1]


def bindings(root: Node, rows: int = ROWS, seed: int = 0, alone: int = 0) -> dict[str, torch.Tensor]:
    """Tensors for the placeholders; the first `alone` of them without rows, the same for all."""
    generator = torch.Generator().manual_seed(seed)
    free = [node for node in children_first(root) if node.op.kind == "placeholder" and node.op.rows is None]
    inputs = {}
    for number, node in enumerate(free):
        shape = node.shape if number < alone else (rows, *node.shape)
        most = int(node.op.input.split()[-1]) if node.dtype == torch.long else 0
        tensor = torch.randint(most, shape, generator=generator) if most else torch.randn(shape, generator=generator)
        inputs[node.op.input] = tensor if most else tensor.double()
    return inputs
