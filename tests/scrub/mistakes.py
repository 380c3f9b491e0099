"""Mistakes that a hypothesis can hold, and what one must be told for each."""

import torch

from remix_utils.data import Dataset, Exact, Fixed, Matching, Uniform, feature
from remix_utils.graph.ops import add, apply, array, einsum, placeholder, sample
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import HypothesisError, Interp
from remix_utils.scrub.scrubbing import scrub
from tests.graph.transformer import tokens, transformer
from tests.refusals import Mistake

X, MASK = placeholder("x", (3,)), placeholder("mask", (3,), torch.bool)
LEFT, RIGHT = apply("relu", X, name="left"), apply("tanh", X, name="right")
SUM = add(LEFT, RIGHT, array(torch.ones(3), "bias"), name="sum")
OUT = einsum("i -> ", SUM, name="out")
DATA = Dataset(x=torch.randn(6, 3, generator=torch.Generator().manual_seed(0)), row=torch.arange(6))
MODEL = split(transformer(), "blocks.*.attn_out", "head")
TEXTS = Dataset(tokens(6))


@feature
def row(data):
    return data["row"]


@feature
def broken(data):
    return (data["row"] - 3.0).sqrt()


@feature
def even(data):
    return data["row"] % 2


def node(name, draw, *children, which=None, **options):
    return Interp(name, at(which or name), draw, children, **options)


def out(*children, draw=Exact(), others=Uniform()):  # noqa: B008 - draws cannot be changed
    return node("out", draw, *children, others=others)


def run(hypothesis, n=10, data=DATA, graph=OUT):
    return lambda: scrub(graph, hypothesis, data, n)


def queries(which, others=None):
    """ "Q of layer 1 from the embeddings only", and something else that is exact."""
    embed = Interp("embed", which, Exact())
    q = Interp("q", at("blocks.1.attn.head.*.q"), Exact(), [embed], others=others or Uniform())
    return node("logits", Exact(), Interp("late", at("blocks.1.attn.head.*.out").avoiding("*.mlp_out"), Exact(), [q]))


def out_of(name):
    """One of the things that a head reads, from the embeddings, the others being drawn."""
    head = at("blocks.1.attn.head.0.out").avoiding("*.mlp_out")
    embed = Interp("embed", at(name) >> at("embed"), Exact())
    return node("logits", Exact(), Interp("head", head, Exact(), [embed]))


def on_model(hypothesis):
    return lambda: scrub(MODEL, hypothesis, TEXTS, 5, metric=lambda output, reference: output[:, 0, 0])


def looped() -> Interp:
    inner = node("left", Exact())
    whole = out(inner)
    object.__setattr__(inner, "children", (whole,))
    return whole


TWICE = node("twice", Exact(), which="left")
MASKED = apply("masked_softmax", X, MASK, name="masked")
PADDED = add(apply("relu", MASKED, name="one"), apply("tanh", MASKED, name="two"), MASKED, name="padded")
MASKS = Dataset(x=DATA["x"], mask=DATA["x"] > 0)


def padded(**options):
    children = [Interp("scores", at("x"), Exact()), *options.pop("more", [])]
    return node("padded", Exact(), *children, **options)


def judged_sum(hypothesis):
    return lambda: scrub(PADDED, hypothesis, MASKS, 5, metric=lambda output, reference: output[:, 0])


MISTAKES = {
    # what is no tree
    "two roots": Mistake(HypothesisError, ("2 roots", "dict"), run([out(), out()])),
    "no hypothesis": Mistake(HypothesisError, ("'hypothesis' is a str",), run("out")),
    "a cycle": Mistake(HypothesisError, ("'out' is below itself",), run(looped())),
    "a shared child": Mistake(
        HypothesisError,
        ("'twice'", "'first'", "'second'"),
        run(out(node("first", Exact(), TWICE, which="sum"), node("second", Exact(), TWICE, which="right"))),
    ),
    "the same child again": Mistake(HypothesisError, ("'twice'", "of 'out' and of 'out'"), run(out(TWICE, TWICE))),
    # names and images
    "two nodes of one name": Mistake(
        HypothesisError,
        ("'left' is the name of 2",),
        run(out(node("left", Exact(), node("left", Exact(), which="x"), others=None))),
    ),
    "a node called reference": Mistake(
        HypothesisError, ("'reference'",), run(out(node("reference", Exact(), which="left")))
    ),
    "a node called like another's others": Mistake(
        HypothesisError, ("'out.others'",), run(out(node("out.others", Exact(), which="left")))
    ),
    "an unmapped node": Mistake(HypothesisError, ("'left' has no image",), run(out(Interp("left", None, Exact())))),
    "an unmapped root": Mistake(HypothesisError, ("'out' has no image",), run(Interp("out", None, Exact()))),
    "a root that is not the output": Mistake(
        HypothesisError, ("'sum'", "goes on to 'out'", "find_one(graph, at('sum'))"), run(node("sum", Exact()))
    ),
    "a root that is nowhere": Mistake(HypothesisError, ("'ot'", "nearest: 'out'"), run(node("ot", Exact()))),
    "a selector that finds nothing": Mistake(
        HypothesisError, ("'lft' claims nothing", "nearest: 'left'"), run(out(node("lft", Exact())))
    ),
    "a path that is not below the parent's": Mistake(
        HypothesisError,
        ("'right'", "no path leads from 'left'"),
        run(out(node("left", Exact(), node("right", Exact())))),
    ),
    "the parent's own image": Mistake(
        HypothesisError, ("'again' claims the image of 'out' itself",), run(out(node("again", Exact(), which="out")))
    ),
    "overlapping images": Mistake(
        HypothesisError,
        ("'b' claims what 'a' claims", "'left'"),
        run(out(node("a", Exact(), which="left"), node("b", Exact(), which="left"))),
    ),
    "an image that lies below another": Mistake(
        HypothesisError,
        ("'x' claims what 'left' claims", "at('x').avoiding(at('left'))"),
        run(out(node("left", Exact()), node("x", Exact()))),
    ),
    "an image without an input": Mistake(HypothesisError, ("'bias'", "no input"), run(out(node("bias", Exact())))),
    # claims that claim nothing
    "from the embeddings only": Mistake(
        HypothesisError,
        (
            "'q'",
            "every path",
            "'embed' 14 to",
            ".avoiding(at('blocks.0.mlp_out') | at('blocks.0.attn_out'))",
            "others=None",
        ),
        on_model(queries(at("embed"))),
    ),
    "from the embeddings only, for one of several": Mistake(
        HypothesisError,
        (
            "'embed' claims all 14 paths from 'blocks.1.attn.head.0.q'",
            "at('blocks.0.attn_out')",
            "claim 'blocks.1.attn.head.0.q' itself",
        ),
        on_model(out_of("blocks.1.attn.head.0.q")),
    ),
    "every path but the mask's": Mistake(
        HypothesisError, ("'padded'", "'mask' alone", "'scores' 3 to 'x'", "say others=None"), judged_sum(padded())
    ),
    "nothing left for others": Mistake(
        HypothesisError, ("leaves nothing", "say others=None"), run(out(node("left", Exact()), node("right", Exact())))
    ),
    "others without a draw": Mistake(
        HypothesisError,
        ("'out'", "no child claims 'right'"),
        lambda: scrub(OUT, Interp("out", at("out"), Exact(), [node("left", Exact())], others=None), DATA, 5),
    ),
    "others of a leaf": Mistake(HypothesisError, ("'out' has no children",), run(out(others=Exact()))),
    "a row that nothing reads": Mistake(
        HypothesisError,
        ("'sum' claims nothing", "Matching(feature)"),
        run(out(node("sum", Matching(even), node("left", Uniform())), others=None)),
    ),
    "a root's row that nothing reads": Mistake(
        HypothesisError, ("'out' claims nothing",), run(out(node("left", Uniform()), draw=Matching(even)))
    ),
    # draws
    "a feature with NaN": Mistake(
        HypothesisError, ("'left' cannot draw", "'broken' is NaN at row 0"), run(out(node("left", Matching(broken))))
    ),
    "a reference without a match": Mistake(
        HypothesisError, ("'left'", "'row'", "none of the 1 rows"), run(out(node("left", Matching(row, among=[0]))))
    ),
    "a feature so fine that nothing moves": Mistake(
        HypothesisError,
        ("'left' moves nothing", "matching row", "6 rows agrees with 1"),
        run(out(node("left", Matching(row)))),
    ),
    "fixed rows that are too few": Mistake(
        HypothesisError,
        ("'left' cannot draw", "[2]", "10 references"),
        run(out(node("left", Fixed(torch.tensor([0, 1]))))),
    ),
    "a population too small": Mistake(HypothesisError, ("1 row",), run(out(node("left", Uniform())), data=DATA[0])),
    # numbers and inputs
    "no draws": Mistake(HypothesisError, ("'n' is 0 draws",), run(out(), n=0)),
    "half a draw": Mistake(HypothesisError, ("'n' is 0.5 draws",), run(out(), n=0.5)),
    "a word for n": Mistake(HypothesisError, ("'every'", "'all'"), run(out(), n="every")),
    "a missing input": Mistake(
        HypothesisError, ("'x'", "no column", "nearest: 'row'"), run(out(), data=Dataset(row=DATA["row"]))
    ),
    "an input of another shape": Mistake(
        HypothesisError, ("'x'", "float32 [2]", "float32 [3]"), run(out(), data=Dataset(x=torch.ones(6, 2)))
    ),
    "an input of another dtype": Mistake(
        HypothesisError, ("'x'", "float64 [3]", "float32 [3]"), run(out(), data=Dataset(x=torch.ones(6, 3).double()))
    ),
    "a graph without inputs": Mistake(
        HypothesisError, ("'bias' reads no input",), run(node("bias", Exact()), graph=array(1.0, "bias"))
    ),
    "a graph that is resampled": Mistake(
        HypothesisError,
        ("'drawn'", "2 rows"),
        run(node("drawn", Exact()), graph=sample(OUT, torch.tensor([0, 1]), "drawn")),
    ),
    # at the door
    "a name that is no text": Mistake(HypothesisError, ("the name is an int",), lambda: Interp(3, at("x"), Exact())),
    "a draw that is none": Mistake(HypothesisError, ("its draw is a Feature", "Matching"), lambda: node("out", even)),
    "others that are no draw": Mistake(HypothesisError, ("a str",), lambda: node("out", Exact(), others="uniform")),
    "an image that is a number": Mistake(HypothesisError, ("its image is an int",), lambda: Interp("out", 3, Exact())),
    "neither together nor apart": Mistake(HypothesisError, ("'alone'",), lambda: node("out", Exact(), shared="alone")),
    "a child that is a name": Mistake(HypothesisError, ("a child is a str",), lambda: node("out", Exact(), "left")),
}
