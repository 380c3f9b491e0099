"""How the exercises of day 4, part 2 are judged: inside the model of parentheses."""

import random

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from remix_utils import models
from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import name, number, option
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.data import Dataset, Feature, Matching, Uniform
from remix_utils.errors import kind_of
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.rewrite import split
from remix_utils.models import transformer
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.models.transformer_module import Transformer
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.result import Estimate
from remix_utils.scrub.scrubbing import scrub
from remix_utils.tasks import parens

CONFIG = TransformerConfig(
    n_layers=3, n_heads=2, d_model=8, d_mlp=6, n_ctx=5, d_vocab=13, d_out=2, causal=False
)
SIZES = "The check uses small models of three layers with two heads."
OTHER_SIZES = "The check uses other sizes: use the arguments."

# --- small models, and the meaning of a hypothesis ------------------------------------------------


def small_case(seed, seq=4, lengths=(3, 2, 3, 2)):
    """A model of three layers with two heads each and MLPs, with some rows and their lengths."""
    numbers = torch.Generator().manual_seed(seed)
    weights = {
        name: value + 0.5 * torch.randn(value.shape, generator=numbers)
        for name, value in Transformer(CONFIG, seed).state_dict().items()
    }
    graph = transformer.model("random", weights, CONFIG, {}, None).graph(seq=seq)
    columns = {
        "tokens": torch.randint(13, (len(lengths), seq), generator=numbers),
        "length": torch.tensor(lengths),
    }
    return Graph(split(graph, "blocks.*.attn_out", "head"), columns)


def judged(logits, reference):
    """A bounded number a draw to which every logit contributes."""
    return (0.3 * logits @ torch.tensor([1.0, -0.6])).tanh()


def meaning(hypothesis, graph):
    """The first three moments of the scrubbed output for each reference, over all draws."""
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It gives {kind_of(hypothesis)}, expected a hypothesis, an Interp.")
    result = scrub(graph.node, hypothesis, Dataset(graph.inputs), "all", metric=judged)
    rows = result.rows["reference"]
    reference = torch.nn.functional.one_hot(rows, len(graph.inputs["tokens"])).double().T
    powers = [result.per_example**power for power in (1, 2, 3)]
    return (reference * result.weights) @ torch.stack(powers, 1)


# --- patterns and values --------------------------------------------------------------------------

LENGTH = Matching(Feature("length", lambda data: data["length"]))


def some_sides(seed):
    """Sides of one head and of two, from any row and from one that agrees."""
    return [
        (small_case(seed), "v", (1,), LENGTH),
        (small_case(seed + 1), "pattern", (0, 1), Uniform()),
        (small_case(seed + 2), "v", (0, 1), Uniform()),
        (small_case(seed + 3), "pattern", (0,), Uniform()),
    ]


def side_use(answer, graph, side, heads, draw):
    return meaning(answer(side, heads, draw), graph)


NAMES = '{f"blocks.2.attn.head.{head}.{side}" for head in heads}'
CLAIM = "claim = Interp(side, at(names), draw)"
SIDE_ROOT = "[claim], others=Exact())"

exercise("d4.2.1", cases=some_sides, use=side_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(SIDE_ROOT, "[claim])",
             says="All the rest comes from another string too. Say others=Exact() at the root."),
        edits((CLAIM, "claims = [Interp(each, at(each), draw) for each in sorted(names)]"),
              (SIDE_ROOT, "claims, others=Exact())"),
              says="Each head reads a row of its own. One Interp at both nodes gives them one and "
                   "the same row."),
        edit(NAMES, '{f"blocks.2.attn.head.{head}.{side}" for head in (0, 1)}',
             says="Both heads are claimed, whatever `heads` is."),
        edit(NAMES, '{f"blocks.2.attn.head.{head}.v" for head in heads}',
             says="These are always the values. Use `side`."),
        edit(NAMES, '{f"blocks.1.attn.head.{head}.{side}" for head in heads}',
             says="These are the heads of layer 1. The claim is about layer 2."),
        edit(CLAIM, "claim = Interp(side, at(names), Exact())",
             says="The side reads the reference itself, so nothing changes. Use `draw`."),
        edit(CLAIM, "claim = Interp(side, at(names), Uniform())",
             says="The side reads any row, whatever `draw` is."),
        edit('at("logits"), Exact(), [claim], others=Exact()',
             'at("logits"), Exact(), [Interp(side, at(names), Exact())], others=draw',
             says="It is the wrong way round: the side is exact, and all the rest is drawn."),
    ],
    right=[
        """
        def from_another(side, heads, draw):
            paths = at(f"blocks.2.attn.head.{heads[0]}.{side}")
            for head in heads[1:]:
                paths = paths | at(f"blocks.2.attn.head.{head}.{side}")
            kept = Interp("kept", paths, draw, shared="together")
            return Interp("root", "logits", Exact(), kept, others=Exact())
        """,
    ],
    hints=[
        ("Help, which row does the rest read?", "The reference. `others` of the root draws the "
         "row for all that no child claims, and `others=Exact()` keeps it."),
        ("Help, how do two heads read one row?", "One Interp may stand at several nodes. `at` "
         "takes a set of names, and `a | b` joins two selectors."),
        ("Help, almost the code", '`Interp(side, at({...names...}), draw)` as the child of '
         '`Interp("logits", at("logits"), Exact(), [...], others=Exact())`.'),
    ],
)

# --- what values agree on -------------------------------------------------------------------------


def some_columns(seed):
    """Data whose columns mix up if they are added, or turned into booleans."""
    numbers = torch.Generator().manual_seed(seed)
    rows = 40
    data = Dataset(
        length=2 * torch.randint(1, 5, (rows,), generator=numbers),
        first=torch.rand(rows, generator=numbers) < 0.5,
        second=torch.arange(rows) % 3 == 0,
        many=torch.randint(0, 5, (rows,), generator=numbers),
    )
    return [(data, ()), (data, ("first",)), (data, ("first", "second")), (data, ("many", "first"))]


def partition(labels):
    """Which pairs of rows agree [rows, rows], for labels [rows] or [rows, parts]."""
    try:
        labels = torch.as_tensor(labels)
    except (TypeError, ValueError, RuntimeError):
        raise Wrong(f"The feature gives {kind_of(labels)}, expected labels.") from None
    if not labels.ndim:
        raise Wrong("The feature gives a single number, expected one label a row.")
    flat = labels.reshape(len(labels), -1)
    return (flat[:, None] == flat).all(-1)


def feature_use(answer, data, columns):
    found = answer(*columns)
    if found is None or found is ...:
        raise NotImplementedError
    if not callable(found):
        raise Wrong(f"It gives {kind_of(found)}, expected a feature: a function of a data set.")
    return partition(found(data))


BOTH_NAMED = '("length", *columns)'
STACK = f"torch.stack([data[name].long() for name in {BOTH_NAMED}], 1)"

exercise("d4.2.2", cases=some_columns, use=feature_use,
    mistakes=[
        edit(STACK, "torch.stack([data[name].long() for name in columns or ['length']], 1)",
             says="The length is missing beside the named columns."),
        edit(BOTH_NAMED, '("length",)', says="Only the length counts. Use the named columns too."),
        edit(STACK, f"sum(data[name].long() for name in {BOTH_NAMED})",
             says="The columns are added, so different rows get equal sums. Keep them apart."),
        edit(STACK, 'torch.stack([data["length"], torch.stack([data[name].bool() for name in '
             '("length", *columns)], 1).all(1).long()], 1)',
             says="The tests are joined with `and`, so failing one test and failing another are "
                  "one group. Keep a column for each test."),
        edit("data[name].long()", "data[name].bool()",
             says="Whole numbers are turned into booleans, so all lengths are one group."),
        edit(BOTH_NAMED, '("length", *columns[:1])',
             says="Only the first named column counts. Use all of them."),
        instead("""
                def length_and(*columns):
                    return torch.stack([strings[name].long() for name in ("length", *columns)], 1)
                """, says="expected a feature: a function of a data set."),
    ],
    right=[
        """
        def length_and(*columns):
            def number_of(data):
                wanted = [data[name].tolist() for name in (*columns, "length")]
                groups = {}
                return torch.tensor([groups.setdefault(row, len(groups)) for row in zip(*wanted)])

            return number_of
        """,
    ],
    hints=[
        ("Help, a feature of what?", "Of a data set. Write a function that takes `data` and gives "
         "the labels, and return `Feature(\"name\", function)` without calling it."),
        ("Help, how do I make one label of two columns?", "You need not. Labels may have several "
         "parts, [rows, parts], and two rows agree if all parts do."),
        ("Help, almost the code", "`lambda data: torch.stack([data[name].long() for name in "
         '("length", *columns)], 1)`, inside `Feature(...)`.'),
    ],
)

# --- who writes the values ------------------------------------------------------------------------


def some_writers(seed):
    """One component, several of different layers, and an MLP below a head."""
    return [
        (small_case(seed), 0, ("1.0", "1.1")),
        (small_case(seed + 1, lengths=(2, 3, 2, 3)), 1, ("MLP 0",)),
        (small_case(seed + 2), 1, ("embed", "1.1", "MLP 1")),
    ]


def writers_use(answer, graph, head, components):
    return meaning(answer(head, components), graph)


SOURCE = 'Interp("written by", direct_from(components), Exact())'
VALUES = 'Interp("values", value, Exact(), [source], others=same_length)'

exercise("d4.2.3", cases=some_writers, use=writers_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(VALUES, 'Interp("values", value, Exact(), [source])',
             says="All else that the values read comes from any string. It should have the same "
                  "length: others=same_length at the values."),
        edit(VALUES, 'Interp("values", value, Exact(), [source], others=Exact())',
             says="Nothing is drawn anew. The others of the values are same_length."),
        edit(VALUES, 'Interp("values", value, same_length, [source])',
             says="The values draw the other string, and the components read that string too. "
                  "Draw the values Exact(), and put same_length at their others."),
        edit("[values], others=Exact())", "[values])",
             says="All that is not below these values is drawn anew. Say others=Exact() at the "
                  "root."),
        edit("direct_from(components)", "at({SENDERS[each] for each in components})",
             says="Every path to the components is claimed, also those through other heads and "
                  "MLPs. Use `direct_from`."),
        edit(SOURCE, SOURCE.replace("Exact()", "same_length"),
             says="The components come from another string too. Draw them Exact()."),
        edit('head.{head}.v")', 'head.0.v")', says="These are always the values of 2.0."),
        edit('head.{head}.v")', 'head.{head}.k")',
             says="This is a claim about the keys. The values end in .v."),
        edit('at(f"blocks.2.attn.head.{head}.v")', 'at("blocks.2.attn.head.*.v")',
             says="The values of both heads are claimed. Only those of 2.`head` are."),
        edit(VALUES, VALUES.replace(", others=same_length", ', others=same_length, shared="apart"'),
             says='Every other component reads a row of its own. They share one: leave shared as '
                  "it is."),
    ],
    right=[
        """
        def values_read(head, components):
            names = {SENDERS[each] for each in components}
            written = at(names).avoiding(at("*.out") | at("*.mlp_out"))
            kept = Interp("kept", written, Exact())
            agrees = Matching(lambda data: data["length"])
            below = at(f"blocks.2.attn.head.{head}.out") >> at(f"blocks.2.attn.head.{head}.v")
            values = Interp("v", below, Exact(), kept, others=agrees)
            return Interp("root", "logits", Exact(), values, others=Exact())
        """,
    ],
    hints=[
        ("Help, how many levels are there?", "Three: the logits, the values below them, and the "
         "named components below the values."),
        ("Help, where does the other string come in?", "At the others of the values. The values' "
         "own row is `Exact()`, and the named components read it."),
        ("Help, almost the code", '`Interp("values", at(f"blocks.2.attn.head.{head}.v"), Exact(), '
         '[Interp("written by", direct_from(components), Exact())], others=same_length)`, as the '
         "child of the root with `others=Exact()`."),
    ],
)

# --- the smallest set -----------------------------------------------------------------------------


def some_shares(seed):
    """Shares with errors: clear, just short by the error, equal in size, and none that passes."""
    numbers = random.Random(seed)
    noise = [round(numbers.uniform(0, 0.02), 3) for _ in range(4)]
    shares = {
        ("a",): Estimate(0.60 + noise[0], 0.01),
        ("c", "d"): Estimate(0.86 + noise[2], 0.015),
        ("b", "d"): Estimate(0.93 + noise[1], 0.05),
        ("b", "c"): Estimate(0.84, 0.01),
        ("a", "c", "d"): Estimate(0.99, 0.001),
        ("a", "b", "d"): Estimate(0.995, 0.08),
    }
    return [(shares, 0.8), (shares, 0.9), (shares, 0.5 + noise[3]), (shares, 0.995), ({}, 0.5)]


EACH = "min(passing, key=lambda each: (len(each), -shares[each]), default=None)"

exercise("d4.2.4", cases=some_shares,
    mistakes=[
        edit("share - 2 * share.se >= bar", "share >= bar",
             says="The errors are ignored: the share must be two errors above the bar."),
        edit("share - 2 * share.se >= bar", "share - share.se >= bar",
             says="This is one error above the bar. Two are asked for."),
        edit("share - 2 * share.se >= bar", "share + 2 * share.se >= bar",
             says="The errors are added, so that a noisy share passes easily. Subtract them."),
        edit(EACH, "max(passing, key=lambda each: shares[each], default=None)",
             says="This is the set with the largest share. The fewest components come first."),
        edit("-shares[each])", "shares[each])",
             says="Among sets of one size this is the one with the smallest share."),
        edit("(len(each), -shares[each])", "len(each)",
             says="Among sets of one size this is the first one. Take the largest share."),
        edit(", default=None", "",
             says="Without a set that passes it raises an error. Return None."),
    ],
    right=[
        """
        def smallest(shares, bar):
            best = None
            for each, share in shares.items():
                if float(share) - 2 * share.se < bar:
                    continue
                if best is None or len(each) < len(best):
                    best = each
                elif len(each) == len(best) and shares[each] > shares[best]:
                    best = each
            return best
        """,
    ],
    hints=[
        ("Help, how do I get the error?", "`share.se`. The share itself is a number like any "
         "other."),
        ("Help, how do I order by two things?", "`min` with a key that is a pair: first the "
         "number of components, then minus the share."),
        ("Help, almost the code", "Keep the sets with `share - 2 * share.se >= bar`, then "
         "`min(kept, key=lambda each: (len(each), -shares[each]), default=None)`."),
    ],
)

# --- votes ----------------------------------------------------------------------------------------


def some_values(seed):
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, positions, d_head, d_model in ((3, 5, 4, 6), (2, 7, 5, 5)):
        values = torch.randn(rows, positions, d_head, generator=numbers)
        W_O = torch.randn(d_head, d_model, generator=numbers)
        cases.append((values, W_O, torch.randn(d_model, generator=numbers)))
    return cases


VOTES = "values @ (W_O @ direction)"

exercise("d4.2.5", cases=some_values, tolerance=CLOSE, sizes=OTHER_SIZES,
    mistakes=[
        edit(VOTES, "values @ W_O",
             says="These are vectors of the stream. Multiply by the direction as well."),
        edit(VOTES, "(values @ (W_O @ direction)).mean(1)",
             says="The positions are averaged. Keep a vote for each, [row, position]."),
        edit(VOTES, "(values @ (W_O @ direction)).sum(1)",
             says="The positions are summed. Keep a vote for each, [row, position]."),
        edit(VOTES, "values @ (W_O @ direction) / direction.norm()",
             says="The direction is normalised here. Take it as it is: its length carries the "
                  "unit, logits."),
        edit(VOTES, "-(values @ (W_O @ direction))", says="The sign is reversed."),
        edit(VOTES, "(values @ (W_O @ direction)).softmax(-1)",
             says="A softmax turns votes into shares. Votes are numbers with a sign."),
    ],
    right=[
        """
        def votes(values, W_O, direction):
            return torch.einsum("rph,hd,d->rp", values, W_O, direction)
        """,
    ],
    hints=[
        ("Help, which axes are summed?", "d_head, between values and W_O, and d_model, between "
         "W_O and the direction. Rows and positions stay."),
        ("Help, where is the pattern?", "Not in here. A vote is what the value would add if all "
         "attention went to it."),
        ("Help, almost the code", "`W_O @ direction` is one vector [d_head]. Multiply the values "
         "by it."),
    ],
)

# --- probes ---------------------------------------------------------------------------------------


def some_vectors(seed):
    """A target with an offset and noise, one from redundant entries, and one of true and false."""
    numbers = torch.Generator().manual_seed(seed)
    wide, narrow = torch.randn(60, 6, generator=numbers), torch.randn(50, 3, generator=numbers)
    noise = torch.randn(60, generator=numbers)
    target = 3 + wide @ torch.tensor([1.0, -2, 0, 0.5, 0, 1]) + 1.5 * noise
    target[35:] += 1.0
    redundant = torch.cat([narrow, narrow.sum(1, keepdim=True)], 1) + 2
    sums = redundant @ torch.tensor([1.0, 0, 2, 1]) + noise[:50]
    return [(wide, target, 35), (redundant, sums, 30), (wide, target > 3, 40)]


ONES = "rows = torch.cat([vectors, torch.ones(len(vectors), 1)], 1).double()"
R2 = "1 - (errors**2).mean().item() / target[fitted:].var(correction=0).item()"

exercise("d4.2.6", cases=some_vectors, tolerance=CLOSE, sizes=OTHER_SIZES,
    mistakes=[
        edit(ONES, "rows = vectors.double()",
             says="The constant is missing. Add a column of ones to the vectors."),
        edits(("target[fitted:] - (rows[fitted:]", "target[:fitted] - (rows[:fitted]"),
              ("target[fitted:].var", "target[:fitted].var"),
              says="R² is taken on the rows that were fitted. Judge on the remaining ones."),
        edits(("rows[:fitted], target[:fitted, None]", "rows, target[:, None]"),
              says="The probe is fitted on all rows, also those that judge it."),
        edit("target[fitted:].var(correction=0)", "target[:fitted].var(correction=0)",
             says="The distance from the mean is taken on the fitted rows. Take it on the rows "
                  "that judge."),
        edit("target[fitted:].var(correction=0)",
             "(target[fitted:] - target[:fitted].mean()).square().mean()",
             says="The distance is taken from the mean of the fitted rows. Take it from the mean "
                  "of the rows that judge."),
        edit("target[fitted:].var(correction=0)", "target[fitted:].square().mean()",
             says="This divides by the squared target, without subtracting its mean."),
        edit(".var(correction=0)", ".var()",
             says="This variance divides by n - 1, and the squared error by n. Use correction=0."),
        edit(R2, "(errors**2).mean().item() / target[fitted:].var(correction=0).item()",
             says="This is the share that is *not* explained. R² is 1 minus it."),
        edit(R2, "1 - ((errors**2).mean().item() / target[fitted:].var(correction=0).item()) ** "
             "0.5", says="The square root does not belong here. R² compares squares."),
        edit(R2, "(errors**2).mean().item()",
             says="This is the squared error. Compare it with the squared distance from the "
                  "mean."),
    ],
    right=[
        """
        def probe(vectors, target, fitted):
            vectors, target = vectors.double(), target.double()
            centre, level = vectors[:fitted].mean(0), target[:fitted].mean()
            weights = torch.linalg.pinv(vectors[:fitted] - centre) @ (target[:fitted] - level)
            guesses = level + (vectors[fitted:] - centre) @ weights
            judged = target[fitted:]
            left = ((judged - guesses) ** 2).sum() / ((judged - judged.mean()) ** 2).sum()
            return 1 - left.item()
        """,
    ],
    hints=[
        ("Help, how do I fit a constant?", "Give every vector one more entry that is always 1. "
         "Its weight is the constant."),
        ("Help, the shapes of lstsq", "A is [rows, d + 1] and b is [rows, 1], so that the "
         "solution is [d + 1, 1]. `target[:fitted, None]` makes a column."),
        ("Help, almost the code", "`torch.linalg.lstsq(rows[:fitted], target[:fitted, None], "
         'driver="gelsd").solution`, then the errors on `rows[fitted:]`, and 1 minus their mean '
         "square over `target[fitted:].var(correction=0)`."),
    ],
)

# --- a control task -------------------------------------------------------------------------------


def some_keys(seed):
    """Keys that come often, negative ones too, and a second set with other keys."""
    numbers = torch.Generator().manual_seed(seed)
    first = torch.randint(-20, 21, (300,), generator=numbers)
    return [(first,), (3 * torch.randint(5, 60, (200,), generator=numbers),)]


ROW_BY_ROW = "Equal keys get different labels. Draw one label for each *different* key."


def table_use(answer, keys):
    """Raises Wrong unless labels are a random table of the keys, for many seeds."""
    tables = [table_of(answer, keys, seed) for seed in range(40)]
    if not torch.equal(tables[0], table_of(answer, keys, 0)):
        raise Wrong("The same seed gives two different tables. Draw from a generator that the "
                    "argument seeds.")
    stacked = torch.stack(tables).double()
    if (stacked == stacked[0]).all():
        raise Wrong("Every seed gives the same table. Seed the generator with the argument.")
    balance = stacked.mean(0)
    if balance.min() < 0.1 or balance.max() > 0.9:
        raise Wrong("Some keys get the same label under nearly every seed. Each label should be 0 "
                    "or 1 with equal chances.")
    if stacked.corrcoef().fill_diagonal_(0).abs().mean() > 0.5:
        raise Wrong("The tables of two seeds are the same or opposite. Draw a label for each key, "
                    "and not one rule for all.")
    return True


def table_of(answer, keys, seed):
    """The labels of one table, one for each different key [different keys]."""
    labels = answer(keys.clone(), seed)
    if labels is None or labels is ...:
        raise NotImplementedError
    if not isinstance(labels, torch.Tensor) or labels.shape != keys.shape:
        raise Wrong(f"It gives {describe(plain(labels))}, expected one label a row, as a tensor.")
    if not set(labels.tolist()) <= {0, 1}:
        raise Wrong("Labels are 0 or 1, and here are others.")
    different, place = keys.unique(return_inverse=True)
    counts = torch.zeros(len(different), 2)
    counts.index_put_((place, labels.long()), torch.ones(len(keys)), accumulate=True)
    if (counts > 0).all(1).any():
        raise Wrong(ROW_BY_ROW)
    return counts.argmax(1)


TABLE = "torch.randint(2, (len(different),), generator=numbers)[place]"

exercise("d4.2.7", cases=some_keys, use=table_use, free=True,
    mistakes=[
        edit(TABLE, "torch.randint(2, (len(keys),), generator=numbers)", says=ROW_BY_ROW),
        edit("(len(different),), generator=numbers)", "(len(different),))",
             says="The same seed gives two different tables."),
        edit("manual_seed(seed)", "manual_seed(0)",
             says="Every seed gives the same table. Seed the generator with the argument."),
        edit(TABLE, "(keys + seed) % 2",
             says="The tables of two seeds are the same or opposite. Draw a label for each key, "
                  "and not one rule for all."),
        edit("torch.randint(2, ", "torch.randint(3, ",
             says="Labels are 0 or 1, and here are others."),
        edit(TABLE, "torch.randint(2, (len(different),), generator=numbers)",
             says="expected one label a row, as a tensor."),
        edit(TABLE, "(torch.rand(len(different), generator=numbers) < 0.03).long()[place]",
             says="Some keys get the same label under nearly every seed."),
    ],
    right=[
        """
        def random_table(keys, seed):
            chance, table = random.Random(seed), {}
            for key in keys.tolist():
                table.setdefault(key, chance.random() < 0.5)
            return torch.tensor([table[key] for key in keys.tolist()])
        """,
    ],
    hints=[
        ("Help, why not a random label for each row?", "Then no probe could read it, and it would "
         "be the shuffled control again. A table can be learned from the key."),
        ("Help, how do I get from keys to places in a table?", "`keys.unique(return_inverse=True)` "
         "gives the different keys, and for each row the place of its key among them."),
        ("Help, almost the code", "Draw `len(different)` labels from "
         "`torch.Generator().manual_seed(seed)`, and index them with the places."),
    ],
)

# --- neurons --------------------------------------------------------------------------------------


class Largest(TorchDispatchMode):
    """Notes the number of entries of the largest tensor that any operation makes."""

    def __init__(self):
        super().__init__()
        self.entries = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.entries = max(self.entries, made.numel())
        return made


def some_neurons(seed):
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, neurons, d_model in ((40, 6, 9), (25, 7, 7)):
        activations = torch.randn(rows, neurons, generator=numbers).relu()
        W_out = torch.randn(neurons, d_model, generator=numbers)
        cases.append((activations, W_out, torch.randn(d_model, generator=numbers)))
    return cases


LARGE = "A tensor larger than the result is made on the way. Multiply W_out by the direction first."


def neurons_use(answer, activations, W_out, direction):
    with Largest() as largest:
        found = answer(activations, W_out, direction)
    whole = isinstance(found, torch.Tensor) and found.shape == activations.shape
    if whole and largest.entries > activations.numel():
        raise Wrong(LARGE, entries=largest.entries, result=activations.numel())
    return found


NEURONS = "activations * (W_out @ direction)"

exercise("d4.2.9", cases=some_neurons, use=neurons_use, tolerance=CLOSE, sizes=OTHER_SIZES,
    mistakes=[
        edit(NEURONS, "(activations[:, :, None] * W_out) @ direction", says=LARGE),
        edit(NEURONS, "activations @ (W_out @ direction)",
             says="The neurons are summed. Keep one number for each, [row, neuron]."),
        edit(NEURONS, "activations @ W_out",
             says="This is the output of the MLP. Split it by neuron, along the direction."),
        edit(NEURONS, "(W_out @ direction).expand_as(activations)",
             says="The activations are missing: this is what a neuron of activation 1 writes."),
        edit(NEURONS, "(activations > 0) * (W_out @ direction)",
             says="The activations count as 0 or 1 here. Multiply by their values."),
        edit(NEURONS, "activations * (W_out @ direction).abs()",
             says="The signs are lost. A neuron may write against the direction."),
        edit(NEURONS, "activations * W_out.norm(dim=1)",
             says="This is how much a neuron writes in any direction. Use `direction`."),
    ],
    right=[
        """
        def by_neuron(activations, W_out, direction):
            along = torch.einsum("nd,d->n", W_out, direction)
            return torch.einsum("rn,n->rn", activations, along)
        """,
    ],
    hints=[
        ("Help, what does one neuron write?", "Its activation times its row of W_out. Along the "
         "direction, this is the activation times the dot product of row and direction."),
        ("Help, where does the large tensor come from?", "From activations times W_out with all "
         "three axes. The direction can be multiplied into W_out before any row is seen."),
        ("Help, almost the code", "`W_out @ direction` has one number for each neuron. Multiply "
         "the activations by it, without a sum."),
    ],
)

# --- adversarial strings --------------------------------------------------------------------------

DRAWN = 400
MODEL = models.load("parens")
PARENS = MODEL.graph(seq=parens.LENGTH, mask=True)


def drawn_strings(answer, seed):
    """The strings of a family, each of them checked."""
    numbers = random.Random(seed)
    found = []
    for _ in range(DRAWN):
        text = answer(numbers)
        if text is None or text is ...:
            raise NotImplementedError
        if not isinstance(text, str) or not text or set(text) - {"(", ")"}:
            raise Wrong(f"It gives {describe(plain(text))}, expected a string of parentheses.")
        if len(text) > parens.LONGEST or len(text) % 2:
            raise Wrong("Some strings have an odd length or more than 40 parentheses, which the "
                        "model has never seen.", text=text)
        if parens.is_balanced(text):
            raise Wrong("Some strings are balanced. Each one should break a horizon.", text=text)
        found.append(text)
    return found


def family_use(answer, seed):
    """Raises Wrong unless the model is wrong on many different strings of the family."""
    found = drawn_strings(answer, seed)
    if len(set(found)) < 100:
        raise Wrong("Fewer than 100 of 400 strings are different, so it is a list and no family. "
                    "Leave more to chance.", different=len(set(found)))
    data = parens.describe(found)
    wrong = evaluate(PARENS, data).argmax(-1) != data["label"]
    rate = wrong.double().mean().item()
    error = (rate * (1 - rate) / DRAWN) ** 0.5
    if rate - 2 * error <= 0.05:
        raise Wrong("The model gets too few of them wrong: the rate is not above 5 % by two "
                    "errors. Look at the ladder: for which A and B does 2.1 misread the string?",
                    rate=round(rate, 4))
    different = {text for text, failed in zip(found, wrong.tolist(), strict=True) if failed}
    if len(different) < 10:
        raise Wrong("Fewer than ten different strings are wrong. A rate from few strings is a "
                    "lucky hit.", different=len(different))
    return True


FEW = "The model gets too few of them wrong: the rate is not above 5 % by two errors."
STRING = 'walk(pairs, 2, numbers) + ")(" + nest(19 - pairs)'

exercise("d4.2.10", cases=lambda seed: [(seed,)], use=family_use, free=True,
    mistakes=[
        edit("nest(19 - pairs)", "walk(19 - pairs, 2, numbers)", says=FEW),
        edit("nest(19 - pairs)", "walk(19 - pairs, 20, numbers)", says=FEW),
        edit('")("', '""', says="Some strings are balanced. Each one should break a horizon."),
        edit("nest(19 - pairs)", 'nest(19 - pairs) + "("',
             says="Some strings have an odd length or more than 40 parentheses"),
        edit("nest(19 - pairs)", "nest(20 - pairs)",
             says="Some strings have an odd length or more than 40 parentheses"),
        edit("walk(pairs, 2, numbers)", '"()" * pairs',
             says="Fewer than 100 of 400 strings are different"),
        edit(STRING, 'numbers.choice(["((", "))"]) + walk(pairs, 2, numbers)', says=FEW),
        edit(STRING, "[walk(pairs, 2, numbers), nest(19 - pairs)]",
             says="expected a string of parentheses."),
    ],
    right=[
        """
        def family(numbers):
            pairs = numbers.randint(2, 12)
            text = PIECES["random"](pairs, numbers) + ")("
            inner = (40 - len(text)) // 2
            return text + "(" * inner + ")" * inner
        """,
    ],
    hints=[
        ("Help, where do I begin?", "With the ladder. Which row has a vote far below 0 and nearly "
         "all of the attention on position 1? Take its A and B."),
        ("Help, the rate is too low", "Only one violation, and 40 parentheses in all: the longer "
         "the rest, the more it weighs in an average. Try other sizes of A."),
        ("Help, almost the code", "`pairs = numbers.randint(...)`, then a flat or random piece of "
         '`pairs` pairs, `")("`, and a nest of `19 - pairs` pairs.'),
    ],
)

# --- an interval ----------------------------------------------------------------------------------

CENTRE = "(rate + z**2 / (2 * n)) / shrink"
HALF = "z / shrink * (rate * (1 - rate) / n + z**2 / (4 * n**2)) ** 0.5"

exercise("d4.2.11", cases=lambda seed: [(0, 50), (7, 90 + seed % 50), (30, 30), (3, 12, 1.0)],
    mistakes=[
        edits((CENTRE, "rate"), (HALF, "z * (rate * (1 - rate) / n) ** 0.5"),
              says="This is the rate with its usual error, which is 0 for 0 of n. Use Wilson's "
                   "centre and half width."),
        edit(CENTRE, "rate", says="The centre is the rate here. Wilson's centre lies nearer to "
             "1/2."),
        edit("shrink = wrong / n, 1 + z**2 / n", "shrink = wrong / n, 1 + z**2 / (2 * n)",
             says="The denominator is 1 + z² / n, and not 1 + z² / 2n."),
        edit("+ z**2 / (4 * n**2)", "+ z**2 / (4 * n)",
             says="Under the root it is z² / 4n². The square of n is missing."),
        edit("(4 * n**2)) ** 0.5", "(4 * n**2))", says="The square root is missing."),
        edit("half = z / shrink", "half = 1 / shrink",
             says="The half width is not multiplied by z."),
        edit("half = z / shrink", "half = 1.96 / shrink",
             says="The half width always has z = 1.96. Use the argument."),
        edit("return centre - half, centre + half", "return centre, half",
             says="These are the centre and the half width. Return the two ends."),
    ],
    right=[
        """
        def interval(wrong, n, z=1.96):
            square = z * z
            middle = (2 * wrong + square) / (2 * (n + square))
            root = (square + 4 * wrong * (n - wrong) / n) ** 0.5
            width = z * root / (2 * (n + square))
            return (middle - width, middle + width)
        """,
    ],
    hints=[
        ("Help, what is p for 0 wrong?", "0. The terms with z² remain, so the upper end is above "
         "0."),
        ("Help, my lower end is a tiny negative number", "For 0 wrong it is 0 up to rounding. "
         "The check allows for this."),
        ("Help, almost the code", "`shrink = 1 + z**2 / n`, the centre is `(p + z**2 / (2 * n)) / "
         "shrink`, and the half width `z / shrink * (p * (1 - p) / n + z**2 / (4 * n**2)) ** "
         "0.5`."),
    ],
)

quiz("d4.2.quiz",
    side=option("pattern", "values", says="d4.2.1: which of the two cost little, from any string?"),
    mlp=option("2.0", "2.1", says="d4.2.3: for which head is `all but MLP 1` clearly below 100 %?"),
    free=option("left test", "right test", "sum",
               says="An average over tokens gives it nearly, also with random weights."),
    gap=name(says="d4.2.7, below `control task`."),
    trusted=number(says="d4.2.10: the attention column of the ladder."),
    hints=[
        ("Help, the heads", "d4.2.1 and d4.2.3: which shares were near 100 %?"),
        ("Help, the probes", "d4.2.7: compare the last table with the first one, and read the "
         "second bullet point again."),
        ("Help, the strings", "d4.2.10: where does the attention of 2.1 go in strings of the form "
         "A)(B?"),
    ],
)
