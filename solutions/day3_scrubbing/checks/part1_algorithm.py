"""How the exercises of day 3, part 1 are judged: the algorithm."""

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import number, option
from remix_utils.data import Dataset, Exact, Matching, Uniform
from remix_utils.errors import kind_of
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.select import find
from remix_utils.scrub.hypothesis import HypothesisError, draw_text

from .toy import agreement, claim, data_of_six, exchanges, parity, random_rows, toy_like, value_of_b

EXACT = 1e-9  # float64 on small graphs
ROUNDING = 1e-6  # where float32 is as good an answer, since no sum runs over many cases

# --- features -------------------------------------------------------------------------------------


def classes(labels):
    """The number of each row's class, counted in the order in which classes occur."""
    if labels.ndim != 1:
        fact = f"The labels have the shape {list(labels.shape)}, expected one label for each row."
        raise Wrong(fact)
    groups = labels.unique(return_inverse=True)[1].tolist()
    first = list(dict.fromkeys(groups))
    return [first.index(group) for group in groups]


def partitions(answer, data):
    found = answer(data)
    if not isinstance(found, dict):
        raise Wrong(f"It gives {kind_of(found)}, expected a dict with odd, same and up.")
    for name, labels in found.items():
        if not torch.is_tensor(labels):
            raise Wrong(f"The labels of {name} are {kind_of(labels)}, expected a tensor [rows].")
    return {name: classes(labels) for name, labels in found.items()}


exercise("d3.1.1", cases=lambda seed: [(random_rows(seed + i, 12 + i),) for i in range(3)],
    use=partitions,
    mistakes=[
        edit('"odd": a % 2', '"odd": a',
             says="The feature of odd is too fine. odd has the same value for a = 0 and a = 2, "
                  "so these rows need the same label."),
        edit('"odd": a % 2', '"odd": a > 0',
             says="The feature of odd puts a = 1 and a = 2 together, where odd is 1 and 0."),
        edit('"same": b * c', '"same": b + c',
             says="The feature of same has three labels. The rows with b = c = -1 and those "
                  "with b = c = +1 give the node one value, so they need one label."),
        edit('"same": b * c', '"same": b',
             says="The feature of same is the value of b alone, but same also depends on c."),
        edit('"same": b * c', '"same": 2 * b + c',
             says="The feature of same has a label for each of the four combinations of b and "
                  "c. The node depends only on whether b equals c."),
        edit('"up": a}', '"up": a % 2}',
             says="The feature of up is the parity, but up is 0 for a = 0 and 6 for a = 2."),
        edit('"odd": a % 2, "same": b * c', '"odd": b * c, "same": a % 2',
             says="The features of odd and same are exchanged."),
    ],
    right=[
        """
        def features(data):
            rows = data["x"].tolist()
            return {
                "odd": torch.tensor(["even odd even".split()[int(a)] == "odd" for a, _, _ in rows]),
                "same": torch.tensor([7.5 if b == c else -2 for _, b, c in rows]),
                "up": torch.tensor([5 - int(a) for a, _, _ in rows]),
            }
        """,
    ],
    hints=[
        ("Help, how coarse may a feature be?", "List the values of the node for a = 0, 1, 2, or "
         "for the four combinations of b and c. Rows with equal values need equal labels, and "
         "rows with different values need different ones."),
        ("Help, which labels should I use?", "Any numbers or bools that a tensor can hold. The "
         "values of the labels do not matter, only which rows share a label."),
        ("Help, almost the code", '`a, b, c = data["x"].unbind(1)`. The remainder `a % 2` is the '
         "parity. The product of two signs is 1 where they are the same."),
    ],
)


# --- tables of rows -------------------------------------------------------------------------------


def some_draws(seed):
    """Each kind of draw, on data of several sizes."""
    draws = [Matching(parity), Exact(), Uniform(), Matching(agreement), Matching(value_of_b)]
    return [(draw, random_rows(seed + i, 5 + i)) for i, draw in enumerate(draws)]


def table(answer, draw, data):
    return answer(draw, data)


SAME_LABEL = "labels[:, None] == labels"

exercise("d3.1.2", cases=some_draws, use=table,
    mistakes=[
        edit(SAME_LABEL, "(labels[:, None] == labels) & ~torch.eye(len(data), dtype=torch.bool)",
             says="Matching leaves out the reference itself. The reference agrees with itself, "
                  "so it may be drawn too."),
        edit("torch.ones(len(data), len(data), dtype=torch.bool)",
             "~torch.eye(len(data), dtype=torch.bool)",
             says="Uniform leaves out the reference itself. Any row may be drawn, including the "
                  "reference."),
        edit(SAME_LABEL, "labels[:, None] != labels",
             says="Matching allows the rows with another label. Allow those with the same one."),
        edit("torch.eye(len(data), dtype=torch.bool)",
             "torch.ones(len(data), len(data), dtype=torch.bool)",
             says="Exact allows every row. It allows the reference row and no other."),
        edit("torch.ones(len(data), len(data), dtype=torch.bool)",
             "torch.eye(len(data), dtype=torch.bool)",
             says="Uniform allows the reference row alone. It allows every row."),
        edit(SAME_LABEL, "labels == labels[0]",
             says="This is one row of the table, for one reference. Compare every reference "
                  "with every row, so that the table is [rows, rows]."),
        edit("    labels = draw.feature(data)\n", '    labels = data["x"][:, 0]\n',
             says="The labels are the column a. Take them from the draw's own feature."),
    ],
    right=[
        """
        def allowed(draw, data):
            table = torch.zeros(len(data), len(data))
            for i in range(len(data)):
                for j in range(len(data)):
                    if isinstance(draw, Matching):
                        labels = draw.feature(data)
                        table[i, j] = labels[i] == labels[j]
                    else:
                        table[i, j] = isinstance(draw, Uniform) or i == j
            return table.bool()
        """,
    ],
    hints=[
        ("Help, how do I tell the draws apart?", "`isinstance(draw, Exact)`, and so on. The only "
         "other kind here is Matching."),
        ("Help, how do I compare all pairs?", "`labels[:, None]` is a column and `labels` a row. "
         "Compared with `==` they broadcast to a table."),
        ("Help, almost the code", "`torch.eye(n, dtype=torch.bool)` for Exact, `torch.ones(n, n, "
         "dtype=torch.bool)` for Uniform, `labels[:, None] == labels` for Matching."),
    ],
)


def some_tables(seed):
    """Classes of unequal sizes, and tables without classes."""
    numbers = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (7,), generator=numbers)
    loose = torch.rand(6, 6, generator=numbers) < 0.4
    loose[torch.arange(6), torch.arange(6)] = True
    loose[0] = True  # one reference that allows every row, so that tables are not symmetric
    loose[1:, 0] = False
    chain = (torch.arange(5)[:, None] - torch.arange(5)).abs() <= 1
    return [(loose,), (labels[:, None] == labels,), (chain,)]


UNIFORM = ("Here every row is equally likely, whatever the table. Divide the line of each "
           "reference by the number of rows that it allows, and take the mean over references.")

exercise("d3.1.3", cases=some_tables, tolerance=ROUNDING,
    mistakes=[
        edit("may.double() / may.sum(1, keepdim=True)", "may.double()",
             says="The rows of the table do not add up to 1. Divide each by the number of rows "
                  "that it allows."),
        edits(("may.double() / may.sum(1, keepdim=True)", "may.double() / may.sum()"),
              ("chances.mean(0)", "chances.sum(0)"),
              says="Every allowed pair has the same probability here. Each *reference* is equally "
                   "likely, however many rows it allows."),
        edit("chances.mean(0)", "chances.mean(1)",
             says=UNIFORM),
        edit("chances.mean(0)", "chances.sum(0)",
             says="These chances add up to the number of rows. The references are equally "
                  "likely, so take the mean over them."),
        edit("may.sum(1, keepdim=True)", "may.sum(0, keepdim=True)",
             says=UNIFORM),
        edit("chances.mean(0)", "chances[0]",
             says="This is the chance for the first reference alone. Take the mean over all."),
    ],
    right=[
        """
        def marginal(may):
            n = len(may)
            found = torch.zeros(n, dtype=torch.float64)
            for i in range(n):
                rows = may[i].nonzero()[:, 0]
                found[rows] += 1 / n / len(rows)
            return found
        """,
        """
        def marginal(may):
            return torch.mean(may.float() / may.float().sum(dim=1, keepdim=True), dim=0)
        """,
    ],
    hints=[
        ("Help, where do I begin?", "With one reference, which is row i of the table. How likely "
         "is each of the rows that it allows?"),
        ("Help, how do I add up the cases?", "All references are equally likely, so the answer is "
         "the mean of the chances over references."),
        ("Help, almost the code", "`may.double() / may.sum(1, keepdim=True)`, and its mean over "
         "the axis of references."),
    ],
)


# --- hypotheses -----------------------------------------------------------------------------------


def models_like_the_toy(seed):
    return [(toy_like(seed + i), data_of_six(seed + i)) for i in range(2)]


LEFT_RIGHT = "The claims are about left and right, which also hold up and down. Claim odd and same."
UP_DOWN = ("up and down are claimed here, each with a row of its own. The sentence does not mention "
           "them, so leave both to the others of the output.")


def hypothesis_use(answer, graph, data):
    try:
        return exchanges(answer, graph, data)
    except HypothesisError as error:
        named = {node.name for child in answer.children
                 for node in find(graph, child.selector, missing="ok")}
        if named >= {"left", "right"}:
            raise Wrong(LEFT_RIGHT) from None
        if named >= {"odd", "same", "up", "down"}:
            raise Wrong(UP_DOWN) from None
        raise Wrong(f"It cannot be scrubbed. {error.fact}", fix=error.fix) from None


ODD, SAME = 'claim("odd", Matching(parity))', 'claim("same", Matching(agreement))'

exercise("d3.1.4", cases=models_like_the_toy, use=hypothesis_use, tolerance=1e-7,
    mistakes=[
        edits((ODD, 'claim("odd", Exact())'), (SAME, 'claim("same", Exact())'),
              says="Both nodes read the reference row itself. By the sentence, any row with the "
                   "same feature may stand in. Use Matching."),
        edits(("parity", "agreement"), ("Matching(agreement))", "Matching(parity))", 2),
              ('"odd", Matching(parity)', '"odd", Matching(agreement)'),
              says="The features are exchanged. odd computes the parity, and same computes the "
                   "agreement."),
        edit(f", {SAME}", "",
             says="Nothing is claimed about same, so any row may stand in there. Add the second "
                  "child."),
        edit(f"{ODD}, ", "",
             says="Nothing is claimed about odd, so any row may stand in there. Add the first "
                  "child."),
        edits(('"output", Exact()', '"output", Uniform()'),
              says="The root's row is drawn without regard to the reference. Its draw is Exact()."),
        edit(SAME + ")", SAME + ", others=Exact())",
             says="up and down read the reference row. By the sentence they do not matter, so "
                  "leave out others=."),
        edits(('"odd"', '"left"'), ('"same"', '"right"'),
              says=LEFT_RIGHT),
        edit(SAME + ")", SAME + ', claim("up", Uniform()), claim("down", Uniform()))',
             says=UP_DOWN),
        edit(SAME + ")", SAME + ', shared="apart")',
             says="up and down read two different rows. The sentence leaves one row for both, "
                  'which is shared="together", the default.'),
    ],
    right=[
        """
        one = lambda data: data["x"][:, 0] == 1
        alike = lambda data: data["x"][:, 1] == data["x"][:, 2]
        odd_part = Interp("the parity", at("left") >> at("odd"), Matching(one))
        same_part = Interp("agreement", at("same"), Matching(alike))
        right = Interp("answer", at("output"), Exact(), [same_part, odd_part], others=Uniform())
        """,
        """
        right = claim(
            "output", Exact(),
            claim("same", Matching(agreement)),
            claim("odd", Matching(parity), claim("straight", Exact()), claim("bend", Exact()),
                  others=None),
        )
        """,
    ],
    hints=[
        ("Help, what do I call the claims?", "By the node that each is about. The root is output, "
         "and its children are odd and same."),
        ("Help, what happens to up and down?", "No child claims them, so they belong to the "
         "output's others, which are Uniform() unless you say otherwise. You need not name them."),
        ("Help, almost the code", '`claim("output", Exact(), claim("odd", Matching(...)), '
         'claim("same", Matching(...)))`, with your two features from d3.1.1.'),
    ],
)


# --- by hand --------------------------------------------------------------------------------------

HAND = {"odd": 0, "same": -1, "up": 3, "down": -3, "left": 3, "right": -4, "output": -1}


def hand(says, **changes):
    return instead({**HAND, **changes}, says=says)


exercise("d3.1.5",
    mistakes=[
        hand("up and down read the reference row here. No child claims them, so they read the "
             "row of the output's others.", up=0, down=0, left=0, right=-1),
        hand("up reads the row of odd here. No child claims up, so it reads the row of the "
             "output's others.", up=6, down=-6, left=6, right=-7),
        hand("b is read on the reference row here. It has a row of its own.", same=1, right=-2,
             output=1),
        hand("odd has the value of a here. It is the parity of a on its own row.", odd=2, left=7,
             output=3),
        hand("left leaves out up. It is 2 · odd + up.", left=0, output=-4),
        hand("right leaves out down. It is down + same.", right=-1, output=2),
        hand("up has the value of a here. It is 3 · a, and down is -3 · a.", up=1, down=-1, left=1,
             right=-2),
        hand("down has the wrong sign. It is -3 · a.", down=3, right=2, output=5),
    ],
    right=[
        """
        by_hand = dict(odd=0.0, same=-1.0, up=3.0, down=-3.0)
        by_hand["left"] = torch.tensor(2 * by_hand["odd"] + by_hand["up"])
        by_hand["right"] = by_hand["down"] + by_hand["same"]
        by_hand["output"] = by_hand["left"] + by_hand["right"]
        """,
    ],
    hints=[
        ("Help, which row does up read?", "Only odd, same, b and c are claimed. Everything else "
         "that the output reads is on the row of its others, the last line of the table."),
        ("Help, what does same read?", "Its children, b on row 7 and c on row 8. The row of same "
         "is only the row that these two had to agree with."),
        ("Help, almost the values", "odd is the parity of 2, same = 1 · (-1), up = 3 · 1. Then "
         "left, right and output follow by their definitions."),
    ],
)


# --- draws ----------------------------------------------------------------------------------------


def trees():
    """Hypotheses of one to three levels about the toy's nodes."""
    deep = claim("odd", Matching(parity), claim("bend", Exact(), claim("a - 1", Matching(parity))))
    signs = [claim("b", Matching(value_of_b)), claim("c", Matching(agreement))]
    return [
        claim("output", Exact(), claim("same", Matching(agreement), *signs, others=None)),
        claim("output", Exact()),
        claim("output", Matching(parity), deep, claim("same", Matching(agreement))),
        claim("left", Exact(), claim("odd", Matching(parity)), others=Matching(agreement)),
        claim("right", Exact(), claim("down", Uniform()), claim("same", Exact()), others=None),
    ]


EARLY = "Children come before their parents."


def listed(answer, claim):
    """The triples, sorted by name; each name must come after the one that it is given."""
    found = answer(claim)
    try:
        triples = [(str(name), draw_text(draw), str(given)) for name, draw, given in found]
    except (TypeError, ValueError):
        fact = "It is not a list of triples (name, draw, name of the row to agree with)."
        raise Wrong(fact) from None
    names = ["reference", *(name for name, _, _ in triples)]
    place = {name: names.index(name) for name in names}
    if len({*names}) < len(names):
        raise Wrong("A name is listed twice. Each name draws its row once.")
    for name, _, given in triples:
        if place.get(given, 0) > place[name]:
            raise Wrong(f"{EARLY} {name!r} is listed before {given!r}, whose row it agrees with.")
    return sorted(triples)


OTHERS_LISTED = 'found.append((f"{claim.name}.others", claim.others, claim.name))'

exercise("d3.1.6", cases=lambda seed: [(tree,) for tree in trees()], use=listed,
    mistakes=[
        edit("found += all_draws(child, claim.name)", "found += all_draws(child)",
             says="Every claim agrees with the reference here. A child agrees with its parent."),
        edit("found += all_draws(child, claim.name)",
             'found += all_draws(child, claim.name if given == "reference" else given)',
             says="Every claim below the root agrees with the root here. Each claim agrees with "
                  "its own parent."),
        edit(OTHERS_LISTED, 'found.append((f"{claim.name}.others", claim.others, given))',
             says="The others agree with the row of the claim's parent. They must agree with "
                  "the claim's own row."),
        edit("if claim.children and claim.others is not None", "if claim.others is not None",
             says="A claim without children has others here. The whole node reads the claim's "
                  "own row, so nothing is left for others."),
        edit("if claim.children and claim.others is not None", "if claim.children",
             says="others=None is listed as a draw. Such a claim leaves nothing to others."),
        edit(f"    if claim.children and claim.others is not None:\n        {OTHERS_LISTED}\n", "",
             says="The others are missing. Nodes that no child claims need a row too."),
        edit("found += all_draws(child, claim.name)",
             "found.append((child.name, child.draw, claim.name))",
             says="Claims two levels down are missing. Call all_draws on each child."),
        edit("    return found", "    return found[::-1]",
             says=EARLY),
    ],
    right=[
        """
        def all_draws(claim, given="reference"):
            found, waiting = [], [(claim, given)]
            while waiting:
                each, above = waiting.pop(0)
                found.append([each.name, each.draw, above])
                waiting += [(child, each.name) for child in each.children]
                if each.children and each.others:
                    found.append([each.name + ".others", each.others, each.name])
            return found
        """,
    ],
    hints=[
        ("Help, what is a name?", "The name of a claim, such as \"odd\". For the nodes that a "
         "claim leaves to others, it is the claim's name with \".others\" after it."),
        ("Help, how do I get all levels?", "all_draws calls itself for each child. The second "
         "argument says whose row the child must agree with."),
        ("Help, almost the code", "Begin with `[(claim.name, claim.draw, given)]`, append the "
         "others if there are any, and add `all_draws(child, claim.name)` for each child."),
    ],
)


DRAWS = 6000


def drawn_facts(answer, claim, data):
    """Whether the rows are drawn as the claim says: true facts, by name."""
    rows, again, other = (answer(claim, data, DRAWS, seed) for seed in (3, 3, 4))
    if not isinstance(rows, dict):
        raise Wrong(f"It gives {kind_of(rows)}, expected a dict from name to rows.")
    rows = {name: torch.as_tensor(each) for name, each in rows.items()}
    shapes = {name: list(each.shape) for name, each in rows.items()}
    if any(shape != [DRAWS] for shape in shapes.values()):
        return {"names and shapes": shapes}
    found = {"names and shapes": shapes, **_supports(claim, data, rows)}
    alike = [torch.equal(each, torch.as_tensor(again[name])) for name, each in rows.items()]
    found["equal seeds draw equal rows"] = all(alike)
    kept = [name for name, each in rows.items() if torch.equal(each, torch.as_tensor(other[name]))]
    found["names whose rows are the same with another seed"] = sorted(kept)
    return found


def _supports(claim, data, rows):
    """Whether each row is allowed, and all allowed ones are drawn as often and independently."""
    chances = {"reference": (torch.full((len(data), len(data)), 1 / len(data)), "reference")}
    for each, above in _claims(claim):
        chances[each.name] = (_chances(each.draw, data), above)
        if each.children and each.others is not None:
            chances[f"{each.name}.others"] = (_chances(each.others, data), each.name)
    facts = {"every row is allowed": True, "allowed rows are equally likely": True}
    for name, (table, given) in chances.items():
        if name not in rows:
            continue
        counts = torch.zeros(len(data), len(data))
        counts.index_put_((rows[given], rows[name]), torch.ones(DRAWS), accumulate=True)
        if name == "reference":
            counts = counts.diagonal()[None]
        expected = counts.sum(1, keepdim=True) * (table if name != "reference" else table[:1])
        facts["every row is allowed"] &= not bool(counts[expected == 0].any())
        off = (counts - expected)[expected > 0] / expected[expected > 0].sqrt()
        facts["allowed rows are equally likely"] &= bool((off.abs() < 6).all())
    return facts | {"names draw independently": _independent(chances, rows)}


def _independent(chances, rows):
    """Whether two names with one given row draw the same row only as often as by chance."""
    names = [name for name in chances if name in rows and name != "reference"]
    for place, one in enumerate(names):
        for two in names[place + 1 :]:
            (first, given), (second, other) = chances[one], chances[two]
            if given != other:
                continue
            expected = (first * second).sum(1)[rows[given]]
            spread = (expected * (1 - expected)).sum().sqrt()
            if abs((rows[one] == rows[two]).sum() - expected.sum()) > 6 * spread + 1e-6:
                return False
    return True


def _claims(claim, above="reference"):
    yield claim, above
    for child in claim.children:
        yield from _claims(child, claim.name)


def _chances(draw, data):
    rows = torch.arange(len(data))
    support = draw.support(data, rows)
    chances = torch.zeros(len(data), len(data))
    for row, start, size in zip(rows, support.start, support.size, strict=True):
        chances[row, support.rows[start : start + size]] = 1 / size
    return chances


def draw_cases(seed):
    first, _, third, fourth, fifth = trees()
    chosen = enumerate((first, third, fourth, fifth))
    return [(tree, random_rows(seed + i, 8 + i)) for i, tree in chosen]


DRAWN = "rows[name] = torch.multinomial(chances, 1, generator=numbers)[:, 0]"
CHANCES = "chances = allowed(draw, data)[rows[given]].double()"

exercise("d3.1.7", cases=draw_cases, use=drawn_facts,
    mistakes=[
        edit("rows[given]]", 'rows["reference"]]',
             says="Every row agrees with the reference here. It must agree with the row of the "
                  "name that it is given."),
        edit(DRAWN, "numbers = torch.Generator().manual_seed(seed)\n        " + DRAWN,
             says="The generator starts anew for each name, so different names draw the same "
                  "rows. Make one generator, before the loop."),
        edit(DRAWN, "rows[name] = chances.argmax(1)",
             says="This is always the first row that is allowed. Draw one of them at random."),
        edit(DRAWN, "rows[name] = torch.multinomial(chances[:1], len(chances), replacement=True, "
             "generator=numbers)[0]",
             says="All draws are made for the first reference. Each draw has a reference of its "
                  "own."),
        edit("torch.Generator().manual_seed(seed)", "torch.Generator()",
             says="The seed is not used. Seed the generator with it."),
        edit("numbers = torch.Generator().manual_seed(seed)",
             "numbers = torch.Generator(); numbers.seed()",
             says="Equal seeds give different rows. Seed the generator with `seed`."),
        edit("[:, 0]\n    return", "\n    return",
             says="The rows are [n, 1]. Take the column: multinomial(...)[:, 0]."),
        edit("torch.randint(len(data), (n,), generator=numbers)", "torch.arange(n) % len(data)",
             says="The references are numbered in order, so every seed gives the same ones. "
                  "Draw them at random."),
        edit("    return rows", '    del rows["reference"]\n    return rows',
             says="The reference is missing. The metric needs to know it."),
    ],
    right=[
        """
        def draw_rows(claim, data, n, seed):
            torch.manual_seed(seed)
            rows = {"reference": (torch.rand(n) * len(data)).long()}
            for name, draw, given in all_draws(claim):
                may = allowed(draw, data)
                rows[name] = (torch.rand(n, len(data)) * may[rows[given]]).argmax(1)
            return rows
        """,
    ],
    hints=[
        ("Help, how do I draw among allowed rows?", "`allowed(draw, data)[rows[given]]` has one "
         "line for each draw, which marks the rows that may be drawn. As numbers 0 and 1, a "
         "line gives the chances."),
        ("Help, multinomial complains", "It wants floats and returns [n, 1]. Use `.double()` "
         "before it and `[:, 0]` after it."),
        ("Help, almost the code", "Make one generator. Use `torch.randint(len(data), (n,), "
         "generator=numbers)` for the reference, and the chances and one multinomial for each "
         "of `all_draws(claim)`."),
    ],
)


# --- the recursion --------------------------------------------------------------------------------


def graph_cases(seed):
    """Graphs wired like the toy, each with a hypothesis and rows for all its names."""
    deep = claim("odd", Matching(parity), claim("bend", Matching(parity), claim("a", Exact())))
    signs = [claim("b", Matching(value_of_b)), claim("c", Matching(agreement))]
    whole = claim(
        "output", Exact(), claim("left", Matching(parity), deep),
        claim("same", Uniform(), *signs, others=None),
    )
    cases = []
    for place, tree in enumerate([*trees()[:3], whole]):
        numbers = torch.Generator().manual_seed(seed + place)
        graph, data = toy_like(seed + place), random_rows(seed + place, 9)
        names = ["reference", *(each.name for each, _ in _claims(tree))]
        names += [f"{each.name}.others" for each, _ in _claims(tree)]
        rows = {name: torch.randint(9, (15,), generator=numbers) for name in names}
        cases.append((graph, tree, rows, Dataset(x=data["x"].double())))
    return cases


def scrubbed_value(answer, node, claim, rows, data):
    result = answer(node, claim, rows)
    if type(result) is not Node:
        raise Wrong(f"It gives {kind_of(result)}, expected a node.")
    value = evaluate(result, data)
    if len(value) != 15 and value.ndim:
        raise Wrong(f"It has {len(value)} values, expected one for each of 15 draws.")
    return value


OTHERS_READ = 'return on_rows(node, rows, f"{claim.name}.others")'
BESIDE = "if not any(each.name in claims for each in find(node, lambda each: True)):"
CLAIMED = "return scrubbed(node, claims[node.name], rows)"

exercise("d3.1.8", cases=graph_cases, use=scrubbed_value, tolerance=EXACT,
    mistakes=[
        edit(OTHERS_READ, "return on_rows(node, rows, claim.name)",
             says="Nodes that no child claims read the claim's own row. They must read the row "
                  "of the claim's others."),
        edit(OTHERS_READ, 'return on_rows(node, rows, "reference")',
             says="Nodes that no child claims read the reference. They must read the row of the "
                  "claim's others."),
        edit(OTHERS_READ, 'return on_rows(node, rows, "output.others")',
             says="The others of all claims read one row. Each claim has others of its own."),
        edit(BESIDE, "if not any(each.name in claims for each in node.children):",
             says="A node in between is given to the others unless the claimed node is its own "
                  "child. Look at all nodes below it."),
        edit(CLAIMED, "return on_rows(node, rows, node.name)",
             says="A claimed node reads its own row, whatever its claim says about the nodes "
                  "below. Call scrubbed for it."),
        edit(CLAIMED, "return scrubbed(node, claim, rows)",
             says="Every node reads the row of the others, claimed nodes too. Call scrubbed on "
                  "a claimed node with its own claim, and compute a node in between again."),
        edit("return on_rows(node, rows, claim.name)\n    claims",
             'return on_rows(node, rows, "reference")\n    claims',
             says="A claim without children reads the reference. It reads the rows of its own "
                  "name."),
        edit("return node.with_children([walk(child) for child in node.children])\n\n",
             "return on_rows(node, rows, claim.name)\n\n",
             says="A node in between is read on the claim's own row. Compute it again from its "
                  "children."),
        edit("    if not claim.children:\n        return on_rows(node, rows, claim.name)\n",
             "    if not claim.children:\n        return node\n",
             says="A claim without children returns the node as it is. It must read drawn rows."),
        edit("claims = {child.name: child for child in claim.children}",
             "claims = {child.name: child for child in claim.children[:1]}",
             says="Only the first child is claimed. Use all of claim.children."),
    ],
    right=[
        """
        def scrubbed(node, claim, rows):
            own = {child.name: child for child in claim.children}

            def leads(node):
                return node.name in own or any(map(leads, node.children))

            def again(node, top=False):
                if node.name in own and not top:
                    return scrubbed(node, own[node.name], rows)
                if leads(node):
                    return node.with_children([again(child) for child in node.children])
                return sample(node, rows[claim.name + ".others"])

            return again(node, top=True) if own else sample(node, rows[claim.name])
        """,
    ],
    hints=[
        ("Help, where does the recursion go?", "In two places. A claimed node calls `scrubbed` "
         "with its own claim. A node in between calls the same walk on its children, under the "
         "same claim."),
        ("Help, how do I know that a node is in between?", "Some node below it has the name of a "
         "child's claim: `any(each.name in claims for each in find(node, lambda each: True))`."),
        ("Help, almost the code", "Make a dict from name to child claim. An inner function "
         "`walk(node)` has three cases, a claimed node, a node above no claimed node (on_rows "
         "of the others), and a node in between (with_children of the walked children). At the "
         "end, call with_children on the node itself."),
    ],
)


# --- every case -----------------------------------------------------------------------------------


UNEVEN = "Every case needs a row under each name: repeat the earlier rows where a case splits."
SINGLE = "The probabilities must be float64, since they are summed over up to 200,000 cases."


def distribution(answer, claim, data):
    """The probability of each combination of rows, by name, in a fixed order."""
    found = answer(claim, data)
    if not isinstance(found, tuple | list) or len(found) != 2 or not isinstance(found[0], dict):
        raise Wrong("It must return two things, the rows by name and the probabilities.")
    rows, chances = found
    names = sorted(rows)
    if torch.is_tensor(chances) and chances.dtype != torch.float64:
        raise Wrong(f"{SINGLE} They are {str(chances.dtype).removeprefix('torch.')}.")
    lengths = {name: len(each) for name, each in rows.items()}
    if short := [name for name, length in lengths.items() if length != len(chances)]:
        fact = f"{len(chances)} probabilities, and {lengths[short[0]]} rows under {short[0]!r}."
        raise Wrong(f"{UNEVEN} There are {fact}")
    combined = torch.stack([torch.as_tensor(rows[name]) for name in names], 1)
    kinds, which = combined.unique(dim=0, return_inverse=True)
    total = torch.zeros(len(kinds), dtype=torch.float64)
    total.index_add_(0, which, torch.as_tensor(chances, dtype=torch.float64))
    return {"names": names, "cases": kinds, "probabilities": total}


def small_cases(seed):
    first, _, _, fourth, fifth = trees()
    short = claim("output", Exact(), claim("odd", Matching(parity)))
    sizes = ((first, 4), (fourth, 6), (fifth, 5), (short, 7))
    return [(tree, random_rows(seed + i, size)) for i, (tree, size) in enumerate(sizes)]


REPEATED = "rows = {known: each[case] for known, each in rows.items()} | {name: row}"
SPLIT = "chances = (chances / may.sum(1))[case]"

EQUAL = ("All cases are equally likely here. They are not where classes differ in size. Each "
         "case gives 1/k of its own probability to the k cases into which it splits.")

exercise("d3.1.9", cases=small_cases, use=distribution, tolerance=EXACT,
    mistakes=[
        edit(SPLIT, "chances = chances[case]",
             says="The probabilities do not add up to 1. A case that splits into k cases gives "
                  "each of them 1/k of its own."),
        edits((SPLIT, "chances = chances[case]"),
              ("    return rows, chances", "    return rows, chances / chances.sum()"),
              says=EQUAL),
        edits((SPLIT, "chances = chances[case]"),
              ("    return rows, chances",
               "    return rows, torch.full_like(chances, 1 / len(chances))"),
              says=EQUAL),
        edit("rows[given]]", 'rows["reference"]]',
             says="Every row agrees with the reference here. It must agree with the row of the "
                  "name that it is given."),
        edit(REPEATED, "rows = {**rows, name: row}", says=UNEVEN),
        edit("torch.float64", "torch.float32", says=SINGLE),
        edit("1 / len(data), dtype", "1.0, dtype",
             says="The probabilities add up to the number of references. Each reference has 1 / "
                  "len(data)."),
        edit("rows[given]]", "rows[given]][:, :1]",
             says="Only the first row is tried for each case. Try every row that is allowed."),
    ],
    right=[
        """
        def every_case(claim, data):
            cases = [({"reference": row}, 1 / len(data)) for row in range(len(data))]
            for name, draw, given in all_draws(claim):
                table, longer = allowed(draw, data), []
                for rows, chance in cases:
                    may = table[rows[given]].nonzero()[:, 0].tolist()
                    longer += [({**rows, name: row}, chance / len(may)) for row in may]
                cases = longer
            rows = {name: torch.tensor([each[name] for each, _ in cases]) for name in cases[0][0]}
            return rows, torch.tensor([chance for _, chance in cases], dtype=torch.float64)
        """,
    ],
    hints=[
        ("Help, what is a case?", "One row for every name that has been drawn so far. At the "
         "beginning there is a case for each reference."),
        ("Help, how does a case split?", "`may = allowed(draw, data)[rows[given]]` has a line for "
         "each case. Every true entry is a new case: `case, row = may.nonzero(as_tuple=True)`."),
        ("Help, almost the code", "The loop makes the table, takes `nonzero`, computes `(chances / "
         "may.sum(1))[case]`, indexes every earlier entry of rows by `case`, and adds the new "
         "name with `row`."),
    ],
)


# --- recovered ------------------------------------------------------------------------------------


def three_losses(seed):
    """Shares inside, below 0 and above 1, with losses that depend on their reference."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for count, share, sign in ((40, 0.6, 1), (25, -1.3, 1), (60, 1.8, 1), (30, 0.2, -1)):
        hard = torch.randn(count, generator=numbers, dtype=torch.float64)
        noise = torch.randn(2, count, generator=numbers, dtype=torch.float64)
        model, baseline = 1 + hard, sign * 3 + hard + noise[0]
        cases.append((share * model + (1 - share) * baseline + 0.5 * noise[1], model, baseline))
    return cases


SHARE = "(scrubbed.mean() - baseline.mean()) / whole"
ERROR = "apart.std() / len(apart) ** 0.5 / whole.abs()"

exercise("d3.1.10", cases=three_losses, tolerance=1e-7,
    mistakes=[
        edit(SHARE, "(scrubbed.mean() - model.mean()) / -whole",
             says="This is the share that is lost, measured from the model. Measure from the "
                  "baseline."),
        edit(SHARE, "(scrubbed.mean() - baseline.mean()) / model.mean()",
             says="You divide by the model's loss. Divide by the difference between the model "
                  "and the baseline."),
        edit(SHARE, "((scrubbed - baseline) / (model - baseline)).mean()",
             says="This is the mean of one share for each draw. Take the three means first."),
        edit(SHARE, f"({SHARE}).clamp(0, 1)",
             says="The share is cut off at 0 and 1. It may lie outside."),
        edit(ERROR, "(scrubbed.var() / len(apart)).sqrt() / whole.abs()",
             says="This is the error of the scrubbed loss alone. Model and baseline are "
                  "measured too, on the same references. Take the error of d."),
        edit(ERROR, "((scrubbed.var() + share**2 * model.var() + (1 - share)**2 * "
             "baseline.var()) / len(apart)).sqrt() / whole.abs()",
             says="The three losses are treated as independent. They share their references, so "
                  "combine them draw by draw before you take the error."),
        edit(" / whole.abs()", "",
             says="This error is in units of loss. Divide by |model - baseline|."),
        edit("whole.abs()", "whole",
             says="The error has a sign. Divide by the absolute value of model - baseline."),
        edit("len(apart) ** 0.5", "len(apart)",
             says="You divide by the number of draws. Divide by its square root."),
        edit("apart.std()", "apart.std(correction=0)",
             says="The deviation divides by n. Divide by n - 1, as torch's std does by default."),
        edit("return share.item(), error.item()", "return 100 * share.item(), 100 * error.item()",
             says="The share is in per cent. Return a fraction, which is 1 at the model's loss."),
        edit(" / len(apart) ** 0.5", "",
             says="This is the deviation over draws. Divide by the square root of their number."),
        edit("return share.item(), error.item()", "return share.item()",
             says="The error is missing. Return the share and its standard error."),
    ],
    right=[
        """
        def recovered(scrubbed, model, baseline):
            means = [each.mean() for each in (scrubbed, model, baseline)]
            s = (means[2] - means[0]) / (means[2] - means[1])
            d = (scrubbed - baseline) - s * (model - baseline)
            return s, (d.var() / d.numel()).sqrt() / abs(means[2] - means[1])
        """,
    ],
    hints=[
        ("Help, where is 0 and where is 1?", "The share is 0 at the baseline and 1 at the model. "
         "Both differences are measured from the baseline."),
        ("Help, why is d zero?", "Its mean is zero because s was chosen so. Its spread over draws "
         "gives the error."),
        ("Help, almost the code", "`whole = model.mean() - baseline.mean()`, then the share, then "
         "`d = scrubbed - share * model - (1 - share) * baseline`, and `d.std() / len(d) ** 0.5 "
         "/ whole.abs()`."),
    ],
)


# --- wrong hypotheses -----------------------------------------------------------------------------

WRONG = ("swapped", "forgotten", "nearly", "one path", "split")


def five(answer, graph, data):
    if not isinstance(answer, dict):
        raise Wrong(f"It is {kind_of(answer)}, expected a dict of hypotheses by name.")
    missing = [name for name in WRONG if name not in answer]
    if missing:
        raise Wrong(f"There is no hypothesis {missing[0]!r}. The five are {', '.join(WRONG)}.")
    found = {}
    for name in WRONG:
        try:
            found[name] = exchanges(answer[name], graph, data)
        except HypothesisError as error:
            raise Wrong(f"{name!r} cannot be scrubbed: {error.fact}", fix=error.fix) from None
    return found


ONE_ROW = ("In split b and c come from one row, so nothing is split. Make two claims, each with "
           "a row of its own that matches the agreement.")

exercise("d3.1.11", cases=models_like_the_toy, use=five, tolerance=1e-7,
    mistakes=[
        edit('claim("odd", Matching(agreement)), claim("same", Matching(parity))',
             "odd_right, same_right",
             says="swapped is the right hypothesis. odd must match the agreement of b and c, "
                  "and same must match the parity."),
        edit('"forgotten": claim("output", Exact(), same_right)',
             '"forgotten": claim("output", Exact(), odd_right)',
             says="forgotten leaves out same. Leave out odd."),
        edit('"forgotten": claim("output", Exact(), same_right)',
             '"forgotten": claim("output", Exact(), claim("odd", Uniform()), same_right)',
             says="In forgotten odd is claimed, with a row of its own. Without a claim, odd "
                  "reads the row of the others, as up and down do."),
        edit("Matching(above_0)", "Matching(parity)",
             says="nearly is the right hypothesis. odd must agree on whether a is above 0."),
        edit('claim("odd", Matching(above_0)), same_right', 'claim("odd", Matching(above_0))',
             says="nearly leaves out same. Claim it as in right."),
        edit('"one path": claim("output", Exact(), one_path, same_right)',
             '"one path": claim("output", Exact(), one_path)',
             says="one path leaves out same. Claim it as in right."),
        edit('data["x"][:, 0] > 0', 'data["x"][:, 0] > 1',
             says="nearly compares a with 1. The claim is whether a is above 0, so 1 and 2 have "
                  "one label."),
        edit('claim("straight", Exact())', 'claim("bend", Exact())',
             says="one path claims bend. Claim straight, and leave bend to the others of odd."),
        edit('claim("straight", Exact())', 'claim("straight", Exact()), others=Exact()',
             says="In one path bend reads the row of odd too. The others of odd may be any row."),
        edit('[claim("b", Matching(agreement)), claim("c", Matching(agreement))]',
             '[claim("b", Exact()), claim("c", Exact())]',
             says=ONE_ROW),
        edit('[claim("b", Matching(agreement)), claim("c", Matching(agreement))]',
             '[Interp("both", at("b") | at("c"), Matching(agreement))]',
             says=ONE_ROW),
        edit('claim("output", Exact(), odd_right, split)', 'claim("output", Exact(), split)',
             says="split leaves out odd. Claim it as in right."),
    ],
    right=[
        """
        def tree(*parts):
            return Interp("root", at("output"), Exact(), parts)
        def node(name, function, *below, **more):
            return Interp(name, at(name), Matching(function), below, **more)
        def odd_label(data):
            return torch.tensor([[0, 1, 0][int(row[0])] for row in data["x"]])
        def same_label(data):
            return data["x"][:, 1] == data["x"][:, 2]
        fine = node("same", same_label)
        halves = [node(name, same_label) for name in "cb"]
        wrong = {
            "split": tree(node("same", same_label, *halves, others=None), node("odd", odd_label)),
            "one path": tree(fine, node("odd", odd_label, node("straight", odd_label))),
            "nearly": tree(fine, node("odd", lambda data: data["x"][:, 0].clamp(max=1))),
            "forgotten": tree(fine),
            "swapped": tree(node("same", odd_label), node("odd", same_label)),
        }
        """,
    ],
    hints=[
        ("Help, what stays the same?", "Everything but one thing. Begin each time with the tree of "
         "`right`, and change the draw of a child, leave a child out, or put children below it."),
        ("Help, how do I claim one path?", "odd has one child, straight, with the draw Exact(). "
         "bend is then left to the others of odd, which are Uniform()."),
        ("Help, almost the code", '`claim("odd", Matching(parity), claim("straight", Exact()))`, '
         'and `claim("same", Matching(agreement), claim("b", Matching(agreement)), claim("c", '
         "Matching(agreement)), others=None)`."),
    ],
)

quiz("d3.1.quiz",
    marginal=number(also=(1 / 12, 0.083),
               within=5e-3,
               says="Look at the proof of d3.1.3. Does drawing within classes change how often "
                    "a row is drawn?"),
    given=option("reference", "root", "parent",
               says="Look at the list that all_draws makes. Which row is a child given?"),
    between=option("sampled", "recomputed",
               says="The claimed node below it has a new value. How does this value reach the "
                    "output?"),
    nearly=number(within=0.05,
               also=(0.65, 64.7),
               says="Its feature is right on the rows with a = 0 and a = 1, and wrong on those "
                    "with a = 2."),
    above=option("helps", "harms",
               says="The scrubbed model did better than the model. Was the part that it left "
                    "free any use?"),
    hints=[
        ("Help, the draws", "In d3.1.3, rows drawn within the classes of a partition keep the "
         "data's distribution. In d3.1.6, each name agrees with the claim right above it."),
        ("Help, the recursion", "d3.1.8 has three kinds of nodes. Which kind has to pass on a new "
         "value from below?"),
        ("Help, the shares", "The table is in d3.1.11. In d3.1.10 the third bar is above 1."),
    ],
)
