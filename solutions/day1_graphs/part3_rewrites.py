# %% [markdown]
# # Day 1, part 3: rewrites
#
# **Two networks are equally accurate. For the same reasons?**
#
# To ask about a path, you need a node at the end of the path. Often the network has no such node. The output layer is one sum over sixteen neurons, and you want the term of neuron 9. Or you want only the part of the hidden layer that a linear function of the pixels explains. Then you *rewrite* the graph. The value of the graph stays the same and its nodes change, until the part that you want to ask about is a node of its own. In this part you write such rewrites. For each of them you also check that the value really stayed the same.
#
# **After this part you can**
# - compare two graphs by evaluating both
# - distribute a product over a sum
# - write a node as an estimate plus the rest
# - push an index below an operation, and tell when that isn't allowed
# - tell a bug from rounding
# - split a sum into its terms, and a node into a part along a direction and a part across it (★)
#
# **Time**: about 70 minutes for the core, with reading, predictions and cards. The ★ exercises take about 130 minutes more. The marks and calls are explained at the top of part 1.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits* ([transformer-circuits.pub](https://transformer-circuits.pub/2021/framework/index.html)), the path expansion of a two-layer model. You'll use the same idea in d1.3.3. Goldberg 1991, *What Every Computer Scientist Should Know About Floating-Point Arithmetic* ([doi](https://doi.org/10.1145/103162.103163)), the section on rounding error. Both can wait until tonight.
# %%
import itertools
import math

import torch
from remix_utils import Node, add, apply, array, at, check, einsum, evaluate, explain, find
from remix_utils import find_one, hint, index, models, placeholder, plot, replace, show, solution
from remix_utils import start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import digits

start_at("d1.3")  # to catch up: start_at("d1.3.9") defines every name that later cells use
# %% [markdown]
# ## The library's nodes
#
# In part 2 you built your own nodes. From here on you use the library's nodes, which have the same design.
#
# | constructor | fields that you can read |
# |---|---|
# | `placeholder("x", (64,))` | `node.name`, `node.shape`, `node.dtype` |
# | `array(tensor, "w")` | `node.op.value` |
# | `einsum("seq d, d e -> seq e", x, w, name="q")` | `node.op.pattern`, a string |
# | `add(x, y, weights=[1, -1], name="difference")` | `node.op.weights`, one number for each child |
# | `index(x, (2, slice(0, 3)), name="part")` | `node.op.at`, one entry for each axis |
# | `apply("relu", x, name="hidden")` | `node.op.function`, a name |
#
# Every node also has `node.op.kind`, such as "einsum" or "add", and `node.children`. Shapes are *per example*, and `evaluate(node, {"x": tensor})` adds the batch axis. A node can't be changed, so you always build new ones.
#
# | call | result |
# |---|---|
# | `show(node)` | the graph as text |
# | `find_one(graph, "hidden")` | the only node with this name |
# | `find(graph, at(op="array"))` | all nodes that the selector matches, or an error if there are none |
# | `find(graph, at("*.out"), missing="ok")` | the same, with an empty list in place of the error |
# | `replace(graph, {old: new})` | the graph with `new` in place of `old` |
# | `explain(graph, at("hiden"))` | how many nodes each part of a selector matches, and similar names |
#
# In a name, `*` stands for any characters, so `at("*")` matches every node. `replace` uses the new node exactly as it is, even if `old` is inside it.
# %%
x, y = placeholder("x", (4,)), placeholder("y", (4,))
w = array(torch.tensor([[1.0, 2, 0, 0], [0, 0, 3, 1]]), "w")
total = add(x, y, weights=[2, -1], name="sum")
example = einsum("out in, in -> out", w, total, name="product")
print(show(example))
print(example.op.pattern, "|", example.children[1].op.weights, "|", example.shape)
print(explain(example, at("som")))
# %% [markdown]
# ## d1.3.1 How far apart are two graphs?
# ●○○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# How do you know that a rewrite kept the value? You could prove it. It's faster to evaluate both graphs on random inputs and compare, and a mistake in a rewrite almost always shows up there. The helper below draws the inputs.
#
# Write `apart`, which returns the largest absolute difference between the values of two nodes on the given inputs. There's one trap. If you subtract tensors of shapes [3] and [1, 3], they broadcast and you get no error. So return `math.inf` if the nodes have different shapes. Compare `before.shape` with `after.shape`, and don't use the shapes of the values. A node that reads no input is evaluated only once, so its value has no batch axis.
#
# Stuck? `hint("d1.3.1")`
# %%
def random_inputs(*graphs: Node, rows: int = 5, seed: int = 0) -> dict[str, torch.Tensor]:
    """Returns normal random numbers [rows, *shape] for every placeholder of the graphs."""
    generator = torch.Generator().manual_seed(seed)
    inputs = {}
    for graph in graphs:
        for node in find(graph, at(op="placeholder"), missing="ok"):
            shape = (rows, *node.shape)
            inputs[node.name] = torch.randn(shape, generator=generator, dtype=node.dtype)
    return inputs
# %% exercise="d1.3.1"
def apart(before: Node, after: Node, inputs: dict[str, torch.Tensor]) -> float:
    """Returns the largest absolute difference of two nodes; math.inf if their shapes differ."""
    ### BEGIN SOLUTION
    if before.shape != after.shape:
        return math.inf
    left, right = evaluate([before, after], inputs)
    return (left - right).abs().max().item()
    ### END SOLUTION
# %% check="d1.3.1" points=1
check("d1.3.1", apart)
# %%
minus = add(x, y, weights=[1, -1], name="x - y")
swapped = add(y, x, weights=[1, -1], name="y - x")
same = add(swapped, weights=[-1], name="-(y - x)")
print("x - y and -(y - x):", apart(minus, same, random_inputs(minus)))
print("x - y and y - x:   ", apart(minus, swapped, random_inputs(minus)))
# %% [markdown]
# **What you should see**: 0, and then a number above 1. A wrong sign is easy to see on random inputs.
#
# *Learned*: every rewrite gets a test, and the test is one line of code.
# %% [markdown]
# ## d1.3.2 Distribute an einsum over a sum
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# ![Two graphs, each with arrows from a node to the nodes that it reads. On the left an einsum, (2a − b) w, reads the add 2a − b and the array w, and the add reads a and b. An arrow labelled distribute leads to the graph on the right. There an add, 2 (a w) − b w, reads two einsums, a w and b w. The first reads a and w, and the second reads w and b.](diagram:distribute)
#
# An einsum is linear in each of its factors. So if one factor is a sum, the einsum equals a sum of einsums, one for each term. Before the rewrite, all terms go through the same product. Afterwards each term has its own product with `w`, and you can find, patch or ablate that node.
#
# Write `distribute`, for an einsum that has at least one add among its children. Distribute the *first* such child, and leave any others as they are. The result is an add with one term for each term of the sum. Keep the other factors in their places, because the pattern matches factors by position. In the check every term has the same shape as the sum, so you don't have to deal with broadcasting. The checks of this part build their graphs in float64, except in d1.3.14. So if you build an array, give it the dtype of the node.
#
# Stuck? `hint("d1.3.2")`
# %% exercise="d1.3.2"
def distribute(node: Node) -> Node:
    """Returns an einsum over a sum as a sum of einsums, for the first child that is an add."""
    ### BEGIN SOLUTION
    slot = next(i for i, child in enumerate(node.children) if child.op.kind == "add")
    total = node.children[slot]
    before, after = node.children[:slot], node.children[slot + 1 :]
    terms = [
        einsum(node.op.pattern, *before, term, *after, name=f"{node.name}.{term.name}")
        for term in total.children
    ]
    return add(*terms, weights=total.op.weights, name=node.name)
    ### END SOLUTION
# %% check="d1.3.2" points=2
check("d1.3.2", distribute)
# %% [markdown]
# As formulas the two sides are equal. But the library computes in float32. With 64 inputs and random weights, how large is the largest difference between the two sides?
# %%
predict("d1.3.p1", ..., "largest difference between the two sides, as a power of ten (-3 for 0.001)")
# %%
numbers = torch.Generator().manual_seed(0)
sources = [placeholder(name, (64,)) for name in "abc"]
matrix = array(torch.randn(10, 64, generator=numbers), "w")
weighted = add(*sources, weights=[2, -1, 0.5], name="sum")
before = einsum("out in, in -> out", matrix, weighted, name="logits")
after = distribute(before)

print(show(after))
hundred = random_inputs(before, rows=100)
gap = apart(before, after, hundred)
largest = evaluate(before, hundred).abs().max()
print(f"apart: {gap:.1e}, and the values are up to {largest:.0f}")
measured("d1.3.p1", math.log10(gap))
# %% [markdown]
# **What you should see**: a difference of 1.5 × 10⁻⁵, and values up to 172. So in float32 the two sides are *not* equal. Is that a bug? You'll find out in d1.3.14.
#
# *Learned*: each term takes its weight along, and the other factors keep their places.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which weight does each new term get, and where does it go among the factors?" Explain to each other why `(a + b)²`, an einsum that reads the same sum twice, has to be distributed at one position at a time. *Alone:* multiply $(a+b)^2$ out on paper, and mark the terms that a wrong `distribute` would lose.
# %% [markdown]
# ## d1.3.3 ★ Multiply everything out
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# If several factors are sums, you can multiply all of them out. Every term of one sum then meets every term of the others. An attention score, for example, is the product of a query and a key. Both are sums over everything that was written to the stream before. So each term of the product joins one path into the query with one path into the key. Elhage et al. call this *path expansion*.
#
# Write `multiply_out`. The result is one add, with one einsum for every choice of a term from each sum. A factor that isn't a sum counts as a sum with a single term. `itertools.product` gives every choice. What's the weight of a product of weighted terms?
#
# Stuck? `hint("d1.3.3")`
# %% exercise="d1.3.3"
def multiply_out(node: Node) -> Node:
    """Returns an einsum over any number of sums as one add of einsums without these sums."""
    ### BEGIN SOLUTION
    sums = []
    for child in node.children:
        if child.op.kind == "add":
            sums.append(list(zip(child.children, child.op.weights, strict=True)))
        else:
            sums.append([(child, 1.0)])
    choices = list(itertools.product(*sums))
    terms = [einsum(node.op.pattern, *(term for term, _ in choice)) for choice in choices]
    weights = [math.prod(weight for _, weight in choice) for choice in choices]
    return add(*terms, weights=weights, name=node.name)
    ### END SOLUTION
# %% check="d1.3.3" points=2
check("d1.3.3", multiply_out)
# %%
names = ("token", "position", "head 0", "head 1")
query = add(*[placeholder(f"query {name}", (8,)) for name in names], name="query")
key = add(*[placeholder(f"key {name}", (8,)) for name in names], name="key")
scores = multiply_out(einsum("d, d -> ", query, key, name="score"))
print(len(scores.children), "terms; the first three:")
for term in scores.children[:3]:
    print(" · ".join(factor.name for factor in term.children))
# %% [markdown]
# **What you should see**: 16 terms. A product of three such sums would have 64. The number of terms grows so fast that in a large model you select a few paths and don't build the others.
#
# *Learned*: in a product of sums, the terms are paths.
# %% [markdown]
# ## d1.3.4 An estimate and the rest
# ●●○○○ difficulty · ●●●●● importance · 12 minutes · core
#
# The smallest rewrite is also the most useful one. For any $e$ at all, $x = e + (x - e)$. Call $e$ an *estimate* of $x$. It can be a mean, a linear fit, or any guess that you have about the node. The second term, the *rest*, holds everything that the estimate leaves out. The rest is now a node. So you can look at it, resample it, or set it to zero and see how much the output changes. Mean ablation does exactly this, with the mean as the estimate.
#
# Write `residual`. It returns an add of two nodes. The first is the estimate, and the second is the rest, which needs a node of its own. The library has no subtraction, but an add has weights.
#
# Stuck? `hint("d1.3.4")`
# %% exercise="d1.3.4"
def residual(node: Node, estimate: Node) -> Node:
    """Returns x as e + (x - e), an add of two children, the estimate and the rest."""
    ### BEGIN SOLUTION
    rest = add(node, estimate, weights=[1, -1], name=f"{node.name}.rest")
    return add(estimate, rest, name=node.name)
    ### END SOLUTION
# %% check="d1.3.4" points=1
check("d1.3.4", residual)
# %% [markdown]
# In part 1 the accuracy of `digits-b` fell to 66 % when its hidden layer was replaced by its mean. So the network needs its hidden layer. But which part of it? The next cells take a better estimate, the best *linear* function of the pixels, fitted by least squares on the training images. The rest is the part of the hidden layer that this function doesn't explain. How accurate is `digits-b` when that rest is set to zero?
# %%
predict("d1.3.p2", ..., "per cent right, digits-b with only the linear part of its hidden layer")
# %%
train, test = digits.images("train"), digits.images("test")
inputs, label = {"x": test["x"]}, test["label"]


def accuracy(graph: Node, rows: torch.Tensor = slice(None)) -> float:
    """Returns the per cent of the test images, or of some rows of them, that a graph gets right."""
    right = evaluate(graph, inputs).argmax(-1) == label
    return 100 * right[rows].float().mean().item()


def error(percent: float, images: int) -> float:
    """Returns the standard error of a percentage of this many images."""
    return (percent * (100 - percent) / images) ** 0.5


def linear_estimate(graph: Node, node: Node) -> Node:
    """Returns the linear function of the pixels nearest to the node [d] on the training images."""
    pixels = torch.cat([train["x"], torch.ones(len(train["x"]), 1)], dim=1).double()
    values = evaluate(node, {"x": train["x"]}).double()
    fit = torch.linalg.lstsq(pixels, values, driver="gelsd").solution.float()
    matrix, constant = array(fit[:-1], "fit"), array(fit[-1], "constant")
    product = einsum("pixel, pixel d -> d", find_one(graph, "x"), matrix, name="linear")
    return add(product, constant, name="estimate")
# %%
table = {}
for name in ("digits-a", "digits-b"):
    graph = models.load(name).graph()
    hidden = find_one(graph, "hidden")
    mean = array(evaluate(hidden, {"x": train["x"]}).mean(0), "mean")
    percents = {"as it is": accuracy(graph)}
    for kind, estimate in {"mean": mean, "linear fit": linear_estimate(graph, hidden)}.items():
        parts = residual(hidden, estimate)
        rewritten = replace(graph, {hidden: parts})
        distance = apart(graph, rewritten, inputs)
        print(f"{name}, {kind}: the rewrite changes the logits by {distance:.0e}")
        zeros = array(torch.zeros(16), "zeros")
        without_rest = replace(rewritten, {parts.children[1]: zeros})
        percents[f"{kind} only"] = accuracy(without_rest)
    table[name] = {kind: (value, error(value, len(label))) for kind, value in percents.items()}
    for kind, (value, se) in table[name].items():
        print(f"{name}, {kind:15} {value:5.1f} ± {se:.1f} % right")
measured("d1.3.p2", *table["digits-b"]["linear fit only"])
plot.bars(table, "The hidden layer replaced by an estimate", "test accuracy (%)")
# %% [markdown]
# **What you should see**: `digits-b` gets 66 ± 2 % right with the mean only. With the linear fit only, it gets 96.8 ± 0.7 % right, just like the whole network. So on these images it doesn't need the nonlinear part of its hidden layer. You could multiply the fit by `W_out`, add the result to `W_skip`, and remove the hidden layer altogether. It's true that `digits-b` needs the path through its hidden layer. It would be wrong to conclude that it needs the relu.
#
# *Learned*: an estimate is a claim about the part that matters. The rest is a node, so you can test the claim.
#
# > **Pair card.** Swap. The navigator asks: "Suppose the rest is small. Small compared with which quantity? And does small mean unimportant?" Explain to each other why the rewritten graph has the right value for *every* estimate, even for a bad one. *Alone:* take 1,000 times the mean as the estimate, and look at the distance that `apart` returns.
# %% [markdown]
# ## d1.3.9 Push an index through a function, or refuse
# ●●○○○ difficulty · ●●●●● importance · 12 minutes · core
#
# ![Four columns of nodes. In the first, index 2 reads relu, which reads x, and all numbers are computed. An arrow labelled push leads to the second, where relu reads index 2, which reads x, and one number is computed. In the third column, index 0:3 reads softmax, which reads scores. A dashed arrow labelled refused leads to the fourth, where softmax reads index 0:3, which reads scores. Its softmax divides by sums of three terms only, and these are different.](diagram:push_index)
#
# Suppose that you need a single logit, or a single position. An *index* is a node that picks entries of another node, such as `index(logits, 3)`. With an index on top of the network, everything is computed and most of it is thrown away. If the index is further down, the rest is never computed. To *push* an index is to move it below the operation that it reads. That's a rewrite like the others. Here you push an index through a function, and the ★ exercises at the end of this part do the other operations.
#
# Relu treats each number separately, so $\text{relu}(x)[i] = \text{relu}(x[i])$. Softmax divides by a sum over its last axis. If you index that axis first, the sum has fewer terms and the result is different. You may push an index through softmax along any axis except the one that is normalised. For each function, `WHOLE` gives the number of trailing axes that it needs whole.
#
# Write `push_apply`. `node` is an index, and `node.children[0]` is a function of one child. `node.op.at` holds the entries of the index, one for each axis. An axis of n entries that is taken whole always has the entry `slice(0, n, 1)`. If an axis that the function needs whole has any other entry, raise a `ValueError` that names the node. (The field `at` has nothing to do with the selector `at(...)`.)
#
# Stuck? `hint("d1.3.9")`
# %%
WHOLE = {"relu": 0, "tanh": 0, "sigmoid": 0, "exp": 0, "gelu": 0, "softmax": 1, "log_softmax": 1}
# %% exercise="d1.3.9"
def push_apply(node: Node) -> Node:
    """Returns an index on a function as the function of an index; ValueError if that's different."""
    ### BEGIN SOLUTION
    (child,) = node.children
    first_mixed = len(child.shape) - WHOLE[child.op.function]
    for entry, size in list(zip(node.op.at, child.shape, strict=True))[first_mixed:]:
        if entry != slice(0, size, 1):
            raise ValueError(f"{child.name} needs all {size} entries, {node.name} takes {entry}")
    below = index(child.children[0], node.op.at, name=f"{node.name}.in")
    return apply(child.op.function, below, name=node.name)
    ### END SOLUTION
# %% check="d1.3.9" points=2
check("d1.3.9", push_apply)
# %%
pattern = apply("softmax", placeholder("scores", (5, 5)), name="pattern")
try:
    push_apply(index(pattern, (slice(None), 0), name="first column"))
except ValueError as refusal:
    print("refused:", refusal)

row = (2, slice(0, 3))  # the first three entries of row 2
first_scores = index(pattern.children[0], row, name="first scores")
pushed_anyway = apply("softmax", first_scores, name="pushed anyway")
right, wrong = evaluate([index(pattern, row), pushed_anyway], random_inputs(pattern))
print("pushed anyway:", [round(value, 3) for value in wrong[0].tolist()])
print("right:        ", [round(value, 3) for value in right[0].tolist()])
# %% [markdown]
# **What you should see**: a refusal, and then two lists of three numbers. The wrong three add up to 1, although they're only part of a row of five. Each list by itself looks like part of an attention pattern. You have to compare them to see that one is wrong.
#
# *Learned*: where an operation mixes entries, a rewrite has to stop. It should stop with an error. If it returned the graph unchanged, you'd believe that it had worked.
#
# > **Pair card.** Swap. The navigator asks: "Which inputs does this output number depend on?" Explain to each other which axis of an attention pattern [query, key] an index may pass on its way down to the scores, and which axis it may not. *Alone:* reverse softmax's axis with `slice(None, None, -1)`, before and after softmax. Was the refusal necessary here?
# %% [markdown]
# ## How large can a rounding error get?
#
# In d1.3.2 two equal formulas were 1.5 × 10⁻⁵ apart. Can such a difference be much larger? Take $e + (x - e)$, which is x for *any* estimate. Let x be about 1, and let the estimate be about a million. How far is `e + (x - e)` from `x` in float32?
# %%
predict("d1.3.p5", ..., "largest error of e + (x - e) in float32, for e about a million")
# %%
def roundabout(size: float, dtype: torch.dtype) -> float:
    """Returns the largest error of e + (x - e) over 1,000 values of x, for an e of this size."""
    x = placeholder("x", (1000,), dtype)
    estimate = array(torch.full((1000,), 1.2345 * size, dtype=dtype), "e")
    return apart(x, residual(x, estimate), random_inputs(x, rows=1))


powers = list(range(0, 13, 2))
errors = {"float32": [], "float64": []}
print("size of e    float32    float64")
for power in powers:
    errors["float32"].append(roundabout(10.0**power, torch.float32))
    errors["float64"].append(roundabout(10.0**power, torch.float64))
    print(f"   10^{power:<2}     {errors['float32'][-1]:.1e}    {errors['float64'][-1]:.1e}")
measured("d1.3.p5", errors["float32"][3])
# %% [markdown]
# **What you should see**: an error of 0.06 for an estimate of a million. From 10⁸ on, the error is as large as x itself. The rewrite is right, and yet no test with a tolerance of 10⁻⁵ would accept it. In float64 the error at a million is half a billion times smaller. Where does the 0.06 come from? The next exercise (★) works this out. To go on with the core, you only need the fact that rounding can be this large.
# %% [markdown]
# ## d1.3.13 ★ The next number up
# ●●○○○ difficulty · ●●●●○ importance · 12 minutes · ★
#
# A float32 number has 24 binary digits, so only certain numbers exist in float32. Between two powers of two they're evenly spaced, and the step doubles with each power. The first step in the table is `torch.finfo(torch.float32).eps`.
#
# | from | to | step in float32 |
# |---|---|---|
# | 1 | 2 | 2⁻²³ |
# | 2 | 4 | 2⁻²² |
# | 128 | 256 | 2⁻¹⁶ |
#
# The result of every operation is rounded to the nearest of these numbers. Write `step_at`, which returns the distance from |value| to the next larger number of the dtype. Which is the largest power of two that isn't above the value?
#
# Stuck? `hint("d1.3.13")`
# %% exercise="d1.3.13"
def step_at(value: float, dtype: torch.dtype) -> float:
    """Returns the gap between |value| and the next larger number of this dtype; value isn't 0."""
    ### BEGIN SOLUTION
    return torch.finfo(dtype).eps * 2.0 ** math.floor(math.log2(abs(value)))
    ### END SOLUTION
# %% check="d1.3.13" points=1
check("d1.3.13", step_at)
# %%
for value in (0.001, 1.0, 172.0, 1.2345e6):
    single, double = step_at(value, torch.float32), step_at(value, torch.float64)
    print(f"{value:>13,.3f}:  float32 {single:.1e}   float64 {double:.1e}")
left, right = evaluate([before, after], hundred)
difference = (left - right).abs().flatten()
most = difference.argmax()  # where the two sides of d1.3.2 differ most
value = left.flatten()[most].item()
steps = difference[most].item() / step_at(value, torch.float32)
print(f"d1.3.2: largest difference {difference[most]:.1e} at a value of {value:.0f}, {steps:g} step")
# %%
errors["half a float32 step at e"] = [step_at(1.2345 * 10.0**p, torch.float32) / 2 for p in powers]
logs = {name: [math.log10(value) for value in values] for name, values in errors.items()}
plot.lines(powers, logs, "Error of e + (x - e)", "size of e (power of ten)", "error (power of ten)")
# %% [markdown]
# **What you should see**: at 172 a float32 step is 1.5 × 10⁻⁵. The two sides of d1.3.2 differ most at a value of about this size, and there they're one step apart. Two different numbers of this size can't be closer. A test with a tolerance of 10⁻⁵ would have called that a bug.
#
# In the plot, the error of `e + (x - e)` is half a step at the size of e, for e from about 100 to 10⁸. This explains the 0.06. The rewrite computes x − e on the way, and that number is rounded to a step of 0.125.
#
# *Learned*: an error by itself tells you little. Compare it with the step at the largest number that was computed on the way.
#
# > **Pair card.** Swap. The navigator asks: "How large are the numbers *inside* the graph, and not only at its output?" Explain to each other why the intermediate values determine the rounding error. *Alone:* work out `1000000 + (1.03 - 1000000)` by hand, and keep only seven digits after every step.
# %% [markdown]
# ## d1.3.14 Is it a bug?
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# A right rewrite can be off by 0.06. A wrong one can be off by 10⁻⁶, for example if it drops a term from a sum of small numbers. So no fixed tolerance in float32 separates the two. But you can make use of the cause, which is that float32 keeps only about seven digits of each number. *In float64 rounding is half a billion times smaller, and a bug is as large as before.*
#
# Write `is_bug` for two float32 graphs. It returns True if they compute different things. The helper `in_double` returns the same graph in float64, and you have to convert the inputs too. Then compare the difference with the largest absolute value, because a bug in small numbers makes a small difference. The bugs in the check change values by at least two parts in a million. Which limits would separate them from rounding?
#
# Stuck? `hint("d1.3.14")`
# %%
def in_double(graph: Node) -> Node:
    """Returns the same graph in float64, with every array and placeholder in double precision."""
    new = {}
    for node in find(graph, at(op="array"), missing="ok"):
        new[node] = array(node.op.value.double(), node.name)
    for node in find(graph, at(op="placeholder"), missing="ok"):
        new[node] = placeholder(node.name, node.shape, torch.float64)
    return replace(graph, new)
# %% exercise="d1.3.14"
def is_bug(before: Node, after: Node, inputs: dict[str, torch.Tensor]) -> bool:
    """Returns whether two float32 graphs differ by more than rounding; inputs are float32."""
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
far = array(torch.full((64,), 1.2345e6), "far")
tiny = array(1e-4 * torch.randn(10, 64, generator=numbers), "tiny")
with_half = add(*sources, weights=[2, -1, 0.5], name="sum")
with_mistake = add(*sources, weights=[2, -1, 0.501], name="sum")
small = einsum("out in, in -> out", tiny, with_half, name="small")
off = einsum("out in, in -> out", tiny, with_mistake, name="off")
pairs = {
    "distribute": (before, after),
    "residual, estimate far away": (sources[0], residual(sources[0], far)),
    "a weight of 0.501 instead of 0.5": (small, distribute(off)),
}
for name, (one, other) in pairs.items():
    values = random_inputs(one, other)
    verdict = "bug" if is_bug(one, other, values) else "rounding"
    print(f"{name:34} float32 apart {apart(one, other, values):.0e}   {verdict}")
# %% [markdown]
# **What you should see**: the bug is the pair with the *smallest* difference, 2 × 10⁻⁶. A test with a tolerance of 10⁻⁵ would accept this bug and reject the residual rewrite. Note that `is_bug` sees only the inputs that you give it. A bug that needs a special input can still pass.
#
# *Learned*: to judge a difference, compute it again in float64.
# %% [markdown]
# ## ★ More rewrites
#
# All exercises from here to "Closing: from memory" are ★. If the room moves on, skip them and do the closing quiz.
# %% [markdown]
# ## d1.3.11 ★ Split a sum into its terms
# ●●●○○ difficulty · ●●●●● importance · 17 minutes · ★
#
# An einsum that sums over an axis is a sum of products, and often you want to see each of these products. The output of an attention layer, for example, is a sum over heads. If you split it, each head gets a node that you can ablate. In the digits networks, `out` is a sum over hidden neurons, so you can split it in the same way.
#
# To get the factors of one term, use `index(node, entries)`, with one entry for each axis. An integer picks one position and removes the axis. A slice keeps the axis, and `slice(None)` keeps all of it. Axes at the end that have no entry are kept whole.
#
# | node | entries | result |
# |---|---|---|
# | [16, 10] | `(3,)` or `(3, slice(None))` | [10] |
# | [16, 10] | `(slice(None), 3)` | [16] |
# | [16, 10] | `(slice(2, 6), 3)` | [4] |
#
# Write `split_sum`. It returns an add of einsums, one for each entry of a summed axis, in order. Term `i` reads entry `i` of *every* axis with that word, in every factor. An integer removes the axis, so its word has to leave the pattern. `node.op.pattern` always has spaces between words, a comma between factors and `->` before the output. A word can be part of another word, so split the pattern into words first. The check splits axes of 2 to 4 entries, and the first factor doesn't always have the axis.
#
# Stuck? `hint("d1.3.11")`
# %% exercise="d1.3.11"
def split_sum(node: Node, axis: str) -> Node:
    """Returns an einsum that sums over `axis` as an add of one einsum for each entry, in order."""
    ### BEGIN SOLUTION
    left, right = node.op.pattern.split("->")
    sides = [side.split() for side in left.split(",")]
    sizes = {}
    for side, child in zip(sides, node.children, strict=True):
        sizes |= dict(zip(side, child.shape, strict=True))
    kept = [" ".join(word for word in side if word != axis) for side in sides]
    pattern = ", ".join(kept) + " ->" + right
    terms = []
    for i in range(sizes[axis]):
        factors = []
        for side, child in zip(sides, node.children, strict=True):
            entries = tuple(i if word == axis else slice(None) for word in side)
            factors.append(index(child, entries, name=f"{child.name}.{i}"))
        terms.append(einsum(pattern, *factors, name=f"{node.name}.{i}"))
    return add(*terms, name=node.name)
    ### END SOLUTION
# %% check="d1.3.11" points=2
check("d1.3.11", split_sum)
# %%
def terms_of(node: Node) -> list[Node]:
    """Returns the terms of a sum, and of the sums inside it."""
    if node.op.kind != "add":
        return [node]
    terms = []
    for child in node.children:
        terms += terms_of(child)
    return terms


graph = models.load("digits-b").graph()
out = find_one(graph, "out")
by_neuron = split_sum(out, "hidden")
print(f"apart: {apart(out, by_neuron, inputs):.0e}")
written = torch.stack(evaluate(terms_of(by_neuron), inputs), dim=-1)  # [image, digit, neuron]
to_right_digit = written[torch.arange(len(label)), label]  # [image, neuron]
above_mean = to_right_digit - written.mean(dim=1)  # minus the mean over the ten digits
by_digit = torch.stack([above_mean[label == digit].mean(0) for digit in range(10)])
for digit in range(10):
    values = above_mean[label == digit, 9]
    se = values.std() / len(values) ** 0.5
    print(f"image of a {digit}: neuron 9 adds {values.mean():5.2f} ± {se:.2f} to logit {digit}")
neurons = [f"n{neuron}" for neuron in range(16)]
shown = [f"a {digit}" for digit in range(10)]
title = "Contribution of each neuron to the right digit"
plot.heatmap(by_digit, shown, neurons, title, "logit", x="neuron", y="image")
# %% [markdown]
# **What you should see**: a distance at the level of rounding. Neurons 1 and 3 are never on, so they add nothing. Neuron 9 is always on. For some digits it adds a lot to the logit of the right answer, and for others it works against the right answer.
#
# | the image shows | neuron 9 adds to the logit of that digit |
# |---|---|
# | a 0, 4, 8 or 9 | 3.2 to 5.3 |
# | a 1 or 6 | −0.6 to 0.7 |
# | a 2, 3, 5 or 7 | about −2 |
#
# The standard errors are about 0.1 or less. All logits here are relative to the mean over the ten digits. Each row of the heat map adds up to at least 7, so for every digit the other neurons more than make up for neuron 9.
#
# *Learned*: after a split, a question about neuron 9 is a question about one node.
#
# > **Pair card.** Swap. The navigator asks: "Which factors of term i have to be indexed with i?" Explain to each other the value that you get if only one of two factors is indexed. *Alone:* write out $\sum_h a_h b_h$ for two heads, and then the wrong version.
# %% [markdown]
# ## d1.3.12 ★ Along a direction, and across it
# ●●●○○ difficulty · ●●●●○ importance · 17 minutes · ★
#
# ![A vector x starts at 0. An orange arrow, along, leads from 0 to (x · u) u, which lies in the direction u. A green arrow, across, leads from there to x, at a right angle to u. A note says that u has length 1.](diagram:along_and_across)
#
# Suppose you think that a network writes something along one *direction* of a layer. On day 4 it's "unbalanced", and below it's "a 4 rather than a 9". To test this, split the node into two parts. The part *along* the direction is $(x \cdot u)\,u$, where u has length 1. The part *across* is the remainder.
#
# Write `project`, which returns an add of two nodes, along first and then across. The direction belongs to the node's last axis, and it usually isn't of length 1. Be careful, since `apart` can't find a mistake here. Along plus across is x for any u, even for one of the wrong length. So the check also compares the two parts one by one, on float64 nodes with one to three axes. Give new tensors the dtype of the node.
#
# Stuck? `hint("d1.3.12")`
# %% exercise="d1.3.12"
def project(node: Node, direction: torch.Tensor) -> Node:
    """Returns x as along + across, for a direction [d] of the node's last axis."""
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
# In `digits-b`, the hidden layer has sixteen dimensions. Only one direction of it changes the difference between the logits of 4 and 9, namely `W_out[4] - W_out[9]`. Anything across this direction moves both logits by the same amount. The next cells remove the part along it. As it is, the network gets 95 ± 2 % of the 4s and 9s right. How many does it get right without this direction? For comparison, the cells also remove twenty random directions, one at a time.
# %%
predict("d1.3.p4", ..., "per cent right of the 4s and 9s, without that direction")
# %%
hidden, read = find_one(graph, "hidden"), find_one(graph, "out.weight").op.value
nine_or_four = (label == 4) | (label == 9)
count = int(nine_or_four.sum())
direction = read[4] - read[9]
along, across = project(hidden, direction).children


def without(direction: torch.Tensor) -> Node:
    """Returns the graph whose hidden layer keeps only the part across the direction."""
    return replace(graph, {hidden: project(hidden, direction).children[1]})


def report(name: str, percent: float) -> None:
    """Prints a percentage of the 4s and 9s with its standard error."""
    print(f"{name:38} {percent:.0f} ± {error(percent, count):.0f} % right")


blind = without(direction)
report("as it is", accuracy(graph, nine_or_four))
report("without the direction", accuracy(blind, nine_or_four))
mean_along = array(evaluate(along, {"x": train["x"]}).mean(0), "mean along")
at_mean = replace(graph, {hidden: add(across, mean_along, name="hidden")})
report("with the mean of the part along", accuracy(at_mean, nine_or_four))
random_directions = torch.randn(20, 16, generator=torch.Generator().manual_seed(0))
at_random = torch.tensor([accuracy(without(each), nine_or_four) for each in random_directions])
spread = at_random.std() / len(at_random) ** 0.5
print(f"without a random direction, mean of 20 {at_random.mean():.0f} ± {spread:.0f} % right")
print(f"without the worst of the 20            {at_random.min():.0f} % right")
measured("d1.3.p4", accuracy(blind, nine_or_four), error(accuracy(blind, nine_or_four), count))
# %%
logits = evaluate(blind, inputs)
four_wins = logits[:, 4] > logits[:, 9]
chosen = 100 * (four_wins == (label == 4))[nine_or_four].float().mean().item()
report("without it, if only 4 or 9 is allowed", chosen)
written_along = evaluate(along, inputs) @ read.T  # [image, digit]
written_along = written_along - written_along.mean(1, keepdim=True)
answers = {}
for digit in (4, 9):
    answers[digit] = torch.bincount(logits.argmax(-1)[label == digit], minlength=10)
    print(f"{answers[digit].sum()} images of a {digit}, answers without the direction:")
    print("  ", ", ".join(f"{each}: {times}" for each, times in enumerate(answers[digit]) if times))
    values = written_along[label == digit, digit]
    se = values.std() / len(values) ** 0.5
    print(f"   the part along adds {values.mean():.1f} ± {se:.1f} to the logit of {digit}")
# %% [markdown]
# **What you should see**: 42 ± 5 % without the direction. Without a random direction it's 91 ± 2 % on average, and 65 % for the worst of the twenty. So the direction matters. But does it matter because it tells a 4 from a 9? If the network may only choose between these two, it's right in 98 ± 1 % of the cases, because the skip path tells them apart too. None of the errors takes a 4 for a 9, or a 9 for a 4.
#
# | images | right | most frequent wrong answers |
# |---|---|---|
# | 56 images of a 4 | 32 | 0 (9 times), 1 (8 times) |
# | 58 images of a 9 | 16 | 8 (29 times), 7 (5 times) |
#
# The last lines suggest a reason. On a 4, the part along the direction adds 8.7 ± 0.4 to the logit of 4, relative to the mean over all digits. On a 9, it adds 6.2 ± 0.3 to the logit of 9. So the direction also separates both digits from the other eight, and the skip path doesn't make up for this loss. A typical value in place of zero doesn't help, since with the mean of the part along the result is 37 ± 5 %.
#
# *Learned*: a projection removes exactly one direction. The direction can carry more than the distinction that you chose it for, so look at the errors as well as the accuracy.
# %% [markdown]
# ## d1.3.15 ★ Add in pairs
# ●●●○○ difficulty · ●●○○○ importance · 12 minutes · ★
#
# A long add is evaluated from left to right. As the running total grows, its steps grow too, and each small term is rounded to them. But you may choose the order of a sum, and a different order is a rewrite. Add neighbours, then the sums of neighbours, and so on, like the rounds of a tournament. The totals stay small until the last rounds, and each term goes through $\log_2 n$ roundings instead of up to $n$.
#
# Write `balanced`, for an add of any number of terms with weights. In the result every add has at most two children, and the terms are added in $\lceil\log_2 n\rceil$ levels. An add with one child, `add(term, weights=[w])`, only applies a weight and doesn't count as a level.
#
# Stuck? `hint("d1.3.15")`
# %% exercise="d1.3.15"
def balanced(node: Node) -> Node:
    """Returns an add of n terms as adds of at most two children, in ceil(log2(n)) levels."""
    ### BEGIN SOLUTION
    weighted = zip(node.children, node.op.weights, strict=True)
    level = [add(child, weights=[weight]) for child, weight in weighted]
    while len(level) > 1:
        pairs = [level[i : i + 2] for i in range(0, len(level), 2)]
        level = [add(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
    return level[0]
    ### END SOLUTION
# %% check="d1.3.15" points=2
check("d1.3.15", balanced)
# %%
def rounding(node: Node) -> float:
    """Returns the mean relative error of a sum in float32, compared with float64."""
    exact = evaluate(in_double(node), {})
    return ((evaluate(node, {}) - exact) / exact).abs().mean().item()


numbers = torch.Generator().manual_seed(2)
powers_of_two = list(range(4, 13, 2))
series = {"left to right": [], "in pairs": []}
for power in powers_of_two:
    terms = [array(torch.rand(200, generator=numbers), f"t{i}") for i in range(2**power)]
    series["left to right"].append(rounding(add(*terms)))
    series["in pairs"].append(rounding(balanced(add(*terms))))
logs = {name: [math.log10(value) for value in values] for name, values in series.items()}
across_label, up_label = "number of terms (power of two)", "relative error (power of ten)"
plot.lines(powers_of_two, logs, "Two orders of one sum", across_label, up_label)
# %% [markdown]
# **What you should see**: from left to right, a sum of 4,096 terms has about twenty times the error of the sum in pairs. In this range the error in pairs doesn't grow with the number of terms. PyTorch's `sum` on a CPU also adds in blocks, and then adds the blocks ([its source](https://github.com/pytorch/pytorch/blob/main/aten/src/ATen/native/cpu/SumKernel.cpp)). This is one reason why two ways to write a sum in PyTorch often differ in their last digits.
#
# *Learned*: in floating point the order of a sum changes its error, and you can choose the order.
#
# > **Pair card.** Swap. The navigator asks: "Which of today's tolerances would you choose differently now?" Explain to each other why "they agree to 10⁻⁵" is neither enough nor necessary. *Alone:* find a test with a fixed tolerance in your own work, and write down a bug that it would miss.
# %% [markdown]
# ## d1.3.5 ★ The shape after an index
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# The next exercises push indices through the other operations. An index `index(node, entries)` has one entry for each axis, and the entry is an integer, a slice, or a 1-D tensor of integers. Axes at the end without an entry are taken whole. *Every axis is indexed on its own.* NumPy and PyTorch do something else when there are two index tensors.
#
# Write `shape_after`, which returns the shape of an indexed node. For each kind of entry, work out the length of its axis after the index. For a slice, `entry.indices(size)` gives the start, stop and step that `range` takes, for negative steps too. All entries here are within bounds, because `index` checks that.
#
# Stuck? `hint("d1.3.5")`
# %% exercise="d1.3.5"
def shape_after(shape: tuple[int, ...], entries: tuple) -> tuple[int, ...]:
    """Returns the shape after an index, whose entries are ints, slices or LongTensors."""
    ### BEGIN SOLUTION
    lengths = []
    for size, entry in zip(shape, entries, strict=False):
        if isinstance(entry, slice):
            lengths.append(len(range(*entry.indices(size))))
        elif not isinstance(entry, int):
            lengths.append(len(entry))
    return (*lengths, *shape[len(entries) :])
    ### END SOLUTION
# %% check="d1.3.5" points=1
check("d1.3.5", shape_after)
# %%
stream = placeholder("stream", (6, 8, 4))
picked = torch.tensor([5, 5, 0])
several = [
    (2,),
    (slice(0, 6, 2), -1),
    (picked, picked),
    (slice(None, None, -1), 0, slice(0, 2)),
]
for entries in several:
    print(shape_after(stream.shape, entries), index(stream, entries).shape, " for", entries)
# %% [markdown]
# **What you should see**: the same shape twice in every line. PyTorch's brackets would give shape [3, 4] for the third index.
#
# *Learned*: an integer removes its axis. A slice or a tensor keeps the axis, with another length.
# %% [markdown]
# ## d1.3.6 ★ Push an index through an array
# ●●○○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# The simplest case is an array. Its numbers are known, so you can take the entries now and get a smaller array.
#
# Write `push_array`. `node` is an index on an array. In `node.op.at` there's one entry for each axis, and negative integers are already counted from the front. Two things differ from PyTorch's brackets. PyTorch pairs two index tensors up, and it refuses negative steps.
#
# Stuck? `hint("d1.3.6")`
# %% exercise="d1.3.6"
def push_array(node: Node) -> Node:
    """Returns an index on an array as the array of the entries."""
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
corner = index(grid, (torch.tensor([0, 1]), torch.tensor([2, 3])), name="corner")
print(show(corner), show(push_array(corner)), sep="\n")
print("every axis by itself:", push_array(corner).op.value.tolist())
print("PyTorch's brackets:  ", grid.op.value[corner.op.at].tolist())
# %% [markdown]
# **What you should see**: four numbers, and only two from PyTorch's brackets, which pair the two tensors up.
#
# *Learned*: index one axis at a time and start with the last one. Then no axis changes its number before you get to it.
#
# > **Pair card.** Swap. The navigator asks: "Which axis does this entry belong to *now*?" Explain to each other why it goes wrong if you begin with the first axis. *Alone:* take `(0, slice(1, 3))` of `grid` by hand in both orders.
# %% [markdown]
# ## d1.3.7 ★ Push an index through a sum
# ●●●●○ difficulty · ●●●●● importance · 14 minutes · ★
#
# If all terms have the same shape, $(a + b)[i] = a[i] + b[i]$, with the weights of the sum. Terms that broadcast take more care, because shapes are aligned at their *last* axes.
#
# | term | added to [5, 3] | index `(4, 1)` on the sum |
# |---|---|---|
# | a stream [5, 3] | as it is | `(4, 1)` on the stream |
# | a bias [3] | has no first axis | only the last entry belongs to it |
# | a column [5, 1] | its second axis has a single entry, used three times | entry 1 doesn't exist |
#
# Write `push_add`. For each term, take the entries that belong to its own axes. If an axis of the term has size 1 and that of the sum is longer, you can't use the entry as it is. Which entry gives the result the right *shape*? There are two cases.
#
# Stuck? `hint("d1.3.7")`
# %% exercise="d1.3.7"
def push_add(node: Node) -> Node:
    """Returns an index on an add as an add of indices; terms may broadcast."""
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
bias, column = placeholder("bias", (3,)), placeholder("column", (5, 1))
stream = add(placeholder("x", (5, 3)), bias, column, name="stream")
for entries in [(4,), (slice(0, 2), 1)]:
    part = index(stream, entries, name="part")
    print(show(push_add(part)))
    print("apart:", apart(part, push_add(part), random_inputs(part)), "\n")
# %% [markdown]
# **What you should see**: distance 0 both times. In the second graph `column` has shape [2], and `bias` has no axis left.
#
# *Learned*: the shape of a term determines which entries of the index belong to it.
# %% [markdown]
# ## d1.3.8 ★ Push an index through an einsum
# ●●●●○ difficulty · ●●●●○ importance · 13 minutes · ★
#
# In an einsum every output axis has a word, and the same word marks the axes of the factors that it comes from. So an entry of the index goes to *every* axis with that word, in every factor. Summed words aren't in the output, so their axes are taken whole. As in d1.3.11, an integer removes its axis, and the word has to leave the pattern. For example, `"i j, j k -> i k"` at `(2,)` becomes `"j, j k -> k"`.
#
# Write `push_einsum`.
#
# Stuck? `hint("d1.3.8")`
# %% exercise="d1.3.8"
def push_einsum(node: Node) -> Node:
    """Returns an index on an einsum as the einsum of indexed factors."""
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
digit_three = index(find_one(graph, "skip.product"), 3, name="digit 3")
print(show(digit_three), show(push_einsum(digit_three)), sep="\n\n")
# %% [markdown]
# **What you should see**: a product with one row of `skip` [64] in place of a product with all of it [10, 64].
#
# *Learned*: the words of the pattern show where each entry goes.
# %% [markdown]
# ## How many pushes does it take? ★
#
# Each push moves an index by one node. To get to the bottom, you push the result again. The cells below do this recursively, on towers of blocks with skips. Each block computes `stream + relu(stream · w)`, so it reads the stream twice. The index picks the last of 16 positions. How many pushes does a tower of twelve blocks take?
#
# The first cell needs your four push functions. If you skipped one of them, run `start_at("d1.3.10")` instead of that cell.
# %%
PUSH = {"array": push_array, "add": push_add, "einsum": push_einsum, "apply": push_apply}
# %%
predict("d1.3.p3", ..., "pushes in a tower of twelve blocks")
# %%
def tower(blocks: int, positions: int = 16) -> Node:
    """Returns a residual stream [positions, 4] that each block reads directly and through relu."""
    numbers = torch.Generator().manual_seed(blocks)
    stream = placeholder("x", (positions, 4))
    for block in range(blocks):
        weight = array(torch.randn(4, 4, generator=numbers) / 4, f"w{block}")
        read = einsum("seq d, d e -> seq e", stream, weight, name=f"read{block}")
        stream = add(stream, apply("relu", read, name=f"block{block}"), name=f"stream{block}")
    return stream


def push_down(node: Node, pushes: list[str]) -> Node:
    """Returns the graph with an index as far down as it goes, and notes every push."""
    if node.op.kind != "index" or node.children[0].op.kind not in PUSH:
        return node
    pushes.append(node.name)
    pushed = PUSH[node.children[0].op.kind](node)
    return Node(pushed.op, [push_down(child, pushes) for child in pushed.children], "part")
# %%
counts = {}
for blocks in (1, 2, 4, 8, 12):
    pushes = []
    push_down(index(tower(blocks), slice(15, 16), name="last"), pushes)
    counts[blocks] = len(pushes)
print(counts)
measured("d1.3.p3", f"{counts[12]:,}")
# %% [markdown]
# **What you should see**: 16,380 pushes, for a graph of 49 nodes. Every further block roughly doubles the number. In d1.1.14 you counted the paths through such a tower. This recursion follows every path separately, because it doesn't remember which nodes it has already pushed the index through.
# %% [markdown]
# ## d1.3.10 ★ To the bottom, once
# ●●●●○ difficulty · ●●●○○ importance · 14 minutes · ★
#
# The solution is a cache. The result of pushing an index below a node depends on that node and on the entries, and on nothing else. So compute it once for each such pair, and use it for all readers.
#
# Write `sink`, which pushes an index down until each index reads a placeholder or a function that it can't pass. `PUSH` gives the function for each kind of operation. All indices in the check consist of integers and slices, so `(child, str(node.op.at))` can be the key of a dict. Nodes are hashable, and they're compared by identity. `Node(op, children, name)` builds a node with the same operation and other children. The check has a tower of 60 blocks.
#
# Stuck? `hint("d1.3.10")`
# %% exercise="d1.3.10"
def sink(node: Node, known: dict | None = None) -> Node:
    """Returns an index as far down as it goes; each (child, entries) is pushed once."""
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
    """Returns the entries of all nodes except inputs, constants and indices, for one example."""
    total = 0
    for node in find(graph, at("*")):
        if node.children and node.op.kind != "index":
            total += node.size
    return total


last = index(tower(12), slice(15, 16), name="last")
print("apart:", apart(last, sink(last), random_inputs(last)))
print("numbers computed:", numbers_computed(last), "before,", numbers_computed(sink(last)), "after")
# %% [markdown]
# **What you should see**: distance 0, and a sixteenth of the numbers. `evaluate` pushes indices down before it computes anything. So from now on you can index any node, and the library skips the numbers that you don't need.
#
# *Learned*: a rewrite should walk over nodes and not over paths.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Answer from memory, without looking at the page above. Questions 1, 2 and 4 come from ★ exercises. If you skipped these, work the answers out. Each answer is a number or one of the listed options. Fill in `recall = {"terms": ..., "axes": ..., "softmax": ..., "parts": ..., "rounding": ...}`
#
# 1. `terms`: you multiply out a sum of three times a sum of four. How many terms are there?
# 2. `axes`: you index a node of shape [5, 6, 7] with `(2, slice(1, 4))`. How many axes are left?
# 3. `softmax`: there's one axis of a softmax that an index can't pass. Is it `"the first"` or `"the last"`?
# 4. `parts`: along and across always add up to x. If the direction is normalised they're also `"equal"`, `"parallel"` or `"orthogonal"`?
# 5. `rounding`: in float64 a bug stays as large as it was. Rounding `"grows"`, `"stays"` or `"shrinks"`?
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
# ## What you have now
#
# Each rewrite in this part kept the value of a graph, and made a node for a term, an estimate, a direction or an entry. The library has all of them, as `split`, and in `RULES` as `distribute`, `flatten`, `residual`, `project` and `push_index`. You can also answer the day's question more precisely. `digits-b` needs the path through its hidden layer, but on these images a matrix could take the place of that layer. Part 4 applies the same rewrites to a transformer.
