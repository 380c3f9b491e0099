"""What an answer may write into: torch modules with their hooks, containers, generators."""

from __future__ import annotations

import collections
import functools
import importlib
import random
import types
from typing import Any

import numpy
import torch

from remix_utils.classroom.grading import arrays
from remix_utils.classroom.grading.wire import refused

Decoder = Any  # of a room above
Encoder = Any  # of a room above

HOOKS = ("_forward_hooks", "_forward_pre_hooks")
REGISTER = {
    "_forward_hooks": torch.nn.Module.register_forward_hook,
    "_forward_pre_hooks": torch.nn.Module.register_forward_pre_hook,
}
BARE = frozenset(vars(torch.nn.Module()))  # what every module has in its __dict__
SOURCES = ("torch.nn.", "remix_utils.models.")  # whose modules a worker builds

# --- modules -------------------------------------------------------------------------------------


def content_of(encoder: Encoder, module: torch.nn.Module) -> list:
    """Returns a module as plain data: class, attributes, weights, children, hooks."""
    attributes = {name: each for name, each in vars(module).items() if name not in BARE}
    track, encoder.track = encoder.track, False
    form = [
        "module",
        [type(module).__module__, type(module).__qualname__],
        encoder.pairs(attributes),
        [[name, _content(encoder, each)] for name, each in module._parameters.items()],
        [[name, _content(encoder, each)] for name, each in module._buffers.items()],
        [[name, _child(encoder, each)] for name, each in module._modules.items()],
        module.training,
    ]
    encoder.track = track
    return form


def _content(encoder: Encoder, value: torch.Tensor | None) -> list | None:
    return None if value is None else encoder.content(value)


def _child(encoder: Encoder, module: torch.nn.Module | None) -> list | None:
    if module is None:
        return None
    return encoder.thing(module, content_of(encoder, module), content=True)


def made(decoder: Decoder, content: list) -> torch.nn.Module:
    """Returns a copy of the judge's module. Only a worker makes one."""
    if decoder.peer.is_judge:
        raise refused("a module")
    _, (source, name), attributes, parameters, buffers, children, training = content
    if not source.startswith(SOURCES):
        raise refused(f"a module of {source}")
    kind = getattr(importlib.import_module(source), name)
    module = kind.__new__(kind)
    torch.nn.Module.__init__(module)
    vars(module).update(decoder.pairs(attributes))
    for each, form in parameters:
        value = decoder.value(form)
        if value is not None:
            value = torch.nn.Parameter(value.detach(), requires_grad=value.requires_grad)
        module.register_parameter(each, value)
    for each, form in buffers:
        module.register_buffer(each, decoder.value(form))
    for each, form in children:
        module.add_module(each, decoder.value(form))
    return module.train(training)


def renew(decoder: Decoder, module: torch.nn.Module, content: list) -> None:
    """Writes the weights of the judge's module into the copy."""
    _, _, _, parameters, buffers, _, _ = content
    with torch.no_grad():
        for name, form in [*parameters, *buffers]:
            if form is not None:
                overwrite(getattr(module, name), decoder.value(form))


class Hooks:
    """The hooks of one module that both ends have, each under a name that both ends know."""

    def __init__(self, module: torch.nn.Module, side: str):
        self.module, self.side = module, side
        self.names: dict[str, dict[int, str]] = {kind: {} for kind in HOOKS}
        self.told: list | None = None

    def listed(self, encoder: Encoder) -> list:
        """The hooks as they are now: kind, name and function of each."""
        found = []
        for kind in HOOKS:
            names, hooks = self.names[kind], getattr(self.module, kind)
            for number, function in hooks.items():
                name = names.setdefault(number, f"{self.side}{number}")
                found.append([kind, name, encoder.form(function)])
        return found

    def news(self, encoder: Encoder) -> list | None:
        """The hooks, if they are no longer what the other end knows."""
        if not any(getattr(self.module, kind) or self.names[kind] for kind in HOOKS):
            return None
        found = self.listed(encoder)
        told = [each[:2] for each in found]
        if told == (self.told or []):
            return None
        self.told = told
        return found

    def set(self, decoder: Decoder, listed: list) -> None:
        """Makes the module's hooks those of the other end."""
        self.told = [each[:2] for each in listed]
        for kind in HOOKS:
            wanted = {str(name): form for each, name, form in listed if each == kind}
            hooks, names = getattr(self.module, kind), self.names[kind]
            for number in [each for each in hooks if names.get(each) not in wanted]:
                del hooks[number]
            there = {names[number] for number in hooks if number in names}
            for name, form in wanted.items():
                if name not in there:
                    handle = REGISTER[kind](self.module, decoder.value(form))
                    names[handle.id] = name


def weights_of(module: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Returns copies of a module's own weights, without those of its children."""
    own = {**module._parameters, **module._buffers}
    return {name: value.detach().clone() for name, value in own.items() if value is not None}


def changed_weights(module: torch.nn.Module, before: dict[str, torch.Tensor]) -> list[str]:
    now = {**module._parameters, **module._buffers}
    return [
        name
        for name, was in before.items()
        if name in now and not (now[name].shape == was.shape and torch.equal(now[name], was))
    ]


# --- other things that can be written into ------------------------------------------------------


def overwrite(known: Any, new: Any) -> None:
    """Makes a value what a new one of its kind is; refused for one of another kind."""
    if isinstance(known, torch.Tensor) and isinstance(new, torch.Tensor):
        _overwrite_tensor(known, new)
    elif isinstance(known, numpy.ndarray) and isinstance(new, numpy.ndarray):
        if known.shape == new.shape and known.dtype == new.dtype:
            known[...] = new
    elif isinstance(known, list) and isinstance(new, list):
        known[:] = new
    elif isinstance(known, dict) and isinstance(new, dict):
        _overwrite_dict(known, new)
    elif isinstance(known, set) and isinstance(new, set):
        known.clear()
        known.update(new)
    elif isinstance(known, torch.Generator) and isinstance(new, torch.Generator):
        known.set_state(new.get_state())
    elif isinstance(known, random.Random) and isinstance(new, random.Random):
        known.setstate(new.getstate())
    elif type(known) is types.SimpleNamespace and type(new) is types.SimpleNamespace:
        _overwrite_dict(vars(known), vars(new))
    else:
        raise refused(f"a {type(new).__name__} in place of a {type(known).__name__}")


def _overwrite_tensor(known: torch.Tensor, new: torch.Tensor) -> None:
    if known.dtype != new.dtype:
        raise refused("a tensor of another dtype in place of one")
    with torch.no_grad(), torch._C.DisableTorchFunction():
        if known.shape != new.shape:
            known.data = new.detach()
        elif not arrays.same_bytes(known, new):
            known.detach().copy_(new)


def _overwrite_dict(known: dict, new: dict) -> None:
    if list(known) == list(new) and all(known[key] is new[key] for key in known):
        return
    known.clear()
    known.update(new)


def is_random(value: Any) -> bool:
    return type(value) is random.Random


def random_from(state: tuple) -> random.Random:
    made = random.Random()
    made.setstate(state)
    return made


@functools.lru_cache(maxsize=256)
def named_tuple(name: str, fields: tuple[str, ...]) -> Any:
    """Returns the class of a named tuple."""
    name = name if name.isidentifier() else "named"
    return collections.namedtuple(name, fields, rename=True)
