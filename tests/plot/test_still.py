"""Figures in exported pages: drawn as SVG beside plotly's data, and nothing asked of any host."""

import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import nbformat
import plotly.graph_objects as go
import plotly.io
import pytest
import torch

from remix_utils import Exact, Interp, Uniform, at, plot, scrub
from remix_utils.plot.still import NOTE, StillRenderer, show_still
from tests.plot.browsing import export, needs_chromium
from tests.plot.test_over_graph import CLAIM, DATA, GRAPH
from tests.plot.test_pages import figures, inside, overlap

SVG = "img[src^='data:image/svg']"
PLOTLY = "application/vnd.plotly.v1+json"
CODE = (
    "import torch\nfrom remix_utils import plot\nplot.heads(torch.eye(4), 'Heads', 'probability')",
    "plot.bars({'a': {'zero': 1.0, 'mean': (2.0, 0.5)}}, 'Bars', 'points')",
    "for name in 'pq':\n    display(plot.lines([0, 1], {'a': [3.0, 2.0]}, name, 'step', 'nats'))",
)


def all_kinds():
    """One figure of each kind, also with names that do not fit below their bars, and a hypothesis over its graph."""
    yield from figures()
    many = {"a": {f"a name, {layer}.{head}": 1.0 for layer in range(3) for head in range(12)}}
    yield plot.bars(many, "Many names", "logits", "head")
    claims = CLAIM, Interp("sum", at("sum"), Exact()), Interp("sum", at("sum"), Uniform())
    yield plot.hypothesis(CLAIM, "claim", *(scrub(GRAPH, claim, DATA, 9) for claim in claims), graph=GRAPH)


def attributes(svg, name):
    """The numbers of all elements of one name, by their attributes."""
    found = re.findall(f"<{name} ([^>]*)", svg)
    return [{key: float(value) for key, value in re.findall(r'(\w+)="(-?[\d.]+)"', each)} for each in found]


def test_bars_are_as_high_as_their_values():
    """All stand on zero, to both sides of it, in the proportions of their values."""
    svg = plot.still(plot.bars({"a": {"x": 1.0, "y": -2.0, "z": 3.0}}, "t", "y")).html
    one, two, three = attributes(svg, "rect")[-3:]
    assert [round(each["height"] / one["height"], 2) for each in (one, two, three)] == [1, 2, 3]
    assert [one["y"] + one["height"], three["y"] + three["height"]] == pytest.approx([two["y"]] * 2, abs=0.1)
    assert "<title>a y: -2</title>" in svg


def test_a_line_runs_through_its_points_on_a_logarithmic_axis():
    """Steps 1, 10 and 100 are equally far apart, and a mark of 10 stands on the second of them."""
    panels = {"loss": {"train": [3.0, 2.0, 1.0]}}
    svg = plot.still(plot.curves([1, 10, 100], panels, "t", "step", log=True, marks={"here": 10})).html
    line = next(path for path in re.findall(r'd="(M[^"]*)" fill="none" stroke="#0072B2"', svg) if path.count("L") == 2)
    places = [float(place.split()[0]) for place in re.split("[ML]", line)[1:]]
    assert places[1] - places[0] == pytest.approx(places[2] - places[1], abs=0.1)
    (mark,) = re.findall(r'd="M([\d.]+) [^"]*" fill="none" stroke="#222222"[^>]*stroke-dasharray', svg)
    assert float(mark) == pytest.approx(places[1], abs=0.1)


def test_a_heatmap_has_a_pixel_for_each_cell():
    """The picture of the cells is as many pixels wide and high as there are columns and rows, with each number."""
    svg = plot.still(plot.heatmap(torch.arange(6.0).reshape(2, 3), ["a", "b"], ["c", "d", "e"], "t", "points")).html
    assert svg.count("<image") == 2 and "points" in svg
    assert re.findall(r">(\d\.00)</tspan>", svg) == [f"{value}.00" for value in range(6)]


def test_names_that_look_like_markup_are_text():
    """A token such as <b> or & is shown, and no script comes in."""
    names = ["<b>", "a & b", "<script>"]
    for figure in (
        plot.bars({"<i>x": dict.fromkeys(names, 1.0), "y": {}}, "t", "y"),
        plot.heatmap(torch.zeros(1, 3), ["r"], names, "t", "u"),
    ):
        svg = plot.still(figure).html
        assert "&lt;script&gt;" in svg and "<script" not in svg and "a &amp; b" in svg


def test_a_figure_from_elsewhere_has_a_note():
    """plotly's other figures are still shown in JupyterLab, and an exported page says that one is missing."""
    for figure in (go.Figure(go.Pie(values=[1, 2])), go.Figure(go.Scatter(x=[1], y=[2])), go.Figure()):
        assert StillRenderer().to_mimebundle(figure.to_dict()) == {"text/plain": NOTE}
    figure = plot.bars({"a": {"x": 1.0}}, "t", "y").add_pie(values=[1])
    assert StillRenderer().to_mimebundle(figure.to_dict()) == {"text/plain": NOTE}


def test_a_still_picture_is_small():
    """Kilobytes where a page with plotly inside has megabytes: a notebook is saved and handed in again and again."""
    sizes = [len(plot.still(figure).html) for figure in all_kinds()]
    assert max(sizes) < 40_000


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """A notebook after `jupyter nbconvert --execute`, with plotly's own choice of what its outputs hold."""
    path = tmp_path_factory.mktemp("export") / "figures.ipynb"
    cells = [nbformat.v4.new_code_cell(code, id=f"cell-{place}") for place, code in enumerate(CODE)]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    nbconvert(path, "--to", "notebook", "--execute", "--inplace", "--KernelManager.transport_encryption=auto")
    return path


def nbconvert(path: Path, *options: str) -> None:
    subprocess.run([sys.executable, "-m", "nbconvert", *options, str(path)], check=True, capture_output=True)


def outputs(path):
    cells = nbformat.read(path, 4).cells
    return [output.data for cell in cells for output in cell.outputs if "data" in output]


def test_a_notebook_holds_both(notebook):
    """Each figure's data, for JupyterLab, and its SVG; neither needs another output, so cells run in any order."""
    data = outputs(notebook)
    assert [set(each) for each in data] == [{PLOTLY, "image/svg+xml"}] * 4
    assert all(each["image/svg+xml"].startswith("<svg") for each in data)
    assert notebook.stat().st_size < 100_000


@needs_chromium
def test_an_exported_page_shows_every_figure(page, notebook, tmp_path):
    """`jupyter nbconvert --to html`, opened without a network: no figure asks for anything."""
    nbconvert(notebook, "--to", "html", "--output-dir", str(tmp_path))
    page.goto(export(tmp_path))
    of_every_page, page.asked[:] = set(page.asked), []
    page.goto((tmp_path / "figures.html").as_uri())
    drawn = page.locator(SVG)
    assert drawn.evaluate_all("figures => figures.map(figure => figure.naturalWidth)") == [860] * 4
    assert all(box["width"] > 600 and box["height"] > 150 for box in (each.bounding_box() for each in drawn.all()))
    assert set(page.asked) <= of_every_page and page.wrong == []


TEXTS = """() => [...document.querySelectorAll("svg[role=img]")].map(figure => {
    const box = part => { const at = part.getBoundingClientRect(); return [at.x, at.y, at.width, at.height]; };
    const texts = [...figure.querySelectorAll("text")].filter(text => text.textContent.trim());
    const upright = texts.filter(text => !(text.getAttribute("transform") || "").startsWith("rotate(-45"));
    return [box(figure), texts.map(box), upright.map(box)];
})"""


@needs_chromium
def test_no_text_is_cut_or_hides_another(page):
    """Each text of a still picture is inside it, and the upright ones keep clear of each other."""
    drawn = list(all_kinds())
    page.set_content("".join(plot.still(figure).html for figure in drawn))
    boxes = page.evaluate(TEXTS)
    assert len(boxes) == len(drawn)
    for figure, texts, upright in boxes:
        assert texts and all(inside(text, figure) for text in texts)
        assert not [(a, b) for n, a in enumerate(upright) for b in upright[n + 1 :] if overlap(a, b)]
    assert page.asked == [] and page.wrong == []


@pytest.mark.parametrize(
    ("default", "then"),
    [("plotly_mimetype", "plotly_mimetype+still"), ("vscode", "vscode+still"), ("plotly_mimetype+notebook",) * 2],
)
def test_plotly_chooses_and_the_still_picture_comes_along(monkeypatch, default, then):
    """It's added where plotly would leave data alone in a notebook, and where plotly adds a page itself it is not."""
    monkeypatch.setattr(plotly.io.renderers, "default", default)
    show_still()
    show_still()
    assert plotly.io.renderers.default == then


def test_a_still_picture_is_xml():
    """An exported page holds it as an image, and browsers draw no image whose XML is broken."""
    names = ["<b>", "a & b", "\u00a0|", "←", "\x1b\x00"]
    drawn = [*all_kinds(), plot.bars({"&": dict.fromkeys(names, 1.0)}, "t < u & v", "y & z")]
    for figure in drawn:
        assert ElementTree.fromstring(plot.still(figure).html).tag == "{http://www.w3.org/2000/svg}svg"
