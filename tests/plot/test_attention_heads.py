"""circuitsvis gets the weights as they are; without JavaScript the same patterns, tokens and weights are there."""

import json
import re

import pytest
import torch

from remix_utils import plot
from remix_utils.errors import NanError, PlotError, ShapeError
from remix_utils.plot.interactive import NOTE, readable
from remix_utils.plot.patterns import pattern_images
from tests.plot.passage import causal, words

VIEWS = [plot.attention_heads, plot.attention_patterns]


def given(picture):
    return json.loads(re.search(r'application/json">(.*?)</script>', picture.html)[1])


@pytest.mark.parametrize("view", VIEWS)
def test_circuitsvis_gets_every_weight(view):
    """To half a thousandth, with the tokens as text."""
    weights = causal(3, 7)
    data = given(view(words(7), weights, ["0.0", "0.1", "1.0"]))["props"]
    assert (torch.tensor(data["attention"]) - weights).abs().max() <= 0.0005 + 1e-6
    assert data["tokens"] == [readable(token) for token in words(7)]


def test_the_heads_have_their_names_and_mask():
    """A causal pattern is masked, a bidirectional one is not; colours run from 0 to 1 in both."""
    data = given(plot.attention_heads(words(4), causal(2, 4), ["0.0", "1.1"]))
    assert data["component"] == "AttentionHeads"
    assert data["props"]["attentionHeadNames"] == ["0.0", "1.1"]
    assert data["props"]["maskUpperTri"] is True and data["props"]["maxValue"] == 1
    both_ways = plot.attention_heads(words(4), torch.eye(4).flip(0)[None], ["0.0"])
    assert given(both_ways)["props"]["maskUpperTri"] is False


@pytest.mark.parametrize("view", VIEWS)
def test_the_static_view_holds_patterns_and_tokens(view):
    """Every head's picture, every token with its place, the largest weights, and the way to more."""
    weights = causal(2, 6)
    picture = view(words(6), weights, ["0.0", "0.1"], "Patterns")
    still = picture.html[picture.html.index('class="still"') : picture.html.index('class="live"')]
    assert pattern_images(weights.double(), ["0.0", "0.1"]) in still
    for shown in (" Mary<sub>0</sub>", " &lt;b&gt;John<sub>2</sub>", "↵<sub>4</sub>"):
        assert shown in still
    assert NOTE in still and still.count(" → ") == 1 + 2 * 3
    assert repr(picture).startswith("Patterns\n0.0: ") and "\n0.1: " in repr(picture)


@pytest.mark.parametrize("view", VIEWS)
def test_rows_that_do_not_sum_to_one_are_reported(view):
    """In the interactive view and in the static view."""
    html = view(words(6), causal(2, 6) * torch.tensor([1.0, 0.5])[:, None, None], ["a", "b"]).html
    assert html.count("6 of 12 rows do not sum to 1") == 2
    assert "do not sum" not in view(words(6), causal(2, 6), ["a", "b"]).html


@pytest.mark.parametrize("view", VIEWS)
def test_tokens_and_names_cannot_break_out(view):
    """Markup in tokens, names and titles is shown as text."""
    token = "</script><img src=x onerror=alert(1)>"
    html = view([token], torch.ones(1, 1, 1), ["<i>"], "<b>").html
    assert token not in html and "<i>" not in html and "<b>" not in html


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(
    ("tokens", "patterns", "names", "error", "says"),
    [
        (words(3), causal(2, 4), ["a", "b"], ShapeError, r"\[2, 4, 4\] for 3 tokens"),
        (words(4), causal(2, 4), ["a"], ShapeError, "1 head names for 2 heads"),
        (words(4), causal(1, 4).log(), ["a"], NanError, r"-inf at \[0, 0, 1\]"),
        (words(4), 3 * causal(1, 4), ["a"], PlotError, "between 0 and 3"),
        (["a"] * 128, causal(16, 128), ["a"] * 16, PlotError, "262,144 .* 65,536"),
    ],
)
def test_patterns_that_do_not_fit_are_refused(view, tokens, patterns, names, error, says):
    """Shapes, names, scores before softmax, and more weights than circuitsvis draws in a few seconds."""
    with pytest.raises(error, match=says) as caught:
        view(tokens, patterns, names)
    assert "fix: " in str(caught.value)


def test_a_long_passage_is_sent_to_the_other_view():
    """The error for too many weights names the view that draws them."""
    with pytest.raises(PlotError, match=r"fix: show them with plot\.attention"):
        plot.attention_heads(["a"] * 128, causal(16, 128), ["a"] * 16)
