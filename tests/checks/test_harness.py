"""The judge: right answers pass in one line, wrong ones learn what is wrong and never the answer."""

import sys
import warnings

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell

from remix_utils.checks.exercise import EXERCISES, ExerciseError, Mistake, Wrong, equal, exercise, find_exercise, quiz
from remix_utils.checks.harness import CheckFailed, check
from remix_utils.checks.judge import UNWRITTEN


def draws(seed):
    """Hidden layers and rows to gather."""
    generator = torch.Generator().manual_seed(seed)
    return [
        (torch.randn(3, 4, generator=generator), torch.tensor([2, 0, 1])),
        (torch.randn(2, 3, generator=generator), torch.tensor([1, 1])),
    ]


exercise(
    "d9.1.1",
    cases=draws,
    oracle=lambda hidden, rows: torch.stack([hidden[row] for row in rows]),
    mistakes=[
        Mistake("It permutes neurons.", lambda hidden, rows: hidden[:, rows]),
        Mistake("It ignores the rows.", lambda hidden, rows: hidden),
    ],
    seconds=0.3,
)
exercise("d9.1.2", oracle=39.2, mistakes=[Mistake("A share, not per cent.", 0.392)])
exercise("d9.1.4", cases=lambda seed: [(3,)], oracle=lambda n: n * n)


@exercise("d9.1.3")
def _(answer, seed, reference):
    equal(answer(2), 4, "the square of 2")
    if reference is not None:
        equal(answer(seed), reference(seed), "the square of a new number")


quiz("d9.1.quiz", [("ablation", ["mean", "mean ablation"], "Which needs data?"), ("nodes", 12, "Count again.")])


def told(id, answer, **more):
    """What CheckFailed says."""
    with pytest.raises(CheckFailed) as caught:
        check(id, answer, **more)
    return str(caught.value)


def test_a_right_answer_passes_in_one_line(capsys):
    """Nothing is returned: nbgrader takes a last value for partial credit."""
    assert check("d9.1.1", lambda hidden, rows: hidden[rows]) is None
    assert capsys.readouterr().out == "✓ d9.1.1\n"


def test_a_known_mistake_is_called_by_its_name():
    """An answer that equals a mistake on every case gets that mistake's message, also when both raise."""
    assert "It ignores the rows." in told("d9.1.1", lambda hidden, rows: hidden + 0)
    assert "It permutes neurons." in told("d9.1.1", lambda hidden, rows: hidden.T[rows].T)
    assert "A share, not per cent." in told("d9.1.2", torch.tensor(0.392))


def test_an_unknown_mistake_is_shown_where_it_departs():
    """The first case and the first place, with both numbers."""
    said = told("d9.1.1", lambda hidden, rows: hidden[rows].round())
    assert "on hidden [3, 4], rows [3], at [0, 0]: " in said
    assert "expected" in said


def test_a_value_is_never_given_away():
    """Of an answer that is one number, the reader learns on which side it lies."""
    said = told("d9.1.2", 41)
    assert "41 is too large" in said
    assert "39.2" not in said


@pytest.mark.parametrize("id", ["d9.1.1", "d9.1.2", "d9.1.3", "d9.1.quiz"])
def test_what_is_not_written_yet_is_told_apart(id):
    """Dots, None, and a stub that raises fail gently."""

    def stub(*arguments):
        raise NotImplementedError

    assert UNWRITTEN in told(id, ...)
    assert UNWRITTEN in told(id, None)
    if id in ("d9.1.1", "d9.1.3"):
        assert UNWRITTEN in told(id, stub)


def test_a_function_without_a_return_is_named():
    """None instead of a value is not a shape error."""
    assert "without a return" in told("d9.1.1", lambda hidden, rows: None)


def test_an_answer_that_writes_into_its_input_fails():
    """Each call gets arguments on storage of their own, which are compared afterwards."""

    def gather(hidden, rows):
        found = hidden[rows]
        hidden.zero_()
        return found

    assert "It changes its input: hidden" in told("d9.1.1", gather)
    check("d9.1.1", lambda hidden, rows: hidden[rows])


def test_errors_in_an_answer_are_told_with_their_line():
    """The message, and the line of the reader's own code."""

    def gather(hidden, rows):
        return hidden[rows + 10]

    said = told("d9.1.1", gather)
    assert "it raised IndexError" in said
    assert "return hidden[rows + 10]" in said


def test_an_answer_that_takes_too_long_is_stopped():
    """The limit is part of the verdict."""

    def gather(hidden, rows):
        while True:
            pass

    assert "a loop that does not end" in told("d9.1.1", gather)


def test_a_value_where_a_function_is_asked_for():
    """The usual slip is to call the function in the check."""
    assert "pass it without calling it" in told("d9.1.1", torch.zeros(2))


def test_warnings_do_not_reach_stderr(capsys):
    """They are shown on stdout: a test cell that writes to stderr gets 0 points."""

    def gather(hidden, rows):
        warnings.warn("careful", stacklevel=1)
        print("on stderr", file=sys.stderr)
        return hidden[rows]

    check("d9.1.1", gather)
    said = capsys.readouterr()
    assert said.err == ""
    assert "UserWarning: careful" in said.out


def test_a_quiz_takes_any_spelling_and_names_what_is_wrong():
    """Case, punctuation and number formats are free; every wrong question is named."""
    check("d9.1.quiz", {"ablation": "Mean-Ablation.", "nodes": "12.0"})
    said = told("d9.1.quiz", {"ablation": "zero", "nodes": 13})
    assert "ablation: Which needs data?" in said
    assert "nodes: Count again." in said
    assert f"{UNWRITTEN}: 'nodes'" in told("d9.1.quiz", {"ablation": "mean", "nodes": ...})
    assert "expected a dict" in told("d9.1.quiz", "mean")


def test_hidden_tests_use_new_inputs_and_the_reference():
    """An answer that knows the visible cases by heart fails on another seed, in both forms."""
    known = {hidden.sum().item(): hidden[rows] for hidden, rows in draws(0)}

    def by_heart(hidden, rows):
        return known.get(hidden.sum().item(), hidden)

    check("d9.1.1", by_heart)
    source = "import torch\ndef gather(hidden, rows):\n    return torch.index_select(hidden, 0, rows)\ngather"
    check("d9.1.1", lambda hidden, rows: hidden[rows], seed=7, reference=source)
    assert "d9.1.1" in told("d9.1.1", by_heart, seed=7, reference=source)
    check("d9.1.3", lambda n: 4)
    assert "the square of a new number" in told("d9.1.3", lambda n: 4, seed=5, reference="lambda n: n * n")


def test_a_reference_that_the_oracle_contradicts_cannot_pass():
    """The answer must equal both."""
    assert "departs" in told("d9.1.4", lambda n: n * n, reference="lambda n: n + 1")


def test_a_broken_oracle_is_our_fault():
    """The course's own failure is not blamed on the reader."""
    exercise("d9.1.5", cases=lambda seed: [(0,)], oracle=lambda n: 1 / n)
    with pytest.raises(ZeroDivisionError):
        check("d9.1.5", lambda n: n)


def test_the_test_can_be_read(capsys):
    """check.source prints the declaration; of a quiz only the questions."""
    check.source("d9.1.1")
    check.source("d9.1.3")
    check.source("d9.1.quiz")
    said = capsys.readouterr().out
    assert "It ignores the rows." in said
    assert 'equal(answer(2), 4, "the square of 2")' in said
    assert "mean ablation" not in said


def test_a_notebook_shows_the_message_without_a_traceback(capsys):
    """IPython asks the exception how to show itself."""
    shell = InteractiveShell()
    shell.run_cell("from remix_utils.checks.harness import check\ncheck('d9.1.2', 41)")
    said = capsys.readouterr().out
    assert "41 is too large" in said
    assert "Traceback" not in said
    assert "judge.py" not in said


def test_an_exercise_that_is_not_there_is_an_error_with_its_fix():
    """An unknown id, an id without a part, and cases without an oracle."""
    with pytest.raises(ExerciseError, match=r"There is no exercise 'd9\.1\.99'"):
        check("d9.1.99", 1)
    with pytest.raises(ExerciseError, match="does not say day"):
        exercise("first", oracle=1)
    with pytest.raises(ExerciseError, match="there is none"):
        exercise("d9.1.6", cases=lambda seed: [()])
    assert "d9.1.6" not in EXERCISES
    assert find_exercise("d9.1.2").oracle == 39.2


def test_wrong_carries_its_own_way_out():
    """A free check may say what to do; the ladder is offered either way."""

    @exercise("d9.1.7")
    def _(answer, seed, reference):
        raise Wrong("No.", fix="count again.")

    said = told("d9.1.7", 1)
    assert "fix: count again. Otherwise, hint(" in said
