"""HTML pictures are legible wherever they stand."""

from remix_utils.plot.picture import Picture, frame, legend, visible


def test_a_picture_shows_html_to_a_notebook_and_text_to_a_terminal():
    """The same object does both."""
    picture = Picture("<b>x</b>", "x")
    assert picture._repr_html_() == "<b>x</b>" and repr(picture) == "x"


def test_a_picture_brings_its_own_paper():
    """Ink and paper are both set, so that a dark notebook does not make it illegible."""
    assert "background:#fff" in frame("Title", "") and "color:#222222" in frame("Title", "")


def test_a_legend_puts_ticks_at_their_places():
    """A quarter of the way is at 25 %."""
    assert 'left:25.0%; transform:translateX(-50%)">0.5<' in legend({0.25: "0.5"}, ("#ffffff", "#000000"), "nats")


def test_line_breaks_and_tabs_can_be_seen():
    """Other tokens stay as they are, leading spaces included."""
    assert [visible(token) for token in ("\n\n", "\t", " Mary")] == ["↵↵", "→", " Mary"]
