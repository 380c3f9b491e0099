"""Text for people: anything here as a tree or a line, that a notebook also displays."""

from __future__ import annotations

from html import escape

from remix_utils.errors import counted
from remix_utils.graph import indexing
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Concat, Index, Sample
from remix_utils.graph.walk import children_first


class Text(str):
    """A text that a notebook shows as it is."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        return f'<pre style="line-height: 1.3">{escape(self)}</pre>'

    def __repr__(self) -> str:
        return str(self)


def show(what: object, depth: int | None = None, most: int = 200) -> Text:
    """A node as a tree, its children below it, each node written out once; anything else as its own text.

    What is computed on the whole population, below a sample, is counted: `show(sample.children[0])` writes it out.

    >>> from remix_utils import add, apply, array
    >>> x = array([1.0], "x")
    >>> print(show(add(x, apply("relu", x), name="sum")))
    sum [1] = add
      x [1] = array
      relu [1] = relu
        x, as above
    """
    if not isinstance(what, Node):
        return Text(str(what))
    lines: list[str] = []
    seen: set[Node] = set()
    stack = [(what, 0)]
    while stack:
        node, level = stack.pop()
        indent = "  " * level
        if len(lines) == most:
            lines.append(f"... and more: show(node, depth=2) stops sooner, show(node, most={most * 5}) later")
            break
        if node in seen:
            lines.append(f"{indent}{node.name}, as above")
            continue
        seen.add(node)
        lines.append(indent + line(node))
        if isinstance(node.op, Sample) and (below := len(children_first(node.children[0])) - 1):
            lines.append(f"{indent}  ... {counted(below + 1, 'node')} on the population")
        elif depth is None or level < depth:
            stack.extend((child, level + 1) for child in reversed(node.children))
        elif node.children:
            lines.append(f"{indent}  ...")
    return Text("\n".join(lines))


def line(node: Node) -> str:
    """One node: name, shape, dtype unless float32, operation."""
    dtype = str(node.dtype).removeprefix("torch.")
    kind = "" if dtype == "float32" else f" {dtype}"
    return f"{node.name} {list(node.shape)}{kind} = {_operation(node)}"


def _operation(node: Node) -> str:
    op = node.op
    if isinstance(op, Einsum):
        return f"einsum {op.pattern}"
    if isinstance(op, Add):
        return "add" if set(op.weights) == {1.0} else f"add weights {[round(weight, 4) for weight in op.weights]}"
    if isinstance(op, Index):
        return f"index [{indexing.text(op.entries)}]"
    if isinstance(op, Concat):
        return f"concat axis {op.axis}"
    if isinstance(op, Apply):
        return op.function
    if isinstance(op, Sample):
        return f"sample {op.draws} rows {op.rows}"
    return op.kind
