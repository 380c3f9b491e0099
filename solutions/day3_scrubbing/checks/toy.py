"""Models like the toy of day 3, part 1, with rows, and what a hypothesis allows on them."""

import torch

from remix_utils.checks.exercise import Wrong
from remix_utils.data import Dataset, feature
from remix_utils.errors import kind_of
from remix_utils.graph.ops import add, apply, array, index, placeholder
from remix_utils.graph.selector import at
from remix_utils.scrub.hypothesis import Interp

from .moments import moments

KINDS = torch.cartesian_prod(torch.arange(3.0), *[torch.tensor([-1.0, 1.0])] * 2)  # the toy's rows


def random_rows(seed, count):
    """Some rows of the toy's kinds, in any order, with each value of a at least once."""
    numbers = torch.Generator().manual_seed(seed)
    more = torch.randint(len(KINDS), (count - 3,), generator=numbers)
    chosen = torch.cat([torch.tensor([1, 7, 10]), more])
    return Dataset(x=KINDS[chosen[torch.randperm(count, generator=numbers)]])


@feature
def parity(data):
    return data["x"][:, 0] % 2


@feature
def agreement(data):
    return data["x"][:, 1] * data["x"][:, 2]


@feature
def value_of_b(data):
    return data["x"][:, 1]


def claim(name, draw, *children, **options):
    return Interp(name, at(name), draw, children, **options)


def toy_like(seed):
    """A model with the toy's nodes in which every value counts: any other exchange shows."""
    numbers = torch.Generator().manual_seed(seed)

    def mixed(name, *children):
        """A smooth function of its children that no two of them enter alike."""
        weights = 0.4 + torch.rand(len(children), generator=numbers)
        bias = torch.rand((), generator=numbers, dtype=torch.float64)
        terms = add(*children, array(bias, f"{name} bias"), weights=[*weights.tolist(), 1])
        return apply("tanh", terms, name=name)

    x = placeholder("x", (3,), torch.float64)
    a, b, c = (index(x, place, name=name) for place, name in enumerate("abc"))
    straight, bend = mixed("straight", a), mixed("bend", mixed("a - 1", a))
    odd, same = mixed("odd", straight, bend), mixed("same", b, c)
    left, right = mixed("left", odd, mixed("up", a)), mixed("right", mixed("down", a), same)
    return mixed("output", left, right)


def data_of_six(seed):
    chosen = torch.tensor([0, 2, 5, 7, 9, 10]) if seed % 2 else torch.tensor([1, 2, 4, 7, 8, 11])
    return Dataset(x=KINDS[chosen].double())


def exchanges(hypothesis, graph, data):
    """What a hypothesis allows."""
    if not isinstance(hypothesis, Interp):
        raise Wrong(f"It is {kind_of(hypothesis)}, expected a claim: claim(name, draw, ...).")
    return moments(graph, hypothesis, data)
