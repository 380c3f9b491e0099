"""How the exercises of day 5, part 6 are judged: contrasts, verdicts, metrics, scrubs, figures."""


import torch

from remix_utils import circuits
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.classroom.findings import Figure
from remix_utils.data import Dataset
from remix_utils.errors import kind_of
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub


def generator(seed):
    return torch.Generator().manual_seed(seed)


# --- two causes -----------------------------------------------------------------------------------


def some_tables(seed):
    """Two tables with an interaction, of other numbers of rows."""
    numbers = generator(seed)
    cases = ("same, same", "another, same", "same, inverted", "another, inverted")
    return [
        ({case: 3 * torch.randn(rows, generator=numbers) + 1 for case in cases},) for rows in (4, 7)
    ]


LAST = "return (same + inverted) / 2, (kept - moved) / 2, (same - inverted) / 2"

exercise("d5.6.1", cases=some_tables,
    mistakes=[
        edit(LAST, "return same, (kept - moved) / 2, (same - inverted) / 2",
             says="The effect of the token is taken at the same position alone. Average over both "
                  "positions."),
        edit(LAST, 'return (same + inverted) / 2, table["same, same"] - table["same, inverted"], '
             "(same - inverted) / 2",
             says="The effect of the position is taken with the same token alone. Average over "
                  "both tokens."),
        edit(LAST, "return (kept - moved) / 2, (same + inverted) / 2, (same - inverted) / 2",
             says="Token and position are exchanged. The token is the first word of a key."),
        edit(LAST, "return (same + inverted) / 2, (kept - moved) / 2, (inverted - same) / 2",
             says="The interaction has the wrong sign. It's the token's loss at the same position "
                  "minus its loss at the inverted one."),
        edit(LAST, "return same + inverted, kept - moved, same - inverted",
             says="All three are twice too large. Take half of each sum and difference."),
        edit(LAST, "return (same + inverted) / 2, (kept - moved) / 2, same - inverted",
             says="The interaction is twice too large. Take half of the difference of the losses."),
        edit(LAST, "return -(same + inverted) / 2, (moved - kept) / 2, (same - inverted) / 2",
             says="The effects have the wrong sign. A loss is the unchanged value minus the "
                  "changed one."),
        edit(LAST, LAST.replace("2, ", "2).mean(), ").replace("return (", "return ((")
             .replace(" (kept", " ((kept").replace(" (same - ", " ((same - ") + ").mean()",
             says="These are means over rows. Give one value for each row."),
    ],
    right=[
        """
        def contrasts(table):
            cases = ("same, same", "another, same", "same, inverted", "another, inverted")
            values = torch.stack([table[case] for case in cases])
            signs = torch.tensor([[1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
            return tuple(signs.to(values) @ values)
        """,
    ],
    hints=[
        ("Help, which numbers belong to the token?", "Two losses, one at the same position and one "
         'at the inverted one. The first is `table["same, same"] - table["another, same"]`.'),
        ("Help, what is the interaction?", "If the two losses by the token agree, it's 0. "
         "Otherwise it's half of their difference."),
        ("Help, almost the code", "With the two losses `same` and `inverted`, the token's effect "
         "is `(same + inverted) / 2` and the interaction is `(same - inverted) / 2`."),
    ],
)


def some_pairs(seed):
    """Pairs for each verdict, the order of the values both ways, and other margins."""
    shift = 0.5 * torch.rand(1, generator=generator(seed)).item()
    pairs = [
        ((0.4, 0.15), (0.6, 0.15), 0.25), ((1.0, 0.02), (0.0, 0.03), 0.25),
        ((0.0, 0.03), (1.0, 0.02), 0.25), ((0.5, 0.01), (0.4, 0.01), 0.25),
        ((0.4, 0.01), (0.5, 0.01), 0.25), ((0.2, 0.1), (0.2, 0.08), 0.25),
        ((0.2, 0.04), (0.1, 0.06), 0.25), ((0.9, 0.1), (0.4, 0.1), 0.25),
        ((0.4, 0.09), (0.9, 0.08), 0.25), ((2.0, 0.1), (1.0, 0.1), 0.5),
        ((2.0, 0.1), (1.0, 0.1), 1.5), ((0.1, 0.02), (0.3, 0.02), 0.25),
    ]  # fmt: skip
    return [
        ((one + shift, se), (two + shift, other), margin)
        for (one, se), (two, other), margin in pairs
    ]


exercise("d5.6.2", cases=some_pairs,
    mistakes=[
        edit("2 * math.hypot(first[1], second[1])", "2 * (first[1] + second[1])",
             says="The errors are added. The error of a difference is the root of the sum of their "
                  "squares."),
        edit("2 * math.hypot(first[1], second[1])", "math.hypot(first[1], second[1])",
             says="This is one error. The verdict needs two on each side."),
        edit("abs(first[0] - second[0])", "first[0] - second[0]",
             says="The difference keeps its sign. Take its size, so that the order of the models "
                  "doesn't matter."),
        edit('"different" if apart - error > margin else "open"', '"different"',
             says="What isn't the same for sure is called different. It may be open."),
        edit("if apart + error < margin:", "if apart - error < 0:",
             says="\"Not significantly different\" is called the same. The difference plus two "
                  "errors has to be inside the margin."),
        edit("if apart + error < margin:", "if apart < margin:",
             says="The error isn't used for \"same\". A noisy pair can have a small difference by "
                  "chance."),
        edit("apart - error > margin", "apart - error > 0",
             says="A sure difference counts as different, however small. It has to be above the "
                  "margin."),
    ],
    right=[
        """
        def same_way(first, second, margin=0.25):
            error = (first[1] ** 2 + second[1] ** 2) ** 0.5
            low, high = (abs(second[0] - first[0]) + side * 2 * error for side in (-1, 1))
            return "same" if high < margin else "open" if low <= margin else "different"
        """,
    ],
    hints=[
        ("Help, which error?", "`math.hypot(a, b)` is the root of a² + b². Take it twice."),
        ("Help, when is it the same?", "If the whole range, from the difference minus two errors "
         "to the difference plus two errors, is below the margin."),
        ("Help, almost the code", "With `apart` and `error`, it's `\"same\"` if `apart + error < "
         "margin`, and `\"different\"` if `apart - error > margin`."),
    ],
)

# --- a metric, and parts that stand out -----------------------------------------------------------


def some_words(seed):
    """Right words in rows with other numbers of them."""
    numbers, cases = generator(seed), []
    for words, counts in ((10, (3, 8, 1, 5)), (4, (1, 1, 1)), (2, (1, 1, 1, 1, 1))):
        right = torch.zeros(len(counts), words, dtype=torch.bool)
        for row, count in enumerate(counts):
            right[row, torch.randperm(words, generator=numbers)[:count]] = True
        cases.append((right,))
    return cases


WEIGHTS = "right / right.sum(1, keepdim=True) - wrong / wrong.sum(1, keepdim=True)"

exercise("d5.6.3", cases=some_words,
    sizes="The check uses 2 to 10 words, of which other numbers are right in each row.",
    mistakes=[
        edit(WEIGHTS, "right - wrong",
             says="These are sums over words. Divide each side by its number of words in the row."),
        edit(WEIGHTS, WEIGHTS.replace("right / right", "wrong / wrong", 1)
             .replace("- wrong / wrong", "- right / right"),
             says="The signs are reversed. Right words have positive weights."),
        edit(WEIGHTS, "(right - wrong) / right.shape[1]",
             says="Both sides are divided by the number of all words. Divide each by its own."),
        edit(WEIGHTS, WEIGHTS.replace("1, keepdim=True", ""),
             says="The words of all rows are counted together. Each row has its own numbers."),
        edit(WEIGHTS, "right / right.sum(1, keepdim=True)",
             says="The wrong words have no weight. Subtract their mean."),
    ],
    right=[
        """
        def weights(right):
            found = torch.empty(right.shape)
            for row, mine in enumerate(right):
                found[row, mine] = 1 / int(mine.sum())
                found[row, ~mine] = -1 / int((~mine).sum())
            return found
        """,
    ],
    hints=[
        ("Help, how does a mean become weights?", "With three right words, each has the weight "
         "1/3. With seven wrong ones, each has −1/7."),
        ("Help, how many words in each row?", "`right.sum(1, keepdim=True)` counts them as [rows, "
         "1], which divides each row."),
        ("Help, almost the code", "`right / right.sum(1, keepdim=True)`, minus the same for "
         "`wrong = 1 - right`."),
    ],
)

KINDS = {  # mean and noise in the first half, mean and noise in the second half
    "lucky": (2.0, 0.2, 0.0, 0.2), "noisy": (1.2, 12.0, 1.2, 0.2),
    "sure, weak": (1.0, 0.2, 1.5, 0.2), "strong": (3.0, 0.2, 0.7, 0.2),
    "unlucky": (0.0, 0.1, 4.0, 0.2),
    "tiny": (0.1, 0.01, 0.1, 0.01), "against": (-3.0, 0.2, -3.0, 0.2),
}  # fmt: skip


def some_effects(seed):
    """Effects that differ between the halves in every way that matters."""
    numbers, cases = generator(seed), []
    for rows in (20, 26):
        first = torch.zeros(rows, dtype=torch.bool)
        first[torch.randperm(rows, generator=numbers)[: rows // 2 - 1]] = True
        effects = {}
        for name, (mean, noise, later, other) in KINDS.items():
            drawn = torch.randn(rows, generator=numbers)
            drawn[first] -= drawn[first].mean()
            effects[name] = torch.where(first, mean + noise * drawn, later + other * drawn)
        cases.append((effects, first, 0.3))
    return cases


def found_use(answer, effects, first, least):
    """The order of the names and two numbers for each."""
    result = answer(dict(effects), first.clone(), least)
    if not isinstance(result, dict):
        raise Wrong(f"It gives {kind_of(result)}, expected a dict from names to Estimates.")
    for value in result.values():
        if not isinstance(value, circuits.Estimate):
            raise Wrong(f"A value is {kind_of(value)}, expected a circuits.Estimate.")
    return {"the names in order": list(result), "the estimates": dict(result)}


CHOSEN = "if mean > 3 * se and mean > least:"
MEASURED = "circuits.Estimate.over_rows(effects[name][~first])"

exercise("d5.6.4", cases=some_effects, use=found_use,
    mistakes=[
        edit(MEASURED, "circuits.Estimate.over_rows(effects[name][first])",
             says="The effects are reported on the half on which they were chosen. Use the other "
                  "half."),
        edit(MEASURED, "circuits.Estimate.over_rows(effects[name])",
             says="The effects are reported on all rows, and the first half chose them. Use the "
                  "second half alone."),
        edits(("over_rows(values[first])", "over_rows(values[~first])"),
              (MEASURED, MEASURED.replace("~first", "first")),
              says="The halves are exchanged. Choose where `first` is true."),
        edit("over_rows(values[first])", "over_rows(values)",
             says="The parts are chosen on all rows, so the second half has been looked at."),
        edit(CHOSEN, "if mean > least:",
             says="A part with a large error is chosen. Its mean must be above three errors."),
        edit(CHOSEN, "if mean > 3 * se:",
             says="A part below `least` is chosen. Both conditions have to hold."),
        edit(CHOSEN, "if abs(mean) > 3 * se and abs(mean) > least:",
             says="Parts that lower the score are chosen as well. Take those that raise it."),
        edit("sorted(means, key=lambda name: -means[name])", "list(means)",
             says="The order is that of `effects`. Begin with the largest mean on the first half."),
        edit("sorted(means, key=lambda name: -means[name])",
             "sorted(means, key=lambda name: -effects[name][~first].mean())",
             says="The order looks at the second half. Order by the means on the first half."),
        edit("key=lambda name: -means[name]", "key=lambda name: means[name]",
             says="The smallest comes first. Begin with the largest mean on the first half."),
    ],
    right=[
        """
        def found_then_measured(effects, first, least):
            early = {name: circuits.Estimate.over_rows(v[first]) for name, v in effects.items()}
            passed = [(float(e.mean), name) for name, e in early.items()
                      if float(e.mean) > max(3 * float(e.se), least)]
            later = {}
            for _, name in sorted(passed, reverse=True):
                later[name] = circuits.Estimate.over_rows(effects[name][first.logical_not()])
            return later
        """,
    ],
    hints=[
        ("Help, how do I take a half?", "`values[first]` has the rows at which `first` is true, "
         "and `values[~first]` has the others."),
        ("Help, what is an Estimate?", "`circuits.Estimate.over_rows(values)` has a mean and a "
         "standard error. `mean, se = ...` unpacks it."),
        ("Help, almost the code", "Collect the means on the first half of parts that pass both "
         "tests, sort the names by them, and estimate each on `effects[name][~first]`."),
    ],
)

# --- a hypothesis ---------------------------------------------------------------------------------


def small_case(seed, n_heads=2, seq=4):
    """The score of a random model with MLPs, and rows of two templates, facts and signs."""
    graph = small_model(seed, n_layers=2, n_heads=n_heads).graph(seq=seq)
    score = circuits.word_score(split(graph, "blocks.*.attn_out", "head"), 3)
    numbers = generator(seed)
    columns = {
        "tokens": torch.randint(13, (8, seq), generator=numbers),
        "candidates": torch.stack([torch.randperm(13, generator=numbers)[:3] for _ in range(8)]),
        "weights": torch.randn(8, 3, generator=numbers),
        "template": torch.tensor([3, 3, 3, 3, 8, 8, 8, 8]),
        "fact": torch.tensor([0, 0, 1, 1, 0, 0, 1, 0]),
        "sign": torch.tensor([0, 1, 1, 0, 1, 1, 0, 0]),
    }
    return Graph(score, columns)


def some_claims(seed):
    """A head's output and an MLP, with columns for the path and for the rest, or with no rest."""
    one, two = small_case(seed), small_case(seed + 1, n_heads=3, seq=5)
    head, mlp = at("blocks.0.attn.head.1.out"), at("blocks.1.mlp_out")
    return [
        (one, head, ("fact",), None), (one, mlp, ("fact",), ()), (two, head, (), ("sign",)),
        (two, mlp, ("fact",), ("sign",)),
    ]  # fmt: skip


def claim_use(answer, graph, path, carried, rest):
    """What a hypothesis allows: three moments of the score for each reference."""
    claim = answer(path, carried, rest)
    if not isinstance(claim, Interp):
        raise Wrong(f"It gives {kind_of(claim)}, expected a hypothesis, an Interp.")
    result = scrub(graph.node, claim, Dataset(graph.inputs), "all", metric=bounded)
    reference = torch.nn.functional.one_hot(result.rows["reference"], len(graph.inputs["fact"]))
    powers = torch.stack([result.per_example.double() ** power for power in (1, 2, 3)], dim=1)
    if "path" not in [child.name for child in claim.children]:
        raise Wrong("Later cells look up the rows of a node named 'path'. Give the path's node "
                    "this name.")
    return (reference.double().T * result.weights) @ powers


def bounded(output, reference):
    return (0.3 * output).tanh()


OTHERS = "others = Exact() if rest is None else Matching(same(*rest))"

exercise("d5.6.5", cases=some_claims, use=claim_use, tolerance=CLOSE,
    sizes="The check uses small random models, other paths and other columns.",
    mistakes=[
        edit('for name in ("candidates", "weights")]', 'for name in ("candidates",)]',
             says="The weights come from another row, so another question is scored. Keep them "
                  "exact."),
        edit('for name in ("candidates", "weights")]', 'for name in ("weights",)]',
             says="The candidates come from another row, so other words are compared. Keep them "
                  "exact."),
        edit('for name in ("candidates", "weights")]', "for name in ()]",
             says="Words and weights come from another row, so another question is scored. Keep "
                  "both exact."),
        edit("Matching(same(*carried))", "Matching(same())",
             says="`carried` isn't used, so the path carries the template alone."),
        edit("Matching(same(*carried))", "Exact()",
             says="The path reads the reference. It should read another row that agrees in "
                  "`carried`."),
        edit(OTHERS, "others = Exact()",
             says="Everything else is always exact. With a tuple as `rest` it reads another row."),
        edit(OTHERS, "others = Exact() if not rest else Matching(same(*rest))",
             says="An empty `rest` is treated as None. It means rows of the same template."),
        edit(OTHERS, "others = Matching(same(*(rest or ())))",
             says="With `rest` None, everything else should be exact. Here it reads another row."),
        edit("Exact(), kept, others=others)", "Exact(), kept)",
             says="`others` isn't given to the root, so everything else reads any row. Pass it."),
        edit("Matching(same(*carried))", "Matching(same(*(rest or ())))",
             says="The path agrees in `rest`. It should agree in `carried`."),
        edit("Matching(same(*rest))", "Matching(same(*carried))",
             says="Everything else agrees in `carried`. It should agree in `rest`."),
        edit('at("word_score"), Exact()', 'at("word_score"), Matching(same(*carried))',
             says="The root reads another row. It's about the reference, so use Exact()."),
    ],
    right=[
        """
        def hypothesis(path, carried, rest):
            below = [Interp("path", path, Matching(same(*carried)))]
            below += [Interp("words", "candidates", Exact()), Interp("how", "weights", Exact())]
            if rest is None:
                return Interp("root", "word_score", Exact(), below, others=Exact())
            return Interp("root", "word_score", Exact(), below, others=Matching(same(*rest)))
        """,
    ],
    hints=[
        ("Help, how many children?", "Three: the two inputs that say what is asked, and the path."),
        ("Help, what are others?", "All that no child claims. It's `Exact()` if `rest` is None, "
         "and `Matching(same(*rest))` otherwise."),
        ("Help, almost the code", '`Interp("score", at("word_score"), Exact(), kept, others=...)`, '
         'where `kept` has an exact Interp for each input and `Interp("path", path, ...)`.'),
    ],
)

# --- misleading prompts, and figures --------------------------------------------------------------


def some_answers(seed):
    """Right and wrong answers, with changes both ways, one way, and none."""
    numbers, cases = generator(seed), []
    for rows, lost, gained in ((30, 6, 1), (24, 2, 5), (12, 0, 0), (20, 3, 3), (40, 9, 0)):
        control = torch.rand(rows, generator=numbers) < 0.6
        control[:lost], control[lost : lost + gained] = True, False
        misleading = control.clone()
        misleading[: lost + gained] ^= True
        order = torch.randperm(rows, generator=numbers)
        cases.append((control[order], misleading[order]))
    return cases


P_VALUE = "min(1.0, 2 * ways / 2**n)"

exercise("d5.6.6", cases=some_answers, tolerance=1e-6,
    mistakes=[
        edit("n = lost + gained", "n = len(control)",
             says="All prompts are counted as coins. Those that don't change say nothing."),
        edit(P_VALUE, "ways / 2**n",
             says="This is one side. Double it, since the sentence could also have helped."),
        edit(P_VALUE, "2 * ways / 2**n",
             says="The p-value is above 1 where both numbers agree. It's at most 1."),
        edit("range(min(lost, gained) + 1)", "range(min(lost, gained))",
             says="The number itself is left out. Count from 0 to the smaller number, that number "
                  "included."),
        edit("range(min(lost, gained) + 1)", "[min(lost, gained)]",
             says="Only the number that was found is counted. Add all smaller numbers."),
        edits(("int((control & ~misleading).sum())", "int((~control & misleading).sum())"),
              ("gained = int((~control & misleading).sum())",
               "gained = int((control & ~misleading).sum())"),
              says="The two numbers are exchanged. Lost is right after the control and wrong after "
                   "the misleading sentence."),
        edits(("int((control & ~misleading).sum())", "int((~misleading).sum())"),
              ("gained = int((~control & misleading).sum())", "gained = int((~control).sum())"),
              says="These are all wrong answers after each sentence. Count the prompts that "
                   "change."),
    ],
    right=[
        """
        def paired(control, misleading):
            changed = control != misleading
            gained = int((changed & misleading).sum())
            lost = int(changed.sum()) - gained
            below = [math.comb(lost + gained, k) for k in range(lost + gained + 1)
                     if k <= min(lost, gained)]
            return lost, gained, min(1.0, sum(below) * 0.5 ** (lost + gained - 1))
        """,
    ],
    hints=[
        ("Help, which prompts change?", "`control & ~misleading` is true where a right answer "
         "turns wrong."),
        ("Help, how do I count coins?", "n coins have 2ⁿ outcomes, and `math.comb(n, k)` of them "
         "have k heads."),
        ("Help, almost the code", "Sum `math.comb(n, k)` for k from 0 to the smaller number, "
         "divide by `2**n`, double it, and take at most 1."),
    ],
)


def some_values(seed):
    """Values with larger errors over templates, with larger ones over prompts, and one template."""
    numbers, cases = generator(seed), []
    for name, template, spread in (
        ("score", torch.arange(4).repeat_interleave(5), 2.0),
        ("direct effect", torch.tensor([7, 9] * 9), 0.0),
        ("share", torch.full((6,), 3), 1.0),
    ):
        values = torch.randn(len(template), generator=numbers) + 1
        values = values + spread * template
        if not spread:  # the means of the templates agree, so their error is small
            values[template == 7] -= values[template == 7].mean()
            values[template == 9] -= values[template == 9].mean()
        cases.append((name, values, template, "logits" if spread else "shares"))
    return cases


def figure_use(answer, name, values, template, unit):
    found = answer(name, values, template, unit)
    if not isinstance(found, Figure):
        raise Wrong(f"It gives {kind_of(found)}, expected a Figure.")
    return {"name": found.name, "value": found.value, "se": found.se, "over": found.over,
            "unit": found.unit}


CHOICE = "max(error for error in errors if not math.isnan(error))"

exercise("d5.6.7", cases=some_values, use=figure_use, tolerance=1e-4,
    sizes="The check uses 1, 2 and 4 templates, and other units.",
    mistakes=[
        edit(CHOICE, "float(over_prompts)",
             says="The error is always the one over prompts. Take the larger of both."),
        edit(CHOICE, "errors[math.isnan(errors[1]) - 1]",
             says="The error is always the one over templates. Take the larger of both."),
        edit(CHOICE, CHOICE.replace("max", "min"),
             says="This is the smaller of both errors. Take the larger one."),
        edit(CHOICE, "math.hypot(*(error for error in errors if not math.isnan(error)))",
             says="The two errors are combined. The one over templates already contains the "
                  "prompts, so take the larger one."),
        edit("len(template.unique())", "int(template.max()) + 1",
             says="The templates are counted up to the largest number. Count those that occur."),
        edit("{len(values)} prompts, {len(template.unique())} templates",
             "{len(template.unique())} templates, {len(values)} prompts",
             says="Prompts come first in `over`, then templates."),
        edit(", unit=unit", "",
             says="The figure has no unit. Pass it on."),
    ],
    right=[
        """
        def figure(name, values, template, unit):
            se = circuits.Estimate.over_rows(values).se.item()
            kinds = len(set(template.tolist()))
            if kinds > 1:
                se = max(se, circuits.Estimate.over_groups(values, template).se.item())
            over = f"{len(values)} prompts, {kinds} templates"
            return Figure(name, values.mean().item(), se, over, unit)
        """,
    ],
    hints=[
        ("Help, where are the two errors?", "`circuits.Estimate.over_rows(values).se` and "
         "`circuits.Estimate.over_groups(values, template).se`."),
        ("Help, one of them is NaN", "With a single template there's no spread between templates. "
         "Leave out an error for which `math.isnan` is true."),
        ("Help, almost the code", 'Return `Figure(name, float(mean), se, over=f"{len(values)} '
         'prompts, {len(template.unique())} templates", unit=unit)`.'),
    ],
)

quiz("d5.6.quiz",
    cancel=option("whole heads", "path",
                  says="Which of the two tables sums over all paths of the senders?"),
    verdict=option("same", "different", "open",
                   says="The error of the difference is 14 %. Add two of them to the 10 %, and "
                        "compare with the margin."),
    half=option("first", "second", says="d5.6.4: which half hasn't been used for the choice?"),
    coins=number(says="Only prompts that change are coins."),
    alone=option("enough", "needed",
                 says="Everything else carries no fact, and the score is still there."),
    hints=[
        ("Help, the verdict", "d5.6.2: the difference plus two errors, and minus two errors."),
        ("Help, the coins", "d5.6.6: which prompts could have gone either way?"),
        ("Help, the rest", "Both tables of d5.6.1 for the paths, d5.6.4 for the halves, d5.6.5 for "
         "the last question."),
    ],
)
