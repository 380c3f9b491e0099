"""Each token has the colour of its value, and says the value to whoever points at it."""

import json
import re
from html import unescape

import pytest
import torch

from remix_utils import plot
from remix_utils.errors import BoundsError, NanError, PlotError, ShapeError
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


def test_circuitsvis_gets_tokens_values_and_one_scale():
    """Zero is the middle of the scale, and no value stays no value."""
    picture = plot.tokens(["a", " b", " c\n"], [None, -2.0, 1.0], "Attribution", "logits")
    data = json.loads(re.search(r'application/json">(.*?)</script>', picture.html)[1])
    assert data["component"] == "ColoredTokens"
    assert data["props"]["values"] == [None, -2.0, 1.0]
    assert (data["props"]["minValue"], data["props"]["maxValue"]) == (-2.0, 2.0)
    assert data["props"]["tokens"] == ["a", " b", " c↵\n"]


PROBABILITIES = torch.tensor([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [1 / 3, 1 / 3, 1 / 3]])
STRINGS = ["The", " cat", " <b>"]


def test_log_probs_are_those_of_the_next_token():
    """Row i is about token i + 1; rank 0 is the most probable token."""
    picture = plot.token_log_probs(
        torch.tensor([2, 1, 1]), PROBABILITIES.log(), STRINGS.__getitem__, "Guesses", top_k=2
    )
    assert repr(picture) == "Guesses (nats)\ncat -1.61, rank 1 · cat -1.20, rank 1"
    assert [note for note, _, _ in spans(picture)] == [
        "0: ' cat'  -1.61, rank 1 log-probability (nats)",
        "1: ' cat'  -1.20, rank 1 log-probability (nats)",
    ]


def test_the_guesses_are_there_without_javascript():
    """A table with the most probable tokens at each place, the best first, at most the vocabulary."""
    html = plot.token_log_probs(torch.tensor([2, 1, 1]), PROBABILITIES.log(), STRINGS.__getitem__).html
    rows = [unescape(row) for row in re.findall(r"<tr><td>(.*?)</td></tr>", html)]
    assert rows == [
        "1</td><td>' cat'</td><td>-1.61, rank 1</td><td>'The' -0.36 · ' cat' -1.61 · ' <b>' -2.30",
        "2</td><td>' cat'</td><td>-1.20, rank 1</td><td>' <b>' -0.51 · ' cat' -1.20 · 'The' -2.30",
    ]
    assert "<b>" not in html


@pytest.mark.parametrize(
    ("ids", "rows", "error"),
    [
        ([0, 1], PROBABILITIES.log(), ShapeError),
        ([[0, 1, 2]], PROBABILITIES.log(), ShapeError),
        ([0], PROBABILITIES[:1].log(), ShapeError),
        ([0, 1, 3], PROBABILITIES.log(), BoundsError),
        ([0, -1, 1], PROBABILITIES.log(), BoundsError),
        ([0, 1, 2], PROBABILITIES, PlotError),
        ([0, 1, 2], torch.eye(3).log(), NanError),
    ],
)
def test_log_probs_that_do_not_fit_are_refused(ids, rows, error):
    """Shapes, tokens outside the vocabulary, probabilities instead of logarithms, and −∞."""
    with pytest.raises(error, match="fix: "):
        plot.token_log_probs(torch.tensor(ids), rows, STRINGS.__getitem__)
