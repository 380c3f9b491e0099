"""Editing along paths, by replacement and by splitting: what was not selected stays as it was."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from remix_utils.errors import MatchError, NodeError, RewriteError
from remix_utils.graph.evaluate import evaluate, plan
from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.graph.rewrite import replace, split, update
from remix_utils.graph.select import find, find_one, paths
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first
from tests.graph.random_graphs import bindings, graphs, plain
from tests.graph.random_paths import specs, tangles
from tests.graph.skip_chains import grows_linearly, skip_chain
from tests.graph.transformer import tokens, transformer

GRAPH = transformer()


def negated(node):
    return add(node, weights=[-2], name=f"{node.name}'")


def shape_of(node):
    """The graph as a nested text, names and constants included, sharing forgotten."""
    return f"{node.name} {node.op!r} ({', '.join(map(shape_of, node.children))})"


@settings(max_examples=200)
@given(tangles(), specs)
def test_an_update_changes_the_selected_paths_and_no_others(graph, spec):
    """The graph, unrolled into a tree and edited wherever a path is selected, is what update gives, name for name."""

    def unrolled(path):
        node = path[-1][1]
        new = node.with_children([unrolled((*path, step)) for step in enumerate(node.children)])
        return negated(new) if spec.holds(path) else new

    try:
        updated = update(graph, spec.built, negated)
    except MatchError:
        assert not find(graph, spec.built, missing="ok")
        return
    assert shape_of(updated) == shape_of(unrolled(((None, graph),)))


@settings(max_examples=40)
@given(graphs(), st.sampled_from(["a", "b", "resid"]))
def test_an_update_by_name_keeps_the_values_of_all_else(graph, name):
    """Doing nothing to nodes and building them again keeps every value; changing them changes the graph's key only if
    the change does something."""
    assume(find(graph, name, missing="ok"))
    inputs = bindings(graph)
    rebuilt = update(graph, name, lambda node: add(node, name=node.name))
    torch.testing.assert_close(evaluate(rebuilt, inputs), plain(graph, inputs))
    assert update(graph, name, lambda node: node) is graph


@settings(max_examples=60)
@given(tangles(), st.data())
def test_disjoint_updates_commute(graph, data):
    """Two edits of different nodes give the same graph in either order."""
    first, second = (data.draw(st.sampled_from(children_first(graph))) for _ in range(2))
    assume(first.name != second.name)

    def edit(g, name, weight):
        return update(g, name, lambda node: add(node, weights=[weight], name="edited"))

    one_way = edit(edit(graph, first.name, 2), second.name, 3)
    other_way = edit(edit(graph, second.name, 3), first.name, 2)
    assert shape_of(one_way) == shape_of(other_way) and one_way.key == other_way.key


def test_an_update_along_one_path_leaves_the_other_uses_alone():
    """The same node, reached another way, stays the same object with the same readers."""
    embed = find_one(GRAPH, "embed")
    zero = array(torch.zeros(embed.shape, dtype=embed.dtype), "zero")
    edited = update(GRAPH, at("blocks.1.attn.v") >> "embed", lambda node: zero)
    for same in ("blocks.1.attn.q", "blocks.1.attn.k", "blocks.1.attn.pattern", "blocks.0.resid_post"):
        assert find(edited, same)[0] is find_one(GRAPH, same)
    assert find_one(edited, "blocks.1.attn.v") is not find_one(GRAPH, "blocks.1.attn.v")
    assert not find(edited, at("blocks.1.attn.v") >> embed, missing="ok")
    assert len(paths(edited, embed)) == len(paths(GRAPH, "embed")) - len(paths(GRAPH, at("blocks.1.attn.v") >> "embed"))


def test_where_selected_nodes_lie_below_each_other_the_lower_come_first():
    """The function sees the upper node on top of the updated lower one."""
    seen = []

    def rule(node):
        seen.append((node.name, [child.name for child in node.children]))
        return negated(node)

    update(apply("tanh", apply("relu", placeholder("x", (1,)), name="low"), name="high"), at("low") | at("high"), rule)
    assert seen == [("low", ["x"]), ("high", ["low'"])]


def test_equal_nodes_with_different_names_are_edited_apart():
    """Editing goes by object, not by content (trap 5)."""
    graph = add(array([1.0], "first"), array([1.0], "second"))
    edited = update(graph, "first", lambda node: array([5.0]))
    assert evaluate(edited).item() == 6 and evaluate(graph).item() == 2


def test_replacement_is_simultaneous():
    """Two nodes change places in one mapping, and new parts keep what they were built from, as path patching wants."""
    x, y = array([1.0], "x"), array([20.0], "y")
    graph = add(x, y, weights=[1, 2])
    assert evaluate(replace(graph, {x: y, y: x})).item() == 22
    assert evaluate(replace(graph, {x: add(x, y)})).item() == 61  # the old x and y inside stay


def test_two_layers_in_one_mapping_lose_one():
    """The upper part's replacement holds the old lower part: a mapping is not how one splits two layers (trap 6)."""
    lower = apply("tanh", placeholder("x", (1,)), name="lower")
    upper = apply("tanh", lower, name="upper")
    replaced = replace(add(upper, name="top"), {lower: negated(lower), upper: negated(upper)})
    assert not find(replaced, "lower'", missing="ok") and find(replaced, "upper'")
    updated = update(add(upper, name="top"), at("lower") | at("upper"), negated)
    assert find(updated, "lower'") and find(updated, "upper'")


def test_what_is_replaced_must_be_there():
    """An old node from elsewhere, or something that is no node, is refused."""
    with pytest.raises(MatchError, match="is not in the graph"):
        replace(GRAPH, {array([1.0], "embed"): GRAPH})
    with pytest.raises(NodeError):
        replace(GRAPH, {GRAPH: 1.0})
    assert replace(GRAPH, {}) is GRAPH


def test_splitting_two_layers_keeps_both():
    """Heads of both layers are nodes of their own afterwards, whichever way the layers are split (trap 6)."""
    inputs = tokens(4)
    at_once = split(GRAPH, at("blocks.*.attn_out"), "head")
    one_by_one = split(split(GRAPH, "blocks.0.attn_out", "head"), "blocks.1.attn_out", "head")
    for graph in (at_once, one_by_one):
        outs = [f"blocks.{layer}.attn.head.{head}.out" for layer in range(2) for head in range(2)]
        assert [node.name for node in find(graph, "*.attn.head.*.out")] == outs
        torch.testing.assert_close(evaluate(graph, inputs), evaluate(GRAPH, inputs))
    assert at_once.key == one_by_one.key


def test_a_head_has_queries_keys_values_and_patterns_of_its_own():
    """Indices sink, so that what a head computes can be found and edited without touching the other heads."""
    graph = split(GRAPH, "blocks.1.attn_out", "head")
    parts = [node.name for node in find(graph, "blocks.1.attn.head.1.*")]
    assert {f"blocks.1.attn.head.1.{part}" for part in ("q", "k", "v", "scores", "pattern", "z", "out")} <= set(parts)
    inputs = tokens(4)
    z = evaluate(find_one(graph, "blocks.1.attn.head.1.z"), inputs)
    torch.testing.assert_close(z, evaluate(find_one(GRAPH, "blocks.1.attn.z"), inputs)[:, :, 1])


@pytest.mark.parametrize("word", ["head", "heads", "h"])
def test_head_is_the_einsums_own_word_for_heads(word):
    """ "head" finds an axis that is spelled heads or h, where no axis is called head."""
    z, w = array(torch.randn(2, 5, 3)), array(torch.randn(2, 3, 4))
    graph = split(einsum(f"{word} p d, {word} d m -> p m", z, w, name="attn_out"), "attn_out", "head")
    assert len(graph.children) == 2 and graph.op.kind == "add"


@pytest.mark.parametrize("pattern", ["position d, d m -> position m", "p d, d m -> p m", "pos d, d m -> pos m"])
def test_position_is_the_axis_of_positions(pattern):
    """The einsum's own word for positions, else the first axis; the parts are joined again in order."""
    x, w = array(torch.randn(5, 3)), array(torch.randn(3, 4))
    whole = einsum(pattern, x, w, name="out")
    graph = split(whole, "out", "position")
    assert graph.op.kind == "concat" and [part.shape for part in graph.children] == [(1, 4)] * 5
    torch.testing.assert_close(*evaluate([graph, whole]))
    middle = split(einsum("head seq d -> head seq d", array(torch.randn(2, 5, 3)), name="out"), "out", "position")
    assert len(middle.children) == 5


def test_parts_may_be_groups_in_any_order():
    """Groups of entries become one part each, and the order of what comes out stays."""
    x = array(torch.randn(5, 3))
    whole = apply("tanh", x, name="out")
    graph = split(whole, "out", 0, parts=[[3, 0], [1, 2, 4]])
    torch.testing.assert_close(*evaluate([graph, whole]))
    for wrong in ([[0, 1]], [[0, 1, 2], [2, 3, 4]], [[0, 1, 2, 3, 4], []]):
        with pytest.raises(RewriteError, match="do not cover the 5 entries"):
            split(whole, "out", 0, parts=wrong)
    with pytest.raises(RewriteError, match="has no axis 'head'"):
        split(whole, "out", "head")


GROUPINGS = {
    "numbers": [3, 0, 1, 2, 4],
    "numbers and lists": [3, [0, 1], 2, (4,)],
    "ranges": [range(2), range(2, 5)],
    "a range": range(5),
    "a matrix": torch.arange(5)[:, None],
    "a row": torch.tensor([4, 1, 0, 3, 2]),
    "an array": torch.arange(5).numpy(),
    "rows of a tensor": torch.arange(5).split(2),
    "a generator of generators": ((i for i in part) for part in ([1, 2], [0], [4, 3])),
    "sets": [{0, 1}, {2, 3, 4}],
}


@pytest.mark.parametrize("kind", GROUPINGS)
def test_a_whole_number_is_a_part_of_one_entry(kind):
    """Plain whole numbers stand for themselves, beside lists, ranges and tensors, in every node that is split."""
    z, w = array(torch.randn(5, 3), "z"), array(torch.randn(5, 3), "w")
    product = einsum("head d, head d -> d", z, w, name="a_out")
    other = add(z, w, name="b_out")
    graph = einsum("d, h d -> h", product, other, name="top")
    parts = GROUPINGS[kind]
    once = (
        split(graph, "a_out", "head", parts) if "generator" not in kind else split(graph, "a_out", "head", [*range(5)])
    )
    both = split(once, "b_out", 0, parts)
    torch.testing.assert_close(*evaluate([graph, both]))
    assert find(both, "b.0.*") and len(find(both, "a.head.*.out")) in (2, 3, 4, 5)


def test_a_generator_of_parts_divides_every_selected_node():
    """Parts are read once, for all the nodes that are split."""
    x = array(torch.randn(3, 2))
    graph = add(apply("tanh", x, name="one"), apply("abs", x, name="two"))
    whole = split(graph, at("one") | at("two"), 0, parts=(part for part in (0, [2, 1])))
    assert {node.name for node in find(whole, "*.0.2-1")} == {"one.0.2-1", "two.0.2-1"}
    torch.testing.assert_close(*evaluate([graph, whole]))


@pytest.mark.parametrize(
    "parts",
    [3, 1.5, "01", ["0", "1"], [0, 1.0], [[0, 1], None], [True, False], [[[0], [1]]], torch.tensor(2)]
    + [torch.tensor([True, False]), torch.tensor([0.0, 1.0]), [torch.tensor([[0, 1]])], [slice(0, 2)], object()],
)
def test_parts_that_are_none_are_refused_with_what_split_wants(parts):
    """Numbers that are not whole, truth values, texts and deeper lists are no parts, and the refusal shows some."""
    whole = apply("tanh", array(torch.randn(2, 3)), name="out")
    with pytest.raises(RewriteError, match=r"whole numbers or lists of them.*\n  fix: .*parts=\[0, \[1, 2\]\]"):
        split(whole, "out", 0, parts=parts)


@settings(max_examples=40)
@given(graphs(), st.data())
def test_a_split_keeps_the_value(graph, data):
    """Any node of any graph, along any axis, in any groups."""
    node = data.draw(st.sampled_from([node for node in children_first(graph) if node.shape] or [None]))
    assume(node is not None)
    axis = data.draw(st.integers(-len(node.shape), len(node.shape) - 1))
    order = data.draw(st.permutations(range(node.shape[axis])))
    parts = data.draw(st.sampled_from([None, [[i] for i in order], [order]]))
    inputs = bindings(graph)
    torch.testing.assert_close(evaluate(split(graph, at(node), axis, parts), inputs), plain(graph, inputs))


def test_editing_along_paths_in_a_chain_of_skips_is_linear():
    """Updates by path, by name and by replacement, and splits, in 60 layers in under a second (trap 1)."""

    def updating(layers):
        graph, chosen = skip_chain(layers), (at("*.post") >> "x").avoiding("0.resid")
        return lambda: update(graph, chosen, lambda node: node.named("x'"))

    def replacing(layers):
        graph = skip_chain(layers)
        return lambda: replace(graph, {node: node.named("new") for node in find(graph, "*.pre")})

    def splitting(layers):
        graph = skip_chain(layers)
        return lambda: split(graph, "*.pre", "i")

    def renaming(layers):  # a part's names reach all the way down
        graph = skip_chain(layers, lambda x, name: apply("tanh", x, name=f"attn.{name}"))
        graph = update(graph, at(op="add"), lambda node: node.named(f"attn.{node.name}"))
        return lambda: split(graph.named("attn_out"), "attn_out", 0)

    assert all(grows_linearly(work) for work in (updating, replacing, splitting, renaming))


def test_splitting_everything_costs_nodes_and_little_work():
    """All heads of all layers apart: the same floating-point operations to a few per cent, in many more nodes, so one
    splits where a hypothesis needs it (trap 16)."""
    graph = transformer(layers=3, heads=4)
    heads = split(graph, "blocks.*.attn_out", "head")
    both = split(heads, "blocks.*.resid_post", "position")
    whole, in_heads, in_both = (plan(node, tokens(8)).flops for node in (graph, heads, both))
    assert whole <= in_heads < 1.1 * whole and in_both < 1.3 * whole
    assert len(children_first(graph)) * 2 < len(children_first(heads)) < len(children_first(both))
    torch.testing.assert_close(evaluate(both, tokens(8)), evaluate(graph, tokens(8)))
