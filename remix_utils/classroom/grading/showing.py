"""What a worker shows of its objects without being asked: the attributes that a check will read.

A graph of a hundred nodes would take hundreds of questions. So the attributes of an object, and the
constants and method names of a class, go over together with it, and again when they have changed.
"""

from __future__ import annotations

import types
from typing import Any

Encoder = Any  # of a room above

MOST_OBJECTS = 5_000  # beyond that many, the judge asks
SHOWN = (type(None), bool, int, float, str)
METHOD = object()


def shows(kind: type) -> bool:
    """Whether reading an attribute of such an object runs no code of its class."""
    own = (each for each in kind.__mro__ if each is not object)
    return not any("__getattribute__" in vars(each) for each in own)


def marks(value: Any) -> list | None:
    """Something that changes with an object's attributes, found fast; None where it may not.

    A list may be written into, and a class has few attributes to look at.
    """
    held = getattr(value, "__dict__", None)
    if type(held) is not dict or list in map(type, held.values()):
        return None
    return [*held, *map(id, held.values())]


def attributes(value: Any) -> dict[str, Any]:
    """Returns the attributes of an object that can be shown, lists as copies."""
    if isinstance(value, type):
        return _of_class(value)
    found: dict[str, Any] = {}
    for name, each in getattr(value, "__dict__", {}).items():
        if type(name) is str and not name.startswith("__") and _can_be_shown(each):
            found[name] = list(each) if type(each) is list else each
    return {name: each for name, each in found.items() if not _is_computed(type(value), name)}


def _of_class(kind: type) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for each in reversed([each for each in kind.__mro__ if each is not object]):
        for name, value in vars(each).items():
            if name.startswith("__"):
                continue
            found.pop(name, None)
            if type(value) in SHOWN:
                found[name] = value
            elif isinstance(value, types.FunctionType):
                found[name] = METHOD
    return found


def _is_computed(kind: type, name: str) -> bool:
    return hasattr(getattr(kind, name, None), "__set__")


def _can_be_shown(value: Any, depth: int = 2) -> bool:
    if type(value) in SHOWN:
        return True
    if type(value) in (tuple, list):
        return depth > 0 and all(_can_be_shown(each, depth - 1) for each in value)
    return is_own(type(value))


def is_own(kind: type) -> bool:
    """Whether a class is the answer's, and not Python's or a library's."""
    home = kind.__module__.split(".")[0]
    return home not in ("builtins", "types", "functools", "contextlib", "collections", "torch",
                        "numpy", "remix_utils", "abc", "re", "itertools", "random")  # fmt: skip


def same(now: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether attributes are what they were: the same objects, lists item by item."""
    return now.keys() == before.keys() and all(_same(now[name], before[name]) for name in now)


def _same(now: Any, before: Any) -> bool:
    if now is before:
        return True
    if type(now) is not type(before):
        return False
    if type(now) in (list, tuple):
        return len(now) == len(before) and all(map(_same, now, before))
    return type(now) in SHOWN and now == before


def listed(encoder: Encoder, shown: dict[str, Any]) -> list:
    """Attributes as plain data: names with values, and names of methods."""
    values = {name: each for name, each in shown.items() if each is not METHOD}
    return [encoder.pairs(values), [name for name, each in shown.items() if each is METHOD]]
