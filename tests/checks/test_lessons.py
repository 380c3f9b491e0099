"""Every lesson is complete: heading, check, hints, answers and points for an exercise; cards and aims for a part."""

import ast
import re
import statistics

import pytest

from remix_utils.checks.lesson import holes, part_id, read_master, without_marks
from tests.checks.lessons import MASTERS, PARTS

PLACES = [(part_id(path), path) for path in MASTERS]
each_part = pytest.mark.parametrize(("part", "master"), PLACES, ids=[part for part, _ in PLACES])
HEADER = re.compile(r"[●○]{5} difficulty · [●○]{5} importance · \d+ minutes · (core|★)")
LONGEST_HOLE, LONGEST_CELL = 15, 40


def marked(master, mark):
    """The cells with this mark, by id."""
    return {cell.marks[mark]: cell for cell in read_master(master) if mark in cell.marks}


def hole(source):
    """The lines of code between the marks of the solution, and the prose of a written answer."""
    inside = "\n".join(holes(source))
    return [line for line in inside.split("\n") if line.strip()]


@each_part
def test_every_id_says_where_it_lives(part, master):
    """d2.1.4 is day 2, part 1, exercise 4, counted in the order of the page; checks follow their exercises."""
    exercises, checks, written = (marked(master, mark) for mark in ("exercise", "check", "answer"))
    ids = [*exercises, *written]
    assert [id for id in ids if not re.fullmatch(rf"{re.escape(part)}\.(\d+|quiz)", id)] == []
    assert list(exercises) == list(checks)
    numbers = sorted(int(id.split(".")[2]) for id in ids if not id.endswith("quiz"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert f"{part}.quiz" in exercises


@each_part
def test_every_exercise_has_its_header_line(part, master):
    """A heading with the id; difficulty, importance, minutes, core or ★ on the next line."""
    text = "\n".join(cell.source for cell in read_master(master) if cell.kind == "markdown")
    for id in [*marked(master, "exercise"), *marked(master, "answer")]:
        if not id.endswith("quiz"):
            found = re.search(rf"^#+ {re.escape(id)} .+\n+(.+)$", text, re.MULTILINE)
            assert found, f"{id} has no heading"
            assert HEADER.match(found[1]), f"{id}: {found[1]}"


@each_part
def test_a_quiz_shows_the_form_of_its_answer(part, master):
    """The page above the hole writes `recall = {...}` with all keys, so that nobody has to guess."""
    cells = read_master(master)
    place = next(n for n, cell in enumerate(cells) if cell.marks.get("exercise") == f"{part}.quiz")
    keys = re.findall(r'"(\w+)":', re.search(r"^recall = {.*?}", cells[place].source, re.MULTILINE | re.DOTALL)[0])
    form = ", ".join(f'"{key}": ...' for key in keys)
    assert f"`recall = {{{form}}}`" in cells[place - 1].source


@each_part
def test_every_exercise_is_graded(part, master):
    """Checks and written answers carry points; the check is known to the harness under the same id."""
    for mark in ("check", "answer"):
        for id, cell in marked(master, mark).items():
            assert cell.marks["points"] > 0, id
            assert mark == "answer" or PARTS[part].exercise(id).id == id


@each_part
def test_every_written_answer_has_a_sample_and_its_grading(part, master):
    """`solution` shows both, and the points of the rubric are those that the cell carries."""
    for id, cell in marked(master, "answer").items():
        text = without_marks(cell.source)
        assert f"*Grading, {cell.marks['points']} points" in text, f"{id} has no rubric"
        assert len(text.split("*Grading")[0]) > 200, f"{id} has no sample answer"


@each_part
def test_every_page_can_call_solution(part, master):
    """The last hint names `solution`, and so does the question of a written answer."""
    cells = read_master(master)
    first = next(cell for cell in cells if cell.kind == "code").source
    assert re.search(r"^from remix_utils import .*\bsolution\b", first, re.MULTILINE)
    text = "\n".join(cell.source for cell in cells if cell.kind == "markdown")
    for id in marked(master, "answer"):
        assert f'solution("{id}")' in text, f"{id}: the page does not say where our answer is"


@pytest.mark.parametrize(
    "master", [path for part, path in PLACES if part.endswith(".1")], ids=lambda path: path.parent.name
)
def test_the_first_page_of_a_day_explains_its_marks(master):
    """Difficulty, core and ★, the pair card, the calls, and what it means to open a solution."""
    legend = next(cell.source for cell in read_master(master) if "## How to read this page" in cell.source)
    for mark in ("●", "| core |", "| ★ |", "pair card", "`check(", "`hint(", "`solution(", "`start_at("):
        assert mark in legend, mark
    assert "You may open a solution at any time." in legend
    assert "your progress record notes that you opened it" in legend


@each_part
def test_a_star_stands_in_the_heading_and_in_the_line_below(part, master):
    """A reader who only sees the headings knows which exercises are optional; all of part 0 are."""
    text = "\n".join(cell.source for cell in read_master(master) if cell.kind == "markdown")
    for heading, line in re.findall(r"^## d\d\.\d\.\d+ (.+)\n(.+)$", text, re.MULTILINE):
        starred = heading.startswith("★ ") or part.endswith(".0")
        assert starred == line.endswith("★"), heading


@each_part
def test_the_page_says_where_help_is(part, master):
    """Every exercise mentions its hints."""
    text = "\n".join(cell.source for cell in read_master(master) if cell.kind == "markdown")
    for id in marked(master, "exercise"):
        if not id.endswith("quiz"):
            assert f'hint("{id}")' in text, f"{id}: the page does not say hint"


@each_part
def test_a_quiz_lists_its_options(part, master):
    """An option can only be chosen if the page shows it as it is accepted."""
    text = "\n".join(cell.source for cell in read_master(master) if cell.kind == "markdown")
    for name, question in PARTS[part].exercise(f"{part}.quiz").questions.items():
        assert f"`{name}`" in text or name in text, f"{name} is no question of the page"
        missing = [option for option in question.options if option not in text]
        assert missing == [], f"{name}: the page does not list {missing}"


@each_part
def test_cells_fit_on_a_screen(part, master):
    """Holes of at most 15 lines, code cells of at most 40, the median below 10."""
    code = [cell for cell in read_master(master) if cell.kind == "code"]
    assert [cell.marks for cell in code if len(hole(cell.source)) > LONGEST_HOLE] == []
    lengths = [len(cell.source.split("\n")) for cell in code]
    assert max(lengths) <= LONGEST_CELL
    assert statistics.median(lengths) <= 10
    assert [id for id, cell in marked(master, "exercise").items() if not hole(cell.source)] == []


@each_part
def test_pairs_swap_at_every_third_exercise(part, master):
    """A card says swap, what the navigator asks, what to explain back, and what one person alone does."""
    since = 0
    for cell in read_master(master):
        since += "exercise" in cell.marks and not str(cell.marks["exercise"]).endswith("quiz")
        if "> **Pair card.**" in cell.source:
            card = cell.source.split("> **Pair card.**")[1].lower()
            assert all(word in card for word in ("swap", "navigator", "alone")), cell.line
            assert "explain" in card, cell.line
            since = 0
        assert since <= 3, f"line {cell.line}: {since} exercises since the last card"


@each_part
def test_a_part_says_what_it_is_for(part, master):
    """Objectives and readings on top; imports and start_at in the first code cell; a guess before each measurement."""
    cells = read_master(master)
    top = cells[0].source
    assert top.startswith("# ")
    first = next(cell for cell in cells if cell.kind == "code").source
    assert "import" in first
    assert "start_at" in "\n".join(cell.source for cell in cells[:6])
    code = "\n".join(cell.source for cell in cells if cell.kind == "code")
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and node.args]
    named = {name: [c.args for c in calls if getattr(c.func, "id", "") == name] for name in ("predict", "measured")}
    guessed = [args[0].value for args in named["predict"]]
    assert guessed
    assert sorted(guessed) == sorted(args[0].value for args in named["measured"])
    assert all(isinstance(args[1], ast.Constant) and args[1].value is ... for args in named["predict"])
    assert [id for id in guessed if not re.fullmatch(rf"{re.escape(part)}\.p\d+", id)] == []
