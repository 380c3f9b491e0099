"""A product A B whose factors are thin: its algebra, without the product itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar, overload

import torch

from remix_utils.errors import DtypeError, MemoryLimitError, ShapeError

MOST = 2**26  # entries that `full` may make: 256 MiB of float32
CHUNK = 2**23  # entries that are made at a time

Where = int | slice | torch.Tensor
T = TypeVar("T", torch.Tensor, "FactoredMatrix")


@dataclass(frozen=True, eq=False)
class FactoredMatrix:
    """The matrix A B [rows, columns], of rank at most r, kept as its factors A [rows, r] and B [r, columns].

    A full OV circuit has as many rows and columns as there are tokens, and the rank of one head. Products with
    matrices on either side, sums and multiples stay factored; entries are `matrix[rows, columns]`.

    >>> matrix = FactoredMatrix(torch.ones(50_000, 2), torch.ones(2, 50_000))
    >>> matrix, matrix.trace(), matrix[7, 8]
    (FactoredMatrix [50000, 50000] of rank 2, tensor(100000.), tensor(2.))

    Raises ShapeError for factors that do not fit, DtypeError for factors that are no floating-point tensors alike.
    """

    A: torch.Tensor
    B: torch.Tensor

    def __post_init__(self):
        if self.A.ndim != 2 or self.B.ndim != 2 or self.A.shape[1] != self.B.shape[0]:
            raise ShapeError(
                f"FactoredMatrix: factors {list(self.A.shape)} and {list(self.B.shape)}.",
                fix="give [rows, r] and [r, columns].",
                left=tuple(self.A.shape),
                right=tuple(self.B.shape),
            )
        if self.A.dtype != self.B.dtype or not self.A.is_floating_point():
            raise DtypeError(
                f"FactoredMatrix: factors of {self.A.dtype} and {self.B.dtype}.", fix="give both in floating point."
            )

    @property
    def shape(self) -> tuple[int, int]:
        return self.A.shape[0], self.B.shape[1]

    @property
    def T(self) -> FactoredMatrix:
        """The transpose."""
        return FactoredMatrix(self.B.T, self.A.T)

    def __repr__(self) -> str:
        return f"FactoredMatrix {list(self.shape)} of rank {min(*self.shape, self.A.shape[1])}"

    def __matmul__(self, other: T) -> T:
        """The product with a matrix, factored or not, or with a vector."""
        if isinstance(other, FactoredMatrix):
            self._fits(self.shape[1], other.shape[0])
            middle = self.B @ other.A
            if self.A.shape[1] <= other.A.shape[1]:
                return FactoredMatrix(self.A, middle @ other.B)
            return FactoredMatrix(self.A @ middle, other.B)
        self._fits(self.shape[1], other.shape[0])
        product = self.B @ other
        return self.A @ product if other.ndim == 1 else FactoredMatrix(self.A, product)  # type: ignore[return-value]

    def __rmatmul__(self, other: torch.Tensor) -> Any:
        self._fits(other.shape[-1], self.shape[0])
        product = other @ self.A
        return product @ self.B if other.ndim == 1 else FactoredMatrix(product, self.B)

    def __add__(self, other: FactoredMatrix) -> FactoredMatrix:
        """The sum, whose rank is the sum of both: several heads at once."""
        if self.shape != other.shape:
            raise ShapeError(f"{self!r} and {other!r} are added.", fix="add matrices of one shape.", left=self.shape)
        return FactoredMatrix(torch.cat([self.A, other.A], 1), torch.cat([self.B, other.B]))

    def __mul__(self, number: float) -> FactoredMatrix:
        return FactoredMatrix(self.A * number, self.B)

    __rmul__ = __mul__

    @overload
    def __getitem__(self, at: tuple[int, Where] | tuple[Where, int] | int) -> torch.Tensor: ...
    @overload
    def __getitem__(self, at: tuple[slice | torch.Tensor, slice | torch.Tensor]) -> FactoredMatrix: ...
    def __getitem__(self, at):
        """Rows and columns, each by a slice or a tensor, as a factored matrix; an integer takes one, as a tensor."""
        rows, columns = at if isinstance(at, tuple) else (at, slice(None))
        A, B = self.A[rows], self.B[:, columns]
        return FactoredMatrix(A, B) if A.ndim == B.ndim == 2 else A @ B

    def full(self) -> torch.Tensor:
        """The product as a tensor [rows, columns].

        Raises MemoryLimitError when it has more than 2²⁶ entries.
        """
        rows, columns = self.shape
        if rows * columns > MOST:
            raise MemoryLimitError(
                f"{self!r} in full has {rows * columns:,} entries, more than {MOST:,}.",
                fix="take some rows and columns first: matrix[:100, :100].full().",
                entries=rows * columns,
                most=MOST,
            )
        return self.A @ self.B

    def norm(self) -> torch.Tensor:
        """The Frobenius norm, from the triangles of both factors."""
        left, right = (torch.linalg.qr(factor).R for factor in (self.A, self.B.T))
        return (left @ right.T).norm()

    def trace(self) -> torch.Tensor:
        """The sum of the diagonal, which is also that of the eigenvalues."""
        return self.diagonal().sum()

    def diagonal(self) -> torch.Tensor:
        """The entries [i, i]; ShapeError unless the matrix is square."""
        self._square("diagonal")
        return (self.A * self.B.T).sum(1)

    def eigenvalues(self) -> torch.Tensor:
        """The r eigenvalues that may differ from zero, complex, largest first: those of B A.

        Raises ShapeError unless the matrix is square.
        """
        self._square("eigenvalues")
        small = self.B @ self.A if self.A.shape[1] <= self.shape[0] else self.A @ self.B
        found = torch.linalg.eigvals(small.double())
        found = found[found.abs().argsort(descending=True)]
        return found if self.A.dtype == torch.float64 else found.to(torch.complex64)

    def svd(self) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """U [rows, r], S [r] and Vh [r, columns] with U diag(S) Vh = A B, singular values largest first."""
        left, right = (torch.linalg.qr(factor) for factor in (self.A, self.B.T))
        U, S, Vh = torch.linalg.svd(left.R @ right.R.T, full_matrices=False)
        return left.Q @ U, S, Vh @ right.Q.T

    def top_k_accuracy(self, k: int = 1, rows: torch.Tensor | None = None) -> torch.Tensor:
        """The share of rows whose diagonal entry is among their k largest; ties count against it.

        Of a full OV circuit this is its copying accuracy: how often the token that is attended to is among the k whose
        logits rise most. `rows` asks for some rows only. No more than 2²³ entries are made at a time.

        >>> FactoredMatrix(torch.eye(3), torch.eye(3)).top_k_accuracy()
        tensor(1.)

        Raises ShapeError unless the matrix is square and has k columns.
        """
        self._square("top-k accuracy")
        if not 1 <= k <= self.shape[1]:
            raise ShapeError(f"The {k} largest of {self.shape[1]} columns.", fix="give k from 1 to their number.", k=k)
        rows = torch.arange(self.shape[0], device=self.A.device) if rows is None else rows
        return torch.cat([place <= k for place in self._places(rows)]).float().mean()

    def _places(self, rows: torch.Tensor) -> Iterator[torch.Tensor]:
        """For each of the rows, in chunks, how many of its entries are no smaller than the one on the diagonal."""
        for chunk in rows.split(max(CHUNK // self.shape[1], 1)):
            entries = self.A[chunk] @ self.B
            yield (entries >= entries.gather(1, chunk.unsqueeze(1))).sum(1)

    def _square(self, what: str) -> None:
        if self.shape[0] != self.shape[1]:
            raise ShapeError(
                f"{self!r} is not square, so it has no {what}.", fix="take as many rows as columns.", shape=self.shape
            )

    def _fits(self, left: int, right: int) -> None:
        if left != right:
            raise ShapeError(
                f"A product with {self!r}: {left} columns on the left, {right} rows on the right.",
                fix="transpose one of them with .T, or exchange them.",
                left=left,
                right=right,
            )
