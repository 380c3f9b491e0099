"""Judges the exercises of day 2, part 2: what does the work."""

import torch

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph, rewritten
from remix_utils.checks.questions import number, option
from remix_utils.checks.transformer_cases import CLOSE, said, transformers
from remix_utils.circuits.loss import token_loss
from remix_utils.graph.ops import index, placeholder

SIZES = "The check uses models of 2 and 3 layers with 2 to 4 heads. Read the numbers off the graph."


def node_use(answer, graph, *arguments):
    """Returns the value of the node that the answer builds."""
    return said(graph, rewritten(answer, graph, *arguments))


def ablations(seed, *layers, rows=3):
    """Returns each way on a model of each depth, with one row to resample, so the draw is known."""
    cases = []
    for place, how in enumerate(("zero", "mean", "resample")):
        for case in transformers(seed + 7 * place, *layers, rows=rows):
            other = case.inputs["other"]
            cases.append((case, how, {"tokens": other[:1] if how == "resample" else other}))
    return cases


# --- attribution ----------------------------------------------------------------------------------

NORM, READ = "ln_final.w", "unembed.W_U"


def some_parts(seed):
    """Returns parts of a stream, its scale, weights, and pairs of tokens."""
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
              says="The weight is applied before the mean is subtracted. Layernorm subtracts the "
                   "mean first."),
        edit("/ scale", "/ (part.square().mean(-1, keepdim=True) + 1e-5).sqrt()",
             says="Each part is divided by its own scale. Use the `scale` of the whole stream."),
        edit("/ scale", "/ part.std(-1, keepdim=True)",
             says="Each part is divided by its own scale. Use the `scale` of the whole stream."),
        edit("/ scale", "/ sum(parts.values()).std(-1, keepdim=True)",
             says="The scale is computed again. Divide by the argument `scale`."),
        edit("/ scale", "* scale", says="The scale multiplies. Layernorm divides by it."),
        edit(" / scale", "", says="The scale is left out. Layernorm divides by it."),
        edit(DIFFERENCE, "rows[answers]",
             says="This is the logit of the answer alone. Subtract that of the other token."),
        edit(DIFFERENCE, "(rows[others] - rows[answers])",
             says="The sign is reversed. Subtract the other token's logit from the answer's."),
        edit(DIFFERENCE, "(rows[answers] + rows[others])",
             says="The two logits are added. Take their difference."),
        edit("part / scale * direction",
             f'part / scale * direction + weights["ln_final.b"] * {DIFFERENCE}',
             says="Layernorm's bias is added to every part. Leave it out."),
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
        ("Help, which steps are linear?", "If the scale is held, all four steps are. These are "
         "subtracting the mean, dividing by the scale, multiplying by the weight, and `W_U`. So "
         "you can apply them to each part separately."),
        ("Help, how do I get two logits without all of them?",
         'A column of `W_U` is the direction of one token. `weights["unembed.W_U"].T[answers]` is '
         "[row, place, d_model]. Subtract the same for `others`, and multiply by `ln_final.w`."),
        ("Help, almost the code", "For each part, compute `(part - part.mean(-1, keepdim=True)) / "
         "scale * direction`, and sum over the last axis."),
    ],
)

# --- ablations ------------------------------------------------------------------------------------


def last_losses(graph):
    """Returns the losses of the tokens from 3 on, which the checks measure."""
    return index(token_loss(graph), slice(2, None))


UNSPLIT = "The graph has no node for a single head yet. Split blocks.*.attn_out into heads first."
MEASURE = "The measure isn't used. The losses that count are those of `measure(graph)`."


def costs_use(answer, graph, how, data):
    found = answer(graph.node, last_losses, {"tokens": graph.tokens}, how, data)
    if not isinstance(found, dict):
        got = describe(plain(found))
        raise Wrong(f'This returns {got}, expected a dict such as {{"0.3": (mean, error)}}.')
    return found


PILE = "Each graph also lacks the heads before it. Ablate each head in the whole graph."
SUMMARY = "(cost.mean().item(), cost.std().item() / len(cost) ** 0.5)"
COSTS = f"return {{head: {SUMMARY} for head, cost in costs.items()}}"
PAIRED = "loss - clean for name"


def each_head(seed):
    """Returns three layers of two heads at their means, and two layers of three heads at zero."""
    cases = ablations(seed, 3, 2, rows=4)
    return [cases[2], cases[1]]


exercise("d2.2.2", cases=each_head, use=costs_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edits((PAIRED, "loss for name"),
              (COSTS, "return {head: ((loss.mean() - clean.mean()).item(), ((loss.var() + "
               "clean.var()) / len(loss)).sqrt().item()) for head, loss in costs.items()}"),
              says="The two losses aren't independent. Subtract them row by row before you compute "
                   "the error."),
        edit(PAIRED, "loss for name",
             says="These are the losses without the heads. Subtract the loss with all of them."),
        edit(PAIRED, "clean - loss for name",
             says="The sign is reversed. It is the loss without the head minus the loss with it."),
        edit("name, how, data", 'name, "zero"',
             says="The heads are always set to zero. Pass `how` and `data` on."),
        edit("name, how, data", 'name, "mean", data',
             says="The heads are always set to their means. Pass `how` on."),
        edit("name, how, data", "name, how, inputs",
             says="Means and other rows are taken from `inputs`. Take them from `data`."),
        edits(("loss.mean(-1) for loss in", "loss for loss in"), ("len(cost)", "cost.numel()"),
              says="The error counts every token as independent. Take the mean of a row first."),
        edit("measure(each)", "token_loss(each)", says=MEASURE),
        edit(" / len(cost) ** 0.5", "",
             says="This is the standard deviation over rows. Divide it by the square root of their "
                  "number."),
        edit(" ** 0.5", "", says="You divided by the number of rows. Divide by its square root."),
        edit("(cost.mean().item(), cost.std().item() / len(cost) ** 0.5)", "cost.mean().item()",
             says="The error is missing. Return a mean and a standard error for each head."),
        edit("ablate(graph, name, how, data)",
             'ablate(graph, f"blocks.{name.split(chr(46))[1]}.attn.head.*.out", how, data)',
             says="The whole layer is ablated each time. Ablate one head."),
        edit("    variants = [graph, *(ablate(graph, name, how, data) for name in heads)]",
             "    variants = [graph]\n    for name in heads:\n        "
             "variants.append(ablate(variants[-1], name, how, data))", says=PILE),
        edit("ablate(graph, name, how, data) for name in heads",
             "ablate(graph, reduce(or_, map(at, heads[: heads.index(name) + 1])), how, data) for "
             "name in heads", says=PILE),
        edit("blocks.*.attn.head", "blocks.0.attn.head",
             says="Only the heads of layer 0 are returned. Include all layers."),
        edit('find(graph, "blocks.*.attn.head.*.out")',
             "[each for layer in (0, 1) for each in find(graph, "
             'f"blocks.{layer}.attn.head.*.out")]',
             says="Only two layers are returned. The graph may have more, so ask it for all its "
                  "heads."),
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "", says=UNSPLIT),
        edit('"{1}.{4}".format(*name.split("."))', "name",
             says='The keys must be "layer.head", such as "0.3". These are the names of nodes.'),
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
        ("Help, how do I get a graph for each head?", "First split every `attn_out` into heads. "
         "Then list the nodes `blocks.*.attn.head.*.out`, and `ablate` each in the *same* graph."),
        ("Help, how do I compare?", "Put the clean graph first in the list that you evaluate. "
         "Each value is [row, place]. Take the mean over places, and subtract the clean mean row "
         "by row."),
        ("Help, almost the code", "Call `evaluate([measure(each) for each in [graph, *ablated]], "
         "inputs)`. For each difference [row] compute `mean()` and `std() / len(...) ** 0.5`. If "
         "you split a node's name at its dots, entry 1 is the layer and entry 4 the head."),
    ],
)


def some_groups(seed):
    """Returns pairs within a layer, mean and resampled, and heads of three layers at zero."""
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
             says="The sign is reversed. Subtract the sum of the single costs from the cost "
                  "together."),
        edit("(loss - clean for loss in without)", "without",
             says="These are losses, not costs. Subtract the clean loss from *each* of them."),
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
             says="The costs aren't independent. Combine them row by row before you compute the "
                  "error."),
        edits(("loss.mean(-1) for loss in", "loss for loss in"), ("len(extra)", "extra.numel()"),
              says="The error counts every token as independent. Take the mean of a row first."),
        edit("measure(variant)", "token_loss(variant)", says=MEASURE),
        edit(" / len(extra) ** 0.5", "",
             says="This is the standard deviation over rows. Divide it by the square root of their "
                  "number."),
        edit(RESULT, "return extra.mean().item()",
             says="The error is missing. Return a mean and a standard error."),
        edit("which, how, data", 'which, "zero"',
             says="The heads are always set to zero. Pass `how` and `data` on."),
        edit("which, how, data", "which, how, inputs",
             says="Means and other rows are taken from `inputs`. Take them from `data`."),
        edit("blocks.{layer}.attn.head.{head}", "blocks.{head}.attn.head.{layer}",
             says="Layer and head are swapped. In a pair such as (1, 3) the layer comes first."),
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
        ("Help, which graphs do I need?", "You need the clean graph, a graph with all the heads "
         "ablated, and one more graph for each head alone. Pass all of them to one `evaluate`."),
        ("Help, how do I ablate several?", "`at(name) | at(other)` selects both of them. "
         "`reduce(or_, selectors)` does this for a list."),
        ("Help, almost the code", "Subtract the clean loss from every other loss, row by row. "
         "Then subtract the sum of the single costs from the cost together. Compute the mean and "
         "the standard error last."),
    ],
)

# --- paths ----------------------------------------------------------------------------------------


def some_orders(seed):
    """Returns models of three layers and of two, with orders below the number of layers."""
    three, two = transformers(seed, 3, 2)
    return [(two, 0), (two, 1), (three, 2)]


PASSED = "len(path) - 1 <= order"

exercise("d2.2.4", cases=some_orders, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("<= order", "== order",
             says="These are the paths of exactly this order. Include paths with fewer heads too."),
        edit("len(path) - 1", "len(path)",
             says="One order is missing. A path passes len(path) - 1 heads, after its start."),
        edit("<= order", ">= order",
             says="These are the paths of this order and more. Take at most `order` heads."),
        edit("<= order", "<= order + 1", says="This goes one order too far."),
        edit(PASSED, f'{PASSED} and path[0] == "embed"',
             says="The paths that start at biases are missing. Keep them, whatever the start is."),
        edit(PASSED, "True", says="These are all paths. Keep those with at most `order` heads."),
        edit("    return add(",
             '    if order == 0:\n        return ablate(graph, "blocks.*.attn_out", "zero")\n    '
             "return add(",
             says="At order 0 the scale of ln_final is computed again, and the biases b_O are "
                  "missing. Add the terms of path_expansion, which hold the scale."),
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
        ("Help, how many heads does a path pass?", "Entry 0 of a path is its start, and every "
         "other entry is a head. So it passes `len(path) - 1` heads."),
        ("Help, which paths start at biases?", '`("blocks.0.attn.b_O",)` passes no head, and '
         '`("blocks.0.attn.b_O", (1, 3))` passes one. Test only the length of a path.'),
        ("Help, almost the code", "Use `add(*[term for path, term in path_expansion(graph).items() "
         "if ...])`."),
    ],
)


def some_patterns(seed):
    """Returns patterns on repeated random tokens, read from a placeholder."""
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
             says="This is the attention to the same token. The token after it is `length` - 1 "
                  "back."),
        edits((QUERIES, "torch.arange(LENGTH + 1, 2 * LENGTH + 1)"),
              (KEYS, "queries - (LENGTH - 1)"),
              says="The lesson's LENGTH is used. Use the argument `length`."),
        edit(QUERIES, "torch.arange(length, 2 * length)",
             says="The end-of-text token is missing. With it, the second copy begins at `length` + "
                  "1."),
        edits((QUERIES, "torch.arange(length, 2 * length + 1)"), ("1 / length", "1 / (length + 1)"),
              says="There is one query too many. Position `length` is in the first copy."),
        edit(QUERIES, "torch.arange(length, 2 * length + 1)",
             says="The sum has one query too many. Position `length` is in the first copy."),
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
             says="Queries and keys are swapped. A pattern is [query, key], and no key is later "
                  "than its query."),
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
        ("Help, how do I sum some entries of a node?", "Multiply the pattern by a tensor that is "
         "zero everywhere else, and sum. An einsum with nothing after the arrow does both."),
        ("Help, which entries?", "Start with a tensor of zeros [query, key] and set "
         "`targets[queries, keys] = 1 / length`. The queries are `length + 1` to `2 * length`, and "
         "each key is `length - 1` back from its query."),
        ("Help, almost the code",
         'Return `einsum("query key, query key ->", pattern, array(targets))`.'),
    ],
)


def some_heads(seed):
    """Returns heads of first and middle layers, each way, and two of last layers."""
    cases = ablations(seed, 2, 3)
    places = ((0, 1), (1, 0), (0, 0), (1, 1), (1, 1), (0, 1))
    pairs = zip(places, cases, strict=True)
    return [(case, *place, how, data) for place, (case, how, data) in pairs]


KEPT, OUT = '.avoiding("*.pattern")', 'at(f"blocks.{layer}.attn.head.{head}.out")'
CLEAN = "These are the clean logits. Nothing is ablated."
ZEROS = "The head is always set to zero. Pass `how` and `data` on."
ABLATED = "return ablate(graph, which, how, data)"

exercise("d2.2.6", cases=some_heads, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(KEPT, "",
             says="This is the full ablation, which changes the patterns too. Avoid them."),
        edit(f"{OUT}{KEPT}", f'at("*.pattern") >> {OUT}',
             says="This does the opposite. Only the patterns read the ablated head, and the "
                  "values read the clean one. Avoid the patterns."),
        edit('"*.pattern"', '"*.ln1"',
             says="Only the direct path to the logits is ablated. The values of later heads also "
                  "read the head, and these paths pass no pattern."),
        edit('"*.pattern"', '"blocks.1.attn.head.*.pattern"',
             says="Only the patterns of layer 1 are kept. Use a star to keep those of all layers."),
        edit('"*.pattern"', '"*.v"',
             says="The values read the clean head, and the patterns don't. Avoid the patterns."),
        edit('"*.pattern"', '"*.q"',
             says="The queries read the clean head, and the keys don't. Avoid the patterns."),
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
        ("Help, how can a pattern read the clean value?",
         "A graph can contain a node twice, once clean and once ablated. A selector with a path "
         "changes the node along that path only."),
        ("Help, which paths?", "Select all paths that lead to the head and pass no pattern, with "
         '`at(...).avoiding("*.pattern")`. Split the graph into heads first. Otherwise the head '
         "has no node."),
        ("Help, almost the code", "Use `ablate(split(...), "
         'at(f"blocks.{layer}.attn.head.{head}.out").avoiding("*.pattern"), how, data)`.'),
    ],
)


def some_sides(seed):
    """Returns every side, each way, on models of two layers and of three."""
    cases = ablations(seed, 2, 3)
    chosen = zip((1, 0, 1), "qkv", (cases[0], cases[3], cases[4]), strict=True)
    return [(case, side, head, how, data) for head, side, (case, how, data) in chosen]


READER, BELOW = 'at(f"blocks.1.attn.head.*.{side}")', 'at(f"blocks.0.attn.head.{head}.out")'

exercise("d2.2.7", cases=some_sides, use=node_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(f"{READER} >> ", "",
             says="This is the full ablation. Every reader gets the ablated head."),
        edit(READER,
             '(at("blocks.1.attn.head.*.q") | at("blocks.1.attn.head.*.k") | '
             'at("blocks.1.attn.head.*.v"))',
             says="Queries, keys and values all read the ablated head. Use only `side`."),
        edit(READER,
             "(at(lambda node: node.name[:16] == 'blocks.1.attn.he' and node.name[-2] == '.' and "
             "node.name[-1] in 'qkv' and node.name[-1] != side))",
             says="The other sides read the ablated head, and this one doesn't. Select `side`."),
        edit(".{side}", ".k",
             says="The keys always read the ablated head. Use `side`."),
        edit(".{side}", ".pattern",
             says="Queries and keys always read the ablated head. Use `side`."),
        edit("*.{side}", "*.{dict(q='k', k='q', v='v')[side]}",
             says="Queries and keys are swapped. Select the side that `side` names."),
        edit("head.*.{side}", "head.0.{side}",
             says="Only one head of layer 1 reads the ablated head. Use a star to select all of "
                  "them."),
        edit("blocks.1.attn.head.*.{side}", "blocks.*.attn.head.*.{side}",
             says="Layers after layer 1 also read the ablated head. Select the readers in layer "
                  "1."),
        edit('    graph = split(graph, "blocks.*.attn_out", "head")\n', "", says=UNSPLIT),
        edit("head.{head}.out", "head.*.out",
             says="All heads of layer 0 are ablated. Select the one that `head` names."),
        edit("{head}", "{1 - head}", says="This is another head of layer 0. Use `head`."),
        edit("which, how, data", 'which, "zero"', says=ZEROS),
        edit(f"{READER} >> {BELOW}", f"{BELOW} >> {READER}",
             says="This selects nothing. Paths run from the logits down, so the reader in layer 1 "
                  "comes first."),
        edit(ABLATED, "return graph", says=CLEAN),
        edit(f"{READER} >> {BELOW}", 'at(f"blocks.0.attn.head.{head}.{side}")',
             says="This ablates the head's own queries, keys or values. Ablate its output, as "
                  "layer 1 reads it."),
        edit(f"{READER} >> {BELOW}", READER,
             says="This ablates queries, keys or values of layer 1. Ablate the head that they "
                  "read."),
        edit(f"{READER} >> {BELOW}", f"{BELOW}.avoiding(f\"blocks.1.attn.head.*.{{side}}\")",
             says="This does the opposite. The other readers get the ablated head. Select `side`."),
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
        ("Help, which comes first in the selector?", "You write paths from the logits down, so "
         "the reader comes first. A query of layer 1 reads the head, so the query is on the left "
         "of `>>`."),
        ("Help, how do I name all queries of layer 1?",
         'After the split they match `"blocks.1.attn.head.*.q"`. For the other sides use `k` or '
         "`v`."),
        ("Help, almost the code", 'Pass `at(f"blocks.1.attn.head.*.{side}") >> '
         'at(f"blocks.0.attn.head.{head}.out")` to `ablate`, with `how` and `data`.'),
    ],
)

quiz("d2.2.quiz",
    constant=option("zero", "mean", "resample",
               says="The output is the same on every other row. Which of the three doesn't use other rows?"),
    interaction=option("more", "less",
               says="If one of the two is left, how much of the work is still done?"),
    lead=number(also=(6.9, 6.93),
               says="It is the natural logarithm of the number of other tokens."),
    kept=number(also=(-0.09, -0.1),
               says="On random tokens, everything that 0.0 does goes through patterns."),
    side=option("q", "k", "v",
               says="The head writes into the stream at B. Is B the query or the key of the "
                    "attention at the second A?"),
    hints=[
        ("Help, the ablations", "For `constant` see the first table of d2.2.2. For `interaction` "
         "see d2.2.3, where the loss without both heads is higher than the single costs suggest."),
        ("Help, the lead", "See d2.2.3. If all other tokens have equal logits, the right one needs "
         "a lead of log 1,023 to get half of the probability."),
        ("Help, the patterns", "See d2.2.6 for the paths through which 0.0 acts on random tokens. "
         "In d2.2.7 it writes into the stream at B, and the second A attends to B."),
    ],
)
