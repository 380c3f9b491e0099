"""Train digits-a and digits-b: same network, same images, one is taught to lean on its skip connection.

python training/digits.py                 both, about ten seconds each; killed and started again, it goes on
python training/digits.py digits-a        one of them
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path

import torch
from safetensors.torch import save

from remix_utils.models.digits import DigitsNetwork
from remix_utils.models.model import SHIPPED
from remix_utils.tasks import digits

RUNS = Path(__file__).parent / "runs"
CHECKPOINT_EVERY = 250
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


class Run:
    """One training, with everything that a restart needs in one file."""

    def __init__(self, name: str, recipe: Recipe, folder: Path):
        self.name, self.recipe, self.folder = name, recipe, folder
        self.draws = torch.Generator().manual_seed(recipe.seed)
        torch.manual_seed(recipe.seed)
        self.network = DigitsNetwork(**SIZES)
        self.optimizer = torch.optim.AdamW(self._groups(), lr=recipe.peak_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(self.optimizer, recipe.peak_rate, total_steps=recipe.steps)
        self.step, self.log = 0, []
        folder.mkdir(parents=True, exist_ok=True)

    def _groups(self) -> list[dict]:
        network, recipe = self.network, self.recipe
        return [
            {"params": [network.inner.weight], "weight_decay": recipe.inner_decay},
            {"params": [network.inner.bias], "weight_decay": 0.0},
            {"params": [network.out.weight], "weight_decay": recipe.out_decay},
            {"params": [network.skip], "weight_decay": recipe.skip_decay},
        ]

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.name}.pt"

    def save(self) -> None:
        """Written beside and moved into place, so that a kill leaves the old checkpoint or the new one."""
        state = {"recipe": asdict(self.recipe), "step": self.step, "log": self.log, "draws": self.draws.get_state()}
        for part in ("network", "optimizer", "schedule"):
            state[part] = getattr(self, part).state_dict()
        draft = self.checkpoint.with_suffix(".draft")
        torch.save(state, draft)
        os.replace(draft, self.checkpoint)

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one of the same recipe."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            return False
        self.step, self.log = state["step"], state["log"]
        self.draws.set_state(state["draws"])
        for part in ("network", "optimizer", "schedule"):
            getattr(self, part).load_state_dict(state[part])
        return True

    def update(self, x: torch.Tensor, label: torch.Tensor) -> float:
        """One step on a fresh batch; some examples go without their hidden layer."""
        recipe, network = self.recipe, self.network
        rows = torch.randint(len(x), (recipe.batch,), generator=self.draws)
        present = torch.rand(recipe.batch, 1, generator=self.draws) >= recipe.hidden_off
        hidden = network.hidden(network.inner(x[rows])) * present
        logits = network.out(hidden) + x[rows] @ network.skip.T
        loss = torch.nn.functional.cross_entropy(logits, label[rows])
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return loss.item()

    def train(self) -> None:
        train = digits.images("train")
        started, first = time.time(), self.step
        while self.step < self.recipe.steps:
            loss = self.update(train["x"], train["label"])
            if self.step % CHECKPOINT_EVERY == 0 or self.step == self.recipe.steps:
                self.log.append({"step": self.step, "loss": round(loss, 4), "test": accuracy(self.network)})
                self.save()
                left = (time.time() - started) / (self.step - first) * (self.recipe.steps - self.step)
                print(f"{self.name}: {json.dumps(self.log[-1])}, {left:.0f} s left", flush=True)


@torch.no_grad()
def accuracy(network: DigitsNetwork, how: str = "as it is", draws: int = 50) -> float:
    """Test accuracy in per cent, as it is or with the hidden layer ablated; resampling averages over draws."""
    train, test = digits.images("train"), digits.images("test")
    hidden = network.hidden(network.inner(test["x"]))
    mean = network.hidden(network.inner(train["x"])).mean(0)
    generator = torch.Generator().manual_seed(0)
    rows = [torch.randint(len(hidden), (len(hidden),), generator=generator) for _ in range(draws)]
    variants = {
        "as it is": [hidden],
        "zero": [torch.zeros_like(hidden)],
        "mean": [mean.expand_as(hidden)],
        "resample": [hidden[each] for each in rows],
    }[how]
    logits = torch.stack([network.out(variant) + test["x"] @ network.skip.T for variant in variants])
    return round(100 * (logits.argmax(-1) == test["label"]).float().mean().item(), 2)


def publish(run: Run, folder: Path = SHIPPED) -> None:
    """Weights, then the card that vouches for them."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {name: tensor.detach().float().contiguous() for name, tensor in run.network.state_dict().items()}
    data = save(weights)
    (folder / f"{run.name}.safetensors").write_bytes(data)
    (folder / f"{run.name}.toml").write_text(card(run, sha256(data).hexdigest()), encoding="utf-8")
    print(f"{run.name}: published in {folder}, test accuracy {accuracy(run.network)} %")


def card(run: Run, checksum: str) -> str:
    """The model card, in TOML."""
    recipe = run.recipe
    lines = [
        f"# What {run.name} is, and where it comes from. Written by training/digits.py.",
        f'name = "{run.name}"',
        'what = "logits = W_out relu(W_in x + b) + W_skip x, on 8 x 8 images of handwritten digits"',
        f'leans_on = "{recipe.leans_on}"',
        f'sha256 = "{checksum}"',
        'data = "scikit-learn load_digits, pixels from 0 to 1, 1197 images to train and 600 to test, split seed 0"',
        'data_licence = "CC BY 4.0: Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI, 1998"',
        'how = "AdamW, one-cycle; each example is trained with its hidden layer set to zero with probability '
        'training.hidden_off, which teaches the skip to manage alone"',
        'limits = "a teaching pair, made to differ in mechanism; good for nothing else"',
        "",
        "[config]",
        *(f"{key} = {value}" for key, value in SIZES.items()),
        "",
        "[training]",
        *(f"{key} = {value}" for key, value in asdict(recipe).items() if key != "leans_on"),
        f'torch = "{torch.__version__}"',
        "",
        "[metrics] # per cent of the 600 test images; the hidden layer ablated, 50 draws for resampling",
        *(f'"{how}" = {accuracy(run.network, how)}' for how in ("as it is", "zero", "mean", "resample")),
        "",
        "[[log]]",
    ]
    log = "\n\n[[log]]\n".join("\n".join(f"{key} = {value}" for key, value in entry.items()) for entry in run.log)
    return "\n".join(lines) + "\n" + log + "\n"


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(description="Train the two digits networks and publish their weights.")
    parser.add_argument("names", nargs="*", help="digits-a, digits-b or both")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where checkpoints are kept")
    parser.add_argument("--fresh", action="store_true", help="start again, whatever checkpoint there is")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.names) - set(RECIPES))
    if unknown:
        parser.error(f"there is no recipe for {', '.join(unknown)}; there are {', '.join(RECIPES)}")
    torch.set_num_threads(1)
    for name in options.names or RECIPES:
        run = Run(name, RECIPES[name], options.runs)
        if not options.fresh and run.resume():
            print(f"{name}: going on from step {run.step}")
        run.train()
        publish(run)


if __name__ == "__main__":
    main(sys.argv[1:])
