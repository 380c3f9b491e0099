# %% [markdown]
# # Day 1, part 2: build your own graph
#
# **Two networks are equally accurate. For the same reasons?**
#
# A hook replaces a value for every reader of that value. The day's question is about only *one* of two readers. So you need a description of the network in which you can point at "`x`, as the skip path reads it". A *computational graph* is such a description. Every step of the computation is a node, and each node lists the nodes that it reads. In this part you build a small graph library from nothing. With this library, an experiment is an edit of a graph, and the day's question takes one line of code.
#
# **After this part you can**
# - build a graph of constants, inputs, sums, products and relu, and check its shapes before you compute anything
# - evaluate a graph for one image or for many, and compute each node only once
# - find nodes and replace them, without changing the graph that you started from
# - write the ablations of part 1 as graphs
# - name one path among many, and patch it
#
# **Time**: about 130 minutes for the core, with reading, predictions and cards. The ★ exercises take about 50 minutes more. The marks and calls are explained at the top of part 1.
#
# **Readings**: Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching* ([arXiv 2304.05969](https://arxiv.org/abs/2304.05969)), sections 1 and 2. You'll write their method in d1.2.16 and d1.2.17. Karpathy 2020, *micrograd* ([github.com/karpathy/micrograd](https://github.com/karpathy/micrograd)), the file `engine.py`. It builds a graph in a hundred lines, for gradients. Both can wait until tonight.
# %%
import hashlib
import itertools
import math
from string import ascii_letters

import torch
import remix_utils as library
from remix_utils import check, hint, models, plot, solution, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import digits

start_at("d1.2")  # to catch up: start_at("d1.2.9") defines every name that later cells use
# %% [markdown]
# ## Nodes
#
# ![The digits network as a graph, with arrows from each node to the nodes that it reads. At the top, logits reads out and skip.product. On the left, out reads out.weight and hidden, then hidden reads inner, and inner reads inner.product and inner.bias. The node inner.product reads inner.weight and x. On the right, skip.product reads skip and x. A note says that two nodes read x.](diagram:network_nodes)
#
# This is the network of part 1 as a graph. An arrow leads from each node to the nodes that it reads. In part 1 the skip was a line of Python without a module, so you couldn't put a hook on it. Here `skip.product` is a node like any other. And `x` is *one* node with two readers.
#
# The same graph as text has one line for each node. The line gives the name, the shape and the operation. The nodes that it reads follow on the next lines, one step further to the right.
#
# ```
# logits [10] = add
#   out [10] = einsum
#     out.weight [10, 16] = array
#     hidden [16] = relu
#       inner [16] = add
#         inner.product [16] = einsum
#           inner.weight [16, 64] = array
#           x [64] = placeholder
#         inner.bias [16] = array
#   skip.product [10] = einsum
#     skip [10, 64] = array
#     x, as above
# ```
#
# So a node is an operation, a list of nodes that it reads (its *children*), and a name. The operation has two rules. One computes the *shape* of the node from the shapes of its children, and the other computes its *value* from their values. The class below applies the first rule as soon as a node is built, so you can't build a graph with shapes that don't fit. All shapes are for one image, so `x` is [64] and never [600, 64]. A graph has no batch axis.
# %%
class Node:
    """Holds an operation, the nodes that it reads, and a name. Don't change a node after you've built it."""

    def __init__(self, op, children=(), name: str = ""):
        self.op, self.children, self.name = op, tuple(children), name
        self.shape = tuple(op.shape(*(child.shape for child in self.children)))

    def __repr__(self) -> str:
        return f"{self.name} {list(self.shape)}"
# %% [markdown]
# ## d1.2.1 Constants
# ●○○○○ difficulty · ●●●○○ importance · 4 minutes · core
#
# An operation is a small class with a `kind`, a method `shape` and a method `run`. Start with the simplest one. An `Array` holds a tensor, such as the weights of a layer. It has no children, so both methods take no arguments.
#
# Write the two missing lines. There's one trap. A tensor can be changed in place, so a later `w += 1` would change every graph that was built from `w`. Like a hook that you forgot to remove, such a bug is hard to notice. So `Array` keeps its own copy of the tensor.
#
# Stuck? `hint("d1.2.1")`
# %% exercise="d1.2.1"
class Array:
    """Holds a constant tensor."""

    kind = "array"

    def __init__(self, value: torch.Tensor):
        ### BEGIN SOLUTION
        self.value = value.clone()
        ### END SOLUTION

    def shape(self) -> tuple[int, ...]:
        ### BEGIN SOLUTION
        return tuple(self.value.shape)
        ### END SOLUTION

    def run(self) -> torch.Tensor:
        return self.value
# %% check="d1.2.1" points=1
check("d1.2.1", Array)
# %%
w = torch.tensor([[1.0, -2.0, 0.0], [0.0, 0.5, 3.0]])
weight = Node(Array(w), (), "weight")
w += 100
print(weight, weight.op.run().tolist())
# %% [markdown]
# **What you should see**: the shape, and the numbers from before the change.
#
# *Learned*: a graph owns its constants.
# %% [markdown]
# ## d1.2.2 Sums
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · core
#
# How do you add tensors of different shapes, such as a stream [5, 16] and a bias [16]? Write `Add`, which sums any number of children. It follows the rule of torch, which is called broadcasting. Align the shapes *at their last axes*, and treat a missing axis as one of size 1.
#
# | | second to last axis | last axis |
# |---|---|---|
# | stream [5, 16] | 5 | 16 |
# | bias [16] | missing, so 1 | 16 |
# | sum [5, 16] | 5 | 16 |
#
# Now look at one axis at a time. All sizes other than 1 must agree, and the sum has this size. If they don't agree, `shape` raises a `ValueError`.
#
# `itertools.zip_longest(..., fillvalue=1)` walks through several sequences at once and pads the shorter ones at the end. At which end do you need the padding?
#
# `run` gets the values of the children and adds them. It mustn't write into any of them, as `+=` does, because other nodes may read the same value.
#
# Stuck? `hint("d1.2.2")`
# %% exercise="d1.2.2"
class Add:
    """Adds its children, whose shapes may differ if they broadcast."""

    kind = "add"

    def shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        """Returns the shape of the sum. Raises a ValueError if the shapes don't fit."""
        ### BEGIN SOLUTION
        sizes = []
        for axis in itertools.zip_longest(*map(reversed, shapes), fillvalue=1):
            wide = {size for size in axis if size != 1}
            if len(wide) > 1:
                raise ValueError(f"{shapes} do not fit: one axis would have the sizes {sorted(wide)}")
            sizes.append(wide.pop() if wide else 1)
        return tuple(reversed(sizes))
        ### END SOLUTION

    def run(self, *values: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        return sum(values[1:], start=values[0])
        ### END SOLUTION
# %% check="d1.2.2" points=2
check("d1.2.2", Add)
# %%
for shapes in [((5, 16), (16,)), ((5, 1), (16,)), ((), (5, 16)), ((5, 16), (5,))]:
    try:
        print(*shapes, "give", Add().shape(*shapes))
    except ValueError as error:
        print(*shapes, "raise", error)
# %% [markdown]
# **What you should see**: (5, 16) three times, and then an error. In the last line, 5 is aligned with 16, because shapes are aligned at their last axes.
#
# *Learned*: you can compute shapes, and reject wrong ones, before you compute any values.
# %% [markdown]
# ## d1.2.3 Relu
# ●○○○○ difficulty · ●●○○○ importance · 5 minutes · core
#
# `Relu` is the only nonlinear operation that you need. It has one child and keeps its shape. Values below 0 become 0. As before, return a new tensor.
#
# Stuck? `hint("d1.2.3")`
# %% exercise="d1.2.3"
class Relu:
    """Keeps values above 0 and replaces all others with 0."""

    kind = "relu"

    def shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return shape

    def run(self, value: torch.Tensor) -> torch.Tensor:
        ### BEGIN SOLUTION
        return value.clamp(min=0)
        ### END SOLUTION
# %% check="d1.2.3" points=1
check("d1.2.3", Relu)
# %%
bias, wrong = Node(Array(torch.tensor([1.0, 1.0, -1.0])), (), "bias"), Node(Array(torch.zeros(2)), (), "wrong")
total = Node(Add(), (weight, bias), "total")
print(Node(Relu(), (total,), "active"))
try:
    Node(Add(), (total, wrong), "misfit")
except ValueError as error:
    print("ValueError:", error)
# %% [markdown]
# **What you should see**: a graph of four nodes, in which nothing has been computed yet, and an error message for a graph that can't be built.
#
# *Learned*: an operation is a rule for shapes and a rule for values.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which other code holds this tensor?" Explain to each other why `Array` copies its tensor, and why `run` doesn't need to copy the values that it gets. *Alone:* write down the shape of a sum of [7, 1, 3], [2, 1] and [3] before you call `Add().shape`.
# %% [markdown]
# ## Products
#
# You can write matrix products, dot products, scaling and transposing in the same notation. Each of them is an *einsum*, which multiplies entries and then sums over some of the axes. In this notation every axis has a name, and here a name is a whole *word*.
#
# Take `"hidden pixel, pixel -> hidden"`. For every `hidden`, einsum multiplies the two operands at the same `pixel`. Then it sums over `pixel`, because this word isn't on the right of the arrow. The result is a layer's weights times an image.
#
# In the ★ exercises d1.2.4 to d1.2.6 you build einsum in three steps. First you parse the pattern, then you compute the shape, and then the value. To skip them, run `start_at("d1.2.7")` now. This defines our `Einsum`, `Placeholder` and `ours`. Then go on at "Five operations", below the check of d1.2.6.
# %% [markdown]
# ## d1.2.4 ★ Parse a pattern
# ●○○○○ difficulty · ●●●○○ importance · 5 minutes · ★
#
# Write `parse`. It returns one list of words for each operand, and the list of words of the result. Commas separate the operands, and an arrow comes before the result. Words are separated by one or more spaces. The spaces around commas and the arrow are optional. An operand without words is a single number, so `", i -> i"` scales a vector. A result without words is a number too.
#
# Python's `split` does most of the work. Compare `"a  b ".split(" ")` with `"a  b ".split()`.
#
# Stuck? `hint("d1.2.4")`
# %% exercise="d1.2.4"
def parse(pattern: str) -> tuple[list[list[str]], list[str]]:
    """Returns the words of each operand, and the words of the result."""
    ### BEGIN SOLUTION
    left, right = pattern.split("->")
    return [operand.split() for operand in left.split(",")], right.split()
    ### END SOLUTION
# %% check="d1.2.4" points=1
check("d1.2.4", parse)
# %%
for pattern in ("hidden pixel, pixel -> hidden", "i j,j k->k i", ", i -> i", "i, i ->"):
    print(f"{pattern:30}", *parse(pattern))
# %% [markdown]
# **What you should see**: the patterns of a layer, of a matrix product with a transposed result, of a scaled vector and of a dot product.
#
# *Learned*: axes have names, so you don't have to count them.
# %% [markdown]
# ## d1.2.5 ★ The shape of a product
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · ★
#
# Write `einsum_shape`, which computes the shape of the result from the words and the shapes of the operands. A word must have the same size everywhere in the pattern. Nothing is broadcast, so a size of 1 is a size like any other. There must be a shape for each operand, with as many axes as the operand has words. Raise a `ValueError` if one of these rules is broken.
#
# There are two traps. If you store a second size for a word in a dict, you lose the first one without an error. And `zip` stops at the end of the shorter list, also without an error, unless you pass `strict=True`.
#
# Stuck? `hint("d1.2.5")`
# %% exercise="d1.2.5"
def einsum_shape(inputs: list[list[str]], output: list[str], *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """Returns the shape of the result. Raises a ValueError for two sizes of a word, or a misfit of words and axes."""
    ### BEGIN SOLUTION
    sizes = {}
    for words, shape in zip(inputs, shapes, strict=True):
        for word, size in zip(words, shape, strict=True):
            if sizes.setdefault(word, size) != size:
                raise ValueError(f"{word} is {sizes[word]} in one place and {size} in another")
    return tuple(sizes[word] for word in output)
    ### END SOLUTION
# %% check="d1.2.5" points=2
check("d1.2.5", einsum_shape)
# %%
print(einsum_shape(*parse("hidden pixel, pixel -> hidden"), (16, 64), (64,)))
try:
    einsum_shape(*parse("hidden pixel, pixel -> hidden"), (64, 16), (64,))
except ValueError as error:
    print("ValueError:", error)
# %% [markdown]
# **What you should see**: `(16,)`, and then an error. The matrix was passed the wrong way round, and the message names the axis that doesn't fit.
#
# *Learned*: a word has only one size, so you notice swapped axes when you build the graph.
# %% [markdown]
# ## d1.2.6 ★ The value of a product
# ●●○○○ difficulty · ●●●●○ importance · 11 minutes · ★
#
# Write `contract`, which computes the value from the words and the operands. `torch.einsum` can do the computation, but it needs one letter for each axis, as in `torch.einsum("ab,b->a", weight, image)`. So give each word its own letter, write the pattern in letters, and call `torch.einsum`. You can take the letters from `ascii_letters`, which has 52 of them. Would it work to use the first letter of each word?
#
# Stuck? `hint("d1.2.6")`
# %% exercise="d1.2.6"
def contract(inputs: list[list[str]], output: list[str], *values: torch.Tensor) -> torch.Tensor:
    """Multiplies the operands, and sums over every word that isn't in the output."""
    ### BEGIN SOLUTION
    letter = dict(zip({word: None for words in inputs for word in words}, ascii_letters, strict=False))
    operands = ["".join(letter[word] for word in words) for words in inputs]
    result = "".join(letter[word] for word in output)
    return torch.einsum(f"{','.join(operands)}->{result}", *values)
    ### END SOLUTION
# %% check="d1.2.6" points=2
check("d1.2.6", contract)
# %% [markdown]
# ## Five operations
#
# The next cell combines the three functions `parse`, `einsum_shape` and `contract` into an operation, `Einsum`. It also defines `Placeholder`, which is an input of the graph. A placeholder has a shape, and it gets its value when you evaluate the graph. If you skipped the three functions, read the cell and don't run it, because `start_at` has already defined both classes.
# %%
class Einsum:
    """Multiplies its children and sums the products, as its pattern describes."""

    kind = "einsum"

    def __init__(self, pattern: str):
        self.pattern = pattern
        self.inputs, self.output = parse(pattern)

    def shape(self, *shapes):
        return einsum_shape(self.inputs, self.output, *shapes)

    def run(self, *values):
        return contract(self.inputs, self.output, *values)


class Placeholder:
    """Holds the shape of an input. The value is given when the graph is evaluated."""

    kind = "placeholder"

    def __init__(self, size: tuple[int, ...]):
        self.size = tuple(size)

    def shape(self):
        return self.size
# %% [markdown]
# The next checks build their own graphs to test your functions, and they need *your* classes for that. If your function looks for `Relu`, it looks for the class that you wrote above. So you hand in your classes together with your function, as in `(ours, subtract)`. The next cell collects the classes in `ours`. If you change a class later, run this cell again, because `ours` still holds the old version.
# %%
ours = {"Node": Node, "Placeholder": Placeholder, "Array": Array, "Add": Add, "Relu": Relu, "Einsum": Einsum}
# %%
image = Node(Placeholder((3,)), (), "image")
layer = Node(Einsum("out in, in -> out"), (weight, image), "layer")
print(layer, "reads", layer.children)
print(layer.op.run(weight.op.run(), torch.tensor([1.0, 1.0, 1.0])))
# %% [markdown]
# **What you should see**: a layer of shape [2], the two nodes that it reads, and its value. The image is all ones, so the value is the sum of each row of the weights, −1 and 3.5.
#
# *Learned*: five operations are enough for both digits networks.
#
# > **Pair card.** Swap. The navigator asks: "Which words are summed, and how can I see that in the shape?" Explain to each other the result of `"i j, i j -> "` for a matrix and itself, and the result of `"i j -> j i"`. *Alone:* write the pattern of an outer product, and a pattern that adds up the rows of a matrix.
# %% [markdown]
# ## d1.2.7 ★ Subtract without a new operation
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · ★
#
# Do you need an operation for subtraction? Each new operation is one more case for every function that you write later. So first check whether you can build it from the five that you have. You can, since $a - b = a + (-1)\,b$.
#
# Write `subtract`, which builds a graph and computes nothing. It makes a constant, a product and a sum. The sum gets the given `name`, and you can choose the other two names. The product must work for any number of axes, so its pattern depends on `right.shape`. For two axes, `", a0 a1 -> a0 a1"` is such a pattern.
#
# Stuck? `hint("d1.2.7")`
# %% exercise="d1.2.7"
def subtract(left: Node, right: Node, name: str) -> Node:
    """Builds a node with this name for left - right, from the five operations."""
    ### BEGIN SOLUTION
    axes = " ".join(f"a{i}" for i in range(len(right.shape)))
    factor = Node(Array(torch.tensor(-1.0)), (), "-1")
    minus = Node(Einsum(f", {axes} -> {axes}"), (factor, right), f"-{right.name}")
    return Node(Add(), (left, minus), name)
    ### END SOLUTION
# %% check="d1.2.7" points=1
check("d1.2.7", (ours, subtract))
# %%
one, two = (Node(Array(torch.tensor([5.0, 7.0]) * n), (), f"array {n}") for n in (1, 2))
difference = subtract(one, two, "difference")
print(difference, "reads", difference.children)
# %% [markdown]
# **What you should see**: an add that reads an array and a product.
#
# *Learned*: a new function doesn't always need a new operation.
# %% [markdown]
# ## d1.2.8 ★ Print the tree
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# You'll want to look at the graphs that you build. Write `tree`, which returns a string like the text at the top of this part. Each node has a line with its name, shape and kind. Its children are on the lines below, further to the right. The rest of the layout is up to you.
#
# One rule matters. If a node has several readers, write it out only *once*, below its first reader. Below each later reader, write one line with its name, and leave out everything further down.
#
# You can put nodes into a set or a dict. Two nodes are equal only if they're the same object.
#
# Stuck? `hint("d1.2.8")`
# %% exercise="d1.2.8"
def tree(graph: Node) -> str:
    """Returns the graph as text, with children below their first reader."""
    ### BEGIN SOLUTION
    lines, seen = [], set()

    def write(node: Node, depth: int) -> None:
        again = node in seen
        seen.add(node)
        lines.append("  " * depth + node.name + (", as above" if again else f" {list(node.shape)} = {node.op.kind}"))
        for child in () if again else node.children:
            write(child, depth + 1)

    write(graph, 0)
    return "\n".join(lines)
    ### END SOLUTION
# %% check="d1.2.8" points=2
check("d1.2.8", (ours, tree))
# %%
def tower(blocks: int) -> Node:
    """Builds an input [4] with blocks above it. Each block reads the stream twice, as stream + relu(stream)."""
    stream = Node(Placeholder((4,)), (), "x")
    for block in range(blocks):
        stream = Node(Add(), (stream, Node(Relu(), (stream,), f"relu {block}")), f"stream {block}")
    return stream


print(tree(tower(3)))
# %% [markdown]
# **What you should see**: ten lines for seven nodes. Three of the nodes have two readers each.
#
# *Learned*: the text looks like a tree, but the graph isn't a tree, because a node can have several readers.
# %% [markdown]
# ## Evaluate a graph
#
# If you skipped d1.2.8, run `start_at("d1.2.9")` now.
#
# A *tower* is a small graph in which many nodes have two readers. `tower(blocks)` starts with an input [4]. Each block reads the stream twice and computes `stream + relu(stream)`.
#
# The value of a node depends on the values of its children. Their values depend on the nodes further down, until you reach constants and inputs. The next function computes this in the shortest possible way. It calls itself on every child and keeps no values between calls. A tower of sixteen blocks has 33 nodes. How many visits to nodes does the function make?
# %%
predict("d1.2.p1", ..., "visits to nodes in a tower of sixteen blocks, without a cache")
# %%
def evaluate_without_cache(node: Node, inputs: dict[str, torch.Tensor], visits: list[str]) -> torch.Tensor:
    """Returns the value of a node, and appends its name to `visits` on every visit."""
    visits.append(node.name)
    if isinstance(node.op, Placeholder):
        return inputs[node.name]
    return node.op.run(*[evaluate_without_cache(child, inputs, visits) for child in node.children])


visits = []
slow = evaluate_without_cache(tower(16), {"x": torch.ones(4)}, visits)
print(f"{len(visits):,} visits, {visits.count('x'):,} of them to x. The value is {slow.tolist()}.")
measured("d1.2.p1", f"{len(visits):,}")
# %% [markdown]
# **What you should see**: 196,606 visits, because each block doubles their number. For the same reason, if `tree`, which prints a graph, wrote out a node below each of its readers, the text for sixty blocks would have more than 10¹⁸ lines.
# %% [markdown]
# ## d1.2.9 Evaluate each node once
# ●●○○○ difficulty · ●●●●● importance · 12 minutes · core
#
# Write `evaluate`, which computes each node only once and caches its value.
#
# - Cache values *by node*, because different nodes may have the same name.
# - `inputs` holds a tensor for each placeholder, by name. If a tensor is missing, raise an error. Don't use 0 in its place.
# - Only placeholders read `inputs`, even if a constant has the same name as an input.
# - Start every call with an empty cache, because the next call may get other inputs.
#
# The check counts how often each operation runs.
#
# Stuck? `hint("d1.2.9")`
# %% exercise="d1.2.9"
def evaluate(graph: Node, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Returns the value of the graph for one example. The keys of `inputs` are names of placeholders."""
    ### BEGIN SOLUTION
    values = {}

    def value(node: Node) -> torch.Tensor:
        if node not in values:
            is_input = isinstance(node.op, Placeholder)
            values[node] = inputs[node.name] if is_input else node.op.run(*map(value, node.children))
        return values[node]

    return value(graph)
    ### END SOLUTION
# %% check="d1.2.9" points=2
check("d1.2.9", (ours, evaluate))
# %% [markdown]
# Most of the functions below go through a graph in the same order, *children first and each node once*. `nodes_of` lists the nodes in this order.
# %%
def nodes_of(graph: Node) -> list[Node]:
    """Lists every node of the graph once, each of them after its children."""
    order = {}

    def visit(node: Node) -> None:
        if node not in order:
            for child in node.children:
                visit(child)
            order[node] = True

    visit(graph)
    return list(order)
# %%
fast = evaluate(tower(16), {"x": torch.ones(4)})
print(len(nodes_of(tower(16))), "nodes, the same value:", torch.equal(fast, slow))
print(len(nodes_of(tower(200))), "nodes, with the value", evaluate(tower(200), {"x": -torch.ones(4)}).tolist())

block_counts = [0, 4, 8, 12, 16]
powers = {"without a cache": [], "with a cache": []}
for blocks in block_counts:
    graph, visited = tower(blocks), []
    evaluate_without_cache(graph, {"x": torch.ones(4)}, visited)
    powers["without a cache"].append(math.log10(len(visited)))
    powers["with a cache"].append(math.log10(len(nodes_of(graph))))
plot.lines(block_counts, powers, "How many nodes are visited in a tower", "blocks", "visits (power of ten)")
# %% [markdown]
# **What you should see**: the same value from 33 visits. The vertical axis is logarithmic, so the straight line is exponential growth. A tower of 200 blocks takes 401 visits with the cache. Without it, the number of visits would have 61 digits.
#
# *Learned*: a graph with few nodes can have exponentially many paths. So visit each node once, and cache its value.
#
# > **Pair card.** Swap. The navigator asks: "What's the key of the cache, and when is the cache emptied?" Explain to each other in which graph a cache by name would give a wrong value, and when a cache that is never emptied would give one. *Alone:* count by hand the visits in a tower of two blocks without a cache.
# %% [markdown]
# ## d1.2.10 A network as a graph
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Now build the networks of part 1. Their weights come as a dict with `inner.weight` [16, 64], `inner.bias` [16], `out.weight` [10, 16] and `skip` [10, 64].
#
# Write `network_graph`, which builds the graph at the top of this part. Use the same names, and order the children as in the text. There's one placeholder, which both paths read, and its length is the size of the skip's second axis. The graph must compute the same as the PyTorch module. The check uses networks of other sizes.
#
# Stuck? `hint("d1.2.10")`
# %% exercise="d1.2.10"
def network_graph(weights: dict[str, torch.Tensor]) -> Node:
    """Builds the digits network, with the names and the order of children at the top of this part."""
    ### BEGIN SOLUTION
    array = {name: Node(Array(value), (), name) for name, value in weights.items()}
    x = Node(Placeholder(weights["skip"].shape[1:]), (), "x")
    product = Node(Einsum("hidden pixel, pixel -> hidden"), (array["inner.weight"], x), "inner.product")
    inner = Node(Add(), (product, array["inner.bias"]), "inner")
    hidden = Node(Relu(), (inner,), "hidden")
    out = Node(Einsum("digit hidden, hidden -> digit"), (array["out.weight"], hidden), "out")
    skip = Node(Einsum("digit pixel, pixel -> digit"), (array["skip"], x), "skip.product")
    return Node(Add(), (out, skip), "logits")
    ### END SOLUTION
# %% check="d1.2.10" points=2
check("d1.2.10", (ours, network_graph))
# %%
loaded = {name: models.load(name) for name in ("digits-a", "digits-b")}
networks = {name: model.module() for name, model in loaded.items()}
graphs = {name: network_graph(model.weights) for name, model in loaded.items()}
train, test = digits.images("train"), digits.images("test")
images, label = test["x"], test["label"]

logits = torch.stack([evaluate(graphs["digits-a"], {"x": image}) for image in images[:8]])
print("predicted:", logits.argmax(-1).tolist())
print("labels:   ", label[:8].tolist())
print(f"largest difference from PyTorch's logits: {(logits - networks['digits-a'](images[:8])).abs().max():.0e}")
# %% [markdown]
# **What you should see**: eight digits, all correct, and a largest difference at the level of rounding.
#
# *Learned*: the module and the graph compute the same function. The module is a program that runs, and the graph is data that you can search, count and edit.
# %% [markdown]
# ## d1.2.11 Find nodes
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Write `find`, which returns each matching node once. `wanted` can be one of three things.
#
# | `wanted` | a node matches if |
# |---|---|
# | a name, such as `"hidden"` | its name is equal |
# | a class, such as `Relu` | its operation is of this class |
# | a function, such as `lambda node: node.shape == (10,)` | the function returns True for the node |
#
# Be careful, because a class can be called like a function. If no node matches, raise a `LookupError` with a message. Suppose you misspell a name and ablate `"hiden"`. If there were no error, the accuracy would stay the same, and you'd conclude that the hidden layer doesn't matter.
#
# Stuck? `hint("d1.2.11")`
# %% exercise="d1.2.11"
def find(graph: Node, wanted) -> list[Node]:
    """Lists the nodes that match a name, a class or a function. Raises a LookupError if there are none."""
    ### BEGIN SOLUTION
    fits = wanted
    if isinstance(wanted, str):
        fits = lambda node: node.name == wanted
    elif isinstance(wanted, type):
        fits = lambda node: isinstance(node.op, wanted)
    found = [node for node in nodes_of(graph) if fits(node)]
    if not found:
        raise LookupError(f"{wanted!r} is not below {graph.name}, which has {[node.name for node in nodes_of(graph)]}")
    return found
    ### END SOLUTION
# %% check="d1.2.11" points=2
check("d1.2.11", (ours, find))
# %%
graph = graphs["digits-b"]
for wanted in ("x", Einsum, lambda node: node.shape == (10,)):
    print(find(graph, wanted))
try:
    find(graph, "hiden")
except LookupError as error:
    print("LookupError:", error)
# %% [markdown]
# **What you should see**: one node, then three, then three, and then an error that lists the existing names. `x` is found once, although it has two readers.
#
# *Learned*: if an experiment selects no node, it must raise an error.
# %% [markdown]
# ## d1.2.12 Change a graph without touching it
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# ![Two graphs that share a node. Before the edit, total reads left and right, and left reads a. After the edit, the new total reads a new left and the same right, and the new left reads b. The old nodes are blue, the new nodes are orange, and the shared node right is grey.](diagram:edit_shares)
#
# How do you edit a graph and keep the original for comparison? If you write into a node, as in `left.children = ...`, the original is gone. So leave all old nodes as they are, and build new ones where you need them.
#
# In the picture, `b` replaces `a`. The old `left` reads `a`, so you build a new `left` that reads `b`. For the same reason you build a new `total`. Nothing below `right` has changed, so the new graph uses `right` as it is. In general, you build the new node and all nodes above it, up to the *root*, which is the node at the top. The two graphs share all other nodes.
#
# Write `update`. For every node in `targets`, the result has `function(node)` in its place.
#
# - If one target is below another, `function` gets the upper one with its new children.
# - Use the nodes that `function` returns exactly as they are. They may contain old nodes, and those aren't replaced again.
# - `nodes_of` lists the nodes in the order that you need.
#
# Stuck? `hint("d1.2.12")`
# %% exercise="d1.2.12"
def update(graph: Node, targets: list[Node], function) -> Node:
    """Builds the graph with function(node) in place of each target, and reuses all unchanged nodes."""
    ### BEGIN SOLUTION
    new = {}
    for node in nodes_of(graph):
        children = [new[child] for child in node.children]
        same = all(now is before for now, before in zip(children, node.children, strict=True))
        built = node if same else Node(node.op, children, node.name)
        new[node] = function(built) if node in targets else built
    return new[graph]
    ### END SOLUTION
# %% check="d1.2.12" points=3
check("d1.2.12", (ours, update))
# %%
def zeros(node: Node) -> Node:
    """Builds a constant of zeros in the shape of a node."""
    return Node(Array(torch.zeros(node.shape)), (), "zeros")


ablated = update(graph, find(graph, "hidden"), zeros)
print(tree(ablated))

changed = []
for number, image in enumerate(images[:100]):
    before = evaluate(graph, {"x": image}).argmax().item()
    after = evaluate(ablated, {"x": image}).argmax().item()
    if before != after:
        changed.append(number)
        print(f"image {number}: {before} before, {after} with hidden at zero")
# %% [markdown]
# **What you should see**: a smaller tree with `zeros` in it, and six of the first hundred images. On these six, the original graph and the ablated one predict different digits. The original graph is unchanged, so there's nothing to undo.
#
# *Learned*: an intervention is a function from graphs to graphs. It leaves no state behind, so nothing can leak.
#
# > **Pair card.** Swap. The navigator asks: "Is this node old or new, and how can you tell?" Explain to each other why every node above a replaced node is built again, and why the nodes beside it aren't. *Alone:* on paper, replace `skip.product` in the picture at the top, and mark the nodes that are built again.
# %% [markdown]
# ## d1.2.13 ★ Nodes that two graphs share
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · ★
#
# How much of the original graph does an edit reuse? `graph` has eleven nodes, and `ablated` has seven. How many of these seven are also nodes of `graph`, as the very same objects? Guess first.
#
# Then write `shared`, which lists the nodes of `before` that are nodes of `after` too. Compare the nodes themselves. Equal names aren't enough, since both graphs have a node called `logits`.
#
# Stuck? `hint("d1.2.13")`
# %%
predict("d1.2.p2", ..., "nodes of ablated that are nodes of graph, out of seven")
# %% exercise="d1.2.13"
def shared(before: Node, after: Node) -> list[Node]:
    """Lists the nodes that both graphs contain as the same objects."""
    ### BEGIN SOLUTION
    kept = set(nodes_of(after))
    return [node for node in nodes_of(before) if node in kept]
    ### END SOLUTION
# %% check="d1.2.13" points=1
check("d1.2.13", (ours, shared))
# %%
print("shared by graph and ablated:", shared(graph, ablated))
measured("d1.2.p2", len(shared(graph, ablated)))

high = tower(20)
for name in ("relu 19", "relu 0"):
    edited = update(high, find(high, name), zeros)
    print(f"{name} replaced in a tower of {len(nodes_of(high))} nodes. Shared nodes: {len(shared(high, edited))}")
# %% [markdown]
# **What you should see**: 4 of the 7 nodes are shared. `zeros` is new, and so are `out` and `logits` above it.
#
# | edit | nodes before | shared nodes |
# |---|---|---|
# | `hidden` in the network | 11 | 4 |
# | `relu 19`, at the top of the tower | 41 | 39 |
# | `relu 0`, at the bottom of the tower | 41 | 1 |
#
# If you evaluate both graphs together, the shared nodes need to be computed only once. So an edit near the output adds few new nodes. The library uses this, and it evaluates many edited graphs in one call.
#
# *Learned*: an edit rebuilds the nodes above it, and shares all others.
# %% [markdown]
# ## From one image to many
#
# So far you've evaluated one image at a time. Can you pass a tensor [600, 64] for an `x` of shape [64]? An einsum would raise an error, because its pattern has no word for the extra axis. Does a sum raise an error too? The next cell adds an input [3] to a constant [4, 3], and it tries batches of one to six rows.
# %%
predict("d1.2.p3", ..., "how many of the batch sizes 1 to 6 raise an error")
# %%
table = Node(Array(torch.zeros(4, 3)), (), "table")
both = Node(Add(), (Node(Placeholder((3,)), (), "x"), table), "both")
found = {}
for rows in range(1, 7):
    try:
        found[rows] = list(evaluate(both, {"x": torch.ones(rows, 3)}).shape)
    except RuntimeError:
        found[rows] = "an error"
    print(f"{rows} rows: {found[rows]}, expected {[rows, 4, 3]}")
measured("d1.2.p3", list(found.values()).count("an error"))
# %% [markdown]
# **What you should see**: four errors, and two wrong shapes without an error. With four rows, row `i` of the batch was added to row `i` of the table, only because the table happens to have four rows too. Such a bug stays hidden until a batch has just the right size.
# %% [markdown]
# ## d1.2.14 Many images
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · core
#
# A graph describes one example, so its operations have to be run on one example at a time. Write `evaluate_rows`. Every input has an additional first axis for the rows, and so does the result. There may be inputs that the graph doesn't read.
#
# A loop over the rows passes the check. It makes the experiments below a few seconds slower. `torch.vmap(f)` is faster. It turns a function of one example into a function of many rows, and it hides the axis of rows from everything inside.
#
# Stuck? `hint("d1.2.14")`
# %% exercise="d1.2.14"
def evaluate_rows(graph: Node, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """Returns the value [rows, *shape] of the graph. Each input is [rows, *shape of its placeholder]."""
    ### BEGIN SOLUTION
    def one(*row: torch.Tensor) -> torch.Tensor:
        return evaluate(graph, dict(zip(inputs, row, strict=True)))

    return torch.vmap(one)(*inputs.values())
    ### END SOLUTION
# %% check="d1.2.14" points=2
check("d1.2.14", (ours, evaluate_rows))
# %%
print([list(evaluate_rows(both, {"x": torch.ones(rows, 3)}).shape) for rows in range(1, 7)])
for name, graph in graphs.items():
    correct = evaluate_rows(graph, {"x": images}).argmax(-1) == label
    mean, error = accuracy_with_error(correct[None])  # one draw
    print(f"{name} as a graph: {mean:.1f} ± {error:.1f} % of {len(images)} test images")
# %% [markdown]
# **What you should see**: six correct shapes, and the accuracies of part 1, 97.2 ± 0.7 % and 96.8 ± 0.7 %.
#
# *Learned*: shapes are per example, and only the evaluation handles rows. No node needs a batch axis.
# %% [markdown]
# ## d1.2.15 An ablation is a graph
# ●●●○○ difficulty · ●●●●● importance · 11 minutes · core
#
# Can you do the ablations of part 1 without a hook? For zero and mean ablation, an `Array` replaces the node, and `update` can do that. For resampling, the node gets the value that it has *on another image*. As a graph, the node and everything below it read another input. We call this input `x_other`.
#
# Write `resampled`. It returns the graph in which the named node is computed from a placeholder `x_other`, and everything else from `x`. Give `x_other` the shape of `x`, which isn't [64] in the check. You need `update` twice, first inside the node and then around it.
#
# Stuck? `hint("d1.2.15")`
# %% exercise="d1.2.15"
def resampled(graph: Node, name: str) -> Node:
    """Builds the graph in which the node of this name depends on x_other, and everything else on x."""
    ### BEGIN SOLUTION
    (node,) = find(graph, name)
    other = update(node, find(node, "x"), lambda x: Node(Placeholder(x.shape), (), "x_other"))
    return update(graph, [node], lambda node: other)
    ### END SOLUTION
# %% check="d1.2.15" points=2
check("d1.2.15", (ours, resampled))
# %% [markdown]
# So the three ablations of part 1 are three graphs. The next cells run them on the draws of part 1, `draw(0)` to `draw(19)`. The hooks and the graphs are separate implementations. Over three ablations and two networks, what's the largest difference between their accuracies?
# %%
predict("d1.2.p4", ..., "largest difference between hooks and graphs, in points of accuracy")
# %%
def draw(seed: int) -> torch.Tensor:
    """Returns the number of another image for each test image [rows], as in part 1."""
    return torch.randint(len(images), (len(images),), generator=torch.Generator().manual_seed(seed))


def score(all_logits: list[torch.Tensor]) -> tuple[float, float]:
    """Returns the accuracy and its standard error in per cent. Each draw gives logits [batch, 10]."""
    return accuracy_with_error(torch.stack([logits.argmax(-1) == label for logits in all_logits]))


def run(graph: Node, draws: list[torch.Tensor]) -> list[torch.Tensor]:
    """Runs the graph on the test images [batch, 10], once for each draw of other images."""
    return [evaluate_rows(graph, {"x": images, "x_other": images[rows]}) for rows in draws]


draws = [draw(seed) for seed in range(20)]
# %%
def ablation_graphs(graph: Node) -> dict[str, Node]:
    """Builds the graphs of the three ablations of the hidden layer."""
    hidden = find(graph, "hidden")
    mean = evaluate_rows(hidden[0], {"x": train["x"]}).mean(dim=0)
    return {
        "zero": update(graph, hidden, zeros),
        "mean": update(graph, hidden, lambda node: Node(Array(mean), (), "mean")),
        "resample": resampled(graph, "hidden"),
    }


def ablation_edits(network: torch.nn.Module) -> dict[str, list]:
    """Returns the edits of part 1 for the three ablations, one for each draw when resampling."""
    at_mean = mean_edit(read_layer(network, "hidden", train["x"]))
    return {"zero": [torch.zeros_like], "mean": [at_mean], "resample": [resample_edit(rows) for rows in draws]}


by_graphs, by_hooks = {}, {}
for name, network in networks.items():
    print(f"running the ablations of {name}")
    by_graphs[name], by_hooks[name] = {}, {}
    for how, graph in ablation_graphs(graphs[name]).items():
        needed = draws if how == "resample" else draws[:1]  # the other two don't depend on the draw
        by_graphs[name][how] = score(run(graph, needed))
    for how, edits in ablation_edits(network).items():
        by_hooks[name][how] = score([run_edited(network, "hidden", edit, images) for edit in edits])
# %%
gaps = []
for name, results in by_graphs.items():
    for how, (mean, error) in results.items():
        with_hooks = by_hooks[name][how][0]
        gaps.append(abs(mean - with_hooks))
        print(f"{name}, {how:8}: graph {mean:.3f} ± {error:.3f} %, hooks {with_hooks:.3f} %")
measured("d1.2.p4", max(gaps))
# %% [markdown]
# **What you should see**: a largest difference of 0. Rounding changes the logits, but it changes none of these six accuracies.
#
# | another image in the hidden layer | `digits-a` | `digits-b` |
# |---|---|---|
# | accuracy (%) | 91.1 ± 0.8 | 12.6 ± 0.3 |
#
# Two separate implementations agree, so a bug in one of them is an unlikely cause of the gap between the networks. They do share the draws, the test images and the function `score`. The errors are over the images.
#
# *Learned*: resampling a node means evaluating the same graph with another input below the node.
#
# > **Pair card.** Swap. The navigator asks: "Which nodes does this graph contain twice, once for each input?" Explain to each other the value of `resampled(graph, "logits")`, and the error that `resampled(graph, "inner.weight")` raises. *Alone:* print `tree(resampled(graph, "hidden"))`, and mark the nodes that depend on `x_other`.
# %% [markdown]
# ## d1.2.16 Paths
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# How do you name "`x`, as the skip path reads it"? You describe the way from the root to `x`. A *path* is a tuple of child numbers, counted from 0. In the tree at the top, `(1, 1)` leads from `logits` to its second child, `skip.product`, and from there to its second child, `x`.
#
# Write `paths`, which returns every path from the root to a node of the given name. Here you mustn't skip nodes that you've already visited. A second way to the same node is a second path. If a node reads the same child twice, that makes two paths as well. If the root itself has the name, its path is `()`.
#
# Stuck? `hint("d1.2.16")`
# %% exercise="d1.2.16"
def paths(graph: Node, name: str) -> list[tuple[int, ...]]:
    """Lists every path to a node of this name, as child numbers from the root down."""
    ### BEGIN SOLUTION
    found = [()] if graph.name == name else []
    for number, child in enumerate(graph.children):
        found += [(number, *path) for path in paths(child, name)]
    return found
    ### END SOLUTION
# %% check="d1.2.16" points=2
check("d1.2.16", (ours, paths))
# %%
def names_along(graph: Node, path: tuple[int, ...]) -> list[str]:
    """Lists the names of the nodes on a path, from the root down."""
    return [graph.name, *(names_along(graph.children[path[0]], path[1:]) if path else [])]
# %%
graph = graphs["digits-a"]
for path in paths(graph, "x"):
    print(path, " > ".join(names_along(graph, path)))
print("paths to x in towers:", {blocks: len(paths(tower(blocks), "x")) for blocks in (1, 2, 12)})
# %% [markdown]
# **What you should see**: two paths, a long one through the hidden layer and a short one through the skip. The towers have 2, 4 and 4,096 paths. `paths` lists them one by one, so use it for small networks only. The library selects paths without listing them.
#
# *Learned*: a node stands for a value, and a path stands for one reading of this value.
# %% [markdown]
# ## d1.2.17 Patch one path
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# ![Part of the digits graph before and after a path is patched. Before, logits reads out and skip.product, then out reads hidden, and hidden and skip.product both read x. The arrows from logits to skip.product and from there to x are blue, and each is labelled child 1. The node skip.product reads skip too. After, the new logits and the new skip.product are orange, with orange arrows for child 1, and the path ends at x_other, also in orange. The nodes out, hidden, x and skip are grey, the same as before.](diagram:patch_one_path)
#
# The picture shows the path `(1, 1)`, and it leaves out the nodes between `hidden` and `x`. The nodes in orange are new.
#
# Write `patch_path`, which returns a graph in which the given path ends at `new` in place of the old node. All other paths stay as they were, even if they lead to the same old node. So build every node on the path again, and replace *one* of its children, by its number. Other readers keep the old nodes. For the path `()` the result is `new` itself.
#
# Stuck? `hint("d1.2.17")`
# %% exercise="d1.2.17"
def patch_path(graph: Node, path: tuple[int, ...], new: Node) -> Node:
    """Builds the graph in which this path, and no other, ends at `new`."""
    ### BEGIN SOLUTION
    if not path:
        return new
    children = list(graph.children)
    children[path[0]] = patch_path(children[path[0]], path[1:], new)
    return Node(graph.op, children, graph.name)
    ### END SOLUTION
# %% check="d1.2.17" points=3
check("d1.2.17", (ours, patch_path))
# %% [markdown]
# Now patch the path through the skip. The cell uses the draws of part 1, and it prints the result of the two hooks from d1.1.11 next to yours.
# %%
skip = next(path for path in paths(graph, "x") if "skip.product" in names_along(graph, path))
x_other = Node(Placeholder((64,)), (), "x_other")
patched = {name: patch_path(graph, skip, x_other) for name, graph in graphs.items()}
print(tree(patched["digits-a"]))

answers = {}
for name, network in networks.items():
    answers[name] = torch.stack([logits.argmax(-1) for logits in run(patched[name], draws)])
    mean, error = accuracy_with_error(answers[name] == label)
    with_hooks, _ = score([skip_only(network, images, rows) for rows in draws])
    print(f"{name}, skip path resampled: graph {mean:.3f} ± {error:.3f} %, two hooks {with_hooks:.3f} %")
# %% [markdown]
# **What you should see**: in the tree, `skip.product` reads `x_other`, and the hidden path still reads `x`. The accuracies are 12.7 ± 0.3 % for `digits-a` and 92.9 ± 0.7 % for `digits-b`, the same as with the two hooks. The hooks had to change both paths and then repair one of them. With the graph, you only have to name the path.
#
# Now each path can read its own image. So you can test a network on inputs that weren't in its training data. Let the hidden path read a 3 and the skip path read an 8. *Which digit does the network predict?* If two images show different digits, call the pair a conflict. In what share of the conflicts does `digits-a` predict the digit on its skip path?
# %%
predict("d1.2.p5", ..., "conflicts in which digits-a predicts the digit on its skip path (%)")
# %%
on_skip = torch.stack([label[rows] for rows in draws])  # [draw, image]
conflict = on_skip != label


def share(predicted: torch.Tensor) -> tuple[float, float]:
    """Returns the share of conflicts in per cent and its error over images, for booleans [draw, image]."""
    rate = 100 * (predicted & conflict).sum(0) / conflict.sum(0)
    return rate.mean().item(), rate.std().item() / len(rate) ** 0.5


follows = {}
for name, answer in answers.items():
    hidden_digit, skip_digit = answer == label, answer == on_skip
    follows[name] = {
        "hidden path": share(hidden_digit),
        "skip path": share(skip_digit),
        "neither": share(~hidden_digit & ~skip_digit),
    }
    print(name, {path: f"{mean:.1f} ± {error:.1f} %" for path, (mean, error) in follows[name].items()})
measured("d1.2.p5", *follows["digits-a"]["skip path"])
plot.bars(follows, "Two images at once", "share of conflicts (%)", "the digit predicted is on the")
# %% [markdown]
# **What you should see**: `digits-a` mostly follows its skip path, and `digits-b` mostly follows its hidden path. Each network follows its other path in less than 4 % of the conflicts.
#
# | share of conflicts (%) | `digits-a` | `digits-b` |
# |---|---|---|
# | predicts the digit on the hidden path | 3.5 ± 0.2 | 92.3 ± 0.8 |
# | predicts the digit on the skip path | 90.2 ± 0.3 | 3.5 ± 0.3 |
# | predicts neither of them | 6.3 ± 0.3 | 4.3 ± 0.6 |
#
# The errors are over images. Such a pair of images is outside the training distribution. So the table shows which path wins a conflict. It doesn't show how much the paths help each other on an ordinary image.
#
# *Learned*: path patching measures the effect of one path at a time.
#
# > **Pair card.** Swap. The navigator asks: "Which parts of this graph depend on which image?" Explain to each other why patching the path through the skip gives the same result as resampling the node `skip.product`, and in which graph it wouldn't. *Alone:* find the path through the hidden layer, patch it, and compare with `by_graphs`.
# %% [markdown]
# ## d1.2.18 Answer the day's question
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# **Two networks are equally accurate. For the same reasons?** Answer in three to five sentences, as in the abstract of a paper. There's no check, so let your instructor or another pair read it. It's worth 2 points.
#
# | your answer | points |
# |---|---|
# | a claim, with the experiment behind it, the figures and their standard errors | 1 |
# | an experiment that would have misled you | ½ |
# | one thing that your claim does *not* say | ½ |
#
# After you've handed in your answer, compare it with ours. `solution("d1.2.18")` prints our answer and explains how yours is graded.
# %% [markdown] answer="d1.2.18" points=2
# ### BEGIN SOLUTION
# No. Both networks classify about 97 % of 600 test images correctly (97.2 ± 0.7 % and 96.8 ± 0.7 %), but `digits-a` relies on its skip path and `digits-b` relies on its hidden layer. If the skip path alone reads another image, `digits-a` falls to 12.7 ± 0.3 %, and `digits-b` keeps 92.9 ± 0.7 %. If the hidden layer alone reads another image, `digits-a` keeps 91.1 ± 0.8 %, and `digits-b` falls to 12.6 ± 0.3 %. When the two paths read different digits, `digits-a` follows the skip path in 90.2 ± 0.3 % of the cases, and `digits-b` follows the hidden path in 92.3 ± 0.8 %. Zero ablation would have misled us, since zeros in the hidden layer cost only about one point in `digits-a` and three in `digits-b`. We don't claim that the other path has no information about the digit, because it may hold a copy that never affects the answer. We also don't know how either path distinguishes a 3 from an 8.
#
# *Grading, 2 points.* Give 1 point for a claim with an experiment, its figures and their standard errors, and half of it if the errors are missing. Give ½ for an experiment that would have misled, such as zero ablation, accuracy alone, or resampling `x` itself. Give ½ for a real limit. "Other images might differ" is not enough.
# ### END SOLUTION
# %% [markdown]
# ## The model cards
#
# Each model comes with a card, which says how the model was trained. Run the next cell only after you've written your answer.
# %%
for name, model in loaded.items():
    share_off = model.card["training"]["hidden_off"]
    print(f"{name} leans on {model.card['leans_on']}.")
    print(f"  In training, its hidden layer was set to zero for {100 * share_off:.0f} % of the examples.")
# %% [markdown]
# **What you should see**: the cards name the same paths that you found. Both networks were trained with zeros in the hidden layer, for 70 % of the examples of `digits-a` and for 20 % of those of `digits-b`. So zeros in the hidden layer are in distribution for both networks. This is a likely reason for the small effect of zero ablation.
# %% [markdown]
# ## The library
#
# You've now written a small version of `remix_utils`, the library of this week. Each of your functions has a counterpart there.
#
# | yours | the library's | additions |
# |---|---|---|
# | `Node(Add(), (a, b), "sum")` | `library.add(a, b, name="sum")` | nodes can't be changed, and every error names the node |
# | `tree(graph)` | `library.show(graph)` | patterns and functions, and a limit on the depth |
# | `evaluate`, `evaluate_rows` | `library.evaluate(graph, {"x": images})` | many graphs in one call, with each computation done once |
# | `find(graph, "x")` | `library.find(graph, "x")` | wildcards in names, such as `"blocks.*.attn"` |
# | `update(graph, nodes, f)` | `library.update(graph, "x", f)` | takes a selector, which can also select paths |
# | `paths(graph, "x")` | `library.paths(graph, "x")` | returns the nodes on each path |
# | `patch_path(graph, path, new)` | `library.path_patch(graph, selector, {"x": new})` | many paths at once, without listing them |
#
# A *selector* describes paths. `library.at("x")` selects every path to `x`. `library.at("hidden") >> library.at("x")` selects the paths to `x` that go through `hidden`. Read `>>` from the root down. With a selector you can pick one path out of the thousands in a network of twelve layers.
# %%
theirs = {name: model.graph() for name, model in loaded.items()}
print(library.show(theirs["digits-a"]))
print(len(library.paths(theirs["digits-a"], "x")), "paths to x:")
for path in library.paths(theirs["digits-a"], "x"):
    print(" > ".join(node.name for node in path))
# %% [markdown]
# ## d1.2.19 Ask the library the same question
# ●●○○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# Write `skip_on_other`, which takes the library's digits graph. In the result, the skip path reads a placeholder `x_other` [64], and the hidden path reads `x`. `library.path_patch` takes the graph, a selector, and a dict from the name of an input to the node that replaces it. The library has a function for each kind of node, such as `library.placeholder("x_other", (64,))`.
#
# Stuck? `hint("d1.2.19")`
# %% exercise="d1.2.19"
def skip_on_other(graph: library.Node) -> library.Node:
    """Builds the digits graph in which the skip path reads x_other [64], and the hidden path reads x."""
    ### BEGIN SOLUTION
    through_the_skip = library.at("skip.product") >> library.at("x")
    return library.path_patch(graph, through_the_skip, {"x": library.placeholder("x_other", (64,))})
    ### END SOLUTION
# %% check="d1.2.19" points=2
check("d1.2.19", skip_on_other)
# %%
for name, graph in theirs.items():
    other = library.placeholder("x_other", (64,))
    variants = {
        "as it is": graph,
        "hidden resampled": library.path_patch(graph, "hidden", {"x": other}),
        "skip path resampled": skip_on_other(graph),
    }
    values = [library.evaluate(variants, {"x": images, "x_other": images[rows]}) for rows in draws]
    for variant in variants:
        mean, error = score([value[variant] for value in values])
        print(f"{name}, {variant}: {mean:.1f} ± {error:.1f} %")
    predicted = torch.stack([value["skip path resampled"].argmax(-1) for value in values])
    alike = predicted == answers[name]
    print(f"  the same answer as your patched graph in {alike.sum():,} of {alike.numel():,} cases")
# %% [markdown]
# **What you should see**: the same accuracies as before. For each network, the library's patched graph gives the same answer as yours in all 12,000 cases.
#
# *Learned*: `library.path_patch` does the same as your `patch_path`, and you know how it works.
#
# > **Pair card.** Swap. The navigator asks: "Which paths does this selector match, read from the root down?" Explain to each other which paths `library.at("logits") >> library.at("x")` selects, and why `library.at("x") >> library.at("skip.product")` selects none. *Alone:* try both with `library.explain(theirs["digits-a"], ...)`.
# %% [markdown]
# ## d1.2.20 ★ Equal computations
# ●●●○○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# After an `update`, two graphs share nodes. But if you build a graph twice, the two copies share no nodes, although they compute the same. How can you notice this without computing anything? Give each node a *key*, so that equal keys mean equal computations.
#
# Write `key`. Put everything that determines the value of a node into a string, and return its digest, `hashlib.sha256(text.encode()).hexdigest()`. Names of nodes don't matter, except those of inputs. Use the *keys* of the children in the text, so that it stays short even for a tower of forty blocks.
#
# There are three traps. The `repr` of a tensor shows only four digits of each number. `[[0, 0, 0]]` isn't `[0, 0, 0]`. And an input `x` [3] isn't an input `x` [4].
#
# Stuck? `hint("d1.2.20")`
# %% exercise="d1.2.20"
def key(graph: Node) -> str:
    """Returns the same text for equal computations, and different texts for different ones."""
    ### BEGIN SOLUTION
    known = {}
    for node in nodes_of(graph):
        own = node.name if node.op.kind == "placeholder" else getattr(node.op, "pattern", "")
        if node.op.kind == "array":
            own = node.op.value.tolist()
        text = repr((node.op.kind, node.shape, own, [known[child] for child in node.children]))
        known[node] = hashlib.sha256(text.encode()).hexdigest()
    return known[graph]
    ### END SOLUTION
# %% check="d1.2.20" points=2
check("d1.2.20", (ours, key))
# %% [markdown]
# The next cell builds seven graphs of `digits-a`. Two of them are made from a second copy of the network, which is built from scratch.
#
# | graphs | edit |
# |---|---|
# | 1 | none |
# | 2 | `inner` or `hidden` set to zero |
# | 2, from the second copy | `hidden` or `skip.product` resampled |
# | 2 | one of the two paths to `x` patched |
#
# If you count every object once, the seven graphs have 45 nodes. How many different computations are there?
# %%
predict("d1.2.p6", ..., "different computations in the seven graphs")
# %%
network, copy = (network_graph(loaded["digits-a"].weights) for _ in range(2))
experiments = {
    "no edit": network,
    "inner at zero": update(network, find(network, "inner"), zeros),
    "hidden at zero": update(network, find(network, "hidden"), zeros),
    "hidden resampled": resampled(copy, "hidden"),
    "skip resampled": resampled(copy, "skip.product"),
}
for path, name in zip(paths(network, "x"), ("hidden path patched", "skip path patched"), strict=True):
    experiments[name] = patch_path(network, path, x_other)

objects = {node for graph in experiments.values() for node in nodes_of(graph)}
computations = {key(node) for node in objects}
print(len(objects), "nodes,", len(computations), "computations")
for part in ("hidden", "skip"):
    keys = {key(experiments[f"{part} resampled"]), key(experiments[f"{part} path patched"])}
    print(f"{part}, resampled and patched, equal keys:", len(keys) == 1)
measured("d1.2.p6", len(computations))
# %% [markdown]
# **What you should see**: 45 nodes and 25 computations. The two resampled graphs add no new computations, although they're made from the second copy. Only one path leads from `hidden` down to `x`, and the same is true for `skip.product`. So resampling the node and patching the path are the same computation.
#
# *Learned*: nodes with equal keys compute the same, so you need to compute the value of each key only once.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · core
#
# Close the page above, or look away. Answer with one of the listed words, or with a number, in the form `recall = {"align": ..., "visits": ..., "rebuilt": ..., "paths": ..., "resample": ...}`
#
# 1. `align`: you add two shapes. Are they aligned at their `"first"` or at their `"last"` axes?
# 2. `visits`: you evaluate a tower of three blocks without a cache. How often is `x` visited? (a number)
# 3. `rebuilt`: you replace `skip.product` in a digits graph. How many *other* nodes are built again? (a number)
# 4. `paths`: how many paths lead from `logits` to `x` in a digits graph? (a number)
# 5. `resample`: you resample the hidden layer of a graph. The relu and the weights stay. Which node is replaced, `"logits"`, `"hidden"`, `"inner"` or `"x"`?
#
# Stuck? `hint("d1.2.quiz")`
# %% exercise="d1.2.quiz"
### BEGIN SOLUTION
recall = {"align": "last", "visits": 8, "rebuilt": 1, "paths": 2, "resample": "x"}
### END SOLUTION
# %% check="d1.2.quiz" points=2
check("d1.2.quiz", recall)
# %%
predictions("d1.2")
# %% [markdown]
# ## Summary
#
# A network is now data. You can find its nodes, replace them and reach them by paths. An experiment is a function from graphs to graphs, and the original network is still there for comparison. You answered the day's question by patching a single path, and with two images at once.
#
# That worked because the network has a node `skip.product`. Sometimes you want to ask about something that isn't a node, such as one neuron of sixteen, one direction, or the linear part of a layer. In the next part you rewrite graphs. A rewrite makes such a node, and it leaves the value of the graph as it is.
