"""Every fault of a hypothesis has its error, with the node and the fix; and all faults are told at once."""

import inspect
import re

import pytest

from remix_utils.data import Exact, Matching, Uniform
from remix_utils.graph.selector import at
from remix_utils.scrub import claims, faults
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub, treeify
from tests.refusals import assert_well_made, error_of, judged, raise_sites, raised_at
from tests.scrub.mistakes import (
    DATA,
    MISTAKES,
    OUT,
    broken,
    even,
    judged_sum,
    node,
    on_model,
    out,
    padded,
    queries,
    row,
    run,
)


@pytest.mark.parametrize("name", MISTAKES)
def test_each_fault_gets_its_message(name, snapshot):
    """The message names the node and the numbers, ends with what to do, and is word for word what it was."""
    assert judged(MISTAKES[name]) == snapshot
    assert_well_made(error_of(MISTAKES[name].made))


def test_no_error_goes_untested():
    """Every `raise` of the two rooms, and every kind of fault that is looked for, is reached by a mistake above."""
    errors = [error_of(mistake.made) for mistake in MISTAKES.values()]
    reached = {place for error in errors for place in raised_at(error)}
    assert sorted(raise_sites("scrub/faults", "scrub/hypothesis") - reached) == []
    # a fault's words before the first thing that varies
    source = inspect.getsource(faults) + inspect.getsource(claims)
    told = " ".join(str(error) for error in errors)
    openings = re.findall(r'fact = f?"([a-z][^"{]{7,}?)[\"{]', source) + re.findall(
        r'Fault\([^"]*?, f?"([a-z][^"{]{7,}?)[\"{]', source
    )
    assert len(openings) > 12 and [opening for opening in openings if opening not in told] == []


def test_all_faults_are_told_at_once():
    """Five faults of four nodes: each is listed with its node and its fix, and is an attribute."""
    hypothesis = out(
        node("left", Exact(), node("right", Exact())),
        Interp("unmapped", None, Exact()),
        node("x", Exact()),
        node("lft", Exact()),
    )
    error = error_of(run(hypothesis, n=0))
    lines = str(error).splitlines()
    assert lines[0] == "5 faults." and lines[-1] == "  fix: mend each of them."
    assert [line.split("'")[1] for line in lines[1:-1]] == error.names == ["unmapped", "n", "x", "lft", "right"]
    assert [line.startswith(f"  {number}. ") for number, line in enumerate(lines[1:-1], 1)] == [True] * 5
    assert all(line.endswith(f": {fault.fix}.") for line, fault in zip(lines[1:-1], error.faults, strict=True))


def test_many_faults_do_not_fill_the_screen():
    """Each node that meets others is one fault, which names the first; twenty are written out, the rest counted."""
    names = [f"blocks.{layer}.attn.head.{head}.out" for layer in (0, 1) for head in (0, 1)]
    error = error_of(on_model(node("logits", Exact(), *(node(name, Exact()) for name in names))))
    assert error.names == names[:2] and f"claims what {names[2]!r}, {names[3]!r} claim" in error.faults[0].fact
    many = [Interp(f"node {number}", None, Exact()) for number in range(30)]
    lines = str(error_of(run(out(*many)))).splitlines()
    assert lines[0] == "30 faults." and len(lines) == 23 and lines[-2] == "  and 10 more"


def test_all_draws_that_fail_are_told_at_once():
    """A feature with NaN beside one that is too fine."""
    hypothesis = out(node("left", Matching(broken)), node("right", Matching(row)), others=None)
    assert error_of(run(hypothesis)).names == ["left", "right"]


def test_one_fault_does_not_bring_another():
    """That nothing reads a node's row, or that nothing is left to others, may be for a child that is misspelt."""
    for fault in (out(node("lft", Exact())), out(node("left", Matching(even), node("xx", Exact())))):
        assert len(error_of(run(fault)).faults) == 1


def test_treeify_refuses_the_same():
    """With the same words."""
    hypothesis = out(node("lft", Exact()))
    assert str(error_of(lambda: treeify(OUT, hypothesis, DATA, 5))) == str(error_of(run(hypothesis)))


def test_enumeration_refuses_the_same():
    """Faults of draws as well, before any case is counted."""
    for hypothesis in (out(node("left", Matching(row))), out(node("left", Matching(broken)))):
        assert str(error_of(run(hypothesis, n="all"))) == str(error_of(run(hypothesis, n=6)))


def test_what_says_what_it_means_is_not_refused():
    """All paths with others=None, the direct one alone, and a mask that a child claims."""
    every = queries(at("embed"))
    q = every.children[0].children[0]
    every = node(
        "logits", Exact(), Interp("late", every.children[0].at, Exact(), [Interp("q", q.at, Exact(), q.children, None)])
    )
    on_model(every)()
    on_model(queries(at("embed").avoiding("blocks.0.*_out")))()
    judged_sum(padded(more=[node("mask", Exact())], others=None))()
    run(out(node("left", Uniform())))()
    run(out(node("left", Exact(), which="left"), others=Exact()))()


def test_a_coarse_feature_of_few_draws_is_not_too_fine():
    """One draw that happens to find its own row again is no fault where there were others."""
    found = [scrub(OUT, out(node("left", Matching(even))), DATA, 1, seed).rows for seed in range(20)]
    assert any(rows["left"] == rows["out"] for rows in found)
