"""Where pairs stand after what they did."""

import shutil
from pathlib import Path

from remix_utils.classroom.board.catalogue import Catalogue, guessed, read_catalogue
from remix_utils.classroom.board.lines import Event
from remix_utils.classroom.board.room import MOST_DESKS, Room
from remix_utils.classroom.board.standing import Cell, Mistake, Stuck, commonest_mistake, row_of, totals

ROOT = Path(__file__).parents[2]
COURSE = Catalogue(
    {"d1.0": ("d1.0.1",), "d1.1": ("d1.1.1", "d1.1.2"), "d1.2": ("d1.2.1", "d1.2.2"), "d2.1": ("d2.1.1",)}
)


def did(*what: str, desk: str = "0a", start: float = 1000.0, every: float = 60.0) -> list[Event]:
    """Events a minute apart, written `right d1.1.1`, `solution d1.1.2`, or `wrong d1.1.1 3` with a mistake."""
    found = []
    for number, words in enumerate(what):
        verb, id, *mistake = words.split()
        kind = verb if verb in ("solution", "start_at") else "check"
        verdict = verb if kind == "check" else ""
        number_of = int(mistake[0]) if mistake else -1
        found.append(Event(start + every * number, desk, kind, id, verdict, "e", number_of))
    return found


def row(*what: str):
    return row_of("0a", did(*what), COURSE)


def test_the_four_states_of_a_cell():
    """Not tried, wrong so often, right, and right after help."""
    cells = row(
        "unwritten d1.1.1",
        "wrong d1.1.2",
        "wrong d1.1.2",
        "wrong d1.2.1",
        "right d1.2.1",
        "solution d1.2.2",
        "right d1.2.2",
    ).cells
    assert cells == {"d1.1.2": Cell("wrong", 2), "d1.2.1": Cell("right", 1), "d1.2.2": Cell("helped", 0)}


def test_right_stays_right():
    """A restarted kernel runs a stub again, and a solution that is read afterwards helped nobody."""
    assert row("right d1.1.1", "wrong d1.1.1", "solution d1.1.1", "right d1.1.1").cells == {"d1.1.1": Cell("right", 0)}


def test_start_at_helps_with_what_it_leaves_behind():
    """With earlier exercises of the day, but neither with the one at which it starts, nor with part 0."""
    found = row("start_at d1.2.2", "right d1.0.1", "right d1.1.1", "right d1.2.1", "right d1.2.2", "right d2.1.1").cells
    assert {id: cell.state for id, cell in found.items()} == {
        "d1.0.1": "right",
        "d1.1.1": "helped",
        "d1.2.1": "helped",
        "d1.2.2": "right",
        "d2.1.1": "right",
    }
    assert COURSE.skipped("d1.2") == ["d1.1.1", "d1.1.2"]


def test_a_pair_is_stuck_since_its_first_wrong_check_without_a_right_one_after_it():
    """Going to and fro between two exercises does not reset the clock; a right check does, and so does help."""
    assert row("wrong d1.1.1", "wrong d1.1.2", "wrong d1.1.1").stuck == Stuck("d1.1.1", 1000)
    assert row("wrong d1.1.1", "right d1.1.2").stuck is None
    assert row("wrong d1.1.1", "right d1.1.2", "wrong d1.1.1").stuck == Stuck("d1.1.1", 1120)
    assert row("wrong d1.1.1", "solution d1.1.1").stuck is None
    assert row("wrong d1.1.1", "start_at d1.2").stuck is None
    assert row("right d1.1.1", "wrong d1.1.1").stuck is None
    assert row("unwritten d1.1.1").stuck is None


def test_the_commonest_mistake_is_that_of_most_pairs_in_the_last_quarter_of_an_hour():
    """One pair that makes a mistake ten times is one pair; what happened earlier does not count."""
    many = did(*["wrong d1.1.1 0"] * 10, desk="0a", every=1)
    two = [*did("wrong d1.1.2 4", desk="0b"), *did("wrong d1.1.2 4", desk="0c")]
    unknown = [event for desk in "def" for event in did("wrong d1.2.1", desk=desk)]
    assert commonest_mistake([*many, *two, *unknown], now=1060) == Mistake("d1.1.2", "e", 4, 2)
    assert commonest_mistake(many + two, now=1000 + 905) == Mistake("d1.1.1", "e", 0, 1)
    assert commonest_mistake(many + two, now=5000) is None


def test_totals_count_the_pairs_that_began_a_part():
    """Of all the exercises of the pairs that tried one of them, so many are right."""
    rows = [row("right d1.1.1", "wrong d1.1.2"), row("right d1.1.1", "solution d1.1.2", "right d1.1.2")]
    assert totals(rows, COURSE) == {"d1.1": {"pairs": 2, "right": 3, "all": 4}}


def test_exercises_that_the_course_does_not_have_are_dropped_and_counted():
    """So that nobody can make the table endlessly wide; without a course the table is what was tried."""
    room = Room(COURSE)
    assert room.add(did("right d7.1.1", "right d1.1.1")) == {"0a"}
    assert (len(room.refused), list(room.rows["0a"].cells)) == (1, ["d1.1.1"])
    room = Room(Catalogue({}))
    room.add(did("right d1.1.10", "wrong d1.1.9"))
    assert room.columns() == [["d1.1", ["d1.1.9", "d1.1.10"]]]
    assert room.page_row("0a")["cells"] == [[1, "r", 0], [0, "w", 1]]
    assert sum(map(len, guessed(f"d1.1.{n}" for n in range(9999)).parts.values())) == 400


def test_desks_beyond_any_room_are_dropped():
    """A script that invents desks fills neither the page nor the memory."""
    room = Room(COURSE)
    room.add(event for n in range(MOST_DESKS + 7) for event in did("right d1.1.1", desk=f"{n:x}"))
    assert (len(room.rows), len(room.refused)) == (MOST_DESKS, 7)


def test_a_damaged_part_costs_its_own_columns(tmp_path):
    """The board of a room does not rest on one file."""
    folder = tmp_path / "day1_graphs" / "checks"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "day1_graphs" / "checks" / "part1_hooks.remix", folder)
    (folder / "part2_graph.remix").write_bytes(b"torn")
    assert list(read_catalogue(tmp_path).parts) == ["d1.1"]


def test_the_catalogue_of_this_course():
    """Every part that has checks is there, natural numbers in their order."""
    found = read_catalogue(ROOT)
    assert found.parts["d1.1"][:2] == ("d1.1.1", "d1.1.2")
    assert found.parts["d1.1"][-1] == "d1.1.quiz"
    assert [part for part in found.parts if part.startswith("d1.")] == ["d1.0", "d1.1", "d1.2", "d1.3", "d1.4"]


def test_the_swap_clock_takes_minutes_only():
    """Nothing that a page may send stops the board."""
    room = Room(COURSE)
    assert room.set_swap(15, 5.0) and room.swap == {"minutes": 15, "since": 5.0}
    for bad in (-1, 181, 15.0, "15", True, None, [], 10**30):
        assert not room.set_swap(bad, 6.0)
    assert room.swap == {"minutes": 15, "since": 5.0}
    assert room.set_swap(0, 7.0) and room.swap is None
