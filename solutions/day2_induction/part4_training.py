# %% [markdown]
# # Day 2, part 4: how it came to be
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# You know which heads predict a repeated name, and how they work together. At the start of its training, the model was random and couldn't do this. Thirteen checkpoints of this training run were kept. In this part you find out when the model learned it, which parts came first, and how the loss on ordinary text changed in the meantime. Then you put the whole day into one table and answer the day's question in writing.
#
# **After this part you can**
# - measure how much a model changed between two checkpoints, with the right standard error
# - find a phase change in checkpoints that aren't evenly spaced
# - give a date to each part of a circuit, and say which conclusions the dates allow
# - tell a forecast from hindsight
#
# **Time**: about 60 minutes for the core, with reading, predictions and pair cards. The ★ exercises take about 60 minutes more. In one of them you train a model of your own, which takes 10 minutes without any work from you. The slowest other cell takes about 10 seconds. The marks and calls are explained at the top of part 1.
#
# **Readings**: Olsson et al. 2022, *In-context Learning and Induction Heads* ([arXiv 2209.11895](https://arxiv.org/abs/2209.11895)), arguments 1 and 2, for d2.4.1 to d2.4.3. Nanda et al. 2023, *Progress measures for grokking via mechanistic interpretability* ([arXiv 2301.05217](https://arxiv.org/abs/2301.05217)), the introduction, for d2.4.3. You can read both later.
# %%
import textwrap
import time
from dataclasses import replace
from itertools import combinations, pairwise

import torch
import torch.nn.functional as F
from remix_utils import ablate, at, check, evaluate, find_one, hint, models, plot, solution, split
from remix_utils import start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import composition, composition_baseline, token_loss
from remix_utils.errors import RemixError
from remix_utils.models import transformer
from remix_utils.tasks import ioi, repeated, stories

start_at("d2.4")  # to catch up: start_at("d2.4.3") defines every name that later cells use
# %% [markdown]
# ## Thirteen checkpoints and the end
#
# ![Steps of the training in a row, 0, 500, 1,000, 2,000, 2,500, 3,000, 3,500, 4,500 and 6,000. A dashed arrow with the label close together leads from 3,000 to a second row above, with the steps near it. They are 2,900, 3,000, 3,075, 3,125, 3,175 and 3,250.](diagram:checkpoints)
#
# `models.load(name, step=...)` loads the same model as it was after that many steps. The checkpoints are close together around step 3,100 and far apart elsewhere.
#
# The next cell prints how the model was trained, and the numbers that the card refers to. Two auxiliary losses acted on layer 0, so nothing in this part is evidence about how previous-token heads develop. No such loss acted on layer 1.
# %%
NAME, LENGTH = "induction-2l", 50
model = models.load(NAME)
training = model.card["training"]
END = training["steps"]
STEPS = [*model.checkpoints, END]
states = {step: models.load(NAME, step=step) for step in model.checkpoints} | {END: model}
print(textwrap.fill(f"model card: {model.card['how']}", 100))
print({name: training[name] for name in ("steps", "random", "stories", "lesson", "lesson_ends", "crowding")})
# %% [markdown]
# At every checkpoint you measure the same things on the same texts. One text is 32 stories of 300 tokens, from a seed that training didn't use. The other is 20 rows of 50 random tokens, each followed by the same tokens again.
# %%
def row_losses(state, rows: torch.Tensor) -> torch.Tensor:
    """Returns the loss [row, seq - 1] of each token but the first, in nats."""
    return evaluate(token_loss(state.graph(seq=rows.shape[1])), {"tokens": rows})


def vital_signs(state, passages: torch.Tensor, twice: torch.Tensor) -> dict[str, torch.Tensor]:
    """Returns four losses of each row [row], in nats: stories, late minus early, both copies."""
    on_text, on_random = row_losses(state, passages), row_losses(state, twice)
    half = twice.shape[1] // 2
    return {
        "stories": on_text.mean(1),
        "in-context": on_text[:, 200:].mean(1) - on_text[:, 20:60].mean(1),
        "first copy": on_random[:, : half - 1].mean(1),
        "second copy": on_random[:, half:].mean(1),
    }


def estimate(values: torch.Tensor) -> tuple[float, float]:
    """Returns the mean over rows [row], and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5
# %%
told = [model.tokenize(story) for story in stories.tell(120, seed=2)]
long_enough = torch.stack([tokens[:300] for tokens in told if len(tokens) >= 300])
passages, other_passages = long_enough[:32], long_enough[32:64]
twice = repeated.draw(20, LENGTH, range(1, 1024), seed=0)["tokens"]
other_twice = repeated.draw(20, LENGTH, range(1, 1024), seed=1)["tokens"]

print("Fourteen models on the same texts. This takes about 10 seconds.")
signs, patterns, prefix = {}, {}, {}
for step, state in states.items():
    signs[step] = vital_signs(state, passages, twice)
    patterns[step] = all_patterns(state.graph(seq=2 * LENGTH), twice)
    prefix[step] = prefix_score(patterns[step], LENGTH)  # [row, layer, head]
    print(f"step {step:,}: done")
# %% [markdown]
# ## d2.4.1 By how much did it change?
# ●●○○○ difficulty · ●●●●● importance · 9 minutes · core
#
# Some stories are easy and some are hard, at every checkpoint. The standard error of a mean loss contains all of these differences. But both checkpoints read the *same* stories, so most of the differences cancel. For the error of a change, the question is how much the change varies from story to story.
#
# Write `change`, which returns the mean over rows of the change between two checkpoints, and the standard error of this mean. If the values fell, the change is negative.
#
# Between steps 3,000 and 3,250, the induction heads form. In the stories, the same names come back all the time. How does the loss on stories change between these two checkpoints?
#
# Stuck? `hint("d2.4.1")`
# %% exercise="d2.4.1"
def change(before: torch.Tensor, after: torch.Tensor) -> tuple[float, float]:
    """Returns the mean change of the same rows [row], measured twice, and its standard error."""
    ### BEGIN SOLUTION
    difference = after - before
    return difference.mean().item(), difference.std().item() / len(difference) ** 0.5
    ### END SOLUTION
# %% check="d2.4.1" points=2
check("d2.4.1", change)
# %%
predict("d2.4.p1", ..., "change of the loss on stories from step 3,000 to 3,250, in nats (below 0: it falls)")
# %%
early, late = signs[3000], signs[3250]
rise = change(early["stories"], late["stories"])
measured("d2.4.p1", *rise)
unpaired = (estimate(early["stories"])[1] ** 2 + estimate(late["stories"])[1] ** 2) ** 0.5
print(f"error of this change if the rows were different ones: {unpaired:.2f}")
for name in ("in-context", "first copy", "second copy"):
    print("{}: {:+.2f} ± {:.2f} nats".format(name, *change(early[name], late[name])))
# %% [markdown]
# **What you should see**: the loss on stories *rises*.
#
# | loss (nats) | change from step 3,000 to 3,250 |
# |---|---|
# | stories | +0.49 ± 0.03 |
# | first copy of random tokens | +1.02 ± 0.10 |
# | second copy of random tokens | −5.66 ± 0.05 |
#
# In the first copy there's nothing to copy yet, and still it costs a whole nat more. At step 3,175 it even costs 9.3 ± 0.1 nats, while a random guess costs 6.93. This fits a new circuit that is over-confident for a few hundred steps, and predicts repetition where nothing is repeated. By the end of training, stories cost 1.26 ± 0.03 nats, less than the 1.86 ± 0.04 of step 3,000.
#
# With unpaired rows, the error of the change on stories would be 0.06, twice as large. The rise would still be clear. For smaller changes, such as the ablation of a single head, pairing can decide whether you see any effect at all.
#
# *Learned*: measure the same rows twice, and compute the error of the difference. A better circuit can make the model worse for a while.
# %% [markdown]
# ## d2.4.2 When?
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# To date a phase change, look for the place where a curve is steepest. The checkpoints are 50 steps apart in some places and 1,500 in others, so a large difference may only mean that a lot of time passed.
#
# Write `steepest`, which returns the two neighbouring checkpoints between which the value changed fastest, per step of training. A curve may rise or fall.
#
# Stuck? `hint("d2.4.2")`
# %% exercise="d2.4.2"
def steepest(steps: list[int], values: list[float]) -> tuple[int, int]:
    """Returns the neighbouring steps between which the value changes most per step, up or down."""
    ### BEGIN SOLUTION
    pairs = zip(pairwise(steps), pairwise(values), strict=True)
    slopes = [(abs(after - before) / (end - start), start, end) for (start, end), (before, after) in pairs]
    return max(slopes, key=lambda each: each[0])[1:]
    ### END SOLUTION
# %% check="d2.4.2" points=2
check("d2.4.2", steepest)
# %% [markdown]
# Over the whole training run, the loss on the second copy falls by 7.0 nats. How much of this fall happens in the single steepest interval?
# %%
predict("d2.4.p2", ..., "nats by which the second copy's loss falls in the steepest interval (in all: 7.0)")
# %%
curves = {}  # a mean and an error at each checkpoint
for name in ("stories", "first copy", "second copy", "in-context"):
    curves[name] = [estimate(signs[step][name]) for step in STEPS]
for head in range(8):
    curves[f"1.{head}"] = [estimate(prefix[step][:, 1, head]) for step in STEPS]
means = {name: [mean for mean, _ in curve] for name, curve in curves.items()}
before, after = steepest(STEPS, means["second copy"])
fall, error = change(signs[before]["second copy"], signs[after]["second copy"])
measured("d2.4.p2", -fall, error)
for name in ("second copy", "1.1", "1.3"):
    print(f"{name}: steepest between steps {steepest(STEPS, means[name])}")
panels = {
    "loss (nats)": {name: curves[name] for name in ("stories", "first copy", "second copy")},
    "late − early (nats)": {"stories": curves["in-context"]},
    "prefix matching": {name: curves[name] for name in ("1.1", "1.3", "1.5")},
}
middle = {"steepest": (before + after) / 2}
plot.curves(STEPS, panels, "One training run at fourteen steps", "step", marks=middle)
# %% [markdown]
# **What you should see**: a cliff. Up to step 2,900, almost half of the training run, the second copy costs 6.87 nats or more, about as much as a random guess. Between steps 3,125 and 3,175 its loss falls by 2.5 ± 0.1 nats, and from step 3,500 on it's below half a nat. The prefix scores of 1.1 and 1.3 rise at the same time, and no other head of layer 1 rises by more than 0.04. The in-context score on stories changes too, by −0.24 ± 0.05 from step 3,000 to 3,250.
#
# | in-context score (nats) | before | after |
# |---|---|---|
# | Olsson et al. 2022, models with two layers and more, tokens 50 and 500 | about −0.15 | about −0.4 |
# | ours, stories, tokens 21 to 60 and 201 to 299, steps 3,000 and 3,250 | −0.31 ± 0.08 | −0.55 ± 0.07 |
#
# The direction is the published one. Don't compare the numbers directly. Our tokens and our texts are shorter, and a quarter of our training data is repeated random tokens. We haven't tested when a model like ours would change if it were trained on text alone.
#
# The model card also keeps a log of the training, every 125 steps, on English prose that training didn't use. It comes without standard errors, and it wasn't made for this lesson. Does its loss rise at the same place?
# %%
log = model.card["log"]
since_1000 = slice(log["step"].index(1000), None)
for step in (3000, 3250, 3500):
    print(f"English at step {step:,}: {log['english'][log['step'].index(step)]:.2f} nats")
panels = {
    "loss (nats)": {"English": log["english"][since_1000]},
    "late − early (nats)": {"English": log["in_context"][since_1000]},
}
title = "The training log, from step 1,000"
plot.curves(log["step"][since_1000], panels, title, "step", marks=middle)
# %% [markdown]
# **What you should see**: a smaller rise at the same place, followed by a fall. English costs 3.81 nats at step 3,000, 3.90 at step 3,250, and 3.80 at step 3,500. The in-context score was near zero before. It falls below zero in these steps and stays there.
#
# *Learned*: a slope is a difference divided by the number of steps. Without the division, the longest interval wins.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which of these curves would show the change if we had only the checkpoints at 2,500 and 4,500?" Explain to each other why the first copy may become more expensive when the second becomes cheaper. *Alone:* choose three checkpoints that would have hidden the rise of the loss on stories.
# %% [markdown]
# ## d2.4.3 Which part was there first?
# ●●○○○ difficulty · ●●●●○ importance · 16 minutes · core
#
# In part 3 you found all parts of the circuit in the weights. Did they develop one after the other, or together? To answer that, each part needs a date. Take the first checkpoint at which its score is above a line and *stays* there. A score that crosses the line once and falls back doesn't count.
#
# Write `first_step`, which returns the first step at which the score is at least `least` and stays so at all later checkpoints. If there is no such step, return `None`.
#
# Stuck? `hint("d2.4.3")`
# %% exercise="d2.4.3"
def first_step(steps: list[int], scores: list[float], least: float) -> int | None:
    """Returns the first step at which this score and all later ones are at least `least`, or None."""
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
# %% [markdown]
# The line is half of the final value. Which of three parts is the first to reach half? Choose the copying of 1.1 (d2.3.6), its QK circuit through 0.0 (d2.3.10), or its prefix score.
# %%
predict("d2.4.p3", ..., "the first to reach half: 'copying', 'QK' or 'prefix score'")
# %%
rows = torch.randint(1024, (320, 64), generator=torch.Generator().manual_seed(0))


def weights_of_circuit(state) -> dict[str, float]:
    """Returns the copying accuracy of 1.1, and that of its QK circuit through 0.0."""
    weights = state.weights
    stream = evaluate(find_one(state.graph(seq=64), "blocks.0.resid_post"), {"tokens": rows})
    table = stream_by_token(stream, rows, 1024)
    W_V = folded(weights, "blocks.1.ln1", weights["blocks.1.attn.W_V"][1])
    copies = Factors(table @ W_V, full_ov(weights, 1, 1).B)
    scores = composed_qk(weights, table, previous=0, induction=1)
    return {"copying": copying_accuracy(copies), "QK": copying_accuracy(scores)}


print("Two circuits at fourteen steps. This takes about 4 seconds.")
by_step = {step: weights_of_circuit(state) for step, state in states.items()}
attention = {step: looks_at(each) for step, each in patterns.items()}
# %%
grown = {
    "copying": [by_step[step]["copying"] for step in STEPS],
    "QK": [by_step[step]["QK"] for step in STEPS],
    "prefix score": means["1.1"],
    "0.0 attends to the previous token": [attention[step]["previous"][:, 0, 0].mean().item() for step in STEPS],
    "0.6 attends to the current token": [attention[step]["current"][:, 0, 6].mean().item() for step in STEPS],
}
dates = {name: first_step(STEPS, values, values[-1] / 2) for name, values in grown.items()}
soonest = min(dates[name] for name in ("copying", "QK", "prefix score"))
first = [name for name in ("copying", "QK", "prefix score") if dates[name] == soonest]
measured("d2.4.p3", f"{' and '.join(first)}, step {soonest:,}")
for name in sorted(dates, key=dates.get):
    print(f"half from step {dates[name]:,} on: {name}")
for step in (500, 2900, 3500):
    share = estimate(attention[step]["previous"][:, 0, 0])
    print("attention of 0.0 to the previous token at step {:,}: {:.3f} ± {:.3f}".format(step, *share))
plot.curves(STEPS, {"from 0 to 1": grown}, "The parts of the circuit", "step", marks=middle)
# %% [markdown]
# **What you should see**:
#
# | part | half of its final value from step |
# |---|---|
# | 0.6 attends to the current token | 2,000 |
# | 0.0 attends to the previous token | 3,075 |
# | QK of 1.1 through 0.0, from the weights | 3,125 |
# | prefix score of 1.1 | 3,125 |
# | copying of 1.1, from the weights | 3,175 |
#
# The last four dates lie within a hundred steps. They are only as precise as the spacing of the checkpoints, so two neighbouring dates may be the same. And dates don't show causes. If one part comes before another, it may or may not be the cause. In the optional d2.4.4 you exchange parts between two checkpoints instead.
#
# Look at head 0.0. At step 500, when its auxiliary loss ended, it had 0.36 ± 0.01 of its attention on the previous token, and 0.39 ± 0.01 at step 2,900. So the auxiliary loss brought it less than half of the way. It reaches 0.890 ± 0.003 only at step 3,500, together with the rest. The second auxiliary loss, on the other heads of layer 0, continued throughout.
#
# *Learned*: "when did it develop?" has an answer only together with a threshold, and with the condition that the score stays above it.
# %% [markdown]
# There's one more score, which comes from the weights alone. A *composition score* measures how much of one head's output another head reads (d2.3.11 ★). Random heads score 0.0625 on average, with a standard deviation of 0.0016. At the end of training, the K-composition of 0.0 and 1.1 is 58 ± 1 of these standard deviations above chance. At step 2,000, the prefix score of 1.1 was 0.01 and the second copy cost as much as a random guess. How far above chance was the K-composition then?
# %%
predict("d2.4.p4", ..., "K-composition 0.0 → 1.1 at step 2,000, in standard deviations above chance")
# %%
PAIRS = 1000
chance = composition_baseline(model, PAIRS)
spread_error = 1 / (2 * (PAIRS - 1)) ** 0.5  # relative error of the standard deviation
above, larger = {}, {}
for step, state in states.items():
    scores = torch.stack([composition(state, letter)[0, :, 1] for letter in "QKV"])
    above[step] = (scores - chance.mean()) / chance.std()  # [letter, head of layer 0, head of layer 1]
    larger[step] = int((above[step] > above[step][1, 0, 1]).sum())
k_score = [above[step][1, 0, 1].item() for step in STEPS]
at_2000 = k_score[STEPS.index(2000)]
measured("d2.4.p4", at_2000, at_2000 * spread_error)
for place, step in enumerate(STEPS):
    print(f"step {step:5,}: K-composition {k_score[place]:4.1f}, larger scores, of 192: {larger[step]:3}, ", end="")
    print(f"prefix score {means['1.1'][place]:.3f}, second copy {means['second copy'][place]:.2f} nats")
panels = {"standard deviations": {"K, 0.0 → 1.1": k_score}, "prefix matching": {"1.1": curves["1.1"]}}
plot.curves(STEPS, panels, "K-composition, and the behaviour", "step", marks=middle)
# %% [markdown]
# **What you should see**:
#
# | step | K-composition | larger scores, of 192 | prefix score of 1.1 | second copy (nats) |
# |---|---|---|---|---|
# | 2,000 | 11.1 ± 0.2 | 42 | 0.014 ± 0.002 | 6.92 ± 0.01 |
# | 2,500 | 18.5 ± 0.4 | 9 | 0.020 ± 0.002 | 6.91 ± 0.01 |
# | 2,900 | 34.9 ± 0.8 | 0 | 0.084 ± 0.006 | 6.87 ± 0.01 |
# | 3,250 | 60 ± 1 | 1 | 0.904 ± 0.007 | 1.16 ± 0.07 |
#
# The K-composition rises at every checkpoint up to step 3,250, while the behaviour changes within a few hundred steps. So a sudden change in behaviour can have a slow change in the weights behind it.
#
# Is the K-composition a forecast? Look at the third column. At step 2,000, 42 of the 192 scores were larger, so you had no reason to pick this one. Suppose you had looked at all pairs without knowing the end. Then you could have picked it out at step 2,900, when it was the largest. At that time the prefix score was already rising.
#
# *Learned*: a measure is a forecast only if you chose it before you knew the outcome.
#
# > **Pair card.** Swap. The navigator asks: "Why does hindsight make this curve look better than it is?" Explain to each other why one half of an induction circuit may not lower the loss without the other. *Alone:* print the five largest values of `above[2000]`, and find out how large these scores are at the end.
# %% [markdown]
# ## The story in numbers
#
# ![Induction on the tokens A B … A. The two dashed arrows below the tokens show where a head attends. At B, head 0.0 attends to the A before it, and at the second A, heads 1.1 and 1.3 attend to B. The solid arrows above the tokens show what moves. Head 0.0 reads A and writes "after A" into the residual stream of B. From this stream heads 1.1 and 1.3 read their key, after A, and their value, B. This is K-composition, because head 0.0 writes what the keys read. The key matches the query, A, from the stream of the second A. The two heads therefore write B into that stream, and the model predicts B.](diagram:induction)
#
# This is the picture of d2.2.7. Heads 0.6 and 0.7 are missing from it. They write the current token a second time, for queries and values. The next cells measure the whole story again, on one set of texts. First comes the attention of each head, over ten seeds. Then comes the cost of ablating each head at its mean over other rows, with paired errors. The rows are longer than in part 2, so some numbers differ a little.
# %%
ROLES = {"0.0": "previous", "0.6": "current", "0.7": "current", "1.1": "prefix", "1.3": "prefix"}
twice_graph = model.graph(seq=2 * LENGTH)


def scores_of_roles(seed: int) -> torch.Tensor:
    """Returns the score of each head of ROLES [head], on ten rows of repeated random tokens."""
    tokens = repeated.draw(10, LENGTH, range(1, 1024), seed=seed)["tokens"]
    found = all_patterns(twice_graph, tokens)
    scores = {**looks_at(found), "prefix": prefix_score(found, LENGTH)}
    places = {name: tuple(map(int, name.split("."))) for name in ROLES}
    return torch.stack([scores[role].mean(0)[places[name]] for name, role in ROLES.items()])


def ablation_costs(tokens: torch.Tensor, other: torch.Tensor, entries: slice) -> dict[str, tuple]:
    """Returns the loss that each head of ROLES costs at its mean, and both induction heads."""
    whole = split(model.graph(seq=tokens.shape[1]), "blocks.*.attn_out", "head")
    outputs = {name: at("blocks.{}.attn.head.{}.out".format(*name.split("."))) for name in ROLES}
    outputs["1.1 and 1.3"] = outputs["1.1"] | outputs["1.3"]
    graphs = {name: ablate(whole, which, "mean", {"tokens": other}) for name, which in outputs.items()}
    nodes = {name: token_loss(graph) for name, graph in graphs.items()}
    losses = evaluate({"none": token_loss(whole), **nodes}, {"tokens": tokens})
    means = {name: loss[:, entries].mean(1) for name, loss in losses.items()}
    return {name: change(means["none"], means[name]) for name in outputs}
# %%
role_scores, role_errors = over_seeds(scores_of_roles)
on_stories = ablation_costs(passages, other_passages, slice(None))
on_copy = ablation_costs(twice, other_twice, slice(LENGTH, None))
for place, (name, role) in enumerate(ROLES.items()):
    print(f"{name}, {role}: attention {role_scores[place]:.3f} ± {role_errors[place]:.3f}")
for name in on_stories:
    print("{}: costs {:.2f} ± {:.2f} nats on stories, ".format(name, *on_stories[name]), end="")
    print("{:.2f} ± {:.2f} on the second copy".format(*on_copy[name]))
# %% [markdown]
# **What you should see**: the day in one table.
#
# | head | attends to | attention | cost on stories (nats) | cost on the second copy (nats) |
# |---|---|---|---|---|
# | 0.0 | the previous token | 0.897 ± 0.001 | 1.99 ± 0.03 | 7.5 ± 0.1 |
# | 0.6 | the current token | 0.974 ± 0.001 | 1.14 ± 0.02 | 1.7 ± 0.1 |
# | 0.7 | the current token | 0.978 ± 0.001 | 1.27 ± 0.02 | 2.0 ± 0.1 |
# | 1.1 | the token after the match | 0.936 ± 0.002 | 0.03 ± 0.01 | 2.7 ± 0.1 |
# | 1.3 | the token after the match | 0.938 ± 0.002 | 0.09 ± 0.01 | 1.8 ± 0.1 |
# | 1.1 and 1.3 | | | 0.23 ± 0.02 | 8.9 ± 0.2 |
#
# Without head 0.0, the second copy costs more than a random guess. Stories cost 2.0 nats more without it, so on stories 0.0 does more than induction. If you ablated 1.1 and 1.3 one at a time, on stories only, you would conclude that neither matters.
#
# The next table compares our model with published ones. They are different models on different texts, so none of the differences is a contradiction.
#
# | | published | ours |
# |---|---|---|
# | copying, top-1, one induction head and the pair ([ARENA 3.0](https://github.com/callummcdougall/ARENA_3.0), chapter 1.2, another two-layer model) | 31 %, 96 % | 9 %, 18 % from the embedding, and 98 %, 99.9 % from the stream after layer 0 |
# | prefix matching (GPT-2-small, [measured by others](https://github.com/designer-coderajay/induction-head-detector)) | 0.83 to 0.93 | 0.936 ± 0.002, 0.938 ± 0.002 |
# | in-context score before and after (Olsson et al. 2022) | −0.15, −0.4 | −0.31 ± 0.08, −0.55 ± 0.07 on stories |
# %% [markdown]
# ## d2.4.8 The day's question
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# How does this model know what comes next in a sentence that it has never seen? Answer in about ten sentences, for a reader who wasn't here today. Use numbers from any page of the day. There's no check, so let your instructor or another pair read it. It's worth 4 points.
#
# | your answer | points |
# |---|---|
# | the heads and their effects, with the three kinds of heads and the way that they work together | 1 |
# | a number with its error for each claim | 1 |
# | where our model differs from published ones, with a possible reason, and one claim of today that you wouldn't make about another model | 1 |
# | one result that would make you give up this account, from an experiment that you could run this week | 1 |
#
# After you've handed in your answer, compare it with ours. `solution("d2.4.8")` prints our answer and explains how yours is graded.
# %% [markdown] answer="d2.4.8" points=4
# ### BEGIN SOLUTION
# 1. Suppose the text is A B … A. At B, head 0.0 attends to the previous token A, with 0.897 ± 0.001 of its attention on random tokens. Positions alone give it 0.91. So the stream at B contains the information that A came before.
# 2. Heads 0.6 and 0.7 attend to the current token, with 0.974 ± 0.001 and 0.978 ± 0.001, and write it a second time.
# 3. At the second A, heads 1.1 and 1.3 attend to B, with 0.936 ± 0.002 and 0.938 ± 0.002. If only their keys read an ablated 0.0, the score of 1.1 falls from 0.95 to 0.02. If only their queries read ablated 0.6 and 0.7, it falls to 0.15 ± 0.01.
# 4. They raise the logit of B. Their OV circuits copy 98 % of all tokens, together 99.9 %, but only from the stream after layer 0. From the embedding, the pair copies 18 %.
# 5. Without both of them, the second copy of random tokens costs 8.9 ± 0.2 nats more, and stories 0.23 ± 0.02. Without 0.0 these costs are 7.5 ± 0.1 and 1.99 ± 0.03.
# 6. The circuit formed between steps 3,000 and 3,250 of 6,000. In the same steps the loss on stories rose by 0.49 ± 0.03 nats.
# 7. In another two-layer model, the pair copies 96 % from the embedding. In ours the current-token heads come in between. The two auxiliary losses on layer 0 may be the reason, but we haven't tested that.
# 8. Because of these losses, we wouldn't claim for another model that a single head of layer 0 attends to the previous token.
# 9. We would give up this account if the loss on the second copy stayed low although the keys of 1.1 and 1.3 read an output of 0.0 that comes from another text, with everything else unchanged.
#
# *Grading, 4 points.* Give 1 point for the three kinds of heads with their effects. Give half of it if one kind is missing, or if the answer doesn't say how they work together. Give 1 for numbers with errors behind the claims, and half if the errors are missing. Give 1 for a difference from a published model with a possible reason, and for a claim that is limited to this model. Give half for one of the two. Give 1 for a result that would refute the account and an experiment that can produce it. "More research" is not a result.
# ### END SOLUTION
# %% [markdown]
# ## ★ More about training, and other models
#
# This is the end of the core, so you can go straight to the quiz. In d2.4.4 and d2.4.5 you exchange weights between checkpoints and train a model of your own. In d2.4.6 and d2.4.7 you run the detectors of part 1 on other models. If you want to train, start d2.4.5 first, and open this notebook a second time to work on while it runs.
# %% [markdown]
# ## d2.4.4 ★ Which part changed?
# ●●○○○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# Dates don't show causes, but you can exchange weights. Take the model of step 2,900 and give it layer 0 of step 3,250. If that alone brings about induction, then layer 0 was the missing part. Divide the weights into three parts, which are layer 0, layer 1 and the rest. The rest is the embedding, the unembedding, the positions and the final layernorm.
#
# Write `graft`. It returns all weights of `early`, except for those whose names begin with one of `beginnings`. These come from `late`. Both are dicts by name, and neither may change.
#
# At step 2,900 the prefix score of 1.1 is 0.08, and at step 3,250 it's 0.90. Which part alone raises it most?
#
# Stuck? `hint("d2.4.4")`
# %% exercise="d2.4.4"
def graft(
    early: dict[str, torch.Tensor], late: dict[str, torch.Tensor], beginnings: tuple[str, ...]
) -> dict[str, torch.Tensor]:
    """Returns the early weights, with the late ones where a name begins with one of these."""
    ### BEGIN SOLUTION
    return {name: (late if name.startswith(tuple(beginnings)) else early)[name] for name in early}
    ### END SOLUTION
# %% check="d2.4.4" points=1
check("d2.4.4", graft)
# %%
predict("d2.4.p5", ..., "the part that alone raises it most: 'layer 0', 'layer 1' or 'the rest'")
# %%
PARTS = {
    "layer 0": ("blocks.0.",),
    "layer 1": ("blocks.1.",),
    "the rest": ("embed", "unembed", "pos_embed", "ln_final"),
}
mixed = {}
for number in range(4):
    for chosen in combinations(PARTS, number):
        beginnings = sum((PARTS[part] for part in chosen), ())
        weights = graft(states[2900].weights, states[3250].weights, beginnings)
        state = replace(model, weights=weights)
        found = all_patterns(state.graph(seq=2 * LENGTH), twice)
        mixed[" + ".join(chosen) or "nothing"] = estimate(prefix_score(found, LENGTH)[:, 1, 1])
measured("d2.4.p5", max(PARTS, key=lambda part: mixed[part][0]))
title = "The model of step 2,900, with parts of step 3,250"
plot.bars({"head 1.1": mixed}, title, "prefix matching", "parts that are exchanged")
# %% [markdown]
# **What you should see**: the prefix score of 1.1.
#
# | parts of step 3,250 | score |
# |---|---|
# | none | 0.084 ± 0.006 |
# | layer 0 | 0.301 ± 0.006 |
# | layer 1 | 0.200 ± 0.012 |
# | the rest | 0.162 ± 0.006 |
# | layers 0 and 1 | 0.710 ± 0.009 |
# | all | 0.904 ± 0.007 |
#
# Each part alone raises the score a little, and layer 0 raises it most. Together they raise it far more than the sum of the single effects. All three parts changed in these 350 steps, and no single one of them was the missing part. The grafted models were never trained, so they show how the parts fit together and not how training would have gone.
#
# *Learned*: to ask which part made the difference, exchange the parts. Don't expect their shares to add up.
# %% [markdown]
# ## d2.4.5 ★ Train your own
# ●●●○○ difficulty · ●●●●○ importance · 25 minutes · ★
#
# Does it always go like this? Train a model of the same size on your own machine. No head gets an auxiliary loss. To see a phase change within minutes, the text must reward induction. So half of each batch is stories, in which names come back, and half is random tokens that repeat. Each of these rows has its own period. Otherwise a head could learn to attend back by a fixed distance.
#
# Write `mixed_rows`, which returns n rows of seq tokens. The first n // 2 rows contain random tokens below `vocab`. Each repeats with its own period, drawn from 8 to 2 seq // 5, both included. The other rows are passages from random places of `text`, a long row of tokens. Draw everything from the generator.
#
# Stuck? `hint("d2.4.5")`
# %% exercise="d2.4.5"
def mixed_rows(text: torch.Tensor, n: int, seq: int, vocab: int, generator: torch.Generator) -> torch.Tensor:
    """Returns rows [n, seq], first repeated random tokens with their own periods, then passages."""
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
def train_step(network, optimizer, rows: torch.Tensor, rate: float) -> None:
    """Takes one step on these rows, at this learning rate."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    logits = network(rows, fast=True)
    loss = F.cross_entropy(logits[:, :-1].flatten(0, 1), rows[:, 1:].flatten())
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
    optimizer.step()


def train(text: torch.Tensor, minutes: float, least: int = 3, rate: float = 2e-3, seed: int = 0, **sizes):
    """Trains a fresh model for so many minutes, and yields (step, seconds, model) every 50 steps.

    It takes at least `least` steps, however short the time is.
    """
    fresh = transformer.untrained(seed, **sizes)
    network = fresh.module().train().requires_grad_()
    optimizer = torch.optim.AdamW(network.parameters(), rate)
    generator, start, step = torch.Generator().manual_seed(seed), time.monotonic(), 0
    while step < least or time.monotonic() - start < 60 * minutes:
        rows = mixed_rows(text, 32, sizes["n_ctx"], sizes["d_vocab"], generator)
        step += 1
        train_step(network, optimizer, rows, rate * min(1, step / 200))
        if step % 50 == 0 or step == least:
            weights = {name: value.detach().clone() for name, value in network.state_dict().items()}
            yield step, time.monotonic() - start, replace(fresh, weights=weights)
# %% [markdown]
# With `MINUTES = 0` the cell trains for three steps, which only shows that everything works. **Put 10 in its place to train in earnest.** The cell prints a line every 50 steps. Nothing below needs this run.
# %%
MINUTES = 0  # 10 trains in earnest
# %%
predict("d2.4.p6", ..., "training steps until the second copy costs less than half of the first")
# %%
SIZES = {"n_layers": 2, "n_heads": 8, "d_model": 256, "n_ctx": 128, "d_vocab": 1024, "positions": "shortformer"}
tokenized = [model.tokenize(story) for story in stories.tell(1500 if MINUTES else 10, seed=5)]
training_text = torch.cat([F.pad(tokens, (1, 0)) for tokens in tokenized])  # 0 ends a text
own = {name: [] for name in ("stories", "first copy", "second copy", "best prefix score", "best previous token")}
own_steps = []
for step, seconds, state in train(training_text, MINUTES, **SIZES):
    now = vital_signs(state, passages[:4, :128], twice)
    found = all_patterns(state.graph(seq=2 * LENGTH), twice)
    previous = looks_at(found)["previous"].mean(0)[0]  # [head of layer 0]
    matching = prefix_score(found, LENGTH).mean(0)[1]  # [head of layer 1]
    own_steps.append(step)
    for name in ("stories", "first copy", "second copy"):
        own[name].append(now[name].mean().item())
    own["best prefix score"].append(matching.max().item())
    own["best previous token"].append(previous.max().item())
    latest = ", ".join(f"{name} {values[-1]:.2f}" for name, values in own.items())
    print(f"step {step:,}, {seconds:.0f} s: {latest}")
ahead = [first - 2 * second for first, second in zip(own["first copy"], own["second copy"], strict=True)]
measured("d2.4.p6", first_step(own_steps, ahead, 0) or "not seen in this run")
# %%
if MINUTES:
    panels = {
        "loss (nats)": {name: own[name] for name in ("stories", "first copy", "second copy")},
        "attention": {name: own[name] for name in ("best prefix score", "best previous token")},
    }
    display(plot.curves(own_steps, panels, "A model of your own", "step"))
    print("attention of layer 0 to the previous token:", [round(value, 2) for value in previous.tolist()])
    print("prefix scores of layer 1:", [round(value, 2) for value in matching.tolist()])
# %% [markdown]
# **What you should see**, with 10 minutes: for a long time, only the loss on stories falls. Then there's a cliff. This is our run, with seed 0.
#
# | step | second copy (nats) | stories (nats) |
# |---|---|---|
# | 800 | 6.2 | |
# | 900 | | 2.5 |
# | 950 | 4.3 | |
# | 1,000 | 2.3 | 2.8 |
# | 1,050 | 1.0 | |
# | 1,150 | | 2.5 |
#
# The loss on stories rises and falls again, as before, and at step 1,000 the first copy costs 8.5 nats. Our run took 9 minutes to step 1,050 on one thread of a busy machine. A free core needs about half of that. On a slow machine put 20 in place of 10.
#
# Look at the heads too. At step 1,250, the best head of layer 0 has only 0.30 of its attention on the previous token, and three more heads have 0.2 or more. In layer 1, seven of eight heads have a prefix score of 0.69 or more. So this model does induction without a clear previous-token head. For `induction-2l` we used an auxiliary loss to get one, because a clear head is easier to study. We don't know whether that is also why only two of its heads do induction.
#
# *Learned*: in both of these training runs, the loss on the second copy fell within a few hundred steps. The division of labour between heads was different.
#
# > **Pair card.** Swap, while the model trains. The navigator asks: "Which tokens of these rows could a model predict without looking back?" Explain to each other why each row has its own period. *Alone:* give every row the period 20 in `mixed_rows`, train for three minutes, and measure the prefix score. What did the heads learn?
# %% [markdown]
# ## d2.4.6 ★ Does it work elsewhere?
# ●●○○○ difficulty · ●●●●○ importance · 9 minutes · ★
#
# So far your detectors found heads in a single model. Do they work on others? They need attention patterns and nothing else, so they run on any model that the library loads. You can try `induction-2l`, the small model of day 5, GPT-2 from the hub, or a folder with a model of your own. Your machine may not have all of them. A survey that stops at the first missing model is useless. If it leaves a missing model out without a word, its result looks complete and isn't.
#
# Write `survey`, which loads the model of each name and measures it. If either step raises a `RemixError`, print *one* line with the name and `error.fact`, and go on. Any other error is a bug in your code, so don't catch it.
#
# Stuck? `hint("d2.4.6")`
# %% exercise="d2.4.6"
def survey(names: list[str], measure) -> dict[str, object]:
    """Returns `measure(model)` by name, and prints one line for each model that is left out."""
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
# ## d2.4.7 ★ The strongest heads
# ●○○○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# GPT-2-small has 144 heads, too many to read as a table. Write `strongest`, which returns the names of all heads with a score of at least `least`, the highest score first.
#
# Stuck? `hint("d2.4.7")`
# %% exercise="d2.4.7"
def strongest(scores: torch.Tensor, least: float) -> list[str]:
    """Returns names such as "5.1" of the heads [layer, head] with scores of at least `least`.

    The highest score comes first.
    """
    ### BEGIN SOLUTION
    found = [(score, f"{layer}.{head}") for layer, row in enumerate(scores.tolist()) for head, score in enumerate(row)]
    return [name for score, name in sorted(found, key=lambda pair: -pair[0]) if score >= least]
    ### END SOLUTION
# %% check="d2.4.7" points=1
check("d2.4.7", strongest)
# %% [markdown]
# Now run both detectors on every model, on repeated random tokens, over ten seeds. A model with a short context gets shorter copies. Apart from `induction-2l`, these models weren't trained on repeated random tokens. Such a text is most unusual for the model of day 5, which has a vocabulary of about 200 words. In its own sentences its heads may attend elsewhere.
#
# How many heads of `ioi-small` reach a prefix score of 0.4? In the sentences of its task, one name occurs twice.
# %%
NAMES = ["induction-2l", "ioi-small", "gpt2"]  # or a folder, such as "~/models/pythia-70m"
# %%
predict("d2.4.p7", ..., "heads of ioi-small with a prefix score of 0.4 or more, on repeated random tokens")
# %%
def detect(model) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Returns prefix matching and attention to the previous token, each with its error.

    Both are means over ten seeds, [layer, head].
    """
    length = min(LENGTH, model.config["n_ctx"] // 2)
    graph = model.graph(seq=2 * length)

    def both_detectors(seed: int) -> torch.Tensor:
        tokens = repeated.draw(4, length, range(1, model.config["d_vocab"]), seed=seed)["tokens"]
        found = all_patterns(graph, tokens)
        return torch.stack([prefix_score(found, length), looks_at(found)["previous"]]).mean(1)

    mean, error = over_seeds(both_detectors)
    return {"prefix": (mean[0], error[0]), "previous": (mean[1], error[1])}
# %%
surveyed = survey(NAMES, detect)
for name, scores in surveyed.items():
    print(f"\n{name}, {scores['prefix'][0].numel()} heads")
    for score, (mean, error) in scores.items():
        print(f"  {score}: median {mean.median():.3f}, highest {mean.max():.2f}")
        for head in strongest(mean, 0.4):
            layer, number = map(int, head.split("."))
            print(f"    {head}: {mean[layer, number]:.3f} ± {error[layer, number]:.3f}")
reached = "not loaded here"
if "ioi-small" in surveyed:
    reached = len(strongest(surveyed["ioi-small"]["prefix"][0], 0.4))
measured("d2.4.p7", reached)
# %% [markdown]
# Would an induction head be useful to the model of day 5? In its sentences, one name occurs twice. How often is it followed by the same word both times?
# %%
names = {ioi.TOKENIZER.encode(name)[0] for name in ioi.NAMES}
again = []
for row in ioi.sentences(2000, seed=0)["tokens"].tolist():
    followed = {}
    for word, next_word in pairwise(row):
        if word in names and word in followed:
            again.append(followed[word] == next_word)
        followed[word] = next_word
share = sum(again) / len(again)
error = (share * (1 - share) / len(again)) ** 0.5
print(f"the same word follows in {100 * share:.1f} % ± {100 * error:.1f} % of {len(again)} cases")
# %% [markdown]
# **What you should see**: one line for each model that your machine doesn't have, and a paragraph for each of the others.
#
# | model | heads with a prefix score of 0.4 or more | scores | median of all heads |
# |---|---|---|---|
# | GPT-2-small ([measured by others](https://github.com/designer-coderajay/induction-head-detector), d2.1.7) | 5.1, 5.5, 6.9, 7.2, 7.10 and others of 144 | 0.83 to 0.93 for these five | not given |
# | `induction-2l` | 1.1, 1.3 of 16 | 0.94, 0.94 | 0.008 |
# | `ioi-small` | none of 24 | highest 0.04 | 0.032 |
#
# `ioi-small` has no induction head. Its highest score is 0.04, and attention spread evenly over all allowed keys gives 0.04 too. Its highest attention to the previous token is 0.31. A likely reason is its task. In its sentences, a name is followed by the same word both times in only 1.7 % ± 0.2 % of the cases, so a head that repeats the word would nearly always be wrong. Day 5 is about the way in which this model solves its task.
#
# If you have GPT-2's weights, your code should find the five heads in the first line. If it doesn't, check the offset of d2.1.7. Olsson et al. 2022 find induction heads in language models of many sizes. Our survey adds one model with induction heads, trained with an auxiliary loss in layer 0, and one without. So it's a test of our detectors, and little evidence about models in general.
#
# *Learned*: report which models you couldn't measure. The gaps are part of the result.
#
# > **Pair card.** Swap. The navigator asks: "Which induction heads would this detector miss?" Explain to each other which score a head gets if it matches the last two tokens instead of one. *Alone:* describe a head that has a high prefix score on random tokens and is useless on text.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · core
#
# Answer without scrolling up. Give a number, the name of a head, or one of the listed options. Write `recall = {"stories": ..., "slope": ..., "forecast": ..., "auxiliary": ..., "error": ...}`.
#
# 1. `stories`. While the induction heads formed, did the loss on stories `rise` or `fall`?
# 2. `slope`. Two checkpoints are 200 steps apart, and their values differ by 0.4. Which number does `steepest` compare with others?
# 3. `forecast`. Suppose you had looked at all 192 composition scores at step 2,000, without knowing the end. Was the K-composition of 0.0 and 1.1 the largest, `yes` or `no`?
# 4. `auxiliary`. Which head did an auxiliary loss train to attend to the previous token? (its name, such as 0.5)
# 5. `error`. You measure the same rows before and after. Of which values do you take the standard error, `before`, `after` or `difference`?
#
# Stuck? `hint("d2.4.quiz")`
# %% exercise="d2.4.quiz"
### BEGIN SOLUTION
recall = {"stories": "rise", "slope": 0.002, "forecast": "no", "auxiliary": "0.0", "error": "difference"}
### END SOLUTION
# %% check="d2.4.quiz" points=2
check("d2.4.quiz", recall)
# %% [markdown]
# The last table of the day shows all your guesses beside the measurements.
# %%
predictions("d2")
# %% [markdown]
# ## What you have
#
# You have an account of induction in this model. Head 0.0 writes the previous token, current-token heads write each token again, and two heads find the position after an earlier match and copy the token there. Each of these claims has a number and an error. But each number is about one part, with all others left as they were. Do these parts *together* explain what the model does on text? If you say "nothing else matters", you make a claim about everything that you left out. Day 3 tests such claims.
