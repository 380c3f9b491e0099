"""Finding: the selected nodes, the paths to them, and why a selector does not match."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterator, Sequence
from itertools import dropwhile
from typing import Literal

from remix_utils.errors import MatchError, nearest
from remix_utils.graph.node import Node
from remix_utils.graph.selector import Match, Selector, selector
from remix_utils.graph.walk import children_first

Step = tuple[Node, Hashable]  # a node, and the state in which a path arrives there


def states(graph: Node, chosen: Selector) -> dict[Node, dict[Hashable, list[Step]]]:
    """Returns for each node the states in which paths arrive and may yet be selected, with a step to each child."""
    order = children_first(graph)
    known: dict[int, set[Node]] = {}  # by identity: a selector is compared part by part, which takes its time

    def above(part: Selector) -> set[Node]:
        if id(part) not in known:
            known[id(part)] = at_or_above(order, part)
        return known[id(part)]

    arrived: dict[Node, dict[Hashable, list[Step]]] = {graph: {chosen.start(graph): []}}
    for node in reversed(order):
        for state, steps in arrived[node].items() if node in arrived else ():
            for slot, child in enumerate(node.children):
                onward = chosen.step(state, node, slot, child)
                steps.append((child, onward))
                if chosen.hopeful(onward, child, above):
                    arrived.setdefault(child, {}).setdefault(onward, [])
    return arrived


def at_or_above(order: Sequence[Node], part: Selector) -> set[Node]:
    """The nodes at which a selected path may end, and all from which one of them is reached."""
    found = set(filter(part.ends(), order))
    for node in dropwhile(lambda node: node not in found, order):
        if not found.isdisjoint(node.children):
            found.add(node)
    return found


def find(graph: Node, which: object, missing: Literal["error", "ok"] = "error") -> list[Node]:
    """The selected nodes, each once, inputs before what is computed from them.

    >>> from remix_utils import add, array, find
    >>> x = array([1.0], "x")
    >>> find(add(x, x, name="sum"), "x")
    [Array 'x' [1]]

    Raises MatchError with the nearest names when there are none, unless missing="ok".
    """
    chosen = selector(which)
    order = children_first(graph)
    if isinstance(chosen, Match):
        found = [node for node in order if chosen.test(node)]
    else:
        arrived = states(graph, chosen)
        found = [node for node in order if any(map(chosen.accepts, arrived.get(node, ())))]
    if missing == "error":
        require_names(graph, chosen)
    if not found and missing == "error":
        raise no_match(graph, which)
    return found


def require_names(graph: Node, chosen: Selector) -> None:
    """Raises MatchError when a set of names in the selector holds one that no node has."""
    wanted = [part for _, part in _parts(chosen) if isinstance(part, Match) and part.names]
    if not wanted:
        return
    names = {node.name for node in children_first(graph)}
    for part in wanted:
        if lacking := sorted(part.names - names):
            raise MatchError(
                f"{len(lacking)} of {len(part.names)} names are no nodes below {graph.name!r}: {lacking[0]!r}; "
                f"{nearest(lacking[0], names)}.",
                fix="correct the names, or split what holds them first.",
                lacking=lacking,
                graph=graph.place,
            )


def no_match(graph: Node, which: object) -> MatchError:
    names = [node.name for node in children_first(graph)]
    wanted = which if isinstance(which, str) else _last_name(repr(selector(which)))
    return MatchError(
        f"{selector(which)!r} matches none of {len(names)} nodes below {graph.name!r}; {nearest(wanted, names)}.",
        fix="correct the name, or look with explain(graph, selector); missing='ok' allows none.",
        matched=0,
        selector=repr(selector(which)),
        graph=graph.place,
    )


def _last_name(text: str) -> str:
    return (re.findall(r"'([^']*)'", text) or [text])[-1]


def find_one(graph: Node, which: object) -> Node:
    """The one selected node.

    >>> from remix_utils import array
    >>> find_one(array([1.0], "x"), "x")
    Array 'x' [1]

    Raises MatchError when there is none or more than one.
    """
    found = find(graph, which)
    if len(found) > 1:
        raise MatchError(
            f"{selector(which)!r} matched {len(found)} nodes, expected 1: {', '.join(map(repr, found[:4]))}"
            + (", ..." if len(found) > 4 else "."),
            fix="narrow it with >>, & or the operation, or use find(...).",
            matched=len(found),
            selector=repr(selector(which)),
        )
    return found[0]


def paths(graph: Node, which: object, most: int = 10_000) -> list[tuple[Node, ...]]:
    """Every path from the root to a selected node, root first.

    >>> from remix_utils import add, array
    >>> x = array([1.0], "x")
    >>> len(paths(add(x, add(x, x)), "x"))
    3

    Raises MatchError when there are none, or more than `most`: through skip connections they grow exponentially.
    """
    chosen = selector(which)
    require_names(graph, chosen)
    live = _alive(graph, chosen)
    found: list[tuple[Node, ...]] = []
    stack: list[tuple[tuple[Node, ...], Hashable]] = [((graph,), chosen.start(graph))]
    while stack:
        path, state = stack.pop()
        if chosen.accepts(state):
            found.append(path)
        if len(found) > most:
            raise MatchError(
                f"{chosen!r} is reached by more than {most:,} paths.",
                fix="narrow it with >> and .avoiding(...).",
                selector=repr(chosen),
                most=most,
            )
        for slot, child in reversed(list(enumerate(path[-1].children))):
            onward = chosen.step(state, path[-1], slot, child)
            if (child, onward) in live:
                stack.append(((*path, child), onward))
    if not found:
        raise no_match(graph, which)
    return found


def _alive(graph: Node, chosen: Selector) -> set[tuple[Node, Hashable]]:
    """The (node, state) pairs from which a selected node can still be reached."""
    arrived = states(graph, chosen)
    alive: set[tuple[Node, Hashable]] = set()
    for node in children_first(graph):
        for state, steps in arrived.get(node, {}).items():
            if chosen.accepts(state) or any(step in alive for step in steps):
                alive.add((node, state))
    return alive


def explain(graph: Node, which: object) -> str:
    """Why a selector matches what it matches: how many nodes each of its parts finds, and the names nearest to none.

    >>> from remix_utils import array
    >>> print(explain(array([1.0], "x"), selector("y") | selector("x")))
    (at('y') | at('x')): 1 of 1 nodes
      at('y'): 0 of 1 nodes; nearest: 'x'
      at('x'): 1 of 1 nodes
    """
    order = children_first(graph)
    counts = Counter(node.name for node in order)
    lines = []
    for depth, part in _parts(selector(which)):
        found = find(graph, part, missing="ok")
        note = "" if found else f"; {nearest(_last_name(repr(part)), counts)}"
        lines.append(f"{'  ' * depth}{part!r}: {len(found)} of {len(order)} nodes{note}")
    return "\n".join(lines)


def _parts(chosen: Selector, depth: int = 0) -> Iterator[tuple[int, Selector]]:
    yield depth, chosen
    for part in vars(chosen).values() if hasattr(chosen, "__dict__") else ():
        if isinstance(part, Selector):
            yield from _parts(part, depth + 1)
