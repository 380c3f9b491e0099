"""Finding: in a fixed order, never silently nothing, and able to say why not."""

import pytest
import torch
from hypothesis import given, settings

from remix_utils.errors import MatchError
from remix_utils.graph.ops import add, apply, array
from remix_utils.graph.select import explain, find, find_one, paths
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first, rebuild
from tests.graph.random_graphs import graphs
from tests.graph.skip_chains import grows_linearly, seconds, skip_chain
from tests.graph.transformer import transformer

GRAPH = transformer()


@settings(max_examples=25)
@given(graphs())
def test_nodes_come_once_inputs_first_in_a_fixed_order(graph):
    """Everything that matches, by any kind of selector, in the order of computation; a copy gives the same order."""
    order = children_first(graph)
    (copy,) = rebuild([graph], lambda node, original: node.named(node.name))
    for chosen in (at("*"), at("*") | at("*"), ~(at("*") & ~at("*"))):
        assert find(graph, chosen) == list(order)
        assert [node.key for node in find(copy, chosen)] == [node.key for node in order]


def test_no_match_names_the_nearest_names():
    """A wrong name is an error that says which right ones are near; missing="ok" gives an empty list."""
    with pytest.raises(MatchError, match=r"nearest: .*'blocks.0.attn.pattern'") as refusal:
        find(GRAPH, at("blocks.0.attn.patern"))
    assert refusal.value.matched == 0
    assert find(GRAPH, at("blocks.0.attn.patern"), missing="ok") == []


def test_one_means_one():
    """Two matches are an error that counts and shows them, and so is none (trap 5)."""
    assert find_one(GRAPH, "embed").name == "embed"
    with pytest.raises(MatchError, match=r"matched 2 nodes, expected 1: Apply 'blocks.0.attn.pattern'") as refusal:
        find_one(GRAPH, at("*.pattern"))
    assert refusal.value.matched == 2
    with pytest.raises(MatchError, match="matches none"):
        find_one(GRAPH, "*.patern")


def test_equal_nodes_with_different_names_are_two():
    """Names are not content, but they are what one edits by (trap 5)."""
    first, second = array([1.0], "first"), array([1.0], "second")
    graph = add(first, second)
    assert first.key == second.key and find(graph, at("*t") | at("second")) == [first, second]
    assert find_one(graph, "first") is first and find_one(graph, "second") is second


def test_paths_start_at_the_root():
    """Root first, in the order of slots, each as often as there are ways."""
    x = array([1.0], "x")
    graph = add(x, add(x, x, name="inner"), name="top")
    names = [[node.name for node in path] for path in paths(graph, "x")]
    assert names == [["top", "x"], ["top", "inner", "x"], ["top", "inner", "x"]]
    assert paths(graph, "top") == [(graph,)]


def test_too_many_paths_are_refused():
    """Paths grow exponentially with depth: beyond `most` the answer is an error, at once, with a way out (trap 1)."""
    graph = skip_chain(60)

    def refused():
        with pytest.raises(MatchError, match=r"more than 10,000 paths.*\n  fix: narrow it"):
            paths(graph, "x")

    assert seconds(refused) < 2
    assert len(paths(skip_chain(10), "x", most=2**10)) == 2**10
    with pytest.raises(MatchError, match="more than 1,023"):
        paths(skip_chain(10), "x", most=2**10 - 1)


def test_few_paths_are_found_among_many():
    """One path through a chain of skips is found without walking the others (trap 1)."""
    straight = (at("9.resid") >> "x").avoiding("*.post")
    assert len(paths(skip_chain(10), straight)) == 1

    def work(layers):
        graph = skip_chain(layers)
        return lambda: paths(graph, at("x").avoiding("*.post"))

    assert grows_linearly(work)


def test_paths_that_are_not_there_are_an_error():
    """As with find, with the nearest names."""
    with pytest.raises(MatchError, match="nearest: 'embed'"):
        paths(GRAPH, "embd")


def test_an_explanation_counts_what_each_part_finds():
    """The whole on the first line, its parts below, and the nearest names beside what finds nothing."""
    text = explain(GRAPH, at("blocks.1.attn.q") >> at("embd"))
    whole, upper, lower = text.splitlines()
    count = len(children_first(GRAPH))
    assert whole.startswith(f"(at('blocks.1.attn.q') >> at('embd')): 0 of {count} nodes; nearest: 'embed'")
    assert upper == f"  at('blocks.1.attn.q'): 1 of {count} nodes"
    assert lower.startswith(f"  at('embd'): 0 of {count} nodes; nearest: 'embed'")


def test_a_name_given_twice_finds_both():
    """Splits and slices repeat names, so a name may stand for several nodes (trap 5)."""
    x = array(torch.ones(2), "x")
    graph = add(apply("relu", x, name="same"), apply("tanh", x, name="same"))
    assert len(find(graph, "same")) == 2
