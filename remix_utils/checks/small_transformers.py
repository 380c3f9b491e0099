"""Small transformers with random weights, as networks and as dicts of tensors."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from remix_utils.models import transformer
from remix_utils.models.model import Model
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer

Weights = Mapping[str, torch.Tensor]


def random_weights(
    seed: int, d_mlp: int = 12, n_layers: int = 2, n_heads: int = 2
) -> dict[str, torch.Tensor]:
    """Weights of a small causal network in which every bias and every norm matters.

    >>> random_weights(0)["blocks.1.attn.W_Q"].shape
    torch.Size([2, 8, 5])
    """
    config = TransformerConfig(
        n_layers=n_layers,
        n_heads=n_heads,
        d_model=8,
        d_head=5,
        n_ctx=11,
        d_vocab=13,
        d_mlp=d_mlp,
        positions="shortformer",
    )
    numbers = torch.Generator().manual_seed(seed)
    return {
        name: value + 0.5 * torch.randn(value.shape, generator=numbers)
        for name, value in Transformer(config, seed).state_dict().items()
    }


def network(weights: Weights) -> Transformer:
    """The library's network with these weights; its sizes are read off their shapes.

    >>> network(random_weights(0)).config.d_mlp
    12
    """
    heads, d_model, d_head = weights["blocks.0.attn.W_Q"].shape
    neurons = weights["blocks.0.mlp.W_in"].shape[1] if "blocks.0.mlp.W_in" in weights else 0
    config = TransformerConfig(
        n_layers=len({name.split(".")[1] for name in weights if name.startswith("blocks.")}),
        n_heads=heads,
        d_model=d_model,
        d_head=d_head,
        n_ctx=weights["pos_embed.W_pos"].shape[0],
        d_vocab=weights["embed.W_E"].shape[0],
        d_mlp=neurons,
        positions="shortformer",
    )
    made = Transformer(config, seed=None)
    made.load_state_dict(dict(weights))
    return made.eval().requires_grad_(False)


def small_model(seed: int, d_mlp: int = 12, n_layers: int = 2, n_heads: int = 2) -> Model:
    """Returns the library's model with random weights, to take graphs of any length from.

    >>> small_model(0, d_mlp=0).graph(seq=4).shape
    (4, 13)
    """
    weights = random_weights(seed, d_mlp, n_layers, n_heads)
    return transformer.model("random", weights, network(weights).config, {}, None)


def stream(seed: int, seq: int = 6, batch: int = 2, d_model: int = 8) -> torch.Tensor:
    """A residual stream [batch, seq, d_model] that is neither centred nor of unit length.

    >>> stream(0).shape
    torch.Size([2, 6, 8])
    """
    numbers = torch.Generator().manual_seed(seed)
    return 1.5 * torch.randn(batch, seq, d_model, generator=numbers) + 0.5
