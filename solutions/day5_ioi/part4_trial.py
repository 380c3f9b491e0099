# %% [markdown]
# # Day 5, part 4: the circuit on trial
#
# **Does the circuit explain the behaviour, or did we only find heads that matter?**
#
# Path patching gives you a list of heads with a role for each. In this part the list has to stand up to five tests. You remove its most important heads and see how little the model changes. You ask whether the listed heads are enough, whether each of them is needed, and whether the rest of the model can do without them. Every answer is compared with random heads. At the end you ask *which* fact the circuit uses, and try prompts that should mislead it.
#
# **After this part you can**
# - put heads at their mean over sentences that have no answer, template by template;
# - explain why a model survives the loss of its most important heads;
# - tell a head's reaction from a change of the final norm's scale;
# - measure faithfulness, minimality and completeness against random heads;
# - separate a signal about position from a signal about a token;
# - give an error rate with an interval that is right for 0 errors too.
#
# **Time**: about 70 minutes without the ★ exercise. The cells that compute take about four minutes with SmolLM2.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), sections 3.3 to 4. McDougall et al. 2023, *Copy Suppression* ([arXiv 2310.04625](https://arxiv.org/abs/2310.04625)), on heads that lower the right answer. McGrath et al. 2023, *The Hydra Effect* ([arXiv 2307.15771](https://arxiv.org/abs/2307.15771)), on models that repair themselves.
# %%
import math
import os
import torch
from remix_utils import Node, add, array, at, check, circuits, einsum, evaluate, find_one, hint
from remix_utils import models, path_patch, placeholder, replace, split, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.models import smollm2
from remix_utils.tasks import ioi

start_at("d5.4")  # to rejoin the room: start_at("d5.4.5") brings all that the rest reads
# %% [markdown]
# The first cells are the same as in part 1. Rows with one prompt of each template, in alternating order, are called `some`. The longer experiments use these rows only.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
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
# A figure is printed with two errors, the first over prompts and the second over templates.
# %%
def report(name: str, values: torch.Tensor, more: str = "", rows: object = slice(None)) -> None:
    """Prints the mean of values [rows] with its two errors, and keeps them for the full run."""
    template = data["template"][rows]
    over_rows = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, template)
    full_run[f"trial.{name}"] = tuple(map(float, (*over_rows, over_templates.se)))
    print(f"{name:34}{over_rows.mean:6.2f} ± {over_rows.se:.2f} ± {over_templates.se:.2f}{more}")
# %% [markdown]
# ## The suspects, once more
#
# Part 3 found the circuit step by step. These cells find it again in a shorter way, so that this part runs by itself. A *path patch* replaces what one head sends to one kind of receiver by what it sends on an ABC prompt. For one direct connection this means that the receiver reads the stream plus a difference, the head's output on ABC minus its output on the clean prompt. `sweep` puts a stand-in for this difference at the receivers and then fills in every earlier head. MLPs between a head and its receiver keep their clean values.
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
    """Returns the fall of the difference [rows] if what a head sends down `way(layer)` is ABC's."""
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
# A head counts if its mean effect is above three standard errors and above 2 % of the difference.
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
    print("no head raises the difference for sure; two heads take the movers' place, as an example")
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
# *Name movers* are the heads that raise the difference directly and attend to IO more than to S2. A head that raises it and attends to the subject does so in another way, by lowering the subject's logit. Now the stages before them, each by what its heads send to the stage after it.
# %%
strength = {"name movers": {head: positive[head] for head in movers}}
strength["other positive"] = {head: positive[head] for head in positive if head not in movers}
strength["negative"] = negative


def next_stage(name: str, way_in, receivers: list[Head], sides: str, rows: torch.Tensor):
    """Keeps the heads that send to `receivers`, and returns the way to the receivers' inputs."""

    def way(layer: int):
        later = [head for head in receivers if head[0] > layer]
        return (way_in >> inputs_of(later, sides)).avoiding(BLOCKS) >> STREAM

    effects = sweep(way, max(layer for layer, _ in receivers), rows)
    strength[name] = largest(effects, most=8)
    found = [f"{listed([head])} {effect:.2f}" for head, effect in strength[name].items()]
    print(f"{name:13} {', '.join(found) or 'none'}")
    return (way_in >> inputs_of(receivers, sides)).avoiding(BLOCKS)


print(f"Who sends to the queries in {model.name}? This takes up to 15 seconds.")
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
# *Into queries* are the heads that send to the queries of the positive heads, the S-inhibition heads of Wang et al. *Second* and *third* are the stages before those. A head that qualifies for several stages counts where its effect is largest. The cut is arbitrary at its edge: a head just below 2 % of the difference isn't in the list, and another draw of prompts would change the last few. Keep this in mind when you judge the circuit.
#
# ## d5.4.1 The mean of its own template
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# How do you remove a head without breaking the model? Zero is out of distribution, so you put the head at its mean over ABC prompts, which have no answer. But which mean? At position 9 one template has a name and another one has the word "store", so a mean over all prompts mixes words that never stand there together. The mean has to be taken over prompts of the same template.
#
# Write `template_means`. Entry t of the result is the mean of the values [rows, ...] whose template is t, for t from 0 to `count` − 1. A template without rows gets zeros. The check uses other numbers of templates and values with one to three axes.
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
# Now every head gets a node with its mean output. A head's output is a matrix times its z, the mix of values that it attends to, so it's enough to keep the mean of the small z. The input `which` [15] is 1 at the prompt's own template, and an einsum with the table picks the right entry.
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
# *Learned*: an ablation has a reference distribution. Ours is the same sentence about three people who were named once each.
# %% [markdown]
# ## d5.4.2 Knock out
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# ![Two rows of bars. In the row before, the difference is made of name movers and other parts, minus negative heads. In the row with the movers knocked out, the other parts are scaled up, since the stream is divided by a smaller scale, and the bar of minus negative is shorter, since they have less to push down.](diagram:self_repair)
#
# Write `knock_out`, which puts some heads of a graph at their means. `circuits.head_outputs(graph)` gives each head's output node, `means` has a node like it for each head, and `replace(graph, {old: new})` makes all substitutions at once. Everything after the heads is computed again. For no heads at all, the graph stays as it is. The check uses small random models.
#
# Stuck? `hint("d5.4.2")`
# %% exercise="d5.4.2"
def knock_out(graph: Node, heads: list[Head], means: dict[Head, Node]) -> Node:
    """The graph with the outputs of some heads at their means."""
    ### BEGIN SOLUTION
    outputs = circuits.head_outputs(graph)
    return replace(graph, {outputs[head]: means[head] for head in heads})
    ### END SOLUTION
# %% check="d5.4.2" points=2
check("d5.4.2", knock_out)
# %% [markdown]
# The name movers write the answer, as path patching showed. Now knock out all of them together. By how much does the difference fall, as a share of their direct effect?
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
print("change of the difference ± error over prompts ± error over templates; IO above S")
for name, values in knocked.items():
    report(f"without {name}", values - base, f"{(values > 0).double().mean():7.0%}")
in_all = sum(direct[head] for head in movers)
report("direct effect of the movers", in_all)
fall = circuits.Estimate.over_rows(100 * (base - knocked["name movers"]) / in_all.mean())
measured("d5.4.p1", fall.mean, fall.se)
# %% [markdown]
# **What you should see**: compare the fall without the name movers with their direct effect. In a model that repairs itself, the fall is a good deal smaller, and no single mover is missed much. In a model without repair the two agree, and each mover is missed by itself. "By ABC rows" gives each prompt the movers' output on one ABC prompt. The answer may depend on this choice, because one ABC prompt also brings wrong names.
#
# What this doesn't show: other positive heads write a part of the answer too, and they're still there. The row "all positive" removes them as well. Also compare the single heads: a head whose own fall is near 0 has a direct effect all the same.
#
# *Learned*: a small fall after a knock-out doesn't mean that a head does little. It may mean that something makes up for it.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which of these rows would you have called a failed experiment, if you had run it first?" Explain back to each other: why can a head have a large direct effect and a small total one? *Alone:* write down two things in a model that could make up for a missing head, before you read on.
# %% [markdown]
# ## d5.4.3 Who makes up for it?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# The difference is a sum of parts, one for each head and MLP (d5.2). Take the parts before and after the knock-out. The parts of the removed heads fall, and the sum of their changes is the *predicted* change. Every other change is a reaction to the removal.
#
# Write `account`. It gets the parts by name, before and after, each [rows], and the names of the removed heads. It returns the predicted change [rows], and a dict with the change [rows] of every other part, the part that rises most on average first.
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
# **What you should see**: predicted and all others add up to measured, which equals the change in d5.4.2. If the model repairs itself, look at the names of the risers. A *negative* head that depends on the movers' output has less to push down, and its part rises towards 0. A *backup* head starts to write the answer. The list of negative heads above tells which of the two you see.
#
# *Learned*: self-repair can be given head by head, and it sums up.
# %% [markdown]
# ## d5.4.4 The part that is only the scale
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# There's a third kind of repair, and no head takes part in it. The final norm divides the stream by its length. If a head is missing, the stream may be shorter, and then every *other* part grows by the same factor. How large is this factor?
#
# Parts from before the first removed head are your ruler. What they write hasn't changed at all, so for each row their parts after are their parts before times a common `ratio`. The best estimate over several such parts is the least-squares one, Σ before · after / Σ before².
#
# Write `scale_and_writes`. It gets the parts before and after, and the names of the `earlier` parts. It returns the ratio [rows], and for each part its `write`, after / ratio − before, which is the change at the old scale. The rest of a change, after − after / ratio, is the scale. The part called "bias" isn't scaled, so it's left out of what you get.
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
# **What you should see**: the three lines "made up by" add up to "all others" of d5.4.3. For each head, the write is what this head does differently, and the scale is what the final norm does to it. A head with a large part before the knock-out gets a large scale share without reacting to anything.
#
# *Learned*: a rise of a head's direct effect is only a reaction if it's still there at the old scale.
#
# > **Pair card.** Swap. The navigator asks: "Which of our risers would you still call a backup?" Explain back: why do the earlier parts all change by the same factor? *Alone:* name a head whose change is all scale, and one whose change is all write.
# %% [markdown]
# ## d5.4.5 Are these heads enough?
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# *Faithfulness*: keep the circuit's heads and knock out all others. How much of the model's difference is left? Three numbers belong together, the difference of the circuit, of the *empty* circuit, in which all heads are at their means, and of the full model. The share is (circuit − empty) / (full − empty), taken between means, since single rows may have a denominator near 0.
#
# The share needs an error. It's a ratio, so there's no simple formula. The *jackknife* leaves out one row at a time and computes the share again. With n such shares, the error is √((n − 1)/n · Σ (share − their mean)²).
#
# Write `recovered`. It returns the share of all rows and its jackknife error.
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
# A random set of as many heads from the same layers is the comparison that a circuit has to beat. What share does a random set recover?
# %%
predict("d5.4.p3", ..., "share that random heads of the same layers recover, in per cent")
# %% [markdown]
# The next cell has the two functions that the rest of this part needs. `keep_only` knocks out all heads but the given ones, and `random_like` draws the comparison.
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
if "gpt2" in model.name:
    print("published for GPT-2-small: the circuit of 26 heads keeps 87 % (Wang et al. 2022)")
# %% [markdown]
# The list was found on the same prompts, which flatters it. So judge it once more on fresh ones.
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
# **What you should see**: a circuit above 100 % is no better than one below. It lacks heads that lower the difference in the full model, so it's a different mechanism by that much. The random sets show what the MLPs and any heads of these layers keep by themselves.
#
# What this doesn't show: the MLPs run in every row, so the claim is about heads only. Miller et al. 2024 ([arXiv 2407.08734](https://arxiv.org/abs/2407.08734)) show that such shares depend a good deal on how the rest is ablated.
#
# *Learned*: faithfulness is a share between an empty circuit and the full model, with an error, beside random sets.
# %% [markdown]
# ## d5.4.6 Is each head needed?
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · core
#
# *Minimality*: does every head of the circuit matter? If you take out one of four movers, the others may hide its absence. So Wang et al. first remove a set K that could stand in for the head v, and then ask what v adds. We take K as the other heads of v's group.
#
# Write `minimality_sets`. It gets the groups by name, each a list of heads. For each head it returns two sets of heads to keep. The first is the whole circuit without K, so v is the only one of its group. The second is the circuit without K and without v.
#
# Stuck? `hint("d5.4.6")`
# %% exercise="d5.4.6"
def minimality_sets(groups: dict[str, list[Head]]) -> dict[Head, tuple[set[Head], set[Head]]]:
    """For each head the circuit with it alone of its group, and the one without the group."""
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
# For comparison the next cell also adds single heads to the circuit that aren't in it, from the circuit's layers.
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
# **What you should see**: heads near the end of the list add no more than twice their error, or no more than heads from outside, so they aren't shown to be needed. A negative share means that the head lowers the difference. If a head from outside adds a lot, the circuit has missed it.
#
# *Learned*: a head is needed if it adds something when its stand-ins are gone, and more than heads from outside do.
#
# > **Pair card.** Swap. The navigator asks: "Which heads would you strike from the circuit now?" Explain back: why is removing one head from the whole circuit too weak a test? *Alone:* count how many of the circuit's heads add less than the largest of the heads from outside.
# %% [markdown]
# ## d5.4.7 ★ Is the rest able to do it too?
# ●●●●○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# *Completeness*: if the circuit is the whole mechanism, then removing a set K from the circuit must do the same as removing K from the model. The gap between them, (circuit without K) − (model without K), has to be near 0 for every K. There are too many sets to try, so one looks for the worst in a greedy way. Start from no set, and add at each step the candidate that makes the gap largest in size.
#
# Write `greedy`. The function `gaps` takes a list of sets and returns their gaps as a list of numbers. Call it once a step with all sets that have one more candidate. It returns the chosen set and its gap after each step. Candidates are names of any kind.
#
# Stuck? `hint("d5.4.7")`
# %% exercise="d5.4.7"
def greedy(gaps, candidates: list[str], steps: int) -> list[tuple[set[str], float]]:
    """The sets, each with one candidate more, whose gaps are the largest in size."""
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
# Our candidates are the groups, since heads one by one would take an hour. So the worst set found here is a lower bound.
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
# **What you should see**: gaps near 0 for every set would mean a complete circuit. If a chosen set has a gap that's a good part of the whole difference, some heads outside the circuit do related work. Random sets of as many heads usually don't show it. In a model with two groups the search soon removes the whole circuit, so only its first step says something.
#
# *Learned*: a faithful circuit may still be incomplete. The worst set shows it, and random sets don't.
# %% [markdown]
# ## d5.4.8 Six prompts for one question
# ●●●○○ difficulty · ●●●●● importance · 6 minutes · core
#
# The heads that send to the movers' queries mark the subject, and the movers attend to the other name. Which mark is it, the subject's *token* ("John") or the subject's *position* ("the second name")? Let these heads read another prompt in which only one of the two is different, and everything else the clean one.
#
# Six prompts are needed, for `position` "kept" or "inverted", and `token` "kept", "random" or "swapped". With an inverted position the first two names have changed their order. With a random token the subject has a fresh name. With a swapped token the subject has the name of the IO, and the IO has the subject's.
#
# Write `six_prompts`, which returns them by (position, token). Use `flip` and `swap`, with `seed` for fresh names.
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
# What will the difference be, if the order is inverted for these heads and the token is the right one?
# %%
predict("d5.4.p4", ..., "difference if the senders see the order inverted and the token kept")
# %%
senders = {"senders": list(strength["into queries"])}
if not senders["senders"]:
    print("no head sends to the queries for sure; the positive heads take their place")
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
    print(f"what these heads see, {name} ({listed(heads)})")
    for position, token in prompts:
        report(f"{name}: {position}, {token}", signal[name, position, token])
inverted = signal["senders", "inverted", "kept"]
measured("d5.4.p4", inverted.mean(), inverted.std() / len(inverted) ** 0.5)
# %% [markdown]
# **What you should see**: position comes first in each line, then the token. "kept, kept" is the model itself. Look for the change that matters for the senders, and for the change that doesn't. If there are other positive heads, compare their lines. Heads of one model may use different signals.
# %% [markdown]
# ## d5.4.9 Two signals and a fit
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# The six numbers ask for a model with three terms, difference ≈ c + a · position + b · token. Position is 1 if it's kept and −1 if it's inverted. Token is 1 if it's kept, 0 if it's random, and −1 if it's swapped. The constant c is the part of the difference that doesn't depend on these heads. Wang et al. leave it out, which is right if the heads carry everything.
#
# Write `fit_signals` for the table of the six numbers. It returns c, a, b, and the relative error, which is the root of the sum of squared residuals over the root of the sum of squared values. The check also passes tables with a case missing.
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
if "gpt2" in model.name:
    print("published for GPT-2-small: 2.31 position + 0.99 token, off by 7 % (Wang et al. 2022)")
# %% [markdown]
# **What you should see**: the constant and two weights with their errors. If position is much larger than token, the senders pass on a *pointer*, the place of the subject, and the movers avoid that place. If token is larger, they pass on a name. The fit for a single row is noisy, but its mean over rows is the fit of the means, since the fit is linear.
#
# What this doesn't show: "position" here means which of the two names came first. A pointer to a place and the fact "first or second" are the same in this experiment.
#
# *Learned*: to separate two signals, change one and keep the other, and check whether both terms add up.
#
# > **Pair card.** Swap. The navigator asks: "Which fact changes with the order, other than the position?" Explain back: why do we need the swapped token, if there's a random one already? *Alone:* predict the table of a model whose heads send the token alone, then compare with yours.
# %% [markdown]
# ## d5.4.10 Prompts that mislead
# ●●○○○ difficulty · ●●●○○ importance · 6 minutes · core
#
# If the circuit works by avoiding a name that was mentioned twice, a second mention of the *IO* should confuse it. `prompts.again("IO")` puts a sentence in front that names the IO once more, and `again("S")` names the subject again as a control.
#
# The result is an error rate. With 0 wrong of 30 the usual error is 0, and that can't be right. *Wilson's interval* for k wrong of n has its middle at (k + z²/2) / (n + z²), and half its width is z / (n + z²) · √(k (n − k) / n + z²/4), with z = 1.96 for 95 %.
#
# Write `wrong_share` for differences [rows]. It returns the share of rows that aren't above 0, and the two ends of the interval.
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
if "gpt2" in model.name:
    print("published for GPT-2-small: 23.4 % wrong with IO again, 0.4 % with S (Wang et al. 2022)")
# %% [markdown]
# **What you should see**: both changes with their errors, and an interval that doesn't collapse where nothing is wrong. A second mention of S is the control. If it lowers the difference as much as that of the IO, the sentence in front confuses the model whoever it's about.
#
# *Learned*: an adversarial prompt tests a mechanism only beside a control, and 0 of 30 is not 0 %.
# %% [markdown]
# ## What the full run says
#
# The same code ran once with four prompts of each template in each order. Its figures ship with the course, and they're shown here if you run SmolLM2.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
for name, (value, over_prompts, over_templates) in stored.items():
    if name.startswith("trial."):
        print(f"{name[6:]:44}{value:7.2f} ± {over_prompts:.2f} ± {over_templates:.2f}")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# From memory, without scrolling up.
# - `repair`: name movers with a direct effect of 3 are removed, and the difference falls by 1. How much was made up?
# - `ruler`: which parts tell the ratio of the scales, those from `"before"` or from `"after"` the removed heads?
# - `above`: a circuit recovers 120 %. Is it more faithful than one that recovers 95 %? `"yes"` or `"no"`
# - `group`: in the test of minimality, what's removed first, `"the head"` or `"its group"`?
# - `signal`: with the order inverted the difference changes its sign, with a random token it stays. What do the heads send, `"position"` or `"token"`?
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
# A verdict on your circuit. You know how much of the difference it keeps beside random heads, which of its heads are needed, what makes up for its movers, and whether it sends a position or a token. Part 5 turns the remaining claims into hypotheses and scrubs them.
