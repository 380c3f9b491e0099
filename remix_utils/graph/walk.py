"""Movement: each node once, children first; rewriting with a memory, so that shared parts stay shared."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from weakref import WeakKeyDictionary, ref

from remix_utils.errors import NodeError, RewriteError, kind_of
from remix_utils.graph.node import Node, postorder


def children_first(*roots: Node) -> Sequence[Node]:
    """Every node below the roots once, each after its children.

    >>> from remix_utils import add, array
    >>> x = array([1.0], "x")
    >>> [node.name for node in children_first(add(x, x, name="sum"))]
    ['x', 'sum']

    Raises NodeError for a cycle.
    """
    if len(roots) != 1:
        return postorder(roots, lambda node: node.children)
    (root,) = roots
    if root._below is None:  # without the root itself, so that no node keeps itself alive
        object.__setattr__(root, "_below", tuple(postorder(roots, lambda node: node.children)[:-1]))
    return (*root._below, root)  # type: ignore[misc]


def rebuild(roots: Sequence[Node], rule: Callable[[Node, Node], Node]) -> list[Node]:
    """Rewrite bottom-up: `rule(rebuilt, original)` gives what stands for each node; each is asked once.

    >>> from remix_utils import array
    >>> rebuild([array([1.0], "x")], lambda node, original: node.named(node.name + "'"))[0].name
    "x'"
    """
    done: dict[Node, Node] = {}
    for node in children_first(*roots):
        done[node] = checked(rule(node.with_children([done[child] for child in node.children]), node), node)
    return [done[root] for root in roots]


def substitute(roots: Sequence[Node], new: Mapping[Node, Node], done: dict[Node, Node] | None = None) -> list[Node]:
    """Put nodes in the place of others, all at once; what is put in is not searched.

    Calls with the same `new` may share `done`, and each node is then rebuilt once for all of them.
    """
    done = {} if done is None else done
    done.update(new)
    for node in postorder(roots, lambda node: () if node in done else node.children):
        if node not in done:
            done[node] = node.with_children([done[child] for child in node.children])
    return [done[root] for root in roots]


class Echo(dict[Node, Node]):
    """What stands for each node once others are put in: made now, or by an earlier echo of the same and still alive.

    The memory hangs on a node that is put in, and holds nothing by itself: the edits of a sweep share what they have
    in common, and a graph that is let go is freed at once.
    """

    def __init__(self, new: Mapping[Node, Node]):
        super().__init__(new)
        holder = next(iter(new.values()))
        question = tuple(sorted((id(old), id(other)) for old, other in new.items()))
        if holder._echoes is None:
            object.__setattr__(holder, "_echoes", {})
        self.earlier: WeakKeyDictionary[Node, ref[Node]]
        self.earlier = holder._echoes.setdefault(question, WeakKeyDictionary())  # type: ignore[union-attr]

    def __contains__(self, node: object) -> bool:
        if super().__contains__(node):
            return True
        earlier = self.earlier.get(node)  # type: ignore[arg-type]
        made = earlier and earlier()
        if made is None:
            return False
        super().__setitem__(node, made)  # type: ignore[index]
        return True

    def __setitem__(self, node: Node, made: Node) -> None:
        super().__setitem__(node, made)
        self.earlier[node] = ref(made)


def checked(result: object, original: Node) -> Node:
    """What a rule returned, refused unless it is a node."""
    if type(result) is not Node:
        raise NodeError(
            f"The function returned {kind_of(result)} for {original.place}, not a node.",
            fix="return a node from it: the one it was given, or a new one.",
            place=original.place,
            given=type(result).__name__,
        )
    return result


def refused(rule: str, node: Node, wanted: str) -> RewriteError:
    """The error of a rule that does not apply to a node."""
    return RewriteError(
        f"{rule} needs {wanted}, and got {node!r}.",
        fix="select other nodes; find(graph, at(op=...)).",
        rule=rule,
        place=node.place,
    )
