# %% [markdown]
# # Day 2, part 2: what does the work
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# In part 1 you observed heads. Heads 1.1 and 1.3 attend to the token after an earlier match and raise its logit, and head 0.0 attends to the previous token. But observation isn't causal evidence. In this part you remove heads. You start with one head at a time, go on to two together, and end with a head that is removed along a single path. Each time you measure how much the loss rises, or how much attention is left.
#
# **After this part you can**
# - split a difference of logits into the contributions of all heads
# - compare three ways to ablate a head, and say which question each of them answers
# - find two heads that hide each other when you ablate them one at a time
# - remove the output of a head along some paths and keep it along all others
#
# **Time**: about 110 minutes for the core, with reading, predictions and pair cards. The ★ exercises take about 35 minutes more. The slowest cell takes about ten seconds. The marks and calls are explained at the top of part 1.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits* ([transformer-circuits.pub](https://transformer-circuits.pub/2021/framework/index.html)), the sections on two-layer attention-only transformers and on the terms of the path expansion, for d2.2.4 and d2.2.7. Olsson et al. 2022, *In-context Learning and Induction Heads* ([arXiv 2209.11895](https://arxiv.org/abs/2209.11895)), the section on pattern-preserving ablation, for d2.2.6. You can read both later.
# %%
from functools import reduce
from operator import or_

import torch
from remix_utils import RULES, Node, ablate, add, apply, array, at, check, einsum, evaluate, find
from remix_utils import find_one, hint, index, models, placeholder, plot, solution, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import Estimate, components, logit_attribution, path_expansion, token_loss
from remix_utils.tasks import repeated, stories, text

start_at("d2.2")  # to catch up: start_at("d2.2.5") defines every name that later cells use
# %% [markdown]
# ## Two settings
#
# You'll run most experiments of this part in two settings.
#
# | setting | one row | the losses that count |
# |---|---|---|
# | random tokens | an end-of-text token, then the same 25 random tokens twice | the second copy without its first token |
# | stories | a passage of 128 tokens | all of them |
#
# On random tokens, only the first copy can help the model. On stories many things help. Some ablations need other rows, from which they take a mean or a sample. So each setting has 32 more rows of the same kind, and no loss is measured on those.
# %%
model = models.load("induction-2l")
LENGTH, ROWS = 25, 32
twice = repeated.draw(ROWS, LENGTH, range(1, 1024), start=0, seed=0)["tokens"]
others = repeated.draw(ROWS, LENGTH, range(1, 1024), start=0, seed=1)["tokens"]
document = "\n\n".join(stories.tell(60, seed=2))
passages = text.sequences(document, model.tokenize, seq=128, start=0)["tokens"]
rows = passages[:ROWS]
other_rows = {"random tokens": {"tokens": others}, "stories": {"tokens": passages[64 : 64 + ROWS]}}
# %%
def second_copy(graph: Node) -> Node:
    """Returns the losses of the second copy without its first token [24], in nats, as a node."""
    return index(token_loss(graph), slice(LENGTH + 1, 2 * LENGTH))


def estimate(values: torch.Tensor) -> tuple[float, float]:
    """Returns the mean over rows [row], and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5


random_graph, story_graph = model.graph(seq=2 * LENGTH + 1), model.graph(seq=128)
on_random = {"graph": random_graph, "measure": second_copy, "inputs": {"tokens": twice}}
on_stories = {"graph": story_graph, "measure": token_loss, "inputs": {"tokens": rows}}
settings = {"random tokens": on_random, "stories": on_stories}

for name, setting in settings.items():
    clean = evaluate(setting["measure"](setting["graph"]), setting["inputs"])
    print("{}: loss {:.2f} ± {:.2f} nats".format(name, *estimate(clean.mean(1))))
# %% [markdown]
# ## d2.2.1 Which heads write the answer?
# ●●●○○ difficulty · ●●●●● importance · 17 minutes · core
#
# ![Six boxes in a row, joined by arrows from left to right. One part, subtract its mean, divide by the scale, multiply by ln_final.w, dot product, share of the difference. Above the row, an arrow with the label scale leads from the whole stream to the division. Another arrow, with the label W_U, leads from a box to the dot product. That box reads column of the answer minus column of the other.](diagram:one_part)
#
# Which heads raise the logit of the right token? *Direct logit attribution* answers this question. In d1.4.4 you rewrote a graph for it, and here you need three lines of torch. The final residual stream is a sum of parts, which are the embedding, the outputs of all heads, and the biases. The final layernorm and `W_U` turn this sum into logits. Layernorm's scale depends on the whole stream, so these steps aren't linear. But if you hold the scale at its value, they are. Then each part has its own share of every logit.
#
# A single logit means little, because softmax depends on differences only. So take the logit of the answer minus the logit of one other token, and split this difference.
#
# Write `attribute`, which returns the share of each part in `logit[answers] - logit[others]`. `parts` maps names to tensors [row, place, d_model], and `scale` is [row, place, 1]. `answers` and `others` are tokens [row, place]. The weights that you need are `weights["ln_final.w"]` [d_model] and `weights["unembed.W_U"]` [d_model, d_vocab]. Leave out layernorm's bias, which belongs to no part. The check uses other sizes.
#
# Stuck? `hint("d2.2.1")`
# %% exercise="d2.2.1"
def attribute(parts: dict, scale: torch.Tensor, weights: dict, answers: torch.Tensor, others: torch.Tensor) -> dict:
    """Returns the share of each part in logit[answers] - logit[others], as {name: [row, place]}."""
    ### BEGIN SOLUTION
    rows = weights["unembed.W_U"].T
    direction = weights["ln_final.w"] * (rows[answers] - rows[others])
    centred = {name: part - part.mean(-1, keepdim=True) for name, part in parts.items()}
    return {name: (part / scale * direction).sum(-1) for name, part in centred.items()}
    ### END SOLUTION
# %% check="d2.2.1" points=2
check("d2.2.1", attribute)
# %% [markdown]
# Now apply it to the second copy of the random tokens. The answer is the right next token, and the other token is the current one. The difference is about 15 logits. How much of it comes from the two induction heads together, in per cent?
# %%
predict("d2.2.p1", ..., "per cent of the logit difference that 1.1 and 1.3 add")
# %%
places = torch.arange(LENGTH + 1, 2 * LENGTH)  # where the next token is known from the first copy
graph, answers, current = on_random["graph"], twice[:, places + 1], twice[:, places]
nodes = {name: index(node, places) for name, node in components(graph).items()}
parts = evaluate(nodes, on_random["inputs"])
parts = {name: part.expand(ROWS, -1, -1) for name, part in parts.items()}  # a bias has no rows
inverse = find_one(RULES["expand_layernorm"](graph, "ln_final"), "ln_final.inverse")
scale = 1 / evaluate(index(inverse, places), on_random["inputs"])
ours = attribute(parts, scale, model.weights, answers, current)
theirs = logit_attribution(graph, twice, answers, current, position=places)
apart = max((ours[name] - theirs.parts[name]).abs().max() for name in ours)
print(f"largest difference between ours and the library's: {apart:.0e}")
# %%
in_all = theirs.total.mean(1)  # the difference of each row, averaged over places
by_row = theirs.heads.mean(3)  # the same for each head [row, layer, head]
print("all parts: {:.1f} ± {:.1f} logits".format(*estimate(in_all)))
for layer, head in ((1, 1), (1, 3), (0, 7), (0, 6), (0, 0)):
    print("head {}.{}: {:.2f} ± {:.2f}".format(layer, head, *estimate(by_row[:, layer, head])))
shares = 100 * by_row[:, 1, [1, 3]].sum(1) / in_all
measured("d2.2.p1", *estimate(shares))
by_place = by_row.mean(0)
plot.heads(by_place, "Which heads add to the right token directly?", "logit")
# %% [markdown]
# **What you should see**: a difference of 15.2 ± 0.4 logits. Heads 1.1 and 1.3 add 96.6 ± 0.4 % of it.
#
# | head | share of the difference (logits) |
# |---|---|
# | 1.1 | 7.9 ± 0.2 |
# | 1.3 | 6.7 ± 0.2 |
# | 0.7 | 0.25 ± 0.03 |
# | 0.6 | 0.22 ± 0.03 |
# | 0.0 | −0.04 ± 0.03 |
#
# By this measure the previous-token head 0.0 adds nothing.
#
# *Learned*: direct logit attribution finds the heads that write the answer, not the heads they depend on.
# %% [markdown]
# ## d2.2.2 The cost of every head
# ●●○○○ difficulty · ●●●●● importance · 16 minutes · core
#
# How much does the model lose without a head? There are three common ways to replace the output of a head.
#
# | `how` | the head's output is replaced by |
# |---|---|
# | `"zero"` | zeros |
# | `"mean"` | its mean over other rows |
# | `"resample"` | its output on another row, drawn at random |
#
# `ablate(graph, node, how, data)` returns the graph with this replacement. Pass all ablated graphs to one call of `evaluate`, so that everything they share is computed once.
#
# Write `head_costs`, which returns the loss that each ablation adds, as a mean over rows and its standard error. A row that is hard without a head is often hard with it too, so subtract the clean loss row by row. `measure(graph)` is the node of the losses [place] that count. Give all places the same weight. The check uses models with other numbers of layers and heads, so ask the graph which heads it has. The same holds for all later exercises.
#
# Stuck? `hint("d2.2.2")`
# %% exercise="d2.2.2"
def head_costs(graph: Node, measure, inputs: dict, how: str, data: dict) -> dict[str, tuple[float, float]]:
    """Returns {"0.3": (mean loss added without head 0.3, its standard error over rows), ...}.

    `measure(graph)` is the node of the losses [place] that count.
    """
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    heads = [node.name for node in find(graph, "blocks.*.attn.head.*.out")]
    variants = [graph, *(ablate(graph, name, how, data) for name in heads)]
    clean, *without = (loss.mean(-1) for loss in evaluate([measure(each) for each in variants], inputs))
    costs = {"{1}.{4}".format(*name.split(".")): loss - clean for name, loss in zip(heads, without, strict=True)}
    return {head: (cost.mean().item(), cost.std().item() / len(cost) ** 0.5) for head, cost in costs.items()}
    ### END SOLUTION
# %% check="d2.2.2" points=2
check("d2.2.2", head_costs)
# %% [markdown]
# Make two guesses before you run it. Of all heads, 1.1 adds most to the right answer on random tokens. How much loss does its mean ablation add there? And how much does it add on stories?
# %%
predict("d2.2.p2", ..., "nats that ablating 1.1 (mean) costs on the second copy of random tokens")
# %%
predict("d2.2.p3", ..., "nats that ablating 1.1 (mean) costs on stories")
# %%
WAYS = ("zero", "mean", "resample")
print("Six times 17 graphs. This takes about ten seconds.")
costs = {}
for name, setting in settings.items():
    for how in WAYS:
        costs[name, how] = head_costs(**setting, how=how, data=other_rows[name])
        print(f"{name}, {how}: done")
measured("d2.2.p2", *costs["random tokens", "mean"]["1.1"])
measured("d2.2.p3", *costs["stories", "mean"]["1.1"])
groups = {how: costs["random tokens", how] for how in WAYS}
plot.bars(groups, "Each head ablated, repeated random tokens", "loss added (nats)", "head")
# %%
groups = {how: costs["stories", how] for how in WAYS}
plot.bars(groups, "Each head ablated, stories", "loss added (nats)", "head")
# %% [markdown]
# **What you should see**, in nats of added loss:
#
# | head | random tokens, mean | random tokens, resample | stories, mean | stories, zero |
# |---|---|---|---|---|
# | 0.0 | 7.25 ± 0.10 | 7.34 ± 0.07 | 1.87 ± 0.04 | 1.85 ± 0.04 |
# | 0.2 | 0.20 ± 0.04 | 0.30 ± 0.05 | 0.05 ± 0.01 | 1.12 ± 0.03 |
# | 1.1 | 2.73 ± 0.08 | 4.26 ± 0.09 | 0.02 ± 0.01 | 0.03 ± 0.01 |
# | 1.3 | 1.78 ± 0.05 | 2.77 ± 0.08 | 0.06 ± 0.01 | 0.07 ± 0.01 |
#
# Without head 0.0, the loss on the second copy rises from 0.2 to 7.5 nats. A random guess costs 6.93. So the model loses everything that the first copy could give it, although head 0.0 adds nothing to the answer directly.
#
# For 1.1, resampling costs more than the mean. A likely reason is that the resampled head raises a token of *another* row, and a confident wrong prediction costs more than a vague one.
#
# On stories, ablating either induction head costs almost nothing. Are these heads useless there? The next exercise measures again.
#
# Head 0.2 shows how zero ablation can mislead. On stories it costs 1.12 nats at zero and only 0.05 at its mean. So nearly all of its effect there comes from a constant part of its output. Zero is out of distribution for the parts that read this head.
#
# *Learned*: zero ablation also removes a head's constant part. The mean removes only the variation between rows, and resampling adds the variation of a wrong row. Always state which of them you used.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which value replaces the head's output here, and could the next layer ever see such a value in a clean run?" Explain to each other why resampling can cost more than the mean. *Alone:* find a head for which all three ways give the same cost, and write down a possible reason.
# %% [markdown]
# ## d2.2.3 One at a time, or both together
# ●●●○○ difficulty · ●●●●● importance · 18 minutes · core
#
# On random tokens, ablating 1.1 costs 2.7 nats and ablating 1.3 costs 1.8. If costs simply add up, ablating both costs 4.5. Do they add up? The *interaction* of several heads is the cost of ablating all of them together, minus the sum of the costs of ablating each one alone.
#
# Write `interaction`, which returns the mean over rows and its standard error. `heads` is a list such as `[(1, 1), (1, 3)]`. You select several heads with `|`, as in `at("a") | at("b")`, and `reduce(or_, selectors)` does this for a list of selectors.
#
# Stuck? `hint("d2.2.3")`
# %% exercise="d2.2.3"
def interaction(graph: Node, measure, inputs: dict, heads: list, how: str, data: dict) -> tuple[float, float]:
    """Returns the loss added without all these heads, minus the losses added without each one alone.

    It is a mean over rows, with its standard error.
    """
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    each = [at(f"blocks.{layer}.attn.head.{head}.out") for layer, head in heads]
    variants = [graph, *(ablate(graph, which, how, data) for which in [reduce(or_, each), *each])]
    clean, *without = (loss.mean(-1) for loss in evaluate([measure(variant) for variant in variants], inputs))
    together, *alone = (loss - clean for loss in without)
    extra = together - sum(alone)
    return extra.mean().item(), extra.std().item() / len(extra) ** 0.5
    ### END SOLUTION
# %% check="d2.2.3" points=2
check("d2.2.3", interaction)
# %% [markdown]
# For comparison, the cell below also computes the interaction of 0.0 and 1.1.
# %%
predict("d2.2.p4", ..., "interaction of 1.1 and 1.3 (mean), random tokens: nats on top of 2.7 + 1.8")
# %%
pairs = {"1.1 and 1.3": [(1, 1), (1, 3)], "0.0 and 1.1": [(0, 0), (1, 1)]}
beyond = {}
for pair, heads in pairs.items():
    for name, setting in settings.items():
        beyond[pair, name] = interaction(**setting, heads=heads, how="mean", data=other_rows[name])
        print("{}, {}: interaction {:.2f} ± {:.2f} nats".format(pair, name, *beyond[pair, name]))
measured("d2.2.p4", *beyond["1.1 and 1.3", "random tokens"])
# %% [markdown]
# Does one head react when the other one is removed? It can't, since both are in layer 1 and neither reads the other's output. So look at the *lead* instead, the logit of the right token minus the logit of the current one, as in d2.2.1.
# %%
induction_heads = {"1.1": at("blocks.1.attn.head.1.out"), "1.3": at("blocks.1.attn.head.3.out")}
induction_heads["both"] = induction_heads["1.1"] | induction_heads["1.3"]


def without_induction_heads(setting: dict, data: dict) -> dict[str, Node]:
    """Builds the graph without 1.1, without 1.3, without both and without ablation."""
    graph = split(setting["graph"], "blocks.*.attn_out", "head")
    ablated = {name: ablate(graph, which, "mean", data) for name, which in induction_heads.items()}
    return {"none": graph, **ablated}


graphs = without_induction_heads(on_random, other_rows["random tokens"])
logits = evaluate({name: index(each, places) for name, each in graphs.items()}, {"tokens": twice})
leads, losses_left = {}, {}
for name, values in logits.items():  # [row, place, d_vocab]
    right = values.gather(-1, answers[..., None])
    lead = (right - values.gather(-1, current[..., None])).mean((1, 2))
    loss = (values.logsumexp(-1, keepdim=True) - right).mean((1, 2))
    leads[name], losses_left[name] = estimate(lead), estimate(loss)
    print("ablated {:5} lead {:5.1f} ± {:.1f}".format(name, *leads[name]), end="")
    print(", loss {:.2f} ± {:.2f}".format(*losses_left[name]))
# %% [markdown]
# **What you should see**: on random tokens, the interaction of 1.1 and 1.3 is 4.3 ± 0.2 nats.
#
# | ablated (mean) | lead (logits) | loss (nats) |
# |---|---|---|
# | none | 15.2 ± 0.4 | 0.21 ± 0.03 |
# | 1.1 | 6.7 ± 0.2 | 2.95 ± 0.09 |
# | 1.3 | 8.6 ± 0.1 | 2.00 ± 0.05 |
# | both | 0.6 ± 0.1 | 9.01 ± 0.21 |
#
# The lead falls by 8.5 without 1.1, by 6.5 without 1.3, and by 14.6 without both. So in the lead, the two heads add up almost exactly. The loss doesn't add up, because a lead of 15 is more than the model needs. Suppose that all 1,023 other tokens have equal logits. Then a lead of log 1,023, which is about 7, already gives the right token half of the probability. With a lead of 7 to 9 the right token is still far more probable than by chance. With a lead of 0.6 it's even less probable than by chance.
#
# The interaction of 0.0 and 1.1 is −2.5 ± 0.1. Once 0.0 is ablated, almost nothing is left for 1.1 to lose.
#
# *Learned*: if two heads do the same work, single ablations make both of them look less important than they are.
# %% [markdown]
# On stories, ablating both heads still adds only 0.15 nats. But in part 1, the guess of induction was right at few tokens only. So measure at candidate tokens (d2.1.10), and separately at all others.
# %%
guesses = induction_guess(passages)
chosen = torch.tensor(candidates(passages, guesses, least=20))
there = torch.isin(rows[:, :-1], chosen) & (guesses[:ROWS, :-1] >= 0)
passage_of = torch.arange(ROWS)[:, None].expand_as(there)
graphs = without_induction_heads(on_stories, other_rows["stories"])
losses = evaluate({name: token_loss(each) for name, each in graphs.items()}, {"tokens": rows})
lost = {name: losses[name] - losses["none"] for name in induction_heads}
where = {f"candidates ({there.float().mean():.1%} of places)": there, "all other tokens": ~there}
lost_at = {}
for label, mask in where.items():
    lost_at[label] = {}
    for name, values in lost.items():
        added = Estimate.over_groups(values[mask], passage_of[mask])
        lost_at[label][name] = float(added.mean), float(added.se)
        print("{}, ablated {}: {:.3f} ± {:.3f} nats".format(label, name, *lost_at[label][name]))
print("all tokens, ablated both: {:.2f} ± {:.2f} nats".format(*estimate(lost["both"].mean(1))))
plot.bars(lost_at, "Induction heads ablated on stories", "loss added (nats)", "heads ablated")
# %% [markdown]
# **What you should see**, in nats of added loss, with errors over passages:
#
# | ablated (mean) | candidate tokens | all other tokens |
# |---|---|---|
# | 1.1 | 0.34 ± 0.08 | 0.01 ± 0.01 |
# | 1.3 | 0.91 ± 0.09 | 0.04 ± 0.01 |
# | both | 2.0 ± 0.2 | 0.09 ± 0.02 |
#
# Candidates are 3.1 % of all places, and they were chosen from the text alone. At these places, the induction heads matter a lot. The average over all tokens, 0.15 ± 0.03, hides this.
#
# *Learned*: before you call a head useless on a text, measure at the tokens where it could help.
# %% [markdown]
# ## d2.2.4 ★ Paths through no head, one head or two
# ●●●○○ difficulty · ●●●●○ importance · 15 minutes · ★
#
# ![Three paths from embed at the bottom to logits at the top. The first arrow goes straight up and has the label order 0: ("embed",). The second path passes head 1.3 and has the label order 1: ("embed", (1, 3)). The third path passes head 0.6 and then head 1.3, and has the label order 2: ("embed", (0, 6), (1, 3)).](diagram:path_orders)
#
# How many heads does information pass on its way to the logits? Hold all attention patterns and layernorm scales at their values. Then the logits are a sum over paths. Elhage et al. 2021 sort these paths by *order*, the number of heads on a path. Add up the orders one after the other, and see how much each of them lowers the loss.
#
# `path_expansion(graph)` returns a dict from paths to terms. A path is a tuple of its start and the heads that follow, as in the labels of the picture. A path can also start at a bias, such as `("blocks.0.attn.b_O", (1, 3))`. Write `up_to_order`, the sum of all terms that pass at most `order` heads, and keep the paths that start at biases.
#
# Stuck? `hint("d2.2.4")`
# %% exercise="d2.2.4"
def up_to_order(graph: Node, order: int) -> Node:
    """Builds the logits of all paths with at most `order` heads, patterns and scales held."""
    ### BEGIN SOLUTION
    terms = [term for path, term in path_expansion(graph).items() if len(path) - 1 <= order]
    return add(*terms, name="logits")
    ### END SOLUTION
# %% check="d2.2.4" points=1
check("d2.2.4", up_to_order)
# %% [markdown]
# A random guess costs 6.93 nats, and the whole model has a loss of 0.2 on the second copy. How high is the loss if no path passes more than one head? The paths through 1.1 and through 1.3 are among them.
# %%
predict("d2.2.p5", ..., "loss on the second copy with at most one head on a path, nats (guessing: 6.93)")
# %%
def loss_of(logits: Node, places: slice) -> Node:
    """Returns the losses [place] that these logits give to the graph's tokens, as a node."""
    seq = logits.shape[0]
    tokens = placeholder("tokens", (seq,), torch.long)
    log_probs = apply("log_softmax", index(logits, slice(0, seq - 1)))
    picked = apply("pick", log_probs, index(tokens, slice(1, None)))
    return index(add(picked, weights=[-1]), places)


def with_current_token_heads(graph: Node) -> Node:
    """Builds order 1, and the paths of order 2 through 0.6 or 0.7 and then 1.1 or 1.3."""
    chains = [(first, second) for first in ((0, 6), (0, 7)) for second in ((1, 1), (1, 3))]
    terms = [term for path, term in path_expansion(graph).items() if path[1:] in chains]
    return add(up_to_order(graph, 1), *terms)
# %%
graph = on_random["graph"]
sums = {f"up to {order}": up_to_order(graph, order) for order in range(3)}
sums["up to 1, and through 0.6 or 0.7"] = with_current_token_heads(graph)
some_rows = {"random tokens": twice[:16], "stories": passages[:16, : 2 * LENGTH + 1]}
counted = {"random tokens": slice(LENGTH + 1, 2 * LENGTH), "stories": slice(0, 2 * LENGTH)}
orders = {}
for name, tokens in some_rows.items():
    nodes = {label: loss_of(logits, counted[name]) for label, logits in sums.items()}
    values = evaluate(nodes, {"tokens": tokens})
    orders[name] = {label: estimate(loss.mean(1)) for label, loss in values.items()}
    for label, loss in orders[name].items():
        print("{}, {}: loss {:.2f} ± {:.2f}".format(name, label, *loss))
measured("d2.2.p5", *orders["random tokens"]["up to 1"])
plot.bars(orders, "The loss, by the number of heads on a path", "loss (nats)", "heads on a path")
# %% [markdown]
# **What you should see**: the table shows by how many nats each order lowers the loss, starting from a random guess.
#
# | | order 0 | order 1 | order 2 |
# |---|---|---|---|
# | another two-layer model on its own text (Elhage et al. 2021) | 1.8 | 5.2 | 0.3 |
# | ours, stories | 0.7 | 1.6 | 3.1 |
# | ours, second copy of random tokens | −0.1 | −1.4 | 8.3 |
#
# In the published model, order 1 helps most. In ours order 2 helps most, and on random tokens nothing else helps. With at most one head on a path, the loss is 8.5 ± 0.1 nats, worse than a random guess.
#
# Why is order 1 so bad? The patterns are held, so 1.1 and 1.3 attend to the right token in all of these sums. But at order 1 the only content that they can move is the bare embedding of that token. Heads 0.6 and 0.7 attend to the current token (d2.1.6), so they write a second version of each token at its own position. Suppose that the induction heads copy this second version. Then a few paths of order 2 should be enough. The last pair of bars tests this. If you add only the paths through 0.6 or 0.7 and then through 1.1 or 1.3, the loss on random tokens falls from 8.5 ± 0.1 to 1.1 ± 0.1 nats. On stories the same paths don't help. The loss goes from 4.7 ± 0.1 to 4.9 ± 0.1, so other paths of order 2 matter there.
#
# The published model has another vocabulary and was trained differently, so the table shows only that the result depends on the model.
#
# *Learned*: the position that a head attends to and the content that it finds there are two separate questions.
#
# > **Pair card.** Swap. The navigator asks: "In these sums, does any head attend elsewhere than in the whole model?" Explain to each other why head 0.0 looks unimportant as long as the patterns are held. *Alone:* in a model with three layers of eight heads, count the paths of each order that start at the embedding.
# %% [markdown]
# ## d2.2.5 The targeted ablation
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# Why do 1.1 and 1.3 attend to the right position? So far you've measured logits and losses. To answer this question, measure attention itself. Take the prefix-matching score of part 1 while heads of layer 0 are ablated. A score can be a node like any other. This one is a weighted sum of the entries of a pattern, and to compute it `evaluate` needs no logits.
#
# Write `prefix_node`, the mean attention of the second copy's queries to the token after their match, as a node without axes. A row is an end-of-text token, then `length` random tokens, then the same tokens again. So the second copy is at positions `length + 1` to `2 * length`, and the right key is still `length - 1` back. `pattern` is a node [query, key]. The check uses other lengths.
#
# Stuck? `hint("d2.2.5")`
# %% exercise="d2.2.5"
def prefix_node(pattern: Node, length: int) -> Node:
    """Returns the prefix-matching score of a pattern [2 * length + 1, 2 * length + 1], as a node []."""
    ### BEGIN SOLUTION
    targets = torch.zeros(pattern.shape)
    queries = torch.arange(length + 1, 2 * length + 1)
    targets[queries, queries - (length - 1)] = 1 / length
    return einsum("query key, query key ->", pattern, array(targets, "targets"), name="prefix matching")
    ### END SOLUTION
# %% check="d2.2.5" points=2
check("d2.2.5", prefix_node)
# %% [markdown]
# The cell below ablates each head of layer 0 at its mean, one at a time. Then it ablates 0.6 and 0.7 together, and finally all heads of layer 0 *except* 0.0. In the whole model the score of 1.1 is 0.95. How high is it if 0.0 is the only head of layer 0 that is left?
# %%
predict("d2.2.p6", ..., "prefix score of 1.1 if all heads of layer 0 but 0.0 are ablated (clean: 0.95)")
# %%
whole = split(on_random["graph"], "blocks.*.attn_out", "head")
random_rows = other_rows["random tokens"]


def heads_of_layer_0(*heads: int):
    """Returns the selector of the outputs of some heads of layer 0."""
    return reduce(or_, [at(f"blocks.0.attn.head.{head}.out") for head in heads])


def scores(graph: Node) -> dict[str, Node]:
    """Returns the prefix-matching scores of the two induction heads, as nodes."""
    found = {}
    for head in (1, 3):
        pattern = find_one(graph, f"blocks.1.attn.head.{head}.pattern")
        found[f"1.{head}"] = prefix_node(pattern, LENGTH)
    return found


groups = {f"0.{head}": (head,) for head in range(8)}
groups |= {"0.6, 0.7": (6, 7), "all but 0.0": range(1, 8)}
graphs = {"none": whole}
for name, heads in groups.items():
    graphs[name] = ablate(whole, heads_of_layer_0(*heads), "mean", random_rows)
# %%
left = {"1.1": {}, "1.3": {}}
for name, ablated in graphs.items():
    values = evaluate(scores(ablated), on_random["inputs"])
    for head, score in values.items():
        left[head][name] = estimate(score)
        print("ablated {:12} score of {}: {:.3f} ± {:.3f}".format(name, head, *left[head][name]))
measured("d2.2.p6", *left["1.1"]["all but 0.0"])
title = "Prefix matching of the induction heads, heads of layer 0 ablated"
plot.bars(left, title, "attention", "ablated (mean)")
# %% [markdown]
# **What you should see**: the prefix-matching scores of the two induction heads.
#
# | ablated in layer 0 (mean) | 1.1 | 1.3 |
# |---|---|---|
# | none | 0.950 ± 0.004 | 0.941 ± 0.005 |
# | 0.0 | 0.022 ± 0.002 | 0.009 ± 0.001 |
# | 0.6 | 0.717 ± 0.008 | 0.668 ± 0.011 |
# | 0.7 | 0.697 ± 0.010 | 0.675 ± 0.012 |
# | any other single head | 0.90 or more | 0.90 or more |
# | 0.6 and 0.7 | 0.196 ± 0.007 | 0.173 ± 0.009 |
# | all but 0.0 | 0.043 ± 0.003 | 0.016 ± 0.002 |
#
# Of all single heads, only 0.0 brings both scores down to nearly zero. So 0.0 is necessary, but it isn't sufficient. If it is the only head of layer 0 that is left, the scores are almost as low. Part of the reason is that 0.6 and 0.7 hide each other in single ablations, as 1.1 and 1.3 did in d2.2.3.
#
# *Learned*: "only this head matters" needs more than single ablations. Ablate pairs before you claim it.
# %% [markdown]
# ## d2.2.6 Keep the patterns
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# ![Head 0.0 on the left has four arrows. Green arrows lead to queries and keys, from both of these to a pattern, and from the pattern to the output of a head of layer 1, with the label where to attend. A blue arrow leads to values and on to the same output, with the label content. Another blue arrow leads directly to the logits. The output of the head of layer 1 also has an arrow to the logits.](diagram:uses_of_a_head)
#
# The output of head 0.0 has two kinds of use. Through queries and keys it changes where layer 1 attends. It's also content, which values move to other positions and which the logits read directly. A full ablation removes both uses. Olsson et al. 2022 separate them. In their *pattern-preserving ablation* a head is ablated, but all attention patterns keep their clean values. So only the blue paths of the picture are ablated.
#
# They run the model twice, and force the patterns of the first run onto the second. In a graph, one selector is enough. Write `keeping_patterns`, which ablates a head along all paths that pass no pattern.
#
# Stuck? `hint("d2.2.6")`
# %% exercise="d2.2.6"
def keeping_patterns(graph: Node, layer: int, head: int, how: str, data=None) -> Node:
    """Builds the logits with a head ablated in every use except through attention patterns."""
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    which = at(f"blocks.{layer}.attn.head.{head}.out").avoiding("*.pattern")
    return ablate(graph, which, how, data)
    ### END SOLUTION
# %% check="d2.2.6" points=2
check("d2.2.6", keeping_patterns)
# %%
predict("d2.2.p7", ..., "nats that 0.0 (mean) costs on random tokens if the patterns are kept (full: 7.3)")
# %%
def costs_by_use(head: int, setting: dict, data: dict) -> dict[str, tuple[float, float]]:
    """Returns the loss that a head of layer 0 costs at its mean, by the uses that are ablated."""
    graph = split(setting["graph"], "blocks.*.attn_out", "head")
    output = at(f"blocks.0.attn.head.{head}.out")
    graphs = {
        "full": ablate(graph, output, "mean", data),
        "patterns kept": keeping_patterns(setting["graph"], 0, head, "mean", data),
        "patterns only": ablate(graph, at("*.pattern") >> output, "mean", data),
    }
    measure = setting["measure"]
    nodes = {"clean": measure(graph), **{name: measure(each) for name, each in graphs.items()}}
    losses = evaluate(nodes, setting["inputs"])
    return {name: estimate((losses[name] - losses["clean"]).mean(1)) for name in graphs}


uses = {}
for name, setting in settings.items():
    for head in (0, 6):
        uses[f"0.{head}, {name}"] = costs_by_use(head, setting, other_rows[name])
        for use, cost in uses[f"0.{head}, {name}"].items():
            print("0.{}, {}, {}: {:.2f} ± {:.2f} nats".format(head, name, use, *cost))
measured("d2.2.p7", *uses["0.0, random tokens"]["patterns kept"])
plot.bars(uses, "Loss added by three ablations of one head", "loss added (nats)", "ablation")
# %% [markdown]
# **What you should see**, in nats of added loss:
#
# | head and text | full | patterns kept | patterns only |
# |---|---|---|---|
# | 0.0, random tokens | 7.3 ± 0.1 | −0.09 ± 0.02 | 7.3 ± 0.1 |
# | 0.6, random tokens | 2.2 ± 0.1 | 0.49 ± 0.05 | 1.5 ± 0.1 |
# | 0.0, stories | 1.87 ± 0.04 | 0.64 ± 0.02 | 0.99 ± 0.03 |
# | 0.6, stories | 1.06 ± 0.03 | 0.57 ± 0.02 | 0.39 ± 0.01 |
#
# On random tokens, the whole cost of 0.0 comes from patterns. With the patterns kept, the loss even falls a little. Head 0.6 is needed in both ways, for patterns and as content. On stories, both heads are needed in both ways. The last two columns needn't add up to the full cost, because layer 1 multiplies patterns by values, and because the loss isn't linear.
#
# Which ablation is the right one? If you ask about the content that a head moves, keep the patterns. If you ask how much the model loses without the head, don't keep them.
#
# *Learned*: if you hold the patterns, a head that acts only through patterns seems to have no effect.
#
# > **Pair card.** Swap. The navigator asks: "Which readers of this head still get its clean output?" Explain to each other why the two kinds of ablation are the same for a head of layer 1. *Alone:* run `costs_by_use` for 0.7, and first write down whether you expect it to resemble 0.0 or 0.6.
# %% [markdown]
# ## d2.2.7 Queries, keys or values?
# ●●●○○ difficulty · ●●●●● importance · 20 minutes · core
#
# Head 0.0 acts through patterns, and a pattern is computed from queries and keys. Which of the two depend on head 0.0? To find out, ablate the head for one kind of reader at a time.
#
# Write `as_read_by`. In the graph that it builds, the queries, the keys or the values of layer 1 read the ablated head of layer 0, and all its other readers get its clean output. `side` is `"q"`, `"k"` or `"v"`, and it means this side of all heads of layer 1. The selector `a >> b` selects the paths that lead from the logits through a to b. After the split, the nodes have names such as `blocks.1.attn.head.3.q`.
#
# Stuck? `hint("d2.2.7")`
# %% exercise="d2.2.7"
def as_read_by(graph: Node, side: str, head: int, how: str, data=None) -> Node:
    """Builds the logits with head 0.`head` ablated only as "q", "k" or "v" of layer 1 read it."""
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    which = at(f"blocks.1.attn.head.*.{side}") >> at(f"blocks.0.attn.head.{head}.out")
    return ablate(graph, which, how, data)
    ### END SOLUTION
# %% check="d2.2.7" points=2
check("d2.2.7", as_read_by)
# %% [markdown]
# Before you run it, think of the sequence A B … A. The query is at the second A, and the key is at B.
# %%
predict("d2.2.p8", ..., "q, k or v: the side by which 0.0 reaches the patterns of 1.1 and 1.3")
# %%
print("24 graphs, one after the other. This takes a few seconds.")
table = torch.zeros(3, 8)
for row, side in enumerate("qkv"):
    for head in range(8):
        ablated = as_read_by(on_random["graph"], side, head, "mean", random_rows)
        table[row, head] = evaluate(scores(ablated)["1.1"], on_random["inputs"]).mean()
measured("d2.2.p8", "qkv"[int(table[:, 0].argmin())])
sides, heads = [f"read by {side}" for side in "qkv"], [f"0.{head}" for head in range(8)]
title = "Prefix matching of 1.1, a head of layer 0 ablated for one side"
plot.heatmap(table, sides, heads, title, "attention", x="ablated (mean)", y="")
# %% [markdown]
# **What you should see**: if the *keys* read the ablated head 0.0, only 0.02 is left of the score of 1.1, and no other head matters there. If the *queries* read an ablated head, 0.6 and 0.7 matter, with 0.66 ± 0.01 and 0.65 ± 0.01 left, and 0.0 doesn't. The row for values is constant, since values aren't used to compute the pattern of their own layer.
#
# This shows attention and single heads only. The next cell ablates for one side of the two induction heads alone, takes 0.6 and 0.7 together, and measures the loss too.
# %%
def read_by_induction_heads(side: str, *heads: int) -> dict[str, tuple[float, float]]:
    """Returns a score and the loss if one side of 1.1 and 1.3 reads ablated heads of layer 0."""
    readers = at(f"blocks.1.attn.head.1.{side}") | at(f"blocks.1.attn.head.3.{side}")
    graph = ablate(whole, readers >> heads_of_layer_0(*heads), "mean", random_rows)
    nodes = {"score of 1.1": scores(graph)["1.1"], "loss": second_copy(graph)}
    values = evaluate(nodes, on_random["inputs"])
    loss = values["loss"].mean(1)
    return {"score of 1.1": estimate(values["score of 1.1"]), "loss": estimate(loss)}


by_side = {}
for heads in ((0,), (6, 7)):
    for side in "qkv":
        name = ", ".join(f"0.{head}" for head in heads) + f" read by {side}"
        by_side[name] = read_by_induction_heads(side, *heads)
        for figure, value in by_side[name].items():
            print("{:22} {:13} {:5.2f} ± {:.2f}".format(name, figure, *value))
# %% [markdown]
# **What you should see**: the score of 1.1 and the loss on the second copy, which are 0.95 and 0.21 ± 0.03 nats in the whole model.
#
# | ablated, for one side of 1.1 and 1.3 | score of 1.1 | loss (nats) |
# |---|---|---|
# | 0.0, queries | 0.97 ± 0.00 | 0.18 ± 0.03 |
# | 0.0, keys | 0.02 ± 0.00 | 7.49 ± 0.08 |
# | 0.0, values | 0.95 ± 0.00 | 0.13 ± 0.02 |
# | 0.6 and 0.7, queries | 0.15 ± 0.01 | 6.21 ± 0.05 |
# | 0.6 and 0.7, keys | 0.98 ± 0.00 | 0.19 ± 0.04 |
# | 0.6 and 0.7, values | 0.95 ± 0.00 | 3.67 ± 0.09 |
#
# Three of the six ablations raise the loss by a lot. Together they support this account of the model on random tokens.
#
# - **Keys.** At B, head 0.0 attends to A and writes into the stream of B. The keys of 1.1 and 1.3 read this output. If the keys of a later head read the output of an earlier head, this is called *K-composition* (Elhage et al. 2021).
# - **Queries.** At the second A, heads 0.6 and 0.7 attend to A itself and write a second version of it, beside the embedding. The queries of 1.1 and 1.3 read this version. This is *Q-composition*.
# - **Values.** At B, heads 0.6 and 0.7 write a second version of B. The values of 1.1 and 1.3 read it, which is *V-composition*. So 1.1 and 1.3 raise the logit of B.
#
# ![Induction on the tokens A B … A. The two dashed arrows below the tokens show where a head attends. At B, head 0.0 attends to the A before it, and at the second A, heads 1.1 and 1.3 attend to B. The solid arrows above the tokens show what moves. Head 0.0 reads A and writes "after A" into the residual stream of B. From this stream heads 1.1 and 1.3 read their key, after A, and their value, B. This is K-composition, because head 0.0 writes what the keys read. The key matches the query, A, from the stream of the second A. The two heads therefore write B into that stream, and the model predicts B.](diagram:induction)
#
# The picture leaves out 0.6 and 0.7. It also says a little more than you measured. You know that the keys need the output of 0.0, and that 0.0 attends to the previous token. You haven't tested that this output contains the previous token, or that query and key match because of it. Part 3 looks for both in the weights. And remember from part 1 that an auxiliary loss pushed 0.0 to attend to the previous token. So this part shows how the circuit works, not that training alone would give such a clean head.
#
# *Learned*: "head 0.0 feeds the induction heads" can be made precise. On random tokens, it acts through their keys.
#
# > **Pair card.** Swap. The navigator points at one arrow of the picture and asks: "Which experiment supports this one?" Explain to each other the arrows in turn, with a number for each. Then run an ablation of your own. Choose a head and a path that this page didn't try, write down the loss that you expect, and compare. *Alone:* do the same in writing.
# %% [markdown]
# ## d2.2.8 ★ One job, or two?
# ●●●●○ difficulty · ●●●○○ importance · 20 minutes · ★
#
# This is an open question. On random tokens, all that 0.0 does goes through keys. On stories, ablating 0.0 costs 1.9 nats, and ablating both induction heads costs only 0.15. So on stories 0.0 must have another effect. The cell below ablates it along several paths, one at a time. The paths are the direct path to the logits, the values, queries and keys of layer 1, and the keys of the induction heads alone.
# %%
output = at("blocks.0.attn.head.0.out")
induction_keys = at("blocks.1.attn.head.1.k") | at("blocks.1.attn.head.3.k")
paths = {
    "directly": output.avoiding("*.ln1"),
    "as values": at("blocks.1.attn.head.*.v") >> output,
    "by queries": at("blocks.1.attn.head.*.q") >> output,
    "by keys": at("blocks.1.attn.head.*.k") >> output,
    "keys of 1.1, 1.3": induction_keys >> output,
    "all": output,
}
graph = split(on_stories["graph"], "blocks.*.attn_out", "head")
nodes = {"clean": token_loss(graph)}
for name, path in paths.items():
    nodes[name] = token_loss(ablate(graph, path, "mean", other_rows["stories"]))
losses = evaluate(nodes, {"tokens": rows})
cost_by_way = {name: estimate((losses[name] - losses["clean"]).mean(1)) for name in paths}
for name, cost in cost_by_way.items():
    print("{:18}{:.2f} ± {:.2f} nats".format(name, *cost))
plot.bars({"0.0": cost_by_way}, "Head 0.0 ablated on stories, by path", "loss added (nats)", "path")
# %% [markdown]
# Answer in writing, with numbers from this page or from experiments of your own. There's no check, so let your instructor or another pair read it. It's worth 2 points.
#
# | your answer | points |
# |---|---|
# | two effects of 0.0, each as a claim that could turn out wrong, with numbers and errors | 1 |
# | one experiment that would distinguish two jobs from one job that is used twice, with the result that you expect | ½ |
# | one thing that you couldn't find out | ½ |
#
# After you've handed in your answer, compare it with ours. `solution("d2.2.8")` prints our answer and explains how yours is graded.
# %% [markdown] answer="d2.2.8" points=2
# ### BEGIN SOLUTION
# 1. The first effect is on the keys of the induction heads. On random tokens this is the whole effect. The full ablation costs 7.3 ± 0.1 nats, and with patterns kept it costs −0.09 ± 0.02. On stories this path costs only 0.15 ± 0.03. Our claim about the second effect is that 0.0 brings the previous token to the current position, where it helps to predict the next token from two tokens instead of one. The direct path costs 0.22 ± 0.01 nats, values 0.35 ± 0.01, queries 0.39 ± 0.01 and all keys 0.57 ± 0.03. So the keys of the other six heads of layer 1 matter as well, and those heads use 0.0 to decide where to attend. The claim is wrong if the loss rises just as much at tokens that the previous token doesn't help to predict.
# 2. If there is one job with several readers, then all of them use the same direction of the output of 0.0. Take the directions that the keys of 1.1 and 1.3 read, ablate the output of 0.0 along these directions only (d1.3.12), and measure the loss on stories. With one job, this costs nearly as much along the direct path and through the values as ablating the whole output there. With two jobs, it costs little. We expect one job, because 0.0 attends to the previous token in both cases, so the content should be the same and only the readers differ.
# 3. We couldn't find out whether common words account for most of the second effect, or where the other heads of layer 1 attend. The costs by path don't add up to 1.87 ± 0.04, so we can't say which share belongs to which path.
#
# *Grading, 2 points.* Give 1 point for two effects with numbers and errors, and half of it if the errors are missing or if a claim couldn't turn out wrong. Give ½ for an experiment with an expected result for each of the two possibilities. Give ½ for a real limit. "More data is needed" is not enough.
# ### END SOLUTION
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Answer without scrolling up. Give a number, or one of the listed options. Write `recall = {"constant": ..., "interaction": ..., "lead": ..., "kept": ..., "side": ...}`.
#
# 1. `constant`. A head has the same output on every row. Which ablation still changes it, `zero`, `mean` or `resample`?
# 2. `interaction`. Two heads do the same work. Ablated together, do they cost `more` or `less` than the sum of their single costs?
# 3. `lead`. Suppose that 1,023 other tokens have equal logits. Which lead in logits gives the right token a probability of one half, rounded to a whole number?
# 4. `kept`. How many nats does a pattern-preserving ablation of 0.0 cost on random tokens, rounded to a whole number?
# 5. `side`. Through which of `q`, `k` and `v` does 0.0 reach the patterns of the induction heads?
#
# Stuck? `hint("d2.2.quiz")`
# %% exercise="d2.2.quiz"
### BEGIN SOLUTION
recall = {"constant": "zero", "interaction": "more", "lead": 7, "kept": 0, "side": "k"}
### END SOLUTION
# %% check="d2.2.quiz" points=2
check("d2.2.quiz", recall)
# %%
predictions("d2.2")
# %% [markdown]
# ## What you have
#
# You have an account of induction in this model, and nearly every step of it has an experiment that could have refuted it. All of these experiments ran on texts that we chose. The weights don't depend on a text. If head 0.0 attends to the previous position whatever the token is, then its weights must show it. If 1.1 copies, its OV circuit must have a strong diagonal. And if the keys of 1.1 read head 0.0, then the weights of these two heads must fit together. Part 3 looks for all three in the weights.
