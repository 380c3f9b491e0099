"""Masters as cells and statements; and what hints, predictions and start_at take from them."""

from pathlib import Path

import jupytext
import pytest

from remix_utils.checks import hints, predictions
from remix_utils.checks.catch_up import earlier, start_at
from remix_utils.checks.exercise import ExerciseError
from remix_utils.checks.masters import (
    FOLDER,
    Cell,
    MasterError,
    closure,
    imported,
    master_paths,
    read_master,
    solutions,
    statements,
)

PART_1 = '''# %% [markdown]
# # Doubling
#
# ## d9.1.1 Double
# %%
import math
from collections import Counter, defaultdict
factor = 2
table = {}
table["a"] = factor
for letter in "bc":
    table[letter] = 0
unused = 1 / 0
print("figures")
# %% exercise="d9.1.1"
def double(n):
    """Twice n."""
    ### BEGIN SOLUTION
    return scaled(n)
    ### END SOLUTION


def scaled(n):
    unused = n * factor  # a local name of the same spelling
    return unused
# %% check="d9.1.1" points=2
check("d9.1.1", double)
# %%
factor = 3
factor = factor - 1
# %% exercise="d9.1.2"
### BEGIN SOLUTION
letters = Counter(table)
### END SOLUTION
# %% check="d9.1.2" points=1
check("d9.1.2", letters)
# %% exercise="d9.1.quiz"
recall = {"a": ...}
### BEGIN SOLUTION
recall = {"a": 1}
### END SOLUTION
# %% check="d9.1.quiz" points=1
check("d9.1.quiz", recall)
# %% [markdown] answer="d9.1.3" points=1.5
# ### BEGIN SOLUTION
# Because.
# ### END SOLUTION
'''
PART_2 = """# %% exercise="d9.2.1"
### BEGIN SOLUTION
four = double(2)
### END SOLUTION
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A course of two small parts, found by REMIX_SOLUTIONS."""
    (tmp_path / "day9_x").mkdir()
    (tmp_path / "day9_x" / "part1_double.py").write_text(PART_1)
    (tmp_path / "day9_x" / "part2_use.py").write_text(PART_2)
    monkeypatch.setenv(FOLDER, str(tmp_path))
    return tmp_path


def small(course):
    """The statements of part 1."""
    return statements(read_master(course / "day9_x" / "part1_double.py"))


def test_cells_are_those_that_jupytext_reads(course):
    """The percent format is jupytext's: kinds, texts and marks agree, in these and in every master of the course."""
    real = [path for day in range(1, 6) for path in sorted((solutions_of_the_course()).glob(f"day{day}_*/part*.py"))]
    for path in [*sorted(course.glob("*/*.py")), *real]:
        theirs = jupytext.read(path, fmt="py:percent").cells
        ours = read_master(path)
        assert [(cell.kind, cell.source) for cell in ours] == [(cell.cell_type, cell.source) for cell in theirs], path
        marks = [
            {name: cell.metadata[name] for name in cell.metadata if name != "lines_to_next_cell"} for cell in theirs
        ]
        assert [cell.marks for cell in ours] == marks


def solutions_of_the_course():
    """The committed masters, whatever REMIX_SOLUTIONS says."""
    return Path(__file__).parents[2] / "solutions"


def test_an_answer_travels_with_all_that_it_rests_on_and_nothing_else(course):
    """Helpers, constants and imports come along; figures, unused lines and shadowed values do not."""
    source = "\n".join(closure(small(course), ["double"]))
    space = {}
    exec(source, space)
    assert space["double"](4) == 8
    assert "import" not in source
    assert "SOLUTION" not in source
    assert "figures" not in source
    assert "1 / 0" not in source
    assert "factor = factor - 1" in source


def test_a_function_that_calls_itself_rests_on_no_earlier_value_of_its_name():
    """A part may call a function what an earlier part called its results."""
    known = [
        Cell("code", source, {}, 0) for source in ("steps = 1 / 0", "def steps(n):\n    return n and steps(n - 1)")
    ]
    assert closure(statements(known), ["steps"]) == [known[1].source]


def test_values_that_are_built_in_steps_travel_whole(course):
    """Writing into a table, and loops that do, belong to it."""
    source = "\n".join(closure(small(course), ["letters"]))
    space = {}
    exec(source, space)
    assert space["letters"] == {"a": 2, "b": 0, "c": 0}
    assert "import math" not in source


@pytest.mark.parametrize("header", ["# %% [text]", "# %% exercise=d9.1.1", "# %% exercise="])
def test_a_bad_header_is_named_with_its_line(tmp_path, header):
    """A typing slip in a mark must not turn an exercise into an ordinary cell."""
    path = tmp_path / "part1_x.py"
    path.write_text(f"# %%\n1\n{header}\n2\n")
    with pytest.raises(MasterError, match="line 3"):
        read_master(path)


def test_a_cell_that_is_not_python_is_named(tmp_path):
    """Magics have no place in a master."""
    path = tmp_path / "part1_x.py"
    path.write_text("# %%\n%matplotlib inline\n")
    with pytest.raises(MasterError, match="line 1"):
        statements(read_master(path))


def test_start_at_gives_what_the_exercises_before_define(course, capsys):
    """Working versions by name, in the caller's namespace; nothing else; quizzes are not repeated."""
    assert list(earlier("d9.2")) == ["double", "scaled", "letters"]
    assert list(earlier("d9.2.1")) == ["double", "scaled", "letters"]
    assert list(earlier("d9.1.2")) == ["double", "scaled"]
    assert earlier("d9.1") == {}
    space = {"start_at": start_at}
    exec('start_at("d9.2")\nresult = double(3)', space)
    assert space["result"] == 6
    assert capsys.readouterr().out == "start_at d9.2: double, scaled, letters.\n"


def test_part_0_prepares_and_is_not_brought_to_other_parts(course):
    """Whoever has not opened it meets none of its names; inside it one may rejoin as anywhere."""
    text = '# %% exercise="d9.0.1"\nwarm = 1\n# %% exercise="d9.0.2"\nup = 2\n'
    (course / "day9_x" / "part0_prepare.py").write_text(text)
    assert earlier("d9.1") == {}
    assert list(earlier("d9.2")) == ["double", "scaled", "letters"]
    assert earlier("d9.0") == {}
    assert earlier("d9.0.2") == {"warm": 1}


def test_what_a_part_imports_keeps_its_meaning_there(course):
    """A part may import what an earlier one wrote by hand; both find their own, and given cells come along."""
    text = "# %%\nfrom math import sqrt as double\n# %% given=true\nhalf = 0.5\n# %%\nrest = 0\n"
    text += '# %% exercise="d9.3.1"\nhalved = lambda n: half * double(n)\n# %% exercise="d9.3.2"\nlast = 0\n'
    (course / "day9_x" / "part3_import.py").write_text(text)
    at_first = earlier("d9.3")
    assert list(at_first) == ["scaled", "letters", "four"]
    assert at_first["four"] == 4
    rejoined = earlier("d9.3.2")
    assert list(rejoined) == ["scaled", "letters", "four", "half", "halved"]
    assert rejoined["four"] == 4
    assert rejoined["halved"](16) == 2
    assert imported("d9.3.2") == {"double"}


def test_start_at_says_what_is_missing(course, monkeypatch):
    """A part that is not there, and a course without its masters, are errors that end in a fix."""
    with pytest.raises(MasterError, match=r"no part 'd9\.7'"):
        start_at("d9.7")
    with pytest.raises(MasterError, match=r"no exercise 'd9\.1\.7'"):
        start_at("d9.1.7")
    with pytest.raises(MasterError, match="no part 'here'"):
        start_at("here")
    monkeypatch.setenv(FOLDER, str(course / "nowhere"))
    with pytest.raises(MasterError, match="fix: install the course from its clone"):
        start_at("d9.2")
    monkeypatch.delenv(FOLDER)
    assert solutions().name == "solutions"


def test_parts_come_in_the_order_of_their_numbers(course):
    """Part 10 stands after part 2."""
    (course / "day9_x" / "part10_late.py").write_text("")
    assert [path.stem for path in master_paths(9)] == ["part1_double", "part2_use", "part10_late"]


def test_hints_unfold_one_rung_a_call(tmp_path, monkeypatch):
    """Folded in a notebook, titled with the reader's confusion; text in a terminal; a last rung."""
    (tmp_path / "day9").mkdir()
    rungs = '[["Help, it is all zeros", "Look at `rows`."], ["Help, still", "Gather."], ["Help", "x[rows]"]]'
    (tmp_path / "day9" / "hints.toml").write_text(f"[d9.1.1]\nladder = {rungs}\n[d9.1.quiz]\nladder = []\n")
    monkeypatch.setattr(hints, "__file__", str(tmp_path / "hints.py"))
    first = hints.hint("d9.1.1")._repr_markdown_()
    assert "<summary>Help, it is all zeros</summary>" in first
    assert "Gather" not in first
    assert "an approach" in first
    assert "Gather" in repr(hints.hint("d9.1.1"))
    assert [repr(hints.hint("d9.1.1")).splitlines()[-1] for _ in range(2)] == ["That was the last rung."] * 2
    with pytest.raises(ExerciseError, match=r"nearest: 'd9\.1\.1'"):
        hints.hint("d9.1.2")


def test_predictions_are_kept_beside_what_was_measured(tmp_path, monkeypatch, capsys):
    """Across kernels and parts of a day; a missing guess is a reminder, a broken file a fresh start."""
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / ".remix"))
    monkeypatch.setattr(predictions, "KEPT", {})
    predictions.predict("d9.1.p1", 40, "points left")
    predictions.predict("d9.1.p2", ..., "points <lost>")
    predictions.predict("d9.2.p1", "head 5", "which head")
    monkeypatch.setattr(predictions, "KEPT", {})  # another kernel
    predictions.measured("d9.1.p1", 12.345, 0.51)
    predictions.measured("d9.1.p2", 7)
    said = capsys.readouterr().out
    assert "d9.1.p2: no guess yet" in said
    assert "measured 12.3 ± 0.5; predicted 40 (points left)" in said
    assert "measured 7; there was no prediction." in said
    table = predictions.predictions("d9")
    assert table.rows[0] == ("d9.1.p1", "points left", "40", "12.3 ± 0.5")
    assert table.rows[2] == ("d9.2.p1", "which head", "head 5", "–")
    assert "points &lt;lost&gt;" in table._repr_html_()
    assert repr(table).splitlines()[1].split() == ["d9.1.p1", "points", "left", "40", "12.3", "±", "0.5"]
    assert len(predictions.predictions("d9.1").rows) == 2
    (tmp_path / ".remix" / "predictions.json").write_text('{"d9.1.p1": ')
    monkeypatch.setattr(predictions, "KEPT", {})
    predictions.predict("d9.1.p1", 1, "points left")
    assert predictions.predictions("d9").rows == [("d9.1.p1", "points left", "1", "–")]


def test_predictions_work_where_nothing_can_be_written(tmp_path, monkeypatch, capsys):
    """They last as long as the kernel."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path / "file" / "under"))
    monkeypatch.setattr(predictions, "KEPT", {})
    predictions.predict("d9.1.p1", [1, 2.5], "both")
    assert predictions.predictions("d9").rows == [("d9.1.p1", "both", "1, 2.5", "–")]
