"""The worker's end of the pipe: it runs the answer, and asks the judge for its functions."""

from __future__ import annotations

import contextlib
import importlib
import io
import threading
from collections.abc import Callable, Iterator
from typing import Any

import torch

from remix_utils.classroom.grading import failures, modules, showing, stand_ins, watching
from remix_utils.classroom.grading.codec import Decoder, Encoder
from remix_utils.classroom.grading.peer import Form, Peer, called
from remix_utils.graph.node import Node


class Forced:
    """A value that goes over as the right to ask about it, whatever it is."""

    def __init__(self, value: Any):
        self.value = value


class WorkerPeer(Peer):
    """Does what the judge asks with the objects of an answer."""

    def __init__(self, channel: Any, answer: Callable[[Any], Any] | None = None):
        super().__init__(channel)
        self.make_answer = answer
        self.before: dict[int, Any] = {}  # number of an argument → what it held when it came
        self.weights: dict[int, dict] = {}
        self.shown: dict[int, dict] = {}  # number of an object of mine → attributes, as shown
        self.to_show: list[int] = []
        self.marks: dict[int, list | None] = {}
        self.thread = threading.get_ident()

    # --- tables -----------------------------------------------------------------------------------

    def handle(self, encoder: Encoder, value: Any) -> Form:
        if isinstance(value, Forced):
            value = value.value
            number = self.numbers.get(id(value))
            if number is not None:
                return ["mine", number]
        form = encoder.thing(value, ["handle", self.facts(encoder, value)])
        own = value if isinstance(value, type) else type(value)
        if showing.is_own(own) and showing.shows(own) and len(self.shown) < showing.MOST_OBJECTS:
            self.shown[form[1]] = {}
            self.to_show.append(form[1])
        return form

    def showings(self, encoder: Encoder) -> list:
        """What is new in the attributes of the objects that the judge knows."""
        found = []
        self.to_show = []
        waiting = list(self.shown)
        while waiting:
            for number in waiting:
                value = self.exported[number]
                marks = showing.marks(value)
                if marks is not None and marks == self.marks.get(number):
                    continue
                self.marks[number] = marks
                now = showing.attributes(value)
                if not showing.same(now, self.shown[number]):
                    self.shown[number] = now
                    found.append([number, *showing.listed(encoder, now)])
            waiting, self.to_show = self.to_show, []
        return found

    def facts(self, encoder: Encoder, value: Any) -> dict:
        """What the judge is told of an object: the name and the methods of its class."""
        kind = type(value)
        if isinstance(value, type):
            bases = [base for base in value.__bases__ if showing.is_own(base)]
            names = [each for each in stand_ins.SPECIAL if _has(value, each)]
            forms = [encoder.form(base) for base in bases]
            return {"class": True, "name": value.__name__, "special": names, "bases": forms}
        if showing.is_own(kind):
            return {"kind": encoder.form(kind)}
        names = [each for each in stand_ins.SPECIAL if _has(kind, each)]
        return {"name": kind.__name__, "special": names}

    def stand_in(self, decoder: Decoder, number: int, facts: dict) -> Any:
        def function(*arguments: Any, **named: Any) -> Any:
            return self.ask_call(number, arguments, named)

        function.__name__ = function.__qualname__ = facts["name"] or "function"
        function.__module__ = "judge"
        return self.take_in(number, function)

    def take_in(self, number: int, value: Any, form: Form = None) -> Any:
        super().take_in(number, value, form)
        if isinstance(value, torch.nn.Module):
            self.weights[number] = modules.weights_of(value)
        elif isinstance(value, Node) or (form and form[0] in WATCHED):
            self.before[number] = self.held(number)
        return value

    def global_named(self, module: str, name: str) -> Any:
        return getattr(importlib.import_module(module), name)

    def error_class(self, facts: dict) -> type:
        kinds = [failures.known_class(*each) for each in facts["names"]]
        known = tuple(each for each in kinds if each is not None)
        return known[0] if facts["own"] else type(facts["name"], known, {})

    # --- changes ----------------------------------------------------------------------------------

    def held(self, number: int) -> Any:
        """What an argument holds now, to compare with what it holds later."""
        value = self.imported[number]
        if isinstance(value, Node):
            return value.children, value.name
        encoder = Encoder(self)
        return encoder.content(value), encoder.pieces

    def renewed(self, number: int) -> None:
        """An argument came again, perhaps with other content."""
        value = self.imported[number]
        if isinstance(value, torch.nn.Module):
            self.weights[number] = modules.weights_of(value)
        elif number in self.before:
            self.before[number] = self.held(number)

    def changes(self, encoder: Encoder) -> list:
        """The arguments that the answer has written into."""
        found = []
        for number, before in self.before.items():
            now = self.held(number)
            if now != before:
                self.before[number] = now
                found.append([number, self.content(encoder, number)])
        for number, weights in self.weights.items():
            module = self.imported[number]
            names = modules.changed_weights(module, weights)
            if names:
                self.weights[number] = modules.weights_of(module)
                forms = [[name, encoder.content(getattr(module, name))] for name in names]
                found.append([number, ["weights", forms]])
        return found

    def content(self, encoder: Encoder, number: int) -> Form:
        value = self.imported[number]
        if isinstance(value, Node):
            children = [encoder.form(child) for child in value.children]
            return ["node", None, children, value.name]
        return encoder.content(value)

    def take_change(self, decoder: Decoder, number: int, form: Form) -> None:
        decoder.renew(self.imported[number], form)
        self.renewed(number)

    # --- questions --------------------------------------------------------------------------------

    def ask(self, kind: str, value: Any, **extra: Any) -> Any:
        if threading.get_ident() != self.thread:
            raise RuntimeError("a thread of an answer cannot call what it was given")
        return super().ask(kind, value, **extra)

    @contextlib.contextmanager
    def around(self, message: dict, printed: io.StringIO) -> Iterator[list]:
        with contextlib.redirect_stdout(printed), watching.noted(message["watched"]) as notes:
            yield notes

    def do(self, message: dict, value: Any) -> Any:
        kind = message["kind"]
        if kind == "answer":
            assert self.make_answer is not None
            return self.make_answer(value)
        number, *rest = value
        target = self.own(number)
        if kind == "call":
            arguments, named = rest
            return called(target, arguments, named, message.get("batched"))
        if kind == "get":
            (name,) = rest
            found = getattr(target, name)
            return Forced(found) if name == "__globals__" else found
        if kind == "method":
            name, arguments, named = rest
            return getattr(target, name)(*arguments, **dict(named))
        if kind == "set":
            name, new = rest
            return setattr(target, name, new)
        name, arguments = rest
        return getattr(type(target), name)(target, *arguments)

    def serve_all(self) -> None:
        """Serves questions until the judge ends."""
        while True:
            message, value = self.receive()
            self.serve(message, value)


WATCHED = ("tensor", "array", "list", "dict", "set", "generator", "random", "namespace", "node")


def _has(kind: type, name: str) -> bool:
    return getattr(kind, name, None) is not None
