"""From masters to notebooks: solutions/dayN_x/partK_name.py → reference → student notebook.

    python -m tools.notebooks            build them all
    python -m tools.notebooks --check    build them aside, and fail where a file here differs

Beside both notebooks goes one compressed file a part, `checks/partK_name.remix`, which judges and
rejoins it. Nothing is ever deleted: a notebook in which somebody has worked is kept under another
name.
"""

import argparse
import itertools
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat

from remix_utils.checks import bundle
from remix_utils.checks.exercise import ExerciseError
from remix_utils.checks.lesson import MasterError
from remix_utils.checks.part import Part
from tools.lessons import reference_notebook, signature, student_notebook
from tools.plates import DiagramError

ROOT = Path(__file__).resolve().parents[1]
STRAYS = (
    "solutions/day*_*/part*.ipynb",
    "day*_*/part*.ipynb",
    "solutions/day*_*/checks/*.remix",
    "day*_*/checks/*.remix",
)


def built(root: Path) -> Iterator[tuple[Path, str]]:
    """Every notebook of the course under `root`, with its text."""
    for master in masters(root):
        reference = reference_notebook(master)
        yield master.with_suffix(".ipynb"), nbformat.writes(reference) + "\n"
        yield student_path(master), nbformat.writes(student_notebook(reference)) + "\n"


def masters(root: Path) -> list[Path]:
    return sorted(root.glob("solutions/day*_*/part*_*.py"))


def student_path(master: Path) -> Path:
    return master.parents[2] / master.parent.name / f"{master.stem}.ipynb"


def packed(root: Path) -> Iterator[tuple[Path, bundle.Bundle]]:
    """Every part's file of checks: beside their source, and beside the student's notebooks."""
    for master in masters(root):
        made = bundle.from_master(master)
        require_checks(master, made)
        for folder in (master.parent, student_path(master).parent):
            yield folder / "checks" / f"{master.stem}.remix", made


def require_checks(master: Path, made: bundle.Bundle) -> None:
    """Every exercise has its check, in the lesson's order; every edit fits its solution."""
    marked = [str(cell.marks["check"]) for cell in made.cells if "check" in cell.marks]
    part = Part(made)
    if made.name not in made.sources:
        raise MasterError(f"{master.name} has no checks.", fix=f"write checks/{master.name} beside it.")
    if marked != list(part.exercises):
        odd = next(
            (pair for pair in itertools.zip_longest(marked, part.exercises) if len({*pair}) == 2),
            None,
        )
        raise MasterError(
            f"{master.name} checks {odd[0]} where checks/{master.name} declares {odd[1]}.",
            fix="declare the exercises of the lesson, in its order.",
        )
    for id, asked in part.exercises.items():
        for mistake in asked.mistakes:
            part.changed(id, mistake.variant)


def keep_work(path: Path) -> Path | None:
    """Move a notebook in which somebody has worked out of the way; None if nobody has."""
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
    """Write what differs; one line for each file that was written."""
    bundle.from_master.cache_clear()
    notebooks, files = (
        list(built(root)),
        list(packed(root)),
    )  # all are made before the first is written
    lines = []
    for path, text in notebooks:
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        kept = keep_work(path) if path.exists() else None
        replace(path, text.encode())
        lines.append(f"built {path.relative_to(root)}" + (f" (your work is in {kept.name})" if kept else ""))
    for path, made in files:
        if not holds(path, made):
            replace(path, bundle.packed(made))
            lines.append(f"built {path.relative_to(root)}")
    return lines


def replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_bytes(content)
    fresh.replace(path)


def holds(path: Path, made: bundle.Bundle) -> bool:
    """Whether a part's file holds its sources; another compressor may write other bytes."""
    try:
        return bundle.read.__wrapped__(path).text == made.text
    except ExerciseError:
        return False


def differing(root: Path) -> list[str]:
    """The notebooks and checks that differ from their masters, and those without a master."""
    bundle.from_master.cache_clear()
    texts, files = dict(built(root)), dict(packed(root))
    there = {path for pattern in STRAYS for path in root.glob(pattern) if ".kept" not in path.name}
    stale = [path for path, text in texts.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
    stale += [path for path, made in files.items() if not holds(path, made)]
    return [str(path.relative_to(root)) for path in [*stale, *sorted(there - set(texts) - set(files))]]


def main(arguments: list[str] | None = None, root: Path = ROOT) -> int:
    """Build or compare; 1 if something differs, 2 if a master cannot be built."""
    parser = argparse.ArgumentParser(description="Build every notebook from its master in solutions/.")
    parser.add_argument(
        "--check",
        action="store_true",
        help="write nothing; fail where a notebook is not what is built",
    )
    asked = parser.parse_args(arguments)
    try:
        lines = differing(root) if asked.check else build(root)
    except (MasterError, ExerciseError, DiagramError) as error:
        print(error, file=sys.stderr)
        return 2
    print("\n".join(lines) or "Every notebook is what its master builds.")
    if asked.check and lines:
        print(
            "These differ from what the masters build. Next: make notebooks, and look at the changes before a commit."
        )
    return int(asked.check and bool(lines))


if __name__ == "__main__":
    sys.exit(main())
