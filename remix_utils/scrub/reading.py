"""A hypothesis read in a graph: which paths each child claims, and what is left for others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass

from remix_utils.graph.node import Node
from remix_utils.graph.select import states
from remix_utils.graph.selector import Above, Selector
from remix_utils.graph.walk import children_first
from remix_utils.scrub.hypothesis import Interp

Place = tuple[Node, Hashable]  # a node, and what the way to it has selected so far


@dataclass(frozen=True)
class Claims(Selector):
    """Several selectors at once; a path ends where the first of them accepts it."""

    parts: tuple[Selector, ...]

    def start(self, root):
        return tuple(part.start(root) for part in self.parts)

    def step(self, state, node, slot, child):
        return tuple(part.step(own, node, slot, child) for part, own in zip(self.parts, state, strict=True))

    def accepts(self, state):
        return bool(self.owners(state))

    def owners(self, state: Hashable) -> list[int]:
        """The parts that select the path."""
        pairs = zip(self.parts, state, strict=True)  # type: ignore[arg-type]
        return [number for number, (part, own) in enumerate(pairs) if part.accepts(own)]

    def ends(self, node):
        return any(part.ends(node) for part in self.parts)

    def hopeful(self, state, node, above: Above):
        return any(part.hopeful(own, node, above) for part, own in zip(self.parts, state, strict=True))


@dataclass(frozen=True)
class Region:
    """What lies between an image and what its children claim below it.

    `between` has the places that are computed again, children first and the image last, each with what its children
    are: a place further down, or a node that no child claims. `claimed` says whose the places at its lower end are.
    """

    interp: Interp
    image: Node
    between: dict[Place, tuple[Place | Node, ...]]
    claimed: dict[Place, Interp]

    def unclaimed(self) -> list[Node]:
        """The nodes that the claimed paths pass by and that depend on an input, in a fixed order."""
        below = [each for children in self.between.values() for each in children]
        return list(dict.fromkeys(each for each in below if isinstance(each, Node) and each.space is not None))


class Reading:
    """Every region of a hypothesis in a graph, parents first."""

    def __init__(self, graph: Node, hypothesis: Interp):
        self.graph, self.hypothesis = graph, hypothesis
        self.regions: dict[tuple[Interp, Node], Region] = {}
        waiting = [(hypothesis, graph)]
        while waiting:
            interp, image = waiting.pop(0)
            if (interp, image) not in self.regions:
                region = self.regions[interp, image] = read(interp, image)
                waiting += [(owner, node) for (node, _), owner in region.claimed.items()]

    def of(self, interp: Interp) -> list[Region]:
        """The regions of one node: one for each of its images."""
        return [region for (owner, _), region in self.regions.items() if owner is interp]

    def unclaimed(self, interp: Interp) -> list[Node]:
        """What `others` are drawn for."""
        return list(dict.fromkeys(node for region in self.of(interp) for node in region.unclaimed()))

    def reads_itself(self, interp: Interp) -> bool:
        """Whether some image is computed from the node's own row."""
        return not interp.children and any(region.image.space is not None for region in self.of(interp))


def read(interp: Interp, image: Node) -> Region:
    """The region of one image; a node without children, or none of whose children is found here, has an empty one."""
    if not interp.children:
        return Region(interp, image, {}, {})
    claims = Claims(tuple(child.selector for child in interp.children))
    start = (image, claims.start(image))
    arrived = states(image, claims)
    below: dict[Place, tuple[Place | Node, ...]] = {}
    claimed: dict[Place, Interp] = {}
    for place in _places(image, arrived):
        node, state = place
        owners = claims.owners(state)
        if owners and place != start:
            claimed[place] = interp.children[owners[0]]
            continue
        steps = [(child, claims.step(state, node, slot, child)) for slot, child in enumerate(node.children)]
        children = tuple(step if step in below or step in claimed else step[0] for step in steps)
        if any(not isinstance(child, Node) for child in children) or place == start:
            below[place] = children
    return _reached(interp, image, start, below, claimed)


def _places(image: Node, arrived: dict[Node, dict[Hashable, None]]) -> Iterator[Place]:
    return ((node, state) for node in children_first(image) for state in arrived.get(node, ()))


def _reached(interp: Interp, image: Node, start: Place, below: dict, claimed: dict) -> Region:
    """What lies below a claim is its owner's, and no part of the region."""
    reached = {start}
    for place in reversed(below):
        if place in reached:
            reached.update(child for child in below[place] if not isinstance(child, Node))
    return Region(
        interp,
        image,
        {place: children for place, children in below.items() if place in reached},
        {place: owner for place, owner in claimed.items() if place in reached},
    )
