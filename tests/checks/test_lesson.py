"""A master read as cells: the percent format of jupytext, its marks, and its holes."""

import jupytext
import pytest

from remix_utils.checks.lesson import (
    MasterError,
    change_holes,
    holes,
    master_paths,
    part_id,
    read_master,
    without_marks,
)
from tests.checks.lessons import MASTERS

HOLE = "def f(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION\n"


def test_cells_are_those_that_jupytext_reads(course):
    """Kinds, texts and marks agree, in these and in every master of the course."""
    for path in [*sorted(course.glob("*.py")), *MASTERS]:
        theirs = jupytext.read(path, fmt="py:percent").cells
        ours = read_master(path)
        kinds = [(cell.cell_type, cell.source) for cell in theirs]
        assert [(cell.kind, cell.source) for cell in ours] == kinds, path
        marks = [dict(cell.metadata) for cell in theirs]
        for each in marks:
            each.pop("lines_to_next_cell", None)
        assert [cell.marks for cell in ours] == marks


@pytest.mark.parametrize("header", ["# %% [text]", "# %% exercise=d9.1.1", "# %% exercise="])
def test_a_bad_header_is_named_with_its_line(tmp_path, header):
    """A typing slip in a mark must not turn an exercise into an ordinary cell."""
    path = tmp_path / "part1_x.py"
    path.write_text(f"# %%\n1\n{header}\n2\n")
    with pytest.raises(MasterError, match="line 3"):
        read_master(path)


def test_parts_come_in_the_order_of_their_numbers(course):
    """Part 10 stands after part 2."""
    (course / "part10_late.py").write_text("")
    names = [path.stem for path in master_paths(course)]
    assert names == ["part1_gather", "part2_use", "part10_late"]
    assert part_id(course / "part10_late.py") == "d9.10"


def test_a_folder_that_names_no_day_is_refused(tmp_path):
    """The id of a part comes from its folder."""
    with pytest.raises(MasterError, match="named like day1_graphs"):
        part_id(tmp_path / "part1_x.py")


def test_holes_are_the_solutions_between_their_marks():
    """They can be read, changed, and shown without the marks."""
    assert holes(HOLE) == ["    return x\n"]
    assert without_marks(HOLE) == "def f(x):\n    return x\n"
    assert change_holes(HOLE, lambda text: text.replace("x", "2 * x")) == "def f(x):\n    return 2 * x\n"
