"""A hypothesis over its graph: every node in the colours of the rows that it reads, and no two nodes on one place."""

import pytest
import torch

from remix_utils import Exact, Interp, Matching, add, apply, array, at, placeholder, plot, scrub
from remix_utils.data import feature
from remix_utils.errors import PlotError
from remix_utils.plot.layers import layered
from remix_utils.plot.over_graph import AGAIN, laid, rows_read, tint
from remix_utils.plot.style import INK, contrast
from tests.plot.browsing import needs_chromium

X = placeholder("x", ())
TWICE = add(X, X, name="twice")
LEFT, RIGHT = apply("relu", TWICE, name="left"), apply("tanh", add(X, array(1.0, "one"), name="more"), name="right")
GRAPH = add(LEFT, RIGHT, name="sum")
DATA = {"x": torch.linspace(-2, 2, 12)}


@feature
def sign(data):
    return data["x"] > 0


CLAIM = Interp("sum", at("sum"), Exact(), [Interp("a half", at("left"), Matching(sign))])
DEEPER = Interp(
    "sum", at("sum"), Exact(), [Interp("a half", at("left"), Exact(), [Interp("in", at("x"), Exact())], None)]
)


def boxes(figure, text):
    """The bands of the box with this text, from left to right as (x0, x1, colour), and the width of its frame."""
    (trace,) = [trace for trace in figure.data if trace.text and any("<br>" in each for each in trace.text)]
    (place,) = [(x, y) for x, y, each in zip(trace.x, trace.y, trace.text, strict=True) if f"<b>{text}</b>" in each]
    shapes = [shape for shape in figure.layout.shapes if (shape.xanchor, shape.yanchor) == place]
    *bands, frame = shapes
    return [(band.x0, band.x1, band.fillcolor) for band in bands], frame.line.width


def test_each_node_names_the_rows_that_it_reads():
    """A claimed node and all below it read its row, others read theirs, and what joins the two is computed again."""
    assert {node.name: rows for node, rows in rows_read(CLAIM.on(GRAPH)).items() if node.space is not None} == {
        "sum": [AGAIN],
        "left": ["a half"],
        "twice": ["a half"],
        "x": ["sum.others", "a half"],
        "more": ["sum.others"],
        "right": ["sum.others"],
    }


def test_a_claim_with_children_is_computed_again():
    """No node reads the row of such a claim: it is only what the rows of its children agree with."""
    rows = {node.name: names for node, names in rows_read(DEEPER.on(GRAPH)).items()}
    assert rows["left"] == rows["twice"] == [AGAIN] and rows["x"] == ["sum.others", "in"]


def test_others_that_are_apart_read_rows_of_their_own():
    """With one name, and so one colour, for each."""
    inside = [Interp("more", at("more"), Exact())]
    graph = add(LEFT, TWICE, RIGHT, name="sum")
    drawn = laid(Interp("sum", at("sum"), Exact(), inside, shared="apart").on(graph))
    assert drawn.rows[LEFT] == ["sum.others.left"]
    assert len({drawn.colour(f"sum.others.{name}") for name in ("left", "twice")}) == 2


def test_a_picture_has_the_colours_of_the_rows():
    """One band a row, in the row's own tint, and a thick frame only around nodes that a claim is about."""
    figure = plot.hypothesis(CLAIM, "A claim", graph=GRAPH)
    drawn = laid(CLAIM.on(GRAPH))
    half, rest = (tint(drawn.colour(name)) for name in ("a half", "sum.others"))
    (left, right), thin = boxes(figure, "x")
    assert (left[2], right[2]) == (rest, half) and left[1] == right[0] == 0 and thin == 1
    ((*_, colour),), thick = boxes(figure, "left")
    assert colour == half and thick == 3
    assert [name for name, *_ in boxes(figure, "sum")[0]] and boxes(figure, "sum")[0][0][2] == tint(drawn.colour(AGAIN))


def test_the_tree_has_the_colours_of_the_graph():
    """A row has one colour in both; a row that no node reads is grey in the tree."""
    figure, drawn = plot.hypothesis(CLAIM, "A claim", graph=GRAPH), laid(CLAIM.on(GRAPH))
    marked = {
        trace.text[0].strip(): trace.marker.color[0]
        for trace in figure.data
        if trace.mode == "markers+text" and trace.text
    }
    assert marked["<b>a half</b>  matching sign"] == drawn.colour("a half") != drawn.colour("sum")
    assert marked["<b>sum</b>  exact"] == drawn.colour("sum")
    assert marked["<i>others</i>  uniform, together"] == drawn.colour("sum.others")


def test_the_graph_stands_between_the_tree_and_the_losses():
    """With a result the losses come last, and the picture is higher by the graph's layers."""
    results = [scrub(GRAPH, claim, DATA, 40) for claim in (CLAIM, Interp("sum", at("sum"), Exact()))]
    without = plot.hypothesis(CLAIM, "A claim", results[0], results[1], 2.0)
    figure = plot.hypothesis(CLAIM, "A claim", results[0], results[1], 2.0, graph=GRAPH)
    assert figure.data[-1].yaxis == "y3" and figure.layout.title == without.layout.title
    assert figure.layout.height > without.layout.height + laid(CLAIM.on(GRAPH)).height


def test_constants_are_left_out_and_large_graphs_refused():
    """A node that reads no input has no row; 41 nodes are too many for a picture."""
    assert "one" not in {node.name for node in laid(CLAIM.on(GRAPH)).layout.places}
    long = X
    for _ in range(40):
        long = apply("tanh", long)
    with pytest.raises(PlotError, match=r"41 nodes, and 40 are the most.*\n.*leave out graph="):
        plot.hypothesis(Interp("all", at(long), Exact()), "Long", graph=long)


def test_nodes_stand_below_their_readers_and_lines_pass_between_nodes():
    """No two boxes of a layer overlap, and a line over several layers has a free place in each."""
    nodes = [X, TWICE, LEFT, add(X, LEFT, name="middle")]
    nodes.append(add(nodes[-1], X, LEFT, name="top"))
    layout = layered(nodes, dict.fromkeys(nodes, 50.0))
    assert all(
        layout.places[line_end][1] > layout.places[reader][1] for reader in nodes for line_end in reader.children
    )
    for line in layout.lines:
        assert [layer for _, layer in line] == list(range(line[0][1], line[-1][1] + 1))
        for x, layer in line[1:-1]:
            assert all(abs(x - other) >= 37 for other, its in layout.places.values() if its == layer)


def test_ink_is_legible_on_every_tint():
    """Text on a band keeps a contrast of 4.5, as the accessibility guidelines ask."""
    assert min(contrast(INK, tint(colour)) for colour in (*plot.COLOURS, "#8a8a8a")) >= 4.5


BOXES = """() => {
    const box = part => { const at = part.getBoundingClientRect(); return [at.left, at.top, at.right, at.bottom]; };
    const texts = [...document.querySelectorAll(".textpoint text")];
    const shapes = [...document.querySelectorAll(".shapelayer path")];
    const boxes = shapes.filter(path => path.getAttribute("d").endsWith("Z"));  // the others are lines
    return [texts.filter(text => text.querySelectorAll("tspan").length > 3).map(box), boxes.map(box)];
}"""


@needs_chromium
@pytest.mark.parametrize("claim", [CLAIM, DEEPER], ids=["claim", "deeper"])
def test_texts_fit_their_boxes(page, claim):
    """In a real browser each text of the graph lies inside one frame, and all frames lie inside the page."""
    figure = plot.hypothesis(claim, "A claim", graph=GRAPH)
    page.set_content(figure.to_html(include_plotlyjs=True))
    page.wait_for_selector(".gtitle")
    texts, shapes = page.evaluate(BOXES)
    assert len(texts) == len(laid(claim.on(GRAPH)).layout.places)
    for left, top, right, bottom in texts:
        assert any(x0 <= left and y0 <= top and x1 >= right and y1 >= bottom for x0, y0, x1, y1 in shapes)
    assert min(x for x, *_ in shapes) >= 0 and max(x for _, _, x, _ in shapes) <= 900
