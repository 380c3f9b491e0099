"""Does a head copy: the full OV circuit (d2.3.3), its accuracy (4), what it reads (6), its eigenvalues (7)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.day1.small_transformers import random_weights, stream
from remix_utils.checks.day2.folding import D_HEAD, VOCAB, fold
from remix_utils.checks.day2.thin import Thin, copying, pair, within
from remix_utils.checks.exercise import Mistake, exercise

# --- d2.3.3 -----------------------------------------------------------------------------------------------------------


def some_heads(seed):
    """Heads of both layers, of two networks."""
    places = (0, 0, 1), (0, 1, 0), (1, 1, 1)
    return [(random_weights(seed + which, d_mlp=0), layer, head) for which, layer, head in places]


def use_circuit(function, weights, layer, head):
    return pair(within(VOCAB**2 - 1, function, weights, layer, head), D_HEAD)


def _ov(first=True, last=True, layer_of=lambda layer: layer, head_of=lambda head: head, **how):
    def full(weights, layer, head):
        layer, head = layer_of(layer), head_of(head)
        W_V, W_U = weights[f"blocks.{layer}.attn.W_V"][head], weights["unembed.W_U"]
        W_V = fold(weights, f"blocks.{layer}.ln1", W_V, **how) if first else W_V
        W_U = fold(weights, "ln_final", W_U, **how) if last else W_U
        return weights["embed.W_E"] @ W_V, weights[f"blocks.{layer}.attn.W_O"][head] @ W_U

    return full


@exercise("d2.3.3")
def _(answer, seed, reference):
    mistakes = [
        ("no layernorm is in it: W_V reads through ln1 of its layer, and W_U through ln_final.", _ov(False, False)),
        ("W_V reads the stream through ln1 of its layer, which is left out: fold it in.", _ov(first=False)),
        ("W_U reads the stream through ln_final, which is left out: fold it in.", _ov(last=False)),
        ("the layernorms' weights are in it, but not their centring: `folded` does both.", _ov(centre=False)),
        ("the layernorms' centring is in it, but not their weights: `folded` does both.", _ov(weigh=False)),
        ("the head is always one of layer 0.", _ov(layer_of=lambda layer: 0)),
        ("the head is always head 0 of its layer.", _ov(head_of=lambda head: 0)),
        ("this is the other head of the layer.", _ov(head_of=lambda head: 1 - head)),
        (
            "this is the transpose: a row is the token that is looked at, a column the logit.",
            lambda *case: tuple(each.T for each in reversed(_ov()(*case))),
        ),
    ]
    cases = some_heads(seed)
    judged(answer, seed, reference, use=use_circuit, cases=cases, oracle=_ov(), mistakes=mistakes, tolerance=1e-4)


# --- d2.3.4 -----------------------------------------------------------------------------------------------------------

SIZE = 300


def circuits(seed):
    numbers = torch.Generator().manual_seed(seed)
    drawn = [copying(numbers, SIZE, 6, share) for share in (0.8, 0.4, -0.5)]
    return [(circuit, k) for circuit, k in zip(drawn, (1, 5, 40), strict=True)]


def use_accuracy(function, circuit, k):
    return within(SIZE * SIZE // 2, function, Thin(*circuit), k)


def _accuracy(size=lambda each: each, extra=0, best=None, count=False, largest=True):
    def accuracy(circuit, k=1):
        hits = 0
        for rows in torch.arange(len(circuit.A)).split(100):
            entries = size(circuit.A[rows] @ circuit.B)
            found = entries.topk((best or k) + extra, largest=largest).indices
            hits += (found == rows[:, None]).sum().item()
        return hits if count else hits / len(circuit.A)

    return accuracy


@exercise("d2.3.4")
def _(answer, seed, reference):
    mistakes = [
        ("this counts rows: give their share of all rows.", _accuracy(count=True)),
        ("whatever k is, this is the top-1 accuracy.", _accuracy(best=1)),
        ("this looks at k + 1 entries of each row.", _accuracy(extra=1)),
        ("this ranks entries by their size without the sign: a logit that falls is not copied.", _accuracy(torch.abs)),
        ("these are the k smallest entries of each row.", _accuracy(largest=False)),
        (
            "this ranks each entry in its column: a row is the token that is looked at, so rank within rows.",
            lambda circuit, k=1: _accuracy()(Thin(circuit.B.T, circuit.A.T), k),
        ),
        ("this is the share of misses: 1 less what is asked for.", lambda *case: 1 - _accuracy()(*case)),
        ("this is divided by k: a row counts once, whatever k is.", lambda circuit, k=1: _accuracy()(circuit, k) / k),
    ]
    cases = circuits(seed)
    judged(
        answer, seed, reference, use=use_accuracy, cases=cases, oracle=_accuracy(), mistakes=mistakes, tolerance=1e-4
    )


# --- d2.3.6 -----------------------------------------------------------------------------------------------------------


def streams(seed):
    """Tokens that come once, often and never."""
    tokens = torch.tensor([[3, 0, 3, 5, 1, 0], [3, 1, 7, 7, 0, 3]])
    return [(stream(seed), tokens, 9), (stream(seed + 1), (tokens + 2) % 9, 9), (stream(seed + 2), tokens.flip(1), 8)]


def _total(stream, tokens, d_vocab):
    return torch.zeros(d_vocab, stream.shape[-1]).index_add_(0, tokens.flatten(), stream.flatten(0, 1))


def _count(tokens, d_vocab):
    return tokens.flatten().bincount(minlength=d_vocab)[:, None]


def _mean(stream, tokens, d_vocab):
    return _total(stream, tokens, d_vocab) / _count(tokens, d_vocab).clamp(min=1)


def _last_one(stream, tokens, d_vocab):
    table = torch.zeros(d_vocab, stream.shape[-1])
    for token, vector in zip(tokens.flatten(), stream.flatten(0, 1), strict=True):
        table[token] = vector
    return table


def _first_one(stream, tokens, d_vocab):
    return _last_one(stream.flip(0, 1), tokens.flip(0, 1), d_vocab)


def _per_row(stream, tokens, d_vocab):
    """The mean of the rows' own means."""
    return torch.stack([_mean(a[None], b[None], d_vocab) for a, b in zip(stream, tokens, strict=True)]).mean(0)


ONE_EACH = (
    "of a token that stands in several places only one counts: an index assignment writes the same row anew, "
    "and += does too. Use index_add_, or a loop."
)

exercise(
    "d2.3.6",
    cases=streams,
    oracle=_mean,
    mistakes=[
        Mistake(ONE_EACH, _last_one),
        Mistake(ONE_EACH, _first_one),
        Mistake(ONE_EACH, lambda *case: _last_one(*case) / _count(*case[1:]).clamp(min=1)),
        Mistake("these are sums: divide by how often each token stands there.", _total),
        Mistake("a token that never occurs is divided by 0: let it keep zeros.",
                lambda s, tokens, n: _total(s, tokens, n) / _count(tokens, n)),
        Mistake("the sums are divided by the number of all places: each token has its own number.",
                lambda s, tokens, n: _total(s, tokens, n) / tokens.numel()),
        Mistake("the rows' means are averaged: a token's places count alike, whatever row they are in.", _per_row),
        Mistake("it adds 1 to the number of occurrences of every token: only where there are none, if you must.",
                lambda s, tokens, n: _total(s, tokens, n) / (_count(tokens, n) + 1)),
    ],
)  # fmt: skip

# --- d2.3.7 -----------------------------------------------------------------------------------------------------------


def squares(seed):
    """Circuits that copy a little, suppress, and do neither."""
    numbers = torch.Generator().manual_seed(seed)
    return [(copying(numbers, 60, 6, share),) for share in (0.3, -0.6, 0.0)]


def use_statistic(function, circuit):
    return within(60 * 60 // 2, function, Thin(*circuit))


def _statistic(signed=lambda values: values.sum().real, whole=lambda values: values.abs().sum()):
    def statistic(circuit):
        values = torch.linalg.eigvals(circuit.B @ circuit.A)
        return (signed(values) / whole(values)).item()

    return statistic


def _by_singular_values(circuit):
    left, right = (torch.linalg.qr(factor).R for factor in (circuit.A, circuit.B.T))
    return (circuit.A * circuit.B.T).sum() / torch.linalg.svdvals(left @ right.T).sum()


def _symmetric(circuit):
    values = torch.linalg.eigvalsh(circuit.B @ circuit.A)
    return values.sum() / values.abs().sum()


@exercise("d2.3.7")
def _(answer, seed, reference):
    mistakes = [
        ("it has lost the sign of the sum: suppression is negative.", _statistic(lambda values: values.sum().abs())),
        (
            "the denominator holds real parts only: the length of a complex eigenvalue is values.abs().",
            _statistic(whole=lambda values: values.real.abs().sum()),
        ),
        (
            "the denominator is the length of the sum: take each eigenvalue's length first, and sum then.",
            _statistic(whole=lambda values: values.sum().abs()),
        ),
        ("the denominator holds singular values, not the lengths of eigenvalues.", _by_singular_values),
        (
            "eigvalsh is for symmetric matrices, and reads only half of this one: use eigvals.",
            _symmetric,
        ),
        (
            "this is the share of eigenvalues with a positive real part: weigh them by their size.",
            _statistic(lambda values: (values.real > 0).sum(), whole=len),
        ),
        ("this is the sum of the eigenvalues: divide by the sum of their lengths.", _statistic(whole=lambda values: 1)),
    ]
    cases = squares(seed)
    judged(
        answer, seed, reference, use=use_statistic, cases=cases, oracle=_statistic(), mistakes=mistakes, tolerance=1e-3
    )
