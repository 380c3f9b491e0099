"""Judges the exercises of day 2, part 3: the circuit in the weights."""

import torch
from torch.overrides import TorchFunctionMode

from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import name, number, option
from remix_utils.checks.small_transformers import random_weights, stream

from .thin import Thin, copying, drawn, factors, pair, within

CLOSE = 1e-4  # float32, and sums of some thousand products
ROWS, MIDDLE = 60, 50
VOCAB, D_HEAD = 13, 5  # of the random weights
SIZES = "The check uses weights of other sizes. Read the sizes off the shapes."
ROOT_32 = (
    "You divided by the square root of 32. The check uses weights of other sizes, so read d_head "
    "off the shape of W_Q."
)

# --- does a head copy -----------------------------------------------------------------------------


def some_heads(seed):
    """Returns heads of both layers, of two networks."""
    drawn_weights = [random_weights(seed + which, d_mlp=0) for which in (0, 1)]
    return [(drawn_weights[0], 0, 1), (drawn_weights[0], 1, 0), (drawn_weights[1], 1, 1)]


def circuit_use(answer, weights, layer, head):
    return pair(within(VOCAB**2 - 1, answer, weights, layer, head), D_HEAD)


WEIGHED = "folded = lambda weights, norm, matrix: weights[f'{norm}.w'][:, None] * matrix\n    "
CENTRED = "folded = lambda weights, norm, matrix: matrix - matrix.mean(0)\n    "
UNFOLDED = "folded = lambda weights, norm, matrix: matrix\n    "
W_V, W_U = 'folded(weights, f"blocks.{layer}.ln1", ', 'folded(weights, "ln_final", '

exercise("d2.3.3", cases=some_heads, use=circuit_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit("W_V = folded(", UNFOLDED + "W_V = folded(",
             says="No layernorm is included. W_V reads through ln1 of its layer, and W_U through "
                  "ln_final."),
        edit(W_V, "(",
             says="The layernorm that W_V reads through, ln1 of its layer, is left out. Fold it "
                  "in."),
        edit(W_U, "(",
             says="The layernorm that W_U reads through, ln_final, is left out. Fold it in."),
        edit(W_U, 'weights["ln_final.w"][:, None] * (',
             says="ln_final's weight is included, but not its centring. `folded` does both."),
        edit("W_V = folded(", WEIGHED + "W_V = folded(",
             says="The layernorms' weights are included, but not their centring. `folded` does "
                  "both."),
        edit("W_V = folded(", CENTRED + "W_V = folded(",
             says="The layernorms' centring is included, but not their weights. `folded` does "
                  "both."),
        edit("{layer}", "0", times=3,
             says="This is a head of layer 0, whatever the layer. Use `layer`."),
        edit('f"blocks.{layer}.ln1"', '"blocks.0.ln1"',
             says="W_V reads through ln1 of layer 0, whatever the layer. Use the layernorm of its "
                  "own layer."),
        edit("[head]", "[0]", times=2,
             says="This is head 0 of its layer, whatever the head. Use `head`."),
        edit("[head]", "[1 - head]", times=2,
             says="This is another head of the layer. Use `head`."),
        edit('Factors(weights["embed.W_E"] @ W_V, weights[f"blocks.{layer}.attn.W_O"][head] @ W_U)',
             'Factors((weights[f"blocks.{layer}.attn.W_O"][head] @ W_U).T, (weights["embed.W_E"] @ '
             "W_V).T)",
             says="This is the transpose. A row is the token that is attended to, a column the "
                  "logit."),
        edit('weights["embed.W_E"] @ W_V', 'weights["unembed.W_U"].T @ W_V',
             says="The circuit begins with the unembedding. Begin with the embedding, W_E."),
    ],
    right=[
        """
        def full_ov(weights, layer, head):
            centred = lambda rows: rows - rows.mean(1, keepdim=True)
            read = centred(weights["embed.W_E"]) * weights[f"blocks.{layer}.ln1.w"]
            written = centred(weights[f"blocks.{layer}.attn.W_O"][head]) * weights["ln_final.w"]
            W_V = weights[f"blocks.{layer}.attn.W_V"][head]
            return read @ W_V, written @ weights["unembed.W_U"]
        """,
    ],
    hints=[
        ("Help, where do the layernorms go?", "W_V reads the output of ln1 of its layer, and W_U "
         'reads the output of ln_final. `folded(weights, "blocks.1.ln1", matrix)` gives a matrix '
         "that reads the stream."),
        ("Help, where do I cut the product in two?", "Cut between W_V and W_O, where the circuit "
         "is only d_head wide. So the factors are W_E W_V and W_O W_U."),
        ("Help, almost the code", 'Compute `W_V = folded(weights, f"blocks.{layer}.ln1", '
         'weights[f"blocks.{layer}.attn.W_V"][head])`, and W_U in the same way with `"ln_final"`. '
         "Then return `Factors(W_E @ W_V, W_O @ W_U)`. W_O writes to the stream, so no layernorm "
         "is folded into it."),
    ],
)

SIZE = 300  # two whole blocks of 128 rows, and a part of one


def circuits(seed):
    numbers = torch.Generator().manual_seed(seed)
    shares = zip((0.8, 0.4, -0.5), (1, 5, 40), strict=True)
    return [(copying(numbers, SIZE, 6, share), k) for share, k in shares]


ENTRIES, SHARE = "(circuit.A[rows] @ circuit.B)", "return hits / len(circuit.A)"

exercise("d2.3.4", cases=circuits, tolerance=CLOSE,
    use=lambda answer, circuit, k: within(SIZE * SIZE // 2, answer, Thin(*circuit), k),
    mistakes=[
        edit(" / len(circuit.A)", "", says="This counts rows. Return their share of all rows."),
        edit(SHARE, "return 100 * hits / len(circuit.A)",
             says="This is in per cent. Return a share between 0 and 1."),
        edit("topk(k)", "topk(1)", says="This is the top-1 accuracy, whatever k is."),
        edit("topk(k)", "topk(k + 1)", says="This looks at k + 1 entries of each row."),
        edit(".topk", ".abs().topk",
             says="This ranks entries by their absolute value. A logit that falls isn't copied, so "
                  "rank the entries themselves."),
        edit("topk(k)", "topk(k, largest=False)",
             says="These are the k smallest entries of each row."),
        edit(ENTRIES, "(circuit.B.T[rows] @ circuit.A.T)",
             says="This ranks each entry in its column. A row is the token that is attended to, so "
                  "rank within rows."),
        edit(SHARE, "return 1 - hits / len(circuit.A)",
             says="This is the share of misses. Return the share of hits."),
        edit(SHARE, "return hits / len(circuit.A) / k",
             says="This is divided by k. A row counts once, whatever k is."),
        edit("== rows[:, None]", "== torch.arange(len(rows))[:, None]",
             says="Every block is compared with the row numbers of the first one. Compare with the "
                  "rows' own numbers."),
        edit(".split(128)", ".split(128)[:-1]",
             says="The last block of rows is left out. It may be smaller than the others."),
        edit(".split(128)", ".split(len(circuit.A))", says="On the way it makes a tensor"),
    ],
    right=[
        """
        def copying_accuracy(circuit, k=1):
            hits = 0
            for row, vector in enumerate(circuit.A):
                logits = vector @ circuit.B
                hits += int((logits > logits[row]).sum() < k)
            return torch.tensor(hits / len(circuit.A))
        """,
    ],
    hints=[
        ("Help, how much of the table may I build?", "Build 128 rows at a time, with "
         "`circuit.A[rows] @ circuit.B` [128, d_vocab]. `torch.arange(n).split(128)` returns the "
         "row numbers in blocks."),
        ("Help, when is a row a hit?", "Row 7 is a hit if column 7 is among its k largest. "
         "`.topk(k).indices` lists these columns, [128, k]."),
        ("Help, almost the code", "A row's own number occurs in its list once or never, so `hits "
         "+= (largest == rows[:, None]).sum()`. At the end, divide by the number of rows."),
    ],
)


def summands(seed):
    numbers = torch.Generator().manual_seed(seed)
    ranks = (3, 3), (2, 2), (4, 1)
    return [(drawn(numbers, ROWS, r, MIDDLE), drawn(numbers, ROWS, s, MIDDLE)) for r, s in ranks]


def sum_use(answer, first, second):
    result = within(ROWS * MIDDLE // 2, answer, Thin(*first), Thin(*second))
    return pair(result, first.A.shape[1] + second.A.shape[1])


SIDE, BELOW = "torch.cat([first.A, second.A], 1)", "torch.cat([first.B, second.B])"

exercise("d2.3.5", cases=summands, use=sum_use, tolerance=CLOSE,
    mistakes=[
        edits((SIDE, "first.A + second.A"), (BELOW, "first.B + second.B"),
              says="The factors were added. (A + C)(B + D) has two terms too many, A D and C B."),
        edits((SIDE, "torch.block_diag(first.A, second.A)"),
              (BELOW, "torch.block_diag(first.B, second.B)"),
              says="This is a larger matrix, with the two matrices as its blocks. Put A and C side "
                   "by side, and B above D."),
        edit(SIDE, f"{SIDE} / 2",
             says="This is the mean of the two matrices. The logits read their sum."),
        edit(f"Factors({SIDE}, {BELOW})", "first", says="Only the first matrix is included."),
        edit(f"Factors({SIDE}, {BELOW})", "second", says="Only the second matrix is included."),
        edit(BELOW, "torch.cat([second.B, first.B])",
             says="The factors are in different orders. If A is to the left of C, then B is above "
                  "D."),
        edit(f"Factors({SIDE}, {BELOW})", "first.A @ first.B + second.A @ second.B",
             says="On the way it makes a tensor"),
    ],
    right=[
        "def both(first, second):\n"
        "    return [torch.hstack([first[0], second[0]]), torch.vstack([first[1], second[1]])]",
    ],
    hints=[
        ("Help, how is a sum thin?", "A B + C D has rank r + s at most, so r + s is enough as "
         "the inner dimension."),
        ("Help, where is the sum?", "The matrix product itself sums over the inner dimension. "
         "Make it longer."),
        ("Help, almost the code", "Put A and C side by side with `torch.cat([...], 1)`, and B "
         "above D with `torch.cat([...])`."),
    ],
)


def streams(seed):
    """Returns streams with tokens that occur once, often, at both ends of rows, and never."""
    tokens = torch.tensor([[3, 0, 3, 5, 1, 0], [3, 1, 7, 7, 0, 3]])
    return [
        (stream(seed), tokens, 9),
        (stream(seed + 1), (tokens + 2) % 9, 9),
        (stream(seed + 2), tokens.flip(1), 8),
    ]


ONE_EACH = (
    "If a token occurs in several places, only one counts. `table[tokens] += ...` writes the same "
    "row again instead of adding to it. Use index_add_, or a loop."
)
EMPTY, FLAT = "torch.zeros(d_vocab, stream.shape[-1])", "stream.flatten(0, 1))"
TOTAL = f"{EMPTY}.index_add_(0, tokens.flatten(), {FLAT}"
LAST = f"{EMPTY}.index_put((tokens.flatten(),), {FLAT}"
MEAN = "return total / count.clamp(min=1)[:, None]"

exercise("d2.3.6", cases=streams,
    mistakes=[
        edits((TOTAL, LAST), (MEAN, "return total"), says=ONE_EACH),
        edit(TOTAL, LAST, says=ONE_EACH),
        edit(MEAN, "return total", says="These are sums. Divide by how often each token occurs."),
        edit(".clamp(min=1)", "",
             says="A token that never occurs is divided by 0. Return zeros for it."),
        edit(MEAN, "return total / tokens.numel()",
             says="The sums are divided by the number of all positions. Divide each by how often "
                  "its own token occurs."),
        edit(MEAN, "return total / (count[:, None] + 1)",
             says="Each count is raised by 1. Use 1 only for tokens that never occur."),
        instead("""
                def stream_by_token(stream, tokens, d_vocab):
                    means = []
                    for vectors, row in zip(stream, tokens):
                        total = torch.zeros(d_vocab, vectors.shape[-1]).index_add_(0, row, vectors)
                        count = row.bincount(minlength=d_vocab).clamp(min=1)
                        means.append(total / count[:, None])
                    return torch.stack(means).mean(0)
                """,
                says="This averages the means of the rows. Every position of a token has the same "
                     "weight, so sum over all rows first."),
        edit("torch.zeros(d_vocab, ", "torch.zeros(1024, ",
             says="The table always has 1,024 rows. Use d_vocab."),
    ],
    right=[
        """
        def stream_by_token(stream, tokens, d_vocab):
            table = []
            for token in range(d_vocab):
                vectors = stream[tokens == token]
                table.append(vectors.mean(0) if len(vectors) else torch.zeros(stream.shape[-1]))
            return torch.stack(table)
        """,
    ],
    hints=[
        ("Help, most rows come out wrong", "`table[tokens] += stream` reads all rows, adds, and "
         "writes them back. A token that occurs twice is written twice, and the second write "
         "wins."),
        ("Help, which arguments does index_add_ take?", "`table.index_add_(0, rows, vectors)` "
         "takes flat tokens [n] as rows and flat vectors [n, d_model]. It adds every vector to its row."),
        ("Help, almost the code", "Sum with `index_add_`, and count with "
         "`tokens.flatten().bincount(minlength=d_vocab)`. Divide the sums by the counts, with "
         "`.clamp(min=1)` for tokens that never occur."),
    ],
)

# --- which token a head attends to ----------------------------------------------------------------


def places(seed):
    """Returns heads of both layers, with few positions, more of them, and all."""
    chosen = (0, 0, 1, 6), (1, 1, 0, 11), (2, 0, 0, 4)
    return [(random_weights(seed + which, d_mlp=0), *rest) for which, *rest in chosen]


MASKED, ROOT = 'scores.masked_fill(future, float("-inf")).softmax(-1)', " / key.shape[1] ** 0.5"

exercise("d2.3.8", cases=places, sizes=SIZES,
    mistakes=[
        edit(f"return {MASKED}", 'return scores.masked_fill(future, float("-inf"))',
             says="These are scores. A pattern is their softmax over the keys."),
        edit(f"return {MASKED}", "return scores",
             says="These are scores. Mask the future, and take the softmax over the keys."),
        edit(MASKED, "scores.softmax(-1)",
             says="Queries attend to the future. Mask the keys above the diagonal before the "
                  "softmax."),
        edit('float("-inf")', "0.0",
             says="The future has the score 0, and exp(0) is 1. Use minus infinity."),
        edit(MASKED, "scores.softmax(-1).masked_fill(future, 0.0)",
             says="The future was masked after the softmax, so the rows don't sum to 1. Mask it "
                  "before."),
        edit(".softmax(-1)", ".softmax(0).nan_to_num()",
             says="The softmax went over queries. Take it over the keys, so that the attention of "
                  "each query sums to 1."),
        edits(('float("-inf")', "torch.finfo(torch.float32).min"), ("triu(1)", "triu(0)"),
              says="A query can't attend to itself here. Keep the diagonal with triu(1)."),
        edit(ROOT, "", says="The scores are not divided by the square root of d_head."),
        edit(" ** 0.5", "", says="You divided by d_head. Divide by its square root."),
        edit("key.shape[1]", "32", says=ROOT_32),
        edit("key.shape[1]", "places.shape[1]",
             says="You divided by the square root of d_model. Divide by that of d_head."),
        edit("query @ key.T", "key @ query.T",
             says="Query and key are swapped. The rows are queries."),
        edit('weights[f"blocks.{layer}.attn.W_{letter}"][head] for',
             'folded(weights, f"blocks.{layer}.ln1", '
             'weights[f"blocks.{layer}.attn.W_{letter}"][head]) for',
             says="The layernorm is folded in. In this model positions are added after it."),
        edit("[:seq]",
             "[:seq]\n    places = torch.nn.functional.layer_norm(places, places.shape[1:])",
             says="The positions are normalised. In this model they come after the layernorm."),
        edit("[head] for", '[head] + weights[f"blocks.{layer}.attn.b_{letter}"][head] for',
             says="The biases b_Q and b_K are included. Use positions alone."),
        edit("{layer}", "0", says="This is a head of layer 0, whatever the layer. Use `layer`."),
    ],
    right=[
        """
        def positional_pattern(weights, layer, head, seq):
            W_Q, W_K = (weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QK")
            places, rows = weights["pos_embed.W_pos"], []
            for query in range(seq):
                scores = places[: query + 1] @ W_K @ (places[query] @ W_Q) / W_Q.shape[-1] ** 0.5
                rows.append(torch.nn.functional.pad(scores.softmax(0), (0, seq - query - 1)))
            return torch.stack(rows)
        """,
    ],
    hints=[
        ("Help, where do I start?", 'Without tokens, queries and keys read only '
         '`weights["pos_embed.W_pos"][:seq]` [seq, d_model].'),
        ("Help, how do scores become a pattern?", "Divide by the square root of d_head, put minus "
         "infinity above the diagonal, and take the softmax over the last axis. Then each row "
         "sums to 1."),
        ("Help, almost the code", "Multiply `places` by `W_Q` and `W_K` of the head. Then mask "
         'with `scores.masked_fill(torch.ones(seq, seq, dtype=torch.bool).triu(1), float("-inf"))`.'),
    ],
)


def composed(seed):
    numbers = torch.Generator().manual_seed(seed)
    pairs = (0, 0, 1), (1, 1, 0), (2, 1, 1)
    return [
        (random_weights(seed + which, d_mlp=0), torch.randn(VOCAB, 8, generator=numbers), *heads)
        for which, *heads in pairs
    ]


def composed_use(answer, weights, asks, previous, induction):
    return pair(within(VOCAB**2 - 1, answer, weights, asks, previous, induction), D_HEAD)


FIRST, VALUES = "    W_Q, W_K = (folded(", "    W_V = folded("
UNREAD = 'weights["blocks.1.attn.W_{}"][induction]'
KEYS = 'weights["embed.W_E"] @ W_V @ weights["blocks.0.attn.W_O"][previous] @ W_K'
LAYER_1, LAYER_0 = 'folded(weights, "blocks.1.ln1", ', 'folded(weights, "blocks.0.ln1", '

exercise("d2.3.10", cases=composed, use=composed_use, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(FIRST, f"    {UNFOLDED}{FIRST.strip()}",
             says="The layernorms are left out. Both layers read through a layernorm."),
        edit(LAYER_0, "(", says="Layer 0's layernorm is left out. W_V reads through it."),
        edit(LAYER_1, "(", says="Layer 1's layernorm is left out. W_Q and W_K read through it."),
        edit(VALUES, f"    W_Q = {UNREAD.format('Q')}\n{VALUES}",
             says="Layer 1's layernorm is folded into W_K only. W_Q reads through it too."),
        edit(VALUES, f"    W_K = {UNREAD.format('K')}\n{VALUES}",
             says="Layer 1's layernorm is folded into W_Q only. W_K reads through it too."),
        edit(LAYER_0, LAYER_1,
             says="W_V of layer 0 reads through ln1 of layer 1. Use the layernorm of its own "
                  "layer."),
        edit("W_Q.shape[1] ** 0.5", "32 ** 0.5", says=ROOT_32),
        edit(" / W_Q.shape[1] ** 0.5", "",
             says="The scores are not divided by the square root of d_head."),
        edit(KEYS, 'weights["embed.W_E"] @ W_K',
             says="The key comes straight from the embedding. Go through W_V and W_O of head "
                  "0.previous first."),
        edit(KEYS, 'asks @ W_V @ weights["blocks.0.attn.W_O"][previous] @ W_K',
             says="The key's side begins with `asks` too. Begin it with the embedding."),
        edit("Factors(asks @", 'Factors(weights["embed.W_E"] @',
             says="The query's side begins with the embedding. Let it begin with `asks`."),
        edit("Factors(asks @ W_Q / W_Q.shape[1] ** 0.5, keys.T)",
             "Factors(keys, (asks @ W_Q / W_Q.shape[1] ** 0.5).T)",
             says="This is the transpose. A row is the query's token, a column the token before "
                  "the key."),
        edit(FIRST, f"    previous, induction = induction, previous\n{FIRST}",
             says="The two heads are swapped. `previous` is in layer 0, `induction` in layer 1."),
    ],
    right=[
        """
        def composed_qk(weights, asks, previous, induction):
            normed = lambda rows, name: (rows - rows.mean(1, keepdim=True)) * weights[f"{name}.w"]
            V, O = (weights[f"blocks.0.attn.W_{letter}"][previous] for letter in "VO")
            keys = normed(normed(weights["embed.W_E"], "blocks.0.ln1") @ V @ O, "blocks.1.ln1")
            W_Q, W_K = (weights[f"blocks.1.attn.W_{letter}"][induction] for letter in "QK")
            query = normed(asks, "blocks.1.ln1") @ W_Q
            return query, (keys @ W_K).T / W_K.shape[-1] ** 0.5
        """,
    ],
    hints=[
        ("Help, which input does the key read?", "It reads the output of head 0.previous, which is "
         "the embedding of the token *before*, times W_V and W_O of this head."),
        ("Help, where is which layernorm?", "W_V of layer 0 reads through blocks.0.ln1, and W_Q "
         "and W_K of layer 1 read through blocks.1.ln1. W_O writes, so it isn't folded."),
        ("Help, almost the code", "Compute `keys = W_E @ W_V @ W_O @ W_K` [d_vocab, d_head], and "
         "return `Factors(asks @ W_Q / W_Q.shape[1] ** 0.5, keys.T)`."),
    ],
)

# --- the same circuits with other tools -----------------------------------------------------------


def squares(seed):
    """Returns circuits that copy a little, suppress, and do neither."""
    numbers = torch.Generator().manual_seed(seed)
    return [(copying(numbers, 60, 6, share),) for share in (0.3, -0.6, 0.0)]


STATISTIC = "(values.sum().real / values.abs().sum()).item()"

exercise("d2.3.7", cases=squares, tolerance=1e-3,
    use=lambda answer, circuit: within(60 * 60 // 2, answer, Thin(*circuit)),
    mistakes=[
        edit("values.sum().real", "values.sum().abs()",
             says="The sign of the sum is lost. Suppression is negative."),
        edit("values.abs().sum()", "values.real.abs().sum()",
             says="The denominator holds real parts only. The length of a complex eigenvalue is "
                  "values.abs()."),
        edit(" / values.abs().sum()", "", says="The sum is not divided by the sum of lengths."),
        edit("values.abs().sum()", "len(values)",
             says="The sum is divided by the number of eigenvalues. Divide by the sum of their "
                  "lengths."),
        edit("values.abs().sum()", "torch.linalg.svdvals(torch.linalg.qr(circuit.A).R @ "
                                   "torch.linalg.qr(circuit.B.T).R.T).sum()",
             says="The denominator holds singular values. Use the lengths of the eigenvalues."),
        edit("torch.linalg.eigvals", "torch.linalg.eigvalsh",
             says="eigvalsh assumes a symmetric matrix, and B A isn't symmetric. Use eigvals."),
        edit("values.abs().sum()", "values.sum().abs()",
             says="The denominator is the length of the sum. Take the length of each eigenvalue "
                  "first, and then sum."),
        edit(STATISTIC, "(values.real > 0).float().mean().item()",
             says="This is the share of positive eigenvalues. Return the sum of the eigenvalues "
                  "over the sum of their lengths."),
        edit(STATISTIC, "(values.real / values.abs()).mean().item()",
             says="This is the mean of λ/|λ|, so small eigenvalues count as much as large ones. "
                  "Divide the sum by the sum of lengths."),
        edit("values.abs().sum()", "values.abs().square().sum().sqrt()",
             says="The denominator is the root of the sum of squares. Take the sum of lengths."),
        edit("circuit.B @ circuit.A", "circuit.A @ circuit.B", says="On the way it makes a tensor"),
    ],
    right=[
        """
        def eigenvalue_statistic(circuit):
            lengths = torch.linalg.eigvals(circuit.B @ circuit.A).abs()
            return (circuit.A * circuit.B.T).sum() / lengths.sum()
        """,
    ],
    hints=[
        ("Help, which small matrix?", "Let A B v = λ v, and u = B v. Then B A u = B A B v = λ u. "
         "So B A has the same eigenvalues, except for zeros."),
        ("Help, the sum is complex", "In the sum the imaginary parts cancel, so take `.real` of "
         "it. In the denominator, the length of an eigenvalue is `values.abs()`."),
        ("Help, almost the code", "Compute `values = torch.linalg.eigvals(circuit.B @ "
         "circuit.A)`. Then divide their sum by the sum of their lengths, and return a number."),
    ],
)


def texts(seed):
    numbers = torch.Generator().manual_seed(seed)
    chosen = (0, 1, 0, 4), (1, 1, 1, 3), (2, 0, 1, 4)
    weights = lambda which: random_weights(seed + which, d_mlp=0)
    return [
        (weights(which), layer, head, torch.randn(count, 6, 8, generator=numbers))
        for which, layer, head, count in chosen
    ]


BIAS = 'side[-1] += weights[f"blocks.{layer}.attn.b_{letter}"][head]'
LATER = "The future is masked. Don't mask it, because the shares must sum to the score."
SCORES = 'torch.einsum("aqd,bkd->abqk", *sides) / side.shape[-1] ** 0.5'
FUTURE = "torch.ones(parts.shape[1], parts.shape[1], dtype=torch.bool).triu(1)"

exercise("d2.3.9", cases=texts, tolerance=CLOSE, sizes=SIZES,
    mistakes=[
        edit(BIAS, "pass",
             says="b_Q and b_K are left out, so the shares don't sum to the score. Add them to the "
                  "last source."),
        edit("side[-1] +=", "side = side +",
             says="Every source has the biases, so they count once for each source. Add them to "
                  "the last one."),
        edit("side[-1] +=", "side = side +" " 1 / len(parts) *",
             says="The biases are shared among all sources. Add them to the last one."),
        edit("side[-1] +=", "side[0] +=",
             says="The first source, the embedding, carries the biases. Add them to the last one."),
        edit("+= weights", "+= (letter == 'Q') * weights",
             says="b_K is left out. Add b_Q to the last source of the query, and b_K to that of "
                  "the key."),
        edit("side.shape[-1] ** 0.5", "32 ** 0.5", says=ROOT_32),
        edit(" / side.shape[-1] ** 0.5", "",
             says="The scores are not divided by the square root of d_head."),
        edit("->abqk", "->baqk",
             says="The key's source comes first. The order is [query source, key source, query, "
                  "key]."),
        edit("->abqk", "->abkq",
             says="Query and key are swapped. The order is [query source, key source, "
                  "query, key]."),
        edit('in "QK"', 'in "KQ"', says="W_Q and W_K are swapped."),
        edit("aqd,bkd->abqk", "aqd,akd->aqk",
             says="Each source is paired only with itself. Pair every query source with every key "
                  "source."),
        edit("->abqk", "->qk",
             says="The sources are summed. Keep one axis for the query's source and one for the "
                  "key's."),
        edit(SCORES, f"({SCORES}).masked_fill({FUTURE}, 0.0)", says=LATER),
        edit(SCORES, f"({SCORES}).masked_fill({FUTURE}, -torch.inf)", says=LATER),
        edit("[head]", "[0]", times=2,
             says="This is head 0 of its layer, whatever the head. Use `head`."),
    ],
    right=[
        """
        def scores_by_source(weights, layer, head, parts):
            W = {letter: weights[f"blocks.{layer}.attn.W_{letter}"][head] for letter in "QK"}
            b = {letter: weights[f"blocks.{layer}.attn.b_{letter}"][head] for letter in "QK"}
            last = len(parts) - 1
            sides = {letter: [part @ W[letter] + (place == last) * b[letter] for place, part in
                              enumerate(parts)] for letter in "QK"}
            return torch.stack([
                torch.stack([q @ k.T / W["Q"].shape[1] ** 0.5 for k in sides["K"]])
                for q in sides["Q"]
            ])
        """,
    ],
    hints=[
        ("Help, how does one score become a hundred?", "(a + b) · (c + d) has four terms. Here "
         "the query has ten sources, and so has the key."),
        ("Help, where do the biases go?", "`parts @ W_Q` gives [source, seq, d_head]. Add b_Q to "
         "its last entry along the first axis, and to no other. Do the same with b_K."),
        ("Help, almost the code", '`torch.einsum("aqd,bkd->abqk", query, key)`, divided by the '
         "square root of d_head. Use different letters for the two sources, and for the two "
         "places."),
    ],
)

# --- composition ----------------------------------------------------------------------------------


def heads(seed):
    """Returns as many first heads as second ones, fewer and more. Thin heads vary more."""
    numbers = torch.Generator().manual_seed(seed)
    thin = lambda *shape: torch.randn(*shape, generator=numbers)
    draw = lambda n: thin(n, 7, 2) @ thin(n, 2, 7)
    return [(draw(first), draw(second)) for first, second in ((3, 3), (2, 4), (4, 2))]


DIVIDED = "size(products) / (size(writes)[:, None] * size(reads))"

exercise("d2.3.11", cases=heads, tolerance=CLOSE,
    mistakes=[
        edit("writes[:, None] @ reads[None]", "reads[None] @ writes[:, None]",
             says="The matrices are multiplied in the wrong order. Vectors are rows, so the first "
                  "head's matrix is on the left."),
        edit(DIVIDED, "size(products)",
             says="The norms of the products are not divided by those of the matrices."),
        edit(DIVIDED, f"({DIVIDED}).square()",
             says="These are the squares of the scores. A norm is a square root."),
        edit("matrices.square().sum((-2, -1)).sqrt()", "torch.linalg.matrix_norm(matrices, 2)",
             says="These are spectral norms, the largest singular values. Take Frobenius norms."),
        edit("writes[:, None] @ reads[None]", "writes[:, None] * reads[None]",
             says="The matrices are multiplied entry by entry. W R is a matrix product."),
        edit(DIVIDED, f"({DIVIDED}).T",
             says="First and second are swapped in the result. The order is [first, second]."),
        edit("(size(writes)[:, None] * size(reads))", "(writes.norm() * reads.norm())",
             says="The norms are those of all heads together. Each pair has its own."),
        edit("reads[None]", "reads[None].mT",
             says="R is transposed. Use `reads` as it is."),
        edits(("writes[:, None] @ reads[None]", "writes @ reads"), ("[:, None] * size", " * size"),
              says="Each first head is paired with one second head only. Score all pairs."),
    ],
    right=[
        """
        def composition_scores(writes, reads):
            norm = torch.linalg.norm
            score = lambda W, R: norm(W @ R) / norm(W) / norm(R)
            return torch.stack([torch.stack([score(W, R) for R in reads]) for W in writes])
        """,
    ],
    hints=[
        ("Help, how do I get all pairs?", "`writes[:, None] @ reads[None]` multiplies every first "
         "matrix by every second one: [first, second, d_model, d_model]."),
        ("Help, the shapes of the norms don't fit", "The norms of the products are [first, "
         "second]. Those of the first heads are [first], so give them an axis: `[:, None]`. Those "
         "of the second heads fit as they are."),
        ("Help, almost the code", "Define `size = lambda matrices: matrices.square().sum((-2, "
         "-1)).sqrt()`. Use it for the products, for `writes` and for `reads`."),
    ],
)

FEW, WIDTH, RANK = 40, 24, 3


def right_scores(n, seed):
    """Returns the scores of random pairs, all at once."""
    numbers = torch.Generator().manual_seed(seed)
    V, O, R, S = torch.randn(4, n, WIDTH, RANK, generator=numbers)
    W, R = V @ O.mT, R @ S.mT
    size = lambda matrices: matrices.square().sum((-2, -1)).sqrt()
    return size(W @ R) / (size(W) * size(R))


def chance_use(answer, seeds):
    """Checks the draws for their shape, their seed, independence and distribution."""
    state = torch.get_rng_state()
    drawn_scores = [torch.as_tensor(answer(FEW, WIDTH, RANK, seed=seed)) for seed in seeds]
    again = torch.as_tensor(answer(FEW, WIDTH, RANK, seed=seeds[0]))
    if drawn_scores[0].shape != (FEW,):
        shape = list(drawn_scores[0].shape)
        raise Wrong(f"It returns {shape} for n = {FEW}. Return one score per pair, [n].")
    if not torch.allclose(again, drawn_scores[0]):
        raise Wrong("With the same seed it returns different numbers the second time. Use a generator "
                    "with that seed.")
    if torch.allclose(drawn_scores[0], drawn_scores[1]):
        raise Wrong("It returns the same numbers for every seed.")
    if drawn_scores[0].std() < 1e-6:
        raise Wrong(f"All {FEW} scores are equal. Draw new matrices for each pair.")
    require_enough_draws(answer, seeds[0])
    right = right_scores(4000, seeds[0] + 7)
    require_distribution(torch.cat(drawn_scores).double(), right.double())
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("It seeds torch's global generator, which other code uses. Use "
                    "torch.Generator().")
    return tuple(again.shape)


def require_enough_draws(answer, seed):
    """Checks that four matrices are drawn for each pair. Only torch's draws are counted."""
    with Draws() as draws:
        answer(FEW, WIDTH, RANK, seed=seed)
    needed = 4 * FEW * WIDTH * RANK
    if 0 < draws.count < needed:
        raise Wrong(
            f"It draws {draws.count:,} random numbers, but {FEW} pairs of heads need {needed:,}, "
            "so some pairs share a matrix. Draw all four matrices anew for each pair."
        )


class Draws(TorchFunctionMode):
    """Counts the random numbers that torch draws."""

    NAMES = ("randn", "rand", "normal", "normal_", "randn_like", "rand_like", "uniform_")
    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        if getattr(func, "__name__", "") in self.NAMES and isinstance(result, torch.Tensor):
            self.count += result.numel()
        return result


def require_distribution(scores, right):
    """Checks that the scores have the mean and the spread of random thin heads."""
    mean, spread = scores.mean() / right.mean(), scores.std() / right.std()
    if mean > 2 and scores.max() <= 1:
        raise Wrong(
            f"The mean is {scores.mean():.3f}, far above 1/√{WIDTH}. Weights that are all "
            "positive, as from torch.rand, have similar directions. Use torch.randn."
        )
    if abs(mean - 1) > 0.05:
        raise Wrong(
            f"The mean is {scores.mean():.3f}, expected {right.mean():.3f} for random heads of "
            f"width {WIDTH}."
        )
    if spread < 0.75:
        raise Wrong(
            f"The mean is right, but the spread is only {spread:.2f} of that of random heads. A "
            "head's matrix has rank d_head, so multiply two thin ones."
        )


DRAWN = "torch.randn(4, d_model, d_head, generator=generator)"

exercise("d2.3.12", cases=lambda seed: [(range(seed, seed + 12),)], use=chance_use,
    mistakes=[
        edit(DRAWN, "torch.rand(4, d_model, d_head, generator=generator)", says="Use torch.randn."),
        edits((f"value, write, read, rest = {DRAWN}",
               "first, second = torch.randn(2, d_model, d_model, generator=generator)"),
              ("(value @ write.T)[None], (read @ rest.T)[None]", "first[None], second[None]"),
              says="A head's matrix has rank d_head, so multiply two thin ones."),
        edit("    generator = torch.Generator().manual_seed(seed)\n",
             "    generator = torch.manual_seed(seed)\n",
             says="It seeds torch's global generator, which other code uses."),
        edit(".manual_seed(seed)", ".manual_seed(0)",
             says="It returns the same numbers for every seed."),
        edits(("    generator = torch.Generator().manual_seed(seed)\n", ""),
              (", generator=generator", ""),
              says="With the same seed it returns different numbers the second time."),
        edit("    for _ in range(n):\n",
             "    for _ in range(n):\n        generator = torch.Generator().manual_seed(seed)\n",
             says="Draw new matrices for each pair."),
        edits((f"value, write, read, rest = {DRAWN}", f"read, rest = {DRAWN.replace('4', '2')}"),
              ("    for _ in range(n):\n", f"    shared = {DRAWN}\n    for _ in range(n):\n"),
              ("(value @ write.T)[None]", "(shared[0] @ shared[1].T)[None]"),
              says="Draw all four matrices anew for each pair."),
        edits((f"value, write, read, rest = {DRAWN}", f"value, read = {DRAWN.replace('4', '2')}"),
              ("(value @ write.T)[None], (read @ rest.T)[None]",
               "(value @ value.T)[None], (read @ read.T)[None]"),
              says="Draw all four matrices anew for each pair."),
        edit("torch.stack(scores)", "torch.stack(scores).mean()",
             says="Return one score per pair, [n]."),
    ],
    right=[
        """
        def random_scores(n, d_model, d_head, seed=0):
            import numpy

            numbers, scores = numpy.random.default_rng(seed), []
            for _ in range(n):
                V, O, R, S = numbers.normal(size=(4, d_model, d_head))
                W, R = V @ O.T, R @ S.T
                norm = numpy.linalg.norm
                scores.append(norm(W @ R) / norm(W) / norm(R))
            return torch.tensor(scores)
        """,
    ],
    hints=[
        ("Help, which matrices do I draw?", "Draw W_V and W_O of the first head, and W_Q and W_K "
         "of the second. Each is [d_model, d_head] and normal."),
        ("Help, how do I get a score from them?", "Pass W = value @ write.T and R = read @ rest.T "
         "to `composition_scores`, each with an axis in front. The scale of the weights cancels."),
        ("Help, almost the code", "Make `generator = torch.Generator().manual_seed(seed)` once, "
         "before the loop. Inside, draw `torch.randn(4, d_model, d_head, generator=generator)`."),
    ],
)

# --- the algebra of thin matrices -----------------------------------------------------------------


def products(seed):
    """Returns pairs of thin matrices. The first is thinner, then the second, then neither."""
    numbers = torch.Generator().manual_seed(seed)
    ranks = (2, 5), (5, 2), (3, 3)
    return [(drawn(numbers, ROWS, r, MIDDLE), drawn(numbers, MIDDLE, s, ROWS)) for r, s in ranks]


def product_use(answer, first, second):
    result = within(ROWS * MIDDLE // 2, answer, Thin(*first), Thin(*second))
    return {**pair(result), "the inner dimension": factors(result)[0].shape[1]}


exercise("d2.3.1", cases=products, use=product_use, tolerance=CLOSE,
    mistakes=[
        edit("if first.A.shape[1] <= second.A.shape[1]:", "if True:",
             says="The product is right, but always as thick as the first matrix. Multiply the "
                  "middle into the thicker side."),
        edit("if first.A.shape[1] <= second.A.shape[1]:", "if False:",
             says="The product is right, but always as thick as the second matrix. Multiply the "
                  "middle into the thicker side."),
        edit("<=", ">",
             says="The product is right, but as thick as the *thicker* of the two. Reverse the "
                  "comparison."),
        edit("    middle = first.B", "    first, second = second, first\n    middle = first.B",
             says="This is the product in the other order. The first matrix is on the left."),
        edits(("Factors(first.A, middle @ second.B)", "Factors((middle @ second.B).T, first.A.T)"),
              ("Factors(first.A @ middle, second.B)", "Factors(second.B.T, (first.A @ middle).T)"),
              says="This is the transpose. A belongs to the rows, and B to the columns."),
        edit("    middle = first.B @ second.A",
             "    return Factors(first.A @ first.B, second.A @ second.B)",
             says="On the way it makes a tensor"),
    ],
    right=[
        """
        def product(first, second):
            (A, B), (C, D) = first, second
            left, right = (A @ (B @ C), D), (A, (B @ C) @ D)
            return min(right, left, key=lambda pair: pair[0].shape[1])
        """,
    ],
    hints=[
        ("Help, which brackets?", "There are four matrices in a row, A B C D. B and C meet at "
         "their long sides, and their product is small. Compute this product first."),
        ("Help, I have three matrices left", "They are A, the small middle, and D. Multiply the "
         "middle into A or into D. Which choice gives the smaller inner dimension?"),
        ("Help, almost the code", "Start with `middle = first.B @ second.A`. If `first.A` has no "
         "more columns than `second.A`, return `Factors(first.A, middle @ second.B)`. Otherwise "
         "multiply the middle into `first.A`."),
    ],
)


def matrices(seed):
    numbers = torch.Generator().manual_seed(seed)
    sizes = (ROWS, 3, ROWS), (ROWS, 1, MIDDLE), (MIDDLE, 6, ROWS)
    return [(drawn(numbers, *size),) for size in sizes]


NORM, TRIANGLE = "(left * right).sum().sqrt()", (
    "torch.linalg.matrix_norm(torch.linalg.qr(matrix.A).R @ torch.linalg.qr(matrix.B.T).R.T, 2)"
)


def norm_use(answer, matrix):
    return within(len(matrix.A) * matrix.B.shape[1] // 2, answer, Thin(*matrix))


exercise("d2.3.2", cases=matrices, use=norm_use, tolerance=CLOSE,
    mistakes=[
        edit(NORM, "matrix.A.norm() * matrix.B.norm()",
             says="This is the product of the two norms, which is larger. The norm of A B "
                  "depends on the directions of both factors."),
        edit(NORM, "(matrix.B @ matrix.A).norm()",
             says="This is the norm of B A. Factors may be moved around inside a trace, not inside "
                  "a norm."),
        edit(".sqrt()", "", says="This is the square of the norm. Take the root."),
        edit(NORM, TRIANGLE,
             says="This is the largest singular value, the spectral norm. The Frobenius norm "
                  "counts all entries."),
        edit(NORM, "(left.sum() * right.sum()).sqrt()",
             says="Both squares are summed first and then multiplied. Multiply AᵀA and BBᵀ "
                  "entry by entry, and then sum."),
        edit(NORM, "(matrix.A @ matrix.B).norm()", says="On the way it makes a tensor"),
    ],
    right=[
        "def norm(matrix):\n"
        "    return (torch.linalg.qr(matrix.A).R @ torch.linalg.qr(matrix.B.T).R.T).norm()",
    ],
    hints=[
        ("Help, I only know the norm of a whole matrix", "Its square is tr(Mᵀ M) with M = A B. "
         "Written out, this is tr(Bᵀ Aᵀ A B). Which two of these four matrices can you multiply "
         "first?"),
        ("Help, Bᵀ is still in front", "In a trace it may move to the end, which gives "
         "tr(Aᵀ A · B Bᵀ). Both squares are [r, r]."),
        ("Help, almost the code", "The trace of X Y is the sum of the entries of X times those of "
         "Yᵀ. Both squares here are symmetric, so this is `(left * right).sum()`. Take the root "
         "at the end."),
    ],
)


def thin_heads(seed):
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for first, second in ((3, 2), (2, 3)):
        V, O = torch.randn(2, first, WIDTH, RANK, generator=numbers)
        R, S = torch.randn(2, second, WIDTH, RANK, generator=numbers) + 0.2
        cases.append((V, O.mT.contiguous(), R, S))
    return cases


def thin_use(answer, V, O, R, S):
    return within(len(V) * len(R) * WIDTH * RANK - 1, answer, V, O, R, S)


SQUARES = "((VV[:, None] @ middle @ SS) * middle)"
BOTTOM = "((VV * OO).sum((-2, -1))[:, None] * (RR * SS).sum((-2, -1)))"
WHOLE_NORMS = (
    "((V * V).sum((-2, -1)) * (O * O).sum((-2, -1)))[:, None] * "
    "((R * R).sum((-2, -1)) * (S * S).sum((-2, -1)))"
)
FULL = "‖V O R Sᵀ‖² = tr(VᵀV M SᵀS Mᵀ), with M = O R."

exercise("d2.3.13", cases=thin_heads, use=thin_use, tolerance=CLOSE,
    mistakes=[
        edit(f"return (squares / {BOTTOM}).sqrt()", f"return squares / {BOTTOM}",
             says="These are the squares of the scores. Take the root at the end."),
        edit(SQUARES, "(middle * middle)",
             says="V and S are left out of the product. This is the norm of O R alone."),
        edit(BOTTOM, f"({WHOLE_NORMS})",
             says="The product is right, but the denominator has ‖V‖ ‖O‖ in place of ‖V O‖, "
                  "and ‖R‖ ‖S‖ in place of ‖R Sᵀ‖. Both are larger."),
        edit(f" / {BOTTOM}", "", says="The product is not divided by the norms of the two heads."),
        edit(SQUARES, "((middle @ SS) * middle)",
             says=f"V's square is left out of the product. {FULL}"),
        edit(SQUARES, "((VV[:, None] @ middle) * middle)",
             says=f"S's square is left out of the product. {FULL}"),
        edit(".sqrt()", ".sqrt().T",
             says="First and second are swapped in the result. The order is [first, second]."),
        edit("    middle = torch",
             "    return composition_scores(V @ O, R @ S.mT)\n    middle = torch",
             says="On the way it makes a tensor"),
    ],
    right=[
        """
        def thin_scores(V, O, R, S):
            upper = lambda matrices: torch.linalg.qr(matrices).R
            norm = lambda matrices: matrices.square().sum((-2, -1)).sqrt()
            first, second = upper(V), upper(S)
            pairs = norm(first[:, None] @ torch.einsum("ahd,bdk->abhk", O, R) @ second.mT)
            return pairs / norm(first @ upper(O.mT).mT)[:, None] / norm(upper(R) @ second.mT)
        """,
    ],
    hints=[
        ("Help, which matrices are small?", "M = O R is [d_head, d_head] for each pair. V is on "
         "its left and Sᵀ on its right. Their squares VᵀV and SᵀS have the same size, one for "
         "each head."),
        ("Help, which trace is it?", "‖V M Sᵀ‖² = tr(S Mᵀ VᵀV M Sᵀ) = tr(VᵀV M · "
         "SᵀS Mᵀ). And the trace of X Yᵀ is the sum of the entries of X times those of Y."),
        ("Help, almost the code", 'Compute `middle = torch.einsum("ahd,bdk->abhk", O, R)` and '
         "`squares = ((VV[:, None] @ middle @ SS) * middle).sum((-2, -1))`. The norms in the "
         "denominator are those of d2.3.2, once for each head."),
    ],
)

quiz("d2.3.quiz",
    rank=number(says="The circuit is a product of two thin matrices. How large is their inner "
                     "dimension?"),
    missing=option("previous", "current", "first",
                   says="In d2.3.6, three heads of layer 0 have 0.86 or more of their attention on "
                        "which token?"),
    positions=number(also=(0.91,),
                     says="It's nearly all of the attention. See the thin line of d2.3.8."),
    keys=name(says="In d2.3.10, only one head of layer 0 gave a large share.",
              also=("head 0.0", "(0, 0)", "0", "head 0")),
    chance=number(says="Each of the 1,024 entries of a row is equally likely to be the largest."),
    hints=[
        ("Help, the rank and the missing output", "For `rank` see the first picture of this part. "
         "For `missing` see d2.3.6. Which heads of layer 0 wrote the version that is copied?"),
        ("Help, the positions and the keys", "For `positions` see the number under the thin line "
         "of d2.3.8. For `keys` see the table of d2.3.10."),
        ("Help, chance", "If the ranking is random, each of the 1,024 columns has the same "
         "probability of being the largest."),
    ],
)
