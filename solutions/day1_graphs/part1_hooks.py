# %% [markdown]
# # Day 1, part 1: hooks
#
# **Two networks are equally accurate. For the same reasons?**
#
# `digits-a` and `digits-b` classify 8 × 8 images of handwritten digits. They have the same architecture, and on 600 test images their accuracies differ by less than half a point. Do they also work in the same way? In this part you take the two networks apart with PyTorch's forward hooks, the tool that most people start with. You run three kinds of ablation, and you find out which question each of them answers.
#
# **After this part you can**
# - read and replace any intermediate value of a PyTorch network
# - run zero, mean and resample ablations, and say which question each of them answers
# - give the standard error of an ablation that draws at random
# - tell noising from denoising, and choose between them
# - explain which experiments are easy with a hook and which aren't
#
# **Time**: about 100 minutes for the core, with reading, predictions and pair cards. The ★ exercises take about 60 minutes more. No cell computes for longer than a few seconds.
#
# **Readings**: Chan et al. 2022, *Causal Scrubbing: Appendix* ([alignmentforum.org](https://www.alignmentforum.org/posts/kcZZAsEjwrbczxN2i/causal-scrubbing-appendix)), section 3 on zero and mean ablation, for d1.1.4 to d1.1.7. Heimersheim and Nanda 2024, *How to use and interpret activation patching* ([arXiv 2404.15255](https://arxiv.org/abs/2404.15255)), for d1.1.8. Goldowsky-Dill et al. 2023, *Localizing Model Behavior with Path Patching* ([arXiv 2304.05969](https://arxiv.org/abs/2304.05969)), sections 1 and 2, for d1.1.10 and d1.1.11. You can read all of this later.
# %% [markdown]
# ## How to read this page
#
# An id such as d1.1.4 means day 1, part 1, exercise 4. The line below an exercise's heading uses these marks.
#
# | mark | meaning |
# |---|---|
# | ●○○○○ to ●●●●● difficulty | from a line of code that you've just read about, to an exercise that most pairs need hints for |
# | ●○○○○ to ●●●●● importance | how much of the week builds on the exercise |
# | minutes | our estimate for a pair, with reading, predictions and the pair card |
# | core | part of the day's main path |
# | ★ | optional. If you skip it, call `start_at` with the id of your next exercise |
#
# Work in pairs at one keyboard. The *driver* types, and the *navigator* reads ahead and asks questions. After every two or three exercises there's a **pair card**. It tells you to swap, gives the navigator a question, and asks you to explain one thing to each other. If you work alone, do the part marked *Alone* instead.
#
# | call | effect |
# |---|---|
# | `check("d1.1.1", read_layer)` | tests your answer and explains the first mistake that it finds |
# | `hint("d1.1.1")` | shows a hint. Call it again for the next one. The last of the three is almost the code |
# | `solution("d1.1.1")` | prints our solution, on the second call. For a written answer it also says how yours is graded |
# | `start_at("d1.1.6")` | defines everything that the page needs from d1.1.6 on, so you can skip ahead or catch up |
# | `predict(...)` | stores your guess before an experiment. The page ends with a table of guesses and results |
#
# You may open a solution at any time. It's meant for pairs that have used all hints and are still stuck, and for pairs that have passed the check and want to compare. The first call only prints a warning. The second call prints the code, and your progress record notes that you opened it.
# %%
import textwrap
from contextlib import contextmanager

import torch
from remix_utils import check, hint, models, plot, solution, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import digits

start_at("d1.1")  # to catch up: start_at("d1.1.6") defines every name that later cells use
# %% [markdown]
# ## The networks
#
# ![The two paths of the digits networks. In blue, the path through 16 hidden neurons takes the image x, 64 pixels, through inner (linear, 16 values), hidden (relu, 16 values) and out (linear, 10 values). In orange, the skip connection takes x through a single matrix, skip, to 10 values. A plus adds the two, which gives the 10 logits.](diagram:two_paths)
#
# The image `x` [64] reaches the ten logits by two paths. One path goes through 16 hidden neurons. The other one is a *skip connection*. It goes straight from the image to the logits, through a single matrix. As a formula, both networks compute
#
# $$\text{logits} = W_\text{out}\,\text{relu}(W_\text{in}\,x + b) + W_\text{skip}\,x$$
#
# Here's the forward pass. The layer called `"x"` computes nothing. It's only there to give us a place for a hook.
#
# ```python
# x = self.x(images)
# hidden = self.hidden(self.inner(x))      # a linear layer, then relu
# return self.out(hidden) + x @ self.skip.T
# ```
# %%
networks = {name: models.load(name).module() for name in ("digits-a", "digits-b")}
train, test = digits.images("train"), digits.images("test")
images, label = test["x"], test["label"]


def percent_right(logits: torch.Tensor) -> float:
    """Returns the per cent of the test images whose largest logit is that of the right digit."""
    return 100 * (logits.argmax(-1) == label).float().mean().item()


for name, network in networks.items():
    print(f"{name}: {percent_right(network(images)):.1f} % of {len(images)} test images")
first_digits = [str(digit) for digit in label[:8].tolist()]
plot.images(images[:8], first_digits, "The first eight test images")
# %% [markdown]
# ## d1.1.1 Read a layer
# ●○○○○ difficulty · ●●●●○ importance · 12 minutes · core
#
# How do you look inside a network without changing its code? With a *hook*. If you call `layer.register_forward_hook(hook)`, PyTorch calls `hook(layer, inputs, output)` each time the layer has run ([PyTorch's documentation](https://pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook)). You get a handle back, and `handle.remove()` takes the hook off again. If your hook returns nothing, it only observes.
#
# Write `read_layer`. It puts a hook on the layer, runs the network once, removes the hook, and returns the layer's output. `network.get_submodule("hidden")` returns the layer with this name. The check uses networks of other sizes.
#
# Stuck? `hint("d1.1.1")`
# %% exercise="d1.1.1"
def read_layer(network: torch.nn.Module, layer: str, x: torch.Tensor) -> torch.Tensor:
    """Returns the output [batch, d_layer] of the layer with this name, on inputs x [batch, 64]."""
    ### BEGIN SOLUTION
    seen = []
    module = network.get_submodule(layer)
    handle = module.register_forward_hook(lambda layer, inputs, output: seen.append(output))
    network(x)
    handle.remove()
    return seen[0]
    ### END SOLUTION
# %% check="d1.1.1" points=1
check("d1.1.1", read_layer)
# %%
hidden = {name: read_layer(network, "hidden", images) for name, network in networks.items()}
shown = [f"{image}: a {digit}" for image, digit in enumerate(first_digits)]
neurons = [f"n{neuron}" for neuron in range(16)]
title = "Hidden layer of digits-b on the first eight images"
plot.heatmap(hidden["digits-b"][:8], shown, neurons, title, "activation", x="neuron", y="image")
# %% [markdown]
# **What you should see**: neurons 1 and 3 are off on all eight images. Neuron 9 is on for all eight, whatever the digit is. You'll meet neuron 9 again in d1.1.6 (★).
#
# *Learned*: a hook reads an intermediate value without a change to the network's code.
# %% [markdown]
# ## d1.1.2 Replace a layer's output
# ●●○○○ difficulty · ●●●●● importance · 10 minutes · core
#
# Does the network need its hidden layer? To find out, replace the layer's output and see how much the accuracy falls. If a hook *returns* a tensor, this tensor takes the place of the layer's output, and all later layers compute with it. So you can describe an experiment on a layer with a function from activations to activations. We call such a function an *edit*.
#
# Write `run_edited`, which returns the logits when the layer's output is replaced by `edit(output)`. `torch.zeros_like` is already an edit, and it gives the *zero ablation*. The layer then outputs zeros, so the logits come from the rest of the network alone.
#
# Stuck? `hint("d1.1.2")`
# %% exercise="d1.1.2"
def run_edited(network: torch.nn.Module, layer: str, edit, x: torch.Tensor) -> torch.Tensor:
    """Returns the logits [batch, 10] on x [batch, 64], with edit(output) as the layer's output."""
    ### BEGIN SOLUTION
    module = network.get_submodule(layer)
    handle = module.register_forward_hook(lambda layer, inputs, output: edit(output))
    logits = network(x)
    handle.remove()
    return logits
    ### END SOLUTION
# %% check="d1.1.2" points=1
check("d1.1.2", run_edited)
# %%
for name, network in networks.items():
    without = run_edited(network, "hidden", torch.zeros_like, images)
    print(f"{name}, hidden layer at zero: {percent_right(without):.1f} %")
# %% [markdown]
# **What you should see**: about 96 % for `digits-a` and 94 % for `digits-b`. The accuracy hardly falls in either network. So here's a tempting answer to the day's question. The networks are equally accurate for the same reason, because both use only the skip connection.
#
# *Learned*: an ablation is an edit. It gives you a number, and you still have to interpret the number.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which values does the rest of the network receive, exactly?" Explain to each other why the accuracy hardly changes, and find a second explanation. *Alone:* write both explanations down, in one sentence each, before you read on.
# %% [markdown]
# ## d1.1.3 Ablate with the mean
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# Zero is an arbitrary value. On the test images, neuron 9 of `digits-b` is never at zero, so the output layer never gets this input from them. The *mean ablation* sets every neuron to its average instead. All images then have the same hidden layer, so the layer carries no information about the image.
#
# The average should come from the training images. If you took it from the batch, the result for one image would depend on the other images in the batch.
#
# Write `mean_edit`. Its argument is a tensor of activations recorded on other images. It returns an edit, so it returns a function. The edit gives every image of its batch the same row, the mean of the recorded rows.
#
# Stuck? `hint("d1.1.3")`
# %% exercise="d1.1.3"
def mean_edit(recorded: torch.Tensor):  # recorded [rows, d_layer]
    """Returns an edit that sets each row of output [batch, d_layer] to the mean row of recorded."""
    ### BEGIN SOLUTION
    return lambda output: recorded.mean(dim=0).expand_as(output)
    ### END SOLUTION
# %% check="d1.1.3" points=1
check("d1.1.3", mean_edit)
# %% [markdown]
# How accurate will `digits-b` be with its hidden layer at the mean? Write your guess in place of the dots before you run the experiment. Guesses aren't graded.
# %%
predict("d1.1.p1", ..., "per cent right, digits-b, hidden layer at its mean")
# %%
at_mean = {}
for name, network in networks.items():
    recorded = read_layer(network, "hidden", train["x"])
    at_mean[name] = run_edited(network, "hidden", mean_edit(recorded), images)
    print(f"{name}, hidden layer at its mean: {percent_right(at_mean[name]):.1f} %")
measured("d1.1.p1", percent_right(at_mean["digits-b"]))
# %% [markdown]
# **What you should see**: 96 % for `digits-a` and 66 % for `digits-b`. Here the two networks differ. Both zero ablation and mean ablation are often described as removing the layer. But for `digits-b` the two results are 28 points apart.
#
# *Learned*: "the layer is removed" isn't a complete description. Always say which values replaced it.
# %% [markdown]
# ## d1.1.4 Resample the hidden layer
# ●●○○○ difficulty · ●●●●● importance · 9 minutes · core
#
# ![A hidden layer of three neurons on three images. Image 0 has 3 0 5 in blue, image 1 has 1 4 2 in orange, and image 2 has 2 2 8 in green. Three arrows lead to three other tables. With zero, every row is 0 0 0. With the mean of the training images, every row is 2 1 4. With resample and rows 2, 0, 2, the first row is 2 2 8 in green, the second row is 3 0 5 in blue, and the third row is 2 2 8 in green.](diagram:three_ablations)
#
# Can you cut the connection with the image, and still give the output layer values that really occur? The third ablation does both. It replaces each image's activations with those of *another image*, drawn at random. This is the *resample ablation*. All 16 values of a row come from the same image, so the output layer gets a row that the network really computes for some image.
#
# Write `resample_edit`. `rows` [batch] says whose activations each image gets, so image `i` gets the activations of image `rows[i]`. The same image may be drawn twice.
#
# Stuck? `hint("d1.1.4")`
# %% exercise="d1.1.4"
def resample_edit(rows: torch.Tensor):
    """Returns an edit that sets row i of output [batch, d_layer] to row rows[i]."""
    ### BEGIN SOLUTION
    return lambda output: output[rows]
    ### END SOLUTION
# %% check="d1.1.4" points=1
check("d1.1.4", resample_edit)
# %%
predict("d1.1.p2", ..., "per cent right, digits-b, hidden layer resampled")
# %%
def draw(seed: int, rows: int = len(images)) -> torch.Tensor:
    """Returns, for each of `rows` images, the number of the image that replaces it [rows]."""
    return torch.randint(rows, (rows,), generator=torch.Generator().manual_seed(seed))


for name, network in networks.items():
    resampled = run_edited(network, "hidden", resample_edit(draw(0)), images)
    print(f"{name}, hidden layer resampled once: {percent_right(resampled):.1f} %")
# %% [markdown]
# **What you should see**: a little over 90 % for `digits-a`, and about 12 % for `digits-b`. So `digits-b` is near chance. Its hidden layer dominates the logits, and the hidden layer now describes another image.
#
# Not everything is normal in this run, though. The hidden layer comes from one image and the skip connection reads another one. That never happens on real data. Keep this in mind for d1.1.7.
#
# *Learned*: resampling tests whether the output *depends* on a layer. Whether the network could do without the layer is another question.
# %% [markdown]
# ## d1.1.5 Add a standard error
# ●●●○○ difficulty · ●●●●○ importance · 14 minutes · core
#
# Resampling draws at random, so one run gives only an estimate. Make 20 draws, and note for each draw and image whether the network was right. The result is a table `correct` [draws, rows], with one entry for each draw and each image. How different could the accuracy be if you had been given other test images?
#
# The 20 entries of one image aren't 20 independent pieces of evidence, since the network gets an easy image right in all of them. So average over the draws first, which leaves one number for each image. Then take the standard error over images. It's the standard deviation of these numbers, divided by the square root of the number of images.
#
# Write `accuracy_with_error`, which returns the accuracy and its standard error, both in per cent.
#
# Stuck? `hint("d1.1.5")`
# %% exercise="d1.1.5"
def accuracy_with_error(correct: torch.Tensor) -> tuple[float, float]:
    """Returns the accuracy and its standard error, in per cent, from answers [draws, rows]."""
    ### BEGIN SOLUTION
    per_image = 100 * correct.float().mean(dim=0)
    return per_image.mean().item(), per_image.std().item() / len(per_image) ** 0.5
    ### END SOLUTION
# %% check="d1.1.5" points=2
check("d1.1.5", accuracy_with_error)
# %% [markdown]
# Now you can make a complete results table. The functions below take lists of logits, with one entry for each draw. `drop` compares two runs on the same images. It takes the difference image by image, and then the mean of these differences and its error.
# %%
def is_right(all_logits: list[torch.Tensor]) -> torch.Tensor:
    """Returns whether each draw's answer on each image is right [draw, image]."""
    return torch.stack([logits.argmax(-1) == label for logits in all_logits])


def score(all_logits: list[torch.Tensor]) -> tuple[float, float]:
    """Returns the accuracy and its standard error, in per cent, from logits for each draw."""
    return accuracy_with_error(is_right(all_logits))


def drop(before: list[torch.Tensor], after: list[torch.Tensor]) -> tuple[float, float]:
    """Returns by how many points the accuracy falls, and the standard error over images."""
    fall = is_right(before).float().mean(0) - is_right(after).float().mean(0)
    return 100 * fall.mean().item(), 100 * fall.std().item() / len(fall) ** 0.5


def with_error(estimate: tuple[float, float]) -> str:
    """Returns an estimate as text, such as 12.6 ± 0.3."""
    return "{:.1f} ± {:.1f}".format(*estimate)
# %%
draws = [draw(seed) for seed in range(20)]
runs, results = {}, {}
for name, network in networks.items():
    runs[name] = {
        "as it is": [network(images)],
        "zero": [run_edited(network, "hidden", torch.zeros_like, images)],
        "mean": [at_mean[name]],
        "resample": [run_edited(network, "hidden", resample_edit(rows), images) for rows in draws],
    }
    results[name] = {how: score(logits) for how, logits in runs[name].items()}
gaps = {how: drop(runs["digits-a"][how], runs["digits-b"][how]) for how in runs["digits-a"]}
for how, gap in gaps.items():
    a, b = with_error(results["digits-a"][how]), with_error(results["digits-b"][how])
    print(f"{how:9} digits-a {a} %, digits-b {b} %, difference {with_error(gap)} points")
measured("d1.1.p2", *results["digits-b"]["resample"])
plot.bars(results, "The hidden layer, ablated in three ways", "test accuracy (%)", "ablation")
# %% [markdown]
# **What you should see**: one pair of networks, and three different pictures of it.
#
# | hidden layer | `digits-a` (%) | `digits-b` (%) | difference (points) |
# |---|---|---|---|
# | as it is | 97.2 ± 0.7 | 96.8 ± 0.7 | 0.3 ± 0.5 |
# | zero | 96.0 ± 0.8 | 94.2 ± 1.0 | 1.8 ± 0.7 |
# | mean | 96.3 ± 0.8 | 66.2 ± 1.9 | 30.2 ± 1.9 |
# | resample | 91.1 ± 0.8 | 12.6 ± 0.3 | 78.5 ± 0.8 |
#
# The REMIX course of Redwood Research had a similar pair of networks, trained on MNIST. The table shows the accuracies from its [instructions for day 1](https://github.com/redwoodresearch/remix_public/blob/077fcc98898bdf0757a032a7b23ff631de666c0f/remix_d1_instructions.md). They come without standard errors. Next to each of their networks is the one of ours that behaves more like it.
#
# | hidden layer | their model A (%) | `digits-b` (%) | their model B (%) | `digits-a` (%) |
# |---|---|---|---|---|
# | zero | "near random chance" | 94 | "only dropped somewhat" | 96 |
# | mean | 39 | 66 | 87 | 96 |
# | resample | 12 | 13 | 70 | 91 |
#
# Their networks are larger and were trained on other images, so compare the order of the numbers and not the numbers themselves. In the first row the two pairs behave very differently. A ★ section after d1.1.7 gives a likely reason.
#
# *Learned*: report an ablation with its kind and its standard error.
#
# > **Pair card.** Swap. The navigator asks: "Which of the three ablations would you put in a paper, and which wrong conclusion might a reader draw from each of the other two?" Explain to each other why the 20 draws of one image don't count as 20 images. *Alone:* write down, for each of the three ablations, which values replace the hidden layer.
# %% [markdown]
# ## d1.1.6 ★ One neuron at a time
# ●●○○○ difficulty · ●●●○○ importance · 13 minutes · ★
#
# If you skip this exercise, run `start_at("d1.1.7")` at d1.1.7.
#
# Why do the three ablations disagree? It helps to look at single neurons. You can narrow an edit of the whole layer to one neuron. Apply the edit, keep its column for this neuron, and leave the other 15 columns as they were.
#
# Write `only_neuron`, which narrows any edit. Call the edit on the whole output, because a mean edit returns all columns at once. Then build a new tensor. If you wrote into `output`, you'd change a tensor that other code may hold, and the mistake would show up somewhere else.
#
# Stuck? `hint("d1.1.6")`
# %% exercise="d1.1.6"
def only_neuron(edit, neuron: int):
    """Returns an edit of output [batch, d_layer] that applies `edit` to the column of a neuron."""
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
# On the test images, neuron 9 of `digits-b` is never off. Its mean activation is 4.1, with a standard deviation of 1.4. How many points of accuracy does `digits-b` lose if you set this one neuron to zero? For comparison, with all 16 neurons at zero it lost 2.7 ± 0.9 points.
# %%
predict("d1.1.p3", ..., "points lost, digits-b, neuron 9 at zero")
# %%
network = networks["digits-b"]
recorded = read_layer(network, "hidden", train["x"])
layer_edits = {
    "zero": [torch.zeros_like],
    "mean": [mean_edit(recorded)],
    "resample": [resample_edit(rows) for rows in draws],
}
lost = {}
for how, edits in layer_edits.items():
    lost[how] = {}
    for neuron in range(16):
        narrowed = [only_neuron(edit, neuron) for edit in edits]
        edited = [run_edited(network, "hidden", edit, images) for edit in narrowed]
        lost[how][f"n{neuron}"] = drop([network(images)], edited)
for neuron in ("n9", "n14"):
    print(neuron, {how: with_error(points[neuron]) for how, points in lost.items()})
measured("d1.1.p3", *lost["zero"]["n9"])
plot.bars(lost, "One neuron of digits-b, ablated in three ways", "accuracy lost (points)", "neuron")
# %% [markdown]
# **What you should see**: at zero, neuron 9 costs more than any other neuron.
#
# | points lost | zero | mean | resample |
# |---|---|---|---|
# | neuron 9 | 15.5 ± 1.5 | 0.7 ± 0.3 | 2.1 ± 0.4 |
# | neuron 14 | 12.5 ± 1.4 | 1.2 ± 0.6 | 6.0 ± 0.6 |
#
# The mean ablation of neuron 9 keeps its average and removes all that varies between images, at a cost of 0.7 points. So nearly all of the 15.5 points are the cost of removing a constant. A constant tells you nothing about an image. If you resample, neuron 14 costs the most.
#
# But one neuron at zero costs 15.5 points, and the whole layer at zero costs 2.7, neuron 9 included. How can that be? Talk about it before you run the next cell. The cell computes how much each neuron adds to each logit on average. It subtracts the mean over the ten logits, because a number added to all logits doesn't change an answer.
# %%
constant = network.out.weight * recorded.mean(dim=0)  # [digit, neuron]
constant = constant - constant.mean(dim=0)
others = constant.sum(dim=1) - constant[:, 9]
without_9 = run_edited(network, "hidden", only_neuron(torch.zeros_like, 9), images)
answers_without_9 = torch.bincount(without_9.argmax(-1), minlength=10)
truth = torch.bincount(label, minlength=10)
print("logit   neuron 9   other 15   images   answers with neuron 9 at zero")
for digit in range(10):
    added = f"{digit:5}{constant[digit, 9]:11.1f}{others[digit]:11.1f}"
    print(f"{added}{truth[digit]:9}{answers_without_9[digit]:10}")
cosine = torch.cosine_similarity(constant[:, 9], others, dim=0)
print(f"cosine of the two columns: {cosine:.2f}")
# %% [markdown]
# **What you should see**: the two columns are nearly opposite, with a cosine of −0.93. On average, neuron 9 raises logit 4 by 4.0, and the other 15 neurons lower it by 6.7. If you remove neuron 9 alone, nothing balances the other 15. Then `digits-b` answers "3" for 111 images, though only 64 show a 3, and it answers "8" for 15, though 57 show an 8. If you remove all 16 neurons, both columns are gone and there's nothing to balance. You'll find a second reason in the ★ section after d1.1.7.
#
# *Learned*: zero ablation removes a neuron's constant part too. The cost of that depends on the other neurons, so the costs of single neurons don't add up to the cost of the layer.
# %% [markdown]
# ## d1.1.7 A constant neuron and a switch
# ●●○○○ difficulty · ●●●●○ importance · 10 minutes · core
#
# How can an ablation mislead you? You can see it best in a network that's small enough to understand completely. Its hidden layer has three neurons. The first one is constant at 3. The second one is a *switch*, which is either 0 or 2. The third one is a *gauge*, which takes any value from 0 to 1. The output adds the constant, the gauge and an *alarm*, which is a function of the switch. You can read it in the cell below.
#
# On real data the alarm is 0, so the output varies only with the gauge. The switch may still carry information about the image, but the output doesn't use it.
#
# Write `damage`, which measures by how much an edit of the hidden layer changes the output. It's the mean absolute change over rows.
#
# Stuck? `hint("d1.1.7")`
# %%
def tiny(hidden: torch.Tensor) -> torch.Tensor:
    """Returns the output [batch] of the tiny network, from its hidden layer [batch, 3]."""
    constant, switch, gauge = hidden.unbind(dim=1)
    alarm = 4 * torch.relu(1 - (switch - 1).abs())
    return constant + gauge + alarm


chance = torch.rand(1000, 2, generator=torch.Generator().manual_seed(0))
tiny_hidden = torch.stack([torch.full((1000,), 3.0), 2 * (chance[:, 0] < 0.5), chance[:, 1]], dim=1)
# %% exercise="d1.1.7"
def damage(network, hidden: torch.Tensor, edit) -> float:
    """Returns the mean absolute change of the output [batch] if hidden [batch, d] is edited."""
    ### BEGIN SOLUTION
    return (network(edit(hidden)) - network(hidden)).abs().mean().item()
    ### END SOLUTION
# %% check="d1.1.7" points=1
check("d1.1.7", damage)
# %% [markdown]
# Work out your guess from the code of `tiny`. By how much does the output change if you set the switch to its mean?
# %%
predict("d1.1.p4", ..., "damage by mean ablation of the switch")
# %%
tiny_edits = {
    "zero": torch.zeros_like,
    "mean": mean_edit(tiny_hidden),
    "resample": resample_edit(draw(0, 1000)),
}
tiny_neurons = ["constant", "switch", "gauge"]
table = torch.zeros(3, 3)
for row in range(3):
    for column, edit in enumerate(tiny_edits.values()):
        table[row, column] = damage(tiny, tiny_hidden, only_neuron(edit, row))
measured("d1.1.p4", table[1, 1].item())
title = "Three neurons, three ablations"
plot.heatmap(table, tiny_neurons, list(tiny_edits), title, "damage", x="ablation", y="neuron")
# %%
switch = tiny_hidden[:, 1]
marks = {"mean": switch.mean().item()}
plot.histogram({"switch": switch}, "The switch on 1,000 rows", "activation", marks)
# %% [markdown]
# **What you should see**:
#
# | damage | zero | mean | resample |
# |---|---|---|---|
# | constant | 3.0 | 0 | 0 |
# | switch | 0 | 4.0 | 0 |
# | gauge | 0.49 | 0.26 | 0.35 |
#
# Zero ablation makes the constant look important. Mean ablation makes the switch look important, because the mean of the switch is about 1. This value never occurs, and there the alarm is at its maximum. Only resampling finds the gauge and nothing else.
#
# *Learned*: zero ablation makes constants look important, and the mean may be a value that never occurs. A resampled activation always occurs, but its combination with the rest of the network may not.
#
# > **Pair card.** Swap. The navigator asks: "Where does each replacement value come from, and has the network computed it before?" Then ask the same about the combination. If you resample only neuron 14, which images do the 16 values come from? Explain to each other for which kind of neuron zero is a fair replacement, and for which the mean is. *Alone:* sketch the histogram of a neuron for which zero, mean and resample ablation give about the same result.
# %% [markdown]
# ## The same in `digits-b` ★
#
# This section has no exercise and takes about 6 minutes. If you skip it, go on with d1.1.8.
#
# Mean ablation can mislead you in `digits-b` too. With the hidden layer at its mean, the logits are those of the skip connection plus the same ten numbers for every image. So the hidden layer has become a bias. The next cell counts the network's answers.
# %%
answers = torch.bincount(at_mean["digits-b"].argmax(-1), minlength=10)
counts = {"images": {}, "answers of digits-b": {}}
for digit in range(10):
    counts["images"][str(digit)] = float(truth[digit])
    counts["answers of digits-b"][str(digit)] = float(answers[digit])
for digit in (4, 8):
    print(f"digit {digit}: {truth[digit]} images, and {answers[digit]} answers of digits-b")
plot.bars(counts, "Answers of digits-b with its hidden layer at the mean", "test images", "digit")
# %% [markdown]
# **What you should see**: `digits-b` answers "8" for 230 of 600 images, though only 57 show an 8, and it answers "4" for just 4 images. Without the bias, the skip connection alone gets 94 % right, as you saw with the layer at zero. So the drop to 66 % comes from the bias. It doesn't measure how much information the hidden layer carries.
#
# Does this make zero ablation the right choice here? The card of a model says how it was trained, so print the relevant part. One other entry of the card answers the day's question, so please don't print the whole card yet.
# %%
print(textwrap.fill(models.load("digits-b").card["how"], 100))
for name in networks:
    print(f"{name}: training.hidden_off = {models.load(name).card['training']['hidden_off']}")
# %% [markdown]
# **What you should see**: both networks were trained with the hidden layer at zero for a share of the examples, 0.7 for `digits-a` and 0.2 for `digits-b`. So training has prepared them for exactly this ablation. We also trained `digits-b` once more by the same recipe and with the same seed, but without this step. In that network, zero ablation leaves an accuracy of 30 %. So the 94 % come from the training recipe. This may also be the reason why zero ablation looks so different in the published pair. For a network that you didn't train, zero ablation may be far from anything that the network ever computed.
# %% [markdown]
# ## d1.1.8 Noising and denoising
# ●●●○○ difficulty · ●●●●○ importance · 11 minutes · core
#
# Resampling has a direction, and there are two of them. In *noising*, you start from a clean run and put in one part of a corrupted run. You see what breaks, so you learn whether the part is necessary. In *denoising*, you start from a corrupted run and put in one part of the clean run. You see what is repaired, so you learn whether the part is enough.
#
# One function does both. Write `patch_layer`. The network runs on `base`, but the layer's output comes from a run on `source`. You can build it from `read_layer` and `run_edited`. Read the layer first, and only then start the edited run.
#
# Stuck? `hint("d1.1.8")`
# %% exercise="d1.1.8"
def patch_layer(
    network: torch.nn.Module, layer: str, base: torch.Tensor, source: torch.Tensor
) -> torch.Tensor:
    """Returns the logits [batch, 10] on base [batch, 64], with the layer's output on source."""
    ### BEGIN SOLUTION
    other = read_layer(network, layer, source)
    return run_edited(network, layer, lambda output: other, base)
    ### END SOLUTION
# %% check="d1.1.8" points=2
check("d1.1.8", patch_layer)
# %% [markdown]
# In `digits-a`, noising the hidden layer left an accuracy of 91 %. Now denoise it. Every image is replaced by another one, and only the hidden layer gets its values from the original image. An answer counts as right if it's the label of the original image.
# %%
predict("d1.1.p5", ..., "per cent right, digits-a, everything corrupted but the hidden layer")
# %%
directions = {}
for name, network in networks.items():
    noising = [patch_layer(network, "hidden", images, images[rows]) for rows in draws]
    denoising = [patch_layer(network, "hidden", images[rows], images) for rows in draws]
    directions[name] = {
        "noising: only hidden is corrupted": score(noising),
        "denoising: only hidden is clean": score(denoising),
    }
    print(name, {way: with_error(accuracy) for way, accuracy in directions[name].items()})
measured("d1.1.p5", *directions["digits-a"]["denoising: only hidden is clean"])
plot.bars(directions, "Two directions, one layer", "test accuracy (%)")
# %% [markdown]
# **What you should see**:
#
# | | noising the hidden layer (%) | denoising the hidden layer (%) |
# |---|---|---|
# | `digits-a` | 91.1 ± 0.8 | 12.7 ± 0.3 |
# | `digits-b` | 12.6 ± 0.3 | 92.9 ± 0.7 |
#
# On these images, the hidden layer of `digits-b` is necessary, and it's nearly enough. In `digits-a` it's neither, since the accuracy falls by only 6 points.
#
# Here the two directions mirror each other, but they needn't. Suppose that two layers each hold a copy of the answer, and the output can use either copy. Noising one layer then breaks nothing, and denoising one layer repairs everything. So say which direction you took whenever you report a patch.
#
# *Learned*: noising tests whether a part is necessary, and denoising tests whether it's enough.
# %% [markdown]
# ## d1.1.9 ★ A leaked hook
# ●●○○○ difficulty · ●●●●○ importance · 11 minutes · ★
#
# If you skip this exercise, run `start_at("d1.1.10")` at d1.1.10.
#
# The next cell contains a common mistake. It runs the network on images of the wrong shape and gets an error. Run it, and then run the cell below it, which measures the accuracy of this network without any edit. Compare the result with the 96.8 % of `digits-b`. Can you explain it before you read on?
# %%
victim = models.load("digits-b").module()  # a separate copy for this exercise
try:
    handle = victim.hidden.register_forward_hook(lambda layer, inputs, output: output[draw(0)])
    victim(images.reshape(600, 8, 8))  # the images should be [600, 64]
    handle.remove()
except RuntimeError as problem:
    print("RuntimeError:", problem)
# %%
print(f"digits-b, without an edit: {percent_right(victim(images)):.1f} %")
for name, layer in victim.named_children():
    print(f"hooks on {name}: {len(layer._forward_hooks)}")
# %% [markdown]
# The error came between `register_forward_hook` and `remove`, so `remove` never ran. The hook is still on the layer, and it resamples the hidden layer in every later run. You don't get a warning.
#
# Write `hooked`, which you use as `with hooked(network, "hidden", hook): ...`. It must take its own hook off, even after an error inside the block, and it must leave all other hooks on. `@contextmanager` turns a function with one `yield` into a `with` block. The `yield` marks the place where the block runs. Code under `finally:` runs after the code under `try:`, with or without an error.
#
# Stuck? `hint("d1.1.9")`
# %% exercise="d1.1.9"
@contextmanager
def hooked(network: torch.nn.Module, layer: str, hook):
    """Keeps the hook on the layer inside a `with` block, and removes it at the end of the block."""
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
print(f"before: {percent_right(victim(images)):.1f} %")
victim.hidden._forward_hooks.clear()  # the handle is lost, and no other hook is on the layer
print(f"after:  {percent_right(victim(images)):.1f} %")
# %% [markdown]
# **What you should see**: 12 % before and 97 % after, and no error in either run.
#
# Your `read_layer` and `run_edited` can leak a hook in the same way, for example if an edit raises an error. The next cell replaces both with versions that use `hooked`. They return the same values as yours.
# %%
def read_layer(network: torch.nn.Module, layer: str, x: torch.Tensor) -> torch.Tensor:
    """Returns the output [batch, d_layer] of the layer with this name, on inputs x [batch, 64]."""
    seen = []
    with hooked(network, layer, lambda layer, inputs, output: seen.append(output)):
        network(x)
    return seen[0]


def run_edited(network: torch.nn.Module, layer: str, edit, x: torch.Tensor) -> torch.Tensor:
    """Returns the logits [batch, 10] on x [batch, 64], with edit(output) as the layer's output."""
    with hooked(network, layer, lambda layer, inputs, output: edit(output)):
        return network(x)
# %% [markdown]
# *Learned*: a hook is hidden state. If you leave one on, it changes your next experiment without a warning.
#
# > **Pair card.** Swap. The navigator asks: "Suppose this hook had leaked before we made the table of d1.1.5. Which number would have made us suspicious?" Explain to each other why it's a bad idea to remove *all* hooks in a notebook that two people share. *Alone:* check that no hook is left on `networks["digits-b"]`.
# %% [markdown]
# ## d1.1.10 Resample one of two paths
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Back to the question of the day. The image reaches the logits by two paths. How much does each network rely on the *skip path alone*? To measure that, the skip path should read another image, and the hidden path should read the original one.
#
# Both paths start at the layer called `"x"`, so try a hook there. Write `skip_attempt`, which resamples the output of the layer `"x"` by `rows` and returns the logits. So far `digits-b` hardly seemed to rely on its skip. What do you expect?
#
# Stuck? `hint("d1.1.10")`
# %% exercise="d1.1.10"
def skip_attempt(network: torch.nn.Module, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Returns the logits [batch, 10], with the output of layer "x" resampled by rows [batch]."""
    ### BEGIN SOLUTION
    return run_edited(network, "x", resample_edit(rows), x)
    ### END SOLUTION
# %% check="d1.1.10" points=1
check("d1.1.10", skip_attempt)
# %%
predict("d1.1.p6", ..., "per cent right, digits-b, layer x resampled")
# %%
attempts = {}
for name, network in networks.items():
    attempts[name] = score([skip_attempt(network, images, rows) for rows in draws])
    attempt, on_other_image = skip_attempt(network, images, draw(0)), network(images[draw(0)])
    print(f"{name}: {with_error(attempts[name])} %")
    print("   equal to the logits on the other image:", torch.equal(attempt, on_other_image))
measured("d1.1.p6", *attempts["digits-b"])
# %% [markdown]
# **What you should see**: 9.7 ± 0.3 % for both networks, which is chance. The logits are exactly those of the other image. So you didn't resample the skip path. You resampled the whole input.
#
# ![On the left, a hook on x. A single orange box, x resampled, has orange arrows to hidden and to skip, which are both orange, and from there to a plus and the logits. On the right, the experiment that we want. A blue box, x, has an arrow to hidden, which is blue. An orange box, other x, has an arrow to skip, which is orange. Both go on to a plus and the logits.](diagram:one_of_two_paths)
#
# The picture shows this run on the left, and the experiment that we want on the right. A hook replaces a *value*, and everything that reads the value gets the replacement. The hidden path reads `x` too. A hook on the skip itself isn't possible either, because `x @ self.skip.T` is a line of Python and not a layer.
#
# *Learned*: a hook can only replace values that are the output of a layer. "`x`, as the skip path reads it" isn't such a value. It's a path.
# %% [markdown]
# ## d1.1.11 Two hooks for one path
# ●●●○○ difficulty · ●●●○○ importance · 14 minutes · core
#
# You can still run the experiment on the right of the picture, with two hooks at once. The first hook resamples `x` for both paths. The second hook restores the hidden path, at a layer that only the hidden path passes through.
#
# Write `skip_only`. The skip path reads image `rows[i]`, and the hidden path reads image `i`. Each `hooked(network, layer, hook)` keeps one hook on a layer inside a `with` block. You wrote it in d1.1.9 (★), or `start_at` defined it. A `with` statement can hold two of them, separated by a comma.
#
# Stuck? `hint("d1.1.11")`
# %% exercise="d1.1.11"
def skip_only(network: torch.nn.Module, x: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Returns the logits [batch, 10] if the skip path reads x[rows] and the hidden path reads x."""
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
paths, costs = {}, {}
for name, network in networks.items():
    skip_runs = [skip_only(network, images, rows) for rows in draws]
    both_runs = [skip_attempt(network, images, rows) for rows in draws]
    paths[name] = {
        "as it is": results[name]["as it is"],
        "skip path resampled": score(skip_runs),
        "hidden path resampled": results[name]["resample"],
        "both resampled": score(both_runs),
    }
    clean = runs[name]["as it is"]
    costs[name] = {
        "skip": drop(clean, skip_runs),
        "hidden": drop(clean, runs[name]["resample"]),
        "both": drop(clean, both_runs),
    }
    print(name, "loses", {path: with_error(cost) for path, cost in costs[name].items()})
plot.bars(paths, "The two paths, one at a time", "test accuracy (%)", "what is resampled")
# %% [markdown]
# **What you should see**:
#
# | points lost | skip path resampled | hidden path resampled | both |
# |---|---|---|---|
# | `digits-a` | 84.4 ± 0.7 | 6.1 ± 0.6 | 87.4 ± 0.7 |
# | `digits-b` | 3.9 ± 0.5 | 84.2 ± 0.7 | 87.1 ± 0.8 |
#
# So the answer to the day's question is *no, not for the same reasons*. On these images, `digits-a` relies on its skip path and `digits-b` on its hidden path. For comparison, REMIX reports that its model A, the one that needs its hidden layer, loses only 4 % when its skip path is resampled (in the [instructions for day 1](https://github.com/redwoodresearch/remix_public/blob/077fcc98898bdf0757a032a7b23ff631de666c0f/remix_d1_instructions.md), under "Path Patching - Results").
#
# But look at the effort. The experiment needed a layer that only the other path passes through. A network with two such blocks has four paths, and one with twelve blocks has 4,096. Each path needs its own combination of hooks that corrupt and hooks that restore. It would be easier if every path had a name, so that you could just say which one you mean. A computational graph makes this possible, and you build one in part 2.
#
# *Learned*: with hooks, you change one path by changing all of them and then restoring the others.
#
# > **Pair card.** Swap. The navigator asks: "Which run computed each of the two values that meet in the final sum?" Explain to each other which experiment of d1.1.8 gave the same accuracies as `skip_only`, and why they must be equal. *Alone:* draw the picture of d1.1.10 for the experiment in which only the hidden path reads the other image.
# %% [markdown]
# ## d1.1.12 ★ Logits add, accuracies don't
# ●●●○○ difficulty · ●●○○○ importance · 9 minutes · ★
#
# Look at the table of d1.1.11 again. In `digits-a`, the two single costs are 84.4 and 6.1 points, and together they cost 87.4. So the costs don't add up. They can't, because once the accuracy is at chance there's nothing left to lose. Is there a quantity that does add up?
#
# The two paths meet in a sum, so the logits are a sum of two terms. Each experiment replaces one term, or both. If you have the logits of three of these runs, you can compute the logits of the fourth.
#
# Write `both_from_parts`. It computes the logits with both paths resampled by the same rows. Its arguments are the clean logits and the logits of the two single experiments.
#
# Stuck? `hint("d1.1.12")`
# %% exercise="d1.1.12"
def both_from_parts(clean: torch.Tensor, skip: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
    """Returns the logits [batch, 10] with both paths resampled, from those of three other runs."""
    ### BEGIN SOLUTION
    return skip + hidden - clean
    ### END SOLUTION
# %% check="d1.1.12" points=1
check("d1.1.12", both_from_parts)
# %%
network, rows = networks["digits-a"], draw(0)
skip_run = skip_only(network, images, rows)
hidden_run = run_edited(network, "hidden", resample_edit(rows), images)
from_parts = both_from_parts(network(images), skip_run, hidden_run)
difference = (from_parts - skip_attempt(network, images, rows)).abs().max()
print(f"largest difference between the computed and the measured logits: {difference:.0e}")
# %% [markdown]
# **What you should see**: a difference of a few millionths, which is rounding. The accuracy is computed from the logits by an argmax, and an argmax isn't linear.
#
# *Learned*: effects of paths that meet in a sum add up in this sum. They needn't add up in anything computed from it by a nonlinear function.
# %% [markdown]
# ## d1.1.13 ★ A mixture with another image
# ●●○○○ difficulty · ●●○○○ importance · 8 minutes · ★
#
# How strongly does the hidden layer pull the logits towards its own answer? You can mix in another image by degrees. At a `dose` of 0 the layer keeps the activations of its own image, a dose of 1 is the resample ablation, and a dose of 0.5 is halfway between two images. Such a mixture may be something that the layer never computes for any image. So use it to compare the two networks, and don't report it as an ablation.
#
# Write `dose_edit`. The plot then shows at which dose each network starts to answer with the other image.
#
# Stuck? `hint("d1.1.13")`
# %% exercise="d1.1.13"
def dose_edit(rows: torch.Tensor, dose: float):
    """Returns an edit that mixes (1 - dose) times row i of output with dose times row rows[i]."""
    ### BEGIN SOLUTION
    return lambda output: (1 - dose) * output + dose * output[rows]
    ### END SOLUTION
# %% check="d1.1.13" points=1
check("d1.1.13", dose_edit)
# %%
doses = [0.0, 0.2, 0.4, 0.5, 0.6, 0.8, 1.0]
curves = {}
for name, network in networks.items():
    curves[name] = []
    for dose in doses:
        mixed = [run_edited(network, "hidden", dose_edit(rows, dose), images) for rows in draws]
        curves[name].append(score(mixed))
    print(name, dict(zip(doses, map(with_error, curves[name]), strict=True)))
plot.lines(doses, curves, "Another image mixed into the hidden layer", "dose", "test accuracy (%)")
# %% [markdown]
# **What you should see**:
#
# | accuracy (%) at a dose of | 0 | 0.4 | 0.6 | 0.8 | 1 |
# |---|---|---|---|---|---|
# | `digits-a` | 97.2 ± 0.7 | 96.4 ± 0.7 | 95.5 ± 0.7 | 93.9 ± 0.7 | 91.1 ± 0.8 |
# | `digits-b` | 96.8 ± 0.7 | 88.5 ± 0.8 | 60.5 ± 0.9 | 25.3 ± 0.5 | 12.6 ± 0.3 |
#
# `digits-b` keeps most of its accuracy up to a dose of 0.4 and has lost most of it at 0.8. In between, the other image takes over. `digits-a` loses 6 points in all.
#
# *Learned*: a curve over doses shows how far you have to move a layer before the answer changes.
# %% [markdown]
# ## d1.1.14 ★ How many paths are there?
# ●●●●○ difficulty · ●●●○○ importance · 15 minutes · ★
#
# You can describe a program by listing, for each value, the values that are computed from it. `readers["x"] = ["hidden", "logits"]` means that `hidden` and `logits` read `x`. A path from `start` to `end` goes from a node to one of its readers, then to a reader of that reader, and so on. If a reader is listed twice, it reads the node twice, and these are two paths.
#
# Write `count_paths`. The number of paths doubles with each block that has a skip connection, so a function that follows every path separately never finishes. The check includes a chain of 60 blocks. You need the number of paths *from each node* only once.
#
# Stuck? `hint("d1.1.14")`
# %% exercise="d1.1.14"
def count_paths(readers: dict[str, list[str]], start: str, end: str) -> int:
    """Returns the number of paths from start to end; readers has no cycle."""
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
    """Returns the readers in a chain of blocks, each with a skip connection around it."""
    readers = {}
    for i in range(blocks):
        readers[f"x{i}"] = [f"block{i}", f"x{i + 1}"]
        readers[f"block{i}"] = [f"x{i + 1}"]
    return readers


for blocks in (1, 2, 12, 60):
    print(f"{blocks:2} blocks: {count_paths(chain(blocks), 'x0', f'x{blocks}'):,} paths")
# %% [markdown]
# **What you should see**: 2, 4 and 4,096 paths, and then a number with 19 digits. You can't write hooks for each of them. You need a way to *select* paths by a description, such as "`x`, read by the skip".
#
# *Learned*: the number of paths grows exponentially, but you can count them with one visit to each node. The library that part 2 introduces uses this fact.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# Answer without looking at the page above. Each answer is one of the listed words, or a number. Write `recall = {"constant": ..., "switch": ..., "direction": ..., "logits": ..., "error": ...}`
#
# 1. `constant`: which ablation makes a constant neuron look important? Is it `"zero"`, `"mean"` or `"resample"`?
# 2. `switch`: which ablation can set a neuron with two values to a value that it never takes? Is it `"zero"`, `"mean"` or `"resample"`?
# 3. `direction`: you start from the corrupted run and put in one clean part. Is this `"noising"` or `"denoising"`?
# 4. `logits`: you resample the layer `x` of a network. Along how many paths does the original image still reach the logits? (a number)
# 5. `error`: you have 20 draws on 600 images. Over how many independent items do you take the standard error? (a number)
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
# ## Results of this part
#
# The two networks are equally accurate, to within the error. Under zero ablation of the hidden layer they look almost alike, and under resampling they're 78.5 ± 0.8 points apart. If you change one path at a time, `digits-a` turns out to rely on its skip path and `digits-b` on its hidden path. To change only the skip path you needed two hooks, and a layer that only the other path passes through, because a hook can't address a path. In part 2 you build a graph in which you can name a path and patch it in one step.
