"""Selectors: automata that read a path from the root, one edge at a time."""

from __future__ import annotations

from collections.abc import Callable, Container, Set
from dataclasses import dataclass
from typing import Any, Literal

from remix_utils.errors import PatternError, kind_of
from remix_utils.graph.glob import glob, listed, one_of
from remix_utils.graph.node import Node

State = Any  # hashable; each selector has its own
Above = Callable[["Selector"], Container[Node]]


class Selector:
    """A set of paths from the root down, read one step at a time; a path selects the node it ends at.

    `|`, `&`, `~` combine selectors; `a >> b` is "b, reached below a"; `.avoiding(c)` forbids c on the way there;
    `.child(i)` is one edge further, through child i. Parentheses change nothing: `a >> (b >> c)` is `a >> b >> c`.
    """

    def start(self, root: Node, below: bool = False) -> State:
        """Returns the state after the path that is only the root.

        With `below` the root is the end of a in `a >> self`, and what `self` selects lies further down.
        """
        raise TypeError(f"{type(self).__name__} cannot start")

    def step(self, state: State, node: Node, slot: int, child: Node) -> State:
        """The state after one more edge: from `node` through its child number `slot`."""
        raise TypeError(f"{type(self).__name__} cannot step")

    def accepts(self, state: State) -> bool:
        raise TypeError(f"{type(self).__name__} cannot accept")

    def ends(self) -> Callable[[Node], bool]:
        """Returns the test whether a path that ends at a node could be selected at all."""
        return lambda node: True

    def hopeful(self, state: State, node: Node, above: Above) -> bool:
        """Whether this path, or a longer one, could still be selected; `above(s)` has the nodes above the ends of s."""
        return node in above(self)

    def __or__(self, other: object) -> Selector:
        return Combined(selector(self), selector(other), "|")

    def __and__(self, other: object) -> Selector:
        return Combined(selector(self), selector(other), "&")

    def __invert__(self) -> Selector:
        return Complement(self)

    def __rshift__(self, other: object) -> Selector:
        lower = selector(other)
        if isinstance(lower, Below):
            return Below(self >> lower.upper, lower.lower, lower.other)
        if isinstance(lower, Combined) and lower.sign == "|" and lower.has_legs:
            return (self >> lower.left) | (self >> lower.right)
        return Below(self, lower)

    def avoiding(self, other: object) -> Selector:
        """The same paths without those that pass through what `other` selects on the last leg, its ends excepted."""
        return Avoiding(self, selector(other))

    def child(self, slot: int) -> Selector:
        """One edge further, through child number `slot`."""
        return Child(self, slot)


@dataclass(frozen=True)
class Match(Selector):
    """Any path that ends at a node for which the test holds; nodes of all these names must be there."""

    test: Callable[[Node], bool]
    text: str
    names: frozenset[str] = frozenset()

    def start(self, root, below=False):
        return self.test(root)

    def step(self, state, node, slot, child):
        return self.test(child)

    def accepts(self, state):
        return state

    def ends(self):
        return self.test

    def __repr__(self):
        return self.text


@dataclass(frozen=True)
class Combined(Selector):
    left: Selector
    right: Selector
    sign: Literal["|", "&"]

    @property
    def has_legs(self) -> bool:
        """Whether one of the alternatives is itself of the form `b >> c`."""
        parts = (self.left, self.right)
        return any(isinstance(part, Below) or (isinstance(part, Combined) and part.has_legs) for part in parts)

    def start(self, root, below=False):
        return self.left.start(root, below), self.right.start(root, below)

    def step(self, state, node, slot, child):
        return self.left.step(state[0], node, slot, child), self.right.step(state[1], node, slot, child)

    def accepts(self, state):
        left, right = self.left.accepts(state[0]), self.right.accepts(state[1])
        return left or right if self.sign == "|" else left and right

    def ends(self):
        left, right = self.left.ends(), self.right.ends()
        return lambda node: left(node) or right(node) if self.sign == "|" else left(node) and right(node)

    def hopeful(self, state, node, above):
        left, right = self.left.hopeful(state[0], node, above), self.right.hopeful(state[1], node, above)
        return left or right if self.sign == "|" else left and right

    def avoiding(self, other):
        if self.sign == "|":
            return Combined(self.left.avoiding(other), self.right.avoiding(other), "|")
        return super().avoiding(other)

    def __repr__(self):
        return f"({self.left!r} {self.sign} {self.right!r})"


@dataclass(frozen=True)
class Complement(Selector):
    inner: Selector

    def start(self, root, below=False):
        return self.inner.start(root, below)

    def step(self, state, node, slot, child):
        return self.inner.step(state, node, slot, child)

    def accepts(self, state):
        return not self.inner.accepts(state)

    def __repr__(self):
        return f"~{self.inner!r}"


@dataclass(frozen=True)
class Child(Selector):
    inner: Selector
    slot: int

    def start(self, root, below=False):
        return self.inner.start(root, below), False

    def step(self, state, node, slot, child):
        return self.inner.step(state[0], node, slot, child), self.inner.accepts(state[0]) and slot == self.slot

    def accepts(self, state):
        return state[1]

    def hopeful(self, state, node, above):
        return state[1] or self.inner.hopeful(state[0], node, above)

    def __repr__(self):
        return f"{self.inner!r}.child({self.slot})"


@dataclass(frozen=True)
class Avoiding(Selector):
    """From the root to the end of `inner` without passing what `other` selects; both ends may be such nodes."""

    inner: Selector
    other: Selector

    def start(self, root, below=False):
        return self.inner.start(root, below), self.other.start(root), None

    def step(self, state, node, slot, child):
        inner, other, passed = state
        passed = False if passed is None else passed or self.other.accepts(other)
        return self.inner.step(inner, node, slot, child), self.other.step(other, node, slot, child), passed

    def accepts(self, state):
        return self.inner.accepts(state[0]) and not state[2]

    def ends(self):
        return self.inner.ends()

    def hopeful(self, state, node, above):
        inner, other, passed = state
        if passed is False and self.other.accepts(other):  # the path may end here, but not go on
            return self.inner.accepts(inner)
        return not passed and self.inner.hopeful(inner, node, above)

    def __repr__(self):
        return f"{self.inner!r}.avoiding({self.other!r})"


@dataclass(frozen=True)
class Below(Selector):
    """`lower`, at least one edge below `upper`; with `other`, no node strictly between the two is selected by it."""

    upper: Selector
    lower: Selector
    other: Selector | None = None

    def avoiding(self, other):
        other = selector(other)
        return Below(self.upper, self.lower, self.other | other if self.other else other)

    def start(self, root, below=False):
        upper, other = self.upper.start(root, below), self.other and self.other.start(root)
        return (upper, other, frozenset(), None) if below else self._arrive(root, upper, other, frozenset())

    def step(self, state, node, slot, child):
        upper, other, runs, fresh = state
        going = set() if self.other and self.other.accepts(other) else set(runs)
        if fresh is not None:
            going.add(fresh)
        onward = (self.lower.step(run, node, slot, child) for run in going)
        runs = frozenset(run for run in onward if self.lower.hopeful(run, child, lambda part: (child,)))  # no dead ones
        other = self.other and self.other.step(other, node, slot, child)
        return self._arrive(child, self.upper.step(upper, node, slot, child), other, runs)

    def _arrive(self, node, upper, other, runs):
        """A new run of `lower` begins wherever `upper` ends."""
        fresh = self.lower.start(node, below=True) if self.upper.accepts(upper) else None
        return upper, other, runs, fresh

    def accepts(self, state):
        return any(self.lower.accepts(run) for run in state[2])

    def ends(self):
        return self.lower.ends()

    def hopeful(self, state, node, above):
        upper, other, runs, fresh = state
        if self.other and self.other.accepts(other):  # runs may end here, but not go on
            runs = self.accepts(state)
        if (runs or fresh is not None) and node in above(self):
            return True
        return self.upper.hopeful(upper, node, above)

    def __repr__(self):
        way = f".avoiding({self.other!r})" if self.other else ""
        return f"({self.upper!r} >> {self.lower!r}){way}"


def at(which: object = None, op: str | None = None) -> Selector:
    """A selector by name (with `*`, `?`, `[...]`; a star also crosses dots), predicate or node, and by operation.

    A name that is written out is found, with brackets too: `at("v[0:5]")` is the node of that name.
    In `at("blocks.[01].*")` the brackets are a class of characters. All names of a set must be there.

    >>> from remix_utils import add, array, find
    >>> graph = add(array([1.0], "a.x"), array([2.0], "b.x"), name="sum")
    >>> [node.name for node in find(graph, at("*.x")) + find(graph, at(op="add"))]
    ['a.x', 'b.x', 'sum']

    Raises PatternError for anything else.
    """
    if which is None and op is None:
        raise PatternError("at() selects nothing.", fix="give a name, a predicate, a node, or op='einsum'.", given=None)
    if op is None:
        return selector(which)
    kind = Match(lambda node: node.op.kind == op, f"at(op={op!r})")
    return kind if which is None else selector(which) & kind


def selector(which: object) -> Selector:
    """What `find` and the others accept: a selector, a name, a set of names, a predicate or a node."""
    if isinstance(which, Selector):
        return which
    if isinstance(which, Node):
        return Match(lambda node: node is which, f"at({which!r})")
    if isinstance(which, str):
        matches = glob(which)
        return Match(lambda node: matches(node.name), f"at({which!r})")
    if isinstance(which, Set) and which and all(isinstance(name, str) for name in which):
        names = one_of(which)
        return Match(lambda node: node.name in names, f"at({listed(names)})", names)
    if callable(which):
        return Match(lambda node: bool(which(node)), f"at({getattr(which, '__name__', 'predicate')})")
    fix = "use at(name), at({name, ...}), at(predicate), at(node) or at(op='einsum')."
    raise PatternError(f"{which!r} is no selector, but {kind_of(which)}.", fix=fix, given=type(which).__name__)
