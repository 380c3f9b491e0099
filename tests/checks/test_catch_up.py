"""Rejoining: every name that the rest of a part reads is brought, whatever cell makes it."""

import re

import IPython
import pytest
from IPython.core.interactiveshell import InteractiveShell

from remix_utils.checks import catch_up
from remix_utils.checks import waiting as waiting_names
from remix_utils.checks.catch_up import rejoin, what_to_bring
from remix_utils.checks.exercise import ExerciseError
from remix_utils.checks.lesson import Cell
from remix_utils.checks.part import in_cells
from remix_utils.checks.sources import run
from remix_utils.checks.statements import bring, closure, statements, unbound
from remix_utils.checks.waiting import Waiting
from tests.checks.lessons import PARTS, each_part
from tools.rejoin import run_from


def rejoined(id):
    """The namespace of a fresh kernel after start_at."""
    space = {"__name__": "__main__"}
    rejoin(id, space)
    return space


@pytest.mark.usefixtures("course")
def test_the_rest_of_a_part_runs_after_a_rejoin(course):
    """Tables built in steps, imports, helpers and values come along; unused lines do not run."""
    space = rejoined("d9.2.2")
    assert space["results"] == {"four": 4.0}
    assert space["table"] == {"a": 2, "b": 0, "c": 0}
    exec("half = results['four'] / factor\nprint(math.sqrt(half), results, table)", space)


@pytest.mark.usefixtures("course")
def test_a_part_begins_where_the_parts_before_it_end(capsys):
    """`start_at("d9.2")` brings what part 2 reads from part 1, and says so."""
    space = rejoined("d9.2")
    assert space["root"](16.0) == 4.0
    assert "gather" not in space
    assert capsys.readouterr().out == "start_at d9.2: factor, table, root.\n"


@pytest.mark.usefixtures("course")
def test_what_a_pair_wrote_is_named_when_it_is_replaced(capsys):
    """Their own function is not overwritten in silence."""
    space = {"__name__": "__main__"}
    exec("def root(number):\n    return number", space)
    rejoin("d9.2", space)
    assert "These replace your own: root." in capsys.readouterr().out


@pytest.mark.usefixtures("course")
def test_nothing_is_needed_at_the_beginning(capsys):
    """The first exercise of the first part rests on nothing of the day."""
    assert "import" not in rejoined("d9.1")
    assert "start_at d9.1: nothing is needed from earlier exercises." in capsys.readouterr().out


@pytest.mark.usefixtures("course")
@pytest.mark.parametrize("id", ["d9.7", "d9.1.7", "here", None, "d9"])
def test_a_place_that_is_not_there_is_an_error_with_its_fix(id):
    """A wrong id, a part without checks, and nonsense."""
    with pytest.raises(ExerciseError, match="fix: "):
        rejoin(id, {})


@each_part
def test_after_every_rejoin_no_name_is_missing(part):
    """Proved by the names alone, for every exercise: what is brought and what the rest makes is all it reads."""
    lesson = PARTS[part]
    cells = lesson.bundle.cells
    places = [at for at, cell in enumerate(cells) if {"exercise", "answer"} & set(cell.marks)]
    faults = {}
    for place in places:
        needed, _ = bring(lesson.before(place), in_cells(cells[place:]))
        missing = unbound([*needed, *in_cells(cells[place:])])
        if missing:
            faults[str(cells[place].marks)] = sorted(missing)
    assert faults == {}


def real_rejoins(part):
    """Three exercises of a part: an early, a middle and the last one before the quiz."""
    ids = [id for id in PARTS[part].exercises if not id.endswith("quiz")]
    return [ids[len(ids) // 4], ids[len(ids) // 2], ids[-1]]


@each_part
def test_the_rest_of_each_part_runs_after_three_rejoins(part, tmp_path, monkeypatch):
    """With the reference solutions in the holes, from the rejoin to the end of the part.

    Day 5 runs on the shipped model here; smollm2's turn is among the reference notebooks.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REMIX_FOLDER", str(tmp_path))
    monkeypatch.setenv("REMIX_MODEL", "ioi-small")
    for id in real_rejoins(part):
        run_from(PARTS[part], id)


@pytest.mark.usefixtures("course")
def test_statements_that_no_name_rests_on_are_left_out():
    """Only what is needed runs, so that a rejoin takes no longer than it must."""
    waiting = what_to_bring("d9.2.1")
    names = list(waiting.names)
    texts = "\n".join(closure(waiting.before, names))
    assert "1 / 0" not in texts and "figures" not in texts
    assert sorted(names) == ["factor", "math", "root", "table"]


@pytest.mark.parametrize("text", ["total += 1", "table |= {1: 2}", "for name in names:\n    total -= 1"])
def test_a_name_that_is_added_to_is_read(text):
    """What an augmented assignment changes must have been made before."""
    before = statements([Cell("code", "total, table, names = 1, {}, []\nother = 2", {}, 0)])
    _, names = bring(before, statements([Cell("code", text, {}, 0)]))
    assert set(names) == {"total", "table", "names"} & set(re.findall(r"\w+", text))


STARRED = {"share, *row = names": {"names"}, "*table[0], share = names": {"names", "table"}}


@pytest.mark.parametrize(("text", "read"), STARRED.items())
def test_the_starred_name_of_an_assignment_is_not_brought(text, read):
    """`first, *rest = values` makes `rest`, so an earlier value of that name is not needed."""
    before = statements([Cell("code", "names, share, row, table = [1, 2], 1, [2], {}", {}, 0)])
    _, names = bring(before, statements([Cell("code", text, {}, 0)]))
    assert set(names) == read


LOOPS = {
    "for name, row in table.items():\n    share = row / total\n    print(name, share)": {"table", "total"},
    "with opened(path) as file:\n    text = file.read()\n    print(text)": {"opened", "path"},
    "for name in names:\n    total = total + 1": {"names", "total"},
    "for name in names:\n    share = [name]\n    share += [total]": {"names", "total"},
    "for name in names:\n    pass\nelse:\n    print(other)": {"names", "other"},
    "if total:\n    share = 1\nprint(share)": {"total", "share"},
    "try:\n    share = total\nexcept Fault as problem:\n    print(problem)": {"total", "Fault"},
    "while total:\n    total = step(total)": {"total", "step"},
}


@pytest.mark.parametrize(("text", "read"), LOOPS.items())
def test_a_name_that_a_loop_makes_is_not_brought(text, read):
    """A loop and a `with` make their variables, and a body runs in order; what they read first is brought."""
    known = "table = total = names = other = opened = path = step = Fault = 1\n"
    known += "name = row = share = file = text = problem = 2"
    before, rest = ([Cell("code", source, {}, 0)] for source in (known, text))
    _, names = bring(statements(before), statements(rest))
    assert set(names) == read


CALLS = {
    "plot.bars(table)": False,
    "for name in names:\n    plot.bars(name)": False,
    "plot.style = table": True,
    "table.update(names)": True,
    "other.seed(0)": True,
}


@pytest.mark.parametrize(("text", "run"), CALLS.items())
def test_figures_are_not_drawn_again(text, run):
    """A function of remix_utils that is called for its own sake changes nothing; a method, or another module's, may."""
    source = f"from remix_utils import plot\nimport other\ntable, names = {{}}, [1]\n{text}"
    known = statements([Cell("code", source, {}, 0)])
    assert (known[-1].text in closure(known, ["plot", "table", "other"])) is run


@each_part
def test_a_rejoin_computes_nothing_before_a_cell_needs_it(part):
    """From any exercise, a notebook runs imports and definitions at once: no training, no sweep, no figure."""
    lesson = PARTS[part]
    cells = lesson.bundle.cells
    for at, cell in enumerate(cells):
        if {"exercise", "answer"} & set(cell.marks):
            before = lesson.before(at)
            waiting = Waiting("", before, bring(before, in_cells(cells[at:]))[1])
            texts = closure(before, waiting.tools)
            assert [text for text in texts if not re.match(r"(import|from|def|class|@)\b|@", text)] == [], cell.marks


@pytest.fixture
def notebook(course, monkeypatch):
    """A notebook's shell in the course, and what it prints."""
    shell = InteractiveShell()
    monkeypatch.setattr(IPython, "get_ipython", lambda: shell)
    monkeypatch.setattr(catch_up, "FOLLOWED", [])
    shell.run_cell("from remix_utils import start_at")
    return shell


def values_run(monkeypatch) -> list[str]:
    """The statements that rejoins run from here on, without imports and definitions."""
    seen = []
    monkeypatch.setattr(waiting_names, "run", lambda text, space, name: seen.append(text) or run(text, space, name))
    return seen


def test_in_a_notebook_a_value_is_computed_when_a_cell_reads_it(notebook, monkeypatch, capsys):
    """Once, with what it rests on and no more; names that no cell reads are never computed."""
    seen = values_run(monkeypatch)
    notebook.run_cell("start_at('d9.2.2')")
    assert "Computed when a cell first uses them: " in capsys.readouterr().out
    assert "results" not in notebook.user_ns and not [text for text in seen if "results" in text]
    assert notebook.run_cell("shown = results['four'] / factor").success
    assert notebook.user_ns["shown"] == 4.0 / notebook.user_ns["factor"]
    assert "table" not in notebook.user_ns
    before = list(seen)
    assert notebook.run_cell("again = results['four']").success and seen == before


def test_a_name_inside_a_function_or_a_magic_is_computed_too(notebook):
    """Before the cell that defines the function, or that begins with %%time."""
    notebook.run_cell("start_at('d9.2.2')")
    assert notebook.run_cell("def half():\n    return results['four'] / 2").success
    assert notebook.run_cell("twice = 4 * half()").success and notebook.user_ns["twice"] == 8.0
    assert notebook.run_cell("%%time\nsize = len(table)").success and notebook.user_ns["size"] == 3


def test_what_a_cell_makes_itself_is_not_replaced(notebook):
    """A pair that writes its own `table` after the rejoin has its own; a faulty cell is Python's to name."""
    notebook.run_cell("start_at('d9.2.2')")
    assert not notebook.run_cell("table = = 1").success
    notebook.run_cell("table = 'ours'")
    assert notebook.run_cell("shown = table").success and notebook.user_ns["shown"] == "ours"


def test_the_second_rejoin_takes_over(notebook):
    """Names that waited for the first one come from the second, and one listener is left."""
    for id in ("d9.2.2", "d9.2", "d9.2.2"):
        notebook.run_cell(f"start_at({id!r})")
    ours = [each for each in notebook.events.callbacks["pre_run_cell"] if "before_cell" in each.__name__]
    assert len(ours) == 1
    assert notebook.run_cell("shown = results['four']").success


def waiting_for(source: str, *names: str) -> Waiting:
    return Waiting("d9", statements([Cell("code", source, {}, 0)]), names)


def test_the_order_of_reading_changes_no_value():
    """An earlier value that is read later does not undo what stands under the same name at the end."""
    source = "base = 1\nfirst = base + 1\nbase = 10\nsecond = base + 1\nthird = base + second"
    lesson = waiting_for(source, "first", "second", "third", "base")
    found = [lesson.take([name])[name] for name in ("second", "first", "base", "third")]
    assert found == [11, 2, 10, 21]


def test_a_value_that_a_cell_will_change_is_read_before_by_those_that_rest_on_it():
    """`table["d"] = 4` comes too late for a sum over the earlier table."""
    lesson = waiting_for("table = {'a': 1}\ntotal = sum(table.values())", "table", "total")
    space = lesson.before_cell("table['d'] = 4")
    exec("table['d'] = 4", space)
    assert space["total"] == 1 and space["table"] == {"a": 1, "d": 4}


def test_a_value_is_of_the_class_that_stands_under_its_name():
    """Also after a second rejoin, from which on no cell reads the class itself."""
    before = statements([Cell("code", "class Relu:\n    pass\n\n\nours = {'Relu': Relu}", {}, 0)])
    rest = statements([Cell("code", "print(ours)", {}, 0)])
    assert bring(before, rest)[1] == ["Relu", "ours"]
