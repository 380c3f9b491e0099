"""What every error here has in common, and which `raise` statements were reached: so that none goes untested."""

import ast
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from remix_utils.errors import RemixError

HOUSE = Path(__file__).parents[1] / "remix_utils"


class Mistake(NamedTuple):
    """The error's class, what its message must name, and what one did."""

    kind: type[RemixError]
    says: tuple[str, ...]
    made: Callable[[], object]


def error_of(made: Callable[[], object]) -> Exception:
    """What one is told for it."""
    with pytest.raises((RemixError, TypeError)) as refusal:
        made()
    return refusal.value


def judged(mistake: Mistake) -> str:
    """The error as a reader sees it, once it is of its class and says what it must."""
    error = error_of(mistake.made)
    assert type(error) is mistake.kind and isinstance(error, ValueError)
    assert [part for part in mistake.says if part not in str(error)] == []
    return f"{type(error).__name__}: {error}"


def assert_well_made(error: Exception) -> None:
    """A sentence of facts, at most one line of detail, one imperative line; its facts are attributes; it travels."""
    fact, *details, fix = str(error).splitlines()
    assert fact == error.fact.splitlines()[0] and fact.endswith(".")
    assert all(line.startswith("  pattern: ") for line in details)
    assert fix == f"  fix: {error.fix}" and str(error).count("fix:") == 1
    assert re.fullmatch(r"[a-z][^\n]*\.", error.fix)
    assert error.facts and all(getattr(error, name) is value for name, value in error.facts.items())
    assert not set(error.facts) & ({"fact", "fix", "facts"} | set(dir(ValueError())))
    restored = pickle.loads(pickle.dumps(error))
    assert (type(restored), str(restored), restored.facts) == (type(error), str(error), error.facts)


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
