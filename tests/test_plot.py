"""Figures say what they show: a title, named axes, one trace a series, and marks besides colour."""

import pytest
import torch

from remix_utils import plot
from remix_utils.errors import ShapeError


def luminance(colour):
    """Relative luminance of a hex colour, as the accessibility guidelines define it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_bars_show_each_estimate_with_its_error():
    """One trace a group; a standard error becomes an error bar, a plain number none."""
    figure = plot.bars({"a": {"zero": 1.0, "mean": (2.0, 0.25)}, "b": {"zero": 3.0}}, "Title", "accuracy (%)", "kind")
    assert [trace.name for trace in figure.data] == ["a", "b"]
    assert figure.data[0].error_y.array == (None, 0.25)
    assert (figure.layout.title.text, figure.layout.yaxis.title.text) == ("Title", "accuracy (%)")


def test_groups_differ_in_more_than_colour():
    """Bars have patterns and lines have markers, so that a figure survives a black-and-white printer."""
    groups = {str(i): {"x": 1.0} for i in range(4)}
    bars = plot.bars(groups, "t", "y").data
    lines = plot.lines([0.0], {name: [1.0] for name in groups}, "t", "x", "y").data
    assert len({trace.marker.pattern.shape for trace in bars}) == len({trace.marker.symbol for trace in lines}) == 4


def test_neighbouring_colours_differ_in_brightness():
    """The first two colours, which most figures use, are told apart without any sense of hue."""
    light, dark = sorted(map(luminance, plot.COLOURS[:2]), reverse=True)
    assert (light + 0.05) / (dark + 0.05) > 2


def test_lines_have_bands_where_there_are_errors():
    """The band runs from one error below to one above."""
    figure = plot.lines([0, 1], {"a": [(2.0, 0.5), (3.0, 1.0)], "b": [1.0, 1.0]}, "t", "dose", "accuracy (%)")
    band, line, plain = figure.data
    assert band.y == (2.5, 4.0, 2.0, 1.5) and line.y == (2.0, 3.0) and plain.name == "b"


def test_images_stand_side_by_side_and_upright():
    """One picture a row of pixels, square, with the first pixel at the top left."""
    figure = plot.images(torch.arange(18.0).reshape(2, 9) / 18, ["one", "two"], "Two")
    assert [note.text for note in figure.layout.annotations] == ["one", "two"]
    assert figure.data[0].z[0][0] == 0 and figure.layout.yaxis.autorange == "reversed"


def test_a_heatmap_is_symmetric_about_zero():
    """Equal distances from zero get equal strengths of colour, and every cell its number."""
    cells = plot.heatmap(torch.tensor([[1.0, -3.0]]), ["row"], ["a", "b"], "t", "points").data[0]
    assert (cells.zmin, cells.zmax, cells.colorbar.title.text) == (-3, 3, "points")


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plot.lines([0, 1], {"a": [1.0]}, "t", "x", "y"),
        lambda: plot.images(torch.zeros(2, 10)),
        lambda: plot.images(torch.zeros(0, 64)),
        lambda: plot.images(torch.zeros(2, 64), ["only one"]),
        lambda: plot.heatmap(torch.zeros(2, 2), ["a"], ["b", "c"], "t", "u"),
    ],
)
def test_data_that_does_not_fit_is_refused(draw):
    """Wrong lengths and shapes are errors with a fix, not crooked figures."""
    with pytest.raises(ShapeError, match="fix: "):
        draw()


def test_figures_ask_nobody():
    """What a notebook stores of a figure holds no address."""
    figure = plot.histogram({"a": torch.rand(10)}, "t", "x", {"mean": 0.5})
    assert "http" not in figure.to_json()
