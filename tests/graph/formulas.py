"""What the functions of `apply` mean, written out in plain torch for one example."""

import math

import torch


def layernorm(x, weight, bias, eps=1e-5):
    centred = x - x.mean(-1, keepdim=True)
    return centred / (centred.square().mean(-1, keepdim=True) + eps).sqrt() * weight + bias


def layernorm_scale(x, eps=1e-5):
    return ((x - x.mean(-1, keepdim=True)).square().mean(-1, keepdim=True) + eps).sqrt()


def softmax(x):
    powers = (x - x.max(-1, keepdim=True).values).exp()
    return powers / powers.sum(-1, keepdim=True)


def log_softmax(x):
    below = x - x.max(-1, keepdim=True).values
    return below - below.exp().sum(-1, keepdim=True).log()


def masked_softmax(x, *masks):
    powers = (x - x.max(-1, keepdim=True).values).exp()
    for mask in masks:
        powers = powers * mask
    return powers / powers.sum(-1, keepdim=True)


def embed(tokens, table):
    return torch.stack([table[token] for token in tokens.flatten()]).reshape(tokens.shape + table.shape[1:])


def positions(mask):
    return torch.tensor([[max(sum(row[: i + 1]) - 1, 0) for i in range(len(row))] for row in mask.tolist()])


def rotary(x, angles):
    """The pair of entries i and i + n as a complex number, multiplied by e to the i times its angle."""
    n = angles.shape[-1]
    turned = torch.complex(x[..., :n], x[..., n : 2 * n]) * torch.exp(1j * angles)
    return torch.cat([turned.real, turned.imag, x[..., 2 * n :]], -1)


FORMULAS = {
    "abs": lambda x: torch.where(x < 0, -x, x),
    "embed": embed,
    "exp": lambda x: math.e**x,
    "gelu": lambda x: x * 0.5 * (1 + torch.erf(x / math.sqrt(2))),
    "gelu_tanh": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3))),
    "layernorm": layernorm,
    "layernorm_scale": layernorm_scale,
    "log": lambda x: x.log2() / math.log2(math.e),
    "log_softmax": log_softmax,
    "masked_softmax": masked_softmax,
    "pick": lambda values, places: (values * torch.nn.functional.one_hot(places, values.shape[-1])).sum(-1),
    "positions": positions,
    "reciprocal": lambda x: 1 / x,
    "relu": lambda x: x.clamp(min=0),
    "rmsnorm": lambda x, weight, eps=1e-5: x / (x.square().mean(-1, keepdim=True) + eps).sqrt() * weight,
    "rotary": rotary,
    "rotary_angles": lambda positions, frequencies: torch.outer(positions.double(), frequencies)[:, None],
    "sigmoid": lambda x: 1 / (1 + (-x).exp()),
    "silu": lambda x: x / (1 + (-x).exp()),
    "softmax": softmax,
    "sqrt": lambda x: x**0.5,
    "square": lambda x: x * x,
    "tanh": lambda x: 1 - 2 / (1 + (2 * x).exp()),
}
