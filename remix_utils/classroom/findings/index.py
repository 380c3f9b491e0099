"""The page over all cards of a folder: filter them, and read two models' cards side by side."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from urllib.parse import quote

from remix_utils.classroom.findings.beside import beside
from remix_utils.classroom.findings.card import Finding, FindingError, counted_heads, from_page
from remix_utils.classroom.findings.page import STYLE, table

LARGEST = 40_000_000  # bytes of a card with a dozen pictures; a larger file is not read
NAME = "index.html"
MARK = "<!-- an index of finding cards -->"
GRID = """
body { max-width: 1400px; }
main { display: grid; grid-template-columns: repeat(auto-fill, minmax(420px, 1fr)); gap: 20px; }
article { border: 1px solid #999; border-radius: 6px; padding: 14px; overflow: hidden; }
article[hidden] { display: none; }
form { display: flex; flex-wrap: wrap; gap: 16px; margin: 12px 0 20px; }
label { display: flex; flex-direction: column; font-size: 14px; } select { font: inherit; min-width: 140px; }
"""
FILTERS = ("model", "behaviour", "layer", "head")


def save_index(folder: str | Path) -> Path:
    """Writes index.html over the cards of a folder, and returns its path.

    The index reads the data of each card and shows them as text. Nothing of a card is executed, and a file that is no
    card is listed with the reason. Filters choose a model, a behaviour, a layer and a head; the cards of one behaviour
    stand side by side, and below them a table has the figures that several models share.

    Raises FindingError for a folder that is not there, and where index.html is another page.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise FindingError(f"There is no folder {folder}.", fix="save a card first: save_card(finding, folder).")
    path = folder / NAME
    if path.exists() and MARK not in path.read_text(encoding="utf-8", errors="replace"):
        raise FindingError(f"{path} is there, and is no index of cards.", fix="move it away.")
    cards, others = read_folder(folder)
    path.write_text(page(cards, others), encoding="utf-8")
    return path


def read_folder(folder: Path) -> tuple[dict[str, Finding], dict[str, str]]:
    """Returns the cards of a folder by file name, and why each other HTML file is none."""
    cards: dict[str, Finding] = {}
    others: dict[str, str] = {}
    for path in sorted(folder.glob("*.html")):
        if path.name == NAME:
            continue
        try:
            cards[path.name] = read_card(path)
        except FindingError as problem:
            others[path.name] = str(problem).splitlines()[0]
    return cards, others


def read_card(path: Path) -> Finding:
    """Returns the finding in a file; FindingError where it is no card, or no file of this folder."""
    if path.is_symlink() or not path.is_file():
        raise FindingError("It is a link or no file.", fix="copy the card itself.")
    if path.stat().st_size > LARGEST:
        raise FindingError(f"It is larger than {LARGEST:,} bytes.", fix="save the card with fewer pictures.")
    try:
        return from_page(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        raise FindingError("It cannot be read as text.", fix="save the card again.") from problem


def page(cards: dict[str, Finding], others: dict[str, str]) -> str:
    """Returns the text of the index."""
    counted = f"{len(cards)} card" + "s" * (len(cards) != 1)
    body = [MARK, "<h1>Findings</h1>", f'<p><span id="shown">{len(cards)}</span> of {counted} shown</p>']
    body += [filters(cards), "<main>", *(article(name, each) for name, each in cards.items()), "</main>"]
    body.append(beside(cards.values()))
    if others:
        rows = [f"<li>{escape(name)}: {escape(reason)}</li>" for name, reason in others.items()]
        body += ["<h2>Files that are no cards, and were not opened</h2><ul>", *rows, "</ul>"]
    script = files("remix_utils.classroom.findings").joinpath("index.js").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>Findings</title>\n'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}{GRID}</style></head>\n'
        f"<body>{''.join(body)}\n<script>{script}</script></body></html>\n"
    )


def choices(finding: Finding) -> Iterator[tuple[str, str]]:
    """Yields what a card may be chosen by: (filter, value)."""
    yield "model", finding.model
    yield "behaviour", finding.behaviour
    for layer, head in finding.heads:
        yield "layer", str(layer)
        yield "head", f"{layer}.{head}"


def filters(cards: dict[str, Finding]) -> str:
    """Returns a menu for each filter, with the values that occur."""
    values: dict[str, set[str]] = {name: set() for name in FILTERS}
    for each in cards.values():
        for name, value in choices(each):
            values[name].add(value)
    menus = []
    for name, found in values.items():
        options = "".join(
            f'<option value="{escape(each, quote=True)}">{escape(each)}</option>' for each in _sorted(found)
        )
        menus.append(f'<label>{name}<select name="{name}"><option value="">all</option>{options}</select></label>')
    return f"<form>{''.join(menus)}</form>"


def _sorted(values: set[str]) -> list[str]:
    """Returns numbers and heads by size, and names by the alphabet."""
    return sorted(values, key=lambda value: ([int(part) for part in value.split(".") if part.isdecimal()], value))


def article(name: str, finding: Finding) -> str:
    """Returns a card's summary, with what it may be chosen by."""
    chosen: dict[str, list[str]] = {}
    for key, value in choices(finding):
        chosen.setdefault(key, []).append(value)
    marks = " ".join(
        f'data-{key}="{escape(chr(31).join(dict.fromkeys(values)), quote=True)}"' for key, values in chosen.items()
    )
    heads = f"<p>Heads {counted_heads(finding.heads)}</p>" if finding.heads else ""
    texts = [("Claim", finding.claim), ("Does not show", finding.does_not_show), ("Refuted by", finding.refuted_by)]
    parts = "".join(f"<h2>{title}</h2><p>{escape(text)}</p>" for title, text in texts)
    return (
        f"<article {marks}><h1>{escape(finding.behaviour)}, in {escape(finding.model)}</h1>{heads}"
        f'{parts}{table(finding.figures)}<p><a href="{quote(name)}">the whole card</a></p></article>'
    )
