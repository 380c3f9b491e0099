"""The registry of figures: complete, in tune with a new run, and loud when it is not."""

import pytest

from tools import figures

ENTRY = 'value = 2.0\ntolerance = 0.1\nseed = 0\nhow = "day0_x/part1.py: {}"\n'


def registry(folder, expression="answer", text="answer = 2.05\n"):
    (folder / "day0_x").mkdir(exist_ok=True)
    (folder / "day0_x" / "part1.py").write_text(text)
    path = folder / "numbers.toml"
    path.write_text(f"[d0.answer]\n{ENTRY.format(expression)}\n[d0.theirs]\nvalue = 39\nsource = 'somebody, 2022'\n")
    return path


def test_every_entry_of_the_course_says_how_it_is_measured():
    """Each figure has a value, and either a source or a tolerance, a seed and a master that exists."""
    entries = figures.read_registry()
    assert entries and len({each.name for each in entries}) == len(entries)


def test_the_figures_of_part_one_are_those_of_a_new_run(capsys):
    """Day 1, part 1 states what its master measures."""
    assert figures.main(["d1.part1"]) == 0, capsys.readouterr().out


def test_a_figure_within_its_tolerance_passes(tmp_path, capsys):
    """2.05 is 2.0 within 0.1; what others published is shown, and not measured."""
    assert figures.main([], registry(tmp_path)) == 0
    assert "1 figures measured" in capsys.readouterr().out


def test_a_figure_that_moved_is_named(tmp_path, capsys):
    """The line says what is stated, what was measured, and what was allowed."""
    assert figures.main([], registry(tmp_path, text="answer = 2.5\n")) == 1
    assert "✗ d0.answer: stated 2, measured 2.5: off by 0.5, allowed 0.1" in capsys.readouterr().out


@pytest.mark.parametrize("expression", ["nobody", "1 / 0", "float('nan')"])
def test_a_figure_that_cannot_be_measured_fails(tmp_path, capsys, expression):
    """A renamed variable, an error and a NaN are failures, not omissions."""
    assert figures.main([], registry(tmp_path, expression)) == 1
    assert "✗ d0.answer" in capsys.readouterr().out


@pytest.mark.parametrize(
    "text",
    [
        "[a]\nvalue = 1\n",
        "[a]\nvalue = 1\nhow = 'x.py: y'\n",
        "[a]\nvalue = 1\ntolerance = 0\nseed = 0\nhow = 'ran it'\n",
        "[a]\nvalue = 1\ntolerance = 0\nseed = 0\nhow = 'nowhere.py: y'\n",
        "[a]\nvalue = 1\nsource = 'x'\ncolour = 'red'\n",
        "[a\n",
    ],
)
def test_an_incomplete_entry_is_refused(tmp_path, text):
    """A figure that nobody could measure again is an error when the registry is read."""
    path = tmp_path / "numbers.toml"
    path.write_text(text)
    with pytest.raises(figures.FiguresError, match="fix: "):
        figures.read_registry(path)


def test_an_unknown_name_is_said_so(tmp_path, capsys):
    """Asking for figures that do not exist is not a success."""
    assert figures.main(["d9"], registry(tmp_path)) == 1
    assert "No figure is called d9" in capsys.readouterr().out
