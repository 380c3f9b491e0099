"""One browser for the pages of a module, without a network."""

import pytest
from playwright.sync_api import sync_playwright

from remix_utils.plot import interactive
from tests.plot.browsing import CHROMIUM


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    """A page of a notebook column's width that writes down what it asks outside and what goes wrong."""
    page = browser.new_page(viewport={"width": 900, "height": 900})
    page.asked, page.wrong = [], []
    page.route(lambda url: url.startswith("http"), lambda route: route.abort())
    page.on("request", lambda request: page.asked.append(request.url) if request.url.startswith("http") else None)
    page.on("pageerror", lambda error: page.wrong.append(error.message))
    yield page
    page.close()


@pytest.fixture(autouse=True)
def new_notebook(monkeypatch):
    """No output of circuitsvis has been shown yet."""
    monkeypatch.setattr(interactive, "EMBEDDING", interactive.Embedding())
