"""Drawing: labels that fit their plates, arrows that leave boxes outwards, and what is on top."""

import doctest

import pytest

from tools import drawing, plates
from tools.drawing import Arrow, Drawing, Stream
from tools.plates import Box, DiagramError, plus, text_width, tokens


@pytest.mark.parametrize(
    ("line", "measured"),
    [
        ("blocks.0.resid_post", 957),
        ("1.1 and 1.3 attend", 930),
        ("logits [64, 1024]", 827),
        ("K-composition:", 745),
        ("MLP WOW, W_U → mmm", 1236),
        ("fill it till if", 467),
    ],
)
def test_the_estimated_width_is_that_of_a_wide_font(line, measured):
    """DejaVu Sans as Chromium set it, at size 100: never narrower, at most a fifth wider."""
    assert measured <= text_width(line, 100) <= 1.2 * measured


@pytest.mark.parametrize(
    ("label", "size", "told"),
    [
        ("hidden", (40, 40), r"The box 'hidden' is 40 × 40, but its label needs \d\d × 30"),
        ("two\nlines", (90, 40), r"is 90 × 40, but its label needs \d\d × 49"),
    ],
)
def test_a_label_that_does_not_fit_is_refused(label, size, told):
    """Too narrow or too low: the message has both sizes."""
    with pytest.raises(DiagramError, match=told + r"(.|\n)*fix: "):
        Box(label, at=(0, 0), size=size)


@pytest.mark.parametrize(
    "make",
    [
        lambda role: Box("hidden", (0, 0), role),
        lambda role: Stream(0, 60, 0, role),
        lambda role: Arrow(plus((0, 0)).side("right"), plus((50, 0)).side("left"), role=role),
    ],
    ids=["box", "stream", "arrow"],
)
def test_a_colour_that_was_not_chosen_for_both_pages_is_refused(make):
    """Every part has one of the roles, and the message names the nearest one."""
    assert make("blue").role == "blue"
    with pytest.raises(DiagramError, match=r"There is no role 'bleu'; nearest: 'blue'(.|\n)*fix: "):
        make("bleu")


@pytest.mark.parametrize(
    ("start", "end", "middle"),
    [
        ("right", "top", [(100, 0)]),
        ("bottom", "left", [(0, 80)]),
        ("right", "left", [(50, 0), (50, 80)]),
        ("bottom", "top", [(0, 40), (100, 40)]),
        ("bottom", "bottom", [(0, 134), (100, 134)]),
        ("top", "top", [(0, -54), (100, -54)]),
        ("left", "left", [(-54, 0), (-54, 80)]),
        ("right", "right", [(154, 0), (154, 80)]),
    ],
)
def test_a_bent_arrow_leaves_both_ends_outwards(start, end, middle):
    """Sides at a right angle need one bend, sides that face or point the same way need two."""
    ends = plus((0, 0)).side(start), plus((100, 80)).side(end)
    arrow = Arrow(*ends, bent=True)
    assert arrow.corners == [(ends[0].x, ends[0].y), *middle, (ends[1].x, ends[1].y)]
    assert Arrow(*ends).corners == [arrow.corners[0], arrow.corners[-1]]


def test_a_bent_arrow_between_sides_on_one_line_is_straight():
    """It is drawn like one that was not to bend."""
    ends = plus((0, 0)).side("right"), plus((100, 0)).side("left")
    assert Arrow(*ends, bent=True).svg() == Arrow(*ends).svg()


def test_an_arrow_shorter_than_its_head_is_refused():
    """The message has both lengths."""
    ends = plus((0, 0)).side("right"), plus((32, 0)).side("left")
    with pytest.raises(DiagramError, match=r"'reads' are 4 apart; its head needs 9\.\n  fix: "):
        Arrow(*ends, "reads")


def test_a_label_stands_on_its_arrow():
    """Half of the way is half of its length, bends included."""
    ends = plus((0, 0)).side("right"), plus((100, 80)).side("top")
    arrow = Arrow(*ends, "reads", bent=True, label_at=0.25)
    assert arrow.place(0) == (14, 0) and arrow.place(1) == (100, 66)
    assert arrow.plate.at == pytest.approx((14 + 0.25 * (86 + 66), 0))


def test_what_is_drawn_first_and_last():
    """Streams lie below arrows and arrows below plates, whatever the order of the parts."""
    box, other = tokens(["a < b", "&"], at=(0, 0), step=100)
    arrow = Arrow(box.side("right"), other.side("left"), dashed=True)
    svg = Drawing("Order", (box, other, arrow, Stream(0, 60, -60))).svg()
    marks = ('stroke-width="6"', "stroke-dasharray", "a &lt; b", "&amp;")
    order = [svg.index(mark) for mark in marks]
    assert order == sorted(order)
    assert Drawing("Order", (Stream(0, 60, -60), arrow, box, other)).svg() == svg


@pytest.mark.parametrize("module", [plates, drawing], ids=["plates", "drawing"])
def test_the_examples_hold(module):
    """What the docstrings show is what happens."""
    result = doctest.testmod(module)
    assert result.attempted > 0 and result.failed == 0
