"""A hypothesis: a tree of claims about which parts of a graph read which feature of the input."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from textwrap import wrap
from typing import Literal, NamedTuple

import torch

from remix_utils.data import Draw, Fixed, Matching, Uniform, feature
from remix_utils.errors import RemixError, counted, kind_of
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Placeholder
from remix_utils.graph.selector import Match, Selector, selector
from remix_utils.graph.walk import children_first
from remix_utils.scrub.regions import Region, read

Shared = Literal["together", "apart"]
ROUTES = 3  # paths that are printed for a claim; the rest are counted
WIDTH = 96  # characters of a path that are printed


class HypothesisError(RemixError):
    """A hypothesis that cannot be read in a graph, or that claims nothing; `faults` has them all."""


class Fault(NamedTuple):
    """The node of the hypothesis (or what else is wrong), the fact, and the way out."""

    name: str
    fact: str
    fix: str


@dataclass(frozen=True, eq=False)
class Interp:
    """One node of an interpretation, and its image in the model.

    `at` selects the image: at the root of the hypothesis the output, elsewhere paths that start below the parent's
    image (and may well end at several nodes, which then read the same row). `draw` says how the row that the node reads
    is chosen, given its parent's row: what agrees with it is all that the node is claimed to depend on.

    What lies between the image and its children's is computed again. Whatever it reads that no child claims (inputs
    such as padding masks and labels among them) comes from rows that `others` draws: the same row for all of it
    (`shared="together"`, as published) or one for each node that is read (`"apart"`). With `others=None` the children
    must claim everything. A node without children computes its image from its own row.

    `show(hypothesis.on(graph))` prints every path that is claimed and what is left for others; `show(hypothesis)` does
    so where the root is `at` a node rather than a name.

    >>> from remix_utils import Exact, Matching, at, show
    >>> from remix_utils.data import feature
    >>> parity = feature(lambda data: data["x"] % 2)
    >>> print(show(Interp("sum", at("sum"), Exact(), [Interp("left", at("left"), Matching(parity))])))
    sum: exact, at('sum')
      left: matching <lambda>, at('left')
      others: uniform, together

    Raises HypothesisError for a name, draw or child of a wrong kind. Chan et al. 2022, Causal Scrubbing.
    """

    name: str
    at: object
    draw: Draw
    children: Sequence[Interp] = ()
    others: Draw | None = field(default_factory=Uniform)
    shared: Shared = "together"

    def __post_init__(self):
        single = not isinstance(self.children, list | tuple)
        object.__setattr__(self, "children", (self.children,) if single else tuple(self.children))
        wrong = [child for child in self.children if not isinstance(child, Interp)]
        if not isinstance(self.name, str) or not self.name:
            self._refuse(f"the name is {kind_of(self.name)}", "name it by a text, not an empty one")
        if not isinstance(self.draw, Draw):
            self._refuse(
                f"its draw is {kind_of(self.draw)}", "use Exact(), Matching(feature), Uniform() or Fixed(rows)"
            )
        if not isinstance(self.others, Draw | None):
            self._refuse(f"the draw for others is {kind_of(self.others)}", "use a draw, or None if there are no others")
        if self.at is not None and not isinstance(self.at, Selector | Node | str) and not callable(self.at):
            self._refuse(f"its image is {kind_of(self.at)}", "say with at(...) what it stands for")
        if self.shared not in ("together", "apart"):
            self._refuse(f"shared is {self.shared!r}", "use 'together' or 'apart'")
        if wrong:
            self._refuse(f"a child is {kind_of(wrong[0])}", "give Interp nodes as children")

    def _refuse(self, fact: str, fix: str):
        raise HypothesisError(f"Interp {self.name!r}: {fact}.", fix=f"{fix}.", name=self.name)

    def on(self, graph: Node) -> Reading:
        """The hypothesis as it is read in a graph: to print, every path that is claimed and what is left for others."""
        return Reading(graph, self)

    @property
    def selector(self) -> Selector:
        """What `at` selects: nothing, where there is no image."""
        return selector(self.at) if self.at is not None else Match(lambda node: False, "nothing")

    @property
    def others_name(self) -> str:
        """The name under which the rows for others are drawn and kept."""
        return f"{self.name}.others"

    def __str__(self) -> str:
        return str(self.on(self.at)) if isinstance(self.at, Node) else "\n".join(_lines(self))


def preorder(hypothesis: Interp) -> Iterator[tuple[Interp, Interp | None]]:
    """Each node with its parent, parents first, children in their order."""
    stack: list[tuple[Interp, Interp | None]] = [(hypothesis, None)]
    while stack:
        node, parent = stack.pop()
        yield node, parent
        stack.extend((child, node) for child in reversed(node.children))


class Reading:
    """A hypothesis in a graph: the region of each image of each node, parents first."""

    def __init__(self, graph: Node, hypothesis: Interp):
        self.graph, self.hypothesis = graph, hypothesis
        self.regions: dict[tuple[Interp, Node], Region] = {}
        waiting = [(hypothesis, graph)]
        for interp, image in waiting:
            if (interp, image) not in self.regions:
                region = read(image, [child.selector for child in interp.children])
                self.regions[interp, image] = region
                waiting += [(interp.children[owner], node) for (node, _), owner in region.claimed.items()]

    def of(self, interp: Interp) -> list[Region]:
        """The regions of a node: one for each of its images."""
        return [region for (owner, _), region in self.regions.items() if owner is interp]

    def unclaimed(self, interp: Interp) -> dict[Node, str]:
        """For each node that no child claims, the name under which its rows are drawn."""
        nodes = dict.fromkeys(node for region in self.of(interp) for node in region.unclaimed())
        if not interp.children or interp.shared == "together":
            return dict.fromkeys(nodes, interp.others_name) if interp.children else {}
        names: dict[str, int] = {}
        for node in nodes:
            names[node.name] = names.get(node.name, 0) + 1
            nodes[node] = f"{interp.others_name}.{node.name}" + f".{names[node.name]}" * (names[node.name] > 1)
        return nodes  # type: ignore[return-value]

    @cached_property
    def inputs(self) -> dict[Node, frozenset[Node]]:
        """For each node of the graph, the inputs that it depends on."""
        found: dict[Node, frozenset[Node]] = {}
        for node in children_first(self.graph):
            own = [node] if isinstance(node.op, Placeholder) else []
            found[node] = frozenset(own).union(*(found[child] for child in node.children))
        return found

    def reads_itself(self, interp: Interp) -> bool:
        """Whether some image is computed from the node's own row."""
        return not interp.children and any(region.image.space is not None for region in self.of(interp))

    def __str__(self) -> str:
        return self.text({})

    def text(self, rows: Mapping[str, torch.Tensor]) -> str:
        """Each node with its paths and, where rows were drawn, the share of them that are not those of its parent."""
        moved = {}
        for node, parent in preorder(self.hypothesis):
            names = {node.name: parent.name if parent else "reference"}
            names |= dict.fromkeys(self.unclaimed(node).values(), node.name)
            for name, given in names.items():
                if name in rows and given in rows:
                    share = (rows[name] != rows[given]).double().mean()
                    moved[name] = f", {share:.0%} moved"
        return "\n".join(_lines(self.hypothesis, self, moved=moved))


def draw_text(draw: Draw | None) -> str:
    """A draw in a word or two.

    >>> draw_text(Uniform(among=[3, 4])), draw_text(None)
    ('uniform among 2 rows', 'none')
    """
    if draw is None:
        return "none"
    among = getattr(draw, "among", None)
    where = f" among {counted(len(among), 'row')}" if among else ""
    if isinstance(draw, Matching):
        return f"matching {feature(draw.feature).name}{where}"
    if isinstance(draw, Fixed):
        return f"fixed {counted(len(draw.chosen), 'row')}"
    return type(draw).__name__.lower() + where


def _lines(
    node: Interp,
    reading: Reading | None = None,
    parent: Interp | None = None,
    moved: Mapping[str, str] | None = None,
) -> list[str]:
    """The node and, indented, what is below it; in a graph, with the paths that each claims."""
    moved = moved or {}
    head = f"{node.name}: {draw_text(node.draw)}{moved.get(node.name, '')}, {node.selector!r}"
    lines = wrap(head, WIDTH, subsequent_indent="    ", break_on_hyphens=False)
    if reading and parent:
        lines += [f"    {line}" for line in _routes(reading, parent, node)]
    for child in node.children:
        lines += [f"  {line}" for line in _lines(child, reading, node, moved)]
    if node.children:
        shared = f", {node.shared}" if node.others else ""
        lines.append(f"  others: {draw_text(node.others)}{shared}{moved.get(node.others_name, '')}")
        if reading:
            names = list(dict.fromkeys(each.name for each in reading.unclaimed(node)))
            lines.append(f"      for {shortened(names, ', ')}" if names else "      for nothing")
    return lines


def _routes(reading: Reading, parent: Interp, node: Interp) -> list[str]:
    """The paths that a node claims below its parent's images, the shortest of them in full."""
    total, shown = 0, []
    for region in reading.of(parent):
        number, routes = region.landmarks(parent.children.index(node), ROUTES)
        total += number
        shown += [shortened([each.name for each in route], " ← ") for route in routes]
    shown = list(dict.fromkeys(shown))[:ROUTES]
    more = [f"and {counted(total - len(shown), 'path')} more"] if total > len(shown) else []
    return [*shown, *more] or ["no path"]


def shortened(names: Sequence[str], between: str) -> str:
    """Names one after another, those in the middle counted where the line grows long.

    >>> shortened([f"blocks.{number}.resid_pre" for number in range(12)], " ← ")
    'blocks.0.resid_pre ← blocks.1.resid_pre ← (8 more) ← blocks.10.resid_pre ← blocks.11.resid_pre'
    """
    kept = list(names)
    while len(between.join(kept)) > WIDTH and len(kept) > 2:
        del kept[len(kept) // 2]
    if len(kept) < len(names):
        kept.insert((len(kept) + 1) // 2, f"({len(names) - len(kept)} more)")
    return between.join(kept)
