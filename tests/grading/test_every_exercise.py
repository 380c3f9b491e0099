"""Every exercise, judged across a pipe as it is judged in one process: the same sentences."""

import dataclasses
import functools

import pytest

from remix_utils.checks.judge import Trial
from tests.checks.lessons import EXERCISES, PARTS
from tests.grading.two_processes import answers_apart, verdict

# A function that the checks hand out is the judge's, and in a fork it would be the worker's own.
CALLS_A_SPECIMEN = {("d1.0.8", "This calls the specimen"), ("d1.0.9", "This calls the specimen")}
SLOW = ("d1.0.22",)  # thousands of draws an answer; of these the reference and one mistake are tried

# It calls itself without end, and calls across the pipe end it elsewhere on some cases: the answer is
# rejected in both, and the sentence may be that of the error.
ENDLESS = ("d1.2.12", "The replacement is searched")


def unwritten(*arguments, **named):
    """Stands for a participant's untouched function."""
    raise NotImplementedError


def answers_to(part, id):
    """Makers of answers by name: reference, stub, right ones, and every known mistake."""
    asked = part.exercise(id)
    makers = {"reference": functools.partial(part.reference, id)}
    if not asked.questions:
        makers["stub"] = lambda: unwritten
        makers["dots"] = lambda: ...
    for number, variant in enumerate(asked.right):
        makers[f"right answer {number}"] = functools.partial(part.answer, id, variant)
    for mistake in asked.mistakes:
        if (id, mistake.says[:23]) not in CALLS_A_SPECIMEN:
            makers[mistake.says] = functools.partial(part.answer, id, mistake.variant)
    return dict([*makers.items()][:: len(makers) - 1]) if id in SLOW else makers


@pytest.mark.parametrize(("part", "id"), EXERCISES)
def test_two_processes_judge_as_one_does(part, id, record_property):
    """Reference, stub, differently right answers and each known mistake get the same sentence."""
    part = PARTS[part]
    asked = part.exercise(id)
    trial = Trial(part, asked)
    slower = Trial(part, dataclasses.replace(asked, seconds=10 * asked.seconds))  # as at grading
    makers = answers_to(part, id)
    here = {name: verdict(part, trial, make()) for name, make in makers.items()}
    there = {}
    for name in makers:
        with answers_apart(lambda name: makers[name](), seconds=10 + 10 * asked.seconds) as peer:
            there[name] = verdict(part, slower, peer.ask("answer", name))
    elsewhere = [name for name, told in here.items() if told and "was stopped after" in told]
    elsewhere += [name for name in here if (id, name[:27]) == ENDLESS]
    for name in elsewhere:  # where time or depth ends it, the place may be another
        assert there.pop(name), name
        del here[name]
    assert there == here
    record_property("answers judged alike in two processes", len(makers))
