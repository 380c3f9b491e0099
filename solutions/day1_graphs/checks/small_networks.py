"""Small untrained digits networks to experiment on, and facts about them after an experiment."""

from __future__ import annotations

import torch
from torch import nn

from remix_utils.models.digits import DigitsNetwork


def networks(seed):
    """Small networks of several sizes, each with a batch of inputs that fits it."""
    torch.manual_seed(seed)
    sizes = ((6, 4, 3, 5), (9, 5, 2, 7))
    return [
        (DigitsNetwork(pixels, hidden, out).requires_grad_(False), torch.randn(rows, pixels))
        for pixels, hidden, out, rows in sizes
    ]


def with_rows(seed):
    """Networks and inputs, with a draw of rows in which some occur twice and some never."""
    return [(network, x, torch.randint(len(x), (len(x),))) for network, x in networks(seed)]


def activations(seed):
    """Recorded activations [rows, d] and an output [batch, d] to edit."""
    torch.manual_seed(seed)
    return [(torch.rand(6, 4) * 3, torch.rand(3, 4)), (torch.randn(5, 7), torch.randn(5, 7))]


def hooks_on(network: nn.Module) -> int:
    """Counts the hooks on a network's layers, of either kind."""
    layers = network.modules()
    return sum(len(each._forward_hooks) + len(each._forward_pre_hooks) for each in layers)


def layer_by_layer(network, x):
    """Returns every layer's output, computed without hooks."""
    inner = x @ network.inner.weight.T + network.inner.bias
    hidden = inner.clamp(min=0)
    return {"x": x, "inner": inner, "hidden": hidden, "out": hidden @ network.out.weight.T}


def logits_of(network, hidden_reads, skip_reads):
    """Returns the logits when each of the two paths reads an input of its own."""
    return layer_by_layer(network, hidden_reads)["out"] + skip_reads @ network.skip.T


def edited(network, layer, edit, x):
    """Returns the logits with one layer's output edited, computed without hooks."""
    value = edit(layer_by_layer(network, x)[layer])
    if layer == "x":
        return logits_of(network, value, value)
    hidden = value.clamp(min=0) if layer == "inner" else value
    out = value if layer == "out" else hidden @ network.out.weight.T
    return out + x @ network.skip.T
