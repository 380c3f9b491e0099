"""The page of one finding: self-contained, offline, its figures drawn."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import plotly.graph_objects as go

from remix_utils.classroom.findings.card import Figure, Finding, FindingError, counted_heads, from_page, slug
from remix_utils.plot.picture import Picture
from remix_utils.plot.style import COLOURS, INK

STYLE = """
:root { color-scheme: light; }
body { margin: 0 auto; padding: 24px; max-width: 900px; background: #fff; color: #222;
       font: 16px/1.55 Verdana, "DejaVu Sans", sans-serif; }
h1 { font-size: 22px; line-height: 1.35; } h2 { font-size: 16px; margin: 20px 0 4px; }
p { margin: 4px 0; white-space: pre-wrap; overflow-wrap: anywhere; }
.about { color: #444; } table { border-collapse: collapse; } th, td { padding: 3px 14px 3px 0; text-align: left; }
td.number { text-align: right; white-space: nowrap; } svg text { font: 13px Verdana, "DejaVu Sans", sans-serif; }
"""
WIDTH, LINE, NAMES = 820, 34, 300  # of the drawn figures: the whole, a line, and the room of the names


def save_card(
    finding: Finding, folder: str | Path, pictures: Sequence[go.Figure | Picture] = (), replace: bool = False
) -> Path:
    """Writes a finding as one HTML page into a folder, and returns its path.

    The page holds all it needs and asks no outside host. Its name is made of the behaviour and the model. A card of
    that name is left alone unless `replace` is true, and a file that is no card is never replaced.

    >>> import tempfile
    >>> figure = Figure("P(later year)", 0.985, 0.001, over="40 prompts")
    >>> texts = {"does_not_show": "Which heads.", "refuted_by": "A year after which it fails."}
    >>> found = Finding("greater-than", "smollm2", "It names a later year.", **texts, figures=[figure])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_card(found, folder).name
    'greater-than--smollm2.html'

    Raises FindingError for a file that would be lost, and for a picture of another kind.
    """
    path = Path(folder) / f"{slug(finding.behaviour)}--{slug(finding.model)}.html"
    text = page(finding, pictures)
    if path.exists():
        require_replaceable(path, replace)
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
    return path


def require_replaceable(path: Path, replace: bool) -> None:
    """Raises FindingError unless the file is a card that may be replaced."""
    try:
        from_page(path.read_text(encoding="utf-8"))
    except (FindingError, OSError, UnicodeDecodeError) as problem:
        raise FindingError(f"{path} is there, and is no card.", fix="move it away, or choose a folder.") from problem
    if not replace:
        raise FindingError(f"{path} is there already.", fix="pass replace=True, or choose another folder.")


def page(finding: Finding, pictures: Sequence[go.Figure | Picture] = ()) -> str:
    """Returns the text of a card's page; everything of the finding is escaped in it."""
    sections = [
        ("Claim", finding.claim),
        ("What this does not show", finding.does_not_show),
        ("What would refute it", finding.refuted_by),
        ("What is unexplained", finding.unexplained),
    ]
    body = [f"<h1>{escape(finding.behaviour)}, in {escape(finding.model)}</h1>", about(finding)]
    body += [f"<h2>{title}</h2><p>{escape(text)}</p>" for title, text in sections[:1]]
    body += ["<h2>What it rests on</h2>", table(finding.figures), drawn(finding.figures)]
    body += [f"<h2>{title}</h2><p>{escape(text)}</p>" for title, text in sections[1:] if text]
    body += shown(pictures)
    data = f'<script type="application/json" id="remix-finding">{finding.json()}</script>'
    title = f"{escape(finding.behaviour)}, {escape(finding.model)}"
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>\n'
        f"<body>{''.join(body)}\n{data}</body></html>\n"
    )


def about(finding: Finding) -> str:
    """Returns the line below the title: the heads and the people."""
    parts = []
    if finding.heads:
        parts.append(f"Heads {counted_heads(finding.heads)}")
    if finding.by:
        parts.append("by " + ", ".join(finding.by))
    return f'<p class="about">{escape(". ".join(parts))}</p>'


def table(figures: Sequence[Figure]) -> str:
    """Returns the figures as an HTML table, each with its error and what that is over."""
    rows = [
        f'<tr><td>{escape(each.name)}</td><td class="number">{each.value:.4g} ± {each.se:.2g} {escape(each.unit)}</td>'
        f"<td>{escape(each.over)}</td></tr>"
        for each in figures
    ]
    return "<table><tr><th>figure</th><th>value ± standard error</th><th>over</th></tr>" + "".join(rows) + "</table>"


def drawn(figures: Sequence[Figure]) -> str:
    """Returns the figures of each unit as dots with bars of two standard errors, as SVG."""
    units = dict.fromkeys(each.unit for each in figures)
    return "".join(_axis([each for each in figures if each.unit == unit], unit) for unit in units)


def _axis(figures: Sequence[Figure], unit: str) -> str:
    ends = [each.value + side * 2 * each.se for each in figures for side in (-1, 1)]
    low, high = min(0.0, *ends), max(0.0, *ends)
    span = (high - low) or 1.0
    height = LINE * len(figures) + 40

    def x(value: float) -> float:
        return NAMES + 20 + (value - low) / span * (WIDTH - NAMES - 60)

    lines = [
        f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="0" y2="{height - 36}" stroke="#767676" stroke-dasharray="3 3"/>'
    ]
    for place, each in enumerate(figures):
        y = LINE * place + LINE / 2
        left, right = x(each.value - 2 * each.se), x(each.value + 2 * each.se)
        name = each.name if len(each.name) <= 38 else each.name[:37] + "…"
        lines += [
            f'<text x="{NAMES}" y="{y + 4:.1f}" text-anchor="end" fill="{INK}">{escape(name)}</text>',
            f'<line x1="{left:.1f}" x2="{right:.1f}" y1="{y}" y2="{y}" stroke="{COLOURS[0]}" stroke-width="3"/>',
            f'<circle cx="{x(each.value):.1f}" cy="{y}" r="5" fill="{COLOURS[0]}"/>',
        ]
    ticks = dict.fromkeys((low, 0.0, high))
    lines += [
        f'<text x="{x(tick):.1f}" y="{height - 20}" text-anchor="middle" fill="{INK}">{tick:.3g}</text>'
        for tick in ticks
    ]
    note = f"{unit}, bars are two standard errors" if unit else "bars are two standard errors"
    lines.append(
        f'<text x="{(NAMES + WIDTH) / 2}" y="{height - 3}" text-anchor="middle" fill="{INK}">{escape(note)}</text>'
    )
    label = escape("; ".join(f"{each.name} {each.value:.4g} ± {each.se:.2g}" for each in figures), quote=True)
    return f'<svg role="img" aria-label="{label}" width="{WIDTH}" height="{height}">{"".join(lines)}</svg>'


def shown(pictures: Sequence[go.Figure | Picture]) -> list[str]:
    """Returns the pictures as HTML, with plotly's script once where one of them needs it."""
    parts, needs_script = [], True
    for each in pictures:
        if isinstance(each, go.Figure):
            parts.append(each.to_html(full_html=False, include_plotlyjs=needs_script))
            needs_script = False
        elif isinstance(each, Picture):
            parts.append(each.html)
        else:
            raise FindingError(f"A {type(each).__name__} is no picture.", fix="pass what a function of plot returns.")
    return ["<h2>Pictures</h2>", *parts] if parts else []
