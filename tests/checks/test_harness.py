"""The judge: right answers pass in one line, wrong ones learn what is wrong and never the answer."""

import json
import sys
import warnings

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from remix_utils.checks import harness, judge
from remix_utils.checks.exercise import ExerciseError, Wrong
from remix_utils.checks.harness import CheckFailed, check
from remix_utils.checks.judge import UNWRITTEN
from remix_utils.checks.part import load
from tests.checks.small_course import pack

pytestmark = pytest.mark.usefixtures("course")


def told(id, answer, **more):
    """The message of CheckFailed."""
    with pytest.raises(CheckFailed) as caught:
        check(id, answer, **more)
    return str(caught.value)


def gather(hidden, rows):
    return hidden[rows]


def test_a_right_answer_passes_in_one_line(capsys):
    """Nothing is returned: nbgrader takes a last value for partial credit."""
    assert check("d9.1.1", gather) is None
    assert capsys.readouterr().out == "✓ d9.1.1\n"


def test_an_earlier_value_of_the_answers_name_is_not_computed():
    """The small course divides by zero for an early `gather`, which the exercise defines anew."""
    check("d9.1.1", gather)
    with pytest.raises(ZeroDivisionError):
        load("d9.1.1")._names_for("d9.1.1", "gather", "gather")


def test_a_known_mistake_is_called_by_its_name():
    """An answer that equals a mistake on every case gets that mistake's sentence."""
    assert "It ignores the rows." in told("d9.1.1", lambda hidden, rows: hidden + 0)
    assert "Nothing was gathered." in told("d9.1.1", lambda hidden, rows: torch.zeros(1))
    assert "A share, not per cent." in told("d9.1.3", torch.tensor(0.392))


def test_a_mistake_may_be_one_that_raises():
    """Then the same kind of error on the same cases is the same mistake."""
    answers = [lambda hidden, rows: hidden[:, rows], lambda hidden, rows: hidden.T[rows].T]
    assert ["It permutes neurons." in told("d9.1.1", answer) for answer in answers] == [True, True]


def test_an_unknown_mistake_is_shown_with_expected_got_and_arguments():
    """One form: expected, got, place, and each argument by its name, small ones in full."""
    said = told("d9.1.1", lambda hidden, rows: hidden[rows].round())
    assert said.startswith("d9.1.1: expected ")
    assert ", got " in said
    assert ", at [0, 0], for hidden=[[" in said
    assert "rows=[2, 0, 1]" in said


def test_inputs_that_failed_can_be_run_again():
    """`check.inputs` gives the arguments of the failing case by name."""
    told("d9.1.1", lambda hidden, rows: hidden[rows].round())
    again = check.inputs("d9.1.1")
    assert sorted(again) == ["hidden", "rows"]
    assert again["hidden"].shape == (3, 4)
    assert check.inputs("d9.1.2") == {}


def test_a_value_is_never_given_away():
    """Of an answer that is one number, the reader learns on which side it lies."""
    said = told("d9.1.3", 41)
    assert "41 is too large" in said
    assert "39.2" not in said


def test_sizes_are_told_where_the_size_is_wrong():
    """An answer of another shape hears that the check uses other sizes than the lesson; others do not."""
    assert "The check uses other sizes." in told("d9.1.1", lambda hidden, rows: hidden[:1, :1])
    assert "The check uses other sizes." in told("d9.1.1", lambda hidden, rows: hidden[99])
    assert "The check uses other sizes." not in told("d9.1.1", lambda hidden, rows: hidden[rows] + 1)


@pytest.mark.parametrize("id", ["d9.1.1", "d9.1.2", "d9.1.3", "d9.1.quiz"])
def test_what_is_not_written_yet_is_told_apart(id):
    """Dots, None, and a stub that raises fail gently."""

    def stub(*arguments):
        raise NotImplementedError  # your code here

    assert UNWRITTEN in told(id, ...)
    assert UNWRITTEN in told(id, None)
    if id in ("d9.1.1", "d9.1.2"):
        assert UNWRITTEN in told(id, stub)
        assert "without a return" in told(id, lambda *arguments: None)


def test_an_error_of_torch_is_no_stub():
    """torch raises NotImplementedError for a missing kernel: that is shown, and never taken for a stub."""
    said = told("d9.1.1", lambda hidden, rows: rows.softmax(-1))
    assert UNWRITTEN not in said
    assert "it raised NotImplementedError" in said or "it raised RuntimeError" in said


def test_an_error_that_is_asked_for_must_come_in_its_kind():
    """Where the reference raises ValueError the answer must, and the message says so."""
    check("d9.1.2", lambda number: torch.tensor(number).sqrt() if number >= 0 else int("x"))
    said = told("d9.1.2", lambda number: abs(number) ** 0.5)
    assert "this had to raise ValueError, and it gave 1, for number=-1" in said

    def other(number):
        assert number >= 0
        return number**0.5

    assert "this had to raise ValueError, and it raised AssertionError: " in told("d9.1.2", other)


def test_use_may_refuse_with_a_sentence_and_a_fix():
    """What no comparison can name is told as it is, the ladder after it."""
    said = told("d9.1.2", str)
    assert "d9.1.2: it gives a text, expected a number.\n" in said
    assert "fix: convert it. Otherwise, hint(" in said


def doubled_bias():
    layer = torch.nn.Linear(2, 2)
    changed = judge.copied(layer)
    changed.bias.data.mul_(2)
    return changed, layer


@pytest.mark.parametrize(
    ("now", "was", "differs"),
    [
        (torch.ones(2).double(), torch.ones(2), True),
        ({"x": torch.ones(2)}, {"x": torch.ones(2)}, False),
        ([1, torch.ones(2)], [1, torch.zeros(2)], True),
        (slice(0, 2), slice(0, 2), False),
        (*doubled_bias(), True),
        (judge.copied(torch.nn.Linear(2, 2)), torch.nn.Linear(2, 2), True),
    ],
)
def test_entries_types_and_weights_count_as_changed(now, was, differs):
    """An argument is what it was only with the same entries of the same type, a module with the same weights."""
    assert judge.differs(now, was) is differs


def test_an_answer_that_writes_into_its_input_fails():
    """Each call gets arguments on storage of their own, which are compared afterwards."""

    def write(hidden, rows):
        found = hidden[rows]
        hidden.zero_()
        return found

    assert "changes its input: hidden is not what it was" in told("d9.1.1", write)
    check("d9.1.1", gather)


def test_errors_in_an_answer_are_told_with_their_line():
    """The message, and the line of the reader's own code."""

    def beyond(hidden, rows):
        return hidden[rows + 10]

    said = told("d9.1.1", beyond)
    assert "it raised IndexError" in said
    assert "in beyond, line" in said
    assert "return hidden[rows + 10]" in said


def test_an_answer_that_takes_too_long_is_stopped():
    """The limit is part of the verdict."""

    def endless(hidden, rows):
        while True:
            pass

    assert "is there a loop that does not end?" in told("d9.1.1", endless)


def test_a_value_where_a_function_is_asked_for():
    """The usual slip is to call the function in the check."""
    assert "pass it without calling it" in told("d9.1.1", torch.zeros(2))


def test_warnings_do_not_reach_stderr(capsys):
    """They are shown on stdout: a test cell that writes to stderr gets 0 points."""

    def noisy(hidden, rows):
        warnings.warn("careful", stacklevel=1)
        print("on stderr", file=sys.stderr)
        return hidden[rows]

    check("d9.1.1", noisy)
    said = capsys.readouterr()
    assert said.err == ""
    assert said.out.count("UserWarning: careful") == 1


def test_a_quiz_names_each_question_that_is_wrong():
    """Any spelling passes; a wrong form is told apart from a wrong answer."""
    right = {"offset": "−1", "name": "the k composition", "trend": "Shrinks."}
    check("d9.1.quiz", right)
    said = told("d9.1.quiz", {**right, "offset": 1, "trend": "grows"})
    assert "offset: Which diagonal?" in said
    assert "trend: Which way does it go?" in said
    assert "offset: 'back' is not a number." in told("d9.1.quiz", {**right, "offset": "back"})
    assert "trend: 'falls' is not one of 'shrinks', 'grows'." in told("d9.1.quiz", {**right, "trend": "falls"})
    assert f"{UNWRITTEN}: 'offset'" in told("d9.1.quiz", {**right, "offset": ...})
    assert "expected a dict" in told("d9.1.quiz", "mean")
    assert "there is no question 'ofset'" in told("d9.1.quiz", {**right, "ofset": 1})


def test_hidden_tests_use_new_inputs(capsys):
    """An answer that knows the visible cases by heart fails on another seed."""
    part = harness.load("d9.1.1")
    known = {hidden.sum().item(): hidden[rows] for hidden, rows in part.exercise("d9.1.1").cases(0)}

    def by_heart(hidden, rows):
        return known.get(hidden.sum().item(), hidden)

    check("d9.1.1", by_heart)
    assert "It ignores the rows." in told("d9.1.1", by_heart, seed=7)
    check("d9.1.1", gather, seed=7)
    assert "✓ d9.1.1, also on new inputs" in capsys.readouterr().out


def test_a_broken_reference_is_our_fault(course):
    """The course's own failure is not blamed on the reader."""
    master = course / "part1_gather.py"
    master.write_text(master.read_text().replace("return hidden[rows]", "return hidden[rows / 0]"))
    pack(course)
    with pytest.raises((ZeroDivisionError, IndexError, RuntimeError)):
        check("d9.1.1", gather)


def test_the_test_can_be_read(capsys):
    """check.source shows inputs and use, and neither the reference nor the right answers."""
    check.source("d9.1.1")
    check.source("d9.1.2")
    check.source("d9.1.quiz")
    said = capsys.readouterr().out
    assert "def draws(seed):" in said
    assert "def used(answer, number):" in said
    assert "offset: a number" in said
    assert "K-composition" not in said
    assert "torch.stack" not in said
    assert "hidden[rows]" not in said


def test_a_notebook_shows_messages_without_a_traceback(capsys):
    """IPython asks the exception how to show itself; so does a wrong id."""
    shell = InteractiveShell()
    shell.run_cell("from remix_utils import check, hint, start_at, solution\ncheck('d9.1.3', 41)")
    shell.run_cell("check('d9.1.99', 41)")
    shell.run_cell("check('here', 41)")
    shell.run_cell("hint('d9.1.x')\n")
    shell.run_cell("start_at('d9.7')\n")
    shell.run_cell("start_at('d9.1.77')\n")
    shell.run_cell("solution('d9.1.77')\n")
    said = capsys.readouterr().out
    assert "41 is too large" in said
    assert "There is no exercise 'd9.1.99'." in said
    assert "'here' names no exercise." in said
    assert "There is no part 'd9.7' in the course." in said
    assert "Traceback" not in said
    assert "judge.py" not in said


def test_a_written_answer_says_that_people_read_it():
    """Its heading looks like an exercise's."""
    with pytest.raises(ExerciseError, match=r"d9\.1\.4 is a written answer"):
        check("d9.1.4", "because")


def test_every_verdict_leaves_a_line(tmp_path):
    """Exercise, verdict and known mistake; no code and no name."""
    check("d9.1.1", gather)
    told("d9.1.1", lambda hidden, rows: hidden)
    told("d9.1.1", None)
    (path,) = (tmp_path / ".remix" / "progress").glob("*.jsonl")
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["verdict"] for line in lines] == ["right", "wrong", "unwritten"]
    assert {(line["event"], line["id"]) for line in lines} == {("check", "d9.1.1")}
    assert lines[1]["mistake"] == 1
    kept = {"time", "event", "id", "desk", "verdict", "seconds", "edition"}
    assert set(lines[0]) == kept and set(lines[1]) == kept | {"mistake"}


def test_wrong_has_a_fact_and_a_fix():
    """Raised by hand, it ends in the way out like every error here."""
    assert str(Wrong("No.", fix="count again.")) == "No.\n  fix: count again."
