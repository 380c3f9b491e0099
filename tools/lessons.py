"""One master's notebooks: the reference, and the student's, as nbgrader itself makes it."""

import ast
import copy
import hashlib
import json
import zlib
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_raw_cell
from nbgrader.preprocessors import (
    CheckCellMetadata,
    ClearHiddenTests,
    ClearOutput,
    ClearSolutions,
    ComputeChecksums,
    LockCells,
)
from traitlets.config import PyFileConfigLoader

from remix_utils.checks import bundle
from remix_utils.checks.lesson import Cell, MasterError, part_id, part_number, read_master
from tools.diagrams import embedded

ROOT = Path(__file__).resolve().parents[1]
KERNEL = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
NEW = {"code": new_code_cell, "markdown": new_markdown_cell, "raw": new_raw_cell}
MARKS = ("exercise", "check", "answer")
PREPROCESSORS = (
    LockCells,
    ClearSolutions,
    ClearOutput,
    CheckCellMetadata,
    ComputeChecksums,
    ClearHiddenTests,
    ComputeChecksums,
    CheckCellMetadata,
)
# The hidden test draws new inputs. References and mistakes come from the course's own checks, and
# never from a submission.
HIDDEN = """
### BEGIN HIDDEN TESTS
from remix_utils.checks.harness import check

check("{id}", {answer}, seed={seed})
### END HIDDEN TESTS"""


def reference_notebook(master: Path) -> nbformat.NotebookNode:
    """The notebook of a master, with solutions and hidden tests; MasterError for unfit marks."""
    made, last, after = [], f"part{part_number(master)}", 0
    for cell in read_master(master):
        mark = next((mark for mark in MARKS if mark in cell.marks), None)
        if mark:
            last, after = str(cell.marks[mark]).replace(".", "-"), 0
            last += "-check" if mark == "check" else ""
        source = embedded(cell.source, master.parent) if cell.kind == "markdown" else cell.source
        source += hidden_test(master, cell) if mark == "check" else ""
        fresh = NEW[cell.kind](source, id=last if mark else f"{last}-{after}")
        if mark:
            fresh.metadata.nbgrader = grading(master, cell, mark, last)
        made.append(fresh)
        after += 1
    require_unique(master, [cell.id for cell in made])
    metadata = {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    notebook = new_notebook(cells=made, metadata=metadata)
    notebook.metadata.remix = {
        "part": part_id(master),
        "checks": bundle.from_master(master).version,
    }
    return signed(ComputeChecksums().preprocess(notebook, {})[0])


def grading(master: Path, cell: Cell, mark: str, grade_id: str) -> dict:
    """nbgrader's metadata: an exercise is a solution, a check is a test, an answer is both."""
    graded = mark != "exercise"
    facts = {"grade": graded, "solution": mark != "check", "locked": mark == "check", "task": False}
    if graded:
        if type(cell.marks.get("points")) not in (int, float):
            raise MasterError(
                f"{master.name}, line {cell.line}: the {mark} {cell.marks[mark]} has no points.",
                fix=f'write: # %% {mark}="{cell.marks[mark]}" points=2',
            )
        facts["points"] = cell.marks["points"]
    return {**facts, "grade_id": grade_id, "schema_version": 3, "cell_type": cell.kind}


def require_unique(master: Path, ids: list[str]) -> None:
    twice = sorted({each for each in ids if ids.count(each) > 1})
    if twice:
        raise MasterError(f"{master.name}: marked twice: {', '.join(twice)}.", fix="give each mark once.")


def hidden_test(master: Path, cell: Cell) -> str:
    """The same check on another seed."""
    id = str(cell.marks["check"])
    answer = checked(cell.source, id)
    if answer is None:
        raise MasterError(
            f"{master.name}, line {cell.line}: the cell of check {id} does not call it, or does more than that.",
            fix=f'write one line, check("{id}", answer): a last value would be partial credit.',
        )
    return HIDDEN.format(id=id, answer=ast.unparse(answer), seed=hidden_seed(id))


def hidden_seed(id: str) -> int:
    return zlib.crc32(id.encode()) % 10**6 + 1


def checked(source: str, id: str) -> ast.expr | None:
    """The answer in `check(id, answer)`; None where the cell is anything else."""
    body = ast.parse(source).body
    call = body[0].value if len(body) == 1 and isinstance(body[0], ast.Expr) else None
    if (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Name)
        and call.func.id == "check"
        and len(call.args) == 2
    ):
        named, answer = call.args
        return answer if isinstance(named, ast.Constant) and named.value == id and not call.keywords else None
    return None


def student_notebook(reference: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What nbgrader makes of a reference notebook, without its database."""
    settings = PyFileConfigLoader("nbgrader_config.py", path=str(ROOT)).load_config()
    notebook, resources = copy.deepcopy(reference), {}
    for preprocessor in PREPROCESSORS:
        notebook, resources = preprocessor(config=settings).preprocess(notebook, resources)
    return signed(notebook)


def signed(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What is built carries its signature, so that later work in it shows."""
    notebook.metadata.remix = {**notebook.metadata.get("remix", {}), "build": signature(notebook)}
    return notebook


def signature(notebook: nbformat.NotebookNode) -> str:
    cells = [[cell.cell_type, cell.source, cell.get("outputs", [])] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]
