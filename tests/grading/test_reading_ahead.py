"""What a nursery reads before any worker starts: cells that everybody has, and nothing else."""

import pytest

from remix_utils.checks.lesson import holes
from remix_utils.classroom.grading.plan import shown_cells
from remix_utils.classroom.grading.workers import Nursery
from tests.checks.lessons import PARTS


@pytest.mark.parametrize("part", PARTS)
def test_no_solution_is_read_ahead(part):
    """Workers are forked from the nursery, and could look into what it holds."""
    bundle = PARTS[part].bundle
    shown = "\n".join(shown_cells(bundle))
    solutions = [each for cell in bundle.cells for each in holes(cell.source)]
    assert shown and solutions
    assert not any(each.strip() and each in shown for each in solutions)
    assert "SOLUTION" not in shown


def test_a_worker_answers_with_what_was_read_ahead():
    """Whether a cell was read before or not, it makes the same names."""
    nursery = Nursery(sandboxed=False)
    nursery.read_ahead(["one = 1", "not Python (", "one"])
    worker = nursery.worker()
    worker.allow(20)
    plan = {"before": ["one = 1", "two = 2"], "hole": "both = one, two", "between": [], "text": "both"}
    assert worker.peer.ask("answer", plan) == (1, 2)
    worker.end()
    nursery.close()
