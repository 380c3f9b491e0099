# %% [markdown]
# # Day 3, part 3: what it can and cannot tell you
#
# **When may you say that you understand it?**
#
# In part 2 a hypothesis about the induction heads recovered most of the loss. Does that make it true? A false hypothesis can score high as well. The data may lack the cases that refute it, its errors may cancel in the mean, or its features may contain the answer. In this part you produce each of these failures on models that you know, and you learn which second number reveals it. Then you work out how many rows a test needs, and what a test is worth after twenty tries.
#
# **After this part you can**
# - give a false hypothesis that is accepted, and name data that would refute it;
# - report the rises and the falls that a recovered share hides;
# - recognise a feature that contains the answer, and two features that are one claim;
# - predict how many rows a test needs, and check the prediction;
# - correct for the number of hypotheses that were tried;
# - write a sentence about a mechanism that contains its own limits.
#
# **Time**: about 105 minutes without the ★ exercises.
#
# **Readings**: Scheurer et al. 2023, *Practical Pitfalls of Causal Scrubbing* ([lesswrong.com](https://www.lesswrong.com/posts/DFarDnQjMnjsKvW8s/practical-pitfalls-of-causal-scrubbing)), for d3.3.2 and d3.3.5. The section on limitations in Chan et al. 2022, *Causal Scrubbing* ([alignmentforum.org](https://www.alignmentforum.org/posts/JvZhhzycHu2Yd57RN/causal-scrubbing-a-method-for-rigorously-testing)), for d3.3.9.
# %%
from functools import reduce
from itertools import combinations
from math import ceil, factorial, prod
from operator import or_

import torch
from remix_utils import (
    Dataset,
    Exact,
    Interp,
    Matching,
    Uniform,
    add,
    at,
    check,
    evaluate,
    find_one,
)
from remix_utils import hint, index, models, placeholder, plot, scrub, solution, split, start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.data import feature
from remix_utils.tasks import parens, repeated, stories, text

start_at("d3.3")  # to catch up: start_at("d3.3.6") defines every name that later cells use
# %% [markdown]
# ## Two texts and one model
#
# As in part 2, the model is `induction-2l`. The first text is 40 generated *stories*, in rows of 300 tokens. As in part 2, the loss is averaged over candidates only. These are the places where the current token has occurred before and where, for this token, the guess of an induction head is right at least half of the time on other stories. The second text is a sequence of 25 *random tokens* followed by its copy. There the loss is averaged over the second copy without its first token. All losses are in nats. The next two cells only prepare these data, so it's enough to read their docstrings.
# %%
model = models.load("induction-2l")
SEQ, LENGTH, ROWS = 300, 25, 40


def story_rows(seed: int) -> torch.Tensor:
    """Returns stories as tokens [100, SEQ]."""
    document = "\n\n".join(stories.tell(80, seed=seed))
    return text.sequences(document, model.tokenize, seq=SEQ, start=0, least=100)["tokens"][:100]


def guesses(tokens: torch.Tensor) -> torch.Tensor:
    """Returns the token that followed the last occurrence of each token, or -1 [row, seq - 1]."""
    earlier = (tokens[:, :, None] == tokens[:, None, :]).tril(-1) * torch.arange(1, SEQ + 1)
    followed = tokens.gather(1, earlier.amax(-1).clamp(max=SEQ - 1))
    return torch.where(earlier.any(-1), followed, -1)[:, :-1]


def candidate_tokens(tokens: torch.Tensor) -> torch.Tensor:
    """Returns the tokens after which the guess is right at least every other time."""
    now, guess, after = tokens[:, :-1], guesses(tokens), tokens[:, 1:]
    asked, right = (now[where].bincount(minlength=1024) for where in (guess >= 0, guess == after))
    return ((asked >= 10) & (2 * right >= asked)).nonzero()[:, 0]
# %%
def nats(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the loss of every token but the first [draws, seq - 1]."""
    return -logits[:, :-1].log_softmax(-1).gather(-1, reference["tokens"][:, 1:, None])[..., 0]


def at_places(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the loss at the places that count [draws]; its mean is that over places."""
    return (nats(logits, reference) * reference["weight"]).sum(1)


rows = story_rows(seed=2)[:ROWS]
places = torch.isin(rows[:, :-1], candidate_tokens(story_rows(seed=3))) & (guesses(rows) >= 0)
second_copy = (torch.arange(2 * LENGTH) > LENGTH).expand(100, -1)
twice = repeated.draw(100, LENGTH, range(1, 1024), start=0, seed=0)["tokens"]
settings = {
    "stories": Dataset(tokens=rows, weight=places * len(places) / places.sum()),
    "random tokens": Dataset(tokens=twice, weight=second_copy / second_copy[0].sum()),
}
graphs = {
    name: split(model.graph(seq=data["tokens"].shape[1]), "blocks.*.attn_out", "head")
    for name, data in settings.items()
}
# %% [markdown]
# ## d3.3.1 Is head 1.1 idle?
# ●●○○○ difficulty · ●●●●● importance · 12 minutes · core
#
# On day 2 you found two induction heads, 1.1 and 1.3. So you know that the claim "head 1.1 is idle, the model doesn't use it" is false. As a hypothesis, this claim lets head 1.1 read any text and keeps the rest of the model on the reference. Does a scrub reject it?
#
# Write `idle` for any number of heads. All listed heads read the same other text, from one draw, and everything else reads the reference. After the split, the output of head 1.3 is the node `blocks.1.attn.head.3.out`. `reduce(or_, selectors)` joins several selectors into one. The check uses models of 2 layers with 2 and 3 heads.
#
# Stuck? `hint("d3.3.1")`
# %% exercise="d3.3.1"
def idle(*heads: tuple[int, int]) -> Interp:
    """Returns the hypothesis that the heads (layer, head) carry nothing, and all else matters."""
    ### BEGIN SOLUTION
    outputs = [at(f"blocks.{layer}.attn.head.{head}.out") for layer, head in heads]
    nothing = Interp("idle", reduce(or_, outputs), Uniform())
    return Interp("logits", at("logits"), Exact(), [nothing], others=Exact())
    ### END SOLUTION
# %% check="d3.3.1" points=2
check("d3.3.1", idle)
# %% [markdown]
# The baseline lets both induction heads read another text. This baseline is 0 %, and the model is 100 %. Before you run the scrub, guess how the claim does on each of the two texts.
# %%
predict("d3.3.p1", ..., "per cent that '1.1 is idle' recovers at the candidates of the stories")
# %%
predict("d3.3.p2", ..., "nats that '1.1 is idle' costs on the second copy of random tokens")
# %%
claims = {
    "model": Interp("logits", at("logits"), Exact()),
    "1.1 idle": idle((1, 1)),
    "1.3 idle": idle((1, 3)),
    "both idle": idle((1, 1), (1, 3)),
}
results = {
    name: scrub(graphs[name], claims, data, n=len(data["tokens"]), seed=0, metric=at_places)
    for name, data in settings.items()
}


def per_cent(share) -> str:
    """Returns a share with its standard error, in per cent."""
    return f"{round(100 * share, 1) + 0.0:.1f} ± {100 * share.se:.1f} %"  # + 0.0 takes -0.0 to 0.0


def print_recovered(setting: str) -> None:
    """Prints the loss and the recovered share of each claim."""
    found = results[setting]
    for name, result in found.items():
        share = per_cent(result.recovered(found["model"], found["both idle"]))
        print(
            f"{setting:14}{name:10} loss {result.mean:6.2f} ± {result.se:.2f}   recovered {share}"
        )


print_recovered("stories")
print_recovered("random tokens")
on_stories, on_random = results["stories"], results["random tokens"]
share = on_stories["1.1 idle"].recovered(on_stories["model"], on_stories["both idle"])
cost = on_random["1.1 idle"].per_example - on_random["model"].per_example
measured("d3.3.p1", 100 * share, 100 * share.se)
measured("d3.3.p2", cost.mean(), cost.std() / len(cost) ** 0.5)
# %% [markdown]
# **What you should see**: on the stories "1.1 is idle" recovers 82 ± 1 %. The bar in part 2 was 80 %, so this false claim would have been accepted. On the second copy of random tokens the same claim costs 4.12 ± 0.08 nats. The loss of the model there is only 0.27 ± 0.02.
#
# The two heads are partly redundant. On the stories 1.3 alone recovers most of the effect of the pair, and these data have too few places that need both heads. Look at the baseline as well. With both heads idle, the loss on random tokens is 14.6 ± 0.3 nats, because the heads then predict tokens of another row with high confidence. Relative to such a poor baseline, a cost of 4.12 nats still leaves a share of 71 %.
#
# *Learned*: a scrub tests a claim on the data that you give it. A high share means only that these data didn't refute the claim.
# %% [markdown]
# ## d3.3.2 Errors that cancel
# ●●○○○ difficulty · ●●●●● importance · 10 minutes · core
#
# The recovered share compares two means. If a scrub makes some examples better and others worse, the mean shows only the difference. In Scheurer et al. 2023, such cancellation is one of the ways in which a false hypothesis passes. How can you see it?
#
# ![Two panels with the loss of four examples each, clean above and scrubbed below. The clean losses are 2, 3, 1 and 2, with mean 2. In the left panel, a claim that is true, the scrubbed losses are the same. In the right panel, a claim that is false, the scrubbed losses are 3, 2, 0 and 3. Two examples rise by 1 and two fall by 1, so the mean is again 2.](diagram:two_equal_means)
#
# In the picture, losses that rise are orange and losses that fall are green. The *rise* is the mean over all examples of the increase, where an example without an increase counts as 0. The *fall* is the same for the decrease. Rise minus fall is the change of the mean. Rise plus fall is the mean error at each example, which can't cancel. Write `rise_and_fall` for values of any shape, such as [draws] or [draws, seq].
#
# Stuck? `hint("d3.3.2")`
# %% exercise="d3.3.2"
def rise_and_fall(scrubbed: torch.Tensor, clean: torch.Tensor) -> tuple[float, float]:
    """Returns the mean rise and the mean fall from clean to scrubbed values, both at least 0."""
    ### BEGIN SOLUTION
    change = scrubbed - clean
    return change.relu().mean().item(), (-change).relu().mean().item()
    ### END SOLUTION
# %% check="d3.3.2" points=2
check("d3.3.2", rise_and_fall)
# %% [markdown]
# The next model, `parens`, decides whether a string of parentheses is balanced. Tomorrow you study how it works. Here you need only one fact about it. The difference of its two logits is far above zero for some strings and far below zero for the others. The claim is "the logits depend on nothing", so every output comes from a random string. The metric is the logit difference.
# %%
predict(
    "d3.3.p3",
    ...,
    "mean logit difference if every output comes from a random string (the model has -6.4)",
)
# %%
checker = models.load("parens")
strings = parens.draw(3000, seed=5, part="held-out")
checker_graph = split(checker.graph(seq=parens.LENGTH, mask=True), "blocks.*.attn_out", "head")


def difference(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the logit of balanced minus that of unbalanced [draws]."""
    return logits[:, 1] - logits[:, 0]


def cross_entropy(logits: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the loss on the label of the reference, in nats [draws]."""
    return -logits.log_softmax(-1).gather(-1, reference["label"][:, None])[:, 0]


metrics = {"difference": difference, "loss": cross_entropy}
ends = {
    "model": Interp("logits", at("logits"), Exact()),
    "another string": Interp("logits", at("logits"), Uniform()),
}
swapped = scrub(checker_graph, ends, strings, n=2000, seed=0, metric=metrics)
# %%
def print_rise_and_fall(metric: str) -> None:
    """Prints what exchanging every string does to a metric."""
    clean, scrubbed = (swapped[name][metric] for name in ends)
    rise, fall = rise_and_fall(scrubbed.per_example, clean.per_example)
    errors = (scrubbed.per_example - clean.per_example).abs()
    print(
        f"{metric}: model {clean.mean:.2f} ± {clean.se:.2f},",
        f"another string {scrubbed.mean:.2f} ± {scrubbed.se:.2f}",
    )
    print(
        f"    rise {rise:.2f}, fall {fall:.2f}, change of the mean {rise - fall:.2f},",
        f"error {rise + fall:.2f} ± {errors.std() / len(errors) ** 0.5:.2f}",
    )


print_rise_and_fall("difference")
print_rise_and_fall("loss")
measured(
    "d3.3.p3",
    swapped["another string"]["difference"].mean,
    swapped["another string"]["difference"].se,
)
# %% [markdown]
# A loss is safer than a logit difference, since a wrong answer always raises it. Can a loss hide anything? Look at the first copy and the second copy of the random tokens separately.
# %%
random_data = settings["random tokens"]
outputs = evaluate(
    {name: each.graph for name, each in results["random tokens"].items()}, random_data
)
order = results["random tokens"]["model"].rows["reference"]
losses = {name: nats(logits, random_data[order]) for name, logits in outputs.items()}


def print_copy(copy: str, where: slice) -> None:
    """Prints rise and fall in one copy, and the change of the mean ± its error over rows."""
    for name in ("1.1 idle", "1.3 idle"):
        new, old = losses[name][:, where], losses["model"][:, where]
        rise, fall = rise_and_fall(new, old)
        change = (new - old).mean(1)
        print(
            f"{copy}, {name}: rise {rise:.3f}, fall {fall:.3f},",
            f"change {change.mean():+.3f} ± {change.std() / len(change) ** 0.5:.3f}",
        )


print_copy("first copy", slice(0, LENGTH))
print_copy("second copy", slice(LENGTH + 1, None))
# %% [markdown]
# **What you should see**: if every output comes from a random string, the mean logit difference is −6.8 ± 0.3. The model has −6.4 ± 0.3, so the mean can't reject even this claim. The error at each example is 10.4 ± 0.3 logits, from a rise of 5.0 and a fall of 5.4. The loss does reject the claim. It rises from 0.00 to 5.05 ± 0.14 nats, because a loss of almost 0 can't fall.
#
# On random tokens the loss can fall. In the first copy nothing repeats, so an induction head has nothing correct to copy. With 1.3 idle the loss of the first copy *falls* by 0.073 ± 0.017 nats. A mean over all positions would subtract this gain from the damage in the second copy.
#
# *Learned*: report rise and fall, or the error at each example, beside every recovered share. If the share is near 100 % and the error is large, errors have cancelled.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "On which examples did the loss fall?" Explain to each other why no errors can cancel in the mean loss of a model whose loss is 0. *Alone:* write down a metric for day 2's attention scores whose mean could hide errors in the same way.
# %% [markdown]
# ## d3.3.3 The feature that contains the answer
# ●●○○○ difficulty · ●●●●● importance · 11 minutes · core
#
# A string is balanced if it passes two *horizon tests*. From the right end, no suffix may hold more opening than closing parentheses. From the left end, no prefix may hold more closing than opening ones. You may claim that the last layer's heads, 2.0 and 2.1, depend on the string only through some feature of it. One such feature is the label itself. But if a model answers correctly, its output depends on the label, whatever happens inside. So what do you learn from this claim?
#
# Before you run any model, you can ask of a feature *how often you would give the right answer if you knew only this feature of a string*. Write `answer_in`. For each value of the feature, your guess is the most common answer among the rows with this value. Return the share of all rows for which the guess is right. Features and answers may take any number of values.
#
# Stuck? `hint("d3.3.3")`
# %% exercise="d3.3.3"
def answer_in(labels: torch.Tensor, answers: torch.Tensor) -> float:
    """Returns the share of rows whose answer is the most common one among rows with their label."""
    ### BEGIN SOLUTION
    right = 0
    for label in labels.unique():
        right += answers[labels == label].unique(return_counts=True)[1].max().item()
    return right / len(labels)
    ### END SOLUTION
# %% check="d3.3.3" points=2
check("d3.3.3", answer_in)
# %% [markdown]
# The table makes two claims with each feature. The *late* claim says that heads 2.0 and 2.1 come from one row that agrees with the reference on the feature. The rest of the model reads the reference. The *whole* claim says that the logits as a whole come from a row that agrees. The last column shows how much each claim leaves free at the output of 2.0. As in part 2, 0 means that the output stays as it is, and 1 means that it changes as much as for a random string.
# %%
FEATURES = {
    "nothing": lambda data: torch.zeros(len(data)),
    "count": lambda data: data["count_ok"],
    "right horizon": lambda data: data["horizon_ok"],
    "left horizon": lambda data: data["left_ok"],
    "both horizons": lambda data: 2 * data["horizon_ok"].long() + data["left_ok"].long(),
    "label": lambda data: data["label"],
}
late_heads = checker.head(2, 0) | checker.head(2, 1)


def late(agree) -> Interp:
    """Returns the claim that heads 2.0 and 2.1 come from one row that agrees on a feature."""
    heads = Interp("late heads", late_heads, Matching(feature(agree)))
    return Interp("logits", at("logits"), Exact(), [heads], others=Exact())


def whole(agree) -> Interp:
    """Returns the claim that the logits come from a row that agrees on a feature."""
    return Interp("logits", at("logits"), Matching(feature(agree)))


def roles(*names: str) -> Interp:
    """Returns the claim that 2.0 depends on the first feature, and 2.1 on the second."""
    heads = [
        Interp(f"2.{head}", checker.head(2, head), Matching(feature(FEATURES[name])))
        for head, name in enumerate(names)
    ]
    return Interp("logits", at("logits"), Exact(), heads, others=Exact())
# %%
claimed = {
    f"{make.__name__}, {name}": make(agree)
    for make in (late, whole)
    for name, agree in FEATURES.items()
}
separate = {
    "roles": roles("right horizon", "left horizon"),
    "swapped": roles("left horizon", "right horizon"),
}
tried = scrub(
    checker_graph, ends | claimed | separate, strings, n=2000, seed=0, metric=cross_entropy
)


def recovered(name: str) -> str:
    """Returns the share that a claim recovers, in per cent."""
    return per_cent(tried[name].recovered(tried["model"], tried["another string"]))


def print_claims(*names: str) -> None:
    """Prints for each claim the answer in its feature, the recovered share, and what is free."""
    for name in names:
        contained = answer_in(FEATURES[name.split(", ")[1]](strings), strings["label"])
        free = tried[name].moved(checker.head(2, 0), tried["another string"])
        print(f"{name:22}{contained:13.1%}   {recovered(name):>14}   {free:.2f} ± {free.se:.2f}")


print("claim                 answer in it        recovered   free at 2.0")
print_claims(*claimed)
print("\na row for each head, which agrees on one horizon")
print("2.0 right, 2.1 left:", recovered("roles"), "recovered")
print("2.0 left, 2.1 right:", recovered("swapped"), "recovered")
# %% [markdown]
# **What you should see**: one test alone contains 86 to 88 % of the answers. The guess "unbalanced" for every string is right for 73 %. Each claim with one test recovers between 53 and 80 %. The two horizons together contain every answer, and so does the label. All four claims with these two features recover 100.0 %. Even "late, nothing" recovers 35 ± 2 %, because the rest of the model still reads the reference.
#
# The claim "whole, label" says that the logits depend on the string only through its label. For a model that makes no errors this is close to true, whatever happens inside. The claim leaves 0.80 ± 0.03 free at the output of 2.0, so the share left free doesn't reveal the problem either. The first column does, with 100 %.
#
# Compare the last two lines. There each head reads a row of its own, and neither head's feature contains more than 87 % of the answers. With the right horizon for 2.0 and the left one for 2.1, 95.4 ± 0.5 % are recovered. With the two horizons exchanged, only 65.5 ± 1.6 % are recovered. So this claim isn't exactly true, but it describes how the two heads divide the work. The claims that recover 100 % don't.
#
# *Learned*: before you believe a score, compute how much of the answer the features contain.
# %% [markdown]
# ## d3.3.4 Above 100 %
# ●●●○○ difficulty · ●●●○○ importance · 10 minutes · core
#
# A share above 100 % means that the loss of the scrubbed model is *lower* than the loss of the model. How can this be, if a scrub only removes information? One part of the model may do harm on these data. If the hypothesis frees this part, the loss falls.
#
# The toy below should return `a`, the first of its two inputs. Its part `loud` writes 1.5 `a` and its part `again` writes 0.5 `a`, so the sum is too large. A third part, `noise`, adds a little of the other input. Write a hypothesis about `toy` that recovers more than 105 %. In the baseline every output comes from a random row. The check computes the share exactly, over all rows, and accepts every hypothesis with such a share.
#
# Stuck? `hint("d3.3.4")`
# %%
pair = placeholder("x", (2,))
loud = add(index(pair, 0), weights=[1.5], name="loud")
again = add(index(pair, 0), weights=[0.5], name="again")
noise = add(index(pair, 1), weights=[0.1], name="noise")
toy = add(loud, again, noise, name="output")
toy_data = Dataset(x=torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])))


def overshoot(output: torch.Tensor, reference: Dataset) -> torch.Tensor:
    """Returns the squared error [draws]: the toy should return a."""
    return (output - reference["x"][:, 0]) ** 2
# %% exercise="d3.3.4"
def better_than_the_model() -> Interp:
    """Returns a hypothesis about `toy` that recovers more than 105 %."""
    ### BEGIN SOLUTION
    freed = Interp("again", at("again"), Uniform())
    return Interp("output", at("output"), Exact(), [freed], others=Exact())
    ### END SOLUTION
# %% check="d3.3.4" points=2
check("d3.3.4", better_than_the_model)
# %%
toy_claims = {
    "model": Interp("output", at("output"), Exact()),
    "everything": Interp("output", at("output"), Uniform()),
    "yours": better_than_the_model(),
}
exact = scrub(toy, toy_claims, toy_data, "all", metric=overshoot)
share = exact["yours"].recovered(exact["model"], exact["everything"])
losses_of_toy = {name: round(result.mean, 2) for name, result in exact.items()}
print("loss:", losses_of_toy, f"recovered: {share:.1%}")
# %% [markdown]
# Does this happen in a trained model? Layer 1 of `induction-2l` has six heads beside the two induction heads. On the second copy of random tokens only an induction head can know the next token. The next cell frees each of the six heads in turn.
# %%
others_idle = {f"1.{head} idle": idle((1, head)) for head in (0, 2, 4, 5, 6, 7)}
looked_at = scrub(
    graphs["random tokens"], claims | others_idle, random_data, n=100, seed=0, metric=at_places
)


def print_changes(found: dict, *names: str) -> None:
    """Prints how each claim changes the loss, and what it recovers."""
    for name in names:
        change = found[name].per_example - found["model"].per_example
        share = found[name].recovered(found["model"], found["both idle"])
        print(
            f"{name}: {change.mean():+.3f} ± {change.std() / len(change) ** 0.5:.3f} nats,", end=" "
        )
        print(f"recovered {100 * share:.2f} ± {100 * share.se:.2f} %")


print_changes(looked_at, *others_idle)
# %% [markdown]
# The gain is largest for 1.7. This head was chosen because it is the best of six, which makes its gain look too large. So measure it again on new rows.
# %%
fresh = repeated.draw(400, LENGTH, range(1, 1024), start=0, seed=1)["tokens"]
fresh_data = Dataset(tokens=fresh, weight=(second_copy / second_copy[0].sum())[:1].expand(400, -1))
again_idle = {"1.7 idle": idle((1, 7)), "1.5 and 1.7 idle": idle((1, 5), (1, 7))}
judged = scrub(
    graphs["random tokens"], claims | again_idle, fresh_data, n=400, seed=0, metric=at_places
)
print(f"on new rows, where the model's loss is {judged['model'].mean:.3f} nats:")
print_changes(judged, *again_idle)
# %% [markdown]
# **What you should see**: the loss of the toy falls from 1.01 to 0.51, and 112.5 % are recovered. If `again` reads a random row, the sum without the noise is 2 `a` for half of the draws and exactly `a` for the other half.
#
# In `induction-2l`, head 1.7 does some harm on random tokens. On 400 new rows the loss is lower by 0.025 ± 0.005 nats if 1.7 reads another text. This is a tenth of the model's loss. The recovered share is only 100.17 ± 0.03 %, because its unit is the distance of more than 14 nats to the baseline. On the 100 rows on which 1.7 was chosen, the gain was 0.040 ± 0.009 nats. If 1.5 is freed as well, the gain is 0.006 ± 0.007 nats, so the gains of the two heads don't add up.
#
# *Learned*: a share above 100 % isn't a sign of an excellent hypothesis. It is evidence that some part does harm on these data, and a reason to look for this part.
# %% [markdown]
# ## d3.3.5 Two algorithms, one claim
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# One program checks that there are as many opening as closing parentheses, and then runs the horizon test from the right. Another program runs the horizon test from each end. Both programs return the label of every string, so they are *extensionally equal*. Any row that agrees with the reference on the result of one program also agrees on the result of the other. Can a scrub tell the two programs apart?
#
# A draw uses a feature only to ask whether two rows have the same value. So two features make the same claim if they group the rows in the same way, whatever the values are. Write `same_partition`. The labels [rows] may be booleans, integers or floats.
#
# Stuck? `hint("d3.3.5")`
# %% exercise="d3.3.5"
def same_partition(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Returns whether two features [rows] agree on which pairs of rows have equal values."""
    ### BEGIN SOLUTION
    return torch.equal(one[:, None] == one, other[:, None] == other)
    ### END SOLUTION
# %% check="d3.3.5" points=2
check("d3.3.5", same_partition)
# %% [markdown]
# The next cell has seven features of a string. The first three are the results of whole programs, one bit each. The next two keep the results of both tests of a program. The last two look at the left end, and one of them only reads the first parenthesis.
# %%
predict(
    "d3.3.p4",
    ...,
    "pairs of the seven features that are one claim on all strings up to length 10 (of 21 pairs)",
)
# %%
PROGRAMS = {
    "count, then right": lambda data: data["count_ok"] & data["horizon_ok"],
    "left, then right": lambda data: data["left_ok"] & data["horizon_ok"],
    "label": lambda data: data["label"],
    "(count, right)": lambda data: 2 * data["count_ok"].long() + data["horizon_ok"].long(),
    "(left, right)": lambda data: 2 * data["left_ok"].long() + data["horizon_ok"].long(),
    "left horizon": lambda data: data["left_ok"],
    "starts with (": lambda data: data["starts_open"],
}


def one_claim(longest: int) -> list[str]:
    """Returns the pairs of features that are one claim on all strings up to a length."""
    labels = [program(parens.every(longest)) for program in PROGRAMS.values()]
    pairs = combinations(zip(PROGRAMS, labels, strict=True), 2)
    return [
        f"{one} = {other}"
        for (one, first), (other, second) in pairs
        if same_partition(first, second)
    ]


print("up to length 2:", *one_claim(2), sep="\n    ")
print("up to length 10:", *one_claim(10), sep="\n    ")
measured("d3.3.p4", len(one_claim(10)))
# %% [markdown]
# **What you should see**: on all 1,364 strings of even length up to 10 there are three pairs, made of the two programs and the label. Since the three agree on every string, no claim that draws rows by the final result can separate the two programs, on any data. If the results of both tests are kept, as in the fourth and fifth feature, the partitions differ. So a claim about an *intermediate* value can separate the programs. Tomorrow you make such claims.
#
# On the four strings of length 2 there are five pairs. There, "starts with (" and the left horizon test also group the strings in the same way. They are different claims, but four strings are too few to show it.
#
# *Learned*: features with the same partition make the same claim. To separate two algorithms, look for a node whose value differs between them, or for other data.
#
# > **Pair card.** Swap. The navigator asks: "Are these two features the same claim, or are there too few strings to separate them?" Explain to each other why more strings can separate two features but can never make different partitions equal. *Alone:* find the shortest string on which "starts with (" and the left horizon test disagree.
# %% [markdown]
# ## d3.3.6 How many rows does it take?
# ●●○○○ difficulty · ●●●●● importance · 8 minutes · core
#
# If a claim wasn't rejected, it may be true, or the test may have been too small. The *power* of a test is the probability that it rejects a claim that is wrong by a given amount. You can estimate the power from a small pilot before you run the test.
#
# We reject "this claim costs nothing" if the mean cost of n rows lies more than 1.96 standard errors above 0. Suppose that the costs in the pilot have mean m and sample standard deviation s, as `std()` gives it. The test statistic is the mean cost of n new rows divided by its standard error. It is approximately normal with mean m √n / s and standard deviation 1. The power is the probability that the statistic exceeds 1.96. For a power of 80 %, its mean must be 1.96 + 0.84.
#
# Write `rows_needed`, which returns the smallest n with at least the given power. The mean of the costs is positive. `torch.distributions.Normal(0, 1).icdf(...)` gives 0.84 for a tensor with 0.8.
#
# Stuck? `hint("d3.3.6")`
# %% exercise="d3.3.6"
def rows_needed(costs: torch.Tensor, power: float) -> int:
    """Returns how many rows detect a cost like that of the pilot [rows] with this power."""
    ### BEGIN SOLUTION
    above = torch.distributions.Normal(0, 1).icdf(torch.tensor(power, dtype=torch.float64))
    return ceil(((1.96 + above) * costs.std() / costs.mean()) ** 2)
    ### END SOLUTION
# %% check="d3.3.6" points=2
check("d3.3.6", rows_needed)
# %% [markdown]
# The pilots of 200 rows test two wrong claims about `parens` from d3.3.3. The first is "heads 2.0 and 2.1 depend on the right horizon". The second is `roles`, with the right horizon for 2.0 and the left one for 2.1.
# %%
wrong_claims = {
    "model": ends["model"],
    "right horizon": late(FEATURES["right horizon"]),
    "roles": roles("right horizon", "left horizon"),
}


def costs_of(n: int, seed: int) -> dict[str, torch.Tensor]:
    """Returns the cost of each wrong claim at n draws, in nats [n]."""
    found = scrub(checker_graph, wrong_claims, strings, n=n, seed=seed, metric=cross_entropy)
    return {
        name: found[name].per_example - found["model"].per_example
        for name in list(wrong_claims)[1:]
    }


pilot = costs_of(200, seed=1)


def print_pilot(name: str) -> None:
    """Prints the cost in the pilot, and the predicted number of rows for three powers."""
    costs = pilot[name]
    print(
        f"{name}: cost {costs.mean():.2f} ± {costs.std() / 200**0.5:.2f} nats; rows for a power of",
        end=" ",
    )
    print(", ".join(f"{power:.0%}: {rows_needed(costs, power)}" for power in (0.5, 0.8, 0.95)))


print_pilot("right horizon")
print_pilot("roles")
# %% [markdown]
# ## d3.3.7 Is the prediction right?
# ●●○○○ difficulty · ●●●●○ importance · 9 minutes · core
#
# Here rows are cheap, so you can check the prediction. 20,000 draws are enough for 200 tests of 100 rows each. In what share of these tests is the wrong claim rejected?
#
# Write `measured_power`. Cut the costs into groups of n consecutive draws, and drop the incomplete group at the end. In each group compute the mean and its standard error from these n rows alone, as a real test would. Return the share of groups that reject the claim.
#
# Stuck? `hint("d3.3.7")`
# %% exercise="d3.3.7"
def measured_power(costs: torch.Tensor, n: int) -> float:
    """Returns the share of tests of n rows whose mean exceeds 1.96 of its standard errors."""
    ### BEGIN SOLUTION
    tests = costs[: len(costs) // n * n].reshape(-1, n)
    errors = tests.std(1) / n**0.5
    return (tests.mean(1) > 1.96 * errors).double().mean().item()
    ### END SOLUTION
# %% check="d3.3.7" points=2
check("d3.3.7", measured_power)
# %%
predict(
    "d3.3.p5",
    ...,
    "measured power in per cent, with the n for which the pilot predicts 80 % (right horizon)",
)
# %%
many = costs_of(20_000, seed=2)
normal = torch.distributions.Normal(0, 1)
ratios = {name: costs.mean() / costs.std() for name, costs in many.items()}


def power_at(name: str, n: int) -> tuple[float, float]:
    """Returns the measured power of a test of n rows, with its standard error."""
    share, tests = measured_power(many[name], n), len(many[name]) // n
    return share, (share * (1 - share) / tests) ** 0.5


def print_power(name: str, *sizes: int) -> None:
    """Prints the true cost of a claim, and its measured and predicted power."""
    costs = many[name]
    print(f"{name}: cost {costs.mean():.2f} ± {costs.std() / len(costs) ** 0.5:.2f} nats,", end=" ")
    print(f"median {costs.median():.5f}, above 1 nat in {(costs > 1).double().mean():.0%} of rows")
    for n in sizes:
        predicted = normal.cdf(ratios[name] * n**0.5 - 1.96)
        share, error = power_at(name, n)
        print(f"    n {n}: measured {share:.1%} ± {error:.1%}, predicted {predicted:.0%}")


asked = {name: rows_needed(costs, 0.8) for name, costs in pilot.items()}
print_power("right horizon", 20, 60, asked["right horizon"])
print_power("roles", asked["roles"])
share, error = power_at("right horizon", asked["right horizon"])
measured("d3.3.p5", 100 * share, 100 * error)
# %% [markdown]
# Here, and in the picture, the prediction uses the mean and the spread of all 20,000 draws. These are known more precisely than from the pilot.
# %%
sizes = [5, 10, 15, 20, 30, 40, 60, 80, 120, 200]
panels = {
    f"power, {name}": {
        "predicted": normal.cdf(ratios[name] * torch.tensor(sizes).sqrt() - 1.96),
        "measured": [measured_power(costs, n) for n in sizes],
    }
    for name, costs in many.items()
}
plot.curves(sizes, panels, "Share of tests of n rows that reject a wrong claim", "rows", log=True)
# %% [markdown]
# **What you should see**: the prediction is roughly right, and it is wrong in both directions. For a power of 80 %, the pilot asked for 65 rows for "right horizon" and for 104 rows for "roles". The measured power is 90 ± 2 % and 65 ± 4 %.
#
# There are two reasons. First, the pilot has an error of its own. From its 200 rows the cost of "roles" is 0.45 ± 0.11 nats, and from 20,000 rows it is 0.24 ± 0.01 nats. With the numbers of all 20,000 rows, the prediction for 104 rows is 56 %. Second, the test statistic isn't normal. At least half of the rows cost almost nothing, and only 5 or 11 % of them cost more than 1 nat. A small test often contains none of these expensive rows. So 20 rows reject "right horizon" in 14 ± 1 % of the tests, where the prediction is 32 %, and 60 rows reject it in 86 ± 2 %, where the prediction is 73 %.
#
# *Learned*: state the number of rows, and the smallest cost that this number is likely to detect. A claim that 20 rows don't reject has hardly been tested.
# %% [markdown]
# ## d3.3.8 Twenty hypotheses
# ●●●○○ difficulty · ●●●●● importance · 13 minutes · core
#
# In practice you try features until one of them works. What is a test worth then? Take a feature that is certainly useless. For each string we toss a coin once and keep the result. The claim is that head 2.1 depends on the string through this coin. We toss twenty such coins and test each of them on the same 100 rows. A coin passes if its claim recovers significantly more than the claim that 2.1 depends on nothing, at the 5 % level. On average, one coin of twenty passes by chance.
#
# The correction of Holm 1979 ([jstor.org](https://www.jstor.org/stable/4615733)) keeps the probability of *any* false discovery below the level. Sort the m p-values. The smallest must be at most level / m, the next at most level / (m − 1), and so on. Stop at the first p-value that is too large. This p-value and all larger ones aren't discoveries. Write `holm`.
#
# Stuck? `hint("d3.3.8")`
# %% exercise="d3.3.8"
def holm(p_values: torch.Tensor, level: float) -> torch.Tensor:
    """Returns which hypotheses are discoveries at this level, as booleans in the given order."""
    ### BEGIN SOLUTION
    found = torch.zeros(len(p_values), dtype=torch.bool)
    for place, number in enumerate(p_values.argsort().tolist()):
        if p_values[number] > level / (len(p_values) - place):
            break
        found[number] = True
    return found
    ### END SOLUTION
# %% check="d3.3.8" points=2
check("d3.3.8", holm)
# %%
predict(
    "d3.3.p6",
    ...,
    "per cent of searches in which at least one of twenty coins passes at the 5 % level",
)
# %%
def coin(number: int):
    """Returns a feature that is tossed once for each string and is unrelated to the string."""
    sides = torch.randint(2, (len(strings),), generator=torch.Generator().manual_seed(number))
    return feature(lambda data: sides)


def head_depends_on(agree, name: str) -> Interp:
    """Returns the claim that head 2.1 comes from a row that agrees on a feature."""
    head = Interp(name, checker.head(2, 1), Matching(agree))
    return Interp("logits", at("logits"), Exact(), [head], others=Exact())


ROWS_EACH, SEARCHES = 100, 80
searched = {"nothing": head_depends_on(feature(FEATURES["nothing"]), "nothing")}
searched |= {
    f"coin {number}": head_depends_on(coin(number), f"coin {number}") for number in range(20)
}
searches = scrub(
    checker_graph, searched, strings, n=ROWS_EACH * SEARCHES, seed=3, metric=cross_entropy
)
gains = torch.stack(
    [searches["nothing"].per_example - searches[f"coin {i}"].per_example for i in range(20)]
)
gains = gains.reshape(20, SEARCHES, ROWS_EACH)  # nats that a coin seems to save, in each search
z = gains.mean(-1) / (gains.std(-1) / ROWS_EACH**0.5)
p_values = 1 - normal.cdf(z)
# %%
def share_of_searches(found: torch.Tensor) -> str:
    """Returns the share of searches [searches] with a false discovery, and its standard error."""
    share = found.double().mean().item()
    return f"{share:.1%} ± {(share * (1 - share) / SEARCHES) ** 0.5:.1%}"


uncorrected = (p_values < 0.05).any(0)
corrected = torch.stack([holm(p_values[:, search], 0.05).any() for search in range(SEARCHES)])
print("tests that pass:", f"{(p_values < 0.05).double().mean():.1%}")
print(
    "searches in which a coin passes: uncorrected",
    share_of_searches(uncorrected),
    " with Holm",
    share_of_searches(corrected),
)
measured(
    "d3.3.p6", 100 * uncorrected.double().mean(), 100 * uncorrected.double().std() / SEARCHES**0.5
)
# %% [markdown]
# The correction makes the decision safe. It doesn't correct the *number*, since the best of twenty scores is too high on average. For the number, choose the best coin on one half of the rows and measure it on the other half.
# %%
chosen_on, judged_on = gains[..., :50].mean(-1), gains[..., 50:].mean(-1)
best = chosen_on.argmax(0)
apparent, honest = chosen_on.amax(0), judged_on.gather(0, best[None])[0]
errors = [values.std() / SEARCHES**0.5 for values in (apparent, honest)]
print(f"nats that the best coin saves on its 50 rows: {apparent.mean():+.2f} ± {errors[0]:.2f}")
print(f"nats that it saves on new rows: {honest.mean():+.2f} ± {errors[1]:.2f}")
nothing = searches["nothing"]
print(f"nats that the claim 'nothing' costs: {nothing.mean:.2f} ± {nothing.se:.2f}")
# %% [markdown]
# **What you should see**: 4.7 % of all tests pass, close to the level of 5 %. In 31 ± 5 % of the searches at least one of the twenty coins passes. With independent tests this would be 64 %. Here all coins of a search are compared with the same draws of "nothing", so their tests pass or fail together more often. With Holm's correction, a coin passes in 2.5 ± 1.7 % of the searches.
#
# The claim "nothing" costs 1.47 ± 0.04 nats. On the 50 rows on which it was chosen, the best coin appears to save 0.65 ± 0.04 of them. On the other 50 rows it saves −0.07 ± 0.05 nats, so nothing is left of the gain.
#
# *Learned*: count the hypotheses that you tried. Correct the test, choose on one half of the rows, and measure on the other half.
#
# > **Pair card.** Swap. The navigator asks: "How many hypotheses did we try in part 2 before the one we kept, and on which rows?" Explain to each other why the corrected test and the second half of the rows solve two different problems. *Alone:* write down the number of refinements that you tried in part 2, and the level at which the best of them would have to pass.
# %% [markdown]
# ## d3.3.9 What may you say?
# ●●●○○ difficulty · ●●●●● importance · 20 minutes · core
#
# These failures also happen in published work. Take turns to read one of the following six cases aloud, and decide which exercise of this part it belongs to.
#
# 1. *Causal Scrubbing* itself. Its first hypothesis about induction heads recovered 35 to 37 %, and the refined one 86 to 89 % ([Chan et al. 2022](https://www.alignmentforum.org/posts/j6s9H9SHrEhEfuJnq/causal-scrubbing-results-on-induction-heads)). After a few months one of the authors wrote in a comment on the main post that he had thought he knew how to interpret such numbers, and that this was his biggest regret about the research.
# 2. Facts in GPT. Causal tracing located facts in a few layers, which motivated a method that edits facts there ([Meng et al. 2022](https://arxiv.org/abs/2202.05262)). Later work found that the tracing effect of a layer doesn't predict how well an edit at this layer works ([Hase et al. 2023](https://arxiv.org/abs/2301.04213)).
# 3. A model of Othello. Linear probes for the board failed and non-linear probes succeeded, so the representation seemed to be non-linear ([Li et al. 2022](https://arxiv.org/abs/2210.13382)). With the feature "mine or theirs" in place of "black or white", linear probes succeed ([Nanda et al. 2023](https://arxiv.org/abs/2309.00941)). The first claim was true only of the feature that was tried first.
# 4. Networks that learn to multiply in a group. One paper concludes that they use matrix representations of the group ([Chughtai et al. 2023](https://arxiv.org/abs/2302.03025)), and another paper explains networks of the same kind by cosets ([Stander et al. 2023](https://arxiv.org/abs/2312.06581)). Both papers report evidence that fits their explanation.
# 5. Subspace patching. A patch can have the expected effect through a pathway that is otherwise dormant ([Makelov et al. 2023](https://arxiv.org/abs/2311.17030)). Whether this is an illusion is disputed ([Wu et al. 2024](https://arxiv.org/abs/2401.12631)).
# 6. Scores of circuits. The faithfulness of known circuits changes with details of the ablation that seem unimportant ([Miller et al. 2024](https://arxiv.org/abs/2407.08734)).
#
# Now answer the question of the day for your own model. Write three short paragraphs.
#
# 1. *A claim that you may make* about the induction heads of `induction-2l`, in one or two sentences. Give numbers with their errors from parts 2 and 3, the data on which they hold, and the share that your hypothesis leaves free.
# 2. *A claim that you may not make*, with the experiment or the data that it would need.
# 3. One of the six cases, with one number of this part that its authors could have reported as well, and your reason.
#
# An instructor reads your answer. `solution("d3.3.9")` shows our answer and explains how yours is graded. If you work alone, compare the two and give yourself one point for each of these four. Your claim has a number with its error. It names the data and the share left free. Your limit names an experiment or data. Your case comes with a number and a reason.
# %% [markdown] answer="d3.3.9" points=4
# ### BEGIN SOLUTION
# 1. At the candidates of our generated stories, most of the effect of heads 1.1 and 1.3 is explained if their queries, keys and values depend on the token itself and the two tokens before it, as layer 0 moves them. The refined hypothesis of part 2 recovers 85.6 ± 1.4 % of the loss, where the baseline is "both heads read another text". By the error at each example it recovers 75.1 ± 1.5 %. It leaves only 0.05 to 0.07 of the queries, keys and values free, so most of their content was not tested. The two heads are partly redundant on these data, because 82 ± 1 % are recovered with 1.1 idle.
# 2. We may not say that the heads do only this, or that the attention of layer 0 is understood. The refined hypothesis takes this attention from the model, and with the attention scrubbed as well only 61.3 ± 1.9 % is left. We may not say that 1.1 does not matter, since on random tokens an idle 1.1 costs 4.12 ± 0.08 nats. We tried about twenty hypotheses on the same rows. On fresh stories the one that we kept recovers 83.7 ± 1.2 %, and this is the number to quote. A claim about ordinary text would need the same scrub on text that is not from our generator.
# 3. Case 2. "This layer stores the fact" and "an edit works at this layer" are two claims with two metrics. The authors could have reported the tracing effect and the success of an edit for each fact and each layer. A mean over facts can hide that the two are unrelated, as in d3.3.2.
#
# *Grading, 4 points.* Give 1 for a claim with a number and its error. Give 1 for the data on which it holds and the share left free. Give 1 for a limit that names an experiment or data. Give 1 for a case with the number that should have been reported and a reason. A claim that does not name its data gets no second point.
# ### END SOLUTION
# %% [markdown]
# ## Cumulants, if you want to know why
#
# Why does a plausible claim fail a scrub? A scrub draws two inputs separately that used to come from one row. The distribution of each input stays the same, and the dependence between them is lost. *Cumulants* measure this dependence. Christiano et al. 2022 use them to formalise "as if independent" ([arXiv:2211.06738](https://arxiv.org/abs/2211.06738)). The next three exercises are ★. The formulas in them are identities on samples, so they hold up to rounding.
# %% [markdown]
# ## d3.3.10 ★ One function for variances, covariances and all that follows
# ●●●●○ difficulty · ●●○○○ importance · 15 minutes · ★
#
# The first cumulant is the mean, and the second is the variance. The joint cumulant of two different columns is their covariance. The third cumulant measures how skewed a variable is, and the fourth measures how heavy its tails are. One formula gives them all.
#
# $$\kappa(X_1,\dots,X_k)=\sum_{\pi}(-1)^{|\pi|-1}(|\pi|-1)!\prod_{B\in\pi}E\Big[\prod_{i\in B}X_i\Big]$$
#
# The sum is over all partitions π of the columns into blocks, and |π| is the number of blocks. For two columns there are two partitions, and the formula becomes E[XY] − E[X]E[Y]. Write `cumulant`, where the expectation is the mean over rows. The next cell defines `partitions`, which lists the partitions of a list. `prod` also multiplies tensors.
#
# Stuck? `hint("d3.3.10")`
# %%
def partitions(items: list) -> list[list[list]]:
    """Returns every way to divide a list into blocks: [[[1, 2]], [[1], [2]]] for [1, 2]."""
    if not items:
        return [[]]
    first, *rest = items
    found = []
    for smaller in partitions(rest):
        found.append([[first], *smaller])
        found += [
            [*smaller[:i], [first, *block], *smaller[i + 1 :]] for i, block in enumerate(smaller)
        ]
    return found


print([len(partitions(list(range(size)))) for size in range(1, 6)], partitions([1, 2, 3]))
# %% exercise="d3.3.10"
def cumulant(*columns: torch.Tensor) -> float:
    """Returns the joint cumulant of some columns [rows], each row being equally likely."""
    ### BEGIN SOLUTION
    total = 0.0
    for blocks in partitions(list(range(len(columns)))):
        means = [prod(columns[place] for place in block).mean() for block in blocks]
        total += (-1) ** (len(blocks) - 1) * factorial(len(blocks) - 1) * prod(means)
    return float(total)
    ### END SOLUTION
# %% check="d3.3.10" points=2
check("d3.3.10", cumulant)
# %%
numbers = torch.Generator().manual_seed(0)
x, y = torch.randn(2, 100_000, generator=numbers, dtype=torch.float64)
skewed = x**2 + y
print("variance:", cumulant(skewed, skewed), "and", skewed.var(correction=0).item())
left_side = cumulant(2 * x + 3 * y, skewed, skewed)
right_side = 2 * cumulant(x, skewed, skewed) + 3 * cumulant(y, skewed, skewed)
print(f"linear in each place: {left_side:.6f} and {right_side:.6f}")


def print_sum(order: int) -> None:
    """Prints the cumulant of a sum of two columns, and the sum of their cumulants."""
    both, alone = cumulant(*[x**2 + y] * order), cumulant(*[x**2] * order) + cumulant(*[y] * order)
    joint = cumulant(x**2, *[y] * (order - 1))
    print(f"order {order}: of the sum {both:.2f}, sum of both {alone:.2f}; joint {joint:.3f}")


print_sum(2)
print_sum(3)
print_sum(4)
# %% [markdown]
# **What you should see**: up to rounding, the second cumulant is the variance, and a joint cumulant is linear in each of its arguments. If two columns are independent, the cumulant of their sum is the sum of their cumulants. `x**2` and `y` are drawn independently. On a sample of 100,000 rows the two numbers agree within about 1 %, and the joint cumulants are at most 0.007 in size.
#
# *Learned*: cumulants of independent variables add, at every order. Moments add only at the first order.
# %% [markdown]
# ## d3.3.11 ★ What a draw keeps
# ●●●○○ difficulty · ●●●○○ importance · 12 minutes · ★
#
# Consider a claim in which two nodes read two different rows, and both rows agree with the reference on a feature. How much of the covariance of the two nodes is left? The *law of total covariance* divides it into two terms. The covariance *within* is the mean of the covariances in the classes, weighted by the number of rows in each class. The covariance *between* is the covariance over rows if each row has the mean of its class. A matching draw keeps the second term, and its expected first term is 0.
#
# Write `total_covariance` with your `cumulant`. The labels [rows] are the values of a feature. The cell after the check computes both terms for heads 2.0 and 2.1 of `parens`. Each head's output is measured along the direction from which the logit difference is read.
#
# Stuck? `hint("d3.3.11")`
# %% exercise="d3.3.11"
def total_covariance(
    one: torch.Tensor, other: torch.Tensor, labels: torch.Tensor
) -> tuple[float, float]:
    """Returns the covariance within the classes of a feature [rows], and between their means."""
    ### BEGIN SOLUTION
    within, means = 0.0, torch.zeros(2, len(one), dtype=one.dtype)
    for label in labels.unique():
        rows = labels == label
        means[:, rows] = torch.stack([one[rows].mean(), other[rows].mean()])[:, None]
        within += cumulant(one[rows], other[rows]) * rows.double().mean().item()
    return within, cumulant(*means)
    ### END SOLUTION
# %% check="d3.3.11" points=2
check("d3.3.11", total_covariance)
# %%
weights = checker.weights
towards = weights["ln_final.w"] * (weights["unembed.W_U"][:, 1] - weights["unembed.W_U"][:, 0])
heads = {f"2.{head}": find_one(checker_graph, checker.head(2, head)) for head in (0, 1)}
written = {
    name: (value[:, 0] @ towards).double() for name, value in evaluate(heads, strings).items()
}
one, other = written["2.0"], written["2.1"]
print(f"covariance of what 2.0 and 2.1 write: {cumulant(one, other):.3f}")


def print_covariances(*names: str) -> None:
    """Prints both terms for each feature, and the covariance after a matching draw for 2.1."""
    every = torch.arange(len(strings))
    for name in names:
        within, between = total_covariance(one, other, FEATURES[name](strings))
        draw = Matching(feature(FEATURES[name]))
        drawn = other[draw.rows(strings, every, torch.Generator().manual_seed(0))]
        error = ((one - one.mean()) * (drawn - drawn.mean())).std() / len(strings) ** 0.5
        total = f"within {within:6.1f}, between {between:6.1f}, sum {within + between:.3f}"
        print(f"{name:14} {total}; after the draw {cumulant(one, drawn):6.1f} ± {error:.1f}")


print_covariances(*FEATURES)
# %% [markdown]
# **What you should see**: over these 3,000 strings the covariance of the two heads is only −0.2, the sum of two large terms. Within a label the covariance is −74. Where one head contributes more, the other one contributes less on average. Between the labels it is +74, since the means of both heads differ between balanced and unbalanced strings in the same direction. For every feature the two terms add up to the total.
#
# A draw that agrees on the label keeps only the second term, and the covariance after it is +75 ± 3. So consider a claim with one row for each head, in which each row agrees on the label. Under this claim the MLP of layer 2 would read two heads with a large positive covariance, and on the real strings their covariance is almost 0.
#
# *Learned*: a matching draw keeps the covariance between classes and removes the covariance within them. If a claim fails, look at the covariance that its draws remove.
# %% [markdown]
# ## d3.3.12 ★ Products
# ●●●●● difficulty · ●●○○○ importance · 15 minutes · ★
#
# Attention multiplies patterns and values, so a transformer computes many products of random variables. How do the cumulants of products depend on the cumulants of the factors? A cumulant of products is again a sum over partitions, and each term is a product of cumulants of single variables (Leonov and Shiryaev 1959, [doi:10.1137/1104031](https://doi.org/10.1137/1104031)). Each product is a *group* of columns, and a partition divides the columns of all groups into blocks. Only partitions that *connect* the groups count. A block that holds columns of two groups links these groups, and in a connected partition every group can be reached from every other one along such links.
#
# The mean of one product XY has only one group, so all partitions count. This gives κ(X, Y) + κ(X)κ(Y). If X and Y are drawn separately, only the second term is left. For Gaussian variables all cumulants above the second are 0, and the formula becomes Wick's theorem.
#
# Write `cumulant_of_products` from the cumulants of single columns. Each group is a list of columns, whose product is one variable. You could also multiply the columns first and call `cumulant` once. The check accepts this short version too, but then the comparison below tells you nothing.
#
# Stuck? `hint("d3.3.12")`
# %% exercise="d3.3.12"
def cumulant_of_products(*groups: list[torch.Tensor]) -> float:
    """Returns the joint cumulant of the products of groups, from cumulants of single columns."""
    ### BEGIN SOLUTION
    places = [(group, place) for group in range(len(groups)) for place in range(len(groups[group]))]
    total = 0.0
    for blocks in partitions(places):
        touched = [{group for group, _ in block} for block in blocks]
        reached = {0}
        for _ in blocks:
            reached = reached.union(*[each for each in touched if each & reached])
        if len(reached) == len(groups):
            chosen = [[groups[group][place] for group, place in block] for block in blocks]
            total += prod(cumulant(*columns) for columns in chosen)
    return total
    ### END SOLUTION
# %% check="d3.3.12" points=2
check("d3.3.12", cumulant_of_products)
# %%
z = x * y + 0.5 * torch.randn(100_000, generator=numbers, dtype=torch.float64)


def print_products(*groups: list[torch.Tensor]) -> None:
    """Prints the cumulant of products, directly and by the formula."""
    sizes, direct = [len(group) for group in groups], cumulant(*[prod(group) for group in groups])
    formula = cumulant_of_products(*groups)
    print(f"groups of {sizes}: direct {direct:.9f}, by the formula {formula:.9f}")


print_products([x, y], [z])
print_products([x, y], [x, y])
print_products([x, y], [z], [z])
# %% [markdown]
# **What you should see**: the direct number and the formula agree to nine decimals, since the formula is an identity that holds on any sample.
#
# *Learned*: a scrub removes those terms of this sum in which one block holds two variables that are drawn separately.
# %% [markdown]
# ## Closing: from memory
# ●○○○○ difficulty · ●●●●○ importance · 3 minutes · core
#
# Close the page above, or look away. Answer with a number, or with one of the listed options: `recall = {"idle": ..., "cancel": ..., "answer": ..., "above": ..., "holm": ...}`
#
# 1. `idle`: "1.1 is idle" was accepted on stories although it is false. What was missing for a rejection, `redundancy` in the model or `data` on which the two heads differ?
# 2. `cancel`: the rise is 5.0 and the fall is 5.4. What is the mean error at each example?
# 3. `answer`: a feature contains every answer, and the model makes no errors. How many per cent does the claim recover that the logits depend only on this feature?
# 4. `above`: a hypothesis recovers 112 %. Does the part that it frees do `good` or `harm` on these data?
# 5. `holm`: you test twenty hypotheses at a level of 0.05. What is the largest value at which the smallest p-value is still a discovery?
#
# Stuck? `hint("d3.3.quiz")`
# %% exercise="d3.3.quiz"
### BEGIN SOLUTION
recall = {"idle": "data", "cancel": 10.4, "answer": 100, "above": "harm", "holm": 0.0025}
### END SOLUTION
# %% check="d3.3.quiz" points=2
check("d3.3.quiz", recall)
# %%
predictions("d3")
# %% [markdown]
# ## What we have
#
# The question of the day was when you may say that you understand a model. Our answer is a list of facts to report with every claim. Name the data. Give the baseline, the recovered share and its error. Give the error at each example. State the share that the hypothesis leaves free, and how much of the answer its features contain. State the number of rows and the number of hypotheses that you tried. Tomorrow you study `parens`, whose algorithm you don't know yet, and you start from the published hypothesis about a model that was trained for the same task.
