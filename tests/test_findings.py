"""Finding cards: whole, escaped, offline; and an index that runs nothing of them."""

import re

import plotly.graph_objects as go
import pytest
from playwright.sync_api import sync_playwright

from remix_utils.classroom.findings import Figure, Finding, FindingError, save_card, save_index
from remix_utils.classroom.findings.beside import shared_figures
from remix_utils.classroom.findings.card import from_page
from remix_utils.cli import main
from tests.plot.browsing import CHROMIUM, needs_chromium

HOSTILE = "</script><script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
FIGURES = (Figure("share recovered", 0.62, 0.03, over="48 prompts"), Figure("cost", -1.5, 0.2, "48 prompts", "logits"))
TEXTS = {"does_not_show": "That no other head does it.", "refuted_by": "A prompt on which it fails."}


def finding(**changes):
    given = {"behaviour": "induction", "model": "smollm2", "claim": "Head 18.6 completes a name.", **TEXTS}
    return Finding(**{**given, "figures": FIGURES, "heads": [(18, 6), (2, 10)], **changes})


@pytest.fixture
def page():
    """A page without a network that writes down what it asks and what goes wrong."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1300, "height": 900})
        page.asked, page.wrong = [], []
        page.route(lambda url: url.startswith("http"), lambda route: route.abort())
        page.on("request", lambda each: page.asked.append(each.url) if each.url.startswith("http") else None)
        page.on("pageerror", lambda error: page.wrong.append(error.message))
        yield page
        browser.close()


def test_a_card_holds_its_finding(tmp_path):
    """What is saved is read back, hostile texts and all, and nothing of them is markup in the page."""
    found = finding(claim=HOSTILE, by=("Ada", HOSTILE), unexplained=HOSTILE)
    text = save_card(found, tmp_path).read_text()
    assert from_page(text) == found
    assert HOSTILE not in text and "<img" not in text and text.count("<script") == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"claim": " "}, "lacks claim"),
        ({"refuted_by": ""}, "lacks refuted by"),
        ({"does_not_show": None}, "lacks does not show"),
        ({"figures": []}, "has no figure"),
        ({"figures": [0.5]}, "is no Figure"),
        ({"heads": [(1, 2, 3)]}, "is no head"),
        ({"heads": ["1.2"]}, "is no head"),
        ({"heads": [(-1, 0)]}, "is no head"),
        ({"claim": "x" * 20_001}, "20,001 characters"),
    ],
)
def test_a_card_that_lacks_something_is_refused(changes, message):
    """A claim, its limits, what would refute it, figures, and heads as pairs."""
    with pytest.raises(FindingError, match=message + r"(.|\n)*fix: "):
        finding(**changes)


@pytest.mark.parametrize(("value", "se"), [(float("nan"), 0.1), (1.0, float("nan")), (1.0, -0.1), (True, 0.1)])
def test_a_figure_has_a_number_and_an_error(value, se):
    """NaN, a truth value and a negative error are no measured number."""
    with pytest.raises(FindingError, match="fix: "):
        Figure("share", value, se, over="prompts")


def test_no_file_is_lost(tmp_path):
    """A card is replaced only when this is asked for, and a file that is no card never."""
    path = save_card(finding(), tmp_path)
    with pytest.raises(FindingError, match="is there already"):
        save_card(finding(claim="Another."), tmp_path)
    assert "Head 18.6" in path.read_text()
    assert from_page(save_card(finding(claim="Another."), tmp_path, replace=True).read_text()).claim == "Another."
    path.write_text("my notes")
    with pytest.raises(FindingError, match="is no card"):
        save_card(finding(), tmp_path, replace=True)
    assert path.read_text() == "my notes"
    (tmp_path / "index.html").write_text("mine too")
    with pytest.raises(FindingError, match="is no index"):
        save_index(tmp_path)


def test_files_that_are_no_cards_are_listed(tmp_path, capsys):
    """Foreign pages, damaged data, several findings, links and other encodings, each with its reason."""
    good = save_card(finding(), tmp_path).read_text()
    (tmp_path / "foreign.html").write_text(f"<h1>{HOSTILE}</h1>")
    (tmp_path / "damaged.html").write_text(good.replace('"claim"', '"clam"'))
    (tmp_path / "cut.html").write_text(good[: good.index("</script>")])
    (tmp_path / "twice.html").write_text(good + good)
    (tmp_path / "latin.html").write_bytes("caf\u00e9".encode("latin-1"))
    (tmp_path / "nested.html").write_text(
        re.sub(r'finding">.*</script>', 'finding">' + "[" * 99_999 + "</script>", good, flags=re.S)
    )
    (tmp_path / "link.html").symlink_to("/etc/passwd")
    text = save_index(tmp_path).read_text()
    assert text.count("<article") == 1 and text.count("<li>") == 7
    assert HOSTILE not in text and "root:" not in text
    assert main(["finding", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "1 cards in" in said and "foreign.html is no card: The page holds 0 findings." in said


def test_a_folder_without_cards_is_said(tmp_path, capsys):
    """A missing folder is an error with a fix, and an empty one an index of nothing."""
    assert main(["finding", str(tmp_path / "nowhere")]) == 2
    assert "fix: " in capsys.readouterr().err
    assert "of 0 cards" in save_index(tmp_path).read_text()


def test_figures_that_models_share_stand_beside_each_other(tmp_path):
    """A line for each figure of one behaviour that two models have, escaped; a figure of one model has none."""
    other = (Figure("share recovered", 0.4, 0.1, over="9 prompts", unit="<b>"), Figure("only here", 1.0, 0.1, "rows"))
    cards = [finding(), finding(model="gpt2", figures=other), finding(behaviour="gender", figures=other)]
    shared = shared_figures(cards, "induction")
    assert {name: list(models) for name, models in shared.items()} == {"share recovered": ["smollm2", "gpt2"]}
    for card in cards:
        save_card(card, tmp_path)
    text = save_index(tmp_path).read_text()
    assert text.count("the same way?") == 1 and "0.4 ± 0.1 &lt;b&gt;" in text and "<b>" not in text
    row = text[text.index("the same way?") :]
    assert row.index("gpt2") < row.index("0.4 ± 0.1") < row.index("0.62 ± 0.03")


@needs_chromium
def test_a_card_opens_offline_with_its_figures_drawn(page, tmp_path):
    """Dots, bars and a plotly figure stand in the page, which asks nobody and runs nothing of its texts."""
    figure = go.Figure(go.Bar(x=["18.6", "2.10"], y=[0.6, 0.1]))
    path = save_card(finding(claim=HOSTILE), tmp_path, pictures=[figure])
    page.goto(path.as_uri())
    page.wait_for_selector(".plotly .bars path")
    assert page.locator("svg[role=img] circle").count() == 2
    for text in page.locator("svg[role=img] text").all():
        box = text.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 1300
    assert page.title() == "induction, smollm2" and page.asked == [] and page.wrong == []


@needs_chromium
def test_the_index_filters_and_compares(page, tmp_path):
    """Choosing a behaviour leaves its two models side by side; choosing a head leaves the cards about it."""
    save_card(finding(claim=HOSTILE), tmp_path)
    save_card(finding(model="gpt2", heads=[(5, 1)]), tmp_path)
    save_card(finding(behaviour="greater-than", heads=[(18, 6)]), tmp_path)
    page.goto(save_index(tmp_path).as_uri())
    shown = page.locator("article:visible")
    assert shown.count() == 3 and page.locator("#shown").inner_text() == "3"
    page.select_option("select[name=behaviour]", "induction")
    left, right = (each.bounding_box() for each in shown.all())
    assert left["y"] == right["y"] and left["x"] + left["width"] <= right["x"]
    page.select_option("select[name=behaviour]", "")
    page.select_option("select[name=head]", "18.6")
    assert shown.count() == 2 and page.locator("#shown").inner_text() == "2"
    assert page.locator("select[name=layer] option").all_inner_texts() == ["all", "2", "5", "18"]
    assert page.title() == "Findings" and page.asked == [] and page.wrong == []
