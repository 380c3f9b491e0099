"""Evaluation: each distinct computation once, in chunks of rows that fit in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypedDict, Unpack, overload

import torch

from remix_utils.errors import InputError, MemoryLimitError, NanError, NodeError
from remix_utils.graph.execute import compile, run
from remix_utils.graph.narrow import narrow
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Array, Sample
from remix_utils.graph.schedule import Bound, Inputs, Stage, bind, size_in_bytes, stages
from remix_utils.graph.walk import children_first

DEFAULT_MEMORY = 2**30
Nodes = Node | Sequence[Node] | Mapping[str, Node]
Values = dict[str, torch.Tensor]


class Options(TypedDict, total=False):
    """How `evaluate` goes about its work."""

    batch_size: int | None
    memory: int | None
    executor: Executor | None
    grad: bool


@dataclass(frozen=True)
class Plan:
    """What an evaluation will do: its stages, the bytes it will hold at most, its floating-point operations."""

    stages: tuple[Stage, ...]
    chunk: int
    fixed_bytes: int

    @property
    def flops(self) -> int:
        return sum(stage.flops for stage in self.stages)

    @property
    def row_bytes(self) -> int:
        return max((stage.row_bytes for stage in self.stages), default=0)

    @property
    def peak_bytes(self) -> int:
        return self.fixed_bytes + max((s.row_bytes * min(self.chunk, s.rows) for s in self.stages), default=0)

    def __str__(self) -> str:
        lines = [f"{s.name}: {len(s.nodes)} nodes, {s.rows} rows, {s.flops / 1e6:,.1f} MFLOP" for s in self.stages]
        return "\n".join([*lines, f"chunks of {self.chunk} rows, at most {self.peak_bytes / 2**20:,.1f} MiB"])


def plan(nodes: Nodes, inputs: Inputs | None = None, batch_size: int | None = None, memory: int | None = None) -> Plan:
    """What `evaluate` would do, before anything runs: `.stages`, `.peak_bytes`, `.flops`, `.chunk`.

    >>> from remix_utils import einsum, placeholder
    >>> x = placeholder("x", (3,))
    >>> plan(einsum("i, i ->", x, x), {"x": torch.ones(10, 3)}).flops
    60

    Raises the errors of `evaluate` that can be known beforehand.
    """
    roots = narrow(_roots(nodes))
    bound = bind(children_first(*roots), inputs)
    return _plan(stages(roots, bound), roots, batch_size, memory)


@overload
def evaluate(nodes: Node, inputs: Inputs | None = None, **options: Unpack[Options]) -> torch.Tensor: ...
@overload
def evaluate(nodes: Mapping[str, Node], inputs: Inputs | None = None, **options: Unpack[Options]) -> Values: ...
@overload
def evaluate(nodes: Sequence[Node], inputs: Inputs | None = None, **options: Unpack[Options]) -> list[torch.Tensor]: ...
def evaluate(
    nodes,
    inputs: Inputs | None = None,
    *,
    batch_size: int | None = None,
    memory: int | None = None,
    executor: Executor | None = None,
    grad: bool = False,
):
    """The value of a node, of a list of nodes (a list) or of labelled nodes (a dict), sharing all they have in common.

    Inputs are tensors by placeholder name, with one or more leading batch axes or none; what depends on no batched
    input is computed once and returned without batch axes. Rows go in chunks of `batch_size`, or of as many as
    `memory` bytes hold (1 GiB if nothing is said), on any `concurrent.futures.Executor`. With `grad=True` gradients
    flow to the inputs.

    >>> from remix_utils import add, placeholder
    >>> x = placeholder("x", (3,))
    >>> evaluate(add(x, x), {"x": torch.ones(2, 3)})
    tensor([[2., 2., 2.],
            [2., 2., 2.]])

    Raises InputError, ShapeError, DtypeError for inputs that do not fit, MemoryLimitError before any work,
    NanError naming the node where a NaN was born.
    """
    roots = _roots(nodes)
    narrowed = narrow(roots)
    order = children_first(*narrowed)
    bound = bind(order, inputs)
    if grad and executor is not None:
        raise InputError("Gradients do not pass through an executor.", fix="leave out executor= or grad=True.")
    found = stages(narrowed, bound)
    chunk = _plan(found, narrowed, batch_size, memory).chunk
    with torch.set_grad_enabled(grad):
        results = _results(narrowed, _run_stages(found, bound, chunk, executor, grad), bound)
    if isinstance(nodes, Mapping):
        return dict(zip(nodes, results, strict=True))
    return results[0] if isinstance(nodes, Node) else results


def _roots(nodes: Nodes) -> list[Node]:
    roots = [nodes] if isinstance(nodes, Node) else list(nodes.values() if isinstance(nodes, Mapping) else nodes)
    for root in roots:
        if type(root) is not Node:
            raise NodeError(
                f"evaluate was given a {type(root).__name__}.", fix="pass a node, a list or a dict of nodes."
            )
    return roots


def _plan(found: list[Stage], roots: Sequence[Node], batch_size: int | None, memory: int | None) -> Plan:
    for name, value in (("batch_size", batch_size), ("memory", memory)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InputError(f"{name} is {value!r}.", fix="give a whole number, 1 or more.")
    kept = sum(size_in_bytes(node) * stage.rows for stage in found for node in stage.keep if node.children)
    row = max((stage.row_bytes for stage in found), default=0)
    limit = memory or DEFAULT_MEMORY
    if memory is not None and kept + row * (batch_size or 1) > memory:
        raise MemoryLimitError(
            f"The limit is {memory:,} bytes, but results and constants take {kept:,} "
            f"and {batch_size or 1} row(s) at a time {row * (batch_size or 1):,} more.",
            fix=f"allow at least {kept + row:,} bytes, or ask for less: put the metric into the graph.",
            memory=memory,
            needed=kept + row * (batch_size or 1),
        )
    most = max((stage.rows for stage in found), default=1)
    fitting = max((limit - kept) // row, 1) if row else most
    return Plan(tuple(found), min(batch_size or fitting, most), kept)


def _run_stages(
    found: list[Stage], bound: Bound, chunk: int, executor: Executor | None, grad: bool
) -> dict[Node, torch.Tensor]:
    known = {node: value for node, value in bound.values.items() if node not in bound.batched}
    batched: set[Node] = set()
    for stage in found:
        if stage.name == "constants":
            known |= _constants(stage, known, bound.device)
            continue
        batched |= set(stage.nodes)
        rows, gather = _sources(stage, found, bound, known)
        outside = dict.fromkeys(c for n in stage.nodes for c in n.children if c in known and c not in batched)
        program = compile(stage.nodes, [*outside, *gather], stage.keep, batched)
        fixed = [known[node] for node in outside]
        parts = [rows[start : start + chunk] for start in range(0, len(rows), chunk)]
        jobs = ((program, [*fixed, *(fetch(part) for fetch in gather.values())], grad) for part in parts)
        if executor is not None:
            chunks = (future.result() for future in [executor.submit(run, *job) for job in jobs])
        else:
            chunks = (run(*job) for job in jobs)
        known |= _joined(stage, len(rows), chunk, chunks)
    return known


def _constants(stage: Stage, known: dict[Node, torch.Tensor], device: torch.device) -> dict[Node, torch.Tensor]:
    """What no row changes; a fixed tensor goes where the inputs are."""
    arrays = {node: node.op.buffer.tensor.to(device) for node in stage.nodes if isinstance(node.op, Array)}
    for node, value in arrays.items():
        if node.op.buffer.has_nan:  # type: ignore[attr-defined]
            where = value.isnan().nonzero()[0].tolist()
            raise NanError(f"{node!r} holds NaN, first at {where}.", fix="clean the tensor first.", position=where)
    given = known | arrays
    program = compile(stage.nodes, list(given), stage.keep, set())
    return dict(zip(stage.keep, run(program, list(given.values()), torch.is_grad_enabled()), strict=True))


def _sources(stage: Stage, found: list[Stage], bound: Bound, known: dict[Node, torch.Tensor]):
    """The rows to compute, and for each input or sample how to fetch some of them."""
    if stage.name == "population":
        rows = _rows_read(stage, found, bound.rows)
        return rows, {n: _fetch(bound.values[n]) for n in stage.nodes if n in bound.values}
    place = torch.full((bound.rows,), -1)
    population = next(each for each in found if each.name == "population")
    read = _rows_read(population, found, bound.rows)
    place[read] = torch.arange(len(read))
    samples = [node for node in stage.nodes if isinstance(node.op, Sample)]
    return torch.arange(stage.rows), {
        node: _fetch(known[node.children[0]], place[node.op.rows.tensor])  # type: ignore[attr-defined]
        for node in samples
    }


def _fetch(values: torch.Tensor, places: torch.Tensor | None = None):
    def fetch(rows: torch.Tensor) -> torch.Tensor:
        wanted = rows if places is None else places[rows]
        if len(wanted) == int(wanted[-1] - wanted[0]) + 1 and bool((wanted.diff() == 1).all()):
            return values[int(wanted[0]) : int(wanted[-1]) + 1]
        return values[wanted.to(values.device)]

    return fetch


def _rows_read(population: Stage, found: list[Stage], rows: int) -> torch.Tensor:
    """The rows of the population that anybody reads: all of them when a result is a population's."""
    samples = [n for stage in found for n in stage.nodes if isinstance(n.op, Sample) and stage.name != "constants"]
    if set(population.keep) - {node.children[0] for node in samples} or population.wanted:
        return torch.arange(rows)
    return torch.cat([node.op.rows.tensor for node in samples]).unique()  # type: ignore[attr-defined]


def _joined(stage: Stage, rows: int, chunk: int, chunks: Iterable[list[torch.Tensor]]) -> dict[Node, torch.Tensor]:
    if rows <= chunk:
        return dict(zip(stage.keep, next(iter(chunks)), strict=True))
    joined: dict[Node, torch.Tensor] = {}
    for number, values in enumerate(chunks):
        for node, value in zip(stage.keep, values, strict=True):
            if node not in joined:
                joined[node] = value.new_empty(rows, *node.shape)
            joined[node][number * chunk : number * chunk + len(value)] = value
    return joined


def _results(roots: Sequence[Node], values: dict[Node, torch.Tensor], bound: Bound) -> list[torch.Tensor]:
    """Tensors that share memory with nothing: not with inputs, not with the graph, not with each other."""
    taken = {value.untyped_storage().data_ptr() for value in bound.values.values()}
    results = []
    for node in roots:
        value = values[node]
        storage = value.untyped_storage()
        if storage.data_ptr() in taken or storage.nbytes() > value.numel() * value.element_size() or not node.children:
            value = value.clone()
        taken.add(value.untyped_storage().data_ptr())
        if node.space == -1 and value.ndim > len(node.shape) and bound.batch_shape:
            value = value.reshape(*bound.batch_shape, *node.shape)
        results.append(value)
    return results
