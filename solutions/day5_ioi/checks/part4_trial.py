"""How the exercises of day 5, part 4 are judged: knock-outs, self-repair, sets of heads, signals."""

from itertools import combinations

import torch

from remix_utils import circuits, evaluate, split
from remix_utils.checks.exercise import edit, edits, exercise, quiz
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.graph.ops import array
from remix_utils.tasks import ioi


def generator(seed):
    return torch.Generator().manual_seed(seed)


# --- means and knock-outs -------------------------------------------------------------------------


def some_values(seed):
    """Values of one to three axes, of templates in a random order, one of them without rows."""
    numbers, cases = generator(seed), []
    for axes, count, missing in (((), 3, 1), ((4,), 5, 0), ((2, 3), 4, 3)):
        present = torch.tensor([each for each in range(count) if each != missing])
        drawn = present[torch.randint(len(present), (6,), generator=numbers)]
        template = torch.cat([present.flip(0), drawn])
        values = torch.randn(len(template), *axes, generator=numbers) + 1
        cases.append((values, template, count))
    return cases


ONE_TEMPLATE = "values[template == number].mean(0)"

exercise("d5.4.1", cases=some_values,
    sizes="The check uses 3 to 5 templates, of which one has no rows, and values of 1 to 3 axes.",
    mistakes=[
        edit(ONE_TEMPLATE, "values.mean(0)",
             says="Every template gets the mean of all rows. Average over the rows of each "
                  "template."),
        edit(ONE_TEMPLATE, "values[template == number].sum(0)",
             says="These are sums. Divide by the number of rows of the template."),
        edit(ONE_TEMPLATE, "values[template == number].mean()",
             says="The mean also runs over the axes after the rows. Take it over rows alone."),
        edit(ONE_TEMPLATE, "values[template == number][0]",
             says="Each entry is one row of its template. Take the mean of all its rows."),
        edit("for number in template.unique().tolist():\n        table[number]",
             "for place, number in enumerate(template.unique().tolist()):\n        table[place]",
             says="The entries are counted in the order of the templates that have rows. Entry t "
                  "belongs to template t."),
        edit("for number in template.unique().tolist()", "for number in range(count)",
             says="A template without rows gets nan. Leave its entry at zero."),
        edit("return table", "return table[template]",
             says="This is one mean for each row. Give a table with one entry for each template."),
    ],
    right=[
        """
        def template_means(values, template, count):
            which = torch.nn.functional.one_hot(template, count).to(values.dtype)
            sums = torch.tensordot(which.T, values, dims=1)
            sizes = which.sum(0).clamp(min=1)
            return sums / sizes.reshape(-1, *[1] * (values.ndim - 1))
        """,
    ],
    hints=[
        ("Help, how do I begin with zeros?", "`values.new_zeros(count, *values.shape[1:])` has the "
         "right shape for any number of axes."),
        ("Help, which rows are those of a template?", "`values[template == number]` takes them, "
         "and `.mean(0)` averages over rows."),
        ("Help, almost the code", "Loop over `template.unique().tolist()` and write the mean of "
         "these rows to `table[number]`."),
    ],
)


def some_networks(seed):
    """Small random models with their heads apart, some heads, a node for each, and tokens."""
    numbers, cases = generator(seed), []
    for layers, heads, neurons, chosen in (
        (2, 2, 0, [(0, 1), (1, 0)]),
        (3, 3, 12, [(0, 0), (1, 1), (1, 2)]),
        (2, 3, 12, [(1, 2)]),
        (2, 2, 0, []),
    ):
        seq = 4 + layers
        whole = small_model(seed + layers, neurons, layers, heads).graph(seq=seq)
        graph = split(whole, "blocks.*.attn_out", "head")
        means = {
            head: array(torch.randn(output.shape, generator=numbers), output.name)
            for head, output in circuits.head_outputs(graph).items()
        }
        tokens = torch.randint(13, (3, seq), generator=numbers)
        cases.append((graph, chosen, means, {"tokens": tokens}))
    return cases


def knock_use(answer, graph, heads, means, inputs):
    return evaluate(answer(graph, heads, means), inputs)


EACH_HEAD = "outputs[head]: means[head] for head in heads"

exercise("d5.4.2", cases=some_networks, use=knock_use, tolerance=1e-4,
    sizes="The check uses random models of 2 and 3 layers, with and without MLPs.",
    mistakes=[
        edit(EACH_HEAD, "outputs[head]: means[head] for head in outputs if head not in heads",
             says="The heads of the list are kept and all others are at their means. Knock out "
                  "the heads of the list."),
        edit(EACH_HEAD, "outputs[head]: array(torch.zeros(outputs[head].shape)) for head in heads",
             says="The heads are at zero. Replace them with their nodes in `means`."),
        edit(EACH_HEAD, "outputs[head]: means[head] for head in heads[:1]",
             says="Only the first head is replaced. Replace all of them."),
        edit(EACH_HEAD, "outputs[head]: add(outputs[head], means[head]) for head in heads",
             says="The mean is added to the head's output. It takes the place of the output."),
        edit(EACH_HEAD, "outputs[head]: means[head] for head in outputs",
             says="All heads of the model are at their means. Replace only the heads of the list."),
    ],
    right=[
        """
        def knock_out(graph, heads, means):
            for layer, head in sorted(heads, reverse=True):
                name = f"blocks.{layer}.attn.head.{head}.out"
                graph = update(graph, name, lambda node: means[layer, head])
            return graph
        """,
    ],
    hints=[
        ("Help, where are the heads in the graph?", "`circuits.head_outputs(graph)` is a dict from "
         "(layer, head) to the node of the head's output."),
        ("Help, one after another or all at once?", "All at once is simplest. `replace` takes a "
         "dict with one entry for each head, and an empty dict changes nothing."),
        ("Help, almost the code", "`replace(graph, {outputs[head]: means[head] for head in "
         "heads})`."),
    ],
)

# --- self-repair ----------------------------------------------------------------------------------


def some_accounts(seed):
    """Parts before and after, and which of them were removed."""
    numbers, cases = generator(seed), []
    for count, rows, gone in ((5, 4, (1, 3)), (7, 6, (4,)), (6, 3, (0, 2, 5))):
        names = [f"part {k}" for k in range(count)]
        before, after = (
            {name: torch.randn(rows, generator=numbers) for name in names} for _ in range(2)
        )
        cases.append((before, after, [names[k] for k in gone]))
    return cases


def account_use(answer, before, after, removed):
    """The prediction, the order of the other parts, and their changes; nothing may be changed."""
    predicted, others = answer(dict(before), dict(after), list(removed))
    return {"predicted": predicted, "the order of the others": list(others), "others": others}


exercise("d5.4.3", cases=some_accounts, use=account_use,
    mistakes=[
        edit("after[name] - before[name]", "before[name] - after[name]",
             says="The sign of all changes is reversed. A part that rises has a positive change."),
        edits(("changes.pop(name) for name in removed", "-before[name] for name in removed"),
              ("order = sorted(changes",
               "changes = {name: changes[name] for name in changes if name not in removed}\n"
               "    order = sorted(changes"),
              says="The prediction takes the whole part of a removed head. At its mean it still "
                   "has a part: take after minus before."),
        edit("changes.pop(name)", "changes[name]",
             says="The removed parts are among the others as well. Leave them out."),
        edit("-changes[name].mean()", "changes[name].mean()",
             says="The part that falls most comes first. Begin with the part that rises most."),
        edit("-changes[name].mean()", "-changes[name].abs().mean()",
             says="The order is by size. A part that falls comes after all that rise."),
        edit(".sum(0)", ".mean(0)",
             says="The prediction is the mean over removed parts. Take their sum."),
        edit(".sum(0)", ".sum()",
             says="The prediction is one number for all rows. Give one for each row."),
    ],
    right=[
        """
        def account(before, after, removed):
            predicted = sum(after[name] for name in removed)
            predicted = predicted - sum(before[name] for name in removed)
            left = [(float((after[name] - before[name]).sum()), name) for name in before
                    if name not in removed]
            ordered = [name for _, name in sorted(left, reverse=True)]
            return predicted, {name: after[name] - before[name] for name in ordered}
        """,
    ],
    hints=[
        ("Help, what is predicted?", "The sum over the removed parts of after minus before, for "
         "each row."),
        ("Help, how do I order a dict?", "`sorted(changes, key=...)` gives the names in order. "
         "Build a new dict from them."),
        ("Help, almost the code", "Make a dict of all changes. `pop` the changes of the removed "
         "parts and sum them, then sort the other names by minus the mean of their change."),
    ],
)


def some_scales(seed):
    """Parts of which the earlier ones are only scaled; in some rows one is 0, or they cancel."""
    numbers, cases = generator(seed), []
    for early, late, rows in ((3, 4, 5), (2, 3, 4)):
        names = [f"early {k}" for k in range(early)]
        ratio = 0.7 + torch.rand(rows, generator=numbers)
        before = {name: torch.randn(rows, generator=numbers) for name in names}
        before[names[0]][1] = 0.0
        before[names[0]][2] = -sum(before[name][2] for name in names[1:])
        after = {name: ratio * before[name] for name in names}
        for name in [f"late {k}" for k in range(late)]:
            before[name] = torch.randn(rows, generator=numbers)
            after[name] = torch.randn(rows, generator=numbers)
        cases.append((before, after, names))
    return cases


WRITE = "after[name] / ratio - before[name]"

exercise("d5.4.4", cases=some_scales, tolerance=1e-4,
    mistakes=[
        edit("(old * new).sum(0) / (old * old).sum(0)", "(old * new).sum(0) / (new * new).sum(0)",
             says="The ratio is upside down. It's the factor from before to after."),
        edit("(old * new).sum(0) / (old * old).sum(0)", "(new / old).mean(0)",
             says="Each part is divided by itself, and a part that is 0 in a row has no ratio. Sum "
                  "over the parts first."),
        edit("(old * new).sum(0) / (old * old).sum(0)", "new.sum(0) / old.sum(0)",
             says="The ratio divides plain sums, in which parts of opposite sign cancel. Multiply "
                  "each part by its value before, as in the formula."),
        edit("(old * new).sum(0) / (old * old).sum(0)", "(old * new).sum() / (old * old).sum()",
             says="There's one ratio for all rows. Each row has its own."),
        edit("for name in earlier]", "for name in before]", times=2,
             says="The ratio is taken from all parts. Only the earlier ones write the same as "
                  "before."),
        edit(WRITE, "after[name] - before[name]",
             says="This is the whole change. Divide `after` by the ratio, which takes the scale "
                  "out."),
        edit(WRITE, "after[name] - ratio * before[name]",
             says="This is the write at the new scale. The exercise asks for the write at the old "
                  "scale, after / ratio - before."),
        edit(WRITE, "(after[name] - before[name]) / ratio",
             says="Both are divided by the ratio. Only `after` has the new scale."),
        edit(WRITE, "after[name] - after[name] / ratio",
             says="This is the change of scale. The write is the rest of the change."),
    ],
    right=[
        """
        def scale_and_writes(before, after, earlier):
            above = sum(before[name] * after[name] for name in earlier)
            below = sum(before[name] ** 2 for name in earlier)
            writes = {}
            for name, values in after.items():
                writes[name] = values * below / above - before[name]
            return above / below, writes
        """,
    ],
    hints=[
        ("Help, which parts measure the ratio?", "The parts in `earlier`. Stack their values to "
         "[parts, rows], before and after."),
        ("Help, how does least squares work here?", "For each row, divide the sum over "
         "parts of before times after by the sum of before squared."),
        ("Help, almost the code", "`ratio = (old * new).sum(0) / (old * old).sum(0)`, and for each "
         "name of `before` the value `after[name] / ratio - before[name]`."),
    ],
)

# --- circuits -------------------------------------------------------------------------------------


def some_shares(seed):
    """Differences of a circuit, of the empty one and of the model, of which one row has no room."""
    numbers, cases = generator(seed), []
    for rows in (6, 9):
        empty = torch.randn(rows, generator=numbers)
        full = 4 + torch.randn(rows, generator=numbers)
        part = empty + 0.6 * (full - empty) + torch.randn(rows, generator=numbers)
        full[0] = empty[0] + 0.1
        cases.append((part, empty, full))
    return cases


exercise("d5.4.5", cases=some_shares, tolerance=1e-4,
    mistakes=[
        edit("(above.sum() / below.sum()).item()", "(above / below).mean().item()",
             says="The share is a mean of shares of single rows, so a row with full near empty "
                  "dominates it. Divide the means."),
        edits(("part - empty, full - empty", "part, full"),
              says="The empty circuit isn't subtracted. It has a difference of its own."),
        edit("error = ((len(shares) - 1) / len(shares) * spread).sqrt()",
             "error = (spread / (len(shares) - 1) / len(shares)).sqrt()",
             says="This is the error of a mean of independent values. Jackknife shares are almost "
                  "equal, so multiply the sum of squares by (n - 1) / n."),
        edit("error = ((len(shares) - 1) / len(shares) * spread).sqrt()",
             "error = spread.sqrt()",
             says="The factor (n - 1) / n is missing under the root."),
        edit("error = ((len(shares) - 1) / len(shares) * spread).sqrt()",
             "error = (spread / len(shares)).sqrt()",
             says="This is the spread of the jackknife shares, which are almost equal. Multiply "
                  "the sum of squares by (n - 1) / n, not by 1 / n."),
        edit("error = ((len(shares) - 1) / len(shares) * spread).sqrt()",
             "error = (len(shares) - 1) / len(shares) * spread",
             says="The error is squared. Take the root."),
        edit("(above.sum() - above) / (below.sum() - below)", "above / below",
             says="The error is built from shares of single rows. Leave out one row at a time."),
        edit("(above.sum() - above) / (below.sum() - below)",
             "(above.sum() - above) / below.sum()",
             says="A row is left out of the numerator alone. Leave it out of both."),
    ],
    right=[
        """
        def recovered(part, empty, full):
            n, shares = len(part), []
            for row in range(n):
                kept = [k for k in range(n) if k != row]
                low = empty[kept].mean()
                shares.append(float((part[kept].mean() - low) / (full[kept].mean() - low)))
            middle = sum(shares) / n
            error = math.sqrt((n - 1) / n * sum((share - middle) ** 2 for share in shares))
            low = empty.mean()
            return float((part.mean() - low) / (full.mean() - low)), error
        """,
    ],
    hints=[
        ("Help, how do I leave out a row?", "`values.sum() - values` is, for each row, the sum of "
         "all other rows."),
        ("Help, the means of the others", "You need the share between means without one row. Both "
         "means divide by n - 1, so the share is a quotient of sums."),
        ("Help, almost the code", "`shares = (above.sum() - above) / (below.sum() - below)`, then "
         "the formula of the text."),
    ],
)


def some_groups(seed):
    """Groups of heads of several sizes, one of them with a single head."""
    numbers, cases = generator(seed), []
    for sizes in ((2, 3), (1, 2, 4)):
        order = torch.randperm(40, generator=numbers).tolist()
        groups = {}
        for place, size in enumerate(sizes):
            groups[f"group {place}"] = [divmod(order.pop(), 8) for _ in range(size)]
        cases.append((groups,))
    return cases


def sets_use(answer, groups):
    """For each head both sets, in order."""
    found = answer({name: list(heads) for name, heads in groups.items()})
    return {
        f"{layer}.{head}": [[list(each) for each in sorted(kept)] for kept in pair]
        for (layer, head), pair in sorted(found.items())
    }


PAIR = "(rest | {head}, rest)"

exercise("d5.4.6", cases=some_groups, use=sets_use,
    mistakes=[
        edit(PAIR, "(circuit, circuit - {head})",
             says="K is empty. Take out the rest of the head's group first."),
        edit(PAIR, "(rest, rest | {head})",
             says="The two sets are exchanged. The one with the head comes first."),
        edit(PAIR, "({head}, set())",
             says="Only the head's own group is kept or removed. The other groups stay in both "
                  "sets."),
        edit(PAIR, "(circuit, rest)",
             says="The first set holds the whole group. Keep the head alone of its group."),
        edit(PAIR, "(rest | {head}, set(heads) - {head})",
             says="The second set is K itself. Keep the circuit without K and without the head."),
        edit(PAIR, "(rest | {head}, circuit - {head})",
             says="The second set still holds the rest of the group. Without the head, nothing "
                  "of its group is left."),
    ],
    right=[
        """
        def minimality_sets(groups):
            found = {}
            for name, heads in groups.items():
                others = set()
                for other, members in groups.items():
                    if other != name:
                        others.update(members)
                for head in heads:
                    found[head] = (others.union([head]), set(others))
            return found
        """,
    ],
    hints=[
        ("Help, what is K here?", "All heads of v's group but v. The circuit without K has every "
         "other group whole, and v."),
        ("Help, the second set", "The circuit without K and v is the circuit without the group. It "
         "is the same for all heads of a group."),
        ("Help, almost the code", "For each group `rest = circuit - set(heads)`, and for each of "
         "its heads `(rest | {head}, rest)`."),
    ],
)


def some_searches(seed):
    """Gaps of sets by name: a sum over names and pairs, whose first step is negative."""
    numbers, cases = generator(seed), []
    for count, steps in ((4, 2), (6, 3)):
        names = [f"group {k}" for k in range(count)]
        alone = torch.randn(count, generator=numbers)
        alone[int(torch.randint(count, (), generator=numbers))] = -4.0
        together = 3 * torch.randn(count, count, generator=numbers)
        cases.append((names, steps, alone.tolist(), together.tolist()))
    least = float(torch.rand((), generator=numbers))  # a candidate that turns a gap of -4 into 3
    across = [[0.0, 0.0, 6.0], [0.0] * 3, [0.0] * 3]
    cases.append((["first", "same sign", "other sign"], 2, [-4.0, -1.0 - least, 1.0], across))
    none = [[0.0] * 3] * 3  # here every candidate makes the gap of -4 smaller
    cases.append((["first", "smaller", "smallest"], 2, [-4.0, 1.0, 1.5 + least], none))
    return cases


def greedy_use(answer, candidates, steps, alone, together):
    """The sets of each step, sorted, and their gaps."""

    def gaps(sets):
        found = []
        for chosen in sets:
            places = sorted(candidates.index(name) for name in chosen)
            pairs = sum(together[i][j] for i, j in combinations(places, 2))
            found.append(sum(alone[k] for k in places) + pairs)
        return found

    return [[sorted(names), gap] for names, gap in answer(gaps, list(candidates), steps)]


exercise("d5.4.7", cases=some_searches, use=greedy_use,
    mistakes=[
        edit("abs(pair[1])", "pair[1]",
             says="The gap is taken with its sign. A large negative gap is as bad as a positive "
                  "one."),
        edit(" if name not in path[-1][0]]", "]",
             says="A candidate of the set is tried again. Try only candidates that aren't in it."),
        edit("max(found", "min(found",
             says="This finds the smallest gaps. Completeness asks for the worst set."),
        edit("path[-1][0] | {name}", "{name}",
             says="Each step starts from the empty set. Add the candidate to the set of the step "
                  "before."),
        edit("return path[1:]", "return path",
             says="The empty set at the start is returned too. Begin with the first step."),
        edit("for _ in range(steps)", "for _ in range(steps - 1)",
             says="One step is missing."),
        edit("abs(pair[1])", "abs(pair[1] - path[-1][1])",
             says="This takes the candidate that changes the gap most. Take the one after which "
                  "the gap is largest in size."),
    ],
    right=[
        """
        def greedy(gaps, candidates, steps):
            chosen, left, path = [], list(candidates), []
            for _ in range(steps):
                values = [abs(value) for value in gaps([set(chosen + [name]) for name in left])]
                chosen.append(left.pop(values.index(max(values))))
                path.append((set(chosen), gaps([set(chosen)])[0]))
            return path
        """,
    ],
    hints=[
        ("Help, what does one step try?", "The set so far with each candidate that isn't in it. "
         "Pass all these sets to `gaps` at once."),
        ("Help, which one wins?", "The set whose gap has the largest absolute value. Keep the gap "
         "itself, with its sign."),
        ("Help, almost the code", "`larger = [chosen | {name} for name in candidates if name not "
         "in chosen]`, then `max(zip(larger, gaps(larger)), key=lambda pair: abs(pair[1]))`."),
    ],
)

# --- signals --------------------------------------------------------------------------------------


def some_prompts(seed):
    return [
        (ioi.prompts(3, seed=seed, names=ioi.NAMES[:9]), seed + 5),
        (ioi.prompts(2, seed=seed + 1, order="BABA", templates=ioi.TEMPLATES[:2]), seed),
    ]


def six_use(answer, prompts, seed):
    """The words of each prompt by case, so that a message names the word that is wrong."""
    return {
        ", ".join(case): [text.split() for text in changed.texts]
        for case, changed in answer(prompts, seed).items()
    }


INVERTED = 'changed.flip("order")'
SWAPPED = 'tokens["swapped"] = prompts.swap("IO", "S")'

exercise("d5.4.8", cases=some_prompts, use=six_use,
    mistakes=[
        edit(INVERTED, 'changed.swap("IO", "S")',
             says="An inverted position exchanges the names. Change the order, so that each name "
                  "keeps its role."),
        edit(INVERTED, "changed",
             says="The inverted prompts are those with the position kept."),
        edit('prompts.flip("S", seed=seed)', 'prompts.flip("S2", seed=seed)',
             says="The random token stands at S2 alone, so no name is mentioned twice. Flip both "
                  "mentions."),
        edit('prompts.flip("S", seed=seed)', 'prompts.flip("IO", seed=seed)',
             says="The random token is that of the IO. Give the subject a fresh name."),
        edit('prompts.flip("S", seed=seed)', 'prompts.flip("S")',
             says="The seed isn't used. Pass it to the flip of the subject."),
        edit(SWAPPED, 'tokens["swapped"] = prompts.flip("S", to="IO")',
             says="The subject has the name of the IO, and the IO has it too. The two names "
                  "change places."),
        edit(SWAPPED, 'tokens["swapped"] = prompts.swap("IO", "S1")',
             says='Only the first mention of the subject is swapped. Swap "IO" with "S", which is '
                  "both mentions."),
        edit(SWAPPED, 'tokens["swapped"] = prompts.swap("IO", "S2")',
             says='Only the second mention of the subject is swapped. Swap "IO" with "S", which is '
                  "both mentions."),
        edits(('("kept", token)', '(token, "kept")'),
              ('("inverted", token)', '(token, "inverted")'),
              says="The keys are (token, position). The position comes first."),
        edits(('("kept", token)', '("", token)'), ('("inverted", token)', '("kept", token)'),
              ('("", token)', '("inverted", token)'),
              says="The positions are exchanged. The prompts as they are have the position kept."),
    ],
    right=[
        """
        def six_prompts(prompts, seed):
            found = {}
            for position, start in (("inverted", prompts.flip("order")), ("kept", prompts)):
                found[position, "random"] = start.flip("S", seed=seed)
                found[position, "swapped"] = start.swap("S", "IO")
                found[position, "kept"] = start
            return found
        """,
    ],
    hints=[
        ("Help, what moves the subject?", '`flip("order")` names the first two people in the other '
         "order. Every role keeps its name."),
        ("Help, what changes the token alone?", '`flip("S", seed=seed)` for a fresh name, and '
         '`swap("IO", "S")` to exchange the two names. The positions stay.'),
        ("Help, almost the code", "Make the three tokens first, then each of them as it is and "
         "after a flip of the order."),
    ],
)


def some_tables(seed):
    """Tables of all six cases and of five, which are not exactly a sum of two signals."""
    numbers, tables = generator(seed), []
    tokens = ("kept", "random", "swapped")
    cases = [(place, token) for place in ("kept", "inverted") for token in tokens]
    signs = {"kept": 1, "inverted": -1, "random": 0, "swapped": -1}
    for missing in (None, ("inverted", "kept"), ("kept", "swapped")):
        constant, a, b = (2 * torch.randn(3, generator=numbers)).tolist()
        noise = (0.3 * torch.randn(6, generator=numbers)).tolist()
        table = {
            (place, token): constant + 1 + a * signs[place] + b * signs[token] + extra
            for (place, token), extra in zip(cases, noise, strict=True)
            if (place, token) != missing
        }
        tables.append((table,))
    return tables


exercise("d5.4.9", cases=some_tables, tolerance=1e-4,
    sizes="The check uses tables of six and of five cases.",
    mistakes=[
        edits(("[[1.0, signs[position]", "[[0.0, signs[position]"),
              ("torch.linalg.lstsq(terms, values[:, None]).solution[:, 0]",
               "torch.linalg.pinv(terms) @ values"),
              says="The fit has no constant. Add a term that is 1 in every case."),
        edit('"random": 0.0, "swapped": -1.0', '"random": -1.0, "swapped": 0.0',
             says="Random and swapped are exchanged. A random token is 0 and a swapped one -1."),
        edit('"inverted": -1.0', '"inverted": 0.0',
             says="An inverted position counts as 0. It should count as -1."),
        edit(".norm() / values.norm()", ".norm()",
             says="The error isn't relative. Divide by the root of the sum of squared values."),
        edit("(values - terms @ weights).norm() / values.norm()",
             "((values - terms @ weights).norm() / values.norm()) ** 2",
             says="The error is squared. Take roots."),
        edit(".norm() / values.norm()", ".norm() / (values - values.mean()).norm()",
             says="The residuals are divided by the spread of the values. Divide by the root of "
                  "the sum of squared values."),
        edit("return (*weights.tolist(), error.item())",
             "c, a, b = weights.tolist()\n    return (c, b, a, error.item())",
             says="The weights are exchanged. Position comes before token."),
        edit("return (*weights.tolist(), error.item())",
             "c, a, b = weights.tolist()\n    return (a, b, c, error.item())",
             says="The constant comes first, then position, token and the error."),
    ],
    right=[
        """
        def fit_signals(table):
            place = {"kept": 1.0, "inverted": -1.0}
            mark = {"kept": 1.0, "random": 0.0, "swapped": -1.0}
            x = torch.tensor([[place[p], mark[t], 1.0] for p, t in table]).double()
            y = torch.tensor(list(table.values())).double()
            a, b, c = torch.linalg.solve(x.T @ x, x.T @ y).tolist()
            missed = sum((v - c - a * place[p] - b * mark[t]) ** 2 for (p, t), v in table.items())
            return c, a, b, math.sqrt(missed / sum(v * v for v in table.values()))
        """,
    ],
    hints=[
        ("Help, how do I set up a fit?", "One row for each case with the three terms, 1, position "
         "and token, and one value for each case."),
        ("Help, which function fits?", "`torch.linalg.lstsq(terms, values[:, None]).solution` has "
         "one row for each term."),
        ("Help, almost the code", "`terms = torch.tensor([[1.0, signs[position], signs[token]] for "
         "position, token in table])`, then lstsq, then the norm of the residuals over that of the "
         "values."),
    ],
)


def some_differences(seed):
    """Differences of which none, some and most are wrong, one that is 0, and another z."""
    numbers, cases = generator(seed), []
    for rows, wrong in ((30, 0), (12, 3), (9, 7)):
        values = 0.1 + torch.rand(rows, generator=numbers)
        values[:wrong] *= -1
        if wrong:
            values[0] = 0.0
        cases.append((values[torch.randperm(rows, generator=numbers)],))
    return [*cases, (cases[1][0], 1.0)]


exercise("d5.4.10", cases=some_differences,
    mistakes=[
        edits(("middle = (k + z * z / 2) / (n + z * z)", "middle = k / n"),
              ("half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / 4)",
               "half = z * math.sqrt(k * (n - k) / n) / n"),
              says="This is the usual interval, which has no width where nothing is wrong. Use "
                   "Wilson's."),
        edit("(values <= 0)", "(values > 0)",
             says="These are the rows that are right. Count the wrong ones."),
        edit("(values <= 0)", "(values < 0)",
             says="A difference of 0 isn't counted as wrong. Only values above 0 are right."),
        edit("n, k = len(values)", "z = 1.96\n    n, k = len(values)",
             says="The interval always uses z = 1.96. Use the `z` that is passed."),
        edit("return k / n,", "return k,",
             says="The first number is a count. Give the share."),
        edit("return k / n,", "return middle,",
             says="The first number is the middle of the interval. Give the share, k / n."),
        edit("+ z * z / 4)", "+ z / 4)",
             says="z isn't squared under the root."),
    ],
    right=[
        """
        def wrong_share(values, z=1.96):
            n = len(values)
            share = 1 - float((values > 0).double().mean())
            shrink = 1 + z**2 / n
            middle = (share + z**2 / (2 * n)) / shrink
            half = z / shrink * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
            return share, middle - half, middle + half
        """,
    ],
    hints=[
        ("Help, when is a row wrong?", "When its difference isn't above 0. A difference of exactly "
         "0 prefers neither name, and counts as wrong."),
        ("Help, the formula", "k is the number of wrong rows and n the number of all rows. The "
         "text gives the middle and half the width."),
        ("Help, almost the code", "`half = z / (n + z * z) * math.sqrt(k * (n - k) / n + z * z / "
         "4)`, and the ends are middle - half and middle + half."),
    ],
)

quiz("d5.4.quiz",
    repair=number(says="The predicted fall is 3 and the measured fall is 1. The other parts made "
                       "up the gap."),
    ruler=option("before", "after",
                 says="d5.4.4: which parts must write the same as before?"),
    above=option("yes", "no", says="A faithful circuit is close to 100 %, from either side."),
    group=option("the head", "its group",
                 says="d5.4.6: which heads could hide the absence of v?"),
    signal=option("position", "token",
                  says="Which of the two changes makes a difference to these heads?"),
    hints=[
        ("Help, the repair", "d5.4.3: predicted and all others add up to measured."),
        ("Help, the group", "d5.4.6: what is K, and when is it removed?"),
        ("Help, the rest", "d5.4.4 for the ruler, d5.4.5 for shares above 100 %, d5.4.8 for the "
         "signal."),
    ],
)
