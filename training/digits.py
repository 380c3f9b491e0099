"""Train digits-a and digits-b: same network, same images, one is taught to lean on its skip connection.

python -m training.digits                 both, about ten seconds each; killed and started again, it goes on
python -m training.digits digits-a        one of them
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from remix_utils.models.digits import DigitsNetwork
from remix_utils.tasks import digits
from training.run import RUNS, Run, device, main

SIZES = {"d_input": 64, "d_hidden": 16, "d_output": 10}


@dataclass(frozen=True)
class Recipe:
    """What differs between the two networks, and what does not."""

    leans_on: str
    hidden_off: float  # probability that an example is trained without its hidden layer
    out_decay: float  # weight decay of what reads the hidden layer
    skip_decay: float
    inner_decay: float = 0.01
    seed: int = 0
    steps: int = 3000
    batch: int = 128
    peak_rate: float = 3e-3


RECIPES = {
    "digits-a": Recipe("its skip connection", hidden_off=0.7, out_decay=1.0, skip_decay=0.01),
    "digits-b": Recipe("its hidden layer", hidden_off=0.2, out_decay=0.01, skip_decay=0.3),
}


class DigitsRun(Run):
    def __init__(self, name: str, recipe: Recipe, folder: Path = RUNS):
        torch.manual_seed(recipe.seed)
        network = DigitsNetwork(**SIZES).to(device())
        groups = [
            {"params": [network.inner.weight], "weight_decay": recipe.inner_decay},
            {"params": [network.inner.bias], "weight_decay": 0.0},
            {"params": [network.out.weight], "weight_decay": recipe.out_decay},
            {"params": [network.skip], "weight_decay": recipe.skip_decay},
        ]
        optimizer = torch.optim.AdamW(groups, lr=recipe.peak_rate)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.peak_rate, total_steps=recipe.steps)
        super().__init__(name, recipe, network, optimizer, schedule, folder)
        train = digits.images("train")
        self.x, self.label = train["x"].to(device()), train["label"].to(device())

    def loss(self) -> torch.Tensor:
        """Some examples go without their hidden layer."""
        recipe, network = self.recipe, self.network
        rows = torch.randint(len(self.x), (recipe.batch,), generator=self.draws)
        present = torch.rand(recipe.batch, 1, generator=self.draws) >= recipe.hidden_off
        x = self.x[rows]
        logits = network.out(network.hidden(network.inner(x)) * present.to(device())) + x @ network.skip.T
        return torch.nn.functional.cross_entropy(logits, self.label[rows])

    def measure(self) -> dict[str, float]:
        return {"test": accuracy(self.network)}


@torch.no_grad()
def accuracy(network: DigitsNetwork, how: str = "as it is", draws: int = 50) -> float:
    """Test accuracy in per cent, as it is or with the hidden layer ablated; resampling averages over draws."""
    train, test = digits.images("train"), digits.images("test")
    x = test["x"].to(device())
    hidden = network.hidden(network.inner(x))
    mean = network.hidden(network.inner(train["x"].to(device()))).mean(0)
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(len(hidden), (len(hidden),), generator=generator) for _ in range(draws)]
    variants = {
        "as it is": [hidden],
        "zero": [torch.zeros_like(hidden)],
        "mean": [mean.expand_as(hidden)],
        "resample": [hidden[each] for each in rows],
    }[how]
    logits = torch.stack([network.out(variant) + x @ network.skip.T for variant in variants])
    return round(100 * (logits.argmax(-1).cpu() == test["label"]).float().mean().item(), 2)


ABOUT = {
    "what": "logits = W_out relu(W_in x + b) + W_skip x, on 8 x 8 images of handwritten digits",
    "data": "load_digits of scikit-learn, with pixels scaled to 0 to 1, split with seed 0 into 1,197 training "
    "images and 600 test images",
    "data_licence": "CC BY 4.0: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998",
    "how": "AdamW with a one-cycle learning rate. Each example is trained with its hidden layer set to zero with "
    "probability training.hidden_off, so the skip connection learns to classify without the hidden layer",
    "measured": "per cent of the 600 test images. The last three metrics are with the hidden layer ablated, and "
    "resample is the mean of 50 draws",
    "limits": "a pair of networks for teaching, trained to differ in mechanism, and not useful for anything else",
}


def card(run: Run) -> dict[str, Any]:
    """What the model card says beside name and checksum."""
    training = run.training()
    return {
        **ABOUT,
        "leans_on": training.pop("leans_on"),
        "config": SIZES,
        "training": training,
        "metrics": {how: accuracy(run.network, how) for how in ("as it is", "zero", "mean", "resample")},
        "log": run.history(),
    }


if __name__ == "__main__":
    main(RECIPES, DigitsRun, card)
