"""How the exercises of day 5, part 2 are judged: the lens, attribution, and patches."""

import torch

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph, rewritten, values
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.circuits.difference import logit_difference
from remix_utils.errors import kind_of
from remix_utils.graph.node import Node
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import replace, split
from remix_utils.graph.select import find_one
from remix_utils.graph.selector import at

SIZES = "The check uses small models with other numbers of blocks, heads and tokens."


def generator(seed):
    return torch.Generator().manual_seed(seed)


def small(seed, n_layers=2, n_heads=3, seq=5, d_mlp=12, rows=4):
    """The logit difference of a random model split into heads, with rows of two prompts."""
    model = small_model(seed, d_mlp, n_layers, n_heads)
    graph = split(model.graph(seq=seq), "blocks.*.attn_out", "head")
    numbers = generator(seed)
    tokens, other = (torch.randint(13, (rows, seq), generator=numbers) for _ in range(2))
    io, s = (torch.randint(13, (rows,), generator=numbers) for _ in range(2))
    where = torch.rand(rows, seq, generator=numbers) < 0.4
    where[:, -2], where[0] = True, False  # in every row but the first some, and none in that one
    inputs = {"tokens": tokens, "other.tokens": other, "token.IO": io, "token.S": s}
    return Graph(logit_difference(graph), {**inputs, "where": where.float()})


def on_other(graph):
    """The same computation on the other prompt."""
    tokens = find_one(graph.node, at("tokens", op="placeholder"))
    return replace(graph.node, {tokens: placeholder("other.tokens", tokens.shape, torch.long)})


def all_nodes(found):
    """The nodes of a list, or of a dict, in which everything must be a node."""
    for each in found:
        if type(each) is not Node:
            raise Wrong(f"It holds {kind_of(each)}, expected nodes.")
    return found


# --- the lens -------------------------------------------------------------------------------------


def some_depths(seed):
    """Models of two to four blocks, with MLPs and without."""
    return [
        (small(seed, n_layers=3), 3),
        (small(seed + 1, n_layers=2, d_mlp=0, seq=6), 2),
        (small(seed + 2, n_layers=4, n_heads=2), 4),
    ]


def lens_use(answer, graph, n_layers):
    found = answer(graph.node, n_layers)
    if found is None or found is ...:
        raise NotImplementedError
    if not isinstance(found, list | tuple):
        raise Wrong(f"It gives {kind_of(found)}, expected a list of nodes.")
    if any(node.shape for node in all_nodes(found)):
        raise Wrong("It holds streams. Each node should be the difference, computed from a stream.")
    return {"how many": len(found), "the readings": values(graph, *found)}


exercise("d5.2.1", cases=some_depths, use=lens_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("[*streams, end]", "streams",
             says="The finished stream is missing. Its reading, the model's own difference, comes "
                  "last."),
        edit('f"blocks.{layer}.resid_pre"', 'f"blocks.{layer}.resid_post"',
             says="These are the streams after each block. The first reading is before any block: "
                  "use resid_pre."),
        edit('{n_layers - 1}.resid_post"', '{n_layers - 1}.resid_pre"',
             says="The last block still runs on each earlier stream. Replace its resid_post."),
        edit("[*streams, end]", "[end, *streams[::-1]]",
             says="The readings run from the last block to the first."),
        instead("""
                def lens(difference, n_layers):
                    end = find_one(difference, f"blocks.{n_layers - 1}.resid_post")
                    norm = find_one(difference, lambda node: any(child is end
                                                                 for child in node.children))
                    streams = [find_one(difference, f"blocks.{layer}.resid_pre")
                               for layer in range(n_layers)]
                    return [replace(difference, {norm: stream}) for stream in [*streams, end]]
                """,
                says="The final norm is left out. Replace the stream below it, so that the norm "
                     "reads the earlier stream."),
        edit("replace(difference, {end: stream})", "stream",
             says="It holds streams. Each node should be the difference, computed from a stream."),
        edit("for stream in [*streams, end]]", "for stream in [end] * (n_layers + 1)]",
             says="Every reading is the model's own difference: nothing was replaced."),
    ],
    right=[
        """
        def lens(difference, n_layers):
            last, found = f"blocks.{n_layers - 1}.resid_post", []
            for layer in range(n_layers):
                stream = find_one(difference, f"blocks.{layer}.resid_pre")
                found.append(update(difference, last, lambda _, stream=stream: stream))
            return (*found, difference)
        """,
    ],
    hints=[
        ("Help, which node do I replace?", "The finished stream, `blocks.N.resid_post` of the last "
         "block. The final norm and the unembedding read it."),
        ("Help, with which node?", "With an earlier stream of the same graph. "
         "`find_one(difference, name)` gives a node by name."),
        ("Help, almost the code", "`replace(difference, {end: stream})` for each `resid_pre`, and "
         "for `end` itself."),
    ],
)

# --- attribution ----------------------------------------------------------------------------------


def some_parts(seed):
    """Parts of models of twelve and of three layers; some have no MLP, some no bias."""
    numbers, cases = generator(seed), []
    for n_layers, n_heads, rows, without in ((12, 2, 3, (1, 4)), (3, 3, 5, (0, 1, 2))):
        names = ["embed", "pos_embed", "bias"]
        for layer in range(n_layers):
            names += [f"blocks.{layer}.attn.head.{head}.out" for head in range(n_heads)]
            names += [f"blocks.{layer}.attn.b_O"]
            names += [f"blocks.{layer}.mlp_out"] * (layer not in without)
        cases.append(({name: torch.randn(rows, generator=numbers) for name in names}, n_layers))
    return cases


PREFIX = 'name.startswith(f"blocks.{layer}.{kind}")'

exercise("d5.2.2", cases=some_parts, sizes="The check uses models of 12 layers and of 3.",
    mistakes=[
        edit(PREFIX, 'name.startswith(f"blocks.{layer}.")',
             says="Both sums hold attention and MLP together. Keep them apart."),
        edit(PREFIX, 'name.startswith(f"blocks.{layer}") and kind in name',
             says="Layer 1 also has the parts of layers 10 and 11. Compare the name up to the dot "
                  "after the number."),
        edit("return attention, mlps", "return mlps, attention",
             says="The two tensors are exchanged. Attention comes first."),
        edit("sums[:, layer] += values", "sums[:, layer] = values",
             says="Each part overwrites the one before. Add them up."),
        edit(PREFIX, PREFIX + ' and "b_O" not in name',
             says="The bias of attention is left out. It starts with blocks.N.attn too."),
        edit("return attention, mlps", "return attention.mean(0), mlps.mean(0)",
             says="These are means over rows. Keep one value for each row."),
    ],
    right=[
        """
        def by_layer(parts, n_layers):
            nothing = 0 * parts["embed"]
            columns = {"attn": [nothing] * n_layers, "mlp": [nothing] * n_layers}
            for name, values in parts.items():
                if name.startswith("blocks."):
                    _, layer, what = name.split(".", 2)
                    kind = "attn" if what.startswith("attn") else "mlp"
                    columns[kind][int(layer)] = columns[kind][int(layer)] + values
            return torch.stack(columns["attn"], 1), torch.stack(columns["mlp"], 1)
        """,
    ],
    hints=[
        ("Help, which parts are there?", "Print `list(attributed.parts)` after the check: names "
         "such as `embed`, `blocks.0.attn.head.0.out` and `blocks.0.mlp_out`."),
        ("Help, layer 1 comes out too large", "`blocks.1` is also the beginning of `blocks.10`. "
         "Compare with the dot, as in `blocks.1.attn`."),
        ("Help, almost the code", "Two tensors of zeros [rows, n_layers]. For each name and layer, "
         "add the values to the column whose prefix, `blocks.N.attn` or `blocks.N.mlp`, fits."),
    ],
)

# --- heads that stand out -------------------------------------------------------------------------


def some_effects(seed):
    """Ordinary heads, heads that stand out either way, a small sure one and a large unsure one."""
    numbers, cases = generator(seed), []
    special = [(-1.2, 0.2), (0.35, 0.01), (0.9, 0.3), (2.0, 4.0), (1.6, 0.2), (-0.75, 0.1)]
    for rows, layers, heads, most in ((12, 4, 5, 8), (14, 3, 7, 3)):
        count = layers * heads
        mean = 0.06 + 0.08 * torch.rand(count, generator=numbers)
        mean[torch.arange(count) % 4 > 0] *= -1  # the median with signs is negative
        spread = torch.full((count,), 0.2)
        places = torch.randperm(count, generator=numbers)[: len(special)].sort().values
        mean[places], spread[places] = torch.tensor(special).T
        noise = torch.randn(rows, count, generator=numbers)
        noise = (noise - noise.mean(0)) / noise.std(0)
        cases.append(((mean + spread * noise).reshape(rows, layers, heads), most))
    return cases


SURELY = "surely = (size > 4 * se) & (size > 5 * size.median())"
SORTED = "sorted(heads, key=lambda head: -size[head])[:most]"
SIGN = "Heads that lower the difference are missing. Use the size of the mean, without its sign."

def effects_use(answer, values, most):
    found = answer(values, most)
    if isinstance(found, list):
        for head in found:
            if not isinstance(head, tuple):
                raise Wrong(f"A head is {kind_of(head)}. Make it a tuple (layer, head).")
    return found


exercise("d5.2.3", cases=some_effects, use=effects_use,
    mistakes=[
        edit(SURELY, "surely = size > 4 * se",
             says="A head that is sure but ordinary stands out here. Compare with 5 times the "
                  "median size as well."),
        edit(SURELY, "surely = size > 5 * size.median()",
             says="A head with a large error stands out here. Its mean must be above 4 standard "
                  "errors as well."),
        edit("size = mean.abs()", "size = mean", says=SIGN),
        edit(SORTED, "sorted([head for head in heads if mean[head] > 0], key=lambda head: "
             "-size[head])[:most]", says=SIGN),
        edit(SORTED, "heads[:most]",
             says="The heads come in the order of their layers. The largest size comes first."),
        edit("-size[head]", "-mean[head]",
             says="The heads are sorted by their mean, so those that lower the difference come "
                  "last. Sort by size."),
        edit("-size[head]", "size[head]", says="The smallest size comes first. Reverse the order."),
        edit("-size[head]", "-(size / se)[head]",
             says="The heads are sorted by size over error. Sort by size alone."),
        edit("size.median()", "values.abs().median()",
             says="The median runs over the values of all rows. Take the means over rows first."),
        edit("size.median()", "size.mean()",
             says="This compares with the mean size, which a few large heads raise. Take the "
                  "median."),
        edit("tuple(head) for head in surely", "head for head in surely",
             says="A head is a list. Make it a tuple (layer, head)."),
        edit("[:most]", "", says="There are more heads than `most`."),
        edit("size > 4 * se", "size > 4 * values.std(0)",
             says="You compare with the spread over rows. The standard error is smaller by the "
                  "root of their number."),
        edit("& (size > 5", "| (size > 5",
             says="One of the two tests is enough here. A head must pass both."),
    ],
    right=[
        """
        def standouts(values, most):
            mean, se = values.mean(0).flatten(), values.std(0).flatten() / len(values) ** 0.5
            ratio = mean.abs() / torch.maximum(4 * se, 5 * mean.abs().median())
            found = []
            for place in mean.abs().argsort(descending=True).tolist():
                if ratio[place] > 1:
                    found.append(divmod(place, values.shape[2]))
            return found[:most]
        """,
    ],
    hints=[
        ("Help, what is the median of all heads?", "`size.median()` of a tensor [layer, head] is "
         "one number."),
        ("Help, how do I get pairs?", "`surely.nonzero().tolist()` lists [layer, head] where a "
         "tensor of truth values is true. Make tuples of them."),
        ("Help, almost the code", "`(size > 4 * se) & (size > 5 * size.median())`, then `sorted` "
         "with `key=lambda head: -size[head]`, and `[:most]`."),
    ],
)

# --- patching one position ------------------------------------------------------------------------


def some_places(seed):
    """Nodes of several kinds in small models, each with random masks that differ by row."""
    return [
        (small(seed), "blocks.1.resid_pre"),
        (small(seed + 1, n_layers=3, n_heads=2, seq=6), "blocks.1.mlp_out"),
        (small(seed + 2, n_layers=2, d_mlp=0), "blocks.0.attn_out"),
    ]


def patch_use(answer, graph, name):
    """The patched difference, and the one of a patch everywhere."""
    source = find_one(on_other(graph), name)
    where = placeholder("where", (find_one(graph.node, name).shape[0],))
    result = rewritten(answer, graph, name, source, where)
    return {"the shape": str(list(result.shape)), "the value": values(graph, result)[0]}


APART = "apart = add(source, node, weights=[1, -1])"
ADDED = 'return add(node, einsum("seq d_model, seq -> seq d_model", apart, where))'

exercise("d5.2.4", cases=some_places, use=patch_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(APART, "apart = add(source, node, weights=[-1, 1])",
             says="The sign is reversed: the node moves away from `source`. Add source minus "
                  "node."),
        edit(APART, "apart = source",
             says="`source` is added on top of the node's own value. Subtract that value where "
                  "`where` is 1."),
        edits((APART, "apart = add(node, source, weights=[1, -1])"),
              ("add(node, einsum", "add(source, einsum"),
              says="The mask is the wrong way round: the node has the value of `source` where "
                   "`where` is 0."),
        edit(ADDED, "return source",
             says="The node comes from `source` at all positions. Use `where`."),
        edit(ADDED, 'return einsum("seq d_model, seq -> seq d_model", source, where)',
             says="The node is 0 where `where` is 0. It keeps its own value there."),
        edit(ADDED, 'return einsum("seq d_model, seq -> seq d_model", apart, where)',
             says="This is only the change. Add it to the node."),
        edit("weights=[1, -1])", "weights=[0.5, -0.5])",
             says="The node moves only half the way. It should have the whole value of `source`."),
    ],
    right=[
        """
        def patch_at(graph, name, source, where):
            from remix_utils import array
            masked = "seq d_model, seq -> seq d_model"
            ones = array(torch.ones(where.shape))
            own = find_one(graph, name)
            kept = einsum(masked, own, add(ones, where, weights=[1, -1]))
            return replace(graph, {own: add(kept, einsum(masked, source, where))})
        """,
    ],
    hints=[
        ("Help, the positions differ by row", "`where` is an input with a row of its own for each "
         "prompt, so a product with it is all you need."),
        ("Help, how do I mix two values by a mask?", "node + where · (source − node). Where "
         "`where` is 1 the node's own value cancels."),
        ("Help, almost the code", '`add(source, node, weights=[1, -1])`, times `where` with '
         '`einsum("seq d_model, seq -> seq d_model", ...)`, added to the node, in '
         "`update(graph, name, function)`."),
    ],
)

# --- shares ---------------------------------------------------------------------------------------


def some_runs(seed):
    """Differences of three runs, one of whose gaps is near 0."""
    numbers, cases = generator(seed), []
    for templates, each, share in ((5, 4, 0.6), (7, 2, -0.3)):
        template = torch.arange(templates).repeat(each)
        rows = len(template)
        level = torch.randn(templates, generator=numbers)[template]
        clean = 4 + level + torch.randn(rows, generator=numbers)
        other = -3 + torch.randn(rows, generator=numbers)
        other[1] = clean[1] - 0.05
        noise = 0.4 * torch.randn(rows, generator=numbers) + 0.5 * level
        order = torch.randperm(rows, generator=numbers)
        moved = clean - share * (clean - other) + noise
        cases.append(tuple(each[order] for each in (clean, moved, other, template)))
    return cases


REST = "rest = (fall - share * gap) / gap.mean()"
DIFFERENCES = "fall, gap = clean - moved, clean - other"

exercise("d5.2.5", cases=some_runs, tolerance=CLOSE,
    mistakes=[
        edit("share = fall.mean() / gap.mean()", "share = (fall / gap).mean()",
             says="This is the mean of the ratios, which one row with a gap near 0 can spoil. Take "
                  "the ratio of the means."),
        edit(REST, "rest = fall / gap.mean()",
             says="These errors treat the gap as a fixed number. Subtract share · gap from each "
                  "row's fall."),
        edit(REST, "rest = fall - share * gap",
             says="The errors are in logits. Divide the rest by the mean gap."),
        edit(REST, "rest = fall / gap",
             says="These are the errors of the mean of the ratios. Use the rest of each row."),
        edit(DIFFERENCES, "fall, gap = moved - clean, clean - other",
             says="The sign is reversed. The fall is the clean run minus the patched one."),
        edit(DIFFERENCES, "fall, gap = clean - moved, clean",
             says="The gap is the clean difference alone. Subtract that of the other prompt."),
        edit(DIFFERENCES, "fall, gap = moved - other, clean - other",
             says="This is the share that is kept. The share that is moved is the fall divided by "
                  "the gap."),
        edit("over_prompts.item(), over_templates.item()",
             "over_templates.item(), over_prompts.item()",
             says="The two errors are exchanged. The error over prompts comes first."),
    ],
    right=[
        """
        def share_moved(clean, moved, other, template):
            gap = (clean - other).mean()
            share = 1 - (moved - other).mean() / gap
            rest = ((clean - moved) - share * (clean - other)).double()
            groups = template.unique()
            sums = torch.stack([rest[template == group].sum() for group in groups])
            count = len(groups)
            over_templates = (sums.square().sum() * count / (count - 1)) ** 0.5 / len(rest)
            over_prompts = rest.std() / len(rest) ** 0.5
            return float(share), float(over_prompts / gap), float(over_templates / gap)
        """,
    ],
    hints=[
        ("Help, which difference is which?", "The fall is clean minus moved, and the gap is clean "
         "minus other. Both are [rows]."),
        ("Help, why is `rest` not 0?", "The share is common to all rows. Each row's fall differs "
         "from share · gap, and those differences are what another draw would change."),
        ("Help, almost the code", "`share = fall.mean() / gap.mean()`, "
         "`rest = (fall - share * gap) / gap.mean()`, then `.se` of both estimates of `rest`."),
    ],
)

# --- nodes of the other run -----------------------------------------------------------------------


def some_names(seed):
    """Sets of nodes, some of which come after others of the set."""
    return [
        (small(seed), {"blocks.0.attn_out", "blocks.1.attn_out"}),
        (small(seed + 1, n_layers=3, n_heads=2, seq=6), {"blocks.1.mlp_out"}),
        (
            small(seed + 2, n_layers=3, d_mlp=0),
            {"blocks.0.attn.head.1.out", "blocks.1.attn.head.0.out", "blocks.2.attn.head.2.v"},
        ),
    ]


def other_use(answer, graph, names):
    result = rewritten(lambda node: answer(node, on_other(graph), names), graph)
    return {"the value": values(graph, result)[0]}


FROM_OTHER = "new = {find_one(difference, name): find_one(elsewhere, name) for name in names}"

exercise("d5.2.6", cases=some_names, use=other_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("for name in names}", "for name in sorted(names)[:1]}",
             says="Only one of the named nodes is replaced. Replace all of them."),
        edits((FROM_OTHER, FROM_OTHER.replace("difference", "-").replace("elsewhere", "difference")
               .replace("-", "elsewhere")),
              ("replace(difference, new)", "replace(elsewhere, new)"),
              says="This is the other run with the clean run's nodes. Start from `difference`."),
        edit("return replace(difference, new)", "return elsewhere",
             says="This is the whole other run. Only the named nodes come from it."),
        instead("""
                def from_other(difference, elsewhere, names):
                    new = {find_one(difference, name): find_one(elsewhere, name) for name in names}
                    return replace(difference, {ours: add(ours, new[ours]) for ours in new})
                """,
                says="The other run's values are added to the clean ones. Put them in their "
                     "place."),
    ],
    right=[
        """
        def from_other(difference, elsewhere, names):
            for name in names:
                source = find_one(elsewhere, name)
                difference = update(difference, name, lambda _, source=source: source)
            return difference
        """,
    ],
    hints=[
        ("Help, where does the other value come from?", "`elsewhere` is a graph of its own, and "
         "`find_one(elsewhere, name)` is the same node on the other prompt."),
        ("Help, one of the nodes comes after another", "`replace` makes all substitutions at once, "
         "and the new nodes stay as they were."),
        ("Help, almost the code", "`replace(difference, {...})` with an entry "
         "`find_one(difference, name): find_one(elsewhere, name)` for each name."),
    ],
)

# --- sides of heads -------------------------------------------------------------------------------

SIDES = ("q", "k", "v", "pattern", "out")


def some_heads(seed):
    """One head, and two heads of different layers."""
    return [
        (small(seed), [(1, 2)]),
        (small(seed + 1, n_layers=3, n_heads=2, seq=6), [(0, 1), (2, 0)]),
    ]


def sides_use(answer, graph, heads):
    found = answer(graph.node, on_other(graph), heads)
    if found is None or found is ...:
        raise NotImplementedError
    if not isinstance(found, dict) or set(found) != set(SIDES):
        wanted = ", ".join(SIDES)
        raise Wrong(f"It gives {describe(plain(found))}, expected a dict with {wanted}.")
    all_nodes(found.values())
    return dict(zip(SIDES, values(graph, *(found[side] for side in SIDES)), strict=True))


exercise("d5.2.7", cases=some_heads, use=sides_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("for layer, head in heads}", "for layer, head in heads[:1]}",
             says="Only the first head is patched. Patch this part of every head."),
        edits(("graphs = {}", "graphs, names = {}, set()"), ("names = {f", "names |= {f"),
              says="Each graph also has the parts of the graphs before it. Start with an empty set "
                   "for each side."),
        edit("from_other(difference, elsewhere, names)", "from_other(elsewhere, difference, names)",
             says="This puts clean parts into the other run. Start from `difference`."),
        edit("graphs[side] = from_other(difference, elsewhere, names)",
             "graphs[{'q': 'k', 'k': 'q'}.get(side, side)] = from_other(difference, elsewhere, "
             "names)",
             says="The queries and the keys are exchanged."),
        instead("""
                def by_side(difference, elsewhere, heads):
                    sides = ("q", "k", "v", "pattern", "z")
                    return {side: difference for side in sides}
                """, says="expected a dict with q, k, v, pattern, out"),
        instead("""
                def by_side(difference, elsewhere, heads):
                    names = {f"blocks.{layer}.attn.head.{head}.out" for layer, head in heads}
                    sides = ("q", "k", "v", "pattern", "out")
                    return {side: from_other(difference, elsewhere, names) for side in sides}
                """, says="All five graphs patch the whole output. Use the side in the name."),
    ],
    right=[
        """
        def by_side(difference, elsewhere, heads):
            found = dict.fromkeys(["out", "v", "k", "q", "pattern"], difference)
            for side in found:
                new = {}
                for head in heads:
                    name = "blocks.{}.attn.head.{}.{}".format(*head, side)
                    new[find_one(difference, name)] = find_one(elsewhere, name)
                found[side] = replace(difference, new)
            return found
        """,
    ],
    hints=[
        ("Help, what are the names?", "`blocks.3.attn.head.5.q`, and the same with `k`, `v`, "
         "`pattern` and `out`."),
        ("Help, several heads at once", "`from_other` takes a set of names. Make one set for each "
         "side, with one name for each head."),
        ("Help, almost the code", "Loop over the five sides. For each, a set comprehension over "
         "`layer, head in heads`, and `from_other(difference, elsewhere, names)`."),
    ],
)

# --- both ways ------------------------------------------------------------------------------------


def some_exchanges(seed):
    """Small models, with other tokens than those that their inputs hold already."""
    cases = []
    for graph in (small(seed), small(seed + 1, n_layers=3, n_heads=2, seq=6, d_mlp=0)):
        tokens = graph.inputs["tokens"]
        cases.append((graph, torch.randint(13, tokens.shape, generator=generator(seed + 2))))
    return cases


def ways_use(answer, graph, others):
    elsewhere = on_other(graph)
    head = {"blocks.1.attn.head.1.out"}
    swapped = {find_one(graph.node, name): find_one(elsewhere, name) for name in head}
    graphs = {"clean": graph.node, "other": elsewhere, "1.1": replace(graph.node, swapped)}
    data = dict(graph.inputs)
    found = answer(graphs, data, others)
    if any(data.get(name) is not column for name, column in graph.inputs.items()):
        raise Wrong("The data that came in have changed. Make new dicts, as `data | {...}` does.")
    return found


DENOISING = 'denoising = data | {"tokens": others, "other.tokens": data["tokens"]}'
NOISING = 'noising = data | {"other.tokens": others}'

exercise("d5.2.8", cases=some_exchanges, use=ways_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(DENOISING, 'denoising = data | {"tokens": others}',
             says="In the second run `other.tokens` is not the clean prompt. Exchange both "
                  "inputs."),
        edit(NOISING, "noising = data",
             says="The first run reads the `other.tokens` of the data. Put `others` there."),
        edit("return evaluate(graphs, noising), evaluate(graphs, denoising)",
             "return evaluate(graphs, denoising), evaluate(graphs, noising)",
             says="The two runs are exchanged. Noising, with the clean prompt in `tokens`, comes "
                  "first."),
        edit("evaluate(graphs, denoising)", "evaluate(graphs, noising)",
             says="Both runs do noising."),
        edit(DENOISING, DENOISING[:-1] + ', "token.IO": data["token.S"], "token.S": '
             'data["token.IO"]}',
             says="The two logits are exchanged in the second run. Read the same two both "
                  "times."),
        edit(DENOISING, 'denoising = data | {"tokens": data["other.tokens"], '
             '"other.tokens": data["tokens"]}',
             says="The second run's prompt is the `other.tokens` of the data. Put `others` there."),
        edit(NOISING, 'data["other.tokens"] = others\n    noising = dict(data)',
             says="The data that came in have changed. Make new dicts, as `data | {...}` does."),
        edit(DENOISING, 'denoising = data | {"tokens": others, "other.tokens": others}',
             says="Both inputs of the second run are the other prompt. `other.tokens` is the clean "
                  "one there."),
    ],
    right=[
        """
        def both_ways(graphs, data, others):
            found = []
            for here, there in ((data["tokens"], others), (others, data["tokens"])):
                inputs = dict(data)
                inputs.update({"tokens": here, "other.tokens": there})
                nodes = evaluate(list(graphs.values()), inputs)
                found.append(dict(zip(graphs, nodes)))
            return found
        """,
    ],
    hints=[
        ("Help, what do I change for denoising?", "Only the inputs. The graph's own prompt is "
         "`tokens`, and the patched parts read `other.tokens`."),
        ("Help, which logits are read?", "`token.IO` and `token.S` are columns of the data, and "
         "they stay, so both runs are measured by the same two names."),
        ("Help, almost the code", '`data | {"other.tokens": others}` for noising, and '
         '`data | {"tokens": others, "other.tokens": data["tokens"]}` for denoising.'),
    ],
)

# --- by role --------------------------------------------------------------------------------------


def some_keys(seed):
    """Values by key, with roles in other positions in each row."""
    numbers, cases = generator(seed), []
    for rows, layers, heads, seq in ((4, 2, 3, 8), (6, 3, 2, 11)):
        shuffled = torch.stack([torch.randperm(seq, generator=numbers) for _ in range(rows)])
        roles = ("IO", "S1", "S2", "END", "place")
        positions = {f"position.{role}": shuffled[:, k] for k, role in enumerate(roles)}
        cases.append((torch.randn(rows, layers, heads, seq, generator=numbers), positions))
    return cases


AT_KEY = 'values[rows, :, :, positions[f"position.{role}"]]'

exercise("d5.2.9", cases=some_keys, tolerance=CLOSE,
    mistakes=[
        edit("values.sum(-1) - torch.stack(list(found.values())).sum(0)", "values.sum(-1)",
             says="The rest holds the four roles too. Subtract them from the sum over all keys."),
        edit(AT_KEY, 'values[..., positions[f"position.{role}"][0]]',
             says="All rows use the positions of the first row. They differ by row."),
        edit(AT_KEY, 'values[0][:, :, positions[f"position.{role}"]].movedim(-1, 0)',
             says="All rows have the values of the first row."),
        edit("values.sum(-1) -", "values.mean(-1) -",
             says="The rest starts from the mean over keys. Start from their sum."),
        edit('roles = ("IO", "S1", "S2", "END")', 'roles = ("IO", "S2", "S1", "END")\n    '
             'positions = positions | {"position.S1": positions["position.S2"], '
             '"position.S2": positions["position.S1"]}',
             says="S1 and S2 are exchanged."),
    ],
    right=[
        """
        def by_role(values, positions):
            left, found = values.clone(), {}
            for role in ("IO", "S1", "S2", "END"):
                key = positions[f"position.{role}"][:, None, None, None]
                key = key.expand(*values.shape[:3], 1)
                found[role] = values.gather(-1, key)[..., 0]
                left.scatter_(-1, key, 0.0)
            found["rest"] = left.sum(-1)
            return found
        """,
    ],
    hints=[
        ("Help, how do I take another key in each row?", "Index with two tensors: "
         "`values[rows, :, :, keys]`, where `rows = torch.arange(len(values))`."),
        ("Help, what is the rest?", "The sum over all keys minus those of the four roles."),
        ("Help, almost the code", 'A dict of `values[rows, :, :, positions[f"position.{role}"]]` '
         "for the four roles, then `values.sum(-1)` minus their sum."),
    ],
)

quiz("d5.2.quiz",
    units=option("yes", "no", says="d5.2.2: what does the lens divide each stream by?"),
    before=number(says="d5.2.4: do the two prompts differ before S2?"),
    pattern=option("q and k", "q and v", "k and v",
                   says="d5.2.7: which two say where a head attends?"),
    enough=option("noising", "denoising",
                  says="d5.2.8: which of the two adds a clean part to a run without the answer?"),
    hints=[
        ("Help, the lens", "d5.2.2: each stream is divided by its own length."),
        ("Help, before S2", "d5.2.4: a causal model can't look ahead."),
        ("Help, the rest", "d5.2.7 and d5.2.8, in the lines that begin with *Learned*."),
    ],
)
