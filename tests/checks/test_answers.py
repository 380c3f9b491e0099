"""Every wrong answer is rejected with the message written for it, every differently right one accepted, in seconds."""

import contextlib
import importlib
import io
import re
import time
from pathlib import Path

import pytest

from remix_utils.checks.exercise import find_exercise
from remix_utils.checks.harness import CheckFailed, check, run_reference
from remix_utils.checks.judge import UNWRITTEN
from remix_utils.checks.masters import master_paths, part_number, read_master
from tools.notebooks import hidden_tests

ROOT = Path(__file__).parents[2]
PARTS = [
    (day, part_number(path), path)
    for day in range(1, 6)
    for path in master_paths(day, ROOT / "solutions")
    if (ROOT / "tests" / "answers" / f"day{day}" / f"part{part_number(path)}.py").exists()
]
each_part = pytest.mark.parametrize(("day", "part", "master"), PARTS, ids=[f"d{day}.{part}" for day, part, _ in PARTS])
LIMIT = 2.0


def answers(day, part):
    """The wrong and the right answers of a part."""
    return importlib.import_module(f"tests.answers.day{day}.part{part}")


def verdict(id, answer, **more):
    """(message or None, seconds of this process)."""
    start = time.process_time()
    message = None
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            check(id, answer, **more)
        except CheckFailed as error:
            message = str(error)
    return message, time.process_time() - start


def name(answer):
    return getattr(answer, "__name__", None) or repr(answer)[:60]


@each_part
def test_every_wrong_answer_is_rejected_with_its_own_message(day, part, master, record_property):
    """And no check takes longer than its limit to say so."""
    wrong = answers(day, part).WRONG
    faults = []
    for id, answer, piece in wrong:
        message, seconds = verdict(id, answer)
        if message is None or piece not in message:
            faults.append(f"{id} {name(answer)}: expected {piece!r}, got {message!r}")
        if seconds > LIMIT + 0.5:  # an endless answer is stopped at the limit
            faults.append(f"{id} {name(answer)}: the verdict took {seconds:.1f} s")
    record_property("wrong answers rejected with their own message", len(wrong) - len(faults))
    assert faults == []


@each_part
def test_every_right_answer_is_accepted(day, part, master, record_property):
    """However it is written, within the limit, and also against the reference on the hidden seed."""
    right = answers(day, part).RIGHT
    hidden = dict(hidden_arguments(master))
    faults = []
    for id, answer in right:
        for more in ({}, hidden[id]):
            message, seconds = verdict(id, answer, **more)
            if message or seconds > LIMIT:
                faults.append(f"{id} {name(answer)} {'hidden' if more else ''}: {message} after {seconds:.1f} s")
    record_property("differently right answers accepted", len(right) - len({fault.split(":")[0] for fault in faults}))
    assert faults == []


@each_part
def test_the_message_looked_for_is_that_of_the_mistake(day, part, master):
    """A piece that stands in every failure, such as the way out, would prove nothing."""
    always = f'{UNWRITTEN} fix: hint("") gives a nudge; check.source("") shows what is tested.'
    assert [(id, piece) for id, _, piece in answers(day, part).WRONG if len(piece) < 6 or piece in always] == []


@each_part
def test_the_master_passes_and_the_untouched_stub_fails(day, part, master, record_property):
    """Without a kernel: the solutions as they are, and the dots or the stub that the student starts from."""
    faults = []
    hidden = dict(hidden_arguments(master))
    for id, more in hidden.items():
        message, seconds = verdict(id, run_reference(id, more["reference"]), **more)
        if message or seconds > LIMIT:
            faults.append(f"{id}: the master's answer: {message} after {seconds:.1f} s")
        faults += [f"{id}: {name(stub)} passes" for stub in (..., None, raises) if verdict(id, stub)[0] is None]
    record_property("untouched stubs rejected", len(hidden))
    assert faults == []


def raises(*arguments, **named):
    """What a student's untouched function does."""
    raise NotImplementedError


def hidden_arguments(master):
    """The seed and the reference of every hidden test of a master."""
    cells = read_master(master)
    for position, cell in enumerate(cells):
        if "check" in cell.marks:
            text = hidden_tests(master, cells, position)
            seed = int(re.search(r"seed=(\d+)", text)[1])
            yield cell.marks["check"], {"seed": seed, "reference": text.split("reference=r'''\n")[1].split("\n''')")[0]}


def test_the_exercises_are_found_by_their_ids():
    """Each is declared in the file of its own part."""
    for _, _, path in PARTS:
        for cell in read_master(path):
            if "check" in cell.marks:
                assert find_exercise(cell.marks["check"]).id == cell.marks["check"]
