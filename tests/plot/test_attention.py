"""The attention view holds every weight that it was given, twice: as data and as a picture, and asks nobody."""

import json
import re
import zlib
from base64 import b64decode
from struct import unpack

import numpy as np
import pytest
import torch

from remix_utils import plot
from remix_utils.errors import NanError, PlotError, ShapeError
from remix_utils.plot.patterns import LEVELS, PALETTE


def causal(heads, seq, seed=0):
    scores = 2 * torch.randn(heads, seq, seq, generator=torch.Generator().manual_seed(seed))
    return scores.masked_fill(torch.ones(seq, seq).triu(1) > 0, float("-inf")).softmax(-1)


def words(count):
    return [("The", " cat", " sat", "\n")[place % 4] for place in range(count)]


def given(picture):
    """What the view in the browser reads."""
    return json.loads(re.search(r'<script class="given" type="application/json">(.*?)</script>', picture.html)[1])


def pictures(picture):
    """The decoded PNG of each head, as places in its palette [side, side]."""
    for encoded in re.findall(r'src="data:image/png;base64,([^"]*)"', picture.html):
        png, chunks, at = b64decode(encoded), {}, 8
        while at < len(png):
            size, kind = unpack(">I4s", png[at : at + 8])
            body, (crc,) = png[at + 8 : at + 8 + size], unpack(">I", png[at + 8 + size : at + 12 + size])
            assert crc == zlib.crc32(kind + body)
            chunks[kind], at = body, at + 12 + size
        side = unpack(">I", chunks[b"IHDR"][:4])[0]
        assert chunks[b"PLTE"].hex() == "".join(PALETTE).replace("#", "") + "ffffff"
        rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(side, side + 1)
        assert not rows[:, 0].any()
        yield torch.tensor(rows[:, 1:])


def test_the_view_holds_every_weight():
    """To half a thousandth, in the order [heads, query, key], with the tokens and the names."""
    weights = causal(3, 7)
    data = given(plot.attention(words(7), weights, ["0.0", "0.1", "1.0"]))
    values = np.frombuffer(zlib.decompress(b64decode(data["thousandths"])), "<u2") / 1000
    assert np.abs(values - weights.flatten().numpy()).max() <= 0.0005 + 1e-6
    assert data["names"] == ["0.0", "0.1", "1.0"] and data["causal"] is True
    assert data["tokens"] == ["The", " cat", " sat", "↵", "The", " cat", " sat"]


@pytest.mark.parametrize("seq", [1, 7, 128])
def test_the_still_picture_shows_every_weight(seq):
    """Each cell's place in the palette is the square root of its weight; what is masked is white."""
    weights = causal(2, seq)
    view = plot.attention(words(seq), weights, ["a", "b"])
    for pattern, shown in zip(weights, pictures(view), strict=True):
        each = len(shown) // seq
        expected = (
            (pattern.double().sqrt() * (LEVELS - 1)).round().masked_fill(torch.ones(seq, seq).triu(1) > 0, LEVELS)
        )
        assert torch.equal(shown, expected.to(torch.uint8).repeat_interleave(each, 0).repeat_interleave(each, 1))
        assert len(shown) >= 100


def test_a_bidirectional_pattern_has_no_mask():
    """Where some later token is looked at, zeros above the diagonal are zeros."""
    weights = torch.eye(4).flip(0)[None]
    view = plot.attention(words(4), weights, ["0.0"])
    assert given(view)["causal"] is False and LEVELS not in next(pictures(view))


def test_a_view_costs_little_besides_its_data():
    """Every view stands alone, and is still under 20 kB without its weights, which it holds as picture and as data."""
    view = plot.attention(words(128), causal(16, 128), [str(head) for head in range(16)])
    weights = len(given(view)["thousandths"]) + sum(map(len, re.findall(r"base64,([^\"]*)", view.html)))
    assert len(view.html) - weights < 20_000 and len(view.html) < 400_000


def test_a_view_asks_nobody():
    """What a notebook stores of it holds no address and names no file to fetch."""
    html = plot.attention(words(8), causal(2, 8), ["a", "b"]).html
    assert "http" not in html and "import" not in html and "fetch" not in html
    assert set(re.findall(r'(?:src|href)="(.{10})', html)) == {"data:image"}


def test_rows_that_do_not_sum_to_one_are_told():
    """A pattern scaled by a half is drawn, and the picture says so; a proper one says nothing."""
    weights = causal(2, 6)
    halved = weights * torch.tensor([1.0, 0.5])[:, None, None]
    assert "do not sum" not in plot.attention(words(6), weights.to(torch.bfloat16), ["a", "b"]).html
    says = "6 of 12 rows do not sum to 1: their sums go from 0.50 to 1.00."
    assert says in plot.attention(words(6), halved, ["a", "b"]).html


def test_a_terminal_gets_the_largest_weights():
    """What has no HTML names each head's three largest, the first token's choiceless row apart."""
    weights = torch.tensor([[[1.0, 0.0, 0.0], [0.9, 0.1, 0.0], [0.0, 0.7, 0.3]]])
    assert repr(plot.attention(["a", " b", "\n"], weights, ["5.1"], "Patterns")) == (
        "Patterns\n5.1: ' b' (1) → 'a' (0) 0.90; '↵' (2) → ' b' (1) 0.70; '↵' (2) → '↵' (2) 0.30"
    )


def test_tokens_cannot_break_out():
    """Markup in tokens, names and titles is shown, not obeyed, also inside the view's own script."""
    token = "</script><img src=x onerror=alert(1)>"
    view = plot.attention([token], torch.ones(1, 1, 1), ["<i>"], "<b>")
    assert token not in view.html and "<i>" not in view.html and "<b>" not in view.html
    assert given(view)["tokens"] == [token] and "&lt;b&gt;" in view.html


@pytest.mark.parametrize(
    ("tokens", "patterns", "names", "error", "says"),
    [
        (words(3), causal(2, 4), ["a", "b"], ShapeError, r"\[2, 4, 4\] for 3 tokens"),
        (words(4), causal(2, 4)[0], ["a"], ShapeError, r"pattern\[None\]"),
        (words(4), causal(2, 4)[:, :3], ["a", "b"], ShapeError, r"\[2, 3, 4\] for 4 tokens"),
        ([], torch.zeros(1, 0, 0), ["a"], ShapeError, "0 tokens"),
        (words(4), causal(2, 4), ["a"], ShapeError, "1 head names for 2 heads"),
        (words(4), causal(1, 4).log(), ["a"], NanError, r"-inf at \[0, 0, 1\]"),
        (words(4), 3 * causal(1, 4), ["a"], PlotError, "between 0 and 3"),
        (words(4), causal(1, 4) - 0.5, ["a"], PlotError, "between -0.5 and"),
        (["a"] * 2049, torch.zeros(1, 2049, 2049), ["a"], PlotError, "4,198,401 weights"),
    ],
)
def test_what_is_no_pattern_is_refused(tokens, patterns, names, error, says):
    """Shapes, names, NaN, scores before softmax, and more than a page can hold: errors with a fix."""
    with pytest.raises(error, match=says) as caught:
        plot.attention(tokens, patterns, names)
    assert "fix: " in str(caught.value)
