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


def show(what: object, depth: int | None = None, most: int = 200, brief: bool = False) -> Text:
    """A node as a tree, its children below it, each node written out once; anything else as its own text.

    What is computed on the whole population, below a sample, is counted: `show(sample.children[0])` writes it out.
    With `brief=True` what depends on no input is left out, and nodes that read one other stand in its line.

    >>> from remix_utils import add, apply, array
    >>> x = array([1.0], "x")
    >>> print(show(add(x, apply("relu", x), name="sum")))
    sum [1] = add
      x [1] = array
      relu [1] = relu
        x, as above
    >>> from remix_utils import placeholder
    >>> print(show(apply("relu", add(placeholder("y", (1,)), x, name="shifted")), brief=True))
    relu ← shifted ← y
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
        if node in seen and not brief:
            lines.append(f"{indent}{node.name}, as above")
            continue
        text, below = _briefly(node, seen) if brief else (line(node), node.children)
        seen.add(node)
        lines.append(indent + text)
        if isinstance(node.op, Sample) and not brief and (count := len(children_first(node.children[0]))) > 1:
            lines.append(f"{indent}  ... {counted(count, 'node')} on the population")
        elif depth is None or level < depth:
            stack.extend((child, level + 1) for child in reversed(below))
        elif below:
            lines.append(f"{indent}  ...")
    return Text("\n".join(lines))


def _briefly(node: Node, seen: set[Node]) -> tuple[str, list[Node]]:
    """A node, the one that it reads if it reads one, and so on: the ends of that chain, and what the last reads."""
    chain = [node]
    while len(set(_read(chain[-1]))) == 1 and chain[-1] not in seen:
        chain.append(_read(chain[-1])[0])
    last, names = chain[-1], [each.name for each in chain]
    kept = names if len(names) < 4 else [names[0], f"({len(names) - 2} more)", names[-1]]
    text, below = " ← ".join(kept), _read(last)
    if not below or last in seen:
        return text + ", as above" * bool(below), []
    seen.add(last)
    return f"{text} = {last.op.function if isinstance(last.op, Apply) else last.op.kind}", below


def _read(node: Node) -> list[Node]:
    """The children that depend on an input; a sample stands for all that is below it."""
    return [] if isinstance(node.op, Sample) else [child for child in node.children if child.space is not None]


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
