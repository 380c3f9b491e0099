"""The drawn diagrams: legible on light and dark pages, tidy, described in words, and shown."""

import base64
import re
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_markdown_cell, new_notebook

from remix_utils.plot.style import contrast
from tools import diagrams
from tools.drawing import HEAD, Arrow
from tools.plates import Box, DiagramError, text_width

ROOT = Path(__file__).parents[1]
DAYS = sorted(path.parent for path in ROOT.glob("solutions/day*_*/diagrams.py"))
PAIRS = [(day, name, make) for day in DAYS for name, make in diagrams.drawings(day).items()]
DRAWN = {f"{day.name}/{name}": make for day, name, make in PAIRS}
MASTERS = sorted(ROOT.glob("solutions/day*_*/part*_*.py"))
SHOWN = [
    (master, shown["name"], shown["alt"])
    for master in MASTERS
    for shown in diagrams.SHOWN.finditer(master.read_text(encoding="utf-8"))
]
PAGES = ("#ffffff", "#111111")  # JupyterLab's light and dark themes
SVG = "{http://www.w3.org/2000/svg}"

each_drawing = pytest.mark.parametrize("drawn", [make() for make in DRAWN.values()], ids=DRAWN)


def numbers(element, *names):
    return [float(element.get(name)) for name in names]


def texts_on_plates(svg):
    """Every text of an SVG with the last rectangle that was drawn below it, or None."""
    found, rectangles = [], []
    for element in ElementTree.fromstring(svg).iter():
        if element.tag == f"{SVG}rect":
            rectangles.append(element)
        if element.tag == f"{SVG}text":
            x, y = numbers(element, "x", "y")
            around = [each for each in rectangles if inside((x, y), frame_of(each))]
            found.append((element, around[-1] if around else None))
    return found


def frame_of(rectangle):
    x, y, width, height = numbers(rectangle, "x", "y", "width", "height")
    return x, y, x + width, y + height


def inside(point, frame, gap=0.0):
    """Whether a point lies in a frame and further than the gap from its edge."""
    left, top, right, bottom = frame
    return left + gap < point[0] < right - gap and top + gap < point[1] < bottom - gap


def on_edge(point, frame):
    """Whether a point lies on the edge of a frame."""
    return inside(point, frame, gap=-0.01) and not inside(point, frame, gap=0.01)


def words(label):
    return re.findall(r"[\w.]*\w", label.lower())


def test_there_is_a_drawing_for_each_day():
    """The tests below have something to look at."""
    assert {name.split("/")[0] for name in DRAWN} == {path.parent.name for path in MASTERS}


@each_drawing
def test_every_text_stands_out_from_its_plate(drawn):
    """The contrast of a text with its plate is at least 4.5, whatever the page around it."""
    found = texts_on_plates(drawn.svg())
    assert len(found) >= len(drawn.plates)
    for text, plate in found:
        assert plate is not None, text.text
        assert contrast(text.get("fill"), plate.get("fill")) >= 4.5, text.text


@each_drawing
@pytest.mark.parametrize("page", PAGES)
def test_every_line_stands_out_from_the_page(drawn, page):
    """Lines, arrowheads and outlines have a contrast of at least 3 with a light and a dark page."""
    elements = list(ElementTree.fromstring(drawn.svg()).iter())
    lines = {each.get("stroke") for each in elements} - {None}
    heads = {each.get("fill") for each in elements if each.tag == f"{SVG}path"} - {"none"}
    assert lines and heads
    assert [colour for colour in sorted(lines | heads) if contrast(colour, page) < 3] == []


@each_drawing
def test_every_text_fits_its_plate(drawn):
    """The widest font leaves room at both ends of a line, and all lines lie within the plate."""
    for text, plate in texts_on_plates(drawn.svg()):
        x, y, size = numbers(text, "x", "y", "font-size")
        left, top, right, bottom = frame_of(plate)
        half = text_width(text.text, size) / 2
        assert left + 3 <= x - half and x + half <= right - 3, text.text
        assert top <= y - 0.75 * size and y + 0.25 * size <= bottom, text.text


@each_drawing
def test_nothing_lies_on_anything_else(drawn):
    """Plates do not overlap, and an arrow passes no box on its way."""
    for one, other in combinations(drawn.plates, 2):
        apart = (
            one.frame[2] <= other.frame[0]
            or other.frame[2] <= one.frame[0]
            or one.frame[3] <= other.frame[1]
            or other.frame[3] <= one.frame[1]
        )
        assert apart, (one.label, other.label)
    boxes = [part for part in drawn.parts if isinstance(part, Box)]
    for arrow in (part for part in drawn.parts if isinstance(part, Arrow)):
        for place in (arrow.place(step / 100) for step in range(101)):
            crossed = [box.label for box in boxes if inside(place, box.frame, gap=0.5)]
            assert crossed == [], arrow


@each_drawing
def test_every_arrow_joins_two_things(drawn):
    """An arrow starts and ends at a box or a stream, and is longer than its head."""
    frames = [part.frame for part in drawn.parts if not isinstance(part, Arrow)]
    for arrow in (part for part in drawn.parts if isinstance(part, Arrow)):
        *_, before, tip = arrow.corners
        for end in (arrow.corners[0], tip):
            assert any(on_edge(end, frame) for frame in frames), (arrow.label, end)
        assert abs(tip[0] - before[0]) + abs(tip[1] - before[1]) > 1.5 * HEAD


@each_drawing
def test_a_drawing_is_an_image_with_a_title(drawn):
    """It has a name, nothing is cut off, the page shows through, and no notebook shrinks it."""
    root = ElementTree.fromstring(drawn.svg())
    assert root.get("role") == "img"
    assert root[0].tag == f"{SVG}title" and len(words(root[0].text)) > 2
    left, top, width, height = map(float, root.get("viewBox").split())
    assert numbers(root, "width", "height") == [width, height] and width <= 800
    for plate in root.iter(f"{SVG}rect"):
        edge = float(plate.get("stroke-width", 0)) / 2
        x0, y0, x1, y1 = frame_of(plate)
        assert left < x0 - edge and x1 + edge < left + width
        assert top < y0 - edge and y1 + edge < top + height
        assert (x1 - x0) * (y1 - y0) < width * height / 4


@pytest.mark.parametrize("name", DRAWN)
def test_a_drawing_has_the_same_bytes_each_time(name):
    """Coordinates have one decimal, so that no rounding of some machine shows."""
    svg = DRAWN[name]().svg()
    assert svg == DRAWN[name]().svg()
    assert not re.search(r"\d\.\d\d", re.sub(r"<text[^>]*>[^<]*|<title>[^<]*", "", svg))


def test_every_drawing_is_shown_by_a_lesson_of_its_day():
    """No diagram is left over, and no lesson shows a diagram that does not exist."""
    assert {f"{master.parent.name}/{name}" for master, name, alt in SHOWN} == set(DRAWN)


@pytest.mark.parametrize("name", DRAWN)
def test_alt_text_describes_the_whole_picture(name):
    """Every word of every label is in the alt text, which is a sentence or more."""
    alts = [alt for master, shown, alt in SHOWN if f"{master.parent.name}/{shown}" == name]
    assert alts
    labels = " ".join(plate.label for plate in DRAWN[name]().plates)
    for alt in alts:
        assert set(words(labels)) - set(words(alt)) == set()
        assert len(words(alt)) >= 15 and alt.endswith(".")


@pytest.fixture
def day(tmp_path):
    """A day with two diagrams."""
    folder = tmp_path / "solutions" / "day9_x"
    folder.mkdir(parents=True)
    (folder / "diagrams.py").write_text(
        "from tools.drawing import Drawing\nfrom tools.plates import Box\n\n\n"
        "def one_box():\n    return Drawing('One box', (_box('a < b'),))\n\n\n"
        "def two_boxes():\n    return Drawing('Two boxes', (_box('a'), Box('b', at=(90, 0))))\n\n\n"
        "def _box(label):\n    return Box(label, at=(0, 0))\n"
    )
    return folder


def test_a_cell_carries_its_diagrams(day):
    """The alt text stays in its place, and each picture follows once, however often it is shown."""
    source = "![One.](diagram:one_box)\n\n![Two.](diagram:two_boxes) ![Again.](diagram:one_box)"
    text, first, second = diagrams.embedded(source, day).rsplit("\n\n", 2)
    assert text == "![One.][one_box]\n\n![Two.][two_boxes] ![Again.][one_box]"
    assert first.startswith("[one_box]: data:image/svg+xml;base64,")
    svg = base64.b64decode(second.removeprefix("[two_boxes]: data:image/svg+xml;base64,"))
    assert svg.decode() == diagrams.draw("two_boxes", day).svg()
    assert diagrams.embedded("[a link](https://x.y)", day) == "[a link](https://x.y)"


def test_a_notebooks_page_shows_the_diagram(day):
    """nbconvert's page has the image, byte for byte, with its alt text."""
    source = diagrams.embedded("![A box.](diagram:one_box)", day)
    notebook = new_notebook(cells=[new_markdown_cell(source, id="a")])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    pattern = r'<img alt="A box\." src="data:image/svg\+xml;base64,([^"]*)"'
    (image,) = re.findall(pattern, page)
    assert base64.b64decode(image).decode() == diagrams.draw("one_box", day).svg()


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("![A box.](diagram:one_bax)", r"day9_x has no diagram 'one_bax'; nearest: 'one_box'"),
        ("![A box.](diagram:_box)", r"no diagram '_box'"),
        ("![A box.](diagram:Drawing)", r"no diagram 'Drawing'"),
        ("![](diagram:one_box)", r"'one_box' has no alt text"),
        ("![ ](diagram:one_box)", r"'one_box' has no alt text"),
        ("![A box [1].](diagram:one_box)", r"a line that cannot be read"),
        ("[A box.](diagram:one_box)", r"a line that cannot be read"),
    ],
)
def test_a_lesson_that_shows_a_diagram_wrongly_is_refused(day, source, told):
    """Unknown, private or borrowed names, no alt text, and a line of another form."""
    with pytest.raises(DiagramError, match=told + r"(.|\n)*fix: "):
        diagrams.embedded(source, day)


def test_a_day_without_drawings_has_none(tmp_path):
    """A lesson of such a day that shows one is refused as well."""
    assert diagrams.drawings(tmp_path) == {}
    with pytest.raises(DiagramError, match="there are none"):
        diagrams.embedded("![A box.](diagram:one_box)", tmp_path)


def test_the_page_for_looking_shows_both_backgrounds(day):
    """Each diagram is a file, and appears on white and on JupyterLab's dark page."""
    paths = diagrams.write_page(day.parents[1], day / "seen")
    names = ["day9_x-one_box.svg", "day9_x-two_boxes.svg", "index.html"]
    assert [path.name for path in paths] == names
    assert paths[0].read_text(encoding="utf-8") == diagrams.draw("one_box", day).svg()
    page = paths[-1].read_text(encoding="utf-8")
    assert [page.count(f'<figure class="{theme}"><img') for theme in ("light", "dark")] == [2, 2]
