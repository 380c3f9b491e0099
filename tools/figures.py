"""Measure again every figure that the lessons state: solutions/numbers.toml against a new run of the masters.

    python tools/figures.py              all of them
    python tools/figures.py d1.part1     those whose name begins so

An entry says `how = "day1_graphs/part1_hooks.py: expression"`: the master is run, and the expression is evaluated in
the names that it leaves. An entry with `source` instead is somebody else's figure, and is not measured.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from remix_utils.errors import RemixError

ROOT = Path(__file__).resolve().parents[1]
REGISTRY = ROOT / "solutions" / "numbers.toml"
FIELDS = {"value", "tolerance", "seed", "how", "source"}


class FiguresError(RemixError):
    """A registry that cannot be read, or an entry that does not say how it is measured."""


@dataclass(frozen=True)
class Figure:
    """One stated figure: what the prose says, and where a new run finds it."""

    name: str
    value: float
    tolerance: float = 0.0
    seed: int | None = None
    how: str = ""
    source: str = ""

    @property
    def master(self) -> str:
        return self.how.split(": ", 1)[0]

    @property
    def expression(self) -> str:
        return self.how.split(": ", 1)[1]


def read_registry(path: Path = REGISTRY) -> list[Figure]:
    """All entries, in the order of the file. FiguresError for one that is incomplete or cannot be re-measured."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as problem:
        raise FiguresError(f"{path} cannot be read: {problem}.", fix="mend that line.") from problem
    figures = [figure(name, table) for name, table in flatten(tables)]
    for each in figures:
        if each.how and not (path.parent / each.master).is_file():
            raise FiguresError(
                f"{each.name}: there is no master {each.master!r}.",
                fix="name it from solutions/ down, then ': '.",
            )
    return figures


def flatten(table: dict, prefix: str = "") -> Iterator[tuple[str, dict]]:
    """Tables that hold a figure, by their dotted name."""
    for name, inner in table.items():
        if isinstance(inner, dict) and not FIELDS & set(inner):
            yield from flatten(inner, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", inner


def figure(name: str, table: dict) -> Figure:
    """One entry, checked: a value, and either how it is measured, with a tolerance, or whose it is."""
    shape = 'needs value, and either source, or tolerance, seed and how = "day/master.py: expression"'
    right = isinstance(table, dict) and set(table) <= FIELDS and isinstance(table.get("value"), int | float)
    measured = right and {"how", "tolerance", "seed"} <= set(table) and "source" not in table and ": " in table["how"]
    if not (measured or (right and "source" in table and "how" not in table)):
        raise FiguresError(f"{name} in the registry {shape}.", fix="complete the entry; the file's head shows one.")
    return Figure(name, **table)


def run_master(path: Path, printed: io.StringIO | None = None) -> dict:
    """The names that a master leaves when it has run, in a folder of its own; what it prints goes to `printed`."""
    names: dict = {"__name__": f"measured_{path.stem}", "display": lambda *shown: None}
    here = Path.cwd()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed or io.StringIO()):
        os.environ["REMIX_FOLDER"] = folder
        os.chdir(folder)
        try:
            exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
        finally:
            os.chdir(here)
            del os.environ["REMIX_FOLDER"]
    return names


def measure(figures: list[Figure], run: Callable[[str], dict]) -> Iterator[tuple[Figure, float | None, str]]:
    """Each figure with what a new run gives, and what is wrong with it; nothing is measured for published ones."""
    spaces: dict[str, dict] = {}
    for each in figures:
        if each.source:
            yield each, None, ""
            continue
        if each.master not in spaces:
            spaces[each.master] = run(each.master)
        try:
            found = float(eval(each.expression, spaces[each.master]))
        except Exception as problem:
            yield each, None, f"cannot be measured ({type(problem).__name__}: {problem})"
            continue
        off = abs(found - each.value)
        # A sliver of rounding is forgiven, so that a tolerance of 0.1 means 0.1.
        fault = f"off by {off:.4g}, allowed {each.tolerance:g}" if not off <= each.tolerance + 1e-9 else ""
        yield each, found, fault


def main(arguments: list[str], path: Path = REGISTRY) -> int:
    start = time.perf_counter()
    figures = [each for each in read_registry(path) if each.name.startswith(tuple(arguments) or "")]
    if not figures:
        print(f"No figure is called {' or '.join(arguments)}; see {path}.")
        return 1
    faults = measured = 0
    for each, found, fault in measure(figures, lambda master: run_master(path.parent / master)):
        text = (
            f"published: {each.source}" if each.source else f"measured {'nothing' if found is None else f'{found:.6g}'}"
        )
        print(f"{'✗' if fault else '✓'} {each.name}: stated {each.value:g}, {text}{': ' + fault if fault else ''}")
        faults, measured = faults + bool(fault), measured + (not each.source)
    seconds = time.perf_counter() - start
    print(
        f"{measured} figures measured in {seconds:.0f} s, {len(figures) - measured} published, {faults} not as stated."
    )
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RemixError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
