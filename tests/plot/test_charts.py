"""Charts say what they show: a title, named axes with units, one trace a series, and marks besides colour."""

import pytest
import torch

from remix_utils import plot
from remix_utils.errors import NanError, PlotError, ShapeError


def test_bars_show_each_estimate_with_its_error():
    """One trace a group; a standard error becomes an error bar, and a plain number gets none, not one of size 0."""
    figure = plot.bars({"a": {"zero": 1.0, "mean": (2.0, 0.25)}, "b": {"zero": 3.0}}, "Title", "accuracy (%)", "kind")
    assert [(trace.name, trace.y) for trace in figure.data] == [("a", (1.0, 2.0)), ("b", (3.0,))]
    assert figure.data[0].error_y.array == ("none", 0.25) and not figure.data[1].error_y.visible
    axes = figure.layout.xaxis.title.text, figure.layout.yaxis.title.text
    assert (figure.layout.title.text, *axes) == ("Title", "kind", "accuracy (%)")


def test_labels_that_look_like_numbers_stay_labels():
    """Heads 0.1 and 0.10 are two bars, although they are one number."""
    figure = plot.bars({"a": {"0.1": 1.0, "0.10": 2.0}}, "t", "y")
    assert figure.layout.xaxis.type == "category" and figure.data[0].x == ("0.1", "0.10")


def test_groups_differ_in_more_than_colour():
    """Bars have patterns, lines markers or dashes, points shapes: a figure survives a black-and-white printer."""
    names = [str(i) for i in range(6)]
    bars = plot.bars({name: {"x": 1.0} for name in names}, "t", "y").data
    few = plot.lines([0.0], {name: [1.0] for name in names}, "t", "x", "y").data
    many = plot.lines(range(50), {name: [1.0] * 50 for name in names}, "t", "x", "y").data
    points = plot.scatter(range(6), range(6), names, "t", "x", "y", groups=names).data
    assert len({trace.marker.pattern.shape for trace in bars}) == 6
    assert len({trace.marker.symbol for trace in few}) == len({trace.line.dash for trace in many}) == 6
    assert len({trace.marker.symbol for trace in points}) == 6


def test_lines_have_bands_where_there_are_errors():
    """The band runs from one error below to one above."""
    figure = plot.lines([0, 1], {"a": [(2.0, 0.5), (3.0, 1.0)], "b": [1.0, 1.0]}, "t", "dose", "accuracy (%)")
    band, line, plain = figure.data
    assert band.y == (2.5, 4.0, 2.0, 1.5) and line.y == (2.0, 3.0) and plain.name == "b"
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("dose", "accuracy (%)")


def test_curves_have_a_panel_for_each_quantity():
    """Panels share the steps; a series has one colour and one entry in the legend, however many panels it is in."""
    panels = {"loss (nats)": {"train": [3.0, 2.0], "held out": [3.5, 3.0]}, "score": {"held out": [0.0, 0.5]}}
    figure = plot.curves([1, 10], panels, "Training", "step")
    train, held, again = figure.data
    assert (train.y, held.y, again.y) == ((3.0, 2.0), (3.5, 3.0), (0.0, 0.5))
    assert (held.yaxis, again.yaxis) == ("y", "y2") and held.line.color == again.line.color != train.line.color
    assert (held.showlegend, again.showlegend) == (True, False)
    assert (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text) == ("loss (nats)", "score")
    assert (figure.layout.xaxis.title.text, figure.layout.xaxis2.title.text) == (None, "step")


def test_marks_stand_where_they_are_said_to():
    """Through every panel, with their names, also on a logarithmic axis."""
    panels = {"loss (nats)": {"a": [3.0, 2.0]}, "score": {"a": [0.0, 0.5]}}
    figure = plot.curves(
        [1, 1000], panels, "Training", "step", log=True, marks={"change": 100, "end": torch.tensor(1e3)}
    )
    assert [(line.x0, line.xref) for line in figure.layout.shapes] == [
        (100, "x"), (100, "x2"), (1000, "x"), (1000, "x2"),
    ]  # fmt: skip
    assert [(note.text, note.x) for note in figure.layout.annotations] == [("change", 2), ("end", 3)]
    assert figure.layout.xaxis.type == figure.layout.xaxis2.type == "log"


def test_points_carry_their_names():
    """Every point is where its two values say, under its own name, in its group."""
    figure = plot.scatter(
        torch.tensor([1.0, 2.0, 3.0]), [4.0, 5.0, 6.0], ["0.0", "0.1", "1.0"], "t", "x", "y", ["a", "b", "a"]
    )
    a, b = figure.data
    assert (a.x, a.y, a.hovertext, b.x, b.y, b.hovertext) == (
        (1, 3), (4, 6), ("0.0", "1.0"), (2,), (5,), ("0.1",),
    )  # fmt: skip


def test_the_diagonal_spans_the_points():
    """From the smallest value to the largest of both axes."""
    line = plot.scatter([0.0, 2.0], [-1.0, 1.0], ["p", "q"], "t", "x", "y", diagonal=True).data[0]
    assert line.x == line.y == (-1.0, 2.0)


def test_a_histogram_counts_everything_once():
    """Groups share their bins, and every value falls into one."""
    values = {"a": torch.randn(1000), "b": torch.randn(300) + 2}
    figure = plot.histogram(values, "t", "x", {"mean": values["a"].mean()})
    a, b = figure.data
    assert (sum(a.y), sum(b.y)) == (1000, 300) and a.x == b.x
    for group in (a, b):
        for middle, count in zip(group.x, group.y, strict=True):
            low, high = middle - group.width / 2, middle + group.width / 2
            inside = ((values[group.name] >= low - 1e-6) & (values[group.name] <= high + 1e-6)).sum()
            assert abs(count - inside) <= 2  # values at an edge may count on either side
    assert figure.layout.shapes[0].x0 == pytest.approx(values["a"].mean().item())


def test_a_constant_has_a_histogram_too():
    """Values that are all equal fall into one bin."""
    assert max(plot.histogram({"a": torch.full((7,), 3.0)}, "t", "x").data[0].y) == 7


@pytest.mark.parametrize(
    ("draw", "error", "says"),
    [
        (lambda: plot.bars({"a": {"zero": float("nan")}}, "t", "y"), NanError, "Group 'a'"),
        (lambda: plot.bars({"a": {"zero": (1.0, float("inf"))}}, "t", "y"), NanError, "standard errors"),
        (lambda: plot.lines([0, 1], {"a": [1.0]}, "t", "x", "y"), ShapeError, "1 values of 'a' for 2 positions"),
        (lambda: plot.curves([0, 1], {"y": {"a": [1.0, 2.0]}}, "t", "x", log=True), PlotError, "cannot show 0"),
        (lambda: plot.curves([1], {"y": {"a": [1.0]}}, "t", "x", log=True, marks={"m": 0}), PlotError, "cannot show 0"),
        (lambda: plot.scatter([1.0], [1.0, 2.0], ["p"], "t", "x", "y"), ShapeError, "2 vertical values"),
        (lambda: plot.scatter([1.0], [1.0], ["p", "q"], "t", "x", "y"), ShapeError, "2 names for 1 points"),
        (lambda: plot.scatter([1.0], [1.0], ["p"], "t", "x", "y", ["a", "b"]), ShapeError, "2 groups for 1 points"),
        (lambda: plot.histogram({"a": torch.tensor([])}, "t", "x"), PlotError, "Group 'a' has 0 values"),
        (lambda: plot.histogram({}, "t", "x"), PlotError, "0 groups"),
    ],
)
def test_data_that_does_not_fit_is_refused(draw, error, says):
    """Wrong lengths, empty groups and NaN are errors that name the place and end in a fix, not crooked figures."""
    with pytest.raises(error, match=says) as caught:
        draw()
    assert "fix: " in str(caught.value)
