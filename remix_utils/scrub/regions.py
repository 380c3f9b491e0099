"""What lies between a node and what is claimed below it, along paths."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from heapq import heappop, heappush
from itertools import count, pairwise

from remix_utils.graph.node import Node
from remix_utils.graph.select import at_or_above, states
from remix_utils.graph.selector import Above, Selector
from remix_utils.graph.walk import children_first

Place = tuple[Node, Hashable]  # a node, and what the way to it has selected so far


@dataclass(frozen=True)
class Claims(Selector):
    """Several selectors side by side, each with its own state."""

    parts: tuple[Selector, ...]

    def start(self, root, below=False):
        return tuple(part.start(root, below) for part in self.parts)

    def step(self, state, node, slot, child):
        return tuple(part.step(own, node, slot, child) for part, own in zip(self.parts, state, strict=True))

    def accepts(self, state):
        return bool(self.owners(state))

    def owners(self, state) -> list[int]:
        """The parts that select the path."""
        return [i for i, (part, own) in enumerate(zip(self.parts, state, strict=True)) if part.accepts(own)]

    def ends(self):
        tests = [part.ends() for part in self.parts]
        return lambda node: any(test(node) for test in tests)

    def hopeful(self, state, node, above: Above):
        return any(part.hopeful(own, node, above) for part, own in zip(self.parts, state, strict=True))


@dataclass(frozen=True)
class Region:
    """The places below an image that are computed again, and those at its lower end that are claimed.

    `between` has the former, children first and the image last, each with its children: places too, or nodes from which
    no claim is reached. `claimed` has the latter with the number of the selector that claims them: a path ends where
    one accepts it for the first time.
    """

    image: Node
    claims: Claims
    between: dict[Place, tuple[Place | Node, ...]]
    claimed: dict[Place, int]

    @property
    def start(self) -> Place:
        return self.image, self.claims.start(self.image)

    def unclaimed(self) -> list[Node]:
        """The nodes that the claimed paths pass by and that depend on an input, in a fixed order."""
        beside = [each for children in self.between.values() for each in children if isinstance(each, Node)]
        return list(dict.fromkeys(each for each in beside if each.space is not None))

    def routes(self, number: int, most: int) -> tuple[int, list[tuple[Node, ...]]]:
        """How many paths the selector claims, and the shortest of them, from the image to what is claimed."""
        found = self._shortest(number, most)
        return self.ways(number).get(self.start, 0), [tuple(node for node, _ in places) for places in found]

    def landmarks(self, number: int, most: int) -> tuple[int, list[tuple[Node, ...]]]:
        """How many paths, and of the shortest their ends and each node that was one of several; one alone in full."""
        ways = self.ways(number)
        total = ways.get(self.start, 0)
        if total < 2:
            return self.routes(number, most)
        found = []
        for places in self._shortest(number, most):
            steps = pairwise(places)
            chosen = [onward[0] for place, onward in steps if sum(child in ways for child in self.between[place]) > 1]
            found.append((self.image, *(node for node in chosen if node is not places[-1][0]), places[-1][0]))
        return total, found

    def detours(self, number: int, place: Place | None = None) -> list[Node]:
        """Where the selector's other paths from a place (the image, if none is given) leave the shortest."""
        ways = self.ways(number)
        (shortest,) = self._shortest(number, 1, place)
        steps = pairwise(shortest)
        left = [child for place, onward in steps for child in self.between[place] if child in ways and child != onward]
        return list(dict.fromkeys(child[0] for child in left if not isinstance(child, Node)))

    def _shortest(self, number: int, most: int, place: Place | None = None) -> list[tuple[Place, ...]]:
        place = place or self.start
        nearest = self._nearest(number)
        found: list[tuple[Place, ...]] = []
        order = count()  # no two entries of the heap compare further
        heap: list = [(nearest[place], next(order), (place,))] if place in nearest else []
        while heap and len(found) < most:
            _, _, path = heappop(heap)
            if path[-1] in self.claimed:
                found.append(path)
                continue
            for child in self.between[path[-1]]:
                if not isinstance(child, Node) and child in nearest:
                    heappush(heap, (len(path) + nearest[child], next(order), (*path, child)))
        return found

    def ways(self, number: int) -> dict[Place, int]:
        """From each place that leads to what the selector claims, how many paths do."""
        ways = {place: 1 for place, owner in self.claimed.items() if owner == number}
        for place, children in self.between.items():
            if paths := sum(ways.get(child, 0) for child in children if not isinstance(child, Node)):
                ways[place] = paths
        return ways

    def _nearest(self, number: int) -> dict[Place, int]:
        """From each of these places, how long the shortest path is."""
        nearest = {place: 0 for place, owner in self.claimed.items() if owner == number}
        for place, children in self.between.items():
            if onward := [nearest[child] for child in children if not isinstance(child, Node) and child in nearest]:
                nearest[place] = 1 + min(onward)
        return nearest

    @cached_property
    def below(self) -> dict[Place, tuple[frozenset[Place], frozenset[Node]]]:
        """For each place between, what is claimed below it, and what is left that depends on an input."""
        claimed: dict[Place, frozenset[Place]] = {place: frozenset([place]) for place in self.claimed}
        left: dict[Place, frozenset[Node]] = dict.fromkeys(self.claimed, frozenset())
        for place, children in self.between.items():
            onward = [child for child in children if not isinstance(child, Node)]
            beside = frozenset(child for child in children if isinstance(child, Node) and child.space is not None)
            claimed[place] = frozenset().union(*(claimed[child] for child in onward))
            left[place] = beside.union(*(left[child] for child in onward))
        return {place: (claimed[place], left[place]) for place in self.between if claimed[place]}

    @cached_property
    def overlaps(self) -> list[tuple[int, int, Node, bool]]:
        """Selectors that claim the same: the owner of a place, another that ends there or goes on, and which."""
        order, found = children_first(self.image), {}
        above = cache(lambda part: at_or_above(order, part))
        for (node, passed), owner in self.claimed.items():
            for other, (part, state) in enumerate(zip(self.claims.parts, passed, strict=True)):  # type: ignore[arg-type]
                if other != owner and _goes_on(part, node, state, above):
                    found.setdefault((owner, other), (node, part.accepts(state)))
        return [(owner, other, node, ends) for (owner, other), (node, ends) in found.items()]


def _goes_on(part: Selector, node: Node, state: Hashable, above: Above) -> bool:
    """Whether the path so far, or a longer one, is selected."""
    seen, stack = {(node, state)}, [(node, state)]
    while stack:
        node, state = stack.pop()
        if part.accepts(state):
            return True
        if not part.hopeful(state, node, above):
            continue
        steps = {(child, part.step(state, node, slot, child)) for slot, child in enumerate(node.children)}
        stack += steps - seen
        seen |= steps
    return False


def read(image: Node, selectors: Sequence[Selector]) -> Region:
    """The region below an image; the selectors are read from the image on, which none of them claims itself."""
    claims = Claims(tuple(selectors))
    start = (image, claims.start(image))
    below: dict[Place, tuple[Place | Node, ...]] = {}
    claimed: dict[Place, int] = {}
    for place in _places(image, claims):
        node, state = place
        owners = claims.owners(state)
        if owners and place != start:
            claimed[place] = owners[0]
            continue
        steps = [(child, claims.step(state, node, slot, child)) for slot, child in enumerate(node.children)]
        children = tuple(step if step in below or step in claimed else step[0] for step in steps)
        if place == start or not all(isinstance(child, Node) for child in children):
            below[place] = children
    reached: set[Place] = {start}
    for place in reversed(below):  # what lies below a claim is its owner's
        if place in reached:
            reached.update(child for child in below[place] if not isinstance(child, Node))
    between = {place: children for place, children in below.items() if place in reached}
    return Region(image, claims, between, {place: owner for place, owner in claimed.items() if place in reached})


def _places(image: Node, claims: Claims) -> Iterator[Place]:
    """Every node with every state in which it is reached, children first."""
    arrived = states(image, claims) if claims.parts else {image: {(): None}}
    return ((node, state) for node in children_first(image) for state in arrived.get(node, ()))
