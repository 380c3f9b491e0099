# %% [markdown]
# # Day 4, part 4: the boss
#
# **It gets 100 %. Does it count?**
#
# The model of this part, `parens-planted`, was never trained. We wrote its weights so that it runs one known algorithm for balanced parentheses, and surrounded this algorithm with parts that do other things. So here, for once, the truth is known, and your circuit can be graded against it. You have the tools of the week and a budget of 40 edge experiments. The model has 262 edges, so you cannot test them all and have to choose.
#
# **After this part you can**
# - test whether the model uses a component that correlates with the answer
# - find the edges of a circuit with few experiments, by looking first where looking is free
# - name the coarsest feature that a head carries, and test a circuit as a hypothesis
# - say how often a scrub accepts a false hypothesis, with an interval (★)
#
# **Time**: about 80 minutes for the core, with reading, predictions, pair cards and waiting. The ★ exercises take about 30 minutes more.
#
# **Readings**: Lindner et al. 2023, *Tracr: Compiled Transformers as a Laboratory for Interpretability* ([arXiv 2301.05062](https://arxiv.org/abs/2301.05062)), for the idea of a model whose mechanism is known. Conmy et al. 2023, *Towards Automated Circuit Discovery* ([arXiv 2304.14997](https://arxiv.org/abs/2304.14997)), sections 2 and 3, for the search along edges.
# %%
import re
from collections.abc import Mapping
from functools import reduce
from itertools import product
from operator import or_

import torch
from remix_utils import Dataset, Exact, Interp, Matching, Uniform, at, check, evaluate, find
from remix_utils import find_one, hint, models, path_patch, placeholder, plot, scrub, split
from remix_utils import solution, start_at
from remix_utils.checks.edge_budget import EdgeBudget
from remix_utils.checks.part import given
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.data import Feature
from remix_utils.graph.selector import Selector
from remix_utils.tasks import parens

start_at("d4.4")  # to catch up: start_at("d4.4.6") defines every name that later cells use
# %% [markdown]
# ## The model
#
# It has three layers with four heads each, reads 42 tokens, and answers at position 0 with two logits, unbalanced and balanced. It is right on every string. A *sender* is the embedding, a head's output or an MLP's output. A *receiver* is a head's query, key or value, the input of an MLP, or the logits. An *edge* leads from a sender along the residual stream straight to a later receiver.
# %%
model = models.load("parens-planted")
graph = split(model.graph(seq=parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
NAMES = [node.name for node in find(graph, "*")]
SENDERS = [name for name in NAMES if re.fullmatch(r"embed|.*head\.\d\.out|.*mlp_out", name)]
RECEIVERS = [name for name in NAMES if re.fullmatch(r"logits|.*head\.\d\.[qkv]|.*mlp\.pre", name)]


def depth(name: str) -> int:
    """Returns the place of a sender or receiver in the stream: 0 the embedding, 7 the logits."""
    if name in ("embed", "logits"):
        return 0 if name == "embed" else 7
    return 1 + 2 * int(name.split(".")[1]) + ("mlp" in name)


EDGES = [pair for pair in product(SENDERS, RECEIVERS) if depth(pair[0]) < depth(pair[1])]
strings = parens.draw(600, seed=1)
logits = evaluate(graph, strings)
accuracy = (logits.argmax(1) == strings["label"]).float().mean()
print(f"{len(SENDERS)} senders, {len(RECEIVERS)} receivers, {len(EDGES)} edges")
print(f"accuracy {accuracy:.1%}, {strings['label'].float().mean():.0%} of the strings are balanced")
# %% [markdown]
# ## d4.4.1 The direction of largest variance
# ●●○○○ difficulty · ●●●○○ importance · 7 minutes · core
#
# Which part of the final stream holds the answer? A natural place to start is the direction along which the final residual at position 0 varies most, its first principal component. If this direction follows the label, it looks like the answer.
#
# Write `first_component`. It returns the coordinate of each row along the first principal component of the centred values, and the share of the total variance along this component. The sign of the component is arbitrary, and the check accepts both. The check uses values of other sizes.
#
# Stuck? `hint("d4.4.1")`
# %% exercise="d4.4.1"
def first_component(values: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The coordinates [row] of values [row, d] along their first component, and its share."""
    ### BEGIN SOLUTION
    centred = values - values.mean(0)
    rows, sizes, _ = torch.linalg.svd(centred, full_matrices=False)
    return rows[:, 0] * sizes[0], (sizes[0] ** 2 / (sizes**2).sum()).item()
    ### END SOLUTION
# %% check="d4.4.1" points=1
check("d4.4.1", first_component)
# %%
predict("d4.4.p1", ..., "absolute correlation of the first principal component with the label")
# %%
def correlation(one: torch.Tensor, other: torch.Tensor) -> float:
    """Returns the absolute correlation of two columns [row]."""
    return torch.corrcoef(torch.stack([one.float(), other.float()]))[0, 1].abs().item()


def probe(values: torch.Tensor, labels: torch.Tensor, fitted: int = 300) -> float:
    """Returns the accuracy of a linear probe on the rows after the first `fitted` ones."""
    rows = torch.cat([values, torch.ones(len(values), 1)], 1).double()
    target = 2 * labels.double() - 1
    weights = torch.linalg.lstsq(rows[:fitted], target[:fitted], driver="gelsd").solution
    return ((rows[fitted:] @ weights > 0) == (target[fitted:] > 0)).double().mean().item()


label = strings["label"]
coordinates, share_of_variance = first_component(evaluate(find_one(graph, "final"), strings))
of_first = correlation(coordinates, label)
print(f"first component: {share_of_variance:.0%} of the variance")
measured("d4.4.p1", of_first, (1 - of_first**2) / len(label) ** 0.5)
# %%
at_0 = evaluate([find_one(graph, name) for name in SENDERS], strings)
at_0 = {name: value[:, 0] for name, value in zip(SENDERS, at_0, strict=True)}


def observed(name: str) -> str:
    """Returns what three observational tools say about a sender."""
    value = at_0[name]
    variance = value.var(0, correction=0).sum()
    own = correlation(first_component(value)[0], label)
    return f"{name:26} {variance:8.3f} {own:12.2f} {probe(value, label):6.1%}"


print("at position 0              variance  correlation  probe", *map(observed, SENDERS), sep="\n")
# %% [markdown]
# **What you should see**: the first component has 83 % of the variance, and its correlation with the label is 0.91 ± 0.01. Head 2.0 is by far the largest writer, eight times the final MLP. A linear probe reads the label from head 2.0, head 2.1 and MLP 1 in about 95 % of the 300 held-out strings, each ± 1.3 %. Answering "unbalanced" every time would be right for about 74 %. Correlation, principal components and probes tell the same story, in which MLP 1 computes the answer and head 2.0 moves it to position 0.
#
# Look at the last row too. MLP 2 has an eighth of the variance of head 2.0, and the probe reads the label from it in all 300 strings.
#
# *Learned*: three observational tools can agree and still leave the causal question open, since none of them changes anything in the model.
# %% [markdown]
# ## d4.4.2 One edge
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# An experiment cuts one or more edges. A cut edge carries the value that its sender has on another string, while everything else reads the string itself. To cut an edge you need its selector, which is the set of paths from a receiver down to a sender *along the residual stream*, with no output of a head or an MLP in between.
#
# Write `edge`. `at(receiver) >> at(sender)` selects the sender below the receiver along every path. `.avoiding(...)` takes another selector and removes the paths that pass through its nodes. The check uses models with other numbers of layers and heads.
#
# Stuck? `hint("d4.4.2")`
# %% exercise="d4.4.2"
def edge(sender: str, receiver: str) -> Selector:
    """The paths from a sender along the residual stream straight to a receiver."""
    ### BEGIN SOLUTION
    between = at("*.head.*.out") | at("*.mlp_out")
    return (at(receiver) >> at(sender)).avoiding(between)
    ### END SOLUTION
# %% check="d4.4.2" points=2
check("d4.4.2", edge)
# %% [markdown]
# The next cell defines the function that runs an experiment. It counts the edges that it cuts, and the budget is 40. Your spending is recorded in a file beside the notebook, so restarting the kernel does not refill the budget. Repeating an experiment costs nothing, so you may run all cells again.
# %%
budget = EdgeBudget("d4.4", edges=40)
tested = parens.draw(200, seed=2)
INPUTS = {name: tested[name] for name in ("tokens", "mask")}
OTHER = {name: placeholder(f"other {name}", (42,), each.dtype) for name, each in INPUTS.items()}
BOTH = INPUTS | {f"other {name}": each.roll(1, 0) for name, each in INPUTS.items()}


def experiment(*edges: tuple[str, str]) -> float:
    """Cuts edges, each as (sender, receiver), and returns the accuracy that is left."""
    unknown = [each for each in edges if each not in EDGES]
    if unknown:
        raise ValueError(f"{unknown[0]} is no edge: name a sender and a later receiver.")
    cut = path_patch(graph, reduce(or_, [edge(*each) for each in edges]), OTHER)
    budget.spend(edges)
    left = (evaluate(cut, BOTH).argmax(1) == tested["label"]).double().mean().item()
    print(f"{left:6.1%} left, {budget.left} edges to go: {', '.join(map(' -> '.join, edges))}")
    return left
# %% [markdown]
# Start with the largest writer. Only two receivers come after head 2.0, the input of MLP 2 and the logits. If you cut both edges at once, everything that head 2.0 contributes comes from another string, and you spend two edges. Chance level is about 62 %. With 26 % balanced strings, that is how often the answer for one string is right for another.
# %%
predict("d4.4.p2", ..., "per cent accuracy left, if head 2.0 reads another string")
# %%
accused = "blocks.2.attn.head.0.out"
left = experiment((accused, "blocks.2.mlp.pre"), (accused, "logits"))
measured("d4.4.p2", 100 * left)
# %% [markdown]
# **What you should see**: all 200 answers are still right. With 200 strings this bounds the share of wrong answers by 1.9 % (the 95 % interval of d4.4.9). Head 2.0 has the largest variance and a probe accuracy of 95 %, and the answer does not depend on it. The output of the head does depend on the string, and is almost the label. We planted head 2.0 as a *decoy*.
#
# *Learned*: a correlation measures the information in a component. Resampling measures whether the model uses it. The decoy was planted to separate the two.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which edge will you cut, and what will you believe if the accuracy does not change?" Explain to each other: why can a probe not tell head 2.0 from a head that matters? *Alone:* write down the first three edges that you would cut, and why.
# %% [markdown]
# ## d4.4.3 Looking is free
# ●●●○○ difficulty · ●●●●● importance · 11 minutes · core
#
# With 38 edges left you cannot try everything. Looking costs nothing, so use it to choose the edges that are worth an experiment. The probes examined only what a sender *writes*, but an edge also needs a receiver that *reads* it. If you hold the attention pattern and the scale of LayerNorm fixed, the output of a head is a sum over senders, so each sender has a term, as in direct logit attribution.
#
# The term of one sender in a head's output is $A\,x\,W_V\,W_O$, with the pattern $A$ and the sender's part $x$ of the output of LayerNorm. A sender can matter by this path only if its term differs between strings. Write `carried`, the root mean square distance of the term from its mean over rows. Each query has its own mean. A distance sums squares over the model dimension [d_model], and the mean is over rows and queries. The check uses other sizes.
#
# Stuck? `hint("d4.4.3")`
# %%
def normed(value: torch.Tensor, stream: torch.Tensor) -> torch.Tensor:
    """Returns the part of LayerNorm(stream) that comes from one term of the stream."""
    scale = (stream.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    return (value - value.mean(-1, keepdim=True)) / scale
# %% exercise="d4.4.3"
def carried(
    pattern: torch.Tensor, x: torch.Tensor, W_V: torch.Tensor, W_O: torch.Tensor
) -> torch.Tensor:
    """The spread over rows of a sender's term in a head's output [].

    pattern [row, query, key], x [row, key, d_model], W_V [d_model, d_head], W_O [d_head, d_model]
    """
    ### BEGIN SOLUTION
    term = pattern @ x @ W_V @ W_O
    apart = term - term.mean(0)
    return apart.square().sum(-1).mean().sqrt()
    ### END SOLUTION
# %% check="d4.4.3" points=2
check("d4.4.3", carried)
# %% [markdown]
# `look(receiver, position)` computes this number for every sender of a receiver and prints the five largest. For a value it is `carried` at the query `position`. For a query or key it is the spread of the sender's term in the attention scores of that query. For an MLP and the logits it is the spread of the term in the pre-activations or logits. Without a position it covers all of them. Different receivers have different units, so compare numbers only within one receiver.
#
# `attends(layer, head, position)` prints the positions that a head attends to from `position`, averaged over strings. The answer is read at position 0, so begin there. If a head attends from 0 to another position, look at that position next, one layer down.
# %%
seen = parens.draw(200, seed=3)
PARTS = ("q", "k", "pattern")
HEADS = [f"blocks.{layer}.attn.head.{head}" for layer, head in product(range(3), range(4))]
STREAMS = [f"blocks.{n}.resid_{half}" for n, half in product(range(3), ("pre", "mid"))]
STREAMS += ["final"]
WANTED = [*SENDERS, *STREAMS, *(f"{head}.{part}" for head, part in product(HEADS, PARTS))]
SEEN = dict(zip(WANTED, evaluate([find_one(graph, name) for name in WANTED], seen), strict=True))


def attends(layer: int, head: int, position: int) -> None:
    """Prints the three keys with the most attention from a query, by mean over strings."""
    mean = SEEN[f"blocks.{layer}.attn.head.{head}.pattern"][:, position].mean(0)
    keys = [f"{key}: {mean[key]:.2f}" for key in mean.topk(3).indices.tolist()]
    print(f"head {layer}.{head} from position {position}: {', '.join(keys)}")
# %%
def spread(term: torch.Tensor) -> float:
    """Returns the root mean square distance of a term from its mean over rows."""
    return (term - term.mean(0)).square().sum(-1).mean().sqrt().item()


def reach(sender: str, receiver: str, position: int | None = None) -> float:
    """Returns the spread of what a sender contributes to a receiver at a position."""
    where = slice(None) if position is None else slice(position, position + 1)
    value, real = SEEN[sender], seen["mask"][..., None]
    if receiver == "logits":
        return spread(normed(value[:, 0], SEEN["final"]) @ model.weights["unembed.W_U"])
    layer, part = receiver.split(".")[1], receiver.split(".")[-1]
    if part == "pre":
        x = normed(value, SEEN[f"blocks.{layer}.resid_mid"]) * real
        return spread(x[:, where] @ model.weights[f"blocks.{layer}.mlp.W_in"])
    head, number = receiver.rsplit(".", 1)[0], int(receiver.split(".")[4])
    x = normed(value, SEEN[f"blocks.{layer}.resid_pre"]) * real
    W_V, W_O, W_Q, W_K = (model.weights[f"blocks.{layer}.attn.W_{each}"][number] for each in "VOQK")
    if part == "v":
        return carried(SEEN[f"{head}.pattern"][:, where], x, W_V, W_O).item()
    queries = (x @ W_Q)[:, where] if part == "q" else SEEN[f"{head}.q"][:, where]
    keys = x @ W_K if part == "k" else SEEN[f"{head}.k"]
    scores = queries @ keys.mT
    scores = scores - scores.mean(-1, keepdim=True)  # a shift of all scores changes no pattern
    return spread(scores * seen["mask"][:, None])
# %%
def look(receiver: str, position: int | None = None, most: int = 5) -> None:
    """Prints the senders that contribute most to a receiver, and by how much."""
    senders = [sender for sender, other in EDGES if other == receiver]
    found = {sender: reach(sender, receiver, position) for sender in senders}
    largest = sorted(found, key=found.__getitem__, reverse=True)[:most]
    print(f"{receiver}:", ", ".join(f"{name} {found[name]:.3f}" for name in largest))


look("logits")
look("blocks.2.mlp.pre", 0)
look("blocks.2.attn.head.0.v", 0)
attends(2, 0, 0)
# %% [markdown]
# **What you should see**: only MLP 2 contributes to the logits, with 4.3 against 0.000 for all others. Several senders contribute to the input of MLP 2, and the decoy, head 2.0, is third among them with 0.65. Yet cutting this edge changed no answer. The decoy itself reads a large term, 1.46, from MLP 1. So `look` finds candidates and proves nothing. A term shows that an edge *could* carry information, and the experiment decides.
#
# *Learned*: a term needs a sender that writes and a receiver that reads. Looking at both ends leaves few candidates, and you can spend the budget on these.
# %% [markdown]
# ## The boss
#
# Find the circuit, that is, all edges without which answers go wrong. There is no recipe, but two facts help. First, an edge into a part that nothing reads cannot matter, so the direction of the search matters. Second, cutting several edges at once costs as much as cutting them one by one. If the accuracy falls, you do not know which of them mattered. If it stays, none of them is needed, not even as a substitute for another one of the group.
#
# Queries and keys count too. Position embeddings are not senders here. The two checks below are for your decision and not for experiments, so run them when you have decided. Use the next cell as often as you like.
# %%
# your experiments, such as: experiment(("blocks.2.mlp_out", "logits"))
# %% [markdown]
# ## d4.4.4 The edges that you would bet on
# ●●●●○ difficulty · ●●●●● importance · 14 minutes · core
#
# This exercise grades *precision*. In `sure`, list at least seven edges that you are sure belong to the circuit, each as `(sender, receiver)`. At most one in ten may be false.
#
# Stuck? `hint("d4.4.4")`
# %% exercise="d4.4.4"
### BEGIN SOLUTION
sure = [
    ("blocks.2.mlp_out", "logits"),
    ("blocks.2.attn.head.2.out", "blocks.2.mlp.pre"),
    ("blocks.2.attn.head.3.out", "blocks.2.mlp.pre"),
    ("blocks.1.attn.head.3.out", "blocks.2.attn.head.2.v"),
    ("blocks.1.mlp_out", "blocks.2.attn.head.3.v"),
    ("blocks.0.mlp_out", "blocks.1.attn.head.3.k"),
    ("blocks.0.mlp_out", "blocks.1.attn.head.3.v"),
]
### END SOLUTION
# %% check="d4.4.4" points=3
check("d4.4.4", sure)
# %%
# more experiments, if you need them
tools = {"cut": experiment, "look": look, "attends": attends}  # start_at brings these as well
print(budget)
# %% [markdown]
# ## d4.4.5 All of them
# ●●●●○ difficulty · ●●●●● importance · 7 minutes · core
#
# This exercise grades *recall*. List all edges of the circuit in `circuit`. Up to 20 edges are allowed, so you may include a few doubtful ones. It is easy to miss edges by stopping at an MLP. Which senders feed it?
#
# Stuck? `hint("d4.4.5")`
# %% exercise="d4.4.5"
### BEGIN SOLUTION
circuit = [
    *sure,
    ("blocks.0.attn.head.0.out", "blocks.1.mlp.pre"),
    ("blocks.0.attn.head.1.out", "blocks.1.mlp.pre"),
    ("blocks.0.attn.head.0.out", "blocks.0.mlp.pre"),
    ("blocks.0.attn.head.1.out", "blocks.0.mlp.pre"),
    ("embed", "blocks.0.attn.head.0.v"),
    ("embed", "blocks.0.attn.head.1.v"),
]
### END SOLUTION
# %% check="d4.4.5" points=3
check("d4.4.5", circuit)
# %% [markdown]
# *Learned*: precision and recall fail in different ways. A false edge comes from looking without cutting. A missing edge comes from a receiver that was never looked at.
#
# > **Pair card.** Swap. The navigator asks: "Which receivers have you never looked at?" Explain to each other: why does a search forward from the embedding run into the decoy, while a search backward from the logits does not? *Alone:* count the edges that you cut but left out of your circuit. Which output of `look` made you try them?
# %% [markdown]
# ## Ways to spend 40 edges
#
# How far would a mechanical search have come? The next cells run a few strategies, with the true circuit in place of experiments. `at random` cuts any 40 edges. `best probe first` begins with the senders from which a probe reads the label best. `backward` begins at the logits, tests every sender of each receiver, and goes on with the senders that mattered. The last two do the same, and test only senders whose term in `look` is at least 2 % or 20 % of the receiver's largest one.
# %%
predict("d4.4.p3", ..., "edges of the 13 that `backward` finds with 40 experiments")
# %%
(TRUE,) = given("d4.4", "CIRCUIT")
READ_AT = {"0": None, "1": 1, "2": 0}  # the query whose output is read, by layer


def parts_of(sender: str) -> list[str]:
    """Returns the receivers by which a sender reads."""
    if sender == "embed":
        return []
    if sender.endswith("mlp_out"):
        return [sender.replace("mlp_out", "mlp.pre")]
    return [sender.replace(".out", f".{part}") for part in "vkq"]


def backward(choose, most: int = 40) -> tuple[int, int]:
    """Searches from the logits; returns how many true edges it finds, and how many it cut."""
    receivers, cut = ["logits"], []
    for receiver in receivers:  # grows while the search goes on
        for sender in choose(receiver)[: most - len(cut)]:
            cut.append((sender, receiver))
            if cut[-1] in TRUE:
                receivers += [part for part in parts_of(sender) if part not in receivers]
    return len(TRUE & set(cut)), len(cut)


def every_sender(receiver: str) -> list[str]:
    """Returns all senders of a receiver, the latest first."""
    return [sender for sender, other in reversed(EDGES) if other == receiver]


def at_least(share: float):
    """Returns a choice: the senders whose term is at least a share of the receiver's largest."""

    def choose(receiver: str) -> list[str]:
        position = None if receiver == "logits" else READ_AT[receiver.split(".")[1]]
        terms = {sender: reach(sender, receiver, position) for sender in every_sender(receiver)}
        least = max(share * max(terms.values()), 1e-3)  # below it is rounding
        return [sender for sender in terms if terms[sender] >= least]

    return choose
# %%
probes = {name: probe(value, label) for name, value in at_0.items()}
by_probe = sorted(EDGES, key=lambda pair: probes[pair[0]], reverse=True)
strategies = {
    "at random": (40 * len(TRUE) / len(EDGES), 40),
    "best probe first": (len(TRUE & set(by_probe[:40])), 40),
    "backward": backward(every_sender),
    "backward, unlimited": backward(every_sender, 262),
    "look, 2 %": backward(at_least(0.02)),
    "look, 20 %": backward(at_least(0.2)),
}
lines = [
    f"{name:22} finds {count:4.1f} of {len(TRUE)} edges with {cut} cut"
    for name, (count, cut) in strategies.items()
]
print(*lines, budget, sep="\n")
measured("d4.4.p3", strategies["backward"][0])
# %% [markdown]
# **What you should see**: `backward` finds 4 of the 13 edges before the budget runs out, because it would need 136 experiments. `best probe first` finds 5 and spends 35 on edges that do not matter. With a look before each cut, the search finds all 13 edges with 32 cuts at the cautious threshold of 2 %, and with 18 at 20 %. The bolder threshold is partly luck, since a term below 20 % could still matter. Write down how many you used.
#
# *Learned*: looking at both ends of an edge before cutting it took the search from 136 experiments to 32.
# %% [markdown]
# ## d4.4.6 What do the late heads carry?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# An edge list shows where information flows but not which information it is. Your circuit should have two heads that write into the last MLP. The next cell defines eight features of a string, where `excess` is the number of ")" minus the number of "(". For each feature and each head, the table shows the share of the loss that is recovered if this head reads a random string that agrees on the feature while everything else is exact. Scrubs do not count as edge experiments, so they cost nothing.
# %%
DRAWN = parens.draw(2000, seed=5)
CLOSES, OPENS = ((DRAWN["tokens"] == token).sum(1) for token in (parens.CLOSE, parens.OPEN))
population = Dataset(**DRAWN.columns, excess=CLOSES - OPENS)
FEATURES = {
    "nothing": Feature("nothing", lambda data: torch.zeros(len(data))),
    "count": Feature("count", lambda data: data["count_ok"]),
    "right": Feature("right", lambda data: data["horizon_ok"]),
    "left": Feature("left", lambda data: data["left_ok"]),
    "both": Feature("both", lambda data: 2 * data["horizon_ok"] + data["left_ok"]),
    "more )": Feature("more )", lambda data: data["excess"] > 0),
    "sign": Feature("sign", lambda data: data["excess"].sign()),
    "label": Feature("label", lambda data: data["label"]),
}
late = [sender for sender, receiver in circuit if receiver == "blocks.2.mlp.pre"]


def loss(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the loss on the label of the reference, in nats [draws]."""
    return -logits.log_softmax(-1).gather(-1, reference["label"][:, None])[:, 0]


ENDS = {
    "model": Interp("logits", at("logits"), Exact()),
    "random": Interp("logits", at("logits"), Uniform()),
}
# %%
def alone(head: str, feature: Feature) -> Interp:
    """Returns the claim that a head needs a feature only, with everything else exact."""
    claimed = Interp(head, at(head), Matching(feature))
    return Interp("logits", at("logits"), Exact(), [claimed], others=Exact())


claims = {
    (head, name): alone(head, each) for head, (name, each) in product(late, FEATURES.items())
}
results = scrub(graph, ENDS | claims, population, 1000, metric=loss)


def row_of(name: str) -> str:
    """Returns what each late head recovers with a feature, in per cent."""
    ends = results["model"], results["random"]
    shares = [results[head, name].recovered(*ends) for head in late]
    return f"{name:10}" + "".join(f"{100 * each:21.1f} ± {100 * each.se:3.1f}" for each in shares)


print(f"{'feature':10}", *(f"{head:>26}" for head in late))
print(*map(row_of, FEATURES), sep="\n")
# %% [markdown]
# Several features recover 100 %. A finer feature always does at least as well, so the claim to make is the *coarsest* one, with the fewest classes of strings.
#
# Give the feature of each head as `features = {"blocks....out": FEATURES["..."], ...}`. You may also give a function of your own that takes a data set with the columns of `population`. The check compares the classes into which each feature divides fresh strings.
#
# Stuck? `hint("d4.4.6")`
# %% exercise="d4.4.6"
### BEGIN SOLUTION
features = {
    "blocks.2.attn.head.2.out": FEATURES["right"],
    "blocks.2.attn.head.3.out": FEATURES["more )"],
}
### END SOLUTION
# %% check="d4.4.6" points=3
check("d4.4.6", features)
# %% [markdown]
# **What you should see**: one head needs the right horizon, and 100 % is recovered. The other needs only whether there are more ")" than "(". "sign" recovers 100 % as well, and is finer than needed. Even "label", which is the answer itself, recovers only 91 ± 1 % and 89 ± 2 %. An unbalanced string needs one of two flags, and a row that agrees on the label alone may set the wrong one. So this model counts in part. A string with a right horizon and no more ")" than "(" also passes the count test. The published algorithm is here, in the model whose weights we wrote.
#
# *Learned*: claim the coarsest feature that recovers everything. A finer one recovers as much and claims less.
# %% [markdown]
# ## d4.4.7 The circuit as a hypothesis
# ●●●●○ difficulty · ●●●●● importance · 9 minutes · core
#
# Now claim the late half of the circuit at once, and let everything else read other strings. Write `claim` for any `heads`, a dict that maps the output of a head to a pair, the sender that its values read and its feature. It makes these claims.
# - The logits read the last MLP, `blocks.2.mlp_out`, on the reference.
# - The last MLP reads the outputs of these heads, each on a row that agrees on the head's feature.
# - The values of each head read their sender on that same row, along the edge between them.
# - Everything else comes from other rows, as `others` draws them by default.
#
# The values of a head have the name of its output with `.v` in place of `.out`. The check runs small models with three layers and compares the scrubbed output exactly, over every possible draw.
#
# Stuck? `hint("d4.4.7")`
# %% exercise="d4.4.7"
def claim(heads: Mapping[str, tuple[str, Feature]]) -> Interp:
    """Logits read the last MLP, the MLP reads heads, and a head one sender and one feature."""
    ### BEGIN SOLUTION
    claimed = []
    for head, (sender, feature) in heads.items():
        source = Interp(f"{head} reads", edge(sender, head.replace(".out", ".v")), Exact())
        claimed.append(Interp(head, at(head), Matching(feature), [source]))
    last = Interp("last MLP", at("blocks.2.mlp_out"), Exact(), claimed)
    return Interp("logits", at("logits"), Exact(), [last])
    ### END SOLUTION
# %% check="d4.4.7" points=2
check("d4.4.7", claim)
# %% [markdown]
# > **Pair card.** Swap. The navigator asks: "Which of the 13 edges does this hypothesis claim, and which does it leave unclaimed?" Explain to each other: why may the query and the key of a late head come from another string? *Alone:* write down a false claim about the two heads that you expect to recover more than 80 %.
# %% [markdown]
# ## d4.4.8 The boss, scrubbed
# ●●○○○ difficulty · ●●●●● importance · 5 minutes · core
#
# Put your circuit and your features together in `boss`, the hypothesis about the planted model. On fresh strings it has to recover at least 99 %. It also has to exchange rows at the two heads and in everything else.
#
# Stuck? `hint("d4.4.8")`
# %% exercise="d4.4.8"
### BEGIN SOLUTION
source = {receiver: sender for sender, receiver in circuit}
boss = claim({head: (source[head.replace(".out", ".v")], features[head]) for head in features})
### END SOLUTION
# %% check="d4.4.8" points=3
check("d4.4.8", boss)
# %%
predict("d4.4.p4", ..., "per cent recovered by the decoy: head 2.0 reads MLP 1 and has the label")
# %%
decoys_story = claim({accused: ("blocks.1.mlp_out", FEATURES["label"])})
trial = scrub(graph, ENDS | {"boss": boss, "decoy": decoys_story}, population, 2000, metric=loss)


def on_trial(name: str) -> str:
    """Returns the loss of a hypothesis and what it recovers."""
    each = trial[name]
    part = each.recovered(trial["model"], trial["random"])
    loss_and_error = f"loss {each.mean:6.3f} ± {each.se:.3f}"
    return f"{name:7} {loss_and_error}   recovered {100 * part:6.1f} ± {100 * part.se:.1f} %"


print(*map(on_trial, trial), sep="\n")
decoy_share = trial["decoy"].recovered(trial["model"], trial["random"])
measured("d4.4.p4", 100 * decoy_share, 100 * decoy_share.se)
# %%
W_in, W_out = (model.weights[f"blocks.2.mlp.{name}"] for name in ("W_in", "W_out"))
writes = (W_out @ model.weights["unembed.W_U"]).norm(dim=1)
to_logits = writes > 0.01 * writes.max()  # the hidden units of MLP 2 that write to the logits


def into_units(sender: str) -> str:
    """Returns the spread of a sender's term in all hidden units, and in those that write."""
    term = normed(SEEN[sender], SEEN["blocks.2.resid_mid"])[:, 0] @ W_in
    return f"{sender:25} {spread(term):9.3f} {spread(term[:, to_logits]):17.3f}"


print(f"{int(to_logits.sum())} of {len(writes)} hidden units of MLP 2 write to the logits")
print(f"{'into MLP 2':25} all units   to the logits", *map(into_units, [accused, *late]), sep="\n")
# %% [markdown]
# ![The planted model. Two heads of layer 0 read the tokens and write the shares of ( and ). From the shares, MLP 0 marks where the right horizon fails. A head of layer 1 gathers the marks, and a head of layer 2 moves it to position 0. The shares also lead to MLP 1, which tests whether there are more ) than ( in all, and a second head of layer 2 moves the outcome to 0. MLP 2 writes unbalanced, if one test fails, and the logits read MLP 2. Beside the circuit stands the decoy: two heads of layer 0 for the first token and the excess, then MLP 0 and MLP 1 with almost the label, then head 2.0, at position 0 the largest writer. The answer does not use it.](diagram:planted_model)
#
# **What you should see**: the loss of `boss` is that of the model, with 100.0 % recovered, though almost every value in the network comes from another string. The decoy's story recovers −1 ± 3 %. The last lines explain why `look` found 0.65 for head 2.0. This term goes into hidden units of MLP 2 that write nothing to the logits. Only two units write to the logits, and there the term of head 2.0 is 0.000. On `parens`, in part 3, two heads with one horizon test each recovered about 85 %, and you had to search for the rest. Here nothing is missing, because we wrote no other path to the answer.
#
# *Learned*: the right hypothesis about this planted model recovers everything. With a trained model you do not know whether any simple hypothesis would.
# %% [markdown]
# ## d4.4.9 ★ How sure is a share?
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · ★
#
# Now turn the question around. Since the truth is known here, you can measure how often a scrub accepts a *wrong* hypothesis. There are 8 × 8 pairs of features for the two heads. One pair is the truth, and 63 are other hypotheses. Each pair is scrubbed 40 times with 50 strings, and you count how often it recovers at least 50, 80, 90 and 99 %.
#
# A count of 40 out of 40 does not mean certainty. With $k$ successes of $n$ and $p = k/n$, the Wilson interval is
#
# $$\frac{p + \frac{z^2}{2n} \pm z\sqrt{\frac{p(1-p)}{n} + \frac{z^2}{4n^2}}}{1 + \frac{z^2}{n}}.$$
#
# It stays between 0 and 1, and its width is not zero at $k = 0$ or $k = n$. Write it for any $z$, with $z = 1.96$ for 95 % as the default.
#
# Stuck? `hint("d4.4.9")`
# %% exercise="d4.4.9"
def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson interval of a share: its lower and upper end."""
    ### BEGIN SOLUTION
    p = successes / n
    middle = p + z**2 / (2 * n)
    half = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5
    return (middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)
    ### END SOLUTION
# %% check="d4.4.9" points=1
check("d4.4.9", wilson)
# %%
predict("d4.4.p5", ..., "of 63 wrong pairs of features, how many recover at least 80 % ?")
# %% [markdown]
# The next cell scrubs 66 hypotheses and takes about 5 seconds.
# %%
FIRST, SECOND = given("d4.4", "FIRST", "SECOND")  # the late heads of the true circuit
VALUES = {head.replace(".out", ".v"): head for head in (FIRST, SECOND)}
READS = {VALUES[receiver]: sender for sender, receiver in TRUE if receiver in VALUES}


def both_heads(one: str, other: str) -> Interp:
    """Returns the hypothesis with a feature for each of the late heads."""
    pair = {FIRST: FEATURES[one], SECOND: FEATURES[other]}
    return claim({head: (READS[head], feature) for head, feature in pair.items()})


TRUTH, DRAWS, GROUPS = ("right", "more )"), 2000, 40
pairs = {pair: both_heads(*pair) for pair in product(FEATURES, FEATURES)}
tried = scrub(graph, ENDS | pairs, population, DRAWS, metric=loss)
by_group = {name: each.per_example.reshape(GROUPS, -1).mean(1) for name, each in tried.items()}
whole = by_group["model"] - by_group["random"]
in_groups = {pair: (by_group[pair] - by_group["random"]) / whole for pair in pairs}
in_all = {pair: tried[pair].recovered(tried["model"], tried["random"]) for pair in pairs}
wrong = [pair for pair in pairs if pair != TRUTH]
BARS = (0.5, 0.8, 0.9, 0.99)
# %%
def accepted(pair: tuple[str, str], bar: float) -> str:
    """Returns in how many per cent of the groups a pair passes a bar, with its interval."""
    count = int((in_groups[pair] >= bar).sum())
    low, high = wilson(count, GROUPS)
    return f"{100 * count / GROUPS:3.0f} ({100 * abs(low):2.0f} to {100 * high:3.0f})"


def row_of_pair(pair: tuple[str, str]) -> str:
    """Returns what a pair recovers in all draws, and how often it passes each bar."""
    part, often = in_all[pair], [accepted(pair, bar) for bar in BARS]
    return f"{', '.join(pair):16} {100 * part:6.1f} ± {100 * part.se:3.1f}   {'   '.join(often)}"


ranked = sorted(pairs, key=in_all.__getitem__, reverse=True)
bars = "".join(f"{f'above {bar:.0%}':>18}" for bar in BARS)
print(f"{'in per cent':16} {'recovered':>12}{bars}", *map(row_of_pair, ranked), sep="\n")
# %%
def passing(bar: float) -> int:
    """Returns how many wrong pairs pass a bar in all draws."""
    return sum(in_all[pair] >= bar for pair in wrong)


def at_bar(bar: float) -> str:
    """Returns how many wrong pairs pass a bar, and how often 50 strings accept one of them."""
    low, high = wilson(passing(bar), len(wrong))
    often = torch.stack([(in_groups[pair] >= bar).double().mean() for pair in wrong]).mean()
    share = f"{passing(bar):2} of {len(wrong)} wrong pairs pass ({low:.0%} to {high:.0%})"
    return f"{bar:4.0%}: {share}; with 50 strings {often:.0%} on average"


print(*map(at_bar, BARS), sep="\n")
measured("d4.4.p5", passing(0.8))
# %% [markdown]
# **What you should see**: 34 of the 63 wrong pairs recover at least 50 %, 17 at least 80 %, 7 at least 90 % and 5 at least 99 %. A bar of 80 %, the one of d3.2, lets a quarter of these hypotheses pass. With 50 strings, one scrub can accept a pair and the next one reject it. "right, left" recovers 91.2 ± 1.0 % of 2,000 draws, and 50 strings put it above 90 % in 55 % of the cases (40 to 69 %).
#
# The 63 pairs are not a random sample of hypotheses, since we chose features that a person would think of. Another list would give other shares, and the printed intervals do not cover this choice. Beside the true feature of the other head, a feature that fixes the label does well. "label, more )" recovers 89.1 ± 1.1 %, and "right, label" 87.3 ± 1.2 %.
#
# *Learned*: on this model, where the truth is known, a bar of 80 % accepts 17 of 63 wrong pairs. Report the recovered share with its error, beside the shares of the wrong hypotheses that you can think of.
# %% [markdown]
# ## d4.4.10 ★ Wrong, or only finer?
# ●●●○○ difficulty · ●●●●○ importance · 6 minutes · ★
#
# Five pairs passed 99 %. Are they false? A feature that splits strings further than the true one never costs anything, and its claim is true but weaker. Write `is_finer`, which tests whether each class of `one` lies within a single class of `other`. Two equal partitions count as finer too, even if their labels differ.
#
# Stuck? `hint("d4.4.10")`
# %% exercise="d4.4.10"
def is_finer(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether rows with equal labels [row] in `one` always have equal labels [row] in `other`."""
    ### BEGIN SOLUTION
    pairs_of_labels = torch.stack([one, other], 1).unique(dim=0)
    return len(pairs_of_labels) == len(one.unique())
    ### END SOLUTION
# %% check="d4.4.10" points=2
check("d4.4.10", is_finer)
# %%
def finer_than_truth(pair: tuple[str, str]) -> list[bool]:
    """Returns for each of the two heads whether its feature is at least as fine as the true one."""
    return [
        is_finer(FEATURES[name](population).double(), FEATURES[true](population).double())
        for name, true in zip(pair, TRUTH, strict=True)
    ]


finer_pairs = [pair for pair in wrong if all(finer_than_truth(pair))]
at_99 = [pair for pair in ranked if pair in wrong and in_all[pair] >= 0.99]
lines = [f"{', '.join(pair):12} only finer than the truth: {pair in finer_pairs}" for pair in at_99]
print(*lines, f"{len(finer_pairs)} of {len(wrong)} pairs are only finer", sep="\n")


def false_pairs(bar: float) -> int:
    """Returns how many pairs pass a bar and are neither the truth nor only finer."""
    return sum(in_all[pair] >= bar and pair not in finer_pairs for pair in wrong)


print(*(f"{bar:4.0%}: {false_pairs(bar):2} false pairs pass" for bar in BARS), sep="\n")
# %% [markdown]
# **What you should see**: three of the five are only finer. The other two, "right, both" and "both, both", are false claims about the second head, and they recover 100.0 %. If both horizons fail, the string may have more ")" or more "(", so "both" does not fix what this head writes. But then the right horizon fails too, so the flag of the first head is set, and one flag is enough. The difference never reaches the answer, so no scrub of the loss can find it.
#
# Without the three finer pairs, 31 false pairs pass 50 %, 14 pass 80 %, 4 pass 90 % and 2 pass 99 %.
#
# *Learned*: a scrub of the loss tests a hypothesis only where the loss can change. To refute "both", measure the output of the head itself.
#
# > **Pair card.** Swap. The navigator asks: "Can this difference reach the loss, and on which strings?" Explain to each other: why is a finer feature never a false claim, and why is "both" one? *Alone:* write the claim that would refute "right, both", and say at which node you would measure.
# %% [markdown]
# ## d4.4.11 ★ The published experiments
# ●●●●○ difficulty · ●●●○○ importance · 15 minutes · ★
#
# Chan et al. 2022 ([alignmentforum.org](https://www.alignmentforum.org/posts/kjudfaQazMmC74SbF/causal-scrubbing-results-on-a-paren-balance-checker)) scrubbed a trained checker. Some of their experiments have a meaning here, since the planted model runs the published algorithm. 1a assigns one of the two tests to each late head. 1b adds to the feature of the count head whether the string starts with "(". 2a lets the late heads read position 1 only. 2b draws the input of the count head from a row with the same share $p$ of "(". 3a exchanges the marks of the horizon test position by position. Each position reads a row of its own, which agrees on whether the test fails *at that position*.
#
# Experiment 3a needs 42 claims. Write `per_position`, which returns them in a list. `label(data, position)` gives the labels [row] at a position. For position 7 the image of the claim is `blocks.1.ln1.position.7`. Rows are drawn by name, so each claim needs a different name. The check uses its own labels.
#
# Stuck? `hint("d4.4.11")`
# %% exercise="d4.4.11"
def per_position(label) -> list[Interp]:
    """A claim for each of the 42 positions: its row agrees on label(data, position)."""
    ### BEGIN SOLUTION
    places = []
    for position in range(parens.LENGTH):
        own = Feature(f"label {position}", lambda data, position=position: label(data, position))
        image = at(f"blocks.1.ln1.position.{position}")
        places.append(Interp(f"position {position}", image, Matching(own)))
    return places
    ### END SOLUTION
# %% check="d4.4.11" points=2
check("d4.4.11", per_position)
# %% [markdown]
# "Fails at that position" has two readings, since strings have different lengths. A position may hold padding in one string and a parenthesis in another. The first reading calls padding "not failing". The second gives it a label of its own.
# %%
predict("d4.4.p6", ..., "per cent recovered by 3a, if padding counts as not failing")
# %%
opens, closes = ((DRAWN["tokens"] == token).long() for token in (parens.OPEN, parens.CLOSE))
ahead = (opens - closes).flip(1).cumsum(1).flip(1)
marked = Dataset(**population.columns, ahead=ahead, p=parens.open_proportion(DRAWN["tokens"]))
count_and_start = Feature("count, start", lambda data: data["count_ok"] & data["starts_open"])


def test(head: str, feature: Feature, *below: Interp) -> Interp:
    """Returns the claim that a late head runs a test, on what the claims below it bring."""
    return Interp(head, at(head), Matching(feature), below)


def two_tests(one: Interp, other: Interp) -> Interp:
    """Returns the hypothesis that the last MLP reads two late heads, and the logits read it."""
    last = Interp("last MLP", at("blocks.2.mlp_out"), Exact(), [one, other])
    return Interp("logits", at("logits"), Exact(), [last])


def value_of(head: str, draw, *below: Interp) -> Interp:
    """Returns the claim that a late head's values read its sender, on a row that `draw` draws."""
    others = {"others": Exact()} if below else {}
    image = edge(READS[head], head.replace(".out", ".v"))
    return Interp(f"{head} reads", image, draw, below, **others)


def place_1(name: str) -> Interp:
    """Returns the claim that a head reads position 1 alone."""
    return Interp(name, at("blocks.2.ln1.position.1"), Exact())
# %%
right, more = FEATURES["right"], FEATURES["more )"]
by_p = Matching(Feature("p", lambda data: data["p"][:, 1]))
fails = {
    "3a padding passes": lambda data, position: data["ahead"][:, position] > 0,
    "3a padding apart": lambda data, position: torch.where(
        data["mask"][:, position], (data["ahead"][:, position] > 0).long(), -1
    ),
}
experiments = {
    "1a count, horizon": two_tests(test(FIRST, right), test(SECOND, FEATURES["count"])),
    "1b and starts": two_tests(test(FIRST, right), test(SECOND, count_and_start)),
    "the planted tests": two_tests(test(FIRST, right), test(SECOND, more)),
    "2b the share p": two_tests(test(FIRST, right), test(SECOND, more, value_of(SECOND, by_p))),
}
in_position_1 = two_tests(
    test(FIRST, right, place_1("first")), test(SECOND, more, place_1("second"))
)
by_position = {
    name: two_tests(
        test(FIRST, right, value_of(FIRST, Exact(), *per_position(label))), test(SECOND, more)
    )
    for name, label in fails.items()
}
# %%
both_late = at(FIRST) | at(SECOND)
places = [[0], [1], list(range(2, parens.LENGTH))]
graph_1 = split(graph, both_late >> at("blocks.2.ln1"), "position", places)
every_place = [[position] for position in range(parens.LENGTH)]
graph_3 = split(graph, at(READS[FIRST]) >> at("blocks.1.ln1"), "position", every_place)
repeated = scrub(graph, ENDS | experiments, marked, 2000, metric=loss)
repeated |= scrub(graph_1, {"2a position 1": in_position_1}, marked, 2000, metric=loss)
repeated |= scrub(graph_3, by_position, marked, 2000, metric=loss)
published = {"1a count, horizon": "87.9", "1b and starts": "93.0", "2a position 1": "87.2"}
published |= {"2b the share p": "87.7", "3a padding passes": "71 to 74"}
shares = {
    name: each.recovered(repeated["model"], repeated["random"]) for name, each in repeated.items()
}
lines = [
    f"{name:20} {100 * share:6.1f} ± {100 * share.se:.1f} %   published {published.get(name, '-')}"
    for name, share in shares.items()
]
print(*lines, sep="\n")
padding = shares["3a padding passes"]
measured("d4.4.p6", 100 * padding, 100 * padding.se)
# %% [markdown]
# **What you should see**: 1a recovers 88.0 ± 1.1 %, since the planted head tests only for more ")" and not for equal counts. The published 87.9 % is about another model, so the agreement of the two numbers is a coincidence. With "starts with (" in 1b the share is 89.5 ± 1.1 %, a difference that these errors do not resolve. The planted tests, position 1 alone, and the share $p$ all recover 100.0 %.
#
# 3a depends on the treatment of padding. If padding counts as not failing, a position inside one string may be read from beyond the end of a shorter one, and 44.8 ± 2.4 % is recovered. With a separate label for padding it is 100.0 %. The published share of 3a is 84 % in the text and 71 to 74 % in the released notebook, which notes that it does not reproduce the text and suspects the handling of the padding mask. Our result shows that a mask can have this effect. It does not show that it caused theirs.
#
# *Learned*: a feature needs a value for the rows at which its question has no meaning, and this choice is part of the hypothesis.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Answer without scrolling up. Question 5 comes from the ★ exercises d4.4.9 and d4.4.10, and it can be worked out without them. Give a number or one of the listed options in `recall = {"decoy": ..., "edges": ..., "start": ..., "coarse": ..., "false": ...}`
#
# 1. `decoy`: what percentage of the answers is right if the output of head 2.0 comes from another string? (a number)
# 2. `edges`: how many edges does the planted circuit have? (a number)
# 3. `start`: where should a search along edges begin, at the `logits` or at the `embedding`?
# 4. `coarse`: if several features recover 100 %, do you claim the `coarsest` or the `finest`?
# 5. `false`: five wrong pairs of features pass a bar of 99 %. In three of them both features are as fine as the true ones, or finer. How many of the five are false claims? (a number)
#
# Stuck? `hint("d4.4.quiz")`
# %% exercise="d4.4.quiz"
### BEGIN SOLUTION
recall = {"decoy": 100, "edges": 13, "start": "logits", "coarse": "coarsest", "false": 2}
### END SOLUTION
# %% check="d4.4.quiz" points=2
check("d4.4.quiz", recall)
# %%
predictions("d4")
# %% [markdown]
# ## What you have
#
# You found a circuit of 13 edges with at most 40 experiments and graded it against the truth. A decoy convinced three observational tools and failed one experiment. In the ★ exercises you measured how often the method itself accepts a false claim. The trained model of parts 1 to 3 gets 100 %, and its late heads test one horizon each. The planted model gets 100 % too, with one horizon test and half of a count. Accuracy cannot tell the two apart.
