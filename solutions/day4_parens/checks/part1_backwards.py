"""How the exercises of day 4, part 1 are judged: from the output back."""

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, quiz
from remix_utils.checks.questions import number, option
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.errors import kind_of
from remix_utils.tasks import parens

SIZES = "The check uses other numbers of rows and other widths."


def numbers_of(seed):
    return torch.Generator().manual_seed(seed)


# --- the task by hand -----------------------------------------------------------------------------


def some_strings(seed):
    """Strings that fail in every way, and balanced ones."""
    texts = ["()", "(())()", ")(", "())(", "((", "())", "(()", "()()(())", "))((", "(()))(", ")"]
    order = torch.randperm(len(texts), generator=numbers_of(seed)).tolist()
    return [(texts[place],) for place in order]


def truth_use(answer, text):
    found = answer(text)
    if not isinstance(found, bool):
        raise Wrong(f"It gives {kind_of(found)}, expected True or False.")
    return found


exercise("d4.1.1", cases=some_strings, use=truth_use,
    mistakes=[
        edit("        if depth < 0:\n            return False\n", "",
             says='The depth may fall below 0 here. A string such as ")(" has as many of both and '
                  "is not balanced."),
        edit("return depth == 0", "return True",
             says='The end is not checked. A string such as "((" never falls below 0.'),
        edit('1 if character == "(" else -1', '-1 if character == "(" else 1',
             says='The signs are exchanged. "(" goes one deeper.'),
        edit("if depth < 0", "if depth <= 0",
             says='The depth may be 0 in the middle, as in "()()". It may not fall below 0.'),
    ],
    right=[
        """
        def is_balanced(text):
            while "()" in text:
                text = text.replace("()", "")
            return not text
        """,
    ],
    hints=[
        ("Help, where do I start?", "Keep a depth that begins at 0. Add 1 at \"(\" and take away 1 "
         "at \")\"."),
        ("Help, \")(\" comes out as balanced", "Its depth ends at 0, and it has been at -1 on the "
         "way. Return False as soon as the depth is below 0."),
        ("Help, almost the code", "Inside the loop `if depth < 0: return False`, and after it "
         "`return depth == 0`."),
    ],
)


def some_tokens(seed):
    """Tokens of random strings with padding, and tokens of another length."""
    data = parens.draw(40, seed=seed)["tokens"]
    short = parens.every(6)["tokens"][:, :8]
    return [(data,), (short[torch.randperm(len(short), generator=numbers_of(seed))[:30]],)]


def tests_use(answer, tokens):
    found = answer(tokens)
    names = ("count", "left", "right")
    if not isinstance(found, dict) or set(found) != set(names):
        raise Wrong(f"It gives {kind_of(found)}, expected a dict with count, left and right.")
    return {name: found[name] for name in names}


exercise("d4.1.2", cases=some_tokens, use=tests_use,
    sizes="The check uses strings of other lengths.",
    mistakes=[
        edit("-steps.flip(1).cumsum(1)", "steps.flip(1).cumsum(1)",
             says='"right" has the wrong sign. From the right, ")" goes one deeper and "(" comes '
                  "back."),
        edit("-steps.flip(1).cumsum(1)", "-steps.cumsum(1)",
             says='"right" reads from the left. Turn the order of positions round first.'),
        edit('"left": (from_left >= 0).all(1)', '"left": (from_left > 0).all(1)',
             says='"left" forbids a depth of 0. The depth may be 0 and must not fall below it.'),
        edits(('"left": (from_left >= 0)', '"left": (from_right >= 0)'),
              ('"right": (from_right >= 0)', '"right": (from_left >= 0)'),
              says='"left" and "right" are exchanged. The left horizon is about prefixes.'),
        edit('"count": from_left[:, -1] == 0', '"count": (from_left == 0).any(1)',
             says='"count" asks whether the depth is ever 0. Ask where it ends.'),
        edit("(tokens == parens.OPEN).long() - (tokens == parens.CLOSE).long()",
             "2 * (tokens == parens.OPEN).long() - 1",
             says="All other tokens count as a closing parenthesis here. They count as 0."),
        edit("(from_left >= 0).all(1)", "(from_left >= 0).any(1)",
             says='"left" is passed if a single prefix passes. All of them must.'),
    ],
    right=[
        """
        def three_tests(tokens):
            found = {"count": [], "left": [], "right": []}
            for row in tokens.tolist():
                signs = [(each == parens.OPEN) - (each == parens.CLOSE) for each in row]
                places = range(len(signs) + 1)
                found["count"].append(sum(signs) == 0)
                found["left"].append(all(sum(signs[:place]) >= 0 for place in places))
                found["right"].append(all(sum(signs[place:]) <= 0 for place in places))
            return {name: torch.tensor(values) for name, values in found.items()}
        """,
    ],
    hints=[
        ("Help, how do I avoid the loop?", "`cumsum(1)` gives the sum of every prefix at once. "
         "`flip(1)` turns the order round, so that a prefix becomes a suffix."),
        ("Help, the padding", "Give every token a step: 1 for \"(\", -1 for \")\", and 0 for all "
         "others. Padding then changes nothing."),
        ("Help, almost the code", "`steps.cumsum(1)` from the left and `-steps.flip(1).cumsum(1)` "
         "from the right; a horizon is passed where all of them are at least 0."),
    ],
)


def some_outcomes(seed):
    """Outcomes of tests with other names, of which different pairs are enough."""
    numbers = numbers_of(seed)
    one, other = torch.randint(2, (2, 24), generator=numbers).bool()
    label = (one & other).long()
    first = {"long": one, "odd": other, "new": label.bool()}
    second = {"a": one, "b": other, "c": torch.ones(24, dtype=torch.bool)}
    third = {"a": ~one, "b": other, "c": one}
    return [(first, label), (second, label), (third, label), (first, torch.zeros_like(label))]


def pairs_use(answer, tests, label):
    found = answer(tests, label)
    if not isinstance(found, (set, frozenset)):
        raise Wrong(f"It gives {kind_of(found)}, expected a set of frozensets.")
    return sorted("+".join(sorted(map(str, pair))) for pair in found)


exercise("d4.1.3", cases=some_outcomes, use=pairs_use,
    mistakes=[
        edit("tests[one] & tests[other]", "tests[one] | tests[other]",
             says="A pair counts as passed if one of its tests is. Both must be passed."),
        edit("torch.equal(together, label == 1)", "bool((together <= (label == 1)).all())",
             says="This asks only that no unbalanced string passes. Balanced strings must pass "
                  "too."),
        edit("torch.equal(together, label == 1)", "bool((together >= (label == 1)).all())",
             says="This asks only that every balanced string passes. Unbalanced strings must not "
                  "pass."),
        edit("torch.equal(together, label == 1)", "bool((together == (label == 1)).any())",
             says="One string with the right label is enough here. It must be right on all of "
                  "them."),
        edit("one < other and", "one <= other and",
             says="A test is paired with itself. A pair has two tests."),
    ],
    right=[
        """
        from itertools import combinations

        def enough(tests, label):
            rows = range(len(label))
            return {frozenset(pair) for pair in combinations(tests, 2)
                    if all((tests[pair[0]][row] and tests[pair[1]][row]) == bool(label[row])
                           for row in rows)}
        """,
    ],
    hints=[
        ("Help, what is enough?", "A pair is enough if the rows that pass both tests are exactly "
         "the rows with label 1."),
        ("Help, how do I make the pairs?", "Two loops over the names, or "
         "`itertools.combinations(tests, 2)`."),
        ("Help, almost the code", "`torch.equal(tests[one] & tests[other], label == 1)` for each "
         "pair with `one < other`, then `found.add(frozenset((one, other)))`."),
    ],
)


def some_sizes(seed):
    n = int(torch.randint(20, 5000, (), generator=numbers_of(seed)))
    return [(n,), (1,), (2 * n, 0.1), (n, 0.01)]


exercise("d4.1.4", cases=some_sizes, tolerance=1e-7,
    mistakes=[
        edit("1 - chance ** (1 / n)", "3 / n",
             says="3 / n is an approximation for one chance only. Solve (1 - r) ** n = chance."),
        edit("1 - chance ** (1 / n)", "chance ** (1 / n)",
             says="This is the rate of right answers. Take 1 minus it."),
        edit("1 - chance ** (1 / n)", "1 - (1 - chance) ** (1 / n)",
             says="This is the rate at which all strings are right with probability 1 - chance."),
        edit("1 - chance ** (1 / n)", "chance / n",
             says="The chance is divided by n. Solve (1 - r) ** n = chance for r."),
    ],
    right=[
        """
        def upper_limit(n, chance=0.05):
            return -torch.expm1(torch.tensor(chance, dtype=torch.float64).log() / n).item()
        """,
    ],
    hints=[
        ("Help, which equation?", "(1 - r) to the power n equals the chance."),
        ("Help, how do I solve it?", "Take the n-th root of both sides."),
        ("Help, almost the code", "`1 - chance ** (1 / n)`."),
    ],
)

# --- directions -----------------------------------------------------------------------------------


def some_outputs(seed):
    numbers = numbers_of(seed)
    return [(torch.randn(width, 2, generator=numbers),) for width in (5, 8)]


exercise("d4.1.5", cases=some_outputs, sizes=SIZES,
    mistakes=[
        edit("W_U[:, 0] - W_U[:, 1]", "W_U[:, 1] - W_U[:, 0]",
             says="The sign is reversed. This is the direction of \"balanced\"."),
        edit("W_U[:, 0] - W_U[:, 1]", "W_U[:, 0]",
             says="This is the logit of \"unbalanced\" alone. Subtract the direction of the other "
                  "logit."),
        edit("return W_U[:, 0] - W_U[:, 1]",
             "direction = W_U[:, 0] - W_U[:, 1]\n    return direction / direction.norm()",
             says="This has length 1. Keep the length, so that the product is a logit."),
        edit("W_U[:, 0] - W_U[:, 1]", "(W_U[:, 0] + W_U[:, 1]) / 2",
             says="This is the mean of both directions. Take their difference."),
    ],
    right=["def unbalanced_direction(W_U):\n    return W_U @ torch.tensor([1.0, -1.0])"],
    hints=[
        ("Help, what is a column of W_U?", "The direction along which one of the two logits "
         "grows."),
        ("Help, which difference?", "The logit of \"unbalanced\", output 0, minus that of "
         "\"balanced\", output 1."),
        ("Help, almost the code", "`W_U[:, 0] - W_U[:, 1]`."),
    ],
)


def some_streams(seed):
    """Streams with a mean, and values that depend on them with a constant and some noise."""
    numbers, cases = numbers_of(seed), []
    for rows, width in ((40, 4), (60, 7)):
        stream = torch.randn(rows, width, generator=numbers) + torch.arange(width)
        values = stream @ torch.randn(width, generator=numbers) + 3
        cases.append((stream, values + 0.7 * torch.randn(rows, generator=numbers)))
    return cases


exercise("d4.1.6", cases=some_streams, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edits(("torch.cat([x, torch.ones(len(x), 1)], dim=1)", "x"),
              ("return solution[:-1], r_squared.item()", "return solution, r_squared.item()"),
              says="The fit has no constant. Add a column of ones."),
        edit("return solution[:-1], r_squared.item()", "return solution, r_squared.item()",
             says="The constant is part of the direction. Leave it out."),
        edit("(y - y.mean()).square().sum()", "y.square().sum()",
             says="R² divides by the sum of squared values. Subtract their mean first."),
        edit("1 - residual.square().sum() /", "residual.square().sum() /",
             says="This is 1 - R², the share that is not explained."),
        edit("return solution[:-1], r_squared.item()",
             "return solution[:-1] / solution[:-1].norm(), r_squared.item()",
             says="The direction has length 1. Return the coefficients of the fit as they are."),
    ],
    right=[
        """
        def fit_direction(stream, values):
            x, y = stream.double(), values.double()
            x, y = x - x.mean(0), y - y.mean()
            direction = torch.linalg.pinv(x) @ y
            return direction, float(1 - (y - x @ direction).var() / y.var())
        """,
    ],
    hints=[
        ("Help, where does the constant go?", "Append a column of ones to the stream. Its "
         "coefficient is the constant."),
        ("Help, the shapes of lstsq", "`torch.linalg.lstsq(A, B, driver=\"gelsd\").solution` "
         "wants B as [rows, 1], and gives [columns, 1]."),
        ("Help, almost the code", "The coefficients without the last are the direction. R² is "
         "`1 - residual.square().sum() / (y - y.mean()).square().sum()`."),
    ],
)


def some_swaps(seed):
    numbers, cases = numbers_of(seed), []
    for rows, width in ((6, 5), (9, 3)):
        stream, other = torch.randn(2, rows, width, generator=numbers)
        cases.append((stream, other + 1, 3 * torch.randn(width, generator=numbers)))
    return cases


exercise("d4.1.7", cases=some_swaps, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("unit = direction / direction.norm()", "unit = direction",
             says="The direction has not length 1, so the coordinate is multiplied by its length "
                  "twice. Divide by the norm."),
        edit("(other - stream) @ unit", "other @ unit",
             says="The other's coordinate is added to the stream's own. Take away the stream's "
                  "coordinate first."),
        edit("return stream + ((other - stream)", "return other + ((other - stream)",
             says="All but the coordinate comes from the other string. Only it should."),
        edit("(other - stream) @ unit", "(stream - other) @ unit",
             says="The step goes the wrong way. Step from the stream towards the other."),
        edit("return stream + ((other - stream) @ unit)[:, None] * unit",
             "return stream - (stream @ unit)[:, None] * unit",
             says="The coordinate is removed. Replace it with that of the other string."),
    ],
    right=[
        """
        def swap_along(stream, other, direction):
            onto = torch.outer(direction, direction) / direction.square().sum()
            return stream - stream @ onto + other @ onto
        """,
    ],
    hints=[
        ("Help, what is a coordinate?", "The dot product with a direction of length 1."),
        ("Help, how do I leave the rest alone?", "Add a multiple of the unit direction to each "
         "row. Nothing orthogonal to it changes."),
        ("Help, almost the code", "`step = (other - stream) @ unit`, and then "
         "`stream + step[:, None] * unit`."),
    ],
)

# --- parts ----------------------------------------------------------------------------------------


def some_terms(seed):
    """Terms of a stream with means of their own, and one that is the same in every row."""
    numbers, cases = numbers_of(seed), []
    for rows, width in ((7, 6), (4, 9)):
        names = ("embed", "head", "mlp")
        terms = {name: torch.randn(rows, width, generator=numbers) + 0.5 for name in names}
        terms["bias"] = torch.randn(width, generator=numbers).expand(rows, -1)
        w = 1 + 0.5 * torch.randn(width, generator=numbers)
        after_norm = torch.randn(width, generator=numbers)
        cases.append((terms, sum(terms.values()), w, after_norm, 1e-5))
    return cases


exercise("d4.1.8", cases=some_terms, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("term.mean(-1, keepdim=True)", "0",
             says="The terms are not centred. LayerNorm subtracts the mean over d_model."),
        edit("(centred * w)", "centred",
             says="The norm's weight is missing. Multiply by w."),
        edit(" / scale", "",
             says="The scale is missing. Divide by the root of the stream's variance."),
        edit("scale = (stream.var(-1, correction=0) + eps).sqrt()",
             "scale = (stream.var(-1) + eps).sqrt()",
             says="The variance divides by d_model - 1. LayerNorm divides by d_model."),
        edits(("    scale = (stream.var(-1, correction=0) + eps).sqrt()\n", ""),
              ("/ scale", "/ (term.var(-1, correction=0) + eps).sqrt()"),
              says="Each term is divided by a scale of its own, so they no longer add up. Take the "
                   "scale of the whole stream."),
        edit("term.mean(-1, keepdim=True)", "term.mean(0, keepdim=True)",
             says="The mean is taken over rows. LayerNorm takes it over d_model."),
        edit("scale = (stream.var(-1, correction=0) + eps).sqrt()",
             "scale = (stream.square().mean(-1) + eps).sqrt()",
             says="The scale is the root of the mean square. LayerNorm subtracts the mean first."),
    ],
    right=[
        """
        def contributions(terms, stream, w, after_norm, eps=1e-5):
            direction = w * after_norm
            direction = direction - direction.mean()
            inverse = torch.rsqrt(stream.var(-1, correction=0) + eps)
            return {name: (each @ direction) * inverse for name, each in terms.items()}
        """,
    ],
    hints=[
        ("Help, my terms do not add up", "Divide all of them by the same scale, that of the whole "
         "stream, row by row."),
        ("Help, which mean?", "LayerNorm works inside one row. Mean and variance are over "
         "d_model, and the variance divides by d_model (`correction=0`)."),
        ("Help, almost the code", "`(centred * w) @ after_norm / scale` for each term."),
    ],
)


def some_reactions(seed):
    """Values in groups of different sizes and spreads."""
    numbers, cases = numbers_of(seed), []
    for rows in (40, 70):
        kind = torch.randint(4, (rows,), generator=numbers)
        values = torch.randn(rows, generator=numbers) * (1 + kind) + 2 * kind - 1
        groups = {name: kind == place for place, name in enumerate(("one", "two", "three"), 1)}
        cases.append((values, groups, kind == 0))
    return cases


ERROR = "(chosen.var() / len(chosen) + zero.var() / len(zero)).sqrt()"

exercise("d4.1.9", cases=some_reactions, tolerance=CLOSE,
    mistakes=[
        edit(ERROR, "(chosen.var() / len(chosen)).sqrt()",
             says="The error is that of the group alone. The mean over the balanced rows has an "
                  "error too."),
        edit(ERROR, "(chosen.var() + zero.var()).sqrt()",
             says="The variances are not divided by the numbers of rows. This is a spread."),
        edit(ERROR, "(chosen.var() / len(chosen)).sqrt() + (zero.var() / len(zero)).sqrt()",
             says="The two errors are added. Independent errors add as squares."),
        edit("(chosen.mean() - zero.mean()).item()", "chosen.mean().item()",
             says="This is the mean of the group. Subtract the mean over the balanced rows."),
        edit("zero = values[balanced]", "zero = values",
             says="The zero is the mean over all rows. Take the balanced ones."),
        edit("zero = values[balanced]", "zero = values[~balanced]",
             says="The zero is the mean over all unbalanced rows. Take the balanced ones."),
    ],
    right=[
        """
        def reactions(values, groups, balanced):
            def mean_and_square(rows):
                found = circuits.Estimate.over_rows(values[rows].double())
                return float(found.mean), float(found.se) ** 2
            zero, zero_square = mean_and_square(balanced)
            found = {}
            for name, rows in groups.items():
                mean, square = mean_and_square(rows)
                found[name] = (mean - zero, (square + zero_square) ** 0.5)
            return found
        """,
    ],
    hints=[
        ("Help, how do I get the error of a difference?", "Add the squared standard errors of both "
         "means, and take the root."),
        ("Help, what is the error of a mean?", "Its square is the variance over the number of "
         "rows."),
        ("Help, almost the code", "`chosen = values[rows]`, `zero = values[balanced]`; the error "
         "is `(chosen.var() / len(chosen) + zero.var() / len(zero)).sqrt()`."),
    ],
)


exercise("d4.1.10", cases=some_tokens,
    mistakes=[
        edit("(closes - opens).sign()", "(opens - closes).sign()",
             says='The sign is reversed. More ")" gives 1.'),
        edit("(closes - opens).sign()", "closes - opens",
             says="This is the excess itself. Return its sign."),
        edit("(closes - opens).sign()", "(closes > opens).long()",
             says='Rows with more "(" and rows with as many both give 0. Give -1 for more "(".'),
        edit("opens = (tokens == parens.OPEN).sum(1)", "opens = (tokens != parens.CLOSE).sum(1)",
             says="Everything but \")\" counts as \"(\" here, also padding."),
    ],
    right=[
        """
        def excess_sign(tokens):
            steps = torch.tensor([0, 0, 0, -1, 1])[tokens].sum(1)
            return (steps > 0).long() - (steps < 0).long()
        """,
    ],
    hints=[
        ("Help, how do I count?", "`(tokens == parens.OPEN).sum(1)` counts one token in each row."),
        ("Help, which sign?", "More \")\" than \"(\" gives 1, as at the end of a string that fails "
         "the left horizon."),
        ("Help, almost the code", "The difference of both counts, and `.sign()`."),
    ],
)

quiz("d4.1.quiz",
    pairs=number(says="d4.1.3: how many did the 1,364 strings leave?"),
    limit=number(says="About 3 / n, in per cent.", within=0.01),
    direction=option("fitted", "weights",
                     says="d4.1.7: along which direction did every answer flip?"),
    right=option("2.0", "2.1", says="d4.1.9: the row with 12.39 in it."),
    excess=option("open", "close",
                  says="Every prefix has at least as many \"(\", and some suffix has too many."),
    hints=[
        ("Help, the pairs", "d4.1.3: if two of the tests are passed, what about the third one?"),
        ("Help, the limit", "d4.1.4: 0 of n means below about 3 / n."),
        ("Help, the rest", "The two tables of d4.1.9 and d4.1.10, and the swap of d4.1.7."),
    ],
)
