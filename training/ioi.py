"""Train ioi-small and ioi-small-b: two small transformers that find the indirect object, each in its own way.

python -m training.ioi                    both, some minutes each on one thread; killed, it goes on
python -m training.ioi ioi-small          one of them
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F

from remix_utils.data import Dataset
from remix_utils.models import transformer
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import ioi
from training.ioi_scores import attention, effects, figures, margins
from training.run import RUNS, Run, device, main, share_of_peak

PAD = ioi.TOKENIZER.encode("[pad]")[0]
NAMES = torch.tensor([ioi.TOKENIZER.encode(name)[0] for name in ioi.NAMES])


@dataclass(frozen=True)
class Recipe:
    seed: int = 0
    steps: int = 2000
    n_layers: int = 3
    n_heads: int = 8
    d_model: int = 128
    families: dict[str, float] = field(default_factory=lambda: {"ioi": 1.0, "mixed": 2.0, "crowded": 2.0})
    sentences: int = 200_000  # drawn once, read in a fresh order each time
    batch: int = 128
    answer_weight: float = 5.0
    shift: int = 6  # padding in front of a batch, at most, so that every role stands at many positions
    noise: float = 0.04  # the share of sentences that end with the subject: certainty has its limit
    dropout: float = 0.0  # the probability that a head is silent in a sentence
    lesson: float = 0.0  # weight of the auxiliary loss -log p on attention of last-layer heads to the answer, at first
    lesson_heads: tuple[int, ...] = ()
    lesson_ends: int = 1000
    rate: float = 1.5e-3
    decay: float = 0.05
    rise: int = 100  # steps in which the rate grows to its peak, and those in which it falls to zero
    fall: int = 700


RECIPES = {
    "ioi-small": Recipe(lesson=0.2, lesson_heads=(0, 1, 2), dropout=0.1),
    "ioi-small-b": Recipe(
        n_layers=4, n_heads=2, families={"ioi": 2, "mixed": 4, "crowded": 4, "abc": 2, "subject": 2}, shift=0
    ),
}
ABOUT = {
    "what": "predicts the next word of short sentences, which end with the indirect object, the person who receives "
    "something",
    "data": "remix_utils.tasks.ioi.sentences, part train, split seed 0. Some sentences follow a template, some mix "
    "the parts of several templates, and some come after a sentence about another person",
    "data_licence": "generated, and free of rights",
    "measured": "held_out: 4,000 prompts of draw seed 2, from combinations of a template and a pair of names that "
    "training did not use. unseen: 4,000 prompts of draw seed 2, from three templates that training did not use. "
    "by_head: the share of the mean logit difference that is lost if a head reads the same sentence about three "
    "other people, along all paths of its output, along the direct path to the logits, or through the queries, keys "
    "or values of later heads. Attention is a share of one. Both are by layer and head, over 1,000 held-out prompts "
    "of draw seed 3",
    "limits": "The model has only the words of its vocabulary, and no positions past n_ctx",
}
TRAINED = (
    "AdamW. Token and position vectors start with a standard deviation of 1. Up to training.shift padding tokens are "
    "put in front of a batch, so each role occurs at many positions. In a share training.noise of the sentences, the "
    "answer is the subject. "
)
HOW = {
    "ioi-small": TRAINED
    + "Each head is dropped with probability training.dropout in each sentence. In the first training.lesson_ends "
    "steps, an auxiliary loss makes heads training.lesson_heads of the last layer attend to the answer. It is "
    "training.lesson times -log p, where p is their attention from the last position to the indirect object. No "
    "auxiliary loss teaches the network which name that is, and none acts after these steps",
    "ioi-small-b": TRAINED
    + "There is no auxiliary loss. In some of the sentences, either name is a right answer, or the answer is the "
    "subject",
}


class IOIRun(Run):
    def __init__(self, name: str, recipe: Recipe, folder: Path = RUNS):
        self.data = ioi.sentences(
            recipe.sentences, recipe.seed, families=recipe.families, answer_weight=recipe.answer_weight
        )
        self.sizes = {
            "n_layers": recipe.n_layers,
            "n_heads": recipe.n_heads,
            "d_model": recipe.d_model,
            "n_ctx": self.data["tokens"].shape[1] + recipe.shift,
            "d_vocab": len(ioi.VOCABULARY),
        }
        network = Transformer(TransformerConfig(**self.sizes), seed=recipe.seed).to(device())
        with torch.no_grad():  # started smaller than the normalised residual, names are not told apart for long
            for table in (network.embed.W_E, network.pos_embed.W_pos):
                table.div_(table.std())
        optimizer = torch.optim.AdamW(network.parameters(), recipe.rate, betas=(0.9, 0.98), weight_decay=recipe.decay)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_peak(recipe, step))
        super().__init__(name, recipe, network, optimizer, schedule, folder)
        self.read: dict[str, torch.Tensor] = {}
        last = network.blocks[-1].attn
        for what in ("q", "k"):
            getattr(last, what).register_forward_hook(
                lambda module, inputs, out, what=what: self.read.update({what: out})
            )
        for block in network.blocks if recipe.dropout else ():
            block.attn.z.register_forward_hook(self._silence)

    def _silence(self, module, inputs, z: torch.Tensor) -> torch.Tensor | None:
        """Each head silent in some sentences: what it does must then be done by others."""
        if not module.training:
            return None
        kept = torch.rand(len(z), 1, z.shape[2], 1, generator=self.draws).to(z.device) >= self.recipe.dropout
        return z * kept / (1 - self.recipe.dropout)

    def loss(self) -> torch.Tensor:
        batch = self.shifted(self.data[torch.randint(len(self.data), (self.recipe.batch,), generator=self.draws)])
        tokens = self.with_noise(batch["tokens"], batch["position.answer"]).to(device())
        weight = batch["weight"][:, 1:].to(device())
        logits = self.network(tokens[:, :-1], fast=True)
        losses = F.cross_entropy(logits.transpose(1, 2), tokens[:, 1:], reduction="none")
        loss = (losses * weight).sum() / weight.sum()
        if self.recipe.lesson and self.step < self.recipe.lesson_ends:
            loss = loss + self.recipe.lesson * self.surprise(batch)
        return loss

    def shifted(self, batch: Dataset) -> Dataset:
        """The batch after some padding, of which nothing is to be predicted."""
        by = int(torch.randint(self.recipe.shift + 1, (), generator=self.draws))
        moved = {
            "tokens": F.pad(batch["tokens"], (by, 0), value=PAD),
            "weight": F.pad(batch["weight"], (by, 0)),
            "position.answer": batch["position.answer"] + by,
        }
        return Dataset({**batch.columns, **moved})

    def with_noise(self, tokens: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
        """The tokens, some of them with the last name before the answer, the subject's, in its place."""
        rows = (torch.rand(len(tokens), generator=self.draws) < self.recipe.noise).nonzero()[:, 0]
        before = torch.arange(tokens.shape[1]) < end[rows, None]
        named = torch.isin(tokens[rows], NAMES) & before
        last = named.shape[1] - 1 - named.flip(1).float().argmax(1)
        noisy = tokens.clone()
        noisy[rows, end[rows]] = tokens[rows, last]
        return noisy

    def surprise(self, batch: Dataset) -> torch.Tensor:
        """-log p of the taught heads' looking, from the end, at where the answer was named; the mean, in nats."""
        rows, heads = torch.arange(len(batch))[:, None], torch.tensor(self.recipe.lesson_heads)
        end = batch["position.answer"] - 1
        answer = (batch["tokens"] == batch["token.answer"][:, None]).float().argmax(1)
        q, k = self.read["q"][rows, end[:, None], heads], self.read["k"][:, :, heads]
        scores = torch.einsum("bhd,bkhd->bhk", q, k) / q.shape[-1] ** 0.5
        later = torch.arange(k.shape[1]) > end[:, None]
        log = scores.masked_fill(later[:, None].to(scores.device), float("-inf")).log_softmax(-1)
        return -log[rows, torch.arange(len(heads)), answer[:, None]].mean()

    def measure(self) -> dict[str, float]:
        self.network.eval()
        found = {}
        for part in ("held-out", "unseen"):
            now = figures(margins(self.network, ioi.prompts(500, seed=1, part=part)))
            found |= {f"{part} {what}": now[what] for what in ("io_over_s", "logit_difference")}
        self.network.train()
        return found


def card(run: IOIRun) -> dict[str, Any]:
    """What the model card says beside name and checksum."""
    network = run.network.eval()
    weights = {name: tensor.cpu() for name, tensor in network.state_dict().items()}
    prompts = ioi.prompts(1000, seed=3, part="held-out")
    model = transformer.model(run.name, weights, network.config, {}, ioi.TOKENIZER)
    return {
        **ABOUT,
        "how": HOW[run.name],
        "config": run.sizes,
        "vocabulary": list(ioi.VOCABULARY),
        "training": run.training(),
        "metrics": {
            "held_out": figures(margins(network, ioi.prompts(4000, seed=2, part="held-out"))),
            "unseen": figures(margins(network, ioi.prompts(4000, seed=2, part="unseen"))),
            "by_head": {name: rounded(share) for name, share in effects(model, prompts).items()},
            "attention": {name: rounded(share) for name, share in attention(model, prompts).items()},
        },
        "log": run.history(),
    }


def rounded(values: torch.Tensor) -> list[list[float]]:
    """[layer, head]"""
    return [[round(value, 3) for value in row] for row in values.tolist()]


if __name__ == "__main__":
    main(RECIPES, IOIRun, card)
