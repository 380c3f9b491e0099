# %% [markdown]
# # Day 5, part 6: is it the same in another model?
#
# **Does a circuit belong to the task, to the model, or to the prompts you happened to choose?**
#
# So far you have studied one task in one model. This part changes both. First you ask three models for the same table and find out whether their heads send the same signal. Then you take another behaviour and go through the whole investigation once, from the prompts to a page that a colleague can check. Everything you write here works for any prompt set and for any causal model that the library loads.
#
# **After this part you can**
# - separate two causes and their interaction in a two-by-two table;
# - say "the same", "different" or "open" about two models;
# - define a behaviour by prompts, counterfactual prompts and a metric;
# - find parts on one half of the prompts and measure them on the other half;
# - write "these parts are enough" as a scrub;
# - compare two prompt sets pair by pair, with an exact test;
# - write a finding card that says what would refute it.
#
# **Time**: about 55 minutes without the ★ exercise. The cells that compute take about two minutes with SmolLM2.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), appendix A on position and token signals. Hanna et al. 2023, *How does GPT-2 compute greater-than?* ([arXiv 2305.00586](https://arxiv.org/abs/2305.00586)), sections 2 to 4. SmolLM2 is described in [arXiv 2502.02737](https://arxiv.org/abs/2502.02737).
# %%
import math
import os
from itertools import combinations
from pathlib import Path
import torch
from IPython.display import IFrame
from remix_utils import Exact, Interp, Matching, Node, at, check, circuits, evaluate, find_one
from remix_utils import hint, index, models, path_patch, placeholder, plot, scrub, solution, split
from remix_utils import start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.classroom.findings import Figure, Finding, FindingError, save_card, save_index
from remix_utils.data import Dataset, feature
from remix_utils.graph.selector import Selector
from remix_utils.models import smollm2
from remix_utils.tasks import behaviours, ioi

start_at("d5.6")  # to catch up: start_at("d5.6.5") defines every name that later cells use
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
encode = model.tokenizer.encode
each = 4 if "REMIX_FULL" in os.environ else 1  # prompts of every template in each order
compared = {Path(model.name).name[:20]: model}  # a folder goes by its own name
for name in ("ioi-small", "ioi-small-b"):
    compared.setdefault(name, models.load(name))
full_run, nan = {}, float("nan")
if "smollm2" not in compared:
    print("SmolLM2 isn't the model in use; its stored full run is shown if there is one")
print(f"compared: {', '.join(compared)}")
# %%
Head = tuple[int, int]
HEADS = at("*.attn.head.*.out")
BLOCKS = HEADS | at("*.mlp_out")  # everything that blocks add to the stream


def outputs_of(heads: list[Head]) -> Selector:
    """Returns a selector of what some heads write."""
    return at({f"blocks.{layer}.attn.head.{head}.out" for layer, head in heads})


def inputs_of(heads: list[Head], side: str) -> Selector:
    """Returns a selector of the queries, keys or values of some heads."""
    return at({f"blocks.{layer}.attn.head.{head}.{side}" for layer, head in heads})


def direct(part: Selector) -> Selector:
    """Returns the part, reached through the residual stream and norms alone."""
    return part.avoiding(BLOCKS)


def listed(heads: list[Head]) -> str:
    """Returns heads as text, such as `2.0 2.1`."""
    return " ".join(f"{layer}.{head}" for layer, head in heads)
# %%
def falls(target: Node, ways: dict, data: dict) -> dict:
    """Returns by how much the target falls [rows] if a way reads the other tokens, for each way."""
    other = placeholder("other.tokens", tuple(data["tokens"].shape[1:]), torch.long)
    graphs = [path_patch(target, way, {"tokens": other}) for way in ways.values()]
    before, *after = evaluate([target, *graphs], data, progress=True)
    return {name: before - values for name, values in zip(ways, after, strict=True)}


def largest(effects: dict, base: torch.Tensor, most: int = 6) -> list:
    """Returns up to `most` names with an effect above 3 errors and 2 % of the base."""
    found = {}
    for name, values in effects.items():
        mean, se = circuits.Estimate.over_rows(values)
        if mean > 3 * se and mean > 0.02 * abs(base.mean()):
            found[name] = float(mean)
    return sorted(found, key=lambda name: -found[name])[:most]


def both_errors(values: torch.Tensor, template: torch.Tensor) -> tuple[float, float, float]:
    """Returns the mean of values [rows], with its errors over prompts and over templates."""
    mean, over_prompts = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, template).se
    return float(mean), float(over_prompts), float(over_templates)
# %% [markdown]
# Beside the model in use, the two small models that ship with the course are loaded. SmolLM2 joins them if it is the model in use. Figures are printed with two errors, the first over prompts and the second over templates.
#
# ## One recipe for every model
#
# Each model gets the same treatment. The *readers* are the heads that raise the difference directly. Earlier heads steer them by one of three *sides*, their queries, keys or values, and we take the side through which all earlier heads together do most. The *senders* are the heads that do it.
# %%
def prepared(model) -> dict:
    """Returns a model's prompts as data, beside ABC prompts, and its difference as a graph."""
    encode = model.tokenizer.encode
    words = {"names": ioi.names(encode), "places": ioi.places(encode)}
    clean = ioi.balanced(each, seed=6, objects=ioi.objects(encode), **words)
    data = ioi.dataset(clean, encode, pad=0)
    other = ioi.dataset(clean.abc(seed=6), encode, pad=0)["tokens"]
    graph = model.graph(seq=data["tokens"].shape[1], mask=True)
    difference = circuits.logit_difference(split(graph, "blocks.*.attn_out", "head"))
    return {"clean": clean, "data": data.columns | {"other.tokens": other}, "graph": difference}


def into(readers: list[Head], side: str) -> Selector:
    """Returns the way from the logits directly to the readers, and to one of their sides."""
    return direct(outputs_of(readers)) >> direct(inputs_of(readers, side))


def recipe(model, ready: dict) -> dict:
    """Returns the readers of a model, the side by which heads steer them, and the senders."""
    graph, data = ready["graph"], ready["data"]
    heads = list(circuits.head_outputs(graph))
    base = evaluate(graph, data)
    effects = falls(graph, {head: direct(outputs_of([head])) for head in heads if head[0]}, data)
    readers = largest(effects, base) or list(effects)[-2:]
    sides = {side: into(readers, side) >> direct(HEADS) for side in "qkv"}
    by_side = {side: float(fall.mean()) for side, fall in falls(graph, sides, data).items()}
    side = max(by_side, key=lambda side: by_side[side])
    earlier = [head for head in heads if head[0] < max(layer for layer, _ in readers)]
    ways = {head: into(readers, side) >> direct(outputs_of([head])) for head in earlier}
    effects = falls(graph, ways, data)
    senders = largest(effects, base) or [max(effects, key=lambda head: effects[head].mean())]
    return {"base": base, "readers": readers, "side": side, "senders": senders}
# %%
print("Readers and senders of each model; this takes up to 40 seconds.")
ready = {name: prepared(each_model) for name, each_model in compared.items()}
found = {name: recipe(each_model, ready[name]) for name, each_model in compared.items()}
SIDES = {"q": "queries", "k": "keys", "v": "values"}
for name, each_found in found.items():
    value, over_prompts, over_templates = both_errors(
        each_found["base"], ready[name]["data"]["template"]
    )
    print(f"{name}: difference {value:.2f} ± {over_prompts:.2f} ± {over_templates:.2f}")
    print(f"   readers {listed(each_found['readers'])}, steered by their", end=" ")
    print(f"{SIDES[each_found['side']]}; senders {listed(each_found['senders'])}")
# %% [markdown]
# ## d5.6.1 Two causes in one table
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# ![Four boxes in two rows and two columns. The upper row has the same position, with the same token at the left and another token at the right. The lower row has an inverted position, again with the same token and another token. Arrows along the rows are labelled token. Arrows down the columns are labelled position. The effect of each cause is averaged over the other.](diagram:two_by_two)
#
# Now the senders see another prompt, and everything else sees the clean one. In the other prompt the subject's *token* is the same or another, and its *position* is the same or inverted. That makes four numbers for each prompt. Which cause matters, and do the two causes act separately?
#
# The *effect* of a cause is what the difference loses when the cause changes, averaged over both states of the other cause. If the loss depends on the other cause, there's an *interaction*. It is half of (loss by the token at the same position − loss by the token at the inverted position).
#
# Write `contrasts`. `table["another, same"]` has the values [rows] for another token at the same position. The other keys are `"same, same"`, `"same, inverted"` and `"another, inverted"`. It returns the effect of the token, the effect of the position and the interaction, each [rows]. Row by row is better than from the means, since the errors then come from differences within a prompt.
#
# Stuck? `hint("d5.6.1")`
# %% exercise="d5.6.1"
def contrasts(table: dict[str, torch.Tensor]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """The effects of token and position and their interaction, each [rows]."""
    ### BEGIN SOLUTION
    same = table["same, same"] - table["another, same"]
    inverted = table["same, inverted"] - table["another, inverted"]
    kept = table["same, same"] + table["another, same"]
    moved = table["same, inverted"] + table["another, inverted"]
    return (same + inverted) / 2, (kept - moved) / 2, (same - inverted) / 2
    ### END SOLUTION
# %% check="d5.6.1" points=2
check("d5.6.1", contrasts)
# %% [markdown]
# Will the senders of all compared models send the same signal? Write `"token"`, `"position"` or `"neither"` for each model, in the order in which they were printed.
# %%
predict("d5.6.p1", ..., "what the senders send, token, position or neither, model by model")
# %%
CASES = ("same, same", "another, same", "same, inverted", "another, inverted")


def other_prompts(clean: ioi.Prompts) -> dict:
    """Returns the four prompts of the table, and one with another IO."""
    another = clean.flip("S", seed=6)
    four = (clean, another, clean.flip("order"), another.flip("order"))
    return dict(zip(CASES, four, strict=True)) | {"another IO": clean.flip("IO", seed=6)}


def tables(model, ready: dict, found: dict) -> dict:
    """Returns the difference [rows] in each case, if whole senders or one path see its prompt."""
    path = into(found["readers"], found["side"]) >> direct(outputs_of(found["senders"]))
    ways = {"whole heads": outputs_of(found["senders"]), "path": path}
    data, graphs = dict(ready["data"]), {}
    for case, prompts in other_prompts(ready["clean"]).items():
        tokens = ioi.dataset(prompts, model.tokenizer.encode, pad=0)["tokens"]
        source = placeholder(f"seen in {case}", tuple(tokens.shape[1:]), torch.long)
        data[source.name] = tokens
        for kind, way in ways.items():
            graphs[kind, case] = path_patch(ready["graph"], way, {"tokens": source})
    return evaluate(graphs, data)
# %%
print("What the senders of each model send; this takes up to 30 seconds.")
signals = {
    name: tables(each_model, ready[name], found[name]) for name, each_model in compared.items()
}
figures = {}  # (model, kind, case): the mean with both errors
for name, values in signals.items():
    for (kind, case), rows in values.items():
        figures[name, kind, case] = both_errors(rows, ready[name]["data"]["template"])
        full_run[f"elsewhere.{name}.{kind}.{case}"] = figures[name, kind, case]
columns, stored = list(signals), smollm2.measured()
if "smollm2" not in columns and "elsewhere.smollm2.path.another IO" in stored:
    columns.append("smollm2")
    for kind in ("whole heads", "path"):
        for case in (*CASES, "another IO"):
            figures["smollm2", kind, case] = stored[f"elsewhere.smollm2.{kind}.{case}"]
# %%
PUBLISHED = {CASES[0]: 3.55, CASES[1]: 2.45, CASES[2]: -0.99, CASES[3]: -1.96}


def show(kind: str, published: dict) -> None:
    """Prints the table of each model side by side, with both errors."""
    print(f"{kind}: value ± over prompts ± over templates")
    heading = " ".join(f"{name:>22}" for name in columns)
    print(f"{'token, position of S':22} {heading}{'GPT-2, published' if published else '':>20}")
    for case in (*CASES, "another IO"):
        cells = ["{:6.2f} ± {:.2f} ± {:.2f}".format(*figures[name, kind, case]) for name in columns]
        line = f"{case:22} " + " ".join(f"{cell:>22}" for cell in cells)
        print(line + (f"{published[case]:>20.2f}" if case in published else ""))


show("whole heads", PUBLISHED)
# %% [markdown]
# **What you should see**: the first line is the model itself. If the first and the third line differ, the position matters. If the first and the second line differ, the token matters. The last line isn't part of the table. It asks a question that the table has no place for, namely what happens if the *IO* is another name. A model whose four numbers agree may send something that the table doesn't vary.
#
# GPT-2's column is from Wang et al. (2022), with their prompts and S-inhibition heads. Their prompts aren't ours, so compare signs and ratios only.
#
# In this table whole heads see the other prompt, so everything that reads a sender is affected. Now the same five prompts for a single path, from the senders into the side of the readers by which they're steered.
# %%
predict("d5.6.p2", ..., "in how many of these models will the two tables tell different stories")
# %%
show("path", {})
# %%
def shares(name: str, kind: str) -> dict[str, tuple[float, float]]:
    """Returns each contrast as a share of the model's difference, with its larger error."""
    parts = contrasts({case: signals[name][kind, case] for case in CASES})
    base = found[name]["base"].mean()
    result = {}
    for cause, values in zip(("token", "position", "interaction"), parts, strict=True):
        estimate = both_errors(values / base, ready[name]["data"]["template"])
        full_run[f"elsewhere.{name}.{kind}.share of {cause}"] = estimate
        result[cause] = estimate[0], max(estimate[1:])
    return result


def signal_of(found_shares: dict[str, tuple[float, float]]) -> str:
    """Returns the causes whose effect is above a fifth of the difference for sure."""
    sure = []
    for cause in ("token", "position"):
        value, se = found_shares[cause]
        if value - 2 * se > 0.2:
            sure.append(cause)
    return " and ".join(sure) or "neither"


by_kind = {(name, kind): shares(name, kind) for name in signals for kind in ("whole heads", "path")}
for (name, kind), parts in by_kind.items():
    line = ", ".join(f"{cause} {value:.0%} ± {se:.0%}" for cause, (value, se) in parts.items())
    print(f"{name:12} {kind:12} {line}   sends: {signal_of(parts)}")
sent = {key: signal_of(parts) for key, parts in by_kind.items()}
measured("d5.6.p1", ", ".join(sent[name, "path"] for name in signals))
differ = [name for name in signals if sent[name, "path"] != sent[name, "whole heads"]]
measured("d5.6.p2", len(differ))
# %% [markdown]
# **What you should see**: shares of the model's difference that are lost, with the larger of the two errors. If the two tables of a model tell different stories, its senders have more than one path to the logits, and the effects of these paths cancel for one prompt and not for another. A head may raise both names of the sentence directly, and also lower the subject's name through a reader. If S is another name, both effects vanish, and the sum hardly moves. The whole-head table then says that the token of S doesn't matter.
#
# What this doesn't show: the senders are a short list, and the path stops at the readers' own side. A model may send the same fact along paths that aren't in this table.
#
# *Learned*: a table answers for the causes that it varies and for the paths that it patches. Models that do the same task equally well may use different signals.
# %% [markdown]
# ## d5.6.2 The same, or not known to differ?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Two shares of 40 ± 15 % and 60 ± 15 % don't differ "significantly". Does that make the two models the same? It doesn't, since such errors would hide a large difference. To claim that two models are *the same*, you need a margin, chosen before you look, and a difference that's inside the margin for sure.
#
# Write `same_way` for two figures, each a value with its standard error. The error of their difference is the root of the sum of squared errors. It returns
# - `"same"` if the difference in size, plus two errors, is below the margin;
# - `"different"` if the difference in size, minus two errors, is above the margin;
# - `"open"` otherwise.
#
# Stuck? `hint("d5.6.2")`
# %% exercise="d5.6.2"
def same_way(
    first: tuple[float, float], second: tuple[float, float], margin: float = 0.25
) -> str:
    """Returns "same", "different" or "open" for two values with their errors."""
    ### BEGIN SOLUTION
    apart = abs(first[0] - second[0])
    error = 2 * math.hypot(first[1], second[1])
    if apart + error < margin:
        return "same"
    return "different" if apart - error > margin else "open"
    ### END SOLUTION
# %% check="d5.6.2" points=1
check("d5.6.2", same_way)
# %%
print("shares of the difference along the path, within a margin of 25 %")
for one, other in combinations(signals, 2):
    for cause in ("token", "position"):
        pair = by_kind[one, "path"][cause], by_kind[other, "path"][cause]
        values = " and ".join(f"{value:.0%} ± {se:.0%}" for value, se in pair)
        print(f"{cause:9} {one}, {other}: {values}: {same_way(*pair)}")
# %% [markdown]
# **What you should see**: a verdict for each pair of models and each cause. Two shares can be the same although the readers of one model are steered by their queries and those of another by their values, because the table doesn't compare *how* a fact arrives. "Open" calls for more prompts. The full run has four times as many.
#
# What this doesn't show: a share near 0 in both models counts as the same. It means that neither path carries this cause, and not that the two models work alike.
#
# *Learned*: "no significant difference" and "the same" are different claims. The second one needs a margin.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which margin would you have chosen before you saw the table, and why?" Explain to each other how two models can lose the same share of the difference for different reasons. *Alone:* find the smallest margin at which one of the "different" pairs becomes "open".
# %% [markdown]
# ## Your own behaviour, the kit
#
# One task in several models was the first change. The second is another task. The rest of this part goes through a whole investigation of one more behaviour. The library has six ready prompt sets. Each prompt has a *counterfactual* of as many tokens, in which the fact that decides the answer is another one. It also has right and wrong next words, and two sentences that may be put in front.
# - `"greater-than"`: "The war lasted from the year 1732 to the year 17" and then a later year (Hanna et al. 2023);
# - `"docstring"`: the next argument of a Python function (Heimersheim and Janiak 2023, [A circuit for Python docstrings](https://www.alignmentforum.org/posts/u6KXXmKFbXfWzoAXn));
# - `"gender"`: "So Anna is a really great friend, isn't" and then "she";
# - `"mentioned"`: a sentence about three people, and then one of them rather than a fourth;
# - `"induction"`: a list of names that starts again;
# - `"subject"`: a sentence in which the subject should be named once more.
#
# Which of these does your model do at all? The cell prints the share of prompts in which the best right word beats the best wrong word.
# %%
def at_end(prompts: list) -> tuple[Dataset, torch.Tensor]:
    """Returns prompts as data, and the model's logits of all next words at END [rows, vocab]."""
    data = behaviours.dataset(prompts, encode)
    graph = model.graph(seq=data["tokens"].shape[1], mask=True)
    return data, evaluate(index(graph, -1), data)


def best_is_right(data: Dataset, logits: torch.Tensor) -> torch.Tensor:
    """Returns whether the best right word beats the best wrong word [rows]."""
    words, right = logits.gather(1, data["candidates"]), data["right"]
    best = words.masked_fill(~right, -torch.inf).amax(1)
    return best > words.masked_fill(right, -torch.inf).amax(1)


print(f"Ready prompt sets in {model.name}; this takes up to 15 seconds.")
known = behaviours.ready(encode, longest=model.config["n_ctx"] - 8)
for name in known:
    prompts = behaviours.prompts(name, encode, each=2, seed=6)
    right = best_is_right(*at_end(prompts)).double()
    print(f"{name:14}{right.mean():5.0%} right, {len(prompts)} prompts: {prompts[0].text[-48:]!r}")
missing = [name for name in behaviours.BEHAVIOURS if name not in known]
print(f"not readable by this tokenizer, or too long: {', '.join(missing) or 'none'}")
# %% [markdown]
# We take greater-than if the tokenizer can read it, and "mentioned" otherwise. For d5.6.8 you'll change this cell and run on from here.
# %%
chosen = "greater-than" if "greater-than" in known else "mentioned"
templates = behaviours.BEHAVIOURS[chosen][0]
prompts = behaviours.prompts(chosen, encode, each=each * max(2, 30 // templates), seed=6)
for prompt in prompts[:2]:
    print(f"text           {prompt.text!r}\ncounterfactual {prompt.other!r}")
    print(f"right {' '.join(prompt.right)} | wrong {' '.join(prompt.wrong)} | fact {prompt.fact}\n")
data, logits = at_end(prompts)
print(f"{chosen} in {model.name}: {len(data)} prompts of {templates} templates")
# %% [markdown]
# ## d5.6.3 A metric for sets of words
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# In IOI one name is right and one is wrong. After "from the year 1732 to the year 17" several words are right. So the metric needs sets. We take the mean logit of the right words minus the mean logit of the wrong words. It's a weighted sum of logits, so heads and MLPs add up to it as they do to a logit difference. And the weights sum to 0, so a part that raises all words alike adds nothing.
#
# Write `weights` for `right` [rows, words], true at the right words. It returns the weights [rows, words] of this metric. The number of right words may differ from row to row. `circuits.word_score(graph, words)` then builds the metric as a node that reads the inputs `candidates` and `weights`.
#
# Stuck? `hint("d5.6.3")`
# %% exercise="d5.6.3"
def weights(right: torch.Tensor) -> torch.Tensor:
    """The weights [rows, words] of the mean over right words minus the mean over wrong ones."""
    ### BEGIN SOLUTION
    right = right.float()
    wrong = 1 - right
    return right / right.sum(1, keepdim=True) - wrong / wrong.sum(1, keepdim=True)
    ### END SOLUTION
# %% check="d5.6.3" points=1
check("d5.6.3", weights)
# %%
def as_inputs(data: Dataset) -> Dataset:
    """Returns the data with the weights of its words as one more column."""
    return Dataset(data.columns | {"weights": weights(data["right"]).float()})


def report(name: str, values: torch.Tensor, more: str = "", template=None) -> None:
    """Prints the mean of values [rows] with both errors, and keeps them for the full run."""
    estimate = both_errors(values, data["template"] if template is None else template)
    full_run[f"elsewhere.{chosen}.{name}"] = estimate
    print("{:32}{:6.2f} ± {:.2f} ± {:.2f}".format(name, *estimate) + more)


data = as_inputs(data)
graph = split(model.graph(seq=data["tokens"].shape[1], mask=True), "blocks.*.attn_out", "head")
score = circuits.word_score(graph, data["candidates"].shape[1])
elsewhere = data.columns | {"tokens": data["other.tokens"]}
base, on_other = evaluate(score, data), evaluate(score, elsewhere)
chances = logits.softmax(-1).gather(1, data["candidates"])
sides = {"right": (chances * data["right"]).sum(1), "wrong": (chances * ~data["right"]).sum(1)}
report("score", base)
report("score on the counterfactual", on_other)
report("best word is right", best_is_right(data, logits).double())
report("P(right) - P(wrong)", sides["right"] - sides["wrong"])
report("P(right) + P(wrong)", sides["right"] + sides["wrong"])
# %% [markdown]
# **What you should see**: a behaviour is worth studying if the score is far from its value on the counterfactual. The second line is measured with the *first* prompt's right words, so it tells how much of the score comes from the fact. The last line says how often any of these words comes next at all. If it's small, then the metric describes a small part of the model's prediction.
#
# *Learned*: a behaviour is defined by prompts, counterfactuals and a metric. A different choice of any of the three is another behaviour.
# %% [markdown]
# ## d5.6.4 Found here, measured there
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Which parts write the answer? A sweep over all heads and MLPs gives hundreds of effects, and you'll pick the largest. The largest of many noisy numbers is too large on average, which is called the *winner's curse*. The cure costs half of the prompts. Choose on one half, and report what the chosen parts do on the other half.
#
# Write `found_then_measured`. `effects` has values [rows] by name, and `first` [rows] is true at rows of the first half. A part is chosen if its mean over the first half is above three standard errors and above `least`. The result has a `circuits.Estimate` over the *second* half for each chosen part, ordered by the mean on the first half, the largest first.
#
# Stuck? `hint("d5.6.4")`
# %% exercise="d5.6.4"
def found_then_measured(
    effects: dict[str, torch.Tensor], first: torch.Tensor, least: float
) -> dict[str, circuits.Estimate]:
    """What the parts that stand out in the first half do in the second half."""
    ### BEGIN SOLUTION
    means = {}
    for name, values in effects.items():
        mean, se = circuits.Estimate.over_rows(values[first])
        if mean > 3 * se and mean > least:
            means[name] = mean
    order = sorted(means, key=lambda name: -means[name])
    return {name: circuits.Estimate.over_rows(effects[name][~first]) for name in order}
    ### END SOLUTION
# %% check="d5.6.4" points=2
check("d5.6.4", found_then_measured)
# %% [markdown]
# In IOI the last step is made by heads. Will it be heads here, too? Guess the share of all direct effects that comes from heads, the rest coming from MLPs.
# %%
predict("d5.6.p3", ..., "share of the direct effects that comes from heads, in per cent")
# %%
heads = [listed([head]) for head in circuits.head_outputs(graph)]
mlps = [f"MLP {layer}" for layer in range(model.config["n_layers"]) if model.config["d_mlp"]]


def outputs(names: list[str]) -> Selector:
    """Returns a selector of what some parts write, such as those of ["MLP 3", "2.0"]."""
    nodes = {f"blocks.{name.split()[1]}.mlp_out" for name in names if name in mlps}
    for name in set(names) - set(mlps):
        nodes.add("blocks.{}.attn.head.{}.out".format(*name.split(".")))
    return at(nodes)


def layer_of(name: str) -> float:
    """Returns a part's place in the model; an MLP comes after the heads of its layer."""
    if name in mlps:
        return int(name.split()[1]) + 0.5
    return int(name.split(".")[0])
# %%
parts = [*heads, *mlps]
print(f"Direct effects of {len(parts)} parts of {model.name}; this takes up to 30 seconds.")
effects = falls(score, {name: direct(outputs([name])) for name in parts}, data.columns)
first = torch.arange(len(data)) % 2 == 0
stands_out = found_then_measured(effects, first, least=0.02 * float(base.abs().mean()))
writers = list(stands_out)[:6]
if not writers:
    print("no part stands out; the last ones take the place, as an example")
    writers = sorted(parts, key=layer_of)[-2:]
# %%
total = sum(effects.values())
report("lost on the counterfactual", base - on_other)
report("all direct effects", total)
for name in writers:
    mean = effects[name][first].mean()
    report(f"direct.{name}", effects[name][~first], f"   on the first half {mean:.2f}",
           data["template"][~first])
rest = [values for name, values in effects.items() if name not in writers]
report("direct.all others", sum(rest))
of_heads = sum(effects[name] for name in heads)
report("direct.all heads", of_heads)
measured("d5.6.p3", 100 * of_heads.mean() / total.mean())
if not mlps:
    print(f"{model.name} has no MLPs, so all of it comes from heads")
# %% [markdown]
# **What you should see**: each line of a part has its effect on the second half, and at the end the effect on the half in which it was chosen. If an effect shrinks by more than its error, luck had a part in the choice. If the writers are MLPs, they can't have read the earlier word themselves, since an MLP sees one position only. Something must have brought the fact to END.
#
# So the next sweep asks which heads and MLPs send something into the writers, directly.
# %%
into_writers = direct(outputs(writers))
last = max(layer_of(name) for name in writers)
before = [name for name in parts if layer_of(name) < last]
print(f"{len(before)} parts into the writers; this takes up to 40 seconds.")
ways = {name: into_writers >> direct(outputs([name])) for name in before}
feeding = falls(score, ways, data.columns)
feeders = found_then_measured(feeding, first, least=0.02 * float(base.abs().mean()))
for name in list(feeders)[:6]:
    report(f"feeds.{name}", feeding[name][~first], template=data["template"][~first])
feeding_heads = [name for name in feeders if name in heads][:3]
if not feeding_heads:
    print("no head feeds the writers for sure; the strongest takes the place, as an example")
    earlier = [name for name in before if name in heads]
    feeding_heads = [max(earlier, key=lambda name: float(feeding[name].mean()))]
# %% [markdown]
# Where do these heads look from END? And do the detectors of day 2 know them?
# %%
print(f"Patterns and detectors of {model.name}; this takes up to 20 seconds.")
looking = dict.fromkeys([*feeding_heads, *(name for name in writers if name in heads)])
names = {name: "blocks.{}.attn.head.{}.pattern".format(*name.split(".")) for name in looking}
patterns = evaluate({name: index(find_one(graph, node), -1) for name, node in names.items()}, data)
detectors = {
    "induction": circuits.prefix_matching(model).mean,
    "duplicate": circuits.duplicate_token(model).mean,
    "previous": circuits.previous_token(model).mean,
}
for name, pattern in patterns.items():
    seen = pattern.gather(1, data["position.fact"][:, None])[:, 0]
    layer, head = map(int, name.split("."))
    scores = ", ".join(f"{kind} {values[layer, head]:.2f}" for kind, values in detectors.items())
    report(f"attends to the fact.{name}", seen, f"   {scores}")
# %%
means = torch.stack([effects[name].mean() for name in heads]).reshape(-1, model.config["n_heads"])
picture = plot.heads(means, f"{chosen}: direct effect of each head", "logits")
picture
# %% [markdown]
# **What you should see**: the attention from END to the word that decides the answer, next to three scores on random tokens. A head can attend to the fact on these prompts and have low scores on random tokens. Then the repetition of tokens isn't what it reacts to.
#
# For greater-than in GPT-2-small, Hanna et al. (2023) describe heads that attend to the first year and pass it to a few late MLPs. Compare this with your lists.
#
# *Learned*: choose on one half and report the other half. Then say what the list leaves out.
#
# > **Pair card.** Swap. The navigator asks: "Which of our writers would have been dropped if the halves were exchanged?" Explain to each other why the largest of 300 noisy effects is too large. *Alone:* exchange the halves with `~first` and compare the two lists.
# %% [markdown]
# ## d5.6.5 Enough for the behaviour?
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# The hypothesis so far: *the writers' direct output carries the fact, and that is all the score needs.* A scrub can test both halves of this sentence. The writers read a row with the same template and the same fact. Everything else reads a row of the same template with any fact. The words that are compared must stay those of the reference, otherwise you'd ask another question than the one you score.
#
# Write `hypothesis`. What `path` selects reads a row that agrees in the columns of `carried`. Everything else reads a row that agrees in the columns of `rest`, or the reference itself if `rest` is `None`. The inputs `"candidates"` and `"weights"` are exact. `same(*columns)` is given and always includes the template. The root is the node `"word_score"`. Name the child of `path` `"path"`, since later cells look up its rows by this name.
#
# Stuck? `hint("d5.6.5")`
# %%
def same(*columns: str):
    """Returns a feature in which rows agree if their template and all these columns agree."""

    def agree(data):
        return torch.stack([data[name] for name in ("template", *columns)], dim=1)

    return feature(agree)
# %% exercise="d5.6.5"
def hypothesis(path: Selector, carried: tuple, rest: tuple | None) -> Interp:
    """Returns the claim that `path` carries some columns, and everything else other ones."""
    ### BEGIN SOLUTION
    kept = [Interp(name, at(name), Exact()) for name in ("candidates", "weights")]
    kept.append(Interp("path", path, Matching(same(*carried))))
    others = Exact() if rest is None else Matching(same(*rest))
    return Interp("score", at("word_score"), Exact(), kept, others=others)
    ### END SOLUTION
# %% check="d5.6.5" points=2
check("d5.6.5", hypothesis)
# %% [markdown]
# How much of the score do the writers recover by themselves, if everything else reads a row with any fact?
# %%
predict("d5.6.p4", ..., "per cent recovered if only the writers carry the fact")
# %%
draws = 200 if "REMIX_FULL" in os.environ else 60
many = behaviours.prompts(chosen, encode, each=max(8, 100 // templates), seed=7, facts=4)
population = as_inputs(behaviours.dataset(many, encode))
seq, words = population["tokens"].shape[1], population["candidates"].shape[1]
whole = split(model.graph(seq=seq, mask=True), "blocks.*.attn_out", "head")
agreeing = Matching(same("fact")).support(population, torch.arange(len(population))).size.double()
print(f"{len(population)} prompts; {agreeing.mean():.1f} agree in template and fact on average")
order = torch.randperm(len(parts), generator=torch.Generator().manual_seed(6)).tolist()
drawn: list[str] = []  # for each writer another part at random, of its kind if there is one left
for writer in writers:
    left = [parts[k] for k in order if parts[k] not in [*writers, *drawn]]
    alike = [name for name in left if (name in mlps) == (writer in mlps)]
    drawn.append((alike or left)[0])
print(f"random parts, as many: {', '.join(drawn)}")
# %%
fed = into_writers >> direct(outputs(feeding_heads))
claims = {
    "model": Interp("score", at("word_score"), Exact()),
    "nothing carries the fact": hypothesis(into_writers, (), ()),
    "writers alone carry it": hypothesis(into_writers, ("fact",), ()),
    "all but the writers carry it": hypothesis(into_writers, (), ("fact",)),
    "everything carries it": hypothesis(into_writers, ("fact",), ("fact",)),
    "random parts alone carry it": hypothesis(direct(outputs(drawn)), ("fact",), ()),
    "feeding heads send the fact": hypothesis(fed, ("fact",), None),
    "feeding heads send anything": hypothesis(fed, (), None),
}
# %%
print(f"{len(claims)} hypotheses on {model.name}; this takes up to 30 seconds.")
results = scrub(circuits.word_score(whole, words), claims, population, draws, seed=6)
recovered = {}
for name, result in results.items():
    nothing = results["nothing carries the fact"]
    recovered[name] = result.recovered(results["model"], nothing)
    template = population["template"][result.rows["reference"]]
    se = f"   recovered {recovered[name]:.2f} ± {recovered[name].se:.2f}"
    report(f"scrub.{name}", result.per_example, se, template)
    share = (float(recovered[name]), float(recovered[name].se), nan)
    full_run[f"elsewhere.{chosen}.recovered.{name}"] = share
alone = recovered["writers alone carry it"]
measured("d5.6.p4", 100 * float(alone), 100 * float(alone.se))
by_path = results["writers alone carry it"].rows
moved = (by_path["path"] != by_path["reference"]).double().mean()
print(f"{moved:.0%} of the draws read another row in the writers")
# %% [markdown]
# **What you should see**: the lines "writers alone" and "all but the writers" belong together. If their shares add up to about 1, the two groups act separately. "Everything carries it" asks whether the fact is the right one at all. If this share is near 1, then other details of the prompt don't matter. The line "random parts" is what as many other heads and MLPs recover alone. The last two lines are about one step further back. If "send anything" costs little, the feeding heads aren't the only way by which the fact reaches the writers.
#
# What this doesn't show: the sweeps compared each prompt with its counterfactual, and a scrub draws any row of the template. So a share of the one needn't equal a share of the other. The claim names the fact and where it's written, but not how the writers compute the answer from it. And the templates are those on which the parts were found.
#
# *Learned*: "enough" and "needed" are two scrubs. A list of parts should pass both before you call it the mechanism.
# %% [markdown]
# ## d5.6.6 Prompts that mislead, pair by pair
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# The *misleading* sentence suggests a wrong answer, and the *control* sentence has the same form and suggests the right one. Both are put in front of the same prompts. Which prompts tell something? Those that are right after one sentence and wrong after the other. If the sentence made no difference, each of these would go either way with a chance of one half.
#
# Write `paired` for two tensors of booleans [rows], whether the answer is right after the control and after the misleading sentence. It returns the number of prompts that turn wrong, the number that turn right, and the p-value. That's the probability under fair coins that the smaller of both numbers is this small or smaller, times two because there are two sides, and at most 1. `math.comb(n, k)` counts the ways to choose k of n.
#
# Stuck? `hint("d5.6.6")`
# %% exercise="d5.6.6"
def paired(control: torch.Tensor, misleading: torch.Tensor) -> tuple[int, int, float]:
    """How many prompts turn wrong, how many turn right, and the exact two-sided p-value."""
    ### BEGIN SOLUTION
    lost = int((control & ~misleading).sum())
    gained = int((~control & misleading).sum())
    n = lost + gained
    ways = sum(math.comb(n, k) for k in range(min(lost, gained) + 1))
    return lost, gained, min(1.0, 2 * ways / 2**n)
    ### END SOLUTION
# %% check="d5.6.6" points=1
check("d5.6.6", paired)
# %%
predict("d5.6.p5", ..., "per cent wrong after the misleading sentence")
# %%
print(f"Two sentences in front, in {model.name}; this takes up to 15 seconds.")
right, scores = {}, {}
for kind in ("control", "misleading"):
    after = behaviours.in_front(prompts, kind)
    changed, its_logits = at_end(after)
    right[kind] = best_is_right(changed, its_logits)
    scores[kind] = (its_logits.gather(1, changed["candidates"]) * weights(changed["right"])).sum(1)
    print(f"{kind}: {after[0].text!r}")
    report(f"score.{kind}", scores[kind], f"   {(~right[kind]).double().mean():.0%} wrong")
report("misleading - control", scores["misleading"] - scores["control"])
lost, gained, p_value = paired(right["control"], right["misleading"])
print(f"{lost} prompts turn wrong, {gained} turn right, p = {p_value:.2g}")
wrong = (~right["misleading"]).double()
measured("d5.6.p5", 100 * wrong.mean(), 100 * wrong.std() / len(wrong) ** 0.5)
# %% [markdown]
# **What you should see**: the score can fall for sure while no answer changes, since the score has a margin above 0. Report both. With few prompts that change, the p-value can't be small, whatever happens. If 3 prompts change and all of them turn wrong, it's 0.25.
#
# *Learned*: compare prompt sets pair by pair. Prompts that don't change say nothing about the direction.
#
# > **Pair card.** Swap. The navigator asks: "Which sentence would mislead the mechanism that we found, rather than the model in general?" Explain to each other why unchanged prompts don't count in the test. *Alone:* write one more misleading sentence and predict the change of the score.
# %% [markdown]
# ## d5.6.7 A figure with its error
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# A finding is useful to others if it says what was measured, how sure it is, what it doesn't show, and which experiment would refute it. The library writes these as a *finding card*, a single HTML page that opens without a network. Every number on it is a `Figure(name, value, se, over=..., unit=...)`.
#
# Prompts of one template share words, so the error over templates may be larger than the one over prompts, and then it's the honest one. Write `figure` for values [rows] and their `template` [rows]. It returns a `Figure` with the mean and the *larger* of both errors. Its `over` reads like `"30 prompts, 5 templates"`. With a single template there's no error over templates (it's NaN), and the one over prompts is taken.
#
# Stuck? `hint("d5.6.7")`
# %% exercise="d5.6.7"
def figure(name: str, values: torch.Tensor, template: torch.Tensor, unit: str) -> Figure:
    """The mean of values [rows] with the larger of its two errors, for a finding card."""
    ### BEGIN SOLUTION
    mean, over_prompts = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, template).se
    errors = [float(over_prompts), float(over_templates)]
    se = max(error for error in errors if not math.isnan(error))
    over = f"{len(values)} prompts, {len(template.unique())} templates"
    return Figure(name, float(mean), se, over=over, unit=unit)
    ### END SOLUTION
# %% check="d5.6.7" points=1
check("d5.6.7", figure)
# %% [markdown]
# Now the card of this investigation. Its sentences are filled from the measurements. What stayed unexplained is listed like any other result.
# %%
second = data["template"][~first]
against = scores["misleading"] - scores["control"]
numbers = [
    figure("score", base, data["template"], "logits"),
    figure("score on the counterfactual", on_other, data["template"], "logits"),
    figure("misleading − control", against, data["template"], "logits"),
]
for name in writers:
    numbers.append(figure(f"direct effect of {name}", effects[name][~first], second, "logits"))
for name in list(claims)[2:]:
    share = recovered[name]
    numbers.append(Figure(name, float(share), float(share.se), f"{draws} draws", "recovered"))
per_cent = {name: f"{share:.0%} ± {share.se:.0%}" for name, share in recovered.items()}
# %%
about = [tuple(map(int, name.split("."))) for name in [*writers, *feeding_heads] if name in heads]
own = Finding(
    behaviour=chosen,
    model=next(iter(compared)),
    heads=dict.fromkeys(about),
    figures=numbers,
    claim=f"{', '.join(writers)} write the answer at the last position. If only they carry the "
    f"fact, {per_cent['writers alone carry it']} of the score is recovered.",
    does_not_show="How the writers turn the fact into an answer. The prompts come from "
    f"{templates} templates, and each counterfactual changes one fact.",
    refuted_by="Fresh templates on which these writers recover less than half of the score, or "
    "another list of as many parts that recovers as much.",
    unexplained=f"With any fact in the writers, {per_cent['all but the writers carry it']} of the "
    f"score is still recovered. The strongest heads that feed the writers are "
    f"{', '.join(feeding_heads)}. With any fact sent by these heads, "
    f"{per_cent['feeding heads send anything']} is left, so the fact also arrives in other ways.",
)
print(own.claim, own.unexplained, sep="\n\n")
# %% [markdown]
# The cards go into the folder `findings` beside this notebook. A card that's already there is left as it is. To replace one of your own, pass `replace=True`.
# %%
def keep(finding: Finding, pictures=()) -> None:
    """Saves a card, and leaves a card of the same name alone."""
    try:
        print(f"saved {save_card(finding, 'findings', pictures)}")
    except FindingError as problem:
        print(str(problem).splitlines()[0], "It's left as it is.")


keep(own, [picture])
# %%
for name, each_found in found.items():
    template, its_shares = ready[name]["data"]["template"], by_kind[name, "path"]
    size = f"{len(template)} prompts, {len(template.unique())} templates"
    values = [figure("logit difference", each_found["base"], template, "logits")]
    for cause, pair in its_shares.items():
        values.append(Figure(f"share of {cause}", *pair, over=size, unit="share"))
    senders, side = listed(each_found["senders"]), SIDES[each_found["side"]]
    keep(Finding(
        behaviour="what the senders send in IOI",
        model=name,
        heads=each_found["senders"],
        figures=values,
        claim=f"{senders} send to the {side} of {listed(each_found['readers'])}. Of token and "
        f"position of S, this path depends on: {signal_of(its_shares)}.",
        does_not_show="What other paths carry, or what these heads do in other sentences.",
        refuted_by="Prompts on which the other cause takes as much of the difference away.",
    ))
# %%
page = save_index("findings")
IFrame(str(page), width="100%", height=700)
# %% [markdown]
# **What you should see**: the index has menus for model, behaviour, layer and head. Choose the behaviour about IOI, and the cards of the models stand side by side. Below the cards, a table has the figures that several models share. Is it the same way in two models? `same_way` answers for each line, within a margin.
# %%
for one, other in combinations(found, 2):
    print(f"{one} and {other}: the same way?", end=" ")
    for cause in ("token", "position"):
        print(cause, same_way(by_kind[one, "path"][cause], by_kind[other, "path"][cause]), end="  ")
    print()
# %% [markdown]
# *Learned*: a card makes a claim that somebody else can refute, with the error that decides it.
# %% [markdown]
# ## d5.6.8 ★ Your own behaviour
# ●●●●○ difficulty · ●●●●● importance · 45 minutes · ★
#
# Choose another ready set, or write prompts of your own, and go through the same steps. Your own prompts are a list of `behaviours.Prompt(text, other, right, wrong, fact, template)`. The counterfactual needs as many tokens as the text, and each next word has to be one token. Put the list in place of `prompts` and `many`, change `chosen`, and run on from there. Another causal model comes by `REMIX_MODEL`, for example a folder with a GPT-2.
#
# Then write short answers below.
#
# 1. What is the behaviour? Give one prompt, its counterfactual, the metric, and the share of prompts that are right.
# 2. What is the claim of your card, and which figure decides it? Give it with its error.
# 3. What did you try that didn't work, and what stayed unexplained?
# 4. Which experiment would refute the claim, and did you run it?
#
# After you hand in your answers, `solution("d5.6.8")` shows ours and explains how yours are graded.
# %% [markdown] answer="d5.6.8" points=4
# ### BEGIN SOLUTION
# 1. The answer names a behaviour with a text, a counterfactual that changes one fact, and right and wrong next words. It says on how many prompts and templates the behaviour was measured, and that the model is right in nearly all of them. If it isn't, the answer says so, and the rest is a report about a behaviour that the model doesn't have.
# 2. The claim is one sentence about named parts, with a figure ± its error over templates. For example, "the writers alone recover this share of the score". The parts were chosen on other prompts than those of the figure.
# 3. At least one attempt that failed or one number that doesn't fit, such as parts outside the list that recover a good share, or a large effect of an MLP that isn't followed further.
# 4. A concrete experiment with a result that would count against the claim, such as a fresh template, a random set of as many parts of the same layers, or a rival fact on the same path. If it was run, its figure is given. If not, the answer says what it would take.
#
# *Grading, 4 points, one a question.* Give 1 for a prompt, its counterfactual, the metric and the share of prompts that are right. Give 1 for one claim about named parts, with the figure that decides it and the error of this figure. Give 1 for an attempt that failed or a number that stays unexplained. Give 1 for an experiment with a result that would refute the claim.
# ### END SOLUTION
# %% [markdown]
# ## What the full run says
#
# The same code ran with four times as many prompts. Its figures ship with the course, and they're shown here if you run SmolLM2.
#
# ![The circuit of SmolLM2 as boxes with arrows, each with its effect. Previous-token heads (previous token, 16.0 11.1 1.2 ...) send 1.20 to the keys of induction heads (induction, 17.4 17.5). These send 1.37 to the values of S-inhibition heads (20.0 19.2) directly, and 0.86 to MLP 17, which sends 1.90 to the same values. Duplicate-token heads (duplicate token, 8.1 9.2 5.6 ...) send 0.58 to them. The S-inhibition heads send 3.58 to the queries of the name movers (23.0 .1 .2 .7). The name movers add 1.75 to the logits, the head that lowers S (23.3) adds 2.01, the head that reads END (29.1) adds 0.96, and negative heads (negative, 24.4 29.0) add −1.38.](diagram:circuit)
#
# The picture is the circuit that the full run found in SmolLM2 (parts 3 and 4). Each number is the fall of the difference, in logits, if this connection alone reads ABC. If your model is another one, draw yours in the same way and compare.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
for name, (value, over_prompts, over_templates) in stored.items():
    if name.startswith("elsewhere."):
        print(f"{name[10:]:56}{value:7.2f} ± {over_prompts:.2f} ± {over_templates:.2f}")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# Answer from memory, without scrolling up. Give a number or one of the listed options in `recall = {"cancel": ..., "verdict": ..., "half": ..., "coins": ..., "alone": ...}`.
# - `cancel`: two paths of one head cancel each other. Which table shows it, that of `"whole heads"` or that of a `"path"`?
# - `verdict`: shares of 50 ± 10 % and 60 ± 10 %, with a margin of 25 %. Is the answer `"same"`, `"different"` or `"open"`?
# - `half`: on which half of the prompts is an effect reported, the `"first"` or the `"second"`?
# - `coins`: 5 prompts turn wrong, none turns right, 25 don't change. How many prompts enter the p-value?
# - `alone`: the writers alone recover 100 %. Are they `"enough"`, or are they `"needed"`?
#
# Stuck? `hint("d5.6.quiz")`
# %% exercise="d5.6.quiz"
### BEGIN SOLUTION
recall = {"cancel": "path", "verdict": "open", "half": "second", "coins": 5, "alone": "enough"}
### END SOLUTION
# %% check="d5.6.quiz" points=2
check("d5.6.quiz", recall)
# %%
predictions("d5")
# %% [markdown]
# ## What you have
#
# A circuit in one model, its signal in three, a kit that you can take to any prompt set, and cards that say what would refute them. Show your index to another pair, and let them try.
