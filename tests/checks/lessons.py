"""The parts of the course as their sources make them, for tests that go over all exercises."""

from pathlib import Path

import pytest

from remix_utils.checks.bundle import from_master
from remix_utils.checks.lesson import part_id
from remix_utils.checks.part import Part

ROOT = Path(__file__).parents[2]
MASTERS = sorted(ROOT.glob("solutions/day*_*/part*_*.py"))
PARTS = {part_id(path): Part(from_master(path)) for path in MASTERS}
EXERCISES = [
    (name, str(cell.marks["check"]))
    for name, part in PARTS.items()
    for cell in part.bundle.cells
    if "check" in cell.marks
]
each_part = pytest.mark.parametrize("part", PARTS)
