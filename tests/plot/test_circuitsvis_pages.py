"""The pictures of circuitsvis in a browser without a network: interactive, and static where they cannot be."""

import torch

from remix_utils import plot
from remix_utils.plot.interactive import Drawing, interactive
from tests.plot.browsing import export, needs_chromium
from tests.plot.passage import causal, words

ALL_LIVE = """count => [...document.querySelectorAll(".live")].filter(live =>
    live.style.visibility === "visible" && live.querySelector("canvas, .colored-tokens, span")
).length === count"""
CANVAS_IS_DRAWN = """canvas => new Uint32Array(
    canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer
).some(pixel => pixel !== 0)"""

pytestmark = needs_chromium


def text():
    return plot.tokens(words(6), [None, 1.0, -4.0, 2.0, 0.0, 4.0], "Attribution", "logits")


def heads():
    return plot.attention_heads(words(8), causal(2, 8), ["1.0", "1.1"])


def log_probs():
    rows = torch.randn(6, 6, generator=torch.Generator().manual_seed(0)).log_softmax(-1)
    return plot.token_log_probs(torch.arange(6), rows, words(6).__getitem__, top_k=3)


def backgrounds(page):
    return page.locator(".colored-tokens > span > span").evaluate_all(
        "words => words.map(word => word.style.backgroundColor)"
    )


def test_an_exported_page_is_interactive(page, tmp_path):
    """One bundle draws every picture, and the page asks for no more than an empty notebook's page."""
    page.goto(export(tmp_path))
    asked, page.asked[:] = set(page.asked), []
    page.goto(export(tmp_path, text(), heads(), log_probs()))
    page.wait_for_function(ALL_LIVE, arg=3)
    assert set(page.asked) <= asked and page.wrong == []
    assert not any(still.is_visible() for still in page.locator(".still").all())
    colours = backgrounds(page)
    assert colours[2] == "rgb(103, 0, 31)" and colours[5] == "rgb(5, 48, 97)"  # −4 and 4
    assert colours[0] == colours[4] == "rgb(255, 255, 255)"  # no value and 0
    canvases = page.locator("canvas")
    assert canvases.count() == 3 and all(canvases.evaluate_all(f"all => all.map({CANVAS_IS_DRAWN})"))


def test_the_order_of_the_outputs_does_not_matter(page, tmp_path):
    """A picture above the output with the bundle is drawn, as after cells ran out of order."""
    first, second = text(), heads()
    holder = second.standalone()
    text()._repr_html_()  # the bundle is in some other output
    page.goto(export(tmp_path, first, holder))
    page.wait_for_function(ALL_LIVE, arg=2)
    assert page.wrong == []


def test_a_page_without_the_bundle_says_so(page, tmp_path):
    """The static view is there with its tokens and the way to the interactive view; nothing is blank."""
    text()._repr_html_()  # the bundle is in an output that is not on this page
    page.goto(export(tmp_path, heads(), log_probs()))
    assert page.wrong == [] and page.locator("canvas").count() == 0
    for still in page.locator(".still").all():
        shown = still.inner_text()
        assert "picture.standalone()" in shown and "<b>John" in shown and "&amp;" in shown
    page.evaluate(  # a cell that is run then, as JupyterLab shows its output
        "html => document.body.append(document.createRange().createContextualFragment(html))",
        text().standalone().html,
    )
    page.wait_for_function(ALL_LIVE, arg=3)


def test_without_javascript_the_static_views_are_there(browser, tmp_path):
    """Coloured text, pictures of the patterns, and the most probable tokens behind one click."""
    context = browser.new_context(java_script_enabled=False, viewport={"width": 900, "height": 900})
    page = context.new_page()
    page.goto(export(tmp_path, text(), heads(), log_probs()))
    assert all(still.is_visible() for still in page.locator(".still").all())
    assert not any(live.is_visible() for live in page.locator(".live").all())
    assert page.locator(".remix-token").count() == 6 + 5
    images = page.locator("figure img").evaluate_all("all => all.map(image => image.naturalWidth)")
    assert images == [104, 104]
    page.locator("summary").click()
    assert page.locator("details tr").count() == 1 + 5
    assert "'&amp;'" in page.locator("details tr").last.inner_text()
    context.close()


def test_tokens_are_text_in_every_view(page, tmp_path):
    """Tokens that look like markup are shown as they are, and make no element."""
    page.goto(export(tmp_path, text(), log_probs()))
    page.wait_for_function(ALL_LIVE, arg=2)
    assert page.locator(".live b").count() == 0
    for place in (0, 1):
        shown = page.locator(".live .root").nth(place).inner_text().replace("\u2060", "")
        assert "<b>John" in shown and "&amp;" in shown and "↵" in shown


def test_the_large_pattern_survives_a_change_of_size(page, tmp_path):
    """After a narrow window the large pattern fills its column again, where it could stay small."""
    page.goto(export(tmp_path, heads()))
    page.wait_for_function(ALL_LIVE, arg=1)
    large = page.locator("canvas").last.element_handle()
    page.set_viewport_size({"width": 300, "height": 500})
    page.wait_for_function("canvas => canvas.offsetWidth < 300", arg=large)
    page.set_viewport_size({"width": 900, "height": 900})
    page.wait_for_function("canvas => canvas.offsetWidth > 600", arg=large)


def test_pointing_at_a_token_reads_its_rank_and_its_rivals(page, tmp_path):
    """The most probable tokens at that place, with the rank of the token that came."""
    picture = log_probs()
    page.goto(export(tmp_path, picture))
    page.wait_for_function(ALL_LIVE, arg=1)
    page.locator(".live .root span > span", has_text="John").hover()
    rank = repr(picture).splitlines()[1].split(" · ")[1].split("rank ")[1]
    tooltip = page.locator("table").last
    tooltip.wait_for()
    assert f"#{rank}" in tooltip.inner_text() and "#2" in tooltip.inner_text()


def test_a_drawing_that_fails_leaves_the_static_view(page, tmp_path):
    """An error inside circuitsvis does not leave a blank output, and does not stop later pictures."""
    broken = interactive("Broken", Drawing("ColoredTokens", {}), "<p>still here</p>", "")
    page.goto(export(tmp_path, broken, text()))
    page.wait_for_function("() => document.querySelectorAll('.live')[1].style.visibility === 'visible'")
    assert page.wrong and page.locator(".still").first.is_visible()
    assert "still here" in page.locator(".still").first.inner_text()
    page.locator(".root").last.evaluate("root => root.replaceChildren()")  # an error later on
    page.locator(".still").last.wait_for()
