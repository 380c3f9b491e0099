"""Which `raise` statements a file has, and which of them raised an error: so that no error goes untested."""

import ast
from pathlib import Path

HOUSE = Path(__file__).parents[1] / "remix_utils"


def raise_sites(*rooms: str) -> set[str]:
    """The file and line of every statement that raises something of its own, such as "graph/ops.py:30"."""
    files = sorted(path for room in rooms for path in HOUSE.glob(f"{room}.py"))
    return {
        f"{path.relative_to(HOUSE).as_posix()}:{node.lineno}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Raise) and node.exc is not None
    }


def raised_at(error: BaseException | None) -> set[str]:
    """Where the error was raised, and where those that it was raised from."""
    if error is None:
        return set()
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    path = Path(last.tb_frame.f_code.co_filename)
    here = {f"{path.relative_to(HOUSE).as_posix()}:{last.tb_lineno}"} if path.is_relative_to(HOUSE) else set()
    return here | raised_at(error.__cause__ or error.__context__)
