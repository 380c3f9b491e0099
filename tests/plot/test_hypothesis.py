"""The picture of a hypothesis: every node with its draw where it hangs, what was drawn, and what is recovered."""

import pytest
import torch

from remix_utils import Exact, Fixed, Interp, Matching, Uniform, add, apply, at, placeholder, plot, scrub
from remix_utils.data import feature
from remix_utils.errors import PlotError

X = placeholder("x", ())
GRAPH = add(apply("relu", X, name="left"), apply("tanh", add(X, X, name="twice"), name="right"), name="sum")
DATA = {"x": torch.linspace(-2, 2, 12)}


@feature
def sign(data):
    return data["x"] > 0


RIGHT = Interp("right", at("right"), Matching(sign), [Interp("inside", at("twice"), Exact())], others=None)
CLAIM = Interp("sum", at("sum"), Exact(), [RIGHT])
CLEAN, OTHER, RESULT = (
    scrub(GRAPH, each, DATA, 40) for each in (*(Interp("sum", at("sum"), draw) for draw in (Exact(), Uniform())), CLAIM)
)


def nodes(figure):
    """What the picture says of each node, by its row: its depth, its text and its kind of draw."""
    shown = [trace for trace in figure.data if trace.text]
    found = {
        y: (x, text.strip(), each.name) for each in shown for x, y, text in zip(each.x, each.y, each.text, strict=True)
    }
    return [found[row] for row in sorted(found)]


def test_nodes_stand_below_their_parents_with_their_draws():
    """In the hypothesis' order, one step in for each generation, others last; no others where nothing is left."""
    assert nodes(plot.hypothesis(CLAIM, "A claim")) == [
        (0, "<b>sum</b>  exact", "exact"),
        (1, "<b>right</b>  matching sign", "matching a feature"),
        (2, "<b>inside</b>  exact", "exact"),
        (1, "<i>others</i>  uniform, together", "any row"),
    ]


def test_a_feature_without_a_name_is_shown():
    """Plotly reads texts as HTML, in which <lambda> would be a tag."""
    unnamed = Interp("sum", at("sum"), Matching(lambda data: data["x"] > 0))
    assert nodes(plot.hypothesis(unnamed, "A claim"))[0][1] == "<b>sum</b>  matching &lt;lambda&gt;"


def test_elbows_lead_to_the_node_above():
    """Each line goes down from the parent's place, and then to the right."""
    lines = plot.hypothesis(CLAIM, "A claim").data[0]
    down = [None if y is None else (x, y) for x, y in zip(lines.x, lines.y, strict=True)]
    assert down == [
        (0, 0), (0, 1), (1, 1), None, (1, 1), (1, 2), (2, 2), None, (0, 0), (0, 3), (1, 3), None,
    ]  # fmt: skip


def test_each_draw_says_how_often_it_moved():
    """To another row than that with which it had to agree, also where others are drawn apart."""
    moved = (RESULT.rows["right"] != RESULT.rows["sum"]).double().mean()
    said = [text for _, text, _ in nodes(plot.hypothesis(CLAIM, "A claim", RESULT))]
    assert said[0].endswith("0% moved") and said[1].endswith(f", {moved:.0%} moved") and "moved" in said[3]
    apart = Interp("sum", at("sum"), Exact(), [Interp("inside", at("twice"), Exact())], shared="apart")
    assert "moved" in nodes(plot.hypothesis(apart, "Apart", scrub(GRAPH, apart, DATA, 40)))[-1][1]


def test_the_loss_stands_between_the_models_and_the_baselines():
    """With its standard error, in the result's unit, and the title says what is recovered."""
    figure = plot.hypothesis(CLAIM, "A claim", RESULT, CLEAN, OTHER, x="sum (units)")
    losses = figure.data[-1]
    assert losses.x == (CLEAN.mean, RESULT.mean, OTHER.mean) and losses.error_x.array[1] == RESULT.se
    share = RESULT.recovered(CLEAN, OTHER)
    assert figure.layout.title.text == f"A claim: {share:.1%} ± {share.se:.1%} recovered"
    assert figure.layout.xaxis2.title.text == "sum (units)"
    assert plot.hypothesis(CLAIM, "A claim", RESULT, 0.5, 2).data[-1].error_x.array == (0.0, RESULT.se, 0.0)
    with pytest.raises(PlotError, match="needs the result"):
        plot.hypothesis(CLAIM, "A claim", RESULT, model=CLEAN)


def test_draws_differ_in_more_than_colour():
    """Each kind has a shape of its own."""
    kinds = Interp("sum", at("sum"), Fixed(torch.arange(3)), [RIGHT])
    shown = [trace for trace in plot.hypothesis(kinds, "t").data if trace.text]
    assert len({trace.marker.symbol for trace in shown}) == len({trace.marker.color for trace in shown}) == 4


def test_examples_are_compared_on_the_same_references():
    """Across the model's own value, upwards that under the hypothesis, named by the row; otherwise refused."""
    points = plot.per_example(RESULT, CLEAN, "Examples", "sum (units)").data[1]
    assert list(points.x) == CLEAN.per_example.tolist() and list(points.y) == RESULT.per_example.tolist()
    assert points.hovertext[0] == f"row {int(CLEAN.rows['reference'][0])}"
    with pytest.raises(PlotError, match="same references"):
        plot.per_example(RESULT, scrub(GRAPH, Interp("sum", at("sum"), Exact()), DATA, 40, seed=1), "Examples")
