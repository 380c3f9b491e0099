"""What will be computed when: inputs bound and checked, stages, and the memory they need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch

from remix_utils.data import Dataset
from remix_utils.errors import BoundsError, DtypeError, InputError, NanError, ShapeError, kind_of
from remix_utils.graph.memory import peak, size_in_bytes
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Array, Placeholder, Sample
from remix_utils.graph.padding import refuse_unread_mask
from remix_utils.graph.walk import children_first

Inputs = Mapping[str, torch.Tensor] | Dataset
CACHED = 2**24  # bytes of a value in a chunk: larger ones took up to three times as long
WORTH = 10**7  # operations for each node in a chunk: with fewer, one waits for Python


@dataclass
class Bound:
    """The inputs of one evaluation: a tensor for each placeholder, batch axes flattened to rows."""

    values: dict[Node, torch.Tensor] = field(default_factory=dict)
    batched: set[Node] = field(default_factory=set)
    batch_shape: tuple[int, ...] | None = None
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))

    @property
    def rows(self) -> int:
        count = 1
        for size in self.batch_shape or ():
            count *= size
        return count


def bind(nodes: Sequence[Node], inputs: Inputs | None) -> Bound:
    """Find a tensor for each placeholder and refuse, before any work, what does not fit."""
    columns = inputs.columns if isinstance(inputs, Dataset) else dict(inputs or {})
    free = [n for n in nodes if isinstance(n.op, Placeholder) and n.op.rows is None]
    own = [n for n in nodes if isinstance(n.op, Placeholder) and n.op.rows is not None]
    missing = sorted({n.op.input for n in free} - set(columns))  # type: ignore[attr-defined]
    if missing:
        raise InputError(
            f"Input {missing[0]!r} is not bound"
            + (f" (nor are {missing[1:]})" if missing[1:] else "")
            + f"; given: {sorted(columns) or 'nothing'}.",
            fix=f"pass {{{missing[0]!r}: tensor}} to evaluate.",
            missing=missing,
            given=sorted(columns),
        )
    refuse_unread_mask(nodes, columns)
    bound = Bound()
    for node in free:
        name = node.op.input  # type: ignore[attr-defined]
        batch = _check(node, name, columns[name])
        if batch:
            _same_rows(bound, batch, name)
            bound.batched.add(node)
        bound.device = columns[name].device
        bound.values[node] = columns[name].reshape(-1, *node.shape) if batch else columns[name]
    for node in own:  # where nothing reads the input any more, it still says how many rows there are
        like = node.op.like  # type: ignore[attr-defined]
        if like in columns and (batch := _check(node, like, columns[like])):
            _same_rows(bound, batch, like)
    for node in own:
        _bind_own(bound, node, node.op)  # type: ignore[arg-type]
    return bound


def _check(node: Node, name: str, value: object) -> tuple[int, ...]:
    """The batch axes of an input that fits its placeholder."""
    if not isinstance(value, torch.Tensor):
        raise InputError(
            f"Input {name!r} is {kind_of(value)}, not a tensor.",
            fix="use torch.as_tensor(...).",
            name=name,
            given=type(value).__name__,
        )
    if value.dtype != node.dtype:
        raise DtypeError(
            f"Input {name!r} is {value.dtype}, its placeholder {node.dtype}.",
            fix=f"convert it with .to({node.dtype}).",
            name=name,
            given=value.dtype,
            wanted=node.dtype,
        )
    lead = value.ndim - len(node.shape)
    if lead < 0 or tuple(value.shape[lead:]) != node.shape:
        raise ShapeError(
            f"Input {name!r} is {list(value.shape)}, its placeholder {list(node.shape)} per example.",
            fix=f"give it the shape [rows, {', '.join(map(str, node.shape))}], or the example's shape alone.",
            name=name,
            given=tuple(value.shape),
            wanted=node.shape,
        )
    if 0 in value.shape[:lead]:
        raise InputError(
            f"Input {name!r} has 0 rows {list(value.shape)}.", fix="bind at least one row.", rows=0, name=name
        )
    if value.is_floating_point() and bool(value.isnan().any()):
        where = value.isnan().nonzero()[0].tolist()
        raise NanError(f"Input {name!r} is NaN at {where}.", fix="clean the input first.", position=where, name=name)
    return tuple(value.shape[:lead])


def _same_rows(bound: Bound, batch: tuple[int, ...], name: str) -> None:
    if bound.batch_shape not in (None, batch):
        raise InputError(
            f"Input {name!r} has batch axes {list(batch)}, another input {list(bound.batch_shape or ())}.",
            fix="bind all inputs with the same rows, or without rows at all.",
            name=name,
            given=batch,
            wanted=bound.batch_shape,
        )
    bound.batch_shape = batch


def _bind_own(bound: Bound, node: Node, op: Placeholder) -> None:
    rows = op.rows.tensor.to(bound.device)  # type: ignore[union-attr]
    if bound.batch_shape is None:
        bound.batch_shape = (len(rows),)
    if len(rows) != bound.rows and not (op.spare and len(rows) > bound.rows):
        raise InputError(
            f"{node.place} brings {len(rows)} rows of its own, the inputs have {bound.rows}.",
            fix="intervene with data of the same rows as the inputs, or with a single row.",
            place=node.place,
            given=len(rows),
            wanted=bound.rows,
        )
    if op.rows.has_nan:  # type: ignore[union-attr]
        where = rows.isnan().nonzero()[0].tolist()
        raise NanError(
            f"{node.place} brings NaN along, first at {where}.",
            fix="clean the data first.",
            position=where,
            place=node.place,
        )
    bound.values[node] = rows[: bound.rows]
    bound.batched.add(node)


@dataclass(frozen=True)
class Stage:
    """Nodes computed together over the same rows; chunks of rows are independent."""

    name: str
    nodes: tuple[Node, ...]
    keep: tuple[Node, ...]
    rows: int
    row_bytes: int  # the most that one row holds at once
    once_bytes: int  # the most that is needed for a moment, however many rows there are
    kept_bytes: int  # what is left of all rows for later stages and for the caller
    flops: int
    read: torch.Tensor = field(compare=False, repr=False)  # which rows are computed [rows]

    @property
    def quick(self) -> int:
        """How many rows a CPU works on best: no value that is let go again outgrows its caches, and yet each node has
        enough to do."""
        kept = set(self.keep)
        sizes = [size_in_bytes(node) for node in self.nodes if node.children and node not in kept]
        enough = len(self.nodes) * WORTH * self.rows // max(self.flops, 1)
        return max(CACHED // max([*sizes, 1]), enough, 1)


def stages(roots: Sequence[Node], bound: Bound) -> list[Stage]:
    """Constants, then the population, then each number of draws: only the rows that are read."""
    order = children_first(*roots)
    batched = rows_of(order, bound)
    sampled = [node for node in order if isinstance(node.op, Sample) and node.children[0] in batched]
    for node in sampled:
        _check_rows(node, bound)
    groups: dict[int | None, list[Node]] = {None: [], -1: []}
    for node in order:
        groups.setdefault(node.space if node in batched else None, []).append(node)
    readers = {child for node in order for child in node.children if node in batched and child not in batched}
    kept = {*roots, *readers, *(node.children[0] for node in sampled)}
    found = []
    for space, nodes in groups.items():
        if space == -1:
            read = torch.arange(bound.rows) if not set(roots).isdisjoint(nodes) else _drawn(sampled)
        else:
            read = torch.arange(1 if space is None else space)
        if nodes:
            found.append(_stage(space, nodes, [node for node in nodes if node in kept], read, bound))
    return found


def _stage(space: int | None, nodes: Sequence[Node], keep: Sequence[Node], read: torch.Tensor, bound: Bound) -> Stage:
    """One stage with its costs; sources come first, since they are fetched together."""
    sources = [node for node in nodes if node in bound.values or (space not in (None, -1) and _is_sample(node))]
    first = set(sources)
    order = [*sources, *(node for node in nodes if node not in first)]
    lent = {node for node in nodes if _is_lent(node, bound, whole=len(read) == bound.rows)}
    row_bytes, once_bytes = peak(order, keep, lent, set(nodes) if space is not None else set())
    return Stage(
        {None: "constants", -1: "population"}.get(space, f"{space} draws"),
        tuple(nodes),
        tuple(keep),
        len(read),
        row_bytes,
        once_bytes,
        sum(size_in_bytes(node) for node in keep if node not in lent or space is not None) * len(read),
        sum(node.op.flops(node) for node in nodes) * len(read),
        read,
    )


def _is_sample(node: Node) -> bool:
    return isinstance(node.op, Sample)


def _is_lent(node: Node, bound: Bound, whole: bool) -> bool:
    """Whether the value lies in memory that is the graph's or the caller's: no room has to be made for it."""
    if isinstance(node.op, Array):
        return node.op.buffer.tensor.device == bound.device
    return node in bound.values and (whole or node not in bound.batched)


def _drawn(sampled: Sequence[Node]) -> torch.Tensor:
    """The rows of the population that some sample reads, in order."""
    rows = [node.op.rows.tensor for node in sampled]  # type: ignore[attr-defined]
    return torch.cat(rows).unique() if rows else torch.arange(0)


def rows_of(order: Sequence[Node], bound: Bound) -> set[Node]:
    """The nodes whose value differs from row to row."""
    batched = set(bound.batched)
    for node in order:
        if any(child in batched for child in node.children):
            batched.add(node)
    return batched


def _check_rows(node: Node, bound: Bound) -> None:
    most = int(node.op.rows.tensor.max())  # type: ignore[attr-defined]
    if most >= bound.rows:
        raise BoundsError(
            f"{node.place}: row {most} is drawn from a population of {bound.rows} rows.",
            fix="evaluate with the dataset that the rows were drawn from.",
            row=most,
            size=bound.rows,
            place=node.place,
        )
