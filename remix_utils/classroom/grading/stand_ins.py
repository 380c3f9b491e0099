"""Stand-ins in the judge for what stays in the worker: functions, classes, and their objects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Peer = Any  # of a room above

# Methods that Python looks up on a class: a stand-in has those that its original has. Equality
# and hashing are never among them; a stand-in equals itself alone.
SPECIAL = (
    "__call__", "__enter__", "__exit__", "__iter__", "__next__", "__len__", "__bool__",
    "__getitem__", "__setitem__", "__contains__", "__add__", "__radd__", "__sub__", "__rsub__",
    "__mul__", "__rmul__", "__truediv__", "__matmul__", "__rmatmul__", "__neg__", "__int__",
    "__float__", "__index__", "__lt__", "__le__", "__gt__", "__ge__", "__invert__", "__or__",
    "__and__", "__rshift__",
)  # fmt: skip
TELLING = ("__name__", "__qualname__", "__doc__", "__module__", "__globals__", "__wrapped__")


class FarClass(type):
    """The class of the stand-ins of one class of the worker's; itself a stand-in of that class."""

    _far_peer: Peer  # names that no attribute of an original has
    _far_number: int

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        return cls._far_peer.ask_call(cls._far_number, arguments, named)

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") and name not in TELLING:
            raise AttributeError(name)
        return cls._far_peer.ask_get(cls._far_number, name)

    def __setattr__(cls, name: str, value: Any) -> None:
        cls._far_peer.ask_set(cls._far_number, name, value)


class Far:
    """The base of all stand-ins."""

    __slots__ = ("_peer", "_number", "__weakref__")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and name not in TELLING:
            raise AttributeError(name)
        return self._peer.ask_get(self._number, name)

    def __setattr__(self, name: str, value: Any) -> None:
        self._peer.ask_set(self._number, name, value)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} of the answer>"

    __str__ = __repr__

    def __format__(self, form: str) -> str:
        return repr(self)


def special(name: str) -> Callable:
    def method(self: Any, *arguments: Any, **named: Any) -> Any:
        return self._peer.ask_special(self._number, name, arguments, named)

    method.__name__ = name
    return method


class Method:
    """A method of one of the worker's objects, before it is called."""

    def __init__(self, peer: Peer, number: int, name: str):
        self.peer, self.number, self.__name__ = peer, number, name

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        question = (self.number, self.__name__, arguments, tuple(named.items()))
        return self.peer.ask("method", question)


METHODS = {name: special(name) for name in SPECIAL}


def class_for(peer: Peer, facts: dict[str, Any], bases: tuple[type, ...]) -> type:
    """Returns the class of stand-ins that has the name and the special methods of another."""
    body: dict[str, Any] = {name: METHODS[name] for name in facts["special"] if name in METHODS}
    body["__slots__"] = ()
    name = str(facts["name"])[:80] or "object"
    return type.__new__(FarClass, name, bases or (Far,), body)


def set_up(kind: type, peer: Peer, number: int) -> type:
    type.__setattr__(kind, "_far_peer", peer)
    type.__setattr__(kind, "_far_number", number)
    return kind


def instance_of(kind: type, peer: Peer, number: int) -> Any:
    made = object.__new__(kind)
    object.__setattr__(made, "_peer", peer)
    object.__setattr__(made, "_number", number)
    return made
