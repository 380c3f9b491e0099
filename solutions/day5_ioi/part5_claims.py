# %% [markdown]
# # Day 5, part 5: claims by scrubbing
#
# **Which sentences about the circuit survive an experiment that could refute them?**
#
# The paper that you have followed describes its circuit in plain sentences, for example that name movers copy the name they attend to. Patching shows that a path matters, but not *what* the path carries. Scrubbing tests the content. If a path carries only the IO's name, it may come from any other prompt with the same IO, and the difference should stay the same. In this part you write six claims as hypotheses and scrub them. You judge each claim by its share and the error of that share, by how much the claim leaves free, and by what the evidence doesn't show.
#
# **After this part you can**
# - bound how often a claim with "never" may fail when you saw no exception
# - write a claim about what a path carries as a choice of rows that may be exchanged
# - distinguish a signal about a token from a signal about a position
# - give a verdict that can also be "open" or "says little"
# - compare the edges that a gradient proposes with exact patches and with random edges (★)
#
# **Time**: about 65 minutes without the ★ exercises. The cells that compute take about three minutes with SmolLM2.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), section 3. Chan et al. 2022, *Causal Scrubbing* ([alignmentforum.org](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)), from day 3. Makelov et al. 2023 ([arXiv 2311.17030](https://arxiv.org/abs/2311.17030)), on why the effect of a patch can mislead. Syed et al. 2023 ([arXiv 2310.10348](https://arxiv.org/abs/2310.10348)), for the ★ exercises.
# %%
import math
import os
import torch
from remix_utils import Exact, Interp, Matching, Node, add, at, check, circuits, evaluate
from remix_utils import find_one, hint, models, path_patch, placeholder, replace, scrub, split
from remix_utils import solution, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.data import feature
from remix_utils.graph.selector import Selector
from remix_utils.models import smollm2
from remix_utils.tasks import ioi

start_at("d5.5")  # to catch up: start_at("d5.5.5") defines every name that later cells use
# %% [markdown]
# The first cell begins as in part 1. A scrub exchanges rows, so this part needs prompts that share names. Each template gets four names of its own and prompts in both orders, and these prompts are the `population`. The cells after it find the heads of part 3 again on other prompts, `data`, one for each template and order. You'll use `inputs_of`, `outputs_of`, `direct` and `into` in the exercises. For the other helpers the docstrings are enough.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
encode = model.tokenizer.encode
words = {"names": ioi.names(encode), "places": ioi.places(encode), "objects": ioi.objects(encode)}
draws = 180 if "REMIX_FULL" in os.environ else 45  # of each hypothesis
rows = []
for number, template in enumerate(ioi.TEMPLATES):
    few = {**words, "names": words["names"][4 * number : 4 * number + 4]}
    rows += ioi.balanced(12, seed=number, templates=[template], **few)
population = ioi.dataset(ioi.Prompts(tuple(rows), tuple(words["names"])), encode, pad=0)
clean = ioi.balanced(1, seed=5, **words)
data = ioi.dataset(clean, encode, pad=0)
other_tokens = ioi.dataset(clean.abc(seed=5), encode, pad=0)["tokens"]
seq = data["tokens"].shape[1]
graph = split(model.graph(seq=seq, mask=True), "blocks.*.attn_out", "head")
difference = circuits.logit_difference(graph)
outputs = circuits.head_outputs(graph)  # (layer, head): what this head adds to the stream
full_run = {}

Head = tuple[int, int]
print(f"{model.name}: {len(outputs)} heads, {len(population)} prompts to draw from")
# %%
BLOCKS = at("*.mlp_out") | at("*.attn.head.*.out")
STREAM = (at("*.resid_*") | at("embed")).avoiding(at("*.resid_*"))  # the nearest one
other = placeholder("other.tokens", (seq,), torch.long)
elsewhere = circuits.head_outputs(
    replace(graph, {find_one(graph, at("tokens", op="placeholder")): other})
)
stand_in = placeholder("difference.of.outputs", outputs[0, 0].shape)
both = data.columns | {"other.tokens": other_tokens}


def inputs_of(heads: list[Head], sides: str) -> Selector:
    """Returns a selector of the queries, keys or values (`sides`) of some heads."""
    names = {f"blocks.{layer}.attn.head.{head}" for layer, head in heads}
    return at({f"{name}.{side}" for name in names for side in sides})


def outputs_of(heads: list[Head]) -> Selector:
    """Returns a selector of the outputs of some heads."""
    return at({f"blocks.{layer}.attn.head.{head}.out" for layer, head in heads})


def direct(heads: list[Head]) -> Selector:
    """Returns the paths from heads to the logits that pass no other head and no MLP."""
    return outputs_of(heads).avoiding(BLOCKS)


def into(chain: Selector, heads: list[Head], sides: str) -> Selector:
    """Returns a chain of paths that ends at `heads`, continued to their queries, keys or values."""
    return (chain >> inputs_of(heads, sides)).avoiding(BLOCKS)
# %%
def waiting_for(way: Selector) -> Node:
    """Returns the difference, with a stand-in added to the stream at the end of a way."""
    return update(difference, way, lambda stream: add(stream, stand_in))


def sweep(way, last: int) -> dict[Head, torch.Tensor]:
    """Returns how far the difference [rows] falls if one head's part of `way(layer)` is ABC's."""
    senders = [head for head in outputs if head[0] < last]
    graphs = [difference]
    for layer in sorted({layer for layer, _ in senders}):
        waiting = waiting_for(way(layer))
        for head in [head for head in senders if head[0] == layer]:
            sent = add(elsewhere[head], outputs[head], weights=[1, -1])
            graphs.append(replace(waiting, {stand_in: sent}))
    before, *after = evaluate(graphs, both, progress=True)
    return {head: before - values for head, values in zip(senders, after, strict=True)}


def largest(effects: dict[Head, torch.Tensor], most: int = 6) -> list[Head]:
    """Returns up to `most` heads with an effect above 3 errors and 2 % of the difference."""
    found = {}
    for head, values in effects.items():
        mean, se = circuits.Estimate.over_rows(values)
        if mean > 3 * se and mean > 0.02 * abs(float(base.mean())):
            found[head] = float(mean)
    return sorted(found, key=lambda head: -found[head])[:most]


def keep(name: str, figure) -> None:
    """Keeps a share and its error over draws for the full run."""
    full_run[f"claims.{name}"] = (float(figure), float(figure.se), math.nan)


def listed(heads) -> str:
    """Returns heads as text, such as `2.0 2.1`, or `none`."""
    return " ".join(f"{layer}.{head}" for layer, head in heads) or "none"
# %%
print(f"All direct effects of {model.name}. This takes up to 15 seconds.")
base = evaluate(difference, data)
effects = {"direct": sweep(lambda layer: STREAM, model.config["n_layers"])}
positive = largest(effects["direct"])
if not positive:
    print("No head clearly raises the difference. The last two heads stand in as an example.")
    positive = list(outputs)[-2:]
names = {head: "blocks.{}.attn.head.{}.pattern".format(*head) for head in outputs}
patterns = {head: find_one(graph, names[head]) for head in positive}
seen = {}
for head, pattern in evaluate(patterns, data).items():
    at_end = pattern[torch.arange(len(data)), -1]
    seen[head] = [
        float(at_end.gather(1, data[f"position.{role}"][:, None]).mean()) for role in ("IO", "S2")
    ]
movers = [head for head in positive if head[0] and seen[head][0] > seen[head][1]]
movers = movers or [head for head in positive if head[0]] or list(outputs)[-2:]
print(f"positive heads: {listed(positive)}\nname movers, which attend to IO: {listed(movers)}")
# %%
print(f"Effects on the queries of the movers of {model.name}. This takes up to 20 seconds.")


def stage(chain: Selector, receivers: list[Head], sides: str) -> dict[Head, torch.Tensor]:
    """Returns the effect of each earlier head on some inputs (`sides`) of a chain's receivers."""

    def way(layer: int) -> Selector:
        later = [head for head in receivers if head[0] > layer]
        return into(chain, later, sides) >> STREAM

    return sweep(way, max(layer for layer, _ in receivers))


effects["into queries"] = stage(direct(movers), movers, "q")
inhibition = largest(effects["into queries"], most=3)
print(f"S-inhibition, into the movers' queries: {listed(inhibition)}")
if not inhibition:
    print("None is clear. The strongest earlier head stands in as an example.")
    found = effects["into queries"] or effects["direct"]
    inhibition = [max(found, key=lambda head: float(found[head].mean()))]
# %%
print("Attention from S2, all heads. This takes up to 5 seconds.")
every = {head: find_one(graph, name) for head, name in names.items()}
each_row = torch.arange(len(data))
shares: dict[str, dict[Head, float]] = {"S1": {}, "S1+1": {}}
for head, pattern in evaluate(every, data).items():
    for role, found in shares.items():
        at_role = pattern[each_row, data["position.S2"], data[f"position.{role}"]]
        found[head] = float(at_role.mean())


def attending(role: str, most: int = 6) -> list[Head]:
    """Returns up to `most` heads that give over 0.4 of the attention of S2 to a role."""
    found = shares[role]
    strong = [head for head in found if found[head] > 0.4]
    return sorted(strong, key=lambda head: -found[head])[:most]


induction, duplicate = attending("S1+1"), attending("S1")
last = max((layer for layer, _ in induction), default=0)
duplicate = [head for head in duplicate if head[0] < last or not induction]
print(f"induction heads, from S2 to the word after S1: {listed(induction)}")
print(f"duplicate-token heads before them, from S2 to S1: {listed(duplicate)}")
# %% [markdown]
# ![The circuit with its six claims. Boxes for duplicate-token heads, induction heads, S-inhibition heads, name movers and the difference stand in a row, joined by arrows. Claim 5 is at the arrow from duplicate-token to induction heads. Claims 3 and 4 are at the arrow from S-inhibition heads to the queries of the movers. Claim 2 is at an arrow from the IO's name to the values of the movers. Claims 1 and 6 are at the arrow from the movers to the difference.](diagram:claims)
#
# These are the six claims of today.
# 1. The heads that raise the difference directly never favour S.
# 2. Name movers need the IO's token in their values, and nothing else.
# 3. S-inhibition heads send the *token* of S to the movers' queries, whatever its position is.
# 4. S-inhibition heads send the *position* of S, whatever its token is.
# 5. Duplicate-token heads feed the induction heads.
# 6. Only the name movers make the difference positive.
# %% [markdown]
# ## d5.5.1 How often is never?
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# Claim 1 says *never*. If it fails in none of 30 prompts, how often could it still fail? Suppose the true rate of exceptions is r. Then n independent prompts show no exception with probability (1 − r)ⁿ. The largest r for which this probability is at least 5 % is 1 − 0.05^(1/n). That's the upper limit of the rate at 95 % confidence.
#
# Write `never` for direct effects [rows]. An effect below 0 favours S and is an exception. Return the number of exceptions, and the upper limit of their rate if there are none. If there are any, the claim is refuted and the second value is `None`.
#
# Stuck? `hint("d5.5.1")`
# %% exercise="d5.5.1"
def never(effects: torch.Tensor) -> tuple[int, float | None]:
    """Returns the number of effects [rows] below 0, and the rate that 0 exceptions still allow."""
    ### BEGIN SOLUTION
    exceptions = int((effects < 0).sum())
    if exceptions:
        return exceptions, None
    return 0, 1 - 0.05 ** (1 / len(effects))
    ### END SOLUTION
# %% check="d5.5.1" points=1
check("d5.5.1", never)
# %% [markdown]
# In what share of the prompts does at least one positive head favour S?
# %%
predict("d5.5.p1", ..., "per cent of prompts in which the weakest positive head favours S")
# %%
each_effect = torch.stack([effects["direct"][head] for head in positive])
for name, values in {"each head": each_effect.amin(0), "their sum": each_effect.sum(0)}.items():
    exceptions, limit = never(values)
    full_run[f"claims.exceptions.{name}"] = (exceptions / len(values), math.nan, math.nan)
    print(f"{name}: {exceptions} exceptions in {len(values)} prompts", end="")
    print("" if limit is None else f", so the rate may be anything up to {limit:.0%}")
exception = (each_effect.amin(0) < 0).double()
verdicts = {"1 never favour S": "falls" if exception.any() else "stands"}
measured("d5.5.p1", 100 * exception.mean(), 100 * exception.std() / math.sqrt(len(exception)))
# %% [markdown]
# **What you should see**: the count for single heads and the count for their sum. Each effect is measured against one ABC prompt, which has names of its own and adds noise. An effect below 0 may therefore only mean that this head favoured the IO's token more on the ABC prompt. The heads were also *selected* for a positive mean on these same prompts. And with only 15 templates the 30 prompts aren't independent, so the limit is too optimistic. If the verdict is "falls", then *never* was the wrong word, and "on average" may still be right. The evidence doesn't show how the selected heads behave on other texts.
#
# *Learned*: if you saw no exception in n independent prompts, the rate of exceptions may still be about 3/n.
# %% [markdown]
# ## d5.5.2 Which rows may be exchanged?
# ●●○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# A scrub draws another row that agrees with the reference in a feature. Roles are at different positions in different templates, so rows of two templates can't be exchanged position by position. Every feature of this part must therefore include the template. Write `same`, which takes names of columns and returns a feature. Two rows agree in it if they agree in the template and in all these columns. `same()` compares the template alone.
#
# Stuck? `hint("d5.5.2")`
# %% exercise="d5.5.2"
def same(*columns: str):
    """Returns a feature in which rows agree if their template and all these columns agree."""
    ### BEGIN SOLUTION
    def agree(data):
        return torch.stack([data[name] for name in ("template", *columns)], dim=1)

    return feature(agree)
    ### END SOLUTION
# %% check="d5.5.2" points=1
check("d5.5.2", same)
# %%
for columns in ((), ("order",), ("order", "token.IO"), ("order", "token.IO", "token.S")):
    size = Matching(same(*columns)).support(population, torch.arange(len(population))).size.double()
    fewest = f"at least {size.min():.0f}"
    print(f"template {' '.join(columns):24} {size.mean():5.1f} rows to draw from, {fewest}")
# %% [markdown]
# **What you should see**: fewer rows with every column. A row may always draw itself, with probability 1 over the number of rows. Where only few rows agree, a claim changes little and says little, and its share comes out too high. That's why each template has only four names here, so that several rows share each name.
#
# *Learned*: the finer the feature, the fewer rows agree, and the less the scrub tests.
# %% [markdown]
# ## d5.5.3 What a path carries
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Most claims of this part share one form. In `carries`, the paths that `path` selects read another row, which agrees with the reference in the template and the given columns. Everything else is exact, including the two tokens whose logits are compared. The root is `at("logit_difference")`. Name the node of the path `"path"`, since later cells look up its rows by this name.
#
# Stuck? `hint("d5.5.3")`
# %% exercise="d5.5.3"
def carries(path: Selector, *columns: str) -> Interp:
    """Returns the claim that `path` carries these columns alone. Everything else is exact."""
    ### BEGIN SOLUTION
    carried = Interp("path", path, Matching(same(*columns)))
    return Interp("difference", at("logit_difference"), Exact(), [carried], others=Exact())
    ### END SOLUTION
# %% check="d5.5.3" points=2
check("d5.5.3", carries)
# %% [markdown]
# Now test claim 1 in a second form, about content. If the positive heads only raise the IO's name, their direct output may come from a row with the same IO and any S, in any order. The baseline `idle` keeps the template alone. The share recovered is 0 for `idle` and 1 for the model. How much does the IO's name recover?
# %%
predict("d5.5.p2", ..., "per cent recovered, if all positive heads carry the IO's name alone")
# %%
model_itself = Interp("difference", at("logit_difference"), Exact())


def test(claims: dict[str, Interp]) -> dict:
    """Returns the results of the model and of some claims, on the same draws."""
    print(f"{len(claims) + 1} hypotheses, {draws} draws each, on {model.name}; up to 30 seconds.")
    return scrub(difference, {"model": model_itself, **claims}, population, draws, seed=5)


def report(kind: str, results: dict, zero: str = "idle") -> dict:
    """Prints each result with both errors, and returns the shares recovered from a baseline."""
    shares = {}
    for name, result in results.items():
        template = population["template"][result.rows["reference"]]
        over_templates = circuits.Estimate.over_groups(result.per_example, template).se
        full_run[f"claims.{kind}.{name}"] = (result.mean, result.se, float(over_templates))
        shares[name] = result.recovered(results["model"], results[zero])
        keep(f"{kind}.share.{name}", shares[name])
        above = (result.per_example > 0).double().mean()
        line = f"{name:26}{result.mean:6.2f} ± {result.se:.2f} ± {over_templates:.2f}"
        share = f"recovered {shares[name]:5.2f} ± {shares[name].se:.2f}"
        print(f"{line}   {share}   above 0 {above:.0%}")
    return shares


def same_io(result) -> float:
    """Returns how often the path reads a row with the reference's IO, less one with its S as IO."""
    io, reference = population["token.IO"], result.rows["reference"]
    read = io[result.rows["path"]]
    is_s = read == population["token.S"][reference]
    return float((read == io[reference]).double().mean() - is_s.double().mean())


def by_chance(result, idle) -> float:
    """Returns the share that a claim would recover if only the IO of the path's row mattered."""
    return (same_io(result) - same_io(idle)) / (1 - same_io(idle))
# %%
out = direct(positive)
claim_1 = test({
    "idle": carries(out), "IO": carries(out, "token.IO"), "S": carries(out, "token.S"),
    "IO and S": carries(out, "token.IO", "token.S"),
})
share_1 = report("output", claim_1)
print(f"If only the IO mattered, `S` would recover {by_chance(claim_1['S'], claim_1['idle']):.2f}.")
measured("d5.5.p2", 100 * share_1["IO"], 100 * share_1["IO"].se)
# %% [markdown]
# **What you should see**: four hypotheses about the direct output of the positive heads, and a line on chance. If `IO` recovers close to 1, this output depends on little but the IO's name. A share above 1 means that their output in the model also contains something that lowers the difference. Now look at `S`. A row that keeps S never has S as its IO, and on average it has the right IO more often than a row of `idle`. So `S` recovers something even if S itself doesn't matter, and the last line computes that share from the rows drawn. Only a share clearly above it is evidence that S enters, for example through heads that lower the logit of S. In all four the final norm reads the mixed stream, so its scale changes too. And none shows *how* a head finds the name.
#
# *Learned*: scrub the rival feature too, and compute the share that it recovers by chance.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which terms of the stream at the final norm come from the other row?" Explain to each other why `idle` isn't an ablation to zero. *Alone:* write down which of the four hypotheses would recover 1 for heads that only lower the logit of S.
# %% [markdown]
# ## d5.5.4 The value of the name
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Claim 2 is about the movers' values. The pattern stays exact, so the value at the IO's position is read with its usual weight. The other row must therefore have its IO at the same position, so its order must be the same. Write `values_of`, the selector of the values of some heads along their direct paths to the logits. Between the values and the logits there may be no MLP and no second head, even if that head is in `heads` too.
#
# Stuck? `hint("d5.5.4")`
# %% exercise="d5.5.4"
def values_of(heads: list[Head]) -> Selector:
    """Returns the paths from the values of `heads`, along their direct paths to the logits."""
    ### BEGIN SOLUTION
    return (direct(heads) >> inputs_of(heads, "v")).avoiding(BLOCKS)
    ### END SOLUTION
# %% check="d5.5.4" points=2
check("d5.5.4", values_of)
# %%
values = values_of(movers)
claim_2 = test({
    "idle": carries(values, "order"), "IO": carries(values, "order", "token.IO"),
    "S": carries(values, "order", "token.S"),
})
share_2 = report("values", claim_2)
free_2 = claim_2["IO"].moved(inputs_of(movers, "v"), claim_2["idle"])
keep("values.free.IO", free_2)
print(f"If only the IO mattered, `S` would recover {by_chance(claim_2['S'], claim_2['idle']):.2f}.")
print(f"left free at the movers' values by `IO`: {free_2:.2f} ± {free_2.se:.2f}")
# %% [markdown]
# **What you should see**: the share that the IO's token recovers, and how much of the values the claim leaves free. Values at *all* positions come from the other row, so places and objects differ too. The share left free is the change of the values under the claim, compared with their change under a row that shares only template and order. Compare `S` with its share by chance, as in d5.5.3. A share clearly above 1 for `IO` means that the original values carry something that lowers the difference. The first half of claim 2 may then be right, but "and nothing else" isn't.
#
# *Learned*: a scrub of the values asks which content is needed. The pattern stays exact, so the claim says nothing about where the heads attend.
# %% [markdown]
# ## d5.5.5 A verdict
# ●●○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# Decide how you'd judge before you see the figures of claims 3 to 6. You've already seen claim 2's. A claim is tested only in draws that really exchange the row. Write `verdict` from a share recovered, its standard error and the share of draws that read another row.
# - `"says little"` if less than half of the draws exchange the row, whatever is recovered
# - `"stands"` if all of the share ± two errors lies between the bar and 2 − bar
# - `"falls"` if all of it lies below the bar, or all of it above 2 − bar
# - `"open"` otherwise
#
# The bar is an argument, 0.8 by default. A share of 1.4 is no success. Such a difference is larger than the model's, so the claim leaves out something that lowers the difference.
#
# Stuck? `hint("d5.5.5")`
# %% exercise="d5.5.5"
def verdict(share: float, se: float, exchanged: float, bar: float = 0.8) -> str:
    """Returns "says little", "stands", "falls" or "open"."""
    ### BEGIN SOLUTION
    if exchanged < 0.5:
        return "says little"
    low, high = share - 2 * se, share + 2 * se
    if bar < low and high < 2 - bar:
        return "stands"
    return "falls" if high < bar or low > 2 - bar else "open"
    ### END SOLUTION
# %% check="d5.5.5" points=1
check("d5.5.5", verdict)
# %%
def exchanged(result) -> float:
    """Returns the share of draws in which the path reads another row than the reference."""
    return float((result.rows["path"] != result.rows["reference"]).double().mean())


share = share_2["IO"]
verdicts["2 values need the IO"] = verdict(share, share.se, exchanged(claim_2["IO"]))
print(f"{exchanged(claim_2['IO']):.0%} of the draws of `IO` exchange the row")
print("\n".join(f"{claim}: {said}" for claim, said in verdicts.items()))
# %% [markdown]
# Why isn't the share left free part of the verdict? It can be small for two opposite reasons. The claim may exchange hardly any row. Or it exchanges rows and the value barely changes, because the value depends on the claimed feature alone. The second reason is the best possible result for a claim, so read both numbers together.
#
# *Learned*: a verdict with four outcomes shows when more draws would help ("open") and when they wouldn't ("says little").
# %% [markdown]
# ## d5.5.6 Token or position?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Claims 3 and 4 are rivals. S-inhibition heads change the movers' queries so that the movers attend less to S. Does this signal depend on *which name* S is, or on the *position* of S1? Another row of the same order has S1 at the same position and usually another name. A row with the same S and any order has the same name. Write `sent`, the selector of the paths from the heads `senders` directly to the queries of `receivers`, and from there directly to the logits. The helper `into` goes as far as the queries.
#
# Stuck? `hint("d5.5.6")`
# %% exercise="d5.5.6"
def sent(senders: list[Head], receivers: list[Head]) -> Selector:
    """Returns the paths from `senders` to the queries of `receivers`, and on to the logits."""
    ### BEGIN SOLUTION
    queries = into(direct(receivers), receivers, "q")
    return (queries >> outputs_of(senders)).avoiding(BLOCKS)
    ### END SOLUTION
# %% check="d5.5.6" points=2
check("d5.5.6", sent)
# %% [markdown]
# Here the order represents the position of S. How much does it recover without the name?
# %%
predict("d5.5.p3", ..., "per cent recovered by the position of S (the order)")
# %%
path = sent(inhibition, movers)
claim_34 = test({
    "idle": carries(path), "token of S": carries(path, "token.S"),
    "position of S": carries(path, "order"), "both": carries(path, "order", "token.S"),
})
share_34 = report("queries", claim_34)
for number, name in ((3, "token of S"), (4, "position of S")):
    free = claim_34[name].moved(inputs_of(movers, "q"), claim_34["idle"])
    keep(f"queries.free.{name}", free)
    other_row = exchanged(claim_34[name])
    verdicts[f"{number} {name}"] = verdict(share_34[name], share_34[name].se, other_row)
    print(f"{name}: {other_row:.0%} of the draws exchange the row,", end=" ")
    print(f"{free:.2f} ± {free.se:.2f} of the movers' queries left free")
print("\n".join(f"{claim}: {said}" for claim, said in verdicts.items()))
measured("d5.5.p3", 100 * share_34["position of S"], 100 * share_34["position of S"].se)
# %% [markdown]
# **What you should see**: one of the two claims far above the other, or no clear winner. The two shares needn't add up to 1. If most rows are exchanged and little is left free at the movers' queries, then these queries are nearly a function of the claimed feature. If the model and `idle` differ by little, the shares have large errors, and "open" is the honest verdict. Part of the signal may also reach the movers through MLPs or other heads. Those paths are exact here, so the evidence is about the direct connection alone.
#
# *Learned*: two rival claims are separated by rows that keep one feature and change the other.
#
# > **Pair card.** Swap. The navigator asks: "In which rows do the two claims predict different answers?" Explain to each other why the order can represent the position of S. *Alone:* name a third fact that both features leave random, and say how you'd test it.
# %% [markdown]
# ## d5.5.7 ★ Who feeds the induction heads?
# ●●●○○ difficulty · ●●●○○ importance · 7 minutes · ★
#
# Claim 5 says that duplicate-token heads feed the induction heads. If the claim is true, replacing the paths from the first to the second should cost about as much as replacing the induction heads' output. To give the claim its best chance, allow MLPs on these paths. Write `fed`, the paths from `senders` into the queries, keys and values of `receivers` that pass no other head. From the receivers on, every path to the logits is allowed.
#
# Stuck? `hint("d5.5.7")`
# %% exercise="d5.5.7"
def fed(senders: list[Head], receivers: list[Head]) -> Selector:
    """Returns the paths from `senders` to q, k and v of `receivers` that pass no other head."""
    ### BEGIN SOLUTION
    heads = at("*.attn.head.*.out")
    inputs = (outputs_of(receivers) >> inputs_of(receivers, "qkv")).avoiding(heads)
    return inputs >> outputs_of(senders).avoiding(heads)
    ### END SOLUTION
# %% check="d5.5.7" points=2
check("d5.5.7", fed)
# %%
if induction and duplicate:
    claim_5 = test({
        "idle": carries(outputs_of(induction)),
        "duplicate to induction": carries(fed(duplicate, induction)),
    })
    share_5 = report("fed", claim_5)
    lost = share_5["duplicate to induction"]
    free = claim_5["duplicate to induction"].moved(outputs_of(induction), claim_5["idle"])
    keep("fed.free.duplicate to induction", free)
    print(f"the path carries {1 - lost:.2f} ± {lost.se:.2f} of the effect of the induction heads")
    print(f"changed at the output of the induction heads: {free:.2f} ± {free.se:.2f}")
    verdicts["5 duplicate feed induction"] = verdict(
        1 - lost, lost.se, exchanged(claim_5["duplicate to induction"])
    )
else:
    print(f"{model.name} shows no such two stages, so claim 5 can't be tested here.")
    verdicts["5 duplicate feed induction"] = "no such stage"
# %% [markdown]
# **What you should see**: a large share of the effect if claim 5 is true, and a small one if the induction heads don't depend on these heads. The heads were chosen by their attention from S2, so a head that detects the repetition with another pattern isn't in the list. If the cell prints that a stage is missing, no head gives over 0.4 of its attention from S2 in that way. This is a finding about the model too.
#
# *Learned*: two heads can attend to related words without being connected. Only an experiment on the path between them tests the connection.
# %% [markdown]
# ## d5.5.8 Only the movers?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Claim 6 says *only*, so everything else must be free. Write `only`. The direct output of the heads is exact, and so are the inputs `token.IO` and `token.S`, which choose the logits to compare. Everything else that the difference reads comes from one other row of the template. The names in that row are random, so its part of the difference should nearly vanish on average.
#
# Stuck? `hint("d5.5.8")`
# %% exercise="d5.5.8"
def only(heads: list[Head]) -> Interp:
    """Returns the claim that the difference needs the direct output of `heads` and nothing else."""
    ### BEGIN SOLUTION
    kept = [Interp(name, at(name), Exact()) for name in ("token.IO", "token.S")]
    kept.append(Interp("heads", direct(heads), Exact()))
    return Interp("difference", at("logit_difference"), Exact(), kept, others=Matching(same()))
    ### END SOLUTION
# %% check="d5.5.8" points=2
check("d5.5.8", only)
# %%
tokens = [Interp(name, at(name), Exact()) for name in ("token.IO", "token.S")]
claim_6 = test({
    "idle": Interp("difference", at("logit_difference"), Exact(), tokens, Matching(same())),
    "movers idle": carries(direct(movers)), "positive idle": carries(direct(positive)),
    "only movers": only(movers), "only positive": only(positive),
})
share_6 = report("only", claim_6)
without = claim_6["movers idle"].mean - 2 * claim_6["movers idle"].se
alone = claim_6["only movers"].mean - 2 * claim_6["only movers"].se
print(f"with the movers alone the difference is above 0 by two errors: {alone > 0}")
print(f"without them it is still above 0 by two errors: {without > 0}")
verdicts["6 only the movers"] = "falls" if without > 0 else "stands" if alone > 0 else "open"
print("\n".join(f"{claim}: {said}" for claim, said in verdicts.items()))
# %% [markdown]
# **What you should see**: the two halves of the claim, separately. In `idle` only the two compared tokens are kept. The movers are *enough* if the difference stays positive while everything else is random. They're the *only* ones if the difference isn't positive when they read another row. The verdict "stands" includes a difference without the movers that is too close to 0 to be sure, so look at its error. In `movers idle` later heads still read the movers' original output, so this isn't a full removal of the movers.
#
# *Learned*: a claim with "only" needs two experiments, one that keeps the part and one that takes it away.
#
# > **Pair card.** Swap. The navigator asks: "Which of the verdicts would change with a bar of 0.6?" Explain to each other which claims say that a part is needed, and which say that a part is enough. *Alone:* write the sentence that you'd publish about claim 6.
# %% [markdown]
# ## d5.5.9 ★ Edges by gradient
# ●●●○○ difficulty · ●●●●○ importance · 12 minutes · ★
#
# Path patching needs one evaluation for each edge. A gradient needs one backward pass for all edges that end at the same inputs. Let g be the gradient of the difference with respect to the input at the end of an edge. If the head's output on ABC replaces its clean output, the difference falls by about (clean − other) · g, summed over positions and d_model. This first-order estimate is *edge attribution patching* (Syed et al. 2023). Write `attribute`.
#
# Stuck? `hint("d5.5.9")`
# %% exercise="d5.5.9"
def attribute(gradient: torch.Tensor, clean: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Returns the predicted fall of the difference [rows] from tensors [rows, seq, d_model]."""
    ### BEGIN SOLUTION
    return ((clean - other) * gradient).sum((1, 2))
    ### END SOLUTION
# %% check="d5.5.9" points=1
check("d5.5.9", attribute)
# %% [markdown]
# ## d5.5.10 ★ Same order?
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# How well does the cheap estimate match the exact effect? To choose edges, only their order counts. Write the *rank correlation* of two lists of numbers without ties. Replace each number by its rank, then correlate the ranks.
#
# Stuck? `hint("d5.5.10")`
# %% exercise="d5.5.10"
def rank_correlation(first: torch.Tensor, second: torch.Tensor) -> float:
    """Returns the correlation of the ranks of two lists of numbers without ties."""
    ### BEGIN SOLUTION
    ranks = torch.stack([first, second]).argsort(1).argsort(1).double()
    return float(torch.corrcoef(ranks)[0, 1])
    ### END SOLUTION
# %% check="d5.5.10" points=1
check("d5.5.10", rank_correlation)
# %% [markdown]
# You already have the exact effects of two kinds of edges, from a head to the logits and from a head to the movers' queries. How well will the gradient order the second kind?
# %%
predict("d5.5.p4", ..., "rank correlation of attribution and exact effect, edges into queries")
# %%
print("Gradients of both kinds of edges. This takes up to 40 seconds.")


def gradient(way: Selector) -> torch.Tensor:
    """Returns the gradient of each row's difference at the end of a way [rows, seq, d_model]."""
    arriving = torch.zeros(len(data), *stand_in.shape, requires_grad=True)
    waiting = waiting_for(way)
    evaluate(waiting, both | {"difference.of.outputs": arriving}, grad=True).sum().backward()
    return arriving.grad


known: dict[str, dict[Head, torch.Tensor]] = {"direct": {}, "into queries": {}}
known["direct"] = dict.fromkeys(effects["direct"], gradient(STREAM))
for layer in sorted({layer for layer, _ in movers}, reverse=True):  # what all earlier heads reach
    later = [mover for mover in movers if mover[0] >= layer]
    arriving = gradient(into(direct(movers), later, "q") >> STREAM)
    known["into queries"] |= {head: arriving for head in effects["into queries"] if head[0] < layer}
# %%
guessed: dict[str, dict[Head, torch.Tensor]] = {
    kind: {head: torch.zeros(len(data)) for head in found} for kind, found in known.items()
}
for part in torch.arange(len(data)).split(10):  # all heads' outputs at once would need a gigabyte
    some = {name: column[part] for name, column in both.items()}
    written = evaluate([*outputs.values(), *elsewhere.values()], some)
    on_clean = dict(zip(outputs, written, strict=False))
    on_other = dict(zip(outputs, written[len(outputs) :], strict=True))
    for kind, found in known.items():
        for head, slope in found.items():
            guessed[kind][head][part] = attribute(slope[part], on_clean[head], on_other[head])
del known, written, on_clean, on_other
# %%
for kind, found in guessed.items():
    if len(found) < 3:
        print(f"{kind}: {len(found)} edges, too few to rank")
        continue
    exact = torch.stack([effects[kind][head].mean() for head in found])
    cheap = torch.stack([values.mean() for values in found.values()])
    strong = exact.abs().topk(min(20, len(exact))).indices
    every_edge = rank_correlation(cheap, exact)
    strongest = f"the {len(strong)} strongest: {rank_correlation(cheap[strong], exact[strong]):.2f}"
    full_run[f"claims.rank.{kind}"] = (every_edge, math.nan, math.nan)
    at_random = f"at random 0 ± {1 / math.sqrt(len(exact) - 1):.2f}"
    print(f"{kind:14}{len(exact):4} edges: {every_edge:.2f} ({at_random}), {strongest}")
    if kind == "into queries":
        measured("d5.5.p4", every_edge)
# %% [markdown]
# **What you should see**: a high correlation for direct edges, since only the final norm is between a head and the logits. Before the queries act there's a softmax, and a gradient doesn't account for its saturation. If the order is worse there, this is the first suspect. Two unrelated lists of this length have a correlation of 0 on average, with the standard deviation that is printed. A good order doesn't mean that the sizes agree.
#
# Now build a circuit. Take the edges of both kinds with the largest absolute attributions, and let all *other* edges of these kinds carry something else. For *faithfulness* they carry ABC. In the scrub they carry another row of the template. The random circuits have as many edges of each kind as this greedy one.
# %%
ranked = [(abs(float(values.mean())), kind, head) for kind, found in guessed.items()
          for head, values in found.items()]
kept = min(12, len(ranked) // 3)
greedy = [(kind, head) for _, kind, head in sorted(ranked, reverse=True)[:kept]]


def outside(circuit: list[tuple[str, Head]]) -> Selector:
    """Returns the edges of both kinds that a circuit leaves out."""
    left = {kind: [head for head in found if (kind, head) not in circuit]
            for kind, found in guessed.items()}
    if not left["direct"] or not left["into queries"]:
        return direct(left["direct"]) if left["direct"] else sent(left["into queries"], movers)
    return direct(left["direct"]) | sent(left["into queries"], movers)


def random_circuit(seed: int) -> list[tuple[str, Head]]:
    """Returns as many edges of each kind as the greedy circuit has, drawn at random."""
    numbers, drawn = torch.Generator().manual_seed(seed), []
    for kind, found in guessed.items():
        count = sum(each == kind for each, _ in greedy)
        order = torch.randperm(len(found), generator=numbers)[:count].tolist()
        drawn += [(kind, list(found)[place]) for place in order]
    return drawn


for kind in guessed:
    print(f"{kind}: {listed([head for each, head in greedy if each == kind])}")
several = {"greedy": greedy} | {f"random {seed}": random_circuit(seed) for seed in range(4)}
several["nothing"] = []
# %%
print("Faithfulness of six circuits. This takes up to 30 seconds.")
graphs = {name: path_patch(difference, outside(each), {"tokens": other})
          for name, each in several.items()}
on_abc = evaluate(graphs, both, progress=True)
for name, values in on_abc.items():
    mean, se = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, data["template"]).se
    full_run[f"claims.faithful.{name}"] = (float(mean), float(se), float(over_templates))
    print(f"{name:10}{mean:6.2f} ± {se:.2f} ± {over_templates:.2f}   the model {base.mean():.2f}")
# %%
judged = ("greedy", "random 0", "random 1", "nothing")
claim_edges = {name: carries(outside(several[name])) for name in judged}
share_edges = report("edges", test(claim_edges), zero="nothing")
# %% [markdown]
# **What you should see**: the greedy circuit against random circuits of the same size and against no edges at all, in two tests. Most heads have hardly any effect, so random circuits are easy to beat. MLPs and all other kinds of edges stay exact, so the figures are about the choice among these edges and not about a whole circuit. A difference that is *larger* than the model's can mean that heads with negative effects were left out.
#
# *Learned*: a gradient proposes edges cheaply. An exact patch, a scrub and random circuits test the proposal.
# %% [markdown]
# ## d5.5.11 What may you say?
# ●●○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# Write short answers about the model that you ran, with its figures.
#
# 1. Which of the claims stand, which fall, and which are open? Give a share and its error for two of them.
# 2. Choose one verdict and say what its evidence doesn't show.
# 3. A colleague says: "The scrub recovered 95 %, so we know the mechanism." Which figure of this part do you ask for?
#
# After you hand in your answers, `solution("d5.5.11")` shows ours and explains how yours are graded.
# %% [markdown] answer="d5.5.11" points=3
# ### BEGIN SOLUTION
# 1. The answer copies the list of verdicts that the notebook prints for the model in use, and gives the share recovered ± its error for two claims. It says "open" where the share is within two errors of the bar, and doesn't turn "open" into "false".
# 2. For example, claims 3 and 4 are about the direct path from the S-inhibition heads to the movers' queries. MLPs and other heads between them stay exact, so a second path isn't tested. Claim 2 keeps the pattern exact. All claims are about 15 templates and four names in each, and about heads that were selected for a large effect.
# 3. The share of draws that exchange the row, together with the share left free. If few rows are exchanged, a high share says little. A second question is the score of a rival claim on the same path.
#
# *Grading, 3 points, one a question.* Give 1 for verdicts as the notebook prints them, with a share and its error for two claims, and "open" kept apart from "false". Give 1 for one verdict with something that its evidence really doesn't show. Give 1 for the share left free, or for the score of a rival claim.
# ### END SOLUTION
# %% [markdown]
# ## What the full run says
#
# The same code ran once with four times as many draws. Its figures ship with the course and are shown here if you run SmolLM2. The first error is over draws (for `faithful` over prompts), the second over templates.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
for name, (value, over_draws, over_templates) in stored.items():
    if name.startswith("claims."):
        missing = math.isnan(over_draws)
        errors = "no error" if missing else f"± {over_draws:.2f} ± {over_templates:.2f}"
        print(f"{name:36}{value:6.2f} {errors}")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# From memory, without scrolling up. Answer with one of the listed words, or with a number, in the form `recall = {"always": ..., "few": ..., "only": ..., "order": ...}`.
# - `always`: which column does every feature of this part include, `"template"`, `"order"`, `"token.IO"` or `"token.S"`?
# - `few`: a claim recovers 99 % and exchanges the row in one draw of ten. What is the verdict, `"stands"`, `"falls"`, `"open"` or `"says little"`?
# - `only`: how many experiments does a claim with "only" need at least?
# - `order`: another row of the template has the same order. Which property of S is sure to be the same, its `"position"` or its `"token"`?
#
# Stuck? `hint("d5.5.quiz")`
# %% exercise="d5.5.quiz"
### BEGIN SOLUTION
recall = {"always": "template", "few": "says little", "only": 2, "order": "position"}
### END SOLUTION
# %% check="d5.5.quiz" points=2
check("d5.5.quiz", recall)
# %%
predictions("d5")
# %% [markdown]
# ## What you have
#
# You have six sentences about a circuit, each with an experiment that could have refuted it and a verdict that takes the error into account. Part 6 asks whether the same sentences hold in another model.
