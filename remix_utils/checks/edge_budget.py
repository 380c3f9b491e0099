"""A budget of edge experiments: cutting an edge uses it up, and a new kernel does not refill it."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from remix_utils.checks import place
from remix_utils.checks.bundle import COURSE
from remix_utils.checks.progress import append, folder
from remix_utils.errors import RemixError, counted

Edge = tuple[str, str]  # from, to


class BudgetError(RemixError):
    """An experiment that the budget does not cover, or that cuts nothing."""


class EdgeBudget:
    """How many edges may be cut, and which ones were.

    `spend` is called by the function that runs an experiment. An experiment costs as many edges as
    it cuts. The same edges cut again cost nothing, so that a notebook can be run anew.

    What was spent is kept in `.remix` beside the notebook, one line an experiment, and never
    removed. Each notebook has a budget of its own. At grading, where REMIX_CHECKS names the
    course's checks, each kernel starts with the whole budget and keeps it in memory.
    """

    def __init__(self, id: str, edges: int):
        self.id, self.edges = id, edges
        self._in_memory: list[frozenset[Edge]] = []

    @property
    def left(self) -> int:
        """How many edges may still be cut."""
        return self.edges - sum(map(len, self.experiments))

    @property
    def experiments(self) -> list[frozenset[Edge]]:
        """The edges of each experiment so far, in order, each experiment once."""
        return list(dict.fromkeys([*self._kept(), *self._in_memory]))

    def spend(self, edges: Iterable[Edge]) -> int:
        """Pays for an experiment that cuts these edges; returns how many may still be cut.

        Raises BudgetError where no edge is cut, and where fewer are left than the experiment cuts.
        """
        cut = frozenset(edges)
        if not cut:
            raise BudgetError(
                f"{self.id}: this experiment cuts no edge.",
                fix="name at least one edge, as (from, to).",
            )
        if cut in self.experiments:
            return self.left
        left = self.left
        if len(cut) > left:
            raise BudgetError(
                f"{self.id}: this experiment cuts {counted(len(cut), 'edge')}, and {left} of "
                f"{self.edges} are left.",
                fix="cut fewer edges at once, or decide with the experiments that you have.",
                cut=len(cut),
                left=left,
                edges=self.edges,
            )
        self._keep(cut)
        return self.left

    def __repr__(self) -> str:
        run = counted(len(self.experiments), "experiment")
        return f"{self.id}: {run} so far, {self.left} of {self.edges} edges left"

    def _keep(self, cut: frozenset[Edge]) -> None:
        """On disk, and in memory, so that work goes on where nothing can be written."""
        self._in_memory.append(cut)
        path = self._file()
        if path is None:
            return
        line = json.dumps({"time": round(time.time(), 3), "edges": sorted(cut)})
        # A line that another kernel cut off spoils only itself.
        append(path, f"\n{line}", folder())

    def _kept(self) -> list[frozenset[Edge]]:
        """The experiments on disk; a line that was cut off in the middle is passed over."""
        path, found = self._file(), []
        lines = []
        if path is not None:
            with contextlib.suppress(OSError):
                lines = path.read_text(encoding="utf-8").splitlines()
        for line in lines:
            with contextlib.suppress(ValueError, KeyError, TypeError):
                found.append(
                    frozenset((source, target) for source, target in json.loads(line)["edges"])
                )
        return found

    def _file(self) -> Path | None:
        """The file of this notebook; none at grading.

        REMIX_FOLDER may be one folder for several pairs, so the name also depends on the place of
        the notebook.
        """
        if os.environ.get(COURSE):
            return None
        notebook = Path(notebook_path())
        lies_in = sha256(str(notebook.parent.resolve()).encode()).hexdigest()[:8]
        own = f"-{lies_in}" if os.environ.get("REMIX_FOLDER") else ""
        return folder() / "edge_budget" / f"{self.id}-{notebook.stem}{own}.jsonl"


def notebook_path() -> str:
    """Returns the path of the notebook, as Jupyter or VS Code tells it to the kernel.

    Where neither does, all notebooks of a folder count as one.
    """
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    in_editor = getattr(shell, "user_ns", {}).get("__vsc_ipynb_file__")
    name = in_editor or os.environ.get("JPY_SESSION_NAME") or "notebook"
    return str(place.START / name)
