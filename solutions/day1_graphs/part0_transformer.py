# %% [markdown]
# # Day 1, part 0: a transformer from scratch
#
# **How does a language model get from a text to its guess for the next token?**
#
# From part 4 on, you take a transformer apart. In this part you build one first. You write about twenty small functions, and most of them are a line or two of tensor algebra. At the end, your functions compute the logits of a trained model from its weights. This part is preparation, for the evening before or a quiet morning. If you can already explain `W_Q`, `W_O` and a causal mask, start with part 1. Nothing in part 1 depends on this page.
#
# **After this part you can**
# - read and write an einsum, and split an axis into heads and merge the heads again
# - find the bug in a LayerNorm that is almost right, without reading its code
# - write attention, an MLP, a block and a whole transformer, and test each against something that you trust
# - measure how good a language model is, in nats, beside two simple baselines
# - generate text greedily and by sampling
#
# **Time**: about 170 minutes for a pair. All of it is ★, because the week is complete without it. If you have two hours, leave out d1.0.8, d1.0.9, d1.0.15 and d1.0.20 to d1.0.22. After each gap, call `start_at` with the id of the next exercise.
#
# **Readings**: Vaswani et al. 2017, *Attention Is All You Need* ([arXiv 1706.03762](https://arxiv.org/abs/1706.03762)), sections 3.1 to 3.3. Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits* ([transformer-circuits.pub](https://transformer-circuits.pub/2021/framework/index.html)), the section "Transformer Overview", for the view of the model that we use all week. Press et al. 2021, *Shortformer* ([arXiv 2012.15832](https://arxiv.org/abs/2012.15832)), the section on position-infused attention, for our model's unusual position embeddings. You can read all of this later.
# %% [markdown]
# ## How to read these pages
#
# Every exercise of the week has a heading with an id, such as d1.0.4 for day 1, part 0, exercise 4. The line below the heading uses these marks.
#
# | mark | meaning |
# |---|---|
# | ●○○○○ to ●●●●● difficulty | from one line of code that you have just read about, to an exercise that most pairs need hints for |
# | ●○○○○ to ●●●●● importance | how much of the week builds on the exercise |
# | minutes | our estimate for a pair, with reading, predictions and the pair card included |
# | core | part of the day's main path, which fits into 6 hours |
# | ★ | optional. If you skip it, call `start_at` with the id of your next exercise |
#
# Work in pairs at one keyboard. The *driver* types. The *navigator* reads ahead, asks questions and watches for mistakes. After every two or three exercises there is a **pair card**. It tells you to swap roles, gives the navigator a question, and asks you to explain one thing to each other. If you work alone, do the line marked *Alone*.
#
# | call | effect |
# |---|---|
# | `check("d1.0.4", split_heads)` | tests your answer and explains the first mistake that it finds |
# | `check.inputs("d1.0.4")` | returns the arguments on which the last check failed |
# | `hint("d1.0.4")` | shows a hint. Call it again for the next one. The last of the three is almost the code |
# | `solution("d1.0.4")` | prints our solution, on the second call |
# | `start_at("d1.0.12")` | defines everything that the page needs from d1.0.12 on, so you can skip exercises or catch up |
# | `predict(...)` | stores your guess before you run an experiment. The page ends with a table of guesses and results |
#
# You can open a solution at any time. It's meant for pairs that have used all hints and are still stuck, and for pairs that have passed the check and want to compare. The first call of `solution` only prints a warning. The second call prints the code, and your progress record notes that you opened it. You can also open it in a terminal, with `remix solution d1.0.4`.
# %%
import math

import torch
from remix_utils import check, hint, models, plot, solution, start_at
from remix_utils.checks.part import given
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import stories, text

start_at("d1.0")  # to catch up: start_at("d1.0.12") defines every name that later cells use
# %% [markdown]
# ## Axes: six warm-ups
#
# Almost everything in a transformer is a product of tensors that is summed over some axes. It helps to give these axes names, and `torch.einsum` does that.
#
# ```python
# torch.einsum("q d, k d -> q k", queries, keys)
# ```
#
# On the left of the arrow you name the axes of each operand. On the right you name the axes of the result. For every choice of indices, einsum multiplies the entries of the operands. Then it sums over every axis that the result doesn't name.
#
# Torch allows only one letter for each axis. In prose we write whole words, as in `query d_model, key d_model -> query key`, and so does the library from part 2 on. In code, use the first letter of the word, or another letter if that one is taken.
#
# You may know `rearrange` from the einops library. We don't use it here, because it only combines a `reshape` and a `permute`, which you write yourself in warm-ups 4 and 5. But its notation is useful, and we borrow it. In `batch seq (head d_head)`, the last axis has `head` times `d_head` entries, and `d_head` varies fastest.
# %% [markdown]
# ## d1.0.1 Sum the axes that you don't name
# ●○○○○ difficulty · ●●●○○ importance · 4 minutes · ★
#
# How do you tell einsum which axis to sum? Try it on the squared lengths of some vectors. `x` [seq, d_model] holds one vector for each position. Write `squared_lengths`, which returns the sum of the squared entries of each vector, [seq]. You need a single einsum, and an operand may appear twice. Which letters belong on the right of the arrow?
#
# Stuck? `hint("d1.0.1")`
# %% exercise="d1.0.1"
def squared_lengths(x: torch.Tensor) -> torch.Tensor:
    """Returns the squared length [seq] of each vector of x [seq, d_model]."""
    ### BEGIN SOLUTION
    return torch.einsum("s d, s d -> s", x, x)
    ### END SOLUTION
# %% check="d1.0.1" points=1
check("d1.0.1", squared_lengths)
# %%
print(squared_lengths(torch.tensor([[3.0, 4.0], [1.0, 0.0], [0.0, -2.0]])))
# %% [markdown]
# **What you should see**: 25, 1 and 4.
#
# *Learned*: einsum sums over each axis that the result leaves out.
# %% [markdown]
# ## d1.0.2 One matrix for every position
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · ★
#
# Most steps of a transformer apply the same matrix at every position. `x` is now a batch [batch, seq, d_in], and `matrix` is [d_in, d_out]. Write `apply_matrix`, which multiplies every vector of the batch by the matrix. The axis that both operands share gets the same letter in both. `batch` and `seq` appear in one operand and in the result, so no information moves between positions here.
#
# Stuck? `hint("d1.0.2")`
# %% exercise="d1.0.2"
def apply_matrix(x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Returns each vector of x [batch, seq, d_in] times the matrix, [batch, seq, d_out]."""
    ### BEGIN SOLUTION
    return torch.einsum("b s i, i o -> b s o", x, matrix)
    ### END SOLUTION
# %% check="d1.0.2" points=1
check("d1.0.2", apply_matrix)
# %%
swap_and_double = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
print(apply_matrix(torch.tensor([[[1.0, 0.0], [3.0, 4.0]]]), swap_and_double).tolist())
# %% [markdown]
# **What you should see**: [0, 2] and [8, 6]. The same matrix acted on both positions.
#
# *Learned*: einsum matches a letter that both operands share, and it keeps a letter that the result names.
# %% [markdown]
# ## d1.0.3 Every position with every position
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · ★
#
# Attention compares every position with every other one. This exercise is the simplest version of that. Write `similarities`, which returns the dot product of each pair of vectors of `x` [seq, d_model], as a table [seq, seq]. There is only one tensor, but its positions play two roles, one for the rows of the table and one for its columns. What would einsum do if both roles had the same letter?
#
# The cell below the check applies it to words. Each word becomes a vector of 26 counts, one for each letter of the alphabet.
#
# Stuck? `hint("d1.0.3")`
# %% exercise="d1.0.3"
def similarities(x: torch.Tensor) -> torch.Tensor:
    """Returns the dot product [seq, seq] of each pair of vectors of x [seq, d_model]."""
    ### BEGIN SOLUTION
    return torch.einsum("q d, k d -> q k", x, x)
    ### END SOLUTION
# %% check="d1.0.3" points=1
check("d1.0.3", similarities)
# %%
words = ["listen", "silent", "enlist", "banana", "bandana"]
alphabet = "abcdefghijklmnopqrstuvwxyz"
counts = torch.tensor([[float(word.count(letter)) for letter in alphabet] for word in words])
table = similarities(counts)
plot.heatmap(table, words, words, "Letters that two words share", "dot product", x="word", y="word")
# %% [markdown]
# **What you should see**: a block of 6s, because the first three words have the same letters. The table is symmetric. An attention pattern starts from a similar table, but its rows and columns come from two different matrices, so it needn't be symmetric.
#
# *Learned*: if one tensor plays two roles, its axis needs two letters.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which letters are summed, and how can we tell from the shape?" Explain to each other what `"s d, s d -> s s"` would mean, and why torch refuses it. *Alone:* write an einsum that returns the sum of all entries of the table above without computing the table.
# %% [markdown]
# ## d1.0.4 Split an axis
# ●●●○○ difficulty · ●●●●○ importance · 6 minutes · ★
#
# `batch seq (head d_head) -> batch head seq d_head`
#
# ![On the left, a table with a row of four numbers for each of position 0, position 1 and position 2, which hold 0 1 2 3, 4 5 6 7 and 8 9 10 11. The first two columns are blue and the last two orange. An arrow leads to "reshape, then permute", and on to head 0 with 0 1, 4 5 and 8 9, all blue, and head 1 with 2 3, 6 7 and 10 11, all orange. A second arrow leads to "reshape only", and on to head 0 with 0 1, 2 3 and 4 5, and head 1 with 6 7, 8 9 and 10 11, where the colours are mixed.](diagram:split_axis)
#
# A vector of 256 entries is often eight vectors of 32 entries side by side, one for each attention head. How do you get the heads apart? Write `split_heads`.
#
# It takes two steps. `reshape` splits an axis or joins neighbouring axes, but it never changes the order of the entries. `permute` changes the order of the axes. If you reshape straight to the final shape, you get the right shape and no error, but most entries land in the wrong head or at the wrong position. The picture shows both ways.
#
# Stuck? `hint("d1.0.4")`
# %% exercise="d1.0.4"
def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Returns x [batch, seq, (head d_head)] as [batch, head, seq, d_head]."""
    ### BEGIN SOLUTION
    batch, seq, width = x.shape
    return x.reshape(batch, seq, heads, width // heads).permute(0, 2, 1, 3)
    ### END SOLUTION
# %% check="d1.0.4" points=1
check("d1.0.4", split_heads)
# %%
numbered = torch.arange(12).reshape(1, 3, 4)
print("three positions:       ", numbered[0].tolist())
print("split, head 0:         ", split_heads(numbered, 2)[0, 0].tolist())
print("reshape only, 'head 0':", numbered.reshape(1, 2, 3, 2)[0, 0].tolist())
# %% [markdown]
# **What you should see**: after the split, head 0 has the first two numbers of each position, as in the upper half of the picture. The last line has the numbers 0 to 5, so the entries 2 and 3 of head 1 now look like a position of head 0.
#
# *Learned*: the right shape doesn't prove that the entries are in the right place.
# %% [markdown]
# ## d1.0.5 Merge the heads again
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · ★
#
# `batch head seq d_head -> batch seq (head d_head)`
#
# This is the way back. Write `merge_heads`. Before you can join two axes, they have to be neighbours in the right order.
#
# Stuck? `hint("d1.0.5")`
# %% exercise="d1.0.5"
def merge_heads(x: torch.Tensor) -> torch.Tensor:
    """Returns x [batch, head, seq, d_head] as [batch, seq, (head d_head)]."""
    ### BEGIN SOLUTION
    batch, heads, seq, width = x.shape
    return x.permute(0, 2, 1, 3).reshape(batch, seq, heads * width)
    ### END SOLUTION
# %% check="d1.0.5" points=1
check("d1.0.5", merge_heads)
# %%
print("there and back:", torch.equal(merge_heads(split_heads(numbered, 2)), numbered))
# %% [markdown]
# **What you should see**: True. Don't trust a round trip alone, though. If both functions make the same mistake, the test still passes.
#
# *Learned*: `permute` brings axes next to each other, and `reshape` joins them.
# %% [markdown]
# ## d1.0.6 One matrix for each head
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · ★
#
# Our model stores its weights with the heads already separate. `W_Q` is [head, d_model, d_head], which is one matrix for each head, and every head reads the same vector. Write `each_head`, which multiplies every vector of `x` [batch, seq, d_model] by the matrix of every head, [batch, seq, head, d_head]. Is the axis `head` summed, matched or kept?
#
# Stuck? `hint("d1.0.6")`
# %% exercise="d1.0.6"
def each_head(x: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Returns x [batch, seq, d_model] times each head's matrix, [batch, seq, head, d_head]."""
    ### BEGIN SOLUTION
    return torch.einsum("b s d, h d e -> b s h e", x, matrices)
    ### END SOLUTION
# %% check="d1.0.6" points=1
check("d1.0.6", each_head)
# %%
numbers = torch.Generator().manual_seed(0)
x = torch.randn(2, 5, 6, generator=numbers)
matrices = torch.randn(3, 6, 4, generator=numbers)  # three heads
one_by_one = each_head(x, matrices).permute(0, 2, 1, 3)
side_by_side = matrices.permute(1, 0, 2).reshape(6, 12)  # [d_model, (head d_head)]
at_once = split_heads(apply_matrix(x, side_by_side), 3)
difference = (one_by_one - at_once).abs().max()
print(f"three small matrices, or one wide matrix and a split: {difference:.0e} apart")
# %% [markdown]
# **What you should see**: 0, or a difference of the size of rounding errors. Many implementations keep one wide matrix and split its result into heads. The computation is the same, but with separate matrices you can select the weights of a single head.
#
# *Learned*: the matrices of all heads, side by side, form one wide matrix.
#
# > **Pair card.** Swap. The navigator asks: "If I change this one weight, which entries of the result change?" Explain to each other how a wide matrix [d_model, head × d_head] becomes `W_Q`, in terms of named axes. *Alone:* write `each_head` with `@` and broadcasting, and compare the results.
# %% [markdown]
# ## The model
#
# Now meet the model that you'll study on days 1 to 3. `induction-2l` is a small language model with two blocks, eight attention heads in each, vectors of 256 entries, and a vocabulary of 1,024 tokens. It was trained on English prose, on generated stories with invented names, and on repeated random tokens. Its weights are a dict from names to tensors, with the names that are usual in the field.
# %%
model = models.load("induction-2l")
weights = model.weights
for name in sorted(weights):
    print(f"{name:22} {list(weights[name].shape)}")
# %% [markdown]
# **What you should see**: two blocks with the same shapes, the embedding, the final LayerNorm, the position embedding and the unembedding. There is no MLP, a kind of layer that you'll meet in d1.0.15, so the model is *attention-only*. You'll write an MLP anyway, because most other models have them.
#
# All of your functions take the weights as such a dict, and most of them also take a `layer`. A function reads `weights[f"blocks.{layer}.attn.W_Q"]`, for example, so it works for any model with these names.
# %% [markdown]
# ## d1.0.7 LayerNorm
# ●●○○○ difficulty · ●●●●○ importance · 9 minutes · ★
#
# Every block reads its input through a *LayerNorm* (Ba et al. 2016, [arXiv 1607.06450](https://arxiv.org/abs/1607.06450)). LayerNorm takes one vector [d_model] at a time and does three things.
#
# 1. It subtracts the mean of the entries.
# 2. It divides by $\sqrt{\text{variance} + \epsilon}$. The variance is the mean of the squared entries after step 1.
# 3. It multiplies by `w` [d_model], entry by entry, and adds `b` [d_model].
#
# If all entries of a vector are equal, the small `eps` prevents a division by zero. Write `layernorm` for an `x` with any number of axes in front of the last one. With `keepdim=True`, a mean leaves an axis of length 1, so the shapes still fit. You can compare with `torch.nn.functional.layer_norm`. The check uses short vectors, some of them tiny, and several values of `eps`.
#
# Stuck? `hint("d1.0.7")`
# %% exercise="d1.0.7"
def layernorm(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Returns each vector of x [..., d_model] normalised, times w, plus b."""
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = (centred**2).mean(dim=-1, keepdim=True)
    return centred / (variance + eps).sqrt() * w + b
    ### END SOLUTION
# %% check="d1.0.7" points=1
check("d1.0.7", layernorm)
# %%
one, zero = torch.ones(256), torch.zeros(256)
vector = weights["embed.W_E"][5]
vectors = torch.stack([vector, 100 * vector, vector + 3])
normed = layernorm(vectors, one, zero)
for name, group in (("before", vectors), ("after", normed)):
    print(f"lengths {name:7}", [f"{length:.2f}" for length in group.norm(dim=-1).tolist()])
print(f"after the norm, at most {(normed - normed[0]).abs().max():.3f} apart")
# %% [markdown]
# **What you should see**: three vectors of very different lengths that come out nearly equal. Each has length 16 afterwards, the square root of 256. The remaining difference of 0.001 comes from `eps`.
#
# *Learned*: LayerNorm removes the mean and the length of a vector, up to `eps`. The direction of the centred vector is left.
# %% [markdown]
# ## Two broken LayerNorms
#
# `specimen_a` and `specimen_b` take the same arguments as your `layernorm`, and each has one bug. How far are they off on ordinary inputs?
# %%
specimen_a, specimen_b = given("d1.0", "specimen_a", "specimen_b")
ordinary = torch.randn(4, 256, generator=torch.Generator().manual_seed(0))
for specimen in (specimen_a, specimen_b):
    difference = (specimen(ordinary, one, zero) - layernorm(ordinary, one, zero)).abs().max()
    print(f"{specimen.__name__}: at most {difference:.0e} from ours")
# %% [markdown]
# **What you should see**: differences of 7 × 10⁻³ and 2 × 10⁻⁵, on entries of up to 3.7. Both would pass a test with a tolerance of 0.01.
#
# You can't read the code of the specimens, but you can choose inputs and compare the outputs with those of your healthy LayerNorm. Here are seven suspects, each with an input that would expose it.
#
# | suspect | input that exposes it |
# |---|---|
# | `w` multiplies `b` too | `w` of zeros, `b` of ones |
# | the mean isn't subtracted | `x + 100` |
# | all vectors share one mean and one variance | two versions of `x` that agree in one row and differ in the others |
# | `eps` is missing | a tiny `x` |
# | `eps` is added after the square root | a tiny `x` |
# | the variance is divided by d_model − 1, as `torch.var` and `torch.std` do by default | a short `x`, with 2 or 3 entries |
# | the square root is missing | `10 * x` |
# %% [markdown]
# ## d1.0.8 What is wrong with A?
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · ★
#
# Your diagnosis is a function that makes the same mistake. Write `diagnosis_a`, which returns the same values as `specimen_a` on any input, up to rounding. It must not call the specimen. Use the empty cell first to compare the two, and before each run, decide what each suspect would produce there. The ratio of the two outputs can be more revealing than their difference.
#
# Stuck? `hint("d1.0.8")`
# %%
# Try inputs here: compare specimen_a(x, w, b) with layernorm(x, w, b).
# %% exercise="d1.0.8"
def diagnosis_a(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Returns the output of specimen_a, with its mistake, from its own formula."""
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (x.var(dim=-1, keepdim=True) + eps).sqrt() * w + b
    ### END SOLUTION
# %% check="d1.0.8" points=2
check("d1.0.8", diagnosis_a)
# %% [markdown]
# Use your formula to predict the ratio of A's output to a healthy output at width 256, to four digits.
# %%
predict("d1.0.p1", ..., "specimen A divided by a healthy LayerNorm, at width 256")
# %%
def ratio_to_healthy(specimen, width: int) -> float:
    """Returns the mean ratio of a specimen's output to a healthy one, on one random vector."""
    row = torch.randn(1, width, generator=torch.Generator().manual_seed(width))
    w, b = torch.ones(width), torch.zeros(width)
    return (specimen(row, w, b) / layernorm(row, w, b)).mean().item()


widths = [2, 3, 4, 8, 16, 64, 256]
ratios = {
    "specimen A": [ratio_to_healthy(specimen_a, width) for width in widths],
    "specimen B": [ratio_to_healthy(specimen_b, width) for width in widths],
}
measured("d1.0.p1", f"{ratios['specimen A'][-1]:.4f}")
powers_of_two = [math.log2(width) for width in widths]
plot.lines(powers_of_two, ratios, "Specimen over healthy", "width (power of two)", "ratio")
# %% [markdown]
# **What you should see**: A's ratio is 0.71 at width 2 and 0.998 at width 256. It equals $\sqrt{(n-1)/n}$ at every width n, up to `eps`. B's ratio is 1 at every width.
#
# *Learned*: vary one property of the input at a time, and look for a pattern in the ratio.
# %% [markdown]
# ## d1.0.9 What is wrong with B?
# ●●●○○ difficulty · ●●●●○ importance · 9 minutes · ★
#
# The last figure showed nothing wrong with B, since it agrees with your LayerNorm at every width. So which of the seven suspects are left? Write `diagnosis_b` in the same way, again without a call to the specimen.
#
# Stuck? `hint("d1.0.9")`
# %%
# Try inputs here: compare specimen_b(x, w, b) with layernorm(x, w, b).
# %% exercise="d1.0.9"
def diagnosis_b(
    x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Returns the output of specimen_b, with its mistake, from its own formula."""
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / ((centred**2).mean(dim=-1, keepdim=True).sqrt() + eps) * w + b
    ### END SOLUTION
# %% check="d1.0.9" points=2
check("d1.0.9", diagnosis_b)
# %%
def output_size(norm, power: int) -> float:
    """Returns the standard deviation of a norm's output for ordinary vectors times 10 ** power."""
    return norm(ordinary * 10.0**power, one, zero).std().item()


powers = [-5, -4, -3, -2, -1, 0, 1]
spread = {
    "healthy": [output_size(layernorm, power) for power in powers],
    "specimen B": [output_size(specimen_b, power) for power in powers],
}
axes = ("size of x (power of ten)", "standard deviation after the norm")
plot.lines(powers, spread, "Output size by input size", *axes)
# %% [markdown]
# **What you should see**: the two curves agree from an input size of 0.1 upwards. At 0.001, the healthy output is 0.3, because `eps` is larger than the variance there. B's output is still 0.99, so B amplifies even tiny noise to full size.
#
# *Learned*: two functions that agree on your test inputs can differ on others. You have to think of an input on which two suspects would differ.
#
# > **Pair card.** Swap. The navigator asks: "On which input would these two suspects differ most?" Explain to each other why the comparison on ordinary inputs missed B, and which test in your own work has the same weakness. *Alone:* invent a third bug that neither of the two plots would show.
# %% [markdown]
# ## From text to vectors
#
# The model reads *tokens*, which are whole numbers below 1,024. Each token stands for a piece of text, such as a common word with the space in front of it, a syllable or a letter. We generate new stories of the kind that the model was trained on, and cut them into rows of 128 tokens.
# %%
told = "\n\n".join(stories.tell(40, seed=2026))
data = text.sequences(told, model.tokenize, seq=128, start=0)  # each row starts with token 0
tokens = data["tokens"]


def pieces(row: torch.Tensor) -> list[str]:
    """Returns the text of each token of a row [seq]."""
    return [model.decode(token[None]) for token in row]


print(tokens.shape, tokens[0, :10].tolist())
print(" | ".join(pieces(tokens[0, :40])))
# %% [markdown]
# **What you should see**: 148 rows. Token 0, `<|endoftext|>`, marks the start of a row. Common words are single tokens that include the space in front, and invented names are split into several tokens.
# %% [markdown]
# ## d1.0.10 Embed tokens
# ●○○○○ difficulty · ●●●○○ importance · 4 minutes · ★
#
# How does a token become a vector? The *embedding* `embed.W_E` [d_vocab, d_model] is a table with one row for each token. In formulas, the lookup is often written as a one-hot vector times a matrix, but in code you index the table. Write `embed`, from tokens [batch, seq] to vectors [batch, seq, d_model]. You can index a tensor with another tensor of any shape. The check uses a smaller vocabulary and shorter vectors.
#
# Stuck? `hint("d1.0.10")`
# %% exercise="d1.0.10"
def embed(tokens: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Returns the vector [batch, seq, d_model] of each token of tokens [batch, seq]."""
    ### BEGIN SOLUTION
    return weights["embed.W_E"][tokens]
    ### END SOLUTION
# %% check="d1.0.10" points=1
check("d1.0.10", embed)
# %%
some = [" he", " she", " his", " her", " said", " asked", " two", " three", " in", " on"]
their_tokens = torch.cat([model.tokenize(word) for word in some])  # one token for each word
vectors = embed(their_tokens[None], weights)[0]
cosines = similarities(vectors / vectors.norm(dim=-1, keepdim=True))
in_pairs = cosines.diagonal(1)[::2]  # he with she, his with her, and so on
two_pairs = torch.block_diag(*[torch.ones(2, 2)] * 5) == 0  # words of two different pairs
between = cosines[two_pairs].mean()
print("in each pair:", [f"{value:.2f}" for value in in_pairs.tolist()])
print(f"words of two different pairs: {between:.2f}, at most {cosines[two_pairs].max():.2f}")
plot.heatmap(cosines, some, some, "Similarity of token vectors", "cosine", x="token", y="token")
# %% [markdown]
# **What you should see**: bright 2 × 2 blocks along the diagonal.
#
# | pair | he, she | his, her | said, asked | two, three | in, on | words of two different pairs |
# |---|---|---|---|---|---|---|
# | cosine | 0.63 | 0.60 | 0.41 | 0.58 | 0.31 | 0.02 on average, at most 0.27 |
#
# We chose these ten words by hand, so the table says little about the rest of the vocabulary. A plausible reason for the similarity is that the words of a pair occur in similar contexts. Nothing in the training data labels them as pairs.
#
# *Learned*: the embedding is a table that training fills in.
# %% [markdown]
# ## d1.0.11 Add positions
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · ★
#
# Without positions, a head of layer 0 can't distinguish "dog bites man." from "man bites dog." at the full stop, since it treats the tokens as a set. So each position has a vector too, a row of `pos_embed.W_pos` [n_ctx, d_model], where n_ctx is the largest number of positions. Write `with_positions`, which adds row 0 to the vector at position 0, row 1 to the one at position 1, and so on, for as many positions as `x` has. The check uses a table of 11 rows.
#
# GPT-2 adds its position embedding once, to the token embedding. Our model adds it inside each block, and only to the input of queries and keys (Press et al. 2021), which you'll meet in the next section. So attention scores can depend on positions, but the values that a head moves contain none, because positions never enter the *residual stream*, the vectors that run through the whole model.
#
# Stuck? `hint("d1.0.11")`
# %% exercise="d1.0.11"
def with_positions(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Returns x [batch, seq, d_model] plus the vector of each position."""
    ### BEGIN SOLUTION
    return x + weights["pos_embed.W_pos"][: x.shape[1]]
    ### END SOLUTION
# %% check="d1.0.11" points=1
check("d1.0.11", with_positions)
# %%
places = weights["pos_embed.W_pos"][:128]
cosines = similarities(places / places.norm(dim=-1, keepdim=True))
for distance in (1, 2, 5, 10, 20):
    pairs = cosines.diagonal(distance)
    print(f"distance {distance:2}: cosine {pairs.mean():.2f}, spread {pairs.std():.2f}")
names = [str(place) for place in range(24)]
title = "Similarity of position vectors"
plot.heatmap(cosines[:24, :24], names, names, title, "cosine", x="position", y="position")
# %% [markdown]
# **What you should see**: a bright diagonal that fades on both sides, in stripes along the diagonal.
#
# | distance | 1 | 2 | 5 | 10 | 20 |
# |---|---|---|---|---|---|
# | cosine, mean over pairs of the first 128 positions | 0.96 | 0.88 | 0.76 | 0.68 | 0.62 |
# | standard deviation over pairs | 0.01 | 0.01 | 0.03 | 0.03 | 0.05 |
#
# The similarity depends mostly on the distance between two positions, and the standard deviation for pairs at the same distance is small. A head that attends to the previous token at every position could use this regularity.
#
# *Learned*: the model gets the order of the tokens from one more table of vectors.
# %% [markdown]
# ## Attention
#
# So far, nothing moves between positions. Only attention moves information from one position to another. The picture shows one head, without the batch axis and without biases.
#
# ![An attention head from left to right. q_input times W_Q gives queries (query, d_head), and k_input times W_K gives keys (key, d_head). Queries and keys give scores (query, key). Mask, softmax turn them into a pattern (query, key). v_input times W_V gives values (key, d_head). With the pattern as weights, they give z, average of values (query, d_head). Times W_O, this is the output of the head (query, d_model).](diagram:attention_shapes)
#
# - At each position, the head computes a *query*, a *key* and a *value* from the vector there. The dot products of a query with the keys of all positions up to its own are the *scores*.
# - Softmax turns the scores into weights that add up to 1. These weights are the *attention pattern*.
# - The head averages the values at those positions with these weights. `W_O` maps the average `z` to a vector of the model's width, which is added to the stream at the query's position.
# %% [markdown]
# ## d1.0.12 Mask the future
# ●●○○○ difficulty · ●●●●● importance · 9 minutes · ★
#
# A model that predicts the next token must not read it. So wherever the key comes after the query, the score is replaced by a number so low that softmax gives it weight 0. Write `mask_future` for scores [batch, head, query, key]. Which number is low enough, and why isn't 0? In the check, scores go down to −400. A token may attend to itself.
#
# `torch.ones_like(scores, dtype=torch.bool).triu(1)` is true above the diagonal. `scores.masked_fill(mask, value)` returns a new tensor with the value wherever the mask is true.
#
# Stuck? `hint("d1.0.12")`
# %% exercise="d1.0.12"
def mask_future(scores: torch.Tensor) -> torch.Tensor:
    """Returns scores [batch, head, query, key] that softmax turns into 0 for later keys."""
    ### BEGIN SOLUTION
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -torch.inf)
    ### END SOLUTION
# %% check="d1.0.12" points=1
check("d1.0.12", mask_future)
# %%
uniform = mask_future(torch.zeros(1, 1, 8, 8)).softmax(dim=-1)[0, 0]
names = [str(place) for place in range(8)]
title = "Pattern of a head whose scores are all equal"
plot.heatmap(uniform, names, names, title, "attention weight (probability)", x="key", y="query")
# %% [markdown]
# **What you should see**: a triangle. Query 0 attends only to itself, with weight 1. Query 7 gives a weight of 1/8 to each of the eight positions.
#
# *Learned*: a score of minus infinity becomes a weight of exactly 0.
#
# > **Pair card.** Swap. The navigator asks: "Do the rows of this picture stand for queries or for keys?" Explain to each other how much weight row 0 would give to the future if its scores there were 0. *Alone:* draw the pattern of a head that attends only to the previous token.
# %% [markdown]
# ## d1.0.13 Attention scores
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · ★
#
# $$\text{score}[h, q, k] = \frac{(x_q W_Q^h + b_Q^h) \cdot (y_k W_K^h + b_K^h)}{\sqrt{d_\text{head}}}$$
#
# Here $x$ is the input of the queries and $y$ the input of the keys. They're two arguments, because later you'll change one of them and keep the other. Why divide? A dot product of `d_head` random terms has a standard deviation that grows as $\sqrt{d_\text{head}}$. If the scores are too large, softmax puts nearly all its weight on a single key.
#
# Write `attention_scores`. The biases `b_Q` and `b_K` are [head, d_head]. Use `each_head` for queries and keys. The dot products are `query head d_head, key head d_head -> head query key`, with a batch axis in front. The check uses heads of 4 and of 5 entries, so read `d_head` off a shape.
#
# Stuck? `hint("d1.0.13")`
# %% exercise="d1.0.13"
def attention_scores(
    q_input: torch.Tensor, k_input: torch.Tensor, weights: dict[str, torch.Tensor], layer: int
) -> torch.Tensor:
    """Returns scores [batch, head, query, key], not masked, from inputs [batch, seq, d_model]."""
    ### BEGIN SOLUTION
    name = f"blocks.{layer}.attn"
    q = each_head(q_input, weights[f"{name}.W_Q"]) + weights[f"{name}.b_Q"]
    k = each_head(k_input, weights[f"{name}.W_K"]) + weights[f"{name}.b_K"]
    return torch.einsum("b q h e, b k h e -> b h q k", q, k) / q.shape[-1] ** 0.5
    ### END SOLUTION
# %% check="d1.0.13" points=2
check("d1.0.13", attention_scores)
# %% [markdown]
# You can now compute the patterns of layer 0. One of its eight heads attends to the previous token more than the others. Average its weight on the previous token over all queries of all stories. How large is it?
# %%
predict("d1.0.p2", ..., "weight on the previous token, in the head of layer 0 with the most")
# %%
def after_ln1(x: torch.Tensor, layer: int) -> torch.Tensor:
    """Returns the stream x [batch, seq, d_model] after the LayerNorm in front of attention."""
    return layernorm(x, weights[f"blocks.{layer}.ln1.w"], weights[f"blocks.{layer}.ln1.b"])


def mean_and_error(values: torch.Tensor) -> tuple[float, float]:
    """Returns the mean of values [row] and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5
# %%
placed = with_positions(after_ln1(embed(tokens, weights), 0), weights)
pattern = mask_future(attention_scores(placed, placed, weights, 0)).softmax(dim=-1)
to_previous = pattern.diagonal(-1, -2, -1).mean(dim=-1)  # [row, head]
best = to_previous.mean(dim=0).argmax().item()
share, share_error = mean_and_error(to_previous[:, best])
measured("d1.0.p2", share, share_error)
for head in range(8):
    print(f"head 0.{head}: {to_previous[:, head].mean():.3f}")
card = model.card["metrics"]["previous_token_best"]
print(f"model card, on English prose: {card['mean']:.3f} ± {card['se']:.3f}")
names = [f"0.{head}" for head in range(8)]
row = pieces(tokens[0, :32])
plot.attention_heads(row, pattern[0, :, :32, :32], names, "Layer 0, first 32 tokens of row 0")
# %% [markdown]
# **What you should see**: head 0.0 gives 0.825 ± 0.001 of its attention to the previous token, and no other head of layer 0 gives more than 0.03. In the figure, head 0.0 has a bright line just below the diagonal. Point at a head to enlarge it, and then at a cell to read its weight. Rows are queries and columns are keys.
#
# This head is so clean because training was set up to produce it. For the first 500 steps, an auxiliary loss pushed head 0.0 to attend to the previous token, and a penalty discouraged the other heads of layer 0 from doing so throughout all 6,000 steps. The model card describes this under `model.card["how"]`, and says that training would otherwise have spread the task over several heads. On excerpts of English prose, the card gives 0.783 ± 0.001 for this head. Day 2 shows how layer 1 uses it.
#
# *Learned*: queries and keys determine where a head attends. They don't determine which information it moves.
# %% [markdown]
# ## d1.0.14 Attention
# ●●●●○ difficulty · ●●●●● importance · 12 minutes · ★
#
# Now put the head together. Write `attention`, which returns the sum of everything that the heads of a layer write, [batch, seq, d_model].
#
# 1. Compute the pattern from the masked scores, with softmax over keys.
# 2. Compute values from `v_input` with `W_V` and `b_V`, just as you computed queries and keys.
# 3. Compute `z`, the average of the values for each head and query, weighted by the pattern. The einsum is `head query key, key head d_head -> query head d_head`, with a batch axis.
# 4. Multiply by `W_O` [head, d_head, d_model] and sum over heads. Then add `b_O` [d_model] once.
#
# Because of the sum in step 4, each head has an output of its own, and you can study the heads one at a time. The check uses networks with two and with three heads.
#
# Stuck? `hint("d1.0.14")`
# %% exercise="d1.0.14"
def attention(
    q_input: torch.Tensor, k_input: torch.Tensor, v_input: torch.Tensor,
    weights: dict[str, torch.Tensor], layer: int,
) -> torch.Tensor:
    """Returns the summed output of a layer's heads, [batch, seq, d_model]."""
    ### BEGIN SOLUTION
    name = f"blocks.{layer}.attn"
    pattern = mask_future(attention_scores(q_input, k_input, weights, layer)).softmax(dim=-1)
    v = each_head(v_input, weights[f"{name}.W_V"]) + weights[f"{name}.b_V"]
    z = torch.einsum("b h q k, b k h e -> b q h e", pattern, v)
    summed = torch.einsum("b q h e, h e d -> b q d", z, weights[f"{name}.W_O"])
    return summed + weights[f"{name}.b_O"]
    ### END SOLUTION
# %% check="d1.0.14" points=2
check("d1.0.14", attention)
# %% [markdown]
# Does your attention read the future? You can test this from the outside. Replace all tokens from position 40 on by another token, and look for the positions whose output changes.
# %%
def attention_output(tokens: torch.Tensor) -> torch.Tensor:
    """Returns the output [seq, d_model] of attention in layer 0 for one row of tokens."""
    normed = after_ln1(embed(tokens[None], weights), 0)
    placed = with_positions(normed, weights)
    return attention(placed, placed, normed, weights, 0)[0]


changed = tokens[0, :48].clone()
changed[40:] = 7
change = (attention_output(tokens[0, :48]) - attention_output(changed)).abs().amax(dim=-1)
print("largest change before position 40:", change[:40].max().item())
print(f"largest change from position 40 on: {change[40:].max():.2f}")
# %% [markdown]
# **What you should see**: exactly 0 at positions 0 to 39. The outputs there don't depend on later tokens.
#
# *Learned*: the pattern determines the source position, `W_V` and `W_O` determine the information that is moved, and the outputs of the heads add up.
# %% [markdown]
# ## d1.0.15 An MLP
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# Most transformers have an *MLP* after attention. It processes each position separately, with a matrix `W_in` [d_model, neuron], a bias, a relu, a matrix `W_out` [neuron, d_model] and another bias. The four are stored under `blocks.0.mlp.` as `W_in`, `b_in`, `W_out` and `b_out`. Write `mlp`. Many models use gelu in place of relu. The check uses random weights, and the weights of a trained network that you'll meet on day 4.
#
# The cell below the check sets the weights of two neurons by hand. Which function do these two neurons compute?
#
# Stuck? `hint("d1.0.15")`
# %% exercise="d1.0.15"
def mlp(x: torch.Tensor, weights: dict[str, torch.Tensor], layer: int) -> torch.Tensor:
    """Returns the output [batch, seq, d_model] of a layer's MLP for the input x, same shape."""
    ### BEGIN SOLUTION
    name = f"blocks.{layer}.mlp"
    neurons = (apply_matrix(x, weights[f"{name}.W_in"]) + weights[f"{name}.b_in"]).relu()
    return apply_matrix(neurons, weights[f"{name}.W_out"]) + weights[f"{name}.b_out"]
    ### END SOLUTION
# %% check="d1.0.15" points=1
check("d1.0.15", mlp)
# %%
by_hand = {
    "blocks.0.mlp.W_in": torch.tensor([[1.0, -1.0]]),
    "blocks.0.mlp.b_in": torch.zeros(2),
    "blocks.0.mlp.W_out": torch.tensor([[1.0], [1.0]]),
    "blocks.0.mlp.b_out": torch.zeros(1),
}
line = torch.linspace(-2, 2, 9)
curve = mlp(line[None, :, None], by_hand, 0)[0, :, 0]
curves = {"two neurons": curve.tolist()}
plot.lines(line.tolist(), curves, "Two neurons, weights set by hand", "input", "output")
# %% [markdown]
# **What you should see**: the absolute value. One neuron is active to the right of 0, and the other one to the left. Without relu, the two neurons would cancel.
#
# *Learned*: the relu lets an MLP compute functions that no single matrix can.
#
# > **Pair card.** Swap. The navigator asks: "Does this step mix positions?" Explain to each other, for LayerNorm, attention and the MLP, whether the step mixes positions and whether it mixes the entries of a vector. *Alone:* choose biases for the two neurons above so that the curve is flat between −1 and 1.
# %% [markdown]
# ## d1.0.16 A block
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · ★
#
# How do attention and MLP fit together? The vectors that run through the whole model form the *residual stream*. A block never replaces the stream. It reads a normalised copy and adds its output.
#
# ![A transformer block beside the residual stream, which is a vertical line that runs up from "before the block" to "after the block". An arrow "reads" leads from the stream to ln1. From there, one arrow leads to attention as values. Another arrow passes a plus, where positions are added, and leads to attention as queries, keys. Attention adds its output to the stream. Higher up, an arrow "reads" leads from the stream through ln2 to the MLP, which adds its output to the stream too.](diagram:one_block)
#
# 1. Normalise the stream with `ln1` (`blocks.0.ln1.w` and `blocks.0.ln1.b` in layer 0). Queries and keys read this copy with positions, and values read it without.
# 2. Add the output of attention to the stream.
# 3. If the layer has an MLP, normalise the updated stream with `ln2`, and add the output of the MLP. Layer 1 has an MLP if `blocks.1.mlp.W_in` is among the weights.
#
# Write `block`, for models with and without MLPs. One of the networks in the check has an MLP in its second layer only. Don't change `x` in place, because the caller may still need it.
#
# Stuck? `hint("d1.0.16")`
# %% exercise="d1.0.16"
def block(x: torch.Tensor, weights: dict[str, torch.Tensor], layer: int) -> torch.Tensor:
    """Returns the residual stream after a block, from the stream x [batch, seq, d_model]."""
    ### BEGIN SOLUTION
    name = f"blocks.{layer}"
    read = layernorm(x, weights[f"{name}.ln1.w"], weights[f"{name}.ln1.b"])
    placed = with_positions(read, weights)
    x = x + attention(placed, placed, read, weights, layer)
    if f"{name}.mlp.W_in" in weights:
        x = x + mlp(layernorm(x, weights[f"{name}.ln2.w"], weights[f"{name}.ln2.b"]), weights, layer)
    return x
    ### END SOLUTION
# %% check="d1.0.16" points=2
check("d1.0.16", block)
# %%
streams = [embed(tokens[:8], weights)]
for layer in (0, 1):
    streams.append(block(streams[-1], weights, layer))
for name, stream in zip(("embedding", "block 0", "block 1"), streams, strict=True):
    print(f"mean length after {name:9}: {stream.norm(dim=-1).mean():.1f}")
# %% [markdown]
# **What you should see**: the mean length of a vector in the stream grows from 2 to 38 in block 0, and to 52 in block 1. The token's own embedding is still one of the terms of the sum, but it is much shorter than the sum.
#
# *Learned*: the stream is a sum of outputs, so you can split it into its terms. Parts 2 to 4 rest on this.
# %% [markdown]
# ## d1.0.17 Logits
# ●●○○○ difficulty · ●●●●○ importance · 5 minutes · ★
#
# At the end, the stream is normalised by `ln_final` and multiplied by the *unembedding* `unembed.W_U` [d_model, d_vocab]. The result is one number for each token of the vocabulary, at each position. These numbers are the *logits* for the next token. Write `unembed`. The check uses a smaller network.
#
# Stuck? `hint("d1.0.17")`
# %% exercise="d1.0.17"
def unembed(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Returns the logits [batch, seq, d_vocab] of a residual stream [batch, seq, d_model]."""
    ### BEGIN SOLUTION
    read = layernorm(x, weights["ln_final.w"], weights["ln_final.b"])
    return apply_matrix(read, weights["unembed.W_U"])
    ### END SOLUTION
# %% check="d1.0.17" points=1
check("d1.0.17", unembed)
# %% [markdown]
# You can also unembed the stream earlier than the model does. This is called the *logit lens* ([nostalgebraist 2020](https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens)), and it returns on day 5. Which tokens get the largest logits after each block, at position 39 of the first story?
# %%
print(repr(model.decode(tokens[0, 1:40])), "...")
following = tokens[0, 40]
print("next token of the story:", repr(model.decode(following[None])))
for name, stream in zip(("embedding", "block 0", "block 1"), streams, strict=True):
    probabilities = unembed(stream, weights)[0, 39].softmax(dim=-1)
    top = probabilities.topk(4)
    guesses = []
    for piece, probability in zip(pieces(top.indices), top.values.tolist(), strict=True):
        guesses.append(f"{piece!r} {probability:.2f}")
    chance = f"the story's own {probabilities[following]:.5f}"
    print(f"after {name:9}:", ", ".join(guesses), "|", chance)
# %% [markdown]
# **What you should see**: the text ends with " a". With the embedding alone, the top tokens are pieces without a space in front, which would turn the "a" into a longer word. After each of the blocks, the top tokens start a new word. After block 1, no token has a probability above 0.15. The story continues with " we", the start of "week". This token has probability 0.00004 after the embedding, 0.029 after block 0 and 0.006 after block 1, so block 1 made the right token less likely here. A single position says little about the model, and d1.0.19 measures all of them.
#
# *Learned*: a logit is the dot product of the normalised stream with the token's column of `W_U`. You can compute it from the stream after any block.
# %% [markdown]
# ## d1.0.18 The whole model
# ●●○○○ difficulty · ●●●●● importance · 9 minutes · ★
#
# You have all the parts. Write `transformer`, which embeds the tokens, applies the blocks one after another, and unembeds the result. The next cell defines `n_layers`, which finds the number of blocks from the names of the weights. The check uses small networks with random weights, with one to three layers, with and without MLPs, and also the trained model.
#
# Stuck? `hint("d1.0.18")`
# %%
def n_layers(weights: dict[str, torch.Tensor]) -> int:
    """Returns the number of blocks of a model with these weights."""
    return len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
# %% exercise="d1.0.18"
def transformer(tokens: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """Returns the logits [batch, seq, d_vocab] for the token after each of tokens [batch, seq]."""
    ### BEGIN SOLUTION
    x = embed(tokens, weights)
    for layer in range(n_layers(weights)):
        x = block(x, weights, layer)
    return unembed(x, weights)
    ### END SOLUTION
# %% check="d1.0.18" points=2
check("d1.0.18", transformer)
# %% [markdown]
# The library has the same model as a torch module, in code that was written separately. How far apart are the two sets of logits at most, over all tokens of the stories? Write the exponent of a power of ten, such as −3 for 0.001.
# %%
predict("d1.0.p3", ..., "largest difference from the library's logits, as a power of ten")
# %%
print("Running two models on 148 rows; this takes a few seconds.")
logits = transformer(tokens, weights)
library_logits = model.module()(tokens)
gap = (logits - library_logits).abs().max().item()
measured("d1.0.p3", math.log10(gap))
print(f"at most {gap:.0e} apart, for logits of up to {logits.abs().max():.0f}")
# %% [markdown]
# **What you should see**: about 3 × 10⁻⁵, for logits of up to 33. Differences of this size come from rounding, and they're below the 10⁻⁴ that the check allows. Part 3 explains how to tell rounding from a bug. Together, twelve of your functions compute a language model.
#
# *Learned*: first test each part by itself, and then test the whole against an independent implementation.
#
# > **Pair card.** Swap. The navigator asks: "If the logits were wrong, which function would we check first, and how?" Explain to each other how one token becomes logits, and name every weight on the way. *Alone:* draw the model as a stream, with arrows for everything that reads it and everything that adds to it.
# %% [markdown]
# ## d1.0.19 How surprised is the model?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · ★
#
# How good are the predictions? A language model is judged by the probability p that it gave to the token that came next. The *loss* of this token is $-\log p$. It is 0 if the model was certain, and it grows with the model's surprise. With the natural logarithm, its unit is the *nat*.
#
# Write `loss_per_token` [batch, seq − 1]. Be careful with the shift by one position. The logits at position i predict token i + 1. So there is no prediction for the first token, and the last logits have no token to be compared with. `logits.log_softmax(dim=-1)` returns log-probabilities, and `gather` picks one entry along an axis.
#
# Stuck? `hint("d1.0.19")`
# %% exercise="d1.0.19"
def loss_per_token(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Returns the loss in nats of each token but the first, [batch, seq - 1]."""
    ### BEGIN SOLUTION
    log_p = logits[:, :-1].log_softmax(dim=-1)
    return -log_p.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    ### END SOLUTION
# %% check="d1.0.19" points=2
check("d1.0.19", loss_per_token)
# %% [markdown]
# A model that gives the same probability to each of the 1,024 tokens has a loss of $\ln 1024 = 6.93$ nats. How large is our model's loss, averaged over the new stories?
# %%
predict("d1.0.p4", ..., "nats per token, our model on new stories")
# %%
losses = loss_per_token(logits, tokens)
loss, error = mean_and_error(losses.mean(dim=1))  # one mean for each row
measured("d1.0.p4", loss, error)
plot.tokens(pieces(tokens[2]), [None, *losses[2].tolist()], "Loss per token of row 2", "nats")
# %% [markdown]
# **What you should see**: 1.44 ± 0.02 nats on average, but the tokens differ a lot. Row 2 mentions a *dormibell* twice, a word that our story generator made up. The next cell lists the loss of its five tokens at each mention.
# %%
first, second = losses[2, 47:52], losses[2, 106:111]
print("token         ", *[f"{piece!r:>7}" for piece in pieces(tokens[2, 48:53])], "    sum")
for name, values in (("first mention", first), ("second mention", second)):
    print(f"{name:14}", *[f"{value:7.2f}" for value in values.tolist()], f"{values.sum():7.2f}")
# %% [markdown]
# **What you should see**: the word costs 14.8 nats at the first mention and 5.2 at the second. At the second mention, nearly all of the loss is at the first token, and the other four cost 0.25 nats together. So in this row, once the word has begun, the model predicts the rest of it. How does it do that? This is the question of day 2.
#
# *Learned*: a mean loss hides large differences between tokens.
# %% [markdown]
# ## d1.0.20 Is this loss good?
# ●●○○○ difficulty · ●●●●○ importance · 9 minutes · ★
#
# A loss needs a baseline beside it. The uniform model is the simplest one. The next one is the *unigram* model, which uses only the frequency of each token and makes the same prediction everywhere.
#
# Write `unigram`. From tokens of any shape, it returns the log-probability of each of the `d_vocab` tokens. Add 1 to every count first. Otherwise a token that never occurred has probability 0, and a single such token makes the whole loss infinite. `torch.bincount(..., minlength=d_vocab)` counts tokens. The check uses vocabularies of 5 to 9 tokens.
#
# Stuck? `hint("d1.0.20")`
# %% exercise="d1.0.20"
def unigram(tokens: torch.Tensor, d_vocab: int) -> torch.Tensor:
    """Returns log-probabilities [d_vocab] from the counts of tokens, each count raised by 1."""
    ### BEGIN SOLUTION
    counts = torch.bincount(tokens.flatten(), minlength=d_vocab) + 1
    return (counts / counts.sum()).log()
    ### END SOLUTION
# %% check="d1.0.20" points=1
check("d1.0.20", unigram)
# %% [markdown]
# We count tokens in 200 other stories, and measure the loss on the stories from above. Our model wasn't trained on either set.
# %%
others = "\n\n".join(stories.tell(200, seed=1))
counted = text.sequences(others, model.tokenize, seq=128, start=0)["tokens"]
frequency = unigram(counted[:, 1:], 1024)
by_frequency = -frequency[tokens[:, 1:]]
table = {
    "uniform": (math.log(1024), 0.0),
    "unigram": mean_and_error(by_frequency.mean(dim=1)),
    "our model": (loss, error),
}
for name, (mean, spread_of_mean) in table.items():
    print(f"{name:9} {mean:.2f} ± {spread_of_mean:.2f}")
english = model.card["metrics"]["english_loss"]
print(f"our model on English prose, from its model card: {english['mean']:.2f} ± {english['se']:.2f}")
plot.bars({"loss": table}, "Three models on the same stories", "loss (nats per token)", "model")
# %% [markdown]
# **What you should see**: 6.93 for the uniform model, 5.82 ± 0.01 for the unigram model and 1.44 ± 0.02 for ours. For a more intuitive number, take the exponential of the loss, which is called *perplexity*. It is 1,024 for the uniform model and about 4 for ours, so on average our model is as unsure as a uniform choice among four tokens.
#
# These stories are easy to predict, since a program generates them from a fixed stock of sentences, and mainly the names are new. On English prose, the model card gives a loss of 3.47 ± 0.01 nats.
#
# *Learned*: a loss means little without a baseline and the name of the data.
#
# > **Pair card.** Swap. The navigator asks: "Which information does our model use that the unigram model lacks?" Explain to each other why the unigram counts must not come from the stories that we measure on. *Alone:* think of a baseline between the unigram model and ours, and guess its loss.
# %% [markdown]
# ## d1.0.21 Generate text greedily
# ●●○○○ difficulty · ●●●○○ importance · 6 minutes · ★
#
# A model that predicts the next token can also write. Append its prediction to the text, and run the model again. *Greedy* decoding takes the most likely token each time. Write `write_greedily`. `run` maps tokens [batch, seq] to logits [batch, seq, d_vocab]. Your text is [seq], so it needs a batch axis before you call `run`. Return the whole text, with `n` new tokens at the end.
#
# Stuck? `hint("d1.0.21")`
# %% exercise="d1.0.21"
def write_greedily(run, tokens: torch.Tensor, n: int) -> torch.Tensor:
    """Returns the text [seq] followed by n tokens, each the most likely one, [seq + n]."""
    ### BEGIN SOLUTION
    for _ in range(n):
        likeliest = run(tokens[None])[0, -1].argmax()
        tokens = torch.cat([tokens, likeliest[None]])
    return tokens
    ### END SOLUTION
# %% check="d1.0.21" points=1
check("d1.0.21", write_greedily)
# %% [markdown]
# Give the model the first sentence of a story, and let it add 100 tokens. How many *different* tokens will there be among them? For comparison, we count the different tokens among 100 tokens of real stories.
# %%
predict("d1.0.p5", ..., "different tokens among 100 that are chosen greedily")
# %%
opening = model.tokenize("One morning, old Tamsel Brune found a letter under the door.")
beginning = torch.cat([torch.tensor([0]), opening])
greedy = write_greedily(lambda tokens: transformer(tokens, weights), beginning, 100)
different = len(greedy[len(beginning) :].unique())
measured("d1.0.p5", different)
in_stories = torch.tensor([float(len(row[1:101].unique())) for row in tokens])
mean, standard_error = mean_and_error(in_stories)
print(f"in stories: {mean:.1f} ± {standard_error:.1f}, at least {in_stories.min():.0f}")
print(model.decode(greedy[1:]))
# %% [markdown]
# **What you should see**: 60 different tokens. Stories have 73.4 ± 0.4 on average, and none of the 148 rows has fewer than 62. The text reads like English at first, but it never returns to Tamsel Brune, and "said Illis" appears four times. This is a single prompt, so it's an example of greedy text and not a statistic.
#
# *Learned*: a sequence of most likely tokens needn't be a typical text.
# %% [markdown]
# ## d1.0.22 Sample
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# Can you get more varied text? The model gives a probability for each token, so draw the next token at random with these probabilities. A *temperature* T controls the draw, by dividing the logits before softmax. Below 1, likely tokens become even more likely. Above 1, the draw becomes more even. Near 0, it becomes greedy. Why would it change nothing to divide the *probabilities* by T?
#
# Write `sample_next`, which draws one token, an `int`, from logits [d_vocab] at a given temperature. `torch.multinomial(probabilities, 1, generator=generator)` draws an index. Because the generator is an argument, the same seed gives the same draw.
#
# Stuck? `hint("d1.0.22")`
# %% exercise="d1.0.22"
def sample_next(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> int:
    """Returns a token drawn from softmax(logits / temperature), for logits [d_vocab]."""
    ### BEGIN SOLUTION
    probabilities = (logits / temperature).softmax(dim=-1)
    return torch.multinomial(probabilities, 1, generator=generator).item()
    ### END SOLUTION
# %% check="d1.0.22" points=1
check("d1.0.22", sample_next)
# %%
for temperature in (0.3, 1.0, 2.0):
    generator, sampled = torch.Generator().manual_seed(0), beginning
    for _ in range(60):
        drawn = sample_next(transformer(sampled[None], weights)[0, -1], temperature, generator)
        sampled = torch.cat([sampled, torch.tensor([drawn])])
    print(f"--- temperature {temperature}\n{model.decode(sampled[len(beginning) :])}")
# %% [markdown]
# **What you should see**: at a temperature of 0.3, the text gets stuck in a repetition. At 1, it contains invented words. At 2, most of it is fragments of words. There is one draw for each temperature, so try other seeds before you conclude anything.
#
# *Learned*: the text depends on the model's probabilities and also on the rule that picks a token from them.
#
# > **Pair card.** Swap for the last time. The navigator asks: "Does this come from the model or from the sampling?" Explain to each other how the ratio of two tokens' probabilities changes at T = 0.5, 1 and 2, if their logits differ by 2. *Alone:* find a temperature whose text you would show to a friend.
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · ★
#
# From memory, without scrolling up. Write `recall = {"summed": ..., "scale": ..., "softmax": ..., "positions": ..., "predicts": ...}`, with a letter, a number or one of the listed options for each.
#
# 1. `summed`. Which letter does `torch.einsum("b i, i o -> b o", x, matrix)` sum over?
# 2. `scale`. Attention scores are divided by the square root of one size of the model. Is it `"d_model"`, `"d_head"`, `"d_vocab"` or `"n_ctx"`?
# 3. `softmax`. In an attention pattern, do the weights add up to 1 over `"queries"` or over `"keys"`?
# 4. `positions`. In our model, positions are added to the inputs of two of `"queries"`, `"keys"` and `"values"`. Which one reads no positions?
# 5. `predicts`. The logits at position 5 predict the token at which position? Write a number.
#
# Stuck? `hint("d1.0.quiz")`
# %% exercise="d1.0.quiz"
### BEGIN SOLUTION
recall = {"summed": "i", "scale": "d_head", "softmax": "keys", "positions": "values", "predicts": 6}
### END SOLUTION
# %% check="d1.0.quiz" points=2
check("d1.0.quiz", recall)
# %%
predictions("d1.0")
# %% [markdown]
# ## What you have
#
# You have a transformer in about twenty short functions, and its logits agree with the library's up to rounding. You'll meet its parts all week, above all the residual stream, queries, keys and values, and heads whose outputs add up. Part 1 turns to two much smaller networks and asks how you find out which computation a network uses. In part 4 you come back to this model as a graph.
