# %% [markdown]
# # Day 3, part 1: the algorithm
#
# **When may you say that you understand it?**
#
# Yesterday ended with a story about our two-layer model. The story is made of sentences such as "the key at B carries the token before B, and nothing else about the text matters there". A sentence of this form makes a prediction. If nothing else about the text matters there, you may swap in any other text with the same token before B, and the model must do just as well. *Causal scrubbing* (Chan et al. 2022) makes all these swaps at once and measures how much of the model's performance is left. In this part you write causal scrubbing yourself, in at most 60 lines, and try it on a toy model whose mechanism you know.
#
# **After this part you can**
# - say which rows of a data set may stand in for each other under a claim, and prove that drawing among them does not change the distribution of the data
# - write a hypothesis as a tree of claims about a graph
# - scrub a graph with your own code, by random draws and exactly, and get the library's result
# - interpret a share of loss recovered, together with its error
# - recognise five ways to be wrong about a computation
#
# **Time**: about 120 minutes.
#
# **Readings**: Chan et al. 2022, *Causal Scrubbing: a method for rigorously testing interpretability hypotheses* ([alignmentforum.org](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)), sections 1 to 3. You write their algorithm in d3.1.5 to d3.1.9.
# %% [markdown]
# ## How to read this page
#
# An id such as d3.1.4 means day 3, part 1, exercise 4. The line below an exercise's heading uses these marks.
#
# | mark | meaning |
# |---|---|
# | ●○○○○ to ●●●●● difficulty | from one line of code, to an exercise that most pairs need hints for |
# | ●○○○○ to ●●●●● importance | how much of the week builds on the exercise |
# | minutes | our estimate for a pair, with reading, predictions and the pair card |
# | core | part of the day's main path |
# | ★ | optional. If you skip it, call `start_at` with the id of your next exercise |
#
# Work in pairs at one keyboard. The *driver* types, and the *navigator* reads ahead and asks questions. After every two or three exercises there is a **pair card**. It tells you to swap, gives the navigator a question, and asks you to explain one thing to each other. If you work alone, do the part marked *Alone* instead.
#
# | call | effect |
# |---|---|
# | `check("d3.1.2", allowed)` | tests your answer and explains the first mistake that it finds |
# | `hint("d3.1.2")` | shows a hint. Call it again for the next one. The last of the three is almost the code |
# | `solution("d3.1.2")` | prints our solution, on the second call. For a written answer it also says how yours is graded |
# | `start_at("d3.1.8")` | defines everything that the page needs from d3.1.8 on, so you can skip ahead or catch up |
# | `predict(...)` | stores your guess before an experiment. A table at the end shows guesses and results |
#
# You may open a solution at any time. It is meant for pairs that have used all hints and are still stuck, and for pairs that have passed the check and want to compare. The first call only prints a warning. The second call prints our answer, and your progress record notes that you opened it.
# %%
import torch
from remix_utils import Dataset, Exact, Interp, Matching, Node, Uniform, add, apply, array, at, check, einsum
from remix_utils import evaluate, find, hint, index, placeholder, plot, replace, sample, scrub, show
from remix_utils import solution, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.data import Draw, feature

start_at("d3.1")  # to catch up: start_at("d3.1.8") defines every name that later cells use
# %% [markdown]
# ## The toy
#
# A row of the data has three numbers: `a` is 0, 1 or 2, and `b` and `c` are −1 or +1. Each of the twelve combinations occurs once. The task adds two terms. The first is 2 if `a` is odd, and 0 if `a` is even. The second is 1 if `b` and `c` are the same, and −1 if they differ.
# %%
data = Dataset(x=torch.cartesian_prod(torch.arange(3.0), torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])))


def answer(x: torch.Tensor) -> torch.Tensor:
    """Returns what the task asks for each row of x [rows, 3]."""
    return 2 * (x[:, 0] == 1) + x[:, 1] * x[:, 2]


print("row   a   b   c   answer")
for row, ((a, b, c), wanted) in enumerate(zip(data["x"].tolist(), answer(data["x"]).tolist(), strict=True)):
    print(f"{row:3} {a:3.0f} {b:3.0f} {c:3.0f} {wanted:6.0f}")
# %% [markdown]
# The model below solves the task without error, in a slightly roundabout way. Two relus compute the parity of `a`. The size of `a` also enters both halves with opposite signs, in `up` and `down`, and cancels at the end.
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
# What does `odd` depend on? It does not depend on all of `a`, since rows with `a` = 0 and `a` = 2 give the same value. A *feature* is a function of a row that gives it a label. Rows with equal labels form a class, and only the classes count. Labelling the parities 0 and 1, or −7 and 12, gives the same feature.
#
# To claim that a node computes a feature is to claim that its value stays the same as long as the label stays the same. A feature that is too coarse puts rows into one class although the node has different values on them. A feature that is too fine is still true, but it says less.
#
# Write the coarsest true feature of `odd`, of `same` and of `up`. The column `data["x"]` is [rows, 3]. The check uses other rows of the same twelve kinds.
#
# Stuck? `hint("d3.1.1")`
# %% exercise="d3.1.1"
def features(data: Dataset) -> dict[str, torch.Tensor]:
    """Returns labels [rows] by node, {"odd": ..., "same": ..., "up": ...}, each a tensor."""
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
# **What you should see**: the node has one value for each label. The class of odd rows has 4 rows, and the class of even rows has 8. This difference matters in d3.1.3.
#
# *Learned*: a feature is a partition of the data, and its labels are only names.
# %% [markdown]
# ## d3.1.2 Which rows may stand in?
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# A claim says how the row that a node reads may be exchanged. Given a *reference* row, a *draw* chooses another one. `Exact()` draws the reference row itself. `Matching(feature)` draws any row with the reference's label. `Uniform()` draws any row at all.
#
# On small data each draw is a table. Its entry `may[i, j]` is true if row j may be drawn when the reference is row i. Everything that follows uses this table. Write `allowed`, which returns it. A `Matching` holds its feature as `draw.feature`, and `draw.feature(data)` gives the labels [rows].
#
# Stuck? `hint("d3.1.2")`
# %% exercise="d3.1.2"
def allowed(draw: Draw, data: Dataset) -> torch.Tensor:
    """Returns a bool table [reference, row], true where the row may be drawn."""
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
# **What you should see**: the table consists of blocks. Every row agrees with itself, agreement goes both ways, and two rows that agree with a third row agree with each other. A relation with these three properties divides the rows into classes.
#
# *Learned*: a claim about a node is a table of rows that may stand in for each other.
# %% [markdown]
# ## d3.1.3 Does it change the data?
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · core
#
# A node that reads drawn rows should read each row as often as in the data. Otherwise the scrubbed model runs on another distribution, and a worse loss could come from this change alone. Let the reference be any row, each equally likely, and let the drawn row be any of those allowed, each equally likely. How often is each row drawn? On small data this needs no simulation, since you can add up all cases.
#
# Write `marginal` for any table. Some of the tables in the check have no classes.
#
# Stuck? `hint("d3.1.3")`
# %% exercise="d3.1.3"
def marginal(may: torch.Tensor) -> torch.Tensor:
    """Returns the probability [rows] with which each row is drawn, from a bool table [reference, row]."""
    ### BEGIN SOLUTION
    chances = may.double() / may.sum(1, keepdim=True)
    return chances.mean(0)
    ### END SOLUTION
# %% check="d3.1.3" points=1
check("d3.1.3", marginal)
# %% [markdown]
# There are other ways to draw. Suppose that any row may be drawn whose `a` differs from the reference's `a` by at most 1, each with equal chance. In the data 33 % of the rows have `a` = 1. How many of the drawn rows have `a` = 1?
# %%
predict("d3.1.p1", ..., "per cent of rows with a = 1, if a may differ by 1")
# %%
labels = features(data)["odd"]
members = [(labels == label).double() for label in labels.unique()]
label_first = torch.stack([each / each.sum() for each in members]).mean(0)  # odd or even, then a row of it
near = (data["x"][:, None, 0] - data["x"][:, 0]).abs() <= 1
ways = {
    "agree on the parity": marginal(allowed(Matching(parity), data)),
    "label first": label_first,
    "a at most 1 apart": marginal(near),
}
shares = {
    name: {f"a = {value}": (each[data["x"][:, 0] == value].sum().item(), 0.0) for value in range(3)}
    for name, each in ways.items()
}
measured("d3.1.p1", 100 * shares["a at most 1 apart"]["a = 1"][0])
plot.bars(shares, "How often a is drawn", "share of drawn rows", "value of a (in the data: 1/3 each)")
# %% [markdown]
# **What you should see**: drawing rows that agree on the parity keeps exactly 1/3 for each value of `a`. "At most 1 apart" does not divide the rows into classes, and 44 % of its rows have `a` = 1. A third way draws the label first, odd or even with equal chances, and then a row with this label. Half of its rows are odd.
#
# The proof is short. A row of a class of size k is drawn only for the k references of its class, each with chance 1/k, so k · 1/k · 1/12 = 1/12. The proof needs classes and a uniform reference.
#
# *Learned*: drawing among rows that agree on a feature gives every node the data's own distribution. Only the joint distribution of several nodes changes, and the scrub tests whether this change matters.
#
# > **Pair card.** Swap driver and navigator. The navigator asks "Where does the proof use that the reference is uniform?" Explain to each other why the proof fails for "at most 1 apart". *Alone:* find a table without classes that still keeps the distribution of the data.
# %% [markdown]
# ## d3.1.4 A hypothesis is a tree
# ●●●○○ difficulty · ●●●●● importance · 12 minutes · core
#
# Now comes the claim about the whole toy, first in words. "The output depends on the parity of `a`, which `odd` computes, and on whether `b` equals `c`, which `same` computes. Nothing else that the output reads matters." In the library a claim is an `Interp`. It holds the node that it is about, the draw of its row, and the claims about nodes below it.
#
# - The root is about the output. Its draw is `Exact()`, so its row is the reference itself.
# - Each child draws its row *given its parent's row*.
# - The nodes that the output reads and no child claims, here `up` and `down`, read one further row. The draw `others` chooses this row, and it is `Uniform()` by default.
#
# The function `claim` below saves typing. For example, `claim("up", Uniform())` claims that any row may stand in at `up`. Write `right = claim(...)`, a tree with two children, for the sentence above.
#
# The check compares the exchanges that a hypothesis allows, on other models with the same nodes. Any spelling that allows the same exchanges passes.
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
# `plot.hypothesis` draws a hypothesis as a tree and lays it over a small graph. Each node has the colour of the row that it reads, and several colours if it is read on several rows. Grey nodes are computed again from their children. A thick frame marks a node that a claim is about.
# %%
plot.hypothesis(right, "right", graph=output)
# %% [markdown]
# `show` prints every path that a hypothesis claims in a graph, and the nodes that are left to others. Read its output before every scrub. Here is a second hypothesis, which claims more than `right`. By `deeper`, `same` depends only on `b` and `c`, and each of these two reads a row of its own.
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
# ![The nodes of the toy, each in the colour of the row that it reads. The output reads left and right. Left reads odd and up, right reads down and same, and same reads b and c. Odd reads odd's row, b reads b's row, and c reads c's row. Both up and down read others' row, which may be any row. A dashed arrow is a feature that must agree. Odd's row agrees with the reference on the parity of a, same's row agrees with the reference on whether b = c, b's row agrees with same's row on b, and c's row agrees with same's row on c. A solid arrow is a value that is read, and leads to the node that reads it.](diagram:rows_of_a_scrub)
#
# *Learned*: a hypothesis makes two claims at once. Each named node depends only on its feature, and nothing else matters.
# %% [markdown]
# ## d3.1.5 One draw by hand
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Before you write the code, compute one draw of `deeper` with a pencil. The reference is row 1, with `a, b, c` = 0, −1, +1. These rows were drawn.
#
# | for | must agree with | on | row | a | b | c |
# |---|---|---|---|---|---|---|
# | `odd` | the reference | parity of a | 10 | 2 | 1 | −1 |
# | `same` | the reference | whether b = c | 2 | 0 | 1 | −1 |
# | `b` | the row of `same` | b | 7 | 1 | 1 | 1 |
# | `c` | the row of `same` | c | 8 | 2 | −1 | −1 |
# | the output's others | (any row) | | 5 | 1 | −1 | 1 |
#
# First convince yourself that every row in the table was allowed. Then fill in the values of the nodes in `by_hand = {"odd": ..., "same": ..., "up": ..., "down": ..., "left": ..., "right": ..., "output": ...}`. Remember that `left` = 2 · `odd` + `up`, and `up` = 3 · `a`.
#
# Stuck? `hint("d3.1.5")`
# %% exercise="d3.1.5"
### BEGIN SOLUTION
by_hand = {"odd": 0, "same": -1, "up": 3, "down": -3, "left": 3, "right": -4, "output": -1}
### END SOLUTION
# %% check="d3.1.5" points=1
check("d3.1.5", by_hand)
# %% [markdown]
# **What you should see**: four rows enter this one output, and the reference is not one of them. On the reference itself, `left` is 0 and `right` is −1. In this draw they are 3 and −4, and the output is still −1.
#
# *Learned*: a scrubbed model runs on a patchwork of rows. If the hypothesis is right, the output stays what it was.
#
# > **Pair card.** Swap. The navigator points at a node and asks "Which row does this node read, and with which row did it have to agree?" Explain to each other why `same` has a row although no node reads this row. *Alone:* draw a second set of rows yourself, with dice, and compute the output again.
# %% [markdown]
# ## d3.1.6 Which row agrees with which?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Now you write the code. A scrub draws rows under several names. Each claim has a row under its own name, and the nodes that the claim `output` leaves to others read the row under `"output.others"`. For each name you need the draw, and the name of the row that the drawn row must agree with. The root agrees with `"reference"`, a child with its parent, and the others of a claim with that claim.
#
# Write `all_draws`, which returns a list of triples (name, draw, name of the row to agree with), parents before children. A claim without children leaves nothing to others, and neither does a claim with `others=None`. A claim has the attributes `name`, `draw`, `children` and `others`.
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
# With this list and the table of d3.1.2, a few lines draw the rows. Write `draw_rows`. It draws `n` references, each any row of the data with equal chance, and for each reference one row under every name of `all_draws(claim)`. Draws of different names are independent, except that each row agrees with the row that it is given.
#
# `torch.multinomial(chances, 1, generator=numbers)` draws one column for each row of `chances` [n, rows], and returns [n, 1]. Make one generator from the seed, and use it for everything. Draw the reference first, so that equal seeds give equal references for every hypothesis. Hypotheses can then be compared row by row. The check draws thousands of rows, so avoid a Python loop over draws.
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
# ●●●●○ difficulty · ●●●●● importance · 18 minutes · core
#
# Now comes the central step, which builds the scrubbed graph. The function `on_rows` below computes a node anew from the inputs of drawn rows. `sample(x, rows)` is a node whose value for draw i is that of `x` on row `rows[i]`.
#
# Write `scrubbed(node, claim, rows)`, which returns the version of a node under the claim about it. If the claim has no children, this is the node on the rows of `claim.name`. Otherwise the node is computed again from its children, by three rules.
#
# - A child that one of `claim.children` is about becomes its own scrubbed version, under that claim.
# - A child with none of these claimed nodes below it reads the rows of the claim's others.
# - A child in between, such as `left`, is computed again from *its* children, by the same rules.
#
# A claim is about the node that has its name. `node.with_children([...])` applies a node's operation to other children. `find(node, lambda each: True)` lists a node and all nodes below it (`find` raises an error if nothing matches). The check uses other graphs, with claims three levels deep.
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
# **What you should see**: this is the toy again, but `a` occurs several times, each time on the row of one name. Chan et al. call this step *treeify*. A node with several readers becomes several nodes, and each reader gets a version of its own. The library's `treeify` builds the same tree. Its `scrub` then shares every node that can be shared, which changes the cost but not the value.
#
# Two more lines turn this into a scrub. The library draws its rows with other generators, so we first give both the *same* rows.
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
    both_errors = (error**2 + theirs[name].se ** 2) ** 0.5
    distance = abs(on_our_rows.mean().item() - theirs[name].mean) / both_errors if both_errors else 0.0
    ours = f"{on_our_rows.mean():.3f} ± {error:.3f}"
    library = f"{theirs[name].mean:.3f} ± {theirs[name].se:.3f}"
    print(f"{name:7} ours {ours}, library's {library}, {distance:.1f} errors apart; on equal rows equal: {equal}")
# %% [markdown]
# **What you should see**: on the same rows, your code and the library give the same loss in every draw, to the last bit. On rows of your own, the means agree within their errors. The distance is printed in errors of the difference. Both true hypotheses have a loss of 0, as the model does. With any row in place of the reference, the loss is about 3.8.
#
# *Learned*: the recursion at the heart of causal scrubbing takes 11 lines in our solution, and it gives the library's loss in every draw.
#
# > **Pair card.** Swap. The navigator asks "Is this node claimed, in between, or above no claimed node?" Explain to each other why a node in between must be computed again and cannot simply be sampled. *Alone:* count how often `a` occurs in the printed graph, and name the row that it reads each time.
# %% [markdown]
# ## d3.1.9 Every case
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# A mean over 2,000 draws has an error. On small data you can avoid this error. List every combination of rows that could be drawn, with its probability, and take the weighted mean. The exact expectation shows whether an estimate is right, and whether a hypothesis is *exactly* as good as the model.
#
# Begin with the references, each with probability 1 / (number of rows). For each name in turn, every case splits into one case for each row that is allowed, all equally likely. Repeat the rows that were drawn before accordingly. For a table `may` [cases, rows], `may.nonzero(as_tuple=True)` gives two tensors, the case and the row of every true entry.
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
# **What you should see**: the library's `n="all"` gives the same expectations. For the random rows the loss is 3.778, and the library's estimate from 2,000 draws lies 1.8 of its errors below. `deeper` has 207,360 cases. Its mean loss is 0 and no loss is negative, so the loss is 0 in every case.
#
# *Learned*: the standard error of a scrub measures how far the estimate may lie from the expectation over *these* rows. It says nothing about other data.
# %% [markdown]
# ## d3.1.10 How much is recovered?
# ●●●○○ difficulty · ●●●●● importance · 12 minutes · core
#
# A loss of 1.3 is good or bad only in comparison. The model's loss is one end of the scale. The other end is a *baseline*, here a random row. The *share recovered* is (scrubbed − baseline) / (model − baseline), computed from the three means. It is 0 at the baseline and 1 at the model.
#
# All three losses are measured on the same references, draw by draw, so they are not independent. For the error, take the share s that you found and compute d = scrubbed − s · model − (1 − s) · baseline for each draw. The mean of d is 0. The error of the share is the standard error of this mean, divided by the absolute value of the mean of model − baseline.
#
# Write `recovered`, which takes three tensors [draws] and returns the share and its standard error.
#
# Stuck? `hint("d3.1.10")`
# %% exercise="d3.1.10"
def recovered(scrubbed: torch.Tensor, model: torch.Tensor, baseline: torch.Tensor) -> tuple[float, float]:
    """Returns the share recovered and its standard error, from losses [draws]."""
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
# Three runs show what the scale means. The first scrubs `right`. The second scrubs a hypothesis that claims `same` alone and calls the parity unimportant. The third scrubs the same hypothesis on a task that the model was not built for, `same` *minus* the parity. On this task the model's own use of the parity does harm. How much does the hypothesis recover there, since it leaves the parity free?
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


def exact_share(hypothesis: Interp, metric=loss) -> float:
    """Returns the exact share recovered by a hypothesis about the toy."""
    scrubbed_loss, model_loss, random_loss = (exact(each, metric) for each in (hypothesis, *ends.values()))
    return (random_loss - scrubbed_loss) / (random_loss - model_loss)


scale = {
    "right": share_of(right, loss),
    "same alone": share_of(same_alone, loss),
    "same alone, other task": share_of(same_alone, other_loss),
}
measured("d3.1.p2", *(100 * each for each in scale["same alone, other task"]))
above_one = exact_share(same_alone, other_loss)
print(f"exact shares of same alone: {exact_share(same_alone):.2f}, on the other task {above_one:.2f}")
plot.bars({"recovered": scale}, "Shares recovered", "share recovered", "hypothesis")
# %% [markdown]
# **What you should see**: `right` recovers exactly 1. In our run `same` alone recovers 0.53 ± 0.02, and its exact share is 0.53. On the other task it recovers 1.58 ± 0.11 in our run, two errors below its exact share of 1.80. Your estimates differ from ours if you draw in another order.
#
# - A share of **1** means that the exchanges did not change the mean loss. They may still have changed single outputs.
# - A share of **0** means that the hypothesis is as bad as the baseline. Another baseline would give another number, as part 2 shows.
# - **Below 0**, the exchanges are worse than a random row.
# - **Above 1**, the scrubbed model does *better* than the model. The model then computes something that raises its loss, and the hypothesis leaves this part free. The hypothesis does not describe the model any better for it.
#
# *Learned*: a share of 1 is not an upper bound. A share far above 1 counts against a hypothesis, as a share far below 1 does.
#
# > **Pair card.** Swap. The navigator asks "Which of the three losses would you change to get a better share without a better hypothesis?" Explain to each other why d is computed draw by draw before the error is taken. *Alone:* compute the error as if the three losses were independent. Why is it almost the same on the toy?
# %% [markdown]
# ## d3.1.11 Five ways to be wrong
# ●●●○○ difficulty · ●●●●● importance · 16 minutes · core
#
# A test is useful only if it rejects false hypotheses. Here are five of them. Each differs from `right` in one respect, and each is a mistake that you could make about a real model.
#
# - In `"swapped"`, `odd` computes whether `b` equals `c`, and `same` computes the parity of `a`.
# - In `"forgotten"`, only `same` matters, and no claim is about `odd`.
# - In `"nearly"`, `odd` computes whether `a` is above 0.
# - `"one path"` is `right` with a further claim, by which `odd` depends only on `straight`. The node `straight` reads the row of `odd`, and the others of `odd` may be any row.
# - `"split"` is `right` with two further claims, by which `same` reads `b` and `c` on two rows. Each of these rows agrees with the row of `same` only on whether `b` equals `c`, and `same` leaves nothing to others.
#
# Write all five as `wrong = {"swapped": claim(...), ...}`. The check judges them as in d3.1.4, by the exchanges that they allow.
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
hypotheses = {"right": right, "deeper": deeper, **wrong}
expected = {name: exact_share(each) for name, each in hypotheses.items()}
drawn = {name: share_of(each, loss) for name, each in hypotheses.items()}
results = scrub(output, {**ends, **hypotheses}, data, 2000, metric=loss)
by_library = {name: results[name].recovered(results["model"], results["random"]) for name in hypotheses}
measured("d3.1.p3", *(100 * each for each in drawn["nearly"]))
measured("d3.1.p4", *(100 * each for each in drawn["one path"]))
print("hypothesis    exact            yours    off         library's    off")
for name, exactly in expected.items():
    columns = ""
    for share, error in (drawn[name], (float(by_library[name]), by_library[name].se)):
        off = (share - exactly) / error if error else 0.0
        columns += f"{share:9.1%} ± {error:5.1%} {off:+5.1f}"
    print(f"{name:10} {exactly:8.1%}{columns}")
nearest = min((drawn["right"][0] - drawn[name][0]) / drawn[name][1] for name in wrong)
print(f"every wrong hypothesis is at least {nearest:.0f} of its standard errors below right")
check_exact = scrub(output, {**ends, **wrong}, data, "all", metric=loss)
largest = max(abs(check_exact[name].mean - exact(each)) for name, each in wrong.items())
print(f"largest difference from the library's exact losses: {largest:.0e}")
without_error = {name: (each, 0.0) for name, each in expected.items()}
plot.bars({"exact": without_error, "2,000 draws": drawn}, "Right and wrong", "share recovered", "hypothesis")
# %% [markdown]
# In the table, `off` is the distance of an estimate from the exact share, in standard errors. The next cell lays every hypothesis over the graph, as in d3.1.4. The trees say in which share of the draws each row moved. Below each graph is the loss of the hypothesis, with those of the model and of random rows. The estimates in the titles are the library's.
# %%
for name, each in hypotheses.items():
    losses = results[name], results["model"], results["random"]
    display(plot.hypothesis(each, name, *losses, "squared error", graph=output))
# %% [markdown]
# **What you should see**: `right` and `deeper` recover exactly 100 %. `nearly` recovers 65 %, `forgotten` 53 %, `split` 47 %, `swapped` 0 % and `one path` −88 %. These are the exact shares, which equal the library's up to rounding. In our run each estimate of our own lies within 1.3 of its errors of the exact share. The nearest wrong hypothesis is 35 points below `right`. With 2,000 draws all five are more than 20 standard errors below it.
#
# Compare the mistakes. `nearly` names a feature that is wrong only on rows with `a` = 2, and it scores best of the five. In `split`, each of `b` and `c` comes from a row with the right agreement, but the two rows differ, and `same` is then random. In `one path`, the two relus of `odd` no longer cancel, since they read two rows. Look at the colours of `straight` and `bend` in its picture. The share falls far below 0 because this hypothesis separates two values that the model uses together.
#
# *Learned*: on the toy all five wrong hypotheses are rejected, the nearest at 65 %. On a real model you do not know the truth, and part 3 shows a false hypothesis that is accepted.
# %% [markdown]
# ## d3.1.12 Together or apart?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# We have not mentioned one choice yet. In `right`, `up` and `down` are unimportant, and both read *one* row, as in the published algorithm. With `shared="apart"` each unimportant node reads a row of its own. Both versions call the two nodes unimportant. Are they the same claim?
# %%
predict("d3.1.p5", ..., "per cent recovered by `right`, if up and down read two rows")
# %%
parts = [claim("odd", Matching(parity)), claim("same", Matching(agreement))]
apart = claim("output", Exact(), *parts, shared="apart")
both = scrub(output, {**ends, "together": right, "apart": apart}, data, "all", metric=loss)
exact_shares = {name: both[name].recovered(both["model"], both["random"]) for name in ("together", "apart")}
measured("d3.1.p5", 100 * float(exact_shares["apart"]))
print({name: f"{share:.1%}" for name, share in exact_shares.items()})
plot.hypothesis(apart, "apart", graph=output)
# %% [markdown]
# With one row for both nodes, the hypothesis recovers 100 %. With two rows it recovers −218 %, and both numbers are exact. In the picture, compare the colours of `up` and `down` with those in the picture of `right`. Answer each question in two or three sentences.
#
# 1. What does `right` claim about `up` and `down` with `shared="together"`, and what with `"apart"`? Which of the two claims is true of the toy?
# 2. A colleague scrubs a twelve-layer model and reports 96 % with `"together"`. Which kind of mechanism could exist in the model although the hypothesis does not mention it?
# 3. Write one claim, in the form of a tree, that would say openly what `"together"` leaves unsaid about the toy.
#
# After you hand in your answers, `solution("d3.1.12")` shows ours and explains how yours are graded.
# %% [markdown] answer="d3.1.12" points=3
# ### BEGIN SOLUTION
# 1. With "together", `up` and `down` may read any row as long as both read the *same* row, so the pair does not matter. With "apart", they may read any two rows, so neither of them matters by itself. The first claim is true, since `up` + `down` = 0 on every row (100 %). The second is false. On two rows, 3 · (a − a') is left over, and its mean square of 12 is more than three times the loss of random rows (−218 %).
# 2. Any mechanism inside the unimportant parts that cancels before the output could exist. One example is a head that writes a large direction which a later MLP removes. Another is two heads that write the same direction with opposite signs. Each of them matters by itself, and the hypothesis does not mention them.
# 3. `claim("output", Exact(), *parts, Interp("size of a", at("up") | at("down"), Uniform()), others=None)`. This is one claim about two nodes, which read one row. It says openly that both nodes carry a quantity that must be the same in both.
#
# *Grading, 3 points.* Give 1 for the difference between "the pair does not matter" and "neither matters", with both scores. Give 1 for a mechanism that cancels or agrees between unimportant parts of a real model. Give 1 for a tree with one claim about both nodes. An answer that calls "apart" a mistake of the library gets no point for the first question, since both are claims, and only one is true.
# ### END SOLUTION
# %% [markdown]
# ## Your lines
#
# You were promised a scrub in at most 60 lines. Count the lines of code in your functions and in the two that we gave you, `on_rows` and `my_scrub`. Add any helper functions of your own to the tuple. Our solutions take 46 lines.
# %%
def length(function) -> int:
    """Returns the number of lines of a function that hold code; its docstring is not counted."""
    waiting, lines = [function.__code__], set()
    while waiting:
        code = waiting.pop()
        lines |= {line for *_, line in code.co_lines() if line}
        waiting += [each for each in code.co_consts if hasattr(each, "co_lines")]
    return len(lines)


functions = (allowed, all_draws, draw_rows, every_case, on_rows, scrubbed, my_scrub)
lengths = {each.__name__: length(each) for each in functions}
print(lengths, "in all:", sum(lengths.values()), "of at most 60")
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer each question with a number or with one of the listed options, in `recall = {"marginal": ..., "given": ..., "between": ..., "nearly": ..., "above": ...}`
#
# 1. (`marginal`) Four of twelve rows are odd. The reference is uniform, and the drawn row agrees with it on the parity. With which probability is one particular odd row drawn?
# 2. (`given`) A claim is two levels below the root. Must its row agree with the row of the `reference`, of the `root`, or of its `parent`?
# 3. (`between`) A node lies above a claimed node, and no claim is about it. Is it `sampled` or `recomputed`?
# 4. (`nearly`) The hypothesis `nearly` was the best of the five wrong ones. Which share did it recover, in per cent?
# 5. (`above`) A hypothesis recovers 180 %. It leaves one quantity free that the model computes. Which is true of this quantity on this task, that it `helps` the model or that it `harms` the model?
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
# You have a scrub of your own that agrees with the library's, draw by draw and in exact expectation. On the toy it accepts two true hypotheses and rejects five false ones. The toy was easy in two ways. You knew the truth, and nothing in the toy was approximate. In part 2 the graph is the two-layer model, the hypothesis is yesterday's story, and the toy's two advantages are gone.
