"""How fast the board is in a browser: 60 pairs × 250 exercises, 5,000 events.

python -m benchmarks.board            needs Chromium (apt-get install chromium)
python -m benchmarks.board FOLDER     keeps the pictures there
"""

from __future__ import annotations

import json
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from remix_utils.classroom.board.catalogue import Catalogue
from tests.board.serving import served
from tests.plot.browsing import CHROMIUM

PAIRS, EVENTS, LOADS, UPDATES = 60, 5000, 7, 20
PARTS = {f"d{day}.{part}": 10 for day in range(1, 6) for part in range(1, 6)}  # 250 exercises
COURSE = Catalogue({part: tuple(f"{part}.{n}" for n in range(1, size + 1)) for part, size in PARTS.items()})
SCREENS = ((1920, 1080), (1280, 720))
# The page is drawn in the first frame after its names are there.
DRAWN = """() => new Promise((done) => {
    const look = () => document.querySelector("#labels div")
        ? requestAnimationFrame(() => done(performance.now())) : requestAnimationFrame(look);
    look();
})"""


def write_cohort(folder: Path) -> list[Path]:
    """Writes what 60 pairs did in a week, and returns their files."""
    drawn, start = random.Random(0), time.time() - 3 * 3600
    exercises, files = list(COURSE.places), []
    (folder / "progress").mkdir()
    for pair in range(PAIRS):
        desk, lines = f"{pair:08x}", []
        for n in range(EVENTS // PAIRS + (pair < EVENTS % PAIRS)):
            id, verdict = exercises[(n * 3 + pair) % len(exercises)], drawn.choice(["right", "right", "wrong"])
            facts = {"verdict": verdict, "seconds": 0.1, "edition": "e", "mistake": drawn.choice([None, 0, 1])}
            lines.append(line_of(desk, start + 100 * n + pair, id, **facts))
        files.append(folder / "progress" / f"{desk}-x-1-1.jsonl")
        files[-1].write_text("".join(lines))
    return files


def line_of(desk: str, when: float, id: str, **facts) -> str:
    """Returns the line that a kernel writes."""
    event = {"time": when, "event": "check", "id": id, "desk": desk, "pair": f"Pair {int(desk, 16)}"}
    return json.dumps({**event, **facts}) + "\n"


def seconds_to_update(page: Page, file: Path, name: str) -> float:
    """Appends a line of an exercise that is new to its pair; returns the seconds until its row has changed."""
    row = page.locator("#labels div").filter(has_text=name)
    before = row.first.get_attribute("aria-label")
    changed = """(before) => [...document.querySelectorAll("#labels div")]
        .every((row) => row.getAttribute("aria-label") !== before)"""
    start = time.perf_counter()
    with file.open("a") as log:
        new = list(COURSE.places)[int(file.name[:8], 16) + 1]  # each pair tried every third exercise
        log.write(line_of(file.name[:8], time.time(), new, verdict="wrong"))
    page.wait_for_function(changed, arg=before, polling=20)
    return time.perf_counter() - start


def measure(page: Page, address: str, files: list[Path]) -> dict[str, list[float]]:
    """Returns the seconds from each request of the page to its drawing, and those of the updates."""
    processor = page.context.new_cdp_session(page)
    processor.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    processor.send("Performance.enable")
    painted, used = [], []
    for _ in range(LOADS):
        page.goto("about:blank")
        page.goto(f"{address}#all")
        painted.append(page.evaluate(DRAWN) / 1000)
        metrics = processor.send("Performance.getMetrics")["metrics"]
        used.append(next(each["value"] for each in metrics if each["name"] == "TaskDuration"))
    page.select_option("#view", "all")
    page.wait_for_function(f"document.querySelectorAll('#labels div').length === {PAIRS}")
    updates = [seconds_to_update(page, files[n], f"Pair {n}") for n in range(UPDATES)]
    return {"first paint": painted, "processor time of the page until then": used, "update after a line": updates}


def main(pictures: Path | None) -> None:
    """Prints the seconds on both screens."""
    flags = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    for width, height in SCREENS:
        with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
            files = write_cohort(Path(folder))
            with served(Path(folder), COURSE) as (board, address):
                chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
                page = chromium.new_page(viewport={"width": width, "height": height})
                measured = measure(page, f"{address}/?token={board.token}", files)
                if pictures:
                    page.screenshot(path=pictures / f"board-{width}.png")
                chromium.close()
        print(f"{width}×{height}")
        for what, seconds in measured.items():
            ordered = sorted(seconds)
            print(f"  {what}: {ordered[0]:.2f} to {ordered[-1]:.2f} s, median {ordered[len(ordered) // 2]:.2f} s")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
