# %% [markdown]
# # Day 2, part 4: how it came to be
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# We know which heads do it and how. At its beginning the model was noise, and it could not do it. Somewhere on the way it learned to, and the way was kept: thirteen checkpoints of this one training. In this part we look when it happened, what was there before, and what it cost. Then we turn the same detectors on other models, and close the day with its story in figures.
#
# **After this part we can**
# - say by how much a model changed between two checkpoints, with the right standard error;
# - find a phase change in checkpoints that are not evenly spaced, and say from when on a head is what it is;
# - tell what can be seen before the loss shows it;
# - run our detectors on any model that can be loaded, and say plainly of which it could not be.
#
# **Time**: about 60 minutes without the ★ exercises. One of those trains a model of your own; it runs for 10 minutes by itself.
#
# **Readings**: Olsson et al. 2022, *In-context Learning and Induction Heads*, arguments 1 and 2: d2.4.1 to d2.4.3. Nanda et al. 2023, *Progress measures for grokking via mechanistic interpretability*, the introduction, for d2.4.3. Both can wait until tonight.
# %%
import time
from dataclasses import replace
from itertools import pairwise

import torch
import torch.nn.functional as F
from remix_utils import ablate, check, evaluate, find_one, hint, models, plot, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import composition, composition_baseline, token_loss
from remix_utils.errors import RemixError
from remix_utils.models import transformer
from remix_utils.tasks import ioi, repeated, stories

start_at("d2.4")  # to rejoin the room: start_at("d2.4.4") brings every name that the rest of this part reads
# %% [markdown]
# ## Thirteen checkpoints and the end
#
# `models.load(name, step=...)` gives the same model as it was after so many steps of its training. The checkpoints are close together where something happens, and far apart where little does. `model.card` says how it was trained. Read the sentence about layer 0 once more: head 0.0 did not become a previous-token head by itself, so nothing in this part is evidence of how such a head comes to be. Layer 1 was left alone.
# %%
NAME, LENGTH = "induction-2l", 50
model = models.load(NAME)
END = model.card["training"]["steps"]
STEPS = [*model.checkpoints, END]
states = {step: models.load(NAME, step=None if step == END else step) for step in STEPS}
print(STEPS)
print(model.card["how"])
# %% [markdown]
# At every checkpoint we measure the same five things, on the same texts: 32 stories of 300 tokens, told with a seed that was not trained on, and 20 rows of 50 random tokens said twice. Four of the five come as one value a row, so that errors can be had; the scores of heads come from part 1.
# %%
def vital_signs(state, passages: torch.Tensor, twice: torch.Tensor) -> dict[str, torch.Tensor]:
    """Of each row [row], in nats: the loss on stories, late less early, and the loss on both copies of random tokens."""
    told, said = (evaluate(token_loss(state.graph(seq=rows.shape[1])), {"tokens": rows}) for rows in (passages, twice))
    half = twice.shape[1] // 2
    return {
        "stories": told.mean(1),
        "in-context": told[:, 200:].mean(1) - told[:, 20:60].mean(1),
        "first copy": said[:, : half - 1].mean(1),
        "second copy": said[:, half:].mean(1),
    }
# %%
told = [model.tokenize(story) for story in stories.tell(120, seed=2)]
passages, other_passages = torch.stack([tokens[:300] for tokens in told if len(tokens) >= 300][:64]).split(32)
twice, other_twice = (repeated.draw(20, LENGTH, range(1, 1024), seed=seed)["tokens"] for seed in (0, 1))
signs = {step: vital_signs(state, passages, twice) for step, state in states.items()}
patterns = {step: all_patterns(state.graph(seq=2 * LENGTH), twice) for step, state in states.items()}
prefix = {step: prefix_score(each, LENGTH).mean(0) for step, each in patterns.items()}
print("at the end, stories: {:.2f} nats; prefix scores of layer 1:".format(signs[END]["stories"].mean()), prefix[END][1])
# %% [markdown]
# ## d2.4.1 By how much did it change?
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Stories differ: some are easy and some are hard, for every checkpoint alike. The standard error of a mean loss holds all these differences. If two checkpoints read the *same* stories, most of that cancels: what counts is how much the change varies from story to story.
#
# Write `change`: the mean over rows of what was gained or lost between two checkpoints, below zero if it fell, and the standard error of that mean. In the same way one compares a model before and after an ablation.
#
# A question for the prediction: between steps 3,000 and 3,250, induction heads form. What happens to the loss on stories meanwhile, in which names return all the time?
#
# Stuck? `hint("d2.4.1")`
# %% exercise="d2.4.1"
def change(before: torch.Tensor, after: torch.Tensor) -> tuple[float, float]:
    """The mean change of rows [row] measured twice, and its standard error; the rows are the same ones."""
    ### BEGIN SOLUTION
    difference = after - before
    return difference.mean().item(), difference.std().item() / len(difference) ** 0.5
    ### END SOLUTION
# %% check="d2.4.1" points=2
check("d2.4.1", change)
# %%
predict("d2.4.p1", ..., "change of the loss on stories from step 3,000 to 3,250, in nats (below 0: it falls)")
# %%
early, late = signs[3000]["stories"], signs[3250]["stories"]
rise = change(early, late)
measured("d2.4.p1", *rise)
apart = (early.var() / len(early) + late.var() / len(late)).sqrt()
print(f"the same difference, as if the rows were different ones: ± {apart:.2f}")
for name, text in (("in-context", "late less early"), ("first copy", "first copy"), ("second copy", "second copy")):
    print("{}: {:+.2f} ± {:.2f} nats".format(text, *change(signs[3000][name], signs[3250][name])))
# %% [markdown]
# **What you should see**: the loss on stories *rises*, by 0.49 ± 0.03 nats, while the second copy of random tokens becomes 5.66 nats cheaper. The first copy, where there is nothing to look back at, becomes a whole nat dearer, and was worse in between: 9.3 at step 3,175. A new way of predicting has come in, and for some hundred steps it speaks too loudly: it repeats what was there before where it should not.
#
# With unpaired errors the rise would be ± 0.06, twice as much. Here it would have been seen anyway; for the smaller changes late in a training, or of one head's ablation, that decides.
#
# *Learned*: compare the same rows, and take the error of the difference. And: a better circuit may make a worse model, for a while.
# %% [markdown]
# ## d2.4.2 When?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A phase change is where a curve is steepest. Our checkpoints are 50 steps apart in some places and 1,500 in others, so that a large difference may just be a long wait. And a curve may rise or fall.
#
# Write `steepest`: between which two neighbouring checkpoints did the value change fastest, per step of training? First look at the figure that you expect: of 6,000 steps, at which one does the loss on the second copy fall fastest?
#
# Stuck? `hint("d2.4.2")`
# %% exercise="d2.4.2"
def steepest(steps: list[int], values: list[float]) -> tuple[int, int]:
    """The steps of the two neighbouring checkpoints between which the value changes most per step, up or down."""
    ### BEGIN SOLUTION
    pairs = zip(pairwise(steps), pairwise(values), strict=True)
    slopes = [(abs(after - before) / (end - start), start, end) for (start, end), (before, after) in pairs]
    return max(slopes, key=lambda each: each[0])[1:]
    ### END SOLUTION
# %% check="d2.4.2" points=2
check("d2.4.2", steepest)
# %%
predict("d2.4.p2", ..., "the step, of 6,000, around which the loss on the second copy falls fastest")
# %%
curve = lambda name: [signs[step][name].mean().item() for step in STEPS]
spread = lambda name: [(signs[step][name].std() / len(signs[step][name]) ** 0.5).item() for step in STEPS]
turn = steepest(STEPS, curve("second copy"))
measured("d2.4.p2", f"{sum(turn) / 2:,.0f}")
of_heads = {f"1.{head}": [prefix[step][1, head].item() for step in STEPS] for head in range(8)}
print({name: steepest(STEPS, values) for name, values in {"second copy": curve("second copy"), **of_heads}.items()})
with_error = lambda name: list(zip(curve(name), spread(name), strict=True))
panels = {
    "loss (nats)": {name: with_error(name) for name in ("stories", "first copy", "second copy")},
    "late − early (nats)": {"stories": with_error("in-context")},
    "prefix matching": {name: of_heads[name] for name in ("1.1", "1.3", "1.5")},
}
plot.curves(STEPS, panels, "One training, fourteen times looked at", "step", marks={"steepest": sum(turn) / 2})
# %% [markdown]
# **What you should see**: a cliff. For 3,000 steps, half of the training, the second copy costs as much as the first. Between steps 3,125 and 3,175 it falls by 2.5 nats, and from 3,500 on it costs less than half a nat. The prefix scores of 1.1 and 1.3 rise in the same steps; no other head has a rise to speak of. The in-context score of stories goes from −0.31 to −0.55 with it, a change of −0.24 ± 0.05 on the same rows.
#
# | in-context score (nats) | before | after |
# |---|---|---|
# | published, two layers and more (Olsson et al. 2022; tokens 50 and 500) | about −0.15 | about −0.4 |
# | ours, stories (tokens 21–60 and 201–299), steps 3,000 and 3,250 | −0.31 ± 0.08 | −0.55 ± 0.07 |
# | ours, at the end, English that was not trained on (card) | | −0.18 ± 0.01 |
#
# The shape is the published one, and the figures differ for the reasons of d2.1.4. One more: ours learned from a mixture in which a quarter was repeated random tokens. Text alone would have paid less for induction, and the turn would have come later, or not within this training.
#
# *Learned*: a slope is a difference over a distance.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which of these curves would show the change if we had only the checkpoints at 2,500 and 4,500?" Explain back to each other: why does the first copy become dearer when the second becomes cheaper? *Alone:* choose three checkpoints that would have hidden the rise of the loss on stories.
# %% [markdown]
# The card also keeps the log of the training, every 125 steps, on English prose that was not trained on. It has no error bars, and it was not made for this lesson. Does it tell the same?
# %%
log = model.card["log"]
print("English, steepest after step 500:", steepest(log["step"][4:], log["english"][4:]))
panels = {"English, loss (nats)": {"English": log["english"][7:]}, "late − early (nats)": {"English": log["in_context"][7:]}}
plot.curves(log["step"][7:], panels, "The log of the training, from step 1,000", "step", marks={"steepest": sum(turn) / 2})
# %% [markdown]
# **What you should see**: the same bump, smaller. English costs 3.81 nats at step 3,000, 3.90 at step 3,250, and is back at 3.80 by step 3,500. And its in-context score, which had been at zero, goes below it then and stays there.
# %% [markdown]
# ## d2.4.3 What was there first?
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# A head that looks back; heads that write their own token; a copying OV; a QK circuit that fits: part 3 found all the parts. Did they come one after the other, or at once? For that we need a date for each: the first checkpoint from which on it is *there to stay*. A score that passes the line once and falls back has not arrived.
#
# Write `first_step`: the first step at which the score is at least `least`, and stays so at all later checkpoints; `None` where there is none.
#
# The line will be half of what each part reaches at the end. Guess an order: the copying of 1.1 (by d2.3.6), its QK circuit through 0.0 (d2.3.10), or its prefix score: which is the first to be half there?
#
# Stuck? `hint("d2.4.3")`
# %% exercise="d2.4.3"
def first_step(steps: list[int], scores: list[float], least: float) -> int | None:
    """The first step from which on all scores are at least `least`, or None."""
    ### BEGIN SOLUTION
    arrived = None
    for step, score in zip(steps, scores, strict=True):
        if score < least:
            arrived = None
        elif arrived is None:
            arrived = step
    return arrived
    ### END SOLUTION
# %% check="d2.4.3" points=2
check("d2.4.3", first_step)
# %%
predict("d2.4.p3", ..., "the first to be half there: 'copying', 'QK' or 'prefix score'")
# %%
rows = torch.randint(1024, (320, 64), generator=torch.Generator().manual_seed(0))


def parts_of(state) -> dict[str, float]:
    """How far each part of the circuit around head 1.1 has come, from 0 to 1; by part 3's own tools."""
    weights = state.weights
    stream = evaluate(find_one(state.graph(seq=64), "blocks.0.resid_post"), {"tokens": rows})
    table = stream_by_token(stream, rows, 1024)
    reads = folded(weights, "blocks.1.ln1", weights["blocks.1.attn.W_V"][1])
    copies = copying_accuracy(Factors(table @ reads, full_ov(weights, 1, 1).B))
    return {"copying (1.1)": copies, "QK (1.1 ← 0.0)": copying_accuracy(composed_qk(weights, table, 0, 1))}


looks = {step: looks_at(each) for step, each in patterns.items()}
parts = {step: parts_of(state) for step, state in states.items()}
grown = {name: [parts[step][name] for step in STEPS] for name in parts[END]}
grown |= {"0.0 looks back": [looks[step]["previous"].mean(0)[0, 0].item() for step in STEPS],
          "0.6 at itself": [looks[step]["current"].mean(0)[0, 6].item() for step in STEPS],
          "prefix score (1.1)": of_heads["1.1"]}
dates = {name: first_step(STEPS, values, values[-1] / 2) for name, values in grown.items()}
# %%
chance = composition_baseline(model)
far = {step: torch.stack([(composition(state, kind)[0, :, 1] - chance.mean()) / chance.std() for kind in "QKV"])
       for step, state in states.items()}  # [kind, first head, second head]
k_score = {head: [far[step][1, 0, head].item() for step in STEPS] for head in (1, 3)}
dates["K-composition (0.0 → 1.1)"] = first_step(STEPS, k_score[1], k_score[1][-1] / 2)
asked = {"copying": "copying (1.1)", "QK": "QK (1.1 ← 0.0)", "prefix score": "prefix score (1.1)"}
soonest = min(dates[name] for name in asked.values())
measured("d2.4.p3", " and ".join(what for what, name in asked.items() if dates[name] == soonest) + f", step {soonest:,}")
for name, step in sorted(dates.items(), key=lambda pair: pair[1]):
    print(f"half there from step {step:5,} on: {name}")
panels = {"from 0 to 1": grown, "standard deviations": {f"K → 1.{head}": k_score[head] for head in (1, 3)}}
plot.curves(STEPS, panels, "The parts of the circuit", "step", marks={"steepest": sum(turn) / 2})
# %% [markdown]
# **What you should see**: half there from step 2,000 on, head 0.6, which looks at its own token. Half there at step 2,900, K-composition, which no loss shows. Then, within a hundred steps, all the rest: head 0.0 at 3,075, the QK circuit and the prefix score at 3,125, copying at 3,175. No single part was the missing one. Each pays only if the others are there, and each makes the others pay more.
#
# Look at head 0.0. At step 500, when the pressure on it ended, it gave the previous token 0.36 of its attention, on random tokens; at step 2,900 it gave 0.39. The other half came when layer 1 had a use for it. (Its neighbours went on paying for looking there, so that nobody else could take the work.)
#
# *Learned*: "when did it arrive?" has an answer only with a line and with "to stay".
# %% [markdown]
# At step 2,000 the prefix score of head 1.1 was 0.01, as in an untrained model, and the second copy cost 6.92 nats, as much as guessing. How many standard deviations above chance was K-composition of 0.0 → 1.1 at that time? At the end it is 57.
# %%
predict("d2.4.p4", ..., "K-composition 0.0 → 1.1 at step 2,000, in standard deviations above chance")
# %%
measured("d2.4.p4", k_score[1][STEPS.index(2000)])
larger = {step: (scores > scores[1, 0, 1]).sum().item() for step, scores in far.items()}
for step, score, seen, loss in zip(STEPS, k_score[1], of_heads["1.1"], curve("second copy"), strict=True):
    print(f"step {step:5,}: K-composition {score:5.1f}, of 192 scores {larger[step]:3} are larger; "
          f"prefix score {seen:.3f}, second copy {loss:.2f} nats")
# %% [markdown]
# **What you should see**: 11 at step 2,000, 18 at step 2,500, 34 at step 2,900, when the prefix score is 0.08. The score climbs from the first checkpoint to step 3,250 without a break; the behaviour comes in some two hundred steps. The change is sudden in what the model does, and slow in what it is.
#
# It is tempting to call that a forecast. Look at the other column: at step 2,000, 42 of 192 scores were larger than this one, and nobody would have picked it out. At step 2,500 there were nine, at 2,900 none. What we could really have known, looking at all pairs and without knowing the end, we could have known at step 2,900 or so: a hundred steps before the loss told it.
#
# *Learned*: a sudden behaviour may have a slow cause. To call a measure a forecast, choose it before you know what it foretells.
#
# > **Pair card.** Swap. The navigator asks: "Why does hindsight make this curve look better than it is?" Explain back: why can neither half of an induction circuit lower the loss alone? *Alone:* print the five largest of `far[2000]`, and look up what became of these pairs.
# %% [markdown]
# ## d2.4.4 ★ Which part turned?
# ●●○○○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# Dates do not tell causes. Weights can be exchanged: take the model of step 2,900, and give it layer 0 as it was at step 3,250. If that alone brings induction, layer 0 was what was missing. There are three parts: layer 0, layer 1, and the rest (embedding, unembedding, positions, last layernorm).
#
# Write `graft`: all weights of `early`, but those whose names begin with one of `beginnings` from `late`. Both are dicts by name, and neither may change.
#
# At step 2,900 the prefix score of 1.1 is 0.08, at 3,250 it is 0.90. Which part alone brings it up most?
#
# Stuck? `hint("d2.4.4")`
# %% exercise="d2.4.4"
def graft(
    early: dict[str, torch.Tensor], late: dict[str, torch.Tensor], beginnings: tuple[str, ...]
) -> dict[str, torch.Tensor]:
    """The early weights, with those of the late ones whose names begin with one of these."""
    ### BEGIN SOLUTION
    return {name: (late if name.startswith(tuple(beginnings)) else early)[name] for name in early}
    ### END SOLUTION
# %% check="d2.4.4" points=1
check("d2.4.4", graft)
# %%
predict("d2.4.p5", ..., "the part that alone brings most: 'layer 0', 'layer 1' or 'the rest'")
# %%
PARTS = {"layer 0": ("blocks.0.",), "layer 1": ("blocks.1.",), "the rest": ("embed", "unembed", "pos_embed", "ln_final")}
mixed = {}
for which in ([], ["layer 0"], ["layer 1"], ["the rest"], ["layer 0", "layer 1"], ["layer 0", "the rest"],
              ["layer 1", "the rest"], [*PARTS]):
    beginnings = tuple(beginning for part in which for beginning in PARTS[part])
    state = replace(model, weights=graft(states[2900].weights, states[3250].weights, beginnings))
    score = prefix_score(all_patterns(state.graph(seq=2 * LENGTH), twice), LENGTH)[:, 1, 1]
    mixed[" + ".join(which) or "nothing"] = (score.mean().item(), score.std().item() / len(score) ** 0.5)
measured("d2.4.p5", max(PARTS, key=lambda part: mixed[part][0]))
plot.bars({"head 1.1": mixed}, "The model of step 2,900, with parts of step 3,250", "prefix matching", "what is exchanged")
# %% [markdown]
# **What you should see**: each part alone brings a little, layer 0 most: from 0.08 to 0.30. Both layers together bring 0.71, and only with the embedding and the rest it is 0.90. In 350 steps all three have moved, each towards the others. An attention score is a product of two sides, softmax makes more of it than a sum, and no part has "the" credit.
#
# *Learned*: to ask which part did it, exchange the parts; and expect that the shares do not add up.
# %% [markdown]
# ## d2.4.5 ★ Train your own
# ●●●○○ difficulty · ●●●●○ importance · 25 minutes · ★
#
# Does it always go like this? A model of the same size, from noise, on your machine. No head is pressed to do anything. To see a phase change in minutes, the text must make induction pay: half of each batch is stories, in which names return, and half is random tokens said again and again. Each such row has a period of its own, so that no head can learn to look back by one fixed distance.
#
# Write `mixed_rows`: n rows of seq tokens. The first n // 2 are random, of `vocab` tokens, and repeat with a period from 8 to 2 seq / 5, drawn for each row. The others are passages of `text`, a long row of tokens, from random places. All chance comes from the generator.
#
# Stuck? `hint("d2.4.5")`
# %% exercise="d2.4.5"
def mixed_rows(text: torch.Tensor, n: int, seq: int, vocab: int, generator: torch.Generator) -> torch.Tensor:
    """Rows [n, seq]: first n // 2 of random tokens, each with a period of its own, then passages of text."""
    ### BEGIN SOLUTION
    said = n // 2
    drawn = torch.randint(vocab, (said, seq), generator=generator)
    period = torch.randint(8, 2 * seq // 5 + 1, (said, 1), generator=generator)
    place = torch.arange(seq)
    start = torch.randint(len(text) - seq + 1, (n - said, 1), generator=generator)
    return torch.cat([drawn.gather(1, place % period), text[start + place]])
    ### END SOLUTION
# %% check="d2.4.5" points=3
check("d2.4.5", mixed_rows)
# %%
def train(text: torch.Tensor, minutes: float, least: int = 3, rate: float = 2e-3, seed: int = 0, **sizes):
    """Train a fresh model for so many minutes, at least so many steps; every 50 steps (step, seconds, its state)."""
    fresh = transformer.untrained(seed, **sizes)
    network, generator = fresh.module().train().requires_grad_(), torch.Generator().manual_seed(seed)
    optimizer, start, step = torch.optim.AdamW(network.parameters(), rate), time.monotonic(), 0
    while step < least or time.monotonic() - start < 60 * minutes:
        rows = mixed_rows(text, 32, sizes["n_ctx"], sizes["d_vocab"], generator)
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 200)
        logits = network(rows, fast=True)
        loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), rows[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        step += 1
        if step % 50 == 0 or step == least:
            weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
            yield step, time.monotonic() - start, replace(fresh, weights=weights)
# %% [markdown]
# `MINUTES = 0` trains three steps, which shows that all is in order and nothing else. **Put 10 in its place to train in earnest**, run the cell, and have a break: it prints a line every 50 steps. Nothing below needs it. How many steps until the second copy costs less than half of the first?
# %%
MINUTES = 0  # 10 trains in earnest
# %%
predict("d2.4.p6", ..., "training steps until the second copy costs less than half of the first")
# %%
SIZES = {"n_layers": 2, "n_heads": 8, "d_model": 256, "n_ctx": 128, "d_vocab": 1024, "positions": "shortformer"}
text = torch.cat([F.pad(model.tokenize(story), (1, 0)) for story in stories.tell(1500 if MINUTES else 10, seed=5)])
own = {}
for step, seconds, state in train(text, MINUTES, **SIZES):
    now, seen = vital_signs(state, passages[:4, :128], twice), all_patterns(state.graph(seq=2 * LENGTH), twice)
    back, match = looks_at(seen)["previous"].mean(0)[0], prefix_score(seen, LENGTH).mean(0)[1]
    own[step] = [*(now[name].mean().item() for name in ("stories", "first copy", "second copy")),
                 match.max().item(), back.max().item()]
    print("step {:5,}, {:3.0f} s: stories {:.2f}, first copy {:.2f}, second {:.2f}; "
          "best prefix score {:.2f}, looking back {:.2f}".format(step, seconds, *own[step]))
turned = first_step([*own], [first - 2 * second for _, first, second, *_ in own.values()], 0)
measured("d2.4.p6", turned or "not seen in this run")
# %%
columns = list(zip(*own.values(), strict=True))
panels = {"loss (nats)": dict(zip(("stories", "first copy", "second copy"), columns[:3], strict=True)),
          "attention": {"best prefix score, layer 1": columns[3], "best looking back, layer 0": columns[4]}}
if MINUTES:
    display(plot.curves([*own], panels, "A model of your own", "step"))
    print("looking back, by head of layer 0:", [round(value, 2) for value in back.tolist()])
    print("prefix scores of layer 1:", [round(value, 2) for value in prefix_score(seen, LENGTH).mean(0)[1].tolist()])
# %% [markdown]
# **What you should see**, with 10 minutes: nothing for a good while but falling losses on stories. Then a cliff. In our run the second copy cost 6.2 nats at step 800, 4.3 at step 950, 2.3 at step 1,000, when the first copy cost 8.5, and 1.0 at step 1,050. That was after 9 minutes, on one thread of a machine of two cores that was busy with other work; a core that is free needs half of that. The loss on stories has the same bump as before: 2.5 nats at step 900, 2.8 at step 1,000, 2.5 at step 1,150. On a slow machine put 20 in place of 10.
#
# Look at the heads, too. Here nobody was pressed. At step 1,250 the best head of layer 0 looks back with 0.30 of its attention, and three more have 0.2 or more; in layer 1 not two heads but seven of eight have a prefix score of 0.69 and more. A crisp previous-token head is not needed for induction, and a pair of induction heads is no law. In `induction-2l` we asked for the one, since it teaches better; whether the other comes of it, we do not know.
#
# *Learned*: the phase change is no accident of one training. The neat division of labour is.
#
# > **Pair card.** Swap; this is the time for it, while the model trains. The navigator asks: "What in these rows could be predicted without looking back?" Explain back: why does each row have a period of its own? *Alone:* give every row the period 20 in `mixed_rows`, train for three minutes, and measure the prefix score. What did the heads learn?
# %% [markdown]
# ## d2.4.6 Does it work elsewhere?
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A detector that finds what we built is no detector yet. Ours ask for attention patterns and nothing else, so they run on any model that the library loads: `induction-2l`, the small model of day 5, GPT-2 from the hub, a folder with a model of your own. Not every one of them will be on every machine. A survey that stops at the first missing model is useless, and one that quietly leaves it out is worse.
#
# Write `survey`: for each name load the model and measure it. Where either is refused with a `RemixError`, print *one* line, the name and `error.fact`, and go on. Any other error is a fault in your code, and must come through.
#
# Stuck? `hint("d2.4.6")`
# %% exercise="d2.4.6"
def survey(names: list[str], measure) -> dict[str, object]:
    """What `measure(model)` gives for each model that can be loaded and measured, by name; one line for the others."""
    ### BEGIN SOLUTION
    found = {}
    for name in names:
        try:
            found[name] = measure(models.load(name))
        except RemixError as refusal:
            print(f"{name}: {refusal.fact}")
    return found
    ### END SOLUTION
# %% check="d2.4.6" points=2
check("d2.4.6", survey)
# %% [markdown]
# ## d2.4.7 Who is it?
# ●○○○○ difficulty · ●●●○○ importance · 5 minutes · core
#
# GPT-2-small has 144 heads, and nobody reads a table of 144 numbers. Write `strongest`: the heads with a score of at least `least`, best first, under their names.
#
# Stuck? `hint("d2.4.7")`
# %% exercise="d2.4.7"
def strongest(scores: torch.Tensor, least: float) -> list[str]:
    """The heads, such as "5.1", whose scores [layer, head] are at least `least`; the best one first."""
    ### BEGIN SOLUTION
    found = [(score, f"{layer}.{head}") for layer, row in enumerate(scores.tolist()) for head, score in enumerate(row)]
    return [name for score, name in sorted(found, key=lambda pair: -pair[0]) if score >= least]
    ### END SOLUTION
# %% check="d2.4.7" points=1
check("d2.4.7", strongest)
# %% [markdown]
# Now the same two detectors on every model, on random tokens said twice, over ten seeds. A model with room for few tokens gets shorter copies. Random tokens are out of the ordinary for all of them, and more so for the model of day 5, whose 200-odd words never stood in such a row: what it does there need not be what it does in its own sentences. A folder's path is a name, too: put one in the list if you have one.
#
# Before the run: how many of the heads of `ioi-small` will reach a prefix score of 0.4? It was never shown random tokens, and does a task in which one name comes twice.
# %%
NAMES = ["induction-2l", "ioi-small", "gpt2"]  # or a folder, such as "~/models/pythia-70m"
# %%
predict("d2.4.p7", ..., "heads of ioi-small with a prefix score of 0.4 or more, on random tokens said twice")
# %%
def detect(model) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Prefix matching and attention to the previous token: mean and standard error [layer, head] over ten seeds."""
    length = min(LENGTH, model.config["n_ctx"] // 2)
    graph = model.graph(seq=2 * length)

    def both_detectors(seed: int) -> torch.Tensor:
        tokens = repeated.draw(4, length, range(1, model.config["d_vocab"]), seed=seed)["tokens"]
        seen = all_patterns(graph, tokens)
        return torch.stack([prefix_score(seen, length), looks_at(seen)["previous"]]).mean(1)

    mean, error = over_seeds(both_detectors)
    return {"prefix": (mean[0], error[0]), "previous": (mean[1], error[1])}
# %%
found = survey(NAMES, detect)
for name, scores in found.items():
    print(f"\n{name}, {scores['prefix'][0].numel()} heads")
    for kind, (mean, error) in scores.items():
        best = [f"{head} {mean[place]:.2f} ± {error[place]:.3f}" for head in strongest(mean, 0.4)
                for place in [tuple(map(int, head.split(".")))]]
        print(f"  {kind} ≥ 0.4: {', '.join(best) or 'none'}; median {mean.median():.3f}, highest {mean.max():.2f}")
if "gpt2" in found:
    print("\npublished, GPT-2-small: prefix 0.83 to 0.92 at 5.1, 5.5, 6.9, 7.2, 7.10; median 0.005")
measured("d2.4.p7", len(strongest(found["ioi-small"]["prefix"][0], 0.4)) if "ioi-small" in found else "not loaded here")
# %% [markdown]
# Would an induction head be of any use to the model of day 5? In its sentences a name comes twice. How often does the same word follow it both times?
# %%
names, again = {ioi.TOKENIZER.encode(name)[0] for name in ioi.NAMES}, []
for row in ioi.sentences(2000, seed=0)["tokens"].tolist():
    followed = {}
    for word, next_word in pairwise(row):
        if word in names and word in followed:
            again.append(followed[word] == next_word)
        followed[word] = next_word
print(f"what followed a name follows it again in {100 * sum(again) / len(again):.0f} % of {len(again)} cases")
# %% [markdown]
# **What you should see**: a line for every model that is not here, and a paragraph for each that is. `ioi-small` has no induction head: no head of 24 is above 0.05, and attention spread evenly gives 0.04. Nor has it a previous-token head; the highest score is 0.31. The detector works, and the answer is no. It is a sensible no: in that model's sentences the word that followed a name follows it again in 2 % of the cases, and a head that repeats it would be wrong nearly always. What it does instead is the question of day 5.
#
# | | heads with a prefix score of 0.4 and more | scores | median |
# |---|---|---|---|
# | published, GPT-2-small | 5.1, 5.5, 6.9, 7.2, 7.10 of 144 | 0.83 to 0.92 | 0.005 |
# | ours, `induction-2l` | 1.1, 1.3 of 16 | 0.94, 0.94 | 0.008 |
# | ours, `ioi-small` | none of 24 | highest 0.04 | 0.032 |
#
# Where GPT-2's weights can be loaded, the published heads should come out of *your* code; if they do not, believe the published offset rather than yours, and look at d2.1.7 again. That induction heads are found in language models of every size is the universality claim. What we add to it is one model that has them, with a helping hand in layer 0, and one that has none, since hardly anything it was trained on pays for them. That is a check of our tools, and little evidence about models.
#
# *Learned*: say which models could not be asked. A survey's gaps are a part of its result.
#
# > **Pair card.** Swap. The navigator asks: "What would this detector miss?" Explain back: a head that matches two tokens before it looks; a head that finds its own token again, in another case. Which score would each get? *Alone:* write down one behaviour of a head that would give a high prefix score on random tokens, without being of any use in text.
# %% [markdown]
# ## The story in figures
#
# One row for each head that the day was about: what it looks at, over ten seeds; what the loss loses when the head is set to its mean over other rows, on stories and on the second copy, with paired errors (part 2 measured on shorter rows, so its figures differ a little); and from which checkpoint on it was half of what it became. Below that, what the weights say, by part 3's tools.
# %%
ROLES = {"0.0": "previous", "0.6": "current", "0.7": "current", "1.1": "prefix", "1.3": "prefix"}
KINDS = ("previous", "current", "prefix")
twice_graph = model.graph(seq=2 * LENGTH)


def detectors(seed: int) -> torch.Tensor:
    """The detectors of KINDS [kind, layer, head], on ten rows of random tokens said twice."""
    rows = repeated.draw(10, LENGTH, range(1, 1024), seed=seed)["tokens"]
    seen = all_patterns(twice_graph, rows)
    return torch.stack([*(looks_at(seen)[kind] for kind in KINDS[:2]), prefix_score(seen, LENGTH)]).mean(1)


def costs(rows: torch.Tensor, other: torch.Tensor, entries: slice) -> dict[str, tuple[float, float]]:
    """What it costs to set each head, and both induction heads, to the mean over other rows, in nats: mean and error."""
    whole = split(model.graph(seq=rows.shape[1]), "blocks.*.attn_out", "head")
    graphs = {"": whole}
    for name in [*ROLES, "1.1 and 1.3"]:
        graphs[name] = whole
        for layer, head in (each.split(".") for each in name.split(" and ")):
            graphs[name] = ablate(graphs[name], f"blocks.{layer}.attn.head.{head}.out", "mean", {"tokens": other})
    losses = evaluate({name: token_loss(graph) for name, graph in graphs.items()}, {"tokens": rows})
    means = {name: loss[:, entries].mean(1) for name, loss in losses.items()}
    return {name: change(means[""], means[name]) for name in graphs if name}
# %%
mean, error = over_seeds(detectors)
on_stories = costs(passages, other_passages, slice(None))
on_copy = costs(twice, other_twice, slice(LENGTH, None))
since = {}
print("             looks at   score            set to its mean it costs:           half there")
print("                        (10 seeds)       stories          second copy        from step")
for name in on_stories:
    figures = " " * 27
    if name in ROLES:
        kind, layer, head = KINDS.index(ROLES[name]), *map(int, name.split("."))
        scores = [(prefix[step] if kind == 2 else looks[step][ROLES[name]].mean(0))[layer, head].item() for step in STEPS]
        since[name] = first_step(STEPS, scores, scores[-1] / 2)
        figures = f"{ROLES[name]:9} {mean[kind, layer, head]:.3f} ± {error[kind, layer, head]:.3f} "
    lost = "    ".join(f"{value:5.2f} ± {deviation:.2f}" for value, deviation in (on_stories[name], on_copy[name]))
    print(f"{name:12} {figures:27} {lost}        {since.get(name, '')}")
# %%
stream = evaluate(find_one(model.graph(seq=64), "blocks.0.resid_post"), {"tokens": rows})
table, by_weights = stream_by_token(stream, rows, 1024), {}
for head in (1, 3):
    reads = folded(model.weights, "blocks.1.ln1", model.weights["blocks.1.attn.W_V"][head])
    whole, plain = Factors(table @ reads, full_ov(model.weights, 1, head).B), full_ov(model.weights, 1, head)
    by_weights[head] = [[100 * copying_accuracy(each, k) for k in (1, 5)] + [eigenvalue_statistic(each)]
                        for each in (plain, whole)]
    for name, (top1, top5, statistic) in zip(("embedding", "stream after layer 0"), by_weights[head], strict=True):
        print(f"1.{head} from the {name}: copies {top1:.1f} % (top-5 {top5:.1f} %), eigenvalues {statistic:.3f}")
    print(f"1.{head}: K-composition with 0.0 is {k_score[head][-1]:.0f} standard deviations above chance")
print(f"0.0 from positions alone: {positional_pattern(model.weights, 0, 0, 64).diagonal(-1).mean():.2f} to the place before")
# %% [markdown]
# **What you should see**: the day in ten lines. Without head 0.0 the second copy costs more than guessing would, and stories become 2.0 nats dearer: it serves more than induction. Heads 0.6 and 0.7, which no textbook asks for, cost 1.1 and 1.3 nats on stories. And the two induction heads cover for each other: on stories one of them alone costs 0.03 or 0.09 nats, both together 0.23; on the second copy 2.7 or 1.8, and together 8.9. Who ablates them one at a time, on text, finds that neither matters.
#
# | | published | ours |
# |---|---|---|
# | copying, full OV circuit, top-1: one induction head, the pair (another two-layer model) | 31 %, 96 % | 9 %, 18 % from the embedding; 98 %, 99.9 % from the stream after layer 0 |
# | composition of the induction pair | K, the largest of all | K: 57 standard deviations above chance; V of 0.2 → 1.7: 89 |
# | prefix matching | 0.83 to 0.92 (GPT-2-small) | 0.936, 0.938 |
# | in-context score, before and after the turn (nats) | −0.15, −0.4 | −0.31, −0.55 (stories) |
#
# The first two differ since our layer 1 reads rewritten tokens, and since trained scores are no random ones; the third and the fourth since ours saw repeated random tokens, and stories in which names return, as it was trained. None of them is a contradiction: they are figures of different models, on different texts.
# %% [markdown]
# ## d2.4.8 The day's question
# ●●●○○ difficulty · ●●●●● importance · 12 minutes · core
#
# How does this model know what comes next in a sentence that it has never seen? Write it for somebody who was not here, in eight sentences or so: which heads, what each of them does, and by what figure you know it; when it came to be; and where our model differs from the published ones, and why. Add two things: one claim of today that you would not make of another model, and one result that would make you give the story up.
# %% [markdown] answer="d2.4.8" points=4
# ### BEGIN SOLUTION
# Head 0.0 looks at the previous token: 0.897 ± 0.001 of its attention on random tokens, 0.91 from positions alone. So each place carries the token before it. Heads 0.6 and 0.7 look at their own token (0.974 and 0.978) and write it anew. Heads 1.1 and 1.3 compare the two: their keys read head 0.0 (57 standard deviations of K-composition above chance, and of a lead of 10.9 in the score 10.7 comes through these keys), their queries read the own-token heads (8 of these 10.7). So they look at the place whose predecessor is the current token, with 0.936 ± 0.002 and 0.938 ± 0.002 of their attention, and raise the logit of what stands there: from the stream after layer 0 their OV circuits copy 98 % of all tokens, together 99.9 %. Without both of them the second copy of random tokens costs 8.9 ± 0.2 nats more, and stories 0.23 ± 0.02; without head 0.0, 7.5 ± 0.1 and 2.0. It came to be between steps 3,075 and 3,250 of 6,000, all parts at once, while the loss on stories rose by 0.49 ± 0.03 nats; in the weights, K-composition had grown for a long time before.
#
# Ours differs from the published models: from the embedding alone the pair copies only 18 %, where another two-layer model has 96 %, because the own-token heads stand between; and V-composition of another pair is larger than any K. The previous-token head was asked for in training, so of "one head of layer 0 looks back" we make no claim for other models. We should give the story up if, with the keys of 1.1 and 1.3 patched so that head 0.0 has seen another text, and nothing else changed, the second copy were still cheap.
# ### END SOLUTION
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, a name from the page, or one of the listed options: `recall = {"stories": ..., "slope": ..., "early": ..., "pressed": ..., "error": ...}`
#
# 1. `stories`: while induction heads formed, did the loss on stories `rise` or `fall`?
# 2. `slope`: two checkpoints differ by 0.4, and are 200 steps apart. Which number does `steepest` compare?
# 3. `early`: which score in the weights rose above chance long before the prefix score did? (its name)
# 4. `pressed`: which head of this model did not become what it is by itself? (its name, such as 0.5)
# 5. `error`: the same rows are measured before and after. Of which values do we take the standard error: those `before`, those `after`, or their `difference`?
#
# Stuck? `hint("d2.4.quiz")`
# %% exercise="d2.4.quiz"
### BEGIN SOLUTION
recall = {"stories": "rise", "slope": 0.002, "early": "K-composition", "pressed": "0.0", "error": "difference"}
### END SOLUTION
# %% check="d2.4.quiz" points=2
check("d2.4.quiz", recall)
# %% [markdown]
# The day closes with all its guesses, beside what was measured.
# %%
predictions("d2")
# %% [markdown]
# ## What we have
#
# A story: head 0.0 carries the previous token, three heads write each token anew, two heads find the place whose predecessor is the current token, and copy what stands there. Each of its sentences has a figure. But each figure is about one part, with the others left as they were. Do the parts, together, *explain* what the model does on text? To say "this is all that matters" is a claim about everything that was left out. Tomorrow we put it on trial.
