"""How the exercises of day 2, part 2 are judged: what does the work."""

import torch

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph, rewritten
from remix_utils.checks.questions import number, option
from remix_utils.checks.transformer_cases import CLOSE, said, transformers
from remix_utils.circuits.loss import token_loss
from remix_utils.graph.ops import index, placeholder

SIZES = "The check uses models of 2 and 3 layers with 2 to 4 heads: read the numbers off the graph."


def node_use(answer, graph, *arguments):
    """The value of the node that the answer makes."""
    return said(graph, rewritten(answer, graph, *arguments))


def ablations(seed, *layers, rows=3):
    """Each way, on a model of each depth; one row to resample from, so that the draw is known."""
    cases = []
    for place, how in enumerate(("zero", "mean", "resample")):
        for case in transformers(seed + 7 * place, *layers, rows=rows):
            other = case.inputs["other"]
            cases.append((case, how, {"tokens": other[:1] if how == "resample" else other}))
    return cases


# --- attribution ----------------------------------------------------------------------------------

NORM, READ = "ln_final.w", "unembed.W_U"


def some_parts(seed):
    """Parts of a stream, its scale, weights, and pairs of tokens."""
    numbers = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(*shape, generator=numbers)
    cases = []
    for rows, places, width, vocab in ((2, 3, 6, 9), (3, 2, 5, 7)):
        parts = {key: draw(rows, places, width) + 0.5 for key in ("embed", "0.1", "1.0")}
        weights = {NORM: draw(width).abs() + 1, "ln_final.b": draw(width), READ: draw(width, vocab)}
        scale = 1 + torch.rand(rows, places, 1, generator=numbers)
        answers = torch.randint(vocab, (rows, places), generator=numbers)
        others = (answers + 1 + torch.randint(vocab - 1, (rows, places), generator=numbers)) % vocab
        cases.append((parts, scale, weights, answers, others))
    return cases


DIFFERENCE, CENTRED = "(rows[answers] - rows[others])", "part - part.mean(-1, keepdim=True) for"
SHARES = "(part / scale * direction).sum(-1)"

exercise("d2.2.1", cases=some_parts, tolerance=CLOSE,
    mistakes=[
        edit(CENTRED, "part for",
             says="The parts are not centred. Subtract each part's mean over d_model."),
        edit('weights["ln_final.w"] * ', "",
             says="Layernorm's weight is missing. Multiply the scaled part by ln_final.w."),
        edits(('weights["ln_final.w"] * ', ""),
              (CENTRED, 'part * weights["ln_final.w"] - (part * weights["ln_final.w"]).mean(-1, '
               "keepdim=True) for"),
              says="The weight comes before the centring. Layernorm centres first."),
        edit("/ scale", "/ (part.square().mean(-1, keepdim=True) + 1e-5).sqrt()",
             says="Each part is divided by its own scale. Hold the scale of the whole stream."),
        edit("/ scale", "/ part.std(-1, keepdim=True)",
             says="Each part is divided by its own scale. Hold the scale of the whole stream."),
        edit("/ scale", "/ sum(parts.values()).std(-1, keepdim=True)",
             says="The scale is computed again. Divide by the `scale` that is given."),
        edit("/ scale", "* scale", says="The scale multiplies. Layernorm divides by it."),
        edit(" / scale", "", says="The scale is left out. Layernorm divides by it."),
        edit(DIFFERENCE, "rows[answers]",
             says="This is the logit of the answer alone. Subtract the other one's."),
        edit(DIFFERENCE, "(rows[others] - rows[answers])",
             says="The sign is reversed. It is the answer's logit minus the other one's."),
        edit(DIFFERENCE, "(rows[answers] + rows[others])",
             says="The two logits are added. Take their difference."),
        edit("part / scale * direction",
             f'part / scale * direction + weights["ln_final.b"] * {DIFFERENCE}',
             says="Layernorm's bias is in every part, and counts once for each. Leave it out."),
        edit(SHARES, f"{SHARES}.mean()",
             says="This is the mean over rows and places. Keep [row, place]."),
    ],
    right=[
        """
        def attribute(parts, scale, weights, answers, others):
            found = {}
            for name, part in parts.items():
                normed = (part - part.mean(-1, keepdim=True)) / scale * weights["ln_final.w"]
                logits = normed @ weights["unembed.W_U"]
                logit = lambda tokens: logits.gather(-1, tokens[..., None])[..., 0]
                found[name] = logit(answers) - logit(others)
            return found
        """,
    ],
    hints=[
        ("Help, what is linear here?", "With the scale held: centring, division, weight, and "
         "`W_U`. So each part can go through all four by itself."),
        ("Help, how do I get two logits without all of them?",
         'A column of `W_U` is the direction of one token. `weights["unembed.W_U"].T[answers]` is '
         "[row, place, d_model]. Subtract that of the others, and multiply by layernorm's weight."),
        ("Help, almost the code", "`(part - part.mean(-1, keepdim=True)) / scale * direction`, "
         "summed over the last axis, for each part in a dict."),
    ],
)

# --- ablations ------------------------------------------------------------------------------------


def last_losses(graph):
    """The measure of the checks: the losses of the tokens from 3 on."""
    return index(token_loss(graph), slice(2, None))


UNSPLIT = "No node is one head's output yet. Split blocks.*.attn_out into heads first."
MEASURE = "The measure is not used. The losses that count are those of `measure(graph)`."


def costs_use(answer, graph, how, data):
    found = answer(graph.node, last_losses, {"tokens": graph.tokens}, how, data)
    if not isinstance(found, dict):
        got = describe(plain(found))
        raise Wrong(f'It gives {got}, expected a dict such as {{"0.3": (mean, error)}}.')
    return found


PILE = "Each graph also lacks the heads before it. Ablate each head in the whole graph."
SUMMARY = "(cost.mean().item(), cost.std().item() / len(cost) ** 0.5)"
COSTS = f"return {{head: {SUMMARY} for head, cost in costs.items()}}"
PAIRED = "loss - clean for name"


def each_head(seed):
    """Three layers of two heads at their means, and two layers of three heads set to zero."""
    cases = ablations(seed, 3, 2, rows=4)
    return [cases[2], cases[1]]


exercise("d2.2.2", cases=each_head, use=costs_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edits((PAIRED, "loss for name"),
              (COSTS, "return {head: ((loss.mean() - clean.mean()).item(), ((loss.var() + "
               "clean.var()) / len(loss)).sqrt().item()) for head, loss in costs.items()}"),
              says="The two losses are not independent. Subtract row by row before the error."),
        edit(PAIRED, "loss for name",
             says="These are the losses without the heads. Subtract the loss with all of them."),
        edit(PAIRED, "clean - loss for name",
             says="The sign is reversed. It is the loss without the head minus the loss with it."),
        edit("name, how, data", 'name, "zero"',
             says="The heads are set to zero, whatever is asked for. Pass `how` and `data` on."),
        edit("name, how, data", 'name, "mean", data',
             says="The heads are put at their means, whatever is asked for. Pass `how` on."),
        edit("name, how, data", "name, how, inputs",
             says="Means and other rows are taken from `inputs`. Take them from `data`."),
        edits(("loss.mean(-1) for loss in", "loss for loss in"), ("len(cost)", "cost.numel()"),
              says="The error counts every token as independent. Take the mean of a row first."),
        edit("measure(each)", "token_loss(each)", says=MEASURE),
        edit(" / len(cost) ** 0.5", "",
             says="This is the deviation over rows. Divide by the square root of their number."),
        edit(" ** 0.5", "", says="You divided by the number of rows. Divide by its square root."),
        edit("(cost.mean().item(), cost.std().item() / len(cost) ** 0.5)", "cost.mean().item()",
             says="The error is missing. Return a mean and a standard error for each head."),
        edit("ablate(graph, name, how, data)",
             'ablate(graph, f"blocks.{name.split(chr(46))[1]}.attn.head.*.out", how, data)',
             says="Every head takes its whole layer with it. Ablate one head."),
        edit("    variants = [graph, *(ablate(graph, name, how, data) for name in heads)]",
             "    variants = [graph]\n    for name in heads:\n        "
             "variants.append(ablate(variants[-1], name, how, data))", says=PILE),
        edit("ablate(graph, name, how, data) for name in heads",
             "ablate(graph, reduce(or_, map(at, heads[: heads.index(name) + 1])), how, data) for "
             "name in heads", says=PILE),
        edit("blocks.*.attn.head", "blocks.0.attn.head",
             says="Only the heads of layer 0 are there."),
        edit('find(graph, "blocks.*.attn.head.*.out")',
             "[each for layer in (0, 1) for each in find(graph, "
             'f"blocks.{layer}.attn.head.*.out")]',
             says="Only two layers are there. Ask the graph for the heads of however many it has."),
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "", says=UNSPLIT),
        edit('"{1}.{4}".format(*name.split("."))', "name",
             says='The keys are not "layer.head", such as "0.3".'),
        instead("""
                def head_costs(graph, measure, inputs, how, data):
                    graph = split(graph, "blocks.*.attn_out", "head")
                    heads = [(layer, head) for layer in range(2) for head in range(8)]
                    names = [f"blocks.{layer}.attn.head.{head}.out" for layer, head in heads]
                    return {name: ablate(graph, name, how, data) for name in names}
                """,
                says="The graph has fewer heads than the lesson's model. Ask the graph which "
                     'heads it has: find(graph, "blocks.*.attn.head.*.out").'),
        edit(COSTS, "return list(costs.values())", says="expected a dict such as"),
    ],
    right=[
        """
        def head_costs(graph, measure, inputs, how, data):
            graph, found = split(graph, "blocks.*.attn_out", "head"), {}
            clean = evaluate(measure(graph), inputs).mean(1)
            for node in find(graph, "blocks.*.attn.head.*.out"):
                lost = evaluate(measure(ablate(graph, node, how, data)), inputs).mean(1) - clean
                _, layer, _, _, head, _ = node.name.split(".")
                found[layer + "." + head] = [lost.mean(), lost.var().sqrt() / len(lost) ** 0.5]
            return found
        """,
    ],
    hints=[
        ("Help, how do I get a graph for each head?", "Split all `attn_out` into heads, list the "
         "nodes `blocks.*.attn.head.*.out`, and `ablate` each *in the same graph*."),
        ("Help, how do I compare?", "Put the whole graph first in the list that you evaluate. "
         "Each value is [row, place]: take the mean over places, and subtract that of the whole "
         "graph, row by row."),
        ("Help, almost the code", "`evaluate([measure(each) for each in [graph, *ablated]], "
         "inputs)`. Of each difference [row]: `mean()`, and `std() / len(...) ** 0.5`. The names "
         "split at dots have layer and head at 1 and 4."),
    ],
)


def some_groups(seed):
    """Pairs within a layer, at their means and resampled; and heads of three layers, at zero."""
    layers = zip((1, 0), ablations(seed, 2, rows=4)[1:], strict=True)
    pairs = [(case, [(layer, 0), (layer, 1)], how, data) for layer, (case, how, data) in layers]
    case, how, data = ablations(seed + 50, 3, rows=4)[0]
    return [*pairs, (case, [(0, 1), (1, 0), (2, 1)], how, data)]


def group_use(answer, graph, heads, how, data):
    return answer(graph.node, last_losses, {"tokens": graph.tokens}, heads, how, data)


EXTRA = "extra = together - sum(alone)"
RESULT = "return extra.mean().item(), extra.std().item() / len(extra) ** 0.5"
SUBTRACTED = "together, *alone = (loss - clean for loss in without)"

exercise("d2.2.3", cases=some_groups, use=group_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(" - sum(alone)", "",
             says="This is the cost of all heads together. Subtract the cost of each alone."),
        edit("together - sum(alone)", "sum(alone) - together",
             says="The sign is reversed. It is the cost together minus the sum of the single "
                  "costs, above 0 where the heads cover for each other."),
        edit("(loss - clean for loss in without)", "without",
             says="Losses are subtracted, not costs. Subtract the clean loss from *each* of them."),
        edits((SUBTRACTED, "together, *alone = without"),
              (EXTRA, "extra = together - clean - sum(alone)"),
              says="The clean loss is subtracted only once. Subtract it from each loss."),
        edit(EXTRA, "extra = sum(alone)",
             says="This is the sum of the single costs. Subtract it from the cost together."),
        edit("sum(alone)", "sum(alone) / len(alone)",
             says="The mean of the single costs is subtracted. Subtract their sum."),
        edit(RESULT,
             "return extra.mean().item(), sum(cost.var() / len(cost) for cost in [together, "
             "*alone]).sqrt().item()",
             says="The costs are not independent. Combine them row by row before the error."),
        edits(("loss.mean(-1) for loss in", "loss for loss in"), ("len(extra)", "extra.numel()"),
              says="The error counts every token as independent. Take the mean of a row first."),
        edit("measure(variant)", "token_loss(variant)", says=MEASURE),
        edit(" / len(extra) ** 0.5", "",
             says="This is the deviation over rows. Divide by the square root of their number."),
        edit(RESULT, "return extra.mean().item()",
             says="The error is missing. Return a mean and a standard error."),
        edit("which, how, data", 'which, "zero"',
             says="The heads are set to zero, whatever is asked for. Pass `how` and `data` on."),
        edit("which, how, data", "which, how, inputs",
             says="Means and other rows are taken from `inputs`. Take them from `data`."),
        edit("blocks.{layer}.attn.head.{head}", "blocks.{head}.attn.head.{layer}",
             says="Layer and head are exchanged. In a pair such as (1, 3) the layer comes first."),
    ],
    right=[
        """
        def interaction(graph, measure, inputs, heads, how, data):
            graph = split(graph, "blocks.*.attn_out", "head")
            loss = lambda each: evaluate(measure(each), inputs).mean(1)
            none, all_gone, alone = loss(graph), graph, 0
            for layer, head in heads:
                name = f"blocks.{layer}.attn.head.{head}.out"
                alone = alone + loss(ablate(graph, name, how, data)) - none
            chosen = [f"blocks.{layer}.attn.head.{head}.out" for layer, head in heads]
            all_gone = ablate(graph, at(lambda node: node.name in chosen), how, data)
            extra = loss(all_gone) - none - alone
            return torch.stack([extra.mean(), extra.std() / len(extra) ** 0.5])
        """,
    ],
    hints=[
        ("Help, which graphs do I need?", "The whole one, one without all the heads, and one "
         "without each. All of them go into one `evaluate`."),
        ("Help, how do I ablate several?", "`at(name) | at(other)` selects both. `reduce(or_, "
         "selectors)` joins a list of them."),
        ("Help, almost the code", "Subtract the clean loss from every other one, row by row. "
         "Then: the cost together minus the sum of the single ones. Take mean and standard error "
         "at the very end."),
    ],
)

# --- paths ----------------------------------------------------------------------------------------


def some_orders(seed):
    """Three layers of two heads and two of three, with orders below the number of layers."""
    three, two = transformers(seed, 3, 2)
    return [(two, 0), (two, 1), (three, 2)]


PASSED = "len(path) - 1 <= order"

exercise("d2.2.4", cases=some_orders, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("<= order", "== order",
             says="These are the paths of exactly this order. Include those of fewer heads."),
        edit("len(path) - 1", "len(path)",
             says="One order is missing. A path passes len(path) - 1 heads, after its start."),
        edit("<= order", ">= order",
             says="These are the paths of this order and more. Take at most `order` heads."),
        edit("<= order", "<= order + 1", says="This goes one order too far."),
        edit(PASSED, f'{PASSED} and path[0] == "embed"',
             says="The paths that start at biases are missing. Biases are starts like others."),
        edit(PASSED, "True", says="These are all paths, whatever the order."),
        edit("    return add(",
             '    if order == 0:\n        return ablate(graph, "blocks.*.attn_out", "zero")\n    '
             "return add(",
             says="At order 0 the scale of ln_final is worked out again, and the biases b_O are "
                  "gone. Hold the scale: add the terms of path_expansion."),
    ],
    right=[
        """
        def up_to_order(graph, order):
            total, terms = [], path_expansion(graph)
            for path in terms:
                heads = [step for step in path if isinstance(step, tuple)]
                if len(heads) <= order:
                    total.append(terms[path])
            return add(*total)
        """,
        """
        def up_to_order(graph, order):
            terms = [term for path, term in path_expansion(graph).items() if len(path) > order + 1]
            return add(graph, *terms, weights=[1] + [-1] * len(terms))
        """,
    ],
    hints=[
        ("Help, how many heads does a path pass?", "Its entry 0 is its start, and every other "
         "entry is a head. So `len(path) - 1`."),
        ("Help, and the biases?", 'They are starts too: `("blocks.0.attn.b_O",)` passes none, '
         '`("blocks.0.attn.b_O", (1, 3))` one. Ask for the length, and not for the start.'),
        ("Help, almost the code", "`add(*[term for path, term in path_expansion(graph).items() if "
         "...])`."),
    ],
)


def some_patterns(seed):
    """Patterns on an end of text and repeated random tokens, read from a placeholder."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for length in (3, 5):
        seq = 2 * length + 1
        scores = torch.randn(4, seq, seq, generator=numbers)
        pattern = scores.masked_fill(torch.ones(seq, seq).triu(1).bool(), -torch.inf).softmax(-1)
        cases.append((Graph(placeholder("pattern", (seq, seq)), {"pattern": pattern}), length))
    return cases


def pattern_use(answer, pattern, length):
    return said(pattern, rewritten(answer, pattern, length))


QUERIES, KEYS = "torch.arange(length + 1, 2 * length + 1)", "queries - (length - 1)"

exercise("d2.2.5", cases=some_patterns, use=pattern_use,
    sizes="The check uses copies of other lengths: use `length`.",
    mistakes=[
        edit(KEYS, "queries - length",
             says="This is the attention to the same token. Its successor is `length` - 1 back."),
        edits((QUERIES, "torch.arange(LENGTH + 1, 2 * LENGTH + 1)"),
              (KEYS, "queries - (LENGTH - 1)"),
              says="The lesson's LENGTH is used. Use the argument `length`."),
        edit(QUERIES, "torch.arange(length, 2 * length)",
             says="The end of text in front is forgotten. The second copy begins at `length` + 1."),
        edits((QUERIES, "torch.arange(length, 2 * length + 1)"), ("1 / length", "1 / (length + 1)"),
              says="There is one query too many: position `length` is in the first copy."),
        edit(QUERIES, "torch.arange(length, 2 * length + 1)",
             says="The sum has one query too many: position `length` is in the first copy."),
        edits((QUERIES, "torch.arange(length + 1, 2 * length)"), ("1 / length", "1 / (length - 1)"),
              says="The last query is missing. The second copy ends at 2 * `length`."),
        edit(QUERIES, "torch.arange(length + 1, 2 * length)",
             says="The last query is missing from the sum. The second copy ends at 2 * `length`."),
        edit("1 / length", "1",
             says="This is a sum over queries. Divide by their number, `length`."),
        edit("1 / length", "1 / len(targets)",
             says="You divided by the number of all queries. Only those of the second copy count."),
        edits((f"targets[queries, {KEYS}] = 1 / length",
               f"targets[torch.arange(length), queries, {KEYS}] = 1"),
              ("torch.zeros(pattern.shape)", "torch.zeros(length, *pattern.shape)"),
              ("query key, query key ->", "query key, each query key -> each"),
              says="This is one number for each query. Return their mean, a node without axes."),
        edit("query key, query key ->", "query key, query key -> query",
             says="This is one number for each query. Return their mean, a node without axes."),
        edit(f"targets[queries, {KEYS}]", f"targets[{KEYS}, queries]",
             says="Queries and keys are exchanged. A query is a row, and its key is never later."),
        edits((QUERIES, "torch.arange(length + 2, 2 * length + 1)"),
              ("1 / length", "1 / (length - 1)"),
              says="The first query is missing. The second copy begins at `length` + 1."),
        edits((QUERIES, "torch.arange(length - 1, 2 * length + 1)"),
              ("1 / length", "1 / (length + 2)"),
              says="The whole diagonal is averaged. Only the second copy's queries count."),
    ],
    right=[
        """
        def prefix_node(pattern, length):
            queries = range(length + 1, 2 * length + 1)
            places = [index(pattern, (query, query - length + 1)) for query in queries]
            return add(*places, weights=[1 / length] * length)
        """,
    ],
    hints=[
        ("Help, how do I sum some entries of a node?", "Multiply by a tensor that is zero "
         "everywhere else, and sum: an einsum with nothing after the arrow."),
        ("Help, which entries?", "Write them as a fixed tensor [query, key]: `targets[queries, "
         "keys] = 1 / length`. The queries are `length + 1` to `2 * length`, the keys `length - "
         "1` back from each."),
        ("Help, almost the code", '`einsum("query key, query key ->", pattern, array(targets))`.'),
    ],
)


def some_heads(seed):
    """Heads of first and middle layers, in each way; two of last layers, which no pattern reads."""
    cases = ablations(seed, 2, 3)
    places = ((0, 1), (1, 0), (0, 0), (1, 1), (1, 1), (0, 1))
    pairs = zip(places, cases, strict=True)
    return [(case, *place, how, data) for place, (case, how, data) in pairs]


KEPT, OUT = '.avoiding("*.pattern")', 'at(f"blocks.{layer}.attn.head.{head}.out")'
CLEAN = "Nothing has changed: these are the clean logits."
ZEROS = "The head is set to zero, whatever is asked for. Pass `how` and `data` on."
ABLATED = "return ablate(graph, which, how, data)"

exercise("d2.2.6", cases=some_heads, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(KEPT, "",
             says="This is the full ablation: patterns are computed without the head. Avoid them."),
        edit(f"{OUT}{KEPT}", f'at("*.pattern") >> {OUT}',
             says="It is the complement: only the patterns lack the head, and the values are as "
                  "they were. Avoid the patterns."),
        edit('"*.pattern"', '"*.ln1"',
             says="Only the direct path to the logits is ablated. The values of later heads read "
                  "the head too, and pass no pattern."),
        edit('"*.pattern"', '"blocks.1.attn.head.*.pattern"',
             says="Only the patterns of layer 1 are kept. A star stands for any layer."),
        edit('"*.pattern"', '"*.v"',
             says="The values keep the head, and the patterns do not. Avoid the patterns."),
        edit('"*.pattern"', '"*.q"',
             says="The queries keep the head, and the keys do not. Avoid the patterns."),
        edit("{head}", "*", says="The whole layer is ablated. Choose the head."),
        edit("{head}", "{1 - head}", says="This is another head of the layer. Use `head`."),
        edit("which, how, data", 'which, "zero"', says=ZEROS),
        edit(ABLATED, "return graph", says=CLEAN),
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "", says=UNSPLIT),
    ],
    right=[
        """
        from remix_utils import replace

        def keeping_patterns(graph, layer, head, how, data=None):
            graph = split(graph, "blocks.*.attn_out", "head")
            gone = ablate(graph, f"blocks.{layer}.attn.head.{head}.out", how, data)
            later = [node for node in find(graph, "blocks.*.attn.head.*.pattern")
                     if int(node.name.split(".")[1]) > layer]
            held = {find_one(gone, node.name): node for node in later}
            return replace(gone, held) if held else gone
        """,
    ],
    hints=[
        ("Help, how can a pattern read the old value?",
         "A graph holds as many values of a node as are needed. A selector with a path changes "
         "the node along that path only."),
        ("Help, which paths?", "All that lead to the head and pass no pattern: "
         '`at(...).avoiding("*.pattern")`. Split the heads first, so that there is a node to '
         "select."),
        ("Help, almost the code", "`ablate(split(...), "
         'at(f"blocks.{layer}.attn.head.{head}.out").avoiding("*.pattern"), how, data)`.'),
    ],
)


def some_sides(seed):
    """Every side, in each way, on models of two layers and of three."""
    cases = ablations(seed, 2, 3)
    chosen = zip((1, 0, 1), "qkv", (cases[0], cases[3], cases[4]), strict=True)
    return [(case, side, head, how, data) for head, side, (case, how, data) in chosen]


READER, BELOW = 'at(f"blocks.1.attn.head.*.{side}")', 'at(f"blocks.0.attn.head.{head}.out")'

exercise("d2.2.7", cases=some_sides, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(f"{READER} >> ", "",
             says="This is the full ablation: every reader sees the ablated head."),
        edit(READER,
             '(at("blocks.1.attn.head.*.q") | at("blocks.1.attn.head.*.k") | '
             'at("blocks.1.attn.head.*.v"))',
             says="Queries, keys and values all read the ablated head. Use only `side`."),
        edit(READER,
             "(at(lambda node: node.name[:16] == 'blocks.1.attn.he' and node.name[-2] == '.' and "
             "node.name[-1] in 'qkv' and node.name[-1] != side))",
             says="The other sides read the ablated head, and this one does not. Select `side`."),
        edit(".{side}", ".k",
             says="The keys read the ablated head, whatever `side` is. Use `side`."),
        edit(".{side}", ".pattern",
             says="Queries and keys both read the ablated head, whatever `side` is. Use `side`."),
        edit("*.{side}", "*.{dict(q='k', k='q', v='v')[side]}",
             says="Queries and keys are exchanged."),
        edit("head.*.{side}", "head.0.{side}",
             says="Only one head of layer 1 reads the ablated head. A star selects all of them."),
        edit("blocks.1.attn.head.*.{side}", "blocks.*.attn.head.*.{side}",
             says="Layers after layer 1 read the ablated head too. Select the readers in layer 1."),
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "", says=UNSPLIT),
        edit("head.{head}.out", "head.*.out",
             says="All heads of layer 0 are ablated. Choose the head below the reader."),
        edit("{head}", "{1 - head}", says="This is another head of layer 0. Use `head`."),
        edit("which, how, data", 'which, "zero"', says=ZEROS),
        edit(f"{READER} >> {BELOW}", f"{BELOW} >> {READER}",
             says="Nothing is selected. a >> b is b below a: the reader in layer 1 comes first."),
        edit(ABLATED, "return graph", says=CLEAN),
        edit(f"{READER} >> {BELOW}", 'at(f"blocks.0.attn.head.{head}.{side}")',
             says="The head's own queries, keys or values are ablated. Ablate its output, as layer "
                  "1 reads it."),
        edit(f"{READER} >> {BELOW}", READER,
             says="Queries, keys or values are ablated themselves. Ablate the head below them."),
        edit(f"{READER} >> {BELOW}", f"{BELOW}.avoiding(f\"blocks.1.attn.head.*.{{side}}\")",
             says="It is the complement: the other readers see the ablated head. Select `side`."),
    ],
    right=[
        """
        from remix_utils import replace

        def as_read_by(graph, side, head, how, data=None):
            graph = split(graph, "blocks.*.attn_out", "head")
            new = {}
            for reader in find(graph, f"blocks.1.attn.head.*.{side}"):
                new[reader] = ablate(reader, f"blocks.0.attn.head.{head}.out", how, data)
            return replace(graph, new)
        """,
    ],
    hints=[
        ("Help, which comes first in the selector?", "Paths are written from the root down, so "
         "the reader comes first. A query of layer 1 reads the head, so the query stands to the "
         "left of `>>`."),
        ("Help, how do I name all queries of layer 1?",
         'After the split: `"blocks.1.attn.head.*.q"`, and `k` or `v` for the other sides.'),
        ("Help, almost the code", '`at(f"blocks.1.attn.head.*.{side}") >> '
         'at(f"blocks.0.attn.head.{head}.out")`, passed to `ablate` with `how` and `data`.'),
    ],
)

quiz("d2.2.quiz",
    mean=option("mean", "resample",
               says="The head writes nearly the same whatever the text. Which way keeps a "
                    "constant where it is?"),
    interaction=option("more", "less",
               says="Each covers for the other, as long as the other is there."),
    kept=number(also=(-0.09, -0.1),
               says="All that 0.0 does on random tokens goes through patterns."),
    side=option("q", "k", "v",
               says="The head writes into the stream at B. Does B attend, or is B attended to?"),
    order=number(says="One head has to rewrite the token for another to move it."),
    hints=[
        ("Help, the ablations", "d2.2.2: which way leaves a constant where it is? d2.2.3: how "
         "does the second head change the cost when the first is gone?"),
        ("Help, the patterns", "d2.2.6: through which use does 0.0 act on random tokens? d2.2.7: "
         "it writes into the stream at B. Does B attend, or is B attended to?"),
        ("Help, the order", "d2.2.4: at order 1 the induction heads look at the right place. "
         "Which form of the token is missing there?"),
    ],
)
