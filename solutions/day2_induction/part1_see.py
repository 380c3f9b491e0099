# %% [markdown]
# # Day 2, part 1: see it
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# Suppose a story has a character called Dandistine Witherby. That name was never in the training data. Still, a model may read `Dand` and correctly predict the rest of the name, because it read the full name forty words earlier. In this part you watch a small model do this. You measure how much it helps, and you look at all sixteen attention heads of the model. Then you turn your observations into scores that detect the relevant heads automatically.
#
# **After this part you can**
# - measure how well a model uses its context, from its loss at each token
# - describe where a head attends, as a number with a standard error
# - measure prefix matching and copying, each with the right offset
# - choose tokens at which induction is worth studying
#
# **Time**: about 115 minutes for the core, with reading, predictions and pair cards. The ★ exercises take about 40 minutes more. No cell computes for longer than a few seconds.
#
# **Readings**: Olsson et al. 2022, *In-context Learning and Induction Heads* ([arXiv 2209.11895](https://arxiv.org/abs/2209.11895)), the definitions of the in-context learning score, prefix matching and copying, for d2.1.4, d2.1.7 and d2.1.8. Press et al. 2021, *Shortformer* ([arXiv 2012.15832](https://arxiv.org/abs/2012.15832)), the section on position-infused attention, for d2.1.1. Chan et al. 2022, *Causal Scrubbing: results on induction heads* ([alignmentforum.org](https://www.alignmentforum.org/posts/j6s9H9SHrEhEfuJnq/causal-scrubbing-results-on-induction-heads)), for the choice of tokens in d2.1.10. You can read all of this later.
# %% [markdown]
# ## How to read this page
#
# An id such as d2.1.4 means day 2, part 1, exercise 4. The line below an exercise's heading uses these marks.
#
# | mark | meaning |
# |---|---|
# | ●○○○○ to ●●●●● difficulty | from one line of code, to an exercise that most pairs need hints for |
# | ●○○○○ to ●●●●● importance | how much of the week builds on the exercise |
# | minutes | our estimate for a pair, with reading, predictions and the pair card |
# | core | part of the day's main path |
# | ★ | optional. If you skip it, call `start_at` with the id of your next exercise |
#
# Work in pairs at one keyboard. One of you is the *driver* and types. The other is the *navigator*, who reads ahead and asks questions. After every two or three exercises there's a **pair card**. It tells you to swap, gives the navigator a question, and asks you to explain one thing to each other. If you work alone, do the part marked *Alone* instead.
#
# | call | effect |
# |---|---|
# | `check("d2.1.2", token_losses)` | tests your answer and explains the first mistake that it finds |
# | `hint("d2.1.2")` | shows a hint. Call it again for the next one. The last of the three is almost the code |
# | `solution("d2.1.2")` | prints our solution, on the second call. For a written answer it also says how yours is graded |
# | `start_at("d2.1.6")` | defines everything that the page needs from d2.1.6 on, so you can skip ahead or catch up |
# | `predict(...)` | stores your guess before an experiment. The page ends with a table of guesses and results |
#
# You may open a solution at any time. It's meant for two situations. Either you've used all hints and are still stuck, or you've passed the check and want to compare. The first call only prints a warning. The second call prints the code, and your progress record notes that you opened it.
# %%
import textwrap

import torch
from remix_utils import Node, at, check, evaluate, find, find_one, hint, index, models, plot, show
from remix_utils import solution, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import Estimate, direct_logits, head_outputs, prefix_matching
from remix_utils.tasks import repeated, stories, text

start_at("d2.1")  # to catch up: start_at("d2.1.5") defines every name that later cells use
# %% [markdown]
# ## The model, and a text
#
# `induction-2l` is the model of day 1, part 4, and you'll work with it until the end of day 3. It has two layers of eight attention heads and no MLPs. Its vocabulary has 1,024 tokens, most of them two or three characters long. The model's card says how it was trained, and the cell below prints the parts of the card that matter today.
#
# The text consists of small stories, generated with a seed that training didn't use. You can run this whole part on **a text of your own**. Put the path of a plain text file in place of `None`. About 6,000 characters are enough. The results under "What you should see" are those of the stories.
# %%
PATH = None  # such as "~/book.txt"
# %%
model = models.load("induction-2l")
document = text.read(PATH) if PATH else "\n\n".join(stories.tell(60, seed=2))
document = document[:300_000]


def rows_of(seq: int, most: int = 64) -> torch.Tensor:
    """Returns the first rows [row, seq] of the document, each with an end-of-text token in front."""
    found = text.sequences(document, model.tokenize, seq=seq, start=0, least=8)
    return found["tokens"][:most]


SEQ = 128
passages, long_rows = rows_of(SEQ), rows_of(300)
graph = model.graph(seq=SEQ)
sizes = ("n_layers", "n_heads", "d_model", "d_head", "d_vocab", "n_ctx", "positions")
print({name: model.config[name] for name in sizes})
first_words = model.decode(passages[0, 1:40])
print(f"{len(passages)} passages of {SEQ} tokens; the first one begins {first_words!r}\n")
for entry in ("data", "tokenizer", "limits"):
    print(textwrap.fill(f"{entry}: {model.card[entry]}", 100))
# %% [markdown]
# ## d2.1.1 Where positions can be read
# ●●○○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# ![A layer of the model, from the residual stream to the output of a head. An arrow leads from the stream to a plus, where pos_embed is added. From the plus, arrows lead to queries and keys, and from both of these to the pattern. Another arrow leads from the stream straight to values. Pattern and values lead to the output.](diagram:positions)
#
# A model needs to know where each token stands. GPT-2 adds a position vector to the embedding, so everything that reads the residual stream can read positions too. Our model uses *shortformer positions*. It adds the position vectors only to the input of queries and keys, as the picture shows. So positions help to decide *where* a head attends. Can a value contain a position?
#
# Paths in the graph answer this question. Write `reads_positions`, which returns whether the node called `name` reads `pos_embed` along a path that avoids all attention patterns. You know both tools from yesterday. `find(node, selector, missing="ok")` lists the matching nodes below a node, and `.avoiding(...)` leaves out paths. The check also uses models with other kinds of positions.
#
# Stuck? `hint("d2.1.1")`
# %% exercise="d2.1.1"
def reads_positions(graph: Node, name: str) -> bool:
    """Returns whether a node reads `pos_embed` by a path that avoids every `*.pattern`."""
    ### BEGIN SOLUTION
    node = find_one(graph, name)
    return bool(find(node, at("pos_embed").avoiding("*.pattern"), missing="ok"))
    ### END SOLUTION
# %% check="d2.1.1" points=1
check("d2.1.1", reads_positions)
# %% [markdown]
# Now try a strange text, the same token 128 times. Compare the model's 1,024 logits at position 5 with those at position 100. How large is the largest difference, in logits?
# %%
predict("d2.1.p1", ..., "largest difference between the logits at positions 5 and 100")
# %%
names = ["blocks.0.attn.q", "blocks.0.attn.v", "blocks.1.attn.k", "blocks.1.attn.v", "logits"]
print({name: reads_positions(graph, name) for name in names})
print(show(find_one(graph, "blocks.0.attn.q"), depth=3))
same = model.tokenize(" the")[:1].expand(1, SEQ)
queries, logits = evaluate([find_one(graph, "blocks.0.attn.q"), graph], {"tokens": same})
print(f"largest difference of a query: {(queries[0, 5] - queries[0, 100]).abs().max():.1f}")
measured("d2.1.p1", (logits[0, 5] - logits[0, 100]).abs().max())
# %% [markdown]
# **What you should see**: queries and keys read positions. Values and logits read them only along paths through a pattern. On this text the logits at positions 5 and 100 are the same, up to rounding. The patterns at the two positions differ. But all tokens are equal, so every pattern averages over equal values.
#
# On an ordinary text a position can still affect the output, through the choice of tokens that a head averages over.
#
# *Learned*: in this model, positions reach the output only through attention patterns. No value contains a position directly.
# %% [markdown]
# ## d2.1.2 The loss of every token
# ●●○○○ difficulty · ●●●●● importance · 11 minutes · core
#
# ![Five tokens in a row, numbered 0, 1, 2, 3 and 4, each with an arrow up to the logits of the same number. Loss 0 has one arrow from logits 0 and one from token 1. In the same way loss 1 has arrows from logits 1 and token 2, loss 2 from logits 2 and token 3, and loss 3 from logits 3 and token 4. No arrow leaves logits 4.](diagram:losses)
#
# The *loss* at a token is minus the log of the probability that the model gave to this token, in nats. The mean over a text would hide the effect that you're looking for, so keep one number for every token. Watch the positions. The logits at position $i$ predict token $i + 1$, so $n$ tokens have $n - 1$ losses.
#
# Write `token_losses`. `log_softmax` turns logits into log-probabilities, and `gather` picks one of them at each position.
#
# Stuck? `hint("d2.1.2")`
# %% exercise="d2.1.2"
def token_losses(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """Returns the loss [row, seq - 1] in nats of each token but the first.

    The logits are [row, seq, d_vocab], and the tokens are [row, seq].
    """
    ### BEGIN SOLUTION
    log_probs = logits[:, :-1].log_softmax(-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]
    ### END SOLUTION
# %% check="d2.1.2" points=1
check("d2.1.2", token_losses)
# %% [markdown]
# If you guess among 1,024 tokens at random, each token costs log 1,024 = 6.93 nats. How much does a token of this text cost the model on average?
# %%
predict("d2.1.p2", ..., "mean loss on the text, nats (guessing: 6.93)")
# %%
def estimate(values: torch.Tensor) -> tuple[float, float]:
    """Returns the mean over rows [row], and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5


def pieces(tokens: torch.Tensor) -> list[str]:
    """Returns the text of each token [seq]."""
    return [model.decode(token[None]) for token in tokens]


losses = token_losses(evaluate(graph, {"tokens": passages}), passages)
measured("d2.1.p2", *estimate(losses.mean(1)))
shown = min(2, len(passages) - 1)
plot.tokens(pieces(passages[shown, 1:]), losses[shown], "The loss of every token of a passage", "nats")
# %% [markdown]
# **What you should see**: 1.37 ± 0.03 nats on average. Look for a name that occurs more than once. The first time, its tokens are dark, since nothing before them predicts the name. The next time only its first token is dark. The other tokens are pale, like the ends of common words.
#
# A loss doesn't tell you which tokens the model expected instead. The next picture does. Point at a token with a high loss and read the ten tokens with the highest probability, each with its log-probability. Red means probable in that picture, so the colours are reversed.
# %%
log_probs = evaluate(graph, {"tokens": passages[shown : shown + 1]})[0].log_softmax(-1)
plot.token_log_probs(passages[shown], log_probs, lambda token: pieces(torch.tensor([token]))[0])
# %% [markdown]
# *Learned*: the losses of single tokens show where the model uses its context. The mean hides that.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which token is this number about, the token at this position or the next one?" Explain to each other why a model can have a low loss on a name that it was never trained on. *Alone:* find a token in the passage that has a low loss although it didn't occur before, and write down why.
# %% [markdown]
# ## d2.1.3 Repeated random tokens
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Many things help to predict a story. To isolate one of them, use a text in which nothing else helps. On a sequence of uniformly random tokens, the best possible average loss is 6.93 nats. Then repeat the same sequence. Now a model that looks back can predict every token of the second copy except the first. Nothing in the text marks where the second copy begins.
#
# Each row is an end-of-text token, then `length` random tokens, then the same tokens again. Write `copy_losses`, which returns two means for each row. One is the mean loss over the first copy. The other is the mean loss over the second copy *without its first token*. Entry $i$ of `losses` belongs to token $i + 1$. The check uses other lengths.
#
# Stuck? `hint("d2.1.3")`
# %% exercise="d2.1.3"
def copy_losses(losses: torch.Tensor, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the mean loss [row] of the first copy, and of the second without its first token.

    The losses are [row, 2 * length].
    """
    ### BEGIN SOLUTION
    return losses[:, :length].mean(1), losses[:, length + 1 :].mean(1)
    ### END SOLUTION
# %% check="d2.1.3" points=1
check("d2.1.3", copy_losses)
# %%
predict("d2.1.p3", ..., "mean loss on the second copy of 50 random tokens, nats (guessing: 6.93)")
# %%
LENGTH = 50
twice = repeated.draw(64, LENGTH, range(1, 1024), start=0, seed=0)["tokens"]
twice_losses = token_losses(evaluate(model.graph(seq=2 * LENGTH + 1), {"tokens": twice}), twice)
first_copy, second_copy = copy_losses(twice_losses, LENGTH)
print("first copy {:.2f} ± {:.2f} nats".format(*estimate(first_copy)))
measured("d2.1.p3", *estimate(second_copy))
print("loss lower in the second copy by {:.2f} ± {:.2f} nats".format(*estimate(first_copy - second_copy)))
for copy in ("first_copy", "second_copy"):
    print("model card, {}: {mean:.2f} ± {se:.2f} nats".format(copy, **model.card["metrics"][copy]))
by_place = {"loss": [estimate(column) for column in twice_losses.T]}
plot.lines(range(1, 2 * LENGTH + 1), by_place, "Repeated random tokens", "token", "loss (nats)")
# %% [markdown]
# **What you should see**: the loss stays at 7.19 ± 0.02 nats in the first copy. One token after the second copy begins, it falls to 0.21 ± 0.02. The model card reports 7.20 ± 0.01 and 0.22 ± 0.01 for other rows. The first copy costs more than 6.93 nats because the model doesn't give all tokens the same probability, and on random tokens any preference costs something.
#
# The model almost certainly never saw these tokens in this order in training, so it can't have memorised them. It must use the first copy.
#
# *Learned*: to study one ability, use a text on which nothing else helps.
# %% [markdown]
# ## d2.1.4 ★ How much does the context help?
# ●●○○○ difficulty · ●●●●○ importance · 12 minutes · ★
#
# Real text has no second copy. But a token late in a text has more context than an early one. Olsson et al. 2022 define the *in-context learning score* as the loss at late tokens minus the loss at early tokens. If context helps, this score is negative.
#
# Write `in_context_score`, which returns the mean of this difference over rows and the standard error of that mean. We treat rows as independent of each other, but the tokens within a row aren't. So take the difference within each row first. `early` and `late` are ranges of *token positions*, and entry $i$ of `losses` belongs to token $i + 1$.
#
# Stuck? `hint("d2.1.4")`
# %% exercise="d2.1.4"
def in_context_score(losses: torch.Tensor, early: range, late: range) -> tuple[float, float]:
    """Returns the mean over rows of late loss minus early loss in nats, and its standard error."""
    ### BEGIN SOLUTION
    before, after = (losses[:, [token - 1 for token in tokens]].mean(1) for tokens in (early, late))
    change = after - before
    return change.mean().item(), change.std().item() / len(change) ** 0.5
    ### END SOLUTION
# %% check="d2.1.4" points=2
check("d2.1.4", in_context_score)
# %% [markdown]
# A negative score has a second possible cause. Late tokens may simply be more common than early ones. As a control, the cell below also guesses every token by its frequency in the text, without any context.
# %%
EARLY, LATE = range(21, 61), range(201, 300)
long_losses = token_losses(evaluate(model.graph(seq=300), {"tokens": long_rows}), long_rows)
long_stories = [story for story in stories.tell(200, seed=2) if len(story) > 1200]
whole = torch.stack([model.tokenize(story)[:300] for story in long_stories[:64]])
whole_losses = token_losses(evaluate(model.graph(seq=300), {"tokens": whole}), whole)


def frequency_losses(tokens: torch.Tensor) -> torch.Tensor:
    """Returns the losses [row, seq - 1] of guessing tokens by their frequency in these rows."""
    counts = tokens.flatten().bincount(minlength=model.config["d_vocab"])
    return -(counts / counts.sum()).log()[tokens[:, 1:]]


def print_score(name: str, losses: torch.Tensor) -> None:
    """Prints the in-context score of losses [row, seq - 1], and its error."""
    print("{:44}{:5.2f} ± {:.2f} nats".format(name, *in_context_score(losses, EARLY, LATE)))


print_score("this text, cut anywhere, model", long_losses)
print_score("this text, cut anywhere, frequencies", frequency_losses(long_rows))
print_score("stories from their start, model", whole_losses)
print_score("stories from their start, frequencies", frequency_losses(whole))
of_card = model.card["metrics"]["in_context_english"]
print("{:44}{mean:5.2f} ± {se:.2f} nats".format("English prose, model (card)", **of_card))
# %% [markdown]
# **What you should see**: the model's score is negative on every text. Our scores compare tokens 201 to 299 with tokens 21 to 60.
#
# | text | model | token frequencies alone |
# |---|---|---|
# | stories from their start | −0.50 ± 0.05 | −0.09 ± 0.03 |
# | stories, cut anywhere | −0.35 ± 0.06 | 0.02 ± 0.03 |
# | English prose that training didn't use (model card) | −0.18 ± 0.01 | not measured |
#
# The last column is the control. In stories from their start, late tokens are more common than early ones, and that alone gives −0.09. So part of the model's −0.50 may need no context at all.
#
# Olsson et al. 2022 compare token 500 with token 50. They report about −0.15 before induction heads (d2.1.7) form, about −0.4 afterwards, and no such step for one-layer models. Don't compare their numbers with ours directly. Our tokens are shorter and our texts end after 300 of them. Stories also repeat their names more often than prose does, and the model was trained on such stories. The score is useful for comparing two states of one model on one text. Part 4 uses it that way.
#
# *Learned*: an in-context score depends on the text as much as on the model.
#
# > **Pair card.** Swap. The navigator asks: "Is this standard error an error over tokens or over rows?" Explain to each other how a model that ignores its context can get a score of −0.09. *Alone:* write down two texts for which you expect a score above zero.
# %% [markdown]
# ## d2.1.5 All sixteen patterns
# ●○○○○ difficulty · ●●●●○ importance · 11 minutes · core
#
# In this model only attention heads move information between tokens. So on repeated random tokens, some heads must attend to the first copy. Which ones? Write `all_patterns`, which returns the attention patterns of all heads on all rows. Each layer has its patterns in one node, such as `blocks.0.attn.pattern` [head, query, key], and `evaluate` accepts a list of nodes. The check uses models with other numbers of layers and heads.
#
# Stuck? `hint("d2.1.5")`
# %% exercise="d2.1.5"
def all_patterns(graph: Node, tokens: torch.Tensor) -> torch.Tensor:
    """Returns all attention patterns on tokens [row, seq], as [row, layer, head, query, key]."""
    ### BEGIN SOLUTION
    layers = evaluate(find(graph, "blocks.*.attn.pattern"), {"tokens": tokens})
    return torch.stack(layers, 1)
    ### END SOLUTION
# %% check="d2.1.5" points=1
check("d2.1.5", all_patterns)
# %%
HEADS = [f"{layer}.{head}" for layer in range(2) for head in range(8)]
patterns = all_patterns(graph, passages)
plot.attention(pieces(passages[shown]), patterns[shown].flatten(0, 1), HEADS, "All sixteen heads on 128 tokens")
# %% [markdown]
# Click on a head, then point at a token. Click on the token to keep it selected. Colour the text by "where this token looks". Start with layer 0 and find heads with a simple rule, such as "attend to the token itself". Then go to layer 1, and select a token in the middle of a name that occurred before. Write down two heads that attend to something useful there.
# %%
twice_patterns = all_patterns(model.graph(seq=2 * LENGTH + 1), twice[:1])[0]
title = "All sixteen heads on repeated random tokens"
plot.attention(pieces(twice[0]), twice_patterns.flatten(0, 1), HEADS, title)
# %% [markdown]
# **What you should see**: on repeated random tokens, two heads of layer 1 have a second diagonal, which begins where the second copy begins. Try another row of `twice` to see that this isn't an accident of these tokens. Two heads of layer 0 have a fainter diagonal. Is it the same one? Point at a token before you answer.
#
# *Learned*: a picture gives you a guess about a head. The scores below test the guess.
# %% [markdown]
# ## d2.1.6 Three detectors
# ●●○○○ difficulty · ●●●●○ importance · 12 minutes · core
#
# ![An attention pattern of four tokens A, B, C and D. An arrow from query leads down to the rows, and an arrow from key leads across to the columns. The cells on the diagonal are marked current, those one to the left of the diagonal previous, and those in the first column first. The cell of row B in the first column is both previous and first. The only cell of the first row is left out, and one remaining cell is marked other.](diagram:detectors)
#
# You can measure simple attention rules. A *detector* measures the share of a head's attention that goes to one kind of position, averaged over queries. Write three detectors at once, for the current token, the previous token and the first token of the row. Leave out query 0. It can attend only to itself, so its attention there says nothing about the head.
#
# Patterns are [..., query, key] with any number of axes in front. `pattern.diagonal(offset, -2, -1)` returns the entries on a diagonal. On the diagonal of offset 0 the key equals the query.
#
# Stuck? `hint("d2.1.6")`
# %% exercise="d2.1.6"
def looks_at(patterns: torch.Tensor) -> dict[str, torch.Tensor]:
    """Returns the mean attention [...] to the "current", "previous" and "first" token.

    The patterns are [..., query, key], and the mean is over all queries from 1 on.
    """
    ### BEGIN SOLUTION
    return {
        "current": patterns.diagonal(0, -2, -1)[..., 1:].mean(-1),
        "previous": patterns.diagonal(-1, -2, -1).mean(-1),
        "first": patterns[..., 1:, 0].mean(-1),
    }
    ### END SOLUTION
# %% check="d2.1.6" points=2
check("d2.1.6", looks_at)
# %% [markdown]
# A score needs an error. Below, each score on random tokens is a mean over ten seeds, with its standard error over the seeds. On the text, the error is over passages. Take the head with the highest previous-token score. How much of its attention goes to the previous token, on random tokens?
# %%
predict("d2.1.p4", ..., "the highest previous-token score of any head, on random tokens")
# %%
def over_seeds(measure, seeds=range(10)) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns the mean and the standard error over seeds of `measure(seed)`, a tensor."""
    values = torch.stack([measure(seed) for seed in seeds])
    return values.mean(0), values.std(0) / len(values) ** 0.5


def by_head(mean: torch.Tensor, error: torch.Tensor) -> dict[str, tuple[float, float]]:
    """Returns means and errors [layer, head] as {"0.3": (mean, error)}."""
    pairs = zip(mean.flatten().tolist(), error.flatten().tolist(), strict=True)
    return {f"{place // 8}.{place % 8}": pair for place, pair in enumerate(pairs)}
# %%
twice_graph = model.graph(seq=2 * LENGTH)
KINDS = ("current", "previous", "first")


def random_twice(seed: int) -> torch.Tensor:
    """Returns 10 rows of 50 random tokens and their repetition [10, 100]."""
    return repeated.draw(10, LENGTH, range(1, 1024), seed=seed)["tokens"]


def detect(seed: int) -> torch.Tensor:
    """Returns the three detectors [kind, layer, head], averaged over ten rows."""
    scores = looks_at(all_patterns(twice_graph, random_twice(seed)))
    return torch.stack([scores[kind].mean(0) for kind in KINDS])


means, errors = over_seeds(detect)
on_random = {kind: (means[place], errors[place]) for place, kind in enumerate(KINDS)}
scores = looks_at(patterns)
on_text = {kind: (scores[kind].mean(0), scores[kind].std(0) / len(passages) ** 0.5) for kind in KINDS}
# %%
best = HEADS[on_random["previous"][0].argmax()]
measured("d2.1.p4", *by_head(*on_random["previous"])[best])
for head, position in (("0.0", "previous"), ("0.6", "current"), ("0.7", "current"), ("1.3", "first")):
    for name, by_position in (("random tokens", on_random), ("the text", on_text)):
        mean, error = by_head(*by_position[position])[head]
        print(f"head {head}, {position} token, on {name}: {mean:.3f} ± {error:.3f}")
print(textwrap.fill(f"model card: {model.card['how']}", 100))
groups = {kind: by_head(*on_random[kind]) for kind in KINDS}
plot.bars(groups, "Attention on repeated random tokens", "attention", "head")
# %% [markdown]
# **What you should see**: layer 0 has one previous-token head and two clear current-token heads. Heads 0.1, 0.3, 0.4 and 0.5 also attend to the current token, with 0.2 to 0.8 of their attention on random tokens.
#
# | head | attends to | on random tokens | on the text |
# |---|---|---|---|
# | 0.0 | previous token | 0.897 ± 0.001 | 0.825 ± 0.002 |
# | other heads of layer 0 | previous token | 0.04 at most | 0.03 at most |
# | 0.6 | current token | 0.974 ± 0.001 | 0.854 ± 0.003 |
# | 0.7 | current token | 0.978 ± 0.001 | 0.876 ± 0.003 |
# | 1.3 | first token | 0.013 ± 0.001 | 0.159 ± 0.007 |
#
# No head is a first-token head. In many models, heads with nothing to copy attend to the first token, which is then called an *attention sink* (Xiao et al. 2023, [arXiv 2309.17453](https://arxiv.org/abs/2309.17453)). Here head 1.3 comes closest, with 0.16 of its attention on the end-of-text token.
#
# Ordinary training doesn't give this model such a clean previous-token head. According to the card, layer 0 would have spread the job over several heads. So for the first 500 steps an auxiliary loss pushed head 0.0 to attend to the previous token, and heads 0.1 to 0.7 were penalised throughout for doing the same. Layer 1 had no such loss.
#
# *Learned*: name a head after the position that it attends to, and add the score, its error and the text it was measured on.
#
# > **Pair card.** Swap. The navigator asks: "What is averaged here, and which queries are left out?" Explain to each other why the score of 0.0 might be lower on the text than on random tokens. *Alone:* compute the score for attention two tokens back, and find the head with the highest one.
# %% [markdown]
# ## d2.1.7 Prefix matching
# ●●●○○ difficulty · ●●●●● importance · 11 minutes · core
#
# ![The six tokens A, B, C, A, B, C, numbered 0, 1, 2, 3, 4 and 5. Two dashed arrows lead back from the second A. One is marked prefix matching and ends at the first B. The other is marked same token and ends at the first A. A solid arrow marked copying leads from the first B to a box above the second A, which raises the logit of B.](diagram:repeated_tokens)
#
# The second diagonal has a meaning. In the sequence A B ... A, a head at the second A finds a likely next token if it attends to B, the token *after* the first A. Olsson et al. call the attention to this token the *prefix-matching score*. Heads that have a high score and also copy are called *induction heads*.
#
# Now take `length` random tokens and their repetition. Query `length + i` holds the same token as position $i$, and it should attend to position $i + 1$. Count how many positions back that is. It isn't `length`, because `length` positions back is the same token again.
#
# Write `prefix_score`, the mean attention to this position over the queries of the second copy only. There's no end-of-text token in front here. The check uses other lengths.
#
# Stuck? `hint("d2.1.7")`
# %% exercise="d2.1.7"
def prefix_score(patterns: torch.Tensor, length: int) -> torch.Tensor:
    """Returns the mean attention [...] of the second copy's queries to the token after their match.

    The patterns are [..., 2 * length, 2 * length].
    """
    ### BEGIN SOLUTION
    return patterns.diagonal(1 - length, -2, -1)[..., 1:].mean(-1)
    ### END SOLUTION
# %% check="d2.1.7" points=2
check("d2.1.7", prefix_score)
# %% [markdown]
# Which heads do you expect, and how high is their score? Write the heads on paper and the highest score below.
# %%
predict("d2.1.p5", ..., "the highest prefix-matching score of any head")
# %%
def prefix_of(seed: int) -> torch.Tensor:
    """Returns the prefix-matching scores [layer, head] on random tokens of a seed."""
    return prefix_score(all_patterns(twice_graph, random_twice(seed)), LENGTH).mean(0)


def same_token_of(seed: int) -> torch.Tensor:
    """Returns the attention [layer, head] to the same token in the first copy, `length` back."""
    repeats = all_patterns(twice_graph, random_twice(seed)).diagonal(-LENGTH, -2, -1)
    return repeats.mean((0, -1))


prefix, wrong_offset = over_seeds(prefix_of), over_seeds(same_token_of)
best = HEADS[prefix[0].argmax()]
measured("d2.1.p5", *by_head(*prefix)[best])
library = prefix_matching(model, random_twice(0))
print(f"head {best}, the library's score: {by_head(*library)[best][0]:.3f}")
groups = {
    "prefix matching (length − 1 back)": by_head(*prefix),
    "same token (length back)": by_head(*wrong_offset),
}
plot.bars(groups, "Attention of the second copy", "attention", "head")
# %% [markdown]
# **What you should see**: two heads with a high prefix-matching score, 1.1 and 1.3.
#
# | model | heads | score | other heads |
# |---|---|---|---|
# | ours | 1.1, 1.3 of 16 | 0.936 ± 0.002, 0.938 ± 0.002 | median 0.008, highest 0.022 |
# | GPT-2-small ([measured by others](https://github.com/designer-coderajay/induction-head-detector)) | 5.1, 5.5, 6.9, 7.2, 7.10 of 144 | 0.83 to 0.93 | not given |
#
# The library's score is a little higher, at 0.96. Among fifty random tokens one may occur twice, and the library counts every position that followed an earlier occurrence. At the same token, one position further back, the two heads have less than 0.01. With this wrong offset you would report that the model has no such heads.
#
# Don't read much into this comparison. A quarter of our model's training data is repeated random tokens, and GPT-2 was trained on text from the web.
#
# *Learned*: the token after the match is `length − 1` back. With an offset of `length` the score misses both heads.
# %% [markdown]
# ## d2.1.8 Copying
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# Attending to the right token is only half the job. The head must also raise the logit of that token. The solid arrow in the picture of d2.1.7 shows this. So the second score looks at a head's contribution to the logits. Of everything that the head raises, how large is the share of the token that it should copy?
#
# `raised` [row, query, token] holds a head's contributions to logits. The queries are those of the second copy. The tokens are the `length` tokens of the first copy, all different and in the order of the text. The *copying score* takes four steps.
# 1. For each query, subtract the mean over tokens.
# 2. Keep the positive values and set all others to 0.
# 3. Take the share of the *next* token in the sum over tokens. For query $i$ that is token $i + 1$. For the last query it's token 0, because both copies begin with it.
# 4. Average the shares over queries and rows.
#
# A head that raises tokens at random gets 1 / `length` on average.
#
# Stuck? `hint("d2.1.8")`
# %% exercise="d2.1.8"
def copying_score(raised: torch.Tensor) -> torch.Tensor:
    """Returns the mean share of the next token in everything that a head raises above its mean.

    The contributions are [row, length, length], and the next token is (query + 1) % length.
    """
    ### BEGIN SOLUTION
    above = (raised - raised.mean(-1, keepdim=True)).relu()
    query = torch.arange(raised.shape[1])
    following = above[:, query, (query + 1) % len(query)]
    return (following / above.sum(-1)).mean()
    ### END SOLUTION
# %% check="d2.1.8" points=2
check("d2.1.8", copying_score)
# %%
SHORT = 25
short_graph = model.graph(seq=2 * SHORT)
head_logits = []  # each head's contribution to the logits of the second copy [query, d_vocab]
for output in head_outputs(short_graph).values():
    head_logits.append(index(direct_logits(short_graph, output), slice(SHORT, None)))


def raised_by_heads(seed: int) -> list[torch.Tensor]:
    """Returns what each head adds to the logits of the row's tokens [row, query, token]."""
    numbers = torch.Generator().manual_seed(seed)
    tokens = torch.stack([1 + torch.randperm(1023, generator=numbers)[:SHORT] for _ in range(4)])
    contributions = evaluate(head_logits, {"tokens": tokens.repeat(1, 2)})
    columns = tokens[:, None].expand(-1, SHORT, -1)
    return [contribution.gather(2, columns) for contribution in contributions]
# %%
def copying_of(seed: int) -> torch.Tensor:
    """Returns the copying scores [layer, head] on repeated random tokens, all different."""
    return torch.stack([copying_score(raised) for raised in raised_by_heads(seed)]).reshape(2, 8)


def current_share_of(seed: int) -> torch.Tensor:
    """Returns the same scores for the current token: all columns are moved by one."""
    moved = [raised.roll(1, -1) for raised in raised_by_heads(seed)]
    return torch.stack([copying_score(raised) for raised in moved]).reshape(2, 8)


copying, one_off = over_seeds(copying_of), over_seeds(current_share_of)
groups = {"next token": by_head(*copying), "current token (offset off by one)": by_head(*one_off)}
plot.bars(groups, "Share of one token in everything that a head raises", "share", "head")
# %% [markdown]
# **What you should see**: the same two heads stand out. The share by chance is 1/25 = 0.04.
#
# | head | next token | current token |
# |---|---|---|
# | 1.1 | 0.366 ± 0.003 | 0.033 ± 0.001 |
# | 1.3 | 0.364 ± 0.001 | 0.024 ± 0.001 |
# | other heads | 0.038 to 0.044 | 0.022 to 0.048 |
#
# A share of 0.37 is high. The other 24 tokens have 0.026 each on average. With the offset off by one, the two heads are *below* chance, so they don't raise the current token.
#
# Prefix matching and copying together define an induction head. At the second A it attends to the token after the first A, and raises the logit of that token.
#
# *Learned*: attention shows where a head reads. Its contribution to the logits shows what it writes there.
#
# > **Pair card.** Swap. The navigator asks: "Suppose a head attends to the right token and writes nothing. Which of our scores would notice?" Explain to each other where `length − 1` comes from, with two fingers on A B C A B C. *Alone:* heads 0.6 and 0.7 attend to the current token. Write down the share of the current token that you'd expect if they simply copied it, and compare with the plot.
# %% [markdown]
# ## d2.1.9 What would induction guess?
# ●●●○○ difficulty · ●●●●○ importance · 13 minutes · core
#
# You found two induction heads on random tokens. How often can they help on a real text? You can also apply induction as a simple rule, without a model. At each token, find its last earlier occurrence in the row, and guess the token that followed it.
#
# Write `induction_guess`, which returns this guess at every position. The guess is −1 if the token didn't occur before. A loop is fine.
#
# Stuck? `hint("d2.1.9")`
# %% exercise="d2.1.9"
def induction_guess(tokens: torch.Tensor) -> torch.Tensor:
    """Returns the token after the last earlier occurrence of each token, or -1, all [row, seq]."""
    ### BEGIN SOLUTION
    guesses = torch.full_like(tokens, -1)
    for row, words in enumerate(tokens.tolist()):
        followed = {}
        for place, token in enumerate(words[:-1]):
            guesses[row, place] = followed.get(token, -1)
            followed[token] = words[place + 1]
        guesses[row, -1] = followed.get(words[-1], -1)
    return guesses
    ### END SOLUTION
# %% check="d2.1.9" points=2
check("d2.1.9", induction_guess)
# %%
passage_of = torch.arange(len(passages))[:, None].expand_as(losses)  # the passage of each loss


def over_places(values: torch.Tensor, places: torch.Tensor) -> tuple[float, float]:
    """Returns the mean of values [row, seq - 1] at some places, and its error over passages."""
    estimated = Estimate.over_groups(values[places], passage_of[places])
    return float(estimated.mean), float(estimated.se)


guesses = induction_guess(passages)
exists = guesses[:, :-1] >= 0
right = guesses[:, :-1] == passages[:, 1:]
print("a guess at {:.1%} ± {:.1%} of the tokens".format(*estimate(exists.float().mean(1))))
print("right at {:.1%} ± {:.1%} of those".format(*over_places(right.float(), exists)))
by_outcome = {"right": right, "wrong": exists & ~right, "none": ~exists}
by_outcome = {outcome: places for outcome, places in by_outcome.items() if places.any()}
loss_by_guess = {outcome: over_places(losses, places) for outcome, places in by_outcome.items()}
plot.bars({"loss": loss_by_guess}, "The model's loss, by the guess of induction", "loss (nats)", "guess")
# %% [markdown]
# **What you should see**: the rule makes a guess at 30 % ± 1 % of the tokens, and 24 % ± 1 % of these guesses are right. So on this text it's right at one token in fourteen. The table after the next plot lists the losses.
#
# Where do the two induction heads attend if there's nothing to copy? In the view of d2.1.5 both heads have dark columns. Take the full stops and the line ends, which are one token in thirteen of this text. How much attention do they get?
# %%
stops = torch.isin(passages, torch.cat([model.tokenize(sign)[:1] for sign in (".", "\n")]))
sink_attention = {}
for head in (1, 3):
    on_stops = (patterns[:, 1, head, :-1] * stops[:, None]).sum(-1)  # [row, query]
    sink_attention[f"1.{head}"] = {
        outcome: over_places(on_stops, places) for outcome, places in by_outcome.items()
    }
title = "Attention of the induction heads to full stops and line ends"
plot.bars(sink_attention, title, "attention", "guess")
# %% [markdown]
# **What you should see**: all errors are over passages.
#
# | guess of induction | share of tokens | loss (nats) | 1.1 on stops | 1.3 on stops |
# |---|---|---|---|---|
# | right | 7 % | 0.45 ± 0.05 | 0.61 ± 0.02 | 0.37 ± 0.02 |
# | wrong | 23 % | 1.45 ± 0.05 | 0.85 ± 0.01 | 0.71 ± 0.01 |
# | none | 70 % | 1.43 ± 0.03 | 0.71 ± 0.02 | 0.60 ± 0.02 |
#
# A wrong guess doesn't go with a higher loss than no guess. This suggests that the model doesn't follow the rule blindly. It isn't proof, since the three rows are about different tokens, and some tokens are easier than others.
#
# Attention sums to 1, so a head with nothing to copy needs a default target. These two heads use full stops and line ends as attention sinks. Even where the guess is right, they send much of their attention there.
#
# *Learned*: for most tokens of a text, an induction head has nothing to copy. An average over all tokens hides its effect.
# %% [markdown]
# ## d2.1.10 Tokens worth studying
# ●●●○○ difficulty · ●●●●○ importance · 12 minutes · core
#
# So where should you measure? If you pick the places where the guess happened to be right, you select by the outcome. Then part of the effect that you find comes from your own selection. Chan et al. 2022 measure at *candidate tokens*, which they choose by the kind of token and not place by place. In the same spirit, list the tokens after which the guess of induction is often right in the text as a whole.
#
# Write `candidates`. It returns the tokens that have a guess at `least` or more places, provided that at least half of these guesses are right. Nothing follows the last position of a row, so leave it out.
#
# Stuck? `hint("d2.1.10")`
# %% exercise="d2.1.10"
def candidates(tokens: torch.Tensor, guesses: torch.Tensor, least: int) -> list[int]:
    """Returns the tokens with at least `least` guesses of which at least half are right, ascending.

    Tokens and guesses are both [row, seq].
    """
    ### BEGIN SOLUTION
    now, exists = tokens[:, :-1], guesses[:, :-1] >= 0
    right = guesses[:, :-1] == tokens[:, 1:]
    asked, held = (now[where].bincount(minlength=int(tokens.max()) + 1) for where in (exists, right))
    return [token for token in range(len(asked)) if asked[token] >= least and held[token] * 2 >= asked[token]]
    ### END SOLUTION
# %% check="d2.1.10" points=2
check("d2.1.10", candidates)
# %%
chosen = torch.tensor(candidates(passages, guesses, least=10), dtype=torch.long)
at_candidates = torch.isin(passages[:, :-1], chosen) & exists
print(f"{len(chosen)} candidates:", ", ".join(repr(piece) for piece in pieces(chosen)))
if at_candidates.sum() < 2:
    print("Too few places for an estimate. Try least=5, or a longer text.")
else:
    print("share of all places: {:.1%} ± {:.1%}".format(*estimate(at_candidates.float().mean(1))))
    print("guesses right there: {:.0%} ± {:.0%}".format(*over_places(right.float(), at_candidates)))
    print("loss there: {:.2f} ± {:.2f}".format(*over_places(losses, at_candidates)))
    print("loss elsewhere: {:.2f} ± {:.2f}".format(*over_places(losses, ~at_candidates)))
after_said = exists & (passages[:, :-1] == model.tokenize(" said")[0])
print(f"after ' said': {int(after_said.sum())} guesses, {int((after_said & right).sum())} of them right")
# %% [markdown]
# **What you should see**: 14 candidates. Most of them occur in the middle of names, such as `ild`, `os` and `ll`. Their places are 2.3 % ± 0.3 % of all places, and 71 % ± 3 % of the guesses there are right. The loss is 0.69 ± 0.15 nats there, and 1.38 ± 0.03 elsewhere. The common token ` said` isn't a candidate, since only 4 of the 29 guesses after it are right.
#
# You chose the candidates on the same passages on which you then counted right guesses. That probably makes the 71 % a little too high, because some tokens pass by luck.
#
# In part 2 you remove the induction heads and compare the loss at these tokens with the loss elsewhere. Day 3 tests its hypotheses at such tokens.
#
# *Learned*: choose the places to measure by a rule that doesn't depend on the model's output.
#
# > **Pair card.** Swap. The navigator asks: "Was this place chosen by the text before it, or by the outcome?" Explain to each other why "the places where ablating 1.3 costs most" would be a bad choice. *Alone:* choose candidates on the first 32 passages with `least=5`. Count how many of their guesses are right in the other passages.
# %% [markdown]
# ## d2.1.11 ★ By hand
# ●○○○○ difficulty · ●●●○○ importance · 7 minutes · ★
#
# A score summarises many cases, so look at one of them before you take the model apart. The cell below prints the passage with the most right guesses, and numbers its tokens. Find an opportunity for induction by reading the passage. You need a token A that occurred before, and the same B must follow it both times. Choose one in the middle of a name.
# %%
passage = passages[right.sum(1).argmax()]
print("  ".join(f"{place}:{piece!r}" for place, piece in enumerate(pieces(passage))))
# %% [markdown]
# Write your choice as `opportunity = {"tokens": passage, "query": ..., "key": ...}`. The query is the position of the second A. The key is the position of the first B, where an induction head should attend.
#
# Stuck? `hint("d2.1.11")`
# %% exercise="d2.1.11"
### BEGIN SOLUTION
query = int((induction_guess(passage[None])[0, :-1] == passage[1:]).nonzero()[-1])
key = max(place for place in range(query) if passage[place] == passage[query]) + 1
opportunity = {"tokens": passage, "query": query, "key": key}
### END SOLUTION
# %% check="d2.1.11" points=1
check("d2.1.11", opportunity)
# %%
look_from, look_to = int(opportunity["query"]), int(opportunity["key"])
words = pieces(passage)
loss_there = token_losses(evaluate(graph, {"tokens": passage[None]}), passage[None])[0, look_from]
print(f"after {words[look_from]!r} comes {words[look_from + 1]!r}, at a loss of {loss_there:.2f} nats")
from_query = all_patterns(graph, passage[None])[0, :, :, look_from]  # [layer, head, key]
for head in (1, 3):
    shares, places = from_query[1, head].topk(3)
    largest = zip(places.tolist(), shares.tolist(), strict=True)
    found = [f"{place}:{words[place]!r} {share:.2f}" for place, share in largest]
    print(f"1.{head} attends most to", ", ".join(found))
losses_right = losses[right]
print(f"all right guesses: {(losses_right < 0.5).float().mean():.0%} have a loss below 0.5 nats,")
print(f"and {(losses_right > 3).float().mean():.0%} have more than 3 nats")
plot.heads(from_query[..., look_to], f"Attention from token {look_from} to token {look_to}", "attention")
# %% [markdown]
# **What you should see**: usually a loss near zero, with much of the attention of 1.1 or 1.3 on your key. In our passages, 82 % ± 2 % of the places with a right guess have a loss below 0.5 nats.
#
# At 4 % ± 1 % of these places the loss is above 3 nats, and you may have picked one of them. If so, look at the lines above. The two heads may attend to a full stop instead, as in d2.1.9, or to a third occurrence of A. Pick a second opportunity and compare.
#
# *Learned*: a high average score leaves room for cases that fail. Look at some of them.
# %% [markdown]
# ## d2.1.12 ★ Is it exact, or fuzzy?
# ●●●●○ difficulty · ●●●○○ importance · 20 minutes · ★
#
# This is an open question. In large models, some induction heads match tokens that are only *similar* to the earlier token, for example the same word in another language (Olsson et al. 2022, argument 4). Do ours match similar tokens too? Many tokens of our vocabulary have a *twin* with the same letters, with or without a space in front, such as `an` and ` an`. So use random tokens as the first copy and their twins as the second copy.
#
# Write `spaced_twins`, which returns the number of each token's twin. It returns −1 for a token without a twin. It also returns −1 if the piece contains anything but letters, apart from one space in front.
#
# Stuck? `hint("d2.1.12")`
# %% exercise="d2.1.12"
def spaced_twins(pieces: list[str]) -> list[int]:
    """Returns for each token the token with the space in front added or removed, or -1."""
    ### BEGIN SOLUTION
    number = {piece: token for token, piece in enumerate(pieces)}
    others = [piece[1:] if piece.startswith(" ") else " " + piece for piece in pieces]
    pairs = zip(pieces, others, strict=True)
    return [number.get(other, -1) if piece.removeprefix(" ").isalpha() else -1 for piece, other in pairs]
    ### END SOLUTION
# %% check="d2.1.12" points=2
check("d2.1.12", spaced_twins)
# %%
predict("d2.1.p6", ..., "prefix score of head 1.1 if the second copy holds twins (same tokens: 0.85)")
# %%
twins = torch.tensor(spaced_twins(pieces(torch.arange(1024))))
with_twin = (twins >= 0).nonzero().flatten()


SECOND_COPIES = ("the same tokens", "their twins", "other tokens")


def twin_scores(seed: int) -> torch.Tensor:
    """Returns the prefix score [second copy, layer, head] on ten rows, for three second copies."""
    numbers = torch.Generator().manual_seed(seed)
    orders = [torch.randperm(len(with_twin), generator=numbers)[:SHORT] for _ in range(10)]
    first = with_twin[torch.stack(orders)]
    unrelated = with_twin[torch.randint(len(with_twin), first.shape, generator=numbers)]
    scores = []
    for second in (first, twins[first], unrelated):
        found = all_patterns(short_graph, torch.cat([first, second], 1))
        scores.append(prefix_score(found, SHORT).mean(0))
    return torch.stack(scores)
# %%
means, errors = over_seeds(twin_scores)
again = {name: (means[place], errors[place]) for place, name in enumerate(SECOND_COPIES)}
measured("d2.1.p6", *by_head(*again["their twins"])["1.1"])
layer_1 = [head for head in HEADS if head.startswith("1.")]
groups = {name: {head: by_head(*score)[head] for head in layer_1} for name, score in again.items()}
plot.bars(groups, "Prefix matching, exact and fuzzy", "attention", "head")
# %% [markdown]
# **What you should see**: the two heads match twins a little.
#
# | second copy | 1.1 | 1.3 |
# |---|---|---|
# | the same tokens | 0.852 ± 0.006 | 0.874 ± 0.005 |
# | their twins | 0.183 ± 0.002 | 0.199 ± 0.005 |
# | other tokens | 0.033 ± 0.002 | 0.030 ± 0.002 |
#
# So the space matters a lot, but a twin still gets about six times as much attention as an unrelated token. Does that count as fuzzy induction? Discuss it. What would you measure next, perhaps capitals such as `the` and `The`? Does the similarity come from the queries or from the keys? Part 2 has the tool for that.
#
# *Learned*: if you claim that a head attends to the same token, test it on similar tokens too.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Answer without scrolling up. Give a number, a name from the page, or one of the listed options. Write `recall = {"offset": ..., "entry": ..., "positions": ..., "guessing": ..., "second": ...}`.
#
# 1. `offset`. A sequence of 50 random tokens is repeated. How many positions back does an induction head attend? (a number)
# 2. `entry`. Which token does entry 20 of `token_losses` belong to, if the first token is number 0? (a number)
# 3. `positions`. Which of `queries`, `keys` and `values` read positions only through attention patterns in this model?
# 4. `guessing`. How many nats does a random guess among 1,024 tokens cost, to two decimal places?
# 5. `second`. Prefix matching measures where a head attends. Which score measures its effect on the logits? (its name)
#
# Stuck? `hint("d2.1.quiz")`
# %% exercise="d2.1.quiz"
### BEGIN SOLUTION
recall = {"offset": 49, "entry": 21, "positions": "values", "guessing": 6.93, "second": "copying"}
### END SOLUTION
# %% check="d2.1.quiz" points=2
check("d2.1.quiz", recall)
# %%
predictions("d2.1")
# %% [markdown]
# ## What you have
#
# You found two induction heads, one previous-token head and two current-token heads. On repeated random tokens, the mean loss is 7 nats lower in the second copy than in the first. On stories, about 2 % of the places follow a candidate token.
#
# So far you've only *observed* the heads. A head may have a clear pattern and no effect on the output, and two heads may matter only together. One question is still open. At the second A, an induction head attends to B. But the token B has nothing in common with the token A. Which information at B makes the head attend there, and which head wrote it? In part 2 you remove heads one at a time to find out.
