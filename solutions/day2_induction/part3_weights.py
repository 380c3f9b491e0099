# %% [markdown]
# # Day 2, part 3: the circuit in the weights
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# In part 2 you removed heads and measured the loss. Every number came from a text that we had chosen. A head's weights are the same on every text. So in this part you look for the circuit of part 2 in the weights, with almost no text at all. You ask three questions.
#
# 1. Do heads 1.1 and 1.3 copy the token that they attend to?
# 2. Does head 0.0 attend to the previous token because of positions alone?
# 3. Do the keys of 1.1 and 1.3 match the right token through head 0.0?
#
# **After this part you can**
# - work with a matrix of 1,024 × 1,024 entries that is a product of two thin ones
# - read a head's OV circuit and QK circuit, from tokens, from positions and through another head
# - find out which input a circuit leaves out, if its numbers disagree with the head's behaviour
# - compute composition scores and compare them with chance (★)
#
# **Time**: about 75 minutes for the core, with reading, predictions and pair cards. The ★ exercises take about 85 minutes more. They come after the core, so the numbers of the exercises aren't in order. No cell computes for longer than a few seconds. The marks and calls are explained at the top of part 1.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits* ([transformer-circuits.pub](https://transformer-circuits.pub/2021/framework/index.html)), the sections "Copying / primitive in-context learning" and "Summarizing OV/QK matrices" for d2.3.3 to d2.3.7, and "Two-layer attention-only transformers" for d2.3.9 to d2.3.12. You can read both later.
# %%
import time
from typing import NamedTuple

import torch
from remix_utils import check, evaluate, find_one, hint, models, plot, solution, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import composition, current_token
from remix_utils.tasks import repeated, stories

start_at("d2.3")  # to catch up: start_at("d2.3.6") defines every name that later cells use
# %%
model = models.load("induction-2l")
weights = model.weights
INDUCTION = (1, 3)  # heads 1.1 and 1.3 of layer 1
HEADS = [(layer, head) for layer in range(2) for head in range(8)]
for name in "QKVO":
    print(f"W_{name} of layer 1: {list(weights[f'blocks.1.attn.W_{name}'].shape)} [head, in, out]")
print("weights outside attention:", ", ".join(name for name in weights if ".attn." not in name))
# %% [markdown]
# ## A large table in two thin matrices
#
# ![A square with the label table, 1,024 × 1,024, equals a tall thin rectangle with the label A, 1,024 × 32, times a flat rectangle with the label B, 32 × 1,024. An arrow leads from W_E W_V to A, and another one from W_O W_U to B. A note below the table says that a row is the token that the head attends to, and a column is a logit.](diagram:thin_matrices)
#
# A head reads the residual stream through the 32 columns of $W_V$ and writes to it through the 32 rows of $W_O$. Suppose you want a table with a row for each token that the head attends to, and a column for each logit. The table has 1,024 × 1,024 entries. For GPT-2, with about 50,000 tokens, it would have 2.5 billion. But the table is a product of two thin matrices with an inner dimension of 32, so its rank is 32 or less. Two thin matrices are enough to store it.
#
# `Factors` stores such a pair. Your answers shouldn't build the whole table. In most exercises of this part the check rejects an answer that does, even if all of its numbers are right.
# %%
class Factors(NamedTuple):
    """Stores the matrix A B [rows, columns] as its factors A [rows, r] and B [r, columns]."""

    A: torch.Tensor
    B: torch.Tensor
# %% [markdown]
# ## d2.3.3 From token to logits
# ●●○○○ difficulty · ●●●●● importance · 11 minutes · core
#
# If a head attends to a given token, which logits does it raise? The *full OV circuit* $W_E W_V W_O W_U$ answers this. It has a row for each token that the head attends to, and a column for each logit.
#
# There are also layernorms on this path, one before $W_V$ and one before $W_U$. A layernorm subtracts the mean of a vector, divides by its scale, and multiplies by its own weight `w`. Subtracting the mean and multiplying by `w` are the same for every vector. So you can build these two steps into the matrix that reads the layernorm's output, and `folded` does this. The table leaves out the scale, which is one number for each position. It leaves out all biases too.
#
# Write `full_ov`, which returns the circuit of one head as factors with an inner dimension of d_head. Which layernorm does $W_V$ read through, and which one does $W_U$ read through?
#
# Stuck? `hint("d2.3.3")`
# %%
def folded(weights: dict, layernorm: str, matrix: torch.Tensor) -> torch.Tensor:
    """Returns a matrix [d_model, n] that reads a layernorm's input instead of its output.

    Only the layernorm's scale is left out.
    """
    matrix = weights[f"{layernorm}.w"][:, None] * matrix
    return matrix - matrix.mean(0)
# %% exercise="d2.3.3"
def full_ov(weights: dict[str, torch.Tensor], layer: int, head: int) -> Factors:
    """Returns a head's full OV circuit as factors [d_vocab, d_head] and [d_head, d_vocab]."""
    ### BEGIN SOLUTION
    W_V = folded(weights, f"blocks.{layer}.ln1", weights[f"blocks.{layer}.attn.W_V"][head])
    W_U = folded(weights, "ln_final", weights["unembed.W_U"])
    return Factors(weights["embed.W_E"] @ W_V, weights[f"blocks.{layer}.attn.W_O"][head] @ W_U)
    ### END SOLUTION
# %% check="d2.3.3" points=2
check("d2.3.3", full_ov)
# %%
words = sorted({f" {word}" for word in " ".join(stories.tell(20, seed=3)).split()})
single = [tokens for tokens in map(model.tokenize, words) if len(tokens) == 1]
sixteen = torch.cat(single[:16])
circuit = full_ov(weights, 1, 3)
corner = circuit.A[sixteen] @ circuit.B[:, sixteen]
shown = [repr(model.decode(token[None])) for token in sixteen]
title = "The OV circuit of head 1.3, on sixteen words"
plot.heatmap(corner, shown, shown, title, "logit / scale", "its logit", "attended to")
# %% [markdown]
# **What you should see**: sixteen rows and sixteen columns of the table. On the diagonal, where a word raises its own logit, all sixteen entries are positive. But only eight of them are the largest entries of their rows.
#
# *Learned*: fold a layernorm into the matrix that reads it, and the circuit becomes a plain product of matrices.
# %% [markdown]
# ## d2.3.4 Does it copy?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Sixteen words are a small sample. For the whole vocabulary, count the rows in which the entry on the diagonal is the largest. The share of these rows is the *copying accuracy*, top-1. For top-5, the entry on the diagonal must be among the five largest of its row. By chance you would get one row in 1,024 for top-1, and five for top-5.
#
# Write `copying_accuracy`. To rank a row you have to compute it, so build the table in pieces of 128 rows.
#
# Stuck? `hint("d2.3.4")`
# %% exercise="d2.3.4"
def copying_accuracy(circuit: Factors, k: int = 1) -> float:
    """Returns the share of rows whose entry on the diagonal is among their k largest."""
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
# ●●○○○ difficulty · ●●●○○ importance · 7 minutes · core
#
# Heads 1.1 and 1.3 attend to the same position, so the logits read the *sum* of their circuits. Write `both`, which returns the sum of two matrices as factors. You don't need to multiply anything.
#
# For comparison, the ARENA course ([ARENA 3.0](https://github.com/callummcdougall/ARENA_3.0), chapter 1.2) takes the same measurement on another attention-only model with two layers. There one induction head has a top-1 accuracy of 31 %, and the pair has 96 %. What's your guess for our pair?
#
# Stuck? `hint("d2.3.5")`
# %% exercise="d2.3.5"
def both(first: Factors, second: Factors) -> Factors:
    """Returns the factors of the sum of two matrices of the same shape."""
    ### BEGIN SOLUTION
    return Factors(torch.cat([first.A, second.A], 1), torch.cat([first.B, second.B]))
    ### END SOLUTION
# %% check="d2.3.5" points=1
check("d2.3.5", both)
# %%
predict("d2.3.p1", ..., "copying accuracy of 1.1 and 1.3 together, top-1, in % (another model: 96)")
# %%
circuits = {f"1.{head}": full_ov(weights, 1, head) for head in (1, 3, 0)}
circuits["both"] = both(circuits["1.1"], circuits["1.3"])
from_embedding = {}
for name, each in circuits.items():
    from_embedding[name] = [100 * copying_accuracy(each, k) for k in (1, 5)]
    print("{}: top-1 {:.1f} %, top-5 {:.1f} %".format(name, *from_embedding[name]))
measured("d2.3.p1", from_embedding["both"][0])
# %% [markdown]
# **What you should see**: these numbers have no error, since each of them counts all 1,024 tokens.
#
# | circuit | top-1 (%) | top-5 (%) |
# |---|---|---|
# | 1.1 | 9.0 | 24.5 |
# | 1.3 | 8.7 | 21.4 |
# | both | 17.9 | 41.3 |
# | 1.0, not an induction head | 0.3 | 0.9 |
# | chance | 0.1 | 0.5 |
#
# The pair is far above chance, and far below the 96 % of the other model. But on repeated random tokens, the mean loss of the second copy is only 0.2 nats (d2.1.3), so here the right token is nearly always predicted. Either these heads don't do it by copying, or the table doesn't describe the input that the heads read.
#
# *Learned*: if a number about the weights disagrees with the model's behaviour, first ask what the number leaves out.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "This table begins with the embedding. Which other parts write to the stream before head 1.3 reads it?" Explain to each other why you put the factors of a sum side by side, and what you'd get if you added them. *Alone:* before you read on, write down two possible reasons for the low accuracy.
# %% [markdown]
# ## d2.3.6 Another input
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# Head 1.3 doesn't read the embedding alone. It reads the stream *after layer 0*, and all eight heads of layer 0 have written to this stream. Their outputs depend on the text. But if you average over many random texts, only the part that depends on the token itself is left, plus a constant. So begin the table with this average. For each token, average the stream after layer 0 over all positions with this token.
#
# Write `stream_by_token`. A loop over all tokens is right but slow, and `index_add_` is fast. Be careful with `table[tokens] += stream`. Which value does a row have if its token occurs twice? A token that never occurs gets zeros.
#
# Stuck? `hint("d2.3.6")`
# %% exercise="d2.3.6"
def stream_by_token(stream: torch.Tensor, tokens: torch.Tensor, d_vocab: int) -> torch.Tensor:
    """Returns for each token the mean of the stream where it occurs, [d_vocab, d_model].

    The stream is [batch, seq, d_model], and the tokens are [batch, seq].
    """
    ### BEGIN SOLUTION
    total = torch.zeros(d_vocab, stream.shape[-1]).index_add_(0, tokens.flatten(), stream.flatten(0, 1))
    count = tokens.flatten().bincount(minlength=d_vocab)
    return total / count.clamp(min=1)[:, None]
    ### END SOLUTION
# %% check="d2.3.6" points=2
check("d2.3.6", stream_by_token)
# %% [markdown]
# The next cell takes 640 rows of 64 uniformly random tokens, so each token occurs about 40 times. The rest of the circuit stays the same. How high is the pair's accuracy if the table begins with this mean instead of the embedding?
# %%
predict("d2.3.p2", ..., "copying accuracy of both heads, top-1, in %, from the stream after layer 0")
# %%
numbers = torch.Generator().manual_seed(0)
random_rows = torch.randint(1024, (640, 64), generator=numbers)
graph = split(model.graph(seq=64), "blocks.0.attn_out", "head")
stream = evaluate(find_one(graph, "blocks.0.resid_post"), {"tokens": random_rows})
table = stream_by_token(stream, random_rows, 1024)


def circuits_from(table: torch.Tensor) -> dict[str, Factors]:
    """Returns the OV circuits of 1.1, 1.3, 1.0 and of the pair, from another table of inputs."""
    found = {}
    for head in (1, 3, 0):
        W_V = folded(weights, "blocks.1.ln1", weights["blocks.1.attn.W_V"][head])
        found[f"1.{head}"] = Factors(table @ W_V, full_ov(weights, 1, head).B)
    return found | {"both": both(found["1.1"], found["1.3"])}


after_layer_0 = circuits_from(table)
from_stream = {name: 100 * copying_accuracy(each) for name, each in after_layer_0.items()}
measured("d2.3.p2", from_stream["both"])
groups = {"the embedding": {name: top1 for name, (top1, _) in from_embedding.items()}}
groups["the stream after layer 0"] = from_stream
plot.bars(groups, "Copying accuracy, by the input of the circuit", "top-1 (%)", "head")
# %% [markdown]
# Which heads of layer 0 make the difference? Three of them attend mostly to the current token on these rows, so their outputs can hold a second version of it. The next cell builds the table in three more ways. It leaves these three heads out, takes the embedding and these three alone, and takes the three without the embedding.
# %%
attention = current_token(model, random_rows[:20])
print("attention to the current token:")
for head in range(8):
    print(f"0.{head}: {attention.mean[0, head]:.2f} ± {attention.se[0, head]:.3f}")
nodes = [find_one(graph, f"blocks.0.attn.head.{head}.out") for head in (4, 6, 7)]
three = sum(stream_by_token(output, random_rows, 1024) for output in evaluate(nodes, {"tokens": random_rows}))
inputs = {
    "stream without 0.4, 0.6, 0.7": table - three,
    "embedding, 0.4, 0.6, 0.7": weights["embed.W_E"] + three,
    "0.4, 0.6, 0.7 alone": three,
}
by_input = {}
for name, each in inputs.items():
    by_input[name] = {head: 100 * copying_accuracy(made) for head, made in circuits_from(each).items()}
    print("{:30} 1.1 {:.1f} %, 1.3 {:.1f} %, 1.0 {:.1f} %, both {:.1f} %".format(name, *by_input[name].values()))
# %% [markdown]
# **What you should see**: copying accuracy, top-1. With other random rows, the third line changes by up to 2 points and the others by half a point.
#
# | the circuit begins with | 1.1 (%) | 1.3 (%) | both (%) |
# |---|---|---|---|
# | the embedding | 9.0 | 8.7 | 17.9 |
# | the stream after layer 0 | 98.2 | 98.4 | 99.9 |
# | the stream without 0.4, 0.6 and 0.7 | 17.3 | 17.9 | 38.4 |
# | the embedding, 0.4, 0.6 and 0.7 | 98.7 | 97.7 | 99.7 |
# | 0.4, 0.6 and 0.7 alone | 98.5 | 96.9 | 99.7 |
#
# Head 1.0 stays below 1 % in all five. So the induction heads copy nearly every token, and they copy the version that heads 0.4, 0.6 and 0.7 write. These three have 0.86, 0.97 and 0.98 of their attention on the current token. The embedding itself isn't even needed. In part 2 you found that the values of 1.1 and 1.3 need 0.6 and 0.7, and this is the reason.
#
# In the ARENA model the pair reaches 96 % from the embedding, so its OV circuits copy the embedding directly. Ours was trained differently. An auxiliary loss kept seven heads of layer 0 from attending to the previous token. We haven't tested whether this is why three of them attend to the current token.
#
# *Learned*: a "full" OV circuit follows one path from token to logit. Ask which paths it leaves out.
# %% [markdown]
# ## d2.3.8 Positions alone
# ●●○○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# The second question is about a QK circuit. In this model, position vectors are added to the input of queries and keys *after* the layernorm (d2.1.1). So positions have a QK circuit of their own, $W_{pos} W_Q W_K^T W_{pos}^T / \sqrt{d_{head}}$, with a score for each pair of positions. Suppose that head 0.0 attends to the previous token because of positions. Then the softmax of these scores, with the future masked, should be large on the diagonal just below the main one.
#
# Write `positional_pattern`, which returns the pattern that positions alone would give. It contains no tokens, no biases and no layernorm.
#
# Stuck? `hint("d2.3.8")`
# %% exercise="d2.3.8"
def positional_pattern(weights: dict, layer: int, head: int, seq: int) -> torch.Tensor:
    """Returns a head's attention pattern [query, key] from `seq` positions alone."""
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
# Average the attention to the previous position over all queries that have one. How high is this mean for head 0.0, with 64 positions?
# %%
predict("d2.3.p4", ..., "mean attention of 0.0 to the previous position, from positions alone, 0 to 1")
# %%
def to_previous(pattern: torch.Tensor) -> float:
    """Returns the mean attention to the previous position, over the queries that have one."""
    return pattern.diagonal(-1).mean().item()


to_previous_of = {}
for layer, head in HEADS:
    pattern = positional_pattern(weights, layer, head, seq=64)
    to_previous_of[f"{layer}.{head}"] = to_previous(pattern)
measured("d2.3.p4", to_previous_of["0.0"])
second_largest = sorted(to_previous_of, key=to_previous_of.get)[-2]
print(f"the next head is {second_largest}, with {to_previous_of[second_largest]:.2f}")
longer = {seq: to_previous(positional_pattern(weights, 0, 0, seq)) for seq in (64, 128, 320)}
print("head 0.0, by the number of positions:", {seq: round(mean, 2) for seq, mean in longer.items()})
places = [str(place) for place in range(24)]
title = "Head 0.0 from positions alone, the first 24 of 64 positions"
corner = positional_pattern(weights, 0, 0, 64)[:24, :24]
plot.heatmap(corner, places, places, title, "attention", "key", "query")
# %% [markdown]
# **What you should see**: one thin line. From positions alone, head 0.0 gives 0.91 of its attention to the previous position, and no other head gives more than 0.26. So this head doesn't need tokens to find the previous position. With 320 positions the mean is 0.79, because neighbouring positions are harder to tell apart further out.
#
# Remember the auxiliary loss of part 1, which trained head 0.0 to attend to the previous token for the first 500 steps. The weights show that the head uses positions for this. They don't show that training alone would give such a head.
#
# *Learned*: a pattern that positions alone produce can be read off the weights, so it holds on any text unless tokens outweigh it.
# %% [markdown]
# ## d2.3.10 The circuit through two heads
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# ![Two rows of boxes that end in the same score. The upper row is the query's side, in blue. It leads from the token at the query through the table asks and W_Q to the query. The lower row is the key's side, in green. It leads from the token before the key through W_E, then W_V and W_O of head 0.0, and W_K to the key. Query and key both lead to the score of head 1.1.](diagram:two_heads)
#
# The third question joins both layers. In part 2 you found K-composition by ablation. The keys of 1.1 and 1.3 need the output of 0.0, and 0.0 attends to the previous token. Now follow the matrices. Let the query come from one token, and let the key contain only the value that 0.0 moved there from the token *before* it. This gives a table again, with a row for the query's token and a column for the token before the key. If the story is true, the largest entry of each row is on its diagonal. Then the head finds the position whose previous token is the same as the current one.
#
# Write `composed_qk`. The query's side begins with a table `asks` [d_vocab, d_model]. The key's side begins with the embedding and goes through $W_V$ and $W_O$ of head 0.`previous` before it reaches $W_K$. Both layers read through their layernorms, so use `folded`. Divide by the square root of d_head, as for all scores.
#
# Stuck? `hint("d2.3.10")`
# %% exercise="d2.3.10"
def composed_qk(weights: dict[str, torch.Tensor], asks: torch.Tensor, previous: int, induction: int) -> Factors:
    """Returns the scores [query's token, token before the key] of head 1.`induction`.

    Its keys read the output of head 0.`previous` only.
    """
    ### BEGIN SOLUTION
    W_Q, W_K = (folded(weights, "blocks.1.ln1", weights[f"blocks.1.attn.W_{letter}"][induction]) for letter in "QK")
    W_V = folded(weights, "blocks.0.ln1", weights["blocks.0.attn.W_V"][previous])
    keys = weights["embed.W_E"] @ W_V @ weights["blocks.0.attn.W_O"][previous] @ W_K
    return Factors(asks @ W_Q / W_Q.shape[1] ** 0.5, keys.T)
    ### END SOLUTION
# %% check="d2.3.10" points=2
check("d2.3.10", composed_qk)
# %% [markdown]
# `copying_accuracy` also counts the rows of this table whose largest entry is on the diagonal. The next cell uses two tables as `asks`, the plain embedding and the mean stream after layer 0 from d2.3.6. How high is the share with the second one?
# %%
predict("d2.3.p6", ..., "% of tokens that 1.1 finds through 0.0, with queries from the stream after layer 0")
# %%
asked = {"embedding": weights["embed.W_E"], "stream after layer 0": table}
found = {}
for name, asks in asked.items():
    found[name] = {}
    for head in INDUCTION:
        for before in range(8):
            scores = composed_qk(weights, asks, before, head)
            found[name][f"1.{head} ← 0.{before}"] = 100 * copying_accuracy(scores)
measured("d2.3.p6", found["stream after layer 0"]["1.1 ← 0.0"])
title = "Rows with the largest entry on the diagonal"
plot.bars(found, title, "share (%)", "head of layer 1 ← head of layer 0")
# %% [markdown]
# **What you should see**: the share of tokens for which the largest score belongs to the right token.
#
# | the query comes from | 1.1 ← 0.0 | 1.3 ← 0.0 | through any other head |
# |---|---|---|---|
# | the embedding | 9.4 % | 9.2 % | 0.3 % or less |
# | the stream after layer 0 | 98.4 % | 99.7 % | 0.5 % or less |
#
# Both heads find the right token through 0.0 and through no other head of layer 0. The query needs the stream after layer 0, as the value did in d2.3.6. So in this model there are two kinds of heads below the induction heads. Head 0.0 writes the previous token for the keys, and current-token heads write the current token again, for queries and values.
#
# In the optional exercise d1.4.10 of day 1, a table from token to token ranked the right token no better than chance. That table had neither of these two steps.
#
# What does this table leave out? The scale of the layernorms, the biases, all other inputs of queries and keys, and the attention of 0.0 to tokens other than the previous one.
#
# *Learned*: a circuit through two heads is a product of their matrices. If a step is missing from the product, you may see nothing.
#
# > **Pair card.** Swap. The navigator asks: "Which token does the query come from, and which token does the key come from?" Explain to each other the picture of d2.2.7, with numbers from this part. *Alone:* do the same in writing. Then call `composed_qk` with `three` of d2.3.6 as `asks`, and first write down what you expect.
# %% [markdown]
# ## ★ More of the circuit
#
# This is the end of the core, so you can go straight to the quiz. The ★ exercises go further in three directions. d2.3.7 and d2.3.9 look at the same two circuits with other tools. d2.3.11 and d2.3.12 score all pairs of heads and compare the scores with chance. d2.3.1, d2.3.2 and d2.3.13 are about the algebra of thin matrices.
# %% [markdown]
# ## d2.3.7 ★ Copying, by eigenvalues
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · ★
#
# Elhage et al. 2021 test for copying in another way, without ranking anything. Take an eigenvector of the OV circuit. If its eigenvalue is positive, this mixture of tokens raises its own logits, and if it's negative, it lowers them. So $\sum \lambda / \sum |\lambda|$ is 1 if every direction is copied and −1 if every direction is suppressed. If the circuit has nothing to do with copying, it's near 0.
#
# The table has 1,024 eigenvalues, but all except 32 are zero. The other 32 are those of a small matrix. If $A B v = \lambda v$, what does $B A$ do with $B v$?
#
# Write `eigenvalue_statistic`, with `torch.linalg.eigvals` of the small matrix. The eigenvalues are complex numbers, and $|\lambda|$ is their length. Those that aren't real come in conjugate pairs, so their sum is real.
#
# Stuck? `hint("d2.3.7")`
# %% exercise="d2.3.7"
def eigenvalue_statistic(circuit: Factors) -> float:
    """Returns Σ λ / Σ |λ| over the eigenvalues of A B, from a matrix no larger than [r, r]."""
    ### BEGIN SOLUTION
    values = torch.linalg.eigvals(circuit.B @ circuit.A)
    return (values.sum().real / values.abs().sum()).item()
    ### END SOLUTION
# %% check="d2.3.7" points=2
check("d2.3.7", eigenvalue_statistic)
# %% [markdown]
# From the embedding, head 1.3 has a copying accuracy of 8.7 %. How high is the statistic of the same circuit?
# %%
predict("d2.3.p3", ..., "Σλ/Σ|λ| of head 1.3's full OV circuit, from the embedding")
# %%
statistic = torch.zeros(2, 8)
for layer, head in HEADS:
    statistic[layer, head] = eigenvalue_statistic(full_ov(weights, layer, head))
measured("d2.3.p3", statistic[1, 3])
from_stream_too = {head: eigenvalue_statistic(after_layer_0[head]) for head in ("1.1", "1.3")}
for head, value in from_stream_too.items():
    print(f"{head}, from the stream after layer 0: {value:.4f}")
plot.heads(statistic, "Eigenvalues of the full OV circuit, from the embedding", "Σλ / Σ|λ|")
# %% [markdown]
# **What you should see**: 0.77 for both induction heads, and 0.35 for the next head. From the stream after layer 0, it's above 0.999 for both. So this statistic detects the two heads even from the embedding, where the top-1 accuracy was 9 %. The circuit copies on average over directions, but in a single row another entry is often a little larger.
#
# In a one-layer model, Elhage et al. 2021 count 10 of 12 heads as copying by their eigenvalues. In ours it's two of sixteen.
#
# *Learned*: an average over directions and a ranking within each row are two different claims. Say which of them you mean.
# %% [markdown]
# ## d2.3.9 ★ Which part wrote the query, and which the key?
# ●●●●○ difficulty · ●●●●● importance · 18 minutes · ★
#
# An attention score is the product of a query and a key. Each of them is a sum over *sources*, which are the embedding, the heads of layer 0 and the positions. So a score is a sum over *pairs* of sources. Which pairs make head 1.1 attend to the right token?
#
# `sources` returns ten parts of the input of layer 1's queries and keys, for each position. They are the embedding, eight heads, and the rest, which are positions and biases. As in d1.4.4, the layernorm's scale is held, so the parts add up.
#
# Write `scores_by_source`, which returns the scores [query, key] of one head for each pair of sources. The biases $b_Q$ and $b_K$ belong to no source, so add them to the last one, the rest. Don't mask the future.
#
# Stuck? `hint("d2.3.9")`
# %%
SOURCES = ["embedding", *(f"0.{head}" for head in range(8)), "the rest"]


def sources(model, tokens: torch.Tensor) -> torch.Tensor:
    """Returns the input of layer 1's queries and keys by source, [source, batch, seq, d_model]."""
    graph = split(model.graph(seq=tokens.shape[1]), "blocks.0.attn_out", "head")
    names = ["embed", *(f"blocks.0.attn.head.{head}.out" for head in range(8))]
    names += ["blocks.1.resid_pre", "blocks.1.q_input"]
    *parts, stream, read = evaluate([find_one(graph, name) for name in names], {"tokens": tokens})
    parts = torch.stack(parts)
    scale = (stream.var(-1, correction=0, keepdim=True) + 1e-5).sqrt()
    normed = (parts - parts.mean(-1, keepdim=True)) / scale * model.weights["blocks.1.ln1.w"]
    return torch.cat([normed, (read - normed.sum(0))[None]])
# %% exercise="d2.3.9"
def scores_by_source(weights: dict[str, torch.Tensor], layer: int, head: int, parts: torch.Tensor) -> torch.Tensor:
    """Returns the scores [query source, key source, query, key] of one text.

    The parts are [source, seq, d_model], from the input of the layer's queries and keys.
    """
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
# The next cell takes twenty rows of 25 random tokens, each followed by the same tokens again. For each query of the second copy, it compares the score at the right key with the mean score of all keys that the query may attend to. The difference is the *lead* of the right key. Which pair of sources adds most to this lead? Write two names, first the source of the query and then the source of the key.
# %%
predict("d2.3.p5", ..., "the pair of sources that adds most, such as 'embedding, 0.6'")
# %%
LENGTH, ROWS = 25, 20
twice = repeated.draw(ROWS, LENGTH, 1024, start=0, seed=0)["tokens"]
parts = sources(model, twice)
allowed = torch.ones(2 * LENGTH + 1, 2 * LENGTH + 1).tril()
queries = torch.arange(LENGTH + 2, 2 * LENGTH + 1)  # the second copy without its first token


def lead_of_right_key(scores: torch.Tensor) -> torch.Tensor:
    """Returns the score [..., query, key] at the right key minus the mean over allowed keys.

    The result is averaged over the queries of the second copy.
    """
    mean = (scores * allowed).sum(-1) / allowed.sum(-1)
    right = scores[..., queries, queries - LENGTH + 1]
    return (right - mean[..., queries]).mean(-1)
# %%
lead = {}  # [row, query source, key source] of each head
for head in INDUCTION:
    by_row = [scores_by_source(weights, 1, head, parts[:, row]) for row in range(ROWS)]
    lead[head] = torch.stack([lead_of_right_key(scores) for scores in by_row])
    total = lead[head].sum((1, 2))
    print(f"1.{head}: lead of {total.mean():.1f} ± {total.std() / ROWS**0.5:.1f}")
by_pair, errors = lead[1].mean(0), lead[1].std(0) / ROWS**0.5
query_source, key_source = divmod(int(by_pair.argmax()), len(SOURCES))
measured("d2.3.p5", f"{SOURCES[query_source]}, {SOURCES[key_source]}")
for source, name in enumerate(SOURCES):
    print(f"query from {name}, key from 0.0: {by_pair[source, 1]:.2f} ± {errors[source, 1]:.2f}")
title = "Head 1.1: the lead of the right key, by source"
plot.heatmap(by_pair, SOURCES, SOURCES, title, "score", "key from", "query from")
# %% [markdown]
# **What you should see**: a single column. The lead of 1.1 is 10.9 ± 0.1 in all, and the keys from 0.0 give 10.7 ± 0.1 of it.
#
# | query from | share of the lead, with keys from 0.0 |
# |---|---|
# | 0.7 | 4.10 ± 0.09 |
# | 0.6 | 3.93 ± 0.09 |
# | 0.4 | 1.50 ± 0.04 |
# | 0.3 | 0.57 ± 0.02 |
# | embedding | 0.29 ± 0.01 |
# | all others together | 0.28 ± 0.05 |
#
# The column is the K-composition of Elhage et al. 2021. Their account of a two-layer model has nothing like the rows. The current token in the embedding itself adds very little. Most of the query comes from 0.7, 0.6 and 0.4, the heads that attend to the current token. Head 0.3, which has half of its attention there, adds a little more.
#
# *Learned*: a score is a sum over pairs. Each pair has one path on the query's side and one on the key's side.
#
# > **Pair card.** Swap. The navigator asks: "At which position is the query, at which is the key, and which token does each of them contain?" Explain to each other how a circuit can copy by eigenvalues and still copy only one token in eleven by rank. *Alone:* print `lead[3].mean(0)`, and decide whether 1.3 works in the same way as 1.1.
# %% [markdown]
# ## d2.3.11 ★ Composition scores
# ●●●○○ difficulty · ●●●●○ importance · 12 minutes · ★
#
# So far you've known which heads to look at. A *composition score* needs no such knowledge. It measures, for any two heads, how much of the first head's output the second head reads. Let $W$ be the first head's OV matrix, and let $R$ be the matrix through which the second head reads. All of them are [d_model, d_model]. The score is $\|W R\| / (\|W\| \|R\|)$, with Frobenius norms. A Frobenius norm is the square root of the sum of all squared entries.
#
# | composition | $R$ of the second head |
# |---|---|
# | Q | $W_Q W_K^T$ |
# | K | $W_K W_Q^T$ |
# | V | $W_V W_O$ |
#
# Write `composition_scores` for all pairs, with all matrices multiplied out. Vectors are rows, so the first head's matrix is on the left.
#
# Stuck? `hint("d2.3.11")`
# %% exercise="d2.3.11"
def composition_scores(writes: torch.Tensor, reads: torch.Tensor) -> torch.Tensor:
    """Returns ‖W R‖ / (‖W‖ ‖R‖) for all pairs, [first, second].

    W is in `writes` [first, d_model, d_model], and R is in `reads` [second, d_model, d_model].
    """
    ### BEGIN SOLUTION
    products = writes[:, None] @ reads[None]
    size = lambda matrices: matrices.square().sum((-2, -1)).sqrt()
    return size(products) / (size(writes)[:, None] * size(reads))
    ### END SOLUTION
# %% check="d2.3.11" points=2
check("d2.3.11", composition_scores)
# %%
def all_heads(layer: int, letter: str) -> torch.Tensor:
    """Returns W_Q, W_K or W_V of all heads [head, d_model, d_head], with ln1 folded in."""
    matrices = weights[f"blocks.{layer}.attn.W_{letter}"]
    return torch.stack([folded(weights, f"blocks.{layer}.ln1", each) for each in matrices])


writes = all_heads(0, "V") @ weights["blocks.0.attn.W_O"]
W_Q, W_K, W_V = (all_heads(1, letter) for letter in "QKV")
reads = {"Q": W_Q @ W_K.mT, "K": W_K @ W_Q.mT, "V": W_V @ weights["blocks.1.attn.W_O"]}
scores = {letter: composition_scores(writes, read) for letter, read in reads.items()}
for letter, values in scores.items():
    first, second = divmod(int(values.argmax()), 8)
    print(f"{letter}: {values.min():.3f} to {values.max():.3f}, largest for 0.{first} → 1.{second}")
# %% [markdown]
# **What you should see**: the largest K-composition is 0.153, for 0.0 → 1.1, and 0.0 → 1.3 has the same. But is 0.153 a lot? It's far from 1, and no score is near 0. V-composition of 0.2 → 1.7 has 0.205, and this pair has played no role so far.
#
# *Learned*: a composition score means nothing until you compare it with chance.
# %% [markdown]
# ## d2.3.12 ★ Chance, and its spread
# ●●●○○ difficulty · ●●●●● importance · 11 minutes · ★
#
# Two unrelated heads don't score 0. A random thin matrix reads $1/d$ of the squared length of any vector, on average, so the score is near $1/\sqrt{d}$, where $d$ is d_model. To find the baseline and its spread, draw random heads of the same sizes as ours, with normal weights. The mean of their scores is the baseline. Their standard deviation tells you how far from the baseline a score can be by chance.
#
# Write `random_scores`, the composition scores of n pairs of random heads. Each matrix is a product of two *thin* random matrices, as in a real head. Use one generator with this seed, so that the scores can be reproduced.
#
# Stuck? `hint("d2.3.12")`
# %% exercise="d2.3.12"
def random_scores(n: int, d_model: int, d_head: int, seed: int = 0) -> torch.Tensor:
    """Returns the composition scores [n] of n pairs of random heads with normal weights."""
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
PAIRS = 1000
chance = random_scores(PAIRS, d_model=256, d_head=32)
print(f"chance: {chance.mean():.4f}, standard deviation {chance.std():.5f}, largest {chance.max():.4f}")
spread_error = 1 / (2 * (PAIRS - 1)) ** 0.5  # of a standard deviation from so many normal values
print(f"the standard deviation is known to {100 * spread_error:.1f} %")
above = {letter: (values - chance.mean()) / chance.std() for letter, values in scores.items()}
measured("d2.3.p7", above["K"][0, 1].item(), above["K"][0, 1].item() * spread_error)
everything = torch.cat(list(above.values()))
print(f"{(everything.abs() > 3).sum()} of {everything.numel()} are more than 3 standard deviations from chance")
first_heads = [f"{letter}: 0.{head}" for letter in above for head in range(8)]
second_heads = [f"1.{head}" for head in range(8)]
title = "Composition scores, compared with chance"
plot.heatmap(everything, first_heads, second_heads, title, "standard deviations", "second head", "first head")
# %% [markdown]
# **What you should see**: chance is 0.0625, which is $1/\sqrt{256}$, with a standard deviation of 0.0016. This standard deviation is itself an estimate, so every distance has an error of 2.2 %. If you draw the matrices in another order, your figures differ a little from ours.
#
# | composition | standard deviations above chance |
# |---|---|
# | K, 0.0 → 1.1 and 0.0 → 1.3 | 58 ± 1 each |
# | K, the next pair | 27 ± 1 |
# | Q, 0.6 and 0.7 → 1.1 and 1.3 | 17 to 19 |
# | V, 0.2 → 1.7 | 92 ± 2 |
# | V, 0.0 → 1.1 and 0.0 → 1.3 | 53 ± 1 and 65 ± 1 |
#
# The circuit of d2.3.10 is there, but much else is too. 152 of 192 scores are more than 3 standard deviations from chance, and the largest of all belongs to a pair with no known role. Trained matrices aren't random, and with such a small spread nearly every score is significant. The score measures how much *could* be read. It doesn't measure whether the first head ever writes there, or whether the second head attends.
#
# In the two-layer model of Elhage et al. 2021, the strong compositions are those of the induction heads' keys with a previous-token head. In ours the strongest is a V-composition. We have no explanation for it.
#
# *Learned*: compare a score with chance and its spread, and remember that "different from chance" is a weak claim.
#
# > **Pair card.** Swap. The navigator asks: "Why is R transposed for the keys?" Explain to each other which two heads would score exactly 1, and which would score exactly 0. *Alone:* on stories, ablate 0.2 only for the values of 1.7, as in d2.2.7. Does the strongest composition matter for the loss?
# %% [markdown]
# ## d2.3.1 ★ A product of products
# ●●○○○ difficulty · ●●●○○ importance · 9 minutes · ★
#
# Two heads in a row give a product of two products, $(A B)(C D)$. Group it as $A\,(B C)\,D$. The middle $B C$ is small. You can multiply it into $D$, and then the factors are $A$ and $(B C) D$, with the inner dimension of $A B$. Or you can multiply it into $A$, and then the factors have the inner dimension of $C D$.
#
# Write `product`, which returns the factors with the smaller inner dimension. Then a chain of heads is stored with the rank of its thinnest member.
#
# Stuck? `hint("d2.3.1")`
# %% exercise="d2.3.1"
def product(first: Factors, second: Factors) -> Factors:
    """Returns the factors of (first.A first.B)(second.A second.B), with the smaller rank."""
    ### BEGIN SOLUTION
    middle = first.B @ second.A
    if first.A.shape[1] <= second.A.shape[1]:
        return Factors(first.A, middle @ second.B)
    return Factors(first.A @ middle, second.B)
    ### END SOLUTION
# %% check="d2.3.1" points=1
check("d2.3.1", product)
# %% [markdown]
# ## d2.3.2 ★ How large is the table?
# ●●●○○ difficulty · ●●●○○ importance · 9 minutes · ★
#
# Composition scores consist of Frobenius norms. Can you compute such a norm from thin factors, without the million entries of the table?
#
# Two facts help. The sum of all squared entries of $M$ is $\mathrm{tr}(M^T M)$. And in a trace, a factor may move from one end to the other, $\mathrm{tr}(X Y) = \mathrm{tr}(Y X)$. Write $M = A B$, and move factors until only small squares are left.
#
# Stuck? `hint("d2.3.2")`
# %% exercise="d2.3.2"
def norm(matrix: Factors) -> torch.Tensor:
    """Returns the Frobenius norm of A B, from matrices no larger than its factors."""
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
seconds = time.perf_counter() - start
print(f"the norm of a table with 2,500,000,000 entries is {length:,.0f}, in {seconds:.3f} s")
# %% [markdown]
# **What you should see**: a norm near 283,000, which is $\sqrt{32} \times 50{,}000$, in far less than a second. The table itself would need 10 gigabytes.
#
# *Learned*: you can compute the norm, the trace and the eigenvalues of a thin product from its factors.
# %% [markdown]
# ## d2.3.13 ★ Composition scores from thin matrices
# ●●●●○ difficulty · ●●●○○ importance · 16 minutes · ★
#
# In d2.3.11 you multiplied two matrices of 256 × 256 for every pair. GPT-2 has about ten thousand pairs of heads, of width 768. But every matrix here has rank 32, and in d2.3.2 you found a norm from factors. In the same way, $\|V O\,R S^T\|^2$ is the trace of a product of small matrices, each [d_head, d_head].
#
# Write `thin_scores` for all pairs at once, from the factors. The first head's matrix is $V O$, and the second head reads through $R\,S^T$. Don't multiply out $V O$ or $R S^T$, not even for the norms of single heads. No matrix that belongs to a *pair* may be larger than [d_head, d_head].
#
# Stuck? `hint("d2.3.13")`
# %% exercise="d2.3.13"
def thin_scores(V: torch.Tensor, O: torch.Tensor, R: torch.Tensor, S: torch.Tensor) -> torch.Tensor:
    """Returns ‖V O R Sᵀ‖ / (‖V O‖ ‖R Sᵀ‖) for all pairs, [first, second].

    V is [first, d, h], O is [first, h, d], and R and S are [second, d, h].
    """
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
    """Returns the shortest time of five runs, in seconds."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


V, O, R, S = (torch.randn(8, 256, 32) for _ in range(4))
O = O.mT.contiguous()
naive = fastest(lambda: composition_scores(V @ O, R @ S.mT))
thin = fastest(lambda: thin_scores(V, O, R, S))
print(f"64 pairs: {1000 * naive:.1f} ms multiplied out, {1000 * thin:.2f} ms from thin matrices")
print(f"that is {naive / thin:.0f} times faster")
apart = max((composition(model, letter)[0, :, 1] - values).abs().max() for letter, values in scores.items())
print(f"largest difference between our scores and the library's: {apart:.0e}")
# %% [markdown]
# **What you should see**: the same scores, about sixty times faster here. The factor depends on the machine, and it grows with the width. The library's `composition` works in this way too, but with the triangular factors of QR decompositions in place of our squares, because these lose fewer digits. Its `composition_baseline` is your `random_scores`, and its `FactoredMatrix` is your `Factors`, with `@`, `+`, `.T`, `norm` and `svd`.
#
# *Learned*: to measure a product of matrices of rank 32, you only need small squares of 32 × 32.
#
# > **Pair card.** Swap. The navigator asks: "Which matrix is on each side of the middle, and why may a small square replace it?" Explain to each other how many numbers the plain way holds at once for 10,000 pairs of width 768. *Alone:* count them in writing.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Answer without scrolling up. Give a number, the name of a head, or one of the listed options. Write `recall = {"rank": ..., "missing": ..., "positions": ..., "keys": ..., "chance": ...}`.
#
# 1. `rank`. A head has d_head 32, and there are 1,024 tokens. What's the largest rank that its full OV circuit can have? (a number)
# 2. `missing`. From the embedding, an induction head copied one token in eleven. The output of three heads of layer 0 was missing. Which token do these heads attend to, the `previous`, the `current` or the `first`?
# 3. `positions`. Take positions alone, 64 of them. How much of its attention does head 0.0 give to the previous position, to one decimal place? (a number)
# 4. `keys`. Through which head of layer 0 do the keys of 1.1 match the right token? (its name, such as 0.5)
# 5. `chance`. A circuit ranks 1,024 logits at random. In one row of how many is the entry on the diagonal the largest? (a number)
#
# Stuck? `hint("d2.3.quiz")`
# %% exercise="d2.3.quiz"
### BEGIN SOLUTION
recall = {"rank": 32, "missing": "current", "positions": 0.9, "keys": "0.0", "chance": 1024}
### END SOLUTION
# %% check="d2.3.quiz" points=2
check("d2.3.quiz", recall)
# %%
predictions("d2.3")
# %% [markdown]
# ## What you have
#
# All three answers are yes. Heads 1.1 and 1.3 copy 98 % of all tokens. Head 0.0 attends to the previous position because of positions. And through 0.0, the keys of 1.1 and 1.3 match the right token in at least 98 % of all rows. But the first and the third answer hold only if the circuit begins with the stream after layer 0, where three heads have written each token again.
#
# The weights don't show how the circuit developed. Did the model learn to copy first, or to match? Part 4 has thirteen checkpoints of the same training run.
