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
from remix_utils.checks.catch_up import run_all
from remix_utils.checks.lesson import part_id
from remix_utils.checks.part import Part, in_cells
from remix_utils.checks.sources import run
from remix_utils.checks.statements import bring

ROOT = Path(__file__).resolve().parents[1]


def run_from(part: Part, id: str) -> None:
    """Rejoin at an exercise in a fresh namespace, and run every statement from there to the end."""
    place = part.position("exercise", id)
    rest = in_cells(part.bundle.cells[place:])
    needed, names = bring(part.before(place), rest)
    made = run_all(id, needed)
    space = {name: made[name] for name in names if name in made}
    space |= {"__name__": "__main__", "display": lambda *shown: None}
    with contextlib.redirect_stdout(io.StringIO()):
        for statement in rest:
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
