# %% [markdown]
# # Day 5, part 3: along the paths
#
# **Which heads write the answer, which heads control where those attend, and which earlier parts do these depend on?**
#
# Patching a whole head changes the input of everything that reads it. If the logit difference falls, you know that the head matters, but not which of its readers made the difference. Path patching changes a single connection (Wang et al. 2022, Goldowsky-Dill et al. 2023). In this part you start at the logits and work backwards. First you find the heads that write the answer, then the heads that set the queries of those, and then the parts that feed these. Each step is a sweep over all heads that come early enough.
#
# **After this part you can**
# - write a selector for a path from the logits back to a head
# - sweep over all heads in one evaluation, and name the effects that stand out from their errors
# - distinguish a head that raises the right name from a head that lowers the wrong one
# - compare a head's attention with its output, and test whether the head copies
# - follow a chain into the queries of one group of heads and the values of another
# - estimate the cost of the same sweeps with hooks
#
# **Time**: about 75 minutes without the ★ exercises. The computations take about two minutes with SmolLM2.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), sections 3.1 to 3.3. Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching* ([arXiv 2304.05969](https://arxiv.org/abs/2304.05969)), sections 1 and 2. McDougall et al. 2023, *Copy Suppression* ([arXiv 2310.04625](https://arxiv.org/abs/2310.04625)), for negative heads.
# %%
import os
import time
import torch
from remix_utils import Node, at, check, circuits, evaluate, find_one, hint, index, models
from remix_utils import path_patch, placeholder, plot, replace, solution, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.graph.selector import Selector
from remix_utils.models import smollm2
from remix_utils.models.gpt2_small import is_gpt2_small
from remix_utils.tasks import ioi

start_at("d5.3")  # to catch up: start_at("d5.3.5") defines every name that later cells use
# %% [markdown]
# The setup is the same as in part 1, with different prompts. `both` holds the tokens of each prompt and of its ABC version, the same sentence about three other people. The two differ in their names alone. So patching a path has no effect unless the path carries information about the names or about the repetition of one.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
is_gpt2 = is_gpt2_small(model)  # published figures are shown beside GPT-2-small only
encode = model.tokenizer.encode
words = {"names": ioi.names(encode), "places": ioi.places(encode), "objects": ioi.objects(encode)}
each = 4 if "REMIX_FULL" in os.environ else 1  # prompts of every template in each order
clean = ioi.balanced(each, seed=3, **words)
data = ioi.dataset(clean, encode, pad=0)
seq, rows = data["tokens"].shape[1], torch.arange(len(data))
graph = split(model.graph(seq=seq, mask=True), "blocks.*.attn_out", "head")
difference = circuits.logit_difference(graph)
other = placeholder("other.tokens", (seq,), torch.long)
both = data.columns | {"other.tokens": ioi.dataset(clean.abc(seed=3), encode, pad=0)["tokens"]}
heads = list(circuits.head_outputs(graph))  # all heads, as (layer, head)
full_run, nan = {}, float("nan")

Head = tuple[int, int]
print(f"{model.name}: {len(heads)} heads, {len(data)} prompts of {seq} tokens")
# %%
def report(name: str, values: torch.Tensor, more: str = "") -> None:
    """Prints the mean of values [rows] with both errors, and keeps all three for the full run."""
    mean, over_prompts = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, data["template"]).se
    full_run[f"paths.{name}"] = (float(mean), float(over_prompts), float(over_templates))
    print(f"{name:40}{mean:6.2f} ± {over_prompts:.2f} ± {over_templates:.2f}{more}")


def outputs_of(chosen: list[Head]) -> Selector:
    """Returns a selector of what some heads write."""
    return at({f"blocks.{layer}.attn.head.{head}.out" for layer, head in chosen})


def inputs_of(chosen: list[Head], sides: str) -> Selector:
    """Returns a selector of the queries, keys or values (`sides`, such as "q" or "qk") of heads."""
    names = [f"blocks.{layer}.attn.head.{head}" for layer, head in chosen]
    return at({f"{name}.{side}" for name in names for side in sides})


HEADS = at("*.attn.head.*.out")
BLOCKS = HEADS | at("*.mlp_out")  # everything that blocks add to the stream
# %% [markdown]
# Each line of a report has a value, its standard error over prompts, and its standard error over templates. Values are in logits, except for the copy scores of d5.3.5, which are shares.
#
# ## d5.3.1 The direct path
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# ![A head is computed twice, on the prompt and on its ABC version. The head on the prompt has arrows to other heads and MLPs, and to the logits. The head on ABC has one arrow, to the queries of the name movers. From these queries an arrow goes on to the logits.](diagram:path_patch)
#
# A head's output stays in the residual stream. Every later head and MLP reads it, and so does the unembedding. The path patch in the picture changes the input of a single reader. The queries of some heads read the sender's output on ABC, and all other readers get the sender's output on the prompt.
#
# The shortest path from a head to the logits goes through the stream and the final norm only. It passes no other head and no MLP. How do you select this path? A selector such as `outputs_of([(2, 1)])` covers every path from the logits down to that node. With `.avoiding(...)` it keeps only the paths that pass none of the given nodes on the way. The end of the path doesn't count as on the way.
#
# Write `direct`, which takes a selector of any part of the model. It returns a selector of the same part along only those paths that pass no other head's output and no MLP's output. `BLOCKS` selects both kinds of output. The check uses small random models.
#
# Stuck? `hint("d5.3.1")`
# %% exercise="d5.3.1"
def direct(part: Selector) -> Selector:
    """The part, reached through the residual stream and norms alone."""
    ### BEGIN SOLUTION
    return part.avoiding(BLOCKS)
    ### END SOLUTION
# %% check="d5.3.1" points=1
check("d5.3.1", direct)
# %% [markdown]
# *Learned*: to patch a path, hand its selector to `path_patch`. The selector determines which readers get their input from the other prompt.
# %% [markdown]
# ## d5.3.2 A sweep in one evaluation
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# Which heads of the model write the answer? To find out, you need one patched graph for each head. These graphs are nearly identical, since all of them contain the clean run and the run on ABC. If you evaluate all graphs together, each shared value is computed once.
#
# Write `falls`. `ways` is a dict from names to selectors of paths. For each name, `falls` returns how far the logit difference falls in each row [rows], clean minus patched. In the patched graph, everything that flows along the selected paths is computed from the node `other`, which replaces the input `"tokens"`. Pass all patched graphs to one call of `evaluate`. The check counts how often the model runs.
#
# Stuck? `hint("d5.3.2")`
# %% exercise="d5.3.2"
def falls(difference: Node, ways: dict, other: Node, inputs: dict) -> dict:
    """The fall of the difference [rows] if one path reads the other tokens, for each path."""
    ### BEGIN SOLUTION
    graphs = [path_patch(difference, way, {"tokens": other}) for way in ways.values()]
    before, *after = evaluate([difference, *graphs], inputs)
    return {name: before - values for name, values in zip(ways, after, strict=True)}
    ### END SOLUTION
# %% check="d5.3.2" points=2
check("d5.3.2", falls)
# %% [markdown]
# Now sweep over all heads. We call an effect *sure* if its mean is above three standard errors over prompts and above 2 % of the logit difference. `largest` returns up to six senders with the largest sure effects. How many heads have a sure direct effect, in either direction?
# %%
predict("d5.3.p1", ..., "how many heads of this model have a sure direct effect of 2 % or more")
# %%
base = evaluate(difference, data)
took = {}  # CPU seconds of each sweep


def sweep(name: str, ways: dict) -> dict:
    """Returns `falls` of these paths, and keeps the time that they take."""
    print(f"{len(ways)} path patches of {model.name}; this takes up to 20 seconds.")
    start = time.process_time()
    found = falls(difference, ways, other, both)
    took[name] = time.process_time() - start
    return found


def largest(effects: dict, sign: int = 1, most: int = 6) -> list:
    """Returns up to `most` senders whose effect is above 3 errors and 2 % of the difference."""
    sure = {}
    for name, values in effects.items():
        mean, se = circuits.Estimate.over_rows(sign * values)
        if mean > 3 * se and mean > 0.02 * abs(base.mean()):
            sure[name] = float(mean)
    return sorted(sure, key=lambda name: -sure[name])[:most]


def listed(chosen: list[Head]) -> str:
    """Returns heads as text, such as `2.0 2.1`, or `none`."""
    return " ".join(f"{layer}.{head}" for layer, head in chosen) or "none"
# %%
to_logits = sweep("logits", {head: direct(outputs_of([head])) for head in heads})
positive, negative = largest(to_logits), largest(to_logits, sign=-1)
sure = len(largest(to_logits, most=len(heads))) + len(largest(to_logits, -1, len(heads)))
measured("d5.3.p1", sure)
report("model", base)
print(f"\n{sure} of {len(heads)} heads have a sure effect; up to six of each sign:")
for layer, head in [*positive, *negative]:
    report(f"direct.{layer}.{head}", to_logits[layer, head])
rest = [values for head, values in to_logits.items() if head not in [*positive, *negative]]
report("direct.all others", sum(rest, torch.zeros(len(data))))
if is_gpt2:
    print("published for GPT-2-small: 9.9 9.6 10.0, and negative 10.7 11.10 (Wang et al. 2022)")
if not negative:
    print(f"{model.name} has no head with a sure negative effect")
if not positive:
    print("no head has a sure positive effect; the last two heads serve as an example")
    positive = heads[-2:]
means = torch.stack([values.mean() for values in to_logits.values()])
plot.heads(means.reshape(-1, model.config["n_heads"]), "Direct effect of each head", "logits")
# %% [markdown]
# **What you should see**: a few late heads with a sure effect, and nearly all others close to 0. If the fall is positive, the head *raises* the difference on the prompt, compared with ABC. We call a head with a negative fall a *negative head*, since it works against the answer. The line "all others" is the sum over all heads that the list leaves out. The listed effects needn't add up to the model's difference. MLPs are not part of this sweep, and the final norm changes a little with each patch.
#
# What this doesn't show: each prompt is compared with a single ABC prompt, and a head may also write one of the ABC names. Prompts of one template resemble each other, so read the error over templates too before you trust a small effect. And a direct effect contains nothing of a head's effect on later heads.
#
# *Learned*: patched graphs share almost all of their computation if they're evaluated together. d5.3.9 measures the saving.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "If a head's direct effect is 0, what may it still do?" Explain to each other why replacing a head's output with its output on ABC isn't the same as setting it to zero. *Alone:* suppose that all effects are noise. Work out how many heads of this model would then pass the limit of three errors.
# %% [markdown]
# ## d5.3.3 Up with one, or down with the other?
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# A difference of two logits grows if the IO's logit rises, and also if the logit of S falls. Are all positive heads name movers, which raise the IO? The difference alone can't answer that. So compare each of the two names with the average name. A head that writes "some name" raises all names alike, and subtracting their mean removes this common part.
#
# Write `above_mean`. `written` [rows, names] holds the head's contribution to the logit of each name. `io` and `s` [rows] are the columns of the two names in each row. `above_mean` returns two tensors [rows], the head's contribution to the IO minus the mean over all names, and the same for S. The mean includes the IO and S themselves.
#
# Stuck? `hint("d5.3.3")`
# %% exercise="d5.3.3"
def above_mean(
    written: torch.Tensor, io: torch.Tensor, s: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The contributions to IO and to S, each minus the mean over all names, two tensors [rows]."""
    ### BEGIN SOLUTION
    above = written - written.mean(1, keepdim=True)
    rows = torch.arange(len(written))
    return above[rows, io], above[rows, s]
    ### END SOLUTION
# %% check="d5.3.3" points=2
check("d5.3.3", above_mean)
# %%
tokens_of_names = torch.tensor([encode(f" {name}")[-1] for name in words["names"]])
column = {}  # where the two names of each row stand among all names
for role in ("IO", "S"):
    is_name = data[f"token.{role}"][:, None] == tokens_of_names
    column[role] = is_name.int().argmax(1)


def on_names(node: Node) -> Node:
    """Returns what a node adds to the logits of all names at END [names], at the clean scale."""
    return index(circuits.direct_logits(graph, node), (-1, tokens_of_names))


def job(io: torch.Tensor, s: torch.Tensor) -> str:
    """Returns what a head does most: it raises or lowers one of the two names [rows]."""
    sizes = {name: circuits.Estimate.over_rows(values) for name, values in (("IO", io), ("S", s))}
    name = max(sizes, key=lambda name: abs(sizes[name].mean))
    mean, se = sizes[name]
    if abs(mean) < 3 * se:
        return "neither"
    return f"raises {name}" if mean > 0 else f"lowers {name}"
# %%
writers = [*positive, *negative]
outputs = circuits.head_outputs(graph)
written = evaluate({head: on_names(outputs[head]) for head in writers}, data)
written_io, written_s, jobs = {}, {}, {}
for layer, head in writers:
    io, s = above_mean(written[layer, head], column["IO"], column["S"])
    written_io[layer, head], written_s[layer, head], jobs[layer, head] = io, s, job(io, s)
    report(f"writes.{layer}.{head}.IO", io, f"   {jobs[layer, head]}")
    report(f"writes.{layer}.{head}.S", s)
# %% [markdown]
# **What you should see**: the words at the end of a line name the larger of the two contributions, or "neither" if the larger one is below three errors. A head that "lowers S" raises the difference without copying the right name. GPT-2's name movers raise the IO, and its negative heads lower it (Wang et al. 2022). If one of your model's positive heads lowers S, the description "name movers copy the IO" doesn't cover all of the direct effects. These are contributions on the prompt alone, so IO minus S needn't equal the direct effect, which compares the prompt with ABC.
#
# *Learned*: a logit difference can rise because the IO rises or because S falls. Compare each of them with the mean over names to see which.
# %% [markdown]
# ## d5.3.4 Attention against writing
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · core
#
# Does a head write the name that it attends to? If it does, then it should raise a name more in those prompts in which it attends more to that name. Wang et al. (2022) plot one against the other, with two points for each prompt, one for the IO and one for S.
#
# Write `follows`. `attention` and `written` are dicts with the keys `"IO"` and `"S"`, each [rows]. It returns the correlation between attention and writing over the points of both names together. `torch.corrcoef` takes a stack of two rows and returns a matrix, in which the entry [0, 1] is their correlation.
#
# Stuck? `hint("d5.3.4")`
# %% exercise="d5.3.4"
def follows(attention: dict[str, torch.Tensor], written: dict[str, torch.Tensor]) -> float:
    """The correlation of attention and writing over both names of all prompts."""
    ### BEGIN SOLUTION
    points = [torch.cat([values["IO"], values["S"]]) for values in (attention, written)]
    return float(torch.corrcoef(torch.stack(points))[0, 1])
    ### END SOLUTION
# %% check="d5.3.4" points=1
check("d5.3.4", follows)
# %% [markdown]
# What's the correlation for the head with the largest direct effect?
# %%
predict("d5.3.p2", ..., "correlation of attention and writing, for the strongest positive head")
# %%
def at_end(chosen: list[Head]) -> dict[Head, dict[str, torch.Tensor]]:
    """Returns the attention from END to each role [rows], by head."""
    names = {head: "blocks.{}.attn.head.{}.pattern".format(*head) for head in chosen}
    patterns = {head: index(find_one(graph, name), -1) for head, name in names.items()}
    found = {}
    for head, pattern in evaluate(patterns, data).items():
        found[head] = {role: pattern[rows, data[f"position.{role}"]] for role in ("IO", "S1", "S2")}
        found[head]["S"] = found[head]["S1"] + found[head]["S2"]
    return found


seen = at_end(writers)
print("head       attention from END to IO, S1, S2    correlation with writing")
correlation = {}
for layer, head in writers:
    attended = {name: seen[layer, head][name] for name in ("IO", "S")}
    added = {"IO": written_io[layer, head], "S": written_s[layer, head]}
    correlation[layer, head] = follows(attended, added)
    shares = "  ".join(f"{seen[layer, head][role].mean():.2f}" for role in ("IO", "S1", "S2"))
    print(f"{layer}.{head:<6} {shares:>27} {correlation[layer, head]:22.2f}   {jobs[layer, head]}")
    for role in ("IO", "S2"):
        share = circuits.Estimate.over_rows(seen[layer, head][role])
        spread = circuits.Estimate.over_groups(seen[layer, head][role], data["template"]).se
        full_run[f"paths.attention.{layer}.{head}.{role}"] = tuple(map(float, (*share, spread)))
measured("d5.3.p2", correlation[positive[0]])
# %%
shown = positive[0]
texts = [f"{prompt.IO}, {prompt.order}" for prompt in clean]
texts += [f"{prompt.S1}, {prompt.order}" for prompt in clean]
plot.scatter(
    torch.cat([seen[shown]["IO"], seen[shown]["S"]]),
    torch.cat([written_io[shown], written_s[shown]]),
    texts, f"Head {listed([shown])}: two points a prompt", "attention from END", "written, logits",
    groups=["IO"] * len(data) + ["S"] * len(data),
)
# %% [markdown]
# **What you should see**: for a head that copies, the points lie along a rising line, and the correlation is well above 0. For a head that lowers the name it attends to, they lie along a falling line. A head whose attention to both names is near 0 can still write a name, since an earlier head may have moved that name to the position that the head attends to. Its correlation means little.
#
# The correlation is given without an error. Each prompt gives two points, and attention to one name leaves less for the other, so the points aren't independent. If two heads differ by a few hundredths, don't rank them.
#
# *Learned*: attention shows the position that a head reads. The sign of the correlation shows whether the head raises or lowers the name at that position.
#
# > **Pair card.** Swap. The navigator asks: "Could a head attend to S2 all the time and still raise the IO?" Explain to each other what a correlation of −1 would mean for a head with a *positive* direct effect. *Alone:* take the head that attends most to the IO, find the prompt in which it does so least, and read that prompt.
# %% [markdown]
# ## d5.3.5 Does it copy?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# A correlation between attention and writing is not yet evidence that the head *copies*. For a direct test, make the head attend to the IO alone, and see whether its output raises that name above the others. This tests the OV circuit separately from the attention pattern.
#
# Write `attending`. It returns the node of one head's output, in which the head's own attention pattern is replaced by `pattern`, a node [query, key]. The head's values and all earlier heads stay as they are. For head 2.1 the two nodes are called `blocks.2.attn.head.1.pattern` and `blocks.2.attn.head.1.out`.
#
# Stuck? `hint("d5.3.5")`
# %% exercise="d5.3.5"
def attending(graph: Node, head: Head, pattern: Node) -> Node:
    """One head's output [seq, d_model], if its attention is `pattern`."""
    ### BEGIN SOLUTION
    name = "blocks.{}.attn.head.{}".format(*head)
    old, output = find_one(graph, f"{name}.pattern"), find_one(graph, f"{name}.out")
    return replace(output, {old: pattern})
    ### END SOLUTION
# %% check="d5.3.5" points=2
check("d5.3.5", attending)
# %% [markdown]
# The *copy score* is the share of prompts in which the IO is among the five names that the head then raises most. For a negative head, we count the five names that it lowers most. The score of a random ranking is 5 divided by the number of names. Wang et al. (2022) rank all tokens of the vocabulary instead, and compute the head's values from the stream after the first MLP.
# %%
forced = placeholder("all.to.IO", (seq, seq))
to_io = torch.zeros(len(data), seq, seq)
to_io[rows, :, data["position.IO"]] = 1
print(f"Copy scores of all {len(heads)} heads of {model.name}; this takes up to 15 seconds.")
raised = {head: on_names(attending(graph, head, forced)) for head in heads}
raised = evaluate(raised, data.columns | {"all.to.IO": to_io})


def copied(head: Head, sign: int = 1) -> torch.Tensor:
    """Returns whether IO is among the five names that a head raises (or lowers) most [rows]."""
    best = (sign * raised[head]).topk(5, dim=1).indices
    return (best == column["IO"][:, None]).any(1).double()


print(f"by chance {5 / len(tokens_of_names):.2f}")
for sign, word in ((1, "up"), (-1, "down")):
    chosen = [head for head in writers if (head in negative) == (sign < 0)]
    for layer, head in chosen:
        scores = copied((layer, head), sign)
        report(f"copies {word}.{layer}.{head}", scores, f"   {jobs[layer, head]}")
    average = torch.stack([copied(head, sign) for head in heads if head not in writers]).mean(0)
    report(f"copies {word}.all others", average)
if is_gpt2:
    print("published for GPT-2-small: movers above 0.95, negative 0.98, an average head below 0.20")
# %% [markdown]
# **What you should see**: compare each head with the line "all others", which is the mean over the heads that aren't listed. A head that copies has a score far above that mean. A negative head that lowers the IO may have a high score in the other direction. It attends to the same name and lowers it, which McDougall et al. (2023) call *copy suppression*. A head that lowers S, or a negative head that raises S, can have any score here, even one below chance. The score measures the head's output when it attends to the IO, and such a head usually attends elsewhere.
#
# What this doesn't show: a score of 0 or 1 has a standard error of 0, and that isn't certainty. If all n prompts agree, a true share that differs by up to 3/n is still plausible.
#
# *Learned*: to test a head's OV circuit by itself, fix the attention pattern and read the output.
# %% [markdown]
# ## d5.3.6 Into the queries
# ●●●○○ difficulty · ●●●●● importance · 11 minutes · core
#
# Why do the name movers attend to the IO and not to S? Their pattern at END depends on their query at END. So the next receivers are the *queries* of the movers. A second sweep finds the earlier heads whose outputs these queries depend on.
#
# Write `into`. `way` is a selector of paths from the logits to the outputs of some heads, such as `direct(outputs_of(movers))`. `into` continues these paths to the inputs of `receivers`, which `inputs_of(receivers, sides)` selects, and passes no other head and no MLP. `way >> lower` selects the paths that follow `way` and go on from its end to a node of `lower`.
#
# Stuck? `hint("d5.3.6")`
# %% exercise="d5.3.6"
def into(way: Selector, receivers: list[Head], sides: str) -> Selector:
    """The paths `way`, continued to the queries, keys or values of the receivers."""
    ### BEGIN SOLUTION
    return way >> direct(inputs_of(receivers, sides))
    ### END SOLUTION
# %% check="d5.3.6" points=2
check("d5.3.6", into)
# %% [markdown]
# We take as movers the positive heads whose attention from END to the IO is above 0.1 and above their attention to S2. `to_queries` selects the paths from the logits to their queries. One more step, `>> direct(...)`, leads to a sender.
#
# How large is the effect of the strongest sender, in per cent of the logit difference?
# %%
predict("d5.3.p3", ..., "effect of the strongest sender, per cent of the difference")
# %%
movers = [
    head for head in positive
    if head[0] and seen[head]["IO"].mean() > max(0.1, seen[head]["S2"].mean())
]
if not movers:
    print("no positive head attends to IO most; all positive heads serve as an example")
    movers = [head for head in positive if head[0]] or heads[-2:]
print(f"name movers: {listed(movers)}")
last = max(layer for layer, _ in movers)
to_queries = into(direct(outputs_of(movers)), movers, "q")
senders = [head for head in heads if head[0] < last]
queries = sweep("queries", {head: to_queries >> direct(outputs_of([head])) for head in senders})
inhibition, against = largest(queries, most=3), largest(queries, sign=-1, most=2)
strongest = max(queries, key=lambda head: queries[head].mean())
measured("d5.3.p3", 100 * queries[strongest].mean() / base.mean())
sure = len(largest(queries, most=len(heads)))
print(f"\n{sure} of {len(senders)} earlier heads have a sure positive effect; up to three:")
for layer, head in [*inhibition, *against]:
    report(f"queries.{layer}.{head}", queries[layer, head])
rest = [queries[head] for head in senders if head not in [*inhibition, *against]]
report("queries.all others", sum(rest, torch.zeros(len(data))))
if is_gpt2:
    print("published for GPT-2-small: 7.3 7.9 8.6 8.10 (Wang et al. 2022)")
if not inhibition:
    print("no head has a sure effect; the strongest one serves as an example")
    inhibition = [strongest]
# %% [markdown]
# Where do these heads attend from END? And how much of a head's whole effect goes through the movers' queries? For each head, compare three numbers. The first is the path that you just patched, with all other connections at their clean values. For the second, everything after the movers' queries is computed again. The third patches the whole head, for all its readers.
# %%
seen_by = at_end(inhibition)
ways = {}
for head in inhibition:
    part = outputs_of([head])
    ways["queries, all that follows", head] = inputs_of(movers, "q") >> direct(part)
    ways["whole head", head] = part
whole = falls(difference, ways, other, both)
for layer, head in inhibition:
    shares = [f"{role} {seen_by[layer, head][role].mean():.2f}" for role in ("IO", "S1", "S2")]
    print(f"\n{layer}.{head} attends from END to {', '.join(shares)}")
    report(f"queries.{layer}.{head}", queries[layer, head], "   through the movers' queries alone")
    followed = whole["queries, all that follows", (layer, head)]
    report(f"queries onward.{layer}.{head}", followed, "   with all later parts computed again")
    report(f"whole.{layer}.{head}", whole["whole head", (layer, head)], "   for all readers")
# %% [markdown]
# **What you should see**: if the model has this stage, a few heads with an effect far above all others. The cell lists at most three, so read the count above the list too. Wang et al. (2022) found such heads attending from END to S2. They're called *S-inhibition heads*, because they lower the movers' attention to S. If the second number is smaller than the first by more than their errors, later heads and MLPs compensate for a part of the loss. If the third number differs from the second by more than their errors, the head acts through other readers too.
#
# What this doesn't show: an effect on the queries doesn't identify the *information* that they receive. It may be the name of S or its position. Part 4 separates the two, and part 5 tests both as claims. MLPs between sender and receiver keep their clean values here. And the keys of the movers are still untested.
#
# *Learned*: once you have the heads that write the answer, patch paths into their queries to find the heads that control where they attend.
#
# > **Pair card.** Swap. The navigator asks: "Why the queries and not the keys? Which keys would you patch, and at which position?" Explain to each other the difference between the first and the second number. *Alone:* write the selector for the paths into the movers' keys, and predict which heads a sweep would find.
# %% [markdown]
# ## d5.3.7 A chain of any length
# ●●●○○ difficulty · ●●●●○ importance · 11 minutes · core
#
# The next step back starts at the S-inhibition heads, which change the movers' queries. Does their effect depend on *where* they attend, through their queries and keys, or on *what* they read there, through their values?
#
# Write `chain`, which takes a list of stages, from the logits backwards. A stage is a list of heads and the side of these heads (`"q"`, `"k"`, `"v"` or several letters) that the chain goes into. `chain([(movers, "q"), (inhibition, "v")])` goes from the logits directly to the movers' outputs and into their queries. From there it goes directly to the outputs of the S-inhibition heads and into their values. There may be one stage or more. Use `direct` and `into`.
#
# Stuck? `hint("d5.3.7")`
# %% exercise="d5.3.7"
def chain(stages: list[tuple[list[Head], str]]) -> Selector:
    """The paths from the logits through the inputs of each stage's heads, to those of the last."""
    ### BEGIN SOLUTION
    way = None
    for chosen, sides in stages:
        part = direct(outputs_of(chosen))
        way = into(part if way is None else way >> part, chosen, sides)
    return way
    ### END SOLUTION
# %% check="d5.3.7" points=2
check("d5.3.7", chain)
# %% [markdown]
# Patch each of the three sides alone, and then all three together. What share of the joint effect do the values give when they're patched alone?
# %%
predict("d5.3.p4", ..., "what the values carry, per cent of all three sides together")
# %%
ways = {side: chain([(movers, "q"), (inhibition, side)]) for side in ("q", "k", "v", "qkv")}
sides = falls(difference, ways, other, both)
for side, values in sides.items():
    report(f"inhibition.{side}", values)
measured("d5.3.p4", 100 * sides["v"].mean() / sides["qkv"].mean())
# %% [markdown]
# The three sides needn't add up, since queries and keys act together in the softmax. The joint effect needn't equal the sum of the single heads' effects in d5.3.6 either, since the movers' softmax takes in all of these heads at once. And a fall can be larger than the model's difference. The patched model then prefers S on average.
#
# Now sweep over the senders into the values. Not all of them are heads, since the embedding and the MLPs also write to the stream.
# %%
to_values = chain([(movers, "q"), (inhibition, "v")])
last = max(layer for layer, _ in inhibition)
parts = {head: outputs_of([head]) for head in heads if head[0] < last}
parts |= {"embedding": at("embed") | at("pos_embed")}
if model.config["d_mlp"] and last:
    parts |= {f"MLP {layer}": at(f"blocks.{layer}.mlp_out") for layer in range(last)}
feeding = sweep("values", {name: to_values >> direct(part) for name, part in parts.items()})
strong = largest(feeding, most=8)
for name in dict.fromkeys([*strong, *largest(feeding, sign=-1, most=3), "embedding"]):
    report(f"values.{listed([name]) if name in heads else name}", feeding[name])
feeders = [name for name in strong if name in heads]
mlps = [name for name in parts if str(name).startswith("MLP")]
earlier = [name for name in parts if name in heads]
for kind, members in {"heads": earlier, "MLPs": mlps}.items():
    if members:
        report(f"values.all {kind}", sum(feeding[name] for name in members))
    else:
        print(f"{model.name} has no {kind} before its S-inhibition heads")
# %% [markdown]
# An MLP reads the stream at its own position only. If an MLP appears in the list, any information from other words came to its position through heads. So the next cell asks which heads the strongest MLP depends on. A line such as `values.MLP 4.2.1` is the effect of head 2.1 through MLP 4.
# %%
strong_mlps = [name for name in strong if name in mlps]
if strong_mlps:
    layer = int(strong_mlps[0].split()[1])
    to_mlp = to_values >> direct(at(f"blocks.{layer}.mlp_out"))
    before = [head for head in heads if head[0] <= layer]
    print(f"{len(before)} heads into MLP {layer} of {model.name}; this takes up to 20 seconds.")
    ways = {head: to_mlp >> direct(outputs_of([head])) for head in before}
    through = falls(difference, ways, other, both)
    for head in [*largest(through, most=4), *largest(through, sign=-1, most=2)]:
        report(f"values.MLP {layer}.{listed([head])}", through[head])
    report(f"values.MLP {layer}.all heads", sum(through.values()))
else:
    print("no MLP has a sure effect on these values")
# %% [markdown]
# **What you should see**: look at the embedding first. If it accounts for nearly all of the effect, the S-inhibition heads read the *word* at the position that they attend to, and their values need no head that detects the repetition. If heads account for it, the values depend on information that these heads wrote at the positions in question. At S2, such heads may have compared S2 with S1. d5.3.8 tests two kinds of heads that could.
#
# Then compare the largest head with the line "all heads". If this sum is much larger, the effect is spread over many heads. A sum of single effects ignores interactions between the senders. If an MLP has a large effect, it belongs to the circuit as much as a head does, and the heads that feed it are listed below.
#
# *Learned*: a chain measures the direct connections of a circuit one at a time. Report the sum over all senders beside the largest ones.
# %% [markdown]
# ## d5.3.8 The early heads
# ●●●○○ difficulty · ●●●●○ importance · 11 minutes · core
#
# Which early heads could detect that S2 repeats a name? You met three candidates on day 2. A *duplicate-token head* attends from S2 back to S1. An *induction head* attends from S2 to the word after S1. It depends on a *previous-token head*, which attends from the word after S1 to S1.
#
# Write `pairs`. `query` and `key` [rows] hold one position each for every row. `pairs` returns a tensor of booleans [rows, seq, seq], which is true at that one pair of query and key in each row. `circuits.attention_to(graph, data, pairs(...))` then measures how much each head attends from that query to that key.
#
# Stuck? `hint("d5.3.8")`
# %% exercise="d5.3.8"
def pairs(query: torch.Tensor, key: torch.Tensor, seq: int) -> torch.Tensor:
    """True at one (query, key) in each row, [rows, seq, seq]."""
    ### BEGIN SOLUTION
    found = torch.zeros(len(query), seq, seq, dtype=torch.bool)
    found[torch.arange(len(query)), query, key] = True
    return found
    ### END SOLUTION
# %% check="d5.3.8" points=1
check("d5.3.8", pairs)
# %%
print(f"Attention of all heads of {model.name}; this takes up to 40 seconds.")
s1, s2 = data["position.S1"], data["position.S2"]
asked = {"duplicate": (s2, s1), "induction": (s2, s1 + 1), "previous": (s1 + 1, s1)}
detectors = {
    "duplicate": circuits.duplicate_token, "induction": circuits.prefix_matching,
    "previous": circuits.previous_token,
}
on_prompts, on_random = {}, {}
for kind, (query, key) in asked.items():
    on_prompts[kind] = circuits.attention_to(graph, data, pairs(query, key, seq))
    on_random[kind] = detectors[kind](model)
# %%
latest = max((layer for layer, _ in feeders), default=last - 1)
early = {}
for kind, (mean, se) in on_prompts.items():
    best = sorted(heads, key=lambda head: -mean[head])
    early[kind] = [head for head in best if mean[head] > 0.4 and head[0] <= latest][:6]
    print(f"{kind}: the median of all heads is {mean.median():.2f}")
    if not early[kind]:
        print("   no head above 0.4 that is early enough")
    for layer, head in early[kind]:
        name, random = f"{layer}.{head}", on_random[kind]
        full_run[f"paths.{kind}.{name}"] = (*map(float, (mean[layer, head], se[layer, head])), nan)
        on_these = f"{mean[layer, head]:.2f} ± {se[layer, head]:.2f}"
        on_repeated = f"{random.mean[layer, head]:.2f} ± {random.se[layer, head]:.2f}"
        print(f"   {name:6}on prompts {on_these}   on repeated random tokens {on_repeated}")
if is_gpt2:
    print("published: duplicate 0.1 3.0 (0.10), induction 5.5 6.9 (5.8 5.9), previous 2.2 4.11")
for head in feeders:
    scores = []
    for kind in asked:
        on_these, random = on_prompts[kind].mean[head], on_random[kind].mean[head]
        scores.append(f"{kind} {on_these:.2f} ({random:.2f})")
    print(f"{listed([head])} feeds the values; on prompts (on repeated random tokens): {', '.join(scores)}")
# %% [markdown]
# The list holds up to six heads of each kind. A head with the right attention pattern need not be part of the circuit. So patch the paths from each *group* into the S-inhibition heads' values, in two versions. In the first version, MLPs on the way keep their clean values. In the second one they are computed again ("MLPs react"). Each group is compared with a group of random heads from the same layers.
# %%
def with_mlps(way: Selector, part: Selector) -> Selector:
    """Returns the paths continued to a part, through MLPs too but through no other head."""
    return way >> part.avoiding(HEADS)


def beside(chosen: list[Head], seed: int) -> list[Head]:
    """Returns as many random heads of the same layers, none of which is an early head."""
    taken, drawn = {head for found in early.values() for head in found}, []
    order = torch.randperm(len(heads), generator=torch.Generator().manual_seed(seed)).tolist()
    for layer, _ in chosen:
        for head in [heads[place] for place in order]:
            if head[0] == layer and head not in taken:
                drawn.append(head)
                taken.add(head)
                break
    return drawn


ways = {}
for kind in ("duplicate", "induction"):
    for name, chosen in {kind: early[kind], f"random for {kind}": beside(early[kind], 3)}.items():
        if chosen:
            ways[f"{name}, direct"] = to_values >> direct(outputs_of(chosen))
            ways[f"{name}, MLPs react"] = with_mlps(to_values, outputs_of(chosen))
if early["induction"] and early["previous"]:
    to_keys = chain([(movers, "q"), (inhibition, "v"), (early["induction"], "k")])
    ways["previous, induction keys"] = with_mlps(to_keys, outputs_of(early["previous"]))
if ways:
    print(f"{len(ways)} groups of heads of {model.name}; this takes up to 20 seconds.")
    for name, values in falls(difference, ways, other, both).items():
        report(f"early.{name}", values)
else:
    print(f"{model.name} has no duplicate-token or induction heads that are early enough")
# %% [markdown]
# **What you should see**: compare the two kinds of heads with each other and with the random heads. The second line of a pair may be larger or smaller than the first, since an MLP can pass the signal on and can also cancel a part of it. An effect that random heads have too is no evidence for these heads. If your model has no such heads, look again at the embedding's line in d5.3.7.
#
# What this doesn't show: the threshold of 0.4 and the limit of six heads are choices, and a head below the threshold may still feed the values. The random group is a single draw, so its error covers the prompts and not the choice of heads. The previous-token heads are patched along one chain only, through the induction heads' keys, and without random heads beside them.
#
# *Learned*: a detector finds heads with a certain attention pattern. A path patch tests whether the circuit uses their outputs.
#
# > **Pair card.** Swap. The navigator asks: "Which heads have a high score on random tokens and a low one on prompts, or the other way round?" Explain to each other why the outputs of a duplicate-token head and of an induction head can carry the same information. *Alone:* draw the circuit of your model, with one arrow for each sweep of this part, and write the effect and its errors beside the arrow.
# %% [markdown]
# ## d5.3.9 ★ What would hooks have cost?
# ●●○○○ difficulty · ●●●○○ importance · 6 minutes · ★
#
# Your three large sweeps went into the logits, the movers' queries and the S-inhibition heads' values. How long would they take with hooks on an ordinary model? You would first run the model once on the prompts and once on ABC, and keep all activations. These two runs serve every sweep. After that, a sender into the logits takes one more pass, with all other parts held at their clean values. A sender into any other receiver takes two passes. The first computes the receivers' new input, and the second carries its effect on to the logits.
#
# Write `passes`. It takes a list of sweeps on the same prompts, each a pair of the number of senders and the receiver's name. The receiver is `"logits"`, or inputs of heads such as `"queries"`, `"keys"` or `"values"`. `passes` returns the number of forward passes of all sweeps together, with the two first runs.
#
# Stuck? `hint("d5.3.9")`
# %% exercise="d5.3.9"
def passes(sweeps: list[tuple[int, str]]) -> int:
    """The number of forward passes that hooks take for some sweeps on the same prompts."""
    ### BEGIN SOLUTION
    each = [senders * (1 if receiver == "logits" else 2) for senders, receiver in sweeps]
    return 2 + sum(each)
    ### END SOLUTION
# %% check="d5.3.9" points=1
check("d5.3.9", passes)
# %%
predict("d5.3.p5", ..., "how many times longer hooks would take for these three sweeps")
# %%
start = time.process_time()
evaluate(difference, data)
one_pass = time.process_time() - start
run = [(len(to_logits), "logits"), (len(queries), "queries"), (len(feeding), "values")]
hooks = passes(run) * one_pass
measured("d5.3.p5", hooks / sum(took.values()))
print(f"one pass of {model.name} on {len(data)} prompts: {one_pass:.2f} CPU s")
for (senders, receiver), seconds in zip(run, took.values(), strict=True):
    print(f"{senders} senders into the {receiver}: {seconds:.1f} CPU s")
ratio = hooks / sum(took.values())
print(f"hooks: {passes(run)} passes, about {hooks:.0f} CPU s, which is {ratio:.0f} times as long")
# %% [markdown]
# **What you should see**: hooks would take several times as long. Expect a larger factor for a deeper model, since every pass with hooks runs all layers. The factor has no error. It comes from a single timing of each sweep and of one pass of our own graph, and it varies between runs, most of all for a small model. Good code with hooks can also start a pass late or stop it early. `make bench` times both on the same machine, with hooks on the model from the transformers library.
#
# Why do the graphs share so much? Patching a direct path changes only one term of the stream's sum at END, so the patched graph needs a new norm and two logits. A path into queries also needs a new row of the receivers' patterns. All patched graphs of a sweep share the two full runs.
#
# *Learned*: in a sweep, the graph computes only the nodes that a patch changes. Plain hooks run the whole model for every patch.
# %% [markdown]
# ## d5.3.10 ★ The same by hand
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# Can you verify `path_patch`? The direct path is short enough to compute from three tensors. `stream` [rows, d_model] is the last residual stream at END on the prompt. `clean` and `elsewhere` [rows, d_model] are one head's contributions to this stream, on the prompt and on ABC. `read` takes a stream [rows, d_model] and returns the logit difference [rows], final norm included.
#
# Write `fall_by_hand`, which returns the fall of the difference [rows] without `path_patch`.
#
# Stuck? `hint("d5.3.10")`
# %% exercise="d5.3.10"
def fall_by_hand(
    stream: torch.Tensor, clean: torch.Tensor, elsewhere: torch.Tensor, read
) -> torch.Tensor:
    """The fall of the difference [rows] if one head's direct output is that of the other prompt."""
    ### BEGIN SOLUTION
    return read(stream) - read(stream - clean + elsewhere)
    ### END SOLUTION
# %% check="d5.3.10" points=1
check("d5.3.10", fall_by_hand)
# %%
end = find_one(difference, f"blocks.{model.config['n_layers'] - 1}.resid_post")
whole_stream = placeholder("whole.stream", end.shape)
reading = replace(difference, {end: whole_stream})
tokens = find_one(graph, at("tokens", op="placeholder"))
abc_outputs = circuits.head_outputs(replace(graph, {tokens: other}))


def read(stream: torch.Tensor) -> torch.Tensor:
    """Returns the logit difference that is read from a stream at END."""
    everywhere = torch.zeros(len(stream), *end.shape)
    everywhere[:, -1] = stream
    return evaluate(reading, data.columns | {"whole.stream": everywhere})


nodes = [index(end, -1)]
for head in writers:
    nodes += [index(outputs[head], -1), index(abc_outputs[head], -1)]
stream, *of_heads = evaluate(nodes, both)
for place, head in enumerate(writers):
    by_hand = fall_by_hand(stream, of_heads[2 * place], of_heads[2 * place + 1], read)
    error = (by_hand - to_logits[head]).abs().max()
    print(f"{listed([head])}: by hand {by_hand.mean():.4f}, largest error in a row {error:.0e}")
# %% [markdown]
# *Learned*: a path patch of a direct path replaces one term of the stream before the final norm. The result by hand agrees with `path_patch` up to rounding.
# %% [markdown]
# ## The full run
#
# This notebook took one prompt of each template in each order. For the full run, the same code took four of each. Its figures ship with the course, and this cell prints them if you run SmolLM2.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
for name, (value, over_prompts, over_templates) in stored.items():
    if name.startswith("paths."):
        errors = f"± {over_prompts:.2f} over prompts, ± {over_templates:.2f} over templates"
        print(f"{name:40}{value:6.2f} {errors}")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# Answer from memory, without scrolling up. Give a number or one of the listed options in `recall = {"sign": ..., "side": ..., "copy": ..., "frozen": ...}`.
# - `sign`. A head's direct path reads ABC, and clean minus patched is −1. Does the head `"raise"` or `"lower"` the difference on the prompt?
# - `side`. The sweep that found the S-inhibition heads went into one side of the name movers. Was it `"queries"`, `"keys"` or `"values"`?
# - `copy`. With 100 names, which copy score does a head have on average if it ranks the names at random?
# - `frozen`. If you patch a direct path, does an MLP between sender and receiver `"react"`, or does it `"stay"` at its clean value?
#
# Stuck? `hint("d5.3.quiz")`
# %% exercise="d5.3.quiz"
### BEGIN SOLUTION
recall = {"sign": "lower", "side": "queries", "copy": 0.05, "frozen": "stay"}
### END SOLUTION
# %% check="d5.3.quiz" points=2
check("d5.3.quiz", recall)
# %%
predictions("d5")
# %% [markdown]
# ## What you have
#
# You have followed a chain from the logits back to the early heads or to the words, with an effect and two errors for each connection. Each effect was measured with most of the model at its clean values. Part 4 tests the circuit as a whole, by removing its parts.
