"""Answers to d2.3.1 to d2.3.7 and d2.3.10: thin matrices, full circuits, and what they copy."""

import torch

from remix_utils.checks.day1.small_transformers import network as network_of
from remix_utils.circuits import FactoredMatrix, ov, qk
from remix_utils.circuits import full_ov as library_ov
from remix_utils.models import transformer


def fold(weights, norm, matrix):
    """Weight first, and then the mean over what is read."""
    matrix = torch.einsum("d,dn->dn", weights[f"{norm}.w"], matrix)
    return matrix - matrix.mean(0, keepdim=True)


def one_score(d_model, d_head):
    """A composition score from the global generator."""
    value, write, read, rest = torch.randn(4, d_model, d_head)
    W, R = value @ write.T, read @ rest.T
    return (W @ R).norm() / (W.norm() * R.norm())


# --- d2.3.1 and d2.3.5 ------------------------------------------------------------------------------------------------


def by_the_library(first, second):
    return FactoredMatrix(first.A, first.B) @ FactoredMatrix(second.A, second.B)


def in_three(first, second):
    """The middle goes wherever it makes the pair thinner."""
    (A, B), (C, D) = first, second
    candidates = (A, B @ C @ D), (A @ (B @ C), D)
    return min(candidates, key=lambda pair: pair[0].shape[1])


def multiplied(first, second):
    A = first.A @ first.B
    return A @ second.A, second.B


def always_first(first, second):
    return first.A, (first.B @ second.A) @ second.B


def always_second(first, second):
    return first.A @ (first.B @ second.A), second.B


def thicker(first, second):
    pair = always_first, always_second
    return pair[first.A.shape[1] < second.A.shape[1]](first, second)


def middle_forgotten(first, second):
    return first.A, second.B


def flipped(first, second):
    A, B = in_three(first, second)
    return B.T, A.T


def stacked(first, second):
    return torch.hstack([first.A, second.A]), torch.vstack([first.B, second.B])


def below(first, second):
    return torch.block_diag(first.A, second.A), torch.block_diag(first.B, second.B)


# --- d2.3.2 -----------------------------------------------------------------------------------------------------------


def by_einsum(matrix):
    A, B = matrix
    return torch.einsum("ir,is,rj,sj->", A, A, B, B) ** 0.5


def by_triangles(matrix):
    return (torch.linalg.qr(matrix.A).R @ matrix.B).norm()


# --- d2.3.3 and d2.3.10 -----------------------------------------------------------------------------------------------


def library_model(weights):
    return transformer.model("here", weights, network_of(weights).config, {}, None)


def circuit(weights, layer, head, first=fold, last=fold):
    same = lambda weights, norm, matrix: matrix
    W_V = (first or same)(weights, f"blocks.{layer}.ln1", weights[f"blocks.{layer}.attn.W_V"][head])
    W_U = (last or same)(weights, "ln_final", weights["unembed.W_U"])
    return weights["embed.W_E"] @ W_V, weights[f"blocks.{layer}.attn.W_O"][head] @ W_U


def uncentred(weights, norm, matrix):
    return weights[f"{norm}.w"][:, None] * matrix


def too_thick(weights, layer, head):
    """The product of W_V and W_O is made: [d_model, d_model]."""
    A, W_O = fold(weights, f"blocks.{layer}.ln1", weights[f"blocks.{layer}.attn.W_V"][head]), f"blocks.{layer}.attn.W_O"
    return weights["embed.W_E"] @ (A @ weights[W_O][head]), fold(weights, "ln_final", weights["unembed.W_U"])


def table(weights, layer, head):
    A, B = circuit(weights, layer, head)
    return A @ B


def turned(pair):
    return pair[1].T, pair[0].T


def composed(weights, asks, previous, induction, through=True, keys=None, scale=True):
    """By the library's circuits, put together."""
    model = library_model(weights)
    head = qk(model, (1, induction))
    read = ov(model, (0, previous)) if through else FactoredMatrix(torch.eye(8), torch.eye(8))
    before = (weights["embed.W_E"] if keys is None else keys) @ read.A @ read.B
    return asks @ head.A * (1 if scale else 5**0.5), (before @ head.B.T).T


def composed_unfolded(weights, asks, previous, induction):
    model = library_model(weights)
    head, read = qk(model, (1, induction), folded=False), ov(model, (0, previous), folded=False)
    return asks @ head.A, (weights["embed.W_E"] @ read.A @ read.B @ head.B.T).T


def first_layer_unfolded(weights, asks, previous, induction):
    model = library_model(weights)
    head, read = qk(model, (1, induction)), ov(model, (0, previous), folded=False)
    return asks @ head.A, (weights["embed.W_E"] @ read.A @ read.B @ head.B.T).T


# --- d2.3.4 -----------------------------------------------------------------------------------------------------------


def by_rank(circuit, k=1, entries=lambda row: row):
    """How many entries of the row are larger, a row at a time."""
    rows = (entries(circuit.A[i] @ circuit.B) for i in range(len(circuit.A)))
    return torch.stack([(row > row[i]).sum() < k for i, row in enumerate(rows)]).float().mean()


def whole_table(circuit, k=1):
    entries = circuit.A @ circuit.B
    return (entries.topk(k).indices == torch.arange(len(entries))[:, None]).sum() / len(entries)


def accuracy_of_columns(circuit, k=1):
    return by_rank(FactoredMatrix(circuit.B.T, circuit.A.T), k)


# --- d2.3.6 -----------------------------------------------------------------------------------------------------------


def mean_by_loop(stream, tokens, d_vocab):
    rows = [stream[tokens == token] for token in range(d_vocab)]
    return torch.stack([row.mean(0) if len(row) else torch.zeros(stream.shape[-1]) for row in rows])


def mean_by_product(stream, tokens, d_vocab):
    """A one-hot matrix, each row divided by its sum."""
    one_hot = torch.nn.functional.one_hot(tokens.flatten(), d_vocab).float().T
    return one_hot / one_hot.sum(1, keepdim=True).clamp(min=1) @ stream.flatten(0, 1)


def assigned(stream, tokens, d_vocab):
    kept = torch.zeros(d_vocab, stream.shape[-1])
    kept[tokens] = stream
    return kept


def plus_equals(stream, tokens, d_vocab):
    kept = torch.zeros(d_vocab, stream.shape[-1])
    kept[tokens] += stream
    return kept / tokens.flatten().bincount(minlength=d_vocab).clamp(min=1)[:, None]


def divided(by, stream, tokens, d_vocab):
    count = tokens.flatten().bincount(minlength=d_vocab)[:, None]
    return mean_by_loop(stream, tokens, d_vocab) * count / by(count, tokens)


# --- d2.3.7 -----------------------------------------------------------------------------------------------------------


def statistic(circuit, over=lambda values: values.abs().sum()):
    """The sum is a trace: no eigenvalues are needed for it."""
    values = torch.linalg.eigvals((circuit.B @ circuit.A).double())
    return (circuit.A * circuit.B.T).sum() / over(values)


def eigenvalues_of_the_table(circuit):
    values = torch.linalg.eigvals(circuit.A @ circuit.B)
    return values.sum().real / values.abs().sum()


def of_symmetric(circuit):
    values = torch.linalg.eigvalsh(circuit.B @ circuit.A)
    return values.sum() / values.abs().sum()


WRONG = [
    ("d2.3.1", multiplied, "as large as what the factors"),
    ("d2.3.1", always_first, "as thick as the first"),
    ("d2.3.1", always_second, "as thick as the second"),
    ("d2.3.1", thicker, "turn the comparison round"),
    ("d2.3.1", middle_forgotten, "which have no product"),
    ("d2.3.1", flipped, "this is the transpose"),
    ("d2.3.1", lambda first, second: first.B @ second.A, "gives one tensor"),
    ("d2.3.2", lambda matrix: matrix.A.norm() * matrix.B.norm(), "product of the two norms"),
    ("d2.3.2", lambda matrix: (matrix.A @ matrix.B).norm(), "as large as what the factors"),
    ("d2.3.2", lambda matrix: (matrix.B @ matrix.A).norm(), "this is the norm of B A"),
    ("d2.3.2", lambda matrix: by_einsum(matrix) ** 2, "square of the norm"),
    ("d2.3.2", lambda matrix: torch.linalg.svdvals(torch.linalg.qr(matrix.A).R @ matrix.B)[0], "spectral norm"),
    ("d2.3.3", lambda *case: circuit(*case, first=None), "W_V reads the stream through ln1"),
    ("d2.3.3", lambda *case: circuit(*case, last=None), "W_U reads the stream through ln_final"),
    ("d2.3.3", lambda *case: circuit(*case, first=None, last=None), "no layernorm is in it"),
    ("d2.3.3", lambda *case: circuit(*case, first=uncentred, last=uncentred), "but not their centring"),
    ("d2.3.3", lambda weights, layer, head: circuit(weights, 0, head), "always one of layer 0"),
    ("d2.3.3", lambda *case: turned(circuit(*case)), "this is the transpose"),
    ("d2.3.3", too_thick, "columns between the factors"),
    ("d2.3.3", table, "as large as what the factors"),
    ("d2.3.4", whole_table, "as large as what the factors"),
    ("d2.3.4", accuracy_of_columns, "in its column"),
    ("d2.3.4", lambda circuit, k=1: by_rank(circuit, 1), "whatever k is"),
    ("d2.3.4", lambda circuit, k=1: by_rank(circuit, k + 1), "looks at k + 1"),
    ("d2.3.4", lambda *case: len(case[0].A) * by_rank(*case), "this counts rows"),
    ("d2.3.4", lambda *case: by_rank(*case, torch.abs), "without the sign"),
    ("d2.3.4", lambda *case: by_rank(*case, torch.neg), "k smallest"),
    ("d2.3.5", lambda first, second: (first.A + second.A, first.B + second.B), "two terms too many"),
    ("d2.3.5", below, "the rows were put below each other"),
    ("d2.3.5", lambda first, second: (stacked(first, second)[0], stacked(second, first)[1]), "C belongs to D"),
    ("d2.3.5", lambda first, second: first.A @ first.B + second.A @ second.B, "as large as what the factors"),
    ("d2.3.5", lambda first, second: first, "only the first matrix"),
    ("d2.3.6", assigned, "only one counts"),
    ("d2.3.6", plus_equals, "only one counts"),
    ("d2.3.6", lambda *case: divided(lambda count, tokens: 1, *case), "these are sums"),
    ("d2.3.6", lambda *case: divided(lambda count, tokens: count, *case), "never occurs"),
    ("d2.3.6", lambda *case: divided(lambda count, tokens: tokens.numel(), *case), "number of all places"),
    ("d2.3.7", lambda circuit: statistic(circuit).abs(), "lost the sign"),
    ("d2.3.7", lambda circuit: statistic(circuit, lambda values: values.real.abs().sum()), "real parts only"),
    ("d2.3.7", lambda circuit: statistic(circuit, lambda values: 1), "divide by the sum of their lengths"),
    ("d2.3.7", eigenvalues_of_the_table, "as large as what the factors"),
    ("d2.3.7", of_symmetric, "use eigvals"),
    ("d2.3.10", composed_unfolded, "the layernorms are left out"),
    ("d2.3.10", first_layer_unfolded, "layer 0's layernorm is left out"),
    ("d2.3.10", lambda *case: composed(*case, scale=False), "not divided by the root"),
    ("d2.3.10", lambda *case: composed(*case, through=False), "without a detour"),
    ("d2.3.10", lambda *case: composed(*case, keys=case[1]), "begins with `asks`, too"),
    ("d2.3.10", lambda *case: turned(composed(*case)), "this is the transpose"),
    ("d2.3.10", lambda w, asks, previous, induction: composed(w, asks, induction, previous), "heads are exchanged"),
]

RIGHT = [
    ("d2.3.1", by_the_library),
    ("d2.3.1", in_three),
    ("d2.3.2", by_einsum),
    ("d2.3.2", by_triangles),
    ("d2.3.3", circuit),
    ("d2.3.3", lambda weights, layer, head: library_ov(library_model(weights), (layer, head))),
    ("d2.3.4", by_rank),
    ("d2.3.5", stacked),
    ("d2.3.5", lambda first, second: stacked(second, first)),
    ("d2.3.6", mean_by_loop),
    ("d2.3.6", mean_by_product),
    ("d2.3.7", statistic),
    ("d2.3.10", composed),
]
