"""Broadcasting written out: a term of a sum, with the whole shape of the sum."""

from __future__ import annotations

import torch

from remix_utils.errors import ShapeError
from remix_utils.graph.axes import Shape, axis_names
from remix_utils.graph.node import Node
from remix_utils.graph.ops import array, einsum, index


def broadcast_to(node: Node, shape: Shape) -> Node:
    """Returns a node of the whole shape that holds another's values, as its product with ones.

    >>> from remix_utils import placeholder
    >>> broadcast_to(placeholder("b", (3,)), (2, 3))
    Einsum 'b.broadcast' [2, 3]

    Raises ShapeError for a shape that the node does not broadcast to.
    """
    if node.shape == shape:
        return node
    lead = len(shape) - len(node.shape)
    sizes = zip(node.shape, shape[max(lead, 0) :], strict=True)
    if lead < 0 or any(own not in (1, full) for own, full in sizes):
        raise ShapeError(
            f"{node!r} does not broadcast to {list(shape)}.",
            fix="shapes align at their last axes; rearrange it with an einsum.",
            left=node.shape,
            right=shape,
        )
    words = axis_names(shape).split()
    keeps = [own == full for own, full in zip(node.shape, shape[lead:], strict=True)]
    own = [word for word, keep in zip(words[lead:], keeps, strict=True) if keep]
    new = [(word, size) for word, size in zip(words, shape, strict=True) if word not in own]
    ones = array(torch.ones([size for _, size in new], dtype=node.dtype), f"{node.name}.ones")
    if not all(keeps):
        node_at = tuple(slice(None) if keep else 0 for keep in keeps)
        single = index(node, node_at, name=f"{node.name}.single")
    else:
        single = node
    pattern = f"{' '.join(own)}, {' '.join(word for word, _ in new)} -> {' '.join(words)}"
    return einsum(pattern, single, ones, name=f"{node.name}.broadcast")
