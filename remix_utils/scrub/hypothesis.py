"""A hypothesis: a tree of claims about which parts of a graph read which feature of the input."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from remix_utils.data import Draw, Fixed, Matching, Uniform, feature
from remix_utils.errors import RemixError, kind_of
from remix_utils.graph.selector import Selector, selector

Shared = Literal["together", "apart"]


class HypothesisError(RemixError):
    """A hypothesis that cannot be read in a graph, or that claims nothing; `faults` has them all."""


@dataclass(frozen=True, eq=False)
class Interp:
    """One node of an interpretation, and its image in the model.

    `at` selects the image: at the root of the hypothesis the output, elsewhere paths that start below the parent's
    image (and may well end at several nodes, which then read the same row). `draw` says how the row that the node reads
    is chosen, given its parent's row: what agrees with it is all that the node is claimed to depend on.

    What lies between the image and its children's is computed again. Whatever it reads that no child claims (inputs,
    padding masks among them) comes from rows that `others` draws: the same row for all of it (`shared="together"`, as
    published) or one for each node that is read (`"apart"`). With `others=None` the children must claim everything. A
    node without children computes its image from its own row.

    >>> from remix_utils import Exact, at, feature, show
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
        children = tuple(self.children) if isinstance(self.children, list | tuple) else (self.children,)
        object.__setattr__(self, "children", children)
        for wrong, fact, fix in (
            (not isinstance(self.name, str) or not self.name, "a name is {name}", "name it by a string"),
            (
                not isinstance(self.draw, Draw),
                "its draw is {draw}",
                "use Exact(), Matching(feature), Uniform() or Fixed(rows)",
            ),
            (
                not isinstance(self.others, Draw | None),
                "the draw for others is {others}",
                "use a draw, or None where the children claim everything",
            ),
            (self.shared not in ("together", "apart"), "shared is {shared!r}", "use 'together' or 'apart'"),
            (not all(isinstance(c, Interp) for c in children), "its children are {kinds}", "give Interp nodes"),
        ):
            if wrong:
                given = {"name": kind_of(self.name), "draw": kind_of(self.draw), "others": kind_of(self.others)}
                given |= {"shared": self.shared, "kinds": [kind_of(child) for child in children]}
                raise HypothesisError(f"Interp {self.name!r}: {fact.format(**given)}.", fix=f"{fix}.", name=self.name)

    @property
    def selector(self) -> Selector:
        return selector(self.at)

    @property
    def others_name(self) -> str:
        """The name under which the rows for others are drawn and kept."""
        return f"{self.name}.others"

    def __str__(self) -> str:
        return "\n".join(_lines(self))


def preorder(hypothesis: Interp) -> Iterator[tuple[Interp, Interp | None]]:
    """Each node with its parent, parents first, children in their order."""
    stack: list[tuple[Interp, Interp | None]] = [(hypothesis, None)]
    while stack:
        node, parent = stack.pop()
        yield node, parent
        stack.extend((child, node) for child in reversed(node.children))


def draw_text(draw: Draw | None) -> str:
    """A draw in a word or two.

    >>> draw_text(Uniform(among=[3, 4])), draw_text(None)
    ('uniform among 2 rows', 'none')
    """
    if draw is None:
        return "none"
    among = getattr(draw, "among", None)
    where = f" among {len(among)} rows" if among else ""
    if isinstance(draw, Matching):
        return f"matching {feature(draw.feature).name}{where}"
    if isinstance(draw, Fixed):
        return f"fixed {len(draw.chosen)} rows"
    return type(draw).__name__.lower() + where


def _lines(node: Interp, depth: int = 0) -> list[str]:
    indent = "  " * depth
    lines = [f"{indent}{node.name}: {draw_text(node.draw)}, {node.selector!r}"]
    for child in node.children:
        lines += _lines(child, depth + 1)
    if node.children:
        shared = f", {node.shared}" if node.others else ""
        lines.append(f"{indent}  others: {draw_text(node.others)}{shared}")
    return lines
