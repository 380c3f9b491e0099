"""Movement: each node once, children first; rewriting with a memory, so that shared parts stay shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from remix_utils.errors import NodeError
from remix_utils.graph.node import Node, postorder


def children_first(*roots: Node) -> list[Node]:
    """Every node below the roots once, each after its children.

    >>> from remix_utils import add, array
    >>> x = array([1.0], "x")
    >>> [node.name for node in children_first(add(x, x, name="sum"))]
    ['x', 'sum']

    Raises NodeError for a cycle.
    """
    return postorder(roots, lambda node: node.children)


def rebuild(roots: Sequence[Node], rule: Callable[[Node, Node], Node]) -> list[Node]:
    """Rewrite bottom-up: `rule(rebuilt, original)` gives what stands for each node; each is asked once.

    >>> from remix_utils import array
    >>> rebuild([array([1.0], "x")], lambda node, original: node.named(node.name + "'"))[0].name
    "x'"
    """
    done: dict[int, Node] = {}
    for node in children_first(*roots):
        rebuilt = node.with_children([done[id(child)] for child in node.children])
        done[id(node)] = checked(rule(rebuilt, node), node)
    return [done[id(root)] for root in roots]


def substitute(roots: Sequence[Node], new: Mapping[Node, Node]) -> list[Node]:
    """Put nodes in the place of others, all at once; what is put in is not searched."""
    order = postorder(roots, lambda node: () if node in new else node.children)
    done: dict[int, Node] = {}
    for node in order:
        done[id(node)] = new[node] if node in new else node.with_children([done[id(c)] for c in node.children])
    return [done[id(root)] for root in roots]


def checked(result: object, original: Node) -> Node:
    """What a rule returned, refused unless it is a node."""
    if type(result) is not Node:
        raise NodeError(
            f"The function returned a {type(result).__name__} for {original.place}, not a node.",
            fix="return a node from it: the one it was given, or a new one.",
        )
    return result
