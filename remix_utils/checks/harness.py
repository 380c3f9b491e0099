"""The judge: `check("d1.1.3", answer)` says right, or what is wrong with the answer and where."""

from __future__ import annotations

import ast
import linecache

from remix_utils.checks.attempt import attempt
from remix_utils.checks.exercise import Exercise, Wrong, find_exercise
from remix_utils.checks.judge import REFERENCE_SECONDS, judge
from remix_utils.errors import RemixError


class CheckFailed(RemixError):
    """An answer that is not right yet; in a notebook it shows as its message, without a traceback."""

    def _render_traceback_(self) -> list[str]:
        return str(self).splitlines()


class Check:
    """`check(id, answer)` prints one line or raises CheckFailed; `check.source(id)` shows what is tested."""

    def __call__(self, id: str, answer: object = None, *, seed: int = 0, reference: str | None = None) -> None:
        """Judge an answer on inputs drawn from the seed; with a reference's source, compare with its value too.

        >>> from remix_utils.checks.exercise import exercise
        >>> exercise("d0.0.1", cases=lambda seed: [(2,), (3,)], oracle=lambda n: n * n)
        >>> check("d0.0.1", lambda n: n ** 2)
        ✓ d0.0.1
        """
        asked = find_exercise(id)
        try:
            noise = judge(asked, answer, seed, None if reference is None else run_reference(id, reference))
        except Wrong as wrong:
            raise CheckFailed(f"{id}: {wrong.fact}", fix=_way_out(asked, wrong), exercise=id, **wrong.facts) from None
        print(f"✓ {id}" + ("" if reference is None else ", also on new inputs"))
        for line in noise[:3]:
            print(f"  while it ran: {line}")

    def source(self, id: str) -> None:
        """Print the test of an exercise, as it stands in the package."""
        print(source_of(find_exercise(id)))


check = Check()


def run_reference(id: str, source: str) -> object:
    """The value of the last line of a reference solution's source, run in a namespace of its own."""
    tree = ast.parse(source)
    last = tree.body.pop()
    assert isinstance(last, ast.Expr), "the generator ends a reference with an expression"
    space: dict[str, object] = {"__name__": f"reference_{id}"}
    outcome = attempt(_evaluate, tree, last, f"<reference {id}>", space, seconds=REFERENCE_SECONDS)
    if outcome.error is not None:
        raise outcome.error
    return outcome.value


def _evaluate(tree: ast.Module, last: ast.Expr, name: str, space: dict) -> object:
    exec(compile(tree, name, "exec"), space)
    return eval(compile(ast.Expression(last.value), name, "eval"), space)


def source_of(asked: Exercise) -> str:
    """The statement that registered the exercise; of a quiz, the questions alone."""
    if asked.questions:
        return "\n".join(f"{asked.id}: {question}" for question, _, _ in asked.questions)
    path, line = asked.origin
    lines = linecache.getlines(path)
    for node in ast.parse("".join(lines)).body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
        if first <= line <= (node.end_lineno or line):
            return "".join(lines[first - 1 : node.end_lineno]).rstrip()
    return f"{asked.id} is registered at {path}, line {line}."


def _way_out(asked: Exercise, wrong: Wrong) -> str:
    ladder = f'hint("{asked.id}") gives a nudge; check.source("{asked.id}") shows what is tested.'
    return ladder if wrong.fix == Wrong("").fix else f"{wrong.fix} Otherwise, {ladder}"
