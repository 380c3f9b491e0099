"""Rejoin at every exercise of every part, and run the rest of the part with the solutions.

python -m tools.rejoin            all parts
python -m tools.rejoin d2.3       one part, or several
"""

import contextlib
import io
import os
import sys
import tempfile
import time
from pathlib import Path

from tqdm import tqdm

from remix_utils.checks.bundle import from_master
from remix_utils.checks.catch_up import waiting_at
from remix_utils.checks.lesson import part_id, without_marks
from remix_utils.checks.part import Part, in_cells
from remix_utils.checks.sources import run

ROOT = Path(__file__).resolve().parents[1]


def run_from(part: Part, id: str) -> None:
    """Rejoins at an exercise in a fresh namespace, and runs every cell from there to the end, as a notebook does."""
    place = part.position("exercise", id)
    rest, waiting = part.bundle.cells[place:], waiting_at(part, place, id)
    space = {"__name__": "__main__", "display": lambda *shown: None, **waiting.take(waiting.tools)}
    for cell in rest:
        if cell.kind == "code":
            space |= waiting.before_cell(without_marks(cell.source))
            with contextlib.redirect_stdout(io.StringIO()):
                for statement in in_cells([cell]):
                    run(statement.text, space, f"<{id} and after>")


def main(wanted: list[str]) -> int:
    """Rejoin everywhere; 1 if some place fails, each with its error."""
    masters = sorted(ROOT.glob("solutions/day*_*/part*_*.py"))
    parts = [Part(from_master(path)) for path in masters if not wanted or part_id(path) in wanted]
    places = [(part, id) for part in parts for id in part.exercises]
    start, failed = time.process_time(), []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["REMIX_FOLDER"] = folder
        for part, id in tqdm(places, unit="rejoin"):
            try:
                run_from(part, id)
            except Exception as error:  # whatever a lesson raises is a fault of the lesson
                failed.append(f"{id}: {type(error).__name__}: {error}")
    seconds = time.process_time() - start
    print("\n".join(failed))
    done = len(places) - len(failed)
    print(f"{done} of {len(places)} rejoins run to the end of their part, {seconds:.0f} CPU s.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
