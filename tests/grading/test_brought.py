"""What start_at brings counts for the exercises after it, and for no exercise that it stands for."""

import copy

import pytest

from remix_utils.classroom.grading.cohort import Cohort
from tests.grading.tiny_course import DAY, hand_in, points, solved, write_course, wrote

SQUARE = "def double(n):\n    return n * n"


def with_call(notebook, call, before):
    """The notebook with one more cell, before that of an exercise."""
    done = copy.deepcopy(notebook)
    place = next(place for place, cell in enumerate(done.cells) if cell.id == before)
    done.cells.insert(place, type(done.cells[0])(copy.deepcopy(done.cells[0]), id="call", source=call, metadata={}))
    return done


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The points of five submissions in which start_at stands somewhere."""
    folder = tmp_path_factory.mktemp("brought")
    day, reference, student = write_course(folder)
    right = solved(student, reference)
    wrong = wrote(right, d9_1_1=SQUARE)
    second = next(cell.source for cell in reference.cells if cell.id == "d9-1-2")
    call = 'start_at("d9.1.2")'
    submissions = {
        "wrong, then caught up": with_call(wrong, call, "d9-1-2"),
        "wrong, without catching up": wrong,
        "caught up before the wrong answer": with_call(wrong, call, "d9-1-1"),
        "a comment": with_call(wrong, f"# {call}", "d9-1-2"),
        "skipped": with_call(wrote(student, d9_1_2=second), call, "d9-1-2"),
    }
    for name, notebook in submissions.items():
        hand_in(folder / "submitted", name, notebook)
    cohort = Cohort(DAY, day / "checks", folder / "submitted", folder / "grading", folder / "book.db", sandboxed=False)
    cohort.say = lambda line: None
    return points(cohort.grade())


def test_an_answer_after_start_at_rests_on_our_answers(graded):
    """As in the notebook, where start_at had replaced the wrong one; that one stays wrong."""
    assert graded["wrong, then caught up"] == [0, 3]


def test_without_start_at_an_answer_rests_on_the_pairs_own(graded):
    """So it does where start_at was called before, or only in a comment."""
    for name in ("wrong, without catching up", "caught up before the wrong answer", "a comment"):
        assert graded[name] == [0, 0], name


def test_a_skipped_exercise_has_no_points_and_later_ones_count(graded):
    """start_at stands for the first one, and the second one was written."""
    assert graded["skipped"] == [0, 3]
