"""Movement: each node once, children first; rewriting with a memory that does not outlive its call."""

import gc
import weakref

import pytest
import torch
from hypothesis import given

from remix_utils.errors import NodeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, placeholder
from remix_utils.graph.rewrite import replace, update
from remix_utils.graph.select import find
from remix_utils.graph.walk import Echo, children_first, rebuild, substitute
from tests.graph.random_graphs import graphs
from tests.graph.skip_chains import grows_linearly, skip_chain


@given(graphs())
def test_each_node_comes_once_and_after_its_children(graph):
    """The order holds every node below the root once, and the root last."""
    order = children_first(graph)
    place = {node: number for number, node in enumerate(order)}
    assert len(place) == len(order) and order[-1] is graph
    assert all(place[child] < place[node] for node in order for child in node.children)


@given(graphs(), graphs())
def test_several_roots_share_one_walk(first, second):
    """What is below two roots comes once."""
    order = children_first(first, second, first)
    assert set(order) == {*children_first(first), *children_first(second)}
    assert len(order) == len(set(order))


def test_depth_does_not_matter():
    """A chain of 20,000 nodes is built, walked, keyed, rewritten, evaluated and let go without recursion."""
    node = x = placeholder("x", (1,))
    for _ in range(20_000):
        node = add(node, weights=[-1.0])
    assert len(children_first(node)) == 20_001
    assert node.key == rebuild([node], lambda new, old: new.named("other"))[0].key
    changed = update(node, x, lambda old: add(old, old))
    assert evaluate(changed, {"x": torch.ones(2, 1)}).tolist() == [[2.0], [2.0]]


def test_a_cycle_is_an_error():
    """Nodes cannot be made into a cycle; forced into one, they are refused instead of walked for ever."""
    x = array([1.0], "x")
    top = add(x, x, name="top")
    object.__setattr__(x, "children", (top,))
    with pytest.raises(NodeError, match="has a cycle"):
        children_first(top)
    with pytest.raises(NodeError, match="has a cycle"):
        _ = top.key
    object.__setattr__(x, "children", ())


def test_a_rule_is_asked_once_for_each_node():
    """However many paths lead to a node, the rule sees it once, with its children rebuilt (trap 1)."""
    asked = []

    def rule(node, original):
        asked.append(original)
        return node.named(node.name + "'")

    graph = skip_chain(20)
    result = rebuild([graph], rule)[0]
    assert len(asked) == len(set(asked)) == len(children_first(graph)) == len(children_first(result))
    assert all(node.name.endswith("'") for node in children_first(result))


def test_a_rule_that_changes_nothing_gives_back_the_same_objects():
    """Untouched parts are not copied."""
    graph = skip_chain(5)
    assert rebuild([graph], lambda node, original: node)[0] is graph
    other = array(torch.zeros(3, dtype=torch.float64))
    changed = replace(graph, {find(graph, "4.post")[0]: other})
    assert set(children_first(changed)) - set(children_first(graph)) == {other, changed}


def test_what_a_rule_returns_must_be_a_node():
    """Anything else is refused by the name of the node it was made for."""
    with pytest.raises(NodeError, match="returned a float for Array 'x'"):
        rebuild([array([1.0], "x")], lambda node, original: 1.0)


def test_substitution_is_simultaneous():
    """Two nodes can change places, and what is put in is not searched."""
    x, y = array([1.0], "x"), array([2.0], "y")
    (swapped,) = substitute([add(x, y, weights=[1, 10])], {x: y, y: x})
    assert [child.name for child in swapped.children] == ["y", "x"]


def test_substitutions_may_share_their_memory():
    """Calls that share `done` rebuild a common part once."""
    x, shared = placeholder("x", (1,)), apply("tanh", placeholder("x", (1,)), name="shared")
    x = shared.children[0]
    tops = [add(shared, name="a"), add(shared, name="b")]
    done = {}
    (first,), (second,) = (substitute([top], {x: array([1.0])}, done) for top in tops)
    assert first.children[0] is second.children[0]


def echo(graph, old, other):
    """The graph with a node put in the place of another, and with what earlier calls made of it."""
    done = Echo({old: other})
    return substitute([graph], {old: other}, done)[0]


def test_an_echo_is_made_once():
    """What was put together by one call is found by the next, while somebody holds it: also through another graph."""
    graph = skip_chain(3)
    x, other = find(graph, "x")[0], placeholder("other", (3,), torch.float64)
    first = echo(graph, x, other)
    assert echo(graph, x, other) is first
    higher = echo(add(graph, graph, name="higher"), x, other)
    assert higher.children[0] is first and find(higher, "x", missing="ok") == []
    assert echo(graph, x, placeholder("other", (3,), torch.float64)) is not first


def test_echoes_of_different_places_do_not_mix():
    """One node put in the place of a, then in that of b, of one graph: the second is not the first."""
    a, b, other = (placeholder(name, (1,)) for name in ("a", "b", "other"))
    graph = add(add(a, b, name="below"), a)
    left, right = echo(graph, a, other), echo(graph, b, other)
    assert [node.name for node in children_first(left)] == ["other", "b", "below", "add"]
    assert [node.name for node in children_first(right)] == ["a", "other", "below", "add"]


def test_an_echo_keeps_nothing_alive():
    """Neither the graph it was made from nor what was made, without the garbage collector, though the node lives on."""
    other = placeholder("other", (3,), torch.float64)
    gc.disable()
    try:
        graph = skip_chain(5)
        made = echo(graph, find(graph, "x")[0], other)
        old, new = weakref.ref(graph), weakref.ref(made)
        del made
        assert new() is None
        made = echo(graph, find(graph, "x")[0], other)
        assert evaluate(made, {"other": torch.ones(3, dtype=torch.float64)}).shape == (3,)
        del graph
        assert old() is None
    finally:
        gc.enable()


def test_rewriting_a_chain_of_skips_is_linear():
    """Rebuilding and substituting visit each node once, not once for each path (trap 1)."""

    def rebuilding(layers):
        return lambda: rebuild([skip_chain(layers)], lambda node, original: node.named("other"))

    def substituting(layers):
        graph = skip_chain(layers)
        (x,) = find(graph, "x")
        return lambda: substitute([graph], {x: array(torch.zeros(3, dtype=torch.float64))})

    assert grows_linearly(rebuilding) and grows_linearly(substituting)


def test_a_graph_keeps_no_memory_of_what_was_made_from_it():
    """A thousand edits of one graph leave nothing behind on it."""
    graph = skip_chain(10)
    (x,) = find(graph, "x")
    new = [array(torch.zeros(3, dtype=torch.float64)) for _ in range(10)]
    made = [weakref.ref(node) for node in new]
    for node in new:
        replace(graph, {x: node})
        update(graph, "x", lambda old, node=node: node)
    del node, new
    assert [ref() for ref in made] == [None] * 10


def test_a_graph_that_is_let_go_is_freed_at_once():
    """No node keeps itself alive: tensors go when the last reference goes, without the garbage collector."""
    gc.disable()
    try:
        graph = skip_chain(5)
        find(graph, "*.post")
        evaluate(graph, {"x": torch.ones(2, 3, dtype=torch.float64)})
        lowest = weakref.ref(find(graph, "x")[0])
        del graph
        assert lowest() is None
    finally:
        gc.enable()
