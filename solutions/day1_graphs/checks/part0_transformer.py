"""Checks the exercises of day 1, part 0: a transformer from scratch."""

import functools

import torch
import torch.nn.functional as F

from remix_utils import models
from remix_utils.checks.compare import plain
from remix_utils.checks.exercise import Wrong, edit, edits, exercise, instead, quiz
from remix_utils.checks.questions import name, number, option
from remix_utils.checks.small_transformers import network, random_weights, stream

from .specimens import CALLS, specimen_a, specimen_b

SIZES = (
    "The check uses small networks, with 2 heads of 5 entries, vectors of 8 entries, 13 tokens and "
    "11 positions. Read every size off a shape."
)


def normal(seed, *shapes):
    """Returns one tensor of normal numbers for each shape."""
    numbers = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(shape, generator=numbers) for shape in shapes)


# --- axes -----------------------------------------------------------------------------------------


def vectors(seed):
    return [(x,) for x in normal(seed, (5, 3), (4, 4), (1, 3))]


exercise("d1.0.1", cases=vectors,
    mistakes=[
        edit("-> s", "->", says="Everything was summed. Name seq in the result to keep it."),
        edit("-> s", "-> d",
             says="These are sums over positions. Keep seq, the first axis, and sum over d_model."),
        edit('"s d, s d -> s", x, x', '"s d -> s", x',
             says="Nothing was squared. Pass x twice, once for each operand."),
        edit("s d, s d", "s d, s e",
             says="This is the square of the sum. Use the letter d in both operands, so that "
                  "each entry is multiplied by itself."),
        edit("x, x)", "x, x).sqrt()", says="These are lengths. Leave out the square root."),
        edit("x, x)", "x, x) / x.shape[1]",
             says="These are means of the squares. Don't divide by their number."),
        edit("-> s", "-> s d",
             says="These are the squares, not their sums. Leave d out of the result to sum over "
                  "it."),
        edit("s d, s d -> s", "q d, k d -> q k",
             says="This compares pairs of positions. Use the same letter for both positions."),
    ],
    right=[lambda x: [sum(entry * entry for entry in row) for row in x.tolist()]],
    hints=[
        ("Help, where do I write which axis is summed?",
         "Nowhere. You only write which axes to *keep*, on the right of the arrow. All others are "
         "summed."),
        ("Help, how do I square?", "Multiply `x` by itself, entry by entry. Pass `x` as both "
         "operands, with the same two letters each time."),
        ("Help, almost the code", '`torch.einsum("s d, s d -> ...", x, x)`, and on the '
         "right of the arrow the letter of the axis that you keep."),
    ])


def batches(seed):
    shapes = [((2, 3, 4), (4, 4)), ((3, 3, 3), (3, 3)), ((1, 5, 4), (4, 2))]
    return [normal(seed + i, *pair) for i, pair in enumerate(shapes)]


exercise("d1.0.2", cases=batches,
    mistakes=[
        edit("i o ->", "o i ->",
             says="You used the matrix transposed. Its first axis is d_in, which it shares with "
                  "x."),
        edit("b s i,", "b s d,",
             says="The shared axis has two different letters, so x and the matrix are summed "
                  "separately. Use one letter for it."),
        edit("-> b s o", "-> b o",
             says="Positions were summed too. Name seq in the result to keep it."),
        edit("-> b s o", "-> s o",
             says="The batch was summed too. Name batch in the result to keep it."),
        edit("-> b s o", "-> b o s",
             says="The axes of the result are in the wrong order. Write batch seq d_out."),
    ],
    right=[
        lambda x, matrix: F.linear(x, matrix.T),
        lambda x, matrix: [[[row @ column for column in matrix.T] for row in each] for each in x],
    ],
    hints=[
        ("Help, which letters are the same?", "Those of the axis that both operands share. "
         "It is the last axis of `x` and the first axis of the matrix. Every other axis has its "
         "own letter."),
        ("Help, in words", "`batch seq d_in, d_in d_out -> batch seq d_out`."),
        ("Help, almost the code", '`torch.einsum("b s i, i o -> ...", x, matrix)`.'),
    ])

exercise("d1.0.3", cases=vectors,
    mistakes=[
        edit("q d, k d", "s q, s k",
             says="This compares entries of the vectors. Keep both positions and sum over "
                  "d_model."),
        edit("q d, k d -> q k", "s d, s d -> s",
             says="This compares each position only with itself. Two positions need two letters."),
        edit('torch.einsum("q d, k d -> q k", x, x)', "torch.diag((x * x).sum(-1))",
             says="The entries off the diagonal are 0. Two positions need two letters."),
        edit("k d ->", "k e ->",
             says="d_model has two different letters, so each vector is summed separately. Use "
                  "one letter for it."),
        edit("x, x)", "*2 * [x / x.norm(dim=-1, keepdim=True)])",
             says="These are cosines. Return dot products, without dividing by the lengths."),
    ],
    right=[lambda x: [[float((one * other).sum()) for other in x] for one in x], lambda x: x @ x.T],
    hints=[
        ("Help, x has one seq axis, and I need two", "Pass `x` twice. Its positions get one "
         "letter in the first operand and another one in the second."),
        ("Help, in words", "`query d_model, key d_model -> query key`."),
        ("Help, almost the code", '`torch.einsum("q d, k d -> ...", x, x)`.'),
    ])


def wide(seed):
    """Returns vectors to split, with the number of heads."""
    shapes = [((2, 4, 8), 4), ((1, 3, 6), 2), ((3, 2, 4), 2), ((2, 3, 8), 2), ((2, 3, 3), 3)]
    return [(*normal(seed + i, shape), heads) for i, (shape, heads) in enumerate(shapes)]


SPLIT, MOVED = "batch, seq, heads, width // heads)", ".permute(0, 2, 1, 3)"
CUT_THE_OTHER_WAY = (
    "The last axis was split in the wrong order. It is (head d_head), so reshape to "
    "[batch, seq, heads, d_head]."
)

exercise("d1.0.4", cases=wide, tolerance=0,
    sizes="The check splits 3 to 8 entries into 2 to 4 heads. Use the argument `heads`.",
    mistakes=[
        edit(SPLIT + MOVED, "batch, heads, seq, width // heads)",
             says="The shape is right, but entries are in the wrong heads and positions. reshape "
                  "never changes their order, so split only the last axis first, and then "
                  "permute."),
        edits((SPLIT, "batch, seq, width // heads, heads)"), (MOVED, ".permute(0, 3, 1, 2)"),
              says=CUT_THE_OTHER_WAY),
        edit(SPLIT, "batch, seq, width // heads, heads)", says=CUT_THE_OTHER_WAY),
        edit(MOVED, "",
             says="The axes are still in the order batch seq head d_head. Permute them to batch "
                  "head seq d_head."),
        edit(MOVED, ".permute(2, 0, 1, 3)",
             says="Batch and head are swapped. permute(0, 2, 1, 3) keeps the batch in front."),
        edit(SPLIT, "batch, seq, 8, width // 8)",
             says="This always makes 8 heads, the number in our model. Use the argument `heads`."),
    ],
    right=[
        lambda x, heads: torch.stack(x.chunk(heads, dim=-1), dim=1),
        lambda x, heads: [list(each.unflatten(1, (heads, -1)).unbind(1)) for each in x],
    ],
    hints=[
        ("Help, my numbers are in the wrong heads", "The shape can be right even so. `reshape` "
         "never changes the order of the entries. First split the last axis in two, and do "
         "nothing else in that step."),
        ("Help, which two steps?", "Reshape to [batch, seq, heads, d_head]. Then swap the two "
         "middle axes with `permute`, which takes the old axes in their new order."),
        ("Help, almost the code", "`x.reshape(batch, seq, heads, width // heads).permute(0, ..., "
         "..., 3)`."),
    ])


def split(seed):
    return [(x,) for x in normal(seed, (2, 4, 4, 2), (1, 2, 3, 3), (3, 2, 5, 1), (2, 3, 1, 4))]


D_HEAD_SLOW = (
    "The last axis is (d_head head). It should be (head d_head), so before reshape, head and "
    "d_head must be the last two axes, in this order."
)

exercise("d1.0.5", cases=split, tolerance=0,
    mistakes=[
        edit(MOVED, "",
             says="You joined the axes without permuting. Bring head next to d_head first."),
        edit(MOVED, ".permute(0, 2, 3, 1)", says=D_HEAD_SLOW),
        edit(".reshape(batch, seq, heads * width)", "",
             says="The axes are permuted but not joined. Join the last two with reshape."),
        edit("x.permute(0, 2, 1, 3).reshape(batch, seq, heads * width)", "x.sum(1)",
             says="The heads were summed. Put them side by side."),
        edit(MOVED, ".permute(2, 0, 1, 3)",
             says="Positions and batch are swapped. permute(0, 2, 1, 3) keeps the batch in front."),
    ],
    right=[lambda x: torch.cat(x.unbind(1), dim=-1), lambda x: x.transpose(1, 2).flatten(2)],
    hints=[
        ("Help, in which order?", "In reverse. Undo the last step of `split_heads` first."),
        ("Help, which axes become one?", "`head` and `d_head`, so they must be neighbours. Permute "
                                         "to [batch, seq, head, d_head] first."),
        ("Help, almost the code", "`x.permute(0, 2, 1, 3).reshape(batch, seq, ...)`. `view` raises "
         "an error here, and `reshape` copies if it has to."),
    ])


def heads_apart(seed):
    shapes = [((2, 4, 3), (4, 3, 5)), ((1, 3, 3), (3, 3, 3)), ((2, 5, 4), (2, 4, 3))]
    return [normal(seed + i, *pair) for i, pair in enumerate(shapes)]


exercise("d1.0.6", cases=heads_apart,
    mistakes=[
        edit("-> b s h e", "-> b s e",
             says="The heads were summed. Name head in the result to keep it."),
        edit("-> b s h e", "-> b h s e",
             says="The axes are in the wrong order. Write batch seq head d_head."),
        edits(("h d e", "s d e"), ("b s h e", "b s e"),
              says="seq and head share a letter, so position 0 is multiplied by head 0's matrix "
                   "only, position 1 by head 1's, and so on. Two axes need two letters."),
        edit("h d e", "h c e",
             says="d_model has two different letters, so x is summed separately. Use one letter."),
        edit("h d e", "h e d",
             says="You used the matrices transposed. They are [head, d_model, d_head]."),
    ],
    right=[lambda x, matrices: torch.stack([x @ matrix for matrix in matrices], dim=2)],
    hints=[
        ("Help, what happens to head?", "`head` is an axis of one operand and of the result, "
         "so einsum keeps it. Each head has its own matrix, and all heads read the same vectors."),
        ("Help, in words", "`batch seq d_model, head d_model d_head -> batch seq head d_head`."),
        ("Help, almost the code", '`torch.einsum("b s d, h d e -> ...", x, matrices)`. `d_model` '
         "and `d_head` need two letters."),
    ])


# --- layernorm ------------------------------------------------------------------------------------


def streams(seed):
    """Returns ordinary, tiny, shifted and constant vectors of several widths, and several eps."""
    kinds = [
        ((2, 3, 4), 1.0, 0.5, (1e-5,)),
        ((3, 3), 2.0, 1.0, (0.1,)),
        ((5,), 0.0005, 0.0, (1e-5,)),
        ((2, 6), 0.01, 0.02, ()),
        ((2, 1, 2, 2), 1.0, 0.0, (1e-4,)),
        ((3, 4), 0.0, 0.5, (1e-5,)),
    ]
    cases = []
    for i, (shape, size, middle, eps) in enumerate(kinds):
        x, w, b = normal(seed + i, shape, shape[-1:], shape[-1:])
        cases.append((size * x + middle, w + 0.5 * w.sign(), b, *eps))
    return cases


def varied_streams(seed):
    """Returns the same with eps given, and without constant vectors, where formulas give 0 / 0."""
    return [case for case in streams(seed)[:-1] if len(case) == 4]


MEANS, SQUARES = "x.mean(dim=-1, keepdim=True)", "(centred**2).mean(dim=-1, keepdim=True)"
NOT_CENTRED = "The mean was not subtracted. Subtract it from x first, then divide the result."

exercise("d1.0.7", cases=streams,
    sizes="The check uses vectors of 2 to 6 entries, with one to four axes.",
    mistakes=[
        edit(SQUARES, "x.var(dim=-1, keepdim=True)",
             says="The variance is divided by d_model - 1, the default of .var and .std. Take the "
                  "mean of the squares instead."),
        edit("(variance + eps).sqrt()", "(variance.sqrt() + eps)",
             says="You add eps after the square root. Add it before: sqrt(variance + eps)."),
        edit("(variance + eps).sqrt()", "(x.std(dim=-1, keepdim=True) + eps)",
             says="There are two mistakes. .std divides by d_model - 1 by default, and eps is "
                  "added after the square root. Write sqrt(variance + eps)."),
        edit("return centred", "return x", says=NOT_CENTRED),
        edit(" - " + MEANS, "", says=NOT_CENTRED),
        edit(".sqrt()", "", says="This divides by the variance. Divide by its square root."),
        edit(" + eps", "",
             says="eps is missing, so a vector of equal entries is divided by 0, and the output "
                  "for a small one is too large. Add eps to the variance."),
        edit("+ eps", "+ 1e-5", says="eps is fixed at 1e-5. Use the argument `eps`."),
        edits(("return centred", "return (centred"), ("* w + b", "+ b) * w"),
              says="w multiplies b as well. Scale first, then add b."),
        edit(" * w + b", "", says="w and b are not used. Multiply by w, then add b."),
        edit(" + b", "", says="b is missing. Add it at the end."),
        edit(" * w", "", says="w is missing. Multiply by it before you add b."),
        edit("dim=-1, keepdim=True", "", times=2,
             says="Mean and variance are taken over all vectors together. Use dim=-1."),
        edit("dim=-1", "dim=0", times=2,
             says="Mean and variance are taken over the first axis. Use the last one, dim=-1."),
        edit("dim=-1", "dim=1", times=2,
             says="Mean and variance are taken over axis 1. Use the last axis, dim=-1."),
    ],
    right=[
        lambda x, w, b, eps=1e-5: F.layer_norm(x, (x.shape[-1],), w, b, eps),
        lambda x, w, b, eps=1e-5: dividing_by(healthy_divisor)(x.double(), w, b, eps),
    ],
    hints=[
        ("Help, the shapes do not fit after the mean", "A mean over the last axis removes that "
         "axis. `keepdim=True` leaves an axis of 1, which broadcasts."),
        ("Help, which variance?", "The mean of the squared entries, after the mean was "
         "subtracted. `.var()` divides by d_model - 1, unless you pass `correction=0`."),
        ("Help, almost the code", "`centred = x - x.mean(dim=-1, keepdim=True)` and `variance = "
         "(centred**2).mean(dim=-1, keepdim=True)`. The result is `centred / (variance + "
         "eps).sqrt()`, times `w`, plus `b`."),
    ])


def centred(x):
    return x - x.mean(-1, keepdim=True)


def healthy_divisor(x, eps):
    return (x.var(-1, keepdim=True, correction=0) + eps).sqrt()


def divisor_a(x, eps):
    return (x.var(-1, keepdim=True) + eps).sqrt()


def divisor_b(x, eps):
    return x.std(-1, keepdim=True, correction=0) + eps


def dividing_by(divisor):
    """Returns a LayerNorm with another divisor."""
    return lambda x, w, b, eps=1e-5: centred(x) / divisor(x, eps) * w + b


def other_suspects(divisor):
    """Returns diagnoses with mistakes that neither specimen has, on top of this divisor."""
    return [
        instead(lambda x, w, b, eps=1e-5: x / divisor(x, eps) * w + b,
                says="The specimen subtracts the mean. If you add 100 to x, its output stays the "
                     "same."),
        instead(lambda x, w, b, eps=1e-5: (centred(x) / divisor(x, eps) + b) * w,
                says="The specimen adds b after scaling. If w is 0, its output is b."),
        instead(lambda x, w, b, eps=1e-5: (x - x.mean()) / divisor(x.flatten(), eps) * w + b,
                says="The specimen normalises each vector separately. If you change one row, its "
                     "output for the other rows stays the same."),
        instead(lambda x, w, b, eps=1e-5: centred(x) / divisor(x, eps) ** 2 * w + b,
                says="The specimen takes a square root. If you double x, its output hardly "
                     "changes."),
    ]


def without_calling(specimen):
    """Returns how a diagnosis is used: it must not call the specimen."""

    def use(answer, x, w, b, eps):
        before = CALLS[specimen.__name__]
        value = answer(x, w, b, eps)
        if CALLS[specimen.__name__] > before:
            raise Wrong("This calls the specimen. Write out the formula that it computes.")
        return value

    return use


HEALTHY = "This is a healthy LayerNorm. Find an x on which the specimen differs from it."
NEEDS_EPS = "The specimen uses eps. Compare the two on tiny vectors."



def scaled_norm(x, w, b, eps=1e-5):
    """Returns specimen A as a healthy LayerNorm that is a little too small."""
    n = x.shape[-1]
    smaller = (n - 1) / n
    return F.layer_norm(x, (n,), None, None, eps * smaller) * smaller**0.5 * w + b


exercise("d1.0.8", cases=varied_streams, use=without_calling(specimen_a),
    mistakes=[
        edit("keepdim=True) +", "keepdim=True, correction=0) +", says=HEALTHY),
        instead(lambda x, w, b, eps=1e-5: specimen_a(x, w, b, eps),
                says="This calls the specimen."),
        edit("keepdim=True) + eps).sqrt()", "keepdim=True).sqrt() + eps)",
             says="You found the mistake, but you add eps after the square root, and the specimen "
                  "adds it before. Compare the two on tiny vectors."),
        instead(dividing_by(divisor_b),
                says="The specimen adds eps before the square root. Compare the two on tiny "
                     "vectors."),
        edit("x.var(dim=-1, keepdim=True)",
             "(centred**2).mean(dim=-1, keepdim=True) * (len(w) - 1) / len(w)",
             says="The ratio is inverted. Is the specimen's output larger or smaller than a "
                  "healthy one?"),
        edit(" + eps", "", says=NEEDS_EPS),
        edit("keepdim=True) + eps", "keepdim=True, correction=0)", says=NEEDS_EPS),
        edit("+ eps", "+ 1e-5", says="eps is fixed at 1e-5. Use the argument `eps`."),
        *other_suspects(divisor_a),
        *other_suspects(healthy_divisor),
    ],
    right=[scaled_norm],
    hints=[
        ("Help, where do I begin?", "Call both functions on the same random `x`, with `w` of ones "
         "and `b` of zeros, and print one output divided by the other. Is the ratio the same for "
         "all entries?"),
        ("Help, the ratio is a constant", "Then the divisors differ by a factor. Try vectors of "
         "2, 3 and 4 entries. The ratios are the square roots of 1/2, 2/3 and 3/4. Which two ways "
         "to average differ by these ratios?"),
        ("Help, almost the code", "Your LayerNorm, with the variance `x.var(dim=-1, "
         "keepdim=True)`, which divides by d_model - 1."),
    ])

COUNTED = "The specimen divides by d_model. Compare the two on vectors of 2 entries."

exercise("d1.0.9", cases=varied_streams, use=without_calling(specimen_b),
    mistakes=[
        edit(".sqrt() + eps", " + eps).sqrt(", says=HEALTHY),
        instead(specimen_b, says="This calls the specimen."),
        instead(dividing_by(divisor_a), says=COUNTED),
        edit("(centred**2).mean(dim=-1, keepdim=True)", "x.var(dim=-1, keepdim=True)",
             says=COUNTED),
        edit(" + eps", "", says=NEEDS_EPS),
        edit("+ eps", "+ 1e-5", says="eps is fixed at 1e-5. Use the argument `eps`."),
        edit("+ eps", "+ eps**0.5",
             says="This adds the square root of eps, which is much larger than eps, so the output "
                  "for tiny vectors is smaller than the specimen's. Add eps."),
        edits((" + eps", ""), ("+ b", "+ b + eps"),
              says="You add eps to the output. The specimen adds it to the divisor."),
        *other_suspects(divisor_b),
        *other_suspects(healthy_divisor),
    ],
    right=[lambda x, w, b, eps=1e-5: dividing_by(divisor_b)(x.double(), w, b, eps)],
    hints=[
        ("Help, they agree on everything", "Not on everything. Which number in a LayerNorm is "
         "tiny, and matters only if the variance is tiny too?"),
        ("Help, they differ on tiny vectors", "Then the two use `eps` in different ways. Try an "
                                              "`x` of size 0.001. Which of the two outputs still "
                                              "has a standard deviation near 1?"),
        ("Help, almost the code", "`centred / (variance.sqrt() + eps)`. The square root comes "
         "first, and `eps` is added to it."),
    ])


# --- tokens and positions -------------------------------------------------------------------------


def sentences(seed):
    """Returns tokens, some of which occur twice, with the weights of a small network."""
    numbers = torch.Generator().manual_seed(seed)
    shapes = [(2, 6, 8), (3, 8, 8), (2, 9, 13)]
    return [
        (torch.randint(most, shape, generator=numbers), random_weights(seed, d_mlp=0))
        for *shape, most in shapes
    ]


exercise("d1.0.10", cases=sentences, sizes=SIZES,
    mistakes=[
        edit("[tokens]", ".T[tokens]",
             says="These are columns of the table. Each token has a row, W_E[tokens]."),
        edit("[tokens]", "[torch.arange(tokens.shape[1])].repeat(len(tokens), 1, 1)",
             says="These are rows by position. Index the table with the tokens."),
        edit('weights["embed.W_E"]', 'weights["unembed.W_U"].T',
             says="These are columns of the unembedding. Use rows of embed.W_E."),
        edit("[tokens]", '[tokens] + weights["pos_embed.W_pos"][: tokens.shape[1]]',
             says="You also added positions. Return only the rows of the tokens."),
        edit("[tokens]", "[tokens[0]]",
             says="This embeds only the first row of the batch. Embed all of `tokens`."),
        edit("[tokens]", "[tokens.flatten()]",
             says="The batch and seq axes were joined. Index with `tokens` unchanged."),
    ],
    right=[
        lambda tokens, weights: F.one_hot(tokens, 13).float() @ weights["embed.W_E"],
        lambda tokens, weights: F.embedding(tokens, weights["embed.W_E"]),
    ],
    hints=[
        ("Help, how do I look up many rows?", "Index the table with the whole tensor of tokens. "
         "The result has the axes of that tensor, followed by d_model."),
        ("Help, rows or columns?", "`embed.W_E` is [d_vocab, d_model], so it has one row for each "
         "token."),
        ("Help, almost the code", '`weights["embed.W_E"][...]`, with `tokens` in place of the '
         "dots."),
    ])


def placed_streams(seed):
    shapes = [(6, 2), (5, 5), (11, 1)]
    return [(stream(seed, seq, batch), random_weights(seed, d_mlp=0)) for seq, batch in shapes]


BY_BATCH = "You used the size of the batch. The second axis of x is the one of positions."
ALONE = "These are only the position vectors. Add them to x."

exercise("d1.0.11", cases=placed_streams, sizes=SIZES,
    mistakes=[
        edit("[: x.shape[1]]", "[-x.shape[1] :]",
             says="These are the last rows of the table. Start at row 0."),
        edit("[: x.shape[1]]", "[: len(x), None]", says=BY_BATCH),
        edit("[: x.shape[1]]", "[: len(x)]", says=BY_BATCH),
        edit("[: x.shape[1]]", ".roll(-1, 0)[: x.shape[1]]",
             says="This starts at row 1. The first token is at position 0."),
        edit("[: x.shape[1]]", "[1 : x.shape[1] + 1]",
             says="This starts at row 1. The first token is at position 0."),
        edit("[: x.shape[1]]", "",
             says="You added the whole table. Take as many rows as x has positions."),
        edits(("x + ", ""), ("x.shape[1]]", "x.shape[1]].expand_as(x)"), says=ALONE),
        edit("x + ", "", says=ALONE),
        edit("x.shape[1]", "1",
             says="Every position gets row 0. Take as many rows as x has positions."),
    ],
    right=[
        lambda x, weights: x + weights["pos_embed.W_pos"].narrow(0, 0, x.shape[1]),
        lambda x, weights: [list(map(torch.add, row, weights["pos_embed.W_pos"])) for row in x],
    ],
    hints=[
        ("Help, the table is too long", "It has `n_ctx` rows, one for each position that the model "
         "can handle. Take the first `x.shape[1]` of them."),
        ("Help, what about the batch?", "Every row of the batch has the same positions. If you add "
                                        "a tensor [seq, d_model] to [batch, seq, d_model], it "
                                        "broadcasts over the batch."),
        ("Help, almost the code", '`x + weights["pos_embed.W_pos"][: x.shape[1]]`, and return it.'),
    ])


# --- attention ------------------------------------------------------------------------------------


def low_and_high(seed):
    """Returns scores of size 3, scores of size 100, and low scores from -400 to -200."""
    small, large, low = normal(seed, (1, 2, 4, 4), (2, 3, 6, 6), (2, 3, 6, 6))
    return [(3 * small,), (100 * large,), (-200 - 200 * low.sigmoid(),)]


def pattern_and_past(answer, scores):
    """Returns the pattern and the visible scores, since any number that is low enough will do."""
    masked = plain(answer(scores))
    if getattr(masked, "shape", ()) != scores.shape:
        return masked
    masked = torch.as_tensor(masked, dtype=scores.dtype)
    pattern = masked.softmax(-1)
    past = torch.ones(scores.shape[-2:], dtype=torch.bool).tril()
    before, after = scores[..., ~past], masked[..., ~past]
    lowered = bool(((after != before) & ((after < before) | (after < 0))).all())
    kept = torch.equal(scores[..., past], masked[..., past])
    if lowered and kept and pattern[..., ~past].max() > 0:
        raise Wrong(
            "The future scores are not low enough. If the visible scores are low too, the future "
            "still gets weight. Use minus infinity."
        )
    return {"pattern after softmax": pattern, "visible scores": torch.where(past, masked, 0)}


exercise("d1.0.12", cases=low_and_high, use=pattern_and_past,
    mistakes=[
        edit("-torch.inf", "0.0",
             says="You gave the future a score of 0, and exp(0) is 1. Use minus infinity."),
        *[edit("-torch.inf", low, says="The future scores are not low enough")
          for low in ("-20.0", "-100.0", "scores.min()", "scores.min() - 20")],
        edit("scores.masked_fill(future, -torch.inf)", "scores - 100 * future",
             says="The future scores are not low enough"),
        edit("-torch.inf", "torch.inf",
             says="softmax returns nan with this mask. Fill the future with minus infinity."),
        edit("scores.masked_fill(future, -torch.inf)", "scores - future * torch.inf",
             says="0 times infinity is nan. Use masked_fill or torch.where."),
        edit("triu(1)", "tril(-1)",
             says="This masks the past and leaves the future visible. Mask entries with key > "
                  "query."),
        edit("triu(1)", "triu()",
             says="This masks the diagonal too. A token may attend to itself, so use triu(1)."),
        edit("triu(1)", "triu(2)",
             says="The next token is still visible. Start right above the diagonal, with triu(1)."),
        edit("scores.masked_fill(future, -torch.inf)", "scores",
             says="Nothing is masked. Return the scores with minus infinity in the future."),
        edit("-torch.inf)", "-torch.inf).softmax(-1)",
             says="This is the pattern. Return the masked scores, since softmax comes later."),
    ],
    right=[
        lambda scores: scores - 1e9 * torch.ones_like(scores).triu(1),
        lambda scores: (scores + torch.full_like(scores, -torch.inf).triu(1)).tolist(),
        lambda scores: torch.where(
            torch.ones_like(scores).tril() == 1, scores, torch.finfo(scores.dtype).min
        ),
    ],
    hints=[
        ("Help, 0 is not low enough", "Softmax takes exp of each score, and exp(0) is 1. Which "
         "score has an exp of 0?"),
        ("Help, above or below the diagonal?", "Rows are queries and columns are keys. The future "
                                               "of query 2 is in columns 3, 4 and so on, above the "
                                               "diagonal. The diagonal itself stays."),
        ("Help, almost the code", "`future = torch.ones_like(scores, dtype=torch.bool).triu(1)`, "
         "then `scores.masked_fill(future, -torch.inf)`."),
    ])


def reads_of(seed, inputs):
    """Returns different inputs for queries, keys and values, with weights and a layer."""
    cases = []
    for i, (batch, seq, layer) in enumerate([(2, 6, 0), (1, 5, 1), (3, 8, 1), (2, 5, 1)]):
        reads = [stream(seed + 10 * i + j, seq, batch) / 2 for j in range(inputs)]
        weights = random_weights(seed + i) if i < 3 else three_narrow_heads(seed + i)
        cases.append((*reads, weights, layer))
    return cases


def three_narrow_heads(seed):
    """Returns weights with three heads of 4 entries in each layer."""
    weights = random_weights(seed, n_heads=3)
    heads = {name: weights[name] for name in weights if name[:-1].endswith((".W_", ".b_"))}
    narrow = {name: heads[name][..., :4] for name in heads if name[-1] in "QKV"}
    return weights | narrow | {name: heads[name][:, :4] for name in heads if name[-3:] == "W_O"}


def two_reads(seed):
    return reads_of(seed, inputs=2)


def three_reads(seed):
    """Returns cases; in the last one keys oppose queries, so a token scores itself very low."""
    cases = reads_of(seed, inputs=3)
    q, _, v, weights, layer = cases[0]
    name = f"blocks.{layer}.attn."
    opposite = {f"{name}{kind}_K": -30 * weights[f"{name}{kind}_Q"] for kind in "Wb"}
    return [*cases, (q, q, v, weights | opposite, layer)]


def by_head(x, weights, layer, letter):
    """Returns queries, keys or values [batch, head, seq, d_head]."""
    W, b = (weights[f"blocks.{layer}.attn.{kind}_{letter}"] for kind in "Wb")
    return x[:, None] @ W + b[:, None]


def scores_by_head(q_input, k_input, weights, layer):
    q, k = by_head(q_input, weights, layer, "Q"), by_head(k_input, weights, layer, "K")
    return q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5


WITH_PLACES = "with_positions({}, weights)"
SCALED = "/ q.shape[-1] ** 0.5"
HEADS = (
    "The check uses small networks, with 2 heads of 5 entries or 3 heads of 4, and vectors of 8 "
    "entries. Read every size off a shape."
)
LAYER_0 = "These are the weights of layer 0. Use the argument `layer`."
OWN_KEYS = "Keys were computed from q_input. Compute them from k_input."
PATTERN = "This is a pattern. Return the scores, since softmax comes later."
ONE_ROOT = "Divide by the square root of d_head."

exercise("d1.0.13", cases=two_reads, tolerance=1e-4, sizes=HEADS,
    mistakes=[
        edit(" " + SCALED, "", says="The scores are not scaled. Divide by the square root of "
                                    "d_head."),
        edit(SCALED, "/ q.shape[-1]", says="You divided by d_head. Divide by its square root."),
        edit(SCALED, "* q.shape[-1] ** 0.5",
             says="You multiplied by the square root of d_head. Divide by it."),
        edit(SCALED, "/ q_input.shape[-1] ** 0.5",
             says=f"You divided by the square root of d_model. {ONE_ROOT}"),
        edit(SCALED, "/ q.shape[-2] ** 0.5",
             says=f"You divided by the square root of the number of heads. {ONE_ROOT}"),
        edit(SCALED, "/ q.shape[1] ** 0.5",
             says=f"You divided by the square root of the number of positions. {ONE_ROOT}"),
        edit(SCALED, "/ 32**0.5",
             says="You divided by the square root of 32, the d_head of our model. Heads have 4 or "
                  "5 entries in the check, so read d_head off a shape."),
        edit(SCALED, "/ 5**0.5",
             says="You always divide by the square root of 5. Heads have 4 or 5 entries in the "
                  "check, so read d_head off a shape."),
        edits((' + weights[f"{name}.b_Q"]', ""), (' + weights[f"{name}.b_K"]', ""),
              says="The biases b_Q and b_K are missing. Add them before the dot product."),
        edit(' + weights[f"{name}.b_Q"]', "", says="b_Q is missing. Add it to the queries."),
        edit(' + weights[f"{name}.b_K"]', "", says="b_K is missing. Add it to the keys."),
        edit("-> b h q k", "-> b h k q",
             says="Rows and columns are swapped. The axes are batch head query key."),
        edit("-> b h q k", "-> b q k h",
             says="The head axis is in the wrong place. The axes are batch head query key."),
        edit("-> b h q k", "-> b q k",
             says="The heads were summed. Name head in the result to keep it."),
        edit("each_head(k_input", "each_head(q_input", says=OWN_KEYS),
        edit("each_head(q_input", "each_head(k_input",
             says="Queries were computed from k_input. Compute them from q_input."),
        edits(("(q_input,", "(k,"), ("(k_input,", "(q_input,"), ("(k,", "(k_input,"),
              says="q_input and k_input are swapped. Compute queries from q_input."),
        edit("W_K", "W_Q", says="Keys were computed with W_Q. Use W_K for keys."),
        edit('f"blocks.{layer}.attn"', '"blocks.0.attn"', says=LAYER_0),
        edit(SCALED, f"{SCALED} + mask_future(torch.zeros(k.shape[1], k.shape[1]))",
             says="The future is masked. Return the scores of all pairs. The mask comes later."),
        edits(("return torch", "return (torch"), (SCALED, f"{SCALED}).softmax(-1)"), says=PATTERN),
        edits(("return torch", "return mask_future(torch"), (SCALED, f"{SCALED}).softmax(-1)"),
              says=PATTERN),
        edits(("(q_input,", f"({WITH_PLACES.format('q_input')},"),
              ("(k_input,", f"({WITH_PLACES.format('k_input')},"),
              says="You added positions. Both inputs contain them already."),
    ],
    right=[scores_by_head],
    hints=[
        ("Help, where do I begin?", "With the queries. `each_head(q_input, W_Q)` is [batch, seq, "
         "head, d_head], and you can add `b_Q` [head, d_head] to it directly. Keys work in the "
         "same way."),
        ("Help, how do I multiply all pairs?", "This is warm-up 3, for each head and each row of "
                                               "the batch. The positions of queries and of keys "
                                               "need two letters. `head` has one letter for both, "
                                               "and the result names it."),
        ("Help, almost the code", '`torch.einsum("b q h e, b k h e -> b h q k", q, k) / '
         "q.shape[-1] ** 0.5`."),
    ])


def by_torch(q_input, k_input, v_input, weights, layer):
    """Returns attention by torch's own function."""
    inputs = zip("QKV", (q_input, k_input, v_input), strict=True)
    parts = [by_head(x, weights, layer, letter) for letter, x in inputs]
    z = F.scaled_dot_product_attention(*parts, is_causal=True).transpose(1, 2).flatten(2)
    W_O, b_O = (weights[f"blocks.{layer}.attn.{name}"] for name in ("W_O", "b_O"))
    return z @ W_O.flatten(0, 1) + b_O


SCORES = "attention_scores(q_input, k_input, weights, layer)"
NO_SOFTMAX = "softmax is missing. Apply it to the masked scores, over keys."
OWN_VALUES = "Compute them from v_input, which has no positions."

exercise("d1.0.14", cases=three_reads, tolerance=1e-4, sizes=HEADS,
    mistakes=[
        edit("softmax(dim=-1)", "softmax(dim=-2)",
             says="softmax went over queries. The weights of each query add up to 1 over keys."),
        edit("softmax(dim=-1)", "softmax(dim=1)",
             says="softmax went over heads. Apply it over keys, for each head separately."),
        edit(f"mask_future({SCORES})", SCORES,
             says="The future is visible. Mask the scores before softmax."),
        edit(f"mask_future({SCORES})",
             f"{SCORES}.masked_fill(torch.ones(2 * v_input.shape[1:2]).triu(1) == 1, -20.0)",
             says="The future gets weight if the other scores are low. Use mask_future."),
        edits((f"mask_future({SCORES})", SCORES), (".softmax(dim=-1)", ".softmax(dim=-1).tril()"),
              says="You masked after softmax, so the weights don't add up to 1. Mask the scores."),
        edit(f"mask_future({SCORES}).softmax(dim=-1)", f"{SCORES}.tril()", says=NO_SOFTMAX),
        edit(".softmax(dim=-1)", "", says=NO_SOFTMAX),
        edit(' + weights[f"{name}.b_O"]', "",
             says="b_O is missing. Add it once, after the heads are summed."),
        edit('weights[f"{name}.b_O"]', 'len(weights[f"{name}.W_O"]) * weights[f"{name}.b_O"]',
             says="b_O was added once for each head. Add it once."),
        edit('z, weights[f"{name}.W_O"])', 'z / z.shape[2], weights[f"{name}.W_O"])',
             says="The heads were averaged. Sum them."),
        edit('z, weights[f"{name}.W_O"])', 'z[:, :, :2], weights[f"{name}.W_O"][:2])',
             says="Only the first two heads are summed. Sum over all heads."),
        edit("-> b q d", "-> b q h d",
             says="The outputs of the heads are not summed. Leave head out of the result."),
        edit("each_head(v_input", "each_head(k_input",
             says=f"Values were computed from k_input. {OWN_VALUES}"),
        edit("each_head(v_input", "each_head(q_input",
             says=f"Values were computed from q_input. {OWN_VALUES}"),
        edit("(q_input, k_input, weights", "(q_input, q_input, weights", says=OWN_KEYS),
        edit("(q_input, k_input, weights", "(k_input, q_input, weights",
             says="q_input and k_input are swapped. attention_scores takes q_input first."),
        edit(' + weights[f"{name}.b_V"]', "", says="b_V is missing. Add it to the values."),
        edit("b h q k,", "b h k q,",
             says="The average runs over queries. Sum over keys, the pattern's last axis."),
        edits(('f"blocks.{layer}.attn"', '"blocks.0.attn"'), ("weights, layer)", "weights, 0)"),
              says=LAYER_0),
        edit('f"blocks.{layer}.attn"', '"blocks.0.attn"', says=LAYER_0),
        edit("weights, layer)", "weights, 0)", says=LAYER_0),
        *[edit(f'weights[f"{{name}}.{letter}"]', f'weights["blocks.0.attn.{letter}"]',
               says=f"This is the {letter} of layer 0. Use the argument `layer`.")
          for letter in ("W_V", "b_V", "W_O", "b_O")],
    ],
    right=[by_torch],
    hints=[
        ("Help, which axis does softmax take?", "The weights of each query add up to 1 over keys, "
         "which are the last axis of [batch, head, query, key]."),
        ("Help, how do I average values?", "`batch head query key, batch key head d_head -> batch "
         "query head d_head`. The sum runs over keys. Since the weights of the pattern add up "
         "to 1, the result is an average."),
        ("Help, almost the code", '`z = torch.einsum("b h q k, b k h e -> b q h e", pattern, v)`. '
         'Then `torch.einsum("b q h e, h e d -> b q d", z, W_O)`, which sums over heads, and at '
         "the end `+ b_O`."),
    ])


# --- from the MLP to the logits -------------------------------------------------------------------


@functools.cache
def trained(name):
    """Returns the weights of a network of the course."""
    return dict(models.load(name).weights)


def neuron_cases(seed):
    small = [(stream(seed + layer), random_weights(seed), layer) for layer in (0, 1)]
    return [*small, (stream(seed, d_model=56), trained("parens"), 1)]


def by_linear(x, weights, layer):
    W_in, b_in, W_out, b_out = (
        weights[f"blocks.{layer}.mlp.{name}"] for name in ("W_in", "b_in", "W_out", "b_out")
    )
    return F.linear(F.linear(x, W_in.T, b_in).clamp(min=0), W_out.T, b_out)


PRE = 'apply_matrix(x, weights[f"{name}.W_in"]) + weights[f"{name}.b_in"]'
OUT = 'apply_matrix(neurons, weights[f"{name}.W_out"]) + weights[f"{name}.b_out"]'
GELU = "This is gelu. Our networks use relu."

exercise("d1.0.15", cases=neuron_cases, tolerance=1e-4,
    sizes="The check uses vectors of 8 entries with 12 neurons, and the weights of a trained "
          "network. Read every size off a shape.",
    mistakes=[
        edit(".relu()", "",
             says="relu is missing, so the two matrices act as one. Apply relu to the neurons."),
        edit(' + weights[f"{name}.b_in"]', "",
             says="b_in is missing. Add it before relu."),
        edit(' + weights[f"{name}.b_out"]', "", says="b_out is missing. Add it at the end."),
        edit(f"({PRE}).relu()", PRE.replace(" +", ".relu() +"),
             says="b_in was added after relu. Add it before."),
        edit(f"return {OUT}", f"return ({OUT}).relu()",
             says="You applied relu to the output too, so the MLP could only add positive numbers "
                  "to the stream. Apply relu to the neurons only."),
        edit(OUT, f"x + {OUT}",
             says="Your result contains x. The block adds it later, so return only the output."),
        edit(f"({PRE}).relu()", f"torch.nn.functional.gelu({PRE})", says=GELU),
        edit(f"({PRE}).relu()", f'torch.nn.functional.gelu({PRE}, approximate="tanh")', says=GELU),
        edit("apply_matrix(x,", "apply_matrix(x.relu(),",
             says="You applied relu to x too. Apply it to the neurons only."),
        edits(("apply_matrix(x,", "apply_matrix(x.relu(),"), (").relu()\n", ")\n"),
              says="You applied relu to x. Apply it to the neurons, after b_in."),
        edit('f"blocks.{layer}.mlp"', '"blocks.0.mlp"', says=LAYER_0),
    ],
    right=[by_linear],
    hints=[
        ("Help, which steps are there?", "A matrix and a bias, then relu, then another matrix "
         "and another bias."),
        ("Help, how do I apply a matrix?", "Use `apply_matrix(x, matrix)` from warm-up 2, or "
         "`x @ matrix`."),
        ("Help, almost the code", "`neurons = (apply_matrix(x, W_in) + b_in).relu()`, then "
         "`apply_matrix(neurons, W_out) + b_out`."),
    ])


def block_cases(seed):
    """Returns blocks with and without an MLP, two from a network with an MLP in layer 1 only."""
    cases = []
    for i, (seq, d_mlp, layer) in enumerate([(6, 12, 1), (5, 0, 0), (4, 12, 0), (6, 0, 1)]):
        cases.append((stream(seed + i, seq), random_weights(seed + i, d_mlp), layer))
    late = {name: value for name, value in random_weights(seed).items() if "0.mlp" not in name}
    return [*cases, *((stream(seed + layer, 5), late, layer) for layer in (0, 1))]


def library_block(x, weights, layer):
    """Returns the output of a library block; a missing MLP gets weights of 0."""
    names = [name for name in weights if ".mlp." in name]
    absent = {name.replace("blocks.1", "blocks.0"): 0 * weights[name] for name in names}
    whole = network({**absent, **weights})
    place = weights["pos_embed.W_pos"][: x.shape[1]]
    visible = torch.ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
    return whole.blocks[layer](x, place, None, visible, False)


LN1 = 'layernorm(x, weights[f"{name}.ln1.w"], weights[f"{name}.ln1.b"])'
LN2 = LN1.replace("ln1", "ln2")
INPUTS, PLACED = "placed, placed, read,", "placed = with_positions(read, weights)"
ADD_MLP = f"x = x + mlp({LN2}, weights, layer)"
LOST = "Add each output to the stream, x + ..."
KEPT = (
    "The stream was replaced by its normalised copy. Give the copy another name, and add the "
    "outputs to the stream itself."
)

exercise("d1.0.16", cases=block_cases, tolerance=1e-4, sizes=SIZES,
    mistakes=[
        edits(("read = lay", "before = x\n    read = lay"), ("return x", "return x - before"),
              says=f"The stream itself is missing from the result. {LOST}"),
        edit("x = x + attention", "x = attention",
             says=f"The output of attention replaced the stream. {LOST}"),
        edit("x = x + attention", "return attention",
             says=f"The output of attention replaced the stream. {LOST}"),
        edit("x = x + mlp", "x = mlp", says=f"The output of the MLP replaced the stream. {LOST}"),
        edits(("x = x + attention", "x = attention"), ("x = x + mlp", "x = mlp"),
              says=f"The outputs of attention and of the MLP replaced the stream. {LOST}"),
        edit("x = x + attention", "x = read + attention", says=KEPT),
        edits(("x = x + attention", "x = read + attention"),
              (ADD_MLP, f"x = {LN2}\n        x = x + mlp(x, weights, layer)"), says=KEPT),
        edit(ADD_MLP, f"x = {LN2}\n        x = x + mlp(x, weights, layer)", says=KEPT),
        edits((LN1, "x"), (LN2, "x"),
              says="Attention and MLP read the raw stream. Normalise it with ln1 and ln2."),
        edit(LN1, "x", says="Attention reads the raw stream. Normalise it with ln1."),
        edit(LN2, "x", says="The MLP reads the raw stream. Normalise it with ln2."),
        edit(INPUTS, "placed, placed, placed,",
             says="Values read positions too. Only queries and keys should."),
        edit(INPUTS, "placed, placed, x,",
             says="Values read the raw stream. Normalise it with ln1, as for queries and keys."),
        edit(INPUTS, "read, read, read,",
             says="Queries and keys read no positions. Give them with_positions(...)."),
        edit(INPUTS, "placed, read, read,",
             says="Keys read no positions. Give queries and keys with_positions(...)."),
        edit(INPUTS, "read, placed, read,",
             says="Queries read no positions. Give queries and keys with_positions(...)."),
        edit(PLACED, f"placed = {LN1.replace('(x,', '(with_positions(x, weights),')}",
             says="Positions were added before ln1. Normalise first, then add positions."),
        edit(PLACED, "placed = with_positions(x, weights)",
             says="Queries and keys read the raw stream. Add positions to the normalised copy."),
        edit("    read = lay", "    x = with_positions(x, weights)\n    read = lay",
             says="Positions were added to the stream. Only queries and keys read them."),
        edits(("    read = lay", "    x = with_positions(x, weights)\n    read = lay"),
              (INPUTS, "read, read, read,"),
              says="Positions were added to the stream. Add them only to the input of queries and "
                   "keys."),
        edits(("x = x + attention", "before = x\n    x = x + attention"),
              ("mlp(layernorm(x,", "mlp(layernorm(before,"),
              says="The MLP reads the old stream. Use the stream with attention's output added."),
        edit("ln2", "ln1", times=2,
             says="The MLP reads the stream through ln1. Use ln2, the MLP's own LayerNorm."),
        edit("mlp(layernorm(x,", "mlp(layernorm(with_positions(x, weights),",
             says="The MLP reads positions. Only queries and keys should."),
        edit('if f"{name}.mlp.W_in" in weights', "if False",
             says="The MLP is missing. Add its output if the weights have an MLP for this layer."),
        edit('if f"{name}.mlp.W_in" in weights', 'if "blocks.0.mlp.W_in" in weights',
             says="You look for an MLP in layer 0. Look for one in this layer."),
        edits(('f"blocks.{layer}"', '"blocks.0"'), ("weights, layer)", "weights, 0)", 2),
              says=LAYER_0),
        edit('f"blocks.{layer}"', '"blocks.0"',
             says="These are the LayerNorms of layer 0. Use the argument `layer`."),
        edit('f"{name}.ln1.', '"blocks.0.ln1.', times=2,
             says="This is the ln1 of layer 0. Use the argument `layer`."),
    ],
    right=[library_block],
    hints=[
        ("Help, what is kept and what is replaced?", "Nothing replaces `x`, you only add to "
         "it. Give the normalised copy another name."),
        ("Help, what do queries, keys and values read?",
         "If `read` is the normalised stream, queries and keys read `with_positions(read, "
         "weights)`, and values read `read`. The MLP reads the stream with attention's output "
         "added, normalised by `ln2`, without positions."),
        ("Help, almost the code", "`x = x + attention(placed, placed, read, weights, layer)`. If "
         "there is an MLP, `x = x + mlp(layernorm(x, ln2.w, ln2.b), weights, layer)`."),
    ])


def last_streams(seed):
    sizes = [(6, 0), (3, 12), (1, 0)]
    return [(stream(seed, seq), random_weights(seed, d_mlp)) for seq, d_mlp in sizes]


LOGITS = 'weights["unembed.W_U"])'

exercise("d1.0.17", cases=last_streams, tolerance=1e-4, sizes=SIZES,
    mistakes=[
        edit('layernorm(x, weights["ln_final.w"], weights["ln_final.b"])', "x",
             says="The final LayerNorm is missing. Normalise the stream with ln_final."),
        edit(LOGITS, f"{LOGITS}.softmax(-1)",
             says="These are probabilities. Return the logits, before softmax."),
        edit(LOGITS, f"{LOGITS}.log_softmax(-1)",
             says="These are log-probabilities. Return the logits, before softmax."),
        edit('weights["unembed.W_U"]', 'weights["embed.W_E"].T',
             says="This multiplies by the embedding. Use the unembedding, unembed.W_U."),
        edit(LOGITS, f"{LOGITS}[:, -1]",
             says="These are the logits of the last position only. Return them for all positions."),
        edit("ln_final", "blocks.0.ln1", times=2,
             says="This is the LayerNorm of a block. Use the final one, ln_final."),
        edit("layernorm(x,", "layernorm(with_positions(x, weights),",
             says="You added positions. The unembedding reads the stream without them."),
    ],
    right=[lambda x, weights: network(weights).unembed(network(weights).ln_final(x))],
    hints=[
        ("Help, what comes between stream and logits?",
         "One more LayerNorm, `ln_final`, and one matrix, `unembed.W_U`. Logits are the input of "
         "softmax, so leave softmax out."),
        ("Help, which functions do I have?", "`layernorm` and `apply_matrix`."),
        ("Help, almost the code", '`apply_matrix(layernorm(x, weights["ln_final.w"], '
         'weights["ln_final.b"]), weights["unembed.W_U"])`.'),
    ])


def texts(seed):
    """Returns tokens for random networks of one to three layers, and for the trained one."""
    numbers = torch.Generator().manual_seed(seed)
    small = [
        (torch.randint(13, (2, 7), generator=numbers), random_weights(seed + layers, d_mlp, layers))
        for layers, d_mlp in ((2, 12), (3, 0), (1, 12))
    ]
    real = torch.randint(1024, (2, 20), generator=numbers)
    return [*small, (real, trained("induction-2l"))]


ALL_LAYERS = "range(n_layers(weights))"

exercise("d1.0.18", cases=texts, tolerance=1e-4,
    sizes="The check uses networks of 1, 2 and 3 layers, and our model. Count the layers with "
          "n_layers.",
    mistakes=[
        edit("embed(tokens, weights)", "with_positions(embed(tokens, weights), weights)",
             says="Positions are in the stream. Only queries and keys read them, in the block."),
        edit(ALL_LAYERS, "range(1)",
             says="Only the first block ran. Run n_layers(weights) blocks."),
        edit(ALL_LAYERS, "range(2)",
             says="You always run two blocks. Run n_layers(weights) blocks."),
        edit(ALL_LAYERS, "range(n_layers(weights) - 1)",
             says="The last block didn't run. range(n) already stops at n - 1."),
        edit(ALL_LAYERS, "range(1, n_layers(weights))",
             says="The first block didn't run. Layers count from 0."),
        edit("weights, layer)", "weights, 0)",
             says="Every block uses the weights of layer 0. Pass `layer` on to the block."),
        edit(ALL_LAYERS, f"reversed({ALL_LAYERS})",
             says="The blocks run in reverse order. Layer 0 reads the embedding."),
        edits(("x = embed", "start = x = embed"), ("block(x,", "block(start,"),
              says="Each block reads the embedding. Pass it the stream after the previous block."),
        edit("x = block(x,", "x = x + block(x,",
             says="The stream was added twice. A block already returns the new stream."),
        edit("unembed(x, weights)", "x",
             says="This is the residual stream. Unembed it to get logits."),
        edit("return unembed(x, weights)", "return unembed(x, weights).softmax(-1)",
             says="These are probabilities. Return the logits, before softmax."),
        edit("return unembed(x, weights)", "return unembed(x, weights)[:, -1]",
             says="These are the logits of the last position only. Return them for all positions."),
    ],
    right=[lambda tokens, weights: network(weights)(tokens)],
    hints=[
        ("Help, where are positions added?", "Inside `block`, to the input of queries and keys. "
         "The stream starts as the embedding alone."),
        ("Help, how many blocks?", "`for layer in range(n_layers(weights))`. Pass each block the "
         "result of the previous one."),
        ("Help, almost the code", "`x = embed(tokens, weights)`, in the loop `x = block(x, "
         "weights, layer)`, and at the end `unembed(x, weights)`."),
    ])


# --- predicting and writing -----------------------------------------------------------------------


def predicted(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [
        (2 * torch.randn(*shape, 9, generator=numbers), torch.randint(9, shape, generator=numbers))
        for shape in ((2, 6), (1, 9), (3, 3), (3, 2))
    ]


THEN, NEXT = "logits[:, :-1]", "tokens[:, 1:, None]"
PROBABILITIES = "These are probabilities. Take minus the logarithm."
ONE_NUMBER = "This is a single number. Return one loss for each predicted token."

exercise("d1.0.19", cases=predicted, sizes="The check uses a vocabulary of 9 tokens.",
    mistakes=[
        edit(NEXT, "tokens[:, :-1, None]",
             says="Each position is compared with its own token. Logits at i predict token i + 1."),
        edit(THEN, "logits[:, 1:]",
             says="Each position but the first is compared with its own token. Shift by one."),
        edits((THEN, "logits"), (NEXT, "tokens[:, :, None]"),
              says="Each position is compared with its own token. Logits at i predict token i + "
                   "1."),
        edits((THEN, "logits[:, 1:]"), (NEXT, "tokens[:, :-1, None]"),
              says="The shift goes the wrong way. Logits at i predict token i + 1."),
        edit("return -log_p", "return log_p",
             says="These are log-probabilities, which are negative. The loss is minus them."),
        edits((".log_softmax", ".softmax"), ("return -log_p", "return log_p"), says=PROBABILITIES),
        edit(".log_softmax", ".softmax", says=PROBABILITIES),
        edit(".log_softmax(dim=-1)", "",
             says="The logits were used as log-probabilities. Apply log_softmax first."),
        edit("softmax(dim=-1)", "softmax(dim=1)",
             says="softmax went over positions. It goes over the vocabulary, the last axis."),
        edit(".squeeze(-1)", ".mean()", says=ONE_NUMBER),
        edit(".squeeze(-1)", ".sum()", says=ONE_NUMBER),
        edit(".squeeze(-1)", ".squeeze(-1) / math.log(2)",
             says="These are bits. The natural logarithm gives nats."),
        edits((THEN, "logits"), (NEXT, "tokens.roll(-1, 1)[:, :, None]"),
              says="There is one loss too many. The last logits have no token to predict."),
        edit(".squeeze(-1)", "",
             says="gather left an axis of length 1. Remove it with squeeze(-1)."),
        edit(".squeeze(-1)", ".squeeze()",
             says="squeeze() removes every axis of length 1, even the batch. Write squeeze(-1)."),
    ],
    right=[
        lambda logits, tokens: F.cross_entropy(
            logits[:, :-1].transpose(1, 2), tokens[:, 1:], reduction="none"
        ),
        lambda logits, tokens: [
            [-step.softmax(-1)[token].log() for step, token in zip(*row, strict=True)]
            for row in zip(logits[:, :-1], tokens[:, 1:], strict=True)
        ],
    ],
    hints=[
        ("Help, what is compared with what?", "The logits at positions 0, 1 and so on, with the "
         "tokens at 1, 2 and so on. Leave out the last logits and the first token."),
        ("Help, how do I pick one entry for each position?",
         "`gather(-1, index)` needs an index with as many axes as the tensor, such as `tokens[:, "
         "1:, None]`. The result has a last axis of length 1, which `squeeze(-1)` removes."),
        ("Help, almost the code", "`log_p = logits[:, :-1].log_softmax(dim=-1)`, then "
         "`-log_p.gather(-1, tokens[:, 1:, None]).squeeze(-1)`."),
    ])


def corpora(seed):
    """Returns tokens of several shapes; some tokens of the vocabulary never occur."""
    numbers = torch.Generator().manual_seed(seed)
    shapes = [((3, 40), 5, 7), ((60,), 5, 9), ((2, 3, 4), 4, 5)]
    return [(torch.randint(most, shape, generator=numbers), d) for shape, most, d in shapes]


SHARES = "(counts / counts.sum()).log()"

exercise("d1.0.20", cases=corpora,
    sizes="The check uses vocabularies of 5 to 9 tokens. Use the argument `d_vocab`.",
    mistakes=[
        edit(") + 1", ")",
             says="Tokens that never occurred have probability 0 here, and an infinite loss. Add 1 "
                  "to every count."),
        edit(") + 1", ").clamp(min=1)",
             says="Only tokens that never occurred got the 1. Add 1 to every count."),
        edit("counts.sum()", "tokens.numel()",
             says="The probabilities don't add up to 1. Divide by the sum of the raised counts."),
        edit(".log()", "", says="These are probabilities. Return their logarithms."),
        edit(".log()", ".log2()",
             says="These are logarithms to base 2. Use the natural logarithm."),
        edit(SHARES, "counts", says="These are counts. Divide by their sum, then take logarithms."),
        edit(SHARES, "counts.log()",
             says="These are logarithms of counts. Divide the counts by their sum first."),
        edit(SHARES, "counts.double().log_softmax(0)",
             says="You applied softmax to the counts. Divide the counts by their sum instead."),
        edit("minlength=d_vocab", "minlength=0",
             says="The table ends at the largest token that occurred. It needs d_vocab entries."),
        edit("minlength=d_vocab", "minlength=1024",
             says="This always has 1,024 entries. Use the argument `d_vocab`."),
        edit("return (", "return -(", says="These are losses. Return log-probabilities, which are "
                                           "negative."),
        edit(".flatten()", "", says="bincount takes a tensor with one axis. Flatten the tokens "
                                    "first."),
    ],
    right=[
        lambda tokens, d_vocab: [
            float(torch.log(((tokens == i).sum() + 1) / (tokens.numel() + d_vocab)))
            for i in range(d_vocab)
        ],
    ],
    hints=[
        ("Help, how do I count?", "`torch.bincount(tokens.flatten(), minlength=d_vocab)` has an "
         "entry for each token, even for tokens that don't occur."),
        ("Help, mine does not add up to 1", "Divide by the sum of the counts after you added 1 to "
         "each of them."),
        ("Help, almost the code", "`counts = torch.bincount(...) + 1`, then `(counts / "
         "counts.sum()).log()`."),
    ])


def stand_in(seed):
    """Returns a fast stand-in for a network, whose logits depend on all tokens so far."""
    table = torch.randn(4, 11, 11, generator=torch.Generator().manual_seed(seed))

    def run(tokens):
        shape = list(getattr(tokens, "shape", []))
        if len(shape) != 2 or tokens.is_floating_point():
            raise Wrong(
                f"run was given tokens of shape {shape}. It reads whole numbers [batch, seq], so "
                "give it tokens[None]."
            )
        places = torch.arange(tokens.shape[1]) % 11
        so_far = table[1][tokens].cumsum(1) + table[2][tokens.roll(1, 1)]
        return table[0][tokens] + so_far + 2 * table[3][places]

    run.__name__ = "a small network"
    return run


def beginnings(seed):
    numbers = torch.Generator().manual_seed(seed)
    sizes = [(4, 6), (1, 5), (3, 1), (6, 6), (2, 3)]
    return [
        (stand_in(seed + i), torch.randint(11, (seq,), generator=numbers), n)
        for i, (seq, n) in enumerate(sizes)
    ]


STEP = "run(tokens[None])[0, -1]"

exercise("d1.0.21", cases=beginnings,
    mistakes=[
        edits(("for _ in", f"logits = {STEP}\n    for _ in"), (f"= {STEP}.arg", "= logits.arg"),
              says="The network ran once. Run it again after each new token."),
        instead("""
                def write_greedily(run, tokens, n):
                    return torch.cat([tokens, run(tokens[None]).argmax(-1)[0, -n:]])
                """,
                says="These are predictions at earlier positions of the prompt. Use the prediction "
                     "at the last position, and run the network again after each new token."),
        edit("[0, -1]", "[0, 0]",
             says="The logits are read at the first position. Read them at the last."),
        edit("tokens[None]", "tokens[None, -1:]",
             says="The network reads only the last token. Pass it the whole text each time."),
        edits(("for _ in", "start = len(tokens)\n    for _ in"),
              ("return tokens", "return tokens[start:]"),
              says="The prompt is missing. Return it with the new tokens."),
        edits(("for _ in", "tokens = tokens[None]\n    for _ in"), ("tokens[None])", "tokens)"),
              ("likeliest[None]])", "likeliest[None, None]], dim=1)"),
              says="The batch axis is still there. Return a text [seq + n]."),
        edit("argmax", "argmin", says="This takes the least likely token. Use argmax."),
        edit("range(n)", "range(n - 1)", says="You added one token too few. Add n."),
        edit("range(n)", "range(n + 1)", says="You added one token too many. Add n."),
        edit("[tokens, likeliest[None]]", "[likeliest[None], tokens]",
             says="You put the new token in front. Put it at the end."),
        edit(STEP, "run(tokens)[-1]", says="so give it tokens[None]."),
    ],
    right=[
        """
        def write_greedily(run, tokens, n):
            text = tokens.tolist()
            while len(text) < len(tokens) + n:
                text.append(int(run(torch.tensor([text])).softmax(-1)[0, -1].argmax()))
            return text
        """,
    ],
    hints=[
        ("Help, the same token comes again and again", "Does the network run once or n times? It "
         "has to read the text with the new token in it."),
        ("Help, which logits?", "`run(tokens[None])` is [1, seq, d_vocab]. The prediction of the "
         "next token is at the last position: `[0, -1]`."),
        ("Help, almost the code", "In a loop of n steps, `likeliest = run(tokens[None])[0, "
         "-1].argmax()` and then `tokens = torch.cat([tokens, likeliest[None]])`."),
    ])

DRAWS = 2000
SAME_TOKEN = (
    "Every draw gives the same token, as greedy decoding does. Draw from the probabilities, with "
    "the given `generator`."
)


def to_draw_from(seed):
    """Returns logits from -1.5 to 1.5 in random order, each with another temperature."""
    numbers = torch.Generator().manual_seed(seed)
    cases = []
    for size, temperature in ((5, 0.5), (6, 1.0), (7, 2.0), (4, 4.0)):
        order = torch.randperm(size, generator=numbers)
        cases.append((torch.linspace(-1.5, 1.5, size)[order], temperature))
    return cases


def shares(answer, logits, temperature):
    """Returns how often each token is drawn; the same seed must give the same tokens."""

    def draw(seed, count):
        generator = torch.Generator().manual_seed(seed)
        return [a_token(answer(logits, temperature, generator), len(logits)) for _ in range(count)]

    before = logits.clone()
    draw(3, 1)
    if not torch.equal(logits, before):
        raise Wrong("You changed the given logits in place. Compute a new tensor, logits / "
                    "temperature.")
    if draw(3, 40) != draw(3, 40):
        raise Wrong(
            "Two generators with the same seed give different draws. Pass `generator` to "
            "torch.multinomial, so that a run can be repeated."
        )
    drawn = torch.tensor(draw(0, DRAWS))
    if bool((drawn == drawn[0]).all()):
        raise Wrong(SAME_TOKEN)
    return {f"share of {DRAWS} draws": torch.bincount(drawn, minlength=len(logits)) / DRAWS}


def a_token(token, d_vocab):
    """Returns the token as an int, from a tensor with one entry too."""
    token = token.item() if isinstance(token, torch.Tensor) and token.numel() == 1 else token
    if not isinstance(token, int) or not 0 <= token < d_vocab:
        raise Wrong(
            f"A draw gave {str(token)[:60]}, expected a token: a whole number from 0 to "
            f"{d_vocab - 1}."
        )
    return token


def by_gumbel(logits, temperature, generator):
    noise = torch.rand(logits.shape, generator=generator).clamp(1e-9).log().neg().log().neg()
    return int((logits / temperature + noise).argmax())


def by_cumulative_sums(logits, temperature, generator):
    edges = (logits / temperature).softmax(-1).cumsum(-1)
    place = torch.searchsorted(edges, torch.rand(1, generator=generator))
    return place.clamp(max=len(logits) - 1)


DRAW = "torch.multinomial(probabilities, 1, generator=generator)"

# Two shares of 2,000 draws differ by 0.075 once in 500,000 times: 4.7 standard errors at one half.
exercise("d1.0.22", cases=to_draw_from, use=shares, tolerance=0.075,
    mistakes=[
        edit("logits / temperature", "logits * temperature",
             says="The logits were multiplied by the temperature. Divide them by it."),
        edit("(logits / temperature).softmax(dim=-1)", "logits.softmax(dim=-1) / temperature",
             says="The temperature changes nothing. If you divide all probabilities by one number, "
                  "their ratios stay the same. Divide the logits by it, before softmax."),
        edit("(logits / temperature)", "logits.div_(temperature)",
             says="You changed the given logits in place."),
        edit(DRAW, "probabilities.argmax()", says=SAME_TOKEN),
        edit(DRAW, "torch.multinomial(torch.ones_like(logits), 1, generator=generator)",
             says="Every token is drawn equally often. Use the probabilities."),
        edit("1, generator=generator", "1",
             says="Two generators with the same seed give different draws."),
        edit("generator=generator", "generator=torch.Generator().manual_seed(0)", says=SAME_TOKEN),
        edit(f"{DRAW}.item()", "probabilities.max().item()", says="expected a token"),
        edit("(logits / temperature).softmax(dim=-1)",
             "(logits / temperature).softmax(dim=-1).softmax(dim=-1)",
             says="softmax was applied twice, which makes the draw too even. Apply it once."),
    ],
    right=[by_gumbel, by_cumulative_sums],
    hints=[
        ("Help, my temperature changes nothing", "Apply it before softmax. If you divide all "
         "probabilities by 2, their ratios stay the same."),
        ("Help, how do I draw?", "`torch.multinomial(probabilities, 1, generator=generator)` "
         "returns a tensor with one token, and `.item()` turns it into a number."),
        ("Help, almost the code", "`probabilities = (logits / temperature).softmax(dim=-1)`, and "
         "then the draw."),
    ])


# --- recall ---------------------------------------------------------------------------------------

quiz("d1.0.quiz",
    summed=name(says="Look for the letter that the result doesn't name.", also=("letter i", "axis i")),
    scale=option("d_model", "d_head", "d_vocab", "n_ctx",
               says="How many products are summed in one score?"),
    softmax=option("queries", "keys",
               says="In step 1 of d1.0.14, which axis does softmax take?"),
    positions=option("queries", "keys", "values",
               says="A head moves information without positions. Which of the three does it move?"),
    predicts=number(says="Position i reads tokens 0 to i. Which token does it predict?"),
    hints=[
        ("Help, einsum", "Think of warm-ups 1 and 2. Which letters does einsum keep, and where do "
                         "you name them?"),
        ("Help, attention", "d1.0.13 has the formula, and step 1 of d1.0.14 has the softmax. Step "
                            "1 of d1.0.16 lists the inputs of queries, keys and values."),
        ("Help, the number", "In d1.0.19, the logits at position 0 predict token 1."),
    ])
