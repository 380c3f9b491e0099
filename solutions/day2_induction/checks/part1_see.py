"""How the exercises of day 2, part 1 are judged: see it."""

import numpy
import torch

from remix_utils.checks.compare import plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.graph_cases import Graph
from remix_utils.checks.questions import name, number, option
from remix_utils.checks.transformer_cases import CLOSE, transformers
from remix_utils.graph.node import Node
from remix_utils.models.transformer import untrained

# --- reading the graph ----------------------------------------------------------------------------

KINDS = ("shortformer", "learned", "rotary")
NAMES = ("0.attn.q", "0.attn.v", "0.attn.scores", "1.attn.k", "1.attn.v", "0.resid_pre")


class Kind(Graph):
    """Names a model's graph by the kind of its positions."""

    @property
    def __name__(self):
        return f"a model with {self.inputs['positions']} positions"


def models_and_names(seed):
    """Returns models with each kind of positions, and nodes of each."""
    sizes = {"n_layers": 2, "n_heads": 2, "d_model": 8, "n_ctx": 11, "d_vocab": 13, "seed": seed}
    graphs = [
        Kind(untrained(**sizes, positions=kind).graph(seq=5), {"positions": kind}) for kind in KINDS
    ]
    nodes = [*(f"blocks.{each}" for each in NAMES), "logits"]
    return [(graph, node) for graph in graphs for node in nodes]


def positions_use(answer, graph, name):
    found = answer(graph.node, name)
    if isinstance(found, Node):
        raise Wrong("This returns a node instead of True or False. Return whether find lists any.")
    return None if found is None else bool(found)


FOUND = 'find(node, at("pos_embed").avoiding("*.pattern"), missing="ok")'

exercise("d2.1.1", cases=models_and_names, use=positions_use,
    sizes="The check also uses models with other kinds of positions.",
    mistakes=[
        edit('.avoiding("*.pattern")', "",
             says='This also follows paths through attention patterns. Avoid "*.pattern".'),
        edit("find(node,", "find(graph,",
             says="This searches the whole graph. Find the node first, and search below it."),
        edits(("find(node,", "find(graph,"), ('.avoiding("*.pattern")', ""),
              says="This searches the whole graph and through patterns. Find the node first."),
        edit(', missing="ok"', "",
             says='An empty result is an answer too, and not an error. Pass missing="ok" to find.'),
        edit("bool(", "not (", says="True and False are swapped."),
        edit(FOUND, 'any(child.name == "pos_embed" for child in node.children)',
             says="This looks only at the node's own children. A path may be longer."),
        edit(FOUND, "False", says="This always returns False."),
        edit(FOUND, "True", says="This always returns True."),
        edit('"*.pattern"', '"blocks.0.attn.pattern"',
             says='Only the patterns of layer 0 are avoided. Avoid "*.pattern", in every layer.'),
        edit(FOUND, 'name.endswith((".q", ".k"))',
             says="This decides by the node's name, but models differ. Search the graph."),
        edit(FOUND, f'{FOUND} and not find(node, "*.pattern", missing="ok")',
             says="A node that reads a pattern may also read positions along another path. Exclude "
                  "patterns on the path only."),
    ],
    right=[
        """
        def reads_positions(graph, name):
            stack = [find_one(graph, name)]
            while stack:
                node = stack.pop()
                if node.name == "pos_embed":
                    return True
                stack += [child for child in node.children if not child.name.endswith(".pattern")]
            return False
        """,
    ],
    hints=[
        ('Help, what does "below a node" mean?', "`find` starts at the node that you pass and "
         "follows what it reads. If you pass the node and not the whole graph, only the nodes that "
         "it depends on are searched."),
        ("Help, how do I leave patterns out?", '`at("pos_embed").avoiding("*.pattern")` selects '
         "`pos_embed` only if some path to it avoids all nodes with such a name."),
        ("Help, almost the code", "First `node = find_one(graph, name)`. Then `find(node, ..., "
         'missing="ok")` is a list, and an empty list means False. Without `missing="ok"` an empty '
         "result raises an error."),
    ],
)

# --- losses ---------------------------------------------------------------------------------------


def predicted(seed):
    numbers = torch.Generator().manual_seed(seed)
    shapes = (2, 5), (3, 3), (1, 8)
    return [
        (2 * torch.randn(*shape, 7, generator=numbers), torch.randint(7, shape, generator=numbers))
        for shape in shapes
    ]


PICKED = "-log_probs.gather(-1, tokens[:, 1:, None])[..., 0]"

exercise("d2.1.2", cases=predicted,
    mistakes=[
        edit("tokens[:, 1:, None]", "tokens[:, :-1, None]",
             says="This is the loss of the current token. Logits at i predict token i + 1."),
        edits(("logits[:, :-1]", "logits[:, 1:]"),
              says="The logits are one place late. Logits at i predict token i + 1. Drop the last."),
        edits(("logits[:, :-1]", "logits"), ("tokens[:, 1:, None]", "tokens[..., None]"),
              says="These are losses of current tokens. Drop the last logits and the first token."),
        edit(PICKED, PICKED[1:],
             says="The sign is missing. The loss is minus the log-probability."),
        edit(PICKED, f"({PICKED[1:]}).exp()",
             says="These are probabilities. The loss is minus their logarithm."),
        edit(".log_softmax(-1)", "",
             says="These are logits. log_softmax turns them into log-probabilities."),
        edit("log_softmax(-1)", "log_softmax(1)",
             says="The softmax is over positions. Take it over tokens, the last axis."),
        edit(PICKED, f"({PICKED}).mean()",
             says="This is the mean. Keep one number for each token but the first."),
        edit(PICKED, f"{PICKED} / 0.6931471805599453",
             says="These are bits. The natural logarithm gives nats."),
        edit("[..., 0]", "",
             says="An axis of length 1 is left over from gather. Remove it with [..., 0]."),
    ],
    right=[
        """
        def token_losses(logits, tokens):
            cross_entropy = torch.nn.functional.cross_entropy
            return cross_entropy(logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none")
        """,
    ],
    hints=[
        ("Help, I have one loss too many", "The last logits predict a token that isn't in the "
         "row, and no logits predict the first token. Drop one at each end, with `logits[:, :-1]` "
         "and `tokens[:, 1:]`."),
        ("Help, how do I pick one logit of 1,024?", "`gather` along the last axis takes the "
         "numbers of the tokens. Give them a last axis of length 1, `tokens[:, 1:, None]`."),
        ("Help, almost the code", "Take `log_softmax(-1)` of the logits and `.gather(-1, ...)` of "
         "the tokens. Remove the last axis with `[..., 0]`, and put a minus in front."),
    ],
)


def repeated_rows(seed):
    numbers = torch.Generator().manual_seed(seed)
    sizes = (2, 3), (3, 4), (2, 7), (4, 5)
    return [(5 * torch.rand(rows, 2 * length, generator=numbers), length) for rows, length in sizes]


FIRST, SECOND = "losses[:, :length].mean(1)", "losses[:, length + 1 :].mean(1)"

exercise("d2.1.3", cases=repeated_rows,
    sizes="The check uses copies of other lengths: use `length`.",
    mistakes=[
        edit(SECOND, "losses[:, length:].mean(1)",
             says="The second copy's first token is included. Nothing predicts it, so leave out "
                  "entry `length`."),
        edit(SECOND, "losses[:, length + 2 :].mean(1)",
             says="The second copy begins one token late. Leave out only its first token."),
        edit(FIRST, "losses[:, 1:length].mean(1)",
             says="The first copy lacks its first token. Its loss is entry 0."),
        edit(FIRST, "losses[:, : length - 1].mean(1)",
             says="The first copy lacks its last token. Its entries are 0 to length - 1."),
        edit(FIRST, "losses[:, : length + 1].mean(1)",
             says="The first copy has one token too many. Its entries are 0 to length - 1."),
        edit(SECOND, "losses[:, length + 1 : -1].mean(1)",
             says="The second copy lacks its last token."),
        edit(f"{FIRST}, {SECOND}", f"{SECOND}, {FIRST}",
             says="The copies are swapped. Return the first one first."),
        edits((".mean(1)", ".mean()", 2),
              says="Each of these is a single number. Take the mean within every row."),
        edits((".mean(1)", ".mean(0)", 2), says="This is the mean over rows. Take it over tokens."),
        edits((".mean(1)", ".sum(1)", 2), says="These are sums. Divide by the number of tokens."),
        edit(SECOND, "losses[:, length + 1 :].sum(1) / length",
             says="The second sum is divided by `length`, but it has one token fewer."),
        edits((FIRST, "losses[:, :50].mean(1)"), (SECOND, "losses[:, 51:].mean(1)"),
              says="The length of the copies is fixed at 50. Use the argument `length`."),
    ],
    right=[
        """
        def copy_losses(losses, length):
            first, second = losses.split(length, 1)
            return first.sum(1) / length, second[:, 1:].sum(1) / (length - 1)
        """,
    ],
    hints=[
        ("Help, which entry is which token?", "Token 0 is the end of text. Tokens 1 to `length` "
         "are the first copy, and their losses are entries 0 to `length` - 1."),
        ("Help, which one is left out?", "The second copy is tokens `length` + 1 to 2 · `length`. "
         "The loss of its first token is entry `length`, so the mean starts one later."),
        ("Help, almost the code", "Take `.mean(1)` of two slices, `losses[:, :length]` and "
         "`losses[:, length + 1 :]`."),
    ],
)


def long_texts(seed):
    """Returns rows with very different losses, so that pairing within a row matters.

    In the first case context helps, in the second it harms.
    """
    numbers, cases = torch.Generator().manual_seed(seed), []
    draw = lambda *shape: torch.rand(*shape, generator=numbers)
    for rows, seq, early, late, slope in (
        (6, 12, range(2, 5), range(8, 13), -0.1),
        (5, 20, range(1, 8), range(11, 16), 0.1),
    ):
        losses = 2 + 3 * draw(rows, 1) + draw(rows, seq) + slope * torch.arange(seq)
        cases.append((losses, early, late))
    return cases


ERROR = "change.std().item() / len(change) ** 0.5"

exercise("d2.1.4", cases=long_texts,
    mistakes=[
        edit("losses[:, [token - 1 for token in tokens]]", "losses[:, tokens.start : tokens.stop]",
             says="The places are off by one. The loss of token 21 is entry 20."),
        edit("token - 1", "token",
             says="The places are off by one. The loss of token 21 is entry 20."),
        edit("losses[:, [token - 1 for token in tokens]]",
             "losses[:, tokens.start - 1 : tokens.stop]",
             says="There is one entry too many. A range ends before its stop, as a slice does."),
        edit(".mean(1) for tokens", ".sum(1) for tokens",
             says="These are sums over tokens. Take the mean, since the ranges differ in length."),
        edit("after - before", "before - after",
             says="The sign is reversed. It is the late loss minus the early one."),
        edit("change.mean()", "change.mean().abs()",
             says="The sign is lost. Below zero means that context helps."),
        edit(ERROR, "((before.var() + after.var()) / len(change)).sqrt().item()",
             says="Early and late losses of a row are related. Subtract within each row first."),
        edit(ERROR,
             "(losses[:, [t - 1 for t in early]].var() / len(losses) / len(early) + losses[:, [t - "
             "1 for t in late]].var() / len(losses) / len(late)).sqrt().item()",
             says="The error counts every token as independent. Average within the row first."),
        edit(" / len(change) ** 0.5", "",
             says="This is the standard deviation over rows. Divide by the root of their number."),
        edit(" ** 0.5", "", says="You divided by the number of rows. Divide by its square root."),
        edit(".std()", ".std(correction=0)",
             says="The variance is divided by n. Divide by n - 1, as .std() does by default."),
        edit(f"return change.mean().item(), {ERROR}", "return change",
             says="These are the scores of the rows. Return their mean, and its standard error."),
        edit(f"return change.mean().item(), {ERROR}", "return change.mean().item()",
             says="The error is missing. Return the mean and its standard error."),
    ],
    right=[
        """
        def in_context_score(losses, early, late):
            scores = []
            for row in losses.tolist():
                means = [sum(row[t - 1] for t in tokens) / len(tokens) for tokens in (early, late)]
                scores.append(means[1] - means[0])
            mean = sum(scores) / len(scores)
            variance = sum((each - mean) ** 2 for each in scores) / (len(scores) - 1)
            return mean, (variance / len(scores)) ** 0.5
        """,
    ],
    hints=[
        ("Help, the numbers are off by one", "`early` and `late` are positions of tokens in the "
         "row, counted from 0. The loss of token 21 is entry 20."),
        ("Help, what is independent here?", "The rows are. So compute one number for each row, "
         "its late mean minus its early mean. Then take the mean and the error over rows."),
        ("Help, almost the code", "Compute `losses[:, [token - 1 for token in early]].mean(1)` and "
         "the same for `late`, and subtract. Return `mean()` and `std() / len(...) ** 0.5`."),
    ],
)

# --- patterns -------------------------------------------------------------------------------------


def patterns_use(answer, graph):
    found = answer(graph.node, graph.tokens)
    several = found if isinstance(found, list | tuple) else [found]
    if any(isinstance(each, Node) for each in several):
        raise Wrong("These are nodes. Evaluate them on the tokens.")
    return found


STACKED = "torch.stack(layers, 1)"

exercise("d2.1.5", cases=lambda seed: [(case,) for case in transformers(seed, 2, 3, rows=4)],
    use=patterns_use, tolerance=CLOSE,
    sizes="The check uses models of 2 and 3 layers and 2 or 3 heads: find all layers.",
    mistakes=[
        edit(STACKED, "torch.stack(layers, 0)",
             says="Layers come first. The first axis should be the row, the second the layer."),
        edit(STACKED, "torch.stack(layers, 2)",
             says="Heads come before layers. The axes are row, layer, head, query, key."),
        edit(STACKED, "layers[-1]",
             says="These are the patterns of the last layer. Stack those of all layers."),
        edit(STACKED, "layers[0]",
             says="These are the patterns of layer 0. Stack those of all layers."),
        edit("attn.pattern", "attn.scores", says="These are the scores, before softmax and mask."),
        edit(STACKED, "torch.cat(layers, 1)",
             says="Layers and heads share one axis. Use torch.stack."),
        edit(STACKED, f"{STACKED}.mean(0)",
             says="The rows are averaged. Keep one pattern for each row."),
        edit(STACKED, f"{STACKED}[0]", says="This is the first row alone. Keep all rows."),
        edit(STACKED, f"{STACKED}.mT",
             says="Queries and keys are swapped. The query comes before the key."),
        edit('find(graph, "blocks.*.attn.pattern")',
             "[find_one(graph, f'blocks.{layer}.attn.pattern') for layer in range(2)]",
             says="Only two layers are read. `find` with a star finds the patterns of all layers."),
        edit('evaluate(find(graph, "blocks.*.attn.pattern"), {"tokens": tokens})\n    return '
             "torch.stack(layers, 1)", 'find(graph, "blocks.*.attn.pattern")\n    return layers',
             says="Evaluate them on the tokens."),
    ],
    right=[
        """
        def all_patterns(graph, tokens):
            per_row = []
            for row in tokens:
                nodes = find(graph, lambda node: node.name.endswith(".attn.pattern"))
                per_row.append(torch.cat([evaluate(node, {"tokens": row[None]}) for node in nodes]))
            return torch.stack(per_row)
        """,
    ],
    hints=[
        ("Help, how do I get all layers?", "A star in a selector matches any characters. So "
         '`find(graph, "blocks.*.attn.pattern")` lists the nodes of all layers, in order.'),
        ("Help, how do I get values?", "`evaluate` of a list of nodes returns a list of tensors. "
         "Here each of them is [row, head, query, key]."),
        ("Help, almost the code", "`torch.stack(layers, 1)` puts the new axis, the layer, right "
         "after the row."),
    ],
)


def causal_patterns(seed, *shapes):
    """Returns random causal attention patterns [..., query, key]."""
    numbers = torch.Generator().manual_seed(seed)
    scores = [2 * torch.randn(shape, generator=numbers) for shape in shapes]
    return [each.where(torch.ones_like(each).tril() > 0, -torch.inf).softmax(-1) for each in scores]


HEADS = "Average over queries only, and keep the axes that come before query and key."
CURRENT, FIRST_TOKEN = ("0, -2, -1)[..., 1:]", "0, -2, -1)"), ("1:, 0]", "0]")

SHAPES = (3, 3), (3, 5, 5), (2, 2, 6, 6), (7, 7)

exercise("d2.1.6", cases=lambda seed: [(each,) for each in causal_patterns(seed, *SHAPES)],
    sizes="The check uses patterns with 0, 1 and 2 axes in front of query and key: write `...` for "
          "them.",
    mistakes=[
        edits(CURRENT, FIRST_TOKEN,
              says='"current" and "first" include query 0, which has no choice. Leave it out.'),
        edits(CURRENT,
              says='"current" includes query 0, which can only attend to itself. Leave it out.'),
        edit("0, -2, -1)[..., 1:]", "0, -2, -1)[..., :-1]",
             says='"current" leaves out the last query. Leave out the first one, query 0.'),
        edits(('"current"', '"p"'), ('"previous"', '"current"'), ('"p"', '"previous"'),
              says='"current" and "previous" are swapped. On the main diagonal key = query.'),
        edits(FIRST_TOKEN,
              says='"first" includes query 0, which can only attend to itself. Leave it out.'),
        edit("diagonal(-1", "diagonal(1",
             says='"previous" reads above the diagonal. The previous token is offset -1.'),
        edit(".mean(-1)", ".sum(-1) / patterns.shape[-1]", times=3,
             says="You divide by the number of all queries. Leave query 0 out of this number too."),
        edit("1:, 0]", "0, 1:]",
             says='"first" takes the first query. The first token is the first key, a column.'),
        edit("1:, 0]", "2:, 0]",
             says='"first" starts at query 2. Query 1 already has a choice of two tokens.'),
        edit("diagonal(-1, -2, -1)", "diagonal(-1, -2, -1)[..., 1:]",
             says='"previous" skips query 1, where the diagonal below the main one starts.'),
        edit(".mean(-1)", ".sum(-1)", times=3, says="These are sums over queries. Take the mean."),
        edit(".mean(-1)", ".mean()", times=3, says=HEADS),
    ],
    right=[
        """
        def looks_at(patterns):
            queries = range(1, patterns.shape[-1])
            mean = lambda parts: torch.stack(parts).mean(0)
            return {
                "first": mean([patterns[..., q, 0] for q in queries]),
                "current": mean([patterns[..., q, q] for q in queries]),
                "previous": mean([patterns[..., q, q - 1] for q in queries]),
            }
        """,
    ],
    hints=[
        ("Help, which axis is which?", "The last axis is the key, and the one before it is the "
         "query. Each row of a pattern sums to 1."),
        ("Help, how do I leave query 0 out?", "The first entry of the main diagonal is query 0, so "
         "take `[..., 1:]`. The diagonal of offset -1 already begins with query 1. For the first "
         "token, take column 0 from query 1 on."),
        ("Help, almost the code", "The three values are `patterns.diagonal(0, -2, -1)[..., "
         "1:].mean(-1)`, `patterns.diagonal(-1, -2, -1).mean(-1)` and `patterns[..., 1:, "
         "0].mean(-1)`."),
    ],
)


def copy_cases(seed):
    shapes = (2, 8, 8), (3, 2, 10, 10), (12, 12)
    return [(pattern, pattern.shape[-1] // 2) for pattern in causal_patterns(seed, *shapes)]


DIAGONAL = "1 - length, -2, -1)[..., 1:]"

exercise("d2.1.7", cases=copy_cases,
    sizes="The check uses copies of other lengths and 0 to 2 axes in front: use `length` and "
          "`...`.",
    mistakes=[
        edit(DIAGONAL, "-length, -2, -1)",
             says="This is attention to the same token. The next token is one position nearer."),
        edit(DIAGONAL, "-1 - length, -2, -1)",
             says="This is attention to the token before the earlier occurrence. The one after it "
                  "is `length` - 1 back."),
        edit("[..., 1:]", "",
             says="There is one query too many. The first copy's last query has no match. Drop the "
                  "diagonal's first entry."),
        edit("[..., 1:]", "[..., :-1]",
             says="The wrong end of the diagonal is dropped. Drop its first entry."),
        edit("[..., 1:]", "[..., 1:-1]",
             says="The last query is missing. The token after its match starts the second copy."),
        edit("[..., 1:]", "[..., 2:]",
             says="The first query of the second copy is missing. Its token has occurred before."),
        edit("1 - length", "1 - LENGTH",
             says="This uses the notebook's LENGTH. Use the argument `length`."),
        edit(".mean(-1)", ".mean(-1) / 2",
             says="You divide by the number of all queries. Only the second copy's queries count."),
        edit(DIAGONAL, "length - 1, -2, -1)",
             says="This is above the diagonal, in the future. Use a negative offset."),
        edit(".mean(-1)", ".sum(-1)", says="This is a sum over queries. Take the mean."),
        edit(".mean(-1)", ".mean()", says=HEADS),
    ],
    right=[
        """
        def prefix_score(patterns, length):
            queries = range(length, 2 * length)
            return torch.stack([patterns[..., q, q - length + 1] for q in queries]).mean(0)
        """,
    ],
    hints=[
        ("Help, how many back is it?", "Write down six tokens, A B C A B C. The second A is at "
         "position 3 and the first B is at position 1. That's two back for a length of three."),
        ("Help, the diagonal has an entry too many", "The diagonal also has query `length` - 1 "
         "with key 0, and this query belongs to the first copy. The other entries are the `length` "
         "queries of the second copy."),
        ("Help, almost the code", "`patterns.diagonal(1 - length, -2, -1)` has `length` + 1 "
         "entries on its last axis. Drop the first one and take the mean over that axis."),
    ],
)


def raised_cases(seed):
    numbers = torch.Generator().manual_seed(seed)
    sizes = (1, 3), (2, 5), (3, 4), (1, 7)
    return [(torch.randn(rows, length, length, generator=numbers) + 0.7,) for rows, length in sizes]


SHARES = "(following / above.sum(-1)).mean()"

exercise("d2.1.8", cases=raised_cases,
    mistakes=[
        edit("query + 1", "query",
             says="This is the share of the current token. Copying raises the next, query + 1."),
        edit("query + 1", "query - 1",
             says="This is the share of the previous token. Copying raises the next, query + 1."),
        edit("(raised - raised.mean(-1, keepdim=True))", "raised",
             says="The mean is not subtracted. A head that raises all tokens equally copies none."),
        edit(".relu()", "",
             says="Values below the mean are still there. Keep the positive ones (relu)."),
        edit(".relu()", ".abs()", says="abs counts lowered logits as raised. Use relu."),
        edits(("query = torch.arange(raised.shape[1])",
               "query = torch.arange(raised.shape[1] - 1); above = above[:, :-1]"),
              ("len(query)", "raised.shape[1]"),
              says="The last query is left out. Its next token is token 0, the first of both copies."),
        edit(SHARES, "following.sum() / above.sum()",
             says="This is one share of the grand total. Take each query's share, then the mean."),
        edit("raised.mean(-1,", "raised.mean(1,",
             says="You averaged over queries. Average over tokens, the last axis."),
        edit("raised.mean(-1, keepdim=True)", "raised.mean()",
             says="You subtracted one overall mean. Subtract each query's own mean."),
        edit("above[:, query, (query + 1) % len(query)]",
             "above[:, (query + 1) % len(query), query]",
             says="Queries and tokens are swapped. The axes are row, query, token."),
        edit(SHARES, "following / above.sum(-1)",
             says="These are the shares of each query. Return their mean."),
        edit(".mean()", ".mean(-1)", says="This is one share for each row. Return one number."),
    ],
    right=[
        """
        def copying_score(raised):
            shares = []
            for row in raised:
                for query, logits in enumerate(row):
                    above = (logits - logits.mean()).clamp(min=0)
                    shares.append(above[(query + 1) % len(row)] / above.sum())
            return sum(shares) / len(shares)
        """,
    ],
    hints=[
        ('Help, where is "above the mean"?', "Take the mean over tokens for each query. That's the "
         "last axis, with `keepdim=True`. Subtract it, then use `relu`."),
        ("Help, which token is the next?", "For query 0 it's token 1, and so on. For the last "
         "query it's token 0. As a tensor this is `(query + 1) % length`, where `query` is "
         "`torch.arange(length)`."),
        ("Help, almost the code", "`above[:, query, (query + 1) % length]` picks one entry for "
         "each row and query. Divide by `above.sum(-1)` and take the mean of everything."),
    ],
)

# --- where there is something to copy -------------------------------------------------------------


def random_rows(seed):
    """Returns random rows, and one whose first, last and most frequent successors differ."""
    numbers = torch.Generator().manual_seed(seed)
    sizes = (5, (3, 11)), (9, (2, 14)), (3, (1, 8))
    drawn = [torch.randint(vocab, shape, generator=numbers) for vocab, shape in sizes]
    return [(each,) for each in (torch.tensor([[1, 2, 1, 3, 1, 3, 1, 4, 1, 1, 0, 1]]), *drawn)]


NOTED = "followed[token] = words[place + 1]"
GUESSED = "guesses[row, place] = followed.get(token, -1)"
ORDER = f"            {GUESSED}\n            {NOTED}"
TRUTH = "This is the token that really comes next. Guess first, and store that token afterwards."

exercise("d2.1.9", cases=random_rows,
    mistakes=[
        edit(NOTED, "followed.setdefault(token, words[place + 1])",
             says="This followed the *first* occurrence. Take the last one before this position."),
        edit(NOTED, "followed[token] = token",
             says="This is the earlier token itself. The guess is the token that followed it."),
        edit(NOTED, "followed[token] = words[place - 1]",
             says="This is the token *before* the earlier occurrence. Take the one after it."),
        edit(NOTED, "followed[token] = place",
             says="This is the position of the earlier occurrence. Return the token after it."),
        edit(NOTED, "followed[token] = place + 1",
             says="This is the position of the guess. Return the token at that position."),
        edit(ORDER, f"            {NOTED}\n            {GUESSED}", says=TRUTH),
        edit("    for row, words in enumerate(tokens.tolist()):\n        followed = {}",
             "    followed = {}\n    for row, words in enumerate(tokens.tolist()):",
             says="Memory carries over between rows. Start each row with an empty dict."),
        edits(("followed.get(token, -1)", "followed.get(token, 0)"),
              ("followed.get(words[-1], -1)", "followed.get(words[-1], 0)"),
              says="Without an earlier occurrence the guess is 0, but 0 is a token. Use -1."),
        edit("(token, -1)", "(token) or -1",
             says="A guess of token 0 became -1. Test whether the dict has an entry."),
        edit(NOTED, "if place:\n                followed[words[place - 1]] = token",
             says="The occurrence right before this position is left out. It counts too."),
        edits((GUESSED, "guesses[row, place + 1] = followed.get(token, -1)"),
              ("        guesses[row, -1] = followed.get(words[-1], -1)\n", ""),
              says="The guesses are one place late. Store each at the position of the token before it."),
        edit("        guesses[row, -1] = followed.get(words[-1], -1)\n", "",
             says="The last position has no guess. Its token may have occurred before."),
        instead("""
                from collections import Counter, defaultdict

                def induction_guess(tokens):
                    guesses = torch.full_like(tokens, -1)
                    for row, words in enumerate(tokens.tolist()):
                        followed = defaultdict(Counter)
                        for place, token in enumerate(words):
                            if followed[token]:
                                guesses[row, place] = followed[token].most_common(1)[0][0]
                            if place + 1 < len(words):
                                followed[token][words[place + 1]] += 1
                    return guesses
                """,
                says="This is the most frequent successor. Take that of the last occurrence."),
    ],
    right=[
        """
        def induction_guess(tokens):
            found = []
            for words in tokens.tolist():
                found.append([])
                for place, token in enumerate(words):
                    earlier = [at for at in range(place) if words[at] == token]
                    found[-1].append(words[earlier[-1] + 1] if earlier else -1)
            return found
        """,
    ],
    hints=[
        ("Help, how do I remember?", "Use a dict for each row. It maps a token to the token that "
         "followed it last. A later occurrence overwrites an earlier one."),
        ("Help, in which order?", "At each position, first read the guess for this token. Then "
         "store the token that follows it. In the other order the dict contains the future."),
        ("Help, almost the code", "Put `followed = {}` inside the loop over rows. Read "
         "`followed.get(token, -1)`, then set `followed[token] = words[place + 1]` if there is a "
         "next token. The last position gets a guess too."),
    ],
)


def guessed_rows(seed):
    """Returns two short rows, and shuffled rows with tokens on both sides of each bound."""
    numbers = torch.Generator().manual_seed(seed)
    few = [[1, 2, 3, 1, 2, 4], [3, 1, 1, 2, 3, 0]], [[-1, -1, -1, 2, 3, -1], [-1, -1, 1, 1, 1, -1]]
    cases = [(*map(torch.tensor, few), 2)]
    for least in (4, 7, 6):
        rows = [row for token, counts in enumerate(bounds(least)) for row in places(token, *counts)]
        tokens, guesses = torch.tensor(rows)[torch.randperm(len(rows), generator=numbers)].unbind(1)
        cases.append((tokens, guesses, least))
    return cases


def bounds(least):
    """Returns by token: guesses, right ones, places without a guess, guesses at a row's end."""
    half, even = (least + 1) // 2, least + least % 2
    return [
        (even, even // 2, 0, 0),
        (least, least, 0, 0),
        (least - 1, least - 1, 0, 3),
        (least, half, 0, least),
        (2 * least + 2, least, 0, 0),
        (least + 2, least + 1, 3 * least, 0),
        (1, 1, 0, 0),
        (least + 3, 1, 0, 0),
        (least + 1 - least % 2, least // 2, 0, 0),
        (least, 0, 0, 0),
    ]


def places(token, asked, held, unasked, last):
    after = 10 * (token % 2)  # token 0 is a token like others, also as a guess
    right, wrong, none = [-1, after, -1], [-1, 11, -1], [-1, -1, -1]
    row = [12, token, after]
    rows = [[row, right]] * held + [[row, wrong]] * (asked - held) + [[row, none]] * unasked
    return rows + [[[12, 12, token], [-1, -1, 11]]] * last


BY_READ = "Count by the token at the query, not by the guess or the next token."
KEPT = "asked[token] >= least and held[token] * 2 >= asked[token]"
RETURNED = f"return [token for token in range(len(asked)) if {KEPT}]"
APPEARED = f"""found = {RETURNED.removeprefix("return ")}
    return list(dict.fromkeys(token for token in tokens.flatten().tolist() if token in found))"""

exercise("d2.1.10", cases=guessed_rows,
    mistakes=[
        edits(("now, exists = tokens[:, :-1], guesses[:, :-1] >= 0",
               "now, exists = tokens, guesses >= 0"),
              ("right = guesses[:, :-1] == tokens[:, 1:]",
               "right = torch.cat([guesses[:, :-1] == tokens[:, 1:], torch.zeros(len(tokens), 1, "
               "dtype=torch.bool)], 1)"),
              says="The last position of a row is counted. Nothing follows it, so leave it out."),
        edit("now, exists = tokens[:, :-1],", "now, exists = guesses[:, :-1].clamp(min=0),",
             says=BY_READ),
        edit("now, exists = tokens[:, :-1],", "now, exists = tokens[:, 1:],", says=BY_READ),
        edit("guesses[:, :-1] >= 0", "guesses[:, :-1] > 0",
             says="A guess of token 0 is left out. Only -1 means that there is none."),
        edit("minlength=int(tokens.max()) + 1", "",
             says="The two counts have different lengths, since bincount stops at the largest "
                  "token that occurs. Give both the same minlength."),
        edit("asked[token] >= least and ", "asked[token] and ",
             says="`least` is ignored. A token with one lucky guess isn't a candidate."),
        edit("asked[token] >= least", "held[token] >= least",
             says="`least` is compared with the right guesses. Compare it with all guesses."),
        edit(" and held[token] * 2 >= asked[token]", "",
             says="These are all tokens with enough guesses. Half of the guesses must be right."),
        edit("held[token] * 2 >= asked[token]", "held[token] * 2 >= now.eq(token).sum()",
             says="This takes half of all places of the token. Count only the places with a guess."),
        edit(KEPT, "asked[token] > least and held[token] * 2 > asked[token]",
             says="Exactly half and exactly `least` guesses are enough. Include both bounds."),
        edit("held[token] * 2 >= asked[token]", "held[token] >= asked[token] // 2",
             says="Half of an odd number is rounded down. Compare 2 * right with all guesses."),
        edit("* 2 >= asked", "* 2 > asked", says="Exactly half is enough. That bound is included."),
        edit(">= least", "> least",
             says="Exactly `least` guesses are enough. That bound is included."),
        edit(RETURNED, APPEARED,
             says="The tokens are in order of appearance. Sort them."),
    ],
    right=[
        """
        def candidates(tokens, guesses, least):
            asked, held = {}, {}
            for words, guessed in zip(tokens.tolist(), guesses.tolist()):
                for token, guess, after in zip(words, guessed, words[1:]):
                    if guess >= 0:
                        asked[token] = asked.get(token, 0) + 1
                        held[token] = held.get(token, 0) + (guess == after)
            return sorted(t for t in asked if asked[t] >= least and 2 * held[t] >= asked[t])
        """,
    ],
    hints=[
        ("Help, the last column", "Nothing follows the last token of a row. Drop the last "
         "column of tokens and guesses. Then compare the guesses with the tokens from 1 on."),
        ("Help, how do I count by token?", "`now[exists].bincount(minlength=...)` counts how "
         "often each token occurs where `exists` is true. Do the same for `right`."),
        ("Help, almost the code", "Take `exists = guesses[:, :-1] >= 0` and `right = guesses[:, "
         ":-1] == tokens[:, 1:]`. Count both by token. Keep the tokens with at least `least` "
         "guesses, of which at least half are right."),
    ],
)


def opportunity_use(answer):
    """Accepts any A B ... A B with the query at the second A and the key at the first B."""
    if not isinstance(answer, dict) or set(answer) != {"tokens", "query", "key"}:
        raise Wrong('Expected {"tokens": passage, "query": ..., "key": ...}.')
    if answer["query"] is ... or answer["key"] is ...:
        raise Wrong("not written yet: find a query and a key.")
    form = plain(answer["tokens"])
    if getattr(form, "ndim", 0) != 1 or len(form) < 32 or len(set(form.tolist())) < 10:
        raise Wrong("This is not the passage. Hand in the tokens that were printed.")
    tokens, query, key = form.tolist(), position(answer, "query"), position(answer, "key")
    if not (0 <= query < len(tokens) - 1 and 0 <= key < len(tokens)):
        last = len(tokens) - 2
        raise Wrong(f"Query and key must be positions of the passage, the query at most {last}.")
    before, after = (tokens[key - 1] if key else None), tokens[query + 1]
    if key <= query and before == tokens[query] and tokens[key] == after:
        return True
    raise Wrong(missed(tokens, query, key, before, after))


def missed(tokens, query, key, before, after):
    """Returns the sentence about a pair that isn't an opportunity."""
    if key > query:
        return "The key comes after the query, where no head can look. The query is the *second* A."
    if before == tokens[query]:
        return "Here the text continues differently. Find an A that the same B follows both times."
    if tokens[key] == tokens[query]:
        return "The key holds the same token as the query. Move it to the token that *followed* it."
    if tokens[key] == after:
        return "The two Bs agree, but the tokens before them differ. Find A B ... A B."
    return "The token before the key differs from the query's token. In A B ... A, the key is B."


def position(answer, key):
    form = plain(answer[key])
    if not (isinstance(form, numpy.ndarray) and form.size == 1 and form.dtype.kind == "i"):
        raise Wrong(f"{key!r} isn't a position. Give the number of a token, a whole number.")
    return int(form.reshape(()))


PAIRS = [*range(12), 5, 5, 20, 21, 22, 5, 5, *range(30, 60)]  # A = B: 5 5 ... 5 5

exercise("d2.1.11", use=opportunity_use, free=True,
    mistakes=[
        edit("== passage[query]) + 1", "== passage[query])",
             says="Move it to the token that *followed* it."),
        instead({"tokens": [*range(40), 7, 1, 2], "query": 30, "key": 5},
                says="The token before the key differs from the query's token."),
        edit('"query": query, "key": key', '"query": key, "key": query',
             says="The key comes after the query, where no head can look."),
        edit('"query": query', '"query": query + 1',
             says="Move it to the token that *followed* it."),
        edit('"query": query', '"query": "there"',
             says="Give the number of a token, a whole number."),
        edit('"tokens": passage', '"tokens": passage[:5]',
             says="Hand in the tokens that were printed."),
        edit('"query": query', '"query": 10**6',
             says="Query and key must be positions of the passage"),
        instead({"tokens": [*range(20), 3, *range(40, 60)], "query": 20, "key": 4},
                says="Here the text continues differently."),
        instead({"tokens": [*range(40), 7, 1, 2], "query": ..., "key": 1}, says="not written yet"),
    ],
    right=[
        {"tokens": PAIRS, "query": 17, "key": 13},
        "opportunity = {'tokens': passage, 'query': torch.tensor(query := "
        "int((induction_guess(passage[None])[0, :-1] == passage[1:]).nonzero()[0])), 'key': [place "
        "+ 1 for place in range(query) if passage[place] == passage[query]][-1]}",
    ],
    hints=[
        ("Help, where do I begin?", "Look for a name that occurs twice. Its tokens are the same "
         "both times if there's a space in front both times."),
        ("Help, which one is the query?", "The query is the second A, where the model has to "
         "predict B. The token after the query is B."),
        ("Help, almost the code", "Suppose ` C` is at 20 and at 50, and `le` at 21 and 51. Then "
         "the query is 50 and the key 21."),
    ],
)


def vocabularies(seed):
    """Returns shuffled pieces with and without twins, with other signs and with two spaces."""
    known = ["an", " an", "The", " The", "the", "x", " x", ",", " ,", "7", " 7", "it's", " it's",
             "ing", " of", "  a", " a", "a", " ", "", "\n", " ...", "...", "é", " é"]
    order = torch.randperm(len(known), generator=torch.Generator().manual_seed(seed)).tolist()
    return [([known[place] for place in order],), (["b", " b", " c", "d"],)]


OTHERS = '[piece[1:] if piece.startswith(" ") else " " + piece for piece in pieces]'

exercise("d2.1.12", cases=vocabularies,
    mistakes=[
        edit(OTHERS, '[" " + piece for piece in pieces]',
             says="Spaces are only added. A token with a space in front has a twin without it."),
        edit(OTHERS, '[piece[1:] if piece.startswith(" ") else "?" for piece in pieces]',
             says="Spaces are only removed. A token without a space has a twin with one."),
        edit('piece.removeprefix(" ").isalpha()', "True",
             says="Punctuation and digits get twins here too. Only pieces made of letters count."),
        edit("isalpha()", "isalnum()",
             says="Digits get twins here too. Only pieces made of letters count."),
        edits(("(other, -1)", "(other)"), ("else -1", "else None"),
              says="A token without a twin gets None. Use -1."),
        edit('piece.removeprefix(" ").isalpha()', "piece.isalpha()",
             says="A piece with a space in front fails isalpha(). Remove the space first."),
        edit('piece.removeprefix(" ").isalpha()', "piece.strip().isalpha()",
             says="Two spaces in front count as one. Remove one, then test for letters only."),
        edit('piece.removeprefix(" ").isalpha()',
             'piece.removeprefix(" ").isascii() and piece.strip().isalpha()',
             says="Letters with accents are letters too. Test with isalpha()."),
        edit("number.get(other, -1)", "(number.get(other) or -1)",
             says="If the twin is token 0, the answer is -1. Test whether the dict has the entry."),
        edit(OTHERS, "pieces", says="A token is its own twin. Add the space, or remove it."),
        edits(("(other, -1)", "(other, 0)"), ("else -1", "else 0"),
              says="A token without a twin gets 0, but 0 is a token. Use -1."),
        edits(("{piece: token", "{piece.lower(): token"),
              ("number.get(other, -1)", "number.get(other.lower(), -1)"),
              says="Capitals count as the same letters. Only the space may differ."),
        edit("number.get(other, -1)", "(other if other in number else -1)",
             says="These are pieces of text. Return the numbers of the tokens."),
    ],
    right=[
        """
        def spaced_twins(pieces):
            found = []
            for piece in pieces:
                spaced = piece[:1] == " "
                letters = piece[1:] if spaced else piece
                twin = letters if spaced else " " + piece
                has_twin = letters.isalpha() and twin in pieces
                found.append(pieces.index(twin) if has_twin else -1)
            return torch.tensor(found)
        """,
    ],
    hints=[
        ("Help, how do I find a token by its text?", "Build a dict from piece to number, `{piece: "
         "token for token, piece in enumerate(pieces)}`."),
        ("Help, two kinds of twins?", "If there's a space in front, remove it. Otherwise add one. "
         "Then look up whether that piece exists."),
        ("Help, almost the code", 'Use `number.get(other, -1)`, but only if `piece.removeprefix(" '
         '").isalpha()` is true.'),
    ],
)

quiz("d2.1.quiz",
    offset=number(says="The same token is 50 back. Where is the token after it?"),
    entry=number(says="The logits at a position predict the next token."),
    positions=option("queries", "keys", "values",
               says="Positions help to decide where a head attends. Which of the three is not used "
                    "for that?"),
    guessing=number(says="It is the natural logarithm of 1,024.", within=0.005),
    second=name(says="It measures the contribution of a head to the logits.",
             also=("copying score", "copy score", "copy")),
    hints=[
        ("Help, the two offsets", "For the first, see A B C A B C in d2.1.7. For the second, see "
         "d2.1.2. Which token do the logits at position $i$ predict?"),
        ("Help, the positions", "See the picture of d2.1.1. Which of the three boxes gets no "
         "orange arrow?"),
        ("Help, the numbers and scores", "Guessing costs the logarithm of the number of choices. "
         "An induction head does two things. d2.1.7 measures one and d2.1.8 the other."),
    ],
)
