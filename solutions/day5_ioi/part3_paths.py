# %% [markdown]
# # Day 5, part 3: along the paths
#
# **Which heads write the answer, which heads tell them where to attend, and where does that come from?**
#
# A patch of a whole head changes everything that reads it. If the difference falls, you know that the head matters, and you don't know to what. Path patching changes a single connection (Wang et al. 2022, Goldowsky-Dill et al. 2023). In this part you start at the logits and walk backwards. First come the heads that write the answer, then the heads that those depend on for their queries, then the heads that feed these. Each step is a sweep over all heads of the model.
#
# **After this part you can**
# - name a path by a selector, from the logits back to a head;
# - sweep over all heads in one evaluation, and say which effects are sure;
# - tell a head that raises the right name from a head that lowers the wrong one;
# - compare where a head attends with what it writes, and test whether it copies;
# - follow a chain into the queries of one group of heads and the values of another;
# - say what the same sweeps would cost with hooks.
#
# **Time**: about 70 minutes without the ★ exercise. The cells that compute take about two minutes with SmolLM2.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), sections 3.1 to 3.3. Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching* ([arXiv 2304.05969](https://arxiv.org/abs/2304.05969)), sections 1 and 2. McDougall et al. 2023, *Copy Suppression* ([arXiv 2310.04625](https://arxiv.org/abs/2310.04625)), for negative heads.
# %%
import os
import time
import torch
from remix_utils import Node, at, check, circuits, evaluate, find_one, hint, index, models
from remix_utils import path_patch, placeholder, plot, replace, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.graph.selector import Selector
from remix_utils.models import smollm2
from remix_utils.tasks import ioi

start_at("d5.3")  # to rejoin the room: start_at("d5.3.5") brings all that the rest reads
# %% [markdown]
# The first cells are the same as in part 1, with other prompts. `both` has the tokens of each prompt and of its ABC version, the same sentence about three other people. Only the names differ, so a path that carries no name and no repetition has no effect.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
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
is_gpt2 = "gpt2" in model.name and len(heads) == 144
full_run, nan = {}, float("nan")

Head = tuple[int, int]
print(f"{model.name}: {len(heads)} heads, {len(data)} prompts of {seq} tokens")
# %%
def report(name: str, values: torch.Tensor, more: str = "") -> None:
    """Prints the mean of values [rows] with both errors, and keeps all three for the full run."""
    mean, over_prompts = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, data["template"]).se
    full_run[f"paths.{name}"] = (float(mean), float(over_prompts), float(over_templates))
    print(f"{name:34}{mean:6.2f} ± {over_prompts:.2f} ± {over_templates:.2f}{more}")


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
# Each line of a report has a value in logits, its error over prompts, and its error over templates.
#
# ## d5.3.1 The direct path
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# ![A head is computed twice, on the prompt and on its ABC version. The head on the prompt has arrows to other heads and MLPs, and to the logits. The head on ABC has one arrow, to the queries of the name movers. From these queries an arrow goes on to the logits.](diagram:path_patch)
#
# What a head writes stays in the residual stream. Every later head and MLP reads it, and so does the unembedding. The path patch in the picture changes a single reader. The queries of some heads see what the sender writes on ABC, and all other readers see what it writes on the prompt.
#
# The shortest path goes from a head to the logits through the stream and the final norm, and through no other head and no MLP. How do you select it? A selector such as `outputs_of([(2, 1)])` finds a node wherever it's reached. With `.avoiding(...)` it's reached only along paths that pass none of the given nodes.
#
# Write `direct`, which takes a selector of any part of the model. It returns the selector of the same part, reached without passing another head's output or an MLP's output. `BLOCKS` selects both kinds. The check uses small random models.
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
# *Learned*: a path patch is `path_patch` with a selector of a path. The selector says which readers see the other prompt.
# %% [markdown]
# ## d5.3.2 A sweep in one evaluation
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Which of all heads write the answer? You need one patched graph for each head, and they're nearly the same. They share the clean run, and they share the run on ABC. If all graphs are evaluated together, each shared value is computed once.
#
# Write `falls`. For each named way it returns the fall of the difference [rows], clean minus patched. In the patched graph, what flows along the way is computed from `other` in the place of the input `"tokens"`. Hand all graphs to `evaluate` together, as a list. The check counts how often the clean model runs.
#
# Stuck? `hint("d5.3.2")`
# %% exercise="d5.3.2"
def falls(difference: Node, ways: dict, other: Node, inputs: dict) -> dict:
    """By how much the difference falls [rows] if one way reads the other tokens, for each way."""
    ### BEGIN SOLUTION
    graphs = [path_patch(difference, way, {"tokens": other}) for way in ways.values()]
    before, *after = evaluate([difference, *graphs], inputs)
    return {name: before - values for name, values in zip(ways, after, strict=True)}
    ### END SOLUTION
# %% check="d5.3.2" points=2
check("d5.3.2", falls)
# %% [markdown]
# Now all heads. A head counts if the mean of its effect is above three standard errors and above 2 % of the difference, and `largest` gives the six largest of those. How many heads pass, in either direction?
# %%
predict("d5.3.p1", ..., "how many heads of this model have a sure direct effect of 2 % or more")
# %%
base = evaluate(difference, data)
took = {}  # CPU seconds of each sweep


def sweep(name: str, ways: dict) -> dict:
    """Returns `falls` of these ways, and keeps the time that they take."""
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
    print(f"{model.name} has no head that lowers the difference for sure")
if not positive:
    print("no head raises it for sure; the last two heads take the place, as an example")
    positive = heads[-2:]
means = torch.stack([values.mean() for values in to_logits.values()])
plot.heads(means.reshape(-1, model.config["n_heads"]), "Direct effect of each head", "logits")
# %% [markdown]
# **What you should see**: a few late heads with a sure effect, and nearly all others close to 0. A positive fall is a head that *raises* the difference on the prompt, compared with ABC. A negative head works against the answer. The line "all others" adds up everything the list leaves out.
#
# What this doesn't show: the effect is compared with one ABC prompt for each prompt, and a head may react to the ABC names as well. And a direct effect says nothing about what a head does to later heads.
#
# *Learned*: evaluated together, hundreds of patched graphs cost little more than the runs that they share.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "If a head's direct effect is 0, what may it still do?" Explain back why the head on ABC isn't the same as the head at zero. *Alone:* with one test a head, work out how many heads of this model pass a limit of three errors if all effects are noise.
# %% [markdown]
# ## d5.3.3 Up with one, or down with the other?
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# A difference of two logits grows if IO rises, and also if S falls. Are all positive heads name movers, which raise the IO? The difference can't tell. So compare each of the two names with all the others. A head that writes "some name" raises all of them alike, and the mean over names takes that out.
#
# Write `above_mean` for what one head adds to the logits of all names [rows, names]. `io` and `s` [rows] are the columns in which the two names of a row stand. It returns what the head adds to the IO above the mean over all names, and the same for S, two tensors [rows].
#
# Stuck? `hint("d5.3.3")`
# %% exercise="d5.3.3"
def above_mean(
    written: torch.Tensor, io: torch.Tensor, s: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What is added to IO and to S, each above the mean over all names, two tensors [rows]."""
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
# **What you should see**: the word at the end of a line names the larger of the two effects. A head that "lowers S" raises the difference without any copying of the right name. GPT-2's name movers raise the IO, and its two negative heads lower it (Wang et al. 2022). If your model has a head that lowers S, then the description "name movers copy the IO" doesn't cover all of its direct effect.
#
# *Learned*: a difference of two logits has two ends. Look at each of them against the other names.
# %% [markdown]
# ## d5.3.4 Attention against writing
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Does a head write the name that it attends to? If it does, then in prompts in which it attends more to a name, it should write more of it. Wang et al. (2022) plot one against the other, with two points for each prompt, one for the IO and one for S.
#
# Write `follows`. `attention` and `written` are dicts with the keys `"IO"` and `"S"`, each [rows]. It returns the correlation of attention and writing over all these points together, both names in one list. `torch.corrcoef` of a stack of two rows has it at [0, 1].
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
# A head that copies has a correlation near 1. What's the correlation for the strongest positive head?
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
    both_names = {"IO": written_io[layer, head], "S": written_s[layer, head]}
    correlation[layer, head] = follows(seen[layer, head], both_names)
    shares = "  ".join(f"{seen[layer, head][role].mean():.2f}" for role in ("IO", "S1", "S2"))
    print(f"{layer}.{head:<6} {shares:>27} {correlation[layer, head]:22.2f}   {jobs[layer, head]}")
    for role in ("IO", "S2"):
        attended = circuits.Estimate.over_rows(seen[layer, head][role])
        spread = circuits.Estimate.over_groups(seen[layer, head][role], data["template"]).se
        full_run[f"paths.attention.{layer}.{head}.{role}"] = tuple(map(float, (*attended, spread)))
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
# **What you should see**: in a head that copies, the points lie along a rising line. In a head that lowers the name it attends to, they lie along a falling one. A head whose attention to both names is near 0 can still write a name, since an earlier head may have moved that name to the position it attends to.
#
# The correlation has no error here. Both names of a prompt are points, and attention adds up to 1, so the points aren't independent.
#
# *Learned*: attention says where a head reads, and the sign of the correlation says whether it copies or suppresses.
#
# > **Pair card.** Swap. The navigator asks: "Could a head attend to S2 all the time and still raise the IO?" Explain back what a correlation of −1 would mean for a head with a *positive* direct effect. *Alone:* find the row with the least attention to the IO in the strongest mover, and read its prompt.
# %% [markdown]
# ## d5.3.5 Does it copy?
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Attention and writing vary together. To see that a head *copies*, let it attend to nothing but the IO. Then see whether its output raises that name above others. This separates the OV circuit from the question of where the head looks.
#
# Write `attending`. It returns the node of one head's output in which the head's own attention pattern is replaced by `pattern`, a node [query, key]. The head's values stay as they are, and so does every earlier head. The nodes are called `blocks.2.attn.head.1.pattern` and `blocks.2.attn.head.1.out`.
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
# The *copy score* is the share of prompts in which the IO is among the five names that the head then raises most. For a negative head, take the five that it lowers most. By chance, a score is 5 over the number of names. Wang et al. (2022) count among all tokens of the vocabulary, and put the embedding after the first MLP in the place of the head's true value.
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
# **What you should see**: heads that raise the IO have scores far above those of the average head. A negative head may have a high score too, in the other direction. It finds the same name and lowers it, which McDougall et al. (2023) call *copy suppression*. A head that lowers S can also have a high or a low score here. The score asks what the head *would* do at the IO, and such a head attends elsewhere.
#
# *Learned*: fix the pattern to study the values, and fix the values to study the pattern.
# %% [markdown]
# ## d5.3.6 Into the queries
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# How do the name movers know to attend to the IO and not to S? Their pattern at END depends on their query at END. So the next receivers are the *queries* of the movers, and the sweep asks which earlier heads write something that these queries need.
#
# Write `into`. It takes a way, such as `direct(outputs_of(movers))`, that ends at the outputs of some heads. It goes on to the inputs of `receivers`, which are the nodes that `inputs_of(receivers, sides)` selects, and passes no other head and no MLP. `way >> lower` is the selector of `lower`, reached below what `way` selects.
#
# Stuck? `hint("d5.3.6")`
# %% exercise="d5.3.6"
def into(way: Selector, receivers: list[Head], sides: str) -> Selector:
    """The way, continued to the queries, keys or values of the receivers."""
    ### BEGIN SOLUTION
    return way >> direct(inputs_of(receivers, sides))
    ### END SOLUTION
# %% check="d5.3.6" points=2
check("d5.3.6", into)
# %% [markdown]
# The movers are the positive heads that give more than a tenth of their attention at END to the IO, and more than to S2. The way from the logits to their queries is `to_queries`. One more step, `>> direct(...)`, leads to a sender.
#
# How large is the effect of the strongest sender, in per cent of the difference?
# %%
predict("d5.3.p3", ..., "effect of the strongest sender, per cent of the difference")
# %%
movers = [
    head for head in positive
    if head[0] and seen[head]["IO"].mean() > max(0.1, seen[head]["S2"].mean())
]
if not movers:
    print("no positive head attends to IO most; positive heads take the place, as an example")
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
print(f"\n{sure} of {len(senders)} earlier heads raise it for sure")
for layer, head in [*inhibition, *against]:
    report(f"queries.{layer}.{head}", queries[layer, head])
rest = [queries[head] for head in senders if head not in inhibition]
report("queries.all others", sum(rest, torch.zeros(len(data))))
if is_gpt2:
    print("published for GPT-2-small: 7.3 7.9 8.6 8.10 (Wang et al. 2022)")
if not inhibition:
    print("no head for sure; the strongest takes the place, as an example")
    inhibition = [strongest]
# %% [markdown]
# Where do these heads attend from END? And does their effect really go through the movers' queries? For each head, compare three numbers. The first is the chain that you just patched, in which nothing else reacts. In the second one, everything after the movers' queries is computed again. The third one patches the whole head, for all its readers.
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
    report(f"queries.{layer}.{head}", queries[layer, head], "   through the movers alone")
    report(f"queries onward.{layer}.{head}", whole["queries, all that follows", (layer, head)])
    report(f"whole.{layer}.{head}", whole["whole head", (layer, head)])
# %% [markdown]
# **What you should see**: one to three heads with an effect far above all others, if the model has this stage. In the paper they attend from END to S2, and they're called *S-inhibition heads*, because they lower the movers' attention to S. If the second number is smaller than the first, later heads make up for a part of the loss. If the third number is larger than the second, the head has other readers too.
#
# What this doesn't show: an effect on the queries doesn't tell you *what* is sent. It may be the name of S or its position. Part 4 separates the two, and part 5 tests both as claims. And MLPs between sender and receiver keep their clean values here.
#
# *Learned*: ask what a receiver needs before you ask what a sender does.
#
# > **Pair card.** Swap. The navigator asks: "Why the queries and not the keys? Which keys would you patch, and at which position?" Explain back the difference between the first and the second number. *Alone:* write the selector for the movers' keys, and predict which heads would show up.
# %% [markdown]
# ## d5.3.7 A chain of any length
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# One more step back. The S-inhibition heads write something about S into the movers' queries. Does it come from *where* they attend, which is their queries and keys, or from *what* they read there, which is their values?
#
# Write `chain` for a list of stages, from the logits backwards. A stage is a list of heads and the side that the next step enters. `chain([(movers, "q"), (inhibition, "v")])` goes from the logits directly to the movers, into their queries, from there directly to the S-inhibition heads, and into their values. There may be one stage or more. Use `direct` and `into`.
#
# Stuck? `hint("d5.3.7")`
# %% exercise="d5.3.7"
def chain(stages: list[tuple[list[Head], str]]) -> Selector:
    """The way from the logits through the inputs of each stage's heads, to those of the last."""
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
# The three sides, with a fourth line for all of them together. How much does the value carry?
# %%
predict("d5.3.p4", ..., "what the values carry, per cent of all three sides together")
# %%
ways = {side: chain([(movers, "q"), (inhibition, side)]) for side in ("q", "k", "v", "qkv")}
sides = falls(difference, ways, other, both)
for side, values in sides.items():
    report(f"inhibition.{side}", values)
measured("d5.3.p4", 100 * sides["v"].mean() / sides["qkv"].mean())
# %% [markdown]
# The sides needn't add up, since query and key act together in the softmax. Now the senders into the values. They aren't only heads. The embedding writes to the stream too, and so does each MLP.
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
# An MLP that appears here only passes on what it reads. If there is one, the same question goes one step further back, to the heads that this MLP depends on.
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
# **What you should see**: look at the embedding first. If it carries nearly everything, then the S-inhibition heads read the *word* at the position they attend to, and they need no head that finds the repetition. If heads carry it, something before them has already compared S2 with S1 and stored the result at S2.
#
# Then compare the largest head with the line of all heads. If their sum is much larger, the work is spread over many heads with small effects. A sum of single effects ignores how they act together. If an MLP has a large effect, it belongs to the circuit as much as a head does, and its own feeders are listed below it.
#
# *Learned*: a chain shows the direct connections of a circuit, one at a time. Sum up what the list leaves out, and print it too.
# %% [markdown]
# ## d5.3.8 The early heads
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Three kinds of early heads could notice that S2 repeats a name. A *duplicate-token head* attends from S2 back to S1. An *induction head* attends from S2 to the word after S1, and it depends on a *previous-token head*, which attends from the word after S1 to S1. You know all three from day 2.
#
# Write `pairs` for positions of a query and a key in each row, both [rows]. It returns a tensor of booleans [rows, seq, seq], true at that one pair of query and key in each row. `circuits.attention_to(graph, data, pairs)` then measures what each head's attention from that query to that key is.
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
    on_random[kind] = detectors[kind](model).mean
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
        name, random = f"{layer}.{head}", on_random[kind][layer, head]
        full_run[f"paths.{kind}.{name}"] = (*map(float, (mean[layer, head], se[layer, head])), nan)
        on_these = f"{mean[layer, head]:.2f} ± {se[layer, head]:.2f}"
        print(f"   {name:6}on prompts {on_these}   on random tokens said twice {random:.2f}")
if is_gpt2:
    print("published: duplicate 0.1 3.0 (0.10), induction 5.5 6.9 (5.8 5.9), previous 2.2 4.11")
for head in feeders:
    scores = []
    for kind in asked:
        scores.append(f"{kind} {on_prompts[kind].mean[head]:.2f} ({on_random[kind][head]:.2f})")
    print(f"{listed([head])} feeds the values; on prompts (on random tokens): {', '.join(scores)}")
# %% [markdown]
# A head that attends in the right way needn't be used. So patch each *group* into the S-inhibition heads' values. Each line has two versions. In the first one, MLPs between the group and the values keep their clean values. In the second one they react. Beside each group stands a random one, with as many heads of the same layers.
# %%
def with_mlps(way: Selector, part: Selector) -> Selector:
    """Returns the way continued to a part, through MLPs too but through no other head."""
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
    print(f"{model.name} has no early heads of these kinds before its S-inhibition heads.")
# %% [markdown]
# **What you should see**: which of the two kinds of heads the S-inhibition heads rely on, and what changes if MLPs react. The second line of a pair may be larger or smaller than the first, since an MLP can pass the signal on and can also undo a part of it. Random heads of the same layers show how much of such an effect is nothing special. Where the cell says that a model has no such heads, compare with the embedding's line in d5.3.7.
#
# What this doesn't show: the threshold of 0.4 is a choice, and some feeders have low scores on prompts and high ones on random tokens. Six heads needn't be all of a stage. The previous-token heads are patched along one chain only, through the induction heads' keys.
#
# *Learned*: a detector finds heads that *could* do a job. A path patch says whether their output is used.
#
# > **Pair card.** Swap. The navigator asks: "Which heads have a high score on random tokens and a low one on prompts, or the other way round?" Explain back why a duplicate-token head and an induction head can send the same message. *Alone:* draw the circuit of your model, with one arrow for each sweep of this part and its figure at the arrow.
# %% [markdown]
# ## d5.3.9 What would hooks have cost?
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · core
#
# You ran three sweeps over nearly all heads. With hooks on an ordinary model, you first run it once on the prompts and once on ABC, and keep all activations. These two runs serve for every sweep. After that, a sender into the logits takes one more pass, with all other parts held at their clean values. A sender into queries or values takes two. The first gives the receivers' new input, and the second carries its effect on to the logits.
#
# Write `passes` for a list of sweeps, each a pair of the number of senders and the receiver's name. The receiver is `"logits"` or the name of some inputs. It returns the number of forward passes of all sweeps together.
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
# **What you should see**: a factor that grows with the depth of the model and with its MLPs. The time for hooks is an estimate from one pass of our own graph, and good code with hooks may stop a pass early or start it late. `make bench` times both on the same machine, with hooks on the model of the library transformers.
#
# Why is there so much to share? A direct path changes nothing but one term of a sum at END, so a patched graph needs a new norm and two logits. On a path into queries, a new row of the receivers' patterns comes on top. The two full runs are shared by all patched graphs of a sweep.
#
# *Learned*: path patching costs what changes, if the graph knows what changes.
# %% [markdown]
# ## d5.3.10 ★ The same by hand
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# Do you trust `path_patch`? The direct path is short enough to compute from three tensors. `stream` [rows, d_model] is the last residual stream at END on the prompt. `clean` and `elsewhere` are what one head adds to it, on the prompt and on ABC. `read` takes a stream [rows, d_model] and returns the logit difference [rows], final norm included. Write the fall of the difference by hand.
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
# *Learned*: a path patch of a direct path is one subtraction and one addition before the final norm.
# %% [markdown]
# ## What the full run says
#
# This notebook took one prompt of each template in each order. The same code ran once with four. Its figures ship with the course, and they're shown here if you run SmolLM2.
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
# From memory, without scrolling up.
# - `sign`: the difference falls by −1 if a head's direct path reads ABC. Does the head `"raise"` or `"lower"` the difference?
# - `side`: by which side of the name movers do S-inhibition heads act, `"queries"`, `"keys"` or `"values"`?
# - `copy`: with 100 names, what is the copy score of a head that writes at random?
# - `frozen`: on a direct path, does an MLP between sender and receiver `"react"` or `"stay"`?
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
# A chain from the logits back to the words, with a figure and two errors at each arrow. All of it is about single connections, one at a time. Part 4 puts the whole circuit on trial, and removes its parts.
