"""The walkthrough: solved lessons as pages that a projector shows without a network."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from playwright.sync_api import sync_playwright

from tests.plot.browsing import CHROMIUM, needs_chromium
from tools import walkthrough

FORMULA = "## d1.1.1 Read a layer\n\nIt computes $x_1 + y$, and `a$b$c` stays."
ANSWER = "def read(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
CHECK = 'check("d1.1.1", read)\n### BEGIN HIDDEN TESTS\ncheck("d1.1.1", read, seed=7)\n### END HIDDEN TESTS'
FIGURE = {"data": [{"type": "bar", "x": ["a"], "y": [3]}], "layout": {"title": {"text": "one bar"}}}


def lesson():
    """A lesson as it looks once it has run."""
    marked = {"nbgrader": {"solution": True, "grade": False, "grade_id": "d1-1-1"}}
    shown = new_output("display_data", {"application/vnd.plotly.v1+json": FIGURE, "text/plain": "Figure"})
    bar = new_output("stream", text="10 %\r100 %\ndone\n")
    cells = [
        new_markdown_cell("# Day 1, part 1: hooks\n\n$$\\frac{a}{b}$$"),
        new_markdown_cell(FORMULA),
        new_code_cell(ANSWER, metadata=marked),
        new_code_cell(CHECK, outputs=[new_output("stream", text="✓ d1.1.1")]),
        new_code_cell("plot()", outputs=[shown, bar]),
        new_markdown_cell("A sample answer.", metadata={"nbgrader": {"solution": True, "grade": True}}),
    ]
    return new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})


@pytest.fixture
def page():
    return walkthrough.page(walkthrough.without_hidden_tests(lesson()), "Day 1", "some source")


def test_a_page_shows_no_hidden_test_and_no_mark(page):
    """The room sees the check and its answer, and nothing of the grading."""
    assert "read" in page and "✓ d1.1.1" in page
    assert [word for word in ("HIDDEN", "seed", "SOLUTION", "nbgrader", "grade_id") if word in page] == []


def test_answers_are_folded_and_all_else_is_open(page):
    """Both a coded and a written answer are in a fold, and there's no other fold."""
    folds = page.split("<details>")[1:]
    assert len(folds) == 2
    assert "return" in folds[0].partition("</details>")[0]
    assert "A sample answer" in folds[1].partition("</details>")[0]


def test_formulas_are_mathml_and_code_keeps_its_dollars(page):
    """Each formula is drawn by the browser itself, and a dollar in code is no formula."""
    assert page.count("<math") == 2 and "<mfrac>" in page
    assert "a$b$c" in page


def test_a_bar_shows_its_last_state(page):
    """Printed progress doesn't fill the page."""
    assert "100 %" in page and "10 %\r" not in page


def test_a_page_names_no_other_host(page):
    """No script, style or picture comes from an address."""
    assert [tag for tag in ('src="http', "import(", 'rel="stylesheet"', "cdnjs", "unpkg") if tag in page] == []


def test_headings_are_anchors_of_the_index(page):
    """The index links to every exercise by its place in the page."""
    assert walkthrough.headings(page) == [("d1.1.1-Read-a-layer", "d1.1.1 Read a layer")]


def saved(folder: Path, *sources: str) -> Path:
    """A lesson in a folder like the course's, with one cell a source."""
    path = folder / "solutions" / "day1_graphs" / "part1_hooks.ipynb"
    (path.parent / "checks").mkdir(parents=True)
    (path.parent / "checks" / "part1_hooks.remix").write_bytes(b"checks")
    cells = [new_markdown_cell("# Day 1, part 1: hooks"), *map(new_code_cell, sources)]
    nbformat.write(new_notebook(cells=cells, metadata=lesson().metadata), path)
    return path


def test_a_lesson_that_raises_is_not_shown(tmp_path, monkeypatch):
    """A traceback stops the build, and the cell is named."""
    monkeypatch.setattr(walkthrough, "ROOT", tmp_path)
    path = saved(tmp_path, "1 / 0")
    with pytest.raises(walkthrough.WalkthroughError, match="raised ZeroDivisionError"):
        walkthrough.executed(path)


def test_a_page_is_made_again_if_its_lesson_has_changed(tmp_path, monkeypatch, capsys):
    """A second build runs nothing, and a lesson with another cell is run and shown anew."""
    monkeypatch.setattr(walkthrough, "ROOT", tmp_path)
    site = tmp_path / "site"
    path = saved(tmp_path, "print(6 * 7)")
    walkthrough.main([], site)
    made = site / "day1_graphs" / "part1_hooks.html"
    assert "42" in made.read_text() and walkthrough.is_current(path, made)
    before = made.stat().st_mtime_ns
    walkthrough.main(["day1"], site)
    assert made.stat().st_mtime_ns == before
    notebook = nbformat.read(path, 4)
    notebook.cells[1].source = "print(6 * 8)"
    nbformat.write(notebook, path)
    walkthrough.main(["d1.1"], site)
    assert "48" in made.read_text()
    assert "part1_hooks.html" in (site / "index.html").read_text()
    with pytest.raises(walkthrough.WalkthroughError, match="no lesson day9"):
        walkthrough.main(["day9"], site)


@needs_chromium
def test_a_browser_without_a_network_draws_the_page(page, tmp_path):
    """Figures and formulas are drawn offline, answers are closed, and nobody outside is asked."""
    (tmp_path / "day1_graphs").mkdir()
    file = tmp_path / "day1_graphs" / "part1_hooks.html"
    file.write_text(page)
    walkthrough.write_site([], tmp_path)
    asked = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        tab = browser.new_context(offline=True).new_page()
        tab.on("request", lambda request: asked.append(request.url))
        tab.goto(file.as_uri())
        tab.wait_for_selector(".js-plotly-plot .main-svg")
        assert tab.locator("math").count() == 2
        assert not tab.get_by_text("A sample answer.").is_visible()
        tab.locator("summary").nth(1).click()
        assert tab.get_by_text("A sample answer.").is_visible()
        browser.close()
    assert [url for url in asked if not url.startswith(("file:", "data:", "blob:"))] == []
