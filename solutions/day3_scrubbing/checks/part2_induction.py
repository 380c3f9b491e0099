"""How the exercises of day 3, part 2 are judged: induction heads."""

import torch

from remix_utils.checks.compare import describe, plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import number, option
from remix_utils.checks.small_transformers import small_model
from remix_utils.checks.transformer_cases import CLOSE
from remix_utils.data import Dataset, Exact
from remix_utils.errors import kind_of
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.node import Node
from remix_utils.graph.ops import add, apply, array, einsum, placeholder
from remix_utils.graph.rewrite import split, update
from remix_utils.graph.rules import distribute, flatten
from remix_utils.graph.selector import Selector, at
from remix_utils.intervene import path_patch
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.scrubbing import treeify

from .moments import moments

SIZES = "The check uses models with other numbers of heads and tokens: use the arguments."
DIRECT = at("embed").avoiding("blocks.0.attn_out")

# --- small models, and the meaning of a hypothesis ------------------------------------------------


def small_case(seed, n_heads=3, seq=4, rows=3):
    """A model of two layers split into heads, with the rows of a small data set."""
    graph = small_model(seed, d_mlp=0, n_heads=n_heads).graph(seq=seq)
    graph = split(graph, "blocks.*.attn_out", "head")
    numbers = torch.Generator().manual_seed(seed)
    return Graph(graph, {"tokens": torch.randint(13, (rows, seq), generator=numbers)})


def some(*heads):
    """The selector of the outputs of heads of layer 1."""
    return at({f"blocks.1.attn.head.{head}.out" for head in heads})


def judged(logits, reference):
    """A bounded number a draw to which every logit contributes."""
    weights = torch.arange(1.0, logits[0].numel() + 1).cos().reshape(logits.shape[1:])
    return (0.1 * (logits * weights).sum((1, 2))).tanh()


def meaning(hypothesis, graph):
    """What a hypothesis allows."""
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It gives {kind_of(hypothesis)}, expected a hypothesis, an Interp.")
    return moments(graph.node, hypothesis, Dataset(graph.inputs), judged)


def meanings(found, graph, names):
    """The meanings of several hypotheses in a dict, by name."""
    if not isinstance(found, dict) or set(found) != set(names):
        wanted = ", ".join(names)
        raise Wrong(f"It gives {describe(plain(found))}, expected a dict with {wanted}.")
    return {name: meaning(found[name], graph) for name in names}


# --- metrics --------------------------------------------------------------------------------------


def some_draws(seed):
    """Logits of some draws, with the columns of their reference rows."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for draws, seq, vocab, level in ((3, 5, 7, 3.0), (2, 6, 4, 12.0)):
        tokens = torch.randint(vocab, (draws, seq), generator=numbers)
        weight, clean = torch.rand(2, draws, seq - 1, generator=numbers)
        weight = weight * (weight > 0.3)
        logits = 2 * torch.randn(draws, seq, vocab, generator=numbers)
        cases.append((logits, tokens, weight, level * clean))
    return cases


def metric_use(answer, logits, tokens, weight, clean):
    return answer(logits, Dataset(tokens=tokens, weight=weight, clean=clean))


WEIGHTED = 'reference["weight"]).sum(1)'
PER_DRAW = "This is one number for all draws. Sum over the positions of each draw, axis 1."
UNWEIGHTED = "Every position counts here. Multiply by the weights, which are 0 off the candidates."
NO_MEAN = "The weighted losses are averaged over positions. The weights take care of that: sum."

exercise("d3.2.1", cases=some_draws, use=metric_use, tolerance=CLOSE,
    mistakes=[
        edit(f" * {WEIGHTED}", ").sum(1)", says=UNWEIGHTED),
        edit(f" * {WEIGHTED}", ").mean(1)", says=UNWEIGHTED),
        edit(WEIGHTED, 'reference["weight"]).mean(1)', says=NO_MEAN),
        edit(WEIGHTED, 'reference["weight"]).sum()', says=PER_DRAW),
        edit(WEIGHTED, 'reference["weight"]).sum(0)',
             says="This is a sum over draws. Sum over the positions of each draw, axis 1."),
        edit("return (losses * reference", "return (-losses * reference",
             says="The sign is reversed. A loss is -log of a probability, so it is positive."),
        edit(WEIGHTED, 'reference["weight"]).sum(1) / reference["weight"].sum(1)',
             says="You divide by the weights of each draw, so a candidate counts more in a row "
                  "that has few of them. Sum without dividing."),
        edit("reference[\"weight\"]", '(reference["weight"] > 0)',
             says="This counts candidates without their weight. Multiply by the weight itself."),
        edit("losses = token_losses(logits, reference[\"tokens\"])", 'losses = reference["clean"]',
             says="These are the model's own losses. Take the losses of the logits."),
    ],
    right=[
        """
        def candidate_loss(logits, reference):
            found = []
            for row, tokens, weight in zip(logits, reference["tokens"], reference["weight"]):
                chances = row[:-1].softmax(-1)
                right = chances[torch.arange(len(tokens) - 1), tokens[1:]]
                found.append(-(right.log() @ weight))
            return torch.stack(found)
        """,
    ],
    hints=[
        ("Help, which tokens are right?", "Those of the reference, `reference[\"tokens\"]`, "
         "whichever rows the scrubbed model has read."),
        ("Help, why are there 299 weights for 300 tokens?", "The last position has no next token. "
         "`token_losses` leaves it out as well, so the shapes agree."),
        ("Help, almost the code", "`token_losses(logits, reference[\"tokens\"])`, times "
         "`reference[\"weight\"]`, summed over axis 1."),
    ],
)

# --- baselines ------------------------------------------------------------------------------------


def some_owners(seed):
    """Small models, with one head of layer 1 and with two."""
    two, one = some(0, 2), some(1)
    return [(small_case(seed), two), (small_case(seed + 1, n_heads=2, seq=5), one)]


def baselines_use(answer, graph, heads):
    return meanings(answer(heads), graph, ("everything", "heads"))


IDLE_ROOT = "[idle], others=Exact())"
EVERYTHING = '"everything": Interp("logits", at("logits"), Uniform())'

exercise("d3.2.2", cases=some_owners, use=baselines_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(IDLE_ROOT, "[idle])",
             says='In "heads" all the rest reads another row too. The others of an Interp are '
                  "Uniform() unless you say otherwise: say others=Exact()."),
        edit(IDLE_ROOT, '[Interp("idle heads", heads, Exact())], others=Uniform())',
             says='"heads" is the wrong way round: the heads are exact, and all the rest reads '
                  "another row."),
        edit('Interp("idle heads", heads, Uniform())', 'Interp("idle heads", heads, Exact())',
             says='"heads" changes nothing: every row is the reference. Draw what the heads write '
                  "from any row."),
        edit(EVERYTHING, '"everything": Interp("logits", at("logits"), Exact())',
             says='"everything" is the model itself. Its row is the reference, where it should be '
                  "any row."),
        edit('("idle heads", heads,', '("idle heads", at("blocks.1.attn_out"),',
             says='"heads" takes the whole of layer 1. Use the selector `heads`.'),
        edits((EVERYTHING, '"everything": Interp("logits", at("logits"), Exact(), [idle], '
               "others=Exact())"),
              ('"heads": Interp("logits", at("logits"), Exact(), [idle], others=Exact())',
               '"heads": Interp("logits", at("logits"), Uniform())'),
              says='"everything" and "heads" are exchanged.'),
        instead("""
                def baselines(heads):
                    idle = Interp("idle heads", heads, Uniform())
                    return [Interp("logits", at("logits"), Uniform()), idle]
                """, says="expected a dict with everything, heads"),
    ],
    right=[
        """
        def baselines(heads):
            root = lambda draw, *claims, **more: Interp("root", "logits", draw, claims, **more)
            below = Interp("another text", heads, Uniform(), others=Uniform())
            idle = root(Exact(), below, others=Exact(), shared="apart")
            return dict(heads=idle, everything=root(Uniform()))
        """,
    ],
    hints=[
        ("Help, what does `others` do?", "It draws the row for all that the root reads and no "
         "child claims. For `heads` this is the rest of the model, which should stay as it is."),
        ("Help, how do several heads read one row?", "One `Interp` may stand at several nodes, "
         "which then read the same row. A selector of two heads is enough."),
        ("Help, almost the code", '`Interp("logits", at("logits"), Exact(), [child], '
         'others=Exact())`, with a child at `heads` that draws `Uniform()`. "everything" is a '
         "root without children."),
    ],
)

# --- claims about a side --------------------------------------------------------------------------

HEAD_OF_0 = at("blocks.0.attn.head.1.out")


def some_sources(seed):
    """Values from the embedding, and from one head of layer 0."""
    return [
        (small_case(seed), some(0, 2), DIRECT),
        (small_case(seed + 1, n_heads=2, seq=5), some(1), HEAD_OF_0),
    ]


def values_use(answer, graph, heads, below):
    return meaning(answer(heads, below), graph)


VALUES = 'values = Interp("v", at("blocks.1.attn.head.*.v"), Exact(), [source])'
OWNERS = 'owners = Interp("induction heads", heads, Exact(), [values], others=Exact())'
ROOT = 'return Interp("logits", at("logits"), Exact(), [owners], others=Exact())'
ROOT_FREE = "All that the heads do not write reads another row too. Say others=Exact() at the root."

exercise("d3.2.3", cases=some_sources, use=values_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(ROOT, ROOT.replace(", others=Exact()", ""), says=ROOT_FREE),
        edit(OWNERS, OWNERS.replace(", others=Exact()", ""),
             says="Queries and keys read another row too. Say others=Exact() at the heads."),
        edits((ROOT, ROOT.replace(", others=Exact()", "")),
              (OWNERS, OWNERS.replace(", others=Exact()", "")),
              says="Everything but the claimed values reads another row. Say others=Exact() at "
                   "the heads and at the root."),
        edit("head.*.v", "head.*.q",
             says="This is a claim about the queries. The values end in .v."),
        edit("head.*.v", "head.*.k", says="This is a claim about the keys. The values end in .v."),
        edit('"v reads", below, Exact()', '"v reads", below, Uniform()',
             says="The claimed input of the values comes from another row too. Draw it Exact()."),
        edit(VALUES, VALUES.replace("[source])", "[source], others=Exact())"),
             says="Nothing is drawn anew: all else that the values read is the reference. Leave "
                  "the others of the values Uniform()."),
        edit('[owners], others=Exact())', '[values], others=Exact())',
             says="The values of all heads of layer 1 are claimed. Put the claim below the one "
                  "about `heads`."),
        edit(VALUES, 'values = Interp("v", at("blocks.1.attn.head.*.v"), Uniform(), [source])',
             says="The values read one other row, and their source reads it too. The row of the "
                  "values is Exact(), and only their others change."),
        edit(OWNERS, 'owners = Interp("induction heads", heads, Exact(), [source])',
             says="The claim is about whole heads, so their queries and keys read another row too. "
                  "Put a claim about the values between the heads and `below`."),
        edit(VALUES, VALUES.replace(", [source]", "").replace("Exact()", "Uniform()"),
             says="The whole values come from another row. Give them a child that reads `below`."),
    ],
    right=[
        """
        def values_from(heads, below):
            path = heads >> at("blocks.1.attn.head.*.v")
            kept = Interp("kept", below, Exact())
            values = Interp("values", path, Exact(), kept, others=Uniform(), shared="together")
            return Interp("root", at("logits"), Exact(), values, others=Exact())
        """,
    ],
    hints=[
        ("Help, how many levels does the tree have?", "Four: the logits, the heads below them, "
         "the values below the heads, and the source below the values."),
        ("Help, where does the other row come in?", "The row of an Interp is the one that its "
         "children agree with. All else that it reads is drawn by its `others`. So the values are "
         "`Exact()`, and their others are `Uniform()`, which is the default."),
        ("Help, almost the code", '`Interp("v", at("blocks.1.attn.head.*.v"), Exact(), '
         '[Interp("v reads", below, Exact())])`, as the child of a claim at `heads` with '
         "`others=Exact()`, as the child of the root with `others=Exact()`."),
    ],
)


def some_sides(seed):
    """One side, two sides, and all three."""
    every = {"q": DIRECT, "k": HEAD_OF_0, "v": DIRECT | HEAD_OF_0}
    three, two = small_case(seed), small_case(seed + 1, n_heads=2, seq=5)
    return [
        (three, some(0, 2), {"k": HEAD_OF_0}),
        (two, some(1), {"q": DIRECT, "v": HEAD_OF_0}),
        (three, some(1, 2), every),
    ]


def induction_use(answer, graph, heads, reads):
    return meaning(answer(heads, **reads), graph)


CHOICE = "others = Exact() if len(sides) < 3 else None"
SIDE = 'Interp(side, at(f"blocks.1.attn.head.*.{side}"), Exact(), [source])'

exercise("d3.2.4", cases=some_sides, use=induction_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(CHOICE, "others = Exact()",
             says="With all three sides named the heads leave nothing to others, and the library "
                  "refuses to draw for nothing. Say others=None then."),
        edit(CHOICE, "others = Uniform() if len(sides) < 3 else None",
             says="A side that is not named reads another row. It should be exact."),
        edit(CHOICE, "others = None",
             says="A side that is not named draws no rows. Say others=None only if all three sides "
                  "are named, and others=Exact() otherwise."),
        edit(CHOICE, "others = Uniform()",
             says="The sides that are not named read another row, since the others of an Interp "
                  "are Uniform() unless you say otherwise. Say others=Exact() at the heads, or "
                  "others=None if all three sides are named."),
        edit("[owners], others=Exact())", "[owners])", says=ROOT_FREE),
        edit('("induction heads", heads,', '("induction heads", at("blocks.1.attn.head.*.out"),',
             says="The claims are about all heads of layer 1. Use the selector `heads`."),
        edit('(f"{side} reads", below, Exact())', '(f"{side} reads", below, Uniform())',
             says="The claimed input of a side comes from another row too. Draw it Exact()."),
        edit(SIDE, SIDE.replace("[source])", "[source], others=Exact())"),
             says="Nothing is drawn anew: all else that a side reads is the reference."),
        edit(SIDE, SIDE.replace("head.*.{side}", "head.*.k"),
             says="Every claim is about the keys. Use the name of the side."),
        edit("    others = Exact() if", "    sides = sides[:1]\n    others = Exact() if",
             says="Only the first side is claimed. Collect a claim for each side in `reads`."),
    ],
    right=[
        """
        def induction(heads, **reads):
            def claim(side):
                where = at(f"blocks.1.attn.head.*.{side}")
                return Interp("side " + side, where, Exact(), Interp(side, reads[side], Exact()))

            def unclaimed(side):
                return Interp(side, at(f"blocks.1.attn.head.*.{side}"), Exact())

            sides = [claim(side) if side in reads else unclaimed(side) for side in "vkq"]
            owners = Interp("owners", heads, Exact(), sides, others=None)
            return Interp("root", at("logits"), Exact(), owners, others=Exact())
        """,
    ],
    hints=[
        ("Help, what is `**reads`?", "A dict from the names that were given to their selectors: "
         "`induction(heads, k=PREVIOUS)` has `reads == {\"k\": PREVIOUS}`. Loop over its items."),
        ("Help, the library says that nothing is left for others", "Then all three sides are "
         "named, and the heads read nothing else. Use `others=None` in this case. Or make a claim "
         "for every side, exact and without children where it is not named."),
        ("Help, almost the code", 'Per side, `Interp(side, at(f"blocks.1.attn.head.*.{side}"), '
         'Exact(), [Interp(f"{side} reads", below, Exact())])`. The rest is `values_from`.'),
    ],
)

# --- the error at each example --------------------------------------------------------------------

APART = '(token_losses(logits, reference["tokens"]) - reference["clean"]).abs()'
SUMMED = f"return (apart * {WEIGHTED}"

exercise("d3.2.5", cases=some_draws, use=metric_use, tolerance=CLOSE,
    mistakes=[
        edit(".abs()", "",
             says="The differences keep their signs, so that gains and losses cancel. Take "
                  "absolute values at each position."),
        edits((".abs()", ""), (SUMMED, f"{SUMMED}.abs()"),
              says="The absolute value comes after the sum, where differences have cancelled. "
                   "Take it at each position."),
        edit(".abs()", ".square()",
             says="These are squared differences. The error is the absolute difference."),
        edit(APART, APART.replace(".abs()", ".relu()"),
             says="Only losses that rise count here. A loss that falls is an error too."),
        edit(f" * {WEIGHTED}", ").sum(1)", says=UNWEIGHTED),
        edit(WEIGHTED, 'reference["weight"]).mean(1)', says=NO_MEAN),
        edit(WEIGHTED, 'reference["weight"]).sum()', says=PER_DRAW),
        edit(' - reference["clean"]', "",
             says="This is the loss itself. Subtract the model's own loss at the same place."),
    ],
    right=[
        """
        def candidate_error(logits, reference):
            change = token_losses(logits, reference["tokens"]) - reference["clean"]
            rise, fall = change.clamp(min=0), (-change).clamp(min=0)
            return torch.einsum("dp,dp->d", rise + fall, reference["weight"])
        """,
    ],
    hints=[
        ("Help, why is my error below 0?", "Some differences are negative. Each one counts as a "
         "positive distance, so take `.abs()` before anything is added up."),
        ("Help, where is the model's own loss?", '`reference["clean"]` [draws, seq - 1], beside '
         "the weights. It has one number for each prediction of the reference row."),
        ("Help, almost the code", "`candidate_loss` with `(losses - reference[\"clean\"]).abs()` "
         "in the place of the losses."),
    ],
)

# --- layer 0 by distance --------------------------------------------------------------------------


def random_patterns(seed):
    """Causal patterns of other sizes, each with the largest distance asked for."""
    numbers, cases = torch.Generator().manual_seed(seed), []
    for shape, most in (((3, 5, 5), 2), ((2, 2, 6, 6), 3), ((7, 7), 1)):
        future = torch.ones(shape[-2:]).triu(1).bool()
        scores = 2 * torch.randn(shape, generator=numbers)
        cases.append((scores.masked_fill(future, -torch.inf).softmax(-1), most))
    return cases


PICKED, RANGE = "patterns[..., queries, queries - back].mean(-1)", "range(most + 1)"
START = "torch.arange(most, patterns.shape[-2])"

exercise("d3.2.6", cases=random_patterns,
    sizes="The check uses other numbers of heads and tokens: use the shape of the patterns.",
    mistakes=[
        edit(PICKED, "patterns.diagonal(-back, -2, -1).mean(-1)",
             says="Each distance is averaged over other queries. Use only queries that have a "
                  "token `most` back, for every distance."),
        edit(PICKED, "patterns[..., queries - most + back, queries - most].mean(-1)",
             says="The keys are the same for every distance, so the queries differ. Use the "
                  "queries from `most` on for every distance."),
        edit(RANGE, "range(most)", says="The largest distance is missing. It goes up to `most`."),
        edit(RANGE, "range(1, most + 1)",
             says="Distance 0, the token itself, is missing."),
        edit("queries, queries - back", "queries - back, queries",
             says="Queries and keys are exchanged. A query is a row, and its key lies earlier."),
        edit(".mean(-1)", ".sum(-1)",
             says="These are sums over queries. Take the mean."),
        edit(".mean(-1)", ".sum(-1) / patterns.shape[-2]",
             says="You divide by the number of all queries. Divide by those that you use."),
        edit("found, -1)", "found, 0)", says="The distances are the first axis. Put them last."),
        edit(START, "torch.arange(most + 1, patterns.shape[-2])",
             says="The first query is missing: query `most` has a token `most` back."),
        edit(".mean(-1)", ".mean()",
             says="Heads are averaged too. Keep the axes before query and key."),
        edit(START, "torch.arange(2, patterns.shape[-2])",
             says="The queries begin at 2, whatever `most` is."),
    ],
    right=[
        """
        def by_distance(patterns, most):
            tokens = patterns.shape[-1]
            found = []
            for back in range(most + 1):
                line = patterns.diagonal(-back, -2, -1)[..., most - back:]
                found.append(line.sum(-1) / (tokens - most))
            return torch.stack(found).movedim(0, -1)
        """,
    ],
    hints=[
        ("Help, which queries count?", "A query at position 1 has no token two back. With "
         "`most` = 2 the queries are 2, 3, ..., and these count for all three distances."),
        ("Help, how do I pick one key for each query?", "`patterns[..., queries, keys]` with two "
         "index tensors of one length takes pairs. The keys are `queries - back`."),
        ("Help, almost the code", "`queries = torch.arange(most, patterns.shape[-2])`. For each "
         "`back`, the mean of `patterns[..., queries, queries - back]` over the last axis, and "
         "`torch.stack(..., -1)`."),
    ],
)

# --- patterns in parts ----------------------------------------------------------------------------


def pattern_graph(seed, seq):
    """A causal pattern over scores that are read from a placeholder, with scores."""
    scores = placeholder("scores", (seq, seq))
    causal = array(torch.ones(seq, seq).tril().bool(), "causal")
    pattern = apply("masked_softmax", scores, causal, name="pattern")
    numbers = torch.Generator().manual_seed(seed)
    return Graph(pattern, {"scores": 2 * torch.randn(3, seq, seq, generator=numbers)})


def some_patterns(seed):
    sizes = ((5, 2), (6, 1), (4, 0))
    return [(pattern_graph(seed + seq, seq), most) for seq, most in sizes]


def pieces_use(answer, pattern, most):
    found = answer(pattern.node, most)
    if not isinstance(found, dict) or not all(isinstance(each, Node) for each in found.values()):
        raise Wrong(f"It gives {describe(plain(found))}, expected a dict from distance to node.")
    return {distance: value_of(node, pattern) for distance, node in found.items()}


def value_of(node, pattern):
    """The value of a node for each row of the scores."""
    rows = pattern.inputs["scores"]
    reads = {"scores": rows} if any_placeholder(node) else {}
    return evaluate(node, reads).expand(len(rows), *node.shape)


def any_placeholder(node):
    return node.space is not None


BACK = "back = places[:, None] - places"

exercise("d3.2.7", cases=some_patterns, use=pieces_use, sizes=SIZES,
    mistakes=[
        edit("back == distance", "back <= distance",
             says="Each part holds all nearer distances too, so that the parts count attention "
                  "twice. Take one distance a part."),
        edit(BACK, "back = places - places[:, None]",
             says="These are later tokens, where causal attention is 0. The distance back is query "
                  "minus key."),
        edit("range(most + 1)", "range(most)",
             says="The part of the largest distance is missing. It goes up to `most`."),
        edit("range(most + 1)", "range(1, most + 1)",
             says="The part of the token itself, distance 0, is missing."),
        edit("distance: array((back == distance)", "distance: array((back == distance + 1)",
             says="Every part is one token further back than its name says."),
        edit("einsum(kept, pattern, mask)", "mask",
             says="These are the masks. Multiply the pattern by them."),
        edit('"query key, query key -> query key"', '"query key, query key -> query"',
             says="Each part is summed over keys. Keep both axes, [query, key]."),
    ],
    right=[
        """
        def pieces(pattern, most):
            length, found = pattern.shape[-1], {}
            for back in range(most + 1):
                diagonal = torch.diag(torch.ones(length - back), -back)
                found[back] = einsum("q k, q k -> q k", array(diagonal), pattern)
            return found
        """,
    ],
    hints=[
        ("Help, how do I keep one diagonal of a node?", "Multiply entry by entry by a fixed "
         "tensor that is 1 on this diagonal and 0 elsewhere."),
        ("Help, how do I multiply entry by entry?", "An einsum in which no axis is summed: "
         '`einsum("query key, query key -> query key", pattern, array(mask))`.'),
        ("Help, almost the code", "`back = places[:, None] - places` is how far each key lies "
         "behind each query. The mask of a distance is `(back == distance).float()`."),
    ],
)


def parted_case(seed, n_heads=4, seq=5, rows=3):
    """A small model whose layer 0 is cut into parts for distances 0, 1, 2 and the rest."""
    places = torch.arange(seq)
    back = places[:, None] - places

    def in_parts(pattern):
        parts = []
        for distance in range(3):
            mask = array((back == distance).float())
            part = einsum("query key, query key -> query key", pattern, mask)
            parts.append(part.named(f"near.{distance}"))
        rest = add(pattern, *parts, weights=[1, -1, -1, -1], name="rest")
        return add(*parts, rest, name=pattern.name)

    case = small_case(seed, n_heads, seq, rows)
    graph = update(case.node, "blocks.0.attn.head.*.pattern", in_parts)
    graph = distribute(graph, "blocks.0.attn.head.*.z")
    shorter = lambda term: term.named(term.name.split(".z.")[1])
    graph = update(graph, "blocks.0.attn.head.*.z.*", shorter)
    graph = flatten(distribute(graph, "blocks.0.attn.head.*.out"), "blocks.0.attn_out")
    return Graph(graph, case.inputs)


def some_windows(seed):
    return [(parted_case(seed, n_heads=2 + most % 2), most) for most in (-1, 0, 1, 2)]


def window_use(answer, graph, most):
    """The claim that the keys of layer 1 read the window."""
    chosen = answer(most)
    if not isinstance(chosen, Selector):
        raise Wrong(f"It gives {describe(plain(chosen))}, expected a selector such as at(...).")
    keys = at("blocks.1.attn.head.*.k")
    side = Interp("k", keys, Exact(), [Interp("window", chosen, Exact())])
    return meaning(Interp("logits", at("logits"), Exact(), [side], others=Exact()), graph)


PART = 'chosen = chosen | at(f"blocks.0.attn.head.*.out.near.{back}")'

exercise("d3.2.8", cases=some_windows, use=window_use, tolerance=CLOSE,
    mistakes=[
        edit("range(most + 1)", "range(most)",
             says="The window is one token too short. window(0) adds the token itself."),
        edit("range(most + 1)", "range(most, most + 1) if most >= 0 else []",
             says="Only the token farthest back is in the window. Nearer tokens belong to it "
                  "too."),
        edit(PART, PART.replace("chosen | ", ""),
             says="The embedding is lost on the way. Add to the selector with `|`."),
        edit("range(most + 1)", "range(3)",
             says="The window has three tokens, whatever `most` is."),
        edit("head.*.out.near", "head.0.out.near",
             says="Only head 0.0 is in the window. A star selects all heads of layer 0."),
        edit('.avoiding("blocks.0.attn_out")', "",
             says="The embedding is taken along every path, also through layer 0, which is the "
                  "whole input. Avoid blocks.0.attn_out."),
        edit(PART, 'chosen = chosen | at("blocks.0.attn.head.*.out.near.*")',
             says="From 0 on all three distances are in the window. Select those up to `most`."),
        edit(PART, 'chosen = chosen | at("blocks.0.attn_out")',
             says="From 0 on the window is all of layer 0. Select parts, such as "
                  "blocks.0.attn.head.*.out.near.0."),
    ],
    right=[
        """
        def window(most):
            names = [f"blocks.0.attn.head.*.out.near.{back}" for back in range(most, -1, -1)]
            parts = [at(name) for name in names]
            stream = at("embed").avoiding(at("blocks.0.attn.*") | at("blocks.0.attn_out"))
            for part in parts:
                stream = part | stream
            return stream
        """,
    ],
    hints=[
        ("Help, what are the parts called?", "Print the names: `[node.name for node in "
         'find(near_graph, "blocks.0.attn.head.0.out.*")]`. A star in place of the head selects '
         "the parts of all heads."),
        ("Help, how do I join selectors?", "`a | b`. Start with the embedding along the stream, "
         "and add one selector for each distance in a loop."),
        ("Help, almost the code", '`chosen = at("embed").avoiding("blocks.0.attn_out")`, then '
         '`chosen = chosen | at(f"blocks.0.attn.head.*.out.near.{back}")` for each back in '
         "`range(most + 1)`."),
    ],
)

# --- the refined story ----------------------------------------------------------------------------


def stories_use(answer, graph):
    return meanings(answer, graph, ("narrow", "wider", "refined"))


NARROW = '"narrow": induction(HEADS, q=window(1), k=window(1), v=window(0))'
WIDER = '"wider": induction(HEADS, q=window(2), k=window(2), v=window(0))'
REFINED = '"refined": induction(HEADS, q=window(2), k=window(2), v=window(2))'

exercise("d3.2.9", cases=lambda seed: [(parted_case(seed),)], use=stories_use, tolerance=CLOSE,
    mistakes=[
        edit(NARROW, NARROW.replace("v=window(0)", "v=window(1)"),
             says="In `narrow` the values read one token back too. They read the token itself."),
        edits((NARROW, NARROW.replace("v=window(0)", "v=window(1)")),
              (WIDER, WIDER.replace("v=window(0)", "v=window(1)")),
              says="In `narrow` and `wider` the values read one token back too. They read the "
                   "token itself."),
        edit(NARROW, NARROW.replace("v=window(0)", "v=window(-1)"),
             says="In `narrow` the values read the embedding alone. Add the token itself."),
        edit(NARROW, NARROW.replace("q=window(1), k=window(1)", "q=window(0), k=window(0)"),
             says="In `narrow` queries and keys read no token back. Their window is 1."),
        edit(NARROW, NARROW.replace(", v=window(0)", ""),
             says="In `narrow` the values are exact. All three sides are claimed."),
        edit(NARROW, NARROW.replace("k=window(1)", "k=PREVIOUS"),
             says="In `narrow` the keys read head 0.0 alone, as in the textbook. Use the window."),
        edit(WIDER, WIDER.replace("v=window(0)", "v=window(2)"),
             says="`wider` is `refined`: its values read two tokens back. They read the token "
                  "itself."),
        edit(WIDER, WIDER.replace("q=window(2)", "q=window(1)"),
             says="In `wider` the queries read only one token back. Their window is 2."),
        edit(REFINED, REFINED.replace("v=window(2)", "v=window(0)"),
             says="`refined` is `wider`: its values read the token itself alone. Their window "
                  "is 2."),
        edit(REFINED, REFINED.replace("HEADS, ", "model.heads([(1, 1)]), "),
             says="`refined` is about head 1.1 alone. Use HEADS."),
        edit(REFINED, '"final": induction(HEADS, q=window(2), k=window(2), v=window(2))',
             says="expected a dict with narrow, wider, refined"),
    ],
    right=[
        """
        def told_with(back, own):
            both = at("blocks.1.attn.head.1.out") | at("blocks.1.attn.head.3.out")
            return induction(both, v=window(own), q=window(back), k=window(back))

        stories_of_heads = dict(wider=told_with(2, 0), narrow=told_with(1, 0))
        stories_of_heads["refined"] = told_with(2, 2)
        """,
    ],
    hints=[
        ("Help, what is window(1)?", "The embedding, the token itself through layer 0, and the "
         "token before it. The number says how far back it goes."),
        ("Help, which sides do I name?", "All three in each hypothesis. A side that you do not "
         "name is exact, and claims nothing."),
        ("Help, almost the code", '`"narrow": induction(HEADS, q=window(1), k=window(1), '
         "v=window(0))`, and so on."),
    ],
)


def strict_use(answer, pattern, most):
    node = answer(pattern.node, most)
    if not isinstance(node, Node):
        raise Wrong(f"It gives {describe(plain(node))}, expected a node.")
    return value_of(node, pattern)


ALLOWED = "array((back >= 0) & (back <= most))"
SOFTMAX = 'apply("masked_softmax", pattern.children[0], allowed)'

exercise("d3.2.10", cases=some_patterns, use=strict_use, sizes=SIZES,
    mistakes=[
        edits((ALLOWED, "array(((back >= 0) & (back <= most)).float())"),
              (SOFTMAX, 'einsum("query key, query key -> query key", pattern, allowed)'),
              says="The attention of the whole text is kept, and its rows no longer sum to 1. "
                   "Take the softmax over the allowed keys alone."),
        edit("back <= most", "back < most + 2",
             says="The window is one token too long. It has `most` tokens before the query's own."),
        edit("back <= most", "back < most",
             says="The window is one token too short. It has `most` tokens before the query's "
                  "own."),
        edit("(back >= 0) & (back <= most)", "back.abs() <= most",
             says="The pattern attends to later tokens. Only keys at or before the query are "
                  "allowed."),
        edit("(back >= 0) & (back <= most)", "back <= most",
             says="The pattern attends to all later tokens. Only keys at or before the query are "
                  "allowed."),
        edit("(back >= 0) & (back <= most)", "back >= 0",
             says="All earlier tokens are allowed, so this is the pattern itself."),
        edit(BACK, "back = places - places[:, None]",
             says="Queries and keys are exchanged. The distance back is query minus key."),
        edit("pattern.children[0], allowed", "pattern, allowed",
             says="This is a softmax of the pattern, which is one already. Take it of the scores, "
                  "pattern.children[0]."),
        edit("back <= most", "back <= 2",
             says="The window has three tokens, whatever `most` is."),
    ],
    right=[
        """
        def alone_pattern(pattern, most):
            scores, _ = pattern.children
            near = torch.ones(pattern.shape).tril().triu(-most).bool()
            return apply("masked_softmax", scores, array(near, "near"))
        """,
    ],
    hints=[
        ("Help, what is different from `pieces`?", "There the softmax ran over all tokens, and "
         "three of its entries were kept. Here it runs over three tokens, and sums to 1."),
        ("Help, where are the scores?", "`pattern.children[0]`. The second child is the causal "
         "mask, in whose place your own mask goes."),
        ("Help, almost the code", '`apply("masked_softmax", pattern.children[0], array((back >= '
         "0) & (back <= most)))`, with `back` as in `pieces`."),
    ],
)

# --- two data sets --------------------------------------------------------------------------------


def some_patches(seed):
    """Paths to patch, with clean and corrupted rows of one data set, in no order."""
    keys = at("blocks.1.attn.head.0.k") >> HEAD_OF_0
    values = at("blocks.1.attn.head.*.v") >> DIRECT
    order = torch.randperm(8, generator=torch.Generator().manual_seed(seed))
    return [
        (small_case(seed, rows=8), keys, order[:4], order[4:]),
        (small_case(seed + 1, n_heads=2, seq=5, rows=8), values, order[5:], order[1:4]),
    ]


def patch_use(answer, graph, path, clean, corrupted):
    """The logits of the scrub, on the rows that it draws."""
    hypothesis = answer(path, clean, corrupted)
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It gives {kind_of(hypothesis)}, expected a hypothesis, an Interp.")
    data = Dataset(graph.inputs)
    return evaluate(treeify(graph.node, hypothesis, data, len(clean)), data)


PATCHED = 'Interp("patched", path, Fixed(corrupted))'

exercise("d3.2.11", cases=some_patches, use=patch_use, tolerance=CLOSE,
    mistakes=[
        edits(("Fixed(clean)", "Fixed(corrupt)"), ("Fixed(corrupted)", "Fixed(clean)"),
              ("Fixed(corrupt)", "Fixed(corrupted)"),
              says="Clean and corrupted rows are exchanged. Here everything but the path is "
                   "corrupted."),
        edit(PATCHED, 'Interp("patched", path, Exact())',
             says="The path reads the clean rows, so nothing is patched. Draw Fixed(corrupted)."),
        edit("[patched], others=Exact())", "[patched], others=Fixed(corrupted))",
             says="All that is not on the path reads the corrupted rows too. Others are Exact()."),
        edit("[patched], others=Exact())", "[patched])",
             says="All that is not on the path reads random rows. Others are Exact()."),
        edit("Fixed(clean), [patched]", "Exact(), [patched]",
             says="The references are drawn at random. Fix the rows of the root to `clean`."),
        edit(PATCHED, 'Interp("patched", path, Uniform(among=corrupted))',
             says="The corrupted rows are drawn in any order. Fix them, one for each clean row."),
        edit(PATCHED, 'Interp("patched", path, Fixed(corrupted.flip(0)))',
             says="The corrupted rows come in the opposite order. Keep them in step."),
    ],
    right=[
        """
        def as_scrub(path, clean, corrupted):
            return Interp(
                name="all",
                at="logits",
                draw=Fixed(clean),
                others=Fixed(clean.clone()),
                children=Interp(name="path", at=path, draw=Fixed(corrupted)),
            )
        """,
    ],
    hints=[
        ("Help, which rows are the references?", "Those of the root. With `Fixed(clean)` at the "
         "root nothing is random: the first draw has the first clean row, and so on."),
        ("Help, what do the others read?", "The rows of the root, so `Exact()`. Only the path "
         "reads something else."),
        ("Help, almost the code", '`Interp("logits", at("logits"), Fixed(clean), [child], '
         "others=Exact())`, with a child at `path` that draws `Fixed(corrupted)`."),
    ],
)

# --- a deeper model -------------------------------------------------------------------------------


def deep_models(seed):
    """Models of three layers with MLPs, of which the last two are split into heads."""
    cases = []
    for place, seq in enumerate((4, 5)):
        graph = small_model(seed + place, 6, 3, 2 + place).graph(seq=seq)
        last = at("blocks.1.attn_out") | at("blocks.2.attn_out")
        numbers = torch.Generator().manual_seed(seed)
        tokens, other = (torch.randint(13, (3, seq), generator=numbers) for _ in range(2))
        cases.append((Graph(split(graph, last, "head"), {"tokens": tokens, "other": other}),))
    return cases


def token_use(answer, graph):
    """The logits with other tokens along the selected paths."""
    if not isinstance(answer, Selector):
        raise Wrong(f"It is {describe(plain(answer))}, expected a selector such as at(...).")
    seq = graph.node.shape[0]
    other = placeholder("other", (seq,), torch.long)
    return evaluate(path_patch(graph.node, answer, {"tokens": other}), graph.inputs)


AVOIDED = '.avoiding("blocks.*.attn_out")'

exercise("d3.2.13", cases=deep_models, use=token_use, tolerance=CLOSE,
    mistakes=[
        edit(AVOIDED, "",
             says="These are all paths, also those through attention, which carry other tokens. "
                  "Avoid every attention layer."),
        edit(AVOIDED, '.avoiding("blocks.0.attn_out")',
             says="Only the attention of layer 0 is avoided. A star stands for any layer."),
        edit(AVOIDED, '.avoiding("*_out")',
             says="MLPs are avoided as well. They work on one position, and may be passed."),
        edit(AVOIDED, '.avoiding("*.mlp_out")',
             says="MLPs are avoided, and attention is not. It is the other way round."),
        edit(AVOIDED, '.avoiding("*.pattern")',
             says="Only patterns are avoided. Values move tokens between positions too."),
        edit(AVOIDED, '.avoiding("blocks.*.attn.head.*.out")',
             says="Layers that are not split into heads are not avoided. Avoid "
                  "blocks.*.attn_out, which every layer has."),
        instead('token_alone = at("blocks.*.mlp_out").avoiding("blocks.*.attn_out")',
                says="These paths end at MLPs, and the embedding's own path along the stream is "
                     "not among them. End at embed."),
    ],
    right=[
        'token_alone = at("embed").avoiding("*.z")',
        'token_alone = at("embed").avoiding(at(lambda node: node.name.endswith(".attn_out")))',
    ],
    hints=[
        ("Help, how can an MLP know only one token?", "An MLP works on one position at a time. "
         "Only attention moves information between positions."),
        ("Help, which node do all paths through attention pass?", "The sum over heads, "
         "`blocks.N.attn_out` of some layer N. A star stands for the number."),
        ("Help, almost the code", '`at("embed").avoiding("blocks....attn_out")`, with a star in '
         "the right place."),
    ],
)

quiz("d3.2.quiz",
    baseline=option("everything", "heads",
               says="Which of the two has such a high loss that a model without induction is "
                    "far better?"),
    values=number(says="At which window of d3.2.8 did the share of the values rise?"),
    query=option("before", "after",
               says="Attention is causal, and head 0.0 brings this token."),
    free=number(says="Nothing moves. How large is the distance?"),
    patch=option("exact", "uniform",
               says="In a path patch, all that is off the path reads the clean rows."),
    hints=[
        ("Help, the baselines", "In d3.2.2, which loss is 15.6 nats, and how far is 2.9 from it?"),
        ("Help, the windows", "In d3.2.8, look for the first high bar of each side."),
        ("Help, the rest", "`moved` is a share of a distance. A path patch has two kinds of rows, "
         "and no random ones."),
    ],
)
