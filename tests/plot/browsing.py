"""Chromium, and the exported pages that it opens."""

import os
import shutil

import nbformat
import pytest
from nbconvert import HTMLExporter

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

needs_chromium = pytest.mark.skipif(
    not CHROMIUM and "CI" not in os.environ,
    reason="no Chromium here, so nobody looked at the pictures (apt-get install chromium)",
)


def export(folder, *pictures):
    """A notebook with one output a picture, as `jupyter nbconvert --to html` writes it."""
    outputs = [nbformat.v4.new_output("display_data", {"text/html": picture._repr_html_()}) for picture in pictures]
    cells = [nbformat.v4.new_code_cell("", id=f"cell-{n}", outputs=[output]) for n, output in enumerate(outputs)]
    page, _ = HTMLExporter().from_notebook_node(nbformat.v4.new_notebook(cells=cells))
    path = folder / f"{len(pictures)}.html"
    path.write_text(page, encoding="utf-8")
    return path.as_uri()
