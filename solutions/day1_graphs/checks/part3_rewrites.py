"""How the exercises of day 1, part 3 are judged: rewrites."""

import math
from dataclasses import dataclass

import torch

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import (
    EXACT,
    Graph,
    graphs,
    indexed,
    no_longer,
    outcome,
    rewritten,
    terms,
    values,
    weighed,
)
from remix_utils.checks.questions import number, option
from remix_utils.checks.random_graphs import Draw, picks
from remix_utils.errors import counted
from remix_utils.graph.equality import random_inputs
from remix_utils.graph.indexing import is_whole
from remix_utils.graph.ops import add, apply, array, einsum, index, placeholder
from remix_utils.graph.show import line
from remix_utils.graph.walk import children_first

ALL = slice(None)


def compared(seed, *pairs):
    """Pairs of nodes, each with random inputs."""
    return [(a, b, random_inputs([a, b], seed + place)) for place, (a, b) in enumerate(pairs)]


def pushed(answer, graph, what):
    """The outcome of a push; no index may stand on the old operation, or on one in its place."""
    result = no_longer(graph, rewritten(answer, graph), what)
    (passed,), old = graph.node.children, {*children_first(graph.node)}
    for node in children_first(result):
        below = node.children[0] if node.op.kind == "index" else passed
        if below not in old and below.op.kind == passed.op.kind and len(below.children) > 1:
            raise Wrong(f"There is still an index on a new {what}: {line(below)}. "
                        "Pass every entry on to the nodes below it.")
    return outcome(graph, result)


def must_be_an_add(result, what):
    if result.op.kind != "add":
        raise Wrong(f"The result is an {result.op.kind}, expected an add: {what}.",
                    fix="return add(*terms, weights=...).")


# --- comparing ------------------------------------------------------------------------------------


def two_graphs(seed):
    """Pairs that differ below, above, in one entry, in shape, by rows, with one name; and equal."""
    draw = Draw(seed)
    x, y, fixed = draw.x(3), draw.x(2, 3), draw.array(3)
    half, spot = torch.full((3,), 0.5).double(), torch.tensor([0.0, 0.0, 1.75]).double()
    one, last = array(torch.ones(1).double()), torch.zeros(3, 3).double()
    last[2, 2] = 2.5
    pairs = compared(
        seed,
        (x, add(x, array(half), name="higher")),
        (add(x, array(half), name="higher"), x),
        (y, add(y, array(spot), weights=[1, -2], name="at one place")),
        (add(x, y, name="sum"), add(y, x, weights=[1, 1], name="sum in another order")),
        (x, einsum("i, j -> j i", x, one, name="one axis more")),
        (x, draw.x(1)),
        (draw.x(2, 1), draw.x(2, 3)),
        (draw.x(1, 3), draw.x(3, 1)),
        (fixed, add(fixed, x, weights=[1, 0], name="fixed, read with x")),
        (add(x, name="one name"), add(x, weights=[3], name="one name")),
        *((draw.x(2, 3), draw.x(2, 3)) for _ in range(3)),
    )
    return [*pairs, (x, add(x, weights=[2], name="apart in the last row"), {x.name: last})]


LARGEST = "(left - right).abs().max().item()"
SIGNED = "Negative differences are ignored. Take absolute values before you take the largest."
PARTLY = "Only some of the values are compared. Compare all of them."
BY_VALUE = (
    "The value of a node that reads no input has no batch axis. Compare the shapes of the nodes, "
    "and not those of their values."
)

exercise("d1.3.1", cases=two_graphs, tolerance=EXACT,
    mistakes=[
        edit(LARGEST, "(left - right).max().item()", says=SIGNED),
        edit(LARGEST, "(right - left).max().item()", says=SIGNED),
        edit(".max()", ".mean()",
             says="This is the mean of the differences, so one wrong entry in a thousand would "
                  "pass. Take the largest difference."),
        edit(".max()", ".sum()",
             says="This is the sum of the differences, which grows with the number of entries. "
                  "Take the largest difference."),
        edit("    if before.shape != after.shape:\n        return math.inf\n", "",
             says="You subtract nodes of different shapes, and they broadcast without an error. "
                  "Return math.inf if before.shape and after.shape differ."),
        edit("before.shape != after.shape", "len(before.shape) != len(after.shape)",
             says="You compare only the number of axes, and [3] broadcasts with [1]. Compare "
                  "whole shapes."),
        edit("    if before.shape != after.shape:\n        return math.inf\n    left, right = "
             "evaluate([before, after], inputs)",
             "    left, right = evaluate([before, after], inputs)\n    if left.shape != "
             "right.shape:\n        return math.inf", says=BY_VALUE),
        edit("(left - right)", "(left - right).flatten()[: left.numel() // 2]", says=PARTLY),
        edit("(left - right)", "(left - right)[0]", says=PARTLY),
    ],
    right=[
        """
        def apart(before, after, inputs):
            if tuple(before.shape) != tuple(after.shape):
                return float("inf")
            values = [evaluate(node, inputs, batch_size=1).double() for node in (before, after)]
            return float((values[0] - values[1]).abs().amax())
        """,
    ],
    hints=[
        ("Help, my distance is too small or negative", "It doesn't matter which of the two is "
         "larger. Take the absolute value of each difference, and then the largest of them."),
        ("Help, how do I evaluate two nodes?", "`evaluate([before, after], inputs)` returns a "
         "list of two tensors, and computes the nodes that they share only once. Compare the "
         "shapes of the nodes before that."),
        ("Help, almost the code", "If the shapes differ, return `math.inf`. Otherwise `left, "
         "right = evaluate([before, after], inputs)`, and then `(left - right).abs()`, `.max()`, "
         "`.item()`."),
    ],
)

# --- einsums over sums ----------------------------------------------------------------------------


def namesakes(draw, *shape):
    """A sum called sum, of two terms called t, one of which comes twice with other weights."""
    one, two = array(draw.tensor(*shape), "t"), apply("tanh", draw.x(*shape), name="t")
    return add(one, two, one, weights=[2, -1.5, 3], name="sum")


def einsums_over_sums(seed):
    """Einsums that read a sum: anywhere, twice, and beside other sums, one of its name."""
    draw = Draw(seed)
    matrix, square = draw.total([(4, 3)] * 3), draw.total([(3, 3)] * 2)
    plain, single = draw.total([(5, 4)] * 2, weights=False), draw.total([(4,)])
    several, four = [draw.total([(4,)] * n) for n in (3, 2, 2)], draw.total([(4,)] * 4, False)
    every = [
        einsum("i j, j k -> i k", matrix, draw.array(3, 2), name="first"),
        einsum("i j, j k -> i k", draw.array(3, 3), square, name="last"),
        einsum("s d, e d, e -> s e", draw.curve(2, 3), matrix, draw.x(4), name="in the middle"),
        einsum("s d -> d s", plain, name="alone"),
        einsum("d, d ->", single, draw.x(4), name="a sum of one"),
        einsum("i j, k j -> i k", matrix, draw.total([(2, 3)] * 2), name="two sums"),
        einsum("i j, i j -> i", matrix, matrix, name="squares"),
        einsum("i, i, i -> i", draw.x(4), single, four, name="three factors"),
        einsum("i, i, i -> i", *several, name="three sums"),
        einsum("i j, k j -> i k", namesakes(draw, 4, 3), namesakes(draw, 2, 3), name="namesakes"),
    ]
    return [(graph,) for graph in graphs(seed, *every)]


def distributed(answer, graph, flat=False):
    result = rewritten(answer, graph)
    must_be_an_add(result, "the sum of one einsum for each term")
    if flat and any(child.op.kind == "add" for child in result.children):
        raise Wrong("The result is an add of adds, expected one add of all products.")
    found = weighed(graph, terms(result))
    sorted_terms = {"the terms, sorted": sorted(found, key=told_apart)}
    return {**outcome(graph, result), "the number of terms": len(found), **sorted_terms}


def told_apart(value):
    """A number for a term; the terms of a sum may stand in any order."""
    return float(value.flatten() @ torch.arange(value.numel()).to(value.dtype).cos())


TERM = "einsum(node.op.pattern, *before, term, *after, name=f\"{node.name}.{term.name}\")"

exercise("d1.3.2", cases=einsums_over_sums, use=distributed, tolerance=EXACT,
    mistakes=[
        edit(", weights=total.op.weights", "",
             says="The weights of the sum are lost. Pass weights=total.op.weights to the new add."),
        edits(("*before, term, *after", "*before, add(term, weights=[weight]), *after"),
              ("for term in total.children", "for term, weight in zip(total.children, "
               "total.op.weights)"),
              says="The weights are applied twice, in each term and again in the add. Apply them "
                   "once."),
        edit("*before, term, *after", "term, *before, *after",
             says="You always put the term first. Put it where the sum was, because the pattern "
                  "matches factors by position."),
        edit("*before, term, *after", "*before, *after, term",
             says="You always put the term last. Put it where the sum was, because the pattern "
                  "matches factors by position."),
        edit("*before, term, *after",
             "*(term if child is total else child for child in node.children)",
             says="If a sum is read twice, you replace it in both places. But a² + b² isn't "
                  "(a + b)². Replace the child at one position."),
        edit('next(i for i, child in enumerate(node.children) if child.op.kind == "add")',
             'max(i for i, child in enumerate(node.children) if child.op.kind == "add")',
             says="If there are several sums, you distribute the last one. Distribute the first."),
        edit("return add(*terms,",
             "return add(*(distribute(term) if any(c.op.kind == 'add' for c in term.children) else "
             "term for term in terms),",
             says="You distribute every sum. Distribute only the first one. The next exercise is "
                  "about all of them."),
        edit(TERM,
             "einsum(node.op.pattern.split('->')[0].split(',')[slot] + ' -> ' + "
             "node.op.pattern.split('->')[1], term)",
             says="The other factors are missing. Each term is still multiplied by all of them."),
        edit("return add(*terms, weights=total.op.weights, name=node.name)", "return terms[0]",
             says="The result is an einsum, expected an add"),
    ],
    right=[
        """
        def distribute(node):
            for slot, total in enumerate(node.children):
                if total.op.kind == "add":
                    break
            made = []
            for term, weight in zip(total.children, total.op.weights):
                children = list(node.children)
                children[slot] = term
                made.append(add(Node(node.op, children), weights=[weight]))
            return add(*made)
        """,
    ],
    hints=[
        ("Help, which child is the sum?", "Go through `node.children` with their positions, and "
         'stop at the first one whose `op.kind` is "add". Remember its position, because the terms '
         "go there."),
        ("Help, what is a term of the result?", "It's the same einsum, with the same pattern and "
         "the same other children, and with the term at the position of the sum. There's one for "
         "each of `total.children`."),
        ("Help, almost the code", "Let `before, after = node.children[:slot], "
         "node.children[slot + 1 :]`. The terms are `einsum(node.op.pattern, *before, term, "
         "*after)`, and their weights are `total.op.weights`."),
    ],
)

PRODUCT = "math.prod(weight for _, weight in choice)"

exercise("d1.3.3", cases=einsums_over_sums, tolerance=EXACT,
    use=lambda answer, graph: distributed(answer, graph, flat=True),
    mistakes=[
        edits(("sums.append([(child, 1.0)])", "sums.append([(child, 1.0)] * 9)"),
              ("itertools.product(*sums)", "zip(*sums)"),
              says="You pair the terms up one by one. But (a + b)(c + d) has four products, and "
                   "you get two. itertools.product gives every choice."),
        instead("def multiply_out(node):\n    return distribute(node)",
                says="Only one of the sums is multiplied out. Multiply out every factor that is a "
                     "sum."),
        edit(PRODUCT, "1.0",
             says="The weights are lost. The weight of a product is the product of the weights."),
        edit(PRODUCT, "sum(weight for _, weight in choice)",
             says="You add the weights of a product. But (2 a)(3 b) is 6 a b, so multiply them."),
        edit(PRODUCT, "choice[0][1]",
             says="Each product has only the weight of its first factor. Multiply all weights."),
        instead("""
                def multiply_out(node):
                    once = distribute(node)
                    parts = [distribute(c) if any(k.op.kind == "add" for k in c.children) else c
                             for c in once.children]
                    return add(*parts, weights=once.op.weights)
                """,
                says="The result is an add of adds"),
    ],
    right=[
        """
        def multiply_out(node):
            made = [((), 1.0)]
            for child in node.children:
                own = [(child, 1.0)]
                if child.op.kind == "add":
                    own = list(zip(child.children, child.op.weights))
                made = [((*factors, term), w * v) for factors, w in made for term, v in own]
            products = [Node(node.op, factors) for factors, _ in made]
            return add(*products, weights=[w for _, w in made])
        """,
    ],
    hints=[
        ("Help, I get two products and not four", "If you pair the terms up one by one, you get "
         "ac and bd. But every term of one sum meets every term of the other."),
        ("Help, which lists go into the product?", "Make one list of pairs (term, weight) for each "
         "child. For a child that isn't an add, the list holds one pair, the child with weight 1. "
         "`itertools.product(*lists)` gives every choice."),
        ("Help, almost the code", "Each choice gives the term `einsum(node.op.pattern, *(term for "
         "term, _ in choice))` with the weight `math.prod(weight for _, weight in choice)`. Put "
         "all of them into one `add`."),
    ],
)

# --- a node in parts ------------------------------------------------------------------------------


def estimates(seed):
    """Nodes and estimates: alike, fixed, to broadcast, and the node's own child."""
    draw = Draw(seed)
    alike, stream = draw.node(3), draw.curve(4, 3)
    block = add(stream, draw.curve(4, 3), weights=[2, -1], name="block")
    pairs = [(alike, draw.node(3)), (draw.curve(4, 3), draw.array(3)), (stream, draw.x(4, 1))]
    pairs += [(block, stream), (draw.x(2), draw.product(2)), (index(stream, 0), draw.array(3))]
    pairs += [(add(stream, name="one name"), add(block, weights=[2], name="one name"))]
    return [
        (Graph(node, random_inputs([node, estimate], seed + place)), estimate)
        for place, (node, estimate) in enumerate(pairs)
    ]


def estimate_use(answer, graph, estimate):
    result = rewritten(answer, graph, estimate)
    if result.op.kind != "add" or len(result.children) != 2:
        parts = len(result.children) if result.op.kind == "add" else 1
        raise Wrong(
            f"The result has {counted(parts, 'part')}, expected two, the estimate and a node of "
            "its own for the rest.",
            fix="first build the rest, add(node, estimate, weights=[1, -1]).",
        )
    return {**outcome(graph, result), "estimate and rest": values(graph, *result.children)}


REST = 'rest = add(node, estimate, weights=[1, -1], name=f"{node.name}.rest")'
WHOLE = "return add(estimate, rest, name=node.name)"

exercise("d1.3.4", cases=estimates, use=estimate_use, tolerance=EXACT,
    mistakes=[
        edit(REST, "rest = node",
             says="This is e + x. The rest is the part that the estimate misses, x - e."),
        edit("weights=[1, -1]", "weights=[-1, 1]",
             says="The rest has the wrong sign. You get e + (e - x), which isn't x."),
        edit(WHOLE, "return add(estimate, rest, weights=[-1, 1])",
             says="The estimate is subtracted twice. Add it with weight 1, as in x = e + (x - e)."),
        edit(", weights=[1, -1]", "",
             says="Both signs are plus. Give the inner add weights=[1, -1]."),
        edit("add(estimate, rest,", "add(rest, estimate,",
             says="Estimate and rest are swapped. The estimate is the first child."),
        edits(("weights=[1, -1]", "weights=[-1, 1]"),
              (WHOLE, "return add(estimate, rest, weights=[1, -1])"),
              says="The value is right, but the node of the rest is e - x and the outer add "
                   "subtracts it. Make the rest x - e, and add it with weight 1."),
        edit(WHOLE, "return add(estimate, node, estimate, weights=[1, 1, -1])",
             says="The result has 3 parts"),
    ],
    right=[
        """
        def residual(node, estimate):
            missed = add(estimate, node, weights=[-1.0, 1.0])
            return add(estimate, missed)
        """,
    ],
    hints=[
        ("Help, how do I subtract?", "`add(a, b, weights=[1, -1])` is a - b."),
        ("Help, why two adds?", "The inner add makes the rest a node. The outer add has two "
         "children, the estimate and the rest."),
        ("Help, almost the code", "First `rest = add(node, estimate, weights=...)`. Then return "
         "an add of `estimate` and `rest`, without weights."),
    ],
)

# --- functions ------------------------------------------------------------------------------------


def indexed_functions(seed):
    draw = Draw(seed)
    relu, tanh = (apply(function, draw.node(4, 3), name=function) for function in ("relu", "tanh"))
    pattern = apply("softmax", draw.node(4, 5), name="pattern")
    heads = apply("log_softmax", draw.node(2, 3, 4), name="log pattern")
    flat = apply("softmax", draw.x(5), name="probabilities")
    return indexed(
        seed,
        (relu, (draw.whole(4),)),
        (relu, (slice(1, 3), 2)),
        (tanh, (picks(3, 3), slice(None, None, -1))),
        (pattern, (draw.whole(4),)),
        (pattern, (slice(1, 3),)),
        (pattern, (ALL, 3)),
        (pattern, (1, slice(0, 3))),
        (pattern, (ALL, slice(0, 5, 2))),
        (pattern, (ALL, picks(0, 0, 4))),
        (pattern, (ALL, picks(0, 0, 1, 2, 3))),
        (heads, (1, slice(0, 2))),
        (heads, (0, 1, 2)),
        (flat, (2,)),
        (flat, (slice(1, 5),)),
        (flat, (picks(0, 0, 1, 2, 3),)),
    )


UNNAMED = "The ValueError doesn't name the node."


def function_use(answer, graph):
    try:
        result = rewritten(answer, graph)
    except ValueError as refusal:
        named = any(node.name in str(refusal) for node in (graph.node, graph.node.children[0]))
        if not named and not isinstance(refusal, Wrong) and refuses_rightly(answer):
            raise Wrong(f"{UNNAMED} Write its name into the message.") from refusal
        raise
    return outcome(graph, no_longer(graph, result, "function"))


def refuses_rightly(answer):
    """Whether the name is all that a refusal lacks; any other mistake is told first."""
    cases = [graph.node for (graph,) in indexed_functions(0)]
    return all(refuses(answer, node) == mixed(node) for node in cases)


def refuses(answer, node):
    try:
        answer(node)
    except ValueError:
        return True
    return False


def mixed(node):
    """Whether the index picks from the axis that a softmax mixes."""
    (child,) = node.children
    return "softmax" in child.op.function and not is_whole(node.op.entries[-1:], child.shape[-1:])


REFUSED = "if entry != slice(0, size, 1):"

exercise("d1.3.9", cases=indexed_functions, use=function_use, raises=ValueError, tolerance=EXACT,
    mistakes=[
        edit(REFUSED, "if False:",
             says="Nothing is refused. softmax divides by the sum over its whole last axis, and a "
                  "sum over some of the entries is different. Raise ValueError."),
        edit("WHOLE[child.op.function]", 'int(child.op.function == "softmax")',
             says="log_softmax isn't refused, but it mixes its last axis too. Use WHOLE."),
        edit(REFUSED, "if True:",
             says="Every index on softmax is refused. Softmax mixes only its last axis, and an "
                  "index on the other axes may pass."),
        edit(REFUSED, "if isinstance(entry, int):",
             says="Only an integer on softmax's axis is refused. Refuse a part of the axis too."),
        edit(REFUSED, "if not isinstance(entry, slice):",
             says="Every slice on softmax's axis passes, even a part of the axis. Only slice(0, "
                  "size, 1) is the whole axis."),
        edit(REFUSED,
             "if isinstance(entry, int) or (len(entry) if torch.is_tensor(entry) else "
             "len(range(size)[entry])) != size:",
             says="You let any index of the right length pass, but it may repeat entries. Only "
                  "slice(0, size, 1) is the whole axis."),
        edit("WHOLE[child.op.function]", "1",
             says="Every index on a last axis is refused, even for an elementwise function, which "
                  "mixes nothing."),
        edit("[first_mixed:]", "[: len(child.shape) - first_mixed]",
             says="You check the first axis. Softmax mixes the last one."),
        edit('f"{child.name} needs all {size} entries, {node.name} takes {entry}"', '"no"',
             says=UNNAMED),
        edit("raise ValueError(", "raise IndexError(", says="this had to raise ValueError"),
    ],
    right=[
        """
        def push_apply(node):
            child = node.children[0]
            mixed = WHOLE[child.op.function]
            if mixed and node.op.at[-mixed:] != tuple(slice(0, n, 1) for n in child.shape[-mixed:]):
                raise ValueError("an index cannot pass " + child.name)
            return apply(child.op.function, *[index(each, node.op.at) for each in child.children])
        """,
    ],
    hints=[
        ("Help, which axes are mixed?", "The last `WHOLE[function]` axes are mixed. That's none "
         "for relu, and one for softmax. An index may pass on all other axes."),
        ("Help, how is a whole axis written?", "`node.op.at` has `slice(0, size, 1)` there, with "
         "the size of that axis. Refuse any other entry on a mixed axis."),
        ("Help, almost the code", "Compare the last `WHOLE[...]` entries of `node.op.at` with "
         "those slices, and `raise ValueError(...)` if one differs. Otherwise "
         "return `apply(child.op.function, index(child.children[0], node.op.at))`. Note that "
         "`[-0:]` is the whole list."),
    ],
)

# --- rounding -------------------------------------------------------------------------------------


def numbers(seed):
    """Large and small, negative, on a power of two and just off it, in two precisions."""
    draw = Draw(seed)
    fixed = [1.0, 0.1, 1.25, 256.0, 1000.0, -3.0, -256.0, 1e-4, 0.5]
    drawn = [float(10 ** (2 * draw.tensor())) for _ in range(4)]
    return [(value, dtype) for value in fixed + drawn for dtype in (torch.float32, torch.float64)]


def step_use(answer, value, dtype):
    """Steps are too small to be compared as they are, so their logarithms are."""
    step = float(answer(value, dtype))
    if not 0 < step < math.inf:
        raise Wrong(f"The step at {value} is {step}, expected a number above 0.")
    return {"the step as a power of two": math.log2(step)}


OF_VALUE = (
    "eps times the value is right at powers of two only. Between one power and the next the step "
    "doesn't change."
)
POWER = "2.0 ** math.floor(math.log2(abs(value)))"

exercise("d1.3.13", cases=numbers, use=step_use, tolerance=1e-6,
    mistakes=[
        edit(f" * {POWER}", "",
             says="eps is the step at 1. Between 256 and 512 the step is 256 times as large."),
        edit(POWER, "abs(value)", says=OF_VALUE),
        edit(POWER, "value", says=OF_VALUE),
        edit("math.floor", "math.ceil",
             says="This is the step above the next power of two. Round log2(|value|) down."),
        edit("math.floor", "round",
             says="You round the power to the nearest whole number. Round it down."),
        edit("torch.finfo(dtype)", "torch.finfo(torch.float32)",
             says="The dtype is ignored. A step of float64 is 2 ** 29 times smaller."),
        edit(" * 2.0", " + 2.0", says="You add eps. Multiply by it."),
        edit("abs(value)", "value",
             says="A negative value has no logarithm. Take its absolute value first."),
    ],
    right=[
        """
        def step_at(value, dtype):
            here = torch.tensor(abs(value), dtype=dtype)
            return torch.nextafter(here, torch.tensor(math.inf, dtype=dtype)) - here
        """,
    ],
    hints=[
        ("Help, eps is new to me", "It's the step from 1 to the next number, and the step "
         "everywhere between 1 and 2."),
        ("Help, how large is the step elsewhere?", "Between two powers of two the step is "
         "constant, and it doubles with each power. So it's eps, times the largest power of two "
         "that isn't above |value|."),
        ("Help, almost the code", "`math.floor(math.log2(abs(value)))` is the power. "
         "`torch.finfo(dtype).eps` is the step at 1."),
    ],
)


def float_pairs(seed):
    """float32 graphs: rounding that looks like a bug, and bugs that look like rounding."""
    draw = Draw(seed)
    many = placeholder(draw.name("x"), (4096,))
    row = array(draw.tensor(4096, 3).float(), "row")
    whole = einsum("i, i k -> k", many, row, name="whole")
    first, second = (
        einsum("i, i k -> k", index(many, part), index(row, part))
        for part in (slice(0, 1999), slice(1999, 4096))
    )
    x = placeholder(draw.name("x"), (1000,))
    relu = apply("relu", x, name="relu of x")
    tiny = placeholder(draw.name("x"), (6,))
    positive = {tiny.name: torch.rand(5, 6, generator=draw.numbers) + 0.1}
    pairs = compared(
        seed,
        products(draw, 1.0, 0.0),
        products(draw, 1e10, 0.0),
        products(draw, 1e-3, 0.0),
        products(draw, 1.0, 2e-5),
        products(draw, 1e4, 2e-5),
        products(draw, 1e-3, 0.05),
        products(draw, 1.0, 0.5),
        around(draw, 1e6),
        around(draw, 10.0),
        around(draw, 1e3, first=1e5),
        around(draw, 1e6, fault=2e-5),
        around(draw, 1e6)[::-1],
        (whole, add(first, second, name="in two halves")),
        (add(tiny, weights=[1e-9], name="small"), add(tiny, weights=[1.5e-9], name="half more")),
        (add(x, weights=[1e-9], name="small"), add(x, weights=[1e-9], name="as small")),
        below_zero(products(draw, 1.0, 0.0)),
        (relu, add(relu, array(torch.full((1000,), 1e-3)), name="above")),
        (x, einsum("i, j -> j i", x, array(torch.ones(1)), name="one axis more")),
    )
    spots = [one_off(draw, *each) for each in ((1000, 1e-5), (20_000, 1e-4), (18, 0.5))]
    return [*pairs, *spots, (apply("relu", tiny), add(tiny, name="x above 0"), positive)]


def one_off(draw, size, fault):
    """x of size 4, and x with one wrong entry, which is 0 in the first row and then 1 and -1."""
    x, factor = placeholder(draw.name("x"), (size,)), torch.ones(size)
    values = draw.tensor(3, size).float().clamp(-4, 4)
    values[0, 0] = 4
    factor[17], values[:, 17] = 1 + fault, torch.tensor([0.0, 1.0, -1.0])
    return x, einsum("i, i -> i", x, array(factor), name=x.name), {x.name: values}


def products(draw, scale, fault):
    """(x + y) w and x w + y w, where the second sum's last weight is off by `fault`."""
    x, y = (placeholder(draw.name("x"), (8,)) for _ in range(2))
    w = array((scale * draw.tensor(8, 5)).float(), "w")
    large, small = (array((scale**0.5 * draw.tensor(8)).float(), key) for key in ("a", "b"))
    parts = [einsum("i, i -> i", x, large, name="xa"), einsum("i, i -> i", y, small, name="yb")]
    before = einsum("i, i k -> k", add(*parts), w, name="before")
    after = [einsum("i, i k -> k", part, w) for part in parts]
    return before, add(*after, weights=[1, 1 + fault], name="after")


def below_zero(pair):
    """Both with their negative numbers made 0, and their positive ones negative."""
    return [add(apply("relu", node), weights=[-1], name=node.name) for node in pair]


def around(draw, far, first=1.0, fault=0.0):
    """x w and e + (x w - e), e far away, but 0 in the exact first entry, which has w = `first`.

    The second entry is small beside the others, and `fault` is the share of x w that is too much.
    """
    x, scale = placeholder(draw.name("x"), (6,)), 1 + draw.tensor(6) / 9
    e = (far * (1 + draw.tensor(6).abs())).float()
    scale[0], scale[1], e[0] = first, 1e-6, 0
    e, before = array(e, "e"), einsum("i, i -> i", x, array(scale.float()), name="x w")
    rest = add(before, e, weights=[1, -1], name="rest")
    return before, add(e, rest, before, weights=[1, 1, fault], name="after")


VERDICT = "return apart(left, right, doubled) > 1e-8 * size"
IN_DOUBLE = "left, right = in_double(before), in_double(after)"
SINGLE_PRECISION = (IN_DOUBLE, "left, right, doubled = before, after, inputs")

ABSOLUTE = (
    "This is in float64, but the limit is absolute. A bug in small numbers makes a small "
    "difference, so divide by the size of the values."
)
TOO_STRICT = (
    "The limit is below the rounding of float64, so a right rewrite of a long sum is called a bug. "
    "Use a larger limit."
)

exercise("d1.3.14", cases=float_pairs,
    use=lambda answer, before, after, inputs: bool(answer(before, after, inputs)),
    mistakes=[
        edits(SINGLE_PRECISION, (VERDICT, "return apart(left, right, doubled) > 1e-5"),
              says="This is an absolute limit of 1e-5 in float32. With large numbers it calls a "
                   "right rewrite a bug, and with small numbers it lets a bug pass. Compute both "
                   "sides in float64, and divide by the size of the values."),
        edits(SINGLE_PRECISION, ("1e-8 * size", "1e-5 * size"),
              says="This is relative to the size of the values, but still in float32. The large "
                   "rounding of e + (x - e) is called a bug, and a small bug hides in the "
                   "rounding. Compute both sides in float64."),
        edit("1e-8", "1e-5",
             says="This is in float64, but still with 1e-5. Rounding in float64 is half a billion "
                  "times smaller, so use a much smaller limit."),
        edit(" * size", "", says=ABSOLUTE),
        edit("1e-8 * size", "1e-10", says=ABSOLUTE),
        edit("1e-8 * size", "1e-5", says=ABSOLUTE),
        edit("1e-8 * size", "1e-8 * max(1.0, size)",
             says="The limit never falls below 1e-8, but values may be smaller than that. Divide "
                  "by the size of the values."),
        edit(VERDICT, f"return not ({VERDICT[7:]})",
             says="The result is reversed. True means a bug."),
        edit("1e-8 * size", "0",
             says="Any difference at all is called a bug, but float64 rounds too."),
        edit("1e-8 * size", "1e-15 * size", says=TOO_STRICT),
        edit("1e-8 * size", "step_at(size, torch.float64)", says=TOO_STRICT),
        edit("apart(left, right, doubled)",
             "(evaluate(left, doubled) - evaluate(right, doubled)).abs().mean()",
             says="The mean of the differences hides a single wrong entry and different shapes. "
                  "Use apart."),
        edit("apart(left, right, doubled)",
             "(evaluate(left, doubled) - evaluate(right, doubled)).max()",
             says="Negative differences are ignored. Use apart, which takes absolute values."),
        edit(VERDICT,
             "if before.shape != after.shape:\n        return True\n    one, other = "
             "evaluate([left, right], doubled)\n    return bool(((one - other).abs() > 1e-8 * "
             "one.abs()).any())",
             says="You compare each entry with its own size, and rounding is large compared with "
                  "an entry near 0. Compare with the largest entry."),
        edit("    doubled = {",
             "    if before.shape != after.shape:\n        return False\n    doubled = {",
             says="You return False for graphs of different shapes. That's a bug too."),
        edit("doubled = {name: value.double() for name, value in inputs.items()}",
             "doubled = {name: torch.randn_like(value.double()) for name, value in inputs.items()}",
             says="You compare the graphs on other inputs. Use the inputs that you're given."),
    ],
    right=[
        """
        def is_bug(before, after, inputs):
            if before.shape != after.shape:
                return True
            doubled = {name: value.double() for name, value in inputs.items()}
            one, other = evaluate([in_double(before), in_double(after)], doubled)
            return bool((one - other).abs().max() / one.abs().max() > 3e-9)
        """,
    ],
    hints=[
        ("Help, no limit works", "In float32 none does. Compute both sides in float64, where "
         "rounding is far smaller than the bugs in the check."),
        ("Help, it misses bugs in small numbers", "Divide by the size of the values, or multiply "
         "the limit by it. In numbers of about 10⁻⁴, a bug of one per cent is 10⁻⁶."),
        ("Help, almost the code", "Let `doubled` be the inputs with `.double()`, `left, right` the "
         "two graphs with `in_double`, and `size` the largest absolute value of `left`. Return "
         "`apart(left, right, doubled) > limit * size`. Choose a limit above rounding (10⁻⁹ is "
         "safe) and below the smallest bug (2 × 10⁻⁶)."),
    ],
)


# --- sums over an axis, projections ---------------------------------------------------------------


def sums_over_axes(seed):
    """Einsums that sum over an axis: of one factor, of several, not of the first, twice of one."""
    draw = Draw(seed)
    out = einsum("s head d, head d e -> s e", draw.curve(3, 4, 2), draw.array(4, 2, 5), name="out")
    logits = einsum("digit hidden, hidden -> digit", draw.array(4, 3), draw.curve(3), name="logits")
    factors = draw.x(3, 3), draw.array(3, 3), draw.x(3)
    mixed = einsum("head k, head k, head -> k", *factors, name="three factors")
    late = einsum("i, j, j -> i", draw.x(2), draw.x(3), draw.array(3), name="not in the first")
    nested = einsum("h he, he e -> e", draw.x(3, 4), draw.array(4, 4), name="words in words")
    pairs = [(out, "head"), (out, "d"), (logits, "hidden"), (mixed, "head"), (late, "j")]
    pairs += [(nested, "he"), (nested, "h")]
    pairs += [(einsum("i, i ->", draw.x(3), draw.node(3), name="dot"), "i")]
    pairs += [(einsum("i j -> j", draw.x(3, 2), name="column sums"), "i")]
    square = draw.curve(3, 3)
    pairs += [(einsum("i k, k i -> k", square, square, name="one node twice"), "i")]
    pairs += [(einsum("i i k -> k", draw.array(3, 3, 2), name="diagonal sum"), "i")]
    cases = graphs(seed, *(node for node, _ in pairs))
    return [(graph, axis) for graph, (_, axis) in zip(cases, pairs, strict=True)]


def summed_use(answer, graph, axis):
    result = rewritten(answer, graph, axis)
    must_be_an_add(result, f"one term for each entry of {axis!r}")
    parts = weighed(graph, terms(result))
    return {"the number of terms": len(parts), "the terms": parts, **outcome(graph, result)}


FACTOR = 'factors.append(index(child, entries, name=f"{child.name}.{i}"))'
KEPT = 'kept = [" ".join(word for word in side if word != axis) for side in sides]'
FIRST = "first = next(k for k, words in enumerate(sides) if axis in words)"
LOOP_ROWS = "for i in range(sizes[axis]):"

exercise("d1.3.11", cases=sums_over_axes, use=summed_use, tolerance=EXACT,
    sizes="The check splits axes of lengths 2 to 4, so read the length from the factors.",
    mistakes=[
        edits((KEPT, f"{FIRST}\n    kept = [' '.join(w for w in side if w != axis or k != first) "
               "for k, side in enumerate(sides)]"),
              (FACTOR, "factors.append(index(child, entries) if len(factors) == first else child)"),
              says="You index only one factor, and the others are still summed over the whole "
                   "axis. Term i needs entry i of every factor that has the axis."),
        edit(LOOP_ROWS, "for i in range(sizes[axis] - 1):",
             says="The last entry is missing. There's one term for each entry of the axis."),
        edit(LOOP_ROWS, "for i in range(-1, sizes[axis]):",
             says="One entry is summed twice, because index -1 is the last entry again."),
        edit(LOOP_ROWS, "for i in reversed(range(sizes[axis])):",
             says="The terms aren't in the order of the entries."),
        edits((FACTOR, "factors.append(child)"),
              ("einsum(pattern, *factors", "einsum(node.op.pattern, *factors"),
              says="Every term is the whole sum. Index the factors."),
        edits((FACTOR, "factors.append(child)"),
              ("einsum(pattern, *factors", "einsum(node.op.pattern, *factors"),
              ("add(*terms, ", "add(*terms, weights=[1 / len(terms)] * len(terms), "),
              says="These are equal shares of the sum. Term i is the contribution of entry i."),
        edit("sizes[axis]):", "16):",
             says="There are more terms than the axis has entries. Only in the digits networks is "
                  "it 16, so read the length from the factors."),
        edit("sizes[axis]):", "node.children[0].shape[sides[0].index(axis)]):",
             says="You look up the length of the axis in the first factor, which may not have the "
                  "axis. Look in every factor."),
        edit('", ".join(kept) + " ->" + right', 'node.op.pattern.replace(axis, "")',
             says="You remove the word as a substring, and another word may contain it. Split the "
                  "pattern into words."),
    ],
    right=[
        """
        def split_sum(node, axis):
            inputs, output = node.op.pattern.split("->")
            words = [text.split() for text in inputs.split(",")]
            length = [c.shape[w.index(axis)] for c, w in zip(node.children, words) if axis in w][0]
            parts = []
            for i in range(length):
                picked = torch.zeros(length, dtype=node.dtype)
                picked[i] = 1
                pattern = inputs + ", " + axis + " -> " + output
                parts.append(einsum(pattern, *node.children, array(picked)))
            return add(*parts)
        """,
    ],
    hints=[
        ("Help, my terms are too large", "If you index only one factor, the others are still "
         "summed over the whole axis. Term i reads entry i of every factor that has the axis."),
        ("Help, how many terms are there?", "There's one for each entry of the axis. Find a factor "
         "with the word of the axis, and look up the length at that place in its shape."),
        ("Help, almost the code", "For each i, index every child with `tuple(i if word == axis "
         "else slice(None) for word in side)`, and build an einsum with the pattern without the "
         "word. Then add the terms."),
    ],
)


def directions(seed):
    """Nodes with one to three axes, and directions that are not of length 1."""
    draw = Draw(seed)
    nodes = [draw.x(4), draw.curve(3, 4), draw.node(4, 4), draw.product(2, 3, 4), draw.array(2)]
    return [(graph, 3 * draw.tensor(graph.node.shape[-1])) for graph in graphs(seed, *nodes)]


def projection_use(answer, graph, direction):
    result = rewritten(answer, graph, direction)
    if result.op.kind != "add" or len(result.children) != 2:
        raise Wrong("The result isn't a sum of two nodes, expected add(along, across).")
    along, across = values(graph, *result.children)
    return {**outcome(graph, result), "along": along, "across": across}


UNIT = "(direction / direction.norm())"

exercise("d1.3.12", cases=directions, use=projection_use, tolerance=EXACT,
    mistakes=[
        edit(UNIT, "direction",
             says="The direction isn't normalised. The two parts still add up to x, but they "
                  "aren't orthogonal. Divide the direction by its length first."),
        edit(UNIT, "(direction / direction.norm().sqrt())",
             says="You divide by the length only once, but the direction is used twice, in x·u and "
                  "in (x·u) u. Normalise it first, and use u in both places."),
        edit("weights=[1, -1]", "weights=[1, 1]",
             says="Your across is x + along. It should be x - along."),
        edits(("weights=[1, -1]", "weights=[-1, 1]"),
              ("add(along, across,", "add(along, across, weights=[1, -1],"),
              says="The value is right, but the node of across has the wrong sign and the outer "
                   "add subtracts it. Make across x - along, and add it with weight 1."),
        edit("add(along, across, name=node.name)", "add(across, along)",
             says="Along and across are swapped. Along is the first child."),
        edit('einsum(f"{lead} d, d, to -> {lead} to", node, unit, unit, name=f"{node.name}.along")',
             'einsum(f"d {lead}, d, to -> to {lead}", node, unit, unit)',
             says="You project the first axis. The direction belongs to the last one."),
        edit("array((direction / direction.norm()).to(node.dtype)",
             "array((direction / direction.norm()).float().to(node.dtype)",
             says="You round the direction to float32. Keep the node's dtype."),
        edit("return add(along, across, name=node.name)", "return along",
             says="expected add(along, across)."),
    ],
    right=[
        """
        def project(node, direction):
            u = direction / direction.square().sum().sqrt()
            letters = " ".join("abc"[: len(node.shape) - 1])
            onto = array(torch.outer(u, u).to(node.dtype))
            along = einsum(letters + " i, i j -> " + letters + " j", node, onto)
            return add(along, add(node, along, weights=[1, -1]))
        """,
    ],
    hints=[
        ("Help, the parts add up and are still wrong", "They add up for any `along`, since across "
         "is defined as the rest. Does your direction have length 1?"),
        ("Help, which pattern do I need?", "$(x \\cdot u)\\,u$ is one einsum of the node and, "
         "twice, the unit vector. In its first use, the axis of u is summed with the node's last "
         "axis. In its second use it's the new last axis."),
        ("Help, almost the code", 'For two axes it\'s `einsum("a d, d, to -> a to", node, unit, '
         "unit)`. Write a word for each axis before the last. Then `across = add(node, along, "
         "weights=[1, -1])`, and return the sum of the two."),
    ],
)

# --- sums in pairs --------------------------------------------------------------------------------


def long_sums(seed):
    draw = Draw(seed)
    sums = [draw.total([(3,)] * n, weights=n != 4) for n in (2, 3, 4, 5, 8, 9, 33)]
    return [(graph,) for graph in graphs(seed, *sums, namesakes(draw, 3))]


def levels_use(answer, graph):
    result = rewritten(answer, graph, same=True)
    count, before = len(graph.node.children), {*children_first(graph.node)} - {graph.node}
    adds = [node for node in children_first(result) if node.op.kind == "add" and node not in before]
    widest = max([len(node.children) for node in adds], default=0)
    if widest > 2:
        raise Wrong(f"An add still has {widest} children, expected at most two.")
    found, most = depth(result, before), math.ceil(math.log2(count))
    if found > most:
        raise Wrong(
            f"{count} terms are added in {found} levels, expected {most}. A chain is no better "
            "than one long add. Add neighbours, then the sums of neighbours, until one is left."
        )
    return outcome(graph, result)


def depth(node, before):
    """Levels of adding above the old terms; an add of one child only weighs it."""
    levels = {}
    for each in children_first(node):
        below = max([levels[child] for child in each.children], default=0)
        adds = each.op.kind == "add" and len(each.children) > 1
        levels[each] = 0 if each in before else below + adds
    return levels[node]


exercise("d1.3.15", cases=long_sums, use=levels_use, tolerance=EXACT,
    mistakes=[
        edit("add(child, weights=[weight]) for", "child for",
             says="The weights of the sum are lost. First apply the weight of each term with "
                  "add(term, weights=[w])."),
        edit("add(*pair) if len(pair) == 2 else pair[0] for pair in pairs",
             "add(*pair) for pair in pairs if len(pair) == 2",
             says="If the number of terms is odd, the last one is lost. Move it to the next level "
                  "as it is."),
        edit("    while len(level) > 1:",
             "    while len(level) > 2:\n        level = [add(level[0], level[1]), *level[2:]]\n"
             "    while len(level) > 1:", says="A chain is no better than one long add"),
        edit("    return level[0]", "    return node", says="An add still has"),
    ],
    right=[
        """
        def balanced(node):
            terms, weights = node.children, node.op.weights
            if len(terms) <= 2:
                return node
            half = (len(terms) + 1) // 2
            return add(balanced(add(*terms[:half], weights=weights[:half])),
                       balanced(add(*terms[half:], weights=weights[half:])), name=node.name)
        """,
    ],
    hints=[
        ("Help, where do the weights go?", "Apply them first, with `add(child, "
         "weights=[weight])` for every term. After that all weights are 1."),
        ("Help, how do I halve a list?", "The pairs are `level[0:2]`, `level[2:4]`, and so on. "
         "If the number is odd, the last one has no partner and moves up as it is."),
        ("Help, almost the code", "While the list has more than one node, cut it into pairs, add "
         "each pair, and keep a node without a partner. Return the node that is left."),
    ],
)

# --- indices --------------------------------------------------------------------------------------


def shapes_and_indices(seed):
    """Every kind of entry, alone and together, and axes that are left out."""
    draw = Draw(seed)
    size, low = 7 + draw.whole(3), 1 + draw.whole(3)
    return [
        ((size, 1, 4), (2,)),
        ((size,), (slice(low, low + 4, 2),)),
        ((size, 5), (slice(low, None), -1)),
        ((size,), (slice(None, None, -1),)),
        ((size,), (slice(5, 1, -2),)),
        ((size,), (slice(0, 5, 2),)),
        ((size,), (slice(-3, -1),)),
        ((4, size), (0, picks(0, 0, 5, 1))),
        ((4, size, 2), (picks(3), slice(None, -low), picks(1, 0, 1))),
        ((2, 3), (1, -1)),
        ((5,), (slice(2, 2),)),
        ((5,), (slice(4, 2),)),
        ((2, 3, size), ()),
    ]


LENGTH = "lengths.append(len(range(*entry.indices(size))))"

exercise("d1.3.5", cases=shapes_and_indices,
    mistakes=[
        edit("elif not isinstance(entry, int):",
             "elif isinstance(entry, int):\n            lengths.append(1)\n        else:",
             says="Your integer leaves an axis of length 1, like the slice i:i+1. An integer "
                  "removes its axis."),
        edit("return (*lengths, *shape[len(entries) :])", "return tuple(lengths)",
             says="Axes without an entry are missing from your shape. They're taken whole."),
        edit(LENGTH,
             "lengths.append((size if entry.stop is None else entry.stop) - (entry.start or 0))",
             says="You use stop - start. That's the length of a slice only if both are given and "
                  "not negative, and if the step is 1. slice.indices(size) handles all cases."),
        edit(LENGTH, "lengths.append(abs(entry.indices(size)[1] - entry.indices(size)[0]))",
             says="The step of a slice is ignored. 1:5:2 takes two entries."),
        edit(LENGTH,
             "lengths.append((entry.indices(size)[1] - entry.indices(size)[0]) // "
             "entry.indices(size)[2])",
             says="You round the length of a slice down. 0:5:2 takes the entries 0, 2 and 4."),
    ],
    right=[
        """
        def shape_after(shape, entries):
            rows = [list(range(size)) for size in shape]
            picked = []
            for place, positions in enumerate(rows):
                entry = entries[place] if place < len(entries) else slice(None)
                if torch.is_tensor(entry):
                    picked.append(entry.numel())
                elif isinstance(entry, slice):
                    picked.append(len(positions[entry]))
            return picked
        """,
    ],
    hints=[
        ("Help, how long is a slice?", "A slice is as long as the range of positions that it "
         "takes. `entry.indices(size)` returns start, stop and step as numbers that `range` "
         "takes."),
        ("Help, which kinds are there?", "An integer leaves no axis. A slice leaves "
         "an axis of length `len(range(*entry.indices(size)))`. A tensor leaves an axis as long as "
         "the tensor. An axis without an entry stays as it is."),
        ("Help, almost the code", "Go through `zip(shape, entries)` and collect the lengths, but "
         "skip integers. Then add `shape[len(entries):]`."),
    ],
)


def indexed_arrays(seed):
    draw = Draw(seed)
    return indexed(
        seed,
        (draw.array(5), (draw.whole(5),)),
        (draw.array(5, 4), (slice(1, 4),)),
        (draw.array(5, 4, 3), (slice(0, 3, 2), -1)),
        (draw.array(5, 4), (picks(0, 0, 3), 1)),
        (draw.array(4, 5, 3), (picks(1, 0, 3), picks(4, 4, 2))),
        (draw.array(4, 5), (picks(2, 1), picks(0, 1, 4))),
        (draw.array(3, 4), (1, 2)),
        (draw.array(6, 4), (slice(None, None, -1), slice(3, 0, -2))),
        (draw.array(6), (slice(3, 0, -1),)),
        (draw.array(2, 5, 3), (ALL, slice(2, 3), 1)),
        (draw.array(5, 6), (slice(4, 1, -1), slice(-1, None, -3))),
    )


def array_use(answer, graph):
    result = no_longer(graph, rewritten(answer, graph), "array")
    if result.op.kind != "array":
        raise Wrong(f"The result is an {result.op.kind}, expected an array. Take the entries now.")
    return outcome(graph, result)


STEP = "        value = value[(slice(None),) * axis + (entry,)]\n"
LOOP = "for axis in reversed(range(value.ndim)):"
BRACKETS = (
    "PyTorch's brackets pair two index tensors up, so value[[1, 0], [4, 2]] is two numbers. They "
    "also refuse negative steps. Index one axis after the other."
)

exercise("d1.3.6", cases=indexed_arrays, use=array_use, tolerance=EXACT,
    mistakes=[
        instead("def push_array(node):\n    return array(node.children[0].op.value[node.op.at])",
                says=BRACKETS),
        instead("""
                def push_array(node):
                    value = node.children[0].op.value
                    rows = [list(range(n))[e] if isinstance(e, slice) and e.step < 0 else e
                            for n, e in zip(value.shape, node.op.at)]
                    return array(value[tuple(rows)])
                """,
                says=BRACKETS),
        edit(LOOP, "for axis in range(len(node.op.at)):",
             says="An integer removes its axis, and the axes after it are renumbered. Start with "
                  "the last axis."),
        edit(STEP, "        value = value\n", says="The array hasn't changed. Index its value."),
        edit("            entry = list(range(value.shape[axis]))[entry]\n",
             "            if entry.step < 0:\n                value = value.flip(axis)\n"
             "                entry = slice(0, value.shape[axis], -entry.step)\n",
             says="You reverse the whole axis for a negative step. 3:0:-1 takes only the entries "
                  "3, 2 and 1."),
    ],
    right=[
        """
        def push_array(node):
            value = node.children[0].op.value
            for axis in reversed(range(value.ndim)):
                entry = node.op.at[axis]
                if isinstance(entry, slice):
                    entry = torch.tensor(list(range(value.shape[axis]))[entry])
                keep = torch.is_tensor(entry)
                value = value.index_select(axis, entry) if keep else value.select(axis, entry)
            return array(value)
        """,
    ],
    hints=[
        ("Help, my result has too few axes", "`value[first, second]` with two tensors picks one "
         "entry for each pair. Index one axis, and then the next."),
        ("Help, my axes are numbered wrongly", "An integer removes its axis, and all later axes "
         "get a new number. Start with the last axis, so that the others keep their numbers."),
        ("Help, almost the code", "Loop `for axis in reversed(range(value.ndim))`, and set `value "
         "= value[(slice(None),) * axis + (entry,)]`. PyTorch refuses negative steps, so first "
         "turn a slice into its positions, `list(range(value.shape[axis]))[entry]`."),
    ],
)


def indexed_sums(seed):
    """Sums of alike terms, of terms with fewer axes, and of terms with axes of size 1."""
    draw = Draw(seed)
    alike, table = draw.total([(5, 3)] * 3), draw.total([(5, 3), (3,)])
    columns, square = draw.total([(4, 1), (4, 3), (1, 3)]), draw.total([(3, 3), (3,)])
    return indexed(
        seed,
        (alike, (draw.whole(5),)),
        (alike, (slice(1, 4), picks(2, 2, 0))),
        (table, (2,)),
        (table, (ALL, 1)),
        (square, (2, slice(0, 2))),
        (columns, (3, slice(1, 3))),
        (columns, (slice(1, 3), 2)),
        (columns, (picks(3, 0, 0), slice(None, None, -1))),
        (draw.total([(4, 1), (1,)], weights=False), (slice(0, 2), 0)),
        (draw.total([(2, 1, 3), (4, 3), ()]), (1, -1, slice(1, 3))),
        (draw.total([(2, 1, 3), (4, 3)]), (ALL, slice(1, 3))),
        (draw.total([(4, 1), (1,)]), (slice(1, 3), picks(0, 0))),
        (namesakes(draw, 4, 3), (2,)),
        (add(draw.array(4, 1), draw.x(4, 3), name="with a column"), (ALL, picks(2, 0))),
    )


OWN_ENTRIES = "entries = list(node.op.at[lead:])"
SINGLE = "entries[axis] = 0 if isinstance(entries[axis], int) else slice(0, 1)"

exercise("d1.3.7", cases=indexed_sums, tolerance=EXACT,
    use=lambda answer, graph: pushed(answer, graph, "sum"),
    mistakes=[
        edits((OWN_ENTRIES, "entries = list(node.op.at)"),
              ("if size == 1 and whole > 1:", "if False:"),
              says="Every term gets the whole index, even a term with fewer axes. Shapes are "
                   "aligned at their last axes, so a term with two axes gets the last two "
                   "entries."),
        edits((OWN_ENTRIES, "entries = list(node.op.at[: len(child.shape)])"),
              ("if size == 1 and whole > 1:", "if False:"),
              says="A term with fewer axes gets the first entries of the index. Shapes are "
                   "aligned at their last axes, so give it the last entries."),
        edit("if size == 1 and whole > 1:", "if False:",
             says="You index an axis of size 1 that broadcasts with the entry of the sum, which is "
                  "out of bounds. The single entry of the axis is used at every position."),
        edit("if size == 1 and whole > 1:", "if size == 1:",
             says="Here the axis of the sum has size 1 too, so nothing broadcasts. Keep the entry "
                  "of the index."),
        edit(SINGLE, "entries[axis] = slice(0, 1)",
             says="An integer has to remove a broadcast axis too. Use 0 for an integer, and "
                  "slice(0, 1) for anything else."),
        edit(SINGLE, "entries[axis] = 0",
             says="You always remove a broadcast axis. Only an integer does that, and a slice "
                  "leaves an axis of size 1."),
        edit(", weights=total.op.weights", "",
             says="The weights of the sum are lost. Pass weights=total.op.weights."),
    ],
    right=[
        """
        def push_add(node):
            total, parts = node.children[0], []
            for child in total.children:
                own, shape = [], total.shape[len(total.shape) - len(child.shape):]
                at = node.op.at[len(total.shape) - len(child.shape):]
                for entry, small, large in zip(at, child.shape, shape):
                    if small < large:
                        entry = 0 if isinstance(entry, int) else slice(None)
                    own.append(entry)
                parts.append(index(child, tuple(own)))
            return add(*parts, weights=list(total.op.weights))
        """,
    ],
    hints=[
        ("Help, too many indices", "A term with fewer axes than the sum has no axis for the "
         "*first* entries. Count the missing axes, and skip that many entries."),
        ("Help, an index is out of bounds", "The axis of the term has one entry, number 0, "
         "which is used at every position. An integer becomes 0, which removes the axis as in the "
         "other terms. Anything else becomes `slice(0, 1)`, which keeps the axis."),
        ("Help, almost the code", "For each child, let `lead = len(total.shape) - "
         "len(child.shape)` and `entries = list(node.op.at[lead:])`. Loop over `zip(child.shape, "
         "total.shape[lead:])`, and change the entry if the first size is 1 and the second isn't. "
         "Then use `index(child, tuple(entries))`. Pass the weights on."),
    ],
)


def indexed_products(seed):
    """Einsums whose words are in some factors, summed or kept, repeat, or contain each other."""
    draw = Draw(seed)
    product = einsum("i j, j k -> i k", draw.curve(4, 3), draw.array(3, 5), name="product")
    scores = einsum("q h d, k h d -> h q k", draw.x(3, 2, 4), draw.curve(3, 2, 4), name="scores")
    rows = einsum("s d, s d -> s", draw.x(4, 3), draw.array(4, 3), name="rows")
    outer = einsum("i, j -> i j", draw.x(4), draw.curve(4), name="outer")
    mixed = einsum("a b c, b -> c a", draw.curve(3, 2, 3), draw.x(2), name="transposed")
    nested = einsum("h he, he e -> h e", draw.x(3, 4), draw.array(4, 4), name="words in words")
    twice = draw.curve(4, 3)
    alike = einsum("q d, k d -> q k", twice, twice, name="one node twice")
    return indexed(
        seed,
        (product, (draw.whole(4),)),
        (product, (slice(1, 3), 2)),
        (product, (ALL, picks(4, 4, 0))),
        (scores, (1, 2)),
        (scores, (slice(0, 1), ALL, slice(None, None, -1))),
        (rows, (2,)),
        (rows, (picks(3, 0),)),
        (outer, (1, 3)),
        (mixed, (slice(0, 2), 1)),
        (nested, (1,)),
        (nested, (slice(0, 2), 3)),
        (alike, (1, slice(0, 3, 2))),
        (einsum("i i -> i", draw.array(4, 4), name="diagonal"), (slice(1, 4),)),
        (einsum("i i k -> k i", draw.curve(3, 3, 2), name="diagonals"), (ALL, 2)),
    )


INSIDE = 'sides.append(" ".join(word for word in words.split() if word not in gone))'
OUTSIDE = 'output = " ".join(word for word in right.split() if word not in gone)'
OWN_WORDS = "own = tuple(entry.get(word, slice(None)) for word in words.split())"

exercise("d1.3.8", cases=indexed_products, tolerance=EXACT,
    use=lambda answer, graph: pushed(answer, graph, "einsum"),
    mistakes=[
        edits((INSIDE, "sides.append(words)"), (OUTSIDE, "output = right"),
              says="The pattern hasn't changed. An integer removes its axis, so its word has to "
                   "leave the factors and the output."),
        edits((INSIDE, "sides.append(words)"),
              (OWN_WORDS, "own = tuple(slice(None) if word in gone else entry.get(word, "
               "slice(None)) for word in words.split())"),
              says="You remove the word of an integer from the output only, so the einsum sums "
                   "over that axis. Index the factors too, and remove the word there."),
        edits(("    factors, sides = [], []\n", "    factors, sides, used = [], [], set()\n"),
              (OWN_WORDS, "own = tuple(slice(None) if word in used else entry.get(word, "
               "slice(None)) for word in words.split()); used |= set(words.split())"),
              says="If two factors have the same word, you index only the first of them. Index "
                   "every factor."),
        edit(OWN_WORDS,
             "own = tuple(node.op.at[place] if place < len(node.op.at) else slice(None) for place "
             "in range(len(words.split())))",
             says="You assign the entries by position. Entry 0 belongs to the first axis of the "
                  "*output*, so look entries up by word."),
        edits((INSIDE, "for word in gone:\n            words = words.replace(word, '')\n        "
               "sides.append(words)"),
              (OUTSIDE, "output = right\n    for word in gone:\n        output = "
               "output.replace(word, '')"),
              says="You remove words as substrings, and one word may contain another. Split the "
                   "pattern into words."),
    ],
    right=[
        """
        def push_einsum(node):
            child = node.children[0]
            inputs, output = [part.strip() for part in child.op.pattern.split("->")]
            at = {word: entry for word, entry in zip(output.split(), node.op.at)}
            kept = lambda text: [word for word in text.split() if type(at.get(word)) is not int]
            parts = []
            for factor, text in zip(child.children, inputs.split(",")):
                parts.append(index(factor, tuple(at.get(w, slice(None)) for w in text.split())))
            sides = ",".join(" ".join(kept(text)) for text in inputs.split(","))
            return einsum(sides + "->" + " ".join(kept(output)), *parts)
        """,
    ],
    hints=[
        ("Help, which entry belongs to which axis?", "Entry k belongs to word k of the *output*. "
         "Make a dict from words to entries, and look up every axis of every factor in it."),
        ("Help, which entry do summed words get?", "Summed words aren't in the dict, because their "
         "axes are taken whole. `entry.get(word, slice(None))` does this."),
        ("Help, my pattern doesn't fit any more", "An integer removes an axis from the factors, so "
         "its word has to leave both sides of the pattern. Build each side again with "
         '`" ".join(...)` without these words, and join the factors with ", ".'),
    ],
)

# --- to the bottom --------------------------------------------------------------------------------


def tower(seed, blocks):
    """A stream of blocks with skips, [6, 3]; positions mix in none of them."""
    draw = Draw(seed)
    stream = placeholder("x", (6, 3), torch.float64)
    for block in range(blocks):
        weight = array(draw.tensor(3, 3) / 4, f"w{block}")
        read = einsum("s d, d e -> s e", stream, weight, name=f"read{block}")
        stream = add(stream, apply("relu", read, name=f"block{block}"), name=f"stream{block}")
    return stream


def indexed_towers(seed):
    """A sum, softmax, a stream read twice, two nodes of one name, and towers with skips."""
    draw = Draw(seed)
    turned = einsum("s d -> d s", tower(seed, 1), name="transposed")
    pattern = apply("softmax", turned, name="pattern")
    past = apply("softmax", add(tower(seed + 1, 1), draw.array(3), name="biased"), name="pattern")
    stream = draw.curve(5, 3)
    scores = einsum("q d, k d -> q k", stream, stream, name="scores")
    x = draw.x(4, 3)
    alike = add(apply("relu", x, name="f"), apply("tanh", x, name="f"), name="two called f")
    return indexed(
        seed,
        (add(draw.x(4, 3), draw.array(3), weights=[2, -1], name="sum"), (2,)),
        (einsum("d s, d e -> e s", pattern, draw.array(3, 2), name="out"), (slice(0, 1), 3)),
        (past, (slice(1, 3),)),
        (scores, (0, slice(1, 3))),
        (scores, (0, 3)),
        (alike, (1,)),
        (tower(seed, 6), (slice(5, 6),)),
        (tower(seed, 60), (draw.whole(6),)),
    )


def sink_use(answer, graph):
    """The value, after the index has gone as far down as it can, in a graph that has not grown."""
    before = len(children_first(graph.node))
    if before > 100:  # where the work doubles in every block, a small tower shows it first
        sink_use(answer, *indexed(0, (tower(0, 6), (slice(5, 6),)))[0])
    result = rewritten(answer, graph, same=True)
    order = children_first(result)
    if len(order) > 10 * before:
        raise Wrong(
            f"A graph of {before} nodes has become one of {len(order):,}. An index that two "
            "readers need is pushed twice, and twice again in every block. Remember each (child, "
            "entries)."
        )
    stuck = [node.children[0] for node in order if node.op.kind == "index" and movable(node)]
    if stuck:
        raise Wrong(
            f"An index could still move. It reads {stuck[0].name!r}, which is an "
            f"{stuck[0].op.kind}. Push the result again, until it reads an input or is refused."
        )
    widths = {node.shape[-1:] for node in children_first(graph.node) if mixes(node)}
    if any(mixes(node) and node.shape[-1:] not in widths for node in order):
        raise Wrong(
            "The index has passed softmax's own axis. If push_apply refuses an index, leave it "
            "where it is."
        )
    return outcome(graph, result)


def mixes(node):
    return node.op.kind == "apply" and node.op.function == "softmax"


def movable(node):
    """Whether the index could move further down."""
    (child,) = node.children
    if mixes(child):
        return not mixed(node)
    return child.op.kind in ("add", "einsum", "array", "apply")


KEY, SUNK = "key = child, str(node.op.at)", 'sink(each, known) if each.op.kind == "index" else each'

exercise("d1.3.10", cases=indexed_towers, use=sink_use, tolerance=EXACT,
    mistakes=[
        edit("if key not in known:", "if True:", says="Remember each (child, entries)."),
        edit(KEY, "key = child",
             says="Your key lacks the entries, so one child with two indices gets one result. Use "
                  "(child, entries) as the key."),
        edit(KEY, "key = child.name, str(node.op.at)",
             says="Your key is the name, but two nodes may have one name. Use the node itself."),
        edit(SUNK, "each", says="An index could still move"),
        edit("except (KeyError, ValueError):\n            return node",
             "except (KeyError, ValueError):\n            if child.op.kind == 'placeholder':\n"
             "                return node\n            pushed = apply(child.op.function, "
             "index(child.children[0], node.op.at))",
             says="The index has passed softmax's own axis."),
        edit("except (KeyError, ValueError):", "except ValueError:",
             says="PUSH has no rule for an index on an input. Catch the KeyError too, and leave "
                  "the index where it is."),
        edit("Node(pushed.op, below, child.name)", "Node(pushed.op, below[::-1], child.name)",
             says="The children are in a different order. Keep the order of the pushed node's "
                  "children."),
    ],
    right=[
        """
        def sink(node, known=None):
            memory = known if known is not None else {}

            def down(each):
                if each.op.kind != "index":
                    return each
                child = each.children[0]
                place = (id(child), repr(each.op.at))
                if place not in memory:
                    rule = PUSH.get(child.op.kind)
                    try:
                        pushed = rule(each) if rule else None
                    except ValueError:
                        pushed = None
                    memory[place] = each if pushed is None else Node(
                        pushed.op, [down(below) for below in pushed.children], pushed.name)
                return memory[place]

            return down(node)
        """,
    ],
    hints=[
        ("Help, mine doesn't finish", "Two readers need the same entries of the same child, and "
         "your function computes them for each reader. Which result could it keep from the first "
         "time?"),
        ("Help, in which order?", "Look the pair up. If it isn't there, push once. Then sink the "
         "children of the result that are indices, build the result again on top of them, and "
         "store it."),
        ("Help, almost the code", "Use `pushed = PUSH[child.op.kind](node)` inside `try`, and on "
         "`KeyError` or `ValueError` return the node as it is. Then build `Node(pushed.op, "
         "[sink(each, "
         'known) if each.op.kind == "index" else each for each in pushed.children], child.name)`. '
         "Pass the same dict on."),
    ],
)

# --- from memory ----------------------------------------------------------------------------------

quiz("d1.3.quiz",
    terms=number(says="Every term of one sum meets every term of the other."),
    axes=number(says="An integer removes its axis, a slice keeps it, and an axis without an entry "
                    "is kept."),
    softmax=option("the first", "the last",
               says="Softmax divides by a sum. Over which axis?"),
    parts=option("equal", "parallel", "orthogonal",
               says="The two parts add up to x for any multiple of u. Which property needs "
                    "length 1?"),
    rounding=option("grows", "stays", "shrinks",
               says="In float64 a bug stays as large as it was. Rounding doesn't."),
    hints=[
        ("Help, the two numbers", "When you multiply out, every term of one sum meets every term "
         "of the other. For the axes, look at the table of d1.3.11."),
        ("Help, softmax", "One output of softmax depends on all entries along one axis. Which axis "
         "is that?"),
        ("Help, the last two", "The picture in d1.3.12 shows how the two parts lie. The sentence "
         "in italics in d1.3.14 is about rounding in float64."),
    ],
)
