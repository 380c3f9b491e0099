"""What every training here shares: a run that goes on after a kill, and weights published with the card they need.

A script says what it trains, in a `Run` of its own, and what it knows of the result, in a card; `main` does the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load, save
from tqdm import tqdm

from remix_utils.models.model import SHIPPED

RUNS = Path(__file__).parent / "runs"


class Run:
    """One training, with everything that a restart needs in one file.

    A subclass builds the network, its optimizer and its schedule from a recipe, a frozen dataclass with at least
    `seed` and `steps`, and says in `loss` what one step learns from. Whatever is random is drawn from `self.draws`:
    then a run that was killed and started again ends in the same weights as one that was not, on the same device.
    """

    checkpoint_every = 250
    max_norm: float | None = None  # of the gradient
    snapshots: tuple[int, ...] = ()  # steps whose weights are published too; 0 is before the first
    beside: Mapping[str, bytes] = {}  # published with the weights: "tokenizer.json" as NAME.tokenizer.json

    def __init__(self, name: str, recipe: Any, network: torch.nn.Module, optimizer, schedule, folder: Path = RUNS):
        self.name, self.recipe, self.folder = name, recipe, folder
        self.network, self.optimizer, self.schedule = network, optimizer, schedule
        self.draws = torch.Generator().manual_seed(recipe.seed)
        self.step, self.seconds, self.log = 0, 0.0, []
        folder.mkdir(parents=True, exist_ok=True)

    def loss(self) -> torch.Tensor:
        """The loss of a fresh batch, in nats."""
        raise NotImplementedError

    def measure(self) -> dict[str, float]:
        """What the log says beside step and loss, at each checkpoint."""
        return {}

    def shipped(self, weights: Mapping[str, torch.Tensor], step: int | None = None) -> Mapping[str, torch.Tensor]:
        """Weights of a step, or the final ones, in the precision in which they ship."""
        return weights

    @property
    def checkpoint(self) -> Path:
        return self.folder / f"{self.name}-seed{self.recipe.seed}.pt"

    def snapshot(self, step: int) -> Path:
        return self.checkpoint.with_suffix(f".step-{step}.safetensors")

    def save(self) -> None:
        """Written beside and moved into place, so that a kill leaves the old checkpoint or the new one."""
        state = {"recipe": asdict(self.recipe), "draws": self.draws.get_state()}
        state |= {part: getattr(self, part) for part in ("step", "seconds", "log")}
        state |= {part: getattr(self, part).state_dict() for part in ("network", "optimizer", "schedule")}
        draft = self.checkpoint.with_suffix(".draft")
        torch.save(state, draft)
        os.replace(draft, self.checkpoint)

    def resume(self) -> bool:
        """Go on from the checkpoint, if there is one of the same recipe."""
        if not self.checkpoint.exists():
            return False
        state = torch.load(self.checkpoint, map_location="cpu", weights_only=True)
        if state["recipe"] != asdict(self.recipe):
            return False
        for part in ("step", "seconds", "log"):
            setattr(self, part, state[part])
        self.draws.set_state(state["draws"])
        for part in ("network", "optimizer", "schedule"):
            getattr(self, part).load_state_dict(state[part])
        return True

    def update(self) -> float:
        """One step; its loss in nats."""
        loss = self.loss()
        self.optimizer.zero_grad()
        loss.backward()
        if self.max_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.max_norm)
        self.optimizer.step()
        self.schedule.step()
        self.step += 1
        return loss.item()

    def train(self) -> None:
        """All the steps that are left, with a bar that says how long they take; the log has the mean loss since."""
        pace = 1 if sys.stderr.isatty() else 60
        losses, since = [], time.monotonic()
        with tqdm(
            total=self.recipe.steps,
            initial=self.step,
            desc=self.name,
            unit=" steps",
            mininterval=pace,
            maxinterval=pace,
        ) as bar:
            self.keep()
            while self.step < self.recipe.steps:
                losses.append(self.update())
                bar.update()
                self.keep()
                if self.step % self.checkpoint_every == 0 or self.step == self.recipe.steps:
                    entry = {"step": self.step, "loss": round(sum(losses) / len(losses), 5), **self.measure()}
                    self.log.append(entry)
                    now = time.monotonic()
                    self.seconds += now - since
                    losses, since = [], now
                    self.save()
                    bar.write(f"{self.name}: {json.dumps(entry)}")

    def keep(self) -> None:
        """A snapshot, if this is a step of which one is wanted."""
        if self.step in self.snapshots:
            self.snapshot(self.step).write_bytes(packed(self.network.state_dict()))

    def training(self) -> dict[str, Any]:
        """The recipe, and what it took to follow it, for a card."""
        took = {"torch": torch.__version__, "device": hardware(), "seconds": round(self.seconds, 1)}
        return asdict(self.recipe) | took

    def history(self) -> dict[str, list[float]]:
        """The log by columns, for a card."""
        return {key: [entry[key] for entry in self.log] for key in self.log[0]}


def share_of_peak(recipe: Any, step: int) -> float:
    """The learning rate over its peak: `recipe.rise` steps up, a plateau, `recipe.fall` steps down."""
    rise = min(1.0, (step + 1) / recipe.rise)
    return min(rise, (recipe.steps - step) / recipe.fall) if recipe.fall else rise


def device() -> torch.device:
    """A GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def hardware() -> str:
    """What a run's seconds are seconds of."""
    threads = torch.get_num_threads()
    on_cpu = f"CPU, {threads} thread{'s' * (threads > 1)}"
    return torch.cuda.get_device_name() if device().type == "cuda" else on_cpu


def packed(weights: Mapping[str, torch.Tensor]) -> bytes:
    """Weights as the bytes of a safetensors file."""
    return save({key: tensor.detach().cpu().contiguous() for key, tensor in weights.items()})


def publish(
    name: str,
    weights: Mapping[str, torch.Tensor],
    card: Mapping[str, Any],
    folder: Path = SHIPPED,
    checkpoints: Mapping[int, Mapping[str, torch.Tensor]] | None = None,
    beside: Mapping[str, bytes] | None = None,
) -> None:
    """Weights, also those of earlier steps, and what belongs beside them; then the card that vouches for them."""
    folder.mkdir(parents=True, exist_ok=True)
    files = {f"{name}.step-{step}": packed(earlier) for step, earlier in (checkpoints or {}).items()}
    files[name] = packed(weights)
    for stem, data in files.items():
        (folder / f"{stem}.safetensors").write_bytes(data)
    for ending, data in (beside or {}).items():
        (folder / f"{name}.{ending}").write_bytes(data)
    sums = [sha256(data).hexdigest() for data in files.values()]
    signed = {"name": name, "sha256": sums.pop(), **card}
    if checkpoints:
        signed["checkpoints"] = [{"step": step, "sha256": total} for step, total in zip(checkpoints, sums, strict=True)]
    title = (
        f"# The model card of {name}, written together with its weights. Its values are measured: do not edit them.\n"
    )
    (folder / f"{name}.toml").write_text(title + toml(signed), encoding="utf-8")
    print(f"{name}: published in {folder}")


def toml(table: Mapping[str, Any], path: tuple[str, ...] = ()) -> str:
    """A table of strings, numbers, truth values, lists of these, further tables and lists of tables, as TOML."""
    lines, sections = [], []
    for key, value in table.items():
        key = key if re.fullmatch(r"[\w-]+", key, re.ASCII) else json.dumps(key, ensure_ascii=False)
        place, first = ".".join((*path, key)), value[0] if isinstance(value, list) and value else None
        if isinstance(value, Mapping):
            sections.append(f"\n[{place}]\n" + toml(value, (*path, key)))
        elif isinstance(first, Mapping):
            sections += [f"\n[[{place}]]\n" + toml(entry, (*path, key)) for entry in value]
        elif isinstance(first, list | tuple):
            rows = "".join(f"    {json.dumps(row, ensure_ascii=False)},\n" for row in value)
            lines.append(f"{key} = [\n{rows}]\n")
        else:
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines + sections)


def main(
    recipes: Mapping[str, Any],
    run: Callable[[str, Any, Path], Run],
    card: Callable[[Run], Mapping[str, Any]],
    arguments: list[str] | None = None,
) -> None:
    """Train what is named on the command line, and publish it with what `card` says of it."""
    parser = argparse.ArgumentParser(description="Train networks and publish their weights. Killed, it goes on.")
    parser.add_argument("names", nargs="*", help=f"of {', '.join(recipes)}; all if none is given")
    parser.add_argument("--seed", type=int, help="another seed than the recipe's")
    parser.add_argument("--runs", type=Path, default=RUNS, help="where checkpoints are kept")
    parser.add_argument("--into", type=Path, default=SHIPPED, help="where weights and cards are published")
    parser.add_argument("--fresh", action="store_true", help="start again, whatever checkpoint there is")
    parser.add_argument("--threads", type=int, default=1, help="of the CPU; two on a busy core are slower than one")
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.names) - set(recipes)):
        parser.error(f"there is no recipe for {', '.join(unknown)}; there are {', '.join(recipes)}")
    torch.set_num_threads(options.threads)
    for name in options.names or recipes:
        recipe = recipes[name] if options.seed is None else replace(recipes[name], seed=options.seed)
        this = run(name, recipe, options.runs)
        if not options.fresh and this.resume():
            print(f"{name}: going on from step {this.step}")
        this.train()
        earlier = {step: this.shipped(load(this.snapshot(step).read_bytes()), step) for step in this.snapshots}
        publish(name, this.shipped(this.network.state_dict()), card(this), options.into, earlier, this.beside)
