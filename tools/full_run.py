"""Run day 5 on every template of indirect objects, and keep its figures beside smollm2's card.

    python -m tools.full_run            measure them all and write them
    python -m tools.full_run --check    measure them again, and compare with those that are kept
    python -m tools.full_run part3      one part alone

A master of day 5 leaves its figures in `full_run`: name to (value, error over prompts, error over templates). With
REMIX_FULL set it takes four prompts of every template in each order instead of one.
"""

from __future__ import annotations

import math
import os
import sys
import time
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from remix_utils.errors import RemixError
from tools.figures import ROOT, run_master

LESSONS = ROOT / "solutions" / "day5_ioi"
KEPT = ROOT / "remix_utils" / "models" / "weights" / "smollm2.ioi.toml"
HEAD = """# Figures of smollm2 on indirect objects, measured by `python -m tools.full_run`: do not edit.
# name = [value, standard error over prompts, standard error over templates]

[figures]
"""
Figures = dict[str, tuple[float, float, float]]


class FullRunError(RemixError):
    """A part that leaves no figures, or two parts that leave different figures of one name."""


def measure(masters: Iterable[Path]) -> Figures:
    """Returns the figures that the masters leave, in the order of the parts."""
    os.environ |= {"REMIX_FULL": "1", "REMIX_MODEL": "smollm2"}
    figures: Figures = {}
    for master in masters:
        start = time.process_time()
        found = run_master(master).get("full_run")
        if not found:
            raise FullRunError(f"{master.name} leaves no figures.", fix="fill its dict full_run.")
        for name, figure in found.items():
            rounded = tuple(float(f"{float(value):.4g}") for value in figure)
            if len(rounded) != 3 or (name in figures and figures[name] != rounded):
                raise FullRunError(
                    f"{master.name}: {name!r} is {rounded}, and was {figures.get(name)}.",
                    fix="give a figure as (value, error over prompts, error over templates), once.",
                )
            figures[name] = rounded
        print(f"{master.name}: {len(found)} figures, {time.process_time() - start:.0f} CPU s")
    return figures


def text(figures: Figures) -> str:
    """Returns the file's text; NaN is written as TOML writes it."""
    lines = [f'"{name}" = [{", ".join(map(str, figure))}]' for name, figure in figures.items()]
    return HEAD + "".join(f"{line}\n" for line in lines)


def moved(kept: Mapping[str, list[float]], found: Figures) -> list[str]:
    """Returns a line for each figure that is new, or gone, or further off than half its error."""
    lines = [f"{name} is not kept" for name in found if name not in kept]
    for name, (value, *errors) in kept.items():
        if name not in found:
            lines.append(f"{name} was not measured")
            continue
        allowed = max([abs(value) * 1e-3, *(error / 2 for error in errors if not math.isnan(error))])
        if not abs(found[name][0] - value) <= allowed:
            lines.append(f"{name}: kept {value:g}, measured {found[name][0]:g}, allowed {allowed:.3g} off")
    return lines


def main(arguments: list[str], lessons: Path = LESSONS, path: Path = KEPT) -> int:
    check = "--check" in arguments
    parts = [each for each in arguments if each != "--check"]
    masters = [each for each in sorted(lessons.glob("part*.py")) if each.name.startswith(tuple(parts) or "")]
    kept = tomllib.loads(path.read_text(encoding="utf-8"))["figures"]
    found = measure(masters)
    if check:
        lines = moved(kept if not parts else {name: kept[name] for name in found if name in kept}, found)
        print("\n".join([*lines, f"{len(found)} figures measured, {len(lines)} not as kept."]))
        return 1 if lines else 0
    path.write_text(text((kept if parts else {}) | found), encoding="utf-8")
    print(f"{len(found)} figures written to {path.name}.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except RemixError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
