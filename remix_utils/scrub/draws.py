"""Which rows everything reads: each name draws from a stream of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import torch

from remix_utils.data import Dataset, Draw, Fixed, Uniform
from remix_utils.scrub.hypothesis import Interp, preorder
from remix_utils.scrub.reading import Reading

REFERENCE = "reference"
Rows = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Stream:
    """A name under which rows are drawn, how, and the name of those with which they must agree."""

    name: str
    draw: Draw
    given: str | None
    read: bool  # whether the scrubbed graph reads these rows

    def generator(self, seed: int) -> torch.Generator:
        digest = blake2b(f"{seed} {self.name}".encode(), digest_size=8).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


def streams(reading: Reading) -> Iterator[Stream]:
    """The reference first, then each node's own rows and those of its others.

    The reference is drawn uniformly; where the root's rows are fixed, it is those rows.
    """
    root = reading.hypothesis
    yield Stream(REFERENCE, root.draw if isinstance(root.draw, Fixed) else Uniform(), None, True)
    for interp, parent in preorder(root):
        own = reading.reads_itself(interp)
        yield Stream(interp.name, interp.draw, parent.name if parent else REFERENCE, own)
        if interp.children and interp.others is not None:
            for name in dict.fromkeys(others(reading, interp).values()):
                yield Stream(name, interp.others, interp.name, True)


def others(reading: Reading, interp: Interp) -> dict:
    """For each node that no child claims, the name under which its rows are drawn."""
    nodes = reading.unclaimed(interp)
    if interp.shared == "together":
        return dict.fromkeys(nodes, interp.others_name)
    names: dict[str, int] = {}
    found = {}
    for node in nodes:
        names[node.name] = names.get(node.name, 0) + 1
        number = names[node.name]
        found[node] = f"{interp.others_name}.{node.name}" + (f".{number}" if number > 1 else "")
    return found


def draw(reading: Reading, data: Dataset, n: int, seed: int) -> Rows:
    """Rows by name, each a LongTensor [n]."""
    rows: Rows = {}
    for stream in streams(reading):
        given = torch.zeros(n, dtype=torch.long) if stream.given is None else rows[stream.given]
        rows[stream.name] = stream.draw.rows(data, given, stream.generator(seed))
    return rows
