"""The words of a graph, written differently from the lesson's; and answers to d1.2.1 to d1.2.3."""

import torch

from tests.answers.day1.part2_einsum import contract, einsum_shape, parse


class Node:
    """As in the lesson: an operation, children, a name, and the shape that follows."""

    def __init__(self, op, children=(), name=""):
        self.op, self.children, self.name = op, tuple(children), name
        self.shape = op.shape(*[child.shape for child in self.children])


class Array:
    """From a list, so that nothing is held in common."""

    kind = "array"

    def __init__(self, value):
        self.value = torch.tensor(value.tolist())

    def shape(self):
        return list(self.value.shape)

    def run(self):
        return self.value


class KeepsTheTensor(Array):
    def __init__(self, value):
        self.value = value.detach()


class CountsTheFirstAxis(Array):
    def shape(self):
        return len(self.value)


class HidesTheMethod(Array):
    def __init__(self, value):
        self.value = value.clone()
        self.shape = tuple(value.shape)


class FlattensIt(Array):
    def run(self):
        return self.value.flatten()


class Add:
    """By torch's own rule for shapes."""

    kind = "add"

    def shape(self, *shapes):
        return tuple(torch.broadcast_shapes(*shapes))

    def run(self, *values):
        return sum(values)


def add_with(shape=Add.shape, run=Add.run):
    """The class with another rule."""
    return type("Add", (Add,), {"shape": shape, "run": run})


def from_the_left(self, *shapes):
    rank = max(map(len, shapes))
    filled = [(*shape, *[1] * (rank - len(shape))) for shape in shapes]
    if any(len({*sizes} - {1}) > 1 for sizes in zip(*filled, strict=True)):
        raise ValueError("they do not fit")
    return tuple(max(sizes) for sizes in zip(*filled, strict=True))


def largest_sizes(self, *shapes):
    rank = max(map(len, shapes))
    filled = [(*[1] * (rank - len(shape)), *shape) for shape in shapes]
    return tuple(max(sizes) for sizes in zip(*filled, strict=True))


def equal_shapes(self, *shapes):
    if any(shape != shapes[0] for shape in shapes):
        raise ValueError("the shapes differ")
    return shapes[0]


def summed_in_place(self, *values):
    total = values[0]
    for value in values[1:]:
        total += value
    return total


class Relu:
    kind = "relu"

    def shape(self, shape):
        return shape

    def run(self, value):
        return value * (value > 0)


def relu_with(run):
    return type("Relu", (Relu,), {"run": lambda self, value: run(value)})


def zeroed_in_place(value):
    value[value < 0] = 0
    return value


# --- the words --------------------------------------------------------------------------------------------------------


class Einsum:
    kind = "einsum"

    def __init__(self, pattern):
        self.pattern = pattern

    def shape(self, *shapes):
        return tuple(einsum_shape(*parse(self.pattern), *shapes))

    def run(self, *values):
        return contract(*parse(self.pattern), *values)


class Placeholder:
    kind = "placeholder"

    def __init__(self, size):
        self.size = size

    def shape(self):
        return tuple(self.size)


OURS = {"Node": Node, "Placeholder": Placeholder, "Array": Array, "Add": Add, "Relu": Relu, "Einsum": Einsum}

WRONG = [
    ("d1.2.1", KeepsTheTensor, "holds the caller's tensor"),
    ("d1.2.1", CountsTheFirstAxis, "give all sizes, as a tuple"),
    ("d1.2.1", HidesTheMethod, "hides the method shape()"),
    ("d1.2.1", FlattensIt, "run() of a tensor of shape [2, 5]"),
    ("d1.2.1", Array(torch.ones(3)), "expected the class Array itself"),
    ("d1.2.2", add_with(shape=from_the_left), "align them at their last ones"),
    ("d1.2.2", add_with(shape=largest_sizes), "sizes that do not fit are not refused"),
    ("d1.2.2", add_with(shape=equal_shapes), "only equal shapes are accepted"),
    ("d1.2.2", add_with(shape=lambda self, *shapes: max(shapes, key=len)), "this is the longest shape"),
    ("d1.2.2", add_with(run=lambda self, *values: values[0] + values[1]), "the first two values only"),
    ("d1.2.2", add_with(run=lambda self, *values: sum(value.sum() for value in values)), "run gives one number"),
    ("d1.2.2", add_with(run=lambda self, *values: torch.stack(values).sum(0)), "torch.stack wants equal shapes"),
    ("d1.2.2", add_with(run=summed_in_place), "which other nodes read too"),
    ("d1.2.3", relu_with(torch.abs), "this is the absolute value"),
    ("d1.2.3", relu_with(lambda value: (value > 0).float()), "this is the sign"),
    ("d1.2.3", relu_with(lambda value: value.clamp(max=0)), "keep what is above 0"),
    ("d1.2.3", relu_with(zeroed_in_place), "run writes into the value"),
]

RIGHT = [
    ("d1.2.1", Array),
    ("d1.2.2", Add),
    ("d1.2.3", Relu),
]
