# %% [markdown]
# # Day 1, part 4: a transformer as a graph
#
# **Two networks are equally accurate. For the same reasons?**
#
# The digits networks have two paths. A language model with two layers and sixteen heads has hundreds. Still, you don't need new tools for it. As in parts 2 and 3, you split a node, find it, replace it, or patch a path to it. In this part you do this with a small transformer, and you ask what each of its heads contributes. Two of your experiments will seem to contradict each other, and at the end you'll be able to explain why both are right.
#
# **After this part you can**
# - make a node for a single attention head, and see where the head attends and what it writes
# - write a logit as a sum with one term for each head
# - patch a single head along its direct path to the logits, and say what this leaves out
# - expand a transformer with fixed attention patterns into paths (★)
#
# **Time**: about 60 minutes for the core, with reading, predictions and pair cards. The ★ exercises take about 90 minutes more. The marks and calls are explained at the top of part 1. If transformers are new to you, you can build one in part 0 first.
#
# **Readings**: Elhage et al. 2021, *A Mathematical Framework for Transformer Circuits* ([transformer-circuits.pub](https://transformer-circuits.pub/2021/framework/index.html)), the sections on zero-layer transformers, path expansion and virtual attention heads, for d1.4.3 to d1.4.6. Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching* ([arXiv 2304.05969](https://arxiv.org/abs/2304.05969)), the definition of path patching, for d1.4.8. Both can wait until tonight.
# %%
import textwrap
import time
from contextlib import ExitStack

import torch
from remix_utils import RULES, Node, ablate, add, apply, array, at, check, einsum, evaluate, explain
from remix_utils import find, find_one, hint, index, models, path_patch, placeholder, plot, replace
from remix_utils import show, solution, split, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.circuits import components, ov, path_expansion
from remix_utils.tasks import stories

start_at("d1.4")  # to catch up: start_at("d1.4.4") defines every name that later cells use
# %% [markdown]
# ## The model
#
# `induction-2l` reads text as tokens and predicts the next token. Its vocabulary has 1,024 tokens, most of them two or three characters long. It has two layers of eight attention heads and no MLPs. At each position it computes a vector of 256 numbers, the *residual stream*. The stream starts as the embedding of the token. Each head reads the stream and adds a vector to it. At the end, a layernorm and a matrix turn the stream into logits.
#
# ![The residual stream of a two-layer attention-only transformer, drawn from the bottom up as one thick line. The tokens, 64 of them, become embed, 64 × 256, where the stream begins under the name blocks.0.resid_pre. Layer 0 reads the stream there. Each of its heads, head 0.0, head 0.1 and so on to head 0.7, writes to the stream, where a plus adds what they write and gives blocks.0.resid_post. Layer 1 reads this and writes to the stream in the same way, with head 1.0, head 1.1 and so on to head 1.7, which gives blocks.1.resid_post. At the top, ln_final and W_U turn the stream into logits, 64 × 1024.](diagram:residual_stream)
#
# | node | computed as |
# |---|---|
# | `blocks.0.resid_pre` | `embed` |
# | `blocks.0.resid_post` | `blocks.0.resid_pre` + `blocks.0.attn_out` |
# | `blocks.1.resid_pre` | `blocks.0.resid_post` |
# | `blocks.1.resid_post` | `blocks.1.resid_pre` + `blocks.1.attn_out` |
# | `logits` | `ln_final` of `blocks.1.resid_post`, times `unembed.W_U` |
#
# Before a layer reads the stream, a layernorm rescales it. It's called `blocks.0.ln1` in layer 0 and `blocks.1.ln1` in layer 1.
#
# One thing is unusual about this model. The position vectors aren't part of the stream. They're added to the input of queries and keys, after the layernorm, and to nothing else. So a head can attend to "the previous token", but its values contain no position.
# %%
model = models.load("induction-2l")
SEQ = 64
graph = model.graph(seq=SEQ)
print({key: model.config[key] for key in ("n_layers", "n_heads", "d_model", "d_head", "d_vocab")})
for entry in ("data", "limits"):
    print(textwrap.fill(f"{entry}, as the model's card says: {model.card[entry]}", 100))
print(show(graph, depth=4))
# %% [markdown]
# ## The question
#
# How does the model complete a name that's new in each story? The stories of `tasks.stories` have people, places and things with made-up names. The names differ from story to story, so only the story itself shows how a name goes on. The cells below cut forty stories off in the middle of a name that occurred earlier. `prompts` [40, 64] holds the tokens of each prompt, and `answer` [40] holds the token that continues the name.
#
# `log_prob` makes a node for the log-probability of the right token at the last position, in nats. Its negative is the loss. In it, `apply("pick", a, b)` takes entry `b` along the last axis of `a`.
# %%
def cut_in_a_name(story: str) -> torch.Tensor | None:
    """Returns 65 tokens of a story, the last of which continues an earlier name, or None."""
    tokens = model.tokenize(story)
    pieces = [model.decode(token[None]) for token in tokens]
    for end in range(SEQ, len(pieces)):
        word_start = max(place for place in range(end) if pieces[place].startswith(" "))
        name = "".join(pieces[word_start : end + 1]).strip()
        text_before = "".join(pieces[end - SEQ : word_start])
        if name[:1].isupper() and name.isalpha() and name in text_before:
            return tokens[end - SEQ : end + 1]
    return None


def log_prob(logits: Node) -> Node:
    """Returns the log-probability of the token `answer` at the last position, in nats, as a node."""
    last = apply("log_softmax", index(logits, -1), name="log_probs")
    return apply("pick", last, placeholder("answer", (), torch.long), name="log_prob")
# %%
cut = [cut_in_a_name(story) for story in stories.tell(50, seed=2)]
rows = torch.stack([tokens for tokens in cut if tokens is not None])[:40]
prompts, answer = rows[:, :-1], rows[:, -1]
inputs = {"tokens": prompts, "answer": answer}


def estimate(values: torch.Tensor) -> tuple[float, float]:
    """Returns the mean of values [prompt] over the prompts, and its standard error."""
    return values.mean().item(), values.std().item() / len(values) ** 0.5


def loss(graph: Node) -> torch.Tensor:
    """Returns the loss of each prompt's answer [prompt], in nats."""
    return -evaluate(log_prob(graph), inputs)


for prompt, token in zip(prompts[:4], answer[:4], strict=True):
    print(textwrap.fill(model.decode(prompt), 100), "→", repr(model.decode(token[None])), "\n")
whole_loss = loss(graph)
print("loss: {:.2f} ± {:.2f} nats".format(*estimate(whole_loss)))
print(f"half of the prompts have a loss below {whole_loss.quantile(0.5):.2f}")
# %% [markdown]
# **What you should see**: four prompts that end inside a name. You can complete each of them yourself, because the name occurs earlier in the prompt. The loss is 0.7 ± 0.2 nats, and on half of the prompts it's below 0.13. A uniform guess over 1,024 tokens costs log 1,024 = 6.93 nats. The name is new, so the model has to get its continuation from the earlier text. In the rest of this part you look for the paths along which it does this.
# %% [markdown]
# ## d1.4.1 What one head writes
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Which vector does a single head add to the stream? The graph doesn't have a node for it yet. A layer's output, `blocks.1.attn_out`, is a bias plus one product, and this product sums over all heads. A ★ exercise of part 3 (d1.3.11) makes a node for each term of such a sum. The library's `split(graph, "blocks.1.attn_out", "head")` does the same and names the new nodes `blocks.1.attn.head.3.out` and so on. It also splits the queries, keys and values by head.
#
# Write `head_output`, which returns the node of the vectors that one head adds to the stream. Here and below, the check uses transformers with other numbers of layers and heads.
#
# Stuck? `hint("d1.4.1")`
# %% exercise="d1.4.1"
def head_output(graph: Node, layer: int, head: int) -> Node:
    """Returns the output of one head, a node [seq, d_model]; graph computes the logits."""
    ### BEGIN SOLUTION
    parts = split(graph, f"blocks.{layer}.attn_out", "head")
    return find_one(parts, f"blocks.{layer}.attn.head.{head}.out")
    ### END SOLUTION
# %% check="d1.4.1" points=1
check("d1.4.1", head_output)
# %%
HEADS = [(layer, head) for layer in range(2) for head in range(8)]
names = [f"{layer}.{head}" for layer, head in HEADS]
print(show(head_output(graph, 1, 3), depth=2))

at_the_end = [index(head_output(graph, layer, head), -1) for layer, head in HEADS]
lengths = {}
for name, vectors in zip(names, evaluate(at_the_end, inputs), strict=True):
    lengths[name] = estimate(vectors.norm(dim=-1))
for name in ("1.3", "0.0"):
    print(f"head {name} writes a vector of length", "{:.1f} ± {:.1f}".format(*lengths[name]))
length = torch.tensor([mean for mean, _ in lengths.values()]).reshape(2, 8)
plot.heads(length, "Length of each head's output at the last position", "length")
# %% [markdown]
# **What you should see**: a product of this head's `z`, the weighted average of its values, with its own `W_O`, and then sixteen lengths. Head 1.3 adds the longest vector, with a length of 35 ± 3 at the last position. In layer 0 the longest vector is that of head 0.0, with 16.4 ± 0.4.
#
# *Learned*: a head is one term of a sum, and `split` makes a node of it.
# %% [markdown]
# ## d1.4.2 Where it attends
# ●○○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# At each position, a head takes a weighted average of the values at this position and the earlier ones. The weights are the head's attention *pattern* [query, key]. Where does each head attend on these prompts? A single node holds the patterns of a whole layer, `blocks.1.attn.pattern` [head, query, key].
#
# Write `head_pattern`, which returns the pattern of one head as a node.
#
# Stuck? `hint("d1.4.2")`
# %% exercise="d1.4.2"
def head_pattern(graph: Node, layer: int, head: int) -> Node:
    """Returns the attention pattern of one head, a node [query, key]."""
    ### BEGIN SOLUTION
    return index(find_one(graph, f"blocks.{layer}.attn.pattern"), head, name=f"pattern {layer}.{head}")
    ### END SOLUTION
# %% check="d1.4.2" points=1
check("d1.4.2", head_pattern)
# %%
pattern_nodes = [head_pattern(graph, layer, head) for layer, head in HEADS]
patterns = dict(zip(names, evaluate(pattern_nodes, {"tokens": prompts}), strict=True))
to_previous = patterns["0.0"][:, 1:, :-1].diagonal(dim1=1, dim2=2).mean(1)
print("0.0 to the previous token: {:.3f} ± {:.3f}".format(*estimate(to_previous)))
for name in ("0.6", "0.7"):
    to_itself = patterns[name].diagonal(dim1=1, dim2=2).mean(1)
    print(f"{name} to the token itself:", "{:.3f} ± {:.3f}".format(*estimate(to_itself)))

pieces = [model.decode(token[None]) for token in prompts[1]]
on_one_prompt = torch.stack([pattern[1] for pattern in patterns.values()])
plot.attention(pieces, on_one_prompt, names, "All sixteen heads on the second prompt")
# %% [markdown]
# **What you should see**: thin diagonals in layer 0, and less regular patterns in layer 1. Click on head 0.0. Nearly every token attends to the token *before* it. Over all forty prompts, the previous token gets 85 % of this head's attention. Then click on heads 0.6 and 0.7. They give 89 % and 91 % of their attention to the token itself.
#
# Now click on 1.3, and look at the row of the last token, ` E`. It attends most to `ll`, inside the name "Ellis". That's also the token that continues the name.
#
# *Learned*: a pattern shows where a head attends. It doesn't show how the model uses the result.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Suppose that a head attends to a token. What does it do with it?" Explain to each other why each row of a pattern sums to 1, and why the upper right half is empty. *Alone:* choose the two heads whose patterns you find clearest, and describe each of them in one sentence.
# %% [markdown]
# ## d1.4.3 ★ The direct path
# ●○○○○ difficulty · ●●●●○ importance · 7 minutes · ★
#
# How much can the model predict without attention? The shortest path from the tokens to the logits passes through no head. It consists of the embedding, the final layernorm and the unembedding. Along this path, a prediction depends on the last token alone. So the path amounts to a table of *bigrams*, with a distribution over the next token for each token.
#
# Write `direct_path`, which returns the graph in which the attention layers write nothing. `ablate(graph, selector, "zero")` replaces the selected nodes with zeros. Make sure that no part of any attention layer still writes. The check also uses models with one layer and with three.
#
# A uniform guess costs 6.93 nats. What does the direct path cost by itself?
#
# Stuck? `hint("d1.4.3")`
# %% exercise="d1.4.3"
def direct_path(graph: Node) -> Node:
    """Returns the logits [seq, d_vocab] of the embedding alone, without attention layers."""
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
# %%
some = torch.cat([model.tokenize(text)[:1] for text in (" of", "qu", " did", " had", ",")])
table = evaluate(bigrams, {"tokens": some[:, None].expand(-1, SEQ)})[:, -1].softmax(-1)
for token, row in zip(some, table, strict=True):
    top = row.topk(4)
    likely = [f"{model.decode(i[None])!r} {p:.2f}" for p, i in zip(*top, strict=True)]
    print(f"after {model.decode(token[None])!r}:", ", ".join(likely))

of, letter = some[0], table[0].argmax()
after_of = evaluate(graph, inputs).softmax(-1)[prompts == of]
print(f"the whole model, {len(after_of)} times after ' of': {after_of[:, letter].mean():.5f}")
# %% [markdown]
# **What you should see**: 9.2 ± 0.6 nats, which is *worse* than guessing. The table does contain bigrams of English. After `qu`, for example, it predicts `ence`, `ire` or `ir`. But after " of" it gives " letter" a probability of 0.89. In the whole model, this probability is about 0.00002, averaged over the 14 places where " of" occurs in the prompts. The direct path was never trained on its own. During training the heads were always there, and they correct it.
#
# *Learned*: a path that you take out of a network isn't a model of its own. It's one term of a sum, and the other terms may correct it.
# %% [markdown]
# ## d1.4.4 What a part adds to the logits
# ●●●○○ difficulty · ●●●●● importance · 14 minutes · core
#
# Which heads raise the logit of the right token? The last stream is a sum of the embedding, the outputs of the heads, and biases. If the logits were linear in the stream, you could split each logit into the contributions of these terms. They almost are. Between the stream and the logits, `ln_final` centres the stream, divides it by a scale, multiplies it by a weight and adds a bias. Only the division isn't linear, because the scale depends on the whole stream. So we *hold* the scale, which means that we keep its value on the whole stream. This method is called *direct logit attribution*.
#
# Write `direct_logits`, which returns the contribution of one part [seq, d_model] of the stream. `RULES["expand_layernorm"](graph, "ln_final")` makes a node for each step of the layernorm. In the expanded graph, you need three substitutions.
#
# | node | replacement |
# |---|---|
# | the stream, which is the first child of `ln_final` | the part |
# | `ln_final.inverse`, which is 1 / scale | a node that keeps the value for the whole stream |
# | `ln_final.b`, the bias, which belongs to no part | zeros |
#
# A single `replace` can make all three substitutions. The replacement nodes are used exactly as given, and nothing inside them is replaced again.
#
# Stuck? `hint("d1.4.4")`
# %% exercise="d1.4.4"
def direct_logits(graph: Node, part: Node) -> Node:
    """Returns the logits [seq, d_vocab] that a part [seq, d_model] of the stream adds."""
    ### BEGIN SOLUTION
    opened = RULES["expand_layernorm"](graph, "ln_final")
    stream = find_one(graph, "ln_final").children[0]
    inverse, bias = find_one(opened, "ln_final.inverse"), find_one(opened, "ln_final.b")
    return replace(opened, {stream: part, inverse: inverse, bias: array(torch.zeros(bias.shape), "zeros")})
    ### END SOLUTION
# %% check="d1.4.4" points=2
check("d1.4.4", direct_logits)
# %% [markdown]
# A logit means something only in comparison with other logits. If you add 5 to all of them, the probabilities stay the same. So we measure the right token's logit *minus the mean of all 1,024 logits*. For the whole model it's 15.6 on average. How much of this does head 0.0 add, the head with the longest output in layer 0?
# %%
predict("d1.4.p2", ..., "logits that head 0.0 adds to the right token, of 15.6 above the mean")
# %%
def above_mean(logits: Node) -> Node:
    """Returns the right token's logit at the last position minus the mean logit, as a node."""
    last = index(logits, -1)
    shares = array(torch.full(last.shape, 1 / last.size), "1 / d_vocab")
    mean = einsum("vocab, vocab ->", last, shares)
    picked = apply("pick", last, placeholder("answer", (), torch.long))
    return add(picked, mean, weights=[1, -1], name="above_mean")


part_nodes = {}
for name, part in components(graph).items():  # the terms of the last stream
    part_nodes[name] = above_mean(direct_logits(graph, part))
adds = {}
for name, value in evaluate(part_nodes, inputs).items():
    adds[name] = value.expand(len(answer))  # a bias adds the same on every prompt

head_adds = {name: adds["blocks.{}.attn.head.{}.out".format(*name.split("."))] for name in names}
measured("d1.4.p2", *estimate(head_adds["0.0"]))
heads_add = torch.stack([values.mean() for values in head_adds.values()]).reshape(2, 8)
plot.heads(heads_add, "What each head adds to the right token directly", "logit above the mean")
# %% [markdown]
# Do the parts really sum to the logit? The bias of `ln_final` has to be added too. The next cell gets it from a graph with a stream of zeros.
# %%
stream = find_one(graph, "ln_final").children[0]
only_bias = replace(graph, {stream: array(torch.zeros(stream.shape), "zeros")})
total = sum(adds.values()) + evaluate(above_mean(only_bias), inputs)
logit = evaluate(above_mean(graph), inputs)
print(f"all {len(adds)} parts and the bias: {total.mean():.3f}; the logit: {logit.mean():.3f}")
print(f"largest difference on a prompt: {(total - logit).abs().max():.0e}")
for name in sorted(adds, key=lambda name: -adds[name].mean()):
    print(f"{name:26}", "{:5.2f} ± {:.2f}".format(*estimate(adds[name])))
# %% [markdown]
# **What you should see**: the parts sum to the logit, 15.6, up to rounding.
#
# | part | logits that it adds |
# |---|---|
# | head 1.3 | 4.3 ± 0.2 |
# | head 0.6 | 2.0 ± 0.2 |
# | head 1.1 | 1.9 ± 0.3 |
# | head 1.5 | 1.7 ± 0.2 |
# | embedding | 0.09 ± 0.02 |
# | head 0.0 | 0.1 ± 0.1 |
#
# Head 1.3 adds most. Head 0.0 writes a long vector, but along the direct path this vector hardly changes the right token's logit.
#
# *Learned*: with the scale held, a logit is a sum with one term for each part of the stream.
#
# > **Pair card.** Swap. The navigator asks: "Which of these numbers would change if another head were removed?" Explain to each other why the scale has to be that of the whole stream. *Alone:* write down three things that head 0.0 could be useful for although it adds so little here.
# %% [markdown]
# ## d1.4.8 One head's path to the logits
# ●●●○○ difficulty · ●●●●● importance · 15 minutes · core
#
# ![Two copies of head 0.0. The one at the top, in orange, is computed on the other text. An orange arrow labelled direct path leads from it to a plus, which stands for the last stream. The one below, in blue, is computed on the prompt. Its blue arrow leads to blocks.1.ln1, from there to heads 1.0 to 1.7, and from these up to the same plus. From the plus, arrows lead to ln_final and W_U, and to the logits.](diagram:head_to_logits)
#
# Can the model do without head 0.0, then? The logits aren't the only reader of a head in layer 0. Every head of layer 1 reads its output too, through `blocks.1.ln1`. In part 2 you patched `x` only for the skip path. Here you patch a head only for its direct path to the logits. Along this path the head's output is computed on another text. Along all other paths it's computed on the prompt.
#
# Write `head_to_logits`. Split the heads, select the head's output along the paths that avoid every later layer, and patch with `path_patch(graph, selector, {"tokens": other})`. The selector `at("x").avoiding("y")` matches the paths to x that don't pass through y. Which node lies on every path through a later layer?
#
# Stuck? `hint("d1.4.8")`
# %% exercise="d1.4.8"
def head_to_logits(graph: Node, layer: int, head: int, other: Node) -> Node:
    """Returns the logits with a head's direct path computed on the tokens `other` [seq]."""
    ### BEGIN SOLUTION
    graph = split(graph, "blocks.*.attn_out", "head")
    direct = at(f"blocks.{layer}.attn.head.{head}.out").avoiding("blocks.*.ln1")
    return path_patch(graph, direct, {"tokens": other})
    ### END SOLUTION
# %% check="d1.4.8" points=2
check("d1.4.8", head_to_logits)
# %% [markdown]
# The next cells patch each of the sixteen heads, first along the direct path and then along all its paths. The other text of each prompt is one of the other prompts. Attribution gave head 0.0 only 0.1 logits. By how many nats does the loss rise if head 0.0 is on the other text along *all* its paths?
# %%
predict("d1.4.p5", ..., "nats lost when head 0.0 is on another text along all its paths")
# %%
other = placeholder("other", (SEQ,), torch.long)
both = {**inputs, "other": prompts.roll(1, 0)}
in_heads = split(graph, "blocks.*.attn_out", "head")

patched = {"direct path": {}, "all paths": {}}
for name, (layer, head) in zip(names, HEADS, strict=True):
    output = f"blocks.{layer}.attn.head.{head}.out"
    patched["direct path"][name] = head_to_logits(graph, layer, head, other)
    patched["all paths"][name] = path_patch(in_heads, output, {"tokens": other})

lost = {}
for paths, graphs in patched.items():
    nodes = {name: log_prob(logits) for name, logits in graphs.items()}
    values = evaluate(nodes, both)
    lost[paths] = {name: estimate(-values[name] - whole_loss) for name in names}
measured("d1.4.p5", *lost["all paths"]["0.0"])
plot.bars(lost, "Loss added by each head on another text", "loss added (nats)", "head")
# %% [markdown]
# **What you should see**: head 0.0 has no measurable effect along its direct path, and the largest effect of all heads along all its paths.
#
# | head | attribution (logits) | direct path (nats) | all paths (nats) |
# |---|---|---|---|
# | 0.0 | 0.1 ± 0.1 | 0.01 ± 0.05 | 3.5 ± 0.3 |
# | 0.6 | 2.0 ± 0.2 | 0.10 ± 0.05 | 2.0 ± 0.3 |
# | 0.7 | 1.1 ± 0.2 | 0.02 ± 0.04 | 1.3 ± 0.2 |
# | 1.1 | 1.9 ± 0.3 | 0.31 ± 0.07 | 0.31 ± 0.07 |
# | 1.3 | 4.3 ± 0.2 | 2.1 ± 0.3 | 2.1 ± 0.3 |
#
# A head of layer 1 has only the direct path, so its two bars are equal. Two questions remain. Do the heads of layer 1 really account for the difference at head 0.0? And why does head 0.6 cost so little along its direct path, when attribution gave it 2.0 logits?
# %%
through_layer_1 = at("blocks.1.ln1") >> at("blocks.0.attn.head.0.out")
indirect = path_patch(in_heads, through_layer_1, {"tokens": other})
indirect_cost = estimate(-evaluate(log_prob(indirect), both) - whole_loss)
print("head 0.0 through layer 1 only: {:.1f} ± {:.1f} nats lost".format(*indirect_cost))

on_other_prompt = {"tokens": both["other"], "answer": answer}
still_adds = estimate(evaluate(part_nodes["blocks.0.attn.head.6.out"], on_other_prompt))
print("head 0.6 on another prompt adds {:.1f} ± {:.1f} logits".format(*still_adds))
# %% [markdown]
# **What you should see**: through layer 1 alone, head 0.0 costs 3.4 ± 0.3 nats. So nearly all of its effect goes through the heads of layer 1.
#
# Head 0.6 still adds 1.0 ± 0.2 logits to the same token when it's computed on another prompt. So about half of its 2.0 logits don't depend on the prompt. Attribution counts everything that a head writes, and patching counts only the part that changes with the text. The units differ too. On half of the prompts the model gives the right token a probability of almost 0.9 or more, and there, losing one logit costs only a fraction of a nat.
#
# This is the day's idea again. "How important is head 0.0?" asks about a node, and a node has several paths. For these prompts, the direct path of head 0.0 has no effect that we can measure, and its paths through layer 1 matter more than any other head.
#
# *Learned*: "the head adds nothing to the logits" and "the answer is lost without the head" don't contradict each other. They're statements about different paths.
#
# > **Pair card.** Swap. The navigator asks: "Which nodes read this head, and which of these did we leave on the prompt?" Explain to each other why the two bars are equal for every head of layer 1. *Alone:* use `>>` to write a selector for the paths of head 0.0 that pass through head 1.3, and look at it with `explain`.
# %% [markdown]
# ## ★ More about the heads
#
# All exercises from here to "Closing: from memory" are ★, and each of them can be done without the others. If the room moves on, skip them and do the closing quiz.
# %% [markdown]
# ## d1.4.7 ★ Every head, ablated in three ways
# ●●○○○ difficulty · ●●●●○ importance · 13 minutes · ★
#
# Attribution measures the logits that a head adds directly. Ablation measures the loss without the head, along all its paths. In part 1, each ablation took a hook, an edit and a run. Here each ablation is a graph. You can keep sixteen of them in a dict and evaluate them in one call, which computes every shared node once.
#
# Write `ablate_each_head`, which returns one graph for each head, without that head. `how` is "zero", "mean" or "resample". `data` holds the inputs from which `ablate(graph, node, how, data)` takes the mean or the other rows. The check uses transformers of other sizes, so ask the graph which heads it has.
#
# Stuck? `hint("d1.4.7")`
# %% exercise="d1.4.7"
def ablate_each_head(graph: Node, how: str, data=None) -> dict[str, Node]:
    """Returns {"0.3": the logits with head 3 of layer 0 ablated, ...}, for every head."""
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
# In d1.4.8, head 0.6 cost 2.0 nats on another text. What does it cost at its mean over the prompts?
# %%
predict("d1.4.p4", ..., "nats lost when head 0.6 is set to its mean")
# %%
costs = {}
for how in ("zero", "mean", "resample"):
    print(f"sixteen ablations, {how} ...")  # about a second each, longer on a busy machine
    without = ablate_each_head(graph, how, {"tokens": prompts})
    values = evaluate({name: log_prob(logits) for name, logits in without.items()}, inputs)
    costs[how] = {name: estimate(-values[name] - whole_loss) for name in names}
measured("d1.4.p4", *costs["mean"]["0.6"])
plot.bars(costs, "Loss added by ablating each head in three ways", "loss added (nats)", "head")
# %% [markdown]
# **What you should see**: in all three ablations the same four heads cost most, and in all three head 0.0 costs most of all. The sizes differ.
#
# | head | zero | mean | resample |
# |---|---|---|---|
# | 0.0 | 3.0 ± 0.3 | 2.9 ± 0.3 | 3.4 ± 0.3 |
# | 0.6 | 2.3 ± 0.3 | 1.3 ± 0.2 | 2.0 ± 0.2 |
# | 0.7 | 1.1 ± 0.3 | 0.8 ± 0.2 | 1.6 ± 0.2 |
# | 1.3 | 1.5 ± 0.2 | 1.5 ± 0.2 | 2.0 ± 0.3 |
#
# *Learned*: if a head adds little to the logits, the loss can still be large without it. Attribution and ablation answer different questions.
# %% [markdown]
# ## d1.4.5 ★ With attention held, everything is linear
# ●●●○○ difficulty · ●●●●○ importance · 13 minutes · ★
#
# In d1.4.4 you held one scale. If you hold all scales and all sixteen patterns, the rest of this model is linear. Then the logits are a sum over *paths*. Each path leads from a token to the logits, through no head, one head or two. How many paths are there? `RULES["expand_paths"](graph, "logits")` writes this sum. It holds `*.pattern`, `*.scale` and `*.inverse` for you. But it can't follow a path through a node that's still in one piece, such as a layernorm or the sum over the heads of a layer.
#
# Write `path_terms`. Split the heads, expand every layernorm, and expand the paths. Biases are starting points of paths too.
#
# Stuck? `hint("d1.4.5")`
# %% exercise="d1.4.5"
def path_terms(graph: Node) -> Node:
    """Returns the logits as an add with a term for each path, patterns and scales held."""
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
print(f"{len(expanded.children)} terms, of which {len(from_tokens)} start at the tokens")
print("the longest:", textwrap.fill(max((term.name for term in from_tokens), key=len), 100))
logits_now, sum_of_terms = evaluate([index(graph, -1), index(expanded, -1)], inputs)
print(f"the logits and the sum of the terms: {(logits_now - sum_of_terms).abs().max():.0e} apart")
# %% [markdown]
# **What you should see**: 81 paths from the tokens. One of them passes through no head, 16 pass through one head, and 8 · 8 = 64 pass through two. All other terms start at biases. The sum of all terms equals the logits, up to rounding.
#
# *Learned*: once the patterns are fixed, everything that attention moves is moved linearly.
# %% [markdown]
# ## d1.4.6 ★ Two heads in a row are one head
# ●●●○○ difficulty · ●●●○○ importance · 19 minutes · ★
#
# ![Three boxes on a diagonal, from x at the key, at the lower left, over the middle position to the query, at the upper right. A blue arrow from the key to the middle is labelled first head. An orange arrow from the middle to the query is labelled second head. A dashed green arrow leads straight from the key to the query and is labelled virtual head.](diagram:virtual_head)
#
# What do two heads in a row compute together? A head has two parts. Its pattern $A$ [query, key] determines how much moves from each key to each query. Its *OV circuit* $W_V W_O$ [d_model, d_model] is applied to every vector that it moves. From a stream $x$, the first head writes $A\,x\,W_V W_O$. If a second head reads this, it writes $A'\,(A\,x\,W_V W_O)\,W'_V W'_O$. The result has the same form, with one pattern and one OV circuit. Elhage et al. call it a *virtual attention head*.
#
# Write `virtual_head`, which returns the pattern and the OV circuit of two heads in a row. Both are matrix products, but with the two heads in opposite orders. Vectors are rows.
#
# Stuck? `hint("d1.4.6")`
# %% exercise="d1.4.6"
def virtual_head(first: tuple[Node, Node], second: tuple[Node, Node]) -> tuple[Node, Node]:
    """Returns pattern [query, key] and OV [d_model, d_model] of two heads, each such a pair."""
    ### BEGIN SOLUTION
    pattern = einsum("query middle, middle key -> query key", second[0], first[0], name="virtual pattern")
    circuit = einsum("from middle, middle to -> from to", first[1], second[1], name="virtual OV")
    return pattern, circuit
    ### END SOLUTION
# %% check="d1.4.6" points=2
check("d1.4.6", virtual_head)
# %% [markdown]
# The next cell compares your virtual head of 0.6 and 1.3 with the path through these two heads. The library's `path_expansion` gives all paths from the tokens, as in d1.4.5. `as_matrices` writes a head of the model as a pair. It puts the scale of the layernorm into the pattern, and its centring and weight into the OV circuit. The library's `ov` does the latter.
# %%
def as_matrices(layer: int, head: int) -> tuple[Node, Node]:
    """Returns (pattern over the scale of its input [query, key], OV circuit with ln1 folded in)."""
    opened = RULES["expand_layernorm"](graph, f"blocks.{layer}.ln1")
    inverse = find_one(opened, f"blocks.{layer}.ln1.inverse")
    pattern = einsum("query key, key one -> query key", head_pattern(graph, layer, head), inverse)
    return pattern, array(ov(model, (layer, head)).full(), f"OV {layer}.{head}")


expansion = path_expansion(graph)  # {("embed", (0, 6), (1, 3)): a node [seq, d_vocab], ...}
token_paths = {path: term for path, term in expansion.items() if path[0] == "embed"}

pattern, circuit = virtual_head(as_matrices(0, 6), as_matrices(1, 3))
moved = "query key, key from, from to -> query to"
by_virtual_head = direct_logits(graph, einsum(moved, pattern, find_one(graph, "embed"), circuit))
by_two_heads = token_paths["embed", (0, 6), (1, 3)]
one, two = evaluate([index(by_virtual_head, -1), index(by_two_heads, -1)], inputs)
print(f"the virtual head and the path through two heads: {(one - two).abs().max():.0e} apart")
# %% [markdown]
# The right token's logit is 15.6 above the mean. How much of this comes through two heads, over all 64 virtual heads together?
# %%
predict("d1.4.p3", ..., "of the right token's 15.6 logits above the mean, how much comes through two heads")
# %%
values = evaluate([above_mean(term) for term in token_paths.values()], inputs)
path_adds = dict(zip(token_paths, values, strict=True))
by_length = {}
for heads in range(3):
    of_this_length = [value for path, value in path_adds.items() if len(path) == 1 + heads]
    by_length[heads] = estimate(sum(of_this_length))
    print(f"paths through {heads} heads:", "{:.2f} ± {:.2f}".format(*by_length[heads]))
measured("d1.4.p3", *by_length[2])

grid = torch.zeros(8, 8)
for first in range(8):
    for second in range(8):
        grid[first, second] = path_adds["embed", (0, first), (1, second)].mean()
title = "What each virtual head adds to the right token"
plot.heatmap(grid, names[:8], names[8:], title, "logit", x="second head", y="first head")
# %% [markdown]
# **What you should see**: most of the logit comes through two heads.
#
# | heads on the path | logits |
# |---|---|
# | none | 0.09 ± 0.02 |
# | one | 5.3 ± 0.6 |
# | two | 9.4 ± 0.4 |
#
# The remaining 0.8 logits start at biases. The two largest virtual heads add 1.5 logits each. They're 0.7 followed by 1.3, and 0.6 followed by 1.3. Heads 0.6 and 0.7 attend mostly to the token itself. So they map the token's embedding to another vector at the same position, and head 1.3 then moves this vector to the end of the text.
#
# *Learned*: you can read a path through two heads like a single head, from one pattern and one OV circuit.
#
# > **Pair card.** Swap. The navigator asks: "If you start at the last token, which of the two patterns do you need first?" Explain to each other how many virtual heads of three heads a model with three layers of eight heads has. *Alone:* follow one prompt through both patterns by eye, from the last token to the token whose value arrives there.
# %% [markdown]
# ## d1.4.9 ★ The same with hooks, and the time it takes
# ●●●●○ difficulty · ●●●○○ importance · 20 minutes · ★
#
# Can hooks patch a direct path too, and how fast are they? The method is that of part 1. You change a value for every reader, and then you restore everything that shouldn't have changed. `record` runs the network once. It keeps the weighted averages of the heads (`z` [batch, seq, head, d_head]) and the output of each layer (`attn_out`).
#
# Write `by_hooks`, which returns the logits on `tokens`. The z of one head comes from the corrupted record, and the output of every later layer comes from the clean record. `hooked` from part 1 holds a single hook. `ExitStack` holds any number of them, each added with `hooks.enter_context(hooked(...))`. The records are used again for the next head, so change a clone.
#
# Stuck? `hint("d1.4.9")`
# %%
def record(network: torch.nn.Module, tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """Returns every `blocks.*.attn.z` and `blocks.*.attn_out` on these tokens, by name."""
    seen = {}

    def keeper(name):
        return lambda layer, inputs, output: seen.update({name: output})

    with ExitStack() as hooks:
        for name, _ in network.named_modules():
            if name.endswith((".attn.z", ".attn_out")):
                hooks.enter_context(hooked(network, name, keeper(name)))
        network(tokens)
    return seen
# %% exercise="d1.4.9"
def by_hooks(network, tokens: torch.Tensor, clean: dict, corrupted: dict, layer: int, head: int) -> torch.Tensor:
    """Returns logits [batch, seq, d_vocab], with one head's direct path from the corrupted record."""
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
# Now both methods patch all sixteen heads on the same prompts. Hooks need one run for each head and two runs for the records. The graphs are timed twice. First they compute all logits at all positions, and then only the right token's log-probability at the last position. The cell runs everything twice and keeps the shorter time. It takes 5 to 10 seconds of CPU time, and longer if the machine is busy.
# %%
def seconds(label: str, work) -> tuple[float, object]:
    """Returns the CPU seconds of the faster of two runs, and the result."""
    times = []
    for run in (1, 2):
        print(f"{label}, run {run} of 2 ...", flush=True)
        start = time.process_time()
        result = work()
        times.append(time.process_time() - start)
    return min(times), result


def sweep_by_hooks() -> list[torch.Tensor]:
    """Returns the logits for all sixteen heads, from two recorded runs and one run for each head."""
    clean, corrupted = record(network, prompts), record(network, both["other"])
    return [by_hooks(network, prompts, clean, corrupted, layer, head) for layer, head in HEADS]


network = model.module()
direct_graphs = list(patched["direct path"].values())
answers_only = [log_prob(logits) for logits in direct_graphs]
hook_time, hook_logits = seconds("hooks", sweep_by_hooks)
graph_time, graph_logits = seconds("graphs, all logits", lambda: evaluate(direct_graphs, both))
last_time, _ = seconds("graphs, last position", lambda: evaluate(answers_only, both))
# %%
pairs = zip(hook_logits, graph_logits, strict=True)
print(f"largest difference of any logit: {max((a - b).abs().max() for a, b in pairs):.0e}")
print(f"CPU seconds: hooks {hook_time:.2f}; graphs {graph_time:.2f}, last position {last_time:.2f}")
print(f"hooks take {hook_time / graph_time:.1f} times as long as graphs with all logits,")
print(f"and {hook_time / last_time:.1f} times as long as graphs with the last position")
# %% [markdown]
# **What you should see**: the same logits up to rounding, and less time for the graphs. In our run, hooks took 2.5 times as long as graphs that compute all logits, and 7 times as long as graphs that compute only the last position. The ratios depend on the machine. All sixteen graphs share the run on the prompt and the run on the other text, and these are computed once. Only the nodes above the patched head are computed sixteen times, and these are a few sums, one layernorm and one unembedding. If you ask for the last position alone, the graphs compute only this row.
#
# *Learned*: graphs that are evaluated together share their common nodes, and compute only the entries that you ask for.
#
# > **Pair card.** Swap. The navigator asks: "Which of these runs computed something that another run had already computed?" Explain to each other which values hooks would have to restore for the path from head 0.0 through the keys of head 1.3 to the logits. *Alone:* count how often the hook version runs a layer, for a model with twelve layers and 144 heads.
# %% [markdown]
# ## d1.4.10 ★ Reading the weights: QK and OV
# ●●●○○ difficulty · ●●●○○ importance · 18 minutes · ★
#
# So far every result was about these prompts. Can you learn something from a head's weights alone, for any text? From token to token, they give two tables of 1,024 × 1,024. A row of the *QK circuit*, $W_E W_Q W_K^T W_E^T / \sqrt{d_{head}}$, belongs to the query's token and a column to the key's token. The entry is an attention score. The *OV circuit* is $W_E W_V W_O W_U$. If the head attends to the token of a row, the entries are the logits that it adds to the tokens of the columns.
#
# Write `token_circuits`, which returns both tables for one head. Leave out layernorms, biases and positions. The library's `full_qk` and `full_ov` in `remix_utils.circuits` include the layernorms, and they never compute the whole table.
#
# Stuck? `hint("d1.4.10")`
# %% exercise="d1.4.10"
def token_circuits(weights: dict[str, torch.Tensor], layer: int, head: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Returns (QK, OV), each [d_vocab, d_vocab]; weights["blocks.0.attn.W_Q"][head] is a head's W_Q."""
    ### BEGIN SOLUTION
    embed, unembed = weights["embed.W_E"], weights["unembed.W_U"]
    W_Q, W_K, W_V, W_O = (weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QKVO")
    qk = (embed @ W_Q) @ (embed @ W_K).T / W_Q.shape[1] ** 0.5
    return qk, embed @ W_V @ W_O @ unembed
    ### END SOLUTION
# %% check="d1.4.10" points=2
check("d1.4.10", token_circuits)
# %% [markdown]
# In each prompt, take the token to which head 1.3 attends most at the last position. Among all 1,024 tokens, which rank does the QK circuit give this token, with the prompt's last token as the query? Rank 1 would be the highest score, and chance gives 512.5 on average.
# %%
predict("d1.4.p6", ..., "mean rank of the token that head 1.3 attends to, in its QK circuit, of 1,024")
# %%
qk, ov_table = token_circuits(model.weights, 1, 3)
place = evaluate(index(head_pattern(graph, 1, 3), -1), inputs).argmax(-1)  # [prompt]
attended = prompts.gather(1, place[:, None])[:, 0]
scores = qk[prompts[:, -1]]  # [prompt, d_vocab]
higher = scores > scores.gather(1, attended[:, None])
ranks = 1 + higher.sum(1).float()
measured("d1.4.p6", *estimate(ranks))
print(f"it attends to the right token in {(attended == answer).sum()} of {len(answer)} prompts")
# %%
# The paths whose last head is 1.3, straight from the embedding or through a head of layer 0.
through_13 = {}
for path, term in path_expansion(graph).items():
    if path[0] == "embed" and path[-1] == (1, 3):
        through_13[path] = above_mean(term)
values = dict(zip(through_13, evaluate(list(through_13.values()), inputs), strict=True))
straight = values.pop(("embed", (1, 3)))
by_layer_0 = sum(values.values())
print("from the embedding straight to 1.3: {:.2f} ± {:.2f} logits".format(*estimate(straight)))
print("through a head of layer 0 to 1.3:   {:.2f} ± {:.2f} logits".format(*estimate(by_layer_0)))
# %%
kinds = list(dict.fromkeys(answer.tolist()))[:16]  # sixteen different right answers
square = ov_table[kinds][:, kinds]
own_logit = square.diagonal()
elsewhere = (square.sum(1) - own_logit) / (len(kinds) - 1)  # the mean of the other fifteen, by row
own_is_largest = (square.argmax(1) == torch.arange(len(kinds))).sum()
print("on the diagonal {:.1f} ± {:.1f}".format(*estimate(own_logit)))
print("elsewhere {:.1f} ± {:.1f}".format(*estimate(elsewhere)))
print(f"the diagonal is the largest entry in {own_is_largest} of {len(kinds)} rows")
shown = [repr(model.decode(torch.tensor([token]))) for token in kinds]
title = "The OV circuit of head 1.3, on tokens that were right answers"
plot.heatmap(square, shown, shown, title, "logit", x="its logit", y="the token attended to")
# %% [markdown]
# **What you should see**: a mean rank of 565 ± 50, which is no better than chance. Head 1.3 attends to the right token in 35 of 40 prompts. But the QK circuit from token to token doesn't give this token a high score. The head's real scores also contain positions, which this table leaves out.
#
# The OV circuit fits better. On the diagonal, where a token raises its own logit, the mean is 2.2 ± 0.2. Elsewhere it's 0.4 ± 0.1. The diagonal is the largest entry in 9 of 16 rows, and by chance it would be in one.
#
# Both tables describe the path from the embedding straight to head 1.3. This path carries only 0.13 ± 0.01 logits. The paths through heads of layer 0 carry 4.1 ± 0.2.
#
# *Learned*: a circuit from token to token describes a single path. It contains nothing of the paths through other heads.
#
# > **Pair card.** Swap. The navigator asks: "Which path does this table describe, and which paths does it leave out?" Explain to each other how a head with a large diagonal in QK behaves, and one with a large diagonal in OV. *Alone:* look at the OV circuit of head 1.7 for the same tokens.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 4 minutes · core
#
# Answer from memory, without looking at the page above. Questions 3 and 4 come from ★ exercises. If you skipped these, work the answers out. Each answer is a number, a name from the page, or one of the listed options. Fill in `recall = {"bias": ..., "held": ..., "paths": ..., "virtual": ..., "direct": ...}`
#
# 1. `bias`: if you add up the outputs of all heads of a layer, you don't get `attn_out` yet. Which weight is missing? (its name)
# 2. `held`: you hold one step of `ln_final`, so that the parts sum to the logit. Is it `"the mean"`, `"the scale"`, `"the weight"` or `"the bias"`?
# 3. `paths`: a path from the tokens passes through at most one head in each layer. How many paths are there with two layers of eight heads and attention held?
# 4. `virtual`: a head with pattern A is followed by a head with pattern B, in a higher layer. Is the pattern of both in a row the product `"A B"` or `"B A"`?
# 5. `direct`: you patch head 0.0 along its direct path to the logits. How many patterns of layer 1 change?
#
# Stuck? `hint("d1.4.quiz")`
# %% exercise="d1.4.quiz"
### BEGIN SOLUTION
recall = {"bias": "b_O", "held": "the scale", "paths": 81, "virtual": "B A", "direct": 0}
### END SOLUTION
# %% check="d1.4.quiz" points=2
check("d1.4.quiz", recall)
# %% [markdown]
# The last table of the day shows all your guesses beside the measurements.
# %%
predictions("d1")
# %% [markdown]
# ## What you have now
#
# Two networks can be equally accurate and rely on different paths. The same holds for heads. On another text, heads 0.6 and 1.3 cost about 2 nats each, one of them through layer 1 and the other directly. In both cases you found out by patching a path. You don't know yet *how* the model finds the right token. Head 1.3 attends to the token that continues the name, in a story with new names. Head 0.0 adds nothing measurable to the right token's logit, but on another text it costs 3.5 ± 0.3 nats, more than any other head. Day 2 shows how these two heads work together.
