"""How the `remix` command reads its arguments, and says what is wrong with them."""

from __future__ import annotations

import argparse
import platform
import re
from importlib import metadata
from typing import NoReturn

from remix_utils.classroom.ports import HIGHEST

MOST_PROCESSES = 256
LONGEST_SWAP = 180  # minutes between two swaps of driver and navigator


class Parser(argparse.ArgumentParser):
    """A reader of arguments whose errors are a fact and a fix, as all of ours are."""

    def error(self, message: str) -> NoReturn:
        wrong = re.match(r"argument (\S+): invalid choice: '(.*?)' \(choose from (.*)\)", message, re.DOTALL)
        if wrong:
            what, known = "command" if wrong[1] == "COMMAND" else wrong[1], re.findall(r"[\w-]+", wrong[3])
            message = f"there is no {what} {wrong[2][:60]!r}; there is {', '.join(known)}"
        self.exit(2, f"{self.prog}: {message.rstrip('.')}.\n  fix: {self.prog} -h shows how it is written.\n")


def port(text: str) -> int:
    """Returns the number of a port. ArgumentTypeError for one that no server can listen on.

    >>> port("8888")
    8888
    """
    return _whole_number(text, HIGHEST, f"is no port; ports are whole numbers from 1 to {HIGHEST}")


def minutes(text: str) -> int:
    """Returns a number of minutes. ArgumentTypeError for one that no swap clock counts.

    >>> minutes("15")
    15
    """
    return _whole_number(text, LONGEST_SWAP, f"is no whole number of minutes from 1 to {LONGEST_SWAP}")


def count(text: str) -> int:
    """Returns a number of processes. ArgumentTypeError for one that no machine runs at once.

    >>> count("2")
    2
    """
    return _whole_number(text, MOST_PROCESSES, f"is no whole number from 1 to {MOST_PROCESSES}")


def _whole_number(text: str, most: int, fault: str) -> int:
    """Returns a number from 1 to the largest, written with no more digits than that one has."""
    if not re.fullmatch(rf"[0-9]{{1,{len(str(most))}}}", text) or not 1 <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text[:60]!r} {fault}")
    return int(text)


def version() -> str:
    """Returns the version of the package and of Python, in one line."""
    try:
        own = metadata.version("remix-utils")
    except metadata.PackageNotFoundError:  # run from a folder, without being installed
        own = "(not installed)"
    return f"remix {own}, Python {platform.python_version()}"
