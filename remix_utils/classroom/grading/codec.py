"""Values as plain data and back, for one end of the pipe.

What has an identity (functions, classes, nodes, the arguments of a call) gets a number when it is
sent first, and comes back as that number. The judge makes nothing from a worker's words but data,
the package's own values, and stand-ins that ask the worker.
"""

from __future__ import annotations

import types
from collections.abc import Mapping, Sequence, Set
from typing import Any

import numpy
import torch

from remix_utils.classroom.grading import arrays, modules, package_forms
from remix_utils.classroom.grading.wire import refused
from remix_utils.graph.node import Node, postorder

Peer = Any  # of a room above

DEEPEST = 60
MOST_DIGITS, MOST_FIELDS, MOST_ITEMS = 4000, 1000, 2**20
PLAIN = (type(None), bool, str, float)
UNCHANGING = (tuple, frozenset, range, str, numpy.generic)


class Encoder:
    """Makes one frame: the things that its message names, the message, and pieces of bytes."""

    def __init__(self, peer: Peer, track: bool = False):
        """With `track`, what may be written into is known again: the arguments of a call."""
        self.peer, self.track = peer, track
        self.pieces: list[bytes] = []
        self.things: list[list] = []
        self.depth = 0

    def store(self, data: Any) -> int:
        self.pieces.append(data)
        return len(self.pieces) - 1

    def form(self, value: Any) -> Any:
        """Returns the plain form of a value."""
        kind = type(value)
        if kind in PLAIN:
            return value
        if kind is int:
            return value if abs(value) < 2**62 else ["big", hex(value)]
        self.depth += 1
        if self.depth > DEEPEST:
            raise RecursionError(f"a value is nested more than {DEEPEST} times, or holds itself")
        try:
            return self.known(value) or self.fresh(value)
        finally:
            self.depth -= 1

    def known(self, value: Any) -> list | None:
        """Returns the number of a value that was sent, or that came from the other end."""
        number = self.peer.foreign.get(id(value))
        if number is not None:
            return ["yours", number]
        number = self.peer.numbers.get(id(value))
        if number is None:
            return None
        if self.track and number in self.peer.contents:
            self.things.append([number, self.content(value)])
        return ["mine", number]

    def thing(self, value: Any, form: list, content: bool = False) -> list:
        """Gives a value a number, under which it will be known at both ends."""
        number = self.peer.number(value, content)
        self.things.append([number, form])
        return ["mine", number]

    def fresh(self, value: Any) -> list:
        if type(value) is Node:
            return self.node(value)
        simple = self.simple(value)
        if simple is not None:
            return simple
        parts = package_forms.taken_apart(value)
        if parts is not None:
            kind, arguments = parts
            return self.thing(value, ["package", kind, *self.untracked(arguments)])
        if isinstance(value, BaseException):
            return self.thing(value, ["error", self.peer.error_facts(self, value)])
        content = self.content(value)
        if content is None:
            return self.peer.handle(self, value)
        if self.track and not isinstance(value, UNCHANGING):
            return self.thing(value, content, content=True)
        return content

    def untracked(self, values: list) -> list:
        """The forms of values that nobody writes into."""
        track, self.track = self.track, False
        forms = [self.form(each) for each in values]
        self.track = track
        return forms

    def simple(self, value: Any) -> list | None:
        """Constants and small values that nobody writes into."""
        if value is Ellipsis:
            return ["dots"]
        if isinstance(value, torch.dtype):
            return ["dtype", str(value).removeprefix("torch.")]
        if isinstance(value, torch.device):
            return ["device", str(value)]
        if isinstance(value, bytes | bytearray):
            return ["bytes", self.store(bytes(value))]
        if isinstance(value, slice):
            return ["slice", *(self.form(each) for each in (value.start, value.stop, value.step))]
        if isinstance(value, range):
            return ["range", value.start, value.stop, value.step]
        return self.number(value) if isinstance(value, int | float | complex | str) else None

    def number(self, value: Any) -> Any:
        """The data in a number or text, also of a subclass, by the base class's own methods."""
        if type(value) in package_forms.BY_CLASS:
            return None
        if isinstance(value, str):
            return ["text", str.__str__(value)]
        if isinstance(value, int):
            return self.form(int.__add__(value, 0))
        if isinstance(value, float):
            return ["float", float.__add__(value, 0.0)]
        return ["complex", complex(value).real, complex(value).imag]

    def content(self, value: Any) -> list | None:
        """What a tensor, array, container or generator holds; None for anything else."""
        if isinstance(value, torch.Tensor):
            return ["tensor", *arrays.from_tensor(value, self.store)]
        if isinstance(value, numpy.ndarray | numpy.generic):
            facts = arrays.from_array(value, self.store)  # type: ignore[arg-type]
            kind = "array" if isinstance(value, numpy.ndarray) else "scalar"
            return self.form(value.tolist()) if facts is None else [kind, *facts]
        if type(value) is torch.Generator:
            return ["generator", self.store(arrays.generator_state(value))]
        if modules.is_random(value):
            return ["random", *arrays.from_random(value.getstate(), self.store)]
        if type(value) is types.SimpleNamespace:
            return ["namespace", self.pairs(vars(value))]
        if isinstance(value, torch.nn.Module) and self.peer.is_judge:
            return modules.content_of(self, value)
        return self.container(value)

    def container(self, value: Any) -> list | None:
        if isinstance(value, tuple) and hasattr(value, "_fields"):
            names = [str(name) for name in getattr(type(value), "_fields", ())]
            return ["named", type(value).__name__, names, [self.form(each) for each in value]]
        if isinstance(value, tuple):
            return ["tuple", *(self.form(each) for each in value)]
        if isinstance(value, list):
            return ["list", *(self.form(each) for each in value)]
        if isinstance(value, dict | Mapping) and not isinstance(value, type):
            return ["dict", self.pairs(dict(value))]
        if isinstance(value, frozenset):
            return ["frozenset", *(self.form(each) for each in value)]
        if isinstance(value, Set):
            return ["set", *(self.form(each) for each in value)]
        if isinstance(value, Sequence):
            return ["list", *(self.form(each) for each in value)]
        return None

    def pairs(self, value: dict) -> list:
        return [[self.form(key), self.form(each)] for key, each in value.items()]

    def node(self, root: Node) -> list:
        """Sends the nodes below a node that were not sent before, children first."""
        new = lambda node: id(node) not in self.peer.foreign and id(node) not in self.peer.numbers
        below = lambda node: node.children if new(node) else ()
        for node in postorder([root], below, keep=new):
            children = [self.known(child) for child in node.children]
            (op,) = self.untracked([node.op])
            self.thing(node, ["node", op, children, node.name])
        return ["mine", self.peer.numbers[id(root)]]


class Decoder:
    """Makes the values of one frame again."""

    def __init__(self, peer: Peer, pieces: Any):
        self.peer, self.pieces = peer, pieces
        self.depth = 0

    def things(self, listed: list) -> None:
        """Takes in what a message names: makes what is new, and renews what is known."""
        for number, form in listed:
            number = int(number)
            if number in self.peer.imported:
                if self.peer.is_judge:  # what was looked at stays what it was
                    raise refused(f"the number {number} a second time")
                self.renew(self.peer.imported[number], form)
                self.peer.renewed(number)
            elif form[0] == "handle":
                self.peer.stand_in(self, number, form[1])
            else:
                made = modules.made(self, form) if form[0] == "module" else self.value(form)
                self.peer.take_in(number, made, form)

    def renew(self, known: Any, form: list) -> None:
        """Writes into what is known here what was written into it there."""
        if form[0] == "module":
            modules.renew(self, known, form)
        else:
            modules.overwrite(known, self.value(form))

    def value(self, form: Any) -> Any:
        """Returns the value of a plain form."""
        if not isinstance(form, list):
            if isinstance(form, PLAIN + (int,)):
                return form
            raise refused("a form that is no list")
        tag, *rest = form
        if not isinstance(tag, str):
            raise refused("a form without a name")
        reader = READERS.get(tag)
        if reader is None:
            raise refused(f"a form called {tag[:40]!r}")
        self.depth += 1
        if self.depth > 8 * DEEPEST:
            raise refused("a form that is nested too deeply")
        try:
            return reader(self, *rest)
        finally:
            self.depth -= 1

    def values(self, forms: Any) -> list:
        return [self.value(each) for each in forms]

    def mine(self, number: int) -> Any:
        """Something of the other end's, known before or described in this frame."""
        if int(number) not in self.peer.imported:
            raise refused(f"the number {number} before what it stands for")
        return self.peer.imported[int(number)]

    def node(self, op: list, children: list, name: str) -> Node:
        return Node(self.value(op), self.values(children), str(name))

    def error(self, facts: dict) -> BaseException:
        return self.peer.error_from(self, facts)

    def package(self, kind: str, *arguments: Any) -> Any:
        return package_forms.put_together(str(kind), self.values(arguments))

    def generator(self, piece: int) -> torch.Generator:
        made = torch.Generator()
        arrays.set_generator(made, self.pieces[piece])
        return made

    def span(self, start: int, stop: int, step: int) -> range:
        made = range(int(start), int(stop), int(step))
        if made[MOST_ITEMS:]:
            raise refused(f"a range of more than {MOST_ITEMS:,} numbers")
        return made

    def named(self, name: str, names: list, forms: list) -> Any:
        if len(names) > MOST_FIELDS:
            raise refused(f"a tuple of {len(names):,} names")
        return modules.named_tuple(str(name), tuple(map(str, names)))(*self.values(forms))

    def pairs(self, listed: list) -> dict:
        return {self.value(key): self.value(each) for key, each in listed}


READERS: dict[str, Any] = {
    "mine": Decoder.mine,
    "node": Decoder.node,
    "error": Decoder.error,
    "error class": lambda self, facts: self.peer.error_class(facts),
    "named one": lambda self, *where: self.peer.global_named(*where),
    "yours": lambda self, number: self.peer.own(int(number)),
    "package": Decoder.package,
    "big": lambda self, text: int(str(text)[:MOST_DIGITS], 16),
    "dots": lambda self: ...,
    "dtype": lambda self, name: arrays.DTYPES[name],
    "device": lambda self, name: torch.device("cpu"),
    "bytes": lambda self, piece: bytes(self.pieces[piece]),
    "slice": lambda self, *ends: slice(*self.values(ends)),
    "range": Decoder.span,
    "text": lambda self, text: str(text),
    "float": lambda self, number: float(number),
    "complex": lambda self, real, imaginary: complex(real, imaginary),
    "tensor": lambda self, *facts: arrays.to_tensor(list(facts), self.pieces),
    "array": lambda self, *facts: arrays.to_array(list(facts), self.pieces),
    "scalar": lambda self, *facts: arrays.to_array(list(facts), self.pieces)[()],
    "generator": Decoder.generator,
    "random": lambda self, *facts: modules.random_from(arrays.to_random(list(facts), self.pieces)),
    "namespace": lambda self, listed: types.SimpleNamespace(
        **{str(name): each for name, each in self.pairs(listed).items()}
    ),
    "named": Decoder.named,
    "tuple": lambda self, *forms: tuple(self.values(forms)),
    "list": lambda self, *forms: self.values(forms),
    "dict": Decoder.pairs,
    "frozenset": lambda self, *forms: frozenset(self.values(forms)),
    "set": lambda self, *forms: set(self.values(forms)),
}
