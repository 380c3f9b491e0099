"""The masters in solutions/: percent text, read as cells; and the statements that a name of theirs rests on."""

from __future__ import annotations

import ast
import dis
import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType

from remix_utils.errors import RemixError

FOLDER = "REMIX_SOLUTIONS"
HEADER = re.compile(
    r"# %%+(?P<title>[^\[=]*?)(?:\[(?P<kind>markdown|raw)\])?(?P<marks>(?:\s+\w+=(?:\"[^\"]*\"|\S+))*)\s*$"
)
MARK = re.compile(r"(\w+)=(\"[^\"]*\"|\S+)")
MARGIN = re.compile(r"^[ \t]*### (BEGIN|END) SOLUTION[ \t]*\n?", re.MULTILINE)


class MasterError(RemixError):
    """A master that is not there, or that cannot be read."""


@dataclass(frozen=True)
class Cell:
    """One cell of a master: its text, and what its header says of it (exercise, check, answer, points, given)."""

    kind: str
    source: str
    marks: dict[str, object]
    line: int


def solutions() -> Path:
    """The folder of the masters, beside the package or where REMIX_SOLUTIONS says. MasterError if there is none."""
    folder = Path(os.environ.get(FOLDER) or Path(__file__).parents[2] / "solutions")
    if not folder.is_dir():
        raise MasterError(
            f"The masters of the course are not at {folder}.",
            fix=f"install the course from its clone (make lab), or set {FOLDER} to the clone's solutions folder.",
            folder=folder,
        )
    return folder


def master_paths(day: int | str, folder: Path | None = None) -> list[Path]:
    """The masters of a day in the order of its parts."""
    return sorted((folder or solutions()).glob(f"day{day}_*/part*_*.py"), key=part_number)


def part_number(path: Path) -> int:
    return int(path.stem.split("_")[0].removeprefix("part"))


def read_master(path: Path) -> list[Cell]:
    """The cells of a percent file; what stands before the first header is no cell. MasterError for a bad header."""
    cells, header, body = [], None, []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), "# %%"], start=1):
        if not re.match(r"# %%+(\s|$)", line):
            body.append(line)
            continue
        if header is not None:
            cells.append(_cell(header, body, path))
        header, body = (number, line), []
    return cells


def _cell(header: tuple[int, str], body: list[str], path: Path) -> Cell:
    number, line = header
    found = HEADER.match(line)
    try:
        marks = {name: json.loads(text) for name, text in MARK.findall(found["marks"])} if found else None
    except json.JSONDecodeError:
        marks = None
    if found is None or marks is None:
        raise MasterError(
            f"{path.name}, line {number}: this header cannot be read: {line}",
            fix='write it like: # %% [markdown] answer="d1.2.3" points=2',
        )
    kind = found["kind"] or "code"
    lines = body if kind == "code" else [text.removeprefix("#").removeprefix(" ") for text in body]
    return Cell(kind, "\n".join(lines).strip("\n"), marks, number)


def without_marks(source: str) -> str:
    """The text without the lines that mark a solution."""
    return MARGIN.sub("", source)


@dataclass(frozen=True)
class Statement:
    """One top-level statement: the names it makes, those it changes or may make, and those it reads, now and later."""

    text: str
    makes: frozenset[str]
    touches: frozenset[str]
    reads: frozenset[str]
    reads_later: frozenset[str]


def statements(cells: Iterable[Cell]) -> list[Statement]:
    """The top-level statements of the code cells, in order."""
    found = []
    for cell in cells:
        if cell.kind == "code":
            lines = without_marks(cell.source).split("\n")
            found += [_statement(node, lines) for node in _parsed(cell, "\n".join(lines)).body]
    return found


def _parsed(cell: Cell, source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        raise MasterError(
            f"The cell at line {cell.line} of its master is not Python: {error}.", fix="write plain Python, no magics."
        ) from error


def _statement(node: ast.stmt, lines: list[str]) -> Statement:
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    code = compile(ast.Module([node], []), "<master>", "exec", dont_inherit=True)
    stored = frozenset(_names(code, "STORE_NAME"))
    later = frozenset(name for inner in _inside(code) for name in _names(inner, "LOAD_GLOBAL", "LOAD_NAME"))
    whole = isinstance(
        node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Assign
    ) or (isinstance(node, ast.AnnAssign) and node.value is not None)
    return Statement(
        "\n".join(lines[first - 1 : node.end_lineno]),
        stored if whole else frozenset(),
        frozenset(_changed(node)) | (frozenset() if whole else stored),
        frozenset(_names(code, "LOAD_NAME")) | (later - stored),  # what calls itself finds itself
        later,
    )


def _names(code: CodeType, *operations: str) -> Iterator[str]:
    return (each.argval for each in dis.get_instructions(code) if each.opname in operations)


def _inside(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _inside(constant)


def _changed(node: ast.stmt) -> Iterator[str]:
    """Names whose value is written into: `table["a"] = 1`, `total += 1`, `results.append(x)`, also inside a loop."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for each in ast.walk(node):
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            targets = [each.value.func]
        else:
            targets = getattr(each, "targets", None) or [getattr(each, "target", None)]
        for root in targets:
            target = root
            while isinstance(target, ast.Attribute | ast.Subscript):
                target = target.value
            if isinstance(target, ast.Name) and (target is not root or isinstance(each, ast.AugAssign)):
                yield target.id


def closure(known: Sequence[Statement], wanted: Iterable[str]) -> list[str]:
    """The statements, in order, that the wanted names rest on at the end of `known`, and no others."""
    at_end = set(wanted)
    while True:
        live, later, kept = set(at_end), set(), []
        for each in reversed(known):
            if (each.makes | each.touches) & live:
                kept.append(each.text)
                live = (live - each.makes) | each.reads
                later |= each.reads_later
        if later <= at_end:
            return kept[::-1]
        at_end |= later


def cells_before(id: str, folder: Path | None = None) -> list[Cell]:
    """Every cell of the day that stands before a part (`d1.2`) or an exercise (`d1.2.3`). MasterError if none.

    Part 0 prepares for the course: no other part rests on it.
    """
    asked = re.fullmatch(r"d(\d+)\.(\d+)(?:\.\w+)?", id)
    paths = master_paths(asked[1], folder) if asked else []
    if asked is None or int(asked[2]) not in map(part_number, paths):
        raise MasterError(f"There is no part {id!r} in the course.", fix="name a part or an exercise: d1.2 or d1.2.3.")
    cells = []
    for path in [path for path in paths if part_number(path) or asked[2] == "0"]:
        own = read_master(path)
        if part_number(path) < int(asked[2]):
            cells += own
            continue
        if id.count(".") == 1:
            return cells
        ends = [i for i, cell in enumerate(own) if id in (cell.marks.get("exercise"), cell.marks.get("answer"))]
        if ends:
            return cells + own[: ends[0]]
        break
    raise MasterError(
        f"There is no exercise {id!r} in the course.", fix=f"name one that is, or the part: d{asked[1]}.{asked[2]}."
    )


def imported(id: str, folder: Path | None = None) -> set[str]:
    """The names that the part of `id` imports."""
    day, part = id.removeprefix("d").split(".")[:2]
    own = [path for path in master_paths(day, folder) if part_number(path) == int(part)]
    code = (_parsed(cell, cell.source) for path in own for cell in read_master(path) if cell.kind == "code")
    found = (each for tree in code for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom))
    return {(alias.asname or alias.name).split(".")[0] for each in found for alias in each.names}
