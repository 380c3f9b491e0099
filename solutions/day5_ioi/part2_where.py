# %% [markdown]
# # Day 5, part 2: where the answer is
#
# **The model prefers the right name. Where in the model does this preference arise?**
#
# A transformer has a stream for each position, and each block adds to it. So "where" has two coordinates, a block and a position. In this part you look for the answer in three ways. You read the stream before it's finished, you split the result into what each head wrote, and you exchange one activation between two runs. The three ways give different answers, and you'll see why.
#
# **After this part you can**
# - read the answer from any block with the logit lens, and say why its scale changes;
# - find the heads that stand out among all heads, without a cut-off chosen by eye;
# - patch the stream at a role that has another position in each prompt;
# - give a share with its error, when both numbers of the ratio are uncertain;
# - narrow a sweep down from bands of blocks to the queries, keys and values of a head;
# - tell what noising shows and what denoising shows.
#
# **Time**: about 55 minutes without the ★ exercise. The cells that compute take about three minutes with SmolLM2.
#
# **Readings**: nostalgebraist 2020, *interpreting GPT: the logit lens* ([lesswrong.com](https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru/interpreting-gpt-the-logit-lens)). Heimersheim and Nanda 2024, *How to use and interpret activation patching* ([arXiv 2404.15255](https://arxiv.org/abs/2404.15255)), for d5.2.8. Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), section 3.
# %%
import os
import torch
from remix_utils import Node, add, at, check, circuits, einsum, evaluate, find_one, hint, models
from remix_utils import placeholder, plot, replace, split, start_at, update
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.models import smollm2
from remix_utils.models.gpt2_small import is_gpt2_small
from remix_utils.tasks import ioi

start_at("d5.2")  # to rejoin the room: start_at("d5.2.5") brings all that the rest reads
# %% [markdown]
# The first cells are the same as in part 1, with other prompts. The longer experiments use half of the rows, one prompt of each template in alternating order. They're called `some`.
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
# Each line of a report has a value, its error over prompts, and its error over templates.
#
# ## d5.2.1 The logit lens
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# When does the model know the answer? Each block adds to the stream, and the unembedding reads the last one. You can hand the unembedding an *earlier* stream instead, as if the remaining blocks weren't there. This is the *logit lens* (nostalgebraist 2020).
#
# Write `lens`. It gets the node of the logit difference, and returns a list of `n_layers + 1` nodes. The first reads the stream before any block, `blocks.0.resid_pre`, and so on through the `resid_pre` of each block. The last one reads the finished stream, the `resid_post` of the last block. Everything after the stream stays as it is, the final norm included. The check uses small random models of other sizes.
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
# Does the difference grow a little with each block? Predict the block that raises it most. Blocks count from 0.
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
# **What you should see**: the reading doesn't have to grow steadily. The printed lines are the first reading, both ends of the two largest jumps, and the model's own difference. Before any block, the stream at END holds nothing but the last word, so the first reading is a preference for some of these names, with a wide error.
#
# Does the reading ever exceed the model's own difference? Then it falls again, and it looks as if later blocks destroy most of the answer. Keep this question for the next exercise.
#
# *Learned*: the lens shows at which block the answer becomes readable at END. It doesn't show where the answer was before.
# %% [markdown]
# ## d5.2.2 Who wrote it, by layer
# ●●○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# The last stream is a sum of what the embedding, the heads and the MLPs wrote. With the scale of the final norm held at its value, the logit difference is a sum of their parts too. `circuits.logit_attribution` gives these parts by name, [rows] each. You built this sum on day 1.
#
# Write `by_layer`, which adds up the parts of each layer, for attention and the MLP apart. A part belongs to attention of layer 3 if its name starts with `blocks.3.attn`, as `blocks.3.attn.head.0.out` and `blocks.3.attn.b_O` do. It belongs to the MLP if it starts with `blocks.3.mlp`. Where a layer has no MLP, its entry is 0. Parts such as `embed` and `bias` belong to no layer. The check uses up to 12 layers.
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
    more = f"   attention {attention[:, layer].mean():5.2f}, lens {rises[layer]:+.2f}"
    report(f"layer.{layer}", estimate(written[:, layer]), more)
# %% [markdown]
# **What you should see**: a few layers write almost everything. Compare the first column with the lens in the last one. Where the two don't agree, both are right.
#
# The reason is the scale. The lens divides each stream by that stream's own length, and in most models streams grow from block to block. Attribution divides everything by the length of the *last* stream. If a block writes the answer into a short stream, the lens shows a large value. When later blocks add vectors that have nothing to do with the names, the stream gets longer, and the same answer reads smaller. So a fall of the lens isn't evidence for a block that lowers the answer. A negative entry in the first column is.
#
# *Learned*: two readings of a lens have different units. Parts of an attribution have the same one.
# %% [markdown]
# ## d5.2.3 Heads that stand out
# ●●●○○ difficulty · ●●●●● importance · 6 minutes · core
#
# Which heads wrote it? If you look at several hundred heads, some will look important by chance. A head deserves a name if it passes two tests. Its mean must be surely different from 0, and it must be large beside what an ordinary head does.
#
# Write `standouts` for values [rows, layer, head]. A head stands out if the size of its mean is above 4 standard errors *and* above 5 times the median size of all heads' means. Return the heads as pairs (layer, head), the largest size first, at most `most` of them. A head that lowers the difference counts as much as one that raises it. `circuits.Estimate.over_rows(values)` has `.mean` and `.se`, each [layer, head].
#
# Stuck? `hint("d5.2.3")`
# %% exercise="d5.2.3"
def standouts(values: torch.Tensor, most: int) -> list[Head]:
    """The heads (layer, head) whose mean is surely and far from 0, the largest size first."""
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
# **What you should see**: a small number of late heads, if the model has a circuit of this kind. A negative value is a head that writes *against* the answer. It's no error of the method, as part 4 shows.
#
# What this doesn't show: attribution finds the heads that write the answer. It can't see the heads that those depend on. It also holds the final norm's scale, and it's a claim about one position, END.
#
# *Learned*: a direct effect needs two comparisons, one with its own error and one with ordinary heads.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "If a head has a direct effect of 0, may we ignore it?" Explain back to each other: why do the lens and the attribution disagree about the late blocks? *Alone:* work out how many of this model's heads would pass a test of 2 standard errors if no head did anything.
# %% [markdown]
# ## d5.2.4 Patch one position
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# ![Two runs, one above the other. The other run reads a prompt with IO at S2, and its first blocks compute its stream at S2. The clean run reads a prompt with S at S2, and its first blocks would compute its own stream at S2. An arrow, patch, puts the stream of the other run in the place of the clean one. The later blocks of the clean run read it, and lead to the difference.](diagram:patching)
#
# Where is the answer *before* it can be read? Take a second prompt that differs in one word, and exchange one activation. Our second prompt names the IO at S2. "John gave a drink to" becomes "Mary gave a drink to", and the right answer becomes John. If you copy one stream of the second run into the first, and the answer follows, then this stream carried the information.
#
# The stand-in for the second prompt's tokens is an input called `other.tokens`, so `elsewhere` is the same computation on the other prompt.
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
# S2 has another position in each row, so the patch needs a mask. Write `patch_at`. In the graph it returns, the node called `name` has the value of `source` at the positions where `where` [seq] is 1, and its own value where `where` is 0. Both nodes are [seq, d_model]. Nodes after it are computed again, and nothing else changes. The check uses small models and random masks.
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
# Now three patches before the first block, where a stream is no more than its own word. At S2 the clean run then reads the IO's name. What happens if you patch the stream at the IO instead?
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
# **What you should see**: at the IO the fall is exactly 0, in every row. The two prompts don't differ before S2, and a causal model can't look ahead. So every stream before S2 is the same in both runs, and a patch there changes nothing. A patch finds only what *differs* between the two prompts. This pair asks where the model keeps "which name is at S2".
#
# *Learned*: a patch answers a question about a pair of prompts. Choose the pair before you choose the node.
# %% [markdown]
# ## d5.2.5 A share, with its error
# ●●●○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# A fall of one logit is a lot in one model and little in another. So you divide the mean fall by the mean *gap*, the clean difference minus the difference on the other prompt. A share of 1 means that the patch alone makes the answer follow the other prompt.
#
# Take the ratio of the two means, and never the mean of the ratios. In a row with a gap near 0, the ratio is huge and means nothing. What's the error of a ratio? Both means vary from draw to draw, and they vary together. Per row, `rest = (fall − share · gap) / mean gap` is the part of the fall that the common share doesn't explain. Its mean is 0, and its standard error is the error of the share, to first order.
#
# Write `share_moved` for values [rows] of the clean run, the patched run and the other run. It returns the share, its error over prompts and its error over templates. `circuits.Estimate.over_rows(rest).se` gives the first error, and `circuits.Estimate.over_groups(rest, template).se` the second.
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
# Now the sweep. It patches the stream at S2, at all positions between S2 and END, and at END, before every block, or before every few blocks in a deep model. All patches are evaluated together, so that they share what they have in common.
#
# Before which block does the stream at END first carry more than half of the gap?
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
plot.heatmap(grid, roles, list(map(str, layers)), "Patched before a block", "share of the gap")
# %% [markdown]
# **What you should see**: if the model does the task, S2 carries the whole gap in early blocks, and END carries most of it in late ones. In the picture you see where the information moves from one to the other. In each column the three rows add up to about 1, so hardly anything is stored in two places. With one prompt a template in `some`, the two errors are almost the same.
#
# Compare the block where END takes over with the jump of the lens. If END carries the information earlier than the lens can read it, then what arrives at END first isn't the name. It's something that helps to *find* the name.
#
# *Learned*: the lens says when the answer can be read. A patch says when the information is there, in whatever form.
#
# > **Pair card.** Swap. The navigator asks: "What would this picture look like if the second prompt had another IO, and the same S2?" Explain back: why is a share of 1 at S2 before block 0 no discovery? *Alone:* draw the picture you'd expect for a model that copies S2's name to END in its first block.
# %% [markdown]
# ## d5.2.6 From bands to heads
# ●●●○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Which parts carry the information from S2 to END? You could patch every head, but hundreds of full runs take minutes. It's faster to narrow down. Patch the attention of a *band* of several blocks at once, then each block of the best bands, then each head of the best blocks.
#
# Write `from_other`. In the graph that it returns, all nodes with these names have the values they have in the other run, `elsewhere`. They take those values whole, at all positions, even if one of them comes after another. Everything else is computed from the clean prompt and from them. `names` is a set.
#
# Stuck? `hint("d5.2.6")`
# %% exercise="d5.2.6"
def from_other(difference: Node, elsewhere: Node, names: set[str]) -> Node:
    """The difference in which the named nodes have their values of the other run."""
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
# An MLP or a head that builds up S2's stream can matter too, not only one that moves it. Now narrow down to the attention of single blocks, and then to heads.
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
# **What you should see**: two kinds of heads, if the model has both. Some have a large direct effect, and you met them in d5.2.3. Others move a large share with a direct effect near 0. Those don't write the answer. They change what later heads do. A head with a *negative* share works against the answer that the prompt asks for.
#
# What this doesn't show: the shares of heads don't have to add up. If one head stands in for another, neither of them is missed alone. And we only searched the blocks that stand out as a whole.
#
# *Learned*: go from coarse to fine, and compare the total effect of a head with its direct one.
# %% [markdown]
# ## d5.2.7 Query, key, value, pattern
# ●●●○○ difficulty · ●●●●○ importance · 7 minutes · core
#
# A head's output depends on *where* it attends and on *what* it copies from there. The query and the key make the pattern, and the value is what gets copied. Which of them carries the information?
#
# Write `by_side` for a list of heads. It returns a dict with five graphs, called `"q"`, `"k"`, `"v"`, `"pattern"` and `"out"`. In each one, this part of all the heads has its value of the other run. The nodes are called `blocks.3.attn.head.5.q` and so on. Use `from_other`.
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
# Think of the strongest head of the last cell. How much of its share does its value carry, in per cent?
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
value, out = (of_sides["{}.{}.{}".format(side, *carriers[0])][0] for side in ("v", "out"))
measured("d5.2.p5", 100 * value / out)
# %% [markdown]
# **What you should see**: compare `pattern` with `v` in each block of lines. If the pattern carries the share, the information tells the head where to attend. If the value carries it, the head passes on something from the positions it attends to anyway. A head that attends from END to a position before S2 can't show a value at all with this pair of prompts, since nothing differs there. That isn't a finding about the head. It follows from the pair.
#
# The query and the key act together in the softmax, so `q` and `k` don't have to add up to `pattern`, and `pattern` and `v` don't have to add up to `out`.
#
# *Learned*: pattern or value is the first question to ask about a head. It tells you in which direction to look next.
#
# > **Pair card.** Swap. The navigator asks: "Which of these heads would you trace back through its query, and which through its value?" Explain back: why can the value of a head that attends to the IO have no effect here? *Alone:* name a pair of prompts with which the value of such a head would matter.
# %% [markdown]
# ## d5.2.8 Noising and denoising
# ●●●●○ difficulty · ●●●●● importance · 7 minutes · core
#
# So far you put activations of another prompt into the clean run. This is *noising*, and it asks what's *needed*. The other direction puts clean activations into the other run. This is *denoising*, and it asks what's *enough*. Do they give the same answer?
#
# With the pair so far they must, on average. The second prompt is itself a prompt of the task with the names' roles exchanged, so denoising a pair is noising the reversed pair. We need a second prompt that lacks the answer. In an ABC prompt three other people appear, once each.
#
# No new graph is needed. Exchange the two inputs, and a graph that noises will denoise. Write `both_ways`. It evaluates a dict of graphs twice and returns two dicts of values. The first has the clean prompt in `tokens` and the other in `other.tokens`, and the second has them exchanged. All other columns stay, so both times the same two logits are read.
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
# We try it on the heads that you found, alone and in groups. *Writers* stand out by their direct effect. *Senders* are the heads of d5.2.6 whose direct effect is less than a fifth of what they move in all. The stream comes along at four roles, before a block in the middle of the model and before a late one.
#
# Suppose that putting the senders' ABC outputs into the clean run destroys a large share of the difference. How much of it comes back if you put their clean outputs into the ABC run?
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
# **What you should see**: look for lines in which the two columns differ. A part that is needed and not enough loses a large share when it's noised, and restores little by itself. It works together with something else that the ABC run lacks. A signal that says where to attend is like this, because the ABC sentence has other names in the positions it points to. A part that restores more than its noising destroys helps by itself, while other parts stand in for it when it's gone.
#
# Some shares may lie above 1 or below 0. The gap is measured against a prompt without either name. If you take the IO's name alone out of the clean run, the subject is still there twice, and the model may prefer it more than it does in the ABC prompt.
#
# What neither column shows is *how* a part acts. It might send its signal straight to the difference or through ten other heads. Part 3 follows the paths.
#
# *Learned*: noising asks "needed?" and denoising asks "enough?". Say which one you did, and with which second prompt.
# %% [markdown]
# ## d5.2.9 ★ From which word?
# ●●●○○ difficulty · ●●●○○ importance · 8 minutes · ★
#
# A head's direct effect is a sum over the positions that it attends to. `circuits.source_attribution` gives it by key, [rows, layer, head, key]. Which words do the writers read?
#
# Write `by_role`. It adds up the values by the role of the key. The result is a dict with `"IO"`, `"S1"`, `"S2"`, `"END"` and `"rest"`, each [rows, layer, head]. Positions are in the columns `position.IO` and so on, and differ by row. All other keys go into the rest.
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
    print(f"\n{layer}.{head}, direct effect {by_head[:, layer, head].mean():.2f}")
    for role, values in by_word.items():
        report(f"read.{layer}.{head}.{role}", estimate(values[:, layer, head]))
# %% [markdown]
# **What you should see**: a positive effect that is read at the IO is most simply a copy of the name there. A negative one is the opposite of a copy. A positive effect that is read at S1 or S2 can't be a copy, because a copy of the subject's name would lower the difference. Such a head lowers the subject's logit. A head that reads at END passes on what earlier heads left there.
#
# What this doesn't show: the values hold what earlier layers brought to a position, and not only the word that stands there.
#
# *Learned*: two heads with the same direct effect may do different things to the two names.
# %% [markdown]
# ## What the full run says
#
# This notebook took one prompt of each template in each order, and half of them for the sweeps. The same code ran once with four times as many. Its figures ship with the course, and they're shown here if you run SmolLM2. They're selected by the same tests, so a head may be in one list and not in the other.
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
# From memory, without scrolling up.
# - `units`: may you subtract the lens's readings at two blocks, to get what the blocks between them wrote? `"yes"` or `"no"`
# - `before`: the second prompt differs at S2 alone. How large is the share of a patch at the IO?
# - `pattern`: which two sides of a head make its pattern, `"q and k"`, `"q and v"` or `"k and v"`?
# - `enough`: which direction asks whether a part is enough, `"noising"` or `"denoising"`?
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
# A list of heads that write the answer, a list of heads that change what those do, and the block at which the information moves from S2 to END. You know for each head whether its pattern or its value matters. Part 3 finds the paths between them.
