"""How the exercises of day 3, part 3 are judged: what a scrub can and cannot tell."""

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import number, option
from remix_utils.checks.transformer_cases import CLOSE, transformers
from remix_utils.data import Dataset, Exact, Uniform
from remix_utils.errors import kind_of
from remix_utils.graph.ops import add, index, placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import scrub

EXACT = 1e-6  # float32 totals of small samples are right as well


def hypothesis(answer, *arguments):
    """The hypothesis that an answer makes."""
    claim = answer(*arguments)
    if claim is None or claim is ...:
        raise NotImplementedError
    if not isinstance(claim, Interp):
        raise Wrong(f"It gives {kind_of(claim)}, expected an Interp.")
    return claim


# --- an idle head ---------------------------------------------------------------------------------


def some_idle(seed):
    """One head, two of one layer and two of different layers, in models of two and three heads."""
    two, three = transformers(seed, 2, 2, rows=3)
    return [
        (two, ((1, 0),)),
        (three, ((1, 2), (1, 0))),
        (three, ((1, 1), (0, 2))),
    ]


def loss_on_reference(logits, reference):
    """The loss of the last position on the first token of the reference [draws]."""
    wanted = reference["tokens"][:, :1]
    return -logits[:, -1].double().log_softmax(-1).gather(-1, wanted)[:, 0]


def exact_moments(answer, graph, heads):
    """Mean and mean square of the metric over every case that could be drawn."""
    apart = split(graph.node, "blocks.*.attn_out", "head")
    claim = hypothesis(answer, *heads)
    found = scrub(apart, claim, {"tokens": graph.tokens}, "all", metric=loss_on_reference)
    values = found.per_example
    return {
        "the mean": found.mean,
        "the mean square": float((found.weights * values**2).sum()),
    }


NOTHING = 'Interp("idle", reduce(or_, outputs), Uniform())'
OUTPUT = 'at(f"blocks.{layer}.attn.head.{head}.out")'
ELSE = ("Everything else reads another text too. Give the root Exact(), and others=Exact() for the "
        "inputs that no child claims.")
CLAIM = 'return Interp("logits", at("logits"), Exact(), [nothing], others=Exact())'

exercise("d3.3.1", cases=some_idle, use=exact_moments, tolerance=CLOSE,
    sizes="The check uses models of 2 layers with 2 and 3 heads.",
    mistakes=[
        edit(", others=Exact())", ")",
             says=ELSE),
        edit(NOTHING, 'Interp("idle", reduce(or_, outputs), Exact())',
             says="The heads read the reference, so the claim changes nothing. An idle head may "
                  "read any text. Use Uniform()."),
        edits((NOTHING, 'Interp("idle", reduce(or_, outputs), Exact())'),
              (", others=Exact())", ")"),
              says="The draws are exchanged. The listed heads read the reference here, and the "
                  "rest of the model reads another text."),
        edit('Interp("logits", at("logits"), Exact(), [nothing]',
             'Interp("logits", at("logits"), Uniform(), [nothing]',
             says=ELSE),
        edits((f"nothing = {NOTHING}",
               "nothing = [Interp(f\"idle {place}\", each, Uniform()) for place, each in "
               "enumerate(outputs)]"),
              ("[nothing]", "nothing"),
              says="Each head reads a text of its own. Make one Interp whose selector joins the "
                   "heads with |."),
        edit("reduce(or_, outputs)", "outputs[0]",
             says="Only the first head of the list is freed. Join all of them with |."),
        edit("blocks.{layer}.attn.head.{head}", "blocks.{head}.attn.head.{layer}",
             says="Layer and head are exchanged. In (1, 3) the layer comes first."),
        edit("blocks.{layer}.attn.head.{head}", "blocks.1.attn.head.{head}",
             says="Every head is taken from layer 1. Each pair gives the layer and the head."),
        edit(OUTPUT, 'at(f"blocks.{layer}.attn.head.{head}.v")',
             says="Only the values are freed, and the pattern stays. Free the head's output."),
        edit(OUTPUT, 'at(f"blocks.{layer}.attn_out")',
             says="All heads of the layer are freed. Select one head's output."),
        edit(CLAIM, "return nothing",
             says="This is the claim about the heads alone. It needs a root at the logits."),
    ],
    right=[
        """
        def idle(*heads):
            names = {f"blocks.{layer}.attn.head.{head}.out" for layer, head in heads}
            free = Interp("free", at(lambda node: node.name in names), Uniform())
            return Interp("output", "logits", Exact(), free, others=Exact(), shared="apart")
        """,
        """
        def idle(*heads):
            chosen = model.head(*heads[0])
            for layer, head in heads[1:]:
                chosen = chosen | model.head(layer, head)
            return Interp("logits", at("logits"), Exact(), (Interp("any", chosen, Uniform()),),
                          Exact())
        """,
    ],
    hints=[
        ("Help, what does idle mean for a draw?", "If a head carries nothing, any text will do for "
         "it. Which of Exact, Matching and Uniform draws any row?"),
        ("Help, my baseline is a catastrophe", "Everything that no child claims is drawn by "
         "`others`, and that is Uniform() unless you say otherwise."),
        ("Help, almost the code", 'The root is `Interp("logits", at("logits"), Exact(), [child], '
         "others=Exact())`, and the child is one Interp at the joined outputs, with Uniform()."),
    ],
)

# --- errors that cancel ---------------------------------------------------------------------------


def some_changes(seed):
    """Values of different shapes: as many rises as falls, mostly rises, and falls alone."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for shape, shift in (((7,), 0.1), ((3, 5), 0.8), ((2, 2, 3), -4.0)):
        clean = torch.randn(shape, generator=numbers)
        cases.append((clean + shift + torch.randn(shape, generator=numbers), clean))
    return cases


RISE, FALL = "change.relu().mean().item()", "(-change).relu().mean().item()"

exercise("d3.3.2", cases=some_changes,
    mistakes=[
        edit("scrubbed - clean", "clean - scrubbed",
             says="Rise and fall are exchanged. A rise is where the scrubbed value is higher."),
        edit(f"return {RISE}, {FALL}", f"return {RISE}, change.clamp(max=0).mean().item()",
             says="The fall is negative. It is the size of the decrease, at least 0."),
        edit(f"return {RISE}, {FALL}",
             "return change[change > 0].mean().nan_to_num().item(), "
             "(-change)[change < 0].mean().nan_to_num().item()",
             says="These are means over only the examples that rise or fall. Take the mean over "
                  "all examples, with 0 elsewhere, so that rise minus fall is the change of "
                  "the mean."),
        edit(f"return {RISE}, {FALL}",
             "return change.mean().relu().item(), (-change.mean()).relu().item()",
             says="The mean is taken first, so rises and falls have already cancelled. Separate "
                  "them example by example."),
        edit(f"return {RISE}, {FALL}",
             "return change.relu().sum().item(), (-change).relu().sum().item()",
             says="These are sums over examples. Take the mean."),
        edit(f"return {RISE}, {FALL}", "return change.abs().mean().item(), change.mean().item()",
             says="This is the error and the change of the mean. Return rise and fall."),
        edit(f"return {RISE}, {FALL}",
             "return (change > 0).double().mean().item(), (change < 0).double().mean().item()",
             says="These are the shares of examples that rise and fall. Their sizes count too."),
    ],
    right=[
        """
        def rise_and_fall(scrubbed, clean):
            error, net = (scrubbed - clean).abs().mean(), (scrubbed - clean).mean()
            return (error + net) / 2, (error - net) / 2
        """,
        """
        def rise_and_fall(scrubbed, clean):
            pairs = list(zip(scrubbed.flatten().tolist(), clean.flatten().tolist()))
            rise = sum(max(new - old, 0) for new, old in pairs)
            return rise / len(pairs), sum(max(old - new, 0) for new, old in pairs) / len(pairs)
        """,
    ],
    hints=[
        ("Help, how do I keep only the rises?", "`relu` keeps what is above 0. Apply it to the "
         "change of each example, before the mean."),
        ("Help, my rise minus fall is not the change", "Divide both by the number of all examples, "
         "including those that do not change."),
        ("Help, almost the code", "With `change = scrubbed - clean`, the rise is "
         "`change.relu().mean()`. The fall is the same for `-change`."),
    ],
)

# --- the answer in the feature --------------------------------------------------------------------


def some_features(seed):
    """Features with other numbers of values, as booleans, floats and whole numbers."""
    numbers = torch.Generator().manual_seed(seed)
    answers = (torch.rand(40, generator=numbers) < 0.3).long()
    noisy = torch.where(torch.rand(40, generator=numbers) < 0.8, answers, 1 - answers)
    three = torch.randint(3, (30,), generator=numbers)
    parts = torch.randint(4, (30,), generator=numbers) + (three == 2) * 1.5
    return [(noisy.bool(), answers), (parts, three), (torch.zeros(40), answers)]


LOOP = "for label in labels.unique():"
COUNT = "right += answers[labels == label].unique(return_counts=True)[1].max().item()"

exercise("d3.3.3", cases=some_features,
    mistakes=[
        edits((LOOP, "for label in answers.unique():"),
              ("answers[labels == label]", "labels[answers == label]"),
              says="This guesses the feature from the answer. Guess the answer from the feature."),
        edits((COUNT, "right += (answers[labels == label].unique(return_counts=True)[1].max() / "
               "(labels == label).sum()).item()"),
              ("right / len(labels)", "right / len(labels.unique())"),
              says="Every value of the feature has the same weight here. Count rows, so that a "
                   "common value counts more."),
        edit("return right / len(labels)",
             "return (labels.double() == answers.double()).double().mean().item()",
             says="The labels are compared with the answers. The values of a feature are only "
                  "names. Find the most common answer for each of them."),
        edit(COUNT, "right += (answers[labels == label] == 1).sum().item()",
             says="The guess is answer 1 for every value of the feature. Guess the most common "
                  "answer among the rows with this value."),
        edit(COUNT, "ones = answers[labels == label].double().mean().item(); "
             "right += max(ones, 1 - ones) * (labels == label).sum().item()",
             says="This is right only for the answers 0 and 1. Count how often each answer "
                  "occurs."),
        edit(COUNT, "right += (answers[labels == label] == answers.mode()[0]).sum().item()",
             says="The guess is the most common answer of all rows. Guess the most common answer "
                  "among the rows with this value of the feature."),
        edit(".max().item()", ".min().item()",
             says="This counts the rarest answer for each value. Count the most common one."),
        edit("right / len(labels)", "right",
             says="This is a number of rows. Divide it by the number of all rows."),
        edit(COUNT, "right += (answers[labels == label].unique(return_counts=True)[1].numel() == "
             "1) * (labels == label).sum().item()",
             says="Only the rows whose feature determines the answer are counted. Where it does "
                  "not, a guess is still right for the most common answer."),
    ],
    right=[
        """
        def answer_in(labels, answers):
            table = {}
            for label, answer in zip(labels.tolist(), answers.tolist()):
                counts = table.setdefault(label, {})
                counts[answer] = counts.get(answer, 0) + 1
            return sum(max(counts.values()) for counts in table.values()) / len(answers)
        """,
        """
        def answer_in(labels, answers):
            row = labels.unique(return_inverse=True)[1]
            column = answers.unique(return_inverse=True)[1]
            size = int(column.max()) + 1
            counts = (row * size + column).bincount(minlength=(int(row.max()) + 1) * size)
            return counts.reshape(-1, size).amax(1).sum() / len(labels)
        """,
    ],
    hints=[
        ("Help, what is the best guess?", "Look at the rows that share one value of the feature. "
         "Which answer is the most common among them, and how many of them have it?"),
        ("Help, my share is too low", "Even where the feature does not determine the answer, the "
         "best guess is right for some of the rows."),
        ("Help, almost the code", "For each label of `labels.unique()`, add "
         "`answers[labels == label].unique(return_counts=True)[1].max()`. Divide by the number "
         "of rows."),
    ],
)

# --- above 100 % ----------------------------------------------------------------------------------

PAIR = placeholder("x", (2,))
TOY = add(
    add(index(PAIR, 0), weights=[1.5], name="loud"),
    add(index(PAIR, 0), weights=[0.5], name="again"),
    add(index(PAIR, 1), weights=[0.1], name="noise"),
    name="output",
)
SIGNS = torch.tensor([-1.0, 1.0])
PAIRS = Dataset(x=torch.cartesian_prod(SIGNS, SIGNS))


def overshoot(output, reference):
    """The squared error of the toy, which should return a."""
    return (output - reference["x"][:, 0]) ** 2


def exceeds_the_model(answer):
    """Whether the hypothesis recovers more than 105 %, by enumeration."""
    claim = hypothesis(answer)
    claims = {
        "model": Interp("output", at("output"), Exact()),
        "everything": Interp("output", at("output"), Uniform()),
        "yours": claim,
    }
    found = scrub(TOY, claims, PAIRS, "all", metric=overshoot)
    share = float(found["yours"].recovered(found["model"], found["everything"]))
    if share > 1.05:
        return True
    raise Wrong(verdict(share))


def verdict(share):
    """The sentence about a hypothesis that recovers at most 105 %."""
    if share > 1.001:
        return (f"It recovers {share:.1%}, which is above 100 % and below 105 %. Which parts make "
                "the output too large?")
    if share > 0.999:
        return ("It recovers 100 %, so the parts that you free do neither good nor harm. Which "
                "parts make the output too large?")
    if share > 0.001:
        return (f"It recovers {share:.1%}, so a part that the toy needs is freed. Two parts write "
                "a. If only one of them reads the reference, which one should it be?")
    return (f"It recovers {share:.1%}, so nothing that writes a reads the reference. Keep one of "
            "the two parts on the reference.")


exercise("d3.3.4", use=exceeds_the_model, free=True,
    mistakes=[
        edit('Interp("again", at("again")', 'Interp("loud", at("loud")',
             says="a part that the toy needs is freed"),
        edit('Interp("again", at("again")', 'Interp("noise", at("noise")',
             says="the parts that you free do neither good nor harm"),
        edit('at("again")', 'at("again") | at("loud")',
             says="nothing that writes a reads the reference"),
        edit('freed], others=Exact())', 'freed])',
             says="a part that the toy needs is freed"),
        edit('at("again"), Uniform()',
             'at("again"), Matching(feature(lambda data: data["x"][:, 0]))',
             says="the parts that you free do neither good nor harm"),
        edit("Interp(\"output\", at(\"output\"), Exact(), [freed], others=Exact())",
             "at(\"again\")", says="expected an Interp."),
    ],
    right=[
        """
        def better_than_the_model():
            kept = Interp("loud", "loud", Matching(feature(lambda data: data["x"][:, 0])))
            return Interp("output", "output", Exact(), kept)
        """,
        """
        def better_than_the_model():
            by_b = Matching(feature(lambda data: data["x"][:, 1]))
            return Interp("output", at("output"), Exact(), Interp("again", at("again"), by_b),
                          others=Exact())
        """,
    ],
    hints=[
        ("Help, how can less information be better?", "The toy returns 2 a where it should return "
         "a. Which of its parts would you remove, if you could?"),
        ("Help, I get exactly 100 %", "You freed `noise`, or the part that you freed reads rows "
         "with the same a. Neither changes the mean squared error."),
        ("Help, almost the code", "One child at one of the two parts that write a, with Uniform(), "
         "and others=Exact(). Try both parts. One of them recovers 62 %."),
    ],
)

# --- one claim or two -----------------------------------------------------------------------------


def some_pairs(seed):
    """The same partition under other names, a finer one, as many classes with others, constants."""
    numbers = torch.Generator().manual_seed(seed)
    sizes = torch.tensor([7, 5, 5, 3])
    one = torch.arange(4).repeat_interleave(sizes)[torch.randperm(20, generator=numbers)]
    names = torch.randperm(4, generator=numbers)
    moved = one.clone()
    moved[(one == 3).nonzero()[0]] = 0
    flags = one > 1
    return [
        (one, names[one].double() - 7.5),
        (one, one.roll(1)),
        (one, flags),
        (flags, one),
        (one, moved),
        (flags, ~flags),
        (torch.zeros(20), torch.ones(20, dtype=torch.bool)),
    ]


EQUAL = "torch.equal(one[:, None] == one, other[:, None] == other)"

exercise("d3.3.5", cases=some_pairs,
    mistakes=[
        edit(EQUAL, "torch.equal(one.double(), other.double())",
             says="The values are compared. They are only names. Compare which rows have equal "
                  "values."),
        edit(EQUAL, "len(one.unique()) == len(other.unique())",
             says="The numbers of classes are compared. Two partitions may have as many classes "
                  "and different ones."),
        edit(EQUAL, "bool(((one[:, None] != one) | (other[:, None] == other)).all())",
             says="Only one direction is tested, so the first may be finer than the second. Rows "
                  "that are together in either must be together in both."),
        edit(EQUAL, "bool(((other[:, None] != other) | (one[:, None] == one)).all())",
             says="Only one direction is tested, so the second may be finer than the first. Rows "
                  "that are together in either must be together in both."),
        edit(EQUAL, "torch.equal(one.unique(return_inverse=True)[1], "
             "other.unique(return_inverse=True)[1])",
             says="The classes are numbered in the order of their values, so other values for the "
                  "same classes give another result. Compare pairs of rows."),
        edit(EQUAL, "sorted(one.unique(return_counts=True)[1].tolist()) == "
             "sorted(other.unique(return_counts=True)[1].tolist())",
             says="The sizes of the classes are compared. Classes of equal size may hold "
                  "different rows."),
        edit(EQUAL, "one[:, None] == one",
             says="This is the table of pairs of one feature. Return a single True or False."),
    ],
    right=[
        """
        def same_partition(one, other):
            pairs = set(zip(one.tolist(), other.tolist()))
            return len(pairs) == len(one.unique()) == len(other.unique())
        """,
        """
        def same_partition(one, other):
            def classes(labels):
                return {frozenset((labels == label).nonzero()[:, 0].tolist())
                        for label in labels.unique()}
            return classes(one) == classes(other)
        """,
    ],
    hints=[
        ("Help, True and False against 0 and 7", "The values are only names. Ask for each pair of "
         "rows whether the two values are equal, once for each feature."),
        ("Help, what if one is finer?", "Then some pair of rows has equal values by one feature "
         "and different values by the other. The claims differ."),
        ("Help, almost the code", "`one[:, None] == one` is the table of all pairs [rows, rows]. "
         "Two features are one claim if their tables are equal."),
    ],
)

# --- power ----------------------------------------------------------------------------------------


def some_pilots(seed):
    """Costs with other means and spreads, and other powers."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, mean, power in ((40, 0.8, 0.8), (25, 0.4, 0.95), (60, 1.5, 0.5)):
        costs = torch.randn(rows, generator=numbers, dtype=torch.float64)
        cases.append((2 * (costs - costs.mean()) / costs.std() + mean, power))
    return cases


NEEDED = "ceil(((1.96 + above) * costs.std() / costs.mean()) ** 2)"

exercise("d3.3.6", cases=some_pilots,
    mistakes=[
        edit("(1.96 + above)", "1.96",
             says="The power is not used. With this number of rows the mean statistic lies exactly "
                  "at the threshold, which half of the tests miss."),
        edit("(1.96 + above)", "(1.96 + 0.84)",
             says="0.84 belongs to a power of 80 %. Take icdf of the power that is asked for."),
        edit("(1.96 + above)", "above",
             says="The threshold of 1.96 is missing. The mean must lie above it."),
        edit("1.96 + above", "1.96 - above",
             says="The sign is reversed. A higher power needs more rows, not fewer."),
        edit(" ** 2", "",
             says="This is the square root of the number of rows. Square it."),
        edit("costs.std() / costs.mean()", "costs.mean() / costs.std()",
             says="The ratio is inverted. A larger spread needs more rows."),
        edit("costs.std()", "costs.std(correction=0)",
             says="The standard deviation divides by n. From a sample, divide by n - 1."),
        edit("costs.std()", "costs.var()",
             says="The variance takes the place of the standard deviation."),
        edit("costs.std()", "(costs.std() / len(costs) ** 0.5)",
             says="You used the error of the pilot's mean. The spread of single rows is needed."),
        edit(NEEDED, f"{NEEDED} - 1".replace("ceil(", "int(1 + "),
             says="It is rounded down, and the power is then too low. Round up."),
        edit(NEEDED, NEEDED.replace("ceil(", "round(float(") + ")",
             says="It is rounded to the nearest number, and the power may be too low. Round up."),
        edit("icdf(torch.tensor(power, dtype=torch.float64))",
             "cdf(torch.tensor(power, dtype=torch.float64))",
             says="cdf gives the probability at a point. The point at a probability is icdf."),
    ],
    right=[
        """
        def rows_needed(costs, power):
            from statistics import NormalDist
            values, n = costs.tolist(), 1
            mean = sum(values) / len(values)
            spread = (sum((value - mean) ** 2 for value in values) / (len(values) - 1)) ** 0.5
            while 1 - NormalDist(n**0.5 * mean / spread, 1).cdf(1.96) < power:
                n += 1
            return n
        """,
    ],
    hints=[
        ("Help, what does n change?", "The standard error of a mean is s / √n. So the mean divided "
         "by its standard error grows like √n."),
        ("Help, where does the power enter?", "The statistic scatters around m √n / s with a "
         "standard deviation of 1. For 80 % of the tests to exceed 1.96, m √n / s must be 1.96 + "
         "0.84."),
        ("Help, almost the code", "Solve m √n / s = 1.96 + z for n, with z from `icdf`, and round "
         "up with `ceil`."),
    ],
)


def some_tests(seed):
    """Skewed costs in several sizes of tests, with rows left over."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for rows, n in ((403, 5), (310, 12), (505, 20)):
        costs = torch.randn(rows, generator=numbers, dtype=torch.float64).exp() - 0.9
        cases.append((costs, n))
    return cases


TESTS = "costs[: len(costs) // n * n].reshape(-1, n)"
REJECT = "(tests.mean(1) > 1.96 * errors).double().mean().item()"

exercise("d3.3.7", cases=some_tests,
    mistakes=[
        edit("tests.std(1) / n**0.5", "tests.std(1)",
             says="The mean is compared with the spread of single rows. Divide by √n."),
        edit("tests.std(1) / n**0.5", "costs.std() / n**0.5",
             says="The error comes from all rows. A real test knows only its own n rows."),
        edit("tests.std(1) / n**0.5", "tests.std(1, correction=0) / n**0.5",
             says="The standard deviation divides by n. From a sample, divide by n - 1."),
        edit("1.96 * errors", "errors",
             says="One standard error is the threshold here. It is 1.96 of them."),
        edit("tests.mean(1) > 1.96 * errors", "tests.mean(1) > 0",
             says="This counts the tests with a positive mean. It must exceed 1.96 errors."),
        edit(TESTS, "costs.unfold(0, n, 1)",
             says="The groups overlap, so that one row is in many tests. Cut without overlap."),
        edit(TESTS, "costs[: len(costs) // n * n].reshape(n, -1).T",
             says="The groups are not consecutive rows. Reshape to [tests, n]."),
        edit(REJECT, REJECT.replace(".mean().item()", ".sum().item()"),
             says="This is the number of tests that reject. Return their share."),
    ],
    right=[
        """
        def measured_power(costs, n):
            rejected = []
            for start in range(0, len(costs) - n + 1, n):
                group = costs[start : start + n]
                rejected.append(float(group.mean()) > 1.96 * float(group.var()) ** 0.5 / n**0.5)
            return sum(rejected) / len(rejected)
        """,
    ],
    hints=[
        ("Help, how do I make many tests?", "Drop the rows that do not fill a group, and reshape "
         "to [tests, n]. Everything else is along axis 1."),
        ("Help, which error?", "The standard error that a test with n rows would compute. It is "
         "the standard deviation of these n rows divided by √n."),
        ("Help, almost the code", "`tests.mean(1) > 1.96 * tests.std(1) / n**0.5` is a boolean for "
         "each test. Its mean, as a float, is the power."),
    ],
)

# --- twenty hypotheses ----------------------------------------------------------------------------


def some_p_values(seed):
    """Sets for which Holm, Bonferroni, no correction and step-up procedures differ."""
    numbers = torch.Generator().manual_seed(seed)
    listed = ([0.011, 0.014, 0.3, 0.001], [0.02, 0.9, 0.8], [0.04, 0.009, 0.026, 0.012, 0.9],
              [0.03, 0.04, 0.045], [0.02, 0.3, 0.5, 0.6])
    cases = []
    for values in listed:
        p_values = torch.tensor(values, dtype=torch.float64)
        cases.append((p_values[torch.randperm(len(values), generator=numbers)], 0.05))
    at_the_threshold = torch.tensor([0.5, 0.25])  # 0.25 = 0.5 / 2 exactly
    return [*cases, (torch.tensor([0.02, 0.3, 0.03, 0.001, 0.035]), 0.1), (at_the_threshold, 0.5)]


STEP = "level / (len(p_values) - place)"

exercise("d3.3.8", cases=some_p_values,
    mistakes=[
        edit(STEP, "level",
             says="No correction is made, since every p-value is compared with the level itself."),
        edit(STEP, "level / len(p_values)",
             says="This is Bonferroni's correction, which compares every p-value with level / m. "
                  "It is valid but finds less. After each discovery, divide by one less."),
        edit("if p_values[number] > level", "if p_values[number] >= level",
             says="A p-value that equals its threshold is refused. It must be at most the "
                  "threshold."),
        edit("            break\n", "            continue\n",
             says="It goes on after a failure. Stop at the first p-value that is too large."),
        edit(STEP, "level / (len(p_values) - place - 1 or 1)",
             says="The divisor is one too small. Compare the smallest p-value with level / m."),
        edit(STEP, "level * (place + 1) / len(p_values)",
             says="These are the thresholds of Benjamini and Hochberg, level × place / m. They "
                  "control the expected share of false discoveries instead."),
        edit("found[number] = True", "found[place] = True",
             says="The result is in the sorted order. Give it in the order of the hypotheses."),
        edit("p_values.argsort().tolist()", "range(len(p_values))",
             says="The p-values are not sorted. Begin with the smallest."),
        edit("p_values.argsort()", "p_values.argsort(descending=True)",
             says="It begins with the largest p-value. Begin with the smallest."),
        edit("return found", "return found.sum()",
             says="This is the number of discoveries. Return a boolean for each hypothesis."),
    ],
    right=[
        """
        def holm(p_values, level):
            ordered, order = p_values.sort()
            divisors = torch.arange(len(p_values), 0, -1)
            passed = (ordered * divisors <= level).long().cumprod(0).bool()
            found = torch.zeros(len(p_values), dtype=torch.bool)
            found[order] = passed
            return found
        """,
    ],
    hints=[
        ("Help, what do I divide by?", "Divide by the number of hypotheses that are not yet "
         "discoveries. This is m at first, and one less after each discovery."),
        ("Help, how do I get back the order?", "`argsort` lists the indices of the hypotheses, "
         "with the smallest p-value first. Write each result at its index."),
        ("Help, almost the code", "Loop over `enumerate(p_values.argsort().tolist())`, compare "
         "with level / (m - place), break at the first failure."),
    ],
)

# --- cumulants ------------------------------------------------------------------------------------


def columns_of(seed, rows, number):
    """Skewed columns [rows] that depend on each other."""
    numbers = torch.Generator().manual_seed(seed)
    common = torch.randn(rows, generator=numbers, dtype=torch.float64)
    own = torch.randn(number, rows, generator=numbers, dtype=torch.float64)
    return list(own + 0.7 * common**2 + 0.4)


def some_columns(seed):
    return [(columns_of(seed + size, 12 + size, size),) for size in (1, 2, 3, 4)]


def of_columns(answer, columns):
    return answer(*columns)


SIGN = "(-1) ** (len(blocks) - 1) * factorial(len(blocks) - 1) * prod(means)"

exercise("d3.3.10", cases=some_columns, use=of_columns, tolerance=EXACT,
    mistakes=[
        edit(SIGN, "prod(means)",
             says="The coefficients are missing. Each is (-1)^(blocks - 1) times the factorial of "
                  "blocks - 1."),
        edit("(-1) ** (len(blocks) - 1)", "1",
             says="The signs are missing. They alternate with the number of blocks."),
        edit("factorial(len(blocks) - 1) * ", "",
             says="The factorial of the number of blocks minus one is missing."),
        edit("factorial(len(blocks) - 1)", "factorial(len(blocks))",
             says="Take the factorial of the number of blocks minus one."),
        edit("prod(columns[place] for place in block).mean()",
             "prod(columns[place].mean() for place in block)",
             says="The mean is taken before the product. Multiply the columns of a block row by "
                  "row, and then take the mean."),
        edit("(-1) ** (len(blocks) - 1)", "(-1) ** len(blocks)",
             says="The sign is reversed. A single block has the coefficient +1."),
        instead("""
                def cumulant(*columns):
                    return float(prod(column - column.mean() for column in columns).mean())
                """,
                says="This is the central moment. It equals the cumulant for two and three "
                     "columns only."),
    ],
    right=[
        """
        def cumulant(*columns):
            first, *others = columns
            total = prod(columns).mean()
            for mask in range(2 ** len(others) - 1):
                chosen = [each for place, each in enumerate(others) if mask >> place & 1]
                left = [each for place, each in enumerate(others) if not mask >> place & 1]
                total = total - cumulant(first, *chosen) * prod(left).mean()
            return total
        """,
    ],
    hints=[
        ("Help, what is a block's expectation?", "Multiply the columns in the block, row by row, "
         "and take the mean of the products."),
        ("Help, my covariance has the wrong sign", "One block has the coefficient +1, two blocks "
         "have -1, three have +2 and four have -6."),
        ("Help, almost the code", "For each `blocks` in `partitions(list(range(len(columns))))`, "
         "multiply the means of `prod(columns[place] for place in block)` and the coefficient."),
    ],
)


def some_classes(seed):
    """Columns with features of other sizes of classes, and of other types."""
    cases = []
    for shift, (rows, classes) in enumerate(((15, 2), (22, 3), (30, 5))):
        one, other = columns_of(seed + shift, rows, 2)
        labels = torch.arange(rows) ** 2 % classes
        cases.append((one + labels, other - 2.0 * labels, labels if shift else labels.bool()))
    return cases


WITHIN = "within += cumulant(one[rows], other[rows]) * rows.double().mean().item()"

exercise("d3.3.11", cases=some_classes, tolerance=EXACT,
    mistakes=[
        edits((" * rows.double().mean().item()", " / len(labels.unique())"),
              says="Every class has the same weight. Weight each class by its share of the rows."),
        edit(" * rows.double().mean().item()", "",
             says="The covariances of the classes are added up. Weight each class by its share of "
                  "the rows."),
        edit("return within, cumulant(*means)",
             "return within, cumulant(*torch.stack([torch.stack([one[labels == label].mean(), "
             "other[labels == label].mean()]) for label in labels.unique()]).T)",
             says="In the covariance between, each class counts once. Give every row the mean of "
                  "its class."),
        edit("return within, cumulant(*means)", "return cumulant(*means), within",
             says="Within and between are exchanged."),
        edit("return within, cumulant(*means)", "return within, cumulant(one, other)",
             says="The second number is the total covariance. Take the covariance of the class "
                  "means."),
        edit("cumulant(one[rows], other[rows])",
             "(cumulant(one[rows], other[rows]) * rows.sum().item() / (rows.sum().item() - 1))",
             says="The covariances of the classes divide by n - 1. If they divide by n, the two "
                  "terms add up to the total."),
        edit("return within, cumulant(*means)", "return within + cumulant(*means)",
             says="This is the sum, the total covariance. Return both terms."),
    ],
    right=[
        """
        def total_covariance(one, other, labels):
            classes = labels.unique(return_inverse=True)[1]
            member = torch.nn.functional.one_hot(classes).to(one.dtype)
            averages = [member @ (member.T @ each / member.sum(0)) for each in (one, other)]
            left = [one - averages[0], other - averages[1]]
            between = ((averages[0] - one.mean()) * (averages[1] - other.mean())).mean()
            return (left[0] * left[1]).mean(), between
        """,
    ],
    hints=[
        ("Help, how are the classes weighted?", "Each row counts once. A class with a third of the "
         "rows has the weight 1/3."),
        ("Help, the two do not add up", "The covariance between is taken over *rows*, where each "
         "row has the mean of its class. Both terms use the mean over n, as `cumulant` does."),
        ("Help, almost the code", "For each label: `rows = labels == label`, add "
         "`cumulant(one[rows], other[rows])` times the share, and write both means at these rows."),
    ],
)


def some_groups(seed):
    """Groups of one, two and three columns."""
    a, b, c, d = columns_of(seed, 14, 4)
    grouped = ([[a, b]], [[a], [b, c]], [[a, b], [c, d]], [[a], [b], [c, d]], [[a, b], [a, b]])
    return [(groups,) for groups in grouped]


def of_groups(answer, groups):
    return answer(*groups)


CONNECTED = "if len(reached) == len(groups):"
MERGED = "reached = reached.union(*[each for each in touched if each & reached])"

exercise("d3.3.12", cases=some_groups, use=of_groups, tolerance=EXACT,
    mistakes=[
        edit(CONNECTED, "if True:",
             says="All partitions are counted. This gives the mean of the product of all columns. "
                  "Count those that connect the groups."),
        edit(CONNECTED, "if len(blocks) == 1:",
             says="Only the partition with one block is counted. Others connect the groups too."),
        edit(CONNECTED, "if any(len({group for group, _ in block}) == len(groups) for block in "
             "blocks):",
             says="Only partitions with one block that touches every group are counted. Groups may "
                  "be connected through several blocks."),
        edit(CONNECTED, "if not any(len({group for group, _ in block}) == 1 for block in blocks) "
             "or len(groups) == 1:",
             says="Partitions with a block inside one group are left out. They count if other "
                  "blocks connect the groups."),
        edit(CONNECTED, "if len(reached) == len(groups) and min(map(len, blocks)) > 1:",
             says="Partitions with a block of a single column are left out. This is right only if "
                  "all means are 0."),
        edit("prod(cumulant(*columns) for columns in chosen)",
             "prod(prod(columns).mean() for columns in chosen)",
             says="The blocks give moments. Take their cumulants."),
    ],
    right=[
        """
        def cumulant_of_products(*groups):
            owners = [number for number, columns in enumerate(groups) for _ in columns]
            flat, total = [each for columns in groups for each in columns], 0.0
            for blocks in partitions(list(range(len(flat)))):
                root = list(range(len(groups)))
                for block in blocks:
                    joined = {root[owners[place]] for place in block}
                    root = [min(joined) if each in joined else each for each in root]
                if len(set(root)) == 1:
                    total += prod(cumulant(*[flat[place] for place in block]) for block in blocks)
            return total
        """,
        """
        def cumulant_of_products(*groups):
            return cumulant(*[prod(columns) for columns in groups])
        """,
    ],
    hints=[
        ("Help, how do I remember the groups?", "Number each column by a pair (group, column), and "
         "take the partitions of the list of pairs."),
        ("Help, when are the groups connected?", "Start with group 0. Add all groups of a block "
         "that touches a group which you have reached, and repeat. The groups are connected if "
         "you reach all of them."),
        ("Help, almost the code", "For each partition that connects the groups, add the product "
         "over its blocks of `cumulant(*[groups[group][place] for group, place in block])`."),
    ],
)

quiz("d3.3.quiz",
    idle=option("redundancy", "data",
               says="The model has redundancy, and this is why the claim passed. On which text was "
                    "the claim rejected?"),
    cancel=number(says="The errors at each example cannot cancel. Add rise and fall."),
    answer=number(also=(1,),
               says="A model without errors gives about the same loss on any row with the same "
                    "answer."),
    above=option("good", "harm",
               says="The loss is lower if this part reads another row."),
    holm=number(also=(0.25,), says="The smallest of m p-values is compared with level / m."),
    hints=[
        ("Help, the first two", "In d3.3.1, on which text was the claim rejected? In d3.3.2, which "
         "sum cannot cancel?"),
        ("Help, the shares", "In d3.3.3, which features recovered everything? In d3.3.4, which "
         "part of the toy was freed?"),
        ("Help, Holm", "In d3.3.8, the smallest p-value is compared with the level divided by "
         "the number of hypotheses."),
    ],
)
