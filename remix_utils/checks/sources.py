"""Running source texts without files: a lesson's statements, and a day's checks as modules."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import linecache
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any


def run(source: str, space: dict[str, Any], name: str) -> None:
    """Runs a text in a namespace; tracebacks and `inspect` find its lines under the name.

    >>> run("two = 1 + one", space := {"one": 1}, "<lesson>")
    >>> space["two"]
    2
    """
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    space.setdefault("__name__", name.strip("<>"))
    exec(compile(source, name, "exec"), space)


class Sources(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    """Finds the modules of one package in a table of source texts."""

    def __init__(self, package: str, texts: Mapping[str, str]):
        self.texts = {f"{package}.{name}": text for name, text in texts.items()}
        self.package = package

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> Any:
        is_package = fullname == self.package
        if not is_package and fullname not in self.texts:
            return None
        return importlib.machinery.ModuleSpec(
            fullname, self, origin=f"<{fullname}>", is_package=is_package
        )

    def get_source(self, fullname: str) -> str:
        return self.texts.get(fullname, "")

    def exec_module(self, module: ModuleType) -> None:
        text = self.get_source(module.__name__)
        module.__file__ = f"<{module.__name__}>"
        run(text, vars(module), module.__file__)


def load_modules(package: str, texts: Mapping[str, str], name: str) -> ModuleType:
    """Loads one module of a package whose modules are texts; they import each other relatively.

    >>> texts = {"one": "number = 1", "two": "from .one import number\\ndouble = 2 * number"}
    >>> load_modules("remix_example", texts, "two").double
    2
    """
    for known in [each for each in sys.modules if f"{each}.".startswith(f"{package}.")]:
        del sys.modules[known]  # loaded before, by somebody else: each loading executes the texts
    finder = Sources(package, texts)
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module(f"{package}.{name}")
    finally:
        sys.meta_path.remove(finder)
