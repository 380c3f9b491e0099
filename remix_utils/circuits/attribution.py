"""Direct logit attribution: a logit, or a difference of two, as a sum over what was added to the residual stream."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import torch

from remix_utils.circuits.network import Head, Network, Tokens, bind, head_of, stacked
from remix_utils.circuits.stream import Readout, components, head_outputs, readout, split_heads
from remix_utils.errors import MatchError, ShapeError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.linear import Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, einsum, index, placeholder

Position = int | slice | torch.Tensor


@dataclass(frozen=True)
class Attribution:
    """What each component adds to a logit, or to a difference of logits: `parts` by name, [rows] or [rows, positions].

    Names are those of `components`, and "bias" for what the last norm and the unembedding add themselves.
    """

    parts: dict[str, torch.Tensor] = field(repr=False)

    @property
    def total(self) -> torch.Tensor:
        """The sum of all parts: the logit, or the difference."""
        return torch.stack(list(self.parts.values())).sum(0)

    @property
    def heads(self) -> torch.Tensor:
        """The parts of heads, [rows, layer, head] or [rows, layer, head, positions]."""
        return stacked({head: value for name, value in self.parts.items() if (head := head_of(name)) is not None})

    @property
    def layers(self) -> torch.Tensor:
        """What each block adds, its heads, biases and MLP together, [rows, layer] or [rows, layer, positions]."""
        sums: dict[Head, torch.Tensor] = {}
        for name, value in self.parts.items():
            if match := re.match(r"blocks\.(\d+)\.", name):
                layer = int(match[1]), 0
                sums[layer] = sums[layer] + value if layer in sums else value
        return stacked(sums)[:, :, 0]

    def __repr__(self) -> str:
        return f"Attribution of {list(self.total.shape)} logits to {len(self.parts)} parts"


def logit_attribution(
    network: Network,
    tokens: Tokens,
    answers: torch.Tensor | int,
    others: torch.Tensor | int | None = None,
    position: Position = -1,
) -> Attribution:
    """What each component adds to the logit of the answer, or to its difference from the other token's, in logits.

    The scale of the last norm is held at its value, so that the parts sum to the logit. `position` is where the logits
    are read: one position (`answers` [rows], or one token for all) or several (`answers` [rows, positions]). A
    classifier has its own position, and `answers` are its outputs.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> tokens = torch.arange(12).reshape(2, 6)
    >>> found = logit_attribution(model, tokens, answers=7, others=torch.tensor([1, 2]))
    >>> found, found.heads.shape
    (Attribution of [2] logits to 13 parts, torch.Size([2, 2, 4]))
    >>> logits = model.module()(tokens)[:, -1]
    >>> bool(torch.allclose(found.total, logits[:, 7] - logits[[0, 1], [1, 2]], atol=1e-5))
    True

    Raises ShapeError for answers that do not fit the tokens and positions.
    """
    graph, inputs = bind(network, tokens)
    graph = split_heads(graph)
    read = _Reading(readout(graph), inputs, answers, others, position)
    parts = {name: read.contribution(node) for name, node in components(graph).items()}
    return Attribution(evaluate(parts | read.bias(), read.inputs))


def source_attribution(
    network: Network,
    tokens: Tokens,
    answers: torch.Tensor | int,
    others: torch.Tensor | int | None = None,
    position: Position = -1,
) -> torch.Tensor:
    """What each head adds to a logit, or a difference, by the position it read it from, [rows, layer, head, key].

    With several positions it is [rows, layer, head, positions, key]. Over the keys they sum to the head's part of
    `logit_attribution`, whose arguments these are.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> source_attribution(model, torch.arange(12).reshape(2, 6), answers=7).shape
    torch.Size([2, 2, 4, 6])

    Raises ShapeError for answers that do not fit, MatchError for a head that does not attend any more.
    """
    graph, inputs = bind(network, tokens)
    graph = split_heads(graph)
    read = _Reading(readout(graph), inputs, answers, others, position)
    outputs = head_outputs(graph)
    values = evaluate([read.by_source(node) for node in outputs.values()], read.inputs)
    return stacked(dict(zip(outputs, values, strict=True)))


class _Reading:
    """The direction in which some logits are read, and the inputs with the tokens whose logits they are."""

    def __init__(self, read: Readout, inputs: dict, answers, others, position: Position):
        self.read, self.inputs = read, dict(inputs)
        self.position = position if read.position is None else read.position
        *shape, _ = self.at(read.stream).shape
        self.lead = "position " * len(shape)
        self.chosen: dict[Node, float] = {}
        for name, given, sign in (("answers", answers, 1.0), ("others", others, -1.0)):
            if given is not None:
                self.inputs[name] = _one_each(name, given, (len(inputs["tokens"]), *shape)).to(inputs["tokens"].device)
                self.chosen[placeholder(name, shape, torch.long)] = sign
        self.direction = _signed({read.directions(node): sign for node, sign in self.chosen.items()}, "direction")
        if (inverse := read.inverse()) is not None:
            pattern = f"{self.lead}d_model, {self.lead}one -> {self.lead}d_model"
            self.direction = einsum(pattern, self.direction, self.at(inverse), name="direction")

    def at(self, node: Node) -> Node:
        return index(node, self.position)

    def contribution(self, node: Node) -> Node:
        return einsum(f"{self.lead}d_model, {self.lead}d_model -> {self.lead}", self.at(node), self.direction)

    def bias(self) -> dict[str, Node]:
        terms = {each: sign for node, sign in self.chosen.items() for each in self.read.offsets(node)}
        return {"bias": _signed(terms, "bias")} if terms else {}

    def by_source(self, output: Node) -> Node:
        """One head's contribution by key: attention × the value's part along the direction."""
        z = output.children[0] if output.children else output
        if not (isinstance(output.op, Einsum) and isinstance(z.op, Einsum) and z.children[0].name.endswith("pattern")):
            raise MatchError(
                f"{output!r} does not come from attention.", fix="leave that head as it is.", place=output.place
            )
        (pattern, value), matrix, lead = z.children, output.children[1], self.lead
        onto = einsum(f"d_head d_model, {lead}d_model -> {lead}d_head", matrix, self.direction)
        along = einsum(f"key d_head, {lead}d_head -> {lead}key", value, onto)
        return einsum(f"{lead}key, {lead}key -> {lead}key", self.at(pattern), along)


def _signed(terms: dict[Node, float], name: str) -> Node:
    return add(*terms, weights=list(terms.values()), name=name)


def _one_each(name: str, given: torch.Tensor | int, shape: tuple[int, ...]) -> torch.Tensor:
    """The tokens whose logits are read, [rows] or [rows, positions]; one token, or one a position, serves all rows."""
    given = torch.as_tensor(given)
    if given.shape not in (shape, shape[1:], ()):
        raise ShapeError(
            f"{name} are {list(given.shape)}, and {list(shape)} logits are read.",
            fix="give one token for each row and position.",
            given=tuple(given.shape),
            wanted=shape,
        )
    return given.expand(shape)
