"""Regions: what is claimed along which paths, what is left, and where two claims meet."""

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.graph.select import paths
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first
from remix_utils.scrub.regions import read
from tests.graph.skip_chains import seconds, skip_chain
from tests.graph.transformer import transformer

MODEL = transformer()
NODES = [node for node in children_first(MODEL)[:-1] if node.space is not None]
X = placeholder("x", (3,))


def first_hits(selectors):
    """Every path with the number of the selector that claims it: the first that accepts it or a part of it."""
    found = {}
    for number, selector in enumerate(selectors):
        try:
            found |= {path: number for path in paths(MODEL, selector) if len(path) > 1 and path not in found}
        except ValueError:
            continue
    return {
        path: number for path, number in found.items() if not any(path[:end] in found for end in range(2, len(path)))
    }


@st.composite
def selectors(draw):
    names = draw(st.lists(st.sampled_from([node.name for node in NODES]), min_size=1, max_size=3, unique=True))
    found = [at(name) for name in names]
    if draw(st.booleans()):
        found[0] = found[0].avoiding(draw(st.sampled_from([node.name for node in NODES])))
    if draw(st.booleans()):
        found[-1] = at(draw(st.sampled_from(["*.q", "*.k", "*_out", "*.resid_mid"]))) >> found[-1]
    return found


@settings(max_examples=60)
@given(selectors())
def test_a_region_claims_the_paths_that_each_selector_selects(chosen):
    """As many as there are when all are written out, the shortest among them; the first claim on a path ends it."""
    region = read(MODEL, chosen)
    expected = first_hits(chosen)
    for number in range(len(chosen)):
        mine = [path for path, owner in expected.items() if owner == number]
        count, routes = region.routes(number, 3)
        assert count == len(mine) and len(routes) == min(3, len(mine)) and set(routes) <= set(mine)
        assert [len(route) for route in routes] == sorted(map(len, mine))[:3]


@settings(max_examples=60)
@given(selectors())
def test_what_is_unclaimed_lies_beside_the_claimed_paths(chosen):
    """Children of nodes on claimed paths that no claimed path goes on to, if they depend on an input."""
    region, claimed = read(MODEL, chosen), first_hits(chosen)
    prefixes = {path[:end] for path in claimed for end in range(1, len(path) + 1)}
    inner = {path for path in prefixes if path not in claimed} | {(MODEL,)}
    beside = {child for path in inner for child in path[-1].children if (*path, child) not in prefixes}
    assert set(region.unclaimed()) == {node for node in beside if node.space is not None}


@settings(max_examples=60)
@given(selectors())
def test_selectors_overlap_where_one_selects_what_another_has(chosen):
    """Two claims on one path, or one that goes on below the other's end."""
    every = []
    for selector in chosen:
        try:
            every.append({path for path in paths(MODEL, selector) if len(path) > 1})
        except ValueError:
            every.append(set())
    claimed = first_hits(chosen)
    expected = {
        (owner, other)
        for path, owner in claimed.items()
        for other, theirs in enumerate(every)
        if other != owner and any(longer[: len(path)] == path for longer in theirs)
    }
    assert {(a, b) for a, b, _, _ in read(MODEL, chosen).overlaps} == expected


def test_where_paths_leave_the_shortest():
    """At each node of the shortest, the other children from which one gets there as well."""
    graph = add(X, apply("relu", X, name="relu"), apply("tanh", apply("exp", X), name="tanh"), name="sum")
    region = read(graph, [at("x")])
    assert [node.name for node in region.detours(0)] == ["relu", "tanh"]
    assert region.routes(0, 1) == (3, [(graph, X)])


def test_a_chain_of_skips_is_read_at_once():
    """2 to the power of 60 paths are counted, and the shortest printed, without walking them (trap 1)."""
    chain = skip_chain(60)
    source = next(node for node in children_first(chain) if node.op.kind == "placeholder")
    assert seconds(lambda: read(chain, [at(source)])) < 1
    count, routes = read(chain, [at(source)]).routes(0, 3)
    assert count >= 2**60 and len(routes) == 3


def test_an_image_twice_below_one_node_is_two_paths():
    """A product with itself reads it on both sides."""
    square = einsum("i, i ->", X, X, name="square")
    assert read(square, [at("x")]).routes(0, 5)[0] == 2
    assert read(square, [at(op="einsum").child(0)]).unclaimed() == [X]


def test_constants_are_nobodys():
    """They are neither claimed nor left to others."""
    graph = add(X, array(torch.ones(3), "bias"), apply("relu", X, name="relu"), name="sum")
    assert [node.name for node in read(graph, [at("relu")]).unclaimed()] == ["x"]


def test_the_image_claims_not_itself_and_the_first_of_two_owns_what_both_select():
    """`*` selects the image too, but is read from below it."""
    graph = apply("relu", apply("tanh", X, name="below"), name="top")
    region = read(graph, [at("*"), at("below")])
    assert [(node.name, owner) for (node, _), owner in region.claimed.items()] == [("below", 0)]
    assert region.overlaps == [(0, 1, graph.children[0], True)]
