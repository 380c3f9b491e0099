# %% [markdown]
# # Day 4, part 1: from the output back
#
# **It gets 100 %. Does it count?**
#
# The model `parens` reads a string of parentheses and says whether it's balanced. It has three layers with two heads each, and it's almost always right. Chan et al. took such a model apart in 2022. Theirs counts the parentheses, and it also runs a test that looks at the order. Ours was trained by the same recipe. Does it do the same? You start today at the output and work backwards, and you write down what the algorithm could be before you look.
#
# **After this part you can**
# - solve the task by hand, in more than one way;
# - say what 0 errors in n strings is worth;
# - find the direction that the output reads, and tell it apart from a direction that only predicts the output;
# - split the output into the parts of the model, and see which part reacts to which failure;
# - name a confound in your own table.
#
# **Time**: about 80 minutes, with reading, predictions and pair cards.
#
# **Readings**: Chan et al. 2022, *Causal Scrubbing: results on a paren balance checker* ([alignmentforum.org](https://www.alignmentforum.org/posts/kjudfaQazMmC74SbF/causal-scrubbing-results-on-a-paren-balance-checker)), the section on the algorithm.
# %% [markdown]
# ## How to read this page
#
# An id such as d4.1.7 means day 4, part 1, exercise 7. The line below an exercise's heading uses these marks.
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
# | `check("d4.1.2", three_tests)` | tests your answer and explains the first mistake that it finds |
# | `hint("d4.1.2")` | shows a hint. Call it again for the next one. The last of the three is almost the code |
# | `solution("d4.1.2")` | prints our solution, on the second call. For a written answer it also says how yours is graded |
# | `start_at("d4.1.7")` | defines everything that the page needs from d4.1.7 on, so you can skip ahead or catch up |
# | `predict(...)` | stores your guess before an experiment. A table at the end shows guesses and results |
#
# You may open a solution at any time. It is meant for pairs that have used all hints and are still stuck, and for pairs that have passed the check and want to compare. The first call only prints a warning. The second call prints our answer, and your progress record notes that you opened it.
# %%
import torch
from remix_utils import at, check, circuits, evaluate, find_one, hint, models, plot, solution, split
from remix_utils import start_at
from remix_utils.checks.predictions import measured, predict, predictions
from remix_utils.tasks import parens

start_at("d4.1")  # to catch up: start_at("d4.1.7") defines every name that later cells use
# %% [markdown]
# ## d4.1.1 By hand
# ●○○○○ difficulty · ●●●○○ importance · 5 minutes · core
#
# How would you check a string? Read it from the left and keep a depth. A "(" adds one, and a ")" takes one away. The string is balanced if the depth never falls below 0 and ends at 0.
#
# Write `is_balanced` with a loop over the characters.
#
# Stuck? `hint("d4.1.1")`
# %% exercise="d4.1.1"
def is_balanced(text: str) -> bool:
    """Whether every parenthesis of a string has its partner."""
    ### BEGIN SOLUTION
    depth = 0
    for character in text:
        depth += 1 if character == "(" else -1
        if depth < 0:
            return False
    return depth == 0
    ### END SOLUTION
# %% check="d4.1.1" points=1
check("d4.1.1", is_balanced)
# %% [markdown]
# *Learned*: the loop asks two questions. Does the depth ever go below 0, and where does it end?
# %% [markdown]
# ## d4.1.2 Three tests at once
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# ![The string "( ) ) ( ( )" with a depth at each position. Above it, the depth from the left, where ( is up, is 1, 0, −1, 0, 1, 0. It is below zero at the second ), so the string fails the left horizon. Below it, the depth from the right, where ) is up, is 0, 1, 0, −1, 0, 1. It is below zero at the second (, so the string fails the right horizon too. Depths below zero are orange.](diagram:two_horizons)
#
# A transformer has no loop over positions. It has sums over positions, so think of the same questions as sums. There are three tests.
# - The *count*: the string has as many "(" as ")".
# - The *left horizon*: no prefix has more ")" than "(". This is the depth that must not fall below 0.
# - The *right horizon*: no suffix has more "(" than ")". This is the same test in a mirror.
#
# Write `three_tests` for a batch of strings without a loop over positions. The tokens are [rows, seq]. A string starts at position 1, after `[start]`, and padding follows it. `parens.OPEN` and `parens.CLOSE` are the tokens of "(" and ")". All other tokens count as 0. The check uses other lengths.
#
# Stuck? `hint("d4.1.2")`
# %% exercise="d4.1.2"
def three_tests(tokens: torch.Tensor) -> dict[str, torch.Tensor]:
    """Whether each row passes the "count", "left" and "right" test, each [rows]."""
    ### BEGIN SOLUTION
    steps = (tokens == parens.OPEN).long() - (tokens == parens.CLOSE).long()
    from_left = steps.cumsum(1)
    from_right = -steps.flip(1).cumsum(1)
    return {
        "count": from_left[:, -1] == 0,
        "left": (from_left >= 0).all(1),
        "right": (from_right >= 0).all(1),
    }
    ### END SOLUTION
# %% check="d4.1.2" points=2
check("d4.1.2", three_tests)
# %%
for text in ("(())", "())(", "(()", "()))"):
    passed = three_tests(parens.encode([text]))
    print(f"{text:6}", {name: bool(value) for name, value in passed.items()}, is_balanced(text))
# %% [markdown]
# *Learned*: each test is a sum over positions, followed by a comparison. Attention can compute such sums.
#
# > **Pair card.** Swap driver and navigator. The navigator asks: "Which of the three tests could a head with uniform attention compute alone?" Explain to each other: why does the right horizon need a sum for every position? *Alone:* write down a string that passes the count and fails both horizons, and one that passes a horizon and fails the count.
# %% [markdown]
# ## d4.1.3 Which two are enough?
# ●●○○○ difficulty · ●●●●○ importance · 8 minutes · core
#
# A string is balanced if it passes all three tests. Are all three needed? If two of them are enough, a model may run any such pair, and you can't tell which pair from its answers.
#
# Write `enough`. It takes the outcomes of the three tests on some strings and their labels (1 for balanced). It returns every pair of test names whose outcomes *together* give the right label on all strings, each pair as a `frozenset`.
#
# Stuck? `hint("d4.1.3")`
# %% exercise="d4.1.3"
def enough(tests: dict[str, torch.Tensor], label: torch.Tensor) -> set[frozenset[str]]:
    """The pairs of tests that are both passed by exactly the rows with label 1."""
    ### BEGIN SOLUTION
    found = set()
    for one in tests:
        for other in tests:
            together = tests[one] & tests[other]
            if one < other and torch.equal(together, label == 1):
                found.add(frozenset((one, other)))
    return found
    ### END SOLUTION
# %% check="d4.1.3" points=1
check("d4.1.3", enough)
# %% [markdown]
# Try it on all 1,364 strings of even length up to 10, after a guess. How many of the three pairs are enough?
# %%
predict("d4.1.p1", ..., "pairs of the three tests that are enough")
# %%
every = parens.every(10)
pairs = enough(three_tests(every["tokens"]), every["label"])
measured("d4.1.p1", len(pairs))
print(f"{len(every)} strings;", ", ".join(sorted(" and ".join(sorted(pair)) for pair in pairs)))
# %% [markdown]
# **What you should see**: each of the three pairs is enough. If two tests are passed, the third one follows. Both horizons together imply that the count is right, because a string that never has too many ")" from the left and never too many "(" from the right has as many of both.
#
# So at least three algorithms give the same answer on every string. The published model runs the count and the right horizon. Its answers would be the same if it ran another pair.
#
# *Learned*: accuracy can't tell these algorithms apart. You have to look inside.
# %% [markdown]
# ## d4.1.4 What are 0 errors worth?
# ●●○○○ difficulty · ●●●○○ importance · 5 minutes · core
#
# On some thousand strings that played no part in training, the model makes no error. The estimate of its error rate is 0, with a standard error of 0, and that can't be the whole truth. How large could the error rate be? If the rate were r, then n strings would all be right with probability (1 − r)ⁿ. The 95 % upper limit is the rate at which this probability is 5 %.
#
# Write `upper_limit`.
#
# Stuck? `hint("d4.1.4")`
# %% exercise="d4.1.4"
def upper_limit(n: int, chance: float = 0.05) -> float:
    """The error rate at which n independent strings are all right with probability `chance`."""
    ### BEGIN SOLUTION
    return 1 - chance ** (1 / n)
    ### END SOLUTION
# %% check="d4.1.4" points=1
check("d4.1.4", upper_limit)
# %%
model = models.load("parens")
graph = split(model.graph(seq=parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
data = parens.draw(4000, seed=1, part="held-out")
logits = evaluate(graph, data)
difference = logits[:, 0] - logits[:, 1]  # output 0 is "unbalanced", output 1 is "balanced"
wrong = int(((difference < 0).long() != data["label"]).sum())
print(f"{wrong} wrong of {len(data)}; an error rate of up to {upper_limit(len(data)):.3%} is possible")
fails = {
    "balanced": data["left_ok"] & data["horizon_ok"],
    "left only": ~data["left_ok"] & data["horizon_ok"],
    "right only": data["left_ok"] & ~data["horizon_ok"],
    "both": ~data["left_ok"] & ~data["horizon_ok"],
}
for name, rows in fails.items():
    print(f"{name:11}{int(rows.sum()):5} strings, logit difference {difference[rows].mean():6.1f}")
# %% [markdown]
# **What you should see**: 0 wrong of 4,000, so the error rate is below 0.075 % with 95 % confidence. That statement is about strings like these. It says nothing about strings that someone builds to be hard, and part 2 builds some.
#
# *Learned*: 0 of n means "below about 3/n", on the distribution that you drew from.
#
# > **Pair card.** Swap. The navigator asks: "For which strings would you expect the first error?" Explain to each other: why doesn't the limit of 0.075 % hold for them? *Alone:* write down one string that you'd try, and keep it for part 2.
# %% [markdown]
# ## d4.1.5 What the output reads
# ●●○○○ difficulty · ●●●●○ importance · 5 minutes · core
#
# The model answers at position 0. The residual stream there goes through the final LayerNorm, and the matrix W_U [d_model, 2] turns the result into two logits. "Unbalanced" is output 0 and "balanced" is output 1.
#
# Write `unbalanced_direction`: the direction [d_model] whose dot product with the normalised stream is the logit of "unbalanced" minus the logit of "balanced". The check uses other widths.
#
# Stuck? `hint("d4.1.5")`
# %% exercise="d4.1.5"
def unbalanced_direction(W_U: torch.Tensor) -> torch.Tensor:
    """The direction along which the normalised stream means "unbalanced" [d_model]."""
    ### BEGIN SOLUTION
    return W_U[:, 0] - W_U[:, 1]
    ### END SOLUTION
# %% check="d4.1.5" points=1
check("d4.1.5", unbalanced_direction)
# %%
w, b = model.weights["ln_final.w"], model.weights["ln_final.b"]
after_norm = unbalanced_direction(model.weights["unembed.W_U"])
stream = evaluate(find_one(graph, "blocks.2.resid_post"), data)[:, 0]


def normalise(stream: torch.Tensor) -> torch.Tensor:
    """Returns the final LayerNorm of streams at position 0 [rows, d_model]."""
    return torch.nn.functional.layer_norm(stream, stream.shape[-1:], w, b, eps=1e-5)


furthest = (normalise(stream) @ after_norm - difference).abs().max()
print(f"largest distance from the model's own logit difference: {furthest:.0e}")
# %% [markdown]
# *Learned*: after the norm, the meaning of "unbalanced" is one direction, and it's exact.
# %% [markdown]
# ## d4.1.6 A direction from data
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# Before the norm there's no exact direction, since each row is divided by its own scale. Chan et al. therefore fitted one. They regressed the logit difference on the stream at position 0. If the fit is good, the fitted direction should be the one that the model reads. Should it?
#
# Write `fit_direction`: the least-squares fit `values ≈ stream · direction + constant`. Return the direction and R², which is 1 minus the sum of squared residuals over the sum of squared deviations of the values from their mean. Use float64. `torch.linalg.lstsq(A, b, driver="gelsd").solution` solves it for columns b [rows, 1].
#
# Stuck? `hint("d4.1.6")`
# %% exercise="d4.1.6"
def fit_direction(stream: torch.Tensor, values: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The direction [d_model] that best predicts values [rows] from a stream, and its R²."""
    ### BEGIN SOLUTION
    x, y = stream.double(), values.double()
    with_constant = torch.cat([x, torch.ones(len(x), 1)], dim=1)
    solution = torch.linalg.lstsq(with_constant, y[:, None], driver="gelsd").solution[:, 0]
    residual = y - with_constant @ solution
    r_squared = 1 - residual.square().sum() / (y - y.mean()).square().sum()
    return solution[:-1], r_squared.item()
    ### END SOLUTION
# %% check="d4.1.6" points=2
check("d4.1.6", fit_direction)
# %% [markdown]
# There's a second candidate, straight from the weights. Hold the norm's scale at each row's own value. Then LayerNorm only subtracts the mean and multiplies by its weight `w`, and the direction before the norm is `w * after_norm`, without its mean. How similar are the two? A cosine of 1 means that they're the same direction.
# %%
predict("d4.1.p2", ..., "cosine of the fitted direction with the direction from the weights")
# %%
fitted, r_squared = fit_direction(stream, difference)
from_weights = w * after_norm - (w * after_norm).mean()
cosine = torch.cosine_similarity(fitted.float(), from_weights, dim=0)
measured("d4.1.p2", cosine)
directions = {"fitted": fitted.float(), "from the weights": from_weights}
deviations = stream - stream.mean(0)
print(f"R² of the fit {r_squared:.3f}")
for name, direction in directions.items():
    unit = direction / direction.norm()
    correlation = torch.corrcoef(torch.stack([stream @ unit, difference]))[0, 1]
    share = (deviations @ unit).square().sum() / deviations.square().sum()
    print(f"{name:17} correlation {correlation:.3f}, {share:6.1%} of the stream's variance")
# %% [markdown]
# **What you should see**: the fit has an R² of .998, and its direction has a cosine of .07 with the direction from the weights. They're almost orthogonal, and both correlate with the output, at .999 and .989. The fitted direction holds less than 1 % of the stream's variance, and the other one 80 %.
#
# How can that be? Many directions of this stream are correlated with each other. Least squares is free to combine small differences between them, and it takes whatever improves the prediction by a little. Which of the two is the model's?
#
# *Learned*: a good prediction doesn't say which direction the model reads.
#
# > **Pair card.** Swap. The navigator asks: "What experiment would tell the two directions apart?" Explain to each other: how can two almost orthogonal directions both correlate with the output at more than .98? *Alone:* write down your experiment before you read on.
# %% [markdown]
# ## d4.1.7 Swap along a direction
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# Observation couldn't decide, so intervene. Take a string and another one with the other label. Move the first stream along a direction until its coordinate there equals that of the other string, and change nothing orthogonal to it. If the model reads this direction, its answer flips.
#
# That's half of the test. The other half swaps all the rest and keeps the coordinate. Then the answer should stay.
#
# Write `swap_along`. The direction may have any length except 0. The cell after the check uses it both ways, on all 4,000 strings, and adds a third direction: from the mean stream of balanced strings to that of unbalanced ones.
#
# Stuck? `hint("d4.1.7")`
# %% exercise="d4.1.7"
def swap_along(
    stream: torch.Tensor, other: torch.Tensor, direction: torch.Tensor
) -> torch.Tensor:
    """The stream [rows, d_model] with the other's coordinate along the direction, and all else its own."""
    ### BEGIN SOLUTION
    unit = direction / direction.norm()
    return stream + ((other - stream) @ unit)[:, None] * unit
    ### END SOLUTION
# %% check="d4.1.7" points=2
check("d4.1.7", swap_along)
# %%
predict("d4.1.p3", ..., "per cent of answers that flip along the fitted direction")
# %%
predict("d4.1.p4", ..., "per cent of answers that flip along the direction from the weights")
# %%
generator = torch.Generator().manual_seed(0)
partner = torch.empty(len(data), dtype=torch.long)
for label in (0, 1):
    rows, opposite = (data["label"] == label).nonzero()[:, 0], (data["label"] != label).nonzero()[:, 0]
    partner[rows] = opposite[torch.randint(len(opposite), (len(rows),), generator=generator)]

means = stream[data["label"] == 0].mean(0) - stream[data["label"] == 1].mean(0)
flips, flips_rest = {}, {}
for name, direction in {**directions, "between means": means}.items():
    along = swap_along(stream, stream[partner], direction)
    rest = swap_along(stream[partner], stream, direction)  # all but the coordinate is the other's
    for found, swapped in ((flips, along), (flips_rest, rest)):
        answers = normalise(swapped) @ after_norm
        found[name] = ((answers < 0).long() != data["label"]).double().mean()
    print(f"{name:17} flip along it {flips[name]:6.1%}, with all the rest {flips_rest[name]:6.1%}")
means_cosine = torch.cosine_similarity(means, from_weights, dim=0)
print(f"cosine of the direction between means with the one from the weights {means_cosine:.2f}")
measured("d4.1.p3", 100 * flips["fitted"])
measured("d4.1.p4", 100 * flips["from the weights"])
# %% [markdown]
# **What you should see**: along the fitted direction no answer flips, and with all the rest every answer does. It's the other way round for the direction from the weights. The fit predicted the output with an R² of .998, and its direction isn't what the output reads.
#
# The experiment has a limit. The direction between the means behaves like the one from the weights, because the two have a cosine of .99. Swapping therefore rejects a wrong direction, and it doesn't single out one among close neighbours. The weights do that. The other directions also set the norm's scale, which changes the size of the logit difference and, on these strings, no answer.
#
# *Learned*: ask two questions of a direction. Does swapping along it change the answer, and does the answer stay when all the rest is swapped?
# %% [markdown]
# ## d4.1.8 Who writes along it?
# ●●●○○ difficulty · ●●●●○ importance · 11 minutes · core
#
# The stream at position 0 is a sum of the embedding, six heads, three MLPs and their biases. Each of them adds something along the direction. With the norm's scale held at each row's value, the shares of the output add up exactly.
#
# Write `contributions`. For each term [rows, d_model] it returns what the term adds to the logit difference [rows]. A term is centred (its mean over d_model is subtracted), multiplied by `w`, divided by the scale of the *whole stream*, and projected on `after_norm`. The scale is the square root of the variance over d_model (divide by d_model) plus `eps`.
#
# Stuck? `hint("d4.1.8")`
# %% exercise="d4.1.8"
def contributions(
    terms: dict[str, torch.Tensor],
    stream: torch.Tensor,
    w: torch.Tensor,
    after_norm: torch.Tensor,
    eps: float = 1e-5,
) -> dict[str, torch.Tensor]:
    """What each term [rows, d_model] of the stream adds to the logit difference [rows]."""
    ### BEGIN SOLUTION
    scale = (stream.var(-1, correction=0) + eps).sqrt()
    found = {}
    for name, term in terms.items():
        centred = term - term.mean(-1, keepdim=True)
        found[name] = (centred * w) @ after_norm / scale
    return found
    ### END SOLUTION
# %% check="d4.1.8" points=2
check("d4.1.8", contributions)
# %%
parts = evaluate(circuits.components(graph), data)
terms = {name: value[..., 0, :].expand(len(data), -1) for name, value in parts.items()}
added = contributions(terms, stream, w, after_norm)
left_over = difference - sum(added.values())
print(f"{len(terms)} terms; left over {left_over.mean():.4f}, the same in every row to {left_over.std():.0e}")
print(f"the norm's bias along the direction: {b @ after_norm:.4f}")
# %% [markdown]
# **What you should see**: 14 terms that add up to the logit difference, apart from a constant, which is the bias of the norm. `circuits.logit_attribution` gives the same numbers for any model.
#
# *Learned*: with the scale held, the output is a sum over the parts of the model, and nothing is lost.
# %% [markdown]
# ## d4.1.9 Which part reacts to which failure?
# ●●●○○ difficulty · ●●●●● importance · 9 minutes · core
#
# Now split the strings by what is wrong with them. A string may fail the left horizon only, the right horizon only, or both. If a part of the model runs one of these tests, it should react to one kind of failure more than to the other.
#
# Write `reactions`. For each group of rows it returns the mean of the values there minus the mean over the balanced rows, with the standard error of this difference. Both means have an error, and the rows are independent.
#
# Stuck? `hint("d4.1.9")`
# %% exercise="d4.1.9"
def reactions(
    values: torch.Tensor, groups: dict[str, torch.Tensor], balanced: torch.Tensor
) -> dict[str, tuple[float, float]]:
    """For each group (a mask [rows]): its mean above that of the balanced rows, and its error."""
    ### BEGIN SOLUTION
    zero = values[balanced]
    found = {}
    for name, rows in groups.items():
        chosen = values[rows]
        error = (chosen.var() / len(chosen) + zero.var() / len(zero)).sqrt()
        found[name] = ((chosen.mean() - zero.mean()).item(), error.item())
    return found
    ### END SOLUTION
# %% check="d4.1.9" points=2
check("d4.1.9", reactions)
# %% [markdown]
# In the published model, heads 1.0 and 2.0 carry the count, and head 2.1 carries the right horizon. Before you look at ours, write down how much more head 2.1 reacts to right failures than to left ones.
# %%
predict("d4.1.p5", ..., "head 2.1: reaction to right failures minus reaction to left failures")
# %%
failures = {name: rows for name, rows in fails.items() if name != "balanced"}
table = {name: reactions(values, failures, fails["balanced"]) for name, values in added.items()}
print(f"{'':26}" + "".join(f"{name:>16}" for name in failures))
for name, row in table.items():
    if max(abs(mean) for mean, _ in row.values()) > 0.5:
        cells = "".join(f"{mean:10.2f} ± {error:.2f}" for mean, error in row.values())
        print(f"{name:26}{cells}")
late = table["blocks.2.attn.head.1.out"]
error = (late["right only"][1] ** 2 + late["left only"][1] ** 2) ** 0.5
measured("d4.1.p5", late["right only"][0] - late["left only"][0], error)
# %%
shown = ["blocks.2.attn.head.0.out", "blocks.2.attn.head.1.out", "blocks.2.mlp_out", "blocks.1.mlp_out"]
grid = torch.tensor([[table[name][kind][0] for kind in failures] for name in shown])
labels = ["head 2.0", "head 2.1", "MLP 2", "MLP 1"]
plot.heatmap(grid, labels, list(failures), "Reaction to each kind of failure", "logits")
# %% [markdown]
# **What you should see**: head 2.0 adds 12.39 ± .05 at right failures and 2.49 ± .05 at left ones. Head 2.1 adds 9.03 ± .03 at left failures and 4.22 ± .05 at right ones. MLP 2 reacts to every failure, and MLP 1 mostly to left ones. Layer 0 hardly writes along the direction.
#
# The two late heads split the failures between them. If head 2.1 ran the right horizon, as in the published model, it would react more to right failures, and it does the opposite. Did you see this coming from the published roles?
#
# *Learned*: splitting by the kind of failure shows a division of labour that the accuracy hides.
#
# > **Pair card.** Swap. The navigator asks: "Which other property of these strings differs between left and right failures?" Explain to each other: why are the numbers for strings that fail both not simply the sum of the other two columns? *Alone:* list three properties that all strings in the column "right only" share.
# %% [markdown]
# ## d4.1.10 A confound
# ●●●○○ difficulty · ●●●●● importance · 8 minutes · core
#
# A string that fails only the right horizon always has more "(" than ")". If it had as many, the two horizons would pass or fail together, and if it had fewer, the left one would fail. So the column "right only" is also the column "too many (", and head 2.0 might react to the excess instead of the horizon. Strings that fail *both* horizons can separate the two. Their excess may have either sign, or be 0.
#
# Write `excess_sign`: 1 for rows with more ")" than "(", −1 for rows with more "(", and 0 for as many.
#
# Stuck? `hint("d4.1.10")`
# %% exercise="d4.1.10"
def excess_sign(tokens: torch.Tensor) -> torch.Tensor:
    """The sign of the number of ")" minus the number of "(" in each row [rows]."""
    ### BEGIN SOLUTION
    closes = (tokens == parens.CLOSE).sum(1)
    opens = (tokens == parens.OPEN).sum(1)
    return (closes - opens).sign()
    ### END SOLUTION
# %% check="d4.1.10" points=1
check("d4.1.10", excess_sign)
# %% [markdown]
# All strings below fail both horizons. A head that runs one test and nothing else would react the same in every column.
# %%
sign = excess_sign(data["tokens"])
signs = {"more (": -1, "as many": 0, "more )": 1}
among_both = {name: fails["both"] & (sign == value) for name, value in signs.items()}
print(f"{'':26}" + "".join(f"{name:>16}" for name in among_both))
for name in ("blocks.1.attn.head.0.out", *shown):
    row = reactions(added[name], among_both, fails["balanced"])
    print(f"{name:26}" + "".join(f"{mean:10.2f} ± {error:.2f}" for mean, error in row.values()))
# %% [markdown]
# **What you should see**: head 2.0 adds 9.71 ± .10 where there are too many "(", 7.24 ± .21 where there are as many of both, and 4.16 ± .06 where there are too many ")". All of these strings fail the right horizon. So its output depends on more than the outcome of one test. Head 2.1 varies less, from 6.76 ± .07 to 9.11 ± .03. Head 1.0 writes a small number that rises with the sign of the excess.
#
# What can you say now? Each late head reacts most to one kind of failure. This table doesn't show that either of them runs a test, that nothing else matters to it, or that the model doesn't count. Part 2 looks at what the heads read, and part 3 puts the claims on trial.
#
# *Learned*: before you name a part after a column, look for what else that column shares.
# %% [markdown]
# ## Quiz
# ●○○○○ difficulty · ●●○○○ importance · 3 minutes · core
#
# Answer from memory, without scrolling up. Give a number or one of the listed options in `recall = {"pairs": ..., "limit": ..., "direction": ..., "right": ..., "excess": ...}`.
# - `pairs`: how many of the three pairs of tests are enough to solve the task?
# - `limit`: about how large an error rate is still possible after 0 errors in 3,000 strings, in per cent?
# - `direction`: which direction flips the answer, `"fitted"` or `"weights"`?
# - `right`: which late head reacts most to right failures, `"2.0"` or `"2.1"`?
# - `excess`: a string fails the right horizon and passes the left one. Has it more `"open"` or more `"close"` parentheses?
#
# Stuck? `hint("d4.1.quiz")`
# %% exercise="d4.1.quiz"
### BEGIN SOLUTION
recall = {"pairs": 3, "limit": 0.1, "direction": "weights", "right": "2.0", "excess": "open"}
### END SOLUTION
# %% check="d4.1.quiz" points=2
check("d4.1.quiz", recall)
# %%
predictions("d4")
# %% [markdown]
# ## What you have
#
# Three algorithms that would all be right, one direction that the output reads, and two late heads that react to different failures. You also know one reason to distrust the names that you'd like to give them. Part 2 goes inside. What do these two heads read, and from where?
