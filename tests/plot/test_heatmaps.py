"""Cells are where their names say, coloured about zero, and numbered where there is room."""

import pytest
import torch

from remix_utils import plot
from remix_utils.errors import NanError, ShapeError
from remix_utils.plot.style import DIVERGING, SEQUENTIAL


def test_a_heatmap_is_symmetric_about_zero():
    """Equal distances from zero get equal strengths of colour: red below, blue above."""
    figure = plot.heatmap(torch.tensor([[1.0, -3.0]]), ["row"], ["a", "b"], "t", "points")
    cells = figure.data[0]
    assert (cells.zmin, cells.zmax, figure.layout.annotations[0].text) == (-3, 3, "points")
    assert (cells.colorscale[0][1], cells.colorscale[-1][1]) == (DIVERGING[0], DIVERGING[-1])


def test_what_is_never_negative_starts_at_zero():
    """Zero has the same colour as in a map with both signs."""
    cells = plot.heatmap(torch.tensor([[1.0, 3.0]]), ["row"], ["a", "b"], "t", "points").data[0]
    assert (cells.zmin, cells.zmax) == (0, 3)
    assert cells.colorscale[0][1] == SEQUENTIAL[0] == DIVERGING[len(DIVERGING) // 2]


def test_cells_hold_the_values():
    """Row by row, from the top; names may repeat, as tokens do, and no column is lost."""
    values = torch.arange(6.0).reshape(2, 3)
    figure = plot.heatmap(values, ["a", "b"], ["the", "cat", "the"], "t", "u", x="token", y="row")
    assert [list(row) for row in figure.data[0].z] == values.tolist() and figure.data[0].x is None
    assert figure.layout.xaxis.ticktext == ("the", "cat", "the") and figure.layout.xaxis.tickvals == (0, 1, 2)
    assert figure.layout.yaxis.autorange == "reversed"
    assert list(figure.data[0].customdata[1][2]) == ["b", "the"]


def test_numbers_are_shown_where_there_is_room():
    """A large map has none, and not every name; a small one has all, with decimals that fit their size."""
    small = plot.heatmap(torch.full((12, 12), 0.5), *[list(map(str, range(12)))] * 2, "t", "u")
    large = plot.heatmap(torch.full((128, 128), 0.5), *[list(map(str, range(128)))] * 2, "t", "u")
    counts = plot.heatmap(torch.full((1, 1), 230.0), ["a"], ["b"], "t", "u")
    assert small.data[0].texttemplate == "%{z:.2f}" and len(small.layout.xaxis.ticktext) == 12
    assert large.data[0].texttemplate is None and len(large.layout.xaxis.ticktext) <= 40
    assert counts.data[0].texttemplate == "%{z:.0f}"


def test_heads_are_rows_of_layers():
    """Layer 1, head 2 is the cell in row 1, column 2."""
    values = torch.rand(2, 8)
    figure = plot.heads(values, "Scores", "probability")
    assert figure.data[0].z[1][2] == values[1, 2].item()
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("head", "layer")
    assert "probability" in figure.data[0].hovertemplate


def test_images_stand_side_by_side_and_upright():
    """One picture a row of pixels, square, with the first pixel at the top left."""
    figure = plot.images(torch.arange(18.0).reshape(2, 9) / 18, ["one", "two"], "Two")
    assert [note.text for note in figure.layout.annotations] == ["one", "two"]
    assert figure.data[0].z[0][0] == 0 and figure.layout.yaxis.autorange == "reversed"


@pytest.mark.parametrize(
    ("draw", "error"),
    [
        (lambda: plot.images(torch.zeros(2, 10)), ShapeError),
        (lambda: plot.images(torch.zeros(0, 64)), ShapeError),
        (lambda: plot.images(torch.zeros(2, 64), ["only one"]), ShapeError),
        (lambda: plot.images(torch.full((2, 64), float("nan"))), NanError),
        (lambda: plot.heatmap(torch.zeros(2, 2), ["a"], ["b", "c"], "t", "u"), ShapeError),
        (lambda: plot.heatmap(torch.zeros(0, 0), [], [], "t", "u"), ShapeError),
        (lambda: plot.heatmap(torch.tensor([[float("-inf")]]), ["a"], ["b"], "t", "u"), NanError),
        (lambda: plot.heads(torch.zeros(8), "t", "u"), ShapeError),
    ],
)
def test_data_that_does_not_fit_is_refused(draw, error):
    """Wrong shapes, wrong numbers of names, NaN and infinity are errors with a fix, not crooked figures."""
    with pytest.raises(error, match="fix: "):
        draw()
