"""What can be wrong with a hypothesis: every fault is looked for, and all are told at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch

from remix_utils.data import Dataset, Exact, Fixed, Matching, Uniform
from remix_utils.errors import DataError, counted, kind_of, nearest
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Placeholder
from remix_utils.graph.select import find, no_match
from remix_utils.graph.walk import children_first
from remix_utils.scrub.draws import REFERENCE, Rows, Stream, streams, used
from remix_utils.scrub.hypothesis import HypothesisError, Interp, Reading, draw_text, preorder


class Fault(NamedTuple):
    """The node of the hypothesis (or what else is wrong), the fact, and the way out."""

    name: str
    fact: str
    fix: str


def refuse(faults: list[Fault]) -> None:
    """Raise one error for all the faults, if there are any."""
    if not faults:
        return
    listed = [f"\n  {number}. {each.name!r} {each.fact}: {each.fix}." for number, each in enumerate(faults, 1)]
    first = faults[0]
    raise HypothesisError(
        f"{first.name!r} {first.fact}." if len(faults) == 1 else f"{len(faults)} faults.{''.join(listed)}",
        fix=f"{first.fix}." if len(faults) == 1 else "mend each of them.",
        faults=faults,
        names=[each.name for each in faults],
    )


def read_checked(graph: Node, hypothesis: Interp, data: Dataset, n: int | str) -> Reading:
    """The hypothesis in the graph, once nothing is wrong with either that can be known without drawing.

    Raises HypothesisError with every fault.
    """
    refuse(list(_not_a_tree(hypothesis)))
    reading = hypothesis.on(graph)
    refuse(
        [
            *_names(hypothesis),
            *_unmapped(hypothesis),
            *_inputs(graph, data),
            *_size(hypothesis, data, n),
            *_root(graph, hypothesis),
            *_claims(reading),
            *_others(reading),
            *_unread(reading),
        ]
    )
    return reading


def _not_a_tree(hypothesis: object) -> Iterator[Fault]:
    """Without a tree nothing else can be looked at."""
    if not isinstance(hypothesis, Interp):
        several = isinstance(hypothesis, list | tuple)
        fact = f"has {counted(len(hypothesis), 'root')}" if several else f"is {kind_of(hypothesis)}"  # type: ignore
        yield Fault("hypothesis", fact, "give one Interp, the output; several hypotheses go by name, in a dict")
        return
    seen: dict[Interp, Interp | None] = {}
    stack: list[tuple[Interp, tuple[Interp, ...]]] = [(hypothesis, ())]
    while stack:
        node, above = stack.pop()
        if node in above:
            yield Fault(node.name, "is below itself", "give it children that are other nodes")
        elif node in seen:
            yield Fault(
                node.name,
                f"is a child twice, of {_called(seen[node])} and of {_called(above[-1])}",
                "make two nodes with names of their own, or one whose `at` selects both places, which share a row",
            )
        else:
            seen[node] = above[-1] if above else None
            stack += [(child, (*above, node)) for child in reversed(node.children)]


def _called(node: Interp | None) -> str:
    return repr(node.name) if node else "nothing"


def _unmapped(hypothesis: Interp) -> Iterator[Fault]:
    for node, _ in preorder(hypothesis):
        if node.at is None:
            yield Fault(node.name, "has no image in the model", "say with at(...) what it stands for")


def _names(hypothesis: Interp) -> Iterator[Fault]:
    names: dict[str, int] = {REFERENCE: 1}
    for node, _ in preorder(hypothesis):
        own = [node.name, node.others_name] if node.children else [node.name]
        for name in own:
            names[name] = names.get(name, 0) + 1
            if names[name] == 2:
                where = "is the name of the rows to judge on" if name == REFERENCE else "is the name of 2 nodes"
                yield Fault(name, f"{where}, and rows are drawn by name", "give each node a name of its own")


def _inputs(graph: Node, data: Dataset) -> Iterator[Fault]:
    free = [each for each in children_first(graph) if isinstance(each.op, Placeholder)]
    if graph.space is None or graph.space >= 0:
        fact = "reads no input" if graph.space is None else f"is resampled already, to {counted(graph.space, 'row')}"
        yield Fault(graph.name, fact, "scrub a graph that reads inputs, before anything in it is sampled")
    for node in free:
        if node.op.rows is not None:  # type: ignore[attr-defined]
            continue
        name: str = node.op.input  # type: ignore[attr-defined]
        if name not in data:
            yield Fault(
                name, f"is an input of the graph and no column; {nearest(name, data.columns)}", "give data that have it"
            )
        elif (tuple(data[name].shape[1:]), data[name].dtype) != (node.shape, node.dtype):
            column = data[name]
            yield Fault(
                name,
                f"is {column.dtype} {list(column.shape[1:])} a row in the data, {node.dtype} {list(node.shape)} in "
                "the graph",
                "give data of the input's shape and dtype",
            )


def _size(hypothesis: Interp, data: Dataset, n: object) -> Iterator[Fault]:
    whole = isinstance(n, int) and not isinstance(n, bool)
    if n != "all" and (not whole or n < 1):  # type: ignore[operator]
        yield Fault("n", f"is {n!r} draws", "draw at least one, or enumerate 'all'")
    draws = [draw for node, _ in preorder(hypothesis) for draw in (node.draw, node.others)]
    if len(data) == 1 and not all(isinstance(draw, Exact | Fixed | None) for draw in draws):
        yield Fault(hypothesis.name, "draws from a population of 1 row, itself", "give data with more rows")


def _root(graph: Node, hypothesis: Interp) -> Iterator[Fault]:
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
    """Children that claim nothing, or what another claims as well."""
    for parent, _ in preorder(reading.hypothesis):
        regions = reading.of(parent)
        claimed = {owner for region in regions for owner in region.claimed.values()}
        overlaps = {(a, b): (node, ends) for region in regions for a, b, node, ends in region.overlaps}
        for (a, b), (node, ends) in overlaps.items():
            first, second = parent.children[a], parent.children[b]
            way = "to" if ends else "through"
            fix = f"use {second.selector!r}.avoiding({node.name!r}) for it, or make it a child of {first.name!r}"
            yield Fault(
                second.name,
                f"claims what {first.name!r} claims: a path of its goes {way} {node.name!r}",
                "select for each what the other does not" if ends else fix,
            )
        hidden = {b for _, b in overlaps}
        for number, child in enumerate(parent.children):
            if number not in claimed and number not in hidden and regions and child.at is not None:
                yield _nothing_claimed(reading, parent, child)


def _nothing_claimed(reading: Reading, parent: Interp, child: Interp) -> Fault:
    chosen, images = child.selector, [region.image for region in reading.of(parent)]
    found = find(reading.graph, chosen, missing="ok")
    if any(chosen.accepts(chosen.start(image)) for image in images):
        return Fault(child.name, f"claims the image of {parent.name!r} itself", "select nodes below it")
    if found:
        fact = f"claims {found[-1].name!r}, to which no path leads from {_listed(images)}, the image of {parent.name!r}"
        return Fault(child.name, fact, f"make it a child of what it is below, or let it start below {parent.name!r}")
    return Fault(child.name, f"claims nothing: {no_match(images[0], chosen).fact.rstrip('.')}", "correct the name")


def _listed(images: list[Node]) -> str:
    return ", ".join(repr(image.name) for image in images[:3])


def _others(reading: Reading) -> Iterator[Fault]:
    """Others that are not there, and those that are and have no draw."""
    for node, _ in preorder(reading.hypothesis):
        if not node.children:
            if node.others is not None and node.others != Uniform():
                fact = "has no children, and so nothing that others could read"
                yield Fault(node.name, fact, "leave out others=, or give it children")
            continue
        left = list(reading.unclaimed(node))
        if not _understood(reading, node):
            continue
        if node.others is None and left:
            fact = f"draws nothing for others, but no child claims {_listed(left)}"
            yield Fault(node.name, fact, "give it others=, or children that claim them")
        elif node.others is not None and not left:
            yield _everything_claimed(reading, node, "leaves nothing to its others", "say others=None")
        elif node.others is not None and _apart(reading, node, left) and _detours(reading, node)[0]:
            fact = f"leaves to its others {_listed(left)} alone"
            yield _everything_claimed(reading, node, fact, "let a child claim what is left and say others=None")


def _everything_claimed(reading: Reading, node: Interp, fact: str, otherwise: str) -> Fault:
    """Often fewer paths were meant: "from the embeddings" is also through every head that reads them."""
    detours, said = _detours(reading, node)
    fact = f"{fact}: its children claim every path to the inputs that they read{said}"
    if not detours:
        return Fault(node.name, fact, otherwise)
    avoid = " | ".join(f"at({each.name!r})" for each in detours)
    return Fault(node.name, fact, f"if not every path is meant, add .avoiding({avoid}) to it; else {otherwise}")


def _understood(reading: Reading, node: Interp) -> bool:
    """Whether each child claims something of its own, so that one fault does not bring another."""
    return all(map(reading.of, node.children)) and not any(region.overlaps for region in reading.of(node))


def _apart(reading: Reading, node: Interp, left: list[Node]) -> bool:
    """Whether the children claim every path to each input that they read."""
    claimed = [place[0] for region in reading.of(node) for place in region.claimed]
    return _sources(left).isdisjoint(_sources(claimed))


def _sources(nodes: list[Node]) -> set[Node]:
    return {each for each in children_first(*nodes) if isinstance(each.op, Placeholder)}


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


def draw_checked(reading: Reading, data: Dataset, n: int, seed: int) -> Rows:
    """Rows by name, each a LongTensor [n].

    Raises HypothesisError with every draw that cannot be made, and every one that can change nothing.
    """
    rows: Rows = {}
    faults: list[Fault] = []
    for stream in streams(reading):
        given = torch.zeros(n, dtype=torch.long) if stream.given is None else rows[stream.given]
        try:
            rows[stream.name] = stream.draw.rows(data, given, stream.generator(seed))
        except DataError as problem:
            faults.append(Fault(stream.name, f"cannot draw: {problem.fact.rstrip('.')}", problem.fix.rstrip(".")))
            rows[stream.name] = given
            continue
        faults += _too_fine(stream, data, given, rows[stream.name])
    refuse(faults)
    return rows


def _too_fine(stream: Stream, data: Dataset, given: torch.Tensor, drawn: torch.Tensor) -> Iterator[Fault]:
    """A feature that only the row itself has, so that nothing is resampled."""
    if isinstance(stream.draw, Matching) and torch.equal(given, drawn):
        everywhere = torch.arange(len(data)) if stream.draw.among is None else given
        size = stream.draw.support(data, everywhere).size
        if bool((size == 1).all()):
            fact = f"moves nothing: {draw_text(stream.draw)}, each of {counted(len(size), 'row')} agrees with 1, itself"
            yield Fault(stream.name, fact, "take a coarser feature or more data, or say Exact()")
