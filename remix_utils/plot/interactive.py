"""Embeds circuitsvis once a notebook, and a static view in every picture that circuitsvis draws."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol

from remix_utils.errors import PlotError
from remix_utils.plot.picture import Picture, frame, visible

SCRIPT = Path(__file__).with_suffix(".js")
CALL = re.compile(
    r'CircuitsVis\.render\(\s*"[^"]*",\s*CircuitsVis\.(\w+),\s*(\{.*\})\s*\)\s*</script>\s*',
    re.DOTALL,
)
MIXED = "to right in lab"  # circuitsvis mixes colours in Lab space
NOTE = (
    '<div style="color:#666; font-size:12px">Static view. The interactive view needs JavaScript '
    "and circuitsvis in this notebook: restart the kernel and run all cells, or show "
    "<code>picture.standalone()</code>.</div>"
)


class Rendered(Protocol):
    """The page that a function of circuitsvis returns, with the JavaScript inside.

    Its `_repr_html_` asks an outside host whether there is a network, so we read `local_src` only.
    """

    local_src: str


@dataclass(frozen=True)
class Run:
    """One run of one cell, as the Jupyter protocol names both; empty outside a notebook.

    >>> Run("cell-1", "message-7").cell
    'cell-1'
    """

    cell: str
    message: str


class Embedding:
    """Decides which output of a notebook holds the 1.3 MB of circuitsvis.

    The first figure that is shown does. If its cell runs again, its old output is gone, so the new
    output holds the bundle again.

    >>> embedding = Embedding()
    >>> [embedding.claim(Run("first", "1")), embedding.claim(Run("second", "2"))]
    [True, False]
    >>> embedding.claim(Run("first", "3"))
    True
    """

    def __init__(self) -> None:
        self.holder: Run | None = None

    def claim(self, run: Run) -> bool:
        """Tells whether this run's output must hold the bundle, and remembers the run if so."""
        held_elsewhere = self.holder is not None and run.cell != self.holder.cell
        if held_elsewhere or run == self.holder:
            return False
        self.holder = run
        return True


EMBEDDING = Embedding()  # one a kernel


@dataclass(frozen=True, repr=False)
class InteractivePicture(Picture):
    """A picture that circuitsvis draws in a browser, and that is a static view everywhere else.

    The first one shown in a notebook embeds circuitsvis, 1.3 MB; each further one holds only its
    own data. No outside host is asked for anything.

    >>> InteractivePicture("<b>0.3</b>", "0.3")
    0.3
    """

    def _repr_html_(self) -> str:
        return self.standalone().html if EMBEDDING.claim(current_run()) else self.html

    def standalone(self) -> Picture:
        """Returns the picture with circuitsvis inside, for a page without the first such output.

        >>> len(InteractivePicture("", "").standalone().html) > 1_000_000
        True
        """
        return Picture(self.html + bundle(), self.text)


@dataclass(frozen=True)
class Drawing:
    """A component of circuitsvis and the data that the component draws.

    >>> Drawing("ColoredTokens", {"tokens": ["a"], "values": [1.0]}).component
    'ColoredTokens'
    """

    component: str
    props: dict[str, Any]


def drawing_of(rendered: Rendered) -> Drawing:
    """Returns what circuitsvis would draw, without its JavaScript, and numbers to four digits.

    >>> from circuitsvis.tokens import colored_tokens
    >>> drawing_of(colored_tokens(["a"], [1.23456])).props
    {'tokens': ['a'], 'values': [1.235]}
    """
    page = rendered.local_src
    # The first call is circuitsvis's own: a token whose text looks like a call comes later.
    call = CALL.fullmatch(page, max(page.find("CircuitsVis.render("), 0))
    if call is None:
        raise PlotError(
            "This version of circuitsvis builds its page in a way that is not known here.",
            fix="install the locked version: pip install -r requirements.txt",
        )
    props = json.loads(call[2], parse_float=lambda digits: float(f"{float(digits):.4g}"))
    return Drawing(call[1], props)


def interactive(
    title: str, drawing: Drawing, still: str, text: str, legend: str = "", room: int = 0
) -> InteractivePicture:
    """Builds a picture from what circuitsvis draws and a static view of the same content.

    `legend` explains the interactive view, and `room` is its free space at the bottom in pixels,
    where circuitsvis shows its tooltips.

    >>> interactive("Loss", Drawing("ColoredTokens", {}), "<p>a</p>", "a 1.00")
    a 1.00
    """
    given = json.dumps(asdict(drawing), ensure_ascii=False, separators=(",", ":"))
    given = given.replace("<", "\\u003c")  # no token ends the script
    body = (
        f'<div class="still">{still}{NOTE}</div>'
        f'<div class="live" style="display:none; padding-bottom:{room}px">{legend}'
        '<div class="root"></div></div>'
        f'<script class="given" type="application/json">{given}</script>'
        "<script>window.remixDrawCircuitsVis?.()</script>"
    )
    return InteractivePicture(frame(title, body, "data-remix-circuitsvis"), text)


def bundle() -> str:
    """Returns circuitsvis's JavaScript from the installed package, and the script that calls it.

    >>> "sourceMappingURL" in bundle()
    False
    """
    source = files("circuitsvis").joinpath("dist/cdn/iife.js").read_text(encoding="utf-8")
    source = re.sub(r"//# sourceMappingURL=\S+", "", source)  # a browser's tools would ask for it
    source = source.replace("</script", r"<\/script")
    return f"<script>{source}</script><script>{SCRIPT.read_text(encoding='utf-8')}</script>"


def current_run() -> Run:
    """Returns the run of the cell that is executing now.

    >>> current_run()
    Run(cell='', message='')
    """
    from IPython.core.getipython import get_ipython

    # A kernel's shell knows the message that runs the cell; a terminal's shell has none.
    get_parent = getattr(get_ipython(), "get_parent", dict)
    parent = get_parent()
    if not parent:
        return Run("", "")
    # JupyterLab names its cells; elsewhere a cell is known by its code.
    cell = parent["metadata"].get("cellId") or parent["content"].get("code", "")
    return Run(cell, parent["header"]["msg_id"])


def readable(token: str) -> str:
    """Returns a token as circuitsvis must be given it, with visible breaks and without markup.

    circuitsvis puts tokens into a page as HTML. An invisible word joiner after `<` and `&` keeps
    them from being read as markup, in the text as in tooltips, which show tokens as they are.

    >>> readable("<b>\\n") == "<\\u2060b>↵"
    True
    """
    return re.sub("[<&]", "\\g<0>\u2060", visible(token))
