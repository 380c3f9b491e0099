"""Train induction-2l: two layers of attention that learn to continue what they have seen before.

REMIX_CORPUS=folder python -m training.induction      half an hour on one thread; killed, it goes on when started again

The folder holds plain English, which is not part of this repository: UTF-8 text in `*train*.txt` and `*val*.txt`, or
the same as `.txt.xz`, works separated by a line `<|endoftext|>`. The card of the shipped weights says what they read.
"""

from __future__ import annotations

import lzma
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.tasks import stories
from training.induction_scores import estimate, excerpts, figures, glance, losses
from training.run import RUNS, Run, device, main, share_of_peak

NAME = "induction-2l"
END = "<|endoftext|>"  # token 0
SIZES = {
    "n_layers": 2,
    "n_heads": 8,
    "d_model": 256,
    "n_ctx": 320,
    "d_vocab": 1024,
    "positions": "shortformer",
}
MILLION = 1_000_000
ENGLISH, STORIES, HELD_OUT = 48 * MILLION, 8000, 3 * MILLION  # characters, stories, characters


@dataclass(frozen=True)
class Recipe:
    seed: int = 0
    steps: int = 6000
    batches: tuple[tuple[int, int], ...] = ((32, 128), (13, 320))  # windows and their length, in turn
    random: float = 0.25  # share of windows: random tokens, again and again
    stories: float = 0.25
    passages: float = 0.125  # English that returns to an earlier place and goes on from there; the rest is English
    lesson: float = 0.1  # weight of the auxiliary loss -log p on head 0.0's attention to the previous token, at first
    lesson_ends: int = 500  # the step at which this weight reaches zero
    crowding: float = 0.1  # weight of the auxiliary loss on attention of the other heads of layer 0 to that token
    rate: float = 2e-3
    rise: int = 200  # steps in which the rate grows to its peak, and those in which it falls to zero
    fall: int = 1500


RECIPES = {NAME: Recipe()}
ABOUT = {
    "what": "predicts the next token of English text, of generated stories and of repeated random tokens, with two "
    "layers of attention and no MLPs",
    "data": "Half of the windows are English prose, 48 million characters of works from Project Gutenberg by "
    "authors who died by 1955. In a quarter of these windows, the text jumps back to an earlier place in the window "
    "and goes on from there. A quarter of all windows are stories from remix_utils.tasks.stories (8,000 stories, "
    "seed 1). The last quarter are uniformly random tokens that repeat. Half of all windows start with an "
    "end-of-text token",
    "data_licence": "The English works are in the public domain in the United States, and in countries where "
    "copyright ends 70 years after an author's death. They are not part of this repository. Stories and random "
    "tokens are generated, and free of rights",
    "tokenizer": "byte-level BPE with 1,024 tokens, learned from the beginnings of the same works and from 1,500 "
    "stories",
    "how": "AdamW in bfloat16, with gradients clipped at norm 1. Two auxiliary losses give layer 0 a single "
    "previous-token head, because training alone would have spread this behaviour over several heads. The first loss "
    "is training.lesson times -log p, where p is the attention of head 0.0 to the previous token. Its weight falls "
    "to zero over the first training.lesson_ends steps. The second loss is training.crowding times the attention of "
    "heads 0.1 to 0.7 to the previous token, and it applies in all steps. No auxiliary loss acts on layer 1, so the "
    "induction heads formed by themselves",
    "measured": "english: 2,000 excerpts of 300 tokens, from works that training did not use. stories: 500 stories "
    "of seed 2, from their beginning. in_context: the loss at tokens 201 to 299 minus the loss at tokens 21 to 60. "
    "first_copy, second_copy: 256 rows of 50 random tokens, repeated once, where the second copy is measured without "
    "its first token. previous_token: attention as a share of one, by layer and head, on 60 of the English excerpts. "
    "prefix_matching: the same, on the rows of random tokens. without_them: the values that the heads of layer 0 "
    "with previous-token attention above 0.3 move are replaced by their mean. Losses are in nats",
    "compared": "The control is another run with the same sizes, seed and rates. It reads only English, as many "
    "English windows in each step, and it has no auxiliary loss. Both models are measured at the step named, before "
    "the learning rate falls",
    "precision": "16 bits. In the checkpoints, the matrices have 8 bits (e4m3). The metrics, and this model's loss "
    "beside the control, are those of the weights as they ship. The log is of 32-bit weights",
    "limits": "The model has read English from before 1955, in tokens of about two and a half characters. It has no "
    "positions past 320",
}
# English alone, as many windows of it in a step, and no pressure on any head.
CONTROL = replace(
    RECIPES[NAME],
    steps=2500,
    fall=0,
    batches=((16, 128), (7, 320)),
    random=0.0,
    stories=0.0,
    passages=0.0,
    lesson=0.0,
    crowding=0.0,
)


def corpus(part: str, characters: int) -> list[str]:
    """Works of a part of the corpus, in an order of our own, until there are so many characters."""
    folder = Path(os.environ.get("REMIX_CORPUS", ""))
    paths = sorted(folder.glob(f"*{part}*.txt*")) if "REMIX_CORPUS" in os.environ else []
    if not paths:
        raise SystemExit(
            f"No English to train on: there is no *{part}*.txt or *{part}*.txt.xz in REMIX_CORPUS={str(folder)!r}.\n"
            "  fix: collect a few hundred books of the public domain, such as those of Project Gutenberg, into "
            f"train.txt and val.txt, with a line {END} between works, and set REMIX_CORPUS to their folder."
        )
    works = [work.strip() for path in paths for work in text_of(path).split(f"\n{END}\n")]
    random.Random(0).shuffle(works)
    kept, total = [], 0
    while works and total < characters:
        kept.append(works.pop()[: characters - total])
        total += len(kept[-1])
    return kept


def text_of(path: Path) -> str:
    data = path.read_bytes()
    return (lzma.decompress(data) if path.suffix == ".xz" else data).decode("utf-8")


def learn_tokenizer(texts: list[str]) -> Tokenizer:
    """A byte-level BPE: any text comes back as it was."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZES["d_vocab"],
        special_tokens=[END],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def joined(tokenizer: Tokenizer, texts: list[str]) -> torch.Tensor:
    """Tokens of texts, one after another, each after an end of text."""
    return torch.cat([torch.tensor([0, *tokenizer.encode(text).ids], dtype=torch.int16) for text in texts])


def prepared(folder: Path) -> tuple[bytes, dict[str, torch.Tensor]]:
    """The tokenizer, and tokens to train on and to measure with; made once, which takes some minutes."""
    reader, tokens = folder / f"{NAME}.tokenizer.json", folder / f"{NAME}.tokens.safetensors"
    if not tokens.exists():
        english, told = corpus("train", ENGLISH), stories.tell(STORIES, seed=1)
        tokenizer = learn_tokenizer([text[:20_000] for text in english] + told[:1500])
        reader.write_text(tokenizer.to_str(), encoding="utf-8")
        parts = {"english": english, "stories": told, "held_out": corpus("val", HELD_OUT)}
        data = save({part: joined(tokenizer, texts) for part, texts in parts.items()})
        tokens.write_bytes(data)
    return reader.read_bytes(), load(tokens.read_bytes())


class InductionRun(Run):
    checkpoint_every = 125
    max_norm = 1.0
    snapshots = (0, 500, 1000, 2000, 2500, 2900, 3000, 3075, 3125, 3175, 3250, 3500, 4500)

    def __init__(self, name: str, recipe: Recipe, folder: Path = RUNS):
        network = Transformer(TransformerConfig.read(SIZES), seed=recipe.seed).to(device())
        optimizer = torch.optim.AdamW(network.parameters(), recipe.rate, fused=True)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: share_of_peak(recipe, step))
        super().__init__(name, recipe, network, optimizer, schedule, folder)
        tokenizer, self.tokens = prepared(folder)
        self.beside = {"tokenizer.json": tokenizer}
        first = network.blocks[0].attn
        self.read: dict[str, torch.Tensor] = {}
        for what in ("q", "k"):
            getattr(first, what).register_forward_hook(
                lambda module, inputs, out, what=what: self.read.update({what: out})
            )

    def loss(self) -> torch.Tensor:
        rows = self.windows(*self.recipe.batches[self.step % len(self.recipe.batches)]).to(device())
        with torch.autocast(device().type, torch.bfloat16):
            logits = self.network(rows, fast=True)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1).float(), rows[:, 1:].flatten())
        return loss + self.pressure() if self.recipe.crowding else loss

    def windows(self, n: int, seq: int) -> torch.Tensor:
        """A batch [n, seq] of all kinds; half of it starts with an end of text, as if a document began there."""
        random, told, again = (
            int(n * share) for share in (self.recipe.random, self.recipe.stories, self.recipe.passages)
        )
        english = self.excerpts("english", n - random - told, seq)
        kinds = [
            self.copies(random, seq),
            self.excerpts("stories", told, seq),
            self.returns(english[:again]),
            english[again:],
        ]
        rows = torch.cat(kinds)
        rows[torch.rand(n, generator=self.draws) < 0.5, 0] = 0
        return rows

    def excerpts(self, part: str, n: int, seq: int) -> torch.Tensor:
        starts = torch.randint(len(self.tokens[part]) - seq, (n, 1), generator=self.draws)
        return self.tokens[part][starts + torch.arange(seq)].long()

    def copies(self, n: int, seq: int) -> torch.Tensor:
        """Random tokens, of a length from 8 to two fifths of the window, as often as they fit."""
        drawn = torch.randint(SIZES["d_vocab"], (n, seq), generator=self.draws)
        length = torch.randint(8, 2 * seq // 5, (n, 1), generator=self.draws)
        return drawn.gather(1, torch.arange(seq) % length)

    def returns(self, rows: torch.Tensor) -> torch.Tensor:
        """The same up to a place in the middle half; from there on, again what began at an earlier place."""
        n, seq = rows.shape
        leap = torch.randint(seq // 4, 3 * seq // 4, (n, 1), generator=self.draws)
        back = 1 + (leap * torch.rand(n, 1, generator=self.draws)).long()
        place = torch.arange(seq).expand(n, seq)
        return rows.gather(1, torch.where(place < leap, place, place - back))

    def pressure(self) -> torch.Tensor:
        """What the heads of layer 0 pay for where they look; on an eighth of the rows."""
        q, k = (self.read[what][::8].float().transpose(1, 2) for what in ("q", "k"))
        seq = q.shape[2]
        hidden = torch.ones(seq, seq, dtype=torch.bool, device=q.device).triu(1)
        scores = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).masked_fill(hidden, float("-inf"))
        log = scores.log_softmax(-1).diagonal(-1, 2, 3)  # [row, head, query]
        others = self.recipe.crowding * log[:, 1:].exp().mean((0, 2)).sum()
        left = max(0.0, 1 - self.step / self.recipe.lesson_ends)
        return others - self.recipe.lesson * left * log[:, 0].mean()

    def measure(self) -> dict[str, float]:
        return glance(self.network, self.tokens["held_out"])

    def shipped(self, weights: Mapping[str, torch.Tensor], step: int | None = None) -> Mapping[str, torch.Tensor]:
        """In 16 bits; the matrices of checkpoints in 8, which moves no figure of the log by more than 0.01."""
        small = torch.float16 if step is None else torch.float8_e4m3fn
        return {name: tensor.to(small if tensor.ndim > 1 else torch.float16) for name, tensor in weights.items()}

    def at(self, step: int | None = None) -> Transformer:
        """The network of a step, or of the end, as it ships."""
        weights = self.network.state_dict() if step is None else load(self.snapshot(step).read_bytes())
        network = Transformer(self.network.config, seed=None).to(device())
        network.load_state_dict(self.shipped(weights, step))
        return network


def held_out_stories(tokenizer: Tokenizer, n: int, seq: int) -> torch.Tensor:
    """The beginnings [n, seq] of stories that were not trained on, each after an end of text."""
    told = (tokenizer.encode(text).ids for text in stories.tell(2 * n, seed=2))
    return torch.tensor([[0, *tokens[: seq - 1]] for tokens in told if len(tokens) >= seq][:n])


def beside_control(run: InductionRun, english: torch.Tensor) -> dict[str, Any]:
    """Held-out English at equal steps, at the same rate, of this run and of one that reads English alone."""
    control = InductionRun(f"{NAME}-control", CONTROL, run.folder)
    control.resume()
    control.train()
    alone, mixed = (losses(network, english).mean(1) for network in (control.network, run.at(CONTROL.steps)))
    return {
        "step": CONTROL.steps,
        "english_tokens": sum(n * seq for n, seq in CONTROL.batches) * CONTROL.steps // len(CONTROL.batches),
        "english_loss": estimate(mixed),
        "english_loss_of_control": estimate(alone),
        "more_than_control": estimate(mixed - alone),
        "more_than_control_in_per_cent": round(100 * (mixed.mean() / alone.mean() - 1).item(), 2),
    }


def card(run: InductionRun) -> dict[str, Any]:
    """What the model card says beside name and checksum."""
    tokenizer = run.beside["tokenizer.json"]
    english = excerpts(run.tokens["held_out"], 300, 2000)
    told = held_out_stories(Tokenizer.from_str(tokenizer.decode("utf-8")), 500, 300)
    return {
        "tokenizer_sha256": sha256(tokenizer).hexdigest(),
        **ABOUT,
        "config": SIZES,
        "training": run.training() | {"english_tokens_read_from": len(run.tokens["english"])},
        "metrics": figures(run.at(), english, told),
        "control": beside_control(run, english),
        "log": run.history(),
    }


if __name__ == "__main__":
    main(RECIPES, InductionRun, card)
