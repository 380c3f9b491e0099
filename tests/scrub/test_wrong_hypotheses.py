"""The classical ways to be wrong, each on a toy where the right hypothesis is known: all are caught."""

import torch

from remix_utils.data import Dataset, Exact, Matching, Uniform, feature
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.result import ScrubResult
from remix_utils.scrub.scrubbing import scrub

X = placeholder("x", (3,))
SIGNS = torch.cartesian_prod(*[torch.tensor([-1.0, 1.0])] * 3)  # every input once: the three parts are independent
DATA = Dataset(x=SIGNS)


def part(number: int, name: str) -> Node:
    return index(X, number, name=name)


def sign(number: int):
    return feature(lambda data: data["x"][:, number])


def node(name, draw, *children, **options) -> Interp:
    return Interp(name, at(name), draw, children, **options)


def loss(target):
    """Squared distance to what the task asks for, which the model computes exactly."""
    return lambda output, reference: (output - target(reference["x"])) ** 2


def scores(graph: Node, target, data: Dataset = DATA, **hypotheses: Interp) -> dict[str, float]:
    """How much of the way from random rows to the model each hypothesis recovers, exactly."""
    metric = loss(target)
    ends = {"model": node(graph.name, Exact()), "random": node(graph.name, Uniform())}
    found: dict[str, ScrubResult] = scrub(graph, {**ends, **hypotheses}, data, "all", metric=metric)
    assert found["model"].mean < 1e-10 < found["random"].mean
    return {name: float(found[name].recovered(found["model"], found["random"])) for name in hypotheses}


def test_a_missed_second_path():
    """The output reads the first input directly and through a ReLU; who claims one path alone recovers half."""
    first = part(0, "first")
    graph = add(first, apply("relu", first, name="relu"), part(1, "second"), weights=[1, 1, 0.01], name="output")
    found = scores(
        graph,
        lambda x: x[:, 0] + x[:, 0].relu() + 0.01 * x[:, 1],
        right=node("output", Exact(), Interp("first", at("first"), Exact())),
        wrong=node("output", Exact(), Interp("first", at("first").avoiding("relu"), Exact())),
    )
    assert found["right"] > 0.999 and found["wrong"] < 0.9


def test_a_common_cause_that_is_split():
    """Two branches carry one sign, which their product cancels: it may be any, if both have it from one row."""
    left, right = part(0, "left"), einsum(", ->", part(0, "again"), part(1, "kept"), name="right")
    graph = einsum(", ->", left, right, name="output")
    found = scores(
        graph,
        lambda x: x[:, 1],
        right=node("output", Exact(), Interp("both", at("left") | at("right"), Matching(sign(1))), others=None),
        wrong=node("output", Exact(), node("left", Matching(sign(1))), node("right", Matching(sign(1))), others=None),
    )
    assert found == {"right": 1, "wrong": 0}


def test_intermediates_that_cancel():
    """Two nodes carry a large input with opposite signs: separately resampled they do not cancel, though alone each
    keeps all that the output needs.
    """
    plus = add(part(0, "a"), part(1, "large"), weights=[1, 10], name="plus")
    minus = add(part(0, "a again"), part(1, "large again"), weights=[1, -10], name="minus")
    graph = add(plus, minus, weights=[0.5, 0.5], name="output")
    found = scores(
        graph,
        lambda x: x[:, 0],
        right=node("output", Exact(), Interp("both", at("plus") | at("minus"), Matching(sign(0))), others=None),
        wrong=node("output", Exact(), node("plus", Matching(sign(0))), node("minus", Matching(sign(0))), others=None),
    )
    assert found["right"] > 0.999 and found["wrong"] < 0


def test_intermediates_that_are_swapped():
    """Each of two nodes is said to compute what the other computes: both names are right, their places are not."""
    left, right = part(0, "left"), part(1, "right")
    graph = add(left, right, weights=[3, 1], name="output")

    def claim(left, right):
        return node(
            "output", Exact(), node("left", Matching(sign(left))), node("right", Matching(sign(right))), others=None
        )

    found = scores(graph, lambda x: 3 * x[:, 0] + x[:, 1], right=claim(0, 1), wrong=claim(1, 0))
    assert found["right"] > 0.999 and abs(found["wrong"]) < 1e-6


def test_a_feature_that_only_goes_along_with_the_true_one_in_the_data():
    """On data where two inputs agree in seven rows of eight, the wrong one nearly passes; and it is caught on all."""
    read = apply("relu", part(0, "true"), name="read")
    graph = add(read, part(2, "rest"), weights=[1, 0.01], name="output")
    together = torch.cat([SIGNS[SIGNS[:, 0] == SIGNS[:, 1]].repeat(7, 1), SIGNS[SIGNS[:, 0] != SIGNS[:, 1]]])

    def target(x):
        return x[:, 0].relu() + 0.01 * x[:, 2]

    claims = {
        "right": node("output", Exact(), node("read", Matching(sign(0)))),
        "wrong": node("output", Exact(), node("read", Matching(sign(1)))),
    }
    correlated, independent = scores(graph, target, Dataset(x=together), **claims), scores(graph, target, **claims)
    assert correlated["right"] > 0.999 and independent["right"] > 0.999
    assert 0.5 < correlated["wrong"] < 0.9 and abs(independent["wrong"]) < 0.01


def test_what_scrubbing_cannot_catch():
    """It can reject a hypothesis, not confirm one: errors of opposite sign cancel in the mean, and only there."""
    graph = add(part(0, "a"), part(1, "b"), name="output")
    wrong = node("output", Exact(), Interp("a", at("a"), Uniform()), others=Exact())
    ends = {"model": node("output", Exact()), "wrong": wrong}
    found = scrub(graph, ends, DATA, "all")
    assert found["wrong"].mean == found["model"].mean == float(evaluate(graph, DATA).mean())
    found = scrub(graph, ends, DATA, "all", metric=loss(lambda x: x[:, 0] + x[:, 1]))
    assert found["model"].mean == 0 < found["wrong"].mean == 2


def test_draws_tell_them_apart_as_well():
    """A hundred draws are enough for the swapped intermediates: the right claim lies far above, by its own error."""
    graph = add(part(0, "left"), part(1, "right"), array(0.0, "bias"), weights=[3, 1, 1], name="output")
    metric = loss(lambda x: 3 * x[:, 0] + x[:, 1])

    def claim(left, right):
        return node(
            "output", Exact(), node("left", Matching(sign(left))), node("right", Matching(sign(right))), others=None
        )

    found = scrub(graph, {"right": claim(0, 1), "wrong": claim(1, 0)}, DATA, 100, metric=metric)
    assert found["wrong"].mean - found["right"].mean > 10 * (found["wrong"].se + found["right"].se) / 2
