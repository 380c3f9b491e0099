"""A package whose names are imported when they are first used, so that `remix doctor` starts without torch."""

from __future__ import annotations

import sys
from types import ModuleType

# Little is imported here, and `ast` when it is needed: until the `remix` command has begun, Ctrl-C is a traceback.
NAMES: dict[str, str] = {}


def gathered() -> dict[str, str]:
    """Returns the room of every name in `names.py`, which is read and not executed.

    >>> gathered()["at"]
    'remix_utils.graph.selector'
    """
    if not NAMES:
        import ast
        from pathlib import Path

        source = Path(__file__).with_name("names.py").read_text(encoding="utf-8")
        statements = [each for each in ast.parse(source).body if isinstance(each, ast.ImportFrom)]
        NAMES.update({alias.name: str(each.module) for each in statements for alias in each.names})
    return NAMES


class Index(ModuleType):
    """The package as a module that imports a name of `names.py` when it is first read."""

    def __getattr__(self, name: str) -> object:
        if name == "__all__":
            return sorted(gathered())
        if name.startswith("__") or name not in gathered():
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(gathered()[name]), name)
        super().__setattr__(name, value)
        return value

    def __setattr__(self, name: str, value: object) -> None:
        # The import system would put the folder `scrub` here, under the name of the function.
        if not (hasattr(value, "__path__") and name in gathered()):
            super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *gathered()})


def serve(package: str) -> None:
    """Lets a package give out the names of its index."""
    sys.modules[package].__class__ = Index
