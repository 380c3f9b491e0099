# %% [markdown]
# # Day 2, part 2: what does the work
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# In part 1 we watched: heads 1.1 and 1.3 look at what followed and say it, 0.0 looks at the token before. To watch is not to know. In this part we take heads away: one at a time, two together, and at last one head on one of its paths only. What remains of the loss, and of the attention, tells who does the work, and for whom.
#
# **After this part we can**
# - attribute a logit to heads with a tool of our own;
# - compare three ways of ablating a head, and know when one of them misleads;
# - tell heads that back each other up from heads that do not matter;
# - take away what a head writes and leave where others look, or the other way round.
#
# **Time**: about 80 minutes without the ★ exercise.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*, the sections on two-layer attention-only transformers and on the importance of the terms of the path expansion: d2.2.4. Olsson et al. 2022, *In-context Learning and Induction Heads*, the section on pattern-preserving ablation: d2.2.6.
# %%
from functools import reduce
from operator import or_

import torch
from remix_utils import RULES, Node, ablate, add, apply, array, at, check, einsum, evaluate, find, find_one, hint
from remix_utils import index, models, placeholder, plot, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import components, logit_attribution, path_expansion, token_loss
from remix_utils.tasks import repeated, stories, text

start_at("d2.2")  # brings what part 1 made: token_losses, induction_guess, candidates, by_head and the others
# %% [markdown]
# ## Two texts
#
# All through this part there are two settings. On *random tokens*, an end of text and 25 tokens said twice, we measure the losses of the second copy without its first token: there induction is the only way to know. On *stories*, passages of 128 tokens, we measure all losses: there many things help. For means and for resampling each has other rows of its own kind, which no loss is measured on.
# %%
model = models.load("induction-2l")
LENGTH, ROWS = 25, 32
document = "\n\n".join(stories.tell(60, seed=2))
passages = text.sequences(document, model.tokenize, seq=128, start=0)["tokens"]
twice, others = (repeated.draw(ROWS, LENGTH, range(1, 1024), start=0, seed=seed)["tokens"] for seed in (0, 1))


def second_copy(graph: Node) -> Node:
    """The losses of the second copy without its first token [24], in nats, as a node."""
    return index(token_loss(graph), slice(LENGTH + 1, 2 * LENGTH))


on_random = {"graph": model.graph(seq=2 * LENGTH + 1), "measure": second_copy, "inputs": {"tokens": twice}}
on_stories = {"graph": model.graph(seq=128), "measure": token_loss, "inputs": {"tokens": passages[:ROWS]}}
other_rows = {"random tokens": {"tokens": others}, "stories": {"tokens": passages[64 : 64 + ROWS]}}
settings = {"random tokens": on_random, "stories": on_stories}


def estimate(values: torch.Tensor) -> tuple[float, float]:
    """The mean over rows [row], and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5


for name, setting in settings.items():
    clean = evaluate(setting["measure"](setting["graph"]), setting["inputs"])
    print("{}: loss {:.2f} ± {:.2f} nats".format(name, *estimate(clean.mean(1))))
# %% [markdown]
# ## d2.2.1 Who writes the answer?
# ●●●○○ difficulty · ●●●●● importance · 12 minutes · core
#
# *Direct logit attribution*, yesterday a rewrite of a graph, is three lines of plain torch. The stream at the end is a sum of parts. The last layernorm centres it, divides by a scale, multiplies by a weight, adds a bias; then `W_U` reads the logits. Hold the scale at its value for the whole stream, and all of it is linear: every part has its share of every logit.
#
# We ask for a *difference* of two logits, the right token's and another one's, since only differences mean something. Write `attribute`: what each part adds to `logit[answers] - logit[others]`. `parts` maps names to tensors [row, place, d_model], `scale` is [row, place, 1], `answers` and `others` are [row, place]. The weights are `weights["ln_final.w"]` [d_model] and `weights["unembed.W_U"]` [d_model, d_vocab]. The bias is nobody's part.
#
# Stuck? `hint("d2.2.1")`
# %% exercise="d2.2.1"
def attribute(parts: dict, scale: torch.Tensor, weights: dict, answers: torch.Tensor, others: torch.Tensor) -> dict:
    """What each part [row, place, d_model] adds to logit[answers] - logit[others]: {name: [row, place]}."""
    ### BEGIN SOLUTION
    rows = weights["unembed.W_U"].T
    direction = weights["ln_final.w"] * (rows[answers] - rows[others])
    centred = {name: part - part.mean(-1, keepdim=True) for name, part in parts.items()}
    return {name: (part / scale * direction).sum(-1) for name, part in centred.items()}
    ### END SOLUTION
# %% check="d2.2.1" points=2
check("d2.2.1", attribute)
# %% [markdown]
# On random tokens, the second copy: the right token against the one that is being read. The difference is some 15 logits. How much of it comes from the two induction heads together, in per cent?
# %%
predict("d2.2.p1", ..., "per cent of the logit difference that 1.1 and 1.3 add")
# %%
places = torch.arange(LENGTH + 1, 2 * LENGTH)
graph, answers, current = on_random["graph"], twice[:, places + 1], twice[:, places]
opened = RULES["expand_layernorm"](graph, "ln_final")
nodes = components(graph) | {"inverse": find_one(opened, "ln_final.inverse")}
parts = evaluate({name: index(node, places) for name, node in nodes.items()}, on_random["inputs"])
parts = {name: part.expand(ROWS, -1, -1) for name, part in parts.items()}
scale = 1 / parts.pop("inverse")
ours = attribute(parts, scale, model.weights, answers, current)
theirs = logit_attribution(graph, twice, answers, current, position=places)
apart = max((ours[name] - theirs.parts[name]).abs().max() for name in ours)
print(f"ours and the library's: {apart:.0e} apart; all parts and the bias: {theirs.total.mean():.1f} logits")
by_place = theirs.heads.mean((0, 3))
measured("d2.2.p1", 100 * by_place[1, [1, 3]].sum() / theirs.total.mean())
plot.heads(by_place, "Who adds to the right token, directly?", "logit")
# %% [markdown]
# **What you should see**: 15.2 logits, of which 1.1 adds 7.9 and 1.3 adds 6.7: 97 per cent between them. Next are 0.7 and 0.6 with 0.2 each. By this measure the previous-token head 0.0 does nothing at all.
#
# *Learned*: attribution finds who *writes* the answer. It cannot see who told them.
# %% [markdown]
# ## d2.2.2 What every head costs
# ●●○○○ difficulty · ●●●●● importance · 10 minutes · core
#
# Now without them. Three things can stand in the place of what a head writes: zeros; its mean over other rows; what it wrote on another row. `ablate(graph, node, how, data)` does each. And all sixteen graphs go into one `evaluate`, so that what they share is computed once.
#
# Write `head_costs`: for each head, the loss added when it is ablated, as mean over rows and standard error. Take the difference row by row: the same rows are hard with the head and without it. `measure(graph)` is the node of the losses [place] that count; all are of the same weight. The check uses models with other numbers of layers and heads, here and below.
#
# Stuck? `hint("d2.2.2")`
# %% exercise="d2.2.2"
def head_costs(graph: Node, measure, inputs: dict, how: str, data: dict) -> dict[str, tuple[float, float]]:
    """{"0.3": (mean loss added without head 0.3, its standard error over rows), ...}; the measure is a node [place]."""
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
# Two guesses before the run. Induction head 1.1 adds most to the right answer on random tokens. Ablate it at its mean: what does it cost there, and what on stories?
# %%
predict("d2.2.p2", ..., "nats that ablating 1.1 (mean) costs on the second copy of random tokens")
# %%
predict("d2.2.p3", ..., "nats that ablating 1.1 (mean) costs on stories")
# %%
costs = {
    (name, how): head_costs(**setting, how=how, data=other_rows[name])
    for name, setting in settings.items()
    for how in ("zero", "mean", "resample")
}
measured("d2.2.p2", *costs["random tokens", "mean"]["1.1"])
measured("d2.2.p3", *costs["stories", "mean"]["1.1"])
shown = {how: costs["random tokens", how] for how in ("zero", "mean", "resample")}
plot.bars(shown, "Every head ablated, random tokens said twice", "loss added (nats)", "head")
# %%
shown = {how: costs["stories", how] for how in ("zero", "mean", "resample")}
plot.bars(shown, "Every head ablated, stories", "loss added (nats)", "head")
# %% [markdown]
# **What you should see**: on random tokens 0.0 costs 7.3 nats, all that there was to win, though it adds nothing to the answer. 1.1 costs 2.7 at its mean and 4.3 resampled: a head that has seen another row says *another row's* token, and a wrong answer costs more than none. On stories 1.1 costs 0.02 and 1.3 0.06. On random tokens nobody writes more of the answer than these two; do they do nothing on stories?
#
# Look at 0.2 on stories too: 1.12 nats if it is put to zero, 0.05 at its mean. Whatever the text, it writes nearly the same, and what reads it is used to that. Zero is a value that they have never met.
#
# *Learned*: zero asks about a constant that is missing, the mean about what varies, resampling about being misled. Say which of these you asked.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "What stands in the place of the head, and has the layer above ever seen that?" Explain back to each other: why may resampling cost more than the mean, and why is it seldom the other way round? *Alone:* find a head for which the three ways give the same number, and write down why they might.
# %% [markdown]
# ## d2.2.3 Two heads that stand in for each other
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# On random tokens 1.1 costs 2.7 and 1.3 costs 1.8. If the two worked apart, both together would cost 4.5. If they do the same work, each covers for the other, and one alone says too little. The *interaction* is the cost of ablating all of them together less the sum of the costs of each alone.
#
# Write `interaction`: its mean over rows, and standard error. `heads` is a list such as `[(1, 1), (1, 3)]`. A selector of several heads is made with `|`: `at("a") | at("b")`; `reduce(or_, selectors)` does it for a list.
#
# Stuck? `hint("d2.2.3")`
# %% exercise="d2.2.3"
def interaction(graph: Node, measure, inputs: dict, heads: list, how: str, data: dict) -> tuple[float, float]:
    """The loss added without all the heads less what is added without each: mean over rows, and standard error."""
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
# %%
predict("d2.2.p4", ..., "interaction of 1.1 and 1.3 (mean), random tokens: nats beyond 2.7 + 1.8")
# %%
beyond = {
    name: interaction(**setting, heads=[(1, 1), (1, 3)], how="mean", data=other_rows[name])
    for name, setting in settings.items()
}
measured("d2.2.p4", *beyond["random tokens"])
for name, extra in beyond.items():
    alone = [costs[name, "mean"][head][0] for head in ("1.1", "1.3")]
    print("{}: 1.1 alone {:.2f}, 1.3 alone {:.2f}, together {:.2f} more ± {:.2f}".format(name, *alone, *extra))
# %% [markdown]
# That leaves the stories, where both together still cost almost nothing. In part 1 we chose tokens at which it pays to look back. We measure there, and elsewhere.
# %%
guesses = induction_guess(passages)
chosen = torch.tensor(candidates(passages, guesses, least=20))
rows = passages[:ROWS]
there = torch.isin(rows[:, :-1], chosen) & (guesses[:ROWS, :-1] >= 0)
heads_apart = split(on_stories["graph"], "blocks.*.attn_out", "head")
selectors = {"1.1": at("blocks.1.attn.head.1.out"), "1.3": at("blocks.1.attn.head.3.out")}
selectors |= {"both": selectors["1.1"] | selectors["1.3"]}
without = {name: ablate(heads_apart, which, "mean", other_rows["stories"]) for name, which in selectors.items()}
losses = evaluate({name: token_loss(each) for name, each in {"none": heads_apart, **without}.items()}, {"tokens": rows})
lost = {name: losses[name] - losses["none"] for name in without}
at_places = {f"candidates ({there.float().mean():.1%} of places)": there, "all other tokens": ~there}
lost_at = {where: {name: estimate(loss[mask]) for name, loss in lost.items()} for where, mask in at_places.items()}
plot.bars(lost_at, "What ablating the induction heads costs on stories", "loss added (nats)", "heads ablated")
# %% [markdown]
# **What you should see**: on random tokens the two together cost 4.3 ± 0.2 nats more than the sum: each covers for the other. At the candidate tokens of the stories, 3.1 % of all places, both together cost 2.0 ± 0.2 nats; at all other tokens 0.09 ± 0.01. The mean over the text, 0.15, is both of these mixed.
#
# *Learned*: ablating one of two that do the same work understates both; averaging over tokens where they have no work understates them again.
# %% [markdown]
# ## d2.2.4 None, one, two: how far does information go?
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# Hold all patterns and scales, and the logits are a sum over paths (yesterday, d1.4.5). Elhage et al. 2021 order the paths by how many heads they pass: 0, the embedding alone; 1, one head; 2, a head of layer 1 that moves what a head of layer 0 wrote. Add them up order by order, and see what each brings.
#
# `path_expansion(graph)` from the library is a dict from path to term. A path is where it starts and the heads it passes: `("embed",)`, `("embed", (1, 3))`, `("blocks.0.attn.b_O", (1, 3))`, `("embed", (0, 6), (1, 3))`. Write `up_to_order`: the sum of all terms that pass at most `order` heads. Biases are starts like others.
#
# Stuck? `hint("d2.2.4")`
# %% exercise="d2.2.4"
def up_to_order(graph: Node, order: int) -> Node:
    """The logits of the paths that pass at most `order` heads, patterns and scales held, as one node."""
    ### BEGIN SOLUTION
    terms = [term for path, term in path_expansion(graph).items() if len(path) - 1 <= order]
    return add(*terms, name="logits")
    ### END SOLUTION
# %% check="d2.2.4" points=1
check("d2.2.4", up_to_order)
# %% [markdown]
# Guessing costs 6.93 nats, the whole model 0.2 on the second copy. Where do you put the paths that pass one head at most? There are induction heads among them.
# %%
predict("d2.2.p5", ..., "loss on the second copy with paths of one head at most, nats (guessing: 6.93)")
# %%
def loss_of(logits: Node, places: slice) -> Node:
    """The losses [place] that these logits give the graph's tokens, as a node."""
    tokens = placeholder("tokens", logits.shape[:1], torch.long)
    log_probs = apply("log_softmax", index(logits, slice(0, logits.shape[0] - 1)))
    return index(add(apply("pick", log_probs, index(tokens, slice(1, None))), weights=[-1]), places)


which = {"random tokens": slice(LENGTH + 1, 2 * LENGTH), "stories": slice(0, 2 * LENGTH)}
short = {"random tokens": twice[:16], "stories": passages[:16, : 2 * LENGTH + 1]}
orders = {}
for name, tokens in short.items():
    terms = [loss_of(up_to_order(on_random["graph"], order), which[name]) for order in range(3)]
    values = evaluate(terms, {"tokens": tokens})
    orders[name] = {f"up to {order}": estimate(value.mean(1)) for order, value in enumerate(values)}
measured("d2.2.p5", *orders["random tokens"]["up to 1"])
plot.bars(orders, "The loss with paths of so many heads", "loss (nats)", "heads on a path")
# %% [markdown]
# **What you should see**, as what each order takes off the loss:
#
# | | order 0 | order 1 | order 2 |
# |---|---|---|---|
# | published, a two-layer model on its own text (Elhage et al. 2021) | 1.8 nats | 5.2 | 0.3 |
# | ours, stories | 0.7 | 1.6 | 3.1 |
# | ours, second copy | −0.1 | −1.4 | 8.3 |
#
# In theirs, what matters passes one head, and moving it twice brings little. In ours the second order brings most, and on random tokens *all*: with one head on each path the model is worse than guessing. Why? The patterns are held, so 1.1 and 1.3 look at the right place in all three. But what they fetch there, at order 1, is the bare embedding, and they were not trained on that. Heads 0.6 and 0.7 look at the current token, and write it down once more; it is that copy that 1.1 and 1.3 move on. (d1.4.6 saw their virtual heads.) For a model without MLPs two heads with nothing to move are a second embedding. Theirs is another model, with other tokens and another training. The expansion is the same; the answer is a property of the model.
#
# *Learned*: where heads look and what they find there are two questions, and each has its own layer 0.
#
# > **Pair card.** Swap. The navigator asks: "In this sum, has any head changed where it looks?" Explain back: why does holding the patterns hide the previous-token head completely? *Alone:* count the paths of each order, from the embedding, in a model of three layers.
# %% [markdown]
# ## d2.2.5 The targeted ablation
# ●●●○○ difficulty · ●●●●● importance · 12 minutes · core
#
# Nobody has yet explained *where* 1.1 and 1.3 look. So we measure just that: the prefix-matching score of part 1, after taking away a head of layer 0. A score can be a node like any other. It is a weighted sum of the pattern's entries, and then `evaluate` computes no logits at all.
#
# Write `prefix_node`: the mean attention of the second copy's queries to what followed their token, as a node without axes. The tokens are an end of text and `length` random ones, said twice: so the second copy is positions `length + 1` to `2 * length`, and the place is still `length - 1` back. `pattern` is a node [query, key].
#
# Stuck? `hint("d2.2.5")`
# %% exercise="d2.2.5"
def prefix_node(pattern: Node, length: int) -> Node:
    """The prefix-matching score of a pattern [2 * length + 1, 2 * length + 1], as a node []."""
    ### BEGIN SOLUTION
    targets = torch.zeros(pattern.shape)
    queries = torch.arange(length + 1, 2 * length + 1)
    targets[queries, queries - (length - 1)] = 1 / length
    return einsum("query key, query key ->", pattern, array(targets, "targets"), name="prefix matching")
    ### END SOLUTION
# %% check="d2.2.5" points=2
check("d2.2.5", prefix_node)
# %% [markdown]
# Each head of layer 0 in its turn is put at its mean. Which will bring the score of the induction heads, 0.95 and 0.94, down to nearly nothing? And will another one bring it down at all?
# %%
predict("d2.2.p6", ..., "the head of layer 0 without which 1.1 no longer finds its place, such as 0.5")
# %%
whole = split(on_random["graph"], "blocks.*.attn_out", "head")


def heads_of_layer_0(*heads: int):
    """The selector of what some heads of layer 0 write."""
    return reduce(or_, [at(f"blocks.0.attn.head.{head}.out") for head in heads])


def scores(graph: Node) -> dict[str, Node]:
    """The prefix-matching scores of the two induction heads, as nodes."""
    return {f"1.{head}": prefix_node(find_one(graph, f"blocks.1.attn.head.{head}.pattern"), LENGTH) for head in (1, 3)}


groups = {f"0.{head}": (head,) for head in range(8)} | {"0.6, 0.7": (6, 7), "all but 0.0": range(1, 8)}
left = {"1.1": {}, "1.3": {}}
for name, heads in {"none": (), **groups}.items():
    without = ablate(whole, heads_of_layer_0(*heads), "mean", other_rows["random tokens"]) if heads else whole
    for head, value in evaluate(scores(without), on_random["inputs"]).items():
        left[head][name] = estimate(value)
measured("d2.2.p6", min((f"0.{head}" for head in range(8)), key=left["1.1"].get))
plot.bars(left, "Where the induction heads look, without heads of layer 0", "prefix matching", "ablated (mean)")
# %% [markdown]
# **What you should see**: without 0.0 the scores are 0.022 ± 0.002 and 0.009 ± 0.001. No other single head does anything like it: without 0.6 or 0.7 there is between 0.67 and 0.72, without any of the other five at least 0.90. Of all heads, only the previous-token head takes induction away with it.
#
# Of all *single* heads. Without 0.6 *and* 0.7 the scores are 0.20 and 0.17, and when 0.0 is the only one that stays, they are 0.04 and 0.02. So 0.0 is necessary and not sufficient: two heads that cover for each other are needed as well, and an ablation one by one would have called them helpers.
#
# *Learned*: "only this one" is a sentence about single ablations. Take two away before you write it down.
# %% [markdown]
# ## d2.2.6 Leave the patterns as they were
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# What 0.0 writes has two kinds of use. Layer 1 may read it to decide where to look, and it may be moved on as content, to the logits. A full ablation takes away both. Olsson et al. 2022 keep them apart: in a *pattern-preserving ablation* a head is ablated, and all attention patterns stay what they were without the ablation.
#
# They run the model twice, and force the patterns of the first run on the second. A graph needs one selector: ablate the head along those paths that pass no pattern. Write `keeping_patterns`.
#
# Stuck? `hint("d2.2.6")`
# %% exercise="d2.2.6"
def keeping_patterns(graph: Node, layer: int, head: int, how: str, data=None) -> Node:
    """The logits without what a head writes, in every use of it but through attention patterns."""
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
def ways_of(layer: int, head: int, setting: dict, data: dict) -> dict[str, tuple[float, float]]:
    """The loss added by the full ablation of a head (mean), by that which keeps patterns, and by the patterns' alone."""
    graph, measure = split(setting["graph"], "blocks.*.attn_out", "head"), setting["measure"]
    out = at(f"blocks.{layer}.attn.head.{head}.out")
    graphs = {
        "full": ablate(graph, out, "mean", data),
        "patterns kept": keeping_patterns(setting["graph"], layer, head, "mean", data),
        "patterns only": ablate(graph, at("*.pattern") >> out, "mean", data),
    }
    losses = evaluate({name: measure(each) for name, each in {"clean": graph, **graphs}.items()}, setting["inputs"])
    return {name: estimate((losses[name] - losses["clean"]).mean(1)) for name in graphs}


uses = {
    f"0.{head}, {name}": ways_of(0, head, setting, other_rows[name])
    for name, setting in settings.items()
    for head in (0, 6)
}
measured("d2.2.p7", *uses["0.0, random tokens"]["patterns kept"])
plot.bars(uses, "What is lost, by the use that is made of a head", "loss added (nats)", "ablation")
# %% [markdown]
# **What you should see**: on random tokens 0.0 costs 7.3 in full, and with the patterns kept less than nothing, −0.09 ± 0.02. All that it does there goes through patterns. 0.6 is of another kind: it costs 2.2 in full and 0.5 with the patterns kept; part of what it writes decides where to look, and part is what is moved. On stories both uses count for both heads: for 0.0 they are 0.6 with the patterns kept and 1.0 by the patterns alone, and 1.9 in full. They need not add up, since what arrives is a pattern *times* a value.
#
# Which ablation is right? Whoever asks what a head *moves* keeps patterns; whoever asks what the model loses without it does not.
#
# *Learned*: a head that tells others where to look is invisible to any method that holds patterns.
#
# > **Pair card.** Swap. The navigator asks: "Which readers of this head still read the old value?" Explain back: for a head of layer 1 the two ablations are the same. Why? *Alone:* run `ways_of` for 0.7, and say before you look whether it will resemble 0.0 or 0.6.
# %% [markdown]
# ## d2.2.7 Queries, keys or values?
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# One step remains. A pattern is made of queries and keys. 0.0 must enter by one of them. Which? At the second A the query must say what it looks for; at B the key must say what stood before it.
#
# Write `as_read_by`: the graph in which a head of layer 0 is ablated only as the *q*, *k* or *v* of the heads of layer 1 read it; everybody else reads it as it was. `a >> b` selects b where it is reached below a. After the split, the nodes are called `blocks.1.attn.head.3.q` and so on.
#
# Stuck? `hint("d2.2.7")`
# %% exercise="d2.2.7"
def as_read_by(graph: Node, side: str, head: int, how: str, data=None) -> Node:
    """The logits, where head 0.`head` is ablated as the "q", "k" or "v" of layer 1's heads read it, and only so."""
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    which = at(f"blocks.1.attn.head.*.{side}") >> at(f"blocks.0.attn.head.{head}.out")
    return ablate(graph, which, how, data)
    ### END SOLUTION
# %% check="d2.2.7" points=2
check("d2.2.7", as_read_by)
# %%
predict("d2.2.p8", ..., "q, k or v: the side by which 0.0 reaches the patterns of 1.1 and 1.3")
# %%
table = torch.zeros(3, 8)
for row, side in enumerate("qkv"):
    for head in range(8):
        there_only = as_read_by(on_random["graph"], side, head, "mean", other_rows["random tokens"])
        table[row, head] = evaluate(scores(there_only)["1.1"], on_random["inputs"]).mean()
measured("d2.2.p8", "qkv"[int(table[:, 0].argmin())])
sides, heads = [f"read by {side}" for side in "qkv"], [f"0.{head}" for head in range(8)]
title = "Prefix matching of 1.1, a head of layer 0 ablated on one side"
plot.heatmap(table, sides, heads, title, "attention", x="ablated (mean)", y="")
# %% [markdown]
# **What you should see**: through the keys, 0.0 alone: 0.02 is left, and no other head takes anything away there. Through the queries 0.6 and 0.7, each down to 0.66 or 0.65; and 0.0 is not needed there at all. Values decide nothing about where to look, and leave the score as it is.
#
# So this is how it goes, on random tokens, in this model:
#
# - At B, head 0.0 fetches A from the position before, and writes it into B's stream. The *key* at B now says: "A stood before me."
# - At the second A, heads 0.6 and 0.7 write A once more, into the form in which the *query* asks: "before whom did A stand?"
# - 1.1 and 1.3 match the two, look at B, and fetch B's own token, in the form in which 0.6 and 0.7 wrote it there. They say B.
#
# ![Induction on the tokens A B … A. The two dashed arrows below the tokens show where a head attends. At B, head 0.0 attends to the A before it, and at the second A, heads 1.1 and 1.3 attend to B. The solid arrows above the tokens show what moves. Head 0.0 reads A and writes "after A" into the residual stream of B. From this stream heads 1.1 and 1.3 read their key, after A, and their value, B. This is K-composition, because head 0.0 writes what the keys read. The key matches the query, A, from the stream of the second A. The two heads therefore write B into that stream, and the model predicts B.](diagram:induction)
#
# Elhage et al. call the first of these *K-composition*; part 3 looks for it in the weights, without any text.
#
# *Learned*: "head 0.0 feeds the induction heads" is too short. It feeds their keys.
# %% [markdown]
# ## d2.2.8 ★ A head that does two things
# ●●●●○ difficulty · ●●●○○ importance · 15 minutes · ★
#
# An open question. On random tokens all of 0.0's work goes through keys. On stories 0.0 costs 1.9 nats, the induction heads almost nothing: so it must do something else there. What? The cell below gives its cost by the way it takes, on stories: directly to the logits, as values, by queries, by keys, and by the keys of the induction heads alone.
# %%
out = at("blocks.0.attn.head.0.out")
by_way = {
    "directly": out.avoiding("*.ln1"),
    "as values": at("blocks.1.attn.head.*.v") >> out,
    "by queries": at("blocks.1.attn.head.*.q") >> out,
    "by keys": at("blocks.1.attn.head.*.k") >> out,
    "keys of 1.1, 1.3": (at("blocks.1.attn.head.1.k") | at("blocks.1.attn.head.3.k")) >> out,
    "all": out,
}
graphs = {name: ablate(heads_apart, way, "mean", other_rows["stories"]) for name, way in by_way.items()}
losses_by_way = evaluate({name: token_loss(each) for name, each in graphs.items()}, {"tokens": rows})
cost_by_way = {name: estimate((each - losses["none"]).mean(1)) for name, each in losses_by_way.items()}
plot.bars({"0.0": cost_by_way}, "Head 0.0 on stories, by the way it takes", "loss added (nats)", "way")
# %% [markdown]
# Write down, with figures from this page or from runs of your own:
#
# 1. the two or more things that 0.0 does, each as a claim that could be wrong;
# 2. one experiment that would tell "two jobs" from "one job that is used twice", and what you would expect from it;
# 3. what you could not find out.
#
# There is no check: an instructor reads it. Whoever works alone finds one answer in the reference notebook.
# %% [markdown] answer="d2.2.8" points=2
# ### BEGIN SOLUTION
# 1. Job one: 0.0 writes the token before into the keys of the induction heads. On random tokens this is all (7.3 nats; with patterns kept nothing is lost). On stories it is little: by the keys of 1.1 and 1.3 alone, 0.15 nats. Job two: it brings the token before to the present position, so that the next token can be predicted from two tokens in place of one. Directly to the logits that is worth 0.22 nats, as values 0.35. By the queries of layer 1 it is 0.39, by all keys 0.57, far more than by those of the induction heads: the others too use what stood before to choose where to look.
# 2. If there is one job, one direction of what 0.0 writes would serve all the uses. Project what it writes on the directions that the keys of 1.1 and 1.3 read, ablate along these only (d1.3.12), and measure the stories: if the direct and value uses suffer as much as in the full ablation, it is one message with several readers. Expected: the message is the token before in both cases, and the readers differ.
# 3. Whether single words do most of job two; what the other heads of layer 1 look for.
# ### END SOLUTION
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, or one of the listed options: `recall = {"mean": ..., "interaction": ..., "kept": ..., "side": ..., "order": ...}`
#
# 1. `mean`: head 0.2 costs 1.1 nats when it is set to zero, and next to nothing in another way of ablating: `mean` or `resample`?
# 2. `interaction`: two heads cover for each other. Ablated together, do they cost `more` or `less` than the sum of each alone?
# 3. `kept`: in a pattern-preserving ablation of 0.0, how many nats are lost on random tokens, rounded to a whole number?
# 4. `side`: through which of `q`, `k` and `v` does the previous-token head reach the induction heads' patterns?
# 5. `order`: on the second copy, how many heads do the paths pass that carry nearly everything? (a number)
#
# Stuck? `hint("d2.2.quiz")`
# %% exercise="d2.2.quiz"
### BEGIN SOLUTION
recall = {"mean": "mean", "interaction": "more", "kept": 0, "side": "k", "order": 2}
### END SOLUTION
# %% check="d2.2.quiz" points=2
check("d2.2.quiz", recall)
# %%
predictions("d2")
# %% [markdown]
# ## What we have
#
# A mechanism, each step of it with an experiment that could have refuted it. But all of it is about *these* rows, random tokens and stories that we chose. The weights are there for every text. If 0.0 really looks one back, whatever the token, the weights must say so; if 1.1 copies, its OV circuit must have a strong diagonal; and "it feeds the keys" is a statement about two matrices. Part 3 asks the weights.
