# %% [markdown]
# # Day 1, part 0: a transformer from nothing
#
# **What happens between a text and the next token?**
#
# From day 2 on we take a transformer apart. This part is for whoever has not built one yet: the evening before, or a quiet morning. We write it in some twenty small functions, most of them a line or two of tensor algebra, and at the end they compute the same logits as the library's model, on its trained weights. Whoever can say what `W_Q`, `W_O` and a causal mask are may begin with part 1: nothing there rests on this.
#
# **After this part we can**
# - read and write an einsum, and split an axis into heads and glue it again;
# - find out what is wrong with a layernorm that is almost right, without reading its code;
# - write attention, an MLP, a block and a whole transformer, and test each against something we trust;
# - say how good a language model is, in nats, beside two models that know nearly nothing;
# - let it write, greedily and by sampling.
#
# **Time**: about 130 minutes. All of it is ★: the week is complete without it.
#
# **Readings**: Vaswani et al. 2017, *Attention Is All You Need*, sections 3.1 to 3.3. Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*, the section on transformer overview: the way of looking at it that we use all week. Press et al. 2021, *Shortformer*, the section on position-infused attention: what is peculiar about our model's positions. All of it can wait until tomorrow.
# %%
import math

import torch
from remix_utils import check, hint, models, plot, start_at
from remix_utils.checks.part import given
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import stories, text

start_at("d1.0")  # to rejoin the room: start_at("d1.0.12") brings every name that the rest of this part reads
# %% [markdown]
# ## Axes: six warm-ups
#
# Nearly everything that a transformer does is *multiply and sum* along some axes, and it helps to give axes names. This is `torch.einsum`:
#
# ```python
# torch.einsum("q d, k d -> q k", queries, keys)
# ```
#
# Left of the arrow each operand names its axes; right of it stand the axes of the result. For every choice of letters the entries are multiplied, and *what the result does not name is summed*. Torch wants one letter an axis. In prose, and in the library from part 2 on, we write words: `query d_model, key d_model -> query key`. In code we take a word's initial, or the next free letter.
#
# Another common tool is `rearrange` from the einops library. We do without it: what it does is a `reshape` and a `permute`, and warm-ups 4 and 5 write them out. Its notation is good all the same, and we borrow it: `batch seq (head d_head)` is an axis of `head` times `d_head` entries, in which `d_head` runs faster.
# %% [markdown]
# ## d1.0.1 Sum what is not named
# ●○○○○ difficulty · ●●●○○ importance · 3 minutes · ★
#
# A sequence of vectors `x` [seq, d_model] has one vector for each position. Write `squared_lengths`: for each vector, the sum of the squares of its entries, [seq]. One einsum does it: which letters does the result name? An operand may appear twice.
#
# Stuck? `hint("d1.0.1")`
# %% exercise="d1.0.1"
def squared_lengths(x: torch.Tensor) -> torch.Tensor:
    """The squared length of each vector of x [seq, d_model]: a tensor [seq]."""
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
# *Learned*: an axis that the result leaves out is summed.
# %% [markdown]
# ## d1.0.2 One matrix for every position
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · ★
#
# Now a whole batch, `x` [batch, seq, d_in], and a matrix [d_in, d_out] that is applied to every vector in it. Write `apply_matrix`. The axis that both operands share has the same letter in both; `batch` and `seq` stand in one operand only, and in the result. So positions do not meet here, and the same happens at each of them: most of a transformer is like that.
#
# Stuck? `hint("d1.0.2")`
# %% exercise="d1.0.2"
def apply_matrix(x: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Every vector of x [batch, seq, d_in] times the matrix [d_in, d_out]: [batch, seq, d_out]."""
    ### BEGIN SOLUTION
    return torch.einsum("b s i, i o -> b s o", x, matrix)
    ### END SOLUTION
# %% check="d1.0.2" points=1
check("d1.0.2", apply_matrix)
# %%
swap_and_double = torch.tensor([[0.0, 2.0], [2.0, 0.0]])
print(apply_matrix(torch.tensor([[[1.0, 0.0], [3.0, 4.0]]]), swap_and_double).tolist())
# %% [markdown]
# **What you should see**: [0, 2] and [8, 6]. Two positions, one matrix.
#
# *Learned*: a shared letter is matched; a letter of one operand alone is carried along.
# %% [markdown]
# ## d1.0.3 Everyone meets everyone
# ●●○○○ difficulty · ●●●●● importance · 4 minutes · ★
#
# Write `similarities`: the dot product of each position's vector with each position's vector, [seq, seq]. There is only one tensor, `x` [seq, d_model], but its positions come twice: once as the one who asks, and once as the one who is asked. What would one letter for both do?
#
# The cell below the check tries it on words. Each word is a vector of 26 counts, one for each letter of the alphabet.
#
# Stuck? `hint("d1.0.3")`
# %% exercise="d1.0.3"
def similarities(x: torch.Tensor) -> torch.Tensor:
    """The dot product of every vector of x [seq, d_model] with every other, and itself: [seq, seq]."""
    ### BEGIN SOLUTION
    return torch.einsum("q d, k d -> q k", x, x)
    ### END SOLUTION
# %% check="d1.0.3" points=1
check("d1.0.3", similarities)
# %%
words = ["listen", "silent", "enlist", "banana", "ananas"]
counts = torch.tensor([[float(word.count(letter)) for letter in "abcdefghijklmnopqrstuvwxyz"] for word in words])
plot.heatmap(similarities(counts), words, words, "Who shares letters with whom?", "dot product", x="word", y="word")
# %% [markdown]
# **What you should see**: a block of 6s, since the first three words have the same letters, and a table that is symmetric. An attention pattern will be such a table, except that the two sides are made by different matrices: what a position asks for need not be what it offers.
#
# *Learned*: two roles, two letters, even if one tensor plays both.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which letters are summed, and how would I see it in the shape?" Explain back to each other: what would `"s d, s d -> s s"` mean, and why does torch refuse it? *Alone:* write the einsum that gives the *sum* of all entries of the table above, without making the table.
# %% [markdown]
# ## d1.0.4 Split an axis
# ●●●○○ difficulty · ●●●●○ importance · 5 minutes · ★
#
# `batch seq (head d_head) -> batch head seq d_head`. A vector of 256 entries is often eight vectors of 32 side by side, one for each attention head. Write `split_heads`.
#
# Two steps, and their order is the whole exercise. `reshape` cuts an axis or glues neighbours; it never moves an entry past another one. `permute` changes the order of axes. A `reshape` straight to the final shape gives the right shape, no error, and entries that have strayed into other heads and positions. It is the commonest silent mistake in this trade.
#
# Stuck? `hint("d1.0.4")`
# %% exercise="d1.0.4"
def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """[batch, seq, heads * d_head] -> [batch, heads, seq, d_head]; each head has a stretch of the last axis."""
    ### BEGIN SOLUTION
    batch, seq, width = x.shape
    return x.reshape(batch, seq, heads, width // heads).permute(0, 2, 1, 3)
    ### END SOLUTION
# %% check="d1.0.4" points=1
check("d1.0.4", split_heads)
# %%
numbered = torch.arange(12).reshape(1, 3, 4)
print("three positions:", numbered[0].tolist())
print("split, head 0: ", split_heads(numbered, 2)[0, 0].tolist())
print("reshaped only: ", numbered.reshape(1, 2, 3, 2)[0, 0].tolist())
# %% [markdown]
# **What you should see**: head 0 has the first two numbers of each position: 0 and 1, 4 and 5, 8 and 9. The last line has 0 to 5: what belonged to head 1 has become a position of head 0.
#
# *Learned*: a right shape proves nothing.
# %% [markdown]
# ## d1.0.5 Glue it again
# ●●○○○ difficulty · ●●●○○ importance · 4 minutes · ★
#
# `batch head seq d_head -> batch seq (head d_head)`, the way back. Write `merge_heads`. The axes that are to be glued must first be neighbours, in the right order.
#
# Stuck? `hint("d1.0.5")`
# %% exercise="d1.0.5"
def merge_heads(x: torch.Tensor) -> torch.Tensor:
    """[batch, heads, seq, d_head] -> [batch, seq, heads * d_head]: what split_heads did, undone."""
    ### BEGIN SOLUTION
    batch, heads, seq, width = x.shape
    return x.permute(0, 2, 1, 3).reshape(batch, seq, heads * width)
    ### END SOLUTION
# %% check="d1.0.5" points=1
check("d1.0.5", merge_heads)
# %%
print("there and back:", torch.equal(merge_heads(split_heads(numbered, 2)), numbered))
# %% [markdown]
# **What you should see**: True. A test that goes there and back is cheap, and beware of it: two functions that make the same mistake pass it too.
#
# *Learned*: permute brings axes together, reshape joins them.
# %% [markdown]
# ## d1.0.6 A matrix for each head
# ●●○○○ difficulty · ●●●●● importance · 4 minutes · ★
#
# The weights of our model come with the heads apart: `W_Q` is [head, d_model, d_head], a matrix for each head. Every head reads the *same* vector. Write `each_head`: every vector of `x` [batch, seq, d_model] times every head's matrix, [batch, seq, head, d_head]. Is `head` summed, matched or carried along?
#
# Stuck? `hint("d1.0.6")`
# %% exercise="d1.0.6"
def each_head(x: torch.Tensor, matrices: torch.Tensor) -> torch.Tensor:
    """Every vector of x [batch, seq, d_model] times every head's [head, d_model, d_head]: [batch, seq, head, d_head]."""
    ### BEGIN SOLUTION
    return torch.einsum("b s d, h d e -> b s h e", x, matrices)
    ### END SOLUTION
# %% check="d1.0.6" points=1
check("d1.0.6", each_head)
# %%
numbers = torch.Generator().manual_seed(0)
x, matrices = torch.randn(2, 5, 6, generator=numbers), torch.randn(3, 6, 4, generator=numbers)  # three heads
wide = matrices.permute(1, 0, 2).reshape(6, 12)  # d_model (head d_head): their matrices side by side
apart = (each_head(x, matrices).permute(0, 2, 1, 3) - split_heads(apply_matrix(x, wide), 3)).abs().max()
print(f"three small matrices, or one wide one and then split: {apart:.0e} apart")
# %% [markdown]
# **What you should see**: 0, or a difference at the level of rounding. Many implementations keep one wide matrix and split its result into heads. It is the same computation, and ours lets us point at one head's weights.
#
# *Learned*: heads are a way to write a wide matrix.
#
# > **Pair card.** Swap. The navigator asks: "Which entry of the result would change if I changed this one weight?" Explain back: how does a wide matrix [d_model, head × d_head] become `W_Q`, in words for axes? *Alone:* write `each_head` with `@` and broadcasting, and compare.
# %% [markdown]
# ## The model
#
# Time to meet it. `induction-2l` is a small language model: two blocks, eight attention heads in each, vectors of 256 entries, a vocabulary of 1,024 tokens. It has read plain English and many small stories with invented names. Its weights are a dict from names to tensors, and the names are those that the field uses.
# %%
model = models.load("induction-2l")
weights = model.weights
for name in sorted(weights):
    print(f"{name:22} {list(weights[name].shape)}")
# %% [markdown]
# **What you should see**: two blocks of the same shapes, the embedding, the final layernorm, the positions and the unembedding. There is no MLP: this model is *attention-only*, which makes day 2 possible. We shall write an MLP anyway.
#
# All our functions take the weights as such a dict, and a `layer` where there are several. So `weights[f"blocks.{layer}.attn.W_Q"]` is what a function reads, and it works on any model with these names.
# %% [markdown]
# ## d1.0.7 Layernorm
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · ★
#
# Whatever a block reads, it reads through a *layernorm*. It takes one vector [d_model] at a time, and
#
# 1. subtracts the mean of its entries;
# 2. divides by $\sqrt{\text{variance} + \epsilon}$, where the variance is the mean of the squares of what step 1 left;
# 3. multiplies by `w` [d_model], entry by entry, and adds `b` [d_model].
#
# The tiny `eps` keeps a vector of equal entries from being divided by zero. Write `layernorm`, for `x` with any number of axes in front. `keepdim=True` leaves an axis of 1 where a mean was taken, so that shapes still fit. `torch.nn.functional.layer_norm` computes the same. The check uses short vectors, some of them tiny, and other values of `eps`.
#
# Stuck? `hint("d1.0.7")`
# %% exercise="d1.0.7"
def layernorm(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """Each vector of x [..., d_model] centred, brought to unit variance, scaled by w and shifted by b [d_model]."""
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = (centred**2).mean(dim=-1, keepdim=True)
    return centred / (variance + eps).sqrt() * w + b
    ### END SOLUTION
# %% check="d1.0.7" points=1
check("d1.0.7", layernorm)
# %%
one, zero = torch.ones(256), torch.zeros(256)
vectors = torch.stack([weights["embed.W_E"][5], 100 * weights["embed.W_E"][5], weights["embed.W_E"][5] + 3])
normed = layernorm(vectors, one, zero)
print("lengths before:", [f"{length:.2f}" for length in squared_lengths(vectors).sqrt().tolist()])
print("lengths after: ", [f"{length:.2f}" for length in squared_lengths(normed).sqrt().tolist()])
print(f"100 times as long, or shifted by 3: at most {(normed - normed[0]).abs().max():.3f} apart after the norm")
# %% [markdown]
# **What you should see**: three vectors of very different lengths, which come out nearly equal, with length 16, the root of 256. (What is left of the difference is `eps`.) A layernorm forgets length and mean, and keeps direction.
#
# *Learned*: what a block reads is a direction.
# %% [markdown]
# ## Two patients
#
# `specimen_a` and `specimen_b` take the same arguments as our `layernorm`, and each has one fault. On ordinary inputs both look fine:
# %%
specimen_a, specimen_b = given("d1.0", "specimen_a", "specimen_b")
ordinary = torch.randn(4, 256, generator=torch.Generator().manual_seed(0))
for specimen in (specimen_a, specimen_b):
    difference = (specimen(ordinary, one, zero) - layernorm(ordinary, one, zero)).abs().max()
    print(f"{specimen.__name__}: at most {difference:.0e} from ours")
# %% [markdown]
# **What you should see**: differences of 7 × 10⁻³ and 2 × 10⁻⁵, on entries of up to 3.7. A network with either of them trains and answers. Such faults live for years.
#
# We do not read their code. We choose inputs, and compare outputs with those of a healthy layernorm. The suspects:
#
# - `w` multiplies `b` too; or nothing is subtracted; or all vectors share one mean;
# - `eps` is missing, or stands *beside* the root: $\sqrt{\text{variance}} + \epsilon$;
# - the variance divides by $d_\text{model} - 1$, as `torch.var` and `torch.std` do unless told not to;
# - it is divided by the variance, without the root.
#
# Six inputs, on which each suspect would show itself: `w` of zeros beside a `b` of ones; `x + 100`; other rows changed; a tiny `x`, for both faults of `eps`; a *short* `x`, of two or three entries; and `10 * x`.
# %% [markdown]
# ## d1.0.8 What is wrong with A?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · ★
#
# A diagnosis is a function that makes the same mistake. Write `diagnosis_a`, which gives what `specimen_a` gives, on any input, to the last digits. Use the empty cell first: compare the two, and say before each run what a suspect would do there. The *ratio* of outputs may tell more than their difference.
#
# Stuck? `hint("d1.0.8")`
# %%
# Try inputs here: specimen_a(x, w, b) beside layernorm(x, w, b).
# %% exercise="d1.0.8"
def diagnosis_a(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """What specimen_a computes, its mistake included."""
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / (x.var(dim=-1, keepdim=True) + eps).sqrt() * w + b
    ### END SOLUTION
# %% check="d1.0.8" points=2
check("d1.0.8", diagnosis_a)
# %% [markdown]
# How much too small are A's outputs at the width of our model, 256? Write the ratio of A's to a healthy one's.
# %%
predict("d1.0.p1", ..., "specimen A over a healthy layernorm, at width 256")
# %%
widths = [2, 3, 4, 8, 16, 64, 256]
ratios = {"specimen A": [], "specimen B": []}
for width in widths:
    row = torch.randn(1, width, generator=torch.Generator().manual_seed(width))
    healthy = layernorm(row, torch.ones(width), torch.zeros(width))
    for name, specimen in zip(ratios, (specimen_a, specimen_b), strict=True):
        ratio = specimen(row, torch.ones(width), torch.zeros(width)) / healthy
        ratios[name].append(ratio.mean().item())
measured("d1.0.p1", f"{ratios['specimen A'][-1]:.4f}")
plot.lines([math.log2(n) for n in widths], ratios, "A specimen over a healthy layernorm", "width (power of two)", "ratio")
# %% [markdown]
# **What you should see**: A at 0.71 at width 2, and at 0.998 at 256. The ratio is $\sqrt{(n-1)/n}$, whatever the input. B stays at 1 at every width.
#
# *Learned*: vary one property of the input, and look for a pattern in the ratio.
# %% [markdown]
# ## d1.0.9 What is wrong with B?
# ●●●○○ difficulty · ●●●●○ importance · 6 minutes · ★
#
# The last picture found nothing wrong with B: it agrees with ours at every width. Write `diagnosis_b` in the same way.
#
# Stuck? `hint("d1.0.9")`
# %%
# Try inputs here: specimen_b(x, w, b) beside layernorm(x, w, b).
# %% exercise="d1.0.9"
def diagnosis_b(x: torch.Tensor, w: torch.Tensor, b: torch.Tensor, eps: float = 1e-5) -> torch.Tensor:
    """What specimen_b computes, its mistake included."""
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=-1, keepdim=True)
    return centred / ((centred**2).mean(dim=-1, keepdim=True).sqrt() + eps) * w + b
    ### END SOLUTION
# %% check="d1.0.9" points=2
check("d1.0.9", diagnosis_b)
# %%
powers = [-5, -4, -3, -2, -1, 0, 1]
lengths = {"healthy": layernorm, "specimen B": specimen_b}
spread = {
    name: [norm(ordinary * 10.0**power, one, zero).std().item() for power in powers] for name, norm in lengths.items()
}
plot.lines(powers, spread, "What comes out, by the size of what goes in", "size of x (power of ten)", "standard deviation after the norm")
# %% [markdown]
# **What you should see**: the two agree from 0.1 upwards. At a size of 0.001 a healthy layernorm gives 0.3, because its `eps` holds the vector down, and B still gives nearly 1: it blows noise up to full size.
#
# *Learned*: agreement is agreement *on those inputs*. The input that tells two suspects apart has to be thought of.
#
# > **Pair card.** Swap. The navigator asks: "On which input would these two differ most?" Explain back: why did the comparison on ordinary inputs let B through, and which test in your own work is like it? *Alone:* invent a third fault that neither of our two plots would show.
# %% [markdown]
# ## From text to vectors
#
# A text becomes *tokens*, whole numbers below 1,024, each of which stands for a piece of text: a common word with its space, a syllable, a letter. We take new stories, of the kind that the model has read.
# %%
told = "\n\n".join(stories.tell(40, seed=2026))
data = text.sequences(told, model.tokenize, seq=128, start=0)  # token 0 says that a text begins
tokens = data["tokens"]


def pieces(row: torch.Tensor) -> list[str]:
    """The text of each token of a row [seq]."""
    return [model.decode(token[None]) for token in row]


print(tokens.shape, tokens[0, :10].tolist())
print(" | ".join(pieces(tokens[0, :40])))
# %% [markdown]
# **What you should see**: common words are one token, with the space in front of them; invented names fall into several.
# %% [markdown]
# ## d1.0.10 Embed tokens
# ●○○○○ difficulty · ●●●○○ importance · 3 minutes · ★
#
# The *embedding* `embed.W_E` [d_vocab, d_model] has a row for each token, and that row is the token's vector. Mathematicians write it as a one-hot vector times a matrix; in practice one looks the row up. Write `embed`: tokens [batch, seq] in, vectors [batch, seq, d_model] out. A tensor may be indexed with a tensor of any shape. The check uses a smaller vocabulary and shorter vectors.
#
# Stuck? `hint("d1.0.10")`
# %% exercise="d1.0.10"
def embed(tokens: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """The vector of each token of tokens [batch, seq]: [batch, seq, d_model]."""
    ### BEGIN SOLUTION
    return weights["embed.W_E"][tokens]
    ### END SOLUTION
# %% check="d1.0.10" points=1
check("d1.0.10", embed)
# %%
some = [" he", " she", " his", " her", " said", " asked", " two", " three", " in", " on"]
some = [word for word in some if len(model.tokenize(word)) == 1]
vectors = embed(torch.cat([model.tokenize(word) for word in some])[None], weights)[0]
unit = vectors / squared_lengths(vectors).sqrt()[:, None]
plot.heatmap(similarities(unit), some, some, "How alike are the vectors of two tokens?", "cosine", x="token", y="token")
# %% [markdown]
# **What you should see**: bright pairs along the diagonal. *He* is like *she*, *his* like *her*, *said* like *asked*, *two* like *three*. Nobody told the model so: such words stand in the same places, and training has put their vectors side by side.
#
# *Learned*: an embedding is a table, and training fills it.
# %% [markdown]
# ## d1.0.11 Add positions
# ●●○○○ difficulty · ●●●●○ importance · 5 minutes · ★
#
# Attention looks at a *set* of vectors: by itself it cannot tell "dog bites man" from "man bites dog". So each position has a vector too, a row of `pos_embed.W_pos` [n_ctx, d_model]. Write `with_positions`, which adds row 0 to what stands at position 0, row 1 at position 1, and so on, for as many positions as `x` has. The check uses a table of 11 rows.
#
# GPT-2 does this once, to the embedding. Our model does it elsewhere: inside each block, to what queries and keys read, and nowhere else (Press et al. 2021). Heads can still find "the token before". But positions never enter the residual stream, so what a head *moves* is free of them.
#
# Stuck? `hint("d1.0.11")`
# %% exercise="d1.0.11"
def with_positions(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """x [batch, seq, d_model], with its position's vector added to each vector."""
    ### BEGIN SOLUTION
    return x + weights["pos_embed.W_pos"][: x.shape[1]]
    ### END SOLUTION
# %% check="d1.0.11" points=1
check("d1.0.11", with_positions)
# %%
places = weights["pos_embed.W_pos"][:24]
unit = places / squared_lengths(places).sqrt()[:, None]
names = [str(place) for place in range(24)]
plot.heatmap(similarities(unit), names, names, "How alike are the vectors of two positions?", "cosine", x="position", y="position")
# %% [markdown]
# **What you should see**: a bright diagonal that fades on both sides. Neighbours are alike, and the stripes run along the diagonal: how alike two positions are depends on their *distance*, nearly. That is just what a head needs in order to find the token before, anywhere in the text.
#
# *Learned*: order is one more vector.
# %% [markdown]
# ## Attention
#
# Up to here every position is on its own. Attention is the one place where information moves from position to position. Each head does this at each position:
#
# - it makes a *query* from the vector there, and compares it with the *key* of every position up to it; the dot products are the *scores*;
# - softmax turns scores into weights that add up to 1, the *pattern*;
# - it takes the average of the *values* at those positions, by these weights, and writes it, through `W_O`, into the vector.
# %% [markdown]
# ## d1.0.12 Do not look ahead
# ●●○○○ difficulty · ●●●●● importance · 6 minutes · ★
#
# A model that predicts the next token must not see it. So where the key stands later than the query, the score is put so low that softmax gives it nothing. Write `mask_future`, for scores [batch, head, query, key]. What number is low enough, and why not 0? The scores in the check go down to −400. Note that a token may look at itself.
#
# `torch.ones_like(scores, dtype=torch.bool).triu(1)` is true above the diagonal. `scores.masked_fill(mask, value)` puts the value wherever the mask is true, in a new tensor.
#
# Stuck? `hint("d1.0.12")`
# %% exercise="d1.0.12"
def mask_future(scores: torch.Tensor) -> torch.Tensor:
    """Scores [batch, head, query, key], so low where the key comes after the query that softmax gives 0 there."""
    ### BEGIN SOLUTION
    future = torch.ones_like(scores, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, -torch.inf)
    ### END SOLUTION
# %% check="d1.0.12" points=1
check("d1.0.12", mask_future)
# %%
indifferent = mask_future(torch.zeros(1, 1, 8, 8)).softmax(dim=-1)[0, 0]
names = [str(place) for place in range(8)]
plot.heatmap(indifferent, names, names, "A head that has no preference", "attention weight (probability)", x="key", y="query")
# %% [markdown]
# **What you should see**: a triangle. Query 0 sees only itself, with weight 1; query 7 gives one eighth to each of eight.
#
# *Learned*: "never" is a score of minus infinity.
#
# > **Pair card.** Swap. The navigator asks: "Row or column: who is looking, and who is looked at?" Explain back: a score of 0 in the future would give how much weight to it, in row 0 of the picture? *Alone:* draw the picture for a head that may look only at the token before.
# %% [markdown]
# ## d1.0.13 Scores
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · ★
#
# $$\text{score}[h, q, k] = \frac{(x_q W_Q^h + b_Q^h) \cdot (y_k W_K^h + b_K^h)}{\sqrt{d_\text{head}}}$$
#
# Here $x$ is what queries read, and $y$ what keys read; they come as two arguments, because later we want to change one of them alone. A dot product of `d_head` random terms has a spread of $\sqrt{d_\text{head}}$; the division keeps scores at a size at which softmax still listens.
#
# Write `attention_scores`. The biases `b_Q`, `b_K` are [head, d_head]. `each_head` is half of it; the other half is `query head d_head, key head d_head -> head query key`, with a batch. The check uses heads of 4 and of 5 entries: read `d_head` off a shape.
#
# Stuck? `hint("d1.0.13")`
# %% exercise="d1.0.13"
def attention_scores(q_input: torch.Tensor, k_input: torch.Tensor, weights: dict[str, torch.Tensor], layer: int):
    """Scores [batch, head, query, key], from what queries and keys read [batch, seq, d_model]; nothing is masked."""
    ### BEGIN SOLUTION
    name = f"blocks.{layer}.attn"
    q = each_head(q_input, weights[f"{name}.W_Q"]) + weights[f"{name}.b_Q"]
    k = each_head(k_input, weights[f"{name}.W_K"]) + weights[f"{name}.b_K"]
    return torch.einsum("b q h e, b k h e -> b h q k", q, k) / q.shape[-1] ** 0.5
    ### END SOLUTION
# %% check="d1.0.13" points=2
check("d1.0.13", attention_scores)
# %% [markdown]
# Now the patterns of the first layer can be seen, all eight at once, on the beginning of a story. Before that, a guess. Among the eight there is one head that looks at the token before, nearly always. How much of its attention does it give to it, on average?
# %%
predict("d1.0.p2", ..., "share of attention to the token before, in the head of layer 0 that does this most")
# %%
def reads(x: torch.Tensor, layer: int) -> torch.Tensor:
    """What the heads of a layer read of the stream x [batch, seq, d_model], before positions are added."""
    return layernorm(x, weights[f"blocks.{layer}.ln1.w"], weights[f"blocks.{layer}.ln1.b"])


row = tokens[:1, :48]
placed = with_positions(reads(embed(row, weights), 0), weights)
pattern = mask_future(attention_scores(placed, placed, weights, 0)).softmax(dim=-1)[0]
before = pattern.diagonal(-1, 1, 2).mean(dim=-1)  # [head]
measured("d1.0.p2", before.max())
names = [f"0.{head}" for head in range(8)]
plot.attention_heads(pieces(row[0, :32]), pattern[:, :32, :32], names, "Layer 0, the first 32 tokens")
# %% [markdown]
# **What you should see**: one head, 0.0, with a bright line just below the diagonal. It gives 91 % of its attention to the token before. (Training was told to make one such head rather than several; the model's card says how.) It is the first half of what day 2 is about. Point at a head to see it large, and in the large pattern at a cell to read its weight: the row is the token that asks, the column the token that is asked.
#
# *Learned*: queries and keys decide *where* a head looks. What it takes from there is another question.
# %% [markdown]
# ## d1.0.14 Attention
# ●●●●○ difficulty · ●●●●● importance · 10 minutes · ★
#
# Now all of it. Write `attention`: what the layer's heads write into the stream, [batch, seq, d_model].
#
# 1. The pattern: scores, masked, and softmax *over keys*.
# 2. Values from `v_input`, with `W_V` and `b_V`, as queries and keys were made.
# 3. `z`: for each head and query, the average of the values by the pattern. `head query key, key head d_head -> query head d_head`.
# 4. Through `W_O` [head, d_head, d_model], *summed over heads*, plus `b_O` [d_model], once.
#
# Step 4 is the reason why we may speak of heads at all: their outputs are added, so each of them has one. The check uses networks with two heads and with three.
#
# Stuck? `hint("d1.0.14")`
# %% exercise="d1.0.14"
def attention(
    q_input: torch.Tensor, k_input: torch.Tensor, v_input: torch.Tensor, weights: dict[str, torch.Tensor], layer: int
) -> torch.Tensor:
    """What the heads of a layer write together, [batch, seq, d_model], from what queries, keys and values read."""
    ### BEGIN SOLUTION
    name = f"blocks.{layer}.attn"
    pattern = mask_future(attention_scores(q_input, k_input, weights, layer)).softmax(dim=-1)
    v = each_head(v_input, weights[f"{name}.W_V"]) + weights[f"{name}.b_V"]
    z = torch.einsum("b h q k, b k h e -> b q h e", pattern, v)
    return torch.einsum("b q h e, h e d -> b q d", z, weights[f"{name}.W_O"]) + weights[f"{name}.b_O"]
    ### END SOLUTION
# %% check="d1.0.14" points=2
check("d1.0.14", attention)
# %% [markdown]
# Does it look ahead? One can test that from outside: exchange the last token, and see at which positions something changes.
# %%
other = row.clone()
other[0, 40:] = 7
outputs = []
for each in (row, other):
    read = reads(embed(each, weights), 0)
    outputs.append(attention(with_positions(read, weights), with_positions(read, weights), read, weights, 0)[0])
change = (outputs[0] - outputs[1]).abs().amax(dim=-1)
print("largest change up to position 39:", change[:40].max().item(), " from 40 on:", round(change[40:].max().item(), 2))
# %% [markdown]
# **What you should see**: exactly 0 up to position 39. Nothing before the change knows of it.
#
# *Learned*: a pattern says from where, `W_V` and `W_O` say what, and heads add.
# %% [markdown]
# ## d1.0.15 An MLP
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · ★
#
# Most transformers have an *MLP* after attention. It treats each position by itself: `W_in` [d_model, neuron], a bias, relu, `W_out` [neuron, d_model], a bias. Under `blocks.0.mlp.` the four are called `W_in`, `b_in`, `W_out`, `b_out`. Write `mlp`. (Others take gelu where we take relu; nothing else changes.) The check tries it on random weights, and on those of a trained network that we meet on day 4.
#
# The cell below the check writes the weights of two neurons by hand. What do they compute?
#
# Stuck? `hint("d1.0.15")`
# %% exercise="d1.0.15"
def mlp(x: torch.Tensor, weights: dict[str, torch.Tensor], layer: int) -> torch.Tensor:
    """What the MLP of a layer writes, [batch, seq, d_model], when it reads x [batch, seq, d_model]."""
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
plot.lines(line.tolist(), {"two neurons": curve.tolist()}, "Two neurons, weights by hand", "what goes in", "what comes out")
# %% [markdown]
# **What you should see**: the absolute value. One neuron is on to the right of 0, the other to the left. No matrix can do this, and without relu the two would cancel.
#
# *Learned*: neurons bend what matrices can only turn and stretch.
#
# > **Pair card.** Swap. The navigator asks: "Does this step let positions meet?" Explain back, for each of layernorm, attention and MLP: does it mix positions, and does it mix the entries of a vector? *Alone:* give the two neurons of the cell above biases such that the picture becomes flat between −1 and 1.
# %% [markdown]
# ## d1.0.16 A block
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · ★
#
# The vectors that run through the whole model are called the *residual stream*. A block never replaces them: it reads a normalised copy, and *adds* what it found.
#
# 1. Read the stream through `ln1` (`blocks.0.ln1.w`, `.b`). Queries and keys read this with positions, values read it without.
# 2. Add what attention writes to the stream.
# 3. If this layer has an MLP (layer 1 has one if `blocks.1.mlp.W_in` is among the weights), read the stream, as it is now, through `ln2`, and add what the MLP writes.
#
# Write `block`, for models with and without MLPs. One of the networks in the check has an MLP in its second layer only. Do not write into `x`: the caller may still need it.
#
# Stuck? `hint("d1.0.16")`
# %% exercise="d1.0.16"
def block(x: torch.Tensor, weights: dict[str, torch.Tensor], layer: int) -> torch.Tensor:
    """The residual stream [batch, seq, d_model] after a block, from the stream before it."""
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
print("mean length of a vector:", [f"{stream.norm(dim=-1).mean():.1f}" for stream in streams])
# %% [markdown]
# **What you should see**: the stream grows from 2 to 38, and then to 52. Blocks write much more into it than the token's own vector, which is still there, as one term of the sum.
#
# *Learned*: a stream to which everybody adds is a sum, and a sum can be taken apart. Parts 2 to 4 live from that.
# %% [markdown]
# ## d1.0.17 Logits
# ●●○○○ difficulty · ●●●●○ importance · 4 minutes · ★
#
# At the end the stream is read once more, through `ln_final`, and multiplied by the *unembedding* `unembed.W_U` [d_model, d_vocab]. That gives a number for each token of the vocabulary, at each position: the *logits* for the token that comes next. Write `unembed`. The check uses a smaller network.
#
# Stuck? `hint("d1.0.17")`
# %% exercise="d1.0.17"
def unembed(x: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """The logits [batch, seq, d_vocab] of a residual stream [batch, seq, d_model]."""
    ### BEGIN SOLUTION
    return apply_matrix(layernorm(x, weights["ln_final.w"], weights["ln_final.b"]), weights["unembed.W_U"])
    ### END SOLUTION
# %% check="d1.0.17" points=1
check("d1.0.17", unembed)
# %% [markdown]
# Nothing forbids us to read the stream *earlier*, with the same unembedding. What would the model say after each block, at the end of the first forty tokens?
# %%
print(repr(model.decode(tokens[0, 1:40])), "...")
for when, stream in zip(("embedding", "block 0", "block 1"), streams, strict=True):
    probabilities = unembed(stream, weights)[0, 39].softmax(dim=-1)
    best = probabilities.topk(4)
    guesses = zip(pieces(best.indices), best.values.tolist(), strict=True)
    print(f"after {when:9}", ", ".join(f"{piece!r} {share:.2f}" for piece, share in guesses))
# %% [markdown]
# **What you should see**: from the embedding alone, letters that would turn " a" into the beginning of a longer word; after block 0, words and syllables that may follow it; after block 1, other guesses of that kind, none of them sure. What the dormibell was bought for is anybody's guess.
#
# *Learned*: logits are dot products of a direction with one vector for each token, and the stream has a direction at every depth.
# %% [markdown]
# ## d1.0.18 The whole
# ●●○○○ difficulty · ●●●●● importance · 5 minutes · ★
#
# All the parts are there. Write `transformer`: embed, the blocks one after another, unembed. The number of blocks is not an argument: `n_layers` reads it off the names. The check runs it on small networks with random weights, of one to three layers, with and without MLPs, and on the real one.
#
# Stuck? `hint("d1.0.18")`
# %%
def n_layers(weights: dict[str, torch.Tensor]) -> int:
    """How many blocks these weights belong to."""
    return len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
# %% exercise="d1.0.18"
def transformer(tokens: torch.Tensor, weights: dict[str, torch.Tensor]) -> torch.Tensor:
    """The logits [batch, seq, d_vocab] for what follows each of tokens [batch, seq]."""
    ### BEGIN SOLUTION
    x = embed(tokens, weights)
    for layer in range(n_layers(weights)):
        x = block(x, weights, layer)
    return unembed(x, weights)
    ### END SOLUTION
# %% check="d1.0.18" points=2
check("d1.0.18", transformer)
# %% [markdown]
# The library has the same model as a torch module. Two programs for one network, by different people: how far apart are their logits, at most, over all tokens of the stories? Write a power of ten, −3 for 0.001.
# %%
predict("d1.0.p3", ..., "largest difference between our logits and the library's, as a power of ten")
# %%
logits = transformer(tokens, weights)
library_logits = model.module()(tokens)
gap = (logits - library_logits).abs().max().item()
measured("d1.0.p3", math.log10(gap))
print(f"at most {gap:.0e} apart, where logits are up to {logits.abs().max():.0f}")
# %% [markdown]
# **What you should see**: about 3 × 10⁻⁵, on logits of up to 33. That is rounding, and below the 10⁻⁴ that the check allows; part 3 has the full account of such numbers. Twelve of our functions are a language model.
#
# *Learned*: a whole is tested against another whole, once each part has been tested by itself.
#
# > **Pair card.** Swap. The navigator asks: "If the logits were wrong, which function would you suspect first, and how would you find out?" Explain back: follow one token from its number to the logits, naming every weight on the way. *Alone:* draw the model as a stream with arrows out of it and into it.
# %% [markdown]
# ## d1.0.19 How surprised is it?
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · ★
#
# A language model is judged by the probability that it gave to what came. The *loss* of a token is $-\log p$: 0 if it was certain of it, more if it was surprised. With the natural logarithm its unit is the *nat*.
#
# Write `loss_per_token` [batch, seq − 1]. The one trap is an off-by-one: the logits at position i are about token i + 1. So the last logits have nothing to be compared with, and the first token is predicted by nobody. `logits.log_softmax(dim=-1)` gives all log-probabilities, and `gather` picks one along an axis.
#
# Stuck? `hint("d1.0.19")`
# %% exercise="d1.0.19"
def loss_per_token(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The loss in nats [batch, seq - 1] of each token but the first, of logits [batch, seq, d_vocab]."""
    ### BEGIN SOLUTION
    says = logits[:, :-1].log_softmax(dim=-1)
    return -says.gather(-1, tokens[:, 1:, None]).squeeze(-1)
    ### END SOLUTION
# %% check="d1.0.19" points=2
check("d1.0.19", loss_per_token)
# %% [markdown]
# A model that gives each of 1,024 tokens the same probability has a loss of $\ln 1024 = 6.93$ nats. What is our model's, averaged over the new stories?
# %%
predict("d1.0.p4", ..., "nats per token, our model on new stories")
# %%
losses = loss_per_token(logits, tokens)
per_row = losses.mean(dim=1)  # rows are the independent pieces of evidence
loss, error = per_row.mean().item(), per_row.std().item() / len(per_row) ** 0.5
measured("d1.0.p4", loss, error)
plot.tokens(pieces(tokens[2]), [None, *losses[2].tolist()], "Loss per token", "nats")
# %% [markdown]
# **What you should see**: a loss of 1.44, and very unequal. Look for the *dormibell*, an animal or thing that nobody has heard of before this story. Its five pieces cost 14.8 nats where the row first names it, and 5.2 the second time; and of these nearly all is for the first piece. Once it has begun, the model knows how the word goes on. How does it know? That is the question of day 2.
#
# *Learned*: a mean loss hides where the surprise is.
# %% [markdown]
# ## d1.0.20 Is that good?
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · ★
#
# A number needs something beside it. The uniform model is the worst one worth naming. The next one up knows how frequent each token is, and nothing else: the *unigram* model. It gives the same prediction everywhere.
#
# Write `unigram`: from tokens of any shape, the log-probability of each of `d_vocab` tokens. Add 1 to every count, so that a token that was not seen is not impossible: one surprise of $-\log 0$ would make the whole loss infinite. `torch.bincount(..., minlength=d_vocab)` counts. The check uses vocabularies of 5 to 9 tokens.
#
# Stuck? `hint("d1.0.20")`
# %% exercise="d1.0.20"
def unigram(tokens: torch.Tensor, d_vocab: int) -> torch.Tensor:
    """Log-probabilities [d_vocab] by how often each token occurs in tokens, with 1 added to every count."""
    ### BEGIN SOLUTION
    counts = torch.bincount(tokens.flatten(), minlength=d_vocab) + 1
    return (counts / counts.sum()).log()
    ### END SOLUTION
# %% check="d1.0.20" points=1
check("d1.0.20", unigram)
# %% [markdown]
# It is counted on other stories than it is judged on, as our model was.
# %%
others = text.sequences("\n\n".join(stories.tell(200, seed=1)), model.tokenize, seq=128, start=0)["tokens"]
frequency = unigram(others[:, 1:], 1024)
by_frequency = -frequency[tokens[:, 1:]].mean(dim=1)
table = {
    "uniform": (math.log(1024), 0.0),
    "unigram": (by_frequency.mean().item(), by_frequency.std().item() / len(by_frequency) ** 0.5),
    "our model": (loss, error),
}
print({name: f"{mean:.2f} ± {spread:.2f}" for name, (mean, spread) in table.items()})
plot.bars({"loss": table}, "Three models on the same stories", "loss (nats per token)", "model")
# %% [markdown]
# **What you should see**: 6.93, 5.82 and 1.44. Each nat is a factor of 2.7: the uniform model is as unsure as somebody who chooses among 1,024 tokens, and ours as somebody who chooses among four. These stories are easy reading: they are told by a program, from a stock of sentences, and what is new in each of them are the names.
#
# *Learned*: a loss means something beside a baseline.
#
# > **Pair card.** Swap. The navigator asks: "What does the better model know that the worse one does not?" Explain back: why must the unigram model not be counted on the text that it is judged on? *Alone:* think of a baseline between unigram and ours, and guess its loss.
# %% [markdown]
# ## d1.0.21 Let it write
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · ★
#
# A model that predicts a token can write: take its prediction as the next token, and ask again. To be *greedy* is to take the likeliest one each time. Write `write_greedily`. `run` gives logits [batch, seq, d_vocab] for tokens [batch, seq]; the text comes as [seq], so it needs a batch axis on the way in. Return the whole text, with the `n` tokens that were added.
#
# Stuck? `hint("d1.0.21")`
# %% exercise="d1.0.21"
def write_greedily(run, tokens: torch.Tensor, n: int) -> torch.Tensor:
    """Tokens [seq + n]: the text [seq], and n tokens, each the likeliest one after all that stands before it."""
    ### BEGIN SOLUTION
    for _ in range(n):
        likeliest = run(tokens[None])[0, -1].argmax()
        tokens = torch.cat([tokens, likeliest[None]])
    return tokens
    ### END SOLUTION
# %% check="d1.0.21" points=1
check("d1.0.21", write_greedily)
# %% [markdown]
# We give it the beginning of a story. How many *different* tokens will there be among the hundred that it adds?
# %%
predict("d1.0.p5", ..., "different tokens among 100 chosen greedily")
# %%
beginning = torch.cat([torch.tensor([0]), model.tokenize("One morning, old Tamsel Brune found a letter under the door.")])
greedy = write_greedily(lambda tokens: transformer(tokens, weights), beginning, 100)
measured("d1.0.p5", len(set(greedy[len(beginning) :].tolist())))
print(model.decode(greedy[1:]))
# %% [markdown]
# **What you should see**: sixty different ones. It writes English of a kind, does not come back to Tamsel Brune, ends the story, and begins another one with the same Illis in it, who says much the same again.
#
# *Learned*: the likeliest next token, again and again, is not a likely text.
# %% [markdown]
# ## d1.0.22 Sample
# ●●○○○ difficulty · ●●●○○ importance · 6 minutes · ★
#
# The model says how probable each token is; so *draw* the next one. A *temperature* T divides the logits before softmax: below 1 the likely tokens get likelier still, above 1 the draw becomes more even, near 0 it is greedy. (Think about why dividing *probabilities* would change nothing.)
#
# Write `sample_next`: one token, a whole number, drawn by the logits [d_vocab] at this temperature. `torch.multinomial(probabilities, 1, generator=generator)` draws; with the generator, whoever has its seed can repeat the draw.
#
# Stuck? `hint("d1.0.22")`
# %% exercise="d1.0.22"
def sample_next(logits: torch.Tensor, temperature: float, generator: torch.Generator) -> int:
    """A token drawn from softmax(logits / temperature), logits [d_vocab]."""
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
# **What you should see**: at 0.3 it may go round in circles, at 1 it makes new words, at 2 it is a salad of syllables. Look whether it keeps the name that it was given.
#
# *Learned*: what a model says and how we draw from it are two things.
#
# > **Pair card.** Swap for the last time. The navigator asks: "Is this the model's doing, or that of the draw?" Explain back: what happens to the probabilities of two tokens whose logits differ by 2, at T = 0.5, 1 and 2? *Alone:* find a temperature at which you would show the text to somebody.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · ★
#
# Close the page above, or look away. Answer with a number, a letter, or one of the listed words: `recall = {"summed": ..., "scale": ..., "softmax": ..., "positions": ..., "predicts": ...}`
#
# 1. `summed`: which letter does `torch.einsum("b i, i o -> b o", x, matrix)` sum over? (a letter)
# 2. `scale`: attention scores are divided by the square root of one size of the model. Is it `"d_model"`, `"d_head"`, `"d_vocab"` or `"n_ctx"`?
# 3. `softmax`: in a pattern, do the weights add up to 1 over `"queries"` or over `"keys"`?
# 4. `positions`: which of the three do *not* read positions in our model: `"queries"`, `"keys"` or `"values"`?
# 5. `predicts`: the logits at position 5 are about the token at which position? (a number)
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
# ## What we have
#
# A transformer, in functions that can be read in one sitting, with the logits of the real one. The names stay with us: a stream that is read and added to, queries, keys, values, heads that add, logits. Part 1 leaves it aside for two much smaller networks, and asks how one finds out what a network *does*; in part 4 we come back to this model, as a graph.
