"""The course as a participant meets it: JupyterLab in a real browser, and nobody outside is asked for anything."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Page, expect, sync_playwright

from remix_utils.checks.lesson import part_id, read_master
from tests.plot.browsing import CHROMIUM

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "build" / "browser"
PART = "day1_graphs/part1_hooks.ipynb"
FIRST = sorted(str(min(day.glob("part*.ipynb")).relative_to(ROOT)) for day in ROOT.glob("day*_*"))
PATIENCE = 120_000  # milliseconds, for a machine that has other work
NOTEBOOK = ".jp-NotebookPanel:not(.lm-mod-hidden)"
ERROR = '[data-mime-type="application/vnd.jupyter.stderr"], [data-mime-type="application/vnd.jupyter.error"]'
PLOTLY = "application/vnd.plotly.v1+json"
# What an output holds, and what the page then has once it is drawn.
DRAWN = {
    PLOTLY: ".js-plotly-plot:has(.trace path, .heatmaplayer image)",
    "data-remix-circuitsvis": "[data-remix-circuitsvis] .live:visible",
    "data-remix-attention": "[data-remix-attention][data-live]",
}
# The same in an exported page, which has no scripts.
STILL = ".jp-RenderedSVG img[src^='data:image/svg'], .still, div:not(.still) > div:has(> figure > img)"
HERE = {"localhost", "127.0.0.1", "::1"}

# Whatever Python the Lab starts (server, kernels, validator) writes down the addresses that it asks for and is refused.
GUARD = """
import os, sys
def guard(event, arguments):
    if event == "socket.connect" and isinstance(arguments[1], tuple):
        host = arguments[1][0]
    elif event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        host = arguments[0]
    else:
        return
    host = host.decode() if isinstance(host, bytes) else host
    if host not in (None, "", "localhost", "127.0.0.1", "::1", "0.0.0.0", "::", os.uname().nodename):
        with open(os.environ["ASKED"], "a") as asked:
            print(host, file=asked)
        raise OSError(f"there is no network here: {host}")
sys.addaudithook(guard)
"""


pytestmark = pytest.mark.skipif(
    not CHROMIUM and "CI" not in os.environ,
    reason="no Chromium here, so nobody opened the Lab (apt-get install chromium)",
)


class Desk:
    """A copy of the course with JupyterLab running in it, and a browser; both write down whom they ask."""

    def __init__(self, folder: Path):
        assert CHROMIUM, "the test of the Lab needs Chromium (apt-get install chromium)"
        self.course, self.asked, self.log = folder / "course", folder / "asked", folder / "netlog.json"
        leave = shutil.ignore_patterns(".*", "build", "tests", "work", "__pycache__", "*.egg-info")
        shutil.copytree(ROOT, self.course, ignore=leave)
        (folder / "guard").mkdir()
        (folder / "guard" / "sitecustomize.py").write_text(GUARD)
        paths = os.pathsep.join([str(folder / "guard"), str(self.course)])
        self.environment = {**os.environ, "PYTHONPATH": paths, "ASKED": str(self.asked), "HOME": str(folder)}

    @contextmanager
    def lab(self, *options: str) -> Iterator[str]:
        """`remix lab` without its window, as the copy has it; the address that it prints, and how it ends."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        command = "import sys; from remix_utils.cli import main; sys.exit(main())"
        lab = subprocess.Popen(
            [sys.executable, "-c", command, "lab", "--no-browser", "--port", str(port), *options],
            cwd=self.course,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        try:
            yield next(line.strip() for line in lab.stdout if line.startswith("  http://localhost"))
        finally:
            os.killpg(lab.pid, signal.SIGINT)  # as Ctrl-C does
            said = lab.communicate(timeout=600)[0]
        assert "JupyterLab has stopped. Next: make lab" in said
        assert lab.returncode == 0

    @contextmanager
    def browser(self) -> Iterator[Page]:
        """A window of Chromium, in which every name but this machine's leads nowhere."""
        flags = [f"--log-net-log={self.log}", "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost"]
        if os.geteuid() == 0:
            flags.append("--no-sandbox")  # root cannot have one
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
            page = chromium.new_page(viewport={"width": 1400, "height": 900})
            page.set_default_timeout(PATIENCE)
            yield page
            chromium.close()

    def asked_for(self) -> set[str]:
        """The machines, other than this one, that the Lab, its kernels, or a page asked for."""
        by_python = set(self.asked.read_text().split()) if self.asked.exists() else set()
        by_pages = set()
        for line in self.log.read_text().splitlines():
            if '"initiator":' in line and '"initiator":"not an origin"' not in line:  # the latter is Chromium itself
                by_pages.add(urlsplit(json.loads(line.rstrip(","))["params"]["url"]).hostname)
        return (by_python | by_pages) - HERE - {None}


@contextmanager
def opened(folder: Path, notebook: str, solved: bool = False) -> Iterator[tuple[Page, Path]]:
    """A participant's copy of the notebook in a window of JupyterLab, and its file; nobody outside is asked."""
    desk = Desk(folder)
    path = desk.course / "work" / notebook
    with desk.lab(part_id(path)) as address, desk.browser() as page:
        if solved:
            write_answers(path, ROOT / "solutions" / notebook)
        page.goto(address)
        page.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        try:
            yield page, path
        finally:
            page.screenshot(path=PICTURES / f"{folder.name}.png")
    assert desk.asked_for() == set()


def write_answers(path: Path, solved: Path) -> None:
    """Put the reference's answers into a participant's notebook, where the holes are; all else stays."""
    answers = {cell.id: cell.source for cell in nbformat.read(solved, as_version=4).cells}
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            cell.source = re.sub(r"\n? *### (BEGIN|END) SOLUTION", "", answers[cell.id]).lstrip("\n")
    nbformat.write(notebook, path)


def run_all(page: Page, path: Path) -> list[nbformat.NotebookNode]:
    """Run All, and the code cells once the last one has run, or one has failed."""
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()  # a run asked for earlier is forgotten
    page.locator(".lm-MenuBar-itemLabel", has_text="Run").click()
    page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    last = page.locator(f"{NOTEBOOK} .jp-CodeCell").last.locator(".jp-InputPrompt", has_text=re.compile(r"\d"))
    error = page.locator(f"{NOTEBOOK} .jp-OutputArea-output").and_(page.locator(ERROR))
    last.or_(error).first.wait_for()
    return saved(page, path)


def failures(code: list[nbformat.NotebookNode]) -> list[nbformat.NotebookNode]:
    """What a reader would not expect: errors, and anything on stderr."""
    outputs = [output for cell in code for output in cell.outputs]
    return [each for each in outputs if each.output_type == "error" or each.get("name") == "stderr"]


def validate(page: Page, picture: str) -> str:
    """Press nbgrader's button, and read what it says."""
    page.locator(f"{NOTEBOOK} .jp-Toolbar").get_by_text("Validate").click()
    dialog = page.locator(".jp-Dialog", has_text="Validation Results")
    dialog.wait_for()
    page.screenshot(path=PICTURES / f"{picture}.png")
    said = dialog.inner_text()
    dialog.get_by_role("button", name="Ok").click()
    dialog.wait_for(state="detached")
    return said


def saved(page: Page, path: Path) -> list[nbformat.NotebookNode]:
    """The code cells of the notebook, once JupyterLab has written what changed in it."""
    page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-dirty").wait_for()
    with page.expect_response(lambda reply: reply.request.method == "PUT" and "/api/contents/" in reply.url) as written:
        page.locator(f'{NOTEBOOK} .jp-Toolbar [data-command="docmanager:save"]').first.click()
    assert written.value.ok
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def test_a_participant_starts_day_1(tmp_path):
    """In a copy of the day, all runs up to the first hole; Validate names every check; an answer turns one green."""
    master = read_master(ROOT / "solutions" / PART.replace(".ipynb", ".py"))
    checks = [cell.source for cell in master if "check" in cell.marks]
    answer = next(cell.source for cell in master if cell.marks.get("exercise") == "d1.1.1")
    with opened(tmp_path, PART) as (page, path):
        assert [error.evalue.split("\n")[0] for error in failures(run_all(page, path))] == ["d1.1.1: not written yet."]
        said = validate(page, "untouched")
        assert said.count("failed") == len(checks)
        shown = page.evaluate("fetch('/api/contents').then(reply => reply.json())")
        assert [each["name"] for each in shown["content"]] == ["day1_graphs"]
        assert [check for check in checks if check not in said] == []

        hole = page.locator(f"{NOTEBOOK} .jp-CodeCell", has_text="def read_layer").first
        hole.locator(".cm-content").click()
        page.keyboard.press("Control+a")
        page.keyboard.insert_text(re.sub(r"\n *### (BEGIN|END) SOLUTION", "", answer))
        for _ in range(3):
            page.keyboard.press("Shift+Enter")
        page.get_by_text("✓ d1.1.1").wait_for()
        page.locator(".gtitle", has_text="Hidden layer of digits-b").first.wait_for()
        page.screenshot(path=PICTURES / "first-answer.png")
        assert "BEGIN SOLUTION" not in path.read_text()
        code = saved(page, path)
    assert [cell.outputs[0].text for cell in code if cell.source == checks[0]] == ["✓ d1.1.1\n"]
    assert (tmp_path / "course" / PART).read_bytes() == (ROOT / PART).read_bytes()


def held(cell: nbformat.NotebookNode) -> list[str]:
    """The kinds of data in a cell's outputs, with the beginning of each that is HTML."""
    data = [output.data for output in cell.outputs if "data" in output]
    return [" ".join([*each, each.get("text/html", "")[:100]]) for each in data]


def exported(page: Page, folder: Path) -> Page:
    """File, Save and Export Notebook As, HTML, sanitized as JupyterLab proposes: the page, opened without a network."""
    page.locator(".lm-MenuBar-itemLabel", has_text="File").click()
    page.locator(".lm-Menu-item", has_text="Save and Export Notebook As").hover()
    page.locator(".lm-Menu-item", has_text=re.compile("^HTML$")).click()
    with page.expect_download() as download:
        page.locator(".jp-Dialog", has_text="Sanitize").get_by_role("button", name="Ok").click()
    download.value.save_as(folder / "exported.html")
    opened = page.context.browser.new_page()
    opened.route(lambda url: url.startswith("http"), lambda route: route.abort())
    opened.goto((folder / "exported.html").as_uri())
    return opened


@pytest.mark.parametrize("part", FIRST)
def test_a_solved_day_runs_and_draws_and_validates(tmp_path, part):
    """Run All: no cell fails or is left out, each figure is drawn, here and in an exported page; Validate passes."""
    with opened(tmp_path, part, solved=True) as (page, path):
        code = run_all(page, path)
        assert failures(code) == []
        assert [cell.source for cell in code if cell.execution_count is None] == []
        shown = {kind: sum(kind in data for cell in code for data in held(cell)) for kind in DRAWN}
        assert [cell.source for cell in code if re.search(r"^plot\.", cell.source, re.M) and not held(cell)] == []
        for kind, selector in DRAWN.items():
            expect(page.locator(f"{NOTEBOOK} {selector}")).to_have_count(shown[kind], timeout=PATIENCE)
        for place, figure in enumerate(page.locator(f"{NOTEBOOK} {DRAWN[PLOTLY]}").all()):
            figure.screenshot(path=PICTURES / f"{path.stem}-{place}.png")
        kept = exported(page, tmp_path)
        kept.screenshot(path=PICTURES / f"{path.stem}-exported.png", full_page=True)
        assert kept.locator(STILL).filter(visible=True).count() == sum(shown.values())
        kept.close()
        assert "Success" in validate(page, f"{path.stem}-validated")


def test_whoever_asks_outside_is_noticed(tmp_path):
    """What the tests above rely on: a request from Python or from a page is refused, and written down."""
    desk = Desk(tmp_path)
    ask = "import urllib.request; urllib.request.urlopen('http://python.example', timeout=5)"
    assert subprocess.run([sys.executable, "-c", ask], env=desk.environment, capture_output=True).returncode == 1
    with desk.browser() as page:
        page.goto("about:blank")
        assert page.evaluate("fetch('http://page.example').then(() => 'there', () => 'refused')") == "refused"
    assert desk.asked_for() == {"python.example", "page.example"}
