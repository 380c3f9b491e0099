# %% [markdown]
# # Day 1, part 2: build your own graph
#
# **Two networks are equally accurate. For the same reasons?**
#
# A hook replaces a value, and everybody who reads the value gets the replacement. Our question is about *one* of two readers. So we need a description of the network in which "`x`, as the skip path reads it" is something that we can point at. A *computational graph* is such a description: every step of the computation is a node, and a node knows which other nodes it reads. In this part we build one from nothing. Then an experiment is an edit of a graph, and the day's question is one line.
#
# **After this part we can**
# - build a graph of constants, inputs, sums, products and relu, whose shapes are checked before there is a single number;
# - evaluate it, each node once, for one image or for many;
# - find nodes and put others in their place, and leave the graph that we started from as it was;
# - write ablations as graphs, and get the hooks' figures to the last digit;
# - name one path among many, and patch it.
#
# **Time**: about 120 minutes without the ★ exercise.
#
# **Readings**: Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching*, the section that defines path patching: it is d1.2.16 and d1.2.17. Karpathy 2020, *micrograd*, the file `engine.py`: another graph in a hundred lines, made for gradients where ours is made for edits. Both can wait until tonight.
# %%
import hashlib
import itertools
import math
from string import ascii_letters

import torch
import remix_utils as library
from remix_utils import check, hint, models, plot, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import digits

start_at("d1.2")  # to rejoin the room: start_at("d1.2.9") brings every name that the rest of this part reads
# %% [markdown]
# ## Nodes
#
# This is the forward pass of part 1, written as a tree. Each line is a node: its name, its shape, and the operation that makes its value out of the nodes below it, one step further right.
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
# The skip, which was a line of Python that no hook could see, is a node like the others. And `x` stands in two places: it is *one* node with two readers.
#
# So a node is an operation, the nodes that it reads (its *children*, in order), and a name. The operation answers two questions. Which *shape* does it make of its children's shapes? Which *value* does it make of their values? The class below asks the first one at once: a graph whose shapes do not fit cannot even be built. Shapes are those of one image, [64] and never [600, 64]; there is no batch in a graph.
# %%
class Node:
    """One step of a computation: an operation, the nodes that it reads, a name. Built, and never changed."""

    def __init__(self, op, children=(), name: str = ""):
        self.op, self.children, self.name = op, tuple(children), name
        self.shape = tuple(op.shape(*(child.shape for child in self.children)))

    def __repr__(self) -> str:
        return f"{self.name} {list(self.shape)}"
# %% [markdown]
# ## d1.2.1 Constants
# ●○○○○ difficulty · ●●●○○ importance · 4 minutes · core
#
# An operation is a small class with a `kind`, a method `shape` and a method `run`. We begin with the simplest one. An `Array` holds a tensor, such as a layer's weights. It reads nothing, so both methods take no arguments.
#
# Write what is missing. One thing to mind: a tensor can be changed in place, and `w += 1` in some later cell must not change every graph that was made of `w`. That would be part 1's leaked hook again, in another dress. So the Array keeps a tensor of its own.
#
# Stuck? `hint("d1.2.1")`
# %% exercise="d1.2.1"
class Array:
    """A constant."""

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
# **What you should see**: the shape, and the old numbers.
#
# *Learned*: a graph owns its constants.
# %% [markdown]
# ## d1.2.2 Sums
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · core
#
# An `Add` sums any number of children, and their shapes need not be equal: a bias [16] may be added to a stream [5, 16]. The rule is torch's own. Lay the shapes side by side *at their last axes*, and count an axis that is missing as 1. Then look at one axis at a time: all sizes that are not 1 must agree, and the sum has that size. If they do not agree, `shape` raises a `ValueError`.
#
# `itertools.zip_longest(..., fillvalue=1)` goes through several sequences at once and fills up the shorter ones, at their ends. Which end is that, and which one do we want?
#
# `run` gets the values, which are tensors by now, and adds them. It must not write into any of them (`+=` does): other nodes may read the same value.
#
# Stuck? `hint("d1.2.2")`
# %% exercise="d1.2.2"
class Add:
    """The sum of its children, whose shapes broadcast."""

    kind = "add"

    def shape(self, *shapes: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the sum; ValueError for shapes that do not fit."""
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
    except ValueError as refusal:
        print(*shapes, "are refused:", refusal)
# %% [markdown]
# **What you should see**: (5, 16) three times, and a refusal. In the last line the 5 stands below the 16, because shapes are aligned at their ends.
#
# *Learned*: shapes can be worked out, and wrong ones refused, before there is a single number.
# %% [markdown]
# ## d1.2.3 Relu
# ●○○○○ difficulty · ●●○○○ importance · 2 minutes · core
#
# Our one operation that is not linear: `Relu` has one child, leaves its shape as it is, and puts 0 wherever its value is below 0. Again, it makes a new tensor.
#
# Stuck? `hint("d1.2.3")`
# %% exercise="d1.2.3"
class Relu:
    """What is above 0 stays; all else becomes 0."""

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
    Node(Add(), (total, wrong), "nonsense")
except ValueError as refusal:
    print("refused:", refusal)
# %% [markdown]
# **What you should see**: a graph of four nodes, of which nothing has been computed yet, and one that cannot be built.
#
# *Learned*: an operation is a rule for shapes and a rule for values. There is nothing else to it.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Who else holds this tensor?" Explain back to each other: why does `Array` copy, and why does `run` not need to? *Alone:* write down the shapes of a sum of [7, 1, 3], [2, 1] and [3] before you ask `Add().shape`.
# %% [markdown]
# ## Products
#
# Matrix products, dot products, scaling, transposing: all of it is *multiply, then sum*, and einsum writes all of it in one way. Axes get names. `"hidden pixel, pixel -> hidden"` means: for every `hidden`, multiply the two operands at the same `pixel`, and sum over what stands only on the left. That is a layer's weights times an image. We build it in three steps: read the pattern, work out the shape, compute the value.
# %% [markdown]
# ## d1.2.4 Read a pattern
# ●○○○○ difficulty · ●●●○○ importance · 5 minutes · core
#
# Write `parse`. It gives two things: one list of words for each operand, and the list of words of the result. Commas part the operands, an arrow stands before the result, and spaces may stand anywhere or be left out around commas and arrow. An operand without words is a single number: `", i -> i"` scales a vector. A result without words is a number too.
#
# Python's `split` does the work. What does `"a  b ".split(" ")` give, and what does `"a  b ".split()` give?
#
# Stuck? `hint("d1.2.4")`
# %% exercise="d1.2.4"
def parse(pattern: str) -> tuple[list[list[str]], list[str]]:
    """The words of each operand, and the words of the result."""
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
# **What you should see**: a layer, a product of matrices that is transposed as well, a scaling, and a dot product.
#
# *Learned*: axes have names, so nobody has to count them.
# %% [markdown]
# ## d1.2.5 The shape of a product
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# Write `einsum_shape`: the result's shape, from the words and the operands' shapes. Each word must have *one* size, wherever it stands. There is no broadcasting here: a 1 is a size like any other. An operand must have as many axes as words. Raise a `ValueError` where one of these does not hold.
#
# Two traps. A dict takes a second size for a word without a murmur. And `zip` stops at the shorter of two lists, also without a murmur, unless it is told `strict=True`.
#
# Stuck? `hint("d1.2.5")`
# %% exercise="d1.2.5"
def einsum_shape(inputs: list[list[str]], output: list[str], *shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape of the result; ValueError for a word of two sizes, or an operand that does not fit its words."""
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
except ValueError as refusal:
    print("refused:", refusal)
# %% [markdown]
# **What you should see**: `(16,)`; then somebody has passed a matrix the wrong way round, and reads which axis is to blame.
#
# *Learned*: a word has one size, so a slip of axes is found where it is made.
# %% [markdown]
# ## d1.2.6 The value of a product
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Write `contract`: the value, from the words and the operands. `torch.einsum` computes it, but it wants one letter for each axis where we have words: `torch.einsum("ab,b->a", weight, image)`. So give each word a letter of its own (`ascii_letters` has 52 of them), write the pattern again in letters, and hand it over. Is the first letter of a word a good choice?
#
# Stuck? `hint("d1.2.6")`
# %% exercise="d1.2.6"
def contract(inputs: list[list[str]], output: list[str], *values: torch.Tensor) -> torch.Tensor:
    """The operands multiplied, and summed over every word that is not in the output."""
    ### BEGIN SOLUTION
    letter = dict(zip({word: None for words in inputs for word in words}, ascii_letters, strict=False))
    operands = ["".join(letter[word] for word in words) for words in inputs]
    result = "".join(letter[word] for word in output)
    return torch.einsum(f"{','.join(operands)}->{result}", *values)
    ### END SOLUTION
# %% check="d1.2.6" points=2
check("d1.2.6", contract)
# %% [markdown]
# The three functions make an operation, and we need one more. A `Placeholder` is an input: it has a shape, and no value before somebody gives one. Both are short enough to be read.
# %%
class Einsum:
    """The product of its children, summed as the pattern says."""

    kind = "einsum"

    def __init__(self, pattern: str):
        self.pattern = pattern
        self.inputs, self.output = parse(pattern)

    def shape(self, *shapes):
        return einsum_shape(self.inputs, self.output, *shapes)

    def run(self, *values):
        return contract(self.inputs, self.output, *values)


class Placeholder:
    """An input of this size for each example; its value is given when the graph is evaluated."""

    kind = "placeholder"

    def __init__(self, size: tuple[int, ...]):
        self.size = tuple(size)

    def shape(self):
        return self.size
# %% [markdown]
# From here on the checks build graphs of their own to try our functions on. They must build them out of *our* classes: a function that looks for `Relu` means the class above, and no other. So an answer is handed in with the words that it is written in, as a pair: `(ours, subtract)`. The next cell gathers the words. Whoever changes a class later runs it again, for `ours` holds the classes as they were when it ran.
# %%
ours = {"Node": Node, "Placeholder": Placeholder, "Array": Array, "Add": Add, "Relu": Relu, "Einsum": Einsum}
# %%
image = Node(Placeholder((3,)), (), "image")
layer = Node(Einsum("out in, in -> out"), (weight, image), "layer")
print(layer, "reads", layer.children)
print(layer.op.run(weight.op.run(), torch.tensor([1.0, 1.0, 1.0])))
# %% [markdown]
# **What you should see**: a layer of shape [2], what it reads, and the sums of the weights' rows, −1 and 3.5.
#
# *Learned*: five operations are enough for both digits networks.
#
# > **Pair card.** Swap. The navigator asks: "Which words are summed, and how would I see it in the shape?" Explain back: what is `"i j, i j -> "` of a matrix with itself, and what is `"i j -> j i"`? *Alone:* write the pattern of an outer product, and the pattern that sums the rows of a matrix.
# %% [markdown]
# ## d1.2.7 Subtract, with what there is
# ●●○○○ difficulty · ●●●○○ importance · 4 minutes · core
#
# Do we need an operation for subtracting? Every operation that we add must be known to every function that we write later. So we ask first whether those that we have are enough: $a - b = a + (-1)\,b$.
#
# Write `subtract`, which builds a graph and computes nothing. It makes a constant and two more nodes. The Add gets the `name`; the others may be called what we like. The product must work for any number of axes, so its pattern depends on `right.shape`: for two axes, `", a0 a1 -> a0 a1"` will do.
#
# Stuck? `hint("d1.2.7")`
# %% exercise="d1.2.7"
def subtract(left: Node, right: Node, name: str) -> Node:
    """A node of this name for left - right, made of nothing but our five operations."""
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
# *Learned*: few operations, many graphs.
# %% [markdown]
# ## d1.2.8 Print the tree
# ●●○○○ difficulty · ●●●○○ importance · 7 minutes · core
#
# We want to see what we build. Write `tree`, the text that stood at the top of this part: a line for each node, with name, shape and kind, and its children below it, further right. How it is laid out is up to us.
#
# One rule matters. A node that is read twice is written out *once*; the second time one line with its name is enough, which says that we have seen it, and nothing below it. Otherwise the text of a tower of sixty blocks would have more than 10¹⁸ lines.
#
# Nodes can be put into a set or a dict: two of them are equal only if they are the same object.
#
# Stuck? `hint("d1.2.8")`
# %% exercise="d1.2.8"
def tree(graph: Node) -> str:
    """Name, shape and kind of each node, children below what reads them; each node is written out once."""
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
    """An input [4], and above it blocks that read the stream twice: stream + relu(stream)."""
    stream = Node(Placeholder((4,)), (), "x")
    for block in range(blocks):
        stream = Node(Add(), (stream, Node(Relu(), (stream,), f"relu {block}")), f"stream {block}")
    return stream


print(tree(tower(3)))
# %% [markdown]
# **What you should see**: ten lines for seven nodes: three of them are read twice.
#
# *Learned*: it looks like a tree, and it is a graph. The difference is who is read twice.
# %% [markdown]
# ## To evaluate a graph
#
# To evaluate a graph is to ask its root for its value, which asks its children for theirs. The shortest way to write this is below, in three lines. It forgets whom it has asked before. In a tower of sixteen blocks there are 33 nodes: how many does it visit?
# %%
predict("d1.2.p1", ..., "visits to nodes in a tower of sixteen blocks, without a memory")
# %%
def forgetful(node: Node, inputs: dict[str, torch.Tensor], visits: list[str]) -> torch.Tensor:
    """The value of a node; every visit to a node is noted in `visits`."""
    visits.append(node.name)
    if isinstance(node.op, Placeholder):
        return inputs[node.name]
    return node.op.run(*[forgetful(child, inputs, visits) for child in node.children])


slow = forgetful(tower(16), {"x": torch.ones(4)}, visits := [])
print(f"{len(visits):,} visits, {visits.count('x'):,} of them to x; the value is {slow.tolist()}")
measured("d1.2.p1", f"{len(visits):,}")
# %% [markdown]
# **What you should see**: 196,606 visits, because every block doubles them.
# %% [markdown]
# ## d1.2.9 Evaluate each node once
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Write `evaluate`, which computes each node once and remembers its value *by node*: different nodes may have the same name. `inputs` gives a tensor for each placeholder, by its name. A placeholder without a tensor is an error, and not a 0. Only placeholders read `inputs`, even if a constant has the same name as an input. The memory lasts for one call, as the next one may come with other inputs. The check counts how often each operation runs.
#
# Stuck? `hint("d1.2.9")`
# %% exercise="d1.2.9"
def evaluate(graph: Node, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The graph's value for one example; inputs by the placeholders' names."""
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
# The same walk, *children first and each node once*, is what nearly every function below needs. Here it is as a list.
# %%
def nodes_of(graph: Node) -> list[Node]:
    """Every node of the graph once, and each after its children."""
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
print(len(nodes_of(tower(16))), "nodes; the same value:", torch.equal(fast, slow))
print(len(nodes_of(tower(200))), "nodes;", evaluate(tower(200), {"x": -torch.ones(4)}).tolist())

blocks, visited = list(range(0, 17, 4)), {"forgetful": [], "evaluate": []}
for graph in map(tower, blocks):
    forgetful(graph, {"x": torch.ones(4)}, visits := [])
    visited["forgetful"].append(math.log10(len(visits)))
    visited["evaluate"].append(math.log10(len(nodes_of(graph))))
plot.lines(blocks, visited, "How many nodes are visited in a tower", "blocks", "visits (power of ten)")
# %% [markdown]
# **What you should see**: the same value from 33 visits. On this scale a straight line is exponential growth, and the other one hardly rises. A tower of 200 blocks takes 401, where the forgetful version would need a number of visits with 61 digits.
#
# *Learned*: paths are exponentially many, nodes are few. Walk nodes, and remember.
#
# > **Pair card.** Swap. The navigator asks: "What is remembered, under which key, and for how long?" Explain back: a memory by name, and one that lasts from call to call: which wrong value does each of them give, and when? *Alone:* count the visits of `forgetful` in a tower of two blocks by hand.
# %% [markdown]
# ## d1.2.10 A network as a graph
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# Now the networks of part 1. Their weights come as a dict: `inner.weight` [16, 64], `inner.bias` [16], `out.weight` [10, 16] and `skip` [10, 64].
#
# Write `network_graph`, the graph that stands at the top of this part: the same names, and the children of each node in the same order. It has one placeholder, of the length of the skip's second axis, which both paths read. It must equal PyTorch's module, for these weights and for any others of that form. The check uses networks of other sizes.
#
# Stuck? `hint("d1.2.10")`
# %% exercise="d1.2.10"
def network_graph(weights: dict[str, torch.Tensor]) -> Node:
    """The digits network: nodes x, inner.product, inner, hidden, out, skip.product, and logits on top."""
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
print("our answers:", logits.argmax(-1).tolist(), " the digits:", label[:8].tolist())
print(f"largest difference to PyTorch's logits: {(logits - networks['digits-a'](images[:8])).abs().max():.0e}")
# %% [markdown]
# **What you should see**: eight digits, named rightly, and a difference at the level of rounding.
#
# *Learned*: the network and the graph compute the same. One is a program that runs; the other is data that we can search, count and edit.
# %% [markdown]
# ## d1.2.11 Find nodes
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# Write `find`: all nodes that fit, each once. What fits is said in one of three ways: by a name, `"hidden"`; by an operation, `Relu`; or by a function of the node that says True or False, such as `lambda node: node.shape == (10,)`.
#
# Beware: a class can be called like a function. And *finding nothing is an error*, a `LookupError` with a sentence in it. Think of an ablation of `"hiden"`: it would change nothing, the accuracy would stay as it was, and we would conclude that the hidden layer does not matter.
#
# Stuck? `hint("d1.2.11")`
# %% exercise="d1.2.11"
def find(graph: Node, wanted) -> list[Node]:
    """The nodes of this name, or operation, or for which the function is True; LookupError if there are none."""
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
except LookupError as refusal:
    print("refused:", refusal)
# %% [markdown]
# **What you should see**: one node, then three, then three; and a refusal that lists the names there are. `x` is found once, although it is read twice.
#
# *Learned*: an experiment that selects nothing must fail aloud.
# %% [markdown]
# ## d1.2.12 Change a graph without touching it
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# Now edit. We could write into a node: `hidden.children = ...`. Then the graph of the untouched network would be gone, and with it everything that we wanted to compare with. A leaked hook can be taken off. So we *build*: a node that reads a replaced node is built anew, on the new child; so is whoever reads that one, up to the root; and all others are used again as they are. The result is a second graph, which shares with the first whatever did not change.
#
# Write `update`: for every node in `targets`, `function(node)` takes its place. If one target lies below another, the function gets the upper one with its new children. What the function returns is final: do not search it for targets, because it may well hold the old node. Children first, once each: `nodes_of` has the order.
#
# Stuck? `hint("d1.2.12")`
# %% exercise="d1.2.12"
def update(graph: Node, targets: list[Node], function) -> Node:
    """A graph with function(node) in place of every target; nodes that nothing has changed are the same objects."""
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
silenced = update(graph, find(graph, "hidden"), lambda node: Node(Array(torch.zeros(node.shape)), (), "zeros"))
print(tree(silenced))
said = [[evaluate(each, {"x": image}).argmax().item() for each in (graph, silenced)] for image in images[:100]]
print("image: as it is, silenced:", {image: pair for image, pair in enumerate(said) if pair[0] != pair[1]})
# %% [markdown]
# **What you should see**: a smaller tree with `zeros` in it; and the few of the first hundred images on which the two networks, side by side, say different digits. The first network is still there: nothing had to be undone.
#
# *Learned*: an intervention is a function from graphs to graphs. There is no state that could leak.
#
# > **Pair card.** Swap. The navigator asks: "Is this node the old one or a new one, and who says so?" Explain back: why must everything above a replaced node be built anew, and nothing beside it? *Alone:* on paper, replace `skip.product` in the tree at the top, and mark the nodes that are built.
# %% [markdown]
# ## d1.2.13 What two graphs share
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# `silenced` has seven nodes, and `graph` has eleven. How many nodes of `silenced` are nodes of `graph`, the very same objects? Guess first.
#
# Then write `shared`, which lists them: the nodes of `before` that are nodes of `after` too. Equal names prove nothing: both have a node called `logits`.
#
# Stuck? `hint("d1.2.13")`
# %%
predict("d1.2.p2", ..., "nodes that silenced shares with graph, out of its seven")
# %% exercise="d1.2.13"
def shared(before: Node, after: Node) -> list[Node]:
    """The nodes that both graphs hold, as the same objects."""
    ### BEGIN SOLUTION
    kept = set(nodes_of(after))
    return [node for node in nodes_of(before) if node in kept]
    ### END SOLUTION
# %% check="d1.2.13" points=1
check("d1.2.13", (ours, shared))
# %%
print("shared by graph and silenced:", shared(graph, silenced))
measured("d1.2.p2", len(shared(graph, silenced)))

high = tower(20)
for name in ("relu 19", "relu 0"):
    edited = update(high, find(high, name), lambda node: Node(Array(torch.zeros(4)), (), "zeros"))
    print(f"{name} replaced in a tower of {len(nodes_of(high))} nodes: {len(shared(high, edited))} are shared")
# %% [markdown]
# **What you should see**: 4 of 7. `zeros` is new, and so are `out` and `logits` above it. In the tower, an edit at the top leaves 39 of 41 nodes, and an edit at the bottom leaves only `x`.
#
# What is shared is computed once if both graphs are evaluated together. An experiment late in a network costs next to nothing, and so a hundred of them cost little more than one run. The library lives from this.
#
# *Learned*: an edit costs what stands above it.
# %% [markdown]
# ## From one image to many
#
# Until now one image at a time. Can we not simply give `evaluate` a tensor [600, 64] for an `x` of shape [64]? An einsum would complain about the axis that it has no word for. But a sum? Below, an input [3] is added to a constant [4, 3], as positions are to a token. We try batches of one to six rows.
# %%
predict("d1.2.p3", ..., "of the batch sizes 1 to 6, for how many does torch raise an error?")
# %%
table = Node(Array(torch.zeros(4, 3)), (), "table")
both = Node(Add(), (Node(Placeholder((3,)), (), "x"), table), "both")
given = {}
for rows in range(1, 7):
    try:
        given[rows] = list(evaluate(both, {"x": torch.ones(rows, 3)}).shape)
    except RuntimeError:
        given[rows] = "an error"
    print(f"{rows} rows: {given[rows]}, where it should be {[rows, 4, 3]}")
measured("d1.2.p3", list(given.values()).count("an error"))
# %% [markdown]
# **What you should see**: four errors, and two shapes that are wrong without one. With four rows, row `i` of the batch was added to row `i` of the table, because there happen to be four of both. Such a bug waits for the one batch size that sets it off.
# %% [markdown]
# ## d1.2.14 Many images
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# A graph describes one example, so its operations must see one example at a time. Write `evaluate_rows`: each input has one more axis in front, for the rows; the result has it too. A loop over rows is right, and slow. `torch.vmap(f)` is right and fast: it makes a function of rows out of a function of one example, and hides the axis of rows from whatever happens inside. It takes and gives tensors, not dicts.
#
# Stuck? `hint("d1.2.14")`
# %% exercise="d1.2.14"
def evaluate_rows(graph: Node, inputs: dict[str, torch.Tensor]) -> torch.Tensor:
    """The graph's value [rows, *shape] for inputs [rows, *shape of the placeholder]."""
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
    right = evaluate_rows(graph, {"x": images}).argmax(-1) == label
    print(f"{name} as a graph: {100 * right.float().mean():.1f} % of {len(images)} test images")
# %% [markdown]
# **What you should see**: six shapes as they should be, and the accuracies of part 1, 97.2 % and 96.8 %.
#
# *Learned*: shapes are per example, and rows are the evaluation's business. No node needs to know about batches.
# %% [markdown]
# ## d1.2.15 An ablation is a graph
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Zero and mean ablation put an `Array` in the place of a node, and `update` does that. Resampling wants what the node would have said *about another image*. As a graph that is easy to say: the node, and all that is below it, read another input. We call this input `x_other`.
#
# Write `resampled`: the graph in which the named node is computed from a placeholder `x_other` in place of `x`, and all else from `x`. `x_other` has the shape of `x`; in the check's graphs that is not [64]. It takes `update` twice: first inside the node, then around it.
#
# Stuck? `hint("d1.2.15")`
# %% exercise="d1.2.15"
def resampled(graph: Node, name: str) -> Node:
    """The graph in which the node of this name reads x_other, and everything else reads x."""
    ### BEGIN SOLUTION
    (node,) = find(graph, name)
    other = update(node, find(node, "x"), lambda x: Node(Placeholder(x.shape), (), "x_other"))
    return update(graph, [node], lambda node: other)
    ### END SOLUTION
# %% check="d1.2.15" points=2
check("d1.2.15", (ours, resampled))
# %% [markdown]
# So the three ablations of part 1 are three graphs, and the draws can be the very ones that we used there: `draw(0)` to `draw(19)`. Hooks and graphs have not a line in common. By how many points of accuracy will they disagree, over three ablations and two networks, at most?
# %%
predict("d1.2.p4", ..., "largest difference between hooks and graphs, in points of accuracy")
# %%
def draw(seed: int) -> torch.Tensor:
    """For each test image, which image it is given instead [rows]; as in part 1."""
    return torch.randint(len(images), (len(images),), generator=torch.Generator().manual_seed(seed))


def score(all_logits: list[torch.Tensor]) -> tuple[float, float]:
    """Accuracy and standard error, in per cent, of logits [batch, 10] from one or more draws; as in part 1."""
    return accuracy_with_error(torch.stack([logits.argmax(-1) == label for logits in all_logits]))


def run(graph: Node, draws: list[torch.Tensor]) -> list[torch.Tensor]:
    """Logits [batch, 10] on the test images for each draw, whose images are x_other."""
    return [evaluate_rows(graph, {"x": images, "x_other": images[rows]}) for rows in draws]


draws = [draw(seed) for seed in range(20)]
# %%
by_graphs, by_hooks = {}, {}
for name, graph in graphs.items():
    hidden, network = find(graph, "hidden"), networks[name]
    mean = Array(evaluate_rows(hidden[0], {"x": train["x"]}).mean(dim=0))
    by_graphs[name] = {
        "zero": score(run(update(graph, hidden, lambda node: Node(Array(torch.zeros(16)), (), "zeros")), draws[:1])),
        "mean": score(run(update(graph, hidden, lambda node, mean=mean: Node(mean, (), "mean")), draws[:1])),
        "resample": score(run(resampled(graph, "hidden"), draws)),
    }
    at_mean = mean_edit(read_layer(network, "hidden", train["x"]))
    by_hooks[name] = {
        "zero": score([run_edited(network, "hidden", torch.zeros_like, images)]),
        "mean": score([run_edited(network, "hidden", at_mean, images)]),
        "resample": score([run_edited(network, "hidden", resample_edit(rows), images) for rows in draws]),
    }
# %%
gaps = []
for name in graphs:
    for how, (mean, error) in by_graphs[name].items():
        gaps.append(abs(mean - by_hooks[name][how][0]))
        print(f"{name}, {how:8}: graph {mean:.3f} ± {error:.3f} %, hooks {by_hooks[name][how][0]:.3f} %")
measured("d1.2.p4", max(gaps))
# %% [markdown]
# **What you should see**: a difference of 0. The accuracies agree to the last digit, although the logits differ by rounding. 91 % against 13 % is a fact about the networks, and not about our tools.
#
# *Learned*: an ablation is the same graph on another input, below one node.
#
# > **Pair card.** Swap. The navigator asks: "Which nodes does this graph hold twice, once for each input?" Explain back: what would `resampled(graph, "logits")` compute, and what would `resampled(graph, "inner.weight")` do? *Alone:* print `tree(resampled(graph, "hidden"))`, and mark what is computed from `x_other`.
# %% [markdown]
# ## d1.2.16 Paths
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# With hooks we could not say "`x`, as the skip path reads it". With a graph we can: say which way to go from the root. A *path* is a tuple of child numbers. In the tree at the top, `(1, 1)` is: from `logits` to its second child, `skip.product`, and from there to its second child, `x`.
#
# Write `paths`: every path from the root to a node of this name. Here a memory would be wrong. A second way to the same node is a second path, and so is a second reading by the same reader. If the root itself has the name, its path is `()`.
#
# Stuck? `hint("d1.2.16")`
# %% exercise="d1.2.16"
def paths(graph: Node, name: str) -> list[tuple[int, ...]]:
    """Every path, as child numbers from the root down, to a node of this name."""
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
    """The names that one meets on a path, the root's first."""
    return [graph.name, *(names_along(graph.children[path[0]], path[1:]) if path else [])]
# %%
graph = graphs["digits-a"]
for path in paths(graph, "x"):
    print(path, " > ".join(names_along(graph, path)))
print({blocks: len(paths(tower(blocks), "x")) for blocks in (1, 2, 12)})
# %% [markdown]
# **What you should see**: two paths, the long one and the skip. And 2, 4 and 4,096 in the towers: we do list paths one by one here, so this is for short networks. The library selects paths without listing them.
#
# *Learned*: a value is a node; a reading of it is a path.
# %% [markdown]
# ## d1.2.17 Patch one path
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# Write `patch_path`: the graph in which one path ends at `new` in place of the node that it ended at. Every other path stays as it was, also those that lead to the same node. So every node on the path is built anew, each with *one* child exchanged, by number; and a node that other readers share is still there for them, as it was. The path `()` ends at the root: the result is `new`.
#
# Stuck? `hint("d1.2.17")`
# %% exercise="d1.2.17"
def patch_path(graph: Node, path: tuple[int, ...], new: Node) -> Node:
    """The graph in which this path, and no other, leads to the new node."""
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
# Here is the line that we came for: patch the path through the skip. We run it on the draws of part 1, beside the trick with two hooks.
# %%
skip = next(path for path in paths(graph, "x") if "skip.product" in names_along(graph, path))
x_other = Node(Placeholder((64,)), (), "x_other")
patched = {name: patch_path(graph, skip, x_other) for name, graph in graphs.items()}
print(tree(patched["digits-a"]))

answers = {name: torch.stack([logits.argmax(-1) for logits in run(each, draws)]) for name, each in patched.items()}
for name, network in networks.items():
    ours_is, error = accuracy_with_error(answers[name] == label)
    by_trick, _ = score([skip_only(network, images, rows) for rows in draws])
    print(f"{name}, skip path resampled: graph {ours_is:.3f} ± {error:.3f} %, two hooks {by_trick:.3f} %")
# %% [markdown]
# **What you should see**: `x_other` below `skip.product`, and `x` where it was. 12.7 % and 92.9 %, again the same as with the hooks. But here nothing was corrupted and repaired: we said which path, and that was all.
#
# Now that each path can read an image of its own, ask the network a question that it has never been asked. The hidden path sees a 3, the skip path sees an 8. *Whose digit does it say?* Of all such conflicts, in how many does `digits-a` name the digit that only its skip path sees?
# %%
predict("d1.2.p5", ..., "per cent of conflicts in which digits-a says what its skip path sees")
# %%
seen_by_skip = torch.stack([label[rows] for rows in draws])  # [draw, image]
conflict = seen_by_skip != label


def share(hit: torch.Tensor) -> tuple[float, float]:
    """In how many of the conflicts, in per cent, and its standard error over images; hit [draw, image]."""
    rate = 100 * (hit & conflict).sum(0) / conflict.sum(0)
    return rate.mean().item(), rate.std().item() / len(rate) ** 0.5


whose = {
    name: {
        "hidden path": share(said == label),
        "skip path": share(said == seen_by_skip),
        "neither": share((said != label) & (said != seen_by_skip)),
    }
    for name, said in answers.items()
}
measured("d1.2.p5", *whose["digits-a"]["skip path"])
plot.bars(whose, "Two images at once: whose digit does the network say?", "conflicts (%)", "the digit said is seen by")
# %% [markdown]
# **What you should see**: `digits-a` says what its skip path sees in 90 % of the conflicts, and `digits-b` says what its hidden path sees in 92 %. Either network sides with its other path in less than 4 %.
#
# *Learned*: path patching asks which way the information goes, and answers for one path at a time.
#
# > **Pair card.** Swap. The navigator asks: "Which parts of this graph are computed from which image?" Explain back: why is patching the path through the skip the same as resampling the node `skip.product`, and when would it not be? *Alone:* find the path through the hidden layer, patch it, and compare with `by_graphs`.
# %% [markdown]
# ## d1.2.18 Answer the day's question
# ●●○○○ difficulty · ●●●●● importance · 5 minutes · core
#
# **Two networks are equally accurate. For the same reasons?** Answer in three to five sentences, as you would in a paper's abstract. Say what you claim, with which experiment and which figures (and their standard errors); say which experiment would have misled you; and name one thing that your claim does *not* say. There is no check: an instructor, or your pair partner, reads it.
# %% [markdown] answer="d1.2.18" points=2
# ### BEGIN SOLUTION
# No. Both name 97 % of 600 test images rightly, to within half a point, but `digits-a` relies on its skip path and `digits-b` on its hidden layer. With another image on the skip path alone, `digits-a` falls to 12.7 ± 0.3 % and `digits-b` keeps 92.9 ± 0.7 %; with another image in the hidden layer alone it is the other way round, 91.1 ± 0.8 % and 12.6 ± 0.3 %. If the two paths see different digits, `digits-a` follows the skip in 90 % of the cases and `digits-b` the hidden layer in 92 %. Zero ablation would have misled us: by it, the hidden layer is worth one to three points in either network. We do not say that the other path knows nothing: in both networks it may hold a copy of the answer that is never decisive. And we do not say how either path tells a 3 from an 8.
# ### END SOLUTION
# %% [markdown]
# ## The library
#
# What we have written is, in small, the library of this week, `remix_utils`. Every idea has its counterpart there:
#
# | ours | the library's | what it adds |
# |---|---|---|
# | `Node(Add(), (a, b), "sum")` | `library.add(a, b, name="sum")` | nodes refuse to be changed; every error names the node |
# | `tree(graph)` | `library.show(graph)` | patterns and functions in words; a depth to stop at |
# | `evaluate`, `evaluate_rows` | `library.evaluate(graph, {"x": images})` | many graphs in one call, each computation once; rows in chunks |
# | `find(graph, "x")` | `library.find(graph, "x")` | patterns: `"blocks.*.attn"` |
# | `update(graph, nodes, f)` | `library.update(graph, "x", f)` | takes a selector, also of paths |
# | `paths(graph, "x")` | `library.paths(graph, "x")` | gives the nodes on each path |
# | `patch_path(graph, path, new)` | `library.path_patch(graph, selector, {"x": new})` | many paths at once, without listing them |
#
# A selector is how paths are said in words. `library.at("x")` is every path to `x`. `library.at("hidden") >> library.at("x")` is *x, reached below hidden*: read it from the root down. This is also how a graph of twelve layers is asked about one path among thousands.
# %%
theirs = {name: model.graph() for name, model in loaded.items()}
print(library.show(theirs["digits-a"]))
print(len(library.paths(theirs["digits-a"], "x")), "paths to x:")
for path in library.paths(theirs["digits-a"], "x"):
    print(" > ".join(node.name for node in path))
# %% [markdown]
# ## d1.2.19 The same question, asked of the library
# ●●○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Write `skip_on_other`: the library's digits graph in which the skip path reads a placeholder `x_other` [64], and the hidden path reads `x`. `library.path_patch` takes the graph, a selector, and a dict that says which input is to be read as what. The library's nodes are made by functions: `library.placeholder("x_other", (64,))`.
#
# Stuck? `hint("d1.2.19")`
# %% exercise="d1.2.19"
def skip_on_other(graph: library.Node) -> library.Node:
    """The digits graph in which x, as the skip path reads it, is x_other [64]."""
    ### BEGIN SOLUTION
    through_the_skip = library.at("skip.product") >> library.at("x")
    return library.path_patch(graph, through_the_skip, {"x": library.placeholder("x_other", (64,))})
    ### END SOLUTION
# %% check="d1.2.19" points=2
check("d1.2.19", skip_on_other)
# %%
for name, graph in theirs.items():
    variants = {
        "as it is": graph,
        "hidden resampled": library.path_patch(graph, "hidden", {"x": library.placeholder("x_other", (64,))}),
        "skip path resampled": skip_on_other(graph),
    }
    runs = [library.evaluate(variants, {"x": images, "x_other": images[rows]}) for rows in draws]
    told = {what: score([each[what] for each in runs]) for what in variants}
    print(name, {what: f"{mean:.1f} ± {error:.1f} %" for what, (mean, error) in told.items()})
    alike = torch.stack([each["skip path resampled"].argmax(-1) for each in runs]) == answers[name]
    print(f"  the patched graph answers as ours does in {alike.sum():,} of {alike.numel():,} cases")
# %% [markdown]
# **What you should see**: the figures that we know, and for each network 12,000 answers of 12,000 that are the same. There is no magic in the library that we have not written ourselves.
#
# *Learned*: from here on we may use it, because we could have written it.
#
# > **Pair card.** Swap. The navigator asks: "Which paths does this selector mean, from the root down?" Explain back: what does `library.at("logits") >> library.at("x")` select, and why does `library.at("x") >> library.at("skip.product")` select nothing? *Alone:* try both with `library.explain(theirs["digits-a"], ...)`.
# %% [markdown]
# ## d1.2.20 ★ Equal computations
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# `update` shares what it did not build anew. But two graphs that were built apart share no object, although they may compute the same. To find that out without computing, give each node a *key*: equal keys, equal computations. The names of nodes do not matter for that; what does?
#
# Write `key`, for instance the hexadecimal digest of a text that holds whatever decides the value: `hashlib.sha256(text.encode()).hexdigest()`. Children enter by *their* keys, so each node's text stays short, also in a tower of forty blocks. Three traps: `repr` of a tensor shows four digits of each number; `[[0, 0, 0]]` is not `[0, 0, 0]`; and an input `x` [3] is not an input `x` [4].
#
# Stuck? `hint("d1.2.20")`
# %% exercise="d1.2.20"
def key(graph: Node) -> str:
    """The same for nodes that compute the same, whatever they are called; different for all others."""
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
# Seven graphs of `digits-a`: the network as it is; `inner` and `hidden` put to zero; `hidden` and `skip.product` resampled, in a second copy that is built from scratch; and either path patched. They have 45 nodes, counting each object once. How many different computations are these?
# %%
predict("d1.2.p6", ..., "different computations in all seven graphs of digits-a")
# %%
network, again = (network_graph(loaded["digits-a"].weights) for _ in range(2))
experiments = [
    network,
    *(update(network, find(network, name), lambda node: Node(Array(torch.zeros(16)))) for name in ("inner", "hidden")),
    *(resampled(again, name) for name in ("hidden", "skip.product")),
    *(patch_path(network, path, x_other) for path in paths(network, "x")),
]
objects = {node for graph in experiments for node in nodes_of(graph)}
computations = {key(node) for node in objects}
print(len(objects), "nodes,", len(computations), "computations")
same = [key(node) == key(path) for node, path in zip(experiments[3:5], experiments[5:7], strict=True)]
print("resampling the node and patching the path below it have one key:", same)
measured("d1.2.p6", len(computations))
# %% [markdown]
# **What you should see**: 45 nodes and 25 computations. The second copy of the network, and the two resampled graphs that were made of it, add nothing: where only one path leads down from a node to `x`, resampling the node and patching the path are one computation by two recipes.
#
# *Learned*: names are for people; keys are for the evaluation, which computes each key once.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Close the page above, or look away. Answer with one of the listed words, or with a number: `recall = {"align": ..., "visits": ..., "rebuilt": ..., "paths": ..., "resample": ...}`
#
# 1. `align`: two shapes are added. At which of their axes are they laid side by side: `"first"` or `"last"`?
# 2. `visits`: an evaluation without a memory, and a tower of three blocks with skips. How often does it ask for `x`? (a number)
# 3. `rebuilt`: in a digits graph, `skip.product` is replaced. How many *other* nodes must be built anew? (a number)
# 4. `paths`: how many paths lead from `logits` to `x` in a digits graph? (a number)
# 5. `resample`: we resample the hidden layer, as a graph. `relu` and the weights stay. Which node is exchanged for another one: `"logits"`, `"hidden"`, `"inner"` or `"x"`?
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
# ## What we have
#
# A network is data: nodes that we can find, share, exchange and reach by paths. An experiment is a function from graphs to graphs, and the untouched network stands beside its variants. The day's question has been asked in one line, and answered with two images at once. But we could ask it only because the network has a node `skip.product` to go through. What if the node that we want to ask about does not exist: one neuron of sixteen, one direction, the part of a layer that is a straight line? Next: rewrites, which make such nodes and leave the value as it is.
