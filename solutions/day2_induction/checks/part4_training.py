"""Judges the exercises of day 2, part 4: how it came to be."""

import contextlib
import io
from tempfile import TemporaryDirectory

import torch

from remix_utils import models
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import name, number, option
from remix_utils.errors import RemixError

# --- changes over training ------------------------------------------------------------------------


def twice_measured(seed):
    """Returns rows that differ much more from each other than from themselves."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, shift in ((24, -0.3), (9, 0.2), (40, 0.0)):
        before = 3 + torch.randn(rows, generator=numbers)
        cases.append((before, before + shift + 0.1 * torch.randn(rows, generator=numbers)))
    return cases


SPREAD = "difference.std().item() / len(difference) ** 0.5"

exercise("d2.4.1", cases=twice_measured,
    mistakes=[
        edit(SPREAD, "(before.var() / len(before) + after.var() / len(after)).sqrt().item()",
             says="The mean is right, but the error is that of two unrelated sets of rows. These "
                  "are the same rows, so take the difference first and then its spread."),
        edit("after - before", "before - after",
             says="The sign is reversed. If a loss falls, its change is negative. Use after - "
                  "before."),
        edit(" / len(difference) ** 0.5", "",
             says="The second value is the standard deviation of one row's change. Divide by the "
                  "square root of the number of rows."),
        edit(" ** 0.5", "",
             says="You divided the standard deviation by the number of rows. Divide by its square "
                  "root."),
        edit(SPREAD, "difference.var().item() / len(difference)",
             says="The second value is the variance of the mean. Take the root."),
        edit(".std()", ".std(correction=0)",
             says="The variance is divided by n. Divide it by n - 1, as torch's .std() does by "
                  "default."),
        edit(SPREAD, "after.std().item() / len(after) ** 0.5",
             says="The error is that of `after` alone. Take the spread of the difference."),
        edit("difference.mean()", "difference.sum()",
             says="This is the sum of the changes. Take their mean."),
    ],
    right=[
        """
        def change(before, after):
            changes = [late - early for early, late in zip(before.tolist(), after.tolist())]
            mean = sum(changes) / len(changes)
            variance = sum((each - mean) ** 2 for each in changes) / (len(changes) - 1)
            return mean, (variance / len(changes)) ** 0.5
        """,
    ],
    hints=[
        ("Help, my error is far too large", "It includes the differences between stories, which "
         "are the same before and after. Subtract row by row first."),
        ("Help, which standard error?", "Take the standard deviation of the differences, and "
         "divide it by the square root of their number."),
        ("Help, almost the code", "Compute `difference = after - before`. Return its `.mean()` and "
         "its `.std() / len(difference) ** 0.5`, both as numbers."),
    ],
)


def curves(seed):
    """Returns curves that are steepest in a late fall, in a rise, and at the beginning."""
    shift = (seed % 7) / 10
    return [
        ([0, 1000, 1100, 1150, 4000], [each + shift for each in (7.0, 7.0, 6.8, 5.0, 1.0)]),
        ([0, 10, 30, 40, 100], [0.9, 0.8, 0.7, 0.9 + shift, 0.1]),
        ([5, 6, 8, 16, 17], [0.0, 0.3, 0.9, 3.9, 3.2 - shift]),
        ([0, 4, 12, 20], [shift, 3.0 + shift, 1.0, 3.0]),
    ]


SIZE = "abs(after - before)"
BOTH_STEPS = "This is one step. Return both steps, the earlier one first."

exercise("d2.4.2", cases=curves,
    mistakes=[
        edit(" / (end - start)", "",
             says="This is the largest difference, however long it took. Divide by the number of "
                  "steps in between."),
        edit(SIZE, "(after - before)",
             says="Only rises count here, but a curve may fall too. Take the absolute value of the "
                  "slope."),
        edit(SIZE, "(before - after)",
             says="Only falls count here, but a curve may rise too. Take the absolute value of the "
                  "slope."),
        edit("return max(slopes, key=lambda each: each[0])[1:]",
             "return [steps.index(step) for step in max(slopes)[1:]]",
             says="These are places in the list. Return the steps at those places."),
        edit("max(", "min(",
             says="This is where the curve is flattest. Return where it is steepest."),
        edit("[1:]", "[1]", says=BOTH_STEPS),
        edit("[1:]", "[2]", says=BOTH_STEPS),
        edit("return max(slopes, key=lambda each: each[0])[1:]", "return sum(max(slopes)[1:]) / 2",
             says="This is the middle. Return both steps, the earlier one first."),
        edit("[1:]", "", says="The slope itself is in the result. Return the two steps alone."),
        edit("return max(slopes, key=lambda each: each[0])[1:]",
             "return max(slopes, key=lambda each: each[0])[:0:-1]",
             says="The two steps are swapped. Return the earlier one first."),
    ],
    right=[
        """
        def steepest(steps, values):
            place = max(range(len(steps) - 1), key=lambda i: abs(
                (values[i + 1] - values[i]) / (steps[i + 1] - steps[i])))
            return [steps[place], steps[place + 1]]
        """,
    ],
    hints=[
        ("Help, the long interval wins", "It had more time to change. Divide each difference by "
         "the number of steps between its two checkpoints."),
        ("Help, my curve falls", "Its slopes are negative. Compare their absolute values with "
         "`abs`."),
        ("Help, almost the code", "`zip(steps, steps[1:], values, values[1:])` goes through "
         "neighbours. Keep (slope, start, end) for each, take the `max` by the first entry, and "
         "return the other two."),
    ],
)


def arrivals(seed):
    """Returns scores that come and go, are always high, never stay, meet the line, or are late."""
    low = 0.01 * (seed % 9)
    return [
        ([0, 100, 200, 300, 350, 900], [low, 0.7, 0.8, 0.2, 0.6, 0.9], 0.5),
        ([0, 50, 60], [0.8, 0.9, 0.7], 0.6),
        ([0, 10, 20], [low, 0.9, 0.3], 0.5),
        ([0, 10, 20, 40], [low, 0.495, 0.5, 0.75], 0.5),
        ([0, 10, 20, 30], [low, low, low, 0.9], 0.5),
    ]


LAST = ("This is the last step with a high enough score. Return the first step such that all "
        "scores from there on are high enough.")
STAYS = ("return next((s for i, s in enumerate(steps) if all(each >= least for each in "
         "scores[i:])), None)")
STAYING = f"def first_step(steps, scores, least):\n    {STAYS}"

exercise("d2.4.3", cases=arrivals,
    mistakes=[
        edit("            arrived = None\n", "            pass\n",
             says="This is the first time that the score is high enough. It may fall back later, "
                  "and then this step doesn't count."),
        edit("elif arrived is None:", "else:",
             says=LAST),
        instead("""
                def first_step(steps, scores, least):
                    high = [step for step, score in zip(steps, scores) if score >= least]
                    return high[-1] if high else None
                """, says=LAST),
        edit("score < least", "score <= least",
             says="A score of exactly `least` counts as too low here. Use >=."),
        instead(STAYING.replace("(s for", "(i for"),
                says="This is the position in the list. Return the step at this position."),
        instead("""
                def first_step(steps, scores, least):
                    low = [step for step, score in zip(steps, scores) if score < least]
                    return low[-1] if low else None
                """,
                says="This is the last step at which the score is too low. Return the next step, "
                     "or the first step if the score is never too low."),
        instead(STAYING.replace(">= least", "< least"),
                says="This is the first step after which the score stays below `least`. Return "
                     "the first one from which it stays at `least` or above."),
        edit("return arrived", "return steps[-1] if arrived is None else arrived",
             says="If the score never stays high enough, return None instead of the last step."),
    ],
    right=[STAYING],
    hints=[
        ("Help, the score was high before, and fell again", "Then that earlier step doesn't count. "
         "Discard it as soon as the score falls below the line."),
        ("Help, how do I discard a step?", "Keep one variable `arrived`. It's None while the score "
         "is too low, and it's set at the first step after that."),
        ("Help, almost the code", "In the loop, set `arrived = None` if the score is too low. "
         "Otherwise set `arrived = step`, but only if it's None. Return it at the end."),
    ],
)

NAMES = ("embed.W_E", "blocks.1.attn.W_Q", "blocks.1.ln1.w", "blocks.10.attn.W_Q", "unembed.W_U",
         "old.blocks.1.ln1.w")
BEGINNINGS = ("blocks.1.",), ("embed", "unembed."), (), ("blocks.1.ln1.w",)


def checkpoints(seed):
    """Returns weights whose names begin with, contain and end in the same words."""
    numbers = torch.Generator().manual_seed(seed)
    early, late = ({key: torch.randn(3, generator=numbers) for key in NAMES} for _ in range(2))
    return [(early, late, beginnings) for beginnings in BEGINNINGS]


CHOSEN = "name.startswith(tuple(beginnings))"

exercise("d2.4.4", cases=checkpoints,
    mistakes=[
        edit("(late if", "(early if",
             says="Nothing was exchanged. Take weights with these beginnings from late."),
        edits(("(late if", "(early if"), ("else early)", "else late)"),
              says="early and late are swapped. Take weights with these beginnings from late, and "
                   "all others from early."),
        edit(CHOSEN, "any(each in name for each in beginnings)",
             says="This looks for the words anywhere in a name, and 'embed' is in 'unembed' too. "
                  "Use startswith."),
        edit(CHOSEN, "name in beginnings",
             says="This compares whole names. Use startswith to compare their beginnings."),
        edit("for name in early", f"for name in early if {CHOSEN}",
             says="Only the exchanged weights are returned. Return all of them."),
        edit("tuple(beginnings)", "tuple(beginnings)[:1]",
             says="Only the first of the beginnings counts. Use all of them."),
        edit("else early)", "else late)",
             says="All weights come from late. Take the others from early."),
        edit("(late if name.startswith(tuple(beginnings)) else early)[name]",
             f"(early[name] + late[name]) / 2 if {CHOSEN} else early[name]",
             says="This averages the two weights. Take each weight from one of the two dicts."),
    ],
    right=[
        """
        def graft(early, late, beginnings):
            mixed = dict(early)
            for name in late:
                if any(name[: len(each)] == each for each in beginnings):
                    mixed[name] = late[name].clone()
            return mixed
        """,
    ],
    hints=[
        ("Help, where do I begin?", "Build a new dict with all names of `early`. For each name, "
         "decide which of the two dicts its tensor comes from."),
        ("Help, how do I test for several beginnings?", "`name.startswith(...)` takes a tuple of "
         "strings, and it's true if one of them fits."),
        ("Help, almost the code", "`{name: (late if name.startswith(tuple(beginnings)) else "
         "early)[name] for name in early}`"),
    ],
)

# --- rows to train on -----------------------------------------------------------------------------

VOCAB, SEQ, N, LEAST = 500, 60, 17, 8
MOST = 2 * SEQ // 5
TEXT = torch.arange(VOCAB, 3 * VOCAB)  # no token of it is a random one, and each tells its place


def rows_use(answer, seeds):
    """Checks the rows for one fault after another, and returns their shape."""
    state = torch.get_rng_state()
    generator = lambda seed: torch.Generator().manual_seed(seed)
    draw = lambda seed: torch.as_tensor(answer(TEXT, N, SEQ, VOCAB, generator(seed)))
    drawn = [draw(seed) for seed in seeds]
    if drawn[0].shape != (N, SEQ):
        raise Wrong(f"It returns {list(drawn[0].shape)}, expected [n, seq], here {[N, SEQ]}.")
    if drawn[0].dtype != torch.long:
        raise Wrong(
            f"The tokens are {drawn[0].dtype}, and as indices they must be torch.long."
        )
    if not torch.equal(drawn[0], draw(seeds[0])):
        raise Wrong("With the same generator it returns different rows the second time. Draw "
                    "everything from it.")
    if torch.equal(drawn[0], drawn[1]):
        raise Wrong("It returns the same rows for every generator.")
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("It draws from torch's global generator. Pass generator= to every draw.")
    require_halves(drawn[0])
    several = torch.cat(drawn)
    random = several[:, 0] < VOCAB
    require_periods(several[random])
    require_passages(several[~random])
    return tuple(drawn[0].shape)


def require_halves(rows):
    """Checks that the first n // 2 rows are random and the others come from the text."""
    random = rows < VOCAB
    if (random.any(1) & ~random.all(1)).any():
        raise Wrong("A row is half random and half text. Each row is one of the two.")
    first = random.all(1)
    if first.sum() != N // 2:
        raise Wrong(f"{int(first.sum())} of {N} rows are random, expected n // 2, here {N // 2}.")
    if not first[: N // 2].all():
        raise Wrong("Passages come first. Put the random rows first, and passages after them.")


def require_periods(rows):
    """Checks that each random row repeats with its own period, from all of the range."""
    periods = [period_of(row) for row in rows]
    if None in periods:
        raise Wrong(
            f"A random row isn't repeated within 2 seq // 5, here {MOST} tokens. Repeat it to the "
            "end."
        )
    low, high, batch = min(periods), max(periods), N // 2
    if low < LEAST:
        raise Wrong(f"A row has period {low}, but {LEAST} is the shortest.")
    if len(set(periods)) == 1:
        raise Wrong(
            f"Every row has the period {low}, so a head could learn to attend back by this fixed "
            "distance. Draw one for each row."
        )
    if all(len(set(periods[at : at + batch])) == 1 for at in range(0, len(periods), batch)):
        raise Wrong("The rows of one batch share their period. Draw one for each row, [n // 2, 1].")
    if len(set(periods)) < (MOST - LEAST) // 2:
        raise Wrong(
            f"{len(periods)} rows have only {len(set(periods))} different periods. Draw from all "
            f"of {LEAST} to {MOST}."
        )
    if low > LEAST or high not in (MOST, MOST - 1):
        raise Wrong(
            f"The periods of {len(periods)} rows are from {low} to {high}, expected all from "
            f"{LEAST} to {MOST}."
        )
    if len({tuple(row[:LEAST].tolist()) for row in rows}) < len(rows):
        raise Wrong("Two random rows hold the same tokens. Draw each row anew.")
    if rows.max() < VOCAB - 1 or rows.min() > 0:
        raise Wrong(
            f"The {rows.numel():,} random tokens lie between {int(rows.min())} and "
            f"{int(rows.max())}, expected 0 to {VOCAB - 1}."
        )


def period_of(row):
    """Returns the shortest distance at which the whole row repeats, or None."""
    return next((gap for gap in range(1, MOST + 1) if torch.equal(row[gap:], row[:-gap])), None)


def require_passages(rows):
    """Checks that each passage is an unchanged piece of the text, from a place of its own."""
    if not torch.equal(rows, rows[:, :1] + torch.arange(SEQ)):
        raise Wrong("A passage isn't a piece of the text. Take seq tokens in a row.")
    starts = rows[:, 0] - TEXT[0]
    if len(starts.unique()) < len(starts) // 2:
        raise Wrong("Passages begin at the same place in the text. Draw a place for each.")
    if starts.min() > len(TEXT) // 10 or starts.max() < 0.9 * (len(TEXT) - SEQ):
        raise Wrong(
            f"Passages begin between {int(starts.min())} and {int(starts.max())} of {len(TEXT)} "
            "tokens. Use all of the text."
        )


PERIOD = "torch.randint(8, 2 * seq // 5 + 1, (said, 1), generator=generator)"
START = "torch.randint(len(text) - seq + 1, (n - said, 1), generator=generator)"
DRAWN = "torch.randint(vocab, (said, seq), generator=generator)"
PASSAGES = "text[start + place]"

exercise("d2.4.5", cases=lambda seed: [(range(seed, seed + 60),)], use=rows_use,
    mistakes=[
        edit(PERIOD, "torch.full((said, 1), 20)", says="Draw one for each row."),
        edit(PERIOD, PERIOD.replace("(said, 1)", "(1, 1)") + ".expand(said, 1)",
             says="The rows of one batch share their period."),
        edit("randint(8,", "randint(2,", says="but 8 is the shortest."),
        edit("randint(8,", "randint(10,", says="expected all from 8 to"),
        edit("2 * seq // 5 + 1", "2 * seq // 5 - 2", says="expected all from 8 to"),
        edit("2 * seq // 5 + 1", "seq + 1", says="Repeat it to the end."),
        edit("randint(8, 2 * seq // 5 + 1, (said, 1), generator=generator)",
             "randint(2, (said, 1), generator=generator) * (2 * seq // 5 - 8) + 8",
             says="rows have only 2 different periods."),
        edit(DRAWN, DRAWN.replace("vocab", "vocab // 2"),
             says="random tokens lie between"),
        edit(DRAWN, DRAWN.replace("vocab", "1, vocab"), says="random tokens lie between"),
        edit(PASSAGES, "text[start + torch.zeros_like(place)]", says="Take seq tokens in a row."),
        edit(START, "torch.zeros(n - said, 1, dtype=torch.long)", says="Draw a place for each."),
        edit("len(text) - seq + 1", "len(text) // 2", says="Use all of the text."),
        edit("said = n // 2", "said = n - n // 2", says="rows are random, expected n // 2"),
        edit(f"[drawn.gather(1, place % period), {PASSAGES}]",
             f"[{PASSAGES}, drawn.gather(1, place % period)]",
             says="Put the random rows first, and passages after them."),
        edit(", generator=generator", "", times=3, says="Draw everything from it."),
        edit(DRAWN, "torch.randint(vocab, (1, seq), generator=generator).expand(said, seq)",
             says="Two random rows hold the same tokens."),
        edit(PASSAGES, f"{PASSAGES}]).float() + torch.cat([torch.zeros(n, seq)",
             says="must be torch.long."),
    ],
    right=[
        """
        def mixed_rows(text, n, seq, vocab, generator):
            rows = []
            for row in range(n):
                if row < n // 2:
                    period = int(torch.randint(8, 2 * seq // 5 + 1, (), generator=generator))
                    piece = torch.randint(vocab, (period,), generator=generator)
                    rows.append(piece.repeat(seq // period + 1)[:seq])
                else:
                    start = int(torch.randint(len(text) - seq + 1, (), generator=generator))
                    rows.append(text[start : start + seq])
            return torch.stack(rows)
        """,
    ],
    hints=[
        ("Help, how does a row repeat?", "Draw a whole row of random tokens, and read it at the "
         "places 0, 1, ..., period - 1, 0, 1, and so on. These are place % period. "
         "`drawn.gather(1, places)` does this for all rows."),
        ("Help, how do I cut passages?", "Draw one start for each row, [rows, 1]. Then `text[start "
         "+ torch.arange(seq)]` is [rows, seq]."),
        ("Help, almost the code", "randint leaves out its upper bound, so draw `period = "
         "torch.randint(8, 2 * seq // 5 + 1, (n // 2, 1), generator=generator)`. The last start "
         "is `len(text) - seq`. Join both kinds of rows with `torch.cat`."),
    ],
)

# --- other models ---------------------------------------------------------------------------------

HERE, GONE = ("digits-a", "digits-b"), "digits-c"
NO_HEADS = "This model has no attention heads."


class Refusal(RemixError):
    """Reports that a measure does not fit a model."""


class Slip(ValueError, KeyError, RuntimeError, TypeError, ArithmeticError):
    """Stands for a bug in a measure, as an error of many kinds."""


def size(model):
    return sum(weight.numel() for weight in getattr(model, "weights", {}).values())


def refuses(model):
    if model.name == HERE[0]:
        raise Refusal(NO_HEADS, fix="leave it out.")
    return size(model)


def slips(model):
    raise Slip("a bug in the measure")


def survey_use(answer, seed):
    """Checks a missing model, an empty folder, a refused measure, a bug, and no model at all."""
    found, lines = surveyed(answer, [HERE[0], GONE, HERE[1]], size)
    require_entries(found, HERE, "the models before and after one that cannot be loaded")
    require_line(lines, GONE, why_not(GONE))
    with TemporaryDirectory() as folder:
        found, lines = surveyed(answer, [folder, HERE[1]], size)
        require_entries(found, HERE[1:], "a folder without a model, and a model")
        require_line(lines, folder, why_not(folder))
    found, lines = surveyed(answer, [*HERE], refuses)
    tried = "a model that the measure refuses with a RemixError, and another"
    require_entries(found, HERE[1:], tried)
    require_line(lines, HERE[0], NO_HEADS)
    try:
        surveyed(answer, [*HERE], slips)
    except Slip:
        return surveyed(answer, [], size)[0]
    raise Wrong(
        "An error that isn't a RemixError was swallowed, so a bug in your measure would look like "
        "a missing model. Catch RemixError alone."
    )


def why_not(name):
    """Returns the fact in the library's refusal to load a model."""
    try:
        return str(models.load(name))
    except RemixError as refusal:
        return refusal.fact


def surveyed(answer, names, measure):
    """Returns the result and the printed lines, or raises Wrong for a refusal that escapes."""
    printed, given = io.StringIO(), [*names]
    try:
        with contextlib.redirect_stdout(printed):
            found = answer(given, measure)
    except RemixError as refusal:
        raise Wrong(
            f"It stopped at a model that couldn't be measured ({type(refusal).__name__}). Print "
            "its line, and go on."
        ) from refusal
    if not isinstance(found, dict):
        kind = type(found).__name__
        raise Wrong(f"It returns a {kind}, expected a dict from name to measurement.")
    if given != names:
        raise Wrong("It changes the list `names`. Loop over the list instead.")
    return found, [line for line in printed.getvalue().splitlines() if line.strip()]


def require_entries(found, names, what):
    if any(value is None for value in found.values()):
        raise Wrong(
            f"Tried on {what}. A model that couldn't be measured has the entry None. Leave it out."
        )
    missing = [each for each in names if each not in found]
    if missing:
        raise Wrong(
            f"Tried on {what}. {missing[0]} is missing, and it could be measured. Go on after a "
            "refusal."
        )
    if any(not isinstance(found[each], int) or found[each] < 100 for each in names):
        raise Wrong(f"Tried on {what}. The entries aren't the results of `measure(model)`.")
    if {*found} - {*names}:
        raise Wrong(f"Tried on {what}. There is one entry too many, {min({*found} - {*names})!r}.")


def require_line(lines, model, fact):
    about = [line for line in lines if model in line]
    if not about:
        raise Wrong("No line names the model that was left out. Print its name and error.fact.")
    if len(lines) > 1:
        raise Wrong(
            f"There are {len(lines)} lines, expected one. Print the name and error.fact of each "
            "model that is left out, and nothing else."
        )
    if fact not in about[0]:
        raise Wrong("The line has the name but not the reason. Print error.fact too.")


PRINTED, MEASURED = 'print(f"{name}: {refusal.fact}")', "found[name] = measure(models.load(name))"

exercise("d2.4.6", cases=lambda seed: [(seed,)], use=survey_use,
    mistakes=[
        edit("except RemixError as refusal:", "except ZeroDivisionError as refusal:",
             says="It stopped at a model that couldn't be measured"),
        edit("except RemixError as refusal:",
             "except Exception as refusal:\n            refusal = refusal if hasattr(refusal, "
             "'fact') else RemixError(str(refusal), fix='')",
             says="Catch RemixError alone."),
        edit(PRINTED, "pass", says="No line names the model that was left out."),
        edit(PRINTED, "found[name] = None", says="Leave it out."),
        edit(PRINTED, 'print(f"{name}: {refusal}")', says="lines, expected one."),
        edit(PRINTED, "print(name)", says="The line has the name but not the reason."),
        edit(PRINTED, 'print(f"{name}: it could not be measured.")',
             says="The line has the name but not the reason."),
        edit("except RemixError as refusal:",
             "except ValueError as refusal:\n            refusal = refusal if hasattr(refusal, "
             "'fact') else RemixError(str(refusal), fix='')",
             says="Catch RemixError alone."),
        edit(PRINTED, f"{PRINTED}\n            break", says="and it could be measured."),
        edit(MEASURED, "found[name] = models.load(name)", says="the results of `measure(model)`."),
        edit(MEASURED, "found[name] = measure(name)", says="the results of `measure(model)`."),
        edit("for name in names:", "while names:\n        name = names.pop(0)",
             says="It changes the list `names`."),
        edits((MEASURED, "model = models.load(name)"),
              (PRINTED, f"{PRINTED}\n            continue\n        found[name] = measure(model)"),
              says="It stopped at a model that couldn't be measured"),
        edit("return found", "return list(found.values())",
             says="expected a dict from name to measurement."),
    ],
    right=[
        """
        def survey(names, measure):
            def measured_or_told(name):
                try:
                    return {name: measure(models.load(name))}
                except RemixError as error:
                    print(name, "was left out:", error.fact)
                    return {}

            return {key: value for name in names for key, value in measured_or_told(name).items()}
        """,
    ],
    hints=[
        ("Help, the first missing model stops it", "An error leaves the function unless you catch "
         "it *inside* the loop."),
        ("Help, which errors do I catch?", "Catch `RemixError` and nothing else. `except "
         "Exception` would also swallow a bug in `measure`."),
        ("Help, almost the code", "In the loop, `try` to set `found[name] = "
         "measure(models.load(name))`. In `except RemixError as refusal`, call "
         '`print(f"{name}: {refusal.fact}")`.'),
    ],
)


def tables(seed):
    """Returns scores of few heads and of many, one of which meets the line."""
    numbers = torch.Generator().manual_seed(seed)
    few, many = torch.rand(2, 3, generator=numbers), torch.rand(12, 11, generator=numbers)
    few[0, 2], few[1, 0], few[1, 1] = 0.5, 0.9, -0.7
    return [(few, 0.5), (many, 0.9), (many, 2.0)]


SORTED = "sorted(found, key=lambda pair: -pair[0])"

exercise("d2.4.7", cases=tables,
    sizes="The check uses models of other sizes. Read the sizes off the scores.",
    mistakes=[
        edit(SORTED, "found",
             says="The heads are in the order of their layers. Put the highest score first."),
        edit("-pair[0]", "pair[0]", says="The highest score comes last. Put it first."),
        edit("score >= least", "score > least",
             says="A head whose score is exactly `least` is missing. Use >=."),
        edit("score >= least", "abs(score) >= least",
             says="A score far below zero counts as a high one. Compare the score itself."),
        edit("{layer}.{head}", "{head}.{layer}",
             says="Layer and head are swapped in the names. Head 1 of layer 5 is 5.1."),
        edit("[name for", "[tuple(map(int, name.split('.'))) for",
             says='These are pairs of numbers. Return names, such as "5.1".'),
        edit("[name for", "[float(name) for",
             says="These are numbers. Return names, because 5.1 and 5.10 are two heads."),
        edit(">= least", "< least",
             says="These are the heads *below* `least`. Return those with at least `least`."),
        edit(" if score >= least", "",
             says="All heads are returned. Keep those with at least `least`."),
        edit('f"{layer}.{head}"', 'f"head {layer}.{head}"',
             says='The names begin with a word. Return names such as "5.1".'),
        instead("""
                def strongest(scores, least):
                    order = scores.flatten().argsort(descending=True).tolist()
                    return [f"{i // 8}.{i % 8}" for i in order if scores.flatten()[i] >= least]
                """,
                says="The names assume 8 heads per layer. Read the number of heads off the scores."),
    ],
    right=[
        """
        def strongest(scores, least):
            order = scores.flatten().argsort(descending=True, stable=True)
            places = [divmod(int(place), scores.shape[1]) for place in order]
            return [f"{layer}.{head}" for layer, head in places if scores[layer, head] >= least]
        """,
    ],
    hints=[
        ("Help, how do I get the names?", "Use two loops with `enumerate`. One goes over the rows, "
         "which are layers, and the other over the entries of a row, which are heads."),
        ("Help, how do I sort?", "Make pairs (score, name), and sort them with "
         "`key=lambda pair: -pair[0]`, so the largest score comes first."),
        ("Help, almost the code", 'The name is `f"{layer}.{head}"`. Return `[name for score, name '
         "in sorted(pairs, key=...) if score >= least]`."),
    ],
)

quiz("d2.4.quiz",
    stories=option("rise", "fall", says="Look at the sign of the change in d2.4.1."),
    slope=number(says="A slope is a difference divided by the number of steps."),
    forecast=option("yes", "no",
                    says="How many of the 192 scores were larger at step 2,000? See the last table "
                         "of d2.4.3."),
    auxiliary=name(says="The model card names this head at the top of this part.",
                   also=("head 0.0", "previous-token head", "(0, 0)", "0", "head 0")),
    error=option("before", "after", "difference",
                 says="In d2.4.1, which values did you compute first, before their spread?"),
    hints=[
        ("Help, the stories and the slope", "For `stories` see the table of d2.4.1. For `slope`, "
         "divide 0.4 by 200."),
        ("Help, the forecast and the head", "For `forecast` see the last table of d2.4.3. For "
         "`auxiliary` see the model card at the top of this part."),
        ("Help, the error", "See d2.4.1. The paired error was smaller than the unpaired one, "
         "because the rows were subtracted first."),
    ],
)
