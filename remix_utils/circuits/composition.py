"""Composition scores: how much one head reads of what an earlier one writes (Elhage et al. 2021)."""

from __future__ import annotations

from typing import Literal

import torch

from remix_utils.circuits.weights import reads, require_qk, writes
from remix_utils.errors import RewriteError
from remix_utils.models.model import Model

Kind = Literal["Q", "K", "V"]
OTHER = {"Q": "K", "K": "Q"}


def composition(model: Model, kind: Kind, folded: bool = True) -> torch.Tensor:
    """‖W_OV · W‖ / (‖W_OV‖ ‖W‖) for all pairs of heads, [earlier layer, head, later layer, head], between 0 and 1.

    W is what the later head does with what it reads: its QK circuit from the query's side ("Q") or the key's ("K"), or
    its OV circuit ("V"). Norms are Frobenius norms; pairs that are not of an earlier and a later layer are NaN. Compare
    with `composition_baseline`: unrelated heads do not score 0.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> composition(model, "K")[0, :, 1].shape
    torch.Size([4, 4])

    Raises RewriteError for another kind, ModelError for a model without attention heads, and for Q and K in one that
    normalises queries and keys.
    """
    if kind not in ("Q", "K", "V"):
        raise RewriteError(f"There is no {kind!r}-composition.", fix="use 'Q', 'K' or 'V'.", kind=kind)
    model.head(0, 0)
    if kind != "V":
        require_qk(model)
    layers, heads = range(model.config["n_layers"]), range(model.config["n_heads"])

    def stack(letter: str, layer: int) -> torch.Tensor:
        return torch.stack([reads(model, letter, (layer, head), folded) for head in heads])

    write = [torch.stack([writes(model, (layer, head)) for head in heads]) for layer in layers]
    values = [stack("V", layer) for layer in layers]
    scores = values[0].new_full((len(layers), len(heads), len(layers), len(heads)), float("nan"))
    for later in layers[1:]:
        read = stack(kind, later)
        rest = write[later].mT if kind == "V" else stack(OTHER[kind], later)
        for earlier in layers[:later]:
            scores[earlier, :, later] = _scores(values[earlier], write[earlier], read, rest)
    return scores


def composition_baseline(model: Model, n: int = 100, seed: int = 0) -> torch.Tensor:
    """Composition scores [n] of random heads of the model's sizes, their weights normal: chance, and its spread.

    >>> from remix_utils.models.transformer import untrained
    >>> model = untrained(n_layers=2, n_heads=4, d_model=32, n_ctx=16, d_vocab=20)
    >>> drawn = composition_baseline(model)
    >>> round(drawn.mean().item(), 2), round(drawn.std().item(), 2)
    (0.17, 0.02)

    Raises ModelError for a model without attention heads.
    """
    model.head(0, 0)
    generator = torch.Generator().manual_seed(seed)
    width, d_head = model.config["d_model"], model.config["d_head"]
    scores = torch.empty(n)
    for place in range(n):
        value, write, read, rest = torch.randn(4, 1, width, d_head, generator=generator)
        scores[place] = _scores(value, write.mT, read, rest)
    return scores


def _scores(value: torch.Tensor, write: torch.Tensor, read: torch.Tensor, rest: torch.Tensor) -> torch.Tensor:
    """‖V O R Sᵀ‖ / ‖V O‖ ‖R Sᵀ‖ for heads a of V [a, d, h], O [a, h, d] and b of R, S [b, d, h]: [a, b].

    Norms do not change when a tall matrix gives way to its triangle, so that nothing larger than [h, h] is made of
    each pair.
    """
    triangle = {
        name: torch.linalg.qr(each).R for name, each in (("V", value), ("O", write.mT), ("R", read), ("S", rest))
    }
    middle = torch.einsum("ahd,bdk->abhk", write, read)
    product = triangle["V"].unsqueeze(1) @ middle @ triangle["S"].mT
    norms = [(triangle[a] @ triangle[b].mT).norm(dim=(-2, -1)) for a, b in ("VO", "RS")]
    return product.norm(dim=(-2, -1)) / (norms[0].unsqueeze(1) * norms[1])
