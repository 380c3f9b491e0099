"""Small transformers of every kind, with weights that leave nothing at its starting value."""

import torch

from remix_utils.models.transformer import model
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer

SIZES = {"n_layers": 2, "n_heads": 4, "d_model": 32, "n_ctx": 20, "d_vocab": 11}
KINDS = {
    "attention only": {},
    "gpt2": {"d_mlp": 64, "activation": "gelu_tanh", "tied": True},
    "shortformer": {"positions": "shortformer"},
    "no norm": {"norm": "none", "positions": "none", "attn_bias": False},
    "neox": {"positions": "rotary", "rotary_dim": 4, "parallel": True, "d_mlp": 40, "activation": "gelu"},
    "llama": {
        "positions": "rotary",
        "n_kv_heads": 2,
        "d_head": 6,
        "d_mlp": 50,
        "gated": True,
        "activation": "silu",
        "norm": "rmsnorm",
        "norm_eps": 1e-2,
        "attn_bias": False,
        "mlp_bias": False,
    },
    "classifier": {"causal": False, "d_out": 2, "d_mlp": 8, "unembed_bias": True},
}
# Where queries and keys are normalised, no matrix gives the attention scores.
EVERY_KIND = {
    **KINDS,
    "qwen3": {
        "positions": "rotary",
        "n_kv_heads": 2,
        "d_head": 6,
        "d_mlp": 50,
        "gated": True,
        "activation": "silu",
        "norm": "rmsnorm",
        "qk_norm": True,
        "attn_bias": False,
        "mlp_bias": False,
    },
}


def config(kind, **changes):
    return TransformerConfig(**{**SIZES, **EVERY_KIND[kind], **changes})


def network(kind, seed=1, **changes):
    """A module with random weights, biases and norm weights."""
    made = Transformer(config(kind, **changes), seed=seed).eval().requires_grad_(False)
    generator = torch.Generator().manual_seed(seed)
    for name, parameter in made.named_parameters():
        if name.rsplit(".", 1)[-1][0] in "wb":
            parameter.add_(torch.randn(parameter.shape, generator=generator), alpha=0.3)
    return made


def loaded(kind, seed=1, **changes):
    """The same as a Model."""
    made = network(kind, seed, **changes)
    return model(kind, made.state_dict(), made.config, {}, None)


def tokens(rows=3, seq=16, seed=0):
    return torch.randint(0, SIZES["d_vocab"], (rows, seq), generator=torch.Generator().manual_seed(seed))


def outputs(module, *inputs):
    """What every submodule put out in one forward pass, by name."""
    seen = {}
    for name, part in module.named_modules():
        part.register_forward_hook(lambda part, given, out, name=name: seen.__setitem__(name, out))
    module(*inputs)
    return seen
