"""The judge's end of the pipe: it trusts nothing that comes."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch

from remix_utils.checks.attempt import TimeLimit
from remix_utils.classroom.grading import failures, modules, stand_ins, watching
from remix_utils.classroom.grading.codec import Decoder, Encoder
from remix_utils.classroom.grading.peer import Form, Peer, called
from remix_utils.classroom.grading.wire import Channel, Gone, WireError, refused

LIBRARY, COURSE = "remix_utils.", ("remix_utils.checks", "remix_utils.classroom")
NAMED = ("torch", "builtins", "math", "operator")  # whose functions a worker has under their names


class JudgePeer(Peer):
    """Asks a worker for values, and serves calls of the functions that were given to it."""

    is_judge = True
    fatal = (WireError, Gone, TimeLimit)

    def __init__(self, channel: Channel, given: Callable[[str, list[str]], Any] | None = None):
        super().__init__(channel)
        self.given = given
        self.versions: dict[int, int] = {}  # numbers of my tensors → version that the worker has
        self.classes: dict[tuple, type] = {}
        self.shown: dict[int, dict[str, Any]] = {}  # number of a worker's object → attributes
        self.methods: dict[int, frozenset[str]] = {}
        self.ended = ""

    # --- tables -----------------------------------------------------------------------------------

    def number(self, value: Any, content: bool = False) -> int:
        number = super().number(value, content)
        if content and isinstance(value, torch.Tensor):
            self.versions[number] = value._version
        return number

    def handle(self, encoder: Encoder, value: Any) -> Form:
        """A function by its name, if a worker has it too; otherwise the right to call it."""
        if isinstance(value, type) and issubclass(value, BaseException):
            return encoder.thing(value, ["error class", _error_class(value)])
        name = str(getattr(value, "__name__", ""))
        for module in NAMED:
            if name and getattr(sys.modules.get(module), name, None) is value:
                return ["named one", module, name]
        home = str(getattr(value, "__module__", None))
        found = getattr(sys.modules.get(home), name, None)
        if home.startswith(LIBRARY) and not home.startswith(COURSE) and found is value:
            return ["named one", home, name]
        if type(value).__name__ == "traceback":
            return encoder.form(None)
        if not callable(value) or isinstance(value, type):
            raise TypeError(f"an argument of type {type(value).__name__} cannot go to a worker")
        return encoder.thing(value, ["handle", {"name": name}])

    def stand_in(self, decoder: Decoder, number: int, facts: dict) -> Any:
        """A stand-in for a function, a class or an object of the worker's."""
        if facts.get("class"):
            bases = tuple(decoder.values(facts["bases"]))
            if not all(isinstance(base, stand_ins.FarClass) for base in bases):
                raise refused("a class with strange bases")
            made = stand_ins.set_up(stand_ins.class_for(self, facts, bases), self, number)
        else:
            kind = decoder.value(facts["kind"]) if "kind" in facts else self.plain_class(facts)
            if not isinstance(kind, stand_ins.FarClass):
                raise refused("an object with a strange class")
            made = stand_ins.instance_of(kind, self, number)
        return self.take_in(number, made)

    def plain_class(self, facts: dict) -> type:
        """The class of stand-ins for objects of Python's own types."""
        key = (str(facts["name"]), tuple(map(str, facts["special"])))
        if key not in self.classes:
            self.classes[key] = stand_ins.class_for(self, facts, ())
        return self.classes[key]

    # --- frames -----------------------------------------------------------------------------------

    @contextlib.contextmanager
    def strict(self) -> Iterator[None]:
        try:
            yield
        except self.fatal:
            raise
        except Exception as error:
            raise refused(f"what cannot be read ({type(error).__name__}: {error})"[:300]) from error

    def changes(self, encoder: Encoder) -> list:
        """My tensors that a check has written into since they were sent."""
        found = []
        for number, version in self.versions.items():
            value = self.exported[number]
            if value._version != version:
                self.versions[number] = value._version
                found.append([number, encoder.content(value)])
        return found

    def take_change(self, decoder: Decoder, number: int, form: Form) -> None:
        """The answer has written into an argument: so it is written into here."""
        known = self.own(number)
        if form[0] == "node":
            raise WireError(
                "The answer has written into a node of a graph.", fix="build a new node instead."
            )
        if form[0] == "weights" and isinstance(known, torch.nn.Module):
            own = {**known._parameters, **known._buffers}
            for name, each in form[1]:  # by these names alone: others are attributes of the judge
                modules.overwrite(own[str(name)], decoder.value(each))
        elif number in self.contents and not isinstance(known, torch.nn.Module):
            modules.overwrite(known, decoder.value(form))
        else:
            raise refused("a change of something that is not shared")
        if number in self.versions:
            self.versions[number] = known._version

    # --- questions --------------------------------------------------------------------------------

    def ask(self, kind: str, value: Any, **extra: Any) -> Any:
        if self.ended:
            raise Gone(self.ended, fix="look at the first error.")
        functions, operations = watching.watchers()
        self.watching = [(functions, "__torch_function__")] * bool(functions)
        self.watching += [(operations, "__torch_dispatch__")] * bool(operations)
        kinds = ["functions"] * bool(functions) + ["operations"] * bool(operations)
        try:
            return super().ask(kind, value, watched=kinds, **extra)
        except self.fatal as end:  # in the midst of a question: the two ends no longer agree
            self.ended = end.fact if isinstance(end, WireError | Gone) else "it was stopped."
            raise

    def answered(self, message: dict, value: Any) -> Any:
        with self.strict():
            for (watchers, method), noted in zip(self.watching, message["noted"], strict=False):
                watching.show(watchers, method, noted)
        return super().answered(message, value)

    def ask_get(self, number: int, name: str) -> Any:
        shown = self.shown.get(number, {})
        if name in shown:
            return shown[name]
        kind = self.class_of(number)
        if kind is not None:
            shown = self.shown.get(kind, {})
            if name in shown:
                return shown[name]
            if name in self.methods.get(kind, ()):
                return stand_ins.Method(self, number, name)
        return self.ask("get", (number, name))

    def class_of(self, number: int) -> int | None:
        """The number of the class of an object; None for a class itself and for Python's own."""
        kind = type(self.imported[number])
        return kind.__dict__.get("_far_number") if isinstance(kind, stand_ins.FarClass) else None

    def take_shown(self, decoder: Decoder, listed: list) -> None:
        for number, pairs, methods in listed:
            self.shown[int(number)] = {str(n): each for n, each in decoder.pairs(pairs).items()}
            self.methods[int(number)] = frozenset(map(str, methods))

    def ask_set(self, number: int, name: str, value: Any) -> None:
        self.ask("set", (number, name, value))

    def ask_special(self, number: int, name: str, arguments: tuple, named: dict) -> Any:
        if name == "__call__":
            return self.ask_call(number, arguments, named)
        return self.ask("special", (number, name, arguments))

    def do(self, message: dict, value: Any) -> Any:
        """Calls a function of mine that the worker was given, and nothing else."""
        with self.strict():
            if message["kind"] == "given" and self.given is not None:
                part, names = value
                return self.given(str(part), [str(name) for name in names])
            number, arguments, named = value
            function = self.own(int(number))
            if message["kind"] != "call" or not callable(function) or isinstance(function, type):
                raise refused(f"a question of the kind {str(message['kind'])[:40]!r}")
        return called(function, arguments, named, message.get("batched"))


def _error_class(kind: type) -> dict:
    own = failures.known_class(*failures.named(kind)) is kind
    return {
        "names": [failures.named(kind)] if own else failures.bases_of(kind),
        "name": kind.__name__,
        "own": own,
    }
