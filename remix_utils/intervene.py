"""Interventions: a graph in, a graph out, in which some nodes take their value from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError, InputError, MatchError, RewriteError, ShapeError, kind_of, nearest
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Placeholder
from remix_utils.graph.ops import array, bound
from remix_utils.graph.rewrite import update
from remix_utils.graph.walk import Echo, children_first, substitute

How = Literal["zero", "mean", "resample"]
Data = Dataset | Mapping[str, torch.Tensor]


def ablate(graph: Node, which: object, how: How, data: Data | None = None, seed: int = 0) -> Node:
    """Take away what the selected nodes say about their input; all else reads the inputs as before.

    "zero" puts zeros in their place; "mean" their mean over the rows of `data`, as it is without the ablation;
    "resample" their value on rows of `data` drawn without replacement by `seed`, one for each row that is evaluated (as
    many as `data` has, at most). All selected nodes see the same drawn row.

    >>> from remix_utils import apply, evaluate, placeholder
    >>> graph = apply("relu", placeholder("x", (2,)), name="hidden")
    >>> evaluate(ablate(graph, "hidden", "mean", {"x": torch.tensor([[1.0, 2.0], [3.0, -4.0]])}))
    tensor([2., 1.])

    Raises RewriteError for another `how` or a mean of whole numbers, DataError without data, or without a column, where
    it is needed, ShapeError for a column that does not fit, MatchError for no node.
    """
    if how not in ("zero", "mean", "resample"):
        raise RewriteError(f"ablate: {how!r} is no ablation.", fix="use 'zero', 'mean' or 'resample'.", how=how)
    if how == "zero":
        return update(graph, which, lambda node: array(torch.zeros(node.shape, dtype=node.dtype), node.name))
    data = _dataset(data, f"ablate(..., {how!r})")
    if how == "mean":
        return _at_their_mean(graph, which, data)
    rows = torch.randperm(len(data), generator=torch.Generator().manual_seed(seed))
    return _elsewhere(graph, which, data[rows], "resampled", spare=True)


def _at_their_mean(graph: Node, which: object, data: Dataset) -> Node:
    """The selected nodes at their means in the graph as it was: those below them are put back first."""
    selected: dict[bytes, Node] = {}
    update(graph, which, lambda node: selected.setdefault(node.key, node))
    for node in selected.values():
        if not node.dtype.is_floating_point:
            raise RewriteError(
                f"ablate: {node!r} has no mean.", fix="ablate what is computed from it.", place=node.place
            )
        for each in _inputs(node):
            _column(data, each)
    values = evaluate(list(selected.values()), data)
    means = {
        key: value if value.ndim == len(node.shape) else value.double().mean(0).to(node.dtype)
        for (key, node), value in zip(selected.items(), values, strict=True)
    }
    before: dict[Node, Node] = {}

    def rule(node: Node) -> Node:
        original = substitute([node], before)[0]
        mean = array(means[original.key], node.name)
        before[mean] = original
        return mean

    return update(graph, which, rule)


def patch(graph: Node, which: object, value: Node | torch.Tensor) -> Node:
    """Put a value in the place of the selected nodes: another node, or a fixed tensor of the example's shape.

    >>> from remix_utils import apply, evaluate, placeholder
    >>> graph = apply("relu", placeholder("x", (2,)), name="hidden")
    >>> evaluate(patch(graph, "hidden", torch.tensor([5.0, 6.0])))
    tensor([5., 6.])

    Raises ShapeError for another shape or dtype than the node's, MatchError for no node.
    """

    def rule(node: Node) -> Node:
        new = value if isinstance(value, Node) else array(value, node.name)
        if (new.shape, new.dtype) != (node.shape, node.dtype):
            raise ShapeError(
                f"patch: {new!r} is put in the place of {node!r}.",
                fix="give it the same shape per example; values that differ by row need a placeholder.",
                place=node.place,
                given=(new.shape, new.dtype),
                wanted=(node.shape, node.dtype),
            )
        return new

    return update(graph, which, rule)


def freeze(graph: Node, which: object, data: Data) -> Node:
    """Hold the selected nodes at their values on `data`, row by row (a single row serves for all).

    Evaluate the result with as many rows as `data` has. What the held values are computed from is renamed: later edits
    by name reach only what still reads the inputs. With clean inputs and corrupted `data` this is noising, with
    corrupted inputs and clean `data` it is denoising.

    >>> from remix_utils import apply, evaluate, placeholder
    >>> graph = apply("relu", placeholder("x", (2,)), name="hidden")
    >>> evaluate(freeze(graph, "hidden", {"x": torch.ones(1, 2)}))
    tensor([1., 1.])

    Raises DataError for data that lacks an input the nodes read, MatchError for no node.
    """
    return _elsewhere(graph, which, _dataset(data, "freeze"), "frozen", spare=False)


def path_patch(graph: Node, which: object, corrupted: Mapping[str, Node]) -> Node:
    """Let what flows down the selected paths come from other inputs, all else from the graph's own.

    Nodes between the selected ones and the root are computed again. `corrupted` maps an input's name to the node to
    read instead, usually a placeholder. With clean inputs in the graph and corrupted ones in the mapping this is
    noising; the other way round it is denoising (Goldowsky-Dill et al. 2023).

    >>> from remix_utils import add, apply, at, evaluate, placeholder
    >>> x = placeholder("x", (1,))
    >>> graph = path_patch(add(apply("relu", x), x), at(op="add").child(1), {"x": placeholder("other", (1,))})
    >>> evaluate(graph, {"x": torch.tensor([[1.0]]), "other": torch.tensor([[5.0]])})
    tensor([[6.]])

    Raises MatchError for no path, InputError for an input that the graph does not read, ShapeError for other shapes.
    """
    inputs = {node: _input(node) for node in _inputs(graph)}
    unknown = sorted(set(corrupted) - set(inputs.values()))
    if unknown or not corrupted:
        wrong = repr(unknown[0]) if unknown else "nothing"
        raise InputError(
            f"path_patch is to corrupt {wrong}, which is no input of the graph; {nearest(wrong, inputs.values())}.",
            fix="map names of the graph's placeholders to the nodes to read instead.",
            unknown=unknown,
        )
    new = {node: corrupted[name] for node, name in inputs.items() if name in corrupted}
    _require_alike(new)
    changed: list[Node] = []
    done = Echo(new)

    def rule(node: Node) -> Node:
        result = substitute([node], new, done)[0]
        if result is not node:
            changed.append(node)
        return result

    patched = update(graph, which, rule)
    if not changed:
        raise MatchError(
            f"path_patch: what {which!r} selects reads none of {sorted(corrupted)}.",
            fix="select nodes that read them.",
            selector=repr(which),
            corrupted=sorted(corrupted),
        )
    return patched


def _require_alike(new: Mapping[Node, object]) -> None:
    for old, other in new.items():
        if type(other) is not Node or (other.shape, other.dtype) != (old.shape, old.dtype):
            raise ShapeError(
                f"path_patch: {old!r} would read {repr(other) if type(other) is Node else kind_of(other)}.",
                fix="give a placeholder of the same shape and dtype.",
                place=old.place,
                given=type(other).__name__,
            )


def _elsewhere(graph: Node, which: object, data: Dataset, word: str, spare: bool) -> Node:
    """The selected nodes computed from `data`, which the graph brings along.

    What they read gets other names, so that a later edit by name leaves it as it is.
    """
    moved: dict[Node, Node] = {}

    def rule(node: Node) -> Node:
        for each in children_first(node):
            if each in moved:
                continue
            if isinstance(each.op, Placeholder) and each.op.rows is None:
                moved[each] = bound(each, _column(data, each), f"{each.name}.{word}", spare)
            else:
                new = each.with_children([moved[child] for child in each.children])
                moved[each] = new if new is each else new.named(f"{each.name}.{word}")
        if moved[node] is node:
            return node
        result = moved[node].named(node.name)
        moved[result] = moved[node]  # what another selected node reads of it is renamed as well
        return result

    changed = update(graph, which, rule)
    if all(new is old for old, new in moved.items()):
        raise MatchError(
            f"What {which!r} selects reads no input, and is the same on all data.",
            fix="select nodes that read an input.",
            selector=repr(which),
        )
    return changed


def _inputs(node: Node) -> list[Node]:
    """The placeholders below a node that are read from what `evaluate` is given."""
    return [each for each in children_first(node) if type(each.op) is Placeholder and each.op.rows is None]


def _input(node: Node) -> str:
    return node.op.input  # type: ignore[attr-defined]


def _column(data: Dataset, node: Node) -> torch.Tensor:
    """What the data has for a placeholder."""
    name = _input(node)
    if name not in data:
        raise DataError(
            f"Input {name!r} is not a column of the data; {nearest(name, data.columns)}.",
            fix="give data with a column for every input that the node reads.",
            name=name,
        )
    column = data[name]
    if tuple(column.shape[1:]) != node.shape or column.dtype != node.dtype:
        raise ShapeError(
            f"Column {name!r} is {column.dtype} {list(column.shape[1:])} per row, the input {node.dtype} "
            f"{list(node.shape)}.",
            fix="give data of the input's shape and dtype.",
            name=name,
            given=(column.dtype, tuple(column.shape[1:])),
            wanted=(node.dtype, node.shape),
        )
    return column


def _dataset(data: Data | None, who: str) -> Dataset:
    if data is None:
        raise DataError(
            f"{who} needs data to take values from.", fix="pass a Dataset with the graph's inputs.", given=None
        )
    return data if isinstance(data, Dataset) else Dataset(data)
