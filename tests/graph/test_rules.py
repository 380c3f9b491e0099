"""Every rule keeps values, applies where it can and says so where it cannot, and never walks every path."""

from collections import Counter

import pytest
import torch
from hypothesis import given, settings

from remix_utils.errors import MatchError, RemixError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder, sample
from remix_utils.graph.rules import RULES, expand_layernorm, fold_layernorm, lift, project, residual
from remix_utils.graph.select import find, find_one
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first
from tests.graph.occasions import OCCASIONS, occasions, words
from tests.graph.random_graphs import bindings, graphs, plain
from tests.graph.skip_chains import ONES, WIDTH, grows_linearly, normed, skip_chain

X = placeholder("x", (4, 3))


def test_every_rule_is_called_here():
    """Listing a rule in RULES without an occasion for it fails, and so does an occasion for a rule that is gone."""
    assert set(OCCASIONS) == set(RULES) == set(REFUSED) == set(CHAINS)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_keeps_the_value(name):
    """On a random graph in which the rule applies, the rewritten graph is another and has the same value."""

    @settings(max_examples=25)
    @given(occasions(name))
    def on_random_graphs(occasion):
        graph, rest = occasion
        inputs = bindings(graph)
        rewritten = RULES[name](graph, "target", *rest)
        assert rewritten.key != graph.key
        assert (rewritten.shape, rewritten.dtype, rewritten.space) == (graph.shape, graph.dtype, graph.space)
        expected = plain(graph, inputs)
        torch.testing.assert_close(plain(rewritten, inputs), expected)
        torch.testing.assert_close(evaluate(rewritten, inputs, batch_size=2), expected)

    on_random_graphs()


# Folding rewrites the readers of a node rather than the node, and lifting selects nothing.
@pytest.mark.parametrize("name", sorted(set(RULES) - {"fold_layernorm", "lift"}))
def test_a_rule_changes_only_what_was_selected(name):
    """A second use of the same node, off the selected path, stays the very object that it was."""

    @settings(max_examples=5)
    @given(occasions(name))
    def on_random_graphs(occasion):
        graph, rest = occasion
        target = find(graph, "target")[0]
        left, right = (einsum(f"{' '.join(words(target))} ->", target, name=side) for side in ("left", "right"))
        new_left, new_right = RULES[name](add(left, right), at("left") >> "target", *rest).children
        assert new_right is right and new_left is not left

    on_random_graphs()


NOT_LIKE_IT = {"distribute", "expand_layernorm", "expand_paths", "flatten", "fold_layernorm", "lift", "push_index"}
REFUSED = dict.fromkeys(NOT_LIKE_IT, ()) | {
    "project": (torch.zeros(3),),
    "residual": (array(torch.zeros(3)),),
    "split": ("head",),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_cannot_apply_says_so(name):
    """None silently does nothing: it names the node and a way out, and a selector that finds none is an error."""
    graph = apply("relu", apply("tanh", X, name="target"), name="top")
    with pytest.raises(RemixError, match="fix: ") as refusal:
        RULES[name](graph, "target", *REFUSED[name])
    assert "'target'" in str(refusal.value) or name == "lift"
    if name != "lift":
        with pytest.raises(MatchError):
            RULES[name](graph, "nothing", *REFUSED[name])


def reversed_skip(x, name):
    return apply("tanh", index(x, slice(None, None, -1), name=f"{name}.index"))


SUMS = at(lambda node: bool(node.children) and node.children[0].op.kind == "add")  # all that reads a sum
START = placeholder("x", (WIDTH,), torch.float64)
CHAINS = {
    "distribute": (skip_chain, at(op="einsum") & SUMS, ()),
    "expand_layernorm": (lambda layers: skip_chain(layers, normed), "*.ln", ()),
    "expand_paths": (skip_chain, at(op="add") & ~at("0.resid"), ()),
    "flatten": (skip_chain, at(op="add") & SUMS, ()),
    "fold_layernorm": (lambda layers: skip_chain(layers, normed), "*.ln", ()),
    "lift": (lambda layers: skip_chain(layers, start=sample(START, torch.tensor([0, 0]))), None, ()),
    "project": (skip_chain, "*.resid", (torch.tensor([1.0, 0.0, 1.0]),)),
    "push_index": (lambda layers: skip_chain(layers, reversed_skip), at(op="index") & SUMS, ()),
    "residual": (skip_chain, "*.resid", (ONES,)),
    "split": (skip_chain, "*.pre", ("i",)),
}


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_linear_in_depth(name):
    """Applied in every layer of a 60-layer chain of skips, it is done in a second, and takes as long for each layer
    as in a short chain (trap 1)."""
    build, which, rest = CHAINS[name]

    def work(layers):
        graph = build(layers)
        return lambda: RULES[name](graph, which, *rest)

    assert grows_linearly(work)


def test_a_distributed_product_has_a_term_for_each_term():
    """(a + b) c becomes a c + b c, with the weights of the sum."""
    y, w = placeholder("y", (4, 3)), array(torch.randn(3, 2), "w")
    product = einsum("s i, i o -> s o", add(X, y, weights=[2, -1]), w, name="out")
    result = RULES["distribute"](product, "out")
    assert [term.name for term in result.children] == ["out.x", "out.y"] and result.op.weights == (2.0, -1.0)


@pytest.mark.parametrize("shape", [(3,), (1, 3), (4, 1), (1, 1), (1,), ()])
@pytest.mark.parametrize("pattern", ["s i -> i", "s i -> s", "s i ->", "s i -> i s", "s i, s i -> s", "s i, i s -> i"])
def test_a_sum_that_broadcasts_is_distributed_whole(shape, pattern):
    """A term without the whole shape counts as often as it is broadcast, under every pattern."""
    total = add(X, placeholder("bias", shape), weights=[2, -1], name="sum")
    weight = torch.randn(3, 4, dtype=torch.float32) if "i s ->" in pattern else torch.randn(4, 3)
    product = einsum(pattern, total, *[array(weight, "w")] * pattern.count(","), name="out")
    result = RULES["distribute"](product, "out")
    inputs = {"x": torch.randn(5, 4, 3), "bias": torch.randn(5, *shape)}
    assert [term.name for term in result.children] == ["out.x", "out.bias"]
    torch.testing.assert_close(*evaluate([result, product], inputs))
    assert set(Counter(node.name for node in children_first(result)).values()) == {1}


def test_an_expanded_layernorm_is_linear_up_to_its_scale():
    """Only the scale is left nonlinear: the rest is einsums and sums."""
    norm = apply("layernorm", X, array(torch.randn(3)), array(torch.randn(3)), name="ln")
    kinds = {node.name: node.op.kind for node in children_first(expand_layernorm(norm, "ln"))}
    assert [name for name, kind in kinds.items() if kind == "apply"] == ["ln.scale", "ln.inverse"]
    assert {"ln.normalized", "ln.scaled", "ln.centred"} < set(kinds)


def test_a_folded_layernorm_has_no_weight_and_no_bias():
    """Its readers take both over; a reader that is no product with a fixed matrix is named."""
    norm = apply("layernorm", X, array(torch.randn(3)), array(torch.randn(3)), name="ln")
    folded = fold_layernorm(einsum("s i, i o -> s o", norm, array(torch.randn(3, 2))), "ln")
    plain_norm = find_one(folded, "ln.normalized")
    assert [node.op.value.unique().tolist() for node in plain_norm.children[1:]] == [[1.0], [0.0]]
    with pytest.raises(RemixError, match=r"Apply 'relu' .* reads 'ln'"):
        fold_layernorm(apply("relu", norm), "ln")
    with pytest.raises(RemixError, match="nothing reads"):
        fold_layernorm(norm, "ln")


def test_a_projection_divides_a_node_into_orthogonal_parts():
    """What lies along is a multiple of the direction, and what lies across is orthogonal to it, even if a direction
    of a span is given twice."""
    x, direction = torch.randn(4, 3), torch.tensor([[1.0, 2.0, 2.0], [2.0, 4.0, 4.0]])
    along, across = evaluate(list(project(array(x, "x"), "x", direction).children))
    torch.testing.assert_close(along, (x @ direction[0] / 9)[:, None] * direction[0])
    torch.testing.assert_close(across @ direction[0], torch.zeros(4), atol=1e-5, rtol=0)


def test_editing_by_difference_agrees_with_adding_again():
    """resid + (new − old) equals the sum of all terms with the new one, to rounding (trap 15)."""
    terms = [array(torch.randn(4, 3), f"head.{head}") for head in range(6)]
    new, resid = array(torch.randn(4, 3)), add(*terms, name="resid")
    difference = add(resid, new, terms[2], weights=[1, 1, -1])
    again = add(*terms[:2], new, *terms[3:])
    torch.testing.assert_close(*evaluate([difference, again]), atol=1e-6, rtol=1e-6)


@given(graphs(steps=6))
@settings(max_examples=25)
def test_an_estimate_and_what_it_misses_make_the_node(graph):
    """x = e + (x − e), for any e of the same shape, also when it depends on inputs."""
    estimate = apply("tanh", graph, name="estimate")
    inputs = bindings(graph)
    rewritten = residual(apply("square", graph, name="top"), at(lambda node: node is graph), estimate)
    torch.testing.assert_close(evaluate(rewritten, inputs), plain(graph, inputs).square())


def test_a_lifted_sample_stands_where_rows_meet():
    """f(sample(x, r)) = sample(f(x), r): alike drawn branches share one sample above them, others stop it."""
    same, other = torch.tensor([0, 2, 2]), torch.tensor([1, 1, 0])
    alike = add(apply("relu", sample(X, same)), apply("tanh", sample(X, same)), name="sum")
    apart = add(apply("relu", sample(X, same)), apply("tanh", sample(X, other)), name="sum")
    assert lift(alike).op.kind == "sample" and len(find(lift(alike), at(op="sample"))) == 1
    assert [child.op.kind for child in lift(apart).children] == ["sample", "sample"]
    inputs = {"x": torch.randn(3, 4, 3)}
    for graph in (alike, apart):
        torch.testing.assert_close(evaluate(lift(graph), inputs), evaluate(graph, inputs))


def test_terms_that_are_sampled_alike_are_summed_below_their_sample():
    """With their weights, shapes that broadcast included; the other terms, drawn otherwise or not at all, stay."""
    same, other = torch.tensor([0, 2, 2]), torch.tensor([1, 1, 0])
    row, bias = index(X, 0), array(torch.ones(3), "bias")
    terms = [sample(X, same), sample(apply("tanh", X), other), bias, sample(row, same), sample(apply("exp", X), same)]
    graph = add(*terms, weights=[2, 3, 4, -1, 5], name="sum")
    lifted = lift(graph)
    assert [child.name for child in lifted.children] == ["sum.part", "tanh", "bias"]
    assert lifted.op.weights == (1, 3, 4) and lifted.children[0].children[0].op.weights == (2, -1, 5)
    inputs = {"x": torch.randn(3, 4, 3)}
    torch.testing.assert_close(evaluate(lifted, inputs), evaluate(graph, inputs))
    assert lift(lifted).key == lifted.key
