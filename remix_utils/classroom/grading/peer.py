"""One end of the pipe between the judge and a worker: what each has of the other, and questions.

While one end waits for an answer, it serves what the other asks meanwhile: a worker's function may
be called in the midst of a call to one of the judge's.
"""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch

from remix_utils.classroom.grading import arrays, batching, failures, modules, watching
from remix_utils.classroom.grading.codec import Decoder, Encoder
from remix_utils.classroom.grading.wire import Channel, Gone, WireError, refused

MOST_NUMBERS = 2_000_000
MOST_NESTED = 60
MOST_PRINTED = 1_000_000
ROOM = 250  # frames of the stack that a question and its answer may need
Form = Any


class Peer:
    """Tables and questions that both ends have in common."""

    is_judge = False
    fatal: tuple[type[BaseException], ...] = (WireError, Gone)

    def __init__(self, channel: Channel):
        self.channel = channel
        self.exported: dict[int, Any] = {}  # number → what is mine; kept, so that ids stay unique
        self.numbers: dict[int, int] = {}  # id of what is mine → number
        self.contents: set[int] = set()  # numbers of what is mine and is sent with its content
        self.imported: dict[int, Any] = {}  # the other end's number → stand-in or copy
        self.foreign: dict[int, int] = {}  # id of it → number
        self.hooks: dict[tuple[str, int], modules.Hooks] = {}
        self.states = arrays.random_states()
        self.nested = 0

    # --- tables -----------------------------------------------------------------------------------

    def number(self, value: Any, content: bool = False) -> int:
        """Returns the number of something of mine, a new one for what has none."""
        number = self.numbers.get(id(value))
        if number is None:
            number = len(self.exported) + 1
            self.exported[number] = value
            self.numbers[id(value)] = number
            if isinstance(value, torch.nn.Module):
                self.hooks["mine", number] = modules.Hooks(value, "judge")
        if content:
            self.contents.add(number)
        return number

    def own(self, number: int) -> Any:
        if number not in self.exported:
            raise refused(f"a number that nothing has, {number}")
        return self.exported[number]

    def take_in(self, number: int, value: Any, form: Form = None) -> Any:
        """Notes what stands here for something of the other end's."""
        if len(self.imported) > MOST_NUMBERS:
            raise refused(f"more than {MOST_NUMBERS:,} objects")
        self.imported[number] = value
        self.foreign[id(value)] = number
        if isinstance(value, torch.nn.Module):
            self.hooks["yours", number] = modules.Hooks(value, "worker")
        return value

    def handle(self, encoder: Encoder, value: Any) -> Form:
        raise NotImplementedError

    def stand_in(self, decoder: Decoder, number: int, facts: dict) -> Any:
        raise NotImplementedError

    def renewed(self, number: int) -> None:
        """Something of the other end's came again."""

    def error_class(self, facts: dict) -> type:
        raise refused("a class of errors")

    def global_named(self, module: str, name: str) -> Any:
        raise refused("the name of something")

    # --- frames -----------------------------------------------------------------------------------

    def send(self, kind: str, track: bool, value: Any, **extra: Any) -> None:
        """Sends one frame, with all that has changed here since the last one."""
        encoder = Encoder(self, track)
        body = encoder.form(value)
        news: dict[str, Any] = {"changed": self.changes(encoder)}
        news["hooks"] = self.hook_news(encoder)
        news["shown"] = self.showings(encoder)
        states = arrays.random_states()
        if states != self.states:
            news["random"] = arrays.from_states(states, encoder.store)
            self.states = states
        message = {"kind": kind, "things": encoder.things, "body": body, **news, **extra}
        self.channel.send(message, encoder.pieces)

    def receive(self) -> tuple[dict, Any]:
        """Returns the next frame and the value in it, once its news are taken in."""
        message, pieces = self.channel.receive()
        with self.strict():
            decoder = Decoder(self, pieces)
            decoder.things(message["things"])
            value = decoder.value(message["body"])
            if "random" in message:
                arrays.set_states(message["random"], pieces)
                self.states = arrays.random_states()
            for number, form in message["changed"]:
                self.take_change(decoder, int(number), form)
            for whose, number, listed in message["hooks"]:
                known = "mine" if whose == "yours" else "yours"
                self.hooks[known, int(number)].set(decoder, listed)
            self.take_shown(decoder, message["shown"])
        return message, value

    @contextlib.contextmanager
    def strict(self) -> Iterator[None]:
        """Whatever a malformed message leads to, it is the sender's fault."""
        yield

    def changes(self, encoder: Encoder) -> list:
        return []

    def showings(self, encoder: Encoder) -> list:
        return []

    def take_shown(self, decoder: Decoder, listed: list) -> None:
        """Only a worker's objects are shown."""

    def take_change(self, decoder: Decoder, number: int, form: Form) -> None:
        raise refused("a change of something that is not shared")

    def hook_news(self, encoder: Encoder) -> list:
        found = []
        for (whose, number), hooks in list(self.hooks.items()):
            news = hooks.news(encoder)
            if news is not None:
                found.append([whose, number, news])
        return found

    def error_facts(self, encoder: Encoder, error: BaseException) -> dict:
        facts = failures.facts_of(error)
        if "facts" in facts:
            facts["facts"] = encoder.pairs(_sendable(facts["facts"]))
        if self.is_judge and not facts["own"]:
            facts["class"] = encoder.form(type(error))
        return facts

    def error_from(self, decoder: Decoder, facts: dict) -> BaseException:
        facts = {**facts, "facts": decoder.pairs(facts["facts"])} if "facts" in facts else facts
        kind = None if self.is_judge or "class" not in facts else decoder.value(facts["class"])
        return failures.made(facts, trusted=not self.is_judge, kind=kind)

    # --- questions --------------------------------------------------------------------------------

    def ask(self, kind: str, value: Any, **extra: Any) -> Any:
        """Asks the other end, and returns its answer; raises the error that it raised."""
        _require_room()
        with watching.unwatched():
            self.send(kind, self.is_judge, value, **extra)
            while True:
                message, value = self.receive()
                if message["kind"] == "value":
                    return self.answered(message, value)
                if message["kind"] == "error":
                    raise self.answered(message, _an_error(value))
                self.serve(message, value)

    def answered(self, message: dict, value: Any) -> Any:
        sys.stdout.write(str(message.get("printed", ""))[:MOST_PRINTED])
        return value

    def ask_call(self, number: int, arguments: tuple, named: dict) -> Any:
        """Calls a function of the other end's; inside torch.vmap, once for all rows."""
        depths = [batching.depth(each) for each in arguments]
        if not any(depths):
            return self.ask("call", (number, arguments, tuple(named.items())))
        bare, axes, level = batching.unwrapped(arguments)
        question = (number, tuple(bare), tuple(named.items()))
        return batching.wrapped(self.ask("call", question, batched=axes), level)

    def serve(self, message: dict, value: Any) -> None:
        """Does what the other end asks, and sends the value or the error."""
        self.nested += 1
        printed = io.StringIO()
        notes: list = []
        try:
            if self.nested > MOST_NESTED:
                raise RecursionError("too many calls inside calls")
            with self.around(message, printed) as notes:
                result = self.do(message, value)
            self.reply("value", result, printed, notes)
        except self.fatal:
            raise
        except BaseException as error:
            self.reply("error", error, printed, notes)
        finally:
            self.nested -= 1

    def reply(self, kind: str, value: Any, printed: io.StringIO, notes: list) -> None:
        noted = [watching.listed(note) for note in notes]
        self.send(kind, False, value, printed=printed.getvalue()[:MOST_PRINTED], noted=noted)

    def around(self, message: dict, printed: io.StringIO) -> Any:
        """A context for what the other end asks for."""
        return contextlib.nullcontext([])

    def do(self, message: dict, value: Any) -> Any:
        raise NotImplementedError


def _require_room() -> None:
    """RecursionError before a question, and never between a question and its answer."""
    frame, depth = sys._getframe(), 0
    while frame is not None:
        frame, depth = frame.f_back, depth + 1
    if depth > sys.getrecursionlimit() - ROOM:
        raise RecursionError("maximum recursion depth exceeded")


def called(function: Callable, arguments: tuple, named: tuple, axes: list | None) -> Any:
    """Calls a function, under torch.vmap where its caller was inside that."""
    more = dict(named)
    if axes is None:
        return function(*arguments, **more)
    return torch.vmap(lambda *rows: function(*rows, **more), in_dims=tuple(axes))(*arguments)


def _an_error(value: Any) -> BaseException:
    if not isinstance(value, BaseException):
        raise refused("something that is no error")
    return value


def _sendable(facts: dict[str, Any]) -> dict[str, Any]:
    """The facts of an error that are plain; the others are for people who have the object."""
    plain = (str, int, float, bool, type(None), list, tuple, dict, torch.Size)
    return {name: each for name, each in facts.items() if type(each) in plain}
