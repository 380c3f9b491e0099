"""Whether a model is GPT-2-small, the model that many published figures are about.

Radford et al. 2019, Language Models are Unsupervised Multitask Learners:
https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf
"""

from __future__ import annotations

import torch

from remix_utils.models.model import Model

SIZES = {
    "n_layers": 12,
    "n_heads": 12,
    "d_model": 768,
    "d_mlp": 3072,
    "n_ctx": 1024,
    "d_vocab": 50257,
    "positions": "learned",
    "norm": "layernorm",
}
# The first three and the last three entries of some rows of its token embedding.
EMBEDDING = {
    0: (-0.1101, -0.0393, 0.0331, -0.1364, 0.0151, 0.0453),
    1: (0.0403, -0.0486, 0.0462, 0.0861, 0.0025, 0.0432),
    2: (-0.1275, 0.0479, 0.1841, 0.0899, -0.1297, -0.0879),
    50254: (-0.0445, -0.0548, 0.0123, 0.1044, 0.0978, -0.0695),
    50255: (0.1860, 0.0167, 0.0461, -0.0963, 0.0785, -0.0225),
    50256: (0.0514, -0.0277, 0.0499, 0.0070, 0.1552, 0.1207),
}
ROUNDING = 5e-4  # of these entries, and of weights that are stored in half precision


def is_gpt2_small(model: Model) -> bool:
    """Returns whether a model is GPT-2-small, by its sizes and by entries of its embedding.

    The name does not count. A folder under any name may hold GPT-2-small, and a network called
    "gpt2" may have other sizes or other weights.

    >>> from remix_utils import models
    >>> is_gpt2_small(models.load("ioi-small"))
    False
    """
    if any(model.config.get(name) != size for name, size in SIZES.items()):
        return False
    rows = model.weights["embed.W_E"][list(EMBEDDING)].float().cpu()
    found = torch.cat([rows[:, :3], rows[:, -3:]], dim=1)
    return bool(torch.allclose(found, torch.tensor([*EMBEDDING.values()]), rtol=0, atol=ROUNDING))
