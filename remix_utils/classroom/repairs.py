"""Repairs before nbgrader's own: what a student does to a graded cell costs that cell alone."""

from __future__ import annotations

import os

from nbformat.v4 import new_code_cell
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode

from remix_utils.checks.bundle import COURSE


def grade_id(cell) -> str | None:
    """What nbgrader calls the cell; None for a cell that is not graded."""
    return cell.metadata.get("nbgrader", {}).get("grade_id")


class JudgeByTheCourse(NbGraderPreprocessor):
    """Points the kernels of grading to the course's checks, whatever a submission brings."""

    checks = Unicode(help="the folder of the masters, with the packed checks of each day").tag(config=True)

    def preprocess(self, nb, resources):
        os.environ[COURSE] = self.checks  # a kernel takes over the environment of the process that starts it
        return nb, resources


class ForgetDuplicates(NbGraderPreprocessor):
    """Early in `Autograde.sanitize_preprocessors`: of cells with one grade id, the last counts.

    nbgrader's own remedy empties the metadata of the copies, then takes it for an old version's and
    aborts the batch.
    """

    def preprocess(self, nb, resources):
        seen = set()
        for cell in reversed(nb.cells):
            if grade_id(cell) is None or grade_id(cell) in seen:
                cell.metadata.pop("nbgrader", None)
            seen.add(grade_id(cell))
        return nb, resources


class RestoreHoles(NbGraderPreprocessor):
    """Before `OverwriteCells`: a deleted exercise cell comes back as its stub.

    nbgrader puts a deleted test back behind the cell before it, and gives the whole notebook up if
    that is gone too.
    """

    def preprocess(self, nb, resources):
        facts = resources["nbgrader"]
        there = {grade_id(cell): place for place, cell in enumerate(nb.cells) if grade_id(cell)}
        with Gradebook(facts["db_url"]) as book:
            notebook = book.find_notebook(facts["notebook"], facts["assignment"])
            graded = {cell.name for cell in notebook.grade_cells}
            place = 0
            for cell in notebook.source_cells:
                place = max(place, there.get(cell.name, -1) + 1)
                if cell.name not in there and cell.name not in graded:
                    nb.cells.insert(place, self.hole(cell))
                    there = {name: at + (at >= place) for name, at in there.items()}
                    place += 1
        return nb, resources

    def hole(self, source):
        marks = {
            "grade": False,
            "solution": True,
            "locked": False,
            "task": False,
            "cell_type": "code",
        }
        hole = new_code_cell(source.source)
        hole.metadata.nbgrader = {**marks, "grade_id": source.name, "schema_version": 3}
        return hole
