"""Pages of findings state the figures that the full run measured, under the names that it gives them."""

import math
import re
from pathlib import Path

import pytest

from remix_utils.models import smollm2

PAGES = sorted((Path(__file__).parents[1] / "docs" / "findings").glob("*.md"))
ROW = re.compile(r"^\| [^|]+ \| (?P<value>[^|]+) \| `(?P<name>[^`]+)` \|$", re.MULTILINE)
STATED = re.compile(r"−?\d+\.\d\d(?: ± \d+\.\d\d){1,2}")


def written(figure):
    """A figure as a page writes it: the value, and each error that has a meaning."""
    value, *errors = figure
    known = [f"{error:.2f}" for error in errors if not math.isnan(error)]
    return " ± ".join([f"{value:.2f}".replace("-", "−"), *known])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_row_is_a_figure_of_the_full_run(page):
    """A row's value is the stored one of that name, with both errors."""
    rows = list(ROW.finditer(page.read_text(encoding="utf-8")))
    figures = smollm2.measured()
    assert len(rows) > 20
    assert [(row["name"], row["value"]) for row in rows] == [
        (row["name"], written(figures[row["name"]])) for row in rows
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_figure_with_an_error_was_measured(page):
    """No figure of the text is without its origin."""
    known = {written(figure) for figure in smollm2.measured().values()}
    stated = set(STATED.findall(page.read_text(encoding="utf-8")))
    assert stated and stated - known == set()


def test_a_figure_that_moved_is_noticed():
    """The form of a row is strict enough that another value doesn't pass."""
    row = ROW.search("| 23.3 | 2.01 ± 0.06 ± 0.11 | `paths.direct.23.3` |")
    assert row["value"] == written((2.011, 0.06325, 0.1073))
    assert row["value"] != written((2.02, 0.06325, 0.1073))
    assert STATED.findall("by 4.59 ± 0.20 ± 0.36 logits") == ["4.59 ± 0.20 ± 0.36"]
