# %% [markdown]
# # Day 2, part 3: the circuit in the weights
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# So far we have watched: where heads look on this text and on that one, and what is lost without them. In this part we run no text, or nearly none. A head is four matrices, and whatever it does on any text stands in them. We ask them three questions. Does an induction head copy what it looks at? Does head 0.0 look back by one for reasons of position alone? And who tells head 1.1 where to look? For each there is a figure from the literature, and one of ours will be far off from it, until we see what it measures.
#
# **After this part we can**
# - work with a matrix of 1,024 × 1,024, or 50,000 × 50,000, that is a product of thin ones, without ever making it;
# - read a head's OV circuit (accuracy, eigenvalues) and QK circuit, from tokens, from positions and through another head;
# - take an attention score apart by who wrote the query and who wrote the key;
# - compute composition scores, and say what chance would give, and how far it would stray.
#
# **Time**: about 105 minutes without the ★ exercise.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*: "Copying / primitive in-context learning" and "Summarizing OV/QK matrices" for d2.3.3 to d2.3.7, "Two-layer attention-only transformers" for d2.3.9 to d2.3.12. Olsson et al. 2022, *In-context Learning and Induction Heads*, the appendix on composition, can wait until tonight.
# %%
import time
from typing import NamedTuple

import torch
from remix_utils import check, evaluate, find, find_one, hint, models, plot, show, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import FactoredMatrix, composition, composition_baseline, current_token
from remix_utils.tasks import repeated, stories

start_at("d2.3")  # to rejoin the room: start_at("d2.3.4") brings every name that the rest of this part reads
# %%
model = models.load("induction-2l")
weights = model.weights
INDUCTION, PREVIOUS = (1, 3), 0  # heads 1.1 and 1.3 of layer 1, head 0.0 of layer 0
HEADS = [(layer, head) for layer in range(2) for head in range(8)]
print({name: list(weights[f"blocks.1.attn.W_{name}"].shape) for name in "QKVO"}, "[head, in, out]")
print("one table from token to token:", 1024**2, "numbers; the thin matrices of one head:", 2 * 1024 * 32)
# %% [markdown]
# ## Thin matrices
#
# A head reads the stream, 256 numbers, through 32 columns of $W_V$, and writes through 32 rows of $W_O$. Whatever stands to the left and right of them, the product has rank 32. From token to token it would be a table of a million numbers, and for GPT-2 of two and a half thousand million. All of it is in two thin matrices, and so are its products, its norm, its trace and its eigenvalues, if one never multiplies them out. `Factors` holds such a pair. In this part a check also watches what you *make*: a matrix of the size of the table is a wrong answer, however right its numbers.
# %%
class Factors(NamedTuple):
    """The matrix A B [rows, columns], of rank r at most, kept as A [rows, r] and B [r, columns]."""

    A: torch.Tensor
    B: torch.Tensor
# %% [markdown]
# ## d2.3.1 A product of products
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Two heads in a row are a product of two such matrices, $(A B)(C D)$. It is thin again. Bracketed as $A\,(B C)\,D$, the middle is a small square, or nearly; it can be taken into either side. One choice keeps the inner width of the first pair (the number of columns of its A), the other that of the second pair.
#
# Write `product`: the factors of the product, with the smaller of the two inner widths. So a chain of heads never becomes thicker than its thinnest member.
#
# Stuck? `hint("d2.3.1")`
# %% exercise="d2.3.1"
def product(first: Factors, second: Factors) -> Factors:
    """The factors of (first.A first.B)(second.A second.B), of the smaller rank of both."""
    ### BEGIN SOLUTION
    middle = first.B @ second.A
    if first.A.shape[1] <= second.A.shape[1]:
        return Factors(first.A, middle @ second.B)
    return Factors(first.A @ middle, second.B)
    ### END SOLUTION
# %% check="d2.3.1" points=1
check("d2.3.1", product)
# %% [markdown]
# ## d2.3.2 How large is it?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# The size of a matrix is its Frobenius norm: the root of the sum of the squares of all entries. Composition scores, at the end of this part, are made of nothing else. There are a million entries, and we do not want to make them.
#
# Two facts help. The sum of the squares of all entries of $M$ is $\mathrm{tr}(M^T M)$. And under a trace, factors may be moved from one end to the other: $\mathrm{tr}(X Y) = \mathrm{tr}(Y X)$. Write $M = A B$, and move factors until only small squares are left.
#
# Stuck? `hint("d2.3.2")`
# %% exercise="d2.3.2"
def norm(matrix: Factors) -> torch.Tensor:
    """The Frobenius norm of the product, a scalar, by matrices no larger than its factors."""
    ### BEGIN SOLUTION
    left, right = matrix.A.T @ matrix.A, matrix.B @ matrix.B.T  # [r, r] each
    return (left * right).sum().sqrt()
    ### END SOLUTION
# %% check="d2.3.2" points=1
check("d2.3.2", norm)
# %%
big = Factors(torch.randn(50_000, 32), torch.randn(32, 50_000))
start = time.perf_counter()
length = norm(big)
print(f"the norm of 2,500,000,000 numbers is {length:.0f}; it took {time.perf_counter() - start:.3f} s")
# %% [markdown]
# **What you should see**: a norm near 283,000, which is $\sqrt{32} \times 50{,}000$, in far less than a second. As one table of 32-bit numbers the matrix would take 10 gigabytes.
#
# *Learned*: what a thin matrix is can be asked of its factors.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "What is the largest matrix that this line makes?", at every line. Explain back to each other: why is the norm of $A B$ not the norm of $A$ times that of $B$? *Alone:* find the smallest example in which it is not, two vectors will do.
# %% [markdown]
# ## d2.3.3 From token to logits
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# If a head looks at this token, which logits does it raise? That is the full OV circuit, $W_E W_V W_O W_U$, with a row for each token that is looked at and a column for each logit. Yesterday, in d1.4.10, we left layernorms out. Now we take them in, as far as weights can. A layernorm centres a vector, divides by its scale, and multiplies by its own weight `w`. Centring and `w` are the same whatever the vector is, so they belong to the matrix that reads the result: `folded` gives that matrix. What is left out is the scale, one number for each position, and the biases.
#
# Write `full_ov`: the circuit of one head, as factors with 32 columns between them. What does $W_V$ read the stream through, and what does $W_U$?
#
# Stuck? `hint("d2.3.3")`
# %%
def folded(weights: dict[str, torch.Tensor], layernorm: str, matrix: torch.Tensor) -> torch.Tensor:
    """A matrix [d_model, n] that reads what a layernorm says, as one that reads the stream itself, but for its scale."""
    matrix = weights[f"{layernorm}.w"][:, None] * matrix
    return matrix - matrix.mean(0)
# %% exercise="d2.3.3"
def full_ov(weights: dict[str, torch.Tensor], layer: int, head: int) -> Factors:
    """The full OV circuit [d_vocab, d_vocab] of a head, as factors [d_vocab, d_head] and [d_head, d_vocab]."""
    ### BEGIN SOLUTION
    W_V = folded(weights, f"blocks.{layer}.ln1", weights[f"blocks.{layer}.attn.W_V"][head])
    W_U = folded(weights, "ln_final", weights["unembed.W_U"])
    return Factors(weights["embed.W_E"] @ W_V, weights[f"blocks.{layer}.attn.W_O"][head] @ W_U)
    ### END SOLUTION
# %% check="d2.3.3" points=2
check("d2.3.3", full_ov)
# %%
words = sorted({f" {word}" for word in " ".join(stories.tell(20, seed=3)).split()})
kinds = [tokens for tokens in map(model.tokenize, words) if len(tokens) == 1][:16]
kinds = torch.cat(kinds)
circuit = full_ov(weights, 1, 3)
shown = [repr(model.decode(token[None])) for token in kinds]
title = "The OV circuit of head 1.3, on sixteen words"
plot.heatmap(circuit.A[kinds] @ circuit.B[:, kinds], shown, shown, title, "logit / scale", "its logit", "looked at")
# %% [markdown]
# **What you should see**: sixteen rows of the table, made from sixteen rows of the one factor and sixteen columns of the other. On the diagonal, where a word raises its own logit, all sixteen entries are blue; but only eight are the largest of their rows.
#
# *Learned*: a layernorm's weights belong to whoever reads it.
# %% [markdown]
# ## d2.3.4 Does it copy?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# "The head copies" can be made a number: in how many rows of the table is the entry on the diagonal the largest? That is the copying accuracy, top-1; with the five largest of each row it is top-5. Chance would give one in 1,024, or five.
#
# Write `copying_accuracy`. A row can only be ranked when it is made, so some of the table has to be made: take 128 rows at a time.
#
# Stuck? `hint("d2.3.4")`
# %% exercise="d2.3.4"
def copying_accuracy(circuit: Factors, k: int = 1) -> float:
    """The share of rows [d_vocab] in which the entry on the diagonal is among the k largest."""
    ### BEGIN SOLUTION
    hits = 0
    for rows in torch.arange(len(circuit.A)).split(128):
        largest = (circuit.A[rows] @ circuit.B).topk(k).indices
        hits += (largest == rows[:, None]).sum().item()
    return hits / len(circuit.A)
    ### END SOLUTION
# %% check="d2.3.4" points=2
check("d2.3.4", copying_accuracy)
# %% [markdown]
# ## d2.3.5 Two heads at once
# ●●○○○ difficulty · ●●●○○ importance · 4 minutes · core
#
# Heads 1.1 and 1.3 look at the same place, so what the logits see is the *sum* of their circuits. Write `both`: the sum of two matrices, as factors. Nothing has to be multiplied.
#
# In a study of another two-layer model, the better induction head had a top-1 accuracy of 31 %, and the pair of them 96 %. Together they did far more than either. Ours are an induction pair too. What will the pair reach, top-1?
#
# Stuck? `hint("d2.3.5")`
# %% exercise="d2.3.5"
def both(first: Factors, second: Factors) -> Factors:
    """The factors of the sum of two matrices of one shape."""
    ### BEGIN SOLUTION
    return Factors(torch.cat([first.A, second.A], 1), torch.cat([first.B, second.B]))
    ### END SOLUTION
# %% check="d2.3.5" points=1
check("d2.3.5", both)
# %%
predict("d2.3.p1", ..., "copying accuracy of heads 1.1 and 1.3 together, top-1, in % (published, another model: 96)")
# %%
pair = both(full_ov(weights, 1, 1), full_ov(weights, 1, 3))
circuits = {"1.1": full_ov(weights, 1, 1), "1.3": full_ov(weights, 1, 3), "both": pair, "1.0": full_ov(weights, 1, 0)}
from_embedding = {name: [100 * copying_accuracy(each, k) for k in (1, 5)] for name, each in circuits.items()}
for name, (top1, top5) in from_embedding.items():
    print(f"head {name:>4}: top-1 {top1:4.1f} %, top-5 {top5:4.1f} %")
print("published, of another model: one head 31 %, both 96 %, top-1")
measured("d2.3.p1", from_embedding["both"][0])
# %% [markdown]
# **What you should see**: 9.0 % and 8.7 %, and 17.9 % for the pair; top-5, 41.3 %. That is a hundred times chance, and a fifth of the published figure. Yet on repeated tokens these two heads do copy, nearly always. So either they do not do it in the way that we think, or the table does not describe what they read.
#
# *Learned*: a figure that disagrees with the behaviour is a question, not yet an answer.
#
# > **Pair card.** Swap. The navigator asks: "This table begins with the embedding. Who else writes to the stream before head 1.3 reads it?" Explain back: why are the factors of a sum put side by side, and what would come out if they were added? *Alone:* write down, before you read on, two reasons why the table could be so much worse than the head.
# %% [markdown]
# ## d2.3.6 What the head really reads
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# Head 1.3 does not read the embedding. It reads the stream *after layer 0*, and eight heads have written to it. What they write depends on the text; on the average over many texts, what is left is what they write about the token itself. So here is another table to begin with: for each token, the mean of the stream after layer 0 at all places where that token stands.
#
# Write `stream_by_token`. A loop over 1,024 tokens is right and slow; `index_add_` is quick. Mind what `table[tokens] += stream` does with a token that occurs twice. A token that never occurs keeps zeros.
#
# Stuck? `hint("d2.3.6")`
# %% exercise="d2.3.6"
def stream_by_token(stream: torch.Tensor, tokens: torch.Tensor, d_vocab: int) -> torch.Tensor:
    """For each token the mean [d_vocab, d_model] of the stream [batch, seq, d_model] where it stands [batch, seq]."""
    ### BEGIN SOLUTION
    total = torch.zeros(d_vocab, stream.shape[-1]).index_add_(0, tokens.flatten(), stream.flatten(0, 1))
    count = tokens.flatten().bincount(minlength=d_vocab)
    return total / count.clamp(min=1)[:, None]
    ### END SOLUTION
# %% check="d2.3.6" points=2
check("d2.3.6", stream_by_token)
# %% [markdown]
# We take the mean over 640 rows of 64 uniformly random tokens: about 40 places for each token, and no text at all. The rest of the circuit stays. What will the pair's accuracy be when the table begins with this mean, instead of the embedding?
# %%
predict("d2.3.p2", ..., "copying accuracy of both heads, top-1, in %, from the stream after layer 0")
# %%
random_rows = torch.randint(1024, (640, 64), generator=torch.Generator().manual_seed(0))
graph = model.graph(seq=64)
stream = evaluate(find_one(graph, "blocks.0.resid_post"), {"tokens": random_rows})
table = stream_by_token(stream, random_rows, 1024)
W_V1 = [folded(weights, "blocks.1.ln1", weights["blocks.1.attn.W_V"][head]) for head in range(8)]
after_layer_0 = {f"1.{head}": Factors(table @ W_V1[head], full_ov(weights, 1, head).B) for head in range(8)}
after_layer_0["both"] = both(after_layer_0["1.1"], after_layer_0["1.3"])
from_stream = {name: [100 * copying_accuracy(each, k) for k in (1, 5)] for name, each in after_layer_0.items()}
measured("d2.3.p2", from_stream["both"][0])
groups = {"from the embedding": from_embedding, "from the stream after layer 0": from_stream}
rows = {name: {head: value[head][0] for head in ("1.1", "1.3", "both", "1.0")} for name, value in groups.items()}
plot.bars(rows, "Copying accuracy, by what the circuit reads", "top-1 (%)", "head")
# %%
own = current_token(model, random_rows[:20])
print("attention to the current token:", {f"0.{head}": round(own.mean[0, head].item(), 2) for head in range(8)})
# %% [markdown]
# **What you should see**: 98.2 % and 98.4 %, and 99.9 % for the pair; head 1.0 stays below 1 %. The heads copy as well as anything can. It was the table that left something out: heads 0.4, 0.6 and 0.7 look at their own token, with 0.86, 0.97 and 0.98 of their attention on these rows, and write it anew, in a direction that layer 1 reads. In this model a token's identity comes to layer 1 in a rewritten form.
#
# The published pair reaches 96 % from the embedding itself, so in that model layer 1 reads what the embedding says. Ours was trained otherwise: seven heads of layer 0 paid for attention to the previous token (it says so on the model's card). Whether that made three of them look at their own token, nobody has tried.
#
# *Learned*: "full" OV circuit means from token to logit by *one* path. Ask what the path leaves out.
# %% [markdown]
# ## d2.3.7 The same question to eigenvalues
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# There is a summary without ranks. If a matrix has an eigenvector with a positive eigenvalue, then that mixture of tokens raises its own logits; with a negative one it lowers them. So $\sum \lambda / \sum |\lambda|$ is 1 where all is copied, −1 where all is suppressed, and near 0 for a matrix that has nothing to do with copying. Of the 1,024 eigenvalues of $A B$ all but 32 are zero, and the others are those of a small matrix: if $A B v = \lambda v$, then $B A$ does what to $B v$?
#
# Write `eigenvalue_statistic`, from `torch.linalg.eigvals` of the small matrix. Eigenvalues are complex; $|\lambda|$ is their length, and those that are not real come in pairs, so that the sum is.
#
# Head 1.3 has an accuracy of 8.7 % from the embedding. What is the statistic of the same circuit?
#
# Stuck? `hint("d2.3.7")`
# %% exercise="d2.3.7"
def eigenvalue_statistic(circuit: Factors) -> float:
    """Σ λ / Σ |λ| over the eigenvalues of A B, between −1 and 1, from a matrix no larger than [r, r]."""
    ### BEGIN SOLUTION
    values = torch.linalg.eigvals(circuit.B @ circuit.A)
    return (values.sum().real / values.abs().sum()).item()
    ### END SOLUTION
# %% check="d2.3.7" points=2
check("d2.3.7", eigenvalue_statistic)
# %%
predict("d2.3.p3", ..., "Σλ/Σ|λ| of head 1.3's full OV circuit, from the embedding")
# %%
statistic = torch.tensor([eigenvalue_statistic(full_ov(weights, *place)) for place in HEADS]).reshape(2, 8)
measured("d2.3.p3", statistic[1, 3])
both_ways = {head: eigenvalue_statistic(after_layer_0[head]) for head in ("1.1", "1.3")}
print("from the stream after layer 0:", {head: round(value, 3) for head, value in both_ways.items()})
plot.heads(statistic, "Eigenvalues of the full OV circuit, from the embedding", "Σλ / Σ|λ|")
# %% [markdown]
# **What you should see**: 0.77 for both induction heads, and no other above 0.35. From the stream after layer 0 it is 0.999. So the statistic finds the two heads where top-1 accuracy was 9 %: on the average over directions the circuit copies, and in single rows something else is often a little larger. Elhage et al. count 10 of 12 heads of a one-layer model as copying, by this statistic; of our sixteen, two.
#
# *Learned*: an average over directions and a race in each row are two claims. Say which one you make.
#
# > **Pair card.** Swap. The navigator asks: "Which matrix has these eigenvalues, and how large is it?" Explain back: how can a matrix be nearly all 'copying' by eigenvalues, and copy one token in eleven? *Alone:* make a 3 × 3 matrix with the statistic 1 and an accuracy of 0.
# %% [markdown]
# ## d2.3.8 Head 0.0 by positions alone
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Now the other kind of circuit: who looks where. In this model positions are added to what queries and keys read, after the layernorm, so they have a QK circuit to themselves: $W_{pos} W_Q W_K^T W_{pos}^T / \sqrt{d_{head}}$, a score for each pair of places. If head 0.0 looks back by one *because of positions*, then softmax of these scores, with the future hidden, puts the attention on the diagonal below the main one.
#
# Write `positional_pattern`: the pattern that positions alone would make. There are no tokens in it, and no layernorm either.
#
# Stuck? `hint("d2.3.8")`
# %% exercise="d2.3.8"
def positional_pattern(weights: dict[str, torch.Tensor], layer: int, head: int, seq: int) -> torch.Tensor:
    """The attention pattern [query, key] of a head from the positions of `seq` tokens alone."""
    ### BEGIN SOLUTION
    places = weights["pos_embed.W_pos"][:seq]
    query, key = (places @ weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QK")
    scores = query @ key.T / key.shape[1] ** 0.5
    future = torch.ones(seq, seq, dtype=torch.bool).triu(1)
    return scores.masked_fill(future, float("-inf")).softmax(-1)
    ### END SOLUTION
# %% check="d2.3.8" points=2
check("d2.3.8", positional_pattern)
# %% [markdown]
# The *sub-diagonal mass* is the mean of the attention that each query gives to the place before it. For head 0.0 and 64 places: how much?
# %%
predict("d2.3.p4", ..., "sub-diagonal mass of head 0.0 from positions alone, 64 places, from 0 to 1")
# %%
def below_diagonal(pattern: torch.Tensor) -> float:
    """The mean attention to the place before, over the queries that have one."""
    return pattern.diagonal(-1).mean().item()


mass = torch.tensor([below_diagonal(positional_pattern(weights, *place, seq=64)) for place in HEADS]).reshape(2, 8)
measured("d2.3.p4", mass[0, 0])
longer = {seq: below_diagonal(positional_pattern(weights, 0, 0, seq)) for seq in (64, 128, 320)}
print("head 0.0, by the number of places:", {seq: round(value, 2) for seq, value in longer.items()})
places = [str(place) for place in range(24)]
title = "Head 0.0 by positions alone, the first 24 of 64 places"
plot.heatmap(positional_pattern(weights, 0, 0, 64)[:24, :24], places, places, title, "attention", "key", "query")
# %% [markdown]
# **What you should see**: one thin line. Positions alone give head 0.0 a sub-diagonal mass of 0.91; no other head has more than 0.26. It looks back by one whatever the words are. Over 320 places it is 0.79: further out, neighbouring places are harder to tell apart. This head was *made* to look back, by a term in the first 500 steps of the loss (the card says how); that it does so by positions, and how well, the weights decided.
#
# *Learned*: a pattern that needs no tokens can be read off the weights, and holds for texts that nobody has written.
# %% [markdown]
# ## d2.3.9 Who wrote the query, and who wrote the key?
# ●●●●○ difficulty · ●●●●● importance · 14 minutes · core
#
# An attention score is a product of a query and a key, and each of them is a sum: of what the embedding wrote, each head of layer 0, and the positions. So a score is a sum over *pairs* of sources, and each pair has its share. Which pair makes head 1.1 look at the token that came next?
#
# `sources` gives the parts of what layer 1's queries and keys read, ten for each position: the embedding, eight heads, and the rest (positions and all biases before $W_Q$ and $W_K$). The scale of the layernorm is held, as in d1.4.4, so that they sum. Write `scores_by_source`: for each pair of sources the scores [query, key] of one head. $b_Q$ and $b_K$ belong to nobody: let the last source, the rest, carry them. Do not hide the future.
#
# Stuck? `hint("d2.3.9")`
# %%
SOURCES = ["embedding", *(f"0.{head}" for head in range(8)), "the rest"]


def sources(model, tokens: torch.Tensor) -> torch.Tensor:
    """What layer 1's queries and keys read, by who wrote it [source, batch, seq, d_model]; it sums to `q_input`."""
    graph = split(model.graph(seq=tokens.shape[1]), "blocks.0.attn_out", "head")
    names = ["embed", *(f"blocks.0.attn.head.{head}.out" for head in range(8)), "blocks.1.resid_pre", "blocks.1.q_input"]
    *parts, stream, read = evaluate([find_one(graph, name) for name in names], {"tokens": tokens})
    parts = torch.stack(parts)
    scale = (stream.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    normed = (parts - parts.mean(-1, keepdim=True)) / scale * model.weights["blocks.1.ln1.w"]
    return torch.cat([normed, (read - normed.sum(0))[None]])
# %% exercise="d2.3.9"
def scores_by_source(weights: dict[str, torch.Tensor], layer: int, head: int, parts: torch.Tensor) -> torch.Tensor:
    """Scores [query source, key source, query, key] of one text, from what the layer reads [source, seq, d_model]."""
    ### BEGIN SOLUTION
    sides = []
    for letter in "QK":
        side = parts @ weights[f"blocks.{layer}.attn.W_{letter}"][head]
        side[-1] += weights[f"blocks.{layer}.attn.b_{letter}"][head]
        sides.append(side)
    return torch.einsum("aqd,bkd->abqk", *sides) / side.shape[-1] ** 0.5
    ### END SOLUTION
# %% check="d2.3.9" points=3
check("d2.3.9", scores_by_source)
# %% [markdown]
# We take twenty rows of 25 random tokens, said twice. For each query in the second copy we compare the score of the right place, one after where this token stood before, with the mean score of all places that it may look at. In units of the score, as it goes into softmax: by which pair of sources is the right place ahead? Write two names, such as "embedding, 0.6": first who wrote the query, then who wrote the key.
# %%
predict("d2.3.p5", ..., "the pair of sources that contributes most, such as 'embedding, 0.6'")
# %%
LENGTH = 25
said_twice = repeated.draw(20, LENGTH, 1024, start=0, seed=0)["tokens"]
parts = sources(model, said_twice)
seen = torch.ones(parts.shape[2], parts.shape[2]).tril()
second = torch.arange(LENGTH + 2, 2 * LENGTH + 1)


def ahead(scores: torch.Tensor) -> torch.Tensor:
    """By how much the right place's score [..., query, key] exceeds the mean of those allowed, in the second copy."""
    mean = (scores * seen).sum(-1) / seen.sum(-1)
    return (scores[..., second, second - LENGTH + 1] - mean[..., second]).mean(-1)


lead = {head: torch.stack([ahead(scores_by_source(weights, 1, head, parts[:, row])) for row in range(20)])
        for head in INDUCTION}
by_pair = lead[1].mean(0)
best = divmod(int(by_pair.argmax()), len(SOURCES))
measured("d2.3.p5", f"{SOURCES[best[0]]}, {SOURCES[best[1]]}")
for head, value in lead.items():
    whole_lead = value.sum((1, 2))
    print(f"1.{head}: the right place is ahead by {whole_lead.mean():.1f} ± {whole_lead.std() / 20**0.5:.1f}")
plot.heatmap(by_pair, SOURCES, SOURCES, "Head 1.1: why it looks at the right place", "score", "key from", "query from")
# %% [markdown]
# **What you should see**: one column. Of a lead of 10.9 ± 0.1, the keys that head 0.0 wrote give 10.7; those of everybody else give next to nothing. That is the part of the story that Elhage et al. tell: the key at a place says which token stood *before* it, since head 0.0 has carried it there.
#
# The rows say something that is not in the textbook. The query's own token, as it stands in the embedding, gives 0.3. Head 0.7 gives 4.1, head 0.6 gives 3.9, head 0.4 gives 1.5: the same three that look at their own token, and of which d2.2.7 found two by ablation. So this model's circuit has *two* things below the induction head. One writes the previous token for the key, the others write the current token for the query, in a form in which the two can be compared.
#
# *Learned*: a score is a sum over pairs, and a pair is a path with two ends.
#
# > **Pair card.** Swap. The navigator asks: "Which place is the query at, which the key, and which token does each of the two know of?" Explain back: draw "A B ... A" with both arrows into head 1.1, and the one out of it. *Alone:* do the drawing too; then print `lead[3].mean(0)`, and say whether 1.3 is a second head of the same kind or of another.
# %% [markdown]
# ## d2.3.10 The circuit through two heads
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# The last figure needed tokens. The same claim can be put to weights alone: take the QK circuit of head 1.1, but let the key be what head 0.0 carries from the token before. It is a table again: a row for each query's token, and a column for each token *before* the key. If the claim is true, the largest entry of each row is on the diagonal: "find the place whose predecessor is me".
#
# Write `composed_qk`. The query's side begins with a table `asks` [d_vocab, d_model], for which we shall try two. The key's side begins with the embedding and goes through head 0.0's value and output before $W_K$. Both layers read through their layernorm: use `folded`. Divide by the root of d_head, as scores are.
#
# Stuck? `hint("d2.3.10")`
# %% exercise="d2.3.10"
def composed_qk(weights: dict[str, torch.Tensor], asks: torch.Tensor, previous: int, induction: int) -> Factors:
    """Scores [query's token, token before the key] of head 1.induction, whose keys read what head 0.previous wrote."""
    ### BEGIN SOLUTION
    W_Q, W_K = (folded(weights, "blocks.1.ln1", weights[f"blocks.1.attn.W_{letter}"][induction]) for letter in "QK")
    W_V = folded(weights, "blocks.0.ln1", weights["blocks.0.attn.W_V"][previous])
    keys = weights["embed.W_E"] @ W_V @ weights["blocks.0.attn.W_O"][previous] @ W_K
    return Factors(asks @ W_Q / W_Q.shape[1] ** 0.5, keys.T)
    ### END SOLUTION
# %% check="d2.3.10" points=2
check("d2.3.10", composed_qk)
# %% [markdown]
# `copying_accuracy` measures it: the share of rows whose largest entry is on the diagonal. With the plain embedding as `asks`, and then with the table of d2.3.6, the mean stream after layer 0: what will the second one give?
# %%
predict("d2.3.p6", ..., "% of tokens for which 1.1 ← 0.0 finds its own token, asking from the stream after layer 0")
# %%
asked = {"embedding": weights["embed.W_E"], "stream after layer 0": table}
found = {name: {f"1.{head} ← 0.{before}": 100 * copying_accuracy(composed_qk(weights, asks, before, head))
                for head in INDUCTION for before in range(8)} for name, asks in asked.items()}
measured("d2.3.p6", found["stream after layer 0"]["1.1 ← 0.0"])
plot.bars(found, "The QK circuit through a head of layer 0: its own token first", "top-1 (%)", "heads")
# %% [markdown]
# **What you should see**: 98 % for 1.1 and nearly 100 % for 1.3, through head 0.0 and through no other. With the plain embedding as the query it is 9 %: the same gap as in d2.3.6, and for the same reason.
#
# That closes a question that yesterday left open. In d1.4.10 the QK circuit of head 1.3, from token to token, ranked the right token no better than chance. It was the wrong table: it lacked head 0.0 in the key, and the own-token heads in the query. With them the same head finds the right token among 1,024 nearly always.
#
# *Learned*: a circuit is a claim about weights when all its parts are in the product, and not before.
# %% [markdown]
# ## d2.3.11 Composition scores
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# So far we knew which heads to ask about. A *composition score* asks all pairs at once: how much of what one head writes is read by another? For a first head with OV matrix $W$ and a second one that reads through a matrix $R$, all [d_model, d_model], it is $\|W R\| / (\|W\| \|R\|)$, with Frobenius norms. $R$ is the second head's QK matrix $W_Q W_K^T$ for what its query reads (Q-composition), that transposed for what its key reads (K), its OV matrix for its value (V).
#
# Write `composition_scores` for all pairs, the plain way: with all matrices multiplied out. Vectors are rows, so what is written stands on the left.
#
# Stuck? `hint("d2.3.11")`
# %% exercise="d2.3.11"
def composition_scores(writes: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
    """‖W R‖ / (‖W‖ ‖R‖) for each W of `writes` [first, d_model, d_model] and R of `reads` [second, ...]: [first, second]."""
    ### BEGIN SOLUTION
    products = writes[:, None] @ reads[None]
    size = lambda matrices: matrices.square().sum((-2, -1)).sqrt()
    return size(products) / (size(writes)[:, None] * size(reads))
    ### END SOLUTION
# %% check="d2.3.11" points=2
check("d2.3.11", composition_scores)
# %%
def whole(layer: int, reader: str, writer: str) -> torch.Tensor:
    """Each head's matrix [head, d_model, d_model]: W_V W_O, or W_Q W_Kᵀ, the layernorm before them folded in."""
    fold = lambda letter: torch.stack([folded(weights, f"blocks.{layer}.ln1", each)
                                       for each in weights[f"blocks.{layer}.attn.W_{letter}"]])
    return fold(reader) @ (weights[f"blocks.{layer}.attn.W_O"] if writer == "O" else fold(writer).mT)


writes = whole(0, "V", "O")
reads = {"Q": whole(1, "Q", "K"), "K": whole(1, "K", "Q"), "V": whole(1, "V", "O")}
scores = {kind: composition_scores(writes, read) for kind, read in reads.items()}
for kind, value in scores.items():
    first, then = divmod(int(value.argmax()), 8)
    print(f"{kind}: from {value.min():.3f} to {value.max():.3f}; the largest is 0.{first} → 1.{then}")
# %% [markdown]
# **What you should see**: K-composition is largest for 0.0 → 1.1, as it should be, with 0.153, and as large for 1.3. But what of 0.153? It is far from 1, and no score is near 0. V-composition of 0.2 → 1.7, a pair of which we know nothing, has 0.205.
#
# *Learned*: a score without its chance level is a number, and no finding.
#
# > **Pair card.** Swap. The navigator asks: "For whose benefit is the transpose in K?" Explain back: what would two heads have to be for a score of exactly 1, and for exactly 0? *Alone:* compute the score of a head's OV matrix with itself, and say why it is not 1.
# %% [markdown]
# ## d2.3.12 What chance gives, and how far it strays
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Two heads that have nothing to do with each other do not score 0: a random thin matrix still reads $1/d$ of the squares of whatever is written. So we draw heads at random: all four matrices normal, of the sizes of ours. Their mean score is the baseline. Their standard deviation is as important: it says what is far.
#
# Write `random_scores`: the composition scores of n pairs of random heads. Each is a product of two *thin* random matrices, like a head. Take one generator with the seed, so that the numbers can be had again.
#
# Before the run: how many standard deviations above chance is K-composition of 0.0 → 1.1?
#
# Stuck? `hint("d2.3.12")`
# %% exercise="d2.3.12"
def random_scores(n: int, d_model: int, d_head: int, seed: int = 0) -> torch.Tensor:
    """Composition scores [n] of n pairs of random heads, whose weights are normal."""
    ### BEGIN SOLUTION
    generator = torch.Generator().manual_seed(seed)
    scores = []
    for _ in range(n):
        value, write, read, rest = torch.randn(4, d_model, d_head, generator=generator)
        scores.append(composition_scores((value @ write.T)[None], (read @ rest.T)[None])[0, 0])
    return torch.stack(scores)
    ### END SOLUTION
# %% check="d2.3.12" points=2
check("d2.3.12", random_scores)
# %%
predict("d2.3.p7", ..., "K-composition of 0.0 → 1.1, in standard deviations above chance")
# %%
chance = random_scores(100, d_model=256, d_head=32)
print(f"chance: {chance.mean():.4f}, standard deviation {chance.std():.4f}, largest of 100: {chance.max():.4f}")
far = {kind: (value - chance.mean()) / chance.std() for kind, value in scores.items()}
measured("d2.3.p7", far["K"][0, 1])
everything = torch.cat(list(far.values()))
print(f"{(everything.abs() > 3).sum()} of {everything.numel()} pairs are further than 3 from chance")
writers = [f"{kind}: 0.{head}" for kind in far for head in range(8)]
readers = [f"1.{head}" for head in range(8)]
plot.heatmap(everything, writers, readers, "Composition, beside chance", "standard deviations", "second head", "first head")
# %% [markdown]
# **What you should see**: chance is 0.0625, which is $1/\sqrt{256}$, with a standard deviation of 0.0016. K-composition of 0.0 with 1.1 and 1.3 is 57 standard deviations above it; the next in K is 27. Q-composition of the own-token heads 0.6 and 0.7 with the same two is 17 or 18 above. The circuit of d2.3.9 is there, from weights alone.
#
# So is much else. V-composition of 0.2 → 1.7 is 89 above chance, the largest of all; V-composition of 0.0 with our two is 52 and 63, though nothing in our story needs their values to read what head 0.0 wrote; and 150 of 192 scores are further than 3 from chance. Trained matrices are not random ones, and a spread so small makes nearly everything significant. The score says how much *could* be read. It does not know whether anything is ever written there, nor whether the second head looks. In the published study K-composition of the induction pair is the largest; in our model it is not.
#
# *Learned*: compare with chance *and* its spread; then remember that "not chance" is a weak claim.
# %% [markdown]
# ## d2.3.13 ★ The same, thin
# ●●●●○ difficulty · ●●●○○ importance · 15 minutes · ★
#
# For each pair we have multiplied two matrices of 256 × 256. GPT-2 has some ten thousand pairs of heads, of width 768. But all of this is of rank 32, and d2.3.2 knows how to find a norm: $\|V O\,R S^T\|^2$ is the trace of a product in which only matrices of [d_head, d_head] stand.
#
# Write `thin_scores` for all pairs at once, from the factors: $W = V O$ and $R_{whole} = R\,S^T$. Nothing that belongs to a *pair* may be larger than [d_head, d_head].
#
# Stuck? `hint("d2.3.13")`
# %% exercise="d2.3.13"
def thin_scores(V: torch.Tensor, O: torch.Tensor, R: torch.Tensor, S: torch.Tensor) -> torch.Tensor:
    """‖V O R Sᵀ‖ / (‖V O‖ ‖R Sᵀ‖) [first, second]: V [first, d, h], O [first, h, d], R and S [second, d, h]."""
    ### BEGIN SOLUTION
    middle = torch.einsum("ahd,bdk->abhk", O, R)
    VV, OO, RR, SS = V.mT @ V, O @ O.mT, R.mT @ R, S.mT @ S
    squares = ((VV[:, None] @ middle @ SS) * middle).sum((-2, -1))
    return (squares / ((VV * OO).sum((-2, -1))[:, None] * (RR * SS).sum((-2, -1)))).sqrt()
    ### END SOLUTION
# %% check="d2.3.13" points=3
check("d2.3.13", thin_scores)
# %%
def fastest(work) -> float:
    """The shortest of five runs, in seconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


drawn = [torch.randn(8, 256, 32) for _ in range(4)]
V, O, R, S = drawn[0], drawn[1].mT.contiguous(), drawn[2], drawn[3]
naive = fastest(lambda: composition_scores(V @ O, R @ S.mT))
thin = fastest(lambda: thin_scores(V, O, R, S))
print(f"64 pairs: plain {1000 * naive:.1f} ms, thin {1000 * thin:.2f} ms: {naive / thin:.0f} times faster")
apart = max((composition(model, kind)[0, :, 1] - value).abs().max() for kind, value in scores.items())
print(f"the library's scores, of all kinds, differ from ours by at most {apart:.0e}")
# %% [markdown]
# **What you should see**: the same scores, some sixty times faster here; how much depends on the machine, and grows with the width. The library's `composition` does it so, with triangles of QR decompositions in the place of our squares, which lose fewer digits; and `composition_baseline` is `random_scores`. `FactoredMatrix` is our `Factors` with all this inside, and with `@`, `+`, `.T` and `svd`.
#
# *Learned*: of low rank one can ask everything in its own size.
#
# > **Pair card.** Swap. The navigator asks: "What stands on both sides of the middle, and why may it be exchanged for a small square?" Explain back: what does the plain way cost for 10,000 pairs of width 768, in numbers held at once? *Alone:* count it.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, the name of a head, or one of the listed options: `recall = {"rank": ..., "missing": ..., "statistic": ..., "keys": ..., "chance": ...}`
#
# 1. `rank`: two heads with d_head 32 in a row. What is the largest rank of their product? (a number)
# 2. `missing`: from the embedding, the induction heads copied one token in eleven. The output of three heads of layer 0 was missing. Which token do these heads attend to: the `previous`, the `current` or the `first`?
# 3. `statistic`: what is the eigenvalue statistic of a matrix that makes every token's logit smaller, and mixes nothing? (a number)
# 4. `keys`: which head of layer 0 writes what makes the right key the right one? (its name, such as 0.5)
# 5. `chance`: the width is 256. What do two unrelated heads score on average, to two decimal places? (a number)
#
# Stuck? `hint("d2.3.quiz")`
# %% exercise="d2.3.quiz"
### BEGIN SOLUTION
recall = {"rank": 32, "missing": "current", "statistic": -1, "keys": "0.0", "chance": 0.06}
### END SOLUTION
# %% check="d2.3.quiz" points=2
check("d2.3.quiz", recall)
# %%
predictions("d2.3")
# %% [markdown]
# ## What we have
#
# From weights alone: head 0.0 looks back by one, by positions; heads 1.1 and 1.3 find the place whose predecessor is the current token, through head 0.0, and copy what they find there, nearly without fail. And one thing that is not in the textbook: both halves work only from the stream after layer 0, where three heads have written each token anew. What the weights do not say is how it came to be. Was the copying there first, or the looking? Part 4 has thirteen checkpoints of the same training.
