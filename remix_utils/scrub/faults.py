"""What can be wrong with a hypothesis: every fault is looked for, and all are told at once."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from remix_utils.data import Dataset, Exact, Fixed, Matching
from remix_utils.errors import DataError, counted, kind_of, nearest
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Placeholder
from remix_utils.graph.walk import children_first
from remix_utils.scrub.claims import claim_faults
from remix_utils.scrub.draws import REFERENCE, Rows, Stream, streams
from remix_utils.scrub.hypothesis import Fault, HypothesisError, Interp, Reading, draw_text, preorder

LISTED = 20  # faults that an error writes out; it has them all as an attribute


def refuse(faults: list[Fault]) -> None:
    """Raise one error for all the faults, if there are any."""
    if not faults:
        return
    listed = [f"\n  {number}. {each.name!r} {each.fact}: {each.fix}." for number, each in enumerate(faults[:LISTED], 1)]
    listed += [f"\n  and {len(faults) - LISTED} more"] if len(faults) > LISTED else []
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
            *claim_faults(reading),
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
            rows[stream.name] = given
            if stream.name == REFERENCE and isinstance(stream.draw, Fixed):
                continue  # these are the root's rows, whose fault it is
            faults.append(Fault(stream.name, f"cannot draw: {problem.fact.rstrip('.')}", problem.fix.rstrip(".")))
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
