"""Prompts for indirect object identification, and what may be changed about them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from itertools import combinations, product
from typing import overload

import torch

from remix_utils.errors import DataError, counted
from remix_utils.tasks.ioi.choices import checked_words, parts_of
from remix_utils.tasks.ioi.vocabulary import (
    AGAIN,
    NAMES,
    OBJECTS,
    PLACES,
    SUBJECT_TEMPLATES,
    TEMPLATES,
    TRAIN_TEMPLATES,
)
from remix_utils.tasks.stream import Stream

ORDERS = ("ABBA", "BABA")
PARTS = ("train", "held-out", "unseen")
NAME_ROLES = {"IO": ("IO",), "S": ("S1", "S2"), "S1": ("S1",), "S2": ("S2",)}


@dataclass(frozen=True)
class Prompt:
    """One prompt: its template, its words by role, and whether the IO (ABBA) or S (BABA) is named first.

    >>> prompt = Prompt(TEMPLATES[0], "Mary", "John", "John", "store", "drink", "BABA")
    >>> prompt.text, prompt.answer
    ('After John and Mary went to the store, John gave a drink to', 'Mary')
    """

    template: str
    IO: str
    S1: str
    S2: str
    place: str
    object: str
    order: str
    again: str | None = None  # the role that a sentence in front names once more
    before: tuple[str, ...] = ()  # the names that flips have replaced

    @property
    def answer(self) -> str:
        """The name that comes next: that of the IO, or the subject's where the template is one of those."""
        return self.S2 if self.template in SUBJECT_TEMPLATES else self.IO

    @property
    def text(self) -> str:
        """The prompt, up to the word before its answer."""
        return "".join(piece for piece, _ in self.pieces())

    def pieces(self) -> list[tuple[str, str | None]]:
        """The text in pieces, each with the role of its word where that is named for the first time.

        >>> prompts(1)[0].pieces()[:3]
        [('With a ', None), ('blanket', 'object'), (' in the bag, ', None)]

        Raises DataError for a template with unknown fields.
        """
        roles = dict(zip(("first", "second"), ("IO", "S1") if self.order == "ABBA" else ("S1", "IO"), strict=True))
        roles |= {"subject": "S2", "place": "place", "object": "object"}
        front = AGAIN.format(name=getattr(self, self.again)) if self.again else ""
        pieces: list[tuple[str, str | None]] = [(front, None)]
        named: set[str] = set()
        for literal, field in parts_of(self.template):
            pieces.append((literal, None))
            if field is not None:
                role = roles[field]
                pieces.append((getattr(self, role), None if role in named else role))
                named.add(role)
        return [(piece, role) for piece, role in pieces if piece]


@dataclass(frozen=True)
class Prompts:
    """Prompts in rows; every change gives new ones and leaves these as they are.

    `flip` gives a role a fresh name, or another role's, or changes the order; `swap` exchanges two roles' names. Roles
    are places in the sentence: after `flip("S2", to="IO")`, S2 is still the place where the subject is named again.
    Fresh names are drawn from `names`, those that the prompts were drawn from.

    >>> clean = prompts(1, seed=1, templates=TEMPLATES[:1])
    >>> clean.texts
    ['After Luke and Keith went to the station, Luke gave a lamp to']
    >>> clean.flip("S2", to="IO").texts
    ['After Luke and Keith went to the station, Keith gave a lamp to']
    >>> clean.flip("IO", seed=5).flip("order").texts
    ['After Rosa and Luke went to the station, Luke gave a lamp to']
    """

    rows: tuple[Prompt, ...]
    names: tuple[str, ...] = NAMES

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Prompt]:
        return iter(self.rows)

    @overload
    def __getitem__(self, which: int) -> Prompt: ...
    @overload
    def __getitem__(self, which: slice | torch.Tensor | Sequence[int]) -> Prompts: ...
    def __getitem__(self, which):
        """One prompt, or the prompts of some rows."""
        if isinstance(which, int):
            return self.rows[which]
        rows = range(len(self))[which] if isinstance(which, slice) else torch.arange(len(self))[which].tolist()
        return Prompts(tuple(self.rows[row] for row in rows), self.names)

    @property
    def texts(self) -> list[str]:
        """The text of each prompt."""
        return [prompt.text for prompt in self]

    @property
    def answers(self) -> list[str]:
        """The name that comes next in each."""
        return [prompt.answer for prompt in self]

    def flip(self, role: str, to: str = "random", seed: int = 0) -> Prompts:
        """The same prompts with another name for "IO", "S1", "S2" or "S" (both its places), or with the other "order".

        `to="random"` draws, from the prompts' own `names`, one that the prompt does not have and never had;
        `to="IO"`, "S1" or "S2" copies that role's. `flip("order")` exchanges the first two names with their roles: who
        is to be named stays the same.

        >>> prompts(1, templates=TEMPLATES[1:2]).flip("S1").flip("S2").texts
        ['When Molly and Heather reached the bakery, Tina handed the blanket to']

        Raises DataError for an unknown role, and where a prompt has had all of the names.
        """
        if role == "order":
            return self._each(lambda prompt: replace(prompt, order=ORDERS[prompt.order == ORDERS[0]]))
        places = _places(role)
        if to != "random":
            (source,) = _places(to, single=True)
            return self._each(lambda prompt: replace(prompt, **dict.fromkeys(places, getattr(prompt, source))))
        stream = Stream("ioi flip", role, seed)

        def fresh(prompt: Prompt) -> Prompt:
            old = (*prompt.before, prompt.IO, prompt.S1, prompt.S2)
            unused = [name for name in self.names if name not in old]
            if not unused:
                raise DataError(
                    f"A flip of {role} needs a fresh name, and {prompt.text!r} has had {len(set(old))} "
                    f"of {len(self.names)}.",
                    fix="draw the prompts from more names.",
                    role=role,
                    names=len(self.names),
                )
            return replace(prompt, before=old, **dict.fromkeys(places, stream.choose(unused)))

        return self._each(fresh)

    def swap(self, role: str, other: str) -> Prompts:
        """The same prompts with two roles' names exchanged; the roles stay where they are.

        >>> clean = prompts(1, templates=TEMPLATES[1:2])
        >>> clean.texts
        ['When Catherine and Heather reached the bakery, Catherine handed the blanket to']
        >>> clean.swap("IO", "S").texts
        ['When Heather and Catherine reached the bakery, Heather handed the blanket to']

        Raises DataError for an unknown role.
        """
        here, there = _places(role), _places(other)
        return self._each(
            lambda prompt: replace(
                prompt,
                **dict.fromkeys(here, getattr(prompt, there[-1])),
                **dict.fromkeys(there, getattr(prompt, here[-1])),
            )
        )

    def abc(self, seed: int = 0) -> Prompts:
        """The same sentences about three people who were not in them: no name is said twice.

        >>> len(set(prompts(1).abc().texts[0].split()) & set(NAMES))
        3
        """
        return self.flip("IO", seed=seed).flip("S1", seed=seed).flip("S2", seed=seed)

    def again(self, role: str) -> Prompts:
        """The same prompts after a sentence that names "IO" or "S" once more, which misleads GPT-2 (Wang et al. 2022).

        >>> prompts(1, templates=TEMPLATES[1:2]).again("IO").texts
        ['Today Heather had a good day. When Catherine and Heather reached the bakery, Catherine handed the blanket to']

        Raises DataError for an unknown role.
        """
        return self._each(lambda prompt: replace(prompt, again=_places(role)[-1]))

    def _each(self, change: Callable[[Prompt], Prompt]) -> Prompts:
        return Prompts(tuple(change(prompt) for prompt in self), self.names)


def prompts(
    n: int,
    seed: int = 0,
    part: str | None = None,
    split: int = 0,
    order: str | None = None,
    templates: Sequence[str] = TEMPLATES,
    names: Sequence[str] = NAMES,
    places: Sequence[str] = PLACES,
    objects: Sequence[str] = OBJECTS,
) -> Prompts:
    """Random prompts: a template, two names, a place, an object and an order, each drawn evenly.

    `part` is "train", "held-out" (templates of training with a fifth of the pairs of names, another fifth for each
    template, chosen by `split`), "unseen" (templates kept from training), or None for all there is. For a tokenizer
    that cuts some of the words in two, draw from `ioi.names(encode)`, `ioi.places(encode)` and `ioi.objects(encode)`.

    >>> prompts(1, seed=3, part="unseen").texts
    ['While it was raining, Aaron and Jacob stopped at the restaurant. Soon Jacob offered a knife to']
    >>> prompts(2, templates=["{first} met {second}, and {subject} waved to"], names=["Ann", "Bo"]).texts
    ['Bo met Ann, and Bo waved to', 'Ann met Bo, and Ann waved to']

    Raises DataError for an unknown part or order, for a template with other fields than {first}, {second}, {subject},
    {place} and {object} or without the first three, for fewer than two names, and where nothing is in the part.
    """
    if part not in (None, *PARTS):
        raise DataError(f"IOI has no part {part!r}.", fix="ask for " + ", ".join(map(repr, PARTS)) + ".", part=part)
    if order not in (None, *ORDERS):
        raise DataError(f"IOI has no order {order!r}.", fix='ask for "ABBA" or "BABA".', order=order)
    if n < 1:
        raise DataError(f"{n} prompts were asked for.", fix="ask for at least one.")
    names = checked_words("names", names, least=2)
    places, objects = checked_words("places", places), checked_words("objects", objects)
    allowed = _templates_of(part, templates)
    _require_pairs(part, split, allowed, names)
    stream = Stream("ioi prompts", seed)
    rows: list[Prompt] = []
    while len(rows) < n:
        template, (io, s) = stream.choose(allowed), stream.choose_several(names, 2)
        words = stream.choose(places), stream.choose(objects), order or stream.choose(ORDERS)
        if part in (None, "unseen") or _held_out(template, io, s, split) == (part == "held-out"):
            rows.append(Prompt(template, io, s, s, *words))
    return Prompts(tuple(rows), names)


def _templates_of(part: str | None, templates: Sequence[str]) -> list[str]:
    for template in checked_words("templates", templates):
        parts_of(template)
    unseen = TEMPLATES[TRAIN_TEMPLATES:]
    allowed = [each for each in templates if part is None or (each in unseen) == (part == "unseen")]
    if not allowed:
        raise DataError(f"None of the {len(templates)} templates is in the part {part!r}.", fix="leave templates out.")
    return allowed


def _require_pairs(part: str | None, split: int, templates: Sequence[str], names: Sequence[str]) -> None:
    """With few names and templates, all of their pairs may be in the other part."""
    if part in (None, "unseen"):
        return
    pairs = product(templates, combinations(names, 2))
    if not any(_held_out(template, *pair, split) == (part == "held-out") for template, pair in pairs):
        raise DataError(
            f"No pair of these {counted(len(names), 'name')} is in the part {part!r} for any of "
            f"{counted(len(templates), 'template')}.",
            fix="pass more names, or another split.",
            part=part,
            split=split,
        )


def _held_out(template: str, name: str, other: str, split: int) -> bool:
    """A fifth of all pairs with a template, whoever of the two is the IO."""
    key = f"{split} {template} {min(name, other)} {max(name, other)}"
    return sha256(key.encode()).digest()[0] % 5 == 0


def _places(role: str, single: bool = False) -> tuple[str, ...]:
    known = {role: places for role, places in NAME_ROLES.items() if not single or len(places) == 1}
    if role not in known:
        raise DataError(
            f"No name has the role {role!r}.", fix="use one of " + ", ".join(map(repr, known)) + ".", role=role
        )
    return known[role]
