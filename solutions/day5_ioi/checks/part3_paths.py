"""How the exercises of day 5, part 3 are judged: paths and sweeps, on small random models."""

import torch

from remix_utils import circuits
from remix_utils.checks.exercise import Wrong, edit, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.errors import MatchError, kind_of
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.functions import Function
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import split, update
from remix_utils.graph.selector import Selector, at
from remix_utils.intervene import path_patch

SIZES = "The check uses small random models with other layers and heads: use the arguments."


def generator(seed):
    return torch.Generator().manual_seed(seed)


# --- small models and their prompts ---------------------------------------------------------------


def small_case(seed, n_heads=2, seq=4, n_layers=3):
    """The logit difference of a random model with MLPs, with tokens and other tokens."""
    logits = small_model(seed, n_layers=n_layers, n_heads=n_heads).graph(seq=seq)
    difference = circuits.logit_difference(split(logits, "blocks.*.attn_out", "head"))
    tokens, other = torch.randint(13, (2, 5, seq), generator=generator(seed))
    columns = {"tokens": tokens, "other.tokens": other}
    columns |= {"token.IO": tokens[:, 0], "token.S": other[:, 1]}
    return Graph(difference, columns)


def other_tokens(graph):
    return placeholder("other.tokens", tuple(graph.inputs["tokens"].shape[1:]), torch.long)


def patched(selector, graph):
    """The difference if the selected paths read the other tokens."""
    if not isinstance(selector, Selector):
        raise Wrong(f"Expected a selector, got {kind_of(selector)}.")
    try:
        changed = path_patch(graph.node, selector, {"tokens": other_tokens(graph)})
    except MatchError:
        return "no path of the model fits the selector"
    return evaluate(changed, graph.inputs)


def head_part(layer, head, part="out"):
    return at(f"blocks.{layer}.attn.head.{head}.{part}")


# --- the direct path ------------------------------------------------------------------------------

OUTPUTS = at("*.mlp_out") | at("*.attn.head.*.out")


def some_parts(seed):
    """A head, an MLP and the embedding of small models, each with blocks after it."""
    one, two = small_case(seed), small_case(seed + 1, n_heads=3, seq=5)
    return [(one, head_part(0, 1)), (two, head_part(1, 2)), (one, at("blocks.0.mlp_out")),
            (two, at("embed"))]


def direct_use(answer, graph, part):
    """The patched differences, from the logits to the part and from a late head to its queries."""
    queries = head_part(2, 1).avoiding(OUTPUTS) >> answer(head_part(2, 1, "q"))
    return {"from the logits": patched(answer(part), graph),
            "from a head to its queries": patched(queries, graph)}


exercise("d5.3.1", cases=some_parts, use=direct_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("part.avoiding(BLOCKS)", "part",
             says="These are all paths to the part, through later heads and MLPs too. Avoid "
                  "their outputs."),
        edit("avoiding(BLOCKS)", "avoiding(HEADS)",
             says="MLPs on the way still react. Avoid their outputs too."),
        edit("avoiding(BLOCKS)", 'avoiding(at("*.mlp_out"))',
             says="Later heads on the way still react. Avoid their outputs too."),
        edit("part.avoiding(BLOCKS)", "BLOCKS >> part",
             says="These are the paths that do pass a head or an MLP. Use .avoiding(...)."),
        edit("part.avoiding(BLOCKS)", "part & ~BLOCKS",
             says="`& ~BLOCKS` rules out heads and MLPs as the part itself. Rule them out on the "
                  "way to the part, with .avoiding(...)."),
        edit("avoiding(BLOCKS)", 'avoiding(at("*.attn.head.*") | at("*.mlp_out"))',
             says="Patterns, queries and values are avoided too, so no path leads from a head to "
                  "its own inputs. Avoid outputs only."),
    ],
    right=[
        """
        def direct(part):
            def writes(node):
                return node.name.endswith(".mlp_out") or ".attn.head." in node.name and (
                    node.name.endswith(".out"))
            return part.avoiding(at(writes))
        """,
    ],
    hints=[
        ("Help, how do I leave out paths?", "`selector.avoiding(other)` keeps the paths that "
         "pass no node of `other` on the way."),
        ("Help, is the head itself avoided?", "It isn't. Only nodes on the way to it are."),
        ("Help, almost the code", "`part.avoiding(...)` with the selector of the outputs of all "
         "heads and MLPs."),
    ],
)

# --- a sweep --------------------------------------------------------------------------------------


def some_sweeps(seed):
    """Several ways in two small models."""
    one, two = small_case(seed), small_case(seed + 1, n_heads=3, seq=5)
    first = {"early": head_part(0, 0), "late": head_part(2, 1), "MLP": at("blocks.1.mlp_out")}
    first |= {"embedding": at("embed"), "middle": head_part(1, 0)}
    second = {(layer, head): head_part(layer, head) for layer in (0, 2) for head in range(3)}
    return [(one, first), (two, second)]


def falls_use(answer, difference, ways):
    """The falls, and whether the model ran once for all paths or again for each."""
    inputs = difference.inputs
    runs = []

    def count(value):
        runs.append(1)
        return value

    def counted(node):
        return Node(Apply(Function("counted", count)), (node,), node.name)

    counting = update(difference.node, "embed", counted)
    found = answer(counting, ways, other_tokens(difference), inputs)
    if not isinstance(found, dict) or list(found) != list(ways):
        raise Wrong(f"Expected a dict with the keys of `ways`, got {kind_of(found)}.")
    return {"the falls": found, "runs": "once" if len(runs) <= len(ways) else "for each way"}


TOGETHER = "before, *after = evaluate([difference, *graphs], inputs)"

exercise("d5.3.2", cases=some_sweeps, use=falls_use, tolerance=CLOSE,
    sizes="The check uses small random models, and counts how often their embedding is computed.",
    mistakes=[
        edit("before - values", "values - before",
             says="The sign is reversed. A fall is clean minus patched."),
        edit("before - values", "values",
             says="This is the patched difference. Subtract it from the clean one."),
        edit("before - values", "(before - values).mean()",
             says="This is one number for all rows. Give one for each row."),
        edit("before - values", "(before - values) / before",
             says="This is a share. Give the fall in logits."),
        edit(TOGETHER, "before = evaluate(difference, inputs)\n"
             "    after = [evaluate(graph, inputs) for graph in graphs]",
             says="The model runs again for each path. Pass all graphs to one `evaluate`."),
        edit("before, *after = evaluate([difference, *graphs], inputs)",
             "after = evaluate(graphs, inputs)\n    before = after[0]",
             says="The first patched graph is used as the clean one. Evaluate the difference "
                  "too."),
    ],
    right=[
        """
        def falls(difference, ways, other, inputs):
            graphs = {name: path_patch(difference, way, {"tokens": other})
                      for name, way in ways.items()}
            found = evaluate(graphs, inputs)
            clean = evaluate(difference, inputs)
            return {name: clean - values for name, values in found.items()}
        """,
    ],
    hints=[
        ("Help, how do I patch one path?", '`path_patch(difference, way, {"tokens": other})` is a '
         "graph."),
        ("Help, how do I evaluate many?", "`evaluate` takes a list of nodes and gives a list of "
         "tensors. Put the clean difference first."),
        ("Help, almost the code", "`before, *after = evaluate([difference, *graphs], inputs)`, "
         "then a dict of `before - values` with the names of `ways`."),
    ],
)

# --- what a head writes ---------------------------------------------------------------------------


def some_writing(seed):
    """What a head adds to the logits of names, with a common part in each row."""
    numbers, cases = generator(seed), []
    for rows, names in ((4, 6), (7, 11)):
        written = torch.randn(rows, names, generator=numbers)
        written += 3 * torch.randn(rows, 1, generator=numbers)
        chosen = torch.stack([torch.randperm(names, generator=numbers)[:2] for _ in range(rows)])
        cases.append((written, chosen[:, 0], chosen[:, 1]))
    return cases


exercise("d5.3.3", cases=some_writing,
    mistakes=[
        edit("written - written.mean(1, keepdim=True)", "written",
             says="The mean over names isn't subtracted, so a head that raises all names seems "
                  "to raise both."),
        edit("written.mean(1, keepdim=True)", "written.mean(0)",
             says="This is the mean over rows. Take the mean over names, for each row."),
        edit("written.mean(1, keepdim=True)", "written.mean()",
             says="This is one mean for everything. Take the mean over names, for each row."),
        edit("written.mean(1, keepdim=True)",
             "(written.sum(1, keepdim=True) - written) / (written.shape[1] - 1)",
             says="This is the mean over the other names. Include the name itself."),
        edit("above[rows, io], above[rows, s]", "above[rows, s], above[rows, io]",
             says="IO and S are exchanged. The IO comes first."),
        edit("above[rows, io], above[rows, s]", "above[:, io], above[:, s]",
             says="These are tables with all columns for each row. Index rows and columns "
                  "together."),
        edit("above[rows, io], above[rows, s]", "above[rows, io] - above[rows, s], above[rows, s]",
             says="This is the difference of both names. Compare each name with the mean."),
    ],
    right=[
        """
        def above_mean(written, io, s):
            mean = written.mean(1)
            return tuple(written.gather(1, name[:, None])[:, 0] - mean for name in (io, s))
        """,
    ],
    hints=[
        ("Help, which mean?", "For each row, over all names: axis 1. `keepdim=True` lets you "
         "subtract it."),
        ("Help, how do I pick one column in each row?", "`above[rows, io]` with "
         "`rows = torch.arange(len(written))`."),
        ("Help, almost the code", "`above = written - written.mean(1, keepdim=True)`, then "
         "`above[rows, io]` and `above[rows, s]`."),
    ],
)

# --- attention against writing --------------------------------------------------------------------


def some_points(seed):
    """Attention and writing that go together within a name, or only between the names."""
    numbers, cases = generator(seed), []
    for sign, shift in ((1, 0.5), (-1, 0.5), (1, -2.0)):
        io, s = torch.rand(2, 9, generator=numbers)
        attention = {"IO": io + 1, "S": 0.3 * s}
        written = {"IO": sign * io + shift, "S": sign * s}
        for name, values in written.items():
            written[name] = values + 0.2 * torch.randn(9, generator=numbers)
        cases.append((attention, written))
    return cases


JOINED = 'torch.cat([values["IO"], values["S"]])'
POINTS = f"points = [{JOINED} for values in (attention, written)]"
WHOLE = f"{POINTS}\n    return float(torch.corrcoef(torch.stack(points))[0, 1])"

exercise("d5.3.4", cases=some_points, tolerance=1e-4,
    mistakes=[
        edit(JOINED, 'values["IO"]', says="Only the IO's points count here. Take both names."),
        edit(JOINED, 'values["S"]', says="Only the points of S count here. Take both names."),
        edit(WHOLE, 'found = [torch.corrcoef(torch.stack([attention[name], written[name]]))[0, 1] '
             'for name in ("IO", "S")]\n    return float(sum(found) / 2)',
             says="This is the mean of two correlations. Put the points of both names into one "
                  "list."),
        edit(JOINED, 'values["IO"] - values["S"]',
             says="This correlates differences of the two names. Each name is a point of its "
                  "own."),
        edit("torch.corrcoef(torch.stack(points))", "torch.cov(torch.stack(points))",
             says="This is a covariance, which has units. Take the correlation."),
        edit("[0, 1])", "[0, 1].abs())",
             says="The sign is lost. It tells copying from suppressing."),
    ],
    right=[
        """
        def follows(attention, written):
            x, y = (torch.stack([each["S"], each["IO"]]).flatten().double()
                    for each in (attention, written))
            x, y = x - x.mean(), y - y.mean()
            return ((x * y).sum() / (x.square().sum() * y.square().sum()).sqrt()).item()
        """,
    ],
    hints=[
        ("Help, what is one point?", "It belongs to one prompt and one name, and gives the "
         "attention to that name and the head's contribution to its logit."),
        ("Help, how do I join them?", '`torch.cat([values["IO"], values["S"]])`, the same way for '
         "attention and for writing."),
        ("Help, almost the code", "Two joined lists, stacked, and `torch.corrcoef(...)[0, 1]`."),
    ],
)

# --- a fixed pattern ------------------------------------------------------------------------------


def some_patterns(seed):
    """A late and a middle head of small models, with a random pattern a row."""
    cases = []
    for place, (layer, head) in enumerate(((2, 1), (1, 0), (1, 2))):
        seq = 4 + place
        graph = small_case(seed + place, n_heads=2 + place // 2, seq=seq)
        scores = 2 * torch.randn(5, seq, seq, generator=generator(seed + place))
        inputs = graph.inputs | {"given": scores.softmax(-1)}
        cases.append((Graph(graph.node, inputs), (layer, head)))
    return cases


def attending_use(answer, graph, head):
    seq = graph.inputs["tokens"].shape[1]
    node = answer(graph.node, head, placeholder("given", (seq, seq)))
    if not isinstance(node, Node):
        raise Wrong(f"Expected a node, got {kind_of(node)}.")
    return evaluate(node, graph.inputs)


EVERYWHERE = """
def attending(graph, head, pattern):
    from remix_utils import update

    output = find_one(graph, "blocks.{}.attn.head.{}.out".format(*head))
    return update(output, "*.pattern", lambda node: pattern)
"""

exercise("d5.3.5", cases=some_patterns, use=attending_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("replace(output, {old: pattern})", "output",
             says="This is the head as it is. Replace its pattern."),
        edit("replace(output, {old: pattern})", "replace(graph, {old: pattern})",
             says="This is the whole graph with another pattern. Return the head's output."),
        edit('find_one(graph, f"{name}.out")', 'find_one(graph, f"{name}.z")',
             says="This is the head before its output matrix. The output is called out."),
        instead(EVERYWHERE,
             says="Earlier heads get the pattern too. Replace this head's pattern alone."),
        edit('name = "blocks.{}.attn.head.{}".format(*head)',
             'name = "blocks.{}.attn.head.{}".format(head[0], 0 if head[1] else 1)',
             says="This is another head of the layer."),
    ],
    right=[
        """
        def attending(graph, head, pattern):
            name = f"blocks.{head[0]}.attn.head.{head[1]}"
            changed = replace(graph, {find_one(graph, f"{name}.pattern"): pattern})
            return find_one(changed, f"{name}.out")
        """,
    ],
    hints=[
        ("Help, how do I find a node by its name?", "`find_one(graph, name)`."),
        ("Help, how do I put one node in the place of another?", "`replace(node, {old: new})` is "
         "`node` with `new` wherever it read `old`."),
        ("Help, almost the code", "Find the pattern and the output, then replace the pattern below "
         "the output."),
    ],
)

# --- into a side of some heads --------------------------------------------------------------------

LATE = at("blocks.2.attn.head.1.out") | at("blocks.1.attn.head.0.out")


def some_receivers(seed):
    """Ways that end at two heads, the one before the other, and each side of both."""
    one, two = small_case(seed), small_case(seed + 1, n_heads=3, seq=5)
    receivers = [(2, 1), (1, 0)]
    way = LATE.avoiding(OUTPUTS)
    last = head_part(2, 1).avoiding(OUTPUTS)
    return [(one, way, receivers, "q"), (two, way, receivers, "v"), (two, way, receivers, "qk"),
            (one, last, receivers, "v")]


def into_use(answer, graph, way, receivers, sides):
    return patched(answer(way, receivers, sides), graph)


INTO = "way >> direct(inputs_of(receivers, sides))"

exercise("d5.3.6", cases=some_receivers, use=into_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(INTO, "direct(inputs_of(receivers, sides))",
             says="No path leads from the logits to these inputs. Begin with `way`, and continue "
                  "it with `>>`."),
        edit(INTO, "inputs_of(receivers, sides)",
             says="These are all paths to the receivers' inputs. Continue `way` instead."),
        edit(INTO, "way >> inputs_of(receivers, sides)",
             says="The paths go on through other heads. The step to the inputs must be direct."),
        edit(INTO, "way",
             says="These paths end at the heads' outputs. Continue them to the inputs."),
        edit("inputs_of(receivers, sides)", 'inputs_of(receivers, "q")',
             says="These are always the queries. Use `sides`."),
    ],
    right=[
        """
        def into(way, receivers, sides):
            found = None
            for layer, head in receivers:
                for side in sides:
                    step = way >> at(f"blocks.{layer}.attn.head.{head}.{side}").avoiding(BLOCKS)
                    found = step if found is None else found | step
            return found
        """,
    ],
    hints=[
        ("Help, in which direction does a selector go?", "From the root down: from the logits to "
         "the receivers, and then to what they read."),
        ("Help, why direct again?", "A head's output can be reached from a later head's values. "
         "Without `direct` the step could go through other heads."),
        ("Help, almost the code", "`way >> direct(...)` with `inputs_of(receivers, sides)`."),
    ],
)

# --- a chain --------------------------------------------------------------------------------------


def some_stages(seed):
    """Chains of one, two and three stages."""
    one, two = small_case(seed), small_case(seed + 1, n_heads=3, seq=5)
    return [
        (one, [([(2, 0), (1, 1)], "v")]),
        (two, [([(2, 0), (2, 1)], "q"), ([(0, 1), (1, 2)], "v")]),
        (one, [([(2, 1)], "v"), ([(1, 0), (1, 1)], "k"), ([(0, 0)], "qk")]),
    ]


def chain_use(answer, graph, stages):
    return patched(answer(stages), graph)


STEP = "way = into(part if way is None else way >> part, chosen, sides)"

exercise("d5.3.7", cases=some_stages, use=chain_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("in stages:", "in stages[::-1]:",
             says="No path passes these stages in this order. The first stage is nearest to the "
                  "logits, and each step leads to the outputs of the next stage."),
        edit(STEP, "way = into(part, chosen, sides)",
             says="Only the last stage is left. Continue the paths so far."),
        edit("in stages:", "in stages[:1]:",
             says="The chain ends after the first stage. Go on through all of them."),
        edit("part = direct(outputs_of(chosen))", "part = outputs_of(chosen)",
             says="These paths pass other heads and MLPs between the stages. Use direct."),
        edit("chosen, sides)", 'chosen, "qkv")',
             says="Queries, keys and values of a stage change together. Use the side that the "
                  "stage names."),
    ],
    right=[
        """
        def chain(stages):
            *before, (chosen, sides) = stages
            part = direct(outputs_of(chosen))
            return into(chain(before) >> part if before else part, chosen, sides)
        """,
    ],
    hints=[
        ("Help, what is the first step?", "`direct(outputs_of(chosen))` goes from the logits to "
         "the first stage's heads, and `into` goes on to their inputs."),
        ("Help, what is every other step?", "From the inputs so far, `way >> "
         "direct(outputs_of(chosen))` leads to the next stage's heads."),
        ("Help, almost the code", "Loop over the stages with a variable `way`, which is `None` at "
         "first. In each turn, add the part with `>>` if there is a way, and then use `into`."),
    ],
)

# --- early heads ----------------------------------------------------------------------------------


def some_positions(seed):
    """A query and a key in each row, of two lengths."""
    numbers = generator(seed)
    cases = []
    for rows, seq in ((5, 4), (3, 7)):
        query, key = torch.randint(1, seq, (2, rows), generator=numbers)
        cases.append((query, key, seq))
    return cases


SET = "found[torch.arange(len(query)), query, key] = True"

exercise("d5.3.8", cases=some_positions,
    mistakes=[
        edit(SET, SET.replace("query, key]", "key, query]"),
             says="Query and key are exchanged. Queries come before keys."),
        edit(SET, "found[:, query, key] = True",
             says="Every row has the pairs of all rows. Set one pair in each row."),
        edit(SET, "found[torch.arange(len(query)), query] = True",
             says="All keys of the query are true. Set one key."),
        edit(SET, "found[torch.arange(len(query)), :, key] = True",
             says="All queries of the key are true. Set one query."),
        edit(SET, SET.replace("query, key]", "query, key - 1]"),
             says="The key is one position too early."),
    ],
    right=[
        """
        def pairs(query, key, seq):
            places = torch.arange(seq)
            is_query, is_key = (each[:, None] == places for each in (query, key))
            return is_query[:, :, None] & is_key[:, None, :]
        """,
    ],
    hints=[
        ("Help, where do I begin?", "With a tensor of `False`, [rows, seq, seq]."),
        ("Help, how do I set one entry in each row?", "Index with three tensors of the same "
         "length: rows, queries and keys."),
        ("Help, almost the code", "`found[torch.arange(len(query)), query, key] = True`."),
    ],
)

# --- the price of hooks ---------------------------------------------------------------------------


def some_plans(seed):
    """Lists of sweeps into the logits and into other receivers."""
    one, two, three = torch.randint(5, 200, (3,), generator=generator(seed)).tolist()
    return [([(one, "logits")],), ([(two, "queries")],), ([],),
            ([(one, "logits"), (two, "queries"), (three, "values")],),
            ([(three, "keys"), (one, "logits"), (two, "logits")],)]


EACH = 'senders * (1 if receiver == "logits" else 2)'

exercise("d5.3.9", cases=some_plans,
    mistakes=[
        edit("return 2 + sum(each)", "return sum(each)",
             says="The run on the prompts and the run on ABC are missing. Add two."),
        edit("return 2 + sum(each)", "return sum(each) + 2 * len(each)",
             says="The first two runs are counted for each sweep. They serve for all of them."),
        edit(EACH, "senders * 2",
             says="A sender into the logits takes two passes here. It takes one."),
        edit(EACH, "senders",
             says="Every sender takes one pass here. One into queries, keys or values takes two."),
        edit('receiver == "logits"', 'receiver != "queries"',
             says="Only queries take two passes here. Keys and values do too."),
        edit('receiver == "logits"', 'receiver != "logits"',
             says="A sender into the logits takes two passes here, and every other takes one. "
                  "Exchange the two."),
        edit("return 2 + sum(each)", "return 1 + sum(each)",
             says="Only one first run is counted. There are two, on the prompts and on ABC."),
    ],
    right=[
        """
        def passes(sweeps):
            count = 2
            for senders, receiver in sweeps:
                count += senders
                if receiver != "logits":
                    count += senders
            return count
        """,
    ],
    hints=[
        ("Help, what is shared?", "The run on the prompts and the run on ABC. All sweeps use the "
         "same two."),
        ("Help, why two passes into queries?", "One computes the receivers' new queries, and one "
         "carries them on to the logits."),
        ("Help, almost the code", "2 plus, for each sweep, the senders times 1 or 2."),
    ],
)

# --- by hand --------------------------------------------------------------------------------------


def read_one(stream):
    """A norm and a direction, as a model's end has them."""
    scaled = stream / (stream.square().mean(-1, keepdim=True) + 1e-5).sqrt()
    return scaled @ torch.linspace(-1, 2, stream.shape[-1])


def some_streams(seed):
    """Streams and what one head adds to them on two prompts."""
    shapes = ((4, 6), (3, 9))
    return [(*torch.randn(3, *shape, generator=generator(seed)).unbind(), read_one)
            for shape in shapes]


FALL = "read(stream) - read(stream - clean + elsewhere)"

exercise("d5.3.10", cases=some_streams, tolerance=CLOSE,
    mistakes=[
        edit(FALL, "read(stream - clean + elsewhere) - read(stream)",
             says="The sign is reversed. A fall is the clean difference minus the patched one."),
        edit("stream - clean + elsewhere", "stream + elsewhere",
             says="The clean output is still in the stream. Take it out."),
        edit("stream - clean + elsewhere", "stream - clean",
             says="The head is removed and nothing is put in its place. Add its output on ABC."),
        edit("stream - clean + elsewhere", "stream - elsewhere + clean",
             says="The two outputs are exchanged. Take out the clean one."),
        edit(FALL, "read(clean - elsewhere)",
             says="The change is read by itself. The norm depends on the whole stream, so read "
                  "it before and after."),
        edit("read(stream - clean + elsewhere)", "read(elsewhere)",
             says="The head's output is read without the stream. Put it into the stream."),
        edit(FALL, "read(clean) - read(elsewhere)",
             says="Both outputs are read without the stream. The final norm divides by the length "
                  "of the whole stream, so put each output into the stream first."),
        edit(FALL, "read(stream - clean + elsewhere)",
             says="This is the patched difference. Subtract it from the clean one."),
    ],
    right=[
        """
        def fall_by_hand(stream, clean, elsewhere, read):
            change = elsewhere - clean
            before, after = read(torch.stack([stream, stream + change]))
            return before - after
        """,
    ],
    hints=[
        ("Help, what is patched?", "One term of the stream, which is a sum. Take out `clean`, and "
         "add `elsewhere`."),
        ("Help, can I read the change alone?", "No. The final norm divides by the length of the "
         "whole stream."),
        ("Help, almost the code", "`read(stream)` minus `read` of the stream with the one output "
         "in the place of the other."),
    ],
)

quiz("d5.3.quiz",
    sign=option("raise", "lower",
                says="d5.3.2: a negative fall means that the patched difference is larger."),
    side=option("queries", "keys", "values",
                says="d5.3.6: which inputs of the movers did the second sweep patch?"),
    copy=number(says="d5.3.5: five names out of all of them."),
    frozen=option("react", "stay",
                  says="d5.3.1: which blocks does `direct` avoid?"),
    hints=[
        ("Help, sign", "d5.3.2: the fall is clean minus patched."),
        ("Help, copy", "d5.3.5: the name is among the five that are raised most."),
        ("Help, the rest", "d5.3.1 and d5.3.6: the words are in the text above the exercise."),
    ],
)
