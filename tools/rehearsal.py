"""One rehearsal: a pair goes through the week, from the wheel and released folders to grades and feedback.

python -m tools.rehearsal                   all days
python -m tools.rehearsal d2.1 d2.2         these parts only
python -m tools.rehearsal --folder FOLDER   keeps everything there

It prints a page of what happened, and ends with 1 if anything is not as it should be. Day 5 runs on
the shipped model, unless REMIX_MODEL names another.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from remix_utils.checks.bundle import from_master
from remix_utils.checks.lesson import part_id
from remix_utils.checks.part import Part
from remix_utils.checks.progress import Event, Record
from tools.audience import read_board
from tools.playing import GUESS, Try, play, tries
from tools.wheel import installed_wheel

ROOT = Path(__file__).resolve().parents[1]
PAIR, STUDENT = ("Ada", "Grace"), "ada-grace"
# Where the stub is no function, the check is called with a name that is not there, and never begins.
VERDICTS = {"right": ("right",), "wrong": ("wrong",), "missing": ("unwritten", None)}
CARD = """
from remix_utils.classroom.findings import Figure, Finding, save_card
texts = {"claim": "Head 1.1 completes a repeat.", "does_not_show": "That no other head does.",
         "refuted_by": "A repeat that is completed without it."}
figure = Figure("share recovered", 0.62, 0.03, over="48 rows")
found = Finding("induction", "induction-2l", **texts, heads=[(1, 1)], figures=[figure], by=["Ada", "Grace"])
print(save_card(found, "findings"))
"""


class Rehearsal:
    """The course, the pair's work and all that comes of it, in one folder."""

    def __init__(self, folder: Path, site: Path, masters: Sequence[Path]):
        self.folder, self.site, self.masters = folder, site, masters
        self.course, self.progress = folder / "course", folder / "progress"
        self.work = self.course / "work"
        self.parts = {part_id(path): Part(from_master(path)) for path in masters}
        self.plans = {id: tries(part) for id, part in self.parts.items()}
        self.page: list[str] = []
        self.faults: list[str] = []
        self.predicted: list[str] = []
        self.shown: dict[str, Any] = {}  # by the board
        environment = {**os.environ, "PYTHONPATH": str(site), "PYTHONWARNINGS": "ignore"}
        environment |= {"HOME": str(folder), "REMIX_FOLDER": str(self.progress), "JUPYTER_PLATFORM_DIRS": "1"}
        environment.setdefault("REMIX_MODEL", "ioi-small")
        for name in ("REMIX_CHECKS", "REMIX_PAIR", "REMIX_WORK"):
            environment.pop(name, None)
        self.environment = environment

    @property
    def days(self) -> list[str]:
        return list(dict.fromkeys(path.parent.name for path in self.masters))

    def run(self) -> list[str]:
        """Plays everything, and returns the faults; none is a good rehearsal."""
        self.release()
        for day in self.days:
            self.remix("start", day)
        self.say(self.remix("pair", *PAIR).strip())
        for path in self.masters:
            self.play(path)
        self.look_at_progress()
        self.look_at_board()
        self.look_at_cards()
        for day in self.days:
            self.hand_in(day)
            self.grade(day)
        return self.faults

    # --- what happens -----------------------------------------------------------------------------

    def say(self, line: str) -> None:
        print(line, flush=True)
        self.page.append(line)

    def expect(self, holds: bool, fault: str) -> None:
        if not holds:
            self.faults.append(fault)
            self.say(f"  NOT AS IT SHOULD BE: {fault}")

    def python(self, *command: str, cwd: Path) -> str:
        """Runs Python as the pair has it, and returns what was printed; a failure is a fault."""
        how = {"cwd": cwd, "env": self.environment, "capture_output": True, "text": True}
        done = subprocess.run([sys.executable, *command], **how)
        self.expect(done.returncode == 0, f"{' '.join(command)[:80]}: {done.stderr.strip()[-600:]}")
        return done.stdout

    def remix(self, *arguments: str) -> str:
        return self.python("-m", "remix_utils", *arguments, cwd=self.course)

    def release(self) -> None:
        """Releases each day by nbgrader's own command; the folder holds no solutions afterwards."""
        self.course.mkdir()
        shutil.copy(ROOT / "nbgrader_config.py", self.course)
        for day in self.days:
            shutil.copytree(ROOT / "solutions" / day, self.course / "solutions" / day)
            self.python("-m", "nbgrader", "generate_assignment", day, cwd=self.course)
        shutil.rmtree(self.course / "solutions")
        (self.course / "gradebook.db").unlink()
        where = self.python("-c", "import remix_utils; print(remix_utils.__file__)", cwd=self.course).strip()
        self.expect(Path(where).is_relative_to(self.site), f"the package comes from {where}")
        self.say(f"Released: {', '.join(self.days)}.")

    def play(self, path: Path) -> None:
        part = part_id(path)
        notebook = self.work / path.parent.name / f"{path.stem}.ipynb"
        done = play(notebook, self.plans[part], self.environment)
        self.predicted += done.predicted
        kinds = Counter(each.kind for each in self.plans[part].values())
        self.say(f"{part}: {done.cells} cells; {', '.join(f'{n} {kind}' for kind, n in kinds.items())}.")
        for fault in done.faults:
            self.expect(False, f"{part}, {fault}")

    # --- what came of it --------------------------------------------------------------------------

    def tried(self) -> dict[str, Try]:
        return {id: each for plan in self.plans.values() for id, each in plan.items()}

    def look_at_progress(self) -> None:
        """Every check stands there with its verdict and both names; so does every guess."""
        record = Record(self.progress)
        events = record.new()
        last = {event["id"]: event for event in events if event["event"] == "check"}
        for id, each in self.tried().items():
            found = last.get(id, {})
            self.expect(found.get("verdict") in VERDICTS[each.kind], f"{id} is {each.kind}, and recorded: {found}")
        self.expect(record.dropped == 0, f"{record.dropped} lines of progress are dropped")
        names = {event.get("pair") for event in events}
        self.expect(names == {", ".join(PAIR)}, f"the names on the work are {names}")
        self.look_at_predictions(events)

    def look_at_predictions(self, events: Sequence[Event]) -> None:
        kept = [event["id"] for event in events if event["event"] == "predict" and event.get("guess") == GUESS]
        measured = {event["id"] for event in events if event["event"] == "measured"}
        lost = set(self.predicted) - set(kept)
        self.expect(not lost, f"guesses are not kept: {', '.join(sorted(lost))}")
        rejoins = sum(event["event"] == "start_at" for event in events)
        known = sum(event.get("mistake") is not None for event in events)
        self.say(
            f"Progress: {len(events)} events, {known} known mistakes, {len(kept)} guesses, {len(measured)} measured, "
            f"{rejoins} rejoins; names: {', '.join(PAIR)}."
        )

    def look_at_board(self) -> None:
        """The instructor's board, asked with its token: a row a folder, each exercise with its sign."""
        command = [sys.executable, "-m", "remix_utils"]
        self.shown = read_board(command, self.progress, self.course, self.environment)
        self.compare_board(self.shown)

    def compare_board(self, shown: Mapping[str, Any]) -> None:
        ids = [id for _, exercises in shown["columns"] for id in exercises]
        cells = {ids[place]: sign for row in shown["rows"] for place, sign, _ in row["cells"]}
        for id, each in self.tried().items():
            sign = {"right": "r", "wrong": "w", "missing": None}[each.kind]
            self.expect(cells.get(id) == sign, f"the board shows {cells.get(id)} for {id}, which is {each.kind}")
        names = {row["name"] for row in shown["rows"]}
        self.expect(names == {", ".join(PAIR)}, f"the board shows the names {names}")
        self.expect(len(shown["rows"]) == len(self.days), f"the board has {len(shown['rows'])} rows")
        self.say(f"Board: {len(shown['rows'])} folders of {', '.join(PAIR)}, {len(cells)} exercises tried.")

    def look_at_cards(self) -> None:
        """The cards of the last day, or one that the pair writes; then the index over them."""
        folders = [self.work / day for day in self.days if (self.work / day / "findings").is_dir()]
        folder = folders[-1] if folders else self.work / self.days[-1]
        if not folders:
            self.python("-c", CARD, cwd=folder)
        said = self.remix("finding", str(folder / "findings"))
        self.expect("no card" not in said and " cards in " in said, f"remix finding says {said!r}")
        self.say(f"Findings: {said.split('.')[0].replace(str(self.folder), '')}.")

    def hand_in(self, day: str) -> None:
        place = self.folder / "submitted" / STUDENT / day
        place.mkdir(parents=True)
        for path in self.masters:
            if path.parent.name == day:
                shutil.copy(self.work / day / f"{path.stem}.ipynb", place)

    def grade(self, day: str) -> None:
        """Grades by `remix grade`: full points for right answers and none for others, in table, gradebook and page."""
        asked = {"--submitted": "submitted", "--results": "grading", "--gradebook": "gradebook.db"}
        options = [text for name, place in asked.items() for text in (name, str(self.folder / place))]
        self.remix("grade", day, *options)
        self.compare(day)

    def compare(self, day: str) -> None:
        rows = self.table(day)
        for id, each in self.tried().items():
            if id.startswith(f"d{day[3]}."):
                row = rows.get(id, {"points": "no row", "most": ""})
                expected = row["most"] if each.kind == "right" else "0"
                sentence = row.get("sentence", "")[:150]
                fault = f"{id} is {each.kind} and gets {row['points']} of {row['most']}: {sentence}"
                self.expect(float(row["points"]) == float(expected), fault)
        page = self.folder / "grading" / "feedback" / STUDENT / f"{day}.html"
        self.expect(page.is_file() and STUDENT in page.read_text(), f"there is no feedback page for {day}")
        points = sum(float(row["points"]) for row in rows.values())
        most = sum(float(row["most"]) for row in rows.values())
        self.say(f"Grades of {day}: {points:g} of {most:g}; feedback in {page.relative_to(self.folder)}.")

    def table(self, day: str) -> Mapping[str, dict[str, str]]:
        path = self.folder / "grading" / f"{day}.csv"
        self.expect(path.is_file(), f"there is no table {path.name}")
        if not path.is_file():
            return {}
        with path.open(newline="", encoding="utf-8") as file:
            return {row["exercise"]: row for row in csv.DictReader(file)}


def main(arguments: Sequence[str]) -> int:
    """Rehearses the week, or the parts asked for; 1 if something is not as it should be."""
    parser = argparse.ArgumentParser(prog="tools.rehearsal", description="A pair goes through the week.")
    parser.add_argument("parts", nargs="*", help="such as d2.1; all of them otherwise")
    parser.add_argument("--folder", type=Path, help="where everything is kept; a temporary folder otherwise")
    asked = parser.parse_args(arguments)
    if asked.folder and asked.folder.exists() and any(asked.folder.iterdir()):
        parser.error(f"{asked.folder} is not empty. Name a new folder.")
    masters = sorted(ROOT.glob("solutions/day*_*/part*_*.py"))
    chosen = [path for path in masters if not asked.parts or part_id(path) in asked.parts]
    unknown = sorted(set(asked.parts) - set(map(part_id, masters)))
    if unknown:
        parser.error(f"There is no part {', '.join(unknown)}.")
    with tempfile.TemporaryDirectory() as temporary:
        folder = (asked.folder or Path(temporary)).absolute()
        (folder / "package").mkdir(parents=True)
        rehearsal = Rehearsal(folder, installed_wheel(folder / "package"), chosen)
        faults = rehearsal.run()
        (folder / "rehearsal.json").write_text(json.dumps({"page": rehearsal.page, "faults": faults}, indent=1))
    last = f"{len(faults)} things are not as they should be." if faults else "All is as it should be."
    print(last)
    return int(bool(faults))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
