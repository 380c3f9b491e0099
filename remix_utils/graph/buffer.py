"""Fixed tensors inside a graph: copied on entry, hashed by content, never written."""

from __future__ import annotations

import hashlib

import torch

from remix_utils.errors import NodeError


class Buffer:
    """A private copy of a tensor: changing the original does not matter, and changing the copy is an error."""

    __slots__ = ("_tensor", "_version", "_digest", "_has_nan")

    def __init__(self, tensor: torch.Tensor, copy: bool = True):
        """Without `copy` the tensor is kept as it is: for weights that would not fit in memory twice."""
        with torch.inference_mode(False):
            self._tensor = tensor.clone() if copy else tensor
        self._version = self._tensor._version
        self._digest: bytes | None = None
        self._has_nan: bool | None = None

    @property
    def tensor(self) -> torch.Tensor:
        """The tensor to compute with; never to write to."""
        if self._tensor._version != self._version:
            raise NodeError(
                f"A fixed tensor of shape {list(self._tensor.shape)} was changed in place after the graph was built.",
                fix="clone tensors before writing to them, and build the graph again.",
                shape=tuple(self._tensor.shape),
            )
        return self._tensor

    @property
    def digest(self) -> bytes:
        """A hash of values, shape and dtype, made once."""
        if self._digest is None:
            tensor = self.tensor.detach().cpu().contiguous()
            hashed = hashlib.blake2b(f"{tensor.dtype}{tuple(tensor.shape)}".encode(), digest_size=16)
            hashed.update(tensor.reshape(-1).view(torch.uint8).numpy())  # type: ignore[arg-type]
            self._digest = hashed.digest()
        return self._digest

    @property
    def has_nan(self) -> bool:
        """Whether any value is NaN, looked up once: a mask would take as much memory as a quarter of the weights."""
        if self._has_nan is None:
            whole = torch.view_as_real(self._tensor) if self._tensor.is_complex() else self._tensor
            self._has_nan = whole.is_floating_point() and whole.numel() > 0 and bool(whole.detach().max().isnan())
        return self._has_nan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Buffer) and self.digest == other.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        values = self._tensor.flatten()[:4].tolist()
        return f"{values}{'…' if self._tensor.numel() > 4 else ''}"

    def __reduce__(self):
        return Buffer, (self._tensor,)
