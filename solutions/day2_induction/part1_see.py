# %% [markdown]
# # Day 2, part 1: see it
#
# **How does a two-layer model know what comes next in a sentence that it has never seen?**
#
# A story about somebody called Dandistine Witherby: no text had that name before, and yet a model may say, after `Dand`, how it goes on. It has read it forty words ago. In this part we see it do so. We measure by how much it helps, look at all sixteen heads at work, and turn what we see into four scores that find the heads without our eyes.
#
# **After this part we can**
# - tell what a model has learned from what it has just read, by its loss at each token;
# - say what a head looks at, as a number with a standard error;
# - measure prefix matching and copying, each with the right offset;
# - choose the tokens at which the effect is worth studying.
#
# **Time**: about 100 minutes without the ★ exercise.
#
# **Readings**: Olsson et al. 2022, *In-context Learning and Induction Heads*, the definitions of the in-context learning score, prefix matching and copying: d2.1.4, d2.1.7 and d2.1.8. Press et al. 2020, *Shortformer: Better Language Modeling using Shorter Inputs*, the section on position-infused attention: d2.1.1. Chan et al. 2022, *Causal Scrubbing: results on induction heads*, for why one chooses tokens: d2.1.10.
# %%
import torch
from remix_utils import Node, at, check, evaluate, find, find_one, hint, index, models, plot, show, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import direct_logits, head_outputs, prefix_matching
from remix_utils.tasks import repeated, stories, text

start_at("d2.1")  # to rejoin the room: start_at("d2.1.4") brings every name that the rest of this part reads, as it stands before d2.1.4
# %% [markdown]
# ## The model, and a text
#
# `induction-2l` is the model of day 1, part 4, and it stays with us through day 3: two layers of eight attention heads, no MLP, 1,024 kinds of tokens of some two or three letters. Its card says how it was trained: on English prose, on stories of `tasks.stories`, and on random tokens that come again.
#
# The text is that of small stories, told with a seed that was not trained on. To run all of this part on **a text of your own**, put the path of a plain text file in the place of `None`. Some 6,000 letters are enough. What is stated under "What you should see" is about the stories.
# %%
PATH = None  # such as "~/book.txt"
# %%
model = models.load("induction-2l")
document = text.read(PATH) if PATH else "\n\n".join(stories.tell(60, seed=2))


def rows_of(seq: int, most: int = 64) -> torch.Tensor:
    """The first rows [row, seq] of the document, each of them begun with an end-of-text token."""
    found = text.sequences(document[:300_000], model.tokenize, seq=seq, start=0, least=8)
    return found["tokens"][:most]


SEQ = 128
passages, long_rows = rows_of(SEQ), rows_of(300)
graph = model.graph(seq=SEQ)
print({key: model.config[key] for key in ("n_layers", "n_heads", "d_model", "d_head", "d_vocab", "n_ctx", "positions")})
print(f"{len(passages)} passages of {SEQ} tokens; the first one begins {model.decode(passages[0, 1:40])!r}")
# %% [markdown]
# ## d2.1.1 Where positions can be read
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# A model must know where a token stands. The usual way adds a position vector to the embedding, and everybody who reads the stream reads it too. *Shortformer positions* are added to what queries and keys read, and to nothing else. So a position can decide *where* a head looks. Can it ever arrive in *what* a head moves?
#
# A graph answers that by its paths. Write `reads_positions`: whether the node of this name reads `pos_embed` by some path that passes no attention pattern. Recall from yesterday: `find(node, selector, missing="ok")` lists what is selected below a node, and `.avoiding(...)` leaves out paths. The check also uses models with other kinds of positions.
#
# Stuck? `hint("d2.1.1")`
# %% exercise="d2.1.1"
def reads_positions(graph: Node, name: str) -> bool:
    """Whether the node `name` of the graph reads `pos_embed` by a path that passes no `*.pattern`."""
    ### BEGIN SOLUTION
    node = find_one(graph, name)
    return bool(find(node, at("pos_embed").avoiding("*.pattern"), missing="ok"))
    ### END SOLUTION
# %% check="d2.1.1" points=1
check("d2.1.1", reads_positions)
# %% [markdown]
# Now a strange text: one token, 128 times. Below are the model's 1,024 logits after 5 of them and after 100. How large is the largest difference, in logits?
# %%
predict("d2.1.p1", ..., "largest difference of a logit, after 5 equal tokens and after 100")
# %%
names = ["blocks.0.attn.q", "blocks.0.attn.v", "blocks.1.attn.k", "blocks.1.attn.v", "logits"]
print({name: reads_positions(graph, name) for name in names})
print(show(find_one(graph, "blocks.0.attn.q"), depth=3))
same = model.tokenize(" the")[:1].expand(1, SEQ)
query, logits = evaluate([find_one(graph, "blocks.0.attn.q"), graph], {"tokens": same})
print(f"largest difference of a query: {(query[0, 5] - query[0, 100]).abs().max():.1f}")
measured("d2.1.p1", (logits[0, 5] - logits[0, 100]).abs().max())
# %% [markdown]
# **What you should see**: queries and keys read positions, values and logits do not. And the prediction is the same at every position, but for rounding: the patterns differ, yet wherever a head looks, it finds the same value. With positions in the stream, as in GPT-2, the same test would give other logits everywhere.
#
# *Learned*: in this model a head cannot carry a position along. It can only use one to choose where to look.
# %% [markdown]
# ## d2.1.2 The loss of every token
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# What the model knows shows in its *loss*: minus the logarithm of the probability that it gave to the token which then came, in nats. A mean over a text hides what we are after, so keep one number for every token. Mind what stands where: the logits at position $i$ are about token $i + 1$, so $n$ tokens have $n - 1$ losses.
#
# Write `token_losses`. `log_softmax` makes log-probabilities of logits; `gather` picks one for each position.
#
# Stuck? `hint("d2.1.2")`
# %% exercise="d2.1.2"
def token_losses(logits: torch.Tensor, tokens: torch.Tensor) -> torch.Tensor:
    """The loss [row, seq - 1] in nats of each token but the first, from logits [row, seq, d_vocab], tokens [row, seq]."""
    ### BEGIN SOLUTION
    log_probs = logits[:, :-1].log_softmax(-1)
    return -log_probs.gather(-1, tokens[:, 1:, None])[..., 0]
    ### END SOLUTION
# %% check="d2.1.2" points=1
check("d2.1.2", token_losses)
# %% [markdown]
# One of 1,024 tokens, guessed at random, costs log 1,024 = 6.93 nats. What does one cost on this text, on average?
# %%
predict("d2.1.p2", ..., "mean loss on the text, nats (guessing: 6.93)")
# %%
def estimate(values: torch.Tensor) -> tuple[float, float]:
    """The mean over rows [row], and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5


def pieces(tokens: torch.Tensor) -> list[str]:
    """The text of each token [seq]."""
    return [model.decode(token[None]) for token in tokens]


losses = token_losses(evaluate(graph, {"tokens": passages}), passages)
measured("d2.1.p2", *estimate(losses.mean(1)))
shown = min(2, len(passages) - 1)
plot.tokens(pieces(passages[shown, 1:]), losses[shown], "The loss of every token of a passage", "nats")
# %% [markdown]
# **What you should see**: 1.37 ± 0.03 nats. Look for a name that returns. The first time, its pieces are dark: nobody could know them. The next time only its first piece is, and the rest is pale, as cheap as the ends of common words.
#
# A loss does not say what the model expected instead. The next picture does: point at a dear token and read the ten tokens that the model thought most probable, each with its log-probability. Red is probable here, so the colours are the other way round.
# %%
log_probs = evaluate(graph, {"tokens": passages[shown : shown + 1]})[0].log_softmax(-1)
plot.token_log_probs(passages[shown], log_probs, lambda token: pieces(torch.tensor([token]))[0])
# %% [markdown]
# *Learned*: a loss is a number for each token, and its pattern says more than its mean.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which token is this number about, the one that is read or the one that comes?" Explain back to each other: why may a model have a low loss on a name that it has never been trained on? *Alone:* find in the passage a token that is cheap although it never came before, and write down why.
# %% [markdown]
# ## d2.1.3 Random tokens, said twice
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A story helps the reader in many ways. To see one of them alone we take a text in which there is nothing to know: random tokens. Nothing predicts them, and 6.93 nats is the best one can do. Then we say the same tokens once more, and whoever looks back can know every one of them, but for the very first: nothing says when the second copy begins.
#
# The rows are an end-of-text token, `length` random tokens, and the same again. Write `copy_losses`: for each row, the mean loss of the first copy's tokens, and that of the second copy's *without its first token*. Entry $i$ of `losses` is about token $i + 1$.
#
# Stuck? `hint("d2.1.3")`
# %% exercise="d2.1.3"
def copy_losses(losses: torch.Tensor, length: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean loss [row] of the first copy, and of the second without its first token; losses [row, 2 * length]."""
    ### BEGIN SOLUTION
    return losses[:, :length].mean(1), losses[:, length + 1 :].mean(1)
    ### END SOLUTION
# %% check="d2.1.3" points=1
check("d2.1.3", copy_losses)
# %%
predict("d2.1.p3", ..., "mean loss on the second copy of 50 random tokens, nats (best possible on the first: 6.93)")
# %%
LENGTH = 50
twice = repeated.draw(64, LENGTH, range(1, 1024), start=0, seed=0)["tokens"]
twice_losses = token_losses(evaluate(model.graph(seq=2 * LENGTH + 1), {"tokens": twice}), twice)
first_copy, second_copy = copy_losses(twice_losses, LENGTH)
print("first copy {:.2f} ± {:.2f} nats".format(*estimate(first_copy)))
measured("d2.1.p3", *estimate(second_copy))
print("second copy cheaper by {:.2f} ± {:.2f} nats".format(*estimate(first_copy - second_copy)))
by_place = {"loss": [estimate(column) for column in twice_losses.T]}
title = "Random tokens, said twice: the second copy is known"
plot.lines(range(1, 2 * LENGTH + 1), by_place, title, "token", "loss (nats)")
# %% [markdown]
# **What you should see**: 7.19 ± 0.02 nats and then, one token after the second copy has begun, a fall to 0.21 ± 0.02. The first copy costs even a little more than guessing: the model expects English. The card of the weights has 7.20 and 0.22 from 256 rows of its own.
#
# These tokens were never in this order before. So whatever brings the loss down is no knowledge of language. It is something the model *does*.
#
# *Learned*: to study one ability, take a text on which nothing else helps.
# %% [markdown]
# ## d2.1.4 How much does the context help?
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# On real text there is no second copy. But a token late in a text has more to look back at than an early one. Olsson et al. 2022 make a number of this, the *in-context learning score*: the loss at late tokens less the loss at early ones. Below zero means that context helps.
#
# Write `in_context_score`: its mean over rows, and the standard error of that mean. Rows are independent, tokens of a row are not: so take the difference within each row first. `early` and `late` are numbers of *tokens*, and entry $i$ is about token $i + 1$.
#
# Stuck? `hint("d2.1.4")`
# %% exercise="d2.1.4"
def in_context_score(losses: torch.Tensor, early: range, late: range) -> tuple[float, float]:
    """Mean over rows of (loss at the late tokens - loss at the early ones), and its standard error, in nats."""
    ### BEGIN SOLUTION
    before, after = (losses[:, [token - 1 for token in tokens]].mean(1) for tokens in (early, late))
    change = after - before
    return change.mean().item(), change.std().item() / len(change) ** 0.5
    ### END SOLUTION
# %% check="d2.1.4" points=2
check("d2.1.4", in_context_score)
# %%
EARLY, LATE = range(21, 61), range(201, 300)
long_losses = token_losses(evaluate(model.graph(seq=300), {"tokens": long_rows}), long_rows)
whole = torch.stack([model.tokenize(story)[:300] for story in stories.tell(200, seed=2) if len(story) > 1200][:64])
whole_losses = token_losses(evaluate(model.graph(seq=300), {"tokens": whole}), whole)
print("this text, cut anywhere:       {:.3f} ± {:.3f} nats".format(*in_context_score(long_losses, EARLY, LATE)))
print("stories from their beginning:  {:.3f} ± {:.3f} nats".format(*in_context_score(whole_losses, EARLY, LATE)))
# %% [markdown]
# **What you should see**: context helps. Here it is beside what others found:
#
# | | score (nats) | between tokens |
# |---|---|---|
# | published, models of two layers or more, after induction heads have formed (Olsson et al. 2022) | about −0.4 | 50 and 500 |
# | published, the same before; one-layer models stay there | about −0.15 | 50 and 500 |
# | ours, stories from their beginning | −0.50 ± 0.05 | 21–60 and 201–299 |
# | ours, stories cut anywhere | −0.35 ± 0.07 | 21–60 and 201–299 |
# | ours, English that was not trained on (card) | −0.18 ± 0.01 | 21–60 and 201–299 |
#
# These are not one quantity measured five times. Our tokens are shorter, some two and a half letters, and our texts of 300 tokens too; stories repeat their names more than prose does, and were trained on; and whoever starts in the middle of a story finds names there that stand for nothing yet. A score compares two states of one model on one text. That is how part 4 uses it.
#
# *Learned*: "it learns in context" is a difference of two losses, and depends on the text as much as on the model.
#
# > **Pair card.** Swap. The navigator asks: "Of what is this the standard error: tokens, or rows?" Explain back: what would the score be for a model that only knows which tokens are frequent? *Alone:* write down two texts for which the score would be above zero.
# %% [markdown]
# ## d2.1.5 All sixteen patterns
# ●○○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Whatever looks back is an attention head, since nothing else in this model sees more than one token. We look at all of them. Write `all_patterns`: the attention patterns of every head on every row. Each layer has its patterns in one node, `blocks.0.attn.pattern` [head, query, key]; `evaluate` takes a list of nodes. The check uses models with other numbers of layers and heads.
#
# Stuck? `hint("d2.1.5")`
# %% exercise="d2.1.5"
def all_patterns(graph: Node, tokens: torch.Tensor) -> torch.Tensor:
    """Every head's attention pattern on tokens [row, seq], as one tensor [row, layer, head, query, key]."""
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
# **What to look at**: click on a head, point at a token, click to hold it. Colour the text by "where this token looks". Go through layer 0 first: some heads look at the token itself, one at the token before. In layer 1 look at 1.1 and 1.3, and hold a token in the middle of a name that came before.
# %%
twice_patterns = all_patterns(model.graph(seq=2 * LENGTH + 1), twice[:1])[0]
plot.attention(pieces(twice[0]), twice_patterns.flatten(0, 1), HEADS, "All sixteen heads on random tokens, said twice")
# %% [markdown]
# **What you should see**: on random tokens two heads of layer 1 draw a second diagonal, 1.1 and 1.3. It begins where the second copy does, and it is no accident of these tokens: take another row of `twice`. In layer 0 there are fainter ones, 0.1 and 0.3. Are they the same diagonal? Point at one of them before you say yes.
#
# *Learned*: a picture suggests. What follows are numbers.
# %% [markdown]
# ## d2.1.6 Three detectors
# ●●○○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# What we saw can be measured. A *detector* is the share of its attention that a head pays to one kind of place, on average over queries. Write three at once: the current token, the token before, and the first token of the row. Leave out query 0: it sees one token only, which is all three kinds at a time, or none.
#
# Patterns are [..., query, key], whatever stands in front. `pattern.diagonal(offset, -2, -1)` gives the entries beside the diagonal: offset 0 is key = query.
#
# Stuck? `hint("d2.1.6")`
# %% exercise="d2.1.6"
def looks_at(patterns: torch.Tensor) -> dict[str, torch.Tensor]:
    """Mean attention [...] over queries from 1 on, of patterns [..., query, key]: to "current", "previous", "first"."""
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
# An honest score has an error. We measure each on random tokens drawn by ten seeds, and take the standard error over the seeds; and on the text, over its passages. Which head looks at the token before, and how much of its attention does it pay there, on random tokens?
# %%
predict("d2.1.p4", ..., "the highest previous-token score of any head, on random tokens")
# %%
def over_seeds(measure, seeds=range(10)) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard error over seeds of `measure(seed)`, a tensor."""
    values = torch.stack([measure(seed) for seed in seeds])
    return values.mean(0), values.std(0) / len(values) ** 0.5


def by_head(mean: torch.Tensor, error: torch.Tensor) -> dict[str, tuple[float, float]]:
    """Means and errors [layer, head] as {"0.3": (mean, error)}."""
    pairs = zip(mean.flatten().tolist(), error.flatten().tolist(), strict=True)
    return {f"{place // 8}.{place % 8}": pair for place, pair in enumerate(pairs)}
# %%
twice_graph = model.graph(seq=2 * LENGTH)


def random_twice(seed: int) -> torch.Tensor:
    """10 rows of 50 random tokens, said twice [10, 100]."""
    return repeated.draw(10, LENGTH, range(1, 1024), seed=seed)["tokens"]


def detect(seed: int) -> torch.Tensor:
    """The three detectors [kind, layer, head], mean over ten rows."""
    return torch.stack([*looks_at(all_patterns(twice_graph, random_twice(seed))).values()]).mean(1)


on_random = dict(zip(("current", "previous", "first"), zip(*over_seeds(detect), strict=True), strict=True))
on_text = {kind: (score.mean(0), score.std(0) / len(score) ** 0.5) for kind, score in looks_at(patterns).items()}
best = on_random["previous"][0].argmax()
measured("d2.1.p4", *(value.flatten()[best] for value in on_random["previous"]))
print("previous token: head {}, on the text {:.3f} ± {:.3f}".format(HEADS[best], *by_head(*on_text["previous"])[HEADS[best]]))
plot.bars({kind: by_head(*scores) for kind, scores in on_random.items()}, "What each head looks at", "attention", "head")
# %% [markdown]
# **What you should see**: one previous-token head, 0.0, with 0.897 ± 0.001 on random tokens (0.825 on the text) and nobody else in layer 0 above 0.04. Heads 0.6 and 0.7 look at the current token, 0.97 and 0.98; 0.4, 0.3 and 0.1 do so in part. No head deserves to be called a first-token head. In many models the heads rest there that have nothing to do; here the nearest to it is 1.3, which on the text leaves 0.16 with the end-of-text token.
#
# One previous-token head, so clear, is not what training gives by itself. The card says that head 0 was pressed to look there for the first 500 steps, and that the others of layer 0 paid for doing so; without that, several heads share the work. Layer 1 was left alone.
#
# *Learned*: a head is called by what it looks at, with a number, an error, and the text that it was measured on.
#
# > **Pair card.** Swap. The navigator asks: "Over what is this an average, and who was left out?" Explain back: why is the score of 0.0 lower on text than on random tokens, and where may the rest of its attention go? *Alone:* compute the score for two tokens back, and find the head that has most of it.
# %% [markdown]
# ## d2.1.7 Prefix matching
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# The second diagonal has a meaning. Say A B ... A. At the second A, a head that looks at B, the token *after* the earlier A, finds what may come next. Olsson et al. call the attention paid there the *prefix-matching score*, and heads that have a high one *induction heads*.
#
# On `length` random tokens said twice, where is that place? Query `length + i` holds the same token as position $i$, and wants to see position $i + 1$. Count how many positions back this is. It is not `length`: that is where the same token stands.
#
# Write `prefix_score`: the mean attention to that place, over the queries of the second copy and no others. There is no end-of-text token in front here.
#
# Stuck? `hint("d2.1.7")`
# %% exercise="d2.1.7"
def prefix_score(patterns: torch.Tensor, length: int) -> torch.Tensor:
    """Mean attention [...] of the second copy's queries to what followed their token; patterns [..., 2 length, 2 length]."""
    ### BEGIN SOLUTION
    return patterns.diagonal(1 - length, -2, -1)[..., 1:].mean(-1)
    ### END SOLUTION
# %% check="d2.1.7" points=2
check("d2.1.7", prefix_score)
# %% [markdown]
# Two predictions in one: which heads, and how high? Write the score of the best.
# %%
predict("d2.1.p5", ..., "the highest prefix-matching score of any head")
# %%
def prefix_of(seed: int) -> torch.Tensor:
    """The prefix-matching scores [layer, head] on random tokens drawn by the seed."""
    return prefix_score(all_patterns(twice_graph, random_twice(seed)), LENGTH).mean(0)


prefix = over_seeds(prefix_of)
wrong_offset = over_seeds(lambda seed: all_patterns(twice_graph, random_twice(seed)).diagonal(-LENGTH, -2, -1).mean((0, -1)))
best = prefix[0].argmax()
measured("d2.1.p5", *(value.flatten()[best] for value in prefix))
print("the library's score of the same rows:", prefix_matching(model, random_twice(0)).mean.flatten()[best].item())
groups = {"prefix matching (length − 1 back)": by_head(*prefix), "the same token (length back)": by_head(*wrong_offset)}
plot.bars(groups, "Who looks at what followed?", "attention", "head")
# %% [markdown]
# **What you should see**: two induction heads, 1.1 and 1.3, with 0.936 ± 0.002 and 0.938 ± 0.002. All others are below 0.03. (The library's score is a little higher, 0.96: among fifty random tokens one may stand twice, and the library counts every place that followed an earlier occurrence.) One position further back, at the same token, the two pay less than 0.01: with the wrong offset one would report that this model has no induction heads.
#
# | | induction heads | score | all others |
# |---|---|---|---|
# | published, GPT-2-small | 5.5, 7.10, 6.9, 5.1, 7.2 of 144 | 0.83 to 0.92 | median 0.005 |
# | ours | 1.1, 1.3 of 16 | 0.936, 0.938 | median 0.009 |
#
# Ours are a little higher, and no wonder: a quarter of what this model was trained on is random tokens that come again. GPT-2 learned it from the web.
#
# *Learned*: "the token after the earlier one" is `length − 1` back; an offset that is off by one sees nothing.
# %% [markdown]
# ## d2.1.8 Copying
# ●●●○○ difficulty · ●●●●● importance · 10 minutes · core
#
# To look at the right token is half of it. The head must also raise that token's logit. The second score asks: of what a head raises, how much is the token that it should copy?
#
# `raised` [row, query, token] holds, for the queries of the second copy, what a head adds to the logits of the `length` tokens of the first copy, which are all different. Take it less its mean over the tokens, and keep what is positive. Of this, which share goes to the *next* token: at query $i$ of the second copy that is token $i + 1$, and for the last one token 0, with which both copies begin? The mean of the shares over rows and queries is the *copying score*; a head that raises tokens at random gets one part in `length`.
#
# Stuck? `hint("d2.1.8")`
# %% exercise="d2.1.8"
def copying_score(raised: torch.Tensor) -> torch.Tensor:
    """Mean share of what is raised above the mean that goes to token (query + 1) % length; raised [row, length, length]."""
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
adds = [index(direct_logits(short_graph, node), slice(SHORT, None)) for node in head_outputs(short_graph).values()]


def copying_of(seed: int, score=copying_score) -> torch.Tensor:
    """The copying scores [layer, head] on different random tokens, said twice."""
    numbers = torch.Generator().manual_seed(seed)
    tokens = torch.stack([1 + torch.randperm(1023, generator=numbers)[:SHORT] for _ in range(4)])
    picked = tokens[:, None].expand(-1, SHORT, -1)
    logits = evaluate(adds, {"tokens": tokens.repeat(1, 2)})
    return torch.stack([score(each.gather(2, picked)) for each in logits]).reshape(2, 8)


copying = over_seeds(copying_of)
one_off = over_seeds(lambda seed: copying_of(seed, lambda raised: copying_score(raised.roll(1, -1))))
groups = {"the next token": by_head(*copying), "the current token (offset off by one)": by_head(*one_off)}
plot.bars(groups, "Of what a head raises, the share of one token", "share", "head")
# %% [markdown]
# **What you should see**: the same two heads, 1.1 and 1.3, with 0.366 ± 0.003 and 0.364 ± 0.001; the others are at chance, 0.04. A share of 0.37 is high: the other 24 tokens have all the rest between them, mostly in crumbs. With the offset off by one the two are *below* chance. They do not raise the token that is there already.
#
# Looking and copying together make an induction head: at A, look for what followed A, and say it.
#
# *Learned*: attention says from where a head takes; only the logits say what it does with it.
#
# > **Pair card.** Swap. The navigator asks: "If this head looked at the right place and wrote nothing, which of our scores would notice?" Explain back: where does `length − 1` come from, with A, B and two fingers? *Alone:* the heads 0.6 and 0.7 look at the current token; say what their copying score would have to be for the current token, if that were all they did, and compare.
# %% [markdown]
# ## d2.1.9 What would induction guess?
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# We know two heads by what they do on random tokens. On a text, how often is there something for them to do? Induction as a rule needs no model: at each token, find its last earlier occurrence in the row, and guess the token that followed it.
#
# Write `induction_guess`: this guess at every position, and −1 where the token did not occur before. A loop is fine.
#
# Stuck? `hint("d2.1.9")`
# %% exercise="d2.1.9"
def induction_guess(tokens: torch.Tensor) -> torch.Tensor:
    """What followed the last earlier occurrence of the token [row, seq] at each position, or -1; like tokens."""
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
guesses = induction_guess(passages)
exists = guesses[:, :-1] >= 0
right = guesses[:, :-1] == passages[:, 1:]
print(f"a guess at {exists.float().mean():.0%} of the tokens, right at {right.sum() / exists.sum():.0%} of those")
kinds = {"right": right, "wrong": exists & ~right, "none": ~exists}
loss_by_guess = {kind: estimate(losses[where]) for kind, where in kinds.items()}
plot.bars({"loss": loss_by_guess}, "The model's loss, by what induction would have guessed", "loss (nats)", "the guess")
# %% [markdown]
# **What you should see**: a guess at 30 % of the tokens, right at 24 % of those: on this text the rule is right at one token of fourteen. There the model's loss is 0.45 nats; where the guess is wrong it is 1.45, and where there is none, 1.43. So the model does not follow the rule blindly. A wrong guess costs it next to nothing.
#
# (The bars' errors take tokens for independent. Within a row they are not.)
#
# Where do the two induction heads look when there is nothing to copy? Attention has to sum to 1 there, too. In the view of d2.1.5 both have dark columns. We take the full stops and the ends of lines, one token in thirteen of this text, and ask how much attention they get.
# %%
stops = torch.isin(passages, torch.cat([model.tokenize(sign)[:1] for sign in (".", "\n")]))
on_stops = (patterns[:, 1, [1, 3], :-1] * stops[:, None, None]).sum(-1)  # [row, head, query]
resting = {
    f"1.{head}": {kind: estimate(on_stops[:, place][where]) for kind, where in kinds.items()}
    for place, head in enumerate((1, 3))
}
plot.bars(resting, "Attention of the induction heads to full stops and ends of lines", "attention", "the guess")
# %% [markdown]
# **What you should see**: where the guess is wrong, 1.1 pays 0.85 and 1.3 pays 0.71 of its attention to these few tokens; where there is none, 0.71 and 0.60; and even where it is right, 0.61 and 0.37. A head cannot look nowhere, so it needs a place to rest, and these two rest on full stops. On stories they are induction heads now and then, and waiting the rest of the time. Whether it matters what they fetch while they wait, part 2 will show.
#
# *Learned*: most tokens of a text are no business of an induction head, and an average over all of them hides it.
# %% [markdown]
# ## d2.1.10 Tokens worth studying
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Where should one measure, then? Not where the guess happened to be right: whoever selects by the outcome finds what they selected for. Chan et al. 2022 measure at *candidate tokens*, chosen by their kind and not case by case. In the same spirit we list the tokens after which it pays, over the whole text, to look back.
#
# Write `candidates`: the tokens after which a guess existed at `least` places or more, and was right in at least half of them. The last position of a row is followed by nothing, and counts for nothing.
#
# Stuck? `hint("d2.1.10")`
# %% exercise="d2.1.10"
def candidates(tokens: torch.Tensor, guesses: torch.Tensor, least: int) -> list[int]:
    """The tokens, in ascending order, whose guess exists at `least` places and is right at half; both [row, seq]."""
    ### BEGIN SOLUTION
    now, exists = tokens[:, :-1], guesses[:, :-1] >= 0
    right = guesses[:, :-1] == tokens[:, 1:]
    asked, held = (now[where].bincount(minlength=int(tokens.max()) + 1) for where in (exists, right))
    return [token for token in range(len(asked)) if asked[token] >= least and held[token] * 2 >= asked[token]]
    ### END SOLUTION
# %% check="d2.1.10" points=2
check("d2.1.10", candidates)
# %%
chosen = candidates(passages, guesses, least=10)
at_candidates = torch.isin(passages[:, :-1], torch.tensor(chosen, dtype=torch.long)) & exists
print(len(chosen), "candidates:", ", ".join(repr(model.decode(torch.tensor([token]))) for token in chosen))
if at_candidates.sum() < 2:
    print("Too few places for an estimate: ask for least=5, or read a longer text.")
else:
    hits = right[at_candidates].float().mean()
    there, elsewhere = estimate(losses[at_candidates]), estimate(losses[~at_candidates])
    print(f"{at_candidates.float().mean():.1%} of all places; there the guess is right in {hits:.0%}")
    print("loss there {:.2f} ± {:.2f}, elsewhere {:.2f} ± {:.2f}".format(*there, *elsewhere))
# %% [markdown]
# **What you should see**: 14 candidates, pieces from the middle of names such as `ild`, `os` and `ll`, and `,"`, after which a story goes on with the same word more often than not. They stand at 2 % of all places. The common ` said` is none: what followed it the last time follows it again in 14 % only.
#
# Part 2 asks what is lost when the induction heads are gone, here and elsewhere; day 3 tests its hypotheses at such tokens.
#
# *Learned*: choose where to measure by something that the model did not decide.
#
# > **Pair card.** Swap. The navigator asks: "Was this token chosen by what came before it, or by what came out?" Explain back: what would be wrong with "the places where ablating 1.3 costs most"? *Alone:* lower `least` to 5; which of the new ones are there by chance?
# %% [markdown]
# ## d2.1.11 By hand
# ●○○○○ difficulty · ●●●○○ importance · 8 minutes · core
#
# Before we take the model apart, one case with our own eyes. Below is the passage with the most opportunities, its tokens numbered. Find one by reading: a token A that came before, and after which the same B comes again. Not the easiest: one in the middle of a name.
# %%
passage = passages[right.sum(1).argmax()]
print("  ".join(f"{place}:{piece!r}" for place, piece in enumerate(pieces(passage))))
# %% [markdown]
# Write down where the head stands and where it should look: `opportunity = {"tokens": passage, "query": ..., "key": ...}`. The query is the position of the second A; the key is that of the first B.
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
look_from, look_to = opportunity["query"], opportunity["key"]
seen = all_patterns(graph, passage[None])[0, :, :, look_from, look_to].flatten()
paid = token_losses(evaluate(graph, {"tokens": passage[None]}), passage[None])[0, look_from]
print(f"after {pieces(passage)[look_from]!r} comes {pieces(passage)[look_from + 1]!r}, for {paid:.2f} nats")
plot.heads(seen.reshape(2, 8), f"Attention from token {look_from} to token {look_to}", "attention")
# %% [markdown]
# **What you should see**: if your opportunity is one that the model takes, a loss near zero, and 1.1 or 1.3 with much of their attention on your key. If it is not: did A occur a third time, and did they look there?
#
# *Learned*: a score is a summary of cases; look at some of them.
# %% [markdown]
# ## d2.1.12 ★ Is it exact, or fuzzy?
# ●●●●○ difficulty · ●●●○○ importance · 15 minutes · ★
#
# An open question. In large models some induction heads match what is *like* the earlier token: another case, a plural, another language. Do ours? Many of our tokens have a twin: the same letters with a space in front, or without, as `an` and ` an`. We say random tokens once, and then their twins.
#
# Write `spaced_twins`: for each token the number of its twin, and −1 if there is none or if the piece is not of letters only (a space in front allowed).
#
# Stuck? `hint("d2.1.12")`
# %% exercise="d2.1.12"
def spaced_twins(pieces: list[str]) -> list[int]:
    """For each token, the token of the same letters with the space in front put on or taken off, or -1."""
    ### BEGIN SOLUTION
    number = {piece: token for token, piece in enumerate(pieces)}
    others = [piece[1:] if piece.startswith(" ") else " " + piece for piece in pieces]
    pairs = zip(pieces, others, strict=True)
    return [number.get(other, -1) if piece.removeprefix(" ").isalpha() else -1 for piece, other in pairs]
    ### END SOLUTION
# %% check="d2.1.12" points=2
check("d2.1.12", spaced_twins)
# %%
predict("d2.1.p6", ..., "prefix-matching score of head 1.1, where the second copy is of twins (exact: about 0.85)")
# %%
twins = torch.tensor(spaced_twins(pieces(torch.arange(1024))))
known = (twins >= 0).nonzero().flatten()
short = model.graph(seq=2 * SHORT)


def prefix_after(second) -> tuple[torch.Tensor, torch.Tensor]:
    """Prefix matching over ten seeds, where the tokens of the second copy are `second(first, numbers)`."""

    def once(seed: int) -> torch.Tensor:
        numbers = torch.Generator().manual_seed(seed)
        first = known[torch.stack([torch.randperm(len(known), generator=numbers)[:SHORT] for _ in range(10)])]
        rows = torch.cat([first, second(first, numbers)], 1)
        return prefix_score(all_patterns(short, rows), SHORT).mean(0)

    return over_seeds(once)


def others(first: torch.Tensor, numbers: torch.Generator) -> torch.Tensor:
    """Any tokens that have a twin."""
    return known[torch.randint(len(known), first.shape, generator=numbers)]


again = {
    "the same tokens": prefix_after(lambda first, numbers: first),
    "their twins": prefix_after(lambda first, numbers: twins[first]),
    "any others": prefix_after(others),
}
measured("d2.1.p6", *(value[1, 1] for value in again["their twins"]))
shown_heads = {name: {h: by_head(*score)[h] for h in ("1.0", "1.1", "1.2", "1.3")} for name, score in again.items()}
plot.bars(shown_heads, "Prefix matching, exact and fuzzy", "attention", "head")
# %% [markdown]
# **What you should see**: a little. After a twin, 1.1 and 1.3 pay 0.18 and 0.20 to the place; after any other token 0.03; after the same token 0.85 and 0.87. So spaces matter much and not absolutely. Whether that counts as fuzzy induction is for you to argue. What would you measure next: capitals (`the`, `The`)? Which of the two heads does it more? Is it in the queries, or in the keys? Part 2 has the tool for the last.
#
# *Learned*: "attends to the same token" is a claim about all the tokens that are nearly the same.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, a name from the page, or one of the listed options: `recall = {"offset": ..., "entry": ..., "positions": ..., "guessing": ..., "second": ...}`
#
# 1. `offset`: 50 random tokens are repeated. How many positions back does an induction head attend? (a number)
# 2. `entry`: entry 20 of `token_losses` is about which token? The first token is number 0. (a number)
# 3. `positions`: which of `queries`, `keys` and `values` do not read a position in this model?
# 4. `guessing`: what does a random guess among 1,024 tokens cost, in nats, to two decimal places?
# 5. `second`: prefix matching measures where a head looks. Which score measures what it adds to the logits? (its name)
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
# ## What we have
#
# Two heads that look at what followed, and say it; one that looks at the token before; two that look at the token itself. On random tokens the loss falls by 7 nats, and at one token in fifty of a story it pays to look back. But we have only *watched*. A head may look and not matter, and two may matter only together. And there is a riddle left: position $i + 1$ holds B. What is there about B that tells a head at the second A to look there? B itself is not like A. Part 2 takes heads away, one by one, and finds who put it there.
