"""Every exercise of every day: each mistake is told as itself, each right answer passes, the stub fails."""

import functools

import pytest

from remix_utils.checks.attempt import attempt
from remix_utils.checks.exercise import Wrong
from remix_utils.checks.judge import UNWRITTEN, Trial, judge, judge_outcomes
from tests.checks.lessons import EXERCISES, PARTS
from tools.lessons import hidden_seed

SHARE = 0.5  # of the limit, for a reference; a slower machine must not make it late
SEEDS = (1,)


@functools.lru_cache(maxsize=4)
def trial_of(part, id, seed):
    """One trial serves all tests of an exercise on a seed, so that each mistake runs once."""
    return Trial(part, part.exercise(id), seed)


def verdict(part, id, answer, seed=0):
    """The sentence about an answer; None if it is right."""
    asked = part.exercise(id)
    try:
        if asked.questions or answer is None or answer is ...:
            judge(part, asked, answer, seed)
        else:
            judge_outcomes(trial_of(part, id, seed), answer)
    except Wrong as wrong:
        return wrong.fact
    return None


def raises(*arguments, **named):
    """Stands for a participant's untouched function."""
    raise NotImplementedError


def sentences(asked):
    return [mistake.says for mistake in asked.mistakes]


@pytest.mark.parametrize(("part", "id"), EXERCISES)
def test_the_reference_passes_and_the_stub_fails(part, id, record_property):
    """On the seen inputs and on the hidden ones; dots, None and a function that raises are unwritten."""
    part = PARTS[part]
    for seed in (0, hidden_seed(id)):
        assert verdict(part, id, part.reference(id), seed) is None
    for stub in (..., None):
        assert UNWRITTEN in verdict(part, id, stub)
    if callable(part.reference(id)) and part.exercise(id).use is None:
        assert UNWRITTEN in verdict(part, id, raises)
    record_property("untouched stubs rejected", 1)


@pytest.mark.parametrize(("part", "id"), EXERCISES)
def test_every_right_answer_passes(part, id, record_property):
    """However it is written, on several seeds."""
    part = PARTS[part]
    right = part.exercise(id).right
    for number, variant in enumerate(right):
        for seed in (0, hidden_seed(id), *SEEDS):
            assert verdict(part, id, part.answer(id, variant), seed) is None, f"right answer {number}"
    record_property("differently right answers accepted", len(right))


@pytest.mark.parametrize(("part", "id"), EXERCISES)
def test_every_mistake_is_told_as_itself(part, id, record_property):
    """It differs from the reference on every seed, and gets its own sentence."""
    part = PARTS[part]
    asked = part.exercise(id)
    for seed in (0, hidden_seed(id), *SEEDS):
        for mistake in asked.mistakes:
            answer = part.answer(id, mistake.variant)
            told = verdict(part, id, answer, seed)
            assert told is not None, f"accepted: {mistake.says}"
            assert mistake.says in told, f"{mistake.says!r} was told as {told!r}"
    record_property("wrong answers told by name", len(asked.mistakes))


@pytest.mark.parametrize(("part", "id"), EXERCISES)
def test_every_argument_has_a_name_and_no_check_is_slow(part, id, record_property):
    """Messages call arguments by name; the reference needs a small part of its limit, in CPU time."""
    part = PARTS[part]
    asked = part.exercise(id)
    if asked.questions:
        return
    trial = Trial(part, asked, 0)
    for case in trial.cases:
        assert not [name for name in trial.names(case) if name.startswith("argument ")]
    trial.outcomes(trial.reference, 60.0)  # what a first call imports is nobody's time
    used = sum(outcome.seconds for outcome in trial.outcomes(trial.reference, 60.0))
    assert used < SHARE * asked.seconds
    record_property("CPU milliseconds of all references", round(1000 * used))


@pytest.mark.parametrize(("part", "id"), EXERCISES)
def test_an_exercise_is_declared_whole(part, id):
    """Three mistakes, a right answer written differently, three hints; whole sentences."""
    asked = PARTS[part].exercise(id)
    if asked.questions:
        return
    assert len(set(sentences(asked))) >= 3
    assert asked.right
    assert len(asked.hints) == 3
    assert all(title.strip() and text.strip() for title, text in asked.hints)
    for sentence in sentences(asked):
        assert len(sentence) > 12, sentence


@pytest.mark.parametrize(("part", "id"), [each for each in EXERCISES if each[1].endswith("quiz")])
def test_a_quiz_takes_any_spelling_of_its_forms(part, id, record_property):
    """Ten spellings of each right answer; a wrong one and a wrong form get their own sentences."""
    part = PARTS[part]
    right = part.reference(id)
    asked = part.exercise(id)
    assert list(right) == list(asked.questions)
    tried = 0
    for name, question in asked.questions.items():
        for spelling in spellings(question, right[name]):
            assert question.accepts(spelling, right[name]), (name, spelling)
            tried += 1
        told = verdict(part, id, {**right, name: wrong_answer(question, right[name])})
        assert told == f"{name}: {question.says}"
        assert f"is not {question.form}" in verdict(part, id, {**right, name: "qqq zzz"}) or (
            question.form.startswith("a name")
        )
    record_property("spellings of quiz answers accepted", tried)


def spellings(question, right):
    """Ways to write the same answer."""
    if question.form == "a number":
        return number_spellings(question.read(right))
    text = str(right)
    plain = [text, text.upper(), text.lower(), f" {text} ", f"{text}.", f"`{text}`", f"'{text}'"]
    return [*plain, f"the {text}", text.replace("-", " "), text.replace(" ", "-"), f"“{text}”"]


def number_spellings(value):
    """A number as text, with signs, separators, units and powers as people type them."""
    text = f"{value:.10g}"
    typed = [
        value,
        text,
        f" {text} ",
        f"{text}.",
        text.replace("-", "−"),
        f"{text} nats",
        f"about {text}",
    ]
    typed += [
        f"{value:,.10g}" if abs(value) < 1e10 else text,
        f"= {text}",
        f"{value * 100:.10g} %",
        f"{text} points",
    ]
    if value == int(value):
        typed += [int(value), f"{text}.0", f"{int(value)}/1", f"{text} times"]
    return typed


def wrong_answer(question, right):
    """An answer of the right form with another content."""
    if question.options:
        return next(each for each in question.options if not question.accepts(each, right))
    if question.form == "a number":
        return question.read(right) * 3 + 17
    return "nothing of the kind"


def test_the_judge_itself_can_fail():
    """A guard of the guards: an exercise without its reference's value is not right."""
    part, id = next(each for each in EXERCISES if not each[1].endswith("quiz"))
    assert verdict(PARTS[part], id, lambda *case: object()) is not None
    assert attempt(lambda: 1).value == 1
