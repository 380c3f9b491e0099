"""How the exercises of day 5, part 1 are judged: prompts, roles and the metric."""

import math
from numbers import Real

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, quiz
from remix_utils.checks.questions import number, option
from remix_utils.data import Dataset
from remix_utils.errors import kind_of
from remix_utils.tasks import ioi

NAMES = ("Ann", "Bo", "Cy", "Di", "Ed", "Flo", "Gus", "Hal")


def generator(seed):
    return torch.Generator().manual_seed(seed)


# --- roles ----------------------------------------------------------------------------------------


def some_prompts(seed):
    """Tokens of prompts in which one name comes once and the other twice, in every order."""
    numbers, cases = generator(seed), []
    for seq, places in ((8, (1, 3, 6)), (11, (4, 2, 9)), (6, (0, 1, 4))):
        io, s = torch.randperm(20, generator=numbers)[:2].tolist()
        tokens = 20 + torch.randint(30, (seq,), generator=numbers)
        tokens[places[0]] = io
        tokens[list(places[1:])] = s
        cases.append((tokens, io, s))
    return cases


exercise("d5.1.1", cases=some_prompts,
    mistakes=[
        edit('"IO": only, "S1": first, "S2": second', '"IO": first, "S1": only, "S2": second',
             says="IO and S1 are exchanged. The IO is the name that appears once."),
        edit('"S1": first, "S2": second', '"S1": second, "S2": first',
             says="S1 and S2 are exchanged. S1 is the first mention of the subject."),
        edit("len(tokens) - 1", "len(tokens)",
             says="END is one too far. The last of n tokens has position n - 1."),
        edit("len(tokens) - 1", "second",
             says="END is where S2 is. END is the last token of the prompt."),
        edit('"S2": second', '"S2": first',
             says="S2 is where S1 is. It is the second mention of the subject."),
    ],
    right=[
        """
        def find_roles(tokens, io, s):
            found = tokens.tolist()
            first = found.index(s)
            return dict(END=len(found) - 1, S1=first, S2=found.index(s, first + 1),
                        IO=found.index(io))
        """,
    ],
    hints=[
        ("Help, where is a token?", "`(tokens == s).nonzero()` lists the positions of a token, one "
         "in each row."),
        ("Help, S1 and S2 are the same token", "They are. The positions come in increasing order, "
         "so the first is S1."),
        ("Help, almost the code", "`first, second = (tokens == s).nonzero()[:, 0].tolist()`, and "
         "the same for `io`, which has one position. END is `len(tokens) - 1`."),
    ],
)

# --- flips ----------------------------------------------------------------------------------------


def some_flips(seed):
    """A prompt and the flips that are applied to it, one after another."""
    order = torch.randperm(len(NAMES), generator=generator(seed)).tolist()
    io, s, new, newer = (NAMES[place] for place in order[:4])
    cases = []
    for name in ("ABBA", "BABA"):
        prompt = {"IO": io, "S1": s, "S2": s, "order": name}
        cases += [(prompt, [(role, new)]) for role in ("IO", "S", "S1", "S2")]
        cases += [(prompt, [("order",)]), (prompt, [("order",), ("order",)])]
        cases += [(prompt, [("S1", new), ("order",), ("IO", newer)])]
    return cases


def flip_use(answer, prompt, flips):
    """The prompt after the flips, and the one before them, which must not have changed."""
    now = dict(prompt)
    for each in flips:
        before = dict(now)
        found = answer(now, *each)
        if now != before:
            raise Wrong("The prompt that came in has changed. Make a new dict.")
        now = found
    return now


exercise("d5.1.2", cases=some_flips, use=flip_use,
    mistakes=[
        edit('places = ("S1", "S2") if role == "S" else (role,)', "places = (role,)",
             says='"S" isn\'t a key of a prompt. It stands for both mentions, S1 and S2.'),
        edit('("S1", "S2") if role == "S"', '("S2",) if role == "S"',
             says='"S" changes one mention only. Change S1 and S2.'),
        edit('other = {"ABBA": "BABA", "BABA": "ABBA"}', 'other = {"ABBA": "BABA", "BABA": "BABA"}',
             says="The order always becomes BABA. A second flip must turn it back."),
        edit('return prompt | {"order": other[prompt["order"]]}',
             'return prompt | {"order": other[prompt["order"]], "IO": prompt["S1"], '
             '"S1": prompt["IO"]}',
             says="The names change with the order. Roles keep their names, and only `order` says "
                  "which is named first."),
        edit("return prompt | dict.fromkeys(places, fresh)",
             "prompt.update(dict.fromkeys(places, fresh))\n    return prompt",
             says="The prompt that came in has changed. Make a new dict."),
    ],
    right=[
        """
        def flip(prompt, role, fresh=""):
            changed = dict(prompt)
            for place in {"S": ["S1", "S2"], "order": []}.get(role, [role]):
                changed[place] = fresh
            if role == "order":
                changed["order"] = "BABA" if prompt["order"] == "ABBA" else "ABBA"
            return changed
        """,
    ],
    hints=[
        ("Help, how do I leave the old prompt alone?", "`prompt | {...}` is a new dict."),
        ("Help, what is S?", "The subject, who is mentioned twice. Both S1 and S2 get the name."),
        ("Help, almost the code", "A dict from each order to the other one for `order`; for a name "
         "`prompt | dict.fromkeys(places, fresh)`, where places is one role or two."),
    ],
)

# --- comparable -----------------------------------------------------------------------------------


def sentences(tokens, mask, places):
    """A data set of tokens [rows, seq] with names at places [rows, 3]."""
    roles = {f"position.{role}": places[:, k] for k, role in enumerate(("IO", "S1", "S2"))}
    return Dataset(tokens=tokens, mask=mask, **roles)


def some_pairs(seed):
    """Rows that are the same but for names, and rows with one other difference of every kind."""
    numbers, cases = generator(seed), []
    for rows, seq in ((7, 9), (8, 12)):
        tokens = torch.randint(10, 40, (rows, seq), generator=numbers)
        mask = torch.ones(rows, seq, dtype=torch.bool)
        mask[1::2, :2] = False
        shuffled = [2 + torch.randperm(seq - 3, generator=numbers)[:3] for _ in range(rows)]
        places = torch.stack(shuffled)
        other, masked, moved = tokens.clone(), mask.clone(), places.clone()
        other.scatter_(1, places, torch.randint(40, 60, places.shape, generator=numbers))
        other[1, -1] += 1  # another word at the end
        other[2, 0] += 1  # and at the beginning
        masked[3, 2] = ~masked[3, 2]
        moved[4] = torch.roll(places[4], 1)  # other roles in the same positions
        free = sorted(set(range(2, seq)) - set(places[5].tolist()))[0]
        moved[5, 1] = free  # a name somewhere else
        cases.append((sentences(tokens, mask, places), sentences(other, masked, moved)))
    return cases


exercise("d5.1.3", cases=some_pairs,
    sizes="Each row differs in one thing only, which is a name, a word, the mask, two roles that "
          "change places, or the position of a name.",
    mistakes=[
        edit(' & (named == at_names(other))', "",
             says="The positions of the names are not compared. A name may be elsewhere in the "
                  "other prompt."),
        edit(' & (data["mask"] == other["mask"])', "",
             says="The mask is not compared. Padding must be in the same positions."),
        edit('(data["tokens"] == other["tokens"]) | named', "torch.ones_like(named)",
             says="The words are not compared. Every token but the names must be the same."),
        edit(' | named', "",
             says="Rows with other names do not count as comparable here. The names may differ."),
        edit("alike = alike & (data", "alike = alike & (torch.stack([(data[name] == other[name]) "
             'for name in ("position.IO", "position.S1", "position.S2")]).all(0)[:, None]) & (data',
             says="A row in which IO and S change places isn't comparable here. The names may be "
                  "in each other's positions, so compare the set of positions."),
        edit("return alike.all(1)", "return alike.any(1)",
             says="A single equal token is enough here. All tokens but the names must be equal."),
    ],
    right=[
        """
        def comparable(data, other):
            found = []
            for row in range(len(data)):
                one, two = data[[row]], other[[row]]
                spots = [{int(each[f"position.{role}"]) for role in ("IO", "S1", "S2")}
                         for each in (one, two)]
                rest = [k for k in range(one["tokens"].shape[1]) if k not in spots[0]]
                same = one["tokens"][0, rest].equal(two["tokens"][0, rest])
                found.append(same and spots[0] == spots[1] and one["mask"].equal(two["mask"]))
            return torch.tensor(found)
        """,
    ],
    hints=[
        ("Help, how do I leave out the names?", "Make a tensor like `mask` that is true where a "
         "name stands, and combine it with the comparison of tokens by `|`."),
        ("Help, the order flip comes out as not comparable", "IO and S1 change places in it. Only "
         "the set of positions matters, and that is the same."),
        ("Help, almost the code", "`zeros_like(mask).scatter(1, places, True)` marks the names of "
         "each data set. Tokens equal or named, masks equal, marks equal; then `.all(1)`."),
    ],
)

# --- the metric -----------------------------------------------------------------------------------


def some_logits(seed):
    """Logits of random prompts, padded at the left, at the right, and not at all."""
    numbers, cases = generator(seed), []
    for side, templates in (("left", ioi.TEMPLATES), ("right", ioi.TEMPLATES), ("left", None)):
        chosen = ioi.TEMPLATES[:1] if templates is None else templates
        prompts = ioi.prompts(5, seed=seed, templates=chosen)
        data = ioi.dataset(prompts, pad=0, side=side)
        logits = torch.randn(*data["tokens"].shape, len(ioi.VOCABULARY), generator=numbers)
        cases.append((logits, data))
    return cases


IO_THEN_S = 'at_end[rows, data["token.IO"]] - at_end[rows, data["token.S"]]'

exercise("d5.1.4", cases=some_logits,
    sizes="The check pads at the left, at the right, and not at all.",
    mistakes=[
        edit('logits[rows, data["position.END"]]', "logits[:, -1]",
             says="This reads the last position, which is padding if prompts are padded on the "
                  "right. Read position.END."),
        edit(IO_THEN_S, 'at_end[rows, data["token.S"]] - at_end[rows, data["token.IO"]]',
             says="The sign is reversed. Subtract the subject's logit from that of the IO."),
        edit("at_end = logits", "at_end = logits.softmax(-1)",
             says="These are probabilities. Subtract logits."),
        edit('"position.END"', '"position.S2"',
             says="The logits are read at S2. The model answers at END."),
        edit(IO_THEN_S, f"({IO_THEN_S}).mean()",
             says="This is one number for all prompts. Give one for each row."),
        edit(IO_THEN_S, 'at_end[rows, data["token.IO"]]',
             says="This is the logit of the IO alone. Subtract that of the subject."),
    ],
    right=[
        """
        def logit_difference(logits, data):
            chances = logits.log_softmax(-1)
            found = []
            for row, end in enumerate(data["position.END"].tolist()):
                io, s = int(data["token.IO"][row]), int(data["token.S"][row])
                found.append(chances[row, end, io] - chances[row, end, s])
            return torch.stack(found)
        """,
    ],
    hints=[
        ("Help, how do I take one position a row?", "Index with two tensors: `logits[rows, "
         "positions]`, where `rows = torch.arange(len(data))`."),
        ("Help, which column is which?", "`data[\"token.IO\"]` and `data[\"token.S\"]` are the "
         "tokens of the names, and `data[\"position.END\"]` says where to read."),
        ("Help, almost the code", "`at_end = logits[rows, data[\"position.END\"]]`, then "
         "`at_end[rows, data[\"token.IO\"]]` minus the same for S."),
    ],
)

# --- errors and groups ----------------------------------------------------------------------------


def some_templates(seed):
    """Values whose templates differ, as many of each, in a random order."""
    numbers, cases = generator(seed), []
    for templates, each in ((5, 4), (9, 2)):
        template = torch.arange(templates).repeat(each)
        level = 2 * torch.randn(templates, generator=numbers)
        values = level[template] + torch.randn(len(template), generator=numbers) + 1
        shuffled = torch.randperm(len(template), generator=numbers)
        cases.append((values[shuffled], 3 * template[shuffled] + 1))
    return cases


OVER = "over_templates = means.std() / math.sqrt(len(means))"

exercise("d5.1.5", cases=some_templates,
    mistakes=[
        edit(OVER, "over_templates = means.std() / math.sqrt(len(values))",
             says="The error over templates divides by the root of the number of prompts. Divide "
                  "by the root of the number of templates."),
        edit(OVER, "over_templates = means.std()",
             says="The error over templates is their spread. Divide it by the root of their "
                  "number."),
        edit("over_prompts = values.std() / math.sqrt(len(values))", "over_prompts = values.std()",
             says="The error over prompts is their spread. Divide it by the root of their number."),
        edits(("values.std()", "values.std(correction=0)"),
              ("means.std()", "means.std(correction=0)"),
              says="The deviations divide by n. Use the sample standard deviation, n - 1, which is "
                   "torch's default."),
        edit("over_prompts.item(), over_templates.item()",
             "over_templates.item(), over_prompts.item()",
             says="The two errors are exchanged. The error over prompts comes first."),
        edit("values[template == each].mean()", "values[template == each].std()",
             says="The error over templates is built from each template's spread. Take the mean of "
                  "each template."),
        edit("values[template == each].mean()", "values[template == each].sum()",
             says="The error over templates is built from each template's sum. Take its mean."),
        edit("means.std()", "means.std(correction=0)",
             says="The deviation of the means divides by n. Use the sample standard deviation, "
                  "n - 1, both times."),
    ],
    right=[
        """
        def two_errors(values, template):
            prompts = circuits.Estimate.over_rows(values)
            templates = circuits.Estimate.over_groups(values, template)
            return float(prompts.mean), float(prompts.se), float(templates.se)
        """,
    ],
    hints=[
        ("Help, what is a standard error?", "The standard deviation divided by the square root of "
         "the number of things that were drawn."),
        ("Help, how do I get the mean of each template?", "Loop over `template.unique()` and take "
         "the mean of `values[template == each]`."),
        ("Help, almost the code", "`means = torch.stack([...])` with one mean a template, then "
         "`means.std() / math.sqrt(len(means))`."),
    ],
)


def some_groups(seed):
    """Values with a column of two and of four groups, some of which have few rows."""
    numbers, cases = generator(seed), []
    for groups, rows in ((2, 9), (4, 15)):
        drawn = torch.randint(groups, (rows,), generator=numbers)
        column = torch.cat([torch.arange(groups), drawn])
        values = torch.randn(len(column), generator=numbers) + 0.4 * column
        values[-1] = 0.0  # which isn't above 0
        cases.append((values, 2 * column + 1))
    return cases


def group_use(answer, values, column):
    """The groups in their order, and the two figures of each."""
    found = answer(values, column)
    if found is None or found is ...:
        raise NotImplementedError
    if not isinstance(found, dict):
        raise Wrong(f"It gives {kind_of(found)}, expected a dict from group to two figures.")
    for group in found:
        if not isinstance(group, Real):
            raise Wrong(f"A group is {kind_of(group)}. Use the column's value as a plain number.")
    if list(found) != sorted(found):
        raise Wrong(f"The groups come in the order {list(found)}. Sort them.")
    return found


exercise("d5.1.6", cases=some_groups, use=group_use,
    mistakes=[
        edit("(chosen > 0).double().mean().item()", "(chosen > 0).sum().item()",
             says="The second figure is a count. Give the share of the group's rows."),
        edit("chosen = values[column == group]", "chosen = values[column != group]",
             says="Each group has the rows of all the others. Take `column == group`."),
        edit("(chosen > 0).double().mean().item()",
             "(chosen > 0).sum().item() / len(values)",
             says="The share is of all rows. Divide by the number of rows in the group."),
        edit("chosen.mean().item(), (chosen > 0)", "chosen.sum().item(), (chosen > 0)",
             says="The first figure is a sum. Take the mean."),
        edit("(chosen > 0).double()", "(chosen < 0).double()",
             says="This is the share below 0. Count the values above 0."),
        edit("(chosen > 0)", "(chosen >= 0)",
             says="A value of exactly 0 counts as above 0 here."),
        edit("return found", "return dict(reversed(found.items()))",
             says="The groups come in the order"),
        edit("found[group] =", "found[str(group)] =",
             says="A group is a str. Use the column's value as a plain number."),
    ],
    right=[
        """
        def by_group(values, column):
            rows = {}
            for value, group in zip(values.tolist(), column.tolist()):
                rows.setdefault(group, []).append(value)
            return {group: (sum(rows[group]) / len(rows[group]),
                            sum(value > 0 for value in rows[group]) / len(rows[group]))
                    for group in sorted(rows)}
        """,
    ],
    hints=[
        ("Help, which groups are there?", "`column.unique().tolist()` lists them in increasing "
         "order."),
        ("Help, how do I get a share?", "The mean of a comparison: `(chosen > 0).double().mean()`."),
        ("Help, almost the code", "Loop over the groups, `chosen = values[column == group]`, and "
         "store the mean and the share as a tuple of floats."),
    ],
)

# --- task and preference --------------------------------------------------------------------------


def some_readings(seed):
    """Differences on clean prompts and on swapped ones, and a prompt that the model gets wrong."""
    numbers, cases = generator(seed), []
    for rows in (4, 7):
        clean = 4 + torch.randn(rows, generator=numbers)
        swapped = -3 + torch.randn(rows, generator=numbers)
        clean[1], swapped[1] = -1.5, 2.5
        cases.append((clean, swapped))
    return cases


exercise("d5.1.7", cases=some_readings,
    mistakes=[
        edit("(clean - swapped) / 2, (clean + swapped) / 2", "clean - swapped, clean + swapped",
             says="Both parts are twice too large. Take half the difference and half the sum."),
        edit("(clean - swapped) / 2, (clean + swapped) / 2",
             "(clean + swapped) / 2, (clean - swapped) / 2",
             says="The two parts are exchanged. The part that follows the sentence changes its "
                  "sign when the names are swapped."),
        edit("(clean - swapped) / 2, (clean + swapped) / 2",
             "(clean - swapped).mean() / 2, (clean + swapped).mean() / 2",
             says="These are means over all prompts. Give a value for each row."),
        edit("(clean - swapped) / 2", "(swapped - clean) / 2",
             says="The sign of the task is reversed. It is positive where the clean prompt has the "
                  "larger difference."),
        edit("(clean - swapped) / 2", "(clean - swapped).abs() / 2",
             says="The task has lost its sign. It's negative where the model prefers the wrong "
                  "name in both prompts."),
        edit("(clean + swapped) / 2", "swapped",
             says="The preference still contains the task. The sum of both readings cancels it."),
    ],
    right=[
        """
        def task_and_preference(clean, swapped):
            preference = torch.stack([clean, swapped]).mean(0)
            return clean - preference, preference
        """,
    ],
    hints=[
        ("Help, what stays the same?", "The preference is the same in both readings. The task "
         "changes its sign."),
        ("Help, two equations", "clean = task + preference, and swapped = -task + preference."),
        ("Help, almost the code", "Half the difference and half the sum, for each row."),
    ],
)

# --- other metrics --------------------------------------------------------------------------------


def some_ends(seed):
    """Logits at END in which the answer is sometimes the first choice and sometimes far down."""
    numbers, cases = generator(seed), []
    for rows, vocab in ((12, 15), (20, 40)):
        at_end = 2 * torch.randn(rows, vocab, generator=numbers)
        answers = torch.randint(vocab, (rows,), generator=numbers)
        at_end[torch.arange(rows), answers] += torch.linspace(0, 6, rows)
        cases.append((at_end, answers))
    return cases


exercise("d5.1.8", cases=some_ends,
    mistakes=[
        edit("for most in (1, 5)", "for most in (0, 4)",
             says="The ranks are one off. The first choice has no logit above its own."),
        edit("at_end.softmax(-1)", "at_end.softmax(0)",
             says="The softmax runs over rows. It runs over the vocabulary."),
        edit("at_end.softmax(-1)", "at_end.log_softmax(-1)",
             says="This is a log-probability. Give the mean probability."),
        edit("(at_end > right)", "(at_end < right)",
             says="This counts the logits below the answer's. A high rank has few above it."),
        edit("return probability, first, fifth", "return probability, fifth, first",
             says="The two shares are exchanged. The share of first choices comes first."),
    ],
    right=[
        """
        def other_metrics(at_end, answers):
            best = at_end.topk(5).indices == answers[:, None]
            chances = torch.exp(at_end - at_end.logsumexp(1, keepdim=True))
            rows = torch.arange(len(answers))
            return (float(chances[rows, answers].mean()), float(best[:, 0].double().mean()),
                    float(best.any(1).double().mean()))
        """,
    ],
    hints=[
        ("Help, what is a rank?", "The number of logits above that of the answer. It is 0 for the "
         "first choice."),
        ("Help, how do I pick the answer's logit?", "`at_end.gather(1, answers[:, None])`."),
        ("Help, almost the code", "`rank = (at_end > right).sum(1)`; the shares are those with "
         "`rank < 1` and `rank < 5`."),
    ],
)

quiz("d5.1.quiz",
    end=number(says="Prompts are padded on the left, so they all end in the same position."),
    order=option("yes", "no",
                 says="Roles keep their names in this flip. Which name is mentioned once?"),
    error=option("prompts", "templates",
                 says="Which of the two would you draw again to check such a claim?"),
    preference=number(says="d5.1.7: half the sum of both readings."),
    hints=[
        ("Help, the padding", "d5.1.1: shorter prompts are padded on the left."),
        ("Help, the error", "d5.1.5: which thing is drawn again, prompts or templates?"),
        ("Help, the rest", "Write 5 = task + preference and -3 = -task + preference."),
    ],
)
