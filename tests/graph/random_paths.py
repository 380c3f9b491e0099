"""Random selectors on small graphs full of paths, and what they select by looking at every path."""

from __future__ import annotations

from collections.abc import Callable

import torch
from hypothesis import strategies as st

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array
from remix_utils.graph.selector import Selector, at

NAMES = ("a", "b", "c")
Path = tuple[tuple[int | None, Node], ...]  # the slot through which each node is reached, and the node; root first
LEG = -1  # the slot of the node that a leg begins at: the end of a in `a >> b`


@st.composite
def tangles(draw: st.DrawFn, most: int = 6) -> Node:
    """A graph of a few sums and functions that share their children, with names that occur again and again."""
    nodes = [array(torch.tensor(draw(st.floats(-1, 1, width=32))), draw(st.sampled_from(NAMES)))]
    for _ in range(draw(st.integers(1, most))):
        children = draw(st.lists(st.sampled_from(nodes[-3:]), min_size=1, max_size=3))
        name = draw(st.sampled_from(NAMES))
        single = len(children) == 1
        nodes.append(apply("tanh", children[0], name=name) if single else add(*children, name=name))
    return nodes[-1]


def all_paths(root: Node) -> list[Path]:
    """Every path from the root down, by recursion."""

    def below(path: Path) -> list[Path]:
        longer = [(*path, (slot, child)) for slot, child in enumerate(path[-1][1].children)]
        return [path, *(deeper for each in longer for deeper in below(each))]

    return below(((None, root),))


class Spec:
    """A selector twice: built with the library's operators, and as a test of one whole path.

    `legs` are a, b and what is forbidden between them, of a selector `a >> b`; `options` the two sides of `a | b`.
    """

    def __init__(self, text: str, built: Selector, holds: Callable[[Path], bool], avoiding: Callable | None = None):
        self.text, self.built, self.holds = text, built, holds
        self.holds_avoiding = avoiding or self._avoiding
        self.legs: tuple[Spec, Spec, list[Spec]] | None = None
        self.options: tuple[Spec, Spec] | None = None

    def _avoiding(self, other: Spec) -> Callable[[Path], bool]:
        """The last leg is the whole path: nothing between its ends may be forbidden."""
        return lambda path: self.holds(path) and not any(other.holds(whole(path[:end])) for end in range(2, len(path)))

    def __repr__(self) -> str:
        return self.text


def name(which: str) -> Spec:
    return Spec(which, at(which), lambda path: path[-1][1].name == which)


def kind(which: str) -> Spec:
    return Spec(f"op={which}", at(op=which), lambda path: path[-1][1].op.kind == which)


def either(a: Spec, b: Spec) -> Spec:
    def avoiding(other: Spec) -> Callable[[Path], bool]:
        return lambda path: a.holds_avoiding(other)(path) or b.holds_avoiding(other)(path)

    spec = Spec(f"({a} | {b})", a.built | b.built, lambda path: a.holds(path) or b.holds(path), avoiding)
    spec.options = a, b
    return spec


def both(a: Spec, b: Spec) -> Spec:
    return Spec(f"({a} & {b})", a.built & b.built, lambda path: a.holds(path) and b.holds(path))


def without(a: Spec) -> Spec:
    return Spec(f"~{a}", ~a.built, lambda path: not a.holds(path))


def child(a: Spec, slot: int) -> Spec:
    return Spec(f"{a}.child({slot})", a.built.child(slot), lambda path: path[-1][0] == slot and a.holds(path[:-1]))


def below(a: Spec, b: Spec) -> Spec:
    """What `a >> b` reads as: `a >> (b >> c)` is `a >> b >> c`, and of alternatives each is reached below a."""
    if b.legs:
        upper, lower, forbidden = b.legs
        meant = one_leg(below(a, upper), lower, forbidden)
    elif b.options and has_legs(b):
        meant = either(*(below(a, option) for option in b.options))
    else:
        meant = one_leg(a, b, [])
    meant.text, meant.built = f"({a} >> {b})", a.built >> b.built
    return meant


def has_legs(spec: Spec) -> bool:
    return bool(spec.legs or (spec.options and any(has_legs(option) for option in spec.options)))


def one_leg(a: Spec, b: Spec, forbidden: list[Spec]) -> Spec:
    """Somewhere above its end the path has been selected by a; from there on, as a path of its own, it is by b."""

    def clear(path: Path, start: int, others: list[Spec]) -> bool:
        ends = range(start + 1, len(path) - 1)
        return not any(other.holds(whole(path[: end + 1])) for end in ends for other in others)

    def from_somewhere(path: Path, others: list[Spec]) -> bool:
        first = 1 if path[0][0] == LEG else 0  # below the end of another leg
        starts = [i for i in range(first, len(path) - 1) if a.holds(path[: i + 1]) and b.holds(leg(path[i:]))]
        return any(clear(path, start, others) for start in starts)

    spec = Spec(
        f"({a} >> {b})",
        a.built >> b.built,
        lambda path: from_somewhere(path, forbidden),
        lambda other: lambda path: from_somewhere(path, [*forbidden, other]),
    )
    spec.legs = a, b, forbidden
    return spec


def leg(path: Path) -> Path:
    return ((LEG, path[0][1]), *path[1:])


def whole(path: Path) -> Path:
    return ((None, path[0][1]), *path[1:])


def avoiding(a: Spec, other: Spec) -> Spec:
    spec = Spec(f"{a}.avoiding({other})", a.built.avoiding(other.built), a.holds_avoiding(other))
    if a.legs:
        upper, lower, forbidden = a.legs
        spec = one_leg(upper, lower, [*forbidden, other])
    elif a.options:
        spec = either(*(avoiding(option, other) for option in a.options))
    spec.text, spec.built = f"{a}.avoiding({other})", a.built.avoiding(other.built)
    return spec


simple = st.sampled_from(NAMES).map(name) | st.sampled_from(["add", "apply", "array"]).map(kind)


def nested(inner: st.SearchStrategy[Spec]) -> st.SearchStrategy[Spec]:
    combined = [st.builds(how, inner, inner) for how in (either, both, below, below, avoiding)]
    besides = st.builds(without, inner | st.builds(avoiding, inner, inner))
    return st.one_of(*combined, besides, st.builds(child, inner, st.integers(0, 2)))


specs = st.recursive(simple, nested, max_leaves=5)
