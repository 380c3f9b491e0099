"""From masters to notebooks: solutions/dayN_x/partK_name.py → the reference notebook beside it → the student's.

    python -m tools.notebooks            build them all
    python -m tools.notebooks --check    build them aside, and fail where what stands here differs

Nothing is ever deleted. A notebook in which somebody has worked is kept under another name.
"""

import argparse
import ast
import copy
import hashlib
import json
import sys
import zlib
from collections.abc import Iterator
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

from remix_utils.checks.masters import (
    Cell,
    MasterError,
    cells_before,
    closure,
    part_number,
    read_master,
    statements,
)

ROOT = Path(__file__).resolve().parents[1]
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
HIDDEN = """
### BEGIN HIDDEN TESTS
from remix_utils.checks.harness import check

check("{id}", {answer}, seed={seed}, reference=r'''
{reference}
''')
### END HIDDEN TESTS"""


def reference_notebook(master: Path) -> nbformat.NotebookNode:
    """The notebook of a master, solutions and hidden tests included. MasterError for marks that do not fit."""
    cells = read_master(master)
    made, last, after = [], f"part{part_number(master)}", 0
    for position, cell in enumerate(cells):
        mark = next((mark for mark in MARKS if mark in cell.marks), None)
        if mark:
            last, after = f"{cell.marks[mark]}".replace(".", "-") + ("-check" if mark == "check" else ""), 0
        source = cell.source + (hidden_tests(master, cells, position) if mark == "check" else "")
        fresh = NEW[cell.kind](source, id=last if mark else f"{last}-{after}")
        if mark:
            fresh.metadata.nbgrader = grading(master, cell, mark, last)
        made.append(fresh)
        after += 1
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    require_unique(master, [cell.id for cell in made])
    notebook = new_notebook(cells=made, metadata={"kernelspec": kernel, "language_info": {"name": "python"}})
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


def hidden_tests(master: Path, cells: list[Cell], position: int) -> str:
    """The same check on another seed, compared with the reference solution, which travels as source."""
    cell = cells[position]
    id = str(cell.marks["check"])
    answer = checked(cell.source, id)
    if answer is None:
        raise MasterError(
            f"{master.name}, line {cell.line}: the cell of check {id} does not call it, or does more than that.",
            fix=f'write one line, check("{id}", answer): the last value of a test cell would be its partial credit.',
        )
    wanted = {node.id for node in ast.walk(answer) if isinstance(node, ast.Name)}
    known = statements([*cells_before(".".join(id.split(".")[:2]), master.parents[1]), *cells[:position]])
    text = ast.unparse(answer)
    source = "\n".join([*closure(known, wanted), text])
    if "'''" in source:
        raise MasterError(f"{master.name}: {id} rests on a text in ''' quotes.", fix='use """ quotes there.')
    return HIDDEN.format(id=id, answer=text, seed=zlib.crc32(id.encode()) % 10**6 + 1, reference=source)


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
    notebook.metadata.remix = {"build": signature(notebook)}
    return notebook


def signature(notebook: nbformat.NotebookNode) -> str:
    cells = [[cell.cell_type, cell.source, cell.get("outputs", [])] for cell in notebook.cells]
    return hashlib.sha256(json.dumps(cells).encode()).hexdigest()[:16]


def built(root: Path) -> Iterator[tuple[Path, str]]:
    """Every notebook of the course under `root`, with its text."""
    for master in sorted(root.glob("solutions/day*_*/part*_*.py")):
        reference = reference_notebook(master)
        yield master.with_suffix(".ipynb"), nbformat.writes(reference) + "\n"
        yield root / master.parent.name / f"{master.stem}.ipynb", nbformat.writes(student_notebook(reference)) + "\n"


def keep_work(path: Path) -> Path | None:
    """Move a notebook in which somebody has worked out of the way; None if it is as it was built."""
    try:
        notebook = nbformat.read(path, as_version=4)
        if notebook.metadata.get("remix", {}).get("build") == signature(notebook):
            return None
    except (ValueError, nbformat.ValidationError):
        pass  # half a notebook may be somebody's work too
    number = 1
    while (kept := path.with_name(f"{path.stem}.kept{number}.ipynb")).exists():
        number += 1
    return path.rename(kept)


def build(root: Path) -> list[str]:
    """Write what differs; one line for each notebook that was written."""
    lines = []
    for path, text in list(built(root)):  # all are made before the first is written
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        kept = keep_work(path) if path.exists() else None
        path.parent.mkdir(exist_ok=True)
        fresh = path.with_name(f".{path.name}.new")
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(path)
        lines.append(f"built {path.relative_to(root)}" + (f" (your work is in {kept.name})" if kept else ""))
    return lines


def differing(root: Path) -> list[str]:
    """The notebooks that are not what their masters build, and those without a master."""
    texts = dict(built(root))
    there = {*root.glob("solutions/day*_*/part*.ipynb"), *root.glob("day*_*/part*.ipynb")}
    there = {path for path in there if ".kept" not in path.name}
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    return [str(path.relative_to(root)) for path in [*stale, *sorted(there - set(texts))]]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Build or compare; 1 if something differs, 2 if a master cannot be built."""
    parser = argparse.ArgumentParser(description="Build every notebook from its master in solutions/.")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; fail where a notebook is not what is built"
    )
    asked = parser.parse_args(arguments)
    try:
        lines = differing(root) if asked.check else build(root)
    except MasterError as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines) or "Every notebook is what its master builds.")
    if asked.check and lines:
        print("These are not what the masters build. Next: make notebooks, and look at the changes before a commit.")
    return int(asked.check and bool(lines))


if __name__ == "__main__":
    sys.exit(main())
