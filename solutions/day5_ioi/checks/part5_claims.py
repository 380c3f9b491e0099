"""How the exercises of day 5, part 5 are judged: claims by scrubbing, on small random models."""

import torch

from remix_utils import circuits
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.data import Dataset
from remix_utils.errors import kind_of
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import Selector, at
from remix_utils.intervene import path_patch
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub

SIZES = "The check uses small random models with other heads: use the arguments."


def generator(seed):
    return torch.Generator().manual_seed(seed)


# --- small models and their prompts ---------------------------------------------------------------


def small_case(seed, n_heads=2, seq=4, n_layers=3):
    """The logit difference of a random model with MLPs, and rows of two templates and orders."""
    graph = small_model(seed, n_layers=n_layers, n_heads=n_heads).graph(seq=seq)
    difference = circuits.logit_difference(split(graph, "blocks.*.attn_out", "head"))
    template = torch.tensor([3, 3, 3, 3, 8, 8, 8, 8])
    order = torch.tensor([0, 0, 1, 1, 0, 0, 1, 0])
    names = torch.tensor([[1, 2], [2, 5], [1, 2], [2, 1], [1, 2], [1, 2], [2, 1], [5, 2]])
    tokens = torch.randint(13, (len(template), seq), generator=generator(seed))
    columns = {"tokens": tokens, "template": template, "order": order}
    columns |= {"token.IO": names[:, 0], "token.S": names[:, 1]}
    return Graph(difference, columns)


def moments(graph, hypothesis):
    """What a hypothesis allows: three moments of the difference for each reference."""
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It gives {kind_of(hypothesis)}, expected a hypothesis, an Interp.")
    result = scrub(graph.node, hypothesis, Dataset(graph.inputs), "all", metric=bounded)
    reference = torch.nn.functional.one_hot(result.rows["reference"], len(graph.inputs["order"]))
    powers = torch.stack([result.per_example.double() ** power for power in (1, 2, 3)], dim=1)
    return (reference.double().T * result.weights) @ powers


def bounded(output, reference):
    return (0.1 * output).tanh()


def patched(selector, graph):
    """The difference if the selected paths come from other rows."""
    if not isinstance(selector, Selector):
        raise Wrong(f"It gives {kind_of(selector)}, expected a selector.")
    tokens = graph.inputs["tokens"]
    other = placeholder("other", tuple(tokens.shape[1:]), torch.long)
    changed = path_patch(graph.node, selector, {"tokens": other})
    return evaluate(changed, graph.inputs | {"other": tokens.flip(0)})


# --- never ----------------------------------------------------------------------------------------


def some_effects(seed):
    """Effects without an exception, with one, with several, and with a 0."""
    numbers, cases = generator(seed), []
    for rows, exceptions in ((12, 0), (31, 0), (9, 1), (20, 4)):
        effects = 0.1 + torch.rand(rows, generator=numbers)
        effects[:exceptions] *= -1
        cases.append((effects,))
    cases.append((torch.tensor([0.0, 1.0, 2.0]),))
    return cases


exercise("d5.5.1", cases=some_effects,
    mistakes=[
        edit("(effects < 0)", "(effects > 0)",
             says="This counts the rows that favour IO. An exception is below 0."),
        edit("(effects < 0)", "(effects <= 0)",
             says="An effect of exactly 0 counts as an exception. It favours neither name."),
        edit("1 - 0.05 ** (1 / len(effects))", "0.05 ** (1 / len(effects))",
             says="This is the rate of rows without an exception. The rate of exceptions is 1 "
                  "minus it."),
        edit("1 - 0.05 ** (1 / len(effects))", "0.0",
             says="A rate of 0 isn't all that 0 exceptions allow. Solve (1 - r)ⁿ = 0.05 for r."),
        edit("0.05 ** (1 / len(effects))", "0.95 ** (1 / len(effects))",
             says="With 0.95 the formula gives the rate at which 95 of 100 samples have no "
                  "exception. Use 0.05."),
        edit("1 - 0.05 ** (1 / len(effects))", "3 / len(effects)",
             says="3/n is only close to the limit. Return 1 - 0.05^(1/n) itself."),
        edit("return exceptions, None", "return exceptions, exceptions / len(effects)",
             says="With an exception the claim is refuted. The second value is None then."),
    ],
    right=[
        """
        def never(effects):
            below = [value for value in effects.tolist() if value < 0]
            return len(below), None if below else -math.expm1(math.log(0.05) / len(effects))
        """,
    ],
    hints=[
        ("Help, where does 0.05 come from?", "If the rate is r, no exception in n rows has the "
         "probability (1 - r)ⁿ. The limit is the r for which this is 5 %."),
        ("Help, what if there are exceptions?", "Return the number of exceptions and `None`."),
        ("Help, almost the code", "`(effects < 0).sum()`, and `1 - 0.05 ** (1 / len(effects))`."),
    ],
)

# --- features -------------------------------------------------------------------------------------


def some_columns(seed):
    """Rows in which every pair of columns differs somewhere, and columns to agree in."""
    data = {name: torch.randint(3, (24,), generator=generator(seed + place))
            for place, name in enumerate(("template", "order", "token.IO", "token.S"))}
    chosen = ((), ("order",), ("token.S",), ("token.IO", "order"), ("token.S", "token.IO"))
    return [(Dataset(data), columns) for columns in chosen]


def same_use(answer, data, columns):
    """Which rows agree with which."""
    values = answer(*columns)(data)
    if not isinstance(values, torch.Tensor) or len(values) != len(data):
        given = kind_of(values)
        raise Wrong(f"The feature gives {given}, expected a tensor with one value for each row.")
    values = values.reshape(len(data), -1)
    return (values[:, None] == values[None]).all(-1)


NAMED = '("template", *columns)'

exercise("d5.5.2", cases=some_columns, use=same_use,
    mistakes=[
        edit(NAMED, '(columns or ("template",))',
             says="Rows of two templates agree here if any column is given. Always include the "
                  "template."),
        edit(NAMED, '("template", *columns[:1])',
             says="Only the first column counts. Rows must agree in all of them."),
        edits((f"return torch.stack([data[name] for name in {NAMED}], dim=1)",
               f"return sum(data[name] for name in {NAMED})"),
              says="These are sums, and two different rows may have the same sum. Stack the "
                   "columns."),
        edits((f"return torch.stack([data[name] for name in {NAMED}], dim=1)",
               'return 100_003 * data["template"] + sum(data[name] for name in columns)'),
              says="The columns are added up, so two different rows may have the same sum. Stack "
                   "the columns."),
        edit(NAMED, '("template",)', says="The columns aren't used. Rows must agree in them too."),
        edit(NAMED, '("template", "order", *columns)',
             says="The order is always included. A claim that lets it vary can't be written."),
    ],
    right=[
        """
        def same(*columns):
            @feature
            def found(data):
                number = data["template"].clone()
                for name in columns:
                    number = number * 100_003 + data[name]
                return number
            return found
        """,
    ],
    hints=[
        ("Help, what is a feature?", "A function that takes a dataset and returns one value for "
         "each row, wrapped by `feature`. A value may have several entries."),
        ("Help, how do several columns become one value?", "Stack them along axis 1. Two rows "
         "agree if all entries do."),
        ("Help, almost the code", 'An inner function that returns `torch.stack([data[name] for '
         'name in ("template", *columns)], dim=1)`, wrapped by `feature`.'),
    ],
)

# --- what a path carries --------------------------------------------------------------------------


def some_paths(seed):
    """A head's output and a value, with columns."""
    one, two = small_case(seed), small_case(seed + 1, n_heads=3, seq=5)
    head, value = at("blocks.1.attn.head.1.out"), at("blocks.2.attn.head.0.v")
    return [(one, head, ("token.IO",)), (two, value, ("order",)), (one, value, ())]


def carries_use(answer, graph, path, columns):
    claim = answer(path, *columns)
    found = moments(graph, claim)
    if "path" not in [child.name for child in claim.children]:
        raise Wrong("Later cells look up the rows of a node named 'path'. Give the path's node "
                    "this name.")
    return found


ROOT = 'at("logit_difference"), Exact(), [carried], others=Exact())'

exercise("d5.5.3", cases=some_paths, use=carries_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(ROOT, ROOT.replace(", others=Exact()", ""),
             says="All that the path doesn't carry reads another row too. Add others=Exact()."),
        edit("Matching(same(*columns))", "Exact()",
             says="Nothing is exchanged, since the path reads the reference. Draw it with "
                  "Matching(...)."),
        edit("Matching(same(*columns))", "Matching(same())",
             says="The columns aren't used, so the path carries the template alone."),
        edit('"path", path, Matching(same(*columns))', '"path", path, Exact()',
             says="Nothing is exchanged, since the path reads the reference. Draw it with "
                  "Matching(...)."),
        edit(ROOT, ROOT.replace("Exact(), [", "Matching(same(*columns)), ["),
             says="The root reads another row, so the exact parts are of that row. Use Exact()."),
        edit(ROOT, ROOT.replace("others=Exact()", "others=Matching(same())"),
             says="The rest reads another row of the template. It should be exact."),
        edits(('"path", path, Matching(same(*columns))', '"path", path, Exact()'),
              ("others=Exact()", "others=Matching(same(*columns))"),
              says="The path is exact and everything else reads another row. Exchange the two "
                   "draws."),
    ],
    right=[
        """
        def carries(path, *columns):
            below = Interp("path", path, Matching(same(*columns)))
            return Interp("root", "logit_difference", Exact(), below, others=Exact())
        """,
    ],
    hints=[
        ("Help, how many levels?", "Two: the difference, and the path below it."),
        ("Help, how is the row drawn?", "`Matching(same(*columns))` for the path. The root and "
         "its others are `Exact()`."),
        ("Help, almost the code", '`Interp("difference", at("logit_difference"), Exact(), '
         '[Interp("path", path, Matching(...))], others=Exact())`.'),
    ],
)

# --- selectors of paths ---------------------------------------------------------------------------


def some_heads(seed):
    """Heads of one layer and of two, where one head feeds the other."""
    return [
        (small_case(seed), [(1, 0), (2, 1)]),
        (small_case(seed + 1, n_heads=3, seq=5), [(1, 2)]),
    ]


def values_use(answer, graph, heads):
    return patched(answer(heads), graph)


VALUES = '(direct(heads) >> inputs_of(heads, "v")).avoiding(BLOCKS)'

exercise("d5.5.4", cases=some_heads, use=values_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(VALUES, 'direct(heads) >> inputs_of(heads, "v")',
             says="With heads of two layers, the values of the first also reach the logits through "
                  "the output of the second. Avoid BLOCKS on the whole chain."),
        edit(VALUES, 'inputs_of(heads, "v")',
             says="The values reach the logits by every path, through later heads and MLPs too. "
                  "Start with direct(heads)."),
        edit('"v"', '"q"', says="These are the queries. The side of the values is v."),
        edit('"v"', '"k"', says="These are the keys. The side of the values is v."),
        edit('"v"', '"qkv"',
             says="This is the whole output of the heads. Their pattern changes too, since queries "
                  "and keys are selected. Select the values alone."),
    ],
    right=[
        """
        def values_of(heads):
            found = None
            for layer, head in heads:
                name = f"blocks.{layer}.attn.head.{head}"
                way = at(f"{name}.out").avoiding(BLOCKS) >> at(f"{name}.v").avoiding(BLOCKS)
                found = way if found is None else found | way
            return found
        """,
    ],
    hints=[
        ("Help, how do I chain selectors?", "`first >> second` starts at the nodes that `first` "
         "selects and continues to the nodes below them that `second` selects."),
        ("Help, which helper has the values?", '`inputs_of(heads, "v")`.'),
        ("Help, almost the code", '`(direct(heads) >> inputs_of(heads, "v"))`, and `.avoiding('
         'BLOCKS)` for the whole. `into(direct(heads), heads, "v")` is the same.'),
    ],
)


def some_verdicts(seed):
    """Shares on both sides of a bar, near it, far above 1, and claims that exchange few rows."""
    given = [(0.95, 0.03, 0.8), (0.93, 0.02, 0.75), (1.4, 0.05, 0.8), (0.9, 0.08, 0.7)]
    given += [(0.3, 0.1, 0.9), (0.7, 0.08, 0.6), (0.99, 0.001, 0.2), (0.1, 0.01, 0.05)]
    given += [(1.1, 0.02, 0.5), (1.25, 0.06, 0.8), (0.84, 0.03, 1.0), (0.76, 0.03, 0.6)]
    cases = [(*each, 0.8) for each in [*given, (0.82, 0.03, 0.7)]]
    return [*cases, (0.7, 0.02, 0.6, 0.6), (0.55, 0.01, 0.6, 0.6)]


exercise("d5.5.5", cases=some_verdicts,
    mistakes=[
        edit("if exchanged < 0.5", "if share < 0.5",
             says='"says little" is about the rows exchanged, not the share recovered.'),
        edit("if exchanged < 0.5", "if exchanged > 0.5",
             says='"says little" is for claims that exchange few rows. Many rows are a real test.'),
        edit("share - 2 * se, share + 2 * se", "share, share",
             says="The error isn't used, so nothing is open. Compare share ± two errors."),
        edit("share - 2 * se, share + 2 * se", "share - se, share + se",
             says="One error is too few. Use two."),
        edits(("bar < low and high < 2 - bar", "bar < low"), (" or low > 2 - bar", ""),
              says="A share far above 1 stands here. It differs from the model too, so it falls."),
        edit("bar < low and high < 2 - bar", "bar < low and high < 1",
             says="The upper end is 1 here. Shares scatter around 1, so use 2 - bar."),
        instead(
            """
            def verdict(share, se, exchanged, bar=0.8):
                low, high = share - 2 * se, share + 2 * se
                if bar < low and high < 2 - bar:
                    return "stands"
                if high < bar or low > 2 - bar:
                    return "falls"
                return "says little" if exchanged < 0.5 else "open"
            """,
            says='The rows exchanged come last here. With few of them the claim "says little", '
                 "whatever it recovers."),
        edits(("bar < low and high < 2 - bar", "0.8 < low and high < 1.2"),
              ("high < bar or low > 2 - bar", "high < 0.8 or low > 1.2"),
              says="The bar is fixed at 0.8. It's an argument."),
    ],
    right=[
        """
        def verdict(share, se, exchanged, bar=0.8):
            apart, room = abs(share - 1), 1 - bar
            cases = [(exchanged < 0.5, "says little"), (apart + 2 * se < room, "stands"),
                     (apart - 2 * se > room, "falls")]
            return next((said for holds, said in cases if holds), "open")
        """,
    ],
    hints=[
        ("Help, what comes first?", "The rows exchanged. A claim that exchanges few isn't "
         "tested, whatever it recovers."),
        ("Help, when is it open?", "If the bar or 2 - bar lies within two errors of the share."),
        ("Help, almost the code", "With `low` and `high` two errors away: `bar < low and high < "
         "2 - bar` stands, `high < bar or low > 2 - bar` falls."),
    ],
)


def some_pairs(seed):
    """Senders before receivers, with a head and MLPs between them."""
    return [
        (small_case(seed), [(0, 1)], [(2, 0), (2, 1)]),
        (small_case(seed + 1, n_heads=3, seq=5), [(0, 0), (1, 2)], [(2, 1)]),
    ]


def chain_use(answer, graph, senders, receivers):
    return patched(answer(senders, receivers), graph)


SENT = "(queries >> outputs_of(senders)).avoiding(BLOCKS)"

exercise("d5.5.6", cases=some_pairs, use=chain_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit('"q")', '"k")', says="These are the keys. The signal arrives in the queries, q."),
        edit('"q")', '"v")', says="These are the values. The signal arrives in the queries, q."),
        edit('"q")', '"qkv")', says="Keys and values are selected too. Take the queries alone."),
        edit(SENT, "direct(senders)",
             says="This is the direct path from the senders to the logits. Go through the "
                  "queries."),
        edit(SENT, "queries",
             says="These are the whole queries of the receivers. Continue to the senders."),
        edit(".avoiding(BLOCKS)", "",
             says="The senders reach the queries through MLPs and other heads too. Take their "
                  "direct paths."),
        edit("into(direct(receivers)", "into(outputs_of(receivers)",
             says="The receivers reach the logits through MLPs and other heads too. Take their "
                  "direct paths."),
    ],
    right=[
        """
        def sent(senders, receivers):
            return into(direct(receivers), receivers, "q") >> direct(senders)
        """,
    ],
    hints=[
        ("Help, in which direction does a chain go?", "From the logits down. First the receivers, "
         "then their queries, then the senders."),
        ("Help, what does `into` return?", '`into(direct(receivers), receivers, "q")` is the path '
         "from the logits to the queries. Chain it with the senders."),
        ("Help, almost the code", '`(into(direct(receivers), receivers, "q") >> outputs_of(...))`, '
         "and `.avoiding(BLOCKS)` for the whole."),
    ],
)

exercise("d5.5.7", cases=some_pairs, use=chain_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit('"qkv"', '"q"', says="Only the queries are selected. Take q, k and v."),
        edit('"qkv"', '"kv"', says="The queries are left out. Take q, k and v."),
        edit('heads = at("*.attn.head.*.out")', "heads = BLOCKS",
             says="MLPs between the senders and the receivers are excluded. The claim allows "
                  "them."),
        edit("inputs >> outputs_of(senders).avoiding(heads)", "inputs",
             says="These are all the inputs of the receivers. Continue to the senders."),
        edit("inputs >> outputs_of(senders).avoiding(heads)", "outputs_of(senders)",
             says="The senders reach the logits by every path. Go through the receivers' inputs."),
        edit("outputs_of(senders).avoiding(heads)", "outputs_of(senders)",
             says="The paths from the senders pass other heads. Avoid them."),
        edit("(outputs_of(receivers) >>", "(direct(receivers) >>",
             says="The receivers reach the logits only directly here. Allow every path from them."),
    ],
    right=[
        """
        def fed(senders, receivers):
            other = at("*.attn.head.*.out")
            q, k, v = (inputs_of(receivers, side) for side in "qkv")
            near = (q | k | v).avoiding(other)
            return outputs_of(receivers) >> near >> outputs_of(senders).avoiding(other)
        """,
    ],
    hints=[
        ("Help, what is allowed on the way?", "MLPs are allowed, other heads aren't. "
         'So avoid `at("*.attn.head.*.out")`, not BLOCKS.'),
        ("Help, where does the chain begin?", "With `outputs_of(receivers)`, which may take "
         'any path to the logits. Then `inputs_of(receivers, "qkv")`.'),
        ("Help, almost the code", "`(outputs_of(receivers) >> inputs_of(...)).avoiding(heads) >> "
         "outputs_of(senders).avoiding(heads)`."),
    ],
)

# --- only -----------------------------------------------------------------------------------------


def only_use(answer, graph, heads):
    return moments(graph, answer(heads))


OTHERS = "kept, others=Matching(same()))"

exercise("d5.5.8", cases=some_heads, use=only_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(OTHERS, "kept, others=Exact())",
             says="Nothing is exchanged. Everything else must read another row."),
        instead("def only(heads):\n    return carries(direct(heads))",
            says="The heads read another row here and the rest is exact. Claim 6 needs the "
                 "opposite."),
        edit(OTHERS, "kept)",
             says="The others come from any template, where the names have other positions. Use "
                  "Matching(same())."),
        edit('for name in ("token.IO", "token.S")]', 'for name in ("token.IO",)]',
             says="token.S comes from the other row, so another logit is compared."),
        edit('for name in ("token.IO", "token.S")]', "for name in ()]",
             says="The two tokens come from the other row, so other logits are compared."),
        edit("direct(heads), Exact()", "outputs_of(heads), Exact()",
             says="The heads also reach the logits through later heads and MLPs. Keep their "
                  "direct paths alone."),
        edit("direct(heads), Exact()", "direct(heads), Matching(same())",
             says="The heads read another row too. They're the part that is kept."),
        edit(OTHERS, 'kept, others=Matching(same("order")))',
             says="The others have the same order, so the positions still match. Match the "
                  "template alone."),
    ],
    right=[
        """
        def only(heads):
            exact = {"heads": direct(heads), "IO": "token.IO", "S": "token.S"}
            parts = [Interp(name, place, Exact()) for name, place in exact.items()]
            return Interp("root", "logit_difference", Exact(), parts, others=Matching(same()))
        """,
    ],
    hints=[
        ("Help, what is left for others?", "All that no child claims. Three children are exact, "
         "namely the heads' direct paths, `token.IO` and `token.S`."),
        ("Help, why claim the tokens?", "They choose the logits to compare. If they came from "
         "another row, the difference would be about other names."),
        ("Help, almost the code", '`Interp("heads", direct(heads), Exact())` and one Interp for '
         "each token, below a root with `others=Matching(same())`."),
    ],
)

# --- edges ----------------------------------------------------------------------------------------


def some_edges(seed):
    """Three random tensors of several shapes."""
    shapes = ((3, 4, 5), (1, 2, 7))
    return [tuple(torch.randn(3, *shape, generator=generator(seed)).unbind()) for shape in shapes]


PRODUCT = "((clean - other) * gradient).sum((1, 2))"

exercise("d5.5.9", cases=some_edges, tolerance=CLOSE,
    mistakes=[
        edit("(clean - other)", "(other - clean)",
             says="The sign is reversed. A fall of the difference is positive."),
        edit("(clean - other)", "clean",
             says="This compares with an output of 0. Compare with the other output."),
        edit(PRODUCT, "((clean - other) * gradient).sum()",
             says="This is one number for all rows. Return one for each."),
        edit(PRODUCT, "((clean - other) * gradient).mean((1, 2))",
             says="This is a mean over positions and d_model. The contributions add."),
        edit(PRODUCT, "((clean - other) * gradient)[:, -1].sum(1)",
             says="Only the last position counts here. The edge may arrive at any position."),
        edit(PRODUCT, "((clean - other) * gradient).abs().sum((1, 2))",
             says="Contributions of opposite signs should cancel. Sum without abs."),
    ],
    right=[
        """
        def attribute(gradient, clean, other):
            return torch.einsum("rsd, rsd -> r", gradient, clean) - torch.einsum(
                "rsd, rsd -> r", gradient, other)
        """,
    ],
    hints=[
        ("Help, where does it come from?", "To first order, the difference changes by the "
         "gradient times the change of the input."),
        ("Help, which sign?", "The input changes by other - clean. A *fall* is minus the "
         "change of the difference."),
        ("Help, almost the code", "`(clean - other) * gradient`, summed over axes 1 and 2."),
    ],
)


def some_lists(seed):
    """Lists that are related, unrelated, reversed, and related by a curve."""
    first = torch.randn(17, generator=generator(seed))
    noise = torch.randn(17, generator=generator(seed + 1))
    return [(first, first + noise), (first, noise), (first, -first), (first, (3 * first).exp())]


RANKS = "torch.stack([first, second]).argsort(1).argsort(1).double()"

exercise("d5.5.10", cases=some_lists, tolerance=1e-4,
    mistakes=[
        edit(RANKS, "torch.stack([first, second]).double()",
             says="This is the correlation of the numbers. Replace them by their ranks first."),
        edit(".argsort(1).argsort(1)", ".argsort(1)",
             says="argsort gives positions in order, not ranks. Apply it twice."),
        edit(".argsort(1).argsort(1)", ".abs().argsort(1).argsort(1)",
             says="These are ranks of absolute values. Keep the sign."),
        edit("torch.corrcoef(ranks)[0, 1]", "torch.corrcoef(ranks)[0, 1] ** 2",
             says="This is the square. Its sign is lost."),
    ],
    right=[
        """
        def rank_correlation(first, second):
            order, other = (sorted(range(len(each)), key=each.tolist().__getitem__)
                            for each in (first, second))
            apart = sum((order.index(k) - other.index(k)) ** 2 for k in range(len(first)))
            return 1 - 6 * apart / (len(first) * (len(first) ** 2 - 1))
        """,
    ],
    hints=[
        ("Help, how do I get ranks?", "Use `values.argsort().argsort()`. The second argsort turns "
         "the order into ranks."),
        ("Help, which function has the correlation?", "Use `torch.corrcoef` of a stack of two "
         "rows, and take its entry [0, 1]."),
        ("Help, almost the code", "Ranks of both as doubles, stacked, then `torch.corrcoef`."),
    ],
)

quiz("d5.5.quiz",
    always=option("template", "order", "token.IO", "token.S",
                  says="d5.5.2: without which column would the roles be at other positions?"),
    few=option("stands", "falls", "open", "says little",
               says="d5.5.5: a claim that changes nothing recovers everything."),
    only=number(says="d5.5.8: one experiment keeps the part. Which other one is needed?"),
    order=option("position", "token",
                 says="d5.5.6: which name does S have in another row of the same order?"),
    hints=[
        ("Help, always", "d5.5.2: if it differs, two rows can't be exchanged position by "
         "position."),
        ("Help, only", "d5.5.8: keep the part alone, and take the part away."),
        ("Help, few and order", "The verdict first compares the rows exchanged with 0.5. In d5.5.6 "
         "the names differ between rows of the same order."),
    ],
)
