"""Names written with stars, question marks and brackets, some of which are the names' own."""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from fnmatch import translate
from functools import lru_cache

BRACKETS = re.compile(r"\[([^\[\]]+)\]")
MAGIC = re.compile(r"[*?[]")
HOOK = re.compile(r"(^|\.)hook_")
AN_INDEX = re.compile(r"-\d+|[-\d\s.]*[:,][-\d\s:,.]*")  # what stands in v[-1], v[0:5] and v[:, 2]


@lru_cache(maxsize=4096)
def glob(pattern: str) -> Callable[[str], bool]:
    """Returns the test whether a name matches a pattern with `*`, `?` and `[...]`.

    A star also crosses dots, and the spelling with hook_ means the same name. A name that is
    written out matches itself, and brackets that hold an index stand for themselves, so that the
    names of indexed nodes can be written.

    >>> [name for name in ("v[0:5]", "v0", "v5") if glob("v[0:5]")(name)]
    ['v[0:5]']
    >>> [name for name in ("blocks.0.x", "blocks.1.x", "blocks.2.x") if glob("blocks.[01].x")(name)]
    ['blocks.0.x', 'blocks.1.x']
    """
    wanted = HOOK.sub(r"\1", pattern)
    if wanted == pattern and not MAGIC.search(pattern):
        return pattern.__eq__
    text, end = "", 0
    for brackets in BRACKETS.finditer(wanted):
        text += _translated(wanted[end : brackets.start()]) + _in_brackets(brackets)
        end = brackets.end()
    matches = re.compile(text + _translated(wanted[end:])).fullmatch
    return lambda name: name == pattern or matches(name) is not None


def one_of(names: Set[str]) -> frozenset[str]:
    """Returns a set of whole names, without hook_; TypeError where something is no name.

    >>> sorted(one_of({"blocks.0.hook_resid_pre", "embed"}))
    ['blocks.0.resid_pre', 'embed']
    """
    return frozenset(HOOK.sub(r"\1", name) for name in names)


def listed(names: frozenset[str]) -> str:
    """Returns the first three of some names, and how many there are.

    >>> listed(frozenset("dbac"))
    "{'a', 'b', 'c', ...: 4 names}"
    """
    first = ", ".join(map(repr, sorted(names)[:3]))
    return f"{{{first}}}" if len(names) <= 3 else f"{{{first}, ...: {len(names)} names}}"


def _in_brackets(brackets: re.Match[str]) -> str:
    """An index stands for itself, other brackets for a character of their class or for themselves.

    One digit at the end is an index, as in v[3]. More than one, as in v[12], may be either.
    """
    literal = re.escape(brackets.group())
    last = brackets.end() == len(brackets.string)
    if AN_INDEX.fullmatch(brackets.group(1)) or (last and len(brackets.group(1)) == 1):
        return literal
    return f"(?:{literal}|{_translated(brackets.group())})"


def _translated(glob: str) -> str:
    """The regular expression of a glob, without the mark of its end."""
    return translate(glob)[:-2]
