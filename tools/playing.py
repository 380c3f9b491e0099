"""One pair at one notebook: answers right, wrong and missing, in a real kernel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell

from remix_utils.checks.exercise import Variant
from remix_utils.checks.part import Part

GUESS = "7"
STUB = "raise NotImplementedError()"
PATTERN = ("right", "wrong", "right", "missing")
PATIENCE = 900  # seconds for a cell, on a machine that has other work


@dataclass(frozen=True)
class Try:
    """How the pair answers one exercise: right, wrong or missing; the cell, and the number of the mistake."""

    kind: str
    source: str = ""
    mistake: int | None = None


@dataclass
class Played:
    """What happened in one notebook."""

    predicted: list[str] = field(default_factory=list)
    cells: int = 0
    faults: list[str] = field(default_factory=list)


def tries(part: Part) -> dict[str, Try]:
    """Plans the answers of a part: some right, some wrong, some missing, the quiz right."""
    kinds = cycle(PATTERN)
    return {id: try_of(part, id, next(kinds)) for id in order_of(part) if id in part.exercises}


def order_of(part: Part) -> list[str]:
    """Returns the ids of a part's exercises and written answers, in the lesson's order."""
    marks = (cell.marks.get("exercise") or cell.marks.get("answer") for cell in part.bundle.cells)
    return [str(id) for id in marks if id]


def try_of(part: Part, id: str, kind: str) -> Try:
    """Builds the answer of a kind; right where an exercise has no known mistake, or is a quiz."""
    asked = part.exercises[id]
    wrong = next(mistakes_in_code(part, id), None)
    if kind == "wrong" and wrong is not None:
        return Try("wrong", wrong[1], wrong[0])
    if kind == "missing" and not asked.questions:
        return Try("missing")
    return Try("right", part.typed(id, Variant()) or "")


def mistakes_in_code(part: Part, id: str) -> Iterator[tuple[int, str]]:
    """The known mistakes that a pair can type, with their numbers."""
    for number, mistake in enumerate(part.exercises[id].mistakes):
        text = part.typed(id, mistake.variant)
        if text is not None:
            yield number, text


def write_answers(notebook: nbformat.NotebookNode, plan: Mapping[str, Try]) -> None:
    """Writes the answers into a notebook, a sentence into each written one, and a guess for each prediction.

    After a wrong or a missing answer the pair goes on with `start_at`, in a cell of its own.
    """
    answers = {id.replace(".", "-"): each for id, each in plan.items()}
    made, behind = [], False
    for cell in notebook.cells:
        own = cell.metadata.get("nbgrader", {})
        if own.get("solution") and behind:
            made.append(new_code_cell(f'start_at("{cell.id.replace("-", ".")}")', metadata={"rejoin": True}))
            behind = False
        if cell.id in answers:
            behind = answers[cell.id].kind != "right"
            cell.source = answers[cell.id].source or cell.source
        elif own.get("solution"):
            cell.source = "Because we measured it, and the control says so."
        cell.source = re.sub(r'(predict\("[^"]+", )\.\.\.', rf"\g<1>{GUESS}", cell.source)
        made.append(cell)
    notebook.cells = made


def play(path: Path, plan: Mapping[str, Try], environment: Mapping[str, str]) -> Played:
    """Runs a notebook of answers cell by cell, as the pair does, and saves it.

    Cells that rest on a wrong or missing answer are not run: the pair rejoins at the next exercise.
    """
    notebook = nbformat.read(path, as_version=4)
    write_answers(notebook, plan)
    played, wrong = Played(), {id.replace(".", "-") for id, each in plan.items() if each.kind != "right"}
    client = NotebookClient(notebook, timeout=PATIENCE, allow_errors=True)
    client.extra_arguments = ["--log-level=ERROR"]
    with client.setup_kernel(env=dict(environment), cwd=str(path.parent)):
        state = "on"  # "failing" from a wrong or missing answer to its check, then "waiting"
        for place, cell in enumerate(notebook.cells):
            if "rejoin" in cell.metadata:
                state = "on"
            if cell.id in wrong:
                state = "failing"
            if cell.cell_type != "code" or state == "waiting":
                continue
            client.execute_cell(cell, place)
            played.cells += 1
            played.predicted += re.findall(r'^predict\("([^"]+)"', cell.source, re.MULTILINE)
            played.faults += [] if state == "failing" else list(errors_of(cell))
            if state == "failing" and cell.id.endswith("-check"):
                state = "waiting"
    nbformat.write(notebook, path)
    return played


def errors_of(cell: nbformat.NotebookNode) -> Iterator[str]:
    """The errors of a cell that should have run."""
    for output in cell.outputs:
        if output.output_type == "error":
            said = (output.evalue or output.ename).strip().splitlines()[0][:200]
            yield f"cell {cell.id}: {output.ename}: {said}"
