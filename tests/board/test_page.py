"""The board in a real browser: what it shows, what it escapes, and whom it asks."""

import json
import os
import time
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from remix_utils.classroom.board.catalogue import Catalogue
from tests.board.serving import served
from tests.plot.browsing import CHROMIUM

PICTURES = Path(__file__).parents[2] / "build" / "browser"
PATIENCE = 120_000  # milliseconds, for a machine that has other work
COURSE = Catalogue({"d1.1": tuple(f"d1.1.{n}" for n in range(1, 9)), "d2.1": ("d2.1.1", "d2.1.quiz")})
HOSTILE = '<img src=x onerror="document.title=1"> & <script>document.title=2</script>'

pytestmark = pytest.mark.skipif(
    not CHROMIUM and "CI" not in os.environ,
    reason="no Chromium here, so nobody opened the board (apt-get install chromium)",
)


class Pair:
    """A pair whose kernel writes lines."""

    def __init__(self, folder: Path, desk: str, name: str = ""):
        self.file, self.desk, self.name = folder / "progress" / f"{desk}-x-1-1.jsonl", desk, name
        self.file.parent.mkdir(exist_ok=True)

    def did(self, event: str, id: str, ago: float = 0.0, **facts) -> None:
        names = {"pair": self.name} if self.name else {}
        line = {"time": time.time() - ago, "event": event, "id": id, "desk": self.desk, **names, **facts}
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def checked(self, id: str, verdict: str, ago: float = 0.0, **facts) -> None:
        self.did("check", id, ago, verdict=verdict, seconds=0.1, edition="e", **facts)


@pytest.fixture
def cohort(tmp_path):
    """A folder with a board over it, and a window on it that notes every address which the page asks for."""
    with served(tmp_path, COURSE) as (board, address), sync_playwright() as playwright:
        flags = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        context = chromium.new_context(viewport={"width": 1920, "height": 1080})
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        expect.set_options(timeout=PATIENCE)
        asked, faults = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("websocket", lambda socket: asked.append(socket.url.replace("ws:", "http:")))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
        page.goto(f"{address}/?token={board.token}")
        yield tmp_path, page
        PICTURES.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=PICTURES / "board.png")
        assert [url for url in asked if not url.startswith((f"{address}/", "data:"))] == []
        assert faults == []
        assert board.token not in page.url
        chromium.close()


def row(page: Page, name: str):
    return page.locator("#labels div").filter(has_text=name)


def test_a_check_appears_on_the_page_by_itself(cohort):
    """A pair without a row, a wrong answer, a second one, and a right one after a solution."""
    folder, page = cohort
    expect(page.get_by_text("No pair has begun yet.")).to_be_visible()
    pair = Pair(folder, "0a1b2c3d", "Ada, Grace")
    pair.checked("d1.1.1", "wrong")
    expect(row(page, "Ada, Grace")).to_have_attribute(
        "aria-label", "Ada, Grace: 0 right, 0 right after help, d1.1.1 wrong 1 times"
    )
    pair.checked("d1.1.1", "wrong")
    expect(row(page, "Ada, Grace")).to_have_attribute(
        "aria-label", "Ada, Grace: 0 right, 0 right after help, d1.1.1 wrong 2 times"
    )
    pair.did("solution", "d1.1.1")
    pair.checked("d1.1.1", "right")
    pair.checked("d1.1.2", "right")
    expect(row(page, "Ada, Grace")).to_have_attribute("aria-label", "Ada, Grace: 1 right, 1 right after help")
    expect(page.locator("#title")).to_have_text("Day 1, part 1")
    expect(page.locator("#totals li")).to_contain_text("25 %")


def test_names_are_text_whatever_they_say(cohort):
    """Markup in a name is shown as it was written, everywhere, and runs nothing."""
    folder, page = cohort
    shown = " ".join(HOSTILE.split())[:80]
    Pair(folder, "0a", HOSTILE).checked("d1.1.1", "wrong", ago=300)
    Pair(folder, "0b", "\ud800\u202e Grace").checked("d1.1.1", "wrong", ago=200)
    with (folder / "progress" / "0c-<b>bold<.jsonl").open("w") as file:
        file.write('{"time": 1, "event": "check", "id": "<script>", "desk": "0c"}\n')
    (folder / "progress" / "<i>link.jsonl").symlink_to(folder)
    expect(row(page, shown)).to_have_count(1)
    expect(row(page, "Grace")).to_have_text("Grace")
    expect(page.locator("#stuck li").first).to_contain_text(shown)
    expect(page.locator("#notices")).to_contain_text("<i>link.jsonl")
    expect(page.locator("#notices")).to_contain_text("Dropped 1 line that cannot be read")
    assert page.locator("img, #labels script, #stuck script, i, main b b").count() == 0
    assert page.title() == "Board"


def test_who_is_stuck_and_who_is_quiet(cohort):
    """Longest first, with the exercise and the minutes; a pair that does nothing is quiet, and not stuck."""
    folder, page = cohort
    for number, (ago, last) in enumerate([(250, 5), (1500, 30), (1900, 1300), (20, 10)]):
        pair = Pair(folder, f"0{number}", f"Pair {number}")
        pair.checked("d1.1.3", "wrong", ago)
        pair.checked("d1.1.3", "wrong", last)
    Pair(folder, "0f").checked("d1.1.2", "wrong", 400)
    expect(page.locator("#stuck li")).to_have_text(["Pair 11.1.325 min", "desk 0f1.1.26 min", "Pair 01.1.34 min"])
    expect(page.locator("#idle li")).to_have_text(["Pair 21.1.321 min"])
    page.select_option("#sort", "stuck")
    expect(page.locator("#labels div").first).to_have_text("Pair 2")
    page.uncheck("#names")
    expect(page.locator("#labels div").first).to_have_text("desk 02")
    assert "Pair" not in page.locator("body").inner_text()


def test_one_chooses_a_day_a_part_or_all(cohort):
    """A pair that works on another day has no row in this one; by default the page goes where the room is."""
    folder, page = cohort
    for number in range(3):
        Pair(folder, f"0{number}", f"First {number}").checked("d1.1.1", "right")
    Pair(folder, "0a", "Second").checked("d2.1.1", "right")
    expect(page.locator("#labels div")).to_have_count(3)
    page.select_option("#view", "d2.1")
    expect(page.locator("#labels div")).to_have_text(["Second"])
    expect(page.locator("#title")).to_have_text("Day 2, part 1")
    page.select_option("#view", "all")
    expect(page.locator("#labels div")).to_have_count(4)


def test_the_commonest_mistake_and_a_clock_that_is_ahead(cohort):
    """A mistake without checks on this machine has its number of pairs; a wrong clock is named, and harms nothing."""
    folder, page = cohort
    for number in range(3):
        Pair(folder, f"0{number}", f"Pair {number}").checked("d1.1.4", "wrong", ago=-86400 * number, mistake=1)
    expect(page.locator("#mistake p")).to_have_text(
        "1.1.4, 3 pairs: A known mistake, whose sentence is not on this machine."
    )
    expect(page.locator("#notices")).to_have_text("The clock of 2 pairs runs ahead of this machine's.")


def test_the_swap_clock_is_the_rooms(cohort):
    """It is started on one page and runs on all of them, and can be stopped."""
    _, page = cohort
    page.fill("#minutes", "12")
    page.click("#start")
    expect(page.locator("#swap")).to_contain_text("swap in 11:")
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#swap")).to_contain_text("swap in 11:", timeout=PATIENCE)
    other.click("#start")
    expect(page.locator("#swap")).to_have_text("")


def pixel(page: Page, column: int) -> list[int]:
    """The colour and the opacity in the middle of a cell of the first row."""
    return page.evaluate(
        """(column) => { const { nameWidth, columnWidth, rowHeight } = grid.shape;
        const at = [nameWidth + (column + 0.5) * columnWidth, HEADING + rowHeight / 2].map(Math.round);
        return [...grid.canvas.getContext("2d").getImageData(...at, 1, 1).data]; }""",
        column,
    )


def test_the_four_states_differ_in_shape_and_in_light(cohort):
    """A disc is filled, a ring is open, a square holds a number: in grey they differ, too."""
    folder, page = cohort
    pair = Pair(folder, "0a", "Ada")
    pair.did("solution", "d1.1.2")
    for id, verdict in (("d1.1.1", "right"), ("d1.1.2", "right"), ("d1.1.3", "wrong")):
        pair.checked(id, verdict)
    expect(row(page, "Ada")).to_have_attribute("aria-label", "Ada: 1 right, 1 right after help, d1.1.3 wrong 1 times")
    assert pixel(page, 0) == [0x00, 0x60, 0xA0, 255]
    assert pixel(page, 1)[3] == 0  # nothing is painted inside a ring
    assert pixel(page, 3)[3] > 0
