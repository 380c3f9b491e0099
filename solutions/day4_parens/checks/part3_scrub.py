"""How the exercises of day 4, part 3 are judged: claims about the model of parentheses."""

from types import SimpleNamespace

import torch

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import number, option
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.data import Dataset, Exact, Feature, feature
from remix_utils.errors import kind_of
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.models import transformer
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.scrub.hypothesis import Interp, preorder
from remix_utils.scrub.scrubbing import scrub
from remix_utils.tasks import parens

CONFIG = TransformerConfig(
    n_layers=3, n_heads=2, d_model=8, d_mlp=6, n_ctx=5, d_vocab=13, d_out=2, causal=False
)
SIZES = "The check uses small models of three layers with two heads."

# --- what a feature and a hypothesis mean ---------------------------------------------------------


def partition(labels):
    """Which pairs of rows agree [rows, rows], for labels [rows] or [rows, parts]."""
    try:
        labels = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"It gives {kind_of(labels)}, expected labels as a tensor.") from None
    if not labels.ndim:
        raise Wrong("It gives a single number, expected one label a row.")
    flat = labels.reshape(len(labels), -1)
    return (flat[:, None] == flat).all(-1)


def small_case(seed, seq=4, rows=4, lengths=None):
    """A model of three layers with two heads each and MLPs, with some rows and their features."""
    numbers = torch.Generator().manual_seed(seed)
    weights = {
        name: value + 0.5 * torch.randn(value.shape, generator=numbers)
        for name, value in Transformer(CONFIG, seed).state_dict().items()
    }
    model = transformer.model("random", weights, CONFIG, {}, None)
    graph = model.graph(seq=seq, mask=lengths is not None)
    columns = {"tokens": torch.randint(13, (rows, seq), generator=numbers)}
    if lengths is not None:
        columns["length"] = torch.tensor(lengths)
        columns["mask"] = torch.arange(seq) < columns["length"][:, None]
    columns["one"] = torch.arange(rows) % 2
    columns["two"] = torch.arange(rows) // 2
    return Graph(split(graph, "blocks.*.attn_out", "head"), columns)


ONE, TWO = Feature("one", lambda data: data["one"]), Feature("two", lambda data: data["two"])
HEADS, MLPS = at("*.out"), at("*.mlp_out")


def judged(logits, reference):
    """A bounded number a draw to which every logit contributes."""
    return (0.3 * logits @ torch.tensor([1.0, -0.6])).tanh()


def meaning(hypothesis, graph, *names):
    """The first three moments of the scrubbed output for each reference, over all draws."""
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It gives {kind_of(hypothesis)}, expected a hypothesis, an Interp.")
    given = {node.name for node, _ in preorder(hypothesis)}
    for name in names:
        if name not in given:
            raise Wrong(f'No claim is named "{name}". The rest of the part reads rows by name.')
    result = scrub(graph.node, hypothesis, Dataset(graph.inputs), "all", metric=judged)
    rows = result.rows["reference"]
    reference = torch.nn.functional.one_hot(rows, len(graph.inputs["tokens"])).double().T
    powers = [result.per_example**power for power in (1, 2, 3)]
    return (reference * result.weights) @ torch.stack(powers, 1)


def a_dict(found, names):
    """A dict with these names and no others."""
    if not isinstance(found, dict) or set(found) != set(names):
        wanted = ", ".join(map(str, names))
        raise Wrong(f"It gives {describe(plain(found))}, expected a dict with {wanted}.")
    return found


# --- a claim is a partition -----------------------------------------------------------------------


def some_columns(seed):
    """Data in which sums and products of columns mix up what the columns keep apart."""
    numbers = torch.Generator().manual_seed(seed)
    rows = 24
    data = Dataset(
        first=torch.rand(rows, generator=numbers) < 0.5,
        second=torch.arange(rows) % 3 == 0,
        many=torch.randint(0, 9, (rows,), generator=numbers),
    )
    return [(data, ("first", "second")), (data, ("many",)), (data, ("second", "many", "first"))]


def together_use(answer, data, columns):
    found = answer(data, *columns)
    if found is None or found is ...:
        raise NotImplementedError
    return partition(found)


STACKED = "torch.stack([data[column].long() for column in columns], 1)"

exercise("d4.3.1", cases=some_columns, use=together_use,
    mistakes=[
        edit(STACKED, "torch.stack([data[column].bool() for column in columns], 1).all(1)",
             says="This is the conjunction, which makes two groups. A row that fails the first "
                  "test only and one that fails the second only must get different labels."),
        edit(STACKED, "torch.stack([data[column].long() for column in columns], 1).sum(1)",
             says="The columns are added, so 1 + 0 and 0 + 1 are one group. Keep the columns "
                  "apart."),
        edit(STACKED, "data[columns[0]]", says="Only the first column counts here. Use all."),
        edit(STACKED, "sum(2**place * data[column].long() for place, column in "
             "enumerate(columns))",
             says="This number is unique for booleans, but columns with more values collide: "
                  "2 + 2·0 and 0 + 2·1 are the same. Give several labels a row, or number the "
                  "groups."),
        edit(STACKED, "torch.stack([data[column].bool() for column in columns], 1)",
             says="Whole numbers are turned into booleans, so all that are not 0 are one group."),
        edit("for column in columns], 1)", "for column in columns], 0)",
             says="The rows are on the wrong axis: stack the columns along axis 1, [rows, parts]."),
    ],
    right=[
        """
        def together(data, *columns):
            rows = zip(*(data[column].tolist() for column in columns))
            groups = {}
            return torch.tensor([groups.setdefault(row, len(groups)) for row in rows])
        """,
    ],
    hints=[
        ("Help, which groups should there be?", "Two tests can be passed in four ways: both, only "
         "the first, only the second, neither. Rows are in one group if they agree in both."),
        ("Help, how do I make one number of several?", "You need not. Labels may be [rows, parts], "
         "and two rows agree if all their parts agree."),
        ("Help, almost the code", "`torch.stack([...], 1)` of the columns, each turned into whole "
         "numbers with `.long()`."),
    ],
)

# --- by kind --------------------------------------------------------------------------------------


def a_result(seed, rows=7, draws=40):
    """What a result keeps: values, and rows of the reference and of a head."""
    numbers = torch.Generator().manual_seed(seed)
    names = ("reference", "2.0", "2.1", "logits.others")
    drawn = {name: torch.randint(rows, (draws,), generator=numbers) for name in names}
    values = torch.randn(draws, generator=numbers, dtype=torch.float64) + drawn["reference"]
    return SimpleNamespace(per_example=values, rows=drawn)


def some_kinds(seed):
    return [
        (a_result(seed), torch.tensor([0, 1, 2, 3, 0, 1, 3])),
        (a_result(seed + 1, rows=50, draws=30), torch.arange(50) % 2 * 3),
    ]


OWN = 'own = kinds[result.rows["reference"]]'

exercise("d4.3.2", cases=some_kinds, tolerance=CLOSE,
    mistakes=[
        edit(OWN, "own = kinds.repeat(9)[:len(result.per_example)]",
             says="Draws are not in the order of the rows. The kind of a draw is that of its "
                  'reference: index `kinds` with `result.rows["reference"]`.'),
        edit('result.rows["reference"]', 'result.rows["logits.others"]',
             says="This is the kind of the other string. The label that judges is that of the "
                  "reference."),
        edit("own.unique().tolist()", "range(4)",
             says="A kind without draws gets a mean of nothing. Take the kinds that occur."),
        edit("values[own == kind]", "values[own <= kind]",
             says="Each kind also holds the kinds before it."),
        edit("mean_and_error(values[own == kind])", "values[own == kind].mean().item()",
             says="The errors are missing. Use mean_and_error."),
        edit("mean_and_error(values[own == kind])",
             "(values[own == kind].mean().item(), values.std().item() / sqrt(len(values)))",
             says="The error is that of all draws. Take it from the draws of the kind."),
    ],
    right=[
        """
        def by_kind(result, kinds):
            groups = {}
            for value, row in zip(result.per_example.tolist(), result.rows["reference"].tolist()):
                groups.setdefault(kinds[row].item(), []).append(value)
            return {kind: mean_and_error(torch.tensor(each)) for kind, each in groups.items()}
        """,
    ],
    hints=[
        ("Help, there are 3,000 kinds and 2,500 draws", "`kinds` has one entry for each string, "
         "and a draw uses the string whose number is in `result.rows[\"reference\"]`."),
        ("Help, how do I index with rows?", "`kinds[rows]` with a tensor of row numbers gives the "
         "kind of each of them, [draws]."),
        ("Help, almost the code", "`own = kinds[result.rows[\"reference\"]]`, then "
         "`mean_and_error(result.per_example[own == kind])` for each kind in "
         "`own.unique().tolist()`."),
    ],
)

# --- roles ----------------------------------------------------------------------------------------


def some_roles(seed):
    """Two and three heads of different layers, by both kinds of paths."""
    return [
        (small_case(seed), {(1, 0): ONE, (2, 1): TWO}, HEADS),
        (small_case(seed + 1), {(2, 0): TWO, (2, 1): ONE}, HEADS | MLPS),
        (small_case(seed + 2), {(1, 1): TWO, (2, 0): ONE, (2, 1): ONE}, HEADS | MLPS),
    ]


def roles_use(answer, graph, tests, past):
    names = [f"{layer}.{head}" for layer, head in tests]
    return meaning(answer(tests, past), graph, *names)


ROLE = 'claims.append(Interp(f"{layer}.{head}", written, Matching(test)))'
ROLES = 'return Interp("logits", at("logits"), Exact(), claims)'
PATHS = "model.head(layer, head).avoiding(past)"

exercise("d4.3.3", cases=some_roles, use=roles_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(ROLES, ROLES.replace("claims)", "claims, others=Exact())"),
             says="All that no head claims stays exact. It should read another string: leave the "
                  "others Uniform()."),
        edit(PATHS, "model.head(layer, head)",
             says="The paths through other heads are claimed as well. Use `.avoiding(past)`."),
        edit(PATHS, "model.head(layer, head).avoiding(HEADS)",
             says="The paths always avoid heads only, whatever `past` is."),
        edit("Matching(test)", "Exact()",
             says="Each head reads the reference itself. Draw a row that agrees: Matching(test)."),
        edit("Matching(test)", "Uniform()",
             says="Each head reads any row, whatever its test says. Draw Matching(test)."),
        edit('f"{layer}.{head}"', '"head"', says='No claim is named "'),
        edit(PATHS, "model.head(layer, 0).avoiding(past)",
             says="Every claim is about head 0 of its layer. Use the head's own number."),
        edits(("    for (layer, head), test in tests.items():",
               "    test = list(tests.values())[0]\n    for (layer, head) in tests:"),
              says="Every head agrees on the first feature. Each one has its own."),
    ],
    right=[
        """
        def roles(tests, past=HEADS):
            def claim(layer, head):
                paths = at(f"blocks.{layer}.attn.head.{head}.out").avoiding(past)
                agrees = Matching(lambda data: tests[layer, head](data))
                return Interp(f"{layer}.{head}", paths, agrees)

            claims = [claim(*place) for place in reversed(list(tests))]
            return Interp("root", "logits", Exact(), claims, Uniform(), shared="together")
        """,
    ],
    hints=[
        ("Help, what is a key of `tests`?", "A pair (layer, head). `for (layer, head), test in "
         "tests.items()` gives both numbers and the feature."),
        ("Help, where do I say that nothing else matters?", "Nowhere: the others of an Interp are "
         "`Uniform()` unless you say something else, and all of them read one row."),
        ("Help, almost the code", '`Interp("2.0", model.head(2, 0).avoiding(past), '
         "Matching(test))` for each head, as children of the root at `logits`, which is "
         "`Exact()`."),
    ],
)


def places_and_names(tests):
    """Head → the name of its feature, with heads as text."""
    if not isinstance(tests, dict):
        raise Wrong(f"A value is {kind_of(tests)}, expected a dict from heads to features.")
    return {f"{layer}.{head}": test.name for (layer, head), test in tests.items()}


def assignments_use(answer, counted, tested):
    found = answer(counted, tested)
    if found is None or found is ...:
        raise NotImplementedError
    ways = a_dict(found, [(0, 0), (0, 1), (1, 0), (1, 1)])
    return {f"{early} and {late}": places_and_names(ways[early, late]) for early, late in ways}


WAY = "{(1, early): counted, (2, late): counted, (2, 1 - late): tested}"

exercise("d4.3.4", cases=lambda seed: [(ONE, TWO), (TWO, ONE)], use=assignments_use,
    mistakes=[
        edit("(2, 1 - late): tested", "(2, 1): tested",
             says="Head 2.1 always tests the horizon, also where it counts already. Take the other "
                  "head of layer 2, 1 - late."),
        edit("(2, late): counted, (2, 1 - late): tested", "(2, late): tested, (2, 1 - late): "
             "counted",
             says="The roles in layer 2 are exchanged: head 2.late counts."),
        edit("(1, early): counted", "(1, early): tested",
             says="The head of layer 1 tests the horizon here. It counts."),
        edit("found[early, late] =", "found[late, early] =",
             says="The keys are (late, early). The first number is the head of layer 1."),
        edit("(1, early): counted, ", "", says="The head of layer 1 has no role here. It counts."),
        edit(WAY, WAY.replace("(1, early): counted", "(1, 0): counted, (1, 1): counted"),
             says="Both heads of layer 1 count here. Only head 1.early does."),
        edit("for late in (0, 1):", "for late in (0,):",
             says="expected a dict with (0, 0), (0, 1), (1, 0), (1, 1)"),
    ],
    right=[
        """
        def assignments(counted, tested):
            def way(early, late):
                claimed = dict.fromkeys([(2, 0), (2, 1)], tested)
                claimed[2, late] = claimed[1, early] = counted
                return claimed

            return {(early, late): way(early, late) for late in range(2) for early in range(2)}
        """,
    ],
    hints=[
        ("Help, why four?", "One of two heads of layer 1 counts, and one of two heads of layer 2. "
         "The remaining head of layer 2 has no choice."),
        ("Help, which is the other head?", "Heads are 0 and 1, so the other one of `late` is "
         "`1 - late`."),
        ("Help, almost the code", "`found[early, late] = {(1, early): counted, ...}` in two loops "
         "over `(0, 1)`."),
    ],
)

# --- one head -------------------------------------------------------------------------------------


def some_heads(seed):
    return [
        (small_case(seed), (1, 0), ONE),
        (small_case(seed + 1), (2, 1), TWO),
        (small_case(seed + 2), (0, 1), TWO),
    ]


def alone_use(answer, graph, place, test):
    return meaning(answer(place, test), graph, f"{place[0]}.{place[1]}")


ALONE = 'return Interp("logits", at("logits"), Exact(), [claim], others=Exact())'

exercise("d4.3.5", cases=some_heads, use=alone_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(ALONE, 'return Interp("logits", at("logits"), Exact(), [claim])',
             says="All the rest reads another string too. Say others=Exact()."),
        edit("model.head(layer, head), Matching", "model.head(layer, head).avoiding(HEADS), "
             "Matching",
             says="Only the paths past later heads are exchanged. Take all paths of the head."),
        edit("Matching(test)", "Uniform()",
             says="The head reads any row. Draw one that agrees on the feature: Matching(test)."),
        edit("Matching(test)", "Exact()",
             says="Nothing is exchanged: the head reads the reference. Draw Matching(test)."),
        edit("model.head(layer, head), Matching(test))", "model.head(layer, head), Exact())\n"
             '    return Interp("logits", at("logits"), Exact(), [claim], '
             "others=Matching(test))",
             says="It is the wrong way round: the head is exact, and all the rest is exchanged."),
        edit("model.head(layer, head), Matching", 'at(f"blocks.{layer}.attn_out"), Matching',
             says="The whole attention layer is exchanged. Select the one head."),
        edit('f"{layer}.{head}"', '"claim"', says='No claim is named "'),
    ],
    right=[
        """
        def alone(place, test):
            name = ".".join(map(str, place))
            head = at("blocks.{}.attn.head.{}.out".format(*place))
            return Interp("all", "logits", Exact(), Interp(name, head, Matching(test)), Exact())
        """,
    ],
    hints=[
        ("Help, how does this differ from `roles`?", "There all else read another string. Here all "
         "else is the reference, so say `others=Exact()` at the root."),
        ("Help, which paths?", "All. `model.head(layer, head)` without `.avoiding` selects every "
         "path from the logits to the head."),
        ("Help, almost the code", '`Interp("logits", at("logits"), Exact(), [claim], '
         "others=Exact())`, where the claim stands at `model.head(layer, head)` and draws "
         "`Matching(test)`."),
    ],
)

# --- claims about the late heads ------------------------------------------------------------------


def some_strings(seed):
    """Strings of the task, on which features make their partitions."""
    return [(parens.draw(120, seed=seed),)]


def claims_use(answer, data, names):
    """For each claim, the partition of the strings that each head is claimed to keep."""
    found = {}
    for name, tests in a_dict(answer, names).items():
        if not isinstance(tests, dict):
            raise Wrong(f'"{name}" is {kind_of(tests)}, expected a dict from (layer, head) to a '
                        "feature.")
        found[name] = {str(place): partition(feature(test)(data)) for place, test in tests.items()}
    return found


LATE = ("mine", "swapped", "both right", "both left", "both count")
MINE = '"mine": {(2, 0): right, (2, 1): left}'
SWAPPED = '"swapped": {(2, 0): left, (2, 1): right}'
COUNTS = '"both count": {(2, 0): count, (2, 1): count}'

exercise("d4.3.6", cases=some_strings, use=lambda answer, data: claims_use(answer, data, LATE),
    mistakes=[
        edits((MINE, MINE.replace("right", "mid").replace("left", "right").replace("mid", "left")),
              (SWAPPED, '"swapped": {(2, 0): right, (2, 1): left}'),
              says="`mine` and `swapped` are exchanged. Read the columns of 2.0 and 2.1 again."),
        edit(MINE, '"mine": {(2, 0): count, (2, 1): right}',
             says="`mine` is the published claim about the late heads. Take for each head the "
                  "simple feature that recovers most in its column."),
        edit(MINE, '"mine": {(2, 0): right, (2, 1): TESTS["count and open"]}',
             says='`mine` gives 2.1 "count and open". Another simple feature recovers more in its '
                  "column."),
        edits((MINE, '"mine": {(2, 0): right, (2, 1): TESTS["count and open"]}'),
              (SWAPPED, '"swapped": {(2, 0): TESTS["count and open"], (2, 1): right}'),
              says='`mine` and `swapped` use "count and open". Another simple feature recovers '
                   "more in the column of 2.1."),
        edits((MINE, '"mine": {(2, 0): count, (2, 1): right}'),
              (SWAPPED, '"swapped": {(2, 0): right, (2, 1): count}'),
              says="`mine` and `swapped` use the published roles of the late heads. Take for each "
                   "head the simple feature that recovers most in its column."),
        edit(MINE, '"mine": {(2, 0): TESTS["label"], (2, 1): TESTS["label"]}',
             says="`mine` uses the label, which contains the answer. Choose among the five simple "
                  "features."),
        edit(MINE, '"mine": {(2, 0): TESTS["both"], (2, 1): TESTS["both"]}',
             says="`mine` uses both horizons in each head, which contain the answer. Choose among "
                  "the five simple features."),
        edit(SWAPPED, '"swapped": {(2, 0): right, (2, 1): left}',
             says="`swapped` is `mine`. Exchange the two features."),
        edit(MINE, '"mine": {(1, 0): count, (2, 0): right, (2, 1): left}',
             says="`mine` claims a head of layer 1 as well. Here it is about 2.0 and 2.1 alone."),
        edit(COUNTS, COUNTS.replace("(2, 1): count", '(2, 1): TESTS["count and open"]'),
             says="In `both count` head 2.1 has another feature. Both heads agree on the count "
                  "test."),
        edit(COUNTS, '"counts": {(2, 0): count, (2, 1): count}',
             says="expected a dict with mine, swapped, both right, both left, both count"),
    ],
    right=[
        """
        def late_pair(first, second):
            return {(2, 1): Feature(second, lambda data: ~data[second]),
                    (2, 0): Feature(first, lambda data: 7 * data[first].long())}

        late_tests = {
            "both count": late_pair("count_ok", "count_ok"),
            "both left": late_pair("left_ok", "left_ok"),
            "both right": late_pair("horizon_ok", "horizon_ok"),
            "swapped": late_pair("left_ok", "horizon_ok"),
            "mine": late_pair("horizon_ok", "left_ok"),
        }
        """,
    ],
    hints=[
        ("Help, which features are mine?", "Read the table of d4.3.5 by columns. In the column of "
         "2.0, look at the five simple features, and take the best. Then do the same for 2.1."),
        ("Help, what is a claim here?", "A dict from (layer, head) to a feature, such as "
         '`{(2, 0): TESTS["count"], (2, 1): TESTS["count"]}`. `roles` makes a hypothesis of it.'),
        ("Help, almost the code", 'Write `"mine": {(2, 0): ..., (2, 1): ...}` with two features '
         "of TESTS. `swapped` has the same two in the other order."),
    ],
)

# --- draws that disagree --------------------------------------------------------------------------


def some_changes(seed):
    return [
        (a_result(seed), "2.1", torch.tensor([0, 1, 1, 0, 0, 1, 0])),
        (a_result(seed + 1, rows=9), "2.0", torch.arange(9) // 4),
        (a_result(seed + 2), "2.1", torch.arange(7) < 3),
    ]


def change_use(answer, result, head, labels):
    found = answer(result, head, labels)
    if found is None or found is ...:
        raise NotImplementedError
    return dict(a_dict(found, ("changed", "same")))


CHANGED = 'changed = labels[result.rows[head]] != labels[result.rows["reference"]]'

exercise("d4.3.7", cases=some_changes, use=change_use, tolerance=CLOSE,
    mistakes=[
        edit(CHANGED, 'changed = result.rows[head] != result.rows["reference"]',
             says="This asks whether another row was drawn. Ask whether the label of the drawn row "
                  "is another one."),
        edit(CHANGED, CHANGED.replace("!=", "=="),
             says="Changed and same are exchanged."),
        edit("labels[result.rows[head]]", 'labels[result.rows["2.1"]]',
             says="The rows are always those of head 2.1. Use the name `head`."),
        edit(CHANGED, "changed = labels[result.rows[head]].bool()",
             says="These are draws in which the drawn row passes. Compare its label with the "
                  "reference's."),
        edit("labels[result.rows[head]]", 'labels[result.rows["logits.others"]]',
             says="This is the label of the row that all the rest reads. Use the head's row."),
        edit("mean_and_error(values[changed])", "mean_and_error(values * changed)",
             says="The other draws count as zeros. Select the changed draws: values[changed]."),
        edit("mean_and_error(values[changed])", "values[changed].mean().item()",
             says="The error is missing. Use mean_and_error for both."),
    ],
    right=[
        """
        def by_change(result, head, labels):
            drawn, own = (labels.index_select(0, result.rows[name]) for name in (head, "reference"))
            same = drawn == own
            pick = {"same": same, "changed": same.logical_not()}
            return {name: mean_and_error(result.per_example[where]) for name, where in pick.items()}
        """,
    ],
    hints=[
        ("Help, what is `result.rows[head]`?", "The number of the row that was drawn for the head, "
         "one for each draw. `labels[rows]` is the label of each."),
        ("Help, when has the label changed?", "When the label of the head's row differs from the "
         'label of the reference row, `result.rows["reference"]`.'),
        ("Help, almost the code", '`changed = labels[result.rows[head]] != '
         'labels[result.rows["reference"]]`, then `mean_and_error` of '
         "`result.per_example[changed]` and of `[~changed]`."),
    ],
)

# --- what else is needed --------------------------------------------------------------------------

STEPS = ("and 1.0 count", "and 2.0 both", "both in all three")
FIRST = '{(1, 0): TESTS["count"], (2, 0): TESTS["right"], (2, 1): TESTS["left"]}'
SECOND = '{(1, 0): TESTS["count"], (2, 0): both, (2, 1): TESTS["left"]}'
THIRD = "{(1, 0): both, (2, 0): both, (2, 1): both}"

exercise("d4.3.8", cases=some_strings, use=lambda answer, data: claims_use(answer, data, STEPS),
    mistakes=[
        edit(FIRST, FIRST.replace('(1, 0): TESTS["count"]', "(1, 0): both"),
             says="In the first step head 1.0 carries both horizons. It carries the count test."),
        edit(FIRST, FIRST.replace("(1, 0)", "(1, 1)"),
             says="The first step claims head 1.1. It is about head 1.0."),
        edit(FIRST, FIRST.replace('(1, 0): TESTS["count"], ', ""),
             says="The first step is `mine` itself. Add head 1.0."),
        edit(SECOND, SECOND.replace('(1, 0): TESTS["count"], ', ""),
             says="The second step has lost head 1.0. It keeps the step before, and changes 2.0."),
        edit(SECOND, '{(1, 0): TESTS["count"], (2, 0): TESTS["right"], (2, 1): both}',
             says="In the second step head 2.1 has both horizons. Both are in head 2.0."),
        edit(SECOND, SECOND.replace("(2, 0): both", '(2, 0): TESTS["label"]'),
             says="In the second step 2.0 carries the label. Both horizons make four groups, and "
                  "the label two."),
        edit(THIRD, '{(1, 0): TESTS["label"], (2, 0): TESTS["label"], (2, 1): TESTS["label"]}',
             says="The last step uses the label. Both horizons make four groups, the label two."),
        edit(THIRD, "{(2, 0): both, (2, 1): both}",
             says="The last step has lost head 1.0. It claims three heads."),
    ],
    right=[
        """
        first = dict(late_tests["mine"])
        first[1, 0] = agree("count_ok")
        four = Feature("four", lambda data: 5 * data["horizon_ok"].long() - data["left_ok"].long())
        steps = {
            "both in all three": dict.fromkeys([(2, 1), (2, 0), (1, 0)], four),
            "and 2.0 both": first | {(2, 0): four},
            "and 1.0 count": first,
        }
        """,
    ],
    hints=[
        ("Help, how do I add a head to a claim?", "A claim is a dict. `{**MINE, (1, 0): "
         'TESTS["count"]}` has all of `MINE` and one head more.'),
        ("Help, what is `both`?", '`TESTS["both"]`, the feature with four groups, which holds the '
         "result of each horizon."),
        ("Help, almost the code", '`"and 2.0 both"` has three heads: 1.0 with the count test, 2.0 '
         "with both horizons, and 2.1 as in `MINE`."),
    ],
)

# --- one row --------------------------------------------------------------------------------------


def some_tests(seed):
    return [(small_case(seed), ONE), (small_case(seed + 1, seq=3), TWO)]


ONE_ROW = "model.heads([(2, 0), (2, 1)]).avoiding(HEADS)"
LATE_CLAIM = 'late = Interp("late heads", written, Matching(test))'

exercise("d4.3.9", cases=some_tests, tolerance=CLOSE, sizes=SIZES,
    use=lambda answer, graph, test: meaning(answer(test), graph, "late heads"),
    mistakes=[
        edits((LATE_CLAIM, "late = [Interp(name, model.head(2, head).avoiding(HEADS), "
               'Matching(test)) for head, name in enumerate(["late heads", "2.1"])]'),
              ("Exact(), [late])", "Exact(), late)"),
              says="Each head reads a row of its own. One Interp that stands at both heads gives "
                   "them one row."),
        edit("Exact(), [late])", "Exact(), [late], others=Exact())",
             says="All else stays exact. It should read another string: leave the others "
                  "Uniform()."),
        edit(ONE_ROW, "model.head(2, 0).avoiding(HEADS)",
             says="Only head 2.0 is claimed. Select both late heads."),
        edit(ONE_ROW, "model.heads([(1, 0), (1, 1), (2, 0), (2, 1)]).avoiding(HEADS)",
             says="The heads of layer 1 are claimed too. The late heads are those of layer 2."),
        edit("Matching(test)", "Exact()",
             says="The late heads read the reference. Draw a row that agrees: Matching(test)."),
        edit(LATE_CLAIM, 'late = Interp("late heads", at("logits"), Matching(test))',
             says="The claim is about the logits as a whole. Stand it at the late heads."),
        edit('"late heads"', '"late"', says='No claim is named "late heads"'),
    ],
    right=[
        """
        def one_row(test):
            either = at("blocks.2.attn.head.0.out") | at("blocks.2.attn.head.1.out")
            late = Interp("late heads", either, Matching(test))
            return Interp("root", at("logits"), Exact(), late, others=Uniform())
        """,
    ],
    hints=[
        ("Help, how do two heads share a row?", "An Interp draws one row, and may stand at several "
         "nodes. Give it a selector that has both heads."),
        ("Help, how do I select both heads?", "`model.heads([(2, 0), (2, 1)])`, or `a | b` of two "
         "selectors."),
        ("Help, almost the code", '`Interp("late heads", model.heads([...]).avoiding(HEADS), '
         'Matching(test))` as the only child of the root, `Interp("logits", at("logits"), '
         "Exact(), [...])`."),
    ],
)

# --- masks ----------------------------------------------------------------------------------------


def some_patterns(seed):
    """All heads of layer 0, and one of them, in models that read masks of several lengths."""
    every, one = at("blocks.0.attn.head.*.pattern"), at("blocks.0.attn.head.1.pattern")
    return [
        (small_case(seed, seq=5, lengths=(2, 5, 2, 4)), every),
        (small_case(seed + 1, lengths=(4, 3, 3, 2)), one),
    ]


def masks_use(answer, graph, patterns):
    found = answer(patterns)
    if found is None or found is ...:
        raise NotImplementedError
    ways = a_dict(found, ("resampled", "kept", "matched"))
    return {name: meaning(claim, graph) for name, claim in ways.items()}


KEPT = '"kept": Interp("patterns", patterns, Exact(), [mask])'
RESAMPLED = '"resampled": Interp("patterns", patterns, Uniform())'
MATCHED = '"matched": Interp("patterns", patterns, Matching(agree("length")))'

exercise("d4.3.10", cases=some_patterns, use=masks_use, tolerance=CLOSE,
    sizes="The check uses small models with masks of other lengths.",
    mistakes=[
        edit(KEPT, '"kept": Interp("patterns", patterns, Uniform(), [mask])',
             says="In `kept` the mask comes from the other row as well: a child's Exact() is its "
                  "parent's row. Let the patterns be Exact(), and their others Uniform()."),
        edit(KEPT, KEPT.replace("[mask])", "[mask], others=Exact())"),
             says="In `kept` nothing is exchanged. The scores come from any row: claim the mask as "
                  "a child, and leave the others of the patterns Uniform()."),
        edit('mask = Interp("mask", at("mask"), Exact())',
             'mask = Interp("scores", at("*.scores"), Exact())',
             says="In `kept` the scores are kept and the mask is exchanged. It is the other way "
                  "round."),
        edit(RESAMPLED, RESAMPLED.replace("Uniform()", "Exact()"),
             says="In `resampled` the patterns are those of the reference. Draw Uniform()."),
        edit(MATCHED, MATCHED.replace('Matching(agree("length"))', "Uniform()"),
             says='In `matched` any length will do. Draw Matching(agree("length")).'),
        edit('"draw": Exact(), "others": Exact()', '"draw": Exact()',
             says="All the rest reads another string too. Say others=Exact() at the root."),
        edit(MATCHED, '"same length": Interp("patterns", patterns, Matching(agree("length")))',
             says="expected a dict with resampled, kept, matched"),
    ],
    right=[
        """
        def pattern_claims(patterns):
            def below(draw, paths=patterns):
                child = Interp("attention", paths, draw)
                return Interp("logits", at("logits"), Exact(), child, others=Exact())

            same_length = Matching(lambda data: data["mask"].sum(1))
            kept = below(Uniform(), patterns >> at("blocks.0.attn.head.*.scores"))
            return dict(matched=below(same_length), kept=kept, resampled=below(Uniform()))
        """,
    ],
    hints=[
        ("Help, what does a pattern read?", "Two things, its scores and the mask. If a claim at "
         "the patterns has the mask as its only child, the scores are left to the claim's others."),
        ("Help, whose row is Exact()?", "The row of the parent in the hypothesis. In `kept` the "
         "patterns keep the reference's row, the mask below them too, and the scores get another "
         "one from `others`."),
        ("Help, almost the code", '`"kept": Interp("patterns", patterns, Exact(), [Interp("mask", '
         'at("mask"), Exact())])`. The other two have no children. Each is the child of a root '
         "with `others=Exact()`."),
    ],
)

# --- left free ------------------------------------------------------------------------------------


def some_values(seed):
    """Values that depend on their groups, in groups of different sizes."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for rows, width, groups in ((20, 3, 2), (15, 1, 4), (12, 5, 3)):
        labels = (torch.rand(rows, generator=numbers) ** 2 * groups).long()
        labels[:groups] = torch.arange(groups)
        noise = torch.randn(rows, width, generator=numbers, dtype=torch.float64)
        cases.append((3 * noise + 2 * labels[:, None] + 5, labels))
    return cases


WITHIN = "within = within + (group - group.mean(0)).square().sum()"
SHARE = "(within / (values - values.mean(0)).square().sum()).item()"

exercise("d4.3.11", cases=some_values, tolerance=CLOSE,
    sizes="The check uses values of other widths and labels with other numbers of groups.",
    mistakes=[
        edit(WITHIN, "within = within + group.var(0, correction=0).sum()",
             says="Every group has the same weight. A large group counts for more: add the squared "
                  "distances of its rows."),
        edits((WITHIN, "within = within + group.var(0, correction=0).sum()"),
              (SHARE, "(within / len(labels.unique()) / values.var(0, correction=0).sum())"
               ".item()"),
              says="The variances of the groups are averaged with equal weights. Weight each group "
                   "by its number of rows."),
        edit("(group - group.mean(0))", "(group - values.mean(0))",
             says="The distances are from the mean of all rows, so the share is 1. Take the mean "
                  "of the group."),
        edit(f"return {SHARE}", f"return 1 - {SHARE}",
             says="This is the share between groups, which the feature fixes. Left free is the "
                  "share within."),
        edit("(values - values.mean(0)).square().sum()", "values.square().sum()",
             says="The whole is not a variance: subtract the mean of all rows."),
        edit(".square().sum()\n    return", ".abs().sum()\n    return",
             says="These are absolute distances within groups. Square them."),
        edit("(group - group.mean(0))", "(group - group.mean())",
             says="All axes share one mean here. Take the mean over rows, axis 0."),
        edit("(within / (values - values.mean(0)).square().sum())",
             "(within / (values - values.mean(0)).square().sum()).sqrt()",
             says="This is a share of distances. Variances are asked for: leave out the root."),
    ],
    right=[
        """
        def within_share(values, labels):
            same = (labels[:, None] == labels).double()
            apart = (values[:, None] - values).square().sum(-1)
            drawn = (same * apart).sum(1) / same.sum(1)
            return (drawn.mean() / apart.mean()).item()
        """,
    ],
    hints=[
        ("Help, why variances?", "Two random members of a group differ by twice the variance of "
         "the group, and two random strings by twice the variance of all. The factor cancels."),
        ("Help, how do groups of different sizes count?", "By their rows. Sum the squared "
         "distances of all rows from the means of their own groups."),
        ("Help, almost the code", "For each label, `group = values[labels == label]` and "
         "`(group - group.mean(0)).square().sum()`. Divide their sum by "
         "`(values - values.mean(0)).square().sum()`."),
    ],
)

quiz("d4.3.quiz",
    order=number(says="One of two heads in layer 1, times one of two in layer 2."),
    groups=number(says="Each of two tests is passed or failed."),
    decides=option("agree", "disagree",
               says="Draws on which both claims promise the same cannot separate them."),
    label=option("score", "content",
               says="d4.3.9: its share was among the highest."),
    mask=option("reference", "another",
               says="Others draw for every input that no child claims, masks among them."),
    hints=[
        ("Help, the numbers", "d4.3.4 lists the ways, and d4.3.1 prints the groups."),
        ("Help, the rivals", "d4.3.7: which draws cost 1.2 nats, and which cost nothing?"),
        ("Help, the rest", "d4.3.9 for the label, and d4.3.10 for the mask."),
    ],
)
