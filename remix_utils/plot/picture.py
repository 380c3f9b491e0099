"""Pictures made of HTML for notebooks and exported pages, and of text for terminals."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

from remix_utils.plot.style import INK


@dataclass(frozen=True, repr=False)
class Picture:
    """HTML that stands alone: it holds all it needs and asks no outside host.

    >>> Picture("<b>0.3</b>", "0.3")
    0.3
    """

    html: str
    text: str

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return self.text


def frame(title: str, body: str, marks: str = "") -> str:
    """The title above the body, black on white in dark notebooks too; `marks` are attributes.

    >>> frame("Loss", "<p>3.1</p>").endswith("<p>3.1</p></div>")
    True
    """
    font = "13px/1.5 Verdana, 'DejaVu Sans', sans-serif"
    paper = f"background:#fff; color:{INK}; font:{font}"
    look = f"position:relative; max-width:900px; padding:12px; {paper}"
    heading = f'<div style="font-size:16px; margin-bottom:6px">{escape(title)}</div>'
    return f'<div {marks} style="{look}">{heading}{body}</div>'


def legend(ticks: dict[float, str], stops: tuple[str, ...], unit: str, towards: str = "to right") -> str:
    """A bar of colours with ticks, place from 0 to 1 → label, and the unit beside it.

    `towards` is the direction of CSS's gradient; "to right in lab" mixes colours in Lab space.

    >>> "0.5" in legend({0.0: "0", 1.0: "0.5"}, ("#ffffff", "#000000"), "probability")
    True
    """
    bar = f"linear-gradient({towards}, {', '.join(stops)})"
    labels = "".join(
        f'<span style="position:absolute; top:11px; left:{place:.1%}; transform:translateX(-50%)">{label}</span> '
        for place, label in ticks.items()
    )
    return (
        '<div style="display:flex; gap:24px; margin:2px 14px 12px; font-size:12px">'
        f'<div style="position:relative; width:240px; height:28px">'
        f'<div style="height:10px; background:{bar}; border:1px solid #ccc"></div>{labels}</div>'
        f"<div style='line-height:12px'>{escape(unit)}</div></div>"
    )


def visible(token: str) -> str:
    """A token with its line breaks and tabs made visible; the rest as it is.

    >>> visible("end\\n")
    'end↵'
    """
    return token.replace("\n", "↵").replace("\t", "→")
