# %% [markdown]
# # Day 1, part 4: a transformer as a graph
#
# **Two networks are equally accurate. For the same reasons?**
#
# The digits networks had two paths. A language model of two layers and sixteen heads has hundreds, and the same handful of verbs is enough for it: split a node, find it, put something in its place, patch a path. In this part we turn them on a small transformer, and ask of each of its heads what it is good for. We shall get two answers that contradict each other, and today's one idea says why both are right.
#
# **After this part we can**
# - make a node of one attention head, see where it looks and what it writes;
# - write a logit as a sum of what each head adds to it;
# - expand a transformer, its attention held fixed, into paths;
# - patch one head's way to the logits, and say what that leaves out.
#
# **Time**: about 30 minutes without the ★ exercises. Whoever has not met a transformer before finds one built in part 0.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits*, the sections on zero-layer transformers, path expansion and virtual attention heads: they are d1.4.3 to d1.4.6. Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching*, the definition: d1.4.8. Both can wait until tonight.
# %%
import time
from contextlib import ExitStack

import torch
from remix_utils import RULES, Node, ablate, add, apply, array, at, check, einsum, evaluate, find, find_one, hint
from remix_utils import explain, index, models, path_patch, placeholder, plot, replace, show, split, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import components, ov, path_expansion
from remix_utils.tasks import stories

start_at("d1.4")  # to rejoin the room: start_at("d1.4.4") brings every name that the rest of this part reads
# %% [markdown]
# ## The model
#
# `induction-2l` reads text in 1,024 kinds of tokens, which are pieces of some two or three letters, and predicts the next one. It has two layers of eight attention heads and nothing else: no MLP. What every position holds is a vector of 256 numbers, the *residual stream*. It starts as the token's embedding, each head adds something to it, and at the end a layernorm and a matrix read the logits from it.
#
# ![The residual stream of a two-layer attention-only transformer, drawn from the bottom up as one thick line. The tokens, 64 of them, become embed, 64 × 256, where the stream begins under the name blocks.0.resid_pre. Layer 0 reads the stream there. Each of its heads, head 0.0, head 0.1 and so on to head 0.7, writes to the stream, where a plus adds what they write and gives blocks.0.resid_post. Layer 1 reads this and writes to the stream in the same way, with head 1.0, head 1.1 and so on to head 1.7, which gives blocks.1.resid_post. At the top, ln_final and W_U turn the stream into logits, 64 × 1024.](diagram:residual_stream)
#
# ```
# logits [64, 1024] = ln_final(blocks.1.resid_post) · W_U
# blocks.1.resid_post = blocks.1.resid_pre + blocks.1.attn_out        reads the stream through blocks.1.ln1
# blocks.0.resid_post = blocks.0.resid_pre + blocks.0.attn_out        reads the stream through blocks.0.ln1
# blocks.0.resid_pre  = embed
# ```
#
# One thing is unusual. Positions are not in the stream: they are added to what queries and keys read, after the layernorm, and to nothing else. So a head can look at "the token before", but it cannot carry a position along.
# %%
model = models.load("induction-2l")
SEQ = 64
graph = model.graph(seq=SEQ)
print({key: model.config[key] for key in ("n_layers", "n_heads", "d_model", "d_head", "d_vocab")})
print(show(graph, depth=4))
# %% [markdown]
# ## What we ask it
#
# The stories of `tasks.stories` are about people, places and things whose names are put together anew for each story, so that only the story itself can tell how a name goes on. We cut forty of them off in the middle of a name that was there before. `prompts` [40, 64] holds the tokens, `answer` [40] the token with which the name goes on. `log_prob` makes a node of what the model says about it: the logarithm of the probability (in nats) of the right token, at the last position. With its sign turned, it is the loss.
# %%
def half_said(story: str) -> torch.Tensor | None:
    """65 tokens of a story, the last of which goes on with a name that was there before; None if there are none."""
    tokens = model.tokenize(story)
    pieces = [model.decode(token[None]) for token in tokens]
    for end in range(SEQ, len(pieces)):
        begin = max(place for place in range(end) if pieces[place].startswith(" "))
        name = "".join(pieces[begin : end + 1]).strip()
        if name[:1].isupper() and name.isalpha() and name in "".join(pieces[end - SEQ : begin]):
            return tokens[end - SEQ : end + 1]
    return None


def log_prob(logits: Node) -> Node:
    """The log-probability, in nats, of the token `answer` at the last position."""
    last = apply("log_softmax", index(logits, -1), name="log_probs")
    return apply("pick", last, placeholder("answer", (), torch.long), name="log_prob")
# %%
cut = [tokens for tokens in map(half_said, stories.tell(50, seed=2)) if tokens is not None]
prompts, answer = torch.stack(cut)[:40, :-1], torch.stack(cut)[:40, -1]
inputs = {"tokens": prompts, "answer": answer}


def estimate(values: torch.Tensor) -> tuple[float, float]:
    """The mean over prompts [prompt], and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5


def loss(graph: Node) -> torch.Tensor:
    """The loss of each prompt's answer [prompt], in nats."""
    return -evaluate(log_prob(graph), inputs)


for row in range(4):
    print(repr(model.decode(prompts[row, -32:])), "→", repr(model.decode(answer[row, None])))
whole_loss = loss(graph)
print("loss: {:.2f} ± {:.2f} nats".format(*estimate(whole_loss)))
# %% [markdown]
# **What you should see**: four beginnings that we could complete ourselves, by looking back; and a loss of 0.7 nats, where guessing at random costs log 1,024 = 6.93. The model looks back as well, and the rest of this part finds out by which ways.
# %% [markdown]
# ## d1.4.1 What one head writes
# ●●○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# A layer's output, `blocks.1.attn_out`, is a product that sums over heads, with a bias. No node in it is one head's share. In part 3 we wrote `split_sum` to make such nodes; the library's `split(graph, "blocks.1.attn_out", "head")` does so too, and names them `blocks.1.attn.head.3.out` and so on, down to each head's own queries, keys and values.
#
# Write `head_output`: the node of what one head adds to the stream. The check uses transformers with other numbers of layers and heads, here and below.
#
# Stuck? `hint("d1.4.1")`
# %% exercise="d1.4.1"
def head_output(graph: Node, layer: int, head: int) -> Node:
    """What one head adds to the residual stream, as a node [seq, d_model]; graph is that of the logits."""
    ### BEGIN SOLUTION
    parts = split(graph, f"blocks.{layer}.attn_out", "head")
    return find_one(parts, f"blocks.{layer}.attn.head.{head}.out")
    ### END SOLUTION
# %% check="d1.4.1" points=1
check("d1.4.1", head_output)
# %%
HEADS = [(layer, head) for layer in range(2) for head in range(8)]
print(show(head_output(graph, 1, 3), depth=2))
writes = evaluate([index(head_output(graph, *place), -1) for place in HEADS], inputs)
length = torch.stack([each.norm(dim=-1).mean() for each in writes]).reshape(2, 8)
plot.heads(length, "How much each head writes at the last position", "length of what it adds")
# %% [markdown]
# **What you should see**: a product of this head's `z` with its own `W_O`, and sixteen lengths. Head 1.3 writes most, 35 at the last position; head 0.0, with 16, is the loudest of layer 0.
#
# *Learned*: a head is a term of a sum, and a term can be a node.
# %% [markdown]
# ## d1.4.2 Where it looks
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · core
#
# Each position of each head looks back over the text and spreads an attention of 1 over what it finds: the *pattern* [query, key]. The graph has the patterns of a layer in one node, `blocks.1.attn.pattern` [head, query, key].
#
# Write `head_pattern`: one head's pattern, as a node.
#
# Stuck? `hint("d1.4.2")`
# %% exercise="d1.4.2"
def head_pattern(graph: Node, layer: int, head: int) -> Node:
    """The attention pattern of one head, as a node [query, key]."""
    ### BEGIN SOLUTION
    return index(find_one(graph, f"blocks.{layer}.attn.pattern"), head, name=f"pattern {layer}.{head}")
    ### END SOLUTION
# %% check="d1.4.2" points=1
check("d1.4.2", head_pattern)
# %%
pieces = [model.decode(token[None]) for token in prompts[1]]
patterns = evaluate([head_pattern(graph, *place) for place in HEADS], {"tokens": prompts[1:2]})
names = [f"{layer}.{head}" for layer, head in HEADS]
plot.attention(pieces, torch.cat(patterns), names, "All sixteen heads on the second prompt")
# %% [markdown]
# **What you should see**: thin diagonals in layer 0, and something harder to name in layer 1. Click on head 0.0: nearly every token looks at the token *before* it. Heads 0.6 and 0.7 look at the token itself. Now click on 1.3, and point at the last token, ` E`. It looks at `ll`, in the middle of "Ellis", and `ll` is how the name goes on.
#
# *Learned*: patterns can be read off. What they are good for cannot.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "A head looks at a token. What does it do with it?" Explain back to each other: why does each row of a pattern sum to 1, and why is the upper right half empty? *Alone:* find the two heads whose pictures you find clearest, and write down in one sentence each what they do.
# %% [markdown]
# ## d1.4.3 The direct path
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · core
#
# The shortest path from the tokens to the logits passes no head: embedding, layernorm, unembedding. Along it a prediction depends on the last token alone. It is a table of *bigrams*: after this token, that one.
#
# Write `direct_path`: the graph in which attention writes nothing. `ablate(graph, selector, "zero")` puts zeros in the place of the selected nodes. Take care that nothing of the attention layers is left, whatever their number.
#
# Before the run: guessing at random costs 6.93 nats. What does the direct path alone cost?
#
# Stuck? `hint("d1.4.3")`
# %% exercise="d1.4.3"
def direct_path(graph: Node) -> Node:
    """The logits [seq, d_vocab] of the embedding alone: no attention layer writes anything."""
    ### BEGIN SOLUTION
    return ablate(graph, "blocks.*.attn_out", "zero")
    ### END SOLUTION
# %% check="d1.4.3" points=1
check("d1.4.3", direct_path)
# %%
predict("d1.4.p1", ..., "loss in nats, direct path alone (guessing: 6.93)")
# %%
bigrams = direct_path(graph)
print(show(bigrams))
direct_loss = loss(bigrams)
measured("d1.4.p1", *estimate(direct_loss))

some = torch.cat([model.tokenize(text)[:1] for text in (" of", "qu", " did", " had", ",")])
table = evaluate(bigrams, {"tokens": some[:, None].expand(-1, SEQ)})[:, -1].softmax(-1)
for token, row in zip(some, table, strict=True):
    likely = ", ".join(f"{model.decode(next[None])!r} {p:.2f}" for p, next in zip(*row.topk(4), strict=True))
    print(f"after {model.decode(token[None])!r}: {likely}")
# %% [markdown]
# **What you should see**: 9.2 ± 0.6 nats, worse than guessing. The table knows something, `qu` goes on with `ence`, `ire` or `ir`; but it puts 0.9 on " of letter", as no text would. In the whole model the heads correct that: the table was trained beside them, and never alone.
#
# *Learned*: a path taken out of a network is not a network that was trained. It says what it adds, and need not make sense alone.
# %% [markdown]
# ## d1.4.4 What a part adds to the logits
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# The stream at the end is a sum: embedding, heads, biases. Were the logits linear in it, each term's share in a logit could be read off. They nearly are. Between stream and logits stands `ln_final`, and of its steps (centre, divide by a scale, multiply by a weight, add a bias) only one is not linear: the scale depends on the whole stream. So we *hold* it at its value. This is *direct logit attribution*.
#
# Write `direct_logits`: what one part [seq, d_model] of the stream adds to the logits. `RULES["expand_layernorm"](graph, "ln_final")` makes a node of each step. Put the part in the place of the stream, keep `ln_final.inverse` (1 / scale) as it was for the whole stream, and put zeros in the place of `ln_final.b`, which is nobody's part. One `replace` can do all three at once: its new nodes keep what they were built from.
#
# Stuck? `hint("d1.4.4")`
# %% exercise="d1.4.4"
def direct_logits(graph: Node, part: Node) -> Node:
    """What a part [seq, d_model] of the last stream adds to the logits [seq, d_vocab], ln_final's scale held."""
    ### BEGIN SOLUTION
    opened = RULES["expand_layernorm"](graph, "ln_final")
    stream = find_one(graph, "ln_final").children[0]
    inverse, bias = find_one(opened, "ln_final.inverse"), find_one(opened, "ln_final.b")
    return replace(opened, {stream: part, inverse: inverse, bias: array(torch.zeros(bias.shape), "zeros")})
    ### END SOLUTION
# %% check="d1.4.4" points=2
check("d1.4.4", direct_logits)
# %% [markdown]
# Logits mean something only beside other logits: add 5 to all of them, and nothing changes. So we look at the right token's logit *above the mean of all 1,024*. `components(graph)` from the library lists the terms of the last stream. Which head adds most to the right token?
# %%
predict("d1.4.p2", ..., "the head that adds most to the right token, such as 0.5")
# %%
def above_mean(logits: Node) -> Node:
    """The right token's logit at the last position, less the mean logit."""
    last = index(logits, -1)
    mean = einsum("vocab, vocab ->", last, array(torch.full(last.shape, 1 / last.size), "1 / vocab"))
    return add(apply("pick", last, placeholder("answer", (), torch.long)), mean, weights=[1, -1], name="above_mean")


parts = components(graph)
asked = {name: above_mean(direct_logits(graph, part)) for name, part in parts.items()}
adds = {name: value.expand(40) for name, value in evaluate(asked, inputs).items()}
heads_add = torch.stack([adds[f"blocks.{layer}.attn.head.{head}.out"].mean() for layer, head in HEADS]).reshape(2, 8)
measured("d1.4.p2", names[int(heads_add.argmax())])

zeros = array(torch.zeros(SEQ, 256), "nothing")
bias_adds = evaluate(above_mean(replace(graph, {find_one(graph, "ln_final").children[0]: zeros})), inputs)
total, logit = sum(adds.values()) + bias_adds, evaluate(above_mean(graph), inputs)
print(f"all {len(adds)} parts and the bias: {total.mean():.3f}; the logit: {logit.mean():.3f}")
print(f"largest difference on a prompt: {(total - logit).abs().max():.0e}")
plot.heads(heads_add, "What each head adds to the right token directly", "logit above the mean")
# %% [markdown]
# **What you should see**: the parts sum to the logit, 15.6, but for rounding. Head 1.3 adds most, 4.3; then come 0.6, 1.1 and 1.5 with a little under 2 each. The embedding adds 0.1, and head 0.0, loud as it is, 0.1 as well.
#
# *Learned*: with the scale held, a logit is a sum, and each term has an owner.
#
# > **Pair card.** Swap. The navigator asks: "Which of these numbers would change if another head were removed?" Explain back: why must the scale be that of the whole stream, and what would the parts sum to if each had its own? *Alone:* write down three things that head 0.0 may be good for although it adds nothing here.
# %% [markdown]
# ## d1.4.5 ★ Hold attention, and all is linear
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · ★
#
# We held one scale. Hold all of them, and all sixteen patterns, and nothing in this model is nonlinear any more. It is a sum over *paths*: from a token, through no head, one head or two, to the logits. `RULES["expand_paths"](graph, "logits")` writes that sum; it holds `*.pattern`, `*.scale` and `*.inverse` by itself. It cannot pass what is still in one piece, though: a layernorm, or heads that are not split.
#
# Write `path_terms`: split, open every layernorm, expand. The biases begin paths, too.
#
# Stuck? `hint("d1.4.5")`
# %% exercise="d1.4.5"
def path_terms(graph: Node) -> Node:
    """The logits as an add with a term for each path, attention patterns and layernorm scales held."""
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    graph = RULES["expand_layernorm"](graph, at("*.ln1") | at("ln_final"))
    return RULES["expand_paths"](graph, "logits")
    ### END SOLUTION
# %% check="d1.4.5" points=2
check("d1.4.5", path_terms)
# %%
expanded = path_terms(graph)
from_tokens = [term for term in expanded.children if term.name.endswith("< embed")]
print(f"{len(expanded.children)} terms, of which {len(from_tokens)} start at the tokens, the rest at biases; the longest:")
print(max((term.name for term in from_tokens), key=len))
one, other_side = evaluate([index(graph, -1), index(expanded, -1)], inputs)
print(f"the logits and the sum of the terms: {(one - other_side).abs().max():.0e} apart")
# %% [markdown]
# **What you should see**: 81 paths from the tokens: 1 that passes no head, 16 that pass one, and 8 · 8 = 64 that pass two. The sum is the logits, up to rounding.
#
# *Learned*: attention decides where information moves; what moves, moves linearly.
# %% [markdown]
# ## d1.4.6 ★ Two heads in a row are one head
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# A head does two things. Its pattern $A$ [query, key] says from where to where; its *OV circuit*, $W_V W_O$ [d_model, d_model], says what becomes of what it moves. On a stream $x$ it writes $A\,x\,W_V W_O$. If a second head reads that, it writes $A'\,(A\,x\,W_V W_O)\,W'_V W'_O$, and this has the same form: one pattern, one OV circuit. Elhage et al. call it a *virtual attention head*.
#
# Write `virtual_head`: the pattern and the OV circuit of two heads in a row. Both are products of matrices, but not in the same order. Vectors are rows.
#
# Stuck? `hint("d1.4.6")`
# %% exercise="d1.4.6"
def virtual_head(first: tuple[Node, Node], second: tuple[Node, Node]) -> tuple[Node, Node]:
    """Pattern [query, key] and OV [d_model, d_model] of two heads in a row, of which each is such a pair."""
    ### BEGIN SOLUTION
    pattern = einsum("query middle, middle key -> query key", second[0], first[0], name="virtual pattern")
    circuit = einsum("from middle, middle to -> from to", first[1], second[1], name="virtual OV")
    return pattern, circuit
    ### END SOLUTION
# %% check="d1.4.6" points=2
check("d1.4.6", virtual_head)
# %% [markdown]
# We compare it with the term of the expansion that passes heads 0.6 and 1.3. `as_matrices` writes a head of the model as a pair: layernorm's scale goes into the pattern, its centring and weight into the OV circuit, which is what `ov` from the library gives. And how much do all 64 virtual heads carry, of the 15.6 logits that the right token has above the mean?
# %%
predict("d1.4.p3", ..., "of the right token's logit above the mean, how much comes through two heads")
# %%
def as_matrices(layer: int, head: int) -> tuple[Node, Node]:
    """A head as (pattern over the scale of what it reads [query, key], OV circuit with ln1 folded in)."""
    inverse = find_one(RULES["expand_layernorm"](graph, f"blocks.{layer}.ln1"), f"blocks.{layer}.ln1.inverse")
    pattern = einsum("query key, key one -> query key", head_pattern(graph, layer, head), inverse)
    return pattern, array(ov(model, (layer, head)).full(), f"OV {layer}.{head}")


from_tokens = [term for term in path_terms(graph).children if term.name.endswith("< embed")]


def passes(term: Node) -> list[str]:
    """The heads that a path passes, the last one first."""
    steps = [step.split(".") for step in term.name.split(" < ") if step.endswith(".out")]
    return [f"{step[1]}.{step[4]}" for step in steps]


pattern, circuit = virtual_head(as_matrices(0, 6), as_matrices(1, 3))
written = einsum("query key, key from, from to -> query to", pattern, find_one(graph, "embed"), circuit)
(term,) = [each for each in from_tokens if passes(each) == ["1.3", "0.6"]]
one, other_side = evaluate([index(direct_logits(graph, written), -1), index(term, -1)], inputs)
print(f"one virtual head and the path through two heads: {(one - other_side).abs().max():.0e} apart")
# %%
carried = torch.stack(evaluate([above_mean(term) for term in from_tokens], inputs))  # [path, prompt]
length_of = torch.tensor([len(passes(term)) for term in from_tokens])
by_length = {heads: estimate(carried[length_of == heads].sum(0)) for heads in range(3)}
print({f"through {heads} heads": f"{mean:.2f} ± {error:.2f}" for heads, (mean, error) in by_length.items()})
measured("d1.4.p3", *by_length[2])
pairs = {tuple(passes(term)): value.mean() for term, value in zip(from_tokens, carried, strict=True)}
grid = torch.tensor([[pairs[f"1.{second}", f"0.{first}"] for second in range(8)] for first in range(8)])
shown = [f"0.{first}" for first in range(8)], [f"1.{second}" for second in range(8)]
plot.heatmap(grid, *shown, "What each virtual head adds to the right token", "logit", x="second head", y="first head")
# %% [markdown]
# **What you should see**: 0.1 through no head, 5.3 ± 0.6 through one, and 9.4 ± 0.4 through two: of the right token's 15.6, most has passed two heads. The two largest are 0.7 or 0.6, then 1.3. These heads of layer 0 look at the token itself and write it down once more, in a form that 1.3 can carry to the end of the text.
#
# *Learned*: a path through two heads is a head that nobody built, and it can be read like the others.
#
# > **Pair card.** Swap. The navigator asks: "Which of the two patterns do we read first, standing at the last token?" Explain back: how many virtual heads of three heads would a model of three layers have? *Alone:* follow one prompt by eye through both patterns, from the last token to the token whose value arrives.
# %% [markdown]
# ## d1.4.7 ★ Every head, ablated in three ways
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · ★
#
# Attribution says what a head adds directly. Ablation asks what happens without it. In part 1 this took a hook, an edit and a run for each; now an ablation is a graph, and sixteen of them are a dict, evaluated by one call that computes what they share once.
#
# Write `ablate_each_head`: for every head, the graph without it. `how` is "zero", "mean" or "resample", and `data` the inputs from which `ablate(graph, node, how, data)` takes means and other rows. The check uses transformers of other sizes, so ask the graph which heads it has.
#
# Stuck? `hint("d1.4.7")`
# %% exercise="d1.4.7"
def ablate_each_head(graph: Node, how: str, data=None) -> dict[str, Node]:
    """{"0.3": the logits' graph in which head 3 of layer 0 is ablated, ...}, for every head."""
    ### BEGIN SOLUTION
    graph, found = split(graph, "blocks.*.attn_out", "head"), {}
    for node in find(graph, "blocks.*.attn.head.*.out"):
        _, layer, _, _, head, _ = node.name.split(".")
        found[f"{layer}.{head}"] = ablate(graph, node, how, data)
    return found
    ### END SOLUTION
# %% check="d1.4.7" points=2
check("d1.4.7", ablate_each_head)
# %% [markdown]
# Which head will cost most when it is resampled? You have seen their patterns, and what they add.
# %%
predict("d1.4.p4", ..., "the head that costs most when it is resampled, such as 0.5")
# %%
costs = {}
for how in ("zero", "mean", "resample"):
    without = ablate_each_head(graph, how, {"tokens": prompts})
    values = evaluate({name: log_prob(each) for name, each in without.items()}, inputs)
    costs[how] = {name: estimate(-values[name] - whole_loss) for name in names}
measured("d1.4.p4", max(names, key=lambda name: costs["resample"][name]))
plot.bars(costs, "The cost of every head, ablated in three ways", "loss added (nats)", "head")
# %% [markdown]
# **What you should see**: head 0.0 costs most, 3.4 ± 0.3 nats resampled, more than head 1.3 with 2.0 ± 0.3. Yet it adds next to nothing to the right token. The three ways agree on which heads matter, 0.0, 0.6, 0.7 and 1.3, and not on how much: 0.6 costs 1.3 nats at its mean and 2.0 resampled.
#
# *Learned*: what a head adds to the logits, and what the logits lose without it, are two questions.
# %% [markdown]
# ## d1.4.8 One head's way to the logits
# ●●●○○ difficulty · ●●●●● importance · 6 minutes · core
#
# What a head of layer 0 writes has several readers: the logits read it, and so does every head of layer 1. Which of them matters? In part 2 we patched `x` as the skip path reads it. Here we patch a head *as the logits read it*: on this way the head has seen another text, and on all other ways its own.
#
# Write `head_to_logits`. Split the heads; select the head's output, but only on ways that avoid the layers above it; patch with `path_patch(graph, way, {"tokens": other})`. `at("x").avoiding("y")` selects the paths to x that do not pass y. What does a head of layer 1 read the stream through?
#
# Stuck? `hint("d1.4.8")`
# %% exercise="d1.4.8"
def head_to_logits(graph: Node, layer: int, head: int, other: Node) -> Node:
    """The logits, where one head's output, as they read it directly, comes from the tokens `other` [seq]."""
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    way = at(f"blocks.{layer}.attn.head.{head}.out").avoiding("blocks.*.ln1")
    return path_patch(graph, way, {"tokens": other})
    ### END SOLUTION
# %% check="d1.4.8" points=2
check("d1.4.8", head_to_logits)
# %% [markdown]
# Now for all sixteen heads: once on the direct way, and once on all its ways together. As other text each prompt gets the next one. In nats: how much does the loss rise when head 0.0 is patched on *all* its ways? Attribution gave it 0.1 of a logit.
# %%
predict("d1.4.p5", ..., "nats lost when head 0.0 has seen another text, on all its ways")
# %%
other = placeholder("other", (SEQ,), torch.long)
both = {**inputs, "other": prompts.roll(1, 0)}
in_heads = split(graph, "blocks.*.attn_out", "head")
ways = {
    "directly to the logits": {f"{l}.{h}": head_to_logits(graph, l, h, other) for l, h in HEADS},
    "all its ways": {
        f"{l}.{h}": path_patch(in_heads, f"blocks.{l}.attn.head.{h}.out", {"tokens": other}) for l, h in HEADS
    },
}
lost = {}
for way, graphs in ways.items():
    values = evaluate({name: log_prob(each) for name, each in graphs.items()}, both)
    lost[way] = {name: estimate(-value - whole_loss) for name, value in values.items()}
measured("d1.4.p5", *lost["all its ways"]["0.0"])
plot.bars(lost, "What each head is good for, by the way it takes", "loss added (nats)", "head on another text")
# %% [markdown]
# **What you should see**: head 0.0 costs 0.01 ± 0.05 directly and 3.5 ± 0.3 on all its ways, more than any other head. What it writes is not for the logits: the heads of layer 1 read it. The heads 0.6 and 0.7 are of the same kind. Of layer 1, whose heads have only the direct way, one head does most of it: 1.3, with 2.1 ± 0.3.
#
# Head 0.6 is worth a second look: attribution gave it 2.0 logits, and its direct way costs 0.1 nats. On another text it still adds 1.0 to the same token. Attribution counts all that a head writes; patching counts only what depends on this text.
#
# This is the day's idea once more. "How important is head 0.0?" is a question about a value, and it has no answer: through one reading it is worth nothing, and through another nearly everything. Only a path has an importance.
#
# *Learned*: "it adds nothing" and "without it the answer is lost" do not contradict each other. They are about different paths.
#
# > **Pair card.** Swap. The navigator asks: "Who reads this head, and which of them have we cut off?" Explain back: why are both bars of every head of layer 1 equally high? *Alone:* write the selector for the ways of head 0.0 that pass head 1.3, with `>>`, and look at it with `explain`.
# %% [markdown]
# ## d1.4.9 ★ The same with hooks, and the clock
# ●●●●○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# Can hooks do it? As in part 1: corrupt the value for everybody, then repair what should not have changed. `record` runs the network and keeps what the heads gather (`z` [batch, seq, head, d_head]) and what the layers write (`attn_out`). Write `by_hooks`: the logits on `tokens`, when one head's z comes from the corrupted record, and every later layer writes what it wrote in the clean one.
#
# `hooked` of part 1 holds one hook on; `ExitStack` holds on any number: `hooks.enter_context(hooked(...))`. The records are used again for the next head, so work on a clone.
#
# Stuck? `hint("d1.4.9")`
# %%
def record(network: torch.nn.Module, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """The outputs of every `blocks.*.attn.z` and `blocks.*.attn_out` on these tokens, by name; one run."""
    names = [name for name, _ in network.named_modules() if name.endswith((".attn.z", ".attn_out"))]
    seen = {}
    with ExitStack() as hooks:
        for name in names:
            hooks.enter_context(hooked(network, name, lambda layer, inputs, out, name=name: seen.update({name: out})))
        network(tokens)
    return seen
# %% exercise="d1.4.9"
def by_hooks(network, tokens: torch.Tensor, clean: dict, corrupted: dict, layer: int, head: int) -> torch.Tensor:
    """Logits [batch, seq, d_vocab]: one head's direct way to the logits from the corrupted record, all else clean."""
    ### BEGIN SOLUTION
    z = f"blocks.{layer}.attn.z"
    values = {name: value for name, value in clean.items() if "attn_out" in name and int(name.split(".")[1]) > layer}
    values[z] = clean[z].clone()
    values[z][:, :, head] = corrupted[z][:, :, head]
    with ExitStack() as hooks:
        for name, value in values.items():
            hooks.enter_context(hooked(network, name, lambda layer, inputs, out, value=value: value))
        return network(tokens)
    ### END SOLUTION
# %% check="d1.4.9" points=3
check("d1.4.9", by_hooks)
# %% [markdown]
# Both do all sixteen heads, on the same prompts. Hooks need a run for each head, and two for the records. We take the time of the whole, and the graphs' twice: when all logits of all positions are wanted, and when only the right token's logarithm at the last position is.
# %%
def seconds(work) -> tuple[float, object]:
    """How long the faster of two runs took, and what it gave."""
    times = []
    for _ in range(2):
        start = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - start)
    return min(times), result


def sweep_by_hooks() -> list[torch.Tensor]:
    """All sixteen heads, all logits: two runs to record, and one for each head."""
    records = record(network, prompts), record(network, both["other"])
    return [by_hooks(network, prompts, *records, *place) for place in HEADS]


network = model.module()
direct = list(ways["directly to the logits"].values())
hook_time, hook_logits = seconds(sweep_by_hooks)
graph_time, graph_logits = seconds(lambda: evaluate(direct, both))
last_time, _ = seconds(lambda: evaluate([log_prob(each) for each in direct], both))
apart_by = max((a - b).abs().max() for a, b in zip(hook_logits, graph_logits, strict=True))
print(f"largest difference of any logit: {apart_by:.0e}")
print(f"hooks {hook_time:.2f} s; graphs, all logits {graph_time:.2f} s, last position {last_time:.2f} s")
# %% [markdown]
# **What you should see**: the same logits up to rounding; and less time for the graphs. How much less depends on the machine: where all logits are wanted, two to four times; where the last position is enough, six to fourteen times. Clean run and other run are computed once for all sixteen graphs; above the head each has its own layernorm and unembedding, and of those only the rows that are asked for.
#
# *Learned*: a graph knows what its variants share, and what of them is asked for.
#
# > **Pair card.** Swap. The navigator asks: "Which of these runs computed something that another one had computed already?" Explain back: what would have to be repaired by hooks for the way 0.0 → head 1.3's keys → logits? *Alone:* count the layers' runs that the hook version makes for a model of twelve layers and 144 heads.
# %% [markdown]
# ## d1.4.10 ★ What the weights say: QK and OV
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · ★
#
# All so far was about these prompts. A head's weights hold for every text. From token to token they are two tables of 1,024 × 1,024. The *QK circuit*, $W_E W_Q W_K^T W_E^T / \sqrt{d_{head}}$: how much the query's token, a row, wants to look at the key's token, a column. And the *OV circuit*, $W_E W_V W_O W_U$: if the head looks at this token, a row, which logits does it raise, the columns?
#
# Write `token_circuits`: both, for one head, with layernorms and biases left out, in which the picture is only a little coarser. (`full_qk` and `full_ov` in `remix_utils.circuits` fold them in, and never multiply the tables out.)
#
# Stuck? `hint("d1.4.10")`
# %% exercise="d1.4.10"
def token_circuits(weights: dict[str, torch.Tensor], layer: int, head: int) -> tuple[torch.Tensor, torch.Tensor]:
    """(QK, OV), each [d_vocab, d_vocab]; the head's W_Q is weights["blocks.0.attn.W_Q"][head], and so on."""
    ### BEGIN SOLUTION
    embed, unembed = weights["embed.W_E"], weights["unembed.W_U"]
    W_Q, W_K, W_V, W_O = (weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QKVO")
    qk = (embed @ W_Q) @ (embed @ W_K).T / W_Q.shape[1] ** 0.5
    return qk, embed @ W_V @ W_O @ unembed
    ### END SOLUTION
# %% check="d1.4.10" points=2
check("d1.4.10", token_circuits)
# %% [markdown]
# Head 1.3 adds most to the right token. At the end of each prompt, take the token that it looks at most. Where does the QK circuit rank this token among all 1,024, for the prompt's last token as a query? (1 would be the very first choice; 512 is what chance gives.)
# %%
predict("d1.4.p6", ..., "mean rank of the token that head 1.3 looks at, in its QK circuit, of 1,024")
# %%
qk, ov_table = token_circuits(model.weights, 1, 3)
place = evaluate(index(head_pattern(graph, 1, 3), -1), inputs).argmax(-1)
looked_at = prompts.gather(1, place[:, None])[:, 0]
own = qk[prompts[:, -1]]
ranks = 1 + (own > own.gather(1, looked_at[:, None])).sum(1).float()
measured("d1.4.p6", *estimate(ranks))
print(f"it looks at the right token itself in {(looked_at == answer).sum()} of {len(answer)} prompts")
by_13 = {way: term for way, term in path_expansion(graph).items() if way[0] == "embed" and way[-1] == (1, 3)}
carries = dict(zip(by_13, evaluate([above_mean(term) for term in by_13.values()], inputs), strict=True))
alone = carries.pop(("embed", (1, 3)))
print("from the embedding straight to 1.3: {:.2f} ± {:.2f} logits".format(*estimate(alone)))
print("through a head of layer 0 to 1.3:   {:.2f} ± {:.2f} logits".format(*estimate(sum(carries.values()))))
# %%
kinds = list(dict.fromkeys(answer.tolist()))[:16]
shown = [repr(model.decode(torch.tensor([token]))) for token in kinds]
title = "The OV circuit of head 1.3, on tokens that were right answers"
plot.heatmap(ov_table[kinds][:, kinds], shown, shown, title, "logit", x="its logit", y="the token looked at")
# %% [markdown]
# **What you should see**: a mean rank of 565 ± 50, no better than chance. Head 1.3 finds the right token in 35 of 40 prompts, and *not* because that token, as it stands in the embedding, is one that ` E` likes to look at. The OV circuit looks more like an answer: on the diagonal, where a token raises its own logit, stands 2.2 on average, elsewhere 0.4. But it is the largest of its row in only 9 of 16. Both tables describe what goes from the embedding straight to head 1.3. By that path come 0.1 of its logits; through heads of layer 0 come 4.1.
#
# *Learned*: a circuit from token to token describes one path. What comes by another is not in it.
#
# > **Pair card.** Swap. The navigator asks: "Which path does this table describe, and which ones does it leave out?" Explain back: what would a head with a strong diagonal in QK do, and one with a strong diagonal in OV? *Alone:* look at the OV circuit of head 1.7 for the same tokens.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, a name from the page, or one of the listed options: `recall = {"bias": ..., "held": ..., "paths": ..., "virtual": ..., "direct": ...}`
#
# 1. `bias`: the outputs of all heads of a layer do not yet sum to `attn_out`. Which weight is missing? (its name)
# 2. `held`: which step of `ln_final` do we hold at its value, so that the parts sum to the logit: `"the mean"`, `"the scale"`, `"the weight"` or `"the bias"`?
# 3. `paths`: attention is held fixed. How many paths lead from the tokens to the logits in two layers of eight heads? (a number)
# 4. `virtual`: a head with pattern A, and above it one with pattern B. Is the pattern of both in a row the product `"A B"` or `"B A"`?
# 5. `direct`: head 0.0 is patched on its direct path to the logits. How many patterns of layer 1 change? (a number)
#
# Stuck? `hint("d1.4.quiz")`
# %% exercise="d1.4.quiz"
### BEGIN SOLUTION
recall = {"bias": "b_O", "held": "the scale", "paths": 81, "virtual": "B A", "direct": 0}
### END SOLUTION
# %% check="d1.4.quiz" points=2
check("d1.4.quiz", recall)
# %% [markdown]
# The day closes with all its guesses, beside what was measured.
# %%
predictions("d1")
# %% [markdown]
# ## What we have
#
# Two networks may be equally accurate for different reasons, and two heads may be equally important for different reasons. In both cases we found out by naming a path. What we have not found out is *how* it works: head 1.3 looks at the token that comes next, in a text that it has never seen, and the QK circuit of tokens does not tell it where that is. Head 0.0 writes nothing that the logits would read, and without it the answer is lost. Tomorrow we put the two together.
