"""A hypothesis as text: which draw is read where, on one screen."""

import torch

from remix_utils import models
from remix_utils.data import Exact, Fixed, Matching, Uniform, feature
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.graph.show import show
from remix_utils.scrub.hypothesis import WIDTH, Interp, draw_text, preorder, shortened
from tests.graph.transformer import transformer

GRAPH = transformer(layers=1)


@feature
def word(data):
    return data["tokens"][:, 0]


EMBED = Interp("embed", at("embed").avoiding("blocks.0.attn_out"), Matching(word))
HYPOTHESIS = Interp("logits", at("logits"), Exact(), [EMBED], others=Uniform(among=[1, 2]), shared="apart")


def test_a_hypothesis_is_a_tree_of_lines():
    """Name, draw and selector; children below, then the others, and whether they share a row."""
    assert show(HYPOTHESIS).splitlines() == [
        "logits: exact, at('logits')",
        "  embed: matching word, at('embed').avoiding(at('blocks.0.attn_out'))",
        "  others: uniform among 2 rows, apart",
    ]


def test_in_a_graph_it_shows_every_path():
    """Of each its ends and where it takes one of several ways; and for what the others are drawn."""
    assert show(HYPOTHESIS.on(GRAPH)).splitlines() == [
        "logits: exact, at('logits')",
        "  embed: matching word, at('embed').avoiding(at('blocks.0.attn_out'))",
        "      logits ← blocks.0.resid_mid ← embed",
        "      logits ← blocks.0.mlp_out ← embed",
        "  others: uniform among 2 rows, apart",
        "      for blocks.0.attn_out",
    ]
    same = Interp("logits", GRAPH, Exact(), [EMBED], others=Uniform(among=[1, 2]), shared="apart")
    assert show(same).splitlines()[1:] == show(HYPOTHESIS.on(GRAPH)).splitlines()[1:]


def test_more_paths_than_fit_are_counted():
    """All of them, so that "from the embeddings only" is seen to be more than one path."""
    lines = show(Interp("logits", at("logits"), Exact(), [Interp("all", at("embed"), Exact())]).on(GRAPH)).splitlines()
    assert lines[5].strip() == "and 5 paths more" and lines[-1].strip() == "for nothing"


def test_a_hypothesis_of_a_real_model_fits_a_screen():
    """Three levels, eleven lines of claims, no line longer than a terminal is wide."""
    graph = split(models.load("induction-2l").graph(seq=50), "blocks.*.attn_out", "head")
    direct = at("embed").avoiding("blocks.0.attn.head.*.out")
    heads = Interp(
        "heads",
        at("blocks.1.attn.head.[13].out"),
        Exact(),
        [Interp(c, at(f"*.head.*.{c}"), Exact(), [Interp(f"{c} embed", direct, Exact())]) for c in "qkv"],
        others=None,
    )
    text = show(Interp("logits", at("logits"), Exact(), [heads]).on(graph)).splitlines()
    assert len(text) < 45 and max(map(len, text)) <= WIDTH + 20


def test_each_draw_has_its_words():
    """As they are printed beside every name."""
    draws = [Exact(), Uniform(), Matching(word), Matching(word, [1]), Fixed(torch.tensor([0, 1])), None]
    words = ["exact", "uniform", "matching word", "matching word among 1 row", "fixed 2 rows", "none"]
    assert [draw_text(draw) for draw in draws] == words


def test_parents_come_first_children_in_their_order():
    """Each with its parent; a single child need not be in a list."""
    leaves = [Interp(name, at(name), Exact()) for name in "ab"]
    root = Interp(
        "root", at("x"), Exact(), [Interp("left", at("l"), Exact(), leaves), Interp("right", at("r"), Exact())]
    )
    pairs = [(node.name, parent and parent.name) for node, parent in preorder(root)]
    assert pairs == [("root", None), ("left", "root"), ("a", "left"), ("b", "left"), ("right", "root")]
    assert Interp("root", at("x"), Exact(), leaves[0]).children == (leaves[0],)


def test_long_lines_keep_their_ends():
    """As many names as fit, from both ends, and how many were left out."""
    assert shortened(["a", "b"], ", ") == "a, b"
    names = [f"name {number}" for number in range(100)]
    text = shortened(names, ", ")
    left = int(text.partition("(")[2].split()[0])
    assert len(text) < WIDTH + 20 and left + text.count("name") == 100
    assert text.startswith("name 0, name 1, ") and text.endswith(", name 98, name 99")
