"""Balanced parentheses: strings of "(" and ")" that pass or fail a count test and a horizon test.

A string is balanced if it has as many "(" as ")" (the count test) and if, read from right to left, no suffix has more
"(" than ")" (the horizon test). The proportions of the two tests are those of Chan et al. 2022, Causal Scrubbing.
The horizon test from the left is its mirror image: no prefix has more ")" than "(". A string is balanced exactly where
it passes both horizon tests, which together imply the count.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import torch

from remix_utils.data import Dataset
from remix_utils.errors import DataError

VOCABULARY = ("[start]", "[pad]", "[end]", "(", ")")
START, PAD, END, OPEN, CLOSE = range(len(VOCABULARY))
LONGEST = 40
LENGTH = LONGEST + 2  # with [start] and [end]
PARTS = ("train", "held-out")
SHARED_BELOW = 14  # shorter strings are too few to be kept apart

# (count test, horizon test, starts with "(") → strings in a thousand
PROPORTIONS = {
    (True, True, True): 264,
    (True, False, True): 55,
    (True, False, False): 76,
    (False, True, True): 55,
    (False, True, False): 74,
    (False, False, True): 246,
    (False, False, False): 230,
}


def count_test(text: str) -> bool:
    """Whether a string has as many "(" as ")".

    >>> count_test("())("), count_test("(()")
    (True, False)
    """
    return text.count("(") == text.count(")")


def horizon_test(text: str) -> bool:
    """Whether no suffix of a string has more "(" than ")".

    >>> horizon_test("())("), horizon_test("()))")
    (False, True)
    """
    return all(text.count("(", start) <= text.count(")", start) for start in range(len(text)))


def left_horizon_test(text: str) -> bool:
    """Whether no prefix of a string has more ")" than "(".

    >>> left_horizon_test("())("), left_horizon_test("(()")
    (False, True)
    """
    return all(text.count(")", 0, end) <= text.count("(", 0, end) for end in range(len(text) + 1))


def is_balanced(text: str) -> bool:
    """Whether every parenthesis of a string has its partner: it passes both tests.

    >>> is_balanced("(())()"), is_balanced("())(()")
    (True, False)
    """
    return count_test(text) and horizon_test(text)


def encode(strings: Sequence[str]) -> torch.Tensor:
    """The tokens of strings, [rows, 42]: [start], the parentheses, [end], then [pad].

    >>> encode(["()"])[0, :6]
    tensor([0, 3, 4, 2, 1, 1])

    Raises DataError for a string with other characters, an empty one, and one of more than 40.
    """
    strings = [strings] if isinstance(strings, str) else list(strings)
    for row, text in enumerate(strings):
        if strange := set(text) - {"(", ")"}:
            raise DataError(
                f'String {row} has {sorted(strange)[0]!r}; this task knows "(" and ")".',
                fix="take everything else out.",
                row=row,
            )
        if not 1 <= len(text) <= LONGEST:
            raise DataError(
                f"String {row} has {len(text)} parentheses; 1 to {LONGEST} fit.", fix="shorten it or leave it out."
            )
    rows = [[START, *(OPEN if c == "(" else CLOSE for c in text), END] for text in strings]
    return torch.tensor([row + [PAD] * (LENGTH - len(row)) for row in rows]).reshape(-1, LENGTH)


def decode(tokens: torch.Tensor) -> list[str]:
    """The strings that tokens [rows, 42] encode.

    >>> decode(encode(["()", "(("]))
    ['()', '((']
    """
    return ["".join(VOCABULARY[token] for token in row if token in (OPEN, CLOSE)) for row in tokens.tolist()]


def describe(strings: Sequence[str] | torch.Tensor) -> Dataset:
    """Strings, or their tokens [rows, 42], as a dataset with everything that one may want to know of each.

    Columns: `tokens` [rows, 42]; `mask` [rows, 42], true at all but padding; `label` [rows], 1 for balanced; and the
    features `count_ok`, `horizon_ok` (from the right), `left_ok` (the horizon from the left), `starts_open` (true or
    false) and `length` [rows].

    >>> data = describe(["(())", "()))", "(()"])
    >>> data["label"], data["count_ok"].tolist()
    (tensor([1, 0, 0]), [True, False, False])
    >>> data["horizon_ok"].tolist(), data["left_ok"].tolist()
    ([True, True, False], [True, False, True])

    Raises DataError as `encode` does, and for tokens that `encode` never gives.
    """
    tokens = _checked(strings) if isinstance(strings, torch.Tensor) else encode(strings)
    excess = _excess(tokens)
    count_ok, horizon_ok = excess[:, 0] == 0, (excess >= 0).all(1)
    left_ok = (excess >= excess[:, :1]).all(1)  # what remains after a prefix with more ")" has fewer than the whole
    return Dataset(
        tokens=tokens,
        mask=tokens != PAD,
        label=(count_ok & horizon_ok).long(),
        count_ok=count_ok,
        horizon_ok=horizon_ok,
        left_ok=left_ok,
        starts_open=tokens[:, 1] == OPEN,
        length=_is_parenthesis(tokens).sum(1),
    )


def open_proportion(tokens: torch.Tensor) -> torch.Tensor:
    """The share of "(" among the parentheses from each position to the end, [rows, 42]; 0 where none are left.

    The horizon test is that it nowhere exceeds one half.

    >>> open_proportion(encode(["())("]))[0, :6]
    tensor([0.5000, 0.5000, 0.3333, 0.5000, 1.0000, 0.0000])
    """
    left = _from_the_right(_is_parenthesis(tokens).long())
    return _from_the_right((tokens == OPEN).long()) / left.clamp(min=1)


def every(longest: int) -> Dataset:
    """Every string of even length up to `longest`, the shortest first, described.

    >>> len(every(6)), int(every(6)["label"].sum())
    (84, 8)

    Raises DataError for a length below 2 or above 18, where there are half a million.
    """
    if not 2 <= longest <= 18:
        raise DataError(f"Every string up to length {longest} was asked for.", fix="ask for a length from 2 to 18.")
    lengths = range(2, longest + 1, 2)
    return describe(["".join(string) for length in lengths for string in product("()", repeat=length)])


def draw(n: int, seed: int = 0, part: str | None = None, split: int = 0) -> Dataset:
    """Random strings of even lengths 2 to 40, described, with the proportions of Chan et al. 2022 (see `PROPORTIONS`).

    Of the strings that fail, half of each kind fail by as little as they can: two parentheses too many, or a horizon
    that is passed by one. `part` is "train" or "held-out", a quarter of all strings, chosen by `split`: no string of
    14 parentheses or more is in both. Without a part, strings are drawn from both.

    >>> data = draw(1000, seed=1)
    >>> decode(data["tokens"][:3])
    ['((((()()))((())))()())()', '()()(())()((())(()))', '())))()((()())()((()))((())()))(']
    >>> data["label"][:3]
    tensor([1, 1, 0])

    Raises DataError for an unknown part, or fewer than one string.
    """
    if part not in (None, *PARTS):
        raise DataError(f"Parens has no part {part!r}.", fix='ask for "train" or "held-out".', part=part)
    if n < 1:
        raise DataError(f"{n} strings were asked for.", fix="ask for at least one.")
    generator = torch.Generator().manual_seed(seed)
    target = _choose(torch.tensor([weight for *_, weight in TARGETS]).expand(n, -1), generator)
    ways = _ways()
    length = 2 * _choose((ways[:, 2::2, NOTHING_READ] > 0).long()[target], generator) + 2
    tokens = torch.empty(n, LENGTH, dtype=torch.int64)
    missing = torch.arange(n)
    while len(missing):
        tokens[missing] = _walk(target[missing], length[missing], ways, generator)
        if part is None:
            break
        elsewhere = (_part(tokens[missing], split) != PARTS.index(part)) & (length[missing] >= SHARED_BELOW)
        missing = missing[elsewhere]
    return describe(tokens)


def _checked(tokens: torch.Tensor) -> torch.Tensor:
    if tokens.ndim != 2 or tokens.shape[1] != LENGTH or tokens.dtype != torch.int64:
        raise DataError(
            f"Tokens are {tokens.dtype} {list(tokens.shape)}, not torch.int64 [rows, {LENGTH}].",
            fix="make them with encode.",
        )
    end, place = _is_parenthesis(tokens).sum(1, keepdim=True) + 1, torch.arange(LENGTH, device=tokens.device)
    kinds = torch.where(_is_parenthesis(tokens), OPEN, tokens)
    inside = torch.where(place < end, OPEN, torch.where(place == end, END, PAD))
    wrong = (kinds[:, 0] != START) | (kinds[:, 1:] != inside[:, 1:]).any(1) | (end[:, 0] == 1)
    if wrong.any():
        raise DataError(
            f"Tokens of row {int(wrong.nonzero()[0])} are not [start], parentheses, [end], then [pad].",
            fix="make them with encode.",
        )
    return tokens


def _is_parenthesis(tokens: torch.Tensor) -> torch.Tensor:
    return (tokens == OPEN) | (tokens == CLOSE)


def _from_the_right(values: torch.Tensor) -> torch.Tensor:
    return values.flip(1).cumsum(1).flip(1)


def _excess(tokens: torch.Tensor) -> torch.Tensor:
    """By how much ")" outnumber "(" from each position to the end, [rows, 42]."""
    return _from_the_right((tokens == CLOSE).long() - (tokens == OPEN).long())


def _part(tokens: torch.Tensor, split: int) -> torch.Tensor:
    """0 (train) or 1 (held-out) for each string: a hash of its parentheses, in whole numbers below 2 ** 63."""
    prime = 2**31 - 1
    code = torch.full((len(tokens),), split % prime)
    for position in range(1, LENGTH - 1):
        code = (code * 1_103_515_245 + tokens[:, position]) % prime
        code = code * code % prime if position % 8 == 0 else code
    return (code % 4 == 0).long()


def _choose(weights: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """One column a row of weights [rows, columns], in proportion to whole numbers: the same on every machine."""
    bounds = weights.cumsum(1)
    drawn = torch.randint(2**22, (len(weights), 1), generator=generator) * bounds[:, -1:]
    return (drawn >= bounds << 22).sum(1)


# Strings are drawn from right to left, as a walk whose state is the excess of ")" so far and how far it has ever
# been below 0 (from 3 on, as 3). Knowing in how many ways each state can be completed to a string of the wanted kind,
# each step is taken in proportion, and every such string comes out equally often.
DEPTHS = 4
EXCESS, DEPTH = (axis.flatten() for axis in torch.meshgrid(torch.arange(-41, 42), torch.arange(DEPTHS), indexing="ij"))
NOTHING_READ = 41 * DEPTHS


def _state(excess: torch.Tensor, depth: torch.Tensor) -> torch.Tensor:
    return (excess.clamp(-41, 41) + 41) * DEPTHS + depth


AFTER_CLOSE = _state(EXCESS + 1, DEPTH)
AFTER_OPEN = _state(EXCESS - 1, torch.maximum(DEPTH, (1 - EXCESS).clamp(0, DEPTHS - 1)))


def _targets():
    """(final states, starts with "(", weight) for each kind of string, and for those that fail narrowly."""
    narrow = (EXCESS.abs() <= 2) & (DEPTH - (EXCESS != 0).long() <= 1)
    for (count_ok, horizon_ok, starts_open), weight in PROPORTIONS.items():
        kind = ((EXCESS == 0) == count_ok) & ((DEPTH == 0) == horizon_ok)
        yield kind, starts_open, weight
        yield kind & narrow, starts_open, weight


TARGETS = tuple(_targets())


@lru_cache(maxsize=1)
def _ways() -> torch.Tensor:
    """In how many ways a state can be completed by so many more parentheses, [target, parentheses, state]."""
    finals = torch.stack([final for final, *_ in TARGETS]).long()
    opens = torch.tensor([starts_open for _, starts_open, _ in TARGETS])[:, None]
    ways = [finals, torch.where(opens, finals[:, AFTER_OPEN], finals[:, AFTER_CLOSE])]
    while len(ways) <= LONGEST:
        ways.append(ways[-1][:, AFTER_OPEN] + ways[-1][:, AFTER_CLOSE])
    return torch.stack(ways, 1)


def _walk(target: torch.Tensor, length: torch.Tensor, ways: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Tokens [rows, 42] of random strings of these targets and lengths."""
    tokens = torch.full((len(target), LENGTH), PAD)
    tokens[:, 0] = START
    tokens.scatter_(1, length[:, None] + 1, END)
    state = torch.full_like(target, NOTHING_READ)
    starts_open = torch.tensor([starts_open for _, starts_open, _ in TARGETS])[target]
    for position in range(LONGEST, 0, -1):
        after = torch.stack([AFTER_OPEN[state], AFTER_CLOSE[state]], 1)
        closes = _choose(ways[target[:, None], position - 1, after], generator) == 1
        closes = ~starts_open if position == 1 else closes
        reads = length >= position
        tokens[:, position] = torch.where(reads, torch.where(closes, CLOSE, OPEN), tokens[:, position])
        state = torch.where(reads, after.gather(1, closes.long()[:, None])[:, 0], state)
    return tokens
