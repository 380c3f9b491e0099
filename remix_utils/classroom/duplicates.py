"""A graded cell that a student has copied must not stop the grading of everybody else."""

from __future__ import annotations

from nbgrader.preprocessors import NbGraderPreprocessor


class ForgetDuplicates(NbGraderPreprocessor):
    """First in `Autograde.sanitize_preprocessors`: of cells with one grade id, only the last stays a graded cell.

    nbgrader's own remedy empties the metadata of the copies, then takes it for an old version's and aborts the batch.
    """

    def preprocess(self, nb, resources):
        seen = set()
        for cell in reversed(nb.cells):
            grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
            if grade_id is None or grade_id in seen:
                cell.metadata.pop("nbgrader", None)
            seen.add(grade_id)
        return nb, resources
