"""Evaluation: each distinct computation once, in chunks of rows that fit in memory."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TypedDict, Unpack, overload

import torch
from tqdm import tqdm

from remix_utils.errors import InputError, MemoryLimitError, NanError, NodeError, kind_of
from remix_utils.graph.execute import compile, run
from remix_utils.graph.narrow import narrow
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Array, Placeholder, Sample
from remix_utils.graph.schedule import Bound, Inputs, Stage, bind, stages
from remix_utils.graph.walk import children_first

DEFAULT_MEMORY = 2**30
BAR = "{percentage:3.0f}% |{bar}| {elapsed} so far, {remaining} left"
Nodes = Node | Sequence[Node] | Mapping[str, Node]
Values = dict[str, torch.Tensor]


class Options(TypedDict, total=False):
    """How `evaluate` goes about its work."""

    batch_size: int | None
    memory: int | None
    executor: Executor | None
    grad: bool
    progress: bool


@dataclass(frozen=True)
class Plan:
    """What an evaluation will do: its stages, the bytes it will hold at most, its floating-point operations."""

    stages: tuple[Stage, ...]
    chunk: int

    @property
    def flops(self) -> int:
        return sum(stage.flops for stage in self.stages)

    @property
    def kept_bytes(self) -> int:
        """Bytes of results, and of what one stage computes for the next."""
        return sum(stage.kept_bytes for stage in self.stages)

    @property
    def peak_bytes(self) -> int:
        """The most bytes that values take at once, beside inputs and fixed tensors."""
        held, most = 0, 0
        for stage in self.stages:
            joined = stage.kept_bytes if stage.rows > self.chunk else 0
            most = max(most, held + joined + stage.once_bytes + stage.row_bytes * min(self.chunk, stage.rows))
            held += stage.kept_bytes
        return max(most, held)

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
    _, narrowed, bound = _prepare(nodes, inputs)
    return _plan(stages(narrowed, bound), batch_size, memory, bound.device)


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
    progress: bool = False,
):
    """The value of a node, of a list of nodes (a list) or of labelled nodes (a dict), sharing all they have in common.

    Inputs are tensors by placeholder name, with one or more leading batch axes or none; what depends on no batched
    input is computed once and returned without batch axes. Rows go in chunks of `batch_size`, or of as many as
    `memory` bytes hold (1 GiB if nothing is said, in each worker; a quarter of it beside results that are large), but
    no more than a CPU's caches like, on any `concurrent.futures.Executor`. With `grad=True` gradients flow to the
    inputs and to the tensors that arrays were made from. With `progress=True` a bar shows the time left, where the work
    takes more than two seconds.

    >>> from remix_utils import add, placeholder
    >>> x = placeholder("x", (3,))
    >>> evaluate(add(x, x), {"x": torch.ones(2, 3)})
    tensor([[2., 2., 2.],
            [2., 2., 2.]])

    Raises InputError, ShapeError, DtypeError for inputs that do not fit, MemoryLimitError before any work,
    NanError naming the node where a NaN was born.
    """
    roots, narrowed, bound = _prepare(nodes, inputs)
    if grad and executor is not None:
        raise InputError(
            "Gradients do not pass through an executor.",
            fix="leave out executor= or grad=True.",
            executor=type(executor).__name__,
        )
    found = stages(narrowed, bound)
    chunk = _plan(found, batch_size, memory, bound.device).chunk
    with torch.set_grad_enabled(grad), _bar(found, progress) as bar:
        values = _run_stages(found, bound, chunk, executor, grad, bar)
        results = _results(roots, [values[node] for node in narrowed], bound)
    if isinstance(nodes, Mapping):
        return dict(zip(nodes, results, strict=True))
    return results[0] if isinstance(nodes, Node) else results


def _prepare(nodes: Nodes, inputs: Inputs | None) -> tuple[list[Node], list[Node], Bound]:
    """The roots, equal ones that compute only what is read, and the inputs.

    Which inputs are needed, and what has rows, does not depend on how little is computed.
    """
    roots = _roots(nodes)
    narrowed = narrow(roots)
    asked = [node for node in children_first(*roots) if isinstance(node.op, Placeholder)]
    return roots, narrowed, bind(list(dict.fromkeys([*children_first(*narrowed), *asked])), inputs)


def _roots(nodes: Nodes) -> list[Node]:
    roots = [nodes] if isinstance(nodes, Node) else list(nodes.values() if isinstance(nodes, Mapping) else nodes)
    for root in roots:
        if type(root) is not Node:
            raise NodeError(
                f"evaluate was given {kind_of(root)}.",
                fix="pass a node, a list or a dict of nodes.",
                given=type(root).__name__,
            )
    return roots


def _plan(found: list[Stage], batch_size: int | None, memory: int | None, device: torch.device) -> Plan:
    for name, value in (("batch_size", batch_size), ("memory", memory)):
        if value is not None and (not isinstance(value, int) or isinstance(value, bool) or value < 1):
            raise InputError(f"{name} is {value!r}.", fix="give a whole number, 1 or more.", option=name, value=value)
    most = max((stage.rows for stage in found), default=1)
    varying = [stage for stage in found if stage.name != "constants"]
    row = max((stage.row_bytes for stage in varying), default=0)
    quick = min((stage.quick for stage in varying), default=most) if device.type == "cpu" else most
    best = Plan(tuple(found), min(batch_size or quick, most))
    allowed = memory or max(DEFAULT_MEMORY, best.kept_bytes + DEFAULT_MEMORY // 4)  # chunks of a row take for ever
    if batch_size is None and best.peak_bytes > allowed:
        once = max(stage.once_bytes for stage in found)
        fitting = (allowed - best.kept_bytes - once) // max(row, 1)
        best = Plan(tuple(found), min(max(fitting, 1), best.chunk))
    if memory is not None and best.peak_bytes > memory:
        least = Plan(tuple(found), 1)
        raise MemoryLimitError(
            f"The limit is {memory:,} bytes, but {best.chunk} row(s) at a time take {best.peak_bytes:,}, "
            f"of which results and constants are {best.kept_bytes:,}.",
            fix=f"allow at least {least.peak_bytes:,} bytes, or ask for less: put the metric into the graph.",
            memory=memory,
            needed=best.peak_bytes,
        )
    return best


def _run_stages(
    found: list[Stage], bound: Bound, chunk: int, executor: Executor | None, grad: bool, bar: tqdm
) -> dict[Node, torch.Tensor]:
    known = {node: value for node, value in bound.values.items() if node not in bound.batched}
    batched: set[Node] = set()
    for stage in found:
        if stage.name == "constants":
            known |= _constants(stage, known, bound.device, grad)
            continue
        batched |= set(stage.nodes)
        gather = _sources(stage, found, bound, known)
        outside = dict.fromkeys(c for n in stage.nodes for c in n.children if c in known and c not in batched)
        program = compile(stage.nodes, [*outside, *gather], stage.keep, batched)
        fixed = [known[node] for node in outside]
        parts = stage.read.split(chunk)
        jobs = ((program, [*fixed, *(fetch(part) for fetch in gather.values())], grad) for part in parts)
        chunks = (run(*job) for job in jobs) if executor is None else _sent(executor, jobs)
        known |= _joined(stage, chunk, chunks, bar)
    return known


def _bar(found: list[Stage], progress: bool) -> tqdm:
    total = sum(stage.flops for stage in found)
    # On stdout: nbgrader's validator takes whatever a cell writes to stderr for a failure.
    return tqdm(file=sys.stdout, total=total, delay=2, smoothing=0, leave=False, bar_format=BAR, disable=not progress)


def _sent(executor: Executor, jobs: Iterable[tuple]) -> Iterator[list[torch.Tensor]]:
    """The results in order, each let go once it is taken; after an error, what has not begun is called off."""
    futures = deque([executor.submit(run, *job) for job in jobs])
    try:
        while futures:
            yield futures.popleft().result()
    finally:
        for future in futures:
            future.cancel()


def _constants(
    stage: Stage, known: dict[Node, torch.Tensor], device: torch.device, grad: bool
) -> dict[Node, torch.Tensor]:
    """What no row changes; a fixed tensor goes where the inputs are."""
    arrays = {node: node.op.buffer.tensor.to(device) for node in stage.nodes if isinstance(node.op, Array)}
    for node, value in arrays.items():
        if node.op.buffer.has_nan:  # type: ignore[attr-defined]
            where = value.isnan().nonzero()[0].tolist()
            raise NanError(
                f"{node!r} holds NaN, first at {where}.",
                fix="clean the tensor first.",
                position=where,
                place=node.place,
            )
    given = known | (arrays if grad else {node: value.detach() for node, value in arrays.items()})
    program = compile(stage.nodes, list(given), stage.keep, set())
    return dict(zip(stage.keep, run(program, list(given.values()), grad), strict=True))


def _sources(stage: Stage, found: list[Stage], bound: Bound, known: dict[Node, torch.Tensor]):
    """For each input or sample, how to fetch some of its rows."""
    if stage.name == "population":
        return {node: _fetch(bound.values[node]) for node in stage.nodes if node in bound.values}
    read = next(each.read for each in found if each.name == "population")
    place = torch.full((bound.rows,), -1)
    place[read] = torch.arange(len(read))
    samples = [node for node in stage.nodes if isinstance(node.op, Sample)]
    return {
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


def _joined(stage: Stage, chunk: int, chunks: Iterator[list[torch.Tensor]], bar: tqdm) -> dict[Node, torch.Tensor]:
    """The kept values of all rows; no chunk outlives its copying."""
    if stage.rows <= chunk:
        values = next(chunks)
        bar.update(stage.flops)
        return dict(zip(stage.keep, values, strict=True))
    joined: dict[Node, torch.Tensor] = {}
    for start in range(0, stage.rows, chunk):
        for node, value in zip(stage.keep, next(chunks), strict=True):
            if node not in joined:
                joined[node] = value.new_empty(stage.rows, *node.shape)
            joined[node][start : start + len(value)] = value
        del value
        bar.update(stage.flops * min(chunk, stage.rows - start) / stage.rows)
    return joined


def _results(roots: Sequence[Node], values: Sequence[torch.Tensor], bound: Bound) -> list[torch.Tensor]:
    """Tensors that share memory with nothing: not with inputs, not with the graph, not with each other."""
    taken = {value.untyped_storage().data_ptr() for value in bound.values.values()}
    results = []
    for node, value in zip(roots, values, strict=True):
        storage = value.untyped_storage()
        if value.ndim == len(node.shape) and not bound.batched.isdisjoint(children_first(node)):
            value = value.expand(bound.rows if node.space == -1 else node.space or 1, *node.shape).clone()
        elif storage.data_ptr() in taken or storage.nbytes() > value.nbytes or not node.children:
            value = value.clone()
        taken.add(value.untyped_storage().data_ptr())
        if node.space == -1 and value.ndim > len(node.shape):
            value = value.reshape(*(bound.batch_shape or ()), *node.shape)
        results.append(value)
    return results
