"""The scrubbed graph has the value that the published algorithm gives, and lifting changes nothing but the work."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from remix_utils.data import Dataset, Exact, Fixed, Uniform
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, apply, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.rules import RULES, lift
from remix_utils.graph.select import find
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first
from remix_utils.intervene import freeze, path_patch
from remix_utils.scrub.hypothesis import HypothesisError, Interp
from remix_utils.scrub.scrubbing import scrub, treeify
from tests.graph.transformer import tokens, transformer
from tests.scrub.published import hypotheses, published

ROWS = 6
DATA = Dataset(tokens(ROWS))
SHALLOW, DEEP = transformer(layers=1), transformer(layers=2)


def metric(output, reference):
    return output[:, -1, 0]


def scrubbed(graph, hypothesis, n, seed=0):
    """The result, or nothing where the random hypothesis cannot be read."""
    try:
        return scrub(graph, hypothesis, DATA, n, seed, metric)
    except HypothesisError:
        return assume(False)


@settings(max_examples=60)
@given(hypotheses(SHALLOW), st.integers(0, 3))
def test_the_scrubbed_graph_is_the_published_algorithm(hypothesis, seed):
    """Random hypotheses on a transformer block: each draw equals the recursion by hand, path by path."""
    result = scrubbed(SHALLOW, hypothesis, 4, seed)
    expected = published(SHALLOW, hypothesis, DATA, result.rows)
    torch.testing.assert_close(evaluate(result.graph, DATA), expected)
    torch.testing.assert_close(result.per_example, expected[:, -1, 0])


@settings(max_examples=40)
@given(hypotheses(DEEP, depth=3))
def test_treeified_then_lifted_it_is_the_graph_that_scrub_builds(hypothesis):
    """Key for key, where there are as many draws as rows, so that everything is worth lifting."""
    result = scrubbed(DEEP, hypothesis, 3 * ROWS)
    tree = treeify(DEEP, hypothesis, DATA, 3 * ROWS)
    assert (
        lift(tree) if any(node.op.kind == "sample" for node in children_first(tree)) else tree
    ).key == result.graph.key
    torch.testing.assert_close(evaluate(tree, DATA), evaluate(result.graph, DATA))


@settings(max_examples=40)
@given(hypotheses(DEEP, depth=3), st.integers(1, 4))
def test_few_draws_from_many_rows_have_the_same_value(hypothesis, n):
    """Where samples stand lower, since lifting would not pay, the value is that of the unlifted graph as well."""
    result = scrubbed(DEEP, hypothesis, n)
    torch.testing.assert_close(evaluate(result.graph, DATA), evaluate(treeify(DEEP, hypothesis, DATA, n), DATA))


HEADS = split(DEEP, "blocks.*.attn_out", "head")
KEYS = Interp(
    "logits",
    at("logits"),
    Exact(),
    [
        Interp(
            "late",
            at("blocks.1.attn.head.*.out").avoiding("*.mlp_out"),
            Exact(),
            [
                Interp(
                    "keys",
                    at("blocks.1.attn.head.*.k"),
                    Exact(),
                    [Interp("early", at("blocks.0.attn.head.1.out"), Exact())],
                )
            ],
        )
    ],
)


@pytest.mark.parametrize("rule", ["expand_layernorm", "split", "rename"])
def test_rewrites_that_keep_names_change_nothing(rule):
    """The same draws and, to rounding, the same values, when what lies around the claims is written differently."""
    rewritten = {
        "expand_layernorm": lambda: RULES["expand_layernorm"](HEADS, "*.normalized"),
        "split": lambda: split(HEADS, "blocks.*.mlp_out", "mlp"),
        "rename": lambda: HEADS.with_children([HEADS.children[0].named("another"), HEADS.children[1]]),
    }[rule]()
    assert rewritten.key != HEADS.key or rule == "rename"
    ours, theirs = (scrub(graph, KEYS, DATA, 50, metric=metric) for graph in (HEADS, rewritten))
    assert all(torch.equal(ours.rows[name], theirs.rows[name]) for name in ours.rows | theirs.rows)
    torch.testing.assert_close(ours.per_example, theirs.per_example, rtol=1e-5, atol=1e-5)


def test_neither_chunks_nor_lifting_matter():
    """One row at a time, seven, or all; with samples at the top or at the inputs: the same to 1e-5."""
    result = scrub(HEADS, KEYS, DATA, 50, metric=metric)
    for graph in (result.graph, treeify(HEADS, KEYS, DATA, 50)):
        for batch_size in (1, 7, None):
            values = metric(evaluate(graph, DATA, batch_size=batch_size), None)
            torch.testing.assert_close(values, result.per_example, rtol=1e-5, atol=1e-5)


def test_a_scrub_of_two_datasets_is_path_patching_and_freezing():
    """Three ways to give only the keys of a layer a clean value, through softmax, LayerNorm and MLPs: exactly equal."""
    clean, corrupted = torch.arange(3), torch.arange(3, 6)
    way = at("blocks.1.attn.k").avoiding("blocks.1.mlp_out")
    hypothesis = Interp("logits", at("logits"), Fixed(clean), [Interp("keys", way, Exact())], Fixed(corrupted))
    tree = evaluate(treeify(DEEP, hypothesis, DATA, 3), DATA)
    result = scrub(DEEP, hypothesis, DATA, 3, metric=metric)
    assert torch.equal(result.rows["reference"], clean) and torch.equal(result.rows["keys"], clean)

    other = placeholder("clean", (6,), torch.long)
    inputs = {"tokens": DATA["tokens"][corrupted], "clean": DATA["tokens"][clean]}
    patched = evaluate(path_patch(DEEP, way, {"tokens": other}), inputs)
    frozen = evaluate(freeze(DEEP, way, DATA[clean]), {"tokens": DATA["tokens"][corrupted]})
    assert torch.equal(tree, patched) and torch.equal(tree, frozen)
    torch.testing.assert_close(evaluate(result.graph, DATA), patched, rtol=1e-12, atol=1e-12)
    assert not torch.allclose(tree, evaluate(DEEP, {"tokens": DATA["tokens"][corrupted]}))


def test_a_selector_may_have_several_images_that_share_a_row():
    """Both heads read the same row, with one name; each alone has its own."""
    both = Interp("logits", at("logits"), Exact(), [Interp("heads", at("blocks.1.attn.head.*.out"), Uniform())])
    result = scrub(HEADS, both, DATA, 40, metric=metric)
    on = {node.name.split(" on ")[1] for node in find(result.graph, at(op="sample"))}
    assert on == {"heads", "logits.others"} and not {"heads", "logits.others"} - result.rows.keys()


def test_samples_are_named_after_what_was_drawn():
    """In the printed graph one reads which node stands on whose rows; what is done on all rows is counted."""
    x = placeholder("x", ())
    graph = add(apply("relu", x, name="left"), apply("tanh", x, name="right"), name="sum")
    hypothesis = Interp("sum", at("sum"), Exact(), [Interp("left", at("left"), Exact())])
    result = scrub(graph, hypothesis, {"x": torch.randn(9)}, 20)
    assert [node.name for node in result.graph.children] == ["left on reference", "right on sum.others"]
