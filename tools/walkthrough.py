"""Build the solved lessons as web pages for the projector, which need no network.

    python -m tools.walkthrough          every lesson whose page is missing or older than it
    python -m tools.walkthrough day2     one day, or a part of it (d2.3)
    python -m tools.walkthrough --again  also those whose page is there

The pages and an index over days and exercises go to build/walkthrough. Reference answers are folded.
"""

from __future__ import annotations

import copy
import hashlib
import os
import re
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from html import unescape
from pathlib import Path

import nbformat
import plotly.io
import plotly.offline
from jinja2 import Environment, FileSystemLoader
from latex2mathml.converter import convert
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from tqdm import tqdm
from traitlets.config import Config

from remix_utils.checks.lesson import part_id
from remix_utils.errors import RemixError

ROOT = Path(__file__).resolve().parents[1]
PAGES = Path(__file__).parent / "pages"
SITE = ROOT / "build" / "walkthrough"
PLOTLY = "application/vnd.plotly.v1+json"
HIDDEN = "\n### BEGIN HIDDEN TESTS"
MARKERS = re.compile(r"^ *### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
# Code spans and blocks come first, so that a dollar in them is not read as a formula.
FORMULA = re.compile(r"(```.*?```|`[^`\n]*`)|\$\$(.+?)\$\$|\$(?!\s)([^$\n]+?)(?<!\s)\$", re.DOTALL)


class WalkthroughError(RemixError):
    """A lesson that does not run, or a day that is not there."""


@dataclass(frozen=True)
class Lesson:
    """A page of the walkthrough, with the headings that the index links to."""

    page: str
    title: str
    exercises: list[tuple[str, str]]


def without_hidden_tests(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Returns the notebook without hidden tests and without the markers around answers."""
    plain = copy.deepcopy(notebook)
    for cell in plain.cells:
        if cell.cell_type == "code":
            cell.source = MARKERS.sub("", cell.source.partition(HIDDEN)[0]).rstrip()
    return plain


def executed(path: Path) -> nbformat.NotebookNode:
    """Returns the notebook as it runs in its own folder; WalkthroughError for a cell that raises."""
    notebook = without_hidden_tests(nbformat.read(path, 4))
    config = Config({"KernelManager": {"transport_encryption": "auto"}})
    place = {"metadata": {"path": str(path.parent)}}
    # Predictions of a demonstration are not the room's.
    with tempfile.TemporaryDirectory() as folder:
        settings = {"REMIX_FOLDER": folder, "PLOTLY_RENDERER": "plotly_mimetype"}
        client = NotebookClient(notebook, timeout=None, allow_errors=True, resources=place, config=config)
        client.execute(env=os.environ | settings)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                raise WalkthroughError(
                    f"{path.name}: the cell {cell.id} raised {output.ename}: {output.evalue}",
                    fix=f"run {path.relative_to(ROOT)} in JupyterLab, and mend that cell.",
                )
    return notebook


def typeset(text: str) -> str:
    """Returns markdown whose formulas are MathML, which browsers draw themselves.

    >>> typeset("a rate of $p$, and `$HOME`").count("<math")
    1
    """

    def made(match: re.Match[str]) -> str:
        code, block, inline = match.groups()
        if code:
            return code
        return convert(block or inline, display="block" if block else "inline")

    return FORMULA.sub(made, text)


def last_state(text: str) -> str:
    """Returns printed text as a terminal leaves it: a progress bar shows its last state.

    >>> last_state("10 %\\r20 %\\ndone")
    '20 %\\ndone'
    """
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def drawn(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Returns an output whose plotly figure is HTML that uses the site's one copy of plotly."""
    if output.output_type == "stream":
        output.text = last_state(output.text)
    elif PLOTLY in output.get("data", {}):
        figure = output.data[PLOTLY]
        html = plotly.io.to_html(figure, full_html=False, include_plotlyjs=False, validate=False)
        output.data = {"text/html": html}
    return output


def for_the_room(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Returns the notebook with answers folded, formulas typeset and figures drawn."""
    shown = copy.deepcopy(notebook)
    for cell in shown.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            cell.metadata["folded"] = "a reference answer"
        if cell.cell_type == "markdown":
            cell.source = typeset(cell.source)
        else:
            cell.outputs = [drawn(output) for output in cell.get("outputs", [])]
    return shown


def page(notebook: nbformat.NotebookNode, title: str, source: str) -> str:
    """Returns the notebook as one web page; `source` is the hash of what it was made from."""
    shown = for_the_room(notebook)
    shown.metadata["title"] = title
    has_plots = any("Plotly.newPlot" in str(cell.get("outputs", "")) for cell in shown.cells)
    exporter = HTMLExporter(template_name="lesson", extra_template_basedirs=[str(PAGES)])
    resources = {"has_plots": has_plots, "source": source}
    return exporter.from_notebook_node(shown, resources=resources)[0]


def headings(html: str) -> list[tuple[str, str]]:
    """Returns the anchors and texts of a page's exercises, in their order."""
    found = re.findall(r'<h2 id="([^"]+)">(.*?)<a class="anchor-link"', html, re.DOTALL)
    plain = [(anchor, unescape(re.sub(r"<[^>]+>", "", text)).strip()) for anchor, text in found]
    return [(anchor, text) for anchor, text in plain if re.match(r"d\d\.\d\.|Quiz", text)]


def fingerprint(path: Path) -> str:
    """Returns the hash of a lesson and of the checks that travel with it."""
    bundle = path.parent / "checks" / f"{path.stem}.remix"
    made_by = [path, bundle, Path(__file__), *sorted(PAGES.rglob("*.j2"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in made_by)).hexdigest()


def is_current(path: Path, made: Path) -> bool:
    """Whether a lesson's page is there, and was made from the lesson as it is now."""
    return made.is_file() and f'content="{fingerprint(path)}"' in made.read_text(encoding="utf-8")


def title_of(path: Path) -> str:
    first = nbformat.read(path, 4).cells[0].source
    return first.partition("\n")[0].removeprefix("# ")


def write_site(lessons: Iterable[Path], site: Path) -> Path:
    """Writes the index over the lessons that have a page, and plotly beside it."""
    days: dict[str, list[Lesson]] = {}
    for path in lessons:
        made = site / path.parent.name / f"{path.stem}.html"
        if made.is_file():
            day, _, title = title_of(path).partition(", ")
            found = headings(made.read_text(encoding="utf-8"))
            lesson = Lesson(f"{path.parent.name}/{made.name}", title, found)
            days.setdefault(day, []).append(lesson)
    (site / "plotly.min.js").write_text(plotly.offline.get_plotlyjs(), encoding="utf-8")
    template = Environment(loader=FileSystemLoader(PAGES), autoescape=True)
    index = site / "index.html"
    text = template.get_template("contents.html.j2").render(days=list(days.items()))
    index.write_text(text, encoding="utf-8")
    return index


def main(arguments: list[str], site: Path = SITE) -> int:
    wanted = [each for each in arguments if each != "--again"]
    lessons = sorted(ROOT.glob("solutions/day*_*/part*.ipynb"))
    asked = [path for path in lessons if not wanted or is_asked(path, wanted)]
    if not asked:
        raise WalkthroughError(f"There is no lesson {', '.join(wanted)}.", fix="name a day or a part: day2, d2.3")
    site.mkdir(parents=True, exist_ok=True)
    for path in tqdm(asked, unit="lesson"):
        made = site / path.parent.name / f"{path.stem}.html"
        if "--again" in arguments or not is_current(path, made):
            made.parent.mkdir(exist_ok=True)
            text = page(executed(path), title_of(path), fingerprint(path))
            made.write_text(text, encoding="utf-8")
    print(f"The walkthrough is in {write_site(lessons, site)}: open it in a browser.")
    return 0


def is_asked(path: Path, wanted: list[str]) -> bool:
    """Whether a name such as day2 or d2.3 means this lesson."""
    part = part_id(path)
    return any(part == name or path.parent.name.startswith(f"{name}_") for name in wanted)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RemixError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
