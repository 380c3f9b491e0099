"""What the graph says when something is wrong: to whom, with which numbers, how to mend it, and how soon."""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor

import pytest
import torch

from remix_utils.errors import RemixError
from remix_utils.graph import functions
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.execute import run
from remix_utils.graph.functions import register
from remix_utils.graph.node import Op
from remix_utils.graph.ops import add, apply, index, placeholder
from remix_utils.graph.selector import Selector
from tests.graph.mistakes import BUILDING, EVALUATING, FINDING, MISTAKES, REWRITING
from tests.refusals import assert_well_made, error_of, judged, raise_sites, raised_at

UNFINISHED = {
    "does not say its shape": lambda: Op().infer((), "Op 'x'"),
    "does not say how to run": lambda: Op().run([], []),
    "cannot start": lambda: Selector().start(None),
    "cannot step": lambda: Selector().step(None, None, 0, None),
    "cannot accept": lambda: Selector().accepts(None),
}
BORN_IN_WORK = {"NaN born on the way", "a token outside the table"}


@pytest.fixture(autouse=True, scope="module")
def table_as_it_was():
    """What is registered here is gone afterwards."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(functions, "_table", dict(functions._table))
        yield


def test_mistakes_have_names_of_their_own():
    """No mistake of one group hides that of another."""
    assert len(MISTAKES) == len(BUILDING) + len(FINDING) + len(REWRITING) + len(EVALUATING)


@pytest.mark.parametrize("name", MISTAKES)
def test_each_mistake_gets_its_message(name, snapshot):
    """The message names the place and the numbers, and is word for word what it was."""
    assert judged(MISTAKES[name]) == snapshot


@pytest.mark.parametrize("name", MISTAKES)
def test_each_error_is_well_made(name):
    """One way out, its facts as attributes, the same after a journey to another process."""
    assert_well_made(error_of(MISTAKES[name].made))


def test_an_error_in_a_worker_is_the_error_here():
    """A NaN that is born in another process is reported as if it were born in this one."""
    logarithm = apply("log", placeholder("x", (1,)), name="logarithm")
    inputs = {"x": torch.tensor([[1.0], [-1.0]])}
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        there = error_of(lambda: evaluate(logarithm, inputs, batch_size=2, executor=pool))
    here = error_of(lambda: evaluate(logarithm, inputs, batch_size=2))
    assert (type(there), str(there), there.facts) == (type(here), str(here), here.facts)


def test_no_error_goes_untested():
    """Every `raise` in the graph's rooms is reached by a mistake above, or by an operation that is not finished."""
    reached = {place for mistake in MISTAKES.values() for place in raised_at(error_of(mistake.made))}
    reached |= {place for made in UNFINISHED.values() for place in raised_at(error_of(made))}
    assert sorted(raise_sites("graph/*") - reached) == []


@pytest.mark.parametrize("text", UNFINISHED)
def test_an_unfinished_operation_says_what_it_lacks(text):
    """Whoever writes an operation or a selector is told which rule is missing, and of which class."""
    error = error_of(UNFINISHED[text])
    assert type(error) is TypeError and str(error).endswith(text) and str(error).split()[0] in ("Op", "Selector")


# ---------------------------------------------------------------- before any work


@pytest.fixture
def runs(monkeypatch) -> list[str]:
    """The operations that are run, by name."""
    ran = []

    def counting(program, *rest):
        ran.extend(step.name for step in program.steps)
        return run(program, *rest)

    monkeypatch.setattr("remix_utils.graph.evaluate.run", counting)
    return ran


def test_operations_are_counted_when_they_run(runs):
    """The count below would notice."""
    evaluate(apply("relu", placeholder("x", (3,))), {"x": torch.ones(3)})
    assert runs == ["Apply 'relu' [3]"]


@pytest.mark.parametrize("name", sorted(set(EVALUATING) - BORN_IN_WORK))
def test_bad_input_is_refused_before_any_operation_runs(name, runs):
    """Whatever can be known beforehand is said before the first operation, and `plan` says the same."""
    error_of(EVALUATING[name].made)
    assert runs == []


BIG = 20_000
HEAVY_INPUTS = {"x": torch.zeros(50, BIG)}
REFUSED_AT_THE_DOOR = {
    "unbound": {},
    "dtype": {"x": torch.zeros(50, BIG, dtype=torch.float64)},
    "shape": {"x": torch.zeros(50, BIG - 1)},
    "no rows": {"x": torch.zeros(0, BIG)},
    "nan": {"x": torch.full((50, BIG), float("nan"))},
}


@pytest.fixture(scope="module")
def heavy():
    """A graph that would take minutes: BIG × BIG products, a thousand of them, one after another."""
    register("outer", lambda x: (x[:, None] * x[None, :]).mean(0), whole=1)
    node = placeholder("x", (BIG,))
    for step in range(1000):
        node = add(apply("outer", node, name=f"outer.{step}"), node, name=f"resid.{step}")
    return node


@pytest.mark.parametrize("name", REFUSED_AT_THE_DOOR)
def test_an_expensive_graph_refuses_at_once(heavy, name):
    """A graph of minutes of work says within a second of processor time that an input does not fit."""
    start = time.process_time()
    error_of(lambda: evaluate(heavy, REFUSED_AT_THE_DOOR[name]))
    assert time.process_time() - start < 1


def test_a_memory_limit_that_cannot_be_met_is_known_beforehand(heavy):
    """Both numbers are named without anything being computed, and the limit that is named suffices for `plan`."""
    start = time.process_time()
    error = error_of(lambda: evaluate(heavy, HEAVY_INPUTS, memory=1000))
    assert time.process_time() - start < 1
    assert error.memory == 1000 < error.needed
    least = int(error.fix.split("least ")[1].split(" bytes")[0].replace(",", ""))
    assert plan(heavy, HEAVY_INPUTS, memory=least).peak_bytes <= least
    with pytest.raises(RemixError):
        plan(heavy, HEAVY_INPUTS, memory=least - 1)


def test_what_is_wrong_with_a_graph_is_said_when_it_is_built(heavy):
    """Shapes, patterns and bounds are checked at construction, however much lies below."""
    start = time.process_time()
    for made in (
        lambda: add(heavy, placeholder("y", (BIG + 1,))),
        lambda: index(heavy, BIG),
        lambda: apply("no such function", heavy),
    ):
        error_of(made)
    assert time.process_time() - start < 1


def test_a_function_that_fails_without_a_word_is_still_named():
    """An assertion without a text, in a function of the user's, names the node and the assertion."""

    def strict(x):
        raise AssertionError

    register("strict", strict)
    error = error_of(lambda: apply("strict", placeholder("x", (3,)), name="hidden"))
    assert "Apply 'hidden'" in str(error) and "AssertionError" in str(error)
