# %% [markdown]
# # Day 5, part 1: the task and its metric
#
# **After John and Mary went to the store, John gave a drink to ...**
#
# Almost everyone completes this sentence with "Mary". So do language models, and in 2022 Wang et al. found the heads of GPT-2 small that do it. Today you look for this circuit in a model for which, as far as we know, no circuit has been published. Before you open the model, you need prompts, a number that measures how well the model does, and an honest error for that number. These three choices decide what the rest of the day can show.
#
# **After this part you can**
# - find the same role in prompts of different lengths
# - change one fact of a prompt at a time, reproducibly
# - check that two prompts can be compared position by position
# - measure the task with its error over prompts and over templates
# - separate the task from a preference for some names
#
# **Time**: about 45 minutes without the ★ exercises.
#
# **Readings**: Wang et al. 2022, *Interpretability in the Wild* ([arXiv 2211.00593](https://arxiv.org/abs/2211.00593)), sections 1 and 2. Allal et al. 2025, *SmolLM2* ([arXiv 2502.02737](https://arxiv.org/abs/2502.02737)), describes the default model. We use its smallest version, SmolLM2-135M-Instruct, with its weight matrices quantised to 4 bits.
# %% [markdown]
# ## How to read this page
#
# An id such as d5.1.5 means day 5, part 1, exercise 5. The line below an exercise's heading uses these marks.
#
# | mark | meaning |
# |---|---|
# | ●○○○○ to ●●●●● difficulty | from one line of code, to an exercise that most pairs need hints for |
# | ●○○○○ to ●●●●● importance | how much of the week builds on the exercise |
# | minutes | our estimate for a pair, with reading, predictions and the pair card |
# | core | part of the day's main path |
# | ★ | optional. If you skip it, call `start_at` with the id of your next exercise |
#
# Work in pairs at one keyboard. The *driver* types, and the *navigator* reads ahead and asks questions. After every two or three exercises there is a **pair card**. It tells you to swap, gives the navigator a question, and asks you to explain one thing to each other. If you work alone, do the part marked *Alone* instead.
#
# | call | effect |
# |---|---|
# | `check("d5.1.1", find_roles)` | tests your answer and explains the first mistake that it finds |
# | `hint("d5.1.1")` | shows a hint. Call it again for the next one. The last of the three is almost the code |
# | `solution("d5.1.1")` | prints our solution, on the second call. For a written answer it also says how yours is graded |
# | `start_at("d5.1.5")` | defines everything that the page needs from d5.1.5 on, so you can skip ahead or catch up |
# | `predict(...)` | stores your guess before an experiment. A table at the end shows guesses and results |
#
# You may open a solution at any time. It is meant for pairs that have used all hints and are still stuck, and for pairs that have passed the check and want to compare. The first call only prints a warning. The second call prints our answer, and your progress record notes that you opened it.
# %%
import math
import os
import torch
from remix_utils import Dataset, check, circuits, evaluate, hint, models, solution, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.models import smollm2
from remix_utils.models.gpt2_small import is_gpt2_small
from remix_utils.tasks import ioi

start_at("d5.1")  # to catch up: start_at("d5.1.5") defines every name that later cells use
# %% [markdown]
# ## Which model?
#
# The notebooks of this day run on any causal language model that `models.load` can read. They use SmolLM2 if it's on this machine, and otherwise `ioi-small`, which ships with the course. To use another model, set `REMIX_MODEL` before you start Lab, for example to `gpt2` or to a folder. The text names no head and quotes no figure of your model. The cells print both, with the name of the model.
#
# Every name, place and object must be a single token, so we choose them with the model's own tokenizer. Each of the 15 templates comes in both orders, ABBA (the person who receives is named first) and BABA.
# %%
usual = "smollm2" if smollm2.kept().is_file() else "ioi-small"
model = models.load(os.environ.get("REMIX_MODEL", usual))
is_gpt2 = is_gpt2_small(model)  # published figures are shown beside GPT-2-small only
encode = model.tokenizer.encode
words = {"names": ioi.names(encode), "places": ioi.places(encode), "objects": ioi.objects(encode)}
each = 4 if "REMIX_FULL" in os.environ else 1  # prompts of every template in each order
clean = ioi.balanced(each, seed=1, **words)
full_run = {}

print(f"{model.name}: {len(clean)} prompts, {len(words['names'])} names of one token")
for prompt in clean[:4]:
    print(f"{prompt.order}  {prompt.text} ...  {prompt.answer}")
# %% [markdown]
# ## d5.1.1 Roles, not positions
# ●●○○○ difficulty · ●●●●○ importance · 6 minutes · core
#
# ![The prompt "After Mary and John went to the store, John gave a drink to" with its roles. Mary is the IO, the first John is S1, the second John is S2, and the last word, "to", is END. An arrow leads from END to the next word, "Mary?".](diagram:roles)
#
# Which token is the second mention of the subject? It's at position 9 in one prompt and at position 15 in another, so the same position means different things in different prompts. A *role* means the same thing in all of them. The indirect object (IO) is the name that appears once. S1 and S2 are the first and second mentions of the subject. END is the last token, after which the model answers.
#
# Write `find_roles` for the tokens of one prompt without padding. It returns the position of each role as an integer, counted from 0 at the left.
#
# Stuck? `hint("d5.1.1")`
# %% exercise="d5.1.1"
def find_roles(tokens: torch.Tensor, io: int, s: int) -> dict[str, int]:
    """Positions of "IO", "S1", "S2" and "END" in one prompt [seq], given the tokens of both names."""
    ### BEGIN SOLUTION
    first, second = (tokens == s).nonzero()[:, 0].tolist()
    (only,) = (tokens == io).nonzero()[:, 0].tolist()
    return {"IO": only, "S1": first, "S2": second, "END": len(tokens) - 1}
    ### END SOLUTION
# %% check="d5.1.1" points=1
check("d5.1.1", find_roles)
# %% [markdown]
# `ioi.dataset` finds the roles of all prompts, and pads shorter prompts on the left. END is then position −1 in every row. Compare your roles with its columns, minus the padding.
# %%
data = ioi.dataset(clean, encode, pad=0)
row = 0
tokens = data["tokens"][row][data["mask"][row]]
padding = int((~data["mask"][row]).sum())
mine = find_roles(tokens, int(data["token.IO"][row]), int(data["token.S"][row]))
theirs = {role: int(data[f"position.{role}"][row]) - padding for role in mine}
print("yours:", mine, "\nioi.dataset:", theirs)
# %% [markdown]
# *Learned*: compare prompts by role. A position alone has no meaning across prompts.
# %% [markdown]
# ## d5.1.2 Change one thing
# ●●○○○ difficulty · ●●●●● importance · 7 minutes · core
#
# Most experiments today compare the model on two prompts that differ in one fact. Three facts can change. They are the name of the IO, the name of the subject (at both mentions or at only one), and the order of the first two names.
#
# Write `flip` for a prompt that is a dict with the entries `IO`, `S1`, `S2` and `order`. With the role `"IO"`, `"S1"` or `"S2"` it gives that entry the fresh name. `"S"` gives it to both mentions of the subject. `"order"` turns ABBA into BABA and back, and leaves every name in its role. Return a new dict and leave the one you were given unchanged, so that flips can be applied one after another.
#
# Stuck? `hint("d5.1.2")`
# %% exercise="d5.1.2"
def flip(prompt: dict[str, str], role: str, fresh: str = "") -> dict[str, str]:
    """A new prompt that differs in one fact: a name ("IO", "S", "S1", "S2") or the "order"."""
    ### BEGIN SOLUTION
    if role == "order":
        other = {"ABBA": "BABA", "BABA": "ABBA"}
        return prompt | {"order": other[prompt["order"]]}
    places = ("S1", "S2") if role == "S" else (role,)
    return prompt | dict.fromkeys(places, fresh)
    ### END SOLUTION
# %% check="d5.1.2" points=1
check("d5.1.2", flip)
# %% [markdown]
# The prompts of `ioi` have a method `flip` that does this. Its fresh names come from a seed that you pass, never from a global one, so a cell gives the same prompts every time you run it. `abc()` replaces the names at all three mentions by three different ones. No name of that sentence appears twice, so it has no right answer.
# %%
first = clean[:1]
flipped = {
    "as drawn": first,
    "another IO": first.flip("IO", seed=2),
    "another S": first.flip("S", seed=2),
    "order": first.flip("order"),
    "IO and S swapped": first.swap("IO", "S"),
    "ABC": first.abc(seed=2),
}
for name, changed in flipped.items():
    print(f"{name:18}{changed.texts[0]}")
# %% [markdown]
# *Learned*: a flip changes exactly one fact, and flips can be combined.
#
# > **Pair card.** Swap driver and navigator. The navigator asks, "Which flips change the right answer, and which don't?" Explain to each other why `flip("order")` changes the positions of the names although the answer stays the same. *Alone:* write down, for each line above, which name should come next.
# %% [markdown]
# ## d5.1.3 Can these two be compared?
# ●●●○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# When you patch an activation from one prompt into another at the same position, both prompts should be the same sentence with other names. Otherwise you also patch differences that you didn't intend. Which pairs of rows are safe?
#
# Write `comparable` for two data sets of the same shape. A row is comparable if it has the same `mask` in both, names at the same positions, and the same token at every other position. The columns `position.IO`, `position.S1` and `position.S2` give the positions of the names. The names may differ, and so may their roles, as they do after a flip of the order.
#
# Stuck? `hint("d5.1.3")`
# %% exercise="d5.1.3"
def comparable(data: Dataset, other: Dataset) -> torch.Tensor:
    """Whether each row [rows] is the same sentence in both, apart from its names."""
    ### BEGIN SOLUTION
    def at_names(data: Dataset) -> torch.Tensor:
        places = [data[f"position.{role}"] for role in ("IO", "S1", "S2")]
        return torch.zeros_like(data["mask"]).scatter(1, torch.stack(places, dim=1), True)

    named = at_names(data)
    alike = (data["tokens"] == other["tokens"]) | named
    alike = alike & (data["mask"] == other["mask"]) & (named == at_names(other))
    return alike.all(1)
    ### END SOLUTION
# %% check="d5.1.3" points=2
check("d5.1.3", comparable)
# %%
for name, changed in {"ABC": clean.abc(), "order": clean.flip("order")}.items():
    safe = comparable(data, ioi.dataset(changed, encode, pad=0))
    print(f"{name}: {int(safe.sum())} of {len(safe)} rows are comparable")
others = ioi.dataset(ioi.balanced(each, seed=2, **words), encode, pad=0)
safe = comparable(data, others)
print(f"prompts of another seed: {int(safe.sum())} of {len(safe)} rows are comparable")
# %% [markdown]
# **What you should see**: all rows are comparable after ABC and after a flip of the order. With prompts of another seed few rows are, if any, because these have other places and objects.
#
# *Learned*: before you patch from one set of prompts into another, check that they are comparable.
# %% [markdown]
# ## d5.1.4 One number per prompt
# ●●○○○ difficulty · ●●●●● importance · 6 minutes · core
#
# How well does the model do on one prompt? The probability of the right name mixes two questions, whether a name comes next at all and which of the two names it is. The *logit difference* answers only the second one. It's the logit of the IO minus the logit of the subject, at END. Log-probabilities would give the same difference, since the normaliser cancels.
#
# Write `logit_difference` for logits [rows, seq, vocabulary]. The position of END is a column of the data, because prompts may be padded on either side. The check pads on the left, on the right, and not at all.
#
# Stuck? `hint("d5.1.4")`
# %% exercise="d5.1.4"
def logit_difference(logits: torch.Tensor, data: Dataset) -> torch.Tensor:
    """The logit of token.IO minus that of token.S at position.END, for each row [rows]."""
    ### BEGIN SOLUTION
    rows = torch.arange(len(data))
    at_end = logits[rows, data["position.END"]]
    return at_end[rows, data["token.IO"]] - at_end[rows, data["token.S"]]
    ### END SOLUTION
# %% check="d5.1.4" points=1
check("d5.1.4", logit_difference)
# %% [markdown]
# In how many of these prompts does the model prefer the IO? A model that guesses gets half of them.
# %%
predict("d5.1.p1", ..., "per cent of prompts in which IO has a higher logit than S")
# %%
print(f"Evaluating {model.name} on {len(data)} prompts; this takes up to 10 seconds.")
graph = split(model.graph(seq=data["tokens"].shape[1], mask=True), "blocks.*.attn_out", "head")
values = logit_difference(evaluate(graph, data), data)
right = (values > 0).double()
measured("d5.1.p1", 100 * right.mean(), 100 * right.std() / math.sqrt(len(right)))
print(f"logit difference {values.mean():.2f}, between {values.min():.2f} and {values.max():.2f}")
if is_gpt2:
    print("published for GPT-2-small: 3.56, and IO above S in 99.3 % (Wang et al. 2022)")
# %% [markdown]
# **What you should see**: if the model gets every prompt right, the printed error is 0. This doesn't mean that the model is always right. With n right answers out of n, the share of wrong ones could still be as large as about 3/n (at 95 % confidence), which is 10 % for n = 30. In d5.4.10 you compute a proper interval.
#
# All later notebooks compute the logit difference with `circuits.logit_difference(graph)`. This node computes two logits instead of the whole vocabulary, so it's cheap to evaluate many times.
#
# *Learned*: the logit difference measures which of the two names the model prefers, and by how much.
# %% [markdown]
# ## d5.1.5 Two errors
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A mean needs an error. The usual one, the standard deviation over √n, assumes that the prompts are independent. Ours aren't. Prompts from one template share almost all their words, and some templates are easier than others. How much would the mean move if we had written 15 other templates?
#
# Write `two_errors`. It returns the mean of the values, the standard error over prompts, and the standard error over templates. For the last one, take the mean of each template first. Then compute the standard error of these means, as if each mean were one observation. Use the sample standard deviation (with n − 1) both times. In the check, every template has the same number of prompts, in a random order.
#
# Stuck? `hint("d5.1.5")`
# %% exercise="d5.1.5"
def two_errors(values: torch.Tensor, template: torch.Tensor) -> tuple[float, float, float]:
    """The mean of values [rows], its standard error over prompts, and that over templates."""
    ### BEGIN SOLUTION
    means = torch.stack([values[template == each].mean() for each in template.unique()])
    over_prompts = values.std() / math.sqrt(len(values))
    over_templates = means.std() / math.sqrt(len(means))
    return values.mean().item(), over_prompts.item(), over_templates.item()
    ### END SOLUTION
# %% check="d5.1.5" points=2
check("d5.1.5", two_errors)
# %% [markdown]
# Which of the two errors is larger for this model?
# %%
predict("d5.1.p2", ..., "error over templates, as a multiple of the error over prompts")
# %%
mean, over_prompts, over_templates = two_errors(values, data["template"])
measured("d5.1.p2", over_templates / over_prompts)
print(f"{mean:.2f} ± {over_prompts:.2f} over prompts, ± {over_templates:.2f} over templates")
full_run["task.logit_difference"] = (mean, over_prompts, over_templates)
full_run["task.io_over_s"] = two_errors(right, data["template"])
# %% [markdown]
# **What you should see**: with one prompt of each template in each order, the two errors have a similar size. Both are estimates too. Fifteen means determine their standard error only to about a fifth, so a ratio near 1 doesn't show which error is larger. With more prompts the first error shrinks towards 0. The second one doesn't, because there would still be 15 templates that differ. A claim about "this task" needs the second error. A claim about "these 15 templates" may use the first.
#
# *Learned*: an error says how much a number would change in a repetition. Say what would be drawn again, prompts or templates.
#
# > **Pair card.** Swap. The navigator asks, "If we used 1,000 prompts of a single template, which error would be tiny, and what would it tell us?" Explain to each other which error belongs to the claim "this head writes the name". *Alone:* work out how many prompts of each template would make the error over prompts half the error over templates.
# %% [markdown]
# ## d5.1.6 ★ Is it the order?
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · ★
#
# Does the model do equally well in both orders, and on every template? A mean can hide a group in which the model fails. Write `by_group`. It returns a dict from each value of the column to two numbers, the mean of the group's values and the share of them above 0. The groups come in increasing order.
#
# Stuck? `hint("d5.1.6")`
# %% exercise="d5.1.6"
def by_group(values: torch.Tensor, column: torch.Tensor) -> dict[int, tuple[float, float]]:
    """For each value of the column, the mean of its rows' values, and the share above 0."""
    ### BEGIN SOLUTION
    found = {}
    for group in column.unique().tolist():
        chosen = values[column == group]
        found[group] = (chosen.mean().item(), (chosen > 0).double().mean().item())
    return found
    ### END SOLUTION
# %% check="d5.1.6" points=1
check("d5.1.6", by_group)
# %%
for group, (average, share) in by_group(values, data["order"]).items():
    chosen = data["order"] == group
    _, _, error = two_errors(values[chosen], data["template"][chosen])
    order = ("ABBA", "BABA")[group]
    print(f"{order}: {average:.2f} ± {error:.2f} over templates, IO above S in {share:.0%}")
print("\nthe three templates with the smallest difference:")
templates = by_group(values, data["template"])
for group in sorted(templates, key=lambda each: templates[each][0])[:3]:
    average, share = templates[group]
    print(f"{average:5.2f}  {share:4.0%}  {ioi.TEMPLATES[group]}")
# %% [markdown]
# **What you should see**: compare the two orders with their errors before you call one of them harder. Each template has only a few prompts, and the three lowest of 15 noisy means are low partly by chance. Before you call a template hard, draw its prompts again with another seed.
#
# *Learned*: a mean over prompts is also a mean over groups. Look at the worst group, and at how many prompts it has.
# %% [markdown]
# ## d5.1.7 The task, or the names?
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A model may prefer "Mary" to "John" whatever the sentence says. Such a preference adds to the logit difference, and it has nothing to do with the task. How can you remove it?
#
# Swap the two names in the prompt, and read the *same* two logits as before. The right answer is now the other name. If the reading is a sum of a task and a preference, the task changes its sign and the preference stays the same. So half of the difference (clean minus swapped) is the task, and half of the sum is the preference.
#
# Write `task_and_preference` for two tensors [rows], which hold the logit of the same name minus that of the same other name. The first was read on the clean prompt, the second on the prompt with both names swapped. It returns the task and the preference of each row.
#
# Stuck? `hint("d5.1.7")`
# %% exercise="d5.1.7"
def task_and_preference(
    clean: torch.Tensor, swapped: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The part of each row's difference that follows the sentence, and the part that doesn't."""
    ### BEGIN SOLUTION
    return (clean - swapped) / 2, (clean + swapped) / 2
    ### END SOLUTION
# %% check="d5.1.7" points=1
check("d5.1.7", task_and_preference)
# %% [markdown]
# In the ABC prompts neither of our two names appears. What's the mean of the same logit difference there?
# %%
predict("d5.1.p3", ..., "mean logit difference on ABC prompts")
# %%
print(f"Evaluating {model.name} twice more; this takes up to 15 seconds.")
difference = circuits.logit_difference(graph)
answers = {name: data[name] for name in ("token.IO", "token.S")}


def read(prompts: ioi.Prompts) -> torch.Tensor:
    """Returns the difference of the clean prompts' two names on other prompts [rows]."""
    return evaluate(difference, ioi.dataset(prompts, encode, pad=0).columns | answers)


swapped, unrelated = read(clean.swap("IO", "S")), read(clean.abc())
measured("d5.1.p3", unrelated.mean(), unrelated.std() / math.sqrt(len(unrelated)))
task, preference = task_and_preference(values, swapped)
rows = {"clean": values, "ABC": unrelated, "task": task, "preference": preference}
for name, each_row in rows.items():
    mean, over_prompts, over_templates = two_errors(each_row, data["template"])
    print(f"{name:11}{mean:6.2f} ± {over_prompts:.2f} over prompts, ± {over_templates:.2f} over templates")
    full_run[f"task.{name}"] = (mean, over_prompts, over_templates)
print(f"\nspread over prompts: {values.std():.2f} clean, {task.std():.2f} for the task alone")
# %% [markdown]
# **What you should see**: the mean preference is within about two errors of 0, since each name is as likely to be drawn as the IO as it is to be drawn as the subject. So the preference hardly moves the mean, but it can add to the spread of the clean readings. Compare the two spreads in the last line. If a model has strong preferences, pairing makes the error smaller. If its preferences are weak, pairing changes little. On ABC prompts the mean is within about two errors of 0 as well, with a wide spread.
#
# What this doesn't show: the task part also contains every other effect that swaps with the names, such as a preference for the name mentioned last. Part 4 separates some of these.
#
# *Learned*: pairing each prompt with its swapped twin removes an additive preference for names.
#
# > **Pair card.** Swap. The navigator asks, "Which of our figures would change if all our names were rare?" In part 4 you replace activations by their means over ABC prompts. Explain to each other why random text would be a worse choice. *Alone:* predict the sign of the preference for "Mary" over "John", and measure it with two prompts.
# %% [markdown]
# ## d5.1.8 ★ Probability, rank, and difference
# ●●○○○ difficulty · ●●○○○ importance · 8 minutes · ★
#
# Papers also report the probability of the right name, and how often it's the model's first choice. Write `other_metrics` for the logits at END [rows, vocabulary] and the tokens of the right names. It returns three numbers. They are the mean probability of the right name, the share of rows in which it has the highest logit of the whole vocabulary, and the share of rows in which it has one of the five highest.
#
# Stuck? `hint("d5.1.8")`
# %% exercise="d5.1.8"
def other_metrics(at_end: torch.Tensor, answers: torch.Tensor) -> tuple[float, float, float]:
    """Mean probability of the answer, and the shares in which it's first and in the first five."""
    ### BEGIN SOLUTION
    right = at_end.gather(1, answers[:, None])
    rank = (at_end > right).sum(1)
    probability = at_end.softmax(-1).gather(1, answers[:, None]).mean().item()
    first, fifth = ((rank < most).double().mean().item() for most in (1, 5))
    return probability, first, fifth
    ### END SOLUTION
# %% check="d5.1.8" points=1
check("d5.1.8", other_metrics)
# %%
at_end = evaluate(graph, data)[:, -1]
probability, first, fifth = other_metrics(at_end, data["token.answer"])
print(f"probability {probability:.2f}, first choice {first:.0%}, in the first five {fifth:.0%}")
# %% [markdown]
# *Learned*: the logit difference can be large while the probability is small, because other words can share the probability.
# %% [markdown]
# ## What the full run says
#
# Unless you set `REMIX_FULL`, this notebook used one prompt of each template in each order. We ran the same code once with four, on SmolLM2. The figures of that run ship with the course, and this cell prints them if SmolLM2 is your model.
# %%
stored = smollm2.measured() if model.name == "smollm2" else {}
for name, (value, over_prompts, over_templates) in stored.items():
    if name.startswith("task."):
        print(f"{name:24}{value:6.2f} ± {over_prompts:.2f} over prompts, ± {over_templates:.2f} over templates")
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# Answer from memory, without scrolling up. Give a number or one of the listed options in `recall = {"end": ..., "order": ..., "error": ..., "preference": ...}`.
# - `end`: at which position is END in every row of `ioi.dataset(..., pad=0)`?
# - `order`: does a flip of the order change the right answer? `"yes"` or `"no"`
# - `error`: which error belongs to a claim about the task with any template, the one over `"prompts"` or the one over `"templates"`?
# - `preference`: the same two logits differ by 5 on a clean prompt and by −3 with the names swapped. How large is the preference?
#
# Stuck? `hint("d5.1.quiz")`
# %% exercise="d5.1.quiz"
### BEGIN SOLUTION
recall = {"end": -1, "order": "no", "error": "templates", "preference": 1}
### END SOLUTION
# %% check="d5.1.quiz" points=2
check("d5.1.quiz", recall)
# %%
predictions("d5")
# %% [markdown]
# ## What you have
#
# You have prompts whose facts you can change one at a time, a number for each prompt, and two errors for each mean. You also know how much of this number is a preference for names. Part 2 asks where in the model the number comes from.
