"""Two small networks with a skip connection: logits = W_out relu(W_in x + b) + W_skip x."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, einsum, placeholder
from remix_utils.models.model import Model, shipped


class DigitsNetwork(nn.Module):
    """The network as torch code; every step that is a module can be hooked, and the skip is not one.

    >>> network = DigitsNetwork(d_hidden=16)
    >>> [name for name, _ in network.named_children()]
    ['x', 'inner', 'hidden', 'out']
    """

    def __init__(self, d_input: int = 64, d_hidden: int = 16, d_output: int = 10):
        super().__init__()
        self.x = nn.Identity()  # a place to hook what both paths read
        self.inner = nn.Linear(d_input, d_hidden)
        self.hidden = nn.ReLU()
        self.out = nn.Linear(d_hidden, d_output, bias=False)
        self.skip = nn.Parameter(0.1 * torch.randn(d_output, d_input))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits [batch, 10] of images [batch, 64]."""
        x = self.x(images)
        hidden = self.hidden(self.inner(x))
        return self.out(hidden) + x @ self.skip.T


def graph(arrays: Mapping[str, Node], config: Mapping[str, Any]) -> Node:
    """The same computation as a graph of its weights as nodes, reading the placeholder `x` [64].

    >>> from remix_utils import array
    >>> weights = {name: array(tensor, name=name) for name, tensor in DigitsNetwork().state_dict().items()}
    >>> graph(weights, {"d_input": 64}).name
    'logits'
    """
    x = placeholder("x", (config["d_input"],))
    product = einsum("hidden pixel, pixel -> hidden", arrays["inner.weight"], x, name="inner.product")
    inner = add(product, arrays["inner.bias"], name="inner")
    hidden = apply("relu", inner, name="hidden")
    out = einsum("digit hidden, hidden -> digit", arrays["out.weight"], hidden, name="out")
    skip = einsum("digit pixel, pixel -> digit", arrays["skip"], x, name="skip.product")
    return add(out, skip, name="logits")


def module(weights: Mapping[str, torch.Tensor], config: Mapping[str, Any]) -> DigitsNetwork:
    """The network in torch, with these weights, ready to evaluate.

    >>> from remix_utils import models
    >>> module(models.load("digits-a").weights, models.load("digits-a").config).training
    False
    """
    network = DigitsNetwork(**config)
    # The tensors themselves, so that torch's default dtype changes nothing.
    network.load_state_dict({name: value.clone() for name, value in weights.items()}, assign=True)
    return network.eval().requires_grad_(False)


def load(name: str, step: int | None = None) -> Model:
    """One of the pair, "digits-a" or "digits-b".

    >>> load("digits-b").config["d_hidden"]
    16

    Raises ModelError when its weights are missing or are not those of its card.
    """
    weights, card = shipped(name, step=step)
    return Model(name, card["config"], weights, graph, module, card)
