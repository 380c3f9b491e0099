"""The published algorithm, one draw at a time and path by path: slow, without samples, stages or sharing."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from hypothesis import strategies as st

from remix_utils.data import Dataset, Exact, Matching, Uniform, feature
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.select import paths
from remix_utils.graph.selector import at
from remix_utils.graph.walk import children_first
from remix_utils.scrub.hypothesis import Interp

Path = tuple[Node, ...]


@feature
def parity(data):
    return data["tokens"][:, 0] % 2


@feature
def last(data):
    return data["tokens"][:, -1] % 3


def published(graph: Node, hypothesis: Interp, data: Dataset, rows: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The output of each draw, from the rows that were drawn under each name."""
    draws = len(rows["reference"])
    chosen = [{name: int(each[number]) for name, each in rows.items()} for number in range(draws)]
    return torch.stack([_image(graph, hypothesis, data, rows) for rows in chosen])


def _image(image: Node, interp: Interp, data: Dataset, row: Mapping[str, int]) -> torch.Tensor:
    if not interp.children:
        return on_row(image, data, row[interp.name])
    claimed: dict[Path, Interp] = {}
    for child in interp.children:
        try:
            claimed |= dict.fromkeys(paths(image, child.at), child)
        except ValueError:  # another image has it
            continue

    def value(path: Path) -> torch.Tensor:
        node = path[-1]
        if path in claimed:
            return _image(node, claimed[path], data, row)
        if not any(longer[: len(path)] == path for longer in claimed):
            name = f"{interp.name}.others"
            if interp.shared == "apart" and node.space is not None:
                name += f".{node.name}"
            return on_row(node, data, row[name] if node.space is not None else 0)
        children = [value((*path, child)) for child in node.children]
        return node.op.run(children, [False] * len(children))

    return value((image,))


def on_row(node: Node, data: Dataset, row: int) -> torch.Tensor:
    """The node's value on one row of the data."""
    return evaluate(node, {name: column[row] for name, column in data.columns.items()})


# ---------------------------------------------------------------- random hypotheses

DRAWS = (Exact(), Uniform(), Matching(parity), Matching(last), Uniform(among=[0, 2, 3]))


@st.composite
def hypotheses(draw: st.DrawFn, graph: Node, depth: int = 2) -> Interp:
    """A random tree of claims about a transformer; some cannot be read, which `scrub` says."""
    return _interp(draw, graph, at(graph.name), "root", depth)


def _interp(draw: st.DrawFn, image: Node, which: object, name: str, depth: int) -> Interp:
    below = [node for node in children_first(image)[:-1] if node.space is not None and node.name != "tokens"]
    children = []
    if depth and below:
        chosen = draw(st.lists(st.sampled_from(below), min_size=0 if name != "root" else 1, max_size=2, unique=True))
        for number, node in enumerate(chosen):
            others = [at(other.name) for other in chosen if other is not node]
            selector = at(node.name).avoiding(others[0]) if others else at(node.name)
            if draw(st.booleans()):
                selector = selector.avoiding("*" + draw(st.sampled_from(["_out", ".pattern", ".q", "resid_mid"])))
            children.append(_interp(draw, node, selector, f"{name}{number}", depth - 1))
    return Interp(
        name,
        which,
        draw(st.sampled_from(DRAWS)),
        children,
        draw(st.sampled_from(DRAWS)) if children else Uniform(),
        draw(st.sampled_from(["together", "apart"])),
    )
