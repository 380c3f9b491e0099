# %% [markdown]
# # Day 1, part 3: rewrites
#
# **Two networks are equally accurate. For the same reasons?**
#
# A question about a path needs a node at the end of that path. Often the network has no such node: there is one sum over sixteen neurons, and we want the ninth term; there is one hidden layer, and we want the part of it that a straight line explains. So we *rewrite* the graph: the value stays, the nodes change, until what we want to ask about has a node of its own. This part writes the rewrites, and asks each time how we know that the value stayed.
#
# **After this part we can**
# - compare two graphs by evaluating both, and judge the difference that we find;
# - distribute products over sums, and split a sum into its terms;
# - write a node as an estimate plus the rest, or as its part along a direction plus the part across;
# - move an index down through a graph, and say where it must stop;
# - tell a bug from rounding.
#
# **Time**: about 105 minutes without the ★ exercises.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*, the path expansion of a two-layer model: everything in it is d1.3.3. Goldberg 1991, *What Every Computer Scientist Should Know About Floating-Point Arithmetic*, the section on rounding error. Both can wait until tonight.
# %%
import itertools
import math

import torch
from remix_utils import Node, add, apply, array, at, check, einsum, evaluate, find, find_one, hint, index, models
from remix_utils import placeholder, plot, replace, show, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import digits

start_at("d1.3")  # to rejoin the room: start_at("d1.3.7") brings every name that the rest of this part reads
# %% [markdown]
# ## The library's nodes
#
# In part 2 we built our own nodes. From here on we use the library's, which have the same design:
#
# | constructor | we read |
# |---|---|
# | `placeholder("x", (64,))` | `node.name`, `node.shape`, `node.dtype` |
# | `array(tensor, "w")` | `node.op.value` |
# | `einsum("seq d, d e -> seq e", x, w, name="q")` | `node.op.pattern`, a text |
# | `add(x, y, weights=[1, -1], name="difference")` | `node.op.weights`, a number for each child |
# | `index(x, (2, slice(0, 3)), name="part")` | `node.op.at`, one entry for each axis |
# | `apply("relu", x, name="hidden")` | `node.op.function`, a name |
#
# Every node has `node.op.kind` ("einsum", "add", ...) and `node.children`. Shapes are *per example*: `evaluate(node, {"x": tensor})` adds the batch axis. Nodes cannot be changed, only built. `show(node)` prints the tree.
# %%
x, y = placeholder("x", (4,)), placeholder("y", (4,))
w = array(torch.tensor([[1.0, 2, 0, 0], [0, 0, 3, 1]]), "w")
example = einsum("out in, in -> out", w, add(x, y, weights=[2, -1], name="sum"), name="product")
print(show(example))
print(example.op.pattern, "|", example.children[1].op.weights, "|", example.shape)
# %% [markdown]
# ## d1.3.1 How far apart are two graphs?
# ●○○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# A rewrite claims that two graphs compute the same. A proof would be fine; evaluating both on random inputs is faster, and finds every mistake that we make today. The helper below draws the inputs.
#
# Write `apart`: the largest absolute difference between two nodes on the given inputs. Beware of one trap: subtracting tensors of shapes [3] and [1, 3] raises nothing. So if the nodes' shapes differ, the distance is `math.inf`. Compare `before.shape` with `after.shape`, and not the values' shapes: a node that reads no input is evaluated once, without the batch axis.
#
# Stuck? `hint("d1.3.1")`
# %%
def random_inputs(*graphs: Node, rows: int = 5, seed: int = 0) -> dict[str, torch.Tensor]:
    """Normal numbers [rows, *shape] for every placeholder below the graphs."""
    generator = torch.Generator().manual_seed(seed)
    free = [node for graph in graphs for node in find(graph, at(op="placeholder"), missing="ok")]
    return {node.name: torch.randn(rows, *node.shape, generator=generator, dtype=node.dtype) for node in free}
# %% exercise="d1.3.1"
def apart(before: Node, after: Node, inputs: dict[str, torch.Tensor]) -> float:
    """The largest absolute difference between the two nodes' values; math.inf for nodes of different shapes."""
    ### BEGIN SOLUTION
    if before.shape != after.shape:
        return math.inf
    left, right = evaluate([before, after], inputs)
    return (left - right).abs().max().item()
    ### END SOLUTION
# %% check="d1.3.1" points=1
check("d1.3.1", apart)
# %%
minus = add(x, y, weights=[1, -1])
print("x - y and -(y - x):", apart(minus, add(add(y, x, weights=[1, -1]), weights=[-1]), random_inputs(minus)))
print("x - y and y - x:   ", apart(minus, add(y, x, weights=[1, -1]), random_inputs(minus)))
# %% [markdown]
# **What you should see**: 0, and then a number above 1. On random inputs a wrong sign cannot hide.
#
# *Learned*: a rewrite comes with a test, and the test is one line.
# %% [markdown]
# ## d1.3.2 Distribute an einsum over a sum
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# $(2a - b)\,w = 2\,(a\,w) - b\,w$. An einsum is linear in each of its factors, so if one factor is a sum, the einsum is a sum of einsums. Afterwards every term's way through `w` has a node of its own.
#
# Write `distribute`, for an einsum that has at least one add among its children. Take the *first* such child. The result is an add with one term for each term of that sum. The other factors stay in their places, because the pattern reads them by place. (A term that broadcasts would need its whole shape first; here every term has the shape of the sum.)
#
# Stuck? `hint("d1.3.2")`
# %% exercise="d1.3.2"
def distribute(node: Node) -> Node:
    """An einsum over a sum -> the sum of einsums; the first child that is an add is distributed."""
    ### BEGIN SOLUTION
    slot = next(i for i, child in enumerate(node.children) if child.op.kind == "add")
    total = node.children[slot]
    before, after = node.children[:slot], node.children[slot + 1 :]
    terms = [einsum(node.op.pattern, *before, term, *after, name=f"{node.name}.{term.name}") for term in total.children]
    return add(*terms, weights=total.op.weights, name=node.name)
    ### END SOLUTION
# %% check="d1.3.2" points=2
check("d1.3.2", distribute)
# %% [markdown]
# Mathematics says that the two sides are equal. The library computes in float32. How large will the largest difference be, on 64 inputs and random weights?
# %%
predict("d1.3.p1", ..., "largest difference between the two sides, as a power of ten (-3 for 0.001)")
# %%
numbers = torch.Generator().manual_seed(0)
sources = [placeholder(name, (64,)) for name in "abc"]
matrix = array(torch.randn(10, 64, generator=numbers), "w")
before = einsum("out in, in -> out", matrix, add(*sources, weights=[2, -1, 0.5], name="sum"), name="logits")
after = distribute(before)

print(show(after))
gap = apart(before, after, random_inputs(before, rows=100))
largest = evaluate(before, random_inputs(before, rows=100)).abs().max()
print(f"apart: {gap:.1e}, where the values are up to {largest:.0f}")
measured("d1.3.p1", math.log10(gap))
# %% [markdown]
# **What you should see**: a difference of 1.5 × 10⁻⁵, on values up to 172. So the two sides are *not* equal, and one might call it a bug. Is it? The last third of this part answers that; until then the checks compute in float64, where there is less to argue about.
#
# *Learned*: weights and places travel with the terms.
#
# > **Pair card.** Swap. The navigator asks: "What becomes of a weight, and what becomes of a factor's place?" Explain back: why must `(a + b)²`, an einsum that reads one sum twice, be distributed at one place and not at both? *Alone:* multiply $(a+b)^2$ out on paper, and mark what a wrong `distribute` would leave out.
# %% [markdown]
# ## d1.3.3 ★ Multiply everything out
# ●●●○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# If several factors are sums, we may distribute them all: every term of one meets every term of the others. In part 4 the factors are a query, a key and the score between them, and the terms are the paths from the tokens to one attention score. This is all there is to "path expansion".
#
# Write `multiply_out`. The result is one add, with one einsum for every choice of a term from each sum; a factor that is no sum counts as a sum of itself. `itertools.product` gives every choice. What is the weight of a product of weighted terms?
#
# Stuck? `hint("d1.3.3")`
# %% exercise="d1.3.3"
def multiply_out(node: Node) -> Node:
    """An einsum over any number of sums -> one add of einsums, in which no factor is one of those sums."""
    ### BEGIN SOLUTION
    sums = [list(zip(c.children, c.op.weights, strict=True)) if c.op.kind == "add" else [(c, 1.0)] for c in node.children]
    choices = list(itertools.product(*sums))
    terms = [einsum(node.op.pattern, *(term for term, _ in choice)) for choice in choices]
    return add(*terms, weights=[math.prod(weight for _, weight in choice) for choice in choices], name=node.name)
    ### END SOLUTION
# %% check="d1.3.3" points=2
check("d1.3.3", multiply_out)
# %%
names = ("token", "position", "head 0", "head 1")
query, key = (add(*(placeholder(f"{side} {name}", (8,)) for name in names), name=side) for side in ("query", "key"))
scores = multiply_out(einsum("d, d -> ", query, key, name="score"))
print(len(scores.children), "terms; the first three:")
print("\n".join(" · ".join(factor.name for factor in term.children) for term in scores.children[:3]))
# %% [markdown]
# **What you should see**: 16 terms. Three sums of four would give 64: what is multiplied out must be pruned, or never built.
#
# *Learned*: paths are the terms of a product of sums.
# %% [markdown]
# ## d1.3.4 An estimate and the rest
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# The smallest rewrite is the most useful one: $x = e + (x - e)$, for any $e$ at all. Call $e$ an *estimate*: a mean, a linear fit, what we believe the node to be. The rest then holds all that the belief leaves out, and it is a node: we may look at it, resample it, or put zeros in its place and see whether anybody misses it. Mean ablation is exactly that, with the mean as estimate. Whole hypotheses will be tested in this way on day 3.
#
# Write `residual`: an add of two nodes, the estimate first, and then the rest, a node of its own. There is no subtraction in the library; there are weights.
#
# Stuck? `hint("d1.3.4")`
# %% exercise="d1.3.4"
def residual(node: Node, estimate: Node) -> Node:
    """x -> e + (x - e): an add of two children, the estimate and the rest."""
    ### BEGIN SOLUTION
    rest = add(node, estimate, weights=[1, -1], name=f"{node.name}.rest")
    return add(estimate, rest, name=node.name)
    ### END SOLUTION
# %% check="d1.3.4" points=1
check("d1.3.4", residual)
# %% [markdown]
# In part 1, `digits-b` fell to 66 % when its hidden layer was replaced by its mean: it needs its hidden layer. But what does it need of it? The next cell takes a better estimate, the best *linear* function of the pixels (least squares on the training images). The rest is all that relu makes possible. How accurate is `digits-b` when that rest is zero?
# %%
predict("d1.3.p2", ..., "per cent right, digits-b, everything but the linear part of the hidden layer removed")
# %%
train, test = digits.images("train"), digits.images("test")
inputs, label = {"x": test["x"]}, test["label"]


def accuracy(graph: Node, rows: torch.Tensor = slice(None)) -> float:
    """Per cent of the test images (or of some rows of them) that the graph names rightly."""
    return 100 * (evaluate(graph, inputs).argmax(-1) == label)[rows].float().mean().item()


def linear_estimate(graph: Node, node: Node) -> Node:
    """The linear function of the pixels that is nearest to the node [d] on the training images."""
    pixels = torch.cat([train["x"], torch.ones(len(train["x"]), 1)], dim=1).double()
    fit = torch.linalg.lstsq(pixels, evaluate(node, {"x": train["x"]}).double(), driver="gelsd").solution.float()
    product = einsum("pixel, pixel d -> d", find_one(graph, "x"), array(fit[:-1], "fit"), name="linear")
    return add(product, array(fit[-1], "constant"), name="estimate")
# %%
table = {}
for name in ("digits-a", "digits-b"):
    graph = models.load(name).graph()
    hidden = find_one(graph, "hidden")
    mean = array(evaluate(hidden, {"x": train["x"]}).mean(0), "mean")
    table[name] = {"as it is": accuracy(graph)}
    for kind, estimate in {"mean": mean, "linear fit": linear_estimate(graph, hidden)}.items():
        whole = residual(hidden, estimate)
        same = replace(graph, {hidden: whole})
        print(f"{name}, {kind}: the rewritten graph is {apart(graph, same, inputs):.0e} away from the graph")
        table[name][f"rest of the {kind} removed"] = accuracy(
            replace(same, {whole.children[1]: array(torch.zeros(16), "zeros")})
        )
measured("d1.3.p2", table["digits-b"]["rest of the linear fit removed"])
plot.bars(table, "An estimate of the hidden layer, without the rest", "test accuracy (%)")
# %% [markdown]
# **What you should see**: 66 % with the mean, and 97 % with the linear fit: not a point lost, although relu has become a straight line. `digits-b` needs its hidden layer, and of the hidden layer it needs only what a matrix can do. So a matrix could do it: add the fit, times `W_out`, to `W_skip`, and the hidden layer is gone. "It needs the hidden layer" was true, and still not what we would have concluded from it.
#
# *Learned*: the rest is a claim about what does not matter, and it is a node, so the claim can be tested.
#
# > **Pair card.** Swap. The navigator asks: "The rest is small. Small compared with what, and does small mean unimportant?" Explain back: why is the rewritten graph right for *every* estimate, also for a stupid one? *Alone:* take 1,000 times the mean as estimate, and look at what `apart` says.
# %% [markdown]
# ## d1.3.5 What is left of a shape
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · core
#
# Often we want one position, one head, one logit: `index(node, at)`. The index has one entry for each axis: an integer, a slice, or a 1-D tensor of integers; axes left out at the end are taken whole. *Every axis is indexed on its own.* Numpy and torch do something else when there are two index tensors, and nobody remembers what.
#
# Write `shape_after`: the shape of a node of this shape, indexed. What does each kind of entry leave of its axis? For slices, `entry.indices(size)` gives start, stop and step as `range` wants them, also for negative steps. (`index` checks bounds, so all entries here lie inside.)
#
# Stuck? `hint("d1.3.5")`
# %% exercise="d1.3.5"
def shape_after(shape: tuple[int, ...], at: tuple) -> tuple[int, ...]:
    """The shape after an index: one int, slice or LongTensor for each axis; trailing axes may be left out."""
    ### BEGIN SOLUTION
    left = []
    for size, entry in zip(shape, at, strict=False):
        if isinstance(entry, slice):
            left.append(len(range(*entry.indices(size))))
        elif not isinstance(entry, int):
            left.append(len(entry))
    return (*left, *shape[len(at) :])
    ### END SOLUTION
# %% check="d1.3.5" points=1
check("d1.3.5", shape_after)
# %%
stream = placeholder("stream", (6, 8, 4))
picked = torch.tensor([5, 5, 0])
for entries in [(2,), (slice(0, 6, 2), -1), (picked, picked), (slice(None, None, -1), 0, slice(0, 2))]:
    text = ", ".join("[5, 5, 0]" if entry is picked else str(entry) for entry in entries)
    print(f"{shape_after(stream.shape, entries)} {index(stream, entries).shape}  for {text}")
# %% [markdown]
# **What you should see**: the same shape twice in every line. Torch would turn the third index into shape [3, 4].
#
# *Learned*: an integer takes its axis away; everything else keeps it, at another length.
# %% [markdown]
# ## d1.3.6 Push an index through an array
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · core
#
# `index(logits, 3)` standing on top of a network means: compute all ten logits, and throw nine away. If the index moved down, nine would never be computed. Moving it is a rewrite too, one operation at a time, and the next four exercises do it. `node` is always an index; `node.children[0]` is what it stands on.
#
# The simplest case is an array: its numbers are known, so we take the entries now, and get a smaller array. Write `push_array`. `node.op.at` has one entry for each axis, with negative integers already counted from the front. Mind two differences to torch: two index tensors, and negative steps, which torch refuses.
#
# Stuck? `hint("d1.3.6")`
# %% exercise="d1.3.6"
def push_array(node: Node) -> Node:
    """An index on an array -> the array of the entries."""
    ### BEGIN SOLUTION
    value = node.children[0].op.value
    for axis in reversed(range(value.ndim)):
        entry = node.op.at[axis]
        if isinstance(entry, slice):
            entry = list(range(value.shape[axis]))[entry]
        value = value[(slice(None),) * axis + (entry,)]
    return array(value, node.name)
    ### END SOLUTION
# %% check="d1.3.6" points=2
check("d1.3.6", push_array)
# %%
grid = array(torch.arange(12.0).reshape(3, 4), "grid")
corner = index(grid, (picked[:2] - 4, picked[:2] - 3), name="corner")
print(show(corner), show(push_array(corner)), sep="\n")
print("ours, every axis on its own:", push_array(corner).op.value.tolist())
print("torch's brackets:           ", grid.op.value[corner.op.at].tolist())
# %% [markdown]
# **What you should see**: four numbers, and two from torch, which pairs the index tensors off.
#
# *Learned*: one axis at a time, the last one first, so that an axis that goes away does not renumber the others.
#
# > **Pair card.** Swap. The navigator asks: "Which axis does this entry belong to *now*?" Explain back: what goes wrong if we begin with the first axis? *Alone:* take `(0, slice(1, 3))` of `grid` by hand in both orders.
# %% [markdown]
# ## d1.3.7 Push an index through a sum
# ●●●●○ difficulty · ●●●●● importance · 12 minutes · core
#
# $(a + b)[i] = a[i] + b[i]$, with the sum's weights. That would be all, if terms did not broadcast. A bias [3] is added to a stream [5, 3]: shapes are aligned at their *last* axes, so the bias has no first axis, and gets only the last entry of the index. And a column [5, 1] has a second axis, of size 1, whose only entry stands for all three.
#
# Write `push_add`. For each term: take the entries that belong to its own axes; where its axis has size 1 and the sum's has not, the entry must not be used as it is. What should stand there instead, so that the result has the right *shape*? There are two cases.
#
# Stuck? `hint("d1.3.7")`
# %% exercise="d1.3.7"
def push_add(node: Node) -> Node:
    """An index on an add -> an add of indices, for terms of the sum's shape and for terms that broadcast."""
    ### BEGIN SOLUTION
    (total,) = node.children
    terms = []
    for child in total.children:
        lead = len(total.shape) - len(child.shape)
        entries = list(node.op.at[lead:])
        for axis, (size, whole) in enumerate(zip(child.shape, total.shape[lead:], strict=True)):
            if size == 1 and whole > 1:
                entries[axis] = 0 if isinstance(entries[axis], int) else slice(0, 1)
        terms.append(index(child, tuple(entries), name=f"{node.name}.{child.name}"))
    return add(*terms, weights=total.op.weights, name=node.name)
    ### END SOLUTION
# %% check="d1.3.7" points=3
check("d1.3.7", push_add)
# %%
stream = add(placeholder("x", (5, 3)), placeholder("bias", (3,)), placeholder("column", (5, 1)), name="stream")
for entries in [(4,), (slice(0, 2), 1)]:
    part = index(stream, entries, name="part")
    print(show(push_add(part)), f"\napart: {apart(part, push_add(part), random_inputs(part))}\n")
# %% [markdown]
# **What you should see**: distance 0. In the second tree `column` is left with shape [2], and `bias` with no axis at all.
#
# *Learned*: an index on a sum means something different to each term, and its shape decides what.
# %% [markdown]
# ## d1.3.8 Push an index through an einsum
# ●●●●○ difficulty · ●●●●○ importance · 10 minutes · core
#
# In an einsum every output axis has a word, and the word says which axes of the factors it comes from. So an entry of the index goes to *every* axis with that word, in whichever factor it stands. Summed words are not in the output; their axes are taken whole.
#
# An integer takes its axis away, so its word must leave the pattern: `"i j, j k -> i k"` at `(2,)` becomes `"j, j k -> k"`.
#
# Write `push_einsum`. `node.children[0].op.pattern` always has spaces between words and a comma between factors, so `split` reads it.
#
# Stuck? `hint("d1.3.8")`
# %% exercise="d1.3.8"
def push_einsum(node: Node) -> Node:
    """An index on an einsum -> the einsum of indexed factors."""
    ### BEGIN SOLUTION
    (child,) = node.children
    left, right = child.op.pattern.split("->")
    entry = dict(zip(right.split(), node.op.at, strict=True))
    gone = {word for word in entry if isinstance(entry[word], int)}
    factors, sides = [], []
    for factor, words in zip(child.children, left.split(","), strict=True):
        own = tuple(entry.get(word, slice(None)) for word in words.split())
        factors.append(index(factor, own, name=f"{node.name}.{factor.name}"))
        sides.append(" ".join(word for word in words.split() if word not in gone))
    output = " ".join(word for word in right.split() if word not in gone)
    return einsum(f"{', '.join(sides)} -> {output}", *factors, name=node.name)
    ### END SOLUTION
# %% check="d1.3.8" points=3
check("d1.3.8", push_einsum)
# %%
graph = models.load("digits-b").graph()
three = index(find_one(graph, "skip.product"), 3, name="the three's share")
print(show(three), show(push_einsum(three)), sep="\n\n")
# %% [markdown]
# **What you should see**: instead of a product with all of `skip` [10, 64], a product with one row [64].
#
# *Learned*: words, not places, say where an index goes.
# %% [markdown]
# ## d1.3.9 Push an index through a function, or refuse
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# $\text{relu}(x)[i] = \text{relu}(x[i])$, because relu looks at each number alone. Softmax does not: it divides by the sum over its last axis, and over the entries that are left the sum is another. Past softmax's *other* axes an index may go. `WHOLE` says how many trailing axes each function needs whole.
#
# Write `push_apply`, for a function of one child. If a mixed axis is not taken whole, raise a `ValueError` that names the node. A rewrite that cannot apply must say so; if it silently did nothing, we would believe that it had done something. An axis of length n is taken whole by the entry `slice(0, n, 1)`, which is how `node.op.at` always writes it.
#
# Stuck? `hint("d1.3.9")`
# %%
WHOLE = {"relu": 0, "tanh": 0, "sigmoid": 0, "exp": 0, "gelu": 0, "softmax": 1, "log_softmax": 1}
# %% exercise="d1.3.9"
def push_apply(node: Node) -> Node:
    """An index on a function -> the function of the index; ValueError if an axis that it mixes is indexed."""
    ### BEGIN SOLUTION
    (child,) = node.children
    first_mixed = len(child.shape) - WHOLE[child.op.function]
    for entry, size in list(zip(node.op.at, child.shape, strict=True))[first_mixed:]:
        if entry != slice(0, size, 1):
            raise ValueError(f"{child.name} needs all {size} entries of an axis that {node.name} indexes with {entry}")
    return apply(child.op.function, index(child.children[0], node.op.at, name=f"{node.name}.in"), name=node.name)
    ### END SOLUTION
# %% check="d1.3.9" points=2
check("d1.3.9", push_apply)
# %%
pattern = apply("softmax", placeholder("scores", (5, 5)), name="pattern")
try:
    push_apply(index(pattern, (slice(None), 0), name="first column"))
except ValueError as refusal:
    print("refused:", refusal)

wrong = apply("softmax", index(pattern.children[0], (slice(None), slice(0, 3))), name="softmax of three")
values = evaluate([index(pattern, (2, slice(0, 3))), index(wrong, (2,))], random_inputs(pattern))
print("what it would have been:", values[1][0].tolist(), "\ninstead of:             ", values[0][0].tolist())
# %% [markdown]
# **What you should see**: a refusal; and three probabilities that add up to 1 where they should not. Both lines look like an attention pattern. Nothing but the comparison would have told us.
#
# *Learned*: where an operation mixes, rewrites stop; and they stop aloud.
#
# > **Pair card.** Swap. The navigator asks: "Which numbers does this output number depend on?" Explain back: which axes of an attention layer's output may an index pass, from `z` [seq, head, d] down to the tokens, and which one stops where? *Alone:* reverse the order of softmax's axis, `slice(None, None, -1)`, before and after softmax. Was our refusal needed?
# %% [markdown]
# ## How far down, and at what price
#
# Each push moves the index by one node. To reach the bottom, push what was pushed. The cell below does so with a few lines of recursion, on towers of blocks with skips, each of which reads the stream twice: `stream + relu(stream · w)`. We ask for the last of 16 positions. How many pushes does a tower of twelve blocks take?
# %%
predict("d1.3.p3", ..., "pushes in a tower of twelve blocks")
# %%
PUSH = {"array": push_array, "add": push_add, "einsum": push_einsum, "apply": push_apply}


def tower(blocks: int, positions: int = 16) -> Node:
    """A residual stream [positions, 4] that each block reads twice, once through relu and once past it."""
    numbers = torch.Generator().manual_seed(blocks)
    stream = placeholder("x", (positions, 4))
    for block in range(blocks):
        weight = array(torch.randn(4, 4, generator=numbers) / 4, f"w{block}")
        read = einsum("seq d, d e -> seq e", stream, weight, name=f"read{block}")
        stream = add(stream, apply("relu", read, name=f"block{block}"), name=f"stream{block}")
    return stream


def push_down(node: Node, pushes: list[str]) -> Node:
    """Push an index as far as it goes, and note every push."""
    if node.op.kind != "index" or node.children[0].op.kind not in PUSH:
        return node
    pushes.append(node.name)
    pushed = PUSH[node.children[0].op.kind](node)
    return Node(pushed.op, [push_down(child, pushes) for child in pushed.children], "part")
# %%
counts = {}
for blocks in (1, 2, 4, 8, 12):
    push_down(index(tower(blocks), slice(15, 16), name="last"), pushes := [])
    counts[blocks] = len(pushes)
print(counts)
measured("d1.3.p3", counts[12])
# %% [markdown]
# **What you should see**: 16,380 pushes for a graph of 49 nodes; every further block doubles it. Part 1 counted the paths through such a tower, and this recursion walks every one of them. A rewrite that recurses by itself forgets that it has been here before.
# %% [markdown]
# ## d1.3.10 ★ To the bottom, once
# ●●●●○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# The cure is a memory. What an index makes of a child depends on the child and on the entries, and on nothing else, so it is worked out once for each such pair, and shared by all readers.
#
# Write `sink`: push an index down until each index stands on a placeholder, or on a function that refuses. Indices are made of integers and slices, so `(child, str(node.op.at))` can be the key of a dict; nodes are hashable, by identity. `PUSH` above says which rewrite goes with which kind. `Node(op, children, name)` builds a node of the same operation on other children. The check has a tower of 60 blocks.
#
# Stuck? `hint("d1.3.10")`
# %% exercise="d1.3.10"
def sink(node: Node, known: dict | None = None) -> Node:
    """An index, as far down as it goes; each (child, entries) is pushed once."""
    ### BEGIN SOLUTION
    known = {} if known is None else known
    (child,) = node.children
    key = child, str(node.op.at)
    if key not in known:
        try:
            pushed = PUSH[child.op.kind](node)
        except (KeyError, ValueError):
            return node
        below = [sink(each, known) if each.op.kind == "index" else each for each in pushed.children]
        known[key] = Node(pushed.op, below, child.name)
    return known[key]
    ### END SOLUTION
# %% check="d1.3.10" points=3
check("d1.3.10", sink)
# %%
def numbers_computed(graph: Node) -> int:
    """How many numbers are worked out for one example: entries of all nodes that are no input, constant or index."""
    return sum(node.size for node in find(graph, at("*")) if node.children and node.op.kind != "index")


last = index(tower(12), slice(15, 16), name="last")
print("apart:", apart(last, sink(last), random_inputs(last)))
print("numbers computed:", numbers_computed(last), "before,", numbers_computed(sink(last)), "after")
# %% [markdown]
# **What you should see**: distance 0, and a sixteenth of the numbers. `evaluate` does this by itself before it computes anything, so from now on we index what we want, wherever it stands, and pay for no more.
#
# *Learned*: a rewrite walks nodes, not paths.
# %% [markdown]
# ## d1.3.11 Split a sum into its terms
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# An einsum that sums over an axis is a sum of products, and we would often like to see the products. A layer's output sums over its heads: split, each head has a node, and can be ablated. In the digits networks, `out` sums over hidden neurons in the same way: heads of one dimension each.
#
# Write `split_sum`: an add of einsums, one for each entry of a summed axis, in the order of the entries. Term `i` reads entry `i` of *every* axis with that word, in every factor. Indexed with an integer, the axis goes, and so does its word. The check splits axes of other lengths than 16, and some that the first factor lacks.
#
# Stuck? `hint("d1.3.11")`
# %% exercise="d1.3.11"
def split_sum(node: Node, axis: str) -> Node:
    """An einsum that sums over `axis` -> an add of one einsum for each entry of that axis, in order."""
    ### BEGIN SOLUTION
    left, right = node.op.pattern.split("->")
    sides = [side.split() for side in left.split(",")]
    sizes = {side[i]: child.shape[i] for side, child in zip(sides, node.children, strict=True) for i in range(len(side))}
    pattern = ", ".join(" ".join(word for word in side if word != axis) for side in sides) + " ->" + right
    terms = []
    for i in range(sizes[axis]):
        entries = [tuple(i if word == axis else slice(None) for word in side) for side in sides]
        factors = [index(child, own, name=f"{child.name}.{i}") for child, own in zip(node.children, entries, strict=True)]
        terms.append(einsum(pattern, *factors, name=f"{node.name}.{i}"))
    return add(*terms, name=node.name)
    ### END SOLUTION
# %% check="d1.3.11" points=2
check("d1.3.11", split_sum)
# %%
def terms_of(node: Node) -> list[Node]:
    """The terms of a sum, and of the sums in it."""
    return [term for child in node.children for term in terms_of(child)] if node.op.kind == "add" else [node]


out = find_one(graph, "out")
by_neuron = split_sum(out, "hidden")
print(f"apart: {apart(out, by_neuron, inputs):.0e}")
says = torch.stack(evaluate(terms_of(by_neuron), inputs), dim=-1)  # [image, digit, neuron]
for_it = says[torch.arange(len(label)), label] - says.mean(dim=1)  # to the right digit, above the average digit
by_digit = torch.stack([for_it[label == digit].mean(0) for digit in range(10)])
neurons = [f"n{neuron}" for neuron in range(16)]
shown = [f"a {digit}" for digit in range(10)]
plot.heatmap(by_digit, shown, neurons, "What each neuron adds to the right digit", "logit", x="neuron", y="image")
# %% [markdown]
# **What you should see**: distance at the level of rounding, and sixteen columns that add up, row by row, to the hidden layer's whole say. Neurons 1 and 3, which are never on, add nothing. Neuron 9, which is always on, adds 3 to 5 to the right digit if that is a 0, 4, 8 or 9, and takes about 2 from it if that is a 2, 3, 5 or 7: there the others must outvote it.
#
# *Learned*: after a split, "what does neuron 9 do?" is a question about one node.
#
# > **Pair card.** Swap. The navigator asks: "Does every factor of term i know that it is term i?" Explain back: what do we get if only one of two factors is indexed? *Alone:* write out $\sum_h a_h b_h$ for two heads, and then the wrong version.
# %% [markdown]
# ## d1.3.12 Along a direction, and across
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# We often suspect that a network writes something in one *direction*: "unbalanced" on day 4, "this is a 4 and no 9" below. So we split a node into its part along the direction, $(x \cdot u)\,u$ with $|u| = 1$, and the part across, which is what is left.
#
# Write `project`: an add of two nodes, along first, then across. Directions live on the node's last axis, and are seldom of length 1. Note what the usual test will *not* notice: along plus across is x, whatever we take for u. That the parts are orthogonal needs a test of its own, and the check has one, on float64 nodes of one to three axes.
#
# Stuck? `hint("d1.3.12")`
# %% exercise="d1.3.12"
def project(node: Node, direction: torch.Tensor) -> Node:
    """x -> along + across, for a direction [d] of the node's last axis."""
    ### BEGIN SOLUTION
    unit = array((direction / direction.norm()).to(node.dtype), "unit")
    lead = " ".join(f"axis{i}" for i in range(len(node.shape) - 1))
    along = einsum(f"{lead} d, d, to -> {lead} to", node, unit, unit, name=f"{node.name}.along")
    across = add(node, along, weights=[1, -1], name=f"{node.name}.across")
    return add(along, across, name=node.name)
    ### END SOLUTION
# %% check="d1.3.12" points=2
check("d1.3.12", project)
# %% [markdown]
# In `digits-b`, the hidden layer tells 4 from 9 along one direction of sixteen: `W_out[4] - W_out[9]`. Across it, whatever happens in the hidden layer moves both logits alike. We remove the part along this direction. How many of the 4s and 9s are still named rightly, out of 95 %? For comparison, we remove twenty random directions, one at a time.
# %%
predict("d1.3.p4", ..., "per cent right, of the 4s and 9s, without the direction that tells them apart")
# %%
hidden, read = find_one(graph, "hidden"), find_one(graph, "out.weight").op.value
nine_or_four = (label == 4) | (label == 9)


def without(direction: torch.Tensor) -> Node:
    """The graph, in which the hidden layer keeps only what lies across the direction."""
    return replace(graph, {hidden: project(hidden, direction).children[1]})


random_directions = torch.randn(20, 16, generator=torch.Generator().manual_seed(0))
at_random = torch.tensor([accuracy(without(direction), nine_or_four) for direction in random_directions])
blind = without(read[4] - read[9])
logits = evaluate(blind, inputs)[nine_or_four]
chosen = 100 * ((logits[:, 4] > logits[:, 9]) == (label[nine_or_four] == 4)).float().mean().item()
print(f"as it is {accuracy(graph, nine_or_four):.0f} %, without 4 - 9 {accuracy(blind, nine_or_four):.0f} %")
print(f"without a random direction {at_random.mean():.0f} ± {at_random.std() / 20**0.5:.0f} %")
print(f"and if it may only choose between 4 and 9: {chosen:.0f} %")
measured("d1.3.p4", accuracy(blind, nine_or_four))
# %% [markdown]
# **What you should see**: 42 %, against 91 ± 2 % without a random direction. The direction matters. But the last line says: asked "4 or 9?", the network is right in 98 % of cases. The skip path knows. What was lost is not the difference between a 4 and a 9: it is that a 4 now looks like a 0 or a 1, because across the direction we left activations that the network never makes. It is a zero ablation again, of one direction.
#
# *Learned*: a projection cuts exactly, and what the cut means still depends on the metric.
# %% [markdown]
# ## d1.3.13 The next number up
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# Now the account that we have put off. After d1.3.2 two graphs were 10⁻⁵ apart. A float32 has 24 binary digits, and so the numbers that it can express stand in rows: from 1 to 2 in steps of $2^{-23}$, which `torch.finfo(torch.float32).eps` knows; from 2 to 4 in steps twice as wide; from 256 to 512, 256 times as wide. Every result of an operation is rounded to the nearest one.
#
# Write `step_at`: the distance from |value| to the next larger number that the dtype can express. Which power of two is the row's beginning?
#
# Stuck? `hint("d1.3.13")`
# %% exercise="d1.3.13"
def step_at(value: float, dtype: torch.dtype) -> float:
    """The gap between |value| and the next larger number of this dtype; value is not 0."""
    ### BEGIN SOLUTION
    return torch.finfo(dtype).eps * 2.0 ** math.floor(math.log2(abs(value)))
    ### END SOLUTION
# %% check="d1.3.13" points=1
check("d1.3.13", step_at)
# %%
for value in (0.001, 1.0, 172.0, 1e6):
    single, double = step_at(value, torch.float32), step_at(value, torch.float64)
    print(f"{value:>13,.3f}:  float32 {single:.1e}   float64 {double:.1e}")
# %% [markdown]
# **What you should see**: at 172 a float32 step is 1.5 × 10⁻⁵. The two sides of d1.3.2 were one step apart, the least by which two numbers of that size can differ at all, and a test for 10⁻⁵ would have called it a bug.
#
# Now the residual rewrite once more. It holds for *any* estimate. Let x be about 1, and take an estimate of about a million. How far is `e + (x - e)` from `x`, in float32?
#
# > **Pair card.** Swap. The navigator asks: "How large are the numbers *inside*, and not only at the end?" Explain back: why do the intermediate values decide about rounding? *Alone:* work `1000000 + (1.03 - 1000000)` out by hand, keeping eight digits after every step.
# %%
predict("d1.3.p5", ..., "largest error of e + (x - e), for x about 1 and e about a million, in float32")
# %%
def roundabout(size: float, dtype: torch.dtype) -> float:
    """The largest error of e + (x - e) over 1,000 values of x, for an estimate of this size."""
    x = placeholder("x", (1000,), dtype)
    estimate = array(torch.full((1000,), 1.2345 * size, dtype=dtype), "e")
    return apart(x, residual(x, estimate), random_inputs(x, rows=1))


powers = list(range(0, 13, 2))
dtypes = {"float32": torch.float32, "float64": torch.float64}
errors = {name: [roundabout(10.0**p, dtype) for p in powers] for name, dtype in dtypes.items()}
errors["half a float32 step"] = [step_at(1.2345 * 10.0**p, torch.float32) / 2 for p in powers]
measured("d1.3.p5", errors["float32"][3])
logs = {name: [math.log10(error) for error in line] for name, line in errors.items()}
plot.lines(powers, logs, "Error of e + (x - e), x about 1", "size of e (power of ten)", "largest error (power of ten)")
# %% [markdown]
# **What you should see**: at a million the error is 0.06, half a step of float32 at that size, which no test for 10⁻⁵ would accept; and from 10⁸ on nothing is left of x. The rewrite is right. In float64 the same curve lies half a billion times lower.
#
# *Learned*: the size of an error says nothing; its size beside the step at the largest number on the way says a lot.
# %% [markdown]
# ## d1.3.14 Is it a bug?
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# So a right rewrite may be off by 0.06, and a wrong one, say a forgotten term in small numbers, by 10⁻⁶. No threshold in float32 separates the two. What does? The cause: *rounding shrinks half a billion times when we compute in float64, and a bug stays as it is.*
#
# Write `is_bug`, for two float32 graphs: True if they do not compute the same. `in_double` below gives a graph's twin in float64; the inputs must follow. Then compare, relative to the size of the values: a bug in small numbers is a small number. The bugs in the check change values by two parts in a million or more. Which limits would do?
#
# Stuck? `hint("d1.3.14")`
# %%
def in_double(graph: Node) -> Node:
    """The same graph in float64: every array and placeholder exchanged for one in double precision."""
    arrays, inputs = (find(graph, at(op=kind), missing="ok") for kind in ("array", "placeholder"))
    twins = {node: array(node.op.value.double(), node.name) for node in arrays}
    return replace(graph, twins | {node: placeholder(node.name, node.shape, torch.float64) for node in inputs})
# %% exercise="d1.3.14"
def is_bug(before: Node, after: Node, inputs: dict[str, torch.Tensor]) -> bool:
    """Whether two float32 graphs compute different things, rounding aside; inputs are float32."""
    ### BEGIN SOLUTION
    doubled = {name: value.double() for name, value in inputs.items()}
    left, right = in_double(before), in_double(after)
    size = evaluate(left, doubled).abs().max().item()
    return apart(left, right, doubled) > 1e-8 * size
    ### END SOLUTION
# %% check="d1.3.14" points=2
check("d1.3.14", is_bug)
# %%
numbers = torch.Generator().manual_seed(1)
far, tiny = array(torch.full((64,), 1.2345e6), "far"), array(1e-4 * torch.randn(10, 64, generator=numbers), "tiny")
small = einsum("out in, in -> out", tiny, add(*sources, weights=[2, -1, 0.5]), name="small")
off = einsum("out in, in -> out", tiny, add(*sources, weights=[2, -1, 0.501]), name="off")
pairs = {
    "distribute": (before, after),
    "residual, far estimate": (sources[0], residual(sources[0], far)),
    "a weight 0.5 that became 0.501": (small, distribute(off)),
}
for name, (one, other) in pairs.items():
    values = random_inputs(one, other)
    print(f"{name:32} float32 apart {apart(one, other, values):.0e}   bug: {is_bug(one, other, values)}")
# %% [markdown]
# **What you should see**: the bug is the pair with the *smallest* difference, 2 × 10⁻⁶. It alone would have passed a test for 10⁻⁵.
#
# *Learned*: do not ask how large a difference is; ask what it does in float64.
# %% [markdown]
# ## d1.3.15 ★ Add in pairs
# ●●●○○ difficulty · ●●○○○ importance · 10 minutes · ★
#
# One long add is worked out from left to right: the running total grows, its steps grow with it, and each small term is rounded to them. The order of a sum is ours to choose, and choosing it is a rewrite: add neighbours, then the sums of neighbours, and so on, as in a tournament. The totals stay small until the end, and each term passes $\log_2 n$ roundings instead of up to $n$.
#
# Write `balanced`, for an add of any number of terms, with weights: every add of the result has at most two children, and the terms are added in $\lceil\log_2 n\rceil$ levels. An add of one child, `add(term, weights=[w])`, weighs it, and does not count as a level.
#
# Stuck? `hint("d1.3.15")`
# %% exercise="d1.3.15"
def balanced(node: Node) -> Node:
    """An add of n terms -> adds of at most two children each, in ceil(log2(n)) levels."""
    ### BEGIN SOLUTION
    level = [add(child, weights=[weight]) for child, weight in zip(node.children, node.op.weights, strict=True)]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]
    ### END SOLUTION
# %% check="d1.3.15" points=2
check("d1.3.15", balanced)
# %%
def rounding(node: Node) -> float:
    """The mean relative error of a sum in float32, against float64."""
    exact = evaluate(in_double(node), {})
    return ((evaluate(node, {}) - exact) / exact).abs().mean().item()


numbers = torch.Generator().manual_seed(2)
lengths = [2**power for power in range(4, 13, 2)]
sums = [add(*(array(torch.rand(200, generator=numbers), f"t{i}") for i in range(length))) for length in lengths]
series = {"left to right": [rounding(each) for each in sums], "in pairs": [rounding(balanced(each)) for each in sums]}
logs = {name: [math.log10(error) for error in line] for name, line in series.items()}
powers = [math.log2(length) for length in lengths]
plot.lines(powers, logs, "Two orders of one sum", "number of terms (power of two)", "relative error (power of ten)")
# %% [markdown]
# **What you should see**: from left to right, 4,096 terms are summed with twenty times the error of the sum in pairs, whose line is flat. Torch sums in pairs (of blocks) as well, which is why two ways of writing one sum in torch seldom agree to the last digit.
#
# *Learned*: addition is associative on paper only, and the difference can be put to use.
#
# > **Pair card.** Swap. The navigator asks: "Which of today's thresholds would we set differently now?" Explain back: why is "they agree to 10⁻⁵" neither enough nor needed? *Alone:* find a test with a fixed tolerance in your own work, and say what it lets through.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Close the page above, or look away. Answer with a number, or one of the listed options: `recall = {"terms": ..., "axes": ..., "softmax": ..., "parts": ..., "rounding": ...}`
#
# 1. `terms`: a sum of three times a sum of four, multiplied out: how many terms?
# 2. `axes`: a node of shape [5, 6, 7] at `(2, slice(1, 4))`: how many axes are left?
# 3. `softmax`: which of its axes may an index not pass: `"the first"` or `"the last"`?
# 4. `parts`: along and across always add up to x. The normalised direction also makes them `"equal"`, `"parallel"` or `"orthogonal"`?
# 5. `rounding`: computed in float64, a bug stays as large as it was. Rounding `"grows"`, `"stays"` or `"shrinks"`?
#
# Stuck? `hint("d1.3.quiz")`
# %% exercise="d1.3.quiz"
### BEGIN SOLUTION
recall = {"terms": 12, "axes": 2, "softmax": "the last", "parts": "orthogonal", "rounding": "shrinks"}
### END SOLUTION
# %% check="d1.3.quiz" points=2
check("d1.3.quiz", recall)
# %%
predictions("d1.3")
# %% [markdown]
# ## What we have
#
# Every rewrite here kept the value and moved the question: to a term, an estimate, an entry, a direction. The library has them all, as `split`, and in `RULES` as `distribute`, `flatten`, `residual`, `project` and `push_index`. And the day's question has a sharper form: `digits-b` needs its hidden layer, and yet a matrix could take its place. Next: the same rewrites on a transformer.
