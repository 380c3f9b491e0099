"""Every function that `apply` knows, against plain torch: listing it is enough to have it tested."""

import pytest
import torch

from remix_utils.errors import FunctionError
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.functions import function_named, function_names, register
from remix_utils.graph.ops import apply, array, index, placeholder, sample
from tests.graph.formulas import FORMULAS

ROWS = 4  # as many as there are positions, so that rows taken for positions would be noticed


def values(*shape, seed=0):
    """Positive numbers, of which every function has a value."""
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64) + 0.5


X = values(ROWS, 4, 6)
TOKENS = torch.randint(4, (ROWS, 4), generator=torch.Generator().manual_seed(0))
MASK = values(ROWS, 4, 6) > 0.8
# The children of functions that do not take one tensor: those with rows first, then fixed ones.
CHILDREN = {
    "embed": ([TOKENS], [values(4, 3)]),  # as many rows as tokens
    "layernorm": ([X], [values(6), values(6, seed=1)]),
    "masked_softmax": ([X, MASK], [torch.ones(4, 6, dtype=torch.bool)]),
    "pick": ([X, TOKENS], []),
    "positions": ([MASK], []),
    "rmsnorm": ([X], [values(6)]),
    "rotary": ([X, values(ROWS, 4, 2)], []),
    "rotary_angles": ([TOKENS], [values(3)]),
}


def build(name):
    """The function's node on placeholders, its inputs, and its value by plain torch, row by row."""
    rows, fixed = CHILDREN.get(name, ([X], []))
    inputs = {f"child {i}": tensor for i, tensor in enumerate(rows)}
    free = [placeholder(key, tensor.shape[1:], tensor.dtype) for key, tensor in inputs.items()]
    node = apply(name, *free, *map(array, fixed))
    formula = FORMULAS.get(name, function_named(name).run)
    return node, inputs, torch.stack([formula(*(tensor[row] for tensor in rows), *fixed) for row in range(ROWS)])


@pytest.mark.parametrize("name", function_names())
def test_a_function_is_what_plain_torch_says(name):
    """On rows, without rows, and in chunks, the value is that of the formula for each example."""
    node, inputs, expected = build(name)
    assert expected.shape[1:] == node.shape
    torch.testing.assert_close(evaluate(node, inputs), expected)
    torch.testing.assert_close(evaluate(node, inputs, batch_size=3), expected)
    torch.testing.assert_close(evaluate(node, {key: tensor[2] for key, tensor in inputs.items()}), expected[2])


@pytest.mark.parametrize("name", function_names())
def test_a_function_says_how_many_axes_it_mixes(name):
    """An index on any axis gives the entries of the whole value, so no axis is taken apart that is needed whole
    (trap 9)."""
    node, inputs, expected = build(name)
    for axis, size in enumerate(node.shape):
        for entry in (size - 1, slice(None, None, 2), torch.tensor([0, 0])):
            part = evaluate(index(node, (*[slice(None)] * axis, entry)), inputs)
            torch.testing.assert_close(part, expected[(slice(None),) * (axis + 1) + (entry,)])


@pytest.mark.parametrize("name", function_names())
def test_gradients_of_a_function_are_those_of_plain_torch(name):
    """With grad=True gradients reach every input that is a float, and equal those of the formula."""
    node, inputs, _ = build(name)
    if not node.dtype.is_floating_point:
        return
    rows, fixed = CHILDREN.get(name, ([X], []))
    leaves = [tensor.clone().requires_grad_() for tensor in rows if tensor.is_floating_point()]
    given = [leaves.pop(0) if tensor.is_floating_point() else tensor for tensor in rows]
    leaves = [tensor for tensor in given if tensor.requires_grad]
    if not leaves:
        return
    value = evaluate(node, dict(zip(inputs, given, strict=True)), grad=True)
    gradients = torch.autograd.grad(value.square().sum(), leaves)
    formula = FORMULAS.get(name, function_named(name).run)
    plain = torch.stack([formula(*(tensor[row] for tensor in given), *fixed) for row in range(ROWS)])
    for ours, theirs in zip(gradients, torch.autograd.grad(plain.square().sum(), leaves), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_formulas_are_of_functions_that_exist():
    """No formula is left over from a function that is gone."""
    assert set(FORMULAS) <= set(function_names())


def test_a_registered_function_is_given_one_example_at_a_time():
    """What users add sees examples without batch axes, on its declared number of whole axes."""
    seen = []

    def scale(x, y):
        seen.append((tuple(x.shape), tuple(y.shape)))
        return x * y.sum(-1, keepdim=True)

    register("scale by a sum", scale, whole=(0, 1))
    node = apply("scale by a sum", placeholder("x", (4, 6), torch.float64), array(values(6)))
    assert seen and node.shape == (4, 6)
    seen.clear()
    torch.testing.assert_close(evaluate(node, {"x": X}), X * values(6).sum())
    assert seen == [((4, 6), (6,))]
    torch.testing.assert_close(evaluate(index(node, 1), {"x": X}), X[:, 1] * values(6).sum())


def test_registering_again_serves_new_nodes_only():
    """A node keeps the function that it was built with, and two versions are two computations."""
    register("version", lambda x: x + 1)
    old = apply("version", array([1.0]))
    register("version", lambda x: x + 2)
    new = apply("version", array([1.0]))
    assert [value.item() for value in evaluate([old, new])] == [2.0, 3.0] and old.key != new.key


def test_a_function_that_cannot_do_without_numbers_may_be_registered():
    """Where shapes do not show without data, the function is tried on zeros."""
    register("to the power", lambda x: x ** float(x.sum() * 0 + 2))
    assert apply("to the power", placeholder("x", (3,))).shape == (3,)


def test_embed_takes_rows_of_a_table():
    """Tokens [seq] and a table [tokens, d_model] give [seq, d_model]; −1 is no token."""
    tokens, table = placeholder("tokens", (4,), torch.long), values(4, 3)
    node = apply("embed", tokens, array(table))
    torch.testing.assert_close(evaluate(node, {"tokens": TOKENS}), torch.nn.functional.embedding(TOKENS, table))
    for outside in (-1, 4):
        with pytest.raises(FunctionError, match=f"index {outside} is out of bounds"):
            evaluate(node, {"tokens": torch.full((2, 4), outside)})


def test_a_padding_mask_is_a_placeholder_that_travels():
    """A mask is a child like any other: resampled with its rows, it hides what it hid there (trap 9)."""
    scores, mask = placeholder("scores", (4, 6), torch.float64), placeholder("mask", (4, 6), torch.bool)
    mask_there = MASK | (torch.arange(6) == 0)
    rows, other = torch.tensor([3, 1]), torch.tensor([0, 2])
    inputs = {"scores": X, "mask": mask_there}
    for mask_rows in (rows, other):
        node = apply("masked_softmax", sample(scores, rows), sample(mask, mask_rows))
        hidden = evaluate(node, inputs)[~mask_there[mask_rows]]
        assert hidden.numel() and hidden.eq(0).all()
