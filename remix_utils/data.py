"""Datasets, features of their rows, and draws: how rows are chosen that agree with a reference."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import torch

from remix_utils.errors import DataError, counted, kind_of, nearest

Rows = torch.Tensor | Sequence[int] | None


class Dataset:
    """Named tensors with the same number of rows; columns that no placeholder reads are allowed.

    >>> data = Dataset(x=torch.zeros(5, 3), label=torch.arange(5))
    >>> len(data), data["label"].shape, data[torch.tensor([0, 4])]["label"]
    (5, torch.Size([5]), tensor([0, 4]))

    Raises DataError for no columns, no rows, columns that are not tensors or differ in length.
    """

    __slots__ = ("_columns",)

    def __init__(self, columns: Mapping[str, torch.Tensor] | None = None, /, **named: torch.Tensor):
        merged = {**(columns or {}), **named}
        if not merged:
            raise DataError("A dataset needs at least one column.", fix="pass tensors by name.", columns=0)
        for name, column in merged.items():
            if not isinstance(column, torch.Tensor) or column.ndim == 0:
                kind = "a single number" if isinstance(column, torch.Tensor) else kind_of(column)
                raise DataError(
                    f"Column {name!r} is {kind}, not a tensor with rows.", fix="use torch.as_tensor([...]).", name=name
                )
        lengths = {name: len(column) for name, column in merged.items()}
        if len(set(lengths.values())) > 1:
            raise DataError(
                f"Columns differ in length: {lengths}.", fix="give every column the same rows.", lengths=lengths
            )
        if 0 in lengths.values():
            raise DataError(f"The dataset has 0 rows: {list(lengths)}.", fix="keep at least one row.", rows=0)
        self._columns = dict(merged)

    @overload
    def __getitem__(self, which: str) -> torch.Tensor: ...
    @overload
    def __getitem__(self, which: int | slice | torch.Tensor | list[int]) -> Dataset: ...
    def __getitem__(self, which):
        """A column by name, or a dataset of some rows."""
        if isinstance(which, str):
            if which not in self._columns:
                raise DataError(
                    f"No column {which!r}; {nearest(which, self._columns)}.", fix="use one of its names.", name=which
                )
            return self._columns[which]
        rows = which if isinstance(which, slice) else self._rows(which)
        return Dataset({name: column[rows] for name, column in self._columns.items()})

    def _rows(self, which: object) -> torch.Tensor:
        """Rows [chosen] as whole numbers, each checked; a mask [rows] chooses where it is true."""
        try:
            rows = torch.as_tensor(which)
        except (TypeError, ValueError, RuntimeError):
            rows = torch.tensor(False)
        if rows.dtype == torch.bool and rows.shape == (len(self),):
            return rows.nonzero()[:, 0]
        if rows.ndim > 1 or (rows.numel() and (rows.is_floating_point() or rows.dtype == torch.bool)):
            kind = f"{rows.dtype} {list(rows.shape)}" if isinstance(which, torch.Tensor) else kind_of(which)
            raise DataError(
                f"The index is {kind}, for {counted(len(self), 'row')}.",
                fix="use a column's name, a whole number, a slice, a list or tensor of rows, or a mask.",
                size=len(self),
            )
        return _inside(rows.reshape(-1).long(), len(self), "Row {}", least=-len(self))

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __iter__(self) -> Iterator[Dataset]:
        return (self[row] for row in range(len(self)))

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    @property
    def columns(self) -> dict[str, torch.Tensor]:
        """Name → tensor."""
        return dict(self._columns)

    def __repr__(self) -> str:
        parts = ", ".join(f"{name} {list(column.shape[1:])}" for name, column in self._columns.items())
        return f"Dataset of {len(self)} rows: {parts}"


@dataclass(frozen=True)
class Feature:
    """A named function of a dataset's rows: `feature(dataset)` gives one label a row."""

    name: str
    function: Callable[[Dataset], torch.Tensor]

    def __call__(self, data: Dataset) -> torch.Tensor:
        labels = self.function(data)
        try:
            labels = torch.as_tensor(labels)
        except (TypeError, ValueError, RuntimeError):
            raise DataError(
                f"Feature {self.name!r} gave {kind_of(labels)}, not labels.", fix="return a tensor.", name=self.name
            ) from None
        if labels.shape[:1] != (len(data),):
            raise DataError(
                f"Feature {self.name!r} gave labels {list(labels.shape)} for {len(data)} rows.",
                fix="return one label a row, as a tensor [rows] or [rows, parts].",
                name=self.name,
                rows=len(data),
            )
        if labels.is_floating_point() and bool(labels.isnan().any()):
            bad = int(labels.isnan().reshape(len(data), -1).any(1).nonzero()[0])
            raise DataError(
                f"Feature {self.name!r} is NaN at row {bad}.", fix="give every row a label.", name=self.name, row=bad
            )
        return labels


def feature(function: Callable[[Dataset], torch.Tensor]) -> Feature:
    """Make a function of a dataset a feature, named after the function.

    >>> @feature
    ... def parity(data): return data["x"] % 2
    >>> parity(Dataset(x=torch.tensor([1, 2])))
    tensor([1, 0])
    """
    if not callable(function):
        raise DataError(
            f"A feature is a function, not {kind_of(function)}.", fix="pass a function of a dataset.", given=function
        )
    return function if isinstance(function, Feature) else Feature(getattr(function, "__name__", "feature"), function)


@dataclass(frozen=True)
class Support:
    """What may be drawn for each reference: `size[i]` rows from `rows[start[i]]` on, each as likely as the others."""

    rows: torch.Tensor
    start: torch.Tensor
    size: torch.Tensor

    def draw(self, generator: torch.Generator) -> torch.Tensor:
        """One row for each reference, as a LongTensor [references]."""
        drawn = torch.rand(self.size.shape, generator=generator, dtype=torch.float64)
        return self.rows[self.start + (drawn * self.size).long()]


class Draw(ABC):
    """How rows are chosen, one for each reference: each draw says by `support` which rows those may be."""

    @abstractmethod
    def support(self, data: Dataset, reference: torch.Tensor) -> Support: ...

    def rows(self, data: Dataset, reference: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        """One row for each reference [references]."""
        return self.support(data, reference).draw(generator)


@dataclass(frozen=True)
class Exact(Draw):
    """Draw the reference row itself: nothing changes."""

    def support(self, data: Dataset, reference: torch.Tensor) -> Support:
        return _each(reference)


@dataclass(frozen=True)
class Uniform(Draw):
    """Draw any row; with `among`, rows or a mask [rows], any row of those."""

    among: Rows = None

    def __post_init__(self):
        object.__setattr__(self, "among", _numbers(self.among))

    def support(self, data: Dataset, reference: torch.Tensor) -> Support:
        rows = _among(data, self.among)
        return Support(rows, torch.zeros_like(reference), torch.full_like(reference, len(rows)))


@dataclass(frozen=True, eq=False)
class Fixed(Draw):
    """Draw the rows that are given, one for each reference."""

    chosen: torch.Tensor

    def support(self, data: Dataset, reference: torch.Tensor) -> Support:
        chosen = torch.as_tensor(self.chosen)
        if chosen.shape != reference.shape or chosen.dtype != torch.long:
            raise DataError(
                f"Fixed rows are {chosen.dtype} {list(chosen.shape)} for {len(reference)} references.",
                fix="give a LongTensor with one row for each reference.",
                rows=len(chosen) if chosen.ndim else 1,
                references=len(reference),
            )
        return _each(_inside(chosen, len(data), "Fixed row {}"))


@dataclass(frozen=True)
class Matching(Draw):
    """Draw uniformly among the rows on which a feature has the reference's value.

    With `among`, rows or a mask [rows], only those are drawn: rows of another dataset, say, in a joined one.
    """

    feature: Callable[[Dataset], torch.Tensor]
    among: Rows = None

    def __post_init__(self):
        object.__setattr__(self, "among", _numbers(self.among))

    def support(self, data: Dataset, reference: torch.Tensor) -> Support:
        labels = feature(self.feature)(data).cpu()
        group = _numbered(labels.reshape(len(data), -1))
        rows = _among(data, self.among)
        sizes = torch.bincount(group[rows], minlength=int(group.max()) + 1)
        mine = group[reference]
        if not bool(sizes[mine].all()):
            alone = int(reference[(sizes[mine] == 0).nonzero()[0]])
            raise DataError(
                f"Reference row {alone} has {labels[alone].tolist()!r} for {feature(self.feature).name!r}, with which "
                f"none of the {len(rows)} rows to draw from agrees.",
                fix="draw from more rows, or make the feature coarser.",
                row=alone,
                rows=len(rows),
            )
        order = rows[torch.argsort(group[rows], stable=True)]
        return Support(order, (sizes.cumsum(0) - sizes)[mine], sizes[mine])


def _numbered(labels: torch.Tensor) -> torch.Tensor:
    """A whole number [rows] for each label [rows, parts], the same for the same; one part is faster than several."""
    if labels.shape[1] == 1:
        return torch.unique(labels[:, 0], return_inverse=True)[1]
    return torch.unique(labels, dim=0, return_inverse=True)[1]


def _each(rows: torch.Tensor) -> Support:
    """One row and no other for each reference."""
    return Support(rows, torch.arange(len(rows)), torch.ones_like(rows))


def _numbers(among: object) -> tuple[int, ...] | None:
    """Rows or a mask as whole numbers, so that equal draws compare equal."""
    if among is None:
        return None
    rows = torch.as_tensor(among)
    rows = rows.nonzero()[:, 0] if rows.dtype == torch.bool and rows.ndim == 1 else rows
    if rows.ndim != 1 or rows.is_floating_point() or not len(rows):
        raise DataError(
            f"Rows to draw among are {rows.dtype} {list(rows.shape)}.",
            fix="give whole numbers, at least one, or a mask that is true somewhere.",
            shape=tuple(rows.shape),
        )
    return tuple(rows.tolist())


def _among(data: Dataset, among: Rows) -> torch.Tensor:
    if among is None:
        return torch.arange(len(data))
    return _inside(torch.as_tensor(among), len(data), "Row {} to draw among")


def _inside(rows: torch.Tensor, size: int, word: str, least: int = 0) -> torch.Tensor:
    """The rows, once all are found to be those of a dataset of this size."""
    outside = rows[(rows < least) | (rows >= size)].tolist()
    if outside:
        raise DataError(
            f"{word.format(outside[0])} is outside the dataset, which has {counted(size, 'row')}.",
            fix=f"use rows from {least} to {size - 1}.",
            row=outside[0],
            size=size,
        )
    return rows
