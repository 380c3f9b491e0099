"""How the exercises of day 4, part 4 are judged: the boss."""

import tomllib

import torch

from remix_utils import models
from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.data import Dataset, Exact, Feature, Matching, Uniform
from remix_utils.errors import kind_of
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import placeholder
from remix_utils.graph.rewrite import split
from remix_utils.graph.select import find
from remix_utils.graph.selector import Selector, at
from remix_utils.intervene import path_patch
from remix_utils.models.model import SHIPPED
from remix_utils.scrub.hypothesis import HypothesisError, Interp
from remix_utils.scrub.scrubbing import scrub
from remix_utils.tasks import parens

WRITTEN = tomllib.loads((SHIPPED / "parens-planted.circuit.toml").read_text(encoding="utf-8"))
CIRCUIT = frozenset((sender, receiver) for sender, receiver, _ in WRITTEN["edges"])
SIZES = "The check uses values of other sizes: use the shapes of the arguments."

# --- looking --------------------------------------------------------------------------------------


def some_values(seed):
    """Values with one direction, or two, that stand out; far from zero."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for rows, width in ((9, 4), (12, 7)):
        values = torch.randn(rows, width, generator=numbers)
        values = values * torch.linspace(0.5, 3, width) + 4 * torch.randn(width, generator=numbers)
        cases.append((values,))
    return cases


def component_use(answer, values):
    """The coordinates with the sign that makes the largest positive, and the share."""
    found = answer(values)
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong(f"It gives {describe(plain(found))}, expected coordinates and a share.")
    coordinates, share = torch.as_tensor(found[0]), torch.as_tensor(found[1])
    if coordinates.ndim == 1:
        coordinates = coordinates * coordinates[coordinates.abs().argmax()].sign()
    return coordinates, share


SHARE = "(sizes[0] ** 2 / (sizes**2).sum()).item()"

exercise("d4.4.1", cases=some_values, use=component_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("values - values.mean(0)", "values",
             says="The values are not centred, so the first direction is mostly their mean."),
        edit("values.mean(0)", "values.mean(1, keepdim=True)",
             says="You subtract the mean of each row. Subtract the mean over rows."),
        edit(SHARE, "(sizes[0] / sizes.sum()).item()",
             says="This is a share of singular values. Variance goes with their squares."),
        edit("rows[:, 0] * sizes[0]", "rows[:, 0]",
             says="The coordinates have unit length. Multiply by the first singular value."),
        edit("rows[:, 0] * sizes[0]", "rows[:, -1] * sizes[-1]",
             says="This is the last component. Singular values come in falling order."),
        edit("rows[:, 0] * sizes[0]", "rows[0] * sizes[0]",
             says="This is a row of the left singular vectors. The first component is a column."),
    ],
    right=[
        """
        def first_component(values):
            centred = values - values.mean(0, keepdim=True)
            sizes, directions = torch.linalg.eigh(centred.T @ centred)
            return centred @ directions[:, -1], float(sizes[-1] / sizes.sum())
        """,
    ],
    hints=[
        ("Help, what is a principal component?", "The direction in which the centred rows vary "
         "most. The coordinate of a row is its product with this direction."),
        ("Help, where does the SVD give coordinates?", "In `u, s, v = torch.linalg.svd(centred, "
         "full_matrices=False)`, column i of `u * s` has the coordinates along component i."),
        ("Help, almost the code", "`u[:, 0] * s[0]`, and `s[0] ** 2 / (s ** 2).sum()` for the "
         "share, after centring with `values.mean(0)`."),
    ],
)

# --- an edge --------------------------------------------------------------------------------------


def small_graph(seed, n_layers=3, n_heads=2, seq=4, rows=3):
    """A small model split into heads, with rows and other rows."""
    graph = small_model(seed, 6, n_layers, n_heads).graph(seq=seq)
    numbers = torch.Generator().manual_seed(seed)
    tokens, other = (torch.randint(13, (rows, seq), generator=numbers) for _ in range(2))
    graph = split(graph, "blocks.*.attn_out", "head")
    return Graph(graph, {"tokens": tokens, "other": other})


def some_edges(seed):
    """Edges of small models: into logits, an MLP, and each part of a head."""
    three, two = small_graph(seed), small_graph(seed + 1, 2, 3, 5)
    return [
        (three, "blocks.0.attn.head.1.out", "logits"),
        (three, "blocks.0.mlp_out", "blocks.2.mlp.pre"),
        (three, "embed", "blocks.2.attn.head.0.v"),
        (two, "embed", "blocks.1.attn.head.2.k"),
    ]


def edge_use(answer, graph, sender, receiver):
    """The logits with other tokens along the edge."""
    found = answer(sender, receiver)
    if not isinstance(found, Selector):
        raise Wrong(f"It gives {describe(plain(found))}, expected a selector such as at(...).")
    other = placeholder("other", (graph.node.shape[0],), torch.long)
    return evaluate(path_patch(graph.node, found, {"tokens": other}), graph.inputs)


PATH = "return (at(receiver) >> at(sender)).avoiding(between)"
BETWEEN = 'between = at("*.head.*.out") | at("*.mlp_out")'

exercise("d4.4.2", cases=some_edges, use=edge_use, tolerance=CLOSE,
    sizes="The check uses models with other numbers of layers and heads.",
    mistakes=[
        edit(PATH, "return at(receiver) >> at(sender)",
             says="All paths from the sender are cut, also those through later heads and MLPs. "
                  "Avoid what lies between."),
        edit(BETWEEN, 'between = at("*.head.*.out")',
             says="Paths through an MLP in between are cut as well. Avoid MLP outputs too."),
        edit(BETWEEN, 'between = at("*.mlp_out")',
             says="Paths through a head in between are cut as well. Avoid heads' outputs too."),
        edit("(at(receiver) >> at(sender))", "(at(sender) >> at(receiver))",
             says="The order is reversed: a selector goes down from the receiver to the sender."),
        edit("(at(receiver) >> at(sender))", "at(sender)",
             says="This cuts every edge from the sender along the stream. Begin at the receiver."),
        edit("(at(receiver) >> at(sender))", "at(receiver)",
             says="This cuts all that the receiver reads. Go on to the sender."),
    ],
    right=[
        """
        def edge(sender, receiver):
            parts = at(lambda node: node.name.endswith((".out", ".mlp_out")))
            return at(receiver) >> at(sender).avoiding(parts)
        """,
        """
        def edge(sender, receiver):
            stops = at("*.z") | at("*.mlp.post")
            return (at(receiver) >> at(sender).avoiding(stops)) & (at(receiver) >> at(sender))
        """,
    ],
    hints=[
        ("Help, why is `at(receiver) >> at(sender)` not enough?", "It also selects the sender "
         "below other heads and MLPs that the receiver reads. These are other edges."),
        ("Help, what must be avoided?", "The outputs of heads, `*.head.*.out`, and of MLPs, "
         "`*.mlp_out`. The sender itself is the end of the path and is not avoided. Do not avoid "
         "`*.attn_out`, the sum of the heads. Every path from a head passes through it."),
        ("Help, almost the code", "`(at(receiver) >> at(sender)).avoiding(at(...) | at(...))`."),
    ],
)

# --- what a head carries --------------------------------------------------------------------------


def some_terms(seed):
    """Patterns, what is read, and the weights of a head."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for rows, queries, keys, width, d_head in ((4, 1, 5, 6, 3), (6, 3, 4, 7, 2)):
        pattern = torch.randn(rows, queries, keys, generator=numbers).softmax(-1)
        x = torch.randn(rows, keys, width, generator=numbers) + 1
        W_V = torch.randn(width, d_head, generator=numbers)
        cases.append((pattern, x, W_V, torch.randn(d_head, width, generator=numbers)))
    return cases


SPREAD = "apart.square().sum(-1).mean().sqrt()"

exercise("d4.4.3", cases=some_terms, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("term - term.mean(0)", "term",
             says="The mean over rows is not subtracted. A term that all strings share carries "
                  "nothing about them."),
        edit("term.mean(0)", "term.mean((0, 1))",
             says="One mean is taken over rows and queries. Each query has its own mean over "
                  "rows."),
        edit("term.mean(0)", "term.mean(1, keepdim=True)",
             says="The mean is over queries. Take it over rows, the first axis."),
        edit(SPREAD, "apart.square().mean().sqrt()",
             says="The squares are averaged over d_model. A distance sums over it."),
        edit(SPREAD, "apart.square().sum(-1).sqrt().mean()",
             says="This is a mean distance. Take the mean of the squares, then the root."),
        edit(SPREAD, "apart.square().sum(-1).mean()",
             says="The root is missing."),
        edit(SPREAD, "(apart.square().sum((0, -1)) / (len(apart) - 1)).mean().sqrt()",
             says="The squares are divided by the number of rows minus 1. Divide by the number of "
                  "rows, as with `correction=0`."),
        edit("pattern @ x @ W_V @ W_O", "x @ W_V @ W_O",
             says="The attention pattern is not used: this is what all keys could give."),
        edit("pattern @ x @ W_V @ W_O", "pattern @ x @ W_V",
             says="This stops at the values. What the head writes also goes through W_O."),
    ],
    right=[
        """
        def carried(pattern, x, W_V, W_O):
            written = torch.einsum("rqk,rkd,dh,he->rqe", pattern, x, W_V, W_O)
            return written.var(0, correction=0).sum(-1).mean() ** 0.5
        """,
    ],
    hints=[
        ("Help, what shape is the term?", "[row, query, d_model], like the output of the head."),
        ("Help, which mean is subtracted?", "The mean over rows, for each query and each "
         "coordinate. This is `term.mean(0)`."),
        ("Help, almost the code", "Take `pattern @ x @ W_V @ W_O` minus its mean over rows. Square "
         "it, sum over the last axis, take the mean, then the root."),
    ],
)

# --- the circuit ----------------------------------------------------------------------------------


def edges_of(answer):
    """The edges of an answer as a set; Wrong for other things than edges of this model."""
    try:
        found = {(sender, receiver) for sender, receiver in answer}
    except (TypeError, ValueError):
        raise Wrong("It is no list of edges, each as (sender, receiver).") from None
    for sender, receiver in found:
        if (receiver, sender) in CIRCUIT or receiver == "embed" or sender == "logits":
            raise Wrong("An edge is reversed: the sender comes first, then the receiver.")
        known = set(NODES)
        if sender not in known or receiver not in known:
            raise Wrong(f"There is no edge {sender} -> {receiver}. Names stand in EDGES.")
        if not sender.endswith(("embed", ".out", "mlp_out")):
            raise Wrong(f"{sender} is no sender. Edges start at embed, an .out or an mlp_out.")
        if not receiver.endswith(("logits", ".q", ".k", ".v", "mlp.pre")):
            raise Wrong(f"{receiver} is no receiver. Edges end at q, k, v, mlp.pre or logits.")
    return found


PLANTED = models.load("parens-planted")
PLANTED_GRAPH = split(PLANTED.graph(parens.LENGTH, mask=True), "blocks.*.attn_out", "head")
NODES = frozenset(node.name for node in find(PLANTED_GRAPH, "*"))


def precision_use(answer):
    """Enough edges, and few false ones among them."""
    found = edges_of(answer)
    if len(found) < 7:
        raise Wrong(f"There are fewer than seven edges: {len(found)}.")
    if len(found - CIRCUIT) > len(found) / 10:
        raise Wrong("More than one edge in ten is false. Cut each of them once: does an answer "
                    "change?")
    return True


def recall_use(answer):
    """All edges of the circuit, among not too many others."""
    found = edges_of(answer)
    if len(found) > 20:
        raise Wrong(f"There are more than 20 edges: {len(found)}. Leave out those that carry "
                    "nothing.")
    if missing := CIRCUIT - found:
        raise Wrong("Edges of the circuit are missing. For each part that matters, look at all "
                    "the parts by which it reads.", missing=len(missing))
    return True


FALSE = "More than one edge in ten is false. Cut each of them once: does an answer change?"
MISSING = ("Edges of the circuit are missing. For each part that matters, look at all the parts "
           "by which it reads.")
REVERSED = "An edge is reversed: the sender comes first, then the receiver."

exercise("d4.4.4", use=precision_use, free=True,
    mistakes=[
        edit('("blocks.2.mlp_out", "logits")', '("blocks.2.attn.head.0.out", "logits")',
             says=FALSE),
        edit('    ("blocks.0.mlp_out", "blocks.1.attn.head.3.v"),\n', "",
             says="There are fewer than seven edges: 6."),
        edit('("blocks.2.mlp_out", "logits")', '("logits", "blocks.2.mlp_out")', says=REVERSED),
        edit('("blocks.2.mlp_out", "logits")', '("blocks.2.mlp", "logits")',
             says="There is no edge blocks.2.mlp -> logits. Names stand in EDGES."),
        edit('("blocks.2.mlp_out", "logits")', '("blocks.2.mlp.post", "logits")',
             says="blocks.2.mlp.post is no sender. Edges start at embed, an .out or an mlp_out."),
        edit('("blocks.2.mlp_out", "logits")', '("blocks.1.mlp_out", "blocks.2.ln1")',
             says="blocks.2.ln1 is no receiver. Edges end at q, k, v, mlp.pre or logits."),
        instead("sure = 7", says="It is no list of edges, each as (sender, receiver)."),
    ],
    right=[
        """
        heads = ["blocks.0.attn.head.0", "blocks.0.attn.head.1"]
        sure = {("embed", f"{head}.v") for head in heads}
        sure |= {(f"{head}.out", f"blocks.{layer}.mlp.pre") for head in heads for layer in (0, 1)}
        sure |= {("blocks.2.mlp_out", "logits")}
        """,
    ],
    hints=[
        ("Help, where do I begin?", "At the logits. Only a sender that they read can be the last "
         "step. Then ask by which receivers this sender reads."),
        ("Help, I run out of edges", "Look first. `look(receiver, position)` names the senders "
         "that could carry something, and most receivers have one or two. `attends` tells at "
         "which position the next layer reads."),
        ("Help, almost the answer", "The logits read one MLP. It reads two heads of the same "
         "layer, and each of these has one sender for its values. Go on from those two."),
    ],
)

exercise("d4.4.5", use=recall_use, free=True,
    mistakes=[
        edit('    ("embed", "blocks.0.attn.head.0.v"),\n', "", says=MISSING),
        edit('    ("blocks.0.attn.head.0.out", "blocks.1.mlp.pre"),\n', "", says=MISSING),
        edit("    *sure,\n", '    *[("embed", receiver) for receiver in RECEIVERS],\n',
             says="There are more than 20 edges: 44. Leave out those that carry nothing."),
        edit('("embed", "blocks.0.attn.head.0.v")', '("blocks.0.attn.head.0.v", "embed")',
             says=REVERSED),
        edit('("embed", "blocks.0.attn.head.0.v")', '("tokens", "blocks.0.attn.head.0.v")',
             says="tokens is no sender. Edges start at embed, an .out or an mlp_out."),
    ],
    right=[
        """
        shares = [f"blocks.0.attn.head.{head}" for head in (0, 1)]
        doubtful = ("blocks.0.attn.head.3.out", "blocks.1.mlp.pre")
        circuit = {*sure, doubtful, *(("embed", head + ".v") for head in shares)}
        for layer in "01":
            circuit |= {(head + ".out", f"blocks.{layer}.mlp.pre") for head in shares}
        """,
    ],
    hints=[
        ("Help, which edges can be missing?", "A head reads by its query, its key and its value. "
         "An MLP may read several senders. The circuit reaches down to the embedding."),
        ("Help, how do I look at MLP 1?", "The late heads attend to position 1, so use "
         "`look(\"blocks.1.mlp.pre\", 1)`. Cut the largest four one at a time."),
        ("Help, almost the answer", "Thirteen edges: 1 into the logits, 2 into MLP 2, 2 into late "
         "heads, 2 into a head of layer 1, 2 each into MLP 1 and MLP 0, and 2 into layer 0."),
    ],
)

# --- features -------------------------------------------------------------------------------------

FIRST, SECOND = "blocks.2.attn.head.2.out", "blocks.2.attn.head.3.out"


def some_strings(seed):
    """Fresh strings with their excess of closing parentheses."""
    drawn = parens.draw(400, seed=seed + 40)
    closes, opens = ((drawn["tokens"] == token).sum(1) for token in (parens.CLOSE, parens.OPEN))
    return [(Dataset(**drawn.columns, excess=closes - opens),)]


def is_within(one, other):
    """Whether each class of one partition lies within a class of another."""
    return len(torch.stack([one, other], 1).unique(dim=0)) == len(one.unique())


def features_use(answer, data):
    """The partition of each head is the coarsest that it needs."""
    if not isinstance(answer, dict):
        raise Wrong(f"It is {describe(plain(answer))}, expected a dict from head to feature.")
    truths = {FIRST: data["horizon_ok"].double(), SECOND: (data["excess"] > 0).double()}
    if set(answer) != set(truths):
        raise Wrong("These are not the two heads that write into the last MLP. Use the names of "
                    "their outputs.")
    for head, truth in truths.items():
        if not callable(answer[head]):
            raise Wrong(f"The feature of {head} is no function of a data set: {answer[head]!r}.")
        labels = torch.as_tensor(answer[head](data)).double()
        if labels.shape != truth.shape:
            raise Wrong(f"The feature of {head} does not give one label a string.")
        finer, coarser = is_within(labels, truth), is_within(truth, labels)
        if finer and not coarser:
            raise Wrong(f"The feature of {head} is finer than needed. Take the coarsest one that "
                        "recovers everything.")
        if coarser and not finer:
            raise Wrong(f"The feature of {head} is too coarse: it tells nothing.")
        if not finer:
            raise Wrong(f"The feature of {head} is another one. Of those that recover 100 % in "
                        "its column, take the one with the fewest classes.")
    return True


def finer_than_needed(head):
    return f"The feature of {head} is finer than needed. Take the coarsest one that recovers"


RIGHT, MORE = 'FEATURES["right"]', 'FEATURES["more )"]'

exercise("d4.4.6", cases=some_strings, use=features_use, free=True,
    mistakes=[
        edit(RIGHT, 'FEATURES["both"]', says=finer_than_needed(FIRST)),
        edit(MORE, 'FEATURES["sign"]', says=finer_than_needed(SECOND)),
        edit(MORE, 'FEATURES["both"]', says=f"The feature of {SECOND} is another one."),
        edit(RIGHT, 'FEATURES["label"]',
             says=f"The feature of {FIRST} is another one."),
        edit(MORE, 'FEATURES["count"]',
             says=f"The feature of {SECOND} is another one."),
        edits((RIGHT, "FEATURES[0]"), (MORE, RIGHT), ("FEATURES[0]", MORE),
              says=f"The feature of {FIRST} is another one."),
        edit(RIGHT, 'FEATURES["nothing"]',
             says=f"The feature of {FIRST} is too coarse: it tells nothing."),
        edit(RIGHT, '"right"',
             says=f"The feature of {FIRST} is no function of a data set: 'right'."),
        edit('"blocks.2.attn.head.2.out"', '"blocks.2.attn.head.0.out"',
             says="These are not the two heads that write into the last MLP."),
    ],
    right=[
        """
        def fails_from_the_right(data):
            return ~data["horizon_ok"]

        features = {
            "blocks.2.attn.head.3.out": lambda data: (data["excess"] <= 0).long(),
            "blocks.2.attn.head.2.out": fails_from_the_right,
        }
        """,
    ],
    hints=[
        ("Help, several features recover 100 %", "Compare them by how many classes of strings "
         "they make. Each class of a finer feature lies in one class of a coarser one."),
        ("Help, is it the label?", "If a head needed only the label, \"label\" would recover "
         "100 % in its column."),
        ("Help, almost the answer", "One head needs one of the two horizons, and nothing of the "
         "other. The other head needs the sign of `excess` only in part: which two of the three "
         "signs need not be told apart?"),
    ],
)

# --- the hypothesis -------------------------------------------------------------------------------


def first_token(data):
    return data["tokens"][:, 0] % 2


def last_token(data):
    return data["tokens"][:, -1] > 5


def some_heads(seed):
    """Small models of three layers, with one late head and with two."""
    two = small_graph(seed, 3, 2, 3)
    one = small_graph(seed + 2, 3, 3, 4)
    late = "blocks.2.attn.head.{}.out"
    first, last = Feature("first", first_token), Feature("last", last_token)
    both = {late.format(1): ("blocks.1.attn.head.0.out", first),
            late.format(0): ("blocks.1.mlp_out", last)}
    two.inputs["tokens"] = torch.tensor([[2, 5, 9], [4, 1, 3], [7, 8, 11]]) + seed % 2
    one.inputs["tokens"] = torch.tensor([[3, 6, 9, 1], [4, 2, 3, 8], [8, 12, 7, 10]])
    return [(two, both), (one, {late.format(2): ("blocks.0.mlp_out", last)})]


def judged(logits, reference):
    """A bounded number a draw to which every logit contributes."""
    weights = torch.arange(1.0, logits[0].numel() + 1).cos().reshape(logits.shape[1:])
    return (0.1 * (logits * weights).sum((1, 2))).tanh()


def claim_use(answer, graph, heads):
    """The first three moments of the scrubbed output, over every case."""
    hypothesis = answer(heads)
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It gives {kind_of(hypothesis)}, expected a hypothesis, an Interp.")
    data = Dataset(tokens=graph.inputs["tokens"])
    result = scrub(graph.node, hypothesis, data, "all", metric=judged)
    reference = torch.nn.functional.one_hot(result.rows["reference"], len(data)).double().T
    powers = [result.per_example.double() ** power for power in (1, 2, 3)]
    return (reference * result.weights) @ torch.stack(powers, 1)


OWN_ROW = (
    "All that a head reads is of the head's own row. Claim the edge from its sender, and leave the "
    "rest to others."
)
CHILD = "Interp(head, at(head), Matching(feature), [source])"
LAST = 'Interp("last MLP", at("blocks.2.mlp_out"), Exact(), claimed)'
SOURCE = 'edge(sender, head.replace(".out", ".v")), Exact())'

exercise("d4.4.7", cases=some_heads, use=claim_use, tolerance=CLOSE,
    sizes="The check uses small models of three layers, with one and with two late heads.",
    mistakes=[
        edit(CHILD, "Interp(head, at(head), Exact(), [source])",
             says="The heads read the reference's row. Draw a row that agrees on the feature."),
        edit(CHILD, "Interp(head, at(head), Uniform(), [source])",
             says="The heads read any row. Their rows have to agree on the feature."),
        edit(CHILD, "Interp(head, at(head), Matching(feature))",
             says=OWN_ROW),
        edit(CHILD, "Interp(head, at(head), Matching(feature), [source], others=Exact())",
             says=OWN_ROW),
        edit(LAST, LAST.replace("claimed)", "claimed, others=Exact())"),
             says="The last MLP reads the whole reference besides the heads. Leave its others "
                  "Uniform()."),
        edits((CHILD, CHILD.replace("[source]", "[source], others=Exact()")),
              (LAST, LAST.replace("claimed)", "claimed, others=Exact())")),
              ('at("logits"), Exact(), [last])', 'at("logits"), Exact(), [last], others=Exact())'),
              says="No `others` read other rows, since they are `Exact()` at every level. Leave "
                   "them Uniform()."),
        edit('at("logits"), Exact(), [last])', 'at("logits"), Exact(), claimed)',
             says="The heads are claimed along every path to the logits. They are read by the "
                  "last MLP."),
        edit('at("logits"), Exact(), [last])', 'at("logits"), Exact(), [last], others=Exact())',
             says="All that the last MLP does not write is of the reference. Leave the others of "
                  "the logits Uniform()."),
        edit('head.replace(".out", ".v")', 'head.replace(".out", ".k")',
             says="This edge leads to the keys. The values end in .v."),
        edit(SOURCE, "at(sender), Exact())",
             says="The sender is claimed along every path below the head. Use the edge to its "
                  "values."),
        edit(SOURCE, 'at(head.replace(".out", ".v")), Exact())',
             says="The values read every sender on the head's own row. Claim only the edge from "
                  "the one sender."),
        edit(SOURCE, SOURCE.replace("Exact()", "Uniform()"),
             says="The sender reads any row. It reads the row of its head: Exact()."),
    ],
    right=[
        """
        def claim(heads):
            def of(head, sender, label):
                value = at(head.removesuffix("out") + "v")
                stops = at("*.out") | at("*.mlp_out")
                below = Interp("source of " + head, (value >> at(sender)).avoiding(stops), Exact())
                return Interp("row of " + head, head, Matching(label), below, others=Uniform())

            all_heads = [of(head, *told) for head, told in sorted(heads.items())]
            last = Interp("mlp", "blocks.2.mlp_out", Exact(), all_heads)
            return Interp("root", "logits", Exact(), last)
        """,
    ],
    hints=[
        ("Help, how many levels does the tree have?", "Four: the logits, the last MLP, the heads, "
         "and below each head its sender."),
        ("Help, which draws are there?", "`Exact()` for the logits and the MLP, "
         "`Matching(feature)` for a head, and `Exact()` for its sender, which has the head's row. "
         "All `others` stay as they are."),
        ("Help, almost the code", '`Interp(head, at(head), Matching(feature), [Interp(f"{head} '
         'reads", edge(sender, head.replace(".out", ".v")), Exact())])`, in a list for the MLP.'),
    ],
)

CELLS = {"model": Interp("logits", at("logits"), Exact()),
         "random": Interp("logits", at("logits"), Uniform())}


def nats(logits, reference):
    return -logits.log_softmax(-1).gather(-1, reference["label"][:, None])[:, 0]


def boss_use(answer, data):
    """Recovers the loss on fresh strings, with rows that are truly exchanged."""
    if not isinstance(answer, Interp):
        raise Wrong(f"It is {kind_of(answer)}, expected a hypothesis, as claim gives it.")
    try:
        found = scrub(PLANTED_GRAPH, CELLS | {"boss": answer}, data, 300, metric=nats)
    except HypothesisError as refusal:
        raise Wrong(f"The library refuses it: {refusal.args[0].splitlines()[0]}") from None
    share = found["boss"].recovered(found["model"], found["random"])
    if share < 0.99:
        raise Wrong(f"It recovers {share:.0%} on fresh strings, and at least 99 % are asked for.")
    rows, reference = found["boss"].rows, found["boss"].rows["reference"]
    moved = [name for name, each in rows.items() if (each != reference).double().mean() > 0.5]
    if len(moved) < 6:
        raise Wrong(f"{LITTLE}: the two heads and all the others should read other strings.")
    if exact := exact_others(rows):
        raise Wrong(f"{LITTLE}: the others of {exact[0]!r} read its own row. Leave them Uniform().")
    return True


LITTLE = "It recovers enough, and exchanges too little"


def exact_others(rows):
    """The names of claims whose others mostly read the row of the claim."""
    claims = [name for name in rows if f"{name}.others" in rows]
    moved = {name: (rows[f"{name}.others"] != rows[name]).double().mean() for name in claims}
    return [name for name in claims if moved[name] <= 0.5]


BUILT = "features[head]) for head in features})"
REST_EXACT = (
    '\nlast = Interp("last MLP", at("blocks.2.mlp_out"), Exact(), boss.children[0].children)'
    '\nboss = Interp("logits", at("logits"), Exact(), [last], others=Exact())'
)

exercise("d4.4.8", cases=some_strings, use=boss_use, free=True,
    mistakes=[
        edit(BUILT, 'FEATURES["label"]) for head in features})',
             says="on fresh strings, and at least 99 % are asked for."),
        edit(BUILT, "features[head]) for head in list(features)[:1]})",
             says="on fresh strings, and at least 99 % are asked for."),
        edit(BUILT, 'Feature("row", lambda data: torch.arange(len(data)))) for head in features})',
             says="The library refuses it"),
        instead('boss = Interp("logits", at("logits"), Exact())', says=LITTLE),
        edit(BUILT, BUILT + REST_EXACT,
             says=f"{LITTLE}: the others of 'logits' read its own row. Leave them Uniform()."),
        instead('boss = {"first": FEATURES["right"]}', says="expected a hypothesis, as claim"),
    ],
    right=[
        """
        boss = claim({
            "blocks.2.attn.head.3.out": ("blocks.1.mlp_out", FEATURES["sign"]),
            "blocks.2.attn.head.2.out": ("blocks.1.attn.head.3.out", FEATURES["right"]),
        })
        """,
    ],
    hints=[
        ("Help, which sender belongs to a head?", "Find the edge of your circuit that leads to the "
         "values of this head, and take its sender."),
        ("Help, it recovers too little", "Run the table of d4.4.6 again and compare each feature, "
         "then cut each claimed edge once."),
        ("Help, almost the code", "`claim({head: (sender, features[head]), ...})` for the two "
         "heads, with the senders of their `.v` from `circuit`."),
    ],
)

# --- how sure -------------------------------------------------------------------------------------


def some_counts(seed):
    """Counts at both ends and between."""
    numbers = torch.Generator().manual_seed(seed)
    successes = int(torch.randint(1, 29, (), generator=numbers))
    return [(0, 12), (40, 40), (successes, 30), (7, 9, 2.58)]


HALF = "z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5"
RETURN = "(middle - half) / (1 + z**2 / n), (middle + half) / (1 + z**2 / n)"

exercise("d4.4.9", cases=some_counts, tolerance=CLOSE,
    mistakes=[
        edits(("middle = p + z**2 / (2 * n)", "middle = p"), (HALF, "z * (p * (1 - p) / n) ** 0.5"),
              (RETURN, "middle - half, middle + half"),
              says="This is the simple interval p ± z √(p(1-p)/n), which has no width at 0 and "
                   "n."),
        edit(RETURN, "middle - half, middle + half",
             says="The denominator 1 + z²/n is missing."),
        edit(HALF, "z * (p * (1 - p) / n) ** 0.5",
             says="The term z²/4n² under the root is missing."),
        edit("4 * n**2", "4 * n", says="Under the root it is z² over 4n², with n squared."),
        edit("p + z**2 / (2 * n)", "p + z**2 / n",
             says="The middle is shifted by z²/2n, which is half of this."),
        edit(RETURN, "middle / (1 + z**2 / n), half / (1 + z**2 / n)",
             says="These are middle and half width. Return the two ends."),
        edit("p = successes / n", "p = (successes + 1) / (n + 2)",
             says="p is k/n, without anything added."),
    ],
    right=[
        """
        def wilson(successes, n, z=1.96):
            failures = n - successes
            root = z * (z * z / 4 + successes * failures / n) ** 0.5
            middle = successes + z * z / 2
            return (middle - root) / (n + z * z), (middle + root) / (n + z * z)
        """,
    ],
    hints=[
        ("Help, where do I begin?", "With p = successes / n. Then the middle, then half the width, "
         "as they stand in the numerator of the formula."),
        ("Help, my interval leaves 0 to 1", "The whole numerator is divided by 1 + z²/n, the "
         "middle as well as the half width."),
        ("Help, almost the code", "`half = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5`, and "
         "`(middle - half) / (1 + z**2 / n)` for the lower end."),
    ],
)


def some_partitions(seed):
    """Finer, coarser, equal and crossing partitions, with labels in any order."""
    numbers = torch.Generator().manual_seed(seed)
    fine = torch.randint(6, (40,), generator=numbers)
    fine[:6] = torch.arange(6)
    names = torch.randperm(6, generator=numbers)
    crossing = torch.tensor([0, 1] * 20)
    crossing[:2] = torch.tensor([0, 1])
    blocks = torch.arange(40) // 20
    return [
        (fine, fine // 2), (fine // 2, fine), (names[fine], fine), (crossing, blocks),
        (torch.zeros(40).long(), blocks), (blocks, torch.zeros(40).long()),
    ]


def finer_use(answer, one, other):
    return bool(answer(one, other))


FINER = "len(pairs_of_labels) == len(one.unique())"

exercise("d4.4.10", cases=some_partitions, use=finer_use,
    mistakes=[
        edit(FINER, "len(pairs_of_labels) == len(other.unique())",
             says="This is the other way round: it tells whether `other` is finer than `one`."),
        edit(FINER, "len(one.unique()) >= len(other.unique())",
             says="Counting classes is not enough: two partitions may cross."),
        edit(FINER, "bool((one == other).all())",
             says="This compares labels. Two partitions may be equal with other labels."),
        edit(FINER, "len(pairs_of_labels) == len(one.unique()) and len(one.unique()) > "
             "len(other.unique())",
             says="Equal partitions count as finer too."),
        edit(FINER, "len(pairs_of_labels) == max(len(one.unique()), len(other.unique()))",
             says="This holds for a coarser partition too. Compare the pairs with `one` alone."),
    ],
    right=[
        """
        def is_finer(one, other):
            return all(len(set(other[one == label].tolist())) == 1 for label in one.unique())
        """,
    ],
    hints=[
        ("Help, how do I compare partitions?", "Take the rows that share a label in `one`. Do they "
         "share a label in `other`?"),
        ("Help, is there a way without loops?", "If `one` fixes `other`, there are as many "
         "different pairs (one, other) as labels of `one`."),
        ("Help, almost the code", "`len(torch.stack([one, other], 1).unique(dim=0)) == "
         "len(one.unique())`."),
    ],
)

# --- the published experiments --------------------------------------------------------------------

GATHERS = at("blocks.1.attn.head.3.out")
BY_POSITION = split(PLANTED_GRAPH, GATHERS >> at("blocks.1.ln1"), "position",
                    [[place] for place in range(parens.LENGTH)])


def own_label(data, position):
    """A label that differs between any two positions."""
    return (data["tokens"][:, position] * (position + 2) + data["length"]) % 7


def some_labels(seed):
    return [(parens.draw(60, seed=seed + 3),)]


def position_use(answer, data):
    """For each position, the partition of its row."""
    claims = answer(own_label)
    if not isinstance(claims, list | tuple) or not all(isinstance(each, Interp) for each in claims):
        raise Wrong(f"It gives {describe(plain(claims))}, expected a list of claims.")
    if len({each.name for each in claims}) < len(claims):
        raise Wrong("Two claims have one name, so they would read one row. Name each by its "
                    "position.")
    found = {}
    for each in claims:
        if not isinstance(each.draw, Matching):
            raise Wrong(f"The row of {each.name} is not drawn by Matching(...).")
        labels = torch.as_tensor(each.draw.feature(data))
        for node in find(BY_POSITION, each.at, missing="ok"):
            found[node.name] = torch.unique(labels, return_inverse=True)[1]
    return found


OWN = "lambda data, position=position: label(data, position)"

exercise("d4.4.11", cases=some_labels, use=position_use,
    mistakes=[
        edit(OWN, "lambda data: label(data, position)",
             says="Every claim has the label of the last position: a lambda looks up `position` "
                  "when it is called. Bind it as a default."),
        edit('f"position {position}", image', '"position", image',
             says="Two claims have one name, so they would read one row. Name each by its "
                  "position."),
        edit("range(parens.LENGTH)", "range(1, parens.LENGTH)",
             says="Position 0 is missing."),
        edit("range(parens.LENGTH)", "range(parens.LENGTH - 1)",
             says="The last position is missing."),
        edit("Matching(own)", "Exact()",
             says="is not drawn by Matching(...)."),
        edit(OWN, "lambda data, position=position: label(data, 0)",
             says="Every claim has the label of position 0."),
    ],
    right=[
        """
        def per_position(label):
            def one(place):
                own = Feature(str(place), lambda data: label(data, place))
                return Interp(f"row {place}", f"blocks.1.ln1.position.{place}", Matching(own))

            return [one(place) for place in range(42)]
        """,
    ],
    hints=[
        ("Help, all my features are the same", "A lambda in a loop looks its variables up when it "
         "is called. `lambda data, position=position: ...` keeps the value."),
        ("Help, which names do I give?", "Each claim needs a name of its own, since rows are drawn "
         "by name."),
        ("Help, almost the code", '`Interp(f"position {position}", '
         'at(f"blocks.1.ln1.position.{position}"), Matching(own))`, for each position.'),
    ],
)

quiz("d4.4.quiz",
    decoy=number(says="d4.4.2: how many answers changed when both edges of head 2.0 were cut?"),
    edges=number(says="d4.4.5: how long is the complete list?"),
    start=option("logits", "embedding",
               says="From which end does a search run into the decoy?"),
    coarse=option("coarsest", "finest",
               says="A finer feature is always accepted too, and its claim is weaker."),
    false=number(says="d4.4.10: five pairs pass, and three of them are only finer."),
    hints=[
        ("Help, the decoy", "d4.4.2: the first experiment. Its result was a surprise."),
        ("Help, the circuit", "d4.4.5: count the edges by layer, and remember where you began."),
        ("Help, the rest", "d4.4.6 asks for one kind of feature. d4.4.10 prints five pairs."),
    ],
)
