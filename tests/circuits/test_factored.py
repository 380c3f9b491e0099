"""Factored matrices: every operation gives what the product in full gives."""

import pytest
import torch

from remix_utils.circuits import factored
from remix_utils.circuits.factored import FactoredMatrix
from remix_utils.errors import DtypeError, MemoryLimitError, ShapeError


def matrix(rows=9, columns=9, rank=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    draw = lambda *shape: torch.randn(shape, generator=generator, dtype=torch.float64)
    return FactoredMatrix(draw(rows, rank), draw(rank, columns))


SHAPES = [(9, 9, 3), (9, 7, 3), (4, 9, 6), (5, 5, 8), (6, 6, 6)]


@pytest.mark.parametrize("shape", SHAPES)
def test_products_sums_and_multiples(shape):
    """Products on both sides, transposes, sums and multiples equal those of the full matrices, and stay factored."""
    ours = matrix(*shape)
    full, (rows, columns) = ours.A @ ours.B, ours.shape
    left, right = torch.randn(5, rows).double(), torch.randn(columns, 8).double()
    other = matrix(columns, 4, 2, seed=1)
    results = {
        "full": (ours.full(), full),
        "transpose": (ours.T.full(), full.T),
        "right": ((ours @ right).full(), full @ right),
        "left": ((left @ ours).full(), left @ full),
        "factored": ((ours @ other).full(), full @ other.full()),
        "factored left": ((other.T @ ours.T).full(), other.full().T @ full.T),
        "vector": (ours @ right[:, 0], full @ right[:, 0]),
        "vector left": (left[0] @ ours, left[0] @ full),
        "sum": ((ours + matrix(*shape, seed=2)).full(), full + matrix(*shape, seed=2).full()),
        "multiple": ((2 * ours * 0.25).full(), full / 2),
    }
    for name, (value, expected) in results.items():
        torch.testing.assert_close(value, expected, msg=lambda text, name=name: f"{name}: {text}")


def test_the_smaller_rank_is_kept():
    """The product of two factored matrices has the rank of the thinner one, in either order."""
    thin, thick = matrix(rank=2), matrix(rank=5, seed=1)
    assert (thin @ thick).A.shape == (thick @ thin).A.shape == (9, 2)


@pytest.mark.parametrize("shape", SHAPES)
def test_norm_and_singular_values(shape):
    """The norm is Frobenius', and U diag(S) Vh gives the matrix back, S falling."""
    ours = matrix(*shape)
    torch.testing.assert_close(ours.norm(), ours.full().norm())
    U, S, Vh = ours.svd()
    torch.testing.assert_close(U @ S.diag() @ Vh, ours.full())
    torch.testing.assert_close(S[: min(ours.shape)], torch.linalg.svdvals(ours.full())[: len(S)])


@pytest.mark.parametrize("rank", [1, 3, 9, 12])
def test_trace_diagonal_and_eigenvalues(rank):
    """Diagonal, trace and the eigenvalues that are not zero equal those of the full matrix."""
    ours = matrix(rank=rank)
    torch.testing.assert_close(ours.diagonal(), ours.full().diagonal())
    torch.testing.assert_close(ours.trace(), ours.full().trace())
    found, dense = ours.eigenvalues(), torch.linalg.eigvals(ours.full())
    dense = dense[dense.abs().argsort(descending=True)]
    torch.testing.assert_close(found.abs(), dense.abs()[: len(found)], atol=1e-9, rtol=1e-9)
    torch.testing.assert_close(found.sum(), dense.sum())
    assert (
        dense[len(found) :].abs().sum() < 1e-9
        and FactoredMatrix(ours.A.float(), ours.B.float()).eigenvalues().is_complex()
    )


@pytest.mark.parametrize(
    "at", [(2, 3), (2, slice(1, 4)), (slice(None), -1), 4, (slice(1, 5), slice(None)), (torch.tensor([3, 3]), slice(2))]
)
def test_entries_are_those_of_the_full_matrix(at):
    """Integers take entries, slices and tensors a smaller factored matrix."""
    ours = matrix()
    value = ours[at]
    assert isinstance(value, torch.Tensor) == any(
        isinstance(entry, int) for entry in (at if isinstance(at, tuple) else (at,))
    )
    torch.testing.assert_close(value if isinstance(value, torch.Tensor) else value.full(), ours.full()[at])


@pytest.mark.parametrize("chunk", [1, 40, 2**23])
@pytest.mark.parametrize("k", [1, 3, 30])
def test_accuracy_is_how_often_the_diagonal_is_among_the_largest(chunk, k, monkeypatch):
    """However many rows are made at a time, and of the rows that are asked for only."""
    monkeypatch.setattr(factored, "CHUNK", chunk)
    ours = matrix(30, 30, 6) + 2 * FactoredMatrix(torch.eye(30)[:, :9].double(), torch.eye(30)[:9].double())
    hits = [row in ours.full()[row].topk(k).indices for row in range(30)]
    assert ours.top_k_accuracy(k).item() == pytest.approx(sum(hits) / 30)
    assert ours.top_k_accuracy(k, torch.tensor([4, 29])).item() == (hits[4] + hits[29]) / 2


def test_ties_are_no_success():
    """A matrix of equal entries copies nothing, unless every token counts."""
    flat = FactoredMatrix(torch.ones(6, 1), torch.ones(1, 6))
    assert [flat.top_k_accuracy(k).item() for k in (1, 5, 6)] == [0, 0, 1]


def test_what_does_not_fit_is_refused():
    """Factors, products, sums, squares and sizes that cannot be: each error gives both numbers and a way out."""
    with pytest.raises(ShapeError, match=r"factors \[2, 3\] and \[4, 2\]"):
        FactoredMatrix(torch.ones(2, 3), torch.ones(4, 2))
    with pytest.raises(DtypeError, match=r"torch.float32 and torch.float64"):
        FactoredMatrix(torch.ones(2, 3), torch.ones(3, 2).double())
    with pytest.raises(ShapeError, match=r"9 columns on the left, 8 rows on the right"):
        matrix() @ torch.ones(8, 2).double()
    with pytest.raises(ShapeError, match=r"8 columns on the left, 9 rows on the right"):
        torch.ones(2, 8).double() @ matrix()
    with pytest.raises(ShapeError, match="are added"):
        matrix() + matrix(9, 7)
    for what in (FactoredMatrix.trace, FactoredMatrix.eigenvalues, FactoredMatrix.top_k_accuracy):
        with pytest.raises(ShapeError, match=r"\[9, 7\] of rank 3 is not square"):
            what(matrix(9, 7))
    with pytest.raises(ShapeError, match="The 10 largest of 9 columns"):
        matrix().top_k_accuracy(10)
    with pytest.raises(MemoryLimitError, match="2,500,000,000 entries"):
        FactoredMatrix(torch.ones(50_000, 1), torch.ones(1, 50_000)).full()
