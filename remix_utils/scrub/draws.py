"""Which rows everything reads: each name draws from a stream of its own."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

import torch

from remix_utils.data import Dataset, Draw, Exact, Fixed, Matching, Uniform
from remix_utils.scrub.hypothesis import HypothesisError, Reading, preorder

REFERENCE = "reference"
LARGEST = 1_000_000
Rows = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Stream:
    """A name under which rows are drawn, how, and the name of those with which they must agree."""

    name: str
    draw: Draw
    given: str | None

    def generator(self, seed: int) -> torch.Generator:
        digest = blake2b(f"{seed} {self.name}".encode(), digest_size=8).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest, "big") >> 1)


def streams(reading: Reading) -> list[Stream]:
    """The reference first, then each node's own rows and those of its others.

    The reference is drawn uniformly; where the root's rows are fixed, it is those rows.
    """
    root = reading.hypothesis
    found = [Stream(REFERENCE, root.draw if isinstance(root.draw, Fixed) else Uniform(), None)]
    for interp, parent in preorder(root):
        found.append(Stream(interp.name, interp.draw, parent.name if parent else REFERENCE))
        if interp.others is not None:
            names = dict.fromkeys(reading.unclaimed(interp).values())
            found += [Stream(name, interp.others, interp.name) for name in names]
    return found


def used(reading: Reading, found: list[Stream]) -> set[str]:
    """The names whose rows make a difference: the graph reads them, or another draw does that itself is used."""
    names = {interp.name for interp, _ in preorder(reading.hypothesis) if reading.reads_itself(interp)}
    names |= {name for interp, _ in preorder(reading.hypothesis) for name in reading.unclaimed(interp).values()}
    for stream in reversed(found):
        if stream.name in names and isinstance(stream.draw, Exact | Matching) and stream.given:
            names.add(stream.given)
    return names | {REFERENCE}


def enumerated(reading: Reading, data: Dataset, most: int = LARGEST) -> tuple[Rows, torch.Tensor]:
    """Every case that could be drawn, as rows by name [cases], and its probability [cases].

    Names that make no difference are left out.

    Raises HypothesisError for more cases than `most`.
    """
    found = streams(reading)
    kept = used(reading, found)
    fixed = found[0].draw.chosen if isinstance(found[0].draw, Fixed) else torch.arange(len(data))
    rows: Rows = {REFERENCE: fixed}
    number = torch.arange(len(fixed))  # of the reference
    weights = torch.full((len(fixed),), 1 / len(fixed), dtype=torch.float64)
    for stream in found[1:]:
        if stream.name not in kept:
            continue
        draw = Fixed(stream.draw.chosen[number]) if isinstance(stream.draw, Fixed) else stream.draw
        given = rows.get(stream.given or REFERENCE, rows[REFERENCE])  # where it is left out, nothing depends on it
        support = draw.support(data, given)
        cases = int(support.size.sum())
        if cases > most:
            raise HypothesisError(
                f"Enumerating 'all' would take {cases:,} cases up to {stream.name!r}, and {most:,} are the most.",
                fix="draw n of them, or take fewer rows.",
                cases=cases,
                most=most,
                name=stream.name,
            )
        each = torch.arange(len(number)).repeat_interleave(support.size)
        offset = torch.arange(cases) - (support.size.cumsum(0) - support.size)[each]
        rows = {name: known[each] for name, known in rows.items()}
        rows[stream.name] = support.rows[support.start[each] + offset]
        number, weights = number[each], (weights / support.size)[each]
    return rows, weights
