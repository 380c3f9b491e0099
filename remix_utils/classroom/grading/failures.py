"""Errors as plain data: their class, by name, what they say, and the line of the answer."""

from __future__ import annotations

import linecache
import sys
import traceback
from typing import Any

from remix_utils.checks.attempt import unwritten
from remix_utils.errors import RemixError

LIBRARIES = ("builtins", "torch", "numpy", "remix_utils", "re", "json", "string", "decimal")
MOST_LETTERS = 20_000
ANSWER = "<answer"  # how the file names of a submission's cells begin


class Interrupted(RuntimeError):
    """In place of an error that is meant to end a process, such as KeyboardInterrupt."""


def named(kind: type) -> list[str]:
    return [kind.__module__, kind.__qualname__]


def bases_of(kind: type) -> list[list[str]]:
    """The names of a class's bases that both ends have, the nearest first."""
    found: list[list[str]] = []
    for each in kind.__bases__:
        found += [named(each)] if known_class(*named(each)) is each else bases_of(each)
    return found


def known_class(module: str, name: str) -> type | None:
    """Returns an error class that is loaded here, of Python or of a library that both ends have."""
    if module.split(".")[0] not in LIBRARIES:
        return None
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    if not isinstance(found, type) or not issubclass(found, BaseException):
        return None  # and a check's verdict is no error of an answer, wherever it is imported:
    return None if found.__module__.startswith("remix_utils.checks") else found


def facts_of(error: BaseException) -> dict[str, Any]:
    """What is sent about an error."""
    kind = type(error)
    own = known_class(*named(kind)) is kind
    facts = {
        "names": [named(kind)] if own else bases_of(kind),
        "name": kind.__name__,
        "own": own,
        "text": _text(error),
        "unwritten": unwritten(error),
        "line": line_of(error),
    }
    if isinstance(error, RemixError):
        facts |= {"fact": str(error.fact), "fix": _fix(error), "facts": dict(error.facts)}
    return facts


def _fix(error: RemixError) -> str:
    return str(getattr(error, "fix", ""))


def _text(error: BaseException) -> list:
    """The arguments where they are plain, else the text alone."""
    try:
        said = str(error)[:MOST_LETTERS]
    except Exception:
        return ["text", f"an error of type {type(error).__name__}"]
    plain = all(type(each) in (str, int, float, bool, type(None)) for each in error.args)
    if plain and str(Exception(*error.args)) == said and len(error.args) < 10:
        return [
            "args",
            *(each[:MOST_LETTERS] if type(each) is str else each for each in error.args),
        ]
    if isinstance(error, KeyError) and len(error.args) == 1 and type(error.args[0]) is str:
        return ["args", error.args[0][:MOST_LETTERS]]
    return ["text", said]


def line_of(error: BaseException) -> str:
    """The last line of the answer's own code that an error went through."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [each for each in frames if each.filename.startswith(ANSWER)]
    if not own:
        return ""
    text = linecache.getline(own[-1].filename, own[-1].lineno or 0).strip()[:200]
    return f"in {own[-1].name}, line {own[-1].lineno}: {text}"


def made(facts: dict[str, Any], trusted: bool, kind: Any = None) -> BaseException:
    """Returns the error that facts describe; one that would end a process only if trusted."""
    kinds = [known_class(str(module), str(name)) for module, name in facts["names"]]
    kinds = [each for each in kinds if each is not None] or [RuntimeError]
    if not trusted and not all(issubclass(each, Exception | SystemExit) for each in kinds):
        return Interrupted(f"it raised {str(facts['name'])[:60]}")
    if facts["unwritten"] and kinds == [NotImplementedError]:
        return stub_error()
    error = _instance(kinds, facts, kind)
    error.__dict__["line_of_answer"] = str(facts["line"])[:400]
    return error


def stub_error() -> BaseException:
    """The error of a stub, raised here, so that a check knows it for one."""
    try:
        raise NotImplementedError
    except NotImplementedError as error:
        return error


def _instance(kinds: list[type], facts: dict[str, Any], kind: Any) -> BaseException:
    arguments = facts["text"][1:]
    arguments = arguments or ([""] if kinds == [NotImplementedError] else [])
    said = str(arguments[0]) if arguments else ""
    if issubclass(kinds[0], RemixError) and "fact" in facts:
        kind = kinds[0] if facts["own"] else kind or _subclass(facts, tuple(kinds), {})
        more = {str(name): value for name, value in facts["facts"].items()}
        more = {name: value for name, value in more.items() if name not in ("fact", "fix", "self")}
        return kind(str(facts["fact"]), fix=str(facts["fix"]), **more)
    if facts["own"]:
        own: Any = kinds[0]
        error = own.__new__(own, *arguments)
    else:
        body = {"__str__": lambda self: said, "__init__": _ignore}
        kind = kind or _subclass(facts, tuple(kinds), body)
        error = kind.__new__(kind)
    error.args = tuple(arguments)
    return error


def _ignore(self: Any, *arguments: Any, **named: Any) -> None:
    """An error that is made again has its facts already."""


def _subclass(facts: dict[str, Any], kinds: tuple[type, ...], body: dict[str, Any]) -> Any:
    name = str(facts["name"])[:60]
    try:
        return type(name, kinds, {**body, "__module__": "answer"})
    except TypeError:  # bases that do not go together
        return type(name, (kinds[0],), {**body, "__module__": "answer"})
