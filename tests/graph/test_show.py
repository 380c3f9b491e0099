"""What people are shown: short, complete, and each node once."""

import torch

from remix_utils.graph.ops import add, apply, array, concat, einsum, index, placeholder, sample
from remix_utils.graph.show import Text, line, show
from tests.graph.skip_chains import seconds, skip_chain
from tests.graph.test_evaluate import kinds
from tests.graph.transformer import transformer

X = placeholder("x", (4, 3))


def test_a_node_is_a_tree_of_lines():
    """Name, shape, dtype unless it is float32, and operation; children below, and what was shown is not repeated."""
    tokens = placeholder("tokens", (4,), torch.long)
    x = apply("embed", tokens, array(torch.ones(9, 3), "W_E"), name="embed")
    assert show(add(x, apply("relu", x), name="resid")).splitlines() == [
        "resid [4, 3] = add",
        "  embed [4, 3] = embed",
        "    tokens [4] int64 = placeholder",
        "    W_E [9, 3] = array",
        "  relu [4, 3] = relu",
        "    embed, as above",
    ]


ONE_OF_EACH = {
    "array": (array([1.0], "w"), "w [1] = array"),
    "placeholder": (X, "x [4, 3] = placeholder"),
    "einsum": (einsum("ij->ji", X, name="t"), "t [3, 4] = einsum i j -> j i"),
    "add": (add(X, X, weights=[1, -0.5], name="s"), "s [4, 3] = add weights [1.0, -0.5]"),
    "index": (index(X, (0, slice(None, None, 2)), name="i"), "i [2] = index [0, 0:3:2]"),
    "concat": (concat([X, X], 1, name="c"), "c [4, 6] = concat axis 1"),
    "apply": (apply("softmax", X, name="p"), "p [4, 3] = softmax"),
    "sample": (sample(X, torch.tensor([2, 0]), name="d"), "d [4, 3] = sample 2 rows [2, 0]"),
}


def test_every_operation_has_its_line():
    """One line tells all of an operation that can change the value; a new operation needs a line here."""
    assert set(ONE_OF_EACH) == kinds()
    for node, text in ONE_OF_EACH.values():
        assert line(node) == text


def test_depth_and_length_are_limited():
    """Below `depth` there are dots, and after `most` lines a word on how to see more or less."""
    graph = transformer()
    assert show(graph, depth=1).splitlines()[1:] == [
        "  ln_final.normalized [6, 8] float64 = layernorm",
        "    ...",
        "  W_U [8, 11] float64 = array",
    ]
    assert len(show(graph, most=5).splitlines()) == 6 and "depth=2" in show(graph, most=5).splitlines()[-1]
    assert show(graph, most=10_000).count("as above") == 9


def test_what_is_computed_on_the_population_is_counted():
    """Below a sample stands how many nodes there are, unless it is an input, so that a scrubbed graph fits a screen."""
    below = apply("tanh", apply("relu", X), name="top")
    assert show(sample(below, torch.tensor([1, 0]), name="drawn")).splitlines() == [
        "drawn [4, 3] = sample 2 rows [1, 0]",
        "  ... 3 nodes on the population",
    ]
    assert show(sample(X, torch.tensor([1, 0]))).splitlines()[1:] == ["  x [4, 3] = placeholder"]


def test_a_chain_of_skips_is_shown_at_once():
    """Each node is written out once, however many paths lead to it (trap 1)."""
    assert seconds(lambda: show(skip_chain(60), most=10_000)) < 1
    assert len(show(skip_chain(60), most=10_000).splitlines()) < 60 * 6


def test_anything_else_is_shown_as_its_own_text():
    """Text is a str that a notebook displays as it is, with its markup escaped."""
    text = show({"a": 1})
    assert isinstance(text, Text) and text == repr(text) == "{'a': 1}"
    assert "&lt;b&gt;" in show("<b>")._repr_html_() and show("<b>")._repr_html_().startswith("<pre")


def test_briefly_only_what_reads_an_input_is_written():
    """Chains in one line with their middle counted, what was written before by its name, no constants, no rows."""
    weights = array(torch.ones(4, 3), "weights")
    below = apply("tanh", add(X, weights), name="below")
    drawn = sample(below, torch.tensor([1, 0]), name="drawn")
    chain = apply("exp", apply("abs", apply("square", add(drawn, drawn), name="q"), name="a"), name="e")
    other = sample(X, torch.tensor([0, 0]), name="other")
    graph = add(chain, apply("exp", add(other, weights, name="shifted"), name="f"), apply("relu", chain), name="sum")
    assert show(graph, brief=True).splitlines() == [
        "sum = add",
        "  e ← (3 more) ← drawn",
        "  f ← shifted ← other",
        "  relu ← e, as above",
    ]
    assert show(graph, brief=True, depth=0).splitlines() == ["sum = add", "  ..."]
