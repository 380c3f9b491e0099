"""Padding that a graph would take for text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch

from remix_utils.errors import InputError
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Array, Placeholder


def refuse_unread_mask(nodes: Iterable[Node], columns: Mapping[str, Any]) -> None:
    """Raises InputError for a `mask` that says where padding is, beside a graph of `tokens` that reads no mask.

    Other columns that nothing reads are harmless. This one changes every value that attention or
    positions reach.
    """
    mask = columns.get("mask")
    if not isinstance(mask, torch.Tensor) or mask.is_floating_point() or bool(mask.bool().all()):
        return
    nodes = list(nodes)
    read = {node.op.input for node in nodes if isinstance(node.op, Placeholder)}
    if "tokens" not in read or "mask" in read or not any(map(_depends_on_padding, nodes)):
        return
    rows = (~mask.bool()).reshape(-1, mask.shape[-1]).any(-1)
    padded = int(rows.sum())
    raise InputError(
        f"The inputs hold a mask, with padding in {padded} of {len(rows)} rows, "
        "but this graph of tokens reads no mask, so that padding counts as text.",
        fix="build the graph with mask=True, or give inputs without padding and mask.",
        padded=padded,
        rows=len(rows),
    )


def _depends_on_padding(node: Node) -> bool:
    if isinstance(node.op, Apply):
        return node.op.function in ("softmax", "masked_softmax")
    return isinstance(node.op, Array) and node.name == "positions"
