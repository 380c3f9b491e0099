"""Tensors, arrays and random states as plain data: a few words and a piece of bytes."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from typing import Any

import numpy
import torch

from remix_utils.classroom.grading.wire import refused

DTYPES = {
    str(each).removeprefix("torch."): each
    for each in (
        torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16,
        torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128,
    )
}  # fmt: skip
NAMES = {each: name for name, each in DTYPES.items()}
MOST_NUMBERS = 2**25
STATE = 624  # numbers in a state of the Mersenne twister
Store = Callable[[Any], int]  # keeps a piece of bytes, and returns its number
Pieces = Any  # the pieces of a frame, by number


def from_tensor(value: torch.Tensor, store: Store) -> list:
    """Returns a tensor's facts; its entries are stored in the order in which they lie in memory."""
    with torch._C.DisableTorchFunctionSubclass():
        bare = torch.Tensor.as_subclass(value, torch.Tensor).detach()
        bare = bare.to_dense() if bare.layout != torch.strided else bare
        bare = bare.cpu().resolve_conj().resolve_neg()
        if bare.dtype not in NAMES:
            bare = bare.double()
        order = _order(bare)
        flat = bare.permute(order).contiguous().reshape(-1).view(torch.uint8)
        piece = store(flat.numpy().tobytes())
    facts = [NAMES[bare.dtype], list(bare.shape), piece, bool(value.requires_grad)]
    return [*facts, order] if order != list(range(bare.ndim)) else facts


def _order(value: torch.Tensor) -> list[int]:
    """The axes from the slowest to the fastest in memory; as they stand where they overlap."""
    strides = value.stride()
    if value.ndim < 2 or value.is_contiguous() or 0 in strides:
        return list(range(value.ndim))
    return sorted(range(value.ndim), key=lambda axis: -strides[axis])


def to_tensor(facts: list, pieces: Pieces) -> torch.Tensor:
    """Returns the tensor that `from_tensor` described, on memory of its own."""
    name, shape, piece, wants_gradient, *order = facts
    dtype, sizes = DTYPES[name], _sizes(shape)
    order = [int(axis) for axis in order[0]] if order else list(range(len(sizes)))
    if sorted(order) != list(range(len(sizes))):
        raise refused(f"a tensor whose axes are {order}")
    data = pieces[piece]
    if len(data) != math.prod(sizes) * dtype.itemsize:
        raise refused(f"{len(data):,} bytes for a tensor {sizes} of {name}")
    lying = [sizes[axis] for axis in order]
    flat = torch.frombuffer(bytearray(data), dtype=torch.uint8) if len(data) else torch.empty(0)
    value = (flat.view(dtype) if len(data) else torch.empty(0, dtype=dtype)).reshape(lying)
    if dtype is torch.bool and len(data):
        value = flat.reshape(lying) != 0  # other bytes than 0 and 1 are no truth values
    value = value.permute([order.index(axis) for axis in range(len(sizes))])
    return value.requires_grad_() if wants_gradient and _differentiable(dtype) else value


def _differentiable(dtype: torch.dtype) -> bool:
    return dtype.is_floating_point or dtype.is_complex


def _sizes(shape: Any) -> list[int]:
    sizes = [int(size) for size in shape]
    if any(size < 0 for size in sizes) or math.prod(sizes) > MOST_NUMBERS or len(sizes) > 64:
        raise refused(f"a shape {str(sizes)[:80]}")
    return sizes


def from_array(value: numpy.ndarray, store: Store) -> list | None:
    """Returns the facts of an array of numbers; None for one of texts or objects."""
    bare = numpy.ascontiguousarray(numpy.array(value, subok=False))
    if bare.dtype.kind not in "biufc" or bare.dtype.itemsize > 16:
        return None
    return [bare.dtype.newbyteorder("=").str, list(value.shape), store(bare.tobytes())]


def to_array(facts: list, pieces: Pieces) -> numpy.ndarray:
    """Returns the array that `from_array` described, on memory of its own."""
    name, shape, piece = facts
    dtype = numpy.dtype(str(name))
    if dtype.kind not in "biufc":
        raise refused(f"an array of {dtype}")
    return numpy.frombuffer(bytearray(pieces[piece]), dtype=dtype).reshape(_sizes(shape))


# --- random states -------------------------------------------------------------------------------


def from_random(state: tuple, store: Store) -> list:
    """Returns the state of one of Python's own generators."""
    version, numbers, spare = state
    return [version, store(numpy.array(numbers, dtype=numpy.uint64).tobytes()), spare]


def to_random(facts: list, pieces: Pieces) -> tuple:
    version, piece, spare = facts
    numbers = numpy.frombuffer(bytes(pieces[piece]), dtype=numpy.uint64).tolist()
    return version, tuple(numbers), None if spare is None else float(spare)


def random_states() -> tuple:
    """Returns the states of the three global generators, to compare with earlier ones."""
    kind, keys, *rest = numpy.random.get_state()
    keys = numpy.asarray(keys)
    return random.getstate(), (kind, keys.tobytes(), *rest), torch.get_rng_state().numpy().tobytes()


def from_states(states: tuple, store: Store) -> list:
    """Returns the states of the three global generators as plain data."""
    python, (kind, keys, *rest), torch_state = states
    return [from_random(python, store), [kind, store(keys), *rest], store(torch_state)]


def set_states(facts: list, pieces: Pieces) -> None:
    """Puts the three global generators into the states that were sent."""
    python, (kind, keys, position, has_gauss, gauss), torch_state = facts
    random.setstate(to_random(python, pieces))
    numbers = numpy.frombuffer(bytes(pieces[keys]), dtype=numpy.uint32)
    if len(numbers) != STATE or not 0 <= int(position) <= STATE:
        raise refused("a random state that is none")  # numpy would read beyond its memory
    numpy.random.set_state((kind, numbers, int(position), int(has_gauss), float(gauss)))
    torch.set_rng_state(_bytes(pieces[torch_state]))


def generator_state(value: torch.Generator) -> bytes:
    return value.get_state().numpy().tobytes()


def set_generator(value: torch.Generator, state: Any) -> None:
    value.set_state(_bytes(state))


def _bytes(data: Any) -> torch.Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def same_bytes(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether two tensors of one shape and dtype hold the same numbers, NaN included."""
    left, right = one.detach().cpu().contiguous(), other.detach().cpu().contiguous()
    return bool(
        torch.equal(left.reshape(-1).view(torch.uint8), right.reshape(-1).view(torch.uint8))
    )
