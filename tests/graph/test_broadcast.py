"""Broadcasting written out: the whole shape, with the values that a sum would see."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from remix_utils.errors import ShapeError
from remix_utils.graph.broadcast import broadcast_to
from remix_utils.graph.evaluate import evaluate
from remix_utils.graph.ops import add, array, placeholder
from remix_utils.graph.walk import children_first

SHAPES = st.lists(st.sampled_from([1, 2, 3]), max_size=4).map(tuple)


@given(SHAPES, st.data())
@settings(max_examples=60)
def test_the_values_are_those_that_a_sum_would_see(shape, data):
    """Axes that are missing in front and axes of size 1 are filled, for fixed values and for inputs with rows."""
    lead = data.draw(st.integers(0, len(shape)))
    own = tuple(data.draw(st.sampled_from([1, size])) for size in shape[lead:])
    rows = torch.randn(5, *own, dtype=torch.float64)
    for node in (placeholder("x", own, torch.float64), array(rows[0], "x")):
        whole = broadcast_to(node, shape)
        assert whole.shape == shape and whole.space == node.space
        zeros = array(torch.zeros(shape, dtype=torch.float64))
        torch.testing.assert_close(*evaluate([whole, add(node, zeros)], {"x": rows}))


def test_a_node_of_the_whole_shape_is_left_as_it_is():
    """There is nothing to write out, and every node that is made has a name of its own."""
    x = placeholder("x", (1, 3))
    assert broadcast_to(x, (1, 3)) is x
    names = [node.name for node in children_first(broadcast_to(x, (4, 2, 3)))]
    assert len(set(names)) == len(names) and names[-1] == "x.broadcast"


@pytest.mark.parametrize("shape", [(3,), (3, 2), (), (4, 3)])
def test_what_does_not_broadcast_is_refused(shape):
    """Both shapes are named."""
    with pytest.raises(ShapeError, match=r"Placeholder 'x' \[2, 3\] does not broadcast to"):
        broadcast_to(placeholder("x", (2, 3)), shape)
