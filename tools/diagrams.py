"""Finds the lessons' diagrams and puts them into notebooks.

A day's `solutions/dayN_x/diagrams.py` has a function for each diagram, which returns a `Drawing`.
A master shows it with a line `![a description of the whole picture](diagram:name)`.

    python -m tools.diagrams             draws them all into build/diagrams/, with a page to look at
"""

import base64
import re
from collections.abc import Callable
from html import escape
from inspect import isfunction
from pathlib import Path

from remix_utils.errors import nearest
from tools.drawing import Drawing
from tools.plates import DiagramError

ROOT = Path(__file__).resolve().parents[1]
SHOWN = re.compile(r"!\[(?P<alt>[^\]]*)\]\(diagram:(?P<name>[^)]*)\)")
PAGE = """<!doctype html>
<meta charset="utf-8"><title>Diagrams</title>
<style>
figure {{ margin: 0; padding: 20px }}
.light {{ background: #fff }}
.dark {{ background: #111 }}
</style>
{figures}
"""


def embedded(source: str, folder: Path) -> str:
    """Returns a cell's markdown in which each diagram is an image that the cell itself carries.

    The images follow the text, as link definitions with data URLs. JupyterLab does not show an SVG
    that is an attachment of its cell, and a file beside the notebook is lost with the first copy.
    """
    names = list(dict.fromkeys(shown["name"] for shown in SHOWN.finditer(source)))
    for shown in SHOWN.finditer(source):
        require_alt(shown["alt"], shown["name"])
    text = SHOWN.sub(r"![\g<alt>][\g<name>]", source)
    if "](diagram:" in text:
        raise DiagramError(
            f"A diagram of {folder.name} is shown by a line that cannot be read.",
            fix="write ![alt text](diagram:name), with no square brackets in the alt text.",
        )
    return "\n\n".join([text, *(f"[{name}]: {data_url(draw(name, folder))}" for name in names)])


def require_alt(alt: str, name: str) -> None:
    if not alt.strip():
        raise DiagramError(
            f"The diagram {name!r} has no alt text.",
            fix="describe the whole picture between the square brackets.",
        )


def draw(name: str, folder: Path) -> Drawing:
    """Returns the drawing with this name of a day's folder; DiagramError names the nearest one."""
    known = drawings(folder)
    if name not in known:
        raise DiagramError(
            f"{folder.name} has no diagram {name!r}; {nearest(name, known)}.",
            fix=f"use that name, or write a function {name} in {folder.name}/diagrams.py.",
        )
    return known[name]()


def drawings(folder: Path) -> dict[str, Callable[[], Drawing]]:
    """Returns the public functions of a day's diagrams.py by name, if there is such a file."""
    path = folder / "diagrams.py"
    if not path.exists():
        return {}
    names: dict = {"__name__": f"diagrams of {folder.name}"}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), names)
    functions = {name: value for name, value in names.items() if isfunction(value)}
    own = names["__name__"]  # a function that was only imported has another module
    return {
        name: function
        for name, function in functions.items()
        if function.__module__ == own and not name.startswith("_")
    }


def data_url(drawing: Drawing) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.svg().encode()).decode()


def write_page(root: Path, folder: Path) -> list[Path]:
    """Writes every diagram of the course, and a page that shows each on white and on black."""
    folder.mkdir(parents=True, exist_ok=True)
    paths, figures = [], []
    for day in sorted(root.glob("solutions/day*_*")):
        for name, function in drawings(day).items():
            paths.append(folder / f"{day.name}-{name}.svg")
            paths[-1].write_text(function().svg(), encoding="utf-8")
            image = f'<img src="{paths[-1].name}" alt="{escape(name)}">'
            figures += [f'<figure class="{page}">{image}</figure>' for page in ("light", "dark")]
    paths.append(folder / "index.html")
    paths[-1].write_text(PAGE.format(figures="\n".join(figures)), encoding="utf-8")
    return paths


if __name__ == "__main__":
    print("\n".join(map(str, write_page(ROOT, ROOT / "build" / "diagrams"))))
