"""What can be wrong with claims: that they find nothing, meet each other, or come to nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from remix_utils.data import Exact, Fixed, Uniform
from remix_utils.graph.node import Node
from remix_utils.graph.select import find, no_match
from remix_utils.scrub.draws import streams, used
from remix_utils.scrub.hypothesis import Fault, Interp, Reading, preorder

SAID = 3  # nodes that a sentence names


def claim_faults(reading: Reading) -> Iterator[Fault]:
    """Every fault of what the hypothesis claims in the graph."""
    yield from _root(reading)
    yield from _claims(reading)
    yield from _others(reading)
    yield from _all_of_something(reading)
    yield from _unread(reading)


def _root(reading: Reading) -> Iterator[Fault]:
    graph, hypothesis = reading.graph, reading.hypothesis
    chosen = hypothesis.selector
    if hypothesis.at is None or chosen.accepts(chosen.start(graph)):
        return
    found = find(graph, chosen, missing="ok")
    if not found:
        fact = f"stands for nothing: {no_match(graph, chosen).fact.rstrip('.')}"
        yield Fault(hypothesis.name, fact, "correct the name")
        return
    yield Fault(
        hypothesis.name,
        f"stands for {found[-1].name!r}, and the graph goes on to {graph.name!r}",
        f"scrub find_one(graph, {chosen!r}), or let the root stand for {graph.name!r}",
    )


def _claims(reading: Reading) -> Iterator[Fault]:
    """Children that claim nothing, or what others claim as well."""
    for parent, _ in preorder(reading.hypothesis):
        regions = reading.of(parent)
        claimed = {owner for region in regions for owner in region.claimed.values()}
        for number, child in enumerate(parent.children):
            met = {
                (parent.children[owner].name, node): ends
                for region in regions
                for owner, other, node, ends in region.overlaps
                if other == number
            }
            if met:
                yield _overlap(child, met)
            elif number not in claimed and regions and child.at is not None:
                yield _nothing_claimed(reading, parent, child)


def _overlap(child: Interp, met: dict[tuple[str, Node], bool]) -> Fault:
    """What other children's images a child's paths meet, and whether they end there."""
    names, nodes = list(dict.fromkeys(name for name, _ in met)), list(dict.fromkeys(node for _, node in met))
    way, listed = "to" if any(met.values()) else "through", ", ".join(map(repr, names[:SAID]))
    fix = f"use {child.selector!r}.avoiding({_either(nodes)}) for it, or make it a child of theirs"
    return Fault(
        child.name,
        f"claims what {listed}{_more(names)} claim{'s' * (len(names) == 1)}: it has paths {way} {_listed(nodes)}",
        "select for each what the others do not" if any(met.values()) else fix,
    )


def _nothing_claimed(reading: Reading, parent: Interp, child: Interp) -> Fault:
    chosen, images = child.selector, [region.image for region in reading.of(parent)]
    found = find(reading.graph, chosen, missing="ok")
    if any(chosen.accepts(chosen.start(image)) for image in images):
        return Fault(child.name, f"claims the image of {parent.name!r} itself", "select nodes below it")
    if found:
        fact = f"claims {found[-1].name!r}, to which no path leads from {_listed(images)}, the image of {parent.name!r}"
        return Fault(child.name, fact, f"make it a child of what it is below, or let it start below {parent.name!r}")
    return Fault(child.name, f"claims nothing: {no_match(images[0], chosen).fact.rstrip('.')}", "correct the name")


def _listed(nodes: list[Node]) -> str:
    return ", ".join(repr(node.name) for node in nodes[:SAID]) + _more(nodes)


def _more(things: list) -> str:
    return f" and {len(things) - SAID} more" if len(things) > SAID else ""


def _others(reading: Reading) -> Iterator[Fault]:
    """Others that are not there, and those that are there and have no draw."""
    for node, _ in preorder(reading.hypothesis):
        left = list(reading.unclaimed(node))
        if not node.children:
            if node.others is not None and node.others != Uniform():
                fact = "has no children, and so nothing that others could read"
                yield Fault(node.name, fact, "leave out others=, or give it children")
        elif not _understood(reading, node):
            continue
        elif node.others is None:
            if left:
                fact = f"draws nothing for others, but no child claims {_listed(left)}"
                yield Fault(node.name, fact, "give it others=, or children that claim them")
        elif not left:
            yield _everything_claimed(reading, node, "leaves nothing to its others", "say others=None")
        elif _detours(reading, node)[0] and not _share_inputs(reading, left, _claimed(reading, node)):
            fact = f"leaves to its others {_listed(left)} alone"
            yield _everything_claimed(reading, node, fact, "let a child claim what is left and say others=None")


def _everything_claimed(reading: Reading, node: Interp, fact: str, otherwise: str) -> Fault:
    """Often fewer paths were meant: "from the embeddings" is also through every head that reads them."""
    detours, said = _detours(reading, node)
    fact = f"{fact}: its children claim every path to the inputs that they read{said}"
    if not detours:
        return Fault(node.name, fact, otherwise)
    return Fault(
        node.name, fact, f"if not every path is meant, add .avoiding({_either(detours)}) to it; else {otherwise}"
    )


def _all_of_something(reading: Reading) -> Iterator[Fault]:
    """One node claimed by every path below another: to say so, rather than by oversight, one claims that other."""
    for parent, _ in preorder(reading.hypothesis):
        told: set[int] = set()
        if parent.others is None or not _understood(reading, parent) or not reading.unclaimed(parent):
            continue
        for region in reading.of(parent):
            ways = [region.ways(number) for number in range(len(parent.children))]
            for place, (claimed, left) in reversed(region.below.items()):
                (number, *more) = {region.claimed[each] for each in claimed}
                (node, *others) = {node for node, _ in claimed}
                if place == region.start or more or others or number in told or parent.children[number].children:
                    continue
                if ways[number][place] > 1 and not _share_inputs(reading, left, [node]):
                    detours = region.detours(number, place)
                    told.add(number)
                    yield _all_claimed(parent.children[number].name, place[0], node, ways[number][place], detours)


def _all_claimed(name: str, top: Node, node: Node, paths: int, detours: list[Node]) -> Fault:
    return Fault(
        name,
        f"claims all {paths} paths from {top.name!r} to {node.name!r}, also by way of {_listed(detours)}",
        f"if not every path is meant, add .avoiding({_either(detours)}) to it; else claim {top.name!r} itself",
    )


def _either(nodes: list[Node]) -> str:
    return " | ".join([f"at({node.name!r})" for node in nodes[:SAID]] + ["..."] * (len(nodes) > SAID))


def _understood(reading: Reading, node: Interp) -> bool:
    """Whether each child claims something of its own, so that one fault does not bring another."""
    return all(map(reading.of, node.children)) and not any(region.overlaps for region in reading.of(node))


def _claimed(reading: Reading, node: Interp) -> list[Node]:
    return [place[0] for region in reading.of(node) for place in region.claimed]


def _share_inputs(reading: Reading, left: Iterable[Node], claimed: Iterable[Node]) -> bool:
    """Whether some input is read both by what is left and by what is claimed."""
    ours, theirs = (frozenset().union(*(reading.inputs[node] for node in nodes)) for nodes in (left, claimed))
    return not ours.isdisjoint(theirs)


def _detours(reading: Reading, node: Interp) -> tuple[list[Node], str]:
    """Where the paths of a child that claims more than one part, and the same as the end of a sentence."""
    for number, child in enumerate(node.children):
        for region in reading.of(node):
            paths, routes = region.routes(number, 1)
            if paths > 1 and (detours := region.detours(number)):
                said = f" ({child.name!r} {paths} to {routes[0][-1].name!r}, also by way of {_listed(detours)})"
                return detours, said
    return [], ""


def _unread(reading: Reading) -> Iterator[Fault]:
    """Nodes whose rows make no difference, so that their draw claims nothing."""
    root = reading.hypothesis
    kept = used(reading, streams(reading))
    for node, _ in preorder(root):
        regions = reading.of(node)
        if not regions or node.name in kept or not _understood(reading, node):
            continue
        if not node.children and node is not root:
            images = _listed([region.image for region in regions])
            yield Fault(node.name, f"stands for {images}, which reads no input", "select what depends on an input")
        elif node.children and not isinstance(node.draw, (Uniform, Exact, Fixed) if node is root else Uniform):
            fact = (
                "claims nothing: nothing below it reads its row, all children and others being drawn regardless of it"
            )
            yield Fault(node.name, fact, "let a child or the others agree with it, by Exact() or Matching(feature)")
