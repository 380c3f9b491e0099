"""The calls of a notebook. The harness behind them is loaded when one of them is first used."""

from __future__ import annotations

import sys

from remix_utils.checks import place  # noqa: F401 - remembers the folder in which the kernel started


class Check:
    """`check(id, answer)` prints one line, or raises with the fault and its place."""

    def __call__(self, id: str, answer: object = None) -> None:
        from remix_utils.checks.harness import check

        check(id, answer)

    def inputs(self, id: str) -> dict[str, object]:
        """Returns the arguments, by name, of the case on which an exercise's last check failed."""
        from remix_utils.checks.harness import check

        return check.inputs(id)

    def source(self, id: str) -> None:
        """Prints how an exercise is judged: its inputs, and how an answer is used on them."""
        from remix_utils.checks.harness import check

        check.source(id)


check = Check()


def hint(id: str) -> object:
    """Shows the next hint of an exercise: a nudge, an approach, almost the code."""
    from remix_utils.checks.hints import hint

    return hint(id)


def solution(id: str) -> None:
    """Shows the reference solution of an exercise, when it is asked for a second time."""
    from remix_utils.checks.hints import solution

    solution(id)


def start_at(id: str) -> None:
    """Brings every name that the rest of a part (d1.2), or from an exercise on (d1.2.9), reads.

    Imports and functions are there at once; a value is computed when a cell first uses it.
    """
    from remix_utils.checks.catch_up import rejoin

    rejoin(id, sys._getframe(1).f_globals)
