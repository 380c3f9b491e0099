"""Two browsers on one notebook; run where remix-utils[pairs] and Chromium are installed.

pip install "remix-utils[pairs]"; python -m pytest tests/test_pairs.py
"""

import importlib.util
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.test_browser import CHROMIUM, NOTEBOOK, PART, PATIENCE, PICTURES, Desk, validate

MISSING = importlib.util.find_spec("jupyter_collaboration") is None
pytestmark = [
    pytest.mark.skipif(MISSING, reason="no jupyter-collaboration here (pip install 'remix-utils[pairs]')"),
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here (apt-get install chromium)"),
]


def write(page: Page, place: int, text: str) -> None:
    """Writes text at the end of a code cell, as a person does."""
    page.locator(f"{NOTEBOOK} .jp-CodeCell").nth(place).locator(".cm-content").click()
    page.keyboard.press("Control+End")
    page.keyboard.type(f"\n{text}", delay=20)


def test_two_browsers_work_on_one_notebook(tmp_path):
    """Each sees what the other types while both type, nothing is lost, and Validate works."""
    desk = Desk(tmp_path)
    with desk.lab() as address, desk.browser() as first:
        start = urlsplit(address)
        url = f"{start.scheme}://{start.netloc}/lab/tree/{PART}?{start.query}"
        context = first.context.browser.new_context(viewport={"width": 1400, "height": 900})
        second = context.new_page()
        second.set_default_timeout(PATIENCE)
        pages = {"driver": first, "navigator": second}
        for page in pages.values():
            page.goto(url)
            page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
            page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        for number in range(3):
            for place, (name, page) in enumerate(pages.items()):
                write(page, place, f"# {name} wrote line {number}")
        for page in pages.values():
            for name in pages:
                for number in range(3):
                    page.locator(NOTEBOOK).get_by_text(f"# {name} wrote line {number}").wait_for()
        said = validate(first, "pair")
        PICTURES.mkdir(parents=True, exist_ok=True)
        second.screenshot(path=PICTURES / "pair-second.png")
        text = (desk.course / "work" / PART).read_text()
        context.close()
    assert "d1.1.1" in said and "failed" in said
    assert [f"{name} {n}" for name in pages for n in range(3) if f"# {name} wrote line {n}" not in text] == []
