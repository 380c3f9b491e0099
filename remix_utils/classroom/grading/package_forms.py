"""The package's own values as plain data: operations, selectors, draws, hypotheses, prompts.

Each is taken apart into the arguments of its constructor, and made again by that constructor,
which checks them.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from typing import Any

from remix_utils.circuits.factored import FactoredMatrix
from remix_utils.circuits.network import Estimate as Means
from remix_utils.classroom.findings.card import Figure
from remix_utils.data import Dataset, Exact, Feature, Fixed, Matching, Uniform
from remix_utils.graph import functions
from remix_utils.graph.axes import Pattern
from remix_utils.graph.buffer import Buffer
from remix_utils.graph.functions import Function
from remix_utils.graph.indexing import Span
from remix_utils.graph.linear import Add, Einsum
from remix_utils.graph.node import Node
from remix_utils.graph.operations import Apply, Array, Concat, Index, Placeholder, Sample
from remix_utils.graph.selector import (
    Avoiding,
    Below,
    Child,
    Combined,
    Complement,
    Match,
    Selector,
    at,
    selector,
)
from remix_utils.models.transformer_config import TransformerConfig
from remix_utils.scrub.hypothesis import Interp
from remix_utils.scrub.result import Estimate
from remix_utils.tasks.ioi.prompt import Prompt, Prompts

BUILTIN = dict(functions._table)  # as the package has it; a lesson may register more
FIRST_VERSION = 1_000_000  # of functions from the other end, so that none passes for the package's


def fields(*names: str) -> Callable[[Any], list]:
    return lambda value: [getattr(value, name) for name in names]


def _operation(kind: type, *names: str) -> tuple:
    return kind, fields(*names), kind


def _pattern(inputs: Any, output: Any) -> Pattern:
    return Pattern(tuple(tuple(map(str, words)) for words in inputs), tuple(map(str, output)))


def _span(start: int, step: int, length: int) -> Span:
    return Span.of(int(start), int(step), int(length))


def _add(weights: Any) -> Add:
    return Add(tuple(float(weight) for weight in weights))


def _index(entries: Any) -> Index:
    return Index(tuple(entries))


def _placeholder(name: str, shape: Any, *rest: Any) -> Placeholder:
    return Placeholder(str(name), tuple(int(size) for size in shape), *rest)


# Each kind: its class, the arguments in a value of it, and what makes it from them.
KINDS: dict[str, tuple[type, Callable[[Any], list], Callable[..., Any]]] = {
    "pattern": (Pattern, fields("inputs", "output"), _pattern),
    "span": (Span, fields("start", "step", "length"), _span),
    "buffer": (Buffer, fields("tensor"), Buffer),
    "einsum": (Einsum, fields("parsed"), Einsum),
    "add": (Add, fields("weights"), _add),
    "index": (Index, fields("entries"), _index),
    "placeholder": (
        Placeholder,
        fields("input", "shape", "dtype", "rows", "spare", "like"),
        _placeholder,
    ),
    "array": _operation(Array, "buffer"),
    "concat": _operation(Concat, "axis"),
    "apply": _operation(Apply, "entry"),
    "sample": _operation(Sample, "rows"),
    "combined": _operation(Combined, "left", "right", "sign"),
    "complement": _operation(Complement, "inner"),
    "child": _operation(Child, "inner", "slot"),
    "avoiding": _operation(Avoiding, "inner", "other"),
    "below": _operation(Below, "upper", "lower", "other"),
    "data": (Dataset, fields("columns"), Dataset),
    "feature": _operation(Feature, "name", "function"),
    "exact": _operation(Exact),
    "uniform": _operation(Uniform, "among"),
    "fixed": _operation(Fixed, "chosen"),
    "matching": _operation(Matching, "feature", "among"),
    "interp": _operation(Interp, "name", "at", "draw", "children", "others", "shared"),
    "estimate": (Estimate, lambda value: [float(value), value.se], Estimate),
    "prompt": _operation(
        Prompt, "template", "IO", "S1", "S2", "place", "object", "order", "again", "before"
    ),
    "prompts": _operation(Prompts, "rows", "names"),
    "means": _operation(Means, "mean", "se"),
    "figure": _operation(Figure, *Figure.__dataclass_fields__),
    "factored": _operation(FactoredMatrix, "A", "B"),
    "transformer": _operation(TransformerConfig, *TransformerConfig.__dataclass_fields__),
}
BY_CLASS = {kind: (name, take, make) for name, (kind, take, make) in KINDS.items()}


def taken_apart(value: Any) -> tuple[str, list] | None:
    """Returns a value's kind and arguments; None for what is none of the package's values.

    >>> taken_apart(Exact())
    ('exact', [])
    """
    if type(value) is Match:
        return "match", _match(value)
    if type(value) is Function:
        return "function", _function(value)
    known = BY_CLASS.get(type(value))
    return None if known is None else (known[0], known[1](value))


def put_together(kind: str, arguments: list) -> Any:
    """Returns the value of that kind with these arguments.

    >>> put_together("exact", [])
    Exact()
    """
    if kind == "match":
        return _matching(*arguments)
    if kind == "function":
        return _named_function(*arguments)
    return KINDS[kind][2](*arguments)


# --- selectors and functions, which hold code -----------------------------------------------------


def _match(value: Match) -> list:
    """How `at` or `selector` made a test: by what, and with which argument."""
    if value.names:
        return ["names", sorted(value.names), value.text]
    code = getattr(value.test, "__code__", None)
    cells = getattr(value.test, "__closure__", None) or ()
    held: dict[str, Any] = dict(zip(getattr(code, "co_freevars", ()), cells, strict=False))
    if "matches" in held:
        return ["glob", ast.literal_eval(value.text[3:-1]), value.text]
    if "op" in held:
        return ["op", held["op"].cell_contents, value.text]
    if "which" in held:
        return ["which", held["which"].cell_contents, value.text]
    return ["test", value.test, value.text]


def _matching(how: str, argument: Any, text: str) -> Selector:
    if how == "names":
        return selector({str(name) for name in argument})
    if how == "glob":
        return selector(str(argument))
    if how == "op":
        return at(op=str(argument))
    if how == "which" and isinstance(argument, Node):
        return selector(argument)
    test = argument
    return Match(lambda node: bool(test(node)), str(text))


def _function(value: Function) -> list:
    own = BUILTIN.get(value.name) is value
    whole = list(value.whole) if isinstance(value.whole, tuple) else value.whole
    return [value.name] if own else [value.name, value.run, whole]


def _named_function(name: str, run: Any = None, whole: Any = 0) -> Function:
    if run is None:
        return BUILTIN[name]
    counts = tuple(int(each) for each in whole) if isinstance(whole, list) else int(whole)
    return Function(str(name), run, counts, _next_version())


def _next_version() -> int:
    global FIRST_VERSION
    FIRST_VERSION += 1
    return FIRST_VERSION
