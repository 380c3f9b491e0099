"""What the readings read: a model, or a graph of one after an intervention, and the rows it is read on."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch

from remix_utils.data import Dataset
from remix_utils.errors import InputError, MatchError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Placeholder
from remix_utils.graph.select import find, no_match
from remix_utils.models.model import Model
from remix_utils.tasks import repeated

Network = Model | Node
Tokens = torch.Tensor | Mapping[str, torch.Tensor] | Dataset
Head = tuple[int, int]  # layer and head, as in "head 1.5"
ROWS, LONGEST = 20, 50  # random tokens, where none are given


class Estimate(NamedTuple):
    """Means over rows and their standard errors (NaN where there is one row only), each [layer, head] or alone."""

    mean: torch.Tensor
    se: torch.Tensor

    @classmethod
    def over_rows(cls, values: torch.Tensor) -> Estimate:
        """From one value a row, rows first."""
        centred = values.double() - values.double().mean(0)
        se = (centred.square().sum(0) / (len(values) - 1.0 or float("nan")) / len(values)).sqrt()
        return cls(values.mean(0), se.to(values.dtype))

    @classmethod
    def over_groups(cls, values: torch.Tensor, groups: torch.Tensor) -> Estimate:
        """Returns the mean of one value a row, with its error over groups [rows] of rows, such as templates.

        Rows of one group share its words, so they are not independent. The error is that of the groups' sums, as if
        new groups were drawn with new rows in them (cluster-robust; NaN where there is one group only).
        """
        numbers = groups.unique(return_inverse=True)[1]
        count = int(numbers.max()) + 1
        sums = values.new_zeros(count, *values.shape[1:], dtype=torch.float64)
        sums.index_add_(0, numbers, (values - values.mean(0)).double())
        correction = count / (count - 1.0 or float("nan"))
        se = (correction * sums.square().sum(0)).sqrt() / len(values)
        return cls(values.mean(0), se.to(values.dtype))


def bind(network: Network, tokens: Tokens | None = None, seed: int = 0) -> tuple[Node, dict[str, torch.Tensor]]:
    """The graph of a network and the inputs to evaluate it on.

    A dataset may have a column `mask` beside `tokens`, true at real tokens. Where nothing is given, the tokens are 20
    rows of 25 random ones said twice, or what the network has room for.

    Raises InputError for tokens that are not [rows, seq], and ModelError for a network that reads none.
    """
    if tokens is None:
        tokens = random_tokens(network, seed)
    columns = {"tokens": tokens} if isinstance(tokens, torch.Tensor) else dict(_columns(tokens))
    rows = columns.get("tokens")
    if not isinstance(rows, torch.Tensor) or rows.ndim not in (1, 2) or rows.dtype != torch.long:
        found = f"{rows.dtype} {list(rows.shape)}" if isinstance(rows, torch.Tensor) else f"a {type(rows).__name__}"
        raise InputError(
            f"The tokens are {found}.", fix="give a LongTensor [rows, seq], or a dataset with `tokens`.", given=found
        )
    if rows.ndim == 1:
        columns = {name: column.unsqueeze(0) for name, column in columns.items()}
    if isinstance(network, Node):
        return network, columns
    return network.graph(seq=rows.shape[-1], mask="mask" in columns), columns


def _columns(given: Mapping[str, torch.Tensor] | Dataset) -> Mapping[str, torch.Tensor]:
    return given.columns if isinstance(given, Dataset) else given


def room(network: Network) -> tuple[int, int]:
    """How many tokens a network reads at most, and out of how many; ModelError or MatchError if it reads none."""
    if isinstance(network, Model):
        network.head(0, 0)
        return network.config["n_ctx"], network.config["d_vocab"]
    for node in find(network, "embed"):
        if node.children and isinstance(node.children[0].op, Placeholder):
            return node.children[0].shape[0], node.children[1].shape[0]
    raise MatchError(
        f"No 'embed' below {network.name!r} reads tokens.", fix="give the tokens, or a model.", graph=network.name
    )


def random_tokens(network: Network, seed: int) -> torch.Tensor:
    """Random tokens said twice, as many as fit, [20, seq]."""
    longest, vocab = room(network)
    seq = min(longest, LONGEST) if isinstance(network, Model) else longest
    return repeated.draw(ROWS, -(-seq // 2), vocab, seed=seed)["tokens"][:, :seq]


def by_head(graph: Node, part: str) -> dict[tuple[int, tuple[int, ...] | None], Node]:
    """The nodes that are one part of attention, such as `pattern`, by layer and the heads they are of (None: all).

    Raises MatchError when there are none, or two of one head, as where clean and corrupted inputs meet.
    """
    name, wanted = re.compile(rf"blocks\.(\d+)\.attn(?:\.head\.([\d-]+))?\.{part}"), f"blocks.*.attn*.{part}"
    found: dict[tuple[int, tuple[int, ...] | None], Node] = {}
    for node in find(graph, wanted):
        if match := name.fullmatch(node.name):
            layer, heads = match.groups()
            key = int(layer), tuple(map(int, heads.split("-"))) if heads else None
            if key in found:
                raise MatchError(
                    f"Two nodes below {graph.name!r} are called {node.name!r}.",
                    fix="read the graph before the paths are patched, or evaluate the node you mean.",
                    name=node.name,
                )
            found[key] = node
    if not found:
        raise no_match(graph, wanted)
    return found


def head_of(name: str) -> Head | None:
    """The head whose output is called so, or None; MatchError where it is that of several heads together.

    >>> head_of("blocks.1.attn.head.5.out"), head_of("embed")
    ((1, 5), None)
    """
    match = re.fullmatch(r"blocks\.(\d+)\.attn\.head\.([\d-]+)\.out", name)
    if match and not match[2].isdecimal():
        raise MatchError(
            f"{name!r} is the output of several heads.",
            fix='split them: split(graph, "*.attn_out", "head").',
            name=name,
        )
    return (int(match[1]), int(match[2])) if match else None


def per_head(graph: Node, inputs: Mapping[str, torch.Tensor], measure: Callable[[Node], Node]) -> torch.Tensor:
    """A measure of attention patterns, [rows, layer, head]; a head that no longer attends to anything has 0.

    `measure` makes of a pattern [head, query, key] a node [head], and of one head's [query, key] a node [].
    """
    patterns = by_head(graph, "pattern")
    rows, found = len(inputs["tokens"]), {}
    for (layer, heads), value in zip(patterns, evaluate([*map(measure, patterns.values())], inputs), strict=True):
        value = value if heads is None or len(heads) > 1 else value.unsqueeze(-1)
        for place, head in enumerate(heads or range(value.shape[-1])):
            found[layer, head] = value[..., place].expand(rows)
    return stacked(found)


def stacked(values: Mapping[Head, torch.Tensor]) -> torch.Tensor:
    """Values [rows, ...] of heads as one tensor [rows, layer, head, ...], 0 for heads without one."""
    first = next(iter(values.values()))
    layers, heads = (1 + max(part) for part in zip(*values, strict=True))
    joined = first.new_zeros(first.shape[0], layers, heads, *first.shape[1:])
    for (layer, head), value in values.items():
        joined[:, layer, head] = value
    return joined
