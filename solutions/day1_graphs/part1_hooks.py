# %% [markdown]
# # Day 1, part 1: hooks and their limit
#
# **Two networks are equally accurate. For the same reasons?**
#
# `digits-a` and `digits-b` read an 8 × 8 image of a handwritten digit and name the digit. Both are built the same way, and on 600 test images they are right equally often, to within half a point. In this part we take them apart with the tool that everybody starts with, PyTorch's forward hooks, until we meet a question that a hook cannot ask. Part 2 builds the tool that can.
#
# **After this part we can**
# - read and replace any intermediate value of a PyTorch network;
# - run zero, mean and resample ablations, and say what each of them really asks;
# - put a standard error on an ablation that draws at random;
# - tell noising from denoising, and choose;
# - explain why a hook changes a *value*, while our question is about a *path*.
#
# **Time**: about 100 minutes without the ★ exercises.
#
# **Readings**: Chan et al. 2022, *Causal Scrubbing*, the appendix's discussion of zero and mean ablation. Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching*, the section that defines path patching. Both can wait until tonight.
# %%
import torch
from contextlib import contextmanager
from remix_utils import check, hint, models, plot, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import digits

start_at("d1.1")  # to rejoin the room: start_at("d1.1.6") brings every name that the rest of this part reads
# %% [markdown]
# ## The networks
#
# Both networks compute
#
# $$\text{logits} = W_\text{out}\,\text{relu}(W_\text{in}\,x + b) + W_\text{skip}\,x$$
#
# ![The two paths of the digits networks. In blue, the path through 16 hidden neurons takes the image x, 64 pixels, through inner (linear, 16 values), hidden (relu, 16 values) and out (linear, 10 values). In orange, the skip connection takes x through a single matrix, skip, to 10 values. A plus adds the two, which gives the 10 logits.](diagram:two_paths)
#
# The image `x` [64] reaches the ten logits by two paths: through 16 hidden neurons, and straight through `W_skip`, which is called a *skip connection*. Here is the forward pass, line by line:
#
# ```python
# x = self.x(images)                       # does nothing; a place to hook
# hidden = self.hidden(self.inner(x))      # a linear layer, then relu
# return self.out(hidden) + x @ self.skip.T
# ```
# %%
networks = {name: models.load(name).module() for name in ("digits-a", "digits-b")}
train, test = digits.images("train"), digits.images("test")
x, label = test["x"], test["label"]

for name, network in networks.items():
    print(f"{name}: {100 * (network(x).argmax(-1) == label).float().mean():.1f} % of {len(x)} test images")
plot.images(x[:8], [str(digit) for digit in label[:8].tolist()], "The first eight test images")
# %% [markdown]
# ## d1.1.1 Read a layer
# ●○○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# What happens inside? PyTorch lets us watch. `layer.register_forward_hook(hook)` makes PyTorch call `hook(layer, inputs, output)` each time the layer has run. It returns a handle, and `handle.remove()` takes the hook off again. A hook that returns nothing changes nothing: it is an observer.
#
# Write `read_layer`. It hooks the layer, runs the network once, removes the hook, and returns what it saw. `network.get_submodule("hidden")` finds a layer by its name.
#
# Stuck? `hint("d1.1.1")`
# %% exercise="d1.1.1"
def read_layer(network: torch.nn.Module, layer: str, x: torch.Tensor) -> torch.Tensor:
    """The output [batch, d_layer] of the layer with this name, when the network reads x [batch, 64]."""
    ### BEGIN SOLUTION
    seen = []
    handle = network.get_submodule(layer).register_forward_hook(lambda layer, inputs, output: seen.append(output))
    network(x)
    handle.remove()
    return seen[0]
    ### END SOLUTION
# %% check="d1.1.1" points=1
check("d1.1.1", read_layer)
# %%
hidden = {name: read_layer(network, "hidden", x) for name, network in networks.items()}
plot.heatmap(
    hidden["digits-b"][:8],
    [f"{image}: a {digit}" for image, digit in enumerate(label[:8].tolist())],
    [f"n{neuron}" for neuron in range(16)],
    "Hidden layer of digits-b on the first eight images",
    "activation", x="neuron", y="image",
)
# %% [markdown]
# **What you should see**: neurons 1 and 3 are never on. Neuron 9 is always on, whatever the digit: remember it.
#
# *Learned*: an intermediate value can be read without touching the network's code.
# %% [markdown]
# ## d1.1.2 Replace a layer's output
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A hook that *returns* something does more: what it returns takes the place of the layer's output, and everything after it computes with the replacement. So an experiment on a layer is a function from activations to activations. We call it an *edit*.
#
# Write `run_edited`: the logits, when the output of the layer is replaced by `edit(output)`. `torch.zeros_like` is already an edit. It is the *zero ablation*: the layer is silenced, and we see what the rest can do without it.
#
# Stuck? `hint("d1.1.2")`
# %% exercise="d1.1.2"
def run_edited(network: torch.nn.Module, layer: str, edit, x: torch.Tensor) -> torch.Tensor:
    """Logits [batch, 10] on x [batch, 64], with the layer's output [batch, d_layer] replaced by edit(output)."""
    ### BEGIN SOLUTION
    handle = network.get_submodule(layer).register_forward_hook(lambda layer, inputs, output: edit(output))
    logits = network(x)
    handle.remove()
    return logits
    ### END SOLUTION
# %% check="d1.1.2" points=1
check("d1.1.2", run_edited)
# %%
for name, network in networks.items():
    silenced = run_edited(network, "hidden", torch.zeros_like, x)
    print(f"{name} without its hidden layer: {100 * (silenced.argmax(-1) == label).float().mean():.1f} %")
# %% [markdown]
# **What you should see**: about 96 % and 94 %. Neither network seems to need its hidden layer. A tempting answer to the day's question is at hand: same accuracy, same reason, it is all in the skip.
#
# *Learned*: an ablation is an edit, and its result is a number that still has to be interpreted.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "What does the rest of the network receive, exactly?" Explain back to each other: why did the accuracy hardly change, and what else could explain that? *Alone:* write the two explanations in one sentence each before reading on.
# %% [markdown]
# ## d1.1.3 Ablate with the mean
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# Zero is an arbitrary value. Neuron 9 is never at zero, and what reads it has never seen such an input. The *mean ablation* puts every neuron at its average instead. The layer then says the same for each image, so it carries no information about which image we look at.
#
# The average comes from the training images: a test batch must not decide what it is replaced by. Write `mean_edit`. It takes activations recorded on other images and returns an edit, which gives one identical row to each image of the batch that it edits.
#
# Stuck? `hint("d1.1.3")`
# %% exercise="d1.1.3"
def mean_edit(recorded: torch.Tensor):
    """An edit: output [batch, d_layer] -> the mean row of recorded [rows, d_layer], once for each row of output."""
    ### BEGIN SOLUTION
    return lambda output: recorded.mean(dim=0).expand_as(output)
    ### END SOLUTION
# %% check="d1.1.3" points=1
check("d1.1.3", mean_edit)
# %% [markdown]
# Before the run: how accurate is `digits-b` with its hidden layer at the mean? Write a number in place of the dots. Nobody grades it.
# %%
predict("d1.1.p1", ..., "per cent right, digits-b, hidden layer at its mean")
# %%
at_mean = {}
for name, network in networks.items():
    edit = mean_edit(read_layer(network, "hidden", train["x"]))
    at_mean[name] = run_edited(network, "hidden", edit, x)
    print(f"{name}, hidden layer at its mean: {100 * (at_mean[name].argmax(-1) == label).float().mean():.1f} %")
measured("d1.1.p1", 100 * (at_mean["digits-b"].argmax(-1) == label).float().mean())
# %% [markdown]
# **What you should see**: 96 % and 66 %. The networks part. Zero and mean are both "the hidden layer removed", and for `digits-b` they differ by 28 points.
#
# *Learned*: "removed" has no meaning until we say what stands in its place.
# %% [markdown]
# ## d1.1.4 Resample the hidden layer
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A third choice replaces each image's activations by those of *another image*, drawn at random. This is the *resample ablation*. What the next layer receives is always something that the network really produces: all 16 values together, from one image. Nothing is off its usual distribution; only the connection with this image is cut.
#
# Write `resample_edit`. `rows` [batch] says, for each image, whose activations it gets: image `i` receives those of image `rows[i]`. The same image may be drawn twice.
#
# Stuck? `hint("d1.1.4")`
# %% exercise="d1.1.4"
def resample_edit(rows: torch.Tensor):
    """An edit: output [batch, d_layer] -> what row rows[i] had, in place of row i; rows [batch] of whole numbers."""
    ### BEGIN SOLUTION
    return lambda output: output[rows]
    ### END SOLUTION
# %% check="d1.1.4" points=1
check("d1.1.4", resample_edit)
# %%
predict("d1.1.p2", ..., "per cent right, digits-b, hidden layer resampled")
# %%
def draw(seed: int, rows: int = len(x)) -> torch.Tensor:
    """For each of `rows` images, which image it is given instead [rows]."""
    return torch.randint(rows, (rows,), generator=torch.Generator().manual_seed(seed))


for name, network in networks.items():
    resampled = run_edited(network, "hidden", resample_edit(draw(0)), x)
    print(f"{name}, hidden layer resampled once: {100 * (resampled.argmax(-1) == label).float().mean():.1f} %")
# %% [markdown]
# **What you should see**: a little over 90 % and about 12 %. `digits-b` is near chance. Its hidden layer speaks with the loudest voice, and now it speaks about another image.
#
# *Learned*: resampling asks "does the network *listen* to this?", which is not "could it do without?".
# %% [markdown]
# ## d1.1.5 How sure are we?
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# Resampling draws at random, so one run is an estimate. We make 20 draws and note for each draw and image whether the network was right: `correct` [draws, rows]. How far could the accuracy be off, had we been given other test images?
#
# The 20 entries of one image are about the same image. They are not 20 new pieces of evidence. So we average over draws first, which leaves one number an image, and take the standard error over images: standard deviation divided by the square root of the number of images. Return both in per cent.
#
# Stuck? `hint("d1.1.5")`
# %% exercise="d1.1.5"
def accuracy_with_error(correct: torch.Tensor) -> tuple[float, float]:
    """Accuracy and its standard error over images, in per cent; correct [draws, rows] holds True where right."""
    ### BEGIN SOLUTION
    per_image = 100 * correct.float().mean(dim=0)
    return per_image.mean().item(), per_image.std().item() / len(per_image) ** 0.5
    ### END SOLUTION
# %% check="d1.1.5" points=2
check("d1.1.5", accuracy_with_error)
# %% [markdown]
# Now the table that we came for. `score` takes a list of logits, one entry a draw.
# %%
def score(all_logits: list[torch.Tensor]) -> tuple[float, float]:
    """Accuracy and standard error, in per cent, of logits [batch, 10] from one or more draws."""
    return accuracy_with_error(torch.stack([logits.argmax(-1) == label for logits in all_logits]))


draws = [draw(seed) for seed in range(20)]
results = {}
for name, network in networks.items():
    results[name] = {
        "as it is": score([network(x)]),
        "zero": score([run_edited(network, "hidden", torch.zeros_like, x)]),
        "mean": score([at_mean[name]]),
        "resample": score([run_edited(network, "hidden", resample_edit(rows), x) for rows in draws]),
    }
    print(name, {how: f"{mean:.1f} ± {error:.1f} %" for how, (mean, error) in results[name].items()})
measured("d1.1.p2", *results["digits-b"]["resample"])
plot.bars(results, "The hidden layer, ablated in three ways", "test accuracy (%)", "ablation of the hidden layer")
# %% [markdown]
# **What you should see**: one pair of networks, three stories. The gap between them is 2 points by zero, 30 by mean, 78 by resampling.
#
# The original REMIX course had another such pair, trained on MNIST. Its published figures, beside the kind of network of ours that they resemble:
#
# | hidden layer ablated | their first network | (ours: `digits-b`) | their second network | (ours: `digits-a`) |
# |---|---|---|---|---|
# | mean | 39 % | 66 % | 87 % | 96 % |
# | resample | 12 % | 13 % | 70 % | 91 % |
#
# Theirs are other networks on other images: we compare the shape, not the size.
#
# *Learned*: an estimate without a standard error, and an ablation without its kind, are half a result.
#
# > **Pair card.** Swap. The navigator asks: "Which of the three columns would you put in a paper, and what would a reader wrongly conclude from each of the others?" Explain back: why must the 20 draws of one image not count as 20 images? *Alone:* say aloud what each of the three ablations replaces the layer by.
# %% [markdown]
# ## d1.1.6 One neuron at a time
# ●●○○○ difficulty · ●●●○○ importance · 8 minutes · core
#
# Why do the three disagree? We look at single neurons. An edit of the whole layer can be narrowed to one neuron: apply it, keep only the one column, leave the other 15 as they were.
#
# Write `only_neuron`, which narrows any edit. It must build a new tensor. Writing into `output` would change the value in place, and PyTorch would hand the change to whoever else holds that tensor: the bug would show up in some other cell.
#
# Stuck? `hint("d1.1.6")`
# %% exercise="d1.1.6"
def only_neuron(edit, neuron: int):
    """The edit [batch, d_layer] -> [batch, d_layer], applied to one column; the others stay as they are."""
    ### BEGIN SOLUTION
    def narrowed(output: torch.Tensor) -> torch.Tensor:
        changed = output.clone()
        changed[:, neuron] = edit(output)[:, neuron]
        return changed

    return narrowed
    ### END SOLUTION
# %% check="d1.1.6" points=1
check("d1.1.6", only_neuron)
# %% [markdown]
# Neuron 9 of `digits-b` is on for every test image, at 4.1 on average, with a standard deviation of 1.4. How many points of accuracy does `digits-b` lose when this one neuron is put to zero?
# %%
predict("d1.1.p3", ..., "points lost, digits-b, neuron 9 at zero")
# %%
network, accuracy = networks["digits-b"], results["digits-b"]["as it is"][0]
layer_edits = {
    "zero": [torch.zeros_like],
    "mean": [mean_edit(read_layer(network, "hidden", train["x"]))],
    "resample": [resample_edit(rows) for rows in draws],
}
lost = {
    how: {
        f"n{neuron}": accuracy - score([run_edited(network, "hidden", only_neuron(edit, neuron), x) for edit in edits])[0]
        for neuron in range(16)
    }
    for how, edits in layer_edits.items()
}
measured("d1.1.p3", lost["zero"]["n9"])
plot.bars(lost, "digits-b: what one neuron is worth, by three ablations", "accuracy lost (points)", "neuron")
# %% [markdown]
# **What you should see**: by zero, neuron 9 is the most important one: 15.5 points. By resampling it is worth about 2, and neuron 14 is worth 6.
#
# Most of what neuron 9 says is the same for every image. It works like a bias: zero ablation takes the bias away as well, and calls the damage information.
#
# *Learned*: zero ablation charges a neuron for its constant part.
# %% [markdown]
# ## d1.1.7 A constant neuron and a switch
# ●●○○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# In a network of three neurons we can see both faults at their purest. Its first neuron is always 3. Its second is a switch: 0 or 2, never anything else. Its third is a gauge that takes any value from 0 to 1. The output is the constant, plus the gauge, plus an alarm that sounds only when the switch stands *between* its two positions, which never happens.
#
# So two of the three neurons tell us nothing about the image. Write `damage`: by how much an edit changes the output, as the mean absolute change over rows. Then see which ablation believes what.
#
# Stuck? `hint("d1.1.7")`
# %%
def tiny(hidden: torch.Tensor) -> torch.Tensor:
    """The output [batch] of the three-neuron network, from its hidden layer [batch, 3]."""
    constant, switch, gauge = hidden.unbind(dim=1)
    alarm = 4 * torch.relu(1 - (switch - 1).abs())  # 0 where the switch is 0 or 2, 4 in the middle
    return constant + gauge + alarm


chance = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0))
tiny_hidden = torch.stack([torch.full((1000,), 3.0), 2 * (chance[:, 0] < 0.5), chance[:, 1]], dim=1)
plot.histogram({"switch": tiny_hidden[:, 1]}, "The switch over 1,000 rows", "activation", {"mean": tiny_hidden[:, 1].mean()})
# %% exercise="d1.1.7"
def damage(network, hidden: torch.Tensor, edit) -> float:
    """Mean absolute change of network(hidden) [batch] when hidden [batch, d_hidden] is edited."""
    ### BEGIN SOLUTION
    return (network(edit(hidden)) - network(hidden)).abs().mean().item()
    ### END SOLUTION
# %% check="d1.1.7" points=1
check("d1.1.7", damage)
# %%
predict("d1.1.p4", ..., "damage by mean ablation of the switch (the alarm at full volume is 4)")
# %%
tiny_edits = {"zero": torch.zeros_like, "mean": mean_edit(tiny_hidden), "resample": resample_edit(draw(0, 1000))}
verdicts = [
    [damage(tiny, tiny_hidden, only_neuron(edit, neuron)) for edit in tiny_edits.values()] for neuron in range(3)
]
measured("d1.1.p4", verdicts[1][1])
plot.heatmap(
    torch.tensor(verdicts), ["constant", "switch", "gauge"], list(tiny_edits),
    "Three neurons, three ablations", "damage", x="ablation", y="neuron ablated",
)
# %% [markdown]
# **What you should see**: zero says that the constant matters (3.0). Mean says that the switch matters (nearly 4): the mean of a switch is a position in which it never stands, and the alarm sounds. Resampling finds only the gauge.
#
# The mean can mislead in `digits-b` too. At the mean, the hidden layer adds the same ten numbers to every image's logits. Look at what the network then answers:
# %%
answers = torch.bincount(at_mean["digits-b"].argmax(-1), minlength=10)
truth = torch.bincount(label, minlength=10)
shares = {
    who: {str(digit): float(count) for digit, count in enumerate(counts)}
    for who, counts in (("true digits", truth), ("digits-b at the mean", answers))
}
plot.bars(shares, "The mean turns the hidden layer into a bias towards 8", "number of test images", "digit")
# %% [markdown]
# **What you should see**: 230 of 600 images are called an 8, and only 57 are. The 66 % of exercise 3 are what the skip path achieves *against this bias*. They are not what remains of the hidden layer's knowledge.
#
# And zero? Our training recipe (on the model's card) set the hidden layer to zero for some examples, so that the skip would learn to manage alone. Zero is the one replacement that these networks have practised.
#
# *Learned*: zero invents importance for what is constant, the mean for what has two modes. Resampling does neither.
#
# > **Pair card.** Swap. The navigator asks: "Where does the value that we put in come from? Has the network seen it before?" Explain back: a neuron for which zero is fair, and one for which the mean is fair. *Alone:* sketch a neuron's histogram for which zero, mean and resampling agree.
# %% [markdown]
# ## d1.1.8 Noising and denoising
# ●●●○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# Resampling has a direction, and there are two. *Noising*: start from a clean run, and put one part of a corrupted run into it. What breaks? *Denoising*: start from a corrupted run, and put one part of the clean run into it. What is repaired? They are different questions: the first finds what is necessary, the second what is enough.
#
# Both are one function. Write `patch_layer`: the network runs on `base`, but the layer's output comes from its run on `source`. `read_layer` and `run_edited` do all the work.
#
# Stuck? `hint("d1.1.8")`
# %% exercise="d1.1.8"
def patch_layer(network: torch.nn.Module, layer: str, base: torch.Tensor, source: torch.Tensor) -> torch.Tensor:
    """Logits [batch, 10] on base [batch, 64], with the layer's output as it is on source [batch, 64]."""
    ### BEGIN SOLUTION
    other = read_layer(network, layer, source)
    return run_edited(network, layer, lambda output: other, base)
    ### END SOLUTION
# %% check="d1.1.8" points=2
check("d1.1.8", patch_layer)
# %% [markdown]
# In `digits-a`, noising the hidden layer left 91 %. Now denoise it: the image is replaced by another one everywhere, except that the hidden layer sees the right image. We score against the right image's label.
# %%
predict("d1.1.p5", ..., "per cent right, digits-a, everything corrupted but the hidden layer")
# %%
directions = {
    name: {
        "noising: only hidden is corrupted": score([patch_layer(network, "hidden", x, x[rows]) for rows in draws]),
        "denoising: only hidden is clean": score([patch_layer(network, "hidden", x[rows], x) for rows in draws]),
    }
    for name, network in networks.items()
}
measured("d1.1.p5", *directions["digits-a"]["denoising: only hidden is clean"])
plot.bars(directions, "Two directions, one layer", "test accuracy (%)")
# %% [markdown]
# **What you should see**: `digits-a` 91 % and 13 %; `digits-b` 13 % and 93 %. In `digits-b` the hidden layer is necessary and enough. In `digits-a` it is neither.
#
# The two need not mirror each other. If two parts each hold a full copy of the answer and either will do, noising one of them breaks nothing, and denoising one of them repairs everything. We always say which direction we took.
#
# *Learned*: noising asks what is necessary, denoising what is enough.
# %% [markdown]
# ## d1.1.9 A leaked hook
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# The next cell has a typing error in it, and we have all made this one. Run it, then look at the accuracy of the *untouched* network in the cell below.
#
# An exception came between `register_forward_hook` and `remove`. The hook is still there, and edits every later run in this notebook, silently. Write `hooked`, to be used as `with hooked(network, "hidden", hook): ...`. It must take its own hook off whatever happens inside, and nobody else's. `@contextmanager` turns a function with one `yield` into a `with` block; `try: ... finally: ...` does the rest.
#
# Stuck? `hint("d1.1.9")`
# %%
victim = models.load("digits-b").module()  # a copy of its own, so that the leak stays here
try:
    handle = victim.hidden.register_forward_hook(lambda layer, inputs, output: output[draw(0)])
    victim(x.reshape(600, 8, 8))  # the images should be [600, 64]
    handle.remove()
except RuntimeError as problem:
    print("RuntimeError:", problem)
# %%
print(f"digits-b, 'untouched': {100 * (victim(x).argmax(-1) == label).float().mean():.1f} %")
print("hooks still on:", {name: len(layer._forward_hooks) for name, layer in victim.named_children()})
# %% exercise="d1.1.9"
@contextmanager
def hooked(network: torch.nn.Module, layer: str, hook):
    """`with hooked(network, layer, hook):` keeps the hook on the layer inside the block, and never after it."""
    ### BEGIN SOLUTION
    handle = network.get_submodule(layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()
    ### END SOLUTION
# %% check="d1.1.9" points=2
check("d1.1.9", hooked)
# %%
print("before:", f"{100 * (victim(x).argmax(-1) == label).float().mean():.1f} %")
victim.hidden._forward_hooks.clear()  # this one is lost to us; we own the network, so we may clear it
print("after: ", f"{100 * (victim(x).argmax(-1) == label).float().mean():.1f} %")
# %% [markdown]
# **What you should see**: 12 % before, 97 % after, and no error in either run.
#
# *Learned*: a hook is hidden state. An experiment that lives in hidden state can spoil the next one without a word.
#
# > **Pair card.** Swap. The navigator asks: "If this leak were in our results table, which number would have made us suspicious?" Explain back: why is removing *all* hooks a bad cure in a notebook that two people share? *Alone:* check that no hook is left on `networks["digits-b"]`.
# %% [markdown]
# ## d1.1.10 One of two paths: the obvious attempt
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Now the question of the day, asked properly. The image reaches the logits by two paths, and both start at the same value `x`. How much does each network rely on the *skip path alone*? We want another image to flow down the skip, and the right image down the hidden path.
#
# The forward pass has a layer called `x`, made for hooking, and the skip path starts there. Write the obvious attempt: resample the output of the layer `x` by `rows`, and return the logits. Before running it, predict what `digits-b` will do. It hardly seemed to rely on the skip.
#
# Stuck? `hint("d1.1.10")`
# %% exercise="d1.1.10"
def skip_attempt(network: torch.nn.Module, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Logits [batch, 10] on x [batch, 64], with the output of layer "x" resampled by rows [batch]."""
    ### BEGIN SOLUTION
    return run_edited(network, "x", resample_edit(rows), x)
    ### END SOLUTION
# %% check="d1.1.10" points=1
check("d1.1.10", skip_attempt)
# %%
predict("d1.1.p6", ..., "per cent right, digits-b, layer x resampled")
# %%
attempts = {name: score([skip_attempt(network, x, rows) for rows in draws]) for name, network in networks.items()}
print({name: f"{mean:.1f} ± {error:.1f} %" for name, (mean, error) in attempts.items()})
measured("d1.1.p6", *attempts["digits-b"])

same = all(torch.equal(skip_attempt(network, x, draw(0)), network(x[draw(0)])) for network in networks.values())
print("the same logits as on the other image altogether:", same)
# %% [markdown]
# **What you should see**: 10 % for both, which is chance. And the last line says why: the logits are exactly those of the other image. We have not resampled the skip path. We have resampled the image.
#
# A hook replaces a *value*, and everybody who reads the value gets the replacement. The hidden path reads `x` as well. There is no layer for the skip itself either: `x @ self.skip.T` is a line of Python, and a hook cannot see a line of Python.
#
# *Learned*: hooks address values. "`x`, as the skip path reads it" is not a value in this program; it is a path.
# %% [markdown]
# ## d1.1.11 One of two paths: a trick
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · core
#
# There is a way, with two hooks at once: resample `x` for everybody, and then put the hidden path right again, before it does any harm. Write `skip_only`. The result must be the logits of a network in which the skip path reads image `rows[i]` and the hidden path reads image `i`.
#
# You may restore the clean value at any place that only the hidden path passes. `hooked` takes care of one hook, and a `with` statement may hold two of them, separated by a comma.
#
# Stuck? `hint("d1.1.11")`
# %% exercise="d1.1.11"
def skip_only(network: torch.nn.Module, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Logits [batch, 10]: the skip path reads x[rows] [batch, 64], the hidden path reads x [batch, 64]."""
    ### BEGIN SOLUTION
    clean = read_layer(network, "hidden", x)
    corrupt = hooked(network, "x", lambda layer, inputs, output: output[rows])
    restore = hooked(network, "hidden", lambda layer, inputs, output: clean)
    with corrupt, restore:
        return network(x)
    ### END SOLUTION
# %% check="d1.1.11" points=2
check("d1.1.11", skip_only)
# %%
paths = {
    name: {
        "as it is": results[name]["as it is"],
        "skip path resampled": score([skip_only(network, x, rows) for rows in draws]),
        "hidden path resampled": results[name]["resample"],
        "both (the attempt)": attempts[name],
    }
    for name, network in networks.items()
}
print({name: f"{each['skip path resampled'][0]:.1f} %" for name, each in paths.items()})
plot.bars(paths, "The two paths, one at a time", "test accuracy (%)", "what is resampled")
# %% [markdown]
# **What you should see**: with another image on its skip path, `digits-b` loses about 4 points, and `digits-a` falls to 13 %. (REMIX published −4 points for the first network of its pair, the one that needs its hidden layer.) The day's question has an answer: *no, not for the same reasons*.
#
# But look at what it took. The trick needed a place that only the other path passes. With two layers there are four paths and with twelve there are 4,096, and each wants its own arrangement of corruptions and repairs. If the program had a name for each path, we could just say which one we mean. That is what a computational graph gives us, and part 2 builds one.
#
# *Learned*: with hooks, changing one path means changing all of them and repairing the rest.
#
# > **Pair card.** Swap. The navigator asks: "Which run produced each of the values that meet in the final sum?" Explain back: draw the network, colour what comes from the clean run and what from the other. *Alone:* draw the same picture for "hidden path only".
# %% [markdown]
# ## d1.1.12 ★ Logits add, accuracies do not
# ●●●○○ difficulty · ●●○○○ importance · 8 minutes · ★
#
# For `digits-b`, resampling the skip costs 4 points, resampling the hidden layer costs 84, and both together cost 87. In `digits-a` they cost 84, 6 and 87. The costs do not quite add, and where two paths hold the same answer they fail to add by far. What *does* add?
#
# The two paths meet in a sum, so the logits are a sum of two terms, and each experiment exchanges one or both terms. From three sets of logits the fourth follows. Write `both_from_parts`: the logits with both paths resampled by the same rows, from the clean logits and those of the two single experiments.
#
# Stuck? `hint("d1.1.12")`
# %% exercise="d1.1.12"
def both_from_parts(clean: torch.Tensor, skip: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Logits [batch, 10] with both paths resampled, from the clean ones and those of either path resampled alone."""
    ### BEGIN SOLUTION
    return skip + hidden - clean
    ### END SOLUTION
# %% check="d1.1.12" points=1
check("d1.1.12", both_from_parts)
# %%
network, rows = networks["digits-a"], draw(0)
parts = (network(x), skip_only(network, x, rows), run_edited(network, "hidden", resample_edit(rows), x))
difference = (both_from_parts(*parts) - skip_attempt(network, x, rows)).abs().max()
print(f"largest difference between the predicted and the measured logits: {difference:.0e}")
# %% [markdown]
# **What you should see**: a difference at the level of rounding, about one part in a million. Accuracy passes through an argmax, which is as far from linear as can be.
#
# *Learned*: effects of paths that meet in a sum add in the sum, and nowhere later.
# %% [markdown]
# ## d1.1.13 ★ A dose of another image
# ●●○○○ difficulty · ●●○○○ importance · 7 minutes · ★
#
# How loud is the hidden layer? Instead of exchanging it, we mix: a `dose` of 0 leaves the image's own activations, a dose of 1 is the resample ablation, and 0.5 is halfway between two images. Halfway is off the usual distribution again: a mixture of a 3 and a 7 may be nothing that the layer ever says. It is a probe of loudness, and not an ablation to report alone.
#
# Write `dose_edit`. The curve below shows at which dose each network changes its mind.
#
# Stuck? `hint("d1.1.13")`
# %% exercise="d1.1.13"
def dose_edit(rows: torch.Tensor, dose: float):
    """An edit: output [batch, d_layer] -> (1 - dose) of row i plus dose of row rows[i]; rows [batch]."""
    ### BEGIN SOLUTION
    return lambda output: (1 - dose) * output + dose * output[rows]
    ### END SOLUTION
# %% check="d1.1.13" points=1
check("d1.1.13", dose_edit)
# %%
doses = [0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0]
curves = {
    name: [score([run_edited(network, "hidden", dose_edit(rows, dose), x) for rows in draws[:5]]) for dose in doses]
    for name, network in networks.items()
}
plot.lines(doses, curves, "A dose of another image in the hidden layer", "dose", "test accuracy (%)")
# %% [markdown]
# **What you should see**: `digits-b` keeps most of its accuracy up to a dose of 0.4, and has lost most of it at 0.8: in between, the other image takes over. `digits-a` only bends.
#
# *Learned*: a curve over doses shows whether a part decides or merely advises.
# %% [markdown]
# ## d1.1.14 ★ How many paths are there?
# ●●●●○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# We describe a program by who reads what: `readers["x"] = ["hidden", "logits"]` says that `x` is read in two places. A path is a way from `start` to `end` along such readings. If a reader appears twice in a list, it reads twice, and those are two paths.
#
# Write `count_paths`. The number of paths doubles with each block that has a skip, so a function that walks every path will not finish: the check has a chain of 60 blocks. The number of paths *from each node* is needed only once.
#
# Stuck? `hint("d1.1.14")`
# %% exercise="d1.1.14"
def count_paths(readers: dict[str, list[str]], start: str, end: str) -> int:
    """How many paths lead from start to end; readers maps each node to the nodes that read it, and has no cycle."""
    ### BEGIN SOLUTION
    known = {end: 1}

    def count(node: str) -> int:
        if node not in known:
            known[node] = sum(count(reader) for reader in readers.get(node, []))
        return known[node]

    return count(start)
    ### END SOLUTION
# %% check="d1.1.14" points=2
check("d1.1.14", count_paths)
# %%
def chain(blocks: int) -> dict[str, list[str]]:
    """A residual stream: each x is read by the block above it and by the sum that the block adds to."""
    steps = ((f"x{i}", f"block{i}", f"x{i + 1}") for i in range(blocks))
    return {node: readers for x, block, total in steps for node, readers in ((x, [block, total]), (block, [total]))}


print({blocks: count_paths(chain(blocks), "x0", f"x{blocks}") for blocks in (1, 2, 12, 60)})
# %% [markdown]
# **What you should see**: 2, 4, 4,096, and a number of 19 digits. Nobody writes one hook for each. We shall need to *select* paths, by a sentence such as "`x`, reached through the skip".
#
# *Learned*: paths are exponentially many, and yet counting them takes one visit a node. The library of part 2 lives from this difference.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# Close the page above, or look away. Answer with one of the listed words, or with a number: `recall = {"constant": ..., "switch": ..., "direction": ..., "logits": ..., "error": ...}`
#
# 1. `constant`: which ablation makes a constant neuron look important: `"zero"`, `"mean"` or `"resample"`?
# 2. `switch`: which ablation puts a two-valued neuron at a value that it never takes: `"zero"`, `"mean"` or `"resample"`?
# 3. `direction`: we start from the corrupted run and put one clean part into it. Is this `"noising"` or `"denoising"`?
# 4. `logits`: we resample the layer `x` of a network. Along how many paths does the original image still reach the logits? (a number)
# 5. `error`: 20 draws on 600 images: over how many independent items do we take the standard error? (a number)
#
# Stuck? `hint("d1.1.quiz")`
# %% exercise="d1.1.quiz"
### BEGIN SOLUTION
recall = {"constant": "zero", "switch": "mean", "direction": "denoising", "logits": 0, "error": 600}
### END SOLUTION
# %% check="d1.1.quiz" points=2
check("d1.1.quiz", recall)
# %%
predictions("d1.1")
# %% [markdown]
# ## What we have
#
# Two networks, equally accurate. By zero ablation they are alike; by resampling they are as different as can be; and one path at a time we know which leans on what. Our tool was a hook, and it could not name a path. Next: build a graph, in which a path can be named.
