"""The full run of day 5: figures are kept, measured again, and missed when they move."""

import math
import os
import tomllib

import pytest

from remix_utils.models import smollm2
from tools import full_run

MASTER = """
import os
scale = 4 if "REMIX_FULL" in os.environ else 1
full_run = {{"direct.23.3": ({value} * scale, 0.1, 0.2), "share": (0.5, float("nan"), float("nan"))}}
"""


@pytest.fixture
def lessons(tmp_path, monkeypatch):
    """A folder with one part, and the file of its figures."""
    for name in ("REMIX_FULL", "REMIX_MODEL"):
        monkeypatch.setenv(name, os.environ.get(name, ""))
    (tmp_path / "part1_task.py").write_text(MASTER.format(value=0.5))
    (tmp_path / "kept.toml").write_text(full_run.HEAD)
    return tmp_path


def test_figures_are_written_from_the_full_run(lessons):
    """The file holds each figure with both errors, NaN where one has no meaning, at four times the prompts."""
    path = lessons / "kept.toml"
    assert full_run.main([], lessons, path) == 0
    kept = tomllib.loads(path.read_text())["figures"]
    assert kept["direct.23.3"] == [2.0, 0.1, 0.2] and math.isnan(kept["share"][1])
    assert full_run.main(["--check"], lessons, path) == 0


def test_a_figure_that_moved_is_named(lessons, capsys):
    """The line says what is kept, what was measured, and what was allowed: half the larger error."""
    path = lessons / "kept.toml"
    full_run.main([], lessons, path)
    (lessons / "part1_task.py").write_text(MASTER.format(value=0.6))
    assert full_run.main(["--check"], lessons, path) == 1
    assert "direct.23.3: kept 2, measured 2.4, allowed 0.1 off" in capsys.readouterr().out


def test_one_part_leaves_the_figures_of_others(lessons):
    """Figures of other parts stay where one part is measured again."""
    path = lessons / "kept.toml"
    path.write_text(full_run.HEAD + '"other" = [1.0, nan, nan]\n')
    assert full_run.main(["part1"], lessons, path) == 0
    assert {"other", "direct.23.3", "share"} == set(tomllib.loads(path.read_text())["figures"])


def test_a_part_without_figures_is_refused(lessons):
    """A master that leaves none, and one whose figure has no errors."""
    for text in ("full_run = {}", "full_run = {'a': (1.0,)}"):
        (lessons / "part1_task.py").write_text(text)
        with pytest.raises(full_run.FullRunError, match="fix: "):
            full_run.main([], lessons, lessons / "kept.toml")


def test_the_kept_figures_are_read():
    """Each shipped figure is a value with two errors."""
    assert all(len(figure) == 3 for figure in smollm2.measured().values())
