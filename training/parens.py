"""Train parens: a small bidirectional classifier of balanced parentheses.

python -m training.parens                 about 20 minutes on one thread; killed and started again, it goes on
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from remix_utils.data import Dataset
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import parens
from training.run import RUNS, Run, device, main

SIZES = {
    "n_layers": 3,
    "n_heads": 2,
    "d_model": 56,
    "d_mlp": 56,
    "n_ctx": parens.LENGTH,
    "d_vocab": len(parens.VOCABULARY),
    "d_out": 2,
    "causal": False,
}


@dataclass(frozen=True)
class Recipe:
    seed: int = 0
    steps: int = 12_000
    batch: int = 256
    strings: int = 400_000  # drawn once, read in a fresh order each time
    peak_rate: float = 1.5e-3
    decay: float = 0.01


RECIPES = {"parens": Recipe()}


class ParensRun(Run):
    checkpoint_every = 500
    max_norm = 1.0

    def __init__(self, name: str, recipe: Recipe, folder: Path = RUNS):
        network = Transformer(TransformerConfig.read(SIZES), seed=recipe.seed).to(device())
        optimizer = torch.optim.AdamW(network.parameters(), recipe.peak_rate, weight_decay=recipe.decay)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.peak_rate, total_steps=recipe.steps)
        super().__init__(name, recipe, network, optimizer, schedule, folder)
        self.data = parens.draw(recipe.strings, seed=recipe.seed, part="train")

    def loss(self) -> torch.Tensor:
        batch = self.data[torch.randint(len(self.data), (self.recipe.batch,), generator=self.draws)]
        tokens, mask, label = (batch[name].to(device()) for name in ("tokens", "mask", "label"))
        return F.cross_entropy(self.network(tokens, mask), label)

    def measure(self) -> dict[str, float]:
        found = figures(margins(self.network, parens.draw(2000, seed=1, part="held-out")))
        return {"held_out_loss": found["loss"], "held_out_accuracy": found["accuracy"]}


@torch.no_grad()
def margins(network: torch.nn.Module, data: Dataset) -> torch.Tensor:
    """By how much the right logit is ahead of the other, [rows]."""
    parts = [data[rows] for rows in torch.arange(len(data)).split(1000)]
    logits = [network(part["tokens"].to(device()), part["mask"].to(device())).cpu() for part in parts]
    return torch.cat(logits).diff(dim=1)[:, 0] * (2 * data["label"] - 1)


def figures(margin: torch.Tensor) -> dict[str, float]:
    """Accuracy and mean loss in nats, with their standard errors."""
    loss, right = F.softplus(-margin), (margin > 0).float()
    return {
        "strings": len(margin),
        "wrong": int((margin <= 0).sum()),
        "accuracy": round(right.mean().item(), 6),
        "accuracy_se": round(right.std().item() / len(margin) ** 0.5, 6),
        "loss": round(loss.mean().item(), 6),
        "loss_se": round(loss.std().item() / len(margin) ** 0.5, 6),
    }


def by_kind(margin: torch.Tensor, data: Dataset) -> dict[str, dict[str, float]]:
    """The same for the balanced strings, and for each way to fail."""
    kinds = {
        "balanced": data["label"] == 1,
        "fails the count test only": ~data["count_ok"] & data["horizon_ok"],
        "fails the horizon test only": data["count_ok"] & ~data["horizon_ok"],
        "fails both tests": ~data["count_ok"] & ~data["horizon_ok"],
    }
    return {kind: figures(margin[rows]) for kind, rows in kinds.items()}


@torch.no_grad()
def attention(network: torch.nn.Module, data: Dataset) -> dict[str, list[list[float]]]:
    """What heads look at, by layer and head: how much of position 0's attention is on position 1, and how far that of
    the parentheses is from even, as total variation: 0 for even attention, nearly 1 for one place only."""
    mask = data["mask"].to(device())
    patterns: list[torch.Tensor] = []
    hooks = [
        block.attn.pattern.register_forward_hook(lambda module, inputs, out: patterns.append(out))
        for block in network.blocks
    ]
    network(data["tokens"].to(device()), mask)
    for hook in hooks:
        hook.remove()
    even = mask / mask.sum(1, keepdim=True)
    inside = (mask & mask.roll(-1, 1)).float()
    inside[:, 0] = 0
    weight = inside / inside.sum()
    far = [((p - even[:, None, None]).abs().sum(-1) / 2 * weight[:, None]).sum((0, 2)) for p in patterns]
    rounded = lambda rows: [[round(value, 3) for value in row.tolist()] for row in rows]
    return {"position_0_to_1": rounded([p[:, :, 0, 1].mean(0) for p in patterns]), "distance_from_even": rounded(far)}


ABOUT = {
    "what": "classifies a string of parentheses with two logits, unbalanced and balanced, read at position 0",
    "data": "remix_utils.tasks.parens, part train, split seed 0, with strings of even lengths 2 to 40 in the "
    "proportions of Chan et al. 2022. Half of the unbalanced strings fail narrowly",
    "data_licence": "generated, and free of rights",
    "how": "AdamW with a one-cycle learning rate and gradients clipped at norm 1. Padding is masked",
    "measured": "held_out: 20,000 strings of part held-out, draw seed 2. every_12: every string of even length up "
    "to 12, including those in the training data. Losses are in nats. Attention is over 2,000 held-out strings",
    "limits": "Training had no strings longer than 40, and none of odd length",
}


def card(run: Run) -> dict[str, Any]:
    """What the model card says beside name and checksum."""
    held_out = parens.draw(20_000, seed=2, part="held-out")
    margin = margins(run.network, held_out)
    return {
        **ABOUT,
        "config": SIZES,
        "training": run.training(),
        "metrics": {
            "held_out": figures(margin),
            "every_12": figures(margins(run.network, parens.every(12))),
            "by_kind": by_kind(margin, held_out),
            "attention": attention(run.network, held_out[:2000]),
        },
        "log": run.history(),
    }


if __name__ == "__main__":
    main(RECIPES, ParensRun, card)
