"""Reading a GGUF file: its metadata, and its tensors, each dequantised when it is taken.

The package `gguf` knows the quantisations. Its own reader takes seconds for the entries of a
vocabulary, so the header is read here.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy
import torch
from gguf.constants import GGML_QUANT_SIZES, GGMLQuantizationType
from gguf.quants import dequantize

from remix_utils.models.model import ModelError

MAGIC, VERSIONS = b"GGUF", (2, 3)
# The numbers of the format for kinds of values, as `struct` and numpy name these kinds.
KINDS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
TEXT, LIST = 8, 9
ALIGNMENT = 32  # unless the metadata say otherwise


@dataclass(frozen=True)
class Stored:
    """A tensor as the file stores it: its shape in torch's order, its quantisation, its bytes.

    >>> Stored("norm", (2,), GGMLQuantizationType.F32, memoryview(bytes(8))).read()
    tensor([0., 0.])
    """

    name: str
    shape: tuple[int, ...]
    quantisation: GGMLQuantizationType
    data: memoryview = field(repr=False)

    def read(self) -> torch.Tensor:
        """Returns the weights as float32, [*shape]. ModelError for an unknown quantisation."""
        try:
            weights = dequantize(numpy.frombuffer(self.data, numpy.uint8), self.quantisation)
        except NotImplementedError as problem:
            raise ModelError(
                f"weight {self.name!r} has the quantisation {self.quantisation.name}, which cannot "
                "be read.",
                fix="take the model in a common quantisation, such as Q8_0 or Q4_K_M.",
                weight=self.name,
            ) from problem
        own = weights if weights.flags.writeable else weights.copy()  # not the bytes of the file
        return torch.from_numpy(own).float().reshape(self.shape)


@dataclass(frozen=True)
class GGUF:
    """A file's metadata by key and its tensors by name.

    >>> GGUF({"general.architecture": "llama"}, {}).metadata["general.architecture"]
    'llama'
    """

    metadata: dict[str, Any]
    tensors: dict[str, Stored]


def read(path: Path) -> GGUF:
    """Reads a file's metadata and maps its tensors, whose bytes stay on disk until they are taken.

    Raises ModelError for a file that is no GGUF file, is of another version, or ends too early,
    and for a tensor in a quantisation that cannot be read.
    """
    if not path.is_file():
        raise ModelError(f"There is no file {path}.", fix="correct the path of the GGUF file.")
    if not path.stat().st_size:
        raise damaged(path, "it is empty")
    with path.open("rb") as file:
        content = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    try:
        return _Reader(path, content).read()
    except ModelError:
        raise  # a ValueError, too
    except (struct.error, KeyError, ValueError, OverflowError) as problem:
        raise damaged(path, f"its header breaks off or holds nonsense ({problem})") from problem


def damaged(path: Path, reason: str) -> ModelError:
    """Returns the error for a file that does not hold what a GGUF file holds."""
    return ModelError(
        f"{path.name!r} cannot be read as a GGUF file: {reason}.",
        fix=f"download it again, after deleting {path}.",
        file=path.name,
    )


class _Reader:
    """A place in the bytes of a file; each reading moves it on."""

    def __init__(self, path: Path, content: memoryview):
        self.path, self.content, self.at = path, content, 0

    def read(self) -> GGUF:
        if (found := bytes(self.take(4))) != MAGIC:
            raise damaged(self.path, f"it begins with {found!r}, expected {MAGIC!r}")
        if (version := self.number("I")) not in VERSIONS:
            raise ModelError(
                f"{self.path.name!r} has version {version} of GGUF, expected 2 or 3.",
                fix="take a file of version 3, little-endian.",
                version=version,
            )
        n_tensors, n_entries = self.number("Q"), self.number("Q")
        metadata = dict(self.entry() for _ in range(n_entries))
        described = [self.description() for _ in range(n_tensors)]
        alignment = metadata.get("general.alignment", ALIGNMENT)
        start = -(-self.at // alignment) * alignment
        tensors = {
            name: self.stored(name, shape, kind, start + place)
            for name, shape, kind, place in described
        }
        return GGUF(metadata, tensors)

    def take(self, length: int) -> memoryview:
        """The next bytes."""
        end = self.at + length
        if end > len(self.content):
            raise damaged(self.path, f"it has {len(self.content):,} bytes and needs {end:,}")
        taken, self.at = self.content[self.at : end], end
        return taken

    def number(self, kind: str) -> Any:
        return struct.unpack(f"<{kind}", self.take(struct.calcsize(f"<{kind}")))[0]

    def text(self) -> str:
        return str(self.take(self.number("Q")), "utf-8")

    def entry(self) -> tuple[str, Any]:
        """One entry of the metadata."""
        return self.text(), self.value(self.number("I"))

    def value(self, kind: int) -> Any:
        if kind == TEXT:
            return self.text()
        if kind != LIST:
            return self.number(KINDS[kind])
        kind, length = self.number("I"), self.number("Q")
        if kind in (TEXT, LIST):
            return [self.value(kind) for _ in range(length)]
        dtype = numpy.dtype(KINDS[kind]).newbyteorder("<")
        return numpy.frombuffer(self.take(length * dtype.itemsize), dtype).tolist()

    def description(self) -> tuple[str, tuple[int, ...], int, int]:
        """A tensor's name, shape, quantisation and place; its fastest axis is written first."""
        name = self.text()
        axes = [self.number("Q") for _ in range(self.number("I"))]
        return name, tuple(reversed(axes)), self.number("I"), self.number("Q")

    def stored(self, name: str, shape: tuple[int, ...], kind: int, place: int) -> Stored:
        """The tensor of a description."""
        quantisation = GGMLQuantizationType(kind)
        weights, size = GGML_QUANT_SIZES[quantisation]
        self.at = place
        return Stored(name, shape, quantisation, self.take(prod(shape) // weights * size))
