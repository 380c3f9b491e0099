"""How a row of the table is measured: both sides turn by turn, after their values were found to agree."""

from __future__ import annotations

import gc
import os
import platform
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

TOLERANCE = 1e-5


@dataclass(frozen=True)
class Floor:
    """What a row must reach: the library's figure, or its ratio to what stands beside it, `least` or `most`."""

    of: str
    least: float = 0.0
    most: float = float("inf")
    text: str = ""


@dataclass(frozen=True)
class Row:
    """One line of the table: what was done, the figures of both sides, and by how much their values differ."""

    work: str
    library: Sequence[float]
    beside: Sequence[float]
    name: str  # of what stands beside the library
    unit: str
    difference: float  # relative to the largest value
    floor: Floor | None = None

    @property
    def ratio(self) -> float | None:
        """How many times better the library's median is; above 1 it is the faster or the smaller."""
        if not self.beside:
            return None
        better, worse = median(self.library), median(self.beside)
        return better / worse if self.unit.endswith("/s") else worse / better

    @property
    def met(self) -> bool | None:
        if self.floor is None:
            return None
        figure = self.ratio if self.floor.of == "ratio" else median(self.library)
        return figure is not None and self.floor.least <= figure <= self.floor.most

    def cells(self) -> list[str]:
        """The line as text, a cell for each column of COLUMNS."""
        floor = "" if self.floor is None else f"{self.floor.text}: {'met' if self.met else 'missed'}"
        return [
            self.work,
            figures(self.library, self.unit),
            self.name,
            figures(self.beside, self.unit) if self.beside else "",
            "" if self.ratio is None else f"{self.ratio:.3g} ×",
            floor,
            f"{self.difference:.1g}",
        ]

    def __str__(self) -> str:
        work, library, name, beside, ratio, floor, difference = self.cells()
        parts = [library, f"{name}: {beside}" if name else "", ratio, floor, f"values differ by {difference}"]
        return f"{work}\n    " + "; ".join(part for part in parts if part)


COLUMNS = ("work", "library", "beside it", "its figures", "ratio", "floor", "values differ by")


def figures(values: Sequence[float], unit: str) -> str:
    """Least, median and most, in a unit that reads well.

    >>> figures([0.0021, 0.002, 0.003], "s")
    '2 / 2.1 / 3 ms'
    """
    scales = {"s": [(1, "s"), (1e3, "ms"), (1e6, "µs")], "bytes": [(2**-20, "MiB"), (1, "bytes")]}
    middle = median(values)
    factor, name = next(((f, n) for f, n in scales.get(unit, ()) if middle * f >= 1), (1, unit))
    three = [number * factor for number in (min(values), middle, max(values))]
    return " / ".join(f"{number:,.0f}" if number >= 100 else f"{number:.3g}" for number in three) + f" {name}"


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """The processor's seconds it takes, so that other programs are not on its bill, and what it gives."""
    start = time.process_time()
    result = work()
    return time.process_time() - start, result


def in_turn(repetitions: int, *sides: Callable[[], Any]) -> list[list[float]]:
    """The times of each side, measured turn by turn: what slows the machine for a while slows them all."""
    times: list[list[float]] = [[] for _ in sides]
    gc.collect()  # the garbage of other rows is not on the bill either
    for _ in range(repetitions):
        for taken, side in zip(times, sides, strict=True):
            taken.append(seconds(side)[0])
    return times


def agree(work: str, library: torch.Tensor, beside: torch.Tensor) -> float:
    """The largest difference, relative to the largest value; two sides that compute different things end the run."""
    if library.shape != beside.shape:
        raise AssertionError(f"{work}: the library gives {list(library.shape)}, the other side {list(beside.shape)}.")
    difference = float((library - beside).abs().max() / beside.abs().max())
    if not difference <= TOLERANCE:
        raise AssertionError(f"{work}: the two sides differ by {difference:.2g}, allowed is {TOLERANCE:.0e}.")
    return difference


class Allocations(TorchDispatchMode):
    """Counts the bytes of the storages made inside that are still alive, and the most there were at once."""

    def __init__(self):
        super().__init__()
        self.live = self.peak = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        read = {storage.data_ptr() for storage in _storages((args, kwargs))}
        for storage in _storages(result):
            if storage.data_ptr() not in read:  # neither a view nor written in place
                self.live += storage.nbytes()
                self.peak = max(self.peak, self.live)
                weakref.finalize(storage, self._free, storage.nbytes())
        return result

    def _free(self, size: int) -> None:
        self.live -= size


def _storages(values: object) -> list[torch.UntypedStorage]:
    return [leaf.untyped_storage() for leaf in tree_leaves(values) if isinstance(leaf, torch.Tensor)]


def hardware() -> str:
    """The machine in one line: processor, cores, versions; nothing that names it."""
    return (
        f"{processor()}, {os.cpu_count()} cores, {torch.get_num_threads()} torch thread(s), "
        f"torch {torch.__version__.split('+')[0]}, Python {platform.python_version()}, {platform.system()}"
    )


def processor() -> str:
    """The model of the processor, as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def table(rows: Sequence[Row]) -> str:
    """The rows in markdown."""
    lines = [list(COLUMNS), ["---"] * len(COLUMNS), *(row.cells() for row in rows)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def write(rows: Sequence[Row], path: Path, quick: bool) -> None:
    """The report, written beside and moved into place: an interrupted run leaves the old one."""
    text = f"""# Speed

{"Tiny sizes, to see that everything runs: no figures to quote." if quick else "Full sizes."}
{hardware()}. {date.today()}.

Figures are least / median / most; times are the processor's, on one thread, both sides turn by turn. The ratio is that
of the medians: above 1 it says how many times faster, or smaller, the library is. Values differ by that much relative
to the largest; where they differ by more than {TOLERANCE:.0e} there is no table.

{table(rows)}
"""
    draft = path.with_name(path.name + ".draft")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
