"""An estimate and what it misses, a direction and what lies across: sums of two parts, each with a name of its own."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.graph.select import find, find_one
from remix_utils.graph.selector import at
from remix_utils.graph.two_parts import project, residual
from remix_utils.graph.walk import children_first
from tests.graph.random_paths import tangles
from tests.graph.transformer import transformer

ONE = torch.ones(1)
X = placeholder("x", (3,))
HIDDEN = apply("tanh", X, name="hidden")
GRAPH = add(apply("relu", HIDDEN, name="left"), apply("abs", HIDDEN, name="right"), name="top")
ROWS = {"x": torch.randn(5, 3)}


def estimates():
    """Estimates of `hidden`, by kind: with names that are taken, made of the node, from above or below it."""
    return {
        "fixed": array(torch.randn(3), "guess"),
        "with the node's name": array(torch.randn(3), "hidden"),
        "with a name that is taken": array(torch.randn(3), "left"),
        "in the graph below": X,
        "in the graph above": find_one(GRAPH, "right"),
        "made of the node": einsum("i, i -> i", HIDDEN, array(torch.randn(3), "scale"), name="guess"),
        "the node": HIDDEN,
    }


def counts(graph):
    return Counter(node.name for node in children_first(graph))


def rewrites():
    """Each rule with its last argument, by name."""
    found = {f"residual, {kind}": (residual, estimate) for kind, estimate in estimates().items()}
    return found | {"project": (project, torch.tensor([1.0, 2.0, 0.0])), "project a span": (project, torch.eye(3)[:2])}


@pytest.mark.parametrize("kind", rewrites())
@pytest.mark.parametrize("which", ["hidden", at("hidden"), at("top") >> "hidden"], ids=str)
def test_a_name_stands_for_one_node(kind, which):
    """The sum has the node's name, the node itself `.original`, and no name stands for two nodes."""
    rule, rest = rewrites()[kind]
    graph = rule(GRAPH, which, rest)
    assert set(counts(graph).values()) == {1}, counts(graph)
    assert find_one(graph, "hidden").op.kind == "add"
    torch.testing.assert_close(*evaluate([graph, GRAPH], ROWS))
    torch.testing.assert_close(*evaluate([find_one(graph, "hidden.original"), HIDDEN], ROWS))


def test_an_estimate_that_is_in_the_graph_stays_that_node():
    """It is read where it stands; one that is not gets another name only where its own is taken."""
    assert find_one(residual(GRAPH, "hidden", X), "hidden").children[0] is X
    guess = array(torch.randn(3), "guess")
    assert find_one(residual(GRAPH, "hidden", guess), "hidden").children[0] is guess
    taken = find_one(residual(GRAPH, "hidden", guess.named("left")), "hidden").children[0]
    assert taken.name == "left.estimate" and taken.key == guess.key
    rest = array(torch.randn(3), "hidden.rest")  # a name that the rule would have given
    for which in ("hidden", at("left") >> "hidden"):
        assert set(counts(residual(GRAPH, which, rest)).values()) == {1}


@pytest.mark.parametrize("kind", rewrites())
def test_another_use_of_the_node_keeps_its_name(kind):
    """Along one path only, the node that stays keeps its name, and the sum is `hidden.sum`."""
    rule, rest = rewrites()[kind]
    graph = rule(GRAPH, at("left") >> "hidden", rest)
    repeated = {name for name, count in counts(graph).items() if count > 1}
    assert repeated <= ({"right"} if "above" in kind else set())  # the estimate, which is also a part of the graph
    assert find_one(graph, "hidden") is HIDDEN
    assert find_one(graph, "left").children[0] is find_one(graph, "hidden.sum")
    torch.testing.assert_close(*evaluate([graph, GRAPH], ROWS))


@pytest.mark.parametrize("times", [2, 3])
def test_names_stay_apart_when_a_rule_is_applied_again(times):
    """The same node once more, or first one rule and then the other: each new node gets a name that is free."""
    graph = GRAPH
    for _ in range(times):
        graph = residual(graph, "hidden", array(torch.randn(3), "guess"))
        graph = project(graph, "hidden", torch.tensor([1.0, 0.0, 2.0]))
    assert set(counts(graph).values()) == {1}, counts(graph)
    torch.testing.assert_close(*evaluate([graph, GRAPH], ROWS))


def test_many_nodes_at_once_have_names_apart():
    """In a transformer, for every residual stream and for every output of attention, in one call."""
    graph = transformer(layers=2)
    before = counts(graph)
    for which in ("blocks.*.resid_*", "blocks.*.attn_out"):
        width = find(graph, which)[0].shape
        for new in (
            residual(graph, which, array(torch.randn(width, dtype=torch.float64), "guess")),
            project(graph, which, torch.ones(width[-1])),
        ):
            after = counts(new)
            assert all(after[name] <= before.get(name, 1) for name in after), after - before
            assert [
                node.name
                for node in find(new, which)
                if not node.name.endswith(("original", "rest", "along", "across"))
            ]


@given(tangles(), st.sampled_from("abc"), st.sampled_from("abc"))
@settings(max_examples=100)
def test_no_name_comes_to_stand_for_more_nodes(graph, name, above):
    """Also where names stood for several nodes before, and wherever the selected paths lead."""
    before = counts(graph)
    for which in (at(name), at(above) >> name):
        if not find(graph, which, missing="ok"):
            continue
        new = residual(graph, which, array(torch.tensor(0.5), "guess"))
        torch.testing.assert_close(*evaluate([new, graph]))
        assert all(count <= max(before[each], 1) for each, count in counts(new).items()) or untouched(graph, new)


def untouched(graph, new) -> bool:
    """Whether names repeat only since what lies above a selected path is there twice, with the edit and without."""
    before, after = counts(graph), counts(new)
    repeated = {name for name in after if after[name] > max(before[name], 1)}
    return repeated <= set(before) and not any("." in name for name in repeated)
