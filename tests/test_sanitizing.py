"""Exported pages that JupyterLab sanitizes: nothing runs in them, and formats and pictures are still there."""

import nbformat
import pytest
import torch
from nbconvert import HTMLExporter

from remix_utils import plot
from remix_utils.classroom.sanitizing import clean_html

PAGE = "# Loss\n\n| a | b |\n|---|---|\n| 1 | **2** |\n\n![two paths](data:image/svg+xml;base64,PHN2Zy8+) and $x_1$"


@pytest.mark.parametrize(
    ("html", "cleaned"),
    [
        ("<p onclick='alert(1)'>a</p>", "<p>a</p>"),
        ("<scr<script>ipt>alert(1)</script>", "&lt;scr"),
        ("<SCRIPT src='https://a.example'></SCRIPT >b", "b"),
        ("<script>alert(1)", "alert(1)"),
        ("<a href='javascript:alert(1)'>c</a>", "<a>c</a>"),
        ("<a href='data:text/html,<script>alert(1)</script>'>d</a>", "<a>d</a>"),
        ("<img src='data:text/html,e' onerror='alert(1)'>", "<img>"),
        ("<p style='position:absolute; behavior:url(f)'>g</p>", '<p style="position:absolute;">g</p>'),
        ("<iframe src='https://h.example'></iframe><svg onload='alert(1)'></svg>", ""),
    ],
)
def test_nothing_that_runs_is_left(html, cleaned):
    """Handlers, scripts however they are written, addresses that hold code, and frames."""
    assert clean_html(html) == cleaned


def export(sanitize):
    """A notebook with formats, code and a picture, exported as `remix lab` has JupyterLab do it."""
    picture = plot.attention(["a", " b"], torch.tensor([[[1.0, 0.0], [0.5, 0.5]]]), ["0.0"])._repr_html_()
    output = nbformat.v4.new_output("display_data", {"text/html": picture})
    code = nbformat.v4.new_code_cell('print("<b>", 1 < 2)', id="code", outputs=[output])
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(PAGE, id="page"), code])
    exporter = HTMLExporter(filters={"clean_html": clean_html}, sanitize_html=sanitize)
    return exporter.from_notebook_node(notebook)[0].partition("<main>")[2]


def test_formats_and_pictures_stay():
    """Headings, tables, code and pictures are the same, sanitized or not; only the script is gone."""
    plain, cleaned = export(False), export(True)
    for part in ("<h1", "<td>", "<strong>2</strong>", "data:image/svg+xml;base64,PHN2Zy8+", "$x_1$", "data:image/png"):
        assert cleaned.count(part) == plain.count(part) > 0
    assert "<script" in plain and "<script" not in cleaned
    code = [page.partition('class="highlight')[2].partition("</pre>")[0] for page in (plain, cleaned)]
    assert code[0] == code[1] != ""
