"""Each token has the colour of its value, and says the value to whoever points at it."""

import re
from html import unescape

import pytest
import torch

from remix_utils import plot
from remix_utils.errors import NanError, PlotError, ShapeError
from remix_utils.plot.style import DIVERGING, SEQUENTIAL, colour_at

SPAN = re.compile(
    r'<span class="remix-token" data-value="([^"]*)" style="background:(#\w+); color:#\w+">([^<]*)</span>'
)


def spans(picture):
    return [tuple(map(unescape, found)) for found in SPAN.findall(picture.html)]


def test_tokens_have_the_colours_of_their_values():
    """Half of the largest value is half-way up the scale, below zero is the other arm, and None is white."""
    picture = plot.tokens(["a", " b", " c", " d"], [None, 4.0, 2.0, 0.0], "Loss", "nats")
    assert [colour for _, colour, _ in spans(picture)] == ["#ffffff", *(colour_at(x, SEQUENTIAL) for x in (1, 0.5, 0))]
    signed = plot.tokens(["a", " b"], torch.tensor([-2.0, 1.0]), "Attribution", "logits")
    assert [colour for _, colour, _ in spans(signed)] == [colour_at(x, DIVERGING) for x in (0, 0.75)]


def test_the_value_is_there_to_be_read():
    """With its unit and the token's place; the scale has its ends and its unit."""
    picture = plot.tokens(["a", " b"], [None, 4.0], "Loss per token", "nats")
    assert [note for note, _, _ in spans(picture)] == ["0: 'a'  no value", "1: ' b'  4.00 nats"]
    assert ">0.00</span>" in picture.html and ">4.00</span>" in picture.html and ">nats<" in picture.html
    assert "Loss per token" in picture.html


def test_a_terminal_gets_the_numbers():
    """What has no HTML shows tokens and values as text."""
    picture = plot.tokens(["a", " b", "\n"], [None, 4.0, 1.0], "Loss", "nats")
    assert repr(picture) == "Loss (nats)\na · b 4.00 · ↵ 1.00"


def test_tokens_cannot_break_out():
    """Markup and quotes in a token are shown, not obeyed."""
    token = '</span><script>alert("x")</script>\n'
    picture = plot.tokens([token], [1.0], "<b>", "<i>")
    assert "<script>alert" not in picture.html and "<b>" not in picture.html and "<i>" not in picture.html
    assert spans(picture)[0][2] == token.replace("\n", "↵")


def test_a_text_asks_nobody():
    """What a notebook stores of it holds no address."""
    assert "http" not in plot.tokens(["a"], [1.0], "Loss", "nats").html


@pytest.mark.parametrize(
    ("tokens", "values", "error"),
    [
        (["a", "b"], [1.0], ShapeError),
        (["a"], [float("nan")], NanError),
        (["a"], torch.tensor([float("inf")]), NanError),
        (["a"], [None], PlotError),
        ([], [], PlotError),
    ],
)
def test_values_that_do_not_fit_are_refused(tokens, values, error):
    """A wrong number, NaN, or nothing to show: an error with a fix."""
    with pytest.raises(error, match="fix: "):
        plot.tokens(tokens, values, "t", "u")
