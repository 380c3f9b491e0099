"""circuitsvis comes from the installed package, once a notebook, and no outside host is asked for anything."""

import re
import subprocess
import sys
from types import SimpleNamespace

import nbformat
import pytest
from nbclient import NotebookClient

from remix_utils import plot
from remix_utils.errors import PlotError
from remix_utils.plot.interactive import Embedding, Run, bundle, drawing_of, readable
from tests.plot.passage import causal, words

BUNDLE = "var CircuitsVis="
# Every look-up of a host, connection and request is refused and written down.
REFUSING = """
import sys
asked = []
def refuse(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "urllib.Request"):
        asked.append(event)
        raise OSError("there is no network here")
sys.addaudithook(refuse)
import torch
from remix_utils import plot
picture = plot.tokens(["a"], [1.0], "Loss", "nats")
heads = plot.attention_heads(["a"], torch.ones(1, 1, 1), ["0"])
probabilities = plot.token_log_probs(torch.tensor([0, 0]), torch.zeros(2, 1), str)
for each in (picture, heads, probabilities):
    each._repr_html_(), repr(each), str(each), each.standalone()
ours = list(asked)
from circuitsvis.tokens import colored_tokens
colored_tokens(["a"], [1.0])._repr_html_()
print(ours, asked)
"""


def pictures():
    return [
        plot.tokens(words(6), [1.0] * 6, "Loss", "nats"),
        plot.attention_heads(words(6), causal(2, 6), ["a", "b"]),
        plot.attention_patterns(words(6), causal(2, 6), ["a", "b"]),
    ]


def test_no_host_is_asked():
    """Importing, drawing and showing ask for nothing, where circuitsvis's own display asks for a host."""
    run = subprocess.run([sys.executable, "-c", REFUSING], capture_output=True, text=True, check=True)
    assert run.stdout == "[] ['urllib.Request']\n"


def test_a_page_names_no_outside_host():
    """No tag loads an address, no script imports or fetches an address, no map of sources is named."""
    for picture in pictures():
        html = picture.standalone().html
        assert BUNDLE in html and "sourceMappingURL" not in html and "unpkg" not in html
        assert not re.search(r"""(?:src|href)\s*=\s*\\?["']?(?:https?:)?//""", html)
        assert not re.search(r"""(?:import|fetch|importScripts)\s*\(?\s*["'`]https?:""", html)


def test_the_bundle_is_embedded_once():
    """The first picture shown holds circuitsvis, further ones and their HTML without display do not."""
    shown = [picture._repr_html_() for picture in pictures()]
    assert [BUNDLE in html for html in shown] == [True, False, False]
    assert len(shown[0]) > 1_200_000 and max(map(len, shown[1:])) < 10_000
    assert not any(BUNDLE in picture.html for picture in pictures())


def test_a_picture_embeds_the_bundle_again_on_request():
    """A page that lost the first output has a way to get circuitsvis back."""
    first, second, _ = pictures()
    first._repr_html_()
    assert BUNDLE in second.standalone()._repr_html_()


def test_the_cell_that_runs_again_embeds_the_bundle_again():
    """Its old output is gone; the other cells' outputs stay as small as they were."""
    embedding = Embedding()
    runs = ("a", "1"), ("b", "2"), ("b", "3"), ("a", "4"), ("a", "4"), ("b", "5")
    claims = [embedding.claim(Run(cell, message)) for cell, message in runs]
    assert claims == [True, False, False, True, False, False]


def test_a_notebook_holds_the_bundle_once():
    """In a real kernel: after all cells ran in order, and after each cell ran again."""
    code = "from remix_utils import plot; plot.tokens(['a'], [{}.0], 'Loss', 'nats')"
    cells = [nbformat.v4.new_code_cell(code.format(value), id=f"cell-{value}") for value in (1, 2, 3)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    client = NotebookClient(notebook, timeout=120)
    client.create_kernel_manager().transport_encryption = "auto"
    with client.setup_kernel():
        for order in ((0, 1, 2), (0,), (2,), (1, 0)):
            for place in order:
                client.execute_cell(cells[place], place)
            held = [BUNDLE in cell.outputs[0]["data"]["text/html"] for cell in cells]
            assert held == [True, False, False]


def test_a_bundle_is_two_scripts():
    """No text inside circuitsvis ends its script too early."""
    assert bundle().count("</script") == 2


def test_tokens_reach_circuitsvis_as_text():
    """A joiner without width follows each character that could begin markup; line breaks are visible."""
    assert readable("a<b>&amp;\n") == "a<\u2060b>&\u2060amp;↵"


def test_a_token_that_looks_like_a_call_is_a_token():
    """circuitsvis's own call is the first on its page."""
    token = 'CircuitsVis.render("x", CircuitsVis.Hello, {})</script>'
    picture = plot.tokens([token], [1.0], "Loss", "nats")
    assert '"component":"ColoredTokens"' in picture.html
    assert "</script>" not in re.search(r'application/json">(.*)</script><script>', picture.html)[1]


@pytest.mark.parametrize("page", ["", "CircuitsVis.render(<App/>)</script>"])
def test_another_page_of_circuitsvis_is_refused(page):
    """A version that builds its page in another way is an error, not an empty picture."""
    with pytest.raises(PlotError, match="fix: install the locked version"):
        drawing_of(SimpleNamespace(local_src=page))
