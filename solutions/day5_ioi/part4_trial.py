# %% [markdown]
# # Day 5, part 4: the circuit on trial
#
# **Does the circuit explain the behaviour, or did we only find heads that matter?**
#
# Path patching gives you a list of heads with a role for each. In this part you test that list. You remove its most important heads and account for everything that changes. Then you ask whether the listed heads are enough, whether each of them is needed, and whether heads outside the list do the same work. Each of these answers is compared with random heads. At the end you ask *which* fact the circuit uses, and you try prompts that should mislead it.
#
# **After this part you can**
# - replace heads with their mean over prompts that have no answer, template by template
# - account for the change after a knock-out, part by part
# - distinguish a head's own reaction from a change of the final norm's scale
# - measure faithfulness, minimality and completeness, and compare them with random heads
# - separate a signal about position from a signal about a token
# - report an error rate with an interval that still makes sense at 0 errors
#
# **Time**: about 70 minutes without the ★ exercises, ten of them for the cells that find the circuit again. The cells that compute take about four minutes with SmolLM2.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), sections 3.3 to 4. McDougall et al. 2023, *Copy Suppression* ([arXiv 2310.04625](https://arxiv.org/abs/2310.04625)), on heads that lower the right answer. McGrath et al. 2023, *The Hydra Effect* ([arXiv 2307.15771](https://arxiv.org/abs/2307.15771)), on self-repair.
# %%
import math
import os
import torch
from remix_utils import Node, add, array, at, check, circuits, einsum, evaluate, find_one, hint
from remix_utils import models, path_patch, placeholder, replace, solution, split, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.models import smollm2
from remix_utils.models.gpt2_small import is_gpt2_small
from remix_utils.tasks import ioi

start_at("d5.4")  # to catch up: start_at("d5.4.5") defines every name that later cells use
# %% [markdown]
# The first cells are the same as in part 1. The rows `some` have one prompt of each template, in alternating order. The longer experiments use only these rows.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
is_gpt2 = is_gpt2_small(model)  # published figures are shown beside GPT-2-small only
encode = model.tokenizer.encode
words = {"names": ioi.names(encode), "places": ioi.places(encode), "objects": ioi.objects(encode)}
each = 4 if "REMIX_FULL" in os.environ else 1  # prompts of every template in each order
clean = ioi.balanced(each, seed=4, **words)
data = ioi.dataset(clean, encode, pad=0)
seq = data["tokens"].shape[1]
graph = split(model.graph(seq=seq, mask=True), "blocks.*.attn_out", "head")
difference = circuits.logit_difference(graph)
outputs = circuits.head_outputs(graph)  # (layer, head): what this head adds to the stream
full_run = {}

Head = tuple[int, int]
some = (data["template"] % 2 == data["order"]).nonzero()[:, 0]
print(f"{model.name}: {len(outputs)} heads, {len(clean)} prompts, {len(some)} of them in `some`")
# %% [markdown]
# Each number is printed with two standard errors, the first over prompts and the second over templates. In your run each template has a single prompt among the rows `some`, so the two errors agree there.
# %%
def report(name: str, values: torch.Tensor, more: str = "", rows: object = slice(None)) -> None:
    """Prints the mean of values [rows] with its two errors, and keeps them for the full run."""
    template = data["template"][rows]
    over_rows = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, template)
    full_run[f"trial.{name}"] = tuple(map(float, (*over_rows, over_templates.se)))
    print(f"{name:34}{over_rows.mean:6.2f} ± {over_rows.se:.2f} ± {over_templates.se:.2f}{more}")
# %% [markdown]
# ## The suspects again
#
# Part 3 found the circuit step by step. These cells find it again in fewer steps, so that this part runs on its own. A *path patch* changes a single connection, so that one kind of receiver reads a head's output on an ABC prompt and everything else stays clean. For one direct connection, the receiver then reads the clean stream plus a difference, the head's output on ABC minus its output on the clean prompt. `sweep` adds a placeholder for this difference at the receivers, and then puts the difference of each earlier head in its place. MLPs between a head and its receiver keep their clean values.
# %%
BLOCKS = at("*.mlp_out") | at("*.attn.head.*.out")
STREAM = (at("*.resid_*") | at("embed")).avoiding(at("*.resid_*"))  # the nearest one
other = placeholder("other.tokens", (seq,), torch.long)
tokens = find_one(graph, at("tokens", op="placeholder"))
elsewhere = circuits.head_outputs(replace(graph, {tokens: other}))  # the same heads on ABC
stand_in = placeholder("difference.of.outputs", outputs[0, 0].shape)
both = data.columns | {"other.tokens": ioi.dataset(clean.abc(seed=4), encode, pad=0)["tokens"]}


def inputs_of(heads: list[Head], sides: str):
    """Returns a selector of the queries, keys or values (`sides`) of some heads."""
    names = [f"blocks.{layer}.attn.head.{head}" for layer, head in heads]
    return at({f"{name}.{side}" for name in names for side in sides})


def sweep(way, layer_of_reader: int, rows: torch.Tensor) -> dict[Head, torch.Tensor]:
    """Returns, by head, the fall [rows] if `way(layer)` carries the head's output on ABC."""
    senders = [head for head in outputs if head[0] < layer_of_reader]
    graphs = [difference]
    for layer in sorted({layer for layer, _ in senders}):
        waiting = update(difference, way(layer), lambda stream: add(stream, stand_in))
        for head in [head for head in senders if head[0] == layer]:
            sent = add(elsewhere[head], outputs[head], weights=[1, -1])
            graphs.append(replace(waiting, {stand_in: sent}))
    before, *after = evaluate(graphs, {name: column[rows] for name, column in both.items()})
    return {head: before - values for head, values in zip(senders, after, strict=True)}
# %% [markdown]
# A head counts if its mean effect is above three standard errors over prompts and above 2 % of the model's difference. `largest` keeps the six or eight largest of these heads.
# %%
def largest(effects: dict[Head, torch.Tensor], sign: int = 1, most: int = 6) -> dict[Head, float]:
    """Returns up to `most` heads with an effect above 3 errors and 2 % of the difference."""
    found = {}
    for head, values in effects.items():
        mean, se = circuits.Estimate.over_rows(sign * values)
        if mean > 3 * se and mean > 0.02 * abs(base.mean()):
            found[head] = float(mean)
    return dict(sorted(found.items(), key=lambda item: -item[1])[:most])


def listed(heads) -> str:
    """Returns heads as text, such as `2.0 2.1`, or `none`."""
    return " ".join(f"{layer}.{head}" for layer, head in heads) or "none"
# %%
print(f"All direct effects of {model.name}; this takes up to 15 seconds.")
base = evaluate(difference, data)
report("model", base)
direct = sweep(lambda layer: STREAM, model.config["n_layers"], torch.arange(len(data)))
positive, negative = largest(direct), largest(direct, sign=-1)
if not positive:
    print("no head clearly raises the difference; the last two heads stand in as an example")
    positive = dict.fromkeys(list(outputs)[-2:], 0.0)
shown = (*positive, *negative)
names = {head: "blocks.{}.attn.head.{}.pattern".format(*head) for head in shown}
attention = evaluate({head: find_one(graph, name) for head, name in names.items()}, data)
rows = torch.arange(len(data))
for head, pattern in attention.items():
    seen = {role: pattern[rows, -1, data[f"position.{role}"]].mean() for role in ("IO", "S1", "S2")}
    effect = circuits.Estimate.over_rows(direct[head])
    shares = ", ".join(f"{share:.2f} to {role}" for role, share in seen.items())
    print(f"{listed([head]):6}{effect.mean:6.2f} ± {effect.se:.2f}   END attends {shares}")
    attention[head] = seen
movers = [head for head in positive if attention[head]["IO"] > attention[head]["S2"]]
movers = movers or list(positive)
print(f"name movers: {listed(movers)}\nother positive heads: {listed(set(positive) - set(movers))}")
print(f"negative heads: {listed(negative)}")
# %% [markdown]
# *Name movers* are the heads that raise the difference directly and attend to IO more than to S2. Other positive heads must raise it in another way. A head that attends to the subject can do it by lowering the subject's logit, which part 3 measured. The next cells find the earlier stages. A head belongs to a stage if its output changes the difference through the inputs of the stage after it.
# %%
strength = {"name movers": {head: positive[head] for head in movers}}
strength["other positive"] = {head: positive[head] for head in positive if head not in movers}
strength["negative"] = negative


def next_stage(name: str, way_in, receivers: list[Head], sides: str, rows: torch.Tensor):
    """Records the heads that send to `receivers`, and returns the way to the receivers' inputs."""

    def way(layer: int):
        later = [head for head in receivers if head[0] > layer]
        return (way_in >> inputs_of(later, sides)).avoiding(BLOCKS) >> STREAM

    effects = sweep(way, max(layer for layer, _ in receivers), rows)
    strength[name] = largest(effects, most=8)
    found = [f"{listed([head])} {effect:.2f}" for head, effect in strength[name].items()]
    print(f"{name:13} {', '.join(found) or 'none'}")
    return (way_in >> inputs_of(receivers, sides)).avoiding(BLOCKS)


print(f"Which heads send to the queries in {model.name}? This takes up to 15 seconds.")
to_positive = model.heads(positive).avoiding(BLOCKS)
to_queries = next_stage("into queries", to_positive, list(positive), "q", torch.arange(len(data)))
# %%
print(f"Two more stages of {model.name}; this takes up to 40 seconds.")
way_in = to_queries
for before, name in (("into queries", "second"), ("second", "third")):
    if strength[before]:
        to_senders = (way_in >> model.heads(strength[before]).avoiding(BLOCKS)).avoiding(BLOCKS)
        way_in = next_stage(name, to_senders, list(strength[before]), "qkv", some)
    else:
        strength[name] = {}
groups: dict[str, list[Head]] = {name: [] for name in strength}
for head in sorted({head for heads in strength.values() for head in heads}):
    groups[max(strength, key=lambda name: strength[name].get(head, 0))].append(head)
groups = {name: heads for name, heads in groups.items() if heads}
circuit = [head for heads in groups.values() for head in heads]
print("\n".join(f"{name:15} {listed(heads)}" for name, heads in groups.items()))
print(f"the circuit on trial: {len(circuit)} of {len(outputs)} heads")
# %% [markdown]
# *Into queries* are the heads that send to the queries of the positive heads. Wang et al. call such heads S-inhibition heads. *Second* and *third* are the two stages before these. A head that qualifies for several stages counts in the one where its effect is largest. The threshold is arbitrary. A head just below 2 % of the difference isn't in the list, and another draw of prompts could change the last few entries. Keep this in mind when you judge the circuit.
#
# ## d5.4.1 The mean of its own template
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# How do you remove a head without breaking the model? Zero is out of distribution, so you replace the head's output with its mean over ABC prompts, which have no answer. But which mean? A position that holds a name in one template holds a verb or the word "and" in another, so a mean over all prompts mixes outputs from positions with different roles. The mean has to be taken over prompts of the same template.
#
# Write `template_means`. Entry t of the result is the mean of the values [rows, ...] whose template is t, for t from 0 to `count` − 1. A template without rows gets zeros. The check uses three to five templates, and values with one to three axes.
#
# Stuck? `hint("d5.4.1")`
# %% exercise="d5.4.1"
def template_means(values: torch.Tensor, template: torch.Tensor, count: int) -> torch.Tensor:
    """The mean of values [rows, ...] of each template, as a table [count, ...]."""
    ### BEGIN SOLUTION
    table = values.new_zeros(count, *values.shape[1:])
    for number in template.unique().tolist():
        table[number] = values[template == number].mean(0)
    return table
    ### END SOLUTION
# %% check="d5.4.1" points=1
check("d5.4.1", template_means)
# %% [markdown]
# The next cell builds a node with the mean output of every head. A head's output is its z, the attention-weighted mix of values, times a matrix. It's therefore enough to average z, which is much smaller than the output. The input `which` [15] is 1 at the prompt's own template, and an einsum with the table picks the right entry.
# %%
print(f"Means over ABC prompts of {model.name}; this takes up to 15 seconds.")
means_from = ioi.dataset(ioi.balanced(3 * each, seed=40, **words).abc(seed=4), encode, pad=0)
mixed = evaluate({head: output.children[0] for head, output in outputs.items()}, means_from)
count = len(ioi.TEMPLATES)
which = placeholder("which", (count,))
inputs = both | {"which": torch.nn.functional.one_hot(data["template"], count).float()}
means = {}  # (layer, head): a node like its output, with the mean of the prompt's template
for head, values in mixed.items():
    table = array(template_means(values, means_from["template"], count))
    mean = einsum("template, template seq d_head -> seq d_head", which, table)
    means[head] = outputs[head].with_children([mean, outputs[head].children[1]])
del mixed
print(f"{len(means_from)} ABC prompts, {len(means_from) // count} of each template")
# %% [markdown]
# *Learned*: an ablation has a reference distribution. Ours is the same sentence with three different people, each named once.
# %% [markdown]
# ## d5.4.2 Knock out
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# If these heads matter, the difference should fall without them. How far does it fall? To measure this, you need a graph in which some heads are knocked out.
#
# Write `knock_out`, which replaces the outputs of some heads with their means. `circuits.head_outputs(graph)` gives each head's output node, `means` has a replacement node for each head, and `replace(graph, {old: new})` makes all substitutions at once. Everything after the heads is computed again. With an empty list of heads, the graph stays as it is. The check uses small random models.
#
# Stuck? `hint("d5.4.2")`
# %% exercise="d5.4.2"
def knock_out(graph: Node, heads: list[Head], means: dict[Head, Node]) -> Node:
    """The graph with the outputs of some heads replaced with their means."""
    ### BEGIN SOLUTION
    outputs = circuits.head_outputs(graph)
    return replace(graph, {outputs[head]: means[head] for head in heads})
    ### END SOLUTION
# %% check="d5.4.2" points=2
check("d5.4.2", knock_out)
# %% [markdown]
# Path patching gave each name mover a direct effect on the difference. Now knock out all name movers together. By how much does the difference fall, in per cent of the sum of their direct effects?
# %%
predict("d5.4.p1", ..., "fall without the name movers, in per cent of their direct effect")
# %%
print(f"Knocking out heads of {model.name}; this takes up to 20 seconds.")
cases = {"name movers": knock_out(difference, movers, means)}
cases["name movers, by ABC rows"] = path_patch(difference, model.heads(movers), {"tokens": other})
cases["all positive"] = knock_out(difference, list(positive), means)
opposing = groups.get("negative", [])
if opposing:
    cases["movers and negative"] = knock_out(difference, [*movers, *opposing], means)
cases |= {listed([head]): knock_out(difference, [head], means) for head in movers}
for name, heads in groups.items():
    cases.setdefault(name, knock_out(difference, heads, means))
knocked = evaluate(cases, inputs)
print("change of the difference with both errors, and the share of prompts with IO above S")
for name, values in knocked.items():
    report(f"without {name}", values - base, f"{(values > 0).double().mean():7.0%}")
in_all = sum(direct[head] for head in movers)
report("direct effect of the movers", in_all)
fall = circuits.Estimate.over_rows(100 * (base - knocked["name movers"]) / in_all.mean())
measured("d5.4.p1", fall.mean, fall.se)
# %% [markdown]
# **What you should see**: compare the fall without the name movers with their direct effect. If the fall is clearly smaller, the rest of the model makes up for a part of it, which is called *self-repair*. Then removing a single mover may change very little, although each mover has a clear direct effect. Without self-repair, the fall is about as large as the direct effect or larger. It can be larger because each direct effect was measured with one head changed, while the other movers were scaled up a little by the final norm. The row "by ABC rows" gives each prompt the movers' output on one ABC prompt. Its result may differ, because one ABC prompt also brings its own names.
#
# What this doesn't show: the other positive heads also write a part of the answer, and they're still there. The row "all positive" removes them as well. The error of the measured percentage covers the fall alone and treats the direct effect as known.
#
# *Learned*: a small fall after a knock-out doesn't show that a head does little. The rest of the model may make up for it.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "If you had run only one of these rows, which row would have misled you most?" Explain to each other: why can a head have a large direct effect and a small total effect? *Alone:* write down two things in a model that could make up for a missing head, before you read on.
# %% [markdown]
# ## d5.4.3 What makes up for it?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# If the fall isn't the one that the direct effects predict, which parts of the model account for the gap? The difference is a sum of parts, one for each head and MLP (d5.2). Compare the parts before and after the knock-out. The changes of the removed heads add up to the *predicted* change. Every other change is a consequence of the removal.
#
# Write `account`. It gets two dicts of parts [rows] by name, before and after, and the names of the removed heads. It returns the predicted change [rows], and a dict with the change [rows] of every other part. This dict begins with the part that rises most on average, and ends with the part that falls most.
#
# Stuck? `hint("d5.4.3")`
# %% exercise="d5.4.3"
Parts = dict[str, torch.Tensor]


def account(before: Parts, after: Parts, removed: list[str]) -> tuple[torch.Tensor, Parts]:
    """The change [rows] of the removed parts together, and of each other part, risers first."""
    ### BEGIN SOLUTION
    changes = {name: after[name] - before[name] for name in before}
    predicted = torch.stack([changes.pop(name) for name in removed]).sum(0)
    order = sorted(changes, key=lambda name: -changes[name].mean())
    return predicted, {name: changes[name] for name in order}
    ### END SOLUTION
# %% check="d5.4.3" points=2
check("d5.4.3", account)
# %% [markdown]
# Which head will rise most when the name movers are gone? Write it as text, for example `"9.6"` for head 6 of layer 9.
# %%
predict("d5.4.p2", ..., "the head (layer.head) whose part rises most without the name movers")
# %%
print(f"All parts before and after, in {model.name}; this takes up to 20 seconds.")
answers = {"answers": data["token.IO"], "others": data["token.S"]}
before = circuits.logit_attribution(graph, data, **answers).parts
without = knock_out(graph, movers, means)
after = circuits.logit_attribution(without, inputs, **answers).parts
removed = [outputs[head].name for head in movers]
predicted, others = account(before, after, removed)
report("predicted", predicted)
report("all others", sum(others.values()))
report("measured", predicted + sum(others.values()))
of_head = {output.name: head for head, output in outputs.items()}
risers = [name for name in others if name in of_head][:4]
falling = [name for name in others if name in of_head][-2:]
for name in (*risers, *falling):
    report(f"change of {listed([of_head[name]])}", others[name])
by_mlps = [values for name, values in others.items() if name.endswith("mlp_out")]
report("all MLPs", sum(by_mlps, torch.zeros(len(data))))
measured("d5.4.p2", listed([of_head[risers[0]]]))
# %% [markdown]
# **What you should see**: "predicted" and "all others" add up to "measured", which equals the change without the name movers in d5.4.2. Some head always rises most, so first check that its change is several errors above 0. If it is, there are two explanations. A *negative* head that depends on the movers' output has less to push down without them, and its part rises towards 0. A *backup* head starts to write the answer. The list of negative heads above tells you which riser is which, and d5.4.4 finds a third explanation.
#
# *Learned*: the gap between the predicted and the measured change is a sum over the other parts, so each part's share of it can be measured.
# %% [markdown]
# ## d5.4.4 The part that is only the scale
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# There's a third kind of repair, and it needs no reaction of any head. The final norm divides the stream by its length. Without some heads the stream may be shorter, and then every *other* part grows by the same factor. How large is this factor? The picture shows its effect next to the reaction of negative heads.
#
# ![Two rows of bars. In the row before, the difference is made of name movers and other parts, minus negative heads. In the row with the movers knocked out, the other parts are scaled up, since the stream is divided by a smaller scale, and the bar of minus negative is shorter, since they have less to push down.](diagram:self_repair)
#
# You can measure it with the parts that are computed before the first removed head. Their output hasn't changed at all, so in each row their values after the knock-out are their values before it, times a common `ratio`. With several such parts, take the least-squares estimate Σ before · after / Σ before². It's safe even if the parts are near 0 or cancel each other in a row.
#
# Write `scale_and_writes`. It gets the parts before and after, and the names of the `earlier` parts. It returns the ratio [rows], and a dict with the *write* of every part, after / ratio − before. The write is the part's change at the old scale. The rest of its change, after − after / ratio, comes from the scale. The part called "bias" isn't scaled, so the parts that you get don't include it.
#
# Stuck? `hint("d5.4.4")`
# %% exercise="d5.4.4"
def scale_and_writes(before: Parts, after: Parts, earlier: list[str]) -> tuple[torch.Tensor, Parts]:
    """The factor [rows] by which the final norm scales all parts, and each part's own change."""
    ### BEGIN SOLUTION
    old = torch.stack([before[name] for name in earlier])
    new = torch.stack([after[name] for name in earlier])
    ratio = (old * new).sum(0) / (old * old).sum(0)
    return ratio, {name: after[name] / ratio - before[name] for name in before}
    ### END SOLUTION
# %% check="d5.4.4" points=2
check("d5.4.4", scale_and_writes)
# %%
scaled = [name for name in before if name != "bias"]
first = min(layer for layer, _ in movers)
later = tuple(f"blocks.{layer}." for layer in range(first, model.config["n_layers"]))
earlier = [name for name in scaled if not name.startswith(later)]
ratio, writes = scale_and_writes(
    {name: before[name] for name in scaled}, {name: after[name] for name in scaled}, earlier
)
report("ratio of the scales", ratio)
rest = [name for name in scaled if name not in removed]
by_scale = sum(after[name] - after[name] / ratio for name in rest)
by_heads = sum(writes[name] for name in rest if name in of_head)
report("made up by the norm's scale", by_scale)
report("made up by other heads", by_heads)
report("made up by MLPs", sum(others.values()) - by_scale - by_heads)
for name in (*risers, *falling):
    report(f"write of {listed([of_head[name]])}", writes[name])
    report(f"scale of {listed([of_head[name]])}", others[name] - writes[name])
# %% [markdown]
# **What you should see**: the three lines "made up by" add up to "all others" of d5.4.3, since the MLPs get the remainder. Each head's change is split into two lines. Its write is the change in the head's own output, and its scale is the effect of the final norm. A head with a large part before the knock-out can rise a lot through the scale alone.
#
# *Learned*: a rise of a head's part is a reaction of this head only if the rise is still there at the old scale.
#
# > **Pair card.** Swap. The navigator asks: "Which of our risers would you call a backup head now?" Explain to each other: why do the earlier parts all change by the same factor? *Alone:* name a head whose change is all scale, and one whose change is all write.
# %% [markdown]
# ## d5.4.5 Are these heads enough?
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# *Faithfulness*: keep the circuit's heads and knock out all others. How much of the model's difference is left? You need three differences, that of the circuit, that of the full model, and that of the *empty* circuit, in which all heads are at their means. The share is (circuit − empty) / (full − empty). Use the means over rows here, because the denominator of a single row may be near 0.
#
# The share needs an error. It's a ratio of means, so the usual formula for the error of a mean doesn't apply. The *jackknife* leaves out one row at a time and computes the share from the other rows. With n such shares, the error is √((n − 1)/n · Σ (share − their mean)²).
#
# Write `recovered`. It returns the share from all rows and its jackknife error.
#
# Stuck? `hint("d5.4.5")`
# %% exercise="d5.4.5"
def recovered(part: torch.Tensor, empty: torch.Tensor, full: torch.Tensor) -> tuple[float, float]:
    """(part - empty) / (full - empty) of the means of values [rows], and its jackknife error."""
    ### BEGIN SOLUTION
    above, below = part - empty, full - empty
    shares = (above.sum() - above) / (below.sum() - below)  # each without one row
    spread = (shares - shares.mean()).square().sum()
    error = ((len(shares) - 1) / len(shares) * spread).sqrt()
    return (above.sum() / below.sum()).item(), error.item()
    ### END SOLUTION
# %% check="d5.4.5" points=2
check("d5.4.5", recovered)
# %% [markdown]
# The circuit has to beat random sets with the same number of heads in each layer. A random set may include some of the circuit's heads. What share does such a set recover on average?
# %%
predict("d5.4.p3", ..., "share that random heads of the same layers recover, in per cent")
# %% [markdown]
# The next cell has the two functions that the rest of this part needs. `keep_only` knocks out all heads except the given ones, and `random_like` draws a random set.
# %%
def keep_only(heads) -> Node:
    """Returns the difference with all other heads at their means."""
    return knock_out(difference, [head for head in outputs if head not in set(heads)], means)


def random_like(heads: list[Head], numbers: torch.Generator) -> list[Head]:
    """Returns as many random heads of each layer as `heads` has there."""
    drawn = []
    for layer in sorted({layer for layer, _ in heads}):
        size = sum(other == layer for other, _ in heads)
        order = torch.randperm(model.config["n_heads"], generator=numbers)
        drawn += [(layer, int(head)) for head in order[:size]]
    return drawn


print(f"Circuits of {model.name}; this takes up to 40 seconds.")
numbers = torch.Generator().manual_seed(4)
kept = {"circuit": circuit, "empty circuit": [], "all heads": list(outputs)}
kept["without negative heads"] = [head for head in circuit if head not in opposing]
kept["movers and into queries"] = [*movers, *strength["into queries"]]
kept |= {f"random {k}": random_like(circuit, numbers) for k in range(6)}
sizes = evaluate({name: keep_only(heads) for name, heads in kept.items()}, inputs)
for name, values in sizes.items():
    share, error = recovered(values, sizes["empty circuit"], sizes["all heads"])
    report(f"keep {name}", values, f"{share:8.0%} ± {error:.0%}")
    full_run[f"trial.share {name}"] = (share, error, math.nan)
random_sets = [100 * full_run[f"trial.share random {k}"][0] for k in range(6)]
by_chance = circuits.Estimate.over_rows(torch.tensor(random_sets))
measured("d5.4.p3", by_chance.mean, by_chance.se)
if is_gpt2:
    print("published for GPT-2-small: the circuit of 26 heads keeps 87 % (Wang et al. 2022)")
# %% [markdown]
# The circuit was chosen on these prompts, so its share may be too high. Measure it again on fresh prompts of the same templates.
# %%
print(f"Fresh prompts for {model.name}; this takes up to 20 seconds.")
fresh = ioi.dataset(ioi.balanced(each, seed=5, **words), encode, pad=0)
its_template = torch.nn.functional.one_hot(fresh["template"], count).float()
three = {name: keep_only(kept[name]) for name in ("circuit", "empty circuit", "all heads")}
anew = evaluate(three, fresh.columns | {"which": its_template})
share, error = recovered(*anew.values())
full_run["trial.share fresh prompts"] = (share, error, math.nan)
print(f"the circuit keeps {share:.0%} ± {error:.0%} on fresh prompts")
# %% [markdown]
# **What you should see**: compare the circuit's share with the spread of the random sets. A share above 100 % is no better than one as far below. It means that the circuit lacks heads that lower the difference in the full model. A random set with a large share is worth a second look, since it may have drawn heads of the circuit. The row "without negative heads" shows how much the share owes to heads that push it down.
#
# What this doesn't show: all MLPs are computed in each of these graphs, so the claim is about heads only. The jackknife leaves out single prompts, so its error doesn't cover new templates. Miller et al. 2024 ([arXiv 2407.08734](https://arxiv.org/abs/2407.08734)) show that such shares depend strongly on how the other parts are ablated.
#
# *Learned*: faithfulness is measured on a scale from the empty circuit to the full model, and it means little without its error and the shares of random sets.
# %% [markdown]
# ## d5.4.6 ★ Is each head needed?
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · ★
#
# *Minimality*: does every head of the circuit matter? If you take out one of four movers, the others may hide its absence. Wang et al. therefore first remove a set K of heads that could stand in for the head v, and then measure how much v adds. We take the other heads of v's group as K.
#
# Write `minimality_sets`. It gets a list of heads for each group name. For each head v it returns two sets of heads to keep. The first is the circuit without K, in which v is the only head of its group. The second is the circuit without K and without v.
#
# Stuck? `hint("d5.4.6")`
# %% exercise="d5.4.6"
def minimality_sets(groups: dict[str, list[Head]]) -> dict[Head, tuple[set[Head], set[Head]]]:
    """For each head, the circuit with no other head of its group, and without the whole group."""
    ### BEGIN SOLUTION
    circuit = {head for heads in groups.values() for head in heads}
    found = {}
    for heads in groups.values():
        rest = circuit - set(heads)
        found |= {head: (rest | {head}, rest) for head in heads}
    return found
    ### END SOLUTION
# %% check="d5.4.6" points=2
check("d5.4.6", minimality_sets)
# %% [markdown]
# For comparison, the next cell also takes a few random heads from outside the circuit, and adds each one to the whole circuit. They come from the circuit's layers.
# %%
print(f"Minimality in {model.name} on {len(some)} prompts; this takes up to 60 seconds.")
subset = {name: column[some] for name, column in inputs.items()}
pairs = minimality_sets(groups)
outside = [head for head in random_like(circuit, numbers) if head not in circuit][:8]
wanted = {frozenset(kept) for pair in pairs.values() for kept in pair}
wanted |= {frozenset(circuit), *(frozenset([*circuit, head]) for head in outside)}
order = list(wanted)
results = dict(zip(order, evaluate([keep_only(kept) for kept in order], subset), strict=True))
scale = 100 / base[some].mean()
scores = {}
for name, heads in groups.items():
    for head in heads:
        alone, gone = (results[frozenset(kept)] for kept in pairs[head])
        scores[f"{listed([head])} ({name})"] = alone - gone
with_one = {head: results[frozenset([*circuit, head])] for head in outside}
added = {listed([head]): values - results[frozenset(circuit)] for head, values in with_one.items()}
print("what a head adds, in per cent of the full difference")
for name in sorted(scores, key=lambda name: -scores[name].mean().abs()):
    report(f"adds {name}", scale * scores[name], rows=some)
print("heads from outside")
for name, values in added.items():
    report(f"outside {name}", scale * values, rows=some)
# %% [markdown]
# **What you should see**: the list is sorted by size. Look for heads near its end that add less than twice their error, or less than the heads from outside. This test doesn't show that they're needed. A negative share means that the head lowers the difference. If a head from outside adds a lot, the search has missed it.
#
# What this doesn't show: the outside heads were added to the whole circuit, where others may hide their effect, so the two lists are comparable only roughly. In a long list, a few heads can exceed twice their error by chance.
#
# *Learned*: a head counts as needed if it adds clearly more than its error and more than heads from outside, once the other heads of its group are gone.
#
# > **Pair card.** Swap. The navigator asks: "Which heads would you strike from the circuit now?" Explain to each other: why is removing one head from the whole circuit too weak a test? *Alone:* count the circuit's heads that add less than the outside head with the largest effect.
# %% [markdown]
# ## d5.4.7 ★ Can the rest of the model do it too?
# ●●●●○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# *Completeness*: if the circuit is the whole mechanism, then removing a set K from the circuit must do the same as removing K from the model. The gap between them, (circuit without K) − (model without K), has to be near 0 for every K. There are too many sets to try them all, so Wang et al. also search greedily for the worst one. Start from the empty set. At each step, add the candidate for which the gap of the new set is largest in size, even if this gap is smaller than the one before.
#
# Write `greedy`. The function `gaps` takes a list of sets and returns a list with the gap of each set. Pass it all sets of a step in one call, because one evaluation computes their common work only once. `greedy` returns a list with the chosen set and its gap after each step. Candidates are names of any kind.
#
# Stuck? `hint("d5.4.7")`
# %% exercise="d5.4.7"
def greedy(gaps, candidates: list[str], steps: int) -> list[tuple[set[str], float]]:
    """The chosen set and its gap after each step, the set growing by one candidate a step."""
    ### BEGIN SOLUTION
    path = [(set(), 0.0)]
    for _ in range(steps):
        larger = [path[-1][0] | {name} for name in candidates if name not in path[-1][0]]
        found = list(zip(larger, gaps(larger), strict=True))
        path.append(max(found, key=lambda pair: abs(pair[1])))
    return path[1:]
    ### END SOLUTION
# %% check="d5.4.7" points=2
check("d5.4.7", greedy)
# %% [markdown]
# Our candidates are whole groups, since a search over single heads would take an hour with SmolLM2. The worst set of heads may have a larger gap than the one found here.
# %%
def gap_values(sets) -> list[torch.Tensor]:
    """Returns (circuit without the heads) - (model without them) of each set, each [rows]."""
    inside = [keep_only(set(circuit) - set(heads)) for heads in sets]
    whole = [knock_out(difference, list(heads), means) for heads in sets]
    values = evaluate(inside + whole, subset)
    circuits_first, models_then = values[: len(sets)], values[len(sets) :]
    return [part - full for part, full in zip(circuits_first, models_then, strict=True)]


def heads_of(names) -> list[Head]:
    """Returns the heads of some groups."""
    return [head for name in names for head in groups[name]]


def group_gaps(sets) -> list[float]:
    """Returns the mean gap of each set of groups."""
    return [values.mean().item() for values in gap_values([heads_of(names) for names in sets])]


print(f"Greedy search in {model.name}; this takes up to 60 seconds.")
(no_set,) = gap_values([[]])
report("gap of no set", no_set, rows=some)
path = greedy(group_gaps, list(groups), steps=min(2, len(groups)))
for names, gap in path:
    print(f"{gap:6.2f}  without {', '.join(sorted(names))}")
worst = heads_of(max(path, key=lambda step: abs(step[1]))[0])
orders = [torch.randperm(len(circuit), generator=numbers)[: len(worst)] for _ in range(3)]
found = gap_values([worst, *([circuit[k] for k in order] for order in orders)])
for name, values in zip(("the worst set", "random 0", "random 1", "random 2"), found, strict=True):
    report(f"gap of {name}", values, rows=some)
# %% [markdown]
# **What you should see**: compare each gap with its error and with the gap of no set, which the circuit has before anything is removed. If every set had a gap near 0, the circuit would be complete. If the worst set has a clearly larger gap than no set and than random sets of its size, heads outside the circuit do related work. The worst set was chosen on these rows, so its gap may be somewhat too large. In a model with two groups the second step removes the whole circuit, so only the first step tells you something.
#
# *Learned*: a circuit can look complete on random sets and still be incomplete, so search for the worst set.
# %% [markdown]
# ## d5.4.8 Six prompts for one question
# ●●●○○ difficulty · ●●●●● importance · 6 minutes · core
#
# The heads that send to the queries of the positive heads pass on something about the subject. Do they pass on the subject's *token* ("John") or its *position* ("the second name")? To find out, let these heads read a prompt in which only one of the two has changed, while the rest of the model reads the clean prompt.
#
# You need six prompts, with `position` "kept" or "inverted", and `token` "kept", "random" or "swapped". With an inverted position, the first two names are in the opposite order. With a random token, the subject has a fresh name. With a swapped token, the subject and the IO have exchanged names.
#
# Write `six_prompts`, which returns a dict of prompts by (position, token). Use the methods `flip` and `swap` of `prompts`, and pass `seed` for the fresh names.
#
# Stuck? `hint("d5.4.8")`
# %% exercise="d5.4.8"
def six_prompts(prompts: ioi.Prompts, seed: int) -> dict[tuple[str, str], ioi.Prompts]:
    """The prompts with the subject's position and its token kept or changed."""
    ### BEGIN SOLUTION
    tokens = {"kept": prompts, "random": prompts.flip("S", seed=seed)}
    tokens["swapped"] = prompts.swap("IO", "S")
    found = {("kept", token): changed for token, changed in tokens.items()}
    return found | {("inverted", token): changed.flip("order") for token, changed in tokens.items()}
    ### END SOLUTION
# %% check="d5.4.8" points=2
check("d5.4.8", six_prompts)
# %% [markdown]
# Suppose that these heads read the inverted order with the tokens kept. What will the difference be? The model's own difference is at the top of this part.
# %%
predict("d5.4.p4", ..., "difference if the senders see the order inverted and the token kept")
# %%
senders = {"senders": list(strength["into queries"])}
if not senders["senders"]:
    print("no head clearly sends to the queries; the positive heads stand in for the senders")
    senders["senders"] = list(positive)
if strength["other positive"]:
    senders["other positive"] = list(strength["other positive"])
prompts = six_prompts(clean, seed=6)
print(f"Six prompts for {model.name}; this takes up to 60 seconds.")
graphs, read = {}, data.columns
for case, changed in prompts.items():
    source = placeholder(" ".join(case), (seq,), torch.long)
    read |= {source.name: ioi.dataset(changed, encode, pad=0)["tokens"]}
    for name, heads in senders.items():
        graphs[name, *case] = path_patch(difference, model.heads(heads), {"tokens": source})
signal = evaluate(graphs, read)
for name, heads in senders.items():
    print(f"position and token that these heads read, {name} ({listed(heads)})")
    for position, token in prompts:
        report(f"{name}: {position}, {token}", signal[name, position, token])
inverted = signal["senders", "inverted", "kept"]
measured("d5.4.p4", inverted.mean(), inverted.std() / len(inverted) ** 0.5)
# %% [markdown]
# **What you should see**: each line names the position first, then the token. The line "kept, kept" is the model itself. Which of the two changes matters for the senders, and which one hardly does? If the model has other positive heads, answer the same question for them. Two groups of heads in one model may depend on different signals.
# %% [markdown]
# ## d5.4.9 Two signals and a fit
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# How much of the difference comes from each signal? Fit the six numbers with three terms, difference ≈ c + a · position + b · token. Position is 1 if it's kept and −1 if it's inverted. Token is 1 if it's kept, 0 if it's random, and −1 if it's swapped. The constant c is the part of the difference that doesn't depend on the two signals. Wang et al. leave out the constant, which is right if these heads carry the whole difference.
#
# Write `fit_signals`, which takes a table of the numbers by (position, token). It returns the least-squares c, a and b, and the relative error, which is the root of the sum of squared residuals divided by the root of the sum of squared values. The check also passes tables with one case missing.
#
# Stuck? `hint("d5.4.9")`
# %% exercise="d5.4.9"
def fit_signals(table: dict[tuple[str, str], float]) -> tuple[float, float, float, float]:
    """The constant and the weights of position and token that fit a table best, and their error."""
    ### BEGIN SOLUTION
    signs = {"kept": 1.0, "inverted": -1.0, "random": 0.0, "swapped": -1.0}
    terms = torch.tensor([[1.0, signs[position], signs[token]] for position, token in table])
    values = torch.tensor(list(table.values()))
    weights = torch.linalg.lstsq(terms, values[:, None]).solution[:, 0]
    error = (values - terms @ weights).norm() / values.norm()
    return (*weights.tolist(), error.item())
    ### END SOLUTION
# %% check="d5.4.9" points=2
check("d5.4.9", fit_signals)
# %%
for name in senders:
    table = {case: signal[name, *case].mean().item() for case in prompts}
    by_row = torch.stack([signal[name, *case] for case in prompts], dim=1).tolist()
    fits = torch.tensor([fit_signals(dict(zip(prompts, row, strict=True))) for row in by_row])
    for term, values in zip(("constant", "position", "token"), fits.T[:3], strict=True):
        report(f"{name}: {term}", values)
    print(f"{'':10}the fit is off by {fit_signals(table)[-1]:.0%}")
if is_gpt2:
    print("published for GPT-2-small: 2.31 position + 0.99 token, off by 7 % (Wang et al. 2022)")
# %% [markdown]
# **What you should see**: the constant and the two weights with their errors. If position is much larger than token, the senders pass on a *pointer* to the subject's place, and later heads use it to avoid that place. If token is much larger, they pass on a name. The last line tells you how well a sum of two signals describes these heads. The fit for a single row is noisy, but the mean over rows is the fit of the means, because the weights are linear in the six numbers.
#
# What this doesn't show: "position" here means which of the two names came first. This experiment can't distinguish a pointer to a place from the fact "first" or "second".
#
# *Learned*: to separate two signals, change one and keep the other, and check whether the two effects add up.
#
# > **Pair card.** Swap. The navigator asks: "Which fact changes with the order, other than the position?" Explain to each other: why do we need the swapped token, if we already have a random one? *Alone:* predict the six numbers for heads that send only the token, then compare them with yours.
# %% [markdown]
# ## d5.4.10 Prompts that mislead
# ●●○○○ difficulty · ●●●○○ importance · 6 minutes · core
#
# If the circuit works by avoiding a name that was mentioned twice, a second mention of the *IO* should confuse it. `prompts.again("IO")` puts a sentence in front of each prompt that mentions the IO once more. As a control, `again("S")` mentions the subject once more.
#
# The result is an error rate. If 0 of 30 prompts are wrong, the usual standard error is 0, although more prompts could still turn up a wrong one. *Wilson's interval* avoids this. For k wrong of n, its middle is (k + z²/2) / (n + z²) and half its width is z / (n + z²) · √(k (n − k) / n + z²/4). For a 95 % interval, z is 1.96.
#
# Write `wrong_share` for differences [rows]. It returns the share of rows whose difference isn't above 0, and the two ends of the interval. The check also passes another `z`.
#
# Stuck? `hint("d5.4.10")`
# %% exercise="d5.4.10"
def wrong_share(values: torch.Tensor, z: float = 1.96) -> tuple[float, float, float]:
    """The share of rows in which the model prefers S, with the ends of Wilson's interval."""
    ### BEGIN SOLUTION
    n, k = len(values), int((values <= 0).sum())
    middle = (k + z * z / 2) / (n + z * z)
    half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)
    return k / n, middle - half, middle + half
    ### END SOLUTION
# %% check="d5.4.10" points=1
check("d5.4.10", wrong_share)
# %%
print(f"Misleading prompts for {model.name}; this takes up to 20 seconds.")
misled = {"as they are": base}
for role in ("IO", "S"):
    longer = ioi.dataset(clean.again(role), encode, pad=0)
    again = model.graph(seq=longer["tokens"].shape[1], mask=True)
    misled[f"{role} once more"] = evaluate(circuits.logit_difference(again), longer)
for name, values in misled.items():
    share, low, high = wrong_share(values)
    report(name, values, f"   {share:.0%} wrong, between {low:.0%} and {high:.0%}")
    report(f"{name}, change", values - base)
    full_run[f"trial.wrong, {name}"] = (share, (high - low) / 3.92, math.nan)
if is_gpt2:
    print("published for GPT-2-small: 23.4 % wrong with IO again, 0.4 % with S (Wang et al. 2022)")
# %% [markdown]
# **What you should see**: each variant's mean difference with its error rate, its interval, and its change from the prompts as they are. If another mention of S lowers the difference as much as another mention of the IO, or more, you can't attribute the change to the second mention of the IO. The sentence in front may confuse the model by itself. The interval takes the prompts as independent, although prompts of one template share their words.
#
# *Learned*: an adversarial prompt tests a mechanism only together with a control, and 0 wrong of 30 is compatible with an error rate of up to 11 %.
# %% [markdown]
# ## What the full run says
#
# The same code ran once on SmolLM2 with four prompts of each template in each order. Its results ship with the course and are shown here if you run SmolLM2. The lines "wrong" and "share" are fractions and have only the error over prompts.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
for name, (value, over_prompts, over_templates) in stored.items():
    if name.startswith("trial."):
        print(f"{name[6:]:44}{value:7.2f} ± {over_prompts:.2f} ± {over_templates:.2f}")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# Answer from memory, without scrolling up. Give a number or one of the listed options in `recall = {"repair": ..., "ruler": ..., "above": ..., "group": ..., "signal": ...}`.
# - `repair`: the removed heads predict a fall of 3, and the difference falls by 1. How much did the other parts make up?
# - `ruler`: the ratio of the scales is measured on certain parts. Are they computed `"before"` or `"after"` the removed heads?
# - `above`: a circuit recovers 120 %. Is it more faithful than one that recovers 95 %? `"yes"` or `"no"`
# - `group`: which does the test of minimality remove first, `"the head"` or the other heads of `"its group"`?
# - `signal`: an inverted order reverses the sign of the difference, and a random token leaves it as it is. Do the heads send `"position"` or `"token"`?
#
# Stuck? `hint("d5.4.quiz")`
# %% exercise="d5.4.quiz"
### BEGIN SOLUTION
recall = {"repair": 2, "ruler": "before", "above": "no", "group": "its group", "signal": "position"}
### END SOLUTION
# %% check="d5.4.quiz" points=2
check("d5.4.quiz", recall)
# %%
predictions("d5")
# %% [markdown]
# ## What you have
#
# You have a verdict on your circuit. You know how much of the difference it keeps compared with random heads, and which of its heads the test shows to be needed. You know whether anything makes up for the loss of its movers, and whether its senders pass on a position or a token. Part 5 turns the remaining claims into hypotheses and scrubs them.
