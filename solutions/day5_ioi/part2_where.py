# %% [markdown]
# # Day 5, part 2: where the answer is
#
# **The model gives the right name a higher logit than the subject's. Where in the model does this difference arise?**
#
# A transformer has one residual stream for each position, and each block adds to it. So "where" has two coordinates, a block and a position. In this part you look for the answer in three ways. You read the stream before it's finished, you split the final difference into the parts that the heads wrote, and you exchange one activation between two runs. The three methods can seem to disagree, and you'll see why.
#
# **After this part you can**
# - read the answer from any block with the logit lens, and say why its scale changes
# - find the heads that stand out, without choosing a cut-off by eye
# - patch the stream at a role whose position differs from prompt to prompt
# - give a share with its error, when both numbers of the ratio are uncertain
# - narrow a search down from bands of blocks to the queries, keys and values of a head
# - say what noising shows and what denoising shows
#
# **Time**: about 50 minutes without the ★ exercises. The cells that compute take about three minutes with SmolLM2.
#
# **Readings**: nostalgebraist 2020, *interpreting GPT: the logit lens* ([lesswrong.com](https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens)). Heimersheim and Nanda 2024, *How to use and interpret activation patching* ([arXiv 2404.15255](https://arxiv.org/abs/2404.15255)), for d5.2.8. Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), section 3.
# %%
import os
import torch
from remix_utils import Node, add, at, check, circuits, einsum, evaluate, find_one, hint, models
from remix_utils import placeholder, plot, replace, solution, split, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.models import smollm2
from remix_utils.models.gpt2_small import is_gpt2_small
from remix_utils.tasks import ioi

start_at("d5.2")  # to catch up: start_at("d5.2.5") defines every name that later cells use
# %% [markdown]
# The first cells are those of part 1, with other prompts. The longer experiments use only half of the rows, the ABBA prompts of one template and the BABA prompts of the next. `some` holds the numbers of these rows.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
is_gpt2 = is_gpt2_small(model)  # published figures are shown beside GPT-2-small only
encode = model.tokenizer.encode
words = {"names": ioi.names(encode), "places": ioi.places(encode), "objects": ioi.objects(encode)}
each = 4 if "REMIX_FULL" in os.environ else 1  # prompts of every template in each order
clean = ioi.balanced(each, seed=2, **words)
data = ioi.dataset(clean, encode, pad=0)
seq, n_layers = data["tokens"].shape[1], model.config["n_layers"]
graph = split(model.graph(seq=seq, mask=True), "blocks.*.attn_out", "head")
difference = circuits.logit_difference(graph)
some = (data["template"] % 2 == data["order"]).nonzero()[:, 0]
full_run = {}
Head = tuple[int, int]  # layer and head
print(f"{model.name}: {n_layers} blocks, {len(data)} prompts, {len(some)} of them in `some`")


def estimate(values: torch.Tensor, rows: object = slice(None)) -> tuple[float, float, float]:
    """Returns the mean of values [rows], with its errors over prompts and over templates."""
    over_rows = circuits.Estimate.over_rows(values)
    over_templates = circuits.Estimate.over_groups(values, data["template"][rows])
    return float(over_rows.mean), float(over_rows.se), float(over_templates.se)


def report(name: str, figures: tuple[float, float, float], more: str = "") -> None:
    """Prints a value with its two errors, and keeps all three for the full run."""
    full_run[f"where.{name}"] = figures
    value, over_prompts, over_templates = figures
    print(f"{name:26}{value:7.2f} ± {over_prompts:.2f} ± {over_templates:.2f}{more}")
# %% [markdown]
# Each line of a report gives a value ± its error over prompts ± its error over templates.
#
# ## d5.2.1 The logit lens
# ●●○○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# At which block can the answer be read? Each block adds to the stream, and the unembedding reads the finished one. You can give the unembedding an *earlier* stream instead, as if the remaining blocks weren't there. This is the *logit lens* (nostalgebraist 2020).
#
# Write `lens`. It takes the node of the logit difference, and returns a list of `n_layers + 1` nodes. Each of them computes the difference from another stream. The first one reads the stream before any block, `blocks.0.resid_pre`. The next ones read the `resid_pre` of each later block. The last one reads the finished stream, which is the `resid_post` of the last block. Everything after the stream stays as it is, including the final norm. The check uses small random models of other sizes.
#
# Stuck? `hint("d5.2.1")`
# %% exercise="d5.2.1"
def lens(difference: Node, n_layers: int) -> list[Node]:
    """The difference as it is read from the stream before each block, and from the last stream."""
    ### BEGIN SOLUTION
    end = find_one(difference, f"blocks.{n_layers - 1}.resid_post")
    streams = [find_one(difference, f"blocks.{layer}.resid_pre") for layer in range(n_layers)]
    return [replace(difference, {end: stream}) for stream in [*streams, end]]
    ### END SOLUTION
# %% check="d5.2.1" points=1
check("d5.2.1", lens)
# %% [markdown]
# Does the difference grow a little with each block? Predict which block raises it most. Blocks are counted from 0.
# %%
predict("d5.2.p1", ..., "the block that raises the lens's reading most")
# %%
print(f"Reading {model.name} at every block; this takes up to 10 seconds.")
readings = torch.stack(evaluate(lens(difference, n_layers), data))  # [block, row]
values, rises = readings.mean(1), readings.mean(1).diff()
measured("d5.2.p1", int(rises.argmax()))
jumps = rises.abs().topk(min(2, n_layers)).indices.tolist()
for place in sorted({0, *jumps, *[jump + 1 for jump in jumps]} - {n_layers}):
    report(f"lens.{place}", estimate(readings[place]), f"   before block {place}")
report("lens.end", estimate(readings[-1]), "   the model's own difference")
bands = [tuple(map(float, circuits.Estimate.over_rows(each))) for each in readings]
axes = {"x": "blocks before the reading", "y": "IO minus S, logits"}
plot.lines(range(n_layers + 1), {model.name: bands}, "Logit lens", **axes)
# %% [markdown]
# **What you should see**: the printed lines are the first reading, both ends of the two largest jumps, and the model's own difference. The band in the plot is ± 1 standard error over prompts. The reading need not grow steadily. Before any block, the stream at END contains only the last word, so the first reading can only be a preference for some of these names. Compare it with its error.
#
# Is any reading larger than the model's own difference? If so, the lens falls again, as if later blocks destroyed a part of the answer. Keep this question for the next exercise.
#
# *Learned*: the lens shows at which block the answer becomes readable at END. It doesn't show where the information was before.
# %% [markdown]
# ## d5.2.2 ★ Which layers write the answer
# ●●○○○ difficulty · ●●●●○ importance · 5 minutes · ★
#
# The finished stream is the sum of everything that the embedding, the heads and the MLPs wrote. If the scale of the final norm is held at its value, the logit difference is a sum of their parts too. `circuits.logit_attribution` returns these parts by name, each [rows]. You built this sum on day 1.
#
# Write `by_layer`, which adds up the parts of each layer, separately for attention and the MLP. A part belongs to the attention of layer 3 if its name starts with `blocks.3.attn`, like `blocks.3.attn.head.0.out` and `blocks.3.attn.b_O`. It belongs to the MLP of layer 3 if its name starts with `blocks.3.mlp`. If a layer has no MLP, its entry is 0. Parts such as `embed` and `bias` belong to no layer. The check uses up to 12 layers.
#
# Stuck? `hint("d5.2.2")`
# %% exercise="d5.2.2"
def by_layer(
    parts: dict[str, torch.Tensor], n_layers: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """What attention and the MLP of each layer add to the difference, two tensors [rows, layer]."""
    ### BEGIN SOLUTION
    rows = len(next(iter(parts.values())))
    attention, mlps = torch.zeros(2, rows, n_layers)
    for name, values in parts.items():
        for kind, sums in (("attn", attention), ("mlp", mlps)):
            for layer in range(n_layers):
                if name.startswith(f"blocks.{layer}.{kind}"):
                    sums[:, layer] += values
    return attention, mlps
    ### END SOLUTION
# %% check="d5.2.2" points=1
check("d5.2.2", by_layer)
# %%
print(f"Attribution of {model.name}; this takes up to 10 seconds.")
answers = {"answers": data["token.IO"], "others": data["token.S"]}
attributed = circuits.logit_attribution(graph, data, **answers)
attention, mlps = by_layer(attributed.parts, n_layers)
written = attention + mlps
report("all attention", estimate(attention.sum(1)))
report("all MLPs", estimate(mlps.sum(1)))
report("embedding and biases", estimate(attributed.total - written.sum(1)))
print("\nthe layers that write most, and by how much the lens rises there")
for layer in written.mean(0).abs().topk(min(5, n_layers)).indices.sort().values.tolist():
    columns = (attention[:, layer], readings[layer + 1] - readings[layer])
    in_attention, rise = map(circuits.Estimate.over_rows, columns)
    more = "   attention {:5.2f} ± {:.2f}, lens {:+.2f} ± {:.2f}".format(*in_attention, *rise)
    report(f"layer.{layer}", estimate(written[:, layer]), more)
# %% [markdown]
# **What you should see**: a few layers write most of the difference. Compare the first column with the rise of the lens in the last one. Where the two disagree, both are right.
#
# The reason is the scale. The lens divides each stream by that stream's own length, and in most models streams grow from block to block. Attribution divides all parts by the length of the *finished* stream. If a block writes the answer into a short stream, the lens shows a large value. Later blocks then add vectors that have nothing to do with the names. The stream gets longer, and the same answer gives a smaller reading. So a fall of the lens isn't evidence that a block lowers the answer. A negative entry in the first column is.
#
# *Learned*: the readings of a lens at two blocks have different units. The parts of an attribution all have the same unit.
# %% [markdown]
# ## d5.2.3 Heads that stand out
# ●●●○○ difficulty · ●●●●● importance · 6 minutes · core
#
# Which heads wrote the answer? Among hundreds of heads, some look important by chance. So a head must pass two tests before we say that it stands out. Its mean must differ clearly from 0, and it must be large compared with the mean of an ordinary head.
#
# Write `standouts` for values [rows, layer, head]. The *size* of a head is the absolute value of its mean over rows. A head stands out if its size is above 4 times its standard error *and* above 5 times the median size of all heads. Return the heads as tuples (layer, head), the largest size first, at most `most` of them. A head that lowers the difference counts as much as one that raises it. `circuits.Estimate.over_rows(values)` has `.mean` and `.se`, each [layer, head].
#
# Stuck? `hint("d5.2.3")`
# %% exercise="d5.2.3"
def standouts(values: torch.Tensor, most: int) -> list[Head]:
    """The heads (layer, head) whose mean is clearly and far from 0, the largest size first."""
    ### BEGIN SOLUTION
    mean, se = circuits.Estimate.over_rows(values)
    size = mean.abs()
    surely = (size > 4 * se) & (size > 5 * size.median())
    heads = [tuple(head) for head in surely.nonzero().tolist()]
    return sorted(heads, key=lambda head: -size[head])[:most]
    ### END SOLUTION
# %% check="d5.2.3" points=2
check("d5.2.3", standouts)
# %%
predict("d5.2.p2", ..., "how many heads stand out by their direct effect, of all heads")
# %%
by_head = attributed.heads
writers = standouts(by_head, most=8)
count = by_head[0].numel()  # of all heads
measured("d5.2.p2", len(standouts(by_head, most=count)))
print(f"the largest of those that stand out, of {count} heads")
if not writers:
    print("none: no head writes the answer for sure")
for layer, head in writers:
    report(f"direct.{layer}.{head}", estimate(by_head[:, layer, head]))
if is_gpt2:
    print("published for GPT-2-small: 9.9, 9.6, 10.0, and negative 10.7, 11.10 (Wang et al. 2022)")
plot.heads(by_head.mean(0), f"Direct effect of each head of {model.name}", "logits")
# %% [markdown]
# **What you should see**: a small number of late heads, if the model has a circuit of this kind. A head with a negative value writes *against* the answer. Such heads aren't an artefact of the method, and parts 3 and 4 come back to them.
#
# What this doesn't show: attribution finds the heads that write the answer, and not the heads that they depend on. It also holds the scale of the final norm fixed, and it covers one position only, END.
#
# *Learned*: compare a direct effect with its own error, and also with the effects of ordinary heads.
#
# > **Pair card.** Swap driver and navigator. The navigator asks, "If a head has a direct effect of 0, can we ignore it?" Explain to each other why the lens and the attribution can disagree about the late blocks. *Alone:* work out how many of this model's heads would pass a test of 2 standard errors if no head did anything.
# %% [markdown]
# ## d5.2.4 Patch one position
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# ![Two runs, one above the other. The other run reads a prompt with IO at S2, and its first blocks compute its stream at S2. The clean run reads a prompt with S at S2, and its first blocks would compute its own stream at S2. An arrow, patch, puts the stream of the other run in the place of the clean one. The later blocks of the clean run read it and compute the difference.](diagram:patching)
#
# Where is the information *before* the answer can be read? Take a second prompt that differs in one word, and exchange one activation. Our second prompt has the IO's name at S2. "John gave a drink to" becomes "Mary gave a drink to", and the right answer becomes John. Now copy one stream of the second run into the first. If the model then gives the answer to the second prompt, this stream carried the information.
#
# The input `other.tokens` holds the tokens of the second prompt, and `elsewhere` is the same computation on these tokens.
# %%
changed = clean.flip("S2", to="IO")
print(clean.texts[0], "\n" + changed.texts[0])
other = placeholder("other.tokens", (seq,), torch.long)
elsewhere = replace(difference, {find_one(difference, at("tokens", op="placeholder")): other})
both = data.columns | {"other.tokens": ioi.dataset(changed, encode, pad=0)["tokens"]}
base, opposite = evaluate([difference, elsewhere], both)
report("clean", estimate(base))
report("other prompt", estimate(opposite))
# %% [markdown]
# The position of S2 differs from row to row, so the patch needs a mask. Write `patch_at`. In the graph that it returns, the node called `name` has the value of `source` at the positions where `where` is 1, and its own value where `where` is 0. The node and `source` are [seq, d_model]. `where` is an input [seq], with its own mask for each row. All nodes that depend on the patched node are computed again, and nothing else changes. The check uses small models and random masks.
#
# Stuck? `hint("d5.2.4")`
# %% exercise="d5.2.4"
def patch_at(graph: Node, name: str, source: Node, where: Node) -> Node:
    """The graph in which a node [seq, d_model] takes the value of `source` where `where` is 1."""
    ### BEGIN SOLUTION
    def patched(node: Node) -> Node:
        apart = add(source, node, weights=[1, -1])
        return add(node, einsum("seq d_model, seq -> seq d_model", apart, where))

    return update(graph, name, patched)
    ### END SOLUTION
# %% check="d5.2.4" points=2
check("d5.2.4", patch_at)
# %% [markdown]
# Now patch the stream before the first block, where each position contains only its own word. If you patch it at S2, the clean run reads the IO's name there. What happens if you patch the stream at the IO instead?
# %%
predict("d5.2.p3", ..., "fall of the difference, in logits, if the stream at the IO is patched")
# %%
places = torch.arange(seq)
second, last = data["position.S2"][:, None], data["position.END"][:, None]
masks = {role: places == data[f"position.{role}"][:, None] for role in ("IO", "S1", "S2", "END")}
masks["between"] = (places > second) & (places < last)  # after S2 and before END
both |= {f"where.{role}": mask.float() for role, mask in masks.items()}


def patch_stream(role: str, layer: int) -> Node:
    """Returns the difference with the stream before a block patched at a role."""
    name = f"blocks.{layer}.resid_pre"
    where = placeholder(f"where.{role}", (seq,))
    return patch_at(difference, name, find_one(elsewhere, name), where)


print(f"Three patches in {model.name}; this takes up to 15 seconds.")
patched = evaluate({role: patch_stream(role, 0) for role in ("IO", "S2", "END")}, both)
for role, values in patched.items():
    report(f"fall.{role}", estimate(base - values))
measured("d5.2.p3", (base - patched["IO"]).mean())
# %% [markdown]
# **What you should see**: at the IO the fall is exactly 0, in every row. The two prompts don't differ before S2, and a causal model can't look ahead. So every stream before S2 is the same in both runs, and a patch there changes nothing. At END the fall is 0 before the first block, because both prompts have the same last word. A patch finds only what *differs* between the two prompts. With this pair you ask where the model represents which name is at S2.
#
# *Learned*: a patch answers a question about a pair of prompts. Choose the pair first, and the node second.
# %% [markdown]
# ## d5.2.5 A share, with its error
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# A fall of one logit is large in one model and small in another. So divide the mean fall by the mean *gap*, which is the clean difference minus the difference on the other prompt. A share of 1 means that on average the patch alone gives the difference of the other prompt.
#
# Take the ratio of the two means, not the mean of the ratios. In a row with a gap near 0, the ratio is huge and means nothing. What's the error of a ratio of means? Both means vary from draw to draw, and they vary together. In each row, `rest = (fall − share · gap) / mean gap` is the part of the fall that the common share doesn't explain. The mean of `rest` is 0, and to first order its standard error is the error of the share.
#
# Write `share_moved` for the differences [rows] of the clean run, the patched run (`moved`) and the other run. It returns the share, its error over prompts and its error over templates. `circuits.Estimate.over_rows(rest).se` gives the first error, and `circuits.Estimate.over_groups(rest, template).se` the second.
#
# Stuck? `hint("d5.2.5")`
# %% exercise="d5.2.5"
def share_moved(
    clean: torch.Tensor, moved: torch.Tensor, other: torch.Tensor, template: torch.Tensor
) -> tuple[float, float, float]:
    """The share of the gap between two runs that a patch moves, with its two errors."""
    ### BEGIN SOLUTION
    fall, gap = clean - moved, clean - other
    share = fall.mean() / gap.mean()
    rest = (fall - share * gap) / gap.mean()
    over_prompts = circuits.Estimate.over_rows(rest).se
    over_templates = circuits.Estimate.over_groups(rest, template).se
    return share.item(), over_prompts.item(), over_templates.item()
    ### END SOLUTION
# %% check="d5.2.5" points=2
check("d5.2.5", share_moved)
# %% [markdown]
# Now the sweep. It patches the stream at S2, at all positions between S2 and END, or at END. In a model of at most ten blocks it does so before every block, and in a deeper one before every few blocks. All patches are evaluated together, so that common parts are computed only once.
#
# Before which of these blocks does the stream at END first carry more than half of the gap?
# %%
predict("d5.2.p4", ..., "the first patched block before which END carries over half of the gap")
# %%
step = -(-n_layers // 10)  # at most ten blocks
layers, roles = list(range(0, n_layers, step)), ["S2", "between", "END"]
some_rows = {name: column[some] for name, column in both.items()}
template = data["template"][some]
print(f"{len(roles) * len(layers)} patches in {model.name}; this takes up to 40 seconds.")
swept = {(role, layer): patch_stream(role, layer) for role in roles for layer in layers}
moved = evaluate(swept, some_rows)
shares = {
    key: share_moved(base[some], values, opposite[some], template) for key, values in moved.items()
}
grid = torch.tensor([[shares[role, layer][0] for layer in layers] for role in roles])
carried = [layer for layer, share in zip(layers, grid[-1].tolist(), strict=True) if share > 0.5]
measured("d5.2.p4", min(carried, default=n_layers))
# %%
gap = circuits.Estimate.over_rows(base - opposite)
if abs(gap.mean) < 4 * gap.se:
    print(f"{model.name} hardly tells the two prompts apart, so the shares below mean little")
turn = layers.index(min(carried, default=layers[-1]))
for layer in sorted({layers[0], layers[max(turn - 1, 0)], layers[turn], layers[-1]}):
    for role in roles:
        report(f"stream.{role}.{layer}", shares[role, layer])
axes = {"x": "block before which the stream is patched", "y": "where"}
plot.heatmap(grid, roles, list(map(str, layers)), "Patched streams", "share of the gap", **axes)
# %% [markdown]
# **What you should see**: if the model does the task, S2 carries the whole gap in early blocks, and END carries most of it in late ones. The picture shows where the information moves from one to the other. Where the three rows of a column add up to about 1, little information is in two places at once. If `some` has one prompt per template, the two errors are almost the same.
#
# Compare the block where END takes over with the jump of the lens. If END carries the information before the lens can read it, then the information arrives in a form that isn't the logit of a name yet. It may be a signal that helps later heads to *find* the name.
#
# *Learned*: the lens shows when the answer can be read. A patch shows when the information is there, in any form.
#
# > **Pair card.** Swap. The navigator asks, "What would this picture look like if the second prompt had another IO and the same S2?" Explain to each other why a share of 1 at S2 before block 0 is no discovery. *Alone:* draw the picture you'd expect for a model that copies S2's name to END in its first block.
# %% [markdown]
# ## d5.2.6 From bands to heads
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Which parts of the model carry the information from S2 to END? You could patch every head, but hundreds of full runs take minutes. It's faster to narrow the search down. First patch the attention of a *band* of several blocks at once, then each block of the best bands, and then each head of the best blocks.
#
# Write `from_other`. In the graph that it returns, every node whose name is in the set `names` has its value from the other run, `elsewhere`. It has this value at all positions, even if it comes after another node of the set. Everything else is computed from the clean prompt and from these values.
#
# Stuck? `hint("d5.2.6")`
# %% exercise="d5.2.6"
def from_other(difference: Node, elsewhere: Node, names: set[str]) -> Node:
    """The difference in which the named nodes have their values from the other run."""
    ### BEGIN SOLUTION
    new = {find_one(difference, name): find_one(elsewhere, name) for name in names}
    return replace(difference, new)
    ### END SOLUTION
# %% check="d5.2.6" points=2
check("d5.2.6", from_other)
# %%
def shares_of(graphs: dict) -> dict:
    """Returns the share that each graph moves on `some`, with its errors, by the graphs' names."""
    found = evaluate(graphs, some_rows)
    return {
        key: share_moved(base[some], values, opposite[some], template)
        for key, values in found.items()
    }


def largest(shares: dict, most: int) -> list:
    """Returns the keys of the shares that are largest in size."""
    return sorted(shares, key=lambda key: -abs(shares[key][0]))[:most]


print(f"Bands of {step} block(s) of {model.name}; this takes up to 30 seconds.")
kinds = {"attention": "attn_out", "MLPs": "mlp_out"}
if not model.config["d_mlp"]:
    del kinds["MLPs"]
    print("this model has no MLPs")
in_band = {}
for kind, part in kinds.items():
    for first in layers:
        band = range(first, min(first + step, n_layers))
        names = {f"blocks.{layer}.{part}" for layer in band}
        in_band[kind, first] = from_other(difference, elsewhere, names)
of_bands = shares_of(in_band)
for kind, first in sorted(largest(of_bands, most=8)):
    report(f"{kind}.from.{first}", of_bands[kind, first])
# %% [markdown]
# A band can have a large share without moving anything to END, for example if it builds up the stream at S2 that later heads read. An MLP never moves information between positions, so all MLP bands are of this kind. Now narrow the search down to the attention of single blocks, and then to heads.
# %%
print(f"Blocks and heads of {model.name}; this takes up to 50 seconds.")
best = largest({key: share for key, share in of_bands.items() if key[0] == "attention"}, most=3)
blocks = [layer for _, first in best for layer in range(first, min(first + step, n_layers))]
single = {}
for layer in blocks:
    single[layer] = from_other(difference, elsewhere, {f"blocks.{layer}.attn_out"})
of_blocks = shares_of(single)
chosen = sorted(largest(of_blocks, most=4))
for layer in chosen:
    report(f"attention.{layer}", of_blocks[layer])
heads = [head for head in circuits.head_outputs(graph) if head[0] in chosen]
outputs = {head: "blocks.{}.attn.head.{}.out".format(*head) for head in heads}
of_heads = {head: from_other(difference, elsewhere, {name}) for head, name in outputs.items()}
moved = evaluate(of_heads, some_rows)
# %%
falls = {head: base[some] - values for head, values in moved.items()}
patched_falls = torch.stack(list(falls.values()), 1).unflatten(1, (len(chosen), -1))
carriers = [(chosen[place], head) for place, head in standouts(patched_falls, most=8)]
print(f"heads that stand out, of {len(heads)} patched; beside them their direct effect")
if not carriers:
    print("none; the patched heads with the largest fall take their place, as an example")
    carriers = sorted(heads, key=lambda head: -falls[head].mean().abs())[:2]
for layer, head in carriers:
    share = share_moved(base[some], moved[layer, head], opposite[some], template)
    direct = circuits.Estimate.over_rows(by_head[:, layer, head])
    more = f"   direct {direct.mean:5.2f} ± {direct.se:.2f} logits"
    report(f"head.{layer}.{head}", share, more)
# %% [markdown]
# **What you should see**: two kinds of heads, if the model has both. Some have a large direct effect, and the strongest of these should also be in your list of d5.2.3. Others move a large share with a direct effect near 0. Such a head hardly writes the answer itself. It changes the output of later heads or MLPs. A head with a *negative* share works against the answer that the prompt asks for.
#
# What this doesn't show: the shares of heads don't have to add up. If one head can stand in for another, patching either of them alone shows little. We only searched at most four blocks, those whose attention has the largest share in the best bands. The heads were also chosen on the same prompts that gave their shares, so the shares at the top of the list tend to be a little too large.
#
# *Learned*: search from coarse to fine, and compare the total effect of a head with its direct effect.
# %% [markdown]
# ## d5.2.7 ★ Query, key, value, pattern
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · ★
#
# A head's output depends on *where* it attends and on *what* it copies from there. The query and the key determine the pattern, and the head copies the value. Which of them carries the information?
#
# Write `by_side` for a list of heads. It returns a dict of five graphs, with the keys `"q"`, `"k"`, `"v"`, `"pattern"` and `"out"`. In each graph, this part of every head in the list has its value from the other run. The nodes have names like `blocks.3.attn.head.5.q`. Use `from_other`.
#
# Stuck? `hint("d5.2.7")`
# %% exercise="d5.2.7"
def by_side(difference: Node, elsewhere: Node, heads: list[Head]) -> dict[str, Node]:
    """The difference with each part (q, k, v, pattern, out) of the heads from the other run."""
    ### BEGIN SOLUTION
    graphs = {}
    for side in ("q", "k", "v", "pattern", "out"):
        names = {f"blocks.{layer}.attn.head.{head}.{side}" for layer, head in heads}
        graphs[side] = from_other(difference, elsewhere, names)
    return graphs
    ### END SOLUTION
# %% check="d5.2.7" points=2
check("d5.2.7", by_side)
# %% [markdown]
# Take the first head in the list of d5.2.6. Suppose that only its value comes from the other run. How much does this move, in per cent of the share of the whole head?
# %%
predict("d5.2.p5", ..., "the value's share in per cent of the whole head's, for the strongest head")
# %%
print(f"Five parts of {len(carriers[:6])} heads of {model.name}; this takes up to 30 seconds.")
graphs = {}
for layer, head in carriers[:6]:
    for side, changed_side in by_side(difference, elsewhere, [(layer, head)]).items():
        graphs[f"{side}.{layer}.{head}"] = changed_side
of_sides = shares_of(graphs)
for layer, head in carriers[:6]:
    print()
    for side in ("out", "pattern", "q", "k", "v"):
        report(f"{side}.{layer}.{head}", of_sides[f"{side}.{layer}.{head}"])
by_value = evaluate(graphs["v.{}.{}".format(*carriers[0])], some_rows)
of_head, error, _ = share_moved(base[some], by_value, moved[carriers[0]], template)
measured("d5.2.p5", 100 * of_head, 100 * error)
# %% [markdown]
# **What you should see**: compare `pattern` with `v` for each head. If the pattern carries the share, the information changes where the head attends. If the value carries it, the head passes on something from positions that it attends to in both runs. A head that attends only to positions before S2 can't show any effect of its value with this pair of prompts, since nothing differs there. This follows from the choice of the pair, and isn't a finding about the head.
#
# The query and the key act together in the softmax, so `q` and `k` don't have to add up to `pattern`, and `pattern` and `v` don't have to add up to `out`.
#
# *Learned*: first ask whether the pattern or the value of a head carries the information. The answer tells you where to look next.
#
# > **Pair card.** Swap. The navigator asks, "Which of these heads would you trace back through its query, and which through its value?" Explain to each other why the value of a head that attends to the IO can't have an effect here. *Alone:* find a pair of prompts with which the value of such a head would matter.
# %% [markdown]
# ## d5.2.8 Noising and denoising
# ●●●●○ difficulty · ●●●●● importance · 8 minutes · core
#
# So far you have put activations of another prompt into the clean run. This is *noising*, and it tests whether a part is *needed*. You can also put clean activations into the other run. This is *denoising*, and it tests whether a part is *enough*. Do both give the same answer?
#
# With our pairs so far they must, on average over many prompts. The second prompt is itself a prompt of the task, with the roles of the names exchanged, so denoising a pair is noising the reversed pair. We need a second prompt that lacks the answer. An ABC prompt names three other people, once each.
#
# You don't need new graphs. If you exchange the two inputs, a graph for noising does denoising. Write `both_ways`, which evaluates a dict of graphs twice and returns two dicts of values. In the first evaluation `tokens` is the clean prompt, as in `data`, and `other.tokens` is `others`. In the second one the two are exchanged. All other columns stay as they are, so that the same two logits are read both times. Leave `data` unchanged.
#
# Stuck? `hint("d5.2.8")`
# %% exercise="d5.2.8"
Values = dict[str, torch.Tensor]


def both_ways(graphs: dict[str, Node], data: Values, others: torch.Tensor) -> tuple[Values, Values]:
    """The graphs' values with other parts in the clean run, and clean parts in the other run."""
    ### BEGIN SOLUTION
    noising = data | {"other.tokens": others}
    denoising = data | {"tokens": others, "other.tokens": data["tokens"]}
    return evaluate(graphs, noising), evaluate(graphs, denoising)
    ### END SOLUTION
# %% check="d5.2.8" points=2
check("d5.2.8", both_ways)
# %% [markdown]
# Try this on the heads that you found, alone and in groups. *Writers* are the heads that stand out by their direct effect. *Senders* are the heads of d5.2.6 whose direct effect is less than a fifth of the total fall that they cause. The cell also patches the stream at four roles, before a block in the middle of the model and before a late one.
#
# Suppose that the difference loses a large share when you put the senders' ABC outputs into the clean run. How much of it comes back when you put their clean outputs into the ABC run?
# %%
predict("d5.2.p6", ..., "share of the gap that the senders' clean outputs restore in the ABC run")
# %%
direct = {head: by_head[:, head[0], head[1]].mean() for head in carriers}
senders = [head for head in carriers if abs(direct[head]) < 0.2 * abs(falls[head].mean())]
senders = senders or carriers[-1:]
groups = {"writers": writers or carriers[:1], "senders": senders}
shown = [*dict.fromkeys([*groups["writers"][:5], *senders[:4]])]
groups |= {f"{layer}.{head}": [(layer, head)] for layer, head in shown}
graphs = {"clean": difference, "other": elsewhere}
for name, members in groups.items():
    graphs[name] = by_side(difference, elsewhere, members)["out"]
for layer in sorted({layers[len(layers) // 2], layers[-2:][0]}):  # a middle one, a late one
    for role in ("IO", "S1", "S2", "END"):
        graphs[f"{role} before {layer}"] = patch_stream(role, layer)
print(f"{len(graphs)} graphs of {model.name}, both ways; this takes up to 50 seconds.")
others = ioi.dataset(clean.abc(seed=2), encode, pad=0)["tokens"]
noised, denoised = both_ways(graphs, both, others)
# %%
print("                      noising: lost               denoising: restored")
lost, restored = {}, {}
for name in list(graphs)[2:]:
    lost[name], restored[name] = (
        share_moved(run["clean"], run[name], run["other"], data["template"])
        for run in (noised, denoised)
    )
    full_run |= {f"where.noising.{name}": lost[name], f"where.denoising.{name}": restored[name]}
    columns = ["{:5.2f} ± {:.2f} ± {:.2f}".format(*each[name]) for each in (lost, restored)]
    print(f"{name:20}  {columns[0]:26}  {columns[1]}")
measured("d5.2.p6", *restored["senders"][:2])
# %% [markdown]
# **What you should see**: look for lines in which the two columns differ by more than their errors. If a part is needed but not enough, noising it loses a large share, and denoising it restores little. Such a part works together with something else that the ABC run lacks. For example, a signal may tell a later head which position to attend to or to avoid. In the ABC run the names at those positions are other names. If a part restores more than its noising destroys, it helps by itself, and other parts may stand in for it when it's noised.
#
# Some shares may be above 1 or below 0. The gap is measured against a prompt that contains neither name. If you remove only the IO's name from the clean run, the subject is still there twice. The model may then prefer the subject more than it does on the ABC prompt.
#
# Neither column shows *how* a part acts. It could affect the difference directly or through many other heads. Part 3 follows the paths.
#
# *Learned*: noising tests whether a part is needed, and denoising tests whether it's enough. Say which one you did, and with which second prompt.
# %% [markdown]
# ## d5.2.9 ★ From which word?
# ●●●○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# A head's direct effect is a sum over the positions that it attends to. `circuits.source_attribution` returns its terms, [rows, layer, head, key]. Which words do the writers read?
#
# Write `by_role`, which splits these values by the role of the key. It returns a dict with the keys `"IO"`, `"S1"`, `"S2"`, `"END"` and `"rest"`, whose values are [rows, layer, head]. The positions of the roles are in the columns `position.IO` and so on, and differ from row to row. `"rest"` is the sum over all other positions.
#
# Stuck? `hint("d5.2.9")`
# %% exercise="d5.2.9"
def by_role(values: torch.Tensor, positions: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Values [rows, layer, head, key] at each role's key, and the sum of all the others'."""
    ### BEGIN SOLUTION
    rows = torch.arange(len(values))
    roles = ("IO", "S1", "S2", "END")
    found = {role: values[rows, :, :, positions[f"position.{role}"]] for role in roles}
    return found | {"rest": values.sum(-1) - torch.stack(list(found.values())).sum(0)}
    ### END SOLUTION
# %% check="d5.2.9" points=2
check("d5.2.9", by_role)
# %%
print(f"Direct effects of {model.name} by word; this takes up to 10 seconds.")
by_word = by_role(circuits.source_attribution(graph, data, **answers), data.columns)
for layer, head in groups["writers"]:
    direct = circuits.Estimate.over_rows(by_head[:, layer, head])
    print(f"\n{layer}.{head}, direct effect {direct.mean:.2f} ± {direct.se:.2f}")
    for role, values in by_word.items():
        report(f"read.{layer}.{head}.{role}", estimate(values[:, layer, head]))
# %% [markdown]
# **What you should see**: the simplest explanation of a positive effect from the IO is that the head copies the name there. A negative effect from the IO is the opposite of copying. A positive effect from S1 or S2 can't be copying, because a copy of the subject's name would lower the difference. Such a head lowers the subject's logit or raises the IO's, and d5.3.3 separates the two. A head that reads at END passes on the output of earlier layers there.
#
# What this doesn't show: a head reads everything that earlier layers wrote at a position, and not only the word there.
#
# *Learned*: two heads with the same direct effect may read different words and do different things with them.
# %% [markdown]
# ## What the full run says
#
# Unless you set `REMIX_FULL`, this notebook used one prompt of each template in each order, and half of these for the sweeps. We ran the same code once with four times as many, on SmolLM2. The figures of that run ship with the course, and this cell prints them if SmolLM2 is your model. The heads were selected by the same tests, on more prompts, so a head may be in one list and not in the other.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
kinds = ("lens", "layer", "direct", "head", "noising", "denoising")
for name, (value, over_prompts, over_templates) in stored.items():
    if name.startswith(tuple(f"where.{kind}." for kind in kinds)):
        print(f"{name:34}{value:6.2f} ± {over_prompts:.2f} ± {over_templates:.2f}")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# Answer from memory, without scrolling up. Give a number or one of the listed options in `recall = {"units": ..., "before": ..., "pattern": ..., "enough": ...}`.
# - `units`: if you subtract the readings of the lens at two blocks, do you get the part that the blocks between them wrote? `"yes"` or `"no"`
# - `before`: the second prompt differs only at S2. How large is the share of a patch at the IO?
# - `pattern`: which two sides of a head make its pattern, `"q and k"`, `"q and v"` or `"k and v"`?
# - `enough`: which direction tests whether a part is enough, `"noising"` or `"denoising"`?
#
# Stuck? `hint("d5.2.quiz")`
# %% exercise="d5.2.quiz"
### BEGIN SOLUTION
recall = {"units": "no", "before": 0, "pattern": "q and k", "enough": "denoising"}
### END SOLUTION
# %% check="d5.2.quiz" points=2
check("d5.2.quiz", recall)
# %%
predictions("d5")
# %% [markdown]
# ## What you have
#
# You have a list of heads that write the answer, a list of heads that act through later ones, and an idea of the blocks in which the information moves from S2 to END. For the strongest heads you know whether the pattern or the value carries it. Part 3 finds the paths between these heads.
