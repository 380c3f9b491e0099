"""A part's file travels with the notebooks; a missing, damaged or foreign one is said in one sentence."""

import pytest

from remix_utils.checks import bundle, harness
from remix_utils.checks.exercise import Exercise, ExerciseError, collecting, exercise
from remix_utils.checks.harness import check
from tests.checks.lessons import MASTERS
from tests.checks.small_course import pack

pytestmark = pytest.mark.usefixtures("course")


def gather(hidden, rows):
    return hidden[rows]


def test_missing_damaged_and_foreign_checks_are_said_in_one_sentence(course, monkeypatch, capsys):
    """Each with its fix."""
    monkeypatch.setattr(harness, "WARNED", set())
    monkeypatch.setattr("remix_utils.checks.place.START", course)
    (course / "part1_gather.ipynb").write_text('{"metadata": {"remix": {"part": "d9.1", "checks": "older"}}}')
    check("d9.1.1", gather)
    check("d9.1.1", gather)
    assert capsys.readouterr().out.count("are of different editions of the course") == 1
    path = course / "checks" / "part1_gather.remix"
    path.write_bytes(path.read_bytes()[:100])
    bundle.read.cache_clear()
    with pytest.raises(ExerciseError, match="cannot be read"):
        check("d9.1.1", gather)
    monkeypatch.setenv("REMIX_CHECKS", str(course / "nowhere"))
    with pytest.raises(ExerciseError, match=r"The checks of d9\.1 are missing"):
        check("d9.1.1", gather)


def test_checks_are_found_from_the_folder_in_which_the_kernel_started(course, monkeypatch, tmp_path):
    """Beside the notebook, then beside its neighbours; a change of folder later does not matter."""
    monkeypatch.delenv("REMIX_CHECKS")
    (course.parent / "day8_y").mkdir()
    for start in (course, course.parent, course.parent / "day8_y"):
        monkeypatch.setattr("remix_utils.checks.place.START", start)
        monkeypatch.chdir(tmp_path)
        check("d9.1.1", gather)


def test_a_bad_declaration_is_an_error_with_its_fix():
    """A bad id, one declared twice, one outside a lesson, and an edit that no longer fits."""
    with pytest.raises(ExerciseError, match="outside a lesson"):
        exercise("d9.1.1")
    with collecting(), pytest.raises(ExerciseError, match="does not say day"):
        exercise("first")
    with collecting(), pytest.raises(ExerciseError, match="declared twice"):
        exercise("d9.1.1")
        exercise("d9.1.1")
    assert isinstance(harness.load("d9.1.1").exercise("d9.1.1"), Exercise)


def test_an_edit_that_does_not_fit_is_refused(course):
    """A changed solution forces its mistakes to be looked at."""
    master = course / "part1_gather.py"
    master.write_text(master.read_text().replace("return hidden[rows]", "return hidden.index_select(0, rows)"))
    pack(course)
    with pytest.raises(ExerciseError, match=r"the edit of '\[rows\]' matches 0 times, and 1 was declared"):
        check("d9.1.1", lambda hidden, rows: hidden)


def test_a_file_holds_all_that_its_sources_say(tmp_path):
    """Read back, a packed part is the part; and its bytes hold no line of it in the clear."""
    for master in MASTERS:
        made = bundle.from_master(master)
        path = tmp_path / f"{master.stem}.remix"
        path.write_bytes(bundle.packed(made))
        assert bundle.read.__wrapped__(path).text == made.text
        assert b"import" not in path.read_bytes()
