"""The algebra of thin matrices: products (d2.3.1), norms (d2.3.2) and sums (d2.3.5)."""

from __future__ import annotations

import torch

from remix_utils.checks.day1.rewriting import judged
from remix_utils.checks.day2.thin import Thin, drawn, pair, within
from remix_utils.checks.exercise import exercise

CLOSE = 1e-4  # float32, and sums of some thousand products
ROWS, MIDDLE = 60, 50

# --- d2.3.1 -----------------------------------------------------------------------------------------------------------


def products(seed):
    """Pairs of thin matrices: the first the thinner one, the second, and both alike."""
    numbers = torch.Generator().manual_seed(seed)
    ranks = (2, 5), (5, 2), (3, 3)
    return [(drawn(numbers, ROWS, r, MIDDLE), drawn(numbers, MIDDLE, s, ROWS)) for r, s in ranks]


def use_product(function, first, second):
    result = within(ROWS * MIDDLE // 2, function, Thin(*first), Thin(*second))
    found = pair(result)
    A = result.A if hasattr(result, "A") else result[0]
    return {**found, "the columns between the factors": str(A.shape[1])}


def _product(first, second):
    middle = first.B @ second.A
    if first.A.shape[1] <= second.A.shape[1]:
        return first.A, middle @ second.B
    return first.A @ middle, second.B


@exercise("d2.3.1")
def _(answer, seed, reference):
    mistakes = [
        (
            "the product is right, but always as thick as the first matrix: take the middle into the thicker side.",
            lambda first, second: (first.A, first.B @ second.A @ second.B),
        ),
        (
            "the product is right, but always as thick as the second matrix: take the middle into the thicker side.",
            lambda first, second: (first.A @ (first.B @ second.A), second.B),
        ),
        (
            "the product is right, but as thick as the *thicker* of the two: turn the comparison round.",
            lambda first, second: (
                (first.A, first.B @ second.A @ second.B)
                if first.A.shape[1] > second.A.shape[1]
                else (first.A @ (first.B @ second.A), second.B)
            ),
        ),
        (
            "this is the product the other way round: the first matrix stands on the left.",
            lambda first, second: _product(second, first),
        ),
        (
            "this is the transpose: A belongs to the rows, and B to the columns.",
            lambda first, second: tuple(each.T for each in reversed(_product(first, second))),
        ),
    ]
    cases = products(seed)
    judged(answer, seed, reference, use=use_product, cases=cases, oracle=_product, mistakes=mistakes, tolerance=CLOSE)


# --- d2.3.2 -----------------------------------------------------------------------------------------------------------


def matrices(seed):
    numbers = torch.Generator().manual_seed(seed)
    sizes = (ROWS, 3, ROWS), (ROWS, 1, MIDDLE), (MIDDLE, 6, ROWS)
    return [(drawn(numbers, *size),) for size in sizes]


def use_norm(function, matrix):
    return within(len(matrix.A) * matrix.B.shape[1] // 2, function, Thin(*matrix))


def _triangle(matrix):
    """A small matrix with the singular values of the large one."""
    left, right = (torch.linalg.qr(factor).R for factor in (matrix.A, matrix.B.T))
    return left @ right.T


def _norm(matrix):
    return _triangle(matrix).norm()


@exercise("d2.3.2")
def _(answer, seed, reference):
    mistakes = [
        (
            "this is the product of the two norms, which is more: the factors need not point the same way.",
            lambda matrix: matrix.A.norm() * matrix.B.norm(),
        ),
        (
            "this is the norm of B A: a trace stays when factors go round, and a norm does not.",
            lambda matrix: (matrix.B @ matrix.A).norm(),
        ),
        ("this is the square of the norm: take the root.", lambda matrix: _norm(matrix).square()),
        (
            "this is the largest singular value, the spectral norm: the Frobenius norm counts all entries alike.",
            lambda matrix: torch.linalg.matrix_norm(_triangle(matrix), 2),
        ),
        (
            "both squares are summed and multiplied: multiply A^T A with B B^T entry by entry, and then sum.",
            lambda matrix: ((matrix.A.T @ matrix.A).sum() * (matrix.B @ matrix.B.T).sum()).sqrt(),
        ),
        (
            "this is the root of the traces' product: the two squares meet before the trace is taken.",
            lambda matrix: ((matrix.A.T @ matrix.A).trace() * (matrix.B @ matrix.B.T).trace()).sqrt(),
        ),
    ]
    cases = matrices(seed)
    judged(answer, seed, reference, use=use_norm, cases=cases, oracle=_norm, mistakes=mistakes, tolerance=CLOSE)


# --- d2.3.5 -----------------------------------------------------------------------------------------------------------


def summands(seed):
    numbers = torch.Generator().manual_seed(seed)
    return [(drawn(numbers, ROWS, r, MIDDLE), drawn(numbers, ROWS, s, MIDDLE)) for r, s in ((3, 3), (2, 2), (4, 4))]


def use_sum(function, first, second):
    result = within(ROWS * MIDDLE // 2, function, Thin(*first), Thin(*second))
    return pair(result, first.A.shape[1] + second.A.shape[1])


def _sum(first, second):
    return torch.cat([first.A, second.A], 1), torch.cat([first.B, second.B])


@exercise("d2.3.5")
def _(answer, seed, reference):
    mistakes = [
        (
            "the factors were added: (A + C)(B + D) has two terms too many, A D and C B.",
            lambda first, second: (first.A + second.A, first.B + second.B),
        ),
        (
            "the rows were put below each other: that is a matrix of more rows and columns, with both in it. "
            "A and C go side by side, B and D one below the other.",
            lambda first, second: (
                torch.block_diag(first.A, second.A),
                torch.block_diag(first.B, second.B),
            ),
        ),
        (
            "this is the mean of the two: what the logits see is their sum.",
            lambda *both: (_sum(*both)[0] / 2, _sum(*both)[1]),
        ),
        ("only the first matrix is in it.", lambda first, second: first),
        ("only the second matrix is in it.", lambda first, second: second),
        (
            "A and B of different matrices meet: C belongs to D.",
            lambda first, second: (torch.cat([first.A, second.A], 1), torch.cat([second.B, first.B])),
        ),
    ]
    judged(answer, seed, reference, use=use_sum, cases=summands(seed), oracle=_sum, mistakes=mistakes, tolerance=CLOSE)
