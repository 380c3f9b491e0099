# %% [markdown]
# # Day 3, part 1: the algorithm
#
# **When may you say that you understand it?**
#
# Yesterday ended with a story about our two-layer model. The story is made of sentences such as "the key at B carries the token before B, and nothing else about the text matters there". A sentence of this form makes a prediction. If nothing else about the text matters there, you may swap in any other text with the same token before B, and the model must do just as well. *Causal scrubbing* (Chan et al. 2022) makes all these swaps at once and measures how much of the model's performance is left. In this part you write it yourself, in at most 60 lines, on a toy that is small enough to know the right answer.
#
# **After this part you can**
# - say which rows of a data set may stand in for each other under a claim, and prove that drawing among them does not change the data;
# - write a hypothesis as a tree of claims about a graph;
# - scrub a graph with your own code, by random draws and exactly, and get the library's result;
# - read a share of loss recovered, with its error, also where it is negative or above 100 %;
# - recognise five common ways to be wrong about a computation.
#
# **Time**: about 110 minutes.
#
# **Readings**: Chan et al. 2022, *Causal Scrubbing: a method for rigorously testing interpretability hypotheses* ([alignmentforum.org](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)), sections 1 to 3. You write their algorithm in d3.1.5 to d3.1.9.
# %%
import torch
from remix_utils import Dataset, Exact, Interp, Matching, Node, Uniform, add, apply, array, at, check, einsum
from remix_utils import evaluate, find, hint, index, placeholder, plot, replace, sample, scrub, show, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.data import Draw, feature

start_at("d3.1")  # to rejoin the room: start_at("d3.1.8") brings every name that the rest of this part reads
# %% [markdown]
# ## The toy
#
# A row of the data has three numbers: `a` is 0, 1 or 2, and `b` and `c` are −1 or +1. All twelve combinations occur once. The task adds two terms. The first is 2 if `a` is odd, and 0 if `a` is even. The second is 1 if `b` and `c` are the same, and −1 if they differ.
# %%
data = Dataset(x=torch.cartesian_prod(torch.arange(3.0), torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])))


def answer(x: torch.Tensor) -> torch.Tensor:
    """Returns what the task asks for each row of x [rows, 3]."""
    return 2 * (x[:, 0] == 1) + x[:, 1] * x[:, 2]


print("row   a   b   c   answer")
for row, ((a, b, c), wanted) in enumerate(zip(data["x"].tolist(), answer(data["x"]).tolist(), strict=True)):
    print(f"{row:3} {a:3.0f} {b:3.0f} {c:3.0f} {wanted:6.0f}")
# %% [markdown]
# The model below solves the task without error, in a slightly roundabout way, as trained networks do. Two relus compute the parity of `a`. The size of `a` also enters both halves with opposite signs, in `up` and `down`, and cancels at the end.
# %%
x = placeholder("x", (3,))
a, b, c = (index(x, place, name=name) for place, name in enumerate("abc"))
straight = apply("relu", a, name="straight")
bend = apply("relu", add(a, array(1.0, "one"), weights=[1, -1], name="a - 1"), name="bend")
odd = add(straight, bend, weights=[1, -2], name="odd")
same = einsum(", ->", b, c, name="same")
up = einsum(", ->", a, array(3.0, "three"), name="up")
down = einsum(", ->", a, array(-3.0, "minus three"), name="down")
left = add(odd, up, weights=[2, 1], name="left")
right_side = add(down, same, name="right")
output = add(left, right_side, name="output")


def loss(output: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the squared error [draws] of outputs on the task of the reference rows."""
    return (output - answer(reference["x"])) ** 2


print("loss of the model:", loss(evaluate(output, data), data).mean().item())
show(output)
# %% [markdown]
# ## d3.1.1 Features
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# What does `odd` depend on? Not on all of `a`: a row with `a` = 0 and a row with `a` = 2 give the same value. A *feature* is a function of a row that gives it a label. Rows with equal labels form a class, and only the classes count. Labelling the parities 0 and 1, or −7 and 12, gives the same feature.
#
# To claim that a node computes a feature is to claim that its value stays the same as long as the label stays the same. A feature that is too coarse puts rows into one class although the node has different values on them. A feature that is too fine is true and says less.
#
# Write the coarsest true feature of `odd`, of `same` and of `up`. The column `data["x"]` is [rows, 3]. The check uses other rows of the same twelve kinds.
#
# Stuck? `hint("d3.1.1")`
# %% exercise="d3.1.1"
def features(data: Dataset) -> dict[str, torch.Tensor]:
    """Returns labels [rows] by node, {"odd": ..., "same": ..., "up": ...}; equal labels, equal values."""
    ### BEGIN SOLUTION
    a, b, c = data["x"].unbind(1)
    return {"odd": a % 2, "same": b * c, "up": a}
    ### END SOLUTION
# %% check="d3.1.1" points=1
check("d3.1.1", features)
# %%
@feature
def parity(data: Dataset) -> torch.Tensor:
    """Returns whether a is odd, as your function labels it."""
    return features(data)["odd"]


@feature
def agreement(data: Dataset) -> torch.Tensor:
    """Returns whether b equals c, as your function labels it."""
    return features(data)["same"]


for name in ("odd", "same", "up"):
    labels, values = features(data)[name], evaluate(find(output, name)[0], data)
    classes = {label.item(): values[labels == label].unique().tolist() for label in labels.unique()}
    print(f"{name}: values of the node for each label: {classes}")
# %% [markdown]
# **What you should see**: one value of the node for each label. The class of odd rows has 4 rows and that of even rows has 8, which will matter in d3.1.3.
#
# *Learned*: a feature is a partition of the data, and its labels are only names.
# %% [markdown]
# ## d3.1.2 Which rows may stand in?
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# A claim says how the row that a node reads may be exchanged. Given a *reference* row, a *draw* chooses another one. `Exact()` draws the reference row itself. `Matching(feature)` draws any row with the reference's label. `Uniform()` draws any row at all.
#
# On small data each of them is a table: `may[i, j]` says whether row j may be drawn where the reference is row i. Everything that follows uses this table. Write it. A `Matching` holds its feature as `draw.feature`, and `draw.feature(data)` gives the labels [rows].
#
# Stuck? `hint("d3.1.2")`
# %% exercise="d3.1.2"
def allowed(draw: Draw, data: Dataset) -> torch.Tensor:
    """Returns which row may be drawn for which reference: bool [reference, row]."""
    ### BEGIN SOLUTION
    if isinstance(draw, Exact):
        return torch.eye(len(data), dtype=torch.bool)
    if isinstance(draw, Uniform):
        return torch.ones(len(data), len(data), dtype=torch.bool)
    labels = draw.feature(data)
    return labels[:, None] == labels
    ### END SOLUTION
# %% check="d3.1.2" points=2
check("d3.1.2", allowed)
# %%
rows = [f"{row}: {' '.join(f'{value:.0f}' for value in each)}" for row, each in enumerate(data["x"].tolist())]
may_draw = allowed(Matching(parity), data).float()
plot.heatmap(may_draw, rows, rows, "Rows that agree on the parity of a", "may be drawn", x="row: a b c", y="reference")
# %% [markdown]
# **What you should see**: blocks. A row agrees with itself, agreement goes both ways, and two rows that agree with a third one agree with each other. This is what makes the classes of a partition.
#
# *Learned*: a claim about a node is a table of rows that may stand in for each other.
# %% [markdown]
# ## d3.1.3 Does it change the data?
# ●●○○○ difficulty · ●●●○○ importance · 6 minutes · core
#
# A node that reads drawn rows should read each row as often as in the data. Otherwise the scrubbed model runs on another distribution, and a worse loss could come from this change alone. Let the reference be any row, each equally likely, and let the drawn row be any of those allowed, each equally likely. How often is each row drawn? On small data this needs no simulation, since you can add up all cases.
#
# Write `marginal` for any table. Some tables of the check are not made of classes.
#
# Stuck? `hint("d3.1.3")`
# %% exercise="d3.1.3"
def marginal(may: torch.Tensor) -> torch.Tensor:
    """Returns how likely each row is drawn [rows], from a table bool [reference, row]."""
    ### BEGIN SOLUTION
    chances = may.double() / may.sum(1, keepdim=True)
    return chances.mean(0)
    ### END SOLUTION
# %% check="d3.1.3" points=1
check("d3.1.3", marginal)
# %% [markdown]
# There are other ways to draw. Suppose you draw the *label* first, odd or even with equal chances, and then a row with that label. In the data 33 % of the rows have an odd `a`. How many of the drawn rows have an odd `a`?
# %%
predict("d3.1.p1", ..., "per cent of odd rows, if the label is drawn first")
# %%
labels = features(data)["odd"]
label_first = torch.stack([(labels == label).double() / (labels == label).sum() for label in (0, 1)]).mean(0)
near = (data["x"][:, None, 0] - data["x"][:, 0]).abs() <= 1
ways = {
    "agree on the parity": marginal(allowed(Matching(parity), data)),
    "label first": label_first,
    "a at most 1 apart": marginal(near),
}
measured("d3.1.p1", 100 * label_first[labels == 1].sum().item())
shares = {
    name: {f"a = {value}": (each[data["x"][:, 0] == value].sum().item(), 0.0) for value in range(3)}
    for name, each in ways.items()
}
plot.bars(shares, "How often a is drawn", "share of drawn rows", "value of a (in the data: 1/3 each)")
# %% [markdown]
# **What you should see**: rows that agree on the parity keep 1/3 for each value of `a`, exactly. If the label comes first, half of the drawn rows are odd. "At most 1 apart" is no partition, and draws `a` = 1 in 44 % of the cases.
#
# The proof is short. A row of a class of size k is drawn only for the k references of its class, each with chance 1/k, so k · 1/k · 1/12 = 1/12. It needs classes, and a reference that is uniform.
#
# *Learned*: drawing among rows that agree on a feature gives every node the data's own distribution. Only the joint distribution of several nodes changes, and the scrub tests whether this change matters.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which two nodes read the same row before, and read two rows now?" Explain back to each other: why does the proof fail for "at most 1 apart"? *Alone:* find a table that is no partition and keeps the marginal all the same.
# %% [markdown]
# ## d3.1.4 A hypothesis is a tree
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# Now the claim about the whole toy. In words: "The output depends on the parity of `a`, which `odd` computes, and on whether `b` equals `c`, which `same` computes. Nothing else that the output reads matters." In the library a claim is an `Interp`: the node that it is about, how its row is drawn, and the claims about the nodes below it.
#
# - The root is about the output. Its row is `Exact()`: the row that the reference asks about.
# - Each child draws its row *given its parent's row*.
# - Whatever the output reads that no child claims, here `up` and `down`, reads one further row, drawn by `others`. Unless you say otherwise, `others` is `Uniform()`.
#
# `claim` below saves typing: `claim("up", Uniform())` is the claim that any row may stand in at `up`. Write `right = claim(...)`, a tree with two children, for the sentence above.
#
# Hypotheses are judged by what may be drawn where, on other models with the same nodes. Any spelling that allows the same exchanges passes.
#
# Stuck? `hint("d3.1.4")`
# %%
def claim(name: str, draw: Draw, *children: Interp, **options) -> Interp:
    """Returns a claim about the node of this name; options are `others` and `shared`."""
    return Interp(name, at(name), draw, children, **options)
# %% exercise="d3.1.4"
### BEGIN SOLUTION
right = claim("output", Exact(), claim("odd", Matching(parity)), claim("same", Matching(agreement)))
### END SOLUTION
# %% check="d3.1.4" points=2
check("d3.1.4", right)
# %% [markdown]
# `show` reads a hypothesis in a graph: every path that it claims, and what is left for others. Read this before every scrub. Beside `right` stands a hypothesis that says more: `same` itself depends on nothing but `b` and `c`, each read on a row of its own.
# %%
@feature
def value_of_b(data: Dataset) -> torch.Tensor:
    """Returns b."""
    return data["x"][:, 1]


@feature
def value_of_c(data: Dataset) -> torch.Tensor:
    """Returns c."""
    return data["x"][:, 2]


signs = [claim("b", Matching(value_of_b)), claim("c", Matching(value_of_c))]
from_signs = claim("same", Matching(agreement), *signs, others=None)
deeper = claim("output", Exact(), claim("odd", Matching(parity)), from_signs)
show(deeper.on(output))
# %% [markdown]
# ![The nodes of the toy, each in the colour of the row that it reads. The output reads left and right. Left reads odd and up, right reads down and same, and same reads b and c. Odd reads odd's row, b reads b's row, and c reads c's row. Both up and down read others' row, which may be any row. Dashed arrows show what a row must agree with: odd's row agrees with the reference on the parity of a, same's row agrees with the reference on whether b = c, and from same's row come b for b's row and c for c's row. Solid is what is read.](diagram:rows_of_a_scrub)
#
# *Learned*: a hypothesis says two things at once, what each named node depends on, and that nothing else matters.
# %% [markdown]
# ## d3.1.5 One draw by hand
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Before you write the code, compute one draw of `deeper` with a pencil. The reference is row 1, with `a, b, c` = 0, −1, +1. These rows were drawn:
#
# | for | must agree with | on | row | a | b | c |
# |---|---|---|---|---|---|---|
# | `odd` | the reference | parity of a | 10 | 2 | 1 | −1 |
# | `same` | the reference | whether b = c | 2 | 0 | 1 | −1 |
# | `b` | the row of `same` | b | 7 | 1 | 1 | 1 |
# | `c` | the row of `same` | c | 8 | 2 | −1 | −1 |
# | the output's others | (any row) | | 5 | 1 | −1 | 1 |
#
# First convince yourself that every row in the table was allowed. Then fill in the values of the nodes: `by_hand = {"odd": ..., "same": ..., "up": ..., "down": ..., "left": ..., "right": ..., "output": ...}`. Remember that `left` = 2 · `odd` + `up`, and `up` = 3 · `a`.
#
# Stuck? `hint("d3.1.5")`
# %% exercise="d3.1.5"
### BEGIN SOLUTION
by_hand = {"odd": 0, "same": -1, "up": 3, "down": -3, "left": 3, "right": -4, "output": -1}
### END SOLUTION
# %% check="d3.1.5" points=1
check("d3.1.5", by_hand)
# %% [markdown]
# **What you should see**: four rows enter this one output, and the reference is not among them. On the reference itself, `left` is 0 and `right` is −1. In this draw they are 3 and −4, and the output is still −1.
#
# *Learned*: a scrubbed model runs on a patchwork of rows. If the hypothesis is right, the output stays what it was.
#
# > **Pair card.** Swap. The navigator points at a node and asks: "Which row does this node read, and what did the row have to agree with?" Explain back: `same` has a row, and no node reads that row. What is it for? *Alone:* draw a second set of rows yourself, with dice, and compute the output again.
# %% [markdown]
# ## d3.1.6 Who agrees with whom?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Now the code. A scrub needs a row under each of several names: each claim's own name, and `"output.others"` for whatever the claim `output` leaves to others. Each name has a draw, and the name of the row that it must agree with. For the root this is `"reference"`. For a child it is its parent, and for the others of a claim it is that claim.
#
# Write `all_draws`: a list of triples (name, draw, name of the row to agree with), parents before children. A claim without children leaves nothing to others, and neither does one with `others=None`. A claim has the attributes `name`, `draw`, `children` and `others`.
#
# Stuck? `hint("d3.1.6")`
# %% exercise="d3.1.6"
def all_draws(claim: Interp, given: str = "reference") -> list[tuple[str, Draw, str]]:
    """Returns every (name, draw, name of the row to agree with), parents first."""
    ### BEGIN SOLUTION
    found = [(claim.name, claim.draw, given)]
    if claim.children and claim.others is not None:
        found.append((f"{claim.name}.others", claim.others, claim.name))
    for child in claim.children:
        found += all_draws(child, claim.name)
    return found
    ### END SOLUTION
# %% check="d3.1.6" points=2
check("d3.1.6", all_draws)
# %%
for name, draw, given in all_draws(deeper):
    print(f"{name:13} {type(draw).__name__:9} given the row of {given}")
# %% [markdown]
# ## d3.1.7 Draw the rows
# ●●○○○ difficulty · ●●●○○ importance · 7 minutes · core
#
# With the list and the table of d3.1.2, the draws are a few lines. Write `draw_rows`: `n` references, each any row of the data, and under every name of `all_draws(claim)` one row for each of them. Draws of different names are independent, except that each agrees with the row it is given.
#
# `torch.multinomial(chances, 1, generator=numbers)` draws one column for each row of `chances` [n, rows], and returns [n, 1]. Make one generator from the seed, and use it for everything. Draw the reference first: then equal seeds give equal references, whatever the hypothesis, and hypotheses can be compared row by row.
#
# Stuck? `hint("d3.1.7")`
# %% exercise="d3.1.7"
def draw_rows(claim: Interp, data: Dataset, n: int, seed: int) -> dict[str, torch.Tensor]:
    """Returns numbers of rows: {"reference": [n], and [n] for each name of the claim}."""
    ### BEGIN SOLUTION
    numbers = torch.Generator().manual_seed(seed)
    rows = {"reference": torch.randint(len(data), (n,), generator=numbers)}
    for name, draw, given in all_draws(claim):
        chances = allowed(draw, data)[rows[given]].double()
        rows[name] = torch.multinomial(chances, 1, generator=numbers)[:, 0]
    return rows
    ### END SOLUTION
# %% check="d3.1.7" points=2
check("d3.1.7", draw_rows)
# %% [markdown]
# ## d3.1.8 The recursion
# ●●●●○ difficulty · ●●●●● importance · 15 minutes · core
#
# Now the central step, which builds the scrubbed graph. `on_rows` below computes a node anew from inputs of drawn rows. `sample(x, rows)` is a node whose value for draw i is that of `x` on row `rows[i]`.
#
# Write `scrubbed(node, claim, rows)`, the version of a node under the claim about it.
#
# - A claim without children: the node on the rows of `claim.name`.
# - Otherwise the node is computed again from its children. A child that some claim below is about becomes its own scrubbed version. A child from which no claimed node can be reached reads the rows of the claim's others. A child in between, such as `left`, is computed again from *its* children, by the same rules.
#
# `node.with_children([...])` is the same operation on other children, and `find(node, lambda each: True)` lists a node and all nodes below it. A claim is about the node that has its name. The check uses other graphs, with claims three levels deep.
#
# Stuck? `hint("d3.1.8")`
# %%
def on_rows(node: Node, rows: dict[str, torch.Tensor], name: str) -> Node:
    """Returns the node computed anew from inputs of the rows drawn under a name."""
    inputs = [each for each in find(node, lambda each: True) if each.op.kind == "placeholder"]
    return replace(node, {each: sample(each, rows[name], f"{each.name} on {name}") for each in inputs})
# %% exercise="d3.1.8"
def scrubbed(node: Node, claim: Interp, rows: dict[str, torch.Tensor]) -> Node:
    """Returns the node with each claimed part on its own rows, and all else on those of the others."""
    ### BEGIN SOLUTION
    if not claim.children:
        return on_rows(node, rows, claim.name)
    claims = {child.name: child for child in claim.children}

    def walk(node: Node) -> Node:
        if node.name in claims:
            return scrubbed(node, claims[node.name], rows)
        if not any(each.name in claims for each in find(node, lambda each: True)):
            return on_rows(node, rows, f"{claim.name}.others")
        return node.with_children([walk(child) for child in node.children])

    return node.with_children([walk(child) for child in node.children])
    ### END SOLUTION
# %% check="d3.1.8" points=3
check("d3.1.8", scrubbed)
# %% [markdown]
# The result is a graph like any other. Here it is for four draws of `deeper`.
# %%
show(scrubbed(output, deeper, draw_rows(deeper, data, 4, seed=0)))
# %% [markdown]
# **What you should see**: the toy again, in which `a` and `x` occur several times, once for each name. Chan et al. call this step *treeify*. A node with several readers becomes several nodes, and each reader gets a version of its own. The library's `treeify` builds the same tree. Its `scrub` then shares whatever may be shared, which changes the cost and not the value.
#
# Two more lines turn this into a scrub. The library draws its rows by another generator, so first we give both the *same* rows.
# %%
def my_scrub(graph: Node, claim: Interp, data: Dataset, rows: dict[str, torch.Tensor], metric) -> torch.Tensor:
    """Returns the metric of each draw [draws] under a claim."""
    return metric(evaluate(scrubbed(graph, claim, rows), data), data[rows["reference"]])


ends = {"model": claim("output", Exact()), "random": claim("output", Uniform())}
theirs = scrub(output, {**ends, "right": right, "deeper": deeper}, data, 2000, metric=loss)
for name, each in {**ends, "right": right, "deeper": deeper}.items():
    on_their_rows = my_scrub(output, each, data, theirs[name].rows, loss)
    on_our_rows = my_scrub(output, each, data, draw_rows(each, data, 2000, seed=0), loss)
    error = on_our_rows.std().item() / len(on_our_rows) ** 0.5
    equal = torch.equal(on_their_rows.double(), theirs[name].per_example)
    ours = f"{on_our_rows.mean():.3f} ± {error:.3f}"
    library = f"{theirs[name].mean:.3f} ± {theirs[name].se:.3f}"
    print(f"{name:7} ours {ours}, library's {library}, equal on equal rows: {equal}")
# %% [markdown]
# **What you should see**: on the same rows, the same loss in every draw, to the last bit. On rows of our own, the same mean within the errors. Both true hypotheses have a loss of 0, like the model. With any row in place of the reference, the loss is about 3.8.
#
# *Learned*: causal scrubbing is a recursion of 11 lines. The hard part is to find the hypothesis.
#
# > **Pair card.** Swap. The navigator asks: "Is this node claimed, above a claim, or beside all claims?" Explain back: why must a node between be computed again, and not simply be sampled? *Alone:* count in the printed graph how often `a` occurs, and say for each which name it is read under.
# %% [markdown]
# ## d3.1.9 Every case
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# A mean over 2,000 draws has an error. On small data you can avoid this error. List every combination of rows that could be drawn, with its probability, and take the weighted mean. The exact expectation tells whether an estimate is right, and whether a hypothesis is *exactly* as good as the model.
#
# Begin with the references, each with probability 1 / (number of rows). For each name in turn, every case so far splits into as many as there are rows allowed, equally likely. All rows that were drawn before are repeated accordingly. `may.nonzero(as_tuple=True)`, for a table `may` [cases, rows], gives two lists: the case and the row of every entry that is true.
#
# Stuck? `hint("d3.1.9")`
# %% exercise="d3.1.9"
def every_case(claim: Interp, data: Dataset) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Returns every case, as rows by name [cases], and the probabilities [cases], float64."""
    ### BEGIN SOLUTION
    rows = {"reference": torch.arange(len(data))}
    chances = torch.full((len(data),), 1 / len(data), dtype=torch.float64)
    for name, draw, given in all_draws(claim):
        may = allowed(draw, data)[rows[given]]
        case, row = may.nonzero(as_tuple=True)
        chances = (chances / may.sum(1))[case]
        rows = {known: each[case] for known, each in rows.items()} | {name: row}
    return rows, chances
    ### END SOLUTION
# %% check="d3.1.9" points=2
check("d3.1.9", every_case)
# %%
def exact(hypothesis: Interp, metric=loss) -> float:
    """Returns the exact loss of a hypothesis about the toy."""
    rows, chances = every_case(hypothesis, data)
    return (chances * my_scrub(output, hypothesis, data, rows, metric)).sum().item()


enumerated = {name: exact(each) for name, each in {**ends, "right": right, "deeper": deeper}.items()}
library = scrub(output, {**ends, "right": right, "deeper": deeper}, data, "all", metric=loss)
for name, value in enumerated.items():
    off = (theirs[name].mean - value) / theirs[name].se if theirs[name].se else 0.0
    cases = len(library[name].per_example)
    exactly = f"{value:.6f}, library's {library[name].mean:.6f} in {cases:,} cases"
    print(f"{name:7} {exactly}; its 2,000 draws are {off:+.1f} errors off")
# %% [markdown]
# **What you should see**: the library's `n="all"` gives the same expectations. For the random rows the loss is 3.778, and the library's estimate from 2,000 draws lies 1.8 of its errors below. `deeper` has 207,360 cases, and in every one of them the loss is 0.
#
# *Learned*: the standard error of a scrub says how far the estimate may be from this expectation over *these* rows. It says nothing about other data.
# %% [markdown]
# ## d3.1.10 How much is recovered?
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# A loss of 1.3 is good or bad only in comparison. The model's loss is one end of the scale. The other end is a *baseline*, here a random row. The share recovered is the way from the baseline to the hypothesis, as a share of the way from the baseline to the model: (scrubbed − baseline) / (model − baseline), with means.
#
# All three losses are measured on the same references, draw by draw, so they are not independent. For the error, put the share s that you found into the difference that it makes zero: d = scrubbed − s · model − (1 − s) · baseline. The error of the share is the standard error of the mean of d, divided by |model − baseline|.
#
# Write `recovered`. It gets three tensors [draws] and returns the share and its standard error.
#
# Stuck? `hint("d3.1.10")`
# %% exercise="d3.1.10"
def recovered(scrubbed: torch.Tensor, model: torch.Tensor, baseline: torch.Tensor) -> tuple[float, float]:
    """Returns the share of the way from the baseline's mean loss to the model's, and its error."""
    ### BEGIN SOLUTION
    whole = model.mean() - baseline.mean()
    share = (scrubbed.mean() - baseline.mean()) / whole
    apart = scrubbed - share * model - (1 - share) * baseline
    error = apart.std() / len(apart) ** 0.5 / whole.abs()
    return share.item(), error.item()
    ### END SOLUTION
# %% check="d3.1.10" points=2
check("d3.1.10", recovered)
# %% [markdown]
# Three runs show what the scale means. The first scrubs `right`. The second scrubs a hypothesis that claims `same` alone and calls the parity unimportant. The third scrubs the same hypothesis on a task that the model was not built for, `same` *minus* the parity. On this task the model's own use of the parity does harm. What does the hypothesis recover there, now that it leaves the parity free?
# %%
predict("d3.1.p2", ..., "per cent recovered by `same` alone, on the task where the parity does harm")
# %%
same_alone = claim("output", Exact(), claim("same", Matching(agreement)))


def other_loss(output: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the squared error [draws] on another task: same minus the parity."""
    a, b, c = reference["x"].unbind(1)
    return (output - (b * c - a % 2)) ** 2


def share_of(hypothesis: Interp, metric, seed: int = 0) -> tuple[float, float]:
    """Returns the share recovered by a hypothesis about the toy, from 2,000 draws, with its error."""
    claims = (hypothesis, ends["model"], ends["random"])
    drawn = [my_scrub(output, each, data, draw_rows(each, data, 2000, seed), metric) for each in claims]
    return recovered(*drawn)


scale = {
    "right": share_of(right, loss),
    "same alone": share_of(same_alone, loss),
    "same alone, other task": share_of(same_alone, other_loss),
}
measured("d3.1.p2", *(100 * each for each in scale["same alone, other task"]))
model_loss, random_loss, scrubbed_loss = (exact(each, other_loss) for each in (*ends.values(), same_alone))
above_one = (random_loss - scrubbed_loss) / (random_loss - model_loss)
print(f"on the other task, exactly: {above_one:.2f}")
plot.bars({"recovered": scale}, "Shares recovered", "share of the way from random to the model", "hypothesis")
# %% [markdown]
# **What you should see**: `right` recovers exactly 1. `same` alone recovers 0.53 ± 0.02, and the exact share is 0.53. On the other task it recovers 1.58 ± 0.11, two errors below the exact share of 1.80.
#
# - **1** says that the exchanges did not change the mean loss. It does not say that they changed no output.
# - **0** says that the hypothesis is as bad as the baseline. Another baseline would give another number, which part 2 is about.
# - **Below 0** the exchanges make it worse than a random row.
# - **Above 1** the scrubbed model does *better* than the model. Then the model computes something that costs it loss, and the hypothesis leaves this out. It is no better a description of the model.
#
# *Learned*: a share of 1 is not an upper bound. A share far above 1 counts against a hypothesis, like a share far below 1.
#
# > **Pair card.** Swap. The navigator asks: "Which of the three numbers would you change, if you wanted a better score without a better hypothesis?" Explain back: why is the error smaller if all three losses share their references? *Alone:* compute the error as if the three were independent, and compare.
# %% [markdown]
# ## d3.1.11 Five ways to be wrong
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# A test is useful only if it rejects false hypotheses. Here are five of them. Each differs from `right` in one respect, and each is a mistake that people make about real models.
#
# - `"swapped"`: `odd` computes whether `b` equals `c`, and `same` computes the parity of `a`.
# - `"forgotten"`: only `same` matters. `odd` is not claimed.
# - `"nearly"`: `odd` computes whether `a` is above 0.
# - `"one path"`: as `right`, and `odd` depends only on `straight`, which reads the row of `odd`. The others of `odd` may be any row.
# - `"split"`: as `right`, and `same` reads `b` and `c` on two rows, each of which agrees with the row of `same` only on whether `b` equals `c`. `same` leaves nothing to others.
#
# Write all five as `wrong = {"swapped": claim(...), ...}`. They are judged like d3.1.4, by the exchanges that they allow.
#
# Stuck? `hint("d3.1.11")`
# %% exercise="d3.1.11"
### BEGIN SOLUTION
above_0 = feature(lambda data: data["x"][:, 0] > 0)
odd_right, same_right = claim("odd", Matching(parity)), claim("same", Matching(agreement))
one_path = claim("odd", Matching(parity), claim("straight", Exact()))
torn = [claim("b", Matching(agreement)), claim("c", Matching(agreement))]
split = claim("same", Matching(agreement), *torn, others=None)
wrong = {
    "swapped": claim("output", Exact(), claim("odd", Matching(agreement)), claim("same", Matching(parity))),
    "forgotten": claim("output", Exact(), same_right),
    "nearly": claim("output", Exact(), claim("odd", Matching(above_0)), same_right),
    "one path": claim("output", Exact(), one_path, same_right),
    "split": claim("output", Exact(), odd_right, split),
}
### END SOLUTION
# %% check="d3.1.11" points=3
check("d3.1.11", wrong)
# %% [markdown]
# Before you run the test, guess two of the scores.
# %%
predict("d3.1.p3", ..., "per cent recovered by `nearly`")
# %%
predict("d3.1.p4", ..., "per cent recovered by `one path`")
# %%
whole = enumerated["random"] - enumerated["model"]
expected = {name: (enumerated["random"] - exact(each)) / whole for name, each in {"right": right, **wrong}.items()}
drawn = {name: share_of(each, loss) for name, each in {"right": right, **wrong}.items()}
measured("d3.1.p3", *(100 * each for each in drawn["nearly"]))
measured("d3.1.p4", *(100 * each for each in drawn["one path"]))
print("hypothesis   exact    2,000 draws      errors below right")
for name, (share, error) in drawn.items():
    below = f"{(drawn['right'][0] - share) / error:8.0f}" if error else ""
    print(f"{name:10} {expected[name]:7.1%} {share:8.1%} ± {error:5.1%} {below}")
check_exact = scrub(output, {**ends, **wrong}, data, "all", metric=loss)
largest = max(abs(check_exact[name].mean - exact(each)) for name, each in wrong.items())
print(f"largest difference from the library's exact losses: {largest:.0e}")
without_error = {name: (each, 0.0) for name, each in expected.items()}
plot.bars({"exact": without_error, "2,000 draws": drawn}, "Right and wrong", "recovered", "hypothesis")
# %% [markdown]
# The next cell draws every hypothesis as a tree, with the share of draws in which each row moved. Below the tree you see the loss of the hypothesis between that of the model and that of random rows.
# %%
results = scrub(output, {**ends, "right": right, "deeper": deeper, **wrong}, data, 2000, metric=loss)
for name, each in {"right": right, "deeper": deeper, **wrong}.items():
    display(plot.hypothesis(each, name, results[name], results["model"], results["random"], "squared error"))
# %% [markdown]
# **What you should see**: `right` and `deeper` recover 100 %, exactly. `nearly` recovers 65 %, `forgotten` 53 %, `split` 47 %, `swapped` 0 % and `one path` −88 %. These are the exact shares, equal to the library's up to rounding, and every estimate lies within 1.3 of its errors of them. The nearest wrong hypothesis is 35 points below the right one, and in 2,000 draws all five are more than 20 standard errors below.
#
# Compare the mistakes. `nearly` names a feature that is almost the right one, and so it scores best of the five. In `split`, each of `b` and `c` comes from a row with the right agreement, but the two rows differ, and `same` is then random. In `one path`, the two relus of `odd` no longer cancel, since they read two rows. A share far below 0 is therefore a useful sign. It indicates that the hypothesis separates values that the model uses together.
#
# *Learned*: on the toy all five wrong hypotheses are rejected, the nearest at 65 %. On a real model you do not know the truth, and part 3 shows a false hypothesis that is accepted.
# %% [markdown]
# ## d3.1.12 Together or apart?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# One choice went unmentioned. In `right`, `up` and `down` are unimportant, and both read *one* row, as in the published algorithm. With `shared="apart"` each unimportant node reads a row of its own. Both versions call the two nodes unimportant. Are they the same claim?
# %%
predict("d3.1.p5", ..., "per cent recovered by `right`, if up and down read two rows")
# %%
parts = [claim("odd", Matching(parity)), claim("same", Matching(agreement))]
apart = claim("output", Exact(), *parts, shared="apart")
both = scrub(output, {**ends, "together": right, "apart": apart}, data, "all", metric=loss)
exact_shares = {name: both[name].recovered(both["model"], both["random"]) for name in ("together", "apart")}
measured("d3.1.p5", 100 * float(exact_shares["apart"]))
print({name: f"{share:.1%}" for name, share in exact_shares.items()})
show(apart.on(output))
# %% [markdown]
# With one row for both, the hypothesis recovers 100 %. With two rows it recovers −218 %, and both numbers are exact. Write down, in two or three sentences each:
#
# 1. What does `right` claim about `up` and `down` with `shared="together"`, and what with `"apart"`? Which of the two claims is true of the toy?
# 2. A colleague scrubs a twelve-layer model and reports 96 % with `"together"`. Which kind of mechanism could exist in the model although the hypothesis does not mention it?
# 3. Write one claim, in the form of a tree, that would say openly what `"together"` leaves unsaid about the toy.
# %% [markdown] answer="d3.1.12" points=3
# ### BEGIN SOLUTION
# 1. Together: as long as `up` and `down` read *one* row, it may be any row, so the pair does not matter. Apart: `up` and `down` may read any two rows, so neither of them matters by itself. The first claim is true, since `up` + `down` = 0 on every row (100 %). The second is false. On two rows, 3 · (a − a') is left over, and its mean square of 12 is more than three times the loss of random rows (−218 %).
# 2. Anything that the unimportant parts compute among themselves and that cancels before the output. One example is a head that writes a large direction which a later MLP removes. Another is two heads that write the same direction with opposite signs. Each of them matters by itself, and the hypothesis does not mention them.
# 3. `claim("output", Exact(), *parts, Interp("size of a", at("up") | at("down"), Uniform()), others=None)`. This is one claim about two nodes, which read one row. It says openly that both carry something that must be the same in both, whatever it is.
# ### END SOLUTION
# %% [markdown]
# ## Your lines
#
# The promise was a scrub in at most 60 lines of your own. Count those that do something.
# %%
def length(function) -> int:
    """Returns how many lines of a function do something; its docstring does not."""
    parts = [function.__code__]
    parts += [each for each in parts[0].co_consts if hasattr(each, "co_lines")]
    return len({line for code in parts for *_, line in code.co_lines() if line})


functions = (allowed, all_draws, draw_rows, every_case, on_rows, scrubbed, my_scrub)
lengths = {each.__name__: length(each) for each in functions}
print(lengths, "in all:", sum(lengths.values()))
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, or one of the listed options: `recall = {"marginal": ..., "given": ..., "between": ..., "nearly": ..., "above": ...}`
#
# 1. `marginal`: twelve rows, of which four are odd. The reference is uniform, the drawn row agrees on the parity. With which probability is a certain odd row drawn?
# 2. `given`: the row of a claim two levels below the root must agree with the row of the `reference`, of the `root`, or of its `parent`?
# 3. `between`: a node lies above a claimed node, and no claim is about it. Is it `sampled` or `recomputed`?
# 4. `nearly`: which share, in per cent, did the hypothesis `nearly` recover, the best of the five wrong ones?
# 5. `above`: a hypothesis recovers 180 %. It leaves something free that the model computes. Which is true of it on this task, that it `helps` the model or that it `harms` the model?
#
# Stuck? `hint("d3.1.quiz")`
# %% exercise="d3.1.quiz"
### BEGIN SOLUTION
recall = {"marginal": "1/12", "given": "parent", "between": "recomputed", "nearly": 65, "above": "harms"}
### END SOLUTION
# %% check="d3.1.quiz" points=2
check("d3.1.quiz", recall)
# %%
predictions("d3")
# %% [markdown]
# ## What you have
#
# You have a scrub of your own that agrees with the library's, draw by draw and in exact expectation. On the toy it accepts a true hypothesis and rejects five false ones. The toy was easy in two ways. You knew the truth, and nothing in it was approximate. In part 2 the graph is the two-layer model and the hypothesis is yesterday's story, and no interesting hypothesis recovers 100 %.
