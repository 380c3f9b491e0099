"""Answers to d2.3.8 to d2.3.13 and the quiz; and those of the whole part, gathered."""

import math

import torch

from remix_utils.checks.day1.small_transformers import network as network_of
from remix_utils.circuits import positional_qk
from remix_utils.circuits.composition import _scores as library_scores
from remix_utils.models import transformer
from tests.answers.day2 import part3_thin
from tests.answers.day2.part3_thin import fold

# --- d2.3.8 -----------------------------------------------------------------------------------------------------------


def scores(weights, layer, head, seq, scale=5**-0.5):
    attn, vectors = f"blocks.{layer}.attn.", weights["pos_embed.W_pos"][:seq]
    return scale * (vectors @ weights[attn + "W_Q"][head]) @ (vectors @ weights[attn + "W_K"][head]).T


def pattern(weights, layer, head, seq, **how):
    return hidden(scores(weights, layer, head, seq, **how)).softmax(-1)


def hidden(table, value=-math.inf):
    return torch.where(torch.ones_like(table).tril() > 0, table, value)


def by_rows(weights, layer, head, seq):
    """Row by row, the future never looked at."""
    table = scores(weights, layer, head, seq)
    rows = [torch.cat([table[q, : q + 1].softmax(0), torch.zeros(seq - q - 1)]) for q in range(seq)]
    return torch.stack(rows)


def by_the_library(weights, layer, head, seq):
    model = transformer.model("here", weights, network_of(weights).config, {}, None)
    return hidden(positional_qk(model, (layer, head))[:seq, :seq].full()).softmax(-1)


def from_the_stream(weights, layer, head, seq):
    """Positions through the layernorm, as if they were in the stream."""
    attn, norm = f"blocks.{layer}.attn.", f"blocks.{layer}.ln1"
    q, k = (weights["pos_embed.W_pos"][:seq] @ fold(weights, norm, weights[attn + "W_" + a][head]) for a in "QK")
    return hidden(q @ k.T / 5**0.5).softmax(-1)


# --- d2.3.9 -----------------------------------------------------------------------------------------------------------


def loops(weights, layer, head, parts, bias=lambda source, last: source == last, scale=True):
    """A pair of sources at a time."""
    q, k = (
        [
            part @ weights[f"blocks.{layer}.attn.W_{a}"][head]
            + bias(source, len(parts) - 1) * weights[f"blocks.{layer}.attn.b_{a}"][head]
            for source, part in enumerate(parts)
        ]
        for a in "QK"
    )
    table = torch.stack([torch.stack([query @ key.T for key in k]) for query in q])
    return table / q[0].shape[-1] ** 0.5 if scale else table


def in_lists(weights, layer, head, parts):
    return [[pair.tolist() for pair in row] for row in loops(weights, layer, head, parts)]


def causal(*case):
    return loops(*case).masked_fill(torch.ones(case[3].shape[1], case[3].shape[1]).triu(1).bool(), -math.inf)


def own_source(*case):
    return torch.diagonal(loops(*case), dim1=0, dim2=1).permute(2, 0, 1)


# --- d2.3.11 to d2.3.13 -----------------------------------------------------------------------------------------------


def size(matrix):
    return torch.linalg.matrix_norm(matrix)


def pairs(writes, reads, product=lambda W, R: W @ R, norm=size, root=True):
    table = torch.tensor([[float(norm(product(W, R)) / (norm(W) * norm(R))) for R in reads] for W in writes])
    return table if root else table.square()


def undivided(writes, reads):
    return size(writes[:, None] @ reads[None])


def whole_norms(writes, reads):
    return undivided(writes, reads) / (writes.norm() * reads.norm())


def one_each(writes, reads):
    return size(writes @ reads) / size(writes) / size(reads)


def chance(draw=torch.randn, rank=None, same=False, generator=True, short=False):
    """Scores of random heads, with something odd about them."""

    def random_scores(n, d_model, d_head, seed=0):
        numbers = torch.Generator().manual_seed(seed) if generator else torch.manual_seed(seed)
        found = []
        for _ in range(1 if same or short else n):
            drawn = [draw(d_model, rank or d_head, generator=numbers) for _ in range(4)]
            found.append(pairs([drawn[0] @ drawn[1].T], [drawn[2] @ drawn[3].T])[0, 0])
        return torch.stack(found * n if same else found)

    return random_scores


def full_rank(n, d_model, d_head, seed=0):
    numbers = torch.Generator().manual_seed(seed)
    draw = lambda: torch.randn(d_model, d_model, generator=numbers)
    return torch.stack([pairs([draw()], [draw()])[0, 0] for _ in range(n)])


def deaf_to_the_seed(n, d_model, d_head, seed=0):
    return chance()(n, d_model, d_head, 5)


def unseeded(n, d_model, d_head, seed=0):
    return torch.stack([part3_thin.one_score(d_model, d_head) for _ in range(n)])


def thin(V, O, R, S, bottom=True, left=True, right=True, root=True):
    """By traces of small squares, an einsum for each."""
    m = O[:, None] @ R
    v = V.mT @ V if left else torch.eye(V.shape[2]).expand(len(V), -1, -1)
    s = S.mT @ S if right else torch.eye(S.shape[2]).expand(len(S), -1, -1)
    top = torch.einsum("aij,abjk,bkl,abil->ab", v, m, s, m)
    first = torch.einsum("aij,ajd,aid->a", V.mT @ V, O, O)
    second = torch.einsum("bij,bdj,bdi->b", S.mT @ S, R, R)
    squares = top / torch.outer(first, second) if bottom else top
    return squares.sqrt() if root else squares


def multiplied_out(V, O, R, S):
    return undivided(V @ O, R @ S.mT) / torch.outer(size(V @ O), size(R @ S.mT))


def half_thin(V, O, R, S):
    """The product of each pair is still as wide as the stream."""
    product = torch.linalg.qr(V).R[:, None] @ (O[:, None] @ R) @ S.mT
    return size(product) / torch.outer(*(size(torch.linalg.qr(a).R @ b) for a, b in ((V, O), (R, S.mT))))


def norms_of_factors(V, O, R, S):
    return thin(V, O, R, S, bottom=False) / torch.outer(size(V) * size(O), size(R) * size(S))


def by_triangles(V, O, R, S):
    """As the library does it, by QR."""
    return library_scores(V, O, R, S)


RECALL = {"rank": 32, "missing": "their own", "statistic": -1, "keys": "0.0", "chance": 0.06}

WRONG = [
    *part3_thin.WRONG,
    ("d2.3.8", scores, "hide the future, and take softmax"),
    ("d2.3.8", lambda *case: hidden(scores(*case)), "a pattern has softmax"),
    ("d2.3.8", lambda *case: scores(*case).softmax(-1), "queries see the future"),
    ("d2.3.8", lambda *case: hidden(scores(*case), 0.0).softmax(-1), "exp(0) is 1"),
    ("d2.3.8", lambda *case: scores(*case).softmax(-1).tril(), "rows do not sum to 1"),
    ("d2.3.8", lambda *case: hidden(scores(*case)).softmax(0), "softmax went over queries"),
    ("d2.3.8", lambda *case: pattern(*case, scale=1.0), "not divided by the root"),
    ("d2.3.8", lambda *case: pattern(*case, scale=0.2), "by its root, please"),
    ("d2.3.8", lambda *case: hidden(scores(*case).T).softmax(-1), "query and key are exchanged"),
    ("d2.3.8", from_the_stream, "positions are added after it"),
    ("d2.3.9", lambda *case: loops(*case, bias=lambda *_: 0), "b_Q and b_K are left out"),
    ("d2.3.9", lambda *case: loops(*case, bias=lambda *_: 1), "every source has the biases"),
    ("d2.3.9", lambda *case: loops(*case, scale=False), "not divided by the root"),
    ("d2.3.9", lambda *case: loops(*case).transpose(0, 1), "the key's source comes first"),
    ("d2.3.9", lambda *case: loops(*case).transpose(2, 3), "the places are exchanged"),
    ("d2.3.9", own_source, "each source meets itself only"),
    ("d2.3.9", lambda *case: loops(*case).sum((0, 1)), "keep one axis"),
    ("d2.3.9", causal, "the future is hidden"),
    ("d2.3.11", lambda W, R: pairs(W, R, lambda w, r: r @ w), "the wrong way round"),
    ("d2.3.11", undivided, "are not divided"),
    ("d2.3.11", lambda W, R: pairs(W, R, root=False), "squares of the scores"),
    ("d2.3.11", lambda W, R: pairs(W, R, norm=lambda m: torch.linalg.svdvals(m)[0]), "spectral norms"),
    ("d2.3.11", lambda W, R: pairs(W, R, torch.mul), "entry by entry"),
    ("d2.3.11", lambda W, R: pairs(W, R).T, "first and second are exchanged"),
    ("d2.3.11", whole_norms, "those of all heads together"),
    ("d2.3.12", full_rank, "a head's has rank d_head"),
    ("d2.3.12", chance(torch.rand), "Use torch.randn"),
    ("d2.3.12", chance(same=True), "draw new matrices for each pair"),
    ("d2.3.12", chance(rank=1), "is the rank d_head"),
    ("d2.3.12", chance(short=True), "one score a pair"),
    ("d2.3.12", chance(generator=False), "global generator"),
    ("d2.3.12", deaf_to_the_seed, "whatever the seed"),
    ("d2.3.12", unseeded, "other numbers the second time"),
    ("d2.3.13", multiplied_out, "as large as what the factors"),
    ("d2.3.13", half_thin, "as large as what the factors"),
    ("d2.3.13", lambda *case: thin(*case, root=False), "squares of the scores"),
    ("d2.3.13", lambda *case: thin(*case, left=False), "V's square is left out"),
    ("d2.3.13", lambda *case: thin(*case, right=False), "S's square is left out"),
    ("d2.3.13", lambda *case: thin(*case, bottom=False), "not divided by the norms"),
    ("d2.3.13", norms_of_factors, "which are larger"),
    ("d2.3.quiz", RECALL | {"rank": 64}, "its thinnest member"),
    ("d2.3.quiz", RECALL | {"missing": "the previous"}, "d2.3.6 again"),
    ("d2.3.quiz", RECALL | {"statistic": 0}, "all its eigenvalues are negative"),
    ("d2.3.quiz", RECALL | {"keys": "0.6"}, "had one column"),
    ("d2.3.quiz", RECALL | {"chance": 0}, "one over the root"),
]

RIGHT = [
    *part3_thin.RIGHT,
    ("d2.3.8", by_rows),
    ("d2.3.8", by_the_library),
    ("d2.3.9", loops),
    ("d2.3.9", in_lists),
    ("d2.3.11", pairs),
    ("d2.3.11", lambda W, R: pairs(W, R).tolist()),
    ("d2.3.12", chance()),
    ("d2.3.13", thin),
    ("d2.3.13", by_triangles),
    ("d2.3.quiz", RECALL | {"rank": "d_head", "missing": "the current token", "chance": 0.0625}),
]
